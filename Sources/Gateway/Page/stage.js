/** The stage: which tiles are large, on which page, in full screen or floating, and each tile's panel and figures. */
import { VideoGrid } from './tiles.js';
import { TilePanel } from './tilepanel.js';
import { receivedLines, sentLines, StreamSampler } from './tilestats.js';
import { consumerAt } from './arrangement.js';
import { pageOf, pageSize, SpeakerOrder } from './paging.js';
import { toast } from './toasts.js';
import { t } from './texts.js';

/** @type {(id: string) => any} */
const find = (id) => document.getElementById(id);
const OWN_SOURCES = { 'own camera': 'camera', 'own screen': 'screen' };

export class Stage {
  #room;
  #changed;
  #opening;
  #grid;
  #cameras = [];
  #panel;
  /** Tiles whose stats are shown, and what is sampled for them. */
  #statsShown = new Set();
  #received = new StreamSampler();
  #sent = new StreamSampler();
  #pinned = null;
  #page = 0;
  #order = new SpeakerOrder();

  /**
   * `room()`: the current one, or null. `blocked(isBlocked)`: see VideoGrid. `changed()`: the person wants it arranged
   * differently. `opening()`: before a tile's panel opens. `ignoresClick()`: whether a click on a tile was for something else.
   */
  constructor({ room, blocked, changed, opening, ignoresClick }) {
    this.#room = room;
    this.#changed = changed;
    this.#opening = opening;
    this.#grid = new VideoGrid(find('stage'), find('audio'), {
      blocked,
      asked: (key, opener) => this.#openPanel(key, opener),
      placed: (consumerID, pixels) => room()?.shownAt(consumerID, pixels),
      picked: (key, isDouble) => {
        if (isDouble) this.fullscreen(key);
        else if (!ignoresClick()) this.#pin(key);
      },
    });
    this.#panel = new TilePanel({
      chosen: (key, choice) => room()?.chooseLayers(consumerAt(room(), key)?.id, choice),
      stats: (key, shown) => {
        if (shown) this.#statsShown.add(key);
        else this.#statsShown.delete(key);
        this.#grid.showStats(key, shown ? ['…'] : null);
        this.updateStats();
      },
      does: (key, what) => {
        if (what === 'pin') this.#pin(key);
        else if (what === 'fullscreen') this.fullscreen(key);
        else this.#float(key);
      },
    });
    find('page-before').addEventListener('click', () => this.#turn(-1));
    find('page-after').addEventListener('click', () => this.#turn(1));
  }

  /** Tiles and voices as `arrange` gives them. */
  show({ screens, cameras, voices }) {
    if (![...screens, ...cameras].some(({ key }) => key === this.#pinned)) this.#pinned = null;
    const size = pageSize(find('stage').clientWidth, find('stage').clientHeight);
    const own = cameras.filter(({ self }) => self);
    const others = this.#order.order(cameras.filter(({ self }) => !self), size - own.length);
    const { shown, page, pages } = pageOf(others, own, size, this.#page);
    this.#page = page;
    const tiles = [...screens, ...shown, ...others.filter((tile) => !shown.includes(tile))].map((tile) => ({
      ...tile,
      featured: this.#pinned ? tile.key === this.#pinned : tile.kind === 'screen',
      hidden: tile.kind === 'camera' && !shown.includes(tile) && tile.key !== this.#pinned,
    }));
    this.#cameras = cameras;
    this.#grid.show(tiles);
    this.#grid.play(voices);
    find('pages').hidden = pages < 2;
    find('page-number').textContent = t('pages.number', { page: page + 1, pages });
    find('page-before').disabled = page === 0;
    find('page-after').disabled = page === pages - 1;
  }

  clear() {
    this.#grid.show([]);
    this.#grid.play([]);
    this.#statsShown.clear();
    this.#pinned = null;
    this.#page = 0;
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  }

  /** After a touch: plays what the browser held back. */
  unblock() {
    this.#grid.unblock();
  }

  useSpeaker(id) {
    return this.#grid.useSpeaker(id);
  }

  /** Shows what somebody shows for a moment, over their camera's tile. */
  react(peerID, isOwn, emoji) {
    const tile = this.#cameras.find((each) => (isOwn ? each.self : each.peerID === peerID));
    if (tile) this.#grid.react(tile.key, emoji);
  }

  labelOf(key) {
    return this.#grid.labelOf(key);
  }

  /** Returns whether a tile's panel was open. */
  closePanel() {
    const wasOpen = this.#panel.key !== null;
    this.#panel.close();
    return wasOpen;
  }

  /** Makes a large tile small again. */
  unpin() {
    if (this.#pinned && !document.fullscreenElement) this.#pin(this.#pinned);
  }

  /** The tile of the key, or, without one, what one would want large; out of full screen if it is on. */
  fullscreen(key = null) {
    if (document.fullscreenElement) {
      document.exitFullscreen().catch(() => {});
      return;
    }
    const stage = find('stage');
    const tile = this.#grid.elementOf(key ?? this.#pinned)
      ?? stage.querySelector('.tile[data-kind=screen]') ?? stage.querySelector('.tile[data-speaking=true][data-self=false]');
    (tile ?? find('call')).requestFullscreen?.().catch(() => {});
  }

  /** Figures on the tiles that show them. */
  async updateStats() {
    const room = this.#room();
    if (!room || this.#statsShown.size === 0) return;
    const [received, sent] = await Promise.all([
      this.#received.sample(room.receiveConnection, 'inbound'), this.#sent.sample(room.sendConnection, 'outbound'),
    ]);
    if (this.#room() !== room) return;
    for (const key of this.#statsShown) {
      const source = OWN_SOURCES[key];
      const consumer = consumerAt(room, key);
      if (source) this.#grid.showStats(key, sentLines(sent.get(room.midOf(source)), room.scores.get(source)));
      else if (consumer) this.#grid.showStats(key, receivedLines(received.get(consumer.mid)?.[0], consumer));
      else this.#grid.showStats(key, [t('figures.nothingArrives')]);
    }
  }

  #turn(by) {
    this.#page += by;
    this.#changed();
  }

  #pin(key) {
    this.#pinned = this.#pinned === key ? null : key;
    this.#changed();
  }

  #float(key) {
    const video = this.#grid.elementOf(key)?.querySelector('video');
    if (document.pictureInPictureElement === video) document.exitPictureInPicture().catch(() => {});
    else video?.requestPictureInPicture().catch((error) => toast(t('problem.float'), error.message, 'error'));
  }

  #openPanel(key, opener) {
    const wasOpen = this.#panel.key === key;
    this.#opening();
    if (wasOpen) return;
    const consumer = consumerAt(this.#room(), key);
    const { spatial, temporal } = consumer?.counts ?? { spatial: 1, temporal: 1 };
    this.#panel.open({
      key, label: this.labelOf(key), spatial, temporal, choice: consumer?.choice ?? null,
      stats: this.#statsShown.has(key), pinned: this.#pinned === key,
    }, opener);
  }
}
