#!/usr/bin/env python3
"""A client for Roundhouse's HTTP API in a page of Python, without any package.

    operate.py http://localhost:3016 rooms                      what is open
    operate.py http://localhost:3016 create class --password x  makes a room ahead of its first peer
    operate.py http://localhost:3016 people Ada                 where somebody is
    operate.py http://localhost:3016 say class "Five minutes."  shows a message to everybody in a room
    operate.py http://localhost:3016 events                     what happens, until it is interrupted
    operate.py http://0.0.0.0:8000 receive                      receives webhooks

The token is in ROUNDHOUSE_ADMIN_TOKEN, the webhooks' secret in ROUNDHOUSE_WEBHOOK_SECRET.
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


class Roundhouse:
    def __init__(self, url, token):
        self.url, self.token = url.rstrip("/"), token

    def _open(self, method, path, body=None, **headers):
        """`path` in pieces, each of which may hold any character."""
        url = f"{self.url}/api/v1/" + "/".join(urllib.parse.quote(piece, safe="") for piece in path)
        headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)
        try:
            return urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            problem = json.load(error).get("error", {})
            raise SystemExit(f"{error.code} {problem.get('code')}: {problem.get('message')}") from None

    def ask(self, method, *path, body=None):
        with self._open(method, path, body) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def events(self):
        """Every event, from now on; after an interruption what was missed, as far as the server has it."""
        last = {}
        while True:
            try:
                with self._open("GET", ["events"], **last) as stream:
                    for line in stream:
                        if line.startswith(b"id: "):
                            last = {"Last-Event-ID": line[4:].decode().strip()}
                        elif line.startswith(b"data: ") and b'"type"' in line:
                            yield json.loads(line[6:])
            except OSError:
                time.sleep(1)


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes webhooks: verified, each event once."""

    secret = b""
    seen = set()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name, stamp = self.headers.get("webhook-id", ""), self.headers.get("webhook-timestamp", "0")
        signed = f"{name}.{stamp}.".encode() + body
        expected = "v1," + base64.b64encode(hmac.new(self.secret, signed, hashlib.sha256).digest()).decode()
        is_fresh = stamp.isdigit() and abs(time.time() - int(stamp)) < 300
        if not is_fresh or not hmac.compare_digest(expected, self.headers.get("webhook-signature", "")):
            return self.answer(401)
        if name not in self.seen:
            # At least once is promised: what comes again has the same id.
            self.seen.add(name)
            for event in json.loads(body)["events"]:
                print(event["room"], event["type"], json.dumps(event["data"]), flush=True)
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("act", choices=["rooms", "create", "people", "say", "events", "receive"])
    parser.add_argument("words", nargs="*")
    parser.add_argument("--password")
    given = parser.parse_args()
    api = Roundhouse(given.url, os.environ.get("ROUNDHOUSE_ADMIN_TOKEN", ""))
    match given.act, given.words:
        case "rooms", []:
            for room in api.ask("GET", "rooms")["rooms"]:
                print(room["id"], room["peers"])
        case "create", [name]:
            wanted = {"name": name, **({"password": given.password} if given.password else {})}
            print(api.ask("POST", "rooms", body=wanted)["id"])
        case "people", words:
            for person in api.ask("GET", "peers")["peers"]:
                if " ".join(words).lower() in person["displayName"].lower():
                    print(person["room"], person["id"], person["displayName"])
        case "say", [room, text]:
            api.ask("POST", "rooms", room, "messages", body={"text": text})
        case "events", []:
            for event in api.events():
                print(event["room"], event["type"], json.dumps(event["data"]), flush=True)
        case "receive", []:
            Receiver.secret = base64.b64decode(os.environ["ROUNDHOUSE_WEBHOOK_SECRET"].removeprefix("whsec_"))
            place = urllib.parse.urlsplit(given.url)
            http.server.ThreadingHTTPServer((place.hostname, place.port or 80), Receiver).serve_forever()
        case _:
            parser.error(f"{given.act} takes other words")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
