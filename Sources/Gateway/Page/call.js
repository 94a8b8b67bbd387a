/** The call screen: ties a Room and the Devices to the video grid and the toolbar. */
import { Room } from './room.js';
import { Stage } from './stage.js';
import { shareOf } from './quality.js';
import { showBars } from './tiles.js';
import { DeviceProblem, openScreen, screenSharingSupported } from './localmedia.js';
import { fillPickers, watchPickers } from './devices.js';
import { showError, renderSwitch } from './lobby.js';
import { copyInvite, copyLink, news, toast } from './toasts.js';
import { collect, summarise } from './statistics.js';
import { announcements, NEWS, newsOf, Settling } from './announcements.js';
import { arrange, keyOf } from './arrangement.js';
import { bannerFor } from './banner.js';
import { stateText } from './flow.js';
import { Moderation } from './moderation.js';
import { MuteHint } from './mutehint.js';
import { Panels } from './panels.js';
import { PeopleList } from './people.js';
import { actionOf } from './shortcuts.js';
import { Sounds } from './sounds.js';
import { Chat } from './chat.js';
import { recall, remember } from './memory.js';
import { t } from './texts.js';

/** @type {(id: string) => any} */
const find = (id) => document.getElementById(id);
const SAID_FOR_MS = 10_000;

export class Call {
  room = null;
  #devices;
  #left;
  #stage;
  #panels;
  #people;
  #moderation;
  #chat;
  #options;
  #credentials = {};
  /** `{ video, audio }` while the screen is shared. */
  #screen = null;
  #soundBlocked = false;
  #ticker = 0;
  #lastStats = null;
  #wakeLock = null;
  /** The source that an operator has switched off, until the person turns it on again or has understood. */
  #held = null;
  #settling = new Settling();
  #sounds = new Sounds();
  #lastPeople = null;
  #muteHint = new MuteHint(() => toast(t('hint.muted'), t('hint.mutedAdvice')));
  #ignoresClick = false;

  /** `left(refusal)`: back to the lobby, with how it ended or nothing. `options`: the rooms' `cameraPreferences` and `fitsTiles`. */
  constructor(devices, { left, options }) {
    this.#options = options;
    this.#devices = devices;
    this.#left = left;
    this.#stage = new Stage({
      room: () => this.room,
      blocked: (blocked) => {
        this.#soundBlocked = blocked;
        this.#renderBanner();
      },
      changed: () => this.#render(),
      opening: () => this.#panels.close(),
      ignoresClick: () => this.#ignoresClick,
    });
    this.#panels = new Panels({
      closed: () => {
        this.#stage.closePanel();
        this.#chat.closed();
      },
    });
    this.#chat = new Chat({
      sent: (text) => this.#tryToSend(() => this.room.write(text)),
      raised: () => this.#tryToSend(() => this.room.raiseHand(!this.room.conversation.hands.has(this.room.peerID))).catch(() => {}),
      reacted: (emoji) => this.#tryToSend(() => this.room.react(emoji)).catch(() => {}),
    });
    this.#moderation = new Moderation({
      room: () => this.room,
      token: () => this.#credentials.token,
      failed: (error) => toast(t('problem.other'), error.message, 'error'),
      invited: (token) => copyLink(this.room?.id ?? '', { token }),
      done: (text) => toast(text),
    });
    this.#people = new PeopleList({
      moderation: this.#moderation,
      renamed: (name) => this.#rename(name),
      invited: () => copyInvite(this.room?.id ?? '', Boolean(this.#credentials.token)),
    });
    this.#listen(devices);
  }

  #listen(devices) {
    find('mic').addEventListener('click', () => this.#toggle('mic', () => devices.switchMicrophone(!devices.microphoneOn)));
    find('cam').addEventListener('click', () => this.#toggle('cam', () => devices.switchCamera(!devices.cameraOn)));
    find('screen').addEventListener('click', () => this.#toggle('screen', () => this.#toggleScreen()));
    find('leave').addEventListener('click', () => this.leave());
    for (const id of ['invite', 'alone-invite']) {
      find(id).addEventListener('click', () => copyInvite(this.room?.id ?? '', Boolean(this.#credentials.token)));
    }
    const startStats = () => {
      this.#lastStats = null;
      this.#tick();
    };
    this.#panels.add('chat', 'chat-panel', () => this.#chat.opened());
    this.#panels.add('people', 'people-panel');
    this.#panels.add('devices', 'device-panel');
    this.#panels.add('stats', 'stats-panel', startStats);
    this.#panels.add('help', 'help-panel');
    find('open-stats').addEventListener('click', () => this.#panels.open('stats'));
    find('noise').checked = devices.noiseSuppression;
    find('noise').addEventListener('change', () => this.#toggle('noise', () => devices.suppressNoise(find('noise').checked)));
    find('sounds').checked = this.#sounds.on;
    find('sounds').addEventListener('change', () => { this.#sounds.on = find('sounds').checked; });
    find('shortcuts').checked = recall('shortcuts', true);
    find('shortcuts').addEventListener('change', () => remember('shortcuts', find('shortcuts').checked));
    watchPickers(find('call'), devices, { failed: showError, speakerChosen: (id) => this.#stage.useSpeaker(id) });
    devices.watch(() => {
      if (!this.room) return;
      this.#publish();
      this.#render();
    });
    addEventListener('pointerdown', (event) => {
      if (this.room && this.#soundBlocked) this.#stage.unblock();
      this.#ignoresClick = false;
      if (event.target instanceof Element && !event.target.closest('.panel, .toolbar, .tile-more')) {
        const wasTilePanel = this.#stage.closePanel();
        this.#ignoresClick = this.#panels.close() || wasTilePanel;
      }
    });
    addEventListener('keydown', (event) => this.#pressed(event));
    addEventListener('resize', () => {
      if (this.room) this.#render();
    });
    document.addEventListener('visibilitychange', () => {
      if (this.room && document.visibilityState === 'visible') this.#stayAwake();
    });
  }

  join({ name, room, password, token, peer }) {
    this.#credentials = { password, token };
    this.#enter(room, name, peer);
    find('call').hidden = false;
    document.title = `${room} · Roundhouse`;
    const speaker = this.#devices.chosen.audiooutput;
    if (speaker) this.#stage.useSpeaker(speaker).catch(() => {});
    this.#ticker = setInterval(() => this.#tick(), 1000);
    this.#stayAwake();
    this.#render();
    find('room-name').focus({ preventScroll: true });
  }

  leave(end = null) {
    if (!this.room) return;
    this.room.leave();
    this.room = null;
    clearInterval(this.#ticker);
    this.#stopScreen();
    this.#stage.clear();
    this.#muteHint.watch(null);
    this.#held = this.#lastPeople = null;
    this.#wakeLock?.release().catch(() => {});
    this.#wakeLock = null;
    this.#panels.close();
    find('announcer').replaceChildren();
    find('call').hidden = true;
    this.#left(end);
  }

  #enter(roomID, displayName, peer) {
    const server = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;
    const invented = () =>
      crypto.getRandomValues(new Uint32Array(2)).reduce((text, part) => text + part.toString(36).padStart(7, '0'), '');
    const room = new Room({
      server,
      roomID,
      // A token may be for one peer only.
      peerID: peer ?? invented(),
      displayName,
      ...this.#credentials,
      ...this.#options,
      watch: {
        changed: () => { if (this.room === room) this.#render(); },
        problem: (text, error) => { if (this.room === room) toast(t(text), error.message, 'error'); },
        paused: (source, isPaused) => { if (this.room === room) this.#pausedByOperator(source, isPaused); },
        mayPublish: () => { if (this.room === room) this.#devices.open(); },
        lockChanged: (isLocked) => { if (this.room === room) toast(t(isLocked ? 'said.locked' : 'said.unlocked')); },
        message: (text) => { if (this.room === room) toast(t('message.operator'), text, 'message'); },
        unsupported: (name, kind, reason) => {
          if (this.room === room) toast(t(`unsupported.${kind}`, { name }), reason, 'error');
        },
        wrote: (message) => {
          if (this.room === room && !room.conversation.isOpen) this.#say(t('said.wrote', { name: message.name, text: message.text.slice(0, 200) }));
        },
        reacted: (id, name, emoji) => {
          if (this.room !== room) return;
          const isOwn = id === room.peerID;
          this.#stage.react(id, isOwn, emoji);
          if (!isOwn) this.#say(t('said.reacted', { name: name || t('person.guest'), emoji }));
        },
        ended: (end) => { if (this.room === room) this.#ended(end, peer); },
      },
    });
    this.room = room;
    this.#chat.begin(room.conversation);
    this.#publish();
  }

  async #tryToSend(send) {
    try {
      await send();
    } catch (error) {
      toast(t('chat.notSent'), error.message, 'error');
      throw error;
    }
  }

  #ended(end, peer) {
    if (end.mediaLost) {
      // The server gave us up while the network was away; nobody sent us out.
      this.#enter(this.room.id, this.room.displayName, peer);
      this.#render();
      return;
    }
    this.leave(end);
  }

  // What we send

  #publish() {
    const { audio, video, microphoneOn, cameraOn } = this.#devices;
    this.room.publish('microphone', { track: audio, paused: !microphoneOn || !audio });
    this.room.publish('camera', { track: video, paused: !cameraOn || !video });
    if ((this.#held === 'microphone' && microphoneOn) || (this.#held === 'camera' && cameraOn)) this.#held = null;
    if (!this.#screen) return;
    this.room.publish('screen', { track: this.#screen.video });
    if (this.#screen.audio) this.room.publish('screen-sound', { track: this.#screen.audio });
  }

  /** What others do not get must not look as if it were on. */
  async #pausedByOperator(source, isPaused) {
    if (!isPaused) {
      if (this.#held === source) this.#held = null;
      if (source === 'microphone' || source === 'camera') toast(t(`allowed.${source}`));
      this.#render();
      return;
    }
    if (source === 'microphone') await this.#devices.switchMicrophone(false);
    else if (source === 'camera') await this.#devices.switchCamera(false);
    else this.#stopScreen();
    this.#held = source === 'screen-sound' ? 'screen' : source;
    this.#render();
  }

  async #toggle(id, action) {
    const button = find(id);
    if (button.getAttribute('aria-busy') === 'true') return;
    button.setAttribute('aria-busy', 'true');
    try {
      await action();
    } catch (error) {
      showError(error instanceof DeviceProblem ? error : { title: t('problem.other'), advice: error.message });
    } finally {
      button.removeAttribute('aria-busy');
    }
  }

  async #toggleScreen() {
    if (this.#screen) {
      this.#stopScreen();
      return;
    }
    const screen = await openScreen();
    if (!screen) return;
    if (!this.room) {
      for (const track of [screen.video, screen.audio]) track?.stop();
      return;
    }
    this.#screen = screen;
    this.#held = this.#held === 'screen' ? null : this.#held;
    screen.video.onended = () => this.#stopScreen();
    this.#publish();
    this.#render();
  }

  #stopScreen() {
    if (!this.#screen) return;
    const { video, audio } = this.#screen;
    this.#screen = null;
    video.onended = null;
    for (const track of [video, audio]) track?.stop();
    this.room?.unpublish('screen');
    this.room?.unpublish('screen-sound');
    if (this.room) this.#render();
  }

  async #rename(name) {
    try {
      await this.room?.rename(name);
      remember('name', name);
      toast(t('people.renamed'));
    } catch (error) {
      toast(t('people.notRenamed'), error.code === 403 ? t('people.nameOfToken') : error.message, 'error');
    }
  }

  // What is seen

  #render() {
    const { room } = this;
    if (!room) return;
    const { audio, video, microphoneOn, cameraOn } = this.#devices;
    const mayPublish = room.permissions.publish;
    // Nobody is filmed for nobody.
    if (!mayPublish && (audio || video)) this.#devices.close();
    const { people, ...scene } = arrange(room, {
      audio, video, screen: this.#screen?.video ?? null, microphoneOn, cameraOn,
    });
    this.#stage.show(scene);
    this.#people.show(people);
    this.#moderation.show();
    this.#chat.show({ maySend: room.mayWrite, isUp: room.conversation.hands.has(room.peerID) });
    this.#announce(people);

    const muted = !microphoneOn || !audio;
    this.#muteHint.watch(muted && mayPublish ? audio : null);
    find('room-name').textContent = room.id;
    find('head-count').textContent = t('call.count', { count: room.peers.size + 1 });
    find('alone').hidden = room.peers.size > 0 || room.state === 'reconnecting' || room.retryAt > 0 || room.state === 'failed';
    find('state').dataset.state = room.state;
    const words = t(stateText(room.state, room.sending, room.receiving));
    if (find('state-text').textContent !== words) find('state-text').textContent = words;
    const share = shareOf(room.downlink);
    const isShort = share !== null && share < 0.9;
    showBars(find('own-bars'), people[0].bars, isShort ? t('bars.narrow', { percent: Math.round(share * 100) }) : '');
    renderSwitch(find('mic'), 'mic', !muted, 'microphone');
    renderSwitch(find('cam'), 'cam', cameraOn && Boolean(video), 'camera');
    find('screen').setAttribute('aria-pressed', String(Boolean(this.#screen)));
    find('screen').title = t(this.#screen ? 'screen.stop' : 'screen.share');
    find('mic').hidden = find('cam').hidden = !mayPublish;
    find('screen').hidden = !mayPublish || !screenSharingSupported();
    find('watching').hidden = mayPublish;
    fillPickers(find('call'), this.#devices);
    this.#renderBanner();
  }

  #announce(people) {
    if (!this.room.isJoined) return;
    const now = this.#settling.mark(people, performance.now());
    const said = announcements(this.#lastPeople, now);
    for (const { text, values } of said) this.#say(t(text, values));
    for (const { text, values } of newsOf(said, now.length)) {
      news(t(text, values));
      this.#sounds.play(NEWS[text]);
    }
    this.#lastPeople = now;
  }

  #say(text) {
    const line = document.createElement('p');
    line.textContent = text;
    find('announcer').append(line);
    setTimeout(() => line.remove(), SAID_FOR_MS);
  }

  #renderBanner() {
    const banner = bannerFor(this.room, { soundBlocked: this.#soundBlocked, held: this.#held, now: Date.now() });
    find('banner').hidden = !banner;
    if (!banner) return;
    const text = t(banner.text, banner.values);
    if (find('banner-text').textContent !== text) find('banner-text').textContent = text;
    // Beside the alert, not in it, or a screen reader would read it out every second.
    find('banner-countdown').textContent = banner.countdown ? t(banner.countdown.text, banner.countdown.values) : '';
    find('banner-action').hidden = !banner.action;
    if (!banner.action) return;
    find('banner-action').textContent = t(banner.action.text);
    find('banner-action').onclick = () => {
      if (banner.action.does === 'sound') this.#stage.unblock();
      else if (banner.action.does === 'rejoin') this.room?.rejoin();
      else this.#held = null;
      this.#renderBanner();
    };
  }

  // Keys

  #pressed(event) {
    if (!this.room) return;
    if (event.key === 'Escape') {
      if (!this.#stage.closePanel() && !this.#panels.close({ givesFocusBack: true })) this.#stage.unpin();
      return;
    }
    const action = find('shortcuts').checked ? actionOf(event) : null;
    const button = { microphone: 'mic', camera: 'cam', screen: 'screen', help: 'help', chat: 'chat', hand: 'hand' }[action];
    if (action === 'fullscreen') this.#stage.fullscreen();
    else if (button && !find(button).hidden) find(button).click();
    if (action) event.preventDefault();
  }

  // Figures

  async #tick() {
    const { room } = this;
    if (!room) return;
    this.#renderBanner();
    this.#stage.updateStats();
    if (find('stats-panel').hidden) return;
    const stats = await collect(room.sendConnection, room.receiveConnection);
    if (this.room !== room) return;
    const at = performance.now();
    const rows = summarise(
      stats, this.#lastStats?.stats, this.#lastStats ? (at - this.#lastStats.at) / 1000 : 0, this.#labels());
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

  /** What the media sections of both directions are called. */
  #labels() {
    const sources = new Map(['microphone', 'camera', 'screen', 'screen-sound'].map((each) => [this.room.midOf(each), t(`stats.own.${each}`)]));
    sources.delete(undefined);
    const received = new Map();
    for (const peer of this.room.peers.values()) {
      for (const consumer of peer.consumers.values()) {
        if (consumer.kind === 'video') received.set(consumer.mid, this.#stage.labelOf(keyOf(peer, consumer)));
      }
    }
    return { sources, received };
  }

  async #stayAwake() {
    try {
      this.#wakeLock = await navigator.wakeLock?.request('screen') ?? null;
    } catch {
      // Low battery, or a hidden page: the screen may then sleep.
    }
  }
}
