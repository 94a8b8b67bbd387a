/** One stay in one room: signaling and both transports, with what is sent, received and known. No DOM in here. */
import { ProtooClient, CLOSED_BY_SERVER, encoded, SERVER_STOPS } from './protoo.js';
import { browserCapabilities, receiveCapabilities } from './capabilities.js';
import { SendTransport } from './sendtransport.js';
import { ReceiveTransport } from './receivetransport.js';
import { Known } from './notifications.js';
import { Receiving } from './receiving.js';
import { Sending } from './sending.js';
import { Channels } from './channels.js';
import { CHAT, Conversation, readSign, SIGNS } from './conversation.js';
import { countersOf, Direction, overall } from './flow.js';
import { lossOf } from './quality.js';
import { isMediaLoss, needsPerson, readReason } from './refusals.js';

const EVERYTHING = { publish: true, subscribe: true, data: true };
/** What browsers take; the server may give fewer. */
const SCTP_CAPABILITIES = { numStreams: { OS: 1024, MIS: 1024 } };
/** Time for a newcomer's channel, before it is sent who has raised a hand. */
const NEWCOMER_MS = 1_500;

/**
 * `watch`: `changed()` anything visible changed; `problem(text, error)` with the key of a text; `paused(source, isPaused)` an
 * operator has paused what we send; `mayPublish()` we may send again; `lockChanged(isLocked)`; `message(text)` an operator's words;
 * `unsupported(name, kind, reason)` somebody cannot be shown here; `wrote(message)` somebody has, `reacted(peerID, name, emoji)`
 * somebody shows something for a moment; `ended({ code, message, mediaLost })` the stay is over: `code` says why, as in
 * `refusalOf`.
 * `state`: connecting, connected, reconnecting, failed (media cannot get through), closed; by what really flows.
 */
export class Room {
  state = 'connecting';
  /** A Direction's states. */
  sending = 'idle';
  receiving = 'idle';
  /** What we may do, as the server's answer says. */
  permissions = EVERYTHING;
  /** Whether a moderator has locked the room. */
  isLocked = false;
  /** When the lost connection is tried again (ms since 1970), 0 while it stands. */
  retryAt = 0;
  /** Why it was lost: unreachable, stopping, rate-limited or no-websocket. */
  outage = 'unreachable';
  /** When a server that takes nobody any more closes this call (ms since 1970), 0 if it does not. */
  drainsAt = 0;
  /** Why the room could not be joined; null when it is only the media that fail. */
  failure = null;
  /** The port to which media go, for whoever has to open it. */
  mediaPort = null;
  /** Recent packet loss: MID of what is received → 0…1. */
  loss = new Map();
  /** Packet loss of what we send, 0…1, as the server reports it. */
  lossSent = 0;
  /** What is written and shown. */
  conversation = new Conversation();
  /** What one's network carries, and what one wants to receive, `{ available, desired }` in bits per second; null at first. */
  downlink = null;

  #client;
  #watch;
  #known = new Known();
  #sendingPart;
  #receivingPart;
  #channels;
  #session = null;
  #joinedOnce = false;
  #why;
  #ticker;
  #counters = null;

  /**
   * `cameraPreferences`: `{ codec, scalabilityMode }`, see `publishing`. `fitsTiles`: whether to ask for no larger pictures
   * than are shown.
   */
  constructor({ server, roomID, peerID, displayName, password = '', token = '', cameraPreferences = {}, fitsTiles = true, watch }) {
    this.id = roomID;
    this.peerID = peerID;
    /** Our name, as the others are shown it. */
    this.displayName = displayName;
    this.#watch = watch;
    const shared = {
      request: (method, data) => this.#client.request(method, data), session: () => this.#session, problem: watch.problem,
    };
    this.#channels = new Channels({ ...shared, heard: (id, label, text) => this.#heard(id, label, text) });
    this.#receivingPart = new Receiving({ ...shared, known: this.#known, fitsTiles });
    this.#sendingPart = new Sending({ ...shared, others: () => this.peers.size, cameraPreferences });
    const url = new URL(server);
    for (const [name, value] of Object.entries({ roomId: roomID, peerId: peerID })) url.searchParams.set(name, value);
    const why = new URL(`/rooms/${encodeURIComponent(roomID)}/peers/${encodeURIComponent(peerID)}/requests`, url);
    why.protocol = url.protocol === 'wss:' ? 'https:' : 'http:';
    const shown = {
      ...(token ? { authorization: `Bearer ${encoded(token)}` } : {}), ...(password ? { 'room-password': encoded(password) } : {}),
    };
    this.#why = { url: why, shown };
    this.#client = new ProtooClient(url.href, { bearer: token, password }, {
      opened: () => this.#opened(),
      interrupted: (end) => this.#interrupted(end),
      isFinal: ({ reason }) => !this.#joinedOnce && needsPerson(readReason(reason)),
      ended: (end) => this.#ended(end),
      notified: (method, data) => this.#notified(method, data),
      requested: (method, data) => this.#requested(method, data),
    });
    this.#ticker = setInterval(() => this.#measure(), 1_000);
  }

  /** See `Known`. */
  get peers() {
    return this.#known.peers;
  }

  get isJoined() {
    return this.#session?.joined === true;
  }

  get activeSpeaker() {
    return this.#known.activeSpeaker;
  }

  get scores() {
    return this.#sendingPart.scores;
  }

  get activeScores() {
    return this.#sendingPart.activeScores;
  }

  get sendConnection() {
    return this.#session?.send?.connection ?? null;
  }

  get receiveConnection() {
    return this.#session?.receive?.connection ?? null;
  }

  publish(source, what) {
    this.#sendingPart.publish(source, what);
  }

  unpublish(source) {
    this.#sendingPart.unpublish(source);
  }

  midOf(source) {
    return this.#sendingPart.midOf(source);
  }

  chooseLayers(consumerID, choice) {
    this.#receivingPart.chooseLayers(consumerID, choice);
  }

  shownAt(consumerID, pixels) {
    if (this.#session?.joined) this.#receivingPart.shownAt(consumerID, pixels);
  }

  /** Whether we may write to the others. */
  get mayWrite() {
    return this.permissions.data !== false;
  }

  /** Rejects if nobody will get it. */
  async write(text) {
    await this.#channels.send(CHAT, text);
    this.conversation.add({ peerID: this.peerID, name: this.displayName, own: true, text, at: Date.now() });
    this.#watch.changed();
  }

  async raiseHand(isUp) {
    this.conversation.setHand(this.peerID, isUp);
    this.#watch.changed();
    await this.#channels.send(SIGNS, JSON.stringify({ hand: isUp }));
  }

  async react(reaction) {
    await this.#channels.send(SIGNS, JSON.stringify({ reaction }));
    this.#watch.reacted(this.peerID, this.displayName, reaction);
  }

  #heard(id, label, text) {
    const { displayName } = this.peers.get(id) ?? {};
    if (displayName === undefined) return;
    if (label === CHAT) {
      const message = this.conversation.add({ peerID: id, name: displayName, text, at: Date.now() });
      if (message) this.#watch.wrote(message);
    } else if (label === SIGNS) {
      const sign = readSign(text);
      if (!sign) return;
      if (sign.hand !== undefined) this.conversation.setHand(id, sign.hand);
      else this.#watch.reacted(id, displayName, sign.reaction);
    } else {
      return;
    }
    this.#watch.changed();
  }

  /** Newcomers cannot know whose hands are up. */
  #headCountChanged(came) {
    this.conversation.keepHands(new Set([...this.peers.keys(), this.peerID]));
    const session = this.#session;
    if (!came || !this.conversation.hands.has(this.peerID)) return;
    setTimeout(() => {
      if (this.#session !== session || !this.conversation.hands.has(this.peerID)) return;
      this.#channels.send(SIGNS, JSON.stringify({ hand: true })).catch(() => {});
    }, NEWCOMER_MS);
  }

  /** Throws a RequestError, if a token gives the name. */
  async rename(displayName) {
    await this.#client.request('changeDisplayName', { displayName });
    this.displayName = displayName;
    this.#watch.changed();
  }

  leave() {
    this.state = 'closed';
    this.#dropSession();
    this.#client.close();
    clearInterval(this.#ticker);
  }

  /** Starts over: new connection, new transports. Between two tries of the connection, tries now. */
  rejoin() {
    this.#client.reconnect();
  }

  // Connection

  async #opened() {
    const session = {
      send: null, receive: null, joined: false, gaveUp: false, mayPublish: false,
      sending: new Direction(), receiving: new Direction(),
    };
    this.#session = session;
    this.retryAt = 0;
    this.drainsAt = 0;
    this.outage = 'unreachable';
    this.failure = null;
    this.#watch.changed();
    const current = () => this.#session === session;
    try {
      const [router, browser] = await Promise.all([
        this.#client.request('getRouterRtpCapabilities'), browserCapabilities(),
      ]);
      if (!current()) return;
      const [sending, receiving] = await Promise.all([
        this.#client.request('createWebRtcTransport', {
          forceTcp: false, producing: true, consuming: false, sctpCapabilities: SCTP_CAPABILITIES,
        }),
        this.#client.request('createWebRtcTransport', {
          forceTcp: false, producing: false, consuming: true, sctpCapabilities: SCTP_CAPABILITIES,
        }),
      ]);
      if (!current()) return;
      this.mediaPort = sending.iceCandidates?.[0]?.port ?? null;
      session.send = new SendTransport(sending, router, this.#signal(sending.id), this.#transportWatch(session));
      session.receive = new ReceiveTransport(receiving, this.#signal(receiving.id), this.#transportWatch(session));
      session.hasData = Boolean(sending.sctpParameters && receiving.sctpParameters);
      const { peers, displayName, permissions, locked } = await this.#client.request('join', {
        displayName: this.displayName,
        device: thisDevice(),
        rtpCapabilities: receiveCapabilities(browser, router),
        // Without channels the server tells us what others write, and them what we do; its bot is of no use here.
        encodingUse: this.#receivingPart.fitsTiles,
        ...(session.hasData ? { sctpCapabilities: SCTP_CAPABILITIES, bot: false } : { dataOverSignaling: true }),
      });
      if (!current()) return;
      // Servers that do not say let everybody do everything.
      this.displayName = displayName ?? this.displayName;
      this.permissions = permissions ?? EVERYTHING;
      this.isLocked = locked === true;
      session.mayPublish = this.permissions.publish;
      for (const peer of peers ?? []) this.#known.peer(peer.id).displayName = peer.displayName;
      session.joined = true;
      this.#joinedOnce = true;
      this.#updateState();
      this.#sendingPart.begin();
      this.#headCountChanged(true);
      this.#measure();
    } catch (error) {
      if (!current()) return;
      if (error.code === 408) {
        this.#client.reconnect();
      } else if (error.code !== 0) {
        this.state = 'failed';
        this.failure = error.message;
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
        if (this.#session === session) this.#measure();
      },
      gaveUp: () => {
        if (this.#session !== session) return;
        session.gaveUp = true;
        this.#updateState();
      },
    };
  }

  /** Looks at what flows, each second and when a transport changes. */
  async #measure() {
    const session = this.#session;
    if (!session?.joined) return;
    const expected = this.#receivingPart.expected;
    const [sent, received] = await Promise.all([
      reportsOf(session.send.connection), reportsOf(session.receive.connection),
    ]);
    if (this.#session !== session) return;
    const counters = countersOf(sent, received, expected);
    const at = performance.now();
    session.sending.sample({
      at, wanted: this.#sendingPart.isExpected, connected: session.send.state === 'connected',
      counters: [counters.sent, counters.heard],
    });
    session.receiving.sample({
      at, wanted: expected.size > 0, connected: session.receive.state === 'connected', counters: [counters.received],
    });
    if ([session.send, session.receive].every(({ state }) => state === 'new' || state === 'connected')) session.gaveUp = false;
    if (!this.#counters || at - this.#counters.at > 4_000 || this.#counters.session !== session) {
      this.loss = lossOf(this.#counters?.session === session ? this.#counters.streams : new Map(), counters.streams);
      this.#counters = { at, session, streams: counters.streams };
    }
    this.lossSent = Math.max(0, ...counters.lossSent.values());
    this.#updateState();
  }

  #updateState() {
    const session = this.#session;
    if (!session?.joined) return;
    this.sending = session.sending.state;
    this.receiving = session.receiving.state;
    this.state = overall({
      joined: true, joinedOnce: true, sending: this.sending, receiving: this.receiving, gaveUp: session.gaveUp,
      away: this.#client.awayFor,
    });
    this.#watch.changed();
  }

  #interrupted({ retryInMs, code, wasOpen }) {
    if (code === SERVER_STOPS || this.drainsAt > 0) this.outage = 'stopping';
    this.#dropSession();
    this.retryAt = Date.now() + retryInMs;
    this.state = this.#joinedOnce ? 'reconnecting' : 'connecting';
    this.#watch.changed();
    if (wasOpen === false) this.#askWhy();
  }

  /** A browser does not say why a WebSocket was refused; the same over a plain request does. */
  async #askWhy() {
    const retryAt = this.retryAt;
    try {
      const { url, shown } = this.#why;
      const answer = await fetch(url, {
        method: 'POST', headers: { 'content-type': 'application/json', ...shown }, signal: /** @type {any} */ (AbortSignal).timeout(5_000),
        body: JSON.stringify({ id: 1, method: 'getRouterRtpCapabilities' }),
      });
      const { error = null } = answer.ok ? {} : await answer.json();
      if (this.retryAt !== retryAt || this.state === 'closed') return;
      if (error && needsPerson({ status: answer.status, code: error.code })) {
        this.#client.close();
        this.#over({ ...error, mediaLost: false });
        return;
      }
      this.outage = answer.ok ? 'no-websocket' : answer.status === 429 ? 'rate-limited' : 'stopping';
    } catch {
      // It is not there at all, and that is said already.
      return;
    }
    this.#watch.changed();
  }

  #ended({ code, reason }) {
    const why = readReason(reason);
    // Lost media are nobody's decision: the server gave us up while the network was away.
    const isOutage = this.state === 'reconnecting' || this.state === 'failed';
    this.#over({ ...why, mediaLost: code === CLOSED_BY_SERVER && (isMediaLoss(why.code) || (isOutage && !why.code)) });
  }

  #over(end) {
    this.state = 'closed';
    this.#dropSession();
    clearInterval(this.#ticker);
    this.#watch.ended(end);
  }

  #dropSession() {
    const session = this.#session;
    this.#session = null;
    this.retryAt = 0;
    this.drainsAt = 0;
    this.sending = this.receiving = 'idle';
    this.loss = new Map();
    this.#known.clear();
    this.#sendingPart.forget();
    this.#channels.forget();
    session?.send?.close();
    session?.receive?.close();
  }

  // What the server says

  async #requested(method, data) {
    if (method === 'newConsumer') {
      const isNew = !this.peers.has(data.peerId);
      await this.#receivingPart.take(data);
      if (isNew) this.#sendingPart.headCountChanged();
      this.#watch.changed();
      this.#measure();
      return;
    }
    if (method === 'newDataConsumer') {
      await this.#channels.take(data);
      return;
    }
    throw Object.assign(new Error(`this client does not take ${method}`), { code: 403 });
  }

  /** What we may do has changed: what is no longer permitted is paused by the server. */
  #permitted(permissions) {
    const mayPublishNow = permissions.publish && !this.permissions.publish;
    this.permissions = permissions;
    if (this.#session) this.#session.mayPublish = permissions.publish;
    if (!mayPublishNow) return;
    this.#sendingPart.begin();
    this.#watch.mayPublish();
  }

  #notified(method, data) {
    switch (method) {
      case 'producerScore':
        this.#sendingPart.scored(data.producerId, data.score);
        break;
      case 'producerPaused':
      case 'producerResumed': {
        const isPaused = method === 'producerPaused';
        const source = this.#sendingPart.pausedByOperator(data.producerId, isPaused);
        if (source) this.#watch.paused(source, isPaused);
        break;
      }
      case 'producerEncodingsUsed':
        this.#sendingPart.encodingsUsed(data.producerId, data.count);
        return;
      case 'permissionsChanged':
        this.#permitted(data.permissions);
        break;
      case 'roomLockChanged':
        this.isLocked = data.locked;
        this.#watch.lockChanged(data.locked);
        break;
      case 'operatorMessage':
        this.#watch.message(data.text);
        return;
      case 'producerUnsupported':
        this.#watch.unsupported(this.peers.get(data.peerId)?.displayName ?? data.peerId, data.kind, data.reason);
        return;
      case 'downlinkBwe':
        this.downlink = { available: data.availableBitrate, desired: data.desiredBitrate };
        break;
      case 'dataConsumerClosed':
        this.#channels.closed(data.dataConsumerId);
        return;
      case 'dataMessage':
        this.#heard(data.peerId, data.label, data.message);
        return;
      case 'serverDraining':
        this.drainsAt = Date.now() + data.seconds * 1000;
        break;
      default: {
        const change = this.#known.apply(method, data);
        if (!change) return;
        for (const consumer of change.closed) this.#receivingPart.stop(consumer);
        if (change.headCount) {
          this.#sendingPart.headCountChanged();
          this.#headCountChanged(method === 'newPeer');
        }
        if (!change.changed) return;
      }
    }
    this.#watch.changed();
  }
}

async function reportsOf(connection) {
  try {
    return [...(await connection.getStats()).values()];
  } catch {
    return [];
  }
}

function thisDevice() {
  const agent = navigator.userAgent;
  const known = [
    { flag: 'firefox', pattern: /Firefox\/([\d.]+)/ }, { flag: 'chrome', pattern: /Chrom(?:e|ium)\/([\d.]+)/ },
    { flag: 'safari', pattern: /Version\/([\d.]+).*Safari/ },
  ];
  const { flag, pattern } = known.find((each) => each.pattern.test(agent)) ?? { flag: 'unknown', pattern: /$^/ };
  return { flag, name: flag[0].toUpperCase() + flag.slice(1), version: pattern.exec(agent)?.[1] ?? '' };
}
