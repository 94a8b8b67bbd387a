/** The last hour of a room, minute by minute, as charts and as a table: of one that is open, or that has ended. */
import { bitrate, chart, percent, Series } from './chart.js';
import { make, match, write } from './dom.js';

const milliseconds = (time) => `${Math.round(time)} ms`;
/** What is drawn: `of(minute)`, undefined if nothing is known; `least` is the chart's least height. */
const FIGURES = [
  { label: 'People', of: ({ peers }) => peers, format: String, least: 4 },
  { label: 'Round trip', of: ({ roundTrip }) => roundTrip, format: milliseconds, least: 100 },
  { label: 'Received', of: ({ receivedBitrate }) => receivedBitrate, format: bitrate, least: 100_000 },
  { label: 'Sent', of: ({ sentBitrate }) => sentBitrate, format: bitrate, least: 100_000 },
  { label: 'Loss, uplink', of: ({ lossReceived }) => lossReceived, format: percent, least: 0.05, tone: 'loss' },
  { label: 'Loss, downlink', of: ({ lossSent }) => lossSent, format: percent, least: 0.05, tone: 'loss' },
];

function clock(time) {
  return new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

/** `{ label, values, most }` of each figure: its values, 0 where nothing is known, and the greatest in words. */
export function seriesOf(minutes) {
  return FIGURES.map(({ label, of, format }) => {
    const known = minutes.map(of).filter((value) => value !== undefined);
    return {
      label, values: minutes.map((minute) => of(minute) ?? 0), most: known.length > 0 ? format(Math.max(...known)) : '–',
    };
  });
}

/** The table's rows, the newest minute first: `{ until, cells }`. */
export function rowsOf(minutes) {
  return minutes.map((minute) => ({
    until: minute.until,
    cells: [
      ...FIGURES.map(({ of, format }) => (of(minute) === undefined ? '–' : format(of(minute)))),
      // What rounds to nothing is nobody's.
      minute.worst?.loss >= 0.0005 ? `${minute.worst.displayName || minute.worst.peerId}, ${percent(minute.worst.loss)}` : '',
    ],
  })).reverse();
}

/** An element with `update(minutes)`. */
export function hourView() {
  const gauges = FIGURES.map(({ label, format, least, tone }) => {
    const value = make('b', {}, '–');
    const picture = chart(label, { tone, format, span: 'last hour' });
    const element = make('div', { className: 'gauge' }, make('span', {}, `${label}, at most`), value, picture);
    return { element, show: ({ values, most }) => { write(value, most); picture.update(new Series(values), least); } };
  });
  const body = make('tbody');
  const heads = ['until', ...FIGURES.map(({ label }) => label.toLowerCase()), 'most lost by'];
  const table = make('div', { className: 'hour-table', tabIndex: 0, role: 'region', 'aria-label': 'Minutes' }, make(
    'table', {}, make('thead', {}, make('tr', {}, ...heads.map((head) => make('th', { scope: 'col' }, head)))), body));
  const none = make('p', { className: 'soft' }, 'A first minute has not ended yet.');
  const charts = make('div', { className: 'gauges' }, ...gauges.map(({ element }) => element));
  const element = make('div', { className: 'hour' }, none, charts, table);
  element.update = (minutes) => {
    none.hidden = minutes.length > 0;
    charts.hidden = table.hidden = minutes.length === 0;
    seriesOf(minutes).forEach((series, index) => gauges[index].show(series));
    match(body, rowsOf(minutes), ({ until }) => until, ({ until, cells }) => {
      const time = make('th', { scope: 'row' }, make('time', { dateTime: new Date(until).toISOString() }, clock(until)));
      const row = make('tr', {}, time, ...cells.map((cell) => make('td', {}, cell)));
      row.update = () => {};
      return row;
    });
  };
  element.update([]);
  return element;
}

/** One line for each visit to a room that has ended: `{ name, text }`. */
export function visitsOf(people, closedAt) {
  return people.map(({ displayName, peerId, joinedAt, leftAt, reason }) => ({
    name: displayName || peerId,
    text: `${clock(joinedAt)}–${clock(leftAt ?? closedAt)}${reason ? `, ${reason.replaceAll('-', ' ')}` : ''}`,
  }));
}
