"""Media over a cable that takes 1,500 bytes a packet, as every network but loopback does."""

import pytest_asyncio

import network
from call import Person
from chromium import Chromium
from layering import enter, prefer, reached, received, sent, stream_gaps, video_consumer
from reception import judge_reception, reception
from test_plain_transports import PICTURES_A_SECOND, Broadcast
from test_whip import PUBLISH, WATCH, script
from waiting import until


@pytest_asyncio.fixture
async def far(ethernet, start_gateway):
    """A server at the other end of the cable; `far.origin` is its page for browsers at this end."""
    gateway = await start_gateway(
        "--plain-ports", "20000-20999", namespace=ethernet.server, host=ethernet.server_address)
    relay = network.Relay(ethernet.client, (gateway.host, gateway.port))
    gateway.origin = f"http://127.0.0.1:{relay.port}"
    yield gateway
    relay.close()


@pytest_asyncio.fixture
async def browser(ethernet, artifacts):
    async with Chromium(artifacts, ethernet.client) as browser:
        yield browser


async def video_streams(gateway, room):
    """The video streams that the server receives in this room."""
    peers = (await gateway.json(f"/rooms/{room}"))["peers"]
    return [stream for peer in peers for transport in peer["transports"] for producer in transport["producers"]
            if producer["kind"] == "video" for stream in producer["streams"]]


async def sent_above_mtu(gateway):
    return sum(value for name, value in (await gateway.metrics()).items() if "datagrams_above_mtu" in name)


async def test_the_largest_packets_of_ffmpeg_reach_the_viewer(far, browser, ethernet, artifacts):
    viewer = await enter(browser, far.origin, "cinema", "Viewer", blind=True)
    # ffmpeg fills the link's packets, and leaves no room for what SRTP and header extensions add.
    async with Broadcast(far, "cinema", artifacts, namespace=ethernet.client, packet_size=None, size="640x360",
                         rate="2M") as film:
        await until(lambda: video_consumer(viewer), 40, "the viewer is offered the film's picture", every=0.2)
        mid = (await video_consumer(viewer))["mid"]

        async def seconds_of_film():
            taken = await received(viewer, mid)
            return len(taken) > 1 and sum(stream_gaps(taken)) > 6
        await until(seconds_of_film, 60, "six seconds of film have arrived", every=0.3)
        stream, = [one for one in await video_streams(far, "cinema") if one["ssrc"] == 2222]
        assert stream["byteCount"] / stream["packetCount"] > 1200, f"its packets were not large: {stream}"
        gaps = stream_gaps(await received(viewer, mid))
        missing = sum(round(gap * PICTURES_A_SECOND) - 1 for gap in gaps)
        # Nothing is lost on a cable, and ffmpeg leaves out no picture, however busy the machine is.
        assert missing == 0, f"{missing} pictures of {missing + len(gaps) + 1} are missing; {film.name}: {stream}"
        await viewer.sees_and_hears(seconds=40)
        assert await sent_above_mtu(far) > 0, "the cable took every packet: this was not what it tests"


async def test_simulcast_between_browsers(far, browser, artifacts):
    alice = await enter(browser, far.origin, "pair", "Alice", size=(1280, 720), deaf=True)
    bob = await enter(browser, far.origin, "pair", "Bob", "&layers=all", blind=True)

    async def three():
        return sorted(one["rid"] for one in await video_streams(far, "pair") if one["packetCount"] > 30) == [
            "r0", "r1", "r2"]
    await until(three, 90, f"three layers of {alice.name} arrive", every=0.5)
    offered = await until(lambda: video_consumer(bob), 40, "Bob is offered the picture of Alice", every=0.2)
    mid = offered["mid"]
    for spatial in (2, 0, 2):
        await prefer(bob, spatial, 2)
        await reached(bob, spatial, 2)
        before = len(await received(bob, mid))

        async def more(before=before):
            return len(await received(bob, mid)) > before + 20
        await until(more, 60, f"Bob goes on receiving layer {spatial}", every=0.2)
    taken = (await received(bob, mid))[before:]
    judge_reception("Alice to Bob", reception(await sent(alice), taken))
    # Browsers leave room: what they send goes on in runs of datagrams, which the cable takes as they are.
    assert await sent_above_mtu(far) == 0


async def test_whip_to_whep(far, browser):
    pages = [Person(await browser.page(), far.origin, "", name) for name in ("studio", "viewer")]
    for person, text in zip(pages, (PUBLISH, WATCH)):
        await person.page.goto(far.origin + "/healthz")
        await person.page.evaluate(script(text, far.origin, "stage"))
    studio, viewer = pages
    await viewer.sees_and_hears(seconds=40)
    before = await viewer.streams()

    async def more():
        now = await viewer.streams()
        return now.frames_decoded() > before.frames_decoded() + 40 and now.audio_energy() > before.audio_energy()
    await until(more, 60, "the viewer sees and hears more", every=0.3)
    assert (await studio.streams()).frames_sent() > 40


ONLY = """answer.text();
  const isOther = line => line.startsWith('a=candidate') && !line.includes(' ADDRESS ');
  const sdp = text.split('\\r\\n').filter(line => !isOther(line)).join('\\r\\n');
  if (!sdp.includes('a=candidate')) throw new Error(text);"""


async def test_an_address_that_comes_later_is_followed(ethernet, start_gateway, browser):
    gateway = await start_gateway(
        "--media-listen", "0.0.0.0", namespace=ethernet.server, host=ethernet.server_address)
    relay = network.Relay(ethernet.client, (gateway.host, gateway.port))
    origin, later = f"http://127.0.0.1:{relay.port}", "10.97.0.2"

    async def answered(room):
        """The candidates that a publisher is given now."""
        page = await browser.page()
        await page.goto(origin + "/healthz")
        answer = await page.evaluate(script(PUBLISH, origin, room))
        return [line for line in answer.splitlines() if line.startswith("a=candidate")]
    try:
        assert not any(later in line for line in await answered("before"))
        ethernet.ip(ethernet.server, "address", "add", f"{later}/24", "dev", "eth0")
        ethernet.ip(ethernet.client, "address", "add", "10.97.0.1/24", "dev", "eth0")
        await until(lambda: later in gateway.log, 20, "the server says that it has the address", every=0.2)
        pages = [Person(await browser.page(), origin, "", name) for name in ("studio", "viewer")]
        for person, text in zip(pages, (PUBLISH, WATCH)):
            await person.page.goto(origin + "/healthz")
            # By the new address alone.
            text = text.replace("const sdp = await answer.text();", "const text = await " + ONLY)
            await person.page.evaluate(script(text, origin, "later").replace("ADDRESS", later))
        await pages[1].sees_and_hears(seconds=40)
        ethernet.ip(ethernet.server, "address", "del", f"{later}/24", "dev", "eth0")
        await until(lambda: gateway.log.count("addresses changed") == 2, 20, "the server notices its loss", every=0.2)
        assert not any(later in line for line in await answered("after"))
    finally:
        relay.close()
