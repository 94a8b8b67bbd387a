/**
 * Client side of the protoo framing: JSON text frames over a WebSocket, requests in both directions,
 * notifications from the server, and a connection that comes back by itself.
 */

/** The server's way of saying that this session is over and must not be resumed. */
export const CLOSED_BY_SERVER = 4000;
/** The session this client came back for is over: a new one begins. */
const SESSION_OVER = 4001;

/** What was shown does not open this room: a wrong password, a token that is missing or not for it. */
export const NOT_PERMITTED = 1008;
/** The server stops, and keeps no session to come back to. */
export const SERVER_STOPS = 1001;

const REQUEST_TIMEOUT_MS = 15_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 8_000;
/** Between two tries to pick a session up, the first of which is made at once. */
const RESUME_RETRY_MS = 500;

/** A request the server refused, or one that got no answer (`code` 0 or 408). */
export class RequestError extends Error {
  constructor(method, code, reason) {
    super(reason || `${method} failed`);
    this.name = 'RequestError';
    this.method = method;
    this.code = code;
  }
}

/** Percent-encoded, with what `encodeURIComponent` leaves and HTTP allows in no token. */
export function encoded(secret) {
  return encodeURIComponent(secret).replace(/[()]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
}

/** Secrets as subprotocols, which is all that a page can send beside the URL; and proxies write URLs into their logs. */
export function subprotocols(secrets) {
  return Object.entries(secrets).filter(([, value]) => value).map(([name, value]) => `${name}.${encoded(value)}`);
}

/** What outlives a connection: the numbers in both directions, and what the server may not have got. */
class Session {
  /** Given by a server that lets clients come back. */
  token = null;
  seconds = 0;
  /** The number of the last message of the server. */
  received = 0;
  /** When it is too late to come back (ms, `performance.now`); 0 while connected. */
  deadline = 0;
  #sent = 0;
  #kept = [];

  /** Numbers a message, and keeps it until the server has it for certain. */
  take(message) {
    this.#sent += 1;
    const text = JSON.stringify({ ...message, seq: this.#sent, ack: this.received });
    this.#kept.push({ number: this.#sent, text });
    return { number: this.#sent, text };
  }

  /** The server has everything up to this number. */
  arrived(number) {
    while (this.#kept.length > 0 && this.#kept[0].number <= number) this.#kept.shift();
  }

  get unanswered() {
    return this.#kept.map(({ text }) => text);
  }

  /** Whether a message of the server is news. */
  isNew({ seq }) {
    if (!Number.isInteger(seq)) return true;
    if (seq <= this.received) return false;
    this.received = seq;
    return true;
  }
}

/**
 * `handlers`:
 * - `opened()` a session begins; called again after an interruption.
 * - `interrupted({ retryInMs, attempt, code, reason, wasOpen })` the session is lost, and a new one will be tried; with the
 *   close code, and whether there had been a connection at all.
 * - `ended({ code, reason })` the server closed the session for good.
 * - `isFinal({ code, reason })` whether this end is for good, beyond what always is.
 * - `notified(method, data)`.
 * - `requested(method, data)` returns (a promise of) the response's data, or throws to reject.
 *
 * A connection that breaks and is back within the server's timeout is no interruption: nobody notices.
 */
export class ProtooClient {
  #url;
  /** `{ bearer, password }`, each only if there is one. */
  #secrets;
  #handlers;
  #socket = null;
  #session = new Session();
  #pending = new Map();
  #attempt = 0;
  #retryTimer = 0;
  #closed = false;
  #retryNow = () => {
    if (this.#closed || !this.#retryTimer) return;
    clearTimeout(this.#retryTimer);
    this.#retry();
  };

  constructor(url, secrets, handlers) {
    this.#url = url;
    this.#secrets = secrets;
    this.#handlers = handlers;
    addEventListener('online', this.#retryNow);
    this.#open();
  }

  /** Connected, or about to be again with nothing lost. */
  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN || this.#session.deadline > 0;
  }

  request(method, data = {}) {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) {
        reject(new RequestError(method, 0, 'There is no connection to the server.'));
        return;
      }
      const id = crypto.getRandomValues(new Uint32Array(1))[0];
      const entry = { method, resolve, reject, timer: 0, number: 0 };
      this.#pending.set(id, entry);
      this.#startTimer(id, entry);
      entry.number = this.#send({ request: true, id, method, data });
    });
  }

  /** How long the connection has been broken while its session may yet be picked up (ms); 0 while it stands. */
  get awayFor() {
    const { deadline, seconds } = this.#session;
    return deadline > 0 ? Math.max(1, performance.now() - (deadline - seconds * 1000)) : 0;
  }

  /**
   * Gives up the session, whose connection may be dead without the browser knowing, and begins a new one;
   * between two tries, does not wait for the next.
   */
  reconnect() {
    const socket = this.#socket;
    if (this.#session.deadline > 0) clearTimeout(this.#retryTimer);
    else if (!socket) this.#retryNow();
    if (this.#closed || (!socket && this.#session.deadline === 0)) return;
    if (socket) {
      this.#detach(socket);
      socket.close(1000, 'reconnect');
    }
    this.#lost({ wasOpen: true });
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    removeEventListener('online', this.#retryNow);
    const socket = this.#socket;
    if (socket) {
      this.#detach(socket);
      socket.close(1000, 'left');
    }
    this.#failPending();
  }

  /** Begins a session. */
  #open() {
    this.#session = new Session();
    this.#connect({ resumption: 'yes' }, () => {
      this.#attempt = 0;
      this.#handlers.opened();
    });
  }

  /** Picks the session up; the server says `resumed`, or closes with SESSION_OVER. */
  #resume() {
    this.#connect({ ack: this.#session.received }, () => {}, { resume: this.#session.token });
  }

  #retry() {
    this.#retryTimer = 0;
    if (this.#session.deadline > 0) this.#resume();
    else this.#open();
  }

  #connect(parameters, opened, secrets = {}) {
    const url = new URL(this.#url);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    const socket = new WebSocket(url.href, ['protoo', ...subprotocols({ ...this.#secrets, ...secrets })]);
    this.#socket = socket;
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      opened();
    };
    socket.onmessage = (event) => this.#received(event.data);
    socket.onclose = (event) => {
      this.#detach(socket);
      const { code, reason } = event;
      if (code === CLOSED_BY_SERVER || code === NOT_PERMITTED || this.#handlers.isFinal?.({ code, reason })) {
        this.#closed = true;
        removeEventListener('online', this.#retryNow);
        this.#failPending();
        this.#handlers.ended({ code, reason });
      } else if (code !== SESSION_OVER && code !== SERVER_STOPS && this.#mayResume()) {
        this.#retryTimer = setTimeout(() => this.#retry(), this.#session.deadline > 0 ? RESUME_RETRY_MS : 0);
        this.#session.deadline ||= performance.now() + this.#session.seconds * 1000;
        for (const { timer } of this.#pending.values()) clearTimeout(timer);
      } else {
        this.#lost({ code, reason, wasOpen });
      }
    };
  }

  #mayResume() {
    const { token, deadline } = this.#session;
    return token !== null && (deadline === 0 || performance.now() < deadline);
  }

  /** The server has picked the session up: `received` is what it has of ours. */
  #resumed({ received, lost }) {
    if (lost) {
      this.reconnect();
      return;
    }
    this.#session.deadline = 0;
    this.#session.arrived(received);
    for (const text of this.#session.unanswered) this.#socket.send(text);
    for (const [id, entry] of this.#pending) this.#startTimer(id, entry);
  }

  #lost(end) {
    this.#session = new Session();
    this.#failPending();
    const base = Math.min(FIRST_RETRY_MS * 2 ** this.#attempt, LAST_RETRY_MS);
    // A little spread, so that a whole room does not come back in the same millisecond.
    const retryInMs = Math.round(base * (0.85 + Math.random() * 0.3));
    this.#attempt += 1;
    this.#retryTimer = setTimeout(() => this.#retry(), retryInMs);
    this.#handlers.interrupted({ retryInMs, attempt: this.#attempt, ...end });
  }

  #detach(socket) {
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (this.#socket === socket) this.#socket = null;
  }

  #startTimer(id, entry) {
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => {
      this.#pending.delete(id);
      entry.reject(new RequestError(entry.method, 408, `The server did not answer “${entry.method}” in time.`));
    }, REQUEST_TIMEOUT_MS);
  }

  #failPending() {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { method, reject, timer } of pending) {
      clearTimeout(timer);
      reject(new RequestError(method, 0, 'The connection to the server was lost.'));
    }
  }

  #received(text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (message === null || typeof message !== 'object' || !this.#session.isNew(message)) return;
    const data = message.data ?? {};
    if (message.response) {
      const pending = this.#pending.get(message.id);
      if (!pending) return;
      this.#pending.delete(message.id);
      clearTimeout(pending.timer);
      // In order: what was sent before the request has arrived too.
      this.#session.arrived(pending.number);
      if (message.ok) pending.resolve(data);
      else pending.reject(new RequestError(pending.method, message.errorCode ?? 500, message.errorReason));
    } else if (message.request && typeof message.method === 'string') {
      this.#answer(message.id, message.method, data);
    } else if (message.notification && message.method === 'resumable') {
      Object.assign(this.#session, { token: data.token, seconds: data.seconds });
    } else if (message.notification && message.method === 'resumed') {
      this.#resumed(data);
    } else if (message.notification && typeof message.method === 'string') {
      this.#handlers.notified(message.method, data);
    }
  }

  async #answer(id, method, data) {
    const session = this.#session;
    let reply;
    try {
      reply = { response: true, id, ok: true, data: (await this.#handlers.requested(method, data)) ?? {} };
    } catch (error) {
      const errorCode = error?.code > 0 ? error.code : 500;
      reply = { response: true, id, ok: false, errorCode, errorReason: String(error?.message ?? error) };
    }
    // The answer belongs to the session that asked.
    if (session === this.#session) this.#send(reply);
  }

  /** Sends now, or, between two connections of a session, with the next. */
  #send(message) {
    const { number, text } = this.#session.take(message);
    if (this.#session.deadline === 0 && this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
    return number;
  }
}
