#!/usr/bin/env python3
"""Takes the documents' pictures of the page and of the console, from the release build.

pictures.py [FOLDER]          the README's and the documents'
pictures.py states [FOLDER]   every state that the page and the console can be in, as JPEG; a bad network needs root
"""

import asyncio
import contextlib
import pathlib
import sys
import tempfile
import urllib.parse

import network
from call import Person
from chromium import Chromium
from gateway import ROOT, Gateway
from protoo import ProtooClient
from stateapi import HEADERS, TOKEN, StateAPI
from tokens import KEY, token
from waiting import until

PEOPLE = ("Ada", "Grace", "Edsger", "Barbara", "Alan", "Radia")


async def take_console(browser, server, folder):
    sizes = {"console": {"width": 1280, "height": 900},
             "console-phone": {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}}
    for name, size in sizes.items():
        page = await browser.page(**size)
        await page.goto(f"{server.url}/console?room=Turntable")

        async def is_drawn():
            charts = "[...document.querySelectorAll('[data-producer] .chart')]"
            return await page.evaluate(f"{charts}.length > 0 && {charts}.every(c => +c.dataset.points >= 20)")
        await until(is_drawn, 120, "the charts have a history", every=0.5)
        await page.picture(folder / f"{name}.png")
        await page.close()


async def take_chat(browser, server, folder):
    ada = await Person(await browser.page(), server.url, "Chat", "Ada").enter()
    grace = await Person(await browser.page(**PHONE), server.url, "Chat", "Grace").enter()
    edsger = await Person(await browser.page(), server.url, "Chat", "Edsger").enter()
    for person in (ada, grace, edsger):
        await person.sees_and_hears(others=2, seconds=60)
        await person.page.page.click("#chat")
    said = (
        (ada, "The minutes are at https://example.org/minutes"),
        (edsger, "Thank you! Two things are missing:\nthe date of the next call,\nand who takes notes."),
        (grace, "I do, from my phone if need be."), (ada, "Then we have everything."))
    for count, (person, text) in enumerate(said, 1):
        await person.page.page.fill("#chat-text", text)
        await person.page.page.click("#chat-form button")

        async def is_said():
            lines = "document.querySelectorAll('#chat-log .chat-line').length"
            return all([await one.page.evaluate(lines) == count for one in (ada, grace, edsger)])
        await until(is_said, 30, "everybody has it")
    # By the keyboard, for which the focus leaves the field of the text.
    await edsger.page.page.keyboard.press("Escape")
    await edsger.page.page.keyboard.press("h")

    async def is_up():
        hands = "document.querySelectorAll('.tile[data-hand=true]').length"
        return await ada.page.evaluate(hands) == 1 == await grace.page.evaluate(hands)
    await until(is_up, 30, "the hand is seen")
    await ada.page.picture(folder / "chat.png")
    await grace.page.picture(folder / "chat-phone.png")
    for person in (ada, grace, edsger):
        await person.page.close()


async def take(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        server = await Gateway(scratch).start()
        try:
            async with Chromium(scratch, rate=5) as browser:
                people = []
                for name in PEOPLE:
                    people.append(await Person(await browser.page(), server.url, "Turntable", name).enter())
                    await people[0].sees_and_hears(others=len(people) - 1, seconds=300)
                    if len(people) == 2:
                        await people[0].page.picture(folder / "call-two.png")
                await people[0].page.picture(folder / "call.png")
                await take_console(browser, server, folder)
                phone = await Person(
                    await browser.page(width=390, height=844, is_mobile=True, has_touch=True), server.url, "Phone",
                    "Ada").enter()
                other = await Person(await browser.page(), server.url, "Phone", "Grace").enter()
                await phone.sees_and_hears(seconds=60)
                await phone.page.picture(folder / "call-phone.png")
                await other.page.close()
                await phone.page.close()
                for person in people:
                    await person.page.close()
                await take_chat(browser, server, folder)
        finally:
            await server.stop()
            await server.kill()
    print(f"pictures are in {folder}")


PHONE = {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}
SIDEWAYS = {**PHONE, "width": 844, "height": 390}
NAMES = ("Ada", "Grace", "Edsger", "Barbara", "Alan", "Radia")
LONG = (
    "مريم عبد الرحمن الأندلسي", "שרה בן־דוד", "Wolfeschlegelsteinhausenbergerdorff", "Ελένη Παπαδοπούλου",
    "Ганна Ковальчук")
CONNECTED = "document.getElementById('state').dataset.state === 'connected'"


class States:
    """One server and one browser, and a folder for what they look like."""

    def __init__(self, server, browser, folder):
        self.server, self.browser, self.folder = server, browser, folder

    async def person(self, room, name, query="", **options):
        one = Person(await self.browser.page(**options), self.server.url, room, name)
        one.url += query
        return await one.enter()

    async def shoot(self, page, name):
        # What moves has come to rest.
        await page.evaluate("new Promise(done => setTimeout(done, 700))")
        await page.page.screenshot(path=str(self.folder / f"{name}.jpg"), type="jpeg", quality=72)

    async def lobby(self):
        for name, options in (
                ("lobby", {}), ("lobby-dark-german", {"locale": "de-DE", "color_scheme": "dark"}),
                ("lobby-phone", PHONE)):
            page = await self.browser.page(**options)
            await page.goto(f"{self.server.url}/?room=amber-bridge-4711&name=Ada")
            await until(lambda page=page: page.evaluate(
                "document.getElementById('preview-video').readyState >= 2"), 30, "the mirror shows something")
            await self.shoot(page, name)
            await page.close()

    async def call(self):
        people = []
        for name in NAMES:
            people.append(await self.person("Turntable", name))
            await people[0].sees_and_hears(others=len(people) - 1, seconds=300)
            if len(people) == 2:
                await self.shoot(people[0].page, "call-2")
        ada = people[0].page
        await self.shoot(ada, "call-6")
        await ada.page.click("[data-self=false]")
        await self.shoot(ada, "call-pinned")
        await ada.page.keyboard.press("Escape")
        for key, name in (("c", "call-chat"), ("?", "call-keys")):
            await ada.page.keyboard.press(key)
            await self.shoot(ada, name)
            await ada.page.keyboard.press("Escape")
        await ada.page.click("#people")
        await self.shoot(ada, "call-people")
        await ada.page.keyboard.press("Escape")
        for name, options in (
                ("call-phone", PHONE), ("call-phone-sideways", SIDEWAYS),
                ("call-dark-german", {"locale": "de-DE", "color_scheme": "dark"})):
            one = await self.person("Turntable", "Margaret", **options)
            await one.sees_and_hears(others=6, seconds=120)
            await self.shoot(one.page, name)
            await one.page.close()
        async with StateAPI(self.server) as api:
            peers = (await api.ask("GET", "/api/v1/rooms/Turntable/peers", HEADERS))[1]["peers"]
            first = next(one["id"] for one in peers if one["displayName"] == "Ada")
            path = f"/api/v1/rooms/Turntable/producers?peer={first}"
            tracks = (await api.ask("GET", path, HEADERS))[1]["producers"]
            sound = next(one["id"] for one in tracks if one["kind"] == "audio")
            await api.ask("POST", f"/api/v1/rooms/Turntable/producers/{sound}/pause", HEADERS)
            await until(lambda: ada.evaluate("!document.getElementById('banner').hidden"), 20, "Ada reads it")
            await self.shoot(ada, "call-muted-by-operator")
        await self.console(people)

    async def console(self, people):
        consoles = {}
        for name, options in (("console", {"width": 1280, "height": 1000}), ("console-phone", PHONE),
                              ("console-dark", {"width": 1280, "height": 1000, "color_scheme": "dark"})):
            page = consoles[name] = await self.browser.page(**options)
            await page.goto(f"{self.server.url}/console?room=Turntable")
            await page.page.fill("#token", TOKEN)
            await page.page.click("#token-form button[type=submit]")
            await until(lambda page=page: page.evaluate(
                "document.querySelectorAll('[data-peer]').length === 6"), 60, "six people")
            await page.page.click("#hour summary")
        rows = "document.querySelectorAll('#hour tbody tr').length"
        await until(lambda: consoles["console"].evaluate(f"{rows} >= 3"), 400, "three minutes of history", every=2)
        for name, page in consoles.items():
            await self.shoot(page, name)
        for one in people:
            await one.page.close()
        page = consoles["console"]
        await page.page.click("#ended summary")
        await until(lambda: page.evaluate("document.querySelectorAll('#ended-rooms li').length > 0"), 60, "its end")
        await page.page.click("#ended-rooms summary >> nth=0")
        await page.page.click("#audit summary")
        await page.evaluate("scrollTo(0, 0)")
        await self.shoot(page, "console-after-the-call")
        for page in consoles.values():
            await page.close()

    async def crowd(self):
        async with contextlib.AsyncExitStack() as stack:
            for number in range(25):
                client = await stack.enter_async_context(ProtooClient(self.server, "crowd", f"p{number}"))
                await client.join(LONG[number % 5] if number % 2 else f"Person {number + 1}")
            people = [await self.person("crowd", name) for name in NAMES[:4]]
            for name, options in (("call-30", {}), ("call-30-phone", PHONE)):
                one = await self.person("crowd", "Margaret", **options)
                await one.sees_and_hears(others=4, seconds=120)
                await self.shoot(one.page, name)
                await one.page.close()
            for one in people:
                await one.page.close()
        people = [await self.person("names", name) for name in LONG]
        await people[2].sees_and_hears(others=4, seconds=120)
        await self.shoot(people[2].page, "call-right-to-left-and-long-names")
        for one in people:
            await one.page.close()


async def take_tokens(scratch, browser, folder):
    """Whoever has no token, and whoever may only watch."""
    server = await Gateway(scratch, "--auth-key", KEY).start()
    try:
        states = States(server, browser, folder)
        ada = Person(await browser.page(), server.url, "hall", "Ada")
        secret = token(room="hall", name="Ada", moderate=True, publish=True, subscribe=True)
        ada.url += "&" + urllib.parse.urlencode({"token": secret})
        await ada.enter()
        await until(lambda: ada.page.evaluate(CONNECTED), 60, "Ada is in")
        watching = Person(await browser.page(), server.url, "hall", "Vera")
        watching.url += "&" + urllib.parse.urlencode({"token": token(room="hall", name="Vera", subscribe=True)})
        await watching.enter()
        await until(lambda: watching.page.evaluate(
            "document.querySelectorAll('.tile[data-video=on]').length === 1"), 60, "Vera sees Ada")
        await states.shoot(watching.page, "call-watching")
        await ada.page.page.click("#people")
        await states.shoot(ada.page, "call-moderator")
        page = await browser.page()
        await page.goto(f"{server.url}/?room=hall&name=Bob&autojoin=1")
        field = "!document.getElementById('token-field').hidden"
        await until(lambda: page.evaluate(field), 60, "a field for the token")
        await states.shoot(page, "lobby-token")
    finally:
        await server.stop()
        await server.kill()


async def take_bad_network(scratch, folder):
    """Losses and a long way on an emulated link, and then nothing at all."""
    with network.Link(pathlib.Path(scratch)) as link:
        server = await Gateway(scratch, namespace=link.server, host=link.server_address).start()
        relay = network.Relay(link.client, (server.host, server.port))
        try:
            async with Chromium(scratch, link.client) as browser:
                origin = f"http://127.0.0.1:{relay.port}"
                ada = await Person(await browser.page(), origin, "far", "Ada").enter()
                grace = await Person(await browser.page(), origin, "far", "Grace").enter()
                await ada.sees_and_hears(seconds=60)
                await grace.sees_and_hears(seconds=60)
                states = States(server, browser, folder)
                link.set(both_loss=12, both_delay=80)
                await until(lambda: ada.page.evaluate(
                    "[...document.querySelectorAll('.bars:not([hidden])')].some(one => one.dataset.bars < 2)"), 90,
                    "bars say that the network is bad")
                await states.shoot(ada.page, "call-bad-network")
                link.set(both_loss=100, both_delay=0)
                await until(lambda: ada.page.evaluate(f"!({CONNECTED})"), 60, "nothing arrives")
                await states.shoot(ada.page, "call-no-network")
        finally:
            relay.close()
            await server.stop()
            await server.kill()


async def take_states(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        if network.unavailable(network.Link) is None:
            await take_bad_network(scratch, folder)
        async with Chromium(scratch, rate=5) as browser:
            await take_tokens(scratch, browser, folder)
            server = await Gateway(scratch, "--admin-token", TOKEN).start()
            try:
                states = States(server, browser, folder)
                await states.lobby()
                await states.crowd()
                await states.call()
            finally:
                await server.stop()
                await server.kill()
    print(f"pictures are in {folder}")


def main(words):
    if words[:1] == ["states"]:
        asyncio.run(take_states(pathlib.Path(words[1]) if words[1:] else ROOT / "Docs/images/states"))
    else:
        asyncio.run(take(pathlib.Path(words[0]) if words else ROOT / "Docs/images"))


if __name__ == "__main__":
    main(sys.argv[1:])
