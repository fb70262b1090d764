"""The same words on the command line, the same octets on the wire: ours beside ISC dhcrelay.

Every case is one message, put before both relays with identical command lines. What comes out (where, for whom, which
octets) must be the same, except for what `DIFFERENT` lists, with the rule that justifies it; and what is listed there
must still differ.
"""

import contextlib
import dataclasses
import shutil
import socket
import struct

import pytest

import message
import relay
from message import (ACK, AGENT, BROADCAST_FLAG, DISCOVER, END, INFORM, KIND, NAK, OFFER, OVERLOAD, PAD, REQUEST,
                     VENDOR, Message, mac_octets, request)
from network import UPSTREAM_MAC, Network, Topology
from scene import Scene

WORDS = ["-4", "-a", "-id", "d1", "-id", "d2", "-iu", "u0", "10.9.0.2", "10.9.0.3"]
ISC = shutil.which("dhcrelay", path="/usr/sbin:/sbin:/usr/bin:/usr/local/sbin")
OURS_82, FOREIGN_82, D2_82 = b"\x01\x02d1", b"\x01\x04port\x02\x03box", b"\x01\x02d2"
FOREIGN_GIADDR = "10.50.0.1"
PRESENT_ADDRESS = "10.101.0.60"  # the client's namespace has it, and answers ARP for it
PRESENT = {"ciaddr": PRESENT_ADDRESS, "yiaddr": PRESENT_ADDRESS, "chaddr": mac_octets("02:00:00:00:01:0c")}


@dataclasses.dataclass(frozen=True)
class Case:
    """One message, from a client of `segment` or from a server; `frame` changes how it is sent."""

    name: str
    message: Message
    from_server: bool = False
    size: int = 300
    segment: int = 1
    frame: dict = dataclasses.field(default_factory=dict)
    cut: int = 0

    def octets(self, xid):
        whole = self.message.but(xid=xid).encode(self.size)
        return whole[:self.cut] if self.cut else whole


def up(name, made=None, fields=None, **options):
    """A request: a usual DISCOVER with some fields changed, or any message."""
    return Case(name, made or request(**(fields or {})), **options)


def with_options(*options, **fields):
    return Message(options=[(KIND, bytes([DISCOVER])), *options], **fields)


def down(name, kind=OFFER, more=((AGENT, OURS_82),), fields=None, first=(), **options):
    """A reply to a client of segment 1, option 82 last."""
    given = {"op": 2, "giaddr": "10.101.0.1", "yiaddr": "10.101.0.50", **(fields or {})}
    body = [(KIND, bytes([kind])), *first, (message.SERVER_ID, socket.inet_aton("10.9.0.2")),
            (message.LEASE_TIME, struct.pack("!I", 3600)), *more]
    return Case(name, Message(options=body, **given), from_server=True, **options)


REQUESTS = [
    up("discover"),
    up("discover on the second segment", segment=2),
    up("discover without padding", size=0),
    *[up(f"message type {kind}", request(kind))
      for kind in (REQUEST, message.DECLINE, message.RELEASE, INFORM, 9, 200)],
    up("broadcast flag", fields={"flags": BROADCAST_FLAG}),
    up("reserved flags", fields={"flags": 0x7fff}),
    up("secs", fields={"secs": 0xffff}),
    up("rebinding", request(REQUEST, ciaddr="10.101.0.50")),
    up("sname and file", fields={"sname": b"server", "file": b"boot/image"}),
    up("yiaddr and siaddr of a careless client", fields={"yiaddr": "10.101.0.9", "siaddr": "10.101.0.8"}),
    up("bootp without cookie", Message(cookie=b"", end=False)),
    up("bootp with a foreign cookie", Message(cookie=b"CMU\0", end=False)),
    up("bootp with cookie", Message(options=[(message.HOST_NAME, b"host")])),
    up("empty options", Message()),
    up("no end", Message(options=request().options, end=False), size=0),
    up("octets after end", with_options((END, b""), (message.HOST_NAME, b"host"))),
    up("pads between options", with_options((PAD, b""), (PAD, b""), (message.HOST_NAME, b"host"), (PAD, b""))),
    up("vendor option that looks like option 82", with_options((VENDOR, b"\x52\x04\x01\x02xx\xff\x00"))),
    up("overload with option 82 in file", with_options((OVERLOAD, b"\x01"), file=b"\x52\x04\x01\x02xx\xff")),
    up("empty option", with_options((message.HOST_NAME, b""))),
    up("option of 255 octets", with_options((VENDOR, bytes(range(255))))),
    up("option beyond the end", with_options((VENDOR, bytes(200))), cut=400),
    up("ipoib", fields={"htype": 32, "hlen": 0, "chaddr": bytes(16)}),
    up("hlen 16", fields={"hlen": 16, "chaddr": bytes(range(16))}),
    up("hlen 17", fields={"hlen": 17}),
    up("multicast chaddr", fields={"chaddr": bytes.fromhex("01005e000001")}),
    *[up(f"op {op}", fields={"op": op}) for op in (0, 3, 255)],
    *[up(f"hops {hops}", fields={"hops": hops}) for hops in (1, 4, 5, 10, 11, 16, 17)],
    up("relayed before", fields={"giaddr": FOREIGN_GIADDR, "hops": 1}),
    up("relayed before with option 82", fields={"giaddr": FOREIGN_GIADDR, "hops": 1, "more": [(AGENT, FOREIGN_82)]}),
    up("giaddr of this segment", fields={"giaddr": "10.101.0.1"}),
    up("giaddr of the other segment", fields={"giaddr": "10.102.0.1"}),
    up("option 82 from a client", fields={"more": [(AGENT, FOREIGN_82)]}),
    up("empty option 82 from a client", fields={"more": [(AGENT, b"")]}),
    *[up(f"{size} octets", size=size) for size in (301, 400, 548, 560)],
    up("400 octets full of options", with_options((VENDOR, bytes(150)))),
    up("600 octets full of options", with_options((VENDOR, bytes(250)), (VENDOR, bytes(100)))),
    up("1000 octets full of options", with_options(*[(VENDOR, bytes(250))] * 3)),
    up("236 octets", cut=236),
    up("235 octets", cut=235),
    up("240 octets", cut=240),
    up("unicast to the relay", request(REQUEST, ciaddr="10.101.0.50"),
       frame={"source": "10.101.0.50", "destination": "10.101.0.1", "destination_mac": "02:00:00:00:01:01"}),
    up("unicast through the router", request(REQUEST, ciaddr="10.101.0.50"),
       frame={"source": "10.101.0.50", "destination": "10.9.0.2", "destination_mac": "02:00:00:00:01:01"}),
    up("to port 68", frame={"dport": 68}),
    up("from a high port", frame={"sport": 40000}),
    up("reply from a client's segment", Message(op=2, giaddr="10.101.0.1", yiaddr="10.101.0.50", options=[
        (KIND, bytes([OFFER]))]), frame={"source": "10.101.0.66", "destination": "10.101.0.1", "sport": 67,
                                         "destination_mac": "02:00:00:00:01:01"}),
]

REPLIES = [
    down("offer"),
    down("offer to the second segment", more=[(AGENT, D2_82)], segment=2,
         fields={"giaddr": "10.102.0.1", "yiaddr": "10.102.0.50"}),
    down("offer by broadcast", fields={"flags": BROADCAST_FLAG}),
    down("ack", ACK),
    down("ack by broadcast", ACK, fields={"flags": BROADCAST_FLAG}),
    down("forcerenew", 9),
    down("ack to a rebinding client", ACK, fields=PRESENT),
    down("nak by broadcast", NAK, fields={"flags": BROADCAST_FLAG, "yiaddr": "0.0.0.0"}),
    down("nak without broadcast flag", NAK, fields={"yiaddr": "0.0.0.0"}),
    down("ack to inform", ACK, fields={**PRESENT, "yiaddr": "0.0.0.0"}),
    down("offer without option 82", more=[]),
    down("offer with a foreign option 82", more=[(AGENT, FOREIGN_82)]),
    down("option 82 before other options", more=[(AGENT, OURS_82), (message.HOST_NAME, b"a-longer-host-name")]),
    down("option 82 twice", more=[(AGENT, OURS_82), (message.HOST_NAME, b"host"), (AGENT, OURS_82)]),
    down("option 82 in two parts", more=[(AGENT, OURS_82[:2]), (AGENT, OURS_82[2:])]),
    down("empty option 82", more=[(AGENT, b"")]),
    down("pads between options", more=[(PAD, b""), (AGENT, OURS_82), (PAD, b""), (message.HOST_NAME, b"host")]),
    down("vendor option that looks like option 82", first=[(VENDOR, b"\x52\x04\x01\x02d1\xff\x00")]),
    down("overload with option 82 in file", first=[(OVERLOAD, b"\x01")], fields={"file": b"\x52\x04\x01\x02d1\xff"}),
    down("sname, file, siaddr, secs, hops",
         fields={"sname": b"server", "file": b"boot", "siaddr": "10.9.0.9", "secs": 7, "hops": 3}),
    down("short offer", size=0),
    down("offer of 800 octets", size=800),
    down("offer of 1000 octets full of options", first=[(VENDOR, bytes(230))] * 3),
    down("bootp reply without cookie", fields={"cookie": b"", "end": False}),
    down("giaddr of nobody", fields={"giaddr": "10.66.6.6"}, frame={"destination": "10.101.0.1"}),
    down("giaddr zero", fields={"giaddr": "0.0.0.0"}, frame={"destination": "10.101.0.1"}),
    down("giaddr of the servers' side", fields={"giaddr": "10.9.0.1"}),
    down("sent to the servers' side", frame={"destination": "10.9.0.1"}),
    down("unknown server", frame={"source": "10.9.0.77"}),
    down("multicast chaddr", fields={"chaddr": bytes.fromhex("01005e000001")}),
    down("ipoib", fields={"htype": 32, "hlen": 0, "chaddr": bytes(16), "flags": BROADCAST_FLAG}),
    down("hlen 17", fields={"hlen": 17}),
    down("option beyond the end", more=[(AGENT, OURS_82), (VENDOR, bytes(200))], cut=400),
    down("leasequery answer", 13),
    down("op 3", fields={"op": 3}),
    Case("request from the servers' side", request(giaddr="0.0.0.0"), from_server=True,
         frame={"destination": "10.9.0.1"}),
]

CASES = {("request: " if not case.from_server else "reply: ") + case.name: case for case in REQUESTS + REPLIES}

# What differs, and why ours is right.
_ONLY_THEIRS, _ONLY_OURS = "only theirs is relayed", "only ours is relayed"
DIFFERENT = {
    "request: bootp with cookie": ("options", "RFC 3046 2.1: any recognised BOOTP or DHCP message, not DHCP alone"),
    "request: empty options": ("options", "RFC 3046 2.1: any recognised BOOTP or DHCP message, not DHCP alone"),
    "request: octets after end": ("octets outside of fields and options", "RFC 1542 4.1.1: all else is left alone"),
    "request: pads between options": ("octets outside of fields and options", "RFC 1542 4.1.1: pads are left alone"),
    "request: op 0": (_ONLY_THEIRS, "RFC 1542 2.1: op is 1 or 2"),
    "request: op 3": (_ONLY_THEIRS, "RFC 1542 2.1: op is 1 or 2"),
    "request: op 255": (_ONLY_THEIRS, "RFC 1542 2.1: op is 1 or 2"),
    "request: hops 5": (_ONLY_THEIRS, "RFC 1542 4.1.1: the default threshold should be 4"),
    "request: relayed before": ("options", "RFC 3046 2.1.1: no option 82 where giaddr is not zero"),
    "request: relayed before with option 82": ("options", "RFC 3046 2.1.1: the first agent's option 82 is kept"),
    "request: option 82 from a client": (_ONLY_THEIRS, "RFC 3046 2.1: discarded on an untrusted circuit"),
    "request: empty option 82 from a client": (_ONLY_THEIRS, "RFC 3046 2.1: discarded on an untrusted circuit"),
    "request: 600 octets full of options": (_ONLY_OURS, "RFC 1542 2.1: larger messages must be accepted"),
    "request: 1000 octets full of options": (_ONLY_OURS, "RFC 1542 2.1: larger messages must be accepted"),
    "request: 236 octets": ("cookie, options, end", "theirs sends octets of another client's message to the servers"),
    "request: 240 octets": ("options", "theirs sends octets of another client's message to the servers"),
    "request: unicast through the router": ("theirs at server 1, server 1, server 2, ours at server 1",
                                            "RFC 1542 4.1: only what is delivered locally is relayed"),
    "reply: nak without broadcast flag": ("addressee", "RFC 2131 4.3.2: a NAK is broadcast, not sent to 0.0.0.0"),
    "reply: ack to inform": ("addressee", "RFC 2131 4.3.5: to ciaddr, not to 0.0.0.0"),
    "reply: offer with a foreign option 82": ("options", "RFC 3046 2.1: the agent that added it removes it"),
    "reply: empty option 82": ("options", "RFC 3046 2.1: the agent that added it removes it"),
    "reply: giaddr of nobody": (_ONLY_THEIRS, "RFC 1542 4.1.2: discarded where giaddr is none of the agent's"),
    "reply: giaddr zero": (_ONLY_THEIRS, "RFC 1542 4.1.2: discarded where giaddr is none of the agent's"),
    "reply: giaddr of the servers' side": (_ONLY_THEIRS, "RFC 1542 4.1.2: giaddr is the clients' interface"),
    "reply: unknown server": (_ONLY_THEIRS, "RFC 8213 3: replies of configured servers alone, by default"),
    "reply: multicast chaddr": ("addressee", "RFC 1542 4.1.2: broadcast where unicast is not possible"),
    "reply: leasequery answer": (_ONLY_THEIRS, "RFC 4388 6.4: an answer to its requester, not to a client"),
}


@dataclasses.dataclass(frozen=True)
class Output:
    """One message that came out. A server sees which octets, a client also to whom they were addressed."""

    place: str
    mac: str
    address: str
    payload: bytes


def outputs(scene, case, number):
    """What a relay makes of one message."""
    xid = 0x40000000 + number
    wires = {**{f"server {each}": wire for each, wire in scene.servers.items()},
             **{f"segment {each}": wire for each, wire in scene.clients.items()}}
    for wire in wires.values():
        wire.forget()
    octets = case.octets(xid)
    if case.from_server:
        scene.send_reply(octets, **case.frame)
    else:
        scene.send_request(octets, case.segment, **case.frame)
    scene.settle(case.segment)
    router = {each.mac for each in scene.topology.segments} | {UPSTREAM_MAC}
    return sorted((Output(place, frame.destination_mac, frame.destination, frame.payload)
                   for place, wire in wires.items() for frame in wire.read()
                   if frame.source_mac in router and frame.ports and frame.payload[4:8] == xid.to_bytes(4, "big")),
                  key=dataclasses.astuple)


def run(binary, folder):
    """The outputs of one relay for all cases."""
    with contextlib.ExitStack() as stack:
        network = Network()
        stack.callback(network.close)
        scene = Scene(Topology(network), folder, stack)
        scene.topology.segment(1).client.ip(f"addr add {PRESENT_ADDRESS}/24 dev eth0")
        scene.relay(*WORDS, interfaces=[], servers=[], binary=binary)
        return {name: outputs(scene, case, number) for number, (name, case) in enumerate(CASES.items())}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    if ISC is None:
        pytest.skip("not installed: dhcrelay (isc-dhcp-relay)")
    return run(ISC, tmp_path_factory.mktemp("isc")), run(relay.BINARY, tmp_path_factory.mktemp("ours"))


def padding_apart(payload):
    """The octets without zeros behind the END option: both relays may cut or add some when they edit options."""
    return payload.rstrip(b"\0") if payload[236:240] == message.COOKIE else payload


def difference(theirs, ours):
    """In words: what the other relay did and we did not, or the names of the fields that differ."""
    if bool(theirs) != bool(ours):
        return "only theirs is relayed" if theirs else "only ours is relayed"
    if [each.place for each in theirs] != [each.place for each in ours]:
        return f"theirs at {', '.join(o.place for o in theirs)}, ours at {', '.join(o.place for o in ours)}"
    differing = []
    for one, other in zip(theirs, ours):
        if (one.mac, one.address) != (other.mac, other.address):
            differing.append("addressee")
        if padding_apart(one.payload) != padding_apart(other.payload):
            left, right = Message.parse(one.payload), Message.parse(other.payload)
            names = [f.name for f in dataclasses.fields(Message) if getattr(left, f.name) != getattr(right, f.name)]
            differing += names or ["octets outside of fields and options"]
    return ", ".join(dict.fromkeys(differing))


@pytest.mark.parametrize("name", CASES)
def test_same_as_isc(both, name):
    """Octet by octet, padding apart, or listed with a reason."""
    theirs, ours = both
    found = difference(theirs[name], ours[name])
    listed = DIFFERENT.get(name, ("", ""))[0]
    assert found == listed, f"ISC dhcrelay:\n{theirs[name]}\nours:\n{ours[name]}"


def test_every_listed_difference_is_a_case():
    """And at least 40 messages are compared."""
    assert set(DIFFERENT) <= set(CASES)
    assert len(CASES) >= 40
