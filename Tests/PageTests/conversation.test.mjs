/** What people write and show: links, unread messages, hands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Conversation, LONGEST, partsOf, readSign } from '../../Sources/Gateway/Page/conversation.js';

const said = (text) => ({ peerID: 'ada', name: 'Ada', text, at: 0 });

test('addresses of the web become links, and nothing else does', () => {
  assert.deepEqual(partsOf('see https://example.com/a?b=c#d, please'), [
    { text: 'see ' }, { text: 'https://example.com/a?b=c#d', href: 'https://example.com/a?b=c#d' }, { text: ', please' },
  ]);
  assert.deepEqual(partsOf('(HTTP://Example.com/).'), [
    { text: '(' }, { text: 'HTTP://Example.com/', href: 'http://example.com/' }, { text: ').' },
  ]);
  for (const text of [
    'javascript:alert(1)', 'data:text/html,x', 'ftp://example.com/', 'example.com', 'https://', 'file:///etc/passwd',
    'https://bank.example@evil.example/', '<img src=x onerror=alert(1)>', '',
  ]) assert.ok(partsOf(text).every(({ href }) => !href), text);
  // What turns the direction of writing around would hide where a link leads.
  assert.equal(partsOf('https://example.com/\u{202e}moc')[0].text, 'https://example.com/');
});

test('what was not looked at is counted, and what was is not', () => {
  const conversation = new Conversation();
  conversation.add(said('one'));
  conversation.add({ ...said('mine'), own: true });
  assert.equal(conversation.unread, 1);
  conversation.isOpen = true;
  assert.equal(conversation.unread, 0);
  conversation.add(said('two'));
  assert.equal(conversation.unread, 0);
  conversation.isOpen = false;
  conversation.add(said('three'));
  assert.equal(conversation.unread, 1);
});

test('messages are bounded in length and number, and empty ones are none', () => {
  const conversation = new Conversation();
  assert.equal(conversation.add(said(' \n ')), null);
  assert.equal(conversation.add(said('x'.repeat(LONGEST + 10))).text, `${'x'.repeat(LONGEST)}…`);
  for (let index = 0; index < 600; index += 1) conversation.add(said(`${index}`));
  assert.equal(conversation.messages.length, 500);
  assert.equal(conversation.messages.at(-1).text, '599');
});

test('hands go up once and go with their people; nonsense is no sign', () => {
  const conversation = new Conversation();
  assert.equal(conversation.setHand('ada', true), true);
  assert.equal(conversation.setHand('ada', true), false);
  conversation.setHand('bob', true);
  conversation.keepHands(new Set(['bob']));
  assert.deepEqual([...conversation.hands], ['bob']);
  assert.equal(conversation.setHand('bob', false), true);
  assert.deepEqual(readSign('{"hand":true,"more":1}'), { hand: true });
  assert.deepEqual(readSign('{"reaction":"👍"}'), { reaction: '👍' });
  for (const text of ['', 'x', 'null', '3', '{"hand":1}', '{"reaction":"<b>"}', '{"reaction":["👍"]}']) assert.equal(readSign(text), null);
});
