"""Events posted to receivers: signed, in order, at least once, whatever becomes of the receiver."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import ssl
import time

import pytest
from aiohttp import web

from protoo import ProtooClient
from test_http2 import make_certificate
from waiting import until

KEY = b"a key of an end-to-end test, 32b"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OUTAGE_S = float(os.environ.get("ROUNDHOUSE_WEBHOOK_OUTAGE", "3"))


class Receiver:
    """Verifies and notes what comes; `answers` are given first, then 204."""

    def __init__(self, tls=None):
        self.tls, self.port = tls, 0
        self.requests, self.events, self.answers, self.faults = [], [], [], []

    async def __aenter__(self):
        await self.up()
        return self

    async def up(self):
        application = web.Application()
        application.router.add_post("/events", self.take)
        self.runner = web.AppRunner(application)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", self.port, ssl_context=self.tls, reuse_address=True)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]

    async def down(self):
        await self.runner.cleanup()

    async def __aexit__(self, *_):
        await self.down()

    def url(self, host="127.0.0.1"):
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}/events"

    async def take(self, request):
        body = await request.read()
        name, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        signed = f"{name}.{stamp}.".encode() + body
        expected = "v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        if request.headers["webhook-signature"] != expected or abs(int(stamp) - time.time()) > 300:
            self.faults.append((dict(request.headers), body))
        self.requests.append((name, body))
        answer = self.answers.pop(0) if self.answers else 204
        if answer == "silence":
            await asyncio.sleep(8)
            answer = 204
        if answer == 204:
            content = json.loads(body)
            assert content["id"] == name == content["events"][0]["id"]
            if name not in [one["id"] for one in self.events]:
                self.events += content["events"]
        return web.Response(status=answer, headers={"Location": "http://127.0.0.1:1/"} if answer == 302 else {})


async def calls(gateway, *rooms):
    for room in rooms:
        async with ProtooClient(gateway, room, "ann") as client:
            await client.join("Ann")
            await client.request("changeDisplayName", {"displayName": "Anna"})


def names(receiver, room):
    return [one["type"] for one in receiver.events if one["room"] == room]


WHOLE = ["room-opened", "peer-connected", "peer-joined", "peer-renamed", "peer-left", "room-closed"]


async def test_events_come_signed_and_in_order(start_gateway, monkeypatch):
    monkeypatch.setenv("ROUNDHOUSE_WEBHOOK_SECRET", SECRET)
    async with Receiver() as receiver, Receiver() as other:
        gateway = await start_gateway("--webhook", receiver.url(), "--webhook", other.url())
        await calls(gateway, "first", "second")
        for each in (receiver, other):
            await until(lambda: len(each.events) == 12, 30, "all events come")
            assert names(each, "first") == names(each, "second") == WHOLE and not each.faults
            numbers = [int(one["id"].split("-")[1]) for one in each.events]
            assert numbers == sorted(set(numbers))
            assert [one["sequence"] for one in each.events if one["room"] == "first"] == list(range(1, 7))
        metrics = await gateway.metrics()
        assert metrics["roundhouse_gateway_webhook_waiting_events"] == 0
        assert metrics['roundhouse_gateway_webhook_requests_total{outcome="taken"}'] >= 2
        assert SECRET not in gateway.log and base64.b64encode(KEY).decode() not in gateway.log


async def test_a_failed_request_is_tried_again_as_it_was_and_nothing_overtakes_it(start_gateway, monkeypatch):
    monkeypatch.setenv("ROUNDHOUSE_WEBHOOK_SECRET", SECRET)
    async with Receiver() as receiver:
        gateway = await start_gateway("--webhook", receiver.url())
        receiver.answers = [500, 302]
        await calls(gateway, "town")
        await until(lambda: len(receiver.events) == 6, 60, "all events come")
        assert receiver.requests[0] == receiver.requests[1] == receiver.requests[2], "the same bytes under the same id"
        assert names(receiver, "town") == WHOLE and not receiver.faults
        # A receiver that takes it and does not answer in time gets it twice: at least once is promised.
        receiver.answers = ["silence"]
        before = len(receiver.requests)
        await calls(gateway, "village")
        await until(lambda: len(receiver.events) == 12, 60, "all events come")
        assert receiver.requests[before] == receiver.requests[before + 1]
        assert names(receiver, "village") == WHOLE
        # What it refuses for good holds nothing up.
        receiver.answers = [422]
        await calls(gateway, "hamlet", "city")
        await until(lambda: "room-closed" in names(receiver, "city"), 60, "later events come")
        lost = (await gateway.metrics())['roundhouse_gateway_webhook_lost_events_total{reason="refused"}']
        assert lost == 12 - len(names(receiver, "hamlet")) - len(names(receiver, "city")) > 0


@pytest.mark.timeout(120 + 3 * OUTAGE_S)
async def test_a_receiver_that_is_down_misses_nothing_and_delays_nobody(start_gateway, monkeypatch):
    monkeypatch.setenv("ROUNDHOUSE_WEBHOOK_SECRET", SECRET)
    async with Receiver() as receiver, Receiver() as healthy:
        gateway = await start_gateway("--webhook", receiver.url(), "--webhook", healthy.url())
        await calls(gateway, "before")
        await until(lambda: len(receiver.events) == 6, 30, "all events come")
        await receiver.down()
        end, count = time.monotonic() + OUTAGE_S, 0
        while time.monotonic() < end:
            begun = time.monotonic()
            await calls(gateway, f"during-{count}")
            assert time.monotonic() - begun < 5, "calls wait for nobody"
            count += 1
            await asyncio.sleep(OUTAGE_S / 20)
        await until(lambda: len(healthy.events) == 6 * (count + 1), 30, "the other receiver has all")
        metrics = await gateway.metrics()
        assert metrics["roundhouse_gateway_webhook_failing_receivers"] == 1
        assert metrics["roundhouse_gateway_webhook_waiting_events"] == 6 * count
        await receiver.up()
        await until(lambda: len(receiver.events) == 6 * (count + 1), 60, "what it missed comes")
        assert receiver.events == healthy.events and not receiver.faults
        assert "a webhook's receiver fails" in gateway.log and "takes events again" in gateway.log
        print(f"{count} calls while the receiver was down for {OUTAGE_S} s")


async def test_a_stop_sends_the_end_and_a_new_start_shows_in_the_ids(start_gateway, monkeypatch):
    monkeypatch.setenv("ROUNDHOUSE_WEBHOOK_SECRET", SECRET)
    async with Receiver() as receiver:
        gateway = await start_gateway("--webhook", receiver.url(), "--drain-seconds", "0")
        async with ProtooClient(gateway, "town", "ann") as client:
            await client.join("Ann")
            await gateway.stop()
            gateway.process = None
        await until(lambda: "room-closed" in names(receiver, "town"), 10, "the end was sent before the end")
        assert receiver.events[-1]["data"]["reason"] == "shutdown"
        first = receiver.events[0]["id"].split("-")[0]
        gateway = await start_gateway("--webhook", receiver.url())
        await calls(gateway, "village")
        await until(lambda: "room-closed" in names(receiver, "village"), 30, "the new server's events come")
        assert receiver.events[-1]["id"].split("-")[0] != first
        await receiver.down()
        # A receiver that is down does not hold the stop up.
        await calls(gateway, "hamlet")
        begun = time.monotonic()
        await gateway.stop()
        gateway.process = None
        assert time.monotonic() - begun < 9 and "before a webhook's receiver has taken all events" in gateway.log
        await receiver.up()


async def test_a_receiver_over_tls_has_to_show_a_certificate_of_its_own(start_gateway, monkeypatch, artifacts):
    certificate, key = make_certificate(artifacts, "hooks", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("ROUNDHOUSE_WEBHOOK_SECRET", SECRET)
    async with Receiver(context) as receiver:
        distrusting = await start_gateway("--webhook", receiver.url("localhost"))
        await calls(distrusting, "town")
        await until(lambda: "certificate is not trusted" in distrusting.log, 30, "the log says why")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        elsewhere = await start_gateway("--webhook", receiver.url("127.0.0.1"))
        await calls(elsewhere, "town")
        await until(lambda: "certificate is not trusted" in elsewhere.log, 30, "the name is compared")
        assert not receiver.requests
        trusting = await start_gateway("--webhook", receiver.url("localhost"))
        await calls(trusting, "town")
        await until(lambda: names(receiver, "town") == WHOLE, 30, "all events come")


async def test_types_are_chosen(start_gateway, monkeypatch):
    monkeypatch.setenv("ROUNDHOUSE_WEBHOOK_SECRET", SECRET)
    async with Receiver() as receiver:
        gateway = await start_gateway("--webhook", receiver.url(), "--webhook-events", "room-closed")
        await calls(gateway, "town")
        await until(lambda: names(receiver, "town") == ["room-closed"], 30, "only what was chosen comes")
