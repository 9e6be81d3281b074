"""A web application behind Doorward: app.py PORT GATEWAY

It has no password field and knows no Kerberos. Who is there, it reads from the identity
headers; and because it could be reached past the gateway by a mistake, it believes them
only if the signed assertion says the same.
"""

import html
import json
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import assertion

PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Hello {user}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; color: #1f2933; background: #eef3ee; margin: 0; }}
main {{ max-width: 42rem; margin: 8vh auto; padding: 2rem 2.5rem; background: #fff; border-radius: .5rem; box-shadow: 0 1px 4px rgba(0,0,0,.15); }}
table {{ border-collapse: collapse; width: 100%; }}
th {{ text-align: left; font-weight: 600; white-space: nowrap; padding: .2rem 1rem .2rem 0; vertical-align: top; }}
td {{ overflow-wrap: anywhere; color: #52606d; }}
form {{ display: inline; }}
button {{ font: inherit; }}
</style></head>
<body><main>
<h1>Hello {user}</h1>
<p>You typed no password here, and this application never saw one.</p>
<h2>What the gateway told</h2>
<table>{headers}</table>
<h2>What it signed</h2>
<table>{claims}</table>
<p><a href="/.doorward/whoami">Who am I?</a>
<form method="post" action="/.doorward/logout"><button>Sign off</button></form></p>
</main></body></html>
"""


class Application(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        user = self.headers.get("Remote-User", "")
        try:
            claims = self.claims()
        except (assertion.Invalid, ValueError, KeyError) as error:
            return self.answer(403, "text/plain", f"The assertion is not valid: {error}\n")
        if claims["sub"] != user:
            return self.answer(403, "text/plain", "The identity headers are not from the gateway.\n")
        told = [(name, value) for name, value in self.headers.items() if name.lower().startswith("remote")]
        if "text/html" in self.headers.get("Accept", ""):
            page = PAGE.format(user=html.escape(user), headers=rows(told), claims=rows(claims.items()))
            return self.answer(200, "text/html; charset=utf-8", page)
        # Pairs, so that a name that stands twice is seen twice.
        return self.answer(200, "application/json", json.dumps({"hello": user, "told": told, "signed": claims}))

    def claims(self):
        token = self.headers.get("Doorward-Assertion")
        if not token:
            raise assertion.Invalid("there is none")
        host = self.headers.get("Host", "").partition(":")[0]
        return assertion.verify(token, keys(), host)

    def answer(self, status, kind, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def keys():
    """The gateway's public keys. An application with more to do would keep them a while."""
    with urllib.request.urlopen(f"{GATEWAY}/.doorward/jwks.json", timeout=5) as answer:
        return json.load(answer)


def rows(pairs):
    shown = ((name, ", ".join(value) if isinstance(value, list) else str(value)) for name, value in pairs)
    return "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in shown
    )


GATEWAY = sys.argv[2]
ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Application).serve_forever()
