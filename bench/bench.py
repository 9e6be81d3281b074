"""Measures the rows, one after the other, both sides of a pair in turn. See run.sh."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import load
import report
import rows
import servers


class World:
    """The servers of a run, and what a row needs of them."""

    def __init__(self, root, helpers):
        self.running = []
        self.helpers = helpers
        self.root = root
        self.tokens = load.Tokens(root)
        self.app = self.started(servers.app(root))
        self.apache = self.started(servers.apache(root, self.app.port))
        self.doorward = self.started(servers.doorward(root, self.app.port))
        self.nginx = self.started(servers.nginx(root, self.app.port, self.doorward.port))

    def started(self, server):
        self.running.append(server)
        return server

    def cookie(self, server, path):
        """Signs on once, and gives the session's cookie as a header line."""
        authorization = f"Negotiate {self.tokens.one()}"
        status, headers, _ = servers.get(server.port, path, {"Authorization": authorization})
        if status != 200 or "set-cookie" not in headers:
            raise SystemExit(f"bench: {server.name} does not sign on at {path}: {status} {headers}\n{server.said()}")
        return f"Cookie: {headers['set-cookie'].split(';')[0]}"

    def measured(self, load_run):
        """Runs a load, and adds what processor time the servers needed for it."""
        before = self.cpu_seconds()
        run = load_run()
        run.cpu_us = (self.cpu_seconds() - before) / max(run.requests, 1) * 1e6
        return run

    def cpu_seconds(self):
        return sum(server.cpu_seconds() for server in self.running)

    def stop(self):
        for server in reversed(self.running):
            server.stop()


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description=rows.__doc__)
    parser.add_argument("--row", action="append", choices=list(rows.ROWS), help="only this row; repeat it for more rows")
    parser.add_argument("--pairs", type=int, default=5, help="number of pairs in a row (5)")
    parser.add_argument("--seconds", type=int, default=4, help="length of one measurement in seconds (4)")
    parser.add_argument("--helpers", type=int, default=4, help="number of ntlm_auth helpers on each side (4)")
    parser.add_argument("--list", action="store_true", help="print the names of the rows")
    return parser.parse_args()


def main():
    args = arguments()
    if args.list:
        print("\n".join(rows.ROWS))
        return 0
    root = tempfile.mkdtemp(prefix="bench.", dir=os.environ["LAB_TMP"])
    os.chmod(root, 0o755)
    world = World(root, args.helpers)
    results = []
    try:
        for key in args.row or rows.ROWS:
            results.append(rows.ROWS[key](world, args.pairs, args.seconds))
            print(f"bench: {'  '.join(results[-1].cells())}", file=sys.stderr)
        token = world.tokens.one()
    except BaseException:
        for server in world.running:
            print(f"── {server.name}\n{server.said()}", file=sys.stderr)
        raise
    finally:
        world.stop()

    version = subprocess.run([servers.DOORWARD, "--version"], capture_output=True, text=True).stdout.strip()
    surroundings = {"doorward": version, "token_bytes": len(token), "connections": load.CONNECTIONS}
    path = Path(__file__).parent.parent / "target/bench/latest.json"
    report.write(path, results, surroundings)
    print()
    print(report.table(results))
    print(f"\nTokens of {len(token)} bytes (base64), {load.CONNECTIONS} keep-alive connections.")
    print(f"All measurements are in target/bench/{path.name}.")
    print(report.CLOSING)
    errors = sum(result.our_errors + result.their_errors for result in results)
    if errors:
        print(f"{errors} requests went wrong, so these figures prove nothing yet.")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
