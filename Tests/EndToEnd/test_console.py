"""The console in Chromium, at desktop and phone size: what it shows of a call, and what an operator does with it."""

import json

import pytest

from call import Person
from protoo import ProtooClient
from stateapi import TOKEN
from test_page_use import violations
from waiting import until

ERRORS = "window.testErrors"
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


class Console:
    """The console's page."""

    def __init__(self, page, origin):
        self.page, self.origin = page, origin

    async def open(self, room=None):
        await self.page.goto(f"{self.origin}/console" + (f"?room={room}" if room else ""))
        return self

    async def sees(self, expression, what, seconds=60):
        return await until(lambda: self.page.evaluate(expression), seconds, f"the console shows {what}", every=0.2)

    async def give_token(self, token=TOKEN):
        await self.sees("!document.getElementById('token-form').hidden", "where to give the token")
        await self.page.page.fill("#token", token)
        await self.page.page.click("#token-form button[type=submit]")

    async def is_live(self):
        await self.sees("document.getElementById('state').dataset.state === 'connected'", "that it is live")

    async def click(self, selector):
        await self.page.page.click(selector, timeout=60_000)


@pytest.fixture(params=["desktop", "phone"])
def size(request):
    if request.param == "phone":
        return {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}
    return {"width": 1280, "height": 900}


async def test_a_call_is_shown_paused_and_ended(start_gateway, chromium, size, artifacts):
    gateway = await start_gateway("--admin-token", TOKEN)
    people = [await Person(await chromium.page(), gateway.url, "watched", name).enter() for name in ("Ada", "Grace")]
    for person in people:
        await person.sees_and_hears(seconds=60)
    console = await Console(await chromium.page(**size), gateway.url).open()
    await console.give_token("a wrong one")
    await console.sees("document.getElementById('token-reason').textContent.includes('admin token')", "the refusal")
    await console.give_token()
    await console.is_live()
    await console.sees("document.getElementById('token-form').hidden", "no question any more")
    await console.sees("document.querySelectorAll('#rooms button').length === 1", "the room")
    await console.click("#rooms button")
    await console.sees("document.querySelectorAll('[data-peer]').length === 2", "both peers")
    await console.sees("document.querySelectorAll('[data-producer]').length === 4", "what they send")
    await console.sees("document.querySelectorAll('[data-consumer]').length === 4", "what they receive")
    texts = "[...document.querySelectorAll('{}')].map(e => e.textContent).sort().join()"
    await console.sees(
        texts.format(".track-name b") + " === 'Camera,Camera,Microphone,Microphone'", "tracks by what they are of")
    await console.sees(
        texts.format(".peer details:not(.why) summary") + " === 'Receives 2 tracks,Receives 2 tracks'", "their number")
    await console.sees(texts.format("[data-producer] .gauge span") + ".includes('Packet loss (uplink)')", "losses")
    # Charts with a history, and a bitrate that is not nothing.
    await console.sees(
        "[...document.querySelectorAll('[data-producer] .chart[data-tone=rate]')].every(c => +c.dataset.points >= 2)",
        "bitrates over time")
    await console.sees(
        "[...document.querySelectorAll('[data-producer] .gauge b')].some(b => /^[1-9].*b.s$/.test(b.textContent))",
        "a bitrate")
    await console.sees("document.querySelectorAll('#shards .shard').length === 2", "the load of both media threads")
    await console.sees("document.querySelectorAll('#events li').length > 5", "events")
    await what_operators_look_for(console, gateway)
    assert await console.page.evaluate(FITS), "nothing is wider than the screen"
    await console.page.picture(artifacts / "console.png")

    await the_console_says_why(console, artifacts)

    # Both transports of both peers, and the two media threads they lie on.
    await console.sees(texts.format(".peer-name .soft") + ".match(/ connected · thread /g)?.length === 2", "states")

    # A paused video: the other person's consumer stops.
    async def paused():
        snapshot = (await gateway.json("/rooms/watched"))["peers"]
        return [one["paused"] for peer in snapshot for each in peer["transports"] for one in each["producers"]]
    assert not any(await paused())
    button = "document.querySelector('[data-kind=video] [data-act=pause]').textContent"
    await console.sees(button + " === 'Pause video'", "what may be done")
    await console.click("[data-kind=video] [data-act=pause]")
    await console.sees(button + " === 'Resume video'", "it")
    assert sum(await paused()) == 1
    # Resumed: nobody's camera is opened from afar. The page says that it may be, and the person turns it on.
    await console.click("[data-kind=video] [data-act=pause]")

    async def allowed():
        toasts = "document.getElementById('toasts').textContent"
        return [one for one in people if "lets you be seen again" in await one.page.evaluate(toasts)]
    (person,) = await until(allowed, 60, "the page says that the camera may be on", every=0.2)
    await person.page.page.click("#cam")

    async def all_on():
        return not any(await paused())
    # The console shows what the operator did at once, and the page what its person did a moment later.
    await until(all_on, 20, "nothing is paused any more", every=0.2)
    await console.sees(button + " === 'Pause video'", "it")
    await console.sees(button.replace("video", "audio") + " === 'Mute'", "what may be done with audio")

    # Removed: asked twice, done once; the page is asked not to come back.
    await console.click("[data-act=remove]")
    name = await console.page.evaluate("document.querySelector('.peer-name b').textContent")
    await console.sees(f"document.querySelector('[data-act=remove]').textContent === 'Remove {name}?'", "the question")
    assert len((await gateway.json("/rooms/watched"))["peers"]) == 2
    await console.click("[data-act=remove]")
    await console.sees("document.querySelectorAll('[data-peer]').length === 1", "the peer that is left")
    await console.click("#close-room")
    await console.click("#close-room")
    await console.sees("document.querySelectorAll('#rooms button').length === 0", "no room")
    await console.sees("!document.getElementById('no-rooms').hidden", "that there is none")
    # After the call: who was there, and what the operator did.
    await console.page.evaluate("document.getElementById('ended').open = document.getElementById('audit').open = true")
    await console.sees(
        "document.getElementById('ended-rooms').innerText.includes('2 joined')", "the room that has ended")
    await console.sees(
        "document.getElementById('acts').innerText.includes('an operator closes a room')", "what was done")
    await console.click("#ended-rooms summary")
    await console.sees("document.querySelectorAll('#ended-rooms .visits li').length === 2", "who was there")
    async with console.page.page.expect_download(timeout=60_000) as download:
        await console.click("#ended-rooms button")
    kept = json.loads((await (await download.value).path()).read_text())
    assert {one["displayName"] for one in kept["people"]} == {"Ada", "Grace"} and kept["events"]
    assert isinstance(kept["minutes"], list)
    assert await console.page.evaluate(FITS), "nothing is wider than the screen"
    await console.page.picture(artifacts / "console-after.png")
    assert await console.page.evaluate(ERRORS) == []


async def what_operators_look_for(console, gateway):
    """Where a person is, how her connection is, what the server is, and what is kept of it."""
    network = "[...document.querySelectorAll('[data-network]')].map(e => e.textContent).join('|')"
    await console.sees(
        f"{network}.match(/udp [0-9.]+:[0-9]+/g)?.length >= 2 && {network}.includes('since ')", "addresses")
    await console.sees(
        "[...document.querySelectorAll('[data-producer] .soft')].every(e => e.textContent.includes('jitter'))",
        "jitter")
    await console.sees(
        "/^Roundhouse .*, up for/.test(document.getElementById('facts').textContent)", "version and uptime")
    await console.page.evaluate("document.getElementById('limits').open = true")
    await console.sees("document.getElementById('limit-rows').innerText.includes('most peers per room')", "the limits")
    await console.sees(
        "document.getElementById('fault-rate').textContent.endsWith('packets a minute')", "a rate of faults")
    await console.page.evaluate("document.getElementById('limits').open = false")
    # By a part of a name, in whatever letters.
    await console.page.page.fill("#filter", "gRaC")
    await console.sees("document.querySelectorAll('#found li').length === 1", "where somebody is")
    await console.sees("document.getElementById('found').innerText.includes('in watched')", "in which room")
    await console.page.page.fill("#filter", "nobody at all")
    await console.sees("!document.getElementById('none-found').hidden", "that there is nobody")
    await console.page.page.fill("#filter", "WATCH")
    await console.sees("document.querySelectorAll('#rooms button').length === 1", "the room by its name")
    await console.page.page.fill("#filter", "")
    for kind, word in (("people", "peer joined"), ("tracks", "producer opened"), ("connections", "transport")):
        await console.page.page.select_option("#event-kind", kind)
        await console.sees(f"document.getElementById('events').innerText.includes('{word}')", kind)
    await console.page.page.select_option("#event-kind", "people")
    await console.sees("!document.getElementById('events').innerText.includes('producer')", "nothing else")
    await console.page.page.select_option("#event-kind", "all")
    async with console.page.page.expect_download(timeout=60_000) as download:
        await console.click("#export-room")
    saved = json.loads((await (await download.value).path()).read_text())
    assert saved["room"]["id"] == "watched" and len(saved["snapshot"]["peers"]) == 2 and saved["events"]
    assert isinstance(saved["minutes"], list)
    await the_last_hour_is_drawn(console)
    await console.click("#lock-room")
    await console.sees("document.getElementById('lock-room').textContent === 'Unlock'", "that it is locked")
    await console.click("#lock-room")
    await console.sees("document.getElementById('lock-room').textContent === 'Lock'", "that it is not")


async def the_last_hour_is_drawn(console):
    """With minutes of the test's own: the first that the server writes down may be a minute away."""
    minutes = [
        {"from": 60_000 * number, "until": 60_000 * (number + 1), "peers": 2 + number % 3, "producers": 4,
         "consumers": 4, "receivedBitrate": 1_200_000, "sentBitrate": 900_000, "lossReceived": 0.001 * number,
         "lossSent": 0.12 if number == 7 else 0, "roundTrip": 20 + number,
         **({"worst": {"peerId": "p", "displayName": "Grace", "loss": 0.12}} if number == 7 else {})}
        for number in range(12)]

    async def answer(route):
        await route.fulfill(json={"minutes": minutes})
    await console.page.page.route("**/api/v1/rooms/watched/minutes", answer)
    await console.click("#hour summary")
    await console.sees("document.querySelectorAll('#hour tbody tr').length === 12", "twelve minutes")
    await console.sees("document.getElementById('hour').innerText.includes('Grace, 12 %')", "whose loss was worst")
    drawn = "[...document.querySelectorAll('#hour .chart')].map(chart => chart.dataset.points)"
    assert await console.page.evaluate(drawn) == ["12"] * 6
    assert await console.page.evaluate(FITS), "nothing is wider than the screen"
    assert await violations(console.page) == []
    await console.page.page.emulate_media(color_scheme="dark")
    assert await violations(console.page) == []
    await console.page.page.unroute("**/api/v1/rooms/watched/minutes")
    await console.click("#hour summary")


async def the_console_says_why(console, artifacts):
    """A chart of what the network carries, a sentence for the network and one for the picture, and a look back."""
    panel = "document.querySelector('.peer .why')"
    await console.click(".peer .why summary")
    await console.sees(f"{panel}.querySelectorAll('.why-consumers li').length === 1", "a sentence for the picture")
    await console.sees(f"{panel}.querySelector('.why-sentence').textContent.length > 20", "one for the network")
    line = f"{panel}.querySelector('polyline[data-tone=estimate]').getAttribute('points')"
    await console.sees(line + "?.split(' ').length >= 3", "the estimate over time")
    await console.sees(f"/[kM]b.s/.test({panel}.querySelector('.why-key b').textContent)", "the estimate")
    assert await console.page.evaluate(FITS), "nothing is wider than the screen"
    await console.page.picture(artifacts / "why.png")
    # Before anybody came, nothing was known.
    await console.page.evaluate(
        f"(({{ slider }}) => {{ slider.value = 0; slider.dispatchEvent(new Event('input')); }})"
        f"({{ slider: {panel}.querySelector('input') }})")
    await console.sees(f"{panel}.querySelector('output').textContent.endsWith(' ago')", "which moment it shows")
    await console.sees(f"{panel}.querySelector('[data-reason=unknown]') !== null", "that nothing was known then")
    await console.click(".peer .why summary")


async def test_names_are_shown_as_text(gateway, chromium):
    """Without an admin token, on this machine: reading is free, and what peers call themselves is no markup."""
    hostile = "<img src=x onerror=window.testErrors.push(1)>"
    async with ProtooClient(gateway, "%3Cb%3Eroom", "%3Ci%3Epeer") as client:
        await client.join(hostile)
        console = await Console(await chromium.page(), gateway.url).open("%3Cb%3Eroom")
        await console.is_live()
        await console.sees(f"document.querySelector('.peer-name b')?.textContent === {hostile!r}", "the name as it is")
        await console.sees("document.getElementById('room-title').textContent === '<b>room'", "the room as it is")
        await console.sees(
            f"[...document.querySelectorAll('#events li')].some(e => e.textContent.includes({hostile!r}))", "the event")
        assert await console.page.evaluate("document.querySelectorAll('main img, main b > b, main i > i').length") == 0
        # Changing needs a token, which the console then asks for.
        await console.click("[data-act=remove]")
        await console.click("[data-act=remove]")
        await console.sees("!document.getElementById('token-form').hidden", "that a token is needed")
        await console.click("#token-cancel")
        assert await console.page.evaluate("document.querySelectorAll('[data-peer]').length") == 1
        assert await console.page.evaluate(ERRORS) == []


async def test_the_console_comes_back_when_the_server_does(start_gateway, chromium):
    gateway = await start_gateway()
    console = await Console(await chromium.page(), gateway.url).open()
    await console.is_live()
    await gateway.stop()
    await console.sees("document.getElementById('state').dataset.state === 'reconnecting'", "that the server is away")
    await gateway.start()
    await console.is_live()
    async with ProtooClient(gateway, "after", "peer") as client:
        await client.join()
        await console.sees("document.querySelectorAll('#rooms button').length === 1", "the new server's room")
