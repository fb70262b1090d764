"""What clients, servers and relay agents really said, as public captures have it, arrives as it was, both ways."""

import struct

import pytest

import message6
from message6 import (ADVERTISE, RECONFIGURE, RECONFIGURE_REPLY, RELAY_FORWARD, RELAY_REPLY, REPLY, SERVER_PORT,
                      RelayMessage, parse, wrapped)
from network6 import CLIENT_LINK_LOCAL
from test_garbage import pcap_packets, pcapng_packets, shared_files
from wire6 import Frame6

MOST = 600  # distinct messages; there are about 350 in all
_ETHERNET, _OF_SERVERS = 1, (ADVERTISE, REPLY, RECONFIGURE, RELAY_REPLY, RECONFIGURE_REPLY)
_ADDED = 300  # octets that a Relay-forward has at most beside what it carries


def captured_messages():
    """The payloads of DHCPv6's ports over plain IPv6 on Ethernet, each once."""
    found = {}
    for path in shared_files("captures/*.pcap*"):
        octets = path.read_bytes()
        packets = pcapng_packets if octets[:4] == b"\x0a\x0d\x0d\x0a" else pcap_packets
        for link, packet in packets(octets):
            if link == _ETHERNET and packet[12:14] == b"\x86\xdd" and len(packet) >= 62:
                frame = Frame6(packet, 0, False, packet[14:54 + int.from_bytes(packet[18:20], "big")])
                if frame.message6:
                    found.setdefault(bytes(frame.payload))
    return list(found)[:MOST]


def numbered(payload, number):
    """The message with a number of its own, to know it again; that of a relay message is where its hop-count is not
    looked at: in the end of its peer-address."""
    if payload[0] in (RELAY_FORWARD, RELAY_REPLY):
        return payload[:30] + struct.pack("!I", number) + payload[34:]
    return payload[:1] + struct.pack("!I", number)[1:] + payload[4:]


@pytest.fixture(scope="module")
def messages():
    found = [numbered(payload, 0x400000 + number) for number, payload in enumerate(captured_messages())]
    assert len(found) > 100
    return found


def expect(wire, number, payload, how):
    """Waits for this message as the wire is to have it; forgets what has passed now and then."""
    def is_it(frame):
        return not frame.outgoing and isinstance(frame, Frame6) and how(frame)
    came = wire.expect(is_it, what=f"message {number}: {payload.hex()}")
    if number % 50 == 49:
        wire.forget()
    return came


def test_6f01_d1_captured_messages_arrive_at_the_servers_as_they_were(scene6, messages):
    """Those of clients and of relay agents; the former with peer-address, link-address and hop-count of the first."""
    scene6.relay6("--trust", "d1")
    relayed = 0
    for number, payload in enumerate(messages):
        if payload[0] in _OF_SERVERS or payload[0] == RELAY_FORWARD and payload[1] >= 8:
            continue
        scene6.send_request6(payload, sport=SERVER_PORT if payload[0] == RELAY_FORWARD else 546)

        def is_it(frame, payload=payload):
            return isinstance(frame.message6, RelayMessage) and frame.message6.carried == payload
        came = expect(scene6.servers[1], number, payload, is_it).message6
        assert (came.link_address, came.peer_address) == ("2001:db8:101::1", CLIENT_LINK_LOCAL)
        assert came.hop_count == (payload[1] + 1 if payload[0] == RELAY_FORWARD else 0)
        assert len(came.encode()) <= len(payload) + _ADDED
        relayed += 1
    assert relayed > 50


def test_6d01_d4_captured_messages_arrive_at_the_clients_as_they_were(scene6, messages):
    """All of them in Relay-replies, whatever their type: that is nobody's business but the client's."""
    scene6.relay6()
    for number, payload in enumerate(messages):
        scene6.send_reply6(wrapped(payload, "2001:db8:101::1", CLIENT_LINK_LOCAL, kind=RELAY_REPLY))
        port = 547 if payload[0] == RELAY_REPLY else 546

        def is_it(frame, payload=payload):
            return frame.ports and frame.payload == payload
        came = expect(scene6.clients[1], number, payload, is_it)
        assert (came.destination, came.ports) == (CLIENT_LINK_LOCAL, (547, port))


def test_captured_relay_replies_are_understood(scene6, messages):
    """Real servers' Relay-replies, put in place of ours: their link and peer changed, their options as they were."""
    scene6.relay6()
    replies = [parse(payload) for payload in messages if payload[0] == RELAY_REPLY]
    for number, made in enumerate(each for each in replies if each and each.carried and each.is_whole):
        options = [each for each in made.options if each[0] not in (message6.INTERFACE_ID, message6.VIRTUAL_SUBNET)]
        scene6.send_reply6(made.but(link_address="2001:db8:101::1", peer_address=CLIENT_LINK_LOCAL, options=options))

        def is_it(frame, carried=made.carried):
            return frame.ports and frame.payload == carried
        expect(scene6.clients[1], number, made.carried, is_it)
