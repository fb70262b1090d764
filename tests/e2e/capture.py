"""What is in a capture that the relay writes: as tshark reads it, and block by block.

The block reader is our own, for what tshark does not print and for looking often. It ends at a block that is not whole
yet, as it may meet it where the file is being written; one whose two lengths differ fails the test.
"""

import re
import socket
import struct
import subprocess
from dataclasses import dataclass

from wait import wait_until

_AS_ROOT = re.compile(r"Running as user .*\n")
_CUT = re.compile(r"\w+: .* appears to have been cut short in the middle of a packet\.\n.*", re.S)
_SECTION, _INTERFACE, _STATISTICS, _PACKET = 0x0a0d0d0a, 1, 5, 6
_COMMENT = 1
_INBOUND, _OUTBOUND = 1, 2

FIELDS = ["-T", "fields", "-e", "frame.interface_name", "-e", "dhcp.id", "-e", "frame.comment"]


# --- as Wireshark's programs read it ----------------------------------------------------------------------------------

def run(*argv, may_be_cut=False):
    """Their standard output; the file has to be to their liking. `may_be_cut`: its end may be missing, as where it is
    read while the kernel copies what is written, which is not done at a stroke."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False, timeout=60)
    complaint = _AS_ROOT.sub("", done.stderr)
    is_cut = may_be_cut and _CUT.fullmatch(complaint) is not None
    assert is_cut or (done.returncode, complaint) == (0, ""), f"{argv}: status {done.returncode}: {complaint}"
    return done.stdout


def row(line):
    """Interface, xid and comment in a line of tshark's; without xid where it sees no BOOTP message."""
    interface, xid, comment = line.rstrip("\n").split("\t")
    return interface, int(xid, 16) if xid else None, comment


def rows(file, *further, may_be_cut=False):
    """The row of each packet."""
    printed = run("tshark", "-n", "-r", file, *further, *FIELDS, may_be_cut=may_be_cut)
    return [row(line) for line in printed.splitlines()]


def describe(found):
    return "\n".join(f"{number} {each}" for number, each in enumerate(found, 1)) or "(nothing)"


# --- block by block ---------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Interface:
    name: str
    description: str
    addresses: list
    mac: str
    resolution: int
    filter: str


@dataclass(frozen=True)
class Packet:
    interface: Interface
    time: int
    outgoing: bool
    octets: bytes
    comment: str
    lost: int  # packets and verdicts, before this one


class Capture:
    """All of a file's content."""

    def __init__(self, file):
        self.sections, self.interfaces, self.packets, self.statistics = [], [], [], []
        for kind, body in _blocks(file.read_bytes()):
            self._take(kind, body)

    def _take(self, kind, body):
        if kind == _SECTION:
            self.sections.append(_options(body, 16))
            self._first = len(self.interfaces)
        elif kind == _INTERFACE:
            self.interfaces.append(_interface(body))
        elif kind == _STATISTICS:
            self.statistics.append(struct.unpack_from("=I", body)[0])
        elif kind == _PACKET:
            self.packets.append(self._packet(body))

    def _packet(self, body):
        interface, high, low, size, _ = struct.unpack_from("=5I", body)
        options = _options(body, 20 + (size + 3) // 4 * 4)
        direction = struct.unpack("=I", options[2][0])[0] & 3
        assert direction in (_INBOUND, _OUTBOUND)
        comments = [value.decode() for value in options.get(_COMMENT, [])]
        lost = struct.unpack("=Q", options[4][0])[0] if 4 in options else 0
        return Packet(self.interfaces[self._first + interface], high << 32 | low, direction == _OUTBOUND,
                      body[20:20 + size], "\n".join(comments), lost)


def _blocks(octets):
    at = 0
    while at + 12 <= len(octets):
        kind, size = struct.unpack_from("=II", octets, at)
        assert size >= 12 and size % 4 == 0, f"a block of {size} octets at {at}"
        if at + size > len(octets):
            return
        assert struct.unpack_from("=I", octets, at + size - 4)[0] == size
        yield kind, octets[at + 8:at + size - 4]
        at += size


def _options(body, at):
    """The values of each code."""
    found = {}
    while at < len(body):
        code, size = struct.unpack_from("=HH", body, at)
        if code == 0:
            break
        found.setdefault(code, []).append(body[at + 4:at + 4 + size])
        at += 4 + (size + 3) // 4 * 4
    return found


def _interface(body):
    options = _options(body, 8)

    def text(code):
        return options[code][0].decode() if code in options else ""
    addresses = [f"{socket.inet_ntoa(each[:4])}/{bin(int.from_bytes(each[4:], 'big')).count('1')}"
                 for each in options.get(4, [])]
    mac = options[6][0].hex(":") if 6 in options else ""
    captured = options[11][0][1:].decode() if 11 in options else ""
    return Interface(text(2), text(3), addresses, mac, options[9][0][0] if 9 in options else 6, captured)


def comments(file):
    """The comments of all packets, in order."""
    return [packet.comment for packet in Capture(file).packets]


def await_packets(file, count):
    """Waits until at least so many packets are in the file."""
    wait_until(lambda: file.exists() and len(comments(file)) >= count,
               lambda: f"{count} packets in {file}:\n{describe(comments(file))}", pause=0.05)
