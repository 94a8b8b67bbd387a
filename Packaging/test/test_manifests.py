"""Files for other programs: well-formed, and in step with each other."""

import json
import subprocess

import yaml

from conftest import ROOT

RULES = "{extends: default, rules: {line-length: {max: 140}}}"
FILES = ("Packaging/compose.yaml", "Packaging/kubernetes.yaml", ".gitlab-ci.yml", ".github/workflows")


def test_yaml_is_well_formed():
    done = subprocess.run(["yamllint", "--strict", "-d", RULES, *(ROOT / file for file in FILES)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())


def test_a_pod_is_given_the_time_that_its_people_are():
    documents = {one["kind"]: one for one in yaml.safe_load_all((ROOT / "Packaging/kubernetes.yaml").read_text())}
    settings, pod = documents["ConfigMap"]["data"], documents["Deployment"]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= int(settings["ROUNDHOUSE_DRAIN_SECONDS"]) + 15
    (container,) = pod["containers"]
    media = [one["containerPort"] for one in container["ports"] if one["protocol"] == "UDP"]
    # One port for each media thread, and the node's network for all of them.
    assert media == [44444 + index for index in range(int(settings["ROUNDHOUSE_SHARDS"]))]
    assert pod["hostNetwork"] is True
    assert documents["Service"]["spec"]["selector"] == documents["Deployment"]["spec"]["template"]["metadata"]["labels"]
