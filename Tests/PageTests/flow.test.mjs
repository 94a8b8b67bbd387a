// What flows and what does not, in virtual time.
import test from 'node:test';
import assert from 'node:assert/strict';
import { countersOf, Direction, overall, stateText } from '../../Sources/Gateway/Page/flow.js';

/** Samples once a second from `from` to `to`; `count(second)` are the counters. Returns when (s) the state became what it is. */
function run(direction, from, to, count, { wanted = true, connected = true } = {}) {
  let since = from;
  let state = direction.state;
  for (let second = from; second <= to; second += 1) {
    direction.sample({ at: second * 1000, wanted, connected, counters: count(second) });
    if (direction.state !== state) [state, since] = [direction.state, second];
  }
  return { state, since };
}

test('a direction in which something grows flows, and a stall is seen within five seconds, and so is its end', () => {
  const direction = new Direction();
  assert.equal(run(direction, 1, 10, (second) => [second, second]).state, 'flowing');
  const stall = run(direction, 11, 20, () => [10, 10]);
  assert.equal(stall.state, 'stalled');
  assert.ok(stall.since - 10 <= 5, `${stall.since - 10} s`);
  const end = run(direction, 21, 24, (second) => [second, second]);
  assert.deepEqual(end, { state: 'flowing', since: 21 });
});

test('what is sent and never answered does not flow', () => {
  const direction = new Direction();
  run(direction, 1, 10, (second) => [second, second]);
  assert.equal(run(direction, 11, 16, (second) => [second, 10]).state, 'stalled');
});

test('an answer each three seconds is enough', () => {
  const direction = new Direction();
  run(direction, 1, 3, (second) => [second, second]);
  for (let second = 4; second < 60; second += 1) {
    direction.sample({ at: second * 1000, wanted: true, connected: true, counters: [second, Math.floor(second / 3)] });
    assert.equal(direction.state, 'flowing', `second ${second}`);
  }
});

test('a path that never opens is blocked within eight seconds', () => {
  const direction = new Direction();
  const { state, since } = run(direction, 1, 12, () => [0, 0], { connected: false });
  assert.equal(state, 'blocked');
  assert.ok(since - 1 <= 8);
  assert.equal(run(direction, 13, 15, (second) => [second, second]).state, 'flowing', 'it opened after all');
});

test('what is not to flow is idle, however long, and a source just switched on gets its time', () => {
  const direction = new Direction();
  run(direction, 1, 5, (second) => [second, second]);
  assert.equal(run(direction, 6, 100, () => [5, 5], { wanted: false }).state, 'idle');
  run(direction, 101, 103, () => [5, 5]);
  assert.equal(direction.state, 'flowing');
  assert.equal(run(direction, 104, 110, () => [5, 5]).state, 'stalled');
});

test('a page that slept says nothing of the time it did not see', () => {
  const direction = new Direction();
  run(direction, 1, 5, (second) => [second, second]);
  direction.sample({ at: 60_000, wanted: true, connected: true, counters: [5, 5] });
  assert.equal(direction.state, 'flowing');
});

test('the whole is connected only if something flows or nothing is to', () => {
  const joined = { joined: true, joinedOnce: true };
  for (const [sending, receiving, state] of [
    ['idle', 'idle', 'connected'], ['flowing', 'idle', 'connected'], ['flowing', 'starting', 'connected'],
    ['starting', 'idle', 'connecting'], ['starting', 'starting', 'connecting'], ['flowing', 'slow', 'connecting'],
    ['stalled', 'flowing', 'reconnecting'], ['flowing', 'stalled', 'reconnecting'], ['blocked', 'idle', 'failed'],
    ['flowing', 'blocked', 'failed'],
  ]) assert.equal(overall({ ...joined, sending, receiving }), state, `${sending} ${receiving}`);
  assert.equal(overall({ ...joined, sending: 'stalled', receiving: 'stalled', gaveUp: true }), 'failed');
  assert.equal(overall({ ...joined, sending: 'flowing', receiving: 'flowing', away: 6_000 }), 'reconnecting');
  assert.equal(overall({ joined: false, joinedOnce: false }), 'connecting');
  assert.equal(overall({ joined: false, joinedOnce: true }), 'reconnecting');
});

test('the direction that failed alone is named', () => {
  assert.equal(stateText('reconnecting', 'stalled', 'flowing'), 'state.notSending');
  assert.equal(stateText('reconnecting', 'flowing', 'stalled'), 'state.notReceiving');
  assert.equal(stateText('reconnecting', 'stalled', 'stalled'), 'state.reconnecting');
  assert.equal(stateText('connected', 'flowing', 'idle'), 'state.connected');
});

test('counters are read from both connections, of the wanted streams only', () => {
  const counters = countersOf(
    [{ type: 'outbound-rtp', packetsSent: 5 }, { type: 'outbound-rtp', packetsSent: 6 },
      { type: 'candidate-pair', bytesReceived: 100, responsesReceived: 2 },
      { type: 'remote-inbound-rtp', kind: 'audio', fractionLost: 0.1 }],
    [{ type: 'inbound-rtp', mid: '0', packetsReceived: 7, packetsLost: 1 }, { type: 'inbound-rtp', mid: '1', packetsReceived: 9 }],
    new Set(['0']));
  assert.equal(counters.sent, 11);
  assert.equal(counters.heard, 102);
  assert.equal(counters.received, 7);
  assert.deepEqual(counters.streams.get('0'), { packets: 7, lost: 1 });
  assert.equal(counters.lossSent.get('audio'), 0.1);
});
