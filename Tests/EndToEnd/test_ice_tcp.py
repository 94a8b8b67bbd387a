"""Browsers behind a firewall that lets no UDP through have their calls over TCP (ICE-TCP), and go back when it does."""

import contextlib

import pytest
import pytest_asyncio

import network
from beyond import browsers_beyond, judge_slow_connection
from call import Person
from chromium import Chromium
from layering import enter, inbound
from waiting import longest_standstill, samples, until

# The numbers of IP.
UDP = 17

# As if the browser had said that the connection failed: the page restarts ICE of both.
RESTART = """
for (const one of [window.roundhouse.sendTransport, window.roundhouse.recvTransport]) {
  Object.defineProperty(one, 'connectionState', { value: 'failed', configurable: true });
  one.dispatchEvent(new Event('connectionstatechange'));
  delete one.connectionState;
}
"""


async def ways(gateway, room):
    """By which protocol each person's transports are reached, by names."""
    return {
        peer["displayName"]: {
            one["iceSelectedTuple"]["protocol"] for one in peer["transports"] if one.get("iceSelectedTuple")}
        for peer in (await gateway.json(f"/rooms/{room}"))["peers"]}


async def goes_by(gateway, person, way, seconds=10):
    async def does():
        return (await ways(gateway, "offices"))[person.name] == {way}
    await until(does, seconds, f"all of {person.name}'s media goes over {way}", every=0.2)


@pytest.mark.parametrize("shares", ["no", "yes"])
async def test_without_udp_chromium_and_firefox_have_a_call_over_tcp(link, start_gateway, artifacts, shares):
    link.set(both_block=UDP, both_delay=10)
    options = ["--media-port-shared", shares]
    async with browsers_beyond(link, start_gateway, artifacts, *options) as (gateway, origin, chromium, firefox):
        assert "TCP" in (await gateway.get("/readyz"))[1]
        carol = await Person(await chromium.page(), origin, "offices", "Carol").enter()
        fritz = await Person(firefox, origin, "offices", "Fritz").enter()
        for person in (carol, fritz):
            await person.sees_and_hears(seconds=45)
        assert await ways(gateway, "offices") == {"Carol": {"tcp"}, "Fritz": {"tcp"}}


@pytest_asyncio.fixture
async def trio(link, start_gateway, artifacts):
    """Alice, who sends, and Carol are beside the server; Bob is behind a firewall at the far end of the link."""
    link.set(both_block=UDP)
    gateway = await start_gateway(namespace=link.server, host=link.server_address)
    async with contextlib.AsyncExitStack() as stack:
        near, far = (network.Relay(space, (gateway.host, gateway.port)) for space in (link.server, link.client))
        for relay in (near, far):
            stack.callback(relay.close)
        beside = await stack.enter_async_context(Chromium(artifacts, link.server))
        away = await stack.enter_async_context(Chromium(artifacts, link.client))
        here = f"http://127.0.0.1:{near.port}"
        await enter(beside, here, "offices", "Alice", deaf=True, size=(1280, 720))
        carol = await enter(beside, here, "offices", "Carol", "&layers=all", blind=True)
        bob = await enter(away, f"http://127.0.0.1:{far.port}", "offices", "Bob", "&layers=all", blind=True)
        for person in (carol, bob):
            await until(lambda person=person: inbound(person), 45, f"{person.name} gets Alice's picture", every=0.3)
        yield gateway, bob, carol


async def test_a_call_changes_to_udp_and_back_and_a_slow_connection_keeps_its_sound(trio, link, artifacts):
    gateway, bob, carol = trio
    await goes_by(gateway, bob, "tcp")
    # The firewall is switched, and ICE begins again.
    for blocked, way in ((0, "udp"), (UDP, "tcp")):
        link.set(both_block=blocked)
        await bob.page.evaluate(f"(() => {{ {RESTART} }})()")
        taken = await samples(bob.streams, 5, every=0.1)
        await goes_by(gateway, bob, way)
        still = longest_standstill(taken, lambda sample: sample.frames_decoded())
        with (artifacts / "changes.txt").open("a") as file:
            file.write(f"to {way}: Bob's picture stood still for {still:.2f} s\n")
        # Chromium holds to the path that it has: its first check over TCP comes about two seconds after the restart.
        assert still <= 4, f"on the way to {way} Bob's picture stood still for {still:.1f} s"
        assert taken[-1][1].frames_decoded() > taken[-10][1].frames_decoded(), f"no picture over {way}"

    await judge_slow_connection(link, gateway, bob, carol, artifacts)
