/** How good a connection is, in bars: from the server's scores and from the loss that the browser sees. */

/** 3 good, 2 fair, 1 poor, 0 nothing gets through; null while nothing is known. `score` 0…10, `loss` 0…1; either may be absent. */
export function barsOf({ score = null, loss = null }) {
  const byScore = score === null ? null : score >= 8 ? 3 : score >= 5 ? 2 : score >= 1 ? 1 : 0;
  const byLoss = loss === null ? null : loss < 0.03 ? 3 : loss < 0.08 ? 2 : 1;
  if (byScore === null) return byLoss;
  return byLoss === null ? byScore : Math.min(byScore, byLoss);
}

/** A person's bars, by the worst of what is received of them. `loss`: MID → 0…1. */
export function barsOfPeer(peer, loss) {
  let bars = null;
  for (const { paused, shown, score, mid } of peer.consumers.values()) {
    if (paused || !shown) continue;
    const own = barsOf({ score: score ? Math.min(score.score, score.producerScore) : null, loss: loss.get(mid) ?? null });
    if (own !== null) bars = bars === null ? own : Math.min(bars, own);
  }
  return bars;
}

/** How much of what is wanted one's own network carries, 0…1; null while that is not known. `downlink`: `{ available, desired }`. */
export function shareOf(downlink) {
  if (!downlink || downlink.desired === 0) return null;
  return Math.min(1, downlink.available / downlink.desired);
}

/** By the share that one's own network carries; null while that is not known. */
function barsOfShare(share) {
  if (share === null) return null;
  return share >= 0.9 ? 3 : share >= 0.4 ? 2 : 1;
}

/**
 * One's own, by the best encoding of each source (the others may be off on purpose), the loss the server reports, and what
 * one's network carries of what one wants to see.
 */
export function ownBars(scores, lossSent, downlink = null) {
  const down = barsOfShare(shareOf(downlink));
  const up = barsSent(scores, lossSent);
  return up === null || down === null ? up ?? down : Math.min(up, down);
}

function barsSent(scores, lossSent) {
  let score = null;
  for (const list of scores.values()) {
    const best = Math.max(...list.map((each) => each.score));
    score = score === null ? best : Math.min(score, best);
  }
  return score === null ? null : barsOf({ score, loss: lossSent });
}

/** The loss between two readings, MID → 0…1; of streams that are in both and got enough to judge. */
export function lossOf(before, now) {
  const losses = new Map();
  for (const [mid, { packets, lost }] of now) {
    const old = before.get(mid);
    if (!old) continue;
    const gone = Math.max(0, lost - old.lost);
    const expected = packets - old.packets + gone;
    if (expected >= 20) losses.set(mid, gone / expected);
  }
  return losses;
}
