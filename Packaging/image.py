#!/usr/bin/env python3
"""image.py TREE FOLDER VERSION COMMIT EPOCH ARCHITECTURE: FOLDER/roundhouse-VERSION-image-ARCHITECTURE.tar, an OCI
image layout that `docker load` reads too. It has two layers: the C libraries, as this Debian system has them, and the
server. There is no shell and no package manager in it."""

import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import time

USER = 10001
# The names that the server and the C library look up.
PASSWD = f"root:x:0:0:root:/:/nonexistent\nroundhouse:x:{USER}:{USER}:roundhouse:/:/nonexistent\n"
GROUP = f"root:x:0:\nroundhouse:x:{USER}:\n"
NSSWITCH = "hosts: files dns\n"


class Layer:
    """A tar of files with the same owner and time, in the order of their names."""

    def __init__(self, epoch):
        self.epoch, self.entries = epoch, {}

    def _entry(self, path, kind, mode):
        entry = tarfile.TarInfo(path)
        entry.type, entry.mode, entry.mtime = kind, mode, self.epoch
        return entry

    def file(self, path, content, mode=0o644):
        path = path.lstrip("/")
        for parent in reversed(pathlib.PurePosixPath(path).parents[:-1]):
            self.folder(str(parent))
        entry = self._entry(path, tarfile.REGTYPE, mode)
        entry.size = len(content)
        self.entries[path] = (entry, content)

    def folder(self, path, mode=0o755):
        self.entries.setdefault(path, (self._entry(path, tarfile.DIRTYPE, mode), b""))

    def link(self, path, target):
        entry = self._entry(path, tarfile.SYMTYPE, 0o777)
        entry.linkname = target
        self.entries[path] = (entry, b"")

    def tar(self):
        output = io.BytesIO()
        with tarfile.open(fileobj=output, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for path in sorted(self.entries):
                entry, content = self.entries[path]
                archive.addfile(entry, io.BytesIO(content))
        return output.getvalue()


def libraries(binary):
    """Where the loader finds what the binary needs, indirectly too, and the loader itself: name → file."""
    found = {}
    for line in subprocess.run(["ldd", binary], check=True, capture_output=True, text=True).stdout.splitlines():
        match = re.match(r"\s*(?:(\S+) => )?(/\S+) \(0x", line)
        if match:
            found[match[1] or match[2]] = os.path.realpath(match[2])
    return found


def package_of(path):
    # The package database may know a file by the name before /usr was merged.
    for name in (path, path.removeprefix("/usr")):
        done = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    sys.exit(f"image.py: no package owns {path}")


def system_layer(binary, epoch):
    layer, packages = Layer(epoch), set()
    for name in ("bin", "lib", "lib64"):
        layer.folder("usr/" + name)
        layer.link(name, "usr/" + name)
    for name, source in libraries(binary).items():
        packages.add(package_of(source))
        target = name if name.startswith("/") else f"/lib/{os.path.basename(name)}"
        target = "/usr" + target if not target.startswith("/usr") else target
        layer.file(target, pathlib.Path(source).read_bytes(), 0o755)
    for package in sorted(packages):
        path = f"usr/share/doc/{package}/copyright"
        layer.file(path, pathlib.Path("/", path).read_bytes())
    layer.file("etc/passwd", PASSWD.encode())
    layer.file("etc/group", GROUP.encode())
    layer.file("etc/nsswitch.conf", NSSWITCH.encode())
    layer.folder("tmp", 0o1777)
    layer.folder("proc")
    layer.folder("sys")
    layer.folder("dev")
    return layer, packages


def server_layer(tree, epoch):
    layer = Layer(epoch)
    layer.file("usr/bin/roundhouse", (tree / "usr/bin/roundhouse").read_bytes(), 0o755)
    for path in sorted((tree / "usr/share/doc/roundhouse").iterdir()):
        layer.file(str(path.relative_to(tree)), path.read_bytes())
    layer.folder("etc/roundhouse")
    return layer


class Layout:
    def __init__(self):
        self.files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def blob(self, content, kind):
        digest = hashlib.sha256(content).hexdigest()
        self.files[f"blobs/sha256/{digest}"] = content
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}

    def write(self, path, epoch):
        archive = Layer(epoch)
        for name, content in self.files.items():
            archive.file(name, content)
        path.write_bytes(archive.tar())


def encode(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def main(tree, folder, version, commit, epoch, architecture):
    tree, epoch = pathlib.Path(tree), int(epoch)
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))
    system, _ = system_layer(tree / "usr/bin/roundhouse", epoch)
    layout, layers, differences = Layout(), [], []
    for layer in (system, server_layer(tree, epoch)):
        content = layer.tar()
        differences.append("sha256:" + hashlib.sha256(content).hexdigest())
        layers.append(layout.blob(gzip.compress(content, 9, mtime=0), "layer.v1.tar+gzip"))
    labels = {
        "org.opencontainers.image.title": "roundhouse", "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": commit, "org.opencontainers.image.created": created,
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.description": "WebRTC media server (selective forwarding unit)",
    }
    name = {"x86_64": "amd64", "aarch64": "arm64"}.get(architecture, architecture)
    config = layout.blob(encode({
        "created": created, "architecture": name, "os": "linux",
        "config": {
            "User": f"{USER}:{USER}", "Entrypoint": ["/usr/bin/roundhouse"], "WorkingDir": "/",
            "Env": ["PATH=/usr/bin"], "StopSignal": "SIGTERM", "Labels": labels,
            "ExposedPorts": {"3016/tcp": {}, "44444/udp": {}, "44444/tcp": {}},
            # Docker reads this from OCI images too; others leave it out.
            "Healthcheck": {
                "Test": ["CMD", "/usr/bin/roundhouse", "health"], "Interval": 30_000_000_000,
                "Timeout": 6_000_000_000, "StartPeriod": 5_000_000_000, "Retries": 3},
        },
        "rootfs": {"type": "layers", "diff_ids": differences},
        "history": [
            {"created": created, "created_by": "C libraries of the build system"},
            {"created": created, "created_by": "Roundhouse " + version}],
    }), "config.v1+json")
    manifest = layout.blob(encode({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
        "layers": layers, "annotations": labels,
    }), "manifest.v1+json")
    # A tag has no plus.
    tag = version.replace("+", "-")
    layout.files["index.json"] = encode({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            **manifest, "platform": {"architecture": name, "os": "linux"},
            "annotations": {"org.opencontainers.image.ref.name": tag}}],
    })
    # How docker load found its way before it read layouts.
    layout.files["manifest.json"] = encode([{
        "Config": "blobs/sha256/" + config["digest"].split(":")[1], "RepoTags": ["roundhouse:" + tag],
        "Layers": ["blobs/sha256/" + layer["digest"].split(":")[1] for layer in layers]}])
    layout.write(pathlib.Path(folder) / f"roundhouse-{version}-image-{architecture}.tar", epoch)


if __name__ == "__main__":
    main(*sys.argv[1:])
