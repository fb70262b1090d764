"""A message for each reason to drop that the wire can bring about, and the relay that has these reasons.

Two relays, since some reasons exclude others: `STRICT` and `SHARED`. In `ELSEWHERE` are the reasons that need more than
a message, each with the test that provokes it, or why none does.
"""

import re
from dataclasses import dataclass, field
from typing import Callable

from message import ACK, AGENT, ANY, KIND, OFFER, Message, reply, request, udp_frames
from network import UPSTREAM_MAC
from relay import ROOT

NOWHERE = "203.0.113.9"  # no route leads there
LEASE_QUERY, LEASE_ACTIVE = 10, 13
_SHARED_GIADDR = "203.0.113.1"

ELSEWHERE = {
    "receive_truncated": "no IPv4 datagram is larger than the room for it",
    "interface_unknown": "test_log_flood: an interface that the relay has not heard of yet",
    "lost_in_kernel": "test_log_flood: more than a receive buffer holds",
    "queue_full": "test_log_flood: more than may wait",
}


@dataclass(frozen=True)
class Case:
    """A message that is dropped for a reason. `detail` is what a capture says behind it; `make` makes the message with
    this xid, `encode` its octets, and `frame` has what differs from the usual frame. It arrives at one interface and
    may be `counted` at another."""

    reason: str
    detail: str
    make: Callable
    interface: str = "d1"
    encode: Callable = Message.encode
    frame: dict = field(default_factory=dict)
    counted: str = ""

    @property
    def comment(self):
        return f"dropped: {self.reason} ({self.detail})"

    @property
    def counter(self):
        """Interface and reason."""
        return self.counted or self.interface, self.reason

    def send(self, scene, xid, times=1):
        """Has it arrive so many times; returns the message."""
        made = self.make(xid)
        if self.interface == "u0":
            server = scene.topology.server(1)
            wire = scene.servers[1]
            usual = {"source": server.address, "destination": "10.9.0.1", "sport": 67, "source_mac": server.mac,
                     "destination_mac": UPSTREAM_MAC}
        else:
            place = scene.topology.segment(int(self.interface[1:]))
            wire, usual = scene.clients[place.number], {"source_mac": place.client_mac}
        wire.send(udp_frames(self.encode(made), **{**usual, **self.frame}) * times)
        return made


def reasons():
    """The names of all but those of DHCPv6 alone, from the enumeration; these stand in the tests of DHCPv6."""
    header = (ROOT / "relay/core/drop_reason.h").read_text(encoding="ascii")
    body = re.search(r"enum class DropReason[^{]*\{(.*?)\};", header, re.S)[1]
    body = re.sub(r"// DHCPv6, any message.*(?=// sending)", "", body, flags=re.S)
    return set(re.findall(r"\w+", re.sub(r"//.*", "", body)))


def _asked(reason, detail, interface="d1", encode=Message.encode, **fields):
    """A request on a segment."""
    return Case(reason, detail, lambda xid: request(xid=xid, **{"secs": 5, **fields}), interface, encode)


def _answered(reason, detail, segment=1, more=(), frame=None, counted="", **fields):
    """A reply of server 1 to a client on the segment, which nobody asked for."""
    def make(xid):
        to = request(xid=xid, giaddr=f"10.{100 + segment}.0.1", more=[(AGENT, b"\x01\x02d%d" % segment), *more])
        return reply(to, **{"yiaddr": f"10.{100 + segment}.0.5", **fields})
    return Case(reason, detail, make, "u0", frame=frame or {}, counted=counted)


# --- the strict relay -------------------------------------------------------------------------------------------------

SEGMENTS = 5
STRICT = ["-a", "-c", "4", "--min-secs", "3", "-D", "-m", "discard", "--trust", "d2", "--giaddr-policy", "d2=drop",
          "--giaddr", "d4=10.104.0.99", "--server", f"d2=10.9.0.2,{NOWHERE}", "--server", f"d5={NOWHERE}"]
_SWITCH = (AGENT, b"\x01\x02sw")


def prepare_strict(scene):
    scene.topology.router.ip("addr flush dev d3")


REQUESTS = [
    _asked("too_short", "235 < 236", encode=lambda made: made.encode()[:235]),
    _asked("bad_op", "op is neither BOOTREQUEST (1) nor BOOTREPLY (2) (RFC 1542 section 2.1)", op=3),
    _asked("hlen_too_long", "hlen exceeds the 16 octets of chaddr (RFC 2131 section 2)", hlen=17),
    _asked("options_malformed", "the options are broken off and option 82 has to be edited (RFC 2132 section 2)",
           encode=lambda made: made.encode()[:243] + b"\x0c\x20cut"),
    _asked("below_min_secs", "2 < 3", secs=2),
    _asked("hops_exceeded", "17 > 4", hops=17),
    _asked("giaddr_own", "10.101.0.1", giaddr="10.101.0.1"),
    _asked("giaddr_invalid", "255.255.255.255", giaddr="255.255.255.255"),
    _asked("lease_query_unrelayed",
           "giaddr of the DHCPLEASEQUERY is zero instead of its requester's (RFC 4388 section 6.3)", kind=LEASE_QUERY),
    _asked("option82_untrusted",
           "giaddr is zero and option 82 is there on an untrusted circuit (RFC 3046 section 2.1)", more=[_SWITCH]),
    _asked("option82_discarded",
           "the request already carries option 82 and the policy is to discard such requests", "d2", more=[_SWITCH]),
    _asked("giaddr_refused", "10.50.0.1", "d2", giaddr="10.50.0.1"),
    _asked("no_address", "the interface has no IPv4 address to put into giaddr (RFC 1542 section 4.1.1)", "d3"),
    _asked("interface_passive", "this host does not hold the giaddr that was configured for the interface", "d4"),
    Case("not_downstream", "the request arrived on an interface where requests are not accepted",
         lambda xid: request(xid=xid, secs=5), "u0"),
]

REPLIES = [
    _answered("server_unknown", "10.9.0.66", frame={"source": "10.9.0.66"}),
    _answered("reply_giaddr_zero", "giaddr of the reply is zero and names no interface (RFC 1542 section 4.1.2)",
              giaddr=ANY),
    _answered("reply_giaddr_unknown", "10.7.7.7", giaddr="10.7.7.7"),
    _answered("option82_unmatched", "option 82 of the reply is missing or not ours", options=[(KIND, bytes([OFFER]))]),
    _answered("lease_query_reply",
              "the message answers a DHCPLEASEQUERY and is not for a client (RFC 4388 section 6.4.3)",
              kind=LEASE_ACTIVE),
    _answered("hlen_too_long", "hlen exceeds the 16 octets of chaddr (RFC 2131 section 2)", hlen=17),
    Case("not_upstream", "the reply arrived on an interface where replies are not accepted",
         lambda xid: reply(request(xid=xid), yiaddr="10.101.0.5"), "d1",
         frame={"source": "10.101.0.66", "destination": "10.101.0.1", "destination_mac": "02:00:00:00:01:01",
                "sport": 67}),
]

UNSENT = _asked("send_failed", f"to {NOWHERE}: Network is unreachable", "d5")

# --- the relay of segments that share a giaddr ------------------------------------------------------------------------

SHARED_SEGMENTS = 6
SHARED = ["-a", "--giaddr", f"d1={_SHARED_GIADDR}", "--giaddr", f"d2={_SHARED_GIADDR}", "--vss", "red",
          "--rate-limit", "d3=1/1",
          *(word for number in (1, 2, 3, 5, 6) for word in ("--server", f"d{number}=10.9.0.2"))]
_RED = b"\x97\x04\0red"


def prepare_shared(scene):
    """Segment 5 is down, and what leaves to segment 6 does not fit into its queue."""
    scene.topology.router.ip(f"addr add {_SHARED_GIADDR}/32 dev lo", "link set d5 down")
    scene.topology.router.run(["tc", "qdisc", "add", "dev", "d6", "root", "bfifo", "limit", "1"])


def _selected(segment, virtual=_RED):
    """Options of a reply: option 82 of ours, as a server sends it that acted on the virtual subnet."""
    return [(KIND, bytes([ACK])), (AGENT, b"\x01\x02d%d" % segment + virtual)]


OTHERS = [
    _asked("no_server", "no server is configured for requests of this interface", "d4"),
    _asked("rate_limited", "the interface sent more requests than its rate limit allows", "d3"),
    _answered("reply_ambiguous",
              "giaddr is shared by several interfaces and nothing in the reply tells which one is meant",
              giaddr=_SHARED_GIADDR, options=[(KIND, bytes([OFFER]))]),
    _answered("vss_unsupported",
              "the server did not act on the virtual subnet that was selected (RFC 6607 section 5)", 3),
    _answered("vss_unknown",
              "the server assigned another virtual subnet than the interface's (RFC 6607 section 5.1)", 3,
              options=_selected(3, b"\x97\x05\0blue")),
    _answered("interface_down", "the interface of the client is down", 5, options=_selected(5)),
    _answered("send_buffer_full", "to 10.106.0.5: No buffer space available", 6, options=_selected(6), counted="d6"),
]
