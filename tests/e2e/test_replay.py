"""--replay: what would become of each message of a capture, printed and written, without a socket or a privilege."""

import json
import os
import re
import resource
import socket
import struct
import subprocess

import pytest

from message import BROADCAST_FLAG, SERVER_PORT, reply, request, udp_frames
from relay import BINARY
from test_garbage import shared_files

FLAGS = ["-id", "d1", "-iu", "u1", "10.9.0.2"]
INTERFACES = ["--replay-interface", "d1=10.1.0.1/24,02:00:00:00:0a:01", "--replay-interface", "u1=10.9.0.1/24"]


def pcap(*frames, link=1, magic=0xa1b2c3d4):
    records = b"".join(struct.pack("<IIII", 1000 + number, 0, len(frame), len(frame)) + frame
                       for number, frame in enumerate(frames))
    return struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 262144, link) + records


def block(kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def section():
    return block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(name=b"", address="", prefix=24, link=1):
    options = option(2, name) if name else b""
    if address:
        mask = (0xffffffff << (32 - prefix)) & 0xffffffff
        options += option(4, socket.inet_aton(address) + struct.pack("!I", mask))
    return block(1, struct.pack("<HHI", link, 0, 0) + options + option(0, b""))


def packet(number, frame, flags=None):
    options = b"" if flags is None else option(2, struct.pack("<I", flags)) + option(0, b"")
    return block(6, struct.pack("<IIIII", number, 0, 0, len(frame), len(frame)) + frame + bytes(-len(frame) % 4)
                 + options)


def discover(**changes):
    return udp_frames(request(**changes).encode(), source_mac="02:00:00:00:00:01")[0]


def offer(giaddr="10.1.0.1"):
    """From the server to the relay."""
    message = reply(request(giaddr=giaddr, flags=BROADCAST_FLAG)).encode()
    return udp_frames(message, "10.9.0.2", giaddr, SERVER_PORT, SERVER_PORT, source_mac="02:00:00:00:09:02")[0]


@pytest.fixture
def replay(tmp_path):
    """Replays these octets; returns the finished process."""
    def run(octets, *flags, standard_input=None, prefix=()):
        path = tmp_path / "input"
        if octets is not None:
            path.write_bytes(octets)
        name = "-" if standard_input is not None else str(path)
        return subprocess.run([*prefix, BINARY, *FLAGS, *flags, "--replay", name], input=standard_input,
                              capture_output=True, timeout=120, check=False)
    return run


def verdicts(result):
    """Of each line its frame and verdict."""
    return [(int(frame), verdict) for frame, verdict in
            re.findall(r' replay frame=(\d+) .*verdict="(.*)"$', result.stdout.decode(), re.M)]


def counts(result):
    return [line.split(" ", 2)[2] for line in result.stdout.decode().splitlines() if " replay_count " in line]


def totals(result):
    return re.search(r"replay_total (.*)", result.stdout.decode())[1]


def test_verdicts_and_summary(replay):
    result = replay(pcap(discover(), discover(hops=17), offer(), offer(giaddr="10.9.0.7"), b"", b"\xff" * 60), *INTERFACES)
    assert (result.returncode, result.stderr) == (0, b"")
    assert verdicts(result) == [
        (1, "forwarded to 10.9.0.2, giaddr 10.1.0.1"),
        (2, "dropped: hops_exceeded (17 > 4)"),
        (3, "reply to 02:00:00:00:00:01 on d1 by broadcast"),
        (4, "not run: to 10.9.0.7, which is not an address of this host"),
    ]
    assert counts(result) == ["verdict=relayed count=1", "verdict=delivered count=1",
                              "verdict=dropped reason=hops_exceeded count=1", "verdict=not_run reason=other_host count=1"]
    assert totals(result) == "packets=6 messages=4 unfinished=0"
    first = result.stdout.decode().splitlines()[0]
    assert first.startswith("1970-01-01T00:16:40.000Z INFO replay frame=1 type=DISCOVER xid=0x")
    assert " interface=d1 giaddr=0.0.0.0 source=0.0.0.0 destination=255.255.255.255 verdict=" in first


def test_json(replay):
    result = replay(pcap(discover()), *INTERFACES, "--log-format", "json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["event"] for line in lines] == ["replay", "replay_count", "replay_total"]
    assert lines[0]["frame"] == 1
    assert lines[0]["verdict"] == "forwarded to 10.9.0.2, giaddr 10.1.0.1"
    assert lines[2]["messages"] == 1


def test_standard_input(replay):
    octets = pcap(discover(), offer())
    from_file = replay(octets, *INTERFACES)
    from_pipe = replay(None, *INTERFACES, standard_input=octets)
    assert from_pipe.returncode == 0
    assert from_pipe.stdout == from_file.stdout


def test_same_input_same_output(replay, tmp_path):
    """A replay has no random number, and no clock but the packets' times, which are all the same here."""
    octets = section() + interface() + b"".join(packet(0, discover(xid=number)) for number in range(50))
    flags = [*INTERFACES, "-a", "--rate-limit", "20", "--capture", str(tmp_path / "out")]
    first, first_capture = replay(octets, *flags), (tmp_path / "out").read_bytes()
    second, second_capture = replay(octets, *flags), (tmp_path / "out").read_bytes()
    assert first.stdout == second.stdout
    assert first_capture == second_capture
    assert "verdict=dropped reason=rate_limited" in first.stdout.decode()


def test_interfaces_of_the_file(replay):
    octets = (section() + interface(b"d1", "10.1.0.1") + interface(b"u1", "10.9.0.1") + interface(b"x9", "10.5.0.1")
              + packet(0, discover()) + packet(1, offer()) + packet(2, discover()) + packet(0, discover(), flags=2))
    assert verdicts(replay(octets)) == [
        (1, "forwarded to 10.9.0.2, giaddr 10.1.0.1"),
        (2, "reply to 02:00:00:00:00:01 on d1 by broadcast"),
        (3, "dropped: not_downstream (the request arrived on an interface where requests are not accepted)"),
        (4, "not run: sent by this host"),
    ]
    # The command line wins.
    assert verdicts(replay(octets, "--replay-interface", "d1=10.77.0.1/24"))[0] == (
        1, "forwarded to 10.9.0.2, giaddr 10.77.0.1")


def test_tags_belong_to_vlan_devices_where_the_interface_has_a_name(replay):
    frame = discover()
    tagged = frame[:12] + b"\x81\x00\x00\x64" + frame[12:]
    named = section() + interface(b"d1", "10.1.0.1") + packet(0, tagged)
    assert verdicts(replay(named)) == [(1, "not run: in VLAN 100, which is another interface")]
    assert verdicts(replay(pcap(tagged), *INTERFACES)) == [(1, "forwarded to 10.9.0.2, giaddr 10.1.0.1")]


def test_without_interfaces(replay):
    result = replay(pcap(discover()))
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr == (b"dhcp-relay: no interface of this replay has a role: expected --replay-interface NAME=CIDR "
                             b"for one that -id, -iu or -i names\n")


def test_the_role_may_come_late(replay):
    """The first interface of the file has none; the first message is of one that has."""
    octets = section() + interface(b"x1") + packet(0, b"\xff" * 60) + interface(b"d1", "10.1.0.1") + packet(1, discover())
    assert verdicts(replay(octets)) == [(2, "forwarded to 10.9.0.2, giaddr 10.1.0.1")]
    assert replay(section() + interface(b"x1") + packet(0, b"\xff" * 60)).returncode == 2


def test_names_are_not_resolved(tmp_path):
    (tmp_path / "input").write_bytes(pcap(discover()))
    result = subprocess.run([BINARY, "-id", "d1", "dhcp.example.", *INTERFACES, "--replay", tmp_path / "input"],
                            capture_output=True, text=True, check=False, timeout=60)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "dhcp-relay: SERVER 'dhcp.example.': expected an IP address in a replay\n"


def test_filter_that_goes_with_some_link_types(replay):
    octets = section() + interface(b"d1", "10.1.0.1") + interface(b"u1", link=101) + packet(0, discover()) + packet(
        1, offer()[14:]) + packet(0, discover())
    result = replay(octets, "--capture-filter", "udp or vlan")
    assert result.returncode == 1
    assert [frame for frame, _ in verdicts(result)] == [1, 3]
    assert totals(result) == "packets=3 messages=2 unfinished=0"
    assert re.fullmatch(rb"dhcp-relay: --capture-filter 'udp or vlan': .*; packets that it does not go with were left "
                        rb"out\n", result.stderr)


def test_filter(replay):
    octets = pcap(discover(), offer())
    assert [frame for frame, _ in verdicts(replay(octets, *INTERFACES, "--capture-filter", "src host 10.9.0.2"))] == [2]
    wrong = replay(octets, *INTERFACES, "--capture-filter", "src hots")
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    assert re.fullmatch(rb"dhcp-relay: --capture-filter 'src hots': .*\n", wrong.stderr)


# --- bad input ---------------------------------------------------------------------------------------------------------

GOOD = pcap(discover())
GOOD_NG = section() + interface(b"d1", "10.1.0.1") + packet(0, discover())
RECORD = struct.Struct("<IIII")


@pytest.mark.parametrize("name, octets, run_before, sentence", [
    ("empty", b"", 0, "the file is empty"),
    ("not a capture", b"\x7fELF\x02\x01\x01" + bytes(100), 0, "not a capture file: it begins with 0x7f454c46"),
    ("two octets", b"\xd4\xc3", 0, "not a capture file: it begins with 0xd4c3"),
    ("cut in the header", GOOD[:20], 0, "the file ends inside its header"),
    ("cut in a packet", GOOD + GOOD[24:100], 1, "the file ends inside packet 2"),
    ("cut in a record's head", GOOD + GOOD[24:30], 1, "the file ends inside packet 2"),
    ("a length of 4 GiB", GOOD + RECORD.pack(0, 0, 0xffffffff, 0xffffffff), 1, "packet 2 has a length of 4294967295"),
    ("a length beyond the end", GOOD + RECORD.pack(0, 0, 5000, 5000) + bytes(100), 1, "the file ends inside packet 2"),
    ("unknown link type", pcap(discover(), link=147), 0, "packets of link type 147 cannot be read and were left out"),
    ("pcapng cut", GOOD_NG + packet(0, discover())[:70], 1, "the file ends inside block 4"),
    ("block length of 0", GOOD_NG + struct.pack("<III", 6, 0, 0) + bytes(40), 1, "block 4 has a length of 0"),
    ("block length of 4 GiB", GOOD_NG + struct.pack("<III", 6, 0xfffffffc, 0) + bytes(40), 1,
     "block 4 has a length of 4294967292"),
    ("block that ends otherwise", GOOD_NG + packet(0, discover())[:-4] + struct.pack("<I", 48), 1, "block 4 begins with"),
    ("packet longer than its block", GOOD_NG + block(6, struct.pack("<IIIII", 0, 0, 0, 4000, 4000) + bytes(40)), 1,
     "block 4 "),
    ("packet of no interface", GOOD_NG + packet(7, discover()), 1, "block 4 "),
])
def test_bad_input(replay, name, octets, run_before, sentence):
    result = replay(octets, *INTERFACES)
    assert result.returncode == 1, name
    assert result.stderr.count(b"\n") == 1
    assert result.stderr.startswith(b"dhcp-relay: --replay '")
    assert sentence in result.stderr.decode()
    assert len(verdicts(result)) == run_before
    assert f"messages={run_before}" in totals(result)


@pytest.mark.parametrize("size", [0, 262144])
def test_packets_of_any_size(replay, size):
    big = discover() + bytes(max(0, size - len(discover())))
    result = replay(pcap(big[:size], discover()), *INTERFACES)
    assert (result.returncode, result.stderr) == (0, b"")
    assert verdicts(result)[-1] == (2, "forwarded to 10.9.0.2, giaddr 10.1.0.1")


def test_files_that_cannot_be_opened(tmp_path):
    for path, why in ((tmp_path / "none", "No such file or directory"), (tmp_path, "Is a directory")):
        result = subprocess.run([BINARY, *FLAGS, *INTERFACES, "--replay", path], capture_output=True, text=True,
                                check=False, timeout=60)
        assert result.returncode == 1
        assert result.stderr == f"dhcp-relay: --replay '{shown(str(path))}': cannot be read: {why}\n"


def shown(name):
    return name if len(name) <= 60 else name[:60] + "..."


def test_input_is_not_overwritten(replay, tmp_path):
    octets = pcap(discover())
    result = replay(octets, *INTERFACES, "--capture", str(tmp_path / "input"))
    assert result.returncode == 2
    assert b"this is the file that is replayed" in result.stderr
    assert (tmp_path / "input").read_bytes() == octets


def test_input_is_not_rotated_away(replay, tmp_path):
    octets = pcap(discover())
    result = replay(octets, *INTERFACES, "--capture", str(tmp_path / "inpu"))
    assert result.returncode == 0
    (tmp_path / "t.2").symlink_to(tmp_path / "input")
    result = replay(octets, *INTERFACES, "--capture", str(tmp_path / "t"), "--capture-files", "3")
    assert result.returncode == 2
    assert result.stderr.endswith(b": this is the file that is replayed; expected another one\n")
    assert (tmp_path / "input").read_bytes() == octets
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("flags", [[], ["--capture", "-"]])
def test_output_is_not_the_input(tmp_path, flags):
    path = tmp_path / "input"
    octets = pcap(discover())
    path.write_bytes(octets)
    with path.open("ab") as output:
        result = subprocess.run([BINARY, *FLAGS, *INTERFACES, *flags, "--replay", path], stdout=output,
                                stderr=subprocess.PIPE, check=False, timeout=60)
    assert result.returncode == 2
    assert result.stderr.endswith(b": standard output is this very file; expected another one\n")
    assert path.read_bytes() == octets


def test_output_that_cannot_be_written(tmp_path):
    """A full disk, and a reader that goes: one sentence, and status 1."""
    path = tmp_path / "input"
    path.write_bytes(pcap(*(discover() for _ in range(20000))))
    command = [BINARY, *FLAGS, *INTERFACES, "--replay", path]
    with open("/dev/full", "wb") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (result.returncode, result.stderr) == (1, b"dhcp-relay: standard output cannot be written\n")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        result = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (result.returncode, result.stderr) == (1, b"dhcp-relay: standard output cannot be written\n")


def test_capture_that_cannot_be_written(replay, tmp_path):
    """The verdicts and the summary come all the same."""
    path = tmp_path / "input"
    path.write_bytes(pcap(*(discover() for _ in range(2000))))
    result = subprocess.run([BINARY, *FLAGS, *INTERFACES, "--replay", path, "--capture", tmp_path / "out"],
                            capture_output=True, check=False, timeout=60,
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)))
    assert result.returncode == 1
    assert totals(result) == "packets=2000 messages=2000 unfinished=0"
    assert result.stderr.startswith(b"dhcp-relay: ") and result.stderr.endswith(b": File too large\n")
    assert verdicts(replay((tmp_path / "out").read_bytes()))


# --- no privilege, no socket -------------------------------------------------------------------------------------------


def test_needs_no_privilege_and_no_socket(replay, need):
    """As nobody without any capability, in a network namespace without a working interface, where even a socket would
    be of no use; the port stays free."""
    need("setpriv", "unshare")
    result = replay(None, *INTERFACES, standard_input=pcap(discover()), prefix=[
        "unshare", "--net", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all",
        "--inh-caps=-all", "--no-new-privs"])
    assert (result.returncode, result.stderr) == (0, b"")
    assert verdicts(result) == [(1, "forwarded to 10.9.0.2, giaddr 10.1.0.1")]


def test_has_no_socket_while_it_reads(tmp_path):
    """Held up in the middle of its input by a pipe that goes on later, it has no descriptor that is a socket."""
    octets = pcap(*(discover() for _ in range(200)))
    process = subprocess.Popen([BINARY, *FLAGS, *INTERFACES, "--replay", "-", "--capture", tmp_path / "out"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        process.stdin.write(octets[:-100])
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"1970-01-01T00:16:40.000Z INFO replay frame=1 ")
        open_files = [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in os.listdir(f"/proc/{process.pid}/fd")]
        assert not [name for name in open_files if name.startswith("socket:")]
        rest, errors = process.communicate(octets[-100:], timeout=60)
        assert process.returncode == 0 and errors == b""
        assert b"messages=200 " in rest
    finally:
        process.kill()
        process.wait()


# --- what would be sent ------------------------------------------------------------------------------------------------


def test_capture_of_what_would_be_sent(replay, need, tmp_path):
    need("tshark")
    out = tmp_path / "out.pcapng"
    octets = (section() + interface(b"d1", "10.1.0.1") + interface(b"u1", "10.9.0.1")
              + packet(0, discover(xid=7)) + packet(0, discover(xid=8, hops=17)) + packet(1, offer()))
    assert replay(octets, "--capture", str(out), "-a").returncode == 0
    printed = subprocess.run(["tshark", "-n", "-r", out, "-T", "fields", "-e", "frame.interface_name", "-e", "ip.dst",
                              "-e", "dhcp.hops", "-e", "dhcp.ip.relay", "-e", "udp.checksum.status", "-e",
                              "frame.packet_flags_direction", "-e", "frame.comment", "-o", "udp.check_checksum:TRUE"],
                             capture_output=True, text=True, check=True, timeout=60).stdout
    assert [line.split("\t") for line in printed.splitlines()] == [
        ["d1", "255.255.255.255", "0", "0.0.0.0", "1", "",
         'forwarded to 10.9.0.2, giaddr 10.1.0.1, option 82 circuit-id "d1"'],
        ["u1", "10.9.0.2", "1", "10.1.0.1", "1", "0x00000002", "would be sent for frame 1: request to 10.9.0.2"],
        ["d1", "255.255.255.255", "17", "0.0.0.0", "1", "", "dropped: hops_exceeded (17 > 4)"],
        ["u1", "10.1.0.1", "0", "10.1.0.1", "1", "", "reply to 02:00:00:00:00:01 on d1 by broadcast"],
        ["d1", "255.255.255.255", "0", "10.1.0.1", "1", "0x00000002",
         "would be sent for frame 4: reply to 02:00:00:00:00:01 on d1 by broadcast"],
    ]
    # What was written replays to the same decisions: what would be sent is not received again.
    again = [verdict for _, verdict in verdicts(replay(out.read_bytes(), "-a"))]
    assert [verdict for verdict in again if verdict != "not run: sent by this host"] == [
        verdict for _, verdict in verdicts(replay(octets, "-a"))]


def test_written_capture_has_the_addresses_of_each_time(replay, tmp_path):
    """Those of interfaces without packets too: what was written replays to the same decisions."""
    octets = (section() + interface(b"u1", "10.9.0.1", link=101) + interface(b"d1", "10.1.0.1") + packet(0, offer()[14:])
              + interface(b"d1", "10.2.0.1") + packet(0, offer()[14:]) + packet(0, offer("10.2.0.1")[14:])
              + packet(1, discover()) + interface(b"d1") + packet(3, discover()) + packet(1, discover()))
    out = tmp_path / "out.pcapng"
    expected = [verdict for _, verdict in verdicts(replay(octets, "--capture", str(out)))]
    assert expected == ["reply to 02:00:00:00:00:01 on d1 by broadcast",
                        "not run: to 10.1.0.1, which is not an address of this host",
                        "reply to 02:00:00:00:00:01 on d1 by broadcast",
                        "forwarded to 10.9.0.2, giaddr 10.1.0.1",
                        "dropped: no_address (the interface has no IPv4 address to put into giaddr (RFC 1542 section 4.1.1))",
                        "forwarded to 10.9.0.2, giaddr 10.1.0.1"]
    again = [verdict for _, verdict in verdicts(replay(out.read_bytes()))]
    assert [verdict for verdict in again if verdict != "not run: sent by this host"] == expected


def test_written_capture_of_given_interfaces(replay, tmp_path):
    """They are described in each file, so that it replays without their flags."""
    out = tmp_path / "out.pcapng"
    first = verdicts(replay(pcap(discover(), offer()), *INTERFACES, "--capture", str(out)))
    again = [verdict for _, verdict in verdicts(replay(out.read_bytes()))]
    assert [verdict for verdict in again if verdict != "not run: sent by this host"] == [verdict for _, verdict in first]


def test_capture_on_standard_output(replay, need):
    """The lines go to standard error then."""
    need("tshark")
    result = replay(pcap(discover()), *INTERFACES, "--capture", "-")
    assert result.returncode == 0
    assert b" replay frame=1 " in result.stderr
    printed = subprocess.run(["tshark", "-n", "-r", "-", "-T", "fields", "-e", "frame.comment"], input=result.stdout,
                             capture_output=True, check=True, timeout=60).stdout
    assert printed.splitlines() == [b"forwarded to 10.9.0.2, giaddr 10.1.0.1",
                                    b"would be sent for frame 1: request to 10.9.0.2"]


# --- public captures ---------------------------------------------------------------------------------------------------


def test_public_captures(need, tmp_path, capsys):
    """Every one is replayed, and tshark finds as many DHCPv4 messages as the replay does."""
    need("tshark")
    sums = {}
    differing = []
    for path in shared_files("captures/*.pcap*"):
        result = subprocess.run([BINARY, *FLAGS, *INTERFACES, "-a", "--replay", path, "--capture", tmp_path / "out"],
                                capture_output=True, text=True, check=False, timeout=120)
        assert result.returncode in (0, 1), f"{path}:\n{result.stderr}"
        assert result.stderr.count("\n") == result.returncode, f"{path}:\n{result.stderr}"
        ours = int(re.search(r"replay_total .* messages=(\d+)", result.stdout)[1])
        theirs = subprocess.run(["tshark", "-n", "-r", path, "-Y", "dhcp", "-T", "fields", "-e", "frame.number"],
                                capture_output=True, text=True, check=False, timeout=120).stdout.count("\n")
        if ours != theirs:
            differing.append(f"{path.name}: {ours} messages, tshark {theirs}")
        for verdict, count in re.findall(r"replay_count verdict=(.*) count=(\d+)", result.stdout):
            sums[verdict] = sums.get(verdict, 0) + int(count)
    assert not differing
    with capsys.disabled():
        print("\nverdicts on the messages of all public captures:")
        for verdict, count in sorted(sums.items(), key=lambda each: -each[1]):
            print(f"{count:6}  {verdict.replace(' reason=', ': ')}")
