/** Whether media really flow, judged by counters that the browser keeps. Values and times in, states out. */

/** Consent checks are answered each 2.5 s (RFC 7675), even while nothing else comes back. */
const STALL_MS = 3_500;
/** A direction that has never worked for so long is not only slow. */
const SLOW_MS = 3_000;
const BLOCKED_MS = 7_000;
/** A page that slept has seen nothing, which proves nothing. */
const ASLEEP_MS = 3_000;

/** One direction: `idle` (nothing is to flow), `starting`, `slow`, `flowing`, `stalled` or `blocked`. */
export class Direction {
  state = 'idle';
  #counters = [];
  #since = 0;
  #at = 0;
  #hasFlowed = false;

  /**
   * `wanted`: whether something is to flow. `counters`: numbers that all grow while it does. `connected`: whether its
   * transport is; before that, counters prove nothing.
   */
  sample({ at, wanted, connected, counters }) {
    const slept = this.#at > 0 && at - this.#at > ASLEEP_MS ? at - this.#at - 1_000 : 0;
    this.#at = at;
    if (!wanted) {
      this.state = 'idle';
      return;
    }
    if (this.state === 'idle') {
      this.#since = at;
      this.#counters = counters.map((value) => ({ value, grewAt: null }));
      this.state = 'starting';
    }
    this.#counters = counters.map((value, index) => {
      const before = this.#counters[index] ?? { value, grewAt: null };
      // A counter that begins again at less has not grown, and a stream less is no sign of a stall.
      if (value > before.value) return { value, grewAt: at };
      return { value, grewAt: before.grewAt === null ? null : before.grewAt + slept };
    });
    this.#since += slept;
    const grew = (each) => each.grewAt !== null && at - each.grewAt <= STALL_MS;
    if (connected && this.#counters.every(grew)) {
      this.#hasFlowed = true;
      this.state = 'flowing';
    } else if (this.#hasFlowed) {
      // A source that was just switched on gets as long as one that just fell silent.
      if (at - this.#since > STALL_MS) this.state = 'stalled';
      else if (this.state !== 'stalled') this.state = 'flowing';
    } else if (at - this.#since > BLOCKED_MS) {
      this.state = connected ? 'stalled' : 'blocked';
    } else if (at - this.#since > SLOW_MS) {
      this.state = 'slow';
    }
  }
}

/**
 * What to say of the whole: connecting, connected, reconnecting or failed. `sending` and `receiving` are a Direction's
 * states; `gaveUp`: several ICE restarts were in vain; `away`: the server has not been reached for so long (ms), although
 * its session stands.
 */
export function overall({ joined, joinedOnce, sending, receiving, gaveUp = false, away = 0 }) {
  if (!joined) return joinedOnce ? 'reconnecting' : 'connecting';
  const states = [sending, receiving];
  if (states.includes('blocked') || (gaveUp && !states.includes('flowing'))) return 'failed';
  if (states.includes('stalled') || away > STALL_MS) return 'reconnecting';
  if (states.includes('slow')) return 'connecting';
  if (states.includes('starting') && !states.includes('flowing')) return 'connecting';
  return 'connected';
}

/** The text for the state, by its key: a direction that has failed alone is named. */
export function stateText(state, sending, receiving) {
  const broken = (direction) => direction === 'stalled' || direction === 'blocked';
  if (state === 'reconnecting' || state === 'failed') {
    if (broken(sending) && receiving === 'flowing') return 'state.notSending';
    if (broken(receiving) && sending === 'flowing') return 'state.notReceiving';
  }
  return `state.${state}`;
}

/**
 * Reads `getStats()` of the two connections into `{ sent, heard, received, streams }`: packets sent, signs of life from
 * the far end of the sending transport, packets received of the MIDs in `wanted`; `streams`: MID → { packets, lost } so far.
 */
export function countersOf(sendReports, receiveReports, wanted) {
  const counts = { sent: 0, heard: 0, received: 0, streams: new Map(), lossSent: new Map() };
  for (const report of sendReports) {
    if (report.type === 'outbound-rtp') counts.sent += report.packetsSent ?? 0;
    else if (report.type === 'candidate-pair') counts.heard += (report.bytesReceived ?? 0) + (report.responsesReceived ?? 0);
    else if (report.type === 'remote-inbound-rtp' && report.fractionLost !== undefined) {
      counts.lossSent.set(report.kind, Math.max(counts.lossSent.get(report.kind) ?? 0, report.fractionLost));
    }
  }
  for (const { type, mid, packetsReceived = 0, packetsLost = 0 } of receiveReports) {
    if (type !== 'inbound-rtp') continue;
    counts.streams.set(mid, { packets: packetsReceived, lost: packetsLost });
    // A browser that names no MID counts for all that is wanted.
    if (mid === undefined ? wanted.size > 0 : wanted.has(mid)) counts.received += packetsReceived;
  }
  return counts;
}
