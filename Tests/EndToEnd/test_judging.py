"""What the judges of this suite let pass, and what they do not: no browser, no server, no clock."""

import dataclasses

import pytest

from call import Streams
from layering import freezes
from reception import Picture, judge_leg, judge_reception, kept_back, leg, origins, reception, without_stop

RATE = 20


def camera(count, pause=(0, 0.0)):
    """A camera's pictures with three temporal layers; it makes a pause of so many seconds before one of them."""
    made, when = [], 50.0
    for number in range(count):
        when += 1 / RATE + (pause[1] if number == pause[0] else 0)
        made.append(Picture(when, round(when * 90000) % 2**32, [number], (0, 2, 1, 2)[number % 4]))
    return made


def carried(made, delay=0.02, without=()):
    """As a receiver notes them, with timestamps of its own stream, but those that the server does not pass on."""
    return [
        dataclasses.replace(picture, at=picture.at + delay, rtp=(picture.rtp - 4_500_000) % 2**32, temporal=0)
        for number, picture in enumerate(made) if number not in without]


def test_a_server_that_passes_everything_on_at_once_is_right():
    made = camera(200)
    figures = reception({"1": made}, carried(made))
    assert (figures.received, figures.missing, figures.unknown) == (200, 0, 0)
    assert figures.median_delay == pytest.approx(0.02)
    judge_reception("it", figures)


def test_a_picture_that_was_repaired_comes_later_and_is_not_missing():
    made = camera(200)
    taken = carried(made)
    taken[50:53] = [taken[51], taken[52], taken[50]]
    judge_reception("it", reception({"1": made}, taken))


def test_a_sender_that_is_short_of_time_is_not_the_servers_fault():
    made = camera(200, pause=(100, 0.4))
    taken = carried(made)
    judge_reception("it", reception({"1": made}, taken))
    assert freezes(taken, kept_back({"1": made}, taken, temporal=0)) == 0


@pytest.mark.parametrize("taken,fault", [
    (carried(camera(200), without=range(5, 200, 10)), "20 of 200 pictures are missing"),
    (carried(camera(200), delay=0.3), "delay 300 ms"),
    ([dataclasses.replace(picture, marks=[-1]) for picture in carried(camera(200))], "200 unknown")],
    ids=["one in ten lost", "late", "garbage"])
def test_a_server_that_loses_delays_or_damages_pictures_is_wrong(taken, fault):
    with pytest.raises(AssertionError, match=fault):
        judge_reception("it", reception({"1": camera(200)}, taken))


def test_a_hole_that_the_server_made_is_a_freeze_whatever_the_sender_did():
    made = camera(200, pause=(50, 0.4))
    taken = carried(made, without=range(100, 108))
    kept = kept_back({"1": made}, taken, temporal=0)
    assert sum(kept) == 2 and freezes(taken, kept) == 1


def spatial(made, layers=3, without=()):
    """Each picture in spatial layers; an encoder leaves the highest out of some."""
    for number, picture in enumerate(made):
        count = layers - (number in without)
        picture.marks = [picture.marks[0] * 10 + layer for layer in range(count)]
        picture.spatials = list(range(count))
    return made


def top(made, delay=0.02):
    """What a receiver of the highest of three spatial layers is sent of K-SVC."""
    there = [dataclasses.replace(one, marks=one.marks[2:], spatials=[0]) for one in made if len(one.marks) == 3]
    return carried(there, delay)


def test_a_picture_without_the_layer_that_is_sent_is_not_kept_back():
    made = spatial(camera(200), without=range(100, 110))
    taken = top(made)
    assert len(taken) == 190 and sum(kept_back({"1": made}, taken)) == 0
    # The same hole in a stream that has the layer is the server's.
    made = spatial(camera(200))
    taken = top(made)
    del taken[100:110]
    assert sum(kept_back({"1": made}, taken)) == 10


@pytest.mark.parametrize("delay,kept", [(0.5, 0), (0.02, 8)], ids=["a queue", "no queue"])
def test_what_a_key_frame_drives_out_of_the_senders_queue_is_not_kept_back(delay, kept):
    made = camera(200)
    made[109].is_key = True
    taken = carried(made[:101], delay) + carried(made[109:], 0.02)
    counts = kept_back({"1": made}, taken)
    assert sum(counts) == kept and freezes(taken, counts) == (kept > 0)


def test_higher_temporal_layers_may_be_left_out_where_nobody_asked_for_them():
    made = camera(200, pause=(50, 0.12))
    taken = [picture for number, picture in enumerate(carried(made)) if number < 46 or made[number].temporal == 0]
    kept = kept_back({"1": made}, taken, temporal=0)
    assert sum(kept) == 0 and freezes(taken, kept) == 0
    assert sum(kept_back({"1": made}, taken)) > 100


def test_after_a_switch_pictures_are_those_of_the_other_stream():
    small, large = camera(200), camera(200)
    for picture in large:
        picture.marks = [picture.marks[0] + 1000]
    both = {"1": small, "2": large}
    taken = carried(small)[:100] + carried(large)[100:]
    assert origins(both, taken)[99:101] == [("1", 99), ("2", 100)]
    assert sum(kept_back(both, taken)) == 0


def counters(moment, sent=0.0, received=0.0, dropped=0, asked=0, lost=0):
    """A page's counters at a moment, if it sent or received so many pictures a second since moment 0."""
    return Streams([
        {"type": "outbound-rtp", "kind": "video", "ssrc": 1, "timestamp": moment * 1000,
         "framesSent": int(sent * moment)},
        {"type": "inbound-rtp", "kind": "video", "timestamp": moment * 1000, "framesReceived": int(received * moment),
         "framesDecoded": int(received * moment) - int(dropped * moment), "framesDropped": int(dropped * moment),
         "pliCount": int(asked * moment), "packetsReceived": int(received * moment) * 10,
         "packetsLost": int(lost * moment)}])


# A machine that takes its time: the second page is looked at up to a second and a half after the first.
MOMENTS = [(1.0, 2.5), (2.6, 2.9), (4.4, 4.5), (6.0, 6.1), (8.1, 9.5), (10.0, 10.1), (15.0, 15.2)]


def counted(**receiver):
    return leg([counters(moment, sent=RATE) for moment, _ in MOMENTS],
               [counters(moment, **receiver) for _, moment in MOMENTS])


def test_counters_of_two_pages_are_compared_for_the_same_time():
    figures = counted(received=RATE)
    assert figures.seconds == pytest.approx(12.4) and figures.sent == pytest.approx(figures.received, abs=1)
    judge_leg("it", figures, rate=5)


def test_a_receiver_that_has_no_time_to_decode_is_not_the_servers_fault():
    judge_leg("it", counted(received=RATE, dropped=4), rate=5)


@pytest.mark.parametrize("receiver,fault", [
    ({"received": 0.9 * RATE}, "did not arrive"),
    ({"received": RATE, "dropped": 4, "asked": 1}, "could not be decoded"),
    ({"received": RATE, "lost": 0.02 * 10 * RATE}, "gaps in the sequence numbers"),
    ({"received": RATE, "dropped": RATE}, "nothing is decoded")],
    ids=["one in ten lost", "undecodable", "repaired", "nothing"])
def test_counters_of_a_server_that_loses_or_damages_pictures_are_wrong(receiver, fault):
    with pytest.raises(AssertionError, match=fault):
        judge_leg("it", counted(**receiver), rate=5)


# What Chromium made on a machine with four busy loops beside it.
LARGE = [49, 75, 98, 120, 149, 151, 171, 193, 206, 206, 206, 206, 206]
SMALL = [54, 80, 103, 125, 158, 179, 200, 223, 241, 263, 285, 309, 332]


def test_an_encoding_that_its_sender_stops_excuses_the_servers_time_to_leave_it_and_no_more():
    assert without_stop([{"r1": small, "r2": large} for small, large in zip(SMALL, LARGE)]) == ({"r1": 278}, 2)
    assert without_stop([{"r1": small, "r2": small} for small in SMALL]) == ({"r1": 278, "r2": 278}, 0)

    def received(pictures, stops):
        figures = counted(received=RATE)
        return dataclasses.replace(
            figures, seconds=15.4, encodings={"r1": 278}, stops=stops, received=pictures, decoded=pictures)
    judge_leg("it", received(205, stops=2), rate=5)
    for pictures, stops in ((200, 2), (205, 1), (263, 0)):
        with pytest.raises(AssertionError, match="did not arrive"):
            judge_leg("it", received(pictures, stops), rate=5)
