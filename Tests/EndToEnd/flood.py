"""One client that sends the worst its dialect allows, as fast as it can:
`flood.py HOST PORT KIND SECONDS [OWN_ADDRESS]`.

Prints "ready" once it could begin, and begins when a line comes in. Whatever the server does, it comes again.
"""

import http.client
import json
import os
import socket
import struct
import sys
import threading
import time

# A connection that takes less in so long is held back, and exchanged for a new one.
HELD_SECONDS, HELD_BYTES = 0.5, 65_536
# As long as a message may be by default.
SIZE = 65_000


def filled(head, tail, unit):
    """head + unit,unit,… + tail, of SIZE bytes or a little less."""
    count = (SIZE - len(head) - len(tail)) // (len(unit) + 1)
    return head + ",".join([unit] * count) + tail


def frame(text):
    """A masked text frame; a mask of zeros costs the sender nothing and the reader the same."""
    data = text.encode()
    length = struct.pack(">BBQ", 0x81, 0xFF, len(data)) if len(data) > 65535 else (
        struct.pack(">BBH", 0x81, 0xFE, len(data)) if len(data) > 125 else struct.pack(">BB", 0x81, 0x80 | len(data)))
    return length + bytes(4) + data


def post(path, body, kind="application/json", **fields):
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


NAME = f"flood{os.getpid()}"
NUMBERS = filled('{"a":[', "]}", "1e1")
DEEP = filled('{"request":true,"id":1,"method":"x","data":{"a":[', "]}}", '{"a":[{}]}')


def protoo(text, query=""):
    return f"/?roomId=flood&peerId={NAME}{query}", "Sec-WebSocket-Protocol: protoo\r\n", [frame(text)]


def engine(*texts):
    return "/socket.io/?EIO=4&transport=websocket", "", [frame("40"), *(frame(text) for text in texts)]


# kind: (target, fields of the handshake, frames): the last frame again and again.
SOCKETS = {
    "protoo: no message": protoo(NUMBERS),
    "protoo: not JSON": protoo(filled('{"a":[', "", "true")),
    "protoo: requests": protoo(DEEP),
    "protoo: answers": protoo(filled('{"response":true,"id":7,"ok":true,"data":[', "]}", '{"":""}')),
    "protoo 2026: notifications": protoo(
        filled('{"notification":true,"method":"pauseConsumer","data":{"consumerId":"x","a":[', "]}}", "null"),
        "&protocol=2026"),
    "protoo 2026: short notifications": protoo(
        '{"notification":true,"method":"changeDisplayName","data":{"displayName":"x"}}', "&protocol=2026"),
    "protoo 2026: resumable": protoo(DEEP, "&protocol=2026&resumption=yes"),
    "Socket.IO: events": engine(filled('42["x",[', "]]", "1e1")),
    "Socket.IO: acknowledgements": engine(filled("431[", "]", "[]")),
    "Socket.IO: short events": engine('42["getMyRoomInfo",{}]'),
}
# kind: the request that is sent again and again.
POSTS = {
    "POST: no session": lambda host, port: post(f"/rooms/flood/peers/{NAME}/requests", filled('{"a":[', "]}", "1e1")),
    "POST: session": lambda host, port: post(
        f"/rooms/flood/peers/{NAME}/requests", DEEP, Signaling_Session=joined(host, port)),
    "Socket.IO: polling": lambda host, port: post(
        f"/socket.io/?EIO=4&transport=polling&sid={polling(host, port)}",
        filled('42["x",[', "]]", "1e1") + "\x1e" + filled('42["y",[', "]]", "{}"), "text/plain"),
    "broadcaster": lambda host, port: post("/rooms/flood/broadcasters", filled('{"id":"x","a":[', "]}", '{"a":1}')),
    "WHIP": lambda host, port: post(
        "/whip/flood", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" + "a=x:1\r\n" * 1990, "application/sdp"),
    "WHEP": lambda host, port: post(
        "/whep/flood", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" + "a=x:1\r\n" * 1990, "application/sdp"),
    "state API": lambda host, port: (
        f"GET /api/v1/rooms?name={'x' * 6000} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()),
    "event streams": lambda host, port: (
        f"GET /api/v1/events?room={'x' * 6000} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()),
    "metrics": lambda host, port: b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 6000 + b"\r\n\r\n",
    "room entry": lambda host, port: post("/createValidRoomId", filled('{"a":[', "]}", "1e1")),
}
KINDS = [*SOCKETS, *POSTS]


# Where the connections come from; by default where the system likes.
SOURCE = (sys.argv[5], 0) if len(sys.argv) > 5 else None


def ask(host, port, path, body=None):
    connection = http.client.HTTPConnection(host, port, 30, SOURCE)
    try:
        connection.request("POST" if body else "GET", path, body, {"Content-Type": "application/json"})
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def joined(host, port):
    body = json.dumps({"method": "join", "data": {"displayName": NAME}}).encode()
    return json.loads(ask(host, port, f"/rooms/flood/peers/{NAME}/requests", body))["session"]["token"]


def polling(host, port):
    name = json.loads(ask(host, port, "/socket.io/?EIO=4&transport=polling")[1:])["sid"]
    ask(host, port, f"/socket.io/?EIO=4&transport=polling&sid={name}", b"40")
    return name


def drain(connection):
    try:
        while connection.recv(1 << 20):
            pass
    except OSError:
        pass


def opened(host, port, target, fields):
    connection = socket.create_connection((host, port), 10, SOURCE)
    connection.sendall((
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{fields}\r\n").encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("refused")
        answer += part
    if b" 101 " not in answer.split(b"\r\n")[0]:
        raise ConnectionError(answer)
    return connection


def main(host, port, kind, seconds):
    if kind in SOCKETS:
        target, fields, frames = SOCKETS[kind]
        first, again = b"".join(frames[:-1]), frames[-1]
        def connect():
            return opened(host, port, target, fields)
    else:
        first, again = b"", POSTS[kind](host, port)
        def connect():
            return socket.create_connection((host, port), 10, SOURCE)
    # Enough at a time that sending costs this process little.
    again *= max(1, 262_144 // len(again))
    print("ready", flush=True)
    sys.stdin.readline()
    end, sent, connections = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        try:
            with connect() as connection:
                connections += 1
                connection.settimeout(0.2)
                threading.Thread(target=drain, args=(connection,), daemon=True).start()
                connection.sendall(first)
                rest = memoryview(again)
                looked, before = time.monotonic(), sent
                while time.monotonic() < end:
                    if time.monotonic() - looked > HELD_SECONDS:
                        if sent - before < HELD_BYTES:
                            break
                        looked, before = time.monotonic(), sent
                    try:
                        count = connection.send(rest)
                    except TimeoutError:
                        continue
                    sent += count
                    rest = rest[count:] or memoryview(again)
        except OSError:
            time.sleep(0.005)
    print(json.dumps({"bytes": sent, "connections": connections}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
