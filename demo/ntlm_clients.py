"""Real NTLM clients in the demo's realm: curl, Python's requests, Chromium, and
pyspnego, message by message."""

import http.client
import json
import os
import ssl
import subprocess
import urllib.parse

import clients
from clients import DIR, DOMAIN, Answer, Failed

HTTP2 = """
import socket, ssl, sys, urllib.parse, h2.config, h2.connection, h2.errors, h2.events
url = urllib.parse.urlsplit(sys.argv[1])
context = ssl.create_default_context(cafile=sys.argv[2])
context.set_alpn_protocols(["h2"])
with context.wrap_socket(socket.create_connection((url.hostname, url.port), 30), server_hostname=url.hostname) as tls:
    http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    http.initiate_connection()
    head = {":method": "GET", ":scheme": "https", ":authority": url.netloc, ":path": "/"}
    http.send_headers(1, [*head.items(), ("authorization", f"NTLM {sys.argv[3]}")], end_stream=True)
    tls.sendall(http.data_to_send())
    while data := tls.recv(65536):
        for event in http.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                sys.exit(f"it answers: {dict(event.headers)[':status']}")
            if isinstance(event, h2.events.StreamReset):
                print(h2.errors.ErrorCodes(event.error_code).name)
                sys.exit()
        tls.sendall(http.data_to_send())
"""
ROUNDS = 4
"""More than any exchange takes."""


def password(user):
    return os.environ[f"{user.upper()}_PASSWORD"]


def login(user):
    """The right name and password, for an `Exchange`."""
    return {"user": f"{DOMAIN}\\{user}", "password": password(user)}


def curl_ntlm(user, url, *args):
    return clients.curl(url, "--ntlm", "--user", f"{DOMAIN}\\{user}:{password(user)}", *args)


def bound_whoami(user):
    auth = "requests_ntlm.HttpNtlmAuth(os.environ['LOGIN'], os.environ['PASSWORD'])"
    known = {"LOGIN": f"{DOMAIN}\\{user}", "PASSWORD": password(user)}
    return clients.bound_whoami("nobody", user, auth, **known)


def chromium(user, url):
    """The page as a headless Chromium shows it, whose person typed name and password."""
    typed = f"//{DOMAIN}%5C{user}:{password(user)}@"
    return clients.chromium("nobody", url.replace("//", typed, 1), trusting=False)


def on_http2(url, message):
    """The code with which the gateway resets an HTTP/2 stream that brings NTLM."""
    trusted = str(DIR / "state/self-signed.pem")
    return clients.finished([clients.venv_python(), "-c", HTTP2, url, trusted, message], "nobody").strip()


def signed_on(url, scheme="NTLM", **wanted):
    """The last answer of an exchange on a connection of its own."""
    with Exchange(url, scheme, **wanted) as exchange:
        return exchange.signed_on()


class Exchange:
    """One connection to the gateway, on which pyspnego signs on. What it may be told
    besides name and password, tests/lab/clients/ntlm.py says."""

    def __init__(self, url, scheme, **wanted):
        self.scheme = scheme
        self.connection = connection(url)
        driver = [clients.venv_python(), clients.HERE.parent / "tests/lab/clients/ntlm.py"]
        self.driver = subprocess.Popen(driver, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask(new=0, **wanted)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.driver.communicate()

    def signed_on(self):
        """Exchanges messages until the gateway lets the client in, or has no more of them."""
        answer, token = None, None
        for _ in range(ROUNDS):
            said = self.ask(step=0, token=token)
            if said["token"] is None:
                break
            answer = self.get(f"{self.scheme} {said['token']}")
            offers = answer.headers("WWW-Authenticate")
            token = next((offer.split(" ")[1] for offer in offers if offer.startswith(f"{self.scheme} ")), None)
            if token is None:
                break
        return answer

    def get(self, authorization=None):
        """A request on this connection, without any cookie."""
        headers = {"Authorization": authorization} if authorization else {}
        self.connection.request("GET", "/", headers=headers)
        answer = self.connection.getresponse()
        head = "".join(f"{name}: {value}\n" for name, value in answer.getheaders())
        return Answer(f"HTTP/1.1 {answer.status} {answer.reason}\n{head}", answer.read().decode())

    def ask(self, **question):
        self.driver.stdin.write(json.dumps(question) + "\n")
        self.driver.stdin.flush()
        said = json.loads(self.driver.stdout.readline() or "{}")
        if "error" in said:
            raise Failed(said["error"])
        return said


def connection(url):
    """A connection that is never opened anew behind our back."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=DIR / "state/self-signed.pem")
        made = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=30, context=context)
    else:
        made = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    made.connect()
    made.auto_open = False
    return made
