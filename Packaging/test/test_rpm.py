"""The .rpm: what it asks for, and that its files and scripts work in a root of its own."""

import os
import re
import subprocess

import ports
from conftest import ROOT, copy_in, get, wait_until_ready

CONFIG = "/etc/roundhouse/roundhouse.yaml"


def rpm(*words):
    return subprocess.run(["rpm", *map(str, words)], check=True, capture_output=True, text=True).stdout


def test_it_asks_for_what_rhel_9_has_and_nothing_newer(packages):
    required = rpm("-qp", "--requires", packages("roundhouse-*.rpm")).splitlines()
    found = re.findall(r"GLIBC_([0-9.]+)", "\n".join(required))
    versions = [tuple(map(int, one.split("."))) for one in found]
    assert max(versions) == (2, 34), required
    for library in ("libssl.so.3()(64bit)", "libcrypto.so.3()(64bit)", "libnghttp2.so.14()(64bit)",
                    "libc.so.6(GLIBC_2.34)(64bit)", "libssl.so.3(OPENSSL_3.0.0)(64bit)"):
        assert library in required, required
    assert not [line for line in required if "swift" in line.lower()], required


def test_it_has_the_same_files_as_the_other_packages(packages):
    files = set(rpm("-qlp", packages("roundhouse-*.rpm")).splitlines())
    for path in ("/usr/bin/roundhouse", "/usr/lib/systemd/system/roundhouse.service", "/etc/roundhouse/roundhouse.yaml",
                 "/usr/lib/sysusers.d/roundhouse.conf", "/usr/share/man/man1/roundhouse.1.gz"):
        assert path in files, files
    assert rpm("-qpc", packages("roundhouse-*.rpm")).split() == ["/etc/roundhouse/roundhouse.yaml"]


def test_it_is_installed_and_erased_in_a_root_of_its_own(packages, debian):
    sandbox = debian("bookworm")
    path, root = packages("roundhouse-*.rpm"), f"--root={sandbox.root}"
    rpm(root, "--initdb")
    done = subprocess.run(["rpm", root, "-i", path], capture_output=True, text=True)
    # A system that rpm does not keep has none of the libraries: it names each, and installs nothing.
    assert done.returncode != 0 and "libssl.so.3(OPENSSL_3.0.0)(64bit) is needed" in done.stderr, done.stderr
    assert not (sandbox.root / "usr/bin/roundhouse").exists()

    done = subprocess.run(["rpm", root, "-i", "--nodeps", path], capture_output=True, text=True)
    assert done.returncode == 0 and "systemd does not run here" in done.stdout + done.stderr, done.stdout + done.stderr
    assert sandbox.run("id", "-u", "roundhouse").stdout.strip().isdigit()
    config = sandbox.root / "etc/roundhouse/roundhouse.yaml"
    config.write_text(config.read_text() + "# Changed.\n")
    done = subprocess.run(["rpm", root, "-e", "roundhouse"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (sandbox.root / "usr/bin/roundhouse").exists()
    # What an administrator changed is kept beside it.
    assert "# Changed." in (config.parent / "roundhouse.yaml.rpmsave").read_text()


def newer(package, folder):
    """The same files as a later version's package: it is named after the time that it is given."""
    with subprocess.Popen(["rpm2cpio", package], stdout=subprocess.PIPE) as archive:
        (folder / "tree").mkdir()
        subprocess.run(["cpio", "--quiet", "-idm"], cwd=folder / "tree", stdin=archive.stdout, check=True)
    # Where the package's build moves it from.
    moved = folder / "tree/usr/share/zsh"
    (moved / "site-functions").rename(moved / "vendor-completions")
    subprocess.run([ROOT / "Packaging/rpm/build", folder / "tree", folder], check=True, timeout=300,
                   env={**os.environ, "SOURCE_DATE_EPOCH": "4000000000"})
    (path,) = folder.glob("*.rpm")
    return path


def test_a_running_server_outlives_upgrade_and_removal(packages, debian, work, started):
    sandbox = debian("bookworm")
    needed = ["rpm", "libssl3", "libnghttp2-14", "libstdc++6"]
    for words in (["update"], ["install", "-y", "--no-install-recommends", *needed]):
        done = sandbox.run("apt-get", *words)
        assert done.returncode == 0, done.stdout
    one, two = (copy_in(sandbox, path, name) for path, name in (
        (packages("roundhouse-*.rpm"), "one.rpm"), (newer(packages("roundhouse-*.rpm"), work), "two.rpm")))
    done = sandbox.run("rpm", "-i", "--nodeps", one)
    assert done.returncode == 0, done.stdout
    port, _ = ports.options()
    config = sandbox.root / CONFIG[1:]
    text = config.read_text().replace("port: 3016", f"port: {port}").replace("media-port: 44444", "media-port: 0")
    config.write_text(text + "shards: 2\nmedia-listen: [127.0.0.1]\n")
    user, log = sandbox.run("id", "-u", "roundhouse").stdout.strip(), work / "server.log"
    server = started(sandbox.start("/usr/bin/roundhouse", "--config", CONFIG, user=user, log=log))
    wait_until_ready(port, server, log)

    done = sandbox.run("rpm", "-U", "--nodeps", two)
    assert done.returncode == 0 and "keeps its calls" in done.stdout, done.stdout
    assert server.poll() is None and get(port, "/healthz")[0] == 200
    assert "shards: 2" in config.read_text()

    done = sandbox.run("rpm", "-e", "roundhouse")
    assert done.returncode == 0 and "was not started by systemd: it goes on" in done.stdout, done.stdout
    assert server.poll() is None and get(port, "/readyz")[0] == 200
    assert not (sandbox.root / "usr/bin/roundhouse").exists()
    assert "shards: 2" in (config.parent / "roundhouse.yaml.rpmsave").read_text()
