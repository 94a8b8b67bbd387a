/** The chat's panel, the raised hand and the reactions: what is seen of a Conversation. */
import { LONGEST, partsOf, REACTIONS } from './conversation.js';
import { t } from './texts.js';

/** @type {(id: string) => any} */
const find = (id) => document.getElementById(id);
/** Beyond so many lines a message is folded. */
const FOLDED_LENGTH = 600;

export class Chat {
  #conversation = null;
  #shown = 0;
  #sent;

  /** `sent(text)` resolves when it is on its way; `raised()` and `reacted(emoji)`: buttons were pressed. */
  constructor({ sent, raised, reacted }) {
    this.#sent = sent;
    find('chat-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    find('chat-text').addEventListener('keydown', (event) => {
      // While a word is being composed, Enter ends the word.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    find('chat-text').addEventListener('input', () => this.#fit());
    find('chat-text').maxLength = LONGEST;
    find('hand').addEventListener('click', raised);
    find('reactions').replaceChildren(...REACTIONS.map((emoji) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'plain';
      button.textContent = emoji;
      button.setAttribute('aria-label', t('chat.react', { emoji }));
      button.addEventListener('click', () => reacted(emoji));
      return button;
    }));
  }

  /** Begins with an empty log. */
  begin(conversation) {
    this.#conversation = conversation;
    this.#shown = 0;
    find('chat-log').replaceChildren();
    find('chat-text').value = '';
    this.show({ maySend: true, isUp: false });
  }

  /** Returns the field, if there is a keyboard without it. */
  opened() {
    if (!this.#conversation) return null;
    this.#conversation.isOpen = true;
    this.#scroll();
    this.#badge();
    return matchMedia('(pointer: fine)').matches && !find('chat-form').hidden ? find('chat-text') : null;
  }

  closed() {
    if (this.#conversation) this.#conversation.isOpen = false;
  }

  /** Shows what is new. `maySend`: whether we may write; `isUp`: whether our hand is. */
  show({ maySend, isUp }) {
    const log = find('chat-log');
    const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 40;
    const { messages } = this.#conversation;
    for (const message of messages) {
      if (message.number <= this.#shown) continue;
      log.append(lineOf(message));
      this.#shown = message.number;
    }
    while (log.children.length > messages.length) log.firstElementChild.remove();
    if (isAtEnd) this.#scroll();
    find('chat-empty').hidden = messages.length > 0;
    find('chat-form').hidden = find('hand').hidden = find('reactions').hidden = !maySend;
    find('hand').setAttribute('aria-pressed', String(isUp));
    find('hand').title = t(isUp ? 'hand.lower' : 'hand.raise');
    this.#badge();
  }

  async #submit() {
    const text = find('chat-text').value.trim();
    if (!text) return;
    find('chat-text').value = '';
    this.#fit();
    try {
      await this.#sent(text);
    } catch {
      // What somebody wrote is not lost with the connection.
      if (!find('chat-text').value) find('chat-text').value = text;
      this.#fit();
    }
  }

  #badge() {
    const { unread } = this.#conversation;
    find('chat-unread').hidden = unread === 0;
    find('chat-unread').textContent = unread > 99 ? '99+' : String(unread);
    const title = unread > 0 ? t('chat.unread', { count: unread }) : t('chat.title');
    find('chat').title = title;
    find('chat-name').textContent = title;
  }

  /** The field grows with what is in it, up to what the style allows. */
  #fit() {
    const field = find('chat-text');
    field.style.height = 'auto';
    field.style.height = `${field.scrollHeight}px`;
  }

  #scroll() {
    const log = find('chat-log');
    log.scrollTop = log.scrollHeight;
  }
}

function lineOf({ name, own, text, at }) {
  const item = document.createElement('div');
  item.className = own ? 'chat-line own' : 'chat-line';
  const head = document.createElement('p');
  head.className = 'chat-head';
  const who = document.createElement('strong');
  who.textContent = own ? t('chat.you') : name;
  const time = document.createElement('time');
  time.dateTime = new Date(at).toISOString();
  time.textContent = new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  head.append(who, ' ', time);
  const body = document.createElement('p');
  body.className = 'chat-body';
  body.dir = 'auto';
  body.append(...partsOf(text).map(({ text: part, href }) => {
    if (!href) return part;
    const link = document.createElement('a');
    Object.assign(link, { href, textContent: part, target: '_blank', rel: 'noopener noreferrer nofollow' });
    return link;
  }));
  item.append(head, body);
  if (text.length > FOLDED_LENGTH) {
    body.classList.add('folded');
    const more = document.createElement('button');
    more.type = 'button';
    more.className = 'plain';
    more.textContent = t('chat.more');
    more.setAttribute('aria-expanded', 'false');
    more.onclick = () => {
      const isFolded = body.classList.toggle('folded');
      more.textContent = t(isFolded ? 'chat.more' : 'chat.less');
      more.setAttribute('aria-expanded', String(!isFolded));
    };
    item.append(more);
  }
  return item;
}
