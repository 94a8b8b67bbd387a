"""The memory that the clients of one address have in the server is bounded in sum, whatever they keep it in."""

import asyncio
import json
import os
import socket
import struct

import aiohttp
import pytest

from protoo import ProtooClient, audio_parameters
from test_limits import STRICT, limited
from waiting import until

HOSTILE, MEBIBYTE = "127.0.0.2", 1 << 20
# Of the address, in the server under test.
LIMIT = 8
# Clients, and bytes that each has the server keep.
CLIENTS, BYTES = 160, 500_000
LONG = ("--max-message-size", "1000000")
# What a connection has of its own for messages that come (MemoryLoan.incomingBytes), and one read of each.
OWN = 4096 + 16_384


async def connected(gateway):
    return await asyncio.open_connection(gateway.host, gateway.port, local_addr=(HOSTILE, 0), limit=1 << 22)


async def written(writer, data):
    """Whether the server took it: it may have ended the connection before."""
    try:
        writer.write(data)
        await asyncio.wait_for(writer.drain(), 30)
    except ConnectionError:
        return False
    return True


async def http1(gateway, number):
    """A body whose end never comes."""
    reader, writer = await connected(gateway)
    await written(writer, (
        f"POST /rooms/r/peers/p{number}/requests HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {BYTES + 1}\r\n\r\n").encode())
    return reader, writer, lambda: written(writer, b" " * BYTES)


def field(name, value):
    """A field without a table's help (RFC 7541 §6.2.2)."""
    def text(data):
        # A length of more than seven bits (RFC 7541 §5.1).
        length = bytes([len(data)]) if len(data) < 127 else bytes([127, len(data) - 127])
        return length + data.encode()
    return b"\x00" + text(name) + text(value)


def http2_frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


STREAMS = 8


async def http2(gateway, number):
    """As many bodies as the connection may have open, whose ends never come."""
    reader, writer = await connected(gateway)
    await written(writer, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2_frame(4, 0, 0, b""))
    window = 65_535

    async def read_frame():
        nonlocal window
        head = await asyncio.wait_for(reader.readexactly(9), 30)
        payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
        if head[3] == 8 and head[5:] == bytes(4):
            window += int.from_bytes(payload, "big")
        if head[3] == 4 and not head[4] & 1:
            writer.write(http2_frame(4, 1, 0, b""))

    head = b"".join(field(*one) for one in (
        (":method", "POST"), (":scheme", "http"), (":path", f"/rooms/r/peers/p{number}/requests"),
        (":authority", "x"), ("content-type", "application/json")))

    async def send():
        nonlocal window
        try:
            for stream in range(1, 2 * STREAMS, 2):
                writer.write(http2_frame(1, 4, stream, head))
                left = BYTES
                while left:
                    while window < min(left, 16_000):
                        await read_frame()
                    part = min(left, window, 16_000)
                    await written(writer, http2_frame(0, 0, stream, b" " * part))
                    left, window = left - part, window - part
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
    return reader, writer, send


async def upgraded(gateway, target, fields=""):
    reader, writer = await connected(gateway)
    await written(writer, (
        f"GET {target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{fields}\r\n").encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    assert head.startswith(b"HTTP/1.1 101 "), head
    return reader, writer


def part_of_message(opcode, is_final, length, sent):
    return struct.pack(">BBQ", opcode | (0x80 if is_final else 0), 0xFF, length) + bytes(4) + b" " * sent


async def protoo(gateway, number):
    """Fragments of a message whose last one never comes."""
    reader, writer = await upgraded(gateway, f"/?roomId=r&peerId=p{number}", "Sec-WebSocket-Protocol: protoo\r\n")
    half = BYTES // 2
    fragments = part_of_message(1, False, half, half) + part_of_message(0, False, half, half)
    return reader, writer, lambda: written(writer, fragments)


async def socket_io(gateway, number):
    """A frame whose end never comes."""
    reader, writer = await upgraded(gateway, "/socket.io/?EIO=4&transport=websocket")
    return reader, writer, lambda: written(writer, part_of_message(1, True, BYTES + 1, BYTES))


KINDS = {"HTTP/1.1": http1, "HTTP/2": http2, "protoo": protoo, "Socket.IO": socket_io}


async def at_rest(gateway):
    """The server's memory, once it has taken what was sent."""
    taken = []

    async def still():
        taken.append(gateway.resident_bytes())
        return len(taken) > 10 and max(taken[-10:]) - min(taken[-10:]) < MEBIBYTE // 2
    await until(still, 30, "its memory stays as it is")
    return taken[-1]


async def flooded(gateway, kind):
    """Has the server keep CLIENTS × BYTES; the connections, and the bytes by which it grew beside what they cost."""
    count = CLIENTS // STREAMS if kind == "HTTP/2" else CLIENTS
    connections = []
    for first in range(0, count, 50):
        connections += await asyncio.gather(
            *(KINDS[kind](gateway, number) for number in range(first, min(first + 50, count))))
    before = await at_rest(gateway)
    await asyncio.gather(*(send() for _, _, send in connections))
    return connections, await at_rest(gateway) - before


async def hang_up(connections):
    for _, writer, *_ in connections:
        writer.transport.abort()
    await asyncio.sleep(0)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_one_address_has_in_the_server_is_bounded_whatever_it_is_kept_in(start_gateway, kind):
    unbounded = await start_gateway(*LONG, "--unlimited-address", HOSTILE)
    connections, taken = await flooded(unbounded, kind)
    await hang_up(connections)
    bounded = await start_gateway(*LONG, *STRICT, "--max-megabytes-per-address", str(LIMIT))
    async with ProtooClient(bounded, "r", "honest") as honest:
        await honest.join()
        connections, grown = await flooded(bounded, kind)
        refused = await limited(bounded, "memory_per_address")
        report = (
            f"{kind}: {CLIENTS} × {BYTES} bytes are {CLIENTS * BYTES >> 20} MiB; without a limit the server grew by "
            f"{taken / MEBIBYTE:.1f} MiB, with {LIMIT} MiB by {grown / MEBIBYTE:.1f} MiB; {refused:.0f} refused")
        print(report)
        # The flood is one: without the limit it is kept.
        assert taken > 0.7 * CLIENTS * BYTES, report
        # A buffer may be twice as large as what is in it.
        assert grown < 2 * LIMIT * MEBIBYTE + len(connections) * OWN + 4 * MEBIBYTE, report
        assert refused > CLIENTS / 4, report
        # Others are not touched, with messages of any length; the log says who was refused.
        await honest.request("changeDisplayName", {"displayName": "n" * 100, "more": "x" * BYTES})
        assert not honest.close_code
        assert f"client.address={HOSTILE}" in bounded.log and "door=memory" in bounded.log
        await hang_up(connections)

        async def served_again():
            reader, writer = await connected(bounded)
            body = b" " * BYTES
            head = f"POST /rooms/r/peers/p/requests HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            await written(writer, head.encode() + body)
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 30)
            writer.close()
            return not answer.startswith(b"HTTP/1.1 429")
        await until(served_again, 30, "there is room again")


async def test_the_refused_learn_why(start_gateway):
    gateway = await start_gateway(*LONG, *STRICT, "--max-megabytes-per-address", "1")
    held = []
    while not await limited(gateway, "memory_per_address"):
        reader, writer, send = await http1(gateway, len(held))
        await send()
        held.append((reader, writer))
    answer = await asyncio.wait_for(reader.read(-1), 30)
    assert answer.startswith(b"HTTP/1.1 429 ") and b"retry-after: 1" in answer.lower(), answer
    assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]["code"] == "limit-reached"
    for open_one in (protoo, socket_io):
        reader, closing, send = await open_one(gateway, "w")
        await send()
        data = b""
        while not data.count(b"this address has too many bytes"):
            part = await asyncio.wait_for(reader.read(65_536), 30)
            assert part, data
            data += part
        code = data[data.index(b"this address") - 2:][:2]
        assert code == struct.pack(">H", 1013)
        closing.close()
    await hang_up(held)


async def test_what_is_kept_for_clients_that_do_not_come_back_is_bounded(start_gateway):
    """Sessions without a connection: what they miss is kept for a minute, a mebibyte for each if there is room."""
    viewers, tracks = 60, 100
    gateway = await start_gateway(*STRICT, "--max-megabytes-per-address", str(LIMIT))
    connector = aiohttp.TCPConnector(local_addr=(HOSTILE, 0))
    senders = [ProtooClient(gateway, "r", f"sender{number}") for number in range(2)]
    async with aiohttp.ClientSession(connector=connector) as session, senders[0], senders[1]:
        capabilities = await senders[0].request("getRouterRtpCapabilities")
        for sender in senders:
            await sender.join(capabilities=capabilities)
            sender.transport = (await sender.open_transport(producing=True))["id"]

        async def ask(peer, method, data, token=None):
            headers = {"Signaling-Session": token} if token else {}
            async with session.post(
                    f"{gateway.url}/rooms/r/peers/{peer}/requests", headers=headers,
                    json={"method": method, "data": data}) as answer:
                assert answer.status == 200, await answer.text()
                return await answer.json()

        for number in range(viewers):
            joined = await ask(f"viewer{number}", "join", {"displayName": "v", "rtpCapabilities": capabilities})
            await ask(
                f"viewer{number}", "createWebRtcTransport", {"producing": False, "consuming": True},
                joined["session"]["token"])
        before = gateway.resident_bytes()
        for track in range(tracks):
            sender = senders[track % 2]
            parameters = {**audio_parameters(capabilities, 10_000 + track), "mid": str(track)}
            parameters["codecs"][0]["parameters"] = {f"p{one}": "x" * 220 for one in range(60)}
            await sender.request("produce", {
                "transportId": sender.transport, "kind": "audio", "rtpParameters": parameters}, 60)
        grown = gateway.resident_bytes() - before
        report = (
            f"{viewers} sessions that miss {tracks} tracks: {grown / MEBIBYTE:.1f} MiB, "
            f"{await limited(gateway, 'memory_per_address'):.0f} times there was no room")
        print(report)
        assert await limited(gateway, "memory_per_address") > 100, report
        assert grown < LIMIT * MEBIBYTE + viewers * OWN + 24 * MEBIBYTE, report
        assert not any(sender.close_code for sender in senders)
        assert os.path.exists(f"/proc/{gateway.pid}")


async def unread_answers(gateway, path, clients, requests):
    """Asks for a file again and again, ahead of its answers, and reads none of them."""
    connections = []
    for _ in range(clients):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.bind((HOSTILE, 0))
        connection.connect((gateway.host, gateway.port))
        connection.setblocking(False)
        connections.append(connection)
    before = await at_rest(gateway)
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    for connection in connections:
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(connection, head * requests), 10)
        except (ConnectionError, TimeoutError):
            pass
    grown = await at_rest(gateway) - before
    for connection in connections:
        connection.close()
    return grown


async def test_answers_that_nobody_reads_are_bounded(start_gateway):
    path, clients, requests = "/api/openapi.json", 20, 80
    unbounded = await start_gateway("--unlimited-address", HOSTILE)
    size = len((await unbounded.get(path))[1])
    taken = await unread_answers(unbounded, path, clients, requests)
    bounded = await start_gateway(*STRICT, "--max-megabytes-per-address", str(LIMIT))
    grown = await unread_answers(bounded, path, clients, requests)
    report = (
        f"{clients} × {requests} answers of {size} bytes are {clients * requests * size >> 20} MiB; without a limit "
        f"the server grew by {taken / MEBIBYTE:.1f} MiB, with {LIMIT} MiB by {grown / MEBIBYTE:.1f} MiB")
    print(report)
    assert taken > 0.5 * clients * requests * size, report
    assert grown < 2 * LIMIT * MEBIBYTE + clients * OWN + 4 * MEBIBYTE, report
    assert await limited(bounded, "memory_per_address") > 0
