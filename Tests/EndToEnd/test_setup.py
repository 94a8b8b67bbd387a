""".ci/setup on a machine where another program is installing something: it waits, and says for whom."""

import os
import subprocess

from gateway import ROOT

PROGRAMS = {
    "swift": 'echo "Swift version 6.3"',
    "sudo": 'shift; exec "$@"',
    # Only what apt-get has installed is there.
    "dpkg-query": '[ ! -e "$STATE/installed" ] || echo installed',
    # Locked at first; then it knows no package until the lists have been read, whose lock is taken, too.
    "apt-get": '''
        echo "$*" >>"$STATE/calls"
        locked() { echo "E: Could not get lock $1. It is held by process 4711 (unattended-upgr)" >&2; exit 100; }
        takes() { [ "$(cat "$STATE/$1" 2>/dev/null | wc -l)" -lt 1 ] && echo taken >>"$STATE/$1"; }
        case "$*" in
            *" install "*)
                takes frontend && locked /var/lib/dpkg/lock-frontend
                [ -e "$STATE/updated" ] || { echo "E: Unable to locate package shellcheck" >&2; exit 100; }
                touch "$STATE/installed" ;;
            *" update "*)
                takes lists && locked /var/lib/apt/lists/lock
                touch "$STATE/updated" ;;
        esac''',
}


def run(folder, **programs):
    """`.ci/setup lint` with these programs in the place of the machine's."""
    for name, text in {**PROGRAMS, **programs}.items():
        path = folder / name.replace("_", "-")
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "STATE": str(folder)}
    return subprocess.run(
        [ROOT / ".ci/setup", "lint"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60)


def test_setup_waits_for_the_locks_of_apt_and_says_so(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [" install " in call for call in calls] == [True, True, False, False, True], calls
    waiting = [line for line in done.stderr.splitlines() if "waiting" in line]
    assert len(waiting) == 2 and "lock-frontend" in waiting[0] and "lists/lock" in waiting[1], done.stderr
    assert all("process 4711 (unattended-upgr)" in line for line in waiting), waiting


def test_setup_does_not_wait_for_what_no_waiting_mends(tmp_path):
    done = run(tmp_path, apt_get="echo 'E: No space left on device' >&2; exit 100")
    assert done.returncode == 1
    assert "No space left on device" in done.stderr and "waiting" not in done.stderr, done.stderr


def test_a_toolchain_is_given_the_libraries_that_it_runs_with(tmp_path):
    done = run(tmp_path, swift='''
        [ ! -e "$STATE/installed" ] || { echo "Swift version 6.3"; exit; }
        echo "swift: error while loading shared libraries: libncurses.so.6: cannot open shared object file" >&2
        exit 127''')
    assert done.returncode == 0, done.stderr
    assert "libraries: libncurses.so.6" in done.stderr and "installing libcurl4 libncurses6" in done.stderr, done.stderr


def test_a_toolchain_that_does_not_run_is_quoted(tmp_path):
    done = run(tmp_path, swift="echo 'Illegal instruction' >&2; exit 132")
    assert done.returncode == 1
    assert "Is the toolchain complete? It said: Illegal instruction" in done.stderr, done.stderr
