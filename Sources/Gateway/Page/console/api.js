/** The state API: requests with the admin token, and the event stream. */

const KEY = 'roundhouse-admin-token';

/** A request that was refused; `needsToken` if a token, or a different one, could help. */
export class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
    this.needsToken = status === 401 || status === 403;
  }
}

export function useToken(token) {
  if (token) sessionStorage.setItem(KEY, token);
  else sessionStorage.removeItem(KEY);
}

function fields() {
  const token = sessionStorage.getItem(KEY);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function checked(response) {
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  throw new Refusal(response.status, error?.code ?? '', error?.message ?? `the server answered ${response.status}`);
}

/** `path` in pieces, each of which may hold any character. */
export function address(...pieces) {
  return `api/v1/${pieces.map(encodeURIComponent).join('/')}`;
}

export async function read(...pieces) {
  return (await checked(await fetch(address(...pieces), { headers: fields(), cache: 'no-store' }))).json();
}

/** Why a peer is sent what it is sent, so many milliseconds ago, with what was known in the last ten minutes. */
export async function explain(room, peer, ago) {
  const path = `${address('rooms', room, 'peers', peer, 'why')}?history=true&ago=${ago}`;
  return (await checked(await fetch(path, { headers: fields(), cache: 'no-store' }))).json();
}

/** People of all rooms whose name or id contains a text. */
export async function findPeople(text) {
  const path = `api/v1/peers?limit=50&name=${encodeURIComponent(text)}`;
  return (await (await checked(await fetch(path, { headers: fields(), cache: 'no-store' }))).json()).peers;
}

/** Every room, page by page. */
export async function readRooms() {
  const rooms = [];
  for (;;) {
    const response = await fetch(`api/v1/rooms?limit=1000&offset=${rooms.length}`, { headers: fields(), cache: 'no-store' });
    const page = await (await checked(response)).json();
    rooms.push(...page.rooms);
    if (rooms.length >= page.total || page.rooms.length === 0) return rooms;
  }
}

export async function change(method, ...pieces) {
  await checked(await fetch(address(...pieces), { method, headers: fields() }));
}

/**
 * Follows the events forever: `hello({ position, gap })` whenever the stream begins, `event(event)` for each, in order,
 * `lost(error)` when it breaks. A browser's EventSource cannot send the token in a header, so this reads the stream itself.
 */
export function follow({ hello, event, lost }) {
  let last = '';
  let controller = new AbortController();
  const run = async () => {
    for (let wait = 500; ; wait = Math.min(wait * 2, 8_000)) {
      controller = new AbortController();
      try {
        const headers = last ? { ...fields(), 'Last-Event-ID': last } : fields();
        const response = await checked(await fetch('api/v1/events', { headers, cache: 'no-store', signal: controller.signal }));
        for await (const { id, name, data } of messages(response.body)) {
          wait = 500;
          if (id) last = id;
          if (name === 'hello') hello(JSON.parse(data));
          else event(JSON.parse(data));
        }
        lost(null);
      } catch (error) {
        lost(error);
      }
      const { signal } = controller;
      if (!signal.aborted) {
        await new Promise((resolve) => {
          setTimeout(resolve, wait);
          signal.addEventListener('abort', resolve);
        });
      }
    }
  };
  run();
  /** Starts again at once, as with a new token. */
  return () => controller.abort();
}

/** The messages of a Server-Sent Events stream (HTML Living Standard, section 9.2.6). */
async function* messages(body) {
  let rest = '';
  let message = { id: '', name: '', data: [] };
  for await (const text of chunks(body)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (message.data.length > 0) yield { ...message, data: message.data.join('\n') };
        message = { id: '', name: '', data: [] };
        continue;
      }
      const colon = line.indexOf(':');
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'id') message.id = value;
      else if (field === 'event') message.name = value;
      else if (field === 'data') message.data.push(value);
    }
  }
}

async function* chunks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
