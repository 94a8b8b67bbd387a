/** Short messages that come and go. */
import { t } from './texts.js';

const STAY_MS = 8_000;
const NEWS_STAY_MS = 4_000;

/** `tone`: 'error', 'message' or 'plain'. Says what happened and, in `advice`, what to do. The same title is shown once. */
export function toast(title, advice = '', tone = 'plain') {
  const item = made(title, tone);
  const text = document.createElement('div');
  const strong = document.createElement('strong');
  strong.textContent = title;
  text.append(strong, advice);
  const dismiss = document.createElement('button');
  dismiss.type = 'button';
  dismiss.textContent = '×';
  dismiss.setAttribute('aria-label', t('dismiss'));
  dismiss.onclick = () => item.remove();
  item.append(text, dismiss);
  // What somebody wrote stays until it was read.
  show(item, tone === 'message' ? Infinity : STAY_MS);
}

/** That somebody came, left or raised a hand: for the eyes only, since the room's announcer says it, and gone by itself. */
export function news(title) {
  const item = made(title, 'news');
  item.setAttribute('aria-hidden', 'true');
  item.append(title);
  show(item, NEWS_STAY_MS);
}

function made(title, tone) {
  const item = document.createElement('div');
  item.className = 'toast';
  item.dataset.tone = tone;
  item.dataset.title = title;
  return item;
}

function show(item, milliseconds) {
  const list = document.getElementById('toasts');
  for (const old of /** @type {HTMLElement[]} */ ([...list.children])) {
    if (old.dataset.title === item.dataset.title) old.remove();
  }
  list.append(item);
  while (list.children.length > 4) list.firstElementChild.remove();
  if (Number.isFinite(milliseconds)) setTimeout(() => item.remove(), milliseconds);
}

/** Copies the address another person needs for this room: with `needsToken`, one of their own too. */
export async function copyInvite(room, needsToken) {
  await copyLink(room, { advice: needsToken ? t('invite.needsToken') : '' });
}

/** The same with a token that opens the room. */
export async function copyLink(room, { token = '', advice = '' }) {
  const link = new URL(location.pathname, location.href);
  link.searchParams.set('room', room);
  if (token) link.searchParams.set('token', token);
  // A token is a secret of whoever gets it: it is copied, and not shown to whoever looks on.
  const shown = token ? link.href.replace(token, '…') : link.href;
  try {
    await navigator.clipboard.writeText(link.href);
    toast(t('invite.copied'), [shown, advice].filter(Boolean).join(' '));
  } catch {
    toast(t('invite.copyYourself'), [link.href, advice].filter(Boolean).join(' '));
  }
}
