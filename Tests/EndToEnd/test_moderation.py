"""What operators may do about people by /api/v1, and moderators in their room, seen by clients that are there."""

import contextlib
import json

import pytest
import websockets

from protoo import ProtooClient, Refused
from stateapi import HEADERS, TOKEN, StateAPI, populated_room
from tokens import KEY, token
from waiting import until

ROOM = "/api/v1/rooms/lounge"
# The connection ends before the answer to a request, or with its sending.
NOT_LET_IN = (ConnectionError, websockets.WebSocketException)


async def entered(gateway, room, peer, stack, query=""):
    client = await stack.enter_async_context(ProtooClient(gateway, room, peer, query=query))
    await client.join(peer.capitalize())
    return client


async def test_a_room_is_made_ahead_and_is_as_it_was_made(start_gateway):
    gateway = await start_gateway("--admin-token", TOKEN)
    async with StateAPI(gateway) as api, contextlib.AsyncExitStack() as stack:
        wanted = {"name": "class", "password": "sesame", "maxPeers": 1, "codecs": ["audio/opus", "video/VP8"],
                  "metadata": {"course": "Greek"}, "expiresIn": 3600}
        status, made = await api.ask("POST", "/api/v1/rooms", body=wanted)
        assert status == 201 and made["metadata"] == {"course": "Greek"} and made["needsPassword"], made
        assert (await api.ask("POST", "/api/v1/rooms", body=wanted))[0] == 409
        assert await api.get("/api/v1/rooms/class") == made
        for query in ("", "&password=wrong"):
            with pytest.raises(NOT_LET_IN):
                await entered(gateway, "class", "eve", stack, query)
            assert (await api.get("/api/v1/rooms/class"))["peers"] == 0, query
        ann = await entered(gateway, "class", "ann", stack, "&password=sesame")
        codecs = (await ann.request("getRouterRtpCapabilities"))["codecs"]
        assert [one["mimeType"] for one in codecs] == ["audio/opus", "video/VP8", "video/rtx"]
        there = await api.get("/api/v1/rooms/class")
        assert there["peers"] == 1 and there["openedAt"] > 1_700_000_000_000
        people = await api.get("/api/v1/peers?name=AN")
        assert [(one["room"], one["id"], one["joined"]) for one in people["peers"]] == [("class", "ann", True)]
        assert people["peers"][0]["address"] == "127.0.0.1" and people["peers"][0]["joinedAt"]
        assert await api.ask("DELETE", "/api/v1/rooms/class") == (204, None)
        await until(lambda: ann.close_code == 4000, 30, "the room is closed")
        assert (await api.ask("GET", "/api/v1/rooms/class"))[0] == 404
        for body, field in (({"maxPeers": 0}, "maxPeers"), ({"codecs": "opus"}, "codecs"), ({"name": 1}, "name"),
                            ({"expiresIn": 1}, "expiresIn"), ({"x": 1}, "x"), ({"metadata": []}, "metadata")):
            status, answer = await api.ask("POST", "/api/v1/rooms", body=body)
            assert status == 400 and answer["error"]["message"].startswith(field + ":"), answer
        status, answer = await api.ask("POST", "/api/v1/rooms", body={"codecs": ["video/H266"]})
        assert status == 422 and "video/h266" in answer["error"]["message"]


async def test_an_operator_mutes_everybody_locks_speaks_and_bans(start_gateway):
    gateway = await start_gateway("--admin-token", TOKEN)
    async with StateAPI(gateway) as api, populated_room(gateway) as (ann, ben, made):
        await until(lambda: len(ben.requests) == 2, 30, "the viewer is offered both")
        assert await api.ask("POST", f"{ROOM}/mute", body={"except": ["ann"]}) == (200, {"paused": 0})
        assert await api.ask("POST", f"{ROOM}/mute") == (200, {"paused": 1})
        await until(lambda: ann.heard("producerPaused"), 30, "she is notified that she is muted")
        producer = await api.get(f"{ROOM}/producers/{made['audio']}")
        assert producer["paused"] and producer["appData"]["peerId"] == "ann"
        assert await api.ask("POST", f"{ROOM}/lock") == (204, None)
        await until(lambda: ben.heard("roomLockChanged"), 30, "everybody knows")
        with pytest.raises(NOT_LET_IN):
            async with ProtooClient(gateway, "lounge", "cyd") as late:
                await late.join("Cyd")
        assert (await api.get(ROOM))["locked"]
        assert await api.ask("POST", f"{ROOM}/unlock") == (204, None)
        assert await api.ask("POST", f"{ROOM}/messages", body={"text": "Lunch is served."}) == (204, None)
        await until(lambda: ben.heard("operatorMessage"), 30, "the message comes")
        status, peer = await api.ask("PATCH", f"{ROOM}/peers/ann", body={"permissions": {"publish": False}})
        assert status == 200 and peer["permissions"] == {
            "publish": False, "subscribe": True, "data": True, "moderate": False}
        with pytest.raises(Refused):
            await ann.request("resumeProducer", {"producerId": made["audio"]})
        status, ban = await api.ask("POST", f"{ROOM}/peers/ben/ban", body={"seconds": 600})
        assert status == 201 and (ban["peerId"], ban["by"]) == ("ben", "address")
        await until(lambda: ben.close_code == 4000, 30, "he is sent away")
        assert (await api.get(f"{ROOM}/bans"))["bans"] == [ban]
        with pytest.raises(NOT_LET_IN):
            async with ProtooClient(gateway, "lounge", "mallory") as again:
                await again.join("Mallory")
        assert await api.ask("DELETE", f"{ROOM}/bans/{ban['id']}") == (204, None)
        assert (await api.ask("DELETE", f"{ROOM}/bans/{ban['id']}"))[0] == 404
        async with ProtooClient(gateway, "lounge", "mallory") as again:
            await again.join("Mallory")
        acts = (await api.get("/api/v1/audit"))["acts"]
        assert acts[0]["act"] == "an operator has lifted a ban" and acts[0]["fields"]["client.address"] == "127.0.0.1"
        assert len(acts) == 8 and "Lunch" not in json.dumps(acts), acts
        log = gateway.log
        for act in ("paused everybody's producers", "locked a room", "sent a message", "changed what a peer may do",
                    "keeps a client out of a room", "lifted a ban"):
            assert f"an operator has {act}" in log or f"an operator {act}" in log, act
        assert "Lunch" not in log


async def test_a_moderator_invites_and_moderates_in_one_room_alone(start_gateway):
    gateway = await start_gateway("--auth-key", KEY)
    mine = {"Authorization": f"Bearer {token(room='lounge', moderate=True, publish=True, subscribe=True)}"}
    guests = {"Authorization": f"Bearer {token(room='lounge')}"}
    async with StateAPI(gateway) as api:
        assert (await api.ask("POST", f"{ROOM}/invites", guests, body={}))[0] == 403
        assert (await api.ask("POST", "/api/v1/rooms/other/invites", mine, body={}))[0] == 403
        assert (await api.ask("GET", "/api/v1/rooms", mine))[0] == 403
        assert (await api.ask("POST", f"{ROOM}/invites", mine, body={"moderate": True}))[0] == 403
        assert (await api.ask("POST", f"{ROOM}/invites", mine, body={"expiresIn": 604_801}))[0] == 400
        status, invite = await api.ask(
            "POST", f"{ROOM}/invites", mine, body={"name": "Guest", "publish": False, "data": False, "expiresIn": 600})
        assert status == 201
        async with ProtooClient(gateway, "lounge", "guest", query=f"&token={invite['token']}") as guest:
            answer = await guest.join("Somebody")
            assert answer["displayName"] == "Guest" and answer["permissions"] == {
                "publish": False, "subscribe": True, "data": False, "moderate": False}
            people = await api.ask("GET", f"{ROOM}/peers", mine)
            assert [one["id"] for one in people[1]["peers"]] == ["guest"]
            assert await api.ask("DELETE", f"{ROOM}/peers/guest", mine) == (204, None)
            await until(lambda: guest.close_code == 4000, 30, "he is sent away")
        assert invite["token"] not in gateway.log and invite["id"] in gateway.log


async def test_pages_of_allowed_origins_use_the_api_and_others_cannot(start_gateway):
    gateway = await start_gateway("--admin-token", TOKEN, "--allowed-origin", "https://desk.example")
    async with StateAPI(gateway) as api:
        async def asked(method, origin, **more):
            headers = dict(HEADERS, Origin=origin, **more)
            async with api.session.request(method, f"{api.url}/api/v1/rooms", headers=headers) as answer:
                return answer.status, answer.headers
        status, headers = await asked("OPTIONS", "https://desk.example", **{"Access-Control-Request-Method": "POST"})
        assert status == 204 and headers["Access-Control-Allow-Origin"] == "https://desk.example"
        assert "POST" in headers["Access-Control-Allow-Methods"]
        assert "Authorization" in headers["Access-Control-Allow-Headers"] and "Origin" in headers["Vary"]
        status, headers = await asked("GET", "https://desk.example")
        assert status == 200 and headers["Access-Control-Allow-Origin"] == "https://desk.example"
        assert "Access-Control-Allow-Credentials" not in headers
        for method in ("OPTIONS", "GET"):
            assert "Access-Control-Allow-Origin" not in (await asked(method, "https://evil.example"))[1]
        assert (await asked("POST", "https://evil.example"))[0] == 403


async def test_a_room_that_has_ended_can_be_asked_about(start_gateway):
    gateway = await start_gateway("--admin-token", TOKEN)
    async with StateAPI(gateway) as api:
        async with populated_room(gateway):
            assert (await api.get("/api/v1/history"))["total"] == 0
            assert isinstance((await api.get("/api/v1/rooms/lounge/minutes"))["minutes"], list)
        async def has_ended():
            return (await api.get("/api/v1/history?name=LOUNGE"))["total"] == 1
        await until(has_ended, 30, "the room has ended")
        (ended,) = (await api.get("/api/v1/history"))["rooms"]
        assert ended["joined"] == ended["mostAtOnce"] == 2 and ended["openedAt"] <= ended["closedAt"]
        assert [one["displayName"] for one in ended["people"]] == ["Ann", "Ben"]
        assert {one["reason"] for one in ended["people"]} == {"disconnected"}
        record = await api.get(f"/api/v1/history/{ended['number']}")
        assert record["events"][-1]["type"] == "room-closed" and record["people"] == ended["people"]
        assert isinstance(record["minutes"], list)
        assert 'name=Ann' in gateway.log and "reason=disconnected" in gateway.log and "peer left" in gateway.log
        for nothing in ("0", "99", "x", "-1"):
            assert (await api.ask("GET", f"/api/v1/history/{nothing}"))[0] == 404
