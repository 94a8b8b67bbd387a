/** The panels over the stage: one is open at a time, Escape closes it from anywhere, and the focus goes back where it was. */

/** @type {(id: string) => any} */
const find = (id) => document.getElementById(id);

export class Panels {
  #buttons = new Map();
  #closed;

  /** `closed()` after any was closed. */
  constructor({ closed }) {
    this.#closed = closed;
  }

  /** `opened()` when this panel opens; it may return what gets the focus. */
  add(buttonID, panelID, opened = () => {}) {
    const open = () => {
      const isOpen = find(panelID).hidden;
      this.close();
      if (isOpen) this.open(buttonID);
    };
    this.#buttons.set(buttonID, { panelID, opened });
    find(buttonID).addEventListener('click', open);
  }

  open(buttonID) {
    this.close();
    const { panelID, opened } = this.#buttons.get(buttonID);
    const panel = find(panelID);
    panel.hidden = false;
    find(buttonID).setAttribute('aria-expanded', 'true');
    // Not a field to type in, which brings up a phone's keyboard, nor one in the middle, which leaves out what is above it.
    (opened() ?? panel.querySelector(':scope > .field:first-child > select:not(:disabled)') ?? panel).focus({ preventScroll: true });
  }

  toggle(buttonID) {
    find(buttonID).click();
  }

  /** The button of the open panel, or null. */
  get openButton() {
    for (const [id, { panelID }] of this.#buttons) if (!find(panelID).hidden) return find(id);
    return null;
  }

  /** Returns whether any was open. `givesFocusBack`: to its button. */
  close({ givesFocusBack = false } = {}) {
    const button = this.openButton;
    for (const [id, { panelID }] of this.#buttons) {
      find(panelID).hidden = true;
      find(id).setAttribute('aria-expanded', 'false');
    }
    this.#closed();
    if (button && givesFocusBack) button.focus();
    return button !== null;
  }
}
