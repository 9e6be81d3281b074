"""Attempts by key and by password, and at the core's own doors: services, local programs,
the trusted web application."""

import json
import os

import clients
from clients import DNS, curl
from table import must_be_refused, way

CORE = f"https://core.{DNS}:2237/v1/"
REALM = os.environ["REALM"]


def by_key(name, question, wish=None):
    """Asks the core with a client certificate, or without one."""
    certificate = ["--cert", clients.path(f"pki/{name}.pem")] if name else []
    return asked(CORE + question, wish, "--cacert", clients.path("pki/cacert.pem"), *certificate)


def by_socket(account, question, wish=None):
    """Asks the core over its socket, as a program of that account."""
    return asked(f"http://core/v1/{question}", wish, "--unix-socket", clients.path("core.sock"), account=account)


def asked(url, wish, *args, account=None):
    if wish:
        args += ("--header", "Content-Type: application/json", "--data", json.dumps(wish))
    return curl(url, *args, account=account)


def basic(url, password, *args):
    return curl(url, "--user", f"alice:{password}", *args)


def trusted(user):
    return {"user": user, "trusted": True}


def who(answer):
    said = json.loads(answer.body)
    return said["key"] or said["uid"], said["as"]


def opened(answer, login):
    """Whether a session was opened for somebody, and what tells so."""
    if answer.status != 201:
        return False, answer.why()
    session = json.loads(answer.body)
    words = f"session of {session['user']['login']}, by {session['mechanism']}"
    return session["user"]["login"] == login, words


@way("a certificate: curl")
def _():
    return curl(clients.WEB_TLS, "--cert", clients.path("pki/alice.pem"), *clients.TRUST).greets("alice")


@way("a password: curl, by Basic over TLS")
def _():
    return basic(clients.WEB_TLS, os.environ["ALICE_PASSWORD"], *clients.TRUST).greets("alice")


@way("a password, at the core")
def _():
    answer = by_key(None, "sessions", {"user": "alice", "password": os.environ["ALICE_PASSWORD"]})
    return answer.line, *opened(answer, "alice")


@way("a service with client.pem, at the core")
def _():
    answer = by_key("delivery", "whoami")
    key, acting_as = who(answer)
    return answer.line, (key, acting_as) == ("delivery-public.pem", "SYSTEM"), f"{key} is {acting_as}"


@way("root, on the core's socket")
def _():
    answer = by_socket(None, "whoami")
    uid, acting_as = who(answer)
    return answer.line, (uid, acting_as) == (0, "SYSTEM"), f"uid {uid} is {acting_as}"


@way("a local program, as its own account")
def _():
    answer = by_socket("www-data", "sessions", {"user": "www-data"})
    return answer.line, *opened(answer, "www-data")


@way("a trusted web application, for alice")
def _():
    answer = by_key("webapp", "sessions", trusted(f"alice@{REALM}"))
    return answer.line, *opened(answer, "alice")


@must_be_refused("a web application's key, for SYSTEM")
def _():
    answer = by_key("webapp", "sessions", trusted("SYSTEM"))
    return answer.line, answer.status == 401, answer.why()


@must_be_refused("a key that is not in sslkeys_path")
def _():
    return by_key("stranger", "whoami").denies(403, "certificate_refused")


@must_be_refused("a local program, for somebody else")
def _():
    answer = by_socket("www-data", "sessions", trusted("alice"))
    return answer.line, answer.status == 403, answer.why()


@must_be_refused("a wrong password, by Basic")
def _():
    return basic(clients.WEB_TLS, "not-hers", *clients.TRUST).denies(401, "logon_failed")


@must_be_refused("a password over plain HTTP")
def _():
    return basic(clients.WEB, os.environ["ALICE_PASSWORD"]).denies(403, "basic_needs_tls")
