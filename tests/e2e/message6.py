"""DHCPv6 messages, built and read field by field: those of clients and servers, and those of relay agents around them.

Our own, on purpose independent of the relay's code: the tests are the second opinion. Options stay a list in the order
of the wire, what a relay message carries stays octets; whatever is malformed is made by writing octets.
"""

import itertools
import socket
import struct
from dataclasses import dataclass, field, replace

SOLICIT, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE, DECLINE, RECONFIGURE = range(1, 11)
INFORMATION_REQUEST, RELAY_FORWARD, RELAY_REPLY, LEASE_QUERY, LEASE_QUERY_REPLY = range(11, 16)
RECONFIGURE_REQUEST, RECONFIGURE_REPLY, DHCPV4_QUERY, ADDRESS_REGISTRATION = 18, 19, 20, 36
OF_CLIENTS = (SOLICIT, REQUEST, CONFIRM, RENEW, REBIND, RELEASE, DECLINE, INFORMATION_REQUEST)

CLIENT_ID, SERVER_ID, IA_NA, IA_TA, IA_ADDRESS, WANTED, PREFERENCE, ELAPSED, RELAY_MESSAGE = range(1, 10)
UNICAST, STATUS, RAPID_COMMIT, USER_CLASS, VENDOR, INTERFACE_ID, RECONFIGURE_MESSAGE = 12, 13, 14, 15, 17, 18, 19
RECONFIGURE_ACCEPT, NAME_SERVERS, IA_PD, IA_PREFIX, REMOTE_ID, SUBSCRIBER_ID, ECHO_REQUEST = 20, 23, 25, 26, 37, 38, 43
RELAY_ID, ERP_DOMAIN, RELAY_SUPPLIED, VIRTUAL_SUBNET, CLIENT_LINK_LAYER, RELAY_PORT = 53, 65, 66, 68, 79, 135

CLIENT_PORT, SERVER_PORT = 546, 547
ANY, RELAYS_AND_SERVERS, SERVERS = "::", "ff02::1:2", "ff05::1:3"

_HEADER = struct.Struct("!BB16s16s")


def encode_options(options):
    return b"".join(struct.pack("!HH", code, len(value)) + value for code, value in options)


def parse_options(octets):
    """The options up to the end or to the first damage, and whether there was none."""
    options, at = [], 0
    while at + 4 <= len(octets):
        code, size = struct.unpack_from("!HH", octets, at)
        if at + 4 + size > len(octets):
            return options, False
        options.append((code, octets[at + 4:at + 4 + size]))
        at += 4 + size
    return options, at == len(octets)


class _WithOptions:
    def but(self, **changes):
        return replace(self, **changes)

    def all(self, code):
        """The values of all options of this code, in order."""
        return [value for each, value in self.options if each == code]

    def option(self, code):
        """The value of the first option of this code, or None."""
        return next(iter(self.all(code)), None)


@dataclass(frozen=True)
class Message(_WithOptions):
    """What a client or a server says (RFC 8415 section 8). `is_whole`: the options go to the very end."""

    kind: int = SOLICIT
    xid: int = 0x112233
    options: list = field(default_factory=list)
    is_whole: bool = True

    def encode(self):
        return struct.pack("!I", self.kind << 24 | self.xid) + encode_options(self.options)


@dataclass(frozen=True)
class RelayMessage(_WithOptions):
    """Relay-forward and Relay-reply (RFC 8415 section 9)."""

    kind: int = RELAY_FORWARD
    hop_count: int = 0
    link_address: str = ANY
    peer_address: str = ANY
    options: list = field(default_factory=list)
    is_whole: bool = True

    def encode(self):
        return self._header() + encode_options(self.options)

    def _header(self):
        return _HEADER.pack(self.kind, self.hop_count, socket.inet_pton(socket.AF_INET6, self.link_address),
                            socket.inet_pton(socket.AF_INET6, self.peer_address))

    @property
    def carried(self):
        """The octets of the message in it, or None."""
        return self.option(RELAY_MESSAGE)

    @property
    def inner(self):
        """The message in it, or None."""
        return None if self.carried is None else parse(self.carried)

    @property
    def others(self):
        """Its options without the message in it."""
        return [each for each in self.options if each[0] != RELAY_MESSAGE]

    @property
    def xid(self):
        """That of the innermost message, or None."""
        message = innermost(self)
        return message.xid if isinstance(message, Message) else None


def parse(octets):
    """The message in a UDP payload, or None where its header is not whole."""
    if len(octets) < 4:
        return None
    if octets[0] in (RELAY_FORWARD, RELAY_REPLY):
        if len(octets) < _HEADER.size:
            return None
        kind, hop_count, *addresses = _HEADER.unpack_from(octets)
        link, peer = (socket.inet_ntop(socket.AF_INET6, address) for address in addresses)
        return RelayMessage(kind, hop_count, link, peer, *parse_options(octets[_HEADER.size:]))
    return Message(octets[0], int.from_bytes(octets[1:4], "big"), *parse_options(octets[4:]))


def innermost(message):
    """What is in all the relay messages; None where the last of them carries nothing that can be read."""
    while isinstance(message, RelayMessage):
        message = message.inner
    return message


# --- values of options ------------------------------------------------------------------------------------------------

def duid_llt(mac, moment=0x20000000):
    """RFC 8415 section 11.2; `mac` is text or octets."""
    return struct.pack("!HHI", 1, 1, moment) + _octets(mac)


def duid_en(enterprise, identifier):
    return struct.pack("!HI", 2, enterprise) + identifier


def duid_ll(mac):
    return struct.pack("!HH", 3, 1) + _octets(mac)


def duid_uuid(identifier):
    """RFC 6355."""
    return struct.pack("!H", 4) + identifier


def _octets(mac):
    return bytes.fromhex(mac.replace(":", "")) if isinstance(mac, str) else mac


def ia_na(iaid=1, addresses=(), t1=0, t2=0, more=()):
    """An option; `addresses` are texts, or of them and preferred and valid lifetime."""
    leases = [(IA_ADDRESS, socket.inet_pton(socket.AF_INET6, address) + struct.pack("!II", *lifetimes))
              for address, *lifetimes in _with_lifetimes(addresses)]
    return IA_NA, struct.pack("!III", iaid, t1, t2) + encode_options([*leases, *more])


def ia_pd(iaid=1, prefixes=(), t1=0, t2=0, more=()):
    """An option; `prefixes` are texts such as 2001:db8:f::/48, or of them and preferred and valid lifetime."""
    leases = []
    for prefix, *lifetimes in _with_lifetimes(prefixes):
        address, size = prefix.split("/")
        octets = struct.pack("!IIB", *lifetimes, int(size)) + socket.inet_pton(socket.AF_INET6, address)
        leases.append((IA_PREFIX, octets))
    return IA_PD, struct.pack("!III", iaid, t1, t2) + encode_options([*leases, *more])


def _with_lifetimes(leases):
    return [(each, 3600, 7200) if isinstance(each, str) else each for each in leases]


def status(code, text=b""):
    """An option."""
    return STATUS, struct.pack("!H", code) + text


def addresses_of(message):
    """The addresses in all of its IA_NA."""
    return [socket.inet_ntop(socket.AF_INET6, value[:16]) for identity in message.all(IA_NA)
            for code, value in parse_options(identity[12:])[0] if code == IA_ADDRESS]


def prefixes_of(message):
    """The prefixes in all of its IA_PD, as text."""
    return [f"{socket.inet_ntop(socket.AF_INET6, value[9:25])}/{value[8]}" for identity in message.all(IA_PD)
            for code, value in parse_options(identity[12:])[0] if code == IA_PREFIX]


# --- messages of the usual shape --------------------------------------------------------------------------------------

_xids = itertools.count(0x200001)


def next_xid():
    return next(_xids)


def request(kind=SOLICIT, mac="02:00:00:00:00:01", more=(), **fields):
    """A client's message with an xid of its own."""
    options = [(CLIENT_ID, duid_ll(mac)), (ELAPSED, bytes(2)), (WANTED, struct.pack("!HH", NAME_SERVERS, 24))]
    if kind not in (CONFIRM, INFORMATION_REQUEST):
        options.append(ia_na())
    if kind in (REQUEST, RENEW, RELEASE, DECLINE):
        options.append((SERVER_ID, SERVER_DUID))
    return Message(**{"kind": kind, "xid": next_xid(), "options": [*options, *more], **fields})


SERVER_DUID = duid_en(32473, b"server")


def answer(to, kind=None, address="2001:db8:ffff::1", more=(), **fields):
    """What a server says to a client's message: an address."""
    if kind is None:
        kind = ADVERTISE if to.kind == SOLICIT else REPLY
    options = [(CLIENT_ID, to.option(CLIENT_ID) or b""), (SERVER_ID, SERVER_DUID),
               ia_na(1, [address] if address else [], 1800, 2880)]
    return Message(**{"kind": kind, "xid": to.xid, "options": [*options, *more], **fields})


def wrapped(octets, link_address=ANY, peer_address="fe80::99", hop_count=0, kind=RELAY_FORWARD, first=(), more=()):
    """A relay message around another, options `first` in front of the message and `more` behind it."""
    octets = octets if isinstance(octets, bytes) else octets.encode()
    return RelayMessage(kind, hop_count, link_address, peer_address, [*first, (RELAY_MESSAGE, octets), *more])


_ECHOED = (INTERFACE_ID, VIRTUAL_SUBNET, RELAY_PORT)


def reply_to(forward, answered, first=(), more=()):
    """The Relay-reply to a Relay-forward, level by level, each with what a server has to send back (RFC 8415 sections
    19.3 and 21.18, RFC 6607 section 5, RFC 8357 section 5.3). `answered` is the message for the client, or its octets;
    `first` and `more` are further options of the outermost level."""
    inner = forward.inner
    if isinstance(inner, RelayMessage):
        answered = reply_to(inner, answered)
    echoed = [each for each in forward.others if each[0] in _ECHOED]
    return wrapped(answered, forward.link_address, forward.peer_address, forward.hop_count, RELAY_REPLY,
                   [*first, *echoed], more)
