"""Data channels through the real server, with browsers and aiortc: messages of every kind, channels by the hundred."""

import asyncio
import contextlib
import os

import pytest

import network
from beyond import browsers_beyond
from chromium import Chromium
from datapeer import BrowserPeer, SoftDataPeer, checksum, content
from firefox import Firefox
from protoo import ProtooClient
from waiting import until

SIZES = [0, 1, 1159, 1160, 1161, 16_384, 65_535, 65_536, 262_144]
# What aiortc sends and takes at most is what it announces.
SOFT_SIZES = [size for size in SIZES if size <= 65_536]


def expected(label, sizes):
    return [
        (label, kind, size, checksum(content(size, salt)))
        for salt, size in enumerate(sizes) for kind in ("string", "binary")]


async def exchange(peers, sizes_of):
    """Everybody sends every size as text and as bytes, on an ordered channel; everybody else gets it, in order."""
    for peer in peers:
        await peer.produce(f"from {peer.name}", ordered=True)
    for peer in peers:
        for salt, size in enumerate(sizes_of(peer)):
            for kind in ("string", "binary"):
                await peer.send(f"from {peer.name}", kind, size, salt)
    for receiver in peers:
        for sender in peers:
            if sender is receiver:
                continue
            label = f"from {sender.name}"
            wanted = expected(label, sizes_of(sender))

            async def arrived(receiver=receiver, label=label, wanted=wanted):
                return len(await receiver.received(label)) >= len(wanted)
            await until(arrived, 60, f"{receiver.name} has got all {label}")
            assert await receiver.received(label) == wanted, f"{receiver.name} {label}"


async def test_chromium_and_aiortc_exchange_messages_of_every_kind_and_size(start_gateway, chromium):
    gateway = await start_gateway(shards=2)
    first = await BrowserPeer(await chromium.page(), gateway.url, "data", "first").enter()
    second = await BrowserPeer(await chromium.page(), gateway.url, "data", "second").enter()
    async with SoftDataPeer(gateway, "data", "soft") as soft:
        await exchange([first, second, soft], lambda peer: SOFT_SIZES)
        gateway.assert_alive()


async def test_channels_that_may_lose_messages_deliver_them_where_nothing_is_lost(start_gateway, chromium):
    gateway = await start_gateway(shards=2)
    first = await BrowserPeer(await chromium.page(), gateway.url, "loose", "first").enter()
    second = await BrowserPeer(await chromium.page(), gateway.url, "loose", "second").enter()
    async with SoftDataPeer(gateway, "loose", "soft") as soft:
        await first.produce("none again", ordered=False, maxRetransmits=0)
        await first.produce("a second", ordered=False, maxPacketLifeTime=1000)
        await soft.produce("from soft", ordered=False, maxRetransmits=2)
        for label, sender in (("none again", first), ("a second", first), ("from soft", soft)):
            for salt in range(20):
                await sender.send(label, "binary", 3000, salt)
        wanted = sorted(("", "binary", 3000, checksum(content(3000, salt))) for salt in range(20))
        for receiver, labels in ((second, ("none again", "a second", "from soft")), (soft, ("none again", "a second"))):
            for label in labels:
                async def arrived(receiver=receiver, label=label):
                    return len(await receiver.received(label)) >= 20
                await until(arrived, 20, f"{receiver.name} has got {label}")
                assert sorted(("", *one[1:]) for one in await receiver.received(label)) == wanted


async def test_a_hundred_channels_open_carry_a_message_each_and_close(start_gateway, chromium):
    gateway = await start_gateway(shards=2)
    first = await BrowserPeer(await chromium.page(), gateway.url, "many", "first").enter()
    second = await BrowserPeer(await chromium.page(), gateway.url, "many", "second").enter()
    for turn in range(2):
        for number in range(50):
            label = f"{turn}.{number}"
            await first.produce(label, id=number)
            await first.send(label, "string", 100, number)

        async def arrived(count=50 * (turn + 1)):
            return len(await second.received()) >= count
        await until(arrived, 20, "every channel has carried its message")
        # The numbers are used again in the next turn: each side has to have reset its stream.
        await asyncio.gather(*(first.close(f"{turn}.{number}") for number in range(50)))

        async def closed(count=50 * (turn + 1)):
            names = await second.page.evaluate(
                "dataPeer.notifications.filter(([method]) => method === 'dataConsumerClosed').length")
            return names >= count
        await until(closed, 20, "the consumers are closed with their channels")
    assert len(set(await second.received())) == 100


async def test_the_bot_of_the_demo_answers_and_statistics_count(start_gateway):
    gateway = await start_gateway(shards=2)
    async with SoftDataPeer(gateway, "bot", "Bob") as bob, SoftDataPeer(gateway, "bot", "Ann") as ann:
        await until(lambda: bob.offers and ann.offers, 10, "the bot is offered")
        assert bob.offers[0]["label"] == "bot" and bob.offers[0]["peerId"] is None
        producer = await bob.produce("bot", ordered=False, maxPacketLifeTime=2000)
        chat = await bob.produce("chat", ordered=False, maxRetransmits=1)
        bob.channels["bot"].send("hello")
        await until(lambda: ann.messages and bob.messages, 20, "the bot has answered")
        assert bob.messages[0] == ann.messages[0] == ("bot", "string", b'Bob said me: "hello"')
        bob.channels["chat"].send("hi all")
        await until(lambda: len(ann.messages) > 1, 20, "the chat has arrived")
        assert ann.messages[1] == ("chat", "string", b"hi all")
        (entry,) = await bob.client.request("getDataProducerStats", {"dataProducerId": chat})
        assert (entry["type"], entry["label"]) == ("data-producer", "chat")
        assert (entry["messagesReceived"], entry["bytesReceived"]) == (1, 6)
        (entry,) = await bob.client.request("getDataProducerStats", {"dataProducerId": producer})
        assert entry["messagesReceived"] == 1
        offer = next(one for one in ann.offers if one["label"] == "chat")
        (entry,) = await ann.client.request("getDataConsumerStats", {"dataConsumerId": offer["id"]})
        assert (entry["type"], entry["messagesSent"], entry["bytesSent"]) == ("data-consumer", 1, 6)
        # It has no stream of the chat's that it could close; closing the producer closes the consumers.
        await bob.client.request("closeDataProducer", {"dataProducerId": chat})
        await until(lambda: ann.client.heard("dataConsumerClosed"), 10, "Ann's consumer is closed")
        assert ann.client.heard("dataConsumerClosed") == [{"dataConsumerId": offer["id"]}]


async def test_the_protocol_of_2026_has_data_channels_without_asking(start_gateway):
    gateway = await start_gateway()
    async with ProtooClient(gateway, "later", "new") as new:
        await new.request("getRtcStatsUrl")
        transports = {}
        for direction in ("producer", "consumer"):
            transports[direction] = await new.request(
                "createWebRtcTransport", {"forceTcp": False, "appData": {"direction": direction}})
            assert transports[direction]["sctpParameters"]["maxMessageSize"] == 262_144
        await new.request("join", {"displayName": "New", "device": {"name": "test"}})
        answer = await new.request("produceData", {
            "transportId": transports["producer"]["transportId"], "label": "chat", "protocol": "",
            "sctpStreamParameters": {"streamId": 0, "ordered": True}, "appData": {}})
        assert set(answer) == {"dataProducerId"}
        await until(lambda: new.requests, 5, "the bot is offered")
        offer = new.requests[0]["data"]
        assert new.requests[0]["method"] == "newDataConsumer" and "peerId" not in offer
        assert {"transportId", "dataConsumerId", "dataProducerId", "sctpStreamParameters", "label"} <= set(offer)
        statistics = await new.request("getDataProducerStats", {"dataProducerId": answer["dataProducerId"]})
        assert statistics["stats"][0]["type"] == "data-producer"


@pytest.mark.timeout(240)
async def test_firefox_too_with_losses_and_without(link, start_gateway, artifacts):
    async with browsers_beyond(link, start_gateway, artifacts, shards=2) as (gateway, origin, chromium, firefox):
        carol = await BrowserPeer(await chromium.page(), origin, "both", "Carol").enter()
        dora = await BrowserPeer(await chromium.page(), origin, "both", "Dora").enter()
        fritz = await BrowserPeer(firefox, origin, "both", "Fritz").enter()
        await exchange([carol, dora, fritz], lambda peer: SIZES)
        link.set(both_loss=5, both_delay=50)
        for peer in (carol, fritz):
            await peer.produce("again", ordered=True)
            for salt in range(60):
                await peer.send("again", "binary", 5000, salt)
        wanted = [("again", "binary", 5000, checksum(content(5000, salt))) for salt in range(60)]
        for receiver in (carol, fritz):
            async def arrived(receiver=receiver):
                return len(await receiver.received("again")) >= 60
            await until(arrived, 90, f"{receiver.name} has got everything in spite of losses")
            assert await receiver.received("again") == wanted


async def everybody(link, start_gateway, artifacts, stack, room):
    """Two pages of Chromium, two Firefox and aiortc, behind the link; the peers by what they are."""
    gateway = await start_gateway(shards=2, namespace=link.server, host=link.server_address)
    relay = network.Relay(link.client, (gateway.host, gateway.port))
    stack.callback(relay.close)
    origin = f"http://127.0.0.1:{relay.port}"
    chromium = await stack.enter_async_context(Chromium(artifacts, link.client))
    pages = [await chromium.page(), await chromium.page()]
    for _ in range(2):
        pages.append(await stack.enter_async_context(Firefox(artifacts, link.client)))
    browsers = [
        await BrowserPeer(page, origin, room, name).enter()
        for page, name in zip(pages, ("Carol", "Dora", "Fritz", "Finn"))]
    # From here on this thread's sockets, which are aiortc's, are at the far end too.
    stack.enter_context(network.inside(link.client))
    soft = await stack.enter_async_context(SoftDataPeer(gateway, room, "Ada"))
    return gateway, browsers, soft


async def turn(senders, receivers, number, size):
    """Each sender opens channels, whose numbers are used in every turn, sends a message on each and closes it."""
    labels = [(sender, f"{sender.name} {number}.{index}", 100 + index) for sender in senders for index in range(size)]
    await asyncio.gather(*(sender.produce(label, id=stream) for sender, label, stream in labels))
    await asyncio.gather(*(sender.send(label, "string", 200, number) for sender, label, _ in labels))
    for receiver in receivers:
        wanted = {label for sender, label, _ in labels if sender is not receiver}

        async def arrived(receiver=receiver, wanted=wanted):
            return wanted <= {one[0] for one in await receiver.received()}
        await until(arrived, 60, f"{receiver.name} has got a message of each channel of turn {number}")
    await asyncio.gather(*(sender.close(label) for sender, label, _ in labels))


# `make data` runs it, and all of it; ROUNDHOUSE_DATA=short the same with less.
WANTED = os.environ.get("ROUNDHOUSE_DATA")
IS_LONG = WANTED == "all"


@pytest.mark.skipif(not WANTED, reason="minutes with two processors: make data")
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("loss", [0, 5])
async def test_five_clients_of_three_kinds_get_what_was_promised(link, start_gateway, artifacts, loss):
    sizes = SOFT_SIZES if IS_LONG else [0, 1, 1161, 16_384]
    async with contextlib.AsyncExitStack() as stack:
        gateway, browsers, soft = await everybody(link, start_gateway, artifacts, stack, "show")
        link.set(both_loss=loss, both_delay=50)
        await exchange([*browsers, soft], lambda peer: sizes)
        # The longest messages, which aiortc does not send.
        for sender in browsers if IS_LONG else browsers[::3]:
            await sender.produce(f"large of {sender.name}", ordered=True)
            await sender.send(f"large of {sender.name}", "binary", 262_144, 9)
            for receiver in browsers:
                async def arrived(receiver=receiver, label=f"large of {sender.name}"):
                    return len(await receiver.received(label)) == (receiver.name not in label)
                await until(arrived, 120, f"{receiver.name} has got the large message of {sender.name}")
        await check_loose([browsers[0], browsers[2], soft], [*browsers, soft], loss)
        turns, size = (50, 10) if IS_LONG else (3, 4)
        for number in range(turns):
            await turn([browsers[1], browsers[3]], [*browsers, soft], number, size)
        for peer in (*browsers, soft):
            messages = [one for one in await peer.received() if one[0].partition(" ")[0] in ("Dora", "Finn")]
            assert len(set(messages)) == len(messages), peer.name
            own = 0 if peer not in (browsers[1], browsers[3]) else turns * size
            assert len(messages) == 2 * turns * size - own, peer.name
        gateway.assert_alive()


async def check_loose(senders, receivers, loss):
    """What may be lost is lost as seldom as the path loses it, and is whole when it arrives, and there once."""
    # So many that chance alone leaves no receiver below what is asked for; from 128 on contents repeat.
    count = 120
    for sender in senders:
        await sender.produce(f"once {sender.name}", ordered=False, maxRetransmits=0)
        await sender.produce(f"brief {sender.name}", ordered=False, maxPacketLifeTime=3000)
        for salt in range(count):
            for kind in ("once", "brief"):
                await sender.send(f"{kind} {sender.name}", "binary", 900, salt)
            await asyncio.sleep(0.02)
    contents = {("binary", 900, checksum(content(900, salt))) for salt in range(count)}
    # Twice over the link.
    least = count if loss == 0 else count * (1 - 4 * loss / 100)
    for receiver in receivers:
        for sender in senders:
            for kind in ("once", "brief"):
                label = f"{kind} {sender.name}"

                async def missing(receiver=receiver, label=label):
                    return max(0, least - len(await receiver.received(label)))

                async def arrived(missing=missing):
                    return await missing() == 0
                if sender is not receiver:
                    try:
                        await until(arrived, 20, f"{receiver.name} has got enough of {label}")
                    except AssertionError as failure:
                        failure.add_note(f"{await missing()} are missing of {least}")
                        raise
                    messages = [one[1:] for one in await receiver.received(label)]
                    assert len(set(messages)) == len(messages) and set(messages) <= contents, label
