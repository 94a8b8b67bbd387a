"""Tokens: what they open in every dialect, and what opens nothing."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import signal
import subprocess
import time
import urllib.request

import aiohttp
import pytest
import socketio

from gateway import BINARY
from protoo import NOBODYS_FINGERPRINT, ProtooClient, Refused, audio_parameters
from tokens import KEY, OTHER_KEY, Issuer, encoded, token
from waiting import until

# What opens nothing, and the reason that the metric has for it.
BAD_TOKENS = {
    "none": (lambda: "", "missing"),
    "expired": (lambda: token(room="r", exp=int(time.time()) - 1), "expired"),
    "not yet valid": (lambda: token(room="r", nbf=int(time.time()) + 3600), "not_yet_valid"),
    "of another key": (lambda: token(OTHER_KEY, room="r"), "signature"),
    "of an unknown key": (lambda: token(header={"kid": "stranger"}, room="r"), "unknown_key"),
    "unsigned": (lambda: f'{encoded({"alg": "none"})}.{encoded({"room": "r"})}.', "algorithm"),
    "with a key's name as its algorithm": (lambda: token(header={"alg": "none"}, room="r"), "algorithm"),
    "for HS512": (lambda: token(header={"alg": "HS512"}, room="r"), "algorithm"),
    "with critical fields": (lambda: token(header={"crit": ["exp"]}, room="r"), "malformed"),
    "cut short": (lambda: token(room="r")[:-5], "signature"),
    "without its end": (lambda: token(room="r").rsplit(".", 1)[0], "malformed"),
    "in four parts": (lambda: token(room="r") + ".x", "malformed"),
    "that is garbage": (lambda: "../../etc/passwd", "malformed"),
    "with a room that is no text": (lambda: token(room=7), "malformed"),
    "with claims that are no object": (lambda: f'{encoded({"alg": "HS256"})}.{encoded([1])}.AAAA', "malformed"),
    "nested a thousand deep": (lambda: f'{encoded({"alg": "HS256"})}.{encoded(b"[" * 1000)}.AAAA', "malformed"),
    "that is too long": (lambda: token(room="r", name="x" * 5000), "too_long"),
    "for another room": (lambda: token(room="another"), "wrong_room"),
    "for a room whose name begins alike": (lambda: token(room="r2"), "wrong_room"),
    "for no room": (lambda: token(admin=True), "wrong_room"),
    "for another peer": (lambda: token(room="r", peer="somebody"), "wrong_peer"),
}


@pytest.fixture
async def guarded(start_gateway):
    return await start_gateway("--auth-key", KEY, "--plain-ports", "20000-20999")


async def refused_reason(gateway, secret, room="r", peer="p"):
    async with ProtooClient(gateway, room, peer, query=f"&token={secret}") as client:
        await until(lambda: client.close_code, 30, "the connection is closed")
        return client.close_code, client.socket.close_reason


@pytest.mark.parametrize("name", BAD_TOKENS)
async def test_a_bad_token_opens_no_room_and_the_refusal_says_why(guarded, name):
    make, reason = BAD_TOKENS[name]
    code, words = await refused_reason(guarded, make())
    assert code == 1008 and len(words) > 15, (code, words)
    metrics = await guarded.metrics()
    assert metrics[f'roundhouse_gateway_refused_tokens_total{{reason="{reason}"}}'] == 1
    assert metrics["roundhouse_rooms_open_rooms"] == 0
    # The same over WHIP, by its status; a token that is none of the room's is not "unauthenticated".
    async with aiohttp.ClientSession() as session:
        headers = {"Content-Type": "application/sdp"}
        if make():
            headers["Authorization"] = f"Bearer {make()}"
        async with session.post(f"{guarded.url}/whip/r?peerId=p", data="v=0", headers=headers) as answer:
            body = await answer.json()
            if reason in ("wrong_room", "wrong_peer"):
                assert answer.status == 403 and body["error"]["code"] == "forbidden"
            else:
                assert answer.status == 401 and body["error"]["code"] == "unauthorized"
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_megabyte_of_token_is_refused_and_nobody_notices(guarded):
    async with ProtooClient(guarded, "r", "p", query="&token=" + token(room="r")) as client:
        await client.join()
        for place in ["Authorization: Bearer ", "Sec-WebSocket-Protocol: bearer.", "X: "]:
            reader, writer = await asyncio.open_connection(guarded.host, guarded.port)
            target = "/rooms" if place != "X: " else "/rooms?token=" + "x" * 1_000_000
            secret = "x" * 1_000_000 if place != "X: " else "y"
            try:
                writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\n{place}{secret}\r\n\r\n".encode())
                await writer.drain()
                answer = await asyncio.wait_for(reader.read(64), 30)
            except ConnectionError:
                answer = b""
            finally:
                writer.close()
            # It may be cut off before it has sent all, and then reads nothing.
            assert answer == b"" or re.match(rb"HTTP/1.1 4\d\d", answer), answer
        await client.request("changeDisplayName", {"displayName": "still here"})


@pytest.mark.parametrize("place", ["query", "field", "subprotocol"])
async def test_a_good_token_opens_its_room_from_wherever_it_is_given(guarded, place):
    secret = token(room="a room", name="Ada")
    url = f"ws://{guarded.host}:{guarded.port}/?roomId=a%20room&peerId=p"
    options = {"protocols": ["protoo"], "headers": {}}
    if place == "query":
        url += f"&token={secret}"
    elif place == "field":
        options["headers"]["Authorization"] = f"bearer {secret}"
    else:
        options["protocols"].append(f"bearer.{secret}")
    async with aiohttp.ClientSession() as session, session.ws_connect(url, **options) as socket:
        assert socket.protocol == "protoo"
        await socket.send_str(json.dumps({"request": True, "id": 1, "method": "getRouterRtpCapabilities"}))
        while True:
            message = await socket.receive_json(timeout=30)
            if message.get("response"):
                assert message["ok"]
                break


async def produce(client):
    transport = await client.open_transport(producing=True)
    await client.request("connectWebRtcTransport", {
        "transportId": transport["id"], "dtlsParameters": {"role": "client", "fingerprints": [NOBODYS_FINGERPRINT]}})
    capabilities = await client.request("getRouterRtpCapabilities")
    return await client.request("produce", {
        "transportId": transport["id"], "kind": "audio", "rtpParameters": audio_parameters(capabilities, 4711)})


async def test_a_peer_may_do_what_its_token_says_and_is_called_as_it_says(guarded):
    def client(peer, **claims):
        return ProtooClient(guarded, "r", peer, query="&token=" + token(room="r", **claims))

    async with client("speaker", publish=True, name="Ada") as speaker, client("listener", subscribe=True) as listener, \
            client("both") as both:
        for one in [speaker, listener, both]:
            await one.open_transport(consuming=True)
            await one.join("I am the boss")
        producer = await produce(speaker)
        assert producer["id"]
        with pytest.raises(Refused) as refusal:
            await produce(listener)
        assert refusal.value.code == 403 and "publish" in refusal.value.reason
        await produce(both)
        # A peer that may subscribe is offered what others send; one that may not is not.
        await until(lambda: len(listener.requests) == 2, 30, "the listener is offered both")
        await until(lambda: len(both.requests) == 1, 30, "the other is offered the speaker's")
        assert speaker.requests == []
        # Names: the token's, or the client's.
        names = {one["id"]: one["displayName"] for one in both.heard("newPeer")}
        assert names.get("speaker", "Ada") == "Ada"
        with pytest.raises(Refused) as refusal:
            await speaker.request("changeDisplayName", {"displayName": "Bob"})
        assert refusal.value.code == 403
        await listener.request("changeDisplayName", {"displayName": "Bob"})


async def test_socket_io_takes_a_token_in_auth_or_query_and_keeps_to_it(guarded):
    for given in ["auth", "query"]:
        secret = token(room="r", subscribe=True)
        client = socketio.AsyncClient()
        url = guarded.url + (f"?token={secret}" if given == "query" else "")
        await client.connect(url, auth={"token": secret} if given == "auth" else None)
        try:
            assert "another room" in (await client.call("createRoom", {"room_id": "other"}))["error"]
            assert await client.call("createRoom", {"room_id": "r"}) in ("r", "already exists")
            assert "error" in await client.call("join", {"room_id": "other", "name": "x"})
            assert (await client.call("join", {"room_id": "r", "name": "x"}))["id"] == "r"
            transport = await client.call("createWebRtcTransport", {})
            capabilities = await client.call("getRouterRtpCapabilities", {})
            answer = await client.call("produce", {
                "producerTransportId": transport["id"], "kind": "audio",
                "rtpParameters": audio_parameters(capabilities, 99)})
            assert "publish" in answer["error"]
        finally:
            await client.disconnect()
    for bad in [None, {"token": token(OTHER_KEY, room="r")}, {"token": 7}]:
        client = socketio.AsyncClient(reconnection=False)
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(guarded.url, auth=bad, wait_timeout=30)
        await client.disconnect()


async def test_the_state_is_for_admins_and_probes_are_for_everybody(guarded):
    async with aiohttp.ClientSession() as session:
        async def status(path, secret=None, method="GET"):
            headers = {"Authorization": f"Bearer {secret}"} if secret else {}
            async with session.request(method, guarded.url + path, headers=headers) as answer:
                return answer.status
        for path in ["/rooms", "/rooms/r"]:
            assert await status(path) == 401
            assert await status(path, token(room="another")) == 403
        # What its router can receive, and nothing else, is for those who may enter a room.
        assert await status("/rooms/r", token(room="r")) == 200
        headers = {"Authorization": f'Bearer {token(room="r")}'}
        async with session.get(guarded.url + "/rooms/r", headers=headers) as answer:
            assert set(await answer.json()) == {"codecs", "headerExtensions", "routerRtpCapabilities"}
        assert await status("/rooms", token(admin=True)) == 200
        assert await status("/rooms/r", token(admin=True)) == 404
        for path in ["/", "/healthz", "/readyz", "/metrics", "/?token=x"]:
            assert await status(path) == 200
        for path in ["/createValidRoomId", "/isRoomExisted", "/checkPassword"]:
            assert await status(path, method="POST") == 401
            assert await status(path, token(room="x"), method="POST") == 200


async def test_metrics_are_for_this_machine_and_for_who_has_the_token(start_gateway):
    async def status(gateway, token=None, **fields):
        headers = {**fields, **({"Authorization": f"Bearer {token}"} if token else {})}
        async with aiohttp.ClientSession() as session, session.get(gateway.url + "/metrics", headers=headers) as answer:
            return answer.status

    # Through a proxy, or by a name that was made to point here, nobody is known to be on this machine.
    elsewhere = ({"X-Forwarded-For": "192.0.2.1"}, {"Host": "rebound.example"})
    for options in ((), ("--auth-key", KEY)):
        closed = await start_gateway(*options)
        assert await status(closed) == 200
        assert [await status(closed, **fields) for fields in elsewhere] == [403, 403]
    assert await status(closed, token(admin=True), **elsewhere[0]) == 200
    assert await status(closed, token(room="r"), **elsewhere[0]) == 403
    opened = await start_gateway("--metrics-token", "for the collector", "--admin-token", "for operators")
    for fields in ({}, *elsewhere):
        assert await status(opened, **fields) == 401
        assert await status(opened, "a guess", **fields) == 401
        assert await status(opened, "for the collector", **fields) == 200
        assert await status(opened, "for operators", **fields) == 200
    # It opens nothing else.
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer for the collector"}) as session:
        async with session.get(opened.url + "/api/v1/rooms") as answer:
            assert answer.status == 401
    guesses = [await status(opened, f"guess {number}", **elsewhere[0]) for number in range(150)]
    assert guesses[0] == 401 and guesses[-1] == 429


async def test_the_servers_own_command_makes_tokens_that_open(artifacts, start_gateway):
    keys = artifacts / "keys"
    keys.write_text(f"# the first one signs\nnew:{OTHER_KEY}\n{KEY}\n")
    gateway = await start_gateway("--auth-key-file", str(keys))

    def made(*options, file=keys):
        done = subprocess.run(
            [BINARY, "token", "--auth-key-file", file, *options], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout.strip(), done.stderr

    def header(secret):
        first = secret.split(".")[0]
        return json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))

    code, secret, _ = made("--room", "r", "--name", "Ada", "--publish", "--peer", "p", "--expires-in", "2m")
    assert code == 0 and header(secret)["kid"] == "new"
    # The key's name is a string or not there (RFC 7515, 4.1.4).
    nameless = artifacts / "nameless"
    nameless.write_text(f"{KEY}\n")
    assert "kid" not in header(made("--room", "r", file=nameless)[1])
    async with ProtooClient(gateway, "r", "p", query=f"&token={secret}") as client:
        await client.join()
    assert (await refused_reason(gateway, secret, peer="q"))[0] == 1008
    # The key without a name still opens.
    async with ProtooClient(gateway, "r", "p", query=f"&token={token(room='r')}") as client:
        await client.join()
    code, secret, _ = made("--admin", "--expires-in", "never")
    request = urllib.request.Request(gateway.url + "/rooms", headers={"Authorization": f"Bearer {secret}"})
    assert (await asyncio.to_thread(urllib.request.urlopen, request)).status == 200
    for options, says in [
            ([], "--room"), (["--room", "r", "--expires-in", "soon"], "soon"), (["--room", ""], "--room")]:
        code, secret, complaint = made(*options)
        assert code == 64 and says in complaint and not secret


async def test_a_broadcaster_is_driven_by_its_maker_alone(guarded):
    """An audit produced as somebody else's broadcaster, with a token that may only watch, and then deleted it."""
    base = f"{guarded.url}/rooms/town/broadcasters"
    maker, viewer = token(room="town", publish=True), token(room="town", subscribe=True, peer="bob")
    publisher = token(room="town", publish=True, name="Mallory")
    media = {"codecs": [{"mimeType": "audio/opus", "payloadType": 101, "clockRate": 48000, "channels": 2}]}

    async def ask(session, method, path, body=None, bearer=None, secret=None):
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        if secret:
            headers["Signaling-Session"] = secret
        async with session.request(method, base + path, json=body, headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else text

    async with aiohttp.ClientSession() as session, ProtooClient(
            guarded, "town", "bob", query=f"&token={viewer}") as bob:
        await bob.join()
        status, made = await ask(
            session, "POST", "", {"id": "film", "displayName": "Film", "device": {}}, bearer=maker)
        assert status == 200
        secret = made["session"]["token"]
        _, transport = await ask(session, "POST", "/film/transports", {"type": "plain"}, bearer=maker)
        place = f"/film/transports/{transport['id']}"

        def produce(ssrc):
            return {"kind": "audio", "rtpParameters": {**media, "encodings": [{"ssrc": ssrc}]}}
        for bearer, expected in ((viewer, 403), (publisher, 403), (None, 401), (token(room="other"), 403)):
            for method, path, body in (
                    ("POST", "/film/transports", {"type": "plain"}), ("POST", place + "/producers", produce(1)),
                    ("POST", "/film/producers", {**produce(1), "transportId": transport["id"]}),
                    ("POST", place + "/connect", {"ip": "192.0.2.1", "port": 5000, "rtcpPort": 5001}),
                    ("POST", place + "/consume?producerId=x", {}), ("POST", "/film/consumers", {}),
                    ("POST", "/film/consumers/x/resume", {}), ("POST", "/film/join", {}),
                    ("GET", "/film/peerProducersInfos", None), ("DELETE", "/film", None)):
                status, answer = await ask(session, method, path, body, bearer=bearer)
                assert status == expected, (path, status, answer)
        assert not bob.requests, "something was produced"
        # Its maker may publish and not watch, and so may another token of the room that has its secret.
        assert (await ask(session, "POST", place + "/producers", produce(1), bearer=maker))[0] == 200
        assert (await ask(session, "POST", place + "/producers", produce(2), bearer=publisher, secret=secret))[0] == 200
        status, _ = await ask(session, "POST", place + "/consume?producerId=x", {}, bearer=maker)
        assert status == 403
        # A token for another peer is not made good by the secret.
        assert (await ask(session, "DELETE", "/film", bearer=viewer, secret=secret))[0] == 403
        named = token(room="town", peer="film")
        assert (await ask(session, "DELETE", "/film", bearer=named))[0] == 200
    metrics = await guarded.metrics()
    assert metrics['roundhouse_gateway_refused_tokens_total{reason="wrong_peer"}'] >= 21


async def test_without_a_key_a_broadcaster_is_driven_from_its_makers_address(start_gateway):
    gateway = await start_gateway("--trusted-proxy", "127.0.0.1", "--plain-ports", "20000-20999")
    base = f"{gateway.url}/rooms/town/broadcasters"
    async with aiohttp.ClientSession() as session:
        async def ask(method, path, body=None, address="198.51.100.7", **headers):
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            async with session.request(
                    method, base + path, json=body, headers={"X-Forwarded-For": address, **headers}) as answer:
                text = await answer.text()
                return answer.status, json.loads(text) if text.startswith("{") else text
        # As mediasoup-demo's scripts: ids, and nothing else.
        _, made = await ask("POST", "", {"id": "film", "displayName": "Film", "device": {}})
        assert (await ask("POST", "/film/transports", {"type": "plain"}))[0] == 200
        for path in ("/film/transports", "/film/producers", "/film/join"):
            assert (await ask("POST", path, {}, address="198.51.100.8"))[0] == 403
        assert (await ask("DELETE", "/film", address="198.51.100.8"))[0] == 403
        secret = made["session"]["token"]
        status, _ = await ask("POST", "/film/transports", {}, address="198.51.100.8", Signaling_Session=secret)
        assert status == 200
        assert (await ask("DELETE", "/film"))[0] == 200


@pytest.mark.parametrize("form", ["jwks", "pem"])
async def test_an_issuers_public_keys_open_its_rooms_and_are_exchanged_at_sighup(artifacts, start_gateway, form):
    keys = artifacts / "issuers"
    issuers = [Issuer(algorithm, f"{algorithm}-2026") for algorithm in ("RS256", "ES256", "EdDSA")]

    def write(believed):
        encryption = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "use": "enc", "kid": "enc"}
        keys.write_text(
            json.dumps({"keys": [encryption, *(issuer.jwk() for issuer in believed)]}) if form == "jwks"
            else "".join(f"kid: {issuer.name}\n{issuer.pem()}\n" for issuer in believed))

    async def opens(secret):
        async with ProtooClient(gateway, "r", "p", query=f"&token={secret}") as client:
            try:
                await client.join()
                return True
            except Exception:
                await until(lambda: client.close_code, 30, "the connection is closed")
                assert client.close_code == 1008
                return False

    write(issuers)
    gateway = await start_gateway("--auth-key", KEY, "--auth-key-file", str(keys))
    for issuer in issuers:
        assert await opens(issuer.token(room="r")), issuer.algorithm
        # Whoever knows only the public key signs with it as if it were the secret.
        signed = encoded({"alg": "HS256", "kid": issuer.name}) + "." + encoded({"room": "r"})
        forged = hmac.new(issuer.pem().encode(), signed.encode(), hashlib.sha256).digest()
        assert not await opens(f"{signed}.{encoded(forged)}")
        assert not await opens(Issuer(issuer.algorithm, issuer.name).token(room="r"))
    assert await opens(token(room="r"))

    write(issuers[:1])
    before = len(gateway.log)
    gateway.process.send_signal(signal.SIGHUP)
    await until(lambda: "configuration reloaded" in gateway.log[before:], 30, "reloaded")
    assert [await opens(issuer.token(room="r")) for issuer in issuers] == [True, False, False]
    # The server's own command signs with the secret.
    made = subprocess.run(
        [BINARY, "token", "--auth-key-file", keys, "--room", "r"], capture_output=True, text=True, timeout=60)
    assert made.returncode == 64 and "no secret to sign with" in made.stderr


async def test_a_revoked_token_opens_nothing_after_a_hangup_and_an_issuers_others_never_do(artifacts, start_gateway):
    revoked, keys = artifacts / "revoked", artifacts / "keys"
    revoked.write_text("# none yet\n")
    keys.write_text(KEY + "\n")
    keys.chmod(0o644)
    gateway = await start_gateway(
        "--auth-key-file", str(keys), "--revoked-tokens", str(revoked), "--auth-issuer", "https://id.example",
        "--auth-audience", "meet", "--auth-expiry", "required", "--admin-token", "shown to everybody")
    await until(lambda: gateway.log.count("every user of this machine") == 2, 30, "what is exposed is a warning")
    assert "shown to everybody" not in gateway.log
    claims = {"room": "r", "iss": "https://id.example", "aud": ["shop", "meet"], "exp": int(time.time()) + 600}
    for change, reason in (({"iss": "https://evil.example"}, "wrong_issuer"), ({"aud": "shop"}, "wrong_audience"),
                           ({"exp": None}, "no_expiry")):
        code, words = await refused_reason(gateway, token(**{**claims, **change}))
        assert code == 1008 and len(words) > 15, (code, words)
        assert (await gateway.metrics())[f'roundhouse_gateway_refused_tokens_total{{reason="{reason}"}}'] == 1
    made = subprocess.run(
        [BINARY, "token", "--auth-key-file", keys, "--auth-issuer", "https://id.example", "--auth-audience", "meet",
         "--room", "r", "--id", "lost"], capture_output=True, text=True, timeout=60).stdout.strip()
    for secret, name in ((token(**claims, jti="stolen"), "stolen"), (made, "lost")):
        async with ProtooClient(gateway, "r", "p", query=f"&token={secret}") as client:
            await client.join()
            with revoked.open("a") as file:
                file.write(f"{name} {int(time.time()) + 600}\n")
            seen = gateway.log.count("configuration reloaded")
            gateway.process.send_signal(signal.SIGHUP)
            await until(lambda: gateway.log.count("configuration reloaded") > seen, 30, "the file is read again")
            assert (await refused_reason(gateway, secret, peer="q"))[0] == 1008
            # Whoever is there stays.
            await client.request("changeDisplayName", {"displayName": "still here"})
    async with ProtooClient(gateway, "r", "p", query=f"&token={token(**claims, jti='good')}") as client:
        await client.join()
    with revoked.open("a") as file:
        file.write("a b c\n")
    gateway.process.send_signal(signal.SIGHUP)
    await until(lambda: "not reloaded" in gateway.log and "line 4" in gateway.log, 30, "a bad line is named")
