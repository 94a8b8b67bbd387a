/** SDP text to values and back: only what a WebRTC peer connection and this server need (RFC 8866, RFC 8829). */

/**
 * Returns `{ attributes, media: [{ kind, port, payloadTypes, attributes }] }`;
 * `attributes` maps a name to the list of its values, in order ('' for a flag).
 */
export function parseSDP(text) {
  const session = { attributes: new Map(), media: [] };
  /** @type {{ attributes: Map<string, string[]>, kind?: string, port?: number, payloadTypes?: number[] }} */
  let current = session;
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('m=')) {
      const [kind, port, , ...payloadTypes] = line.slice(2).split(' ');
      current = { kind, port: Number(port), payloadTypes: payloadTypes.map(Number), attributes: new Map() };
      session.media.push(current);
    } else if (line.startsWith('a=')) {
      const colon = line.indexOf(':');
      const name = colon < 0 ? line.slice(2) : line.slice(2, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1);
      if (!current.attributes.has(name)) current.attributes.set(name, []);
      current.attributes.get(name).push(value);
    }
  }
  return session;
}

function values(section, name) {
  return section.attributes.get(name) ?? [];
}

export function midOf(section) {
  return values(section, 'mid')[0];
}

/** The codecs of a media section in its order of preference, RTX included. */
export function codecsOf(section) {
  const codecs = new Map();
  for (const value of values(section, 'rtpmap')) {
    const [, payloadType, name, clockRate, channels] = /^(\d+) ([^/]+)\/(\d+)(?:\/(\d+))?/.exec(value) ?? [];
    if (payloadType === undefined) continue;
    const codec = {
      kind: section.kind,
      mimeType: `${section.kind}/${name}`,
      payloadType: Number(payloadType),
      clockRate: Number(clockRate),
      parameters: {},
      rtcpFeedback: [],
    };
    if (section.kind === 'audio') codec.channels = Number(channels ?? 1);
    codecs.set(codec.payloadType, codec);
  }
  for (const value of values(section, 'fmtp')) {
    const space = value.indexOf(' ');
    const codec = codecs.get(Number(value.slice(0, space)));
    if (codec) Object.assign(codec.parameters, parseFormatParameters(value.slice(space + 1)));
  }
  for (const value of values(section, 'rtcp-fb')) {
    const [payloadType, type, ...rest] = value.split(' ');
    const targets = payloadType === '*' ? [...codecs.values()] : [codecs.get(Number(payloadType))];
    for (const codec of targets) codec?.rtcpFeedback.push({ type, parameter: rest.join(' ') });
  }
  return section.payloadTypes.map((payloadType) => codecs.get(payloadType)).filter(Boolean);
}

function parseFormatParameters(text) {
  const parameters = {};
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    if (equals < 0) continue;
    const key = part.slice(0, equals).trim();
    const value = part.slice(equals + 1).trim();
    // profile-level-id is six hexadecimal digits that may happen to look like a decimal number.
    parameters[key] = /^\d{1,9}$/.test(value) && key !== 'profile-level-id' ? Number(value) : value;
  }
  return parameters;
}

/** RFC 8285 header extensions of a section: `{ uri, id, direction? }`. */
export function headerExtensionsOf(section) {
  return values(section, 'extmap').flatMap((value) => {
    const [, id, direction, uri] = /^(\d+)(?:\/(\w+))? (\S+)/.exec(value) ?? [];
    return uri ? [{ uri, id: Number(id), direction }] : [];
  });
}

/** What the section will send: one encoding per rid (simulcast), else one per primary SSRC. */
export function encodingsOf(section) {
  const rids = values(section, 'rid')
    .map((value) => value.split(' '))
    .filter(([, direction]) => direction === 'send')
    .map(([rid]) => ({ rid }));
  if (rids.length > 0) return rids;

  const retransmission = new Map();
  for (const value of values(section, 'ssrc-group')) {
    const [semantics, primary, secondary] = value.split(' ');
    if (semantics === 'FID' && secondary) retransmission.set(Number(primary), Number(secondary));
  }
  const secondaries = new Set(retransmission.values());
  const ssrcs = new Set(values(section, 'ssrc').map((value) => Number(value.split(' ')[0])));
  return [...ssrcs]
    .filter((ssrc) => !secondaries.has(ssrc))
    .map((ssrc) => (retransmission.has(ssrc) ? { ssrc, rtx: { ssrc: retransmission.get(ssrc) } } : { ssrc }));
}

export function cnameOf(section) {
  for (const value of values(section, 'ssrc')) {
    const match = /^\d+ cname:(.+)$/.exec(value);
    if (match) return match[1];
  }
  return undefined;
}

/** The certificate fingerprint of a local description, from session or first media level. */
export function fingerprintOf(text) {
  const session = parseSDP(text);
  const value = [session, ...session.media].flatMap((part) => values(part, 'fingerprint'))[0];
  if (!value) throw new Error('the local description has no certificate fingerprint');
  const [algorithm, digest] = value.split(' ');
  return { algorithm: algorithm.toLowerCase(), value: digest.toUpperCase() };
}

/**
 * Writes the server's side of a session.
 * `sections`: `{ kind, mid, closed, setup, direction, codecs, headerExtensions, encodings?, cname?, msid?, rids? }`.
 * A closed section keeps its place (SDP never shortens) with port 0, outside the BUNDLE group.
 */
export function writeSDP({ version, transport, sections }) {
  const fingerprint = preferredFingerprint(transport.dtlsParameters.fingerprints);
  const bundled = sections.filter((section) => !section.closed).map((section) => section.mid);
  const lines = [
    'v=0',
    `o=roundhouse 1000 ${version} IN IP4 0.0.0.0`,
    's=-',
    't=0 0',
    ...(transport.iceParameters.iceLite ? ['a=ice-lite'] : []),
    `a=fingerprint:${fingerprint.algorithm} ${fingerprint.value}`,
    'a=msid-semantic: WMS *',
    // A key frame's dependency descriptor is too long for a one-byte element (RFC 8285 section 4.1.2).
    'a=extmap-allow-mixed',
    `a=group:BUNDLE ${bundled.join(' ')}`,
    ...sections.flatMap((section) => sectionLines(section, transport)),
  ];
  return lines.join('\r\n') + '\r\n';
}

function preferredFingerprint(fingerprints) {
  const named = (algorithm) => fingerprints.find((fingerprint) => fingerprint.algorithm === algorithm);
  return named('sha-256') ?? named('sha-512') ?? fingerprints[fingerprints.length - 1];
}

/** Data channels' section (RFC 8841). */
function dataLines(section, { iceParameters, iceCandidates, sctpParameters }) {
  return [
    'm=application 7 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 127.0.0.1',
    `a=mid:${section.mid}`,
    `a=setup:${section.setup}`,
    `a=ice-ufrag:${iceParameters.usernameFragment}`,
    `a=ice-pwd:${iceParameters.password}`,
    `a=sctp-port:${sctpParameters.port}`,
    `a=max-message-size:${sctpParameters.maxMessageSize}`,
    ...iceCandidates.map(candidateLine),
    'a=end-of-candidates',
  ];
}

function sectionLines(section, transport) {
  if (section.kind === 'application') return dataLines(section, transport);
  const { iceParameters, iceCandidates } = transport;
  const payloadTypes = section.codecs.map((codec) => codec.payloadType).join(' ');
  const lines = [
    `m=${section.kind} ${section.closed ? 0 : 7} UDP/TLS/RTP/SAVPF ${payloadTypes}`,
    'c=IN IP4 127.0.0.1',
    `a=mid:${section.mid}`,
    `a=${section.closed ? 'inactive' : section.direction}`,
    `a=setup:${section.setup}`,
    `a=ice-ufrag:${iceParameters.usernameFragment}`,
    `a=ice-pwd:${iceParameters.password}`,
    'a=rtcp-mux',
    'a=rtcp-rsize',
  ];
  for (const codec of section.codecs) lines.push(...codecLines(codec));
  if (section.closed) return lines;

  for (const { id, uri, direction } of section.headerExtensions) {
    lines.push(`a=extmap:${id}${direction ? `/${direction}` : ''} ${uri}`);
  }
  for (const candidate of iceCandidates) lines.push(candidateLine(candidate));
  lines.push('a=end-of-candidates');
  if (section.direction === 'sendonly') {
    lines.push(`a=msid:${section.msid}`);
    for (const { ssrc, rtx } of section.encodings) {
      lines.push(`a=ssrc:${ssrc} cname:${section.cname}`);
      if (rtx) lines.push(`a=ssrc:${rtx.ssrc} cname:${section.cname}`, `a=ssrc-group:FID ${ssrc} ${rtx.ssrc}`);
    }
  }
  if (section.rids?.length > 0) {
    for (const rid of section.rids) lines.push(`a=rid:${rid} recv`);
    lines.push(`a=simulcast:recv ${section.rids.join(';')}`);
  }
  return lines;
}

function codecLines({ mimeType, payloadType, clockRate, channels, parameters, rtcpFeedback }) {
  const name = mimeType.slice(mimeType.indexOf('/') + 1);
  const lines = [`a=rtpmap:${payloadType} ${name}/${clockRate}${channels > 1 ? `/${channels}` : ''}`];
  const format = Object.entries(parameters ?? {}).map(([key, value]) => `${key}=${value}`);
  if (format.length > 0) lines.push(`a=fmtp:${payloadType} ${format.join(';')}`);
  for (const { type, parameter } of rtcpFeedback ?? []) {
    lines.push(`a=rtcp-fb:${payloadType} ${type}${parameter ? ` ${parameter}` : ''}`);
  }
  return lines;
}

function candidateLine({ foundation, protocol, priority, ip, address, port, type, tcpType }) {
  const suffix = protocol === 'tcp' ? ` tcptype ${tcpType ?? 'passive'}` : '';
  return `a=candidate:${foundation} 1 ${protocol} ${priority} ${address ?? ip} ${port} typ ${type}${suffix}`;
}
