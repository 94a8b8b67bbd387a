"""A call of two people in a real browser, made as the end-to-end tests make theirs."""

import contextlib
import pathlib
import sys

# Behind this folder's own modules.
sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "Tests/EndToEnd"))

from call import Person  # noqa: E402
from chromium import Chromium  # noqa: E402
from waiting import until  # noqa: E402


class Call:
    def __init__(self, people):
        self.people = people

    async def goes_on(self):
        """Waits for a second of pictures more, for everybody."""
        for one in self.people:
            before = (await one.streams()).frames_decoded()

            async def is_later(one=one, before=before):
                return (await one.streams()).frames_decoded() >= before + 20
            await until(is_later, 30, f"{one.name} goes on seeing")

    async def is_said(self, words):
        """Waits until the words are on everybody's page."""
        for one in self.people:
            async def has(one=one):
                return words in await one.page.evaluate("document.body.innerText")
            await until(has, 30, f"{one.name} reads {words!r}")


@contextlib.asynccontextmanager
async def call(url, folder, namespace=None):
    """Ada and Grace, who see and hear each other through the server at `url`."""
    async with Chromium(folder, namespace) as chromium:
        people = [await Person(await chromium.page(), url, "packaged", name).enter() for name in ("Ada", "Grace")]
        for one in people:
            await one.sees_and_hears(seconds=120)
        yield Call(people)
