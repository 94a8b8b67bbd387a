#!/usr/bin/env python3
"""sbom.py BINARY STATE VERSION COMMIT EPOCH: the bill of materials (CycloneDX 1.5, JSON) of a binary: the packages that
it was built from, as SwiftPM resolved them (STATE is workspace-state.json, or a folder `vendor`), Swift itself, and the
C libraries that it is linked with, as this system has them."""

import json
import pathlib
import re
import subprocess
import sys
import time
import uuid

# Those of the Swift packages' own licenses that are not Apache-2.0 would be named here.
SWIFT_LICENSE = "Apache-2.0"


def words(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def component(kind, name, version, purl, license=None, **more):
    entry = {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl, **more}
    if license:
        entry["licenses"] = [{"license": {"id": license}}]
    return entry


def swift_packages(state):
    dependencies = json.loads(state)["object"]["dependencies"]
    for dependency in sorted(dependencies, key=lambda one: one["packageRef"]["identity"]):
        reference, checkout = dependency["packageRef"], dependency["state"].get("checkoutState", {})
        location = re.sub(r"^https?://|\.git$", "", reference["location"])
        version = checkout.get("version") or dependency["state"].get("path", "unversioned")
        yield component(
            "library", reference["identity"], version, f"pkg:swift/{location}@{version}", SWIFT_LICENSE)


def vendored(folder):
    for line in (folder / "VERSIONS").read_text().splitlines():
        name, version, location = line.split()
        location = re.sub(r"^https?://|\.git$", "", location)
        yield component("library", name, version, f"pkg:swift/{location}@{version}", SWIFT_LICENSE)


def swift_runtime():
    version = re.search(r"Swift version (\S+)", words("swift", "--version"))[1]
    return component(
        "library", "swift-runtime", version, f"pkg:swift/github.com/swiftlang/swift@{version}", "Apache-2.0",
        description="Swift's standard library, libdispatch and FoundationEssentials, linked statically")


def owner(path):
    for name in (path, path.removeprefix("/usr")):
        done = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    return None


def linked_libraries(binary):
    packages = {}
    for line in words("ldd", binary).splitlines():
        match = re.match(r"\s*(?:(\S+) => )?(/\S+) \(0x", line)
        package = match and owner(str(pathlib.Path(match[2]).resolve()))
        if package:
            packages.setdefault(package, []).append(pathlib.Path(match[1] or match[2]).name)
    for package, files in sorted(packages.items()):
        version = words("dpkg-query", "-W", "-f", "${Version}", package).split("\n")[0]
        yield component(
            "library", package, version, f"pkg:deb/debian/{package}@{version}",
            description="linked dynamically: " + ", ".join(sorted(files)))


def main(binary, state, version, commit, epoch):
    state = pathlib.Path(state)
    packages = list(vendored(state) if state.is_dir() else swift_packages(state.read_text()))
    components = [*packages, swift_runtime(), *linked_libraries(binary)]
    server = component("application", "roundhouse", version, f"pkg:generic/roundhouse@{version}", "Apache-2.0")
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        # The same build has the same number.
        "serialNumber": "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_URL, f"roundhouse:{commit}:{version}")),
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(epoch))), "component": server,
            "properties": [{"name": "commit", "value": commit}]},
        "components": components,
        "dependencies": [{"ref": server["purl"], "dependsOn": [one["purl"] for one in components]}],
    }
    json.dump(document, sys.stdout, indent=2, sort_keys=True)
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
