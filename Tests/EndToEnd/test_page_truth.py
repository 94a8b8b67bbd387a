"""The page says what is so: rights, names, what an operator does, what flows, why somebody is not let in."""

import asyncio
import json
import signal
import urllib.parse
import urllib.request

from call import Person
from gateway import READY
from stateapi import TOKEN
from tokens import KEY, token
from waiting import until

STATE = "document.getElementById('state').dataset.state"
STATE_TEXT = "document.getElementById('state-text').textContent"
BANNER = "document.getElementById('banner').hidden ? '' : document.getElementById('banner-text').textContent"
OWN_NAME = "document.querySelector('[data-self=true] .name')?.textContent ?? null"
NAMES = "[...document.querySelectorAll('.tile:not([hidden]) .name')].map(name => name.textContent).sort()"
MICROPHONE = "document.getElementById('mic').getAttribute('aria-pressed')"
# Keeps what is soon gone: what is said to screen readers, what is shown for a moment, and the tones that sound.
LISTEN = """
window.testTones = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
  window.testTones.push(Math.round(this.frequency.value));
  return start.apply(this, when);
};
for (const [id, list] of [['announcer', window.testSaid = []], ['toasts', window.testShown = []]]) {
  new MutationObserver(changes => changes.forEach(({ addedNodes }) =>
    addedNodes.forEach(node => list.push(node.textContent))))
    .observe(document.getElementById(id), { childList: true });
}
"""


def address(gateway, room, **query):
    return f"{gateway.url}/?{urllib.parse.urlencode({'room': room, 'autojoin': 1, **query})}"


async def becomes(page, expression, wanted, seconds=60):
    """Waits until the page's expression has this value, or holds it if it is a text."""
    async def holds():
        value = await page.evaluate(expression)
        return wanted in value if isinstance(wanted, str) and isinstance(value, str) else value == wanted
    try:
        await until(holds, seconds, f"{expression} becomes {wanted!r}", every=0.1)
    except AssertionError as failure:
        failure.add_note(f"it is {await page.evaluate(expression)!r}; {page.console}")
        raise


async def operator(gateway, method, path):
    def ask():
        request = urllib.request.Request(
            f"{gateway.url}/api/v1{path}", method=method, headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")
    return await asyncio.to_thread(ask)


async def test_rights_and_name_are_those_of_the_token(start_gateway, chromium, artifacts):
    gateway = await start_gateway("--auth-key", KEY)
    sender, viewer = await chromium.page(), await chromium.page()
    await sender.goto(address(gateway, "hall", name="Mallory", token=token(room="hall", name="Ada")))
    await becomes(sender, STATE, "connected")
    assert await sender.evaluate(OWN_NAME) == "Ada (you)", "as everybody else is shown it"
    assert "token" not in await sender.evaluate("location.href"), "who copies the address must not copy the identity"
    await viewer.goto(address(gateway, "hall", name="Vera", token=token(room="hall", subscribe=True)))
    await becomes(viewer, BANNER, "You are here to watch")
    await becomes(viewer, NAMES, ["Ada"])
    await becomes(viewer, "window.roundhouse.flow.receiving", "flowing")
    await becomes(viewer, STATE, "connected")
    shown = "['mic', 'cam', 'screen'].filter(id => !document.getElementById(id).hidden)"
    assert await viewer.evaluate(shown) == [], "there is nothing to turn on"
    assert await viewer.evaluate("window.roundhouse.flow.sending") == "idle"
    await viewer.picture(artifacts / "watching.png")
    # The token outlives a reload in its tab, and a wrong right is none.
    await viewer.page.reload()
    await becomes(viewer, BANNER, "You are here to watch")


async def test_every_refusal_is_said_at_its_field(start_gateway, chromium, artifacts):
    gateway = await start_gateway("--auth-key", KEY, "--max-peers-per-room", "1")
    page = await chromium.page()

    def fault(field):
        return f"document.getElementById('{field}-error').textContent"
    await page.goto(address(gateway, "hall", name="Ada"))
    await becomes(page, fault("token"), "wants an access token")
    await page.picture(artifacts / "token.png")
    focused = "document.activeElement.id"
    for wrong, field, words in (
            ("no.such.token", "token", "not one of this server’s"),
            (token(room="hall", exp=1), "token", "has expired"),
            (token(room="cellar"), "room", "for a different room")):
        await page.page.fill("#token", wrong)
        await page.page.click("#join")
        await becomes(page, fault(field), words)
        assert await page.evaluate(focused) == field
        assert await page.evaluate(f"document.getElementById('{field}').getAttribute('aria-invalid')") == "true"
    await page.page.fill("#token", token(room="hall"))
    await page.page.click("#join")
    await becomes(page, STATE, "connected")

    other = await chromium.page()
    await other.goto(address(gateway, "hall", name="Grace", token=token(room="hall")))
    await becomes(other, fault("room"), "The room is full")
    # What is refused by HTTP, of which a browser says nothing: the page asks why.
    await other.goto(address(gateway, "x" * 70, name="Grace", token=token(room="*")))
    await becomes(other, fault("room"), "1 to 64 visible characters")


async def test_what_an_operator_does_is_said_and_shown(start_gateway, chromium, artifacts):
    gateway = await start_gateway("--admin-token", TOKEN)
    ada = await Person(await chromium.page(), gateway.url, "hall", "Ada").enter()
    await becomes(ada.page, STATE, "connected")
    await ada.page.evaluate(LISTEN)
    grace = await Person(await chromium.page(), gateway.url, "hall", "Grace").enter()
    await grace.sees_and_hears(seconds=60)
    await grace.page.evaluate(LISTEN)
    await becomes(ada.page, "window.testSaid.join()", "Grace joined")
    await becomes(ada.page, "window.testShown.join()", "Grace joined")
    await becomes(ada.page, "window.testTones", [523, 659])
    # Of somebody who has just come nothing is said but that: for three seconds, and until the page looks again.
    heard = await grace.page.evaluate("performance.now()")
    await becomes(grace.page, f"performance.now() > {heard} + 4500", True)

    producers = (await operator(gateway, "GET", "/rooms/hall/producers"))["producers"]
    peers = {one["displayName"]: one["id"] for one in (await operator(gateway, "GET", "/rooms/hall/peers"))["peers"]}
    own = {one["kind"]: one["id"] for one in producers if one["peerId"] == peers["Ada"]}
    await operator(gateway, "POST", f"/rooms/hall/producers/{own['audio']}/pause")
    await becomes(ada.page, MICROPHONE, "false")
    assert "An operator has muted you" in await ada.page.evaluate(BANNER)
    await ada.page.picture(artifacts / "muted.png")
    await becomes(grace.page, "document.querySelector('[data-self=false]').dataset.muted", "true")
    # An operator cannot open somebody's microphone: it stays off here, and so it does for the others.
    await operator(gateway, "POST", f"/rooms/hall/producers/{own['audio']}/resume")
    await becomes(ada.page, "document.getElementById('toasts').textContent", "lets you speak again")
    assert await ada.page.evaluate(MICROPHONE) == "false"
    await becomes(grace.page, "document.querySelector('[data-self=false]').dataset.muted", "true")
    await ada.page.page.keyboard.press("m")
    await becomes(ada.page, MICROPHONE, "true")
    await becomes(ada.page, BANNER, "")
    await becomes(grace.page, "document.querySelector('[data-self=false]').dataset.muted", "false")
    await becomes(grace.page, "window.testSaid.join()", "Ada turned the microphone on")

    await operator(gateway, "POST", f"/rooms/hall/producers/{own['video']}/pause")
    await becomes(ada.page, "document.getElementById('cam').getAttribute('aria-pressed')", "false")
    # Grace wants no sounds; what is seen stays.
    await grace.page.evaluate("document.getElementById('sounds').click()")
    await operator(gateway, "DELETE", f"/rooms/hall/peers/{peers['Ada']}")
    await becomes(ada.page, "document.getElementById('join-notice').textContent", "An operator removed you")
    await becomes(grace.page, "window.testSaid.join()", "Ada left")
    await becomes(grace.page, "window.testShown.join()", "Ada left")
    assert await grace.page.evaluate("window.testTones") == []


async def test_the_state_is_that_of_what_flows(gateway, chromium, artifacts):
    people = [await Person(await chromium.page(), gateway.url, "flow", name).enter() for name in ("Ada", "Bob")]
    for person in people:
        await becomes(person.page, STATE, "connected")
        await becomes(person.page, "window.roundhouse.flow.receiving", "flowing")
    # The server's threads stand still: its sockets are open, and nothing goes in or out.
    gateway.process.send_signal(signal.SIGSTOP)
    try:
        await asyncio.gather(*(becomes(person.page, STATE, "reconnecting", 15) for person in people))
        flow = await people[0].page.evaluate("window.roundhouse.flow")
        assert "stalled" in (flow["sending"], flow["receiving"])
    finally:
        gateway.process.send_signal(signal.SIGCONT)
    await asyncio.gather(*(becomes(person.page, STATE, "connected") for person in people))


async def test_media_that_cannot_get_through_are_named_soon(start_gateway, chromium, artifacts):
    # TEST-NET-1 (RFC 5737): nobody answers there, as behind a firewall.
    gateway = await start_gateway("--announced-address", "192.0.2.1")
    page = await chromium.page()
    await page.goto(address(gateway, "wall", name="Ada"))
    await becomes(page, "window.roundhouse.flow.sending", "starting", 30)
    assert await page.evaluate(STATE) != "connected", "nothing has flowed yet"
    await becomes(page, STATE, "failed", 12)
    text = await page.evaluate(BANNER)
    # Media's port, of both: what signaling came by is open.
    assert any(f"port {port} of UDP and TCP" in text for port in gateway.media_ports), text
    await page.picture(artifacts / "blocked.png")


async def test_a_restart_is_announced_and_survived(start_gateway, chromium, artifacts):
    gateway = await start_gateway("--drain-seconds", "4")
    ada = await Person(await chromium.page(), gateway.url, "again", "Ada").enter()
    await becomes(ada.page, STATE, "connected")
    gateway.process.send_signal(signal.SIGTERM)
    await becomes(ada.page, BANNER, "The server is going to restart", 10)
    await becomes(ada.page, BANNER, "The server is restarting", 30)
    assert await ada.page.evaluate(STATE) == "reconnecting"
    await gateway.ended(30)
    gateway.spawn()
    await until(lambda: READY in gateway.log, 30, "the server is back")
    await becomes(ada.page, STATE, "connected")
    await becomes(ada.page, BANNER, "")


PUBLISH_TWO_CAMERAS = """
(async url => {
  const connection = new RTCPeerConnection();
  for (const color of ['red', 'blue']) {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    setInterval(() => { context.fillStyle = color; context.fillRect(0, 0, 300, 150 * Math.random()); }, 50);
    connection.addTransceiver(canvas.captureStream(20).getVideoTracks()[0], { direction: 'sendonly' });
  }
  window.testPublisher = connection;
  await connection.setLocalDescription(await connection.createOffer());
  const answer = await fetch(url, {
    method: 'POST', headers: { 'content-type': 'application/sdp' }, body: connection.localDescription.sdp });
  await connection.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  return answer.status;
})('/whip/two?displayName=Studio')
"""


async def test_every_camera_of_a_peer_is_shown_and_named(gateway, chromium, artifacts):
    ada = await Person(await chromium.page(), gateway.url, "two", "Ada").enter()
    await becomes(ada.page, STATE, "connected")
    publisher = await chromium.page()
    await publisher.goto(f"{gateway.url}/?room=elsewhere")
    assert await publisher.evaluate(PUBLISH_TWO_CAMERAS) == 201
    await becomes(ada.page, NAMES, ["Ada (you)", "Studio", "Studio, camera 2"])
    pictures = "document.querySelectorAll('[data-self=false][data-video=on]').length"
    await becomes(ada.page, pictures, 2)
    await ada.page.picture(artifacts / "two-cameras.png")
