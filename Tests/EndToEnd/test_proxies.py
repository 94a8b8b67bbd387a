"""Limits by address behind the README's own nginx configuration."""

import asyncio
import contextlib
import http.client
import os
import re
import shutil
import subprocess

import network
from gateway import ROOT
from waiting import until

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
WRAPPER = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 100000;
    {block}
}}
"""


def readme_block(port, upstream):
    """The README's block, on a port without TLS, before our server."""
    block = re.search(r"```nginx\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL).group(1)
    for old, new in (("listen 443 ssl", f"listen 127.0.0.1:{port}"),
                     ("http://127.0.0.1:3016", f"http://127.0.0.1:{upstream}")):
        assert old in block, old
        block = block.replace(old, new)
    return re.sub(r"\n *ssl_certificate.*", "", block)


class Nginx:
    """nginx as the README sets it up: `async with Nginx(folder, gateway) as nginx`."""

    def __init__(self, folder, gateway):
        self.folder, self.port = folder.resolve(), network.free_ports()
        self.configuration = self.folder / "nginx.conf"
        self.configuration.write_text(WRAPPER.format(
            folder=self.folder, block=readme_block(self.port, gateway.port)))
        self.process = None

    async def __aenter__(self):
        assert NGINX, "nginx is missing: .ci/setup test installs it"
        self.process = subprocess.Popen([NGINX, "-c", self.configuration, "-g", "daemon off;"])
        await until(self.answers, 30, "nginx forwards")
        return self

    def answers(self):
        with contextlib.suppress(OSError):
            return self.ask("127.0.0.9").get("/healthz") == 200
        return False

    def ask(self, address):
        return Client(self.port, address)

    async def __aexit__(self, *_):
        self.process.terminate()
        await asyncio.to_thread(self.process.wait)


class Client:
    """A client of nginx at an address of its own; it lies about it to the proxy."""

    def __init__(self, port, address):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(address, 0))
        self.number = 0

    def get(self, path):
        self.number += 1
        lie = f"198.51.{self.number >> 8 & 255}.{self.number & 255}"
        self.connection.request("GET", path, headers={"X-Forwarded-For": lie})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


def flood(client, count):
    return [client.get("/") for _ in range(count)]


async def test_one_client_behind_the_readmes_nginx_is_limited_and_another_is_served(start_gateway, artifacts):
    gateway = await start_gateway("--trusted-proxy", "127.0.0.1")
    async with Nginx(artifacts, gateway) as nginx:
        flooding = asyncio.create_task(asyncio.to_thread(flood, nginx.ask("127.0.0.2"), 10_000))
        served = []
        while not flooding.done():
            served.append(await asyncio.to_thread(nginx.ask("127.0.0.3").get, "/"))
            await asyncio.sleep(0.02)
        statuses = await flooding
        # 2,000 at once, then 200 a second.
        assert statuses[:1000] == [200] * 1000 and 429 in statuses, set(statuses)
        assert set(served) == {200} and len(served) > 5
        assert "--trusted-proxy" not in gateway.log


async def test_a_proxy_that_nobody_named_is_one_client_and_one_warning(start_gateway, artifacts):
    gateway = await start_gateway("--max-requests-per-second", "5")
    async with Nginx(artifacts, gateway) as nginx:
        statuses = await asyncio.to_thread(flood, nginx.ask("127.0.0.2"), 200)
        assert 429 in statuses
        assert gateway.log.count("give --trusted-proxy 127.0.0.1") == 1
        # Programs of this machine are not meant.
        assert [(await gateway.get("/rooms"))[0] for _ in range(60)] == [200] * 60
