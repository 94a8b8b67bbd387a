/** The data channels of one stay in a room: one is opened for each label when it is first needed. No DOM in here. */
import { SerialQueue } from './serialqueue.js';

/** Where the browser has so much to send already, a message is not taken. */
const MOST_BUFFERED = 1 << 20;

export class Channels {
  #request;
  #session;
  #heard;
  #next = 0;
  #own = new Map();
  #others = new Map();
  #queue = new SerialQueue();

  /** `session()`: the current one, or null; `heard(peerID, label, text)`. */
  constructor({ request, session, heard }) {
    this.#request = request;
    this.#session = session;
    this.#heard = heard;
  }

  /** The session is over, and its channels with it. */
  forget() {
    this.#own.clear();
    this.#others.clear();
    this.#next = 0;
    this.#queue = new SerialQueue();
  }

  /** Sends a text to everybody; over signaling where there are no data channels. Rejects if it could not be sent. */
  send(label, text) {
    return this.#queue.run(async () => {
      const session = this.#session();
      if (!session?.joined) throw new Error('not in the room');
      if (!session.hasData) {
        await this.#request('sendDataMessage', { label, message: text });
        return;
      }
      const channel = await this.#channel(label, session);
      if (channel.bufferedAmount > MOST_BUFFERED) throw new Error('too much waits to be sent');
      channel.send(text);
    });
  }

  async #channel(label, session) {
    const known = this.#own.get(label);
    if (known?.readyState === 'open') return known;
    const id = this.#next;
    this.#next += 1;
    const channel = await session.send.openChannel(label, {
      id,
      announce: (sctpStreamParameters) => this.#request('produceData', {
        transportId: session.send.id, label, protocol: '', sctpStreamParameters, appData: {},
      }),
    });
    this.#own.set(label, channel);
    channel.addEventListener('close', () => {
      if (this.#own.get(label) === channel) this.#own.delete(label);
    });
    return channel;
  }

  /** Takes a data consumer by returning. */
  async take({ id, peerId, label, sctpStreamParameters }) {
    const session = this.#session();
    if (!session?.receive) throw new Error('not ready');
    const channel = await session.receive.takeChannel(label, sctpStreamParameters, ({ data }) => {
      if (typeof data === 'string' && this.#session() === session) this.#heard(peerId, label, data);
    });
    this.#others.set(id, channel);
  }

  closed(id) {
    this.#others.get(id)?.close();
    this.#others.delete(id);
  }
}
