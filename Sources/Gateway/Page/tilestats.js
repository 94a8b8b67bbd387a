/** The stats of one tile: what its browser measures and what the server says of the same stream. */
import { t } from './texts.js';

/** Samples a connection's streams by MID, with bit rates since the sample before. */
export class StreamSampler {
  #before = new Map();

  /** Resolves with a Map from MID to `[{ rid, kbps, … }]`: one per stream of the direction, `inbound` or `outbound`. */
  async sample(connection, direction) {
    const streams = new Map();
    if (!connection || connection.connectionState === 'closed') return streams;
    const reports = await connection.getStats();
    for (const report of reports.values()) {
      if (report.type !== `${direction}-rtp` || report.kind !== 'video') continue;
      const bytes = report.bytesReceived ?? report.bytesSent ?? 0;
      const before = this.#before.get(report.ssrc);
      this.#before.set(report.ssrc, { bytes, at: report.timestamp });
      const seconds = before ? (report.timestamp - before.at) / 1000 : 0;
      const codec = reports.get(report.codecId)?.mimeType?.replace('video/', '') ?? '';
      const { mid, rid, frameWidth, frameHeight, framesPerSecond, packetsLost, freezeCount, qualityLimitationReason } = report;
      if (!streams.has(mid)) streams.set(mid, []);
      streams.get(mid).push({
        rid, codec, frameWidth, frameHeight, framesPerSecond, packetsLost, freezeCount, qualityLimitationReason,
        kbps: seconds > 0 ? Math.max(0, Math.round((bytes - before.bytes) * 8 / seconds / 1000)) : null,
      });
    }
    return streams;
  }
}

/** Lines for the overlay of somebody else's video. */
export function receivedLines(stream, { layers, counts, score }) {
  if (!stream) return [t('figures.nothingArrives')];
  const lines = [
    `${picture(stream)} ${stream.codec}`,
    `${rate(stream)}, ${t('figures.lost', { lost: stream.packetsLost ?? 0, freezes: stream.freezeCount ?? 0 })}`,
  ];
  if (counts.spatial * counts.temporal > 1) lines.push(layersText(layers, counts));
  if (score) lines.push(t('figures.score', { score: score.score, sender: score.producerScores.join(' ') }));
  return lines;
}

/** Lines for the overlay of one's own video: one per encoding. */
export function sentLines(streams, scores) {
  if (!streams?.length) return [t('figures.nothingSent')];
  const lines = streams
    .toSorted((a, b) => (a.rid ?? '').localeCompare(b.rid ?? ''))
    .map((stream) => `${stream.rid ? `${stream.rid} ` : ''}${picture(stream)} ${rate(stream)}`);
  const limit = streams.find(({ qualityLimitationReason: reason }) => reason && reason !== 'none');
  if (limit) lines.push(t('figures.limited', { reason: limit.qualityLimitationReason }));
  if (scores?.length) lines.push(t('figures.ownScore', { score: scores.map(({ score }) => score).join(' ') }));
  return [`${streams[0].codec}`, ...lines];
}

/** In words: which of its layers a video is being sent in. */
export function layersText(layers, counts) {
  if (!layers) return t('figures.noLayer');
  const parts = [];
  if (counts.spatial > 1) parts.push(t('figures.layer', { number: layers.spatialLayer + 1, count: counts.spatial }));
  if (counts.temporal > 1 && layers.temporalLayer !== null) {
    parts.push(t('figures.rate', { number: layers.temporalLayer + 1, count: counts.temporal }));
  }
  const text = parts.join(', ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function picture({ frameWidth, frameHeight, framesPerSecond }) {
  return frameWidth ? `${frameWidth} × ${frameHeight}, ${Math.round(framesPerSecond ?? 0)} fps` : t('figures.noVideo');
}

function rate({ kbps }) {
  return kbps === null ? '– kb/s' : `${kbps} kb/s`;
}
