"""What most DHCPv6 tests start from: the scene with IPv6, and the verbs of scene.py for the other family.

`nothing6` proves that something did not appear without sleeping, as `nothing` does.
"""

import relay as relay_module
from message6 import RELAY_FORWARD, RELAY_REPLY, SERVER_PORT, answer, reply_to, request, wrapped
from network import UPSTREAM_MAC
from network6 import CLIENT_LINK_LOCAL
from packet6 import udp_frames
from peers6 import ScriptedServer6
from scene import Scene
from wire import describe
from wire6 import Wire6, arrived6


def octets_of(payload):
    return payload if isinstance(payload, bytes) else payload.encode()


class Scene6(Scene):
    """Servers are silent unless a test starts one: `sink6` makes their port 547 open so that no ICMP comes back."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._sinks = {}

    def wire(self, namespace, interface="eth0"):
        made = Wire6(namespace, interface)
        self._stack.callback(made.close)
        return made

    def server_addresses6(self):
        return [each.address6 for each in self.topology.servers]

    def relay6(self, *flags, servers=None, interfaces=None, sinks=True, **options):
        """Starts the relay for DHCPv6, by default on all segments with all servers."""
        servers = self.server_addresses6() if servers is None else servers
        if sinks:
            for server in self.topology.servers:
                self.sink6(server.number)
        if not relay_module.is_ours(options.get("binary", relay_module.BINARY)):
            flags, interfaces, servers = ["-6", *flags], interfaces or self.isc_words(servers), []
        return self.relay(*flags, servers=servers, interfaces=interfaces, sinks=False,
                          **{"port": SERVER_PORT, **options})

    def isc_words(self, servers):
        """The interfaces and servers as ISC dhcrelay wants to be told them."""
        upper = [word for server in servers for word in ("-u", f"{server}%u0")]
        lower = [word for each in self.topology.segments for word in ("-l", f"{each.address6}%{each.interface}")]
        return lower + upper

    def relay_both(self, *flags, **options):
        """Starts the relay for both families."""
        for server in self.topology.servers:
            self.sink(server.number)
        addresses = [each.address for each in self.topology.servers]
        return self.relay6(*flags, servers=[*addresses, *self.server_addresses6()], **options)

    def sink6(self, number):
        if number not in self._sinks:
            self._sinks[number] = self.keep(ScriptedServer6(self.topology.server(number), answer=lambda _: []))
        return self._sinks[number]

    # --- sending ------------------------------------------------------------------------------------------------------

    def send_request6(self, payload, segment=1, **frame):
        """Puts a message on a segment, by default from the client's link-local address to all relay agents."""
        frame = {"source": CLIENT_LINK_LOCAL, "source_mac": self.topology.segment(segment).client_mac, **frame}
        self.clients[segment].send(udp_frames(octets_of(payload), **frame))

    def send_reply6(self, payload, server=1, **frame):
        """Sends a message from a server to the relay, by default to its address on segment 1, port 547."""
        sender = self.topology.server(server)
        frame = {"source": sender.address6, "destination": self.topology.segments[0].address6, "sport": SERVER_PORT,
                 "source_mac": sender.mac, "destination_mac": UPSTREAM_MAC, **frame}
        self.servers[server].send(udp_frames(octets_of(payload), **frame))

    def solicit(self, segment=1, frame=None, **fields):
        """Sends a client's message, by default SOLICIT, and returns it."""
        made = request(mac=self.topology.segment(segment).client_mac, **fields)
        self.send_request6(made, segment, **(frame or {}))
        return made

    def relayed6(self, made, server=1, **options):
        """Waits for the copy of a message at a server: the frame with the Relay-forward."""
        return self.servers[server].expect(arrived6(RELAY_FORWARD, xid=made.xid), what="the Relay-forward", **options)

    def forward6(self, made, server=1):
        """The same, and the Relay-forward itself."""
        return self.relayed6(made, server).message6

    def reply_for(self, segment=1, made=None, *, first=(), more=(), **fields):
        """A Relay-reply with an answer for the client of this segment, that nobody asked for: relays without state
        deliver it. Returns both."""
        made = made or answer(request())
        fields = {"link_address": self.topology.segment(segment).address6, "peer_address": CLIENT_LINK_LOCAL, **fields}
        return made, wrapped(made, kind=RELAY_REPLY, first=first, more=more, **fields)

    def delivered6(self, made, segment=1, **options):
        """Waits for a message to a client on a segment: the frame."""
        return self.clients[segment].expect(arrived6(made.kind, xid=made.xid), what="the delivered message", **options)

    # --- what did not happen ------------------------------------------------------------------------------------------

    def settle6(self, segment=1, requests=True, replies=True, server=1):
        """Returns when all that was sent before has passed, both ways; each twice, as `settle` says."""
        for _ in range(2):
            if requests:
                self.relayed6(self.solicit(segment), server)
            if replies:
                said, good = self.reply_for(segment)
                self.send_reply6(good, server)
                self.delivered6(said, segment)

    def nothing6(self, predicate, wires=None, **settle):
        """Asserts that nothing of this kind arrived at the wires, by default at all of them."""
        self.settle6(**settle)
        for wire in wires or [*self.clients.values(), *self.servers.values()]:
            seen = wire.all(predicate)
            assert not seen, f"should not have passed:\n{describe(seen)}"

    def copies6(self, xid, wire):
        """All arrived DHCPv6 messages with this xid, however they are wrapped, so far."""
        return wire.all(arrived6(xid=xid))

    def exchange6(self, segment=1, server=1):
        """A SOLICIT up and an ADVERTISE down: the relay works."""
        asked = self.solicit(segment)
        came = self.relayed6(asked, server)
        said = answer(asked)
        self.send_reply6(reply_to(came.message6, said), server, destination=came.source)
        return self.delivered6(said, segment)
