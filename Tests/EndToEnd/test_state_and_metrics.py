"""What an operator can read: /healthz, /rooms, /rooms/{id}, /metrics."""

import re

from gateway import ROOT
from protoo import NOBODYS_FINGERPRINT, ProtooClient, audio_parameters, video_parameters
from waiting import until


def rooms_of(answer):
    return answer["rooms"] if isinstance(answer, dict) else answer


async def test_a_room_is_listed_while_somebody_is_in_it(gateway):
    assert rooms_of(await gateway.json("/rooms")) == []
    assert (await gateway.get("/rooms/lounge"))[0] == 404
    async with ProtooClient(gateway, "lounge", "a") as first, ProtooClient(gateway, "lounge", "b") as second:
        await first.join("Ann")
        await second.join("Ben")
        listed = rooms_of(await gateway.json("/rooms"))
        assert [(room["id"], room["peers"]) for room in listed] == [("lounge", 2)]
        room = await gateway.json("/rooms/lounge")
        assert [(peer["id"], peer["displayName"]) for peer in room["peers"]] == [("a", "Ann"), ("b", "Ben")]

    async def gone():
        return rooms_of(await gateway.json("/rooms")) == []
    await until(gone, 5, "the empty room has closed itself")


async def test_a_rooms_page_shows_its_transports_producers_and_consumers(gateway):
    async with ProtooClient(gateway, "show", "sender") as sender, ProtooClient(gateway, "show", "viewer") as viewer:
        capabilities = await sender.request("getRouterRtpCapabilities")
        await sender.join(capabilities=capabilities)
        await viewer.join(capabilities=capabilities)
        receive = (await viewer.open_transport(consuming=True))["id"]
        send = (await sender.open_transport(producing=True))["id"]
        await sender.request("connectWebRtcTransport", {
            "transportId": send, "dtlsParameters": {"role": "client", "fingerprints": [NOBODYS_FINGERPRINT]}})
        made = {}
        streams = {"audio": audio_parameters(capabilities, 11), "video": video_parameters(capabilities, 21)}
        for kind, parameters in streams.items():
            made[kind] = (await sender.request("produce", {
                "transportId": send, "kind": kind, "rtpParameters": parameters, "appData": {"source": kind}}))["id"]
        await until(lambda: len(viewer.requests) == 2, 5, "the viewer is offered both")
        for request in viewer.requests:
            data = request["data"]
            assert data["producerId"] == made[data["kind"]]
            assert data["peerId"] == "sender"
            assert data["appData"]["source"] == data["kind"]
            assert data["rtpParameters"]["encodings"][0]["ssrc"]
        room = await gateway.json("/rooms/show")
        by_peer = {peer["id"]: peer["transports"] for peer in room["peers"]}
        (out,) = by_peer["sender"]
        assert out["id"] == send and out["iceState"] == "new" and out["dtlsState"] in ("new", "connecting")
        assert {one["kind"]: one["id"] for one in out["producers"]} == made
        (into,) = by_peer["viewer"]
        assert into["id"] == receive
        assert {one["producerId"] for one in into["consumers"]} == set(made.values())
        assert {one["id"] for one in into["consumers"]} == {request["data"]["id"] for request in viewer.requests}

        # Pausing is seen by the viewer and on the page.
        await sender.request("pauseProducer", {"producerId": made["audio"]})
        await until(lambda: viewer.heard("consumerPaused"), 5, "the viewer is notified of the pause")
        room = await gateway.json("/rooms/show")
        (out,) = next(peer["transports"] for peer in room["peers"] if peer["id"] == "sender")
        assert [one["paused"] for one in out["producers"] if one["kind"] == "audio"] == [True]


async def test_a_peer_that_vanishes_leaves_and_everybody_is_notified(gateway):
    async with ProtooClient(gateway, "vanish", "stays") as stays:
        await stays.join()
        async with ProtooClient(gateway, "vanish", "goes") as goes:
            await goes.join("Goes")
            await until(lambda: stays.heard("newPeer"), 5, "the newcomer is announced")
            assert stays.heard("newPeer")[0]["id"] == "goes"
            # No closing handshake: the connection is cut.
            goes.socket.transport.abort()
        await until(lambda: stays.heard("peerClosed"), 5, "the loss is announced")
        assert stays.heard("peerClosed") == [{"peerId": "goes"}]


async def test_metrics_are_prometheus_text_and_documented(gateway):
    async with ProtooClient(gateway, "metrics", "peer") as client:
        await client.join()
        await client.open_transport(producing=True)
        metrics = await gateway.metrics()
    names = {re.sub(r"\{.*", "", name) for name in metrics}
    assert any("shard" in name for name in metrics), "nothing about shards"
    assert any("drop" in name for name in names), "nothing about drops"
    assert any("packets" in name for name in names), "nothing about packets"
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names), names
    explained = (ROOT / "Docs/Operations.md").read_text()
    missing = {name for name in names if f"`{re.sub(r'_(bucket|sum|count)$', '', name)}" not in explained}
    assert not missing, f"Docs/Operations.md does not explain {sorted(missing)}"


async def test_counters_only_grow(gateway):
    before = await gateway.metrics()
    async with ProtooClient(gateway, "grow", "peer") as client:
        await client.join()
    after = await gateway.metrics()
    for name, value in before.items():
        if name.split("{")[0].endswith("_total"):
            assert after.get(name, 0) >= value, name


async def test_the_page_and_its_files_are_served_with_their_types(gateway):
    status, page = await gateway.get("/")
    assert status == 200 and "<html" in page
    files = re.findall(r'(?:src|href)="([^"#:]+\.(?:js|css|svg))"', page)
    assert any(name.endswith(".js") for name in files), page
    for name in files:
        assert (await gateway.get("/" + name.lstrip("/")))[0] == 200, name
