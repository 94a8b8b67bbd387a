"""How short of processors this machine was: beside a verdict about time it says whose fault it may be."""

import os
import pathlib
import re
import time

PRESSURE = pathlib.Path("/proc/pressure/cpu")


def waited():
    """Seconds since boot in which some runnable task waited for a processor, or None where the kernel does not say."""
    try:
        found = re.search(r"^some .*total=(\d+)", PRESSURE.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found.group(1)) / 1e6 if found else None


class Machine:
    """Watches the machine from its making on."""

    def __init__(self):
        self.since, self.waited = time.monotonic(), waited()

    def __str__(self):
        seconds = time.monotonic() - self.since
        load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
        if self.waited is None or (now := waited()) is None:
            return f"the machine over these {seconds:.0f} s: {load}; no /proc/pressure/cpu"
        share = (now - self.waited) / max(seconds, 1e-3)
        return f"the machine over these {seconds:.0f} s: tasks waited for a processor {share:.0%} of the time; {load}"
