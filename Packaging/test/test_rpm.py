"""The .rpm: what it asks for, and that its files and scripts work in a root of its own."""

import re
import subprocess


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
