/** Statistics about a call from getStats: for the small panel, and for whoever asks `window.roundhouse.stats()`. */

/** `{ rtt (ms) or null, send: [...], receive: [...] }` with one entry per RTP stream. */
export async function collect(sendConnection, receiveConnection) {
  const [sent, received] = await Promise.all([reports(sendConnection), reports(receiveConnection)]);
  const pick = (list, type) => list.filter((report) => report.type === type);
  const pair = [...pick(sent, 'candidate-pair'), ...pick(received, 'candidate-pair')]
    .find(({ nominated, state, currentRoundTripTime }) =>
      nominated && state === 'succeeded' && currentRoundTripTime !== undefined);
  return {
    rtt: pair ? pair.currentRoundTripTime * 1000 : null,
    send: pick(sent, 'outbound-rtp').map(({
      kind, mid, ssrc, bytesSent, packetsSent, framesEncoded, framesPerSecond, frameWidth, frameHeight, nackCount, pliCount,
    }) => ({
      kind, mid, ssrc, bytesSent, packetsSent, framesEncoded, framesPerSecond, frameWidth, frameHeight, nackCount, pliCount,
    })),
    receive: pick(received, 'inbound-rtp').map(({
      kind, mid, ssrc, bytesReceived, packetsReceived, packetsLost, jitter, framesDecoded, framesPerSecond,
      frameWidth, frameHeight, freezeCount, audioLevel,
    }) => ({
      kind, mid, ssrc, bytesReceived, packetsReceived, packetsLost, jitter, framesDecoded, framesPerSecond,
      frameWidth, frameHeight, freezeCount, audioLevel,
    })),
  };
}

async function reports(connection) {
  if (!connection || connection.connectionState === 'closed') return [];
  try {
    return [...(await connection.getStats()).values()];
  } catch {
    return [];
  }
}

/** Rows `[label, text]` for the panel; `before` is the previous collection, `seconds` the time between. */
export function summarise(now, before, seconds) {
  const total = (list, key) => list.reduce((sum, each) => sum + (each[key] ?? 0), 0);
  const rate = (direction, key) => {
    if (!before || seconds <= 0) return '–';
    const bits = Math.max(0, total(now[direction], key) - total(before[direction], key)) * 8;
    return `${Math.round(bits / seconds / 1000)} kb/s`;
  };
  const rows = [
    ['Round trip', now.rtt === null ? '–' : `${Math.round(now.rtt)} ms`],
    ['Sending', rate('send', 'bytesSent')],
    ['Receiving', rate('receive', 'bytesReceived')],
    ['Packet loss', `${total(now.receive, 'packetsLost')} packets`],
  ];
  const picture = ({ frameWidth, frameHeight, framesPerSecond }) =>
    (frameWidth ? `${frameWidth} × ${frameHeight}, ${Math.round(framesPerSecond ?? 0)} fps` : '–');
  now.send.filter(({ kind }) => kind === 'video').forEach((each) => rows.push(['Your video', picture(each)]));
  now.receive.filter(({ kind, frameWidth }) => kind === 'video' && frameWidth).slice(0, 8)
    .forEach((each, index) => rows.push([`Video ${index + 1}`, picture(each)]));
  return rows;
}
