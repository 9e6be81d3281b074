"""Samba's ntlm_auth with a fault: faulty_helper.py DIRECTORY [ARGUMENT of ntlm_auth…]

Passes lines through. A file DIRECTORY/fault, "STATE FAULT once|always", makes the fault
when a line of that state comes: YR, KK, GK, SF, or "question" for all of ntlm-server-1's.
With "once", whoever makes the fault takes the file away.

die-before   ends without passing the line on
die-after    ends instead of giving the answer
die-within   ends in the middle of the answer
hang         neither answers nor ends
no-newline   gives the answer without its end, and then nothing
long         gives a line of 70 KB
bh           BH, or an error
wrong-verb   a word that the protocol does not have
chatter      speaks on stderr first, then does it right
too-much     gives the answer, and behind it another that lets everybody in
clock        refuses as winbind does when the clocks differ
trust        refuses as winbind does when the domain knows this host no more
"""

import os
import selectors
import signal
import subprocess
import sys

NTLM_AUTH = "/usr/bin/ntlm_auth"


class Helper:
    def __init__(self, directory, arguments):
        self.directory = directory
        self.by_line = not any(one.endswith("ntlm-server-1") for one in arguments)
        self.real = subprocess.Popen(
            [NTLM_AUTH, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.end_mark = b"\n" if self.by_line else b"\n.\n"
        self.asked = self.answer = b""
        self.fault = None

    def run(self):
        selector = selectors.DefaultSelector()
        selector.register(0, selectors.EVENT_READ, self.client)
        selector.register(self.real.stdout, selectors.EVENT_READ, self.server)
        while True:
            for key, _ in selector.select():
                data = os.read(key.fd, 65536)
                if not data:
                    self.end()
                key.data(data)

    def client(self, data):
        self.asked += data
        while self.end_mark in self.asked:
            question, end, self.asked = self.asked.partition(self.end_mark)
            self.fault = self.take(question[:2].decode() if self.by_line else "question")
            before = getattr(self, "before_" + (self.fault or "").replace("-", "_"), None)
            if before is None or before():
                self.real.stdin.write(question + end)
                self.real.stdin.flush()

    def server(self, data):
        after = getattr(self, "after_" + (self.fault or "").replace("-", "_"), None)
        if after is None:
            say(data)
            return
        self.answer += data
        if self.answer.endswith(self.end_mark):
            after(self.answer)
            self.answer, self.fault = b"", None

    def take(self, state):
        file = os.path.join(self.directory, "fault")
        try:
            with open(file, encoding="ascii") as f:
                wanted, fault, often = f.read().split()
            if wanted != state:
                return None
            if often == "once":
                # Only one of the helpers can move it.
                os.rename(file, file + ".made")
            return fault
        except FileNotFoundError:
            return None

    def end(self):
        self.real.kill()
        os._exit(0)

    def before_die_before(self):
        self.end()

    def before_hang(self):
        signal.pause()

    def before_bh(self):
        say(b"BH injected\n" if self.by_line else b"Error: injected\n.\n")

    def before_long(self):
        say(b"AF " + b"A" * 70_000 + b"\n")

    def before_wrong_verb(self):
        say(b"ZZ AF\n" if self.by_line else b"Authenticated: Perhaps\n.\n")

    def before_chatter(self):
        os.write(2, b"AF LAB\\bob\nAuthenticated: Yes\n" + b"chatter " * 20_000 + b"\n")
        return True

    def before_clock(self):
        self.refuse(
            "NT_STATUS_TIME_DIFFERENCE_AT_DC",
            "The time at the primary domain controller is different from the time at the backup "
            "domain controller or member server by too large an amount.",
        )

    def before_trust(self):
        self.refuse(
            "NT_STATUS_TRUSTED_RELATIONSHIP_FAILURE",
            "The logon request failed because the trust relationship between this workstation "
            "and the primary domain failed.",
        )

    def refuse(self, name, text):
        by_text = f"Authenticated: No\nAuthentication-Error: {text}\n.\n.\n"
        say((f"NA {name}\n" if self.by_line else by_text).encode())

    def after_die_after(self, _):
        self.end()

    def after_die_within(self, answer):
        say(answer[: len(answer) // 2])
        self.end()

    def after_no_newline(self, answer):
        say(answer[:-1])
        signal.pause()

    def after_too_much(self, answer):
        say(answer + (b"AF LAB\\bob\n" if self.by_line else b"Authenticated: Yes\n.\n"))


def say(data):
    while data:
        data = data[os.write(1, data) :]


if __name__ == "__main__":
    Helper(sys.argv[1], sys.argv[2:]).run()
