"""End-to-end tests: the relay as a process between network namespaces, on real sockets and cables.

    DHCP_RELAY=build/dev/dhcp-relay tests/e2e/run [pytest's options]

Need root, `ip`, and the relay (DHCP_RELAY, else build/release/dhcp-relay). dnsmasq, ISC dhcpd, Kea, udhcpc, dhclient,
dhcpcd, dhcp6c, keepalived, ISC dhcrelay, systemd-analyze, lintian and debootstrap are used where they are installed; a
test that lacks one is skipped and says so. The folder DHCP_RELAY_SHARED (else ../shared beside the repository) may hold
third parties' messages and captures.

network, wire, message, capture: cables, octets, files of packets.  relay, peers: processes.  clients, dropped: crowds
of clients, messages for each reason to drop.  storm: bursts of either family.  metrics: what the relay tells
Prometheus.  scene: the verbs most tests speak in.  What ends in 6 is the same for DHCPv6; packet6 is the Ethernet, IPv6
and UDP around its messages.
Row ids in the names of tests (4r02, 6f01) are those of the requirements.
"""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

import network
import network6
import peers
import relay
from scene import Scene
from scene6 import Scene6


def pytest_sessionstart():
    if os.geteuid() != 0:
        pytest.exit("the end-to-end tests make network namespaces and need root", returncode=1)
    if not os.access(relay.BINARY, os.X_OK):
        pytest.exit(f"no relay at {relay.BINARY}: build it, or name one in DHCP_RELAY", returncode=1)
    if shutil.which("ip") is None:
        pytest.exit("the end-to-end tests need `ip` (Debian: iproute2)", returncode=1)
    network.remove_leftovers()


def pytest_terminal_summary(terminalreporter):
    """Every reason for skipping, once."""
    reasons = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} x {reason}")


@pytest.fixture
def stack():
    """Things to undo after the test, last first; a failure to undo does not keep the others from it."""
    with contextlib.ExitStack() as made:
        yield made


@pytest.fixture
def new_network(stack):
    """Makes networks that vanish with the test."""
    def make(**options):
        made = network.Network(**options)
        stack.callback(made.close)
        return made
    return make


@pytest.fixture
def folder(stack):
    """Root's, and the relay can look into it as the account that it becomes, which has no way into pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="relaytest-"))
    stack.callback(shutil.rmtree, made)
    made.chmod(0o755)
    return made


@pytest.fixture
def make_scene(new_network, stack, folder):
    """Makes a scene of any shape: `make_scene(segments=1)`."""
    def make(kind=network.Topology, offload=False, **shape):
        return Scene(kind(new_network(offload=offload), **shape), folder, stack)
    return make


@pytest.fixture
def scene(make_scene):
    """Two segments, two servers, no relay yet."""
    return make_scene()


@pytest.fixture
def make_scene6(new_network, stack, folder):
    """Makes a scene with IPv6 of any shape."""
    def make(kind=network6.Topology6, offload=False, **shape):
        return Scene6(kind(new_network(offload=offload), **shape), folder, stack)
    return make


@pytest.fixture
def scene6(make_scene6):
    """Two segments, two servers, all with IPv4 and IPv6, no relay yet."""
    return make_scene6()


@pytest.fixture
def known_hosts(stack):
    """Writes the names that a namespace knows: `known_hosts(router)` gives a function that takes them, each with its
    address or addresses."""
    def prepare(namespace):
        folder = Path("/etc/netns") / namespace.name
        fresh = not folder.parent.exists()
        folder.mkdir(parents=True)
        stack.callback(folder.parent.rmdir if fresh else lambda: None)
        stack.callback(shutil.rmtree, folder)
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", encoding="ascii")

        def write(**names):
            lines = [f"{address} {name}\n" for name, known in names.items()
                     for address in ([known] if isinstance(known, str) else known)]
            (folder / "hosts").write_text("127.0.0.1 localhost\n" + "".join(lines), encoding="ascii")
        return write
    return prepare


@pytest.fixture
def need():
    """Skips the test unless these programs are installed."""
    def check(*programs):
        lacking = peers.missing(*programs)
        if lacking:
            pytest.skip(f"not installed: {', '.join(lacking)}")
    return check


@pytest.fixture
def public_folder(stack):
    """One that an account without privileges can use."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relaytest-")))
    folder.chmod(0o755)
    return folder
