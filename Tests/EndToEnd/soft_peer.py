"""A second implementation of a client: pymediasoup over aiortc, with media whose content can be recognized."""

import asyncio
import fractions
import time

import av
import numpy
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from pymediasoup import AiortcHandler, Device
from pymediasoup.rtp_parameters import RtpCapabilities, RtpParameters

from protoo import ProtooClient


class Color(MediaStreamTrack):
    """Pictures of one gray level, 25 a second."""

    kind = "video"

    def __init__(self, level):
        super().__init__()
        self.level, self.count, self.started = level, 0, None
        self.sent = 0

    async def recv(self):
        if self.readyState != "live":
            raise MediaStreamError
        self.started = self.started or time.monotonic()
        await asyncio.sleep(max(0, self.started + self.count / 25 - time.monotonic()))
        frame = av.VideoFrame.from_ndarray(numpy.full((240, 320, 3), self.level, numpy.uint8), format="rgb24")
        frame.pts, frame.time_base = self.count * 3600, fractions.Fraction(1, 90000)
        self.count += 1
        self.sent += 1
        return frame


class Tone(MediaStreamTrack):
    """A sine of a given frequency, 20 ms at a time."""

    kind = "audio"

    def __init__(self, hertz):
        super().__init__()
        self.hertz, self.position, self.started = hertz, 0, None

    async def recv(self):
        if self.readyState != "live":
            raise MediaStreamError
        self.started = self.started or time.monotonic()
        await asyncio.sleep(max(0, self.started + self.position / 48000 - time.monotonic()))
        when = (self.position + numpy.arange(960)) / 48000
        wave = (12000 * numpy.sin(2 * numpy.pi * self.hertz * when)).astype(numpy.int16)
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, self.position, fractions.Fraction(1, 48000)
        self.position += 960
        return frame


class Watcher:
    """Consumes one track and measures what is in it."""

    def __init__(self, track, kind, peer):
        self.track, self.kind, self.peer = track, kind, peer
        self.frames = 0
        self.level = None
        self.hertz = None
        self.task = asyncio.create_task(self._watch())

    async def _watch(self):
        try:
            while True:
                frame = await self.track.recv()
                self.frames += 1
                if self.kind == "video":
                    self.level = float(frame.to_ndarray(format="rgb24").mean())
                else:
                    self._listen(frame)
        except MediaStreamError:
            pass

    def _listen(self, frame):
        samples = frame.to_ndarray().reshape(-1).astype(float)
        samples = samples[::len(frame.layout.channels)]
        if numpy.abs(samples).max() < 500:
            return
        spectrum = numpy.abs(numpy.fft.rfft(samples * numpy.hanning(len(samples)), 8192))
        self.hertz = float(spectrum.argmax() * frame.sample_rate / 8192)


class SoftPeer:
    """Joins a room, produces a gray picture and a tone, and consumes everybody else's."""

    def __init__(self, gateway, room, name, level=None, hertz=None, query=""):
        self.client = ProtooClient(gateway, room, name, accept=self._accept, query=query)
        self.name = name
        self.video = Color(level) if level is not None else None
        self.audio = Tone(hertz) if hertz is not None else None
        self.watchers = {}
        self.send = self.receive = None
        # What the transports sent the server at connect: the DTLS roles under test.
        self.roles = {}
        self.hashes = set()

    async def __aenter__(self):
        await self.client.__aenter__()
        try:
            await self._join()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _join(self):
        tracks = [track for track in (self.audio, self.video) if track]
        self.device = Device(handlerFactory=AiortcHandler.createFactory(tracks=tracks))
        await self.device.load(RtpCapabilities(**await self.client.request("getRouterRtpCapabilities")))
        self.receive = await self._transport(self.device.createRecvTransport, consuming=True)
        capabilities = self.device.rtpCapabilities.model_dump(exclude_none=True)
        await self.client.join(self.name, capabilities)
        self.send = await self._transport(self.device.createSendTransport, producing=True)
        for track in tracks:
            await self.send.produce(track=track, stopTracks=False)

    async def _transport(self, create, **direction):
        info = await self.client.open_transport(**direction)
        transport = create(
            id=info["id"], iceParameters=info["iceParameters"], iceCandidates=info["iceCandidates"],
            dtlsParameters=info["dtlsParameters"], sctpParameters=info.get("sctpParameters"))
        label = next(iter(direction))

        @transport.on("connect")
        async def on_connect(parameters):
            self.roles[label] = parameters.role
            self.hashes |= {one.algorithm for one in parameters.fingerprints}
            await self.client.request("connectWebRtcTransport", {
                "transportId": info["id"], "dtlsParameters": parameters.model_dump(exclude_none=True)})

        @transport.on("produce")
        async def on_produce(kind, parameters, application_data):
            answer = await self.client.request("produce", {
                "transportId": info["id"], "kind": kind, "appData": application_data,
                "rtpParameters": parameters.model_dump(exclude_none=True)})
            return answer["id"]

        return transport

    async def _accept(self, method, data):
        if method != "newConsumer":
            return {}
        consumer = await self.receive.consume(
            id=data["id"], producerId=data["producerId"], kind=data["kind"],
            rtpParameters=RtpParameters(**data["rtpParameters"]))
        self.watchers[data["id"]] = Watcher(consumer.track, data["kind"], data["peerId"])
        return {}

    def video_target(self):
        """What aiortc's encoder aims at, in bits per second; it begins with 500 kb/s and knows no feedback but REMB."""
        encoders = [getattr(one, "_RTCRtpSender__encoder") for one in self.send.handler.pc.getSenders()]
        return next((one.target_bitrate for one in encoders if hasattr(one, "target_bitrate")), None)

    def watching(self, kind, peer=None):
        return [one for one in self.watchers.values() if one.kind == kind and peer in (None, one.peer)]

    async def __aexit__(self, *_):
        for watcher in self.watchers.values():
            watcher.task.cancel()
        await asyncio.gather(*(one.task for one in self.watchers.values()), return_exceptions=True)
        for transport in (self.send, self.receive):
            if transport and not transport.closed:
                await transport.close()
        for track in (self.audio, self.video):
            if track:
                track.stop()
        await self.client.__aexit__()
