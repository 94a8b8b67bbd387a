/** Places tiles so that they fill the window without scrolling. Numbers in, rectangles out. */

const GAP = 10;
const PORTRAIT_ASPECTS = [0.72, 16 / 9];
const LANDSCAPE_ASPECTS = [4 / 3, 16 / 9];

/**
 * Rectangles `{ x, y, width, height }` for `featured` big tiles (shared screens) and `others`, in a stage of the
 * given size. With something featured the others become a strip along the longer side.
 */
export function layOut({ width, height, featured, others }) {
  if (width <= 0 || height <= 0) return { featured: [], others: [] };
  const portrait = height > width;
  if (featured === 0) {
    return { featured: [], others: fill({ x: 0, y: 0, width, height }, others, aspects(portrait, others)) };
  }
  if (others === 0) {
    return { featured: fill({ x: 0, y: 0, width, height }, featured, [1, 2.4]), others: [] };
  }
  const share = portrait ? 0.6 : others > 6 ? 0.7 : 0.78;
  if (portrait) {
    const main = Math.round((height - GAP) * share);
    return {
      featured: fill({ x: 0, y: 0, width, height: main }, featured, [0.6, 2.4]),
      others: fill({ x: 0, y: main + GAP, width, height: height - GAP - main }, others, PORTRAIT_ASPECTS),
    };
  }
  const widest = Math.round((width - GAP) * (1 - share));
  const strip = fill({ x: width - widest, y: 0, width: widest, height }, others, [1, 16 / 9]);
  // Many low tiles leave a margin in the strip: the screen takes it over.
  const margin = Math.min(...strip.map(({ x }) => x)) - (width - widest);
  return {
    featured: fill({ x: 0, y: 0, width: width - GAP - widest + 2 * margin, height }, featured, [1, 2.4]),
    others: strip.map((place) => ({ ...place, x: place.x + margin })),
  };
}

function aspects(portrait, count) {
  if (!portrait) return LANDSCAPE_ASPECTS;
  return count === 1 ? [0.5, 16 / 9] : PORTRAIT_ASPECTS;
}

/**
 * The column count with the largest tiles wins; a short last row is centered.
 * @param {{ x: number, y: number, width: number, height: number }} area
 * @param {number} count
 * @param {number[]} aspects the narrowest and the widest, width by height
 */
function fill(area, count, aspects) {
  const [narrowest, widest] = aspects;
  let best = null;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    let width = (area.width - GAP * (columns - 1)) / columns;
    let height = (area.height - GAP * (rows - 1)) / rows;
    if (width <= 0 || height <= 0) continue;
    if (width / height > widest) width = height * widest;
    else if (width / height < narrowest) height = width / narrowest;
    if (!best || width * height > best.width * best.height) best = { columns, rows, width, height };
  }
  if (!best) return Array.from({ length: count }, () => ({ x: area.x, y: area.y, width: 0, height: 0 }));

  const { columns, rows, width, height } = best;
  const top = area.y + (area.height - rows * height - GAP * (rows - 1)) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = row === rows - 1 ? count - row * columns : columns;
    const left = area.x + (area.width - inRow * width - GAP * (inRow - 1)) / 2;
    return {
      x: Math.floor(left + (index % columns) * (width + GAP)),
      y: Math.floor(top + row * (height + GAP)),
      width: Math.floor(width),
      height: Math.floor(height),
    };
  });
}
