/** Small charts of the last minutes, as SVG. */

const SVG = 'http://www.w3.org/2000/svg';
const LENGTH = 60;

/** The newest values of something, at most a minute or two of them. */
export class Series {
  values;

  constructor(values = []) {
    this.values = values;
  }

  push(value) {
    this.values.push(value);
    if (this.values.length > LENGTH) this.values.shift();
  }

  get last() {
    return this.values.at(-1) ?? 0;
  }
}

/**
 * An SVG element with `update(series, least)`; its full height is the greatest value, or `least` if that is more. What that is,
 * as `format` writes it, and of which time (`span`), is read when a pointer rests on it, or by a screen reader.
 */
export function chart(label, { tone = 'rate', format = null, span = 'last 2 min' } = {}) {
  /** @type {SVGSVGElement & Record<string, any>} */
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'chart');
  svg.setAttribute('viewBox', '0 0 59 100');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `${label}, ${span}`);
  svg.dataset.tone = tone;
  const area = document.createElementNS(SVG, 'polygon');
  const line = document.createElementNS(SVG, 'polyline');
  const title = document.createElementNS(SVG, 'title');
  svg.append(title, area, line);
  svg.update = (series, least = 1) => {
    const { values } = series;
    const most = Math.max(least, ...values);
    const first = LENGTH - values.length;
    const points = values.map((value, index) => `${first + index},${(96 - (value / most) * 90).toFixed(1)}`);
    line.setAttribute('points', points.join(' '));
    area.setAttribute('points', points.length ? `${first},100 ${points.join(' ')} 59,100` : '');
    svg.dataset.points = String(values.length);
    if (!format || values.length === 0) return;
    const text = `${label}, ${span}: ${format(values.at(-1))} now, at most ${format(Math.max(...values))}; full height ${format(most)}`;
    if (title.textContent === text) return;
    title.textContent = text;
    svg.setAttribute('aria-label', text);
  };
  return svg;
}

/** `1.2 Mb/s`. */
export function bitrate(bits) {
  if (bits >= 9_950_000) return `${Math.round(bits / 1e6)} Mb/s`;
  if (bits >= 995_000) return `${(bits / 1e6).toFixed(1)} Mb/s`;
  return `${Math.round(bits / 1000)} kb/s`;
}

/** `0.4 %` of a share from 0 to 1. */
export function percent(share) {
  return share > 0 && share < 0.0995 ? `${(share * 100).toFixed(1)} %` : `${Math.round(share * 100)} %`;
}
