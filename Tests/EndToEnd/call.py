"""A person in a call: what the tests do with the server's page and read from it, the same for every browser.

A browser page here is any object with `goto(url)`, `evaluate(expression)` and `picture(path)`.
"""

import json
import urllib.parse

from waiting import until

# Runs in every page before its own scripts: remembers the page's peer connections, so that tests can read their
# statistics without knowing how the page is written.
REMEMBER_CONNECTIONS = """
(() => {
  const Original = window.RTCPeerConnection;
  if (!Original || window.testConnections) return;
  window.testConnections = [];
  window.RTCPeerConnection = class extends Original {
    constructor(...parameters) { super(...parameters); window.testConnections.push(this); }
  };
  window.testErrors = [];
  window.addEventListener('error', event => window.testErrors.push(String(event.message)));
  window.addEventListener('unhandledrejection', event => window.testErrors.push(String(event.reason)));
})();
"""

FIELDS = (
    "type", "timestamp", "kind", "ssrc", "rid", "framesEncoded", "framesSent", "framesReceived", "framesDecoded",
    "framesDropped", "freezeCount", "framesPerSecond", "keyFramesDecoded", "frameWidth", "frameHeight",
    "totalAudioEnergy",
    "packetsReceived", "packetsSent", "packetsLost", "nackCount", "pliCount", "retransmittedPacketsSent",
    "retransmittedPacketsReceived", "bytesReceived", "bytesSent")

READ_STREAMS = """
(async () => {
  const FIELDS = %s;
  const streams = [];
  for (const connection of window.testConnections ?? []) {
    if (connection.connectionState === 'closed') continue;
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type !== 'inbound-rtp' && entry.type !== 'outbound-rtp') continue;
      streams.push(Object.fromEntries(FIELDS.map(name => [name, entry[name]])));
    }
  }
  return streams;
})()
""" % json.dumps(FIELDS)

# Every person's camera is one tile, one's own among them.
REMOTE_TILES = "document.querySelectorAll('[data-peer-id][data-kind=camera][data-self=false]').length"


class Person:
    """One page of one browser, in one room."""

    def __init__(self, page, origin, room, name):
        self.page, self.name = page, name
        query = urllib.parse.urlencode({"room": room, "name": name, "autojoin": 1})
        self.url = f"{origin}/?{query}"

    async def enter(self):
        await self.page.goto(self.url)

        async def runs():
            return await self.page.evaluate("window.roundhouse !== undefined")
        try:
            await until(runs, 20, f"the page of {self.name} runs")
        except AssertionError as problem:
            raise AssertionError(f"{problem}; its console: {self.page.console}") from None
        return self

    async def streams(self):
        return Streams(await self.page.evaluate(READ_STREAMS) or [])

    async def tiles(self):
        return await self.page.evaluate(REMOTE_TILES)

    async def sees_and_hears(self, others=1, seconds=30):
        """Waits until video of `others` people is decoded and their audio has energy."""
        async def arrived():
            streams = await self.streams()
            return (len([one for one in streams.receiving("video") if (one.get("framesDecoded") or 0) > 0]) >= others
                    and len([one for one in streams.receiving("audio") if (one.get("totalAudioEnergy") or 0) > 0])
                    >= others)
        await until(arrived, seconds, f"{self.name} sees and hears {others}", every=0.3)


class Streams(list):
    """The RTP streams of a page at one moment, as its getStats says."""

    def moment(self):
        """When this was, in seconds, by the clock that all browsers of a machine share."""
        return max(one["timestamp"] for one in self) / 1000

    def receiving(self, kind):
        return [one for one in self if one["type"] == "inbound-rtp" and one["kind"] == kind]

    def sending(self, kind):
        return [one for one in self if one["type"] == "outbound-rtp" and one["kind"] == kind]

    def frames_decoded(self):
        return sum(one.get("framesDecoded") or 0 for one in self.receiving("video"))

    def frames_sent(self):
        """Of the encoding that sent most: the layers of a simulcast sender show the same pictures."""
        return max((one.get("framesSent") or 0 for one in self.sending("video")), default=0)

    def audio_energy(self):
        return sum(one.get("totalAudioEnergy") or 0 for one in self.receiving("audio"))

    def total(self, direction, field, kind="video"):
        return sum(one.get(field) or 0 for one in getattr(self, direction)(kind))
