"""Attempts to sign on by NTLM."""

import clients
import ntlm_clients
from clients import DOMAIN, curl
from ntlm_clients import Exchange, login, signed_on
from table import must_be_refused, way

REQUESTS = 50
"""Requests of a connection that has signed on once."""
FIRST_MESSAGE = "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw=="
"""What a Windows client sends in place of Kerberos where it finds no ticket."""
OTHER_CHANNEL = b"tls-server-end-point:" + bytes(32)
"""The binding of a TLS connection to another server."""


@way(f"NTLM: curl, as {DOMAIN}\\alice")
def _():
    return ntlm_clients.curl_ntlm("alice", clients.WEB).greets("alice")


@way("NTLM: curl, HTTP/2 offered to it")
def _():
    answer = ntlm_clients.curl_ntlm("alice", clients.WEB_TLS, "--http2", *clients.TRUST)
    words = f"sent back to HTTP/1.1; {answer.evidence()}"
    return answer.line, answer.version == "1.1" and answer.is_hello("alice"), words


@way("NTLM: Python, bound to its TLS channel")
def _():
    return ntlm_clients.bound_whoami("alice")


@way("NTLM: in SPNEGO, under Negotiate")
def _():
    return signed_on(clients.WEB, "Negotiate", **login("alice"), wrap="spnego").greets("alice")


@way("NTLM: one login kept alive, as Outlook")
def _():
    # Over TLS: what comes over plain HTTP from this host may be a proxy's.
    with Exchange(clients.WEB_TLS, "NTLM", **login("alice")) as exchange:
        first = exchange.signed_on()
        more = [exchange.get() for _ in range(REQUESTS)]
    seen = sum(answer.is_hello("alice") for answer in more)
    words = f"one login, then {seen} requests on the connection; on another one: {curl(clients.WEB).status}"
    return first.line, first.is_hello("alice") and seen == REQUESTS, words


@way("NTLM: Chromium without a ticket")
def _():
    return clients.shown("page shown", ntlm_clients.chromium("bob", clients.WEB), "bob")


@must_be_refused("NTLM: a wrong password")
def _():
    return signed_on(clients.WEB, user=f"{DOMAIN}\\alice", password="not-hers").denies(401, "logon_failed")


@must_be_refused("NTLM: carol, who is disabled")
def _():
    answer = signed_on(clients.WEB, **login("carol"))
    right = answer.refused(401, "logon_failed")
    return answer.line, right, f"her password is right; {answer.why()}"


@must_be_refused("NTLM: version 1")
def _():
    return signed_on(clients.WEB, **login("alice"), response="ntlmv1").denies(401, "ntlm_too_old")


@must_be_refused("NTLM: relayed from another TLS channel")
def _():
    answer = signed_on(clients.WEB_TLS, **login("alice"), binding=OTHER_CHANNEL.hex())
    return answer.denies(401, "binding_mismatch")


@must_be_refused("NTLM: changed on its way")
def _():
    return signed_on(clients.WEB, **login("alice"), mic="wrong").denies(401, "ntlm_tampered")


@must_be_refused("NTLM: on HTTP/2")
def _():
    code = ntlm_clients.on_http2(clients.WEB_TLS, FIRST_MESSAGE)
    return "stream reset", code == "HTTP_1_1_REQUIRED", code


@must_be_refused("NTLM: where only Kerberos is offered")
def _():
    return signed_on(clients.KERBEROS_ONLY, "Negotiate", **login("alice")).denies(401, "ntlm_sent")
