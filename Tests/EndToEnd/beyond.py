"""A server at one end of a link, browsers of two kinds at the other."""

import contextlib

import network
from bandwidth import AUDIO
from chromium import Chromium
from firefox import Firefox
from layering import inbound
from waiting import longest_standstill, samples


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


async def judge_slow_connection(link, gateway, bob, carol, artifacts):
    """Bob, whose media comes by a connection over the link, keeps his sound where it carries too little for the picture
    and has much memory; Carol, beside the server, notices nothing."""
    link.set(down_rate=500, down_queue=2000, both_delay=25)

    async def look():
        return await bob.page.evaluate(AUDIO), await inbound(bob), await inbound(carol)

    taken = await samples(look, 18, every=0.5)
    (artifacts / "slow.txt").write_text("\n".join(str(one) for one in taken) + "\n")
    # At first it learns what the link carries.
    taken = [one for one in taken if one[0] >= 6]
    seconds = taken[-1][0] - taken[0][0]
    (first, picture, others), (last, later, theirs) = taken[0][1], taken[-1][1]
    packets, lost = (last[field] - first[field] for field in ("received", "lost"))
    assert packets > 25 * seconds and lost <= 0.02 * packets, f"{lost} of {packets} packets of sound are lost"
    concealed, heard = (last[field] - first[field] for field in ("concealed", "samples"))
    assert concealed < 0.1 * heard, f"{concealed} of {heard} samples of sound are made up"
    assert later["framesDecoded"] - picture["framesDecoded"] > 3 * seconds, "Bob's picture does not move"
    assert theirs["framesDecoded"] - others["framesDecoded"] > 5 * seconds, "Carol's picture does not move"
    assert longest_standstill(taken, lambda one: one[2]["framesDecoded"]) <= 2, "Carol's picture stood still"
    metrics = await gateway.metrics()
    lost = {name: value for name, value in metrics.items() if "tcp_queue" in name and "video" not in name and value}
    assert not lost, lost
