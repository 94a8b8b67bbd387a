import os
import pathlib
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from sandbox import Sandbox

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(os.environ.get("ROUNDHOUSE_PACKAGES", ROOT / ".build/packages"))


def package(pattern):
    found = sorted(FOLDER.glob(pattern))
    assert len(found) == 1, f"{pattern} in {FOLDER}: {found}; run 'make package' first"
    return found[0]


@pytest.fixture(scope="session")
def packages():
    return package


@pytest.fixture
def work(tmp_path):
    """A folder that every user may enter."""
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        if folder != pathlib.Path("/tmp"):
            folder.chmod(0o755)
    return tmp_path


@pytest.fixture
def debian(work):
    """Fresh Debian roots, each a sandbox."""
    made = []

    def make(suite, **options):
        root = work / suite
        subprocess.run([ROOT / "Packaging/test/root", suite, root], check=True, timeout=900)
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        made.append(Sandbox(root, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def sandbox():
    made = []

    def make(*arguments, **options):
        made.append(Sandbox(*arguments, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def started():
    """Processes that end with the test."""
    kept = []

    def keep(process):
        kept.append(process)
        return process

    yield keep
    for process in kept:
        if process.poll() is None:
            process.terminate()
            process.wait(40)


def get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def wait_until_ready(port, process, log, seconds=15):
    """When it first answers; the time of it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"ended with {process.returncode}:\n{log.read_text(errors='replace')}"
        try:
            # It answers a moment before it heeds signals, and then says that it is ready.
            if get(port, "/healthz")[0] == 200 and "Roundhouse is ready" in log.read_text(errors="replace"):
                return time.monotonic()
        except OSError:
            pass
        time.sleep(0.002)
    raise AssertionError(f"no answer within {seconds} s:\n{log.read_text(errors='replace')}")


def newer(package, folder):
    """The same package as a later version."""
    tree = folder / "newer"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1.later", control.read_text()))
    # Time stamps do not tell dpkg anything; the file is replaced.
    path = folder / "newer.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, path], check=True,
                   stdout=subprocess.DEVNULL)
    return path


def copy_in(sandbox, path, name):
    (sandbox.root / name).write_bytes(path.read_bytes())
    return "/" + name
