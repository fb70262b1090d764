"""4,000 interfaces by one pattern: few descriptors, little memory, and bursts of link changes beside steady clients."""

import collections
import itertools
import re
import time

import pytest

from message import mac_octets, reply, request, udp_frames
from peers import ScriptedServer
from scene import stream
from wait import wait_until
from wire import arrived

COUNT = 4000
_DESCRIPTORS = 16
_KILOBYTES = 48 * 1024
_HELD = 40  # requests that any receive buffer holds
_SERVER = "10.9.0.2"
_xids = itertools.count(0x60000001)


def address(number):
    return f"10.{128 + number // 250}.{number % 250}.1"


def other_address(number):
    return f"172.{16 + number // 250}.{number % 250}.1"


def mac(number, end):
    return f"02:00:00:{end:02x}:{number >> 8:02x}:{number & 255:02x}"


def inner():
    """The interfaces that lead to each other."""
    return range(1, COUNT - 1)


def pair(number):
    return f"link add x{number} group {1 + number // 400} type veth peer name x{number + 1}"


def settled(number):
    return [f"link set x{number} up", f"addr add {address(number)}/24 dev x{number}"]


class Crowd:
    """A router with x0 to x3999, of which the first and the last lead to a client, the others to each other."""

    def __init__(self, scene):
        self.scene = scene
        self.router = scene.topology.router
        network = scene.topology.network
        ends = {0: network.namespace("first"), COUNT - 1: network.namespace("last")}
        for number, end in ends.items():
            network.link(self.router, f"x{number}", mac(number, 1), end, "eth0", mac(number, 2))
        lines = [pair(number) for number in inner()[::2]]
        for number in range(COUNT):
            lines += settled(number)
        self.router.ip(*lines)
        self.wires = {number: scene.wire(end) for number, end in ends.items()}
        self.relay = None

    def start(self, *flags, **options):
        self.relay = self.scene.relay(*flags, interfaces=["-id", "x*", "-iu", "u0"], servers=[_SERVER], **options)
        return self.relay

    def ask(self, number):
        """Puts a DISCOVER on a client's segment."""
        asked = request(xid=next(_xids), chaddr=mac_octets(mac(number, 2)))
        self.wires[number].send(udp_frames(asked.encode(), source_mac=mac(number, 2)))
        return asked

    def exchange(self, number, giaddr):
        """A DISCOVER up and an OFFER down."""
        asked = self.ask(number)
        came = self.scene.relayed(asked).message
        assert came.giaddr == giaddr
        self.scene.send_reply(reply(came, yiaddr=giaddr[:-1] + "50"))
        self.wires[number].expect(arrived(op=2, xid=asked.xid))
        return came

    def counts(self, xids):
        """How often each of these requests has reached the server, and each answer the client."""
        return [[counted[xid] for xid in xids]
                for counted in (copies(self.scene.servers[1], 1), copies(self.wires[0], 2))]


def copies(wire, op):
    return collections.Counter(frame.message.xid for frame in wire.all(arrived(op=op)))


@pytest.fixture
def crowd(make_scene):
    return Crowd(make_scene(segments=0, servers=1))


def all_served(crowd, xids):
    """Each request has been relayed once, and each answer delivered once."""
    expected = [[1] * len(xids)] * 2
    wait_until(lambda: crowd.counts(xids) == expected,
               lambda: f"{len(xids)} requests and answers; came {[sum(each) for each in crowd.counts(xids)]}", pause=0.2)


def test_4000_interfaces(crowd):
    """Relays on the first and on the last of them, with few descriptors and little memory."""
    before = time.monotonic()
    relay = crowd.start("-a", "--circuit-id", "%h-%i-%p", "--remote-id", "%d-%M")
    print(f"start with {COUNT} interfaces: {time.monotonic() - before:.2f} s")
    for number, wire in crowd.wires.items():
        came = crowd.exchange(number, address(number))
        assert f"x{number}".encode() in came.options[-1][1]
        assert wire.lost() == 0
    print(f"descriptors {relay.descriptors()}, resident {relay.resident_kilobytes()} kB")
    assert relay.descriptors() <= _DESCRIPTORS
    if not relay.is_sanitized():
        assert relay.resident_kilobytes() < _KILOBYTES


def bursts():
    """Thousands of changes each, after which all is as it was; the clients' segments are not among them."""
    inside = list(inner())
    some, group = inside[:1000], inside[:399]
    return {
        "down and up": [f"link set x{number} {state}" for state in ("down", "up") for number in inside],
        "addresses": [f"addr {verb} {other_address(number)}/24 dev x{number}"
                      for verb in ("add", "del") for number in inside],
        "names": [line for old, new in (("x", "y"), ("y", "x")) for number in some
                  for line in (f"link set {old}{number} down", f"link set {old}{number} name {new}{number}",
                               f"link set {new}{number} up")],
        "gone and new": ["link del group 1", *[pair(number) for number in group[::2]],
                         *[line for number in [*group, 400] for line in settled(number)]],
    }


def test_steady_clients_beside_bursts_of_link_changes(crowd):
    """Each request is relayed and each reply delivered, once, while thousands of links and addresses change."""
    crowd.scene.keep(ScriptedServer(crowd.scene.topology.server(1)))
    relay = crowd.start("-a", "--log-level", "info", sinks=False)
    with stream(lambda: crowd.ask(0).xid, pace=0.002) as xids:
        for what, lines in bursts().items():
            at = len(xids)
            crowd.router.ip(*lines)
            wait_until(lambda start=at: len(xids) > start, "a request meanwhile")
            print(f"{what}: {len(lines)} changes, {len(xids) - at} requests")
    all_served(crowd, xids)
    counted = relay.counters("x0")
    assert (counted["requests_received"], counted["requests_relayed"], counted["replies_delivered"]) == (len(xids),) * 3
    assert crowd.exchange(COUNT - 1, address(COUNT - 1))


def test_more_link_changes_than_the_kernel_keeps(crowd):
    """The relay is held up while links change, so that the kernel drops reports; the requests of that time, and of the
    time in which the relay finds out what it missed, are relayed, and then it knows everything."""
    crowd.scene.keep(ScriptedServer(crowd.scene.topology.server(1)))
    relay = crowd.start("-a", "--log-level", "info", sinks=False)
    with relay.held_up():
        crowd.router.ip(*bursts()["down and up"], f"addr add 192.0.2.1/24 dev x{COUNT - 1}",
                        f"addr del {address(COUNT - 1)}/24 dev x{COUNT - 1}", "link set x7 name xx7")
        waiting = [crowd.ask(0).xid for _ in range(_HELD)]
        assert relay.lost_reports() > 0
    with stream(lambda: crowd.ask(0).xid, pace=0.002) as xids:
        relay.expect_log(r" change=renamed ")
    all_served(crowd, waiting + xids)
    crowd.ask(COUNT - 1)
    crowd.scene.servers[1].expect(arrived(op=1, giaddr="192.0.2.1"))


def test_an_address_among_thousands(crowd):
    """A change of one address is one change: none of the other interfaces is told of, and nothing was asked anew."""
    relay = crowd.start("-a", "--log-level", "info")
    relay.expect_log(r" interface_changed ", COUNT)
    before = len(re.findall(r" interface_changed ", relay.log))
    for text in ("192.0.2.1", "198.51.100.1"):
        last = f"dev x{COUNT - 1}"
        crowd.router.ip(f"addr flush {last}", f"addr add {text}/24 {last}")
        relay.expect_log(rf" interface=x{COUNT - 1} change=giaddr_changed state=up giaddr={re.escape(text)}")
        crowd.exchange(COUNT - 1, text)
    crowd.exchange(0, address(0))
    changes = re.findall(r" interface_changed interface=(\S+)", relay.log)[before:]
    assert set(changes) == {f"x{COUNT - 1}"}
    assert relay.lost_reports() == 0
