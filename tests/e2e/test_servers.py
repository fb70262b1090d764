"""Which servers get a copy of which request, and that one which cannot be reached costs the others nothing."""

import collections
import ipaddress
import shutil
import signal
import socket
from pathlib import Path

import pytest

from message import reply
from wait import wait_until
from wire import arrived

BURST = 500


def burst(scene, count=BURST, segment=1):
    """Puts many DISCOVERs on a segment, one behind the other: their xids in this order."""
    return [scene.discover(segment).xid for _ in range(count)]


def copies(scene, xids, wire=1):
    """What has come for these, server by server: address -> (xid, payload) in the order of arrival."""
    wanted, came = set(xids), collections.defaultdict(list)
    for frame in scene.servers[wire].all(arrived(op=1)):
        if frame.message.xid in wanted:
            came[frame.destination].append((frame.message.xid, frame.payload))
    return came


def complete(scene, xids, wire=1, address=None):
    """Waits until a server has a copy of each, and returns their xids in the order of arrival."""
    address = address or scene.topology.server(wire).address

    def all_came():
        came = [xid for xid, _ in copies(scene, xids, wire)[address]]
        return came if len(set(came)) == len(xids) else None
    return wait_until(all_came, lambda: f"{len(xids)} copies at {address}; "
                                        f"{len(copies(scene, xids, wire)[address])} came", pause=0.05)


def host_addresses(count):
    """Addresses beside those of the topology, 10.9.0.100 and so on."""
    return [str(ipaddress.IPv4Address("10.9.0.100") + number) for number in range(count)]


# --- which servers ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("count", [1, 4, 48])
def test_4f06_one_identical_copy_for_each_of_many_servers(make_scene, count):
    """Counted by server, requests of both segments between each other (ISC dhcrelay once served one of four)."""
    scene = make_scene(servers=1)
    addresses = host_addresses(count)
    scene.topology.server(1).namespace.ip(*[f"addr add {each}/24 dev eth0" for each in addresses])
    relay = scene.relay("-a", servers=addresses, sinks=False)
    xids = [scene.discover(1 + number % 2).xid for number in range(100)]
    for address in addresses:
        assert complete(scene, xids, address=address) == xids
    scene.relayed(scene.discover())
    came = copies(scene, xids)
    assert sorted(came) == sorted(addresses)
    assert all(each == came[addresses[0]] and len(each) == len(xids) for each in came.values())
    assert [relay.counters(name)["request_copies"] for name in ("d1", "d2")] == [51 * count, 50 * count]


def test_the_same_server_given_twice_gets_one_copy(scene):
    """As address and again, in both of the ways to give one."""
    scene.relay("--server", "10.9.0.2", servers=("10.9.0.2", "10.9.0.3", "10.9.0.2"))
    asked = scene.discover()
    scene.settle()
    assert [len(scene.copies(asked.xid, wire)) for wire in scene.servers.values()] == [1, 1]


@pytest.mark.parametrize("flags, general, expected", [
    (["d2=10.9.0.3"], ["10.9.0.2"], {1: {1}, 2: {2}}),
    (["d1=10.9.0.2", "d2=10.9.0.3"], [], {1: {1}, 2: {2}}),
    (["d1=10.9.0.2,10.9.0.3", "d2=10.9.0.3"], [], {1: {1, 2}, 2: {2}}),
    (["d*=10.9.0.2", "d2=10.9.0.3"], [], {1: {1}, 2: {2}}),
    (["d2=10.9.0.3", "10.9.0.2"], [], {1: {1}, 2: {2}}),
], ids=["one", "each", "several", "pattern", "general by flag"])
def test_server_of_one_interface(scene, flags, general, expected):
    """--server IF= takes the place of the general list; copies are counted, also where there must be none."""
    scene.relay(*[word for each in flags for word in ("--server", each)], servers=general)
    asked = {segment: [scene.discover(segment).xid for _ in range(10)] for segment in (1, 2)}
    for segment, servers in expected.items():
        for server in servers:
            scene.settle(segment, server=server)
    for segment, xids in asked.items():
        for server in (1, 2):
            came = [xid for xid, _ in copies(scene, xids, server)[scene.topology.server(server).address]]
            assert came == (xids if server in expected[segment] else []), (segment, server)


def test_4d12_a_server_answers_for_its_own_interfaces_alone(scene):
    """A reply of the server of another segment is a stranger's."""
    relay = scene.relay("--server", "d2=10.9.0.3", servers=["10.9.0.2"])
    for segment, server in ((1, 2), (2, 1)):
        offered = scene.offer_for(segment)
        scene.send_reply(offered, server)
        scene.nothing(arrived(xid=offered.xid), wires=scene.clients.values(), segment=segment, server=segment)
    relay.expect_log(r" dropped .*reason=server_unknown\b", 2)


# --- names ------------------------------------------------------------------------------------------------------------

class Hosts:
    """/etc/hosts of the router's namespace, as `ip netns exec` has it: written in place, since it is a bind mount."""

    def __init__(self, namespace, stack):
        folder = Path("/etc/netns") / namespace.name
        fresh = not folder.parent.exists()
        folder.mkdir(parents=True)
        stack.callback(folder.parent.rmdir if fresh else lambda: None)
        stack.callback(shutil.rmtree, folder)
        self._file = folder / "hosts"
        (folder / "host.conf").write_text("multi on\n", encoding="ascii")
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", encoding="ascii")

    def write(self, **names):
        lines = ["127.0.0.1 localhost", *[f"{address} {name}" for name, each in names.items() for address in each]]
        self._file.write_text("\n".join(lines) + "\n", encoding="ascii")


def reload(relay, line="is in force"):
    count = relay.log.count(line)
    relay.signal(signal.SIGHUP)
    relay.expect_log(line, count + 1)


@pytest.fixture
def named(make_scene, stack):
    """A scene with many addresses at one server's cable, and a hosts file."""
    scene = make_scene(servers=1)
    scene.topology.server(1).namespace.ip(*[f"addr add {each}/24 dev eth0" for each in host_addresses(24)])
    scene.hosts = Hosts(scene.topology.router, stack)
    return scene


def who_got(scene, segment=1):
    """Asks ten times: the addresses that got copies, each of them of all."""
    xids = burst(scene, 10, segment)
    complete(scene, xids, address=next(iter(wait_until(lambda: copies(scene, xids), "any copy"))))
    came = copies(scene, xids)
    assert {tuple(xid for xid, _ in each) for each in came.values()} == {tuple(xids)}
    return sorted(came)


def test_name_with_many_addresses(named):
    """All of them get a copy, and one that two names share gets one; the name of one interface counts there alone."""
    first, second, third = host_addresses(24)[:16], host_addresses(24)[15:20], host_addresses(24)[20:]
    named.hosts.write(dhcp=first, other=second, mine=third)
    named.relay("--server", "d2=mine", servers=["dhcp", "other"], sinks=False)
    assert who_got(named) == sorted({*first, *second})
    assert who_got(named, 2) == sorted(third)


def test_names_are_resolved_again_on_sighup(named):
    """Some addresses go and some come; their replies count accordingly."""
    before, after = host_addresses(24)[:12], host_addresses(24)[8:20]
    named.hosts.write(dhcp=before, mine=before[:2])
    relay = named.relay("--server", "d2=mine", servers=["dhcp"], sinks=False)
    assert who_got(named) == sorted(before)
    named.hosts.write(dhcp=after, mine=after[-2:])
    assert who_got(named) == sorted(before), "resolved without being asked to"
    reload(relay)
    assert who_got(named) == sorted(after)
    assert who_got(named, 2) == sorted(after[-2:])
    known, gone = named.offer_for(), named.offer_for()
    named.send_reply(gone, source=before[0])
    named.send_reply(known, source=after[-1])
    named.delivered(known)
    relay.expect_drop("server_unknown")
    assert not named.copies(gone.xid, named.clients[1])


def test_a_name_that_no_longer_resolves_changes_nothing(named):
    """The reload fails with a reason, all servers stay; the next one finds the name again."""
    addresses = host_addresses(24)
    named.hosts.write(dhcp=addresses[:2])
    relay = named.relay(servers=["dhcp"], sinks=False)
    named.hosts.write(another=addresses[:2])
    reload(relay, r"the old configuration stays in force: cannot resolve server 'dhcp'")
    assert who_got(named) == addresses[:2]
    named.hosts.write(dhcp=addresses[2:4])
    reload(relay)
    assert who_got(named) == addresses[2:4]


# --- servers that cannot be reached -----------------------------------------------------------------------------------

_ELSEWHERE = "203.0.113.9"


def no_route(_scene):
    return _ELSEWHERE


def route_of_type(kind):
    def made(scene):
        scene.topology.router.ip(f"route add {kind} {_ELSEWHERE}/32")
        return _ELSEWHERE
    made.__name__ = kind
    return made


def forbidden(scene):
    """A firewall on the router: the kernel says EPERM."""
    scene.topology.router.run(["nft", "-f", "-"], input=(
        f"table ip t {{ chain output {{ type filter hook output priority 0; ip daddr {_ELSEWHERE} drop; }}; }}\n"))
    scene.topology.router.ip(f"route add {_ELSEWHERE}/32 via 10.9.0.2")
    return _ELSEWHERE


def never_resolved(_scene):
    """Nobody answers ARP for it."""
    return "10.9.0.66"


def closed_port(scene):
    """It lives, and answers copies with ICMP errors, as many as its kernel lets it send."""
    scene.topology.server(3).namespace.sysctl("net.ipv4.icmp_ratelimit", 0)
    return scene.topology.server(3).address


SAID = [no_route, *[route_of_type(kind) for kind in ("unreachable", "prohibit", "blackhole")], forbidden]
UNSAID = [never_resolved, closed_port]


@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "between", "last"])
@pytest.mark.parametrize("unreachable", SAID + UNSAID, ids=lambda each: each.__name__)
def test_4f06_unreachable_server_costs_the_others_nothing(make_scene, need, unreachable, place):
    """Of a burst, each of the others gets every request once, in the order in which they came; what the kernel refused
    is counted. Replies meanwhile arrive as ever."""
    if unreachable is forbidden:
        need("nft")
    scene = make_scene(servers=3)
    scene.sink(1)
    scene.sink(2)
    servers = ["10.9.0.2", "10.9.0.3"]
    servers.insert(place, unreachable(scene))
    relay = scene.relay("-a", "--log-level", "info", servers=servers, sinks=False)
    xids = burst(scene)
    for server in (1, 2):
        assert complete(scene, xids, server) == xids
    scene.exchange(server=1)
    for server in (1, 2):
        assert complete(scene, xids, server) == xids
    counters = relay.counters("d1")
    refused = BURST + 1 if unreachable in SAID else 0
    assert (counters["requests_relayed"], counters["request_copies_failed"]) == (BURST + 1, refused)
    assert counters["request_copies"] == (BURST + 1) * 3 - refused
    assert counters["dropped"] == 0
    assert_case_happened(scene, unreachable)


def assert_case_happened(scene, unreachable):
    if unreachable is never_resolved:
        wanted = socket.inet_aton("10.9.0.66")
        assert scene.servers[1].all(lambda frame: frame.ethertype == 0x806 and frame.octets[38:42] == wanted)
    if unreachable is closed_port:
        assert [each for each in scene.servers[3].read() if each.outgoing and each.protocol == socket.IPPROTO_ICMP]


def test_4f06_many_servers_that_nobody_resolves(scene):
    """What waits for their ARP is bounded by the kernel and must not take the room of the one that lives."""
    dead = host_addresses(47)
    scene.relay("-a", "--log-level", "info", servers=[*dead, "10.9.0.2"])
    xids = burst(scene)
    assert complete(scene, xids) == xids
    assert scene.running.counters("d1")["request_copies_failed"] == 0


def test_a_server_that_comes_back_gets_what_comes_then(scene):
    """No route for a while: nothing of what was refused comes late, and nothing needs a restart."""
    relay = scene.relay(servers=["10.9.0.2", _ELSEWHERE])
    scene.topology.server(2).namespace.ip(f"addr add {_ELSEWHERE}/32 dev eth0")
    lost = burst(scene, 20)
    complete(scene, lost)
    scene.topology.router.ip(f"route add {_ELSEWHERE}/32 via 10.9.0.3")
    found = burst(scene, 20)
    assert complete(scene, found, 2, _ELSEWHERE) == found
    assert not copies(scene, lost, 2)
    assert relay.counters("d1")["request_copies_failed"] == 20
    offered = reply(scene.relayed(scene.discover()).message, yiaddr="10.101.0.50")
    scene.send_reply(offered, 2, source=_ELSEWHERE)
    scene.delivered(offered)
