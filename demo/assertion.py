"""Verifies Doorward's signed assertion (a JWT, ES256) as an application should.

In an application, a JWT library does this; here Python's own library and openssl are
enough, and every step can be read.
"""

import base64
import json
import subprocess
import tempfile
import time
from pathlib import Path

# SubjectPublicKeyInfo of an uncompressed P-256 point (RFC 5480), up to the point.
P256_PUBLIC_KEY = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")


class Invalid(Exception):
    """The assertion proves nothing; the text says why."""


def verify(token, keys, audience):
    """Gives the claims of `token`, if one of `keys` (a JWK set) signed it for `audience`
    and it has not expired. The audience is the host name, and behind it the site's path
    where that is longer than "/": web.example, web.example/admin. Applications that
    share a host by path do not share assertions."""
    signed, _, signature = token.rpartition(".")
    header, claims = (json.loads(decoded(part)) for part in signed.split("."))
    # The algorithm is ours to demand, not the token's to choose.
    if header.get("alg") != "ES256":
        raise Invalid(f"it is signed with {header.get('alg')}, not ES256")
    key = next((key for key in keys["keys"] if key.get("kid") == header.get("kid")), None)
    if key is None:
        raise Invalid("no published key has this kid")
    if not signature_is_right(signed.encode(), decoded(signature), key):
        raise Invalid("the signature is wrong")
    if claims["aud"] != audience:
        raise Invalid(f"it is for {claims['aud']}, not for {audience}")
    if claims["exp"] <= time.time():
        raise Invalid("it has expired")
    return claims


def signature_is_right(signed, signature, key):
    public = base64.b64encode(P256_PUBLIC_KEY + decoded(key["x"]) + decoded(key["y"])).decode()
    pem = f"-----BEGIN PUBLIC KEY-----\n{public}\n-----END PUBLIC KEY-----\n"
    with tempfile.TemporaryDirectory() as folder:
        key_file, signature_file = Path(folder) / "key", Path(folder) / "signature"
        key_file.write_text(pem)
        signature_file.write_bytes(der(signature))
        command = ["openssl", "dgst", "-sha256", "-verify", key_file, "-signature", signature_file]
        return subprocess.run(command, input=signed, capture_output=True).returncode == 0


def der(signature):
    """A signature as openssl reads it, from the two numbers that a JWT holds (RFC 7518
    section 3.4)."""
    numbers = b"".join(der_integer(half) for half in (signature[:32], signature[32:]))
    return b"\x30" + bytes([len(numbers)]) + numbers


def der_integer(number):
    number = number.lstrip(b"\0") or b"\0"
    if number[0] & 0x80:
        number = b"\0" + number
    return b"\x02" + bytes([len(number)]) + number


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
