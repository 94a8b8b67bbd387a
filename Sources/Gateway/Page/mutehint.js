/** Notices that somebody speaks into a microphone that is off. */
import { LevelMeter } from './localmedia.js';

const LOUD = 0.45;
const ENOUGH = 8;

/** Whether the levels of a moment are speech, and not one knock: counted up while loud, down while not. */
export class SpeechCount {
  #count = 0;

  /** Returns true once, when there has been enough. */
  add(level) {
    this.#count = level >= LOUD ? this.#count + 1 : Math.max(0, this.#count - 1);
    return this.#count === ENOUGH;
  }
}

export class MuteHint {
  #meter = null;
  #track = null;
  #spoken;

  /** `spoken()`: once for each time that the microphone is off. */
  constructor(spoken) {
    this.#spoken = spoken;
  }

  /** `track`: the microphone that is off, or null. What it hears stays in this page. */
  watch(track) {
    if (this.#track === track) return;
    this.#meter?.stop();
    this.#copy?.stop();
    this.#track = track;
    this.#meter = this.#copy = null;
    if (!track) return;
    const count = new SpeechCount();
    // The track itself is silent while it is off.
    this.#copy = track.clone();
    this.#copy.enabled = true;
    this.#meter = new LevelMeter(this.#copy, (level) => {
      if (count.add(level)) this.#spoken();
    });
  }

  #copy = null;
}
