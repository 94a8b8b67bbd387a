"""What the benchmark says of the server whatever the machine's speed: that the media threads allocate nothing, and that
garbage makes it fail."""

import asyncio
import os
import subprocess

import pytest

from gateway import BINARY, ROOT

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def benchmark():
    """The benchmark's program, built as `make bench` builds it: here, or before by root for those who may not."""
    place = ROOT / "Benchmarks/.build"
    if os.access(place if place.exists() else place.parent, os.W_OK):
        build = ["swift", "build", "-c", "release", "--package-path", str(ROOT / "Benchmarks")]
        subprocess.run(build, cwd=ROOT, check=True)
    return place / "release/RoomFanout"


async def run(benchmark, *options):
    """Its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        benchmark, "--gateway", BINARY, *options, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    try:
        output = (await asyncio.wait_for(process.communicate(), 240))[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
    print(output)
    return process.returncode, output


async def test_media_threads_allocate_nothing_per_packet(benchmark):
    # An interposed malloc counts in the server: a hundred subscribers, at 30,000 and at 90,000 packets a second.
    code, output = await run(benchmark, "--allocation-gate")
    assert code == 0, output[-1000:]


async def test_a_server_that_forwards_garbage_makes_the_benchmark_fail(benchmark):
    # A relay before the server alters packets: none, one of four, each. Only the first run may count as valid.
    code, output = await run(benchmark, "--self-test")
    assert code == 0, output[-1000:]
    assert output.count("as it must be") == 3
