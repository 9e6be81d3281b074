#!/usr/bin/python3
"""A web application whose web server signs people on (REMOTE_USER).

WSGI: mod_wsgi and others call `application`; run as a program it speaks CGI.
"""

import html
import os
import sys
from http.cookies import CookieError, SimpleCookie

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from core import Core, Refused

COOKIE = "notes"


def application(environ, start_response):
    core = Core(
        environ["DOORWARD_CORE"],
        client_pem=environ.get("DOORWARD_SSLKEY_FILE"),
        ca_file=environ.get("DOORWARD_CA_FILE"),
    )
    try:
        status, text, cookie = answer(core, environ)
    except Refused as refused:
        # The core's log has the reason under the reference. The user learns no more.
        status = "403 Forbidden" if refused.status < 500 else "503 Service Unavailable"
        text, cookie = f"Doorward refused: {refused.error}, reference {refused.reference}", None
    except OSError as error:
        print(f"the core at {core.address} cannot be asked: {error}", file=environ["wsgi.errors"])
        status, text, cookie = "503 Service Unavailable", "The sign-on is out of order.", None
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")]
    if cookie is not None:
        headers.append(("Set-Cookie", cookie))
    start_response(status, headers)
    return [f"<!doctype html><title>Notes</title><p>{html.escape(text)}\n".encode()]


def answer(core, environ):
    user = remote_user(environ)
    kept = kept_session(environ)
    if environ.get("PATH_INFO") == "/logout":
        if environ["REQUEST_METHOD"] != "POST":
            return "405 Method Not Allowed", "Log out by POST.", None
        if kept:
            core.end(kept)
        return "200 OK", "Good-bye.", cookie_of(environ, "", "; Max-Age=0")
    session = core.resolve(kept) if kept else None
    # The web server says who is there now: another user's cookie is not accepted.
    if session and session["principal"] == user:
        return "200 OK", greeting(session), None
    session = core.open(user, client=environ.get("REMOTE_ADDR"))
    return "200 OK", greeting(session), cookie_of(environ, session["session"])


def remote_user(environ):
    """The user whom the web server signed on, with the realm: Doorward strips it."""
    # CGI and WSGI decode the bytes as Latin-1; mod_auth_gssapi sends UTF-8.
    return environ["REMOTE_USER"].encode("latin-1").decode()


def greeting(session):
    user = session["user"]
    return f"Hello {user['login']}, signed on by {session['mechanism']} as {session['principal']}"


def kept_session(environ):
    try:
        morsel = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel else None


def cookie_of(environ, value, more=""):
    secure = "; Secure" if environ["wsgi.url_scheme"] == "https" else ""
    return f"{COOKIE}={value}; Path=/notes; HttpOnly; SameSite=Lax{secure}{more}"


if __name__ == "__main__":
    from wsgiref.handlers import CGIHandler

    CGIHandler().run(application)
