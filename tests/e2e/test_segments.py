"""Two segments and two servers: everything goes where it belongs, once."""

import peers
from message import ACK, BROADCAST_FLAG, OFFER, reply
from wire import arrived


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
