"""The server under test: the real release binary as its own process."""

import asyncio
import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
import uuid

import network

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("ROUNDHOUSE_GATEWAY", ROOT / ".build/release/gateway"))
# What it prints when it has started.
READY = "Roundhouse is ready"
# What a Swift program, or a sanitizer in it, prints when it dies.
TRAP = re.compile(r"Fatal error|Swift runtime failure|\*\*\* Program crashed|Sanitizer|Illegal instruction|"
                  r"Segmentation fault|Assertion failed|Precondition failed")


class Gateway:
    """One running server with ports of its own. `stop` checks that it lived well until the end."""

    def __init__(self, folder, *options, shards=2, namespace=None, host="127.0.0.1", announced=None, limits=(),
                 binary=BINARY):
        self.namespace, self.host = namespace, host
        self.port = network.free_ports(namespace=namespace)
        self.media_port = network.free_ports(shards, namespace)
        self.media_ports = list(range(self.media_port, self.media_port + shards))
        self.options = [
            "--host", host, "--port", str(self.port), "--media-port", str(self.media_port), "--shards", str(shards),
            "--media-listen", host, *options]
        # Elsewhere than at loopback, what is in a room is for operators.
        self.admin_token = uuid.uuid4().hex if namespace and "--admin-token" not in options else None
        if self.admin_token:
            self.options += ["--admin-token", self.admin_token]
        if announced:
            self.options += ["--announced-address", announced]
        self.command = [*limits, str(binary), *self.options]
        self.log_path = pathlib.Path(folder) / f"gateway-{self.port}.log"
        self.process = None

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    @property
    def pid(self):
        return self.process.pid

    def spawn(self):
        with open(self.log_path, "wb") as log, network.inside(self.namespace):
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        return self

    async def start(self, seconds=15):
        self.spawn()
        deadline = time.monotonic() + seconds
        while True:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode} at start:\n{self.log}")
            try:
                # It answers a moment before it heeds signals, and then says that it is ready.
                if (await self.get("/healthz"))[0] == 200 and READY in self.log:
                    return self
            except OSError:
                pass
            if time.monotonic() > deadline:
                await self.kill()
                raise AssertionError(f"the server did not answer /healthz within {seconds} s:\n{self.log}")
            await asyncio.sleep(0.05)

    def _get(self, path):
        with network.inside(self.namespace):
            try:
                headers = {"Authorization": f"Bearer {self.admin_token}"} if self.admin_token else {}
                request = urllib.request.Request(self.url + path, headers=headers)
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as refusal:
                return refusal.code, refusal.read().decode()

    async def get(self, path):
        """(status, body) of a GET."""
        return await asyncio.to_thread(self._get, path)

    async def json(self, path):
        status, body = await self.get(path)
        assert status == 200, f"GET {path}: {status} {body}"
        return json.loads(body)

    async def metrics(self):
        """Every sample of /metrics: 'name{labels}' → number."""
        status, body = await self.get("/metrics")
        assert status == 200
        return parse_metrics(body)

    async def drops(self):
        """The sum of all drop counters."""
        return sum(value for name, value in (await self.metrics()).items() if "drop" in name)

    def resident_bytes(self):
        """Resident set size from /proc."""
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) * 1024

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def assert_alive(self):
        code = self.process.poll()
        assert code is None, f"the server ended with {code}:\n{self.log[-4000:]}"

    async def ended(self, seconds=10):
        """Waits for the process to end by itself; returns its exit code."""
        return await asyncio.to_thread(self.process.wait, seconds)

    async def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)

    async def stop(self):
        """Ends the server as an operator would; fails if it had crashed, hangs, or printed a trap."""
        if self.process is None:
            return
        self.assert_alive()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = await asyncio.to_thread(self.process.wait, 15)
        except subprocess.TimeoutExpired:
            await self.kill()
            raise AssertionError(f"the server did not stop within 15 s of SIGTERM:\n{self.log[-4000:]}")
        assert code == 0, f"the server ended with {code} after SIGTERM:\n{self.log[-4000:]}"
        assert_no_trap(self.log)


def assert_no_trap(log):
    found = TRAP.search(log)
    assert not found, f"the server printed a trap:\n{log[max(0, found.start() - 500):found.end() + 2000]}"


SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)$')


def parse_metrics(text):
    """Reads the Prometheus text format strictly; fails on any line that is none of its kinds."""
    found, declared = {}, set()
    for line in text.splitlines():
        if not line:
            continue
        if line.startswith("# TYPE "):
            name, kind = line.split(" ")[2:4]
            assert kind in ("counter", "gauge", "histogram", "summary", "untyped"), line
            assert name not in declared, f"declared twice: {name}"
            declared.add(name)
        elif not line.startswith("#"):
            match = SAMPLE.match(line)
            assert match, f"not a sample: {line!r}"
            name = match.group(1)
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            assert name in declared or base in declared, f"no # TYPE line before {name}"
            key = name + (match.group(2) or "")
            assert key not in found, f"twice: {key}"
            found[key] = float(match.group(3))
    return found
