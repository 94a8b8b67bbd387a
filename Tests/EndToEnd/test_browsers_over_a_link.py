"""Chromium and Firefox in a namespace of their own, the server at the far end of an emulated link."""

import contextlib

import pytest
import pytest_asyncio

import network
from beyond import browsers_beyond
from call import REMOTE_TILES, Person
from chromium import Chromium
from firefox import Firefox
from layering import enter, prefer, reached, received, sent, video_consumer
from reception import judge_leg, judge_reception, leg, reception
from waiting import longest_standstill, samples, until


@pytest_asyncio.fixture
async def couple(link, start_gateway, artifacts):
    """Two people in one room, seeing and hearing each other over a clean link: one in Chromium, one in Firefox."""
    async with browsers_beyond(link, start_gateway, artifacts) as (_, origin, chromium, firefox):
        carol = await Person(await chromium.page(), origin, "both", "Carol").enter()
        fritz = await Person(firefox, origin, "both", "Fritz").enter()
        try:
            await carol.sees_and_hears(seconds=45)
            await fritz.sees_and_hears(seconds=45)
            yield carol, fritz
        finally:
            for person in (carol, fritz):
                with contextlib.suppress(Exception):
                    await person.page.picture(artifacts / f"{person.name}.png")
            (artifacts / "console-Carol.txt").write_text("\n".join(carol.page.console) + "\n")
            (artifacts / "link.txt").write_text("\n".join(link.lines) + "\n")


async def test_chromium_and_firefox_see_and_hear_each_other(couple, artifacts):
    async def both():
        return [await person.streams() for person in couple]

    taken = await samples(both, 15, every=1)
    sides = list(zip(*(pair for _, pair in taken)))
    for side, person in enumerate(couple):
        figures = leg(sides[1 - side], sides[side])
        (artifacts / f"leg-to-{person.name}.txt").write_text(f"{figures}\n")
        judge_leg(f"to {person.name}", figures, rate=5)
        first, last = sides[side][0], sides[side][-1]
        assert last.audio_energy() > first.audio_energy(), f"{person.name} hears nothing"


async def test_the_picture_keeps_moving_at_two_percent_loss_and_fifty_milliseconds(couple, link):
    link.set(both_loss=2, both_delay=50)
    before = [await person.streams() for person in couple]

    async def both():
        return [await person.streams() for person in couple]

    taken = await samples(both, 30, every=0.25)
    after = taken[-1][1]
    for side, person in enumerate(couple):
        still = longest_standstill(taken, lambda sample, side=side: sample[side].frames_decoded())
        assert still <= 2, f"{person.name}'s picture stood still for {still:.1f} s"

        def grown(direction, field, side=side):
            return after[side].total(direction, field) - before[side].total(direction, field)

        # What the server asked this sender to send again, and what this receiver asked of the server.
        assert grown("sending", "nackCount") > 0, f"the server sent {person.name} no NACK"
        assert grown("sending", "retransmittedPacketsSent") > 0, f"{person.name} retransmitted nothing"
        assert grown("receiving", "nackCount") > 0, f"{person.name} sent no NACK"
    # Only Chromium counts retransmissions that it received.
    chromium = after[0].total("receiving", "retransmittedPacketsReceived") - before[0].total(
        "receiving", "retransmittedPacketsReceived")
    assert chromium > 0, "no retransmission reached Chromium"


async def test_a_browser_that_vanishes_leaves_the_room(couple, link):
    carol, fritz = couple
    link.set(up_loss=100, down_loss=100)

    async def nobody():
        return (await carol.tiles()) + (await fritz.tiles()) == 0

    # Both are cut off: neither page can hear of it, but each notices by itself that its server is gone.
    await until(nobody, 90, "both pages noticed that they are cut off", every=0.5)
    link.set(up_loss=0, down_loss=0)
    await carol.sees_and_hears(seconds=60)
    await fritz.sees_and_hears(seconds=60)


@pytest.mark.parametrize("leaver", [0, 1], ids=["chromium", "firefox"])
async def test_a_browser_that_closes_its_connections_leaves_the_room_at_once(couple, leaver):
    other = couple[1 - leaver]
    # Whose connections have ended comes back by itself, a moment later: what looks in from outside may miss it.
    await other.page.evaluate(f"""(() => {{
      const look = () => {{ if (({REMOTE_TILES}) === 0) window.testWasAlone = true; }};
      new MutationObserver(look).observe(document.body, {{ childList: true, subtree: true }});
      return true;
    }})()""")
    # The page does not hear of it and keeps its signaling: only close_notify says so before ICE consent runs out.
    await couple[leaver].page.evaluate("(window.testConnections.forEach(one => one.close()), true)")

    async def was_alone():
        return await other.page.evaluate("window.testWasAlone === true")
    await until(was_alone, 10, "the tile of the person who left is gone")


async def test_the_judges_of_this_suite_see_a_link_that_loses_or_delays(link, start_gateway, artifacts):
    gateway = await start_gateway(namespace=link.server, host=link.server_address)
    relay = network.Relay(link.client, (gateway.host, gateway.port))
    origin = f"http://127.0.0.1:{relay.port}"
    try:
        async with Chromium(artifacts, link.client) as browser:
            alice = await enter(browser, origin, "judged", "Alice", size=(640, 360), deaf=True)
            bob = await enter(browser, origin, "judged", "Bob", "&layers=all", blind=True)
            await until(lambda: video_consumer(bob), 40, "Bob is offered Alice's picture", every=0.2)
            # The encoding that a sender short of time gives up last.
            await prefer(bob, 0, 2)
            await reached(bob, 0, 2)
            mid = (await video_consumer(bob))["mid"]

            async def both():
                return await alice.streams(), await bob.streams()

            async def watched(**settings):
                link.set(**settings)
                begun = len(await received(bob, mid)) + 5
                sides = list(zip(*(pair for _, pair in await samples(both, 6, every=0.5))))
                taken = (await received(bob, mid))[begun:]
                return leg(*sides), reception(await sent(alice), taken)

            counted, seen = await watched()
            judge_leg("over a clean link", counted, rate=5)
            judge_reception("over a clean link", seen)
            counted, _ = await watched(down_loss=10)
            with pytest.raises(AssertionError, match="sequence numbers|did not arrive"):
                judge_leg("at ten percent loss", counted, rate=5)
            _, seen = await watched(down_loss=0, down_delay=300)
            with pytest.raises(AssertionError, match="delay"):
                judge_reception("after 0.3 s", seen)
    finally:
        relay.close()
