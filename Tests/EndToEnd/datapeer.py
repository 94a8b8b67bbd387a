"""Peers that send and receive data: a browser page without the call's own scripts, and pymediasoup over aiortc."""

import asyncio
import json
import pathlib

from pymediasoup import AiortcHandler, Device
from pymediasoup.rtp_parameters import RtpCapabilities
from pymediasoup.sctp_parameters import SctpStreamParameters

from protoo import ProtooClient
from waiting import until

# One expression, as both browsers' drivers take it.
SOURCE = (pathlib.Path(__file__).parent / "datapeer.js").read_text()
SCRIPT = f"void (window.{SOURCE.partition('window.')[2].rstrip().rstrip(';')})"
CAPABILITIES = {"numStreams": {"OS": 1024, "MIS": 1024}}


def content(size, salt):
    """Bytes that tell a message from others, and from one that lacks or repeats a part."""
    return bytes((index * 31 + (index >> 8) + salt) & 0x7F for index in range(size))


def checksum(data):
    """FNV-1a, 32 bits, of a message's bytes."""
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


class BrowserPeer:
    """A page of a browser in a room."""

    def __init__(self, page, origin, room, name):
        self.page, self.origin, self.room, self.name = page, origin, room, name

    async def enter(self, **join):
        # Any document of the server's without scripts.
        await self.page.goto(f"{self.origin}/healthz")
        await self.page.evaluate(SCRIPT)
        address = self.origin.replace("http", "ws", 1)
        await self.page.evaluate(
            f"dataPeer.enter({json.dumps(address)}, {json.dumps(self.room)}, {json.dumps(self.name)},"
            f" {json.dumps(join)})")
        return self

    async def produce(self, label, **options):
        return await self.page.evaluate(f"dataPeer.produce({json.dumps(label)}, {json.dumps(options)})")

    async def close(self, label):
        await self.page.evaluate(f"dataPeer.close({json.dumps(label)})")

    async def send(self, label, kind, size, salt):
        await self.page.evaluate(f"dataPeer.send({json.dumps(label)}, {json.dumps(kind)}, {size}, {salt})")

    async def received(self, label=None):
        """(label, kind, size, checksum) of each message, in order."""
        messages = json.loads(await self.page.evaluate("JSON.stringify(dataPeer.received)"))
        return [tuple(one) for one in messages if label in (None, one[0])]

    async def ask(self, method, data):
        return json.loads(await self.page.evaluate(
            f"dataPeer.ask({json.dumps(method)}, {json.dumps(data)}).then(JSON.stringify)"))


class SoftDataPeer:
    """pymediasoup's `produceData` and `consumeData`, as mediasoup-demo's clients use theirs."""

    def __init__(self, gateway, room, name):
        self.client = ProtooClient(gateway, room, name, accept=self._accept)
        self.name = name
        self.channels, self.messages, self.offers, self.consumers = {}, [], [], {}
        self.send_transport = self.receive_transport = None
        self.consuming = asyncio.Lock()

    async def __aenter__(self):
        await self.client.__aenter__()
        self.device = Device(handlerFactory=AiortcHandler.createFactory(tracks=[]))
        capabilities = await self.client.request("getRouterRtpCapabilities")
        await self.device.load(RtpCapabilities(**capabilities))
        self.receive_transport = await self._transport(self.device.createRecvTransport, consuming=True)
        self.send_transport = await self._transport(self.device.createSendTransport, producing=True)
        await self.client.request("join", {
            "displayName": self.name, "device": {"name": "test"}, "rtpCapabilities": capabilities,
            "sctpCapabilities": CAPABILITIES})
        return self

    async def __aexit__(self, *_):
        for transport in (self.send_transport, self.receive_transport):
            if transport and not transport.closed:
                await transport.close()
        await self.client.__aexit__()

    async def _transport(self, create, **direction):
        info = await self.client.open_transport(sctpCapabilities=CAPABILITIES, **direction)
        transport = create(
            id=info["id"], iceParameters=info["iceParameters"], iceCandidates=info["iceCandidates"],
            dtlsParameters=info["dtlsParameters"], sctpParameters=info["sctpParameters"])

        @transport.on("connect")
        async def on_connect(parameters):
            await self.client.request("connectWebRtcTransport", {
                "transportId": info["id"], "dtlsParameters": parameters.model_dump(exclude_none=True)})

        @transport.on("producedata")
        async def on_produce(sctpStreamParameters, label, protocol, appData):
            parameters = sctpStreamParameters.model_dump(exclude_none=True, exclude={"label", "protocol"})
            answer = await self.client.request("produceData", {
                "transportId": info["id"], "label": label, "protocol": protocol, "appData": appData,
                "sctpStreamParameters": parameters})
            return answer["id"]

        return transport

    async def _accept(self, method, data):
        if method != "newDataConsumer":
            return {}
        self.offers.append(data)
        # pymediasoup negotiates once, for the first, and does not expect two at a time.
        async with self.consuming:
            consumer = await self.receive_transport.consumeData(
                id=data["id"], dataProducerId=data["dataProducerId"], label=data["label"], protocol=data["protocol"],
                sctpStreamParameters=SctpStreamParameters(**data["sctpStreamParameters"]))
        self.consumers[data["id"]] = consumer

        @consumer.on("message")
        def on_message(message):
            kind = "string" if isinstance(message, str) else "binary"
            self.messages.append((data["label"], kind, message.encode() if isinstance(message, str) else message))
        return {}

    async def produce(self, label, **options):
        producer = await self.send_transport.produceData(label=label, **options)
        self.channels[label] = producer
        await until(lambda: producer.readyState == "open", 20, f"{self.name}'s channel {label} is open")
        return producer.id

    async def send(self, label, kind, size, salt):
        data = content(size, salt)
        self.channels[label].send(data.decode() if kind == "string" else data)
        await asyncio.sleep(0)

    async def received(self, label=None):
        return [(one[0], one[1], len(one[2]), checksum(one[2])) for one in self.messages if label in (None, one[0])]
