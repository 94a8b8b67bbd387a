#!/usr/bin/env python3
"""Takes the documents' pictures of the page and of the console, from the release build: pictures.py [FOLDER]."""

import asyncio
import pathlib
import sys
import tempfile

from call import Person
from chromium import Chromium
from gateway import ROOT, Gateway
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
        finally:
            await server.stop()
            await server.kill()
    print(f"pictures are in {folder}")


if __name__ == "__main__":
    asyncio.run(take(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Docs/images"))
