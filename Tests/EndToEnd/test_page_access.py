"""What the page asks for at the door: a room's password, and an access token."""

import json
import urllib.parse

from call import Person
from room_server_peer import post
from tokens import KEY, token
from waiting import until

STATE = "document.getElementById('state').dataset.state"
LOBBY = "!document.getElementById('lobby').hidden"
REASONS = "document.getElementById('join-form').innerText"


# Keeps the URLs that the page asks the server by: proxies write them into their logs.
WATCH_URLS = """(() => {
  const seen = window.urlsSeen = [];
  const { WebSocket: Socket, fetch: ask } = window;
  window.WebSocket = class extends Socket {
    constructor(url, protocols) { super(url, protocols); seen.push(String(url)); }
  };
  window.fetch = (url, options) => { seen.push(String(url)); return ask(url, options); };
})()"""


async def fill_and_join(page, url, password):
    """Joins; the page asks for a password when the room turns out to have one."""
    await page.goto(url)
    await page.evaluate(WATCH_URLS)
    await page.page.click("#join")
    await is_refused(page, "This room has a password")
    if password:
        await page.page.fill("#password", password)
        await page.page.click("#join")


async def is_refused(page, word):
    """The lobby is back, and says why."""
    async def told():
        return await page.evaluate(LOBBY) and word in await page.evaluate(REASONS)
    await until(told, 60, f"the page says '{word}' in the lobby", every=0.2)


async def is_connected(page):
    async def connected():
        return await page.evaluate(STATE) == "connected"
    await until(connected, 60, "the page is in the room", every=0.2)


async def test_a_rooms_password_is_typed_into_the_page(gateway, chromium, artifacts):
    password = "s e&cret+%"
    room = post(gateway, "createValidRoomId", {"password": password})["roomId"]
    people = []
    for name in ("Ada", "Grace"):
        page = await chromium.page()
        person = Person(page, gateway.url, room, name)
        url = f"{gateway.url}/?{urllib.parse.urlencode({'room': room, 'name': name})}"
        for wrong in ("", "guess"):
            await fill_and_join(page, url, wrong)
            await is_refused(page, "password")
            await page.picture(artifacts / "refused.png")
        await fill_and_join(page, url, password)
        await is_connected(page)
        asked = await page.evaluate("window.urlsSeen.concat(location.href)")
        assert any("roomId=" in one for one in asked), asked
        assert not any(password in urllib.parse.unquote_plus(one) or "password" in one for one in asked), asked
        people.append(person)
    for person in people:
        await person.sees_and_hears(seconds=60)
    peers = (await gateway.json(f"/rooms/{room}"))["peers"]
    assert sorted(one["displayName"] for one in peers) == ["Ada", "Grace"]


async def test_a_token_in_the_pages_address_opens_its_room_and_no_other(start_gateway, chromium):
    gateway = await start_gateway("--auth-key", KEY)

    def url(room, secret):
        query = {"room": room, "name": "typed", "autojoin": 1, **({"token": secret} if secret else {})}
        return f"{gateway.url}/?{urllib.parse.urlencode(query)}"

    page = await chromium.page()
    for room, secret in (("hall", None), ("hall", token(room="cellar")), ("hall", token(room="hall", exp=1))):
        await page.goto(url(room, secret))
        await is_refused(page, "token")
    assert (await gateway.metrics())["roundhouse_rooms_open_rooms"] == 0

    other = await chromium.page()
    people = [Person(page, gateway.url, "hall", "Ada"), Person(other, gateway.url, "hall", "Grace")]
    for person in people:
        await person.page.goto(url("hall", token(room="hall", name=f"{person.name} by token")))
        await is_connected(person.page)
    for person in people:
        await person.sees_and_hears(seconds=60)
    # The name is the token's, whatever was typed.
    names = await page.evaluate("JSON.stringify(window.roundhouse.peers.map(({ displayName }) => displayName))")
    assert json.loads(names) == ["Grace by token"]
