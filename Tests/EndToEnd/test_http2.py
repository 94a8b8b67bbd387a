"""HTTP/2 and TLS: other programs' clients against the one port, and browsers whose signaling rides the page's
connection."""

import asyncio
import re
import subprocess

import network
from call import Person
from firefox import Firefox
from waiting import until


async def run(*command, seconds=60):
    """Runs a client to its end; returns what it printed."""
    def work():
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds)

    done = await asyncio.to_thread(work)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def make_certificate(artifacts, name, common_name):
    """A certificate and its key as PEM files."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={common_name}", "-keyout", artifacts / f"{name}.key", "-out", artifacts / f"{name}.pem"],
        check=True, capture_output=True)
    return artifacts / f"{name}.pem", artifacts / f"{name}.key"


async def shown_name(gateway):
    """The subject of the certificate that the server shows."""
    def work():
        return subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-alpn", "h2"],
            input="", capture_output=True, text=True, timeout=20).stdout

    text = await asyncio.to_thread(work)
    assert "ALPN protocol: h2" in text, text
    return re.search(r"subject=.*?CN ?= ?(\S+)", text).group(1)


async def test_clients_that_know_speak_http2_on_the_plain_port(gateway):
    text = await run("nghttp", "-v", f"{gateway.url}/healthz")
    assert "SETTINGS_ENABLE_CONNECT_PROTOCOL(0x08):1" in text and ":status: 200" in text, text
    text = await run(
        "curl", "-sS", "--http2-prior-knowledge", "-w", "%{http_version} %{http_code}", f"{gateway.url}/rooms")
    assert text == '{"rooms":[]}2 200'
    text = await run("curl", "-sS", "-w", "%{http_version} %{http_code}", f"{gateway.url}/healthz")
    assert text == "ok\n1.1 200"


async def test_two_thousand_requests_over_ten_connections(gateway):
    text = await run("h2load", "-n", "2000", "-c", "10", "-m", "20", f"{gateway.url}/rooms")
    assert "2000 succeeded, 0 failed, 0 errored, 0 timeout" in text, text
    metrics = await gateway.metrics()
    assert metrics['roundhouse_gateway_http_connections_total{version="2"}'] == 10
    await until(lambda: no_connection_but_ours(gateway), 10, "the connections are gone")


async def no_connection_but_ours(gateway):
    return (await gateway.metrics())["roundhouse_gateway_open_connections"] == 1


async def test_tls_by_itself_and_alpn(start_gateway):
    gateway = await start_gateway("--tls", "self-signed")
    https = gateway.url.replace("http:", "https:")
    write = "%{http_version} %{http_code}"
    assert await run("curl", "-sS", "-k", "--http2", "-w", write, f"{https}/rooms") == '{"rooms":[]}2 200'
    assert await run("curl", "-sS", "-k", "--http1.1", "-w", write, f"{https}/healthz") == "ok\n1.1 200"
    text = await run("h2load", "-n", "500", "-c", "5", f"{https}/rooms")
    assert "500 succeeded, 0 failed" in text, text
    # The plain port is the same one.
    assert await run("curl", "-sS", "-w", write, f"{gateway.url}/healthz") == "ok\n1.1 200"
    assert (await gateway.metrics())["roundhouse_gateway_tls_connections_total"] == 7


async def test_a_certificate_is_read_again_when_its_files_change(start_gateway, artifacts):
    certificate, key = make_certificate(artifacts, "tls", "before.example")
    gateway = await start_gateway("--tls-certificate", str(certificate), "--tls-private-key", str(key))
    assert await shown_name(gateway) == "before.example"
    certificate.write_text("half a certificate")
    await until(lambda: "not reloaded" in gateway.log, 10, "a broken file is reported")
    assert await shown_name(gateway) == "before.example"
    make_certificate(artifacts, "tls", "after.example")

    async def is_new():
        return await shown_name(gateway) == "after.example"

    await until(is_new, 15, "the new certificate is shown")


async def test_the_signaling_of_chromium_rides_the_pages_http2_connection(start_gateway, chromium):
    gateway = await start_gateway("--tls", "self-signed")
    https = gateway.url.replace("http:", "https:")
    people = []
    for name in ("Alice", "Bob"):
        page = await chromium.page(ignore_https_errors=True)
        people.append(await Person(page, https, "secure", name).enter())
    for person in people:
        await person.sees_and_hears()
    metrics = await gateway.metrics()
    assert metrics['roundhouse_gateway_websockets_total{version="2"}'] == 2, gateway.log
    assert metrics['roundhouse_gateway_websockets_total{version="1.1"}'] == 0
    # One connection for each browser context, page and WebSocket together.
    assert metrics['roundhouse_gateway_http_connections_total{version="2"}'] == 2
    assert len(re.findall(r"http=2\b.*peer connected", gateway.log)) == 2, gateway.log


async def test_the_signaling_of_firefox_rides_the_pages_http2_connection(link, start_gateway, artifacts):
    gateway = await start_gateway(
        "--tls", "self-signed", "--http", "allow", namespace=link.server, host=link.server_address)
    relay = network.Relay(link.client, (gateway.host, gateway.port))
    try:
        # It has no button for the certificate's warning; its driver takes any.
        async with Firefox(artifacts, link.client) as firefox:
            person = await Person(firefox, f"https://127.0.0.1:{relay.port}", "fox", "Fritz").enter()

            async def joined():
                peers = (await gateway.json("/rooms/fox"))["peers"]
                return [one["displayName"] for one in peers if one["joined"]] == ["Fritz"]

            async def is_there():
                return (await gateway.get("/rooms/fox"))[0] == 200 and await joined()
            await until(is_there, 90, "Firefox has joined", every=0.3)
            metrics = await gateway.metrics()
            assert metrics['roundhouse_gateway_websockets_total{version="2"}'] == 1, gateway.log
            assert metrics['roundhouse_gateway_websockets_total{version="1.1"}'] == 0
            assert metrics['roundhouse_gateway_http_connections_total{version="2"}'] == 1
            protocol = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
            assert await person.page.evaluate(protocol) == "h2"
    finally:
        relay.close()
