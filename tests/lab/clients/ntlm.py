"""An NTLM client that a test steers, leg by leg: pyspnego, with the faults it lacks.

JSON on stdin, an answer to each line on stdout:

{"new": ID, "user": …, "password": …, …}   begins an exchange (the keys of Exchange)
{"step": ID, "token": BASE64 or null}      the server's token: the client's next one,
                                           {"token": BASE64 or null, "complete": bool}
"""

import base64
import json
import os
import struct
import sys

from spnego import NTLMHash
from spnego._context import GSSMech
from spnego._negotiate import NegotiateProxy
from spnego._ntlm import NTLMProxy
from spnego._ntlm_raw.crypto import compute_response_v1, compute_response_v2, lmowfv1, ntowfv1, ntowfv2
from spnego._ntlm_raw.messages import AvFlags, AvId, FileTime, NegotiateFlags
from spnego.channel_bindings import GssChannelBindings

NEGOEX = "1.3.6.1.4.1.311.2.2.30"
MIC = slice(72, 88)


class First:
    """A first message of a chosen length; pyspnego makes 40 bytes."""

    def __init__(self, message, length):
        # Shorter ones are genuine: the version, then both names, may be left out.
        flags = struct.unpack("<I", message[12:16])[0] & ~int(NegotiateFlags.version)
        self.bytes = (message[:12] + struct.pack("<I", flags) + message[16:])[:length]

    def pack(self):
        return self.bytes


class Client(NTLMProxy):
    def __init__(self, wanted):
        self.wanted = wanted
        password = wanted["password"]
        # As hashes, so that the password never tempts SPNEGO to ask a KDC.
        login = NTLMHash(wanted["user"], lmowfv1(password).hex(), ntowfv1(password).hex())
        bindings = None
        if wanted.get("binding"):
            bindings = GssChannelBindings(application_data=bytes.fromhex(wanted["binding"]))
        super().__init__(
            login, hostname=wanted.get("host"), service=wanted.get("service"), channel_bindings=bindings
        )

    def _step_initiate(self, in_token=None, **more):
        token = super()._step_initiate(in_token, **more)
        if in_token is None:
            if length := self.wanted.get("first_length"):
                self._temp_negotiate = First(token, length)
                token = self._temp_negotiate.pack()
            return bytes(token)
        if not self._context_attr & NegotiateFlags.version:
            token = self.with_version(in_token, token)
        if self.wanted.get("mic") == "wrong":
            token = bytearray(token)
            token[MIC.start] ^= 1
        elif self.wanted.get("mic") == "missing":
            token = without_mic(token)
        return bytes(token)

    def with_version(self, challenge, message):
        """The third message with an empty version: pyspnego leaves out the field where
        it was not negotiated, and the code then stands where nobody looks for it."""
        message = bytearray(message)
        message[64:80] = bytes(24)
        move(message, 8)
        if self._mic_required:
            message[MIC] = self._calculate_mic(
                self._session_key, self._temp_negotiate.pack(), challenge, bytes(message)
            )
        return message

    def _compute_response(self, challenge, credential, channel_bindings):
        response = self.wanted.get("response", "ntlmv2")
        if response == "anonymous":
            credential.username = credential.domain = ""
            return b"", b"\0", bytes(16)
        if response in ("ntlmv1", "lm"):
            flags = challenge.flags & ~NegotiateFlags.extended_session_security
            nt, lm, key = compute_response_v1(
                flags, credential.nt_hash, credential.lm_hash, challenge.server_challenge,
                os.urandom(8), no_lm_response=response != "lm",
            )
            return (b"" if response == "lm" else nt), lm, key
        if self.wanted.get("zero_binding"):
            return self.zero_bound(challenge, credential)
        return super()._compute_response(challenge, credential, channel_bindings)

    def zero_bound(self, challenge, credential):
        """NTLMv2 as pyspnego makes it, saying explicitly that nothing is bound."""
        info = challenge.target_info.copy()
        info[AvId.channel_bindings] = bytes(16)
        info[AvId.target_name] = self.spn or ""
        self._mic_required = AvId.timestamp in info or self._mic_required
        if self._mic_required:
            info[AvId.flags] = info.get(AvId.flags, AvFlags(0)) | AvFlags.mic
        key = ntowfv2(credential.username, credential.nt_hash, credential.domain)
        time = info.get(AvId.timestamp) or FileTime.now()
        nt, _, session = compute_response_v2(key, challenge.server_challenge, os.urandom(8), time, info)
        return nt, bytes(24), session


def without_mic(message):
    """The same third message, whose header ends where the code would begin."""
    message = bytearray(message)
    del message[MIC]
    move(message, -16)
    return message


def move(message, by):
    """Makes the fields of a third message point to where their bytes have gone."""
    for field in (12, 20, 28, 36, 44, 52):
        offset = struct.unpack_from("<I", message, field + 4)[0]
        struct.pack_into("<I", message, field + 4, offset + by)


class SecondChoice(NegotiateProxy):
    """Prefers a mechanism that nobody knows, as Windows does with NEGOEX."""

    preferred = True

    def _rebuild_context_list(self, **more):
        return [NEGOEX, *super()._rebuild_context_list(**more)]

    def _step_spnego_token(self, **more):
        if self.preferred:
            self.preferred = False
            return b"NEGOEXTS" + bytes(32)
        return super()._step_spnego_token(**more)


def exchange(wanted):
    client = Client(wanted)
    wrap = wanted.get("wrap", "raw")
    if wrap == "raw":
        return client
    client._is_wrapped = True
    proxy = NegotiateProxy if wrap == "spnego" else SecondChoice
    login = NTLMHash(wanted["user"], "0" * 32, "0" * 32)
    return proxy(login, _negotiate_contexts={GSSMech.ntlm: client})


def main():
    exchanges = {}
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if "new" in asked:
                exchanges[asked["new"]] = exchange(asked)
                answer = {}
            else:
                context = exchanges[asked["step"]]
                given = asked.get("token")
                token = context.step(base64.b64decode(given) if given else None)
                answer = {
                    "token": base64.b64encode(token).decode() if token else None,
                    "complete": context.complete,
                }
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
