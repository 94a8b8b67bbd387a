"""Programs that others would write: a client generated from the OpenAPI document, and the example in Docs."""

import asyncio
import os
import subprocess
import sys

import network
from gateway import ROOT
from protoo import ProtooClient
from stateapi import TOKEN, populated_room
from test_webhooks import SECRET
from waiting import until

GENERATED = """
import sys
from roundhouse_client import AuthenticatedClient
from roundhouse_client.api.change import create_room, lock_room, mute_everybody, change_peer
from roundhouse_client.api.read import list_all_peers, list_producers, list_recent_events, list_rooms
from roundhouse_client.models import (NewRoom, Mute, PeerJoinedEvent, ProducerOpenedEvent, RoomOpenedEvent,
                                      PermissionChange, PermissionChangePermissions, Error)

with AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2], raise_on_unexpected_status=True) as client:
    made = create_room.sync(client=client, body=NewRoom(name="class", max_peers=3))
    assert made.id == "class" and made.max_peers == 3 and not made.locked
    assert isinstance(create_room.sync(client=client, body=NewRoom(name="class")), Error)
    assert [room.id for room in list_rooms.sync(client=client).rooms] == ["class", "lounge"]
    events = list_recent_events.sync("lounge", client=client, limit=1000).events
    kinds = [type(event) for event in events]
    assert kinds[0] is RoomOpenedEvent and PeerJoinedEvent in kinds and ProducerOpenedEvent in kinds, kinds
    joined = next(event for event in events if isinstance(event, PeerJoinedEvent))
    assert joined.data.display_name == "Ann" and joined.type_ == "peer-joined"
    people = list_all_peers.sync(client=client)
    assert {person.id for person in people.peers} == {"ann", "ben"}
    assert {one.kind.value for one in list_producers.sync("lounge", client=client).producers} == {"audio", "video"}
    assert mute_everybody.sync("lounge", client=client, body=Mute()).paused == 1
    assert lock_room.sync_detailed("lounge", client=client).status_code == 204
    changed = change_peer.sync("lounge", "ann", client=client, body=PermissionChange(
        permissions=PermissionChangePermissions(publish=False)))
    assert changed.permissions.subscribe and not changed.permissions.publish
print("worked")
"""


# The same of a client by openapi-generator, which makes those of programs in Java, Go, C# and others, too.
BY_OPENAPI_GENERATOR = """
import sys
import rh

with rh.ApiClient(rh.Configuration(host=sys.argv[1], access_token=sys.argv[2])) as client:
    read, change = rh.ReadApi(client), rh.ChangeApi(client)
    made = change.create_room(rh.NewRoom(name="class", maxPeers=3))
    assert made.id == "class" and made.max_peers == 3
    assert [room.id for room in read.list_rooms().rooms] == ["class", "lounge"]
    events = read.list_recent_events("lounge", limit=1000).events
    events = [getattr(event, "actual_instance", event) for event in events]
    assert isinstance(events[0], rh.RoomOpenedEvent), events[0]
    joined = next(event for event in events if isinstance(event, rh.PeerJoinedEvent))
    assert joined.data.display_name == "Ann" and joined.type == "peer-joined"
    assert {person.id for person in read.list_all_peers().peers} == {"ann", "ben"}
    assert read.list_minutes("lounge").minutes is not None
    assert change.mute_everybody("lounge", rh.Mute()).paused == 1
    try:
        read.get_room("nowhere")
    except rh.exceptions.NotFoundException as refusal:
        assert "room-not-found" in refusal.body
    else:
        raise AssertionError("a room that is none")
print("worked")
"""


async def ran(*command, **environment):
    def work():
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment})
    return await asyncio.to_thread(work)


async def test_a_generated_client_works(start_gateway, tmp_path):
    gateway = await start_gateway("--admin-token", TOKEN)
    document = ROOT / "Sources/Gateway/Page/api/openapi.json"
    done = await ran(
        sys.executable, "-m", "openapi_python_client", "generate", "--path", str(document), "--meta", "none",
        "--output-path", str(tmp_path / "roundhouse_client"), "--overwrite")
    assert done.returncode == 0, done.stdout + done.stderr
    # Of the document there is nothing to complain about; its own formatter may be missing.
    assert "Unable to" not in done.stdout and "duplicate" not in done.stdout, done.stdout
    async with populated_room(gateway) as (_, viewer, __):
        await until(lambda: len(viewer.requests) == 2, 30, "the viewer is offered both")
        done = await ran(sys.executable, "-c", GENERATED, gateway.url, TOKEN, PYTHONPATH=str(tmp_path))
        assert done.stdout.strip() == "worked", done.stdout + done.stderr


async def test_a_client_by_openapi_generator_works(start_gateway, tmp_path):
    gateway = await start_gateway("--admin-token", TOKEN)
    done = await ran(
        os.path.join(os.path.dirname(sys.executable), "openapi-generator-cli"), "generate", "-g", "python",
        "--package-name", "rh",
        "-i", str(ROOT / "Sources/Gateway/Page/api/openapi.json"), "-o", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    async with populated_room(gateway) as (_, viewer, __):
        await until(lambda: len(viewer.requests) == 2, 30, "the viewer is offered both")
        done = await ran(sys.executable, "-c", BY_OPENAPI_GENERATOR, gateway.url, TOKEN, PYTHONPATH=str(tmp_path))
        assert done.stdout.strip() == "worked", done.stdout + done.stderr


async def test_the_example_operates_a_server(start_gateway, monkeypatch):
    monkeypatch.setenv("ROUNDHOUSE_WEBHOOK_SECRET", SECRET)
    port = network.free_ports()
    example = [sys.executable, str(ROOT / "Docs/examples/operate.py")]
    receiver = await asyncio.create_subprocess_exec(
        *example, f"http://127.0.0.1:{port}", "receive", stdout=asyncio.subprocess.PIPE)
    gateway = await start_gateway("--admin-token", TOKEN, "--webhook", f"http://127.0.0.1:{port}/")
    follower = await asyncio.create_subprocess_exec(
        *example, gateway.url, "events", stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "ROUNDHOUSE_ADMIN_TOKEN": TOKEN})

    async def operate(*words):
        done = await ran(*example, gateway.url, *words, ROUNDHOUSE_ADMIN_TOKEN=TOKEN)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    async def line(process, beginning):
        while True:
            text = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
            assert text, "it ended"
            if text.startswith(beginning):
                return text
    try:
        async def is_followed():
            return (await gateway.metrics())["roundhouse_gateway_open_event_streams"] == 1
        await until(is_followed, 30, "the example follows the events")
        assert await operate("create", "class", "--password", "sesame") == "class"
        assert await operate("rooms") == "class 0"
        async with ProtooClient(gateway, "class", "ada", query="&password=sesame") as ada:
            await ada.join("Ada")
            assert await operate("people", "AD") == "class ada Ada"
            await operate("say", "class", "Five minutes.")
            await until(lambda: ada.heard("operatorMessage"), 30, "the message comes")
        for process in (follower, receiver):
            assert "Ada" in await line(process, "class peer-joined")
            assert await line(process, "class room-closed")
        done = await ran(*example, gateway.url, "rooms", ROUNDHOUSE_ADMIN_TOKEN="wrong")
        assert done.returncode == 1 and "401 unauthorized" in done.stderr
    finally:
        for process in (receiver, follower):
            process.kill()
            await process.wait()
