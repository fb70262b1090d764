"""The sub-options of option 82 on the wire, octet by octet, and what becomes of them in replies."""

import itertools
import os
import socket

import pytest

from message import (ACK, AGENT, DECLINE, DISCOVER, INFORM, OFFER, RELEASE, REQUEST, mac_octets, reply, request,
                     udp_frames)
from test_flags import sub_options, with_82
from wait import wait_until
from wire import arrived
from witness import dissect

_SHARED = "203.0.113.1"
_OWN = b"\x01\x02d1"
_xids = itertools.count(0x82000001)


def own(frame):
    """Our option 82 in a relayed request, which it ends (RFC 3046 section 2.1), as it is on the wire without code and
    length."""
    octets = frame.message.option(AGENT)
    ending = bytes([AGENT, len(octets)]) + octets + b"\xff"
    assert frame.payload.rstrip(b"\0").endswith(ending), "option 82 is the last before END"
    assert [code for code, _ in frame.message.options].count(AGENT) == 1
    return octets


def asked(scene, segment=1, **fields):
    """Option 82 of a usual DISCOVER; a server's echo of it does not reach the client."""
    came = scene.relayed(scene.discover(segment, **fields))
    octets = own(came)
    offered = reply(came.message, yiaddr=scene.topology.segment(segment).host(50))
    assert offered.option(AGENT) == octets
    scene.send_reply(offered)
    assert scene.delivered(offered, segment).message.option(AGENT) is None
    return octets


def unicast(scene, kind, segment=1, to=None, **fields):
    """Sends a message of a client that has an address to one of the router's, by default its segment's."""
    place = scene.topology.segment(segment)
    address = place.host(77)
    made = request(kind, xid=next(_xids), ciaddr=address, **fields)
    scene.send_request(made, segment, source=address, destination=to or place.address, destination_mac=place.mac)
    return made


@pytest.fixture
def loopback(scene):
    """A scene whose router has a loopback address."""
    scene.topology.router.ip(f"addr add {_SHARED}/32 dev lo")
    return scene


# --- each sub-option --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("flags, giaddr", [(("-U", "lo"), _SHARED), (("-a", "--link-selection"), "10.101.0.1"),
                                           (("-a", "--giaddr", f"d1={_SHARED}"), _SHARED)])
@pytest.mark.parametrize("kind", [DISCOVER, REQUEST, DECLINE, INFORM, RELEASE])
def test_4s01_link_selection_in_every_message(loopback, flags, giaddr, kind):
    """Sub-option 5 is the subnet's address, whatever the message and however it came."""
    loopback.relay(*flags)
    broadcast = request(kind, xid=next(_xids))
    loopback.send_request(broadcast)
    for made in (broadcast, unicast(loopback, kind)):
        came = loopback.relayed(made)
        assert came.message.giaddr == giaddr
        assert own(came) == _OWN + bytes.fromhex("05 04 0a650000")


def test_4s01_link_selection_by_prefix_length(loopback):
    """The address of the interface AND its mask: a /23 whose second half holds the address, and a /32."""
    router = loopback.topology.router
    router.ip("addr flush dev d1", "addr add 10.101.7.200/23 dev d1", "addr flush dev d2",
              "addr add 10.102.9.9/32 dev d2")
    loopback.relay("-U", "lo")
    assert own(loopback.relayed(loopback.discover(1))) == _OWN + bytes.fromhex("05 04 0a650600")
    assert own(loopback.relayed(loopback.discover(2))) == b"\x01\x02d2" + bytes.fromhex("05 04 0a660909")


@pytest.mark.parametrize("echo", [True, False], ids=["echoed", "left_out"])
def test_4s02_link_selection_in_the_answer_changes_nothing(loopback, echo):
    """With and without sub-option 5 the same reply goes the same way (RFC 3527 section 3)."""
    loopback.relay("-U", "lo")
    came = loopback.relayed(loopback.discover(2)).message
    back = came.option(AGENT) if echo else b"\x01\x02d2"
    offered = reply(came.but(options=[(AGENT, back)]), yiaddr="10.102.0.50")
    loopback.send_reply(offered)
    delivered = loopback.delivered(offered, 2)
    assert (delivered.source, delivered.destination) == ("10.102.0.1", "10.102.0.50")
    loopback.nothing(arrived(xid=offered.xid), wires=[loopback.clients[1]], replies=False)


@pytest.mark.parametrize("flag", ["-s", "--subscriber-id"])
def test_4s03_subscriber_id(scene, flag):
    """Characters without a NUL behind them."""
    scene.relay("-a", flag, "cust-42")
    assert asked(scene) == _OWN + b"\x06\x07cust-42"


def test_4s07_vendor_specific(scene):
    """Two enterprises in one sub-option."""
    scene.relay("-a", "--suboption", "9=0x0000000903616263" + "00000d0a0178")
    assert asked(scene) == _OWN + b"\x09\x0e" + b"\0\0\0\x09\x03abc" + b"\0\0\x0d\x0a\x01x"


def test_4s08_flags_say_how_it_came(loopback):
    """0 by broadcast, 0x80 by unicast to any address of this host, in everything that we add option 82 to."""
    loopback.relay("-a", "--server-id-override", "-m", "append")
    override = b"\x0b\x04\x0a\x65\0\x01"
    assert asked(loopback) == _OWN + b"\x0a\x01\0" + override
    for to in ("10.101.0.1", "10.102.0.1", _SHARED):
        assert own(loopback.relayed(unicast(loopback, REQUEST, to=to))) == _OWN + b"\x0a\x01\x80" + override, to
    directed = request(xid=next(_xids))
    loopback.send_request(directed, source="10.101.0.77", destination="10.101.0.255")
    assert own(loopback.relayed(directed)) == _OWN + b"\x0a\x01\0" + override
    theirs = request(xid=next(_xids), giaddr="10.50.0.1", hops=1)
    loopback.send_request(theirs, source="10.50.0.1", destination="10.101.0.1",
                          destination_mac=loopback.topology.segment(1).mac)
    assert own(loopback.relayed(theirs)) == _OWN + b"\x0a\x01\x80", "their giaddr: no address of ours beside it"


@pytest.mark.parametrize("kind", [REQUEST, RELEASE, INFORM, DECLINE])
def test_4s09_server_id_override(scene, kind):
    """Sub-option 11 is our address on the client's segment; what clients then send to it goes to every server."""
    scene.relay("-a", "--server-id-override")
    for segment, last in ((1, b"\x65"), (2, b"\x66")):
        made = unicast(scene, kind, segment)
        for server in (1, 2):
            came = scene.relayed(made, server)
            place = scene.topology.segment(segment)
            assert (came.message.giaddr, came.message.ciaddr) == (place.address, place.host(77))
            assert own(came) == b"\x01\x02d%d\x0a\x01\x80\x0b\x04\x0a" % segment + last + b"\0\x01"


def test_4s09_server_id_override_beside_a_shared_giaddr(loopback):
    """giaddr is the loopback's, the address for clients that of their segment; the ACK goes where ciaddr is."""
    loopback.relay("-U", "lo", "--server-id-override")
    came = loopback.relayed(unicast(loopback, REQUEST, 2))
    assert came.message.giaddr == _SHARED
    assert own(came) == b"\x01\x02d2" + bytes.fromhex("05 04 0a660000  0a 01 80  0b 04 0a660001")
    acked = reply(came.message, ACK, server="10.102.0.1", yiaddr=came.message.ciaddr)
    loopback.send_reply(acked)
    delivered = loopback.delivered(acked, 2)
    assert (delivered.source, delivered.destination) == ("10.102.0.1", "10.102.0.77")
    assert delivered.message.option(AGENT) is None


_VSS = {"red": b"\0red", "0x00112233445566": bytes.fromhex("01 00112233445566"), "global": b"\xff"}
_CONTROL = b"\x98\0"


def vss(value):
    return b"\x97" + bytes([len(_VSS[value])]) + _VSS[value]


@pytest.mark.parametrize("value", _VSS)
def test_4s10_virtual_subnet(scene, value):
    """Sub-option 151 by name, by VPN-ID or global, never without 152."""
    scene.relay("-a", "--vss", value)
    assert own(scene.relayed(scene.discover())) == _OWN + vss(value) + _CONTROL


def answered(scene, back, segment=1):
    """A reply whose option 82 is `back`, or that has none."""
    came = scene.relayed(scene.discover(segment)).message
    offered = reply(came.but(options=[(AGENT, back)] if back is not None else []),
                    yiaddr=scene.topology.segment(segment).host(50))
    scene.send_reply(offered)
    return offered


@pytest.mark.parametrize("value", _VSS)
def test_4s11_server_that_acted_on_the_virtual_subnet(scene, value):
    """It takes sub-option 152 out: delivered, without what is left of our option 82."""
    scene.relay("-a", "--vss", value)
    delivered = scene.delivered(answered(scene, _OWN + vss(value)))
    assert delivered.message.option(AGENT) is None


@pytest.mark.parametrize("back", [_OWN + vss("red") + _CONTROL, _OWN + _CONTROL + vss("red"), _OWN + _CONTROL, _OWN,
                                  None], ids=["copied", "copied_in_another_order", "control_alone", "neither", "none"])
def test_4s11_server_that_did_not_act_on_the_virtual_subnet(scene, back):
    """It copied 152, or says nothing of 151: the client gets nothing from the wrong network."""
    scene.relay("-a", "--vss", "red")
    offered = answered(scene, back)
    scene.running.expect_drop("vss_unsupported")
    scene.settle(2, replies=False)
    assert not scene.copies(offered.xid, scene.clients[1])


@pytest.mark.parametrize("flags, assigned", [
    (("--vss", "red"), b"\x97\x05\0blue"), (("--vss", "red"), b"\x97\x01\xff"), (("--vss", "red"), b"\x97\x03\0re"),
    (("--vss", "global"), b"\x97\x04\0red"), (("--vss", "0x00112233445566"), bytes.fromhex("97 08 01 00112233445567")),
    ((), b"\x97\x04\0red")], ids=["other", "global", "shorter", "red_for_global", "other_id", "not_asked_for"])
def test_4s12_server_that_assigned_another_virtual_subnet(scene, flags, assigned):
    """It is none that we could serve."""
    scene.relay("-a", *flags)
    offered = answered(scene, _OWN + assigned)
    scene.running.expect_drop("vss_unknown")
    if flags:
        scene.settle(2, replies=False)
    else:
        scene.settle()
    assert not scene.copies(offered.xid, scene.clients[1])


@pytest.mark.parametrize("value, octets", [("router-7", b"router-7"), ("0x0002", b"\0\2"), ("0X", b"0X")])
def test_4s13_relay_id_stays_the_same(scene, value, octets):
    """Sub-option 12 before and after a restart, on every interface."""
    flags = ("-a", "--relay-id", value)
    first = scene.relay(*flags)
    before = [asked(scene, segment) for segment in (1, 2)]
    first.stop()
    scene.relay(*flags, sinks=False)
    assert [asked(scene, segment) for segment in (1, 2)] == before
    assert before == [b"\x01\x02d%d\x0c" % segment + bytes([len(octets)]) + octets for segment in (1, 2)]


@pytest.mark.parametrize("flags, port, content", [(("-a",), 67, _OWN), (("-rp", "6767"), 6767, _OWN + b"\x13\0")])
def test_4s14_4s15_source_port(scene, flags, port, content):
    """Port 67 without sub-option 19, another one with it."""
    scene.relay(*flags)
    came = scene.relayed(scene.discover())
    assert (came.ports, own(came)) == ((port, 67), content)


def test_4s16_access_network(scene):
    """The access point's name, with the technology that it says nothing without (RFC 7839 section 6)."""
    scene.relay("-a", "--suboption", "15=ap-7", "--suboption", "13=0x0004")
    assert asked(scene) == _OWN + b"\x0d\x02\0\x04\x0f\x04ap-7"


def test_4s17_device_class(scene):
    """The 32 bits of a DOCSIS device class."""
    scene.relay("-a", "--suboption", "4=0x80000001")
    assert asked(scene) == _OWN + b"\x04\x04\x80\0\0\x01"


def test_any_other_sub_option(scene):
    """Codes without a meaning yet, as text and as octets, in the order of their codes."""
    scene.relay("-a", "--suboption", "254=0xff", "--suboption", "200=a=b", "--suboption", "20=x")
    assert asked(scene) == _OWN + b"\x14\x01x\xc8\x03a=b\xfe\x01\xff"


# --- what another program reads ---------------------------------------------------------------------------------------

_ALL = ("-rp", "6767", "--giaddr", _SHARED, "--remote-id", "box-7", "-s", "cust-42", "--server-id-override",
        "--relay-id", "0x0102", "--suboption", "4=0x00000001", "--suboption", "9=0x000000090361626300000d0a0178",
        "--suboption", "13=0x0004", "--suboption", "15=ap-7", "--suboption", "200=zz")


@pytest.mark.parametrize("virtual, value", [("red", "00:72:65:64"), ("0x00112233445566", "01:00:11:22:33:44:55:66"),
                                            ("global", "ff")])
def test_4s01_4s03_4s07_4s08_4s09_4s10_4s14_4s16_4s17_all_at_once_as_tshark_reads_it(loopback, need, tmp_path, virtual,
                                                                                     value):
    """Every sub-option once, each with the name and the value that Wireshark gives it."""
    need("tshark")
    loopback.relay(*_ALL, "--vss", virtual)
    read = dissect(loopback.relayed(loopback.discover()), tmp_path)
    codes = [int(code) for code in read["suboption"]]
    assert codes == [1, 2, 4, 5, 6, 9, 10, 11, 12, 13, 15, 19, 151, 152, 200]
    named = {"agent_circuit_id": "64:31", "agent_remote_id": "62:6f:78:2d:37", "docsis_device_class": "0x00000001",
             "link_selection": "10.101.0.0", "subscriber_id": "cust-42", "flags": "0x00",
             "server_id_override": "10.101.0.1", "relay_agent_id": "01:02", "ani_att": "4", "ani_ap_name": "ap-7"}
    assert {name: read[name] for name in named} == {name: [text] for name, text in named.items()}
    assert (read["vi.enterprise"], read["vi.data_length"]) == (["9", "3338"], ["3", "1"])
    assert read["value"][-4:] == ["", value, "", "7a:7a"], "of 19, 151, 152 and 200"
    renewal = dissect(loopback.relayed(unicast(loopback, REQUEST)), tmp_path)
    assert renewal == {**read, "flags": ["0x80"], "value": ["80" if each == "00" else each for each in read["value"]]}


# --- templates --------------------------------------------------------------------------------------------------------

def test_4s18_every_token(scene):
    """Each stands for what the system says of the interface, the host or the message."""
    router = scene.topology.router
    router.ip("link set d1 alias 'Port 7, left'")
    with router.inside():
        index = socket.if_nametoindex("d1")
    scene.relay("-a", "--circuit-id", "%i|%I|%d|%m|%v|%g|%M|%%", "--remote-id", "%h")
    text = f"d1|{index}|Port 7, left|02:00:00:00:01:01||10.101.0.1|02:00:00:00:00:01|%"
    host = os.uname().nodename
    assert asked(scene) == b"\x01%c%s\x02%c%s" % (len(text), text.encode(), len(host), host.encode())


@pytest.mark.parametrize("hlen, text", [(6, b"02:00:00:00:00:0a"), (0, b""), (1, b"02"),
                                        (16, b":".join([b"02"] + 14 * [b"00"] + [b"0a"]))])
def test_4s18_client_hardware_address(scene, hlen, text):
    """As much of it as hlen says; each client's answer is known by its own."""
    scene.relay("-a", "--circuit-id", "<%M>")
    chaddr = mac_octets("02:00:00:00:00:0a") if hlen != 16 else b"\2" + bytes(14) + b"\x0a"
    assert asked(scene, chaddr=chaddr, hlen=hlen) == b"\x01%c<%s>" % (len(text) + 2, text)


def test_4s18_giaddr_of_another_interface(loopback):
    """%g is what the request gets, not an address of the interface."""
    loopback.relay("-U", "lo", "--circuit-id", "%g/%i")
    assert asked(loopback, 2) == b"\x01\x0e203.0.113.1/d2" + bytes.fromhex("05 04 0a660000")


def test_4s18_text_around_the_tokens(scene):
    """TR-101's separators, and octets that are no text."""
    scene.relay("-a", "--circuit-id", "d1=a #.,;/%i", "--circuit-id", "d2=0x0001ff25", "--remote-id", "*=x=%%i")
    assert asked(scene, 1) == b"\x01\x09a #.,;/d1\x02\x04x=%i"
    assert asked(scene, 2) == b"\x01\x04\0\x01\xff%\x02\x04x=%i"


def test_4s18_the_longest(loopback):
    """What fills option 82 to its last octet."""
    loopback.relay("-U", "lo", "--circuit-id", "c" * 125, "--remote-id", "r" * 120)
    content = asked(loopback)
    assert content == b"\x01\x7d" + b"c" * 125 + b"\x02\x78" + b"r" * 120 + bytes.fromhex("05 04 0a650000")
    assert len(content) == 255


def test_4s18_settings_of_one_interface(scene):
    """The interface's own, whatever the order; a pattern's; those of all; and the default."""
    scene.relay("-a", "--remote-id", "d2=right", "--remote-id", "other", "--subscriber-id", "d?=any", "--circuit-id",
                "d1=left")
    assert asked(scene, 1) == b"\x01\x04left\x02\x05other\x06\x03any"
    assert asked(scene, 2) == b"\x01\x02d2\x02\x05right\x06\x03any"


def test_4s18_none(scene):
    """Sub-option 1 left out on one interface, 2 on the other; the echo is known without circuit-id as well."""
    scene.relay("-a", "--circuit-id", "d1=none", "--remote-id", "box", "--remote-id", "d2=none")
    assert asked(scene, 1) == b"\x02\x03box"
    assert asked(scene, 2) == b"\x01\x02d2"


def test_4s18_template_that_comes_out_empty(scene):
    """No sub-option without a value; and where nothing is left, no option 82 (RFC 3046 section 2.0)."""
    scene.relay("-a", "--circuit-id", "%d", "--remote-id", "d2=box")
    assert scene.relayed(scene.discover(1)).message.option(AGENT) is None
    assert asked(scene, 2) == b"\x02\x03box"


def circuit_id_in_the_end(scene, wanted, segment=1):
    """Asks until a request has this circuit-id: what changed a moment ago may not be known yet."""
    wait_until(lambda: dict(sub_options(scene.relayed(scene.discover(segment)).message) or []).get(1) == wanted,
               f"a request with circuit-id {wanted}")


def test_4s18_alias_that_changes(scene):
    """`ip link set alias` while the relay runs: the next requests say so, and answers to them are known."""
    router = scene.topology.router
    scene.relay("-a", "--circuit-id", "port %d")
    assert asked(scene) == b"\x01\x05port "
    for alias in ("north", "south 2"):
        router.ip(f"link set d1 alias '{alias}'")
        circuit_id_in_the_end(scene, b"port " + alias.encode())
        assert asked(scene) == b"\x01%cport %s" % (5 + len(alias), alias.encode())
    assert asked(scene, 2) == b"\x01\x05port "


def add_vlan(namespace, lower, name):
    """VLAN 100, or the end of the test where the kernel knows none."""
    try:
        namespace.ip(f"link add link {lower} name {name} type vlan id 100", f"link set {name} up")
    except AssertionError as error:
        if "Unknown device type" in str(error):
            pytest.skip("the kernel has no VLANs (8021q)")
        raise


@pytest.mark.parametrize("template, text, outside", [
    ("tr101:ACCESS-7", b"ACCESS-7 eth 0/1:100", b"ACCESS-7 eth 0/1"), ("%i vlan %v", b"d1.100 vlan 100", b"d1 vlan ")])
def test_4s18_vlan(scene, template, text, outside):
    """A VLAN on a port of the router; outside a VLAN its part of the name is left out."""
    place = scene.topology.segment(1)
    add_vlan(scene.topology.router, "d1", "d1.100")
    scene.topology.router.ip("addr add 10.110.0.1/24 dev d1.100")
    add_vlan(place.client, "eth0", "eth0.100")
    wire = scene.wire(place.client, "eth0.100")
    scene.relay("-a", "--circuit-id", template, "-id", "d1.100")
    made = request(xid=next(_xids))
    wire.send(udp_frames(made.encode(), source_mac=place.client_mac))
    came = scene.relayed(made)
    assert (came.message.giaddr, own(came)) == ("10.110.0.1", b"\x01%c%s" % (len(text), text))
    offered = reply(came.message, yiaddr="10.110.0.50")
    scene.send_reply(offered)
    assert wire.expect(arrived(op=2, xid=made.xid)).message.option(AGENT) is None
    assert asked(scene, 1) == b"\x01%c%s" % (len(outside), outside)


@pytest.mark.parametrize("name, place", [("eth7", "0/7"), ("swp1s2", "1/2"), ("uplink", "0/0"), ("x3.old", "0/3")])
def test_4s18_slot_and_port(scene, name, place):
    """The numbers of a TR-101 circuit-id are those in the interface's name."""
    scene.topology.router.ip("link set d2 down", f"link set d2 name {name}", f"link set {name} up")
    scene.relay("-a", "--circuit-id", "tr101:N", interfaces=["-id", "d1", "-id", name, "-iu", "u0"])
    assert asked(scene, 2) == b"\x01\x09N eth " + place.encode()
    assert asked(scene, 1) == b"\x01\x09N eth 0/1"


# --- replies ----------------------------------------------------------------------------------------------------------

def test_4a09_somebody_elses_beside_ours(scene):
    """-m append behind another relay agent: ours leaves the reply, theirs stays."""
    scene.relay("-a", "-m", "append", "--trust", "d1", "--remote-id", "box", "--circuit-id", "%i/%M")
    theirs = b"\x01\x04port\x02\x03box"
    made = with_82(request(xid=next(_xids)), theirs)
    scene.send_request(made)
    came = scene.relayed(made).message
    ours = b"\x01\x14d1/02:00:00:00:00:01\x02\x03box"
    assert [value for code, value in came.options if code == AGENT] == [theirs, ours]
    offered = reply(came, yiaddr="10.101.0.50")
    scene.send_reply(offered)
    assert scene.delivered(offered).message.option(AGENT) == theirs


def test_4d02_a_template_of_all_clients_on_a_shared_giaddr(loopback):
    """%M makes a circuit-id of each client; the reply is for the segment whose name stands beside it."""
    loopback.relay("-U", "lo", "--circuit-id", "%M@%i")
    for segment in (2, 1):
        came = loopback.relayed(loopback.discover(segment, chaddr=mac_octets("02:00:00:00:00:aa"))).message
        assert sub_options(came)[0] == (1, b"02:00:00:00:00:aa@d%d" % segment)
        offered = reply(came, OFFER, yiaddr=loopback.topology.segment(segment).host(60))
        loopback.send_reply(offered)
        assert loopback.delivered(offered, segment).message.option(AGENT) is None
        loopback.nothing(arrived(xid=offered.xid), wires=[loopback.clients[3 - segment]], replies=False)
