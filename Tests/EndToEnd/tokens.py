"""Access tokens, good and bad, made without the server's own code."""

import base64
import hashlib
import hmac
import json
import time

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
