"""The end of a cable that understands IPv6 beside IPv4: the DHCPv6 messages in the frames that pass.

Datagrams in fragments are put together and seen once, when complete; extension headers are passed over.
"""

import functools
import socket
import struct
from dataclasses import dataclass

import message6
from packet6 import FRAGMENT, HOP_BY_HOP, ICMP, UDP, DESTINATION_OPTIONS, ROUTING, udp_checksum
from wire import Frame, Wire

IPV6 = 0x86dd
_EXTENSIONS = (HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS)


@dataclass(frozen=True)
class Frame6(Frame):
    """`packet` is the IPv6 packet, whole even where it came in several `fragments`; `message6` the DHCPv6 message in
    it, or None."""

    @property
    def source(self):
        return socket.inet_ntop(socket.AF_INET6, self.packet[8:24])

    @property
    def destination(self):
        return socket.inet_ntop(socket.AF_INET6, self.packet[24:40])

    @property
    def ttl(self):
        return self.packet[7]

    @functools.cached_property
    def _body(self):
        """The protocol behind all extension headers, and its octets."""
        following, at = self.packet[6], 40
        while following in _EXTENSIONS and at + 8 <= len(self.packet):
            following, at = self.packet[at], at + 8 + 8 * self.packet[at + 1]
        return following, self.packet[at:]

    @property
    def protocol(self):
        return self._body[0]

    @property
    def _datagram(self):
        return self._body[1] if self.protocol == UDP else b""

    @property
    def message(self):
        """No BOOTP message."""
        return None

    @functools.cached_property
    def message6(self):
        """Looks at what DHCPv6's ports are in alone."""
        if not self.ports or not {message6.CLIENT_PORT, message6.SERVER_PORT} & set(self.ports):
            return None
        return message6.parse(self.payload)

    @property
    def checksums_valid(self):
        size = struct.unpack_from("!H", self._datagram, 4)[0]
        return udp_checksum(self.source, self.destination, self._datagram[:size]) == 0

    @property
    def icmp_type(self):
        """Of ICMPv6, or None."""
        return self._body[1][0] if self.protocol == ICMP and self._body[1] else None

    def __str__(self):
        line = super().__str__()
        said = self.message6
        while isinstance(said, message6.RelayMessage):
            line += (f" [{said.kind} hop {said.hop_count} link {said.link_address} peer {said.peer_address} options "
                     f"{[code for code, _ in said.options]}]")
            said = said.inner
        if said:
            line += f" kind {said.kind} xid {said.xid:#x} options {[code for code, _ in said.options]}"
        return line


def arrived6(kind=None, **fields):
    """A predicate: an arriving DHCPv6 message with these fields."""
    if kind is not None:
        fields["kind"] = kind

    def matches(frame):
        said = None if frame.outgoing or not isinstance(frame, Frame6) else frame.message6
        return said is not None and all(getattr(said, name, None) == value for name, value in fields.items())
    return matches


class Wire6(Wire):
    """One interface of a namespace, seen from below."""

    def _take(self, octets, moment, outgoing):
        if int.from_bytes(octets[12:14], "big") != IPV6 or len(octets) < 54:
            super()._take(octets, moment, outgoing)
            return
        packet = octets[14:54 + int.from_bytes(octets[18:20], "big")]
        if packet[6] != FRAGMENT or len(packet) < 48:
            self.frames.append(Frame6(octets, moment, outgoing, packet))
            return
        following, place, identification = struct.unpack_from("!BxHI", packet, 40)
        key = (packet[8:40], identification, outgoing)
        parts = self._fragments.setdefault(key, {})
        parts[place & 0xfff8] = (packet[48:], bool(place & 1))
        body, size = _join(parts), len(parts)
        if body is not None:
            del self._fragments[key]
            header = packet[:4] + struct.pack("!HB", len(body) & 0xffff, following) + packet[7:40]
            self.frames.append(Frame6(octets, moment, outgoing, header + body, size))


def _join(parts):
    """What the fragments make together, or None while one lacks."""
    body = b""
    while len(body) in parts:
        piece, more = parts[len(body)]
        body += piece
        if not more or not piece:
            return body
    return None
