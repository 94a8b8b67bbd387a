"""A person's hands on a page of Firefox: what the tests ask of playwright's pages, by WebDriver BiDi.

Only that: `click`, `fill`, `select_option`, `keyboard.press` and `keyboard.insert_text`. A selector may have one
`:has-text('…')`.
"""

import json
import re

from waiting import until

KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004", "Shift": "\ue008"}
# Does something with the element of a selector, if it is one that a person could use: in sight, and nothing lies on it.
# In one step, since whatever moves between looking and touching would have the touch.
USE = """
(() => {
  const element = FIND;
  if (!element || element.disabled || element.getClientRects().length === 0) return false;
  element.scrollIntoView({ block: 'nearest' });
  const { left, top, width, height } = element.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  if (hit !== element && !element.contains(hit)) return false;
  ACT
  return true;
})()
"""


def finder(selector):
    """An expression for a selector's first element."""
    parts = re.fullmatch(r"(.*?):has-text\('(.*)'\)\s*(.*)", selector)
    if not parts:
        return f"document.querySelector({json.dumps(selector)})"
    around, text, inside = parts.groups()
    found = (
        f"[...document.querySelectorAll({json.dumps(around)})]"
        f".find(one => one.innerText.includes({json.dumps(text)}))")
    return f"{found}?.querySelector({json.dumps(inside)})" if inside else found


class Keyboard:
    """Keys, one after the other, for whatever has the focus."""

    def __init__(self, firefox):
        self.firefox = firefox

    async def _type(self, keys):
        actions = [{"type": "keyUp" if up else "keyDown", "value": value} for value, up in keys]
        await self.firefox.command("input.performActions", {
            "context": self.firefox.context, "actions": [{"type": "key", "id": "keys", "actions": actions}]})

    async def press(self, name):
        keys = [KEYS.get(each, each) for each in name.split("+")]
        await self._type([(key, False) for key in keys] + [(key, True) for key in reversed(keys)])

    async def insert_text(self, text):
        await self._type([pair for letter in text for pair in ((letter, False), (letter, True))])


class Hands:
    """What `page.page` of chromium.Page is, as far as the tests of the page need it."""

    def __init__(self, firefox):
        self.firefox = firefox
        self.keyboard = Keyboard(firefox)

    async def _use(self, selector, act):
        use = USE.replace("FIND", finder(selector)).replace("ACT", act)
        await until(lambda: self.firefox.evaluate(use), 30, f"{selector} can be used", every=0.1)

    async def click(self, selector):
        await self._use(selector, "element.focus(); element.click();")

    async def _set(self, selector, value, event):
        await self._use(
            selector, f"element.focus(); element.value = {json.dumps(value)};"
            f" element.dispatchEvent(new Event({json.dumps(event)}, {{ bubbles: true }}));")

    async def fill(self, selector, text):
        await self._set(selector, text, "input")

    async def select_option(self, selector, value):
        await self._set(selector, value, "change")
