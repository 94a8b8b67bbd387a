/** Why packets were dropped: which reasons are faults, and what each means, in the words of Docs/Operations.md. */

/** What the server leaves out because it is of no use to anybody: no fault of anything. */
const BY_DESIGN = new Set([
  'useless_retransmission', 'producer_paused', 'duplicate_packet', 'awaiting_key_frame', 'before_handshake', 'unsupported_rtcp',
]);

const MEANINGS = {
  oversized_datagram: 'longer than any datagram that is accepted',
  unknown_datagram: 'none of STUN, DTLS, RTP, RTCP',
  unknown_tuple: 'from an address that never passed a connectivity check',
  malformed_stun: 'STUN that cannot be parsed, or an answer nobody asked for',
  unknown_username_fragment: 'a check for a transport that does not exist: mostly of a call that has ended',
  before_handshake: 'media before DTLS had made its keys: usual at a connection’s beginning',
  foreign_source: 'to a plain transport, from another address than its client’s',
  malformed_rtp: 'RTP that cannot be parsed',
  malformed_rtcp: 'RTCP that cannot be parsed',
  unsupported_rtcp: 'RTCP that is in order and of no use here',
  srtp_authentication: 'a wrong tag: forged, damaged, or of keys that are no longer used',
  srtp_replay: 'was there before',
  srtp_too_many_streams: 'one stream more than a transport may have',
  malformed_dtls: 'a DTLS record that is cut off',
  dtls_authentication: 'a DTLS record that is forged',
  dtls_replay: 'a DTLS record that was there before',
  unexpected_dtls: 'DTLS outside of an association: mostly a flight of the handshake come again',
  producer_rate: 'more than its producer may send',
  transport_rate: 'more than its transport may send',
  unknown_ssrc: 'belongs to no producer: mostly one that was closed a moment ago',
  unknown_payload_type: 'a codec that its producer did not announce',
  stream_conflict: 'claims an encoding of another stream, which still sends',
  duplicate_packet: 'was received before',
  implausible_sequence: 'too far from the packets before it',
  useless_retransmission: 'a retransmission of what is there: mostly how browsers probe their bandwidth',
  producer_paused: 'of a producer that is paused: not wanted now',
  awaiting_key_frame: 'before a picture that can be decoded by itself: not wanted now',
  oversized_packet: 'would be too large once rewritten',
  ring_full: 'a thread was too busy to take it from another: the machine is overloaded',
  send_refused: 'the system’s send buffer was full: the machine, or its network, is overloaded',
  table_full: 'no room for one more in a table',
  malformed_tcp: 'a length on a TCP connection that no packet has',
  tcp_queue_video: 'a picture’s part for a client whose TCP connection takes less: pictures make room for sound',
  tcp_queue_audio: 'sound for a client whose TCP connection takes less',
  tcp_queue_data: 'of a data channel, for a client whose TCP connection takes less',
  tcp_queue_control: 'what keeps a call alive, for a client whose TCP connection takes nothing',
};

/** What a reason means; `''` for one that is newer than this page. */
export function meaningOf(reason) {
  return MEANINGS[reason] ?? '';
}

/** `{ faults, design }`: lists of `{ reason, count, perMinute }`, the most frequent first, of drops now and a while before. */
export function dropGroups(now, before, seconds) {
  const groups = { faults: [], design: [] };
  for (const [reason, count] of now) {
    if (count === 0) continue;
    const perMinute = seconds > 0 ? Math.max(0, count - (before.get(reason) ?? 0)) * 60 / seconds : 0;
    groups[BY_DESIGN.has(reason) ? 'design' : 'faults'].push({ reason, count, perMinute });
  }
  for (const group of Object.values(groups)) group.sort((a, b) => b.perMinute - a.perMinute || b.count - a.count);
  return groups;
}
