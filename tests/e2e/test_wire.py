"""What only a real kernel shows: addresses, ports, checksums, fragments, ICMP, and which sockets the relay has."""

import os
import random
import signal
import socket
import struct
from pathlib import Path

import pytest

import message
from message import ACK, AGENT, BROADCAST_FLAG, BROADCAST_MAC, INFORM, NAK, ip_frames, reply, request, udp_frames
import relay as relay_module
from network import UPSTREAM_MAC
from rights import expect_confined
from wait import wait_until
from wire import ARP, arrived

SIZES = [300, 301, 576, 1472, 4000, 65507]


def sized(scene, size, seed=1):
    """A DISCOVER of exactly this many octets: one option after the other, random content, then pad."""
    options, room = [], size - 236 - 4 - 1 - 3
    numbers = random.Random(seed)
    while room >= 3:
        length = min(255, room - 2)
        options.append((message.VENDOR, numbers.randbytes(length)))
        room -= 2 + length
    made = request(xid=next_xid(scene))
    return made.but(options=[(message.KIND, bytes([message.DISCOVER])), *options])


def next_xid(scene):
    return scene.offer_for(1).xid


# --- reception --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("source", ["0.0.0.0", "10.101.0.50"])
def test_4r03_both_sources_are_relayed_under_rp_filter(scene, source):
    """Sources 0.0.0.0 and of the segment, with strict reverse-path filtering."""
    for name in ("all", "d1", "u0"):
        scene.topology.router.sysctl(f"net.ipv4.conf.{name}.rp_filter", 1)
    scene.relay()
    asked = request(xid=next_xid(scene))
    scene.send_request(asked, source=source)
    scene.relayed(asked)
    scene.exchange()


@pytest.mark.parametrize("destination, mac", [
    ("255.255.255.255", BROADCAST_MAC), ("10.101.0.255", BROADCAST_MAC), ("10.101.0.1", "02:00:00:00:01:01"),
    ("10.9.0.1", "02:00:00:00:01:01")])
def test_4r02_what_is_delivered_locally_is_relayed(scene, destination, mac):
    """Limited broadcast, subnet broadcast, unicast to the segment's and to another of the router's addresses."""
    scene.relay()
    asked = request(xid=next_xid(scene))
    scene.send_request(asked, source="10.101.0.50", destination=destination, destination_mac=mac)
    assert scene.relayed(asked).message.giaddr == "10.101.0.1"
    scene.settle()
    assert len(scene.copies(asked.xid, scene.servers[1])) == 1


def test_4r02_unicast_to_others_is_routed_untouched_and_not_relayed(scene):
    """A datagram to a server's port 67 that crosses the router: one packet, the same octets, TTL one less."""
    scene.relay("-a")
    asked = request(message.REQUEST, xid=next_xid(scene), ciaddr="10.101.0.50")
    scene.send_request(asked, source="10.101.0.50", destination="10.9.0.2",
                       destination_mac=scene.topology.segment(1).mac, ttl=33)
    came = scene.servers[1].expect(arrived(xid=asked.xid))
    scene.settle()
    assert (came.source, came.ttl, came.payload) == ("10.101.0.50", 32, asked.encode())
    assert len(scene.copies(asked.xid, scene.servers[1])) == 1
    assert not scene.copies(asked.xid, scene.servers[2])


def test_4r04_port_68_is_ignored_in_silence(scene):
    """No copy, and no ICMP in return for a broadcast."""
    scene.relay()
    asked = request(xid=next_xid(scene))
    scene.send_request(asked, dport=68)
    scene.nothing(arrived(xid=asked.xid))
    assert not scene.clients[1].all(lambda frame: not frame.outgoing and frame.protocol == socket.IPPROTO_ICMP)


def test_4r01_interface_that_is_not_configured(scene):
    """A request on d2 while only d1 is the clients' side."""
    scene.relay(interfaces=["-id", "d1", "-iu", "u0"])
    asked = scene.discover(2)
    scene.nothing(arrived(xid=asked.xid))


def test_request_on_the_servers_side_is_dropped(scene):
    """-iu accepts replies alone."""
    relay = scene.relay()
    asked = request(xid=next_xid(scene))
    scene.servers[2].send(udp_frames(asked.encode(), source_mac=scene.topology.server(2).mac))
    scene.nothing(lambda frame: arrived(xid=asked.xid)(frame) and frame.message.hops == 1)
    relay.expect_drop("not_downstream")


@pytest.mark.parametrize("size", SIZES)
def test_4r06_requests_of_any_size(scene, size):
    """Whole, or in fragments where the cable demands it; the payload changes in hops and giaddr alone."""
    scene.relay()
    asked = sized(scene, size)
    octets = asked.encode(size)
    assert len(octets) == size
    scene.send_request(octets)
    came = scene.relayed(asked)
    expected = bytearray(octets)
    expected[3] = 1
    expected[24:28] = socket.inet_aton("10.101.0.1")
    assert came.payload == bytes(expected)
    assert (came.fragments > 1) == (size > 1472)


def test_4r06_fragments_of_a_request_in_disorder(scene):
    """The last fragment first."""
    scene.relay()
    asked = sized(scene, 4000)
    scene.clients[1].send(udp_frames(asked.encode(), source_mac=scene.topology.segment(1).client_mac)[::-1])
    assert scene.relayed(asked).message.options == asked.options


def test_4r19_checksum_zero_is_legal_and_a_bad_one_is_not(scene):
    """Requests, then replies."""
    scene.relay()
    none, bad = request(xid=next_xid(scene)), request(xid=next_xid(scene))
    scene.send_request(none, check="zero")
    scene.relayed(none)
    scene.send_request(bad, check="bad")
    scene.nothing(arrived(xid=bad.xid))
    none, bad = scene.offer_for(1), scene.offer_for(1)
    scene.send_reply(none, check="zero")
    scene.delivered(none)
    scene.send_reply(bad, check="bad")
    scene.nothing(arrived(xid=bad.xid))


# --- towards servers --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [300, 301, 576, 1400])
def test_4f08_4f09_4f10_headers_towards_servers(scene, size):
    """Checksums, TTL of our own though the request's was 1, ports, source address giaddr."""
    scene.relay("-a")
    asked = sized(scene, size)
    scene.send_request(asked.encode(size), ttl=1)
    for server in (1, 2):
        came = scene.relayed(asked, server)
        assert came.checksums_valid
        assert came.ttl >= 32
        assert came.ports == (67, 67)
        assert came.source == "10.101.0.1"
        assert came.source_mac == UPSTREAM_MAC


def test_4f08_checksums_of_merged_requests(scene):
    """Many of one size at once, which may leave merged (UDP_SEGMENT), and of odd sizes between them."""
    scene.relay("-a")
    asked = [sized(scene, 300 if number % 7 else 301 + number, seed=number) for number in range(200)]
    for each in asked:
        scene.send_request(each)
    for each in asked:
        for server in (1, 2):
            came = scene.relayed(each, server)
            assert came.checksums_valid
            assert came.message.options[:len(each.options)] == each.options


def test_4f10_source_address(scene):
    """--source-address replaces giaddr as source; giaddr stays what it is."""
    scene.relay("--source-address", "10.9.0.1")
    came = scene.relayed(scene.discover())
    assert (came.source, came.message.giaddr, came.ports) == ("10.9.0.1", "10.101.0.1", (67, 67))


def test_4f02_giaddr_is_always_the_primary_address(scene):
    """With a second address on the interface, and on another network there too."""
    scene.topology.router.ip("addr add 10.101.0.9/24 dev d1", "addr add 10.111.0.1/24 dev d1")
    scene.relay()
    assert {scene.relayed(scene.discover()).message.giaddr for _ in range(20)} == {"10.101.0.1"}


def test_4r18_not_sent_back_to_the_segment_it_came_from(scene):
    """A server address that is the segment's own directed broadcast; the other server gets its copy."""
    scene.relay(servers=["10.101.0.255", "10.9.0.2"])
    asked = scene.discover()
    scene.relayed(asked)
    scene.nothing(arrived(xid=asked.xid), wires=scene.clients.values())


def test_a_request_that_reaches_no_server_is_dropped(scene):
    """Counted once, however many servers there are, and said with the reason."""
    relay = scene.relay(servers=("203.0.113.9", "203.0.113.10"))
    scene.discover()
    relay.expect_log(r" send_failed .*interface=d1")
    relay.signal(signal.SIGUSR1)
    relay.expect_log(r" counters interface=d1 family=ipv4 requests_received=1 requests_relayed=0 request_copies=0 "
                     r"request_copies_failed=2 .*dropped=1 send_failed=1")


# --- towards clients --------------------------------------------------------------------------------------------------

def deliver(scene, offered, **frame):
    """Sends a reply to the relay and returns the frame on segment 1."""
    scene.send_reply(offered, **frame)
    came = scene.delivered(offered)
    assert came.ports == (67, 68)
    assert came.checksums_valid
    assert came.source == "10.101.0.1"
    assert came.source_mac == scene.topology.segment(1).mac
    return came


def no_arp(scene, address):
    """Nobody was asked who has this address."""
    wanted = socket.inet_aton(address)
    return not scene.clients[1].all(lambda frame: not frame.outgoing and frame.ethertype == ARP
                                    and frame.octets[38:42] == wanted)


def test_4d03_broadcast_flag(scene):
    """B=1: both destinations are broadcast."""
    scene.relay()
    came = deliver(scene, scene.offer_for(1, flags=BROADCAST_FLAG))
    assert (came.destination, came.destination_mac) == ("255.255.255.255", BROADCAST_MAC)


def test_4d04_4d09_unicast_without_arp(scene):
    """B=0: to yiaddr and chaddr, though nobody would answer ARP for it."""
    scene.relay()
    came = deliver(scene, scene.offer_for(1, yiaddr="10.101.0.60"))
    assert (came.destination, came.destination_mac) == ("10.101.0.60", "02:00:00:00:00:01")
    scene.settle()
    assert no_arp(scene, "10.101.0.60")


@pytest.mark.parametrize("fields", [
    {"hlen": 0}, {"htype": 32, "hlen": 0}, {"htype": 32, "hlen": 16, "chaddr": bytes(range(16))},
    {"chaddr": bytes(6)}, {"chaddr": bytes.fromhex("01005e000001")}, {"chaddr": b"\xff" * 6}],
    ids=["hlen0", "ipoib", "hlen16", "zero", "multicast", "broadcast"])
def test_4d05_broadcast_where_there_is_no_mac_to_send_to(scene, fields):
    """No link-layer address, none of Ethernet's kind, or none of a single station's."""
    scene.relay()
    came = deliver(scene, scene.offer_for(1, **fields))
    assert (came.destination, came.destination_mac) == ("255.255.255.255", BROADCAST_MAC)


def test_4d06_ack_to_inform_goes_to_ciaddr(scene):
    """yiaddr zero, ciaddr set."""
    scene.relay()
    scene.topology.segment(1).client.ip("addr add 10.101.0.60/24 dev eth0")
    asked = request(INFORM, xid=next_xid(scene), ciaddr="10.101.0.60", giaddr="10.101.0.1")
    came = deliver(scene, reply(asked, ACK))
    assert came.destination == "10.101.0.60"


def test_4d06_neither_yiaddr_nor_ciaddr(scene):
    """Nowhere to send it but to all."""
    scene.relay()
    came = deliver(scene, scene.offer_for(1, yiaddr="0.0.0.0"))
    assert (came.destination, came.destination_mac) == ("255.255.255.255", BROADCAST_MAC)


@pytest.mark.parametrize("flags", [0, BROADCAST_FLAG])
def test_4d07_nak_is_broadcast(scene, flags):
    """Whatever the flag says, the client may have no address that works."""
    scene.relay()
    asked = request(message.REQUEST, xid=next_xid(scene), giaddr="10.101.0.1", flags=flags)
    came = deliver(scene, reply(asked, NAK))
    assert (came.destination, came.destination_mac) == ("255.255.255.255", BROADCAST_MAC)


def test_4d08_reply_octets_are_unchanged(scene):
    """Every octet of a reply arrives, vendor option with option 82 inside and file and sname with options included."""
    scene.relay("-a")
    offered = scene.offer_for(1, sname=b"\x52\x04\x01\x02d1\xff", file=random.Random(1).randbytes(128), hops=7,
                              siaddr="10.9.0.9", more=[(message.VENDOR, b"\x52\x04\x01\x02d1\xff"), (61, b"\1abc")])
    octets = offered.encode(400)
    scene.send_reply(octets)
    assert scene.delivered(offered).payload == octets


def test_4a09_own_option82_is_removed_from_the_reply(scene):
    """All else stays, END and the size of BOOTP too."""
    scene.relay("-a")
    came = scene.relayed(scene.discover()).message
    assert came.options[-1] == (AGENT, b"\x01\x02d1")
    offered = reply(came, yiaddr="10.101.0.60")
    scene.send_reply(offered)
    got = scene.delivered(offered)
    assert got.message.option(AGENT) is None
    assert got.message.but(options=[]) == offered.but(options=[], chaddr=got.message.chaddr, sname=bytes(64),
                                                      file=bytes(128))
    assert got.message.options == [each for each in offered.options if each[0] != AGENT]
    assert len(got.payload) >= 300


def test_4d12_unknown_server(scene):
    """Its reply is dropped unless --reply-from any."""
    relay = scene.relay()
    offered = scene.offer_for(1)
    scene.send_reply(offered, source="10.9.0.77")
    scene.nothing(arrived(xid=offered.xid))
    relay.expect_drop("server_unknown")
    relay.stop()
    scene.relay("--reply-from", "any", sinks=False)
    scene.send_reply(offered, source="10.9.0.77")
    scene.delivered(offered)


@pytest.mark.parametrize("flags", [0, BROADCAST_FLAG], ids=["unicast", "broadcast"])
@pytest.mark.parametrize("size", [1472, 1473, 3000])
def test_4d14_large_replies(scene, size, flags):
    """More than the cable takes in one piece arrives in fragments, and is relayed in fragments."""
    scene.relay()
    offered = scene.offer_for(1, flags=flags)
    octets = offered.but(options=[*offered.options, *[(message.VENDOR, bytes(200))] * 4]).encode(size)
    scene.send_reply(octets)
    came = scene.delivered(offered)
    assert came.payload == octets
    assert (came.fragments > 1) == (size > 1472)
    assert came.checksums_valid


def test_4d16_rogue_server_on_a_clients_segment(scene):
    """An OFFER that comes in on d1 goes nowhere, whatever source it pretends."""
    relay = scene.relay()
    place = scene.topology.segment(1)
    offered = [scene.offer_for(1), scene.offer_for(2), scene.offer_for(1)]
    for each, source in zip(offered, ("10.101.0.66", "10.101.0.66", "10.9.0.2")):
        scene.clients[1].send(udp_frames(each.encode(), source, "10.101.0.1", 67, 67, source_mac=place.client_mac,
                                         destination_mac=place.mac))
    for each in offered:
        scene.nothing(arrived(xid=each.xid))
    relay.expect_drop("not_upstream")


def test_4d01_giaddr_of_nobody(scene):
    """A foreign giaddr and none."""
    relay = scene.relay()
    offered = [scene.offer_for(1, giaddr=giaddr) for giaddr in ("10.66.6.6", "0.0.0.0")]
    for each in offered:
        scene.send_reply(each, destination="10.101.0.1")
    for each in offered:
        scene.nothing(arrived(xid=each.xid))
    relay.expect_drop("reply_giaddr_unknown")
    relay.expect_drop("reply_giaddr_zero")


def test_4d14_fragments_of_a_reply_in_disorder(scene):
    """The last fragment first."""
    scene.relay()
    offered = scene.offer_for(1)
    sender = scene.topology.server(1)
    scene.servers[1].send(udp_frames(offered.encode(2500), sender.address, "10.101.0.1", 67, 67, source_mac=sender.mac,
                                     destination_mac=UPSTREAM_MAC)[::-1])
    assert scene.delivered(offered).payload == offered.encode(2500)


# --- the process ------------------------------------------------------------------------------------------------------

def test_no_packet_socket_receives(scene):
    """Protocol 0: nothing of the router's traffic is copied to the relay."""
    relay = scene.relay()
    scene.exchange()
    lines = Path(f"/proc/{relay.pid}/net/packet").read_text(encoding="ascii").splitlines()
    header, sockets = lines[0].split(), [line.split() for line in lines[1:]]
    assert header[3] == "Proto"
    assert [columns[3] for columns in sockets if columns[3] != "0000"] == []


def test_reload_loses_nothing(scene):
    """Ten SIGHUPs while 1,000 requests pass; the changed file counts afterwards."""
    file = scene.folder / "relay.conf"
    file.write_text("max-hops = 4\n", encoding="ascii")
    relay = scene.relay("--config", str(file))
    asked = []
    for number in range(1000):
        if number % 100 == 50:
            relay.signal(signal.SIGHUP)
        asked.append(scene.discover(1 + number % 2))
        if number % 20 == 19:
            scene.relayed(asked[-1])
    for each in asked:
        for server in (1, 2):
            scene.relayed(each, server)
    scene.settle()
    for wire in scene.servers.values():
        seen = [frame.message.xid for frame in wire.all(arrived(op=1)) if frame.message.xid in {a.xid for a in asked}]
        assert len(seen) == len(asked)
    refused = scene.discover(hops=5)
    scene.nothing(arrived(xid=refused.xid))
    file.write_text("max-hops = 8\n", encoding="ascii")
    relay.signal(signal.SIGHUP)

    def relayed_now():
        asked = scene.discover(hops=5)
        scene.settle()
        return scene.copies(asked.xid, scene.servers[1])
    assert any(relayed_now() for _ in range(200)), "the changed file was not read"


def test_reply_in_flight_while_giaddr_changes(scene):
    """A request leaves with the old giaddr, the reload sets another: the answer to the old one arrives."""
    scene.topology.router.ip("address add 10.101.0.9/24 dev d1")
    file = scene.folder / "relay.conf"
    file.write_text("relay-agent-information\n", encoding="ascii")
    relay = scene.relay("--config", str(file))
    came = scene.relayed(scene.discover()).message
    assert came.giaddr == "10.101.0.1"
    file.write_text("relay-agent-information\ngiaddr = d1=10.101.0.9\n", encoding="ascii")
    relay.signal(signal.SIGHUP)
    relay.expect_log("is in force")
    offered = reply(came, yiaddr="10.101.0.50")
    scene.send_reply(offered)
    assert scene.delivered(offered).message.option(AGENT) is None
    assert scene.relayed(scene.discover()).message.giaddr == "10.101.0.9"


def test_sigusr2_ends_nothing(scene):
    """Not yet of use, but not deadly either."""
    scene.relay().signal(signal.SIGUSR2)
    scene.exchange()


def test_closed_standard_descriptors(scene):
    """Started without standard input, output and error, as some init scripts do: no socket takes their place."""
    file = scene.folder / "relay.pid"
    router = scene.topology.router
    done = router.run(["sh", "-c", f'"$0" "$@" <&- >&- 2>&-; echo status $? > {scene.folder}/status', relay_module.BINARY,
                       "-pf", str(file), "-id", "d1", "10.9.0.2"])
    assert done.returncode == 0
    assert (scene.folder / "status").read_text(encoding="ascii") == "status 0\n"
    pid = int(file.read_text(encoding="ascii"))
    try:
        assert [os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)] == ["/dev/null"] * 3
        if relay_module.is_ours():
            expect_confined(pid)
        scene.running = None
        scene.relayed(scene.discover())
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not file.read_text(encoding="ascii"), "the daemon to end and empty its pid file")


def test_sigusr1_logs_counters(scene):
    """Requests and drops that happened are in it."""
    relay = scene.relay()
    scene.relayed(scene.discover())
    refused = scene.discover(hops=17)
    scene.nothing(arrived(xid=refused.xid))
    relay.signal(signal.SIGUSR1)
    relay.expect_log(r"counters.*hops_exceeded=1")


def test_4r08_hops_at_the_default_limit(scene):
    """4 passes and becomes 5, 5 does not pass."""
    relay = scene.relay()
    passes, stops = scene.discover(hops=4), scene.discover(hops=5)
    assert scene.relayed(passes).message.hops == 5
    scene.nothing(arrived(xid=stops.xid))
    relay.expect_drop("hops_exceeded")


def test_4a07_option82_that_does_not_fit_is_left_out(scene):
    """The request passes without it rather than not at all."""
    scene.relay("-a")
    asked = sized(scene, 1470)
    scene.send_request(asked.encode(1470))
    came = scene.relayed(asked)
    assert came.message.option(AGENT) is None
    assert came.fragments == 1


def test_lengths_that_lie(scene):
    """UDP and IP lengths too small and too large (CVE-2015-8605): dropped, and the next request passes."""
    relay = scene.relay()
    good = udp_frames(request().encode(), source_mac=scene.topology.segment(1).client_mac)[0]
    for value in [*range(0, 12), 200, 307, 309, 400, 65535]:
        scene.clients[1].send([good[:38] + struct.pack("!H", value) + good[40:],
                               good[:16] + struct.pack("!H", value) + good[18:]])
    scene.exchange()
    assert relay.alive


def test_4f14_esp_passes_untouched(scene):
    """A protected packet from a client to a server is the kernel's to forward: the same octets, one packet."""
    scene.relay("-a")
    body = struct.pack("!II", 0x1001, 1) + request(xid=0x5e5e5e5e).encode()
    place = scene.topology.segment(1)
    scene.clients[1].send(ip_frames(body, "10.101.0.50", "10.9.0.2", place.client_mac, place.mac, protocol=50))

    def is_esp(frame):
        return frame.protocol == 50 and not frame.outgoing

    came = scene.servers[1].expect(is_esp)
    scene.settle()
    assert came.packet[20:] == body
    assert len(scene.servers[1].all(is_esp)) == 1


def test_4d15_a_broadcast_reply_stays_on_its_circuit(scene):
    """What is for everyone on one segment appears on no other."""
    scene.relay("-a")
    offered = scene.offer_for(flags=BROADCAST_FLAG)
    scene.send_reply(offered)
    assert scene.delivered(offered).destination_mac == BROADCAST_MAC
    scene.nothing(arrived(xid=offered.xid), wires=[scene.clients[2]], segment=2)
