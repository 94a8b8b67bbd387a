"""A Socket.IO connection that breaks: our own client in a browser, and python-socketio by polling and by WebSocket."""

import asyncio
import json

import pytest

from breaking import BreakableRelay
from room_server_peer import RoomServerClient, RoomServerPeer
from test_room_server_dialect import sees_and_hears
from waiting import until

# A page that asks for transports again and again, and notes whatever it is sent.
ASK = """
async ({ room, options }) => {
  const socket = window.socket = window.io(options);
  const seen = window.seen = { events: [], ids: [], welcomes: [], losses: [] };
  socket.on('connect', () => seen.welcomes.push([socket.id, socket.recovered]));
  socket.on('disconnect', (reason) => seen.losses.push(reason));
  socket.onAny((name, ...rest) => seen.events.push([name, ...rest]));
  const ask = (name, data) => new Promise((resolve) => socket.emit(name, data, resolve));
  window.allowance = 0;
  await ask('createRoom', { room_id: room });
  await ask('join', { room_id: room, name: 'Page' });
  window.flow = (async () => {
    while (!window.enough) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (seen.ids.length >= window.allowance) continue;
      // Side by side, so that a cut finds some on their way.
      const made = await Promise.all([1, 2, 3].map(() => ask('createWebRtcTransport', {})));
      seen.ids.push(...made.map(({ id }) => id));
    }
  })();
}
"""


async def transports(gateway, room, peer):
    peers = (await gateway.json(f"/rooms/{room}"))["peers"]
    return [one["id"] for each in peers if each["id"] == peer for one in each["transports"]]


@pytest.mark.parametrize(
    "roads", [["polling"], ["websocket"], ["polling", "websocket"]], ids=["polling", "websocket", "upgrade"])
async def test_our_client_in_a_browser_loses_nothing_and_doubles_nothing(start_gateway, chromium, artifacts, roads):
    gateway = await start_gateway("--max-transports-per-peer", "1000", "--max-messages-per-second", "100000")
    page = await chromium.page()
    async with BreakableRelay(gateway.port) as relay, RoomServerClient(gateway, ["websocket"]) as witness:
        try:
            await page.goto(f"{relay.url}/console")
            await page.page.add_script_tag(url="/socket.io/socket.io.js")
            # The connection is cut by hand; what a client does by itself after it is quick enough here.
            options = {"transports": roads, "reconnectionDelay": 100, "reconnectionDelayMax": 300}
            await page.page.evaluate(ASK, {"room": "cut", "options": options})

            async def seen(name):
                return json.loads(await page.evaluate(f"JSON.stringify(window.seen.{name})"))
            first, _ = (await seen("welcomes"))[0]
            for round in range(1, 4):
                before = len(await seen("ids"))
                # A peer has a thousand transports at most.
                await page.evaluate(f"window.allowance = {before + 300}")

                async def goes_on():
                    return len(await seen("ids")) > before + 10
                await until(goes_on, 60, "transports are made", every=0.1)
                relay.refuses = True
                relay.cut_everything()

                async def is_lost():
                    return len(await seen("losses")) == round
                await until(is_lost, 60, "the page's client notices", every=0.05)
                # Said to the room while the page hears nothing of it.
                await witness.request("join", {"room_id": "cut", "name": f"Witness {round}"})
                assert await witness.request("exitRoom") == "successfully exited room"
                relay.refuses = False

                async def is_back():
                    return len(await seen("welcomes")) == round + 1
                await until(is_back, 60, "the page's client is back", every=0.1)
            await page.evaluate("window.enough = true")
            await asyncio.wait_for(page.evaluate("window.flow"), 60)

            assert await seen("welcomes") == [[first, False], *[[first, True]] * 3]
            assert len(await seen("losses")) == 3
            made = await seen("ids")
            assert len(set(made)) == len(made) and None not in made
            assert sorted(await transports(gateway, "cut", first)) == sorted(made)

            async def told():
                return len([one for one in await seen("events") if one[0] != "othersInRoom"]) == 6
            await until(told, 60, "everything that was missed is sent", every=0.1)
            comings = [one for one in await seen("events") if one[0] != "othersInRoom"]
            for round in range(3):
                (come, who), (gone, whose) = comings[2 * round:2 * round + 2]
                assert (come, who["name"]) == ("joined", f"Witness {round + 1}")
                assert (gone, whose) == ("a user is exits the room", {"sockerid": witness.id})
            metrics = await gateway.metrics()
            assert metrics['roundhouse_gateway_resumptions_total{outcome="resumed"}'] == 3
            assert metrics['roundhouse_gateway_resumptions_total{outcome="refused"}'] == 0
        finally:
            (artifacts / "console.txt").write_text("\n".join(page.console) + "\n")


class NumberedPeer(RoomServerPeer):
    """One that can come back, by hand, with whatever the server numbered."""

    offset, secret = "0", None

    async def hears(self, name, *data):
        if name == "resumable":
            self.secret = data[0]["token"]
            return
        assert isinstance(data[-1], str) and int(data[-1]) == int(self.offset) + 1, (name, data)
        self.offset = data[-1]
        await super().hears(name, *data[:-1])


@pytest.mark.parametrize("roads", [["polling"], ["websocket"]], ids=["polling", "websocket"])
async def test_python_socketio_comes_back_and_its_media_never_stopped(gateway, roads):
    async with (BreakableRelay(gateway.port) as relay,
                RoomServerPeer(gateway, "kept", "Dark", ["websocket"], level=60, hertz=440) as dark):
        async with NumberedPeer(
                relay, "kept", "Bright", roads, level=190, hertz=1200, auth={"resumption": "yes"}) as bright:
            await sees_and_hears(bright, dark.id, 60, 440)
            await sees_and_hears(dark, bright.id, 190, 1200)
            before, name = await gateway.json("/rooms/kept"), bright.id
            # Ends without a word: no DISCONNECT, no closing handshake.
            relay.cut_everything()
            await until(lambda: not bright.socket.connected, 60, "the client notices")
            assert await dark.request("pauseProducer", {"producer_id": dark.producers["video"].id}) == "success"
            assert await dark.request("resumeProducer", {"producer_id": dark.producers["video"].id}) == "success"
            frames = bright.watching("audio", dark.id)[0].frames
            await until(lambda: bright.watching("audio", dark.id)[0].frames > frames + 10, 60, "media goes on")
            bright.auth = {"pid": bright.secret, "offset": bright.offset}
            await bright.connect()
            assert bright.id == name
            consumer = {"consumer_id": bright.consumers[dark.producers["video"].id]}
            for event in ("consumerPaused", "consumerResumed"):
                await until(lambda: bright.heard(event), 60, f"{event} is sent late")
                assert bright.heard(event) == [consumer]
            # It is where it was: in its room, with its transports.
            assert "usernameFragment" in await bright.request("restartIce", {"transport_id": bright.send.id})
            after = await gateway.json("/rooms/kept")

            def objects(room):
                return [(peer["id"], [each["id"] for each in peer["transports"]]) for peer in room["peers"]]
            assert objects(after) == objects(before)
            assert not dark.heard("a user is disconnected")
        await until(lambda: dark.heard("a user is disconnected"), 60, "who says that it leaves has left")
