/** What the person must know at once, with the one thing to do about it. No DOM in here. */

/**
 * `{ text, values, countdown, action }`, keys of texts, or null; `action`: `{ text, does }`, where `does` is rejoin, sound
 * or dismiss. `held`: the source that an operator has switched off, or null.
 */
export function bannerFor(room, { soundBlocked = false, held = null, now }) {
  if (!room) return null;
  const seconds = (at) => Math.max(0, Math.ceil((at - now) / 1000));
  const rejoin = { text: 'banner.tryAgain', does: 'rejoin' };
  if (room.state === 'failed') {
    if (room.failure) return { text: 'banner.notJoined', values: { reason: room.failure }, action: rejoin };
    return { text: 'banner.noUDP', values: { port: room.mediaPort ?? '–' }, action: rejoin };
  }
  if (room.retryAt > 0) {
    const left = seconds(room.retryAt);
    return {
      text: OUTAGES[room.outage] ?? OUTAGES.unreachable,
      countdown: left > 0 ? { text: 'banner.tryingIn', values: { seconds: left } } : { text: 'banner.trying' },
      action: { text: 'banner.tryNow', does: 'rejoin' },
    };
  }
  if (room.drainsAt > 0) {
    return { text: 'banner.draining', countdown: { text: 'banner.inSeconds', values: { seconds: seconds(room.drainsAt) } } };
  }
  // Before what was switched off, which cannot be switched on without the right.
  if (!room.permissions.publish) return { text: room.permissions.subscribe ? 'banner.watching' : 'banner.neither' };
  if (held) return { text: `banner.held.${held}`, action: { text: 'banner.understood', does: 'dismiss' } };
  if (!room.permissions.subscribe) return { text: 'banner.sendingOnly' };
  if (soundBlocked) return { text: 'banner.soundBlocked', action: { text: 'banner.soundOn', does: 'sound' } };
  return null;
}

const OUTAGES = {
  unreachable: 'banner.unreachable', stopping: 'banner.stopping', 'rate-limited': 'banner.rateLimited',
  'no-websocket': 'banner.noWebSocket',
};
