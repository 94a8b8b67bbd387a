"""The state API as a client: requests with the admin token, the event stream, and the document that describes both."""

import asyncio
import contextlib
import json
import urllib.parse

import aiohttp
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from protoo import NOBODYS_FINGERPRINT, ProtooClient, audio_parameters, video_parameters

TOKEN = "open sesame"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


class StateAPI:
    """`async with StateAPI(gateway) as api`: every JSON answer is compared with the document."""

    def __init__(self, gateway):
        self.url = gateway.url

    async def __aenter__(self):
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        async with self.session.get(f"{self.url}/api/openapi.json") as answer:
            assert answer.status == 200 and answer.content_type == "application/json"
            self.document = await answer.json()
        self.registry = Registry().with_resource("urn:document", Resource(self.document, DRAFT202012))
        return self

    async def __aexit__(self, *_):
        await self.session.close()

    def operation(self, method, path):
        """The document's description of a request."""
        pieces = path.split("?")[0].split("/")
        for template, item in self.document["paths"].items():
            wanted = template.split("/")
            if len(wanted) == len(pieces) and all(a.startswith("{") or a == b for a, b in zip(wanted, pieces)):
                # Names that are spelled out come before those that are parameters.
                if pieces[-1] == wanted[-1] or wanted[-1].startswith("{"):
                    return item[method]
        raise AssertionError(f"the document does not know {path}")

    def check(self, schema, value):
        pointer = "#/components/schemas/" + schema if isinstance(schema, str) else schema["$ref"]
        validator = Draft202012Validator({"$ref": "urn:document" + pointer}, registry=self.registry)
        errors = list(validator.iter_errors(value))
        assert not errors, f"{pointer}: {[(list(one.path), one.message) for one in errors][:5]}"

    async def ask(self, method, path, headers=None, body=None):
        """(status, JSON or None) of an answer as the document has it, and of a body as it has it, if that is taken."""
        url = f"{self.url}{path}"
        headers = HEADERS if headers is None else headers
        async with self.session.request(method, url, headers=headers, json=body) as answer:
            text = await answer.read()
            value = json.loads(text) if text else None
            operation = self.operation(method.lower(), path)
            described = operation["responses"]
            if body is not None and answer.status < 300:
                self.check(operation["requestBody"]["content"]["application/json"]["schema"], body)
            known = described.get(str(answer.status), described["default"])
            if "$ref" in known:
                known = self.document["components"]["responses"][known["$ref"].split("/")[-1]]
            if "content" in known:
                self.check(known["content"]["application/json"]["schema"], value)
            else:
                assert value is None
            return answer.status, value

    async def get(self, path):
        status, value = await self.ask("GET", path)
        assert status == 200, f"{path}: {status} {value}"
        return value

    @contextlib.asynccontextmanager
    async def events(self, last=None, path="/api/v1/events", schemas=None, **query):
        """A stream's events, in a list that grows. `schemas`: of their data, by their types, if it is not Event."""
        headers = dict(HEADERS, **({"Last-Event-ID": last} if last else {}))
        url = f"{self.url}{path}?{urllib.parse.urlencode(query)}"
        got = []
        async with self.session.get(url, headers=headers, timeout=aiohttp.ClientTimeout(total=None)) as answer:
            assert answer.status == 200 and answer.content_type == "text/event-stream"

            async def read():
                event = {}
                async for line in answer.content:
                    line = line.decode().rstrip("\n")
                    if line:
                        name, _, value = line.partition(": ")
                        event[name] = value
                    elif "data" in event:
                        event["data"] = json.loads(event["data"])
                        if schemas:
                            self.check(schemas[event["event"]], event["data"])
                        elif event["event"] != "hello":
                            self.check("Event", event["data"])
                            assert event["data"]["id"] == event["id"] and event["data"]["type"] == event["event"]
                        got.append(event)
                        event = {}
            task = asyncio.create_task(read())
            try:
                yield got
            finally:
                # A failed check is the test's failure.
                if task.done():
                    task.result()
                task.cancel()


@contextlib.asynccontextmanager
async def populated_room(gateway, room="lounge"):
    """Two peers, of which one sends sound and picture to the other; yields (sender, viewer, producer ids by kind)."""
    async with contextlib.AsyncExitStack() as stack:
        sender = await stack.enter_async_context(ProtooClient(gateway, room, "ann"))
        # Answered: she is in the room before he comes.
        capabilities = await sender.request("getRouterRtpCapabilities")
        viewer = await stack.enter_async_context(ProtooClient(gateway, room, "ben"))
        await sender.join("Ann", capabilities)
        await viewer.join("Ben", capabilities)
        await viewer.open_transport(consuming=True)
        send = (await sender.open_transport(producing=True))["id"]
        await sender.request("connectWebRtcTransport", {
            "transportId": send, "dtlsParameters": {"role": "client", "fingerprints": [NOBODYS_FINGERPRINT]}})
        made = {}
        streams = {"audio": audio_parameters(capabilities, 11), "video": video_parameters(capabilities, 21)}
        for kind, parameters in streams.items():
            made[kind] = (await sender.request("produce", {
                "transportId": send, "kind": kind, "rtpParameters": parameters}))["id"]
        yield sender, viewer, made
