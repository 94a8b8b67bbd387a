/** Short messages that come and go. */
import { t } from './texts.js';

const STAY_MS = 8_000;

/** `tone`: 'error' or 'plain'. Says what happened and, in `advice`, what to do. The same title is shown once. */
export function toast(title, advice = '', tone = 'plain') {
  const list = document.getElementById('toasts');
  for (const old of list.children) {
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
  setTimeout(() => item.remove(), STAY_MS);
}

/** Copies the address another person needs for this room: with `needsToken`, one of their own too. */
export async function copyInvite(room, needsToken) {
  const link = new URL(location.pathname, location.href);
  link.searchParams.set('room', room);
  try {
    await navigator.clipboard.writeText(link.href);
    toast(t('invite.copied'), `${link.href}${needsToken ? ` ${t('invite.needsToken')}` : ''}`);
  } catch {
    toast(t('invite.copyYourself'), `${link.href}${needsToken ? ` ${t('invite.needsToken')}` : ''}`);
  }
}
