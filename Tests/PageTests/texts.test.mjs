// The page's texts: every language has every key with the same values to fill in, and every key that the page uses is there.
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import assert from 'node:assert/strict';
import { chooseLanguage, fill, LANGUAGES, TABLES as tables } from '../../Sources/Gateway/Page/texts.js';

const page = new URL('../../Sources/Gateway/Page/', import.meta.url);
const placeholders = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
const sources = readdirSync(page).filter((name) => /\.(js|html)$/.test(name) && name !== 'texts.js')
  .map((name) => readFileSync(new URL(name, page), 'utf8')).join('\n');

test('every language has the same keys, each with the same values to fill in, and none is empty', () => {
  for (const language of LANGUAGES) {
    assert.deepEqual(Object.keys(tables[language]).sort(), Object.keys(tables.en).sort(), language);
    for (const [key, text] of Object.entries(tables[language])) {
      assert.ok(text.trim(), `${language} ${key}`);
      assert.deepEqual(placeholders(text), placeholders(tables.en[key]), `${language} ${key}`);
    }
  }
});

test('every key that the page names is in the table', () => {
  const used = new Set();
  for (const [, key] of sources.matchAll(/data-(?:text|label|hint|tip)="([^"]+)"/g)) used.add(key);
  for (const [, key] of sources.matchAll(/\bt\('([^'$]+)'/g)) used.add(key);
  for (const key of used) assert.ok(key in tables.en, key);
  assert.ok(used.size > 60);
});

test('every text is used: by its key, or by a key that is put together', () => {
  for (const key of Object.keys(tables.en)) {
    const stem = key.replace(/\.[^.]+$/, '.');
    const parts = [key, `${stem}\${`, `${key.split('.')[0]}.\${`];
    assert.ok(parts.some((part) => [`'${part}`, `"${part}`, `\`${part}`].some((text) => sources.includes(text))), key);
  }
});

test('the first wanted language that there is decides', () => {
  assert.equal(chooseLanguage(['de-DE', 'en']), 'de');
  assert.equal(chooseLanguage(['pt-BR', 'zh-Hant-TW']), 'zh');
  assert.equal(chooseLanguage(['ja']), 'en');
  assert.equal(chooseLanguage([]), 'en');
});

test('a value is put where its name stands, and a missing one leaves it to be seen', () => {
  assert.equal(fill('{name} of {count}', { name: '<b>', count: 0 }), '<b> of 0');
  assert.equal(fill('{name}', {}), '{name}');
});
