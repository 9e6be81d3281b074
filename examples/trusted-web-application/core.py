"""A client of Doorward's core, over its unix socket or over TLS with client.pem."""

import http.client
import json
import socket
import ssl
from urllib.parse import quote, urlsplit


class Refused(Exception):
    """The core refused: the status and the error of its answer."""

    def __init__(self, status, said):
        super().__init__(said.get("message", ""))
        self.status = status
        self.error = said.get("error")
        self.reference = said.get("reference")


class Core:
    """`address` is unix:/run/doorward/core.sock or https://core.example:237."""

    def __init__(self, address, client_pem=None, ca_file=None):
        self.address = address
        self.client_pem = client_pem
        self.ca_file = ca_file

    def open(self, user, client=None):
        """Opens a session for a user whom our own web server has signed on."""
        request = {"user": user, "trusted": True}
        if client:
            request["client"] = client
        return self._ask("POST", "/v1/sessions", request)

    def resolve(self, session):
        """Returns the session with its user, or None if it has ended."""
        try:
            return self._ask("GET", "/v1/sessions/" + quote(session, safe=""))
        except Refused as refused:
            if refused.error == "end_of_session":
                return None
            raise

    def end(self, session):
        """Ends the session, everywhere and at once."""
        try:
            self._ask("DELETE", "/v1/sessions/" + quote(session, safe=""))
        except Refused as refused:
            if refused.error != "end_of_session":
                raise

    def _ask(self, method, path, request=None):
        connection = self._connection()
        try:
            body = None if request is None else json.dumps(request)
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = json.loads(answer.read() or b"{}")
        finally:
            connection.close()
        if answer.status >= 400:
            raise Refused(answer.status, said)
        return said

    def _connection(self):
        if self.address.startswith("unix:"):
            return _UnixConnection(self.address.removeprefix("unix:"))
        core = urlsplit(self.address)
        context = ssl.create_default_context(cafile=self.ca_file)
        context.load_cert_chain(self.client_pem)
        return http.client.HTTPSConnection(core.hostname, core.port, timeout=5, context=context)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("core", timeout=5)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)
