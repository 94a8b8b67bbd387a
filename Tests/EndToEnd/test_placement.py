"""Which media thread a client's transports land on, by the port their candidates name."""

import collections
import contextlib

import pytest

from protoo import ProtooClient


@pytest.mark.parametrize("shards", [1, 2, 3, 4, 8])
async def test_clients_that_join_as_clients_do_load_every_media_thread_with_senders_and_receivers(
        start_gateway, shards):
    gateway = await start_gateway(shards=shards)
    ports = {"send": collections.Counter(), "receive": collections.Counter()}
    async with contextlib.AsyncExitStack() as stack:
        for index in range(24):
            client = await stack.enter_async_context(ProtooClient(gateway, f"room{index // 8}", f"peer{index}"))
            for use, flags in [("send", (True, False)), ("receive", (False, True))]:
                transport = await client.request(
                    "createWebRtcTransport", {"forceTcp": False, "producing": flags[0], "consuming": flags[1]})
                ports[use][transport["iceCandidates"][0]["port"]] += 1
        for use, counts in ports.items():
            assert set(counts) == set(gateway.media_ports), (use, counts)
            assert set(counts.values()) == {24 // shards}, (use, counts)
