"""Delegated prefixes that pass: a line of the log and a route for each, as RFC 8987 demands, over the life of leases,
links and relays."""

import re
import signal
import subprocess

import pytest

import manual
import peers6
import relay as relay_module
from message6 import (CLIENT_ID, RELEASE, REPLY, SERVER_DUID, SERVER_ID, STATUS, VENDOR, Message, duid_ll, ia_pd,
                      next_xid, request)
from network6 import CLIENT_LINK_LOCAL
from rights import NET_ADMIN, expect_confined
from wait import wait_until
from wire6 import arrived6

_FIRST, _SECOND, _THIRD = "2001:db8:e101:100::/56", "2001:db8:e101:200::/56", "2001:db8:e101:300::/56"
_NO_BINDING = 3


def routes(scene):
    """The relay's routes on the router: next hop and interface by prefix."""
    shown = scene.topology.router.run(["ip", "-6", "route", "show", "proto", "87"]).stdout
    return {prefix: (via, interface) for prefix, via, interface in re.findall(r"^(\S+) via (\S+) dev (\S+)", shown, re.M)}


def expect_routes(scene, *prefixes, segment=1):
    expected = {prefix: (CLIENT_LINK_LOCAL, scene.topology.segment(segment).interface) for prefix in prefixes}
    wait_until(lambda: routes(scene) == expected, lambda: f"the routes {expected}, not {routes(scene)}")


def lines(scene, event):
    """The fields of all lines of this event."""
    return re.findall(rf" {event} (.*)", scene.running.log)


def state_of(scene):
    path = scene.folder / "state" / "prefixes"
    return path.read_text(encoding="ascii") if path.exists() else ""


def start(scene, *flags, **options):
    """The relay with routes, and a state file in a folder that it makes itself."""
    return scene.relay6("--routes", "--log-prefixes", "--state-file", f"{scene.folder}/state/prefixes", *flags,
                        **options)


def pass_reply(scene, *options, mac=None, segment=1, **fields):
    """A Reply to a client passes, which gets it whatever else becomes of it."""
    client = duid_ll(mac or scene.topology.segment(segment).client_mac)
    said = Message(**{"kind": REPLY, "xid": next_xid(), **fields,
                      "options": [(CLIENT_ID, client), (SERVER_ID, SERVER_DUID), *options]})
    scene.send_reply6(scene.reply_for(segment, said)[1])
    assert scene.delivered6(said, segment).message6.options == said.options


def delegate(scene, *prefixes, iaid=7, **fields):
    pass_reply(scene, ia_pd(iaid, prefixes), **fields)


def release_of(scene, *prefixes, iaid=7, more=()):
    """What a client says that gives prefixes back."""
    return request(RELEASE, mac=scene.topology.segment(1).client_mac,
                   more=[ia_pd(iaid, [(each, 0, 0) for each in prefixes]), *more])


def release(scene, *prefixes, iaid=7):
    """A client gives prefixes back, and is not answered."""
    asked = release_of(scene, *prefixes, iaid=iaid)
    scene.send_request6(asked)
    scene.relayed6(asked)


# --- real servers and clients -----------------------------------------------------------------------------------------

def test_r01_g09_a_prefix_of_kea_is_routed_until_it_is_released(scene6, need):
    """Packets find the way to an address in it and back; the log says so in a line each."""
    need("kea-dhcp6", "dhclient", "ping")
    topology, segment = scene6.topology, scene6.topology.segment(1)
    scene6.keep(peers6.Kea6(topology, topology.server(1), scene6.folder))
    start(scene6, servers=[topology.server(1).address6], sinks=False)
    client = scene6.keep(peers6.Dhclient6(segment, scene6.folder, prefix=True))
    prefix = client.prefix()
    expect_routes(scene6, prefix)
    host = prefix.split("/")[0] + "1"
    segment.client.ip(f"addr add {host}/128 dev lo")
    topology.server(1).namespace.run(["ping", "-6", "-c", "1", "-W", "20", host])
    duid = duid_ll(segment.client_mac).hex()
    told = rf"prefix={prefix} client={duid} iaid=\d+ interface=d1 next_hop=fe80::c preferred=3000 valid=3600"
    assert re.fullmatch(told, lines(scene6, "INFO prefix_delegated")[0])
    client.start_release()
    expect_routes(scene6)
    assert re.fullmatch(told, lines(scene6, "INFO prefix_released")[0])
    assert len(lines(scene6, "INFO prefix_delegated")) == 1


def test_g08_a_renewal_is_told_and_changes_no_route(scene6, need):
    need("kea-dhcp6", "dhclient")
    topology = scene6.topology
    scene6.keep(peers6.Kea6(topology, topology.server(1), scene6.folder, renew_after=2))
    start(scene6, servers=[topology.server(1).address6], sinks=False)
    prefix = scene6.keep(peers6.Dhclient6(topology.segment(1), scene6.folder, prefix=True)).prefix()
    scene6.running.expect_log(rf" INFO prefix_renewed prefix={prefix} ")
    expect_routes(scene6, prefix)


# --- several prefixes, and limits -------------------------------------------------------------------------------------

def test_g02_g03_r02_several_prefixes_of_several_associations(scene6):
    """Each with its own length."""
    start(scene6)
    others = ["2001:db8:e101:300::/60", "2001:db8:e200::/48"]
    pass_reply(scene6, ia_pd(1, [_FIRST, _SECOND]), ia_pd(2, others))
    expect_routes(scene6, _FIRST, _SECOND, *others)
    pass_reply(scene6, ia_pd(1, [(_FIRST, 0, 0)]))
    expect_routes(scene6, _SECOND, *others)
    pass_reply(scene6, ia_pd(2, more=[(STATUS, _NO_BINDING.to_bytes(2, "big"))]))
    expect_routes(scene6, _SECOND)


def test_g01_g05_g06_beyond_a_limit_there_is_no_route_and_the_message_passes(scene6):
    """The ninth prefix of a client; another client has its own eight, until the interface has enough."""
    start(scene6, "--prefixes-per-interface", "9")
    eight = [f"2001:db8:e1{number:02x}::/48" for number in range(8)]
    delegate(scene6, *eight)
    delegate(scene6, "2001:db8:e200::/48")
    delegate(scene6, "2001:db8:e300::/48", mac="02:00:00:00:00:77")
    delegate(scene6, "2001:db8:e400::/48", mac="02:00:00:00:00:77")
    expect_routes(scene6, *eight, "2001:db8:e300::/48")
    refused = lines(scene6, "WARNING prefix_refused")
    assert [re.search(r"prefix=(\S+) .* count=1 reason=(\S+)", each).groups() for each in refused] == [
        ("2001:db8:e200::/48", "client_limit"), ("2001:db8:e400::/48", "interface_limit")]
    scene6.running.signal(signal.SIGUSR1)
    scene6.running.expect_log(" counters_total .* prefixes=9 prefixes_delegated=9 .* prefixes_refused=2 ")


def test_g04_one_client_on_two_segments(scene6):
    start(scene6)
    mac = "02:00:00:00:00:77"
    delegate(scene6, _FIRST, mac=mac)
    delegate(scene6, _SECOND, mac=mac, segment=2)
    expected = {_FIRST: (CLIENT_LINK_LOCAL, "d1"), _SECOND: (CLIENT_LINK_LOCAL, "d2")}
    wait_until(lambda: routes(scene6) == expected, lambda: f"{expected}, not {routes(scene6)}")


# --- the firewall -----------------------------------------------------------------------------------------------------

def _load_rules_of_the_man_page(scene):
    rules = manual.display("table ip6 delegated").replace('"eth1"', '"d1"')
    scene.topology.router.run(["nft", "-f", "-"], input=rules)


def _send_through(scene, source, destination=None, segment=1):
    """A client sends a datagram for the router to forward, by default to a server; a message by which it is known."""
    made = request()
    scene.send_request6(made, segment, source=source, destination=destination or scene.topology.server(1).address6,
                        destination_mac=scene.topology.segment(segment).mac)
    return made


def _expect(wire, made):
    wire.expect(arrived6(made.kind, xid=made.xid), what="the forwarded datagram")


def test_r03_the_rules_of_the_man_page_let_no_client_forge_its_source(scene6, need):
    """What is in its delegated prefix or of its link passes, as long as it is."""
    need("nft")
    start(scene6)
    delegate(scene6, _FIRST)
    expect_routes(scene6, _FIRST)
    server, host, on_link = scene6.servers[1], "2001:db8:e101:100::7", "2001:db8:101::c"
    forged = ["2001:db8:e101:200::7", "2001:db8:77::7", "2001:db8:102::c", "2001:db8:9::99"]
    for source in [host, on_link, *forged]:
        _expect(server, _send_through(scene6, source))
    _load_rules_of_the_man_page(scene6)
    dropped = [_send_through(scene6, source) for source in forged]
    for source in [host, on_link]:
        _expect(server, _send_through(scene6, source))
    pass_reply(scene6, ia_pd(7, [(_FIRST, 0, 0)]))
    expect_routes(scene6)
    dropped.append(_send_through(scene6, host))
    _expect(server, _send_through(scene6, on_link))
    for made in dropped:
        assert not scene6.copies6(made.xid, server)


def test_r05_the_rules_of_the_man_page_let_no_packet_go_round(scene6, need):
    """What comes from another interface reaches the client; what the client sends back does not come again."""
    need("nft")
    start(scene6)
    delegate(scene6, _FIRST)
    expect_routes(scene6, _FIRST)
    client, unused = scene6.clients[1], "2001:db8:e101:100::9"
    senders = ["2001:db8:101::c", "2001:db8:9::2"]
    for source in senders:
        _expect(client, _send_through(scene6, source, unused))
    _load_rules_of_the_man_page(scene6)
    dropped = [_send_through(scene6, source, unused) for source in senders]
    _expect(client, _send_through(scene6, "2001:db8:102::c", unused, segment=2))
    for made in dropped:
        assert not scene6.copies6(made.xid, client)


# --- the end of a delegation ------------------------------------------------------------------------------------------

def test_g08_a_prefix_expires_when_its_valid_lifetime_is_over(scene6):
    """Only the one whose lifetime is."""
    start(scene6)
    pass_reply(scene6, ia_pd(1, [(_FIRST, 1, 2), (_SECOND, 3600, 7200)]))
    expect_routes(scene6, _FIRST, _SECOND)
    expect_routes(scene6, _SECOND)
    wait_until(lambda: lines(scene6, "INFO prefix_expired"), "the line")
    assert [each.split()[0] for each in lines(scene6, "INFO prefix_expired")] == [f"prefix={_FIRST}"]


def test_g09_a_release_ends_its_associations_without_an_answer(scene6):
    """All prefixes of each one, whichever the client names."""
    start(scene6)
    delegate(scene6, _FIRST, _SECOND)
    delegate(scene6, _THIRD, iaid=8)
    expect_routes(scene6, _FIRST, _SECOND, _THIRD)
    release(scene6, _SECOND)
    expect_routes(scene6, _THIRD)
    assert len(lines(scene6, "INFO prefix_released")) == 2
    release(scene6, iaid=8)
    expect_routes(scene6)


def test_g09_a_release_that_is_dropped_ends_nothing(scene6):
    """Here one that no Relay-forward has room for."""
    running = start(scene6)
    delegate(scene6, _FIRST)
    room = 65527 - len(release_of(scene6).encode())
    scene6.send_request6(release_of(scene6, more=[(VENDOR, bytes(room - 4))]))
    running.expect_drop("wrapped_too_large")
    delegate(scene6, _SECOND)
    expect_routes(scene6, _FIRST, _SECOND)


# --- continuity -------------------------------------------------------------------------------------------------------

def test_s01_routes_outlive_a_relay_that_is_killed(scene6):
    """Those of the state file are there again, one that somebody took away meanwhile too; then all goes on as if
    nothing had been."""
    router = scene6.topology.router
    killed = start(scene6)
    delegate(scene6, _FIRST, _SECOND)
    expect_routes(scene6, _FIRST, _SECOND)
    wait_until(lambda: _FIRST.split("::", maxsplit=1)[0] in state_of(scene6) and "end 2" in state_of(scene6),
               lambda: f"the state file:\n{state_of(scene6)}")
    killed.kill()
    expect_routes(scene6, _FIRST, _SECOND)
    router.ip(f"route del {_SECOND} proto 87")
    start(scene6)
    expect_routes(scene6, _FIRST, _SECOND)
    scene6.running.expect_log("2 delegated prefixes are known from ")
    assert not lines(scene6, "INFO prefix_delegated")
    release(scene6)
    expect_routes(scene6)


def test_s01_a_stop_leaves_routes_to_the_next_relay(scene6):
    first = start(scene6)
    delegate(scene6, _FIRST)
    expect_routes(scene6, _FIRST)
    first.stop()
    expect_routes(scene6, _FIRST)
    start(scene6)
    expect_routes(scene6, _FIRST)
    delegate(scene6, _FIRST)
    scene6.running.expect_log(rf" prefix_renewed prefix={_FIRST} ")


def stop_with(scene, *prefixes):
    """A relay runs, has these prefixes delegated, and stops."""
    first = start(scene)
    delegate(scene, *prefixes)
    expect_routes(scene, *prefixes)
    first.stop()


@pytest.mark.parametrize("damage", [lambda text: text[:-1], lambda text: text.replace("valid", "void"),
                                    lambda text: "\0" * 100, lambda text: ""], ids=["cut", "edited", "zeros", "empty"])
def test_s01_a_damaged_state_file_is_told_and_no_route_goes_for_it(scene6, damage):
    """The next relay has done all that it does at its start when it makes a route that is new."""
    stop_with(scene6, _FIRST, _SECOND)
    path = scene6.folder / "state" / "prefixes"
    path.write_text(damage(state_of(scene6)), encoding="ascii")
    damaged = path.read_text(encoding="ascii")
    start(scene6)
    scene6.running.expect_log("WARNING note .*prefixes is damaged, and no delegated prefix is known from it")
    delegate(scene6, _THIRD)
    expect_routes(scene6, _FIRST, _SECOND, _THIRD)
    assert path.with_suffix(".damaged").read_text(encoding="ascii") == damaged


def test_s01_two_relays_do_not_share_a_state_file(scene6):
    """The second, with ports of its own, says so, and does its work without."""
    first = start(scene6)
    delegate(scene6, _FIRST)
    wait_until(lambda: state_of(scene6).endswith("end 1\n"), "the state of the first")
    before = state_of(scene6)
    second = start(scene6, "-p", "1547")
    second.expect_log("WARNING note .*prefixes is that of another relay, which runs, and each needs its own")
    second.stop()
    assert state_of(scene6) == before
    first.stop()


def test_s01_what_is_over_by_the_next_start_is_withdrawn(scene6):
    stop_with(scene6, _FIRST, _SECOND)
    path = scene6.folder / "state" / "prefixes"
    over = re.sub(r"(?m)^(2001:db8:e101:200:.*) until \d+$", r"\1 until 1", state_of(scene6))
    path.write_text(over, encoding="ascii")
    start(scene6)
    expect_routes(scene6, _FIRST)


def test_s01_without_a_state_file_routes_stay_whatever_lifetimes_others_have(scene6):
    """The next relay, whose file knows nothing of them either, leaves them too. How many there are is said, until the
    operator takes them away."""
    stop_with(scene6, _FIRST, _SECOND)
    (scene6.folder / "state" / "prefixes").unlink()
    second = start(scene6)
    second.expect_log("INFO note .*no delegated prefix is known from before, since there is no ")
    second.expect_log("WARNING note .*routes of before stay that nothing is known of: 2 ")
    for expired in (1, 2):
        pass_reply(scene6, ia_pd(7, [(_THIRD, 1, 2)]))
        wait_until(lambda: len(lines(scene6, "INFO prefix_expired")) == 1, "the line")
        expect_routes(scene6, _FIRST, _SECOND)
        if expired == 1:
            second.stop()
            start(scene6).expect_log("WARNING note .*routes of before stay that nothing is known of: 2 ")
    delegate(scene6, _FIRST)
    pass_reply(scene6, ia_pd(7, [(_FIRST, 0, 0)]))
    expect_routes(scene6, _SECOND)
    scene6.running.stop()
    scene6.topology.router.run(["ip", "-6", "route", "flush", "proto", "87"])
    start(scene6).expect_log("INFO note .*0 delegated prefixes are known from ")
    delegate(scene6, _THIRD)
    expect_routes(scene6, _THIRD)
    assert "routes of before" not in scene6.running.log


def test_s02_routes_are_there_again_when_the_link_is(scene6):
    """The kernel takes them away with the link; nobody has to renew for them to come back."""
    start(scene6)
    delegate(scene6, _FIRST)
    expect_routes(scene6, _FIRST)
    scene6.topology.router.ip("link set d1 down")
    scene6.running.expect_log(" interface_changed interface=d1 change=went_down")
    expect_routes(scene6)
    scene6.topology.router.ip("link set d1 up")
    expect_routes(scene6, _FIRST)


def test_r01_a_route_that_somebody_took_away_is_there_again_after_a_renewal(scene6):
    start(scene6)
    delegate(scene6, _FIRST)
    expect_routes(scene6, _FIRST)
    scene6.topology.router.ip(f"route del {_FIRST} proto 87")
    assert not routes(scene6)
    delegate(scene6, _FIRST)
    expect_routes(scene6, _FIRST)


# --- the house around it ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("metric", [20, 1024, 2048])
def test_a_route_of_somebody_else_stays(scene6, metric):
    """And is told of. Routing daemons have metrics below ours."""
    router = scene6.topology.router
    router.ip(f"route add {_FIRST} via 2001:db8:9::99 dev u0 metric {metric}")
    start(scene6)
    delegate(scene6, _FIRST)
    scene6.running.expect_log(rf" WARNING route_refused prefix={_FIRST} interface=d1 count=1 error=\"File exists\" hint=")
    shown = router.run(["ip", "-6", "route", "show", _FIRST]).stdout
    assert "via 2001:db8:9::99 dev u0" in shown and CLIENT_LINK_LOCAL not in shown


def test_lines_alone_take_no_privilege_and_make_no_route(scene6):
    """The relay's start sees that no capability is left."""
    scene6.relay6("--log-prefixes")
    delegate(scene6, _FIRST)
    scene6.running.expect_log(rf" INFO prefix_delegated prefix={_FIRST} client=\w+ iaid=7 interface=d1 "
                              rf"next_hop={CLIENT_LINK_LOCAL} preferred=3600 valid=7200\n")
    assert routes(scene6) == {}


def test_routes_keep_one_capability(scene6):
    running = start(scene6)
    delegate(scene6, _FIRST)
    expect_routes(scene6, _FIRST)
    expect_confined(running.pid, NET_ADMIN)


def test_without_the_capability_there_is_no_start(scene6):
    words = [relay_module.BINARY, "-d", "--no-pid", "-6", "--routes", "--state-file", f"{scene6.folder}/prefixes",
             "-id", "d1", "-iu", "u0", "2001:db8:9::2"]
    ended = subprocess.run(scene6.topology.router.command(
        ["setpriv", "--inh-caps", "-all", "--bounding-set", "-net_admin", *words]), capture_output=True, text=True,
        check=False, timeout=60)
    assert ended.returncode not in (0, -signal.SIGKILL)
    assert "--routes: it takes CAP_NET_ADMIN to change routes" in ended.stderr


def test_where_the_account_may_not_write_routes_are_made_all_the_same(scene6):
    """That they do not outlast a restart is said."""
    scene6.relay6("--routes", "--state-file", f"{scene6.folder}/prefixes")
    scene6.running.expect_log("WARNING note .*nobody may not make files in the directory of ")
    delegate(scene6, _FIRST)
    expect_routes(scene6, _FIRST)


def test_a_directory_that_is_made_is_told_of(scene6):
    scene6.relay6("--routes", "--state-file", f"{scene6.folder}/new/prefixes")
    scene6.running.expect_log(f"INFO note .*the directory '{scene6.folder}/new' of --state-file was missing, and was made")


@pytest.mark.parametrize("name, fault", [("link", "is a symbolic link"), ("folder", "is no regular file"),
                                         ("no/such/file", "cannot make the directory ")])
def test_a_state_file_that_cannot_be_used_keeps_nobody_from_being_served(scene6, name, fault):
    """And is told of; routes are made all the same."""
    (scene6.folder / "folder").mkdir()
    (scene6.folder / "link").symlink_to("/dev/null")
    scene6.relay6("--routes", "--state-file", f"{scene6.folder}/{name}")
    scene6.running.expect_log(f"WARNING note .*{fault}.*delegated prefixes of before are not known, and none are kept")
    delegate(scene6, _FIRST)
    expect_routes(scene6, _FIRST)
