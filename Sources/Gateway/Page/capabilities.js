/** What the browser and the router have in common: ORTC negotiation as functions over values. */
import { codecsOf, headerExtensionsOf, parseSDP } from './sdp.js';

const VIDEO_PREFERENCE = ['video/vp8', 'video/h264', 'video/vp9', 'video/av1'];
const AUDIO_PREFERENCE = ['audio/opus'];

/** The browser's codecs and header extensions, asked from a peer connection that is thrown away. */
export async function browserCapabilities() {
  const connection = new RTCPeerConnection();
  try {
    connection.addTransceiver('audio');
    const video = connection.addTransceiver('video');
    const { sdp } = await connection.createOffer();
    const sections = parseSDP(sdp).media;
    return {
      codecs: sections.flatMap(codecsOf),
      headerExtensions: [
        ...sections.flatMap((section) => headerExtensionsOf(section).map(({ uri }) => ({ kind: section.kind, uri }))),
        ...unofferedExtensions(video),
      ],
    };
  } finally {
    connection.close();
  }
}

/** Chromium offers AV1's dependency descriptor only to send layers, but takes it, and decodes no layers without it. */
function unofferedExtensions(transceiver) {
  const known = transceiver.getHeaderExtensionsToNegotiate?.() ?? [];
  return known.filter(({ uri }) => uri.includes('dependency-descriptor')).map(({ uri }) => ({ kind: 'video', uri }));
}

/**
 * What we announce to the server that we can receive. Payload types and extension ids are the router's:
 * it drops a header extension whose id differs from its own.
 */
export function receiveCapabilities(browser, router) {
  const codecs = [];
  for (const { local, remote, localRTX, remoteRTX, rtcpFeedback } of commonCodecs(browser.codecs, router.codecs)) {
    const { kind, mimeType, clockRate, channels, parameters } = local;
    const preferredPayloadType = remote.preferredPayloadType;
    codecs.push({
      kind, mimeType, preferredPayloadType, clockRate, ...(kind === 'audio' ? { channels } : {}), parameters, rtcpFeedback,
    });
    if (localRTX && remoteRTX) {
      codecs.push({
        kind,
        mimeType: `${kind}/rtx`,
        preferredPayloadType: remoteRTX.preferredPayloadType,
        clockRate,
        parameters: { apt: preferredPayloadType },
        rtcpFeedback: [],
      });
    }
  }
  const headerExtensions = router.headerExtensions
    .filter(({ direction }) => direction !== 'recvonly' && direction !== 'inactive')
    .filter((theirs) => browser.headerExtensions.some(({ kind, uri }) => kind === theirs.kind && uri === theirs.uri))
    .map(({ kind, uri, preferredId, preferredEncrypt, direction }) => ({
      kind, uri, preferredId, preferredEncrypt: preferredEncrypt ?? false, direction: direction ?? 'sendrecv',
    }));
  return { codecs, headerExtensions };
}

/**
 * What to send on a media section the browser has offered: one codec with its RTX, in the browser's
 * payload types and extension ids. RED and FEC never match, because no router lists them.
 * `mimeType` goes before all others, if both have it. Throws when nothing is in common.
 */
export function sendSettings(section, router, mimeType = null) {
  const common = commonCodecs(codecsOf(section), router.codecs);
  const preference = section.kind === 'video' ? VIDEO_PREFERENCE : AUDIO_PREFERENCE;
  // Of several profiles of a codec the one that the server lists first: most receivers decode it.
  const rank = ({ local, remote }) => {
    if (mimeType && local.mimeType.toLowerCase() === mimeType.toLowerCase()) return router.codecs.indexOf(remote) - 1e6;
    const index = preference.indexOf(local.mimeType.toLowerCase());
    return (index < 0 ? preference.length : index) * 1e3 + router.codecs.indexOf(remote);
  };
  const chosen = common.reduce((best, each) => (best && rank(best) <= rank(each) ? best : each), undefined);
  if (!chosen) throw new Error(`This browser and the server have no ${section.kind} codec in common.`);

  const rtcpFeedback = [...chosen.rtcpFeedback];
  if (isOpus(chosen.local) && chosen.remote.rtcpFeedback?.some(isPlainNACK) && !rtcpFeedback.some(isPlainNACK)) {
    // Browsers resend lost Opus packets when the answer asks for it, although they do not offer it.
    rtcpFeedback.push({ type: 'nack', parameter: '' });
  }
  const codecs = [{ ...chosen.local, rtcpFeedback }];
  if (chosen.localRTX && chosen.remoteRTX) codecs.push({ ...chosen.localRTX, rtcpFeedback: [] });
  const headerExtensions = headerExtensionsOf(section).filter(({ uri }) =>
    router.headerExtensions.some((theirs) =>
      theirs.uri === uri && theirs.kind === section.kind
      && theirs.direction !== 'sendonly' && theirs.direction !== 'inactive'));
  return { codecs, headerExtensions };
}

/** Pairs of equal codecs in the browser's order, each with the RTX entries of both sides and the common feedback. */
function commonCodecs(locals, remotes) {
  const pairs = [];
  for (const local of locals) {
    if (isRTX(local)) continue;
    const remote = remotes.find((each) => !isRTX(each) && codecsMatch(local, each));
    if (!remote || pairs.some((pair) => pair.remote === remote)) continue;
    const localRTX = locals.find((each) => isRTX(each) && each.parameters.apt === local.payloadType);
    const remoteRTX = remotes.find((each) => isRTX(each) && each.parameters?.apt === remote.preferredPayloadType);
    const rtcpFeedback = local.rtcpFeedback.filter((mine) =>
      (remote.rtcpFeedback ?? []).some((theirs) =>
        theirs.type === mine.type && (theirs.parameter ?? '') === mine.parameter));
    pairs.push({ local, remote, localRTX, remoteRTX, rtcpFeedback });
  }
  return pairs;
}

function isOpus({ mimeType }) {
  return mimeType.toLowerCase() === 'audio/opus';
}

function isPlainNACK({ type, parameter }) {
  return type === 'nack' && !parameter;
}

function isRTX({ mimeType }) {
  return /\/rtx$/i.test(mimeType);
}

function codecsMatch(local, remote) {
  const mimeType = local.mimeType.toLowerCase();
  if (mimeType !== remote.mimeType.toLowerCase() || local.clockRate !== remote.clockRate) return false;
  if (local.kind === 'audio' && (local.channels ?? 1) !== (remote.channels ?? 1)) return false;
  const mine = local.parameters ?? {};
  const theirs = remote.parameters ?? {};
  switch (mimeType) {
    case 'video/h264':
      return Number(mine['packetization-mode'] ?? 0) === Number(theirs['packetization-mode'] ?? 0)
        && h264Profile(mine['profile-level-id']) === h264Profile(theirs['profile-level-id']);
    case 'video/vp9':
      return Number(mine['profile-id'] ?? 0) === Number(theirs['profile-id'] ?? 0);
    case 'video/av1':
      return Number(mine.profile ?? 0) === Number(theirs.profile ?? 0);
    default:
      return true;
  }
}

/** Names the H.264 profile of a profile-level-id (RFC 6184 section 8.1, table 5); the level plays no part. */
function h264Profile(value) {
  const text = String(value ?? '42e01f').padStart(6, '0');
  const idc = parseInt(text.slice(0, 2), 16);
  const iop = parseInt(text.slice(2, 4), 16);
  const constraint = (bit) => (iop & (0x80 >> bit)) !== 0;
  switch (idc) {
    case 0x42: return constraint(1) ? 'constrained-baseline' : 'baseline';
    case 0x4d: return constraint(0) ? 'constrained-baseline' : 'main';
    case 0x58: return constraint(1) ? (constraint(0) ? 'constrained-baseline' : 'extended') : 'baseline';
    case 0x64: return iop === 0x0c ? 'constrained-high' : 'high';
    default: return text.slice(0, 4).toLowerCase();
  }
}
