"""The table's rows: each takes its measurements, in rounds, and says what came of them beside its aim."""

import contextlib
import functools
import json
import socket
import statistics
import subprocess
import time
from dataclasses import dataclass

import measure
from churn import Scraping
from field import PROGRAMS, SERVER, SERVER6, field, most_neighbours6
from relay import Relay
from ways import ALL, ALL6, BARE, ISC, OURS, PACED

_LADDER = (10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 80_000, 100_000, 120_000)
_RATES6 = (10_000, 50_000)  # the first is one that all can do
_INTERFACES, _REACHABLE = 4000, 250
_NO_RELAY, _BOTH_FAMILIES = "no relay", "ours, for both families"
_READ, _UNREAD = "read", "not read"
_ONE, _ONE_OF_MANY, _SOME, _SOME_OF_MANY = "one of 1", "one of 4,000", "250 of 250", "250 of 4,000"


@dataclass
class Aim:
    """What the median is to be: at most, or else at least, `bound`. Where all have to, the worst is judged instead."""

    text: str
    bound: float
    is_ceiling: bool = True
    for_all: bool = False

    def verdict(self, values):
        if not values:
            return "not judged"
        value = statistics.median(values)
        if self.for_all:
            value = max(values) if self.is_ceiling else min(values)
        if value <= self.bound if self.is_ceiling else value >= self.bound:
            return "reached"
        return f"**not reached**: {figure(value)} instead of {figure(self.bound)}"


def at_least(bound):
    return Aim(f"at least {bound:g}", bound, is_ceiling=False)


def at_most(bound):
    return Aim(f"at most {bound:g}", bound)


def under(bound, unit):
    return Aim(f"under {bound:g} {unit}", bound)


ALL_OF_THEM = Aim("all", 1, is_ceiling=False, for_all=True)


@dataclass
class Row:
    """One line of the table."""

    what: str
    aim: Aim
    values: list
    unit: str = ""
    beside: str = ""

    def text(self):
        measured, verdict = spread(self.values, self.unit), self.aim.verdict(self.values)
        return f"| {self.what} | {self.aim.text} | {measured} | {verdict} | {self.beside} |"


def figure(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def spread(values, unit=""):
    if not values:
        return "not measured"
    unit = f" {unit}" if unit else ""
    return f"{figure(statistics.median(values))}{unit} ({figure(min(values))} .. {figure(max(values))})"


def own(rounds, what, way):
    return [what(each[way]) for each in rounds if way in each]


def ratios(rounds, what, over, under):
    return [what(each[over]) / max(what(each[under]), 1e-9) for each in rounds if over in each and under in each]


def medians(rounds, what, ways, unit=""):
    """For the column beside: each way's own median."""
    return ", ".join(f"{way} {figure(statistics.median(own(rounds, what, way)))}" for way in ways
                     if own(rounds, what, way)) + (f" {unit}" if unit else "")


@dataclass(frozen=True)
class Family:
    """What its rows do not share with those of the other one: who takes part, and what is aimed at, of ISC's own."""

    number: int
    name: str  # in front of a row and of a record
    ways: tuple
    relays: tuple  # all
    handshakes: float
    handshakes_flat_out: float
    micro: str  # the benchmark of the core


V4 = Family(4, "", (OURS, ISC, BARE), ALL, 3, 40, "request_with_option82")
V6 = Family(6, "DHCPv6: ", (OURS, ISC), ALL6, 1, 1, "request6_with_interface_id")


def cpu(storm):
    return storm.cpu_per_offer


def late(came):
    return came.p99


# --- the rows ---------------------------------------------------------------------------------------------------------

def load(bench):
    """CPU and latency at 50,000 a second."""
    with field() as place:
        made = bench.rounds("load", (OURS, ISC, BARE, PACED), lambda way: measure.storm(
            bench.ways, way, place, ("--rate", 50_000, "--duration", 2)))
    over_isc, over_bare, p99 = ratios(made, cpu, ISC, OURS), ratios(made, cpu, OURS, BARE), own(made, late, OURS)
    yield Row("CPU per delivered message at 50,000/s offered, ISC dhcrelay / ours", at_least(4), over_isc,
              beside=medians(made, cpu, (OURS, ISC, BARE), "us"))
    over_paced = f"ours / paced bare {spread(ratios(made, cpu, OURS, PACED))}; {medians(made, cpu, (PACED,), 'us')}"
    yield Row("the same, ours / bare unpaced forwarder", at_most(0.5), over_bare, beside=over_paced)
    yield Row("round trip at 50,000/s (the server's part is in it), p99", under(2, "ms"), p99, "ms",
              medians(made, late, (OURS, ISC, BARE), "ms"))


def load6(bench):
    """CPU and latency at a rate that all can do, and at the one at which DHCPv4 is measured."""
    for rate in _RATES6:
        with field(family=6) as place:
            made = bench.rounds(f"DHCPv6: load at {rate}", V6.ways, lambda way, here=place, pace=rate: measure.storm(
                bench.ways, way, here, ("--rate", pace, "--duration", 2)))
        answered = medians(made, lambda storm: storm.clients["offers"] / storm.clients["sent"], V6.ways)
        yield Row(f"DHCPv6: CPU per delivered message at {rate:,}/s offered, ISC dhcrelay / ours", at_least(1),
                  ratios(made, cpu, ISC, OURS),
                  beside=f"{medians(made, cpu, V6.ways, 'us')}; answered of what was offered: {answered}")
        yield Row(f"DHCPv6: round trip at {rate:,}/s (the server's part is in it), p99", under(2, "ms"),
                  own(made, late, OURS), "ms", medians(made, late, V6.ways, "ms"))


def lone(bench, family=V4):
    """The round trip of a message that is alone."""
    with field(family=family.number) as place:
        made = bench.rounds(f"{family.name}lone", family.ways, lambda way: measure.storm(
            bench.ways, way, place, ("--lone", "--count", 400, "--duration", 30)))

    def middle(storm):
        return storm.clients["offer_p50_us"]

    over_isc = ratios(made, middle, OURS, ISC)
    yield Row(f"{family.name}round trip of a lone message, median, ours / ISC", at_most(1.1), over_isc,
              beside=medians(made, middle, family.ways, "us"))


def _climb(bench, place, way):
    """Full handshakes by steps of the offered rate, until that is more than the clients can offer or the relay can do,
    then with no rate at all: the last of what is given."""
    made = []
    for rate in _LADDER:
        made.append(measure.storm(bench.ways, way, place, ("--mode", "handshake", "--rate", rate, "--duration", 2)))
        reached = made[-1].handshakes_per_second
        if reached < 0.7 * max(each.handshakes_per_second for each in made) or made[-1].clients["rate"] < 0.7 * rate:
            break
    return [*made, measure.storm(bench.ways, way, place, ("--mode", "handshake", "--duration", 4))]


def handshakes(bench, family=V4):
    """How many handshakes a second, at the rate that suits each best and with the clients flat out."""
    with field(family=family.number) as place:
        made = bench.rounds(f"{family.name}handshakes", family.ways, lambda way: _climb(bench, place, way))

    def best(storms):
        return max(each.handshakes_per_second for each in storms)

    def flat_out(storms):
        return storms[-1].handshakes_per_second

    bests, flats = ratios(made, best, OURS, ISC), ratios(made, flat_out, OURS, ISC)
    kept = [flat_out(each[OURS]) / best(each[OURS]) for each in made if OURS in each]
    yield Row(f"{family.name}full handshakes a second at the best offered rate, ours / ISC's best",
              at_least(family.handshakes), bests, beside=medians(made, best, family.ways, "a second"))
    yield Row(f"{family.name}full handshakes a second with the clients flat out / our own best", at_least(0.9), kept,
              beside=medians(made, flat_out, family.ways, "a second"))
    yield Row(f"{family.name}the same, ours / ISC", at_least(family.handshakes_flat_out), flats)


def delivered(bench, family=V4):
    """Whether what the server has sent comes to 20,000 clients."""
    for rate in (5_000, 50_000):
        with field(family=family.number) as place:
            made = bench.rounds(f"{family.name}delivered at {rate}", family.relays, lambda way, here=place, pace=rate:
                                measure.storm(bench.ways, way, here, ("--clients", 20_000, "--count", 20_000,
                                                                      "--duration", 30, "--rate", pace),
                                              warm_up=False))

        def share(storm):
            return storm.delivered

        def through(storm):
            return storm.clients["offers"]

        values, beside = own(made, share, OURS), medians(made, through, family.relays, "clients have an offer")
        if family is V6:
            beside += f"; the kernel knows {most_neighbours6():,} neighbours at a time"
        yield Row(f"{family.name}20,000 distinct clients at {rate:,}/s: replies delivered of those the server sent",
                  ALL_OF_THEM, values, beside=beside)


def flood(bench, family=V4):
    """A quiet segment while another floods."""
    with field(segments=2, family=family.number) as place:
        made = bench.rounds(f"{family.name}flood", (OURS, ISC), lambda way: measure.flood(bench.ways, way, place, 3))

    def completed(came):
        return came.completed

    share, p99 = own(made, completed, OURS), own(made, late, OURS)
    yield Row(f"{family.name}quiet segment (50 handshakes a second) while another floods flat out: completed",
              ALL_OF_THEM, share, beside=medians(made, completed, (OURS, ISC)))
    yield Row(f"{family.name}the same: p99 of the round trip", under(20, "ms"), p99, "ms",
              medians(made, late, (OURS, ISC), "ms"))


def interfaces(bench):
    """What 4,000 interfaces cost, at 50,000 messages a second, and how long the start takes with them. Clients are on
    one of them, or on 250: these are compared with the same clients where there are no further interfaces, because what
    comes from several segments leaves in smaller runs, however many there are."""
    with contextlib.ExitStack() as stack:
        one, some, many = (stack.enter_context(field()) for _ in range(3))
        one.crowd(1, 1)
        some.crowd(_REACHABLE, _REACHABLE)
        began = time.monotonic()
        many.crowd(_INTERFACES, _REACHABLE)
        bench.say(f"{_INTERFACES} interfaces made in {time.monotonic() - began:.0f} s")
        on_one = ["--interface", "e1"]
        on_some = [word for number in range(1, _REACHABLE + 1) for word in ("--interface", f"e{number}")]
        places = {_ONE: (one, on_one), _ONE_OF_MANY: (many, on_one), _SOME: (some, on_some),
                  _SOME_OF_MANY: (many, on_some)}

        def once(way):
            place, where = places[way]
            return measure.storm(bench.ways, OURS, place, ("--rate", 50_000, "--duration", 2, *where), names=["x*"])

        made = bench.rounds("interfaces", places, once) if bench.has(OURS) else []
        yield from _interface_rows(made)
        yield from _start_rows(bench, many)


def _interface_rows(made):
    for what, over, base in (("4,000 interfaces / 1 interface: CPU per message", _ONE_OF_MANY, _ONE),
                              ("4,000 interfaces / 250, clients on 250: CPU per message", _SOME_OF_MANY, _SOME)):
        values = ratios(made, cpu, over, base)
        yield Row(what, at_most(1.1), values, beside=medians(made, cpu, (base, over), "us"))


def _start(bench, crowded):
    """Seconds until it says that it has started, descriptors, megabytes, and whether it then relays at once."""
    flags = ["--log-level", "info", "-a", "-id", "x*", "-iu", "u0", SERVER]
    started = Relay(crowded.router, flags, bench.folder, bench.options.binary)
    try:
        began = time.monotonic()
        started.start()
        seconds = time.monotonic() - began
        with crowded.responder(), crowded.storm("--count", 1, "--interface", f"e{_REACHABLE}") as client:
            relays = client.result()["offers"]
        return seconds, started.descriptors(), started.resident_kilobytes() / 1024, relays
    finally:
        started.stop()


def _start_rows(bench, crowded):
    made = []
    for _ in range(bench.options.rounds if bench.has(OURS) else 0):
        made.append(_start(bench, crowded))
        bench.say("start: {:.2f} s, {} descriptors, {:.1f} MB, relays at once: {}".format(*made[-1]))
    bench.record["start"] = made
    seconds, descriptors, megabytes, relays = ([each[column] for each in made] for column in range(4))
    yield Row(f"start with {_INTERFACES:,} interfaces present", under(2, "s"), seconds, "s",
              f"the first message after it was relayed in {sum(relays)} of {len(relays)}")
    yield Row("the same: descriptors", at_most(16), descriptors)
    yield Row("the same: resident", under(48, "MB"), megabytes, "MB")


def scrapes(bench):
    """What it costs clients that Prometheus reads the metrics of 4,000 interfaces ten times a second."""
    with field() as place:
        place.crowd(_INTERFACES, 2)

        def once(way):
            with contextlib.ExitStack() as stack:
                if way == _READ:
                    stack.enter_context(Scraping(place).running())
                return measure.storm(bench.ways, OURS, place, ("--rate", 20_000, "--duration", 2, "--interface", "e1"),
                                     names=["x*"], more=Scraping.FLAGS)

        made = bench.rounds("scrapes", (_READ, _UNREAD), once) if bench.has(OURS) else []

    def delivered(storm):
        return storm.clients["offers"] / max(storm.clients["sent"], 1)

    yield Row("metrics of 4,000 interfaces read ten times a second beside 20,000 messages a second: delivered",
              ALL_OF_THEM, own(made, delivered, _READ))
    yield Row("the same: p99 of the round trip, read / not read", at_most(1.5), ratios(made, late, _READ, _UNREAD),
              beside=medians(made, late, (_UNREAD, _READ), "ms"))


def transit(bench):
    """What a relay that listens costs the packets that a router forwards."""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(field())
        sink = stack.enter_context(place.server.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the interface counts; the socket need not take them
        sink.bind(("0.0.0.0", 9000))

        def once(way):
            relay, more = (OURS, (SERVER6,)) if way == _BOTH_FAMILIES else (way, ())
            return measure.forwarded(bench.ways, relay, place, 1.5, more)

        made = bench.rounds("transit", (_NO_RELAY, OURS, _BOTH_FAMILIES, ISC), once, times=2)
    values = ratios(made, float, OURS, _NO_RELAY)
    other = ratios(made, float, ISC, _NO_RELAY)
    yield Row("transit forwarding rate with the relay running / without", at_least(0.99), values,
              beside=f"ISC {spread(other)}; {medians(made, float, [_NO_RELAY], 'a second')}")
    yield Row("the same where it relays DHCPv6 too, and looks at its clients' frames for option 79", at_least(0.99),
              ratios(made, float, _BOTH_FAMILIES, _NO_RELAY))


def idle(bench):
    """Wake-ups of a relay that has nothing to do, over ten seconds each."""
    if not bench.has(OURS):
        return
    with field() as place, bench.ways.running(OURS, place) as relay, place.responder():
        with place.storm("--count", 100, "--rate", 1000) as clients:
            clients.result()
        values = []
        for _ in range(bench.options.rounds):
            time.sleep(1)
            before = measure.wake_ups(relay.pid)
            time.sleep(10)
            values.append((measure.wake_ups(relay.pid) - before) / 10)
    bench.record["idle"] = values
    yield Row("idle: wake-ups a second", Aim("1 or fewer", 1), values)


def micro(bench, family=V4):
    """The core alone, by Google Benchmark."""
    program = PROGRAMS / "micro/microbench"
    added = "option 82" if family is V4 else "Interface-Id"
    what, aim = f"{family.name}request with {added} through the core (microbenchmark)", under(150, "ns")
    if not program.exists():
        yield Row(what, aim, [], beside="the program microbench is not built")
        return
    came = subprocess.run([program, f"--benchmark_filter={family.micro}", "--benchmark_format=json",
                           f"--benchmark_repetitions={bench.options.rounds}"], capture_output=True, check=True)
    measured = {}
    for each in json.loads(came.stdout)["benchmarks"]:
        if each["run_type"] == "iteration":
            assert each["time_unit"] == "ns"
            measured.setdefault(each["name"].split("/")[1], []).append(each["real_time"])
    bench.record[f"{family.name}micro"] = measured
    beside = ", ".join(f"with {count} interfaces {spread(values)}" for count, values in measured.items())
    yield Row(what, aim, next(iter(measured.values())), "ns", beside)


ROWS = {"load": load, "lone": lone, "handshakes": handshakes, "delivered": delivered, "flood": flood,
        "interfaces": interfaces, "scrapes": scrapes, "transit": transit, "idle": idle, "micro": micro, "load6": load6,
        **{f"{row.__name__}6": functools.partial(row, family=V6)
           for row in (lone, handshakes, delivered, flood, micro)}}
