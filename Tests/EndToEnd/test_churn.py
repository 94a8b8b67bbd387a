"""Rooms that come and go: memory and descriptors return to where they were."""

import asyncio
import os
import time

import pytest

from protoo import NOBODYS_FINGERPRINT, ProtooClient, audio_parameters, video_parameters
from waiting import until

ROOMS, PEERS = 200, 4
# `make soak` takes longer.
SECONDS = int(os.environ.get("ROUNDHOUSE_SOAK_SECONDS", "20"))
WARM_UP = 8
AT_ONCE = 40


async def visit(gateway, room):
    """Four peers meet in a room: each opens two transports, sends audio and video, is offered the others', leaves."""
    clients = [ProtooClient(gateway, room, f"peer{number}") for number in range(PEERS)]
    for client in clients:
        await client.__aenter__()
    try:
        capabilities = await clients[0].request("getRouterRtpCapabilities", timeout=30)
        for number, client in enumerate(clients):
            await client.request(
                "createWebRtcTransport", {"forceTcp": False, "producing": False, "consuming": True}, 30)
            send = (await client.request(
                "createWebRtcTransport", {"forceTcp": False, "producing": True, "consuming": False}, 30))["id"]
            await client.request("join", {
                "displayName": client.peer, "device": {"flag": "t", "name": "t", "version": "1"},
                "rtpCapabilities": capabilities}, 30)
            await client.request("connectWebRtcTransport", {
                "transportId": send, "dtlsParameters": {"role": "client", "fingerprints": [NOBODYS_FINGERPRINT]}}, 30)
            for kind, parameters in (
                ("audio", audio_parameters(capabilities, 1000 + number)),
                ("video", video_parameters(capabilities, 2000 + 2 * number)),
            ):
                await client.request("produce", {
                    "transportId": send, "kind": kind, "rtpParameters": parameters, "appData": {}}, 30)
        wanted = 2 * (PEERS - 1)
        await until(
            lambda: all(len(client.requests) == wanted for client in clients), 30, "everybody is offered everything")
    finally:
        # Half of them say goodbye, the others just vanish.
        for number, client in enumerate(clients):
            if number % 2:
                client.socket.transport.abort()
            await client.__aexit__()


async def round_of_rooms(gateway, number):
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(index):
        async with gate:
            await visit(gateway, f"room-{number}-{index}")

    await asyncio.gather(*(one(index) for index in range(ROOMS)))


async def settled(gateway):
    async def empty():
        answer = await gateway.json("/rooms")
        return (answer["rooms"] if isinstance(answer, dict) else answer) == []
    await until(empty, 15, "every room has closed itself", every=0.2)


@pytest.mark.timeout(1200 + 2 * SECONDS)
async def test_memory_stays_while_rooms_are_joined_and_left(gateway, artifacts):
    history = []

    async def another():
        await round_of_rooms(gateway, len(history))
        await settled(gateway)
        history.append(gateway.resident_bytes())

    # The first rounds fill tables, pools and the allocator's arenas; what counts is that later ones add nothing.
    for _ in range(WARM_UP):
        await another()
    memory, descriptors = max(history), gateway.open_descriptors()
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        await another()
    (artifacts / "memory.txt").write_text("\n".join(str(one) for one in history) + "\n")
    peers = (len(history) - WARM_UP) * ROOMS * PEERS
    growth = history[-1] - memory
    assert growth < 6 << 20, f"{growth / 1e6:.1f} MB more after {peers} peers: {history}"

    async def returned():
        return gateway.open_descriptors() <= descriptors + 2
    await until(returned, 15, "descriptors are given back", every=0.2)
