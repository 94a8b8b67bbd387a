"""The image: read by skopeo, unpacked by umoci, run as its own user with a root that nothing can write."""

import json
import subprocess

import ports
from conftest import get, wait_until_ready


def words(*command):
    return subprocess.run([str(one) for one in command], check=True, capture_output=True, text=True).stdout


def test_it_runs_as_its_user_with_a_read_only_root(packages, work, sandbox, started):
    archive = packages("roundhouse-*-image-*.tar")
    described = json.loads(words("skopeo", "inspect", "--config", "--raw", f"oci-archive:{archive}"))
    config = described["config"]
    assert config["User"] == "10001:10001" and config["StopSignal"] == "SIGTERM", config
    words("skopeo", "copy", f"oci-archive:{archive}", f"oci:{work}/layout:latest")
    words("umoci", "unpack", "--image", f"{work}/layout:latest", work / "bundle")
    root = work / "bundle/rootfs"
    assert not list(root.glob("**/sh")) and not list(root.glob("**/apt*"))
    assert sum(path.stat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink()) < 40 << 20

    box = sandbox(root, read_only=True)
    port, options = ports.options()
    log = work / "server.log"
    user = config["User"].split(":")[0]
    server = started(box.start(*config["Entrypoint"], *options, user=user, log=log))
    wait_until_ready(port, server, log)
    assert "<html" in get(port, "/")[1]
    health = [*config["Healthcheck"]["Test"][1:], "--host", "127.0.0.1", "--port", port]
    assert box.run(*health, user=user).stdout == "ok\n"
    server.terminate()
    assert server.wait(40) == 0, log.read_text()
    assert box.run(*health, user=user).returncode == 1


def test_docker_finds_its_way_too(packages):
    archive = packages("roundhouse-*-image-*.tar")
    described = json.loads(words("skopeo", "inspect", f"docker-archive:{archive}"))
    assert described["Architecture"] in ("amd64", "arm64") and len(described["Layers"]) == 2
