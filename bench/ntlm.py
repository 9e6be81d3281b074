"""What an NTLM client sends: NTLMv2 with target information and an integrity code
(MS-NLMP). As cheap as Python has it, for the load generator must not be what is measured.
"""

import hmac
import os
import struct
import subprocess

SIGNATURE = b"NTLMSSP\0"
UNICODE, REQUEST_TARGET, NTLM, ALWAYS_SIGN = 0x1, 0x4, 0x200, 0x8000
EXTENDED_SECURITY, TARGET_INFO, KEY_128 = 0x80000, 0x800000, 0x20000000
# No key exchange: the exported key is then the session's base key (section 3.1.5.1.2).
FLAGS = UNICODE | REQUEST_TARGET | NTLM | ALWAYS_SIGN | EXTENDED_SECURITY | TARGET_INFO | KEY_128
NEGOTIATE = SIGNATURE + struct.pack("<II16x", 1, FLAGS)
"""The first message."""
EOL = bytes(4)
TIMESTAMP = 7
MIC_IS_THERE = struct.pack("<HHI", 6, 4, 2)
"""The AV pair that promises an integrity code (section 2.2.2.1)."""
MIC = slice(72, 88)
FIXED = 88
"""Bytes of the third message before its payload."""


class User:
    """An account, and the key that its password makes (section 3.3.2, NTOWFv2)."""

    def __init__(self, domain, name, password):
        self.domain, self.name = domain, name
        self.key = md5(nt_hash(password), utf16(name.upper() + domain))

    def response(self, challenge, target_info):
        """The NTLMv2 response to eight bytes of challenge, and the key of the session."""
        info = target_info.removesuffix(EOL) + MIC_IS_THERE + EOL
        blob = b"\1\1" + bytes(6) + timestamp(target_info) + os.urandom(8) + bytes(4) + info + bytes(4)
        proof = md5(self.key, challenge + blob)
        return proof + blob, md5(self.key, proof)

    def authenticate(self, challenge_message):
        """The third message, in answer to the second."""
        (flags,) = struct.unpack_from("<I", challenge_message, 20)
        nt, key = self.response(challenge_message[24:32], payload(challenge_message, 40))
        fields, rest = b"", b""
        for part in (bytes(24), nt, utf16(self.domain), utf16(self.name), b"", b""):
            fields += struct.pack("<HHI", len(part), len(part), FIXED + len(rest))
            rest += part
        head = SIGNATURE + struct.pack("<I", 3) + fields + struct.pack("<I8x", flags & FLAGS)
        unsigned = head + bytes(16) + rest
        mic = md5(key, NEGOTIATE + challenge_message + unsigned)
        return unsigned[: MIC.start] + mic + unsigned[MIC.stop :]


def payload(message, field):
    """What the eight bytes at `field` point to (section 2.2.1)."""
    length, _, offset = struct.unpack_from("<HHI", message, field)
    return message[offset : offset + length]


def target_info(domain, time):
    """Target information as a server would send it, for challenges of our own."""
    pairs = struct.pack("<HH", 2, len(utf16(domain))) + utf16(domain)
    return pairs + struct.pack("<HHQ", TIMESTAMP, 8, int((time + 11_644_473_600) * 10_000_000)) + EOL


def timestamp(info):
    """The server's time, which the response repeats."""
    at = 0
    while at < len(info):
        kind, length = struct.unpack_from("<HH", info, at)
        if kind == TIMESTAMP:
            return info[at + 4 : at + 12]
        at += 4 + length
    raise ValueError("the challenge has no timestamp")


def md5(key, message):
    return hmac.digest(key, message, "md5")


def nt_hash(password):
    # OpenSSL has MD4 among its legacy algorithms only, where Python does not find it.
    command = ["openssl", "dgst", "-provider", "legacy", "-provider", "default", "-md4", "-binary"]
    return subprocess.run(command, input=utf16(password), capture_output=True, check=True).stdout


def utf16(text):
    return text.encode("utf-16-le")
