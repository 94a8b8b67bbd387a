/** What there is to see and hear in a room: tiles, voices, and a line for each person. No DOM in here. */
import { t } from './texts.js';
import { barsOfPeer, ownBars } from './quality.js';
import { layersText } from './tilestats.js';

/** The consumer's key: the first camera keeps its tile while consumers come and go. */
export function keyOf(peer, consumer) {
  const isFirst = !consumer.screen
    && [...peer.consumers.values()].find(({ kind, screen }) => kind === 'video' && !screen) === consumer;
  return isFirst ? cameraKey(peer.id) : consumer.id;
}

const cameraKey = (peerID) => `${peerID} camera`;

/** The consumer behind a tile's key, or null. */
export function consumerAt(room, key) {
  for (const peer of room?.peers.values() ?? []) {
    for (const consumer of peer.consumers.values()) {
      if (consumer.kind === 'video' && keyOf(peer, consumer) === key) return consumer;
    }
  }
  return null;
}

/**
 * `{ screens, cameras, voices, people }`. `own`: `{ audio, video, screen, microphoneOn, cameraOn }`, tracks or null. Of
 * people: `{ id, name, self, hand, muted, camera, sharing, speaking, bars }`.
 */
export function arrange(room, own) {
  const screens = [];
  const cameras = [];
  const voices = [];
  const people = [];
  const isUp = (id) => room.conversation?.hands.has(id) ?? false;
  for (const peer of room.peers.values()) {
    const consumers = [...peer.consumers.values()];
    const name = peer.displayName || t('person.guest');
    const voice = consumers.some(({ kind, paused, screenSound }) => kind === 'audio' && !screenSound && !paused);
    const speaking = voice && room.activeSpeaker === peer.id;
    const bars = barsOfPeer(peer, room.loss);
    const videos = consumers.filter(({ kind }) => kind === 'video');
    const pictures = videos.filter(({ screen }) => !screen);
    const shared = videos.filter(({ screen, track }) => screen && track);
    const hand = isUp(peer.id);
    people.push({
      id: peer.id, name, self: false, hand, muted: !voice, camera: pictures.some(({ paused }) => !paused),
      sharing: shared.length > 0, speaking, bars,
    });
    const base = { peerID: peer.id, name, self: false, bars };
    // Somebody without a camera has a tile too.
    (pictures.length > 0 ? pictures : [undefined]).forEach((camera, index) => cameras.push({
      ...base, kind: 'camera', key: camera ? keyOf(peer, camera) : cameraKey(peer.id), hand: hand && index === 0,
      label: index === 0 ? name : t('tile.camera', { name, number: index + 1 }),
      track: camera && !camera.paused ? camera.track : null, muted: index === 0 && !voice, speaking, ...receiving(camera),
    }));
    shared.forEach((screen, index) => screens.push({
      ...base, kind: 'screen', key: screen.id, label: t(index === 0 ? 'tile.screen' : 'tile.screenNumber', { name, number: index + 1 }),
      track: screen.track, muted: false, speaking: false, ...receiving(screen),
    }));
    for (const { id, kind, track } of consumers) {
      if (kind === 'audio' && track) voices.push({ key: id, track });
    }
  }
  const { publish } = room.permissions;
  const muted = !own.microphoneOn || !own.audio;
  const speaking = !muted && room.activeSpeaker === room.peerID;
  const bars = ownBars(publish ? room.activeScores : new Map(), publish ? room.lossSent : 0, room.downlink);
  people.unshift({
    id: room.peerID, name: room.displayName, self: true, hand: isUp(room.peerID), muted, camera: Boolean(own.cameraOn && own.video),
    sharing: Boolean(own.screen), speaking, bars,
  });
  if (publish) {
    const base = { peerID: room.peerID, name: room.displayName, self: true, bars };
    cameras.push({
      ...base, key: 'own camera', kind: 'camera', hand: isUp(room.peerID), label: t('tile.you', { name: room.displayName }),
      track: own.cameraOn ? own.video : null, muted, speaking,
    });
    if (own.screen) {
      screens.push({
        ...base, key: 'own screen', kind: 'screen', label: t('tile.yourScreen'), track: own.screen, muted: false, speaking: false,
      });
    }
  }
  return { screens, cameras, voices, people };
}

/** What a tile says of how its picture is received. */
function receiving(consumer) {
  if (!consumer) return {};
  const { id, counts, layers } = consumer;
  return { consumerID: id, layers, layersText: counts.spatial * counts.temporal > 1 ? layersText(layers, counts) : '', counts };
}
