/** The room that is shown: its peers, what each sends and receives. */
import { bitrate, chart, percent } from './chart.js';
import { carefulButton, make, match, write } from './dom.js';
import { qualityOf } from './stats.js';
import { whyPanel } from './why.js';

const MEDIA = { audio: 'Audio', video: 'Video' };
/** What clients call what they send, in the words of this page and of mediasoup-demo's. */
const SOURCES = {
  microphone: 'Microphone', camera: 'Camera', screen: 'Screen', 'screen-sound': 'Screen’s sound',
  webcam: 'Camera', mic: 'Microphone', screensharing: 'Screen',
};
const CLOCKS = { audio: 48_000, video: 90_000 };
/** What the button says that pauses a track, and then resumes it. */
const PAUSES = { audio: ['Mute', 'Unmute'], video: ['Pause video', 'Resume video'] };

/** `acts`: `remove(peerID)`, `setPaused(producerID, isPaused)`, `explain(peerID, ago)`, all asynchronous. */
export class RoomView {
  #acts;
  #stats;
  #activeSpeaker;
  /** Of each producer: its peer's name, and how many spatial layers it is received in; 0 if unknown. */
  #sources = new Map();

  /** `activeSpeaker.peer`: the id of the peer that speaks. `stats()`: those of the room. */
  constructor(acts, stats, activeSpeaker) {
    this.#acts = acts;
    this.#stats = stats;
    this.#activeSpeaker = activeSpeaker;
  }

  show(snapshot) {
    this.#sources = new Map();
    for (const peer of snapshot.peers) {
      for (const { producers } of peer.transports) {
        for (const { id, type, streams } of producers) {
          this.#sources.set(id, { name: peer.displayName || peer.id, layers: type === 'simulcast' ? streams.length : 0 });
        }
      }
    }
    match(document.getElementById('peers'), snapshot.peers, ({ id }) => id, (peer) => this.#peer(peer));
  }

  #peer({ id }) {
    const avatar = make('span', { className: 'avatar', 'aria-hidden': 'true' });
    const name = make('b');
    const details = make('span', { className: 'soft' });
    const network = make('span', { className: 'soft', 'data-network': '' });
    const warnings = make('ul', { className: 'warnings' });
    const sent = make('div');
    const received = make('ul', { className: 'received' });
    const summary = make('summary');
    const folded = make('details', {}, summary, received);
    let shown = id;
    const remove = carefulButton('Remove', () => `Remove ${shown}`, { 'data-act': 'remove' }, () => this.#acts.remove(id));
    const head = make('div', { className: 'peer-head' }, avatar, make('div', { className: 'peer-name' }, name, details, network), remove);
    const why = whyPanel((ago) => this.#acts.explain(id, ago));
    const card = make('article', { className: 'peer', 'data-peer': id }, head, warnings, sent, folded, why);
    avatar.dataset.hue = String([...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 6, 0));
    card.update = (peer) => {
      shown = peer.displayName || peer.id;
      write(avatar, [...shown][0]?.toUpperCase() ?? '?');
      write(name, shown);
      remove.update();
      write(details, [
        [peer.device.name ?? peer.device.flag ?? 'unknown program', peer.device.version].filter(Boolean).join(' '), peer.joined ? '' : 'not joined',
        connection(peer.transports), threads(peer.transports),
      ].filter(Boolean).join(' · '));
      write(network, networkOf(peer));
      card.dataset.speaking = String(this.#activeSpeaker.peer === peer.id);
      const wrong = peer.transports.flatMap((transport) => transport.warnings.map((each) => ({ id: transport.id, ...each })));
      warnings.hidden = wrong.length === 0;
      match(warnings, wrong, (each) => `${each.id} ${each.code}`, () => warningLine());
      match(sent, peer.transports.flatMap(({ producers }) => producers), (each) => each.id, (each) => this.#producer(each));
      const consumers = peer.transports.flatMap((transport) => transport.consumers);
      folded.hidden = consumers.length === 0;
      why.hidden = consumers.length === 0;
      why.update();
      write(summary, `Receives ${consumers.length} ${consumers.length === 1 ? 'track' : 'tracks'}`);
      match(received, consumers, (each) => each.id, () => this.#consumer());
    };
    return card;
  }

  #producer({ id, kind }) {
    const title = make('b');
    const about = make('span', { className: 'soft' });
    const tag = make('span', { className: 'tag', 'data-tone': 'off' }, 'paused');
    const pause = make('button', { type: 'button', className: 'plain', 'data-act': 'pause' });
    const rate = figure('Bitrate', chart('Bitrate', { format: bitrate }));
    const loss = figure('Packet loss (uplink)', chart('Packet loss', { tone: 'loss', format: percent }));
    const track = make(
      'div', { className: 'track', 'data-producer': id, 'data-kind': kind },
      make('span', { className: 'track-name' }, title, ' ', about, tag), pause,
      make('div', { className: 'gauges' }, rate.element, loss.element));
    let isPaused = false;
    pause.onclick = async () => {
      pause.disabled = true;
      try { await this.#acts.setPaused(id, !isPaused); } finally { pause.disabled = false; }
    };
    track.update = (producer) => {
      isPaused = producer.paused;
      write(title, SOURCES[producer.source] ?? MEDIA[producer.kind] ?? producer.kind);
      const score = producer.score.map((each) => each.score).join('/');
      const layers = producer.streams.length > 1 ? `${producer.streams.length} streams` : '';
      write(about, [
        producer.mimeType.split('/').at(-1), producer.type === 'simple' ? '' : producer.type, layers,
        score && `quality ${score}`, ...figures(producer.streams, producer),
      ].filter(Boolean).join(', '));
      tag.hidden = !isPaused;
      write(pause, PAUSES[kind]?.[Number(isPaused)] ?? (isPaused ? 'Resume' : 'Pause'));
      pause.title = isPaused ? '' : 'Its owner can resume it.';
      const stats = this.#stats().of(producer.id);
      if (!stats) return;
      rate.show(bitrate(stats.rate.last), stats.rate, 20_000);
      loss.show(percent(stats.loss.last), stats.loss, 0.05);
    };
    return track;
  }

  #consumer() {
    const label = make('span');
    const tag = make('span', { className: 'tag' });
    const rate = chart('Bitrate', { format: bitrate });
    const value = make('span');
    const row = make('li', {}, make('span', {}, label, tag), rate, value);
    row.update = (consumer) => {
      row.dataset.consumer = consumer.id;
      write(label, `${MEDIA[consumer.kind] ?? consumer.kind} of ${this.#sources.get(consumer.producerId)?.name ?? 'nobody'}`);
      const layers = layerText(consumer.currentLayers, this.#sources.get(consumer.producerId)?.layers ?? 0);
      const isPaused = consumer.paused || consumer.producerPaused;
      tag.hidden = !isPaused && !layers;
      tag.dataset.tone = isPaused ? 'off' : 'layers';
      write(tag, isPaused ? 'paused' : layers);
      const stats = this.#stats().of(consumer.id);
      if (!stats) return;
      rate.update(stats.rate, 20_000);
      const lost = stats.loss.last;
      write(value, bitrate(stats.rate.last) + (lost > 0 ? `, ${percent(lost)} packet loss` : ''));
    };
    return row;
  }
}

/** The layers a consumer gets, counted from 1, of `all` spatial ones if that is known. */
function layerText(layers, all) {
  if (!layers) return '';
  const { spatialLayer, temporalLayer } = layers;
  return `layer ${spatialLayer + 1}${all > spatialLayer ? ` of ${all}` : ''}, temporal layer ${temporalLayer + 1}`;
}

/** Which way a transport's media goes: `''` while it carries none. */
function direction({ producers, consumers }) {
  if (producers.length > 0 && consumers.length > 0) return 'both ways';
  return producers.length > 0 ? 'sending' : consumers.length > 0 ? 'receiving' : '';
}

/** A track's figures in words. */
function figures(streams, { kind, mimeType }) {
  const clock = /PCM[AU]|G722/i.test(mimeType) ? 8_000 : CLOCKS[kind];
  const { jitterMs, rttMs, nacks, keyFrameRequests, repaired } = qualityOf(streams, clock);
  return [
    jitterMs === undefined ? '' : `jitter ${jitterMs.toFixed(0)} ms`, rttMs === undefined ? '' : `RTT ${rttMs.toFixed(0)} ms`,
    nacks ? `${nacks} NACK` : '', repaired ? `${repaired} repaired` : '', keyFrameRequests ? `${keyFrameRequests} PLI` : '',
  ];
}

/** From where a peer comes, how its media go, since when, and what it may not do. */
export function networkOf({ address, transports, joinedAt, connectedAt, permissions = /** @type {Record<string, boolean>} */ ({}) }) {
  const tuples = transports.map(({ iceSelectedTuple, tuple }) => iceSelectedTuple ?? tuple).filter((each) => each?.remoteIp);
  const places = [...new Set(tuples.map(({ protocol, relay, remoteIp, remotePort }) => {
    // Of a client of the TURN server, the address is its allocation's.
    return `${relay ? `TURN/${relay}` : protocol ?? 'udp'} ${remoteIp}:${remotePort}`;
  }))];
  const since = joinedAt ?? connectedAt;
  const without = ['publish', 'subscribe'].filter((each) => permissions[each] === false).map((each) => `may not ${each}`);
  return [
    places.join(', ') || (address ? `signaling from ${address}` : ''),
    since ? `since ${new Date(since).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })}` : '',
    permissions.moderate ? 'moderator' : '', ...without,
  ].filter(Boolean).join(' · ');
}

/** `connected`, or which of a peer's transports is not. */
function connection(transports) {
  const states = transports.map((transport) => {
    const { type, tuple, iceState, dtlsState } = transport;
    if (type === 'plain') return { text: tuple.remoteIp ? 'plain RTP' : 'plain RTP, not seen yet' };
    if (dtlsState === 'connected' && (iceState === 'connected' || iceState === 'completed')) return { text: 'connected' };
    if (iceState === 'disconnected') return { text: 'disconnected', transport };
    if (dtlsState === 'failed' || dtlsState === 'closed') return { text: `DTLS ${dtlsState}`, transport };
    return { text: 'not yet connected', transport };
  });
  const isMixed = new Set(states.map(({ text }) => text)).size > 1;
  const texts = states.map(({ text, transport }) => (isMixed && transport ? `${direction(transport)} ${text}`.trim() : text));
  return [...new Set(texts)].sort((a, b) => Number(b === 'connected') - Number(a === 'connected')).join(' · ');
}

/** `thread 0 (in), 1 (out)`: the media threads of a peer's transports. */
function threads(transports) {
  const ways = { sending: ' (in)', receiving: ' (out)', 'both ways': ' (in and out)', '': '' };
  const places = transports.map((transport) => `${transport.shard}${ways[direction(transport)]}`);
  return places.length > 0 ? `thread ${[...new Set(places)].join(', ')}` : '';
}

/** What does not flow although it should, with what came instead. */
function warningLine() {
  const line = make('li');
  line.update = ({ code, message, packets, ssrc, payloadType }) => {
    line.dataset.code = code;
    const evidence = ssrc === undefined ? '' : ` (${packets} packets, the last of SSRC ${ssrc}, payload type ${payloadType})`;
    write(line, message + evidence);
  };
  return line;
}

/** A label, a value and a chart; `show(text, series, least)`. */
export function figure(label, picture) {
  const value = make('b', {}, '–');
  const element = make('div', { className: 'gauge' }, make('span', {}, label), value, picture);
  return {
    element,
    show: (text, series, least) => {
      write(value, text);
      picture.update(series, least);
    },
  };
}
