"""What real clients and servers say to each other through the relay over the time of a lease: renewals, releases,
refusals, a client that moves, one that asks for no address; and by which of the relay's words a server tells clients
apart."""

import pytest

import peers6
from message6 import (ADVERTISE, CLIENT_ID, CLIENT_LINK_LAYER, CONFIRM, DECLINE, IA_NA, IA_PD, INFORMATION_REQUEST,
                      INTERFACE_ID, NAME_SERVERS, REBIND, RECONFIGURE, RECONFIGURE_MESSAGE, RELAY_FORWARD, RELEASE,
                      REMOTE_ID, RENEW, REPLY, REQUEST, SERVER_ID, SOLICIT, STATUS, Message, addresses_of, innermost,
                      next_xid, parse_options, prefixes_of)
from network6 import Chain6
from wait import wait_until
from wire6 import arrived6

_SUCCESS, _NOT_ON_LINK = 0, 4


def kinds(wire):
    """What clients have said, as it arrived at a server, in order."""
    return [innermost(frame.message6).kind for frame in wire.all(arrived6(RELAY_FORWARD)) if innermost(frame.message6)]


def said(scene, kind, server=1, count=1):
    """Waits until a server has this message of a client, for the count-th time; returns it with what is around it."""
    wait_until(lambda: kinds(scene.servers[server]).count(kind) >= count,
               lambda: f"message {kind} at server {server}, which has {kinds(scene.servers[server])}")
    return [frame.message6 for frame in scene.servers[server].all(arrived6(RELAY_FORWARD))
            if innermost(frame.message6).kind == kind][count - 1]


def answered(scene, asked, segment=1):
    """Waits for the answer on the client's segment."""
    return scene.clients[segment].expect(arrived6(REPLY, xid=innermost(asked).xid), what="the Reply").message6


def status_of(message):
    """Its status code, else that of an IA in it, else that of success (RFC 8415 section 21.13)."""
    value = message.option(STATUS)
    for code, octets in message.options:
        if value is None and code in (IA_NA, IA_PD):
            value = dict(parse_options(octets[12:])[0]).get(STATUS)
    return int.from_bytes(value[:2], "big") if value else _SUCCESS


@pytest.fixture
def with_server(scene6, need):
    """A scene with one server and the relay running."""
    def start(kind, *flags, **options):
        need(kind.program)
        server = scene6.keep(kind(scene6.topology, scene6.topology.server(1), scene6.folder, **options))
        scene6.relay6(*flags, servers=[scene6.topology.server(1).address6], sinks=False)
        return server
    return start


# --- the time of a lease ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", [peers6.Kea6, peers6.Dhcpd6])
def test_d1_renew(scene6, need, with_server, kind):
    """Address and prefix are the same afterwards."""
    need("dhclient")
    with_server(kind, renew_after=2)
    client = scene6.keep(peers6.Dhclient6(scene6.topology.segment(1), scene6.folder, prefix=True))
    address, prefix = client.address(), client.prefix()
    answer = answered(scene6, said(scene6, RENEW))
    assert (addresses_of(answer), prefixes_of(answer)) == ([address], [prefix])


def test_d1_rebind(scene6, need, with_server):
    """The server is away at T1 and back at T2."""
    need("dhclient")
    server = with_server(peers6.Kea6, renew_after=2)
    client = scene6.keep(peers6.Dhclient6(scene6.topology.segment(1), scene6.folder, prefix=True))
    address, prefix = client.address(), client.prefix()
    server.stop()
    said(scene6, REBIND)
    server.start()
    count = kinds(scene6.servers[1]).count(REBIND) + 1
    answer = answered(scene6, said(scene6, REBIND, count=count))
    assert (addresses_of(answer), prefixes_of(answer)) == ([address], [prefix])


def test_d1_release(scene6, need, with_server):
    """What is given back is free again."""
    need("dhclient")
    with_server(peers6.Kea6)
    client = scene6.keep(peers6.Dhclient6(scene6.topology.segment(1), scene6.folder, prefix=True))
    address, prefix = client.address(), client.prefix()
    client.start_release()
    asked = said(scene6, RELEASE)
    assert (addresses_of(innermost(asked)), prefixes_of(innermost(asked))) == ([address], [prefix])
    assert status_of(answered(scene6, asked)) == _SUCCESS


def test_d1_release_of_a_client_that_ends(scene6, need, with_server):
    """As a service manager ends it."""
    need("dhcp6c")
    with_server(peers6.Kea6)
    client = scene6.keep(peers6.Dhcp6c(scene6.topology.segment(1), scene6.folder, prefix=True))
    address = client.address()
    client.release()
    asked = said(scene6, RELEASE)
    assert addresses_of(innermost(asked)) in ([address], [])
    assert status_of(answered(scene6, asked)) == _SUCCESS


def test_d1_decline(scene6, need, with_server):
    """A client that finds its address in use is given another one."""
    need("dhclient")
    with_server(peers6.Kea6)
    client = scene6.keep(peers6.Dhclient6(scene6.topology.segment(1), scene6.folder, refuses=1))
    asked = said(scene6, DECLINE)
    refused, = addresses_of(innermost(asked))
    assert status_of(answered(scene6, asked)) == _SUCCESS
    assert client.address() != refused


@pytest.mark.parametrize("to, expected", [(1, _SUCCESS), (2, _NOT_ON_LINK)], ids=["same segment", "another segment"])
def test_d1_confirm(scene6, need, with_server, to, expected):
    """A client that was unplugged asks whether it still belongs there: link-address alone tells the server."""
    need("dhclient")
    with_server(peers6.Kea6)
    first, second = scene6.topology.segment(1), scene6.topology.segment(to)
    client = scene6.keep(peers6.Dhclient6(first, scene6.folder))
    address = client.address()
    client.move(second)
    asked = said(scene6, CONFIRM)
    assert (asked.link_address, addresses_of(innermost(asked))) == (second.address6, [address])
    assert status_of(answered(scene6, asked, to)) == expected
    assert client.address() in peers6.pool(second)


def test_d1_information_request(scene6, need, with_server):
    """No address, but the name server."""
    need("dhclient")
    with_server(peers6.Kea6)
    scene6.keep(peers6.Dhclient6(scene6.topology.segment(1), scene6.folder, further=["-S"]))
    answer = answered(scene6, said(scene6, INFORMATION_REQUEST))
    assert answer.option(NAME_SERVERS) == bytes.fromhex("20010db8000900000000000000000053")


def test_d4_6d06_reconfigure(scene6, need):
    """No free server can reconfigure; a scripted one says it to a client that has just asked."""
    need("dhclient")
    script = scene6.keep(peers6.ScriptedServer6(scene6.topology.server(1), lambda forward: [
        Message(RECONFIGURE, next_xid(), [(CLIENT_ID, innermost(forward).option(CLIENT_ID)),
                                          (SERVER_ID, b"\0\3\0\1server"), (RECONFIGURE_MESSAGE, bytes([RENEW]))])]))
    scene6.relay6(servers=[scene6.topology.server(1).address6], sinks=False)
    scene6.keep(peers6.Dhclient6(scene6.topology.segment(1), scene6.folder))
    came = scene6.clients[1].expect(arrived6(RECONFIGURE))
    assert came.ports == (547, 546)
    assert came.message6.option(RECONFIGURE_MESSAGE) == bytes([RENEW])
    assert script.received


# --- two servers, two relays ------------------------------------------------------------------------------------------

def test_d9_two_servers_the_client_chooses(scene6, need):
    """Both are asked and both answer; the request names one, and that one's Reply counts."""
    need("kea-dhcp6", "dhcpd", "dhclient")
    topology = scene6.topology
    scene6.keep(peers6.Kea6(topology, topology.server(1), scene6.folder))
    scene6.keep(peers6.Dhcpd6(topology, topology.server(2), scene6.folder))
    scene6.relay6(sinks=False)
    segment = topology.segment(2)
    client = scene6.keep(peers6.Dhclient6(segment, scene6.folder, prefix=True))
    assert client.address() in peers6.pool(segment)
    for number in (1, 2):
        assert kinds(scene6.servers[number]).count(SOLICIT) >= 1
        assert kinds(scene6.servers[number]).count(REQUEST) >= 1
    offered = {frame.message6.option(SERVER_ID) for frame in scene6.clients[2].all(arrived6(ADVERTISE))}
    confirmed = {frame.message6.option(SERVER_ID) for frame in scene6.clients[2].all(arrived6(REPLY))}
    assert len(confirmed) == 1
    assert confirmed <= offered


@pytest.mark.parametrize("server", sorted(peers6.SERVERS6))
def test_d13_6f05_6f09_chain_of_two_relays(make_scene6, need, server):
    """The outer one says where the client is, the inner one nothing but where the outer one is; the answers come back
    by both."""
    need(server, "dhclient")
    scene = make_scene6(Chain6)
    topology = scene.topology
    started = scene.keep(peers6.SERVERS6[server](topology, topology.server(1), scene.folder))
    scene.relay6("--trust", "d0", interfaces=["-id", "d0", "-iu", "u0"], servers=[topology.server(1).address6],
                 sinks=False)
    scene.relay6("-I", interfaces=["-id", "d1", "-iu", "u0"], servers=[topology.INNER_ADDRESS6], sinks=False,
                 namespace=topology.outer)
    segment = topology.segment(1)
    client = scene.keep(peers6.Dhclient6(segment, scene.folder, prefix=started.delegates))
    assert client.address() in peers6.pool(segment)
    outer = said(scene, SOLICIT)
    inner = outer.inner
    assert (outer.hop_count, outer.link_address) == (1, "::")
    assert (inner.hop_count, inner.link_address, inner.option(INTERFACE_ID)) == (0, segment.address6, b"d1")
    assert outer.option(CLIENT_LINK_LAYER) is None
    assert inner.option(CLIENT_LINK_LAYER)[2:].hex(":") == segment.client_mac
    if started.delegates:
        assert peers6.is_of_pool(client.prefix(), segment)


# --- by what Kea tells clients apart ----------------------------------------------------------------------------------

def lease(scene, segment):
    return scene.keep(peers6.Dhclient6(segment, scene.folder)).address()


def test_6f02_d14_kea_finds_the_subnet_by_link_address(scene6, need, with_server):
    """One of no subnet of its own, that is told for each of both segments."""
    need("dhclient")

    def edit(dhcp6):
        for number, subnet in enumerate(dhcp6["subnet6"], 1):
            subnet["relay"] = {"ip-addresses": [f"2001:db8:20{number}::1"]}
    with_server(peers6.Kea6, "--link-address", "d1=2001:db8:202::1", "--link-address", "d2=2001:db8:201::1", edit=edit)
    first, second = scene6.topology.segments
    assert lease(scene6, first) in peers6.pool(second)
    assert lease(scene6, second) in peers6.pool(first)


def test_6f03_d14_kea_finds_the_subnet_by_interface_id(scene6, need, with_server):
    """One link-address for both segments."""
    need("dhclient")

    def edit(dhcp6):
        for number, subnet in enumerate(dhcp6["subnet6"], 1):
            subnet["interface-id"] = f"d{number}"
    with_server(peers6.Kea6, "-I", "--link-address", "2001:db8:200::1", edit=edit)
    for segment in reversed(scene6.topology.segments):
        assert lease(scene6, segment) in peers6.pool(segment)


def test_6f10_kea_knows_a_client_by_option_79(scene6, need, with_server):
    """A reservation for the MAC, which Kea is told to look for there alone."""
    need("dhclient")
    segment = scene6.topology.segment(1)
    reserved = segment.host6(0x777)

    def edit(dhcp6):
        dhcp6["mac-sources"] = ["rfc6939"]
        dhcp6["host-reservation-identifiers"] = ["hw-address"]
        dhcp6["subnet6"][0]["reservations"] = [{"hw-address": segment.client_mac, "ip-addresses": [reserved]}]
    with_server(peers6.Kea6, edit=edit)
    assert lease(scene6, segment) == reserved


def test_6f11_kea_classifies_by_remote_id(scene6, need, with_server):
    """Clients of the class get addresses of a pool of their own."""
    need("dhclient")
    first, second = scene6.topology.segments

    def edit(dhcp6):
        value = (32473).to_bytes(4, "big") + b"house 1"
        dhcp6["client-classes"] = [{"name": "house", "test": f"relay6[0].option[{REMOTE_ID}].hex == 0x{value.hex()}"}]
        for number, subnet in enumerate(dhcp6["subnet6"], 1):
            subnet["pools"].append({"pool": f"2001:db8:10{number}::e000-2001:db8:10{number}::e0ff",
                                    "client-class": "house"})
            subnet["pools"][0]["client-class"] = "others"
        dhcp6["client-classes"].append({"name": "others", "test": "not member('house')"})
    with_server(peers6.Kea6, "--enterprise", "32473", "--remote-id", "d1=house 1", "--remote-id", "d2=house 2",
                edit=edit)
    assert lease(scene6, first) in [first.host6(number) for number in range(0xe000, 0xe100)]
    assert lease(scene6, second) in peers6.pool(second)


def test_leases_outlive_a_restart_of_the_relay(scene6, need, with_server):
    """kill -9 and a new start: it kept nothing that anybody needs."""
    need("dhclient")
    with_server(peers6.Kea6, renew_after=2)
    client = scene6.keep(peers6.Dhclient6(scene6.topology.segment(1), scene6.folder))
    address = client.address()
    scene6.running.kill()
    scene6.relay6(servers=[scene6.topology.server(1).address6], sinks=False)
    count = kinds(scene6.servers[1]).count(RENEW) + 1
    assert addresses_of(answered(scene6, said(scene6, RENEW, count=count))) == [address]
