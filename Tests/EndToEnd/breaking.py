"""A TCP relay whose connections a test can break."""

import asyncio
import contextlib


class BreakableRelay:
    """`async with BreakableRelay(port) as relay` carries 127.0.0.1:relay.port to 127.0.0.1:port."""

    def __init__(self, port):
        self.target = port
        self.open = set()
        self.tasks = set()
        # Connections that began with a WebSocket's handshake.
        self.sockets = set()
        self.refuses = False

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for writer in list(self.open):
            writer.transport.abort()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def _carry(self, reader, writer):
        if self.refuses:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        pair = (writer, far_writer)
        self.open.update(pair)
        back = asyncio.create_task(self._pump(far_reader, writer))
        self.tasks.add(back)
        try:
            await self._pump(reader, far_writer, pair)
            await back
        finally:
            self.open.difference_update(pair)
            self.sockets.discard(pair)
            self.tasks.discard(back)

    async def _pump(self, reader, writer, pair=None):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if pair and b"upgrade: websocket" in data.lower():
                    self.sockets.add(pair)
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()

    def cut(self):
        """Breaks every signaling connection, as a network does that forgets it: a reset, and no closing handshake."""
        pairs = list(self.sockets)
        for pair in pairs:
            for writer in pair:
                writer.transport.abort()
        return len(pairs)

    def cut_everything(self):
        """Breaks every connection, polls and page loads too."""
        for writer in list(self.open):
            writer.transport.abort()
