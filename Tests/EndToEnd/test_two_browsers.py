"""Two Chromium pages meet in a room through the real server."""

import os

import pytest

from call import Person
from chromium import Chromium
from reception import judge_leg, leg
from stateapi import TOKEN, StateAPI
from waiting import samples, until

# `make soak` takes longer.
SECONDS = int(os.environ.get("ROUNDHOUSE_SOAK_SECONDS", "20"))


@pytest.mark.timeout(600 + 2 * SECONDS)
async def test_two_people_see_and_hear_each_other_all_the_time(gateway, chromium, artifacts):
    alice = await Person(await chromium.page(), gateway.url, "minute", "Alice").enter()
    bob = await Person(await chromium.page(), gateway.url, "minute", "Bob").enter()
    try:
        for person in (alice, bob):
            await person.sees_and_hears()
            await until(lambda person=person: one_tile(person), 10, f"{person.name} has one tile")

        async def both():
            return await alice.streams(), await bob.streams()

        taken = await samples(both, SECONDS, every=2)
        sides = list(zip(*(pair for _, pair in taken)))
        for name, sender, receiver in (("Alice to Bob", 0, 1), ("Bob to Alice", 1, 0)):
            figures = leg(sides[sender], sides[receiver])
            (artifacts / f"{name}.txt").write_text(f"{figures}\n")
            judge_leg(name, figures, rate=5)
            energy = sides[receiver][-1].audio_energy() - sides[receiver][0].audio_energy()
            assert energy > 0, f"{name}: no sound"
        # Sound goes on to the end, it does not merely start.
        for side in (0, 1):
            energies = [streams.audio_energy() for streams in sides[side]]
            silent = max(b - a for a, b in zip(quiet_since(energies), range(len(energies))))
            assert silent <= 3, f"no new audio energy for {silent * 2} s: {energies}"
        await alice.page.picture(artifacts / "two.png")

        await bob.page.close()
        await until(lambda: no_tile(alice), 5, "the tile of the person who left is gone")
    finally:
        report(artifacts, alice, bob)


async def test_six_people_meet_at_one_port_of_several_media_threads(start_gateway, chromium):
    gateway = await start_gateway("--media-port-shared", "yes")
    people = [await Person(await chromium.page(), gateway.url, "shared", f"Person {n}").enter() for n in range(6)]
    for person in people:
        await person.sees_and_hears()
    metrics = await gateway.metrics()
    handed = [metrics[f'roundhouse_media_datagrams_handed_on_total{{shard="{shard}"}}'] for shard in (0, 1)]
    # Twelve pairs of addresses, spread by chance: one in two thousand times all are where they belong.
    assert sum(handed) > 100, handed


# Counts transports whose other side has said goodbye: a `close` of the page's own changes their state without an event.
LISTEN = """(() => {
    window.goodbyes = 0;
    RTCPeerConnection.prototype.close = function () {};
    const transports = new Set(window.testConnections.flatMap(
        one => [...one.getSenders(), ...one.getReceivers()].map(each => each.transport).filter(Boolean)));
    for (const each of transports)
        each.addEventListener("statechange", () => { if (each.state === "closed") window.goodbyes += 1; });
    return transports.size;
})()"""


async def test_a_browser_hears_the_goodbye_of_a_server_that_closes_its_transports(start_gateway, chromium):
    gateway = await start_gateway("--admin-token", TOKEN)
    alice = await Person(await chromium.page(), gateway.url, "goodbye", "Alice").enter()
    bob = await Person(await chromium.page(), gateway.url, "goodbye", "Bob").enter()
    for person in (alice, bob):
        await person.sees_and_hears()
    transports = await alice.page.evaluate(LISTEN)
    assert transports == 2, "one to send, one to receive"
    async with StateAPI(gateway) as api:
        status, _ = await api.ask("DELETE", "/api/v1/rooms/goodbye")
        assert status == 204

    async def heard():
        return await alice.page.evaluate("window.goodbyes") == transports
    await until(heard, 5, "close_notify has reached Chromium on both transports")


def quiet_since(energies):
    """For each sample the index since which the value has not grown."""
    since, marks = 0, []
    for index, energy in enumerate(energies):
        if index == 0 or energy > energies[index - 1]:
            since = index
        marks.append(since)
    return marks


async def one_tile(person):
    return await person.tiles() == 1


async def no_tile(person):
    return await person.tiles() == 0


def report(folder, *people):
    for person in people:
        (folder / f"console-{person.name}.txt").write_text("\n".join(person.page.console) + "\n")


async def test_six_people_fit_on_one_page(gateway, artifacts):
    # Six people's encoding and thirty streams' decoding share two cores with the server: slow cameras.
    async with Chromium(artifacts, rate=5) as chromium:
        await six_people(gateway, chromium, artifacts)


async def six_people(gateway, chromium, artifacts):
    people = []
    try:
        for name in ("Ada", "Grace", "Edsger", "Barbara", "Alan", "Radia"):
            people.append(await Person(await chromium.page(), gateway.url, "six", name).enter())
        for person in people:
            await person.sees_and_hears(others=5, seconds=60)
            assert await person.tiles() == 5
        await people[0].page.picture(artifacts / "six.png")
        overflow = await people[0].page.evaluate(
            "document.documentElement.scrollHeight > innerHeight || document.documentElement.scrollWidth > innerWidth")
        assert not overflow, "the grid does not fit the window"
        await judge_shares(gateway, artifacts)
    finally:
        report(artifacts, *people)


async def judge_shares(gateway, artifacts):
    """Each media thread fans out its share of what everybody in the room gets."""
    (_, before), *_, (_, after) = await samples(gateway.metrics, 10, every=5)
    name = "roundhouse_media_packets_forwarded_total"
    forwarded = {key: after[key] - before[key] for key in after if key.startswith(name + "{")}
    (artifacts / "shares.txt").write_text(f"{forwarded}\n")
    assert len(forwarded) == 2 and max(forwarded.values()) <= 1.15 * sum(forwarded.values()) / 2, forwarded


async def test_a_page_reconnects_by_itself_when_the_server_comes_back(start_gateway, chromium, artifacts):
    gateway = await start_gateway()
    alice = await Person(await chromium.page(), gateway.url, "again", "Alice").enter()
    bob = await Person(await chromium.page(), gateway.url, "again", "Bob").enter()
    try:
        await alice.sees_and_hears()
        gateway.process.kill()
        await gateway.ended()
        # For half a minute the page expects to go on where it was.
        await until(lambda: no_tile(alice), 60, "the page noticed that the server is gone", every=0.3)
        await gateway.start()
        await until(lambda: one_tile(alice), 45, "both are back in the room", every=0.3)
        await alice.sees_and_hears()
        await bob.sees_and_hears()
    finally:
        report(artifacts, alice, bob)
