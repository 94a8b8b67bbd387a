"""ffmpeg 8.1 as PyAV brings it, with GnuTLS, as a WHIP publisher: `python3 av_publisher.py URL`, until it is ended.

Its DTLS certificate is on the curve P-224.
"""

import fractions
import sys
import time

import av
import numpy

RATE, SOUND = 15, 48000


def main(url):
    output = av.open(url, "w", format="whip")
    video = output.add_stream("libx264", rate=RATE, options={
        "profile": "baseline", "preset": "ultrafast", "bf": "0", "g": str(RATE)})
    video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
    audio = output.add_stream("libopus", rate=SOUND, layout="stereo")
    noise = numpy.random.default_rng(1)
    started, picture, sample = time.monotonic(), 0, 0
    while True:
        frame = av.VideoFrame.from_ndarray(numpy.full((180, 320, 3), picture * 5 % 255, numpy.uint8), format="rgb24")
        frame.pts, frame.time_base = picture, fractions.Fraction(1, RATE)
        output.mux(video.encode(frame))
        picture += 1
        while sample * RATE < picture * SOUND:
            block = noise.integers(-9000, 9000, (1, 1920), numpy.int16)
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = SOUND, sample, fractions.Fraction(1, SOUND)
            output.mux(audio.encode(frame))
            sample += 960
        time.sleep(max(0, started + picture / RATE - time.monotonic()))


if __name__ == "__main__":
    main(sys.argv[1])
