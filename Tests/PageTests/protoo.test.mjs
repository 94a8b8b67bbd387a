// What is shown to the server beside the URL.
import test from 'node:test';
import assert from 'node:assert/strict';
import { encoded, subprotocols } from '../../Sources/Gateway/Page/protoo.js';

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

test('secrets are subprotocols that every HTTP library takes, and what is not there is none', () => {
  assert.deepEqual(subprotocols({ bearer: 'aGVs.bG8_-x.y', password: '' }), ['bearer.aGVs.bG8_-x.y']);
  assert.deepEqual(subprotocols({ bearer: undefined, resume: null }), []);
  for (const secret of ['open (sesame)', 'a,b;c="d"', 'Zürich 🚂', '%41', "it's/\\@:?=<>[]{}", '\t']) {
    const [text] = subprotocols({ password: secret });
    assert.match(text, TOKEN);
    assert.equal(decodeURIComponent(text.slice('password.'.length)), secret);
    assert.equal(decodeURIComponent(encoded(secret)), secret);
  }
});
