/** Which cameras a full room shows: pages, and those who speak moving up to the first. No DOM in here. */

/** From so many others on, a room is shown in pages; small windows have smaller ones. */
export function pageSize(width, height) {
  return Math.min(width, height) < 480 ? 9 : 16;
}

/** Keeps the order of tiles: whoever speaks and is not on the first page changes places with who was silent there longest. */
export class SpeakerOrder {
  #order = [];
  #spoke = new Map();
  #turn = 0;

  /** `tiles`: those of the others, in the order of arrival; returns them in the order to show. */
  order(tiles, size) {
    const byKey = new Map(tiles.map((tile) => [tile.key, tile]));
    this.#order = this.#order.filter((key) => byKey.has(key));
    const known = new Set(this.#order);
    for (const key of byKey.keys()) if (!known.has(key)) this.#order.push(key);
    for (const [key] of this.#spoke) if (!byKey.has(key)) this.#spoke.delete(key);
    for (const { key, speaking } of tiles) {
      if (!speaking) continue;
      this.#turn += 1;
      this.#spoke.set(key, this.#turn);
      const place = this.#order.indexOf(key);
      if (place < size) continue;
      const first = this.#order.slice(0, size);
      const quietest = first.reduce((a, b) => ((this.#spoke.get(b) ?? 0) < (this.#spoke.get(a) ?? 0) ? b : a));
      this.#order[this.#order.indexOf(quietest)] = key;
      this.#order[place] = quietest;
    }
    return this.#order.map((key) => byKey.get(key));
  }
}

/**
 * `{ shown, page, pages }`: the tiles of one page. One's own is on every page and takes one of its places.
 */
export function pageOf(others, own, size, wanted) {
  if (others.length + own.length <= size) return { shown: [...others, ...own], page: 0, pages: 1 };
  const places = Math.max(1, size - own.length);
  const pages = Math.ceil(others.length / places);
  const page = Math.min(Math.max(0, wanted), pages - 1);
  return { shown: [...others.slice(page * places, (page + 1) * places), ...own], page, pages };
}
