"""Doorward beside its peers: same work, same tokens, same connections, in turn."""

import subprocess
import sys
from pathlib import Path

import load
import logins
import ntlm
import servers
from report import Result
from servers import domain, host

AUTH = "/.doorward/auth"
FILE = "/hello.txt"
TOKENS_A_SECOND = 5000
"""Tokens in a run of handshakes, for each second that a run of another row takes."""
PAUSE_MS = 10
"""Between two requests of a connection whose p99 is asked for: people, not a machine at its limit."""
IDLE = 10_000


def handshake(world, pairs, seconds):
    """A new ticket with every request."""
    count = TOKENS_A_SECOND * seconds

    def ours():
        return handshakes(world, world.doorward, AUTH, count)

    def theirs():
        return handshakes(world, world.apache, FILE, count)

    row = Result("handshake", "fresh Negotiate handshake each request", "Apache + mod_auth_gssapi", "/s", "≥ 2.5 ×", 2.5)
    return compare(row, ours, theirs, pairs)


def session(world, pairs, seconds):
    """A session's cookie, answered by the gateway itself."""
    row = Result("session", "session cookie, answered by the gateway", "Apache session, static file", "/s", "≥ 3 ×", 3)
    ours = sessions(world, world.doorward, AUTH, seconds)
    theirs = sessions(world, world.apache, FILE, seconds)
    return compare(row, ours, theirs, pairs)


def proxied(world, pairs, seconds):
    """A session's cookie, and an application behind."""
    row = Result("proxied", "session cookie, proxied", "Apache session, proxied", "/s", "≥ 2.5 ×", 2.5)
    ours = sessions(world, world.doorward, FILE, seconds)
    theirs = sessions(world, world.apache, f"/app{FILE}", seconds)
    return compare(row, ours, theirs, pairs)


def plain(world, pairs, seconds):
    """The same beside a proxy that asks nobody who he is."""
    row = Result("plain", "session cookie, proxied", "nginx, no authentication", "/s", "≥ 0.6 ×", 0.6)
    ours = sessions(world, world.doorward, FILE, seconds)
    theirs = sessions(world, world.nginx, f"/plain{FILE}", seconds, world.doorward)
    return compare(row, ours, theirs, pairs)


def auth_request(world, pairs, seconds):
    """nginx asks Doorward, or a backend that says yes to everybody."""
    row = Result("auth_request", "nginx auth_request to Doorward", "to a backend that says 200", "/s", "≥ 0.9 ×", 0.9)
    ours = sessions(world, world.nginx, f"/doorward{FILE}", seconds, world.doorward)
    theirs = sessions(world, world.nginx, f"/always-yes{FILE}", seconds, world.doorward)
    return compare(row, ours, theirs, pairs)


def ntlm_server_1(world, pairs, seconds):
    """A password proven by challenge and response, Doorward writing the challenge."""
    return compare(*ntlm_logins(world, seconds, "ntlm_server_1", "ntlm-server-1"), pairs)


def ntlm_squid(world, pairs, seconds):
    """The same, the helper writing the challenge."""
    return compare(*ntlm_logins(world, seconds, "ntlm_squid", "squid-2.5-ntlmssp"), pairs)


def storm(world, pairs, seconds):
    """What sessions feel of a storm of handshakes."""
    row = Result("storm", "p99 of sessions while handshakes storm", "without the storm", " µs", "≤ 2 ×", at_most=2)
    cookie = world.cookie(world.doorward, AUTH)

    def paced():
        return load.wrk(world.doorward.port, AUTH, seconds, [cookie], pause=PAUSE_MS)

    def stormed():
        tokens = world.tokens.file(2 * TOKENS_A_SECOND * (seconds + 1))
        finish = load.start(world.doorward.port, AUTH, seconds + 1, tokens=tokens, connections=8)
        run = paced()
        handshakes = finish()
        tokens.unlink()
        if handshakes.seconds < seconds:
            raise SystemExit("bench: the storm ran out of tokens before it was over: raise TOKENS_A_SECOND")
        run.errors += handshakes.errors
        row.details.append({"handshakes_a_second": handshakes.rate})
        return run

    return compare(row, stormed, paced, pairs, lambda run: run.p99_us)


def memory(world, pairs, seconds):
    """What an idle keep-alive TLS connection costs."""
    row = Result("memory", f"memory, {IDLE:,} idle keep-alive TLS connections", "—", " B each", "≤ 20 KB", at_most=20 * 1024)
    server = world.doorward
    with Idle(server, 100):
        before = server.memory()
        with Idle(server, IDLE):
            row.ours.append((server.memory() - before) / IDLE)
    return row


IN_ORDER = (handshake, session, proxied, plain, auth_request, ntlm_server_1, ntlm_squid, storm, memory)
ROWS = {f.__name__: f for f in IN_ORDER}


def compare(row, ours, theirs, pairs, number=lambda run: run.rate):
    """Runs both sides in turn; who begins alternates. The first pair is not counted."""
    for pair in range(pairs + 1):
        first, second = (ours, theirs) if pair % 2 else (theirs, ours)
        one, two = first(), second()
        our, their = (one, two) if pair % 2 else (two, one)
        row.our_errors += our.errors
        row.their_errors += their.errors
        if pair:
            row.ours.append(number(our))
            row.theirs.append(number(their))
            row.details.append({"ours": vars(our), "theirs": vars(their)})
            figures = f"{number(our):,.0f} and {number(their):,.0f}{row.unit}"
            cpu = f"; {our.cpu_us:.0f} and {their.cpu_us:.0f} µs of processor time each" if our.cpu_us else ""
            print(f"bench: {row.key} {pair}/{pairs}: {figures}{cpu}", file=sys.stderr)
    return row


def handshakes(world, server, path, count):
    tokens = world.tokens.file(count)
    try:
        return world.measured(lambda: load.wrk(server.port, path, 60, tokens=tokens))
    finally:
        tokens.unlink()


def sessions(world, server, path, seconds, issuer=None):
    """Requests with one session's cookie; both sides of a row carry one, even where none is asked for."""
    issuer = issuer or server
    cookie = world.cookie(issuer, AUTH if issuer is world.doorward else FILE)
    return lambda: world.measured(lambda: load.wrk(server.port, path, seconds, [cookie]))


def ntlm_logins(world, seconds, key, protocol):
    """A row of logins by NTLM, and its two sides: over HTTP, and the helpers driven directly."""
    row = Result(key, f"NTLM logins, {protocol}", f"its {world.helpers} helpers driven directly", "/s", "≥ 0.9 ×", 0.9)
    users = [ntlm.User(domain(), name, password) for name, password in world.tokens.passwords.items()]
    server = world.started(servers.ntlm(world.root, world.app.port, protocol, world.helpers))
    arguments = [servers.ntlm_auth_argument()]

    def ours():
        return logins.over_http(server.port, users, seconds)

    def theirs():
        return logins.directly(protocol, arguments, world.helpers, users, seconds)

    return row, ours, theirs


class Idle:
    """Idle TLS connections to a server, for as long as a `with` lasts."""

    def __init__(self, server, count):
        script = Path(__file__).parent / "idle.py"
        command = [sys.executable, str(script), str(server.tls_port), host(), str(count)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.wanted = f"open {count}\n"

    def __enter__(self):
        if self.process.stdout.readline() != self.wanted:
            raise SystemExit("bench: the idle connections could not be opened")

    def __exit__(self, *_):
        self.process.communicate()
