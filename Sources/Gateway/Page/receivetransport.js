/** Receives consumers: this side writes the server's offer, and the browser answers. */
import { Transport } from './transport.js';
import { writeSDP } from './sdp.js';

export class ReceiveTransport extends Transport {
  #arrivals = [];

  /**
   * Adds a consumer and resolves with its MediaStreamTrack. `streamID` groups what must play in step.
   * Consumers that arrive while a negotiation runs share the next one.
   */
  consume({ id, kind, rtpParameters }, streamID) {
    return new Promise((resolve, reject) => {
      this.#arrivals.push({ id, kind, rtpParameters, streamID, resolve, reject });
      this.queue.run(() => this.#takeArrivals()).catch(reject);
    });
  }

  /** Takes a channel of somebody's; `heard(event)` for each of its messages. Returns the RTCDataChannel. */
  takeChannel(label, { streamId, ordered, maxPacketLifeTime, maxRetransmits }, heard) {
    // Before anything is awaited: what arrives for a number without a channel is lost.
    const channel = this.connection.createDataChannel(label, {
      negotiated: true, id: streamId, ordered,
      ...(maxPacketLifeTime === undefined ? {} : { maxPacketLifeTime }),
      ...(maxRetransmits === undefined ? {} : { maxRetransmits }),
    });
    channel.binaryType = 'arraybuffer';
    channel.addEventListener('message', heard);
    return this.queue.run(async () => {
      if (!this.sections.some(({ kind }) => kind === 'application')) {
        this.sections.push({ kind: 'application', mid: 'data', setup: 'actpass' });
        await this.negotiate();
      }
      return channel;
    });
  }

  /** Frees the consumer's media section. */
  stop(mid) {
    return this.queue.run(async () => {
      const section = this.sections.find((each) => each.mid === mid && !each.closed);
      if (!section) return;
      this.#retire(section);
      await this.negotiate();
    });
  }

  async negotiate() {
    if (this.sections.length === 0) return;
    const sdp = writeSDP({ version: this.nextVersion(), transport: this.info, sections: this.sections });
    await this.connection.setRemoteDescription({ type: 'offer', sdp });
    const answer = await this.connection.createAnswer();
    await this.connectOnce(answer.sdp);
    await this.connection.setLocalDescription(answer);
  }

  async #takeArrivals() {
    const arrivals = this.#arrivals.splice(0);
    if (arrivals.length === 0) return;
    try {
      await this.#add(arrivals);
    } catch (error) {
      if (arrivals.length === 1) {
        arrivals[0].reject(error);
        return;
      }
      // One that the browser will not take must not cost the others theirs.
      for (const arrival of arrivals) await this.#add([arrival]).catch(arrival.reject);
    }
  }

  async #add(arrivals) {
    const added = arrivals.map((arrival) => this.#place(arrival));
    try {
      await this.negotiate();
    } catch (error) {
      for (const section of added) this.#retire(section);
      if (this.connection.signalingState === 'have-remote-offer') {
        await this.connection.setRemoteDescription({ type: 'rollback' }).catch(() => {});
      }
      throw error;
    }
    const transceivers = this.connection.getTransceivers();
    for (const { rtpParameters, resolve, reject } of arrivals) {
      const transceiver = transceivers.find((each) => each.mid === rtpParameters.mid);
      if (transceiver) resolve(transceiver.receiver.track);
      else reject(new Error('The browser took no media section for this consumer.'));
    }
  }

  #place({ id, kind, rtpParameters, streamID }) {
    const section = {
      kind,
      mid: rtpParameters.mid,
      setup: 'actpass',
      direction: 'sendonly',
      codecs: rtpParameters.codecs,
      headerExtensions: rtpParameters.headerExtensions ?? [],
      encodings: rtpParameters.encodings,
      cname: rtpParameters.rtcp?.cname || streamID,
      msid: `${streamID} ${id}`,
    };
    const free = this.sections.findIndex((each) => each.closed && each.kind === kind);
    if (free < 0) this.sections.push(section);
    else this.sections[free] = section;
    return section;
  }

  /**
   * The first section carries the bundle's transport and cannot be closed without taking the others along
   * (RFC 8843 section 7.5), so it only falls silent.
   */
  #retire(section) {
    section.direction = 'inactive';
    if (this.sections.indexOf(section) > 0) section.closed = true;
  }
}
