/** What a room's events say that its snapshot does not: who speaks. */
export class ActiveSpeaker {
  peer = null;

  take({ type, data }) {
    if (type === 'active-speaker') this.peer = data.peerId;
    else if (type === 'peer-left' && data.peerId === this.peer) this.peer = null;
  }
}

/** An event in a few words; `names`: peers' display names by their ids. */
export function describe({ type, data }, names) {
  const what = type.replaceAll('-', ' ');
  const who = data.displayName || (names.get(data.peerId) ?? data.peerId);
  const extra = data.warning?.code ?? data.code ?? data.reason ?? data.kind ?? data.iceState ?? data.tuple?.remoteIp ?? '';
  if (type === 'active-speaker') return who ? `${who} speaks` : 'nobody speaks';
  if (type === 'consumer-layers') {
    const { spatialLayer, temporalLayer } = data;
    return Number.isInteger(spatialLayer) ? `consumer gets layer ${spatialLayer + 1}, temporal layer ${temporalLayer + 1}` : 'consumer gets nothing';
  }
  if (type === 'consumer-score') return `consumer score ${data.score.score}`;
  if (type === 'producer-score') return `producer score ${data.score.map(({ score }) => score).join('/')}`;
  return [what, who ? `· ${who}` : '', extra ? `(${extra})` : ''].filter(Boolean).join(' ');
}
