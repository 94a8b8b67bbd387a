/** Cameras, microphones and screens of this device, and plain words for what goes wrong with them. */
import { t } from './texts.js';

const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const audioWish = (noiseSuppression) => ({ echoCancellation: true, noiseSuppression, autoGainControl: true });

/** Browsers hide cameras and microphones from pages that are not on HTTPS or localhost. */
export function mediaSupported() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

export function screenSharingSupported() {
  return Boolean(navigator.mediaDevices?.getDisplayMedia);
}

/** Whether to show a camera's picture as a mirror does: not when a phone's camera looks away from its owner. */
export function facesPerson(track) {
  return track?.getSettings?.().facingMode !== 'environment';
}

/** A microphone or camera that could not be had: `kind` audio|video, `title`, `advice`, `refused`. */
export class DeviceProblem extends Error {
  constructor(kind, error) {
    const thing = kind === 'audio' ? 'microphone' : 'camera';
    const { title, advice } = explain(thing, error?.name);
    super(title);
    this.name = 'DeviceProblem';
    this.kind = kind;
    this.title = title;
    this.advice = advice;
    this.refused = error?.name === 'NotAllowedError' || error?.name === 'SecurityError';
  }
}

const KINDS_OF_TROUBLE = {
  insecure: 'insecure', NotAllowedError: 'refused', SecurityError: 'refused', NotFoundError: 'missing',
  OverconstrainedError: 'missing', NotReadableError: 'busy', AbortError: 'busy',
};

function explain(thing, name) {
  const trouble = KINDS_OF_TROUBLE[name] ?? 'other';
  return { title: t(`trouble.${thing}.${trouble}`), advice: t(`trouble.advice.${trouble}`, { name: name ?? '–' }) };
}

/** One track of the kind, from the device asked for or else from any. Throws DeviceProblem. */
export async function openDevice(kind, deviceID, noiseSuppression = true) {
  if (!mediaSupported()) throw new DeviceProblem(kind, { name: 'insecure' });
  try {
    return await request(kind, deviceID, noiseSuppression);
  } catch (error) {
    if (deviceID && (error.name === 'OverconstrainedError' || error.name === 'NotFoundError')) {
      return openDevice(kind, null, noiseSuppression);
    }
    throw new DeviceProblem(kind, error);
  }
}

async function request(kind, deviceID, noiseSuppression) {
  const wish = { ...(kind === 'audio' ? audioWish(noiseSuppression) : VIDEO), ...(deviceID ? { deviceId: { exact: deviceID } } : {}) };
  const stream = await navigator.mediaDevices.getUserMedia({ [kind]: wish });
  return stream.getTracks()[0];
}

/**
 * Both at once, so that the browser asks the person once; if that fails each alone, so that one missing
 * device does not take the other with it. Returns `{ audio, video, problems }`, tracks or null.
 */
export async function openBoth({ audioID, videoID, noiseSuppression = true }) {
  if (!mediaSupported()) {
    const insecure = { name: 'insecure' };
    return { audio: null, video: null, problems: [new DeviceProblem('audio', insecure), new DeviceProblem('video', insecure)] };
  }
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { ...audioWish(noiseSuppression), ...(audioID ? { deviceId: { ideal: audioID } } : {}) },
      video: { ...VIDEO, ...(videoID ? { deviceId: { ideal: videoID } } : {}) },
    });
    return { audio: stream.getAudioTracks()[0], video: stream.getVideoTracks()[0], problems: [] };
  } catch (error) {
    const result = { audio: null, video: null, problems: [] };
    for (const kind of ['audio', 'video']) {
      // Someone who has just said no is not asked again at once.
      if (error.name === 'NotAllowedError' && !(await alreadyGranted(kind))) {
        result.problems.push(new DeviceProblem(kind, error));
        continue;
      }
      try {
        result[kind] = await openDevice(kind, kind === 'audio' ? audioID : videoID, noiseSuppression);
      } catch (problem) {
        result.problems.push(problem);
      }
    }
    return result;
  }
}

async function alreadyGranted(kind) {
  try {
    const name = /** @type {PermissionName} */ (kind === 'audio' ? 'microphone' : 'camera');
    const { state } = await navigator.permissions.query({ name });
    return state === 'granted';
  } catch {
    return false;
  }
}

/** `{ video, audio }`, its sound or null; null when the person changed their mind in the browser's dialogue. */
export async function openScreen() {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { max: 30 } },
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      systemAudio: 'include',
    });
    const [video] = stream.getVideoTracks();
    const [audio = null] = stream.getAudioTracks();
    if ('contentHint' in video) video.contentHint = 'detail';
    if (audio && 'contentHint' in audio) audio.contentHint = 'music';
    return { video, audio };
  } catch (error) {
    if (error.name === 'NotAllowedError' || error.name === 'AbortError') return null;
    throw error;
  }
}

/** `{ audioinput, videoinput, audiooutput }`, each a list of `{ id, label }`; labels need a granted permission. */
export async function listDevices() {
  const lists = { audioinput: [], videoinput: [], audiooutput: [] };
  if (!navigator.mediaDevices?.enumerateDevices) return lists;
  const names = { audioinput: t('device.microphone'), videoinput: t('device.camera'), audiooutput: t('device.speaker') };
  for (const { kind, deviceId, label } of await navigator.mediaDevices.enumerateDevices()) {
    if (!deviceId) continue;
    const list = lists[kind];
    list?.push({ id: deviceId, label: label || `${names[kind]} ${list.length + 1}` });
  }
  return lists;
}

/** Calls `report(level)` with 0…1 about 15 times a second until `stop()`. */
export class LevelMeter {
  #context;
  #timer;
  #resume = () => this.#context?.resume().catch(() => {});

  constructor(track, report) {
    const Context = window.AudioContext;
    if (!Context || !track) return;
    this.#context = new Context();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 512;
    this.#context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    // A page may not run audio before the first touch; the meter then starts with it.
    addEventListener('pointerdown', this.#resume);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      const decibels = 10 * Math.log10(power + 1e-10);
      report(Math.min(1, Math.max(0, (decibels + 60) / 50)));
    }, 66);
  }

  stop() {
    clearInterval(this.#timer);
    removeEventListener('pointerdown', this.#resume);
    this.#context?.close().catch(() => {});
    this.#context = null;
  }
}
