"""What a moderator does from the page, and what the others see of it."""

import urllib.parse

from call import Person
from stateapi import StateAPI
from test_page_access import is_connected, is_refused
from test_page_use import violations
from tokens import KEY, token
from waiting import until

PEOPLE = "document.getElementById('people-list').innerText"
BANNER = "document.getElementById('banner').hidden ? '' : document.getElementById('banner-text').textContent"
MICROPHONE = "document.getElementById('mic').getAttribute('aria-pressed')"
TOASTS = "document.getElementById('toasts').innerText"
MODERATOR = {"moderate": True, "publish": True, "subscribe": True}


async def person(page, origin, name, secret):
    one = Person(page, origin, "town", name)
    query = urllib.parse.urlencode({"room": "town", "name": name, "autojoin": 1, "token": secret, "lang": "en"})
    one.url = f"{origin}/?{query}"
    await one.enter()
    await is_connected(page)
    return one


async def shows(page, expression, text, what):
    async def shown():
        return text in await page.evaluate(expression)
    await until(shown, 30, what, every=0.2)


async def test_a_moderator_mutes_locks_invites_and_removes(start_gateway, chromium, artifacts):
    gateway = await start_gateway("--auth-key", KEY)
    ada = await person(await chromium.page(), gateway.url, "Ada", token(room="town", **MODERATOR))
    bob = await person(await chromium.page(), gateway.url, "Bob", token(room="town"))
    await bob.sees_and_hears(seconds=60)
    await moderate(ada, bob, gateway.url, chromium.page, artifacts)


async def moderate(ada, bob, origin, another_page, artifacts):
    """Ada may moderate, Bob may not; `another_page()` opens one for somebody else."""
    # The others have no such buttons, and could not use them.
    await bob.page.page.click("#people")
    assert await bob.page.evaluate("document.getElementById('moderation').hidden")
    assert await bob.page.evaluate("document.querySelectorAll('#people-list button').length") == 0
    await ada.page.page.click("#people")
    await shows(ada.page, PEOPLE, "Bob", "Bob is in the list")
    assert await ada.page.evaluate("document.activeElement.id") == "people-panel", "who reads it begins at its top"

    await ada.page.page.click("#people-list button:not(.danger)")
    await shows(bob.page, BANNER, "An operator has muted you", "Bob reads that he is muted")
    assert await bob.page.evaluate(MICROPHONE) == "false"
    await bob.page.page.keyboard.press("Escape")
    await bob.page.page.click("#mic")
    await shows(ada.page, PEOPLE, "microphone on", "he speaks again")
    await ada.page.page.click("#mute-all")
    await shows(bob.page, BANNER, "An operator has muted you", "everybody else is muted")
    assert await ada.page.evaluate(MICROPHONE) == "true", "but not the moderator"

    await ada.page.page.click("#lock")
    await shows(bob.page, TOASTS, "The room is locked", "everybody reads that the room is locked")
    assert not await bob.page.evaluate("document.getElementById('locked').hidden")
    late = await another_page()
    query = urllib.parse.urlencode(
        {"room": "town", "name": "Cyd", "autojoin": 1, "token": token(room="town"), "lang": "en"})
    await late.goto(f"{origin}/?{query}")
    await is_refused(late, "The room is locked")
    await ada.page.picture(artifacts / "moderation.png")
    assert not await violations(ada.page)
    await ada.page.page.click("#lock")
    await shows(bob.page, TOASTS, "The room is unlocked", "and that it is open again")

    # An invitation: to watch, for an hour, under a name.
    await ada.page.evaluate(
        "navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    await ada.page.page.fill("#invite-name", "Grace")
    await ada.page.page.select_option("#invite-role", "watch")
    await ada.page.page.select_option("#invite-until", "hour")
    await ada.page.page.click("#invite-make")
    await until(lambda: ada.page.evaluate("Boolean(window.copied)"), 30, "the link is copied")
    link = await ada.page.evaluate("window.copied")
    secret = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]
    assert secret not in await ada.page.evaluate("document.body.innerText")
    grace = await another_page()
    await grace.goto(link + "&autojoin=1&name=Nobody&lang=en")
    await shows(grace, BANNER, "You are here to watch", "whoever opens it watches")
    await shows(ada.page, PEOPLE, "Grace", "under the name that was given")

    # Removing asks once more.
    await ada.page.page.click("#people-list li:has-text('Bob') .danger")
    await shows(ada.page, PEOPLE, "Remove Bob?", "it asks")
    await ada.page.page.click("#people-list li:has-text('Bob') .danger")
    await is_refused(bob.page, "An operator removed you")
    assert not await ada.page.evaluate("window.testErrors")


async def test_rights_that_change_under_way_are_seen_at_once(start_gateway, chromium):
    gateway = await start_gateway("--auth-key", KEY)
    admin = {"Authorization": f"Bearer {token(admin=True)}"}
    ada = await person(await chromium.page(), gateway.url, "Ada", token(room="town"))
    bob = await person(await chromium.page(), gateway.url, "Bob", token(room="town"))
    await bob.sees_and_hears(seconds=60)
    async with StateAPI(gateway) as api:
        peers = (await api.ask("GET", "/api/v1/rooms/town/peers", admin))[1]["peers"]
        path = f"/api/v1/rooms/town/peers/{next(one['id'] for one in peers if one['displayName'] == 'Ada')}"
        assert (await api.ask("PATCH", path, admin, {"permissions": {"publish": False}}))[0] == 200
        await shows(ada.page, BANNER, "You are here to watch", "she reads that she watches")
        assert await ada.page.evaluate("document.getElementById('mic').hidden")
        await bob.page.page.click("#people")
        await shows(bob.page, PEOPLE, "microphone off", "the others see it")
        assert (await api.ask("PATCH", path, admin, {"permissions": {"publish": True}}))[0] == 200
        await until(lambda: ada.page.evaluate("!document.getElementById('mic').hidden"), 30, "she may speak again")
        assert (await api.ask(
            "POST", "/api/v1/rooms/town/messages", admin, {"text": "Five minutes left."}))[0] == 204
        for one in (ada, bob):
            await shows(one.page, TOASTS, "Five minutes left.", "the message is shown")
        assert (await api.ask("POST", path + "/ban", admin, {}))[0] == 201
        await is_refused(ada.page, "keeps you out of it")
        await ada.page.page.click("#join")
        await is_refused(ada.page, "keeps you out of this room")
