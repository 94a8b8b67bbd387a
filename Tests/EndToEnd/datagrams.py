"""Datagrams made by hand, right and wrong: STUN, DTLS, RTP, RTCP, and noise of every kind a media port can meet."""

import hashlib
import hmac
import os
import random
import socket
import struct
import zlib

import network

COOKIE = 0x2112A442
BINDING_REQUEST, BINDING_SUCCESS, BINDING_ERROR = 0x0001, 0x0101, 0x0111


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


def stun_request(username, password, attributes=b"", use_candidate=True, kind=BINDING_REQUEST, fingerprint=True):
    """A connectivity check (RFC 8445 §7.2.2) with MESSAGE-INTEGRITY (unless password is None) and FINGERPRINT."""
    body = attribute(0x0006, username.encode()) + attribute(0x0024, struct.pack("!I", 0x6E7F00FF))
    body += attribute(0x802A, os.urandom(8))
    if use_candidate:
        body += attribute(0x0025, b"")
    body += attributes
    transaction = os.urandom(12)

    def header(length):
        return struct.pack("!HHI", kind, length, COOKIE) + transaction

    if password is not None:
        digest = hmac.new(password.encode(), header(len(body) + 24) + body, hashlib.sha1).digest()
        body += attribute(0x0008, digest)
    if fingerprint:
        crc = zlib.crc32(header(len(body) + 8) + body) ^ 0x5354554E
        body += attribute(0x8028, struct.pack("!I", crc))
    return header(len(body)) + body


def stun_kind(datagram):
    return struct.unpack("!H", datagram[:2])[0] if len(datagram) >= 20 else None


def dtls_record(content=22, payload=b"\1" + b"\0" * 40, epoch=0):
    return struct.pack("!BHHHI", content, 0xFEFD, epoch, 0, random.getrandbits(32)) + struct.pack("!H", len(payload)) \
        + payload


def rtp_packet(ssrc, sequence, payload=b"x" * 200, payload_type=96, extension=b"", padding=0):
    first = 0x80 | (0x10 if extension else 0) | (0x20 if padding else 0)
    packet = struct.pack("!BBHII", first, payload_type, sequence & 0xFFFF, sequence * 3000 & 0xFFFFFFFF, ssrc)
    return packet + extension + payload + (b"\0" * (padding - 1) + bytes([padding]) if padding else b"")


def rtcp_packet(kind=200, count=0, body=b"\0" * 24):
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def well_formed():
    """One of every kind, none of them anybody's."""
    one_byte = struct.pack("!HH", 0xBEDE, 1) + b"\x10A\x20B"
    return {
        "stun request": stun_request("nobody:stranger", "wrong password"),
        "stun request without integrity": stun_request("nobody:stranger", None),
        "stun success": stun_request("nobody:stranger", "x", kind=BINDING_SUCCESS),
        "stun error": stun_request("nobody:stranger", "x", kind=BINDING_ERROR),
        "stun indication": stun_request("nobody:stranger", "x", kind=0x0011),
        "dtls hello": dtls_record(22),
        "dtls alert": dtls_record(21, b"\2\50"),
        "dtls data": dtls_record(23, b"data", epoch=1),
        "dtls change cipher": dtls_record(20, b"\1"),
        "rtp": rtp_packet(0x01020304, 1),
        "rtp with extensions": rtp_packet(0x01020304, 2, extension=one_byte),
        "rtp with padding": rtp_packet(0x01020304, 3, padding=12),
        **{f"rtcp {kind}": rtcp_packet(kind) for kind in (200, 201, 202, 203, 204, 205, 206, 207)},
        "turn channel": struct.pack("!HH", 0x4001, 16) + b"\0" * 16,
        "zrtp": b"\x10" + b"\0" * 40,
        "quic": b"\xC0" + b"\0" * 40,
    }


def mutations(seed, count):
    """`count` broken datagrams: truncated, with lengths that lie, with bits turned, and pure noise."""
    source = random.Random(seed)
    kinds = list(well_formed().values())
    for _ in range(count):
        data = bytearray(source.choice(kinds))
        how = source.randrange(6)
        if how == 0:
            data = data[:source.randrange(len(data) + 1)]
        elif how == 1:
            for _ in range(source.randrange(1, 9)):
                data[source.randrange(len(data))] = source.randrange(256)
        elif how == 2 and len(data) > 4:
            data[2:4] = source.choice([b"\xff\xff", b"\x00\x00", b"\x7f\xff", b"\x00\x01"])
        elif how == 3:
            data = bytearray([source.randrange(256)]) + source.randbytes(source.randrange(1500))
        elif how == 4:
            data += source.randbytes(source.randrange(1400))
        else:
            data[0] = source.randrange(256)
        yield bytes(data)


class MediaSocket:
    """A UDP socket of a client."""

    def __init__(self, gateway, port=None):
        self.target = (gateway.host, port or gateway.media_port)
        with network.inside(gateway.namespace):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(0.2)

    def send(self, data):
        self.socket.sendto(data, self.target)

    def receive(self):
        """The next datagram, or None after a fifth of a second."""
        try:
            return self.socket.recv(65536)
        except TimeoutError:
            return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
