"""HTTP/2: other programs' clients against the one port."""

import asyncio
import subprocess

from waiting import until


async def run(*command, seconds=60):
    """Runs a client to its end; returns what it printed."""
    def work():
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds)

    done = await asyncio.to_thread(work)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


async def test_clients_that_know_speak_http2_on_the_plain_port(gateway):
    text = await run("nghttp", "-v", f"{gateway.url}/healthz")
    assert "SETTINGS_ENABLE_CONNECT_PROTOCOL(0x08):1" in text and ":status: 200" in text, text
    text = await run("curl", "-sS", "--http2-prior-knowledge", "-w", "%{http_version} %{http_code}", f"{gateway.url}/rooms")
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
