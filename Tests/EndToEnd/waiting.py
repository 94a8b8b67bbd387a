"""Waiting for a condition with a deadline: tests never sleep and hope."""

import asyncio
import inspect
import time


async def until(condition, seconds, what, every=0.05):
    """Polls `condition` (a function or coroutine function) until it is true, and returns its value.

    Fails the test with `what`, and the last value seen, after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what} (last seen: {value!r})")
        await asyncio.sleep(every)


async def samples(read, seconds, every=0.5):
    """Reads a value again and again for `seconds`; returns [(time, value)], first and last included."""
    started = time.monotonic()
    taken = []
    while True:
        taken.append((time.monotonic() - started, await read()))
        if taken[-1][0] >= seconds:
            return taken
        await asyncio.sleep(every)


def longest_standstill(taken, value):
    """The longest time in seconds during which value(sample) did not grow."""
    longest, since, last = 0.0, taken[0][0], value(taken[0][1])
    for when, sample in taken[1:]:
        current = value(sample)
        if current > last:
            since, last = when, current
        else:
            longest = max(longest, when - since)
    return longest
