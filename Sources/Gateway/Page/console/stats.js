/** What counters say over time: bitrates and losses of tracks, flows and load of media threads. */
import { Series } from './chart.js';

/** One track, by the ids of its producer or consumer. */
class Track {
  rate = new Series();
  loss = new Series();
  #packets = null;
  #lost = 0;

  /** `streams`: the track's own statistics entries. */
  add(streams) {
    const sum = (name) => streams.reduce((total, stream) => total + (stream[name] ?? 0), 0);
    const packets = sum('packetCount');
    const lost = sum('packetsLost');
    this.rate.push(sum('bitrate'));
    if (this.#packets !== null && packets >= this.#packets) {
      const newLost = Math.max(0, lost - this.#lost);
      const all = packets - this.#packets + newLost;
      this.loss.push(all > 0 ? newLost / all : 0);
    }
    this.#packets = packets;
    this.#lost = lost;
  }
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
  drops = [];
  #last = null;

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
    this.drops = [...drops].filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
    this.#last = now;
  }
}
