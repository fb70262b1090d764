// What DHCPv6 asks of a host, alone and beside DHCPv4.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/check/judgement.h"
#include "relay/log/finding_text.h"

namespace relay::check {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr Ipv6Address link_local{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

/// 2001:db8:SUBNET::HOST.
constexpr Ipv6Address global(std::uint8_t subnet, std::uint8_t host) {
  return {{0x20, 0x01, 0x0d, 0xb8, 0, subnet, 0, 0, 0, 0, 0, 0, 0, 0, 0, host}};
}

InterfaceFacts downstream(const std::string& name, std::uint8_t subnet) {
  InterfaceFacts facts;
  facts.name = name;
  facts.v6.is_downstream = true;
  facts.v6.is_trusted = true;
  facts.v6.addresses = {{link_local, 64}, {global(subnet, 1), 64}};
  facts.v6.link_address = global(subnet, 1);
  facts.v6.interface_id.assign(name.begin(), name.end());
  return facts;
}

InterfaceFacts upstream(const std::string& name) {
  InterfaceFacts facts;
  facts.name = name;
  facts.v6.is_upstream = true;
  facts.v6.addresses = {{link_local, 64}, {global(9, 1), 64}};
  return facts;
}

/// One segment, one server behind u0, and nothing that is wrong.
Facts well() {
  Facts facts;
  facts.families = {.ipv6 = true};
  facts.roles = {{"d1", {.lower = true}}, {"u0", {.upper = true}}};
  facts.policy6.upstream_named = true;
  facts.interfaces = {downstream("d1", 1), upstream("u0")};
  facts.servers = {{.address = global(9, 2), .egress = "u0", .mtu = 1500}};
  facts.neighbours6 = {10, 1024};
  return facts;
}

/// The same with DHCPv4 beside it.
Facts well_in_both() {
  Facts facts = well();
  facts.families = {.ipv4 = true, .ipv6 = true};
  facts.roles = {{"d1", {.downstream = true}}, {"u0", {.upstream = true}}};
  facts.policy.upstream_named = true;
  InterfaceFacts& d1 = facts.interfaces[0];
  d1.is_downstream = true;
  d1.giaddr = Ipv4Address{{10, 101, 0, 1}};
  d1.addresses = {{*d1.giaddr, 24}};
  facts.interfaces[1].is_upstream = true;
  facts.servers.push_back({.address = Ipv4Address{{10, 9, 0, 2}}, .egress = "u0", .mtu = 1500});
  facts.neighbours = {10, 1024};
  return facts;
}

InterfaceFacts& d1(Facts& facts) {
  return facts.interfaces[0];
}

std::vector<std::string> all_lines(const Facts& facts) {
  std::vector<std::string> lines;
  for (const Finding& finding : judge(facts)) {
    lines.push_back(finding_line(finding, LogFormat::text));
  }
  return lines;
}

/// Without what is well.
std::vector<std::string> lines(const Facts& facts) {
  std::vector<std::string> lines = all_lines(facts);
  std::erase_if(lines, [](const std::string& line) { return line.starts_with("ok: "); });
  return lines;
}

Chain chain_of(const std::string& family, const std::string& hook, bool drops_by_policy, std::vector<Rule> rules = {}) {
  return {family, "filter", hook, hook, 0, drops_by_policy, std::move(rules)};
}

Rule on_port(std::uint16_t port, RuleVerdict verdict) {
  return {{{PacketField::destination_port, false, {{{}, port, port}}}}, verdict, {}, 7};
}

TEST(Judgement6, WhatIsWellIsSaid) {
  EXPECT_THAT(all_lines(well()),
              ElementsAre("ok: interface_serves: interface d1 is up, with a link-address and a server",
                          "ok: server_reached: server 2001:db8:9::2 is reached through u0, next hop 2001:db8:9::2, "
                          "source that of the clients' link; whether a DHCP server runs there and listens on UDP port "
                          "547 cannot be seen from here"));
}

TEST(Judgement6, WhatIsWellInBothFamiliesIsSaidOfEach) {
  EXPECT_THAT(
      all_lines(well_in_both()),
      ElementsAre("ok: interface_serves: interface d1 is up, with a giaddr and a server",
                  "ok: interface_serves: interface d1 is up, with a link-address and a server",
                  "ok: server_reached: server 2001:db8:9::2 is reached through u0, next hop 2001:db8:9::2, "
                  "source that of the clients' link; whether a DHCP server runs there and listens on UDP port 547 "
                  "cannot be seen from here",
                  "ok: server_reached: server 10.9.0.2 is reached through u0, next hop 10.9.0.2, source giaddr; "
                  "whether a DHCP server runs there and listens on UDP port 67 cannot be seen from here"));
}

// --- the start
// ----------------------------------------------------------------------------------------------------------

TEST(Judgement6, CapabilityMissing) {
  Facts facts = well();
  facts.lacks_net_raw = true;
  facts.lacks_bind_service = true;
  EXPECT_THAT(
      lines(facts),
      ElementsAre(
          "error: capability_missing: this user lacks CAP_NET_RAW, without which no packet socket can be opened "
          "to see the hardware addresses of clients, and to answer them there; start as root, or with "
          "AmbientCapabilities=CAP_NET_RAW CAP_NET_BIND_SERVICE in the systemd unit; or do without them: "
          "--client-link-layer-address no",
          "error: capability_missing: this user lacks CAP_NET_BIND_SERVICE, without which the relay cannot "
          "listen on UDP port 547; start as root, or with AmbientCapabilities=CAP_NET_RAW CAP_NET_BIND_SERVICE "
          "in the systemd unit"));
  facts.policy6.client_link_layer_address = false;
  facts.lacks_bind_service = false;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement6, RoutesTakeACapability) {
  Facts facts = well();
  facts.lacks_net_admin = true;
  EXPECT_THAT(lines(facts),
              ElementsAre("error: capability_missing: this user lacks CAP_NET_ADMIN, without which no route to a "
                          "delegated prefix can be made; start as root; or do without them: leave out --routes"));
}

TEST(Judgement6, Forwarding6Off) {
  Facts facts = well();
  facts.forwards_ipv6 = false;
  EXPECT_THAT(lines(facts), IsEmpty()) << "of clients alone, which reach their servers through the relay";
  facts.makes_routes = true;
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: forwarding6_off: this host forwards no IPv6, so nothing reaches the hosts behind "
                          "clients with a delegated prefix, whatever --routes does; set accept_ra to 2 where this host "
                          "has its own addresses by router advertisements, then: sysctl -w "
                          "net.ipv6.conf.all.forwarding=1"));
  facts.forwards_ipv6 = true;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement6, RoutesBesideVrf) {
  Facts facts = well();
  facts.hears_vrfs = true;
  d1(facts).master_kind = MasterKind::vrf;
  d1(facts).master = "red";
  EXPECT_THAT(lines(facts), IsEmpty());
  facts.makes_routes = true;
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: routes_beside_vrf: interface d1 is in VRF red, whose table gets no routes to "
                          "delegated prefixes: --routes makes them in the main table; where packets to such prefixes "
                          "come by this VRF, have its table lead on to the main one, or leave out --routes and route "
                          "what --log-prefixes tells"));
}

TEST(Judgement6, StateUnkept) {
  Facts facts = well();
  facts.account = "nobody";
  facts.unkept_state = "/var/lib/dhcp-relay/prefixes";
  EXPECT_THAT(
      lines(facts),
      ElementsAre("warning: state_unkept: delegated prefixes are not kept over a restart: no file can be made in the "
                  "directory of /var/lib/dhcp-relay/prefixes by nobody, which the relay becomes; name another "
                  "--state-file, in a directory where the account of --user may make files"));
  facts = well();
  facts.state_fault = "/x is too large";
  EXPECT_THAT(
      lines(facts),
      ElementsAre("warning: state_unkept: delegated prefixes are not kept over a restart: /x is too large; name "
                  "another --state-file, in a directory where the account of --user may make files"));
}

TEST(Judgement6, PortsOfBothFamiliesAreNamed) {
  Facts facts = well_in_both();
  facts.lacks_bind_service = true;
  facts.port_holders_fault = "Operation not permitted";
  EXPECT_THAT(
      lines(facts),
      ElementsAre("error: capability_missing: this user lacks CAP_NET_BIND_SERVICE, without which the relay cannot "
                  "listen on UDP port 67 or 547; start as root, or with AmbientCapabilities=CAP_NET_RAW "
                  "CAP_NET_BIND_SERVICE in the systemd unit",
                  "note: port_holders_unread: who holds UDP ports could not be read: Operation not permitted; look "
                  "yourself: ss -lunp sport = :67 or sport = :547"));
}

TEST(Judgement6, PortTakenByAServer) {
  Facts facts = well();
  facts.port_holders = {{547, "kea-dhcp6", 4711, 0}};
  EXPECT_THAT(lines(facts), ElementsAre("error: port_taken: UDP port 547 is held by kea-dhcp6 (process 4711), so the "
                                        "relay cannot listen there; a host relays or serves: systemctl disable --now "
                                        "kea-dhcp6-server"));
}

TEST(Judgement6, Ipv6Missing) {
  Facts facts = well();
  facts.lacks_ipv6 = true;
  EXPECT_THAT(lines(facts),
              ElementsAre("error: ipv6_missing: this kernel runs without IPv6, and there are DHCPv6 "
                          "servers; start the kernel without ipv6.disable=1 (or: modprobe ipv6); or relay "
                          "DHCPv4 alone: --ipv4-only"));
}

// --- interfaces
// ---------------------------------------------------------------------------------------------------------

TEST(Judgement6, NamesThatNoInterfaceHas) {
  Facts facts = well();
  facts.roles.insert(facts.roles.end(), {{"d7", {.lower = true}}, {"u7", {.upper = true}}});
  facts.unmatched = {"d7", "u7"};
  EXPECT_THAT(lines(facts), ElementsAre(StartsWith("warning: interface_missing: interface d7 does not exist"),
                                        StartsWith("warning: upstream_missing: interface u7, named for replies, does "
                                                   "not exist")));
}

TEST(Judgement6, Ipv6Disabled) {
  Facts facts = well();
  d1(facts).v6.is_disabled = true;
  d1(facts).v6.addresses.clear();
  EXPECT_THAT(lines(facts), ElementsAre("error: ipv6_disabled: IPv6 is disabled on interface d1, so its DHCPv6 clients "
                                        "are not heard; enable it: sysctl -w net/ipv6/conf/d1/disable_ipv6=0"));
}

TEST(Judgement6, Ipv6Mtu) {
  Facts facts = well();
  d1(facts).mtu = 1279;
  d1(facts).v6.addresses.clear();
  EXPECT_THAT(lines(facts), ElementsAre("error: ipv6_mtu: interface d1 has an MTU of 1279, less than the 1280 octets "
                                        "that IPv6 takes (RFC 8200 section 5), so its DHCPv6 clients are not heard; "
                                        "raise it: ip link set d1 mtu 1500"));
}

TEST(Judgement6, NoLinkLocal) {
  Facts facts = well();
  d1(facts).v6.addresses = {{global(1, 1), 64}};
  EXPECT_THAT(lines(facts),
              ElementsAre("error: no_link_local: interface d1 has no link-local address that can be used, so no reply "
                          "reaches its DHCPv6 clients; add one: ip address add fe80::1/64 dev d1; or have the kernel "
                          "make one: sysctl -w net/ipv6/conf/d1/addr_gen_mode=0"));
}

TEST(Judgement6, AnInterfaceThatIsDownLacksItsAddressesForThat) {
  Facts facts = well();
  facts.interfaces.push_back(downstream("d2", 2));
  d1(facts).v6.addresses.clear();
  d1(facts).v6.link_address = {};
  d1(facts).is_up = false;
  EXPECT_THAT(lines(facts), ElementsAre(StartsWith("warning: interface_down: interface d1 is down")));
  d1(facts).is_up = true;
  d1(facts).has_carrier = false;
  EXPECT_THAT(lines(facts), ElementsAre(StartsWith("warning: no_carrier: interface d1 has no carrier")));
}

TEST(Judgement6, NoLinkAddress) {
  Facts facts = well();
  d1(facts).v6.addresses = {{link_local, 64}};
  d1(facts).v6.link_address = {};
  EXPECT_THAT(
      lines(facts),
      ElementsAre("warning: no_link_address: interface d1 has no global or unique-local address: link-address is ::, "
                  "and Interface-Id alone tells DHCPv6 servers the clients' link; give it one of the clients' prefix: "
                  "ip address add ADDRESS/PREFIX dev d1; or name one with --link-address; or see that servers choose "
                  "the subnet by Interface-Id"));
  EXPECT_THAT(all_lines(facts),
              Contains("ok: interface_serves: interface d1 is up, with an Interface-Id and a server"));
}

TEST(Judgement6, LinkAddressForeign) {
  Facts facts = well();
  facts.interfaces.push_back(downstream("d2", 2));
  d1(facts).v6.link_address = global(2, 77);
  EXPECT_THAT(
      lines(facts),
      ElementsAre("warning: link_address_foreign: the link-address 2001:db8:2::4d of interface d1 is of another "
                  "interface's prefix, from which DHCPv6 servers give its clients addresses; leave out "
                  "--link-address, and it is the interface's own; or name one of the clients' prefix"));
  d1(facts).v6.link_address = global(3, 1);
  EXPECT_THAT(lines(facts), IsEmpty()) << "of a link that is not known";
  d1(facts).v6.link_address = global(2, 1);
  d1(facts).v6.addresses = {{link_local, 64}};
  EXPECT_THAT(lines(facts), IsEmpty()) << "without a prefix of its own it may share one";
}

TEST(Judgement6, SharedInterfaceId) {
  Facts facts = well();
  facts.interfaces.push_back(downstream("d2", 2));
  facts.interfaces.back().v6.interface_id = d1(facts).v6.interface_id;
  EXPECT_THAT(lines(facts), IsEmpty()) << "link-address tells which";
  facts.interfaces.back().v6.link_address = d1(facts).v6.link_address;
  facts.interfaces.back().v6.addresses = d1(facts).v6.addresses;
  EXPECT_THAT(lines(facts),
              ElementsAre("error: shared_interface_id: interfaces d1, d2 have one Interface-Id and one link-address: "
                          "DHCPv6 replies to their clients are dropped as interface_id_ambiguous; give each its own "
                          "Interface-Id, such as with --circuit-id '%i'"));
  d1(facts).is_named = false;
  EXPECT_THAT(lines(facts), ElementsAre(StartsWith("warning: shared_interface_id: ")));
}

TEST(Judgement6, InterfaceWithoutServer) {
  Facts facts = well_in_both();
  d1(facts).v6.has_server = false;
  EXPECT_THAT(lines(facts), ElementsAre("error: interface_without_server: interface d1 has no DHCPv6 server, so its "
                                        "requests are dropped; name one: a SERVER for all interfaces, or --server "
                                        "IF=ADDR"));
  d1(facts).v6.has_server = true;
  d1(facts).has_server = false;
  EXPECT_THAT(lines(facts),
              ElementsAre(StartsWith("error: interface_without_server: interface d1 has no DHCPv4 server, "
                                     "so its requests are dropped; ")));
}

TEST(Judgement6, RelayAgentsUntrusted) {
  Facts facts = well();
  d1(facts).v6.is_trusted = false;
  EXPECT_THAT(lines(facts),
              ElementsAre("note: relay_agents_untrusted: whether other relay agents are behind interface d1 is not "
                          "known, and Relay-forward from there is dropped as relay_forward_untrusted; where there are: "
                          "--trust d1"));
}

TEST(Judgement6, BothSides) {
  Facts facts = well();
  d1(facts).v6.is_upstream = true;
  EXPECT_THAT(lines(facts), ElementsAre(StartsWith("warning: both_sides: interface d1 is named for clients and for "
                                                   "servers by different flags")));
}

TEST(Judgement6, WhatConcernsFramesOrTheSizeOfDhcpv4MessagesDoesNotConcernDhcpv6) {
  Facts facts = well();
  d1(facts).is_ethernet = false;
  facts.interfaces[1].mtu = 500;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement6, NothingServedIsSaidOfTheFamily) {
  Facts facts = well_in_both();
  d1(facts).v6.is_downstream = false;
  EXPECT_THAT(lines(facts),
              ElementsAre("error: nothing_served: no interface serves clients of DHCPv6; name one for them that "
                          "is there and up, with a link-local address and a server"));
  facts = well_in_both();
  d1(facts).is_downstream = false;
  EXPECT_THAT(lines(facts),
              ElementsAre("error: nothing_served: no interface serves clients of DHCPv4; name one for them that "
                          "is there and up, with a giaddr and a server"));
}

TEST(Judgement6, WhatOnlyAPatternMatchesIsNoErrorUnlessNothingIsServed) {
  Facts facts = well();
  d1(facts).is_named = false;
  d1(facts).v6.is_disabled = true;
  EXPECT_THAT(lines(facts),
              ElementsAre(StartsWith("warning: ipv6_disabled: "),
                          StartsWith("error: nothing_served: no interface serves clients of DHCPv6, for what ")));
  facts.interfaces.push_back(downstream("d2", 2));
  EXPECT_THAT(lines(facts), ElementsAre(StartsWith("warning: ipv6_disabled: ")));
}

// --- servers
// ------------------------------------------------------------------------------------------------------------

TEST(Judgement6, ServerUnreachable) {
  Facts facts = well();
  facts.servers = {{.address = global(9, 2), .route_fault = "Network is unreachable"}};
  EXPECT_THAT(lines(facts),
              ElementsAre("error: server_unreachable: there is no route to server 2001:db8:9::2: Network is "
                          "unreachable; add one, such as: ip route add 2001:db8:9::2 via ROUTER; or bring up the "
                          "interface that leads there"));
}

TEST(Judgement6, ServerRefused) {
  Facts facts = well();
  facts.servers = {{.address = global(9, 2), .route_fault = "Invalid argument", .refusing_route = "blackhole"}};
  EXPECT_THAT(lines(facts),
              ElementsAre(StartsWith("error: server_refused: the route to server 2001:db8:9::2 is of type "
                                     "blackhole; take it out, or add a better one, such as: ip route add "
                                     "2001:db8:9::2/128 via ROUTER; ")));
}

TEST(Judgement6, ServerInterfaceMissing) {
  Facts facts = well();
  facts.servers = {{.address = all_dhcp_servers, .interface = "u7", .lacks_interface = true}};
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: server_interface_missing: interface u7, by which server ff05::1:3%u7 is reached, "
                          "does not exist, so nothing is sent to that server; correct the name (`ip link` lists them) "
                          "or create it; the relay uses it as soon as it is there",
                          "error: no_server_reached: no DHCPv6 server can be reached, for what "
                          "server_interface_missing tells, so no client is served; follow the advice there for one of "
                          "the servers at least"));
  facts.servers.push_back(well().servers.front());
  EXPECT_EQ(worst(judge(facts)), Severity::warning);
}

TEST(Judgement6, AGroupOfServersIsReachedByItsInterface) {
  Facts facts = well();
  facts.servers = {{.address = all_dhcp_servers, .interface = "u0", .egress = "u0"}};
  EXPECT_THAT(all_lines(facts),
              Contains("ok: server_reached: server ff05::1:3%u0 is reached through u0, next hop ff05::1:3%u0, source "
                       "that of the clients' link; whether a DHCP server runs there and listens on UDP port 547 cannot "
                       "be seen from here"));
}

TEST(Judgement6, ServerDownstream) {
  Facts facts = well();
  facts.servers = {{.address = all_dhcp_servers, .interface = "d1", .egress = "d1"}};
  EXPECT_THAT(lines(facts),
              ElementsAre("error: server_downstream: server ff05::1:3%d1 is reached through d1, where replies are not "
                          "accepted; name the interface with -i instead of -id if servers are there too, or correct "
                          "the route"));
  d1(facts).v6.is_upstream = true;
  d1(facts).is_both_by_one_flag = true;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement6, ServerBeyondUpstream) {
  Facts facts = well();
  facts.servers[0].egress = "eth7";
  EXPECT_THAT(
      lines(facts),
      ElementsAre("error: server_beyond_upstream: server 2001:db8:9::2 is reached through eth7, and replies are "
                  "accepted on the interfaces of -iu, -u and -i alone; add -iu eth7, or leave out -iu and -u: "
                  "replies are then accepted wherever servers are"));
  facts.policy6.upstream_named = false;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement6, ServerNotAnswering) {
  Facts facts = well();
  facts.servers[0].gateway = link_local;
  facts.servers[0].next_hop_has_failed = true;
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: server_not_answering: fe80::1%u0 on u0, the next hop to server 2001:db8:9::2, did "
                          "not answer neighbour discovery; look whether it is on and in the same subnet and VLAN: ping "
                          "fe80::1%u0"));
}

TEST(Judgement6, SourceMissing) {
  Facts facts = well();
  facts.policy6.source_address = global(9, 77);
  facts.source6_is_local = false;
  EXPECT_THAT(lines(facts),
              ElementsAre("error: source_missing: this host does not hold 2001:db8:9::4d of "
                          "--source-address, so no request can be sent; add the address, or name one that "
                          "`ip address` lists"));
  EXPECT_THAT(all_lines(facts), Not(Contains(StartsWith("ok: server_reached"))));
}

TEST(Judgement6, ASmallMtuTowardsAServerIsNoObstacle) {
  Facts facts = well();
  facts.servers[0].mtu = 500;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement6, Neighbours6Full) {
  Facts facts = well();
  facts.neighbours6.entries = 922;
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: neighbours6_full: the kernel has 922 of at most 1024 IPv6 neighbours: when it is "
                          "full, this host reaches no others; raise it, on the host itself and not in a network "
                          "namespace of its own, which does not have these settings: sysctl -w "
                          "net.ipv6.neigh.default.gc_thresh3=4096 net.ipv6.neigh.default.gc_thresh2=2048"));
}

// --- the firewall
// -------------------------------------------------------------------------------------------------------

TEST(Judgement6, FirewallDropsRequests) {
  Facts facts = well();
  facts.firewall = {chain_of(
      "ip6", "input", true,
      {{{{PacketField::ingress, false, {{"u0", 0, 0}}}}, RuleVerdict::accept}, on_port(546, RuleVerdict::accept)})};
  EXPECT_THAT(lines(facts), ElementsAre("error: firewall_drops_requests: the firewall's policy of chain input in table "
                                        "ip6 filter drops requests that arrive on d1; let them in: nft insert rule ip6 "
                                        "filter input udp dport 547 accept"));
}

TEST(Judgement6, AFirewallThatDropsTheGroupDropsRequests) {
  Facts facts = well();
  const FieldValue group{{}, 0, 0, Ipv6Range{all_dhcp_relay_agents_and_servers, all_dhcp_relay_agents_and_servers}};
  facts.firewall = {
      chain_of("inet", "input", false, {{{{PacketField::destination, false, {group}}}, RuleVerdict::drop}})};
  EXPECT_THAT(lines(facts), ElementsAre(StartsWith("error: firewall_drops_requests: ")));
}

TEST(Judgement6, AFirewallOfIpv4DoesNotConcernDhcpv6) {
  Facts facts = well_in_both();
  facts.firewall = {chain_of("ip", "input", true), chain_of("ip", "output", true)};
  EXPECT_THAT(lines(facts),
              ElementsAre(StartsWith("error: firewall_drops_requests: "), StartsWith("error: firewall_drops_replies: "),
                          StartsWith("error: firewall_drops_relayed: ")));
  facts.families = {.ipv6 = true};
  d1(facts).is_downstream = false;
  facts.servers.pop_back();
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement6, AFirewallThatDropsInOneFamilyLeavesTheOtherServed) {
  Facts facts = well_in_both();
  d1(facts).is_named = false;
  facts.firewall = {chain_of("inet", "input", false, {on_port(547, RuleVerdict::drop)})};
  EXPECT_THAT(
      lines(facts),
      ElementsAre(StartsWith("error: nothing_served: no interface serves clients of DHCPv6, for what "),
                  StartsWith("warning: firewall_drops_requests: "), StartsWith("error: firewall_drops_replies: ")));
}

TEST(Judgement6, FirewallDropsReplies) {
  Facts facts = well();
  facts.policy6.ports.relay = 5470;
  facts.firewall = {chain_of("inet", "input", false, {on_port(5470, RuleVerdict::drop)})};
  EXPECT_THAT(lines(facts),
              ElementsAre("error: firewall_drops_replies: the firewall's rule with handle 7 of chain input "
                          "in table inet filter drops replies that arrive on u0; let them in: nft insert "
                          "rule inet filter input udp dport 5470 accept"));
}

TEST(Judgement6, AnAnswerOfAGroupIsNoneToConnectionTracking) {
  Facts facts = well();
  facts.firewall = {chain_of("inet", "input", true,
                             {{{{PacketField::connection, false, {{"established", 0, 0}}}}, RuleVerdict::accept},
                              {{{PacketField::ingress, false, {{"d1", 0, 0}}}}, RuleVerdict::accept}})};
  EXPECT_THAT(lines(facts), IsEmpty());
  facts.servers = {{.address = all_dhcp_servers, .interface = "u0", .egress = "u0"}};
  facts.policy6.replies_from_anyone = true;
  EXPECT_THAT(lines(facts), ElementsAre(StartsWith("error: firewall_drops_replies: ")));
}

TEST(Judgement6, FirewallDropsWhatLeaves) {
  Facts facts = well();
  facts.firewall = {{"ip6", "filter", "OUTPUT", "output", 0, true, {}}};
  EXPECT_THAT(lines(facts), ElementsAre(StartsWith("error: firewall_drops_relayed: "))) << "frames pass it by";
  d1(facts).is_ethernet = false;
  EXPECT_THAT(lines(facts), Contains(StartsWith("error: firewall_drops_delivered: ")));
  d1(facts).is_ethernet = true;
  facts.policy6.client_link_layer_address = false;
  EXPECT_THAT(lines(facts),
              ElementsAre("error: firewall_drops_relayed: the firewall's policy of chain OUTPUT in table ip6 filter "
                          "drops what is relayed to servers through u0; let it out: ip6tables -t filter -I OUTPUT -p "
                          "udp --dport 547 -j ACCEPT",
                          "error: firewall_drops_delivered: the firewall's policy of chain OUTPUT in table ip6 filter "
                          "drops what is delivered to DHCPv6 clients through d1; let it out: ip6tables -t filter -I "
                          "OUTPUT -p udp --dport 546 -j ACCEPT"));
  facts.firewall = {chain_of("inet", "postrouting", true)};
  EXPECT_THAT(lines(facts), ElementsAre(StartsWith("error: firewall_drops_relayed: "),
                                        StartsWith("error: firewall_drops_delivered: ")));
}

TEST(Judgement6, WhatOfTheFirewallCouldNotBeReadNamesThePorts) {
  Facts facts = well_in_both();
  facts.early_chains = {"netdev t c"};
  facts.firewall_fault = "there is no nft";
  facts.legacy_tables6 = {"filter"};
  EXPECT_THAT(
      lines(facts),
      ElementsAre(
          "warning: firewall_legacy: legacy ip6tables has the table filter, of which no rule is read here; see that "
          "none drops UDP to port 547: ip6tables-legacy-save",
          "note: firewall_ingress: there are chains that see frames before IP does, which are not judged here: "
          "netdev t c; see that none drops UDP to port 67 or 547: nft -a list ruleset",
          "note: firewall_unread: the firewall's rules could not be read: there is no nft; see that none drops "
          "UDP to port 67 or 547, or repeat this as root where nft is installed"));
}

TEST(Judgement6, OnePortOfBothFamiliesIsNamedOnce) {
  Facts facts = well_in_both();
  facts.ports.server = facts.policy6.ports.server = 6767;
  facts.firewall_fault = "there is no nft";
  EXPECT_THAT(lines(facts), ElementsAre(::testing::HasSubstr("drops UDP to port 6767, or repeat")));
  facts.firewall_fault.clear();
  facts.firewall = {chain_of("inet", "input", false, {on_port(6767, RuleVerdict::drop)})};
  EXPECT_THAT(lines(facts), ElementsAre(StartsWith("error: firewall_drops_requests: "),
                                        StartsWith("error: firewall_drops_replies: ")));
}

}  // namespace
}  // namespace relay::check
