"""--capture-only: looks on, beside whoever does the work. Binds no port, sends nothing."""

import itertools
import re
import socket

import pytest

import capture
import message
import peers
from capture import await_packets, rows
from message import BROADCAST_FLAG, REQUEST, reply, request
from relay import Relay, is_ours
from wait import listening_packet_sockets, port_bound, wait_until
from wire import arrived, describe

_CLIENT = "02:00:00:00:00:01"
_xids = itertools.count(0xb0000001)


@pytest.fixture(autouse=True)
def programs(need):
    if not is_ours():
        pytest.skip("the capture is ours")
    need("tshark")


@pytest.fixture
def scene(make_scene):
    return make_scene(segments=1, servers=1)


def onlooker(scene, namespace, *flags, interfaces=2):
    """Started beside whatever runs in this namespace; it listens on so many interfaces."""
    looking = scene.keep(Relay(namespace, ["--capture-only", *flags], scene.folder, port=None, ready=""))
    wait_until(lambda: listening_packet_sockets(looking.pid) == interfaces,
               lambda: f"{interfaces} to be open:\n{looking.log}")
    return looking


def seen(relay):
    """The lines of what was seen, without their times."""
    return re.findall(r"INFO seen (.*)", relay.log)


def in_words(made, *rest):
    return " ".join([f"xid {made.xid:#x} chaddr {_CLIENT}", *rest])


def handshake(scene):
    """DISCOVER and OFFER through a relay that is there: both as they came to it."""
    asked = request(xid=next(_xids), flags=BROADCAST_FLAG)
    scene.send_request(asked)
    came = scene.relayed(asked).message
    offered = reply(came, yiaddr="10.101.0.5")
    scene.send_reply(offered)
    scene.delivered(offered)
    return asked, offered


@pytest.mark.parametrize("servers", [[], ["10.9.0.2"]], ids=["without SERVER", "with SERVER"])
def test_beside_a_running_relay(scene, servers):
    """The port is the other one's; both directions of both sides are seen, and each message passes once."""
    file = scene.folder / "seen.pcapng"
    relay = scene.relay("-a", servers=["10.9.0.2"])
    looking = onlooker(scene, scene.topology.router, "--capture", str(file), "-id", "d1", "-iu", "u0", *servers)
    asked, _ = handshake(scene)
    option82 = 'option 82 circuit-id "d1"'
    expected = [("d1", asked.xid, "DISCOVER " + in_words(asked)),
                ("u0", asked.xid, "DISCOVER " + in_words(asked, "giaddr 10.101.0.1", option82)),
                ("u0", asked.xid, "OFFER " + in_words(asked, "yiaddr 10.101.0.5 giaddr 10.101.0.1", option82)),
                ("d1", asked.xid, "OFFER " + in_words(asked, "yiaddr 10.101.0.5 giaddr 10.101.0.1"))]
    await_packets(file, 4)
    assert rows(file) == expected
    scene.settle()
    assert [len(scene.copies(asked.xid, wire)) for wire in (scene.servers[1], scene.clients[1])] == [1, 1]
    looking.stop()
    assert relay.counters("d1")["dropped"] == 0
    scene.exchange()


def test_lines(scene):
    """One for each packet, as in the log; without --capture nothing is written."""
    scene.relay("-a", servers=["10.9.0.2"])
    files = set(scene.folder.iterdir())
    looking = onlooker(scene, scene.topology.router, "-id", "d1", "-iu", "u0")
    asked, _ = handshake(scene)
    wait_until(lambda: len(seen(looking)) == 4, lambda: f"four lines:\n{looking.log}")
    xid = f"{asked.xid:#x}"
    begin = f"xid={xid} chaddr={_CLIENT} interface="
    rest = "secs=0 size=300"
    ours = f'{rest} agent_information="circuit-id=d1"'
    offered = "giaddr=10.101.0.1 yiaddr=10.101.0.5"
    assert seen(looking) == [
        f"type=DISCOVER {begin}d1 giaddr=0.0.0.0 source=0.0.0.0 destination=255.255.255.255 hops=0 {rest}",
        f"type=DISCOVER {begin}u0 giaddr=10.101.0.1 source=10.101.0.1 destination=10.9.0.2 hops=1 {ours}",
        f"type=OFFER {begin}u0 {offered} source=10.9.0.2 destination=10.101.0.1 hops=0 {ours}",
        f"type=OFFER {begin}d1 {offered} source=10.101.0.1 destination=255.255.255.255 hops=0 {rest}"]
    assert re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO seen ", looking.log)
    looking.stop()
    added = set(scene.folder.iterdir()) - files
    assert all(each.name.startswith("relay-") for each in added), added


def test_it_binds_no_port_and_sends_nothing(scene):
    """Alone: requests are seen, not relayed, and nobody hears of it, by ICMP neither."""
    scene.sink(1)
    looking = onlooker(scene, scene.topology.router, "-id", "d1", "-iu", "u0", "10.9.0.2")
    asked = request(xid=next(_xids))
    scene.send_request(asked)
    wait_until(lambda: seen(looking), "the line")
    assert not port_bound(looking.pid, 67) and not port_bound(looking.pid, 68)
    looking.stop()
    for wire in (scene.clients[1], scene.servers[1]):
        came = wire.all(lambda frame: not frame.outgoing and frame.packet)
        assert not came, describe(came)


def test_beside_dnsmasq(scene, need):
    """On the server's host: what it gets and what it answers. The witness there listens as well."""
    need("dnsmasq")
    topology = scene.topology
    scene.keep(peers.Dnsmasq(topology, topology.server(1), scene.folder))
    scene.relay("-a", servers=["10.9.0.2"], sinks=False)
    file = scene.folder / "server.pcapng"
    looking = onlooker(scene, topology.server(1).namespace, "--capture", str(file), "-i", "eth0", interfaces=1)
    asked = request(xid=next(_xids), flags=BROADCAST_FLAG)
    scene.send_request(asked)
    offer = scene.clients[1].expect(arrived(op=2, xid=asked.xid)).message
    wanted = request(REQUEST, xid=next(_xids), flags=BROADCAST_FLAG,
                     more=[(message.REQUESTED, socket.inet_aton(offer.yiaddr))])
    scene.send_request(wanted)
    scene.clients[1].expect(arrived(op=2, xid=wanted.xid))
    await_packets(file, 4)
    assert [(interface, xid, comment.split()[0]) for interface, xid, comment in rows(file)] == [
        ("eth0", asked.xid, "DISCOVER"), ("eth0", asked.xid, "OFFER"), ("eth0", wanted.xid, "REQUEST"),
        ("eth0", wanted.xid, "ACK")]
    wait_until(lambda: len(seen(looking)) == 4, lambda: f"four lines:\n{looking.log}")


def test_filter(scene):
    looking = onlooker(scene, scene.topology.router, "-i", "d1", "--capture-filter", "host 10.101.0.50", interfaces=1)
    unseen, last = (request(xid=next(_xids)) for _ in range(2))
    scene.send_request(unseen)
    scene.send_request(last, source="10.101.0.50")
    wait_until(lambda: seen(looking), "the line")
    assert [re.search(r"xid=(\S+)", line)[1] for line in seen(looking)] == [f"{last.xid:#x}"]


def test_what_is_no_message(scene):
    """Octets of any kind are told in printable words."""
    looking = onlooker(scene, scene.topology.router, "-i", "d1", "--capture", str(scene.folder / "seen.pcapng"),
                       interfaces=1)
    scene.send_request(b"\xff\x1b[2J\n")
    await_packets(scene.folder / "seen.pcapng", 1)
    (_, _, comment), = rows(scene.folder / "seen.pcapng")
    assert comment == "a message of 6 octets, too short for BOOTP"
    wait_until(lambda: seen(looking), lambda: f"a line:\n{looking.log}")
    assert looking.log.isprintable() or set(re.findall(r"[^ -~]", looking.log)) == {"\n"}
    capture.run("tshark", "-r", scene.folder / "seen.pcapng")
