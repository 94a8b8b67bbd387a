"""The suite runs, and the server with it, as ordinary people run it: root hides what only root may do."""

import os
import pathlib
import re
import socket

import pytest

import network
from protoo import ProtooClient


async def test_this_suite_and_the_server_run_without_privileges(gateway):
    assert os.getresuid() == (os.geteuid(),) * 3 and os.geteuid() != 0, \
        "this runs as root: `make end-to-end` runs it as somebody else"
    assert network.capabilities() == 0
    # Something that only the privileged may do: what the server once did, for every connection.
    with socket.socket() as probe, pytest.raises(PermissionError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_DEBUG, 1)
    status = pathlib.Path(f"/proc/{gateway.pid}/status").read_text()
    users = re.search(r"^Uid:\s+(.*)$", status, re.MULTILINE).group(1).split()
    assert set(users) == {str(os.geteuid())}
    assert network.capabilities(gateway.pid) == 0
    # It serves, all the same.
    async with ProtooClient(gateway, "ordinary", "peer") as client:
        await client.join()
