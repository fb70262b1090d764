"""More than fits: what is neither relayed nor delivered is counted, a quiet segment does not wait for a loud one, and
messages that leave and come together are as they were alone.

`--log-level info`: where each message is logged or captured, each leaves and comes by itself.
"""

import multiprocessing
import socket
import struct

import pytest

from clients import Crowd
from message import ACK, DISCOVER, REQUEST, mac_octets, reply, request, udp_frames
from peers import ScriptedServer
from wait import wait_until
from wire import arrived

_FIRST_XID = 0x70000000
_QUIETLY = ("--log-level", "info", "-a")
_XID, _CHADDR = 42 + 4, 42 + 28
_fork = multiprocessing.get_context("fork")


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


class Flood:
    """DISCOVERs of one segment as fast as a process can send them, until it is stopped or has sent very many."""

    def __init__(self, segment):
        self.sent = _fork.Value("q", 0)
        self._over = _fork.Event()
        self._socket = segment.client.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        with segment.client.inside():
            self._socket.bind(("eth0", 0))
        self._frames = list(frames(segment, 1000, kind=DISCOVER))
        self._process = _fork.Process(target=self._run, daemon=True)

    def _run(self):
        for _ in range(3000):
            if self._over.is_set():
                return
            for frame in self._frames:
                self._socket.send(frame)
            self.sent.value += len(self._frames)

    def start(self):
        self._process.start()
        return self

    def stop(self):
        self._over.set()
        self._process.join()
        self._socket.close()


def turned_away(relay):
    """How many requests the kernel has kept from the relay at its word. Of its two sockets the one for replies counts
    each broadcast request as a drop, so that the other one's count is the smaller one."""
    with open(f"/proc/{relay.pid}/net/udp", encoding="ascii") as file:
        drops = [int(line.split()[-1]) for line in file if line.split()[1].endswith(":0043")]
    return min(drops) - relay.counters(r"\(unattributed\)")["lost_in_kernel"]


def test_a_flood_that_goes_on(make_scene):
    """For many servers, so that it is more than can be relayed. While it goes on the kernel turns much of it away, and
    clients of the quiet segment get their leases, of whom nothing is given up. When it is over, clients of its own
    segment get theirs."""
    scene = make_scene(segments=2, servers=2)
    many = [f"10.9.0.{number}" for number in range(3, 11)]
    others = scene.topology.server(2).namespace
    others.ip(*[f"addr add {address}/24 dev eth0" for address in many[1:]])
    deaf = others.socket(socket.AF_INET, socket.SOCK_DGRAM)
    deaf.bind(("", 67))
    relay = scene.relay(*_QUIETLY, "--server", f"d1={','.join(many)}", "--server", "d2=10.9.0.2", servers=[],
                        sinks=False)
    loud, quiet = scene.topology.segments
    scene.clients[1].close()  # they would keep all of the flood
    scene.servers[2].close()
    scene.keep(ScriptedServer(scene.topology.server(1)))
    crowd = scene.keep(Crowd(quiet.client, pace=0.02, second=1 / 8))
    crowd.await_leases(10)
    flood = Flood(loud)
    with relay.held_up():
        scene.keep(flood)
        wait_until(lambda: flood.sent.value >= 30_000, "a flood that no buffer holds", timeout=60)
    wait_until(lambda: "lost_in_kernel" in relay.log, "a report of what a buffer did not hold")
    before = relay.counters("d1")["queue_full"]
    crowd.await_leases(100)
    wait_until(lambda: turned_away(relay) > 1000, "requests that the kernel turns away", pause=0.1)
    flood.stop()
    crowd.finish()

    def accounted_for():
        of_both = [relay.counters(interface) for interface in ("d1", "d2")]
        return (sum(each["requests_relayed"] + each["dropped"] for each in of_both)
                + relay.counters(r"\(unattributed\)")["lost_in_kernel"])
    sent = flood.sent.value + crowd.said
    wait_until(lambda: accounted_for() >= sent, lambda: f"{sent} requests: {accounted_for()}", timeout=60, pause=0.2)
    deaf.close()
    scene.keep(ScriptedServer(scene.topology.server(2)))
    its_own = scene.keep(Crowd(loud.client, pace=0.02, second=1 / 8))
    its_own.await_leases(20)
    its_own.finish()
    assert accounted_for() == sent + its_own.said
    of_loud, of_quiet = relay.counters("d1"), relay.counters("d2")
    print(f"{flood.sent.value} of the flood, {of_loud['requests_relayed']} relayed, {of_loud['queue_full']} given up, "
          f"{turned_away(relay)} of these by the kernel; beside it {crowd}; after it {its_own}")
    assert of_loud["queue_full"] > before
    assert of_quiet["dropped"] == 0
