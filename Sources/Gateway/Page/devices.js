/** The microphone and camera in use: which, whether on, and their tracks. Shared by lobby and call. */
import { DeviceProblem, listDevices, mediaSupported, openBoth, openDevice } from './localmedia.js';
import { SerialQueue } from './serialqueue.js';
import { recall, remember } from './memory.js';
import { t } from './texts.js';

const TRACK_OF = { audioinput: 'audio', videoinput: 'video' };

export class Devices {
  audio = null;
  video = null;
  microphoneOn = recall('on', {}).microphone ?? true;
  cameraOn = recall('on', {}).camera ?? true;
  noiseSuppression = recall('noise', true);
  /** Until the person has answered the browser's question. */
  opening = false;
  problems = [];
  lists = { audioinput: [], videoinput: [], audiooutput: [] };
  chosen = recall('devices', {});
  #queue = new SerialQueue();
  #watchers = new Set();
  #unplugged;

  /** `unplugged(kind)`: a device in use has gone away. */
  constructor({ unplugged }) {
    this.#unplugged = unplugged;
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.#refreshLists());
  }

  /** Returns a function that ends the watching. */
  watch(changed) {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  /** Asks for whatever is switched on and not yet there. Does not throw: see `problems`. */
  open() {
    return this.#queue.run(async () => {
      const wantAudio = this.microphoneOn && !this.audio;
      const wantVideo = this.cameraOn && !this.video;
      this.opening = true;
      this.problems = [];
      this.#changed();
      const { audioinput: audioID, videoinput: videoID } = this.chosen;
      if (wantAudio && wantVideo) {
        const { audio, video, problems } = await openBoth({ audioID, videoID, noiseSuppression: this.noiseSuppression });
        this.#take('audio', audio);
        this.#take('video', video);
        this.problems = problems;
      } else {
        if (wantAudio) await this.#openOne('audio', audioID).catch((problem) => this.problems.push(problem));
        if (wantVideo) await this.#openOne('video', videoID).catch((problem) => this.problems.push(problem));
      }
      this.opening = false;
      if (!this.audio) this.microphoneOn = false;
      if (!this.video) this.cameraOn = false;
      await this.#refreshLists();
    });
  }

  /** Throws DeviceProblem when it cannot be switched on. */
  switchMicrophone(on) {
    return this.#queue.run(async () => {
      if (on && !this.audio) await this.#openOne('audio', this.chosen.audioinput);
      this.microphoneOn = on;
      this.#rememberSwitches();
      if (this.audio) this.audio.enabled = on;
      this.#solved('audio');
      await this.#refreshLists();
    });
  }

  /** Off stops the camera itself, so that its lamp goes out. Throws DeviceProblem. */
  switchCamera(on) {
    return this.#queue.run(async () => {
      if (on && !this.video) await this.#openOne('video', this.chosen.videoinput);
      this.cameraOn = on;
      this.#rememberSwitches();
      if (!on) this.#take('video', null);
      this.#solved('video');
      await this.#refreshLists();
    });
  }

  /** `list`: audioinput, videoinput or audiooutput. Throws DeviceProblem. */
  choose(list, id) {
    return this.#queue.run(async () => {
      this.chosen[list] = id;
      remember('devices', this.chosen);
      const kind = TRACK_OF[list];
      if (kind && this[kind]) {
        // Some devices can be open only once, and some phones allow one camera at a time.
        this.#take(kind, null);
        await this.#openOne(kind, id);
        if (kind === 'audio') this.audio.enabled = this.microphoneOn;
      }
      this.#changed();
    });
  }

  /** Throws DeviceProblem if the microphone has to be opened again and cannot be. */
  suppressNoise(on) {
    return this.#queue.run(async () => {
      this.noiseSuppression = on;
      remember('noise', on);
      if (!this.audio) return;
      // Not every browser can change it while the microphone runs.
      await this.audio.applyConstraints({ ...this.audio.getConstraints(), noiseSuppression: on }).catch(() => {});
      if (this.audio.getSettings().noiseSuppression !== on) {
        this.#take('audio', null);
        await this.#openOne('audio', this.chosen.audioinput);
        this.audio.enabled = this.microphoneOn;
      }
      this.#changed();
    });
  }

  /** Lets go of everything; what was on stays marked as on, for the next `open()`. */
  close() {
    this.#take('audio', null);
    this.#take('video', null);
    this.#changed();
  }

  async #openOne(kind, id) {
    try {
      this.#take(kind, await openDevice(kind, id, this.noiseSuppression));
    } catch (problem) {
      this.#changed();
      throw problem;
    }
  }

  #take(kind, track) {
    const old = this[kind];
    if (old) {
      old.onended = null;
      old.stop();
    }
    this[kind] = track;
    if (!track) return;
    if ('contentHint' in track) track.contentHint = kind === 'audio' ? 'speech' : 'motion';
    track.onended = () => {
      if (this[kind] !== track) return;
      this[kind] = null;
      if (kind === 'audio') this.microphoneOn = false;
      else this.cameraOn = false;
      this.#changed();
      this.#unplugged(kind);
    };
  }

  #rememberSwitches() {
    remember('on', { microphone: this.microphoneOn, camera: this.cameraOn });
  }

  #solved(kind) {
    this.problems = this.problems.filter((problem) => problem.kind !== kind);
    this.#changed();
  }

  async #refreshLists() {
    if (mediaSupported()) this.lists = await listDevices().catch(() => this.lists);
    this.#changed();
  }

  #changed() {
    for (const watcher of this.#watchers) watcher();
  }
}

/** Keeps every `<select data-devices>` under `root` equal to the lists and choices. */
export function fillPickers(root, devices) {
  for (const select of root.querySelectorAll('select[data-devices]')) {
    const kind = select.dataset.devices;
    const choices = devices.lists[kind];
    if (kind === 'audiooutput') {
      const usable = choices.length > 0 && 'setSinkId' in HTMLMediaElement.prototype;
      select.closest('.field').hidden = !usable;
    }
    const signature = JSON.stringify(choices);
    if (select.dataset.signature !== signature) {
      select.dataset.signature = signature;
      const options = choices.map(({ id, label }) => new Option(label, id));
      select.replaceChildren(...(options.length > 0 ? options : [new Option(t('device.notAvailable'), '')]));
      select.disabled = options.length === 0;
    }
    const track = devices[TRACK_OF[kind]];
    const current = track?.getSettings().deviceId ?? devices.chosen[kind];
    if (current && choices.some(({ id }) => id === current)) select.value = current;
  }
}

/** `failed(problem)` gets what went wrong with a choice. */
export function watchPickers(root, devices, { failed, speakerChosen = undefined }) {
  for (const select of root.querySelectorAll('select[data-devices]')) {
    select.addEventListener('change', async () => {
      try {
        await devices.choose(select.dataset.devices, select.value);
        if (select.dataset.devices === 'audiooutput') await speakerChosen?.(select.value);
      } catch (error) {
        failed(error instanceof DeviceProblem ? error : { title: t('device.unusable'), advice: error.message });
      }
    });
  }
}
