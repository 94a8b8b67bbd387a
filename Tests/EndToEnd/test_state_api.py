"""/api/v1: what it answers, what it changes, who may, its events, and its document, over HTTP/1.1 and HTTP/2."""

import asyncio
import contextlib
import json
import subprocess
import sys

import pytest_asyncio
import websockets
from openapi_spec_validator import validate

from call import Person
from protoo import ProtooClient, Refused
from stateapi import HEADERS, TOKEN, StateAPI, populated_room
from test_http2 import run
from waiting import until

FIELD = f"Authorization: Bearer {TOKEN}"


@pytest_asyncio.fixture
async def gateway(start_gateway):
    return await start_gateway("--admin-token", TOKEN)


async def test_the_document_is_valid_openapi(gateway):
    async with StateAPI(gateway) as api:
        assert api.document["openapi"].startswith("3.1")
        validate(api.document)


async def test_every_answer_is_as_the_document_says(gateway):
    async with StateAPI(gateway) as api, populated_room(gateway) as (_, viewer, made):
        await until(lambda: len(viewer.requests) == 2, 30, "the viewer is offered both")
        room = "/api/v1/rooms/lounge"
        assert await api.get("/api/v1/rooms") == {"total": 1, "rooms": [await api.get(room)]}
        peers = await api.get(f"{room}/peers")
        assert [one["id"] for one in peers["peers"]] == ["ann", "ben"]
        assert await api.get(f"{room}/peers/ann") == peers["peers"][0]
        assert (peers["peers"][0]["producers"], peers["peers"][1]["consumers"]) == (2, 2)
        for name, count in (("transports", 2), ("producers", 2), ("consumers", 2)):
            page = await api.get(f"{room}/{name}")
            assert len(page[name]) == page["total"] == count and page["complete"]
            for one in page[name]:
                again = await api.get(f"{room}/{name}/{one['id']}")
                assert again["id"] == one["id"] and again["peerId"] == one["peerId"]
        sound = await api.get(f"{room}/producers?kind=audio&peer=ann&paused=false")
        assert [one["id"] for one in sound["producers"]] == [made["audio"]]
        assert (await api.get(f"{room}/producers?peer=ben"))["total"] == 0
        fed = await api.get(f"{room}/consumers?producer={made['video']}")
        assert [one["producerId"] for one in fed["consumers"]] == [made["video"]]
        assert (await api.get(f"{room}/consumers?limit=1&offset=1"))["total"] == 2
        snapshot = await api.get(f"{room}/snapshot")
        assert snapshot["id"] == "lounge" and len(snapshot["peers"]) == 2
        recent = (await api.get(f"{room}/events?limit=1000"))["events"]
        assert [one["sequence"] for one in recent] == list(range(1, len(recent) + 1))
        server = await api.get("/api/v1/server")
        assert server["open"] == {"rooms": 1, "peers": 2, "transports": 2, "producers": 2, "consumers": 2}, server
        assert not server["draining"] and 0 <= server["time"] - server["startedAt"] < 600_000
        assert {one["port"] for one in server["mediaAddresses"]} == set(gateway.media_ports)
        assert "video/VP8" in server["codecs"] and server["limits"]["peersPerRoom"] == 1000
        shards = await api.get("/api/v1/shards")
        assert [one["shard"] for one in shards["shards"]] == [0, 1]
        for path in ("", "/snapshot", "/events", "/peers", "/producers", "/peers/ann"):
            assert (await api.ask("GET", f"/api/v1/rooms/nobody{path}"))[0] == 404
        for path in ("peers/x", "transports/x", "producers/x", "consumers/x"):
            assert (await api.ask("GET", f"{room}/{path}"))[0] == 404
        for query in ("limit=0", "limit=x", "kind=smell", "paused=maybe", "what=1", "limit=1&limit=2"):
            assert (await api.ask("GET", f"{room}/producers?{query}"))[0] == 400


async def test_a_request_without_a_token_is_refused(gateway, start_gateway):
    open_gateway = await start_gateway()
    async with StateAPI(gateway) as api, StateAPI(open_gateway) as open_api, populated_room(open_gateway):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
            assert (await api.ask("GET", "/api/v1/rooms", headers))[0] == 401
            assert (await api.ask("DELETE", "/api/v1/rooms/lounge", headers))[0] == 401
        # Without a token: this machine may read, a proxy's clients may not, nobody may change.
        assert (await open_api.ask("GET", "/api/v1/rooms", {}))[0] == 200
        assert (await open_api.ask("GET", "/api/v1/rooms", {"X-Forwarded-For": "192.0.2.1"}))[0] == 403
        assert (await open_api.ask("GET", "/api/v1/rooms", {"Host": "evil.example"}))[0] == 403
        for method, path in (("DELETE", ""), ("DELETE", "/peers/ann"), ("POST", "/producers/x/pause")):
            assert (await open_api.ask(method, f"/api/v1/rooms/lounge{path}", {}))[0] == 403


async def test_an_operator_pauses_kicks_and_closes(gateway):
    async with StateAPI(gateway) as api, populated_room(gateway) as (sender, viewer, made):
        await until(lambda: len(viewer.requests) == 2, 30, "the viewer is offered both")
        room = "/api/v1/rooms/lounge"
        sound = f"{room}/producers/{made['audio']}"
        for _ in range(2):
            assert await api.ask("POST", f"{sound}/pause") == (204, None)
        await until(lambda: viewer.heard("consumerPaused"), 30, "the viewer is notified of the pause")
        assert (await api.get(sound))["paused"]
        assert await api.ask("POST", f"{sound}/resume") == (204, None)
        await until(lambda: viewer.heard("consumerResumed"), 30, "the viewer is notified of the end of the pause")
        assert await api.ask("DELETE", f"{room}/peers/ann") == (204, None)
        assert (await api.ask("DELETE", f"{room}/peers/ann"))[0] == 404
        await until(lambda: sender.close_code == 4000, 30, "the kicked peer's connection is closed")
        await until(lambda: viewer.heard("peerClosed"), 30, "the other peer is notified")
        assert await api.ask("DELETE", room) == (204, None)
        await until(lambda: viewer.close_code == 4000, 30, "the room's last peer is sent away")
        assert (await api.get("/api/v1/rooms"))["total"] == 0


async def test_events_tell_a_room_from_its_opening_to_its_end(gateway):
    async with StateAPI(gateway) as api, api.events() as events:
        await until(lambda: events, 30, "the stream begins")
        assert events[0]["event"] == "hello" and not events[0]["data"]["gap"]
        async with populated_room(gateway) as (_, viewer, made):
            await until(lambda: len(viewer.requests) == 2, 30, "the viewer is offered both")
            await api.ask("POST", f"/api/v1/rooms/lounge/producers/{made['video']}/pause")
        await until(lambda: events[-1]["event"] == "room-closed", 30, "the end is reported")
        told = [one["data"] for one in events[1:]]
        assert [one["sequence"] for one in told] == list(range(1, len(told) + 1))
        kinds = [one["type"] for one in told]
        for kind in ("room-opened", "peer-joined", "transport-opened", "producer-opened", "consumer-opened",
                     "producer-paused", "consumer-closed", "producer-closed", "transport-closed", "peer-left"):
            assert kind in kinds, kind
        # A reader that comes back gets the rest, once; of another room nothing.
        middle = len(events) // 2
        async with api.events(last=events[middle]["id"]) as again:
            await until(lambda: len(again) == len(events) - middle, 30, "the rest is sent")
            assert again[0]["event"] == "hello" and not again[0]["data"]["gap"]
            assert again[1:] == events[middle + 1:]
        async with api.events(last="1-1", room="elsewhere") as elsewhere:
            await until(lambda: elsewhere, 30, "the stream begins")
            assert elsewhere[0]["data"]["gap"]


async def test_events_come_over_http2_too(gateway):
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", "-N", "--http2-prior-knowledge", "-H", FIELD, f"{gateway.url}/api/v1/events",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    try:
        async def line(start):
            while True:
                text = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
                assert text, (await process.stderr.read()).decode()
                if text.startswith(start):
                    return text.strip()
        assert await line("event:") == "event: hello"
        async with populated_room(gateway):
            assert await line("event:") == "event: room-opened"
            data = json.loads((await line("data:"))[6:])
            assert data["room"] == "lounge" and data["sequence"] == 1
        assert (await gateway.metrics())["roundhouse_gateway_open_event_streams"] == 1
    finally:
        process.kill()
        await process.wait()
    name = 'roundhouse_gateway_event_streams_ended_total{ending="client_left"}'

    async def is_counted():
        return (await gateway.metrics())[name] == 1
    await until(is_counted, 30, "the stream that was left is counted")


async def test_other_programs_read_it_over_h2_and_h2c(start_gateway):
    gateway = await start_gateway("--tls", "self-signed", "--admin-token", TOKEN)
    https = gateway.url.replace("http:", "https:")
    async with populated_room(gateway):
        for base, options in ((gateway.url, ["--http2-prior-knowledge"]), (https, ["-k", "--http2"])):
            text = await run(
                "curl", "-sS", *options, "-H", FIELD, "-w", "\n%{http_version} %{http_code}", f"{base}/api/v1/rooms")
            body, _, told = text.rpartition("\n")
            assert told == "2 200" and json.loads(body)["rooms"][0]["id"] == "lounge"
            text = await run(
                "curl", "-sS", *options, "-H", FIELD, "-o", "/dev/null", "-w", "%{http_version} %{http_code}",
                "-X", "POST", f"{base}/api/v1/rooms/lounge/producers/none/pause")
            assert text == "2 404"
            text = await run("nghttp", "-v", "-H", FIELD, f"{base}/api/v1/rooms/lounge/snapshot")
            assert ":status: 200" in text and '"complete":true' in text, text
            text = await run(
                "h2load", "-n", "1000", "-c", "4", "-m", "10", "-H", FIELD, f"{base}/api/v1/rooms/lounge/peers")
            assert "1000 succeeded, 0 failed, 0 errored, 0 timeout" in text, text
            assert "status codes: 1000 2xx" in text, text


async def schemathesis(gateway, artifacts, ids, *options):
    """Has schemathesis ask what the document knows, with these names in its paths; fails on whatever it finds."""
    configuration = artifacts / "schemathesis.toml"
    lines = ["[parameters]", *(f'"path.{name}" = {json.dumps(value)}' for name, value in ids.items())]
    configuration.write_text("\n".join(lines) + "\n")
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration), "run",
        f"{gateway.url}/api/openapi.json", "-H", FIELD, "--checks", "all", "--exclude-checks", "ignored_auth",
        "--phases", "examples,coverage,fuzzing", "--max-examples", "15", "--seed", "1", "--max-time", "20",
        "--no-shrink", *options]
    # In a folder of its own: it leaves notes for the next run.
    done = await asyncio.to_thread(subprocess.run, command, cwd=artifacts, capture_output=True, text=True, timeout=180)
    (artifacts / "schemathesis.txt").write_text(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    gateway.assert_alive()
    metrics = await gateway.metrics()
    assert not [name for name in metrics if 'responses_total{status="5' in name], "a server error"
    return metrics


async def test_schemathesis_finds_nothing(gateway, artifacts):
    async with populated_room(gateway) as (_, viewer, made):
        await until(lambda: len(viewer.requests) == 2, 30, "the viewer is offered both")
        ids = {"room": "lounge", "peer": "ben", "producer": made["video"],
               "consumer": viewer.requests[0]["data"]["id"]}
        async with StateAPI(gateway) as api:
            ids["transport"] = (await api.get("/api/v1/rooms/lounge/transports"))["transports"][0]["id"]
        # What there is; what there is not is a test of its own. The streams have no end, and the room has to stay.
        metrics = await schemathesis(
            gateway, artifacts, ids, "--exclude-path-regex", "(v1|why)/events$", "--exclude-method", "DELETE")
        assert metrics['roundhouse_gateway_http_responses_total{status="200"}'] > 50


async def test_schemathesis_finds_nothing_in_what_deletes(gateway, artifacts):
    """Rooms that are closed and peers that are sent away, while they come again and again."""
    async def come_again(peer):
        while True:
            # A room may end while it is entered, at any point.
            with contextlib.suppress(ConnectionError, Refused, AssertionError, websockets.WebSocketException):
                async with ProtooClient(gateway, "doomed", peer) as client:
                    await client.join()
                    await client.socket.wait_closed()

    peers = [asyncio.create_task(come_again(name)) for name in ("ann", "ben", "cyd")]
    try:
        metrics = await schemathesis(
            gateway, artifacts, {"room": "doomed", "peer": "ben"}, "--include-method", "DELETE")
        # Both what there was and what there was no longer.
        assert metrics['roundhouse_gateway_http_responses_total{status="204"}'] > 2
        assert metrics['roundhouse_gateway_websocket_closes_total{code="4000"}'] > 2
    finally:
        for task in peers:
            task.cancel()
        ended = await asyncio.gather(*peers, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended


async def test_the_stream_refuses_as_the_document_says(gateway):
    """What schemathesis cannot ask, since the stream has no end."""
    async with StateAPI(gateway) as api:
        assert (await api.ask("GET", "/api/v1/events", {}))[0] == 401
        assert (await api.ask("GET", "/api/v1/events", {"Authorization": "Bearer wrong"}))[0] == 401
        for query in ("what=1", "room=a&room=b", "lastEventId=%00", "room=" + "x" * 300):
            assert (await api.ask("GET", f"/api/v1/events?{query}"))[0] == 400, query
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            async with api.session.request(method, f"{api.url}/api/v1/events", headers=HEADERS) as answer:
                assert answer.status == 405 and "GET" in answer.headers["Allow"]
        # A place that never was is a gap, not an error.
        for last in ("nonsense", "0-0", "99999999999999999999-1", "-1", "1-1-1"):
            async with api.events(last=last) as events:
                await until(lambda: events, 30, "the stream begins")
                assert events[0]["event"] == "hello" and events[0]["data"]["gap"], last


async def test_statistics_of_a_call_are_as_the_document_says(gateway, chromium):
    """Real media: every counter that a browser's streams bring about."""
    people = [await Person(await chromium.page(), gateway.url, "call", name).enter() for name in ("Ada", "Grace")]
    async with StateAPI(gateway) as api:
        for person in people:
            await person.sees_and_hears(seconds=60)

        async def flows():
            snapshot = await api.get("/api/v1/rooms/call/snapshot")
            transports = [each for peer in snapshot["peers"] for each in peer["transports"]]
            streams = [stream for each in transports for name in ("producers", "consumers") for one in each[name]
                       for stream in one["streams"] if stream["type"] == ("inbound-rtp" if name == "producers"
                                                                          else "outbound-rtp")]
            return len(streams) >= 8 and all(one["packetCount"] > 0 for one in streams if one["kind"] == "audio")
        await until(flows, 60, "every stream is counted", every=0.5)
        await qualities_are_measured(gateway)
        await explanations_are_as_the_document_says(api)
        for name in ("transports", "producers", "consumers"):
            assert (await api.get(f"/api/v1/rooms/call/{name}"))["complete"]
        sent = await api.get("/api/v1/rooms/call/consumers?kind=video")
        assert {one["type"] for one in sent["consumers"]} <= {"simple", "simulcast", "svc"}


async def qualities_are_measured(gateway):
    """Every histogram has values of both kinds of media, plausible ones for loopback, and joining took time."""
    names = ("round_trip_seconds", "loss_ratio", "jitter_seconds", "uplink_loss_ratio", "uplink_jitter_seconds")

    async def counted():
        metrics = await gateway.metrics()
        return all(metrics[f'roundhouse_media_{name}_count{{kind="{kind}"}}'] > 0
                   for name in names for kind in ("audio", "video"))
    await until(counted, 60, "reports of all kinds are measured", every=0.5)
    metrics = await gateway.metrics()
    for name in names:
        for kind in ("audio", "video"):
            mean = (metrics[f'roundhouse_media_{name}_sum{{kind="{kind}"}}']
                    / metrics[f'roundhouse_media_{name}_count{{kind="{kind}"}}'])
            assert 0 <= mean < 0.5, (name, kind, mean)
    assert metrics["roundhouse_rooms_join_seconds_count"] == 2
    assert 0 < metrics["roundhouse_rooms_join_seconds_sum"] < 60
    assert metrics["roundhouse_gateway_signaling_request_seconds_count"] > 10
    assert metrics["roundhouse_gateway_http_request_seconds_count"] > 10
    for way in ("received", "forwarded"):
        audio, all_media = (sum(value for name, value in metrics.items()
                                if name.startswith(f"roundhouse_media_{kind}packets_{way}_total"))
                            for kind in ("audio_", ""))
        assert 0 < audio < all_media, way


async def explanations_are_as_the_document_says(api):
    peers = (await api.get("/api/v1/rooms/call/peers"))["peers"]
    path = f"/api/v1/rooms/call/peers/{peers[0]['id']}/why"
    for query in ("", "?history=true", "?ago=600000", "?ago=1500&history=true&format=json"):
        explanation = await api.get(path + query)
        assert explanation["displayName"] == peers[0]["displayName"] and explanation["complete"]
    for query in ("?ago=600001", "?ago=-1", "?ago=x", "?history=perhaps", "?format=html", "?what=1"):
        assert (await api.ask("GET", path + query))[0] == 400, query
    assert (await api.ask("GET", path.replace(peers[0]["id"], "nobody")))[0] == 404
    async with api.session.get(api.url + path, headers=dict(HEADERS, Accept="text/plain")) as answer:
        assert answer.content_type == "text/plain"
        assert (await answer.text()).startswith(f"What {peers[0]['displayName']} (")
    schemas = {"explanation": "Explanation", "sample": "TransportExplanation"}
    async with api.events(path=path + "/events", schemas=schemas) as events:
        await until(lambda: sum(one["event"] == "sample" for one in events) >= 3, 30, "three samples come")
        assert events[0]["event"] == "explanation"
        # An end with the peer.
        assert (await api.ask("DELETE", path.removesuffix("/why")))[0] == 204
