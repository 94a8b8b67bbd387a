// What a browser's offer says, what of it is sent, and what the page writes on the server's behalf.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { receiveCapabilities, sendSettings } from '../../Sources/Gateway/Page/capabilities.js';
import { EncodingUse, fittingLayer, keepWithin, layersOf, publishing } from '../../Sources/Gateway/Page/publishing.js';
import {
  cnameOf, codecsOf, encodingsOf, fingerprintOf, headerExtensionsOf, midOf, parseSDP, writeSDP,
} from '../../Sources/Gateway/Page/sdp.js';

const offer = (name) => readFileSync(new URL(`../GatewayTests/SDP/Offers/${name}.sdp`, import.meta.url), 'utf8');
const mediaOf = (name, kind) => parseSDP(offer(name)).media.find((section) => section.kind === kind);

const FEEDBACK = ['transport-cc', 'nack', 'nack pli', 'ccm fir', 'goog-remb'].map((text) => {
  const [type, parameter = ''] = text.split(' ');
  return { type, parameter };
});
const codec = (kind, name, preferredPayloadType, rest = {}) => ({
  kind, mimeType: `${kind}/${name}`, preferredPayloadType, clockRate: kind === 'audio' ? 48000 : 90000,
  ...(kind === 'audio' ? { channels: 2 } : {}), parameters: {}, rtcpFeedback: kind === 'audio' ? [FEEDBACK[1]] : FEEDBACK, ...rest,
});
const ROUTER = {
  codecs: [
    codec('audio', 'opus', 100),
    codec('video', 'H264', 103, { parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f' } }),
    codec('video', 'rtx', 104, { parameters: { apt: 103 }, rtcpFeedback: [] }),
    codec('video', 'VP8', 101),
    codec('video', 'rtx', 102, { parameters: { apt: 101 }, rtcpFeedback: [] }),
  ],
  headerExtensions: [
    { kind: 'video', uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', preferredId: 1, direction: 'sendrecv' },
    { kind: 'video', uri: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01', preferredId: 5, direction: 'sendrecv' },
    { kind: 'video', uri: 'urn:3gpp:video-orientation', preferredId: 11, direction: 'sendonly' },
  ],
};

test('a browser’s offer is read: codecs with their retransmission, header extensions, streams', () => {
  const video = mediaOf('chromium-publish', 'video');
  const codecs = codecsOf(video);
  const vp8 = codecs.find(({ mimeType }) => mimeType === 'video/VP8');
  const rtx = codecs.find(({ parameters }) => parameters.apt === vp8.payloadType);
  assert.equal(rtx.mimeType, 'video/rtx');
  assert.ok(vp8.rtcpFeedback.some(({ type, parameter }) => type === 'nack' && parameter === 'pli'));
  assert.ok(headerExtensionsOf(video).every(({ id, uri }) => id > 0 && uri.length > 0));
  assert.equal(midOf(video), '1');
  const h264 = codecs.find(({ mimeType }) => mimeType === 'video/H264');
  assert.equal(typeof h264.parameters['profile-level-id'], 'string', 'digits alone are no number');
  assert.match(fingerprintOf(offer('chromium-publish')).value, /^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/);
  assert.throws(() => fingerprintOf('v=0\r\n'), /fingerprint/);
});

test('streams of an offer: an encoding for each rid, else for each SSRC with the one of its retransmissions', () => {
  const rids = encodingsOf(mediaOf('chromium-publish-simulcast', 'video'));
  assert.ok(rids.length > 1 && rids.every(({ rid, ssrc }) => rid && ssrc === undefined));
  const section = parseSDP([
    'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=ssrc-group:FID 1 2', 'a=ssrc:1 cname:me', 'a=ssrc:2 cname:me', 'a=ssrc:3 cname:me',
  ].join('\r\n')).media[0];
  assert.deepEqual(encodingsOf(section), [{ ssrc: 1, rtx: { ssrc: 2 } }, { ssrc: 3 }]);
  assert.equal(cnameOf(section), 'me');
  assert.equal(cnameOf(parseSDP('m=audio 9 X 0').media[0]), undefined);
});

test('one codec is sent, the wished one if both have it, and only extensions that the server takes', () => {
  const video = mediaOf('chromium-publish', 'video');
  const usual = sendSettings(video, ROUTER);
  assert.deepEqual(usual.codecs.map(({ mimeType }) => mimeType), ['video/VP8', 'video/rtx']);
  assert.equal(sendSettings(video, ROUTER, 'video/h264').codecs[0].mimeType, 'video/H264');
  assert.equal(sendSettings(video, ROUTER, 'video/AV1').codecs[0].mimeType, 'video/VP8');
  assert.ok(!usual.headerExtensions.some(({ uri }) => uri === 'urn:3gpp:video-orientation'), 'the server only sends it');
  assert.ok(usual.headerExtensions.some(({ uri }) => uri.endsWith('sdes:mid')));
  const audio = sendSettings(mediaOf('chromium-publish', 'audio'), ROUTER);
  assert.ok(audio.codecs[0].rtcpFeedback.some(({ type, parameter }) => type === 'nack' && !parameter), 'lost voice is sent once more');
  assert.throws(() => sendSettings(video, { codecs: [codec('video', 'VP7', 1)], headerExtensions: [] }), /codec in common/);
});

test('what can be received is announced in the router’s numbers', () => {
  const sections = parseSDP(offer('chromium-publish')).media;
  const browser = {
    codecs: sections.flatMap(codecsOf),
    headerExtensions: sections.flatMap((section) => headerExtensionsOf(section).map(({ uri }) => ({ kind: section.kind, uri }))),
  };
  const { codecs, headerExtensions } = receiveCapabilities(browser, ROUTER);
  const numbers = new Set(ROUTER.codecs.map(({ preferredPayloadType }) => preferredPayloadType));
  assert.ok(codecs.length > 2 && codecs.every(({ preferredPayloadType }) => numbers.has(preferredPayloadType)));
  for (const { uri, preferredId } of headerExtensions) {
    assert.equal(preferredId, ROUTER.headerExtensions.find((theirs) => theirs.uri === uri).preferredId);
  }
  assert.deepEqual(receiveCapabilities({ codecs: [], headerExtensions: [] }, ROUTER).codecs, []);
});

test('a description for the server: closed sections keep their place outside the bundle, ends have what they need', () => {
  const transport = {
    iceParameters: { usernameFragment: 'ufrag', password: 'secret', iceLite: true },
    iceCandidates: [
      { foundation: 'udpcandidate', protocol: 'udp', priority: 2, ip: '192.0.2.1', port: 5000, type: 'host' },
      { foundation: 'tcpcandidate', protocol: 'tcp', priority: 1, address: 'media.example.org', port: 5000, type: 'host', tcpType: 'passive' },
    ],
    dtlsParameters: { fingerprints: [{ algorithm: 'sha-1', value: 'AA' }, { algorithm: 'sha-256', value: 'BB' }] },
    sctpParameters: { port: 5000, maxMessageSize: 262144 },
  };
  const section = (mid, more) => ({
    kind: 'video', mid, setup: 'actpass', direction: 'sendonly', codecs: [{ ...codec('video', 'VP8', 0), payloadType: 101 }],
    headerExtensions: [{ id: 1, uri: 'urn:ietf:params:rtp-hdrext:sdes:mid' }], encodings: [{ ssrc: 7, rtx: { ssrc: 8 } }],
    cname: 'ada', msid: 'ada camera', ...more,
  });
  const text = writeSDP({
    version: 2, transport,
    sections: [section('0'), section('1', { closed: true }), { kind: 'application', mid: 'data', setup: 'actpass' },
      section('2', { direction: 'recvonly', rids: ['r0', 'r1'] })],
  });
  const lines = text.split('\r\n');
  assert.ok(lines.includes('a=group:BUNDLE 0 data 2') && lines.includes('a=fingerprint:sha-256 BB') && lines.includes('a=ice-lite'));
  const { media } = parseSDP(text);
  assert.deepEqual(media.map(({ port }) => port), [7, 0, 7, 7]);
  assert.deepEqual(encodingsOf(media[0]), [{ ssrc: 7, rtx: { ssrc: 8 } }]);
  assert.equal(encodingsOf(media[1]).length, 0);
  assert.deepEqual(media[2].attributes.get('max-message-size'), ['262144']);
  assert.deepEqual(media[3].attributes.get('simulcast'), ['recv r0;r1']);
  assert.deepEqual(media[0].attributes.get('candidate'), [
    'udpcandidate 1 udp 2 192.0.2.1 5000 typ host', 'tcpcandidate 1 tcp 1 media.example.org 5000 typ host tcptype passive',
  ]);
});

test('a camera is sent in three sizes, a codec with layers of its own in one stream, a screen as it is', () => {
  assert.deepEqual(publishing('camera').encodings.map(({ rid }) => rid), ['r0', 'r1', 'r2']);
  const svc = publishing('camera', { codec: 'vp9' });
  assert.equal(svc.mimeType, 'video/VP9');
  assert.deepEqual(svc.encodings.map(({ scalabilityMode }) => scalabilityMode), ['L3T3_KEY']);
  assert.equal(publishing('camera', { codec: 'vp9', scalabilityMode: 'L1T2' }).encodings.length, 3);
  assert.equal(publishing('camera', { codec: 'flash', scalabilityMode: 'nonsense' }).mimeType, 'video/VP8');
  assert.equal(publishing('screen').encodings.length, 1);
  assert.deepEqual(publishing('microphone'), { mimeType: null, encodings: [{}] });
  assert.deepEqual(layersOf('L3T2_KEY'), { spatial: 3, temporal: 2 });
  assert.deepEqual(layersOf(undefined), { spatial: 1, temporal: 1 });
});

test('nobody sends larger pictures than so many others are worth, and a browser that refuses goes on', async () => {
  const sender = (encodings) => ({
    sets: 0, encodings,
    getParameters() { return { encodings: this.encodings }; },
    async setParameters() { this.sets += 1; },
  });
  const track = { getSettings: () => ({ width: 1280, height: 720 }) };
  const simulcast = sender([{ active: true }, { active: true }, { active: true }]);
  await keepWithin(1, simulcast, track);
  assert.equal(simulcast.sets, 0, 'nothing to change');
  await keepWithin(5, simulcast, track);
  assert.deepEqual(simulcast.encodings.map(({ active }) => active), [true, true, false]);
  await keepWithin(30, simulcast, track);
  assert.deepEqual(simulcast.encodings.map(({ active }) => active), [true, false, false]);
  const single = sender([{}]);
  await keepWithin(30, single, track);
  assert.deepEqual(single.encodings, [{ maxBitrate: 250_000, scaleResolutionDownBy: 3 }]);
  const layered = sender([{ scalabilityMode: 'L3T3_KEY' }]);
  await keepWithin(30, layered, track);
  assert.equal(layered.sets, 0, 'the server leaves its layers out');
  await keepWithin(2, { getParameters: () => ({ encodings: [{}] }), setParameters: async () => { throw new Error('no'); } }, track);
});

test('encodings that nobody has use for are sent no more after a while, and again at once', async () => {
  const use = new EncodingUse();
  assert.equal(use.countAt(0), Infinity);
  use.set(3, 0);
  assert.equal(use.countAt(10_000), 3);
  use.set(1, 11_000);
  use.set(2, 19_000);
  assert.equal(use.countAt(20_999), 3);
  assert.equal(use.due, 21_000);
  assert.equal(use.countAt(21_000), 2);
  assert.equal(use.due, null);
  use.set(3, 21_500);
  assert.equal(use.countAt(21_500), 3);
  use.set(1, 22_000);
  use.set(3, 23_000);
  assert.equal(use.countAt(60_000), 3, 'it was wanted again in time');
  const encodings = [{ active: true }, { active: true }, { active: true }];
  const sender = { getParameters: () => ({ encodings }), setParameters: async () => {} };
  await keepWithin(1, sender, { getSettings: () => ({}) }, 1);
  assert.deepEqual(encodings.map(({ active }) => active), [true, false, false]);
  await keepWithin(1, sender, { getSettings: () => ({}) }, Infinity);
  assert.deepEqual(encodings.map(({ active }) => active), [true, true, true]);
});

test('the layer that is asked for fits the tile', () => {
  assert.deepEqual([100, 200, 300, 460, 1080].map((pixels) => fittingLayer(pixels, 3)), [0, 0, 1, 2, 2]);
  assert.equal(fittingLayer(1080, 1), 0);
});
