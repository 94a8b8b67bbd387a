"""A client of the older Electron room server's dialect: python-socketio for signaling, pymediasoup for media."""

import asyncio
import json
import urllib.parse
import urllib.request

import socketio
from pymediasoup import AiortcHandler, Device
from pymediasoup.rtp_parameters import RtpCapabilities, RtpParameters

from soft_peer import Color, Tone, Watcher


def post(gateway, path, fields, as_json=False):
    """The reply to a POST of a form or of JSON."""
    body = json.dumps(fields) if as_json else urllib.parse.urlencode(fields)
    kind = "application/json" if as_json else "application/x-www-form-urlencoded"
    request = urllib.request.Request(f"{gateway.url}/{path}", body.encode(), {"Content-Type": kind, "token": "ignored"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


class RoomServerClient:
    """One Socket.IO connection; every event is kept in order."""

    def __init__(self, gateway, transports, auth=None):
        self.gateway, self.transports, self.auth = gateway, transports, auth
        self.events = []
        self.disconnects = []

    async def _heard(self, name, *data):
        self.events.append((name, *data))
        await self.hears(name, *data)

    async def hears(self, name, *data):
        """For those who act on events."""

    async def _disconnected(self, *reason):
        self.disconnects.append(reason)

    async def connect(self):
        self.socket = socketio.AsyncClient(reconnection=False)
        self.socket.on("*", self._heard)
        self.socket.on("disconnect", self._disconnected)
        await self.socket.connect(self.gateway.url, auth=self.auth, transports=self.transports, wait_timeout=10)

    async def __aenter__(self):
        await self.connect()
        return self

    async def __aexit__(self, *_):
        await self.socket.disconnect()

    @property
    def id(self):
        return self.socket.get_sid()

    async def ask(self, event, data=None):
        """The acknowledgement, whatever it says."""
        return await self.socket.call(event, {} if data is None else data, timeout=10)

    async def request(self, event, data=None):
        """The acknowledgement; as the Electron client does, an error is raised."""
        answer = await self.ask(event, data)
        if isinstance(answer, dict) and answer.get("error"):
            raise RuntimeError(f"{event}: {answer['error']}")
        return answer

    def heard(self, name):
        return [data[0] if data else None for event, *data in self.events if event == name]


class RoomServerPeer(RoomServerClient):
    """Creates or finds its room, sends a gray picture and a tone, and consumes whatever it is offered."""

    def __init__(self, gateway, room, name, transports, level=None, hertz=None, password="", auth=None):
        super().__init__(gateway, transports, auth)
        self.room, self.name, self.password = room, name, password
        self.video = Color(level) if level is not None else None
        self.audio = Tone(hertz) if hertz is not None else None
        self.watchers, self.consumers, self.producers = {}, {}, {}
        self.send = self.receive = self.joined = None
        self.background = set()

    async def __aenter__(self):
        await super().__aenter__()
        try:
            created = await self.request("createRoom", {"room_id": self.room, "password": self.password})
            assert created in (self.room, "already exists"), created
            self.joined = await self.request(
                "join", {"room_id": self.room, "name": self.name, "password": self.password})
            await self._start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _start(self):
        tracks = [track for track in (self.audio, self.video) if track]
        self.device = Device(handlerFactory=AiortcHandler.createFactory(tracks=tracks))
        await self.device.load(RtpCapabilities(**await self.request("getRouterRtpCapabilities")))
        self.send = await self._transport(self.device.createSendTransport)
        self.receive = await self._transport(self.device.createRecvTransport)
        for track in tracks:
            self.producers[track.kind] = await self.send.produce(track=track, stopTracks=False)
        await self.socket.emit("getProducers")

    async def _transport(self, create):
        capabilities = self.device.rtpCapabilities.model_dump(exclude_none=True)
        info = await self.request("createWebRtcTransport", {"forceTcp": False, "rtpCapabilities": capabilities})
        assert all("ip" in one for one in info["iceCandidates"]), info["iceCandidates"]
        transport = create(
            id=info["id"], iceParameters=info["iceParameters"], iceCandidates=info["iceCandidates"],
            dtlsParameters=info["dtlsParameters"], sctpParameters=None)

        @transport.on("connect")
        async def on_connect(parameters):
            assert await self.request("connectTransport", {
                "transport_id": info["id"], "dtlsParameters": parameters.model_dump(exclude_none=True)}) == "success"

        @transport.on("produce")
        async def on_produce(kind, parameters, application_data):
            answer = await self.request("produce", {
                "producerTransportId": info["id"], "kind": kind,
                "rtpParameters": parameters.model_dump(exclude_none=True)})
            assert list(answer) == ["producer_id"]
            return answer["producer_id"]

        return transport

    async def hears(self, name, *data):
        if name != "newProducers":
            return
        for one in data[0]:
            if one["producer_socket_id"] == self.id or one["producer_id"] in self.consumers:
                continue
            self.consumers[one["producer_id"]] = None
            task = asyncio.create_task(self._consume(one))
            self.background.add(task)
            task.add_done_callback(self.background.discard)

    async def _consume(self, one):
        while self.receive is None:
            await asyncio.sleep(0.01)
        capabilities = self.device.rtpCapabilities.model_dump(exclude_none=True)
        answer = await self.request("consume", {
            "consumerTransportId": self.receive.id, "producerId": one["producer_id"],
            "rtpCapabilities": capabilities})
        assert set(answer) == {"producerId", "id", "kind", "rtpParameters", "type", "producerPaused"}
        consumer = await self.receive.consume(
            id=answer["id"], producerId=answer["producerId"], kind=answer["kind"],
            rtpParameters=RtpParameters(**answer["rtpParameters"]))
        self.consumers[one["producer_id"]] = answer["id"]
        self.watchers[answer["id"]] = Watcher(consumer.track, answer["kind"], one["producer_socket_id"])

    def watching(self, kind, peer=None):
        return [one for one in self.watchers.values() if one.kind == kind and peer in (None, one.peer)]

    async def __aexit__(self, *_):
        for task in [*self.background, *(one.task for one in self.watchers.values())]:
            task.cancel()
        await asyncio.gather(
            *self.background, *(one.task for one in self.watchers.values()), return_exceptions=True)
        for transport in (self.send, self.receive):
            if transport and not transport.closed:
                await transport.close()
        for track in (self.audio, self.video):
            if track:
                track.stop()
        await super().__aexit__()
