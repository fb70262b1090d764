"""Namespaces, links and addresses, made with `ip` and taken down whatever happens.

Knows the standard topology (clients' segments, router, servers) and the one with two routers in a row. Names carry
the pid of the test run, so that runs do not disturb each other; everything inside a namespace has plain names (d1,
u0, eth0). Checksum offload is off unless asked for, so that what a witness sees is what a cable would carry.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
from dataclasses import dataclass, field

_PREFIX = "relaytest-"
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_SIOCETHTOOL = 0x8946
_ETHTOOL_STXCSUM = 0x17
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _enter(descriptor):
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    """One network namespace. `run` and `spawn` start commands in it, `inside` puts the calling thread into it."""

    def __init__(self, name):
        self.name = name
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
        self.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        self.ip("link set lo up")

    def close(self):
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    def with_ipv6(self):
        """Interfaces have IPv6 from now on, those to come too, with no address but what is given to them."""
        for place in ("all", "default"):
            self.sysctl(f"net.ipv6.conf.{place}.accept_dad", 0)
        with self.inside():
            interfaces = os.listdir("/proc/sys/net/ipv6/conf")
        for name in interfaces:
            for setting, value in (("accept_dad", 0), ("accept_ra", 0), ("addr_gen_mode", 1)):
                self.sysctl(f"net.ipv6.conf.{name}.{setting}", value)
        self.sysctl("net.ipv6.conf.all.disable_ipv6", 0)

    def ip(self, *lines):
        """Runs lines of `ip` commands in one go."""
        batch = "\n".join(lines) + "\n"
        done = subprocess.run(["ip", "-netns", self.name, "-batch", "-"], input=batch, text=True, check=False,
                              capture_output=True)
        assert done.returncode == 0, f"ip: {done.stderr.strip()}"

    def command(self, argv):
        return ["ip", "netns", "exec", self.name, *argv]

    def run(self, argv, **options):
        return subprocess.run(self.command(argv), check=True, capture_output=True, text=True, timeout=60, **options)

    def spawn(self, argv, **options):
        """A process that ends with the test run at the latest; its pid is the command's own."""
        return subprocess.Popen(self.command(argv), stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent, **options)

    @contextlib.contextmanager
    def inside(self):
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            _enter(there)
            yield
        finally:
            _enter(home)
            os.close(there)
            os.close(home)

    def socket(self, *arguments):
        """A socket that belongs to this namespace for good, usable from anywhere."""
        with self.inside():
            return socket.socket(*arguments)

    def sysctl(self, name, value):
        with self.inside(), open("/proc/sys/" + name.replace(".", "/"), "w", encoding="ascii") as file:
            file.write(str(value))

    def without_offload(self, interface):
        """Makes the kernel finish UDP checksums itself, as it does in front of a plain network card."""
        value = ctypes.create_string_buffer(struct.pack("=II", _ETHTOOL_STXCSUM, 0))
        request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
        with self.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, _SIOCETHTOOL, request)


class Network:
    """All namespaces of one test."""

    _count = 0

    def __init__(self, offload=False):
        self.offload = offload
        self._namespaces = []
        Network._count += 1
        self._prefix = f"{_PREFIX}{os.getpid()}-{Network._count}-"

    def namespace(self, label):
        made = Namespace(self._prefix + label)
        self._namespaces.append(made)
        return made

    def link(self, one, name, mac, other, other_name, other_mac):
        """A veth pair between two namespaces, both ends up."""
        one.ip(f"link add {name} address {mac} type veth peer name {other_name} address {other_mac} "
               f"netns {other.name}", f"link set {name} up")
        other.ip(f"link set {other_name} up")
        if not self.offload:
            one.without_offload(name)
            other.without_offload(other_name)

    def close(self):
        for namespace in self._namespaces:
            namespace.close()
        self._namespaces.clear()


def remove_leftovers():
    """Deletes namespaces of test runs that were killed before they could clean up."""
    listing = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    for name in (line.split()[0] for line in listing.splitlines() if line.startswith(_PREFIX)):
        pid = name[len(_PREFIX):].split("-")[0]
        if not os.path.exists(f"/proc/{pid}"):
            subprocess.run(["ip", "netns", "del", name], check=False)


@dataclass
class Segment:
    """One clients' segment: the client's namespace and the router's end of the link."""

    number: int
    client: Namespace
    mac: str = field(init=False)
    client_mac: str = field(init=False)

    def __post_init__(self):
        self.interface = f"d{self.number}"
        self.network = f"10.{100 + self.number}.0"
        self.address = f"{self.network}.1"
        self.broadcast = f"{self.network}.255"
        self.mac = f"02:00:00:00:{self.number:02x}:01"
        self.client_mac = f"02:00:00:00:{self.number:02x}:0c"

    def host(self, number):
        return f"{self.network}.{number}"

    @property
    def address6(self):
        """The router's global address, where the topology has IPv6."""
        return self.host6(1)

    def host6(self, number):
        return f"2001:db8:{100 + self.number}::{number:x}"


@dataclass
class Server:
    """A namespace for one DHCP server; the links of all of them meet in a bridge with the router's u0."""

    number: int
    namespace: Namespace

    def __post_init__(self):
        self.address = f"10.9.0.{self.number + 1}"
        self.mac = f"02:00:00:00:09:{self.number + 1:02x}"

    @property
    def address6(self):
        """Its global address, where the topology has IPv6."""
        return f"2001:db8:9::{self.number + 1:x}"


UPSTREAM_ADDRESS = "10.9.0.1"
UPSTREAM_MAC = "02:00:00:00:09:01"


class Topology:
    """clients c1, c2 ... -- d1, d2 ... [router] u0 10.9.0.1 -- bridge -- servers 10.9.0.2, 10.9.0.3"""

    def __init__(self, network, segments=2, servers=2):
        self.network = network
        self.router = network.namespace("router")
        self.router.sysctl("net.ipv4.ip_forward", 1)
        self.switch = network.namespace("switch")
        self.switch.ip("link add br0 type bridge mcast_snooping 0", "link set br0 up")
        network.link(self.router, "u0", UPSTREAM_MAC, self.switch, "u0", "02:00:00:00:09:f0")
        self.switch.ip("link set u0 master br0")
        self._knows(UPSTREAM_MAC, "u0")
        self.router.ip(f"addr add {UPSTREAM_ADDRESS}/24 dev u0")
        self.segments = [self._segment(number) for number in range(1, segments + 1)]
        self.servers = [self._server(number) for number in range(1, servers + 1)]

    def segment(self, number):
        return self.segments[number - 1]

    def server(self, number):
        return self.servers[number - 1]

    def _knows(self, mac, port):
        """The bridge need not learn, so it never floods: a server sees what is sent to it."""
        subprocess.run(["bridge", "-netns", self.switch.name, "fdb", "add", mac, "dev", port, "master", "static"],
                       check=True)

    def _segment(self, number):
        made = Segment(number, self.network.namespace(f"client{number}"))
        self.network.link(self.router, made.interface, made.mac, made.client, "eth0", made.client_mac)
        self.router.ip(f"addr add {made.address}/24 dev {made.interface}")
        return made

    def _server(self, number):
        made = Server(number, self.network.namespace(f"server{number}"))
        self.network.link(made.namespace, "eth0", made.mac, self.switch, f"s{number}", f"02:00:00:00:0a:{number:02x}")
        self.switch.ip(f"link set s{number} master br0")
        self._knows(made.mac, f"s{number}")
        made.namespace.ip(f"addr add {made.address}/24 dev eth0", f"route add default via {UPSTREAM_ADDRESS}")
        return made


class Chain(Topology):
    """The standard topology with a second router between it and the clients of segment 1:
    client -- d1 10.101.0.1 [outer] u0 10.8.0.1 -- d0 10.8.0.2 [router] u0 10.9.0.1 -- servers"""

    OUTER_ADDRESS = "10.8.0.1"
    INNER_ADDRESS = "10.8.0.2"

    def __init__(self, network):
        super().__init__(network, segments=0)
        self.outer = network.namespace("outer")
        self.outer.sysctl("net.ipv4.ip_forward", 1)
        network.link(self.outer, "u0", "02:00:00:00:08:01", self.router, "d0", "02:00:00:00:08:02")
        self.router.ip(f"addr add {self.INNER_ADDRESS}/24 dev d0", f"route add 10.101.0.0/24 via {self.OUTER_ADDRESS}")
        self.outer.ip(f"addr add {self.OUTER_ADDRESS}/24 dev u0", f"route add default via {self.INNER_ADDRESS}")
        inner, self.router = self.router, self.outer
        self.segments = [self._segment(1)]
        self.router = inner


class Pair(Topology):
    """The standard topology with two routers side by side on segment 1:
    client -- bridge -- d1 10.101.0.1 [router] u0 10.9.0.1 -- bridge -- servers
                     -- d1 10.101.0.2 [second] u0 10.9.0.254 --"""

    def __init__(self, network, servers=1):
        super().__init__(network, segments=0, servers=servers)
        self.second = network.namespace("second")
        self.second.sysctl("net.ipv4.ip_forward", 1)
        self.routers = [self.router, self.second]
        network.link(self.second, "u0", "02:00:00:00:09:fe", self.switch, "u1", "02:00:00:00:09:f1")
        self.switch.ip("link set u1 master br0")
        self._knows("02:00:00:00:09:fe", "u1")
        self.second.ip("addr add 10.9.0.254/24 dev u0")
        self.lan = network.namespace("lan")
        self.lan.ip("link add br0 type bridge mcast_snooping 0", "link set br0 up")
        made = Segment(1, network.namespace("client1"))
        network.link(made.client, "eth0", made.client_mac, self.lan, "c1", "02:00:00:00:01:f0")
        self.lan.ip("link set c1 master br0")
        for number, router in enumerate(self.routers, 1):
            network.link(router, "d1", f"02:00:00:00:01:0{number}", self.lan, f"d{number}", f"02:00:00:00:01:f{number}")
            router.ip(f"addr add {made.host(number)}/24 dev d1")
            self.lan.ip(f"link set d{number} master br0")
        self.segments = [made]
