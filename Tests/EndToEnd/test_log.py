"""The log: who is in it, in which form, and that nobody waits for whoever reads it."""

import asyncio
import json
import os
import re
import signal
import socket
import time

import aiohttp

from gateway import BINARY
from protoo import ProtooClient
from tokens import KEY, OTHER_KEY, token
from waiting import until


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


async def test_a_log_that_nobody_reads_stops_nobody():
    """With standard error a pipe that is never read, 320 refused clients stopped the server for good."""
    port = free_port()
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        BINARY, "--host", "127.0.0.1", "--media-listen", "127.0.0.1", "--port", str(port), "--media-port", "0",
        "--shards", "1", "--log-level", "trace", "--auth-key", KEY,
        stdout=asyncio.subprocess.PIPE, stderr=writing)
    os.close(writing)
    try:
        assert b"ready" in await asyncio.wait_for(process.stdout.readline(), 60)
        refused = 0
        async with aiohttp.ClientSession() as session:
            for number in range(1500):
                async with session.ws_connect(
                        f"ws://127.0.0.1:{port}/?roomId=r{'x' * 40}&peerId=p{number}", protocols=["protoo"]) as client:
                    await client.receive(timeout=30)
                    refused += client.close_code == 1008
            started = time.monotonic()
            async with session.get(f"http://127.0.0.1:{port}/healthz", timeout=aiohttp.ClientTimeout(10)) as answer:
                assert answer.status == 200
            assert time.monotonic() - started < 5 and refused == 1500
        # The pipe was full long ago: 64 KiB of it.
        os.set_blocking(reading, False)
        read = b""
        while len(read) < 60_000:
            try:
                read += os.read(reading, 65536)
            except BlockingIOError:
                await asyncio.sleep(0.05)
        assert read.count(b"peer refused") > 100
    finally:
        os.set_blocking(reading, False)
        process.send_signal(signal.SIGTERM)
        while process.returncode is None:
            try:
                os.read(reading, 65536)
            except BlockingIOError:
                pass
            await asyncio.sleep(0.02)
        os.close(reading)
    assert process.returncode == 0


async def test_the_log_says_who_was_refused_and_what_operators_did(start_gateway):
    gateway = await start_gateway("--auth-key", KEY, "--admin-token", "of an operator", "--log-format", "json")
    async with ProtooClient(gateway, "r", "p", query=f"&token={token(room='r')}") as client:
        await client.join()
        async with aiohttp.ClientSession() as session:
            for path, bearer in (("/api/v1/rooms", token(room="r")), ("/api/v1/rooms", "guess"),
                                 ("/rooms", token(OTHER_KEY, admin=True))):
                headers = {"Authorization": f"Bearer {bearer}"}
                async with session.get(gateway.url + path, headers=headers) as answer:
                    assert answer.status in (401, 403)
            async with session.post(
                    f"{gateway.url}/whip/r", data="v=0", headers={"Content-Type": "application/sdp"}) as answer:
                assert answer.status == 401
            async with ProtooClient(gateway, "r", "q", query="&token=guess") as other:
                await until(lambda: other.close_code, 30, "the guess is refused")
            headers = {"Authorization": "Bearer of an operator"}
            async with session.delete(f"{gateway.url}/api/v1/rooms/r/peers/p", headers=headers) as answer:
                assert answer.status == 204
        await until(lambda: client.close_code, 30, "the peer is sent away")
    await gateway.stop()
    log, gateway.process = gateway.log, None
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert len(lines) > 5 and all(re.fullmatch(r"[0-9-]{10}T[0-9:]{8}Z", line["time"]) for line in lines)
    refused = [line["fields"] for line in lines if line["message"] == "refused"]
    assert [one["door"] for one in refused] == [
        "GET /api/v1/rooms", "GET /api/v1/rooms", "GET /rooms", "POST /whip/{room}", "WebSocket"], refused
    assert {one["client.address"] for one in refused} == {"127.0.0.1"}
    assert [one["code"] for one in refused] == ["forbidden"] + 4 * ["unauthorized"]
    acts = [line for line in lines if line["message"].startswith("an operator")]
    assert [(one["message"], one["fields"]["peer.id"], one["fields"]["client.address"]) for one in acts] == [
        ("an operator has sent a peer away", "p", "127.0.0.1")]
    connected = [line for line in lines if line["message"] == "peer connected"]
    assert connected[0]["fields"]["client.address"] == "127.0.0.1"
    assert "guess" not in log and "of an operator" not in log


async def test_refusals_by_the_thousand_are_a_handful_of_lines(start_gateway):
    gateway = await start_gateway("--auth-key", KEY)
    async with aiohttp.ClientSession() as session:
        for _ in range(500):
            async with session.get(gateway.url + "/rooms") as answer:
                assert answer.status == 401
    assert 10 <= gateway.log.count(" refused\n") <= 60
