"""Real clients in the demo's realm: curl, Python's requests, Chromium, Java."""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

DIR = Path(sys.argv[1])
HERE = Path(__file__).parent
DNS = os.environ["DNS"]
DOMAIN = os.environ["DOMAIN"]
WEB = f"http://web.{DNS}:8080/"
WEB_TLS = f"https://web.{DNS}:8443/"
KERBEROS_ONLY = f"http://app.{DNS}:8080/"
NGINX = f"http://alias.{DNS}:8090/"
TRUST = ["--cacert", str(DIR / "state/self-signed.pem")]
"""The gateway was given no certificate and made its own; this is how curl believes it."""
JAAS = """com.sun.security.jgss.krb5.initiate {
    com.sun.security.auth.module.Krb5LoginModule required useTicketCache=true doNotPrompt=true;
};
"""
WHOAMI = """
import json, os, sys, requests, requests_gssapi, requests_ntlm
answer = requests.get(sys.argv[1], auth={auth}, verify=sys.argv[2], timeout=30)
answer.raise_for_status()
print(json.dumps(answer.json()))
"""


class Failed(Exception):
    """A client could not do its work; the text is what it said."""


@dataclass
class Answer:
    """The last answer that a client got."""

    head: str
    body: str

    @property
    def line(self):
        return f"HTTP/{self.version} {self.status}"

    @property
    def version(self):
        return self.head.split()[0].removeprefix("HTTP/")

    @property
    def status(self):
        return int(self.head.split()[1])

    def headers(self, name):
        return re.findall(rf"^{re.escape(name)}: *(.*?)\r?$", self.head, re.IGNORECASE | re.MULTILINE)

    def told(self):
        """The identity headers as the application saw them, names in lower case."""
        return [(name.lower(), value) for name, value in json.loads(self.body)["told"]]

    def is_hello(self, user):
        return self.status == 200 and json.loads(self.body)["hello"] == user

    def greets(self, user):
        """As a row of the table: the application says hello to that user."""
        return self.line, self.is_hello(user), self.evidence()

    def denies(self, status, reason):
        """As a row of the table: the gateway refuses, for that reason."""
        return self.line, self.refused(status, reason), self.why()

    def refused(self, status, reason):
        return self.status == status and json.loads(self.body)["error"] == reason

    def evidence(self):
        """What the application was told, in a few words."""
        if self.status != 200:
            return self.why()
        told, signed = dict(self.told()), json.loads(self.body)["signed"]
        user, mechanism = told["remote-user"], told["remote-mechanism"]
        return f"Remote-User: {user}, proven by {mechanism}, signed for {signed['aud']}"

    def why(self):
        """Why it was refused, as the gateway says it."""
        try:
            said = json.loads(self.body)
            return f"{said['error']}: {said['message'].split('. ')[0].rstrip('.')}"
        except (ValueError, KeyError):
            return self.body.strip()[:100] or "(no words)"


def path(name):
    return str(DIR / name)


def curl(url, *args, user="nobody", config="KRB5_CONFIG", account=None):
    """Fetches a page with curl, which has the ticket of `user`; as another account of
    this machine, if one is named."""
    with tempfile.TemporaryDirectory(dir=DIR) as folder:
        os.chmod(folder, 0o777)
        head, body = Path(folder) / "head", Path(folder) / "body"
        runner = ["setpriv", "--reuid", account, "--regid", account, "--clear-groups"] if account else []
        command = [*runner, "curl", "--silent", "--show-error", "--max-time", "30", "--dump-header", head]
        command += ["--output", body, *args, url]
        finished(command, user, config)
        # With Negotiate, the answers to the first requests stand before the last.
        heads = head.read_text().replace("\r\n", "\n").strip().split("\n\n")
        return Answer(heads[-1], body.read_text() if body.exists() else "")


def negotiate(user, url, *args, config="KRB5_CONFIG"):
    return curl(url, "--negotiate", "--user", ":", *args, user=user, config=config)


def token(user, *args):
    """A Negotiate token for the gateway, made and not sent."""
    command = [venv_python(), HERE.parent / "tests/lab/clients/tokens.py", *args, f"web.{DNS}", "1"]
    return finished(command, user).strip()


def bound_whoami(user, login, auth, **environment):
    """As a row of the table: `login` signs on with Python's requests, bound to its TLS
    channel. `auth` is Python; it has the ticket of `user`."""
    trusted = str(DIR / "state/self-signed.pem")
    command = [venv_python(), "-c", WHOAMI.format(auth=auth), f"{WEB_TLS}.doorward/whoami", trusted]
    who = json.loads(finished(command, user, **environment))
    bound = who["channel_bound"]
    words = f"whoami: {who['principal']}, channel_bound {str(bound).lower()}"
    return "HTTP/1.1 200", bound and who["user"]["login"] == login, words


def chromium(user, url, trusting=True):
    """The page as a headless Chromium shows it at the end. Where it trusts the realm's
    hosts, it insists on Kerberos."""
    with tempfile.TemporaryDirectory(dir=DIR, ignore_cleanup_errors=True) as profile:
        # Chromium readies its Kerberos at the first start after a page asked for it.
        state = {"net": {"received_http_auth_negotiate_headers": True}}
        (Path(profile) / "Local State").write_text(json.dumps(state))
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
        command += ["--disable-background-networking", "--disable-dev-shm-usage", "--no-first-run"]
        command += [f"--auth-server-allowlist=*.{DNS}"] if trusting else []
        command += [f"--user-data-dir={profile}"]
        return finished([*command, "--timeout=20000", "--dump-dom", url], user, HOME=profile)


def shown(line, page, user):
    """As a row of the table: the page says hello to that user."""
    found = re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)
    heading = found[1].strip() if found else "(no heading)"
    return line, heading == f"Hello {user}", f"the page says \"{heading}\""


def java(user, url):
    jaas = DIR / "jaas.conf"
    jaas.write_text(JAAS)
    command = ["java", "-Djavax.security.auth.useSubjectCredsOnly=false"]
    command += [f"-Djava.security.krb5.conf={os.environ['KRB5_CONFIG']}"]
    command += [f"-Djava.security.auth.login.config={jaas}", HERE.parent / "tests/lab/clients/Negotiate.java", url]
    head, _, body = finished(command, user).partition("\n\n")
    return Answer(head, body)


def kinit(user):
    """What the KDC says to a user's right password."""
    password = os.environ[f"{user.upper()}_PASSWORD"]
    command = ["kinit", "-c", path(f"{user}.ccache"), user]
    done = subprocess.run(command, input=password, capture_output=True, text=True)
    return "a ticket" if done.returncode == 0 else done.stderr.strip().removeprefix("kinit: ")


def venv_python():
    return Path(os.environ["LAB_VENV"]) / "bin/python"


def finished(command, user, config="KRB5_CONFIG", **more):
    """Runs a client to its end, in the environment of a user, and gives what it printed."""
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    environment |= {"KRB5_CONFIG": os.environ[config], "KRB5CCNAME": f"FILE:{DIR / user}.ccache"} | more
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(str(error)) from error
    if done.returncode:
        raise Failed((done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1])
    return done.stdout
