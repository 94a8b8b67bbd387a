/** Keys that do what buttons do. */

const ACTIONS = { m: 'microphone', v: 'camera', s: 'screen', f: 'fullscreen', c: 'chat', h: 'hand', '?': 'help' };

/** The action of a key, or null: not where somebody types, nor with a key that belongs to the browser. */
export function actionOf({ key, ctrlKey, metaKey, altKey, repeat, target }) {
  if (ctrlKey || metaKey || altKey || repeat) return null;
  const name = target?.tagName?.toLowerCase();
  const types = name === 'textarea' || name === 'select' || target?.isContentEditable
    || (name === 'input' && !['checkbox', 'radio', 'button'].includes(target.type));
  return types ? null : ACTIONS[key?.toLowerCase()] ?? null;
}
