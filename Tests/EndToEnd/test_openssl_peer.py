"""OpenSSL's own command line on the other side of a transport's DTLS, in both roles and with every kind of suite."""

import asyncio
import socket
import subprocess

import pytest

from datagrams import stun_kind, stun_request
from protoo import ProtooClient
from waiting import until

# Spoken only with `--dtls-legacy allow`.
LEGACY = "ECDHE-ECDSA-AES128-SHA"
SUITES = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", LEGACY]


class Relay(asyncio.DatagramProtocol):
    """Does ICE towards the server, and carries everything else between it and a program on a port of this machine."""

    def __init__(self, target):
        self.target, self.checked, self.inside, self.program = target, False, None, None
        self.to_server, self.to_program = [], []

    async def open(self):
        loop = asyncio.get_running_loop()
        self.outside, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        relay = self

        class Inside(asyncio.DatagramProtocol):
            def datagram_received(self, data, address):
                relay.program = address
                relay.to_server.append(data)
                relay.outside.sendto(data, relay.target)

        self.inside, _ = await loop.create_datagram_endpoint(Inside, local_addr=("127.0.0.1", 0))
        return self

    @property
    def port(self):
        return self.inside.get_extra_info("sockname")[1]

    def datagram_received(self, data, address):
        if data[0] < 4:
            self.checked = self.checked or stun_kind(data) == 0x0101
        elif self.program:
            self.to_program.append(data)
            self.inside.sendto(data, self.program)

    async def check(self, ice):
        def passed():
            self.outside.sendto(
                stun_request(f"{ice['usernameFragment']}:program", ice["password"]), self.target)
            return self.checked
        await until(passed, 5, "a connectivity check is answered", every=0.1)

    def close(self):
        self.outside.close()
        self.inside.close()


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def certificate(folder, curve="P-256"):
    """Files with a certificate and its key, and the fingerprint."""
    cert, key = folder / "peer.pem", folder / "peer.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-nodes", "-keyout", key,
         "-out", cert, "-days", "2", "-subj", "/CN=peer"], check=True, capture_output=True)
    printed = subprocess.run(
        ["openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256"], check=True, capture_output=True,
        text=True)
    return cert, key, printed.stdout.strip().split("=")[1]


class Program:
    """`openssl s_client` or `s_server`, with what it prints."""

    def __init__(self, process):
        self.process, self.printed = process, ""
        self.reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, *arguments):
        return cls(await asyncio.create_subprocess_exec(
            "openssl", *map(str, arguments), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT))

    async def _read(self):
        while block := await self.process.stdout.read(4096):
            self.printed += block.decode(errors="replace")

    def say(self, text):
        self.process.stdin.write(text.encode())

    async def end(self):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self.reader


def records(datagrams):
    """(type, epoch, sequence number, first eight bytes of the fragment) of every record."""
    for data in datagrams:
        while len(data) >= 13:
            length = int.from_bytes(data[11:13], "big")
            yield data[0], int.from_bytes(data[3:5], "big"), int.from_bytes(data[5:11], "big"), data[13:21]
            data = data[13 + length:]


async def states(gateway):
    room = await gateway.json("/rooms/openssl")
    return [one["dtlsState"] for peer in room["peers"] for one in peer["transports"]]


# s_server closes its socket and says nothing.
@pytest.mark.parametrize("role, who_closes", [("client", "program"), ("client", "server"), ("server", "server")])
@pytest.mark.parametrize("suite", SUITES)
async def test_openssl_connects_sends_data_and_either_side_closes(
        start_gateway, tmp_path, suite, role, who_closes):
    gateway = await start_gateway(*(["--dtls-legacy", "allow"] if suite == LEGACY else []))
    cert, key, fingerprint = certificate(tmp_path)
    async with ProtooClient(gateway, "openssl", "peer") as peer:
        await peer.join()
        info = await peer.open_transport(producing=True)
        candidate = info["iceCandidates"][0]
        relay = await Relay((candidate["ip"], candidate["port"])).open()
        common = ["-dtls1_2", "-cert", cert, "-key", key, "-cipher", suite, "-use_srtp", "SRTP_AEAD_AES_128_GCM",
                  "-mtu", 1200]
        if role == "client":
            await relay.check(info["iceParameters"])
            program = await Program.start("s_client", "-connect", f"127.0.0.1:{relay.port}", *common)
        else:
            port = free_port()
            relay.program = ("127.0.0.1", port)
            program = await Program.start("s_server", "-accept", f"127.0.0.1:{port}", "-Verify", 1, *common)
            await until(lambda: "ACCEPT" in program.printed, 10, "s_server listens")
        try:
            await peer.request("connectWebRtcTransport", {
                "transportId": info["id"],
                "dtlsParameters": {
                    "role": role, "fingerprints": [{"algorithm": "sha-256", "value": fingerprint}]}})
            if role == "server":
                await relay.check(info["iceParameters"])

            async def connected():
                return await states(gateway) == ["connected"]
            await until(connected, 20, "the handshake is complete")
            await until(lambda: suite in program.printed, 10, "the program says which suite it is")

            for line in range(5):
                program.say(f"line {line}\n")
            await until(
                lambda: sum(kind == 23 for kind, *_ in records(relay.to_server)) >= 1, 10, "data has gone out")
            # Neither data nor what nobody could have sealed ends anything.
            relay.outside.sendto(bytes([21, 254, 253, 0, 1, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40]), relay.target)
            relay.outside.sendto(relay.to_server[-1], relay.target)
            await asyncio.sleep(0.05)
            assert await states(gateway) == ["connected"] and program.process.returncode is None

            if who_closes == "program":
                program.say("Q\n")
                await until(lambda: peer.close_code == 4000, 10, "the program's goodbye has ended it")
                assert "dtls-closed" in peer.socket.close_reason
            else:
                await peer.socket.close()
                await until(lambda: any(kind == 21 for kind, *_ in records(relay.to_program)), 10, "our goodbye")
                await until(
                    lambda: program.process.returncode is not None or "DONE" in program.printed
                    or "shutting down" in program.printed or "CONNECTION CLOSED" in program.printed, 10,
                    f"the program understands it: {program.printed[-300:]}")
            protected = [one for one in records(relay.to_program) if one[1] == 1]
            assert protected and protected[-1][0] == 21, "the last that we say is close_notify"
            numbers = [sequence for _, _, sequence, _ in protected]
            assert numbers == list(range(len(numbers))), numbers
            if "GCM" in suite:
                assert len({nonce for *_, nonce in protected}) == len(protected), "a nonce came twice"
        finally:
            await program.end()
            relay.close()
    gateway.assert_alive()


async def handshake(gateway, peer, curve, tmp_path, signaled=None):
    """`s_client` with a certificate on this curve, once it is connected or refused."""
    cert, key, fingerprint = certificate(tmp_path, curve)
    info = await peer.open_transport(producing=True)
    candidate = info["iceCandidates"][0]
    relay = await Relay((candidate["ip"], candidate["port"])).open()
    await relay.check(info["iceParameters"])
    program = await Program.start(
        "s_client", "-connect", f"127.0.0.1:{relay.port}", "-dtls1_2", "-cert", cert, "-key", key,
        "-use_srtp", "SRTP_AEAD_AES_128_GCM", "-mtu", 1200, "-groups", "P-256:P-384:P-521:P-224")
    await peer.request("connectWebRtcTransport", {"transportId": info["id"], "dtlsParameters": {
        "role": "client", "fingerprints": [{"algorithm": "sha-256", "value": signaled or fingerprint}]}})
    return relay, program


@pytest.mark.parametrize("curve", ["P-224", "P-384", "P-521"])
async def test_certificates_on_other_curves_are_accepted(start_gateway, tmp_path, curve):
    gateway = await start_gateway()
    async with ProtooClient(gateway, "openssl", "peer") as peer:
        await peer.join()
        relay, program = await handshake(gateway, peer, curve, tmp_path)
        try:
            async def connected():
                return await states(gateway) == ["connected"]
            await until(connected, 20, f"a certificate on {curve} connects", every=0.1)
        finally:
            await program.end()
            relay.close()


@pytest.mark.parametrize("curve, signaled, reason, words", [
    ("secp256k1", None, "protocol_violation", "wrong curve"),
    ("P-256", ":".join(["AB"] * 32), "fingerprint_mismatch", "another certificate than the fingerprint"),
])
async def test_a_handshake_that_fails_is_a_line_and_a_count_with_the_cause(
        start_gateway, tmp_path, curve, signaled, reason, words):
    gateway = await start_gateway()
    async with ProtooClient(gateway, "openssl", "peer") as peer:
        await peer.join()
        relay, program = await handshake(gateway, peer, curve, tmp_path, signaled)
        try:
            await until(lambda: peer.close_code, 20, "the peer is sent away")
            line, = [one for one in gateway.log.splitlines() if "a DTLS handshake failed" in one]
            assert f"reason={reason}" in line and words in line and "127.0.0.1" in line, line
            metrics = await gateway.metrics()
            assert sum(value for name, value in metrics.items()
                       if name.startswith("roundhouse_media_handshake_failures_total") and reason in name) == 1
        finally:
            await program.end()
            relay.close()
