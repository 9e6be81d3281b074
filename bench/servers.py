"""Doorward, its peers and the application behind them, each in a directory of its own."""

import http.client
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent
DOORWARD = HERE.parent / "target/release/doorward"
LIMIT = 30
"""Seconds a server may take to answer."""


class Server:
    """A server that has answered once; it ends with `stop`."""

    def __init__(self, name, conf, command, root, **words):
        self.name = name
        self.dir = Path(root) / name
        (self.dir / "htdocs").mkdir(parents=True)
        (self.dir / "htdocs/hello.txt").write_text("Hello, bench.\n")
        self.port = free_port()
        words = {"DIR": self.dir, "PORT": self.port} | words
        self.conf = self.dir / conf
        self.conf.write_text(filled((HERE / "conf" / conf).read_text(), words))
        self.output = open(self.dir / "output", "wb")
        # Each has a replay cache of its own, of the kind that libkrb5 has by default.
        environment = os.environ | {"KRB5RCACHEDIR": str(self.dir)}
        shutil.chown(self.dir, group="www-data")
        self.dir.chmod(0o775)
        self.process = subprocess.Popen(
            [*command, str(self.conf)],
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            env=environment,
        )
        self.wait()

    def wait(self):
        end = time.monotonic() + LIMIT
        while self.process.poll() is None and time.monotonic() < end:
            try:
                return get(self.port, "/")
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
        self.stop()
        raise SystemExit(f"bench: {self.name} does not answer:\n{self.said()}")

    def said(self):
        """The end of what it printed and logged."""
        files = [self.dir / "output", self.dir / "error.log"]
        texts = [file.read_text(errors="replace")[-2000:] for file in files if file.exists()]
        return "\n".join(texts)

    def memory(self):
        """Bytes of memory that it holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def cpu_seconds(self):
        """Processor time that it and its workers have used."""
        pids = [self.process.pid, *map(int, children(self.process.pid))]
        fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
        return sum(int(field[11]) + int(field[12]) for field in fields) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()


def app(root):
    return Server("app", "app.conf", ["nginx", "-c"], root)


def apache(root, app_port):
    command = ["apache2", "-DFOREGROUND", "-f"]
    modules = "/usr/lib/apache2/modules"
    return Server("apache", "apache.conf", command, root, APP=app_port, MODULES=modules, KEYTAB=keytab(root))


def nginx(root, app_port, doorward_port):
    return Server("nginx", "nginx.conf", ["nginx", "-c"], root, APP=app_port, DOORWARD=doorward_port)


def doorward(root, app_port):
    tls_port = free_port()
    command = [str(DOORWARD), "serve", "--config"]
    server = Server(
        "doorward", "doorward.toml", command, root, APP=app_port, TLS_PORT=tls_port, KEYTAB=keytab(root)
    )
    server.tls_port = tls_port
    return server


def ntlm(root, app_port, protocol, helpers):
    command = [str(DOORWARD), "serve", "--config"]
    words = {"KEYTAB": keytab(root), "REALM": os.environ["REALM"], "DOMAIN": domain()}
    words |= {"ARGUMENT": ntlm_auth_argument(), "PROTOCOL": protocol, "HELPERS": helpers}
    return Server(protocol, "ntlm.toml", command, root, APP=app_port, **words)


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def keytab(root):
    """A copy of the service's keytab that Apache's workers can read."""
    copy = Path(root) / "http.keytab"
    if not copy.exists():
        shutil.copy(os.environ["WEB_KEYTAB"], copy)
        shutil.chown(copy, group="www-data")
        copy.chmod(0o640)
    return copy


def get(port, path, headers=None):
    """One GET on a connection of its own: status, headers (names in lower case), body."""
    connection = http.client.HTTPConnection(host(), port, timeout=10)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def ntlm_auth_argument():
    """What every helper is started with, Doorward's and the ones driven directly."""
    return f"--configfile={os.environ['SMB_CONF']}"


def host():
    """The name for which tickets are."""
    return f"web.{os.environ['DNS']}"


def domain():
    """The short name of the domain that passwords are of."""
    return os.environ["DOMAIN"]


def filled(text, words):
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    return text


def free_port():
    # Below the range of outgoing connections, so that none of them takes it meanwhile.
    while True:
        port = free_port.next
        free_port.next += 1
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


free_port.next = 21000
