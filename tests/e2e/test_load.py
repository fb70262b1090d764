"""Many clients: every answer that the server sent reaches the segment, once.

For 20,000 new ones at 5,000 a second, generator and responder are processes of their own, and the witness is a packet
socket whose buffer holds it all.
"""

import collections
import multiprocessing
import select
import socket
import struct
import time

from message import ACK, DISCOVER, KIND, REQUEST, mac_octets, reply, request, udp_frames
from network import Topology
from relay import Relay, is_ours
from wait import wait_until
from wire import Wire, arrived

COUNT = 20000
RATE = 5000
_FIRST_XID = 0x50000000
_QUIET = 3  # seconds without a request after which none will come
_fork = multiprocessing.get_context("fork")


def client(number):
    return request(xid=_FIRST_XID + number, chaddr=mac_octets("02:aa:00:00:00:00")[:2] + number.to_bytes(4, "big"))


def generate(socket_, frames):
    """Sends all frames at the rate, a few at a time."""
    start = time.monotonic()
    for number, frame in enumerate(frames):
        socket_.send(frame)
        if number % 5 == 4:
            ahead = start + number / RATE - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)


def respond(socket_, count):
    """Answers every DISCOVER with an OFFER, option 82 echoed where it stands, and counts; ends when it is quiet."""
    while count.value == 0 or select.select([socket_], [], [], _QUIET)[0]:
        payload, _ = socket_.recvfrom(2048)
        at = payload.index(bytes([KIND, 1, DISCOVER]), 236)
        number = struct.unpack_from("!I", payload, 4)[0] - _FIRST_XID
        yiaddr = bytes([10, 101, 128 + (number >> 8) % 128, number & 255])
        offer = b"\2" + payload[1:16] + yiaddr + payload[20:at + 2] + b"\2" + payload[at + 3:]
        socket_.sendto(offer, (socket.inet_ntoa(payload[24:28]), 67))
        count.value += 1


def test_20000_clients_at_5000_a_second(new_network, tmp_path, stack):
    """Counted by xid, from the responder's count to the segment's frames."""
    topology = Topology(new_network(), segments=1, servers=1)
    segment, server = topology.segment(1), topology.server(1)
    quiet = ["--log-level", "info"] if is_ours() else []
    relay = Relay(topology.router, ["-a", *quiet, "-id", "d1", "-iu", "u0", server.address], tmp_path)
    stack.callback(relay.stop)
    relay.start()
    frames = [udp_frames(client(number).encode(), source_mac=segment.client_mac)[0] for number in range(COUNT)]
    sender = stack.enter_context(segment.client.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    with segment.client.inside():
        sender.bind(("eth0", 0))
    responder = stack.enter_context(server.namespace.socket(socket.AF_INET, socket.SOCK_DGRAM))
    responder.setsockopt(socket.SOL_SOCKET, 33, 1 << 28)  # SO_RCVBUFFORCE
    responder.bind((server.address, 67))
    witness = Wire(segment.client, buffer=1 << 29, outgoing=False)
    stack.callback(witness.close)
    count = _fork.Value("q", 0)
    workers = [_fork.Process(target=respond, args=(responder, count), daemon=True),
               _fork.Process(target=generate, args=(sender, frames), daemon=True)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert count.value == COUNT, "requests were lost on their way to the server"
    offers = collections.Counter(frame.message.xid for frame in witness.read() if frame.ports == (67, 68))
    assert witness.lost() == 0
    assert (len(offers), set(offers.values())) == (COUNT, {1})
    assert relay.alive


def test_4d04_more_rebinding_clients_than_neighbours(scene):
    """3,000 clients that kept their addresses are answered one after the other. The kernel knows 1,024 neighbours at
    most: a relay that has it look up each client loses the others."""
    place = scene.topology.segment(1)
    scene.topology.router.ip("addr del 10.101.0.1/24 dev d1", "addr add 10.101.0.1/16 dev d1")
    addresses = [f"10.101.{1 + number // 250}.{1 + number % 250}" for number in range(3000)]
    place.client.ip(*[f"addr add {address}/16 dev eth0" for address in addresses])
    scene.relay()
    for number, address in enumerate(addresses):
        rebinding = request(REQUEST, xid=_FIRST_XID + number, ciaddr=address, giaddr=place.address,
                            chaddr=mac_octets(place.client_mac))
        scene.send_reply(reply(rebinding, ACK, yiaddr=address))
        if number % 50 == 49:
            time.sleep(0.01)

    def answered():
        return {frame.message.xid for frame in scene.clients[1].all(arrived(op=2))}
    wait_until(lambda: len(answered()) == len(addresses), lambda: f"3,000 answers; {len(answered())} came", pause=0.2)
