"""The .deb in fresh Debian roots."""

import os
import re
import subprocess

import pytest

import browsers
import ports
from conftest import copy_in, get, newer, wait_until_ready

CONFIG = "/etc/roundhouse/roundhouse.yaml"


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
async def test_it_is_installed_started_upgraded_removed_and_purged(suite, debian, packages, work, started):
    sandbox = debian(suite)
    package = packages("roundhouse_*.deb")
    assert sandbox.run("apt-get", "update").returncode == 0

    # Installed, without systemd running: nothing starts, and it says how to.
    done = sandbox.run("apt-get", "install", "-y", "--no-install-recommends", copy_in(sandbox, package, "one.deb"))
    assert done.returncode == 0, done.stdout
    assert "systemd does not run here" in done.stdout, done.stdout
    version = sandbox.run("roundhouse", "--version").stdout
    assert version.startswith("Roundhouse "), version
    user = sandbox.run("id", "-u", "roundhouse").stdout.strip()
    assert user.isdigit() and user != "0", user
    # The service's own line, with ports of this test, as an administrator would set them.
    port, _ = ports.options()
    config = sandbox.root / CONFIG[1:]
    text = config.read_text().replace("port: 3016", f"port: {port}").replace("media-port: 44444", "media-port: 0")
    config.write_text(text + "shards: 2\nmedia-listen: [127.0.0.1]\n")
    done = sandbox.run("roundhouse", "check-config", "--config", CONFIG)
    assert done.returncode == 0, done.stdout
    log = work / "server.log"
    server = started(sandbox.start("/usr/bin/roundhouse", "--config", CONFIG, user=user, log=log))
    wait_until_ready(port, server, log)
    assert "<html" in get(port, "/")[1]

    done = sandbox.run("roundhouse", "doctor", "--config", CONFIG, user=user)
    assert done.returncode == 0 and "takes new peers" in done.stdout, done.stdout

    # Browsers outside of the root, whose call outlives what happens to the package.
    async with browsers.call(f"http://localhost:{port}", work) as call:
        # An upgrade leaves it running, says so, and keeps the administrator's file.
        done = sandbox.run("dpkg", "-i", copy_in(sandbox, newer(package, work), "two.deb"))
        assert done.returncode == 0, done.stdout
        assert "keeps its calls" in done.stdout and "systemctl restart roundhouse" in done.stdout, done.stdout
        assert server.poll() is None and get(port, "/healthz")[0] == 200
        assert "shards: 2" in config.read_text()
        await call.goes_on()

        # So does a removal, of a server that systemd did not start; the file stays.
        done = sandbox.run("apt-get", "remove", "-y", "roundhouse")
        assert done.returncode == 0, done.stdout
        assert "was not started by systemd: it goes on" in done.stdout, done.stdout
        assert server.poll() is None and get(port, "/readyz")[0] == 200
        assert config.exists() and not (sandbox.root / "usr/bin/roundhouse").exists()
        await call.goes_on()
    server.terminate()
    assert server.wait(60) == 0

    # A purge takes what the package brought, and names what it leaves.
    (sandbox.root / "etc/roundhouse/keys").write_text("somebody's\n")
    done = sandbox.run("apt-get", "purge", "-y", "roundhouse")
    assert done.returncode == 0, done.stdout
    assert not config.exists() and "they are left:\nkeys" in done.stdout, done.stdout
    assert (sandbox.root / "etc/roundhouse/keys").exists()


def test_a_system_that_is_too_old_is_named_before_anything_is_unpacked(debian, packages):
    sandbox = debian("bullseye")
    done = sandbox.run("dpkg", "-i", copy_in(sandbox, packages("roundhouse_*.deb"), "one.deb"))
    assert done.returncode != 0
    assert re.search(r"depends on libc6 \(>= 2\.34\)", done.stdout) and "2.31" in done.stdout, done.stdout
    assert not (sandbox.root / "usr/bin/roundhouse").exists()


def test_without_root_it_is_refused_and_nothing_changes(debian, packages):
    sandbox = debian("bookworm")
    path = copy_in(sandbox, packages("roundhouse_*.deb"), "one.deb")
    os.chmod(sandbox.root / path[1:], 0o644)
    done = sandbox.run("dpkg", "-i", path, user=65534)
    assert done.returncode == 2 and "superuser privilege" in done.stdout, done.stdout
    assert not (sandbox.root / "usr/bin/roundhouse").exists()


def test_debians_own_judge_finds_no_fault(packages):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", packages("roundhouse_*.deb")],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hardening" not in done.stdout, done.stdout
