#include "relay/check/finding.h"

#include <algorithm>

namespace relay::check {

namespace {

struct Entry {
  FindingKind kind;
  FindingText text;
};

using enum Severity;

constexpr std::array<Entry, finding_kind_count> entries{{
    // the start
    {FindingKind::flag_without_effect,
     {warning, "flag_without_effect", "{subject}", "leave it out, or add what it needs"}},
    {FindingKind::relay_port_of_clients,
     {warning, "relay_port_of_clients",
      "the port {number} of -rp is that of clients: a client on this host and the relay cannot both listen there, and "
      "what is broadcast to clients is dropped as a reply",
      "give -rp another port, such as one above 1023"}},
    {FindingKind::server_unresolved,
     {error, "server_unresolved", "{subject}",
      "correct the name, give the server's address instead, or repair name resolution (/etc/resolv.conf, /etc/hosts)"}},
    {FindingKind::file_unwritable,
     {error, "file_unwritable", "{subject} cannot be written: {other}",
      "name another file, or give this user the right to write it"}},
    {FindingKind::metrics_unservable,
     {error, "metrics_unservable", "{subject}", "give --metrics another address or port, or leave it out"}},
    {FindingKind::log_unheard,
     {warning, "log_unheard", "{subject}, so all that the relay logs is lost",
      "start one (rsyslogd, syslogd, systemd-journald), or have the relay log to standard error: -d"}},
    {FindingKind::file_unreadable,
     {warning, "file_unreadable", "{subject} cannot be read by {other}, so SIGHUP will change nothing",
      "give that account the right to read it and to pass the directories above it, which `namei -l {subject}` lists; "
      "or name another account with --user"}},
    {FindingKind::capture_in_one_file,
     {warning, "capture_in_one_file",
      "the capture stays in {subject}, which gets as large as all its files together and is then begun anew: no others "
      "can be made beside it by {other}",
      "name a file in a directory of that account, or want no more than this one: --capture-files 1"}},
    {FindingKind::state_unkept,
     {warning, "state_unkept", "delegated prefixes are not kept over a restart: {subject}",
      "name another --state-file, in a directory where the account of --user may make files"}},
    {FindingKind::state_directory_missing,
     {note, "state_directory_missing", "the directory {subject} of --state-file does not exist, and the start makes it",
      "correct the name if that is not meant"}},
    {FindingKind::account_out_of_reach,
     {error, "account_out_of_reach", "{subject}",
      "let it have this capability (in a container: --cap-add), or start it as an account that has CAP_NET_RAW and "
      "CAP_NET_BIND_SERVICE alone"}},
    {FindingKind::capability_missing,
     {error, "capability_missing", "this user lacks {subject}, without which {other}", "{command}"}},
    {FindingKind::port_taken,
     {error, "port_taken", "UDP port {number} is held by {subject}, so the relay cannot listen there", "{command}"}},
    {FindingKind::port_taken_by_relay,
     {warning, "port_taken_by_relay",
      "UDP port {number} is held by {subject}: a relay runs here, and a second one "
      "would not start",
      "{command}"}},
    {FindingKind::ipv6_missing,
     {error, "ipv6_missing", "this kernel runs without IPv6, and there are DHCPv6 servers",
      "start the kernel without ipv6.disable=1 (or: modprobe ipv6); or relay DHCPv4 alone: --ipv4-only"}},
    // interfaces
    {FindingKind::interface_missing,
     {warning, "interface_missing",
      "interface{|s} {subject} {does|do} not exist, so {its|their} clients are not served",
      "correct the name (`ip link` lists them) or create it; the relay uses it as soon as it is there"}},
    {FindingKind::pattern_unmatched,
     {warning, "pattern_unmatched", "no interface has a name that matches {subject}, so no clients are served by it",
      "correct the pattern (`ip link` lists the names) or create them; the relay uses them as soon as they are there"}},
    {FindingKind::upstream_missing,
     {warning, "upstream_missing", "interface{|s} {subject}, named for replies, {does|do} not exist",
      "correct the name (`ip link` lists them), or leave out -iu or -u: replies are then accepted wherever servers "
      "are"}},
    {FindingKind::giaddr_interface_missing,
     {error, "giaddr_interface_missing",
      "interface {subject} of -U does not exist or has no IPv4 address but 127.0.0.0/8, so there is "
      "no giaddr",
      "give it one: ip address add ADDRESS/32 dev {subject}"}},
    {FindingKind::interface_down,
     {warning, "interface_down", "interface{|s} {subject} {is|are} down, so {its|their} clients are not served",
      "bring it up: ip link set {subject} up"}},
    {FindingKind::upstream_down,
     {warning, "upstream_down", "interface{|s} {subject}, named for replies, {is|are} down",
      "bring it up: ip link set {subject} up"}},
    {FindingKind::no_carrier,
     {warning, "no_carrier", "interface{|s} {subject} {has|have} no carrier",
      "look at the cable, the switch port, or what the interface is made of"}},
    {FindingKind::no_address,
     {error, "no_address",
      "interface{|s} {subject} {has|have} no IPv4 address to be giaddr, so {its|their} requests are dropped",
      "give it one of the clients' subnet: ip address add ADDRESS/PREFIX dev {subject}; or name one with --giaddr or "
      "-U"}},
    {FindingKind::giaddr_passive,
     {warning, "giaddr_passive",
      "interface{|s} {subject} {is|are} passive: this host does not hold {its|their} giaddr {address}",
      "this is as it should be where another router holds the address at the moment (VRRP); else add it, or correct "
      "--giaddr"}},
    {FindingKind::giaddr_foreign,
     {warning, "giaddr_foreign",
      "the giaddr {address} of interface{|s} {subject} is of another segment, and without option 82 nothing tells the "
      "server the clients' subnet",
      "add -a: sub-option 5 of option 82 then says it; or leave out --giaddr and -U, and giaddr is the interface's own "
      "address"}},
    {FindingKind::interface_without_server,
     {error, "interface_without_server",
      "interface{|s} {subject} {has|have} no {other}, so {its|their} requests are dropped",
      "name one: a SERVER for all interfaces, or --server IF=ADDR{command}"}},
    {FindingKind::port_of_bridge,
     {error, "port_of_bridge",
      "interface{|s} {subject} {is a port|are ports} of {other}, which takes what arrives on {it|them}",
      "name {other} instead, and give it the address"}},
    {FindingKind::port_of_vrf,
     {error, "port_of_vrf", "interface{|s} {subject} {is|are} in VRF {other}, from which the relay hears nothing",
      "let its sockets hear VRFs: sysctl -w net.ipv4.udp_l3mdev_accept=1"}},
    {FindingKind::routes_beside_vrf,
     {warning, "routes_beside_vrf",
      "interface{|s} {subject} {is|are} in VRF {other}, whose table gets no routes to delegated prefixes: --routes "
      "makes them in the main table",
      "where packets to such prefixes come by this VRF, have its table lead on to the main one, or leave out --routes "
      "and route what --log-prefixes tells"}},
    {FindingKind::loopback_downstream,
     {warning, "loopback_downstream",
      "interface{|s} {subject} {is|are} named for clients, and no client can be on a loopback",
      "leave it out; the loopback's address as giaddr takes -U {subject}"}},
    {FindingKind::not_ethernet,
     {warning, "not_ethernet",
      "interface{|s} {subject} {is|are} no Ethernet: a reply to a client without an address cannot be "
      "put into a frame, and is routed",
      "see that a client gets its lease; where not, --reply-delivery {subject}=broadcast may help"}},
    {FindingKind::both_sides,
     {warning, "both_sides", "interface{|s} {subject} {is|are} named for clients and for servers by different flags",
      "if both are meant, say -i {subject}; else take it out of one of them"}},
    {FindingKind::shared_giaddr,
     {warning, "shared_giaddr",
      "interfaces {subject} share the giaddr {address}: a reply finds its way by the "
      "remembered request alone",
      "add -a, so that option 82 tells the segments apart"}},
    {FindingKind::shared_subnet,
     {warning, "shared_subnet",
      "interfaces {subject} share the subnet {address}{other}: the kernel reaches the clients of one "
      "of them only",
      "join them in a bridge, or give each a subnet of its own"}},
    {FindingKind::interface_mtu,
     {warning, "interface_mtu",
      "interface{|s} {subject} {has|have} an MTU of {number}, less than the {limit} octets of a DHCP "
      "message that every client has to take (RFC 2131 section 2)",
      "raise it: ip link set {subject} mtu 1500"}},
    {FindingKind::ipv6_disabled,
     {error, "ipv6_disabled",
      "IPv6 is disabled on interface{|s} {subject}, so {its|their} DHCPv6 clients are not heard",
      "enable it: sysctl -w net/ipv6/conf/{subject}/disable_ipv6=0"}},
    {FindingKind::ipv6_mtu,
     {error, "ipv6_mtu",
      "interface{|s} {subject} {has|have} an MTU of {number}, less than the {limit} octets that IPv6 takes (RFC 8200 "
      "section 5), so {its|their} DHCPv6 clients are not heard",
      "raise it: ip link set {subject} mtu 1500"}},
    {FindingKind::no_link_local,
     {error, "no_link_local",
      "interface{|s} {subject} {has|have} no link-local address that can be used, so no reply reaches {its|their} "
      "DHCPv6 "
      "clients",
      "add one: ip address add fe80::1/64 dev {subject}; or have the kernel make one: sysctl -w "
      "net/ipv6/conf/{subject}/addr_gen_mode=0"}},
    {FindingKind::no_link_address,
     {warning, "no_link_address",
      "interface{|s} {subject} {has|have} no global or unique-local address: link-address is ::, and Interface-Id "
      "alone "
      "tells DHCPv6 servers the clients' link",
      "give it one of the clients' prefix: ip address add ADDRESS/PREFIX dev {subject}; or name one with "
      "--link-address; "
      "or see that servers choose the subnet by Interface-Id"}},
    {FindingKind::link_address_foreign,
     {warning, "link_address_foreign",
      "the link-address {address} of interface{|s} {subject} is of another interface's prefix, from which DHCPv6 "
      "servers "
      "give {its|their} clients addresses",
      "leave out --link-address, and it is the interface's own; or name one of the clients' prefix"}},
    {FindingKind::shared_interface_id,
     {error, "shared_interface_id",
      "interfaces {subject} have one Interface-Id and one link-address: DHCPv6 replies to their clients are dropped as "
      "interface_id_ambiguous",
      "give each its own Interface-Id, such as with --circuit-id '%i'"}},
    {FindingKind::nothing_served, {error, "nothing_served", "no interface serves clients{other}", "{command}"}},
    // servers
    {FindingKind::server_interface_missing,
     {warning, "server_interface_missing",
      "interface {subject}, by which server {address} is reached, does not exist, so nothing is sent to that server",
      "correct the name (`ip link` lists them) or create it; the relay uses it as soon as it is there"}},
    {FindingKind::server_unreachable,
     {error, "server_unreachable", "there is no route to server {address}: {other}",
      "add one, such as: ip route add {address} via ROUTER; or bring up the interface that leads there"}},
    {FindingKind::server_refused,
     {error, "server_refused", "the route to server {address} is of type {other}",
      "take it out, or add a better one, such as: ip route add {address}/{number} via ROUTER; where it is: ip route "
      "show "
      "table all type {other}, ip rule"}},
    {FindingKind::server_is_local,
     {error, "server_is_local", "server {address} is an address of this host, where the relay itself has the port",
      "name the server's own address; a server on this very host needs no relay"}},
    {FindingKind::server_is_broadcast,
     {error, "server_is_broadcast",
      "server {address} is a broadcast address: replies come from other addresses, and are dropped as server_unknown",
      "name the servers' own addresses, or add --reply-from any; where the log tells of giaddr_own, that is this "
      "relay's own broadcast come back, and no loop"}},
    {FindingKind::server_downstream,
     {error, "server_downstream", "server {address} is reached through {subject}, where replies are not accepted",
      "name the interface with -i instead of -id if servers are there too, or correct the route"}},
    {FindingKind::server_beyond_upstream,
     {error, "server_beyond_upstream",
      "server {address} is reached through {subject}, and replies are accepted on the "
      "interfaces of {other} alone",
      "add -iu {subject}, or leave out {command}: replies are then accepted wherever servers are"}},
    {FindingKind::server_not_answering,
     {warning, "server_not_answering",
      "{next_hop} on {subject}, the next hop to server {address}, did not answer {other}",
      "look whether it is on and in the same subnet and VLAN: ping {next_hop}"}},
    {FindingKind::no_server_reached,
     {error, "no_server_reached",
      "no {other}server can be reached, for what {subject} {tells|tell}, so no client is served",
      "follow the advice there for one of the servers at least"}},
    {FindingKind::source_missing,
     {error, "source_missing", "this host does not hold {address} of --source-address, so no request can be sent",
      "add the address, or name one that `ip address` lists"}},
    {FindingKind::route_mtu,
     {warning, "route_mtu",
      "the MTU towards server {address} is {number}, and a request of 576 octets with option 82 "
      "may have {limit}: it would go without option 82, or in fragments",
      "raise the MTU of the route or its interface, or shorten the values of option 82"}},
    // settings of the kernel
    {FindingKind::rp_filter_strict,
     {warning, "rp_filter_strict",
      "rp_filter is strict on {subject}: requests from 0.0.0.0 and from the interface's "
      "subnet pass, those from link-local or foreign addresses are lost, such as of a "
      "client that has moved here and asks for its old lease",
      "if such clients exist: sysctl -w net/ipv4/conf/{subject}/rp_filter=0 net/ipv4/conf/all/rp_filter=0"}},
    {FindingKind::rp_filter_no_address,
     {warning, "rp_filter_no_address",
      "rp_filter is on for {subject}, which {has|have} no IPv4 address: requests of clients "
      "that have one are lost, so no lease is renewed through the relay",
      "turn it off: sysctl -w net/ipv4/conf/{subject}/rp_filter=0 net/ipv4/conf/all/rp_filter=0"}},
    {FindingKind::rp_filter_upstream,
     {warning, "rp_filter_upstream",
      "rp_filter is strict on {subject}, and the route to no server leaves there: "
      "replies that arrive there are lost",
      "make it loose: sysctl -w net/ipv4/conf/{subject}/rp_filter=2"}},
    {FindingKind::forwarding_off,
     {warning, "forwarding_off",
      "this host does not forward IPv4 from {subject}: clients renew by unicast to the "
      "server, which needs a router",
      "if this host is their router: sysctl -w {command}=1; else --server-id-override has them renew through "
      "the relay"}},
    {FindingKind::forwarding6_off,
     {warning, "forwarding6_off",
      "this host forwards no IPv6, so nothing reaches the hosts behind clients with a delegated prefix, whatever "
      "--routes does",
      "set accept_ra to 2 where this host has its own addresses by router advertisements, then: sysctl -w "
      "net.ipv6.conf.all.forwarding=1"}},
    {FindingKind::broadcast_forwarding,
     {warning, "broadcast_forwarding",
      "bc_forwarding is on for {subject}: broadcasts to the subnet are forwarded and "
      "the relay does not get them",
      "turn it off: sysctl -w net/ipv4/conf/{subject}/bc_forwarding=0"}},
    {FindingKind::neighbours_many,
     {warning, "neighbours_many",
      "there is room for {number} clients, and the kernel knows at most {limit} neighbours: "
      "beyond that, replies to clients that have an address are lost",
      "raise it, on the host itself and not in a network namespace of its own, which does not have these settings: "
      "{command}"}},
    {FindingKind::neighbours_full,
     {warning, "neighbours_full",
      "the kernel has {number} of at most {limit} neighbours: when it is full, replies to "
      "clients that have an address are lost",
      "raise it, on the host itself and not in a network namespace of its own, which does not have these settings: "
      "{command}"}},
    {FindingKind::neighbours6_full,
     {warning, "neighbours6_full",
      "the kernel has {number} of at most {limit} IPv6 neighbours: when it is full, this host reaches no others",
      "raise it, on the host itself and not in a network namespace of its own, which does not have these settings: "
      "{command}"}},
    {FindingKind::receive_buffer,
     {warning, "receive_buffer",
      "without CAP_NET_ADMIN the receive buffer has {number} octets instead of {limit}, so "
      "that a burst of requests is lost sooner",
      "raise it: sysctl -w net.core.rmem_max={limit}; or start with CAP_NET_ADMIN"}},
    // firewall
    {FindingKind::firewall_drops_requests,
     {error, "firewall_drops_requests", "{other} drops requests that arrive on {subject}", "let them in: {command}"}},
    {FindingKind::firewall_drops_rebinding,
     {warning, "firewall_drops_rebinding",
      "{other} drops requests from clients that have an address, which arrive on {subject}: a lease that its server "
      "does not extend by unicast is lost",
      "let them in: {command}"}},
    {FindingKind::firewall_drops_replies,
     {error, "firewall_drops_replies", "{other} drops replies that arrive on {subject}", "let them in: {command}"}},
    {FindingKind::firewall_drops_relayed,
     {error, "firewall_drops_relayed", "{other} drops what is relayed to servers through {subject}",
      "let it out: {command}"}},
    {FindingKind::firewall_drops_delivered,
     {error, "firewall_drops_delivered", "{other} drops what is delivered to DHCPv6 clients through {subject}",
      "let it out: {command}"}},
    {FindingKind::firewall_may_drop,
     {warning, "firewall_may_drop",
      "{other} may drop messages of DHCP on {subject}: it has conditions that cannot be "
      "judged here",
      "look at it: {command}"}},
    {FindingKind::firewall_legacy,
     {warning, "firewall_legacy", "legacy {other} has the table{|s} {subject}, of which no rule is read here",
      "see that none drops UDP to port {number}: {other}-legacy-save"}},
    // what could not be looked at
    {FindingKind::firewall_ingress,
     {note, "firewall_ingress", "there are chains that see frames before IP does, which are not judged here: {subject}",
      "see that none drops UDP to port {other}: nft -a list ruleset"}},
    {FindingKind::firewall_unread,
     {note, "firewall_unread", "the firewall's rules could not be read: {subject}",
      "see that none drops UDP to port {other}, or repeat this as root where nft is installed"}},
    {FindingKind::port_holders_unread,
     {note, "port_holders_unread", "who holds UDP ports could not be read: {subject}",
      "look yourself: ss -lunp {command}"}},
    {FindingKind::relay_agents_untrusted,
     {note, "relay_agents_untrusted",
      "whether other relay agents are behind interface{|s} {subject} is not known, and Relay-forward from there is "
      "dropped as relay_forward_untrusted",
      "where there are: --trust {subject}"}},
    // what is well
    {FindingKind::interface_serves,
     {ok, "interface_serves", "interface{|s} {subject} {is|are} up, with {other} and a server", ""}},
    {FindingKind::server_reached,
     {ok, "server_reached",
      "server {address} is reached through {subject}, next hop {next_hop}, source {source}; whether a DHCP server runs "
      "there and listens on UDP port {number} cannot be seen from here",
      ""}},
}};

}  // namespace

const FindingText& text(FindingKind kind) noexcept {
  return entries[static_cast<std::size_t>(kind)].text;
}

Severity severity_of(const Finding& finding) noexcept {
  return std::min(text(finding.kind).severity, finding.most);
}

const std::array<FindingKind, finding_kind_count>& all_finding_kinds() noexcept {
  static constexpr auto kinds = [] {
    std::array<FindingKind, finding_kind_count> result{};
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = entries[i].kind;
    }
    return result;
  }();
  return kinds;
}

}  // namespace relay::check
