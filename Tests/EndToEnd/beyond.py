"""A server at one end of a link, browsers of two kinds at the other."""

import contextlib

import network
from chromium import Chromium
from firefox import Firefox


@contextlib.asynccontextmanager
async def browsers_beyond(link, start_gateway, artifacts, *options, **settings):
    """Yields the gateway, the page's origin as browsers see it, Chromium and Firefox."""
    gateway = await start_gateway(*options, namespace=link.server, host=link.server_address, **settings)
    relay = network.Relay(link.client, (gateway.host, gateway.port))
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(relay.close)
        chromium = await stack.enter_async_context(Chromium(artifacts, link.client))
        firefox = await stack.enter_async_context(Firefox(artifacts, link.client))
        yield gateway, f"http://127.0.0.1:{relay.port}", chromium, firefox
