/** What counters say over time: bitrates and losses of tracks, flows and load of media threads. */
import { Series } from './chart.js';
import { dropGroups } from './drops.js';

/** One track, by the ids of its producer or consumer. */
class Track {
  rate = new Series();
  loss = new Series();

  /** `streams`: the track's own statistics entries. */
  add(streams) {
    this.rate.push(streams.reduce((total, { bitrate = 0 }) => total + bitrate, 0));
    this.loss.push(lossOf(streams));
  }
}

/**
 * The share of packets lost between the last two reports (RFC 3550 §6.4.1), 0…1, the streams weighted by their bitrates. What was
 * lost since the last look, divided by what came since, would jump: reports come at times of their own.
 */
export function lossOf(streams) {
  const heard = streams.filter(({ packetCount = 0 }) => packetCount > 0);
  const weight = ({ bitrate = 0 }) => Math.max(bitrate, 1);
  const all = heard.reduce((sum, stream) => sum + weight(stream), 0);
  return all > 0 ? heard.reduce((sum, stream) => sum + weight(stream) * (stream.fractionLost ?? 0) / 256, 0) / all : 0;
}

/** What of a track's counters says how its connection is: `{ jitterMs, rttMs, nacks, keyFrameRequests, repaired }`, each or undefined. */
export function qualityOf(streams, clockRate) {
  const heard = streams.filter(({ packetCount = 0 }) => packetCount > 0);
  if (heard.length === 0) return {};
  const sum = (name) => heard.reduce((total, stream) => total + (stream[name] ?? 0), 0);
  const trips = heard.map(({ roundTripTime }) => roundTripTime).filter(Number.isFinite);
  return {
    jitterMs: Math.max(...heard.map(({ jitter = 0 }) => jitter)) * 1000 / clockRate,
    rttMs: trips.length > 0 ? Math.max(...trips) : undefined,
    nacks: sum('nackCount'), keyFrameRequests: sum('pliCount') + sum('firCount'), repaired: sum('packetsRepaired'),
  };
}

/** The tracks of the room that is shown. */
export class RoomStats {
  #tracks = new Map();

  /** Takes a snapshot of the room. */
  add(snapshot) {
    const seen = new Set();
    for (const peer of snapshot.peers) {
      for (const transport of peer.transports) {
        for (const producer of transport.producers) this.#add(seen, producer.id, producer.streams);
        for (const consumer of transport.consumers) {
          this.#add(seen, consumer.id, consumer.streams.filter(({ type }) => type === 'outbound-rtp'));
        }
      }
    }
    for (const id of this.#tracks.keys()) if (!seen.has(id)) this.#tracks.delete(id);
  }

  #add(seen, id, streams) {
    seen.add(id);
    if (!this.#tracks.has(id)) this.#tracks.set(id, new Track());
    this.#tracks.get(id).add(streams);
  }

  of(id) {
    return this.#tracks.get(id);
  }
}

/** The media threads: flows of all together, and each one's load. */
export class ShardStats {
  incoming = new Series();
  outgoing = new Series();
  loads = [];
  /** See `dropGroups`; rates are of the last minute. */
  drops = { faults: [], design: [] };
  #last = null;
  #minute = [];

  /** Takes an answer of `/api/v1/shards`. */
  add(answer) {
    const total = (name) => answer.shards.reduce((sum, { counters }) => sum + (counters[name] ?? 0), 0);
    const now = {
      time: answer.time, received: total('bytes_received'), sent: total('bytes_sent'),
      cpu: new Map(answer.shards.map(({ shard, cpuSeconds }) => [shard, cpuSeconds])),
    };
    const before = this.#last;
    const seconds = before ? (now.time - before.time) / 1000 : 0;
    if (seconds > 0) {
      this.incoming.push(Math.max(0, now.received - before.received) * 8 / seconds);
      this.outgoing.push(Math.max(0, now.sent - before.sent) * 8 / seconds);
    }
    this.loads = answer.shards.map(({ shard, cpuSeconds }) => ({
      shard, load: seconds > 0 ? Math.min(1, Math.max(0, cpuSeconds - (before.cpu.get(shard) ?? cpuSeconds)) / seconds) : 0,
    }));
    const drops = new Map();
    for (const { drops: each } of answer.shards) {
      for (const [reason, count] of Object.entries(each)) drops.set(reason, (drops.get(reason) ?? 0) + count);
    }
    this.#minute.push({ time: now.time, drops });
    while (this.#minute.length > 1 && now.time - this.#minute[0].time > 60_000) this.#minute.shift();
    const [first] = this.#minute;
    this.drops = dropGroups(drops, first.drops, (now.time - first.time) / 1000);
    this.#last = now;
  }
}
