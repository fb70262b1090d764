"""What most tests start from: topology, relay, a wire on every client's and server's side, and the verbs between.

`nothing` proves that something did not appear without sleeping: known-good messages are sent along the same path
after it, and when these have passed, what was to pass before them has passed too.
"""

import contextlib
import itertools
import threading
import time

import message
from message import reply, request, udp_frames
from network import UPSTREAM_MAC
from peers import ScriptedServer
from relay import Relay
from wire import Wire, arrived, describe

_xids = itertools.count(0x20000001)


@contextlib.contextmanager
def stream(send, pace):
    """A steady stream of requests until the block ends, `pace` seconds between them: `send` sends one and returns its
    xid. Yields the xids so far."""
    xids, over = [], threading.Event()

    def run():
        while not over.is_set():
            xids.append(send())
            time.sleep(pace)
    sender = threading.Thread(target=run, daemon=True)
    sender.start()
    try:
        yield xids
    finally:
        over.set()
        sender.join()


class Scene:
    """Servers are silent unless a test starts one: `sink` makes their port 67 open so that no ICMP comes back."""

    def __init__(self, topology, folder, stack):
        self.topology = topology
        self.folder = folder
        self._stack = stack
        self.clients = {each.number: self.wire(each.client) for each in topology.segments}
        self.servers = {each.number: self.wire(each.namespace) for each in topology.servers}
        self.running = None

    def wire(self, namespace, interface="eth0"):
        made = Wire(namespace, interface)
        self._stack.callback(made.close)
        return made

    def keep(self, started):
        """Stops it at the end of the test."""
        self._stack.callback(started.stop)
        return started.start()

    def relay(self, *flags, servers=("10.9.0.2", "10.9.0.3"), interfaces=None, namespace=None, sinks=True, **options):
        """Starts the relay, by default on all segments with both servers."""
        if interfaces is None:
            interfaces = [word for each in self.topology.segments for word in ("-id", each.interface)] + ["-iu", "u0"]
        if sinks:
            for server in self.topology.servers:
                self.sink(server.number)
        self.running = self.keep(Relay(namespace or self.topology.router, [*flags, *interfaces, *servers],
                                       self.folder, **options))
        return self.running

    def sink(self, number):
        return self.keep(ScriptedServer(self.topology.server(number), answer=lambda _: []))

    # --- sending ------------------------------------------------------------------------------------------------------

    def send_request(self, payload, segment=1, **frame):
        """Puts a request (a message or its octets) on a segment, by default as a broadcast from 0.0.0.0."""
        octets = payload if isinstance(payload, bytes) else payload.encode()
        frame.setdefault("source_mac", self.topology.segment(segment).client_mac)
        self.clients[segment].send(udp_frames(octets, **frame))

    def send_reply(self, payload, server=1, **frame):
        """Sends a reply from a server to the relay, by default to giaddr, port 67."""
        octets = payload if isinstance(payload, bytes) else payload.encode()
        sender = self.topology.server(server)
        frame = {"source": sender.address, "sport": 67, "source_mac": sender.mac, "destination_mac": UPSTREAM_MAC,
                 **frame}
        if "destination" not in frame:
            frame["destination"] = message.Message.parse(octets).giaddr
        self.servers[server].send(udp_frames(octets, **frame))

    def discover(self, segment=1, **fields):
        """Sends a DISCOVER with an xid of its own and returns it."""
        made = request(xid=next(_xids), **fields)
        self.send_request(made, segment)
        return made

    def relayed(self, made, server=1, **options):
        """Waits for the copy of a request at a server: the frame."""
        return self.servers[server].expect(arrived(op=made.op, xid=made.xid), what="the relayed request", **options)

    def offer_for(self, segment=1, **fields):
        """A good OFFER to a client of this segment that nobody asked for: relays without state deliver it."""
        place = self.topology.segment(segment)
        asked = request(xid=next(_xids), giaddr=place.address)
        return reply(asked, **{"yiaddr": place.host(50), **fields})

    def delivered(self, made, segment=1, **options):
        """Waits for a reply on a segment: the frame."""
        return self.clients[segment].expect(arrived(op=made.op, xid=made.xid), what="the delivered reply", **options)

    # --- what did not happen ------------------------------------------------------------------------------------------

    def settle(self, segment=1, requests=True, replies=True, server=1):
        """Returns when all that was sent before has passed, both ways. Each way twice, one after the other: the
        first may leave together with others, the second comes after all of these."""
        for _ in range(2):
            if requests:
                self.relayed(self.discover(segment), server)
            if replies:
                good = self.offer_for(segment)
                self.send_reply(good, server)
                self.delivered(good, segment)

    def nothing(self, predicate, wires=None, **settle):
        """Asserts that nothing of this kind arrived at the wires, by default at all of them."""
        self.settle(**settle)
        for wire in wires or [*self.clients.values(), *self.servers.values()]:
            seen = wire.all(predicate)
            assert not seen, f"should not have passed:\n{describe(seen)}"

    def copies(self, xid, wire):
        """All arrived BOOTP messages with this xid, so far."""
        return wire.all(arrived(xid=xid))

    def exchange(self, segment=1, server=1):
        """A DISCOVER up and an OFFER down: the relay works."""
        asked = self.discover(segment)
        came = self.relayed(asked, server).message
        offered = reply(came, yiaddr=self.topology.segment(segment).host(51))
        self.send_reply(offered, server)
        return self.delivered(offered, segment)
