"""Looking closely at one received picture: its frames, its layers, and the server's word about both.

A machine that is short of time makes and decodes fewer frames. So what the server did is judged by the frames' own
timestamps (RTP's, the sender's clock) and by when they arrived, and the sender's own pauses are read where it encodes.
"""

import json

from call import Person
from waiting import until

# Runs before the page's scripts: remembers its sockets, so that a test can say on them what the page has no button for;
# and takes the page's camera, ears or picture size away where the test wants a cheaper person.
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
        if (message.notification) window.testNotifications.push({ at: performance.now(), ...message });
        if (message.response && answers.has(message.id)) {
          answers.get(message.id)(message);
          answers.delete(message.id);
        }
      });
    }
    send(text) {
      const message = typeof text === 'string' ? JSON.parse(text) : {};
      if (wish.deaf && message.method === 'join') delete message.data.rtpCapabilities;
      super.send(typeof text === 'string' ? JSON.stringify(message) : text);
    }
  };
  window.testRequest = (method, data) => new Promise((resolve, reject) => {
    const id = 4_000_000_000 + answers.size + Math.floor(Math.random() * 1_000_000);
    answers.set(id, ({ ok, data: answer, errorReason }) => ok ? resolve(answer) : reject(new Error(errorReason)));
    window.testSocket.send(JSON.stringify({ request: true, id, method, data }));
  });
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

# Notes every frame of one tile's picture as it is shown, and every tenth of a second what getStats counts.
WATCH = """
(() => {
  const video = document.querySelector('[data-peer-id][data-self=false] video');
  if (!video) return false;
  window.testFrames = [];
  const note = (now, frame) => {
    window.testFrames.push([now, frame.rtpTimestamp, frame.width, frame.height, frame.receiveTime]);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
  return true;
})()
"""

# Notes when the sender has encoded another frame, from inside its page.
WATCH_ENCODER = """
(() => {
  window.testEncoded = [];
  const read = async () => {
    let most = 0;
    for (const report of (await window.roundhouse.sendTransport?.getStats())?.values() ?? []) {
      if (report.type === 'outbound-rtp' && report.kind === 'video') most = Math.max(most, report.framesEncoded ?? 0);
    }
    const last = window.testEncoded.at(-1);
    if (!last || last[1] !== most) window.testEncoded.push([Date.now(), most]);
  };
  setInterval(read, 50);
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
    """(spatial, temporal) as the server last told, or None."""
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


async def frames(person):
    """Every frame shown since `WATCH`, as dictionaries; times in seconds."""
    taken = await person.page.evaluate("window.testFrames")
    return [{"shown": shown / 1000, "rtp": rtp, "width": width, "height": height,
             "received": received / 1000 if received else None} for shown, rtp, width, height, received in taken]


def stream_gaps(taken):
    """Seconds between each frame and the next by their RTP timestamps: what of the stream was left out."""
    return [((b["rtp"] - a["rtp"]) % 2**32) / 90000 for a, b in zip(taken, taken[1:])]


def arrival_gaps(taken):
    """Seconds between the arrival of each frame and the next, as the browser noted them."""
    known = [frame["received"] for frame in taken if frame["received"]]
    return [later - earlier for earlier, later in zip(known, known[1:])]


async def encoder_standstill(person):
    """The longest time in seconds in which the sender encoded nothing."""
    taken = await person.page.evaluate("window.testEncoded")
    return max((b[0] - a[0] for a, b in zip(taken, taken[1:])), default=0) / 1000
