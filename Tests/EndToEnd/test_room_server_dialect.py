"""The older Electron room server's clients, by python-socketio: its events, its HTTP requests, and media."""

import json

import pytest
from protoo import NOBODYS_FINGERPRINT
from room_server_peer import RoomServerClient, RoomServerPeer, post
from soft_peer import SoftPeer
from waiting import until

ROADS = pytest.mark.parametrize(
    "transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids=["polling", "websocket", "upgrade"])


async def sees_and_hears(peer, other, level, hertz):
    def arrived():
        pictures, sounds = peer.watching("video", other), peer.watching("audio", other)
        return (pictures and sounds and pictures[0].frames >= 25 and sounds[0].frames >= 50
                and sounds[0].hertz is not None)
    await until(arrived, 40, f"{peer.name} receives 25 pictures and 1 s of sound of {other}")
    assert abs(peer.watching("video", other)[0].level - level) < 12
    assert abs(peer.watching("audio", other)[0].hertz - hertz) < 30


async def consumer_of(gateway, room, name):
    """A consumer as the state API shows it."""
    peers = (await gateway.json(f"/rooms/{room}"))["peers"]
    return next(
        one for peer in peers for transport in peer["transports"] for one in transport["consumers"]
        if one["id"] == name["consumer_id"])


async def goes_on(gateway, room, name):
    """Packets go to a consumer again. (aiortc shows the pictures only after 512 packets: it waits for the sequence
    number that is left out where a picture may have been cut.)"""
    async def sent():
        return (await consumer_of(gateway, room, name))["streams"][0]["packetCount"]
    before = await sent()

    async def more():
        return await sent() > before + 10
    await until(more, 20, "packets go on")


@ROADS
async def test_two_clients_create_join_produce_consume_pause_and_exit(gateway, transports):
    room = post(gateway, "createValidRoomId", {"password": ""})["roomId"]
    assert len(room) == 9 and room.isdigit()
    assert post(gateway, "isRoomExisted", {"roomId": room}) == {"existed": False}
    async with RoomServerPeer(gateway, room, "Dark", transports, level=60, hertz=440) as dark:
        assert post(gateway, "isRoomExisted", {"roomId": room}) == {"existed": True, "needPassword": False}
        assert dark.joined["id"] == room and dark.joined["socketid"] == dark.id
        assert [one for one, _ in json.loads(dark.joined["peers"])] == [dark.id]
        await until(lambda: dark.heard("othersInRoom"), 5, "the first hears who was there")
        assert dark.heard("othersInRoom") == [[]]
        async with RoomServerPeer(gateway, room, "Bright", transports, level=190, hertz=1200) as bright:
            bright_id = bright.id
            entries = dict(json.loads(bright.joined["peers"]))
            assert entries == {
                one.id: {"id": one.id, "name": one.name, "transports": {}, "consumers": {}, "producers": {}}
                for one in (dark, bright)}
            await until(lambda: bright.heard("othersInRoom"), 5, "the second hears who was there")
            assert bright.heard("othersInRoom") == [[{"socketid": dark.id, "name": "Dark"}]]
            assert dark.heard("joined") == [{"room_id": room, "name": "Bright", "socketid": bright.id}]
            await sees_and_hears(dark, bright.id, 190, 1200)
            await sees_and_hears(bright, dark.id, 60, 440)

            announced = [one for event in dark.heard("newProducers") for one in event
                         if one["producer_socket_id"] == bright.id]
            assert {one["producer_id"] for one in announced} == {one.id for one in bright.producers.values()}
            assert all(set(one) == {"producer_id", "producer_socket_id"} for one in announced)
            listed = bright.heard("newProducers")[0]
            assert {one["producer_id"] for one in listed} == {
                one.id for peer in (dark, bright) for one in peer.producers.values()}
            assert all(one["peerId"] == one["producer_socket_id"] for one in listed)

            mine = json.loads((await bright.request("getMyRoomInfo"))["peers"])
            assert dict(mine) == entries
            assert await bright.ask("resume") is None

            # The producer's pause is signaled, stops the pictures, and its end starts them again.
            picture = {"producer_id": bright.producers["video"].id}
            consumer = {"consumer_id": dark.consumers[picture["producer_id"]]}
            assert await bright.request("pauseProducer", picture) == "success"
            await until(lambda: dark.heard("consumerPaused") == [consumer], 5, "the pause is signaled")
            assert (await consumer_of(gateway, room, consumer))["producerPaused"]
            assert await bright.request("resumeProducer", picture) == "success"
            await until(lambda: dark.heard("consumerResumed") == [consumer], 5, "its end is signaled")
            await goes_on(gateway, room, consumer)

            # One's own pause.
            assert await dark.request("pauseConsumer", consumer) == "success"
            assert (await consumer_of(gateway, room, consumer))["paused"]
            assert await dark.request("resumeConsumer", consumer) == "success"
            await goes_on(gateway, room, consumer)

            ice = await bright.request("restartIce", {"transport_id": bright.send.id})
            assert set(ice) == {"usernameFragment", "password", "iceLite"}

            await bright.socket.emit("producerClosed", picture)
            await until(lambda: dark.heard("consumerClosed") == [consumer], 5, "the producer's end is signaled")

            assert await bright.request("exitRoom") == "successfully exited room"
            await until(lambda: dark.heard("a user is exits the room"), 5, "the one who stays is notified")
            assert dark.heard("a user is exits the room") == [{"sockerid": bright.id}]
            assert (await bright.ask("exitRoom")) == {"error": "not currently in a room"}
            await bright.request("join", {"room_id": room, "name": "Again"})
        await until(lambda: dark.heard("a user is disconnected"), 10, "a lost client is reported")
        assert dark.heard("a user is disconnected") == [{"sockerid": bright_id}]
        assert await dark.request("exitRoom") == "successfully exited room"
        assert post(gateway, "isRoomExisted", {"roomId": room}) == {"existed": False}


@ROADS
async def test_a_password_guards_the_room(gateway, transports):
    for as_json in (False, True):
        room = post(gateway, "createValidRoomId", {"password": "s e&cret"}, as_json)["roomId"]
        async with RoomServerClient(gateway, transports) as client:
            async def ask(event, password):
                return await client.ask(event, {"room_id": room, "name": "N", "password": password})
            assert "error" in await ask("createRoom", "guess")
            assert await ask("createRoom", "s e&cret") == room
            assert await ask("createRoom", "s e&cret") == "already exists"
            assert post(gateway, "isRoomExisted", {"roomId": room}, as_json) == {"existed": True, "needPassword": True}
            for guess, valid in (("s e&cret", True), ("guess", False), ("", False)):
                answer = post(gateway, "checkPassword", {"roomId": room, "password": guess}, as_json)
                assert answer == {"valid": valid}
            assert "error" in await ask("join", "guess")
            assert "error" in await ask("join", "")
            assert (await ask("join", "s e&cret"))["id"] == room
    assert post(gateway, "checkPassword", {"roomId": "1"}) == {"valid": True}


@ROADS
async def test_what_once_hung_is_answered(gateway, transports):
    async with RoomServerClient(gateway, transports) as client:
        for event in ("getRouterRtpCapabilities", "createWebRtcTransport", "getMyRoomInfo", "exitRoom", "produce",
                      "consume", "connectTransport", "restartIce", "pauseConsumer", "resumeConsumer", "createRoom",
                      "join", "nonsense"):
            assert (await client.ask(event))["error"], event
        assert await client.ask("join", {"room_id": "404"}) == {"error": "room does not exist"}
        assert await client.ask("createRoom", {"room_id": "9"}) == "9"
        await client.request("join", {"room_id": "9", "name": "N"})
        transport = (await client.request("createWebRtcTransport"))["id"]
        connect = {"transport_id": transport,
                   "dtlsParameters": {"role": "client", "fingerprints": [NOBODYS_FINGERPRINT]}}
        assert await client.ask("connectTransport", connect) == "success"
        assert (await client.ask("connectTransport", connect))["error"]
        assert await client.ask("connectTransport", {**connect, "transport_id": "nobody's"}) == "success"
        # Without an acknowledgement the answer is an event.
        await client.socket.emit("createSendTransport", {})
        await until(lambda: client.heard("createSendTransport callback"), 5, "the answer comes as an event")


async def test_a_room_server_client_and_a_protoo_client_see_and_hear_each_other(gateway):
    async with SoftPeer(gateway, "mixed", "soft", level=60, hertz=440) as soft:
        roads = ["polling", "websocket"]
        async with RoomServerPeer(gateway, "mixed", "Electron", roads, level=190, hertz=1200) as peer:
            await sees_and_hears(peer, "soft", 60, 440)
            await sees_and_hears(soft, peer.id, 190, 1200)
        await until(lambda: soft.client.heard("peerClosed"), 10, "the page's side is notified")


async def test_the_script_is_served_and_the_metrics_count(gateway):
    status, script = await gateway.get("/socket.io/socket.io.js")
    assert status == 200 and "io.protocol = 5" in script
    async with RoomServerClient(gateway, ["websocket"]) as client:
        assert (await client.ask("exitRoom"))["error"]
        counted = [name for name in await gateway.metrics() if "exitRoom" in name]
        assert counted, "no metric names the event"
