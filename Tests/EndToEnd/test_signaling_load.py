"""Peers that come and go by the hundred: every request is answered, and nothing of them is left."""

import importlib.util
import pathlib

from waiting import until

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "Benchmarks/signaling.py"


async def test_peers_that_come_and_go_leave_nothing_behind(gateway):
    specification = importlib.util.spec_from_file_location("signaling_load", SCRIPT)
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)

    async def settled():
        async def is_empty():
            metrics = await gateway.metrics()
            # The connection that asks is one.
            return (metrics["roundhouse_gateway_open_sessions"] == metrics["roundhouse_rooms_open_rooms"] == 0
                    and metrics["roundhouse_gateway_open_connections"] == 1)
        await until(is_empty, 60, "everybody has left", every=0.2)

    report = await script.measure(
        gateway.host, gateway.port, gateway.pid, connections=200, seconds=12, stay=1, settled=settled)
    assert report["failures"] == []
    assert report["sessions"] > 200 and report["requests"] >= 4 * report["sessions"]
    _, first, second = report["resident_mib"]
    assert second - first < 16, report
    assert report["descriptors"][1] <= report["descriptors"][0] + 4, report
