"""Clients that are there although their checks are rare, or come from another port: the server keeps them."""

import asyncio
import json
import pathlib
import subprocess

import network
from gateway import Gateway
from soft_peer import SoftPeer
from waiting import until

PUBLISHER = pathlib.Path(__file__).with_name("gstreamer_publisher.py")


async def test_gstreamer_which_checks_only_at_first_publishes_for_longer_than_any_consent(
        link, start_gateway, artifacts):
    # A namespace of its own: GStreamer sends no media to 127.0.0.1.
    gateway = await start_gateway(namespace=link.server, host=link.server_address)
    with open(artifacts / "publisher.log", "wb") as log, network.inside(link.client):
        publisher = subprocess.Popen(
            ["/usr/bin/python3", str(PUBLISHER), gateway.url + "/whip/gst", "60"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    try:
        received = 'roundhouse_media_packets_received_total'

        async def count(name):
            return sum(value for label, value in (await gateway.metrics()).items() if label.startswith(name))

        async def is_publishing():
            return len(await producers(gateway)) == 2 and await count(received) > 50
        await until(is_publishing, 20, "GStreamer publishes sound and picture")
        checks = await count("roundhouse_media_stun_requests_total")
        await asyncio.sleep(33)
        assert publisher.poll() is None, (artifacts / "publisher.log").read_text()
        # It is the silence of a client that does not check that is tried here.
        assert await count("roundhouse_media_stun_requests_total") < checks + 3
        assert len(await producers(gateway)) == 2
        before = await count(received)

        async def goes_on():
            return await count(received) > before + 50
        await until(goes_on, 10, "packets go on coming")
    finally:
        publisher.terminate()
        await asyncio.to_thread(publisher.wait, 10)


async def producers(gateway):
    status, text = await gateway.get("/rooms/gst")
    peers = json.loads(text)["peers"] if status == 200 else []
    return [one for peer in peers for transport in peer["transports"]
            for one in transport["producers"]]


class PortTranslator(asyncio.DatagramProtocol):
    """A NAT in front of one media port: each client's datagrams leave from a port that `rebind` changes."""

    class Outside(asyncio.DatagramProtocol):
        def __init__(self, inside, client):
            self.inside, self.client = inside, client

        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, _):
            self.inside.sendto(data, self.client)

    def __init__(self, server):
        self.server, self.outside, self.opening = server, {}, set()
        self.rebindings = 0

    def connection_made(self, transport):
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data, client):
        if client in self.outside:
            self.outside[client].sendto(data)
        elif client not in self.opening:
            self.opening.add(client)
            asyncio.ensure_future(self.open(client, data))

    async def open(self, client, data):
        loop = asyncio.get_running_loop()
        outside, _ = await loop.create_datagram_endpoint(
            lambda: self.Outside(self.transport, client), remote_addr=self.server)
        self.opening.discard(client)
        self.outside[client] = outside
        outside.sendto(data)

    def rebind(self):
        """From now on everything comes from new ports, and what goes to the old ones is lost."""
        for outside in self.outside.values():
            outside.close()
        self.outside = {}
        self.rebindings += 1

    def close(self):
        self.rebind()
        self.transport.close()


class TranslatedPeer(SoftPeer):
    """A soft peer whose transports' candidates name the translator."""

    translator = None

    async def _join(self):
        ask = self.client.request

        async def request(method, data=None, **more):
            answer = await ask(method, data, **more)
            for candidate in (answer or {}).get("iceCandidates", []):
                candidate["port"] = self.translator.port
            return answer
        self.client.request = request
        await super()._join()


async def test_a_viewer_whose_nat_changes_its_port_goes_on_receiving(start_gateway):
    gateway: Gateway = await start_gateway(shards=1)
    loop = asyncio.get_running_loop()
    _, translator = await loop.create_datagram_endpoint(
        lambda: PortTranslator(("127.0.0.1", gateway.media_port)), local_addr=("127.0.0.1", 0))
    TranslatedPeer.translator = translator
    try:
        async with SoftPeer(gateway, "nat", "speaker", level=60, hertz=440):
            async with TranslatedPeer(gateway, "nat", "viewer") as viewer:
                await until(lambda: viewer.watching("video") and viewer.watching("video")[0].frames > 25, 30,
                            "the viewer sees the speaker")
                picture, sound = viewer.watching("video")[0], viewer.watching("audio")[0]
                for _ in range(2):
                    translator.rebind()
                    await asyncio.sleep(1)
                    heard = sound.frames
                    # aiortc checks every 4 to 6 s.
                    await until(lambda: sound.frames > heard + 50, 15, "sound goes on over the new port")
                # Its buffer waits for the lost packets of the picture until 128 others have come.
                seen = picture.frames
                await until(lambda: picture.frames > seen + 25, 30, "the picture goes on, too")
                assert translator.rebindings == 2
                assert viewer.client.close_code is None
    finally:
        translator.close()
