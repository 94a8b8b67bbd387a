/** The room that is shown: its peers, what each sends and receives. */
import { bitrate, chart, percent } from './chart.js';
import { carefulButton, make, match, write } from './dom.js';

const MEDIA = { audio: 'Audio', video: 'Video' };

/** `acts`: `kick(peerID)`, `setPaused(producerID, isPaused)`, both asynchronous. */
export class RoomView {
  #acts;
  #stats;
  #activeSpeaker;
  #names = new Map();

  /** `activeSpeaker.peer`: the id of the peer that speaks. `stats()`: those of the room. */
  constructor(acts, stats, activeSpeaker) {
    this.#acts = acts;
    this.#stats = stats;
    this.#activeSpeaker = activeSpeaker;
  }

  show(snapshot) {
    this.#names = new Map();
    for (const peer of snapshot.peers) {
      for (const { producers } of peer.transports) {
        for (const producer of producers) this.#names.set(producer.id, peer.displayName || peer.id);
      }
    }
    match(document.getElementById('peers'), snapshot.peers, ({ id }) => id, (peer) => this.#peer(peer));
  }

  #peer({ id }) {
    const avatar = make('span', { className: 'avatar', 'aria-hidden': 'true' });
    const name = make('b');
    const details = make('span', { className: 'soft' });
    const warnings = make('ul', { className: 'warnings' });
    const sent = make('div');
    const received = make('ul', { className: 'received' });
    const summary = make('summary');
    const folded = make('details', {}, summary, received);
    const kick = carefulButton('Kick', { 'data-act': 'kick' }, () => this.#acts.kick(id));
    const head = make('div', { className: 'peer-head' }, avatar, make('div', { className: 'peer-name' }, name, details), kick);
    const card = make('article', { className: 'peer', 'data-peer': id }, head, warnings, sent, folded);
    avatar.dataset.hue = String([...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 6, 0));
    card.update = (peer) => {
      const shown = peer.displayName || peer.id;
      write(avatar, [...shown][0]?.toUpperCase() ?? '?');
      write(name, shown);
      kick.setAttribute('aria-label', `Kick ${shown}`);
      const states = peer.transports.map(({ type, tuple, iceState, dtlsState }) => {
        if (type === 'plain') return tuple.remoteIp ? 'plain RTP' : 'plain RTP, not seen yet';
        return dtlsState === 'connected' ? iceState : `${iceState}, DTLS ${dtlsState}`;
      });
      const place = [...new Set(peer.transports.map(({ shard }) => shard))].join(', ');
      write(details, [
        peer.device.name ?? peer.device.flag ?? 'unknown program', peer.joined ? '' : 'not joined',
        [...new Set(states)].join(' / '), place === '' ? '' : `thread ${place}`,
      ].filter(Boolean).join(' · '));
      card.dataset.speaking = String(this.#activeSpeaker.peer === peer.id);
      const wrong = peer.transports.flatMap((transport) => transport.warnings.map((each) => ({ id: transport.id, ...each })));
      warnings.hidden = wrong.length === 0;
      match(warnings, wrong, (each) => `${each.id} ${each.code}`, () => warningLine());
      match(sent, peer.transports.flatMap(({ producers }) => producers), (each) => each.id, (each) => this.#producer(each));
      const consumers = peer.transports.flatMap((transport) => transport.consumers);
      folded.hidden = consumers.length === 0;
      write(summary, `Receives ${consumers.length} ${consumers.length === 1 ? 'track' : 'tracks'}`);
      match(received, consumers, (each) => each.id, () => this.#consumer());
    };
    return card;
  }

  #producer({ id }) {
    const title = make('b');
    const about = make('span', { className: 'soft' });
    const tag = make('span', { className: 'tag', 'data-tone': 'off' }, 'paused');
    const mute = make('button', { type: 'button', className: 'plain', 'data-act': 'mute' });
    const rate = figure('Bitrate', chart('Bitrate'));
    const loss = figure('Packet loss (uplink)', chart('Packet loss', 'loss'));
    const track = make(
      'div', { className: 'track', 'data-producer': id },
      make('span', { className: 'track-name' }, title, ' ', about, tag), mute,
      make('div', { className: 'gauges' }, rate.element, loss.element));
    let isPaused = false;
    mute.onclick = async () => {
      mute.disabled = true;
      try { await this.#acts.setPaused(id, !isPaused); } finally { mute.disabled = false; }
    };
    track.update = (producer) => {
      isPaused = producer.paused;
      write(title, MEDIA[producer.kind] ?? producer.kind);
      const score = producer.score.map((each) => each.score).join('/');
      const layers = producer.streams.length > 1 ? `${producer.streams.length} streams` : '';
      write(about, [
        producer.mimeType.split('/').at(-1), producer.type === 'simple' ? '' : producer.type, layers,
        score && `score ${score}`,
      ].filter(Boolean).join(', '));
      tag.hidden = !isPaused;
      write(mute, isPaused ? 'Unmute' : 'Mute');
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
    const rate = chart('Bitrate');
    const value = make('span');
    const row = make('li', {}, make('span', {}, label, tag), rate, value);
    row.update = (consumer) => {
      row.dataset.consumer = consumer.id;
      write(label, `${MEDIA[consumer.kind] ?? consumer.kind} of ${this.#names.get(consumer.producerId) ?? 'nobody'}`);
      const { spatialLayer, temporalLayer } = consumer.currentLayers ?? {};
      const layers = spatialLayer === undefined ? undefined : `spatial layer ${spatialLayer}, temporal ${temporalLayer}`;
      const isPaused = consumer.paused || consumer.producerPaused;
      tag.hidden = !isPaused && !layers;
      tag.dataset.tone = isPaused ? 'off' : 'layers';
      write(tag, isPaused ? 'paused' : layers ?? '');
      const stats = this.#stats().of(consumer.id);
      if (!stats) return;
      rate.update(stats.rate, 20_000);
      const lost = stats.loss.last;
      write(value, bitrate(stats.rate.last) + (lost > 0 ? `, ${percent(lost)} packet loss` : ''));
    };
    return row;
  }
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
