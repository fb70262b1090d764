"""One measurement each: a relay of its own, a server, a storm, and what came of it."""

import time
from dataclasses import dataclass
from pathlib import Path

from field import cpu_seconds, dropped_by_sockets
from ways import DNSMASQ, HELPER

_WARM_UP = ("--count", 1000, "--rate", 5000, "--quiet-ms", 100)


@dataclass
class Storm:
    """What a storm, the relay and the server had to say."""

    clients: dict
    server: dict
    cpu: float  # seconds, of the relay
    relay_dropped: int  # by its sockets

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
    def trouble(self):
        """What the bench itself lost: then the figures say nothing about the relay."""
        lost = {"refused": self.clients["refused"], "not heard": self.clients["ring_dropped"],
                "lost by the server": self.server["dropped"] + self.server["refused"]}
        return {what: count for what, count in lost.items() if count}

    def record(self):
        return {"clients": self.clients, "server": self.server, "cpu": self.cpu, "relay_dropped": self.relay_dropped}


def storm(ways, way, field, arguments, segments=1, more=(), warm_up=True):
    """One storm through a relay of its own."""
    with ways.running(way, field, segments, more) as relay:
        if warm_up and way not in (DNSMASQ, HELPER):  # whose neighbour table is to be empty
            with field.responder(), field.storm(*_WARM_UP) as clients:
                clients.result()
        with field.responder() as server:
            before, dropped = cpu_seconds(relay.pid), dropped_by_sockets(relay.pid)
            with field.storm(*arguments) as clients:
                heard = clients.result()
            spent, dropped = cpu_seconds(relay.pid) - before, dropped_by_sockets(relay.pid) - dropped
            made = Storm(heard, server.stop(), spent, dropped)
    field.forget_neighbours()
    return made


def flood(ways, way, field, seconds):
    """A segment that floods flat out while another has its 50 handshakes a second: what the quiet one had to say."""
    with ways.running(way, field, segments=2), field.responder():
        with field.storm(*_WARM_UP, segment=2) as clients:
            clients.result()
        with field.storm("--duration", seconds + 1.5) as loud:
            time.sleep(0.5)
            quiet = ("--mode", "handshake", "--rate", 50, "--duration", seconds, "--first", 1 << 20, "--quiet-ms", 800)
            with field.storm(*quiet, segment=2) as clients:
                heard = clients.result()
            return heard, loud.result()


def wake_ups(pid):
    """How often the threads of a process have gone to sleep of their own accord."""
    lines = (line for task in Path(f"/proc/{pid}/task").iterdir()
             for line in (task / "status").read_text(encoding="ascii").splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
