"""Headless Chromium with a fake camera and microphone, driven by playwright."""

import contextlib
import os
import pathlib
import shlex
import stat

from playwright.async_api import async_playwright

from call import REMEMBER_CONNECTIONS

PROGRAM = os.environ.get("ROUNDHOUSE_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--use-fake-ui-for-media-stream", "--no-sandbox", "--ignore-certificate-errors",
    "--autoplay-policy=no-user-gesture-required", "--mute-audio", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]


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

    `rate` is the fake camera's, in frames a second: many people in one browser need a slow one.
    """

    def __init__(self, folder, namespace=None, rate=20):
        self.folder, self.namespace, self.rate = pathlib.Path(folder), namespace, rate

    async def __aenter__(self):
        self.stack = contextlib.AsyncExitStack()
        driver = await self.stack.enter_async_context(async_playwright())
        program = PROGRAM
        if self.namespace:
            program = self.folder / f"chromium-in-{self.namespace}"
            program.write_text(
                f"#!/bin/sh\nexec ip netns exec {shlex.quote(self.namespace)} {shlex.quote(PROGRAM)} \"$@\"\n")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        flags = [f"--use-fake-device-for-media-stream=fps={self.rate}", *FLAGS]
        self.browser = await driver.chromium.launch(executable_path=str(program), args=flags)
        self.stack.push_async_callback(self.browser.close)
        return self

    async def __aexit__(self, *details):
        await self.stack.aclose()

    async def page(self, width=1280, height=800, **options):
        context = await self.browser.new_context(viewport={"width": width, "height": height}, **options)
        await context.add_init_script(REMEMBER_CONNECTIONS)
        return Page(context, await context.new_page())
