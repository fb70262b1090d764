"""More than fits: what is neither relayed nor delivered is counted, a quiet segment does not wait for a loud one, and
messages that leave and come together are as they were alone.
"""

import multiprocessing
import socket

import pytest

from clients import Crowd
from message import DISCOVER
from peers import ScriptedServer
from storm import QUIETLY, Storm, Storm6, frames
from wait import wait_until

_fork = multiprocessing.get_context("fork")


@pytest.fixture(params=[Storm, Storm6], ids=["ipv4", "ipv6"])
def make_storm(request):
    """Makes the scene of a storm, of any shape: `make_storm(segments=1)`."""
    make_scene = request.getfixturevalue(request.param.maker)
    return lambda **shape: request.param(make_scene(**shape))


@pytest.fixture
def storm(make_storm):
    """Two segments, and the relay for one server."""
    made = make_storm()
    made.start()
    return made


def test_what_a_burst_is_too_large_for_is_counted(storm):
    """While the relay stands still: then its socket is full."""
    many = storm.many(30_000)
    with storm.relay.held_up():
        storm.scene.clients[1].send(many)
    storm.relay.expect_log(r" dropped interface=\(unattributed\) count=\d+ reason=lost_in_kernel ")

    def counted():
        of_d1 = storm.counters("d1")
        lost = storm.counters(r"\(unattributed\)")["lost_in_kernel"]
        return of_d1["requests_relayed"], of_d1["requests_relayed"] + of_d1["queue_full"] + lost
    wait_until(lambda: counted()[1] >= 30_000, lambda: f"30,000 requests; {counted()[1]} are accounted for", pause=0.2)
    storm.settle()
    settling = 2
    relayed, accounted_for = counted()
    assert accounted_for == 30_000 + settling
    assert 1000 < relayed < 30_000
    assert sum(xid >= storm.first_xid for xid in storm.xids()) == relayed - settling


def test_a_quiet_segment_does_not_wait_for_a_loud_one(storm):
    """Its requests come last and pass the others in their queue."""
    loud, quiet, first_quiet = 4_000, 20, storm.first_xid + 0x10000
    many, few = storm.frames(loud), storm.frames(quiet, segment=2, first=first_quiet)
    with storm.relay.held_up():
        storm.scene.clients[1].send(many)
        storm.scene.clients[2].send(few)
    storm.settle()
    assert storm.counters("d1")["requests_relayed"] >= loud
    places = [place for place, xid in enumerate(storm.xids()) if first_quiet <= xid < first_quiet + quiet]
    assert len(places) == quiet
    assert max(places) < loud / 2


def test_a_request_overtakes_what_begins_a_handshake(storm):
    """Of one segment: it ends one, DISCOVERs and SOLICITs begin one."""
    count, last = 3_000, storm.first_xid + 0x20000
    made = [*storm.frames(count, kind=storm.beginning), *storm.frames(1, first=last, kind=storm.ending)]
    with storm.relay.held_up():
        storm.scene.clients[1].send(made)
    storm.settle()
    came = storm.xids()
    assert len([xid for xid in came if xid >= storm.first_xid]) == count + 1
    assert came.index(last) < count / 2


@pytest.mark.parametrize("offload", [False, True], ids=["cut", "whole"])
def test_messages_that_leave_together_arrive_alone(make_storm, offload):
    """1,000 requests of two sizes for two servers, and their answers, are all as one by one; also where the link would
    hand them on uncut, as the wire, like a server with packet sockets, would see."""
    storm, count = make_storm(segments=1, servers=2, offload=offload), 1000
    storm.start(servers=2)
    with storm.relay.held_up():
        asked = storm.ask(count)
    for server in (1, 2):
        wait_until(lambda server=server: len(storm.came(server)) >= count, f"{count} requests")
        came = {storm.message_in(frame).xid: frame for frame in storm.came(server)}
        assert len(came) == len(storm.came(server)) == count
        for each in asked:
            assert offload or came[each.xid].checksums_valid
            storm.assert_relayed(came[each.xid], each)
    with storm.relay.held_up():
        for each in asked:
            storm.answer(came[each.xid])
    wait_until(lambda: len(storm.delivered()) >= count, f"{count} answers")
    got = {storm.message_in(frame).xid: frame for frame in storm.delivered()}
    for each in asked:
        assert offload or got[each.xid].checksums_valid
        storm.assert_delivered(got[each.xid], each)


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
    relay = scene.relay(*QUIETLY, "-a", "--server", f"d1={','.join(many)}", "--server", "d2=10.9.0.2", servers=[],
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
