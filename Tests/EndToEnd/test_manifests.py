"""Files for other programs: as their readers want them, and in step with each other."""

import json
import os
import subprocess

import kubernetes_validate
import pytest
import yaml

from gateway import ROOT

RULES = "{extends: default, rules: {line-length: {max: 140}}}"
FILES = ("Packaging/compose.yaml", "Packaging/kubernetes.yaml", ".gitlab-ci.yml", ".github/workflows")
COMPOSE, KUBERNETES = ROOT / "Packaging/compose.yaml", ROOT / "Packaging/kubernetes.yaml"


def test_yaml_is_well_formed():
    done = subprocess.run(["yamllint", "--strict", "-d", RULES, *(ROOT / file for file in FILES)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())


def manifest():
    return {one["kind"]: one for one in yaml.safe_load_all(KUBERNETES.read_text())}


# The oldest and the newest that the validator has the schemas of. Strict: a field that is none is an error.
@pytest.mark.parametrize("version", ["1.25.0", "1.37.0"])
def test_kubernetes_knows_every_field_of_its_manifest(version):
    for document in manifest().values():
        kubernetes_validate.validate(document, version, strict=True)


def spoil_name(pod):
    pod["containers"][0]["readynessProbe"] = pod["containers"][0].pop("readinessProbe")


def spoil_value(pod):
    pod["terminationGracePeriodSeconds"] = "ten minutes"


@pytest.mark.parametrize("spoil", [spoil_name, spoil_value])
def test_a_wrong_field_of_the_manifest_is_found(spoil):
    deployment = manifest()["Deployment"]
    spoil(deployment["spec"]["template"]["spec"])
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, "1.37.0", strict=True)


def compose(file, **variables):
    """What docker compose makes of the file; it asks no engine for that."""
    return subprocess.run(
        ["docker-compose", "-f", file, "config"], capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": str(file.parent), **variables})


def test_docker_compose_takes_its_file_and_asks_for_the_address(tmp_path):
    done = compose(COMPOSE, ADDRESS="203.0.113.10")
    assert done.returncode == 0, done.stderr
    service = yaml.safe_load(done.stdout)["services"]["roundhouse"]
    assert service["environment"]["ROUNDHOUSE_ANNOUNCED_ADDRESS"] == "203.0.113.10"
    # Compose ends what has not ended by then.
    assert int(service["stop_grace_period"].rstrip("s")) >= int(service["environment"]["ROUNDHOUSE_DRAIN_SECONDS"]) + 15

    done = compose(COMPOSE)
    assert done.returncode != 0 and "the address that clients reach" in done.stderr, done.stderr
    spoiled = tmp_path / "compose.yaml"
    spoiled.write_text(COMPOSE.read_text().replace("cap_drop:", "cap_drp:"))
    done = compose(spoiled, ADDRESS="203.0.113.10")
    assert done.returncode != 0 and "cap_drp" in done.stderr, done.stderr


def test_a_pod_is_given_the_time_that_its_people_are():
    documents = manifest()
    settings, pod = documents["ConfigMap"]["data"], documents["Deployment"]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= int(settings["ROUNDHOUSE_DRAIN_SECONDS"]) + 15
    (container,) = pod["containers"]
    media = [one["containerPort"] for one in container["ports"] if one["protocol"] == "UDP"]
    # One port for each media thread, and the node's network for all of them.
    assert media == [44444 + index for index in range(int(settings["ROUNDHOUSE_SHARDS"]))]
    assert pod["hostNetwork"] is True
    assert documents["Service"]["spec"]["selector"] == documents["Deployment"]["spec"]["template"]["metadata"]["labels"]
