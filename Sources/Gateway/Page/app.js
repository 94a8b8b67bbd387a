/** Where the page starts: the devices in use, a lobby, a call. */
import { Call } from './call.js';
import { Devices } from './devices.js';
import { Lobby } from './lobby.js';
import { toast } from './toasts.js';
import { collect } from './statistics.js';

const query = new URLSearchParams(location.search);

const devices = new Devices({
  unplugged: (kind) => toast(
    kind === 'audio' ? 'Your microphone has gone away' : 'Your camera has gone away',
    'It may have been unplugged. Choose another in the device menu, or turn it on again.', 'error'),
});

const lobby = new Lobby(devices, {
  name: query.get('name')?.trim(),
  room: query.get('room')?.trim(),
  joined: ({ name, room, password }) => {
    lobby.hide();
    const address = new URL(location.href);
    address.searchParams.set('room', room);
    history.replaceState(null, '', address);
    call.join({ name, room, password, token: query.get('token') ?? '' });
  },
});

const call = new Call(devices, {
  left: () => lobby.show(),
  // ?codec=vp9&scalabilityMode=L3T3 says how to send the camera, ?layers=all not to care how large a picture is shown.
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
