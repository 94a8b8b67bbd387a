"""A signaling connection that breaks in the middle of a call: nobody notices."""

import asyncio
import json
import random

import websockets

from breaking import BreakableRelay
from call import Person
from protoo import ProtooClient
from waiting import until

# What the room looks like, without what grows: names and identifiers of all its objects.
OBJECTS = ("id", "displayName", "joined", "kind", "type", "paused", "producerId")


def shape(entry):
    if isinstance(entry, list):
        return [shape(one) for one in entry]
    if isinstance(entry, dict):
        return {name: shape(value) for name, value in entry.items()
                if name in OBJECTS or isinstance(value, list) and name in (
                    "peers", "transports", "producers", "consumers")}
    return entry


async def test_a_call_goes_on_while_its_signaling_connection_is_cut(gateway, chromium, artifacts):
    async with BreakableRelay(gateway.port) as relay, ProtooClient(gateway, "cut", "witness") as witness:
        await witness.join("Witness")
        alice = await Person(await chromium.page(), relay.url, "cut", "Alice").enter()
        bob = await Person(await chromium.page(), gateway.url, "cut", "Bob").enter()
        try:
            await alice.sees_and_hears()
            await bob.sees_and_hears()
            connections = "window.testConnections.length"
            before = shape(await gateway.json("/rooms/cut"))
            made = await alice.page.evaluate(connections)
            heard = len(witness.heard("newPeer")), len(witness.heard("peerClosed"))
            assert heard == (2, 0)
            for round in range(1, 4):
                # For a while nothing gets through, so that what the page has to say must wait.
                relay.refuses = True
                assert relay.cut() == 1
                decoded = (await alice.streams()).frames_decoded(), (await bob.streams()).frames_decoded()

                async def goes_on():
                    return ((await alice.streams()).frames_decoded() > decoded[0] + 3
                            and (await bob.streams()).frames_decoded() > decoded[1] + 3)
                await until(goes_on, 60, "media goes on without signaling", every=0.2)
                if round == 2:
                    await alice.page.evaluate("document.getElementById('mic').click()")
                relay.refuses = False

                async def is_back():
                    metrics = await gateway.metrics()
                    return metrics['roundhouse_gateway_resumptions_total{outcome="resumed"}'] == round
                await until(is_back, 60, "the page picked its session up", every=0.2)
            # What was clicked while there was no connection has arrived.
            await until(lambda: paused_audio(gateway), 60, "the microphone is off", every=0.2)
            await alice.page.evaluate("document.getElementById('mic').click()")
            await until(lambda: everything_flows(gateway, before), 60, "the room is as it was", every=0.2)
            assert await alice.page.evaluate(connections) == made, "new transports"
            assert (len(witness.heard("newPeer")), len(witness.heard("peerClosed"))) == heard
            assert await alice.page.evaluate("document.getElementById('state').dataset.state") == "connected"
            decoded = (await alice.streams()).frames_decoded()

            async def still_goes_on():
                return (await alice.streams()).frames_decoded() > decoded + 20
            await until(still_goes_on, 60, "media goes on", every=0.2)
            metrics = await gateway.metrics()
            assert metrics['roundhouse_gateway_resumptions_total{outcome="expired"}'] == 0
            assert metrics['roundhouse_gateway_resumptions_total{outcome="refused"}'] == 0
        finally:
            (artifacts / "console.txt").write_text("\n".join(alice.page.console) + "\n")
            (artifacts / "room.json").write_text(json.dumps(await gateway.json("/rooms/cut"), indent=1))


def producers(room):
    return [one for peer in room["peers"] for side in peer["transports"] for one in side["producers"]]


async def paused_audio(gateway):
    return any(one["kind"] == "audio" and one["paused"] for one in producers(await gateway.json("/rooms/cut")))


async def everything_flows(gateway, before):
    return shape(await gateway.json("/rooms/cut")) == before


async def test_a_page_that_is_closed_has_left_at_once(gateway, chromium):
    async with ProtooClient(gateway, "close", "witness") as witness:
        await witness.join("Witness")
        page = await chromium.page()
        await Person(page, gateway.url, "close", "Alice").enter()
        await until(lambda: witness.heard("newPeer"), 60, "Alice is there")
        await page.close()
        await until(lambda: witness.heard("peerClosed"), 15, "Alice has left, long before she would be given up")


async def test_many_cuts_during_a_busy_session(gateway):
    """Six clients change their names forty times each while their connections are cut at random."""
    chance = random.Random(7)
    finished, checked = set(), asyncio.Event()
    async with ProtooClient(gateway, "busy", "witness") as witness:
        await witness.join("Witness")

        async def session(number):
            address = f"ws://{gateway.host}:{gateway.port}/?roomId=busy&peerId=p{number}"
            token, received, sent, kept, done = None, 0, 0, [], set()
            query = "&resumption=yes"
            while len(done) < 41:
                async with websockets.connect(
                        address + query, subprotocols=["protoo"], ping_interval=None, proxy=None) as socket:
                    first = json.loads(await socket.recv())
                    if token is None:
                        assert first["method"] == "resumable"
                        token = first["data"]["token"]
                    else:
                        assert first["method"] == "resumed" and "lost" not in first["data"], first
                        kept = [entry for entry in kept if entry[0] > first["data"]["received"]]
                        for _, text in kept:
                            await socket.send(text)
                    for _ in range(chance.randint(1, 40)):
                        if sent < 41:
                            sent += 1
                            name = f"p{number} {sent}"
                            method = "join" if sent == 1 else "changeDisplayName"
                            text = json.dumps({
                                "request": True, "id": sent, "seq": sent, "ack": received, "method": method,
                                "data": {"displayName": name}})
                            kept.append((sent, text))
                            await socket.send(text)
                        if chance.random() < 0.9:
                            message = json.loads(await socket.recv())
                            assert message["seq"] == received + 1, (message, received)
                            received += 1
                            if message.get("response"):
                                assert message["ok"] and message["id"] not in done, message
                                done.add(message["id"])
                        if len(done) == 41:
                            # Still there while the others are watched.
                            finished.add(number)
                            await checked.wait()
                            break
                    socket.transport.abort()
                query = f"&resume={token}&ack={received}"

        sessions = asyncio.gather(*(session(number) for number in range(6)))

        def all_finished():
            if sessions.done():
                sessions.result()
            return len(finished) == 6
        await until(all_finished, 120, "all requests are answered")

        def changes(number):
            return [one["displayName"] for one in witness.heard("peerDisplayNameChanged")
                    if one["peerId"] == f"p{number}"]
        for number in range(6):
            await until(lambda: len(changes(number)) == 40, 30, f"all names of p{number}")
            assert changes(number) == [f"p{number} {change}" for change in range(2, 42)]
        assert len(witness.heard("newPeer")) == 6 and not witness.heard("peerClosed")
        checked.set()
        await sessions
