// A small client for Socket.IO 4 (Engine.IO protocol 4, Socket.IO protocol 5), for pages that load it from their server
// as /socket.io/socket.io.js and use `io`. One namespace, no binary. Plain ES5: it runs in whatever an old Electron has.
//
// A connection that breaks is picked up within 30 s (Socket.IO's connection state recovery): `connect` comes again with
// `socket.recovered` true, and no event or answer is lost or doubled on the way. `io({ resumption: false })` does without.
(function (root, make) {
  'use strict';
  var io = make(root);
  if (typeof module === 'object' && module.exports) { module.exports = io; }
  else { root.io = io; }
}(typeof globalThis !== 'undefined' ? globalThis : typeof window !== 'undefined' ? window : this, function (root) {
  'use strict';

  var SEPARATOR = String.fromCharCode(30);

  // Listeners -----------------------------------------------------------------------------------------------------------

  function Emitter() { this._listeners = {}; }

  Emitter.prototype.on = Emitter.prototype.addEventListener = function (name, listener) {
    var key = '$' + name;
    (this._listeners[key] = this._listeners[key] || []).push(listener);
    return this;
  };

  Emitter.prototype.once = function (name, listener) {
    var self = this;
    function once() {
      self.off(name, once);
      listener.apply(this, arguments);
    }
    once.listener = listener;
    return this.on(name, once);
  };

  Emitter.prototype.off = Emitter.prototype.removeListener = Emitter.prototype.removeAllListeners = function (name, listener) {
    var key = '$' + name;
    if (name === undefined) { this._listeners = {}; }
    else if (listener === undefined) { delete this._listeners[key]; }
    else if (this._listeners[key]) {
      this._listeners[key] = this._listeners[key].filter(function (one) {
        return one !== listener && one.listener !== listener;
      });
    }
    return this;
  };

  Emitter.prototype.listeners = function (name) { return (this._listeners['$' + name] || []).slice(); };
  Emitter.prototype.hasListeners = function (name) { return this.listeners(name).length > 0; };

  Emitter.prototype._fire = function (name, args) {
    var listeners = this.listeners(name);
    for (var i = 0; i < listeners.length; i += 1) { listeners[i].apply(this, args); }
  };

  function inherit(type) {
    type.prototype = Object.create(Emitter.prototype);
    type.prototype.constructor = type;
  }

  // Engine.IO: one session, first by polling and then over a WebSocket, or over a WebSocket at once ------------------------

  function Engine(base, options, events) {
    this.base = base;
    this.options = options;
    this.events = events;
    this.state = 'opening';
    this.queue = [];
    this.socket = null;
    this.requests = [];
    // Browsers send a request again by themselves whose connection broke: the server tells by its number.
    this.requested = 0;
    this.isPosting = false;
    this.isPolling = false;
    this.isUpgrading = false;
    if (options.transports[0] === 'websocket') { this.openSocket(); } else { this.poll(); }
  }

  Engine.prototype.address = function (scheme, transport) {
    var query = 'EIO=4&transport=' + transport;
    var extra = this.options.query || {};
    Object.keys(extra).forEach(function (name) {
      query += '&' + encodeURIComponent(name) + '=' + encodeURIComponent(extra[name]);
    });
    if (this.sid) { query += '&sid=' + encodeURIComponent(this.sid); }
    if (transport === 'polling') {
      this.requested += 1;
      query += '&n=' + this.requested + '&t=' + Date.now().toString(36) + Math.random().toString(36).slice(2, 8);
    }
    return this.base.replace(/^http/, scheme) + '?' + query;
  };

  Engine.prototype.request = function (method, body, done) {
    var self = this;
    var request = new root.XMLHttpRequest();
    request.open(method, this.address('http', 'polling'), true);
    if (body !== null) { request.setRequestHeader('Content-Type', 'text/plain;charset=UTF-8'); }
    request.onreadystatechange = function () {
      if (request.readyState !== 4) { return; }
      self.requests = self.requests.filter(function (one) { return one !== request; });
      if (self.state === 'closed') { return; }
      if (request.status === 200) { done(request.responseText); }
      else { self.fail('xhr ' + (method === 'GET' ? 'poll' : 'post') + ' error'); }
    };
    this.requests.push(request);
    request.send(body);
  };

  Engine.prototype.poll = function () {
    var self = this;
    this.isPolling = true;
    this.request('GET', null, function (text) {
      self.isPolling = false;
      text.split(SEPARATOR).forEach(function (packet) { self.received(packet); });
      if (self.state === 'closed' || self.socket) { return; }
      if (self.isUpgrading) { self.finishUpgrade(); } else { self.poll(); }
    });
  };

  Engine.prototype.openSocket = function () {
    var self = this;
    var socket = this.socket = new root.WebSocket(this.address('ws', 'websocket'));
    socket.onmessage = function (event) { self.received(event.data); };
    socket.onerror = function () { self.fail('websocket error'); };
    socket.onclose = function () { self.closed('transport close'); };
  };

  // The WebSocket says "probe"; once that is answered the last poll is awaited, and then the session moves.
  Engine.prototype.startUpgrade = function () {
    var self = this;
    var socket;
    if (!root.WebSocket) { return; }
    try { socket = new root.WebSocket(this.address('ws', 'websocket')); } catch (error) { return; }
    this.probe = socket;
    socket.onopen = function () { socket.send('2probe'); };
    socket.onmessage = function (event) {
      if (event.data !== '3probe' || self.state !== 'open') { socket.close(); return; }
      self.isUpgrading = true;
      if (!self.isPolling) { self.finishUpgrade(); }
    };
    socket.onerror = socket.onclose = function () {
      if (self.probe !== socket) { return; }
      self.probe = null;
      if (self.isUpgrading) {
        self.isUpgrading = false;
        if (!self.isPolling && self.state === 'open') { self.poll(); }
        self.flush();
      }
    };
  };

  Engine.prototype.finishUpgrade = function () {
    var self = this;
    // A message on its way by POST must arrive before those that follow by WebSocket.
    if (this.isPosting || this.isPolling || !this.probe) { return; }
    var socket = this.socket = this.probe;
    this.probe = null;
    this.isUpgrading = false;
    socket.onmessage = function (event) { self.received(event.data); };
    socket.onerror = function () { self.fail('websocket error'); };
    socket.onclose = function () { self.closed('transport close'); };
    socket.send('5');
    this.flush();
  };

  Engine.prototype.received = function (packet) {
    var data = packet.slice(1);
    if (this.state === 'closed') { return; }
    this.patience();
    switch (packet.charAt(0)) {
    case '0':
      this.handshake = JSON.parse(data);
      this.sid = this.handshake.sid;
      this.state = 'open';
      this.patience();
      this.events.open();
      this.flush();
      if (!this.socket && this.options.upgrade !== false && this.options.transports.indexOf('websocket') > 0 &&
          this.handshake.upgrades.indexOf('websocket') >= 0) { this.startUpgrade(); }
      break;
    case '1': this.closed('transport close'); break;
    case '2': this.send('3'); break;
    case '4': this.events.message(data); break;
    default: break;
    }
  };

  // The server pings; one that has not for interval and timeout together is gone.
  Engine.prototype.patience = function () {
    var self = this;
    if (!this.handshake) { return; }
    clearTimeout(this.timer);
    this.timer = setTimeout(function () { self.closed('ping timeout'); },
      this.handshake.pingInterval + this.handshake.pingTimeout);
  };

  Engine.prototype.send = function (packet) {
    if (this.state === 'closed') { return; }
    this.queue.push(packet);
    this.flush();
  };

  Engine.prototype.flush = function () {
    var self = this;
    if (this.state !== 'open' || !this.queue.length) { return; }
    if (this.socket) {
      if (this.socket.readyState !== 1) { return; }
      this.queue.splice(0).forEach(function (packet) { self.socket.send(packet); });
      return;
    }
    if (this.isPosting || this.isUpgrading) { return; }
    // As many packets as the server takes in one body; a character is three bytes at most.
    var body = this.queue.shift();
    var limit = (this.handshake.maxPayload || 1e6) / 3;
    while (this.queue.length && body.length + this.queue[0].length + 1 < limit) {
      body += SEPARATOR + this.queue.shift();
    }
    this.isPosting = true;
    this.request('POST', body, function () {
      self.isPosting = false;
      if (self.isUpgrading) { self.finishUpgrade(); }
      self.flush();
    });
  };

  Engine.prototype.close = function () {
    if (this.state === 'open') {
      if (this.socket) { this.flush(); } else {
        this.queue.push('1');
        this.isPosting = this.isUpgrading = false;
        this.flush();
        this.requests = this.requests.slice(0, -1);
      }
    }
    this.closed('forced close');
  };

  Engine.prototype.fail = function (message) {
    if (this.state === 'opening') { this.error = new Error(message); }
    this.closed('transport error');
  };

  Engine.prototype.closed = function (reason) {
    // A client that will be back says so, if a connection still carries it.
    var code = reason === 'forced close' ? 1000 : 4002;
    if (this.state === 'closed') { return; }
    this.state = 'closed';
    clearTimeout(this.timer);
    [this.socket, this.probe].forEach(function (socket) {
      if (!socket) { return; }
      socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
      try { socket.close(code); } catch (error) { /* It was not open yet. */ }
    });
    this.requests.forEach(function (request) { request.onreadystatechange = null; request.abort(); });
    this.events.close(reason, this.error);
  };

  // The manager: engines one after the other ------------------------------------------------------------------------------

  function Manager(base, options) {
    Emitter.call(this);
    this.base = base;
    this.opts = options;
    this.engine = null;
    this.attempts = 0;
    this.isWanted = false;
  }
  inherit(Manager);

  Manager.prototype.open = function () {
    var self = this;
    this.isWanted = true;
    clearTimeout(this.retry);
    if (this.engine) { return; }
    var isOpened = false;
    var patience = setTimeout(function () {
      if (self.engine) { self.engine.fail('timeout'); }
    }, this.opts.timeout || 20000);
    var events = {
      open: function () {
        isOpened = true;
        clearTimeout(patience);
        self._fire('open', []);
        self.socket._engineOpened();
        if (self.attempts) { self._fire('reconnect', [self.attempts]); }
        self.attempts = 0;
      },
      message: function (text) { self.socket._received(text); },
      close: function (reason, error) {
        clearTimeout(patience);
        self.engine = null;
        if (isOpened) {
          self._fire('close', [reason]);
          self.socket._lost(reason);
        } else {
          self._fire('error', [error || new Error(reason)]);
          self.socket._fire('connect_error', [error || new Error(reason)]);
          if (self.attempts) { self._fire('reconnect_error', [error || new Error(reason)]); }
        }
        self.again();
      }
    };
    try { this.engine = new Engine(this.base, this.opts, events); }
    catch (error) { events.close('transport error', error); }
  };

  // Tries again after 1 s, 2 s, 4 s, 5 s, 5 s, …, each half as long or half as long again by chance.
  Manager.prototype.again = function () {
    var self = this;
    var options = this.opts;
    if (!this.isWanted || options.reconnection === false) { return; }
    if (this.attempts >= (options.reconnectionAttempts === undefined ? Infinity : options.reconnectionAttempts)) {
      this.isWanted = false;
      this._fire('reconnect_failed', []);
      return;
    }
    var delay = (options.reconnectionDelay || 1000) * Math.pow(2, Math.min(this.attempts, 20));
    delay = Math.min(delay, options.reconnectionDelayMax || 5000) * (0.5 + Math.random());
    clearTimeout(this.retry);
    this.retry = setTimeout(function () {
      self.attempts += 1;
      self._fire('reconnect_attempt', [self.attempts]);
      self.open();
    }, delay);
  };

  Manager.prototype.close = Manager.prototype.disconnect = function () {
    this.isWanted = false;
    clearTimeout(this.retry);
    if (this.engine) { this.engine.close(); }
  };

  // The socket ---------------------------------------------------------------------------------------------------------

  function Socket(manager, options) {
    Emitter.call(this);
    this.io = manager;
    this.nsp = '/';
    this.auth = options.auth;
    this.connected = false;
    this.disconnected = true;
    this.id = undefined;
    this.recovered = false;
    this.resumption = options.resumption !== false;
    this._waiting = {};
    this._nextID = 0;
    this._buffer = [];
    this._any = [];
    // The server's name for this session, and the last of its events that came.
    this._pid = undefined;
    this._offset = undefined;
    // Events sent in this session that the server may not have: `_sent[0]` is the one after the first `_settled`.
    this._sent = [];
    this._settled = 0;
  }
  inherit(Socket);

  Socket.prototype.connect = Socket.prototype.open = function () {
    if (this.connected) { return this; }
    if (this.io.engine && this.io.engine.state === 'open') { this._engineOpened(); } else { this.io.open(); }
    return this;
  };

  Socket.prototype._packet = function (text) { if (this.io.engine) { this.io.engine.send('4' + text); } };

  // Sends an event, and keeps it until the server is known to have it.
  Socket.prototype._sends = function (text) {
    if (this._pid) { this._sent.push(text); }
    this._packet(text);
  };

  Socket.prototype._engineOpened = function () {
    var self = this;
    function say(data) {
      if (self.resumption) {
        data = Object.assign({ resumption: 'yes' }, data);
        if (self._pid) {
          Object.assign(data, { pid: self._pid, offset: self._offset, waiting: Object.keys(self._waiting).map(Number) });
        }
      }
      self._packet(data ? '0' + JSON.stringify(data) : '0');
    }
    if (typeof this.auth === 'function') { this.auth(say); } else { say(this.auth); }
  };

  Socket.prototype.emit = function (name) {
    var args = Array.prototype.slice.call(arguments);
    var text = '';
    if (typeof args[args.length - 1] === 'function') {
      text = String(this._nextID);
      this._wait(this._nextID, args.pop());
      this._nextID += 1;
    }
    text = '2' + text + JSON.stringify(args);
    if (this.connected) { this._sends(text); } else { this._buffer.push(text); }
    return this;
  };

  Socket.prototype.send = function () {
    return this.emit.apply(this, ['message'].concat(Array.prototype.slice.call(arguments)));
  };

  // `socket.timeout(ms).emit(…, function (error, answer) {})`.
  Socket.prototype.timeout = function (milliseconds) {
    var limited = Object.create(this);
    limited._wait = function (id, answer) {
      var waiting = this._waiting;
      var timer = setTimeout(function () {
        delete waiting[id];
        answer(new Error('operation has timed out'));
      }, milliseconds);
      waiting[id] = function () {
        clearTimeout(timer);
        answer.apply(null, [null].concat(Array.prototype.slice.call(arguments)));
      };
    };
    limited.emit = function () {
      limited._nextID = Object.getPrototypeOf(limited)._nextID;
      Socket.prototype.emit.apply(limited, arguments);
      Object.getPrototypeOf(limited)._nextID = limited._nextID;
      return limited;
    };
    return limited;
  };

  Socket.prototype._wait = function (id, answer) { this._waiting[id] = answer; };

  Socket.prototype.emitWithAck = function () {
    var self = this;
    var args = Array.prototype.slice.call(arguments);
    return new root.Promise(function (resolve) { self.emit.apply(self, args.concat(resolve)); });
  };

  Socket.prototype.onAny = function (listener) { this._any.push(listener); return this; };
  Socket.prototype.offAny = function (listener) {
    this._any = listener ? this._any.filter(function (one) { return one !== listener; }) : [];
    return this;
  };

  Socket.prototype._received = function (text) {
    // <type>[<namespace>,][<id>][<JSON>]
    var parts = /^(\d)(\/[^,]*,?)?(\d*)([\s\S]*)$/.exec(text);
    if (!parts || (parts[2] && parts[2] !== '/,')) { return; }
    var data;
    try { data = parts[4] ? JSON.parse(parts[4]) : undefined; }
    catch (error) { this.io.engine.closed('parse error'); return; }
    switch (parts[1]) {
    case '0': this._welcomed(data); break;
    case '1':
      // Sent away: it does not come back by itself.
      this.io.isWanted = false;
      this._lost('io server disconnect');
      this.io.close();
      break;
    case '2':
      // In a session that can be picked up, every event ends with its number.
      if (this._pid && typeof data[data.length - 1] === 'string') { this._offset = data.pop(); }
      else if (this._pid && data[0] === 'resumable') { break; }
      this._event(data, parts[3]);
      break;
    case '3': this._answered(Number(parts[3]), data); break;
    case '4':
      this.io.isWanted = false;
      this._fire('connect_error', [Object.assign(new Error(data.message), { data: data.data })]);
      break;
    default: break;
    }
  };

  Socket.prototype._welcomed = function (data) {
    var missed = [];
    this.recovered = Boolean(data.pid) && data.pid === this._pid;
    if (this.recovered) {
      missed = this._sent.slice(data.received - this._settled);
    } else {
      this._waiting = this._unsent();
      this._sent = [];
      this._settled = 0;
      this._offset = undefined;
    }
    this._pid = data.pid;
    this.id = data.sid;
    this.connected = true;
    this.disconnected = false;
    missed.forEach(this._packet, this);
    this._buffer.splice(0).forEach(this._sends, this);
    this._fire('connect', []);
  };

  // Whoever waits for the answer to an event that was never sent goes on waiting.
  Socket.prototype._unsent = function () {
    var waiting = this._waiting;
    var kept = {};
    this._buffer.forEach(function (text) {
      var id = /^2(\d+)/.exec(text);
      if (id && waiting[id[1]]) { kept[id[1]] = waiting[id[1]]; }
    });
    return kept;
  };

  Socket.prototype._event = function (args, id) {
    var self = this;
    this._any.slice().forEach(function (listener) { listener.apply(self, args); });
    var rest = args.slice(1);
    if (id) {
      rest.push(function () { self._packet('3' + id + JSON.stringify(Array.prototype.slice.call(arguments))); });
    }
    this._fire(args[0], rest);
  };

  Socket.prototype._answered = function (id, args) {
    var answer = this._waiting[id];
    var sent;
    delete this._waiting[id];
    // What is answered was received, and so was all that was sent before it.
    for (sent = 0; sent < this._sent.length; sent += 1) {
      if (this._sent[sent].indexOf('2' + id + '[') === 0) {
        this._settled += sent + 1;
        this._sent.splice(0, sent + 1);
        break;
      }
    }
    if (answer) { answer.apply(this, args); }
  };

  Socket.prototype._lost = function (reason) {
    if (!this.connected) { return; }
    this.connected = false;
    this.disconnected = true;
    this.id = undefined;
    if (reason === 'io server disconnect' || reason === 'io client disconnect') { this._pid = undefined; }
    if (!this._pid) { this._waiting = this._unsent(); }
    this._fire('disconnect', [reason]);
  };

  Socket.prototype.disconnect = Socket.prototype.close = function () {
    if (this.connected) { this._packet('1'); }
    this.io.isWanted = false;
    this._lost('io client disconnect');
    this.io.close();
    return this;
  };

  // `io([address], [options])` --------------------------------------------------------------------------------------------

  function io(address, options) {
    if (address && typeof address === 'object') { options = address; address = undefined; }
    options = Object.assign({ transports: ['polling', 'websocket'] }, options);
    var here = root.location ? root.location.protocol + '//' + root.location.host : '';
    address = address || here;
    if (/^\/\//.test(address)) { address = (root.location ? root.location.protocol : 'http:') + address; }
    if (!/^[a-z]+:\/\//i.test(address)) {
      // A path is a namespace, of which there is one; anything else is a host.
      address = address.charAt(0) === '/' ? here : (root.location && root.location.protocol === 'https:' ?
        'https://' : 'http://') + address;
    }
    var parts = /^(ws|http)(s?):\/\/([^/?#]+)/i.exec(address);
    if (!parts) { throw new Error('not an address: ' + address); }
    var path = (options.path || '/socket.io').replace(/\/$/, '') + '/';
    var manager = new Manager('http' + parts[2] + '://' + parts[3] + path, options);
    var socket = manager.socket = new Socket(manager, options);
    if (options.autoConnect !== false) { setTimeout(function () { socket.connect(); }, 0); }
    return socket;
  }

  io.io = io.connect = io;
  io.protocol = 5;
  io.Manager = Manager;
  io.Socket = Socket;
  return io;
}));
