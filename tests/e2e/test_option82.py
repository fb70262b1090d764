"""Real servers act on the option 82 that the relay adds: they choose the subnet, the pool and their own name by it."""

import socket

import pytest

import peers
from message import ACK, AGENT, DISCOVER, OFFER, RELEASE, REQUEST, REQUESTED, SERVER_ID, request
from test_flags import sub_options
from wait import wait_until
from wire import arrived

_SERVER = "10.9.0.2"
_SHARED = "203.0.113.1"


def serve(scene, program, **settings):
    """Starts a real server with one pool for each segment."""
    topology = scene.topology
    return scene.keep(peers.SERVERS[program](topology, topology.server(1), scene.folder, **settings))


def relay(scene, *flags):
    return scene.relay(*flags, servers=[_SERVER], sinks=False)


def client_of(scene, segment, kind=peers.Udhcpc):
    return scene.keep(kind(scene.topology.segment(segment), scene.folder))


# --- the subnet -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("flags", [("-U", "lo"), ("-a", "--giaddr", _SHARED), ("-a", "--giaddr", "10.101.0.1")],
                         ids=["interface", "address", "address_of_the_other_segment"])
@pytest.mark.parametrize("server", ["kea-dhcp4", "dhcpd", "dnsmasq"])
def test_4s01_4d02_link_selection_chooses_the_subnet(scene, need, server, flags):
    """Two segments behind one giaddr, which lies in no subnet of the server's or in one segment's: each client has an
    address of its own segment, and hears its own answers alone."""
    need(server, "udhcpc")
    topology = scene.topology
    topology.router.ip(f"addr add {_SHARED}/32 dev lo")
    serve(scene, server)
    relay(scene, *flags)
    for segment in topology.segments:
        assert client_of(scene, segment.number).address().startswith(segment.network + "."), segment
    for segment in topology.segments:
        came = scene.clients[segment.number].all(arrived())
        assert [frame.message.kind for frame in came] == [OFFER, ACK]
        assert {frame.message.chaddr[:6].hex(":") for frame in came} == {segment.client_mac}
    assert len({frame.message.giaddr for frame in scene.servers[1].all(arrived(op=1))}) == 1


# --- classes and logs -------------------------------------------------------------------------------------------------

_GOLD = range(100, 150)


def classes_by_identifiers(dhcp4):
    """.100 to .149 are for the circuit d2 of box-7, .150 to .199 for all others."""
    dhcp4["client-classes"] = [
        {"name": "gold", "test": "relay4[1].hex == 'd2' and relay4[2].hex == 'box-7'"},
        {"name": "others", "test": "not member('gold')"}]
    for number, subnet in enumerate(dhcp4["subnet4"], 1):
        subnet["pools"] = [
            {"pool": f"10.{100 + number}.0.100 - 10.{100 + number}.0.149", "client-class": "gold"},
            {"pool": f"10.{100 + number}.0.150 - 10.{100 + number}.0.199", "client-class": "others"}]


@pytest.mark.parametrize("flags, segment, is_gold", [
    (("--remote-id", "box-7"), 2, True), (("--remote-id", "box-7"), 1, False), (("--remote-id", "box-8"), 2, False),
    (("--remote-id", "box-8", "--remote-id", "d2=box-7"), 2, True), ((), 2, False),
    (("--remote-id", "box-7", "--circuit-id", "%i."), 2, False), (("--remote-id", "0x626f782d37"), 2, True)])
def test_4a01_identifiers_choose_the_class(scene, need, flags, segment, is_gold):
    """Kea's expressions `relay4[1].hex` and `relay4[2].hex` see our circuit-id and remote-id, to the octet."""
    need("kea-dhcp4", "udhcpc")
    serve(scene, "kea-dhcp4", edit=classes_by_identifiers)
    relay(scene, "-a", *flags)
    address = client_of(scene, segment).address()
    assert address.startswith(scene.topology.segment(segment).network + ".")
    assert (int(address.split(".")[3]) in _GOLD) == is_gold


def test_4a01_circuit_id_in_the_log(scene, need):
    """ISC dhcpd's `option agent.circuit-id` and `option agent.remote-id` in a log statement."""
    need("dhcpd", "udhcpc")
    server = serve(scene, "dhcpd", further=[
        'log(info, concat("circuit ", binary-to-ascii(16, 8, ":", option agent.circuit-id), " remote ",',
        '    option agent.remote-id, " hops ", binary-to-ascii(10, 8, "", packet(3, 1))));'])
    relay(scene, "-a", "--circuit-id", "port %i", "--remote-id", "box-%g")
    client_of(scene, 2).address()
    wait_until(lambda: f"circuit {b'port d2'.hex(':')} remote box-10.102.0.1 hops 1" in server.log,
               lambda: f"circuit-id in the log of dhcpd:\n{server.log[-2000:]}")


@pytest.mark.parametrize("server", ["kea-dhcp4", "dhcpd", "dnsmasq"])
def test_4a09_every_sub_option_comes_back_and_stays_here(scene, need, server):
    """All that needs no special server, at once: the client gets its lease and sees nothing of it."""
    need(server, "udhcpc")
    serve(scene, server)
    relay(scene, "-a", "--circuit-id", "%i/%M", "--remote-id", "%h", "-s", "cust-42", "--link-selection",
          "--relay-id", "0x0001", "--suboption", "9=0x0000000903616263", "--suboption", "13=0x0004",
          "--suboption", "200=further")
    assert client_of(scene, 2).address().startswith("10.102.0.")
    echoes = [frame.message.option(AGENT) for frame in scene.servers[1].read() if frame.outgoing and frame.message]
    assert len(echoes) == 2 and all(echoes), "the server echoed option 82"
    assert [frame.message.option(AGENT) for frame in scene.clients[2].all(arrived(op=2))] == [None, None]


def test_4s11_server_that_knows_virtual_subnets(scene, need):
    """ISC dhcpd takes sub-option 152 out of its answer: the client gets its lease, and sees nothing of 151."""
    need("dhcpd", "udhcpc")
    serve(scene, "dhcpd")
    relay(scene, "-a", "--vss", "red")
    assert client_of(scene, 2).address().startswith("10.102.0.")
    passed = [frame for frame in scene.servers[1].read() if frame.message]
    asked = [sub_options(frame.message) for frame in passed if not frame.outgoing]
    assert asked == [[(1, b"d2"), (151, b"\0red"), (152, b"")]] * 2
    answered = [sub_options(frame.message) for frame in passed if frame.outgoing]
    assert answered == [[(1, b"d2"), (151, b"\0red")]] * 2
    assert [frame.message.option(AGENT) for frame in scene.clients[2].all(arrived(op=2))] == [None, None]


@pytest.mark.parametrize("server", ["kea-dhcp4", "dnsmasq"])
def test_4s11_servers_that_know_no_virtual_subnets(scene, need, server):
    """They copy 151 and 152 as RFC 3046 has it, and no client gets an address from the wrong network."""
    need(server)
    serve(scene, server)
    running = relay(scene, "-a", "--vss", "red")
    asked = scene.discover()
    scene.relayed(asked)
    running.expect_drop("vss_unsupported")
    assert not scene.copies(asked.xid, scene.clients[1])


# --- the name of the server -------------------------------------------------------------------------------------------

def overridden(segment, flags=0):
    """Our option 82 on a segment with --server-id-override."""
    return [(1, segment.interface.encode()), (10, bytes([flags])), (11, socket.inet_aton(segment.address))]


def names_relay(dhcp4):
    """Kea 2.2 does not write sub-option 11 into its answers: it takes it as its own name in requests alone, and is told
    by its configuration what to write."""
    for subnet in dhcp4["subnet4"]:
        subnet["option-data"] = [{"name": "dhcp-server-identifier", "data": subnet["relay"]["ip-addresses"][0]}]


_OVERRIDING = {"dnsmasq": {}, "kea-dhcp4": {"edit": names_relay}}
_RELEASED = {"dnsmasq": "DHCPRELEASE(eth0) {}", "kea-dhcp4": "address {} was released properly"}


def sent_by(wire, kind, address):
    """Waits for what a client with this address sends by itself."""
    return wire.expect(lambda frame: frame.outgoing and frame.message and frame.message.kind == kind
                       and frame.message.ciaddr == address, what=f"message {kind} of {address}")


def passed_by_unicast(scene, segment, kind, address):
    """Waits for a client's message to the relay's address, and for what the server gets of it, once: the latter."""
    said = sent_by(scene.clients[segment.number], kind, address)
    assert (said.source, said.destination, said.message.giaddr) == (address, segment.address, "0.0.0.0")
    came = scene.servers[1].expect(arrived(op=1, xid=said.message.xid, ciaddr=address), what="the relayed message")
    assert (came.source, came.ports) == (segment.address, (67, 67))
    assert (came.message.giaddr, came.message.ciaddr, came.message.hops) == (segment.address, address, 1)
    assert sub_options(came.message) == overridden(segment, 0x80)
    assert [frame.message.kind for frame in scene.servers[1].all(arrived(op=1, ciaddr=address))].count(kind) == 1
    return came


@pytest.mark.parametrize("server", sorted(_OVERRIDING))
def test_4s08_4s09_clients_renew_and_release_through_the_relay(scene, need, server):
    """A real client takes the relay for its server: renewal and release go to the relay's address by unicast, and
    through it to the server, marked as such; the answer comes back the same way."""
    need(server, "udhcpc")
    segment = scene.topology.segment(2)
    running = serve(scene, server, **_OVERRIDING[server])
    relay(scene, "-a", "--server-id-override")
    client = client_of(scene, 2, peers.StayingUdhcpc)
    address = client.address()
    segment.client.ip(f"addr add {address}/24 dev eth0")
    answers = scene.clients[2].all(arrived(op=2))
    assert [frame.message.kind for frame in answers] == [OFFER, ACK]
    assert {frame.message.option(SERVER_ID) for frame in answers} == {socket.inet_aton(segment.address)}
    assert [sub_options(frame.message) for frame in scene.servers[1].all(arrived(op=1))] == [overridden(segment)] * 2

    client.renew()
    came = passed_by_unicast(scene, segment, REQUEST, address)
    acked = scene.clients[2].expect(arrived(op=2, xid=came.message.xid, ciaddr=address), what="the ACK of the renewal")
    assert (acked.message.kind, acked.message.yiaddr) == (ACK, address)
    assert (acked.source, acked.destination, acked.ports) == (segment.address, address, (67, 68))
    assert acked.message.option(SERVER_ID) == socket.inet_aton(segment.address)
    assert acked.message.option(AGENT) is None
    wait_until(lambda: (client.folder / "log").read_text().count(f"lease of {address} obtained") == 2,
               lambda: f"udhcpc to take the ACK:\n{(client.folder / 'log').read_text()}")

    client.release()
    passed_by_unicast(scene, segment, RELEASE, address)
    wait_until(lambda: _RELEASED[server].format(address) in running.log,
               lambda: f"the release in the server's log:\n{running.log[-2000:]}")


def test_4s09_dhclient_renews_in_time(scene, need):
    """ISC dhclient, whose lease of Kea is up for renewal after a second, does the same by itself."""
    need("kea-dhcp4", "dhclient")

    def short(dhcp4):
        names_relay(dhcp4)
        dhcp4.update({"renew-timer": 1, "rebind-timer": 30, "valid-lifetime": 60})
    segment = scene.topology.segment(1)
    serve(scene, "kea-dhcp4", edit=short)
    relay(scene, "-a", "--server-id-override")
    client = client_of(scene, 1, peers.Dhclient)
    address = client.address()
    segment.client.ip(f"addr add {address}/24 dev eth0")
    came = passed_by_unicast(scene, segment, REQUEST, address)
    acked = scene.clients[1].expect(arrived(op=2, xid=came.message.xid, ciaddr=address), what="the ACK of the renewal")
    assert (acked.message.kind, acked.message.yiaddr) == (ACK, address)


@pytest.mark.parametrize("flags, kind", [(("--server-id-override",), ACK), ((), None)], ids=["overridden", "plain"])
def test_4s09_kea_knows_itself_by_our_address(scene, need, flags, kind):
    """Kea takes a REQUEST that names the relay as its server where sub-option 11 says so, and for another server's
    where nothing does."""
    need("kea-dhcp4")
    serve(scene, "kea-dhcp4")
    relay(scene, "-a", *flags)
    offered = scene.clients[1].expect(arrived(op=2, xid=scene.discover().xid)).message
    named = request(REQUEST, xid=0x9e1, more=[(REQUESTED, socket.inet_aton(offered.yiaddr)),
                                              (SERVER_ID, socket.inet_aton("10.101.0.1"))])
    scene.send_request(named)
    later = request(DISCOVER, xid=0x9e2, chaddr=bytes.fromhex("0200000000aa"))
    scene.send_request(later)
    scene.delivered(later.but(op=2))
    assert [frame.message.kind for frame in scene.copies(named.xid, scene.clients[1])] == ([kind] if kind else [])


# --- the relay's port -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("server", ["kea-dhcp4", "dhcpd", "dnsmasq"])
def test_4s14_answers_to_the_relay_port(scene, need, server):
    """Kea answers to the port that it was asked from (RFC 8357), others to 67: both reach the client at 68."""
    need(server, "udhcpc")
    serve(scene, server)
    relay(scene, "-rp", "6767")
    assert client_of(scene, 2).address().startswith("10.102.0.")
    passed = scene.servers[1].read()
    asked = [frame for frame in passed if frame.message and not frame.outgoing]
    assert [frame.ports for frame in asked] == [(6767, 67)] * 2
    assert [sub_options(frame.message) for frame in asked] == [[(1, b"d2"), (19, b"")]] * 2
    answered = [frame.ports for frame in passed if frame.outgoing and frame.ports]
    if server == "kea-dhcp4":
        assert answered == [(67, 6767)] * 2
    delivered = scene.clients[2].all(arrived(op=2))
    assert [(frame.message.kind, frame.ports) for frame in delivered] == [(OFFER, (67, 68)), (ACK, (67, 68))]
    assert [frame.message.option(AGENT) for frame in delivered] == [None, None]
