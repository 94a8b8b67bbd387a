import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audible, invitation, ModerationRequests } from '../../Sources/Gateway/Page/moderation.js';

test('an invitation grants what was chosen, for as long as was chosen', () => {
  assert.deepEqual(invitation({ name: 'Ada', role: 'join', until: 'hour' }), { name: 'Ada', expiresIn: 3600 });
  assert.deepEqual(invitation({ name: '', role: 'watch', until: 'week' }), { publish: false, data: false, expiresIn: 604_800 });
  assert.deepEqual(invitation({ name: '', role: 'join', until: 'nonsense' }), { expiresIn: 86_400 });
});

test('muting is about the sound that is there', () => {
  const consumers = new Map([
    ['a', { kind: 'audio', paused: false, producerID: 'p1' }], ['b', { kind: 'audio', paused: true, producerID: 'p2' }],
    ['c', { kind: 'video', paused: false, producerID: 'p3' }]]);
  assert.deepEqual(audible({ consumers }).map(({ producerID }) => producerID), ['p1']);
  assert.deepEqual(audible(undefined), []);
});

test('requests show the token, escape names, and fail in the server’s words', async () => {
  const asked = [];
  let answer = { status: 204, ok: true };
  const requests = new ModerationRequests({
    room: () => 'town hall/1', token: () => 'secret',
    fetch: async (url, options) => { asked.push([options.method, url, options.body, options.headers.authorization]); return answer; },
  });
  await requests.lock(true);
  await requests.remove('a b');
  await requests.muteEverybodyBut('me');
  await requests.mute({ consumers: new Map([['a', { kind: 'audio', paused: false, producerID: 'p1' }]]) });
  assert.deepEqual(asked, [
    ['POST', 'api/v1/rooms/town%20hall%2F1/lock', undefined, 'Bearer secret'],
    ['DELETE', 'api/v1/rooms/town%20hall%2F1/peers/a%20b', undefined, 'Bearer secret'],
    ['POST', 'api/v1/rooms/town%20hall%2F1/mute', '{"except":["me"]}', 'Bearer secret'],
    ['POST', 'api/v1/rooms/town%20hall%2F1/producers/p1/pause', undefined, 'Bearer secret'],
  ]);
  answer = { status: 201, ok: true, json: async () => ({ token: 'new' }) };
  assert.equal(await requests.invite({ role: 'join', until: 'day' }), 'new');
  answer = { status: 403, ok: false, json: async () => ({ error: { message: 'not you' } }) };
  await assert.rejects(requests.lock(false), /not you/);
  answer = { status: 502, ok: false, json: async () => { throw new Error('no JSON'); } };
  await assert.rejects(requests.lock(false), /502/);
});
