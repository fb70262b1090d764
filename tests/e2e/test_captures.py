"""What clients really sent, as public captures have it, arrives at the servers as it was, hops and giaddr apart, and with
-a option 82."""

import struct

import pytest

from message import udp_frames
from test_garbage import dhcp_payloads, shared_files

MOST = 400  # distinct requests; there are about 190
XID = slice(4, 8)
HOPS = 3
GIADDR = slice(24, 28)
COOKIE = b"\x63\x82\x53\x63"
OURS = b"\x52\x04\x01\x02d1"


def options_end(message):
    """Where END is, or would be, and whether it is there; nothing where the options are broken off."""
    at = end = 240
    while at < len(message):
        if message[at] == 255:
            return at, True
        if message[at] == 0:
            at += 1
            continue
        if at + 1 == len(message) or at + 2 + message[at + 1] > len(message):
            return None
        at = end = at + 2 + message[at + 1]
    return end, False


def has_option(message, code):
    at, (end, _) = 240, options_end(message)
    while at < end:
        if message[at] == code:
            return True
        at += 1 if message[at] == 0 else 2 + message[at + 1]
    return False


def is_ordinary(message):
    """Whether RFC 1542 and 3046 have nothing against relaying it: from a client, whole, and not too far round."""
    if not 236 <= len(message) <= 1400 or message[0] != 1 or message[2] > 16 or message[HOPS] > 15:
        return False
    if message[236:240] != COOKIE:
        return not any(message[GIADDR])
    return not any(message[GIADDR]) and options_end(message) is not None and not has_option(message, 82) \
        and b"\x35\x01\x0a" not in message


def ordinary_requests():
    found = {}
    for path in shared_files("captures/*.pcap*"):
        for payload in dhcp_payloads(path.read_bytes()):
            if is_ordinary(payload):
                found.setdefault(payload[:4] + payload[8:], payload)
    return list(found.values())[:MOST]


def relayed(request, adds, giaddr):
    expected = bytearray(request)
    expected[HOPS] += 1
    expected[GIADDR] = bytes(map(int, giaddr.split(".")))
    if adds and expected[236:240] == COOKIE:
        end, has_end = options_end(expected)
        expected[end:] = OURS + (bytes(expected[end:]) if has_end else b"\xff")
    return bytes(expected).rstrip(b"\0")


@pytest.mark.parametrize("adds", [False, True])
def test_4f05_captured_requests_arrive_as_they_were(scene, adds):
    requests = ordinary_requests()
    assert len(requests) > 150
    place = scene.topology.segment(1)
    scene.relay("-c", "16", *(["-a"] if adds else []))
    wire = scene.servers[1]
    for number, request in enumerate(requests):
        request = request[:4] + struct.pack("!I", 0x40000001 + number) + request[8:]  # to know it again
        scene.clients[1].send(udp_frames(request, source_mac=place.client_mac))

        def is_it(frame, xid=request[XID]):
            return not frame.outgoing and frame.ports == (67, 67) and (frame.payload or b"")[XID] == xid

        came = wire.expect(is_it, what=f"request {number}").payload
        assert came.rstrip(b"\0") == relayed(request, adds, place.address)
        if not adds:
            assert len(came) == len(request)
        if number % 50 == 49:
            wire.forget()
