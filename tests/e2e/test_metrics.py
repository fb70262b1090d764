"""The metrics endpoint of a relay that works: its numbers are those of the wire, and reading them costs nobody."""

import collections
import socket
import subprocess
import threading

import pytest

from message import ACK, DECLINE, DISCOVER, INFORM, NAK, OFFER, RELEASE, REQUEST, reply, request, udp_frames
from metrics import ADDRESS, FLAGS, PORT, ask, scrape
from peers import ScriptedServer
from relay import BINARY
from rights import nicenesses
from scene import stream
from wait import wait_until
from wire import arrived

_TYPES = {DISCOVER: "discover", OFFER: "offer", REQUEST: "request", DECLINE: "decline", ACK: "ack", NAK: "nak",
          RELEASE: "release", INFORM: "inform"}


def type_of(frame):
    """As the man page has it."""
    if len(frame.payload) < 236:
        return "malformed"
    if frame.message.kind is None:
        return "bootp"
    return _TYPES.get(frame.message.kind, "other")


def is_to(port, outgoing):
    return lambda frame: frame.ports is not None and frame.ports[1] == port and frame.outgoing == outgoing


class Witness:
    """What passed the router's own interfaces, counted by itself."""

    def __init__(self, scene, interfaces):
        self._wires = {name: scene.wire(scene.topology.router, name) for name in interfaces}

    def _frames(self, name, port, outgoing):
        return self._wires[name].all(is_to(port, outgoing))

    def received(self):
        """By interface, direction and type."""
        counts = collections.Counter()
        for name in self._wires:
            for frame in self._frames(name, 67, False):
                counts[name, "request" if frame.payload[0] == 1 else "reply", type_of(frame)] += 1
        return dict(counts)

    def forwarded(self):
        counts = collections.Counter()
        came = {frame.message.xid: name for name in self._wires for frame in self._frames(name, 67, False)
                if frame.message and frame.message.op == 1}
        gone = {frame.message.xid: frame for frame in self._frames("u0", 67, True)}
        for xid, frame in gone.items():
            counts[came[xid], "request", type_of(frame)] += 1
        for name in self._wires:
            for frame in self._frames(name, 68, True):
                counts[name, "reply", type_of(frame)] += 1
        return dict(counts)

    def copies(self):
        return dict(collections.Counter((frame.destination,) for frame in self._frames("u0", 67, True)))

    def replies(self):
        return dict(collections.Counter((frame.source,) for frame in self._frames("u0", 67, False)))


def run_script(scene):
    """Some of everything; what is dropped, by interface, direction, type and reason."""
    xids = iter(range(0x40000001, 0x50000000))
    asked = {}
    for segment, kind, count in ((1, DISCOVER, 5), (1, REQUEST, 3), (1, INFORM, 2), (1, RELEASE, 1), (1, DECLINE, 1),
                                 (1, 10, 2), (2, DISCOVER, 4), (2, REQUEST, 1)):
        for _ in range(count):
            made = request(kind, xid=next(xids), **({"giaddr": "10.77.0.9"} if kind == 10 else {}))
            asked.setdefault((segment, kind), []).append(made)
            scene.send_request(made, segment)
    for _ in range(2):
        scene.send_request(request(xid=next(xids), hops=17))
        scene.send_request(request(xid=next(xids)).but(options=[]), 2)
    for _ in range(3):
        scene.send_request(request(xid=next(xids)).encode()[:100])
    for (segment, kind, server), answer, count in (((1, DISCOVER, 1), OFFER, 5), ((1, DISCOVER, 2), OFFER, 2),
                                                   ((1, REQUEST, 1), ACK, 2), ((1, REQUEST, 1), NAK, 1),
                                                   ((2, DISCOVER, 2), OFFER, 4)):
        for number in range(count):
            place = scene.topology.segment(segment)
            made = reply(asked[segment, kind][number].but(giaddr=place.address), answer, yiaddr=place.host(60))
            scene.relayed(asked[segment, kind][number], server)
            scene.send_reply(made, server)
    lost = reply(request(xid=next(xids), giaddr="10.77.0.1"))
    scene.send_reply(lost, destination="10.9.0.1")
    stranger = scene.offer_for()
    scene.send_reply(stranger, source="10.9.0.99")
    return {("d1", "request", "discover", "hops_exceeded"): 2, ("d1", "request", "malformed", "too_short"): 3,
            ("u0", "reply", "offer", "reply_giaddr_unknown"): 1, ("u0", "reply", "offer", "server_unknown"): 1}


def test_numbers_are_those_of_the_wire(scene):
    """Each counter of messages, copies and servers, one by one, against what passed the router's interfaces."""
    scene.relay(*FLAGS)
    witness = Witness(scene, ["d1", "d2", "u0"])
    dropped = run_script(scene)
    router = scene.topology.router

    def read():
        return scrape(router)
    wait_until(lambda: sum(read().of("dhcp_relay_messages_dropped_total").values()) == sum(dropped.values()),
               lambda: f"all drops, but there are {read().of('dhcp_relay_messages_dropped_total', 'reason')}")
    scene.settle()
    by_message = ("interface", "direction", "type")
    wait_until(lambda: read().of("dhcp_relay_messages_forwarded_total", *by_message) == witness.forwarded(),
               lambda: f"what was forwarded to be {witness.forwarded()}:\n{read().text}")
    told = read()
    assert told.of("dhcp_relay_messages_received_total", *by_message) == witness.received()
    assert told.of("dhcp_relay_messages_dropped_total", *by_message, "reason") == dropped
    assert told.of("dhcp_relay_server_requests_total", "server") == witness.copies()
    assert sum(told.of("dhcp_relay_request_copies_total").values()) == sum(witness.copies().values())
    strangers = {("10.9.0.99",): 1}
    assert told.of("dhcp_relay_server_replies_total", "server") | strangers == witness.replies()
    for name in ("request_copies_failed", "server_requests_failed", "option82_omitted", "kernel_drops"):
        assert sum(told.of(f"dhcp_relay_{name}_total").values()) == 0


def test_servers_and_their_times(scene):
    """The histogram has each reply to a request that was relayed; the last reply was now."""
    scene.relay(*FLAGS)
    for _ in range(3):
        scene.exchange(server=1)
    told = scrape(scene.topology.router)
    for server, count in (("10.9.0.2", 3), ("10.9.0.3", 0)):
        assert told.value("dhcp_relay_server_response_seconds_count", server=server) == count
        assert told.value("dhcp_relay_server_response_seconds_bucket", server=server, le="+Inf") == count
        assert (told.value("dhcp_relay_server_response_seconds_sum", server=server) > 0) == (count > 0)
        assert (told.value("dhcp_relay_server_last_reply_timestamp_seconds", server=server)
                >= told.value("process_start_time_seconds")) == (count > 0)
        assert told.value("dhcp_relay_server_answering", server=server) == 1
    assert told.value("dhcp_relay_queue_length") == 0
    assert told.value("dhcp_relay_queue_capacity") == 8192


def test_interfaces_come_and_go(scene):
    """Their states follow, one that is removed takes its counters with it, and one of a strange name is no harm."""
    router = scene.topology.router
    scene.relay(*FLAGS, "-id", "x*")
    scene.exchange()
    assert scrape(router).of("dhcp_relay_interface_up", "interface") == {("d1",): 1, ("d2",): 1, ("u0",): 1}
    router.ip("link set d2 down")
    wait_until(lambda: scrape(router).value("dhcp_relay_interface_up", interface="d2") == 0, "d2 to be shown as down")
    assert scrape(router).value("dhcp_relay_interface_active", interface="d2") == 0
    strange = 'x"{},\\ä'
    router.run(["ip", "link", "add", strange, "type", "veth", "peer", "name", "peer0"])
    shown = 'x\\"{},\\\\' + "\\\\xc3\\\\xa4"
    wait_until(lambda: scrape(router).value("dhcp_relay_interface_active", interface=shown) == 0,
               lambda: f"{strange} to be shown:\n{scrape(router).text}")
    router.run(["ip", "link", "del", strange])
    router.ip("link del d1")
    wait_until(lambda: {name for name, in scrape(router).of("dhcp_relay_messages_received_total", "interface")}
               == {"u0"}, "d1 to be gone")


def test_transactions(scene):
    """Those of interfaces that share a giaddr are shown."""
    scene.topology.router.ip("address add 203.0.113.1/32 dev lo")
    scene.relay(*FLAGS, "--giaddr", "203.0.113.1")
    for _ in range(3):
        scene.relayed(scene.discover())
    assert scrape(scene.topology.router).value("dhcp_relay_transactions") == 3


def test_capture(scene, tmp_path):
    scene.relay(*FLAGS, "--capture", str(tmp_path / "x.pcapng"))
    scene.exchange()
    router = scene.topology.router
    wait_until(lambda: scrape(router).value("dhcp_relay_capture_packets_total") >= 4, "four packets at least")
    told = scrape(router)
    assert told.value("dhcp_relay_capture_running") == 1
    assert told.value("dhcp_relay_capture_packets_lost_total") == 0
    assert told.value("dhcp_relay_capture_verdicts_lost_total") == 0


def test_relaying_goes_first(scene, tmp_path):
    """By the priorities of its own thread and those of the capture and the metrics."""
    usual = ["sh", "-c", 'renice -n 0 -p $$ >/dev/null && exec "$0" "$@"']
    relay = scene.relay(*FLAGS, "--capture", str(tmp_path / "c.pcapng"), through=usual)
    wait_until(lambda: nicenesses(relay.pid) == {0, 5, 10}, lambda: f"these: {nicenesses(relay.pid)}")


def test_ipv6(scene):
    scene.topology.router.sysctl("net.ipv6.conf.lo.disable_ipv6", 0)
    scene.relay("--metrics", "[::1]:9578")
    scene.exchange()
    told = scrape(scene.topology.router, "::1", 9578)
    assert told.value("dhcp_relay_messages_forwarded_total", interface="d1", direction="request") == 1


@pytest.mark.parametrize("address, sentence", [
    (ADDRESS, "another program has that port (`ss -ltnp sport = :9577` names it): Address already in use"),
    ("203.0.113.9", "this host does not have that address: Cannot assign requested address")])
def test_an_address_that_cannot_be_had(scene, address, sentence):
    """One line, status 1, and nothing is relayed."""
    with scene.topology.router.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind((ADDRESS, PORT))
        other.listen()
        words = [BINARY, "-d", "--metrics", f"{address}:{PORT}", "-id", "d1", "10.9.0.2"]
        done = subprocess.run(scene.topology.router.command(words), capture_output=True, text=True, check=False,
                              timeout=60)
    assert done.returncode == 1
    assert done.stderr == f"dhcp-relay: cannot serve metrics on {address}:{PORT}: {sentence}\n"


def test_promtool_finds_nothing(scene, need):
    need("promtool")
    scene.relay(*FLAGS)
    run_script(scene)
    scene.settle()
    text = scrape(scene.topology.router).text
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False,
                          timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_scraping_loses_no_message(scene):
    """Ten times a second, while a thousand requests and replies pass; every one arrives."""
    scene.relay(*FLAGS, "--log-level", "info")
    over, scrapes = threading.Event(), []

    def read():
        while not over.wait(0.1):
            scrapes.append(scrape(scene.topology.router))
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        xids = []
        for _ in range(1000):
            xids.append(scene.discover().xid)
            scene.send_reply(scene.offer_for())
        def came():
            return {frame.message.xid for frame in scene.servers[1].all(arrived(op=1))}
        wait_until(lambda: came() == set(xids), "a thousand requests", pause=0.05)
        wait_until(lambda: len(scene.clients[1].all(arrived(op=2))) == 1000, "a thousand replies", pause=0.05)
        wait_until(lambda: scrapes and scrapes[-1].value("dhcp_relay_messages_forwarded_total", direction="request")
                   == 1000, "a scrape that has them all")
    finally:
        over.set()
        reader.join()


def test_hostile_readers_cost_nobody(scene):
    """Connections that say nothing, and garbage, while the relay relays and others read."""
    scene.relay(*FLAGS)
    router = scene.topology.router
    silent = [router.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(8)]
    for each in silent:
        each.connect((ADDRESS, PORT))
    try:
        assert ask(router, b"\x16\x03\x01" + bytes(200) + b"\r\n\r\n") == b""
        assert ask(router, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 404 Not Found\r\n")
        scene.exchange()
        assert scrape(router).value("dhcp_relay_messages_forwarded_total", direction="request") == 1
    finally:
        for each in silent:
            each.close()


def answering(scene, server):
    return scrape(scene.topology.router).value("dhcp_relay_server_answering", server=server)


def test_a_server_that_stops_answering(scene):
    """While another answers: told once, shown, still sent every request, and told once more when it returns."""
    relay = scene.relay(*FLAGS, "--log-level", "info", sinks=False)
    scene.keep(ScriptedServer(scene.topology.server(1)))
    stops = ScriptedServer(scene.topology.server(2)).start()
    with stream(lambda: scene.discover().xid, 0.1) as xids:
        wait_until(lambda: scrape(scene.topology.router).value("dhcp_relay_server_replies_total", server="10.9.0.3"),
                   "an answer of the second server")
        stops.stop()
        scene.sink(2)
        wait_until(lambda: answering(scene, "10.9.0.3") == 0, "the second server to be shown as silent", timeout=60,
                   pause=0.2)
        relay.expect_log(r"WARNING server_changed server=10\.9\.0\.3 change=stopped_answering .* others=answer ")
        assert answering(scene, "10.9.0.2") == 1
        before = len(xids)
        wait_until(lambda: len(xids) > before + 3, "some more requests")
        later = xids[before]
        scene.servers[2].expect(arrived(op=1, xid=later), what="a request to the silent server")
        back = scene.offer_for()
        scene.send_reply(back, 2)
        wait_until(lambda: answering(scene, "10.9.0.3") == 1, "the second server to be shown as answering", pause=0.1)
    relay.expect_log(r"INFO server_changed server=10\.9\.0\.3 change=answers_again ")
    assert relay.log.count(" server_changed ") == 2


def test_strangers_do_not_answer_for_a_server(scene):
    """Nobody answers; replies with its address from the clients' side, and from elsewhere, change nothing."""
    relay = scene.relay(*FLAGS, "--log-level", "info", servers=["10.9.0.2"])
    with stream(lambda: scene.discover().xid, 0.2):
        def forged():
            offered = scene.offer_for()
            scene.clients[1].send(udp_frames(offered.encode(), source="10.9.0.2", destination="10.101.0.1", sport=67,
                                             source_mac=scene.topology.segment(1).client_mac,
                                             destination_mac=scene.topology.segment(1).mac))
            scene.send_reply(scene.offer_for(), 2)
            return answering(scene, "10.9.0.2") == 0
        wait_until(forged, "the server to be shown as silent", timeout=90, pause=0.2)
    relay.expect_log(r"WARNING server_changed server=10\.9\.0\.2 change=never_answered .* others=silent ")
    assert scrape(scene.topology.router).value("dhcp_relay_server_replies_total", server="10.9.0.2") == 0
