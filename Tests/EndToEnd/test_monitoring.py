"""Metrics, alerts and dashboard: what promtool says of them, and whether they are about what the server counts."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

from stateapi import populated_room
from test_http2 import make_certificate

FOLDER = pathlib.Path(__file__).parents[2] / "Docs" / "Monitoring"
# Where Prometheus cannot be installed, all but its own word is checked.
PROMTOOL = shutil.which("promtool")
NAME = re.compile(r"\b(?:roundhouse|process)_[a-z0-9_]+\b")


def promtool(*words, text=None):
    done = subprocess.run(
        [PROMTOOL, *words], cwd=FOLDER, input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def expressions():
    """Every expression of the alerts and the dashboard."""
    rules = [line for line in (FOLDER / "alerts.yml").read_text().splitlines() if "description:" not in line]
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    return rules + [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.mark.skipif(not PROMTOOL, reason="needs promtool, of Debian's package prometheus")
def test_the_alerts_are_rules_that_fire_when_they_should():
    assert "SUCCESS" in promtool("check", "rules", "alerts.yml")
    assert "SUCCESS" in promtool("test", "rules", "alerts.test.yml")


async def test_alerts_and_dashboard_are_about_what_the_server_counts(start_gateway, artifacts):
    certificate, key = make_certificate(artifacts, "here", "localhost")
    gateway = await start_gateway(
        "--tls-certificate", str(certificate), "--tls-private-key", str(key), "--http", "allow")
    async with populated_room(gateway):
        _, text = await gateway.get("/metrics")
    if PROMTOOL:
        assert promtool("check", "metrics", text=text).strip() == ""
    counted = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    histograms = set(re.findall(r"^# TYPE (\S+) histogram$", text, re.MULTILINE))
    counted |= {f"{name}_bucket" for name in histograms}
    used = {name for expression in expressions() for name in NAME.findall(expression)}
    assert len(used) > 25 and used <= counted, used - counted
    # Every histogram is drawn.
    assert {f"{name}_bucket" for name in histograms} <= used
    assert re.search(r'^roundhouse_build_info\{version="[^"]+"\} 1$', text, re.MULTILINE)
    left, = re.findall(r"^roundhouse_gateway_tls_certificate_left_seconds (\S+)$", text, re.MULTILINE)
    assert 0 < int(left) <= 2 * 86400


def test_the_dashboard_is_one_that_grafana_loads():
    board = json.loads((FOLDER / "dashboard.json").read_text())
    assert board["title"] and board["uid"] and board["schemaVersion"] >= 36
    names = {one["name"] for one in board["templating"]["list"]}
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, f"{panel['title']} lies on another panel"
        taken |= cells
        assert panel["type"] in ("timeseries", "stat") and panel["fieldConfig"]["defaults"]["unit"]
        for target in panel["targets"]:
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= names, target["expr"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"]) > 15
