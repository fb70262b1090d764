"""The log under attack: a flood of whatever is dropped is a line now and then, and where nobody reads the lines the
relay goes on, counts those that were lost, and says so when it can.
"""

import collections
import contextlib
import datetime
import fcntl
import itertools
import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

import dropped
import message
import metrics
import relay as relay_module
from message import udp_frames
from peers import ScriptedServer
from relay import is_ours
from storm import frames
from test_lifecycle import CraftedClient
from test_prefixes6 import delegate
from wait import wait_until
from wire import arrived

_INTERVAL = 10  # seconds between two reports of what was suppressed
_TIMES = 3000
_ROUNDS = 2
_LINE = re.compile(r"^(\S+) WARNING (?:dropped|send_failed) (.*)$", re.M)
_FIELD = re.compile(r"\b(interface|reason|suppressed|count)=(\S+)")
_xids = itertools.count(0xa0000001)


@pytest.fixture(autouse=True)
def ours():
    if not is_ours():
        pytest.skip("the log is ours")


# --- floods -----------------------------------------------------------------------------------------------------------

class Line:
    """A line of a drop: the first of its kind, or a report of how many came after it."""

    def __init__(self, when, rest):
        fields = dict(_FIELD.findall(rest))
        self.when = datetime.datetime.fromisoformat(when.rstrip("Z"))
        self.key = fields["interface"], fields["reason"]
        self.is_report = "suppressed" in fields
        self.drops = int(fields.get("suppressed", fields.get("count", 1)))


def lines(relay):
    """Of each interface and reason, in order."""
    found = collections.defaultdict(list)
    for match in _LINE.finditer(relay.log):
        line = Line(*match.groups())
        found[line.key].append(line)
    return found


def told(relay):
    """How many drops the log has accounted for so far."""
    return {key: sum(line.drops for line in each) for key, each in lines(relay).items()}


def assert_few(relay):
    """A first line, and then a report an interval: two lines of a kind are an interval apart, but for the first report,
    whose interval may have begun with another kind."""
    for key, each in lines(relay).items():
        for earlier, later in itertools.pairwise(each):
            is_first_report = later.is_report and not earlier.is_report
            apart = (later.when - earlier.when).total_seconds()
            assert is_first_report or apart >= _INTERVAL - 0.001, f"{key}: two lines within {apart} s"


def counted(relay, key):
    """By the counter of an interface and a reason."""
    try:
        return relay.counters(re.escape(key[0])).get(key[1], 0)
    except IndexError:
        return 0  # it has counted nothing yet, and is not shown


def flood(scene, relay, cases):
    """Each of them so many times, twice: how many drops there have to be of each interface and reason."""
    expected = collections.Counter()
    for _ in range(_ROUNDS):
        for case in cases:
            case.send(scene, next(_xids), _TIMES)
            expected[case.counter] += _TIMES
            wait_until(lambda key=case.counter: accounted(relay, key) >= expected[key],
                       lambda key=case.counter: f"{expected[key]} x {key}: {relay.log[-2000:]}", pause=0.05)
    return expected


def accounted(relay, key):
    """How many were dropped, those included that a rate limit let pass."""
    passed = relay.counters(key[0])["requests_relayed"] if key[1] == "rate_limited" else 0
    return counted(relay, key) + passed


def assert_flood(scene, relay, cases):
    """The counters have each message of the flood, and the log all that they have, in few lines."""
    expected = flood(scene, relay, cases)
    assert {key: accounted(relay, key) for key in expected} == dict(expected)
    exact = {key: counted(relay, key) for key in expected}
    wait_until(lambda: told(relay) == exact, lambda: f"the log says {told(relay)}, the counters {exact}", timeout=60,
               pause=0.2)
    assert_few(relay)
    print(f"{sum(exact.values())} drops of {len(exact)} kinds in {sum(map(len, lines(relay).values()))} lines")


def test_every_reason_has_its_message():
    """Here, or it is said why not."""
    provoked = {case.reason for case in (*dropped.REQUESTS, *dropped.REPLIES, dropped.UNSENT, *dropped.OTHERS)}
    assert provoked | dropped.ELSEWHERE.keys() == dropped.reasons()
    assert not provoked & dropped.ELSEWHERE.keys()


def test_flood_of_each_reason(make_scene):
    """Of the strict relay."""
    scene = make_scene(segments=dropped.SEGMENTS)
    dropped.prepare_strict(scene)
    relay = scene.relay("--log-level", "info", *dropped.STRICT)
    assert_flood(scene, relay, [*dropped.REQUESTS, *dropped.REPLIES, dropped.UNSENT])


def test_flood_of_each_other_reason(make_scene):
    """Of the relay of segments that share a giaddr."""
    scene = make_scene(segments=dropped.SHARED_SEGMENTS)
    dropped.prepare_shared(scene)
    relay = scene.relay("--log-level", "info", *dropped.SHARED, interfaces=["-id", "d*", "-iu", "u0"],
                        servers=[])
    assert_flood(scene, relay, dropped.OTHERS)


def test_flood_that_has_no_room(scene):
    """More than may wait, and more than a receive buffer holds: what is lost in the kernel is nobody's."""
    relay = scene.relay("--log-level", "info", "-a", servers=["10.9.0.2"])
    sent = 0
    for number in range(3):
        with relay.held_up():
            scene.clients[1].send(frames(scene.topology.segment(1), 30_000, 0x70000000 + number * 30_000))
        sent += 30_000

        def all_known():
            of_d1 = relay.counters("d1")
            return of_d1["requests_relayed"] + of_d1["dropped"] + counted(relay, ("(unattributed)", "lost_in_kernel"))
        wait_until(lambda: all_known() >= sent, lambda: f"{sent} requests: {all_known()}", pause=0.2)
        assert all_known() == sent
    exact = {key: counted(relay, key) for key in (("d1", "queue_full"), ("(unattributed)", "lost_in_kernel"))}
    assert all(exact.values())
    wait_until(lambda: told(relay) == exact, lambda: f"the log says {told(relay)}, the counters {exact}", timeout=60,
               pause=0.2)
    assert_few(relay)


def test_flood_on_an_interface_that_the_relay_does_not_know_yet(scene):
    """It comes while the relay is held up; the replies of the first turn are judged before the news of links are read."""
    relay = scene.relay("--log-level", "info", servers=["10.9.0.2"])
    router = scene.topology.router
    late = scene.topology.network.namespace("late")
    router.sysctl("net.ipv4.conf.all.rp_filter", 0)
    router.sysctl("net.ipv4.conf.default.rp_filter", 0)
    with relay.held_up():
        scene.topology.network.link(router, "late1", "02:00:00:00:77:01", late, "eth0", "02:00:00:00:77:0c")
        scene.wire(late).send(udp_frames(
            scene.offer_for(1).encode(), source="10.177.0.9", destination="10.101.0.1", sport=67,
            source_mac="02:00:00:00:77:0c", destination_mac="02:00:00:00:77:01") * _TIMES)

    def known():
        return counted(relay, ("(unattributed)", "interface_unknown")), counted(relay, ("late1", "not_upstream"))
    wait_until(lambda: sum(known()) == _TIMES, lambda: f"{_TIMES} drops: {known()}", pause=0.05)
    assert known()[0] > 0
    wait_until(lambda: sum(told(relay).values()) == _TIMES, lambda: f"the log says {told(relay)}", timeout=60,
               pause=0.2)
    assert_few(relay)


# --- sinks that stand still -------------------------------------------------------------------------------------------

_FLOOD = 5000  # requests, two lines each, of which 8192 may wait
_CLIENTS = 20
_F_SETPIPE_SZ = 1031
_DEVICES = """
for each in null random urandom zero; do
  : > "$0/$each" && mount --bind "/dev/$each" "$0/$each" || exit 1
done
mount --rbind "$0" /dev && exec "$@"
"""


class Pipe:
    """The relay's standard error, a pipe. It is read when `log` is asked for, and stands still otherwise."""

    def __init__(self, scene):
        self._scene = scene
        self._name = scene.folder / "pipe"
        os.mkfifo(self._name)
        self._descriptor = os.open(self._name, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self._descriptor, _F_SETPIPE_SZ, 4096)
        self._text = b""

    def start(self, *flags):
        through = ["sh", "-c", 'exec "$@" 2> "$0"', str(self._name)]
        self.pid = self._scene.relay(*flags, through=through, ready="", sinks=False).pid

    def end(self):
        """Of the relay."""
        self._scene.running.stop()

    @property
    def log(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self._text += os.read(self._descriptor, 65536)
        return self._text.decode()

    def stop(self):
        os.close(self._descriptor)


class Syslog:
    """/dev/log of a relay that is a daemon, in a /dev of its own; read as `Pipe` is."""

    def __init__(self, scene):
        self._scene = scene
        self._folder = scene.folder / "dev"
        self._folder.mkdir()
        self._pid_file = scene.folder / "pid"
        self._text = ""
        self.pid = None
        self.open()

    def open(self):
        """A syslog daemon starts."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(self._folder / "log"))
        (self._folder / "log").chmod(0o666)

    def close(self):
        """It ends."""
        self._socket.close()
        (self._folder / "log").unlink()

    def start(self, *flags, servers=("10.9.0.2", "10.9.0.3")):
        words = ["-q", "-pf", str(self._pid_file), *flags, "-id", "d1", "-id", "d2", "-iu", "u0", *servers]
        command = ["sh", "-c", _DEVICES, str(self._folder), relay_module.BINARY, *words]
        subprocess.run(self._scene.topology.router.command(command), check=True, timeout=60, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)
        self.pid = int(self._pid_file.read_text(encoding="ascii"))

    @property
    def log(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self._text += self._socket.recv(65536).decode() + "\n"
        return self._text

    def end(self):
        if self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)
            wait_until(lambda: not is_running(self.pid), "the daemon to end")
            self.pid = None

    def stop(self):
        self.end()
        self._socket.close()


def is_running(pid):
    """Not so where it has ended and nobody has asked how."""
    try:
        return bool(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return False


@pytest.fixture(params=[Pipe, Syslog], ids=["pipe", "syslog"])
def sink(request, scene, stack):
    """Of a relay that writes two lines for each message. It has been read up to the relay's start."""
    made = request.param(scene)
    stack.callback(made.stop)
    made.start("-a", "--log-level", "debug", *metrics.FLAGS)
    wait_until(lambda: re.search(r" started .*\n", made.log), lambda: f"the relay to start: {made.log}")
    return made


def stands_still(scene):
    """More lines than may wait, and then handshakes, each of which ends well. How many lines that were."""
    scene.sink(2)
    scene.keep(ScriptedServer(scene.topology.server(1)))
    scene.clients[1].send(frames(scene.topology.segment(1), _FLOOD, kind=message.RELEASE))
    for server in (1, 2):
        wire = scene.servers[server]
        wait_until(lambda wire=wire: len(wire.all(arrived(op=1, kind=message.RELEASE))) == _FLOOD,
                   lambda wire=wire: f"{_FLOOD} requests; {len(wire.all(arrived(op=1)))} came", pause=0.1)
    for number in range(10, 10 + _CLIENTS):
        assert CraftedClient(scene, number).lease().endswith(f".{number}")
    return 2 * (_FLOOD + 4 * _CLIENTS)


def lost_by_metrics(scene):
    return metrics.scrape(scene.topology.router).value("dhcp_relay_log_lines_lost_total")


def overruns(log):
    """What each report of lost lines says: how many more, and how many at all."""
    found = re.findall(r" log_overrun lost=(\d+) log_lines_lost=(\d+)\n", log)
    return [(int(more), int(total)) for more, total in found]


def test_sink_that_stands_still(scene, sink):
    """The relay goes on. When the sink moves again it has as many lines as there was room for, and the number of those
    that are missing."""
    written = stands_still(scene)
    assert lost_by_metrics(scene) > 0, "which tell so while the log cannot"
    wait_until(lambda: overruns(sink.log), "a report of lost lines", timeout=60)
    os.kill(sink.pid, signal.SIGUSR1)
    lost = int(wait_until(lambda: re.search(r" counters_total .* log_lines_lost=(\d+)\n", sink.log), "counters")[1])
    wait_until(lambda: overruns(sink.log)[-1][1] == lost, lambda: f"{lost} lines lost: {overruns(sink.log)}", timeout=60)
    told_of = overruns(sink.log)
    came = len(re.findall(r" DEBUG (?:received|forwarded) ", sink.log))
    print(f"{written} lines written, {came} came, {lost} lost: {told_of}")
    assert came + lost == written
    assert sum(more for more, _ in told_of) == lost_by_metrics(scene) == lost > 0


def test_relay_ends_though_its_sink_stands_still(scene, sink):
    """By itself, with what could not be written lost."""
    stands_still(scene)
    sink.end()


@pytest.mark.parametrize("sink", [Syslog], indirect=True, ids=["syslog"])
def test_syslog_that_is_started_again(scene, sink):
    """While there is none the relay goes on and counts its lines as lost; they come again when there is, and with them
    how many were."""
    scene.sink(1)
    scene.sink(2)
    sink.close()
    scene.exchange()
    wait_until(lambda: lost_by_metrics(scene) >= 4, lambda: f"four lines: {lost_by_metrics(scene)}")
    sink.open()
    before = sink.log

    def came():
        scene.exchange()
        return " DEBUG forwarded " in sink.log[len(before):]
    wait_until(came, "lines in the new syslog")
    wait_until(lambda: lost_by_metrics(scene) in [total for _, total in overruns(sink.log)], "the report", timeout=60)


def test_syslog_that_is_away_for_longer(scene, stack):
    """What tells of lost lines is lost as well meanwhile, and made up for: in the end nothing is untold."""
    sink = Syslog(scene)
    stack.callback(sink.stop)
    sink.start("-a", "--log-level", "info", *metrics.FLAGS)
    wait_until(lambda: re.search(r" started .*\n", sink.log), lambda: f"the relay to start: {sink.log}")
    scene.sink(1)
    scene.sink(2)
    sink.close()

    def drop():
        scene.send_request(message.request(xid=next(_xids), hops=255))
    drop()
    for lost in range(1, 4):  # the first drop's line, then an interval's each, and so a report of what was lost
        wait_until(lambda lost=lost: lost_by_metrics(scene) >= lost, lambda lost=lost: f"{lost} lines lost", timeout=60)
        drop()
    sink.open()
    wait_until(lambda: overruns(sink.log), "the report", timeout=60)
    total = lost_by_metrics(scene)
    wait_until(lambda: overruns(sink.log)[-1][1] == total, lambda: f"{total} lost: {overruns(sink.log)}", timeout=60)
    assert sum(more for more, _ in overruns(sink.log)) == total


def is_idle(pid):
    """Whether no timer of the relay's ends before a report would be due."""
    texts = [path.read_text(encoding="ascii") for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir()]
    waits = [map(int, wait) for text in texts for wait in re.findall(r"^it_value: \((\d+), (\d+)\)", text, re.M)]
    return all(seconds > _INTERVAL or seconds == nanoseconds == 0 for seconds, nanoseconds in waits)


def test_syslog_of_a_relay_that_drops_nothing(scene6, stack):
    """Whatever line is lost, it is told of, though nothing else is there to report."""
    sink = Syslog(scene6)
    stack.callback(sink.stop)
    scene6.sink6(1)
    sink.start("--log-prefixes", *metrics.FLAGS, servers=scene6.server_addresses6()[:1])
    wait_until(lambda: re.search(r" started .*\n", sink.log), lambda: f"the relay to start: {sink.log}")
    wait_until(lambda: is_idle(sink.pid), "the relay to have nothing to do", timeout=60)
    sink.close()
    delegate(scene6, "2001:db8:e101:100::/56")
    wait_until(lambda: lost_by_metrics(scene6) == 1, "a lost line")
    sink.open()
    wait_until(lambda: overruns(sink.log) == [(1, 1)], lambda: f"the report: {sink.log}", timeout=60)
