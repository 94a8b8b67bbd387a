"""pymediasoup over aiortc, a client that shares no code with browsers or with this server."""

import pytest
import websockets

from call import Person
from protoo import ProtooClient
from soft_peer import SoftPeer
from waiting import until


async def test_two_soft_peers_produce_and_consume_audio_and_video(gateway):
    async with SoftPeer(gateway, "soft", "dark", level=60, hertz=440) as dark:
        async with SoftPeer(gateway, "soft", "bright", level=190, hertz=1200) as bright:
            for peer, other in ((dark, bright), (bright, dark)):
                def arrived(peer=peer):
                    pictures, sounds = peer.watching("video"), peer.watching("audio")
                    return (len(pictures) == len(sounds) == 1 and pictures[0].frames >= 50
                            and sounds[0].frames >= 100 and sounds[0].hertz is not None)
                await until(arrived, 40, f"{peer.name} receives 50 pictures and 2 s of sound")
                picture, sound = peer.watching("video", other.name)[0], peer.watching("audio", other.name)[0]
                # It is the other's picture and tone, not one's own or noise.
                assert abs(picture.level - other.video.level) < 12, picture.level
                assert abs(sound.hertz - other.audio.hertz) < 30, sound.hertz
            # Without transport-wide feedback they would stay at what they begin with.
            for peer in (dark, bright):
                await until(
                    lambda peer=peer: (peer.video_target() or 0) > 900_000, 10, f"{peer.name} is asked for more")
            # The server had to be DTLS client on the one transport and server on the other, with their sha-512.
            assert dark.roles == {"producing": "server", "consuming": "client"}
            assert "sha-512" in dark.hashes

            room = await gateway.json("/rooms/soft")
            transports = [one for peer in room["peers"] for one in peer["transports"]]
            assert len(transports) == 4
            for one in transports:
                assert one["iceState"] in ("connected", "completed"), one
                assert one["dtlsState"] == "connected", one
                assert one["packetsReceived"] > 0, one
            assert sum(len(one["producers"]) for one in transports) == 4
            assert sum(len(one["consumers"]) for one in transports) == 4
        await until(lambda: dark.client.heard("peerClosed"), 5, "the one who stays is notified")
        assert dark.client.heard("peerClosed") == [{"peerId": "bright"}]


async def test_a_soft_peer_and_a_browser_see_and_hear_each_other(gateway, chromium):
    person = await Person(await chromium.page(), gateway.url, "mixed", "Alice").enter()
    async with SoftPeer(gateway, "mixed", "soft", level=120, hertz=600) as soft:
        await person.sees_and_hears(seconds=40)

        def arrived():
            pictures, sounds = soft.watching("video"), soft.watching("audio")
            return pictures and sounds and pictures[0].frames >= 25 and sounds[0].frames >= 50
        await until(arrived, 40, "the soft peer receives the browser's pictures and sound")


async def test_a_peer_that_asks_for_replicas_gets_each_picture_so_many_times(gateway):
    """As mediasoup-demo's page with ?consumerReplicas=2."""
    async with SoftPeer(gateway, "replicas", "alice", level=60, hertz=440), \
            SoftPeer(gateway, "replicas", "bob", query="&consumerReplicas=2") as bob:
        def arrived():
            pictures, sounds = bob.watching("video"), bob.watching("audio")
            return len(pictures) == len(sounds) == 3 and all(one.frames >= 10 for one in pictures + sounds)
        await until(arrived, 40, "Bob gets three copies of Alice's picture and sound")
    for wrong in ("10", "-1", "two"):
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with ProtooClient(gateway, "replicas", "carol", query=f"&consumerReplicas={wrong}"):
                pass
        assert refusal.value.response.status_code == 400
        assert b"consumerReplicas has to be 0 to 9" in refusal.value.response.body
