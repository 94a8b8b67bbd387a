"""What `doctor` says of a machine and of settings, and that it is true."""

import datetime
import json
import platform
import socket
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import network
from gateway import BINARY, assert_no_trap


def doctor(*options):
    """Its exit status, and what it found by subject."""
    done = subprocess.run(
        [str(word) for word in (BINARY, "doctor", "--json", *options)], capture_output=True, text=True, timeout=60)
    assert_no_trap(done.stderr)
    found = json.loads(done.stdout)
    assert all(set(one) == {"level", "subject", "text"} and one["text"] for one in found), found
    return done.returncode, {one["subject"]: (one["level"], one["text"]) for one in found}


def free():
    return ["--host", "127.0.0.1", "--port", network.free_ports(), "--media-port", network.free_ports(2),
            "--shards", 2, "--media-listen", "127.0.0.1"]


def certificate(folder, days):
    """Files of a certificate that is good for so many more days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "meet.example")])
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days, hours=12)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(7).not_valid_before(end - datetime.timedelta(days=90)).not_valid_after(end)
            .sign(key, hashes.SHA256()))
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return ["--tls-certificate", folder / "certificate.pem", "--tls-private-key", folder / "key.pem"]


def test_a_server_that_would_work_is_started_and_ended():
    options = free()
    status, found = doctor(*options)
    assert status == 0, found
    assert found["server"] == ("ok", "starts with these settings, and ends")
    assert found["media"][0] == "warning" and "only this machine's own" in found["media"][1], found
    assert {"system", "clock", "processors", "sending", "waiting", "encryption", "buffers", "open files"} <= set(found)
    # The ports are free again.
    assert doctor(*options)[1]["server"][0] == "ok"


# Has all that the server looks for, and encrypts nothing.
FAULTY_LIBRARY = r"""
#include <stdint.h>
#include <string.h>
unsigned imb_get_version(void) { return 1u << 16 | 5; }
#define PRE(bits, variant) void aes_gcm_pre_##bits##_##variant(const void *key, void *expanded) {}
#define CRYPT(way, bits, variant)                                                                                      \
    void aes_gcm_##way##_##bits##_##variant(                                                                           \
        const void *key, void *context, uint8_t *out, const uint8_t *in, uint64_t count, const uint8_t *vector,        \
        const uint8_t *header, uint64_t header_length, uint8_t *tag, uint64_t tag_length) {                            \
        memmove(out, in, count);                                                                                       \
        memset(tag, 0, tag_length);                                                                                    \
    }
#define ALL(bits, variant) PRE(bits, variant) CRYPT(enc, bits, variant) CRYPT(dec, bits, variant)
ALL(128, avx_gen4) ALL(256, avx_gen4) ALL(128, vaes_avx512) ALL(256, vaes_avx512)
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the library is for x86-64")
async def test_a_library_that_encrypts_wrongly_is_not_used_and_is_named(start_gateway, tmp_path, monkeypatch):
    source = tmp_path / "faulty.c"
    source.write_text(FAULTY_LIBRARY)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "libIPSec_MB.so.1", source], check=True, timeout=60)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    status, found = doctor(*free())
    assert status == 0, found
    assert found["encryption"][0] == "warning" and "not used" in found["encryption"][1], found
    server = await start_gateway()
    lines = [line for line in server.log.splitlines() if "libIPSec_MB" in line]
    assert len(lines) == 1 and "wrong answers" in lines[0], lines


def test_people_read_a_line_for_each():
    done = subprocess.run(
        [str(word) for word in (BINARY, "doctor", *free())], capture_output=True, text=True, timeout=60)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) >= 12, done.stdout
    assert all(line.split()[0] in ("ok", "warning") for line in lines), done.stdout


async def test_a_server_that_runs_is_asked_and_left_alone(start_gateway):
    gateway = await start_gateway()
    status, found = doctor(*gateway.options)
    assert status == 0 and found["server"][0] == "ok" and "takes new peers" in found["server"][1], found
    assert gateway.process.poll() is None


@pytest.mark.parametrize("kind, option", [(socket.SOCK_STREAM, "--port"), (socket.SOCK_DGRAM, "--media-port")],
                         ids=["signaling", "media"])
def test_a_port_that_is_taken_is_named(kind, option):
    options = free()
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", options[options.index(option) + 1]))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        status, found = doctor(*options)
    assert status == 1 and found["server"][0] == "failure", found
    assert option in found["server"][1] and str(options[options.index(option) + 1]) in found["server"][1], found


@pytest.mark.parametrize("days, level, words", [
    (60, "ok", "good for 60 days"), (3, "warning", "ends in 3 days"), (-3, "failure", "over since 3 days"),
], ids=["good", "soon over", "over"])
def test_the_certificates_time_is_looked_at(tmp_path, days, level, words):
    status, found = doctor(*free(), *certificate(tmp_path, days))
    assert found["tls"][0] == level and words in found["tls"][1], found
    assert status == (1 if level == "failure" else 0)


@pytest.mark.parametrize("address, level, words", [
    ("192.168.7.7", "warning", "nobody outside of that network"), ("203.0.113.7", "ok", "sent to 203.0.113.7"),
    ("localhost", "ok", "whose names have addresses"),
    ("media.invalid", "warning", "media.invalid has no address here"),
], ids=["private", "public", "a name", "no name"])
def test_the_address_that_clients_are_sent_to_is_judged(address, level, words):
    found = doctor(*free(), "--announced-address", address)[1]
    assert found["media"][0] == level and words in found["media"][1], found


def test_wrong_settings_are_named_as_everywhere(tmp_path):
    file = tmp_path / "roundhouse.yaml"
    file.write_text("prot: 3016\n")
    done = subprocess.run([BINARY, "doctor", "--config", file], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "did you mean port?" in done.stderr, done.stderr
