"""Looking closely at one received picture: its frames, its layers, and the server's word about both.

A machine short of time makes fewer frames and shows fewer. So what the server did is judged by encoded frames, as they
leave the sender's encoder and as they reach the receiver's decoder, and by their RTP timestamps, not by a clock.
"""

import json

from call import Person
from reception import pictures, seconds
from waiting import until

# Runs before the page's scripts: remembers its socket, for a test to say on it what the page has no button for;
# notes every encoded video frame, by SSRC where it is sent, by MID where it is received; and takes the page's camera,
# ears or picture size away where the test wants a cheaper person.
PREPARE = """
(() => {
  const wish = WISH;
  const Original = window.WebSocket;
  const answers = new Map();
  window.testNotifications = [];
  window.WebSocket = class extends Original {
    constructor(...parameters) {
      super(...parameters);
      window.testSocket = this;
      this.addEventListener('message', ({ data }) => {
        const message = JSON.parse(data);
        if (message.response && message.id === window.testAskedFor) window.testReceiving = message.data.id;
        if (message.notification) window.testNotifications.push({ at: performance.now(), ...message });
        if (message.response && answers.has(message.id)) {
          answers.get(message.id)(message);
          answers.delete(message.id);
        }
      });
    }
    send(text) {
      const message = typeof text === 'string' ? JSON.parse(text) : {};
      if (message.method === 'createWebRtcTransport' && message.data.consuming) window.testAskedFor = message.id;
      if (wish.deaf && message.method === 'join') delete message.data.rtpCapabilities;
      super.send(typeof text === 'string' ? JSON.stringify(message) : text);
    }
  };
  window.testRequest = (method, data) => new Promise((resolve, reject) => {
    const id = 4_000_000_000 + answers.size + Math.floor(Math.random() * 1_000_000);
    answers.set(id, ({ ok, data: answer, errorReason }) => ok ? resolve(answer) : reject(new Error(errorReason)));
    window.testSocket.send(JSON.stringify({ request: true, id, method, data }));
  });
  window.testSent = {};
  window.testReceived = {};
  // A packetizer may change how a picture begins (AV1, H.264), never how it ends.
  const markOf = ({ data }) => {
    let mark = data.byteLength ? 1 : 0;
    for (const byte of new Uint8Array(data, Math.max(0, data.byteLength - 32))) mark = (mark * 31 + byte) % 2 ** 47;
    return mark;
  };
  const note = (frames, frame) => {
    const { rtpTimestamp, temporalIndex, spatialIndex } = frame.getMetadata();
    frames.push([
      performance.timeOrigin + performance.now(), rtpTimestamp, markOf(frame), temporalIndex ?? 0, spatialIndex ?? 0,
      frame.type === 'key']);
  };
  const watched = ({ readable, writable }, see) => readable.pipeThrough(new TransformStream({
    transform(frame, controller) {
      see(frame);
      controller.enqueue(frame);
    },
  })).pipeTo(writable).catch(() => {});
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(configuration) {
      super({ ...configuration, encodedInsertableStreams: true });
      this.addEventListener('track', ({ receiver, transceiver, track }) => {
        const frames = window.testReceived[transceiver.mid] = [];
        watched(receiver.createEncodedStreams(), (frame) => {
          if (track.kind === 'video') note(frames, frame);
        });
      });
    }
    addTransceiver(track, options) {
      const transceiver = super.addTransceiver(track, options);
      if (typeof track === 'string') return transceiver;
      watched(transceiver.sender.createEncodedStreams(), (frame) => {
        if (track.kind === 'video') note(window.testSent[frame.getMetadata().synchronizationSource] ??= [], frame);
      });
      return transceiver;
    }
  };
  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints) => {
    if (wish.blind) throw new DOMException('', 'NotFoundError');
    if (constraints.video && wish.size) {
      const [width, height] = wish.size;
      constraints = { ...constraints, video: { width: { exact: width }, height: { exact: height } } };
    }
    return open(constraints);
  };
})();
"""

# Notes every frame of one tile's picture as it is shown.
WATCH = """
(() => {
  const video = document.querySelector('[data-peer-id][data-self=false] video');
  if (!video) return false;
  window.testShown = [];
  const note = (now, { width }) => {
    window.testShown.push(width);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
  return true;
})()
"""

INBOUND = """
(async () => {
  for (const report of (await window.roundhouse.recvTransport?.getStats())?.values() ?? []) {
    if (report.type !== 'inbound-rtp' || report.kind !== 'video') continue;
    const { ssrc, framesDecoded, framesReceived, framesDropped, keyFramesDecoded, frameWidth, frameHeight,
            framesPerSecond, freezeCount, totalFreezesDuration, pliCount, firCount, nackCount, packetsLost,
            packetsReceived } = report;
    return { ssrc, framesDecoded, framesReceived, framesDropped, keyFramesDecoded, frameWidth, frameHeight,
             framesPerSecond, freezeCount, totalFreezesDuration, pliCount, firCount, nackCount, packetsLost,
             packetsReceived };
  }
  return null;
})()
"""


async def enter(browser, origin, room, name, options="", blind=False, deaf=False, size=None):
    """A person without camera (`blind`), receiving nothing (`deaf`) or with a camera of exactly this size."""
    page = await browser.page()
    wish = json.dumps({"blind": blind, "deaf": deaf, "size": size})
    await page.context.add_init_script(PREPARE.replace("WISH", wish))
    person = Person(page, origin, room, name)
    person.url += options
    return await person.enter()


async def request(person, method, data):
    """A request of the person's page, on its own connection."""
    return await person.page.evaluate(f"window.testRequest({json.dumps(method)}, {json.dumps(data)})")


async def video_consumer(person):
    """What the page knows of its one video consumer."""
    peers = await person.page.evaluate("window.roundhouse.peers")
    return next((one for peer in peers for one in peer["consumers"] if one["kind"] == "video"), None)


async def layers(person):
    """(spatial, temporal) as the server last reported, or None."""
    told = (await video_consumer(person) or {}).get("layers")
    return (told["spatialLayer"], told["temporalLayer"]) if told else None


async def prefer(person, spatial, temporal):
    consumer = await video_consumer(person)
    await request(person, "setConsumerPreferredLayers", {
        "consumerId": consumer["id"], "spatialLayer": spatial, "temporalLayer": temporal})


async def reached(person, spatial, temporal, seconds=60):
    """Waits until the server sends these layers."""
    async def told():
        return await layers(person) == (spatial, temporal)
    await until(told, seconds, f"{person.name} is sent layers {spatial}/{temporal}", every=0.1)


async def inbound(person):
    return await person.page.evaluate(INBOUND)


async def widths(person):
    """Of the picture of every frame shown since `WATCH`."""
    return await person.page.evaluate("window.testShown")


async def received(person, mid):
    """The pictures that reached the decoder in this section."""
    return pictures(await person.page.evaluate(f"window.testReceived[{json.dumps(mid)}] ?? []"))


def stream_gaps(taken):
    """Seconds between each picture and the next by their RTP timestamps: what of the stream was left out."""
    return [seconds(first, second) for first, second in zip(taken, taken[1:])]


def arrival_gaps(taken):
    """Seconds between the arrival of each picture and the next."""
    return [second.at - first.at for first, second in zip(taken, taken[1:])]


async def forget_sent(person):
    """Begins to look at what the sender sends, for `sender_gap`."""
    await person.page.evaluate(
        "window.testSince = Object.fromEntries(Object.entries(window.testSent).map("
        "([ssrc, frames]) => [ssrc, frames.length - 1]))")


async def sent(person, everything=True):
    """Every encoded picture of the camera, or those since `forget_sent`: {SSRC: [Picture]}."""
    noted = await person.page.evaluate("window.testSent")
    since = {} if everything else await person.page.evaluate("window.testSince")
    return {ssrc: pictures(frames[since.get(ssrc, 0):]) for ssrc, frames in noted.items()}


async def sender_gap(person):
    """The longest time in seconds between two pictures of any encoding, as the sender's encoder made them."""
    those = await sent(person, everything=False)
    return max((gap for stream in those.values() for gap in stream_gaps(stream)), default=0)


def freezes(taken, kept):
    """How often the server left out of the stream what WebRTC calls a freeze: by RTP timestamps, not by the clock, and
    only where it kept something back (`kept`: how much, after each picture) that would have shortened it."""
    gaps, count = stream_gaps(taken), 0
    for index, gap in enumerate(gaps):
        before = gaps[max(0, index - 30):index]
        if len(before) < 5:
            continue
        mean = sum(before) / len(before)
        count += kept[index] > 0 and gap > max(3 * mean, mean + 0.15)
    return count
