"""The relays that are compared: ours, three of Debian's, and the bench's bare forwarder, as it is and with a pause after
each turn that found work, each as a process.

dhcp-helper conflicts with ISC's package, so it is unpacked into a folder and run from there. What this machine does not
have is left out, with the reason.
"""

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

from field import PROGRAMS, ROOT, SERVER, SERVER6, router_address6
from wait import port_bound, wait_until

OURS, ISC, DNSMASQ, HELPER = "ours", "ISC dhcrelay", "dnsmasq", "dhcp-helper"
BARE, PACED = "bare", "paced bare"
ALL = (OURS, ISC, DNSMASQ, HELPER, BARE, PACED)
ALL6 = (OURS, ISC)


class Ways:
    """How each relay is run. `missing` says which are not, and why."""

    def __init__(self, binary, folder, only=ALL):
        self._folder = Path(folder)
        self.missing = {}
        self._paths = {OURS: binary, BARE: str(PROGRAMS / "bare_relay"), PACED: str(PROGRAMS / "bare_relay"),
                       ISC: shutil.which("dhcrelay"),
                       DNSMASQ: shutil.which("dnsmasq"), HELPER: self._unpack_helper() if HELPER in only else None}
        for way, package in ((ISC, "isc-dhcp-relay"), (DNSMASQ, "dnsmasq-base")):
            if self._paths[way] is None:
                self.missing[way] = f"{package} is not installed (tests/install-packages bench)"

    def _unpack_helper(self):
        found = shutil.which("dhcp-helper")
        if found:
            return found
        try:
            subprocess.run(["apt-get", "-q", "download", "dhcp-helper"], cwd=self._folder, check=True, timeout=120,
                           capture_output=True)
            package, = self._folder.glob("dhcp-helper_*.deb")
            subprocess.run(["dpkg", "-x", str(package), str(self._folder / "helper")], check=True, capture_output=True)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self.missing[HELPER] = f"dhcp-helper cannot be had here ({error})"
            return None
        return str(self._folder / "helper/usr/sbin/dhcp-helper")

    def version(self, way):
        if way in self.missing or way in (BARE, PACED):
            return self.missing.get(way, "of this bench")
        if way == HELPER:
            package = subprocess.run(["apt-cache", "show", "dhcp-helper"], capture_output=True, text=True, check=False)
            return next((line.split()[1] for line in package.stdout.splitlines() if line.startswith("Version:")), "?")
        asked = subprocess.run([self._paths[way], "--version"], capture_output=True, text=True, check=False)
        return (asked.stdout + asked.stderr).splitlines()[0]

    def command6(self, way, names):
        """As `command`, for DHCPv6."""
        path = self._paths[way]
        if way == OURS:
            downstream = [word for name in names for word in ("-id", name)]
            return [path, "-d", "--no-pid", "--log-level", "info", *downstream, "-iu", "u0", SERVER6]
        lower = [word for name in names for word in ("-l", f"{router_address6(int(name[1:]))}%{name}")]
        return [path, "-6", "-d", "-q", "--no-pid", *lower, "-u", f"{SERVER6}%u0"]

    def command(self, way, names):
        """For these interfaces of the router; all but ours want them to be segments of the field."""
        path, each = self._paths[way], [word for name in names for word in ("-id", name)]
        if way == OURS:
            return [path, "-d", "--no-pid", "--log-level", "info", "-a", *each, "-iu", "u0", SERVER]
        if way == ISC:
            return [path, "-4", "-d", "-q", "--no-pid", "-a", *each, "-iu", "u0", SERVER]
        if way == DNSMASQ:
            relays = [f"--dhcp-relay=10.{100 + int(name[1:])}.0.1,{SERVER}" for name in names]
            return [path, "--no-daemon", "--conf-file=/dev/null", "--port=0", "--quiet-dhcp", "--user=root",
                    "--pid-file=", *relays]
        if way == HELPER:
            return [path, "-n", "-s", SERVER, "-u", "root", "-r", str(self._folder / "helper.pid"),
                    *(word for name in names for word in ("-i", name))]
        pause = ["--pause-us", "300"] if way == PACED else []
        return [path, "--interface", names[0], "--server", SERVER, *pause]

    @contextlib.contextmanager
    def running(self, way, field, names=("d1",), more=(), log=subprocess.DEVNULL):
        """The relay's process, ready, with `more` flags. What it logs goes to /dev/null, which costs it the least, unless
        there is a file for it."""
        command = self.command6 if field.family == 6 else self.command
        argv = [*command(way, names), *more]
        relay = field.router.spawn(argv, stdout=subprocess.DEVNULL, stderr=log)
        try:
            wait_until(lambda: port_bound(relay.pid, field.port) or relay.poll() is not None,
                       f"{' '.join(argv)} to listen", 60)
            time.sleep(0.3)  # not all of them say when they are ready
            if relay.poll() is not None:
                raise RuntimeError(f"{' '.join(argv)} ended with {relay.returncode}")
            yield relay
        finally:
            relay.terminate()
            try:
                relay.wait(10)
            except subprocess.TimeoutExpired:
                relay.kill()
                relay.wait()


def default_binary():
    return os.environ.get("DHCP_RELAY", str(ROOT / "build/release/dhcp-relay"))
