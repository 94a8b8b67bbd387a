/** The panel for one tile: which layers to receive, and whether to show its stats. */
import { t } from './texts.js';

/** @type {(id: string) => any} */
const find = (id) => document.getElementById(id);
const SIZES = { 1: ['full'], 2: ['half', 'full'], 3: ['quarter', 'half', 'full'] };
const canFloat = () => document.pictureInPictureEnabled === true;

export class TilePanel {
  #key = null;
  #opener = null;
  #chosen;
  #stats;

  /** `chosen(key, { spatialLayer, temporalLayer } or null)`: null is automatic. `stats(key, shown)`. `does(key, what)`: pin,
   * fullscreen or float. */
  constructor({ chosen, stats, does }) {
    this.#chosen = chosen;
    this.#stats = stats;
    const choose = () => {
      const size = find('tile-size').value;
      const rate = find('tile-rate').value;
      find('tile-rate').disabled = size === 'auto';
      this.#chosen(this.#key, size === 'auto' ? null : { spatialLayer: Number(size), temporalLayer: Number(rate) });
    };
    find('tile-size').addEventListener('change', choose);
    find('tile-rate').addEventListener('change', choose);
    find('tile-stats').addEventListener('change', ({ target }) => this.#stats(this.#key, target.checked));
    for (const [id, what] of [['tile-pin', 'pin'], ['tile-fullscreen', 'fullscreen'], ['tile-pip', 'float']]) {
      find(id).addEventListener('click', () => {
        const key = this.#key;
        this.close();
        does(key, what);
      });
    }
    find('tile-close').addEventListener('click', () => this.close());
  }

  get key() {
    return find('tile-panel').hidden ? null : this.#key;
  }

  /**
   * `tile`: `{ key, label, spatial, temporal, choice, stats }`: how many layers there are to choose from (0 for
   * none, one's own), what is chosen (null: automatic), whether stats are shown, and whether the tile is pinned.
   */
  open({ key, label, spatial, temporal, choice, stats, pinned }, opener) {
    this.#key = key;
    this.#opener = opener;
    find('tile-title').textContent = label;
    find('tile-layers').hidden = spatial * temporal <= 1;
    const sizes = Array.from({ length: spatial }, (_, layer) => {
      const name = SIZES[spatial]?.[layer];
      return [layer, spatial > 1 ? t(name ? `tile.size.${name}` : 'tile.size.layer', { number: layer + 1, count: spatial }) : t('tile.size.sent')];
    }).reverse();
    const rates = Array.from({ length: temporal }, (_, layer) => {
      const share = 2 ** (temporal - 1 - layer);
      return [layer, share === 1 ? t('tile.rate.full') : t('tile.rate.share', { share })];
    }).reverse();
    fill(find('tile-size'), [['auto', t('tile.size.auto')], ...sizes], choice?.spatialLayer ?? 'auto');
    fill(find('tile-rate'), rates, choice?.temporalLayer ?? temporal - 1);
    find('tile-rate').disabled = !choice;
    find('tile-stats').checked = stats;
    find('tile-pin').setAttribute('aria-pressed', String(pinned));
    find('tile-fullscreen').hidden = !document.fullscreenEnabled;
    find('tile-pip').hidden = !canFloat();
    find('tile-panel').hidden = false;
    opener.setAttribute('aria-expanded', 'true');
    (find('tile-layers').hidden ? find('tile-stats') : find('tile-size')).focus();
  }

  close() {
    if (find('tile-panel').hidden) return;
    find('tile-panel').hidden = true;
    this.#opener?.setAttribute('aria-expanded', 'false');
    if (this.#opener?.isConnected) this.#opener.focus();
    this.#opener = null;
  }
}

function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => new Option(text, String(value), false, value === chosen)));
}
