import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe, isOfKind, learn } from '../../Sources/Gateway/Page/console/events.js';
import { networkOf } from '../../Sources/Gateway/Page/console/roomview.js';
import { dropGroups, lossOf, qualityOf } from '../../Sources/Gateway/Page/console/stats.js';

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
  assert.equal(networkOf({ address: '192.0.2.1', transports: [] }), 'signaling from 192.0.2.1');
});
