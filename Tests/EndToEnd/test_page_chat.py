"""The page's chat, raised hands and reactions: by mouse and by keyboard, with other clients, without data channels."""

from call import Person
from datapeer import SoftDataPeer
from test_page_use import CONTROLS, FITS, violations
from waiting import until

BADGE = "document.getElementById('chat-unread').hidden ? '' : document.getElementById('chat-unread').textContent"
LINES = (
    "[...document.querySelectorAll('#chat-log .chat-line')]"
    ".map(each => each.querySelector('.chat-body').textContent)")
NAMES = "[...document.querySelectorAll('#chat-log .chat-head strong')].map(each => each.textContent)"
SAID = "document.getElementById('announcer').textContent"
HANDS = "[...document.querySelectorAll('.tile[data-hand=true]')].map(each => each.dataset.peerId).length"
REACTIONS = "[...document.querySelectorAll('.tile[data-self=false] .reaction')].map(each => each.textContent).join('')"
# A reaction goes after four seconds, in which a busy machine may not have looked at every page.
REMEMBER_REACTIONS = f"""
(() => {{
  window.testReactions = '';
  new MutationObserver(() => {{ window.testReactions ||= {REACTIONS}; }})
    .observe(document.getElementById('stage'), {{ childList: true, subtree: true }});
  return true;
}})()
"""
# A page whose transports have no data channels, as on a server that knows none.
WITHOUT_CHANNELS = """
(() => {
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (text) {
    const message = JSON.parse(text);
    if (message.data) delete message.data.sctpCapabilities;
    return send.call(this, JSON.stringify(message));
  };
})();
"""


async def becomes(person, expression, value, what, seconds=15):
    async def is_so():
        return await person.page.evaluate(expression) == value
    await until(is_so, seconds, f"{person.name}: {what}")


async def write(person, text):
    await person.page.page.keyboard.insert_text(text)
    await person.page.page.keyboard.press("Enter")


async def test_a_chat_by_keyboard_with_other_clients(start_gateway, chromium, artifacts):
    gateway = await start_gateway(shards=2)
    alice = await Person(await chromium.page(), gateway.url, "chat", "Alice").enter()
    bob = await Person(await chromium.page(), gateway.url, "chat", "Bob").enter()
    await alice.sees_and_hears()
    await bob.sees_and_hears()
    await chat(alice, bob)
    async with SoftDataPeer(gateway, "chat", "Soft") as soft:
        await write(alice, "<b>hi</b> Soft")
        await until(lambda: soft.messages, 20, "another client gets it")
        assert soft.messages[0] == ("chat", "string", b"<b>hi</b> Soft")
        await soft.produce("chat", ordered=False, maxRetransmits=1)
        soft.channels["chat"].send("from afar")
        await becomes(bob, f"({LINES}).at(-1)", "from afar", "another client's text")
        assert (await bob.page.evaluate(NAMES))[-1] == "Soft"
    assert await bob.page.evaluate("document.querySelectorAll('#chat-log b').length") == 0
    await the_chat_closes(alice)
    await bob.page.picture(artifacts / "chat.png")
    assert await violations(bob.page) == []
    assert await alice.page.evaluate("window.testErrors") == [] == await bob.page.evaluate("window.testErrors")


async def chat(alice, bob):
    """Alice, by keys, writes what Bob reads; she is left in the field."""
    keys = alice.page.page.keyboard
    await keys.press("c")
    await becomes(alice, "document.activeElement.id", "chat-text", "the field has the focus")
    await write(alice, "hello, see https://example.com/page, not javascript:alert(1)")
    await becomes(bob, BADGE, "1", "a message is unread")
    assert "Alice" in await bob.page.evaluate(SAID), "it is said to those who do not see it"
    await bob.page.page.click("#chat")
    await becomes(bob, BADGE, "", "it is read")
    links = await bob.page.evaluate(
        "[...document.querySelectorAll('#chat-log a')].map(each => [each.href, each.target, each.rel])")
    assert links == [["https://example.com/page", "_blank", "noopener noreferrer nofollow"]]
    assert await bob.page.evaluate(NAMES) == ["Alice"]
    # Two lines in one message, and one that is folded.
    await keys.insert_text("first")
    await keys.press("Shift+Enter")
    await write(alice, "second")
    await write(alice, "word " * 400)
    await becomes(bob, f"({LINES}).length", 3, "three messages")
    lines = await bob.page.evaluate(LINES)
    assert lines[1] == "first\nsecond" and lines[2] == ("word " * 400).strip()
    assert await bob.page.evaluate("document.querySelectorAll('#chat-log .folded').length") == 1


async def the_chat_closes(person):
    """Escape closes it and gives the focus back."""
    await person.page.page.keyboard.press("Escape")
    await becomes(person, "document.activeElement.id", "chat", "the focus is on the button")


async def test_hands_and_reactions_are_seen_by_everybody_and_by_newcomers(start_gateway, chromium, artifacts):
    gateway = await start_gateway(shards=2)
    alice = await Person(await chromium.page(), gateway.url, "hands", "Alice").enter()
    bob = await Person(await chromium.page(), gateway.url, "hands", "Bob").enter()
    await alice.sees_and_hears()

    async def enter():
        return await Person(await chromium.page(), gateway.url, "hands", "Carol").enter()
    carol = await raise_hands_and_react(alice, bob, enter)
    await carol.page.picture(artifacts / "hands.png")


async def raise_hands_and_react(alice, bob, enter):
    """Alice raises her hand, Bob reacts; whoever enters between sees both. Returns that person."""
    await alice.page.page.keyboard.press("h")
    await becomes(bob, HANDS, 1, "Alice's hand is up")
    carol = await enter()
    await becomes(carol, HANDS, 1, "whoever comes later sees it too", seconds=30)
    # Reactions are shown over tiles.
    await becomes(carol, "document.querySelectorAll('.tile[data-self=false]').length", 2, "all are there", seconds=30)
    if await bob.page.evaluate("document.getElementById('chat-panel').hidden"):
        await bob.page.page.click("#chat")
    for person in (alice, carol):
        await person.page.evaluate(REMEMBER_REACTIONS)

    async def all_have_seen_it():
        # Kept for nobody: it passes by whose channel opens a moment later.
        await bob.page.page.click("#reactions button")
        return all([await one.page.evaluate("window.testReactions") == "👍" for one in (alice, carol)])
    await until(all_have_seen_it, 30, "Bob's reaction is seen by Alice and Carol", every=1)
    await alice.page.page.keyboard.press("h")
    await becomes(bob, HANDS, 0, "Alice's hand is down")
    await becomes(alice, REACTIONS, "", "a reaction goes by itself")
    return carol


async def test_without_data_channels_a_page_chats_by_signaling(start_gateway, chromium):
    gateway = await start_gateway(shards=2)
    alice = await Person(await chromium.page(), gateway.url, "without", "Alice").enter()
    page = await chromium.page()
    await page.before_scripts(WITHOUT_CHANNELS)
    bob = await Person(page, gateway.url, "without", "Bob").enter()
    await alice.sees_and_hears()
    await bob.sees_and_hears()
    for person in (alice, bob):
        await person.page.page.keyboard.press("c")
    await write(alice, "by a channel")
    await becomes(bob, LINES, ["by a channel"], "what others write")
    await write(bob, "by signaling")
    await becomes(alice, LINES, ["by a channel", "by signaling"], "what it writes")
    await alice.page.page.keyboard.press("Escape")
    await alice.page.page.keyboard.press("h")
    await becomes(bob, HANDS, 1, "a raised hand")


async def test_the_chat_fits_a_phone(start_gateway, chromium, artifacts):
    gateway = await start_gateway(shards=1)
    alice = await Person(await chromium.page(width=360, height=640), gateway.url, "phone", "Alice").enter()
    await becomes(alice, "document.getElementById('call').hidden", False, "the call is shown")
    await alice.page.page.click("#chat")
    for number in range(12):
        await alice.page.page.fill("#chat-text", f"message {number} " + "long " * 20)
        await alice.page.page.click("#chat-form button")
    await becomes(alice, f"({LINES}).length", 12, "all messages", seconds=30)
    assert await alice.page.evaluate(FITS)
    assert await alice.page.evaluate(CONTROLS)
    # The newest one is in sight.
    assert await alice.page.evaluate(
        "(log => log.scrollTop + log.clientHeight >= log.scrollHeight - 2)(document.getElementById('chat-log'))")
    await alice.page.picture(artifacts / "phone.png")
    assert await violations(alice.page) == []
