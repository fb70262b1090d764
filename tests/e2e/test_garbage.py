"""Whatever is thrown at port 67 from either side, the relay lives and the next good message passes."""

import os
import random
import struct
from pathlib import Path

import pytest

import message
from message import udp_frames
from network import UPSTREAM_MAC
from relay import ROOT

_SHARED = Path(os.environ.get("DHCP_RELAY_SHARED", ROOT.parent / "shared"))


def throw(scene, payloads):
    """Each payload from a client and from a server; a good exchange now and then proves that none wedged the relay,
    and that the next ones do not overrun its buffers."""
    relay = scene.relay("-a")
    place, sender = scene.topology.segment(1), scene.topology.server(1)
    for number, payload in enumerate(payloads):
        payload = payload[:65507]
        scene.clients[1].send(udp_frames(payload, source_mac=place.client_mac))
        scene.servers[1].send(udp_frames(payload, sender.address, place.address, 67, 67, source_mac=sender.mac,
                                         destination_mac=UPSTREAM_MAC))
        if number % 50 == 49:
            scene.exchange()
            for wire in (*scene.clients.values(), *scene.servers.values()):
                wire.forget()
    scene.exchange()
    assert relay.alive


def shared_files(pattern):
    found = sorted(_SHARED.glob(pattern))
    if not found:
        pytest.skip(f"no {pattern} in {_SHARED} (DHCP_RELAY_SHARED)")
    return found


def test_third_party_payloads(scene):
    """Messages that other projects' tests and fuzzers kept."""
    throw(scene, [path.read_bytes() for path in shared_files("corpora/v4/*.bin")])


def test_third_party_captures(scene):
    """UDP payloads of ports 67 and 68 in public captures."""
    payloads = [payload for path in shared_files("captures/*.pcap*") for payload in dhcp_payloads(path.read_bytes())]
    assert len(payloads) > 100
    throw(scene, payloads)


@pytest.mark.parametrize("kind", [message.DISCOVER, message.OFFER])
def test_truncations(scene, kind):
    """A good message cut after every octet, END and pad included."""
    if kind == message.DISCOVER:
        whole = message.request().encode()
    else:
        whole = scene.offer_for(1, more=[(message.AGENT, b"\x01\x02d1\x02\x03abc")]).encode()
    throw(scene, [whole[:size] for size in range(len(whole) + 1)])


@pytest.mark.parametrize("seed", [1])
def test_random_payloads(scene, seed):
    """2,000 of them: noise, noise behind a good header, and good messages with a few octets changed."""
    numbers = random.Random(seed)

    def noise():
        return numbers.randbytes(numbers.choice([0, 1, 7, 239, 300, 576, 1400]))

    def good():
        if numbers.randrange(2):
            return message.request().encode()
        return scene.offer_for(1, more=[(message.AGENT, b"\x01\x02d1")]).encode()

    def changed():
        octets = bytearray(good())
        for _ in range(numbers.randint(1, 8)):
            octets[numbers.randrange(len(octets))] = numbers.choice([0, 1, 2, 82, 255, numbers.randrange(256)])
        return bytes(octets)

    makers = [noise, lambda: good()[:240] + noise(), changed]
    throw(scene, [numbers.choice(makers)() for _ in range(2000)])


# --- captures ---------------------------------------------------------------------------------------------------------

_LINK_SIZES = {0: 4, 1: 14, 12: 0, 101: 0, 113: 16, 276: 20}


def dhcp_payloads(capture):
    """UDP payloads of port 67 or 68 in a pcap or pcapng file, plain IPv4 without fragments only."""
    for link, packet in (pcapng_packets if capture[:4] == b"\x0a\x0d\x0d\x0a" else pcap_packets)(capture):
        packet = packet[_LINK_SIZES.get(link, len(packet)):]
        if len(packet) >= 28 and packet[0] >> 4 == 4 and packet[9] == 17:
            datagram = packet[(packet[0] & 15) * 4:]
            if len(datagram) > 8 and set(struct.unpack_from("!HH", datagram)) & {67, 68}:
                yield datagram[8:]


def pcap_packets(capture):
    order = "<" if capture[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link = struct.unpack_from(order + "I", capture, 20)[0] & 0xffff
    at = 24
    while at + 16 <= len(capture):
        size = struct.unpack_from(order + "I", capture, at + 8)[0]
        yield link, capture[at + 16:at + 16 + size]
        at += 16 + size


def pcapng_packets(capture):
    links, order, at = [], "<", 0
    while at + 12 <= len(capture):
        if capture[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if capture[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            links = []
        kind, size = struct.unpack_from(order + "II", capture, at)
        if size < 12:
            return
        if kind == 1:
            links.append(struct.unpack_from(order + "H", capture, at + 8)[0])
        if kind == 6:
            interface, captured = struct.unpack_from(order + "I8xI", capture, at + 8)
            yield links[interface] if interface < len(links) else -1, capture[at + 28:at + 28 + captured]
        at += size
