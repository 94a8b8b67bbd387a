"""Certificates by an authority of the tests' own."""

import subprocess


def issue(folder, name):
    """An authority's certificate, and one by it for a host with its key: three PEM files."""
    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    authority, root, certificate, key = (folder / name for name in ("ca.pem", "ca.key", "server.pem", "server.key"))
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=Test CA", "-addext", "keyUsage=critical,keyCertSign", "-keyout", root, "-out", authority)
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", key, "-out", folder / "server.csr")
    (folder / "server.ext").write_text(
        f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", folder / "server.csr", "-CA", authority, "-CAkey", root, "-CAcreateserial",
            "-days", "2", "-extfile", folder / "server.ext", "-out", certificate)
    return authority, certificate, key
