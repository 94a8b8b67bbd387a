#!/usr/bin/env python3
"""Signaling clients that join, talk and leave, again and again: how fast each is answered, and what is left behind.

    Benchmarks/signaling.py --port 3016 --pid "$(pidof gateway)" --connections 2000 --seconds 120

Needs nothing but Python and Linux. Prints one JSON object; ends with 1 where anything failed.

A reply's latency ends when the kernel had it at the client's socket (SO_TIMESTAMPING), not when this script, which is
busy with thousands of others, came to read it; `latency_read_ms` is what it is with that wait. It begins before the
request is given to the kernel.
"""

import argparse
import asyncio
import base64
import json
import os
import pathlib
import random
import socket
import struct
import sys
import time

ROOM_SIZE = 10


# linux/net_tstamp.h, asm-generic/socket.h
SO_TIMESTAMPING = 37
SOF_TIMESTAMPING_RX_SOFTWARE, SOF_TIMESTAMPING_SOFTWARE = 1 << 3, 1 << 4


def arrival(ancillary):
    """When the kernel got the newest of the bytes that were read, in seconds since 1970."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPING:
            seconds, nanoseconds = struct.unpack_from("@qq", data)
            if seconds:
                return seconds + nanoseconds / 1e9
    return None


class Client:
    """The least WebSocket that can talk to an honest server: no fragments, no long frames outwards."""

    def __init__(self, load, room, peer):
        self.load, self.room, self.peer = load, room, peer
        self.loop = asyncio.get_running_loop()
        self.buffer = b""
        self.upgraded = self.loop.create_future()
        self.closed = self.loop.create_future()
        self.waiting = {}
        self.number = 0
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(
            socket.SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE)

    async def connect(self, host, port):
        await self.loop.sock_connect(self.socket, (host, port))
        self.loop.add_reader(self.socket, self.readable)
        key = base64.b64encode(os.urandom(16)).decode()
        self.write((
            f"GET /?roomId={self.room}&peerId={self.peer} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Protocol: protoo\r\n\r\n").encode())
        await asyncio.wait_for(self.upgraded, 30)

    def write(self, data):
        # What is written here always fits into an honest server's window.
        try:
            sent = self.socket.send(data)
        except OSError as error:
            return self.lost(error)
        if sent != len(data):
            self.lost(ConnectionError("the server does not read"))

    def readable(self):
        try:
            data, ancillary, _, _ = self.socket.recvmsg(65536, 256)
        except BlockingIOError:
            return
        except OSError as error:
            return self.lost(error)
        # The end of a connection has no bytes, and so no stamp.
        self.arrived = arrival(ancillary)
        if data:
            self.received(data)
        else:
            self.lost(None)

    def received(self, data):
        self.buffer += data
        if not self.upgraded.done():
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.upgraded.set_exception(ConnectionError(head.decode(errors="replace")))
                return
            self.buffer = rest
            self.upgraded.set_result(None)
        self.take_frames()

    def take_frames(self):
        start = 0
        while len(self.buffer) - start >= 2:
            opcode, length, offset = self.buffer[start] & 15, self.buffer[start + 1] & 127, 2
            if length >= 126:
                offset = 4 if length == 126 else 10
                if len(self.buffer) - start < offset:
                    break
                length = int.from_bytes(self.buffer[start + 2:start + offset], "big")
            if len(self.buffer) - start < offset + length:
                break
            payload = self.buffer[start + offset:start + offset + length]
            start += offset + length
            if opcode == 1:
                self.text_received(payload)
            elif opcode == 9:
                self.send(10, payload)
            elif opcode == 8:
                return self.lost(None)
        self.buffer = self.buffer[start:]

    def text_received(self, payload):
        self.load.messages += 1
        # A notification needs no reading.
        if b'"response":true' not in payload:
            return
        message = json.loads(payload)
        sent, future = self.waiting.pop(message["id"], (0, None))
        if future is not None and not future.done():
            self.load.latencies.append(self.arrived - sent)
            self.load.reads.append(time.time() - sent)
            future.set_result(message)

    def send(self, opcode, payload):
        length = len(payload)
        head = bytes([0x80 | opcode])
        head += bytes([0x80 | length]) if length < 126 else bytes([0xFE]) + struct.pack(">H", length)
        # The mask 0000 is one too.
        self.write(head + bytes(4) + payload)

    async def request(self, method, data):
        self.number += 1
        future = self.loop.create_future()
        message = json.dumps({"request": True, "id": self.number, "method": method, "data": data}).encode()
        self.waiting[self.number] = (time.time(), future)
        self.send(1, message)
        message = await asyncio.wait_for(future, 30)
        if not message.get("ok"):
            raise ConnectionError(f"{method}: {message}")

    def lost(self, error):
        """The connection is over; those who wait are notified."""
        if self.closed.done():
            return
        self.loop.remove_reader(self.socket)
        self.socket.close()
        self.closed.set_result(None)
        waiting = [future for _, future in self.waiting.values()]
        for future in [*waiting, self.upgraded]:
            if not future.done():
                future.set_exception(error or ConnectionError("closed"))


class Load:
    """`connections` places, each taken by one peer after the other."""

    def __init__(self, host, port, connections, seconds, stay):
        self.host, self.port = host, port
        self.connections, self.seconds, self.stay = connections, seconds, stay
        self.latencies, self.reads = [], []
        self.failures = []
        self.sessions = self.messages = self.open = self.most_open = 0

    async def place(self, number, until):
        loop = asyncio.get_running_loop()
        chance = random.Random(number)
        # Not all in the same moment, which no server is built for.
        await asyncio.sleep(chance.random() * self.ramp)
        peer = 0
        while loop.time() < until:
            peer += 1
            stays = min(chance.expovariate(1 / self.stay), max(0.0, until - loop.time()))
            try:
                await self.session(f"load{number // ROOM_SIZE}", f"p{number}-{peer}", stays)
            except (OSError, asyncio.TimeoutError) as error:
                self.failures.append(repr(error)[:200])
                await asyncio.sleep(0.1)

    async def session(self, room, peer, stays):
        client = Client(self, room, peer)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await client.connect(self.host, self.port)
            await client.request("getRouterRtpCapabilities", {})
            await client.request("createWebRtcTransport", {"producing": True})
            await client.request("join", {"displayName": peer, "device": {"flag": "load"}})
            await asyncio.sleep(stays / 2)
            await client.request("changeDisplayName", {"displayName": peer + "!"})
            await asyncio.sleep(stays / 2)
            client.send(8, struct.pack(">H", 1000))
            await asyncio.wait_for(asyncio.shield(client.closed), 30)
            self.sessions += 1
        finally:
            self.open -= 1
            client.lost(None)

    async def run(self):
        self.ramp = min(self.stay, self.seconds / 3)
        until = asyncio.get_running_loop().time() + self.seconds
        await asyncio.gather(*(self.place(number, until) for number in range(self.connections)))


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(host, port, pid, connections, seconds, stay, settled):
    """Runs the load twice, half of the time each; `settled()` returns when the server knows that all have left."""
    report = {"connections": connections, "seconds": seconds, "resident_mib": [resident_mib(pid)]}
    halves = []
    started, burnt = time.monotonic(), cpu_seconds(pid)
    for _ in range(2):
        load = Load(host, port, connections, seconds / 2, stay)
        await load.run()
        await settled()
        report["resident_mib"].append(resident_mib(pid))
        report.setdefault("descriptors", []).append(len(os.listdir(f"/proc/{pid}/fd")))
        halves.append(load)
    ordered = sorted(latency for load in halves for latency in load.latencies)
    reads = sorted(latency for load in halves for latency in load.reads)

    def summary(values):
        shares = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
        return {name: round(1000 * percentile(values, share), 2) for name, share in shares}

    report |= {
        "most_open": max(load.most_open for load in halves),
        "sessions": sum(load.sessions for load in halves),
        "requests": len(ordered),
        "messages_received": sum(load.messages for load in halves),
        "failures": [failure for load in halves for failure in load.failures],
        "latency_ms": summary(ordered),
        "latency_read_ms": summary(reads),
        "server_cores": round((cpu_seconds(pid) - burnt) / (time.monotonic() - started), 3),
    }
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3016)
    parser.add_argument("--pid", type=int, required=True, help="the server's, for its memory")
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--stay", type=float, default=20, help="mean seconds of one peer in its room")
    options = parser.parse_args()
    report = asyncio.run(measure(
        options.host, options.port, options.pid, options.connections, options.seconds, options.stay,
        lambda: asyncio.sleep(5)))
    count = len(report["failures"])
    report["failures"] = report["failures"][:10]
    print(json.dumps(report, indent=1))
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
