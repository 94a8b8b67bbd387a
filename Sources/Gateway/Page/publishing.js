/** How each source is sent: its codec and encodings, and how many of them a room of some size is worth. */

/** The camera's encodings, lowest first. One picture in three sizes: everybody is sent the one that fits. */
const CAMERA_LAYERS = [
  { rid: 'r0', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: 'r1', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: 'r2', scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
];
const TEMPORAL_LAYERS = 'L1T3';
const CODECS = { vp8: 'video/VP8', vp9: 'video/VP9', av1: 'video/AV1', h264: 'video/H264' };
const MODES = { vp9: 'L3T3_KEY', av1: 'L3T3' };

/** Nobody sees a large picture among many, and everybody pays for it: the highest layers by the number of others. */
const CROWDS = [{ others: 2, layers: 3 }, { others: 8, layers: 2 }, { others: Infinity, layers: 1 }];
const ONE_LAYER_CROWDS = [
  { others: 1, shortSide: 720, maxBitrate: 1_500_000 },
  { others: 3, shortSide: 540, maxBitrate: 900_000 },
  { others: 8, shortSide: 360, maxBitrate: 500_000 },
  { others: Infinity, shortSide: 240, maxBitrate: 250_000 },
];

/**
 * `{ mimeType or null, encodings }` for `microphone`, `camera`, `screen` or `screen-sound`.
 * `wish`: the camera's `{ codec, scalabilityMode }`, both optional: `vp8`, `vp9`, `av1` or `h264`, and a mode such as
 * `L3T3_KEY`. A mode with one spatial layer is that of each encoding of a simulcast; with more it is one SVC stream.
 */
export function publishing(source, wish = {}) {
  if (source === 'microphone' || source === 'screen-sound') return { mimeType: null, encodings: [{}] };
  if (source === 'screen') return { mimeType: null, encodings: [{ maxBitrate: 2_500_000 }] };
  const codec = wish.codec in CODECS ? wish.codec : 'vp8';
  const scalabilityMode = spatialLayers(wish.scalabilityMode) > 0 ? wish.scalabilityMode : MODES[codec] ?? TEMPORAL_LAYERS;
  const encodings = spatialLayers(scalabilityMode) > 1
    ? [{ scalabilityMode, maxBitrate: 2_000_000 }]
    : CAMERA_LAYERS.map((layer) => ({ ...layer, scalabilityMode }));
  return { mimeType: CODECS[codec], encodings };
}

/** `{ spatial, temporal }`: how many layers a scalability mode has; one of each if there is none. */
export function layersOf(scalabilityMode) {
  const [, spatial, temporal] = /^[LS]([1-9])T([1-9])/.exec(scalabilityMode ?? '') ?? [];
  return { spatial: Number(spatial ?? 1), temporal: Number(temporal ?? 1) };
}

function spatialLayers(mode) {
  return /^[LS][1-9]T[1-9]/.test(mode ?? '') ? layersOf(mode).spatial : 0;
}

/** How long fewer encodings have to be of use before fewer are sent: whoever turned a page may turn back. */
const CALM_MS = 10_000;

/** How many encodings to send of those that somebody has use for: more at once, fewer after a while. */
export class EncodingUse {
  #count = Infinity;
  #wanted = Infinity;
  #fewerSince = null;

  set(wanted, now) {
    this.#wanted = wanted;
    if (wanted < this.#count) {
      this.#fewerSince ??= now;
    } else {
      this.#count = wanted;
      this.#fewerSince = null;
    }
  }

  /** When fewer are to be sent than now, or null. */
  get due() {
    return this.#fewerSince === null ? null : this.#fewerSince + CALM_MS;
  }

  countAt(now) {
    if (this.#fewerSince !== null && now >= this.due) {
      this.#count = this.#wanted;
      this.#fewerSince = null;
    }
    return this.#count;
  }
}

/** Sends no more of a camera than so many others are worth, and no more encodings than somebody has `use` for. */
export async function keepWithin(others, sender, track, use = Infinity) {
  const parameters = sender.getParameters();
  const encodings = parameters.encodings ?? [];
  let changed = false;
  const set = (encoding, wanted) => {
    for (const [key, value] of Object.entries(wanted)) {
      changed ||= encoding[key] !== value;
      encoding[key] = value;
    }
  };
  if (encodings.length > 1) {
    const { layers } = CROWDS.find((crowd) => others <= crowd.others);
    encodings.forEach((encoding, index) => set(encoding, { active: index < Math.min(layers, use) }));
  } else if (encodings.length === 1 && layersOf(encodings[0].scalabilityMode).spatial === 1) {
    const { shortSide, maxBitrate } = ONE_LAYER_CROWDS.find((crowd) => others <= crowd.others);
    const { width, height } = track.getSettings();
    const scaleResolutionDownBy = Math.max(1, Math.min(width ?? shortSide, height ?? shortSide) / shortSide);
    set(encodings[0], { maxBitrate, scaleResolutionDownBy });
  }
  // A browser that refuses sends more than it should, but it does send.
  if (changed) await sender.setParameters(parameters).catch(() => {});
}

/**
 * The spatial layer of `count` for a picture shown so many pixels high: the lowest that is not much smaller, each
 * layer being half of the next and the highest 720 rows.
 */
export function fittingLayer(pixels, count) {
  for (let layer = 0; layer < count - 1; layer += 1) {
    if (720 / 2 ** (count - 1 - layer) >= pixels * 0.8) return layer;
  }
  return count - 1;
}
