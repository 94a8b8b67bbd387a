/** Why a peer is sent what it is sent: what its networks carry over time, and a sentence for each picture. */
import { bitrate, percent } from './chart.js';
import { make, match, write } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';
/** How far back the server remembers. */
export const SPAN_MS = 600_000;
const WIDTH = 600;
const HEIGHT = 100;

/** How much of that a chart shows, in milliseconds: whole minutes, so that there is something everywhere. */
export function spanOf(history, now) {
  const age = history.length > 0 ? now - history[0].time : 0;
  return Math.min(SPAN_MS, Math.max(1, Math.ceil(age / 60_000)) * 60_000);
}

/**
 * The points of a line over the last `span` milliseconds, as SVG has them: the newest at the right, `most` at the top.
 * A value holds until the next one.
 */
export function points(history, value, most, now, span) {
  const text = [];
  const place = (time) => Math.max(0, WIDTH * (1 - (now - time) / span)).toFixed(1);
  let last = null;
  for (const sample of history) {
    if (sample.time < now - span) continue;
    const y = (HEIGHT - (value(sample) / Math.max(most, 1e-9)) * (HEIGHT - 6)).toFixed(1);
    if (last !== null) text.push(`${place(sample.time)},${last}`);
    text.push(`${place(sample.time)},${y}`);
    last = y;
  }
  if (last !== null) text.push(`${WIDTH},${last}`);
  return text.join(' ');
}

/** `2 min 5 s ago`, or `now`. */
export function moment(ago) {
  const seconds = Math.round(ago / 1000);
  if (seconds === 0) return 'now';
  const minutes = Math.floor(seconds / 60);
  return `${[minutes && `${minutes} min`, seconds % 60 && `${seconds % 60} s`].filter(Boolean).join(' ')} ago`;
}

function picture(label, lines) {
  /** @type {SVGSVGElement & Record<string, any>} */
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'chart why-chart');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  for (const tone of lines) {
    const line = document.createElementNS(SVG, 'polyline');
    line.dataset.tone = tone;
    svg.append(line);
  }
  const cursor = document.createElementNS(SVG, 'line');
  cursor.setAttribute('y1', '0');
  cursor.setAttribute('y2', String(HEIGHT));
  svg.append(cursor);
  svg.show = (history, values, most, now, ago, span, summary) => {
    values.forEach((value, index) => svg.children[index].setAttribute('points', points(history, value, most, now, span)));
    const x = String(WIDTH * (1 - ago / span));
    cursor.setAttribute('x1', x);
    cursor.setAttribute('x2', x);
    svg.setAttribute('aria-label', `${label}: ${summary}`);
  };
  return svg;
}

function legend(tone, text) {
  const value = make('b');
  return { element: make('span', { className: 'why-key', 'data-tone': tone }, text, ' ', value), value };
}

/** A panel that asks again and again while it is open; `explain(ago)` gives an explanation with its history. */
export function whyPanel(explain) {
  const slider = make('input', {
    type: 'range', min: '0', max: '60000', step: '1000', value: '60000', 'aria-label': 'Which moment',
  });
  const when = make('output', { className: 'soft' }, 'now');
  const transports = make('div', { className: 'why-transports' });
  const trouble = make('p', { className: 'soft', hidden: true });
  const panel = make(
    'details', { className: 'why' }, make('summary', {}, 'Why this quality?'),
    make('div', { className: 'why-when' }, slider, when), trouble, transports);
  let isAsking = false;
  const ago = () => Number(slider.max) - Number(slider.value);
  /** Keeps the moment where it is when the chart shows more. */
  const reach = (span) => {
    if (String(span) === slider.max) return;
    const before = ago();
    slider.max = String(span);
    slider.value = String(span - before);
  };
  const ask = async () => {
    if (!panel.open || isAsking) return;
    isAsking = true;
    const asked = ago();
    try {
      const explanation = await explain(asked);
      trouble.hidden = explanation.transports.length > 0;
      write(trouble, 'It receives nothing: it has no transport for that.');
      match(transports, explanation.transports, ({ id }) => id, () => transportView());
      const now = explanation.time + asked;
      const span = Math.max(60_000, ...explanation.transports.map(({ history = [] }) => spanOf(history, now)));
      reach(span);
      for (const view of transports.children) view.show(now, asked, span);
    } catch (error) {
      trouble.hidden = false;
      write(trouble, error.message);
    } finally {
      isAsking = false;
    }
    if (asked !== ago()) ask();
  };
  slider.oninput = () => {
    write(when, moment(ago()));
    slider.setAttribute('aria-valuetext', moment(ago()));
    ask();
  };
  panel.ontoggle = ask;
  panel.update = ask;
  return panel;
}

function transportView() {
  const sentence = make('p', { className: 'why-sentence' });
  const rates = picture('Rates', ['wanted', 'acknowledged', 'estimate']);
  const trouble = picture('Queue and loss', ['loss', 'queue']);
  const keys = {
    estimate: legend('estimate', 'may be sent'), acknowledged: legend('acknowledged', 'arrives'),
    wanted: legend('wanted', 'wanted'), queue: legend('queue', 'queue'), loss: legend('loss', 'lost'),
  };
  const consumers = make('ul', { className: 'why-consumers' });
  const charts = make(
    'div', {}, rates, make('p', { className: 'why-keys' }, keys.estimate.element, keys.acknowledged.element, keys.wanted.element),
    trouble, make('p', { className: 'why-keys' }, keys.queue.element, keys.loss.element));
  const view = make('section', {}, charts, sentence, consumers);
  let shown = null;
  view.update = (transport) => { shown = transport; };
  view.show = (now, ago, span) => {
    const { bandwidth, history = [] } = shown;
    view.dataset.cause = bandwidth?.cause ?? 'unknown';
    write(sentence, shown.sentence);
    charts.hidden = history.length === 0;
    if (history.length > 0) {
      const most = Math.max(...history.map((sample) => Math.max(sample.estimate, sample.acknowledged)));
      const longest = Math.max(50, ...history.map(({ queue }) => queue));
      const worst = Math.max(0.05, ...history.map(({ loss }) => loss));
      const summary = bandwidth ? `${bitrate(bandwidth.estimate)} may be sent, ${bitrate(bandwidth.acknowledged)} arrive` : 'not known';
      rates.show(history, [(each) => Math.min(each.wanted, most), (each) => each.acknowledged, (each) => each.estimate], most, now, ago, span, summary);
      trouble.show(
        history, [(each) => each.loss / worst, (each) => each.queue / longest], 1, now, ago, span,
        bandwidth ? `${bandwidth.queue} ms, ${percent(bandwidth.loss)}` : 'not known');
      write(keys.estimate.value, bandwidth ? bitrate(bandwidth.estimate) : '–');
      write(keys.acknowledged.value, bandwidth ? bitrate(bandwidth.acknowledged) : '–');
      write(keys.wanted.value, bandwidth ? bitrate(bandwidth.wanted) : '–');
      write(keys.queue.value, bandwidth ? `${bandwidth.queue} ms` : '–');
      write(keys.loss.value, bandwidth ? percent(bandwidth.loss) : '–');
    }
    match(consumers, shown.consumers.filter(({ kind }) => kind === 'video'), ({ id }) => id, () => {
      const title = make('b');
      const why = make('span');
      const item = make('li', {}, title, ' ', why);
      item.update = ({ sender, source, layers, bitrate: rate, reason, sentence: words }) => {
        item.dataset.reason = reason;
        const size = layers ? `layer ${layers.spatialLayer + 1}, temporal layer ${layers.temporalLayer + 1}, ` : '';
        write(title, `${sender}, ${source ?? 'picture'} (${size}${bitrate(rate)}):`);
        write(why, words);
      };
      return item;
    });
  };
  return view;
}
