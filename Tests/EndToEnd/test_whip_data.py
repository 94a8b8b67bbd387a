"""Data channels over WHIP and WHEP: opened in band by Chromium and aiortc, and opened towards them by the server."""

import asyncio
import json

from aiortc import RTCPeerConnection, RTCSessionDescription

from call import Person
from datapeer import SoftDataPeer, checksum, content
from soft_peer import Tone
from test_whip import exchange
from waiting import until


class ChannelPeer:
    """aiortc over WHIP with sound and channels, or over WHEP with what it is opened."""

    def __init__(self, gateway, path, publishes):
        self.origin, self.path, self.publishes = gateway.url, path, publishes
        self.connection = RTCPeerConnection()
        self.tone = Tone(500) if publishes else None
        self.messages, self.labels, self.closed = [], [], []

    async def __aenter__(self):
        if self.publishes:
            self.connection.addTransceiver(self.tone, direction="sendonly")
            self.channel = self.open("chat", protocol="text/plain")
        else:
            self.connection.addTransceiver("audio", direction="recvonly")
            # Without a channel there is no section; one that both know from elsewhere sends nothing.
            self.connection.createDataChannel("section", negotiated=True, id=1000)
            self.connection.on("datachannel", self._opened)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        self.answer = await asyncio.to_thread(
            exchange, "POST", self.origin + self.path, self.connection.localDescription.sdp)
        assert self.answer.status == 201, self.answer.body
        await self.connection.setRemoteDescription(RTCSessionDescription(self.answer.body, "answer"))
        return self

    def open(self, label, **options):
        channel = self.connection.createDataChannel(label, **options)
        channel.on("close", lambda: self.closed.append(label))
        return channel

    def _opened(self, channel):
        self.labels.append((channel.label, channel.protocol, channel.ordered, channel.maxRetransmits))
        channel.on("close", lambda: self.closed.append(channel.label))

        @channel.on("message")
        def on_message(message):
            kind = "string" if isinstance(message, str) else "binary"
            data = message.encode() if isinstance(message, str) else message
            self.messages.append((channel.label, kind, len(data), checksum(data)))

    async def __aexit__(self, *_):
        await self.connection.close()
        if self.tone:
            self.tone.stop()


async def test_aiortc_publishes_and_watches_data(start_gateway):
    gateway = await start_gateway(shards=2)
    sizes = [1, 1160, 1161, 20_000, 65_536]
    async with SoftDataPeer(gateway, "data", "member") as member, ChannelPeer(
            gateway, "/whip/data?peerId=camera", True) as camera:
        assert "m=application" in camera.answer.body and "a=sctp-port:5000" in camera.answer.body
        await until(lambda: camera.channel.readyState == "open", 20, "the channel is open")
        # The first messages, which follow the opening at once, arrive at whoever is there.
        for salt, size in enumerate(sizes):
            camera.channel.send(content(size, salt))
        wanted = [("chat", "binary", size, checksum(content(size, salt))) for salt, size in enumerate(sizes)]

        async def arrived():
            return len(await member.received("chat")) >= len(sizes)
        await until(arrived, 20, "a member of the room has got them")
        assert await member.received("chat") == wanted
        async with ChannelPeer(gateway, "/whep/data", False) as viewer:
            await until(lambda: viewer.labels, 20, "the viewer is opened a channel")
            assert viewer.labels == [("chat", "text/plain", True, None)]
            loose = camera.open("loose", ordered=False, maxRetransmits=0)
            await until(lambda: len(viewer.labels) == 2 and loose.readyState == "open", 20, "and another")
            assert viewer.labels[1] == ("loose", "", False, 0)
            camera.channel.send("hello")
            loose.send("there")
            await until(lambda: len(viewer.messages) == 2, 20, "the viewer has got both")
            assert sorted(one[:3] for one in viewer.messages) == [("chat", "string", 5), ("loose", "string", 5)]
            # Of somebody who came by signaling, too.
            await member.produce("talk", ordered=True)
            await until(lambda: len(viewer.labels) == 3, 20, "the viewer is opened the member's")
            await member.send("talk", "binary", 3000, 7)
            await until(lambda: len(viewer.messages) == 3, 20, "the viewer has got the member's")
            assert viewer.messages[-1] == ("talk", "binary", 3000, checksum(content(3000, 7)))
            loose.close()
            await until(lambda: camera.closed == ["loose"], 20, "the channel is closed")
            await until(lambda: viewer.closed == ["loose"], 20, "the viewer's ends with it")
            room = await gateway.json("/rooms/data")
            transports = [one for peer in room["peers"] for one in peer["transports"] if one.get("sctp")]
            assert any(len(one["sctp"]["dataConsumers"]) == 2 for one in transports), json.dumps(room)[:2000]
        gateway.assert_alive()


CHANNELS = """
(async () => {
  const pc = window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  const got = window.got = [], closed = window.closedLabels = [];
  const watch = channel => {
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => got.push([channel.label, typeof data === 'string' ? data : data.byteLength]);
    channel.onclose = () => closed.push(channel.label);
    return channel;
  };
  pc.ondatachannel = ({ channel }) => { got.push(['opened', channel.label]); watch(channel); };
  window.open_ = (label, options) => watch(pc.createDataChannel(label, options));
  if (PUBLISHES) {
    const media = await navigator.mediaDevices.getUserMedia({ audio: true });
    pc.addTransceiver(media.getAudioTracks()[0], { direction: 'sendonly', streams: [media] });
    window.chat = open_('chat');
    // What is sent as soon as it may be.
    chat.onopen = () => { for (const text of ['one', 'two', 'three']) chat.send(text); };
  } else {
    pc.addTransceiver('audio', { direction: 'recvonly' });
    open_('mine');
  }
  await pc.setLocalDescription();
  const answer = await fetch('PATH', { method: 'POST',
    headers: { 'Content-Type': 'application/sdp' }, body: pc.localDescription.sdp });
  const sdp = await answer.text();
  if (answer.status !== 201) throw new Error(sdp);
  await pc.setRemoteDescription({ type: 'answer', sdp });
  return sdp;
})()
"""

TURNS = """
(async () => {
  for (let turn = 0; turn < COUNT; turn += 1) {
    const channel = open_(`turn ${turn}`);
    await new Promise((resolve, reject) => {
      channel.onopen = () => { channel.send('x'.repeat(100)); channel.close(); };
      channel.onclose = resolve;
      setTimeout(() => reject(new Error(`turn ${turn} hangs: ${channel.readyState}`)), 10000);
    });
  }
})()
"""


async def test_chromium_publishes_and_watches_data(start_gateway, chromium):
    gateway = await start_gateway(shards=2)
    studio = Person(await chromium.page(), gateway.url, "", "studio")
    viewer = Person(await chromium.page(), gateway.url, "", "viewer")
    for person in (studio, viewer):
        await person.page.goto(gateway.url + "/healthz")

    async def run(person, path, publishes):
        return await person.page.evaluate(
            CHANNELS.replace("PATH", path).replace("PUBLISHES", json.dumps(publishes)))

    async def got(person):
        return json.loads(await person.page.evaluate("JSON.stringify(got)"))

    async with SoftDataPeer(gateway, "stage", "member") as member:
        answer = await run(studio, "/whip/stage?peerId=studio", True)
        assert "m=application" in answer

        async def arrived():
            return len(await member.received("chat")) >= 3
        await until(arrived, 20, "what was sent with the channel has arrived")
        assert [text for _, _, text in member.messages] == [b"one", b"two", b"three"]
        await run(viewer, "/whep/stage", False)

        async def opened():
            return ["opened", "chat"] in await got(viewer)
        await until(opened, 20, "the viewer is opened the channel")
        await studio.page.evaluate("chat.send(new Uint8Array(262144)), chat.send('end')")

        async def received():
            return ["chat", "end"] in await got(viewer)
        await until(received, 20, "the viewer has got the longest message")
        assert ["chat", 262_144] in await got(viewer)

        async def refused():
            return await viewer.page.evaluate("closedLabels.includes('mine')")
        await until(refused, 20, "the viewer's own channel is closed")
        # Numbers are used again and again, and each channel carries its message.
        await studio.page.evaluate(TURNS.replace("COUNT", "60"))

        async def all_arrived():
            return len([one for one in await got(viewer) if one[0].startswith("turn")]) >= 60
        await until(all_arrived, 20, "each channel's message has arrived")
        room = await gateway.json("/rooms/stage")
        producers = [
            one for peer in room["peers"] for transport in peer["transports"]
            for one in transport.get("sctp", {}).get("dataProducers", [])]
        assert [one["label"] for one in producers] == ["chat"]
