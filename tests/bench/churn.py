"""What an operator's day brings, many times a second: a link that flaps, reloads, interfaces that come and go, scrapes.

Whatever has a `turn` does one thing in it, and so much of it that four turns are a whole round. Each counts what it
asked of the relay and what it got, since that is part of what is judged.
"""

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from field import UPSTREAM
from message import request, udp_frames
from wire import Wire, arrived

_TURNS = 4  # a second
_SCRAPES = 10  # a second
_PATIENCE = 5  # seconds, for an answer
_ATTEMPTS = 10  # in that time
_PORT = 9577
_MARK = b"dhcp_relay_build_info"  # is in every answer to a scrape


class Turns:
    """Of several things, by the clock. What was late is not hurried after."""

    def __init__(self, *takers):
        self._takers = takers
        self._count = 0
        self._due = 0.0

    def until(self, over):
        while not over():
            self._due = max(self._due + 1 / _TURNS, time.monotonic())
            for each in self._takers:
                each.turn(self._count % _TURNS)
            self._count += 1
            time.sleep(max(0.0, self._due + 1 / _TURNS - time.monotonic()))


class Flapping:
    """A downstream interface that loses its link and its address, and gets them again."""

    def __init__(self, place):
        self._router = place.router
        self._lines = place.flaps()

    def turn(self, number):
        self._router.ip(*self._lines[number])


class Reloading:
    """SIGHUP, each time with another file of flags."""

    def __init__(self, folder):
        self.file = Path(folder) / "relay.conf"
        self.asked = 0
        self._pid = None
        self._write()

    def tell(self, pid):
        """The relay that reads the file."""
        self._pid = pid

    def turn(self, number):
        if number == 0:
            self._write()
            self.asked += 1
            os.kill(self._pid, signal.SIGHUP)

    def _write(self):
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"max-hops = {4 + self.asked % 8}\n", encoding="ascii")
        fresh.chmod(0o644)
        os.replace(fresh, self.file)


class Arriving:
    """Interfaces that a pattern matches: each is made, has a client that asks until it is answered, and is deleted. That
    a link is up is known to the kernel's own queues some time later than to the client."""

    PATTERN = "x*"

    def __init__(self, place):
        self._router, self._clients = place.router, place.clients[1]
        self._numbers = itertools.count()
        self._number = None  # of the one that is there
        self._wire = None
        self._has_asked = False
        self.asked = 0
        self.served = 0
        self.repeated = 0  # requests that were not answered at once

    def turn(self, number):
        if number == 0:
            self._delete()
        elif number == 1:
            self._make()
        elif number == 2 and self._wire:
            self._ask()
            self._has_asked = True
            self.asked += 1

    def end(self):
        self._delete()

    def _xid(self):
        return 0x08000000 + self._number

    def _ask(self):
        message = request(xid=self._xid(), flags=0x8000)
        self._wire.send(udp_frames(message.encode(), source_mac=f"02:00:00:01:{self._number % 256:02x}:0c"))

    def _is_answered(self):
        """In the end."""
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(AssertionError):
                self._wire.expect(arrived(op=2, xid=self._xid()), _PATIENCE / _ATTEMPTS)
                return True
            self._ask()
            self.repeated += 1
        return False

    def _make(self):
        self._number = next(self._numbers)
        name, other = f"x{self._number}", f"e{self._number}"
        self._router.ip(f"link add {name} type veth peer name {other} netns {self._clients.name}",
                        f"addr add 10.130.{self._number % 250}.1/24 dev {name}", f"link set {name} up")
        self._clients.ip(f"link set {other} up")
        self._wire = Wire(self._clients, other, buffer=1 << 16, outgoing=False)
        self._has_asked = False

    def _delete(self):
        if self._wire is None:
            return
        if self._has_asked:
            self.served += self._is_answered()
        self._wire.close()
        self._wire = None
        self._router.ip(f"link del x{self._number}")


class Scraping:
    """Reads the relay's metrics as Prometheus does, from the server's side."""

    FLAGS = ("--metrics", f"{UPSTREAM}:{_PORT}")

    def __init__(self, place):
        self._namespace = place.server
        self._between = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.asked = 0
        self.answered = 0
        self.slowest = 0.0  # seconds
        self.fault = ""  # of the last one that was not answered

    @staticmethod
    def is_known(binary):
        """Whether the relay has metrics at all."""
        said = subprocess.run([binary, "--help"], capture_output=True, text=True, check=True, timeout=20)
        return "--metrics" in said.stdout

    @contextlib.contextmanager
    def running(self):
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()

    def pause(self):
        """A context in which none is under way."""
        return self._between

    def _run(self):
        start = time.monotonic()
        while not self._over.wait(max(0.0, start + self.asked / _SCRAPES - time.monotonic())):
            with self._between:
                self._scrape()

    def _scrape(self):
        self.asked += 1
        before = time.monotonic()
        try:
            answer = self._answer()
        except OSError as error:
            self.fault = str(error)
            return
        self.slowest = max(self.slowest, time.monotonic() - before)
        if answer.startswith(b"HTTP/1.1 200 ") and _MARK in answer:
            self.answered += 1
        else:
            self.fault = repr(answer[:60])

    def _answer(self):
        with self._namespace.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.settimeout(_PATIENCE)
            connection.connect((UPSTREAM, _PORT))
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n")
            answer = b""
            while part := connection.recv(65536):
                answer += part
        return answer
