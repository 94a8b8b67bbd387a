/** Statistics about a call from getStats: for the small panel, and for whoever asks `window.roundhouse.stats()`. */
import { t } from './texts.js';

/** `{ rtt (ms) or null, path, send: [...], receive: [...] }` with one entry per RTP stream. */
export async function collect(sendConnection, receiveConnection) {
  const [sent, received] = await Promise.all([reports(sendConnection), reports(receiveConnection)]);
  const pick = (list, type) => list.filter((report) => report.type === type);
  const pair = [...pick(sent, 'candidate-pair'), ...pick(received, 'candidate-pair')]
    .find(({ nominated, state, currentRoundTripTime }) =>
      nominated && state === 'succeeded' && currentRoundTripTime !== undefined);
  const ends = new Map([...sent, ...received].map((report) => [report.id, report]));
  const codec = ({ codecId }) => ends.get(codecId)?.mimeType?.split('/')[1] ?? '';
  const { candidateType, protocol, relayProtocol } = ends.get(pair?.localCandidateId) ?? {};
  return {
    path: candidateType ? `${candidateType}, ${relayProtocol ?? protocol}` : null,
    rtt: pair ? pair.currentRoundTripTime * 1000 : null,
    send: pick(sent, 'outbound-rtp').map(({
      codecId, kind, mid, ssrc, bytesSent, packetsSent, framesEncoded, framesPerSecond, frameWidth, frameHeight, nackCount, pliCount,
    }) => ({
      codec: codec({ codecId }),
      kind, mid, ssrc, bytesSent, packetsSent, framesEncoded, framesPerSecond, frameWidth, frameHeight, nackCount, pliCount,
    })),
    receive: pick(received, 'inbound-rtp').map(({
      codecId, kind, mid, ssrc, bytesReceived, packetsReceived, packetsLost, jitter, framesDecoded, framesPerSecond,
      frameWidth, frameHeight, freezeCount, audioLevel,
    }) => ({
      codec: codec({ codecId }),
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

/**
 * Rows `[label, text]` for the panel; `before` is the previous collection, `seconds` the time between. `sources`: MID → the
 * label of what we send; `received`: MID → that of what we get, for a picture or voice that is there now.
 */
export function summarise(now, before, seconds, { sources, received }) {
  const total = (list, key) => list.reduce((sum, each) => sum + (each[key] ?? 0), 0);
  const rate = (direction, key) => {
    if (!before || seconds <= 0) return '–';
    const bits = Math.max(0, total(now[direction], key) - total(before[direction], key)) * 8;
    return `${Math.round(bits / seconds / 1000)} kb/s`;
  };
  const jitter = now.receive.filter(({ kind }) => kind === 'audio').map(({ jitter: value }) => value ?? 0);
  const rows = [
    [t('stats.rtt'), now.rtt === null ? '–' : `${Math.round(now.rtt)} ms`],
    [t('stats.path'), now.path ?? '–'],
    [t('stats.sending'), rate('send', 'bytesSent')],
    [t('stats.receiving'), rate('receive', 'bytesReceived')],
    [t('stats.loss'), String(total(now.receive, 'packetsLost'))],
    [t('stats.jitter'), jitter.length > 0 ? `${Math.round(Math.max(...jitter) * 1000)} ms` : '–'],
  ];
  const line = ({ kind, frameWidth, frameHeight, framesPerSecond, codec }) => [
    kind === 'video' ? (frameWidth ? `${frameWidth} × ${frameHeight}, ${Math.round(framesPerSecond ?? 0)} fps` : '–') : '', codec,
  ].filter(Boolean).join(' ');
  for (const each of now.send) {
    const label = sources.get(each.mid);
    // A share that ended, and a layer that is off, have nothing to say.
    if (label && (each.kind === 'audio' || each.frameWidth)) rows.push([label, line(each)]);
  }
  for (const each of now.receive.filter(({ kind, frameWidth }) => kind === 'video' && frameWidth).slice(0, 12)) {
    if (received.has(each.mid)) rows.push([received.get(each.mid), line(each)]);
  }
  return rows;
}
