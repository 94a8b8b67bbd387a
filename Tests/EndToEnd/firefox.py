"""Headless Firefox with a fake camera and microphone, driven by WebDriver BiDi: Debian has no geckodriver."""

import asyncio
import base64
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import websockets

import network
from call import REMEMBER_CONNECTIONS
from chromium import trust
from hands import Hands
from waiting import until

PROGRAM = os.environ.get("ROUNDHOUSE_FIREFOX", "firefox-esr")
PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.update.enabled": False,
    "extensions.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.startup.homepage": "about:blank",
    # A mouse, which hovers and is fine: a machine without one looks like a phone.
    "ui.primaryPointerCapabilities": 6,
    "ui.allPointerCapabilities": 6,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "media.gmp-manager.url": "data:,",
    "media.gmp-manager.updateEnabled": False,
    "remote.prefs.recommended": True,
    "security.sandbox.content.level": 4,
}


class Firefox:
    """One browser process with one page; the page's methods are those of chromium.Page.

    It needs a namespace with a default route to make calls: Firefox sends no media to 127.0.0.1.
    """

    def __init__(self, folder, namespace=None, preferences=None, authority=None):
        self.authority = authority
        self.folder, self.namespace = pathlib.Path(folder), namespace
        self.preferences = {**PREFERENCES, **(preferences or {})}
        self.number = 0
        self.console = []
        self.page = Hands(self)
        # A connection is read by one at a time.
        self.turn = asyncio.Lock()

    async def __aenter__(self):
        self.profile = tempfile.mkdtemp(prefix="firefox-", dir=self.folder)
        with open(os.path.join(self.profile, "user.js"), "w") as file:
            for key, value in self.preferences.items():
                file.write(f"user_pref({json.dumps(key)}, {json.dumps(value)});\n")
        if self.authority:
            trust(self.authority, pathlib.Path(self.profile))
        port = network.free_ports(namespace=self.namespace)
        environment = {**os.environ, "HOME": self.profile, "MOZ_CRASHREPORTER_DISABLE": "1"}
        with open(os.path.join(self.profile, "firefox.log"), "wb") as log, network.inside(self.namespace):
            self.process = subprocess.Popen(
                [PROGRAM, "--headless", "--no-remote", "--profile", self.profile, "--remote-debugging-port", str(port),
                 "--window-size", "1280,800", "about:blank"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        try:
            self.socket = await until(lambda: self._connect(port), 60, "Firefox listens for its driver", every=0.1)
            capabilities = {"alwaysMatch": {"acceptInsecureCerts": not self.authority}}
            await self.command("session.new", {"capabilities": capabilities})
            await self.command(
                "script.addPreloadScript", {"functionDeclaration": f"() => {{ {REMEMBER_CONNECTIONS} }}"})
            tree = await self.command("browsingContext.getTree", {})
            self.context = tree["contexts"][0]["context"]
        except BaseException:
            self._end()
            raise
        return self

    async def _connect(self, port):
        if self.process.poll() is not None:
            raise AssertionError(f"Firefox ended with {self.process.returncode}")
        try:
            with network.inside(self.namespace):
                raw = network.socket.create_connection(("127.0.0.1", port), timeout=2)
        except OSError:
            return None
        return await websockets.connect(
            f"ws://127.0.0.1:{port}/session", sock=raw, max_size=1 << 26, ping_interval=None, proxy=None)

    async def command(self, method, parameters):
        async with self.turn:
            return await self._command(method, parameters)

    async def _command(self, method, parameters):
        self.number += 1
        number = self.number
        await self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(await asyncio.wait_for(self.socket.recv(), 60))
            if message.get("id") == number:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message.get('error')}: {message.get('message')}")
                return message["result"]

    async def goto(self, url):
        await self.command("browsingContext.navigate", {"context": self.context, "url": url, "wait": "complete"})

    async def evaluate(self, expression):
        answer = await self.command("script.evaluate", {
            "expression": f"(async () => JSON.stringify(await ({expression})))()",
            "target": {"context": self.context}, "awaitPromise": True, "userActivation": True})
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        value = answer["result"].get("value")
        return json.loads(value) if value else None

    async def picture(self, path):
        answer = await self.command("browsingContext.captureScreenshot", {"context": self.context})
        pathlib.Path(path).write_bytes(base64.b64decode(answer["data"]))

    async def close(self):
        with contextlib.suppress(Exception):
            await self.command("browser.close", {})
        with contextlib.suppress(Exception):
            await self.socket.close()
        try:
            await asyncio.to_thread(self.process.wait, 1)
        except subprocess.TimeoutExpired:
            pass
        self._end()

    def _end(self):
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    async def __aexit__(self, *_):
        await self.close()
