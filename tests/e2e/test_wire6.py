"""What only a real kernel shows of DHCPv6: memberships, ports, addresses, hop limits, sums, fragments and which sockets
the relay has."""

import re
import socket
import struct
from pathlib import Path

import pytest

from message6 import (ADVERTISE, CLIENT_LINK_LAYER, CLIENT_PORT, OF_CLIENTS, RECONFIGURE, RELAY_FORWARD, RELAY_MESSAGE,
                      RELAY_PORT, RELAY_REPLY, RELAYS_AND_SERVERS, REQUEST, SERVER_PORT, SERVERS, SOLICIT, VENDOR,
                      answer, reply_to, request, wrapped)
from network6 import CLIENT_LINK_LOCAL, ROUTER_LINK_LOCAL, UPSTREAM_ADDRESS6, unique_local
from packet6 import DESTINATION_OPTIONS, HOP_BY_HOP, pack, udp_frames
from peers6 import ScriptedServer6
from wait import wait_until
from wire6 import IPV6, arrived6

ALL_RELAYS = "ff020000000000000000000000010002"
NEIGHBOUR_SOLICITATION = 135  # RFC 4861 section 4.3


def memberships(relay):
    """The interfaces that are members of ff02::1:2 in the relay's network namespace."""
    lines = Path(f"/proc/{relay.pid}/net/igmp6").read_text(encoding="ascii").splitlines()
    return {line.split()[1] for line in lines if line.split()[2] == ALL_RELAYS}


def sized(size):
    """A SOLICIT of exactly this many octets."""
    made = request()
    return made.but(options=[*made.options, (VENDOR, bytes(size - len(made.encode()) - 4))])


# --- reception --------------------------------------------------------------------------------------------------------

def test_6r01_member_on_clients_interfaces_alone(scene6):
    """RFC 9915 section 7.2; what is sent to all relay agents on the servers' side is not even received."""
    relay = scene6.relay6()
    wait_until(lambda: memberships(relay) == {"d1", "d2"}, lambda: f"the memberships, which are {memberships(relay)}")
    asked = request()
    sender = scene6.topology.server(1)
    scene6.servers[1].send(udp_frames(asked.encode(), sender.address6, source_mac=sender.mac))
    scene6.nothing6(arrived6(RELAY_FORWARD, xid=asked.xid))


def test_6r01_membership_of_interfaces_that_come_and_go(scene6):
    """An interface that appears later, goes down and up again, and one that vanishes and comes back."""
    router, segment = scene6.topology.router, scene6.topology.segment(2)
    relay = scene6.relay6("--ipv6-only", interfaces=["-id", "d*", "-iu", "u0"])
    scene6.exchange6(2)
    router.ip("link add d3 type veth peer name p3", "link set p3 up",
              "addr add 2001:db8:103::1/64 dev d3 nodad", "link set d3 up")
    wait_until(lambda: memberships(relay) == {"d1", "d2", "d3"}, "d3 to be a member")
    router.ip("link set d3 down", "link del d3")
    router.ip("link set d2 down", "link set d2 up", f"addr replace {ROUTER_LINK_LOCAL}/64 dev d2 nodad",
              f"addr replace {segment.address6}/64 dev d2 nodad")
    wait_until(lambda: memberships(relay) == {"d1", "d2"}, lambda: f"d2 alone back: {memberships(relay)}")

    def relayed_again():
        asked = scene6.solicit(2)
        scene6.settle6(1)
        return scene6.copies6(asked.xid, scene6.servers[1])
    assert any(relayed_again() for _ in range(200)), "d2 is not relayed any more"
    router.ip("link add d4 type veth peer name p4", "link set d4 up")
    wait_until(lambda: memberships(relay) == {"d1", "d2", "d4"}, "d4 to be a member")
    scene6.exchange6(1)


@pytest.mark.parametrize("destination", [RELAYS_AND_SERVERS, "2001:db8:101::1", "fd00:db8:101::1", ROUTER_LINK_LOCAL,
                                         UPSTREAM_ADDRESS6])
def test_6r01_what_is_delivered_locally_is_relayed(scene6, destination):
    """To all relay agents, and by unicast to any address of the router."""
    scene6.relay6()
    place = scene6.topology.segment(1)
    to = {} if destination == RELAYS_AND_SERVERS else {"destination_mac": place.mac}
    asked = scene6.solicit(frame={"source": CLIENT_LINK_LOCAL if destination.startswith(("fe80", "ff"))
                                  else place.host6(0x50), "destination": destination, **to})
    assert scene6.forward6(asked).link_address == place.address6
    scene6.settle6()
    assert [len(scene6.copies6(asked.xid, wire)) for wire in scene6.servers.values()] == [1, 1]


def test_6r01_port_546_is_not_heard(scene6):
    """That is where clients are spoken to."""
    scene6.relay6()
    asked = scene6.solicit(frame={"dport": CLIENT_PORT})
    scene6.nothing6(arrived6(RELAY_FORWARD, xid=asked.xid))


def test_6r12_no_tcp(scene6):
    """Bulk leasequery is not relayed (RFC 5460 section 3)."""
    relay = scene6.relay6()
    for name in ("tcp", "tcp6"):
        lines = Path(f"/proc/{relay.pid}/net/{name}").read_text(encoding="ascii").splitlines()[1:]
        assert not [line for line in lines if line.split()[3] == "0A"]


def test_messages_to_others_are_routed_and_not_relayed(scene6):
    """A Relay-forward from behind us to a server crosses the router: one packet, the same octets."""
    scene6.relay6("--trust", "d1")
    place, server = scene6.topology.segment(1), scene6.topology.server(1)
    asked = request()
    octets = wrapped(asked, "2001:db8:77::1").encode()
    scene6.send_request6(octets, source=place.host6(0x50), destination=server.address6, destination_mac=place.mac,
                         sport=SERVER_PORT, hop_limit=33)
    came = scene6.relayed6(asked)
    scene6.settle6()
    assert (came.source, came.ttl, came.payload) == (place.host6(0x50), 32, octets)
    assert len(scene6.copies6(asked.xid, scene6.servers[1])) == 1
    assert not scene6.copies6(asked.xid, scene6.servers[2])


def test_d10_extension_headers_before_udp(scene6):
    """Hop-by-hop and destination options of several sizes (RFC 8200 section 4.3)."""
    scene6.relay6()
    for extensions in ([(HOP_BY_HOP, 8)], [(HOP_BY_HOP, 16)], [(HOP_BY_HOP, 8), (DESTINATION_OPTIONS, 24)]):
        asked = scene6.solicit(frame={"extensions": extensions})
        assert scene6.forward6(asked).carried == asked.encode()


@pytest.mark.parametrize("check", ["bad", "zero"])
def test_wrong_checksums_are_not_relayed(scene6, check):
    """IPv6 does not allow UDP without a sum (RFC 8200 section 8.1)."""
    scene6.relay6()
    asked = scene6.solicit(frame={"check": check})
    scene6.nothing6(arrived6(RELAY_FORWARD, xid=asked.xid))


def test_lengths_that_lie(scene6):
    """UDP and IPv6 payload lengths too small and too large: dropped, and the next message passes."""
    relay = scene6.relay6()
    good = udp_frames(request().encode(), CLIENT_LINK_LOCAL, source_mac=scene6.topology.segment(1).client_mac)[0]
    for value in [*range(0, 12), 40, 90, 400, 65535]:
        scene6.clients[1].send([good[:58] + struct.pack("!H", value) + good[60:],
                                good[:18] + struct.pack("!H", value) + good[20:]])
    scene6.exchange6()
    assert relay.alive


# --- towards servers --------------------------------------------------------------------------------------------------

def test_6f08_ports_and_source_of_relay_forwards(scene6):
    """From and to port 547 (RFC 9915 section 7.2), from the global address of the clients' interface."""
    scene6.relay6()
    for segment in scene6.topology.segments:
        asked = scene6.solicit(segment.number)
        for server in scene6.topology.servers:
            came = scene6.relayed6(asked, server.number)
            assert (came.ports, came.source, came.destination) == ((547, 547), segment.address6, server.address6)
            assert came.checksums_valid


def test_6f08_source_address(scene6):
    """--source-address replaces it; link-address stays what it is."""
    scene6.relay6("--source-address", UPSTREAM_ADDRESS6)
    came = scene6.relayed6(scene6.solicit())
    assert (came.source, came.message6.link_address) == (UPSTREAM_ADDRESS6, scene6.topology.segment(1).address6)


def test_6f08_client_ports_do_not_matter(scene6):
    """A client that speaks from any port is answered at 546."""
    scene6.relay6()
    asked = scene6.solicit(frame={"sport": 40000})
    said = answer(asked)
    scene6.send_reply6(reply_to(scene6.forward6(asked), said))
    assert scene6.delivered6(said).ports == (547, 546)


def test_6f08_another_port(scene6):
    """-p 1547: listen and send there, clients one below."""
    for server in scene6.topology.servers:
        scene6.keep(_Sink(server, 1547))
    scene6.relay6("-p", "1547", port=1547, sinks=False)
    asked = request()
    scene6.send_request6(asked, sport=1546, dport=1547)

    def is_it(frame):
        return frame.ports == (1547, 1547) and not frame.outgoing
    came = scene6.servers[1].expect(is_it)
    assert came.payload.endswith(asked.encode())
    said = answer(asked)
    scene6.send_reply6(scene6.reply_for(1, said)[1], sport=1547, dport=1547)
    came = scene6.clients[1].expect(lambda frame: not frame.outgoing and frame.ports == (1547, 1546))
    assert came.payload == said.encode()


class _Sink:
    """A port that is open and silent."""

    def __init__(self, server, port):
        self._socket = server.namespace.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self._socket.bind(("::", port))

    def start(self):
        return self

    def stop(self):
        self._socket.close()


@pytest.mark.parametrize("group", [SERVERS, RELAYS_AND_SERVERS, "ff02::1:77"])
def test_6f06_6f07_multicast_servers(scene6, group):
    """One copy on the named interface with hop limit 8; every server that hears it answers."""
    scene6.relay6(servers=[f"{group}%u0"], sinks=False)
    servers = [scene6.keep(ScriptedServer6(each, groups=[group])) for each in scene6.topology.servers]
    asked = scene6.solicit()
    for number in (1, 2):
        came = scene6.relayed6(asked, number)
        assert (came.destination, came.ttl, came.ports) == (group, 8, (547, 547))
        assert came.destination_mac.startswith("33:33:")
        assert len(scene6.copies6(asked.xid, scene6.servers[number])) == 1
    wait_until(lambda: len(scene6.clients[1].all(arrived6(ADVERTISE, xid=asked.xid))) == len(servers),
               "the answers of both servers")
    assert not scene6.clients[2].all(arrived6(xid=asked.xid))


def test_6f07_hop_limit_to_unicast_servers(scene6):
    scene6.relay6()
    assert scene6.relayed6(scene6.solicit()).ttl == 64


@pytest.mark.parametrize("own, down, told", [
    (None, 547, None), (1000, 547, 0), (None, 2000, 2000), (1000, 2000, 2000)])
def test_6f19_6d03_source_ports_are_told(scene6, own, down, told):
    """RFC 8357 section 5.2, in Relay-forwards of a relay agent below, and the port that its answer goes to."""
    scene6.relay6("--trust", "d1", *(["-rp", str(own)] if own else []))
    peer = scene6.topology.segment(1).host6(0x99)
    scene6.topology.segment(1).client.ip(f"addr add {peer}/64 dev eth0 nodad")
    asked = request()
    scene6.send_request6(wrapped(asked, "2001:db8:77::1"), source=peer, sport=down)
    came = scene6.relayed6(asked)
    assert came.ports == (own or 547, 547)
    assert came.message6.all(RELAY_PORT) == ([] if told is None else [struct.pack("!H", told)])
    said = answer(asked)
    scene6.send_reply6(reply_to(came.message6, said), destination=came.source, dport=own or 547)
    got = scene6.clients[1].expect(arrived6(RELAY_REPLY, xid=asked.xid))
    assert (got.destination, got.ports[1]) == (peer, down)
    assert got.message6.carried == said.encode()


def test_6f19_relay_port_for_clients(scene6):
    """Option 135 with zero in what we say of a client; the server answers to the port that the message came from."""
    scene6.relay6("-rp", "1000")
    asked = scene6.solicit()
    came = scene6.relayed6(asked)
    assert (came.ports, came.message6.option(RELAY_PORT)) == ((1000, 547), bytes(2))
    said = answer(asked)
    scene6.send_reply6(reply_to(came.message6, said), destination=came.source, dport=1000)
    assert scene6.delivered6(said).ports == (547, 546)


@pytest.mark.parametrize("size", [1400, 1490, 4000, 9000, 65000])
def test_6f20_large_messages_pass_in_fragments(scene6, size):
    """RFC 8200 section 5 lets the source fragment; the servers put it together."""
    servers = [scene6.keep(ScriptedServer6(each, lambda _: [])) for each in scene6.topology.servers]
    scene6.relay6(sinks=False)
    asked = sized(size)
    scene6.send_request6(asked)
    for number, server in enumerate(servers, 1):
        came = scene6.relayed6(asked, number)
        assert came.message6.carried == asked.encode()
        assert came.fragments == -(-(len(came.packet) - 40) // 1448) if size > 1400 else came.fragments == 1
        wait_until(lambda server=server: server.received, "the server to have it whole")
        assert server.received[0][2] == came.payload


def test_6f20_what_does_not_fit_into_a_datagram_is_dropped(scene6):
    """The message with the Relay-forward around it has more than 65,527 octets."""
    relay = scene6.relay6()
    asked = sized(65527)
    scene6.send_request6(asked)
    relay.expect_drop("wrapped_too_large")
    scene6.nothing6(arrived6(xid=asked.xid), wires=scene6.servers.values())


def test_6f20_large_messages_of_one_segment_leave_room_for_those_of_another(scene6):
    """All come at once; there is room for a number of them."""
    relay = scene6.relay6()
    with relay.held_up():
        for _ in range(150):
            scene6.send_request6(sized(2000))
        asked = sized(2000)
        scene6.send_request6(asked, 2)
    assert scene6.relayed6(asked).message6.carried == asked.encode()
    relay.expect_drop("queue_full")


def test_d1_d15_each_server_gets_one_copy(scene6):
    """All types of clients' messages on both segments, and what is not to be relayed among them: exact counts."""
    scene6.relay6()
    asked = {segment: [scene6.solicit(segment, kind=kind) for kind in OF_CLIENTS] for segment in (1, 2)}
    for segment in (1, 2):
        scene6.send_request6(b"\x01\x02", segment)
        scene6.send_request6(request(ADVERTISE), segment)
        scene6.send_request6(wrapped(request(), "2001:db8:77::1"), segment)
    scene6.settle6(1)
    scene6.settle6(2)
    by_settling = 4
    known = {made.xid: (segment, made) for segment, several in asked.items() for made in several}
    for number, wire in scene6.servers.items():
        wait_until(lambda wire=wire: len(wire.all(arrived6(RELAY_FORWARD))) >= len(known) + by_settling,
                   f"all copies at server {number}")
        came = wire.all(arrived6(RELAY_FORWARD))
        seen = [frame.message6.xid for frame in came if frame.message6.xid in known]
        assert sorted(seen) == sorted(known)
        assert len(came) == len(known) + by_settling
        for frame in came:
            if frame.message6.xid in known:
                segment, made = known[frame.message6.xid]
                assert frame.message6.carried == made.encode()
                assert frame.message6.link_address == scene6.topology.segment(segment).address6


# --- towards clients --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("segment", [1, 2])
def test_6d02_6d09_to_a_client(scene6, segment):
    """From the link-local address of its interface, port 547, to its own link-local address, port 546; on no other
    segment, though a client there has the same address."""
    scene6.relay6()
    said, made = scene6.reply_for(segment)
    scene6.send_reply6(made)
    came = scene6.delivered6(said, segment)
    place = scene6.topology.segment(segment)
    assert (came.source, came.destination) == (ROUTER_LINK_LOCAL, CLIENT_LINK_LOCAL)
    assert (came.source_mac, came.destination_mac) == (place.mac, place.client_mac)
    assert came.ports == (547, 546)
    assert came.checksums_valid
    scene6.nothing6(arrived6(xid=said.xid), wires=[scene6.clients[3 - segment]], segment=3 - segment)


def stranger(number):
    """A client that nothing answers for: its link-local address and its hardware address."""
    return f"fe80::5:{number:x}", f"02:00:05:00:{number >> 8:02x}:{number & 255:02x}"


def neighbour_solicitation(frame):
    return not frame.outgoing and frame.ethertype == IPV6 and frame.icmp_type == NEIGHBOUR_SOLICITATION


def test_6d09_more_clients_than_the_kernel_has_room_for_among_its_neighbours(scene6):
    """1,024 are its neighbours unless the operator says otherwise (gc_thresh3). Each client is answered at the hardware
    address that it asked from, and nobody asks for that."""
    scene6.relay6()
    asked = {}
    for number in range(1100):
        address, mac = stranger(number)
        asked[number] = scene6.solicit(frame={"source": address, "source_mac": mac})
        if number % 100 == 99:  # no more at once than a small receive buffer holds
            scene6.relayed6(asked[number])
    for number, question in asked.items():
        said, made = scene6.reply_for(1, answer(question), peer_address=stranger(number)[0])
        scene6.send_reply6(made)
        if number % 100 == 99:
            scene6.delivered6(said)
    came = {frame.message6.xid: frame for frame in scene6.clients[1].all(arrived6(ADVERTISE))}
    for number, question in asked.items():
        frame = came[question.xid]
        assert (frame.destination, frame.destination_mac) == stranger(number)
        assert (frame.source, frame.source_mac, frame.ports) == (
            ROUTER_LINK_LOCAL, scene6.topology.segment(1).mac, (547, 546))
        assert frame.checksums_valid
    scene6.exchange6(2)
    assert not scene6.clients[1].all(neighbour_solicitation)


def test_6d09_the_frame_goes_where_this_question_came_from(scene6):
    """Two hardware addresses with one link-local address: the transaction tells whose answer it is; where none does, the
    kernel asks its neighbours."""
    scene6.relay6()
    address, first = stranger(1)
    second = stranger(2)[1]
    for mac in (first, second):
        question = scene6.solicit(frame={"source": address, "source_mac": mac})
        came = scene6.relayed6(question)
        scene6.send_reply6(reply_to(came.message6, answer(question)))
        assert scene6.delivered6(answer(question)).destination_mac == mac
    scene6.send_reply6(scene6.reply_for(1, peer_address=address)[1])
    scene6.clients[1].expect(neighbour_solicitation)


def test_6d09_nobody_asked_for_a_reconfigure(scene6):
    """Its transaction-id is 0 (RFC 8415 section 16.11), which a client may have used too: the kernel asks."""
    scene6.relay6()
    address, mac = stranger(5)
    question = scene6.solicit(frame={"source": address, "source_mac": mac}, xid=0)
    came = scene6.relayed6(question)
    scene6.send_reply6(reply_to(came.message6, answer(question)))
    assert scene6.delivered6(answer(question)).destination_mac == mac
    assert not scene6.clients[1].all(neighbour_solicitation)
    scene6.send_reply6(reply_to(came.message6, answer(question, RECONFIGURE)))
    scene6.clients[1].expect(neighbour_solicitation)


@pytest.mark.parametrize("forged", [{}, {"kind": REQUEST}])
@pytest.mark.parametrize("is_relayed_before", [False, True])
def test_6d09_nobody_takes_anothers_answer(scene6, forged, is_relayed_before):
    """By a frame of his own, which the kernel discards for its checksum, with the client's link-local address and
    transaction-id: the answer goes where the kernel finds the client, and option 79 tells no other's address."""
    relay = scene6.relay6()
    place = scene6.topology.segment(1)
    question = request(mac=place.client_mac)
    answered = answer(question)
    if is_relayed_before:
        scene6.send_request6(question)
        scene6.relayed6(question)
    with relay.held_up():
        if not is_relayed_before:
            scene6.send_request6(question)
        scene6.send_request6(question.but(**forged), source_mac="02:66:66:66:66:66", check="bad")
        last = scene6.solicit()  # for which it looks at frames
    scene6.relayed6(last)
    came = scene6.forward6(question)
    told = came.option(CLIENT_LINK_LAYER)
    assert (told and told[2:].hex(":")) == (place.client_mac if is_relayed_before else None)
    scene6.send_reply6(reply_to(came, answered))
    assert scene6.delivered6(answered).destination_mac == place.client_mac


def test_6d09_nobody_sends_from_a_group_address(scene6):
    """What claims to is answered by no frame to many."""
    scene6.relay6()
    address, _ = stranger(3)
    question = scene6.solicit(frame={"source": address, "source_mac": "03:00:05:00:00:03"})
    came = scene6.relayed6(question)
    assert came.message6.option(CLIENT_LINK_LAYER) is None
    scene6.send_reply6(reply_to(came.message6, answer(question)))
    scene6.clients[1].expect(neighbour_solicitation)


def test_6d09_without_option_79_clients_are_the_kernels_neighbours(scene6):
    """Nothing looks at frames then."""
    scene6.relay6("--client-link-layer-address", "no")
    address, mac = stranger(4)
    question = scene6.solicit(frame={"source": address, "source_mac": mac})
    came = scene6.relayed6(question)
    scene6.send_reply6(reply_to(came.message6, answer(question)))
    scene6.clients[1].expect(neighbour_solicitation)


def test_6d09_to_a_client_with_a_global_address(scene6):
    """From a global address of ours."""
    scene6.relay6()
    peer = scene6.topology.segment(1).host6(0x77)
    scene6.topology.segment(1).client.ip(f"addr add {peer}/64 dev eth0 nodad")
    said, made = scene6.reply_for(1, peer_address=peer)
    scene6.send_reply6(made)
    came = scene6.delivered6(said)
    assert (came.source, came.destination, came.ports) == (scene6.topology.segment(1).address6, peer, (547, 546))


@pytest.mark.parametrize("destination", ["2001:db8:101::1", "2001:db8:102::1", UPSTREAM_ADDRESS6,
                                         unique_local(UPSTREAM_ADDRESS6)])
def test_6d04_whatever_address_of_ours_the_server_speaks_to(scene6, destination):
    """The Relay-reply alone tells whom it is for."""
    scene6.relay6()
    said, made = scene6.reply_for(1)
    scene6.send_reply6(made, destination=destination)
    assert scene6.delivered6(said).payload == said.encode()


@pytest.mark.parametrize("size", [1400, 1452, 1453, 4000, 60000])
def test_6d01_large_replies_pass_in_fragments(scene6, size):
    scene6.relay6()
    said = answer(request())
    said = said.but(options=[*said.options, (VENDOR, bytes(range(256)) * 300)])
    room = size - len(said.but(options=said.options[:-1]).encode()) - 4
    said = said.but(options=[*said.options[:-1], (VENDOR, (bytes(range(256)) * 300)[:room])])
    scene6.send_reply6(scene6.reply_for(1, said)[1])
    came = scene6.delivered6(said)
    assert came.payload == said.encode()
    assert len(came.payload) == size
    assert (came.fragments > 1) == (size > 1452)
    assert came.checksums_valid


def test_6d05_a_peer_that_is_routed_to(make_scene6):
    """No link-address and no Interface-Id, as a relay agent with a global address is answered."""
    scene = make_scene6()
    place = scene.topology.segment(2)
    peer = "2001:db8:77::99"
    place.client.ip(f"addr add {peer}/128 dev eth0 nodad")
    scene.topology.router.ip(f"route add {peer}/128 via {CLIENT_LINK_LOCAL} dev d2")
    scene.relay6()
    said, inner = scene.reply_for(1)
    made = wrapped(inner, "::", peer, 1, RELAY_REPLY)
    scene.send_reply6(made)
    came = scene.clients[2].expect(arrived6(RELAY_REPLY, xid=said.xid))
    assert (came.destination, came.ports, came.payload) == (peer, (547, 547), inner.encode())


# --- the process ------------------------------------------------------------------------------------------------------

def waiting_frames(relay):
    """What waits in each packet socket that receives, in octets, by the protocol that it is bound to."""
    lines = Path(f"/proc/{relay.pid}/net/packet").read_text(encoding="ascii").splitlines()[1:]
    return {line.split()[3]: int(line.split()[6]) for line in lines if line.split()[3] != "0000"}


def test_nothing_looks_at_frames_without_option_79(scene6):
    relay = scene6.relay6("--client-link-layer-address", "no")
    scene6.exchange6()
    assert not waiting_frames(relay)


def test_what_looks_at_frames_for_option_79_sees_dhcpv6_alone(scene6):
    """One packet socket, of IPv6, which neither gets what crosses the router, to whatever port, nor what else is for
    it."""
    relay = scene6.relay6()
    scene6.exchange6()
    place, server = scene6.topology.segment(1), scene6.topology.server(1)
    with relay.held_up():
        for destination, port in ((place.address6, 9), (server.address6, SERVER_PORT), (server.address6, 9)):
            scene6.send_request6(request(), source=place.host6(0x50), destination=destination, dport=port,
                                 destination_mac=place.mac)
        for port in (SERVER_PORT, 9):
            scene6.servers[1].expect(
                lambda frame, port=port: not frame.outgoing and frame.ports == (CLIENT_PORT, port))
        assert waiting_frames(relay) == {"86dd": 0}
        scene6.solicit()
        wait_until(lambda: waiting_frames(relay)["86dd"] > 0, "the frame of a client's message")


def test_one_process_relays_both_families(scene6):
    """The servers decide which; requests of one do not go to servers of the other."""
    relay = scene6.relay_both("-a")
    for segment in (1, 2):
        scene6.exchange(segment)
        scene6.exchange6(segment)
    assert relay.alive


@pytest.mark.parametrize("flag, port, other", [("-4", 67, 547), ("-6", 547, 67)])
def test_one_family_alone(scene6, known_hosts, flag, port, other):
    """Of a server that has addresses of both; the other family's port is not even open."""
    server = scene6.topology.server(1)
    known_hosts(scene6.topology.router)(both=[server.address, server.address6])
    scene6.sink(1)
    relay = scene6.relay6(flag, servers=["both"], port=port)
    names = {67: "udp", 547: "udp6"}
    lines = Path(f"/proc/{relay.pid}/net/{names[other]}").read_text(encoding="ascii")
    assert not re.search(rf":{other:04X} ", lines)
    (scene6.exchange if flag == "-4" else scene6.exchange6)()


def test_icmp_errors_do_no_harm(scene6):
    """Servers whose port is closed, and a client that does not listen."""
    relay = scene6.relay6(sinks=False)
    for _ in range(20):
        asked = scene6.solicit()
        scene6.relayed6(asked)
        said = answer(asked)
        scene6.send_reply6(scene6.reply_for(1, said)[1])
        scene6.delivered6(said)
    scene6.servers[1].expect(lambda frame: getattr(frame, "icmp_type", None) == 1, what="a port unreachable")
    assert relay.alive


def test_a_message_that_reaches_no_server_is_dropped(scene6):
    """Counted once, however many servers there are, and said with the reason."""
    relay = scene6.relay6(servers=["2001:db8:9::2", "2001:db8:9::3"])
    scene6.topology.router.ip("route add unreachable 2001:db8:9::2/128", "route add unreachable 2001:db8:9::3/128")
    scene6.solicit()
    relay.expect_log(r" send_failed .*interface=d1 .*reason=send_failed")
    scene6.topology.router.ip("route del unreachable 2001:db8:9::2/128", "route del unreachable 2001:db8:9::3/128")
    scene6.exchange6()


def test_option_9_is_last_or_found_all_the_same(scene6):
    """Whatever order our own options have, the message is in the only option 9, and nothing is behind the options."""
    scene6.relay6("-I")
    asked = scene6.solicit(kind=SOLICIT)
    came = scene6.relayed6(asked)
    assert came.message6.is_whole
    assert len(came.message6.all(RELAY_MESSAGE)) == 1
    assert came.payload[:2] == b"\x0c\x00"
    assert came.payload[2:18] == pack(scene6.topology.segment(1).address6)
    assert came.payload[18:34] == pack(CLIENT_LINK_LOCAL)
