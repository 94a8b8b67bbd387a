"""The TURN server: browsers that reach only the port of HTTPS, coturn's client, and whoever wants to be relayed on."""

import asyncio
import contextlib
import re
import socket
import ssl
import subprocess

import aioice.stun
import aioice.turn
import pytest
from aiortc.mediastreams import AudioStreamTrack

import turnclient
from beyond import judge_slow_connection
from call import Person
from certificates import issue
from chromium import Chromium
from firefox import Firefox
from layering import enter, inbound
from network import Relay, free_ports
from protoo import ProtooClient
from room_server_peer import RoomServerClient
from test_whip import HTTPPeer
from turnclient import TURNClient
from waiting import until

SECRET = "0123456789abcdef-of-tests"
FIGURE = "roundhouse_turn_"


async def tuples(gateway, room):
    """What each person's transports are reached by, by names."""
    return {
        peer["displayName"]: [one["iceSelectedTuple"] for one in peer["transports"] if one.get("iceSelectedTuple")]
        for peer in (await gateway.json(f"/rooms/{room}"))["peers"]}


@pytest.mark.parametrize("shares", ["no", "yes"])
async def test_browsers_have_a_call_through_the_port_of_https_alone(link, start_gateway, artifacts, shares):
    address = link.server_address
    # Firefox speaks TURN over TLS with a host that has a name, and with no other.
    name = "call.example.org"
    authority, certificate, key = issue(artifacts, name)
    gateway = await start_gateway(
        "--tls-certificate", str(certificate), "--tls-private-key", str(key), "--http", "allow",
        "--media-port-shared", shares, namespace=link.server, host=address)
    assert f"TURN: TLS {gateway.port}\n" in (await gateway.get("/readyz"))[1]
    # Of all that there is, this passes: neither UDP nor ICE-TCP.
    link.set(both_only=gateway.port, both_delay=10)
    origin = f"https://{name}:{gateway.port}"
    where = {"network.dns.forceResolve": address}
    async with Chromium(artifacts, link.client, authority=authority, hosts={name: address}) as chromium:
        async with Firefox(artifacts, link.client, preferences=where, authority=authority) as firefox:
            page = await chromium.page()
            carol = await Person(page, origin, "offices", "Carol").enter()
            fritz = await Person(firefox, origin, "offices", "Fritz").enter()
            for person in (carol, fritz):
                await person.sees_and_hears(seconds=45)
            ways = await tuples(gateway, "offices")
            assert set(ways) == {"Carol", "Fritz"} and all(len(way) == 2 for way in ways.values()), ways
            for one in [one for way in ways.values() for one in way]:
                assert one["protocol"] == "tcp" and one["relay"] == "tls", one
                assert one["localPort"] in gateway.media_ports and one["remotePort"] >= 49152, one
            metrics = await gateway.metrics()
            assert metrics[f"{FIGURE}open_allocations"] >= 4, metrics
            for figure in ("peers_refused", "malformed", "queue_full"):
                assert metrics[f"{FIGURE}{figure}_total"] == 0, figure
            first = await carol.streams()
            await asyncio.sleep(3)
            later = await carol.streams()
            assert later.frames_decoded() - first.frames_decoded() > 30, "Carol's picture stands still"
            # Allocations end with their session.
            await page.close()
            async def fewer():
                return (await gateway.metrics())[f"{FIGURE}open_allocations"] < metrics[f"{FIGURE}open_allocations"]
            await until(fewer, 10, "Carol's allocations end")

    async def none():
        return (await gateway.metrics())[f"{FIGURE}open_allocations"] == 0
    await until(none, 60, "all allocations end")


async def test_a_receiver_by_turn_whose_connection_is_slow_keeps_its_sound(link, start_gateway, artifacts):
    address, name = link.server_address, "call.example.org"
    authority, certificate, key = issue(artifacts, name)
    gateway = await start_gateway(
        "--tls-certificate", str(certificate), "--tls-private-key", str(key), "--http", "allow",
        namespace=link.server, host=address)
    link.set(both_only=gateway.port, both_delay=25)
    async with contextlib.AsyncExitStack() as stack:
        near = Relay(link.server, (gateway.host, gateway.port))
        stack.callback(near.close)
        beside = await stack.enter_async_context(Chromium(artifacts, link.server))
        away = await stack.enter_async_context(
            Chromium(artifacts, link.client, authority=authority, hosts={name: address}))
        here, there = f"http://127.0.0.1:{near.port}", f"https://{name}:{gateway.port}"
        await enter(beside, here, "offices", "Alice", deaf=True, size=(1280, 720))
        carol = await enter(beside, here, "offices", "Carol", "&layers=all", blind=True)
        bob = await enter(away, there, "offices", "Bob", "&layers=all", blind=True)
        for person in (carol, bob):
            await until(lambda person=person: inbound(person), 45, f"{person.name} gets Alice's picture", every=0.3)
        ways = await tuples(gateway, "offices")
        assert [one["relay"] for one in ways["Bob"]] == ["tls"] * len(ways["Bob"]), ways
        assert all("relay" not in one and one["protocol"] == "udp" for one in ways["Carol"]), ways
        await judge_slow_connection(link, gateway, bob, carol, artifacts)


def uclient(*options, port, seconds=6):
    """What coturn's client says in so many seconds: what it sends are no checks, so that nothing comes back."""
    command = ["turnutils_uclient", "-v", "-c", "-n", "2", "-p", str(port), *options, "127.0.0.1"]
    try:
        return subprocess.run(command, capture_output=True, timeout=seconds, text=True).stdout
    except subprocess.TimeoutExpired as over:
        return (over.stdout or b"").decode(errors="replace")


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
async def test_coturns_client_allocates_permits_and_binds_channels(start_gateway, way):
    port = free_ports()
    gateway = await start_gateway(
        "--tls", "self-signed", "--http", "allow", "--turn-port", str(port), "--turn-secret", SECRET)
    options = {"udp": [], "tcp": ["-t"], "tls": ["-t", "-S"]}[way]
    port = gateway.port if way == "tls" else port
    peer = ["-r", str(gateway.media_port), "-u", "coturn", "-W", SECRET]

    async def said(*more):
        text = ""
        # For TLS it takes any version, by chance.
        for _ in range(10):
            text = await asyncio.to_thread(uclient, *options, *peer, *more, port=port)
            if "Received relay addr" in text:
                break
        return text

    channels, sending = await asyncio.gather(said("-e", "127.0.0.1"), said("-e", "127.0.0.1", "-s"))
    assert ": error " not in channels and channels.count("success") >= 4 and "start_mclient" in channels, channels
    assert ": error " not in sending and "start_mclient" in sending, sending
    metrics = await gateway.metrics()
    assert metrics[f"{FIGURE}allocations_total"] >= 4, metrics
    # It came to the media threads, which want a check for a transport first.
    refused = sum(value for name, value in metrics.items() if "tcp_connections_misused" in name)
    assert metrics[f"{FIGURE}peers_refused_total"] == 0, metrics
    assert refused + metrics[f"{FIGURE}unpermitted_total"] > 0, metrics
    for elsewhere in ("127.0.0.2", "10.0.0.1", "0.0.0.0"):
        text = await said("-e", elsewhere)
        assert "403 (Forbidden)" in text and "start_mclient" not in text, text
    wrong = await asyncio.to_thread(
        uclient, *options, "-r", "1", "-e", "127.0.0.1", "-u", "coturn", "-W", "another secret", port=port)
    assert "Received relay addr" not in wrong, wrong
    gateway.assert_alive()


async def test_nothing_is_relayed_to_anybody_else(start_gateway):
    gateway = await start_gateway(
        "--tls", "self-signed", "--http", "allow", "--turn-secret", SECRET, "--turn-port", str(port := free_ports()))
    with contextlib.ExitStack() as stack:
        # Everybody who might be reached: other addresses of the machine, and its own with other ports.
        listeners = []
        for host in ("127.0.0.1", "127.0.0.2", "127.1.2.3"):
            one = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            one.bind((host, 0))
            one.setblocking(False)
            listeners.append(one)
        places = [one.getsockname() for one in listeners]
        spellings = [
            ("127.0.0.2", 403), ("127.1.2.3", 403), ("0.0.0.0", 403), ("10.0.0.1", 403), ("169.254.169.254", 403),
            ("255.255.255.255", 403), ("224.0.0.1", 403), ("::ffff:127.0.0.2", 403), ("::ffff:0.0.0.0", 403),
            ("::1", 443), ("::", 443), ("64:ff9b::7f00:1", 443), ("fe80::1", 443), ("2001:db8::1", 443)]

        def scan(kind):
            client = TURNClient(
                ("127.0.0.1", gateway.port if kind == "tls" else port), *turnclient.credential(SECRET, kind), kind)
            stack.callback(client.close)
            # Before an allocation, and without a permission.
            for place in places:
                client.indicate(*place, b"no allocation")
            assert client.allocate()[0] == 0
            for number, place in enumerate(places):
                client.indicate(*place, b"no permission")
                client.channel(0x4000 + number, b"no channel")
            for address, wanted in spellings:
                for number in (gateway.media_port, *(place[1] for place in places)):
                    assert client.permit(address, number) == wanted, (kind, address)
                    assert client.bind(0x4000, address, number) == wanted, (kind, address)
                    client.indicate(address, number, b"forbidden")
            # The server's own address is its media's: permitted, with whatever port.
            assert client.permit("127.0.0.1", places[0][1]) == 0
            client.indicate(*places[0], b"another port")
            assert client.bind(0x4001, *places[0]) == 0
            client.channel(0x4001, b"another port")
            for place in places:
                client.indicate(*place, b"still not")
            # Its own ports, and those of other servers here.
            for number in (port, gateway.port, gateway.port + 1):
                client.indicate("127.0.0.1", number, b"another server")

        for kind in ("udp", "tcp", "tls"):
            await asyncio.to_thread(scan, kind)
        await asyncio.sleep(0.5)
        for one in listeners:
            with pytest.raises(BlockingIOError):
                one.recv(1)
    metrics = await gateway.metrics()
    assert metrics[f"{FIGURE}peers_refused_total"] >= 3 * 2 * 9 and metrics[f"{FIGURE}unpermitted_total"] > 30, metrics
    assert metrics["roundhouse_media_datagrams_sent_total{shard=\"0\"}"] == 0, metrics


async def test_bad_streams_end_and_silence_too_and_the_server_lives(start_gateway):
    gateway = await start_gateway("--tls", "self-signed", "--http", "allow", "--turn-secret", SECRET)

    def tried(*pieces):
        client = TURNClient(("127.0.0.1", gateway.port), "", "", "tls", timeout=20)
        with contextlib.closing(client):
            for piece in pieces:
                client.send(piece)
            return client.socket.recv(1)

    binding = bytes.fromhex("000100002112a442000102030405060708090a0b")
    frames = {
        "no frame": (binding, b"\xff" * 100), "64 KiB of a message": (b"\x00\x01\xff\xfc" + bytes(65536),),
        "64 KiB of a channel": (binding, b"\x40\x00\xff\xff" + bytes(65535))}
    for name, pieces in frames.items():
        first = await asyncio.to_thread(tried, *pieces)
        assert first in (b"", b"\x01"), name
    # Half of a frame, and nothing: ten seconds.
    silent = asyncio.to_thread(tried, binding[:10])
    assert await asyncio.wait_for(silent, 18) == b""
    metrics = await gateway.metrics()
    assert metrics[f"{FIGURE}malformed_total"] == 3 and metrics[f"{FIGURE}open_allocations"] == 0, metrics


@pytest.mark.parametrize("kind", ["tcp", "tls"])
async def test_a_flood_of_requests_is_not_looked_at_and_answers_that_nobody_reads_do_not_pile_up(start_gateway, kind):
    port = free_ports()
    gateway = await start_gateway(
        "--tls", "self-signed", "--http", "allow", "--turn-secret", SECRET, "--turn-port", str(port))
    place = ("127.0.0.1", port if kind == "tcp" else gateway.port)
    client = TURNClient(place, *turnclient.credential(SECRET), kind)
    with contextlib.closing(client):
        await asyncio.to_thread(client.allocate)
        binding = bytes.fromhex("000100002112a442000102030405060708090a0b")
        for _ in range(20):
            await asyncio.to_thread(client.send, binding * 1000)

        async def most_are_refused():
            return (await gateway.metrics())[f"{FIGURE}requests_limited_total"] > 15_000
        await until(most_are_refused, 10, "of 20,000 requests most are not looked at")
        metrics = await gateway.metrics()
        assert metrics[f"{FIGURE}malformed_total"] == 0 and metrics[f"{FIGURE}open_allocations"] == 1, metrics


async def test_clients_get_servers_with_credentials_that_end_with_their_session(start_gateway):
    port = free_ports()
    gateway = await start_gateway(
        "--turn-port", str(port), "--turn-secret", SECRET, "--turn-host", "turn.example.org")
    urls = ["turns:turn.example.org:443?transport=tcp"] + [
        f"turn:127.0.0.1:{port}?transport={way}" for way in ("udp", "tcp")]
    for protocol in ("2024", "2026"):
        async with ProtooClient(gateway, "room", "alice", query=f"&protocol={protocol}") as peer:
            application = {"appData": {"direction": "producer"}} if protocol == "2026" else {}
            answer = await peer.request("createWebRtcTransport", {
                "forceTcp": False, "producing": True, "consuming": False, **application})
            (server,) = answer["iceServers"]
            assert server["urls"] == urls, server
            client = TURNClient(("127.0.0.1", port), server["username"], server["credential"], "tcp")
            assert client.allocate()[0] == 0
            assert (await gateway.metrics())[f"{FIGURE}open_allocations"] == 1
        # It ends with the session, and its connection with it.
        assert await asyncio.to_thread(client.socket.recv, 1) == b""
        client.close()
        assert (await gateway.metrics())[f"{FIGURE}open_allocations"] == 0
    assert SECRET not in gateway.log and server["credential"] not in gateway.log


class Answers(asyncio.DatagramProtocol):
    def __init__(self):
        self.heard = asyncio.Queue()

    def datagram_received(self, data, address):
        self.heard.put_nowait((data, address))


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
async def test_aioice_checks_a_transport_through_it(start_gateway, way):
    port = free_ports()
    gateway = await start_gateway("--tls", "self-signed", "--http", "allow", "--turn-port", str(port))
    async with ProtooClient(gateway, "room", "alice") as peer:
        transport = await peer.request(
            "createWebRtcTransport", {"forceTcp": False, "producing": True, "consuming": False})
        (server,) = transport["iceServers"]
        candidate = next(one for one in transport["iceCandidates"] if one["protocol"] == "udp")
        ours = transport["iceParameters"]
        secure = ssl._create_unverified_context() if way == "tls" else False
        relayed, answers = await aioice.turn.create_turn_endpoint(
            Answers, server_addr=("127.0.0.1", gateway.port if way == "tls" else port), username=server["username"],
            password=server["credential"], ssl=secure, transport="udp" if way == "udp" else "tcp")
        for _ in range(20):
            check = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST)
            check.attributes.update({
                "USERNAME": f"{ours['usernameFragment']}:abcd", "PRIORITY": 1, "ICE-CONTROLLING": 1,
                "USE-CANDIDATE": None})
            check.add_message_integrity(ours["password"].encode())
            relayed.sendto(bytes(check), (candidate["ip"], candidate["port"]))
            data, address = await asyncio.wait_for(answers.heard.get(), 5)
            answer = aioice.stun.parse_message(data)
            assert answer.transaction_id == check.transaction_id, answer
            assert answer.message_class == aioice.stun.Class.RESPONSE and address[1] == candidate["port"], answer
            # As whoever is at the other end of the relay is seen.
            assert answer.attributes["XOR-MAPPED-ADDRESS"] == relayed.get_extra_info("sockname"), answer

        async def tuple_of():
            (one,) = (await gateway.json("/rooms/room"))["peers"][0]["transports"]
            return one.get("iceSelectedTuple")
        selected = await until(tuple_of, 5, "the transport has a tuple")
        assert selected["relay"] == way and selected["protocol"] == ("udp" if way == "udp" else "tcp"), selected
        assert selected["remotePort"] == relayed.get_extra_info("sockname")[1], selected
        relayed.close()

        async def none():
            return (await gateway.metrics())[f"{FIGURE}open_allocations"] == 0
        await until(none, 5, "the allocation is given back")


LINK = re.compile(r'<([^>]+)>; rel="ice-server"; username="([^"]+)"; credential="([^"]+)"; credential-type="password"')


async def test_whip_names_the_servers_in_link_and_socket_io_in_its_answer(start_gateway):
    port = free_ports()
    gateway = await start_gateway("--turn-port", str(port), "--turn-host", "[2001:db8::10]:8443")
    urls = ["turns:[2001:db8::10]:8443?transport=tcp"] + [
        f"turn:127.0.0.1:{port}?transport={way}" for way in ("udp", "tcp")]

    async def allocations():
        return (await gateway.metrics())[f"{FIGURE}open_allocations"]

    async with HTTPPeer(gateway, "/whip/room", AudioStreamTrack()) as publisher:
        links = [LINK.fullmatch(one).groups() for one in publisher.answer.fields.get_all("Link")]
        assert [one[0] for one in links] == urls, links
        client = TURNClient(("127.0.0.1", port), *links[0][1:])
        assert client.allocate()[0] == 0 and await allocations() == 1
        await publisher.delete()

        async def none():
            return await allocations() == 0
        await until(none, 5, "the allocation ends with the session")
    client.close()
    async with RoomServerClient(gateway, ["websocket"]) as older:
        await older.ask("createRoom", {"room_id": "older"})
        await older.ask("join", {"room_id": "older", "name": "Alice"})
        answer = await older.ask("createWebRtcTransport", {"forceTcp": False})
        assert answer["iceServers"][0]["urls"] == urls, answer
        server = answer["iceServers"][0]
        client = TURNClient(("127.0.0.1", port), server["username"], server["credential"])
        assert client.allocate()[0] == 0 and await allocations() == 1
    await until(none, 5, "the allocation ends with the session")
    client.close()


async def test_turn_can_be_switched_off(start_gateway):
    gateway = await start_gateway("--tls", "self-signed", "--http", "allow", "--turn", "off")
    assert "TURN" not in (await gateway.get("/readyz"))[1] and "TURN" not in gateway.log
    client = TURNClient(("127.0.0.1", gateway.port), "", "", "tls")
    client.send(bytes.fromhex("000100002112a442000102030405060708090a0b"))
    assert client.socket.recv(4) == b"HTTP"
    client.close()
