"""What packages are made of, tried with the build that is there (Packaging/test has the packages themselves)."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading

import pytest
import yaml

from gateway import BINARY, ROOT
from soft_peer import SoftPeer
from waiting import until

PACKAGING = ROOT / "Packaging"
WITHOUT_CALLS = pathlib.Path(__file__).with_name("without_calls.py")
# The same on every architecture.
EPOLL_PWAIT2 = "441"


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, **options)


def stage(folder, binary=BINARY):
    done = run(PACKAGING / "stage", folder, env={**os.environ, "ROUNDHOUSE_BINARY": str(binary)})
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return stage(tmp_path_factory.mktemp("staged") / "roundhouse")


def test_the_server_needs_nothing_newer_than_the_oldest_system_has():
    done = run(PACKAGING / "symbols", BINARY, "--shared-swift")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The binary of a package: what was compiled for this build, linked and laid out as packages are."""
    folder = tmp_path_factory.mktemp("linked")
    done = run(PACKAGING / "build", "--relink", BINARY.parent, folder / "gateway")
    assert done.returncode == 0, done.stdout + done.stderr
    return stage(folder / "roundhouse", folder / "gateway") / "usr/bin/roundhouse"


def test_the_binary_of_a_package_needs_only_what_packages_name(installed):
    done = run(PACKAGING / "symbols", installed)
    assert done.returncode == 0, done.stderr


async def test_the_binary_of_a_package_serves_a_call_with_no_variable_set(installed, start_gateway):
    gateway = await start_gateway(limits=["env", "-i"], binary=installed)
    async with SoftPeer(gateway, "call", "dark", level=60) as dark, SoftPeer(gateway, "call", "bright", level=190):
        await until(
            lambda: any(one.frames >= 25 for one in dark.watching("video")), 40, "a second of pictures arrives")


def test_a_newer_symbol_is_found(tmp_path):
    source, program = tmp_path / "new.c", tmp_path / "new"
    source.write_text(
        "#define _GNU_SOURCE\n#include <sys/epoll.h>\nint main(void) { return epoll_pwait2(0, 0, 0, 0, 0); }\n")
    assert run("gcc", source, "-o", program).returncode == 0
    done = run(PACKAGING / "symbols", program)
    assert done.returncode == 1 and "epoll_pwait2 wants GLIBC_2.35" in done.stderr, done.stderr


async def test_media_flows_where_the_kernel_cannot_wait_in_nanoseconds(start_gateway):
    gateway = await start_gateway(limits=[sys.executable, str(WITHOUT_CALLS), EPOLL_PWAIT2])
    async with SoftPeer(gateway, "old", "dark", level=60) as dark, SoftPeer(gateway, "old", "bright", level=190):
        await until(
            lambda: any(one.frames >= 25 for one in dark.watching("video")), 40, "a second of pictures arrives")


def test_two_trees_from_the_same_build_are_the_same(tree, tmp_path):
    def listing(folder):
        done = run("find", ".", "-printf", "%p %y %m %s %TY-%Tm-%TdT%TT %l\n", cwd=folder)
        sums = run("sh", "-c", "find . -type f -exec sha256sum {} +", cwd=folder)
        return sorted(done.stdout.splitlines()), sorted(sums.stdout.splitlines())
    assert listing(tree) == listing(stage(tmp_path / "roundhouse"))


def test_the_default_configuration_is_what_the_server_would_do_anyway(tree):
    """Every line that is commented out is an example that would be accepted, too."""
    text = (tree / "etc/roundhouse/roundhouse.yaml").read_text()
    examples = re.sub(r"(?m)^#([a-z][a-z-]*:)", r"\1", text)
    whole = {**yaml.safe_load(examples)}
    for name in ("tls-certificate", "tls-private-key", "auth-key-file"):
        assert name in whole
        examples = re.sub(rf"(?m)^{name}: .*$", "", examples)
    path = tree.parent / "examples.yaml"
    path.write_text(examples)
    done = run(tree / "usr/bin/roundhouse", "check-config", "--config", path)
    assert done.returncode == 0, done.stderr


def test_a_key_that_is_no_setting_is_refused_by_name(tree):
    path = tree.parent / "newer.yaml"
    path.write_text((tree / "etc/roundhouse/roundhouse.yaml").read_text() + "drain-second: 3\n")
    done = run(tree / "usr/bin/roundhouse", "--config", path)
    assert done.returncode == 2
    assert "there is no setting drain-second: did you mean drain-seconds?" in done.stderr, done.stderr


def test_the_installed_program_calls_itself_by_its_name(tree):
    done = run(tree / "usr/bin/roundhouse", "--help")
    assert "USAGE: roundhouse" in done.stdout, done.stdout
    for path, words in (
            ("bash-completion/completions/roundhouse", "complete -o filenames -F _roundhouse roundhouse"),
            ("zsh/vendor-completions/_roundhouse", "#compdef roundhouse"),
            ("fish/vendor_completions.d/roundhouse.fish", "-c 'roundhouse'")):
        text = (tree / "usr/share" / path).read_text()
        assert words in text and "gateway" not in text.replace("RoundhouseGateway", ""), path
    assert run("bash", "-n", tree / "usr/share/bash-completion/completions/roundhouse").returncode == 0


def test_the_manual_has_every_option_and_command(tree):
    page = run("zcat", tree / "usr/share/man/man1/roundhouse.1.gz").stdout.replace("\\-", "-")
    described = json.loads(run(BINARY, "--experimental-dump-help").stdout)["command"]
    for argument in described["arguments"]:
        for name in argument.get("names", []):
            assert f"\\fB--{name['name']}\\fR" in page or f"\\fB-{name['name']}\\fR" in page, name
    for command in described["subcommands"]:
        if command["commandName"] != "help":
            assert f".SS {command['commandName']}\n" in page


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_service_is_confined(tree):
    unit = tree / "usr/lib/systemd/system/roundhouse.service"
    done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
    assert done.returncode == 0, done.stdout[-400:] + done.stderr
    # Of the words about it only those count that are not about programs which are not installed here.
    done = run("systemd-analyze", "verify", "--man=no", unit)
    words = [line for line in done.stderr.splitlines() if "is not executable" not in line and str(unit) in line]
    assert not words, words


async def test_health_is_what_the_server_says(start_gateway):
    plain, encrypted = await start_gateway(), await start_gateway("--tls", "self-signed")
    for gateway, options in ((plain, ()), (encrypted, ("--tls", "self-signed"))):
        for path in ((), ("--ready",)):
            done = run(BINARY, "health", "--port", gateway.port, "--host", gateway.host, *options, *path)
            assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr


def test_health_fails_where_nobody_listens(tmp_path):
    done = run(BINARY, "health", "--host", "127.0.0.1", "--port", "1")
    assert done.returncode == 1 and "no server at 127.0.0.1, port 1: Connection refused" in done.stderr, done.stderr


@pytest.mark.parametrize("answer, words", [
    (b"SSH-2.0-OpenSSH_9.2\r\n", "did not answer in HTTP"), (b"HTTP/1.1 many\r\n\r\n", "did not answer in HTTP"),
    (b"\x15\x03\x01\x00\x02\x02\x16", "did not answer in HTTP"), (b"", "gave no answer"),
], ids=["another protocol", "no number", "a TLS alert", "nothing"])
def test_health_names_what_is_no_server(answer, words):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            with listener.accept()[0] as connection:
                connection.recv(1024)
                connection.sendall(answer)
        server = threading.Thread(target=serve)
        server.start()
        done = run(BINARY, "health", "--host", "127.0.0.1", "--port", listener.getsockname()[1])
        server.join()
    assert done.returncode == 1
    assert words in done.stderr
