/** What the server's notifications change of what is known of a room. No connection and no DOM in here. */
import { layersOf } from './publishing.js';

/** What is known of the others: id → { id, displayName, consumers: Map(id → consumer) }, and who speaks. */
export class Known {
  peers = new Map();
  activeSpeaker = null;

  peer(id) {
    let peer = this.peers.get(id);
    if (!peer) {
      peer = { id, displayName: '', consumers: new Map() };
      this.peers.set(id, peer);
    }
    return peer;
  }

  consumer(id) {
    for (const peer of this.peers.values()) {
      const consumer = peer.consumers.get(id);
      if (consumer) return { peer, consumer };
    }
    return {};
  }

  clear() {
    this.peers.clear();
    this.activeSpeaker = null;
  }

  /**
   * Returns null for what is not about the others, else `{ changed, headCount, closed }`: whether anything visible changed,
   * whether somebody came or went, and the consumers that are gone.
   */
  apply(method, data) {
    const { consumer = undefined, peer = undefined } = data.consumerId === undefined ? {} : this.consumer(data.consumerId);
    const change = { changed: true, headCount: false, closed: [] };
    switch (method) {
      case 'newPeer':
        change.headCount = !this.peers.has(data.id);
        this.peer(data.id).displayName = data.displayName;
        return change;
      case 'peerDisplayNameChanged':
        change.headCount = !this.peers.has(data.peerId);
        this.peer(data.peerId).displayName = data.displayName;
        return change;
      case 'peerClosed':
        change.closed = [...this.peers.get(data.peerId)?.consumers.values() ?? []];
        change.headCount = this.peers.delete(data.peerId);
        return change;
      case 'activeSpeaker':
        change.changed = this.activeSpeaker !== (data.peerId ?? null);
        this.activeSpeaker = data.peerId ?? null;
        return change;
      case 'consumerClosed':
        if (peer?.consumers.delete(consumer.id)) change.closed = [consumer];
        change.changed = Boolean(consumer);
        return change;
      case 'consumerPaused':
      case 'consumerResumed':
        if (consumer) consumer.paused = method === 'consumerPaused';
        change.changed = Boolean(consumer);
        return change;
      case 'consumerLayersChanged': {
        const { spatialLayer, temporalLayer } = data;
        if (consumer) consumer.layers = spatialLayer === null ? null : { spatialLayer, temporalLayer };
        change.changed = Boolean(consumer);
        return change;
      }
      case 'consumerScore':
        if (consumer) consumer.score = data.score;
        change.changed = Boolean(consumer);
        return change;
      default:
        return null;
    }
  }
}

/** A consumer as the `newConsumer` request describes it. */
export function consumerOf({ producerId, id, kind, rtpParameters, appData, producerPaused }) {
  const source = appData?.source;
  const isScreen = appData?.share === true || source === 'screen' || source === 'screen-sound';
  return {
    id, kind, screen: kind === 'video' && isScreen, screenSound: kind === 'audio' && isScreen, producerID: producerId,
    track: null, paused: producerPaused === true, mid: rtpParameters.mid,
    counts: layersOf(kind === 'video' ? rtpParameters.encodings?.[0]?.scalabilityMode : ''),
    choice: null, layers: null, score: null, shown: true,
  };
}
