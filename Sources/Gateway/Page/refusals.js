/** Why the server lets somebody in no more, or not at all: its codes, read into a field of the lobby and the page's own words. */

const PROTOO_PREFIX = 'closed by protoo-server:';

/** `{ code, message }` of a close reason: `wrong-password: …`, or `closed by protoo-server: kicked-by-an-operator`. */
export function readReason(reason = '') {
  if (reason.startsWith(PROTOO_PREFIX)) return { code: reason.slice(PROTOO_PREFIX.length).trim(), message: '' };
  const [, code, message] = /^([a-z][a-z-]*): ?(.*)$/s.exec(reason) ?? [];
  return code ? { code, message } : { code: '', message: reason };
}

/** Codes of an end that was nobody's fault: the media were lost, and the person comes back. */
const MEDIA_LOST = new Set(['ice-disconnected', 'dtls-failed', 'dtls-closed']);

export function isMediaLoss(code) {
  return MEDIA_LOST.has(code);
}

/** Whether trying again by itself is of no use: somebody has to change something. */
export function needsPerson({ status = 0, code }) {
  return [400, 401, 403, 404, 410].includes(status) || ['limit-reached'].includes(code);
}

/**
 * `{ field, text, values }`: `field` is room, password, token or null (none in particular), `text` a key of the texts.
 * `shown`: what the person had given, `{ token, password }`.
 */
export function refusalOf({ code, message = '' }, shown = {}) {
  switch (code) {
    case 'wrong-password':
      return { field: 'password', text: shown.password ? 'refused.wrongPassword' : 'refused.passwordWanted' };
    case 'unauthorized':
      return { field: 'token', text: shown.token ? tokenText(message) : 'refused.tokenWanted' };
    case 'room-locked':
      return { field: 'room', text: 'refused.roomLocked' };
    case 'banned-by-an-operator':
      return { field: null, text: 'ended.banned' };
    case 'forbidden':
      if (/keeps you out/.test(message)) return { field: null, text: 'refused.banned' };
      if (/another room/.test(message)) return { field: 'room', text: 'refused.otherRoom' };
      if (/origin/i.test(message)) return { field: null, text: 'refused.origin' };
      return { field: 'token', text: 'refused.forbidden' };
    case 'origin-not-allowed':
      return { field: null, text: 'refused.origin' };
    case 'invalid-parameter':
    case 'missing-parameter':
      return { field: 'room', text: 'refused.roomName' };
    case 'limit-reached':
      return /room is full/.test(message) ? { field: 'room', text: 'refused.roomFull' } : { field: null, text: 'refused.serverFull' };
    case 'rate-limited':
    case 'too-many-requests':
      return { field: null, text: 'refused.tooOften' };
    case 'shutting-down':
      return { field: null, text: 'refused.stopping' };
    case 'kicked-by-an-operator':
      return { field: null, text: 'ended.kicked' };
    case 'room-closed':
      return { field: null, text: 'ended.roomClosed' };
    case 'replaced-by-a-newer-connection':
      return { field: null, text: 'ended.replaced' };
    default:
      return { field: null, text: 'refused.other', values: { reason: message || code || '–' } };
  }
}

function tokenText(message) {
  if (/expired/.test(message)) return 'refused.tokenExpired';
  if (/not valid yet/.test(message)) return 'refused.tokenEarly';
  return 'refused.tokenWrong';
}

/** What a token says of its bearer, `{ room, name, peer }`, each only if it says so: read, not trusted. */
export function claimsOf(token) {
  try {
    const [, body] = token.split('.');
    const bytes = Uint8Array.from(atob(body.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
    const { room, name, peer } = JSON.parse(new TextDecoder().decode(bytes));
    const text = (value) => (typeof value === 'string' && value ? value : undefined);
    return { room: room === '*' ? undefined : text(room), name: text(name), peer: text(peer) };
  } catch {
    return {};
  }
}
