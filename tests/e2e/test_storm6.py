"""What test_storm.py shows of DHCPv4, of DHCPv6: bursts are accounted for, a quiet segment does not wait for a loud one,
REQUESTs go before SOLICITs, and messages that leave and come together are as they were alone.
"""

import pytest

from message6 import RELAY_FORWARD, REPLY, REQUEST, VENDOR, answer, reply_to, request
from network6 import CLIENT_LINK_LOCAL
from packet6 import udp_frames
from wait import wait_until
from wire6 import arrived6

_FIRST_XID = 0x700000
_QUIETLY = ("--log-level", "info")


def frames(segment, count, first=_FIRST_XID, **fields):
    """Messages of one client that differ in their xids."""
    for number in range(first, first + count):
        made = request(mac=segment.client_mac, xid=number, **fields)
        yield from udp_frames(made.encode(), source=CLIENT_LINK_LOCAL, source_mac=segment.client_mac)


def xids(wire):
    """Of all that came there from the relay, in order."""
    return [frame.message6.xid for frame in wire.all(arrived6(RELAY_FORWARD))]


def test_what_a_burst_is_too_large_for_is_counted(scene6):
    """While the relay stands still: then its socket is full."""
    relay = scene6.relay6(*_QUIETLY, servers=["2001:db8:9::2"])
    made = list(frames(scene6.topology.segment(1), 1000))
    with relay.held_up():
        for _ in range(30):
            scene6.clients[1].send(made)
    relay.expect_log(r" dropped interface=\(unattributed\) count=\d+ reason=lost_in_kernel ")

    def counted():
        of_d1 = relay.counters("d1", "ipv6")
        lost = relay.counters(r"\(unattributed\)", "ipv6")["lost_in_kernel"]
        return of_d1["requests_relayed"], of_d1["requests_relayed"] + of_d1["queue_full"] + lost
    wait_until(lambda: counted()[1] >= 30_000, lambda: f"30,000 requests; {counted()[1]} are accounted for", pause=0.2)
    scene6.settle6()
    settling = 2
    relayed, accounted_for = counted()
    assert accounted_for == 30_000 + settling
    assert 1000 < relayed < 30_000
    assert sum(xid >= _FIRST_XID for xid in xids(scene6.servers[1])) == relayed - settling


def test_a_quiet_segment_does_not_wait_for_a_loud_one(scene6):
    """Its requests come last and pass the others in their queue."""
    relay = scene6.relay6(*_QUIETLY, servers=["2001:db8:9::2"])
    loud, quiet, first_quiet = 4_000, 20, 0x710000
    many, few = (list(frames(scene6.topology.segment(1), loud)),
                 list(frames(scene6.topology.segment(2), quiet, first_quiet)))
    with relay.held_up():
        scene6.clients[1].send(many)
        scene6.clients[2].send(few)
    scene6.settle6()
    came = xids(scene6.servers[1])
    assert relay.counters("d1", "ipv6")["requests_relayed"] >= loud
    places = [place for place, xid in enumerate(came) if first_quiet <= xid < first_quiet + quiet]
    assert len(places) == quiet
    assert max(places) < loud / 2


def test_a_request_overtakes_solicits(scene6):
    """Of one segment: it ends a handshake, they begin one."""
    relay = scene6.relay6(*_QUIETLY, servers=["2001:db8:9::2"])
    segment, count, last = scene6.topology.segment(1), 3_000, 0x720000
    made = [*frames(segment, count), *frames(segment, 1, last, kind=REQUEST)]
    with relay.held_up():
        scene6.clients[1].send(made)
    scene6.settle6()
    came = xids(scene6.servers[1])
    assert len([xid for xid in came if xid >= _FIRST_XID]) == count + 1
    assert came.index(last) < count / 2


@pytest.mark.parametrize("offload", [False, True], ids=["cut", "whole"])
def test_messages_that_leave_together_arrive_alone(make_scene6, offload):
    """1,000 requests of two sizes for two servers, and their answers, are all as one by one; also where the link would
    hand them on uncut, as the wire, like a server with packet sockets, would see."""
    scene = make_scene6(segments=1, servers=2, offload=offload)
    relay = scene.relay6(*_QUIETLY)
    place, count = scene.topology.segment(1), 1000
    asked = [request(REQUEST, mac=place.client_mac, xid=_FIRST_XID + number,
                     more=[(VENDOR, b"\0\0\0\1" + b"x" * 40)] if number % 2 else []) for number in range(count)]
    with relay.held_up():
        for each in asked:
            scene.send_request6(each)
    for server in (1, 2):
        wait_until(lambda wire=scene.servers[server]: len(wire.all(arrived6(RELAY_FORWARD))) >= count,
                   f"{count} requests")
        came = {frame.message6.xid: frame for frame in scene.servers[server].all(arrived6(RELAY_FORWARD))}
        assert len(came) == count
        for each in asked:
            frame = came[each.xid]
            assert offload or frame.checksums_valid
            assert (frame.message6.peer_address, frame.message6.link_address) == (CLIENT_LINK_LOCAL, place.address6)
            assert frame.message6.inner.encode() == each.encode()
    with relay.held_up():
        for each in asked:
            scene.send_reply6(reply_to(came[each.xid].message6, answer(each)))
    wait_until(lambda: len(scene.clients[1].all(arrived6(REPLY))) >= count, f"{count} answers")
    got = {frame.message6.xid: frame for frame in scene.clients[1].all(arrived6(REPLY))}
    for each in asked:
        assert offload or got[each.xid].checksums_valid
        assert got[each.xid].payload == answer(each).encode()
