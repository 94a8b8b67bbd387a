/** What the two directions share: one RTCPeerConnection that plays the server's part in its own remote descriptions. */
import { SerialQueue } from './serialqueue.js';
import { fingerprintOf } from './sdp.js';

const DISCONNECTED_GRACE_MS = 2_500;
const RESTART_PAUSE_MS = 4_000;
const MAX_RESTARTS = 2;

/**
 * `info`: the server's `createWebRtcTransport` response.
 * `signal`: `connect(dtlsParameters)`, `restartICE()` (resolves with new ICE parameters), both by request to the server.
 * `watch`: `stateChanged()`, `gaveUp()` after several ICE restarts in vain.
 */
export class Transport {
  queue = new SerialQueue();
  sections = [];
  /** Whether media could flow at some time; then a loss is an interruption. */
  hasConnected = false;
  #signal;
  #watch;
  #connected = false;
  #restarts = 0;
  #restartTimer = 0;
  #version = 0;

  constructor(info, signal, watch) {
    this.id = info.id;
    this.info = { ...info };
    this.#signal = signal;
    this.#watch = watch;
    this.connection = new RTCPeerConnection({
      // Servers that have a TURN server say so.
      iceServers: info.iceServers ?? [], bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require',
    });
    this.connection.onconnectionstatechange = () => this.#stateChanged();
  }

  /** Offers and answers once more. Each direction does it its own way. */
  async negotiate(_options = {}) {}

  /** The RTCPeerConnection's own word: new, connecting, connected, disconnected, failed, closed. */
  get state() {
    return this.connection.connectionState;
  }

  close() {
    clearTimeout(this.#restartTimer);
    this.queue.close();
    this.connection.onconnectionstatechange = null;
    this.connection.close();
  }

  nextVersion() {
    this.#version += 1;
    return this.#version;
  }

  /** Sends the server our certificate, once. We are always the DTLS client: the server's answer says passive. */
  async connectOnce(localDescription) {
    if (this.#connected) return;
    await this.#signal.connect({ role: 'client', fingerprints: [fingerprintOf(localDescription)] });
    this.#connected = true;
  }

  #stateChanged() {
    clearTimeout(this.#restartTimer);
    const { state } = this;
    if (state === 'connected') {
      this.#restarts = 0;
      this.hasConnected = true;
    } else if (state === 'failed') this.#restart();
    else if (state === 'disconnected') this.#restartTimer = setTimeout(() => this.#restart(), DISCONNECTED_GRACE_MS);
    this.#watch.stateChanged();
  }

  async #restart() {
    if (this.#restarts >= MAX_RESTARTS) {
      this.#watch.gaveUp();
      return;
    }
    this.#restarts += 1;
    try {
      await this.queue.run(async () => {
        this.info.iceParameters = await this.#signal.restartICE();
        await this.negotiate({ iceRestart: true });
      });
    } catch {
      // The next attempt, or the signaling connection's own recovery, takes over.
    }
    clearTimeout(this.#restartTimer);
    this.#restartTimer = setTimeout(() => {
      // Otherwise checks are running, and their outcome will be heard.
      if (this.state === 'disconnected' || this.state === 'failed') this.#restart();
    }, RESTART_PAUSE_MS);
  }
}
