"""Bursts of messages of either family, and what became of them, in the words of tests that are the same for both.

`--log-level info`: where each message is logged or captured, each leaves and comes by itself.
"""

import struct

import message
import message6
import packet6
from message import mac_octets, udp_frames
from network6 import CLIENT_LINK_LOCAL
from wire import arrived
from wire6 import arrived6

FIRST_XID = 0x70000000
QUIETLY = ("--log-level", "info")
_XID, _CHADDR = 42 + 4, 42 + 28


def frames(segment, count, first=FIRST_XID, **fields):
    """Requests that differ in xid and, by as much, in chaddr: one checksum is right for all."""
    made, = udp_frames(message.request(xid=0, chaddr=mac_octets("02:00:ff:ff:ff:ff"), **fields).encode(),
                       source_mac=segment.client_mac)
    for number in range(first, first + count):
        frame = bytearray(made)
        struct.pack_into("!I", frame, _XID, number)
        struct.pack_into("!I", frame, _CHADDR + 2, number ^ 0xffffffff)
        yield bytes(frame)


class Storm:
    """Of DHCPv4. `first_xid`, and what a test counts from there on, are its own messages' xids."""

    maker, family, first_xid = "make_scene", "ipv4", FIRST_XID
    beginning, ending = message.DISCOVER, message.REQUEST

    def __init__(self, scene):
        self.scene = scene
        self.relay = None

    def start(self, servers=1):
        """The relay, for so many servers."""
        self.relay = self.scene.relay(*QUIETLY, "-a", servers=[each.address for each in self._first_servers(servers)])

    def _first_servers(self, count):
        return self.scene.topology.servers[:count]

    def counters(self, interface):
        return self.relay.counters(interface, self.family)

    def frames(self, count, segment=1, first=None, **fields):
        """So many requests of this segment with xids in a row."""
        return list(frames(self.scene.topology.segment(segment), count, first or self.first_xid, **fields))

    def many(self, count):
        """The same, of which it is only counted how many there are."""
        return self.frames(count)

    def settle(self):
        """Two more requests pass, behind all others."""
        self.scene.settle()

    def came(self, server=1):
        """The relayed requests at a server, in order."""
        return self.scene.servers[server].all(arrived(op=1))

    def xids(self):
        """Theirs."""
        return [frame.message.xid for frame in self.came()]

    # --- messages of two sizes, told apart ----------------------------------------------------------------------------

    def ask(self, count):
        """Sends so many requests, and returns them."""
        asked = [self.request(number) for number in range(count)]
        for each in asked:
            self.send_request(each)
        return asked

    def request(self, number):
        return message.request(xid=self.first_xid + number,
                               chaddr=mac_octets(f"02:bb:00:00:{number >> 8:02x}:{number & 255:02x}"),
                               options=[(12, b"x" * 40)] if number % 2 else [])

    def send_request(self, asked):
        self.scene.send_request(asked)

    def assert_relayed(self, frame, asked):
        came, place = frame.message, self.scene.topology.segment(1)
        assert (came.mac, came.giaddr, came.hops) == (asked.mac, place.address, 1)
        assert came.options == [*asked.options, (82, b"\1\2d1")]

    def answer(self, frame):
        """Sends a server's answer to what came in this frame."""
        place = self.scene.topology.segment(1)
        self.scene.send_reply(message.reply(frame.message, message.ACK, yiaddr=self._address_for(place, frame.message)))

    def _address_for(self, place, asked):
        return place.host(2 + (asked.xid - self.first_xid) % 200)

    def delivered(self):
        """The answers at the clients."""
        return self.scene.clients[1].all(arrived(op=2))

    def assert_delivered(self, frame, asked):
        assert frame.message.yiaddr == self._address_for(self.scene.topology.segment(1), asked)
        assert 82 not in [code for code, _ in frame.message.options]

    @staticmethod
    def message_in(frame):
        return frame.message


class Storm6(Storm):
    """Of DHCPv6."""

    maker, family, first_xid = "make_scene6", "ipv6", 0x700000
    beginning, ending = message6.SOLICIT, message6.REQUEST

    def start(self, servers=1):
        self.relay = self.scene.relay6(*QUIETLY, servers=[each.address6 for each in self._first_servers(servers)])

    def frames(self, count, segment=1, first=None, **fields):
        mac, first = self.scene.topology.segment(segment).client_mac, first or self.first_xid
        made = [message6.request(mac=mac, xid=number, **fields) for number in range(first, first + count)]
        return [frame for each in made for frame in self._frames_of(each, mac)]

    @staticmethod
    def _frames_of(made, mac):
        return packet6.udp_frames(made.encode(), source=CLIENT_LINK_LOCAL, source_mac=mac)

    def many(self, count):
        """Each several times: to make one takes longer than to send it."""
        return self.frames(1000) * (count // 1000)

    def settle(self):
        self.scene.settle6()

    def came(self, server=1):
        return self.scene.servers[server].all(arrived6(message6.RELAY_FORWARD))

    def xids(self):
        return [frame.message6.xid for frame in self.came()]

    def request(self, number):
        return message6.request(message6.REQUEST, mac=self.scene.topology.segment(1).client_mac,
                                xid=self.first_xid + number,
                                more=[(message6.VENDOR, b"\0\0\0\1" + b"x" * 40)] if number % 2 else [])

    def send_request(self, asked):
        self.scene.send_request6(asked)

    def assert_relayed(self, frame, asked):
        came, place = frame.message6, self.scene.topology.segment(1)
        assert (came.peer_address, came.link_address) == (CLIENT_LINK_LOCAL, place.address6)
        assert came.inner.encode() == asked.encode()

    def answer(self, frame):
        said = message6.answer(frame.message6.inner)
        self.scene.send_reply6(message6.reply_to(frame.message6, said))

    def delivered(self):
        return self.scene.clients[1].all(arrived6(message6.REPLY))

    def assert_delivered(self, frame, asked):
        assert frame.payload == message6.answer(asked).encode()

    @staticmethod
    def message_in(frame):
        return frame.message6
