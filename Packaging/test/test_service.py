"""The service's unit: what it forbids, the server does not need."""

import re
import subprocess

import ports
from conftest import ROOT, wait_until_ready

UNIT = ROOT / "Packaging/files/roundhouse.service"


def groups():
    """systemd's names for sets of system calls, each with its members."""
    found, name = {}, None
    listing = subprocess.run(["systemd-analyze", "syscall-filter"], check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        if line.startswith("@"):
            name = line.strip()
            found[name] = []
        elif line.strip() and not line.strip().startswith("#") and name:
            found[name].append(line.strip())
    return found


def allowed():
    sets = groups()

    def calls(word):
        return set().union(*map(calls, sets[word])) if word.startswith("@") else {word}

    # What every process may do, whatever its filter says.
    result = calls("@default")
    for line in re.findall(r"(?m)^SystemCallFilter=(.*)$", UNIT.read_text()):
        named = set().union(*map(calls, line.lstrip("~").split()))
        result = result - named if line.startswith("~") else result | named
    return result


def test_every_system_call_of_a_server_is_allowed(packages, work, started):
    subprocess.run(["tar", "xf", packages("roundhouse-*-linux-*.tar.xz"), "-C", work], check=True)
    (program,) = work.glob("roundhouse-*/roundhouse")
    port, options = ports.options()
    log, trace = work / "server.log", work / "trace"
    with open(log, "wb") as output:
        tracer = started(subprocess.Popen(
            ["strace", "-f", "-qq", "-o", trace, program, *options], stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT))
    wait_until_ready(port, tracer, log, seconds=60)
    # It keeps signals to itself until its program has ended.
    (child,) = (ROOT / f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split()
    subprocess.run(["kill", "-TERM", child], check=True)
    assert tracer.wait(60) == 0, log.read_text()
    used = set(re.findall(r"(?m)^\d+ +([a-z_0-9]+)\(", trace.read_text()))
    assert {"epoll_pwait2", "bind"} <= used, used
    assert not used - allowed(), used - allowed()
