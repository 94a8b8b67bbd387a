/** The screen before the call: name, room, and a look in the mirror. */
import { fillPickers, watchPickers } from './devices.js';
import { facesPerson, LevelMeter } from './localmedia.js';
import { copyInvite, toast } from './toasts.js';

const MEMORY = 'roundhouse.name';
const find = (id) => document.getElementById(id);

export class Lobby {
  #devices;
  #joined;
  #meter = null;
  #meteredTrack = null;
  #shown = false;

  /** `joined({ name, room, password })`: the person wants in. */
  constructor(devices, { name, room, joined }) {
    this.#devices = devices;
    this.#joined = joined;
    find('name').value = name || recallName();
    find('room').value = room || inventRoom();
    find('join-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.join();
    });
    find('lobby-invite').addEventListener('click', () => copyInvite(find('room').value.trim()));
    find('retry-devices').addEventListener('click', () => this.#retry());
    find('lobby-mic').addEventListener('click', () => this.#switch(() => devices.switchMicrophone(!devices.microphoneOn)));
    find('lobby-cam').addEventListener('click', () => this.#switch(() => devices.switchCamera(!devices.cameraOn)));
    watchPickers(find('lobby'), devices, { failed: showError });
    devices.watch(() => this.#render());
  }

  show() {
    this.#shown = true;
    find('lobby').hidden = false;
    document.title = 'Roundhouse';
    this.#devices.open();
    if (!find('name').value) find('name').focus();
    this.#render();
  }

  hide() {
    this.#shown = false;
    find('lobby').hidden = true;
    this.#render();
  }

  join() {
    if (!find('join-form').reportValidity()) return;
    const name = find('name').value.trim();
    const room = find('room').value.trim();
    const password = find('password').value;
    if (!name || !room) return;
    rememberName(name);
    this.#joined({ name, room, password });
  }

  async #retry() {
    this.#devices.microphoneOn = true;
    this.#devices.cameraOn = true;
    await this.#devices.open();
  }

  async #switch(action) {
    try {
      await action();
    } catch (problem) {
      showError(problem);
    }
  }

  #render() {
    const { audio, video, opening, microphoneOn, cameraOn, problems } = this.#devices;
    const preview = find('preview-video');
    const shownTrack = this.#shown ? video : null;
    if ((preview.srcObject?.getTracks()[0] ?? null) !== shownTrack) {
      preview.srcObject = shownTrack ? new MediaStream([shownTrack]) : null;
    }
    this.#measure(this.#shown && microphoneOn ? audio : null);
    if (!this.#shown) return;

    preview.dataset.on = String(Boolean(video));
    preview.dataset.mirrored = String(facesPerson(video));
    find('preview-empty').hidden = Boolean(video);
    const trouble = problems.find(({ kind }) => kind === 'video');
    find('preview-empty').textContent = opening
      ? 'Starting your camera… If the browser asks, allow it.'
      : trouble ? trouble.title : 'Your camera is off.';
    renderSwitch(find('lobby-mic'), 'mic', microphoneOn && Boolean(audio), 'microphone');
    renderSwitch(find('lobby-cam'), 'cam', cameraOn && Boolean(video), 'camera');
    fillPickers(find('lobby'), this.#devices);

    const notice = find('lobby-notice');
    notice.hidden = problems.length === 0;
    if (problems.length > 0) {
      const both = problems.length > 1 && problems.every(({ refused }) => refused);
      notice.querySelector('.notice-title').textContent = both
        ? 'Permission for camera and microphone was refused'
        : problems.map(({ title }) => title).join('. ');
      notice.querySelector('.notice-advice').textContent = problems[0].advice;
    }
    find('join').textContent = joinWords({ audio, video, opening });
  }

  #measure(track) {
    if (track === this.#meteredTrack) return;
    this.#meter?.stop();
    this.#meteredTrack = track;
    const bar = find('meter-level');
    bar.style.transform = 'scaleX(0)';
    this.#meter = track ? new LevelMeter(track, (level) => { bar.style.transform = `scaleX(${level.toFixed(3)})`; }) : null;
  }
}

/** A round on/off button: icon, state for assistive technology, and what a click would do. */
export function renderSwitch(button, icon, on, thing) {
  button.setAttribute('aria-pressed', String(on));
  button.title = `Turn ${thing} ${on ? 'off' : 'on'}`;
  button.querySelector('use').setAttribute('href', `#i-${icon}${on ? '' : '-off'}`);
}

export function showError(problem) {
  toast(problem.title ?? 'That did not work', problem.advice ?? problem.message ?? '', 'error');
}

function joinWords({ audio, video, opening }) {
  if (opening || (audio && video)) return 'Join room';
  if (audio) return 'Join without camera';
  if (video) return 'Join without microphone';
  return 'Join without camera and microphone';
}

/** Easy to read out over a telephone. */
function inventRoom() {
  const colors = ['amber', 'copper', 'green', 'grey', 'indigo', 'ivory', 'olive', 'red', 'silver', 'violet'];
  const places = ['bridge', 'crossing', 'depot', 'harbour', 'junction', 'platform', 'siding', 'signal', 'tunnel', 'yard'];
  const [color, place, number] = crypto.getRandomValues(new Uint32Array(3));
  return `${colors[color % colors.length]}-${places[place % places.length]}-${1000 + (number % 9000)}`;
}

function recallName() {
  try {
    return localStorage.getItem(MEMORY) ?? '';
  } catch {
    return '';
  }
}

function rememberName(name) {
  try {
    localStorage.setItem(MEMORY, name);
  } catch {
    // Private windows have no memory.
  }
}
