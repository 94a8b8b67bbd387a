"""A client of TURN (RFC 8656) that says what it is asked to, over UDP, TCP or TLS."""

import base64
import hashlib
import hmac
import ipaddress
import os
import socket
import ssl
import struct
import time

COOKIE = 0x2112A442
ALLOCATE, REFRESH, SEND, DATA, PERMIT, BIND = 3, 4, 6, 7, 8, 9
USERNAME, INTEGRITY, ERROR, CHANNEL, LIFETIME, PEER, PAYLOAD = 0x6, 0x8, 0x9, 0xC, 0xD, 0x12, 0x13
REALM, NONCE, RELAYED, TRANSPORT, MAPPED = 0x14, 0x15, 0x16, 0x19, 0x20
UDP = struct.pack(">BBBB", 17, 0, 0, 0)


def credential(secret, holder="test", seconds=600):
    """Username and password of the REST form."""
    username = f"{int(time.time()) + seconds}:{holder}"
    return username, base64.b64encode(hmac.digest(secret.encode(), username.encode(), "sha1")).decode()


def xored(address, port, transaction):
    address = ipaddress.ip_address(address)
    mask = struct.pack(">I", COOKIE) + transaction
    packed = bytes(a ^ b for a, b in zip(address.packed, mask))
    return struct.pack(">BBH", 0, 1 if address.version == 4 else 2, port ^ COOKIE >> 16) + packed


class TURNClient:
    def __init__(self, address, username, password, kind="udp", timeout=3):
        self.username, self.password, self.kind = username, password, kind
        self.nonce = None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        if kind == "tls":
            self.socket = ssl._create_unverified_context().wrap_socket(self.socket)

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """(type, payload or attributes) of one message; (channel, data) of channel data."""
        if self.kind == "udp":
            data = self.socket.recv(65536)
        else:
            data = self._exactly(4)
            length = struct.unpack(">H", data[2:])[0]
            data += self._exactly((length + 3) // 4 * 4 if data[0] >= 0x40 else length + 16)
        kind, length = struct.unpack(">HH", data[:4])
        if kind >= 0x4000:
            return kind, data[4:4 + length]
        attributes, at = {}, 20
        while at < 20 + length:
            name, size = struct.unpack(">HH", data[at:at + 4])
            attributes[name] = data[at + 4:at + 4 + size]
            at += 4 + (size + 3) // 4 * 4
        return kind, attributes

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            assert more, "the server has closed the connection"
            data += more
        return data

    def message(self, kind, attributes, transaction=None, signed=False):
        transaction = transaction or os.urandom(12)
        body = b""
        for name, value in attributes:
            value = xored(*value, transaction) if isinstance(value, tuple) else value
            body += struct.pack(">HH", name, len(value)) + value + bytes(-len(value) % 4)
        if signed:
            head = struct.pack(">HHI", kind, len(body) + 24, COOKIE) + transaction
            key = hashlib.md5(f"{self.username}:roundhouse:{self.password}".encode()).digest()
            body += struct.pack(">HH", INTEGRITY, 20) + hmac.digest(key, head + body, "sha1")
        return struct.pack(">HHI", kind, len(body), COOKIE) + transaction + body

    def request(self, method, *attributes):
        """The code of the error that it was answered with, or 0, and the answer's attributes."""
        if self.nonce is None:
            self.send(self.message(method, [(TRANSPORT, UDP)]))
            kind, answer = self.receive()
            assert kind & 0x110 == 0x110 and code(answer) == 401, answer
            self.nonce = answer[NONCE]
        self.send(self.message(method, [
            *attributes, (USERNAME, self.username.encode()), (REALM, b"roundhouse"), (NONCE, self.nonce)], signed=True))
        kind, answer = self.receive()
        return (code(answer) if kind & 0x110 == 0x110 else 0), answer

    def allocate(self):
        return self.request(ALLOCATE, (TRANSPORT, UDP))

    def permit(self, address, port=1):
        return self.request(PERMIT, (PEER, (address, port)))[0]

    def bind(self, channel, address, port):
        return self.request(BIND, (CHANNEL, struct.pack(">HH", channel, 0)), (PEER, (address, port)))[0]

    def indicate(self, address, port, data):
        self.send(self.message(0x10 | SEND, [(PEER, (address, port)), (PAYLOAD, data)]))

    def channel(self, channel, data):
        self.send(struct.pack(">HH", channel, len(data)) + data + bytes(-len(data) % 4))


def code(answer):
    return answer[ERROR][2] * 100 + answer[ERROR][3]
