"""Two routers on one segment and a giaddr that moves between them: each request is relayed by the one that holds it.

A request that is on its way while the address moves may be lost, clients ask again; it is never relayed twice. VRRP
itself has both routers hold the address for a moment where a better master takes it from one that lives; what the
relay can promise then is tested with keepalived at the end.
"""

import collections
import itertools
import threading

import pytest

import message
import peers
from message import reply
from network import Pair
from scene import stream
from wait import wait_until
from wire import arrived

_ADDRESS = "10.101.0.77"
_MOVES = 12
_WAITING = 200  # requests that wait for a relay which is held up, more than it decides in one turn
_xids = itertools.count(0x40000001)


class Segment:
    """Two relays on segment 1, `holder` saying which of them has the address; counts what reaches the server."""

    def __init__(self, scene, own_source=False):
        self.scene = scene
        self.routers = scene.topology.routers
        self.sent = 0
        self._lock = threading.Lock()
        scene.sink(1)
        self.relays = [self.relay(router, ["--source-address", address] if own_source else [])
                       for router, address in zip(self.routers, ("10.9.0.1", "10.9.0.254"))]
        self.holder = None

    def relay(self, router, flags):
        return self.scene.relay("-a", "--log-level", "info", "--giaddr", f"d1={_ADDRESS}", *flags,
                                servers=["10.9.0.2"], namespace=router, sinks=False)

    def send(self):
        """Puts a DISCOVER on the segment and returns its xid."""
        with self._lock:
            asked = message.request(xid=next(_xids))
            self.scene.send_request(asked)
            self.sent += 1
        return asked.xid

    def changes(self, number):
        """How often the relay has become active and passive."""
        log = self.relays[number].log
        return log.count(" change=became_active"), log.count(" change=became_passive")

    def take(self, number):
        """The address is put on one router."""
        self.routers[number].ip(f"addr add {_ADDRESS}/24 dev d1")
        self.holder = number

    def drop(self):
        self.routers[self.holder].ip(f"addr del {_ADDRESS}/24 dev d1")
        self.holder = None

    def move(self):
        """From the one to the other, which is known to both relays when this returns."""
        old, new = self.holder, 1 - self.holder
        passive, active = self.changes(old)[1], self.changes(new)[0]
        self.drop()
        self.take(new)
        self.await_changes(old, passive=passive + 1)
        self.await_changes(new, active=active + 1)

    def await_changes(self, number, active=0, passive=0):
        def seen():
            now = self.changes(number)
            return now[0] >= active and now[1] >= passive
        wait_until(seen, lambda: f"relay {number} to become active {active} x, passive {passive} x:\n"
                                 f"{self.relays[number].log[-3000:]}")

    def copies(self):
        """How many copies of each xid have reached the server, when both relays are through with what was sent."""
        for each in self.relays:
            wait_until(lambda relay=each: relay.counters("d1")["requests_received"] >= self.sent,
                       lambda relay=each: f"{self.sent} requests received: {relay.counters('d1')}")
        for router in self.routers:
            self.flush(router)
        return collections.Counter(frame.message.xid for frame in self.scene.servers[1].all(arrived(op=1)))

    def flush(self, router):
        """A datagram of this router's, behind all that it has sent before, has reached the server."""
        marker = b"passed %d" % next(_xids)
        with router.socket(2, 2) as udp:
            udp.sendto(marker, (self.scene.topology.server(1).address, 9))
        self.scene.servers[1].expect(lambda frame: not frame.outgoing and frame.ports and frame.payload == marker)


@pytest.fixture(params=[False, True], ids=["giaddr", "own source"])
def segment(make_scene, request):
    """Two relays that have the same moving giaddr; nobody holds it yet. From the address that they do not hold the
    kernel lets them send nothing; from an address of their own it does (--source-address)."""
    made = Segment(make_scene(Pair), request.param)
    for number in (0, 1):
        made.await_changes(number, passive=1)
    return made


def once(copies, xids):
    """Each of these has reached the server exactly once."""
    return [copies[xid] for xid in xids] == [1] * len(xids)


def twice(copies):
    return {hex(xid): count for xid, count in copies.items() if count > 1}


def test_4f11_nobody_relays_while_nobody_holds_the_address(segment):
    """Both passive, then one active, then both passive again."""
    before = [segment.send() for _ in range(10)]
    segment.copies()
    segment.take(0)
    segment.await_changes(0, active=1)
    held = [segment.send() for _ in range(10)]
    segment.copies()
    segment.drop()
    segment.await_changes(0, passive=2)
    after = [segment.send() for _ in range(10)]
    copies = segment.copies()
    assert once(copies, held)
    assert not [xid for xid in before + after if copies[xid]]


def test_4f11_exactly_one_relays_wherever_the_address_is(segment):
    """To and fro between requests; the giaddr is the moving address, and the counters say who did it."""
    segment.take(0)
    segment.await_changes(0, active=1)
    sent = []
    for _ in range(_MOVES):
        sent += [segment.send() for _ in range(20)]
        segment.copies()
        segment.move()
    assert once(segment.copies(), sent)
    assert [relay.counters("d1")["requests_relayed"] for relay in segment.relays] == [120, 120]
    assert [relay.counters("d1")["interface_passive"] for relay in segment.relays] == [120, 120]
    frames = segment.scene.servers[1].all(arrived(op=1))
    assert {frame.message.giaddr for frame in frames} == {_ADDRESS}


def test_4f11_no_request_is_relayed_twice_while_the_address_moves(segment):
    """A steady stream while it moves to and fro; what is sent when both relays know of the move arrives once."""
    segment.take(0)
    segment.await_changes(0, active=1)
    settled, during = [], []
    with stream(segment.send, pace=0.001) as xids:
        for _ in range(_MOVES):
            at = len(xids)
            segment.move()
            wait_until(lambda start=at: len(xids) > start, "a request while the address moved")
            during.append(len(xids) - at)
            settled += [segment.send() for _ in range(10)]
            segment.copies()
    copies = segment.copies()
    print(f"{segment.sent} requests, {sum(during)} of them during {_MOVES} moves, {len(copies)} relayed")
    assert not twice(copies)
    assert once(copies, settled)


@pytest.mark.parametrize("first", ["request", "link"])
def test_4f11_late_to_hear_that_the_address_has_gone(segment, first):
    """The old holder is held up while the address moves: what came since then is not its to relay, whether requests
    or news of links were first in its queues."""
    segment.take(0)
    segment.await_changes(0, active=1)
    with segment.relays[0].held_up():
        if first == "request":
            segment.send()
        segment.drop()
        segment.take(1)
        segment.await_changes(1, active=1)
        xids = [segment.send() for _ in range(_WAITING)]
        segment.scene.servers[1].expect(arrived(op=1, xid=xids[-1]))
    copies = segment.copies()
    assert not twice(copies)
    assert once(copies, xids)


@pytest.mark.parametrize("first", ["request", "link"])
def test_4f11_late_to_hear_that_the_address_has_come(segment, first):
    """The new holder is held up while the address moves: what came before then is not its to relay, whether requests
    or news of links were first in its queues."""
    segment.take(0)
    segment.await_changes(0, active=1)
    with segment.relays[1].held_up():
        if first == "link":
            segment.routers[1].ip("addr add 10.101.0.99/24 dev d1")
        xids = [segment.send() for _ in range(_WAITING)]
        segment.scene.servers[1].expect(arrived(op=1, xid=xids[-1]))
        segment.drop()
        segment.take(1)
        segment.await_changes(0, passive=2)
    segment.await_changes(1, active=1)
    assert once(segment.copies(), xids)


# --- VRRP -------------------------------------------------------------------------------------------------------------

class Vrrp:
    """keepalived on both routers, which decides who holds the address."""

    def __init__(self, segment, preempt):
        self.segment = segment
        self._preempt = preempt
        self._running = {}

    def start(self, number):
        scene = self.segment.scene
        self._running[number] = scene.keep(peers.Keepalived(self.segment.routers[number], "d1", _ADDRESS, scene.folder,
                                                            200 - 50 * number, self._preempt))

    def stop(self, number):
        self._running[number].stop()


def moved(segment, change, to):
    """Does what moves the address to one of the relays, and waits until both have heard of it."""
    passive, active = segment.changes(1 - to)[1], segment.changes(to)[0]
    change()
    segment.await_changes(to, active=active + 1)
    segment.await_changes(1 - to, passive=passive + 1)


def answered(segment):
    """Asks, answers through the router that relayed it, and waits for the answer at the client."""
    scene = segment.scene
    came = scene.servers[1].expect(arrived(op=1, xid=segment.send()))
    offered = reply(came.message, yiaddr="10.101.0.50")
    scene.send_reply(offered, destination_mac=came.source_mac)
    assert scene.delivered(offered).message.option(82) is None


@pytest.mark.parametrize("segment", [False], indirect=True, ids=["giaddr"])
def test_4f11_keepalived_moves_the_address_where_the_master_ends(segment, need):
    """The master is stopped, and started again as the other one's backup (nopreempt): there is never more than one."""
    need("keepalived")
    vrrp = Vrrp(segment, preempt=False)
    vrrp.start(0)
    segment.await_changes(0, active=1)
    vrrp.start(1)
    settled = []
    with stream(segment.send, pace=0.001):
        for number in range(4):
            master = number % 2
            settled += [segment.send() for _ in range(10)]
            segment.copies()
            moved(segment, lambda number=master: vrrp.stop(number), to=1 - master)
            vrrp.start(master)
        settled += [segment.send() for _ in range(10)]
    answered(segment)
    copies = segment.copies()
    print(f"{segment.sent} requests, {len(copies)} relayed")
    assert not twice(copies)
    assert once(copies, settled)


@pytest.mark.parametrize("segment", [False], indirect=True, ids=["giaddr"])
def test_4f11_keepalived_takes_the_address_from_a_living_master(segment, need):
    """The better master comes back: VRRP has it take the address before the other one hears of it and gives it up
    (RFC 5798 section 6.4.2), so both relay what comes in between. Before and after, one does; never three times."""
    need("keepalived")
    vrrp = Vrrp(segment, preempt=True)
    vrrp.start(1)
    segment.await_changes(1, active=1)
    settled = []
    with stream(segment.send, pace=0.001):
        for _ in range(3):
            settled += [segment.send() for _ in range(10)]
            segment.copies()
            moved(segment, lambda: vrrp.start(0), to=0)
            settled += [segment.send() for _ in range(10)]
            segment.copies()
            moved(segment, lambda: vrrp.stop(0), to=1)
    answered(segment)
    copies = segment.copies()
    print(f"{segment.sent} requests, {len(copies)} relayed, {len(twice(copies))} of them by both")
    assert once(copies, settled)
    assert set(copies.values()) <= {1, 2}
