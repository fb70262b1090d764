"""One measurement each: a relay of its own, a server, a storm, and what came of it."""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from field import SERVER, OtherWork, cpu_seconds, dropped_by_sockets, packets_received
from ways import ALL, DNSMASQ, HELPER

_WARM_UP = ("--count", 1000, "--rate", 5000, "--quiet-ms", 100)
_ALONE = 0.05  # others had less of the machine


def disturbance(others):
    return {"others": f"{others:.0%} of the machine"} if others > _ALONE else {}


@dataclass
class Storm:
    """What a storm, the relay and the server had to say."""

    clients: dict
    server: dict
    cpu: float  # seconds, of the relay
    relay_dropped: int  # by its sockets
    others: float  # share of the machine that others had meanwhile

    @property
    def cpu_per_offer(self):
        """Microseconds."""
        return self.cpu * 1e6 / max(self.clients["offers"], 1)

    @property
    def delivered(self):
        return self.clients["offers"] / max(self.server["offers"], 1)

    @property
    def handshakes_per_second(self):
        """From the first message to the end of the sending, or to the last answer where that came later."""
        return self.clients["acks"] / max(self.clients["seconds"], self.clients["answered_seconds"], 0.001)

    @property
    def p99(self):
        """Milliseconds, from DISCOVER to OFFER, or from SOLICIT to ADVERTISE."""
        return self.clients["offer_p99_us"] / 1000

    @property
    def trouble(self):
        """What the bench itself lost, and whether it was alone: else the figures say little about the relay."""
        lost = {"refused": self.clients["refused"], "not heard": self.clients["ring_dropped"],
                "lost by the server": self.server["dropped"] + self.server["refused"]}
        found = {what: count for what, count in lost.items() if count}
        if self.clients["rate"] < 0.95 * self.clients["wanted_rate"]:
            found["offered"] = f"{self.clients['rate']:,.0f}/s instead of {self.clients['wanted_rate']:,.0f}/s"
        return {**found, **disturbance(self.others)}

    def summary(self):
        return (f"{self.clients['rate']:,.0f}/s, offers {self.clients['offers']:,} of {self.clients['sent']:,}, "
                f"{self.cpu_per_offer:.2f} us each, p99 {self.p99:.2f} ms"
                + (f", {self.handshakes_per_second:,.0f} handshakes/s" if self.clients["requests"] else ""))

    def record(self):
        return {"clients": self.clients, "server": self.server, "cpu": self.cpu, "relay_dropped": self.relay_dropped,
                "others": self.others}


def storm(ways, way, field, arguments, *, names=("d1",), more=(), warm_up=True):
    """One storm through a relay of its own, with `more` flags."""
    with ways.running(way, field, names, more) as relay:
        if warm_up and way not in (DNSMASQ, HELPER):  # whose neighbour table is to be empty
            with field.responder(), field.storm(*_WARM_UP) as clients:
                clients.result()
        with field.responder() as server:
            others = OtherWork(relay.pid, server.pid)
            before, dropped = cpu_seconds(relay.pid), dropped_by_sockets(relay.pid, field.port)
            with field.storm(*arguments) as clients:
                heard = clients.result()
            spent = cpu_seconds(relay.pid) - before
            dropped = dropped_by_sockets(relay.pid, field.port) - dropped
            made = Storm(heard, {}, spent, dropped, others.share())
            made.server = server.stop()
    field.forget_neighbours()
    return made


@dataclass
class Flood:
    """What a quiet segment had to say while another was loud."""

    quiet: dict
    loud: dict
    server: dict
    others: float  # share of the machine that others had meanwhile

    @property
    def completed(self):
        return self.quiet["acks"] / max(self.quiet["discovers"], 1)

    @property
    def p99(self):
        """Milliseconds, of the slower of the two round trips of a handshake."""
        return max(self.quiet["offer_p99_us"], self.quiet["ack_p99_us"]) / 1000

    @property
    def trouble(self):
        found = {f"{side} {what}": said[what] for side, said in (("quiet", self.quiet), ("loud", self.loud))
                 for what in ("refused", "ring_dropped") if said[what]}
        if self.server["dropped"]:
            found["lost by the server"] = self.server["dropped"]
        return {**found, **disturbance(self.others)}

    def summary(self):
        return (f"{self.quiet['acks']} handshakes of {self.quiet['discovers']}, p99 {self.p99:.2f} ms, beside "
                f"{self.loud['rate']:,.0f}/s")

    def record(self):
        return {"quiet": self.quiet, "loud": self.loud}


def flood(ways, way, field, seconds):
    """50 handshakes a second on segment 2, while segment 1 sends all it can, from half a second before to after."""
    with ways.running(way, field, ("d1", "d2")) as relay, field.responder(goes_first=True) as server:
        with field.storm(*_WARM_UP, segment=2) as clients:
            clients.result()
        others = OtherWork(relay.pid, server.pid)
        with field.storm("--duration", seconds + 1.5) as loud:
            time.sleep(0.5)
            quiet = ("--mode", "handshake", "--rate", 50, "--duration", seconds, "--first", 1 << 20, "--quiet-ms", 900)
            with field.storm(*quiet, segment=2) as clients:
                heard = clients.result()
            said, share = loud.result(), others.share()
            return Flood(heard, said, server.stop(), share)


def forwarded(ways, way, field, seconds, more=()):
    """Packets a second that come through the router to the server's side, with no relay, or one with `more` flags."""
    with ways.running(way, field, more=more) if way in ALL else contextlib.nullcontext():
        before = packets_received(field.server)
        with field.program(field.clients[0], "transit", "--address", SERVER, "--duration", seconds) as sender:
            sent = sender.result()
        return (packets_received(field.server) - before) / sent["seconds"]


def wake_ups(pid):
    """How often the threads of a process have gone to sleep of their own accord."""
    lines = (line for task in Path(f"/proc/{pid}/task").iterdir()
             for line in (task / "status").read_text(encoding="ascii").splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
