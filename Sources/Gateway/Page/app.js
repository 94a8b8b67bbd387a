/** Where the page starts: the devices in use, a lobby, a call. */
import { Call } from './call.js';
import { Devices } from './devices.js';
import { Lobby } from './lobby.js';
import { toast } from './toasts.js';
import { collect } from './statistics.js';
import { keepInTab, keptInTab } from './memory.js';
import { claimsOf, refusalOf } from './refusals.js';
import { language, t, translate } from './texts.js';

document.documentElement.lang = language;
translate(document);

const query = new URLSearchParams(location.search);
// A token is its bearer's identity: it does not stay in the address bar, from where it would be copied to others.
const token = query.get('token') ?? keptInTab('token');
if (query.has('token')) {
  keepInTab('token', token);
  const address = new URL(location.href);
  address.searchParams.delete('token');
  history.replaceState(null, '', address);
}
const claims = claimsOf(token);

const devices = new Devices({
  unplugged: (kind) => toast(t(kind === 'audio' ? 'unplugged.microphone' : 'unplugged.camera'), t('unplugged.advice'), 'error'),
});

let shown = {};
const lobby = new Lobby(devices, {
  name: claims.name ?? query.get('name')?.trim(),
  room: query.get('room')?.trim() || claims.room,
  token,
  joined: ({ name, room, password, token: typed }) => {
    lobby.hide();
    shown = { token: typed, password };
    keepInTab('token', typed);
    const address = new URL(location.href);
    address.searchParams.set('room', room);
    history.replaceState(null, '', address);
    call.join({ name, room, password, token: typed, peer: claimsOf(typed).peer });
  },
});

const call = new Call(devices, {
  left: (end) => {
    lobby.show();
    if (end) lobby.refuse(refusalOf(end, shown));
  },
  // ?codec=vp9&scalabilityMode=L3T3 says how to send the camera, ?layers=all not to care how large pictures are shown.
  options: {
    cameraPreferences: { codec: query.get('codec')?.toLowerCase(), scalabilityMode: query.get('scalabilityMode') ?? undefined },
    fitsTiles: query.get('layers') !== 'all',
  },
});

addEventListener('pagehide', () => {
  call.room?.leave();
});
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

/** For tests and the curious: a look inside, without control. */
window.roundhouse = {
  get state() {
    return call.room?.state ?? 'lobby';
  },
  get peers() {
    return [...(call.room?.peers.values() ?? [])].map(({ id, displayName, consumers }) => ({
      id,
      displayName,
      consumers: [...consumers.values()].map((consumer) => {
        const { id: consumerID, producerID, kind, screen, paused, track, mid, counts, choice, layers, score } = consumer;
        return {
          id: consumerID, producerID, kind, screen, paused, playing: track !== null, mid, counts, choice, layers, score,
        };
      }),
    }));
  },
  get flow() {
    const { sending, receiving, permissions, outage } = call.room ?? {};
    return { sending, receiving, permissions, outage };
  },
  get activeSpeaker() {
    return call.room?.activeSpeaker ?? null;
  },
  get sendTransport() {
    return call.room?.sendConnection ?? null;
  },
  get recvTransport() {
    return call.room?.receiveConnection ?? null;
  },
  stats: () => collect(call.room?.sendConnection, call.room?.receiveConnection),
};

lobby.show();
if (query.get('autojoin') === '1') lobby.join();
