"""BOOTP and DHCP messages, and the Ethernet, IP and UDP around them: built and read field by field.

Our own, on purpose independent of the relay's code: the tests are the second opinion. A message keeps its options as
a list in the order of the wire; whatever is malformed is made by writing octets.
"""

import socket
import struct
from dataclasses import dataclass, field, replace

COOKIE = bytes.fromhex("63825363")
PAD, SUBNET_MASK, HOST_NAME, VENDOR, REQUESTED, LEASE_TIME, OVERLOAD, KIND, SERVER_ID = 0, 1, 12, 43, 50, 51, 52, 53, 54
CLIENT_ID, AGENT, END = 61, 82, 255
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
BROADCAST_FLAG = 0x8000
SERVER_PORT, CLIENT_PORT = 67, 68
BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"
ANY, BROADCAST = "0.0.0.0", "255.255.255.255"

_FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")


def mac_octets(text):
    return bytes.fromhex(text.replace(":", ""))


def encode_options(options):
    return b"".join(bytes([code]) if code in (PAD, END) else bytes([code, len(value)]) + value
                    for code, value in options)


@dataclass(frozen=True)
class Message:
    """A BOOTP message. `options` ends with the END option unless `end` is false."""

    op: int = 1
    htype: int = 1
    hlen: int = 6
    hops: int = 0
    xid: int = 0x11223344
    secs: int = 0
    flags: int = 0
    ciaddr: str = ANY
    yiaddr: str = ANY
    siaddr: str = ANY
    giaddr: str = ANY
    chaddr: bytes = mac_octets("02:00:00:00:00:01")
    sname: bytes = b""
    file: bytes = b""
    cookie: bytes = COOKIE
    options: list = field(default_factory=list)
    end: bool = True

    def but(self, **changes):
        return replace(self, **changes)

    def encode(self, size=300):
        """The UDP payload, zero padded to at least `size` octets."""
        addresses = (socket.inet_aton(text) for text in (self.ciaddr, self.yiaddr, self.siaddr, self.giaddr))
        octets = _FIXED.pack(self.op, self.htype, self.hlen, self.hops, self.xid, self.secs, self.flags, *addresses,
                             self.chaddr, self.sname, self.file)
        octets += self.cookie + encode_options(self.options)
        if self.end:
            octets += bytes([END])
        return octets.ljust(size, b"\0")

    @staticmethod
    def parse(payload):
        """The message in a UDP payload, or None where it is shorter than BOOTP's fixed fields. Options are read up
        to END or to the first damage."""
        if len(payload) < _FIXED.size:
            return None
        values = list(_FIXED.unpack_from(payload))
        values[7:11] = [socket.inet_ntoa(value) for value in values[7:11]]
        cookie = payload[_FIXED.size:_FIXED.size + 4]
        options, ended = _parse_options(payload[_FIXED.size + 4:]) if cookie == COOKIE else ([], False)
        return Message(*values, cookie, options, ended)

    def option(self, code):
        """The value of an option, its parts joined (RFC 3396), or None."""
        values = [value for each, value in self.options if each == code]
        return b"".join(values) if values else None

    @property
    def kind(self):
        value = self.option(KIND)
        return value[0] if value and len(value) == 1 else None

    @property
    def mac(self):
        return self.chaddr[:6].hex(":")


def _parse_options(octets):
    options, at = [], 0
    while at < len(octets):
        code = octets[at]
        if code == END:
            return options, True
        if code == PAD:
            at += 1
            continue
        if at + 2 > len(octets) or at + 2 + octets[at + 1] > len(octets):
            break
        options.append((code, octets[at + 2:at + 2 + octets[at + 1]]))
        at += 2 + octets[at + 1]
    return options, False


def request(kind=DISCOVER, **fields):
    """A client's message of the usual shape."""
    chaddr = fields.get("chaddr", Message.chaddr)
    options = [(KIND, bytes([kind])), (CLIENT_ID, b"\1" + chaddr[:6]), (55, bytes([1, 3, 6, 15]))]
    return Message(**{"options": options + fields.pop("more", []), **fields})


def reply(to, kind=OFFER, server="10.9.0.2", **fields):
    """A server's answer to the message `to`, as it arrived at the server, option 82 echoed last (RFC 3046 2.2)."""
    options = [(KIND, bytes([kind])), (SERVER_ID, socket.inet_aton(server)), (LEASE_TIME, struct.pack("!I", 3600)),
               (SUBNET_MASK, bytes([255, 255, 255, 0]))]
    options += fields.pop("more", [])
    if to.option(AGENT) is not None:
        options.append((AGENT, to.option(AGENT)))
    same = {"op": 2, "htype": to.htype, "hlen": to.hlen, "xid": to.xid, "flags": to.flags, "giaddr": to.giaddr,
            "chaddr": to.chaddr, "ciaddr": to.ciaddr if kind == ACK else ANY}
    return Message(**{**same, "options": options, **fields})


def checksum(octets):
    """The Internet checksum (RFC 1071); of data that contains a correct checksum it is 0."""
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def udp_checksum(source, destination, datagram):
    pseudo = socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack("!HH", 17, len(datagram))
    return checksum(pseudo + datagram)


def udp_packet(payload, source, destination, sport, dport, check="good"):
    """UDP header and payload. `check`: good, zero (none, RFC 951 section 3) or bad."""
    header = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    value = 0
    if check != "zero":
        value = udp_checksum(source, destination, header + payload) or 0xffff
    if check == "bad":
        value = value ^ 0x5555 or 1
    return header[:6] + struct.pack("!H", value) + payload


_identifications = iter(range(1, 1 << 30))


def ip_frames(body, source, destination, source_mac, destination_mac, protocol=17, ttl=64, mtu=1500):
    """Ethernet frames that carry `body` in one IPv4 packet, or in as many fragments as the MTU demands."""
    identification = next(_identifications) & 0xffff
    room = (mtu - 20) & ~7
    frames = []
    for offset in range(0, max(len(body), 1), room):
        part = body[offset:offset + room]
        more = 0x2000 if offset + room < len(body) else 0
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(part), identification, more | offset // 8, ttl,
                             protocol, 0, socket.inet_aton(source), socket.inet_aton(destination))
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        frames.append(mac_octets(destination_mac) + mac_octets(source_mac) + b"\x08\x00" + header + part)
    return frames


def udp_frames(payload, source=ANY, destination=BROADCAST, sport=CLIENT_PORT, dport=SERVER_PORT, *, source_mac,
               destination_mac=BROADCAST_MAC, check="good", ttl=64, mtu=1500):
    """Ethernet frames that carry one UDP datagram."""
    return ip_frames(udp_packet(payload, source, destination, sport, dport, check), source, destination, source_mac,
                     destination_mac, ttl=ttl, mtu=mtu)
