/** The screen before the call: name, room, and a look in the mirror. */
import { fillPickers, watchPickers } from './devices.js';
import { facesPerson, LevelMeter } from './localmedia.js';
import { copyInvite, toast } from './toasts.js';
import { recall, remember } from './memory.js';
import { t } from './texts.js';

/** @type {(id: string) => any} */
const find = (id) => document.getElementById(id);
const FIELDS = ['name', 'room', 'password', 'token'];
/** Windows that have one column, as in style.css. */
const NARROW = '(max-width: 760px)';

export class Lobby {
  #devices;
  #joined;
  #meter = null;
  #meteredTrack = null;
  #shown = false;

  /** `joined({ name, room, password, token })`: the person wants in. */
  constructor(devices, { name, room, token, joined }) {
    this.#devices = devices;
    this.#joined = joined;
    find('name').value = name || recall('name', '');
    find('room').value = room || inventRoom();
    find('token').value = token;
    find('join-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.join();
    });
    for (const field of FIELDS) find(field).addEventListener('input', () => showFault(field, ''));
    find('lobby-invite').addEventListener('click', () => copyInvite(find('room').value.trim(), Boolean(find('token').value)));
    find('retry-devices').addEventListener('click', () => this.#retry());
    find('lobby-mic').addEventListener('click', () => this.#switch(() => devices.switchMicrophone(!devices.microphoneOn)));
    find('lobby-cam').addEventListener('click', () => this.#switch(() => devices.switchCamera(!devices.cameraOn)));
    watchPickers(find('lobby'), devices, { failed: showError });
    const narrow = matchMedia(NARROW);
    narrow.addEventListener('change', () => placePreview(narrow.matches));
    placePreview(narrow.matches);
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
    for (const field of FIELDS) showFault(field, '');
    find('join-notice').hidden = true;
    const [name, room, password, token] = FIELDS.map((field) => find(field).value.trim());
    const missing = !name ? ['name', 'lobby.nameWanted'] : !room ? ['room', 'lobby.roomWanted'] : null;
    if (missing) {
      showFault(missing[0], t(missing[1]));
      find(missing[0]).focus();
      return;
    }
    remember('name', name);
    this.#joined({ name, room, password: password && find('password').value, token });
  }

  /** Says why the person is back: at the field that has to change, or above the form. `refusal`: see `refusalOf`. */
  refuse({ field, text, values = {} }) {
    if (!field) {
      find('join-notice').textContent = t(text, values);
      find('join-notice').hidden = false;
      return;
    }
    if (field === 'password' || field === 'token') find(`${field}-field`).hidden = false;
    showFault(field, t(text, values));
    find(field).focus();
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
    find('preview-empty').textContent = opening ? t('lobby.starting') : trouble ? trouble.title : t('lobby.cameraOff');
    renderSwitch(find('lobby-mic'), 'mic', microphoneOn && Boolean(audio), 'microphone');
    renderSwitch(find('lobby-cam'), 'cam', cameraOn && Boolean(video), 'camera');
    fillPickers(find('lobby'), this.#devices);

    const notice = find('lobby-notice');
    notice.hidden = problems.length === 0;
    if (problems.length > 0) {
      const both = problems.length > 1 && problems.every(({ refused }) => refused);
      notice.querySelector('.notice-title').textContent = both
        ? t('device.bothRefused')
        : problems.map(({ title }) => title).join('. ');
      notice.querySelector('.notice-advice').textContent = problems[0].advice;
    }
    find('join').textContent = t(joinText({ audio, video, opening, microphoneOn, cameraOn }));
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
  button.title = t(`switch.${thing}.${on ? 'off' : 'on'}`);
  button.querySelector('use').setAttribute('href', `#i-${icon}${on ? '' : '-off'}`);
}

export function showError(problem) {
  toast(problem.title ?? t('problem.other'), problem.advice ?? problem.message ?? '', 'error');
}

function showFault(field, text) {
  const error = find(`${field}-error`);
  error.textContent = text;
  error.hidden = text === '';
  if (text) find(field).setAttribute('aria-invalid', 'true');
  else find(field).removeAttribute('aria-invalid');
}

function joinText({ audio, video, opening, microphoneOn, cameraOn }) {
  const heard = audio && microphoneOn;
  const seen = video && cameraOn;
  if (opening || (heard && seen)) return 'lobby.join';
  if (heard) return 'lobby.joinWithoutCamera';
  if (seen) return 'lobby.joinWithoutMicrophone';
  return 'lobby.joinWithoutBoth';
}

/** Easy to read out over a telephone, and too many to be found by trying. */
function inventRoom() {
  const colors = ['amber', 'copper', 'green', 'grey', 'indigo', 'ivory', 'olive', 'red', 'silver', 'violet'];
  const places = ['bridge', 'crossing', 'depot', 'harbor', 'junction', 'platform', 'siding', 'signal', 'tunnel', 'yard'];
  const [color, place, number, more] = crypto.getRandomValues(new Uint32Array(4));
  const digits = (value) => 1000 + (value % 9000);
  return `${colors[color % colors.length]}-${places[place % places.length]}-${digits(number)}-${digits(more)}`;
}

/** The look in the mirror comes before the form where it is seen above it: what is read and tabbed to follows what is seen. */
function placePreview(isNarrow) {
  const preview = document.querySelector('.preview');
  if (isNarrow) find('join-form').before(preview);
  else find('lobby').append(preview);
}
