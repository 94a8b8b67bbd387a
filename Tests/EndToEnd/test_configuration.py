"""The configuration: what a file, the environment and options may say, and what a running server takes."""

import asyncio
import json
import os
import re
import signal
import subprocess

import aiohttp
import pytest
import yaml

from gateway import BINARY, Gateway, assert_no_trap
from protoo import ProtooClient, Refused
from test_http2 import make_certificate, shown_name
from tokens import KEY, OTHER_KEY, Issuer, token
from waiting import until


def check(*options, **variables):
    """Runs check-config: (exit code, output, complaints)."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROUNDHOUSE_")}
    done = subprocess.run(
        [BINARY, "check-config", *options], capture_output=True, text=True, timeout=60,
        env={**environment, **variables})
    assert_no_trap(done.stderr)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def file(artifacts):
    def write(text, name="roundhouse.yaml"):
        path = artifacts / name
        path.write_text(text)
        return str(path)
    return write


def test_an_option_beats_the_environment_which_beats_the_file(file):
    path = file(
        "# A comment.\nmax-rooms: 11\nmax-connections: 12\nport: 13\n"
        "allowed-origin: [https://a.test, https://b.test]\n")
    code, shown, _ = check(
        "--config", path, "--port", "33", ROUNDHOUSE_PORT="23", ROUNDHOUSE_MAX_CONNECTIONS="22")
    assert code == 0
    lines = {line.split(":")[0]: line for line in shown.splitlines()}
    assert re.search(r"port: 33 +# option$", lines["port"])
    assert re.search(r": 22 +# environment$", lines["max-connections"])
    assert re.search(r": 11 +# .*roundhouse\.yaml$", lines["max-rooms"])
    assert "https://a.test, https://b.test" in lines["allowed-origin"]
    assert re.search(r": 65536 +# default$", lines["max-message-size"])


def test_the_environment_may_name_the_file_and_lists_have_commas(file):
    path = file("max-rooms: 11\n")
    code, shown, _ = check(ROUNDHOUSE_CONFIG=path, ROUNDHOUSE_TRUSTED_PROXY="10.0.0.0/8, ::1")
    assert code == 0
    assert re.search(r"max-rooms: 11 ", shown)
    assert "trusted-proxy: 10.0.0.0/8" in shown


@pytest.mark.parametrize("text", ["", "# Nothing yet.\n", "---\n\n# port: 1\n"])
def test_a_file_without_settings_is_no_error(file, text):
    assert check("--config", file(text))[0] == 0


def test_secrets_are_not_shown(file):
    path = file(f"auth-key: ['{KEY}', 'new:{OTHER_KEY}']\nadmin-token: not-for-everybody\n")
    code, shown, complaints = check("--config", path)
    assert code == 0
    assert "auth-key: (hidden: 2)" in shown and "admin-token: (hidden: 1)" in shown
    for secret in [KEY, OTHER_KEY, "not-for-everybody"]:
        assert secret not in shown + complaints


@pytest.mark.parametrize("text,says", [
    ("max-conections: 5\n", r"no setting max-conections: did you mean max-connections\?"),
    ("limits:\n  rooms: 5\n", r"no setting limits\.rooms"),
    ("zzzzzzzzzzzzzzzzzzzzzzzz: 5\n", r"no setting zzz.*Operations\.md"),
    ("port: 70000\n", r"port 70000 .*0 to 65535"),
    ("port: many\n", r"port many .*number"),
    ("port:\n", r"port .*number"),
    ("port: [1, 2]\n", r"port: a list"),
    ("port: 1\nport: 2\n", r"port"),
    ("port: 1: 2\n", r"not YAML.*1:8"),
    ("- port\n", r"not YAML"),
    ("\tport: 1\n", r"not YAML"),
    ("host: ''\n", r"host is empty"),
    ("log-level: loud\n", r"log-level loud .*debug"),
    ("tls: yes\n", r"tls yes .*self-signed"),
    ("tls-certificate: a.pem\n", r"tls-certificate needs tls-private-key"),
    ("tls-certificate: /none.pem\ntls-private-key: /none.key\n", r"/none\.pem"),
    ("auth-key: short\n", r"auth-key .*32 bytes.*openssl"),
    ("auth-key: 'a b:0123456789012345678901234567890123456789'\n", r"auth-key .*name"),
    (f"auth-key: ['k:{KEY}', 'k:{OTHER_KEY}']\n", r"two keys are named k"),
    ("auth-key-file: /does/not/exist\n", r"auth-key-file /does/not/exist"),
    ("auth-key-file: {empty}\n", r"has no key"),
    ("auth-key-file: {bad}\n", r"line 2: .*32 bytes"),
    ("auth-key-file: {jwks}\n", r"keys\[1\]\.x: not base64url"),
    ("allowed-origin: example.com\n", r"example\.com is no origin: .*https://"),
    ("allowed-origin: https://example.com/path\n", r"is no origin"),
    ("trusted-proxy: 10.0.0.0/33\n", r"10\.0\.0\.0/33 is no address"),
    ("unlimited-address: everybody\n", r"everybody is no address"),
    ("webhook: https://hooks.example/\n", r"webhook needs webhook-secret"),
    ("webhook: 'ftp://hooks.example/'\n", r"webhook is no URL .*https://"),
    ("webhook-secret: short\n", r"webhook-secret has to be whsec_.*openssl"),
    ("webhook-events: [peer-joined, nonsense]\n", r"nonsense is no type of event"),
    ("drain-seconds: -1\n", r"drain-seconds -1 .*0 to 3600"),
])
async def test_a_wrong_file_is_an_error_that_names_setting_value_and_remedy(file, text, says):
    jwks = json.dumps({"keys": [Issuer("EdDSA", "a").jwk(), {**Issuer("EdDSA", "b").jwk(), "x": KEY + "="}]})
    files = {"empty": "# no key\n", "bad": f"{KEY}\nshort\n", "jwks": jwks}
    for name, content in files.items():
        text = text.replace("{" + name + "}", file(content, name))
    path = file(text)
    code, _, complaints = check("--config", path)
    assert code == 2, complaints
    assert re.search(says, complaints), complaints
    assert "roundhouse.yaml" in complaints or "two keys" in complaints or "/none" in complaints
    assert KEY not in complaints and len(complaints.splitlines()) <= 2
    # The server itself says the same, and does not start.
    if "/none" not in text:
        started = subprocess.run([BINARY, "--config", path], capture_output=True, text=True, timeout=60)
        assert started.returncode == 2 and re.search(says, started.stderr), started.stderr


def test_a_server_without_a_key_says_who_may_enter():
    for options, says in (
            (("--host", "0.0.0.0"), "everybody who can reach port 3016 at 0.0.0.0 may enter every room"),
            (("--host", "127.0.0.1", "--trusted-proxy", "127.0.0.1"), "everybody whom the proxy lets through may"),
            (("--host", "127.0.0.1"), None), (("--auth-key", KEY), None)):
        code, _, complaints = check(*options)
        assert code == 0 and (says in complaints if says else "may enter" not in complaints), complaints


def test_all_that_is_wrong_is_named_at_once(file):
    path = file("port: x\nshrads: 2\nmax-rooms: many\nwebhook: https://hooks.example/\nwebhook-secret: short\n")
    code, _, complaints = check("--config", path, ROUNDHOUSE_DRAIN_SECONDS="soon")
    assert code == 2 and len(complaints.splitlines()) <= 2
    for says in ("line 1: port x has to be a number", "no setting shrads: did you mean shards", "max-rooms many",
                 "webhook-secret has to be whsec_", "ROUNDHOUSE_DRAIN_SECONDS soon"):
        assert says in complaints, complaints
    # What follows from one of them is no fault of its own.
    assert "needs webhook-secret" not in complaints


def test_a_file_that_cannot_be_read_is_an_error(artifacts):
    (artifacts / "binary.yaml").write_bytes(b"\xff\xfe\x00port: 1")
    for path in ["/does/not/exist.yaml", str(artifacts), str(artifacts / "binary.yaml")]:
        code, _, complaints = check("--config", path)
        assert code == 2 and path in complaints, complaints


def test_a_wrong_variable_names_itself_and_a_mistyped_one_is_warned_of():
    code, _, complaints = check(ROUNDHOUSE_SHARDS="0")
    assert code == 2 and "ROUNDHOUSE_SHARDS 0" in complaints
    code, _, complaints = check(ROUNDHOUSE_MAX_ROOM="5", ROUNDHOUSE_SOMETHING_ELSE="1")
    assert code == 0
    assert "did you mean ROUNDHOUSE_MAX_ROOMS?" in complaints and "SOMETHING_ELSE" not in complaints


@pytest.mark.parametrize("arguments,variables,says", [
    ([], {"ROUNDHOUSE_AUTH_KEY": ""}, "ROUNDHOUSE_AUTH_KEY has an empty value"),
    ([], {"ROUNDHOUSE_AUTH_KEY": " , "}, "ROUNDHOUSE_AUTH_KEY has an empty value"),
    ([], {"ROUNDHOUSE_AUTH_KEY": f"{KEY},"}, "ROUNDHOUSE_AUTH_KEY has an empty value"),
    ([], {"ROUNDHOUSE_AUTH_KEY_FILE": ""}, "ROUNDHOUSE_AUTH_KEY_FILE is empty"),
    (["--auth-key", ""], {}, "--auth-key has an empty value"),
    (["--auth-key-file", ""], {}, "--auth-key-file is empty"),
    (["--auth-key-file", "{empty}"], {}, "has no key"),
    (["--config", "auth-key: []"], {}, "auth-key has an empty value"),
    (["--config", "auth-key: ['']"], {}, "auth-key has an empty value"),
    (["--config", "auth-key:"], {}, "auth-key has an empty value"),
    (["--config", "auth-key: ''"], {}, "auth-key has an empty value"),
])
def test_an_empty_key_is_an_error_and_never_a_server_open_to_everybody(file, arguments, variables, says):
    if arguments[:1] == ["--config"]:
        arguments = ["--config", file(arguments[1] + "\n")]
    arguments = [argument.replace("{empty}", file("", "empty")) for argument in arguments]
    code, _, complaints = check(*arguments, **variables)
    assert code == 2 and says in complaints, complaints
    started = subprocess.run(
        [BINARY, *arguments], env={**os.environ, **variables}, capture_output=True, text=True, timeout=60)
    # An option is at fault as one that is mistyped.
    assert started.returncode in (2, 64) and says in started.stderr, started.stderr


@pytest.mark.parametrize("text", [
    "max-rooms: 11", "max-rooms : 11 # c", "'max-rooms': '11'", 'max-rooms: "1\\x31"', "\ufeffmax-rooms: 11\r\n",
    "---\nmax-rooms: 11\n...\n", "host: ::1", "host: a#b", "host: 'it''s'", "host: a b # c",
    "allowed-origin: [https://a.test, 'https://b.test:8443', ]", "allowed-origin:\n- https://a.test # c\n\n- \"*\"",
    "allowed-origin: [ # one\n  https://a.test\n  , https://b.test\n]\nmax-rooms: 11",
    "trusted-proxy: ['::1', 10.0.0.0/8]", "  host: x\n  port: 5", "allowed-origin:\n  -   https://a.test\nhost: h",
])
def test_what_is_read_is_what_yaml_says(file, text):
    code, shown, complaints = check("--config", file(text))
    assert code == 0, complaints
    lines = {line.split(": ")[0]: re.sub(r" +# .*", "", line.split(": ", 1)[1]) for line in shown.splitlines()}
    # All scalars as they are written, as PyYAML's base loader reads them.
    read = yaml.load(text, yaml.BaseLoader)
    assert read
    for name, value in read.items():
        assert lines[name] == (", ".join(value) if isinstance(value, list) else value)


async def reloaded(gateway, before):
    gateway.process.send_signal(signal.SIGHUP)
    await until(lambda: gateway.log[before:].count("reloaded"), 30, "the server says that it has reloaded, or not")
    return gateway.log[before:]


async def test_sighup_exchanges_keys_and_limits_and_a_broken_file_changes_nothing(start_gateway, file):
    path = file(f"auth-key: 'old:{KEY}'\nmax-peers-per-room: 10\n")
    gateway = await start_gateway("--config", path)
    old, new = token(room="*"), token(OTHER_KEY, {"kid": "new"}, room="*")
    async with ProtooClient(gateway, "r", "stays", query=f"&token={old}") as stays:
        await stays.join()

        file("max-peers-per-room: 1\nannounced-address: 198.51.100.7\nauth-key: 'new:" + OTHER_KEY + "'\n")
        log = await reloaded(gateway, len(gateway.log))
        assert "setting=max-peers-per-room" in log and "from=10" in log and "to=1" in log
        assert any("announced-address" in line and "restart" in line for line in log.splitlines()), log
        assert KEY not in gateway.log and OTHER_KEY not in gateway.log

        # Those who are in stay in; the old key opens nothing any more, the new one does, within the new limit.
        await stays.request("changeDisplayName", {"displayName": "still here"})
        async with ProtooClient(gateway, "r2", "a", query=f"&token={old}") as refused:
            await until(lambda: refused.close_code, 30, "the old key's token is refused")
            assert refused.close_code == 1008
        async with ProtooClient(gateway, "r", "b", query=f"&token={new}") as full:
            await until(lambda: full.close_code, 30, "the room takes no second peer")
            assert full.close_code == 1013
        async with ProtooClient(gateway, "r3", "c", query=f"&token={new}") as taken:
            await taken.join()

        file("max-peers-per-room: 1\nauth-kee: x\n")
        log = await reloaded(gateway, len(gateway.log))
        assert "not reloaded" in log and "auth-kee" in log and "auth-key" in log
        async with ProtooClient(gateway, "r4", "d", query=f"&token={new}") as taken:
            await taken.join()
        await stays.request("changeDisplayName", {"displayName": "still here"})


async def test_sighup_exchanges_certificates_the_admin_token_and_the_log_level(start_gateway, file, artifacts):
    names = ("first", "second")
    files = {name: make_certificate(artifacts, name, f"{name}.example") for name in names}
    gateway = await start_gateway("--config", file("admin-token: old\n"))

    def tls(name):
        certificate, key = files[name]
        return f"tls-certificate: {certificate}\ntls-private-key: {key}\n"

    async def opens(secret):
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {secret}"}) as session:
            async with session.get(f"{gateway.url}/api/v1/rooms") as answer:
                return answer.status == 200

    async def refused_requests():
        """Has the server refuse a request, which it tells at the level 'debug'; how often it has done so."""
        async with ProtooClient(gateway, "r", "p") as client:
            with pytest.raises(Refused):
                await client.request("restartIce", {"transportId": "nobody's"})
        return gateway.log.count("request refused")

    assert await opens("old") and not await opens("new")
    assert await refused_requests() == 0
    for name in names:
        file(f"admin-token: new\nlog-level: debug\n{tls(name)}")
        await reloaded(gateway, len(gateway.log))
        assert await shown_name(gateway) == f"{name}.example"
        assert await opens("new") and not await opens("old")
    assert await refused_requests() == 1

    # What cannot be used changes nothing, and is taken once it can.
    files["late"] = artifacts / "late.pem", artifacts / "late.key"
    for path in files["late"]:
        path.unlink(missing_ok=True)
    file(f"admin-token: new\nlog-level: debug\n{tls('late')}")
    assert "certificate not reloaded" in await reloaded(gateway, len(gateway.log))
    assert await shown_name(gateway) == "second.example"
    make_certificate(artifacts, "late", "late.example")

    async def is_late():
        return await shown_name(gateway) == "late.example"
    await until(is_late, 30, "the certificate is taken once it is there", every=0.3)

    # Without TLS again. The level says nothing of it, so what tells is the token.
    file("admin-token: third\nlog-level: error\n")
    gateway.process.send_signal(signal.SIGHUP)
    await until(lambda: opens("third"), 30, "the new admin token opens")
    told = gateway.log.count("request refused")
    assert await refused_requests() == told

    async def refuses_tls():
        try:
            await shown_name(gateway)
        except AssertionError:
            return True
    await until(refuses_tls, 30, "TLS is refused", every=0.3)
    assert (await gateway.get("/healthz"))[0] == 200


async def test_a_server_for_strangers_without_a_key_says_so_and_works(artifacts):
    gateway = Gateway(artifacts)
    gateway.command[gateway.command.index("--host") + 1] = "0.0.0.0"
    try:
        await gateway.start()
        await until(lambda: "--auth-key-file" in gateway.log, 30, "a warning that names the option")
        async with ProtooClient(gateway, "r", "a") as client:
            await client.join()
        await gateway.stop()
    finally:
        await gateway.kill()


async def test_a_second_hup_during_the_first_is_no_harm(start_gateway, file):
    gateway = await start_gateway("--config", file("max-rooms: 3\n"))
    for _ in range(20):
        gateway.process.send_signal(signal.SIGHUP)
    await until(lambda: "configuration reloaded" in gateway.log, 30, "reloaded")
    await asyncio.gather(*(gateway.json("/rooms") for _ in range(5)))


async def test_an_announced_name_without_address_is_said_at_the_start(start_gateway):
    gateway = await start_gateway("--announced-address", "localhost", "--announced-address", "media.invalid")
    await until(lambda: "has no address here" in gateway.log, 30, "the name is looked up")
    line, = [line for line in gateway.log.splitlines() if "has no address here" in line]
    assert "name=media.invalid" in line and "--announced-address" in line
    async with ProtooClient(gateway, "names", "peer") as client:
        candidates = (await client.open_transport())["iceCandidates"]
        assert {one["address"] for one in candidates} == {"127.0.0.1", "media.invalid"}
