"""Whatever is thrown at port 547 from either side, the relay lives, leaks nothing, and the next good message passes."""

import random
import struct

import pytest

from message6 import (ANY, CLIENT_ID, INTERFACE_ID, RELAY_FORWARD, RELAY_MESSAGE, RELAY_REPLY, SERVER_PORT,
                      RelayMessage, answer, encode_options, request, wrapped)
from network6 import CLIENT_LINK_LOCAL
from test_garbage import shared_files
from wire6 import Frame6, arrived6

_MOST = 65527


def throw(scene, payloads, flags=("--trust", "d*")):
    """Each payload from a client, from a relay agent and from a server; a good exchange now and then proves that none
    wedged the relay, and that the next ones do not overrun its buffers. Nothing passes but what carries or is a part of
    what was thrown."""
    relay = scene.relay6(*flags)
    thrown = []
    for number, payload in enumerate(payloads):
        payload = payload[:_MOST]
        thrown.append(payload)
        scene.send_request6(payload)
        scene.send_request6(payload, source="2001:db8:101::99", sport=SERVER_PORT)
        scene.send_reply6(payload)
        if number % 25 == 24:
            assert_nothing_leaked(scene, thrown)
            thrown = []
    assert_nothing_leaked(scene, thrown)
    assert relay.alive


def assert_nothing_leaked(scene, thrown):
    """CVE-2017-14494: no octet comes from outside of what was received and what was configured."""
    scene.exchange6()
    known = set(thrown)
    good = struct.pack("!HH", CLIENT_ID, 10)  # the first option of what `exchange6` has passed on
    for wire in scene.servers.values():
        for frame in wire.all(arrived6(RELAY_FORWARD)):
            made = frame.message6
            assert made.is_whole
            assert made.carried in known or made.carried[4:8] == good, frame
    for wire in scene.clients.values():
        for frame in wire.read():
            if not frame.outgoing and isinstance(frame, Frame6) and frame.ports and frame.ports[0] == 547:
                assert frame.payload[4:8] == good or any(frame.payload in each for each in known), frame
    for wire in (*scene.clients.values(), *scene.servers.values()):
        wire.forget()


def test_d11_d12_third_party_payloads(scene6):
    """Messages that other projects' tests and fuzzers kept."""
    throw(scene6, [path.read_bytes() for path in shared_files("corpora/v6/*.bin")])


@pytest.mark.parametrize("kind", ["client", "relay agent", "server"])
def test_truncations(scene6, kind):
    """A good message cut after every octet."""
    whole = {"client": request(), "relay agent": wrapped(wrapped(request(), "2001:db8:77::1"), "2001:db8:78::1"),
             "server": scene6.reply_for(1, first=[(INTERFACE_ID, b"d1")])[1]}[kind].encode()
    throw(scene6, [whole[:size] for size in range(len(whole) + 1)])


@pytest.mark.parametrize("seed", [1])
def test_random_payloads(scene6, seed):
    """1,000 of them: noise, noise behind a good header, and good messages with a few octets changed."""
    numbers = random.Random(seed)

    def noise():
        return numbers.randbytes(numbers.choice([0, 1, 7, 34, 300, 1400]))

    def good():
        made = numbers.choice([request(), wrapped(request(), "2001:db8:77::1"), scene6.reply_for(1)[1]])
        return made.encode()

    def changed():
        octets = bytearray(good())
        for _ in range(numbers.randint(1, 8)):
            octets[numbers.randrange(len(octets))] = numbers.choice([0, 1, 9, 12, 13, 255, numbers.randrange(256)])
        return bytes(octets)

    makers = [noise, lambda: good()[:38] + noise(), changed]
    throw(scene6, [numbers.choice(makers)() for _ in range(1000)])


def test_lengths_that_lie(scene6):
    """Every option's length in turn is 0, one less, one more, and all there is."""
    payloads = []
    for made in (request(), wrapped(request(), "2001:db8:77::1", first=[(INTERFACE_ID, b"x")]),
                 scene6.reply_for(1, first=[(INTERFACE_ID, b"d1")], more=[(37, b"\0\0\0\1x")])[1]):
        octets, at = made.encode(), 34 if isinstance(made, RelayMessage) else 4
        while at + 4 <= len(octets):
            size = int.from_bytes(octets[at + 2:at + 4], "big")
            payloads += [octets[:at + 2] + struct.pack("!H", value & 0xffff) + octets[at + 4:]
                         for value in (0, size - 1, size + 1, 0x7fff, 0xffff)]
            at += 4 + size
    throw(scene6, payloads)


@pytest.mark.parametrize("kind", [RELAY_FORWARD, RELAY_REPLY])
def test_d3_nesting_to_the_limit_of_a_datagram(scene6, kind):
    """As many levels as 65,527 octets hold, one, and halfway; each level says it is the first."""
    made, payloads = request().encode(), []
    while len(made) + 38 <= _MOST:
        made = RelayMessage(kind, 0, "2001:db8:101::1", CLIENT_LINK_LOCAL).encode() + struct.pack(
            "!HH", RELAY_MESSAGE, len(made)) + made
        payloads.append(made)
    throw(scene6, [payloads[0], payloads[63], payloads[len(payloads) // 2], payloads[-30], payloads[-1]])


def test_d5_option_9_missing_empty_and_doubled(scene6):
    """And of one and three octets, from every side."""
    header = {kind: RelayMessage(kind, 0, "2001:db8:101::1", CLIENT_LINK_LOCAL).encode()
              for kind in (RELAY_FORWARD, RELAY_REPLY)}
    parts = [[], [b""], [b"\x07"], [b"\x07\0\1"], [answer(request()).encode()] * 2, [b""] * 2, [b"\x07\0\0\1", b""]]
    throw(scene6, [head + encode_options([(RELAY_MESSAGE, part) for part in several])
                   for head in header.values() for several in parts])


def test_6d04_interface_id_of_all_sizes(scene6):
    """0 to 65,535 octets, as far as a datagram holds them."""
    throw(scene6, [RelayMessage(RELAY_REPLY, 0, ANY, CLIENT_LINK_LOCAL, [
        (INTERFACE_ID, bytes(size)), (RELAY_MESSAGE, b"\x07\0\0\1")]).encode()
        for size in (0, 1, 2, 255, 256, 1400, 32767, 65480)] + [
            RelayMessage(RELAY_REPLY, 0, ANY, CLIENT_LINK_LOCAL).encode() + struct.pack("!HH", INTERFACE_ID, 65535)
            + bytes(65480)])


@pytest.mark.parametrize("peer", [ANY, "::1", "ff02::1", "ff02::1:2", "2001:db8:101::1", "fe80::1"])
def test_amplification(scene6, peer):
    """A Relay-reply for many, for nobody or for ourselves never becomes a message, in any of its levels' order."""
    scene6.relay6()
    said = answer(request())
    for made in (wrapped(said, "2001:db8:101::1", peer, kind=RELAY_REPLY),
                 wrapped(wrapped(said, ANY, peer, kind=RELAY_REPLY), "2001:db8:101::1", peer, kind=RELAY_REPLY),
                 wrapped(said, ANY, peer, kind=RELAY_REPLY, first=[(INTERFACE_ID, b"d1")])):
        scene6.send_reply6(made)
    scene6.nothing6(arrived6(xid=said.xid))
