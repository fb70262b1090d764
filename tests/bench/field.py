"""Where the bench measures: clients -- router -- server, each in a namespace of its own, and its programs in them.

Links are veth pairs, with the offloads that they have (as good network cards have them), and without a bridge between,
so that what a relay's CPU is charged with is as little as possible of what is not the relay's. Towards the server the
kernel cuts up runs of datagrams (UDP_SEGMENT) in front of the link, as it does for most network cards: a veth would hand
them on whole, and the relay does not form them then.
"""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
# pylint: disable=wrong-import-position
from network import Network, remove_leftovers  # noqa: E402
from network6 import ROUTER_LINK_LOCAL, UPSTREAM_LINK_LOCAL, add  # noqa: E402
from wait import port_bound, wait_until  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("DHCP_RELAY_BENCH", str(ROOT / "build/release/tests/bench")))
SERVER, UPSTREAM = "10.9.0.2", "10.9.0.1"
SERVER6, UPSTREAM6 = "2001:db8:9::2", "2001:db8:9::1"
_CLIENTS6 = 256  # each with an address, which the kernel has to find room for among its neighbours
_FIRST = -15  # as nice(1) has it
_STOPS = 30  # seconds within which a program ends that was told to


def prepare(command):
    """What each of the bench's commands begins with. Told to end, it ends what it has started first."""
    if os.geteuid() != 0:
        sys.exit(f"{command}: this makes network namespaces and needs root")
    if not os.access(PROGRAMS / "storm", os.X_OK):
        sys.exit(f"{command}: no {PROGRAMS}/storm: cmake --preset bench && cmake --build --preset bench")
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    remove_leftovers()


def _text(path):
    """Empty where the process, or its thread, has gone."""
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""


def cpu_seconds(pid):
    """What the scheduler has given to all threads of a process that have not ended."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((_text(each / "schedstat") or "0").split()[0]) for each in tasks.iterdir()) / 1e9


class OtherWork:
    """What the machine's processors did from here on that was not the bench's: its figures are worth little beside."""

    def __init__(self, *pids):
        """These processes are the bench's, as are all that this one has started and waited for by the end. So is what
        the kernel does about packets in threads of its own."""
        kernels = [int(each.parent.name) for each in Path("/proc").glob("[0-9]*/comm")
                   if _text(each).startswith("ksoftirqd/")]
        self._pids = [*pids, *kernels]
        self._start = time.monotonic()
        self._before = self._busy() - self._own()

    def share(self):
        """Of all processors."""
        done = self._busy() - self._own() - self._before
        return max(0.0, done / (os.cpu_count() * (time.monotonic() - self._start)))

    @staticmethod
    def _busy():
        ticks = [int(each) for each in Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]]
        return (sum(ticks[:3]) + sum(ticks[5:8])) / os.sysconf("SC_CLK_TCK")

    def _own(self):
        waited = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(map(cpu_seconds, self._pids)) + sum(each.ru_utime + each.ru_stime for each in waited)


def packets_received(namespace, interface="eth0"):
    """By an interface, as the kernel counts them."""
    with namespace.inside():
        for line in Path("/proc/thread-self/net/dev").read_text(encoding="ascii").splitlines():
            name, _, numbers = line.partition(":")
            if name.strip() == interface:
                return int(numbers.split()[1])
    raise AssertionError(f"no {interface}")


def most_neighbours6():
    """That the kernel knows at a time, of all namespaces."""
    return int(Path("/proc/sys/net/ipv6/neigh/default/gc_thresh3").read_text(encoding="ascii"))


def dropped_by_sockets(pid, port=67):
    """What the kernel had no room for in the UDP sockets of a process's namespace, of both families."""
    tables = (_text(Path(f"/proc/{pid}/net/{family}")) for family in ("udp", "udp6"))
    lines = [line for table in tables for line in table.splitlines()[1:]]
    return sum(int(line.split()[-1]) for line in lines if line.split()[1].endswith(f":{port:04X}"))


class Program:
    """One of the bench's, in a namespace; `result` is the object that it prints at its end."""

    def __init__(self, namespace, name, *arguments):
        self.name = name
        argv = [str(PROGRAMS / name), *map(str, arguments)]
        self._process = namespace.spawn(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._result = None

    @property
    def pid(self):
        return self._process.pid

    @property
    def alive(self):
        return self._process.poll() is None

    def result(self, timeout=300):
        """Waits for its end."""
        if self._result is None:
            said, complaint = self._process.communicate(timeout=timeout)
            if self._process.returncode != 0:
                raise RuntimeError(f"{self.name} ended with {self._process.returncode}: {complaint.strip()}")
            self._result = json.loads(said)
        return self._result

    def stop(self):
        if self.alive:
            self._process.send_signal(signal.SIGTERM)
        return self.result(_STOPS)

    def end(self):
        """Whatever state it is in."""
        if self.alive:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if not pipe.closed:
                pipe.close()


class Field:
    """clients1 -- d1 10.101.0.1 [router] u0 10.9.0.1 -- server, and so on for more segments."""

    family, port, server_address = 4, 67, SERVER
    _storm_words = ()  # for all storms, in front of their own

    def __init__(self, network, segments=1):
        self.network = network
        self.router = network.namespace("router")
        self.server = network.namespace("server")
        self.router.sysctl("net.ipv4.ip_forward", 1)
        network.link(self.router, "u0", "02:00:00:00:09:01", self.server, "eth0", "02:00:00:00:09:02")
        self.router.run(["ethtool", "-K", "u0", "tx-udp-segmentation", "off"])
        self.router.ip(f"addr add {UPSTREAM}/24 dev u0")
        self.server.ip(f"addr add {SERVER}/24 dev eth0", f"route add default via {UPSTREAM}")
        self.clients = [self._segment(number) for number in range(1, segments + 1)]

    def _segment(self, number):
        """An address for each of some 60,000 clients, for the relays that have the kernel look them up."""
        clients = self.network.namespace(f"clients{number}")
        self.network.link(self.router, f"d{number}", f"02:00:00:00:{number:02x}:01", clients, "eth0",
                          f"02:00:00:00:{number:02x}:0c")
        self.router.ip(f"addr add 10.{100 + number}.0.1/16 dev d{number}")
        clients.ip(f"addr add 10.{100 + number}.0.2/16 dev eth0", f"route add default via 10.{100 + number}.0.1")
        return clients

    def flaps(self):
        """Lines for the router that take d2's link and its address away and give them back, by turns."""
        address = "10.102.0.1/16 dev d2"
        return [["link set d2 down"], ["link set d2 up"], [f"addr del {address}"], [f"addr add {address}"]]

    def crowd(self, count, reachable):
        """x1, x2 ... on the router, up and with addresses. The first `reachable` lead to e1, e2 ... of the clients of
        segment 1, the others to each other."""
        lines = [f"link add x{number} type veth peer name e{number} netns {self.clients[0].name}"
                 for number in range(1, reachable + 1)]
        lines += [f"link add x{number} type veth peer name x{number + 1}" for number in range(reachable + 1, count, 2)]
        for number in range(1, count + 1):
            lines += [f"link set x{number} up", f"addr add 10.{128 + number // 250}.{number % 250}.1/24 dev x{number}"]
        self.router.ip(*lines)
        self.clients[0].ip(*[f"link set e{number} up" for number in range(1, reachable + 1)])

    def forget_neighbours(self):
        """Some relays fill the kernel's table of them, which is one for all namespaces."""
        self.router.ip("neigh flush all")

    @contextlib.contextmanager
    def program(self, namespace, name, *arguments):
        started = Program(namespace, name, *arguments)
        try:
            yield started
        finally:
            started.end()

    @contextlib.contextmanager
    def responder(self, *arguments, goes_first=False):
        """`goes_first`: before all other processes, where what waits in its socket would be taken for the relay's delay."""
        with self.program(self.server, "responder", "--address", self.server_address, *arguments) as started:
            wait_until(lambda: port_bound(started.pid, self.port) or not started.alive, "the responder to listen")
            if goes_first:
                os.setpriority(os.PRIO_PROCESS, started.pid, _FIRST)
            yield started

    def storm(self, *arguments, segment=1):
        """On the segment's link, unless the arguments name another interface."""
        interface = () if "--interface" in arguments else ("--interface", "eth0")
        return self.program(self.clients[segment - 1], "storm", *interface, *self._storm_words, *arguments)


def router_address6(number):
    """On a segment."""
    return f"2001:db8:{100 + number}::1"


class Field6(Field):
    """The same with IPv6 for the router and the server beside it: d1 2001:db8:101::1, u0 2001:db8:9::1. The clients'
    namespaces have none: it is a storm that has their addresses."""

    family, port, server_address = 6, 547, SERVER6
    _storm_words = ("--family", 6, "--clients", _CLIENTS6)

    def __init__(self, network, segments=1):
        super().__init__(network, segments)
        for each in (self.router, self.server):
            each.with_ipv6()
        self.router.sysctl("net.ipv6.conf.all.forwarding", 1)
        add(self.router, "u0", UPSTREAM_LINK_LOCAL, UPSTREAM6)
        for number in range(1, segments + 1):
            add(self.router, f"d{number}", ROUTER_LINK_LOCAL, router_address6(number))
        add(self.server, "eth0", "fe80::9:2", SERVER6)
        self.server.ip(f"route add default via {UPSTREAM6}")

    def flaps(self):
        """The kernel takes the addresses with the link."""
        own, address = (f"{each}/64 dev d2" for each in (ROUTER_LINK_LOCAL, router_address6(2)))
        return [["link set d2 down"], ["link set d2 up", f"addr add {own} nodad", f"addr add {address} nodad"],
                [f"addr del {address}"], [f"addr add {address} nodad"]]


@contextlib.contextmanager
def field(segments=1, offload=True, family=4):
    network = Network(offload=offload)
    try:
        yield (Field6 if family == 6 else Field)(network, segments)
    finally:
        network.close()
