/** What a room's events say that its snapshot does not: who speaks. */
export class ActiveSpeaker {
  peer = null;

  take({ type, data }) {
    if (type === 'active-speaker') this.peer = data.peerId;
    else if (type === 'peer-left' && data.peerId === this.peer) this.peer = null;
  }
}

/** The kinds of events that can be chosen, by what their types begin with. */
export const KINDS = {
  all: [''],
  people: ['room-', 'peer-', 'active-speaker'],
  tracks: ['producer-opened', 'producer-closed', 'producer-paused', 'producer-resumed', 'producer-codec', 'producer-unsupported',
    'consumer-opened', 'consumer-closed', 'consumer-paused', 'consumer-resumed', 'consumer-switched'],
  connections: ['transport-'],
  quality: ['producer-score', 'consumer-score', 'consumer-layers', 'transport-warning', 'producer-unsupported'],
};

/** Whether an event is one of a kind, a key of KINDS. */
export function isOfKind({ type }, kind) {
  return (KINDS[kind] ?? KINDS.all).some((beginning) => type.startsWith(beginning));
}

/** Learns from an event how peers are called, and whose tracks are whose: `names` and `owners` are by ids. */
export function learn({ data }, names, owners) {
  if (data.displayName) names.set(data.peerId, data.displayName);
  for (const id of [data.producerId, data.consumerId]) if (id && data.peerId && !owners.has(id)) owners.set(id, data.peerId);
}

/** An event in a few words; `names`: peers' display names by their ids; `owners`: peers by their tracks' ids. */
export function describe({ type, data }, names, owners = new Map()) {
  const what = type.replaceAll('-', ' ');
  const peer = data.peerId ?? owners.get(data.consumerId) ?? owners.get(data.producerId);
  const who = data.displayName || (names.get(peer) ?? peer);
  const whose = who ? ` · ${who}` : '';
  const extra = data.warning?.code ?? data.code ?? data.reason ?? data.source ?? data.kind ?? data.iceState ?? data.tuple?.remoteIp ?? '';
  if (type === 'active-speaker') return who ? `${who} speaks` : 'nobody speaks';
  if (type === 'consumer-layers') {
    const { spatialLayer, temporalLayer } = data;
    return Number.isInteger(spatialLayer) ? `consumer gets layer ${spatialLayer + 1}, temporal layer ${temporalLayer + 1}${whose}` : `consumer gets nothing${whose}`;
  }
  if (type === 'consumer-score') return `consumer score ${data.score.score}${whose}`;
  if (type === 'producer-score') return `producer score ${data.score.map(({ score }) => score).join('/')}${whose}`;
  return [what, who ? `· ${who}` : '', extra ? `(${extra})` : ''].filter(Boolean).join(' ');
}
