/** Short messages that come and go. */
import { t } from './texts.js';

const STAY_MS = 8_000;

/** `tone`: 'error', 'message' or 'plain'. Says what happened and, in `advice`, what to do. The same title is shown once. */
export function toast(title, advice = '', tone = 'plain') {
  const list = document.getElementById('toasts');
  for (const old of /** @type {HTMLElement[]} */ ([...list.children])) {
    if (old.dataset.title === title) old.remove();
  }
  const item = document.createElement('div');
  item.className = 'toast';
  item.dataset.tone = tone;
  item.dataset.title = title;
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
  list.append(item);
  while (list.children.length > 4) list.firstElementChild.remove();
  // What somebody wrote stays until it was read.
  if (tone !== 'message') setTimeout(() => item.remove(), STAY_MS);
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
