"""A lease from beginning to end, and a router from start to restart: what changes while the relay runs."""

import itertools
import socket

import pytest

import message
import peers
from message import ACK, DECLINE, INFORM, NAK, OFFER, RELEASE, REQUEST, REQUESTED, SERVER_ID, request
from network import Chain
from wait import wait_until
from wire import arrived

_SERVER = "10.9.0.2"


class CraftedClient:
    """A client whose every message the test decides; it shows B=1, so that all answers are broadcasts."""

    def __init__(self, scene, number=1, segment=1):
        self.scene = scene
        self.segment = segment
        self.chaddr = message.mac_octets(f"02:00:00:00:c0:{number:02x}")
        self._xids = itertools.count(0x30000000 + number * 0x1000)

    def say(self, kind, more=(), flags=message.BROADCAST_FLAG, **fields):
        said = request(kind, chaddr=self.chaddr, xid=next(self._xids), flags=flags, more=list(more), **fields)
        self.scene.send_request(said, self.segment)
        return said

    def hear(self, said):
        wire = self.scene.clients[self.segment]
        return wire.expect(arrived(op=2, xid=said.xid), what="the answer").message

    def ask(self, kind, more=(), **fields):
        return self.hear(self.say(kind, more, **fields))

    def lease(self):
        """DISCOVER to ACK: the address."""
        offered = self.ask(message.DISCOVER)
        assert offered.kind == OFFER
        acked = self.ask(REQUEST, [names_address(offered.yiaddr), (SERVER_ID, offered.option(SERVER_ID))])
        assert (acked.kind, acked.yiaddr) == (ACK, offered.yiaddr)
        return acked.yiaddr


def names_server(address=_SERVER):
    return SERVER_ID, socket.inet_aton(address)


def names_address(address):
    return REQUESTED, socket.inet_aton(address)


@pytest.fixture(params=["dnsmasq", "dhcpd"])
def served(scene, need, request):
    """A scene with a real server, and the relay with option 82."""
    need(request.param)
    topology = scene.topology
    scene.keep(peers.SERVERS[request.param](topology, topology.server(1), scene.folder))
    scene.relay("-a", servers=[_SERVER], sinks=False)
    return scene


# --- a lease ----------------------------------------------------------------------------------------------------------

def test_4f15_4r02_renewal_by_unicast_is_not_relayed(served):
    """The router forwards it and the answer as IP; the server gets it once, without giaddr."""
    client = CraftedClient(served)
    address = client.lease()
    place = served.topology.segment(1)
    place.client.ip(f"addr add {address}/24 dev eth0", f"route add default via {place.address}")
    renewal = request(REQUEST, chaddr=client.chaddr, xid=0x31000000, ciaddr=address)
    with place.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((address, 68))
        udp.settimeout(20)
        udp.sendto(renewal.encode(), (_SERVER, 67))
        answer = message.Message.parse(udp.recv(4096))
    assert (answer.kind, answer.yiaddr) == (ACK, address)
    later = client.say(message.DISCOVER)
    client.hear(later)
    came = served.copies(renewal.xid, served.servers[1])
    assert [(frame.source, frame.message.hops, frame.message.giaddr) for frame in came] == [(address, 0, message.ANY)]
    assert came[0].payload == renewal.encode()


def test_rebind_by_broadcast(served):
    """ciaddr set, no server named: relayed, and the ACK reaches the client."""
    client = CraftedClient(served)
    address = client.lease()
    acked = client.ask(REQUEST, ciaddr=address)
    assert (acked.kind, acked.yiaddr) == (ACK, address)


def test_4d04_rebind_without_broadcast_flag(served):
    """The ACK goes to the address that the client still has, and to nobody else."""
    place = served.topology.segment(1)
    client = CraftedClient(served)
    client.chaddr = message.mac_octets(place.client_mac)
    address = client.lease()
    place.client.ip(f"addr add {address}/24 dev eth0")
    said = client.say(REQUEST, ciaddr=address, flags=0)
    came = served.clients[1].expect(arrived(op=2, xid=said.xid))
    assert (came.destination, came.destination_mac, came.ports) == (address, place.client_mac, (67, 68))


def test_4f12_release_by_broadcast(served):
    """Reaches the server, which gives the address to the next client that asks for it."""
    client = CraftedClient(served)
    address = client.lease()
    said = client.say(RELEASE, [names_server()], ciaddr=address)
    came = served.relayed(said).message
    assert (came.kind, came.ciaddr, came.giaddr) == (RELEASE, address, "10.101.0.1")
    other = CraftedClient(served, 2)
    assert other.ask(message.DISCOVER, [names_address(address)]).yiaddr == address


def test_4f12_decline(served):
    """Reaches the server, which offers another address next."""
    client = CraftedClient(served)
    address = client.lease()
    said = client.say(DECLINE, [names_server(), names_address(address)])
    served.relayed(said)
    assert client.ask(message.DISCOVER).yiaddr != address


@pytest.mark.parametrize("flags", [0, message.BROADCAST_FLAG])
def test_4d06_inform(scene, need, flags):
    """The answer to an INFORM has no yiaddr; dnsmasq sends it through the relay."""
    need("dnsmasq")
    scene.keep(peers.Dnsmasq(scene.topology, scene.topology.server(1), scene.folder))
    scene.relay("-a", servers=[_SERVER], sinks=False)
    scene.topology.segment(1).client.ip("addr add 10.101.0.60/24 dev eth0")
    client = CraftedClient(scene)
    acked = client.ask(INFORM, ciaddr="10.101.0.60", flags=flags)
    assert (acked.kind, acked.yiaddr, acked.ciaddr) == (ACK, message.ANY, "10.101.0.60")


def test_4d07_nak_after_moving_to_the_other_segment(served):
    """An INIT-REBOOT for an address of the segment left behind is refused, and the client hears it."""
    client = CraftedClient(served)
    address = client.lease()
    moved = CraftedClient(served, segment=2)
    said = moved.say(REQUEST, [names_address(address)], flags=0)
    came = served.clients[2].expect(arrived(op=2, xid=said.xid))
    assert came.message.kind == NAK
    assert (came.destination, came.destination_mac) == (message.BROADCAST, message.BROADCAST_MAC)


# --- routers ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("flags", [[], ["-a"]], ids=["plain", "option82"])
def test_4f03_4a06_chain_of_two_relays(make_scene, need, flags):
    """The second leaves giaddr and option 82 of the first alone; the server answers the first directly."""
    need("dnsmasq", "udhcpc")
    scene = make_scene(Chain)
    topology = scene.topology
    scene.keep(peers.Dnsmasq(topology, topology.server(1), scene.folder))
    scene.relay(*flags, interfaces=["-id", "d0", "-iu", "u0"], servers=[_SERVER], sinks=False)
    answers_come_from_elsewhere = ["--reply-from", "any"] if scene.running.ours else []
    scene.relay(*flags, *answers_come_from_elsewhere, interfaces=["-id", "d1", "-iu", "u0"],
                servers=[Chain.INNER_ADDRESS], sinks=False, namespace=topology.outer)
    address = scene.keep(peers.Udhcpc(topology.segment(1), scene.folder)).address()
    assert address.startswith("10.101.0.")
    for frame in scene.servers[1].all(arrived(op=1)):
        came = frame.message
        assert (came.hops, came.giaddr, len(came.options)) == (2, "10.101.0.1", len({code for code, _ in came.options}))
        assert came.option(message.AGENT) == (b"\x01\x02d1" if flags else None)


def test_4r02_exchange_of_another_relay_in_transit(make_scene):
    """Messages of a relay behind the router to a server, and back, are IP packets to this router and no more."""
    scene = make_scene(Chain)
    topology = scene.topology
    scene.relay("-a", interfaces=["-id", "d0", "-iu", "u0"], servers=["10.9.0.3"])
    scene.relay("-a", interfaces=["-id", "d1", "-iu", "u0"], servers=[_SERVER], namespace=topology.outer, sinks=False)
    asked = scene.discover()
    came = scene.relayed(asked)
    assert came.message.hops == 1
    offered = message.reply(came.message, yiaddr="10.101.0.70")
    scene.send_reply(offered)
    scene.delivered(offered)
    scene.settle()
    assert [len(scene.copies(asked.xid, wire)) for wire in scene.servers.values()] == [1, 0]
    assert len(scene.copies(asked.xid, scene.clients[1])) == 1


def test_server_that_is_down_and_comes_up(scene, need):
    """Requests meanwhile are lost; those after it is there are answered."""
    need("dnsmasq")
    scene.relay("-a", servers=[_SERVER], sinks=False)
    client = CraftedClient(scene)
    for _ in range(5):
        scene.relayed(client.say(message.DISCOVER))
    scene.keep(peers.Dnsmasq(scene.topology, scene.topology.server(1), scene.folder))
    assert client.lease().startswith("10.101.0.")


# --- interfaces -------------------------------------------------------------------------------------------------------

def relayed_in_the_end(scene, segment=1, giaddr=None):
    """Asks until a request comes out, as clients do: the frame. What changed a moment ago may not be known yet."""
    def attempt():
        asked = scene.discover(segment)
        try:
            return scene.relayed(asked, timeout=0.2)
        except AssertionError:
            return None

    def as_wanted():
        came = attempt()
        return came if came and giaddr in (None, came.message.giaddr) else None
    return wait_until(as_wanted, f"a relayed request with giaddr {giaddr}")


def answered_with(scene, came, segment=1):
    """Answers a request that was relayed, and waits for the answer on the segment."""
    offered = message.reply(came.message, yiaddr=came.message.giaddr.rsplit(".", 1)[0] + ".90")
    scene.send_reply(offered)
    return scene.delivered(offered, segment)


def test_interface_flap(scene):
    """Down, then up, of the clients' side and of the servers' side."""
    scene.relay("-a")
    scene.exchange()
    for name in ("d1", "u0"):
        scene.topology.router.ip(f"link set {name} down")
        scene.discover(2 if name == "d1" else 1)
        scene.topology.router.ip(f"link set {name} up")
        answered_with(scene, relayed_in_the_end(scene))
    scene.exchange(2)


def test_giaddr_follows_the_interface_address(scene):
    """Another address without a restart, and none for a while."""
    relay = scene.relay()
    router = scene.topology.router
    scene.exchange()
    router.ip("addr add 10.121.0.1/24 dev d1", "addr del 10.101.0.1/24 dev d1")
    for server in scene.topology.servers:
        assert server.address != "10.121.0.1"
    answered_with(scene, relayed_in_the_end(scene, giaddr="10.121.0.1"))
    router.ip("addr flush dev d1")
    if relay.ours:
        def refused():
            scene.discover()
            return "reason=no_address" in relay.log
        wait_until(refused, "a drop for want of an address", pause=0.05)
    router.ip("addr add 10.101.0.1/24 dev d1")
    answered_with(scene, relayed_in_the_end(scene, giaddr="10.101.0.1"))


@pytest.mark.parametrize("name", ["late1", "late*"], ids=["name", "pattern"])
def test_interface_that_comes_later(scene, name):
    """Created after the start of the relay, then removed, and created again."""
    topology = scene.topology
    scene.relay("-a", interfaces=["-id", "d1", "-id", name, "-iu", "u0"])
    scene.exchange()
    late = topology.network.namespace("late")
    for _ in range(2):
        topology.network.link(topology.router, "late1", "02:00:00:00:77:01", late, "eth0", "02:00:00:00:77:0c")
        topology.router.ip("addr add 10.177.0.1/24 dev late1")
        wire = scene.wire(late)

        def relayed():
            asked = request(xid=scene.offer_for(1).xid)
            wire.send(message.udp_frames(asked.encode(), source_mac="02:00:00:00:77:0c"))
            scene.settle()
            return scene.copies(asked.xid, scene.servers[1])
        came = wait_until(relayed, "a relayed request of the late interface")[0].message
        assert (came.giaddr, came.option(message.AGENT)) == ("10.177.0.1", b"\x01\x05late1")
        offered = message.reply(came, yiaddr="10.177.0.50")
        scene.send_reply(offered)
        wire.expect(arrived(op=2, xid=offered.xid))
        topology.router.ip("link del late1")
        scene.exchange()


def test_renamed_interface(scene):
    """Out of the relay's names and back; a new name that a pattern matches."""
    relay = scene.relay("-a", interfaces=["-id", "d1", "-id", "e*", "-iu", "u0"])
    scene.exchange()
    router = scene.topology.router

    def rename(old, new):
        router.ip(f"link set {old} down", f"link set {old} name {new}", f"link set {new} up")
    rename("d1", "other")
    rename("d2", "e2")
    came = relayed_in_the_end(scene, 2)
    assert came.message.option(message.AGENT) == b"\x01\x02e2"
    asked = scene.discover(1)
    scene.nothing(arrived(xid=asked.xid), segment=2)
    rename("other", "d1")
    answered_with(scene, relayed_in_the_end(scene, 1))
    if relay.ours:
        relay.expect_log(r"WARNING interface_changed interface=d1 .*change=released renamed_to=other ")
        assert "not_downstream" not in relay.counters("d1"), "what was dropped as other"


# --- the relay ends ---------------------------------------------------------------------------------------------------

def test_killed_in_mid_handshake_and_started_again(scene):
    """The answer to a request of the run before is delivered; the client gets its lease."""
    def relay():
        return scene.relay("-a", "-id", "d1", "-id", "d2", "-iu", "u0", interfaces=[], sinks=False)
    first = relay()
    client = CraftedClient(scene)
    scene.sink(1)
    asked = client.say(message.DISCOVER)
    came = scene.relayed(asked).message
    first.kill()
    relay()
    scene.send_reply(message.reply(came, yiaddr="10.101.0.80"))
    assert client.hear(asked).yiaddr == "10.101.0.80"


def test_killed_relay_and_real_client(scene, need):
    """A client that waits for its answer when the relay is killed has a lease soon after the restart."""
    need("udhcpc", "dnsmasq")
    topology = scene.topology
    first = scene.relay(servers=[_SERVER], sinks=False)
    client = scene.keep(peers.Udhcpc(topology.segment(1), scene.folder))
    scene.servers[1].expect(arrived(op=1))
    first.kill()
    scene.keep(peers.Dnsmasq(topology, topology.server(1), scene.folder))
    scene.relay(servers=[_SERVER], sinks=False)
    assert client.address().startswith("10.101.0.")
