"""A capture from its start to its end, whatever ends it: the relay goes on, and what was written can be read."""

import contextlib
import fcntl
import itertools
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

import capture
import message
import relay as relay_module
from capture import Capture, await_packets, comments, rows
from message import request
from relay import is_ours
from wait import wait_until

_LARGE = [(message.VENDOR, bytes(250))] * 4  # options of a request of 1.2 kB
_FORWARDED = "forwarded to 10.9.0.2, giaddr 10.101.0.1"
_REFERENCE = re.compile(r"request of frame (\d+), relayed to 10\.9\.0\.2")
_ELSEWHERE = "request of a frame that is not in this file, relayed to 10.9.0.2"
_OF_A_STREAM = (_FORWARDED, _ELSEWHERE, "verdict not known: the capture could not keep up",
                "not received by the relay: a receive buffer of this host was full")
_F_SETPIPE_SZ = 1031
_xids = itertools.count(0xa0000001)


@pytest.fixture(autouse=True)
def programs(need):
    if not is_ours():
        pytest.skip("the capture is ours")
    need("tshark", "capinfos")


@pytest.fixture
def scene(make_scene):
    """One segment and one server are enough."""
    return make_scene(segments=1, servers=1)


def started(scene, file, *flags, **options):
    """A relay that captures into a file, or - for standard output."""
    relay = scene.relay("--capture", str(file), *flags, servers=["10.9.0.2"], **options)
    relay.expect_log(" capture_started ")
    return relay


def handed_over(folder):
    """The same folder, in which the relay may make files as the account that it becomes."""
    os.chown(folder, relay_module.ACCOUNT.pw_uid, relay_module.ACCOUNT.pw_gid)
    return folder


def ask(scene, count, more=()):
    """Sends so many requests and waits until the last is relayed: their xids. A hundred at a time, which wait nowhere
    for want of room."""
    xids = []
    for number in range(count):
        made = request(xid=next(_xids), more=list(more))
        scene.send_request(made)
        xids.append(made.xid)
        if number % 100 == 99 or number == count - 1:
            scene.relayed(made)
            scene.servers[1].forget()
    return xids


def ended(relay):
    """Waits for the line that says how the capture ended: its fields."""
    relay.expect_log(r" capture_ended .*\n")
    return end(relay)


def end(relay):
    return re.findall(r" capture_ended (.*)", relay.log)[-1]


# --- read while it is written -----------------------------------------------------------------------------------------

@contextlib.contextmanager
def stream(scene, most=100_000):
    """Requests without a pause, bounded, until the block ends."""
    over = threading.Event()

    def run():
        for _ in range(most // 10):
            if over.is_set():
                return
            for _ in range(10):
                scene.send_request(request(xid=next(_xids)))
            time.sleep(0.001)
    sender = threading.Thread(target=run, daemon=True)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()


def is_sound(comment):
    """What can be said of a packet of a stream."""
    plain = re.sub(r" \[.*\]$", "", comment)
    return plain in _OF_A_STREAM or _REFERENCE.fullmatch(plain) is not None


def test_killed_under_load(scene):
    """The file can be read at any moment while it grows; SIGKILL leaves what was there at the last look, and more."""
    file = scene.folder / "load.pcapng"
    relay = started(scene, file, "--log-level", "info")
    with stream(scene):
        seen = 0
        for _ in range(4):
            size = file.stat().st_size
            wait_until(lambda size=size: file.stat().st_size > size + 200_000, "the file to grow")
            found = rows(file, may_be_cut=True)
            assert len(found) > seen
            seen = len(found)
        relay.kill()
    capture.run("capinfos", file, may_be_cut=True)
    found = rows(file, may_be_cut=True)
    assert len(found) >= seen
    wrong = [each for each in found if not is_sound(each[2])]
    assert not wrong, capture.describe(wrong[:20])
    assert sum(comment == _FORWARDED for _, _, comment in found) >= seen // 10


def test_references_under_load(scene):
    """Whatever the file has of a relayed request says which received one it belongs to."""
    file = scene.folder / "load.pcapng"
    relay = started(scene, file, "--log-level", "info")
    with stream(scene):
        await_packets(file, 5000)
    relay.stop()
    found = rows(file)
    checked = 0
    for interface, xid, comment in found:
        if reference := _REFERENCE.match(comment):
            assert interface == "u0"
            assert found[int(reference[1]) - 1][:2] == ("d1", xid)
            checked += 1
    assert checked >= 1000


# --- standard output --------------------------------------------------------------------------------------------------

class Reader:
    """tshark at the end of a pipe, its lines so far."""

    def __init__(self, scene, stack):
        self._printed = scene.folder / "printed"
        out, self.into = os.pipe()
        with open(self._printed, "wb") as printed:
            self._process = subprocess.Popen(["tshark", "-l", "-n", "-i", "-", *capture.FIELDS], stdin=out,
                                             stdout=printed, stderr=subprocess.DEVNULL)
        os.close(out)
        stack.callback(self.end)

    def rows(self):
        whole = self._printed.read_text(encoding="utf-8").split("\n")[:-1]
        return [capture.row(line) for line in whole]

    def end(self):
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(20)


def test_stream_into_tshark_that_goes_away(scene, stack):
    """Its lines come while the relay runs; when it has gone the capture ends though no packet comes, and the relay goes
    on."""
    reader = Reader(scene, stack)
    relay = started(scene, "-", output=reader.into)
    os.close(reader.into)
    expected = []
    for number in range(1, 4):
        xid, = ask(scene, 1)
        expected += [("d1", xid, _FORWARDED), ("u0", xid, f"request of frame {2 * number - 1}, relayed to 10.9.0.2")]
        wait_until(lambda: reader.rows() == expected, lambda: f"{expected}, not {reader.rows()}", pause=0.05)
    reader.end()
    assert "file=-" in ended(relay) and re.search(r"WARNING capture_ended ", relay.log)
    scene.exchange()
    assert relay.alive


def test_stream_that_nobody_reads(scene):
    """The pipe is full: all is relayed as before, memory has its bound, and the relay stops when it is told to."""
    out, into = os.pipe()
    fcntl.fcntl(into, _F_SETPIPE_SZ, 4096)
    try:
        relay = started(scene, "-", "--log-level", "info", output=into)
        ask(scene, 200)
        before = relay.resident_kilobytes()
        ask(scene, 30_000, _LARGE)  # 75 MB of packets
        if not relay.is_sanitized():
            assert relay.resident_kilobytes() - before < 60_000
        assert relay.counters("d1")["requests_relayed"] == 30_200
        relay.stop()
    finally:
        os.close(out)
        os.close(into)


# --- files that cannot be written -------------------------------------------------------------------------------------

def on_small_disk(folder, kilobytes):
    """A command that runs another with a small disk of its own at this folder."""
    return ["sh", "-c", f'mount -t tmpfs -o size={kilobytes}k none "$0" && exec "$@"', str(folder)]


def test_full_disk(scene):
    """The capture ends and says why, with what it had; the relay does not."""
    folder = scene.folder / "disk"
    folder.mkdir()
    relay = started(scene, folder / "full.pcapng", through=on_small_disk(folder, 256))
    ask(scene, 300, _LARGE)
    line = ended(relay)
    assert "No space left on device" in line
    assert re.search(r"WARNING capture_ended ", relay.log)
    seen = Path(f"/proc/{relay.pid}/root{folder}/full.pcapng")
    found = rows(seen)
    assert len(found) == int(re.search(r" packets=(\d+)", line)[1]) > 10
    assert all(is_sound(comment) for _, _, comment in found)
    scene.exchange()


def test_directory_that_vanishes(scene):
    """Removed with the file in it; at the next look the capture ends."""
    folder = scene.folder / "gone"
    folder.mkdir()
    relay = started(scene, folder / "gone.pcapng", "--capture-size", "1")
    ask(scene, 1)
    await_packets(folder / "gone.pcapng", 2)
    (folder / "gone.pcapng").unlink()
    folder.rmdir()
    ask(scene, 1000, _LARGE)
    assert str(folder) in ended(relay)
    assert re.search(r"WARNING capture_ended ", relay.log)
    scene.exchange()


def _symbolic_link(file):
    target = file.with_name("target")
    target.write_text("mine", encoding="ascii")
    file.symlink_to(target)


def _dangling_link(file):
    file.symlink_to(file.with_name("nowhere"))


def _somebody_elses(file):
    file.write_text("theirs", encoding="ascii")
    os.chown(file, relay_module.ACCOUNT.pw_uid - 1, relay_module.ACCOUNT.pw_gid)


_UNFIT = {"symbolic link": _symbolic_link, "dangling link": _dangling_link, "FIFO": os.mkfifo,
          "directory": os.mkdir, "somebody else's": _somebody_elses}


def refused(scene, *flags):
    """Runs the relay to its end: status and what it wrote to standard error, of one line."""
    words = [relay_module.BINARY, "-d", "--no-pid", *flags, "-id", "d1", "-iu", "u0", "10.9.0.2"]
    done = subprocess.run(scene.topology.router.command(words), capture_output=True, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL)
    assert done.stdout == ""
    assert done.stderr.startswith("dhcp-relay: ") and done.stderr.count("\n") == 1, done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("kind", _UNFIT)
def test_unfit_file_is_refused(scene, kind):
    """At the start, and what is there stays as it is."""
    file = scene.folder / "it.pcapng"
    _UNFIT[kind](file)
    before = {each.name: (each.lstat(), each.read_bytes() if each.is_file() else None)
              for each in scene.folder.iterdir()}
    status, line = refused(scene, "--capture", str(file))
    assert status == 1
    assert str(file) in line
    after = {each.name: (each.lstat(), each.read_bytes() if each.is_file() else None)
             for each in scene.folder.iterdir()}
    assert {name: (known.st_ino, known.st_mode, octets) for name, (known, octets) in after.items()} == \
        {name: (known.st_ino, known.st_mode, octets) for name, (known, octets) in before.items()}


def test_file_in_no_directory_is_refused(scene):
    status, line = refused(scene, "--capture", str(scene.folder / "none" / "it.pcapng"))
    assert status == 1
    assert "No such file or directory" in line


def test_file_that_exists_is_overwritten(scene):
    """Longer content than the new one included."""
    file = scene.folder / "it.pcapng"
    file.write_bytes(bytes(1 << 20))
    relay = started(scene, file)
    xid, = ask(scene, 1)
    relay.stop()
    assert rows(file) == [("d1", xid, _FORWARDED), ("u0", xid, "request of frame 1, relayed to 10.9.0.2")]


@pytest.mark.parametrize("flags, named", [
    (["--capture-filter", "udp prot 67"], ["--capture-filter", "udp prot 67"]),
    (["--capture-size", "0"], ["--capture-size", "0"]), (["--capture-files", "0"], ["--capture-files", "0"]),
    (["--capture-size", "many"], ["--capture-size", "many"])])
def test_bad_words_are_refused(scene, flags, named):
    """One line, and the file is not touched."""
    file = scene.folder / "it.pcapng"
    status, line = refused(scene, "--capture", str(file), *flags)
    assert status == 2
    assert all(each in line for each in named), line
    assert not file.exists()


# --- rotation ---------------------------------------------------------------------------------------------------------

def members(file):
    """The files of a capture that there are, the oldest first."""
    found = [each for each in file.parent.iterdir() if re.fullmatch(re.escape(file.name) + r"(\.\d+)?", each.name)]
    return sorted(found, key=lambda each: -int(each.suffix[1:]) if each.suffix[1:].isdigit() else 0)


def check_references(found, earlier):
    """In one file of a capture; `earlier` has the xids of received requests of the files before it."""
    received = {}
    for number, (interface, xid, comment) in enumerate(found, 1):
        if interface == "d1":
            assert comment == _FORWARDED
            received[xid] = number
        elif xid in received:
            assert comment == f"request of frame {received[xid]}, relayed to 10.9.0.2"
        else:
            assert comment == _ELSEWHERE
            assert earlier is None or xid in earlier
    return set(received)


def test_rotation(scene):
    """By size: all packets are there, once, in files that can each be read alone and are no larger than they may be."""
    file = handed_over(scene.folder) / "it.pcapng"
    relay = started(scene, file, "--capture-size", "1", "--capture-files", "4")
    xids = ask(scene, 900, _LARGE)
    relay.stop()
    files = members(file)
    assert [each.name for each in files] == ["it.pcapng.2", "it.pcapng.1", "it.pcapng"]
    assert all(each.stat().st_size <= 1_000_000 for each in files)
    assert all(each.stat().st_size > 900_000 for each in files[:-1])
    received, everything = set(), []
    for each in files:
        capture.run("capinfos", each)
        found = rows(each)
        received |= check_references(found, received)
        everything += found
        assert len(Capture(each).sections) == 1
    assert [xid for interface, xid, _ in everything if interface == "d1"] == xids
    assert [xid for interface, xid, _ in everything if interface == "u0"] == xids


def test_rotation_keeps_so_many_files(scene):
    """The oldest go, the newest stay."""
    file = handed_over(scene.folder) / "it.pcapng"
    relay = started(scene, file, "--capture-size", "1", "--capture-files", "2")
    xids = ask(scene, 1500, _LARGE)
    relay.stop()
    files = members(file)
    assert [each.name for each in files] == ["it.pcapng.1", "it.pcapng"]
    found = rows(files[0])
    check_references(found, None)
    later = rows(files[1])
    check_references(later, {xid for _, xid, _ in found})
    received = [xid for interface, xid, _ in found + later if interface == "d1"]
    assert received == xids[-len(received):]
    assert len(received) < len(xids)


def test_one_file_of_a_rotation(scene):
    """--capture-files 1: begun anew when it is full."""
    file = scene.folder / "it.pcapng"
    relay = started(scene, file, "--capture-size", "1", "--capture-files", "1")
    xids = ask(scene, 700, _LARGE)
    relay.stop()
    assert members(file) == [file]
    found = rows(file)
    check_references(found, None)
    assert found[-1][1] == xids[-1]


# --- SIGUSR2 ----------------------------------------------------------------------------------------------------------

def toggle(relay, event):
    """SIGUSR2, and its line in the log: started or ended."""
    before = relay.log.count(f" capture_{event} ")
    relay.signal(signal.SIGUSR2)
    relay.expect_log(rf" capture_{event} .*\n", before + 1)
    return re.findall(rf" INFO capture_{event} (.*)", relay.log)[-1]


def test_sigusr2_ends_and_starts(scene):
    """What was captured is kept as FILE.1, and what passes in between is in neither."""
    file = handed_over(scene.folder) / "it.pcapng"
    relay = started(scene, file)
    first = ask(scene, 3)
    assert toggle(relay, "ended") == f"file={file} why=SIGUSR2 packets=6 lost_packets=0 lost_verdicts=0"
    octets = file.read_bytes()
    assert [xid for interface, xid, _ in rows(file) if interface == "d1"] == first
    ask(scene, 3)
    assert file.read_bytes() == octets
    assert toggle(relay, "started") == f"file={file}"
    assert (scene.folder / "it.pcapng.1").read_bytes() == octets
    last = ask(scene, 1) + ask(scene, 1)
    assert toggle(relay, "ended") == f"file={file} why=SIGUSR2 packets=4 lost_packets=0 lost_verdicts=0"
    assert rows(file) == [("d1", last[0], _FORWARDED), ("u0", last[0], "request of frame 1, relayed to 10.9.0.2"),
                          ("d1", last[1], _FORWARDED), ("u0", last[1], "request of frame 3, relayed to 10.9.0.2")]
    assert (scene.folder / "it.pcapng.1").read_bytes() == octets
    scene.exchange()


def test_sigusr2_after_a_capture_ended_by_itself(scene):
    """Starts it again when there is room."""
    folder = scene.folder / "disk"
    folder.mkdir()
    relay = started(scene, folder / "it.pcapng", through=on_small_disk(folder, 64))
    ask(scene, 200, _LARGE)
    ended(relay)
    inside = Path(f"/proc/{relay.pid}/root{folder}")
    for each in inside.iterdir():
        each.unlink()
    toggle(relay, "started")
    xid, = ask(scene, 1)
    await_packets(inside / "it.pcapng", 2)
    assert rows(inside / "it.pcapng")[0] == ("d1", xid, _FORWARDED)


def test_frames_of_a_stream_that_was_interrupted(scene):
    """Standard output goes on with another section, and whoever reads it counts on."""
    file = scene.folder / "streamed"
    with open(file, "wb") as output:
        relay = started(scene, "-", output=output)
        first, = ask(scene, 1)
        toggle(relay, "ended")
        toggle(relay, "started")
        last, = ask(scene, 1)
        relay.stop()
    assert rows(file) == [("d1", first, _FORWARDED), ("u0", first, "request of frame 1, relayed to 10.9.0.2"),
                          ("d1", last, _FORWARDED), ("u0", last, "request of frame 3, relayed to 10.9.0.2")]


def test_sigusr2_without_a_capture(scene):
    """A line that says what to do; nothing is written."""
    relay = scene.relay()
    before = set(scene.folder.iterdir())
    relay.signal(signal.SIGUSR2)
    relay.expect_log(r"--capture\b")
    scene.exchange()
    assert set(scene.folder.iterdir()) == before


def test_end_of_the_relay_ends_the_capture(scene):
    """With SIGTERM, a moment after the last message: all of it is there, and the log has the count."""
    file = scene.folder / "it.pcapng"
    relay = started(scene, file)
    xids = ask(scene, 50)
    relay.stop()
    assert re.search(r" packets=100 lost_packets=0 lost_verdicts=0", end(relay))
    assert [xid for interface, xid, _ in rows(file) if interface == "d1"] == xids
    assert all(is_sound(comment) for comment in comments(file))
