"""pymediasoup over aiortc as a viewer of a room: `soft_viewer.py HOST PORT ROOM NAME`, in whatever namespace it is run.

Prints a line of JSON each second, what it has decoded so far, until its standard input ends.
"""

import asyncio
import json
import sys
import types

from soft_peer import SoftPeer


async def main(host, port, room, name):
    done = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    async with SoftPeer(types.SimpleNamespace(host=host, port=int(port)), room, name) as peer:
        while not done.done():
            counts = {kind: sum(one.frames for one in peer.watching(kind)) for kind in ("audio", "video")}
            print(json.dumps(counts), flush=True)
            await asyncio.wait([done], timeout=1)


asyncio.run(main(*sys.argv[1:]))
