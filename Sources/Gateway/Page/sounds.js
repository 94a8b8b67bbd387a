/** Short sounds for what happens in a room, made here: no file to load, and quiet beside voices. */
import { recall, remember } from './memory.js';

/** What sounds: [frequency in Hz, when it begins in s], rising for who comes, falling for who leaves. */
const NOTES = {
  came: [[523.25, 0], [659.25, 0.11]],
  left: [[659.25, 0], [523.25, 0.11]],
  hand: [[783.99, 0], [783.99, 0.16]],
};
const NOTE_SECONDS = 0.22;
const LOUDNESS = 0.06;
/** Two who come at once are heard once. */
const APART_MS = 1_500;
const LATE_MS = 1_000;

/** Which sound is due: each kind once in a moment, and none while they are switched off. No sound is made in here. */
export class SoundRule {
  #last = new Map();

  isDue(kind, now, on) {
    if (!on || !(kind in NOTES)) return false;
    if (now - (this.#last.get(kind) ?? -Infinity) < APART_MS) return false;
    this.#last.set(kind, now);
    return true;
  }
}

export class Sounds {
  #rule = new SoundRule();
  #context = null;
  #on = recall('sounds', true);

  get on() {
    return this.#on;
  }

  set on(on) {
    this.#on = on;
    remember('sounds', on);
  }

  /** `kind`: `came`, `left` or `hand`. */
  play(kind) {
    if (!window.AudioContext || !this.#rule.isDue(kind, performance.now(), this.#on)) return;
    this.#context ??= new AudioContext();
    const asked = performance.now();
    // A page that was not touched yet may make no sound before it is; what comes much later is no news.
    this.#context.resume().then(() => {
      if (performance.now() - asked > LATE_MS) return;
      for (const [frequency, begin] of NOTES[kind]) this.#note(frequency, this.#context.currentTime + begin);
    }, () => {});
  }

  #note(frequency, begin) {
    const tone = new OscillatorNode(this.#context, { frequency });
    const volume = new GainNode(this.#context, { gain: 0 });
    volume.gain.setValueAtTime(0, begin);
    volume.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.0001, begin + NOTE_SECONDS);
    tone.connect(volume).connect(this.#context.destination);
    tone.start(begin);
    tone.stop(begin + NOTE_SECONDS);
  }
}
