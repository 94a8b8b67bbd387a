#!/usr/bin/env python3
"""Takes the README's picture of the page, and one with two people, from the release build: pictures.py [FOLDER]."""

import asyncio
import pathlib
import sys
import tempfile

from call import Person
from chromium import Chromium
from gateway import ROOT, Gateway

PEOPLE = ("Ada", "Grace", "Edsger", "Barbara", "Alan", "Radia")


async def take(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        server = await Gateway(scratch).start()
        try:
            async with Chromium(scratch, rate=5) as browser:
                people = []
                for name in PEOPLE:
                    people.append(await Person(await browser.page(), server.url, "Turntable", name).enter())
                    await people[0].sees_and_hears(others=len(people) - 1, seconds=60)
                    if len(people) == 2:
                        await people[0].page.picture(folder / "call-two.png")
                await people[0].page.picture(folder / "call.png")
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
