"""Attempts to sign on by Kerberos, and with the session that comes of it."""

import clients
from clients import curl, negotiate
from table import must_be_refused, way


@way("curl, HTTP/1.1")
def _():
    answer = negotiate("alice", clients.WEB, "--cookie-jar", clients.path("jar"))
    return answer.line, answer.version == "1.1" and answer.is_hello("alice"), answer.evidence()


@way("curl, HTTP/2 over TLS")
def _():
    answer = negotiate("alice", clients.WEB_TLS, "--http2", *clients.TRUST)
    return answer.line, answer.version == "2" and answer.is_hello("alice"), answer.evidence()


@way("Python, bound to its TLS channel")
def _():
    auth = "requests_gssapi.HTTPSPNEGOAuth(channel_bindings='tls-server-end-point')"
    return clients.bound_whoami("alice", "alice", auth)


@way("Chromium")
def _():
    return clients.shown("page shown", clients.chromium("alice", clients.WEB), "alice")


@way("Java (HttpURLConnection)")
def _():
    answer = clients.java("alice", clients.WEB)
    return clients.shown(answer.line, answer.body, "alice")


@way("nginx asks by auth_request")
def _():
    return negotiate("alice", clients.NGINX).greets("alice")


@way("session cookie, without a ticket")
def _():
    return curl(clients.WEB, "--cookie", clients.path("jar")).greets("alice")


@way("a user in 1,000 groups")
def _():
    size = len(clients.token("dora"))
    answer = negotiate("dora", clients.WEB)
    return answer.line, answer.is_hello("dora"), f"{answer.evidence()}, by a token of {size:,} bytes"


@must_be_refused("no ticket")
def _():
    answer = curl(clients.WEB)
    offered = answer.headers("WWW-Authenticate")
    right = answer.refused(401, "no_credentials") and offered == ["Negotiate", "NTLM"]
    return answer.line, right, f"WWW-Authenticate: {', '.join(offered)}; {answer.why()}"


@must_be_refused("carol, who is disabled")
def _():
    said = clients.kinit("carol")
    answer = negotiate("carol", clients.WEB)
    right = "revoked" in said and answer.refused(401, "no_credentials")
    return answer.line, right, f"the domain gives her no ticket: \"{said}\""


@must_be_refused("alice of the MIT realm")
def _():
    return negotiate("mit-alice", clients.WEB, config="KRB5_CONFIG_MIT").denies(401, "realm_not_allowed")


@must_be_refused("forged Remote-User, no ticket")
def _():
    return curl(clients.WEB, "--header", "Remote-User: alice").denies(401, "no_credentials")


@must_be_refused("forged Remote-User, as bob")
def _():
    forged = ["Remote-User: alice", "remote_user: alice", "Remote.User: alice"]
    answer = negotiate("bob", clients.WEB, *(word for line in forged for word in ("--header", line)))
    told = [value for name, value in answer.told() if "user" in name]
    words = f"the application is told {', '.join(told)}, and nothing of alice"
    return answer.line, told == ["bob"] and answer.is_hello("bob"), words


@must_be_refused("a token sent twice")
def _():
    authorization = f"Authorization: Negotiate {clients.token('alice')}"
    first, second = (curl(clients.WEB, "--header", authorization) for _ in range(2))
    right = first.is_hello("alice") and second.refused(401, "replay")
    return f"{first.status}, then {second.status}", right, second.why()


@must_be_refused("a token made for another TLS channel")
def _():
    stolen = clients.token("alice", "--binding", b"tls-server-end-point:".hex() + "00" * 32)
    answer = curl(clients.WEB_TLS, *clients.TRUST, "--header", f"Authorization: Negotiate {stolen}")
    return answer.denies(401, "binding_mismatch")


@must_be_refused("a session that was signed off")
def _():
    jar = clients.path("jar")
    off = curl(f"{clients.WEB}.doorward/logout", "--request", "POST", "--cookie", jar)
    answer = curl(clients.WEB, "--cookie", jar)
    right = off.status == 200 and answer.refused(401, "session_ended")
    return answer.line, right, answer.why()
