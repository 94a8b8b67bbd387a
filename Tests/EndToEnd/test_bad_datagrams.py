"""Datagrams a media port should not believe: the server lives, counts what it drops, and calls go on."""

import asyncio
import time

import pytest

from datagrams import (
    BINDING_ERROR, BINDING_SUCCESS, MediaSocket, attribute, dtls_record, mutations, rtcp_packet, rtp_packet, stun_kind,
    stun_request, well_formed)
from protoo import ProtooClient
from soft_peer import SoftPeer
from waiting import until

MUTATIONS = 20_000


async def transport_of(client):
    """An open transport: (ICE user name for the server's side, password, port)."""
    info = await client.open_transport(producing=True)
    ice = info["iceParameters"]
    return f"{ice['usernameFragment']}:client", ice["password"], info["iceCandidates"][0]["port"]


def check(media, username, password, **more):
    """Sends a connectivity check until it is answered or three seconds are over; returns the answer."""
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        media.send(stun_request(username, password, **more))
        answer = media.receive()
        if answer is not None:
            return answer
    return None


async def test_strangers_datagrams_are_counted_drops(gateway):
    before = await gateway.drops()
    datagrams = well_formed()
    with MediaSocket(gateway) as media:
        for data in datagrams.values():
            media.send(data)
            for end in range(0, len(data)):
                media.send(data[:end])
                if end % 16 == 0:
                    time.sleep(0)

    async def counted():
        return await gateway.drops() - before >= len(datagrams)
    await until(counted, 5, "every stranger's datagram is counted as dropped")
    gateway.assert_alive()


async def test_noise_of_every_kind_leaves_a_call_untouched(gateway):
    async with SoftPeer(gateway, "noise", "one", level=60, hertz=440) as one:
        async with SoftPeer(gateway, "noise", "two", level=190, hertz=1200):
            await until(lambda: one.watching("video") and one.watching("video")[0].frames > 10, 40, "a call is up")
            before = await gateway.drops()
            with MediaSocket(gateway) as first, MediaSocket(gateway, gateway.media_ports[-1]) as second:
                for number, data in enumerate(mutations(seed=20261122, count=MUTATIONS)):
                    (first, second)[number & 1].send(data)
                    if number % 200 == 0:
                        # Lets the call's own sockets have their turn on this loop.
                        await asyncio.sleep(0)
            frames = one.watching("video")[0].frames
            await until(lambda: one.watching("video")[0].frames > frames + 25, 10, "the picture goes on")
            assert await gateway.drops() > before + MUTATIONS * 0.5
            gateway.assert_alive()


async def test_noise_on_a_checked_path_is_dropped_and_the_path_still_answers(gateway):
    async with ProtooClient(gateway, "path", "peer") as client:
        username, password, port = await transport_of(client)
        with MediaSocket(gateway, port) as media:
            answer = check(media, username, password)
            assert answer and stun_kind(answer) == BINDING_SUCCESS
            before = await gateway.drops()
            # Now the port knows this address: what follows reaches the transport itself.
            for kind in (20, 21, 22, 23, 24, 25, 63):
                for end in range(14):
                    media.send(dtls_record(kind)[:end])
            for sequence in range(50):
                media.send(rtp_packet(0xABCD0000 + sequence, sequence))
                media.send(rtcp_packet(200 + sequence % 8, sequence % 32))
            for data in mutations(seed=7, count=3000):
                # Whole DTLS records are the next test's.
                if not data or not 20 <= data[0] <= 63:
                    media.send(data)

            async def counted():
                return await gateway.drops() > before + 100
            await until(counted, 5, "they are counted as dropped")
            while media.receive():
                pass
            answer = check(media, username, password)
            assert answer and stun_kind(answer) == BINDING_SUCCESS, "the path does not answer any more"
        gateway.assert_alive()


@pytest.mark.parametrize("kind", [21, 22, 23])
async def test_a_broken_handshake_fails_its_own_transport_only(gateway, kind):
    async with ProtooClient(gateway, "broken", "bystander") as bystander:
        await bystander.join()
        async with ProtooClient(gateway, "broken", "breaker") as breaker:
            await breaker.join()
            username, password, port = await transport_of(breaker)
            with MediaSocket(gateway, port) as media:
                assert check(media, username, password)
                media.send(dtls_record(kind, b"\1\0\0\1" + b"\xff" * 60))

                async def settled():
                    # Either the record was dropped and the path still answers, or the peer is notified that it failed.
                    if breaker.close_code == 4000:
                        return "failed"
                    answer = await asyncio.to_thread(check, media, username, password)
                    return "dropped" if answer and stun_kind(answer) == BINDING_SUCCESS else None
                outcome = await until(settled, 10, "the record is dropped, or the peer is notified")
        if outcome == "failed":
            await until(lambda: bystander.heard("peerClosed"), 5, "the others are notified")
        await bystander.request("getRouterRtpCapabilities")
    gateway.assert_alive()


async def test_a_check_with_wrong_credentials_gets_no_path(gateway):
    async with ProtooClient(gateway, "creds", "peer") as client:
        username, password, port = await transport_of(client)
        before = await gateway.drops()
        with MediaSocket(gateway, port) as media:
            for wrong in (
                stun_request(username, "not the password"),
                stun_request("nobody:client", password),
                stun_request(username.split(":")[0], password),
                stun_request("", password),
                stun_request(username, None),
                stun_request(username, password)[:-1] + b"\0",
                stun_request(username, password, attribute(0x7FFE, b"?")),
            ):
                media.send(wrong)
                answer = media.receive()
                assert answer is None or stun_kind(answer) == BINDING_ERROR, answer
        assert await gateway.drops() > before
        room = await gateway.json("/rooms/creds")
        assert [one["iceState"] for one in room["peers"][0]["transports"]] == ["new"]


async def test_a_handshake_with_a_wrong_fingerprint_fails_and_the_peer_is_notified(gateway):
    class Liar(SoftPeer):
        """Announces a certificate that is not its own."""

        async def _transport(self, create, **direction):
            transport = await super()._transport(create, **direction)
            request = self.client.request

            async def lying(method, data=None, timeout=10):
                if method == "connectWebRtcTransport":
                    data = {**data, "dtlsParameters": {
                        **data["dtlsParameters"],
                        "fingerprints": [{"algorithm": "sha-256", "value": ":".join(["AB"] * 32)}]}}
                return await request(method, data, timeout)

            self.client.request = lying
            return transport

    async with SoftPeer(gateway, "honest", "honest", level=60):
        liar = Liar(gateway, "honest", "liar", level=190)
        try:
            await liar.__aenter__()

            async def failed():
                if liar.client.close_code is not None:
                    return True
                room = await gateway.json("/rooms/honest")
                return any(
                    one["dtlsState"] == "failed" for peer in room["peers"] for one in peer["transports"])
            await until(failed, 30, "the handshake has failed and says so", every=0.2)
            room = await gateway.json("/rooms/honest")
            assert not any(
                one["dtlsState"] == "connected" for peer in room["peers"] if peer["id"] == "liar"
                for one in peer["transports"])
        finally:
            await liar.__aexit__()
    gateway.assert_alive()


async def test_ipv6_clients_reach_a_server_that_listens_there(start_gateway):
    gateway = await start_gateway("--media-listen", "::1", shards=1)
    async with ProtooClient(gateway, "six", "peer") as client:
        info = await client.open_transport(producing=True)
        assert any(":" in one["ip"] for one in info["iceCandidates"]), info["iceCandidates"]
