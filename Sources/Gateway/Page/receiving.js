/** What one stay in a room receives: consumers, their tracks, and the layers asked for. No DOM in here. */
import { fittingLayer } from './publishing.js';
import { consumerOf } from './notifications.js';

export class Receiving {
  #known;
  #request;
  #session;
  fitsTiles;
  #problem;

  /** `session()`: the current one, or null; `fitsTiles`: whether to ask for no larger pictures than are shown. */
  constructor({ known, request, session, fitsTiles, problem }) {
    this.#known = known;
    this.#request = request;
    this.#session = session;
    this.fitsTiles = fitsTiles;
    this.#problem = problem;
  }

  /** Accepts a consumer by returning, refuses it by throwing. */
  async take(data) {
    const session = this.#session();
    if (!session?.receive) throw new Error('not ready');
    const { peerId } = data;
    const consumer = consumerOf(data);
    const { id, kind } = consumer;
    this.#known.peer(peerId).consumers.set(id, consumer);
    try {
      // One peer's voice and camera share a stream, so that lips and words stay together.
      const group = consumer.screen || consumer.screenSound ? `${peerId}-screen` : peerId;
      consumer.track = await session.receive.consume({ id, kind, rtpParameters: data.rtpParameters }, group);
    } catch (error) {
      this.#known.peers.get(peerId)?.consumers.delete(id);
      if (this.#session() === session) this.#problem('problem.stream', error);
      throw error;
    }
  }

  stop({ mid }) {
    this.#session()?.receive?.stop(mid).catch(() => {});
  }

  /** What the person wants of a picture: `{ spatialLayer, temporalLayer }`, or null for what fits its tile. */
  chooseLayers(consumerID, choice) {
    const { consumer } = this.#known.consumer(consumerID);
    if (!consumer) return;
    consumer.choice = choice;
    this.#askForLayers(consumer);
  }

  /** The picture is shown so many pixels high; 0 if it is not shown, and need not be sent. */
  shownAt(consumerID, pixels) {
    const { consumer } = this.#known.consumer(consumerID);
    if (!consumer) return;
    if (consumer.shown !== pixels > 0) {
      consumer.shown = pixels > 0;
      this.#request(consumer.shown ? 'resumeConsumer' : 'pauseConsumer', { consumerId: consumer.id }).catch(() => {});
    }
    if (consumer.shownPixels === pixels || pixels === 0) return;
    consumer.shownPixels = pixels;
    this.#askForLayers(consumer);
  }

  /** The MIDs from which something should arrive just now. */
  get expected() {
    const mids = new Set();
    for (const peer of this.#known.peers.values()) {
      for (const { track, paused, shown, score, mid } of peer.consumers.values()) {
        // What does not even reach the server is its sender's trouble.
        if (track && !paused && shown && score?.producerScore !== 0) mids.add(mid);
      }
    }
    return mids;
  }

  #askForLayers(consumer) {
    const { counts, choice, shownPixels } = consumer;
    if (counts.spatial * counts.temporal <= 1 || !this.#session()?.joined) return;
    const fitting = this.fitsTiles && shownPixels > 0 ? fittingLayer(shownPixels, counts.spatial) : counts.spatial - 1;
    const wanted = choice ?? { spatialLayer: fitting, temporalLayer: counts.temporal - 1 };
    const { spatialLayer, temporalLayer } = wanted;
    // Until something else is asked for, everything is sent.
    const { asked = { spatialLayer: counts.spatial - 1, temporalLayer: counts.temporal - 1 } } = consumer;
    if (asked.spatialLayer === spatialLayer && asked.temporalLayer === temporalLayer) return;
    consumer.asked = { spatialLayer, temporalLayer };
    this.#request('setConsumerPreferredLayers', { consumerId: consumer.id, spatialLayer, temporalLayer })
      .catch((error) => {
        // Asked again with the next change; a server that cannot sends everything.
        if (consumer.asked?.spatialLayer === spatialLayer) consumer.asked = undefined;
        if (choice && error.code > 0 && error.code !== 404) this.#problem('problem.layer', error);
      });
  }
}
