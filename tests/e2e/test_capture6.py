"""--capture, --capture-only and --replay of DHCPv6: what is said of each packet, read by tshark as a person would."""

import re

import pytest

import capture
from capture import await_packets, describe
from message6 import ADVERTISE, SERVERS, SOLICIT, VENDOR, answer, reply_to, request, wrapped
from network6 import CLIENT_LINK_LOCAL
from packet6 import DESTINATION_OPTIONS, HOP_BY_HOP
from relay import BINARY, is_ours
from test_capture_only import onlooker, seen
from wait import wait_until

_TO_CLIENT = f"{CLIENT_LINK_LOCAL} port 546"
_FIELDS = ["-T", "fields", "-e", "frame.interface_name", "-e", "dhcpv6.msgtype", "-e", "frame.comment"]


@pytest.fixture(autouse=True)
def programs(need):
    if not is_ours():
        pytest.skip("the capture is ours")
    need("tshark")


def rows(file):
    """Of each packet its interface, the types of the messages in it from the outermost on, and the comment."""
    return [tuple(line.split("\t")) for line in capture.run("tshark", "-n", "-r", file, *_FIELDS).splitlines()]


class Story6:
    """Has things happen one after the other, and notes what the capture is to say of each packet."""

    def __init__(self, scene, *flags, name="story6.pcapng", **options):
        self.scene = scene
        self.file = scene.folder / name
        self.rows = []
        self.servers = scene.server_addresses6()
        self.relay = scene.relay6("--capture", str(self.file), *flags, **options)
        self.relay.expect_log(" capture_started ")

    def packet(self, interface, types, comment):
        """Notes one packet: its number in the file."""
        self.rows.append((interface, types, comment))
        return len(self.rows)

    def forwarded(self, segment=1):
        """The comment on a request that is relayed."""
        link = self.scene.topology.segment(segment).address6
        return f"forwarded to {' and '.join(self.servers)}, link-address {link}"

    def relayed(self, segment=1, types=str(SOLICIT), **frame):
        """A SOLICIT that reaches all servers: itself, and as it came to the first."""
        asked = self.scene.solicit(segment, frame=frame)
        number = self.packet(f"d{segment}", types, self.forwarded(segment))
        for address in self.servers:
            self.packet("u0", f"12,{SOLICIT}", f"request of frame {number}, relayed to {address}")
        return asked, [self.scene.relayed6(asked, server) for server in range(1, len(self.servers) + 1)][0]

    def delivered(self, asked, came, segment=1):
        """The ADVERTISE that answers it."""
        said = answer(asked)
        self.scene.send_reply6(reply_to(came.message6, said), destination=came.source)
        number = self.packet("u0", f"13,{ADVERTISE}", f"reply to {_TO_CLIENT} on d{segment}")
        self.packet(f"d{segment}", str(ADVERTISE), f"reply of frame {number}, delivered to {CLIENT_LINK_LOCAL}")
        self.scene.delivered6(said, segment)

    def request(self, payload, types, comment, segment=1, **frame):
        """A message of the clients' side, of which nothing but this comment comes."""
        self.scene.send_request6(payload, segment, **frame)
        self.packet(f"d{segment}", types, comment)

    def reply(self, payload, types, comment, **frame):
        self.scene.send_reply6(payload, **frame)
        self.packet("u0", types, comment)

    def check(self):
        """Waits until the file has all, and compares."""
        await_packets(self.file, len(self.rows))
        found = rows(self.file)
        assert found == self.rows, f"expected:\n{describe(self.rows)}\nfound:\n{describe(found)}"


def dropped(story):
    """For a reason of each kind, with what of the message it is about."""
    _, unknown_link = story.scene.reply_for(link_address="2001:db8:77::1")
    _, good = story.scene.reply_for()
    story.request(request(ADVERTISE), "2", "dropped: server_message (ADVERTISE)")
    story.request(wrapped(request(), hop_count=8), "12,1", "dropped: hop_count_reached (8 >= 8)", sport=547)
    story.reply(unknown_link, "13,2", "dropped: link_address_unknown (2001:db8:77::1)")
    story.reply(good, "13,2", "dropped: server_unknown (2001:db8:9::66)", source="2001:db8:9::66")


def not_received(story):
    """On the wire, and stopped by the kernel."""
    lost = "not received by the relay: "
    story.request(request(), "1", lost + "bad UDP checksum", check="bad")
    story.request(request(), "1", lost + "bad UDP checksum", check="zero")
    story.request(request(), "1", lost + "to port 546, the relay listens on 547", dport=546)
    story.request(request(), "1", f"in transit: to {SERVERS}, which is not an address of this host",
                  destination=SERVERS)


def test_an_exchange_and_what_is_dropped(scene6):
    """As tshark prints it: a SOLICIT, its copies, the ADVERTISE and its delivery; and drops between two of them."""
    story = Story6(scene6, "--trust", "d1")
    story.delivered(*story.relayed())
    dropped(story)
    not_received(story)
    story.delivered(*story.relayed(2), segment=2)
    story.check()
    comments = [comment for _, _, comment in rows(story.file)]
    assert comments[0] == "forwarded to 2001:db8:9::2 and 2001:db8:9::3, link-address 2001:db8:101::1"
    assert comments[3:5] == ["reply to fe80::c port 546 on d1", "reply of frame 4, delivered to fe80::c"]


def test_replay_decides_as_the_live_run_did(scene6):
    """The same flags and the file alone: the same words for every message that came in."""
    story = Story6(scene6, "--trust", "d1")
    story.delivered(*story.relayed())
    dropped(story)
    story.delivered(*story.relayed(2), segment=2)
    story.check()
    story.relay.stop()
    printed = capture.run(BINARY, "--replay", story.file, "--trust", "d1", "-id", "d1", "-id", "d2", "-iu", "u0",
                          *story.servers)
    replayed = [(int(frame), said) for frame, said in re.findall(r' replay frame=(\d+) .*verdict="(.*)"$', printed,
                                                                 re.M)]
    expected = ["not run: sent by this host" if re.match(r"(request|reply) of frame", comment) else comment
                for _, _, comment in story.rows]
    assert replayed == list(enumerate(expected, 1))


def test_replay_writes_what_would_be_sent(scene6):
    """The copies in the written capture carry the message to the octet."""
    story = Story6(scene6)
    asked, _ = story.relayed()
    story.check()
    story.relay.stop()
    written = scene6.folder / "replayed.pcapng"
    capture.run(BINARY, "--replay", story.file, "--capture", written, "-id", "d1", "-id", "d2", "-iu", "u0",
                *story.servers)
    found = rows(written)
    assert found[:3] == [("d1", "1", story.forwarded()),
                         ("u0", "12,1", f"would be sent for frame 1: request to {story.servers[0]}"),
                         ("u0", "12,1", f"would be sent for frame 1: request to {story.servers[1]}")]
    copies = capture.Capture(written).packets[1:3]
    assert all(each.octets.endswith(asked.encode()) for each in copies)
    assert {each.octets[62:] for each in copies} == {scene6.relayed6(asked).payload}
    assert capture.run("tshark", "-r", written, "-o", "udp.check_checksum:TRUE", "-Y",
                       "udp.checksum.status == 0 && frame.number <= 3") == ""


def test_both_protocols_at_once(scene6):
    """Each has its own words, and the packets stay in order."""
    file = scene6.folder / "both.pcapng"
    relay = scene6.relay_both("--capture", str(file))
    relay.expect_log(" capture_started ")
    scene6.exchange()
    scene6.exchange6()
    scene6.exchange()
    wait_until(lambda: file.exists() and sum("delivered to" in each for each in capture.comments(file)) == 3,
               lambda: f"three answers in {file}:\n{describe(capture.comments(file))}", pause=0.05)
    delivered = [each for each in capture.comments(file) if "delivered to" in each]
    assert [each.rsplit(" ", 1)[1] for each in delivered] == ["02:00:00:00:00:01", CLIENT_LINK_LOCAL,
                                                               "02:00:00:00:00:01"]
    relay.stop()
    assert all("not known" not in each for each in capture.comments(file))


def test_extension_headers_and_fragments(scene6):
    """One extension header of any size, and the first fragment, which has the verdict on the whole message."""
    story = Story6(scene6)
    for kind, size in ((HOP_BY_HOP, 8), (DESTINATION_OPTIONS, 24)):
        story.relayed(extensions=[(kind, size)])
    story.check()
    large = request()
    large = large.but(options=[*large.options, (VENDOR, bytes(2500))])
    scene6.send_request6(large)
    scene6.relayed6(large)
    await_packets(story.file, len(story.rows) + 3)
    number = len(story.rows) + 1
    assert capture.comments(story.file)[number - 1:] == [
        story.forwarded(), *(f"request of frame {number}, relayed to {each}" for each in story.servers)]


def test_interface_id_is_told(scene6):
    """Where Relay-forwards carry it, and the other options of theirs."""
    story = Story6(scene6, "-I", "--subscriber-id", "room 7")
    asked = scene6.solicit()
    scene6.relayed6(asked)
    await_packets(story.file, 3)
    assert capture.comments(story.file)[0] == story.forwarded() + ', interface-id "d1", subscriber-id "room 7"'


def test_capture_only_beside_a_running_relay(scene6):
    """Both directions of both sides, as lines and as comments."""
    file = scene6.folder / "seen6.pcapng"
    scene6.relay6(servers=scene6.server_addresses6()[:1])
    looking = onlooker(scene6, scene6.topology.router, "--capture", str(file), "-id", "d1", "-iu", "u0")
    asked = scene6.solicit()
    came = scene6.relayed6(asked)
    said = answer(asked)
    scene6.send_reply6(reply_to(came.message6, said), destination=came.source)
    scene6.delivered6(said)
    await_packets(file, 4)
    server, link = scene6.server_addresses6()[0], scene6.topology.segment(1).address6
    about = f"link-address {link} peer-address {CLIENT_LINK_LOCAL}"
    assert [comment for _, _, comment in rows(file)] == [
        f"SOLICIT xid {asked.xid:#08x}", f"RELAY-FORW hops 0 {about} with SOLICIT xid {asked.xid:#08x}",
        f"RELAY-REPL hops 0 {about} with ADVERTISE xid {asked.xid:#08x}", f"ADVERTISE xid {asked.xid:#08x}"]
    wait_until(lambda: len(seen(looking)) == 4, lambda: f"four lines:\n{looking.log}")
    lines = [re.sub(r" size=\d+$", "", line) for line in seen(looking)]
    fields = f"hops=0 link_address={link} peer_address={CLIENT_LINK_LOCAL}"
    assert lines[:3] == [
        f"type=SOLICIT xid={asked.xid:#08x} interface=d1 source={CLIENT_LINK_LOCAL} destination=ff02::1:2",
        f"type=RELAY-FORW interface=u0 {fields} source={came.source} destination={server}",
        f"type=RELAY-REPL interface=u0 {fields} source={server} destination={came.source}"]
    assert lines[3].endswith(f"destination={CLIENT_LINK_LOCAL}")


def test_what_is_no_message(scene6):
    """Octets of any kind are told in printable words."""
    looking = onlooker(scene6, scene6.topology.router, "-i", "d1", "--capture", str(scene6.folder / "seen6.pcapng"),
                       interfaces=1)
    scene6.send_request6(b"\x0c\x1b[2J\n")
    await_packets(scene6.folder / "seen6.pcapng", 1)
    assert capture.comments(scene6.folder / "seen6.pcapng") == ["a message of 6 octets, too short for DHCPv6"]
    wait_until(lambda: seen(looking), lambda: f"a line:\n{looking.log}")
    assert set(re.findall(r"[^ -~]", looking.log)) <= {"\n"}
