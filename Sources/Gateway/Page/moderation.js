/** What moderators may do from the page: everybody's sound, the door, one person, and invitations. By the HTTP API, with the token. */
import { t } from './texts.js';

/** @type {(id: string) => any} */
const find = (id) => document.getElementById(id);
const CONFIRM_MS = 4_000;

/** Seconds for which an invitation is good, by the choices of the form. */
export const LIFETIMES = { hour: 3_600, day: 86_400, week: 604_800 };

/** What the form asks the server for: `role` is join or watch, `until` a key of LIFETIMES. */
export function invitation({ name, role, until }) {
  const rights = role === 'watch' ? { publish: false, data: false } : {};
  return { ...(name ? { name } : {}), ...rights, expiresIn: LIFETIMES[until] ?? LIFETIMES.day };
}

/** The sound that a peer sends and nobody has paused: what muting is about. */
export function audible(peer) {
  return [...(peer?.consumers.values() ?? [])].filter(({ kind, paused }) => kind === 'audio' && !paused);
}

/** The requests. */
export class ModerationRequests {
  #room;
  #token;
  #fetch;

  /** `room()`: its name; `token()`: what shows that one may. */
  constructor({ room, token, fetch = (address, options) => globalThis.fetch(address, options) }) {
    this.#room = room;
    this.#token = token;
    this.#fetch = fetch;
  }

  /** Throws an Error with the server's words. */
  async ask(method, path, body) {
    const pieces = ['rooms', this.#room(), ...path].map(encodeURIComponent);
    const answer = await this.#fetch(`api/v1/${pieces.join('/')}`, {
      method, headers: { authorization: `Bearer ${this.#token()}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body && JSON.stringify(body), cache: 'no-store',
    });
    const content = answer.status === 204 ? null : await answer.json().catch(() => null);
    if (!answer.ok) throw new Error(content?.error?.message ?? String(answer.status));
    return content;
  }

  muteEverybodyBut(peerID) {
    return this.ask('POST', ['mute'], { except: [peerID] });
  }

  async mute(peer) {
    for (const { producerID } of audible(peer)) await this.ask('POST', ['producers', producerID, 'pause']);
  }

  lock(isLocked) {
    return this.ask('POST', [isLocked ? 'lock' : 'unlock']);
  }

  remove(peerID) {
    return this.ask('DELETE', ['peers', peerID]);
  }

  /** The token of a new invitation. */
  async invite(choices) {
    return (await this.ask('POST', ['invites'], invitation(choices))).token;
  }
}

/** The controls, in the list of people. */
export class Moderation {
  #requests;
  #room;
  #failed;
  #invited;

  /** `room()`: the Room, or null; `failed(error)`; `invited(token)`; `done(text)` when there is something to say. */
  constructor({ room, token, failed, invited, done }) {
    this.#room = room;
    this.#failed = failed;
    this.#invited = invited;
    this.#requests = new ModerationRequests({ room: () => room().id, token });
    find('mute-all').addEventListener('click', () => this.#try(find('mute-all'), async () => {
      await this.#requests.muteEverybodyBut(room().peerID);
      done(t('moderate.mutedAll'));
    }));
    find('lock').addEventListener('click', () => this.#try(find('lock'), () => this.#requests.lock(!room().isLocked)));
    find('invite-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#try(find('invite-make'), async () => this.#invited(await this.#requests.invite({
        name: find('invite-name').value.trim(), role: find('invite-role').value, until: find('invite-until').value,
      })));
    });
  }

  get #may() {
    return this.#room()?.permissions.moderate === true;
  }

  show() {
    const room = this.#room();
    find('moderation').hidden = !this.#may;
    find('locked').hidden = !room?.isLocked;
    find('lock').textContent = t(room?.isLocked ? 'moderate.unlock' : 'moderate.lock');
  }

  /** Whether there are buttons for the others. */
  get isShown() {
    return this.#may;
  }

  /** The buttons for one of the others: `{ elements, update(person) }`. */
  controls(id) {
    let name = '';
    let asking = 0;
    const mute = button();
    const remove = button('danger');
    const render = () => {
      write(mute, t('moderate.mute'), t('moderate.muteOf', { name }));
      const question = t('moderate.removeSure', { name });
      write(remove, asking ? question : t('moderate.remove'), asking ? question : t('moderate.removeOf', { name }));
    };
    const ask = (timer) => {
      clearTimeout(asking);
      asking = timer;
      render();
    };
    mute.addEventListener('click', () => this.#try(mute, () => this.#requests.mute(this.#room()?.peers.get(id))));
    remove.addEventListener('click', () => {
      if (!asking) return ask(setTimeout(() => ask(0), CONFIRM_MS));
      ask(0);
      return this.#try(remove, () => this.#requests.remove(id));
    });
    return {
      elements: [mute, remove],
      update: (person) => {
        name = person.name;
        mute.disabled = person.muted;
        render();
      },
    };
  }

  async #try(element, act) {
    element.setAttribute('aria-busy', 'true');
    try {
      await act();
    } catch (error) {
      this.#failed(error);
    } finally {
      element.removeAttribute('aria-busy');
    }
  }
}

function button(tone = '') {
  return Object.assign(document.createElement('button'), { type: 'button', className: `plain ${tone}` });
}

function write(element, text, label) {
  if (element.textContent !== text) element.textContent = text;
  if (element.getAttribute('aria-label') !== label) element.setAttribute('aria-label', label);
}
