"""A consumer is pointed at another producer: the same track, the same section, another person's picture."""

import json

import pytest_asyncio

from chromium import Chromium
from layering import (
    WATCH, arrival_gaps, enter, forget_sent, received, request, sender_gap, stream_gaps, widths)
from waiting import until

# Seconds: the limit for the hole between one picture and the other.
GAP = 0.3
# Of so small a picture Chromium sends two layers of three: which, is not the test's matter.
SIZES = {"Alice": (640, 360), "Carol": (480, 270)}

CODECS = {"vp8": "&codec=vp8", "av1": "&codec=av1&scalabilityMode=L3T3"}

DESCRIPTIONS = """
(() => {
  const connection = window.roundhouse.recvTransport;
  return [connection.remoteDescription.sdp, connection.localDescription.sdp];
})()
"""


@pytest_asyncio.fixture(params=CODECS)
async def trio(request, gateway, artifacts):
    """Alice and Carol send pictures of different sizes and receive nothing; Bob receives and sends no picture."""
    async with Chromium(artifacts) as sending, Chromium(artifacts) as receiving:
        people = {}
        for name, size in SIZES.items():
            people[name] = await enter(
                sending, gateway.url, "switch", name, CODECS[request.param], deaf=True, size=size)
        people["Bob"] = await enter(receiving, gateway.url, "switch", "Bob", "&layers=all", blind=True)
        try:
            yield people
        finally:
            await people["Bob"].page.picture(artifacts / "Bob.png")
            (artifacts / "console.txt").write_text("\n".join(people["Bob"].page.console) + "\n")


async def test_a_consumer_goes_on_with_another_producer_without_negotiation(trio, artifacts):
    bob = trio["Bob"]

    async def both():
        peers = await bob.page.evaluate("window.roundhouse.peers")
        found = {peer["displayName"]: one for peer in peers for one in peer["consumers"]
                 if one["kind"] == "video" and one["playing"]}
        return found if len(found) == 2 else None
    consumers = await until(both, 60, "Bob has both pictures", every=0.2)
    await bob.page.evaluate(f"document.querySelectorAll('[data-self=false]').forEach(tile => "
                            f"tile.dataset.consumerId === '{consumers['Alice']['id']}' || tile.remove())")
    await until(lambda: bob.page.evaluate(WATCH), 30, "Bob's page has a tile for Alice")

    async def shows(name):
        taken = (await widths(bob))[-5:]
        return len(taken) == 5 and all(one in [SIZES[name][0] >> shift for shift in range(3)] for one in taken)
    await until(lambda: shows("Alice"), 90, "Alice's picture is shown", every=0.2)
    # How evenly frames arrive where nothing is switched is the machine's doing.
    mid = consumers["Alice"]["mid"]
    begun = len(await received(bob, mid))

    async def watched():
        return len(await received(bob, mid)) >= begun + 60
    await until(watched, 90, "Alice's picture was watched for a while", every=0.2)
    calm = max(arrival_gaps((await received(bob, mid))[begun:]))
    for name in SIZES:
        await forget_sent(trio[name])
    before = await bob.page.evaluate(DESCRIPTIONS)
    begun = len(await received(bob, mid))
    for target in ("Carol", "Alice", "Carol"):
        answer = await request(bob, "switchProducer", {
            "consumerId": consumers["Alice"]["id"], "producerId": consumers[target]["producerID"]})
        assert answer["id"] == consumers["Alice"]["id"]
        assert answer["producerId"] == consumers[target]["producerID"]
        await until(lambda target=target: shows(target), 60, f"{target}'s picture is shown", every=0.1)
    assert await bob.page.evaluate(DESCRIPTIONS) == before, "something was negotiated"
    taken = (await received(bob, mid))[begun:]
    gaps, arrivals = stream_gaps(taken), arrival_gaps(taken)
    sent = max([await sender_gap(trio[name]) for name in SIZES])
    (artifacts / "figures.json").write_text(json.dumps({
        "longest gap": max(gaps), "between arrivals": max(arrivals), "without a switch": calm, "the senders'": sent,
        "requests of the decoder": (await bob.streams()).total("receiving", "pliCount")}))
    assert max(gaps) < 2**31 / 90000, "time went back"
    allowed = GAP + max(0, sent - 0.1)
    assert max(gaps) <= allowed, f"{max(gaps):.2f} s between two pictures, {allowed:.2f} allowed"
    allowed += max(0, calm - 0.1)
    assert max(arrivals) <= allowed, f"{max(arrivals):.2f} s between two arrivals, {allowed:.2f} allowed"
