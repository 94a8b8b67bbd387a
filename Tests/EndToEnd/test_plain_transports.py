"""ffmpeg sends plain RTP into a room, and takes it out of one, as with mediasoup-demo's scripts."""

import asyncio
import base64
import contextlib
import os
import pathlib
import shutil
import socket
import struct
import subprocess

import pytest

import network
from call import Person
from stateapi import TOKEN, StateAPI
from test_plain_signaling import call
from waiting import until

FFMPEG = os.environ.get("ROUNDHOUSE_FFMPEG", shutil.which("ffmpeg") or "/usr/bin/ffmpeg")
AUDIO = {"mimeType": "audio/opus", "payloadType": 101, "clockRate": 48000, "channels": 2,
         "parameters": {"sprop-stereo": 1}}
VIDEO = {"mimeType": "video/vp8", "payloadType": 102, "clockRate": 90000}
PICTURES_A_SECOND = 15
PICTURES = f"testsrc2=size={{size}}:rate={PICTURES_A_SECOND}"
SOUND = "sine=frequency=440:sample_rate=48000"
PORTS = ("--plain-ports", "20000-20999")
# A picture a second that decoding can begin with: ffmpeg hears no requests.
ENCODERS = {
    "audio": ["-map", "0:a", "-c:a", "libopus", "-b:a", "64k", "-ac", "2"],
    "video": ["-map", "1:v", "-c:v", "libvpx", "-g", str(PICTURES_A_SECOND), "-deadline", "realtime", "-cpu-used",
              "8", "-threads", "1", "-pix_fmt", "yuv420p"],
}


class Broadcast:
    """ffmpeg as a broadcaster named `name`: `async with Broadcast(gateway, "room", folder) as broadcast`.

    It runs in `namespace`, where one is given, and makes packets of `packet_size` bytes; None leaves it to ffmpeg.
    """

    def __init__(self, gateway, room, folder, name="ffmpeg", namespace=None, packet_size=1200, size="320x180",
                 rate="400k", **options):
        self.gateway, self.folder, self.name, self.options = gateway, folder, name, options
        self.namespace, self.packet_size, self.size, self.rate = namespace, packet_size, size, rate
        self.path = f"/rooms/{room}/broadcasters"
        self.process, self.transports, self.keys = None, {}, {}

    async def ask(self, method, path, body=None):
        status, reply = await call(self.gateway, method, f"{self.path}{path}", body)
        assert status == 200, (method, path, status, reply)
        return reply

    async def __aenter__(self):
        await self.ask("POST", "", {"id": self.name, "displayName": "Film", "device": {"name": "ffmpeg"}})
        for kind, codec, ssrc in (("audio", AUDIO, 1111), ("video", VIDEO, 2222)):
            transport = await self.ask("POST", f"/{self.name}/transports", {"type": "plain", **self.options})
            self.transports[kind] = transport
            path = f"/{self.name}/transports/{transport['id']}"
            if "srtpParameters" in transport:
                self.keys[kind] = base64.b64encode(os.urandom(30)).decode()
                await self.ask("POST", path + "/connect", {"srtpParameters": {
                    "cryptoSuite": transport["srtpParameters"]["cryptoSuite"], "keyBase64": self.keys[kind]}})
            producer = await self.ask("POST", path + "/producers", {
                "kind": kind, "rtpParameters": {"codecs": [codec], "encodings": [{"ssrc": ssrc}]}})
            assert producer["id"]
        self.start()
        return self

    def output(self, kind, ssrc, payload_type):
        transport = self.transports[kind]
        protected = kind in self.keys
        keys = ["-srtp_out_suite", "AES_CM_128_HMAC_SHA1_80", "-srtp_out_params", self.keys[kind]] if protected else []
        query = []
        if self.packet_size:
            query.append(f"pkt_size={self.packet_size}")
        if "rtcpPort" in transport:
            query.append(f"rtcpport={transport['rtcpPort']}")
        place = f"{transport['ip']}:{transport['port']}?{'&'.join(query)}"
        rate = ["-b:v", self.rate] if kind == "video" else []
        return [*ENCODERS[kind], *rate, "-f", "rtp", "-ssrc", str(ssrc), "-payload_type", str(payload_type), *keys,
                f"{'srtp' if protected else 'rtp'}://{place}"]

    def start(self):
        pictures = PICTURES.format(size=self.size)
        with open(self.folder / f"{self.name}.log", "wb") as log, network.inside(self.namespace):
            self.process = subprocess.Popen(
                [FFMPEG, "-nostdin", "-hide_banner", "-re", "-f", "lavfi", "-i", SOUND, "-re", "-f", "lavfi", "-i",
                 pictures, *self.output("audio", 1111, 101), *self.output("video", 2222, 102)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    async def __aexit__(self, *_):
        self.process.terminate()
        await asyncio.to_thread(self.process.wait)


async def goes_on(person):
    """Pictures and sound go on, they do not merely start."""
    before = await person.streams()

    async def more():
        now = await person.streams()
        return (now.frames_decoded() >= before.frames_decoded() + 15 and now.audio_energy() > before.audio_energy())
    await until(more, 60, f"{person.name} sees and hears more", every=0.3)


def ports_of(transport):
    return {port for port in (transport["port"], transport.get("rtcpPort")) if port}


def bound_ports():
    lines = pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]
    return {int(line.split()[1].split(":")[1], 16) for line in lines}


async def test_ffmpeg_is_seen_and_heard_by_browsers(start_gateway, chromium, artifacts):
    gateway = await start_gateway("--admin-token", TOKEN, *PORTS)
    early = await Person(await chromium.page(), gateway.url, "cinema", "Early").enter()
    async with Broadcast(gateway, "cinema", artifacts) as film:
        await early.sees_and_hears()
        await goes_on(early)
        # ffmpeg hears no request for a key frame: who comes late gets the next one that it makes by itself.
        late = await Person(await chromium.page(), gateway.url, "cinema", "Late").enter()
        await late.sees_and_hears(others=2, seconds=60)
        await goes_on(late)
        await early.page.picture(artifacts / "film.png")

        async with StateAPI(gateway) as api:
            _, page = await api.ask("GET", f"/api/v1/rooms/cinema/transports?peer={film.name}")
            assert {one["id"] for one in page["transports"]} == {one["id"] for one in film.transports.values()}
            for one in page["transports"]:
                assert one["type"] == "plain" and one["comedia"] and not one["rtcpMux"]
                assert one["tuple"]["remoteIp"] == one["rtcpTuple"]["remoteIp"] == "127.0.0.1"
                assert one["tuple"]["localPort"] + 1 == one["rtcpTuple"]["localPort"]
                assert one["packetsReceived"] > 10 and one["producers"] == 1
            await api.ask("GET", "/api/v1/rooms/cinema")
            _, page = await api.ask("GET", "/api/v1/rooms/cinema/events?limit=256")
            assert any(one["type"] == "transport-tuple" for one in page["events"])
        metrics = await gateway.metrics()
        foreign = [value for name, value in metrics.items() if "foreign_source" in name]
        assert sum(foreign) == 0

        ports = set().union(*(ports_of(one) for one in film.transports.values()))
        assert len(ports) == 4 and ports <= bound_ports()
        assert await call(gateway, "DELETE", f"{film.path}/{film.name}") == (200, "broadcaster deleted")
        await until(lambda: not ports & bound_ports(), 30, "the ports are free")
        await until(lambda: early.page.evaluate("document.querySelectorAll('[data-peer-id=ffmpeg]').length === 0"), 30,
                    "the film's tile is gone")


@pytest.mark.parametrize("options", [
    {"rtcpMux": True}, {"enableSrtp": True, "srtpCryptoSuite": "AES_CM_128_HMAC_SHA1_80"}], ids=["rtcp-mux", "srtp"])
async def test_ffmpeg_with_one_port_or_with_srtp(start_gateway, chromium, artifacts, options):
    gateway = await start_gateway(*PORTS)
    person = await Person(await chromium.page(), gateway.url, "cinema", "Viewer").enter()
    async with Broadcast(gateway, "cinema", artifacts, **options) as film:
        assert ("rtcpPort" in film.transports["video"]) == ("rtcpMux" not in options)
        await person.sees_and_hears(seconds=60)
        await goes_on(person)


DESCRIPTION = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {audio} RTP/AVP {audio_type}
a=rtpmap:{audio_type} opus/48000/2
m=video {video} RTP/AVP {video_type}
a=rtpmap:{video_type} VP8/90000
"""


async def test_ffmpeg_receives_a_person(start_gateway, chromium, artifacts):
    """As mediasoup-demo's ffmpeg receiver: transports without comedia, connected to ffmpeg's ports."""
    gateway = await start_gateway(*PORTS, "--plain-destinations", "127.0.0.1")
    person = await Person(await chromium.page(), gateway.url, "studio", "Ada").enter()
    room = "/rooms/studio"

    async def producers():
        status, reply = await call(gateway, "GET", f"{room}/broadcasters/recorder/peerProducersInfos")
        assert status == 200
        return {one["kind"]: one["producerId"] for peer in reply["peerProducersInfos"] for one in peer["producers"]}

    async def sends():
        return (await person.streams()).frames_sent() > 0 or len(await producers()) >= 2

    async def entered():
        return (await call(gateway, "GET", room))[0] == 200
    await until(entered, 60, "the person is in the room", every=0.3)
    capabilities = (await call(gateway, "GET", room))[1]["routerRtpCapabilities"]
    status, _ = await call(gateway, "POST", f"{room}/broadcasters", {
        "peerId": "recorder", "displayName": "Recorder", "device": {"flag": "ffmpeg", "name": "ffmpeg"}})
    assert status == 200
    assert (await call(gateway, "POST", f"{room}/broadcasters/recorder/join"))[0] == 200
    await until(sends, 60, "the person sends", every=0.3)

    async def both():
        return len(await producers()) >= 2
    await until(both, 60, "audio and video are published", every=0.3)
    types = {kind: next(one["preferredPayloadType"] for one in capabilities["codecs"]
                        if one["mimeType"].lower() == mime) for kind, mime in
             (("audio", "audio/opus"), ("video", "video/vp8"))}
    first = network.free_ports(4)
    ports = {"audio": first, "video": first + 2}
    sdp = artifacts / "recorder.sdp"
    sdp.write_text(DESCRIPTION.format(
        audio=ports["audio"], video=ports["video"], audio_type=types["audio"], video_type=types["video"]))
    film = artifacts / "recorded.mkv"
    with open(artifacts / "recorder.log", "wb") as log:
        recorder = subprocess.Popen(
            [FFMPEG, "-nostdin", "-hide_banner", "-y", "-protocol_whitelist", "file,udp,rtp", "-i", str(sdp),
             "-c", "copy", "-frames:v", "30", str(film)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        await until(lambda: set(ports.values()) <= bound_ports(), 60, "ffmpeg listens")
        for kind, producer in (await producers()).items():
            status, transport = await call(gateway, "POST", f"{room}/broadcasters/recorder/transports", {
                "comedia": False, "rtcpMux": False})
            assert status == 200 and transport["transportId"]
            path = f"{room}/broadcasters/recorder/transports/{transport['transportId']}"
            status, consumer = await call(gateway, "POST", f"{room}/broadcasters/recorder/consumers", {
                "transportId": transport["transportId"], "producerId": producer, "paused": False,
                "rtpCapabilities": {"codecs": [one for one in capabilities["codecs"] if one["kind"] == kind
                                               and "rtx" not in one["mimeType"]], "headerExtensions": []}})
            assert status == 200 and consumer["kind"] == kind, consumer
            status, reply = await call(gateway, "POST", path + "/connect", {
                "ip": "127.0.0.1", "port": ports[kind], "rtcpPort": ports[kind] + 1})
            assert status == 200, reply
        # ffmpeg looks at its input for some seconds before it begins; new key frames come only when asked for.
        await until(lambda: recorder.poll() is not None, 90, "ffmpeg has its thirty pictures", every=0.2)
        assert recorder.returncode == 0, (artifacts / "recorder.log").read_text(errors="replace")[-2000:]
    finally:
        with contextlib.suppress(ProcessLookupError):
            recorder.kill()
        recorder.wait()
    probe = subprocess.run(
        [FFMPEG, "-hide_banner", "-i", str(film), "-f", "null", "-"], capture_output=True, text=True, check=False)
    assert "Video: vp8" in probe.stderr and "Audio: opus" in probe.stderr, probe.stderr[-2000:]


async def test_wrong_requests_for_plain_transports_say_what_is_wrong(start_gateway):
    gateway = await start_gateway("--plain-ports", "21990-21993", "--plain-destinations", "127.0.0.1")
    path = "/rooms/strict/broadcasters"
    status, _ = await call(gateway, "POST", path, {"id": "b", "displayName": "B", "device": {"name": "B"}})
    assert status == 200
    path += "/b/transports"

    async def refused(where, body, *words, code=400):
        status, text = await call(gateway, "POST", where, body)
        assert status == code and all(word in text for word in words), (where, body, status, text)

    await refused(path, {"type": "plane"}, "TypeError: type")
    await refused(path, {"type": "plain", "comedia": "yes"}, "comedia: not a boolean")
    await refused(path, {"enableSrtp": True, "srtpCryptoSuite": "ROT13"}, "srtpCryptoSuite", "AEAD_AES_128_GCM")
    status, learned = await call(gateway, "POST", path, {"type": "plain"})
    assert status == 200 and learned["rtcpPort"] == learned["port"] + 1
    assert 21990 <= learned["port"] <= 21993 and learned["ip"] == "127.0.0.1"
    await refused(f"{path}/{learned['id']}/connect", {"ip": "127.0.0.1", "port": 1, "rtcpPort": 2}, "comedia")
    await refused(f"{path}/{learned['id']}/connect", {}, "comedia", code=500)
    await refused(f"{path}/{learned['id']}/connect", {"port": 0}, "port")
    await refused(f"{path}/{learned['id']}/connect", {
        "dtlsParameters": {"role": "client", "fingerprints": []}}, "TypeError: ")
    status, told = await call(gateway, "POST", path, {"comedia": False, "rtcpMux": True, "enableSrtp": True})
    assert status == 200 and "rtcpPort" not in told
    assert len(base64.b64decode(told["srtpParameters"]["keyBase64"])) == 30
    told_path = f"{path}/{told['id']}/plain-connect"
    key = {"cryptoSuite": "AES_CM_128_HMAC_SHA1_80", "keyBase64": base64.b64encode(bytes(30)).decode()}
    good = {"ip": "127.0.0.1", "port": 4000, "srtpParameters": key}
    await refused(told_path, {"ip": "127.0.0.1", "port": 4000}, "srtpParameters: missing")
    await refused(told_path, {**good, "srtpParameters": {**key, "keyBase64": "AAAA"}}, "keyBase64", "30")
    await refused(told_path, {**good, "srtpParameters": {**key, "keyBase64": "@"}}, "Base64")
    await refused(told_path, {**good, "rtcpPort": 4001}, "rtcpPort", "rtcpMux")
    await refused(told_path, {**good, "ip": "example.com"}, "ip: not")
    await refused(told_path, {**good, "ip": "::1"}, "ip: ", "IPv4")
    await refused(told_path, {**good, "ip": "224.0.0.1"}, "ip: not")
    assert (await call(gateway, "POST", told_path, good))[0] == 200
    await refused(told_path, good, "connect() already called", code=500)
    # Three of four ports are taken: one is left, and it is no pair.
    status, text = await call(gateway, "POST", path, {"type": "plain"})
    assert status == 500 and "port" in text
    assert await call(gateway, "DELETE", "/rooms/strict/broadcasters/b") == (200, "broadcaster deleted")

    # None, unless they are asked for.
    for options in ((), ("--plain-ports", "none")):
        without = await start_gateway(*options)
        path = "/rooms/strict/broadcasters"
        assert (await call(without, "POST", path, {"id": "b", "displayName": "B", "device": {}}))[0] == 200
        await refused_by(without, path + "/b/transports", {"type": "plain"}, "--plain-ports", "webrtc")


def own_address():
    """An address of this machine that is not loopback's; a connected UDP socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback's")
        return probe.getsockname()[0]


@pytest.mark.parametrize("address", [
    "127.0.0.1", "127.0.0.53", "10.0.0.1", "192.168.1.1", "169.254.169.254", "172.16.0.9", "100.64.0.1",
    "198.51.100.7", "own"])
async def test_nobody_has_rtp_sent_to_whom_he_likes(start_gateway, address):
    """Nothing is ever sent to these addresses: `connect` is refused."""
    gateway = await start_gateway(*PORTS)
    if address == "own":
        address = own_address()
    path = "/rooms/relay/broadcasters"
    assert (await call(gateway, "POST", path, {"id": "b", "displayName": "B", "device": {}}))[0] == 200
    status, transport = await call(gateway, "POST", path + "/b/transports", {"comedia": False, "rtcpMux": True})
    assert status == 200
    status, text = await call(
        gateway, "POST", f"{path}/b/transports/{transport['id']}/connect", {"ip": address, "port": 53})
    assert status == 403 and "--plain-destinations" in str(text) and address in str(text), (status, text)


async def test_a_stream_is_not_multiplied(start_gateway):
    """Fifty consumers of one producer on one transport: 20 packets in were 1,002 packets out."""
    gateway = await start_gateway(*PORTS, "--plain-destinations", "127.0.0.1")
    path = "/rooms/relay/broadcasters"
    assert (await call(gateway, "POST", path, {"id": "b", "displayName": "B", "device": {}}))[0] == 200
    status, sending = await call(gateway, "POST", path + "/b/transports", {"rtcpMux": True})
    assert status == 200
    status, producer = await call(gateway, "POST", f"{path}/b/transports/{sending['id']}/producers", {
        "kind": "audio", "rtpParameters": {"codecs": [AUDIO], "encodings": [{"ssrc": 1111}]}})
    assert status == 200
    status, receiving = await call(gateway, "POST", path + "/b/transports", {"comedia": False, "rtcpMux": True})
    assert status == 200
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        victim.bind(("127.0.0.1", 0))
        victim.settimeout(1)
        assert (await call(gateway, "POST", f"{path}/b/transports/{receiving['id']}/connect", {
            "ip": "127.0.0.1", "port": victim.getsockname()[1]}))[0] == 200
        capabilities = (await call(gateway, "GET", "/rooms/relay"))[1]["routerRtpCapabilities"]
        consume = f"{path}/b/transports/{receiving['id']}/consume?producerId={producer['id']}"
        replies = [await call(gateway, "POST", consume, {"rtpCapabilities": capabilities}) for _ in range(50)]
        assert [status for status, _ in replies] == [200] + [500] * 49
        assert "has a consumer of this producer already" in replies[1][1]
        payload = bytes(range(81))
        for number in range(20):
            header = struct.pack("!BBHII", 0x80, 101, number, number * 960, 1111)
            sender.sendto(header + payload, ("127.0.0.1", sending["port"]))
            await asyncio.sleep(0.01)
        received = []
        with contextlib.suppress(TimeoutError):
            while True:
                received.append(victim.recv(2048))
        media = [one for one in received if not 192 <= one[1] <= 223]
        assert 15 <= len(media) <= 20, f"{len(media)} packets for 20"
        assert sum(map(len, received)) < 2 * 20 * 93


async def refused_by(gateway, path, body, *words):
    status, text = await call(gateway, "POST", path, body)
    assert status == 501 and text.startswith("Error: ") and all(word in text for word in words), (status, text)
