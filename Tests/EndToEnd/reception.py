"""What became of each picture: of those that a sender encoded, which reached a receiver, and how late.

Encoded pictures are distinguished by their last bytes, which are the same at both ends, so that nothing here depends on
how fast the machine is: a sender that is short of time makes fewer pictures, and the server answers only for those it
got.
"""

import dataclasses


@dataclasses.dataclass
class Picture:
    """One encoded picture at one end: SVC's spatial layers are one picture."""

    # Seconds, by a clock that all pages of the machine share.
    at: float
    # The RTP timestamp, of its stream at this end.
    rtp: int
    marks: list
    # The temporal layer, where it is sent.
    temporal: int = 0
    # The spatial layer of each mark.
    spatials: list = dataclasses.field(default_factory=lambda: [0])
    is_key: bool = False


def pictures(noted):
    """Of what a page noted of one stream, [[milliseconds, RTP timestamp, mark, temporal layer, spatial layer,
    whether it is of a key frame]]."""
    found = []
    for at, rtp, mark, temporal, spatial, is_key in noted:
        if found and found[-1].rtp == rtp:
            found[-1].marks.append(mark)
            found[-1].spatials.append(spatial)
        else:
            found.append(Picture(at / 1000, rtp, [mark], temporal, [spatial], is_key))
    return found


def seconds(first, second):
    """From one picture to a later one of the same stream, by their RTP timestamps."""
    return ((second.rtp - first.rtp) % 2**32) / 90000


def origins(sent, taken):
    """For each received picture the sent one, as (stream, index), or None. `sent` is {stream: [Picture]}."""
    places = {}
    for stream, those in sent.items():
        for index, picture in enumerate(those):
            for mark in picture.marks:
                places.setdefault(mark, []).append((stream, index))
    found, latest = [], {}
    for picture in taken:
        candidates = [place for mark in picture.marks for place in places.get(mark, [])
                      if place[1] > latest.get(place[0], -1)]
        place = min(candidates, key=lambda one: one[1] - latest.get(one[0], -1), default=None)
        if place:
            latest[place[0]] = place[1]
        found.append(place)
    return found


# Seconds within which a sender that has pictures in its queue sends the next one.
LONGEST_BETWEEN_QUEUED = 0.1


def kept_back(sent, taken, temporal=None):
    """For each received picture but the last: how many pictures its stream had between it and the next received one, up
    to this temporal layer (None: any), which the server got and did not pass on.

    Two things that browsers encode never leave them, or are of no use. An encoder over its rate leaves a spatial layer
    out of a picture: with K-SVC a receiver of that layer cannot be sent the rest. And Chromium's pacer throws away what
    waits in a stream's queue when a key frame comes: that was so where the picture before the hole left the queue when
    the key frame behind it had been encoded already, or just about.
    """
    # Streams' timestamps are distinguished by less than a picture's time.
    margin, counts = 0.016, []
    places = origins(sent, taken)
    for place, following, first, second in zip(places, places[1:], taken, taken[1:]):
        counts.append(0)
        if not place:
            continue
        stream, index = place
        origin, gap = sent[stream][index], seconds(first, second)
        if following and following[0] == stream:
            behind = sent[stream][following[1]]
            if behind.is_key and first.at > behind.at - LONGEST_BETWEEN_QUEUED:
                continue
        layer = max(spatial for mark, spatial in zip(origin.marks, origin.spatials) if mark in first.marks)
        for picture in sent[stream][index + 1:]:
            if seconds(origin, picture) > gap - margin:
                break
            counts[-1] += layer in picture.spatials and (temporal is None or picture.temporal <= temporal)
    return counts


@dataclasses.dataclass
class Reception:
    """The figures of one receiver: pictures of the streams it was sent, and how late they came."""

    received: int
    missing: int
    unknown: int
    # Seconds from the sender's encoder to the receiver's decoder: of half of the pictures, and of 19 of 20.
    median_delay: float
    late_delay: float

    def __str__(self):
        return (f"{self.missing} of {self.received + self.missing} pictures are missing, {self.unknown} unknown; delay "
                f"{self.median_delay * 1000:.0f} ms, of 19 in 20 at most {self.late_delay * 1000:.0f} ms")


def reception(sent, taken):
    # A picture that had to be repaired comes after later ones.
    taken = sorted(taken, key=lambda one: (one.rtp - taken[0].rtp + 2**31) % 2**32)
    places = origins(sent, taken)
    delays = sorted(picture.at - sent[place[0]][place[1]].at for place, picture in zip(places, taken) if place)
    return Reception(
        received=len(taken), missing=sum(kept_back(sent, taken)), unknown=places.count(None),
        median_delay=delays[len(delays) // 2] if delays else float("inf"),
        late_delay=delays[len(delays) * 19 // 20] if delays else float("inf"))


# Seconds from encoder to decoder. Of the median a busy machine's pauses are no part; a server that holds everything
# back is all of it.
DELAY = 0.25


def judge_reception(name, figures):
    """What the server answers for where nothing is lost on the way: all that was sent, at once."""
    assert figures.received > 0 and figures.unknown == 0, f"{name}: pictures are not as they were sent: {figures}"
    assert figures.missing <= 0.02 * (figures.received + figures.missing), f"{name}: {figures}"
    assert figures.median_delay < DELAY, f"{name}: {figures}"


# Seconds until the server takes an encoding for inactive (InactivityMonitor), and the next one's key frame has come.
TIME_TO_LEAVE_AN_ENCODING = 1.5 + 0.3


@dataclasses.dataclass
class Leg:
    """From one person to another by their pages' own counters, over the time in which both were looked at.

    Two pages are never looked at at once, and a busy machine takes a second between them. So the receiver's counters
    are taken for the moments at which the sender was looked at, from those before and after.
    """

    seconds: float
    # Pictures of each encoding that the sender made without a stop; a receiver is sent one of them.
    encodings: dict
    # How often it stopped making one of the others: a browser short of time, or of bandwidth, gives up the largest.
    stops: int
    received: float
    decoded: float
    dropped: float
    packets: float
    lost: float
    key_frames_asked_for: float

    @property
    def sent(self):
        return min(self.encodings.values(), default=0)

    @property
    def due(self):
        """Of the pictures sent: after each stop of an encoding the server has its time to take another."""
        return self.sent * max(0, 1 - self.stops * TIME_TO_LEAVE_AN_ENCODING / self.seconds)

    def __str__(self):
        return (f"{self.sent:.0f} pictures sent in {self.seconds:.0f} s, {self.stops} encodings stopped, "
                f"{self.due:.0f} due; {self.received:.0f} received, "
                f"{self.decoded:.0f} decoded, {self.dropped:.0f} dropped by the receiver; "
                f"{self.lost:.0f} of {self.packets:.0f} packets lost, "
                f"{self.key_frames_asked_for:.0f} key frames asked for")


def between(series, moment):
    """The value of [(moment, value)] at a moment, in a straight line from the one before to the one after."""
    for (first, low), (second, high) in zip(series, series[1:]):
        if first <= moment <= second:
            return low + (high - low) * ((moment - first) / (second - first) if second > first else 0)
    raise ValueError(f"{moment} is not in {series[0][0]}...{series[-1][0]}")


def without_stop(counts):
    """Of [{encoding: pictures so far}]: the pictures of each encoding that was made all the time, and how often one of
    the others stopped: it made less than half of the pictures that the best one made meanwhile."""
    lasting, stops = {}, 0
    steps = list(zip(counts, counts[1:]))
    for encoding, first in counts[0].items():
        is_made = [2 * (later.get(encoding, 0) - earlier.get(encoding, 0))
                   >= max(later[other] - earlier.get(other, 0) for other in later) for earlier, later in steps]
        if all(is_made):
            lasting[encoding] = counts[-1][encoding] - first
        stops += sum(before and not now for before, now in zip(is_made, is_made[1:]))
    return lasting, stops


def leg(sending, receiving):
    """Of the samples of a sender's and of a receiver's streams (call.Streams)."""
    moments = [streams.moment() for streams in receiving]
    usable = [streams for streams in sending if moments[0] <= streams.moment() <= moments[-1]]
    assert len(usable) >= 2, "the two were not looked at at the same time"
    first, last = usable[0], usable[-1]

    def grown(field):
        series = [(moment, streams.total("receiving", field)) for moment, streams in zip(moments, receiving)]
        return between(series, last.moment()) - between(series, first.moment())

    counts = [{one["ssrc"]: one.get("framesSent") or 0 for one in streams.sending("video")} for streams in usable]
    lasting, stops = without_stop(counts)
    return Leg(
        seconds=last.moment() - first.moment(), encodings=lasting, stops=stops,
        received=grown("framesReceived"), decoded=grown("framesDecoded"), dropped=grown("framesDropped"),
        packets=grown("packetsReceived"), lost=grown("packetsLost"), key_frames_asked_for=grown("pliCount"))


def judge_leg(name, figures, rate):
    """What the server answers for where nothing is lost on the way: that what the sender managed arrived, without gaps,
    and that it can be decoded.

    A receiver that is short of time decodes less than it received, and says so; it asks again for what it lacks.
    `rate` is the least that the sender has to manage for the test to mean something, in pictures a second.
    """
    assert figures.sent > rate * figures.seconds, f"{name}: the sender made too little: {figures}"
    assert figures.received >= 0.95 * figures.due, f"{name}: pictures did not arrive: {figures}"
    # A receiver that gets no time at all for a while loses a few in its own socket.
    assert figures.lost <= 0.005 * figures.packets, f"{name}: gaps in the sequence numbers: {figures}"
    assert figures.decoded > 0, f"{name}: nothing is decoded: {figures}"
    if figures.decoded < 0.9 * figures.due:
        assert figures.decoded + figures.dropped >= 0.9 * figures.due and figures.key_frames_asked_for == 0, \
            f"{name}: pictures could not be decoded: {figures}"
