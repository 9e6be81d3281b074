"""Attempts to sign on by NTLM."""

import clients
import ntlm_clients
from clients import DOMAIN, curl
from ntlm_clients import Exchange, login
from table import must_be_refused, way

REQUESTS = 50
"""Requests of a connection that has signed on once."""
FIRST_MESSAGE = "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw=="
"""What a Windows client sends in place of Kerberos where it finds no ticket."""
OTHER_CHANNEL = b"tls-server-end-point:" + bytes(32)
"""The binding of a TLS connection to another server."""


@way(f"NTLM: curl, as {DOMAIN}\\alice")
def _():
    answer = ntlm_clients.curl_ntlm("alice", clients.WEB)
    return answer.line, answer.is_hello("alice"), answer.evidence()


@way("NTLM: curl, HTTP/2 offered to it")
def _():
    answer = ntlm_clients.curl_ntlm("alice", clients.WEB_TLS, "--http2", *clients.TRUST)
    words = f"sent back to HTTP/1.1; {answer.evidence()}"
    return answer.line, answer.version == "1.1" and answer.is_hello("alice"), words


@way("NTLM: Python, bound to its TLS channel")
def _():
    who = ntlm_clients.requests_whoami("alice")
    bound = who["channel_bound"]
    words = f"whoami: {who['principal']}, channel_bound {str(bound).lower()}"
    return "HTTP/1.1 200", bound and who["user"]["login"] == "alice", words


@way("NTLM: in SPNEGO, under Negotiate")
def _():
    with Exchange(clients.WEB, "Negotiate", **login("alice"), wrap="spnego") as exchange:
        answer = exchange.signed_on()
    return answer.line, answer.is_hello("alice"), answer.evidence()


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
    heading = clients.heading(ntlm_clients.chromium("bob", clients.WEB))
    return "page shown", heading == "Hello bob", f"the page says \"{heading}\""


@must_be_refused("NTLM: a wrong password")
def _():
    with Exchange(clients.WEB, "NTLM", user=f"{DOMAIN}\\alice", password="not-hers") as exchange:
        answer = exchange.signed_on()
    return answer.line, answer.refused(401, "logon_failed"), answer.why()


@must_be_refused("NTLM: carol, who is disabled")
def _():
    with Exchange(clients.WEB, "NTLM", **login("carol")) as exchange:
        answer = exchange.signed_on()
    right = answer.refused(401, "logon_failed")
    return answer.line, right, f"her password is right; {answer.why()}"


@must_be_refused("NTLM: version 1")
def _():
    with Exchange(clients.WEB, "NTLM", **login("alice"), response="ntlmv1") as exchange:
        answer = exchange.signed_on()
    return answer.line, answer.refused(401, "ntlm_too_old"), answer.why()


@must_be_refused("NTLM: relayed from another TLS channel")
def _():
    with Exchange(clients.WEB_TLS, "NTLM", **login("alice"), binding=OTHER_CHANNEL.hex()) as exchange:
        answer = exchange.signed_on()
    return answer.line, answer.refused(401, "binding_mismatch"), answer.why()


@must_be_refused("NTLM: changed on its way")
def _():
    with Exchange(clients.WEB, "NTLM", **login("alice"), mic="wrong") as exchange:
        answer = exchange.signed_on()
    return answer.line, answer.refused(401, "ntlm_tampered"), answer.why()


@must_be_refused("NTLM: on HTTP/2")
def _():
    code = ntlm_clients.on_http2(clients.WEB_TLS, FIRST_MESSAGE)
    return "stream reset", code == "HTTP_1_1_REQUIRED", code


@must_be_refused("NTLM: where only Kerberos is offered")
def _():
    with Exchange(clients.KERBEROS_ONLY, "Negotiate", **login("alice")) as exchange:
        answer = exchange.signed_on()
    return answer.line, answer.refused(401, "ntlm_sent"), answer.why()
