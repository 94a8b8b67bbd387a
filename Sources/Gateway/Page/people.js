/** The list of people: also the room as those meet it who do not see the tiles. */
import { t } from './texts.js';

/** @type {(id: string) => any} */
const find = (id) => document.getElementById(id);

/** A person's line in words. */
export function describe({ hand, muted, camera, sharing, speaking, bars }) {
  const parts = [
    hand ? t('people.hand') : '', speaking ? t('people.speaking') : '', muted ? t('people.muted') : t('people.unmuted'),
    camera ? t('people.camera') : t('people.noCamera'), sharing ? t('people.sharing') : '', bars === null ? '' : t(`bars.${bars}`),
  ];
  return parts.filter(Boolean).join(', ');
}

export class PeopleList {
  #moderation;

  /** `renamed(name)`: may reject; `invited()`; `moderation`: has the buttons of those who may use some. */
  constructor({ renamed, invited, moderation }) {
    this.#moderation = moderation;
    find('rename-form').addEventListener('submit', (event) => {
      event.preventDefault();
      const name = find('rename').value.trim();
      if (name) renamed(name);
    });
    find('people-invite').addEventListener('click', invited);
  }

  show(people) {
    const list = find('people-list');
    const rows = people.map((person) => {
      const key = `${person.id}`;
      const row = [...list.children].find((each) => each.dataset.person === key) ?? line(key);
      this.#control(row, person);
      const name = person.self ? t('tile.you', { name: person.name }) : person.name;
      const text = describe(person);
      if (row.dataset.text === text && row.dataset.name === name) return row;
      Object.assign(row.dataset, { text, name });
      row.querySelector('strong').textContent = name;
      row.querySelector('small').textContent = text;
      return row;
    });
    if (rows.length !== list.children.length || rows.some((row, index) => list.children[index] !== row)) list.replaceChildren(...rows);
    const own = people.find(({ self }) => self);
    if (own && document.activeElement !== find('rename')) find('rename').value = own.name;
  }

  /** Buttons stay the same ones while somebody's line changes, or they would lose the focus. */
  #control(row, person) {
    const isWanted = !person.self && Boolean(this.#moderation?.isShown);
    if (isWanted && !row.controls) {
      row.controls = this.#moderation.controls(person.id);
      row.append(...row.controls.elements);
    } else if (!isWanted && row.controls) {
      for (const element of row.controls.elements) element.remove();
      row.controls = null;
    }
    row.controls?.update(person);
  }
}

function line(key) {
  const row = document.createElement('li');
  row.dataset.person = key;
  row.append(document.createElement('strong'), document.createElement('small'));
  return row;
}
