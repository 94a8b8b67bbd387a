"""A protoo client over WebSocket: requests, answers to the server's requests, notifications."""

import asyncio
import itertools
import json

import websockets


class Refused(Exception):
    """The server answered a request with ok:false."""

    def __init__(self, method, code, reason):
        super().__init__(f"{method}: {code} {reason}")
        self.method, self.code, self.reason = method, code, reason


class ProtooClient:
    """One connection of one peer. `async with ProtooClient(...)` opens and closes it."""

    def __init__(self, gateway, room, peer, accept=None, query=""):
        self.gateway, self.room, self.peer, self.query = gateway, room, peer, query
        # Answers a request of the server: (method, data) -> data. Nothing given: everything is accepted with {}.
        self.accept = accept
        self.numbers = itertools.count(1)
        self.waiting = {}
        self.notifications = []
        self.requests = []
        self.close_code = None
        self.background = set()

    async def __aenter__(self):
        address = f"ws://{self.gateway.host}:{self.gateway.port}/?roomId={self.room}&peerId={self.peer}{self.query}"
        self.socket = await websockets.connect(
            address, subprotocols=["protoo"], max_size=1 << 24, ping_interval=None, proxy=None)
        assert self.socket.subprotocol == "protoo"
        self.reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_):
        await self.socket.close()
        self.reader.cancel()
        for task in list(self.background):
            task.cancel()
        await asyncio.gather(self.reader, *self.background, return_exceptions=True)

    async def _read(self):
        try:
            async for text in self.socket:
                self._received(json.loads(text))
        except websockets.ConnectionClosed:
            pass
        finally:
            self.close_code = self.socket.close_code
            for future in self.waiting.values():
                if not future.done():
                    future.set_exception(ConnectionError(f"closed with {self.close_code}"))

    def _received(self, message):
        if message.get("response"):
            future = self.waiting.pop(message["id"], None)
            if future and not future.done():
                future.set_result(message)
        elif message.get("request"):
            self.requests.append(message)
            task = asyncio.create_task(self._answer(message))
            self.background.add(task)
            task.add_done_callback(self.background.discard)
        else:
            self.notifications.append(message)

    async def _answer(self, message):
        data = {}
        if self.accept:
            data = await self.accept(message["method"], message.get("data", {})) or {}
        await self.socket.send(json.dumps({"response": True, "id": message["id"], "ok": True, "data": data}))

    async def send(self, text):
        """Sends a frame as it is: text or bytes."""
        await self.socket.send(text)

    async def ask(self, method, data=None, timeout=10, **more):
        """Sends a request and returns the whole response, whatever it says."""
        number = next(self.numbers)
        future = self.waiting[number] = asyncio.get_running_loop().create_future()
        message = {"request": True, "id": number, "method": method, **more}
        if data is not None:
            message["data"] = data
        await self.socket.send(json.dumps(message))
        try:
            return await asyncio.wait_for(future, timeout)
        except asyncio.TimeoutError:
            raise AssertionError(f"no reply to {method} within {timeout} s") from None

    async def request(self, method, data=None, timeout=10):
        """Sends a request and returns its data; raises Refused."""
        response = await self.ask(method, {} if data is None else data, timeout)
        if not response.get("ok"):
            raise Refused(method, response.get("errorCode"), response.get("errorReason"))
        return response.get("data", {})

    def heard(self, method):
        """Data of every notification of this method so far."""
        return [one.get("data", {}) for one in self.notifications if one["method"] == method]

    async def open_transport(self, **direction):
        data = {"forceTcp": False, "producing": False, "consuming": False, **direction}
        return await self.request("createWebRtcTransport", data)

    async def join(self, name=None, capabilities=None):
        if capabilities is None:
            capabilities = await self.request("getRouterRtpCapabilities")
        return await self.request("join", {
            "displayName": name or self.peer, "rtpCapabilities": capabilities,
            "device": {"flag": "test", "name": "test", "version": "1"}})


def audio_parameters(capabilities, ssrc):
    """RTP parameters of an Opus sender, made from the router's capabilities."""
    codec = next(c for c in capabilities["codecs"] if c["mimeType"].lower() == "audio/opus")
    return {
        "mid": "0",
        "codecs": [{
            "mimeType": "audio/opus", "payloadType": codec["preferredPayloadType"], "clockRate": 48000, "channels": 2,
            "parameters": {"useinbandfec": 1}, "rtcpFeedback": []}],
        "headerExtensions": [],
        "encodings": [{"ssrc": ssrc}],
        "rtcp": {"cname": f"test-{ssrc}", "reducedSize": True},
    }


def video_parameters(capabilities, ssrc):
    """RTP parameters of a VP8 sender with RTX."""
    codec = next(c for c in capabilities["codecs"] if c["mimeType"].lower() == "video/vp8")
    number = codec["preferredPayloadType"]
    rtx = next(
        c for c in capabilities["codecs"]
        if c["mimeType"].lower() == "video/rtx" and c["parameters"]["apt"] == number)
    return {
        "mid": "1",
        "codecs": [
            {"mimeType": "video/VP8", "payloadType": number, "clockRate": 90000, "parameters": {},
             "rtcpFeedback": [{"type": "nack"}, {"type": "nack", "parameter": "pli"}]},
            {"mimeType": "video/rtx", "payloadType": rtx["preferredPayloadType"], "clockRate": 90000,
             "parameters": {"apt": number}, "rtcpFeedback": []},
        ],
        "headerExtensions": [],
        "encodings": [{"ssrc": ssrc, "rtx": {"ssrc": ssrc + 1}}],
        "rtcp": {"cname": f"test-{ssrc}", "reducedSize": True},
    }


# A client's certificate fingerprint that belongs to nobody: signaling accepts it, no handshake will.
NOBODYS_FINGERPRINT = {"algorithm": "sha-256", "value": ":".join(["AB"] * 32)}
