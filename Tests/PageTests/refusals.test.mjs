// Why somebody is not let in: the field it concerns, in the page's own words.
import { readFileSync } from 'node:fs';
import test from 'node:test';
import assert from 'node:assert/strict';
import { claimsOf, isMediaLoss, needsPerson, readReason, refusalOf } from '../../Sources/Gateway/Page/refusals.js';
import { actionOf } from '../../Sources/Gateway/Page/shortcuts.js';
import { SpeechCount } from '../../Sources/Gateway/Page/mutehint.js';
import english from '../../Sources/Gateway/Page/texts/en.js';

test('close reasons are read: codes of the server, and protoo’s', () => {
  assert.deepEqual(readReason('wrong-password: wrong password'), { code: 'wrong-password', message: 'wrong password' });
  assert.deepEqual(readReason('closed by protoo-server: room-closed'), { code: 'room-closed', message: '' });
  assert.deepEqual(readReason('too many messages'), { code: '', message: 'too many messages' });
  assert.deepEqual(readReason(), { code: '', message: '' });
});

test('each refusal is said at the field that has to change', () => {
  for (const [end, shown, field, text] of [
    [{ code: 'wrong-password' }, {}, 'password', 'refused.passwordWanted'],
    [{ code: 'wrong-password' }, { password: 'x' }, 'password', 'refused.wrongPassword'],
    [{ code: 'unauthorized' }, {}, 'token', 'refused.tokenWanted'],
    [{ code: 'unauthorized', message: 'the token has expired: get a new one' }, { token: 'x' }, 'token', 'refused.tokenExpired'],
    [{ code: 'unauthorized', message: 'the token is not valid yet: its nbf is in the future' }, { token: 'x' }, 'token', 'refused.tokenEarly'],
    [{ code: 'unauthorized', message: 'a signature' }, { token: 'x' }, 'token', 'refused.tokenWrong'],
    [{ code: 'forbidden', message: 'the token is for another room' }, { token: 'x' }, 'room', 'refused.otherRoom'],
    [{ code: 'invalid-parameter' }, {}, 'room', 'refused.roomName'],
    [{ code: 'limit-reached', message: 'the room is full: it takes 2 peers' }, {}, 'room', 'refused.roomFull'],
    [{ code: 'limit-reached', message: 'the server takes 5 rooms' }, {}, null, 'refused.serverFull'],
    [{ code: 'origin-not-allowed' }, {}, null, 'refused.origin'],
    [{ code: 'kicked-by-an-operator' }, {}, null, 'ended.kicked'],
  ]) {
    const refusal = refusalOf(end, shown);
    assert.equal(refusal.field, field, end.code);
    assert.equal(refusal.text, text, end.code);
    assert.ok(refusal.text in english);
  }
  assert.equal(refusalOf({ code: '', message: 'too many messages' }).values.reason, 'too many messages');
});

test('the words that tell tokens apart are the server’s', () => {
  const words = readFileSync(new URL('../../Sources/Gateway/Access/TokenProblem.swift', import.meta.url), 'utf8');
  for (const part of ['has expired', 'not valid yet', 'another room']) assert.ok(words.includes(part), part);
});

test('only what a person has to change ends the tries', () => {
  assert.ok(needsPerson({ status: 400, code: 'invalid-parameter' }));
  assert.ok(needsPerson({ code: 'limit-reached' }));
  assert.ok(!needsPerson({ status: 429, code: 'rate-limited' }));
  assert.ok(!needsPerson({ status: 503, code: 'shutting-down' }));
  assert.ok(isMediaLoss('ice-disconnected') && !isMediaLoss('kicked-by-an-operator'));
});

test('a token’s claims are read, and what is no token has none', () => {
  const token = `x.${Buffer.from(JSON.stringify({ room: 'hall', name: 'Zoë', peer: 'p1' })).toString('base64url')}.y`;
  assert.deepEqual(claimsOf(token), { room: 'hall', name: 'Zoë', peer: 'p1' });
  assert.deepEqual(claimsOf(''), {});
  assert.deepEqual(claimsOf('a.b.c'), {});
});

test('keys act only where nobody types, and not with the browser’s own', () => {
  assert.equal(actionOf({ key: 'm', target: { tagName: 'BODY' } }), 'microphone');
  assert.equal(actionOf({ key: '?', target: { tagName: 'BUTTON' } }), 'help');
  assert.equal(actionOf({ key: 'm', ctrlKey: true }), null);
  assert.equal(actionOf({ key: 'M', target: { tagName: 'INPUT', type: 'text' } }), null);
  assert.equal(actionOf({ key: 'M', target: { tagName: 'INPUT', type: 'checkbox' } }), 'microphone');
  assert.equal(actionOf({ key: 'v', repeat: true }), null);
  assert.equal(actionOf({ key: 'x' }), null);
});

test('speech is more than a knock, and is said once', () => {
  const count = new SpeechCount();
  const heard = (levels) => levels.map((level) => count.add(level)).filter(Boolean).length;
  assert.equal(heard([1, 1, 0, 0, 0, 1, 0]), 0);
  assert.equal(heard(Array(30).fill(0.6)), 1);
});
