"""A crowd of clients on one segment, each of which asks until it has a lease.

DISCOVER, OFFER, REQUEST, ACK. What is not answered is said again after 4, 8, 16, 32 and then every 64 seconds, each
time up to a second sooner or later (RFC 2131 section 4.1); a REQUEST that was said five times in vain is given up for a
new DISCOVER (section 3.1, step 5). How long a second lasts is the test's choice. Each message has a number of its own
in option 224, by which a witness knows it again.
"""

import heapq
import itertools
import random
import socket
import struct
import threading
import time
from dataclasses import dataclass

import message
from message import ACK, BROADCAST_FLAG, DISCOVER, NAK, OFFER, REQUEST, REQUESTED, SERVER_ID, request, udp_frames
from wait import wait_until
from wire import Wire

NUMBER = 224  # a code for sites' own use (RFC 3942)
_REQUESTS = 5
_xids = itertools.count(0x60000001)


def number_of(said):
    """Which of the crowd's messages this is, or None."""
    value = said.option(NUMBER)
    return struct.unpack("!I", value)[0] if value else None


@dataclass
class Client:
    """What it says at the moment, how often it has said that and anything, and the address of its lease."""

    chaddr: bytes
    flags: int
    said: message.Message = None
    times: int = 0
    times_at_all: int = 0
    due: float = 0
    address: str = None


class Crowd:
    """New clients come one by one, `pace` seconds between them, until `finish`. Every other one takes its answers by
    unicast. One thread speaks for all."""

    def __init__(self, namespace, interface="eth0", pace=0.005, second=1.0):
        self._wire = Wire(namespace, interface, outgoing=False)
        self._pace = pace
        self._second = second
        self._waiting = []  # (when, serial, client): the next thing to be said again
        self._serials = itertools.count()
        self._by_xid = {}
        self._random = random.Random(1)
        self._comes, self._over = True, False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.clients = []
        self.said = 0
        self.leases = 0

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._over = True
        self._thread.join()
        self._wire.close()

    def __str__(self):
        again = [client.times_at_all - 2 for client in self.clients if client.address]
        return (f"{len(self.clients)} clients came, {self.leases} have a lease; of these {sum(map(bool, again))} said "
                f"something again, {max(again, default=0)} times at most; {self.said} messages")

    def await_leases(self, more):
        """Until so many more clients have one."""
        wanted = self.leases + more
        self._wait(lambda: self.leases >= wanted, f"{more} more leases")

    def finish(self):
        """Nobody comes any more; waits until everybody has a lease."""
        self._comes = False
        self._wait(lambda: self.leases == len(self.clients), "a lease for everybody")

    def _wait(self, condition, what):
        def met():
            assert self._thread.is_alive(), "the crowd's thread has ended by a fault"
            return condition()
        wait_until(met, lambda: f"{what}: {self}", timeout=120, pause=0.05)

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _run(self):
        next_arrival = time.monotonic()
        while not self._over:
            now = time.monotonic()
            if self._comes and now >= next_arrival:
                self._arrive(now)
                next_arrival = now + self._pace
            while self._waiting and self._waiting[0][0] <= now:
                self._say_again(*heapq.heappop(self._waiting))
            for frame in self._wire.take(patience=self._pace):
                if frame.message and frame.message.op == 2:
                    self._hear(frame.message)

    def _arrive(self, now):
        number = len(self.clients) + 256
        client = Client(b"\x02\xc1\0\0" + struct.pack("!H", number), BROADCAST_FLAG * (number % 2))
        self.clients.append(client)
        self._discover(client, now)

    def _discover(self, client, now):
        self._begin(client, request(DISCOVER, xid=next(_xids), chaddr=client.chaddr, flags=client.flags), now)

    def _begin(self, client, said, now):
        """Says something new."""
        client.said, client.times = said, 0
        self._by_xid[said.xid] = client
        self._say(client, now)

    def _say(self, client, now):
        numbered = client.said.but(options=[*client.said.options, (NUMBER, struct.pack("!I", self.said))])
        self._wire.send(udp_frames(numbered.encode(), source_mac=client.chaddr.hex(":")))
        self.said += 1
        delay = min(4 << client.times, 64) + self._random.uniform(-1, 1)
        client.times += 1
        client.times_at_all += 1
        client.due = now + delay * self._second
        heapq.heappush(self._waiting, (client.due, next(self._serials), client))

    def _say_again(self, when, _, client):
        if client.address or client.due != when:
            return  # it was answered
        if client.said.kind == REQUEST and client.times == _REQUESTS:
            self._discover(client, when)
        else:
            self._say(client, time.monotonic())

    def _hear(self, heard):
        client = self._by_xid.get(heard.xid)
        if client is None or client.address or heard.xid != client.said.xid or heard.chaddr[:6] != client.chaddr:
            return
        if heard.kind == OFFER and client.said.kind == DISCOVER:
            named = [(REQUESTED, socket.inet_aton(heard.yiaddr)), (SERVER_ID, heard.option(SERVER_ID))]
            self._begin(client, request(REQUEST, xid=heard.xid, chaddr=client.chaddr, flags=client.flags, more=named),
                        time.monotonic())
        elif heard.kind == NAK and client.said.kind == REQUEST:
            self._discover(client, time.monotonic())
        elif heard.kind == ACK and client.said.kind == REQUEST:
            client.address = heard.yiaddr
            self.leases += 1
