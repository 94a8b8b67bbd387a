"""Headless Chromium with a fake camera and microphone, driven by playwright."""

import contextlib
import os
import pathlib
import shlex
import stat
import subprocess
import tempfile

from playwright.async_api import async_playwright

from call import REMEMBER_CONNECTIONS

PROGRAM = os.environ.get("ROUNDHOUSE_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--use-fake-ui-for-media-stream", "--no-sandbox", "--ignore-certificate-errors",
    "--autoplay-policy=no-user-gesture-required", "--mute-audio", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]


def trusting(authority, folder):
    """A home folder whose owner trusts an authority."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="home-", dir=folder))
    trust(authority, home / ".pki/nssdb")
    return home


def trust(authority, database):
    """Adds an authority to a browser's database of certificates."""
    database.mkdir(parents=True, exist_ok=True)
    tool = ["certutil", "-d", f"sql:{database}"]
    if not (database / "cert9.db").exists():
        subprocess.run([*tool, "-N", "--empty-password"], check=True)
    subprocess.run([*tool, "-A", "-n", "test", "-t", "C,,", "-i", authority], check=True)


class Page:
    """One page in a browser context of its own."""

    def __init__(self, context, page):
        self.context, self.page = context, page
        self.console = []
        page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.console.append(f"pageerror: {error}"))

    async def goto(self, url):
        await self.page.goto(url)

    async def evaluate(self, expression):
        return await self.page.evaluate(expression)

    async def before_scripts(self, text):
        """Runs a script in each page that is opened here from now on, before the page's own."""
        await self.page.add_init_script(text)

    async def picture(self, path):
        await self.page.screenshot(path=str(path))

    async def close(self):
        """Closes the page as a person does: its unload handlers run."""
        await self.page.close(run_before_unload=False)
        await self.context.close()


class Chromium:
    """`async with Chromium(folder) as browser` starts one browser process, inside a namespace if one is named.

    With `authority`, the file of its certificate, it trusts that one beside the usual, and no longer everybody.
    `hosts` has addresses of names.
    `rate` is the fake camera's, in frames a second: many people in one browser need a slow one.
    """

    def __init__(self, folder, namespace=None, rate=20, authority=None, hosts=()):
        self.folder, self.namespace, self.rate = pathlib.Path(folder), namespace, rate
        self.authority, self.hosts = authority, dict(hosts)

    async def __aenter__(self):
        self.stack = contextlib.AsyncExitStack()
        driver = await self.stack.enter_async_context(async_playwright())
        program, home, flags = PROGRAM, None, list(FLAGS)
        if self.authority:
            home = trusting(self.authority, self.folder)
            flags.remove("--ignore-certificate-errors")
        if self.hosts:
            flags.append("--host-resolver-rules=" + ", ".join(f"MAP {name} {at}" for name, at in self.hosts.items()))
        if self.namespace:
            program = self.folder / f"chromium-in-{self.namespace}"
            program.write_text(
                f"#!/bin/sh\nexec ip netns exec {shlex.quote(self.namespace)} {shlex.quote(PROGRAM)} \"$@\"\n")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        flags.append(f"--use-fake-device-for-media-stream=fps={self.rate}")
        self.browser = await driver.chromium.launch(
            executable_path=str(program), args=flags, env={**os.environ, "HOME": str(home)} if home else None)
        self.stack.push_async_callback(self.browser.close)
        return self

    async def __aexit__(self, *details):
        await self.stack.aclose()

    async def page(self, width=1280, height=800, **options):
        context = await self.browser.new_context(viewport={"width": width, "height": height}, **options)
        await context.add_init_script(REMEMBER_CONNECTIONS)
        return Page(context, await context.new_page())
