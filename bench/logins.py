"""Logins by NTLM: over HTTP, as clients do them, and with the helpers driven directly."""

import base64
import functools
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time

import ntlm
import servers
from load import Run

CLIENTS = 16
"""Logins at once."""
LIMIT = 10
"""Seconds that an answer may take."""
MADE_A_SECOND = 1000
"""Questions that are made beforehand for each second of a run."""


class Wrong(Exception):
    """A login did not have the outcome it must have."""


def over_http(port, users, seconds):
    """Each login on a connection of its own: first message, challenge, third message."""

    def logins_of(number):
        own = itertools.islice(itertools.cycle(users), number, None)
        return (functools.partial(http_login, port, user) for user in own)

    return run(CLIENTS, logins_of, seconds)


def http_login(port, user):
    with socket.create_connection(("127.0.0.1", port), LIMIT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        status, challenge, body = asked(connection, ntlm.NEGOTIATE)
        if status != 401 or not challenge.startswith(b"NTLM "):
            raise Wrong(f"no challenge: {status} {body}")
        status, _, body = asked(connection, user.authenticate(base64.b64decode(challenge[5:])))
        if status != 200 or json.loads(body)["user"]["login"] != user.name:
            raise Wrong(f"{user.name} is not signed on: {status} {body}")


def asked(connection, message):
    """Asks the gateway who one is, and gives status, `WWW-Authenticate` and body."""
    token = base64.b64encode(message).decode()
    head = f"GET /.doorward/whoami HTTP/1.1\r\nHost: {servers.host()}\r\nAuthorization: NTLM {token}\r\n\r\n"
    connection.sendall(head.encode())
    head, _, body = read_until(connection.recv, b"\r\n\r\n").partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
    while len(body) < int(headers[b"content-length"]):
        body += more(connection.recv)
    return int(status.split()[1]), headers.get(b"www-authenticate", b""), body


def directly(protocol, arguments, helpers, users, seconds):
    """As many helpers as Doorward has, each asked again as soon as it has answered."""
    started = [Helper(protocol, arguments) for _ in range(helpers)]
    try:
        made = -(-MADE_A_SECOND * seconds // helpers)
        logins = [DIALOGUES[protocol](helper, users, made) for helper in started]
        # Doorward's are warm, too.
        for own in logins:
            next(own)()
        return run(helpers, lambda number: logins[number], seconds)
    finally:
        for helper in started:
            helper.stop()


def server_1(helper, users, made):
    """`ntlm-server-1`: one question for each login, `made` of them beforehand."""

    def login(asking):
        answer = helper.ask(asking, b"\n.\n")
        if not answer.startswith(b"Authenticated: Yes\n"):
            raise Wrong(f"the helper says {answer}")

    questions = [question(user) for user in itertools.islice(itertools.cycle(users), made)]
    return (functools.partial(login, asking) for asking in itertools.cycle(questions))


def question(user):
    challenge = os.urandom(8)
    response, _ = user.response(challenge, ntlm.target_info(user.domain, time.time()))
    name, domain = (base64.b64encode(text.encode()).decode() for text in (user.name, user.domain))
    return (
        f"LANMAN-Challenge: {challenge.hex()}\nNT-Response: {response.hex()}\n"
        f"Username:: {name}\nNT-Domain:: {domain}\nRequest-User-Session-Key: Yes\n.\n"
    ).encode()


def squid(helper, users, _made):
    """`squid-2.5-ntlmssp`: the challenge is the helper's, so the response comes after it."""
    first = b"YR " + base64.b64encode(ntlm.NEGOTIATE) + b"\n"

    def login(user):
        challenge = helper.ask(first, b"\n")
        if not challenge.startswith(b"TT "):
            raise Wrong(f"the helper says {challenge}")
        third = user.authenticate(base64.b64decode(challenge[3:]))
        answer = helper.ask(b"KK " + base64.b64encode(third) + b"\n", b"\n")
        if answer != f"AF {user.domain}\\{user.name}\n".encode():
            raise Wrong(f"the helper says {answer}")

    return (functools.partial(login, user) for user in itertools.cycle(users))


DIALOGUES = {"ntlm-server-1": server_1, "squid-2.5-ntlmssp": squid}


class Helper:
    """One `ntlm_auth`."""

    def __init__(self, protocol, arguments):
        command = ["ntlm_auth", f"--helper-protocol={protocol}", *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def ask(self, asking, end):
        self.process.stdin.write(asking)
        return read_until(self.process.stdout.read, end)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(LIMIT)


def read_until(read, end):
    seen = more(read)
    while end not in seen:
        seen += more(read)
    return seen


def more(read):
    piece = read(65536)
    if not piece:
        raise Wrong("the answer ends early")
    return piece


def run(clients, logins_of, seconds):
    """Lets as many clients sign on, one login after the other each, until the time is over.
    `logins_of(number)` gives the logins of a client."""
    latencies, wrong = [], []
    start = time.monotonic()
    end = start + seconds

    def client(number):
        before = time.monotonic()
        for login in logins_of(number):
            try:
                login()
                now = time.monotonic()
                latencies.append(now - before)
            except (Wrong, OSError) as error:
                wrong.append(error)
                return
            if now > end:
                return
            before = now

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - start
    if wrong:
        print(f"bench: a login went wrong: {wrong[0]}", file=sys.stderr)
    if len(latencies) < 2:
        raise SystemExit("bench: nobody could sign on")
    p50, p99 = (int(statistics.quantiles(latencies, n=100)[at] * 1e6) for at in (49, 98))
    return Run(len(latencies), took, len(latencies) / took, p50, p99, len(wrong))
