"""No secret is ever logged: every one that is given to the server or made by it is looked for in all that it prints."""

import asyncio
import base64
import json
import os
import re
import signal
import subprocess
import urllib.parse

import aiohttp
import pytest

from gateway import BINARY, ROOT
from protoo import ProtooClient
from room_server_peer import RoomServerClient
from tokens import token
from waiting import until

OFFERS = ROOT / "Tests/GatewayTests/SDP/Offers"
MEDIA = {"codecs": [{"mimeType": "audio/opus", "payloadType": 101, "clockRate": 48000, "channels": 2}],
         "encodings": [{"ssrc": 1111}]}


class Secrets:
    """Everything that nobody but its owner may see, by what it is."""

    def __init__(self):
        self.values = {}
        self.numbers = 0

    def make(self, what, length=40):
        """One that is unlike any other text."""
        self.numbers += 1
        return self.add(what, f"SECRET{self.numbers:03}{os.urandom(length // 2).hex()}")

    def add(self, what, value):
        assert value and len(value) >= 16, (what, value)
        self.values[value] = what
        return value

    def token(self, key, **claims):
        made = self.add("access token", token(key, **claims))
        # Its last part alone would do for whoever knows the claims.
        self.add("signature", made.rsplit(".", 1)[1])
        return made

    def found_in(self, text):
        return [what for value, what in self.values.items() if value in text]


async def by_protoo(gateway, secrets, key):
    access, password = secrets.token(key, room="town"), secrets.make("room password")
    granted = secrets.token(key, room="town", admin=True)
    async with RoomServerClient(gateway, ["websocket"], {"token": granted}) as creator:
        assert await creator.request("createRoom", {"room_id": "town", "password": password}) == "town"
    for query in (f"&token={access}&password={secrets.make('wrong password')}",
                  f"&token={secrets.token(secrets.make('strange key'), room='town')}&password={password}",
                  f"&token={access}&password={password}&resume={secrets.make('wrong session')}"):
        async with ProtooClient(gateway, "town", "refused", query=query) as client:
            await until(lambda: client.close_code, 30, "the connection is closed")
            assert client.close_code in (1008, 4001)
    entry = f"&token={access}&password={password}"
    async with ProtooClient(gateway, "town", "ann", query=entry + "&resumption=yes") as client:
        await client.join()
        session = secrets.add("session", client.heard("resumable")[0]["token"])
        transport = await client.open_transport(producing=True)
        secrets.add("ICE password", transport["iceParameters"]["password"])
        await client.ask("restartIce", {"transportId": transport["id"], "token": access, "password": password})
        await client.ask(secrets.make("method nobody knows"), {"password": password})
        await client.send(json.dumps({"notification": True, "method": "changeDisplayName", "data": {
            "displayName": 7, "password": password}}))
        await client.send("{" + password)
        client.socket.transport.abort()
    async with ProtooClient(gateway, "town", "ann", query=f"&resume={session}&ack=0") as client:
        await until(lambda: client.heard("resumed"), 30, "the session is picked up")
        await client.request("getRouterRtpCapabilities")
        await beside_the_url(gateway, secrets, access, password)


async def beside_the_url(gateway, secrets, access, password):
    """As the page does: in subprotocols, or in fields. Somebody keeps the room, and its password, alive."""
    async with aiohttp.ClientSession() as http:
        url = f"{gateway.url}/?roomId=town&peerId=sub"
        shown = ["protoo", f"bearer.{access}", f"password.{urllib.parse.quote(password, safe='')}"]
        wrong = f"password.{secrets.make('wrong password beside the URL')}"
        async with http.ws_connect(url, protocols=[*shown[:2], wrong]) as socket:
            await socket.receive(timeout=30)
            assert socket.close_code == 1008
        async with http.ws_connect(url + "&resumption=yes", protocols=shown) as socket:
            messages = [await socket.receive_json(timeout=30) for _ in range(2)]
            assert {message["method"] for message in messages} == {"resumable", "mediasoup-version"}
            session = secrets.add("session beside the URL", next(
                message["data"]["token"] for message in messages if message["method"] == "resumable"))
            await socket.close(code=4002)
        async with http.ws_connect(url + "&ack=0", protocols=[*shown, f"resume.{session}"]) as socket:
            assert (await socket.receive_json(timeout=30))["method"] == "resumed"
        join = {"method": "join", "data": {"displayName": "Cyd"}}
        for given, status in ((password, 200), (secrets.make("wrong password in a field"), 403)):
            fields = {"Authorization": f"Bearer {access}", "Room-Password": urllib.parse.quote(given, safe="")}
            async with http.post(
                    f"{gateway.url}/rooms/town/peers/{status}/requests", json=join, headers=fields) as answer:
                assert answer.status == status


async def by_requests(gateway, secrets, key):
    headers = {"Authorization": f"Bearer {secrets.token(key, room='hall', peer='ben')}"}
    base = f"{gateway.url}/rooms/hall/peers/ben"
    async with aiohttp.ClientSession() as http:
        body = {"method": "join", "data": {"displayName": "Ben"}}
        async with http.post(base + "/requests", json=body, headers=headers) as answer:
            session = secrets.add("session", (await answer.json())["session"]["token"])
        async with http.post(
                f"{base}/requests?token={secrets.token(key, room='elsewhere')}", json=body) as answer:
            assert answer.status == 403
        async with http.get(f"{base}/events?session={session}") as events:
            assert events.status == 200
            await events.content.readline()
        create = {"method": "createWebRtcTransport", "data": {"producing": True}, "id": secrets.make("request id")}
        async with http.post(base + "/requests", json=create, headers={"Signaling-Session": session}) as answer:
            secrets.add("ICE password", (await answer.json())["iceParameters"]["password"])
        for path, fields in (("/events", {}), ("/requests", {"Signaling-Session": secrets.make("wrong session")})):
            method = "GET" if path == "/events" else "POST"
            async with http.request(
                    method, f"{base}{path}?session={secrets.make('wrong session')}", json=create, headers=fields
            ) as answer:
                assert answer.status == 404
        async with http.delete(base, headers={"Signaling-Session": session}) as answer:
            assert answer.status == 204


async def by_socketio(gateway, secrets, key):
    password = secrets.make("room password")
    for roads in (["polling"], ["websocket"]):
        auth = {"token": secrets.token(key, room="*", admin=True), "resumption": "yes"}
        client = RoomServerClient(gateway, roads, auth)
        await client.connect()
        secrets.add("Engine.IO session", client.socket.eio.sid)
        await client.ask("createRoom", {"room_id": "attic", "password": password})
        assert "error" in await client.ask("join", {"room_id": "attic", "password": secrets.make("wrong password")})
        assert "error" not in await client.ask("join", {"room_id": "attic", "password": password})
        transport = await client.request("createWebRtcTransport")
        secrets.add("ICE password", transport["iceParameters"]["password"])
        assert "error" in await client.ask(secrets.make("event nobody knows")[:64], {"password": password})
        pid = secrets.add("session", client.heard("resumable")[0]["token"])
        await client.socket.eio.disconnect(abort=True)
        again = RoomServerClient(gateway, roads, {"pid": pid, "offset": "1", "token": auth["token"]})
        await again.connect()
        await again.socket.disconnect()
    refused = RoomServerClient(gateway, ["websocket"], {"token": secrets.make("wrong token")})
    with pytest.raises(Exception):
        await refused.connect()
    async with aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bearer {secrets.token(key, room='attic')}"}
        for path, form in (("createValidRoomId", {"password": secrets.make("room password")}),
                           ("checkPassword", {"roomId": "attic", "password": secrets.make("wrong password")})):
            async with http.post(f"{gateway.url}/{path}", data=form, headers=headers) as answer:
                assert answer.status == 200
        async with http.post(
                f"{gateway.url}/socket.io/?EIO=4&transport=polling&sid={secrets.make('wrong session')}",
                data="40") as answer:
            assert answer.status == 400


async def by_descriptions(gateway, secrets, key):
    offer = {"Content-Type": "application/sdp"}
    publish, watch = ((OFFERS / f"aiortc-{name}.sdp").read_text() for name in ("publish", "watch"))
    for name in re.findall(r"a=ice-pwd:(\S+)", publish + watch):
        secrets.add("client's ICE password", name)
    async with aiohttp.ClientSession() as http:
        bearer = {"Authorization": f"Bearer {secrets.token(key, room='stage')}"}
        async with http.post(f"{gateway.url}/whip/stage", data=publish, headers={**offer, **bearer}) as answer:
            assert answer.status == 201, await answer.text()
            place = answer.headers["Location"]
            secrets.add("WHIP session", place.rsplit("/", 1)[1])
            secrets.add("ICE password", re.search(r"a=ice-pwd:(\S+)", await answer.text()).group(1))
        url = f"{gateway.url}/whep/stage?token={secrets.token(key, room='stage')}&password={secrets.make('password')}"
        async with http.post(url, data=watch, headers=offer) as answer:
            assert answer.status == 201, await answer.text()
        for wrong in (f"token={secrets.make('wrong token')}", f"token={secrets.token(key, room='other')}"):
            async with http.post(f"{gateway.url}/whip/stage?{wrong}", data=publish, headers=offer) as answer:
                assert answer.status in (401, 403)
        fragment = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
        restart = f"a=ice-ufrag:abcdefgh\r\na=ice-pwd:{secrets.make('client ICE password')}\r\n"
        async with http.patch(gateway.url + place, data=restart, headers=fragment) as answer:
            assert answer.status == 200
            secrets.add("ICE password", re.search(r"a=ice-pwd:(\S+)", await answer.text()).group(1))
        async with http.patch(gateway.url + place, data=restart.replace("=", ":"), headers=fragment) as answer:
            assert answer.status == 400
        async with http.delete(gateway.url + place) as answer:
            assert answer.status == 200


async def by_broadcasters(gateway, secrets, key):
    headers = {"Authorization": f"Bearer {secrets.token(key, room='cinema', peer='film')}"}
    base = f"{gateway.url}/rooms/cinema/broadcasters"
    suite = "AES_CM_128_HMAC_SHA1_80"
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.post(
                f"{base}?password={secrets.make('password')}",
                json={"id": "film", "displayName": "Film", "device": {}}) as answer:
            assert answer.status == 200, await answer.text()
        async with http.post(
                base + "/film/transports",
                json={"type": "plain", "enableSrtp": True, "srtpCryptoSuite": suite}) as answer:
            transport = await answer.json()
            secrets.add("SRTP key", transport["srtpParameters"]["keyBase64"])
        ours = secrets.add("client's SRTP key", base64.b64encode(os.urandom(30)).decode())
        path = f"{base}/film/transports/{transport['id']}"
        for parameters, status in (({"cryptoSuite": "none", "keyBase64": ours}, 400),
                                   ({"cryptoSuite": suite, "keyBase64": ours[:-4]}, 400),
                                   ({"cryptoSuite": suite, "keyBase64": ours}, 200)):
            async with http.post(path + "/connect", json={"srtpParameters": parameters}) as answer:
                assert answer.status == status, await answer.text()
        async with http.post(path + "/producers", json={"kind": "audio", "rtpParameters": MEDIA}) as answer:
            assert answer.status == 200
        async with http.delete(base + "/film") as answer:
            assert answer.status == 200


async def by_operators(gateway, secrets, admin, key):
    async with aiohttp.ClientSession() as http:
        for bearer, status in ((admin, 200), (secrets.make("wrong admin token"), 401),
                               (secrets.token(key, admin=True), 200), (secrets.token(key, room="r"), 403)):
            for method, path in (("GET", "/api/v1/rooms"), ("DELETE", "/api/v1/rooms/nobody")):
                async with http.request(
                        method, gateway.url + path, headers={"Authorization": f"Bearer {bearer}"}) as answer:
                    assert answer.status in (status, 404), (path, answer.status)
        async with http.get(f"{gateway.url}/rooms?token={secrets.token(key, admin=True)}") as answer:
            assert answer.status == 200


@pytest.mark.parametrize("place", ["options", "environment", "file"])
async def test_no_secret_is_ever_logged(start_gateway, artifacts, place):
    secrets = Secrets()
    admin, first, second, third = (
        secrets.make(what) for what in ("admin token", "key", "second key", "key in a file"))
    keys, settings = artifacts / "keys", artifacts / "secrets.yaml"
    keys.write_text(f"filed:{third}\n")
    for name in ("tls", "dtls"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=test", "-keyout", artifacts / f"{name}.key", "-out", artifacts / f"{name}.pem"],
            check=True, capture_output=True)
        lines = (artifacts / f"{name}.key").read_text().splitlines()
        secrets.add("private key", lines[1])
    certificates = [
        "--tls-certificate", str(artifacts / "tls.pem"), "--tls-private-key", str(artifacts / "tls.key"),
        "--dtls-certificate", str(artifacts / "dtls.pem"), "--dtls-private-key", str(artifacts / "dtls.key")]
    options = ["--log-level", "trace", "--auth-key-file", str(keys), "--plain-ports", "20000-20999", *certificates]
    metrics = secrets.make("metrics token")
    signing = "whsec_" + secrets.add("webhook secret", base64.b64encode(os.urandom(33)).decode())
    # Nobody is there: the log says so, again and again.
    receiver = f"http://127.0.0.1:9/{secrets.make('webhook path')}"
    options += ["--webhook", receiver] if place == "options" else []
    variables = []
    if place == "options":
        options += ["--admin-token", admin, "--metrics-token", metrics, "--webhook-secret", signing]
        options += ["--auth-key", first, "--auth-key", f"named:{second}"]
    elif place == "environment":
        variables = [
            f"ROUNDHOUSE_ADMIN_TOKEN={admin}", f"ROUNDHOUSE_METRICS_TOKEN={metrics}",
            f"ROUNDHOUSE_AUTH_KEY={first},named:{second}",
            f"ROUNDHOUSE_WEBHOOK_SECRET={signing}", f"ROUNDHOUSE_WEBHOOK={receiver}"]
    else:
        settings.write_text(
            f"admin-token: {admin}\nmetrics-token: {metrics}\nauth-key: [{first}, 'named:{second}']\n"
            f"webhook-secret: {signing}\nwebhook: '{receiver}'\n")
        options += ["--config", str(settings)]
    gateway = await start_gateway(*options, limits=["env", *variables])
    await by_protoo(gateway, secrets, first)
    await by_requests(gateway, secrets, second)
    await by_socketio(gateway, secrets, third)
    await by_descriptions(gateway, secrets, first)
    await by_broadcasters(gateway, secrets, first)
    await by_operators(gateway, secrets, admin, first)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {metrics}"}) as session:
        async with session.get(f"{gateway.url}/metrics") as answer:
            assert answer.status == 200

    # Read again, with other secrets; then with a key that is none, and a file that is no YAML.
    keys.write_text(f"filed:{third}\nnew:{secrets.make('new key')}\n")
    if place == "file":
        admin = secrets.make("new admin token")
        settings.write_text(f"admin-token: {admin}\nauth-key: [{first}, 'named:{second}']\n")
    gateway.process.send_signal(signal.SIGHUP)
    await until(lambda: gateway.log.count("configuration reloaded") == 1, 30, "the configuration is read again")
    await by_operators(gateway, secrets, admin, first)
    keys.write_text(f"not a name at all:{secrets.make('badly named key')}\n")
    gateway.process.send_signal(signal.SIGHUP)
    await until(lambda: gateway.log.count("not reloaded") == 1, 30, "a bad key is refused")
    if place == "file":
        settings.write_text(f"admin-token: {secrets.make('key in broken YAML')}\n  : [\n")
        gateway.process.send_signal(signal.SIGHUP)
        await until(lambda: gateway.log.count("not reloaded") == 2, 30, "a broken file is refused")
    await gateway.stop()
    log, gateway.process = gateway.log, None

    assert " debug " in log, log[:2000]
    assert not secrets.found_in(log)

    keys.write_text(f"filed:{third}\n")
    settings.write_text(f"admin-token: {admin}\nauth-key: [{first}, 'named:{second}']\n")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ROUNDHOUSE_")}
    environment = {**plain, **dict(one.split("=", 1) for one in variables)}
    for more, code in (([], 0), (["--port", "70000"], 2), (["--admin-tokens", admin], 64), (["--admin-token", ""], 2),
                       (["--auth-key", secrets.make("short key", 10)], 2),
                       (["--auth-key", f"a b:{secrets.make('badly named key')}"], 2)):
        done = await asyncio.to_thread(
            subprocess.run, [BINARY, "check-config", *options, *more], capture_output=True, text=True, env=environment)
        assert done.returncode == code, (more, done.stderr)
        assert not secrets.found_in(done.stdout + done.stderr), (more, done.stdout, done.stderr)


async def test_clients_make_no_lines_and_no_fields_of_their_own_in_the_log(start_gateway):
    gateway = await start_gateway("--log-level", "debug")
    forged = "x admin=true token=ok"
    async with ProtooClient(gateway, "room%20admin=true", "p,level=x", query="&resumption=yes") as client:
        await client.join()
        await client.ask("changeDisplayName", {"displayName": f"\n2026-01-01T00:00:00 notice forged: {forged}\n" * 99})
        await client.ask("closeProducer", {"producerId": f"a\u2028b\n2026-01-01T00:00:00 notice forged: {forged}"})
    async with RoomServerClient(gateway, ["websocket"]) as client:
        await client.ask(f"join\n2026-01-01T00:00:00 notice forged: {forged}", {})
        await client.ask("consume", {"consumerTransportId": f"\n2026-01-01T00:00:00 notice forged: {forged}"})
    await until(lambda: "peer disconnected" in gateway.log, 30, "the peer has left")
    lines = gateway.log.splitlines()
    assert not [line for line in lines if line.startswith("2026-01-01")]
    # Values that have an equals sign are quoted, so that it begins no field.
    assert [line for line in lines if 'room.id="room admin=true"' in line], gateway.log
    assert not re.search(r"(^|\s)(admin|level|token)=\w+", re.sub(r'"(?:[^"\\]|\\.)*"', "", gateway.log)), gateway.log
