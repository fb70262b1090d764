"""Two relays side by side, an address that keepalived moves between them, and clients that come the whole time and ask
again, in the times of RFC 2131 section 4.1, until they have a lease.

The address is the clients' giaddr; the one by which the server reaches it moves with it. VRRP keeps its usual seconds,
the clients' last an eighth.
"""

import collections
import time
from dataclasses import dataclass

import pytest

import peers
from clients import Crowd, number_of
from message import ACK, DISCOVER, OFFER, REQUEST, reply
from network import Pair
from wait import wait_until
from wire import arrived

_GIADDR, _GATEWAY = "10.101.0.77", "10.9.0.77"
_SECOND = 1 / 8
_MOVES = 2
_LEASES = 200  # at least, between two moves


def answer(asked):
    """What the server says: an address of its own for each client."""
    kind = {DISCOVER: OFFER, REQUEST: ACK}[asked.kind]
    return [reply(asked, kind, yiaddr=f"10.101.{asked.chaddr[4]}.{asked.chaddr[5]}")]


@dataclass(frozen=True)
class Move:
    """From its cause until both relays knew of it, by the clock of the day; `to` is the new router's hardware
    address."""

    begin: float
    end: float
    to: str


class Routers:
    """Each with a relay and keepalived, which gives the address away where that relay does not run; router 0 is the
    first to have it."""

    def __init__(self, scene, preempt):
        self.scene = scene
        self.routers = scene.topology.routers
        self.macs = ["02:00:00:00:09:01", "02:00:00:00:09:fe"]
        self.relays, self.keepalived, self.moves = [None, None], [], []
        server = scene.topology.server(1)
        server.namespace.ip(f"route replace default via {_GATEWAY}")
        scene.keep(peers.ScriptedServer(server, answer))
        for number in (0, 1):
            self.start_relay(number)
        for number, priority in enumerate((200, 150)):
            lives = f"/usr/bin/pgrep --pidfile {self._pid_file(number)} --exact dhcp-relay"
            self.keepalived.append(scene.keep(peers.Keepalived(
                self.routers[number], "d1", _GIADDR, scene.folder, priority, preempt, also=[(_GATEWAY, "u0")],
                lives=lives, interval=1)))
            self._await(0, "active", 1)
        self.holder = 0

    def _pid_file(self, number):
        return self.scene.folder / f"relay-{number}.pid"

    def start_relay(self, number):
        """It is passive until keepalived gives it the address."""
        relay = self.scene.relay("-a", "--log-level", "info", "--giaddr", f"d1={_GIADDR}", servers=["10.9.0.2"],
                                 namespace=self.routers[number], sinks=False)
        self.relays[number] = relay
        self._await(number, "passive", 1)
        self._pid_file(number).write_text(f"{relay.pid}\n", encoding="ascii")

    def became(self, number, what):
        """How often."""
        return self.relays[number].log.count(f" change=became_{what}")

    def _await(self, number, what, count):
        wait_until(lambda: self.became(number, what) >= count,
                   lambda: f"relay {number} to become {what} {count} x:\n{self.relays[number].log[-3000:]}\n"
                           + "\n".join(each.log[-3000:] for each in self.keepalived), timeout=60)

    def move(self, cause):
        """Does what makes the other router take the address, and waits until it is known there; and here, if this one's
        relay lives."""
        old, new = self.holder, 1 - self.holder
        active, passive = self.became(new, "active"), self.became(old, "passive")
        begin = time.time()
        cause(old)
        self._await(new, "active", active + 1)
        if self.relays[old].alive:
            self._await(old, "passive", passive + 1)
        self.holder = new
        self.moves.append(Move(begin, time.time(), self.macs[new]))

    def copies(self, crowd):
        """What has reached the server of each of the crowd's messages, when the relays are through with them."""
        def received(number):
            return self.relays[number].counters("d1")["requests_received"]
        for number in (0, 1):
            before = received(number)
            crowd_is_over = self.scene.discover()
            wait_until(lambda number=number, before=before: received(number) > before, "one more request")
        self.scene.relayed(crowd_is_over)
        found = collections.defaultdict(list)
        for frame in self.scene.servers[1].all(arrived(op=1)):
            found[number_of(frame.message)].append(frame)
        del found[None]
        return found

    def report(self, crowd, copies):
        relayed = sorted((frame.time, frame.source_mac) for frames in copies.values() for frame in frames)
        resumed = [min(when for when, mac in relayed if mac == move.to and when > move.begin) - move.begin
                   for move in self.moves]
        by_both = sum(len(frames) > 1 for frames in copies.values())
        print(f"{crowd}\nrelayed {len(copies)} messages, {by_both} of them by both; relaying went on after "
              + ", ".join(f"{seconds:.2f} s" for seconds in resumed))


def stopped(routers, old):
    """The master's keepalived is stopped; the administrator starts it again later."""
    routers.keepalived[old].stop()


def started_again(routers, old):
    routers.keepalived[old].start()


def killed(routers, old):
    """kill -9 of the relay that relays."""
    routers.relays[old].kill()


def relay_started_again(routers, old):
    routers.start_relay(old)


def given_less(routers, old):
    """The master's priority becomes less than the other's."""
    routers.keepalived[old].change_priority(100 - 10 * len(routers.moves))


def nothing(_routers, _old):
    pass


@pytest.mark.parametrize("cause, after", [(stopped, started_again), (killed, relay_started_again)],
                         ids=["stopped", "killed"])
def test_4f11_every_client_gets_its_lease_where_the_master_goes(make_scene, need, cause, after):
    """There is one master at a time: not one message is relayed twice."""
    copies = leases_for_all(make_scene, need, cause, after, preempt=False)[1]
    assert {len(frames) for frames in copies.values()} == {1}


def test_4f11_every_client_gets_its_lease_where_a_better_master_comes(make_scene, need):
    """VRRP has the better one take the address before the other one gives it up (RFC 5798 section 6.4.2): what comes in
    that moment is relayed by both, once by each, and nothing else is."""
    routers, copies = leases_for_all(make_scene, need, given_less, nothing, preempt=True)
    for frames in copies.values():
        assert len({frame.source_mac for frame in frames}) == len(frames)
        assert len(frames) == 1 or any(move.begin <= frame.time <= move.end for move in routers.moves
                                       for frame in frames)


def leases_for_all(make_scene, need, cause, after, preempt):
    """Clients come while the address moves to and fro; returns the routers and what was relayed."""
    need("keepalived", "pgrep")
    scene = make_scene(Pair)
    routers = Routers(scene, preempt)
    crowd = scene.keep(Crowd(scene.topology.segment(1).client, second=_SECOND))
    crowd.await_leases(_LEASES)
    for _ in range(_MOVES):
        old = routers.holder
        routers.move(lambda number: cause(routers, number))
        crowd.await_leases(_LEASES)
        after(routers, old)
        crowd.await_leases(_LEASES)
    crowd.finish()
    assert all(client.address == f"10.101.{client.chaddr[4]}.{client.chaddr[5]}" for client in crowd.clients)
    copies = routers.copies(crowd)
    routers.report(crowd, copies)
    assert {frame.message.giaddr for frames in copies.values() for frame in frames} == {_GIADDR}
    return routers, copies
