"""`--check`: each planted mistake is found, in one line that says what to do, with the exit status that goes with it.

Where the advice is a command, it is followed, and the finding is gone. All mistakes are made in namespaces of the test.
"""

import os
import re
import shutil
import types
from pathlib import Path

import pytest

import message
import metrics
import peers
import relay
from checked import fixed, follow_advice, nft, only, run_check, running
from network import Chain
from rights import with_capabilities
from wait import port_bound, wait_until

SERVER = "10.9.0.2"
NOTHING_SERVED = ("error: nothing_served: no interface serves clients, for what interface_missing tells; follow the advice "
                  "there, for one interface at least")
USUAL = ("-id", "d1", "-id", "d2", "-iu", "u0", SERVER)
UNSEEN = "; whether a DHCP server runs there and listens on UDP port 67 cannot be seen from here"

pytestmark = pytest.mark.skipif(not relay.is_ours(), reason="--check is ours alone")


@pytest.fixture
def check(scene):
    """Runs `--check` with these flags on the router."""
    def run(*flags, through=(), namespace=None):
        return run_check(namespace or scene.topology.router, *flags, through=through)
    return run


@pytest.fixture
def router(scene):
    return scene.topology.router


# --- what is well -------------------------------------------------------------------------------------------------------

def test_a_host_where_all_is_well(check):
    found = check(*USUAL, "10.9.0.3")
    assert found.status == 0, found
    assert found.lines == [
        "ok: interface_serves: interfaces d1, d2 are up, with a giaddr and a server",
        "ok: server_reached: server 10.9.0.2 is reached through u0, next hop 10.9.0.2, source giaddr" + UNSEEN,
        "ok: server_reached: server 10.9.0.3 is reached through u0, next hop 10.9.0.3, source giaddr" + UNSEEN,
        "check passed: nothing found"], found
    assert found.complaint == ""


def test_every_interface_of_a_host_where_all_is_well(check):
    """The packaged default: the loopback is one of them, and none of what is meant."""
    found = check("-i", "*", SERVER)
    assert found.status == 0, found
    assert found.lines[-1] == "check passed: nothing found", found


def test_nothing_is_started_and_nothing_is_left(check, router, tmp_path):
    pid_file, capture = tmp_path / "pid", tmp_path / "capture"
    found = check(*USUAL, "-pf", str(pid_file), "--capture", str(capture))
    assert found.status == 0, found
    assert not os.listdir(tmp_path)
    with router.inside():
        assert not port_bound("thread-self")


def test_json(check):
    found = check(*USUAL, "--log-format", "json")
    assert found.lines[-1] == '{"level":"info","event":"check_total","errors":0,"warnings":0}'


# --- the start ----------------------------------------------------------------------------------------------------------

def test_wrong_flags_are_told_as_at_a_start(check, tmp_path):
    found = check("-id", "d1", "--quite", SERVER)
    assert (found.status, found.lines) == (2, [])
    assert found.complaint == "dhcp-relay: unknown flag '--quite': did you mean --quiet?\n"
    (tmp_path / "relay.conf").write_text("max-hops = 4\nport = none\n", encoding="ascii")
    found = check("-id", "d1", "--config", str(tmp_path / "relay.conf"), SERVER)
    assert (found.status, found.lines) == (2, [])
    assert found.complaint.endswith(":2: port 'none': expected a port from 1 to 65534\n")


def test_an_account_that_there_is_not(check):
    found = check(*USUAL, "--user", "no-such-account")
    assert (found.status, found.lines) == (2, [])
    assert found.complaint.startswith("dhcp-relay: --user 'no-such-account': there is no such account")


def test_a_filter_that_does_not_compile(check):
    found = check(*USUAL, "--capture", "-", "--capture-filter", "hosts 10.9.0.2")
    assert found.status == 2
    assert found.complaint.startswith("dhcp-relay: --capture-filter 'hosts 10.9.0.2': ")


def test_it_goes_with_neither_replay_nor_capture_only(check):
    assert check("-i", "d1", "--capture-only").complaint == (
        "dhcp-relay: --check contradicts --capture-only; expected one of them\n")
    assert check(*USUAL, "--replay", "x").complaint == (
        "dhcp-relay: --check contradicts --replay; expected one of them\n")


def test_a_name_that_does_not_resolve(check):
    found = check("-id", "d1", "nosuch.invalid", SERVER)
    assert found.status == 2, found
    assert len(found.graver()) == 1
    assert re.fullmatch(r"error: server_unresolved: cannot resolve server 'nosuch.invalid': .*; correct the name, give the "
                        r"server's address instead, or repair name resolution \(/etc/resolv.conf, /etc/hosts\)",
                        found.graver()[0])
    assert found.named("server_reached"), "the other server is looked at all the same"


def test_a_missing_capability(check, need):
    need("setpriv")
    found = check(*USUAL, through=with_capabilities())
    assert found.status == 2, found
    assert found.graver(["error"]) == [
        f"error: capability_missing: this user lacks {capability}, without which {what}; start as root, or with "
        "AmbientCapabilities=CAP_NET_RAW CAP_NET_BIND_SERVICE in the systemd unit"
        for capability, what in (("CAP_NET_RAW", "no packet socket can be opened for replies to clients"),
                                 ("CAP_NET_BIND_SERVICE", "the relay cannot listen on UDP port 67"))], found
    assert found.named("firewall_unread")[0].startswith("note: "), "it says what it could not look at"
    found = check("-p", "6767", *USUAL, through=with_capabilities("net_raw"))
    assert not found.named("capability_missing"), "a port above 1023 is anyone's"


def test_the_capabilities_that_are_enough(check, need):
    need("setpriv")
    found = check(*USUAL, through=with_capabilities("net_raw", "net_bind_service"))
    assert found.status == 0, found
    assert not found.named("capability_missing")


def test_a_pid_file_that_cannot_be_written(check):
    only(check(*USUAL, "-pf", "/nosuch/pid"),
         "error: file_unwritable: /nosuch/pid cannot be written: No such file or directory; name another file, or give "
         "this user the right to write it", 2)


def test_files_that_are_symbolic_links(check, tmp_path):
    """Which the start does not follow."""
    link = tmp_path / "link"
    link.symlink_to("target")
    for flag, why in (("-pf", "it is a symbolic link"), ("--capture", "it is a symbolic link")):
        assert check(*USUAL, flag, str(link)).graver(["error"]) == [
            f"error: file_unwritable: {link} cannot be written: {why}; name another file, or give this user the right to "
            "write it"]
    assert os.listdir(tmp_path) == ["link"]


def test_metrics_on_an_address_that_is_not_here(check):
    only(check(*USUAL, "--metrics", "203.0.113.9:9577"),
         "error: metrics_unservable: cannot serve metrics on 203.0.113.9:9577: this host does not have that address: "
         "Cannot assign requested address; give --metrics another address or port, or leave it out", 2)
    assert check(*USUAL, "--metrics", "127.0.0.1:9577").lines[-1] == "check passed: nothing found"


# --- the account that root becomes --------------------------------------------------------------------------------------

def test_an_account_that_cannot_be_had(check, need):
    """As in a container that leaves root this and that."""
    need("setpriv")
    through = ("setpriv", "--bounding-set", "-setuid", "--inh-caps", "-setuid")
    only(check(*USUAL, through=through),
         "error: account_out_of_reach: cannot become nobody: it takes CAP_SETUID (or --user root, or a start as another "
         "account with ambient capabilities): Operation not permitted; let it have this capability (in a container: "
         "--cap-add), or start it as an account that has CAP_NET_RAW and CAP_NET_BIND_SERVICE alone", 2)
    assert not check("--user", "root", *USUAL, through=through).graver()


def test_flags_that_the_account_cannot_read(scene, check):
    file = scene.folder / "relay.conf"
    file.write_text("max-hops = 4\n", encoding="ascii")
    file.chmod(0o600)
    flags = (*USUAL, "--config", str(file))
    only(check(*flags),
         f"warning: file_unreadable: {file} cannot be read by nobody, which the relay becomes (Permission denied), so "
         "SIGHUP will change nothing; give that account the right to read it and to pass the directories above it, which "
         f"`namei -l {file}` lists; or name another account with --user", 0)
    assert not check(*flags, "--user", "root").graver(), "with root's number its files can be read"
    file.chmod(0o604)
    assert not check(*flags).graver()
    scene.folder.chmod(0o700)
    assert check(*flags).named("file_unreadable"), "the way there counts too"
    os.chown(scene.folder, relay.ACCOUNT.pw_uid, relay.ACCOUNT.pw_gid)
    assert not check(*flags).graver()


def test_a_capture_beside_which_the_account_can_make_no_file(scene, check):
    file = scene.folder / "it.pcapng"
    flags = (*USUAL, "--capture", str(file))
    only(check(*flags),
         f"warning: capture_in_one_file: the capture stays in {file}, which gets as large as all its files together and is "
         "then begun anew: no others can be made beside it by nobody, which the relay becomes; name a file in a directory "
         "of that account, or want no more than this one: --capture-files 1", 0)
    assert not check(*flags, "--capture-files", "1").graver()
    os.chown(scene.folder, relay.ACCOUNT.pw_uid, relay.ACCOUNT.pw_gid)
    assert not check(*flags).graver()
    assert not file.exists()


def test_a_capture_of_another_account(scene, check):
    """Of the one that the relay became before, it may be, or of none that it could be."""
    file = scene.folder / "it.pcapng"
    file.write_text("", encoding="ascii")
    flags = (*USUAL, "--capture", str(file), "--capture-files", "1")
    for owner in (0, relay.ACCOUNT.pw_uid):
        os.chown(file, owner, owner)
        assert not check(*flags).graver()
    os.chown(file, relay.ACCOUNT.pw_uid - 1, relay.ACCOUNT.pw_gid)
    only(check(*flags),
         f"error: file_unwritable: {file} cannot be written: it belongs to another user; name another file, or give this "
         "user the right to write it", 2)


# --- the port -----------------------------------------------------------------------------------------------------------

def test_the_port_is_taken_by_dnsmasq(scene, check, router, need, tmp_path):
    need("dnsmasq")
    host = types.SimpleNamespace(namespace=router, number=9)
    dnsmasq = scene.keep(peers.Dnsmasq(scene.topology, host, tmp_path))
    only(check(*USUAL),
         f"error: port_taken: UDP port 67 is held by dnsmasq (process {dnsmasq._process.pid}), so the relay cannot listen "
         "there; take dhcp-range and dhcp-relay out of its configuration, or: systemctl disable --now dnsmasq", 2)
    dnsmasq.stop()
    assert check(*USUAL).status == 0


def test_the_port_is_taken_by_isc_dhcrelay(check, router, need):
    need("dhcrelay")
    with running(router, ["dhcrelay", "-d", "--no-pid", "-i", "d1", "-i", "u0", SERVER]) as process:
        only(check(*USUAL),
             f"error: port_taken: UDP port 67 is held by dhcrelay (process {process.pid}), so the relay cannot listen "
             "there; stop ISC's relay for good: systemctl disable --now isc-dhcp-relay", 2)


def test_a_process_that_calls_itself_what_a_terminal_would_obey(check, router):
    program = ("import ctypes, socket, time; ctypes.CDLL(None).prctl(15, b'x\\x1b[31m'); "
               "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('10.101.0.1', 67)); time.sleep(600)")
    with running(router, ["python3", "-c", program]) as process:
        only(check(*USUAL),
             rf"error: port_taken: UDP port 67 is held by x\x1b[31m (process {process.pid}), so the relay cannot listen "
             f"there; end it and keep it from starting again: systemctl status {process.pid} tells which unit it belongs "
             "to", 2)


def test_the_relay_itself_has_the_port(scene, check):
    running_relay = scene.relay()
    only(check(*USUAL),
         f"warning: port_taken_by_relay: UDP port 67 is held by dhcp-relay (process {running_relay.pid}): a relay runs "
         f"here, and a second one would not start; to have it read its configuration again: kill -HUP {running_relay.pid}",
         0)


def test_the_relay_has_the_port_by_another_name(scene, check, public_folder):
    """As the package's alternative has it; then its file is replaced, as by an upgrade."""
    program = shutil.copy(relay.BINARY, public_folder / "dhcp-relay")
    link = public_folder / "dhcrelay"
    link.symlink_to(program)
    running_relay = scene.relay(*metrics.FLAGS, binary=str(link))
    assert Path(f"/proc/{running_relay.pid}/comm").read_text(encoding="ascii") == "dhcrelay\n"
    for _ in range(2):
        found = check(*USUAL, *metrics.FLAGS)
        assert found.status == 0, found
        assert [line.split(": ")[1] for line in found.graver()] == ["port_taken_by_relay"], found
        Path(program).unlink(missing_ok=True)


def test_a_process_in_another_namespace_does_not_matter(scene, check):
    scene.sink(1)
    assert check(*USUAL).lines[-1] == "check passed: nothing found"


# --- interfaces ---------------------------------------------------------------------------------------------------------

def test_an_interface_that_does_not_exist(check):
    only(check(*USUAL, "-id", "d7"),
         "warning: interface_missing: interface d7 does not exist, so its clients are not served; correct the name (`ip "
         "link` lists them) or create it; the relay uses it as soon as it is there", 0)
    found = check("-id", "d7", SERVER)
    assert found.status == 2, found
    assert found.named("nothing_served") == [NOTHING_SERVED]


def test_a_pattern_that_matches_no_interface(check):
    only(check(*USUAL, "-id", "vlan*"),
         "warning: pattern_unmatched: no interface has a name that matches vlan*, so no clients are served by it; correct "
         "the pattern (`ip link` lists the names) or create them; the relay uses them as soon as they are there", 0)


def test_an_interface_that_is_down(check, router):
    router.ip("link set d2 down")
    found = check(*USUAL)
    only(found, "warning: interface_down: interface d2 is down, so its clients are not served; bring it up: ip link set "
                "d2 up", 0)
    follow_advice(router, found.graver()[0])
    wait_until(lambda: check(*USUAL).lines[-1] == "check passed: nothing found", "d2 to be up, with carrier")


def test_an_interface_without_carrier(scene, check):
    scene.topology.segment(2).client.ip("link set eth0 down")
    wait_until(lambda: check(*USUAL).graver() == [
        "warning: no_carrier: interface d2 has no carrier; look at the cable, the switch port, or what the interface is "
        "made of"], "d2 to have lost its carrier")
    assert check(*USUAL).status == 0


def test_an_interface_without_address(check, router):
    router.ip("addr flush dev d2")
    only(check(*USUAL),
         "error: no_address: interface d2 has no IPv4 address to be giaddr, so its requests are dropped; give it one of "
         "the clients' subnet: ip address add ADDRESS/PREFIX dev d2; or name one with --giaddr or -U", 2)
    assert check(*USUAL, "--giaddr", "d2=10.101.0.1", "-a").status == 0


def test_a_giaddr_that_this_host_does_not_hold(check):
    only(check(*USUAL, "--giaddr", "d2=10.102.0.77"),
         "warning: giaddr_passive: interface d2 is passive: this host does not hold its giaddr 10.102.0.77; this is as it "
         "should be where another router holds the address at the moment (VRRP); else add it, or correct --giaddr", 0)


def test_a_port_of_a_bridge(check, router):
    router.ip("link add br0 type bridge", "link set br0 up", "link set d2 master br0")
    only(check(*USUAL),
         "error: port_of_bridge: interface d2 is a port of br0, which takes what arrives on it; name br0 instead, and "
         "give it the address", 2)


def test_a_loopback_for_clients(check):
    found = check(*USUAL, "-id", "lo")
    assert found.status == 2, "127.0.0.1 is no giaddr"
    assert found.named("loopback_downstream") == [
        "warning: loopback_downstream: interface lo is named for clients, and no client can be on a loopback; leave it "
        "out; the loopback's address as giaddr takes -U lo"]


def test_one_subnet_on_two_interfaces(check, router):
    router.ip("addr flush dev d2", "addr add 10.101.0.2/24 dev d2")
    only(check(*USUAL),
         "warning: shared_subnet: interfaces d1, d2 share the subnet 10.101.0.0/24: the kernel reaches the clients of one "
         "of them only; join them in a bridge, or give each a subnet of its own", 0)


def test_a_small_mtu(check, router):
    router.ip("link set d2 mtu 500")
    found = check(*USUAL)
    only(found, "warning: interface_mtu: interface d2 has an MTU of 500, less than the 576 octets of a DHCP message that "
                "every client has to take (RFC 2131 section 2); raise it: ip link set d2 mtu 1500", 0)
    follow_advice(router, found.graver()[0])
    assert check(*USUAL).lines[-1] == "check passed: nothing found"


# --- servers ------------------------------------------------------------------------------------------------------------

def test_no_route_to_a_server(check):
    only(check("-id", "d1", SERVER, "192.0.2.53"),
         "error: server_unreachable: there is no route to server 192.0.2.53: Network is unreachable; add one, such as: ip "
         "route add 192.0.2.53 via ROUTER; or bring up the interface that leads there", 2)


@pytest.mark.parametrize("kind", ["blackhole", "unreachable", "prohibit"])
def test_a_route_that_refuses(check, router, kind):
    router.ip(f"route add {kind} 192.0.2.53")
    only(check("-id", "d1", "192.0.2.53"),
         f"error: server_refused: the route to server 192.0.2.53 is of type {kind}; take it out, or add a better one, such "
         f"as: ip route add 192.0.2.53/32 via ROUTER; where it is: ip route show table all type {kind}, ip rule", 2)


def test_a_server_that_is_this_host(check):
    only(check("-id", "d1", "10.9.0.1"),
         "error: server_is_local: server 10.9.0.1 is an address of this host, where the relay itself has the port; name "
         "the server's own address; a server on this very host needs no relay", 2)


def test_a_server_that_is_a_broadcast_address(check):
    only(check("-id", "d1", "10.9.0.255"),
         "error: server_is_broadcast: server 10.9.0.255 is a broadcast address: replies come from other addresses, and are "
         "dropped as server_unknown; name the servers' own addresses, or add --reply-from any; where the log tells of "
         "giaddr_own, that is this relay's own broadcast come back, and no loop", 2)
    assert not check("-id", "d1", "--reply-from", "any", "10.9.0.255").graver()


def test_a_server_behind_a_downstream_interface(check):
    only(check("-id", "d1", "-id", "d2", "10.102.0.53"),
         "error: server_downstream: server 10.102.0.53 is reached through d2, where replies are not accepted; name the "
         "interface with -i instead of -id if servers are there too, or correct the route", 2)
    assert check("-id", "d1", "-i", "d2", "10.102.0.53").lines[-1] == "check passed: nothing found"


def test_a_start_warns_of_servers_that_are_of_no_use(scene):
    running = scene.relay("-rp", "68", servers=["10.9.0.1", "10.102.0.53"], sinks=False)
    running.expect_log(r"WARNING note .*server 10\.9\.0\.1 is an address of this host, ")
    running.expect_log(r"WARNING note .*server 10\.102\.0\.53 is reached through d2, where replies are not accepted; ")
    running.expect_log(r"WARNING note .*the port 68 of -rp is that of clients: ")


def test_a_server_that_is_not_behind_iu(check):
    only(check("-id", "d1", "-iu", "d2", SERVER),
         "error: server_beyond_upstream: server 10.9.0.2 is reached through u0, and replies are accepted on the "
         "interfaces of -iu and -i alone; add -iu u0, or leave out -iu: replies are then accepted wherever servers are", 2)


def test_a_router_to_the_server_that_does_not_answer(check, router):
    router.ip("route add 192.0.2.0/24 via 10.9.0.77", "neigh add 10.9.0.77 dev u0 nud failed")
    only(check("-id", "d1", "192.0.2.53"),
         "warning: server_not_answering: 10.9.0.77 on u0, the next hop to server 192.0.2.53, did not answer ARP; look "
         "whether it is on and in the same subnet and VLAN: ping 10.9.0.77", 0)


def test_the_way_to_all_servers_without_carrier(scene, check, router):
    router.ip("neigh replace 10.9.0.2 dev u0 nud failed")
    scene.topology.switch.ip("link set u0 down")
    wait_until(lambda: check(*USUAL).named("no_carrier"), "u0 to have lost its carrier")
    found = check(*USUAL)
    assert (found.status, found.named("interface_serves")) == (2, []), found
    assert found.graver(["error"]) == [
        "error: no_server_reached: no server can be reached, for what no_carrier tells, so no client is served; follow the "
        "advice there for one of the servers at least"], found


def test_no_interface_serves_without_a_route_to_a_server(check):
    assert not check("-id", "d1", "192.0.2.53").named("interface_serves")
    assert check("-id", "d1", "192.0.2.53", SERVER).named("interface_serves")


def test_a_source_address_that_this_host_does_not_hold(check):
    only(check(*USUAL, "--source-address", "10.9.0.77"),
         "error: source_missing: this host does not hold 10.9.0.77 of --source-address, so no request can be sent; add "
         "the address, or name one that `ip address` lists", 2)
    assert not check(*USUAL, "--source-address", "10.9.0.77").named("server_reached")


def test_a_giaddr_of_another_segment(check):
    only(check(*USUAL, "--giaddr", "d2=10.9.0.1"),
         "warning: giaddr_foreign: the giaddr 10.9.0.1 of interface d2 is of another segment, and without option 82 nothing "
         "tells the server the clients' subnet; add -a: sub-option 5 of option 82 then says it; or leave out --giaddr and "
         "-U, and giaddr is the interface's own address", 0)
    assert not check("-a", *USUAL, "--giaddr", "d2=10.9.0.1").graver()


def test_the_loopback_that_has_none_but_its_own_address(check):
    assert check("-U", "lo", *USUAL).named("giaddr_interface_missing") == [
        "error: giaddr_interface_missing: interface lo of -U does not exist or has no IPv4 address but 127.0.0.0/8, so "
        "there is no giaddr; give it one: ip address add ADDRESS/32 dev lo"]


def test_the_mtu_of_a_route(check, router):
    router.ip("route add 192.0.2.0/24 via 10.9.0.2 mtu 576")
    flags = ("-a", "-id", "d1", "--remote-id", "box-17", "192.0.2.53")
    only(check(*flags),
         "warning: route_mtu: the MTU towards server 192.0.2.53 is 576, and a request of 576 octets with option 82 may "
         "have 609: it would go without option 82, or in fragments; raise the MTU of the route or its interface, or "
         "shorten the values of option 82", 0)


# --- settings of the kernel ---------------------------------------------------------------------------------------------

def test_strict_rp_filter(check, router):
    router.sysctl("net.ipv4.conf.d2.rp_filter", 1)
    only(check(*USUAL),
         "warning: rp_filter_strict: rp_filter is strict on d2: requests from 0.0.0.0 and from the interface's subnet "
         "pass, those from link-local or foreign addresses are lost, such as of a client that has moved here and asks for "
         "its old lease; if such clients exist: sysctl -w net/ipv4/conf/d2/rp_filter=0 net/ipv4/conf/all/rp_filter=0", 0)
    fixed(check, router, *USUAL)


@pytest.mark.parametrize("value", [1, 2])
def test_rp_filter_without_an_address(check, router, value):
    router.ip("addr flush dev d2", "addr add 203.0.113.1/32 dev lo")
    router.sysctl("net.ipv4.conf.d2.rp_filter", value)
    only(check("-U", "lo", *USUAL),
         "warning: rp_filter_no_address: rp_filter is on for d2, which has no IPv4 address: requests of clients that have "
         "one are lost, so no lease is renewed through the relay; turn it off: sysctl -w net/ipv4/conf/d2/rp_filter=0 "
         "net/ipv4/conf/all/rp_filter=0", 0)
    fixed(check, router, "-U", "lo", *USUAL)


def test_rp_filter_where_no_route_to_a_server_leaves(check, router):
    router.sysctl("net.ipv4.conf.d2.rp_filter", 1)
    only(check("-id", "d1", "-iu", "u0", "-iu", "d2", SERVER),
         "warning: rp_filter_upstream: rp_filter is strict on d2, and the route to no server leaves there: replies that "
         "arrive there are lost; make it loose: sysctl -w net/ipv4/conf/d2/rp_filter=2", 0)


def received(scene, segment, **frame):
    """Whether the relay receives a request from this source; what is sent behind it and passes shows when it has."""
    before = scene.running.counters(f"d{segment}")["requests_received"]
    scene.send_request(message.request(xid=0x900, kind=message.REQUEST), segment, **frame)
    scene.settle(segment, replies=False)
    return scene.running.counters(f"d{segment}")["requests_received"] - before == 3


def test_what_is_said_of_rp_filter_is_so(scene, router):
    """Segment 1 has an address and a strict filter, segment 2 a loose one and no address."""
    router.ip("addr flush dev d2", "addr add 203.0.113.1/32 dev lo")
    router.sysctl("net.ipv4.conf.d1.rp_filter", 1)
    router.sysctl("net.ipv4.conf.d2.rp_filter", 2)
    scene.relay("-U", "lo")
    assert received(scene, 1)
    assert received(scene, 1, source="10.101.0.50")
    assert not received(scene, 1, source="169.254.7.7")
    assert not received(scene, 1, source="10.9.0.50")
    assert received(scene, 2)
    assert not received(scene, 2, source="10.102.0.50")
    router.sysctl("net.ipv4.conf.d1.rp_filter", 0)
    router.sysctl("net.ipv4.conf.d2.rp_filter", 0)
    assert received(scene, 1, source="169.254.7.7")
    assert received(scene, 2, source="10.102.0.50")


def test_a_host_that_forwards_nothing(check, router):
    router.sysctl("net.ipv4.ip_forward", 0)
    only(check(*USUAL),
         "warning: forwarding_off: this host does not forward IPv4 from d1, d2: clients renew by unicast to the server, "
         "which needs a router; if this host is their router: sysctl -w net.ipv4.ip_forward=1; else --server-id-override "
         "has them renew through the relay", 0)
    assert not check("-a", "--server-id-override", *USUAL).graver()
    router.sysctl("net.ipv4.ip_forward", 1)
    router.sysctl("net.ipv4.conf.d2.forwarding", 0)
    found = check(*USUAL)
    assert len(found.graver()) == 1 and ": sysctl -w net/ipv4/conf/d2/forwarding=1; else " in found.graver()[0], found
    router.run(["sysctl", "-w", "net/ipv4/conf/d2/forwarding=1"])
    assert not check(*USUAL).graver()


def test_forwarded_broadcasts(check, router):
    for name in ("all", "d2"):
        router.sysctl(f"net.ipv4.conf.{name}.bc_forwarding", 1)
    only(check(*USUAL),
         "warning: broadcast_forwarding: bc_forwarding is on for d2: broadcasts to the subnet are forwarded and the relay "
         "does not get them; turn it off: sysctl -w net/ipv4/conf/d2/bc_forwarding=0", 0)


def test_more_clients_than_neighbours(check, router):
    router.ip("addr add 10.111.0.1/10 dev d1")
    found = check(*USUAL)
    assert found.status == 0, found
    assert len(found.graver()) == 1
    assert re.fullmatch(r"warning: neighbours_many: there is room for 4194554 clients, and the kernel knows at most \d+ "
                        r"neighbours: beyond that, replies to clients that have an address are lost; raise it, on the host "
                        r"itself and not in a network namespace of its own, which does not have these settings: sysctl -w "
                        r"net.ipv4.neigh.default.gc_thresh3=1048576 net.ipv4.neigh.default.gc_thresh2=524288",
                        found.graver()[0])


def test_many_interfaces_are_few_lines(check, router):
    router.ip(*(f"link add x{number} type bridge" for number in range(100)))
    found = check(*USUAL, "-id", "x*")
    assert found.named("interface_down") == [
        "warning: interface_down: interfaces x0, x1, x2, x3, x4, x5, x6, x7 and 92 more are down, so their clients are "
        "not served; bring it up: ip link set x0 up; and so for each of them"]
    assert found.status == 0, "they are named by a pattern alone"


# --- the firewall -------------------------------------------------------------------------------------------------------

def test_a_rule_that_drops_requests(check, router, need):
    need("nft")
    nft(router, 'iifname "d2" udp dport { 67, 68 } counter drop')
    found = check(*USUAL)
    assert found.status == 2
    assert len(found.graver()) == 1
    assert re.fullmatch(r"error: firewall_drops_requests: the firewall's rule with handle \d+ of chain rules in table inet "
                        r"filter drops requests that arrive on d2; let them in: nft insert rule inet filter rules udp "
                        r"dport 67 accept", found.graver()[0])
    fixed(check, router, *USUAL)


def test_a_policy_that_drops_requests(check, router, need):
    need("nft")
    nft(router, "ct state established,related accept", "iif lo accept", "tcp dport 22 accept", policy="drop")
    only(check(*USUAL),
         "error: firewall_drops_requests: the firewall's policy of chain rules in table inet filter drops requests that "
         "arrive on d1, d2; let them in: nft insert rule inet filter rules udp dport 67 accept", 2)
    fixed(check, router, *USUAL)


def test_a_policy_that_drops_requests_of_a_pattern(check, router, need):
    """Nothing is served, for a warning, which the error names."""
    need("nft")
    nft(router, "ct state established,related accept", "iif lo accept", policy="drop")
    found = check("-id", "d*", "-iu", "u0", SERVER)
    assert (found.status, found.named("interface_serves")) == (2, []), found
    assert found.graver(["error"]) == [
        "error: nothing_served: no interface serves clients, for what firewall_drops_requests tells; follow the advice "
        "there, for one interface at least"], found


def test_a_policy_that_drops_replies(check, router, need):
    need("nft")
    nft(router, "udp dport 67 accept", policy="drop")
    only(check("-rp", "6767", *USUAL),
         "error: firewall_drops_replies: the firewall's policy of chain rules in table inet filter drops replies that "
         "arrive on u0; let them in: nft insert rule inet filter rules udp dport 6767 accept", 2)
    fixed(check, router, "-rp", "6767", *USUAL)


@pytest.mark.parametrize("hook", ["output", "postrouting"])
def test_a_policy_that_drops_what_is_relayed(check, router, need, hook):
    need("nft")
    nft(router, policy="drop", hook=hook)
    only(check(*USUAL),
         "error: firewall_drops_relayed: the firewall's policy of chain rules in table inet filter drops what is relayed "
         "to servers through u0; let it out: nft insert rule inet filter rules udp dport 67 accept", 2)
    fixed(check, router, *USUAL)


def test_a_rule_that_cannot_be_judged(check, router, need):
    need("nft")
    nft(router, "fib saddr . iif oif missing drop", hook="prerouting")
    found = check(*USUAL)
    assert found.status == 0
    assert [line.split(":")[1] for line in found.graver()] == [" firewall_may_drop"], found


def test_a_firewall_that_lets_dhcp_in(check, router, need):
    need("nft")
    nft(router, "ct state vmap { invalid : drop, established : accept, related : accept }",
        'iifname "d*" udp sport 68 udp dport 67 accept', "limit rate 5/second log", policy="drop")
    assert check(*USUAL).lines[-1] == "check passed: nothing found"


# --- where the relay is not the first one -------------------------------------------------------------------------------

def test_the_outer_router_of_a_chain(make_scene):
    """A server that is another relay agent, two hops from the DHCP servers."""
    chain = make_scene(Chain).topology
    found = run_check(chain.outer, "-id", "d1", Chain.INNER_ADDRESS)
    assert found.lines[-1] == "check passed: nothing found", found
