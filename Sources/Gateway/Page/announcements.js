/** What is said to people who do not see the page: the difference between two looks at the room. No DOM in here. */

/** A busy room says how many came, not each name. */
const NAMED = 3;

/** What is shown and heard too, and for which sound: that somebody came is no news to one sense only. */
export const NEWS = { 'said.joined': 'came', 'said.left': 'left', 'said.handUp': 'hand' };

/** Where so many are, somebody comes or goes all the time, and that is no news. */
const CROWD = 16;

/** What of `announcements(…)` everybody in a room of so many people gets to see and hear. */
export function newsOf(said, count) {
  return count > CROWD ? [] : said.filter(({ text }) => text in NEWS);
}

/**
 * Texts `[{ text, values }]` for what changed between two lists of people, as in `arrange`; `before` is null at the first
 * look, which says who is there.
 */
export function announcements(before, now) {
  const others = now.filter(({ self }) => !self);
  if (!before) {
    if (others.length === 0) return [{ text: 'said.alone', values: {} }];
    return [{ text: 'said.here', values: { names: listed(others) } }];
  }
  const said = [];
  const old = new Map(before.map((person) => [person.id, person]));
  const ids = new Set(now.map(({ id }) => id));
  const came = others.filter(({ id }) => !old.has(id));
  const left = before.filter(({ id, self }) => !self && !ids.has(id));
  if (came.length > 0) said.push({ text: 'said.joined', values: { names: listed(came) } });
  if (left.length > 0) said.push({ text: 'said.left', values: { names: listed(left) } });
  for (const person of others) {
    const earlier = old.get(person.id);
    // Somebody who has just come has nothing yet: what arrives a moment later is no news.
    if (!earlier) continue;
    if (person.name !== earlier.name && earlier.name) said.push({ text: 'said.renamed', values: { name: earlier.name, now: person.name } });
    const change = (key, on, off) => {
      if (person[key] !== earlier[key]) said.push({ text: person[key] ? on : off, values: { name: person.name } });
    };
    if (person.settled && earlier.settled) {
      change('muted', 'said.muted', 'said.unmuted');
      change('camera', 'said.cameraOn', 'said.cameraOff');
    }
    change('hand', 'said.handUp', 'said.handDown');
    change('sharing', 'said.sharing', 'said.sharingEnded');
  }
  return said;
}

function listed(people) {
  const names = people.slice(0, NAMED).map(({ name }) => name).join(', ');
  return people.length > NAMED ? `${names} +${people.length - NAMED}` : names;
}

/** Marks who has been there for a moment, so that the first tracks of a newcomer are not announced. */
export class Settling {
  #since = new Map();

  mark(people, at) {
    const ids = new Set(people.map(({ id }) => id));
    for (const id of this.#since.keys()) if (!ids.has(id)) this.#since.delete(id);
    return people.map((person) => {
      if (!this.#since.has(person.id)) this.#since.set(person.id, at);
      return { ...person, settled: at - this.#since.get(person.id) > 3_000 };
    });
  }
}
