"""--capture: what the file says of each packet, read by tshark as a person would."""

import collections
import itertools
import re
import socket

import pytest

import capture
import dropped
import peers
from capture import Capture, await_packets, rows
from dropped import NOWHERE
from message import (ACK, AGENT, BROADCAST_FLAG, DISCOVER, INFORM, OFFER, REQUEST, VENDOR, mac_octets, reply, request,
                     udp_frames)
from relay import BINARY, is_ours
from test_lifecycle import relayed_in_the_end
from wait import wait_until
from wire import arrived

_SERVERS = ("10.9.0.2", "10.9.0.3")
_CLIENT = "02:00:00:00:00:01"
_xids = itertools.count(0x90000001)


@pytest.fixture(autouse=True)
def programs(need):
    if not is_ours():
        pytest.skip("the capture is ours")
    need("tshark", "capinfos")


def asked(kind=DISCOVER, **fields):
    """A request with an xid of its own."""
    return request(kind, xid=next(_xids), **fields)


class Story:
    """Has things happen one after the other, and notes what the capture is to say of each packet: interface, xid and
    comment, in the order of the wire."""

    def __init__(self, scene, *flags, name="story.pcapng", **options):
        self.scene = scene
        self.file = scene.folder / name
        self.rows = []
        self.relay = scene.relay("--capture", str(self.file), *flags, **options)
        self.relay.expect_log(" capture_started ")

    def packet(self, interface, made, comment):
        """Notes one packet: its number in the file."""
        self.rows.append((interface, made.xid, comment))
        return len(self.rows)

    def request(self, made, comment, segment=1, octets=None, **frame):
        """Sends a request, of which nothing but this comment comes: its number."""
        self.scene.send_request(made if octets is None else octets, segment, **frame)
        return self.packet(self.scene.topology.segment(segment).interface, made, comment)

    def reply(self, made, comment, server=1, **frame):
        self.scene.send_reply(made, server, **frame)
        return self.packet("u0", made, comment)

    def relayed(self, made, comment, segment=1, servers=_SERVERS, **frame):
        """Sends a request, which reaches these servers: as it came to the first."""
        number = self.request(made, comment, segment, **frame)
        for address in servers:
            self.packet("u0", made, f"request of frame {number}, relayed to {address}")
        return [self.scene.relayed(made, _SERVERS.index(address) + 1) for address in servers][0].message

    def delivered(self, made, way, segment=1, **frame):
        """Sends a reply, which reaches its client."""
        interface = self.scene.topology.segment(segment).interface
        number = self.reply(made, f"reply to {_CLIENT} on {interface} {way}", **frame)
        self.packet(interface, made, f"reply of frame {number}, delivered to {_CLIENT}")
        return self.scene.delivered(made, segment)

    def case(self, case):
        """A message that the relay drops."""
        seen = self.drops(case.reason)
        self.packet(case.interface, case.send(self.scene, next(_xids)), case.comment)
        self.await_drop(case.reason, seen)

    def drops(self, reason):
        return len(re.findall(rf" dropped .*reason={reason}\b", self.relay.log))

    def await_drop(self, reason, seen):
        """Waits for one more than `seen`."""
        self.relay.expect_log(rf" dropped .*reason={reason}\b", seen + 1)

    def check(self, *further):
        """Waits until the file has all, and compares."""
        await_packets(self.file, len(self.rows))
        found = rows(self.file, *further)
        assert found == self.rows, f"expected:\n{capture.describe(self.rows)}\nfound:\n{capture.describe(found)}"


def forwarded(segment=1, servers=" and ".join(_SERVERS), option82=None):
    """The comment on a request that is relayed."""
    said = f'circuit-id "d{segment}"' if option82 is None else option82
    return f"forwarded to {servers}, giaddr 10.{100 + segment}.0.1" + (f", option 82 {said}" if said else "")


# --- the relay's own business -----------------------------------------------------------------------------------------

def handshake(story):
    """From DISCOVER to ACK; the OFFER by broadcast, the ACK by unicast."""
    discover = asked(secs=5, flags=BROADCAST_FLAG)
    came = story.relayed(discover, forwarded())
    story.delivered(reply(came, OFFER, yiaddr="10.101.0.5"), "by broadcast")
    wanted = asked(REQUEST, secs=5)
    came = story.relayed(wanted, forwarded())
    story.delivered(reply(came, ACK, yiaddr="10.101.0.5"), "by unicast to 10.101.0.5")


def requests_dropped(story):
    """For fifteen reasons."""
    for case in dropped.REQUESTS:
        story.case(case)


def replies_dropped(story):
    """For seven reasons."""
    for case in dropped.REPLIES:
        story.case(case)


def not_sent(story):
    """A server that cannot be reached, beside one that can, and alone."""
    unreachable = f"{NOWHERE}: Network is unreachable"
    story.relayed(asked(secs=5), forwarded(2, f"10.9.0.2 and {NOWHERE}") + f"; not sent to {unreachable}", 2,
                  servers=["10.9.0.2"])
    lost = dropped.UNSENT
    story.packet(lost.interface, lost.send(story.scene, next(_xids)), lost.comment)
    story.relay.expect_log(rf" send_failed .*interface=d5 .*destination={NOWHERE}")


def not_received(story):
    """On the wire, and stopped by the kernel."""
    router = story.scene.topology.router
    router.run(["nft", "add table ip guard; add chain ip guard input { type filter hook input priority 0; }; "
                       "add rule ip guard input ip saddr 10.101.0.66 udp dport 67 drop"])
    router.sysctl("net.ipv4.conf.all.rp_filter", 0)
    router.sysctl("net.ipv4.conf.d2.rp_filter", 1)

    def lose(cause, segment=1, **frame):
        story.request(asked(secs=5), f"not received by the relay: {cause}", segment, **frame)
    lose("probably a firewall rule (nftables or iptables, hook input)", source="10.101.0.66")
    lose("bad UDP checksum", check="bad")
    lose("rp_filter on d2 is strict and 10.66.0.9 may not be routed there; or a firewall rule", 2,
         source="10.66.0.9")
    broken = asked(secs=5)
    story.scene.clients[1].send([without_ip_checksum(broken)])
    story.packet("d1", broken, "not received by the relay: bad IP header checksum")


def without_ip_checksum(made):
    frame = udp_frames(made.encode(), source_mac="02:00:00:00:01:0c")[0]
    return frame[:24] + b"\xde\xad" + frame[26:]


@pytest.fixture
def strict(make_scene):
    """A relay with a reason to drop for everybody."""
    scene = make_scene(segments=dropped.SEGMENTS)
    dropped.prepare_strict(scene)
    return Story(scene, *dropped.STRICT)


def test_every_packet_of_a_run_has_its_verdict(strict, need):
    """A good handshake, messages dropped for 22 reasons, one that not all servers got, and four that never came to the
    relay; in the end it relays."""
    need("nft")
    story = strict
    for part in (handshake, requests_dropped, replies_dropped, not_sent, not_received, handshake):
        part(story)
    reasons = {comment.split()[1] for _, _, comment in story.rows if comment.startswith("dropped: ")}
    assert len(reasons) == 22
    story.check()
    assert "Number of packets = " in capture.run("capinfos", story.file)


def test_replay_decides_as_the_live_run_did(strict):
    """The same flags and the file alone: the same words for every message that came in."""
    for part in (handshake, requests_dropped, replies_dropped, handshake):
        part(strict)
    strict.check()
    strict.relay.stop()
    interfaces = [word for number in range(1, 6) for word in ("-id", f"d{number}")] + ["-iu", "u0"]
    printed = capture.run(BINARY, "--replay", strict.file, *dropped.STRICT, *interfaces, *_SERVERS)
    replayed = [(int(frame), said.replace(r'\"', '"')) for frame, said in
                re.findall(r' replay frame=(\d+) .*verdict="(.*)"$', printed, re.M)]
    expected = ["not run: sent by this host" if re.match(r"(request|reply) of frame", comment) else comment
                for _, _, comment in strict.rows]
    assert replayed == list(enumerate(expected, 1))


@pytest.mark.parametrize("flags, said", [
    (["-m", "append"], 'appended circuit-id "d1"'), (["-m", "replace"], 'replaced by circuit-id "d1"'), ([], ""),
    (["-m", "append", "-A", "64"], "left out: it would not fit")], ids=["append", "replace", "forward", "no room"])
def test_what_became_of_a_switchs_option_82(make_scene, flags, said):
    """From a trusted circuit, with the octets of the message beside the words."""
    story = Story(make_scene(segments=1), "-a", "--trust", "d1", *flags)
    made = asked(more=[(AGENT, b"\x01\x03sw1\x02\x01\xff")])
    story.relayed(made, forwarded(option82=said))
    story.check()
    came, *copies = Capture(story.file).packets
    assert came.octets[42:] == made.encode()
    assert [each.outgoing for each in (came, *copies)] == [False, True, True]
    assert {each.octets[42:] for each in copies} == {story.scene.relayed(made).payload}


def test_option_82_in_words(make_scene):
    """Text in quotes, octets as a number, addresses as such."""
    story = Story(make_scene(segments=1), "-a", "--remote-id", "0x00ff", "--link-selection", "-s", "a b")
    story.relayed(asked(), forwarded(option82='circuit-id "d1", remote-id 0x00ff, link-selection 10.101.0.0, '
                                              'subscriber-id "a b"'))
    story.check()


def test_reply_by_datagram(make_scene):
    """To a client that has its address, one that is not of the segment."""
    story = Story(make_scene(segments=1))
    story.scene.topology.segment(1).client.ip("addr add 10.55.0.9/32 dev eth0")
    made = asked(INFORM, ciaddr="10.55.0.9", giaddr="10.101.0.1")
    story.delivered(reply(made, ACK), "by datagram to 10.55.0.9")
    story.check()


def test_more_servers_than_are_named(make_scene):
    """Eight by their addresses."""
    scene = make_scene(segments=1, servers=1)
    servers = [f"10.9.0.{number}" for number in range(2, 14)]
    scene.topology.server(1).namespace.ip(*[f"addr add {address}/24 dev eth0" for address in servers[1:]])
    story = Story(scene, servers=servers)
    made = asked()
    story.scene.send_request(made)
    await_packets(story.file, 1 + len(servers))
    came, *copies = rows(story.file)
    assert came == ("d1", made.xid, f"forwarded to {', '.join(servers[:8])} and 4 more, giaddr 10.101.0.1")
    assert sorted(copies) == sorted(("u0", made.xid, f"request of frame 1, relayed to {address}")
                                    for address in servers)


def test_fragments(make_scene):
    """The first fragment has the verdict on the whole message; where the rest does not come it says so."""
    story = Story(make_scene(segments=1), servers=["10.9.0.2"])
    whole, part = (asked(more=[(VENDOR, bytes(250))] * 8) for _ in range(2))
    client = story.scene.topology.segment(1).client_mac
    story.scene.clients[1].send(udp_frames(part.encode(), source_mac=client)[:1])
    story.scene.clients[1].send(udp_frames(whole.encode(), source_mac=client))
    story.scene.relayed(whole)
    wanted = ["not received by the relay: a fragment whose rest did not come",
              forwarded(servers="10.9.0.2", option82=""), "request of frame 2, relayed to 10.9.0.2"]
    wait_until(lambda: [each for each in capture.comments(story.file) if each] == wanted,
               lambda: f"{wanted}, not {capture.comments(story.file)}", pause=0.05)


def test_requests_that_the_relay_had_no_room_for(make_scene):
    """Held up while far more come than wait in its receive buffer: every packet says that it was relayed, or that the
    buffer was full, or that the capture had no room for so many verdicts at once."""
    segments, each = 5, 2000  # for the capture every interface has a buffer, for the relay there is one
    story = Story(make_scene(segments=segments), servers=["10.9.0.2"])
    scene = story.scene
    with scene.running.held_up():
        for number in range(segments * each):
            scene.send_request(asked(more=[(VENDOR, bytes(250))] * 4), number % segments + 1)
    later = set()

    def told():
        """One that comes after all others is in the file; for the first of them the capture may have no room either."""
        received = [packet for packet in Capture(story.file).packets if not packet.outgoing]
        if any(packet.octets[46:50] in later for packet in received):
            return received
        later.add(relayed_in_the_end(scene).message.xid.to_bytes(4, "big"))
        return None
    received = wait_until(told, "one that came after all others to be in the file", pause=0.2)
    counted = collections.Counter(re.sub(r" \[.*\]$", "", re.sub(r"\d+", "N", packet.comment))
                                  for packet in received)
    relayed = re.sub(r"\d+", "N", forwarded(servers="10.9.0.2", option82=""))
    assert counted[relayed] > 0
    assert counted.keys() <= {relayed, "not received by the relay: a receive buffer of this host was full",
                              "verdict not known: the capture could not keep up"}, counted


def test_same_message_twice(make_scene):
    """The same octets are two messages, and each copy belongs to its own."""
    story = Story(make_scene(segments=1), servers=["10.9.0.2"])
    made = asked()
    for _ in range(2):
        story.scene.servers[1].forget()
        story.relayed(made, forwarded(servers="10.9.0.2", option82=""), servers=["10.9.0.2"])
    story.check()


def test_bad_checksum_and_the_same_message_again(make_scene):
    """What the kernel has thrown away is not what the relay has got."""
    story = Story(make_scene(segments=1), servers=["10.9.0.2"])
    made = asked()
    story.request(made, "not received by the relay: bad UDP checksum", check="bad")
    story.relayed(made, forwarded(servers="10.9.0.2", option82=""), servers=["10.9.0.2"])
    story.check()


def test_frame_with_the_routers_own_source_mac(make_scene):
    """Forged: it came in all the same."""
    scene = make_scene(segments=1)
    story = Story(scene, servers=["10.9.0.2"])
    story.relayed(asked(), forwarded(servers="10.9.0.2", option82=""), servers=["10.9.0.2"],
                  source_mac=scene.topology.segment(1).mac)
    story.check()


# --- what is not the relay's business ---------------------------------------------------------------------------------

def test_what_passes_by(make_scene):
    """To port 68, in transit, from another program, in a VLAN; with the relay's own after each."""
    story = Story(make_scene(segments=1), servers=["10.9.0.2"])
    scene, router = story.scene, story.scene.topology.router
    place = scene.topology.segment(1)

    def relays():
        story.relayed(asked(), forwarded(servers="10.9.0.2", option82=""), servers=["10.9.0.2"])
    relays()
    story.request(asked(), "not received by the relay: to port 68, the relay listens on 67", dport=68)
    story.request(reply(asked(), yiaddr="10.101.0.9"), "not for the relay: to port 68", sport=67, dport=68)
    relays()
    renewal = asked(REQUEST, ciaddr="10.101.0.50")
    in_transit = "in transit: to 10.9.0.2, which is not an address of this host"
    story.request(renewal, in_transit, source="10.101.0.50", destination="10.9.0.2", destination_mac=place.mac)
    scene.servers[1].expect(arrived(xid=renewal.xid))
    story.packet("u0", renewal, in_transit)
    relays()
    other = asked(giaddr="10.9.0.1")
    with router.socket(socket.AF_INET, socket.SOCK_DGRAM) as program:
        program.sendto(other.encode(), ("10.9.0.2", 67))
    scene.relayed(other)
    story.packet("u0", other, "sent by another program of this host")
    relays()
    tagged = asked()
    frame = udp_frames(tagged.encode(), source_mac=place.client_mac)[0]
    scene.clients[1].send([frame[:12] + b"\x81\x00\x00\x64" + frame[12:]])
    story.packet("d1", tagged, "in VLAN 100, which is another interface")
    relays()
    story.check()


def test_other_ports(make_scene):
    """-p: the usual port is captured, too, and is the wrong one."""
    scene = make_scene(segments=1)
    story = Story(scene, "-p", "1067", servers=["10.9.0.2"], port=1067)
    wrong, right = asked(), asked()
    story.request(wrong, "not received by the relay: to port 67, the relay listens on 1067")
    number = story.request(right, forwarded(servers="10.9.0.2", option82=""), sport=1068, dport=1067)
    story.packet("u0", right, f"request of frame {number}, relayed to 10.9.0.2")
    story.check("-d", "udp.port==1067,dhcp")


def test_relay_port(make_scene):
    """-rp (RFC 8357): what leaves from it and what comes to it is the relay's."""
    scene = make_scene(segments=1)
    story = Story(scene, "-a", "-rp", "1167", servers=["10.9.0.2"])
    discover = asked(flags=BROADCAST_FLAG)
    came = story.relayed(discover, forwarded(servers="10.9.0.2", option82='circuit-id "d1", relay-source-port 0x'),
                         servers=["10.9.0.2"])
    story.delivered(reply(came, yiaddr="10.101.0.5"), "by broadcast", dport=1167)
    story.check()


def test_unfinished_checksums_are_not_bad_ones(make_scene):
    """Programs on cards that compute checksums leave them to the card: a capture sees what is in front of it."""
    scene = make_scene(segments=1, servers=1, offload=True)
    story = Story(scene, "-a", servers=["10.9.0.2"], sinks=False)
    scene.keep(peers.ScriptedServer(scene.topology.server(1)))
    place = scene.topology.segment(1)
    place.client.ip("addr add 10.101.0.60/24 dev eth0")
    made = asked(ciaddr="10.101.0.60", chaddr=mac_octets(place.client_mac), flags=BROADCAST_FLAG)
    with place.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.sendto(made.encode(), ("10.101.0.1", 67))
    scene.clients[1].expect(arrived(op=2, xid=made.xid))
    chaddr = place.client_mac
    story.rows = [("d1", made.xid, forwarded(servers="10.9.0.2")),
                  ("u0", made.xid, "request of frame 1, relayed to 10.9.0.2"),
                  ("u0", made.xid, f"reply to {chaddr} on d1 by broadcast"),
                  ("d1", made.xid, f"reply of frame 3, delivered to {chaddr}")]
    story.check()


# --- what the file says of itself -------------------------------------------------------------------------------------

def test_section_and_interfaces(make_scene, tmp_path):
    """The section's comment has version, flags and host; interfaces have names, roles, addresses and nanoseconds."""
    scene = make_scene(segments=3)
    router = scene.topology.router
    flags = ["-a", "--giaddr", "d3=10.103.0.99"]
    interfaces = ["-id", "d1", "-i", "d2", "-id", "d3", "-iu", "u0"]
    story = Story(scene, *flags, interfaces=interfaces, servers=["10.9.0.2"])
    story.relayed(asked(), forwarded(servers="10.9.0.2"), servers=["10.9.0.2"])
    story.check()
    made = Capture(story.file)
    assert len(made.sections) == 1
    comment = made.sections[0][1][0].decode()
    host = router.run(["hostname"]).stdout.strip()
    assert re.fullmatch(rf"dhcp-relay \d+\.\d+\.\d+ on {re.escape(host)}: .+", comment)
    for word in ("--capture", str(story.file), *flags, *interfaces, "10.9.0.2"):
        assert word in comment
    assert re.fullmatch(r"dhcp-relay \d+\.\d+\.\d+", made.sections[0][4][0].decode())
    assert made.sections[0][3]
    described = {each.name: (each.description, each.addresses, each.mac) for each in made.interfaces}
    assert described == {
        "d1": ("downstream, giaddr 10.101.0.1", ["10.101.0.1/24"], "02:00:00:00:01:01"),
        "d2": ("downstream and upstream, giaddr 10.102.0.1", ["10.102.0.1/24"], "02:00:00:00:02:01"),
        "d3": ("downstream (passive), giaddr 10.103.0.99", ["10.103.0.1/24"], "02:00:00:00:03:01"),
        "u0": ("upstream, 10.9.0.1/24", ["10.9.0.1/24"], "02:00:00:00:09:01")}
    assert {each.resolution for each in made.interfaces} == {9}
    assert all("67" in each.filter and "68" in each.filter for each in made.interfaces)
    printed = capture.run("capinfos", story.file)
    assert comment in printed.replace("\n", " ") or comment in printed
    assert printed.count("Time precision = nanoseconds (9)") == 4


def test_times_are_those_of_the_wire(make_scene):
    """Nanoseconds since 1970, as another witness of the same packet has them."""
    story = Story(make_scene(segments=1), servers=["10.9.0.2"])
    scene = story.scene
    watched = scene.wire(scene.topology.router, "d1")
    made = asked()
    story.relayed(made, forwarded(servers="10.9.0.2", option82=""), servers=["10.9.0.2"])
    story.check()
    seen = watched.expect(arrived(xid=made.xid))
    assert Capture(story.file).packets[0].time / 1e9 == pytest.approx(seen.time, abs=1e-6)


def test_without_upstream_flags_all_addressed_interfaces_are_captured(make_scene):
    """Replies are accepted on them all, so they are listened to; the loopback is not."""
    story = Story(make_scene(), interfaces=["-id", "d1"])
    story.relayed(asked(), forwarded(option82=""))
    story.check()
    assert {each.name for each in Capture(story.file).interfaces} == {"d1", "d2", "u0"}


# --- interfaces that change -------------------------------------------------------------------------------------------

def captured_in_the_end(story, wire, source_mac, interface, comment):
    """Asks until a request is captured there with this comment, as clients do: what changed a moment ago may not be
    listened to yet."""
    before = len(Capture(story.file).packets)

    def seen():
        wire.send(udp_frames(asked().encode(), source_mac=source_mac))
        return any(each.interface.name == interface and comment in each.comment
                   for each in Capture(story.file).packets[before:])
    wait_until(seen, lambda: f"{comment!r} on {interface}:\n{capture.describe(rows(story.file))}\n{story.relay.log}",
               pause=0.2)


def test_interface_that_comes_is_renamed_and_goes(scene):
    """Twice, while the others are captured as before; each name has a block of its own."""
    topology = scene.topology
    story = Story(scene, interfaces=["-id", "d1", "-id", "late*", "-iu", "u0"], servers=["10.9.0.2"])
    late = topology.network.namespace("late")
    for _ in range(2):
        topology.network.link(topology.router, "late1", "02:00:00:00:77:01", late, "eth0", "02:00:00:00:77:0c")
        topology.router.ip("addr add 10.177.0.1/24 dev late1")
        wire = scene.wire(late)
        captured_in_the_end(story, wire, "02:00:00:00:77:0c", "late1", "giaddr 10.177.0.1")
        topology.router.ip("link set late1 down", "link set late1 name late2", "link set late2 up")
        captured_in_the_end(story, wire, "02:00:00:00:77:0c", "late2", "giaddr 10.177.0.1")
        topology.router.ip("link del late2")
        story.relay.expect_log(" change=vanished ")
        scene.exchange()
    story.relay.stop()
    made = Capture(story.file)
    names = [each.name for each in made.interfaces]
    assert names.count("late1") >= 2 and names.count("late2") >= 2
    assert {each.description for each in made.interfaces if each.name.startswith("late")} >= {
        "downstream, giaddr 10.177.0.1"}
    capture.run("capinfos", story.file)
    assert all(comment for _, _, comment in rows(story.file))


def test_interface_that_goes_down_and_comes_up(scene):
    """A listener whose interface goes down hears of it again when it is up."""
    story = Story(scene, servers=["10.9.0.2"])
    scene.exchange()
    for name, segment in (("d1", 1), ("d2", 2)):
        scene.topology.router.ip(f"link set {name} down")
        story.relay.expect_log(rf"interface={name} .*change=went_down|change=went_down .*interface={name}")
        scene.topology.router.ip(f"link set {name} up")
        place = scene.topology.segment(segment)
        captured_in_the_end(story, scene.clients[segment], place.client_mac, name, "forwarded to 10.9.0.2")
    assert story.relay.alive


def test_interface_that_changes_its_address(scene):
    """What is captured from then on is of an interface that says so."""
    story = Story(scene, servers=["10.9.0.2"])
    scene.exchange()
    await_packets(story.file, 4)
    scene.topology.router.ip("addr add 10.121.0.1/24 dev d1", "addr del 10.101.0.1/24 dev d1")
    captured_in_the_end(story, scene.clients[1], scene.topology.segment(1).client_mac, "d1", "giaddr 10.121.0.1")
    story.relay.stop()
    packets = [each for each in Capture(story.file).packets if each.interface.name == "d1"]
    assert packets[0].interface.description == "downstream, giaddr 10.101.0.1"
    assert packets[-1].interface.description == "downstream, giaddr 10.121.0.1"
    assert packets[-1].interface.addresses == ["10.121.0.1/24"]


# --- --capture-filter -------------------------------------------------------------------------------------------------

def test_filter_restricts(make_scene):
    """A further condition: other clients' packets, and the answers to them, are left out."""
    story = Story(make_scene(segments=1), "--capture-filter", "host 10.101.0.50 or ether host 02:00:00:00:09:01",
                  servers=["10.9.0.2"])
    scene = story.scene
    unseen, seen = asked(), asked()
    scene.send_request(unseen)
    scene.relayed(unseen)
    story.packet("u0", unseen, "request of a frame that is not in this file, relayed to 10.9.0.2")
    story.relayed(seen, forwarded(servers="10.9.0.2", option82=""), servers=["10.9.0.2"], source="10.101.0.50")
    story.check()
    assert all("host 10.101.0.50" in each.filter for each in Capture(story.file).interfaces)
