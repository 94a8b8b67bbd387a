/** What people write and show each other in a room: messages, raised hands, reactions. No connection and no DOM in here. */

/** Labels of data channels: texts as mediasoup-demo's, and signs in JSON. */
export const CHAT = 'chat';
export const SIGNS = 'signs';
/** The longest message, in characters; longer ones that arrive are cut. */
export const LONGEST = 4000;
/** Messages that are kept. */
const KEPT = 500;
export const REACTIONS = ['👍', '👏', '❤️', '😂', '😮', '🎉'];

/**
 * A text as parts `[{ text, href? }]`: only addresses of the web become links, and say themselves where they lead.
 */
export function partsOf(text) {
  const parts = [];
  let rest = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'`\u{202a}-\u{202e}\u{2066}-\u{2069}]+/giu)) {
    // A sentence's end is not the address's.
    const address = match[0].replace(/[.,;:!?)\]}]+$/u, '');
    const href = safeAddress(address);
    if (!href) continue;
    if (match.index > rest) parts.push({ text: text.slice(rest, match.index) });
    parts.push({ text: address, href });
    rest = match.index + address.length;
  }
  if (rest < text.length) parts.push({ text: text.slice(rest) });
  return parts;
}

function safeAddress(text) {
  try {
    const url = new URL(text);
    // A name before the host is there to deceive.
    return ['http:', 'https:'].includes(url.protocol) && !url.username && !url.password ? url.href : null;
  } catch {
    return null;
  }
}

/** A sign as it is sent, or null for what is none. */
export function readSign(text) {
  let sign;
  try {
    sign = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof sign?.hand === 'boolean') return { hand: sign.hand };
  return REACTIONS.includes(sign?.reaction) ? { reaction: sign.reaction } : null;
}

export class Conversation {
  /** `[{ number, peerID, name, own, text, at, failed }]`, oldest first. */
  messages = [];
  unread = 0;
  /** Whose hands are up, in the order in which they went up. */
  hands = new Set();
  #isOpen = false;
  #number = 0;

  /** Whether the messages are being looked at. */
  get isOpen() {
    return this.#isOpen;
  }

  set isOpen(isOpen) {
    this.#isOpen = isOpen;
    if (isOpen) this.unread = 0;
  }

  /** Returns the message as it is kept; null for one without content. */
  add({ peerID, name, own = false, text, at }) {
    const content = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
    if (!content.trim()) return null;
    this.#number += 1;
    const message = { number: this.#number, peerID, name, own, text: content, at, failed: false };
    this.messages.push(message);
    if (this.messages.length > KEPT) this.messages.shift();
    if (!own && !this.#isOpen) this.unread += 1;
    return message;
  }

  /** Returns whether that is news. */
  setHand(peerID, isUp) {
    if (!isUp) return this.hands.delete(peerID);
    if (this.hands.has(peerID)) return false;
    this.hands.add(peerID);
    return true;
  }

  /** Keeps the hands of those who are there. */
  keepHands(peerIDs) {
    for (const id of this.hands) if (!peerIDs.has(id)) this.hands.delete(id);
  }
}
