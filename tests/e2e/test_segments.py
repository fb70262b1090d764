"""Two segments and two servers: everything goes where it belongs, once, also where the segments' interfaces have no
address of their own."""

import pytest

import peers
from message import (ACK, AGENT, BROADCAST, BROADCAST_FLAG, BROADCAST_MAC, OFFER, REQUEST, VENDOR, mac_octets, reply,
                     request)
from wire import ARP, arrived


def test_4d02_leases_come_from_the_right_pool_and_pass_on_the_right_segment(scene, need):
    """One client on each segment; neither sees a message of the other's handshake."""
    need("dnsmasq", "udhcpc")
    topology = scene.topology
    scene.keep(peers.Dnsmasq(topology, topology.server(1), scene.folder))
    scene.relay("-a", servers=["10.9.0.2"], sinks=False)
    for segment in topology.segments:
        address = scene.keep(peers.Udhcpc(segment, scene.folder)).address()
        assert address.startswith(segment.network + "."), segment
    for segment in topology.segments:
        came = scene.clients[segment.number].all(arrived())
        assert {frame.message.kind for frame in came} == {OFFER, ACK}
        assert {frame.message.chaddr[:6].hex(":") for frame in came} == {segment.client_mac}


def test_4f06_each_server_gets_one_copy_and_the_copies_are_identical(scene):
    """Ten requests on each segment, two servers."""
    scene.relay("-a")
    asked = [scene.discover(segment) for segment in (1, 2) for _ in range(10)]
    scene.settle(1)
    scene.settle(2)
    for each in asked:
        copies = [scene.copies(each.xid, wire) for wire in scene.servers.values()]
        assert [len(frames) for frames in copies] == [1, 1]
        assert copies[0][0].payload == copies[1][0].payload


def test_4f06_requests_do_not_reach_the_other_segment(scene):
    """A request on one segment, plain BOOTP included, is seen on no other (CVE-2026-20084)."""
    scene.relay()
    for segment in (1, 2):
        bootp = scene.discover(segment, options=[], cookie=b"", end=False)
        scene.relayed(bootp)
        scene.nothing(arrived(xid=bootp.xid), wires=scene.clients.values(), segment=segment)


def test_4d02_a_reply_reaches_its_segment_alone(scene):
    """Unicast and broadcast replies to each segment."""
    scene.relay()
    for segment, other in ((1, 2), (2, 1)):
        for flags in (0, BROADCAST_FLAG):
            offered = scene.offer_for(segment, flags=flags)
            scene.send_reply(offered)
            scene.delivered(offered, segment)
            scene.nothing(arrived(xid=offered.xid), wires=[scene.clients[other]], segment=other)
            assert len(scene.copies(offered.xid, scene.clients[segment])) == 1


def test_4d02_option82_names_the_segment_where_two_share_a_giaddr(scene):
    """One giaddr for both segments: the echoed circuit-id decides."""
    scene.topology.router.ip("addr add 10.200.0.1/32 dev lo")
    scene.relay("-a", "--giaddr", "10.200.0.1")
    for segment in (1, 2):
        asked = scene.discover(segment)
        came = scene.relayed(asked).message
        assert came.giaddr == "10.200.0.1"
        offered = reply(came, yiaddr=scene.topology.segment(segment).host(77))
        scene.send_reply(offered)
        scene.delivered(offered, segment)
        other = scene.clients[3 - segment]
        assert not scene.copies(asked.xid, other)


# --- interfaces without an address ------------------------------------------------------------------------------------

_LOOPBACK = "10.200.0.1"


@pytest.fixture
def unnumbered(scene):
    """Both segments without an IPv4 address on the router's side, which has one on its loopback interface."""
    scene.topology.router.ip("addr flush dev d1", "addr flush dev d2", f"addr add {_LOOPBACK}/32 dev lo")
    return scene


def answer(scene, came, segment=1, **fields):
    """Sends an OFFER to a request as it was relayed, and returns the frame that the client gets."""
    offered = reply(came.message, **{"yiaddr": scene.topology.segment(segment).host(60), **fields})
    scene.send_reply(offered)
    return scene.delivered(offered, segment)


def assert_headers(frame, segment, source=_LOOPBACK):
    """Of a frame towards a client: all that a client without an address looks at."""
    assert (frame.source, frame.source_mac, frame.ports) == (source, segment.mac, (67, 68))
    assert frame.checksums_valid
    assert frame.ttl >= 32
    assert frame.packet[0] == 0x45
    assert int.from_bytes(frame.packet[2:4], "big") == len(frame.packet) == 28 + len(frame.payload)


def test_4f02_unnumbered_interface_without_giaddr_waits_for_one(unnumbered):
    """Nothing to put into giaddr: dropped with the reason, no exit; an address that comes later is used."""
    relay = unnumbered.relay()
    asked = unnumbered.discover()
    relay.expect_drop("no_address")
    place = unnumbered.topology.segment(2)
    unnumbered.topology.router.ip(f"addr add {place.address}/24 dev d2")
    relay.expect_log(r"interface=d2 change=giaddr_changed")
    assert unnumbered.relayed(unnumbered.discover(2)).message.giaddr == place.address
    assert not unnumbered.copies(asked.xid, unnumbered.servers[1])


@pytest.mark.parametrize("flags", [["--giaddr", f"d1={_LOOPBACK}"], ["--giaddr", _LOOPBACK, "-a"], ["-U", "lo"]],
                         ids=["giaddr", "option82", "U"])
def test_4f02_requests_of_an_unnumbered_interface(unnumbered, flags):
    """giaddr and source are the loopback interface's; there is no subnet that sub-option 5 could name."""
    unnumbered.relay(*flags)
    asked = unnumbered.discover()
    for server in (1, 2):
        came = unnumbered.relayed(asked, server)
        assert (came.message.giaddr, came.source, came.ports) == (_LOOPBACK, _LOOPBACK, (67, 67))
        assert (came.message.hops, came.checksums_valid) == (1, True)
        assert came.message.option(AGENT) == (None if len(flags) == 2 and flags[0] == "--giaddr" else b"\x01\x02d1")
    unnumbered.settle(1, replies=False)
    assert [len(unnumbered.copies(asked.xid, wire)) for wire in unnumbered.servers.values()] == [1, 1]


def test_4r03_unnumbered_interface_and_a_client_that_has_its_address(unnumbered):
    """A rebinding client broadcasts from its own address, for which there is a host route, as on access routers."""
    unnumbered.topology.router.ip("route add 10.101.0.50/32 dev d1")
    unnumbered.relay("--giaddr", f"d1={_LOOPBACK}")
    asked = request(REQUEST, xid=0x901, ciaddr="10.101.0.50")
    unnumbered.send_request(asked, source="10.101.0.50")
    assert unnumbered.relayed(asked).message.giaddr == _LOOPBACK


def test_4d03_broadcast_reply_on_an_unnumbered_interface(unnumbered):
    """B=1: from the loopback interface's address to all on this link."""
    unnumbered.relay("--giaddr", f"d1={_LOOPBACK}")
    came = answer(unnumbered, unnumbered.relayed(unnumbered.discover(flags=BROADCAST_FLAG)))
    assert (came.destination, came.destination_mac) == (BROADCAST, BROADCAST_MAC)
    assert_headers(came, unnumbered.topology.segment(1))


def test_4d04_4d09_unicast_reply_on_an_unnumbered_interface(unnumbered):
    """B=0: to yiaddr and chaddr, without a route to it and without ARP."""
    unnumbered.relay("--giaddr", f"d1={_LOOPBACK}")
    asked = unnumbered.discover(chaddr=mac_octets("02:00:00:00:01:0c"))
    came = answer(unnumbered, unnumbered.relayed(asked))
    assert (came.destination, came.destination_mac) == ("10.101.0.60", "02:00:00:00:01:0c")
    assert_headers(came, unnumbered.topology.segment(1))
    answer(unnumbered, unnumbered.relayed(unnumbered.discover(flags=BROADCAST_FLAG)))
    assert not unnumbered.clients[1].all(lambda frame: not frame.outgoing and frame.ethertype == ARP)


def test_4d14_large_reply_on_an_unnumbered_interface(unnumbered):
    """In fragments, from the same address."""
    unnumbered.relay("--giaddr", f"d1={_LOOPBACK}")
    asked = unnumbered.relayed(unnumbered.discover(flags=BROADCAST_FLAG))
    came = answer(unnumbered, asked, more=[(VENDOR, bytes(200))] * 10)
    assert came.fragments > 1
    assert_headers(came, unnumbered.topology.segment(1))


def test_4d06_ack_to_inform_on_an_unnumbered_interface(unnumbered):
    """To ciaddr, by the host route that an access router has for it."""
    place = unnumbered.topology.segment(1)
    place.client.ip("addr add 10.101.0.60/24 dev eth0", f"route add {_LOOPBACK}/32 dev eth0")
    unnumbered.topology.router.ip("route add 10.101.0.60/32 dev d1")
    unnumbered.relay("--giaddr", f"d1={_LOOPBACK}")
    asked = unnumbered.discover(ciaddr="10.101.0.60", chaddr=mac_octets(place.client_mac))
    acked = reply(unnumbered.relayed(asked).message, ACK)
    unnumbered.send_reply(acked)
    came = unnumbered.delivered(acked)
    assert (came.destination, came.destination_mac) == ("10.101.0.60", place.client_mac)
    assert_headers(came, place)


def test_4f10_source_address_of_an_unnumbered_interface(unnumbered):
    """--source-address is seen by servers alone; giaddr and what clients see stay the loopback interface's."""
    unnumbered.relay("--giaddr", f"d1={_LOOPBACK}", "--source-address", "10.9.0.1")
    came = unnumbered.relayed(unnumbered.discover())
    assert (came.source, came.message.giaddr) == ("10.9.0.1", _LOOPBACK)
    assert_headers(answer(unnumbered, came), unnumbered.topology.segment(1))


def test_4d02_unnumbered_interfaces_share_a_giaddr(unnumbered):
    """-a: the circuit-id that the server echoes tells them apart, requests of both on their way at once."""
    unnumbered.relay("-a", "--giaddr", _LOOPBACK)
    asked = {segment: [unnumbered.relayed(unnumbered.discover(segment, flags=flags))
                       for flags in (0, BROADCAST_FLAG) * 5] for segment in (1, 2)}
    for pair in zip(*asked.values()):
        for segment, came in enumerate(pair, 1):
            got = answer(unnumbered, came, segment)
            assert_headers(got, unnumbered.topology.segment(segment))
            assert got.message.option(AGENT) is None
            assert not unnumbered.copies(came.message.xid, unnumbered.clients[3 - segment])


def test_an_unnumbered_interface_follows_its_loopback_address(unnumbered):
    """-U lo: without the address nothing to put into giaddr; with another one that."""
    relay = unnumbered.relay("-U", "lo")
    assert unnumbered.relayed(unnumbered.discover()).message.giaddr == _LOOPBACK
    router = unnumbered.topology.router
    router.ip(f"addr del {_LOOPBACK}/32 dev lo")
    relay.expect_log(r"interface=d1 change=giaddr_changed")
    unnumbered.discover()
    relay.expect_drop("no_address")
    router.ip("addr add 10.200.0.2/32 dev lo")
    relay.expect_log(r"interface=d1 change=giaddr_changed", 2)
    came = unnumbered.relayed(unnumbered.discover())
    assert (came.message.giaddr, came.source) == ("10.200.0.2", "10.200.0.2")
    assert_headers(answer(unnumbered, came), unnumbered.topology.segment(1), "10.200.0.2")
