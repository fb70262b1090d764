"""Clients behind the ports of a bridge: option 82 names the port (`%p`), as an access switch's would."""

import subprocess

import pytest

from message import AGENT, mac_octets, reply, request
from test_flags import sub_options
from wire import arrived

CIRCUIT_ID = 1


def bridged(topology, *options):
    """Makes both segments' interfaces ports of br0, which takes over the address of the first."""
    segments = topology.segments
    topology.router.ip(f"link add br0 type bridge mcast_snooping 0 {' '.join(options)}",
                       *(f"addr flush dev {each.interface}" for each in segments),
                       *(f"link set {each.interface} master br0" for each in segments), "link set br0 up")


def filtering_bridge(topology):
    """The same with VLANs kept apart; skips the test where the kernel has no such bridges."""
    tried = subprocess.run(topology.router.command(["ip", "link", "add", "try0", "type", "bridge", "vlan_filtering", "1"]),
                           check=False, capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"this kernel makes no bridge that filters VLANs: {tried.stderr.strip()}")
    topology.router.ip("link del try0")
    bridged(topology, "vlan_filtering", "1")


def circuit_id(frame):
    return dict(sub_options(frame.message))[CIRCUIT_ID].decode()


def discover_from(scene, mac, segment):
    """A DISCOVER of the client `mac` on a segment."""
    made = request(xid=0x31000000 + segment, chaddr=mac_octets(mac))
    scene.send_request(made, segment, source_mac=mac)
    return made


def test_4a14_the_circuit_id_names_the_bridge_port(scene):
    """Two clients behind two ports of one bridge; each answer comes back without option 82."""
    bridged(scene.topology)
    scene.topology.router.ip("addr add 10.101.0.1/24 dev br0")
    scene.relay("-a", "--circuit-id", "%i:%p", interfaces=["-id", "br0", "-iu", "u0"])
    for segment in scene.topology.segments:
        came = scene.relayed(discover_from(scene, segment.client_mac, segment.number))
        assert circuit_id(came) == f"br0:{segment.interface}"
        offered = reply(came.message, yiaddr="10.101.0.50")
        scene.send_reply(offered)
        assert scene.delivered(offered, segment.number).message.option(AGENT) is None


def test_4a14_a_client_that_moves_is_named_by_its_new_port(scene):
    """The same hardware address on one port, then on the other."""
    bridged(scene.topology)
    scene.topology.router.ip("addr add 10.101.0.1/24 dev br0")
    scene.relay("-a", "--circuit-id", "%p", interfaces=["-id", "br0", "-iu", "u0"])
    roaming = "02:00:00:00:aa:01"
    for segment in scene.topology.segments:
        came = scene.relayed(discover_from(scene, roaming, segment.number))
        assert circuit_id(came) == segment.interface


def test_4a14_a_client_that_no_port_has_learnt_is_named_by_the_interface(scene):
    """The frame's source, which the bridge learns, is not the client's chaddr."""
    bridged(scene.topology)
    scene.topology.router.ip("addr add 10.101.0.1/24 dev br0")
    scene.relay("-a", "--circuit-id", "%p", interfaces=["-id", "br0", "-iu", "u0"])
    asked = scene.discover(1, chaddr=mac_octets("02:00:00:00:bb:01"))
    assert circuit_id(scene.relayed(asked)) == "br0"


def test_4a14_the_interface_itself_where_there_is_no_bridge(scene):
    """`%p` in a setting for all interfaces."""
    scene.relay("-a", "--circuit-id", "%p")
    assert circuit_id(scene.relayed(scene.discover(2))) == "d2"


def test_4a14_a_vlan_of_a_bridge_names_port_and_vlan(scene):
    """A bridge that filters VLANs: untagged clients of two ports in VLAN 100, which the router has as br0.100."""
    topology = scene.topology
    filtering_bridge(topology)
    for each in topology.segments:
        topology.router.run(["bridge", "vlan", "add", "dev", each.interface, "vid", "100", "pvid", "untagged"])
    topology.router.run(["bridge", "vlan", "add", "dev", "br0", "vid", "100", "self"])
    topology.router.ip("link add link br0 name br0.100 type vlan id 100", "link set br0.100 up",
                       "addr add 10.101.0.1/24 dev br0.100")
    scene.relay("-a", "--circuit-id", "%p:%v", interfaces=["-id", "br0.100", "-iu", "u0"])
    for segment in topology.segments:
        came = scene.relayed(discover_from(scene, segment.client_mac, segment.number))
        assert circuit_id(came) == f"{segment.interface}:100"


@pytest.mark.parametrize("flags", [0, 0x8000])
def test_4d15_answers_reach_the_client_through_its_bridge(scene, flags):
    """Two bridges with the same giaddr and templates that name ports: the echoed port tells which bridge is meant."""
    topology = scene.topology
    for number, each in enumerate(topology.segments, 1):
        topology.router.ip(f"link add br{number} type bridge mcast_snooping 0", f"addr flush dev {each.interface}",
                           f"link set {each.interface} master br{number}", f"link set br{number} up")
    topology.router.ip("addr add 203.0.113.1/32 dev lo")
    scene.relay("-a", "--circuit-id", "%p", "--giaddr", "203.0.113.1", "--reply-from", "any",
                interfaces=["-id", "br1", "-id", "br2", "-iu", "u0"])
    topology.server(1).namespace.ip("route add 203.0.113.1 via 10.9.0.1")
    for segment in topology.segments:
        came = scene.relayed(discover_from(scene, segment.client_mac, segment.number)).message
        offered = reply(came, yiaddr="10.101.0.50", flags=flags)
        scene.send_reply(offered)
        assert scene.delivered(offered, segment.number).message.option(AGENT) is None
        other = scene.clients[3 - segment.number]
        assert not other.all(arrived(op=2, xid=offered.xid))
