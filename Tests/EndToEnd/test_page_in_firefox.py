"""The page's people, chat, hands and moderation once more: one of the two people has Firefox, the other Chromium.

Firefox sends no media to 127.0.0.1, so that browsers and server are in namespaces of their own.
"""

import contextlib

import pytest
import pytest_asyncio

import network
from chromium import Chromium
from firefox import Firefox
from test_page_chat import CONTROLS, chat, raise_hands_and_react, the_chat_closes
from test_page_moderation import MODERATOR, moderate, person, shows
from test_page_use import violations
from tokens import KEY, token

PEOPLE = "document.getElementById('people-list').innerText"


@pytest_asyncio.fixture
async def browsers(link, start_gateway, artifacts):
    """The origin of a server with keys, Firefox' page, and what opens pages of Chromium."""
    gateway = await start_gateway("--auth-key", KEY, namespace=link.server, host=link.server_address)
    relay = network.Relay(link.client, (gateway.host, gateway.port))
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(relay.close)
        chromium = await stack.enter_async_context(Chromium(artifacts, link.client))
        firefox = await stack.enter_async_context(Firefox(artifacts, link.client))
        try:
            yield f"http://127.0.0.1:{relay.port}", firefox, chromium.page
        finally:
            with contextlib.suppress(Exception):
                await firefox.picture(artifacts / "firefox.png")


async def couple(browsers, is_firefox_first):
    """Alice and Bob in one room; the first of them may moderate it."""
    origin, firefox, page = browsers
    first, second = (firefox, await page()) if is_firefox_first else (await page(), firefox)
    alice = await person(first, origin, "Alice", token(room="town", data=True, **MODERATOR))
    bob = await person(second, origin, "Bob", token(room="town"))
    await alice.sees_and_hears(seconds=60)
    await bob.sees_and_hears(seconds=60)
    return alice, bob


@pytest.mark.timeout(240)
async def test_firefox_chats_lists_people_and_moderates(browsers, artifacts):
    origin, firefox, page = browsers
    alice, bob = await couple(browsers, is_firefox_first=True)
    assert await firefox.evaluate(CONTROLS), "every control can be hit"
    await chat(alice, bob)
    await the_chat_closes(alice)

    async def enter():
        return await person(await page(), origin, "Carol", token(room="town"))
    carol = await raise_hands_and_react(alice, bob, enter)
    await carol.page.close()
    await bob.page.page.keyboard.press("Escape")
    await alice.page.page.click("#people")
    await alice.page.page.fill("#rename", "Alice A.")
    await alice.page.page.keyboard.press("Enter")
    await bob.page.page.click("#people")
    await shows(bob.page, PEOPLE, "Alice A.", "the new name is in the list")
    assert await violations(firefox) == []
    for one in (alice, bob):
        await one.page.page.keyboard.press("Escape")
    await moderate(alice, bob, origin, page, artifacts)
    assert await firefox.evaluate("window.testErrors") == []


async def test_firefox_shows_what_a_moderator_does_and_others_write(browsers, artifacts):
    origin, firefox, page = browsers
    alice, bob = await couple(browsers, is_firefox_first=False)
    await chat(alice, bob)
    await the_chat_closes(alice)
    await bob.page.page.keyboard.press("Escape")
    await moderate(alice, bob, origin, page, artifacts)
    assert await firefox.evaluate("window.testErrors") == []
