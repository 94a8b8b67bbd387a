/** The video grid: one tile per camera and per shared screen, and one hidden audio element per voice. */
import { layOut } from './grid.js';
import { facesPerson } from './localmedia.js';
import { t } from './texts.js';

const REACTION_MS = 4_000;
const SVG = 'http://www.w3.org/2000/svg';

export class VideoGrid {
  #root;
  #audioRoot;
  #tiles = new Map();
  #voices = new Map();
  #speaker = '';
  #blocked;
  #asked;
  #placed;
  #picked;

  /**
   * `blocked(isBlocked)` is called when the browser refuses to play sound before a touch; `asked(key, button)` when the
   * person wants a tile's panel; `placed(consumerID, pixels)` how high a video is shown, in the screen's own pixels,
   * 0 if it is not; `picked(key, isDouble)` when a tile was clicked, once or twice.
   */
  constructor(root, audioRoot, { blocked, asked, placed, picked }) {
    this.#root = root;
    this.#audioRoot = audioRoot;
    this.#blocked = blocked;
    this.#asked = asked;
    this.#placed = placed;
    this.#picked = picked;
    new ResizeObserver(() => this.#place()).observe(root);
  }

  /**
   * `wanted`: `[{ key, peerID, kind: camera|screen, name, label, track, muted, speaking, self, bars }]`, in order; of what is
   * received also `consumerID`, `counts`, `layers` and `layersText`; `featured` is large, `hidden` on another page.
   */
  show(wanted) {
    const keys = new Set(wanted.map(({ key }) => key));
    for (const [key, tile] of this.#tiles) {
      if (keys.has(key)) continue;
      tile.querySelector('video').srcObject = null;
      tile.remove();
      this.#tiles.delete(key);
    }
    const ordered = new Map();
    // In the order in which they are seen: large ones first.
    for (const each of [...wanted].sort((a, b) => Number(b.featured ?? false) - Number(a.featured ?? false))) {
      const tile = this.#tiles.get(each.key) ?? makeTile(each, this.#asked, this.#picked);
      update(tile, each);
      ordered.set(each.key, tile);
    }
    this.#tiles = ordered;
    putInOrder(this.#root, [...ordered.values()]);
    this.#place();
  }

  /** Lines over a tile's picture; null for none. */
  showStats(key, lines) {
    const overlay = this.#tiles.get(key)?.querySelector('.tile-stats');
    if (!overlay) return;
    overlay.hidden = !lines;
    this.#tiles.get(key).dataset.stats = String(Boolean(lines));
    overlay.textContent = lines?.join('\n') ?? '';
  }

  /** Something that is seen over a tile for a moment. */
  react(key, emoji) {
    const tile = this.#tiles.get(key);
    if (!tile) return;
    const shown = document.createElement('span');
    shown.className = 'reaction';
    shown.textContent = emoji;
    shown.setAttribute('aria-hidden', 'true');
    tile.append(shown);
    setTimeout(() => shown.remove(), REACTION_MS);
  }

  elementOf(key) {
    return this.#tiles.get(key) ?? null;
  }

  labelOf(key) {
    return this.#tiles.get(key)?.querySelector('.name').textContent ?? '';
  }

  /** `wanted`: `[{ key, track }]`. */
  play(wanted) {
    const keys = new Set(wanted.map(({ key }) => key));
    for (const [key, element] of this.#voices) {
      if (keys.has(key)) continue;
      element.srcObject = null;
      element.remove();
      this.#voices.delete(key);
    }
    for (const { key, track } of wanted) {
      if (this.#voices.has(key)) continue;
      const element = document.createElement('audio');
      element.autoplay = true;
      element.srcObject = new MediaStream([track]);
      this.#voices.set(key, element);
      this.#audioRoot.append(element);
      if (this.#speaker) element.setSinkId?.(this.#speaker).catch(() => {});
      this.#start(element);
    }
    if (wanted.length === 0) this.#blocked(false);
  }

  /** After a touch: plays what the browser held back. */
  unblock() {
    this.#blocked(false);
    for (const element of this.#voices.values()) this.#start(element);
    for (const video of this.#root.querySelectorAll('video')) video.play().catch(() => {});
  }

  useSpeaker(id) {
    this.#speaker = id;
    return Promise.all([...this.#voices.values()].map((element) => element.setSinkId?.(id)));
  }

  #start(element) {
    element.play().catch((error) => {
      if (error.name === 'NotAllowedError') this.#blocked(true);
    });
  }

  #place() {
    const { clientWidth: width, clientHeight: height } = this.#root;
    const all = [...this.#tiles.values()];
    const tiles = all.filter((tile) => !tile.hidden);
    const screens = tiles.filter((tile) => tile.dataset.featured === 'true');
    let cameras = tiles.filter((tile) => tile.dataset.featured !== 'true');

    // Two people on an upright phone: the other one large, oneself in the corner.
    const own = cameras.find((tile) => tile.dataset.self === 'true');
    const floating = height > width && screens.length === 0 && cameras.length === 2 ? own : undefined;
    cameras = cameras.filter((tile) => tile !== floating);

    const places = layOut({ width, height, featured: screens.length, others: cameras.length });
    screens.forEach((tile, index) => put(tile, places.featured[index]));
    cameras.forEach((tile, index) => put(tile, places.others[index]));
    for (const tile of tiles) tile.dataset.floating = String(tile === floating);
    if (floating) {
      const side = Math.round(Math.min(width, height) * 0.3);
      const size = { width: side, height: Math.round(side * 4 / 3) };
      put(floating, { x: width - size.width - 12, y: height - size.height - 12, ...size });
    }
    for (const tile of all) {
      if (tile.dataset.consumerId) this.#placed(tile.dataset.consumerId, tile.hidden ? 0 : rowsOf(tile));
    }
  }
}

/** How many rows of a 16:9 picture a tile shows, on its screen: a camera fills its tile, a screen fits in. */
function rowsOf(tile) {
  const width = parseFloat(tile.style.width);
  const height = parseFloat(tile.style.height);
  const rows = tile.dataset.kind === 'screen' ? Math.min(height, width * 9 / 16) : Math.max(height, width * 9 / 16);
  // A tile without room is still one: only a hidden one needs no picture.
  return Math.max(1, Math.round(rows * Math.min(window.devicePixelRatio || 1, 2)));
}

function makeTile({ key, peerID, kind, self }, asked, picked) {
  const tile = document.createElement('article');
  tile.className = 'tile';
  tile.dataset.peerId = peerID;
  tile.dataset.kind = kind;
  tile.dataset.self = String(self);
  const video = document.createElement('video');
  video.autoplay = true;
  video.playsInline = true;
  video.muted = true;
  // Until the first frame is painted the initials stay.
  const showOrHide = () => {
    const isThere = Boolean(video.srcObject && video.readyState >= 2);
    if (!isThere || !video.requestVideoFrameCallback) tile.dataset.video = isThere ? 'on' : 'off';
    else video.requestVideoFrameCallback(() => { tile.dataset.video = video.srcObject ? 'on' : 'off'; });
  };
  for (const event of ['loadeddata', 'emptied', 'playing']) video.addEventListener(event, showOrHide);
  const avatar = document.createElement('div');
  avatar.className = 'avatar';
  avatar.setAttribute('aria-hidden', 'true');
  const caption = document.createElement('div');
  caption.className = 'caption';
  const icon = document.createElementNS(SVG, 'svg');
  icon.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', '#i-mic-off');
  icon.append(use);
  const name = document.createElement('span');
  name.className = 'name';
  name.dir = 'auto';
  const layer = document.createElement('span');
  layer.className = 'layer';
  const bars = document.createElement('span');
  bars.className = 'bars';
  bars.setAttribute('role', 'img');
  caption.append(icon, name, bars, layer);
  const more = document.createElement('button');
  more.type = 'button';
  more.className = 'tile-more';
  more.textContent = '⋯';
  more.setAttribute('aria-expanded', 'false');
  more.setAttribute('aria-controls', 'tile-panel');
  more.addEventListener('click', () => asked(key, more));
  tile.addEventListener('click', ({ target, detail }) => {
    if (!more.contains(/** @type {Node} */ (target))) picked(key, detail > 1);
  });
  const stats = document.createElement('pre');
  stats.className = 'tile-stats';
  stats.hidden = true;
  tile.append(video, avatar, stats, caption, more);
  return tile;
}

function update(tile, {
  name, label, kind, track, muted, speaking, self, bars, consumerID, counts, layers, layersText, featured = false, hidden = false,
  hand = false,
}) {
  const video = tile.querySelector('video');
  const shown = video.srcObject?.getVideoTracks()[0] ?? null;
  if (shown !== track) video.srcObject = track ? new MediaStream([track]) : null;
  if (!track || video.readyState < 2) tile.dataset.video = 'off';
  tile.hidden = hidden;
  tile.dataset.featured = String(featured);
  tile.querySelector('.name').textContent = label;
  tile.setAttribute('aria-label', [label, hand ? t('people.hand') : '', muted ? t('people.muted') : '', speaking ? t('people.speaking') : ''].filter(Boolean).join(', '));
  tile.querySelector('.tile-more').setAttribute('aria-label', t('tile.moreOf', { name: label }));
  tile.querySelector('.tile-more').title = t('tile.more');
  tile.dataset.consumerId = consumerID ?? '';
  tile.dataset.spatialLayer = String(layers?.spatialLayer ?? '');
  tile.dataset.temporalLayer = String(layers?.temporalLayer ?? '');
  const layer = tile.querySelector('.layer');
  layer.textContent = layersText && layers ? `${layers.spatialLayer + 1}/${counts.spatial}` : '';
  layer.title = layersText ?? '';
  showBars(tile.querySelector('.bars'), bars);
  tile.dataset.mirrored = String(self && kind === 'camera' && facesPerson(track));
  tile.dataset.muted = String(muted);
  tile.dataset.hand = String(hand);
  tile.dataset.speaking = String(speaking);
  const avatar = tile.querySelector('.avatar');
  avatar.textContent = initials(name);
  avatar.dataset.hue = String(hue(name));
}

/** Three bars for the quality of a connection, with its word, and `more` if there is more to say. */
export function showBars(element, bars, more = '') {
  element.hidden = bars === null || bars === undefined;
  if (element.hidden) return;
  const text = [t(`bars.${bars}`), more].filter(Boolean).join('. ');
  if (element.dataset.bars === String(bars) && element.title === text) return;
  element.dataset.bars = String(bars);
  element.title = text;
  element.setAttribute('aria-label', text);
}

/**
 * Makes the children of `root` follow each other as `tiles` do. What stands right stays where it is, since a browser that cannot
 * move elements takes them out and puts them in again, and the focus with them.
 */
function putInOrder(root, tiles) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  let place = root.firstElementChild;
  for (const tile of tiles) {
    if (tile === place) place = place.nextElementSibling;
    else if (tile.isConnected && root.moveBefore) root.moveBefore(tile, place);
    else root.insertBefore(tile, place);
  }
  if (focused !== document.activeElement && root.contains(focused)) focused.focus({ preventScroll: true });
}

function put(tile, { x, y, width, height }) {
  Object.assign(tile.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
}

function initials(name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => [...word][0]).join('').toUpperCase() || '?';
}

function hue(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 9973;
  return sum % 6;
}
