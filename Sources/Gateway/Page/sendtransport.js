/** Sends local tracks: the browser offers, and this side writes the server's answer. */
import { Transport } from './transport.js';
import { sendSettings } from './capabilities.js';
import { cnameOf, codecsOf, encodingsOf, midOf, parseSDP, writeSDP } from './sdp.js';

/** Without a hint Chromium starts at 300 kb/s and takes many seconds to a good picture. */
const START_BITRATE_KBPS = 1000;
const OPENING_MS = 15_000;

export class SendTransport extends Transport {
  #router;

  constructor(info, router, signal, watch) {
    super(info, signal, watch);
    this.#router = router;
  }

  /**
   * Offers the track, asks the server for a producer through `announce(rtpParameters)` and then connects the two.
   * `encodings` as for RTCRtpSender; several with a `rid` make simulcast. `mimeType`: the codec to send, if both have
   * it. Returns `{ id, mid, sender }`.
   */
  produce(track, { encodings = [{}], mimeType = null, announce }) {
    return this.queue.run(async () => {
      const transceiver = await this.#claimTransceiver(track, encodings);
      const offer = await this.connection.createOffer();
      await this.connection.setLocalDescription(offer);
      const local = parseSDP(this.connection.localDescription.sdp)
        .media.find((section) => midOf(section) === transceiver.mid);
      try {
        const settings = sendSettings(local, this.#router, mimeType);
        await this.connectOnce(this.connection.localDescription.sdp);
        const id = await announce(rtpParameters(local, settings, transceiver.sender.getParameters().encodings ?? []));
        this.#place(local, settings);
        await this.#answer();
        return { id, mid: transceiver.mid, sender: transceiver.sender };
      } catch (error) {
        await this.#abandon(transceiver, local);
        throw error;
      }
    });
  }

  /**
   * Opens a channel with the number `id`, on which messages arrive in order, all of them. The server is asked for a data
   * producer through `announce(sctpStreamParameters)`. Returns the RTCDataChannel, open.
   */
  async openChannel(label, { id, announce }) {
    /** @type {RTCDataChannel | undefined} */
    let channel;
    try {
      await this.queue.run(async () => {
        // From here on offers have a section for it: nobody else may make one meanwhile.
        channel = this.connection.createDataChannel(label, { negotiated: true, id, ordered: true });
        if (this.sections.some(({ kind }) => kind === 'application')) return;
        const offer = await this.connection.createOffer();
        await this.connection.setLocalDescription(offer);
        const { sdp } = this.connection.localDescription;
        const local = parseSDP(sdp).media.find(({ kind }) => kind === 'application');
        await this.connectOnce(sdp);
        this.sections.push({ kind: 'application', mid: midOf(local), setup: 'passive' });
        await this.#answer();
      });
      await announce({ streamId: id, ordered: true });
      // Tracks need not wait for it.
      await opened(channel);
      return channel;
    } catch (error) {
      channel?.close();
      throw error;
    }
  }

  /** Stops sending; the section stays, inactive, for the next track of its kind. */
  stop(mid) {
    return this.queue.run(async () => {
      const transceiver = this.connection.getTransceivers().find((each) => each.mid === mid);
      const section = this.sections.find((each) => each.mid === mid);
      if (!transceiver || !section) return;
      await transceiver.sender.replaceTrack(null);
      transceiver.direction = 'inactive';
      section.direction = 'inactive';
      await this.negotiate({});
    });
  }

  async negotiate({ iceRestart = false }) {
    const offer = await this.connection.createOffer({ iceRestart });
    await this.connection.setLocalDescription(offer);
    if (this.sections.length > 0) await this.#answer();
  }

  async #claimTransceiver(track, encodings) {
    const idle = encodings.length === 1 && !encodings[0].scalabilityMode && this.connection.getTransceivers().find((each) =>
      each.direction === 'inactive' && each.mid !== null && each.receiver.track.kind === track.kind);
    if (!idle) {
      try {
        return this.connection.addTransceiver(track, { direction: 'sendonly', sendEncodings: encodings });
      } catch (error) {
        // A browser that knows no such mode can still send the picture.
        if (!encodings.some(({ scalabilityMode }) => scalabilityMode)) throw error;
        const plain = encodings.map(({ scalabilityMode, ...rest }) => rest);
        return this.connection.addTransceiver(track, { direction: 'sendonly', sendEncodings: plain });
      }
    }
    await idle.sender.replaceTrack(track);
    idle.direction = 'sendonly';
    try {
      const parameters = idle.sender.getParameters();
      if (parameters.encodings.length === 1) Object.assign(parameters.encodings[0], encodings[0]);
      await idle.sender.setParameters(parameters);
    } catch {
      // A limit that cannot be changed while inactive is only a limit.
    }
    return idle;
  }

  #place(local, { codecs, headerExtensions }) {
    const section = {
      kind: local.kind,
      mid: midOf(local),
      setup: 'passive',
      direction: 'recvonly',
      codecs: codecs.map(forAnswer),
      headerExtensions: headerExtensions.map(flipped),
      rids: encodingsOf(local).flatMap(({ rid }) => (rid ? [rid] : [])),
    };
    const index = this.sections.findIndex((each) => each.mid === section.mid);
    if (index < 0) this.sections.push(section);
    else this.sections[index] = section;
  }

  /** A refused section is answered as inactive, so that the connection gets back to a stable state. */
  async #abandon(transceiver, local) {
    if (this.connection.signalingState === 'closed') return;
    try {
      await transceiver.sender.replaceTrack(null);
      transceiver.direction = 'inactive';
      this.#place(local, { codecs: codecsOf(local).slice(0, 1), headerExtensions: [] });
      this.sections.find((each) => each.mid === transceiver.mid).direction = 'inactive';
      if (this.connection.signalingState === 'have-local-offer') await this.#answer();
    } catch {
      // The error that led here is the one worth telling.
    }
  }

  async #answer() {
    const sdp = writeSDP({ version: this.nextVersion(), transport: this.info, sections: this.sections });
    await this.connection.setRemoteDescription({ type: 'answer', sdp });
  }
}

function opened(channel) {
  if (channel.readyState === 'open') return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the channel did not open')), OPENING_MS);
    channel.addEventListener('open', () => {
      clearTimeout(timer);
      resolve();
    });
    channel.addEventListener('close', () => {
      clearTimeout(timer);
      reject(new Error('the channel was closed'));
    });
  });
}

/** The `produce` request's description of what will arrive at the server. */
function rtpParameters(local, { codecs, headerExtensions }, encodings) {
  const cname = cnameOf(local);
  return {
    mid: midOf(local),
    codecs: codecs.map(({ mimeType, payloadType, clockRate, channels, parameters, rtcpFeedback }) => ({
      mimeType, payloadType, clockRate, ...(channels ? { channels } : {}), parameters, rtcpFeedback,
    })),
    headerExtensions: headerExtensions.map(({ uri, id }) => ({ uri, id, encrypt: false, parameters: {} })),
    encodings: encodingsOf(local).map((encoding, index) => {
      const { maxBitrate, scalabilityMode } = encodings[index] ?? {};
      return { ...encoding, ...(maxBitrate ? { maxBitrate } : {}), ...(scalabilityMode ? { scalabilityMode } : {}) };
    }),
    rtcp: { ...(cname ? { cname } : {}), reducedSize: true },
  };
}

function forAnswer(codec) {
  if (codec.kind === 'audio' || /\/rtx$/i.test(codec.mimeType)) return codec;
  return { ...codec, parameters: { ...codec.parameters, 'x-google-start-bitrate': START_BITRATE_KBPS } };
}

/** What the offer only sends, the answer only receives (RFC 8285 section 6); Firefox insists for rid. */
function flipped({ uri, id, direction }) {
  const opposite = { sendonly: 'recvonly', recvonly: 'sendonly' }[direction] ?? direction;
  return { uri, id, direction: opposite };
}
