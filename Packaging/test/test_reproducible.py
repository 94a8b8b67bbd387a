"""The same commit gives the same packages, whatever the folder, the clock's zone and the user's mask are."""

import os
import pathlib
import subprocess

from conftest import FOLDER, ROOT


def sums(folder):
    """The digests by file, but for the source package's, which only `make source-package` makes."""
    lines = (pathlib.Path(folder) / "SHA256SUMS").read_text().splitlines()
    digests = dict(reversed(line.split()) for line in lines)
    assert len(digests) == len(lines) > 4, lines
    return {name: digest for name, digest in digests.items() if not name.endswith("-source.tar.xz")}


def test_packages_made_twice_are_the_same(work):
    environment = {**os.environ, "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8", "TMPDIR": str(work)}
    done = subprocess.run(
        ["bash", "-c", 'umask 077; exec "$0" "$1"', ROOT / "Packaging/make", work / "other"], env=environment,
        capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sums(FOLDER) == sums(work / "other")


def test_the_checksums_are_those_of_the_files():
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=FOLDER, check=True)
