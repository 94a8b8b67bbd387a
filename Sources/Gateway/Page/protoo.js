/**
 * Client side of the protoo framing: JSON text frames over a WebSocket, requests in both directions,
 * notifications from the server, and a connection that comes back by itself.
 */

/** The server's way of saying that this session is over and must not be resumed. */
export const CLOSED_BY_SERVER = 4000;

/** What was shown does not open this room: a wrong password, a token that is missing or not for it. */
const NOT_PERMITTED = 1008;

const REQUEST_TIMEOUT_MS = 15_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 8_000;

/** A request the server refused, or one that got no answer (`code` 0 or 408). */
export class RequestError extends Error {
  constructor(method, code, reason) {
    super(reason || `${method} failed`);
    this.name = 'RequestError';
    this.method = method;
    this.code = code;
  }
}

/**
 * `handlers`:
 * - `opened()` a connection stands; called again after each reconnection.
 * - `interrupted({ retryInMs, attempt })` the connection is gone and will be tried again.
 * - `ended({ code, reason })` the server closed the session for good.
 * - `notified(method, data)`.
 * - `requested(method, data)` returns (a promise of) the response's data, or throws to reject.
 */
export class ProtooClient {
  #url;
  #handlers;
  #socket = null;
  #pending = new Map();
  #attempt = 0;
  #retryTimer = 0;
  #closed = false;
  #retryNow = () => {
    if (this.#closed || !this.#retryTimer) return;
    clearTimeout(this.#retryTimer);
    this.#open();
  };

  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
    addEventListener('online', this.#retryNow);
    this.#open();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  request(method, data = {}) {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) {
        reject(new RequestError(method, 0, 'There is no connection to the server.'));
        return;
      }
      const id = crypto.getRandomValues(new Uint32Array(1))[0];
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new RequestError(method, 408, `The server did not answer “${method}” in time.`));
      }, REQUEST_TIMEOUT_MS);
      this.#pending.set(id, { method, resolve, reject, timer });
      this.#send({ request: true, id, method, data });
    });
  }

  /**
   * Gives up the present connection, which may be dead without the browser knowing, and makes a new one;
   * between two tries, does not wait for the next.
   */
  reconnect() {
    const socket = this.#socket;
    if (!socket) this.#retryNow();
    if (!socket || this.#closed) return;
    this.#detach(socket);
    socket.close(1000, 'reconnect');
    this.#lost();
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

  #open() {
    this.#retryTimer = 0;
    const socket = new WebSocket(this.#url, 'protoo');
    this.#socket = socket;
    socket.onopen = () => {
      this.#attempt = 0;
      this.#handlers.opened();
    };
    socket.onmessage = (event) => this.#received(event.data);
    socket.onclose = (event) => {
      this.#detach(socket);
      if (event.code === CLOSED_BY_SERVER || event.code === NOT_PERMITTED) {
        this.#closed = true;
        removeEventListener('online', this.#retryNow);
        this.#failPending();
        this.#handlers.ended({ code: event.code, reason: event.reason });
      } else {
        this.#lost();
      }
    };
  }

  #lost() {
    this.#failPending();
    const base = Math.min(FIRST_RETRY_MS * 2 ** this.#attempt, LAST_RETRY_MS);
    // A little spread, so that a whole room does not come back in the same millisecond.
    const retryInMs = Math.round(base * (0.85 + Math.random() * 0.3));
    this.#attempt += 1;
    this.#retryTimer = setTimeout(() => this.#open(), retryInMs);
    this.#handlers.interrupted({ retryInMs, attempt: this.#attempt });
  }

  #detach(socket) {
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (this.#socket === socket) this.#socket = null;
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
    if (message === null || typeof message !== 'object') return;
    const data = message.data ?? {};
    if (message.response) {
      const pending = this.#pending.get(message.id);
      if (!pending) return;
      this.#pending.delete(message.id);
      clearTimeout(pending.timer);
      if (message.ok) pending.resolve(data);
      else pending.reject(new RequestError(pending.method, message.errorCode ?? 500, message.errorReason));
    } else if (message.request && typeof message.method === 'string') {
      this.#answer(message.id, message.method, data);
    } else if (message.notification && typeof message.method === 'string') {
      this.#handlers.notified(message.method, data);
    }
  }

  async #answer(id, method, data) {
    const socket = this.#socket;
    let reply;
    try {
      reply = { response: true, id, ok: true, data: (await this.#handlers.requested(method, data)) ?? {} };
    } catch (error) {
      const errorCode = error?.code > 0 ? error.code : 500;
      reply = { response: true, id, ok: false, errorCode, errorReason: String(error?.message ?? error) };
    }
    // The answer belongs to the connection that asked.
    if (socket === this.#socket) this.#send(reply);
  }

  #send(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message));
  }
}
