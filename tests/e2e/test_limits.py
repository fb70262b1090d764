"""Sizes and seconds at which a message is treated otherwise: the octet before, the octet, the octet after."""

import itertools

import pytest

from message import AGENT, DISCOVER, KIND, VENDOR, Message, reply, request
from test_servers import reload
from wait import wait_until
from wire import arrived

_OURS = b"\x01\x02d1"
_OWN_SIZE = 2 + len(_OURS)
_HEADERS = 28  # IPv4 and UDP
_xids = itertools.count(0x70000001)


def full(size):
    """A DISCOVER of exactly this many octets without a PAD that could make room."""
    made, left = [(KIND, bytes([DISCOVER]))], size - 236 - 4 - 3 - 1
    while left:
        length = min(left, 257) if left != 258 else 200
        made.append((VENDOR, bytes(length - 2)))
        left -= length
    built = Message(xid=next(_xids), options=made)
    assert len(built.encode(0)) == size
    return built


def carries_82(scene, size, server=1):
    """Sends a request of this size; whether it reaches the server with option 82 of ours, else untouched."""
    asked = full(size)
    scene.send_request(asked.encode(0))
    came = scene.relayed(asked, server)
    if came.message.option(AGENT) is None:
        assert came.message.options == asked.options
        assert len(came.payload) == size
        return False
    assert came.message.options == [*asked.options, (AGENT, _OURS)]
    assert len(came.payload) == size + _OWN_SIZE
    return True


def limit(scene, around):
    """Whether a request grows to `around` octets and no further."""
    return (carries_82(scene, around - _OWN_SIZE), carries_82(scene, around - _OWN_SIZE + 1)) == (True, False)


def route(scene, server, mtu, verb="replace"):
    scene.topology.router.ip(f"route {verb} {scene.topology.server(server).address}/32 dev u0 mtu {mtu}")


# --- the way to the servers -------------------------------------------------------------------------------------------

def test_4a07_mtu_of_the_interface(scene):
    """1500: up to 1472 octets with option 82; what did not get it is counted, said, and relayed."""
    relay = scene.relay("-a")
    assert limit(scene, 1500 - _HEADERS)
    assert carries_82(scene, 1600) is False
    relay.expect_log("option82=did_not_fit", 2)
    counters = relay.counters("d1")
    assert (counters["option82_omitted"], counters["requests_relayed"], counters["dropped"]) == (2, 3, 0)


def test_4a07_mtu_of_a_route(scene):
    """A route with an MTU of 600, an odd one, and one that is the interface's own."""
    for mtu in (600, 601, 1500):
        route(scene, 1, mtu)
        relay = scene.relay("-a", servers=["10.9.0.2"], sinks=False)
        assert limit(scene, mtu - _HEADERS), mtu
        relay.stop()


def test_4a07_the_narrowest_way_counts(scene):
    """Two servers, one of them behind a narrow route: both get the same octets."""
    route(scene, 2, 600)
    scene.relay("-a")
    assert limit(scene, 600 - _HEADERS)
    asked = full(600 - _HEADERS - _OWN_SIZE)
    scene.send_request(asked.encode(0))
    assert scene.relayed(asked, 1).payload == scene.relayed(asked, 2).payload
    assert scene.relayed(asked, 2).fragments == 1


def test_4a07_a_server_of_one_interface_counts_too(scene):
    """--server: its way is one of the ways."""
    route(scene, 2, 600)
    scene.relay("-a", "--server", "d2=10.9.0.3", servers=["10.9.0.2"])
    assert limit(scene, 600 - _HEADERS)


def test_4a07_no_way_at_all(scene):
    """A server without route is no reason to leave option 82 out: the interface of the other counts."""
    scene.relay("-a", servers=["203.0.113.9", "10.9.0.2"])
    assert limit(scene, 1500 - _HEADERS)


def becomes(scene, around):
    """Waits until requests grow to `around` octets and no further; the relay looks some time after a change."""
    wait_until(lambda: limit(scene, around), f"a limit of {around} octets", pause=0.05)


def test_4a07_route_that_changes_is_seen_on_sighup(scene):
    """Narrower, then wider, then gone."""
    relay = scene.relay("-a")
    assert limit(scene, 1500 - _HEADERS)
    for mtu in (600, 900):
        route(scene, 1, mtu)
        reload(relay)
        assert limit(scene, mtu - _HEADERS)
    route(scene, 1, 900, "del")
    reload(relay)
    assert limit(scene, 1500 - _HEADERS)


def test_4a07_route_that_changes_is_seen_with_the_next_address(scene):
    """Something about an interface changes: the routes are looked at again."""
    scene.relay("-a")
    assert limit(scene, 1500 - _HEADERS)
    route(scene, 1, 600)
    scene.topology.router.ip("addr add 10.9.0.200/24 dev u0")
    becomes(scene, 600 - _HEADERS)
    route(scene, 1, 900)
    scene.topology.router.ip("addr del 10.9.0.200/24 dev u0")
    becomes(scene, 900 - _HEADERS)


def test_4a07_mtu_of_the_interface_that_changes(scene):
    """The cable is made narrower and wider again, by nothing but the link's own change."""
    scene.relay("-a")
    for mtu in (900, 1500):
        scene.topology.router.ip(f"link set u0 mtu {mtu}")
        becomes(scene, mtu - _HEADERS)


# --- -A ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [576, 1472])
def test_4a07_max_size_to_the_octet(scene, size):
    """--max-size takes the place of the MTU, below it and at it."""
    scene.relay("-a", "--max-size", str(size))
    assert limit(scene, size)


def test_4a07_max_size_beyond_the_mtu(scene):
    """Larger than the way: option 82 is added; the cable's MTU makes fragments of it here, and a narrower one further
    on may do so there (no DF)."""
    route(scene, 1, 600)
    scene.relay("-a", "-A", "2000", servers=["10.9.0.2"])
    assert limit(scene, 2000)
    for size, fragments in ((700, 1), (1700, 2)):
        asked = full(size)
        scene.send_request(asked.encode(0))
        came = scene.relayed(asked)
        assert (came.fragments, came.message.option(AGENT)) == (fragments, _OURS)
        assert came.checksums_valid
        assert not came.packet[6] & 0x40


def test_4a07_max_size_is_no_limit_of_what_is_relayed(scene):
    """The smallest that can be given: everything passes as it came, the reply too (VyOS, ISC: lost at 576)."""
    scene.relay("-a", "-A", "64")
    for size in (300, 577, 1400):
        assert carries_82(scene, size) is False
    asked = full(800)
    scene.send_request(asked.encode(0))
    offered = reply(scene.relayed(asked).message, yiaddr="10.101.0.50", more=[(VENDOR, bytes(250))] * 4)
    scene.send_reply(offered)
    assert len(scene.delivered(offered).payload) > 1000


def test_4a07_max_size_and_replace(scene):
    """-m replace: what goes away makes room; where it is still too large the message keeps what it had."""
    scene.relay("-a", "-m", "replace", "-A", "400")
    theirs = (AGENT, b"\x01\x02xx")

    def relayed(size):
        asked = full(size - _OWN_SIZE)
        asked = asked.but(giaddr="10.50.0.1", options=[*asked.options, theirs])
        scene.send_request(asked.encode(0))
        return scene.relayed(asked).message.option(AGENT)
    assert relayed(400) == _OURS
    assert relayed(401) == theirs[1]


def test_4a07_max_size_from_the_file(scene):
    """Read again on SIGHUP."""
    file = scene.folder / "relay.conf"
    file.write_text("max-size = 500\n", encoding="ascii")
    relay = scene.relay("-a", "--config", str(file))
    assert limit(scene, 500)
    file.write_text("max-size = 400\n", encoding="ascii")
    reload(relay)
    assert limit(scene, 400)
    file.write_text("", encoding="ascii")
    reload(relay)
    assert limit(scene, 1500 - _HEADERS)


# --- small messages ---------------------------------------------------------------------------------------------------

def cut(made, size):
    return made.encode(0).ljust(size, b"\0")[:size]


@pytest.mark.parametrize("flags, least", [([], 236), (["--strict-size"], 300)], ids=["usual", "strict"])
def test_4r05_least_size_of_requests_and_replies(scene, flags, least):
    """Both ways, with one octet less and with enough."""
    relay = scene.relay(*flags)
    short, whole = (Message(xid=next(_xids), cookie=b"", end=False) for _ in range(2))
    scene.send_request(cut(short, least - 1))
    scene.send_request(cut(whole, least))
    assert len(scene.relayed(whole).payload) == least
    asked = request(giaddr="10.101.0.1")
    short, whole = (reply(asked, xid=next(_xids), yiaddr="10.101.0.50", options=[], cookie=b"", end=False)
                    for _ in range(2))
    scene.send_reply(cut(short, least - 1), destination="10.101.0.1")
    scene.send_reply(cut(whole, least))
    assert len(scene.delivered(whole).payload) == least
    relay.expect_log(r" dropped .*reason=too_short\b", 2)
    assert relay.counters("d1")["too_short"] == 1
    assert relay.counters("u0")["too_short"] == 1
    assert not scene.servers[1].all(lambda frame: arrived(op=1)(frame) and len(frame.payload) < least)
    assert not scene.clients[1].all(lambda frame: arrived(op=2)(frame) and len(frame.payload) < least)


# --- seconds ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("threshold, passes, stops", [
    (0, [0, 1, 0xffff], []), (1, [1, 0x100], [0]), (4, [4, 0x0400, 0xffff], [0, 3]), (0xffff, [0xffff], [0xfffe])])
def test_4r09_threshold_of_secs(scene, threshold, passes, stops):
    """In network order, to the second; a client that swaps the octets of its secs is one that has waited long."""
    scene.relay("--min-secs", str(threshold))
    for secs in stops:
        left_alone(scene, secs)
    for secs in passes:
        asked = request(xid=next(_xids), secs=secs)
        scene.send_request(asked)
        assert scene.relayed(asked).message.secs == secs


def left_alone(scene, secs):
    """A request with these secs is dropped, and one that has waited long enough, sent after it, is not."""
    young, old = request(xid=next(_xids), secs=secs), request(xid=next(_xids), secs=0xffff)
    scene.send_request(young)
    scene.send_request(old)
    scene.relayed(old)
    scene.running.expect_drop("below_min_secs")
    assert not any(scene.copies(young.xid, wire) for wire in scene.servers.values())


def test_4r09_what_another_relay_has_let_pass(scene):
    """The threshold is for every request, relayed ones included; replies have no such threshold."""
    scene.relay("--min-secs", "5")
    relayed = request(xid=next(_xids), giaddr="10.50.0.1", hops=1, secs=5)
    scene.send_request(relayed)
    scene.relayed(relayed)
    offered = scene.offer_for()
    scene.send_reply(offered)
    assert scene.delivered(offered).message.secs == 0
