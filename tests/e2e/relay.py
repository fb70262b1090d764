"""The relay under test as a process: start, ready, signals, log, end.

Its log is its stderr, kept in a file. The binary is the environment's DHCP_RELAY, else the release build. ISC dhcrelay
does as well, as far as it goes: `ours` tells which of the two it is, and what the log says is asked of ours alone.
"""

import contextlib
import functools
import os
import pwd
import re
import signal
import subprocess
from pathlib import Path

from rights import NET_ADMIN, NET_RAW, expect_confined, is_filtered
from wait import port_bound, wait_until

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("DHCP_RELAY", str(ROOT / "build/release/dhcp-relay"))
ACCOUNT = pwd.getpwnam("nobody")  # that it becomes
_SANITIZER = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:")


@functools.lru_cache
def is_ours(binary=BINARY):
    result = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False, timeout=20)
    return "isc-dhc" not in result.stdout + result.stderr


class Relay:
    """One run of the relay in a namespace. It is ready when it has the port, where it is to have one, and has logged
    `ready`. `output` takes its standard output, else its log does; `through` is a command that runs it. Unless it is not
    `confined`, it must have no privilege left when it is ready."""

    def __init__(self, namespace, flags, folder, binary=BINARY, port=67, ready=" started ", output=None, through=(),
                 confined=True):
        self.ours = is_ours(binary)
        debug = ["--log-level", "debug"] if self.ours and "--log-level" not in flags else []
        self._argv = [*through, binary, "-d", "--no-pid", *debug, *flags]
        self._sign = ready
        self._output = output
        self._confined = confined
        self._namespace = namespace
        self._port = port
        self._log_path = Path(folder) / f"relay-{id(self):x}.log"
        self._log_file = open(self._log_path, "wb")  # closed in `_finish`
        self._process = None
        self._over = False  # its end has been seen and judged

    def start(self):
        self._process = self._namespace.spawn(self._argv, stdout=self._output or self._log_file,
                                              stderr=self._log_file)
        wait_until(self._ready, lambda: f"{' '.join(self._argv)} to be ready; its log:\n{self.log}", timeout=60)
        if self.ours and self._confined:
            self._expect_confined()
        return self

    def _ready(self):
        if self._process.poll() is not None:
            self._over = True
            raise AssertionError(f"{' '.join(self._argv)}\nended at start with status {self._process.returncode}:\n"
                                 f"{self.log}")
        return (self._port is None or port_bound(self.pid, self._port)) and (not self.ours or self._sign in self.log)

    def _expect_confined(self):
        """An observer is not waited for in another way. Captures keep the capability for interfaces that appear later,
        routes theirs, and --user root keeps the number of the account alone."""
        wait_until(lambda: not self.alive or is_filtered(self.pid), "the relay to be confined")
        if self.alive:
            captures = not {"--capture", "--capture-only"}.isdisjoint(self._argv)
            kept = (NET_RAW if captures else 0) | (NET_ADMIN if "--routes" in self._argv else 0)
            expect_confined(self.pid, kept, by_root="root" in self._argv)

    @property
    def pid(self):
        return self._process.pid

    @property
    def alive(self):
        return self._process.poll() is None

    @property
    def log(self):
        return self._log_path.read_text(errors="backslashreplace")

    def signal(self, number):
        self._process.send_signal(number)

    @contextlib.contextmanager
    def held_up(self):
        """It does nothing meanwhile, as where a busy machine does not let it run."""
        self.signal(signal.SIGSTOP)
        try:
            wait_until(lambda: " (dhcp-relay) T " in Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii"),
                       "the relay to stand still")
            yield
        finally:
            self.signal(signal.SIGCONT)

    def expect_log(self, pattern, count=1):
        """Waits for at least `count` matches of a regular expression."""
        wait_until(lambda: len(re.findall(pattern, self.log)) >= count,
                   lambda: f"{count} x {pattern!r} in the relay's log:\n{self.log[-4000:]}")

    def expect_drop(self, reason):
        """The log of ours names the reason of a drop."""
        if self.ours:
            self.expect_log(rf" dropped .*reason={reason}\b")

    def counters(self, interface, family="ipv4"):
        """What ours has counted of this family for this interface by now, by name."""
        reports = self.log.count(" counters_total ")
        self.signal(signal.SIGUSR1)
        self.expect_log(r" counters_total .*\n", reports + 1)
        line = re.findall(rf" counters interface={interface} family={family} (.*)", self.log)[-1]
        return {name: int(value) for name, value in (each.split("=") for each in line.split())}

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def lost_reports(self):
        """Reports of links and addresses that did not fit into the buffers of its rtnetlink sockets."""
        folder = f"/proc/{self.pid}/fd"
        inodes = {str(os.stat(f"{folder}/{name}").st_ino) for name in os.listdir(folder)}
        lines = Path(f"/proc/{self.pid}/net/netlink").read_text(encoding="ascii").splitlines()
        return sum(int(fields[8]) for fields in map(str.split, lines[1:]) if fields[9] in inodes)

    def resident_kilobytes(self):
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def is_sanitized(self):
        """Whether memory figures say nothing, because a sanitizer's memory is in them."""
        maps = Path(f"/proc/{self.pid}/maps").read_text(encoding="ascii")
        return "libasan" in maps or "libtsan" in maps or "libclang_rt" in maps or b"__asan_init" in self._image()

    def _image(self):
        return Path(f"/proc/{self.pid}/exe").read_bytes()

    def kill(self):
        self._over = True
        self.signal(signal.SIGKILL)
        self._finish()

    def stop(self):
        """Ends it as a service manager would; a relay that ended before, or not cleanly, fails the test."""
        if self._process is None or self._over:
            return
        self._over = True
        ended_before = not self.alive
        self.signal(signal.SIGTERM)
        try:
            status = self._finish()
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError("the relay did not end within 20 s of SIGTERM") from None
        report = self.log[-6000:]
        assert not _SANITIZER.search(self.log), f"sanitizer report:\n{report}"
        assert not ended_before, f"the relay ended by itself with status {status}:\n{report}"
        expected = 0 if self.ours else -signal.SIGTERM
        assert status == expected, f"the relay ended with status {status}:\n{report}"

    def _finish(self):
        status = self._process.wait(20)
        self._log_file.close()
        return status
