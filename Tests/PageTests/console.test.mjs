import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe, isOfKind, learn } from '../../Sources/Gateway/Page/console/events.js';
import { networkOf } from '../../Sources/Gateway/Page/console/roomview.js';
import { dropGroups, meaningOf } from '../../Sources/Gateway/Page/console/drops.js';
import { rowsOf, seriesOf, visitsOf } from '../../Sources/Gateway/Page/console/hour.js';
import { lossOf, qualityOf } from '../../Sources/Gateway/Page/console/stats.js';

test('loss is what the last report said, weighted by bitrate, and stays until the next', () => {
  const streams = [{ packetCount: 100, bitrate: 900, fractionLost: 0 }, { packetCount: 50, bitrate: 100, fractionLost: 128 }];
  assert.equal(lossOf(streams), 0.05);
  assert.equal(lossOf([...streams, { packetCount: 0, bitrate: 0, fractionLost: 255 }]), 0.05, 'what was never heard lost nothing');
  assert.equal(lossOf([]), 0);
});

test('drops on purpose are no faults, and both have rates', () => {
  const now = new Map([['useless_retransmission', 15_000], ['ring_full', 12], ['unknown_ssrc', 90], ['srtp_replay', 0]]);
  const { faults, design } = dropGroups(now, new Map([['ring_full', 6], ['unknown_ssrc', 90]]), 30);
  assert.deepEqual(faults.map(({ reason, perMinute }) => [reason, perMinute]), [['ring_full', 12], ['unknown_ssrc', 0]]);
  assert.deepEqual(design.map(({ reason, count }) => [reason, count]), [['useless_retransmission', 15_000]]);
});

test('figures are in milliseconds, and the worst of several streams', () => {
  const streams = [
    { packetCount: 9, jitter: 480, nackCount: 1, pliCount: 1, firCount: 1, packetsRepaired: 2, roundTripTime: 12 },
    { packetCount: 9, jitter: 960, nackCount: 2, pliCount: 0, firCount: 0, packetsRepaired: 0 },
  ];
  assert.deepEqual(qualityOf(streams, 48_000), { jitterMs: 20, rttMs: 12, nacks: 3, keyFrameRequests: 2, repaired: 2 });
  assert.deepEqual(qualityOf([{ packetCount: 0 }], 48_000), {});
});

test('an event says whose it is, also when only a track is named', () => {
  const [names, owners] = [new Map(), new Map()];
  learn({ data: { peerId: 'p', displayName: 'Ada' } }, names, owners);
  learn({ data: { consumerId: 'c', peerId: 'p', producerId: 'x' } }, names, owners);
  assert.equal(describe({ type: 'consumer-score', data: { consumerId: 'c', score: { score: 9 } } }, names, owners), 'consumer score 9 · Ada');
  assert.equal(describe({ type: 'peer-left', data: { peerId: 'p', reason: 'left' } }, names, owners), 'peer left · Ada (left)');
  assert.ok(isOfKind({ type: 'peer-left' }, 'people') && !isOfKind({ type: 'peer-left' }, 'tracks') && isOfKind({ type: 'peer-left' }, 'all'));
});

test('a peer’s line says from where it comes and what it may not do', () => {
  const text = networkOf({
    address: '192.0.2.1', connectedAt: 0, permissions: { publish: false, subscribe: true, moderate: false },
    transports: [{ iceSelectedTuple: { protocol: 'udp', remoteIp: '192.0.2.9', remotePort: 5000 } }],
  });
  assert.equal(text, 'udp 192.0.2.9:5000 · may not publish');
  const relayed = { protocol: 'tcp', relay: 'tls', remoteIp: '192.0.2.9', remotePort: 50000 };
  assert.equal(networkOf({ transports: [{ iceSelectedTuple: relayed }] }), 'TURN/tls 192.0.2.9:50000');
  assert.equal(networkOf({ address: '192.0.2.1', transports: [] }), 'signaling from 192.0.2.1');
});

test('every reason for which packets are dropped is explained', async () => {
  const { readFileSync } = await import('node:fs');
  const page = readFileSync(new URL('../../Docs/Operations.md', import.meta.url), 'utf8');
  const rows = page.slice(page.indexOf('| `oversized_datagram`')).split('\n').filter((row) => row.startsWith('| `'));
  const reasons = rows.flatMap((row) => [...row.split('|')[1].matchAll(/`([a-z_]+)`/g)].map(([, name]) => name));
  assert.ok(reasons.length >= 30, `${reasons}`);
  assert.deepEqual(reasons.filter((reason) => meaningOf(reason) === ''), []);
  assert.equal(meaningOf('newer_than_this_page'), '');
});

const MINUTE = { until: 60_000, peers: 2, producers: 4, consumers: 4, receivedBitrate: 1_200_000, sentBitrate: 900_000 };

test('an hour has its greatest values, and rows for what is known, the newest first', () => {
  const minutes = [
    { ...MINUTE, lossReceived: 0, lossSent: 0.02, roundTrip: 41.6, worst: { peerId: 'p', displayName: 'Ada', loss: 0.02 } },
    { ...MINUTE, until: 120_000, peers: 3, sentBitrate: 2_000_000 },
  ];
  const figures = new Map(seriesOf(minutes).map(({ label, values, most }) => [label, [most, values]]));
  assert.deepEqual(figures.get('People'), ['3', [2, 3]]);
  assert.deepEqual(figures.get('Sent'), ['2.0 Mb/s', [900_000, 2_000_000]]);
  assert.deepEqual(figures.get('Round trip'), ['42 ms', [41.6, 0]]);
  assert.deepEqual(figures.get('Loss, downlink'), ['2.0 %', [0.02, 0]]);
  const rows = rowsOf(minutes);
  assert.deepEqual(rows.map(({ until }) => until), [120_000, 60_000]);
  assert.deepEqual(rows[0].cells, ['3', '–', '1.2 Mb/s', '2.0 Mb/s', '–', '–', '']);
  assert.deepEqual(rows[1].cells, ['2', '42 ms', '1.2 Mb/s', '900 kb/s', '0 %', '2.0 %', 'Ada, 2.0 %']);
  assert.deepEqual(seriesOf([])[0], { label: 'People', values: [], most: '–' });
});

test('who was in a room that has ended is listed with what is known', () => {
  const visits = visitsOf([
    { peerId: 'a', displayName: 'Ada', joinedAt: 0, leftAt: 60_000, reason: 'kicked-by-an-operator' }, { peerId: 'b', displayName: '', joinedAt: 0 },
  ], 120_000);
  assert.equal(visits[0].name, 'Ada');
  assert.match(visits[0].text, /^\d\d:00–\d\d:01, kicked by an operator$/);
  assert.equal(visits[1].name, 'b');
  assert.match(visits[1].text, /^\d\d:00–\d\d:02$/);
});
