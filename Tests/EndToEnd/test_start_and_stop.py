"""How the program starts, refuses to start, and stops."""

import asyncio
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

import network
from gateway import BINARY, ROOT, Gateway, assert_no_trap
from protoo import ProtooClient
from waiting import until


async def refused(gateway, seconds=15):
    """Runs a server that has to refuse to start; returns what it printed."""
    gateway.spawn()
    try:
        code = await gateway.ended(seconds)
    finally:
        await gateway.kill()
    assert code > 0, f"ended with {code}:\n{gateway.log}"
    assert_no_trap(gateway.log)
    assert len(gateway.log.strip().splitlines()) <= 16, f"more than a person wants to read:\n{gateway.log}"
    return gateway.log


async def test_a_signaling_port_in_use_is_an_error_that_names_it(gateway, artifacts):
    second = Gateway(artifacts)
    second.command[second.command.index("--port") + 1] = str(gateway.port)
    log = await refused(second)
    assert str(gateway.port) in log and "use" in log, log


async def test_a_media_port_in_use_is_an_error_that_names_it(gateway, artifacts):
    second = Gateway(artifacts)
    second.command[second.command.index("--media-port") + 1] = str(gateway.media_port)
    log = await refused(second)
    assert str(gateway.media_port) in log and "use" in log, log


async def test_the_second_shards_port_in_use_is_an_error_that_names_it(artifacts):
    gateway = Gateway(artifacts, shards=2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((gateway.host, gateway.media_ports[1]))
        log = await refused(gateway)
    assert str(gateway.media_ports[1]) in log, log


@pytest.mark.parametrize("options,says", [
    (["--dtls-certificate", "/does/not/exist.pem", "--dtls-private-key", "/does/not/exist.key"], r"/does/not/exist\."),
    (["--dtls-certificate", "{garbage}", "--dtls-private-key", "{garbage}"], r"garbage\.pem"),
    (["--dtls-certificate", "{certificate}", "--dtls-private-key", "{other}"], r"certificate|key|match"),
    (["--dtls-certificate", "{certificate}"], r"--dtls-private-key|private key"),
    (["--dtls-private-key", "{other}"], r"--dtls-certificate|certificate"),
    (["--tls-certificate", "/does/not/exist.pem", "--tls-private-key", "/does/not/exist.key"], r"/does/not/exist\."),
    (["--tls-certificate", "{garbage}", "--tls-private-key", "{garbage}"], r"garbage\.pem"),
    (["--tls-certificate", "{certificate}", "--tls-private-key", "{other}"], r"--tls-certificate"),
    (["--tls-certificate", "{certificate}"], r"--tls-private-key"),
    (["--tls", "self-signed", "--tls-certificate", "{certificate}", "--tls-private-key", "{other}"], r"--tls"),
    (["--tls", "yes"], r"--tls|yes"),
    (["--media-listen", "not.an.address.invalid"], r"not\.an\.address|media-listen"),
    (["--media-listen", "203.0.113.77"], r"203\.0\.113\.77"),
    (["--announced-address", "10.9.9.9=203.0.113.1"], r"--announced-address.*--media-listen has no 10.9.9.9"),
    (["--media-buffer-kilobytes", "9"], r"--media-buffer-kilobytes.*64"),
    (["--announced-address", "not a name"], r"--announced-address.*neither an address nor a host name"),
    (["--announced-address", "http://203.0.113.5/"], r"--announced-address.*http://203\.0\.113\.5/"),
    (["--announced-address", "203.0.113.5:44444"], r"--announced-address.*203\.0\.113\.5:44444"),
    (["--announced-address", "[2001:db8::1]"], r"--announced-address.*--media-listen has no IPv6"),
    (["--host", "203.0.113.77"], r"203\.0\.113\.77"),
    (["--shards", "0"], r"shards"),
    (["--shards", "many"], r"shards"),
    (["--port", "70000"], r"port|70000"),
    (["--media-port", "65535", "--shards", "4"], r"65535|media-port|port"),
    (["--log-level", "shouting"], r"log-level|shouting"),
    (["--no-such-option"], r"no-such-option"),
])
async def test_a_setting_that_cannot_work_is_an_error_that_names_it(artifacts, options, says):
    def pair(name):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=test", "-keyout", artifacts / f"{name}.key", "-out", artifacts / f"{name}.pem"],
            check=True, capture_output=True)
        return artifacts / f"{name}.pem", artifacts / f"{name}.key"

    (artifacts / "garbage.pem").write_text("this is no certificate\n")
    places = {"garbage": artifacts / "garbage.pem"}
    if any("{certificate}" in option or "{other}" in option for option in options):
        places["certificate"] = pair("certificate")[0]
        places["other"] = pair("other")[1]
    gateway = Gateway(artifacts, shards=1)
    # A later option would only be repeated: replace those that the fixture gives.
    given = [option.format(**places) for option in options]
    for name in given[::2]:
        if name in gateway.command:
            position = gateway.command.index(name)
            del gateway.command[position:position + 2]
    gateway.command += given
    log = await refused(gateway)
    assert re.search(says, log), log


async def test_a_given_certificate_is_the_one_that_clients_are_sent(start_gateway, artifacts):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=test", "-keyout", artifacts / "own.key", "-out", artifacts / "own.pem"],
        check=True, capture_output=True)
    shown = subprocess.run(
        ["openssl", "x509", "-in", artifacts / "own.pem", "-noout", "-fingerprint", "-sha256"],
        check=True, capture_output=True, text=True).stdout.strip().split("=")[1]
    gateway = await start_gateway(
        "--dtls-certificate", str(artifacts / "own.pem"), "--dtls-private-key", str(artifacts / "own.key"))
    async with ProtooClient(gateway, "own", "peer") as client:
        info = await client.open_transport()
        told = {one["algorithm"]: one["value"] for one in info["dtlsParameters"]["fingerprints"]}
        assert told["sha-256"].upper() == shown.upper()


async def test_a_server_without_any_privilege_serves_everybody(start_gateway):
    """Run as root, all would be allowed: then the server runs as a different user, as an operator's would."""
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--inh-caps=-all"]
    gateway = await start_gateway(limits=[*nobody, "--"] if os.geteuid() == 0 else [])
    status = pathlib.Path(f"/proc/{gateway.pid}/status").read_text()
    assert re.search(r"^CapEff:\t0+$", status, re.M), status
    assert (await gateway.get("/healthz"))[0] == 200
    async with ProtooClient(gateway, "nobody", "peer") as client:
        await client.join()
        await client.open_transport(producing=True)
    metrics = await gateway.metrics()
    assert metrics['roundhouse_gateway_refused_connections_total{reason="set_up_failed"}'] == 0


async def test_the_announced_address_is_the_one_in_candidates(start_gateway):
    gateway = await start_gateway(announced="198.51.100.7")
    async with ProtooClient(gateway, "announced", "peer") as client:
        info = await client.open_transport()
        assert {one["ip"] for one in info["iceCandidates"]} == {"198.51.100.7"}
        assert {one["address"] for one in info["iceCandidates"]} == {"198.51.100.7"}
        assert {one["port"] for one in info["iceCandidates"]} <= set(gateway.media_ports)


async def test_several_announced_addresses_are_all_in_candidates(start_gateway):
    gateway = await start_gateway("--announced-address", "media.example", announced="198.51.100.7")
    async with ProtooClient(gateway, "announced", "peer") as client:
        candidates = (await client.open_transport())["iceCandidates"]
        assert {one["address"] for one in candidates} == {"media.example", "198.51.100.7"}
        assert len({one["foundation"] for one in candidates}) == len(candidates)
        only = await client.request("createWebRtcTransport", {"forceTcp": True, "producing": True, "consuming": False})
        assert {(one["protocol"], one["tcpType"]) for one in only["iceCandidates"]} == {("tcp", "passive")}
        order = await client.request(
            "createWebRtcTransport", {"preferTcp": True, "producing": False, "consuming": True})
        ranked = sorted(order["iceCandidates"], key=lambda one: -one["priority"])
        assert [one["protocol"] for one in ranked] == ["tcp", "tcp", "udp", "udp"]


async def test_media_over_tcp_has_a_port_of_its_own_or_none(start_gateway):
    first = network.free_ports(2)
    gateway = await start_gateway("--media-tcp-port", str(first))
    async with ProtooClient(gateway, "tcp", "peer") as client:
        candidates = (await client.open_transport())["iceCandidates"]
        assert {one["port"] for one in candidates if one["protocol"] == "tcp"} <= {first, first + 1}
    gateway = await start_gateway("--media-tcp-port", "none")
    assert "TCP" not in (await gateway.get("/readyz"))[1]
    async with ProtooClient(gateway, "udp", "peer") as client:
        assert {one["protocol"] for one in (await client.open_transport())["iceCandidates"]} == {"udp"}
        with pytest.raises(Exception, match="no candidate"):
            await client.request("createWebRtcTransport", {"forceTcp": True, "producing": True, "consuming": False})


async def test_each_of_several_addresses_may_have_one_that_stands_for_it(start_gateway):
    gateway = await start_gateway(
        "--media-listen", "127.0.0.2", "--media-listen", "127.0.0.3", "--announced-address", "127.0.0.1=198.51.100.1",
        "--announced-address", "127.0.0.2=198.51.100.2", "--media-buffer-kilobytes", "128", shards=1)
    async with ProtooClient(gateway, "several", "peer") as client:
        candidates = (await client.open_transport())["iceCandidates"]
        assert {one["address"] for one in candidates} == {"198.51.100.1", "198.51.100.2", "127.0.0.3"}


async def test_all_media_threads_may_share_one_port(start_gateway, artifacts):
    gateway = await start_gateway("--media-port-shared", "yes", shards=4)
    ways = f"media: TCP {gateway.media_port}, UDP {gateway.media_port}"
    assert f"{ways}\n" in gateway.log and ways in (await gateway.get("/readyz"))[1]
    fragments = set()
    async with contextlib.AsyncExitStack() as stack:
        for number in range(8):
            client = await stack.enter_async_context(ProtooClient(gateway, "shared", f"peer{number}"))
            info = await client.open_transport()
            assert {one["port"] for one in info["iceCandidates"]} == {gateway.media_port}
            fragments.add(info["iceParameters"]["usernameFragment"][:2])
    assert fragments == {"aa", "ab", "ac", "ad"}, "each thread has transports, and their checks name it"
    # A second server of the same user is not given a share.
    log = await refused(Gateway(artifacts, "--media-port-shared", "yes", "--media-port", str(gateway.media_port)))
    assert f"UDP 127.0.0.1:{gateway.media_port}" in log and "already in use" in log


async def test_a_port_of_tcp_that_is_taken_is_done_without_unless_it_was_chosen(start_gateway, artifacts):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        log = await refused(Gateway(artifacts, "--media-tcp-port", str(port), shards=1))
        assert f"TCP 127.0.0.1:{port} for media is already in use" in log and "--media-tcp-port" in log, log
        gateway = await start_gateway("--media-port", str(port), shards=1)
        assert f"TCP 127.0.0.1:{port} for media is already in use" in gateway.log
        assert (await gateway.get("/readyz"))[1] == f"ok\nmedia: UDP {port}\n"


@pytest.mark.parametrize("descriptors", [8, 12, 16, 24, 40])
async def test_too_few_descriptors_to_start_is_an_error_not_a_crash(artifacts, descriptors):
    gateway = Gateway(artifacts, limits=["prlimit", f"--nofile={descriptors}:{descriptors}", "--"])
    gateway.spawn()
    try:
        try:
            code = await gateway.ended(5)
        except subprocess.TimeoutExpired:
            # It found enough: then it must also serve, or say why not.
            gateway.assert_alive()
        else:
            assert code > 0, f"ended with {code}:\n{gateway.log}"
            assert gateway.log.strip(), "ended without a word"
        assert_no_trap(gateway.log)
    finally:
        await gateway.kill()


async def test_a_full_descriptor_table_refuses_newcomers_and_keeps_the_call(start_gateway):
    gateway = await start_gateway(limits=["prlimit", "--nofile=64:64", "--"])
    async with ProtooClient(gateway, "full", "early") as early:
        await early.join()
        crowd = []
        try:
            for _ in range(150):
                with network.inside(gateway.namespace):
                    reader, writer = await asyncio.wait_for(
                        asyncio.open_connection(gateway.host, gateway.port), 5)
                crowd.append(writer)
            # The one who was there first is still served, whoever else is kept waiting.
            await early.request("getRouterRtpCapabilities")
            await early.open_transport(producing=True)
            gateway.assert_alive()
        finally:
            for writer in crowd:
                writer.close()

        async def served():
            try:
                return (await gateway.get("/healthz"))[0] == 200
            except OSError:
                return False
        await until(served, 15, "newcomers are served once there is room again", every=0.2)
        metrics = await gateway.metrics()
        assert any(value > 0 for name, value in metrics.items() if "accept" in name and "fail" in name
                   or "refused" in name), "no counter says that connections were refused"


async def test_sigterm_tells_clients_and_ends_with_zero(artifacts):
    gateway = await Gateway(artifacts).start()
    async with ProtooClient(gateway, "end", "peer") as client:
        await client.join()
        await gateway.stop()
        await until(lambda: client.close_code, 5, "the connection is closed")
        # 1001: going away. A protoo client then tries again, which is what a restart wants.
        assert client.close_code in (1001, 1012), client.close_code


async def test_help_names_every_option_and_operations_explains_it():
    shown = subprocess.run([BINARY, "--help"], capture_output=True, text=True, timeout=10)
    assert shown.returncode == 0
    options = set(re.findall(r"--[a-z][a-z-]+", shown.stdout)) - {"--help", "--version"}
    assert {"--host", "--port", "--media-port", "--announced-address"} <= options
    explained = (ROOT / "Docs/Operations.md").read_text()
    missing = {option for option in options if f"`{option}" not in explained}
    assert not missing, f"Docs/Operations.md does not explain {sorted(missing)}"


async def test_the_server_says_at_start_where_to_open_it(gateway):
    assert re.search(rf"http://[^\s]*:{gateway.port}", gateway.log), gateway.log


async def test_a_draining_server_tells_everybody_takes_nobody_and_ends_when_they_have_left(artifacts):
    gateway = await Gateway(artifacts, "--drain-seconds", "60").start()
    try:
        client = ProtooClient(gateway, "drain", "peer")
        async with client:
            await client.join()
            assert (await gateway.get("/readyz"))[0] == 200
            gateway.process.send_signal(signal.SIGTERM)
            await until(lambda: client.heard("serverDraining"), 30, "the client is notified")
            assert client.heard("serverDraining") == [{"seconds": 60}]
            # The process lives, but wants no new clients.
            assert (await gateway.get("/readyz"))[0] == 503
            assert (await gateway.get("/healthz"))[0] == 200
            async with ProtooClient(gateway, "drain", "late") as late:
                await until(lambda: late.close_code, 30, "a newcomer is sent away")
                assert late.close_code == 1001 and "another" in late.socket.close_reason
            # Those who are there go on.
            await client.request("changeDisplayName", {"displayName": "still here"})
            gateway.assert_alive()
        # Nobody is left: the rest of the minute is not waited for.
        assert await gateway.ended(30) == 0, gateway.log
        assert_no_trap(gateway.log)
    finally:
        await gateway.kill()


async def test_peers_that_stay_are_closed_when_the_time_is_over(artifacts):
    gateway = await Gateway(artifacts, "--drain-seconds", "1").start()
    try:
        async with ProtooClient(gateway, "drain", "peer") as client:
            await client.join()
            gateway.process.send_signal(signal.SIGINT)
            await until(lambda: client.close_code, 30, "the connection is closed")
            assert client.close_code == 1001 and client.heard("serverDraining")
            assert await gateway.ended(30) == 0, gateway.log
    finally:
        await gateway.kill()


@pytest.mark.parametrize("second,code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
async def test_a_second_signal_ends_it_at_once(artifacts, second, code):
    gateway = await Gateway(artifacts, "--drain-seconds", "3600").start()
    try:
        async with ProtooClient(gateway, "drain", "peer") as client:
            await client.join()
            gateway.process.send_signal(signal.SIGTERM)
            await until(lambda: client.heard("serverDraining"), 30, "it drains")
            gateway.process.send_signal(second)
            assert await gateway.ended(30) == code, gateway.log
            assert_no_trap(gateway.log)
    finally:
        await gateway.kill()


@pytest.mark.parametrize("options,code", [
    (["--port", "70000"], 64), (["--no-such-option"], 64), (["--config", "/does/not/exist"], 2),
    (["--host", "203.0.113.77"], 1)])
async def test_exit_codes_say_what_was_wrong(artifacts, options, code):
    done = subprocess.run([BINARY, *options], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr


async def test_without_proc_nothing_starts_that_ignores_its_options():
    # A user namespace may mount over /proc without privileges.
    hidden = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]
    if subprocess.run([*hidden, "true"], capture_output=True, timeout=60).returncode != 0:
        pytest.skip("no user namespaces here")
    done = subprocess.run([*hidden, BINARY, "--host", "127.0.0.1", "--port", "70000"], capture_output=True, text=True,
                          timeout=60)
    assert (done.returncode, "/proc is not mounted" in done.stderr) == (1, True), done


async def test_a_signal_during_the_start_is_a_stop(artifacts):
    gateway = Gateway(artifacts)
    gateway.spawn()

    def is_caught():
        status = pathlib.Path(f"/proc/{gateway.pid}/status").read_text()
        return int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16) >> (signal.SIGTERM - 1) & 1

    try:
        await until(is_caught, 10, "the signal is caught")
        os.kill(gateway.pid, signal.SIGTERM)
        assert await gateway.ended(15) == 0, gateway.log
    finally:
        await gateway.kill()
    assert_no_trap(gateway.log)
