"""What people expect of the page: tiles enlarged, pages of people, keys, languages, every size of screen, and WCAG."""

import contextlib
import importlib.resources
import json

from call import Person
from protoo import ProtooClient
from test_page_truth import MICROPHONE, NAMES, STATE, becomes
from waiting import until

# The rules of WCAG 2.2 AA that a program can check.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
FITS = "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"
# Every visible control lies inside the window, and a finger can hit it (WCAG 2.2, 2.5.8).
CONTROLS = """
[...document.querySelectorAll('.toolbar button:not([hidden])')].filter(each => each.offsetParent).every(each => {
  const { left, top, right, bottom, width, height } = each.getBoundingClientRect();
  return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight && width >= 24 && height >= 24;
})
"""
# What is read and reached by Tab comes in the order in which it is seen: none lies wholly above the one before, and of
# two in a row the second is further to the right. Returns those that do not.
ORDER = """
(() => {
  const controls = 'main:not([hidden]) :is(button, input, select, textarea, [tabindex="0"])';
  const all = [...document.querySelectorAll(controls)];
  const seen = all.filter(each => each.getClientRects().length > 0 && !each.disabled).map(each => {
    // A tile moves in an animation: where it is going counts.
    const tile = each.closest('.tile');
    const box = each.getBoundingClientRect();
    if (!tile) return { each, left: box.left, top: box.top, bottom: box.bottom };
    const stage = document.getElementById('stage').getBoundingClientRect();
    const [left, top] = [stage.left + parseFloat(tile.style.left), stage.top + parseFloat(tile.style.top)];
    return { each, left, top, bottom: top + parseFloat(tile.style.height) };
  });
  const wrong = seen.slice(1).filter((one, index) => {
    const before = seen[index];
    return one.bottom <= before.top || (one.top < before.bottom && before.top < one.bottom && one.left < before.left);
  });
  return [...wrong, ...all.filter(each => each.tabIndex > 0).map(each => ({ each }))].map(({ each }) => each.outerHTML);
})()
"""
FEATURED = "document.querySelector('[data-featured=true] .name')?.textContent ?? ''"


# A microphone that hums, since the fake one's beep is no speech, and a screen with sound.
HUM = """
(() => {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const hum = () => {
    const context = new AudioContext();
    const [oscillator, output] = [context.createOscillator(), context.createMediaStreamDestination()];
    oscillator.connect(output);
    oscillator.start();
    return output.stream.getAudioTracks();
  };
  navigator.mediaDevices.getUserMedia = async wish => {
    const stream = await open(wish);
    return wish.audio ? new MediaStream([...stream.getVideoTracks(), ...hum()]) : stream;
  };
  navigator.mediaDevices.getDisplayMedia = async wish => {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    setInterval(() => context.fillRect(0, 0, 300, 150 * Math.random()), 50);
    return new MediaStream([...canvas.captureStream(20).getVideoTracks(), ...(wish.audio ? hum() : [])]);
  };
})();
"""


async def violations(page):
    """What axe-core finds, as texts."""
    source = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text()
    # Evaluated, since the page's own policy lets no other script in.
    await page.evaluate(f"(window.axe || (() => {{ {source} }})(), true)")
    found = await page.evaluate(f"axe.run(document, {json.dumps(RULES)}).then(result => result.violations)")
    return [f"{one['id']}: {node['html'][:150]}: {node['failureSummary']}" for one in found for node in one["nodes"]]


async def test_a_call_is_used_by_keyboard_and_by_click(gateway, chromium, artifacts):
    humming = await chromium.page()
    await humming.context.add_init_script(HUM)
    ada = await Person(humming, gateway.url, "keys", "Ada").enter()
    bob = await Person(await chromium.page(), gateway.url, "keys", "Bob").enter()
    await ada.sees_and_hears(seconds=60)
    page, keyboard = ada.page.page, ada.page.page.keyboard
    # A click makes a tile large, Escape small again.
    await page.click("[data-self=false]")
    await becomes(ada.page, FEATURED, "Bob")
    await becomes(ada.page, ORDER, [])
    await ada.page.picture(artifacts / "pinned.png")
    await keyboard.press("Escape")
    assert await ada.page.evaluate(FEATURED) == ""
    # The same by keyboard alone.
    await ada.page.evaluate("document.querySelector('[data-self=false] .tile-more').focus()")
    await keyboard.press("Enter")
    await ada.page.evaluate("document.getElementById('tile-pin').focus()")
    await keyboard.press("Enter")
    await becomes(ada.page, FEATURED, "Bob")
    await keyboard.press("f")
    await becomes(ada.page, "document.fullscreenElement?.dataset.peerId !== undefined", True)
    await keyboard.press("f")
    await becomes(ada.page, "document.fullscreenElement === null", True)
    # Keys, unless somebody types or does not want them.
    await keyboard.press("?")
    assert not await ada.page.evaluate("document.getElementById('help-panel').hidden")
    await keyboard.press("Escape")
    assert await ada.page.evaluate("document.activeElement.id") == "help", "the focus goes back where it came from"
    await keyboard.press("m")
    await becomes(ada.page, MICROPHONE, "false")
    # It hums into a microphone that is off.
    await becomes(ada.page, "document.getElementById('toasts').textContent", "You are muted")
    await page.click("#people")
    people = "[...document.querySelectorAll('#people-list li')].map(row => row.textContent).join(' | ')"
    await becomes(ada.page, people, "Ada (you)microphone off, camera on")
    assert "Bob" in await ada.page.evaluate(people)
    await page.fill("#rename", "Ada Mmm")
    assert await ada.page.evaluate(MICROPHONE) == "false", "what is typed is no key"
    await keyboard.press("Enter")
    await becomes(bob.page, NAMES, ["Ada Mmm", "Bob (you)"])
    await ada.page.picture(artifacts / "people.png")
    assert await violations(ada.page) == []
    # A screen comes with its sound, and does not make the muted microphone look open.
    await keyboard.press("Escape")
    await keyboard.press("s")
    await becomes(bob.page, NAMES, ["Ada Mmm", "Ada Mmm’s screen", "Bob (you)"])
    await becomes(bob.page, ORDER, [])
    voices = "document.querySelectorAll('#audio audio').length"
    await becomes(bob.page, voices, 2)
    muted = "document.querySelector('[data-self=false][data-kind=camera]').dataset.muted"
    assert await bob.page.evaluate(muted) == "true"
    await keyboard.press("s")
    await becomes(bob.page, NAMES, ["Ada Mmm", "Bob (you)"])
    await becomes(bob.page, voices, 1)
    # What was off stays off after a reload.
    await page.reload()
    await becomes(ada.page, STATE, "connected")
    await becomes(ada.page, "document.getElementById('cam').getAttribute('aria-pressed')", "true")
    assert await ada.page.evaluate(MICROPHONE) == "false"


async def test_a_full_room_has_pages_that_fit_every_screen(gateway, chromium, artifacts):
    async with contextlib.AsyncExitStack() as stack:
        for number in range(20):
            client = await stack.enter_async_context(ProtooClient(gateway, "full", f"p{number}"))
            await client.join(f"Person {number} مع اسم طويل")
        page = await chromium.page(locale="de-DE", color_scheme="dark")
        await page.goto(f"{gateway.url}/?room=full&name=Zo%C3%AB&autojoin=1")
        await becomes(page, "document.getElementById('head-count').textContent", "21 hier")
        shown = "document.querySelectorAll('.tile:not([hidden])').length"
        await becomes(page, "document.getElementById('page-number').textContent", "Seite 1 von 2")
        assert await page.evaluate(shown) == 16
        await page.page.click("#page-after")
        await becomes(page, shown, 6)
        await page.page.click("#page-before")
        for width, height in ((3840, 2160), (1280, 800), (844, 390), (390, 844), (320, 568)):
            await page.page.set_viewport_size({"width": width, "height": height})
            # Tiles follow in an animation frame.
            await until(lambda: page.evaluate(f"{FITS} && {CONTROLS}"), 10, f"all fits in {width} × {height}")
            await becomes(page, ORDER, [])
            await page.picture(artifacts / f"full-{width}.png")
        await becomes(page, STATE, "connected")
        assert await violations(page) == []


async def test_the_lobby_speaks_five_languages_and_fits_every_screen(gateway, chromium, artifacts):
    for language, scheme, sizes in (
            ("en-US", "light", [(320, 568)]), ("de-DE", "dark", [(320, 568), (844, 390), (3840, 2160)]),
            ("es-MX", None, [(320, 568)]), ("fr-FR", None, [(320, 568)]), ("zh-CN", None, [(320, 568)])):
        page = await chromium.page(locale=language, color_scheme=scheme or "light")
        await page.goto(f"{gateway.url}/?room=hall&name=Ada")
        await becomes(page, "document.documentElement.lang", language[:2])
        for width, height in sizes:
            await page.page.set_viewport_size({"width": width, "height": height})
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (language, width)
            if width < 760:
                # In one column; else the form is read first, and then the picture beside it.
                await becomes(page, ORDER, [])
            await page.picture(artifacts / f"lobby-{language}-{width}.png")
        if scheme:
            assert await violations(page) == [], language
        await page.close()


async def test_a_page_of_which_a_part_does_not_arrive_loads_again_and_then_says_so(gateway, chromium):
    whole = "document.querySelector('#not-loaded') === null && sessionStorage.length === 0"
    for path, module in (("/?room=hall&name=Ada", "texts.js"), ("/console", "chart.js")):
        page = await chromium.page(locale="de-DE")
        loads = []
        page.page.on("load", lambda one: loads.append(one))

        # As when the network changes, which makes Chromium drop what is under way.
        async def drop(route):
            await route.abort("internetdisconnected")
        await page.page.route(f"**/{module}", drop, times=1)
        await page.goto(gateway.url + path)
        await until(lambda: len(loads) == 2, 20, "the page loads again by itself")
        await becomes(page, whole, True)
        assert any("ERR_INTERNET_DISCONNECTED" in line for line in page.console), page.console

        await page.page.route(f"**/{module}", drop)
        await page.goto(gateway.url + path)
        await until(lambda: len(loads) == 4, 20, "the page loads again by itself, once")
        await becomes(page, "document.querySelector('#not-loaded').innerText",
                      "Ein Teil dieser Seite ist nicht angekommen. Noch einmal laden")
        await page.page.unroute(f"**/{module}")
        await page.page.click("#not-loaded button")
        await until(lambda: len(loads) == 5, 20, "the page loads again at a click")
        await becomes(page, whole, True)
        await page.close()
