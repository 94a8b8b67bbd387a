"""What a viewer behind a narrow link gets, second by second: by its browser's counters and by the server's word."""

import asyncio
import time

from layering import inbound, layers, request

AUDIO = """
(async () => {
  for (const report of (await window.roundhouse.recvTransport?.getStats())?.values() ?? [])
    if (report.type === 'inbound-rtp' && report.kind === 'audio')
      return { lost: report.packetsLost, received: report.packetsReceived, concealed: report.concealedSamples,
               samples: report.totalSamplesReceived };
  return null;
})()
"""


async def outgoing(person):
    """The server's statistics of the person's receiving transport and of its video."""
    transport = await person.page.evaluate("window.testReceiving")
    stats = await request(person, "getTransportStats", {"transportId": transport})
    return stats[0] if stats else {}


async def consumer_figures(person, consumer):
    stats = await request(person, "getConsumerStats", {"consumerId": consumer["id"]})
    return stats[0] if stats else {}


async def second_by_second(person, consumer, seconds, report=print, enough=None):
    """Samples once a second; each line goes to `report`. Ends earlier if the samples are `enough`."""
    taken, begun = [], time.monotonic()
    while len(taken) < seconds and not (enough and enough(taken)):
        video, audio, server = await inbound(person), await person.page.evaluate(AUDIO), await outgoing(person)
        figures = await consumer_figures(person, consumer)
        sample = {
            "at": time.monotonic() - begun, "video": video or {}, "audio": audio or {},
            "layers": await layers(person), "bandwidth": server.get("bandwidth") or {},
            "send": server.get("sendBitrate"), "probation": server.get("probationBytesSent"),
            "reason": figures.get("layerReason"), "next": figures.get("nextStepBitrate")}
        taken.append(sample)
        report(line(sample))
        await asyncio.sleep(max(0, begun + len(taken) - time.monotonic()))
    return taken


def line(sample):
    video, audio, known = sample["video"], sample["audio"], sample["bandwidth"]
    return (f"{sample['at']:5.1f} s layers {sample['layers']} frames {video.get('framesDecoded')} "
            f"{video.get('frameWidth')} freezes {video.get('freezeCount')}/"
            f"{video.get('totalFreezesDuration') or 0:.1f} s "
            f"lost v {video.get('packetsLost')} a {audio.get('lost')}/{audio.get('received')}; "
            f"estimate {known.get('estimate', 0) / 1000:.0f} ({known.get('cause')}, {known.get('verdict')}) acked "
            f"{known.get('acknowledged', 0) / 1000:.0f} proven {known.get('proven', 0) / 1000:.0f} sent "
            f"{(sample['send'] or 0) / 1000:.0f} queue {known.get('queue', 0):.0f} loss {known.get('loss', 0):.3f} "
            f"{known.get('lossClass')} rtt {known.get('roundTripTime', 0):.0f} filler {sample['probation']} "
            f"{sample['reason']} next {sample['next']}")
