"""One end of a cable: sends frames of any shape and witnesses all that pass.

Reads from a packet socket only when asked, so that nothing is missed and no thread is needed; a large receive buffer
holds what passes meanwhile. Datagrams in fragments are put together and seen once, when complete.
"""

import functools
import select
import socket
import struct
import time
from dataclasses import dataclass

from message import Message, checksum, udp_checksum
from wait import TIMEOUT

_ETH_P_ALL = 3
_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35
_SOL_PACKET = 263
_PACKET_STATISTICS = 6
_PACKET_IGNORE_OUTGOING = 23
_PACKET_OUTGOING = 4
ARP = 0x0806


@dataclass(frozen=True)
class Frame:
    """What passed. `packet` is the IPv4 packet, whole even where it came in several `fragments`."""

    octets: bytes
    time: float
    outgoing: bool
    packet: bytes = b""
    fragments: int = 1

    @property
    def ethertype(self):
        return int.from_bytes(self.octets[12:14], "big")

    @property
    def destination_mac(self):
        return self.octets[:6].hex(":")

    @property
    def source_mac(self):
        return self.octets[6:12].hex(":")

    @property
    def source(self):
        return socket.inet_ntoa(self.packet[12:16])

    @property
    def destination(self):
        return socket.inet_ntoa(self.packet[16:20])

    @property
    def ttl(self):
        return self.packet[8]

    @property
    def protocol(self):
        return self.packet[9] if self.packet else None

    @property
    def _datagram(self):
        return self.packet[(self.packet[0] & 15) * 4:] if self.protocol == 17 else b""

    @property
    def ports(self):
        """Source and destination port, or None where this is not UDP."""
        return struct.unpack_from("!HH", self._datagram) if len(self._datagram) >= 8 else None

    @property
    def payload(self):
        size = struct.unpack_from("!H", self._datagram, 4)[0]
        return self._datagram[8:size]

    @functools.cached_property
    def message(self):
        """The BOOTP message in it, or None."""
        return Message.parse(self.payload) if self.ports and self.ports[1] in (67, 68) else None

    @property
    def checksums_valid(self):
        header = self.packet[:(self.packet[0] & 15) * 4]
        size = struct.unpack_from("!H", self._datagram, 4)[0]
        return checksum(header) == 0 and udp_checksum(self.source, self.destination, self._datagram[:size]) == 0

    def __str__(self):
        line = f"{'sent' if self.outgoing else 'came'} {self.source_mac}>{self.destination_mac} "
        if self.packet:
            line += f"{self.source}>{self.destination} protocol {self.protocol} ports {self.ports}"
        else:
            line += f"type {self.ethertype:#x}"
        if self.message:
            message = self.message
            line += (f" op {message.op} kind {message.kind} xid {message.xid:#x} hops {message.hops} "
                     f"giaddr {message.giaddr} yiaddr {message.yiaddr}")
        return line


def arrived(op=None, **fields):
    """A predicate: an arriving BOOTP message with these fields."""
    if op is not None:
        fields["op"] = op

    def matches(frame):
        message = None if frame.outgoing else frame.message
        return message is not None and all(getattr(message, name) == value for name, value in fields.items())
    return matches


class Wire:
    """One interface of a namespace, seen from below."""

    def __init__(self, namespace, interface="eth0", buffer=1 << 27, outgoing=True):
        self._socket = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, buffer)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, not outgoing)
        self._socket.setblocking(False)
        self._fragments = {}
        with namespace.inside():
            self._socket.bind((interface, _ETH_P_ALL))
        self.frames = []

    def close(self):
        self._socket.close()

    def lost(self):
        """Frames that did not fit into the receive buffer."""
        return struct.unpack("=II", self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))[1]

    def send(self, frames):
        for frame in frames:
            self._socket.send(frame)

    def read(self):
        """Takes in what has passed so far and returns all frames since the start or the last `forget`."""
        while True:
            try:
                octets, ancillary, _, address = self._socket.recvmsg(70000, 64)
            except BlockingIOError:
                return self.frames
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16]) if ancillary else (0, 0)
            self._take(octets, seconds + nanoseconds / 1e9, address[2] == _PACKET_OUTGOING)

    def forget(self):
        self.read()
        self.frames = []

    def take(self, patience=0):
        """The frames since the last `take` or `forget`; where there are none, waits so many seconds for some."""
        if not self.read() and patience > 0:
            select.select([self._socket], [], [], patience)
            self.read()
        taken, self.frames = self.frames, []
        return taken

    def _take(self, octets, moment, outgoing):
        if octets[12:14] != b"\x08\x00":
            self.frames.append(Frame(octets, moment, outgoing))
            return
        packet = octets[14:14 + int.from_bytes(octets[16:18], "big")]
        place = int.from_bytes(packet[6:8], "big")
        if not place & 0x3fff:
            self.frames.append(Frame(octets, moment, outgoing, packet))
            return
        key = (packet[4:6], packet[9:10], packet[12:20], outgoing)
        parts = self._fragments.setdefault(key, {})
        parts[(place & 0x1fff) * 8] = (packet, bool(place & 0x2000))
        whole, size = _join(parts), len(parts)
        if whole:
            del self._fragments[key]
            self.frames.append(Frame(octets, moment, outgoing, whole, size))

    def all(self, predicate):
        return [frame for frame in self.read() if predicate(frame)]

    def expect(self, predicate, timeout=TIMEOUT, what="the expected frame"):
        """Waits for a frame and returns it; frames that passed since the last `forget` count."""
        deadline = time.monotonic() + timeout
        while True:
            for frame in self.read():
                if predicate(frame):
                    return frame
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"{what} did not pass within {timeout} s; what did:\n{describe(self.frames)}")
            select.select([self._socket], [], [], left)


def _join(parts):
    packet, at = b"", 0
    while at in parts:
        piece, more = parts[at]
        packet += piece if not packet else piece[20:]
        at += len(piece) - 20
        if not more:
            header = packet[:2] + struct.pack("!H", len(packet)) + packet[4:6] + b"\0\0" + packet[8:10] + b"\0\0"
            header += packet[12:20]
            return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + packet[20:]
    return None


def describe(frames, last=20):
    """The last frames, one line each, for a failed test's message."""
    return "\n".join(map(str, frames[-last:])) or "(nothing)"
