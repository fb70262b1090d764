"""What each flag does on the wire, one test a flag; those that other files are about are tested there."""

import pytest

from message import AGENT, BROADCAST_FLAG, BROADCAST_MAC, DISCOVER, KIND, reply, request, udp_frames
from wire import arrived

OURS, THEIRS = b"\x01\x02d1", b"\x01\x04port\x02\x03box"


def sub_options(message):
    """Option 82 as (code, value) pairs; None where there is none."""
    octets, found = message.option(AGENT), []
    while octets:
        found.append((octets[0], octets[2:2 + octets[1]]))
        octets = octets[2 + octets[1]:]
    return found if message.option(AGENT) is not None else None


def with_82(made, *values):
    return made.but(options=[*made.options, *((AGENT, value) for value in values)])


def refused(scene, made, reason, segment=1):
    """A request that no server sees."""
    scene.send_request(made, segment)
    scene.running.expect_drop(reason)
    scene.nothing(arrived(xid=made.xid), wires=scene.servers.values(), segment=segment, replies=False)


def test_4s14_relay_port(scene):
    """-rp: the source port and sub-option 19 upstream, replies taken on that port, clients answered from 67."""
    scene.relay("-rp", "6767")
    came = scene.relayed(scene.discover())
    assert came.ports == (6767, 67)
    assert sub_options(came.message) == [(1, b"d1"), (19, b"")]
    offered = reply(came.message, yiaddr="10.101.0.50")
    scene.send_reply(offered, dport=6767)
    delivered = scene.delivered(offered)
    assert delivered.ports == (67, 68)
    assert delivered.message.option(AGENT) is None


def test_4d02_shared_giaddr_and_4s01_link_selection(scene):
    """-U lo: one giaddr for all segments; sub-option 5 names the subnet, the echoed circuit-id the way back."""
    scene.topology.router.ip("address add 203.0.113.1/32 dev lo")
    scene.relay("-U", "lo")
    for number, subnet in ((1, b"\x0a\x65\0\0"), (2, b"\x0a\x66\0\0")):
        came = scene.relayed(scene.discover(number))
        assert (came.message.giaddr, came.source) == ("203.0.113.1", "203.0.113.1")
        assert sub_options(came.message) == [(1, b"d%d" % number), (5, subnet)]
        offered = reply(came.message, yiaddr=scene.topology.segment(number).host(50))
        scene.send_reply(offered)
        assert scene.delivered(offered, number).source == scene.topology.segment(number).address
        scene.nothing(arrived(xid=offered.xid), wires=[scene.clients[3 - number]], replies=False)
    ambiguous = reply(came.message.but(options=[(KIND, bytes([DISCOVER]))], xid=0x777), yiaddr="10.102.0.50")
    scene.send_reply(ambiguous)
    scene.running.expect_drop("reply_ambiguous")
    scene.nothing(arrived(xid=0x777, op=2), wires=scene.clients.values(), replies=False)


def test_4a05_trust(scene):
    """--trust: a switch's option 82 is kept and none added; 4a04: elsewhere it is not believed."""
    scene.relay("-a", "--trust", "d1")
    made = with_82(request(xid=0x801), THEIRS)
    scene.send_request(made)
    came = scene.relayed(made)
    assert (came.message.giaddr, came.message.option(AGENT)) == ("10.101.0.1", THEIRS)
    offered = reply(came.message, yiaddr="10.101.0.50")
    scene.send_reply(offered)
    assert scene.delivered(offered).message.option(AGENT) == THEIRS
    refused(scene, with_82(request(xid=0x802), THEIRS), "option82_untrusted", segment=2)


def test_4r16_giaddr_policy(scene):
    """--giaddr-policy drop on one interface."""
    scene.relay("--giaddr-policy", "d1=drop")
    refused(scene, request(xid=0x803, giaddr="10.50.0.1"), "giaddr_refused")
    passed = request(xid=0x804, giaddr="10.50.0.1")
    scene.send_request(passed, 2)
    scene.relayed(passed)


def test_4r09_min_secs(scene):
    """--min-secs: what is younger is left to another relay."""
    scene.relay("--min-secs", "3")
    young, old = request(xid=0x805, secs=2), request(xid=0x806, secs=3)
    scene.send_request(young)
    scene.send_request(old)
    scene.relayed(old)
    scene.running.expect_drop("below_min_secs")
    assert not scene.copies(young.xid, scene.servers[1])


def test_4r05_strict_size(scene):
    """--strict-size: 299 octets are too short, 300 are not."""
    scene.relay("--strict-size")
    short, whole = request(xid=0x807), request(xid=0x808)
    scene.send_request(short.encode(299))
    scene.send_request(whole.encode(300))
    scene.relayed(whole)
    scene.running.expect_drop("too_short")
    assert not scene.copies(short.xid, scene.servers[1])


@pytest.mark.parametrize("value, seen", [("keep", "10.101.0.1"), ("zero", "0.0.0.0"), ("192.0.2.9", "192.0.2.9")])
def test_reply_giaddr(scene, value, seen):
    """-g writes giaddr into replies."""
    scene.relay("-g", value)
    offered = scene.offer_for()
    scene.send_reply(offered)
    assert scene.delivered(offered).message.giaddr == seen


@pytest.mark.parametrize("value, flags, destination", [
    ("auto", 0, "02:00:00:00:00:01"), ("auto", BROADCAST_FLAG, BROADCAST_MAC), ("broadcast", 0, BROADCAST_MAC),
    ("d1=broadcast", 0, BROADCAST_MAC), ("d2=broadcast", 0, "02:00:00:00:00:01"),
    ("unicast", BROADCAST_FLAG, "02:00:00:00:00:01")])
def test_4d05_reply_delivery(scene, value, flags, destination):
    """--reply-delivery, for all and for one interface."""
    scene.relay("--reply-delivery", value)
    offered = scene.offer_for(flags=flags)
    scene.send_reply(offered)
    assert scene.delivered(offered).destination_mac == destination


def test_4f11_giaddr_that_moves(scene):
    """--giaddr: the server's answer has to come here, so nothing is relayed while another router holds the address, and it is once this one does."""
    scene.relay("--giaddr", "d1=10.101.0.77")
    scene.send_request(request(xid=0x809))
    scene.running.expect_drop("interface_passive")
    scene.topology.router.ip("address add 10.101.0.77/24 dev d1")
    scene.running.expect_log(r"interface=d1 change=became_active")
    assert scene.relayed(scene.discover()).message.giaddr == "10.101.0.77"
    scene.topology.router.ip("address del 10.101.0.77/24 dev d1")
    scene.running.expect_log(r"interface=d1 change=became_passive")
    late = request(xid=0x80a)
    scene.send_request(late)
    scene.nothing(arrived(xid=late.xid), wires=scene.servers.values(), segment=2)


def test_drop_unmatched(scene):
    """-D: a reply without our option 82 is not for our clients."""
    scene.relay("-a", "-D")
    bare = scene.offer_for()
    scene.send_reply(bare)
    scene.running.expect_drop("option82_unmatched")
    matched = with_82(scene.offer_for(), OURS)
    scene.send_reply(matched)
    scene.delivered(matched)
    assert not scene.copies(bare.xid, scene.clients[1])


def test_4a07_max_size(scene):
    """-A: what would become larger goes without option 82."""
    scene.relay("-a", "-A", "320")
    small, large = request(xid=0x80b), request(xid=0x80c)
    scene.send_request(small.encode(300))
    scene.send_request(large.encode(319))
    assert scene.relayed(small).message.option(AGENT) == OURS
    assert scene.relayed(large).message.option(AGENT) == OURS, "pad makes room"
    full = request(xid=0x80d, more=[(43, bytes(50))])
    scene.send_request(full.encode(0))
    fits = scene.relayed(full)
    assert fits.message.option(AGENT) == OURS
    over = request(xid=0x80e, more=[(43, bytes(60))])
    scene.send_request(over.encode(0))
    assert scene.relayed(over).payload[240:] == over.encode(0)[240:]
    scene.running.expect_log("option82=did_not_fit")


@pytest.mark.parametrize("policy, first, expected", [
    ("forward", THEIRS, [THEIRS]), ("append", THEIRS, [THEIRS, OURS]), ("replace", THEIRS, [OURS]),
    ("append", None, [OURS]), ("replace", None, [OURS]), ("forward", None, [])])
def test_4a17_policy_for_relayed_requests(scene, policy, first, expected):
    """-m: what another relay agent has relayed is given option 82 on demand alone (RFC 3046 2.1.1)."""
    scene.relay("-a", "-m", policy)
    made = request(xid=0x80f, giaddr="10.50.0.1", hops=1)
    made = with_82(made, first) if first else made
    scene.send_request(made)
    came = scene.relayed(made).message
    assert [value for code, value in came.options if code == AGENT] == expected
    assert (came.giaddr, came.hops) == ("10.50.0.1", 2)


@pytest.mark.parametrize("flags", [("-U", "lo"), ("-rp", "6767")])
def test_4s01_and_4s14_nothing_of_ours_speaks_of_anothers_giaddr(scene, flags):
    """-m append to a relayed request: circuit-id alone, from the server port, since its giaddr is not ours."""
    scene.topology.router.ip("address add 203.0.113.1/32 dev lo")
    scene.relay(*flags, "-m", "append")
    made = request(xid=0x815, giaddr="10.50.0.1", hops=1)
    scene.send_request(made)
    came = scene.relayed(made)
    assert sub_options(came.message) == [(1, b"d1")]
    assert came.ports == (67, 67)


def test_4s14_what_carries_no_option_82_leaves_from_the_server_port(scene):
    """-rp: BOOTP without options gets no sub-option 19, so its answer comes to port 67."""
    scene.relay("-rp", "6767")
    bare = request(xid=0x816).but(cookie=bytes(4), options=[], end=False)
    scene.send_request(bare)
    assert scene.relayed(bare).ports == (67, 67)


def test_drop_unmatched_and_trust(scene):
    """-D: the option 82 of a switch on a trusted circuit is no stranger's."""
    scene.relay("-a", "-D", "--trust", "d1")
    made = with_82(request(xid=0x817), THEIRS)
    scene.send_request(made)
    offered = reply(scene.relayed(made).message, yiaddr="10.101.0.50")
    scene.send_reply(offered)
    assert scene.delivered(offered).message.option(AGENT) == THEIRS


def test_policy_discard(scene):
    """-m discard: relayed requests with option 82 are dropped, those without are not."""
    scene.relay("-m", "discard")
    refused(scene, with_82(request(xid=0x810, giaddr="10.50.0.1"), THEIRS), "option82_discarded")
    bare = request(xid=0x811, giaddr="10.50.0.1")
    scene.send_request(bare)
    scene.relayed(bare)


def test_interface_for_both_sides(scene):
    """-i: requests and replies on the same interface, as with ISC's oldest form."""
    scene.relay(interfaces=["-i", "d1", "-i", "u0"])
    scene.exchange()
    offered = scene.offer_for().but(xid=0x812)
    place = scene.topology.segment(1)
    scene.clients[1].send(udp_frames(offered.encode(), source="10.9.0.2", destination=place.address, sport=67,
                                     source_mac=place.client_mac, destination_mac=place.mac))
    scene.delivered(offered)
