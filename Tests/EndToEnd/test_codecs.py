"""Senders of several codecs, and receivers that lack some of them."""

from call import Person
from layering import enter
from soft_peer import Color, Tone
from stateapi import TOKEN, StateAPI
from test_whip import PUBLISH, HTTPPeer, content_arrived, script
from waiting import until


SECOND = {"audio": "audio/pcmu", "video": "video/h264"}


class SendsSecond(HTTPPeer):
    """Offers Opus and VP8 first, and sends G.711 and H.264, as pion does where those are its tracks."""

    async def __aenter__(self):
        for track in self.tracks:
            self.connection.addTransceiver(track, direction="sendonly")
        for sender in self.connection.getSenders():
            sender.send = self.second(sender.send, SECOND[sender.kind])
        # They are there already.
        self.connection.addTransceiver = lambda *_, **__: None
        return await super().__aenter__()

    @staticmethod
    def second(send, wanted):
        async def other(parameters):
            parameters.codecs.sort(key=lambda codec: codec.mimeType.lower() != wanted)
            assert parameters.codecs[0].mimeType.lower() == wanted, f"the answer has no {wanted}"
            await send(parameters)
        return other


# What a browser says that it can receive, without a codec or a header extension.
LACKING = """
(() => {
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    const message = typeof text === 'string' ? JSON.parse(text) : {};
    const capabilities = message.data?.rtpCapabilities;
    if (message.method === 'join' && capabilities) {
      capabilities.codecs = capabilities.codecs.filter(one => !one.mimeType.endsWith('CODEC'));
      capabilities.headerExtensions = capabilities.headerExtensions.filter(one => !one.uri.includes('EXTENSION'));
      text = JSON.stringify(message);
    }
    send.call(this, text);
  };
})();
"""


async def producers(api, room, peer="studio"):
    """A peer's producers, by kind."""
    _, page = await api.ask("GET", f"/api/v1/rooms/{room}/producers")
    return {one["kind"]: one for one in page["producers"] if one["peerId"] == peer}


async def test_a_publisher_of_many_codecs_may_send_its_second(start_gateway, chromium):
    gateway = await start_gateway("--admin-token", TOKEN)
    person = await Person(await chromium.page(), gateway.url, "pion", "Alice").enter()
    async with SendsSecond(gateway, "/whip/pion?peerId=camera", Tone(600), Color(120)) as camera, \
            StateAPI(gateway) as api:
        offered = [line for line in camera.offer.splitlines() if line.startswith("a=rtpmap")]
        assert "opus" in offered[0] and "VP8" in next(line for line in offered if "90000" in line), offered
        await person.sees_and_hears(seconds=40)
        sent = {kind: one["mimeType"].lower() for kind, one in (await producers(api, "pion", "camera")).items()}
        assert sent == SECOND
        _, events = await api.ask("GET", "/api/v1/rooms/pion/events?limit=256")
        changes = [one["data"]["mimeType"].lower() for one in events["events"] if one["type"] == "producer-codec"]
        assert sorted(changes) == sorted(SECOND.values())
        async with HTTPPeer(gateway, "/whep/pion?peer=camera") as viewer:
            await until(content_arrived(viewer, 120, 600), 40, "a viewer gets the camera's gray and tone")


CHANGE = """
(async () => {
  const sender = window.whip.getSenders().find(one => one.track.kind === 'video');
  const parameters = sender.getParameters();
  const codec = parameters.codecs.find(one => one.mimeType === 'video/CODEC');
  if (!codec) throw new Error('not negotiated: ' + parameters.codecs.map(one => one.mimeType));
  for (const encoding of parameters.encodings) encoding.codec = codec;
  await sender.setParameters(parameters);
})()
"""

# One encoding: with simulcast Chromium's encoders of two codecs do not run in step.
SINGLE = PUBLISH[:PUBLISH.index("sendEncodings")] + "});" + PUBLISH[PUBLISH.index("{ rid: 'f' } ] });") + 18:]


async def test_a_browser_changes_its_codec_while_it_sends(start_gateway, chromium, artifacts):
    gateway = await start_gateway("--admin-token", TOKEN)
    viewer = await Person(await chromium.page(), gateway.url, "change", "Viewer").enter()
    studio = Person(await chromium.page(), gateway.url, "", "studio")
    await studio.page.goto(gateway.url + "/healthz")
    async with StateAPI(gateway) as api:
        await studio.page.evaluate(script(SINGLE, gateway.url, "change"))
        await viewer.sees_and_hears(seconds=40)
        for codec in ("VP9", "H264", "VP8"):
            await studio.page.evaluate(CHANGE.replace("CODEC", codec))

            async def changed(codec=codec):
                return (await producers(api, "change"))["video"]["mimeType"] == f"video/{codec}"
            await until(changed, 30, f"the server knows that it is {codec} now", every=0.2)
            before = (await viewer.streams()).frames_decoded()

            async def goes_on(before=before):
                return (await viewer.streams()).frames_decoded() > before + 60
            await until(goes_on, 30, f"the viewer sees {codec}", every=0.3)
        await viewer.page.picture(artifacts / "viewer.png")
        # It was one consumer all the time.
        _, events = await api.ask("GET", "/api/v1/rooms/change/events?limit=256")
        types = [one["type"] for one in events["events"]]
        assert types.count("consumer-opened") == 2 and types.count("consumer-closed") == 0
        assert types.count("producer-codec") == 3


async def test_a_viewer_that_lacks_the_new_codec_is_shown_why(start_gateway, chromium, artifacts):
    lacks = "H264"
    gateway = await start_gateway("--admin-token", TOKEN)
    page = await chromium.page()
    viewer = Person(page, gateway.url, "lack", "Viewer")
    await page.before_scripts(LACKING.replace("CODEC", lacks).replace("EXTENSION", "none"))
    await viewer.enter()
    studio = Person(await chromium.page(), gateway.url, "", "studio")
    await studio.page.goto(gateway.url + "/healthz")
    async with StateAPI(gateway) as api:
        await studio.page.evaluate(script(SINGLE, gateway.url, "lack"))
        await viewer.sees_and_hears(seconds=40)
        await studio.page.evaluate(CHANGE.replace("CODEC", lacks))

        async def said():
            return await page.evaluate("document.querySelector('.toast[data-tone=error]')?.textContent ?? ''")
        await until(said, 30, "the page says that the picture cannot be shown", every=0.2)
        assert "lacks the codec" in await said() and f"video/{lacks}" in await said(), await said()
        await page.picture(artifacts / "lacks.png")
        _, events = await api.ask("GET", "/api/v1/rooms/lack/events?limit=256")
        [unsupported] = [one["data"] for one in events["events"] if one["type"] == "producer-unsupported"]
        assert unsupported["reason"].endswith(f"video/{lacks}")
        assert "a peer is not offered a producer" in gateway.log
        room = await gateway.json("/rooms/lack")
        reasons = [entry["reason"] for peer in room["peers"] for entry in peer["unsupportedProducers"]]
        assert reasons == [unsupported["reason"]]
        # What it can decode it gets again.
        await studio.page.evaluate(CHANGE.replace("CODEC", "VP8"))
        before = (await viewer.streams()).frames_decoded()

        async def goes_on():
            return (await viewer.streams()).frames_decoded() > before + 60
        await until(goes_on, 40, "the viewer sees VP8 again", every=0.3)


async def test_av1_with_spatial_layers_is_not_offered_where_it_cannot_be_decoded(start_gateway, chromium):
    gateway = await start_gateway("--admin-token", TOKEN)
    page = await chromium.page()
    await page.before_scripts(LACKING.replace("CODEC", "none").replace("EXTENSION", "dependency-descriptor"))
    sender = await enter(
        chromium, gateway.url, "av1", "Alice", "&codec=av1&scalabilityMode=L3T3", size=(960, 540), deaf=True)
    viewer = await Person(page, gateway.url, "av1", "Viewer").enter()
    async with StateAPI(gateway) as api:
        async def said():
            return await page.evaluate("document.querySelector('.toast[data-tone=error]')?.textContent ?? ''")
        await until(said, 40, "the page says that the picture cannot be shown", every=0.2)
        assert "AV1 with spatial layers (L3T3)" in await said(), await said()
        # Its sound it gets.

        async def heard():
            return (await viewer.streams()).audio_energy() > 0
        await until(heard, 40, "the viewer hears Alice", every=0.3)
        assert not (await viewer.streams()).receiving("video")
        # And nobody who cannot decode has asked the sender for anything.
        assert (await sender.streams()).total("sending", "pliCount") <= 1
        _, events = await api.ask("GET", "/api/v1/rooms/av1/events?limit=256")
        assert [one["type"] for one in events["events"]].count("producer-unsupported") == 1
