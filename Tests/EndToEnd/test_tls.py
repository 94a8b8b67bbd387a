"""TLS of the signaling port against OpenSSL's own client and clients that misbehave."""

import asyncio
import json
import socket
import ssl
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from test_http2 import no_connection_but_ours
from waiting import until

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def make_pair(folder, kind):
    """A certificate and its key as PEM files; `kind` is what `openssl req` makes the key of."""
    certificate, key = folder / "tls.pem", folder / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", key, "-out", certificate], check=True, capture_output=True)
    if kind[0] == "ec":
        # As `openssl ecparam -genkey` writes it.
        parameters = subprocess.run(
            ["openssl", "ecparam", "-name", "prime256v1"], check=True, capture_output=True, text=True).stdout
        key.write_text(parameters + key.read_text())
    return certificate, key


async def s_client(gateway, *options, send=REQUEST):
    """Runs `openssl s_client` until the server ends the connection; returns its exit code and what it printed."""
    def work():
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"{gateway.host}:{gateway.port}", *options], input=send,
            capture_output=True, timeout=60)
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")
    return await asyncio.to_thread(work)


@pytest.mark.parametrize("kind", [
    ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), ("rsa:2048",), ("ed25519",)], ids=["ec", "rsa", "ed25519"])
@pytest.mark.parametrize("version", ["1_2", "1_3"])
async def test_openssl_gets_its_answer_and_hears_the_end(start_gateway, artifacts, kind, version):
    certificate, key = make_pair(artifacts, kind)
    gateway = await start_gateway("--tls-certificate", str(certificate), "--tls-private-key", str(key))
    code, text = await s_client(
        gateway, f"-tls{version}", "-alpn", "http/1.1", "-ign_eof", "-CAfile", str(certificate), "-verify_return_error")
    assert code == 0, text
    assert "HTTP/1.1 200 OK" in text and "\nok\n" in text, text
    assert f"New, TLSv{version.replace('_', '.')}" in text and "ALPN protocol: http/1.1" in text, text
    assert "Compression: NONE" in text and "session ticket" not in text.lower(), text
    # What it says of a connection that ends without close_notify.
    assert "unexpected eof" not in text, text
    # By the defaults of a client of today, HTTP/2.
    code, text = await s_client(gateway, "-alpn", "h2,http/1.1", send=b"")
    assert code == 0 and "ALPN protocol: h2" in text, text
    assert (await gateway.metrics())["roundhouse_gateway_tls_connections_total"] == 2


async def test_handshakes_that_cannot_be_are_refused_counted_and_logged(start_gateway):
    gateway = await start_gateway("--tls", "self-signed")
    code, text = await s_client(gateway, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert code != 0 and "alert protocol version" in text, text
    code, text = await s_client(gateway, "-tls1_2", "-cipher", "AES256-GCM-SHA384")
    assert code != 0 and "handshake failure" in text, text
    metrics = await gateway.metrics()
    assert metrics['roundhouse_gateway_refused_connections_total{reason="tls_handshake"}'] == 2
    assert metrics["roundhouse_gateway_tls_connections_total"] == 0
    for reason in ("unsupported protocol", "no shared cipher"):
        assert "a TLS handshake failed" in gateway.log and reason in gateway.log, gateway.log


async def test_a_client_cannot_negotiate_again(start_gateway):
    gateway = await start_gateway("--tls", "self-signed")
    # The letter is its command for that.
    code, text = await s_client(gateway, "-tls1_2", send=b"R\n")
    assert "RENEGOTIATING" in text and "no renegotiation" in text, text
    await until(lambda: no_connection_but_ours(gateway), 10, "the connection is gone")


def context():
    """A client that takes any certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def connect(gateway):
    return socket.create_connection((gateway.host, gateway.port), timeout=60)


def reset(plain):
    """Ends a connection without a word."""
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    plain.close()


def hello(client_context):
    """The first bytes of a client, and nothing after them."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        client_context.wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


def visit(gateway, number, client_context):
    """One of the ways of clients to come and go."""
    plain = connect(gateway)
    match number % 8:
        case 0:
            plain.sendall(hello(client_context)[:100])
            return reset(plain)
        case 1:
            plain.sendall(hello(client_context))
            return plain.close()
        case 2:
            plain.sendall(b"\x16\x03\x01\xff\xff" + bytes(100))
            return plain.close()
        case 3:
            return client_context.wrap_socket(plain).close()
        case 4:
            secure = client_context.wrap_socket(plain)
            secure.sendall(b"GET / HT")
            return reset(socket.socket(fileno=secure.detach()))
    secure = client_context.wrap_socket(plain, suppress_ragged_eofs=False)
    secure.sendall(REQUEST)
    text = b""
    # Raises if the connection ends without close_notify.
    while part := secure.recv(65_536):
        text += part
    assert text.startswith(b"HTTP/1.1 200 ") and text.endswith(b"ok\n"), text
    if number % 2:
        return secure.unwrap().close()
    secure.close()


@pytest.mark.timeout(300)
async def test_thousands_of_clients_that_come_and_go_leave_nothing_behind(start_gateway):
    gateway = await start_gateway("--tls", "self-signed", "--max-requests-per-second", "10000")
    contexts = [context() for _ in range(8)]

    async def visits(count):
        def work():
            with ThreadPoolExecutor(len(contexts)) as pool:
                list(pool.map(lambda number: visit(gateway, number, contexts[number % len(contexts)]), range(count)))
        await asyncio.to_thread(work)
        await until(lambda: no_connection_but_ours(gateway), 30, "the connections are gone")
        return gateway.resident_bytes(), gateway.open_descriptors()

    await visits(1000)
    before = await visits(1000)
    after = await visits(4000)
    # One that is not freed has 10 KB at least.
    assert after[0] - before[0] < 8 << 20, (before, after)
    assert after[1] <= before[1] + 2, (before, after)
    # All but those that went in the middle, and some of those that were reset right after.
    completed = (await gateway.metrics())["roundhouse_gateway_tls_connections_total"]
    assert 6000 * 4 / 8 <= completed <= 6000 * 5 / 8, completed


def frame(text):
    """A client's WebSocket frame whose mask changes nothing (RFC 6455 §5.2)."""
    payload = text.encode()
    return struct.pack("!BBH", 0x81, 0x80 | 126, len(payload)) + bytes(4) + payload


async def test_a_client_that_asks_and_does_not_read_is_cut_off_and_costs_little(start_gateway):
    gateway = await start_gateway("--tls", "self-signed", "--max-messages-per-second", "1000")
    before = gateway.resident_bytes()
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.settimeout(60)
    plain.connect((gateway.host, gateway.port))
    sizes = []

    def work():
        secure = context().wrap_socket(plain)
        secure.sendall(
            b"GET /?roomId=r&peerId=p HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Sec-WebSocket-Protocol: protoo\r\n\r\n")
        for number in range(9000):
            request = {"request": True, "id": number, "method": "getRouterRtpCapabilities", "data": {}}
            secure.sendall(frame(json.dumps(request)))
        return secure

    async def is_gone():
        sizes.append(gateway.resident_bytes())
        return await no_connection_but_ours(gateway)

    secure = await asyncio.to_thread(work)
    await until(is_gone, 60, "the client is cut off")
    secure.close()
    # The answers have 60 MB; 4 may wait in the server, encrypted or not.
    assert max(sizes) - before < 24 << 20, (before, sizes)
    requests = {name: value for name, value in (await gateway.metrics()).items() if "getRouterRtpCapabilities" in name}
    assert requests and sum(requests.values()) < 9000, requests
