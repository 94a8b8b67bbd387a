/** One stay in one room: signaling, both transports, what we publish and whom we see. No DOM in here. */
import { ProtooClient } from './protoo.js';
import { browserCapabilities, receiveCapabilities } from './capabilities.js';
import { SendTransport } from './sendtransport.js';
import { ReceiveTransport } from './receivetransport.js';
import { SerialQueue } from './serialqueue.js';
import { fittingLayer, keepWithin, layersOf, publishing } from './publishing.js';

const SOURCES = ['microphone', 'camera', 'screen'];

/**
 * `watch`: `changed()` anything visible changed; `problem(title, error)`;
 * `ended({ reason, mediaLost })` the server closed the session, for its own reasons or because it had lost our media.
 * `state`: connecting, connected, reconnecting, failed (media cannot get through), closed.
 */
export class Room {
  state = 'connecting';
  /**
   * id → { id, displayName, consumers: Map(id → { id, kind, screen, track, paused, mid, … }) }; of a consumer also
   * `counts` (how many layers there are), `choice` (the person's own, null for automatic), `layers` (being sent, or
   * null) and `score`, as the server reports them.
   */
  peers = new Map();
  activeSpeaker = null;
  /** How well each of our sources arrives: source → [{ encodingIdx, score, … }]. */
  scores = new Map();
  /** When the lost connection is tried again (ms since 1970), 0 while it stands. */
  retryAt = 0;
  /** Why the room could not be joined; null when it is only the media that fail. */
  failure = null;

  #client;
  #watch;
  #displayName;
  #session = null;
  #joinedOnce = false;
  #slots = new Map();
  #cameraPreferences;
  #fitsTiles;

  /**
   * `cameraPreferences`: `{ codec, scalabilityMode }`, see `publishing`. `fitsTiles`: whether to ask for no larger pictures
   * than are shown.
   */
  constructor({ server, roomID, peerID, displayName, password = '', token = '', cameraPreferences = {}, fitsTiles = true, watch }) {
    this.#cameraPreferences = cameraPreferences;
    this.#fitsTiles = fitsTiles;
    this.id = roomID;
    this.peerID = peerID;
    this.#displayName = displayName;
    this.#watch = watch;
    for (const source of SOURCES) {
      this.#slots.set(source, { source, track: null, paused: false, wanted: false, producer: null, queue: new SerialQueue() });
    }
    const url = new URL(server);
    url.searchParams.set('roomId', roomID);
    url.searchParams.set('peerId', peerID);
    if (password) url.searchParams.set('password', password);
    if (token) url.searchParams.set('token', token);
    this.#client = new ProtooClient(url.href, {
      opened: () => this.#opened(),
      interrupted: ({ retryInMs }) => this.#interrupted(retryInMs),
      ended: ({ reason }) => this.#ended(reason),
      notified: (method, data) => this.#notified(method, data),
      requested: (method, data) => this.#requested(method, data),
    });
  }

  get sendConnection() {
    return this.#session?.send?.connection ?? null;
  }

  get receiveConnection() {
    return this.#session?.receive?.connection ?? null;
  }

  /**
   * Says what this source should be: a track, perhaps paused. Paused without a track keeps what the others have
   * of it (camera off, lamp off). The room makes it so now, and again after every reconnection.
   */
  publish(source, { track, paused = false }) {
    const slot = this.#slots.get(source);
    Object.assign(slot, { track, paused, wanted: true });
    this.#reconcile(slot);
  }

  unpublish(source) {
    const slot = this.#slots.get(source);
    Object.assign(slot, { track: null, paused: false, wanted: false });
    this.#reconcile(slot);
  }

  /** The media section in which a source is sent. */
  midOf(source) {
    return this.#slots.get(source)?.producer?.mid;
  }

  /** What the person wants of a picture: `{ spatialLayer, temporalLayer }`, or null for what fits its tile. */
  chooseLayers(consumerID, choice) {
    const { consumer } = this.#consumer(consumerID);
    if (!consumer) return;
    consumer.choice = choice;
    this.#askForLayers(consumer);
  }

  /** The picture is shown so many pixels high. */
  shownAt(consumerID, pixels) {
    const { consumer } = this.#consumer(consumerID);
    if (!consumer || consumer.shownPixels === pixels) return;
    consumer.shownPixels = pixels;
    this.#askForLayers(consumer);
  }

  #askForLayers(consumer) {
    const { counts, choice, shownPixels } = consumer;
    if (counts.spatial * counts.temporal <= 1 || !this.#session?.joined) return;
    const fitting = this.#fitsTiles && shownPixels > 0 ? fittingLayer(shownPixels, counts.spatial) : counts.spatial - 1;
    const wanted = choice ?? { spatialLayer: fitting, temporalLayer: counts.temporal - 1 };
    const { spatialLayer, temporalLayer } = wanted;
    // Until something else is asked for, everything is sent.
    const { asked = { spatialLayer: counts.spatial - 1, temporalLayer: counts.temporal - 1 } } = consumer;
    if (asked.spatialLayer === spatialLayer && asked.temporalLayer === temporalLayer) return;
    consumer.asked = { spatialLayer, temporalLayer };
    this.#client.request('setConsumerPreferredLayers', { consumerId: consumer.id, spatialLayer, temporalLayer })
      .catch((error) => {
        // Asked again with the next change; a server that cannot sends everything.
        if (consumer.asked?.spatialLayer === spatialLayer) consumer.asked = undefined;
        if (choice && error.code > 0 && error.code !== 404) this.#watch.problem('The layer could not be chosen', error);
      });
  }

  leave() {
    this.state = 'closed';
    this.#dropSession();
    this.#client.close();
  }

  /** Starts over: new connection, new transports. Between two tries of the connection, tries now. */
  rejoin() {
    this.#client.reconnect();
  }

  // Connection

  async #opened() {
    const session = { send: null, receive: null, joined: false, gaveUp: false };
    this.#session = session;
    this.retryAt = 0;
    this.failure = null;
    this.#watch.changed();
    const current = () => this.#session === session;
    try {
      const [router, browser] = await Promise.all([
        this.#client.request('getRouterRtpCapabilities'), browserCapabilities(),
      ]);
      if (!current()) return;
      const [sending, receiving] = await Promise.all([
        this.#client.request('createWebRtcTransport', { forceTcp: false, producing: true, consuming: false }),
        this.#client.request('createWebRtcTransport', { forceTcp: false, producing: false, consuming: true }),
      ]);
      if (!current()) return;
      session.send = new SendTransport(sending, router, this.#signal(sending.id), this.#transportWatch(session));
      session.receive = new ReceiveTransport(receiving, this.#signal(receiving.id), this.#transportWatch(session));
      const { peers } = await this.#client.request('join', {
        displayName: this.#displayName,
        device: thisDevice(),
        rtpCapabilities: receiveCapabilities(browser, router),
      });
      if (!current()) return;
      for (const peer of peers ?? []) this.#peer(peer.id).displayName = peer.displayName;
      session.joined = true;
      this.#joinedOnce = true;
      this.#updateState();
      for (const slot of this.#slots.values()) this.#reconcile(slot);
    } catch (error) {
      if (!current()) return;
      if (error.code === 408) {
        this.#client.reconnect();
      } else if (error.code !== 0) {
        this.state = 'failed';
        this.failure = `The room could not be joined: ${error.message}`;
        this.#watch.changed();
      }
    }
  }

  #signal(transportId) {
    return {
      connect: (dtlsParameters) => this.#client.request('connectWebRtcTransport', { transportId, dtlsParameters }),
      restartICE: async () => {
        try {
          const answer = await this.#client.request('restartIce', { transportId });
          return answer.iceParameters ?? answer;
        } catch (error) {
          // Media and signaling both silent: the path is gone, although the socket has not noticed.
          if (error.code === 408) this.#client.reconnect();
          throw error;
        }
      },
    };
  }

  #transportWatch(session) {
    return {
      stateChanged: () => {
        if (this.#session === session) this.#updateState();
      },
      gaveUp: () => {
        if (this.#session !== session) return;
        session.gaveUp = true;
        this.#updateState();
      },
    };
  }

  #updateState() {
    const session = this.#session;
    if (!session?.joined) return;
    const waiting = [session.send, session.receive].filter(({ state }) => state !== 'new' && state !== 'connected');
    if (waiting.length === 0) {
      session.gaveUp = false;
      this.state = 'connected';
    } else if (session.gaveUp) {
      this.state = 'failed';
    } else {
      this.state = waiting.some(({ hasConnected }) => hasConnected) ? 'reconnecting' : 'connecting';
    }
    this.#watch.changed();
  }

  #interrupted(retryInMs) {
    this.#dropSession();
    this.retryAt = Date.now() + retryInMs;
    this.state = this.#joinedOnce ? 'reconnecting' : 'connecting';
    this.#watch.changed();
  }

  #ended(reason) {
    const mediaLost = this.state === 'reconnecting' || this.state === 'failed';
    this.state = 'closed';
    this.#dropSession();
    this.#watch.ended({ reason, mediaLost });
  }

  #dropSession() {
    const session = this.#session;
    this.#session = null;
    this.retryAt = 0;
    this.activeSpeaker = null;
    this.scores.clear();
    this.peers.clear();
    for (const slot of this.#slots.values()) slot.producer = null;
    session?.send?.close();
    session?.receive?.close();
  }

  // Sending

  #reconcile(slot) {
    slot.queue.run(() => this.#reconcileNow(slot)).catch((error) => {
      if (error.code === 0 || !this.#session?.joined) return;
      slot.wanted = false;
      this.#watch.problem(`Could not send your ${slot.source}`, error);
    });
  }

  async #reconcileNow(slot) {
    const session = this.#session;
    if (!session?.joined) return;
    if (slot.producer && !slot.wanted) {
      const { id, mid } = slot.producer;
      slot.producer = null;
      this.scores.delete(slot.source);
      await this.#client.request('closeProducer', { producerId: id });
      await session.send.stop(mid);
      return;
    }
    if (!slot.producer && slot.wanted && slot.track) await this.#produce(slot, session);
    const { producer } = slot;
    if (!producer || this.#session !== session) return;
    if (producer.track !== slot.track) {
      producer.track = slot.track;
      await producer.sender.replaceTrack(slot.track);
    }
    if (producer.paused !== slot.paused) {
      producer.paused = slot.paused;
      const method = slot.paused ? 'pauseProducer' : 'resumeProducer';
      await this.#client.request(method, { producerId: producer.id });
    }
    if (slot.source === 'camera' && slot.track) {
      await keepWithin(this.peers.size, producer.sender, slot.track);
    }
  }

  /** Somebody came or went. */
  #headCountChanged() {
    if (this.#session?.joined) this.#reconcile(this.#slots.get('camera'));
  }

  async #produce(slot, session) {
    const { track, source } = slot;
    const { mimeType, encodings } = publishing(source, this.#cameraPreferences);
    const { id, mid, sender } = await session.send.produce(track, {
      mimeType,
      encodings,
      announce: async (rtpParameters) => {
        const answer = await this.#client.request('produce', {
          transportId: session.send.id,
          kind: track.kind,
          rtpParameters,
          appData: { source, share: source === 'screen' },
        });
        return answer.id;
      },
    });
    if (this.#session === session) slot.producer = { id, mid, sender, track, paused: false };
  }

  // Receiving

  async #requested(method, data) {
    if (method === 'newConsumer') return this.#newConsumer(data);
    const error = new Error(`this client does not take ${method}`);
    error.code = 403;
    throw error;
  }

  async #newConsumer({ peerId, producerId, id, kind, rtpParameters, appData, producerPaused }) {
    const session = this.#session;
    if (!session?.receive) throw new Error('not ready');
    const screen = kind === 'video' && (appData?.share === true || appData?.source === 'screen');
    const consumer = {
      id, kind, screen, producerID: producerId, track: null, paused: producerPaused === true, mid: rtpParameters.mid,
      counts: layersOf(kind === 'video' ? rtpParameters.encodings?.[0]?.scalabilityMode : ''),
      choice: null, layers: null, score: null,
    };
    this.#peer(peerId).consumers.set(id, consumer);
    try {
      // One peer's voice and camera share a stream, so that lips and words stay together.
      const track = await session.receive.consume({ id, kind, rtpParameters }, `${peerId}${screen ? '-screen' : ''}`);
      consumer.track = track;
    } catch (error) {
      this.peers.get(peerId)?.consumers.delete(id);
      if (this.#session === session) this.#watch.problem('One stream could not be played', error);
      throw error;
    }
    this.#watch.changed();
  }

  #peer(id) {
    let peer = this.peers.get(id);
    if (!peer) {
      peer = { id, displayName: '', consumers: new Map() };
      this.peers.set(id, peer);
      this.#headCountChanged();
    }
    return peer;
  }

  #consumer(id) {
    for (const peer of this.peers.values()) {
      const consumer = peer.consumers.get(id);
      if (consumer) return { peer, consumer };
    }
    return {};
  }

  #notified(method, data) {
    switch (method) {
      case 'newPeer':
        this.#peer(data.id).displayName = data.displayName;
        break;
      case 'peerDisplayNameChanged':
        this.#peer(data.peerId).displayName = data.displayName;
        break;
      case 'peerClosed': {
        const consumers = this.peers.get(data.peerId)?.consumers.values() ?? [];
        for (const { mid } of consumers) this.#stopReceiving(mid);
        this.peers.delete(data.peerId);
        this.#headCountChanged();
        break;
      }
      case 'consumerClosed': {
        const { peer, consumer } = this.#consumer(data.consumerId);
        if (!consumer) return;
        peer.consumers.delete(consumer.id);
        this.#stopReceiving(consumer.mid);
        break;
      }
      case 'consumerPaused':
      case 'consumerResumed': {
        const { consumer } = this.#consumer(data.consumerId);
        if (!consumer) return;
        consumer.paused = method === 'consumerPaused';
        break;
      }
      case 'consumerLayersChanged': {
        const { consumer } = this.#consumer(data.consumerId);
        if (!consumer) return;
        const { spatialLayer, temporalLayer } = data;
        consumer.layers = spatialLayer === null ? null : { spatialLayer, temporalLayer };
        break;
      }
      case 'consumerScore': {
        const { consumer } = this.#consumer(data.consumerId);
        if (consumer) consumer.score = data.score;
        return;
      }
      case 'producerScore':
        for (const { source, producer } of this.#slots.values()) {
          if (producer?.id === data.producerId) this.scores.set(source, data.score);
        }
        return;
      case 'activeSpeaker':
        if (this.activeSpeaker === (data.peerId ?? null)) return;
        this.activeSpeaker = data.peerId ?? null;
        break;
      default:
        return;
    }
    this.#watch.changed();
  }

  #stopReceiving(mid) {
    this.#session?.receive?.stop(mid).catch(() => {});
  }
}

function thisDevice() {
  const agent = navigator.userAgent;
  const [flag, pattern] = [
    ['firefox', /Firefox\/([\d.]+)/], ['chrome', /Chrom(?:e|ium)\/([\d.]+)/], ['safari', /Version\/([\d.]+).*Safari/],
  ].find(([, each]) => each.test(agent)) ?? ['unknown', /$^/];
  return { flag, name: flag[0].toUpperCase() + flag.slice(1), version: pattern.exec(agent)?.[1] ?? '' };
}
