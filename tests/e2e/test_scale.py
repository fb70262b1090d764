"""2,000 interfaces by one pattern."""

import time

import pytest

from message import reply, request, udp_frames
from wire import arrived

COUNT = 2000
_DESCRIPTORS = 16
_KILOBYTES = 32 * 1024


def address(number):
    return f"10.{128 + number // 250}.{number % 250}.1"


def mac(number, end):
    return f"02:00:00:{end:02x}:{number >> 8:02x}:{number & 255:02x}"


@pytest.fixture
def crowded(make_scene):
    """A router with x0 to x1999, of which the first and the last lead to a client, the others to each other."""
    scene = make_scene(segments=0, servers=1)
    topology = scene.topology
    ends = {0: topology.network.namespace("first"), COUNT - 1: topology.network.namespace("last")}
    for number, end in ends.items():
        topology.network.link(topology.router, f"x{number}", mac(number, 1), end, "eth0", mac(number, 2))
    lines = [f"link add x{number} type veth peer name x{number + 1}" for number in range(1, COUNT - 1, 2)]
    for number in range(COUNT):
        lines += [f"link set x{number} up", f"addr add {address(number)}/24 dev x{number}"]
    topology.router.ip(*lines)
    return scene, {number: scene.wire(end) for number, end in ends.items()}


def test_2000_interfaces(crowded):
    """Relays on the first and on the last of them, with few descriptors and little memory."""
    scene, wires = crowded
    before = time.monotonic()
    relay = scene.relay("-a", interfaces=["-id", "x*", "-iu", "u0"], servers=["10.9.0.2"])
    print(f"start with {COUNT} interfaces: {time.monotonic() - before:.2f} s")
    for number, wire in wires.items():
        asked = request(xid=0x60000000 + number)
        wire.send(udp_frames(asked.encode(), source_mac=mac(number, 2)))
        came = scene.relayed(asked).message
        assert (came.giaddr, came.options[-1][1][2:]) == (address(number), f"x{number}".encode())
        offered = reply(came, yiaddr=address(number)[:-1] + "50")
        scene.send_reply(offered)
        wire.expect(arrived(op=2, xid=asked.xid))
    print(f"descriptors {relay.descriptors()}, resident {relay.resident_kilobytes()} kB")
    assert relay.descriptors() <= _DESCRIPTORS
    if not relay.is_sanitized():
        assert relay.resident_kilobytes() < _KILOBYTES
