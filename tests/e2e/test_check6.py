"""`--check` where DHCPv6 is relayed: each planted mistake is found, in one line that says what to do, and nothing is said
of DHCPv4 where it is not relayed."""

import os
import re

import pytest

import relay
from checked import fixed, follow_advice, nft, only, run_check, running
from message6 import RELAY_FORWARD, SERVER_PORT, answer, reply_to
from network6 import CLIENT_LINK_LOCAL, ROUTER_LINK_LOCAL, Chain6, unique_local
from rights import with_capabilities
from wire6 import arrived6

SERVER = "2001:db8:9::2"
INTERFACES = ("-id", "d1", "-id", "d2", "-iu", "u0")
USUAL = (*INTERFACES, SERVER)
_OTHER_STATE_FILE = "name another --state-file, in a directory where the account of --user may make files"
UNSEEN = "; whether a DHCP server runs there and listens on UDP port {} cannot be seen from here"
REACHED = ("ok: server_reached: server {0} is reached through u0, next hop {0}, source that of the clients' link"
           + UNSEEN.format(547))

pytestmark = pytest.mark.skipif(not relay.is_ours(), reason="--check is ours alone")


@pytest.fixture
def check(scene6):
    """Runs `--check` with these flags on the router."""
    def run(*flags, through=()):
        return run_check(scene6.topology.router, *flags, through=through)
    return run


@pytest.fixture
def router(scene6):
    return scene6.topology.router


# --- what is well -------------------------------------------------------------------------------------------------------

def test_a_host_where_all_is_well(check):
    found = check(*USUAL, "fe80::9:3%u0")
    assert found.status == 0, found
    assert found.lines == [
        "note: relay_agents_untrusted: whether other relay agents are behind interfaces d1, d2 is not known, and "
        "Relay-forward from there is dropped as relay_forward_untrusted; where there are: --trust d1; and so for each of "
        "them",
        "ok: interface_serves: interfaces d1, d2 are up, with a link-address and a server",
        REACHED.format(SERVER), REACHED.format("fe80::9:3%u0"),
        "check passed: nothing found"], found


def test_both_families(check):
    """Each is said to be well by itself."""
    found = check("--trust", "*", *USUAL, "10.9.0.2")
    assert found.status == 0, found
    assert found.lines == [
        "ok: interface_serves: interfaces d1, d2 are up, with a giaddr and a server",
        "ok: interface_serves: interfaces d1, d2 are up, with a link-address and a server",
        "ok: server_reached: server 10.9.0.2 is reached through u0, next hop 10.9.0.2, source giaddr"
        + UNSEEN.format(67),
        REACHED.format(SERVER),
        "check passed: nothing found"], found


def test_interfaces_as_isc_has_them(check):
    """A group of servers, where no address is given."""
    found = check("--trust", "*", "-l", "d1", "-l", "2001:db8:102::1%d2", "-u", "u0")
    assert found.lines == ["ok: interface_serves: interfaces d1, d2 are up, with a link-address and a server",
                           REACHED.format("ff05::1:3%u0"), "check passed: nothing found"], found


def test_what_is_wrong_with_dhcpv4_alone_is_not_told(check, router):
    router.ip("addr flush dev d2 scope global", "addr add 2001:db8:102::1/64 dev d2 nodad")
    router.sysctl("net.ipv4.conf.d1.rp_filter", 1)
    router.sysctl("net.ipv4.ip_forward", 0)
    assert check(*USUAL).lines[-1] == "check passed: nothing found"
    assert check(*USUAL, "10.9.0.2").named("no_address"), "but where it is relayed"


# --- the start ----------------------------------------------------------------------------------------------------------

def test_a_missing_capability(check, need):
    need("setpriv")
    found = check(*USUAL, through=with_capabilities())
    assert found.status == 2, found
    assert [re.search(r"lacks (\w+), without which (.*?);", line).groups() for line in found.graver(["error"])] == [
        ("CAP_NET_RAW", "no packet socket can be opened to see the hardware addresses of clients, and to answer them there"),
        ("CAP_NET_BIND_SERVICE", "the relay cannot listen on UDP port 547")], found
    found = check("--client-link-layer-address", "no", *USUAL, through=with_capabilities("net_bind_service"))
    assert not found.named("capability_missing")


def test_the_port_is_taken_by_isc_dhcrelay(check, router, need):
    need("dhcrelay")
    words = ["dhcrelay", "-6", "-d", "--no-pid", "-l", "d1", "-u", f"{SERVER}%u0"]
    with running(router, words, port=SERVER_PORT) as process:
        only(check(*USUAL),
             f"error: port_taken: UDP port 547 is held by dhcrelay (process {process.pid}), so the relay cannot listen "
             "there; stop ISC's relay for good: systemctl disable --now isc-dhcp-relay", 2)


def held_by(family, address):
    """A process that has port 547 of this address."""
    return ["python3", "-c", f"import socket, time; u = socket.socket(socket.{family}, socket.SOCK_DGRAM); "
                             f"u.bind(('{address}', 547)); time.sleep(600)"]


@pytest.mark.parametrize("address", ["::", "2001:db8:9::1"])
def test_the_port_is_taken(check, router, address):
    with running(router, held_by("AF_INET6", address), port=SERVER_PORT) as process:
        only(check(*USUAL),
             f"error: port_taken: UDP port 547 is held by python3 (process {process.pid}), so the relay cannot listen "
             f"there; end it and keep it from starting again: systemctl status {process.pid} tells which unit it belongs "
             "to", 2)


def test_the_port_of_ipv4_is_another(check, router):
    with running(router, held_by("AF_INET", "0.0.0.0"), port=SERVER_PORT):
        assert check(*USUAL).lines[-1] == "check passed: nothing found"


def test_the_relay_itself_has_both_ports(scene6, check):
    pid = scene6.relay_both().pid
    found = check(*USUAL, "10.9.0.2")
    assert found.status == 0
    assert [re.search(r"UDP port (\d+) is held by dhcp-relay \(process (\d+)\)", line).groups()
            for line in found.graver()] == [("67", str(pid)), ("547", str(pid))], found


def test_routes_take_a_capability(check, need):
    need("setpriv")
    flags = ("--client-link-layer-address", "no", "--routes", *USUAL)
    found = check(*flags, through=with_capabilities("net_bind_service"))
    assert found.named("capability_missing") == [
        "error: capability_missing: this user lacks CAP_NET_ADMIN, without which no route to a delegated prefix can be "
        "made; start as root; or do without them: leave out --routes"], found
    assert not check(*flags, through=with_capabilities("net_bind_service", "net_admin")).named("capability_missing")


def test_a_state_file_that_the_account_cannot_make(scene6, check):
    file = scene6.folder / "prefixes"
    flags = ("--routes", "--state-file", str(file), *USUAL)
    only(check(*flags),
         f"warning: state_unkept: delegated prefixes are not kept over a restart: no file can be made in the directory of "
         f"{file} by nobody, which the relay becomes; {_OTHER_STATE_FILE}", 0)
    os.chown(scene6.folder, relay.ACCOUNT.pw_uid, relay.ACCOUNT.pw_gid)
    assert not check(*flags).graver()
    assert not file.exists()


def test_a_state_file_whose_directory_cannot_be_made(check):
    only(check("--routes", "--state-file", "/nosuch/folder/prefixes", *USUAL),
         "warning: state_unkept: delegated prefixes are not kept over a restart: cannot make the directory "
         f"/nosuch/folder: No such file or directory; {_OTHER_STATE_FILE}", 0)


def test_a_state_file_whose_directory_is_made(scene6, check):
    folder = scene6.folder / "new"
    found = check("--user", "root", "--routes", "--state-file", f"{folder}/prefixes", *USUAL)
    assert found.status == 0, found
    assert found.named("state_directory_missing") == [
        f"note: state_directory_missing: the directory {folder} of --state-file does not exist, and the start makes it; "
        "correct the name if that is not meant"], found
    assert not folder.exists()


def test_a_state_file_that_is_a_symbolic_link(scene6, check):
    file = scene6.folder / "prefixes"
    file.symlink_to("/dev/null")
    only(check("--routes", "--state-file", str(file), *USUAL),
         f"warning: state_unkept: delegated prefixes are not kept over a restart: {file} is a symbolic link; "
         f"{_OTHER_STATE_FILE}", 0)


def test_a_state_file_that_cannot_be_read(scene6, check):
    file = scene6.folder / "prefixes"
    file.mkdir()
    only(check("--routes", "--state-file", str(file), *USUAL),
         f"warning: state_unkept: delegated prefixes are not kept over a restart: {file} is no regular file; "
         f"{_OTHER_STATE_FILE}", 0)


def test_a_host_that_forwards_nothing(check, router, tmp_path):
    """Where it is to make routes; it matters to nobody else."""
    router.sysctl("net.ipv6.conf.all.forwarding", 0)
    assert check(*USUAL).lines[-1] == "check passed: nothing found"
    flags = ("--user", "root", "--routes", "--state-file", str(tmp_path / "prefixes"), *USUAL)
    only(check(*flags),
         "warning: forwarding6_off: this host forwards no IPv6, so nothing reaches the hosts behind clients with a "
         "delegated prefix, whatever --routes does; set accept_ra to 2 where this host has its own addresses by router "
         "advertisements, then: sysctl -w net.ipv6.conf.all.forwarding=1", 0)
    fixed(check, router, *flags)


# --- interfaces ---------------------------------------------------------------------------------------------------------

def test_an_interface_that_does_not_exist(check):
    only(check("-l", "d7", *USUAL),
         "warning: interface_missing: interface d7 does not exist, so its clients are not served; correct the name (`ip "
         "link` lists them) or create it; the relay uses it as soon as it is there", 0)


def test_an_interface_without_ipv6(check, router):
    """Each advice is followed, until all is well."""
    router.sysctl("net.ipv6.conf.d2.disable_ipv6", 1)
    found = check(*USUAL)
    only(found, "error: ipv6_disabled: IPv6 is disabled on interface d2, so its DHCPv6 clients are not heard; enable it: "
                "sysctl -w net/ipv6/conf/d2/disable_ipv6=0", 2)
    follow_advice(router, found.graver()[0])
    found = check(*USUAL)
    only(found, "error: no_link_local: interface d2 has no link-local address that can be used, so no reply reaches its "
                "DHCPv6 clients; add one: ip address add fe80::1/64 dev d2; or have the kernel make one: sysctl -w "
                "net/ipv6/conf/d2/addr_gen_mode=0", 2)
    follow_advice(router, found.graver()[0])
    only(check(*USUAL),
         "warning: no_link_address: interface d2 has no global or unique-local address: link-address is ::, and "
         "Interface-Id alone tells DHCPv6 servers the clients' link; give it one of the clients' prefix: ip address add "
         "ADDRESS/PREFIX dev d2; or name one with --link-address; or see that servers choose the subnet by Interface-Id",
         0)
    assert check(*USUAL, "--link-address", "d2=2001:db8:102::1").lines[-1] == "check passed: nothing found"
    router.ip("addr add 2001:db8:102::1/64 dev d2 nodad")
    assert check(*USUAL).lines[-1] == "check passed: nothing found"


def test_what_is_said_of_link_local_addresses_is_so(scene6, router):
    """Without one, a client is heard and not answered."""
    router.ip(f"addr del {ROUTER_LINK_LOCAL}/64 dev d2")
    relay_ = scene6.relay6()
    asked = scene6.solicit(2)
    came = scene6.relayed6(asked)
    scene6.send_reply6(reply_to(came.message6, answer(asked)), destination=came.source)
    relay_.expect_log(rf"send_failed interface=d2 destination={CLIENT_LINK_LOCAL} ")
    router.ip(f"addr add {ROUTER_LINK_LOCAL}/64 dev d2 nodad")
    scene6.exchange6(2)


def test_a_unique_local_address_is_enough(check, router):
    router.ip("addr del 2001:db8:102::1/64 dev d2")
    assert check(*USUAL).lines[-1] == "check passed: nothing found"
    router.ip(f"addr del {unique_local('2001:db8:102::1')}/64 dev d2")
    assert check(*USUAL).named("no_link_address")


def test_an_interface_that_is_down(check, router):
    """What it lacks for that is not told."""
    router.ip("link set d2 down")
    only(check(*USUAL),
         "warning: interface_down: interface d2 is down, so its clients are not served; bring it up: ip link set d2 up", 0)


def test_an_mtu_that_is_too_small_for_ipv6(check, router):
    router.ip("link set d2 mtu 1279")
    found = check(*USUAL)
    only(found, "error: ipv6_mtu: interface d2 has an MTU of 1279, less than the 1280 octets that IPv6 takes (RFC 8200 "
                "section 5), so its DHCPv6 clients are not heard; raise it: ip link set d2 mtu 1500", 2)
    follow_advice(router, found.graver()[0])
    assert not check(*USUAL).named("ipv6_mtu")


def test_a_link_address_of_another_segment(check):
    only(check(*USUAL, "--link-address", "d2=2001:db8:101::77"),
         "warning: link_address_foreign: the link-address 2001:db8:101::77 of interface d2 is of another interface's "
         "prefix, from which DHCPv6 servers give its clients addresses; leave out --link-address, and it is the "
         "interface's own; or name one of the clients' prefix", 0)


def test_interfaces_that_cannot_be_told_apart(check):
    flags = (*USUAL, "-I", "--circuit-id", "all")
    assert not check(*flags).graver(), "by their link-addresses they can"
    found = check(*flags, "--link-address", "2001:db8:103::1")
    only(found, "error: shared_interface_id: interfaces d1, d2 have one Interface-Id and one link-address: DHCPv6 replies "
                "to their clients are dropped as interface_id_ambiguous; give each its own Interface-Id, such as with "
                "--circuit-id '%i'", 2)
    assert not check(*USUAL, "-I", "--circuit-id", "%i", "--link-address", "2001:db8:103::1").graver()


def test_an_interface_of_dhcpv4_alone(check):
    found = check(*INTERFACES, "10.9.0.2", "--server", f"d1={SERVER}")
    only(found, "error: interface_without_server: interface d2 has no DHCPv6 server, so its requests are dropped; name "
                "one: a SERVER for all interfaces, or --server IF=ADDR", 2)


# --- servers ------------------------------------------------------------------------------------------------------------

def test_no_route_to_a_server(check):
    only(check("-id", "d1", SERVER, "2001:db8:77::53"),
         "error: server_unreachable: there is no route to server 2001:db8:77::53: Network is unreachable; add one, such "
         "as: ip route add 2001:db8:77::53 via ROUTER; or bring up the interface that leads there", 2)


@pytest.mark.parametrize("kind", ["blackhole", "unreachable", "prohibit"])
def test_a_route_that_refuses(check, router, kind):
    router.ip(f"route add {kind} 2001:db8:77::53")
    only(check("-id", "d1", "2001:db8:77::53"),
         f"error: server_refused: the route to server 2001:db8:77::53 is of type {kind}; take it out, or add a better one, "
         f"such as: ip route add 2001:db8:77::53/128 via ROUTER; where it is: ip route show table all type {kind}, ip "
         "rule", 2)


def test_a_server_that_is_this_host(check):
    only(check("-id", "d1", "2001:db8:9::1"),
         "error: server_is_local: server 2001:db8:9::1 is an address of this host, where the relay itself has the port; "
         "name the server's own address; a server on this very host needs no relay", 2)


def test_a_group_on_an_interface_that_does_not_exist(check):
    only(check("-id", "d1", "ff05::1:3%u7", SERVER),
         "warning: server_interface_missing: interface u7, by which server ff05::1:3%u7 is reached, does not exist, so "
         "nothing is sent to that server; correct the name (`ip link` lists them) or create it; the relay uses it as soon "
         "as it is there", 0)


@pytest.mark.parametrize("server", ["ff05::1:3%d2", "2001:db8:102::53", "fe80::53%d2"])
def test_a_server_behind_a_downstream_interface(check, server):
    only(check("-id", "d1", "-id", "d2", server),
         f"error: server_downstream: server {server} is reached through d2, where replies are not accepted; name the "
         "interface with -i instead of -id if servers are there too, or correct the route", 2)
    assert check("-id", "d1", "-i", "d2", server).lines[-1] == "check passed: nothing found"


def test_a_server_that_is_not_behind_iu(check):
    only(check("-id", "d1", "-iu", "d2", SERVER),
         "error: server_beyond_upstream: server 2001:db8:9::2 is reached through u0, and replies are accepted on the "
         "interfaces of -iu, -u and -i alone; add -iu u0, or leave out -iu and -u: replies are then accepted wherever "
         "servers are", 2)


def test_a_router_to_the_server_that_does_not_answer(check, router):
    router.ip("route add 2001:db8:77::/64 via fe80::77 dev u0", "neigh add fe80::77 dev u0 nud failed")
    only(check("-id", "d1", "2001:db8:77::53"),
         "warning: server_not_answering: fe80::77%u0 on u0, the next hop to server 2001:db8:77::53, did not answer "
         "neighbour discovery; look whether it is on and in the same subnet and VLAN: ping fe80::77%u0", 0)


def test_a_source_address_that_this_host_does_not_hold(check):
    only(check(*USUAL, "--source-address", "2001:db8:9::77"),
         "error: source_missing: this host does not hold 2001:db8:9::77 of --source-address, so no request can be sent; "
         "add the address, or name one that `ip address` lists", 2)
    assert check(*USUAL, "--source-address", "2001:db8:9::1").named("server_reached") == [
        f"ok: server_reached: server {SERVER} is reached through u0, next hop {SERVER}, source 2001:db8:9::1"
        + UNSEEN.format(547)]


# --- the firewall -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("rule", ['iifname "d2" udp dport 547 counter drop', 'iifname "d2" ip6 daddr ff02::1:2 drop',
                                  'iifname "d2" ip6 saddr fe80::/10 meta l4proto udp drop',
                                  'iifname "d2" meta pkttype multicast drop'])
def test_a_rule_that_drops_requests(check, router, need, rule):
    need("nft")
    nft(router, rule)
    found = check(*USUAL)
    assert found.status == 2
    assert len(found.graver()) == 1, found
    assert re.fullmatch(r"error: firewall_drops_requests: the firewall's rule with handle \d+ of chain rules in table inet "
                        r"filter drops requests that arrive on d2; let them in: nft insert rule inet filter rules udp "
                        r"dport 547 accept", found.graver()[0])
    fixed(check, router, *USUAL)


@pytest.mark.parametrize("rule", ["ip saddr != 192.0.2.1 drop", "meta nfproto ipv4 drop", "udp dport 67 drop"])
def test_rules_that_say_nothing_of_dhcpv6(check, router, need, rule):
    need("nft")
    nft(router, rule)
    assert check(*USUAL).lines[-1] == "check passed: nothing found"


def test_what_is_said_of_the_firewall_is_so(scene6, router, need):
    """A rule about the group keeps clients from being heard."""
    need("nft")
    scene6.relay6()
    scene6.exchange6(1)
    nft(router, 'iifname "d2" ip6 daddr ff02::1:2 drop')
    asked = scene6.solicit(2)
    scene6.nothing6(arrived6(RELAY_FORWARD, xid=asked.xid))


def test_a_policy_that_drops_requests(check, router, need):
    need("nft")
    nft(router, "ct state established,related accept", "iif lo accept", "meta l4proto ipv6-icmp accept", policy="drop")
    only(check(*USUAL),
         "error: firewall_drops_requests: the firewall's policy of chain rules in table inet filter drops requests that "
         "arrive on d1, d2; let them in: nft insert rule inet filter rules udp dport 547 accept", 2)
    fixed(check, router, *USUAL)


def test_a_policy_of_ipv6_alone(check, router, need):
    need("nft")
    router.run(["nft", "add table ip6 t; add chain ip6 t c { type filter hook input priority 0; policy drop; }"])
    found = check(*USUAL, "10.9.0.2")
    assert {line.split(":")[1] for line in found.graver()} == {" firewall_drops_requests", " firewall_drops_replies"}
    fixed(check, router, *USUAL, "10.9.0.2")


@pytest.mark.parametrize("hook", ["output", "postrouting"])
def test_a_policy_that_drops_what_leaves(check, router, need, hook):
    need("nft")
    nft(router, policy="drop", hook=hook)
    assert not check(*USUAL).named("firewall_drops_delivered"), "frames pass it by"
    flags = (*USUAL, "--client-link-layer-address", "no")
    found = check(*flags)
    place = "the firewall's policy of chain rules in table inet filter"
    assert found.graver() == [
        f"error: firewall_drops_relayed: {place} drops what is relayed to servers through u0; let it out: nft insert rule "
        "inet filter rules udp dport 547 accept",
        f"error: firewall_drops_delivered: {place} drops what is delivered to DHCPv6 clients through d1, d2; let it out: "
        "nft insert rule inet filter rules udp dport 546 accept"], found
    for line in found.graver():
        follow_advice(router, line)
    assert check(*flags).lines[-1] == "check passed: nothing found"


def test_what_is_said_of_frames_is_so(scene6, router, need):
    """A rule about what is sent to clients keeps no answer from them, but where the kernel makes the frames."""
    need("nft")
    nft(router, "udp dport 546 drop", hook="output")
    relay_ = scene6.relay6()
    scene6.exchange6(2)
    relay_.stop()
    relay_ = scene6.relay6("--client-link-layer-address", "no")
    asked = scene6.solicit(2)
    came = scene6.relayed6(asked)
    scene6.send_reply6(reply_to(came.message6, answer(asked)), destination=came.source)
    relay_.expect_log(rf"send_failed interface=d2 destination={CLIENT_LINK_LOCAL} ")


def test_a_policy_that_drops_the_answers_of_a_group(check, router, need):
    """Connection tracking knows what one server answers, and not who answers in a group."""
    need("nft")
    nft(router, "ct state established accept", 'iifname "d*" udp dport 547 accept', policy="drop")
    assert not check(*USUAL).graver()
    only(check("-id", "d1", "-u", "u0"),
         "error: firewall_drops_replies: the firewall's policy of chain rules in table inet filter drops replies that "
         "arrive on u0; let them in: nft insert rule inet filter rules udp dport 547 accept", 2)


# --- where the relay is not the first one -------------------------------------------------------------------------------

def test_the_inner_router_of_a_chain(make_scene6):
    """It is told to trust the interface where the other relay agent is."""
    router = make_scene6(Chain6).topology.router
    flags = ("-id", "d0", "-iu", "u0", SERVER)
    assert run_check(router, *flags).named("relay_agents_untrusted")
    assert not run_check(router, "--trust", "d0", *flags).named("relay_agents_untrusted")
