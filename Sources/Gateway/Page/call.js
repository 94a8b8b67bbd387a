/** The call screen: ties a Room and the Devices to the video grid and the toolbar. */
import { Room } from './room.js';
import { VideoGrid } from './tiles.js';
import { DeviceProblem, openScreen, screenSharingSupported } from './localmedia.js';
import { fillPickers, watchPickers } from './devices.js';
import { showError, renderSwitch } from './lobby.js';
import { copyInvite, toast } from './toasts.js';
import { collect, summarise } from './statistics.js';
import { TilePanel } from './tilepanel.js';
import { layersText, receivedLines, sentLines, StreamSampler } from './tilestats.js';

const find = (id) => document.getElementById(id);
const STATE_WORDS = {
  connecting: 'Connecting…', connected: 'Connected', reconnecting: 'Reconnecting…', failed: 'Not connected', closed: 'Left',
};

export class Call {
  room = null;
  #devices;
  #left;
  #grid;
  #credentials = {};
  #name = '';
  #screenTrack = null;
  #soundBlocked = false;
  #ticker = 0;
  #lastStats = null;
  #wakeLock = null;
  #tilePanel;
  /** Tiles whose stats are shown, and what is sampled for them. */
  #statsShown = new Set();
  #received = new StreamSampler();
  #sent = new StreamSampler();
  #options;

  /** `left()`: back to the lobby. `options`: the rooms' `cameraPreferences` and `fitsTiles`. */
  constructor(devices, { left, options }) {
    this.#options = options;
    this.#devices = devices;
    this.#left = left;
    this.#grid = new VideoGrid(find('stage'), find('audio'), {
      blocked: (blocked) => {
        this.#soundBlocked = blocked;
        this.#renderBanner();
      },
      asked: (key, opener) => this.#openTilePanel(key, opener),
      placed: (consumerID, pixels) => this.room?.shownAt(consumerID, pixels),
    });
    this.#tilePanel = new TilePanel({
      chosen: (key, choice) => this.room?.chooseLayers(this.#consumerOf(key)?.id, choice),
      stats: (key, shown) => {
        if (shown) this.#statsShown.add(key);
        else this.#statsShown.delete(key);
        this.#grid.showStats(key, shown ? ['…'] : null);
        this.#tick();
      },
    });
    find('mic').addEventListener('click', () => this.#toggle('mic', () => devices.switchMicrophone(!devices.microphoneOn)));
    find('cam').addEventListener('click', () => this.#toggle('cam', () => devices.switchCamera(!devices.cameraOn)));
    find('screen').addEventListener('click', () => this.#toggle('screen', () => this.#toggleScreen()));
    find('leave').addEventListener('click', () => this.leave());
    for (const id of ['invite', 'alone-invite']) {
      find(id).addEventListener('click', () => copyInvite(this.room?.id ?? ''));
    }
    this.#panel('devices', 'device-panel');
    this.#panel('stats', 'stats-panel');
    watchPickers(find('call'), devices, { failed: showError, speakerChosen: (id) => this.#grid.useSpeaker(id) });
    devices.watch(() => {
      if (!this.room) return;
      this.#publish();
      this.#render();
    });
    addEventListener('pointerdown', (event) => {
      if (this.room && this.#soundBlocked) this.#grid.unblock();
      if (event.target instanceof Element && !event.target.closest('.panel, .toolbar, .tile-more')) this.#closePanels();
    });
    document.addEventListener('visibilitychange', () => {
      if (this.room && document.visibilityState === 'visible') this.#stayAwake();
    });
  }

  join({ name, room, password, token }) {
    this.#name = name;
    this.#credentials = { password, token };
    this.#enter(room);
    find('call').hidden = false;
    find('screen').hidden = !screenSharingSupported();
    document.title = `${room} · Roundhouse`;
    const speaker = this.#devices.chosen.audiooutput;
    if (speaker) this.#grid.useSpeaker(speaker).catch(() => {});
    this.#ticker = setInterval(() => this.#tick(), 1000);
    this.#stayAwake();
    this.#render();
    find('room-name').focus({ preventScroll: true });
  }

  leave() {
    if (!this.room) return;
    this.room.leave();
    this.room = null;
    clearInterval(this.#ticker);
    this.#stopScreen();
    this.#grid.show([]);
    this.#grid.play([]);
    this.#statsShown.clear();
    this.#wakeLock?.release().catch(() => {});
    this.#wakeLock = null;
    this.#closePanels();
    find('call').hidden = true;
    this.#left();
  }

  #enter(roomID) {
    const server = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;
    const room = new Room({
      server,
      roomID,
      peerID: crypto.getRandomValues(new Uint32Array(2)).reduce((text, part) => text + part.toString(36).padStart(7, '0'), ''),
      displayName: this.#name,
      ...this.#credentials,
      ...this.#options,
      watch: {
        changed: () => { if (this.room === room) this.#render(); },
        problem: (title, error) => { if (this.room === room) toast(title, error.message, 'error'); },
        ended: (end) => { if (this.room === room) this.#ended(end); },
      },
    });
    this.room = room;
    this.#publish();
  }

  #ended({ reason, mediaLost }) {
    if (mediaLost) {
      // The server gave us up while the network was away; nobody sent us out.
      this.#enter(this.room.id);
      this.#render();
      return;
    }
    this.leave();
    toast('The server ended this call', reason || 'You can join again at any time.', 'error');
  }

  #publish() {
    const { audio, video, microphoneOn, cameraOn } = this.#devices;
    this.room.publish('microphone', { track: audio, paused: !microphoneOn || !audio });
    this.room.publish('camera', { track: video, paused: !cameraOn || !video });
    if (this.#screenTrack) this.room.publish('screen', { track: this.#screenTrack });
  }

  async #toggle(id, action) {
    const button = find(id);
    if (button.getAttribute('aria-busy') === 'true') return;
    button.setAttribute('aria-busy', 'true');
    try {
      await action();
    } catch (error) {
      showError(error instanceof DeviceProblem ? error : { title: 'That did not work', advice: error.message });
    } finally {
      button.removeAttribute('aria-busy');
    }
  }

  async #toggleScreen() {
    if (this.#screenTrack) {
      this.#stopScreen();
      return;
    }
    const track = await openScreen();
    if (!track) return;
    if (!this.room) {
      track.stop();
      return;
    }
    this.#screenTrack = track;
    track.onended = () => this.#stopScreen();
    this.room.publish('screen', { track });
    this.#render();
  }

  #stopScreen() {
    if (!this.#screenTrack) return;
    this.#screenTrack.onended = null;
    this.#screenTrack.stop();
    this.#screenTrack = null;
    this.room?.unpublish('screen');
    if (this.room) this.#render();
  }

  #render() {
    const { room } = this;
    const { audio, video, microphoneOn, cameraOn } = this.#devices;
    const muted = !microphoneOn || !audio;
    const own = { peerID: room.peerID, name: this.#name, self: true, speaking: !muted && room.activeSpeaker === room.peerID };
    const screens = [];
    const cameras = [];
    const voices = [];
    for (const peer of room.peers.values()) {
      const consumers = [...peer.consumers.values()];
      const name = peer.displayName || 'Guest';
      const camera = consumers.find(({ kind, screen }) => kind === 'video' && !screen);
      const voice = consumers.some(({ kind, paused }) => kind === 'audio' && !paused);
      const shared = { peerID: peer.id, name, self: false };
      cameras.push({
        ...shared,
        key: `${peer.id} camera`,
        kind: 'camera',
        track: camera && !camera.paused ? camera.track : null,
        ...receiving(camera),
        muted: !voice,
        speaking: voice && room.activeSpeaker === peer.id,
      });
      for (const screen of consumers.filter((each) => each.screen && each.track)) {
        const { id, track } = screen;
        screens.push({ ...shared, key: id, kind: 'screen', track, muted: false, speaking: false, ...receiving(screen) });
      }
      for (const { id, kind, track } of consumers) {
        if (kind === 'audio' && track) voices.push({ key: id, track });
      }
    }
    cameras.push({ ...own, key: 'own camera', kind: 'camera', track: cameraOn ? video : null, muted });
    if (this.#screenTrack) screens.push({ ...own, key: 'own screen', kind: 'screen', track: this.#screenTrack, muted: false, speaking: false });
    this.#grid.show([...screens, ...cameras]);
    this.#grid.play(voices);

    find('room-name').textContent = room.id;
    find('head-count').textContent = `${room.peers.size + 1} here`;
    find('alone').hidden = room.peers.size > 0 || room.state === 'reconnecting' || room.retryAt > 0 || room.state === 'failed';
    find('state').dataset.state = room.state;
    const words = STATE_WORDS[room.state];
    if (find('state-text').textContent !== words) find('state-text').textContent = words;
    renderSwitch(find('mic'), 'mic', !muted, 'microphone');
    renderSwitch(find('cam'), 'cam', cameraOn && Boolean(video), 'camera');
    find('screen').setAttribute('aria-pressed', String(Boolean(this.#screenTrack)));
    find('screen').title = this.#screenTrack ? 'Stop sharing your screen' : 'Share your screen';
    for (const [id, title] of [['devices', 'Devices'], ['invite', 'Copy invite link'], ['stats', 'Connection statistics'], ['leave', 'Leave']]) {
      find(id).title = title;
    }
    fillPickers(find('call'), this.#devices);
    this.#renderBanner();
  }

  #renderBanner() {
    const banner = bannerFor(this.room, this.#soundBlocked);
    find('banner').hidden = !banner;
    if (!banner) return;
    if (find('banner-text').textContent !== banner.text) find('banner-text').textContent = banner.text;
    // Beside the alert, not in it, or a screen reader would read it out every second.
    find('banner-countdown').textContent = banner.countdown ?? '';
    find('banner-action').textContent = banner.action;
    find('banner-action').onclick = () => {
      if (banner.sound) this.#grid.unblock();
      else this.room?.rejoin();
    };
  }

  #panel(buttonID, panelID) {
    const button = find(buttonID);
    button.addEventListener('click', () => {
      const open = find(panelID).hidden;
      this.#closePanels();
      find(panelID).hidden = !open;
      button.setAttribute('aria-expanded', String(open));
      if (open) {
        this.#lastStats = null;
        this.#tick();
        find(panelID).querySelector('select')?.focus();
      }
    });
    find(panelID).addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      this.#closePanels();
      button.focus();
    });
  }

  // One tile

  /** The consumer behind a tile's key. */
  #consumerOf(key) {
    for (const peer of this.room?.peers.values() ?? []) {
      for (const consumer of peer.consumers.values()) {
        if (consumer.kind === 'video' && key === (consumer.screen ? consumer.id : `${peer.id} camera`)) return consumer;
      }
    }
    return null;
  }

  #openTilePanel(key, opener) {
    const wasOpen = this.#tilePanel.key === key;
    this.#closePanels();
    if (wasOpen) return;
    const consumer = this.#consumerOf(key);
    const { spatial, temporal } = consumer?.counts ?? { spatial: 1, temporal: 1 };
    this.#tilePanel.open({
      key, label: this.#grid.labelOf(key), spatial, temporal, choice: consumer?.choice ?? null,
      stats: this.#statsShown.has(key),
    }, opener);
  }

  async #updateStats() {
    if (this.#statsShown.size === 0) return;
    const { room } = this;
    const [received, sent] = await Promise.all([
      this.#received.sample(room.receiveConnection, 'inbound'), this.#sent.sample(room.sendConnection, 'outbound'),
    ]);
    if (this.room !== room) return;
    for (const key of this.#statsShown) {
      const source = { 'own camera': 'camera', 'own screen': 'screen' }[key];
      const consumer = this.#consumerOf(key);
      if (source) this.#grid.showStats(key, sentLines(sent.get(room.midOf(source)), room.scores.get(source)));
      else if (consumer) this.#grid.showStats(key, receivedLines(received.get(consumer.mid)?.[0], consumer));
      else this.#grid.showStats(key, ['Nothing arrives.']);
    }
  }

  #closePanels() {
    this.#tilePanel.close();
    for (const button of [find('devices'), find('stats')]) {
      find(button.getAttribute('aria-controls')).hidden = true;
      button.setAttribute('aria-expanded', 'false');
    }
  }

  async #tick() {
    if (!this.room) return;
    this.#renderBanner();
    this.#updateStats();
    if (find('stats-panel').hidden) return;
    const stats = await collect(this.room.sendConnection, this.room.receiveConnection);
    const at = performance.now();
    const rows = summarise(stats, this.#lastStats?.stats, this.#lastStats ? (at - this.#lastStats.at) / 1000 : 0);
    this.#lastStats = { stats, at };
    find('stats-rows').replaceChildren(...rows.map(([label, text]) => {
      const row = document.createElement('tr');
      const head = document.createElement('th');
      head.scope = 'row';
      head.textContent = label;
      const cell = document.createElement('td');
      cell.textContent = text;
      row.append(head, cell);
      return row;
    }));
  }

  async #stayAwake() {
    try {
      this.#wakeLock = await navigator.wakeLock?.request('screen') ?? null;
    } catch {
      // Low battery, or a hidden page: the screen may then sleep.
    }
  }
}

/** What a tile says of how its picture is received. */
function receiving(consumer) {
  if (!consumer) return {};
  const { id, counts, layers } = consumer;
  return { consumerID: id, layers, layersText: counts.spatial * counts.temporal > 1 ? layersText(layers, counts) : '', counts };
}

/** What the person must know at once, with the one thing to do about it. */
function bannerFor(room, soundBlocked) {
  if (!room) return null;
  if (room.state === 'failed') {
    return {
      text: room.failure ?? 'The server answers, but audio and video do not get through: a firewall may block its media ports (UDP and TCP).',
      action: 'Try again',
    };
  }
  if (room.retryAt > 0) {
    const seconds = Math.max(0, Math.ceil((room.retryAt - Date.now()) / 1000));
    return {
      text: 'The server cannot be reached. You will be back in the room as soon as it can.',
      countdown: seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying now…',
      action: 'Try now',
    };
  }
  if (soundBlocked) return { text: 'Your browser mutes the call until you touch the page.', action: 'Turn sound on', sound: true };
  return null;
}
