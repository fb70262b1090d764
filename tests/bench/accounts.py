"""Whether every message is accounted for: what the clients sent, what the kernel made of it, what the relay says that
it did, and what came out at the server and at the clients.

The kernel's part: frames that did not get over a link, datagrams that no socket may have (UDP's size or checksum is
wrong), and those for which a socket had no room. All else has to be in the relay's counters.
"""

import re
import signal
from dataclasses import dataclass
from pathlib import Path

from field import packets_received
from wait import wait_until

_REPORT = re.compile(r" counters interface=(\S+) family=ipv4 (.*)")
_TOTAL = re.compile(r" counters_total (.*)\n")
_SUMS = {"interfaces", "log_lines_lost", "requests_received", "requests_relayed", "request_copies",
         "request_copies_failed", "replies_received", "replies_delivered", "option82_omitted", "dropped"}


def _numbers(text):
    return {name: int(value) for name, value in (each.split("=") for each in text.split())}


class RelayLog:
    """The log of a relay of ours, in a file."""

    def __init__(self, path):
        self.path = Path(path)

    @property
    def text(self):
        return self.path.read_text(encoding="utf-8", errors="backslashreplace")

    def counters(self, relay):
        """What it has counted by now, by interface, and of all interfaces that there have been as `total`."""
        before = len(_TOTAL.findall(self.text))
        relay.send_signal(signal.SIGUSR1)
        wait_until(lambda: len(_TOTAL.findall(self.text)) > before, "the relay's counters")
        text = self.text
        found = {name: _numbers(rest) for name, rest in _REPORT.findall(text)}  # the last report's
        return {**found, "total": _numbers(_TOTAL.findall(text)[-1])}


def without_room(namespace):
    """Datagrams that found a UDP socket's receive buffer full."""
    with namespace.inside():
        lines = Path("/proc/thread-self/net/snmp").read_text(encoding="ascii").splitlines()
    names, values = (line.split() for line in lines if line.startswith("Udp:"))
    return int(dict(zip(names, values))["RcvbufErrors"])


def backlog_dropped():
    """Packets that the queue between a link and the rest of the kernel had no room for, of the whole machine."""
    lines = Path("/proc/net/softnet_stat").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1], 16) for line in lines)


@dataclass
class Heard:
    """What a segment's clients did and heard, in all periods."""

    frames: int = 0
    for_the_kernel: int = 0
    answers: int = 0

    def add(self, storm):
        self.frames += storm["sent"] + storm["requests"] - storm["refused"]
        self.for_the_kernel += storm["for_the_kernel"]
        self.answers += sum(storm[name] for name in ("offers", "acks", "duplicate_offers", "duplicate_acks", "strange",
                                                     "ring_dropped"))


class Accounts:
    """From the start of a relay to its end."""

    def __init__(self, place, relay, log):
        self._place, self._relay, self._log = place, relay, log
        self.heard = {"d1": Heard(), "d2": Heard()}
        self._links = {name: packets_received(place.router, name) for name in self.heard}
        self._backlog = backlog_dropped()

    def settled(self, server):
        """Ends the server. Sentences, each with whether nothing is missing in it."""
        said, counted = server.stop(), self._log.counters(self._relay)
        backlog, full = backlog_dropped() - self._backlog, without_room(self._place.router)
        for name, heard in self.heard.items():
            yield self._arriving(name, heard, counted[name], full)
        yield self._inside(counted["total"])
        yield _difference("towards the server", "copies sent", counted["total"]["request_copies"], "received",
                          said["received"] + said["dropped"], backlog)
        yield _difference("towards the clients of d1", "replies delivered", counted["d1"]["replies_delivered"], "heard",
                          self.heard["d1"].answers, backlog)

    def _arriving(self, name, heard, counted, full):
        arrived = packets_received(self._place.router, name) - self._links[name]
        expected = arrived - heard.for_the_kernel
        received = counted["requests_received"]
        missing = expected - received
        return 0 <= missing <= full, (
            f"{name}: {heard.frames:,} frames sent, of which {heard.frames - arrived:,} did not get over the link and "
            f"{heard.for_the_kernel:,} are for no socket; {received:,} received by the relay, {missing:,} missing; "
            f"{full:,} found the sockets full")

    @staticmethod
    def _inside(total):
        received = total["requests_received"] + total["replies_received"]
        passed = total["requests_relayed"] + total["replies_delivered"]
        dropped = total["dropped"] - total.get("lost_in_kernel", 0)
        reasons = ", ".join(f"{name} {count:,}" for name, count in total.items() if name not in _SUMS)
        return received == passed + dropped, (
            f"in the relay: {received:,} received, {passed:,} passed on, {dropped:,} dropped by a named reason, "
            f"{received - passed - dropped:,} missing; {reasons or 'no reason'}; {total['log_lines_lost']:,} lines of "
            "the log lost")


def _difference(where, out, sent, came_in, received, backlog):
    missing = sent - received
    return 0 <= missing <= backlog, (f"{where}: {sent:,} {out}, {received:,} {came_in}, {missing:,} missing; "
                                     f"{backlog:,} packets found the machine's backlog full")
