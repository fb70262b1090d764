"""What `--check` says on a host, and what a test does about it: mistakes in the firewall, advice that is followed."""

import contextlib
import re
import shlex
import subprocess

import peers
import relay
from wait import port_bound, wait_until


class Checked:
    """What one run of `--check` printed."""

    def __init__(self, done):
        self.status = done.returncode
        self.lines = done.stdout.splitlines()
        self.complaint = done.stderr
        assert "Sanitizer" not in done.stderr, done.stderr

    def __str__(self):
        return "\n".join([*self.lines, self.complaint, f"[status {self.status}]"])

    def named(self, name):
        """The lines of findings with this name."""
        return [line for line in self.lines if re.match(rf"(ok|note|warning|error): {name}: ", line)]

    def graver(self, least=("warning", "error")):
        return [line for line in self.lines if line.split(":")[0] in least]


def run_check(namespace, *flags, through=()):
    argv = [*through, relay.BINARY, "--check", "-d", *flags]
    return Checked(subprocess.run(namespace.command(argv), capture_output=True, text=True, check=False, timeout=120))


def follow_advice(router, line):
    """Runs the command at the end of a finding's line, which begins with the name of a program."""
    command = re.search(r": ((?:ip|nft|sysctl) [^:;]*)$", line).group(1)
    router.run(shlex.split(command))


def only(found, line, status):
    """This finding and no other, with this exit status."""
    assert found.graver() == [line], found
    assert found.status == status, found


def nft(router, *rules, policy="accept", hook="input"):
    """One chain with these rules."""
    lines = ["table inet filter {", "chain rules {", f"type filter hook {hook} priority 0; policy {policy};", *rules, "}", "}"]
    router.run(["nft", "-f", "-"], input="\n".join(lines) + "\n")


def fixed(check, router, *flags):
    """The advice of the one finding is taken, and there is none any more."""
    follow_advice(router, check(*flags).graver()[0])
    assert check(*flags).lines[-1] == "check passed: nothing found"


@contextlib.contextmanager
def running(namespace, argv, port=67, **options):
    """A process that has the port, or whose namespace has."""
    process = namespace.spawn(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        wait_until(lambda: process.poll() is None and port_bound(process.pid, port), f"{argv[0]} to have the port")
        yield process
    finally:
        peers._end(process)
