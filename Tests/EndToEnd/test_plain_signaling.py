"""Signaling without WebSocket by curl, the protocol of 2026, and broadcasters."""

import asyncio
import json
import subprocess
import urllib.error
import urllib.request

import network
from protoo import NOBODYS_FINGERPRINT, ProtooClient, audio_parameters
from soft_peer import SoftPeer
from waiting import until


async def call(gateway, method, path, body=None, token=None):
    """(status, JSON or text) of one request."""
    def work():
        request = urllib.request.Request(gateway.url + path, method=method)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Signaling-Session", token)
        try:
            with (network.inside(gateway.namespace),
                  urllib.request.urlopen(request, data, timeout=30) as answer):
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()
    status, text = await asyncio.to_thread(work)
    try:
        return status, json.loads(text)
    except json.JSONDecodeError:
        return status, text


class Events:
    """An event stream by curl, over the version of HTTP that `option` says."""

    def __init__(self, url, folder, option, last=None):
        self.path = folder / f"events{option}{last}.txt"
        fields = ["-H", f"Last-Event-ID: {last}"] if last is not None else []
        with open(self.path, "wb") as file:
            self.process = subprocess.Popen(["curl", "-sSN", option, *fields, url], stdout=file)

    def messages(self):
        return [json.loads(line[6:]) for line in self.path.read_text().splitlines() if line.startswith("data: ")]

    def ids(self):
        return [int(line[4:]) for line in self.path.read_text().splitlines() if line.startswith("id: ")]

    def find(self, method):
        return [one for one in self.messages() if one.get("method") == method]

    def stop(self):
        self.process.terminate()
        self.process.wait()


async def test_a_peer_without_a_websocket_hears_and_answers(gateway, artifacts):
    for option in ("--http1.1", "--http2-prior-knowledge"):
        room = "plain" + option.strip("-").replace(".", "")
        base = f"/rooms/{room}/peers/ann"
        status, capabilities = await call(
            gateway, "POST", base + "/requests", {"method": "getRouterRtpCapabilities"})
        assert status == 200
        status, joined = await call(gateway, "POST", base + "/requests", {
            "method": "join", "data": {"displayName": "Ann", "rtpCapabilities": capabilities}})
        assert status == 200 and joined["peers"] == []
        token = joined["session"]["token"]
        status, transport = await call(
            gateway, "POST", base + "/requests",
            {"id": 1, "method": "createWebRtcTransport", "data": {"consuming": True}}, token)
        assert status == 200 and transport["iceCandidates"]
        url = f"{gateway.url}{base}/events?session={token}"
        events = Events(url, artifacts, option)
        try:
            async with ProtooClient(gateway, room, "bob") as bob:
                await bob.join("Bob")
                sending = await bob.open_transport(producing=True)
                await bob.request("produce", {
                    "transportId": sending["id"], "kind": "audio", "appData": {},
                    "rtpParameters": audio_parameters(capabilities, 4711)})
                await until(lambda: events.find("newConsumer"), 30, "the consumer is offered")
                offer = events.find("newConsumer")[0]
                status, _ = await call(
                    gateway, "POST", base + "/responses", {"id": offer["id"], "ok": True}, token)
                assert status == 204
                await until(lambda: events.find("consumerScore"), 30, "the consumer is accepted")
                events.stop()
                await bob.request("changeDisplayName", {"displayName": "Robert"})
                again = Events(url, artifacts, option, last=events.ids()[-1])
                try:
                    await until(lambda: again.find("peerDisplayNameChanged"), 30, "what was missed comes")
                    assert again.ids()[0] == events.ids()[-1] + 1
                    assert not bob.heard("peerClosed")
                    assert (await call(gateway, "DELETE", base, token=token))[0] == 204
                    await until(lambda: bob.heard("peerClosed"), 30, "Ann has left")
                    await until(lambda: again.find("sessionClosed"), 30, "her stream is notified")
                finally:
                    again.stop()
        finally:
            events.stop()


async def test_the_protocol_of_2026(gateway):
    """What a client of mediasoup-demo of 2026 does, unchanged: its first request tells its year."""
    async with SoftPeer(gateway, "future", "classic", level=120, hertz=440) as classic:
        async with ProtooClient(gateway, "future", "modern") as modern:
            assert await modern.request("getRtcStatsUrl") == {}
            capabilities = (await modern.request("getRouterRtpCapabilities"))["routerRtpCapabilities"]
            receiving = await modern.request(
                "createWebRtcTransport", {"forceTcp": False, "appData": {"direction": "consumer"}})
            sending = await modern.request(
                "createWebRtcTransport", {"forceTcp": False, "appData": {"direction": "producer"}})
            peers = (await modern.request("join", {
                "displayName": "Modern", "device": {"flag": "chrome", "name": "Chrome"},
                "rtpCapabilities": capabilities}))["peers"]
            assert [one["peerId"] for one in peers] == ["classic"]

            def offers():
                return [one for one in modern.requests if one["method"] == "newConsumer"]
            await until(lambda: len(offers()) == 2, 30, "both consumers are offered")
            for one in offers():
                data = one["data"]
                assert data["transportId"] == receiving["transportId"] and data["consumerScore"]["score"] == 10
                assert data["consumerId"] and data["producerId"] and data["peerId"] == "classic"
            assert await modern.request("connectWebRtcTransport", {
                "transportId": sending["transportId"],
                "dtlsParameters": {"role": "client", "fingerprints": [NOBODYS_FINGERPRINT]}}) == {}
            producer = (await modern.request("produce", {
                "transportId": sending["transportId"], "kind": "audio", "appData": {"source": "audio"},
                "rtpParameters": audio_parameters(capabilities, 815)}))["producerId"]
            await modern.send(json.dumps({
                "notification": True, "method": "pauseProducer", "data": {"producerId": producer}}))
            stats = (await modern.request("getProducerStats", {"producerId": producer}))["stats"]
            assert isinstance(stats, list)
            assert "usernameFragment" in (await modern.request(
                "restartIce", {"transportId": sending["transportId"]}))["iceParameters"]
            room = await gateway.json("/rooms/future")
            mine = next(one for one in room["peers"] if one["id"] == "modern")
            assert [one["paused"] for side in mine["transports"] for one in side["producers"]] == [True]
            await modern.send(json.dumps({
                "notification": True, "method": "changeDisplayName", "data": {"displayName": "M"}}))
            await until(
                lambda: {"peerId": "modern", "displayName": "M", "oldDisplayName": "Modern"}
                in classic.client.heard("peerDisplayNameChanged"), 30, "the new name")
        async with ProtooClient(gateway, "future", "asked", query="&protocol=2026") as asked:
            await until(lambda: asked.heard("mediasoupVersion"), 30, "the version, in the words of 2026")


async def test_broadcasters_of_both_years(start_gateway):
    gateway = await start_gateway("--plain-ports", "20000-20999")
    room = "/rooms/radio"
    async with SoftPeer(gateway, "radio", "listener", level=90, hertz=300) as listener:
        status, capabilities = await call(gateway, "GET", room)
        assert status == 200 and capabilities["codecs"] and capabilities["routerRtpCapabilities"]["codecs"]
        status, reply = await call(gateway, "POST", room + "/broadcasters", {
            "id": "old", "displayName": "Old", "device": {"name": "FFmpeg"},
            "rtpCapabilities": capabilities["routerRtpCapabilities"]})
        assert status == 200, reply
        heard = {one["kind"]: one["id"] for one in reply["peers"][0]["producers"]}
        assert reply["peers"][0]["id"] == "listener" and set(heard) == {"audio", "video"}
        status, plain = await call(
            gateway, "POST", room + "/broadcasters/old/transports",
            {"type": "plain", "comedia": True, "rtcpMux": False})
        assert status == 200 and plain["ip"] == "127.0.0.1" and plain["rtcpPort"] == plain["port"] + 1
        status, transport = await call(
            gateway, "POST", room + "/broadcasters/old/transports", {"type": "webrtc"})
        assert status == 200 and transport["dtlsParameters"]
        path = f"{room}/broadcasters/old/transports/{transport['id']}"
        status, _ = await call(gateway, "POST", path + "/connect", {
            "dtlsParameters": {"role": "client", "fingerprints": [NOBODYS_FINGERPRINT]}})
        assert status == 200
        status, producer = await call(gateway, "POST", path + "/producers", {
            "kind": "audio", "rtpParameters": audio_parameters(capabilities, 1111)})
        assert status == 200 and producer["id"]
        await until(lambda: listener.watching("audio", "old"), 30, "the broadcaster's audio is consumed")
        status, consumer = await call(gateway, "POST", f"{path}/consume?producerId={heard['audio']}")
        assert status == 200 and consumer["kind"] == "audio" and consumer["producerId"] == heard["audio"]
        status, text = await call(gateway, "POST", path + "/consume/data", {"dataProducerId": "x"})
        assert status == 500 and "SCTP not enabled" in text, "the transport was made without data channels"
        status, able = await call(
            gateway, "POST", room + "/broadcasters/old/transports",
            {"type": "webrtc", "sctpCapabilities": {"numStreams": {"OS": 1024, "MIS": 1024}}})
        assert status == 200 and able["sctpParameters"]["port"] == 5000
        path = f"{room}/broadcasters/old/transports/{able['id']}"
        status, data = await call(gateway, "POST", path + "/produce/data", {
            "label": "news", "protocol": "", "sctpStreamParameters": {"streamId": 3}})
        assert status == 200 and data["id"]
        status, channel = await call(gateway, "POST", path + "/consume/data", {"dataProducerId": data["id"]})
        assert status == 200 and channel["id"] and channel["streamId"] == 0
        status, text = await call(gateway, "POST", path + "/producers", {"kind": "smell"})
        assert status == 400 and text.startswith("TypeError: ")
        status, text = await call(gateway, "DELETE", room + "/broadcasters/old")
        assert (status, text) == (200, "broadcaster deleted")
        await until(lambda: {"peerId": "old"} in listener.client.heard("peerClosed"), 30, "it has left")

        new = room + "/broadcasters"
        status, _ = await call(gateway, "POST", new, {
            "peerId": "new", "displayName": "New", "device": {"flag": "ffmpeg", "name": "FFmpeg"}})
        assert status == 200 and "new" not in [one["id"] for one in listener.client.heard("newPeer")]
        assert (await call(gateway, "POST", new + "/new/join"))[0] == 200
        await until(lambda: "new" in [one["id"] for one in listener.client.heard("newPeer")], 30, "it has joined")
        status, plain = await call(gateway, "POST", new + "/new/transports", {"comedia": True, "appData": {}})
        assert status == 200 and plain["transportId"] and plain["port"]
        status, infos = await call(gateway, "GET", new + "/new/peerProducersInfos")
        assert status == 200 and infos["peerProducersInfos"][0]["peerId"] == "listener"
        assert {one["kind"] for one in infos["peerProducersInfos"][0]["producers"]} == {"audio", "video"}
        status, transport = await call(gateway, "POST", new + "/new/transports", {"type": "webrtc"})
        assert status == 200
        status, producer = await call(gateway, "POST", new + "/new/producers", {
            "transportId": transport["id"], "kind": "audio", "appData": {"source": "audio"},
            "rtpParameters": audio_parameters(capabilities, 2222)})
        assert status == 200 and producer["producerId"]
        status, consumer = await call(gateway, "POST", new + "/new/consumers", {
            "transportId": transport["id"], "producerId": heard["audio"], "paused": True,
            "rtpCapabilities": capabilities["routerRtpCapabilities"]})
        assert status == 200 and consumer["consumerId"]
        assert (await call(gateway, "POST", f"{new}/new/consumers/{consumer['consumerId']}/resume"))[0] == 200
        assert (await call(gateway, "DELETE", new + "/new"))[0] == 200
