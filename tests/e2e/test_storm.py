"""More than fits: what is neither relayed nor delivered is counted, a quiet segment does not wait for a loud one, and
messages that leave and come together are as they were alone.

`--log-level info`: where each message is logged or captured, each leaves and comes by itself.
"""

import struct

import pytest

from message import ACK, DISCOVER, REQUEST, mac_octets, reply, request, udp_frames
from wait import wait_until
from wire import arrived

_FIRST_XID = 0x70000000
_QUIETLY = ("--log-level", "info", "-a")
_XID, _CHADDR = 42 + 4, 42 + 28


def frames(segment, count, first=_FIRST_XID, **fields):
    """Requests that differ in xid and, by as much, in chaddr: one checksum is right for all."""
    made, = udp_frames(request(xid=0, chaddr=mac_octets("02:00:ff:ff:ff:ff"), **fields).encode(),
                       source_mac=segment.client_mac)
    for number in range(first, first + count):
        frame = bytearray(made)
        struct.pack_into("!I", frame, _XID, number)
        struct.pack_into("!I", frame, _CHADDR + 2, number ^ 0xffffffff)
        yield bytes(frame)


def xids(wire):
    """Of all that came there from the relay, in order."""
    return [frame.message.xid for frame in wire.read() if frame.ports == (67, 67) and not frame.outgoing]


def test_what_a_burst_is_too_large_for_is_counted(scene):
    """While the relay stands still: then its socket is full."""
    relay = scene.relay(*_QUIETLY, servers=["10.9.0.2"])
    with relay.held_up():
        scene.clients[1].send(frames(scene.topology.segment(1), 30_000))
    relay.expect_log(r" dropped interface=\(unattributed\) count=\d+ reason=lost_in_kernel ")

    def counted():
        of_d1 = relay.counters("d1")
        lost = relay.counters(r"\(unattributed\)")["lost_in_kernel"]
        return of_d1["requests_relayed"], of_d1["requests_relayed"] + of_d1["queue_full"] + lost
    wait_until(lambda: counted()[1] >= 30_000, lambda: f"30,000 requests; {counted()[1]} are accounted for", pause=0.2)
    scene.settle()
    settling = 2
    relayed, accounted_for = counted()
    assert accounted_for == 30_000 + settling
    assert 1000 < relayed < 30_000
    assert sum(xid >= _FIRST_XID for xid in xids(scene.servers[1])) == relayed - settling


def test_a_quiet_segment_does_not_wait_for_a_loud_one(scene):
    """Its requests come last and pass the others in their queue."""
    relay = scene.relay(*_QUIETLY, servers=["10.9.0.2"])
    loud, quiet, first_quiet = 6_000, 20, 0x71000000
    with relay.held_up():
        scene.clients[1].send(frames(scene.topology.segment(1), loud))
        scene.clients[2].send(frames(scene.topology.segment(2), quiet, first_quiet))
    scene.settle()
    came = xids(scene.servers[1])
    assert relay.counters("d1")["requests_relayed"] >= loud
    places = [place for place, xid in enumerate(came) if first_quiet <= xid < first_quiet + quiet]
    assert len(places) == quiet
    assert max(places) < loud / 2


def test_a_request_overtakes_discovers(scene):
    """Of one segment: it ends a handshake, they begin one."""
    scene.relay(*_QUIETLY, servers=["10.9.0.2"])
    segment, count, last = scene.topology.segment(1), 3_000, 0x72000000
    with scene.running.held_up():
        scene.clients[1].send(frames(segment, count, kind=DISCOVER))
        scene.clients[1].send(frames(segment, 1, last, kind=REQUEST))
    scene.settle()
    came = xids(scene.servers[1])
    assert len([xid for xid in came if xid >= _FIRST_XID]) == count + 1
    assert came.index(last) < count / 2


@pytest.mark.parametrize("offload", [False, True], ids=["cut", "whole"])
def test_messages_that_leave_together_arrive_alone(make_scene, offload):
    """1,000 requests of two sizes for two servers, and their answers, are all as one by one; also where the link would
    hand them on uncut, as the wire, like a server with packet sockets, would see."""
    scene = make_scene(segments=1, servers=2, offload=offload)
    relay = scene.relay(*_QUIETLY)
    place, count = scene.topology.segment(1), 1000
    asked = [request(xid=_FIRST_XID + number, chaddr=mac_octets(f"02:bb:00:00:{number >> 8:02x}:{number & 255:02x}"),
                     options=[(12, b"x" * (number % 2 * 40))] if number % 2 else [])
             for number in range(count)]
    with relay.held_up():
        for each in asked:
            scene.send_request(each)
    for server in (1, 2):
        wait_until(lambda wire=scene.servers[server]: len(wire.all(arrived(op=1))) >= count, f"{count} requests")
        came = {frame.message.xid: frame for frame in scene.servers[server].all(arrived(op=1))}
        assert len(came) == count
        for each in asked:
            frame = came[each.xid]
            assert offload or frame.checksums_valid
            assert (frame.message.mac, frame.message.giaddr, frame.message.hops) == (each.mac, place.address, 1)
            assert frame.message.options[:-1] == [*each.options]
            assert frame.message.options[-1] == (82, b"\1\2d1")
    answers = [reply(came[each.xid].message, ACK, yiaddr=place.host(2 + number % 200))
               for number, each in enumerate(asked)]
    with relay.held_up():
        for each in answers:
            scene.send_reply(each)
    wait_until(lambda: len(scene.clients[1].all(arrived(op=2))) >= count, f"{count} answers")
    got = {frame.message.xid: frame for frame in scene.clients[1].all(arrived(op=2))}
    for each in answers:
        assert offload or got[each.xid].checksums_valid
        assert got[each.xid].message.yiaddr == each.yiaddr
        assert 82 not in [code for code, _ in got[each.xid].message.options]
