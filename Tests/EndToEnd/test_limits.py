"""What one client, one address and all together may use, and what the others notice of it: nothing."""

import asyncio
import json
import resource
import socket

import aiohttp
import pytest

from protoo import ProtooClient, Refused
from waiting import until

# The limits by address leave this machine alone unless configured otherwise.
STRICT = ("--unlimited-address", "none")


async def limited(gateway, limit):
    return (await gateway.metrics())[f'roundhouse_gateway_limited_total{{limit="{limit}"}}']


async def raw(gateway, text, until_end=True):
    """Sends bytes, and returns what comes back until the server ends the connection."""
    reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
    try:
        writer.write(text if isinstance(text, bytes) else text.encode())
        await writer.drain()
        return await asyncio.wait_for(reader.read(-1 if until_end else 65536), 40)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_an_address_with_too_many_connections_is_refused_and_gets_room_back(start_gateway):
    gateway = await start_gateway(*STRICT, "--max-connections-per-address", "3")
    async with ProtooClient(gateway, "r", "p") as client:
        await client.join()
        others = [await asyncio.open_connection(gateway.host, gateway.port) for _ in range(2)]
        answer = await raw(gateway, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 429 ") and b"Retry-After: 5" in answer, answer
        assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]["code"] == "rate-limited"
        # What is no HTTP/1.1 is just ended.
        assert await raw(gateway, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == b""
        assert await raw(gateway, b"\x16\x03\x01\x00\x05hello") == b""
        await client.request("changeDisplayName", {"displayName": "still here"})
        for _, writer in others:
            writer.close()

        async def served():
            return (await raw(gateway, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).startswith(
                b"HTTP/1.1 200")
        await until(served, 30, "served again once others have gone")
        assert await limited(gateway, "connections_per_address") >= 3


async def test_too_many_connections_altogether_are_answered_with_503(start_gateway):
    gateway = await start_gateway("--max-connections", "2")
    async with ProtooClient(gateway, "r", "p") as client:
        await client.join()
        _, other = await asyncio.open_connection(gateway.host, gateway.port)
        answer = await raw(gateway, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After" in answer, answer
        other.close()
        await client.request("changeDisplayName", {"displayName": "still here"})


async def test_an_address_that_asks_too_often_gets_429_and_its_calls_go_on(start_gateway):
    gateway = await start_gateway(*STRICT, "--max-requests-per-second", "1")
    async with ProtooClient(gateway, "r", "p") as client, aiohttp.ClientSession() as session:
        await client.join()
        refused = 0
        for _ in range(40):
            async with session.get(gateway.url + "/rooms") as answer:
                if answer.status == 429:
                    refused += 1
                    assert int(answer.headers["Retry-After"]) >= 1
                    assert (await answer.json())["error"]["code"] == "rate-limited"
                else:
                    assert answer.status == 200
        # Ten at once, and one more for each second that this took.
        assert refused > 0
        async with ProtooClient(gateway, "r", "q") as second:
            await until(lambda: second.close_code, 30, "one that comes too often is closed")
            assert second.close_code == 1013 and "too often" in second.socket.close_reason
        # Probes are always answered, and what is open goes on.
        for path in ["/healthz", "/readyz"] * 10:
            assert (await gateway.get(path))[0] == 200
        await client.request("changeDisplayName", {"displayName": "still here"})


async def test_limits_count_the_client_behind_a_trusted_proxy(start_gateway):
    gateway = await start_gateway("--trusted-proxy", "127.0.0.1", *STRICT, "--max-requests-per-second", "1")
    async with aiohttp.ClientSession() as session:
        async def status(client):
            async with session.get(gateway.url + "/", headers={"X-Forwarded-For": client}) as answer:
                return answer.status
        # What the client itself says before its proxy does is not believed.
        greedy = [await status(f"198.51.100.{number}, 203.0.113.9") for number in range(40)]
        assert 429 in greedy
        assert await status("203.0.113.10") == 200


async def test_a_client_that_asks_too_fast_is_answered_so_and_keeps_its_place(start_gateway):
    gateway = await start_gateway("--max-messages-per-second", "1")
    async with ProtooClient(gateway, "r", "greedy") as greedy, ProtooClient(gateway, "r", "other") as other:
        answers = await asyncio.gather(*(greedy.ask("getRouterRtpCapabilities", timeout=60) for _ in range(40)))
        refused = [answer for answer in answers if not answer["ok"]]
        assert refused and all(answer["errorCode"] == 429 for answer in refused)
        assert await limited(gateway, "messages_per_second") == len(refused)
        await other.join()


@pytest.mark.parametrize("option,limit", [
    ("--max-rooms", "rooms"), ("--max-peers-per-room", "peers_per_room")])
async def test_a_full_server_or_room_takes_nobody_and_says_so(start_gateway, option, limit):
    gateway = await start_gateway(option, "1")
    async with ProtooClient(gateway, "first", "p") as client:
        await client.join()
        async with ProtooClient(gateway, "second" if limit == "rooms" else "first", "q") as refused:
            await until(lambda: refused.close_code, 30, "the second is refused")
            assert refused.close_code == 1013 and "takes 1" in refused.socket.close_reason
        assert await limited(gateway, limit) == 1
        await client.request("changeDisplayName", {"displayName": "still here"})


async def test_transports_beyond_the_limit_are_refused_and_counted(start_gateway):
    gateway = await start_gateway("--max-transports-per-peer", "2")
    async with ProtooClient(gateway, "r", "p") as client:
        for _ in range(2):
            await client.open_transport(consuming=True)
        with pytest.raises(Refused) as refusal:
            await client.open_transport(consuming=True)
        assert refusal.value.code == 429
        assert await limited(gateway, "transports_per_peer") == 1


async def test_foreign_pages_are_kept_out_and_named_ones_and_our_own_are_not(start_gateway):
    gateway = await start_gateway("--allowed-origin", "https://meet.example.com")
    url = f"{gateway.url}/?roomId=r&peerId=p"
    async with aiohttp.ClientSession() as session:
        for origin, is_taken in [
                ("https://meet.example.com", True), (gateway.url, True), (None, True),
                ("https://evil.example.com", False), ("https://meet.example.com.evil.test", False),
                ("http://meet.example.com", False), ("null", False), ("https://meet.example.com:444", False)]:
            headers = {"Origin": origin} if origin else {}
            try:
                async with session.ws_connect(url, protocols=["protoo"], headers=headers):
                    assert is_taken, origin
            except aiohttp.WSServerHandshakeError as refusal:
                assert not is_taken and refusal.status == 403, origin
            async with session.options(f"{gateway.url}/whip/r", headers=headers) as answer:
                allowed = answer.headers.get("Access-Control-Allow-Origin")
                assert allowed == (origin if is_taken else None), (origin, allowed)
            offer = {**headers, "Content-Type": "application/sdp"}
            async with session.post(f"{gateway.url}/whip/r", data="v=0", headers=offer) as answer:
                assert answer.status == (400 if is_taken else 403)
            async with session.get(f"{gateway.url}/socket.io/?EIO=4&transport=polling", headers=headers) as answer:
                assert answer.status == (200 if is_taken else 403), origin
    assert await limited(gateway, "origin") > 0


async def test_pages_of_other_origins_are_kept_out_unless_any_are_let_in(start_gateway):
    for options, is_taken in [((), False), (("--allowed-origin", "any"), True)]:
        gateway = await start_gateway(*options)
        evil = {"Origin": "https://evil.example.com"}
        async with aiohttp.ClientSession() as session:
            try:
                url = f"{gateway.url}/?roomId=r&peerId=p"
                async with session.ws_connect(url, protocols=["protoo"], headers=evil):
                    assert is_taken
            except aiohttp.WSServerHandshakeError as refusal:
                assert not is_taken and refusal.status == 403
            # What a form or fetch sends without asking first.
            plain = {**evil, "Content-Type": "text/plain"}
            async with session.post(f"{gateway.url}/rooms/r/broadcasters", data=b"{}", headers=plain) as answer:
                assert answer.status == (400 if is_taken else 403)
            async with session.get(f"{gateway.url}/socket.io/?EIO=4&transport=polling", headers=evil) as answer:
                assert answer.status == (200 if is_taken else 403)
            own = {"Origin": gateway.url}
            async with session.get(f"{gateway.url}/socket.io/?EIO=4&transport=polling", headers=own) as answer:
                assert answer.status == 200


@pytest.mark.parametrize("head", [
    "GET /../../etc/passwd HTTP/1.1", "GET /..%2f..%2fetc%2fpasswd HTTP/1.1", "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1",
    "GET //etc/passwd HTTP/1.1", "GET /socket.io/../../etc/passwd HTTP/1.1", "GET /whip/..%2f../x HTTP/1.1",
    "GET /rooms/..%2f..%2fetc%2fpasswd HTTP/1.1", "GET /console/../app.js%00.html HTTP/1.1",
    "POST /whip/r/../../x HTTP/1.1", "GET http://evil/../etc/passwd HTTP/1.1", "GET \\..\\..\\x HTTP/1.1"])
async def test_no_path_leads_out(gateway, head):
    answer = await raw(gateway, f"{head}\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 4"), answer
    assert b"root:" not in answer


@pytest.mark.parametrize("path,kind,status", [
    ("/whip/r", "text/plain", 415), ("/whip/r", None, 415), ("/whip/r", "application/json", 415),
    ("/whep/r", "application/x-www-form-urlencoded", 415),
    ("/createValidRoomId", "application/json", 400), ("/checkPassword", "multipart/form-data; boundary=x", 200)])
async def test_a_body_of_the_wrong_kind_is_refused(gateway, path, kind, status):
    async with aiohttp.ClientSession() as session:
        headers = {"Content-Type": kind} if kind else {}
        async with session.post(gateway.url + path, data=b"roomId=x", headers=headers) as answer:
            assert answer.status == status, await answer.text()


async def test_dialects_mixed_on_one_socket_are_refused_and_end_it_at_worst(gateway):
    async with ProtooClient(gateway, "r", "honest") as honest:
        await honest.join()
        # protoo addressed in Engine.IO's words, and the other way round.
        async with ProtooClient(gateway, "r", "confused") as client:
            for text in [
                    "0{}", "40", '42["join",{"room_id":"r"}]', "2probe", "GET / HTTP/1.1\r\n\r\n", "v=0\r\n", "[]"]:
                await client.send(text)
            await client.request("getRouterRtpCapabilities")
        async with aiohttp.ClientSession() as session:
            url = f"ws://{gateway.host}:{gateway.port}/socket.io/?EIO=4&transport=websocket"
            async with session.ws_connect(url) as socket:
                await socket.receive_str(timeout=30)
                await socket.send_str('{"request":true,"id":1,"method":"join","data":{}}')
                message = await socket.receive(timeout=30)
                assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING)
        # HTTP after a handshake, on the same socket.
        reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        writer.write(
            b"GET /?roomId=r&peerId=x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Protocol: protoo\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
        answer = await asyncio.wait_for(reader.read(-1), 40)
        assert answer.startswith(b"HTTP/1.1 101") and b"HTTP/1.1 200" not in answer
        writer.close()
        await honest.request("changeDisplayName", {"displayName": "still here"})


async def test_of_two_with_one_name_the_newer_wins_and_the_older_is_notified(gateway):
    async with ProtooClient(gateway, "r", "twin") as older:
        await older.join()
        async with ProtooClient(gateway, "r", "twin") as newer:
            await newer.join()
            await until(lambda: older.close_code, 30, "the older connection is closed")
            assert older.close_code == 4000 and "replaced" in older.socket.close_reason
            assert [room["peers"] for room in (await gateway.json("/rooms"))["rooms"]] == [1]


async def test_slow_heads_and_bodies_are_cut_off_and_nobody_else_waits(gateway):
    """Forty clients that send a byte now and then, of a head or of a body, while one call goes on."""
    async def drip(text):
        reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        try:
            for byte in text:
                writer.write(bytes([byte]))
                await writer.drain()
                try:
                    return await asyncio.wait_for(reader.read(-1), 0.5)
                except asyncio.TimeoutError:
                    pass
            return await asyncio.wait_for(reader.read(-1), 60)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    slow_head = b"GET /healthz HTTP/1.1\r\nX: " + b"y" * 1000
    slow_body = b"POST /checkPassword HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"

    async def slow(number):
        if number % 2:
            return await drip(slow_head)
        reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        writer.write(slow_body)
        try:
            return await asyncio.wait_for(reader.read(-1), 60)
        finally:
            writer.close()

    async with ProtooClient(gateway, "r", "p") as client:
        await client.join()
        attack = asyncio.gather(*(slow(number) for number in range(40)))
        while not attack.done():
            await client.request("getRouterRtpCapabilities")
            await asyncio.sleep(0.2)
        for number, answer in enumerate(await attack):
            # A head that never ends has no request that could be answered.
            assert answer == b"" if number % 2 else answer.startswith(b"HTTP/1.1 408"), answer
        metrics = await gateway.metrics()
        assert metrics['roundhouse_gateway_refused_connections_total{reason="slow_request"}'] == 40


async def test_five_thousand_idle_connections_disturb_nobody_and_leave_nothing(start_gateway):
    wanted = 5000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted + 500:
        pytest.skip(f"this machine lets a process have only {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, wanted + 500)) if hard > 0 else wanted + 500, hard))
    gateway = await start_gateway()
    sockets = []
    try:
        async with ProtooClient(gateway, "r", "p") as client:
            await client.join()
            descriptors, memory = gateway.open_descriptors(), gateway.resident_bytes()
            for number in range(wanted):
                one = socket.create_connection((gateway.host, gateway.port), timeout=30)
                sockets.append(one)
                if number % 2:
                    one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
                if number % 100 == 0:
                    await client.request("getRouterRtpCapabilities")
            await client.request("changeDisplayName", {"displayName": "still here"})
            used = gateway.resident_bytes() - memory
            assert used < wanted * 64 * 1024, f"{used / wanted:.0f} bytes for each connection"
            # They are never answered and never go by themselves: the server ends them, and forgets them.
            await until(lambda: gateway.open_descriptors() <= descriptors + 20, 90, "every descriptor is given back")
            await client.request("changeDisplayName", {"displayName": "and now"})

            async def forgotten():
                return (await gateway.metrics())["roundhouse_gateway_open_connections"] <= 5
            await until(forgotten, 30, "no connection is counted any more")
    finally:
        for one in sockets:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
