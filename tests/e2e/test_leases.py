"""Every client gets its lease from every server through the relay."""

import pytest

import peers


@pytest.mark.parametrize("flags", [[], ["-a"]], ids=["plain", "option82"])
@pytest.mark.parametrize("server", sorted(peers.SERVERS))
@pytest.mark.parametrize("client", sorted(peers.CLIENTS))
def test_lease(make_scene, need, client, server, flags):
    """A client of the second segment gets an address of that segment's pool; cables with checksum offload, as is
    usual between containers."""
    need(client, server)
    scene = make_scene(offload=True, servers=1)
    topology = scene.topology
    scene.keep(peers.SERVERS[server](topology, topology.server(1), scene.folder))
    scene.relay(*flags, servers=["10.9.0.2"], sinks=False)
    address = scene.keep(peers.CLIENTS[client](topology.segment(2), scene.folder)).address()
    segment = topology.segment(2)
    assert address in [segment.host(number) for number in range(peers.FIRST, peers.LAST + 1)]
