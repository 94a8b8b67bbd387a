/** Elements without markup: every text goes in as text. */

/** Makes an element; `properties` are set on it, `data-…` and `aria-…` as attributes. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes('-')) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** Sets a text if it changed, so that a selection survives. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes `parent`'s children match `items`, in order, keeping the elements of those that stay.
 * `build(item)` makes an element with an `update(item)` of its own.
 */
export function match(parent, items, key, build) {
  const kept = parent.matched ?? new Map();
  const next = new Map();
  let place = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    const element = kept.get(id) ?? build(item);
    kept.delete(id);
    next.set(id, element);
    element.update(item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const element of kept.values()) element.remove();
  parent.matched = next;
}

/**
 * A button that asks once more before it acts. `action()` is what it does, in full ("Remove Ada"), and becomes the question;
 * `button.update()` when that has changed.
 */
export function carefulButton(label, action, properties, act) {
  const button = make('button', { type: 'button', className: 'plain danger', ...properties });
  let asking = 0;
  button.update = () => {
    write(button, asking ? `${action()}?` : label);
    button.setAttribute('aria-label', asking ? `${action()}?` : action());
  };
  const ask = (timer) => {
    clearTimeout(asking);
    asking = timer;
    button.update();
  };
  button.update();
  button.onclick = async () => {
    if (!asking) return ask(setTimeout(() => ask(0), 4_000));
    ask(0);
    button.disabled = true;
    try { await act(); } finally { button.disabled = false; }
  };
  return button;
}
