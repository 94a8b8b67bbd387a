// Parts that stand alone: where tiles go, what the figures say, what is remembered, what is heard.
import test from 'node:test';
import assert from 'node:assert/strict';
import { newsOf } from '../../Sources/Gateway/Page/announcements.js';
import { Channels } from '../../Sources/Gateway/Page/channels.js';
import { layOut } from '../../Sources/Gateway/Page/grid.js';
import { DeviceProblem, listDevices, openBoth, openDevice, openScreen } from '../../Sources/Gateway/Page/localmedia.js';
import { keepInTab, keptInTab, recall, remember } from '../../Sources/Gateway/Page/memory.js';
import { SerialQueue } from '../../Sources/Gateway/Page/serialqueue.js';
import { SoundRule } from '../../Sources/Gateway/Page/sounds.js';
import { collect, summarise } from '../../Sources/Gateway/Page/statistics.js';
import { layersText, receivedLines, sentLines, StreamSampler } from '../../Sources/Gateway/Page/tilestats.js';
import { address, follow, readRooms, Refusal, useToken } from '../../Sources/Gateway/Page/console/api.js';
import { bitrate, percent, Series } from '../../Sources/Gateway/Page/console/chart.js';

/** Sets globals that browsers have, for one test. */
function given(t, globals) {
  for (const [name, value] of Object.entries(globals)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => (before ? Object.defineProperty(globalThis, name, before) : delete globalThis[name]));
  }
}

class Storage {
  kept = new Map();
  getItem(key) { return this.kept.get(key) ?? null; }
  setItem(key, value) { this.kept.set(key, String(value)); }
  removeItem(key) { this.kept.delete(key); }
}

test('tiles never overlap or leave the stage, from a phone to a wall, and screens get the most room', () => {
  const sizes = [[320, 568], [844, 390], [1280, 720], [3840, 2160]];
  for (const [width, height] of sizes) {
    for (let others = 0; others <= 30; others += 1) {
      for (const featured of [0, 1, 2]) {
        const placed = layOut({ width, height, featured, others });
        assert.deepEqual([placed.featured.length, placed.others.length], [featured, others]);
        const all = [...placed.featured, ...placed.others];
        for (const [index, a] of all.entries()) {
          assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height, `${width}×${height}, ${featured} + ${others}`);
          for (const b of all.slice(index + 1)) {
            const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
            assert.ok(apart || a.width * a.height * b.width * b.height === 0, `${width}×${height}, ${featured} + ${others}`);
          }
        }
        const largest = Math.max(0, ...placed.others.map((tile) => tile.width * tile.height));
        if (featured === 1) assert.ok(placed.featured[0].width * placed.featured[0].height >= largest);
      }
    }
  }
  assert.deepEqual(layOut({ width: 0, height: 100, featured: 1, others: 2 }), { featured: [], others: [] });
});

test('negotiations come one after another, a failed one stops none, and none begins after the end', async () => {
  const queue = new SerialQueue();
  const order = [];
  const failed = queue.run(async () => { order.push('first'); throw new Error('no'); });
  const second = queue.run(async () => order.push('second'));
  await assert.rejects(failed, /no/);
  await second;
  assert.deepEqual(order, ['first', 'second']);
  const late = queue.run(async () => order.push('late'));
  queue.close();
  await assert.rejects(late, /closed/);
  assert.deepEqual(order, ['first', 'second']);
});

test('what is remembered comes back, and a browser that remembers nothing is no fault', (t) => {
  given(t, { localStorage: new Storage(), sessionStorage: new Storage() });
  remember('name', 'Ada');
  keepInTab('token', 'secret');
  assert.equal(recall('name', ''), 'Ada');
  assert.equal(recall('noise', true), true);
  assert.equal(keptInTab('token'), 'secret');
  keepInTab('token', '');
  assert.equal(keptInTab('token'), '');
  localStorage.setItem('roundhouse.name', '{damaged');
  assert.equal(recall('name', 'nobody'), 'nobody');
  const refusing = { getItem() { throw new Error('private'); }, setItem() { throw new Error('full'); } };
  given(t, { localStorage: refusing, sessionStorage: refusing });
  remember('name', 'Bob');
  assert.equal(recall('name', 'nobody'), 'nobody');
  assert.equal(keptInTab('token'), '');
});

test('who comes, leaves or raises a hand is shown and heard, but not in a crowd, and not twice in a moment', () => {
  const said = ['said.joined', 'said.muted', 'said.handUp', 'said.left', 'said.here'].map((text) => ({ text, values: {} }));
  assert.deepEqual(newsOf(said, 16).map(({ text }) => text), ['said.joined', 'said.handUp', 'said.left']);
  assert.deepEqual(newsOf(said, 17), []);
  const rule = new SoundRule();
  assert.equal(rule.isDue('came', 0, false), false);
  assert.equal(rule.isDue('came', 0, true), true);
  assert.equal(rule.isDue('came', 1_000, true), false);
  assert.equal(rule.isDue('hand', 1_000, true), true);
  assert.equal(rule.isDue('came', 2_000, true), true);
  assert.equal(rule.isDue('drum', 9_000, true), false);
});

test('devices: what went wrong is said by its kind, one that is missing does not take the other with it', async (t) => {
  const asked = [];
  const error = (name) => Object.assign(new Error(name), { name });
  let answer = async () => { throw error('NotFoundError'); };
  const mediaDevices = {
    getUserMedia: (wish) => { asked.push(wish); return answer(wish); },
    enumerateDevices: async () => [
      { kind: 'audioinput', deviceId: 'a', label: '' }, { kind: 'audioinput', deviceId: 'b', label: 'Jabra' },
      { kind: 'videoinput', deviceId: '', label: '' }, { kind: 'toaster', deviceId: 'c', label: 'x' },
    ],
    getDisplayMedia: async () => { throw error('NotAllowedError'); },
  };
  given(t, { navigator: { mediaDevices, permissions: { query: async () => ({ state: 'prompt' }) } } });
  assert.equal((await openBoth({ audioID: 'a', videoID: 'v' })).problems.length, 2);
  answer = async (wish) => {
    if (wish.video) throw error('NotReadableError');
    return { getTracks: () => ['voice'] };
  };
  const { audio, problems } = await openBoth({ audioID: null, videoID: null });
  assert.equal(audio, 'voice');
  assert.deepEqual(problems.map(({ kind, title, refused }) => [kind, title, refused]), [['video', 'The camera does not start', false]]);
  asked.length = 0;
  answer = async () => { throw error('NotAllowedError'); };
  const refused = await openBoth({ audioID: null, videoID: null });
  assert.equal(asked.length, 1, 'a no is a no');
  assert.ok(refused.problems.every((problem) => problem instanceof DeviceProblem && problem.refused));
  answer = async (wish) => {
    if (wish.audio.deviceId) throw error('OverconstrainedError');
    return { getTracks: () => ['any'] };
  };
  assert.equal(await openDevice('audio', 'gone'), 'any', 'a device that was unplugged gives way to any');
  const { audioinput, videoinput } = await listDevices();
  assert.deepEqual(audioinput, [{ id: 'a', label: 'Microphone 1' }, { id: 'b', label: 'Jabra' }]);
  assert.deepEqual(videoinput, []);
  assert.equal(await openScreen(), null, 'a mind that was changed is no error');
  given(t, { navigator: {} });
  assert.match((await openBoth({})).problems[0].title, /not secure/);
});

const stats = (...reports) => ({
  connectionState: 'connected', getStats: async () => new Map(reports.map((report) => [report.id, report])),
});

test('statistics: rates from two looks, the path in use, one row for each picture that is there', async () => {
  const send = (bytesSent) => stats(
    { id: 'p', type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.0214, localCandidateId: 'l' },
    { id: 'l', type: 'local-candidate', candidateType: 'relay', protocol: 'udp', relayProtocol: 'tls' },
    { id: 'c', type: 'codec', mimeType: 'video/VP8' },
    { id: 'o', type: 'outbound-rtp', codecId: 'c', kind: 'video', mid: '1', bytesSent, frameWidth: 640, frameHeight: 360, framesPerSecond: 29.7 },
  );
  const broken = { connectionState: 'connected', getStats: async () => { throw new Error('gone'); } };
  const before = await collect(send(1_000), broken);
  const now = await collect(send(126_000), { connectionState: 'closed' });
  const labels = { sources: new Map([['1', 'Your camera']]), received: new Map() };
  assert.deepEqual(summarise(now, before, 2, labels), [
    ['Round-trip time', '21 ms'], ['Local candidate', 'relay, tls'], ['Sending', '500 kb/s'], ['Receiving', '0 kb/s'],
    ['Packets lost', '0'], ['Audio jitter', '–'], ['Your camera', '640 × 360, 30 fps VP8'],
  ]);
  assert.equal(summarise(now, null, 0, labels)[2][1], '–');
});

test('figures on a tile: what arrives, in which layer, and what limits what is sent', async () => {
  const report = (timestamp, bytesReceived) => stats(
    { id: 'c', mimeType: 'video/VP9' },
    { id: 'i', type: 'inbound-rtp', kind: 'video', ssrc: 1, mid: '2', codecId: 'c', timestamp, bytesReceived, frameWidth: 320, frameHeight: 180, framesPerSecond: 15, packetsLost: 3 },
  );
  const sampler = new StreamSampler();
  assert.equal((await sampler.sample(report(0, 0), 'inbound')).get('2')[0].kbps, null);
  const [stream] = (await sampler.sample(report(1_000, 25_000), 'inbound')).get('2');
  assert.equal((await sampler.sample(null, 'inbound')).size, 0);
  const state = { layers: { spatialLayer: 0, temporalLayer: 1 }, counts: { spatial: 3, temporal: 3 }, score: { score: 9, producerScores: [10, 8] } };
  assert.deepEqual(receivedLines(stream, state), [
    '320 × 180, 15 fps VP9', '200 kb/s, 3 lost, 0 freezes', 'Layer 1 of 3, rate 2 of 3', 'Score 9, at the sender 10 8',
  ]);
  assert.deepEqual(receivedLines(undefined, state), ['Nothing arrives.']);
  assert.equal(layersText(null, state.counts), 'No layer is being sent');
  const sent = (rid, reason) => ({ rid, codec: 'VP8', frameWidth: 320, frameHeight: 180, framesPerSecond: 30, kbps: 150, qualityLimitationReason: reason });
  assert.deepEqual(sentLines([sent('r1', 'bandwidth'), sent('r0', 'none')], [{ score: 10 }]), [
    'VP8', 'r0 320 × 180, 30 fps 150 kb/s', 'r1 320 × 180, 30 fps 150 kb/s', 'Limited by bandwidth', 'Score 10',
  ]);
  assert.deepEqual(sentLines([], []), ['Nothing is sent.']);
});

test('a channel is opened once for each label, and over signaling where there are no data channels', async () => {
  const requests = [];
  const opened = [];
  const channel = () => ({ readyState: 'open', bufferedAmount: 0, sent: [], send(text) { this.sent.push(text); }, addEventListener() {} });
  const session = {
    joined: true, hasData: true,
    send: { id: 't', openChannel: async (label, { id, announce }) => { await announce({ streamId: id }); opened.push([label, id]); return channel(); } },
  };
  let current = session;
  const channels = new Channels({ request: async (method, data) => { requests.push([method, data.label]); }, session: () => current, heard: assert.fail });
  await channels.send('chat', 'one');
  await channels.send('chat', 'two');
  await channels.send('hand', 'up');
  assert.deepEqual(opened, [['chat', 0], ['hand', 1]]);
  current = { ...session, hasData: false };
  await channels.send('chat', 'three');
  assert.deepEqual(requests, [['produceData', 'chat'], ['produceData', 'hand'], ['sendDataMessage', 'chat']]);
  current = null;
  await assert.rejects(channels.send('chat', 'four'), /not in the room/);
});

test('the console’s charts keep a minute and write figures as people read them', () => {
  const series = new Series();
  for (let value = 0; value < 100; value += 1) series.push(value);
  assert.deepEqual([series.values.length, series.values[0], series.last], [60, 40, 99]);
  assert.deepEqual([640, 1_250_000, 12_400_000].map(bitrate), ['1 kb/s', '1.3 Mb/s', '12 Mb/s']);
  assert.deepEqual([0, 0.004, 0.25].map(percent), ['0 %', '0.4 %', '25 %']);
});

test('the console reads all pages of rooms, says why it was refused, and follows events in whatever pieces they come', async (t) => {
  given(t, { sessionStorage: new Storage() });
  useToken('a token');
  const asked = [];
  const rooms = Array.from({ length: 1500 }, (_, id) => ({ id }));
  given(t, {
    fetch: async (path, { headers }) => {
      asked.push(headers.Authorization);
      const offset = Number(new URL(path, 'http://x').searchParams.get('offset'));
      return { ok: true, json: async () => ({ rooms: rooms.slice(offset, offset + 1000), total: rooms.length }) };
    },
  });
  assert.equal((await readRooms()).length, 1500);
  assert.deepEqual(asked, ['Bearer a token', 'Bearer a token']);
  assert.equal(address('rooms', 'a/b c?'), 'api/v1/rooms/a%2Fb%20c%3F');
  given(t, { fetch: async () => ({ ok: false, status: 403, json: async () => ({ error: { code: 'forbidden', message: 'no' } }) }) });
  await assert.rejects(readRooms(), (error) => error instanceof Refusal && error.needsToken && error.code === 'forbidden');

  const text = 'id: 1\nevent: hello\ndata: {"position":1}\n\n: keep-alive\n\nid: 2\nevent: peerJoined\ndata: {"name":\ndata: "Zoë"}\n\n';
  const bytes = new TextEncoder().encode(text);
  const headersSent = [];
  const heard = [];
  await new Promise((resolve) => {
    given(t, {
      fetch: async (_, { headers, signal }) => {
        headersSent.push(headers['Last-Event-ID']);
        if (headersSent.length > 1) return new Promise((_, reject) => signal.addEventListener('abort', reject));
        const pieces = [];
        for (let at = 0; at < bytes.length; at += 7) pieces.push(bytes.subarray(at, at + 7));
        return { ok: true, body: ReadableStream.from ? ReadableStream.from(pieces) : streamOf(pieces) };
      },
    });
    const restart = follow({
      hello: (each) => heard.push(each), event: (each) => heard.push(each),
      lost: (error) => { assert.equal(error, null); restart(); setTimeout(resolve, 5); },
    });
  });
  assert.deepEqual(heard, [{ position: 1 }, { name: 'Zoë' }]);
  assert.equal(headersSent[0], undefined);
});

function streamOf(pieces) {
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else controller.close();
    },
  });
}
