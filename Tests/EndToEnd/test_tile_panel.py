"""The page's panel for one tile, by keyboard and on a phone: layers to choose, figures to read, who speaks."""

from layering import enter, inbound, layers
from waiting import until

FOCUSED = "document.activeElement.id || document.activeElement.className"
FIGURES = "document.querySelector('[data-self=false] .tile-stats').textContent"
INSIDE = """
(() => {
  const box = document.getElementById('tile-panel').getBoundingClientRect();
  return box.width > 0 && box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight;
})()
"""


async def open_by_keyboard(person):
    """Tabs to the other's tile and opens its panel."""
    await person.page.evaluate("document.querySelector('[data-self=false] .tile-more').focus()")
    await person.page.page.keyboard.press("Enter")
    assert await person.page.evaluate(FOCUSED) == "tile-size"


async def test_layers_are_chosen_and_figures_shown_by_keyboard_on_a_phone(gateway, chromium, artifacts):
    alice = await enter(chromium, gateway.url, "panel", "Alice", deaf=True, size=(1280, 720))
    bob = await enter(chromium, gateway.url, "panel", "Bob", blind=True)
    await bob.page.page.set_viewport_size({"width": 360, "height": 740})
    keyboard = bob.page.page.keyboard
    try:
        async def served():
            return await layers(bob) is not None and await inbound(bob) is not None
        await until(served, 60, "Bob is sent some layer of Alice's", every=0.2)
        await open_by_keyboard(bob)
        assert await bob.page.evaluate(INSIDE), "the panel reaches out of the phone's screen"
        # Below "automatic" the highest layer comes first.
        for _ in range(3):
            await keyboard.press("ArrowDown")

        async def lowest():
            return (await layers(bob) or (None,))[0] == 0 and (await inbound(bob))["frameWidth"] == 320
        await until(lowest, 60, "the lowest layer is sent", every=0.2)
        assert await bob.page.evaluate("document.querySelector('[data-self=false] .layer').textContent") == "1/3"
        for _ in range(2):
            await keyboard.press("Tab")
        assert await bob.page.evaluate(FOCUSED) == "tile-stats"
        await keyboard.press("Space")

        async def figures():
            text = await bob.page.evaluate(FIGURES)
            return text if "320 × 180" in text and "kb/s" in text else None
        text = await until(figures, 30, "figures are shown on the tile", every=0.2)
        assert "VP8" in text and "Layer 1 of 3" in text and "Score" in text
        await bob.page.picture(artifacts / "panel.png")
        await keyboard.press("Escape")
        assert await bob.page.evaluate(FOCUSED) == "tile-more", "the focus goes back where it came from"
        await bob.page.picture(artifacts / "figures.png")
    finally:
        (artifacts / "console.txt").write_text("\n".join(alice.page.console + bob.page.console) + "\n")


async def test_the_speaker_is_marked(gateway, chromium):
    # The fake microphone beeps; a person without one says nothing.
    alice = await enter(chromium, gateway.url, "talk", "Alice", deaf=True, size=(640, 360))
    bob = await enter(chromium, gateway.url, "talk", "Bob", blind=True)
    marked = "document.querySelector('[data-self=false]')?.dataset.speaking === 'true'"
    await until(lambda: bob.page.evaluate(marked), 60, "Alice's tile is marked", every=0.2)
    await alice.page.page.click("#mic")
    await until(lambda: bob.page.evaluate(f"!({marked})"), 60, "nobody speaks any more", every=0.2)
