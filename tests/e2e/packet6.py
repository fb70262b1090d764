"""Ethernet, IPv6 and UDP around a payload, octet by octet: fragments, extension headers and wrong sums included."""

import itertools
import socket
import struct

from message import checksum, mac_octets
from message6 import CLIENT_PORT, RELAYS_AND_SERVERS, SERVER_PORT

UDP, ICMP, HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS = 17, 58, 0, 43, 44, 60
_identifications = itertools.count(1)


def pack(address):
    return socket.inet_pton(socket.AF_INET6, address)


def multicast_mac(address):
    """RFC 2464 section 7."""
    return "33:33:" + pack(address)[12:].hex(":")


def link_local(mac):
    """The address that an interface with this hardware address makes for itself (RFC 4291 appendix A)."""
    octets = bytearray(mac_octets(mac))
    octets[0] ^= 2
    return socket.inet_ntop(socket.AF_INET6, b"\xfe\x80" + bytes(6) + octets[:3] + b"\xff\xfe" + octets[3:])


def udp_checksum(source, destination, datagram):
    """The sum of RFC 8200 section 8.1; of a datagram that contains a correct sum it is 0."""
    return checksum(pack(source) + pack(destination) + struct.pack("!II", len(datagram), UDP) + datagram)


def udp_packet(payload, source, destination, sport, dport, check="good"):
    """UDP header and payload. `check`: good, bad or zero, which IPv6 does not allow."""
    header = struct.pack("!HHHH", sport, dport, (8 + len(payload)) & 0xffff, 0)
    value = 0
    if check != "zero":
        value = udp_checksum(source, destination, header + payload) or 0xffff
    if check == "bad":
        value = value ^ 0x5555 or 1
    return header[:6] + struct.pack("!H", value) + payload


def extension(kind, following, size=8):
    """An extension header of this many octets, for hop-by-hop or destination options: (kind, octets). The option in it
    is one for experiments, which who does not know it passes over (RFC 4727 section 3.1)."""
    return kind, bytes([following, size // 8 - 1, 0x1e, size - 4]) + bytes(size - 4)


def ip_frames(body, source, destination, source_mac, destination_mac, next_header=UDP, hop_limit=64, mtu=1500):
    """Ethernet frames that carry `body` in one IPv6 packet, or in as many fragments as the MTU demands."""
    ends = mac_octets(destination_mac) + mac_octets(source_mac) + b"\x86\xdd"

    def packet(following, part):
        return ends + struct.pack("!IHBB16s16s", 6 << 28, len(part), following, hop_limit, pack(source),
                                  pack(destination)) + part
    if len(body) <= mtu - 40:
        return [packet(next_header, body)]
    identification = next(_identifications)
    room = (mtu - 48) & ~7
    return [packet(FRAGMENT, struct.pack("!BBHI", next_header, 0, offset | (offset + room < len(body)), identification)
                   + body[offset:offset + room]) for offset in range(0, len(body), room)]


def udp_frames(payload, source, destination=RELAYS_AND_SERVERS, sport=CLIENT_PORT, dport=SERVER_PORT, *, source_mac,
               destination_mac=None, check="good", hop_limit=64, mtu=1500, extensions=()):
    """Ethernet frames that carry one UDP datagram, by default to all relay agents and servers of the link. `extensions`
    are headers between IPv6's and UDP's, as (kind, size)."""
    body = udp_packet(payload, source, destination, sport, dport, check)
    following = UDP
    for kind, size in reversed(extensions):
        following, octets = extension(kind, following, size)
        body = octets + body
    return ip_frames(body, source, destination, source_mac, destination_mac or multicast_mac(destination), following,
                     hop_limit, mtu)
