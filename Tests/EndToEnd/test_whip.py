"""WHIP and WHEP: aiortc and Chromium publish and watch over plain HTTP, together with people on the page."""

import asyncio
import json
import re
import urllib.error
import urllib.request

from aiortc import RTCPeerConnection, RTCSessionDescription

import network
from call import Person
from firefox import Firefox
from soft_peer import Color, SoftPeer, Tone, Watcher
from stateapi import TOKEN, StateAPI
from test_console import Console
from waiting import until


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body


def exchange(method, url, body=None, kind="application/sdp", **fields):
    headers = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in fields.items()}}
    request = urllib.request.Request(url, data=body.encode() if body else None, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode())
    except urllib.error.HTTPError as refusal:
        return Answer(refusal.code, refusal.headers, refusal.read().decode())


class HTTPPeer:
    """aiortc over WHIP or WHEP."""

    def __init__(self, gateway, path, *tracks, edit=lambda sdp: sdp):
        self.gateway, self.url, self.tracks, self.edit = gateway, gateway.url + path, tracks, edit
        self.connection = RTCPeerConnection()
        self.watchers = []

    async def __aenter__(self):
        if self.tracks:
            for track in self.tracks:
                self.connection.addTransceiver(track, direction="sendonly")
        else:
            for kind in ("audio", "video"):
                self.connection.addTransceiver(kind, direction="recvonly")
            self.connection.on(
                "track", lambda track: self.watchers.append(Watcher(track, track.kind, "publisher")))
        await self.connection.setLocalDescription(await self.connection.createOffer())
        self.offer = self.edit(self.connection.localDescription.sdp)
        self.answer = await asyncio.to_thread(exchange, "POST", self.url, self.offer)
        assert self.answer.status == 201, self.answer.body
        self.session = self.gateway.url + self.answer.fields["Location"]
        await self.connection.setRemoteDescription(RTCSessionDescription(self.answer.body, "answer"))
        return self

    def watching(self, kind):
        return [one for one in self.watchers if one.kind == kind]

    async def delete(self):
        return (await asyncio.to_thread(exchange, "DELETE", self.session)).status

    async def __aexit__(self, *_):
        for watcher in self.watchers:
            watcher.task.cancel()
        await asyncio.gather(*(one.task for one in self.watchers), return_exceptions=True)
        await self.connection.close()
        for track in self.tracks:
            track.stop()


def content_arrived(peer, level, hertz):
    """Whether a peer's watchers see the gray and hear the tone that somebody sends."""
    def arrived():
        pictures, sounds = peer.watching("video"), peer.watching("audio")
        return (pictures and sounds and pictures[0].frames >= 25 and sounds[0].frames >= 50
                and pictures[0].level is not None and abs(pictures[0].level - level) < 12
                and sounds[0].hertz is not None and abs(sounds[0].hertz - hertz) < 30)
    return arrived


async def test_a_whip_publisher_is_seen_on_the_page_and_by_whep_viewers(gateway, chromium):
    person = await Person(await chromium.page(), gateway.url, "stage", "Alice").enter()
    async with HTTPPeer(gateway, "/whip/stage?peerId=camera", Tone(600), Color(120)) as camera:
        await person.sees_and_hears(seconds=40)
        async with HTTPPeer(gateway, "/whep/stage?peer=camera") as viewer:
            await until(content_arrived(viewer, 120, 600), 40, "the viewer gets the camera's gray and tone")
            room = await gateway.json("/rooms/stage")
            assert {peer["id"]: peer["joined"] for peer in room["peers"] if not peer["id"].startswith("whep")}["camera"]
            # Nobody sees the viewer: the page has the camera's tile only.
            assert await person.tiles() == 1
            assert await viewer.delete() == 200
        assert await camera.delete() == 200

        async def gone():
            return await person.tiles() == 0
        await until(gone, 10, "the camera's tile is gone")
        # It has ended, which is all that a client wants that asks again.
        assert await camera.delete() == 200


async def test_a_whep_viewer_sees_a_person_on_the_page(gateway, chromium):
    async with SoftPeer(gateway, "talk", "soft", level=60, hertz=440):
        async with HTTPPeer(gateway, "/whep/talk") as viewer:
            await until(content_arrived(viewer, 60, 440), 40, "the viewer gets the soft peer's media")
    person = await Person(await chromium.page(), gateway.url, "hall", "Alice").enter()

    async def publishes():
        status, body = await gateway.get("/rooms/hall")
        peers = json.loads(body)["peers"] if status == 200 else []
        return sum(len(one["producers"]) for peer in peers for one in peer["transports"]) >= 2
    await until(publishes, 20, "the page publishes")
    async with HTTPPeer(gateway, "/whep/hall") as viewer:
        def arrived():
            pictures, sounds = viewer.watching("video"), viewer.watching("audio")
            return pictures and sounds and pictures[0].frames >= 25 and sounds[0].frames >= 50
        await until(arrived, 40, "the viewer receives the browser's pictures and sound")
    assert person.page


PUBLISH = """
(async () => {
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720 } });
  const pc = window.whip = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  pc.addTransceiver(media.getAudioTracks()[0], { direction: 'sendonly', streams: [media] });
  pc.addTransceiver(media.getVideoTracks()[0], { direction: 'sendonly', streams: [media], sendEncodings: [
    { rid: 'q', scaleResolutionDownBy: 4 }, { rid: 'h', scaleResolutionDownBy: 2 }, { rid: 'f' } ] });
  await pc.setLocalDescription();
  const answer = await fetch('ORIGIN/whip/ROOM?peerId=studio', { method: 'POST',
    headers: { 'Content-Type': 'application/sdp' }, body: pc.localDescription.sdp });
  const sdp = await answer.text();
  if (answer.status !== 201) throw new Error(sdp);
  await pc.setRemoteDescription({ type: 'answer', sdp });
  window.whipSession = { location: answer.headers.get('Location'), tag: answer.headers.get('ETag') };
  return sdp;
})()
"""

WATCH = """
(async () => {
  const pc = window.whep = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  // Sound is decoded only where something plays it.
  pc.ontrack = ({ track }) => {
    const element = document.body.appendChild(document.createElement('video'));
    element.srcObject = new MediaStream([track]);
    element.play();
  };
  pc.addTransceiver('audio', { direction: 'recvonly' });
  pc.addTransceiver('video', { direction: 'recvonly' });
  await pc.setLocalDescription();
  const answer = await fetch('ORIGIN/whep/ROOM', { method: 'POST',
    headers: { 'Content-Type': 'application/sdp' }, body: pc.localDescription.sdp });
  const sdp = await answer.text();
  if (answer.status !== 201) throw new Error(sdp);
  await pc.setRemoteDescription({ type: 'answer', sdp });
  return sdp;
})()
"""

RESTART = """
(async () => {
  const pc = window.whip, { location, tag } = window.whipSession;
  pc.restartIce();
  await pc.setLocalDescription();
  const line = name => pc.localDescription.sdp.match(new RegExp(`a=${name}:(\\\\S+)`))[0];
  const answer = await fetch('ORIGIN' + location, { method: 'PATCH',
    headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*' },
    body: [line('ice-ufrag'), line('ice-pwd'), ''].join('\\r\\n') });
  const fragment = await answer.text();
  const value = name => fragment.match(new RegExp(`a=${name}:(\\\\S+)`))[1];
  const sdp = pc.currentRemoteDescription.sdp.replace(/a=ice-ufrag:\\S+/g, 'a=ice-ufrag:' + value('ice-ufrag'))
    .replace(/a=ice-pwd:\\S+/g, 'a=ice-pwd:' + value('ice-pwd'));
  await pc.setRemoteDescription({ type: 'answer', sdp });
  return { status: answer.status, changed: answer.headers.get('ETag') !== tag };
})()
"""


def script(text, origin, room):
    return text.replace("ORIGIN", origin).replace("ROOM", room)


async def test_chromium_publishes_simulcast_and_watches_across_origins(start_gateway, chromium, artifacts):
    gateway = await start_gateway("--allowed-origin", "any")
    page = await Person(await chromium.page(), gateway.url, "cross", "Alice").enter()
    # Another origin: what these pages may do, a page on any site may do.
    elsewhere = gateway.url.replace("127.0.0.1", "localhost")
    studio = Person(await chromium.page(), elsewhere, "", "studio")
    viewer = Person(await chromium.page(), elsewhere, "", "viewer")
    for person in (studio, viewer):
        await person.page.goto(elsewhere + "/healthz")
    try:
        answer = await studio.page.evaluate(script(PUBLISH, gateway.url, "cross"))
        assert "a=simulcast:recv q;h;f" in answer
        await page.sees_and_hears(seconds=40)

        async def layers():
            sending = (await studio.streams()).sending("video")
            return len([one for one in sending if (one.get("framesSent") or 0) > 20]) == 3
        await until(layers, 40, "Chromium sends three layers", every=0.5)

        await viewer.page.evaluate(script(WATCH, gateway.url, "cross"))
        await viewer.sees_and_hears(seconds=40)

        before = (await studio.streams()).frames_sent()
        restarted = await studio.page.evaluate(script(RESTART, gateway.url, "cross"))
        assert restarted == {"status": 200, "changed": True}
        seen = (await viewer.streams()).frames_decoded()

        async def goes_on():
            return ((await studio.streams()).frames_sent() > before + 60
                    and (await viewer.streams()).frames_decoded() > seen + 60)
        await until(goes_on, 30, "media goes on after the ICE restart", every=0.5)
    finally:
        for name, person in (("studio", studio), ("viewer", viewer), ("page", page)):
            (artifacts / f"console-{name}.txt").write_text("\n".join(person.page.console) + "\n")


async def test_firefox_publishes_simulcast_and_watches_it(link, start_gateway, artifacts):
    gateway = await start_gateway(namespace=link.server, host=link.server_address)
    relay = network.Relay(link.client, (gateway.host, gateway.port))
    origin = f"http://127.0.0.1:{relay.port}"
    try:
        async with Firefox(artifacts, link.client) as firefox:
            await firefox.goto(origin + "/healthz")
            answer = await firefox.evaluate(script(PUBLISH, origin, "fox"))
            assert "a=simulcast:recv q;h;f" in answer
            await firefox.evaluate(script(WATCH, origin, "fox"))
            person = Person(firefox, origin, "fox", "Fritz")
            await person.sees_and_hears(seconds=45)
            room = await gateway.json("/rooms/fox")
            kinds = [one["type"] for peer in room["peers"] for side in peer["transports"] for one in side["producers"]]
            assert sorted(kinds) == ["simple", "simulcast"]
    finally:
        relay.close()


async def test_refusals_name_the_fault(gateway):
    url = gateway.url
    refused = exchange("POST", f"{url}/whip/lobby", "v=0\r\n")
    assert refused.status == 400 and "o=" in json.loads(refused.body)["error"]["message"]
    long = exchange("POST", f"{url}/whip/lobby", "v=0\r\n" + "a=x\r\n" * 10_000)
    assert long.status == 400 and "2000 lines" in long.body
    assert exchange("POST", f"{url}/whip/lobby", "{}", kind="application/json").status == 415
    assert exchange("PATCH", f"{url}/whip/lobby/none", "a=x", kind="application/trickle-ice-sdpfrag").status == 404
    connection = RTCPeerConnection()
    connection.addTransceiver("audio", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    waiting = exchange("POST", f"{url}/whep/lobby", connection.localDescription.sdp)
    await connection.close()
    assert waiting.status == 404 and waiting.fields["Retry-After"] == "2"
    assert await gateway.json("/rooms") == {"rooms": []}


def other(ssrc):
    return str(int(ssrc) ^ 1)


UNMATCHED = [(r"a=extmap:\d+ urn:ietf:params:rtp-hdrext:sdes:mid\r\n", ""),
             (r"a=ssrc:(\d+)", lambda found: f"a=ssrc:{other(found[1])}"),
             (r"a=ssrc-group:FID (\d+) (\d+)",
              lambda found: f"a=ssrc-group:FID {other(found[1])} {other(found[2])}")]
UNANNOUNCED = [(r"a=extmap:.*\r\n", ""), (r"a=ssrc(-group)?:.*\r\n", "")]


def edited(edits):
    def edit(sdp):
        for pattern, replacement in edits:
            sdp = re.sub(pattern, replacement, sdp)
        return sdp
    return edit


async def test_streams_that_the_offer_does_not_announce_are_distinguished_by_payload_type(start_gateway):
    """ossrs/srs#4570: neither SSRCs nor header extensions."""
    gateway = await start_gateway()
    path = "/whip/bare?peerId=camera"
    async with HTTPPeer(gateway, path, Tone(600), Color(120), edit=edited(UNANNOUNCED)) as camera:
        assert "a=ssrc:" not in camera.offer and "a=extmap:" not in camera.answer.body
        async with HTTPPeer(gateway, "/whep/bare?peer=camera") as viewer:
            await until(content_arrived(viewer, 120, 600), 40, "the viewer gets the camera's gray and tone")
    dropped = {name: value for name, value in (await gateway.metrics()).items() if 'reason="unknown_ssrc"' in name}
    assert sum(dropped.values()) == 0


async def test_a_publisher_of_whom_nothing_arrives_is_one_warning_in_log_state_and_console(
        start_gateway, chromium, artifacts):
    gateway = await start_gateway("--admin-token", TOKEN)
    async with HTTPPeer(gateway, "/whip/dark?peerId=camera", Tone(600), Color(120), edit=edited(UNMATCHED)), \
            StateAPI(gateway) as api:
        async def warnings():
            _, page = await api.ask("GET", "/api/v1/rooms/dark/transports")
            return [one for transport in page["transports"] for one in transport["warnings"]]

        async def warned():
            return await warnings()
        await until(warned, 30, "the transport has a warning", every=0.3)
        [warning] = await warnings()
        assert warning["code"] == "unmatched-packets" and warning["packets"] >= 5, warning
        assert warning["ssrc"] > 0 and "MID" in warning["message"]
        assert gateway.log.count("packets come that belong to no producer") == 1
        line = next(one for one in gateway.log.splitlines() if "packets come that belong" in one)
        for part in ("warning", "room.id=dark", "peer.id=camera", "transport.id=", "ssrc=", "payload.type="):
            assert part in line, line
        _, events = await api.ask("GET", "/api/v1/rooms/dark/events?limit=256")
        assert [one["type"] for one in events["events"]].count("transport-warning") == 1
        console = await Console(await chromium.page(), gateway.url).open("dark")
        await console.give_token()
        await console.sees(
            "document.querySelector('.warnings li')?.textContent.includes('payload type')", "the warning")
        await console.page.picture(artifacts / "warning.png")
        assert len(await warnings()) == 1 and gateway.log.count("packets come that belong to no producer") == 1
