"""What a service manager hears of the relay, by the protocol of sd_notify(3), on a socket that the test holds."""

import contextlib
import re
import signal
import socket
import time

import pytest

from wait import wait_until


class Manager:
    """The service manager's end."""

    def __init__(self, folder):
        self.name = str(folder / "notify")
        self.heard = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(self.name)

    def close(self):
        self._socket.close()

    def listen(self):
        """All datagrams so far, each a string."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.heard.append(self._socket.recv(4096).decode("ascii"))
        return self.heard

    def expect(self, pattern, count=1):
        """Waits for at least `count` datagrams that match; returns the last one's match."""
        def matches():
            found = [match for each in self.listen() if (match := re.fullmatch(pattern, each))]
            return found if len(found) >= count else None
        return wait_until(matches, lambda: f"{count} x {pattern!r} among {self.heard}")[-1]

    def states(self):
        """The first line of each datagram that is about a state."""
        lines = [each.splitlines()[0] for each in self.listen()]
        return [line for line in lines if not line.startswith(("STATUS=", "WATCHDOG="))]


@pytest.fixture
def manager(tmp_path):
    made = Manager(tmp_path)
    yield made
    made.close()


def managed(manager, *more):
    """Words in front of the relay's that give it the manager's variables."""
    return ["env", f"NOTIFY_SOCKET={manager.name}", *more]


def test_ready_when_it_relays(scene, manager):
    """What is sent right after READY is relayed; STOPPING when it ends."""
    relay = scene.relay("-a", through=managed(manager), port=None, ready="")  # it is not waited for in another way
    manager.expect("READY=1")
    scene.exchange()
    relay.stop()
    manager.expect("STOPPING=1")
    assert manager.states() == ["READY=1", "STOPPING=1"]


def test_never_ready_when_it_cannot_start(scene, manager):
    """Without its port it says nothing but ends."""
    scene.relay("-a")
    with pytest.raises(AssertionError, match="ended at start with status 1"):
        scene.relay("-a", through=managed(manager), sinks=False)
    assert manager.listen() == []


def test_reload(scene, manager, public_folder):
    """SIGHUP: RELOADING with the time, then READY; also where the file is wrong, and each time."""
    flags = public_folder / "flags"
    flags.write_text("max-hops = 3\n", encoding="ascii")
    relay = scene.relay("--config", str(flags), through=managed(manager))
    manager.expect("READY=1")
    before = time.clock_gettime(time.CLOCK_MONOTONIC)
    relay.signal(signal.SIGHUP)
    told = manager.expect(r"RELOADING=1\nMONOTONIC_USEC=(\d+)")
    manager.expect("READY=1", 2)
    assert before <= int(told[1]) / 1e6 <= time.clock_gettime(time.CLOCK_MONOTONIC)
    relay.expect_log("read again and is in force")
    flags.write_text("max-hops = many\n", encoding="ascii")
    relay.signal(signal.SIGHUP)
    manager.expect("READY=1", 3)
    relay.expect_log("the old configuration stays in force")
    assert manager.states() == ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1"]
    scene.exchange()


def test_watchdog(scene, manager):
    """It hears of life while the loop goes round, and not while the relay stands still."""
    relay = scene.relay(through=managed(manager, "WATCHDOG_USEC=100000"))
    manager.expect("WATCHDOG=1", 3)
    with relay.held_up():
        manager.listen()
        held = len(manager.heard)
        scene.discover()
        assert len(manager.listen()) == held
    manager.expect("WATCHDOG=1", manager.heard.count("WATCHDOG=1") + 1)


def test_no_watchdog_for_another_process(scene, manager):
    """WATCHDOG_PID of somebody else: not for us."""
    scene.relay(through=managed(manager, "WATCHDOG_USEC=10000", "WATCHDOG_PID=1"))
    manager.expect("READY=1")
    scene.settle()
    assert "WATCHDOG=1" not in manager.listen()


def test_status(scene, manager):
    """The counts, again when they are others."""
    scene.relay("-a", through=managed(manager, "WATCHDOG_USEC=200000"))
    manager.expect("STATUS=0 requests relayed, 0 replies delivered, 0 messages dropped")
    scene.exchange()
    scene.send_request(b"\x09" * 300)
    scene.running.expect_drop("bad_op")
    manager.expect("STATUS=1 requests relayed, 1 replies delivered, 1 messages dropped")
    assert len([each for each in manager.heard if each.startswith("STATUS=")]) == 2


def test_socket_of_nobody(scene):
    """A socket that nobody has is a warning, and no reason not to relay."""
    relay = scene.relay(through=["env", "NOTIFY_SOCKET=/nonexistent/notify"])
    relay.expect_log("the service manager at NOTIFY_SOCKET is not told of anything: No such file or directory")
    scene.exchange()
