"""Clients that send the worst their dialect allows, as fast as they can: nobody else waits for them."""

import asyncio
import json
import math
import os
import pathlib
import sys
import time

import pytest

from flood import KINDS
from protoo import ProtooClient, audio_parameters
from test_limits import limited
from waiting import until

FLOOD = pathlib.Path(__file__).with_name("flood.py")
CORES = os.cpu_count()
SECONDS = 2
# What the others may wait, at the 99th percentile, on a machine that has nothing else to do.
REQUEST, PROBE = 0.100, 0.050


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)]


def pressure():
    """The share of the last ten seconds in which something that could run had to wait for a core, in percent."""
    try:
        return float(pathlib.Path("/proc/pressure/cpu").read_text().split("avg10=")[1].split()[0])
    except (OSError, IndexError):
        return float("nan")


class Probe:
    """GET /healthz again and again over one connection, as an orchestrator would."""

    def __init__(self, gateway):
        self.gateway = gateway

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(self.gateway.host, self.gateway.port)
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    async def ask(self):
        self.writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 30)
        assert head.startswith(b"HTTP/1.1 200"), head
        await self.reader.readexactly(3)


async def again_and_again(ask, until_done):
    """Asks until the event is set; the seconds that each answer took."""
    taken = []
    while not until_done.is_set() or len(taken) < 20:
        start = time.perf_counter()
        await ask()
        taken.append(time.perf_counter() - start)
        await asyncio.sleep(0.005)
    return taken


async def times(client, probe, seconds=None, meanwhile=None):
    """The seconds that requests and probes take, for so long or until something is over."""
    done = asyncio.Event()
    measuring = asyncio.gather(
        again_and_again(lambda: client.request("getTransportStats", {"transportId": client.transport}, 60), done),
        again_and_again(probe.ask, done))
    try:
        if meanwhile:
            await meanwhile
        else:
            await asyncio.sleep(seconds)
    finally:
        done.set()
    return await measuring


class Crowd:
    """Processes that begin together: floods, or as many that only keep the cores busy."""

    def __init__(self, commands):
        self.commands = commands

    async def __aenter__(self):
        self.processes = [
            await asyncio.create_subprocess_exec(
                sys.executable, *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
            for command in self.commands]
        for process in self.processes:
            assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
        return self

    async def run(self):
        """Lets them go; what each says of itself at the end."""
        for process in self.processes:
            process.stdin.write(b"go\n")
        return await asyncio.gather(*(
            asyncio.wait_for(process.stdout.readline(), SECONDS + 60) for process in self.processes))

    async def __aexit__(self, *_):
        for process in self.processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


BUSY = ("import sys, time; print('ready', flush=True); sys.stdin.readline()\n"
        "end = time.monotonic() + float(sys.argv[1])\n"
        "while time.monotonic() < end: pass\nprint('{}', flush=True)")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_flood_delays_neither_requests_nor_probes(gateway, kind):
    clients = 2 * CORES
    async with ProtooClient(gateway, "flood", "honest") as honest, Probe(gateway) as probe:
        await honest.join()
        honest.transport = (await honest.open_transport(producing=True))["id"]
        quiet = await times(honest, probe, 1)
        # The same cores, taken by as many processes that do not concern the server: what that does to its answers.
        async with Crowd([("-c", BUSY, str(SECONDS))] * clients) as busy:
            starved = await times(honest, probe, meanwhile=busy.run())
        before = pressure()
        command = (str(FLOOD), gateway.host, str(gateway.port), kind, str(SECONDS))
        async with Crowd([command] * clients) as crowd:
            running = asyncio.create_task(crowd.run())
            flooded = await times(honest, probe, meanwhile=running)
            sent = [json.loads(line) for line in running.result()]
        # The flood was one, and the server was not merely deaf to it.
        assert all(one["bytes"] > 1_000_000 for one in sent), sent
        for what, bound, calm, base, taken in (("requests", REQUEST, *(each[0] for each in (quiet, starved, flooded))),
                                               ("probes", PROBE, *(each[1] for each in (quiet, starved, flooded)))):
            worst, floor = percentile(taken, 0.99), percentile(base, 0.99)
            report = (
                f"{what} of others beside {clients} × {kind}: p50 {1000 * percentile(taken, 0.5):.1f} ms, p99 "
                f"{1000 * worst:.1f} ms, longest {1000 * max(taken):.1f} ms, of {len(taken)}; beside as many busy "
                f"processes p99 {1000 * floor:.1f} ms, alone {1000 * percentile(calm, 0.99):.1f} ms; cpu pressure "
                f"{before:.0f} % → {pressure():.0f} %; sent {sum(one['bytes'] for one in sent) >> 20} MiB")
            print(report)
            assert worst <= bound + 2 * floor, report
        assert not honest.close_code
        await honest.request("changeDisplayName", {"displayName": "still here"})


async def test_notifications_are_messages_like_requests(start_gateway):
    """The protocol of 2026: 3,000 renames at once all went to everybody, and pushed the others out."""
    gateway = await start_gateway("--max-messages-per-second", "10")
    async with ProtooClient(gateway, "r", "other") as other, ProtooClient(
            gateway, "r", "greedy", query="&protocol=2026") as greedy:
        await other.join()
        await greedy.request("join", {"displayName": "g", "device": {}})
        started = time.monotonic()
        for number in range(3000):
            await greedy.send(json.dumps({
                "notification": True, "method": "changeDisplayName", "data": {"displayName": f"g{number}"}}))

        async def is_told():
            return len(other.heard("peerDisplayNameChanged")) >= 90
        await until(is_told, 30, "the first ones are sent")
        for _ in range(20):
            # Ten a second, and ten times as many at once.
            told = len(other.heard("peerDisplayNameChanged"))
            assert told <= 102 + 10 * (time.monotonic() - started), told
            await asyncio.sleep(0.1)
        assert await limited(gateway, "messages_per_second") > 0
        assert not other.close_code
        # In order, and none left out: who sends too much is heard more slowly.
        names = [one["displayName"] for one in other.heard("peerDisplayNameChanged")]
        assert names == [f"g{number}" for number in range(len(names))]


async def test_what_goes_to_everybody_has_a_limit_of_its_own(gateway):
    async with ProtooClient(gateway, "r", "other") as other, ProtooClient(gateway, "r", "greedy") as greedy:
        await other.join()
        await greedy.join()
        started = time.monotonic()
        answers = await asyncio.gather(*(
            greedy.ask("changeDisplayName", {"displayName": f"g{number}"}, timeout=60) for number in range(140)))
        elapsed = time.monotonic() - started
        assert all(answer["ok"] for answer in answers)
        assert elapsed > 3.5, f"140 changes in {elapsed:.1f} s, of which 100 at once and 10 a second"
        await until(lambda: len(other.heard("peerDisplayNameChanged")) == 140, 30, "all are sent")
        assert await limited(gateway, "changes_per_second") >= 30


async def test_messages_that_are_none_end_the_connection_after_a_hundred(gateway):
    async with ProtooClient(gateway, "r", "honest") as honest:
        await honest.join()
        for text in ("{", "[]", '{"a":1}', json.dumps({"response": True, "id": 12, "ok": True})):
            async with ProtooClient(gateway, "r", "broken") as broken:
                for _ in range(90):
                    await broken.send(text)
                # So many are forgiven.
                await broken.request("getRouterRtpCapabilities")
                for _ in range(200):
                    await broken.send(text)
                await until(lambda: broken.close_code, 30, "the connection is closed")
                assert broken.close_code == 1008 and "none of this protocol" in broken.socket.close_reason
        assert await limited(gateway, "faults") == 4
        await honest.request("changeDisplayName", {"displayName": "still here"})


async def test_answers_that_the_server_waits_for_are_no_messages_too_many(start_gateway):
    """A newcomer answers for every track that is there, and may be asked for hundreds at once."""
    gateway = await start_gateway("--max-messages-per-second", "1")
    tracks = 60
    senders = [ProtooClient(gateway, "r", f"sender{number}") for number in range(tracks // 4)]
    async with ProtooClient(gateway, "r", "viewer") as viewer:
        capabilities = await viewer.request("getRouterRtpCapabilities")
        await viewer.open_transport(consuming=True)
        for sender in senders:
            await sender.__aenter__()
        try:
            for index, sender in enumerate(senders):
                await sender.join(capabilities=capabilities)
                transport = (await sender.open_transport(producing=True))["id"]
                for track in range(4):
                    parameters = audio_parameters(capabilities, 1000 + 10 * index + track)
                    await sender.request("produce", {
                        "transportId": transport, "kind": "audio",
                        "rtpParameters": {**parameters, "mid": str(track)}})
            await viewer.join(capabilities=capabilities)
            await until(lambda: len(viewer.requests) == tracks, 30, "every track is offered")

            async def all_flow():
                room = await gateway.json("/rooms/r")
                consumers = [one for peer in room["peers"] if peer["id"] == "viewer"
                             for side in peer["transports"] for one in side["consumers"]]
                return len(consumers) == tracks and not any(one["paused"] for one in consumers)
            await until(all_flow, 30, "every offer is accepted", every=0.2)
            assert await limited(gateway, "messages_per_second") == 0
        finally:
            for sender in senders:
                await sender.__aexit__(None, None, None)


async def test_coming_back_does_not_fill_the_allowance_again(start_gateway):
    gateway = await start_gateway("--max-messages-per-second", "1")
    async with ProtooClient(gateway, "r", "p", query="&resumption=yes") as client:
        await until(lambda: client.heard("resumable"), 30, "the session has a token")
        token = client.heard("resumable")[0]["token"]
        answers = [await client.ask("getRouterRtpCapabilities") for _ in range(15)]
        assert [answer["ok"] for answer in answers].count(False) >= 3
        client.socket.transport.abort()
    async with ProtooClient(gateway, "r", "p", query=f"&resume={token}&ack=0") as client:
        answers = [await client.ask("getRouterRtpCapabilities") for _ in range(5)]
        assert [answer["ok"] for answer in answers].count(False) >= 3


async def test_a_message_of_64_kib_is_taken_and_a_longer_one_where_it_is_allowed(start_gateway):
    def text(size):
        head = '{"request":true,"id":7,"method":"getRouterRtpCapabilities","data":{"x":"'
        return head + "x" * (size - len(head) - 3) + '"}}'

    gateway = await start_gateway()
    async with ProtooClient(gateway, "r", "p") as client:
        answer = client.waiting[7] = asyncio.get_running_loop().create_future()
        await client.send(text(65_536))
        assert (await asyncio.wait_for(answer, 30))["ok"]
        await client.send(text(65_537))
        await until(lambda: client.close_code, 30, "it is closed")
        assert client.close_code == 1009
    gateway = await start_gateway("--max-message-size", "1000000")
    async with ProtooClient(gateway, "r", "p") as client:
        answer = client.waiting[7] = asyncio.get_running_loop().create_future()
        await client.send(text(1_000_000))
        assert (await asyncio.wait_for(answer, 30))["ok"]
