"""What becomes of DHCPv6 messages on their way to the servers: which of them, and what the Relay-forward says."""

import fcntl
import os
import struct
import subprocess

import pytest

import relay as relay_module
from message import mac_octets
from message6 import (ADDRESS_REGISTRATION, ADVERTISE, ANY, CLIENT_ID, CLIENT_LINK_LAYER, CONFIRM, DHCPV4_QUERY,
                      ECHO_REQUEST, ERP_DOMAIN, IA_NA, INTERFACE_ID, LEASE_QUERY, OF_CLIENTS, RECONFIGURE,
                      RECONFIGURE_REPLY, RECONFIGURE_REQUEST, RELAY_FORWARD, RELAY_ID, RELAY_MESSAGE, RELAY_REPLY,
                      RELAY_SUPPLIED, REMOTE_ID, RENEW, REPLY, SERVER_PORT, SOLICIT, SUBSCRIBER_ID, VIRTUAL_SUBNET,
                      Message, answer, duid_ll, next_xid, reply_to, request, wrapped)
from network6 import CLIENT_LINK_LOCAL, ROUTER_LINK_LOCAL
from packet6 import multicast_mac, udp_frames
from test_servers import reload
from wait import wait_until
from wire6 import arrived6

ETHERNET = b"\0\1"
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454ca, 0x0001, 0x1000


def send_from_relay(scene, made, segment=1, source="2001:db8:101::99", **frame):
    """A message of another relay agent on a clients' segment."""
    scene.send_request6(made, segment, **{"source": source, "sport": SERVER_PORT, **frame})


# --- which messages are relayed ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", [ADVERTISE, REPLY, RECONFIGURE, RECONFIGURE_REPLY])
def test_6r02_d8_messages_of_servers_from_the_clients_side(scene6, kind):
    """RFC 8415 sections 16.3, 16.10 and 16.11: a rogue server is not relayed."""
    relay = scene6.relay6()
    asked = answer(request(), kind)
    scene6.send_request6(asked)
    scene6.nothing6(arrived6(xid=asked.xid), wires=scene6.servers.values())
    relay.expect_drop("server_message")


@pytest.mark.parametrize("kind", [ADVERTISE, REPLY, RECONFIGURE])
def test_6r02_messages_of_servers_that_no_relay_message_carries(scene6, kind):
    """Nobody can tell for whom they are."""
    relay = scene6.relay6()
    said = answer(request(), kind)
    scene6.send_reply6(said)
    scene6.nothing6(arrived6(xid=said.xid))
    relay.expect_log(r" dropped .*reason=(not_downstream|not_relay_reply|server_message)\b")


@pytest.mark.parametrize("kind", [0, DHCPV4_QUERY, 17, 21, ADDRESS_REGISTRATION, 200, 255])
def test_6r03_d8_unknown_types_are_relayed(scene6, kind):
    """RFC 7283 section 4.2: like a client's message, to the octet."""
    scene6.relay6()
    asked = Message(kind, next_xid(), [(CLIENT_ID, duid_ll("02:00:00:00:00:07")), (65000, b"\0\1\2")])
    scene6.send_request6(asked)
    came = scene6.forward6(asked)
    assert (came.hop_count, came.peer_address, came.carried) == (0, CLIENT_LINK_LOCAL, asked.encode())


def test_6r04_unknown_options_are_relayed(scene6):
    """RFC 8415 section 16; known ones too that do not belong there."""
    scene6.relay6()
    asked = scene6.solicit(more=[(65000, b"new"), (300, b""), (RELAY_MESSAGE, b"odd"), (INTERFACE_ID, b"d2")])
    assert scene6.forward6(asked).carried == asked.encode()


@pytest.mark.parametrize("octets", [b"", struct.pack("!HH", IA_NA, 40) + b"cut", b"\0", b"\0\1\0", b"\0\1\xff\xff",
                                    struct.pack("!HH", CLIENT_ID, 0)],
                         ids=["no options", "IA_NA cut", "one octet", "three octets", "length that lies", "empty"])
def test_6r05_d7_options_are_not_looked_at(scene6, octets):
    """RFC 6221 section 6.1.1: four octets of header are all that is asked for."""
    scene6.relay6()
    xid = next_xid()
    asked = struct.pack("!I", SOLICIT << 24 | xid) + octets
    scene6.send_request6(asked)
    came = scene6.servers[1].expect(arrived6(RELAY_FORWARD, xid=xid)).message6
    assert came.carried == asked


@pytest.mark.parametrize("size", range(4))
def test_6r05_less_than_a_header_is_dropped(scene6, size):
    relay = scene6.relay6()
    scene6.send_request6(b"\x01\x02\x03"[:size])
    scene6.settle6()
    assert len(scene6.servers[1].all(arrived6())) == 2  # those of settle6
    if size:  # of nothing the kernel need not tell us
        relay.expect_drop("header_too_short")


def test_6r06_relay_forwards_need_trust(scene6):
    """RFC 6221 section 6.1.2: dropped on d1, relayed on d2."""
    relay = scene6.relay6("--trust", "d2")
    first, second = request(), request()
    send_from_relay(scene6, wrapped(first, "2001:db8:77::1"))
    send_from_relay(scene6, wrapped(second, "2001:db8:77::1"), 2, "2001:db8:102::99")
    assert scene6.forward6(second).hop_count == 1
    scene6.nothing6(arrived6(xid=first.xid), wires=scene6.servers.values())
    relay.expect_drop("relay_forward_untrusted")


@pytest.mark.parametrize("flags", [[], ["--trust", "d1"]], ids=["untrusted", "trusted"])
def test_6r07_d8_relay_replies_from_the_clients_side(scene6, flags):
    """Of a rogue server, whatever source it pretends."""
    relay = scene6.relay6(*flags)
    said, made = scene6.reply_for(1)
    for source in ("2001:db8:101::66", CLIENT_LINK_LOCAL):
        send_from_relay(scene6, made, source=source)
        send_from_relay(scene6, made, source=source, destination="2001:db8:101::1",
                        destination_mac=scene6.topology.segment(1).mac)
    scene6.nothing6(arrived6(xid=said.xid))
    relay.expect_drop("not_upstream")


@pytest.mark.parametrize("came, relayed", [(0, 1), (7, 8), (8, None), (31, None), (32, None), (255, None)])
def test_6r08_d3_hop_count(scene6, came, relayed):
    """RFC 8415 section 19.1.2: HOP_COUNT_LIMIT is 8."""
    relay = scene6.relay6("--trust", "d1")
    asked = request()
    send_from_relay(scene6, wrapped(asked, "2001:db8:77::1", hop_count=came))
    if relayed is None:
        scene6.nothing6(arrived6(xid=asked.xid), wires=scene6.servers.values())
        relay.expect_drop("hop_count_reached")
    else:
        assert scene6.forward6(asked).hop_count == relayed


def test_6r09_lease_queries_need_trust(scene6):
    """RFC 5007 section 5."""
    relay = scene6.relay6("--trust", "d2")
    refused = scene6.solicit(1, kind=LEASE_QUERY)
    asked = scene6.solicit(2, kind=LEASE_QUERY)
    assert scene6.forward6(asked).carried == asked.encode()
    scene6.nothing6(arrived6(xid=refused.xid), wires=scene6.servers.values())
    relay.expect_drop("lease_query_untrusted")


def test_6r10_6r11_what_other_relay_agents_supply_is_relayed(scene6):
    """Relay-Supplied Options (RFC 6422), twice in a chain as well (D13), and Reconfigure-requests (RFC 6977)."""
    scene6.relay6("--trust", "d1")
    supplied = (RELAY_SUPPLIED, struct.pack("!HH", ERP_DOMAIN, 3) + b"\1a\0")
    asked = request()
    twice = wrapped(wrapped(asked, "2001:db8:78::1", first=[supplied]), "2001:db8:77::1", hop_count=1, more=[supplied])
    send_from_relay(scene6, twice)
    assert scene6.forward6(asked).carried == twice.encode()
    reconfigure = request(RECONFIGURE_REQUEST)
    send_from_relay(scene6, reconfigure)
    assert scene6.forward6(reconfigure).carried == reconfigure.encode()


def test_6r10_6r11_what_other_relay_agents_supply_is_refused(scene6):
    """At whatever level of a chain; everything else of the same relay agent is relayed."""
    relay = scene6.relay6("--trust", "d1", "--refuse", "relay-supplied-options", "--refuse", "reconfigure-request")
    supplied = (RELAY_SUPPLIED, struct.pack("!HH", ERP_DOMAIN, 3) + b"\1a\0")
    asked, reconfigure, plain = request(), request(RECONFIGURE_REQUEST), request()
    send_from_relay(scene6, wrapped(wrapped(asked, "2001:db8:78::1", first=[supplied]), "2001:db8:77::1", hop_count=1))
    send_from_relay(scene6, reconfigure)
    send_from_relay(scene6, wrapped(plain, "2001:db8:77::1"))
    assert scene6.forward6(plain).hop_count == 1
    for refused in (asked, reconfigure):
        scene6.nothing6(arrived6(xid=refused.xid), wires=scene6.servers.values())
    relay.expect_drop("relay_supplied_options_refused")
    relay.expect_drop("reconfigure_request_refused")


def test_sources_that_cannot_be_answered(scene6):
    """RFC 8415 section 19.1: peer-address would be ours or nobody's. Nothing is relayed, whoever drops it."""
    relay = scene6.relay6()
    asked = {}
    for source in (ANY, "::1", ROUTER_LINK_LOCAL, "2001:db8:101::1", "2001:db8:9::1", "ff02::1", "::ffff:10.0.0.1"):
        asked[source] = scene6.solicit(frame={"source": source})
    scene6.settle6()
    for source, each in asked.items():
        assert not scene6.copies6(each.xid, scene6.servers[1]), source
    relay.expect_drop("source_invalid")


# --- what the Relay-forward says --------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", OF_CLIENTS)
def test_6f01_d1_relay_forward_of_a_client(scene6, kind):
    """Type 12, hop-count 0, the address of the segment, the client's, and its message to the octet."""
    scene6.relay6()
    for segment in scene6.topology.segments:
        asked = scene6.solicit(segment.number, kind=kind)
        came = scene6.relayed6(asked)
        made = came.message6
        assert came.payload[:2] == b"\x0c\x00"
        assert (made.link_address, made.peer_address) == (segment.address6, CLIENT_LINK_LOCAL)
        assert (made.carried, made.is_whole) == (asked.encode(), True)
        assert made.others == [(CLIENT_LINK_LAYER, ETHERNET + mac_octets(segment.client_mac))]


def test_6f02_link_address_is_a_global_address_that_lasts(scene6):
    """Beside unique-local, deprecated and second ones; the same after a restart."""
    router = scene6.topology.router
    router.ip("addr add 2001:db8:101::aaaa/64 dev d1 nodad",
              "addr add 2001:db8:100::1/64 dev d1 nodad preferred_lft 0 valid_lft forever")
    for _ in range(2):
        relay = scene6.relay6()
        assert {scene6.forward6(scene6.solicit()).link_address for _ in range(5)} == {"2001:db8:101::1"}
        relay.stop()


def test_6f02_link_address_where_there_is_no_global_address(scene6):
    """A unique-local one."""
    scene6.topology.router.ip("addr del 2001:db8:101::1/64 dev d1")
    scene6.relay6()
    came = scene6.relayed6(scene6.solicit())
    assert (came.message6.link_address, came.message6.option(INTERFACE_ID)) == ("fd00:db8:101::1", None)


def test_6f02_6f03_link_local_addresses_alone(scene6):
    """No link-address, and Interface-Id tells the link; the answer comes back by it."""
    scene6.topology.router.ip("addr del 2001:db8:101::1/64 dev d1", "addr del fd00:db8:101::1/64 dev d1")
    scene6.relay6()
    asked = scene6.solicit()
    came = scene6.relayed6(asked)
    assert (came.message6.link_address, came.message6.option(INTERFACE_ID)) == (ANY, b"d1")
    said = answer(asked)
    scene6.send_reply6(reply_to(came.message6, said), destination=came.source)
    assert scene6.delivered6(said).source == ROUTER_LINK_LOCAL


@pytest.mark.skipif(not relay_module.is_ours(), reason="these lines are ours")
def test_interfaces_whose_ipv6_is_disabled_are_named(scene6):
    """At the start and later, with what enables it; and that it is there again."""
    router = scene6.topology.router
    router.sysctl("net.ipv6.conf.d2.disable_ipv6", 1)
    relay = scene6.relay6()
    relay.expect_log(r"WARNING interface_changed interface=d2 .*change=no_link_local .*sysctl -w net/ipv6/conf/d2/dis")
    router.sysctl("net.ipv6.conf.d2.disable_ipv6", 0)
    router.ip(f"addr add {ROUTER_LINK_LOCAL}/64 dev d2 nodad")
    relay.expect_log(r"INFO interface_changed interface=d2 .*change=has_link_local ")
    router.sysctl("net.ipv6.conf.d1.disable_ipv6", 1)
    relay.expect_log(r"WARNING interface_changed interface=d1 .*change=no_link_local .*sysctl -w net/ipv6/conf/d1/dis")


def test_6f02_a_link_address_that_comes_later_is_used(scene6):
    """No restart: addresses come and go."""
    router = scene6.topology.router
    router.ip("addr del 2001:db8:101::1/64 dev d1")
    scene6.relay6()
    assert scene6.forward6(scene6.solicit()).link_address == "fd00:db8:101::1"
    router.ip("addr add 2001:db8:101::5/64 dev d1 nodad")
    came = (scene6.forward6(scene6.solicit()).link_address for _ in range(200))
    assert "2001:db8:101::5" in came


def test_6f02_link_address_by_flag(scene6):
    """--link-address for one interface; the others choose."""
    scene6.relay6("--link-address", "d1=2001:db8:200::1")
    asked = scene6.solicit(1)
    came = scene6.relayed6(asked)
    assert came.message6.link_address == "2001:db8:200::1"
    said = answer(asked)
    scene6.send_reply6(reply_to(came.message6, said), destination=came.source)
    scene6.delivered6(said)
    assert scene6.forward6(scene6.solicit(2)).link_address == "2001:db8:102::1"


def test_6f03_interface_id_where_two_segments_share_an_address(scene6):
    """One link-address for both: Interface-Id decides, requests of both on their way at once."""
    scene6.relay6("--link-address", "2001:db8:200::1")
    asked = {segment: scene6.solicit(segment) for segment in (1, 2)}
    came = {segment: scene6.relayed6(made) for segment, made in asked.items()}
    for segment, frame in came.items():
        assert (frame.message6.link_address, frame.message6.option(INTERFACE_ID)) == ("2001:db8:200::1",
                                                                                      b"d%d" % segment)
        said = answer(asked[segment])
        scene6.send_reply6(reply_to(frame.message6, said), destination=frame.source)
        scene6.delivered6(said, segment)
        scene6.nothing6(arrived6(ADVERTISE, xid=said.xid), wires=[scene6.clients[3 - segment]], replies=False)


@pytest.mark.parametrize("flag", ["-I", "--interface-id"])
def test_6f03_interface_id_always(scene6, flag):
    scene6.relay6(flag)
    for segment in (1, 2):
        assert scene6.forward6(scene6.solicit(segment)).option(INTERFACE_ID) == b"d%d" % segment


def test_6f04_interface_id_outlives_restart_and_interface(scene6):
    """It is no number of the kernel's: the same for an interface that was made anew."""
    relay = scene6.relay6("-I")
    first = scene6.forward6(scene6.solicit()).option(INTERFACE_ID)
    relay.stop()
    router = scene6.topology.router
    router.ip("link set d1 down", "link set d1 name x1", "link set x1 name d1", "link set d1 up",
              f"addr replace {ROUTER_LINK_LOCAL}/64 dev d1 nodad", "addr replace 2001:db8:101::1/64 dev d1 nodad")
    scene6.relay6("-I")
    assert scene6.forward6(scene6.solicit()).option(INTERFACE_ID) == first


@pytest.mark.parametrize("source, link_address", [
    ("2001:db8:101::99", ANY), ("fd00:db8:101::99", ANY), ("fe80::99", "2001:db8:101::1")])
def test_6f05_6f09_d2_relay_forward_of_another_relay_agent(scene6, source, link_address):
    """RFC 8415 section 19.1.2: the link is told only where the other's address does not; its message to the octet."""
    scene6.relay6("--trust", "d1")
    asked = request()
    inner = wrapped(asked, "2001:db8:77::1", hop_count=2, first=[(INTERFACE_ID, b"port 7")],
                    more=[(REMOTE_ID, b"1234x")])
    send_from_relay(scene6, inner, source=source)
    for server in (1, 2):
        came = scene6.forward6(asked, server)
        assert (came.hop_count, came.link_address, came.peer_address) == (3, link_address, source)
        assert came.carried == inner.encode()
        assert came.others == []


@pytest.mark.parametrize("depth", [1, 2, 7])
def test_6f09_d13_levels_are_never_looked_into(scene6, depth):
    """As many as the hop limit allows, with options of all kinds."""
    scene6.relay6("--trust", "d1")
    asked = made = request()
    for level in range(depth):
        made = wrapped(made, f"2001:db8:{level + 0x70:x}::1", hop_count=level, first=[(65001, bytes(level))],
                       more=[(INTERFACE_ID, b"level %d" % level)])
    send_from_relay(scene6, made)
    came = scene6.forward6(asked)
    assert (came.hop_count, came.carried) == (depth, made.encode())


def test_6f10_link_layer_address_is_the_frames(scene6):
    """RFC 6939 section 5: not that of the DUID, nor that of the link-local address."""
    scene6.relay6()
    asked = request(mac="02:aa:aa:aa:aa:aa")
    scene6.send_request6(asked, source_mac="02:bb:bb:bb:bb:bb", source="fe80::cc:ccff:fecc:cccc")
    assert scene6.forward6(asked).option(CLIENT_LINK_LAYER) == ETHERNET + mac_octets("02:bb:bb:bb:bb:bb")


def test_6f10_many_clients_keep_their_own_link_layer_address(scene6):
    """300 at once, one after the other without a pause, on both segments, with the same link-local address."""
    scene6.relay6()
    sent = []
    for number in range(300):
        mac = f"02:dd:00:00:{number >> 8:02x}:{number & 255:02x}"
        asked = request(mac="02:00:00:00:00:01")
        scene6.send_request6(asked, 1 + number % 2, source_mac=mac)
        sent.append((asked, mac))
    for asked, mac in sent:
        assert scene6.forward6(asked).option(CLIENT_LINK_LAYER) == ETHERNET + mac_octets(mac)


def test_6f10_no_link_layer_address_of_relay_agents_or_against_the_will(scene6):
    relay = scene6.relay6("--trust", "d1")
    asked = request()
    send_from_relay(scene6, wrapped(asked, "2001:db8:77::1"))
    assert scene6.forward6(asked).option(CLIENT_LINK_LAYER) is None
    relay.stop()
    scene6.relay6("--client-link-layer-address", "no", sinks=False)
    assert scene6.forward6(scene6.solicit()).others == []


def test_6f10_without_link_layer_addresses(scene6):
    """A tunnel's packets come without, so nothing is said of them (RFC 6939 section 5)."""
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("no /dev/net/tun")
    with scene6.topology.router.inside():
        tunnel = open("/dev/net/tun", "r+b", buffering=0)  # closed below
        fcntl.ioctl(tunnel, _TUNSETIFF, struct.pack("16sH22x", b"d7", _IFF_TUN | _IFF_NO_PI))
    with tunnel:
        scene6.topology.router.ip("addr add 2001:db8:107::1/64 dev d7 nodad", "link set d7 up")
        scene6.relay6(interfaces=["-id", "d1", "-id", "d7", "-iu", "u0"])
        asked = request()

        def relayed():
            tunnel.write(udp_frames(asked.encode(), "2001:db8:107::c", "2001:db8:107::1", source_mac="0" * 12,
                                    destination_mac="0" * 12)[0][14:])
            return scene6.copies6(asked.xid, scene6.servers[1])
        came = wait_until(relayed, "the relay to know the tunnel")[0].message6
        assert (came.link_address, came.peer_address, came.others) == ("2001:db8:107::1", "2001:db8:107::c", [])


def test_6f11_remote_id(scene6):
    """RFC 4649: enterprise number and what the template says."""
    scene6.relay6("--enterprise", "32473", "--remote-id", "%i at %m", "--remote-id", "d2=0x0102ff")
    mac = scene6.topology.segment(1).mac.encode()
    assert scene6.forward6(scene6.solicit(1)).option(REMOTE_ID) == struct.pack("!I", 32473) + b"d1 at " + mac
    assert scene6.forward6(scene6.solicit(2)).option(REMOTE_ID) == struct.pack("!I", 32473) + b"\x01\x02\xff"


def test_6f12_subscriber_id(scene6):
    """RFC 4580, as ISC's -s gives it and as the long flag does for one interface."""
    relay = scene6.relay6("-s", "everyone")
    assert scene6.forward6(scene6.solicit()).option(SUBSCRIBER_ID) == b"everyone"
    relay.stop()
    scene6.relay6("--subscriber-id", "d1=house 7", sinks=False)
    assert scene6.forward6(scene6.solicit(1)).option(SUBSCRIBER_ID) == b"house 7"
    assert scene6.forward6(scene6.solicit(2)).option(SUBSCRIBER_ID) is None


def test_6f13_relay_id(scene6):
    """RFC 5460 section 5.4.1: a DUID, the same in every message."""
    duid = duid_ll("02:00:00:00:01:01")
    scene6.relay6("--relay-id", "0x" + duid.hex())
    for segment in (1, 2):
        assert scene6.forward6(scene6.solicit(segment)).option(RELAY_ID) == duid


def test_6f14_further_options_in_the_order_given(scene6):
    """Echo Request (RFC 4994) and one that nobody knows."""
    scene6.relay6("--option6", f"{ECHO_REQUEST}=0x0025", "--option6", "65001=text")
    came = scene6.forward6(scene6.solicit())
    assert [each for each in came.others if each[0] in (ECHO_REQUEST, 65001)] == [(ECHO_REQUEST, b"\0\x25"),
                                                                                    (65001, b"text")]


def test_6f15_virtual_subnet(scene6):
    """RFC 6607: the name of a VRF; an answer that does not tell it again is not delivered."""
    relay = scene6.relay6("--vss", "red")
    asked = scene6.solicit()
    came = scene6.relayed6(asked)
    assert came.message6.option(VIRTUAL_SUBNET) == b"\0red"
    said, lost = answer(asked), request(CONFIRM)
    scene6.send_reply6(wrapped(answer(lost), came.message6.link_address, CLIENT_LINK_LOCAL, kind=RELAY_REPLY),
                       destination=came.source)
    scene6.send_reply6(reply_to(came.message6, said), destination=came.source)
    scene6.delivered6(said)
    assert not scene6.clients[1].all(arrived6(REPLY, xid=lost.xid))
    relay.expect_drop("vss_unsupported")


@pytest.mark.parametrize("option", ["66=0x00170010" + "00" * 16, "9=x", "81=0x0103616263", "43=0x0012", "106=x"],
                         ids=["6f16 supplied", "ours", "6f17 RADIUS", "6f14 echo", "6f18 access"])
def test_6f16_6f17_6f18_options_that_may_not_be_added(scene6, option):
    """RFC 6422 section 4, RFC 7037 section 5, RFC 4994 section 4: refused at start, with the flag and the value."""
    words = [relay_module.BINARY, "-d", "--no-pid", "--option6", option, "-id", "d1", "2001:db8:9::2"]
    command = scene6.topology.router.command(words)
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
    assert "--option6" in ended.stderr


def test_6f21_clients_that_speak_from_a_global_address(scene6):
    """ADDR-REG-INFORM (RFC 9686) and a Renew to a server that let it: still from a client."""
    scene6.relay6()
    place = scene6.topology.segment(1)
    source = place.host6(0x77)
    for kind in (ADDRESS_REGISTRATION, RENEW):
        asked = scene6.solicit(kind=kind, frame={"source": source})
        came = scene6.forward6(asked)
        assert (came.hop_count, came.link_address, came.peer_address) == (0, place.address6, source)
        assert came.option(CLIENT_LINK_LAYER) == ETHERNET + mac_octets(place.client_mac)


def test_6f10_told_no_more_from_a_reload_on(scene6):
    """Servers are told nothing, at once; clients are answered as before."""
    file = scene6.folder / "relay.conf"
    file.write_text("# none\n")
    relay = scene6.relay6("--config", str(file))
    assert scene6.forward6(scene6.solicit()).option(CLIENT_LINK_LAYER)
    file.write_text("client-link-layer-address = no\n")
    reload(relay)
    assert scene6.forward6(scene6.solicit()).option(CLIENT_LINK_LAYER) is None
    scene6.exchange6()
    assert "next start" not in relay.log


def test_6f10_frames_are_looked_at_from_the_next_start(scene6):
    file = scene6.folder / "relay.conf"
    file.write_text("client-link-layer-address = no\n")
    relay = scene6.relay6("--config", str(file))
    file.write_text("# none\n")
    reload(relay)
    assert "--client-link-layer-address yes takes effect at the next start" in relay.log
    assert scene6.forward6(scene6.solicit()).option(CLIENT_LINK_LAYER) is None


def test_servers_of_one_interface(scene6):
    """--server d2=...: the general list is for the others."""
    scene6.relay6("--server", "d2=2001:db8:9::3", servers=["2001:db8:9::2"])
    first, second = scene6.solicit(1), scene6.solicit(2)
    scene6.relayed6(first, 1)
    scene6.relayed6(second, 2)
    scene6.settle6(1, server=1)
    assert not scene6.copies6(first.xid, scene6.servers[2])
    assert not scene6.copies6(second.xid, scene6.servers[1])


def test_link_local_servers(scene6):
    """By the interface behind the per cent sign."""
    scene6.relay6(servers=["fe80::9:2%u0"])
    asked = scene6.solicit()
    came = scene6.relayed6(asked)
    assert (came.destination, came.ttl) == ("fe80::9:2", 64)


def test_6d10_link_local_servers_answer_on_their_link(scene6):
    """The same address on another interface is somebody else's, though servers may be there too."""
    relay = scene6.relay6(servers=["fe80::9:2%u0"], interfaces=["-id", "d1", "-i", "d2", "-iu", "u0"])
    server = {"source": "fe80::9:2"}
    said, made = scene6.reply_for(1)
    scene6.send_reply6(made, **server)
    scene6.delivered6(said)
    said, made = scene6.reply_for(1)
    scene6.send_request6(made, 2, **server, sport=SERVER_PORT)
    relay.expect_drop("server_unknown")
    asked = scene6.solicit()
    scene6.send_reply6(reply_to(scene6.forward6(asked), answer(asked)), **server)
    scene6.delivered6(answer(asked))
    assert not scene6.clients[1].all(arrived6(xid=said.xid))


def test_servers_on_an_interface_that_comes_later(scene6):
    """Until then messages are dropped for a reason of its own: a server has been named."""
    relay = scene6.relay6(servers=["ff05::1:3%later"])
    scene6.solicit()
    relay.expect_drop("server_interface_missing")
    router = scene6.topology.router
    router.ip("link add later type veth peer name beyond", "link set beyond up", "link set later up")
    beyond = scene6.wire(router, "beyond")
    wait_until(lambda: scene6.solicit() and beyond.all(arrived6(RELAY_FORWARD)), "a Relay-forward to the group")
    router.ip("link del later")
    dropped = relay.counters("d1", "ipv6")["server_interface_missing"]
    wait_until(lambda: scene6.solicit() and relay.counters("d1", "ipv6")["server_interface_missing"] > dropped,
               "messages to be dropped again")


def test_isc_words(scene6):
    """-l, -u, with address, as users of ISC dhcrelay type them; multicast where -u has none."""
    scene6.relay6(servers=[], interfaces=["-6", "-l", "2001:db8:101::1%d1", "-l", "d2", "-u", "2001:db8:9::2%u0", "-u",
                                          "u0"])
    asked = scene6.solicit(1)
    assert scene6.forward6(asked).link_address == "2001:db8:101::1"
    scene6.servers[1].expect(lambda frame: frame.destination_mac == multicast_mac("ff05::1:3")
                             and arrived6(RELAY_FORWARD, xid=asked.xid)(frame))
    assert scene6.forward6(scene6.solicit(2)).peer_address == CLIENT_LINK_LOCAL
