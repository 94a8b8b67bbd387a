/** The panel for one tile: which layers to receive, and whether to show its stats. */

const find = (id) => document.getElementById(id);
const SIZES = { 1: ['full'], 2: ['half', 'full'], 3: ['quarter', 'half', 'full'] };

export class TilePanel {
  #key = null;
  #opener = null;
  #chosen;
  #stats;

  /** `chosen(key, { spatialLayer, temporalLayer } or null)`: null is automatic. `stats(key, shown)`. */
  constructor({ chosen, stats }) {
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
    find('tile-close').addEventListener('click', () => this.close());
    find('tile-panel').addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
    });
  }

  get key() {
    return find('tile-panel').hidden ? null : this.#key;
  }

  /**
   * `tile`: `{ key, label, spatial, temporal, choice, stats }`: how many layers there are to choose from (0 for
   * none, one's own), what is chosen (null: automatic) and whether stats are shown.
   */
  open({ key, label, spatial, temporal, choice, stats }, opener) {
    this.#key = key;
    this.#opener = opener;
    find('tile-title').textContent = label;
    find('tile-layers').hidden = spatial * temporal <= 1;
    const sizes = (SIZES[spatial] ?? Array.from({ length: spatial }, (_, layer) => `layer ${layer + 1}`))
      .map((name, layer) => [layer, spatial > 1 ? `Layer ${layer + 1} of ${spatial}: ${name} size` : 'As sent']).reverse();
    const rates = Array.from({ length: temporal }, (_, layer) => {
      const share = 2 ** (temporal - 1 - layer);
      return [layer, share === 1 ? 'Full frame rate' : `1/${share} of the frame rate`];
    }).reverse();
    fill(find('tile-size'), [['auto', 'Automatic: what fits the tile'], ...sizes], choice?.spatialLayer ?? 'auto');
    fill(find('tile-rate'), rates, choice?.temporalLayer ?? temporal - 1);
    find('tile-rate').disabled = !choice;
    find('tile-stats').checked = stats;
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
