"""What becomes of DHCPv6 messages on their way from the servers: to whom, and which of them."""

import struct

import pytest

from message6 import (ADVERTISE, ANY, CLIENT_ID, CLIENT_LINK_LAYER, INTERFACE_ID, RECONFIGURE, RELAY_FORWARD, RELAY_ID,
                      RELAY_MESSAGE, RELAY_PORT, RELAY_REPLY, REMOTE_ID, REPLY, SUBSCRIBER_ID, VIRTUAL_SUBNET, Message,
                      RelayMessage, answer, encode_options, next_xid, reply_to, request, wrapped)
from network6 import CLIENT_LINK_LOCAL, ROUTER_LINK_LOCAL
from wire6 import arrived6

STRANGER = "2001:db8:9::77"


def dropped(scene, relay, made, reason, xid, **frame):
    """This Relay-reply goes nowhere, with this reason, and the next good one arrives."""
    scene.send_reply6(made, **frame)
    scene.nothing6(arrived6(xid=xid), wires=scene.clients.values())
    relay.expect_drop(reason)


# --- the message ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", [ADVERTISE, REPLY, RECONFIGURE, 0, 14, 20, 37, 200, 255])
def test_6d01_6d02_6d06_d4_whatever_is_in_it_is_delivered(scene6, kind):
    """RFC 8415 section 19.2: unsolicited ones and unknown types too, to the octet, to port 546."""
    scene6.relay6()
    said = Message(kind, next_xid(), [(CLIENT_ID, b"\0\1whoever"), (65000, b"new"), (RELAY_MESSAGE, b"odd"), (4, b"")])
    said, made = scene6.reply_for(1, said)
    scene6.send_reply6(made)
    came = scene6.delivered6(said)
    assert (came.payload, came.ports) == (said.encode(), (547, 546))


@pytest.mark.parametrize("octets", [b"\x07", b"\x07\x01\x02", b"\x02\x01\x02\x03\x00\x01\xff\xff"],
                         ids=["one octet", "three octets", "option that lies"])
def test_6d01_what_is_in_it_need_not_be_whole(scene6, octets):
    """A message too short to have a number of its own is known by its octets."""
    scene6.relay6()
    scene6.send_reply6(wrapped(octets, "2001:db8:101::1", CLIENT_LINK_LOCAL, kind=RELAY_REPLY))
    came = scene6.clients[1].expect(lambda frame: not frame.outgoing and frame.ports == (547, 546)
                                    and frame.payload == octets)
    assert came.destination == CLIENT_LINK_LOCAL


def test_6d02_6d01_d4_to_the_next_relay_agent(scene6):
    """What carries a Relay-reply goes to port 547 and arrives to the octet, all its levels with it."""
    scene6.relay6()
    said = answer(request())
    inner = wrapped(wrapped(said, "2001:db8:78::1", CLIENT_LINK_LOCAL, kind=RELAY_REPLY), "2001:db8:77::1", "fe80::78",
                    2, RELAY_REPLY, more=[(INTERFACE_ID, b"of the next one")])
    scene6.send_reply6(scene6.reply_for(1, inner, hop_count=1)[1])
    came = scene6.clients[1].expect(arrived6(RELAY_REPLY, xid=said.xid))
    assert (came.ports, came.payload, came.destination) == ((547, 547), inner.encode(), CLIENT_LINK_LOCAL)


@pytest.mark.parametrize("told, port", [(2000, 2000), (0, 547)])
def test_6d03_the_port_that_the_next_relay_agent_told(scene6, told, port):
    """RFC 8357 section 5.2; of a client's message it means nothing."""
    scene6.relay6()
    option = (RELAY_PORT, struct.pack("!H", told))
    said = answer(request())
    inner = wrapped(said, "2001:db8:77::1", CLIENT_LINK_LOCAL, kind=RELAY_REPLY)
    scene6.send_reply6(scene6.reply_for(1, inner, more=[option])[1])

    def is_it(frame):
        return not frame.outgoing and frame.ports == (547, port) and frame.payload == inner.encode()
    scene6.clients[1].expect(is_it)
    said, made = scene6.reply_for(1, more=[option])
    scene6.send_reply6(made)
    assert scene6.delivered6(said).ports == (547, 546)


def test_6d08_d6_options_of_the_relay_reply_stay_here(scene6):
    """In any order, before and behind the message; the client sees its message alone."""
    scene6.relay6()
    others = [(CLIENT_LINK_LAYER, b"\0\1\2\0\0\0\0\1"), (REMOTE_ID, b"\0\0\0\1x"), (SUBSCRIBER_ID, b"s"), (65001, b""),
              (RELAY_ID, b"\0\3\0\1abcdef"), (INTERFACE_ID, b"d1"), (65002, bytes(300))]
    for place in range(len(others) + 1):
        said, made = scene6.reply_for(1, first=others[:place], more=others[place:])
        scene6.send_reply6(made)
        assert scene6.delivered6(said).payload == said.encode()


# --- the link ---------------------------------------------------------------------------------------------------------

def test_6d04_interface_id_wins(scene6):
    """Interface-Id of d2 with the link-address of d1: to d2 alone."""
    scene6.relay6("-I")
    said, made = scene6.reply_for(1, first=[(INTERFACE_ID, b"d2")])
    scene6.send_reply6(made)
    scene6.delivered6(said, 2)
    scene6.nothing6(arrived6(xid=said.xid), wires=[scene6.clients[1]])


@pytest.mark.parametrize("link_address, segment", [("2001:db8:102::1", 2), ("2001:db8:102::", 2),
                                                   ("fd00:db8:101::1", 1), ("2001:db8:101::abcd", 1)])
def test_6d04_link_address_tells_the_link(scene6, link_address, segment):
    """Any address of the link's prefixes; ours are among them."""
    scene6.relay6()
    said, made = scene6.reply_for(1, link_address=link_address)
    scene6.send_reply6(made)
    scene6.delivered6(said, segment)
    scene6.nothing6(arrived6(xid=said.xid), wires=[scene6.clients[3 - segment]], segment=3 - segment)


@pytest.mark.parametrize("value", [b"d9", b"", b"d1\0", b"D1", bytes(1000)],
                         ids=["unknown", "empty", "longer", "another case", "long"])
def test_6d04_d9_interface_id_of_nobody(scene6, value):
    """Forged or of another relay agent: never a guess, whatever link-address says."""
    relay = scene6.relay6()
    said, made = scene6.reply_for(1, first=[(INTERFACE_ID, value)])
    dropped(scene6, relay, made, "interface_id_unknown", said.xid)


def test_6d04_link_address_of_nobody(scene6):
    relay = scene6.relay6()
    said, made = scene6.reply_for(1, link_address="2001:db8:66::1")
    dropped(scene6, relay, made, "link_address_unknown", said.xid)


def test_6d04_d14_interface_id_of_two_segments(scene6):
    """A misconfiguration: link-address decides, and where it does not, nobody is guessed."""
    relay = scene6.relay6("-I", "--circuit-id", "same")
    said, made = scene6.reply_for(2, first=[(INTERFACE_ID, b"same")])
    scene6.send_reply6(made)
    scene6.delivered6(said, 2)
    said, made = scene6.reply_for(1, first=[(INTERFACE_ID, b"same")], link_address=ANY)
    dropped(scene6, relay, made, "interface_id_ambiguous", said.xid)


def test_6d04_link_address_of_two_segments(scene6):
    """A misconfiguration: Interface-Id decides, and where there is none, nobody is guessed."""
    relay = scene6.relay6("--link-address", "2001:db8:77::1")
    said, made = scene6.reply_for(2, link_address="2001:db8:77::1", first=[(INTERFACE_ID, b"d2")])
    scene6.send_reply6(made)
    scene6.delivered6(said, 2)
    said, made = scene6.reply_for(1, link_address="2001:db8:77::1")
    dropped(scene6, relay, made, "link_address_ambiguous", said.xid)


def test_6d05_link_local_peers_need_a_link(scene6):
    relay = scene6.relay6()
    said, made = scene6.reply_for(1, link_address=ANY)
    dropped(scene6, relay, made, "link_unnamed", said.xid)


def test_6d05_where_anyone_may_answer_only_relay_agents_are_routed_to(make_scene6):
    """With a multicast SERVER nobody knows who answers: without relay agents below no answer goes where routes lead, so
    that nobody can have this host send anything to anybody."""
    scene = make_scene6()
    peer = "2001:db8:77::99"
    scene.topology.segment(2).client.ip(f"addr add {peer}/128 dev eth0 nodad")
    scene.topology.router.ip(f"route add {peer}/128 via {CLIENT_LINK_LOCAL} dev d2")
    relay = scene.relay6(servers=["ff05::1:3%u0"])
    said, made = scene.reply_for(1, link_address=ANY, peer_address=peer)
    dropped(scene, relay, made, "link_unnamed", said.xid, source=STRANGER)


# --- from whom, and to whom -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("count, carried", [(0, None), (1, b""), (2, b"\x07\1\2\3")], ids=["none", "empty", "two"])
def test_6d07_d5_without_a_message(scene6, count, carried):
    """RFC 8415 section 9.2: one, and something in it."""
    relay = scene6.relay6()
    scene6.send_reply6(RelayMessage(RELAY_REPLY, 0, "2001:db8:101::1", CLIENT_LINK_LOCAL,
                                    [(RELAY_MESSAGE, carried)] * count))
    relay.expect_drop("relay_message_doubled" if count == 2 else "relay_message_missing")
    scene6.settle6()
    assert len(scene6.clients[1].all(lambda frame: not frame.outgoing and frame.ports == (547, 546))) == 2


@pytest.mark.parametrize("tail", [b"\0", b"\0\x12\0", struct.pack("!HH", INTERFACE_ID, 10) + b"d1",
                                  struct.pack("!HH", RELAY_MESSAGE, 0xffff)],
                         ids=["one octet", "three octets", "beyond the end", "65535"])
@pytest.mark.parametrize("first", [False, True], ids=["behind", "in front"])
def test_6d07_d5_d11_options_cut_off(scene6, tail, first):
    """Behind the message, and in front of it where nothing of it can be read."""
    relay = scene6.relay6()
    said = answer(request())
    head = RelayMessage(RELAY_REPLY, 0, "2001:db8:101::1", CLIENT_LINK_LOCAL).encode()
    option = encode_options([(RELAY_MESSAGE, said.encode())])
    octets = head + (tail if first else option + tail)
    dropped(scene6, relay, octets, "relay_options_malformed", said.xid)


@pytest.mark.parametrize("size", [1, 2, 23, 33])
def test_6d07_d11_headers_cut_off(scene6, size):
    relay = scene6.relay6()
    scene6.send_reply6(scene6.reply_for(1)[1].encode()[:size])
    relay.expect_drop("header_too_short")
    scene6.exchange6()


def test_6d10_d9_unknown_server(scene6):
    """Its Relay-reply is dropped unless --reply-from any."""
    relay = scene6.relay6()
    said, made = scene6.reply_for(1)
    dropped(scene6, relay, made, "server_unknown", said.xid, source=STRANGER)
    relay.stop()
    scene6.relay6("--reply-from", "any", sinks=False)
    scene6.send_reply6(made, source=STRANGER)
    scene6.delivered6(said)


def test_6d10_servers_of_another_interface(scene6):
    """Server 2 is the server of d2 alone."""
    relay = scene6.relay6("--server", "d2=2001:db8:9::3", servers=["2001:db8:9::2"])
    said, made = scene6.reply_for(1)
    scene6.send_reply6(made, server=2)
    relay.expect_drop("server_unknown")
    assert not scene6.copies6(said.xid, scene6.clients[1])
    said, made = scene6.reply_for(2)
    scene6.send_reply6(made, server=2)
    scene6.delivered6(said, 2)


def test_6d11_reconfigure_reply_for_a_relay_agent_that_asked_nothing(scene6):
    """RFC 6977 section 6.2.2: type 19, to our address and from the clients' side, goes nowhere."""
    relay = scene6.relay6()
    said = Message(19, next_xid(), [])
    scene6.send_reply6(said)
    scene6.nothing6(arrived6(xid=said.xid))
    relay.expect_log(r" dropped .*reason=(not_downstream|server_message|not_relay_reply)\b")


@pytest.mark.parametrize("hop_count", [0, 1, 8, 32, 200, 255])
def test_6d13_hop_count_does_not_matter(scene6, hop_count):
    """RFC 8415 section 19.3: a copy of what was asked with."""
    scene6.relay6()
    said, made = scene6.reply_for(1, hop_count=hop_count)
    scene6.send_reply6(made)
    assert scene6.delivered6(said).payload == said.encode()


@pytest.mark.parametrize("peer", [ANY, "::1", "ff02::1", "ff02::1:2", "ff05::1:3", "ff0e::1", "2001:db8:101::1",
                                  "2001:db8:9::1", ROUTER_LINK_LOCAL, "::ffff:10.101.0.50"])
def test_6d01_peers_that_are_nobody_many_or_we_ourselves(scene6, peer):
    """One Relay-reply must not become a message for all, nor a loop."""
    relay = scene6.relay6()
    for interface_id in ([], [(INTERFACE_ID, b"d1")]):
        said, made = scene6.reply_for(1, peer_address=peer, first=interface_id)
        dropped(scene6, relay, made, "peer_address_invalid", said.xid)
    assert not scene6.servers[1].all(arrived6(RELAY_FORWARD, xid=said.xid))


def test_6d09_nobody_answers_for_the_peer(scene6):
    """A client that is gone: no neighbour, so nothing is sent; the next ones are served meanwhile."""
    scene6.relay6()
    for number in range(100):
        scene6.send_reply6(scene6.reply_for(1, peer_address=f"fe80::dead:{number:x}")[1])
    scene6.exchange6(1)
    scene6.exchange6(2)


def test_6d04_an_interface_that_is_down(scene6):
    """Its clients' answers are dropped with the reason; when it is up again they arrive."""
    relay = scene6.relay6("-I", "--link-address", "d1=2001:db8:101::1")
    asked = scene6.solicit()
    came = scene6.relayed6(asked)
    router = scene6.topology.router
    router.ip("link set d1 down")
    relay.expect_log(r"interface=d1 change=went_down")
    said = answer(asked)
    scene6.send_reply6(reply_to(came.message6, said), destination="2001:db8:9::1")
    relay.expect_drop("interface_down")
    router.ip("link set d1 up", f"addr replace {ROUTER_LINK_LOCAL}/64 dev d1 nodad",
              "addr replace 2001:db8:101::1/64 dev d1 nodad")

    def relayed_again():
        again = scene6.solicit()
        scene6.settle6(2)
        return scene6.copies6(again.xid, scene6.servers[1])
    assert any(relayed_again() for _ in range(200))
    scene6.exchange6()


def test_virtual_subnet_that_was_not_asked_for(scene6):
    """RFC 6607 section 5.1: the server put the client elsewhere."""
    relay = scene6.relay6()
    said, made = scene6.reply_for(1, more=[(VIRTUAL_SUBNET, b"\0blue")])
    dropped(scene6, relay, made, "vss_unknown", said.xid)
