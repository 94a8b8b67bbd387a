"""Access tokens, good and bad, made without the server's own code."""

import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

KEY = "an-end-to-end-key-of-more-than-32-bytes"
OTHER_KEY = "another-end-to-end-key-of-over-32-bytes"


def encoded(part):
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(key=KEY, header=None, **claims):
    """A token with these claims, valid for an hour unless `exp` says otherwise; `exp=None` leaves it out."""
    claims = {"exp": int(time.time()) + 3600, **claims}
    claims = {name: value for name, value in claims.items() if value is not None}
    signed = encoded({"alg": "HS256", "typ": "JWT", **(header or {})}) + "." + encoded(claims)
    return signed + "." + encoded(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())


class Issuer:
    """Somebody with a key pair, whose tokens a server believes that has the public half."""

    def __init__(self, algorithm, name):
        self.algorithm, self.name = algorithm, name
        self.key = {
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate}[algorithm]()

    def token(self, header=None, **claims):
        claims = {"exp": int(time.time()) + 3600, **claims}
        signed = encoded({"alg": self.algorithm, "kid": self.name, **(header or {})}) + "." + encoded(claims)
        return signed + "." + encoded(self.signature(signed.encode()))

    def signature(self, data):
        if self.algorithm == "RS256":
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if self.algorithm == "EdDSA":
            return self.key.sign(data)
        r, s = utils.decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def jwk(self):
        """The public half as RFC 7517 has it."""
        def number(value):
            return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))
        public = self.key.public_key()
        if self.algorithm == "RS256":
            numbers = public.public_numbers()
            fields = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        elif self.algorithm == "ES256":
            numbers = public.public_numbers()
            fields = {"kty": "EC", "crv": "P-256", "x": encoded(numbers.x.to_bytes(32, "big")),
                      "y": encoded(numbers.y.to_bytes(32, "big"))}
        else:
            fields = {"kty": "OKP", "crv": "Ed25519", "x": encoded(public.public_bytes_raw())}
        return {**fields, "alg": self.algorithm, "use": "sig", "kid": self.name}

    def pem(self):
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
