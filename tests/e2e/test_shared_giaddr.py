"""One giaddr for two segments, and servers that do not echo option 82: the transaction tells the segment."""

import itertools

import pytest

from message import AGENT, mac_octets, reply, request
from wire import arrived

_SHARED = "203.0.113.1"
_xids = itertools.count(0x5a000001)


@pytest.fixture(params=[("-U", "lo"), ("--giaddr", _SHARED)], ids=["option82_not_echoed", "no_option82"])
def shared(scene, request):
    """Both segments behind a loopback address, with option 82 and without."""
    scene.topology.router.ip(f"addr add {_SHARED}/32 dev lo")
    scene.relay(*request.param)
    return scene


def ask(scene, segment, **fields):
    """A request on a segment, as it arrives at the server."""
    made = request(**{"xid": next(_xids), **fields})
    scene.send_request(made, segment)
    came = scene.servers[1].expect(arrived(op=1, xid=made.xid, mac=made.mac), what="the relayed request").message
    assert came.giaddr == _SHARED
    return came


def answer(scene, came, **fields):
    """The reply of a server that does not echo option 82."""
    bare = reply(came.but(options=[]), **{"yiaddr": "10.101.0.50", **fields})
    assert bare.option(AGENT) is None
    scene.send_reply(bare)
    return bare


def reaches(scene, sent, segment):
    """The reply is on this segment, once, and on no other."""
    wanted = {"op": 2, "xid": sent.xid, "mac": sent.mac}
    scene.clients[segment].expect(arrived(**wanted), what=f"the reply on segment {segment}")
    known_good(scene)
    assert [len(scene.clients[number].all(arrived(**wanted))) for number in (segment, 3 - segment)] == [1, 0]


def known_good(scene):
    """A transaction of its own on each segment, to the end: what was sent before it has passed."""
    for segment in (1, 2):
        sent = answer(scene, ask(scene, segment, chaddr=mac_octets("02:00:00:00:00:ee")))
        scene.clients[segment].expect(arrived(op=2, xid=sent.xid))


def is_ambiguous(scene, sent, drops=1):
    """The reply is dropped, and nobody sees it."""
    scene.running.expect_log(r" dropped .*reason=reply_ambiguous\b", drops)
    known_good(scene)
    assert not [frame for wire in scene.clients.values() for frame in wire.all(arrived(op=2, xid=sent.xid))]


@pytest.mark.parametrize("segment", [1, 2])
def test_4d02_the_transaction_tells_the_segment(shared, segment):
    """By xid and chaddr, for every reply to it: two servers' OFFERs, and the ACK of another exchange."""
    came = ask(shared, segment)
    reaches(shared, answer(shared, came), segment)
    again = ask(shared, segment, xid=came.xid, secs=4)
    second = reply(again.but(options=[]), server="10.9.0.3", yiaddr="10.101.0.51")
    shared.clients[segment].forget()
    shared.send_reply(second, 2)
    reaches(shared, second, segment)


def test_4d02_interleaved_transactions(shared):
    """Forty clients on two segments, answered in another order: each on its own."""
    asked = [(1 + number % 2, ask(shared, 1 + number % 2, chaddr=mac_octets(f"02:00:00:00:01:{number:02x}")))
             for number in range(40)]
    sent = [(segment, answer(shared, came)) for segment, came in reversed(asked)]
    for segment, each in sent:
        shared.clients[segment].expect(arrived(op=2, xid=each.xid))
    for segment, each in sent:
        assert not shared.copies(each.xid, shared.clients[3 - segment])


@pytest.mark.parametrize("fields", [{"xid": 0x5affffff}, {"chaddr": mac_octets("02:00:00:00:00:ff")}, {"hlen": 5}],
                         ids=["xid", "chaddr", "hlen"])
def test_4d02_unknown_transaction(shared, fields):
    """Another xid, another chaddr, or less of it, than that of any request."""
    is_ambiguous(shared, answer(shared, ask(shared, 1).but(**fields)))


def test_4d02_the_same_transaction_on_both_segments(shared):
    """One of the two is somebody else's: neither gets an answer. Another xid, and all is well."""
    first = ask(shared, 1)
    second = request(xid=first.xid, secs=1)
    shared.send_request(second, 2)
    shared.servers[1].expect(arrived(op=1, xid=first.xid, secs=1), what="the second request")
    is_ambiguous(shared, answer(shared, first))
    is_ambiguous(shared, answer(shared, first, yiaddr="10.102.0.50"), drops=2)
    reaches(shared, answer(shared, ask(shared, 2)), 2)


@pytest.mark.parametrize("fields", [{"xid": 0x5afffffe}, {"chaddr": mac_octets("02:00:00:00:00:fe")}],
                         ids=["xid", "chaddr"])
def test_4d02_half_a_transaction_in_common(shared, fields):
    """The same xid from two clients, or the same client with two, is told apart."""
    one = {"xid": 0x5afffffd, "chaddr": mac_octets("02:00:00:00:00:fd")}
    first, second = ask(shared, 1, **one), ask(shared, 2, **{**one, **fields})
    reaches(shared, answer(shared, second), 2)
    reaches(shared, answer(shared, first), 1)


def test_4d02_the_echo_goes_before_the_transaction(scene):
    """Where option 82 comes back it is believed, also where the transaction was seen on both segments."""
    scene.topology.router.ip(f"addr add {_SHARED}/32 dev lo")
    scene.relay("-U", "lo")
    first = ask(scene, 1)
    scene.send_request(request(xid=first.xid, secs=1), 2)
    second = scene.servers[1].expect(arrived(op=1, xid=first.xid, secs=1)).message
    for segment, came in ((2, second), (1, first)):
        echoed = reply(came, yiaddr=scene.topology.segment(segment).host(50))
        scene.send_reply(echoed)
        scene.clients[segment].expect(arrived(op=2, xid=echoed.xid, yiaddr=echoed.yiaddr))
        assert not scene.clients[3 - segment].all(arrived(op=2, xid=echoed.xid, yiaddr=echoed.yiaddr))
