/** The console: rooms and their peers as they are now, and what operators may do about them. */
import { toast } from '../toasts.js';
import { change, explain, findPeople, follow, read, readRooms, Refusal, useToken } from './api.js';
import { bitrate, chart, percent } from './chart.js';
import { carefulButton, make, match, write } from './dom.js';
import { meaningOf } from './drops.js';
import { RoomStats, ShardStats } from './stats.js';
import { describe, isOfKind, learn, ActiveSpeaker } from './events.js';
import { hourView, visitsOf } from './hour.js';
import { figure, RoomView } from './roomview.js';

const PERIOD_MS = 2_000;
const SHOWN_EVENTS = 100;
/** What the next regular look shows soon enough. */
const QUIET = new Set(['consumer-score', 'producer-score', 'consumer-layers', 'active-speaker']);

/** @type {(id: string) => any} */
const find = (id) => document.getElementById(id);
const shards = new ShardStats();
const incoming = figure('Received', chart('Received by the server', { format: bitrate }));
const outgoing = figure('Sent', chart('Sent by the server', { format: bitrate }));
find('flows').append(incoming.element, outgoing.element);
const hour = hourView();
find('hour').append(hour);

let rooms = [];
let chosen = new URLSearchParams(location.search).get('room');
let stats = new RoomStats();
let activeSpeaker = new ActiveSpeaker();
let events = [];
/** Peers of the room that is shown, by their ids. */
let names = new Map();
/** Peers by the ids of their tracks. */
let owners = new Map();
let due = 0;
let lastTick = 0;
let isReading = false;

const view = new RoomView({
  remove: (peer) => act('DELETE', 'rooms', chosen, 'peers', peer),
  setPaused: (producer, isPaused) => act('POST', 'rooms', chosen, 'producers', producer, isPaused ? 'pause' : 'resume'),
  explain: (peer, ago) => explain(chosen, peer, ago),
}, () => stats, { get peer() { return activeSpeaker.peer; } });

const closeButton = carefulButton(
  'Close room', () => `Close ${chosen ?? 'room'}`, { id: 'close-room' }, () => act('DELETE', 'rooms', chosen));
find('close-room').replaceWith(closeButton);

find('mute-room').onclick = () => act('POST', 'rooms', chosen, 'mute');
find('lock-room').onclick = () => {
  act('POST', 'rooms', chosen, find('lock-room').getAttribute('aria-pressed') === 'true' ? 'unlock' : 'lock');
};
find('export-room').onclick = async () => {
  try {
    const [room, snapshot, { events: recent }, { minutes }] = await Promise.all([
      read('rooms', chosen), read('rooms', chosen, 'snapshot'), read('rooms', chosen, 'events'), read('rooms', chosen, 'minutes'),
    ]);
    save(`${chosen}.json`, { savedAt: Date.now(), room, snapshot, events: recent, minutes });
  } catch (error) {
    failed(error);
  }
};

function save(name, content) {
  const link = make('a', { href: URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: 'application/json' })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function act(...request) {
  try {
    await change(...request);
  } catch (error) {
    failed(error);
  }
  refreshSoon(0);
}

/** Says what went wrong; if a token could help, asks for one. */
function failed(error) {
  if (error instanceof Refusal && error.needsToken) askForToken(error.message);
  else if (!(error instanceof Refusal && error.status === 404)) toast('That did not work', error.message, 'error');
}

// The token

function askForToken(reason) {
  const form = find('token-form');
  write(find('token-reason'), reason);
  if (!form.hidden) return;
  form.hidden = false;
  find('token').focus();
}

find('token-form').onsubmit = (event) => {
  event.preventDefault();
  useToken(find('token').value);
  find('token').value = '';
  find('token-form').hidden = true;
  restart();
  refreshSoon(0);
};
find('token-cancel').onclick = () => { find('token-form').hidden = true; };

// What is shown

function setState(state, text) {
  find('state').dataset.state = state;
  write(find('state-text'), text);
}

function showRooms() {
  const wanted = find('filter').value.trim().toLowerCase();
  const shown = rooms.filter(({ id }) => id.toLowerCase().includes(wanted));
  find('none-found').hidden = !wanted || shown.length > 0 || find('found').childElementCount > 0;
  write(find('none-found'), `No room and nobody is called “${find('filter').value.trim()}”.`);
  match(find('rooms'), shown, ({ id }) => id, () => {
    const name = make('b');
    const count = make('span', { className: 'soft' });
    const button = make('button', { type: 'button' }, name, count);
    const item = make('li', {}, button);
    item.update = ({ id, peers, producers }) => {
      button.onclick = () => choose(id);
      button.setAttribute('aria-current', String(id === chosen));
      write(name, id);
      write(count, `${peers} ${peers === 1 ? 'peer' : 'peers'}, ${producers} ${producers === 1 ? 'track' : 'tracks'}`);
    };
    return item;
  });
  find('no-rooms').hidden = rooms.length > 0;
  const peers = rooms.reduce((sum, room) => sum + room.peers, 0);
  write(find('totals'), `${rooms.length} ${rooms.length === 1 ? 'room' : 'rooms'}, ${peers} ${peers === 1 ? 'peer' : 'peers'}`);
}

/** People by what is searched for: asked of the server once the typing pauses. */
let search = 0;
async function showPeople() {
  const wanted = find('filter').value.trim();
  const mine = ++search;
  let people = [];
  if (wanted) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    if (mine !== search) return;
    try {
      people = await findPeople(wanted);
    } catch (error) {
      failed(error);
    }
    if (mine !== search) return;
  }
  find('found-title').hidden = people.length === 0;
  match(find('found'), people, ({ room, id }) => `${room} ${id}`, () => {
    const name = make('b');
    const place = make('span', { className: 'soft' });
    const button = make('button', { type: 'button' }, name, place);
    const item = make('li', {}, button);
    item.update = (person) => {
      button.onclick = () => choose(person.room);
      write(name, person.displayName || person.id);
      write(place, `in ${person.room}`);
    };
    return item;
  });
  showRooms();
}

function clock(time) {
  return new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

/** The last hour of the room that is shown. */
async function showHour() {
  if (chosen === null || !find('hour').open) return;
  const wanted = chosen;
  try {
    const { minutes } = await read('rooms', wanted, 'minutes');
    if (chosen === wanted) hour.update(minutes);
  } catch (error) {
    failed(error);
  }
}

/** The rooms that have ended, the newest first; opened, one shows who was there and its last hour. */
async function showEnded() {
  try {
    const { rooms: ended } = await read('history');
    find('none-ended').hidden = ended.length > 0;
    match(find('ended-rooms'), ended, ({ number }) => number, endedRoom);
  } catch (error) {
    failed(error);
  }
}

function endedRoom({ number, room, openedAt, closedAt, joined, people }) {
  const visits = visitsOf(people, closedAt).map(({ name, text }) => make('li', {}, make('b', {}, name), ` ${text}`));
  const minutes = hourView();
  const button = make('button', { type: 'button', className: 'plain' }, 'Save as JSON');
  const details = make(
    'details', {}, make('summary', {}, make('b', {}, room), ` ${clock(openedAt)}–${clock(closedAt)}, ${joined} joined`),
    make('ul', { className: 'visits' }, ...visits), minutes, button);
  let record = null;
  const recorded = async () => {
    record ??= await read('history', String(number));
    return record;
  };
  details.ontoggle = async () => {
    if (!details.open) return;
    try {
      minutes.update((await recorded()).minutes);
    } catch (error) {
      failed(error);
    }
  };
  button.onclick = async () => {
    try {
      save(`${room}-${number}.json`, await recorded());
    } catch (error) {
      failed(error);
    }
  };
  const item = make('li', {}, details);
  item.update = () => {};
  return item;
}

/** The acts of operators and moderators, the newest first. */
async function showActs() {
  try {
    const { acts } = await read('audit');
    find('no-acts').hidden = acts.length > 0;
    match(find('acts'), acts, ({ number }) => number, ({ time, act, fields }) => {
      const details = ['room.id', 'peer.id', 'client.address'].map((name) => fields[name]).filter(Boolean).join(' · ');
      const item = make('li', {}, make('time', { dateTime: new Date(time).toISOString() }, clock(time)), ` ${act} `, make('span', { className: 'soft' }, details));
      item.update = () => {};
      return item;
    });
  } catch (error) {
    failed(error);
  }
}

/** Version, uptime and limits, once and then each minute. */
async function showServer() {
  try {
    const { version, startedAt, time, draining, limits, codecs, mediaAddresses } = await read('server');
    const minutes = Math.floor((time - startedAt) / 60_000);
    const up = minutes >= 2_880 ? `${Math.floor(minutes / 1_440)} days` : minutes >= 120 ? `${Math.floor(minutes / 60)} h` : `${minutes} min`;
    write(find('facts'), `Roundhouse ${version}, up for ${up}${draining ? ', stopping' : ''}`);
    const rows = [
      ...Object.entries(limits).map(([name, value]) => [`most ${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`, value.toLocaleString()]),
      ['codecs', codecs.map((each) => each.split('/')[1]).join(', ')],
      ['media at', [...new Set(mediaAddresses.map(({ address, port, protocol }) => `${protocol} ${address}:${port}`))].join(', ')],
    ];
    match(find('limit-rows'), rows, ([name]) => name, ([name]) => {
      const value = make('td');
      const row = make('tr', {}, make('th', { scope: 'row' }, name), value);
      row.update = ([, text]) => write(value, text);
      return row;
    });
  } catch {
    // Whoever may not read it is asked for a token elsewhere.
  }
}

async function choose(id) {
  chosen = id;
  stats = new RoomStats();
  activeSpeaker = new ActiveSpeaker();
  names = new Map();
  owners = new Map();
  const place = new URL(location.href);
  if (id === null) place.searchParams.delete('room');
  else place.searchParams.set('room', id);
  history.replaceState(null, '', place);
  find('room').hidden = true;
  hour.update([]);
  showHour();
  showRooms();
  showEvents();
  if (id === null) return;
  refreshSoon(0);
  const begun = activeSpeaker;
  try {
    const { events: recent } = await read('rooms', id, 'events');
    for (const event of recent) {
      begun.take(event);
      learn(event, names, owners);
    }
    // What came meanwhile is newer.
    const last = recent.at(-1)?.sequence ?? 0;
    for (const event of events) if (event.room === id && event.sequence > last) begun.take(event);
    const known = new Set(events.map((event) => event.id));
    events = [...recent.filter((event) => !known.has(event.id)), ...events].sort((a, b) => a.time - b.time);
    showEvents();
  } catch (error) {
    failed(error);
  }
}

function showRoom(snapshot, isTick) {
  if (isTick || find('room').hidden) stats.add(snapshot);
  const isNew = find('room').hidden;
  find('room').hidden = false;
  write(find('room-title'), snapshot.id);
  closeButton.update();
  const isLocked = rooms.find(({ id }) => id === snapshot.id)?.locked ?? false;
  find('lock-room').setAttribute('aria-pressed', String(isLocked));
  write(find('lock-room'), isLocked ? 'Unlock' : 'Lock');
  write(find('room-counts'), `${snapshot.peers.length} ${snapshot.peers.length === 1 ? 'peer' : 'peers'}`);
  find('room-incomplete').hidden = snapshot.complete;
  for (const peer of snapshot.peers) names.set(peer.id, peer.displayName || peer.id);
  view.show(snapshot);
  requestEvents();
  if (isNew && matchMedia('(max-width: 860px)').matches) find('room').scrollIntoView({ block: 'start', behavior: 'smooth' });
}

function showShards() {
  incoming.show(bitrate(shards.incoming.last), shards.incoming, 100_000);
  outgoing.show(bitrate(shards.outgoing.last), shards.outgoing, 100_000);
  match(find('shards'), shards.loads, ({ shard }) => shard, ({ shard }) => {
    const bar = make('i');
    const value = make('span');
    const row = make('div', { className: 'shard' }, make('span', {}, `Thread ${shard}`), make('div', { className: 'load' }, bar), value);
    row.update = ({ load }) => {
      bar.style.transform = `scaleX(${load})`;
      bar.dataset.high = String(load > 0.8);
      write(value, percent(load));
    };
    return row;
  });
  const rate = shards.drops.faults.reduce((sum, { perMinute }) => sum + perMinute, 0);
  write(find('fault-rate'), `${Math.round(rate).toLocaleString()} packets a minute`);
  for (const [id, group] of Object.entries({ 'fault-rows': shards.drops.faults, 'design-rows': shards.drops.design })) {
    match(find(id), group, ({ reason }) => reason, ({ reason }) => {
      const [now, all] = [make('td'), make('td')];
      const row = make(
        'tr', { title: meaningOf(reason) }, make('th', { scope: 'row' }, reason.replaceAll('_', ' ')), now, all);
      row.update = ({ count, perMinute }) => {
        write(now, `${Math.round(perMinute).toLocaleString()}/min`);
        write(all, count.toLocaleString());
      };
      return row;
    });
  }
}

function showEvents() {
  const kind = find('event-kind').value;
  const shown = events.filter((event) => (chosen === null || event.room === chosen) && isOfKind(event, kind)).slice(-SHOWN_EVENTS).reverse();
  match(find('events'), shown, ({ id }) => id, (event) => {
    const time = make('time', { dateTime: new Date(event.time).toISOString() }, new Date(event.time).toLocaleTimeString([], { hourCycle: 'h23' }));
    const text = make('span');
    const item = make('li', { 'data-type': event.type }, time, text);
    // A name may be known only later.
    item.update = () => write(text, `${chosen === null ? `${event.room}: ` : ''}${describe(event, names, owners)}`);
    return item;
  });
}

// Keeping up

function refreshSoon(wait = 250) {
  const at = Date.now() + wait;
  if (due && due <= at) return;
  due = at;
  setTimeout(refresh, wait);
}

async function refresh() {
  if (!due || due > Date.now() + 5) return;
  due = 0;
  if (isReading) return refreshSoon();
  isReading = true;
  // Rates of moments too short would jump.
  const isTick = Date.now() - lastTick >= PERIOD_MS / 2;
  if (isTick) lastTick = Date.now();
  try {
    if (isTick) {
      shards.add(await read('shards'));
      showShards();
    }
    rooms = await readRooms();
    showRooms();
    if (chosen === null) return;
    const wanted = chosen;
    try {
      const snapshot = await read('rooms', wanted, 'snapshot');
      if (chosen === wanted) showRoom(snapshot, isTick);
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 404)) throw error;
      if (chosen === wanted) find('room').hidden = true;
    }
  } catch (error) {
    if (error instanceof Refusal && error.needsToken) {
      setState('failed', 'Not admitted');
      askForToken(error.message);
    }
    // Else the server is away, which the event stream says.
  } finally {
    isReading = false;
  }
}

const restart = follow({
  hello: ({ gap }) => {
    setState('connected', 'Live');
    find('token-form').hidden = true;
    showServer();
    if (gap) events = [];
    refreshSoon(0);
  },
  event: (event) => {
    events.push(event);
    learn(event, names, owners);
    if (events.length > 20 * SHOWN_EVENTS) events.splice(0, 10 * SHOWN_EVENTS);
    if (event.room === chosen) activeSpeaker.take(event);
    if (chosen === null || event.room === chosen) requestEvents();
    if (!QUIET.has(event.type)) refreshSoon();
  },
  lost: (error) => {
    if (error instanceof Refusal && error.needsToken) {
      setState('failed', 'Not admitted');
      askForToken(error.message);
    } else {
      setState('reconnecting', 'Reconnecting…');
    }
  },
});

let isEventsDue = false;
function requestEvents() {
  if (isEventsDue) return;
  isEventsDue = true;
  setTimeout(() => { isEventsDue = false; showEvents(); }, 150);
}

find('filter').oninput = () => {
  showRooms();
  showPeople();
};
find('event-kind').onchange = showEvents;
for (const [id, show] of Object.entries({ ended: showEnded, audit: showActs, hour: showHour })) {
  find(id).ontoggle = () => { if (find(id).open) show(); };
}
setInterval(() => {
  if (find('ended').open) showEnded();
  if (find('audit').open) showActs();
  showHour();
}, 5_000);
showServer();
setInterval(showServer, 60_000);
setInterval(() => refreshSoon(0), PERIOD_MS);
if (chosen !== null) choose(chosen);
