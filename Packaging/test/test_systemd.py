"""The .deb in fresh Debian roots that systemd has started: the service with all that its unit forbids."""

import asyncio
import re

import pytest

import browsers
from conftest import copy_in, newer
# Found by browsers.
from network import Ethernet
from sandbox import Booted
from waiting import until

CONFIG = "/etc/roundhouse/roundhouse.yaml"


@pytest.fixture
def booted(debian, packages, work):
    """A root with systemd, and with the package and all that it needs at hand: inside there is no way out."""
    made = []

    def boot(suite, namespace):
        sandbox = debian(suite)
        copy_in(sandbox, packages("roundhouse_*.deb"), "one.deb")
        copy_in(sandbox, newer(packages("roundhouse_*.deb"), work), "two.deb")
        for words in (["update"], ["install", "-y", "--no-install-recommends", "systemd", "systemd-sysv", "dbus"],
                      ["install", "-y", "--no-install-recommends", "--download-only", "/one.deb"]):
            done = sandbox.run("apt-get", *words)
            assert done.returncode == 0, done.stdout
        sandbox.close()
        made.append(Booted(sandbox.root, namespace))
        made[-1].systemctl("is-system-running", "--wait")
        return made[-1]

    yield boot
    for one in made:
        one.close()


async def is_well(box):
    async def answers():
        return box.run("roundhouse", "health", "--config", CONFIG).returncode == 0
    await until(answers, 30, "the service is well")


def journal(box):
    return box.run("journalctl", "--no-pager", "--output=cat", "--unit=roundhouse").stdout


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
async def test_the_service_lives_under_systemd(suite, booted, work):
    with Ethernet(work) as cable:
        box = booted(suite, cable.server)
        done = box.run("apt-get", "install", "-y", "--no-install-recommends", "/one.deb")
        assert done.returncode == 0 and "at http://localhost:3016" in done.stdout, done.stdout
        await is_well(box)
        status = box.run("cat", f"/proc/{box.property('MainPID')}/status").stdout
        assert re.search(r"NoNewPrivs:\s+1\n", status) and re.search(r"Seccomp:\s+2\n", status), status
        # A port below 1,024 may be bound, and nothing else is allowed that root may.
        assert re.search(r"CapEff:\s+0000000000000400\n", status), status
        assert not re.search(r"\sUid:\s+0", status), status

        config = box.root / CONFIG[1:]
        text = config.read_text().replace("drain-seconds: 30", "drain-seconds: 4")
        text += f"media-listen: [{cable.server_address}]\n"
        config.write_text(text)
        assert box.systemctl("restart", "roundhouse").returncode == 0
        await is_well(box)

        # A setting of a later version: not taken while it runs, and named; not started with, nor tried again.
        process = box.property("MainPID")
        config.write_text(text + "setting-of-a-later-version: 3\n")
        assert box.systemctl("reload", "roundhouse").returncode != 0
        assert box.property("MainPID") == process and box.property("ActiveState") == "active"
        assert "there is no setting setting-of-a-later-version" in journal(box)
        box.systemctl("restart", "roundhouse")

        async def has_failed():
            return box.property("ActiveState") == "failed"
        await until(has_failed, 30, "the start has failed")
        assert (box.property("ExecMainStatus"), box.property("NRestarts")) == ("2", "0")
        config.write_text(text)
        assert box.systemctl("start", "roundhouse").returncode == 0
        await is_well(box)
        process = box.property("MainPID")

        async with browsers.call("http://localhost:3016", work, cable.server) as call:
            done = box.run("dpkg", "-i", "/two.deb")
            assert done.returncode == 0 and f"(process {process}) stays version" in done.stdout, done.stdout
            assert box.property("MainPID") == process
            await call.goes_on()

            config.write_text(text + "log-level: debug\n")
            done = box.systemctl("reload", "roundhouse")
            assert done.returncode == 0, done.stdout + journal(box)
            await call.goes_on()
            assert "configuration reloaded" in journal(box)
            assert "Failed to set" not in journal(box)

            # People read that it goes; it waits for them as long as it was configured to.
            removal = asyncio.create_task(asyncio.to_thread(box.run, "apt-get", "remove", "-y", "roundhouse"))
            await call.is_said("The server is going to")
            done = await removal
            assert done.returncode == 0 and "have drain-seconds to leave" in done.stdout, done.stdout
        assert box.property("ActiveState") == "inactive" and config.exists()
        done = box.run("apt-get", "purge", "-y", "roundhouse")
        assert done.returncode == 0 and not config.exists(), done.stdout
        assert "roundhouse" not in box.systemctl("--failed", "--plain", "--quiet").stdout
