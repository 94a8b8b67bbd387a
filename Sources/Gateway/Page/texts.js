/** The page's texts in the person's language: a table for each, all with the same keys (Tests/PageTests compares them). */
import de from './texts/de.js';
import en from './texts/en.js';
import es from './texts/es.js';
import fr from './texts/fr.js';
import zh from './texts/zh.js';

export const TABLES = { en, de, es, fr, zh };
export const LANGUAGES = Object.keys(TABLES);

/** The first of the wanted languages that there is; English if there is none. */
export function chooseLanguage(wanted) {
  const primary = wanted.map((tag) => tag.toLowerCase().split('-')[0]);
  return primary.find((language) => LANGUAGES.includes(language)) ?? 'en';
}

/** `{name}` in a text is replaced by the value of that name. */
export function fill(text, values = {}) {
  return text.replace(/\{(\w+)\}/g, (all, name) => String(values[name] ?? all));
}

const asked = new URLSearchParams(globalThis.location?.search ?? '').get('lang');
export const language = chooseLanguage([...(asked ? [asked] : []), ...(globalThis.navigator?.languages ?? [])]);
const table = TABLES[language];

/** The text of a key. */
export function t(key, values) {
  return fill(table[key] ?? key, values);
}

/** Fills in what the HTML leaves to this table: `data-text`, and `data-label`, `data-hint` and `data-tip` for attributes. */
export function translate(root) {
  const attributes = { label: 'aria-label', hint: 'placeholder', tip: 'title' };
  for (const element of root.querySelectorAll('[data-text]')) element.textContent = t(element.dataset.text);
  for (const [name, attribute] of Object.entries(attributes)) {
    for (const element of root.querySelectorAll(`[data-${name}]`)) element.setAttribute(attribute, t(element.dataset[name]));
  }
}
