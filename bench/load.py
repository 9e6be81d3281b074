"""The load: wrk with cookies or with fresh tokens, and connections that do nothing."""

import itertools
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import servers

HERE = Path(__file__).parent
CONNECTIONS = 32
USERS = 8


@dataclass
class Run:
    """What one run of wrk measured."""

    requests: int
    seconds: float
    rate: float
    """Good answers a second."""
    p50_us: int
    p99_us: int
    errors: int
    """Answers above 399, and broken or silent connections."""
    cpu_us: float = 0
    """Processor time of all servers for one answer: the figure that a busy machine spoils least."""


def wrk(port, path, seconds, headers=(), tokens=None, pause=None, connections=CONNECTIONS):
    """Runs wrk to its end; with tokens, until there is none left or the time is over."""
    return start(port, path, seconds, headers, tokens, pause, connections)()


def start(port, path, seconds, headers=(), tokens=None, pause=None, connections=CONNECTIONS):
    """Starts wrk; calling the result waits for its end and gives the `Run`."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    command += itertools.chain.from_iterable(("-H", header) for header in headers)
    command += ["-s", str(HERE / "load.lua"), f"http://{servers.host()}:{port}{path}", "--"]
    command += [str(tokens or "-"), str(pause or "")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish():
        output, _ = process.communicate()
        lines = output.strip().splitlines()
        if process.returncode or not lines or not lines[-1].startswith("{"):
            raise SystemExit(f"bench: {' '.join(command)} failed:\n{output}")
        seen = json.loads(lines[-1])
        errors = seen["refused"] + seen["broken"]
        good = seen["requests"] - seen["refused"]
        return Run(good, seen["seconds"], good / seen["seconds"], seen["p50_us"], seen["p99_us"], errors)

    return finish


class Tokens:
    """Makes Negotiate tokens of several users, each token used once."""

    def __init__(self, root):
        self.dir = Path(root) / "tokens"
        self.dir.mkdir()
        self.passwords = {}
        self.ccaches = [self.sign_on(f"bench{number}") for number in range(USERS)]
        self.made = 0

    def sign_on(self, user):
        ccache = self.dir / f"{user}.ccache"
        realm_sh = HERE.parent / "tests/lab/realm.sh"
        added = subprocess.run([realm_sh, "user", user], check=True, capture_output=True, text=True)
        self.passwords[user] = added.stdout.strip()
        subprocess.run([realm_sh, "ticket", user, ccache], check=True, capture_output=True)
        return ccache

    def file(self, count):
        """A file with at least `count` new tokens, the users in turn."""
        self.made += 1
        each = -(-count // USERS)
        running = [self.make(ccache, each) for ccache in self.ccaches]
        parts = [part for part, _ in running]
        if any([process.wait() for _, process in running]):
            raise SystemExit("bench: tests/lab/clients/tokens.py failed")
        whole = self.dir / f"{self.made}.tokens"
        with open(whole, "w", encoding="ascii") as out:
            for lines in zip(*(part.read_text().splitlines() for part in parts)):
                out.write("\n".join(lines) + "\n")
        for part in parts:
            part.unlink()
        return whole

    def make(self, ccache, count):
        part = ccache.with_suffix(".part")
        python = Path(os.environ["LAB_VENV"]) / "bin/python"
        command = [python, HERE.parent / "tests/lab/clients/tokens.py", servers.host(), str(count)]
        with open(part, "w", encoding="ascii") as out:
            environment = os.environ | {"KRB5CCNAME": f"FILE:{ccache}"}
            return part, subprocess.Popen(command, stdout=out, env=environment)

    def one(self):
        """A single token."""
        file = self.file(USERS)
        token = file.read_text().split()[0]
        file.unlink()
        return token

