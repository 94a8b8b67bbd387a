// The lines of the console's chart, and how far back a moment is.
import test from 'node:test';
import assert from 'node:assert/strict';
import { moment, points, spanOf, SPAN_MS } from '../../Sources/Gateway/Page/console/why.js';

const now = 1_000_000_000;

test('a value holds until the next one, and the newest until now', () => {
  const history = [{ time: now - SPAN_MS / 2, rate: 50 }, { time: now - SPAN_MS / 4, rate: 100 }];
  assert.equal(points(history, (each) => each.rate, 100, now, SPAN_MS), '300.0,53.0 450.0,53.0 450.0,6.0 600,6.0');
});

test('what is older than the chart is left out, and nothing makes no line', () => {
  assert.equal(points([{ time: now - SPAN_MS - 1, rate: 5 }], (each) => each.rate, 10, now, SPAN_MS), '');
  assert.equal(points([], (each) => each.rate, 0, now, SPAN_MS), '');
});

test('zero of zero is a line at the bottom', () => {
  assert.equal(points([{ time: now, rate: 0 }], (each) => each.rate, 0, now, SPAN_MS), '600.0,100.0 600,100.0');
});

test('a moment is said in minutes and seconds', () => {
  assert.deepEqual([0, 400, 5_000, 60_000, 125_000].map(moment), ['now', 'now', '5 s ago', '1 min ago', '2 min 5 s ago']);
});

test('a chart shows whole minutes, and ten at most', () => {
  const ages = [0, 1_000, 60_000, 61_000, 599_000, 900_000];
  const spans = ages.map((age) => spanOf([{ time: now - age }], now) / 60_000);
  assert.deepEqual(spans, [1, 1, 1, 2, 10, 10]);
  assert.equal(spanOf([], now), 60_000);
});
