"""Requests a server should not believe: each gets a reply that names the fault, and the connection stays useful."""

import asyncio
import json
import re

import pytest
import pytest_asyncio
import websockets

from protoo import NOBODYS_FINGERPRINT, ProtooClient, Refused, audio_parameters, video_parameters
from waiting import until


class Situation:
    """A joined peer with a transport to produce on, one to consume on, and a producer."""

    def __init__(self, client, capabilities, send, receive, producer):
        self.client, self.capabilities = client, capabilities
        self.send, self.receive, self.producer = send, receive, producer

    def audio(self, **changes):
        return {"transportId": self.send, "kind": "audio", "appData": {},
                "rtpParameters": {**audio_parameters(self.capabilities, 9_000_001), "mid": "7"}, **changes}

    def video(self, **changes):
        return {"transportId": self.send, "kind": "video", "appData": {},
                "rtpParameters": {**video_parameters(self.capabilities, 9_100_001), "mid": "8"}, **changes}


async def prepared(client):
    capabilities = await client.request("getRouterRtpCapabilities")
    await client.join(capabilities=capabilities)
    send = (await client.open_transport(producing=True))["id"]
    receive = (await client.open_transport(consuming=True))["id"]
    await client.request("connectWebRtcTransport", {
        "transportId": send, "dtlsParameters": {"role": "client", "fingerprints": [NOBODYS_FINGERPRINT]}})
    producer = (await client.request("produce", {
        "transportId": send, "kind": "audio", "appData": {},
        "rtpParameters": audio_parameters(capabilities, 5_000_001)}))["id"]
    return Situation(client, capabilities, send, receive, producer)


def encodings(*list_):
    return lambda s: s.audio(rtpParameters={**s.audio()["rtpParameters"], "encodings": list(list_)})


def fingerprint(value, algorithm="sha-256"):
    return lambda s: {"transportId": s.receive, "dtlsParameters": {
        "role": "client", "fingerprints": [{"algorithm": algorithm, "value": value}]}}


# name: (method, data or a function of the situation, what the refusal has to say)
REFUSED = {
    "unknown method": ("makeCoffee", {}, r"makeCoffee"),
    "empty method": ("", {}, r"method"),
    "join twice": ("join", lambda s: {"displayName": "x", "device": {}, "rtpCapabilities": s.capabilities},
                   r"already"),
    "transport with a word for a bool": ("createWebRtcTransport", {"forceTcp": "yes"}, r"forceTcp"),
    "connect twice": ("connectWebRtcTransport", lambda s: {
        "transportId": s.send, "dtlsParameters": {"role": "client", "fingerprints": [NOBODYS_FINGERPRINT]}},
        r"already|connect"),
    "connect nothing": ("connectWebRtcTransport", {}, r"transportId"),
    "connect an unknown transport": ("connectWebRtcTransport", lambda s: {
        "transportId": "nope", "dtlsParameters": {"fingerprints": [NOBODYS_FINGERPRINT]}}, r"nope|transport"),
    "connect without fingerprints": ("connectWebRtcTransport", lambda s: {
        "transportId": s.receive, "dtlsParameters": {"role": "client", "fingerprints": []}}, r"fingerprint"),
    "connect with a wrong role": ("connectWebRtcTransport", lambda s: {
        "transportId": s.receive, "dtlsParameters": {"role": "boss", "fingerprints": [NOBODYS_FINGERPRINT]}}, r"role"),
    "fingerprint of no known hash": ("connectWebRtcTransport", fingerprint("AB:CD", "sha-3"), r"none by"),
    "fingerprint too short": ("connectWebRtcTransport", fingerprint("AB:CD"), r"fingerprint|value"),
    "fingerprint of no hex": ("connectWebRtcTransport", fingerprint(":".join(["ZZ"] * 32)), r"fingerprint|value"),
    "fingerprint a number": ("connectWebRtcTransport", fingerprint(7), r"value"),
    "restart an unknown transport": ("restartIce", {"transportId": "nope"}, r"nope|transport"),
    "produce on an unknown transport": ("produce", lambda s: s.audio(transportId="nope"), r"nope|transport"),
    "produce of no kind": ("produce", lambda s: s.audio(kind="smell"), r"kind"),
    "produce with the kind a number": ("produce", lambda s: s.audio(kind=1), r"kind"),
    "produce without parameters": ("produce", lambda s: {"transportId": s.send, "kind": "audio"}, r"rtpParameters"),
    "produce with parameters a list": ("produce", lambda s: s.audio(rtpParameters=[]), r"rtpParameters"),
    "produce without codecs": ("produce", lambda s: s.audio(
        rtpParameters={**s.audio()["rtpParameters"], "codecs": []}), r"codec"),
    "produce video as audio": ("produce", lambda s: s.video(kind="audio"), r"kind|codec|audio|video"),
    "produce an unknown codec": ("produce", lambda s: s.audio(rtpParameters={
        **s.audio()["rtpParameters"], "codecs": [{
            "mimeType": "audio/isac", "payloadType": 100, "clockRate": 16000, "parameters": {},
            "rtcpFeedback": []}]}), r"isac|codec"),
    "produce with a payload type out of range": ("produce", lambda s: s.audio(rtpParameters={
        **s.audio()["rtpParameters"], "codecs": [
            {**s.audio()["rtpParameters"]["codecs"][0], "payloadType": 300}]}), r"payloadType|payload type"),
    "produce with an SSRC out of range": ("produce", encodings({"ssrc": 1 << 40}), r"ssrc|SSRC"),
    "produce with an SSRC below zero": ("produce", encodings({"ssrc": -1}), r"ssrc|SSRC"),
    "produce with an SSRC in use": ("produce", encodings({"ssrc": 5_000_001}), r"ssrc|SSRC"),
    "pause an unknown producer": ("pauseProducer", {"producerId": "nope"}, r"nope|producer"),
    "resume an unknown producer": ("resumeProducer", {"producerId": "nope"}, r"nope|producer"),
    "close an unknown producer": ("closeProducer", {"producerId": "nope"}, r"nope|producer"),
    "producer's name a number": ("pauseProducer", {"producerId": 12}, r"producerId"),
    "pause an unknown consumer": ("pauseConsumer", {"consumerId": "nope"}, r"nope|consumer"),
    "resume an unknown consumer": ("resumeConsumer", {"consumerId": "nope"}, r"nope|consumer"),
    "key frame of an unknown consumer": ("requestConsumerKeyFrame", {"consumerId": "nope"}, r"nope|consumer"),
    "statistics of an unknown transport": ("getTransportStats", {"transportId": "nope"}, r"nope|transport"),
    "layers of an unknown consumer": ("setConsumerPreferredLayers", {
        "consumerId": "nope", "spatialLayer": 0, "temporalLayer": 0}, r"nope|consumer|not implemented"),
    "data": ("produceData", lambda s: {
        "transportId": s.send, "label": "chat", "protocol": "", "appData": {},
        "sctpStreamParameters": {"streamId": 0, "ordered": True}}, r"SCTP not enabled"),
    "data without a stream": ("produceData", lambda s: {
        "transportId": s.send, "label": "chat", "sctpStreamParameters": {}}, r"streamId"),
    "data ordered and not": ("produceData", lambda s: {
        "transportId": s.send, "sctpStreamParameters": {"streamId": 0, "ordered": True, "maxRetransmits": 1}},
        r"cannot be ordered"),
    "close an unknown data producer": ("closeDataProducer", {"dataProducerId": "nope"}, r"nope|producer"),
    "pause an unknown data producer": ("pauseDataProducer", {"dataProducerId": "nope"}, r"nope|producer"),
    "resume an unknown data producer": ("resumeDataProducer", {"dataProducerId": "nope"}, r"nope|producer"),
    "consume an unknown data producer": ("consumeData", lambda s: {
        "transportId": s.send, "dataProducerId": "nope"}, r"nope|consuming"),
    "close an unknown data consumer": ("closeDataConsumer", {"dataConsumerId": "nope"}, r"nope|consumer"),
    "pause an unknown data consumer": ("pauseDataConsumer", {"dataConsumerId": "nope"}, r"nope|consumer"),
    "resume an unknown data consumer": ("resumeDataConsumer", {"dataConsumerId": "nope"}, r"nope|consumer"),
    "subchannels of an unknown data consumer": ("setDataConsumerSubchannels", {
        "dataConsumerId": "nope", "subchannels": [1]}, r"nope|consumer"),
    "subchannels out of range": ("setDataConsumerSubchannels", {
        "dataConsumerId": "nope", "subchannels": [65536]}, r"subchannels"),
    "threshold of an unknown data consumer": ("setDataConsumerBufferedAmountLowThreshold", {
        "dataConsumerId": "nope", "threshold": 1}, r"nope|consumer"),
    "statistics of an unknown data producer": ("getDataProducerStats", {"dataProducerId": "nope"}, r"nope|producer"),
    "statistics of an unknown data consumer": ("getDataConsumerStats", {"dataConsumerId": "nope"}, r"nope|consumer"),
    "text over signaling too long": ("sendDataMessage", {"label": "chat", "message": "x" * 16_385}, r"message"),
    "network throttle": ("applyNetworkThrottle", {"secret": "x"}, r"^secret: "),
    "request data a list": ("pauseProducer", [], r"data|object|producerId"),
    "request data a text": ("pauseProducer", "producerId", r"data|object|producerId"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_bad_request_is_refused_by_name(situation, name):
    method, data, says = REFUSED[name]
    if callable(data):
        data = data(situation)
    response = await situation.client.ask(method, data)
    assert response["ok"] is False, f"accepted: {response}"
    assert 400 <= response["errorCode"] <= 599, response
    # An unknown method is 500 in this protocol; no other mistake of a client is an internal error.
    assert response["errorCode"] != 500 or "unknown" in response["errorReason"], response
    assert re.search(says, response["errorReason"]), response
    # Nothing broke: the next good request is answered, and the producer is still there.
    await situation.client.request("pauseProducer", {"producerId": situation.producer})
    await situation.client.request("resumeProducer", {"producerId": situation.producer})


@pytest_asyncio.fixture
async def situation(start_gateway):
    gateway = await start_gateway(shards=1)
    async with ProtooClient(gateway, "bad", "asker") as client:
        yield await prepared(client)
        gateway.assert_alive()


# What comes before join or before a transport exists.
@pytest.mark.parametrize("method,data,says", [
    ("produce", {"transportId": "x", "kind": "audio", "rtpParameters": {"codecs": [], "encodings": []}},
     r"join|transport"),
    ("pauseConsumer", {"consumerId": "x"}, r"join|consumer"),
    ("changeDisplayName", {"displayName": "x"}, r"join"),
])
async def test_a_request_out_of_order_is_refused(gateway, method, data, says):
    async with ProtooClient(gateway, "order", "early") as client:
        with pytest.raises(Refused) as refusal:
            await client.request(method, data)
        assert re.search(says, refusal.value.reason), refusal.value
        await client.join()


async def test_produce_before_join_is_refused_on_a_real_transport(gateway):
    async with ProtooClient(gateway, "order", "early") as client:
        capabilities = await client.request("getRouterRtpCapabilities")
        transport = await client.open_transport(producing=True)
        with pytest.raises(Refused) as refusal:
            await client.request("produce", {
                "transportId": transport["id"], "kind": "audio", "appData": {},
                "rtpParameters": audio_parameters(capabilities, 1)})
        assert "join" in refusal.value.reason


async def test_a_closed_producer_is_gone_for_everybody(gateway):
    async with ProtooClient(gateway, "gone", "sender") as sender, ProtooClient(gateway, "gone", "viewer") as viewer:
        capabilities = await viewer.request("getRouterRtpCapabilities")
        await viewer.join(capabilities=capabilities)
        await viewer.open_transport(consuming=True)
        situation = await prepared(sender)
        await until(lambda: viewer.requests, 5, "the viewer is offered a consumer")
        consumer = viewer.requests[0]["data"]["id"]
        await sender.request("closeProducer", {"producerId": situation.producer})
        await until(lambda: viewer.heard("consumerClosed"), 5, "the viewer is notified")
        assert viewer.heard("consumerClosed") == [{"consumerId": consumer}]
        for client, method, key, value in (
            (sender, "pauseProducer", "producerId", situation.producer),
            (viewer, "pauseConsumer", "consumerId", consumer),
            (viewer, "resumeConsumer", "consumerId", consumer),
        ):
            with pytest.raises(Refused) as refusal:
                await client.request(method, {key: value})
            assert refusal.value.code in (404, 409), refusal.value


BROKEN_FRAMES = {
    "not JSON": "this is no JSON",
    "cut off": '{"request":true,"id":1,"method":"jo',
    "empty": "",
    "a number": "42",
    "a list": "[1,2,3]",
    "null": "null",
    "an empty object": "{}",
    "no method": '{"request":true,"id":77}',
    "method a number": '{"request":true,"id":78,"method":5,"data":{}}',
    "no id": '{"request":true,"method":"join","data":{}}',
    "id a text": '{"request":true,"id":"seven","method":"join","data":{}}',
    "an answer to nothing": '{"response":true,"id":123456,"ok":true,"data":{}}',
    "an unknown notification": '{"notification":true,"method":"hum","data":{}}',
    "deep nesting": "[" * 50_000 + "]" * 50_000,
    "deep nesting in data": '{"request":true,"id":79,"method":"join","data":' + '{"a":' * 2000 + "1" + "}" * 2001,
    "a number too big": '{"request":true,"id":1e999,"method":"join"}',
    "half a surrogate": '{"request":true,"id":80,"method":"\\ud800"}',
    "a zero byte": '{"request":true,"id":81,"method":"jo\\u0000in"}',
    "the same key twice": '{"request":true,"id":82,"id":83,"method":"join","method":"leave"}',
    "bytes": b"\x00\x01\x02\xff",
}


@pytest.mark.parametrize("name", BROKEN_FRAMES)
async def test_a_frame_that_is_no_message_harms_only_its_sender(gateway, name):
    async with ProtooClient(gateway, "frames", "honest") as honest:
        async with ProtooClient(gateway, "frames", "broken") as broken:
            answers = []
            original = broken._received
            broken._received = lambda message: (answers.append(message), original(message))
            await broken.send(BROKEN_FRAMES[name])

            async def settled():
                # It goes on being served, or it is closed with a code that says why.
                if broken.close_code is not None:
                    return True
                try:
                    await broken.ask("getRouterRtpCapabilities", {}, timeout=3)
                    return True
                except (ConnectionError, websockets.ConnectionClosed):
                    return broken.close_code is not None
            await until(settled, 5, "the server has dealt with it")
            assert broken.close_code not in (1006, 1000), f"closed without saying why: {broken.close_code}"
            # A request whose number could be read got its reply.
            number = request_number(BROKEN_FRAMES[name])
            if number is not None and broken.close_code is None:
                assert any(one.get("id") == number and one.get("ok") is False for one in answers), answers
        await honest.request("getRouterRtpCapabilities")
    gateway.assert_alive()


def request_number(text):
    try:
        message = json.loads(text)
        json.dumps(message, ensure_ascii=False).encode()  # Half a surrogate is no text, so the frame is no JSON.
        number = message.get("id") if message.get("request") else None
    except (ValueError, AttributeError, RecursionError):
        return None
    return number if isinstance(number, int) else None


async def test_a_message_over_the_limit_closes_its_connection_with_1009(gateway):
    async with ProtooClient(gateway, "big", "loud") as client:
        try:
            name = "x" * 2_000_000
            await client.send('{"request":true,"id":1,"method":"join","data":{"displayName":"' + name + '"}}')
        except websockets.ConnectionClosed:
            pass
        await until(lambda: client.close_code, 10, "the connection is closed")
        assert client.close_code == 1009
    gateway.assert_alive()
    async with ProtooClient(gateway, "big", "quiet") as client:
        await client.request("getRouterRtpCapabilities")


async def test_the_same_peer_again_closes_the_older_connection(gateway):
    async with ProtooClient(gateway, "twice", "me") as first:
        await first.join()
        async with ProtooClient(gateway, "twice", "me") as second:
            await until(lambda: first.close_code, 5, "the older connection is closed")
            # 4000 tells a protoo client not to come back by itself.
            assert first.close_code == 4000
            await second.join()


@pytest.mark.parametrize("query", ["", "?roomId=a", "?peerId=a", "?roomId=&peerId=a", "?roomId=a&peerId=",
                                   "?roomId=a&peerId=a%20b", "?roomId=a&peerId=a%E3%80%80b"])
async def test_a_connection_without_room_or_peer_is_refused_with_400(gateway, query):
    with pytest.raises(websockets.InvalidStatus) as refusal:
        await websockets.connect(f"ws://{gateway.host}:{gateway.port}/{query}", subprotocols=["protoo"], proxy=None)
    assert refusal.value.response.status_code == 400


async def test_a_room_name_of_any_letters_works(gateway):
    async with ProtooClient(gateway, "Z%C3%BCrich%20%F0%9F%9A%82%2F%2E%2E", "%E2%82%AC") as client:
        await client.join()
        names = [room["id"] for room in rooms_of(await gateway.json("/rooms"))]
        assert "Zürich 🚂/.." in names


def rooms_of(answer):
    return answer["rooms"] if isinstance(answer, dict) else answer


@pytest.mark.parametrize("raw,codes", [
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"b" * 100_000 + b"\r\n\r\n", (400, 431)),
    (b"nonsense\r\n\r\n", (400,)),
    (b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", (400, 404)),
    (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", (400, 404)),
    (b"POST /rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", (400, 404, 405, 413)),
    (b"DELETE /healthz HTTP/1.1\r\nHost: x\r\n\r\n", (405,)),
    (b"GET /rooms/none HTTP/1.1\r\nHost: x\r\n\r\n", (404,)),
    (b"GET /nothing/here HTTP/1.1\r\nHost: x\r\n\r\n", (404,)),
])
async def test_bad_http_gets_a_status_that_says_so(gateway, raw, codes):
    reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
    try:
        writer.write(raw)
        line = await asyncio.wait_for(reader.readline(), 15)
        assert re.match(rb"HTTP/1\.1 \d{3} ", line), line
        assert int(line.split()[1]) in codes, line
    finally:
        writer.close()
    gateway.assert_alive()


async def test_a_client_that_never_finishes_its_request_is_cut_off(gateway):
    reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
    try:
        writer.write(b"GET / HT")
        # The server's limit is 10 s.
        await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()
    assert (await gateway.get("/healthz"))[0] == 200
