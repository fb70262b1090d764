"""Every client gets its address and its prefix from every server through the relay, over IPv6; and one client both
families' at once."""

import pytest

import peers
import peers6
from message6 import RELAY_FORWARD
from network6 import CLIENT_LINK_LOCAL
from wire6 import arrived6


@pytest.mark.parametrize("prefix", [False, True], ids=["address", "address and prefix"])
@pytest.mark.parametrize("server", sorted(peers6.SERVERS6))
@pytest.mark.parametrize("client", sorted(peers6.CLIENTS6))
def test_lease(make_scene6, need, client, server, prefix):
    """A client of the second segment gets what is that segment's; cables with checksum offload, as is usual between
    containers."""
    need(client, server)
    if prefix and not peers6.SERVERS6[server].delegates:
        pytest.skip(f"{server} delegates no prefixes")
    scene = make_scene6(offload=True, servers=1)
    topology = scene.topology
    scene.keep(peers6.SERVERS6[server](topology, topology.server(1), scene.folder))
    scene.relay6(sinks=False)
    segment = topology.segment(2)
    started = scene.keep(peers6.CLIENTS6[client](segment, scene.folder, prefix=prefix))
    assert started.address() in peers6.pool(segment)
    if prefix:
        assert peers6.is_of_pool(started.prefix(), segment)


def test_6f02_leases_come_from_the_right_pool_and_pass_on_the_right_segment(scene6, need):
    """One client on each segment, both with the same link-local address; neither sees a message for the other."""
    need("kea-dhcp6", "dhclient")
    topology = scene6.topology
    scene6.keep(peers6.Kea6(topology, topology.server(1), scene6.folder))
    scene6.relay6(servers=[topology.server(1).address6], sinks=False)
    for segment in topology.segments:
        client = scene6.keep(peers6.Dhclient6(segment, scene6.folder, prefix=True))
        assert client.address() in peers6.pool(segment)
        assert peers6.is_of_pool(client.prefix(), segment)
    xids = {}
    for segment in topology.segments:
        wire = scene6.clients[segment.number]
        came = wire.all(arrived6())
        asked = {frame.message6.xid for frame in wire.read() if frame.outgoing and getattr(frame, "message6", None)}
        assert {frame.destination for frame in came} == {CLIENT_LINK_LOCAL}
        assert {frame.ports for frame in came} == {(547, 546)}
        xids[segment.number] = {frame.message6.xid for frame in came}
        assert xids[segment.number] <= asked
    assert not xids[1] & xids[2]


def test_both_families_of_one_client_at_once(scene6, need):
    """One relay, one client, one server: an IPv4 address, an IPv6 address and a prefix."""
    need("dhcpd", "dhclient", "udhcpc")
    topology, segment = scene6.topology, scene6.topology.segment(1)
    server = topology.server(1)
    scene6.keep(peers.Dhcpd(topology, server, scene6.folder))
    scene6.keep(peers6.Dhcpd6(topology, topology.server(2), scene6.folder))
    scene6.relay("-a", servers=[server.address, topology.server(2).address6], sinks=False)
    six = scene6.keep(peers6.Dhclient6(segment, scene6.folder, prefix=True))
    four = scene6.keep(peers.Udhcpc(segment, scene6.folder))
    assert four.address() in [segment.host(number) for number in range(peers.FIRST, peers.LAST + 1)]
    assert six.address() in peers6.pool(segment)
    assert peers6.is_of_pool(six.prefix(), segment)
    assert not scene6.servers[1].all(arrived6(RELAY_FORWARD))
