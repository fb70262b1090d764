"""--rate-limit: what a segment sends too fast is dropped and counted, and costs the other segments nothing."""

import signal
import time

import pytest

from message import mac_octets, request
from wait import wait_until
from wire import arrived

_COUNT = 50
_TICK = 0.02  # seconds; the relay reads a clock as coarse as the kernel's tick, 10 ms at most


def received(relay, interface):
    return relay.counters(interface)["requests_received"]


def burst(scene, segment=1, first=0):
    """Fifty requests at once: the longest time that the relay can have seen between the first and the last of them."""
    relay, interface = scene.running, scene.topology.segment(segment).interface
    before = received(relay, interface)
    start = time.monotonic()
    for number in range(_COUNT):
        made = request(xid=0x7a000000 + first + number, chaddr=mac_octets(f"02:00:00:00:02:{number:02x}"))
        scene.send_request(made, segment)
    wait_until(lambda: received(relay, interface) == before + _COUNT, "all of the burst to be received", pause=0.05)
    return time.monotonic() - start


def passed(scene, first=0, server=1):
    return sorted(frame.message.xid - 0x7a000000 - first for frame in scene.servers[server].all(
        arrived(op=1)) if 0 <= frame.message.xid - 0x7a000000 - first < _COUNT)


def test_rate_limit_lets_the_burst_pass(scene):
    """1/10 and fifty requests: the bucket is full at first, so ten pass, and one more for each whole second that lies
    between the first and the last; all of them were seen within the time that `burst` measures."""
    relay = scene.relay("--rate-limit", "d1=1/10")
    elapsed = burst(scene)
    counters = relay.counters("d1")
    relayed = counters["requests_relayed"]
    assert 10 <= relayed <= 10 + int(elapsed + _TICK)
    assert counters["rate_limited"] == counters["dropped"] == _COUNT - relayed
    for server in (1, 2):
        wait_until(lambda server=server: len(passed(scene, server=server)) == relayed, "what was relayed to arrive")
    assert passed(scene)[:10] == list(range(10)), "the first ten, without a gap"
    relay.expect_drop("rate_limited")


def test_rate_limit_is_for_each_interface(make_scene):
    """One limit for all: each segment has it for itself. One segment's own goes before it."""
    scene = make_scene(segments=3)
    relay = scene.relay("--rate-limit", "1/10", "--rate-limit", "d3=1000")
    elapsed = {segment: burst(scene, segment, first=0x1000 * segment) for segment in (1, 2, 3)}
    for segment in (1, 2):
        assert 10 <= relay.counters(f"d{segment}")["requests_relayed"] <= 10 + int(elapsed[segment] + _TICK)
    assert relay.counters("d3")["requests_relayed"] == _COUNT
    assert "rate_limited" not in relay.counters("d3")


def test_rate_limit_leaves_other_interfaces_alone(scene):
    """A limit for d1: d2 has none, while d1 drops, and answers to d1 pass."""
    relay = scene.relay("--rate-limit", "d1=1/10")
    burst(scene, 1)
    burst(scene, 2, first=0x1000)
    wait_until(lambda: passed(scene, 0x1000) == list(range(_COUNT)), "all requests of the other segment")
    assert relay.counters("d2")["requests_relayed"] == _COUNT
    assert relay.counters("d1")["rate_limited"] >= 1
    offered = scene.offer_for(1)
    scene.send_reply(offered)
    scene.delivered(offered)


@pytest.mark.parametrize("raised", ["rate-limit = d1=1000/1000\n", "# none\n"], ids=["raised", "lifted"])
def test_rate_limit_raised_while_it_runs(scene, raised):
    """SIGHUP: the new limit holds at once for a segment that has just used the old one up; and the old one again."""
    file = scene.folder / "relay.conf"
    file.write_text("rate-limit = d1=1/10\n")
    relay = scene.relay("--config", str(file))
    burst(scene)
    limited = relay.counters("d1")["rate_limited"]
    assert limited > 0

    def reload(text):
        before = relay.log.count("the configuration was read again")
        file.write_text(text)
        relay.signal(signal.SIGHUP)
        relay.expect_log("the configuration was read again", before + 1)
    reload(raised)
    burst(scene, first=0x1000)
    wait_until(lambda: passed(scene, 0x1000) == list(range(_COUNT)),
               lambda: f"all fifty, but {passed(scene, 0x1000)} passed")
    assert relay.counters("d1")["rate_limited"] == limited
    reload("rate-limit = d1=1/10\n")
    burst(scene, first=0x2000)
    assert relay.counters("d1")["rate_limited"] > limited


def test_rate_limit_counts_before_it_judges(scene):
    """What would be dropped for another reason uses the limit up as well: junk has its price."""
    relay = scene.relay("--rate-limit", "d1=1/10")
    start = time.monotonic()
    for _ in range(_COUNT):
        scene.send_request(request(xid=0x7b000000, hops=17))
    wait_until(lambda: received(relay, "d1") == _COUNT, "all to be received", pause=0.05)
    elapsed = time.monotonic() - start
    counters = relay.counters("d1")
    assert 10 <= counters["hops_exceeded"] <= 10 + int(elapsed + _TICK)
    assert counters["hops_exceeded"] + counters["rate_limited"] == _COUNT
