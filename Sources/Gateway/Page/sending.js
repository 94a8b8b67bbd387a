/** What one stay in a room sends: a slot for each source, kept equal to its producer. No DOM in here. */
import { SerialQueue } from './serialqueue.js';
import { EncodingUse, keepWithin, publishing } from './publishing.js';

export const SOURCES = ['microphone', 'camera', 'screen', 'screen-sound'];

export class Sending {
  /** How well each source arrives: source → [{ encodingIdx, score, … }]. */
  scores = new Map();
  #slots = new Map();
  /** What the others use of each producer, which may be known before the producer is. */
  #uses = new Map();
  #calm = 0;
  #request;
  #session;
  #others;
  #problem;
  #cameraPreferences;

  /** `session()`: the current one, or null; `others()`: how many people there are besides oneself. */
  constructor({ request, session, others, problem, cameraPreferences }) {
    this.#request = request;
    this.#session = session;
    this.#others = others;
    this.#problem = problem;
    this.#cameraPreferences = cameraPreferences;
    for (const source of SOURCES) {
      this.#slots.set(source, { source, track: null, paused: false, wanted: false, producer: null, queue: new SerialQueue() });
    }
  }

  /**
   * Says what this source should be: a track, perhaps paused. Paused without a track keeps what the others have
   * of it (camera off, lamp off). It is made so now, and again after every reconnection.
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

  /** Whether anything should be on its way to the server just now. */
  get isExpected() {
    return [...this.#slots.values()].some(({ producer, track, paused }) =>
      producer && !producer.paused && !paused && track && track.enabled && track.readyState === 'live');
  }

  /** The scores of what is really sent: a source that is off has none. */
  get activeScores() {
    return new Map([...this.scores].filter(([source]) => {
      const { producer, track, paused } = this.#slots.get(source);
      return producer && !producer.paused && !paused && track;
    }));
  }

  /** A session has begun: everything is sent again. */
  begin() {
    for (const slot of this.#slots.values()) this.#reconcile(slot);
  }

  /** The session is over, and its producers with it. */
  forget() {
    this.scores.clear();
    this.#uses.clear();
    clearTimeout(this.#calm);
    for (const slot of this.#slots.values()) slot.producer = null;
  }

  headCountChanged() {
    if (this.#session()?.joined) this.#reconcile(this.#slots.get('camera'));
  }

  scored(producerID, score) {
    const slot = this.#slotOf(producerID);
    if (slot) this.scores.set(slot.source, score);
  }

  /** So many of a producer's encodings, from the lowest, are of use to somebody. */
  encodingsUsed(producerID, count) {
    if (!this.#uses.has(producerID)) this.#uses.set(producerID, new EncodingUse());
    this.#uses.get(producerID).set(count, Date.now());
    this.headCountChanged();
  }

  /** An operator has paused or resumed a producer; returns its source, or null. */
  pausedByOperator(producerID, isPaused) {
    const slot = this.#slotOf(producerID);
    if (!slot) return null;
    slot.producer.paused = isPaused;
    if (isPaused) slot.paused = true;
    // Nobody is made to speak: what was off stays off until the person turns it on.
    else this.#reconcile(slot);
    return slot.source;
  }

  #slotOf(producerID) {
    return [...this.#slots.values()].find(({ producer }) => producer?.id === producerID);
  }

  #reconcile(slot) {
    slot.queue.run(() => this.#reconcileNow(slot)).catch((error) => {
      if (error.code === 0 || !this.#session()?.joined) return;
      slot.wanted = false;
      this.#problem(`problem.send.${slot.source}`, error);
    });
  }

  async #reconcileNow(slot) {
    const session = this.#session();
    if (!session?.joined || !session.mayPublish) return;
    if (slot.producer && !slot.wanted) {
      const { id, mid } = slot.producer;
      slot.producer = null;
      this.scores.delete(slot.source);
      await this.#request('closeProducer', { producerId: id });
      await session.send.stop(mid);
      return;
    }
    if (!slot.producer && slot.wanted && slot.track) await this.#produce(slot, session);
    const { producer } = slot;
    if (!producer || this.#session() !== session) return;
    if (producer.track !== slot.track) {
      producer.track = slot.track;
      await producer.sender.replaceTrack(slot.track);
    }
    if (producer.paused !== slot.paused) {
      producer.paused = slot.paused;
      const method = slot.paused ? 'pauseProducer' : 'resumeProducer';
      await this.#request(method, { producerId: producer.id });
    }
    if (slot.source === 'camera' && slot.track) {
      await keepWithin(this.#others(), producer.sender, slot.track, this.#useOf(producer.id));
    }
  }

  #useOf(producerID) {
    const use = this.#uses.get(producerID);
    if (!use) return Infinity;
    const now = Date.now();
    const count = use.countAt(now);
    clearTimeout(this.#calm);
    if (use.due !== null) this.#calm = setTimeout(() => this.headCountChanged(), use.due - now);
    return count;
  }

  async #produce(slot, session) {
    const { track, source } = slot;
    const { mimeType, encodings } = publishing(source, this.#cameraPreferences);
    const { id, mid, sender } = await session.send.produce(track, {
      mimeType,
      encodings,
      announce: async (rtpParameters) => {
        const answer = await this.#request('produce', {
          transportId: session.send.id,
          kind: track.kind,
          rtpParameters,
          appData: { source, share: source.startsWith('screen') },
        });
        return answer.id;
      },
    });
    if (this.#session() === session) slot.producer = { id, mid, sender, track, paused: false };
  }
}
