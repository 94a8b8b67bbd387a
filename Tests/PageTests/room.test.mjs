// What is known of a room, and what is said and shown of it.
import test from 'node:test';
import assert from 'node:assert/strict';
import { announcements, Settling } from '../../Sources/Gateway/Page/announcements.js';
import { arrange, consumerAt } from '../../Sources/Gateway/Page/arrangement.js';
import { bannerFor } from '../../Sources/Gateway/Page/banner.js';
import { consumerOf, Known } from '../../Sources/Gateway/Page/notifications.js';
import { pageOf, pageSize, SpeakerOrder } from '../../Sources/Gateway/Page/paging.js';
import { barsOf, barsOfPeer, lossOf, ownBars } from '../../Sources/Gateway/Page/quality.js';
import { Receiving } from '../../Sources/Gateway/Page/receiving.js';
import { Sending } from '../../Sources/Gateway/Page/sending.js';

const ALL = { publish: true, subscribe: true, data: true };
const offer = (id, kind, appData = {}) => ({
  id, kind, producerId: `of-${id}`, appData, producerPaused: false,
  rtpParameters: { mid: id, encodings: [{ scalabilityMode: kind === 'video' ? 'L3T3' : undefined }] },
});
const OWN = { audio: {}, video: {}, screen: null, microphoneOn: true, cameraOn: true };

/** A room as `arrange` reads it, with Ada's consumers. */
function room(...offers) {
  const known = new Known();
  known.apply('newPeer', { id: 'ada', displayName: 'Ada' });
  for (const each of offers) known.peer('ada').consumers.set(each.id, { ...consumerOf(each), track: { of: each.id } });
  return {
    known, peers: known.peers, activeSpeaker: null, peerID: 'me', displayName: 'Bob', permissions: ALL, loss: new Map(),
    activeScores: new Map(), lossSent: 0, state: 'connected', retryAt: 0, drainsAt: 0,
  };
}

test('notifications change what is known, and say who is gone', () => {
  const { known } = room(offer('a', 'audio'), offer('v', 'video'));
  assert.equal(known.apply('consumerPaused', { consumerId: 'a' }).changed, true);
  assert.equal(known.peers.get('ada').consumers.get('a').paused, true);
  known.apply('consumerLayersChanged', { consumerId: 'v', spatialLayer: 1, temporalLayer: 2 });
  assert.deepEqual(known.peers.get('ada').consumers.get('v').layers, { spatialLayer: 1, temporalLayer: 2 });
  assert.equal(known.apply('consumerClosed', { consumerId: 'nobody' }).changed, false);
  assert.equal(known.apply('activeSpeaker', { peerId: null }).changed, false);
  assert.equal(known.apply('something', {}), null);
  const { closed, headCount } = known.apply('peerClosed', { peerId: 'ada' });
  assert.deepEqual(closed.map(({ id }) => id), ['a', 'v']);
  assert.ok(headCount && known.peers.size === 0);
});

test('every camera and screen of a peer has its tile and its name', () => {
  const one = room(
    offer('v1', 'video', { source: 'camera' }), offer('v2', 'video', { source: 'camera' }), offer('s1', 'video', { source: 'screen' }),
    offer('s2', 'video', { share: true }), offer('a', 'audio'), offer('s', 'audio', { source: 'screen-sound', share: true }));
  const { cameras, screens, voices, people } = arrange(one, OWN);
  assert.deepEqual(cameras.map(({ label }) => label), ['Ada', 'Ada, camera 2', 'Bob (you)']);
  assert.deepEqual(screens.map(({ label }) => label), ['Ada’s screen', 'Ada’s screen 2']);
  assert.deepEqual(voices.map(({ key }) => key), ['a', 's']);
  assert.equal(consumerAt(one, cameras[0].key).id, 'v1');
  assert.equal(consumerAt(one, cameras[1].key).id, 'v2');
  assert.equal(consumerAt(one, 's2').id, 's2');
  assert.deepEqual(people.map(({ name, muted, sharing }) => [name, muted, sharing]), [['Bob', false, false], ['Ada', false, true]]);
});

test('a screen with sound does not make a muted person heard', () => {
  const { cameras } = arrange(room(offer('s', 'audio', { source: 'screen-sound' })), OWN);
  assert.equal(cameras[0].muted, true);
});

test('somebody who may only watch has no tile of their own', () => {
  const { cameras, people } = arrange({ ...room(), permissions: { ...ALL, publish: false } }, { ...OWN, audio: null, video: null });
  assert.deepEqual(cameras.map(({ label }) => label), ['Ada']);
  assert.equal(people[0].muted, true);
});

test('what people do is announced, but not what a newcomer brings along', () => {
  const settling = new Settling();
  const me = { id: 'me', name: 'Bob', self: true };
  const ada = { id: 'ada', name: 'Ada', self: false, muted: true, camera: false, sharing: false };
  let last = settling.mark([me], 0);
  const say = (people, at) => {
    const now = settling.mark(people, at);
    const said = announcements(last, now).map(({ text }) => text);
    last = now;
    return said;
  };
  assert.deepEqual(announcements(null, last).map(({ text }) => text), ['said.alone']);
  assert.deepEqual(say([me, ada], 1_000), ['said.joined']);
  assert.deepEqual(say([me, { ...ada, muted: false, camera: true }], 1_500), []);
  assert.deepEqual(say([me, { ...ada, muted: false, camera: true }], 6_000), []);
  assert.deepEqual(say([me, { ...ada, muted: true, camera: true }], 7_000), ['said.muted']);
  assert.deepEqual(say([me, { ...ada, camera: true, sharing: true }], 8_000), ['said.sharing']);
  assert.deepEqual(say([me], 9_000), ['said.left']);
  const many = Array.from({ length: 5 }, (_, index) => ({ ...ada, id: `p${index}`, name: `P${index}` }));
  assert.deepEqual(announcements([me], [me, ...many])[0].values, { names: 'P0, P1, P2 +2' });
});

test('a full room has pages, and a speaker moves to the first in the place of the most silent', () => {
  const order = new SpeakerOrder();
  const tiles = (speaker) => Array.from({ length: 30 }, (_, index) => ({ key: index, speaking: index === speaker }));
  assert.deepEqual(order.order(tiles(null), 15).map(({ key }) => key).slice(0, 3), [0, 1, 2]);
  order.order(tiles(0), 15);
  const moved = order.order(tiles(20), 15).map(({ key }) => key);
  assert.equal(moved.indexOf(20), 1, 'in the place of 1, since 0 has spoken');
  assert.equal(moved.indexOf(1), 20);
  assert.deepEqual(order.order(tiles(20), 15).map(({ key }) => key), moved, 'and stays there');
  const own = [{ key: 'own' }];
  const first = pageOf(order.order(tiles(null), 15), own, 16, 0);
  assert.equal(first.shown.length, 16);
  assert.deepEqual([first.page, first.pages], [0, 2]);
  assert.equal(pageOf(order.order(tiles(null), 15), own, 16, 7).page, 1, 'there is no later page');
  assert.equal(pageOf(tiles(null).slice(0, 15), own, 16, 0).pages, 1, 'sixteen are one page');
  assert.ok(pageSize(360, 600) < pageSize(1280, 700));
});

test('bars come from the worst of scores and loss, and a pause is no bad connection', () => {
  assert.equal(barsOf({}), null);
  assert.equal(barsOf({ score: 10, loss: 0 }), 3);
  assert.equal(barsOf({ score: 10, loss: 0.1 }), 1);
  assert.equal(barsOf({ score: 6 }), 2);
  assert.equal(barsOf({ score: 0 }), 0);
  const { peers } = room(offer('a', 'audio'), offer('v', 'video'));
  const [audio, video] = peers.get('ada').consumers.values();
  audio.score = { score: 10, producerScore: 10, producerScores: [10] };
  video.score = { score: 10, producerScore: 3, producerScores: [3] };
  assert.equal(barsOfPeer(peers.get('ada'), new Map()), 1);
  video.paused = true;
  assert.equal(barsOfPeer(peers.get('ada'), new Map()), 3);
  assert.equal(ownBars(new Map([['camera', [{ score: 10 }, { score: 0 }]]]), 0), 3);
  assert.equal(ownBars(new Map(), 0), null);
  assert.equal(ownBars(new Map(), 0, { available: 500, desired: 0 }), null);
  assert.equal(ownBars(new Map(), 0, { available: 950, desired: 1000 }), 3);
  assert.equal(ownBars(new Map([['camera', [{ score: 10 }]]]), 0, { available: 500, desired: 1000 }), 2);
  assert.equal(ownBars(new Map([['camera', [{ score: 2 }]]]), 0, { available: 500, desired: 1000 }), 1);
  assert.equal(ownBars(new Map([['camera', [{ score: 10 }]]]), 0, { available: 300, desired: 1000 }), 1);
  const loss = lossOf(new Map([['0', { packets: 0, lost: 0 }]]), new Map([['0', { packets: 90, lost: 10 }], ['1', { packets: 9, lost: 9 }]]));
  assert.deepEqual([...loss], [['0', 0.1]]);
});

test('the banner says the most urgent thing, and what to do', () => {
  const one = room();
  const look = (changes, more = {}) => bannerFor({ ...one, ...changes }, { now: 0, ...more });
  assert.equal(look({}), null);
  assert.deepEqual(look({ state: 'failed', mediaPort: 5000 }).values, { port: 5000 });
  assert.equal(look({ retryAt: 3_500, outage: 'stopping' }).text, 'banner.stopping');
  assert.deepEqual(look({ retryAt: 3_500 }).countdown.values, { seconds: 4 });
  assert.equal(look({ drainsAt: 5_000 }).text, 'banner.draining');
  assert.equal(look({}, { held: 'microphone' }).text, 'banner.held.microphone');
  assert.equal(look({ permissions: { publish: false, subscribe: true } }).text, 'banner.watching');
  assert.equal(look({ permissions: { publish: true, subscribe: false } }).text, 'banner.sendingOnly');
  assert.equal(look({}, { soundBlocked: true }).action.does, 'sound');
});

test('what an operator pauses stays off until the person turns it on, also when the operator lets go', async () => {
  const requests = [];
  const session = {
    joined: true, mayPublish: true, id: 's',
    send: { id: 't', produce: async (track, { announce }) => ({ id: await announce({}), mid: '0', sender: { replaceTrack() {} } }) },
  };
  const sending = new Sending({
    request: async (method) => { requests.push(method); return { id: 'p' }; }, session: () => session, others: () => 0, problem: assert.fail,
  });
  const track = { kind: 'audio', enabled: true, readyState: 'live' };
  const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
  sending.publish('microphone', { track });
  await settled();
  assert.ok(sending.isExpected);
  assert.equal(sending.pausedByOperator('p', true), 'microphone');
  assert.ok(!sending.isExpected);
  assert.equal(sending.pausedByOperator('someone else’s', true), null);
  sending.publish('microphone', { track, paused: true });
  sending.pausedByOperator('p', false);
  await settled();
  assert.deepEqual(requests, ['produce', 'pauseProducer']);
  sending.publish('microphone', { track, paused: false });
  await settled();
  assert.equal(requests.at(-1), 'resumeProducer');
});

test('without the right to publish nothing is asked of the server', async () => {
  const sending = new Sending({
    request: assert.fail, session: () => ({ joined: true, mayPublish: false }), others: () => 0, problem: assert.fail,
  });
  sending.publish('camera', { track: { kind: 'video' } });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(sending.midOf('camera'), undefined);
});

test('a picture on another page is not sent, and its silence is no stall', () => {
  const { known } = room(offer('v', 'video'));
  const requests = [];
  const receiving = new Receiving({
    known, request: async (method) => { requests.push(method); }, session: () => ({ joined: true }), fitsTiles: true, problem: assert.fail,
  });
  receiving.shownAt('v', 180);
  assert.deepEqual([...receiving.expected], ['v']);
  receiving.shownAt('v', 0);
  assert.deepEqual([...receiving.expected], []);
  receiving.shownAt('v', 180);
  assert.deepEqual(requests, ['setConsumerPreferredLayers', 'pauseConsumer', 'resumeConsumer']);
  known.apply('consumerScore', { consumerId: 'v', score: { score: 0, producerScore: 0, producerScores: [0] } });
  assert.deepEqual([...receiving.expected], [], 'what does not reach the server is not our trouble');
});
