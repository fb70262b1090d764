#include "relay/check/judgement.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/log/finding_text.h"

namespace relay::check {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Ipv4Address server{{10, 9, 0, 2}};
constexpr Ipv4Address giaddr{{10, 101, 0, 1}};

InterfaceFacts downstream(const std::string& name, Ipv4Address address = giaddr) {
  InterfaceFacts facts;
  facts.name = name;
  facts.is_downstream = true;
  facts.addresses = {{address, 24}};
  facts.giaddr = address;
  return facts;
}

InterfaceFacts upstream(const std::string& name) {
  InterfaceFacts facts;
  facts.name = name;
  facts.is_upstream = true;
  facts.addresses = {{{{10, 9, 0, 1}}, 24}};
  return facts;
}

/// One segment, one server behind u0, and nothing that is wrong.
Facts well() {
  Facts facts;
  facts.roles = {{"d1", {true, false}}, {"u0", {false, true}}};
  facts.policy.upstream_named = true;
  facts.interfaces = {downstream("d1"), upstream("u0")};
  facts.servers = {{.address = server, .egress = "u0", .mtu = 1500}};
  facts.neighbours = {10, 1024};
  facts.wanted_receive_buffer = 8'388'608;
  return facts;
}

InterfaceFacts& d1(Facts& facts) {
  return facts.interfaces[0];
}

InterfaceFacts& u0(Facts& facts) {
  return facts.interfaces[1];
}

std::string nothing_served(const std::string& cause) {
  return "error: nothing_served: no interface serves clients, for what " + cause +
         "; follow the advice there, for one interface at least";
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

Chain input(bool drops_by_policy, std::vector<Rule> rules = {}) {
  return {"inet", "filter", "input", "input", 0, drops_by_policy, std::move(rules)};
}

TEST(Judgement, WhatIsWellIsSaid) {
  EXPECT_THAT(
      all_lines(well()),
      ElementsAre("ok: interface_serves: interface d1 is up, with a giaddr and a server",
                  "ok: server_reached: server 10.9.0.2 is reached through u0, next hop 10.9.0.2, source giaddr; "
                  "whether a DHCP server runs there and listens on UDP port 67 cannot be seen from here"));
  EXPECT_EQ(worst(judge(well())), Severity::ok);
}

TEST(Judgement, EveryKindHasItsOwnNameAndClauses) {
  std::set<std::string_view> names;
  for (const FindingKind kind : all_finding_kinds()) {
    names.insert(text(kind).name);
    EXPECT_FALSE(text(kind).meaning.empty()) << text(kind).name;
    EXPECT_EQ(text(kind).advice.empty(), text(kind).severity == Severity::ok) << text(kind).name;
  }
  EXPECT_EQ(names.size(), finding_kind_count);
}

// --- the start
// ----------------------------------------------------------------------------------------------------------

TEST(Judgement, FlagWithoutEffect) {
  Facts facts = well();
  facts.warnings = {"-D has no effect without -a, which adds option 82"};
  EXPECT_THAT(lines(facts), ElementsAre("warning: flag_without_effect: -D has no effect without -a, which adds option "
                                        "82; leave it out, or add what it needs"));
  EXPECT_EQ(worst(judge(facts)), Severity::warning);
}

TEST(Judgement, RelayPortOfClients) {
  Facts facts = well();
  facts.ports.relay = 68;
  EXPECT_THAT(lines(facts),
              ElementsAre(HasSubstr("warning: relay_port_of_clients: the port 68 of -rp is that of clients: ")));
  facts.ports.relay = 1067;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, AStartWarnsOfServersThatNothingMakesGood) {
  Facts facts = well();
  facts.servers = {{.address = server, .route_fault = "Network is unreachable"},
                   {.address = giaddr, .is_local = true},
                   {.address = Ipv4Address{{10, 101, 0, 2}}, .egress = "d1"}};
  facts.firewall = {input(true)};
  std::vector<std::string> sentences;
  for (const Finding& finding : judge_servers_at_start(facts)) {
    sentences.push_back(finding_sentence(finding));
  }
  EXPECT_THAT(sentences,
              ElementsAre("server 10.101.0.1 is an address of this host, where the relay itself has the port; "
                          "name the server's own address; a server on this very host needs no relay",
                          HasSubstr("server 10.101.0.2 is reached through d1, where replies are not accepted; ")));
  EXPECT_THAT(judge_servers_at_start(well()), IsEmpty());
}

TEST(Judgement, ServerUnresolved) {
  Facts facts = well();
  facts.servers.clear();
  d1(facts).has_server = false;
  facts.unresolved_servers = {"cannot resolve server 'nosuch.invalid': Name or service not known"};
  EXPECT_THAT(
      all_lines(facts),
      ElementsAre("error: server_unresolved: cannot resolve server 'nosuch.invalid': Name or service not known; "
                  "correct the name, give the server's address instead, or repair name resolution "
                  "(/etc/resolv.conf, /etc/hosts)"));
}

TEST(Judgement, FileUnwritable) {
  Facts facts = well();
  facts.unwritable = {{"/run/dhcp-relay.pid", "Permission denied"}};
  EXPECT_THAT(lines(facts), ElementsAre("error: file_unwritable: /run/dhcp-relay.pid cannot be written: Permission "
                                        "denied; name another file, or give this user the right to write it"));
}

TEST(Judgement, MetricsUnservable) {
  Facts facts = well();
  facts.metrics_fault = "cannot serve metrics on 203.0.113.9:9577: this host does not have that address";
  EXPECT_THAT(
      lines(facts),
      ElementsAre("error: metrics_unservable: cannot serve metrics on 203.0.113.9:9577: this host does not have "
                  "that address; give --metrics another address or port, or leave it out"));
  facts.port_holders = {{67, "dhcp-relay", 7, 0}};
  EXPECT_THAT(lines(facts), Each(HasSubstr("port_taken_by_relay"))) << "whose metrics they are";
}

TEST(Judgement, LogUnheard) {
  Facts facts = well();
  facts.log_fault = "no syslog daemon takes lines at /dev/log: No such file or directory";
  EXPECT_THAT(
      lines(facts),
      ElementsAre("warning: log_unheard: no syslog daemon takes lines at /dev/log: No such file or directory, so "
                  "all that the relay logs is lost; start one (rsyslogd, syslogd, systemd-journald), or have the "
                  "relay log to standard error: -d"));
}

TEST(Judgement, FileUnreadable) {
  Facts facts = well();
  facts.account = "nobody";
  facts.unreadable = {{"/etc/relay.conf", "Permission denied"}};
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: file_unreadable: /etc/relay.conf cannot be read by nobody, which the relay becomes "
                          "(Permission denied), so SIGHUP will change nothing; give that account the right to read it "
                          "and to pass the directories above it, which `namei -l /etc/relay.conf` lists; or name "
                          "another account with --user"));
}

TEST(Judgement, CaptureInOneFile) {
  Facts facts = well();
  facts.bound_capture = "/var/log/it.pcapng";
  const auto line = [](const std::string& account) {
    return "warning: capture_in_one_file: the capture stays in /var/log/it.pcapng, which gets as large as all its "
           "files together and is then begun anew: no others can be made beside it by " +
           account + "; name a file in a directory of that account, or want no more than this one: --capture-files 1";
  };
  EXPECT_THAT(lines(facts), ElementsAre(line("this user")));
  facts.account = "nobody";
  EXPECT_THAT(lines(facts), ElementsAre(line("nobody, which the relay becomes")));
}

TEST(Judgement, StateDirectoryMissing) {
  Facts facts = well();
  facts.missing_state_directory = "/nonex";
  EXPECT_THAT(lines(facts),
              ElementsAre("note: state_directory_missing: the directory /nonex of --state-file does not exist, and the "
                          "start makes it; correct the name if that is not meant"));
}

TEST(Judgement, AccountOutOfReach) {
  Facts facts = well();
  facts.account_fault = "cannot become nobody: it takes CAP_SETGID: Operation not permitted";
  EXPECT_THAT(lines(facts),
              ElementsAre("error: account_out_of_reach: cannot become nobody: it takes CAP_SETGID: Operation not "
                          "permitted; let it have this capability (in a container: --cap-add), or start it as an "
                          "account that has CAP_NET_RAW and CAP_NET_BIND_SERVICE alone"));
}

TEST(Judgement, CapabilityMissing) {
  Facts facts = well();
  facts.lacks_net_raw = true;
  facts.lacks_bind_service = true;
  EXPECT_THAT(
      lines(facts),
      ElementsAre("error: capability_missing: this user lacks CAP_NET_RAW, without which no packet socket can be "
                  "opened for replies to clients; start as root, or with AmbientCapabilities=CAP_NET_RAW "
                  "CAP_NET_BIND_SERVICE in the systemd unit",
                  "error: capability_missing: this user lacks CAP_NET_BIND_SERVICE, without which the relay "
                  "cannot listen on UDP port 67; start as root, or with AmbientCapabilities=CAP_NET_RAW "
                  "CAP_NET_BIND_SERVICE in the systemd unit"));
}

TEST(Judgement, CapabilityThatRootLacks) {
  Facts facts = well();
  facts.is_root = true;
  facts.lacks_net_raw = true;
  EXPECT_THAT(
      lines(facts),
      ElementsAre("error: capability_missing: this user lacks CAP_NET_RAW, without which no packet socket can be "
                  "opened for replies to clients; let root have it: CapabilityBoundingSet= of a systemd unit, "
                  "--cap-add of a container"));
}

TEST(Judgement, PortTakenByAProgramThatIsKnown) {
  Facts facts = well();
  facts.port_holders = {{67, "dnsmasq", 4711, 0}};
  EXPECT_THAT(
      lines(facts),
      ElementsAre("error: port_taken: UDP port 67 is held by dnsmasq (process 4711), so the relay cannot listen "
                  "there; take dhcp-range and dhcp-relay out of its configuration, or: systemctl disable --now "
                  "dnsmasq"));
  facts.port_holders = {{67, "dhcrelay", 4711, 0}};
  EXPECT_THAT(
      lines(facts),
      ElementsAre("error: port_taken: UDP port 67 is held by dhcrelay (process 4711), so the relay cannot listen "
                  "there; stop ISC's relay for good: systemctl disable --now isc-dhcp-relay"));
}

TEST(Judgement, PortTakenByAnotherProgram) {
  Facts facts = well();
  facts.port_holders = {{67, "x\x1b[31m", 4711, 0}};
  EXPECT_THAT(
      lines(facts),
      ElementsAre("error: port_taken: UDP port 67 is held by x\\x1b[31m (process 4711), so the relay cannot "
                  "listen there; end it and keep it from starting again: systemctl status 4711 tells which unit "
                  "it belongs to"));
}

TEST(Judgement, PortTakenByAProcessThatCannotBeSeen) {
  Facts facts = well();
  facts.ports.relay = 6767;
  facts.port_holders = {{.port = 6767, .user = 106}};
  EXPECT_THAT(lines(facts), ElementsAre("error: port_taken: UDP port 6767 is held by a process of user 106 that cannot "
                                        "be seen from here, so the relay cannot listen there; repeat this as root to "
                                        "see which, and end it: ss -lunp sport = :6767"));
}

TEST(Judgement, PortTakenByThisRelayIsNoError) {
  Facts facts = well();
  facts.port_holders = {{67, "dhcp-relay", 4711, 0}};
  EXPECT_THAT(
      lines(facts),
      ElementsAre("warning: port_taken_by_relay: UDP port 67 is held by dhcp-relay (process 4711): a relay runs "
                  "here, and a second one would not start; to have it read its configuration again: kill -HUP "
                  "4711"));
}

TEST(Judgement, PortHoldersUnread) {
  Facts facts = well();
  facts.port_holders_fault = "Operation not permitted";
  EXPECT_THAT(lines(facts), ElementsAre("note: port_holders_unread: who holds UDP ports could not be read: Operation "
                                        "not permitted; look yourself: ss -lunp sport = :67"));
  EXPECT_EQ(worst(judge(facts)), Severity::note);
}

// --- interfaces
// ---------------------------------------------------------------------------------------------------------

TEST(Judgement, NamesThatNoInterfaceHas) {
  Facts facts = well();
  facts.roles.insert(facts.roles.end(), {{"d7", {true, false}}, {"vlan*", {true, true}}, {"u7", {false, true}}});
  facts.unmatched = {"d7", "vlan*", "u7"};
  EXPECT_THAT(
      lines(facts),
      ElementsAre(
          "warning: interface_missing: interface d7 does not exist, so its clients are not served; correct the "
          "name (`ip link` lists them) or create it; the relay uses it as soon as it is there",
          "warning: pattern_unmatched: no interface has a name that matches vlan*, so no clients are served by it; "
          "correct the pattern (`ip link` lists the names) or create them; the relay uses them as soon as they "
          "are there",
          "warning: upstream_missing: interface u7, named for replies, does not exist; correct the name (`ip "
          "link` lists them), or leave out -iu or -u: replies are then accepted wherever servers are"));
}

TEST(Judgement, GiaddrInterfaceMissing) {
  Facts facts = well();
  facts.giaddr_interface = "lo";
  facts.giaddr_interface_has_address = false;
  d1(facts).giaddr.reset();
  EXPECT_THAT(lines(facts),
              ElementsAre("error: giaddr_interface_missing: interface lo of -U does not exist or has no "
                          "IPv4 address but 127.0.0.0/8, so there is no giaddr; give it one: ip address add ADDRESS/32 "
                          "dev lo"));
}

TEST(Judgement, InterfaceDown) {
  Facts facts = well();
  d1(facts).is_up = false;
  u0(facts).is_up = false;
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: interface_down: interface d1 is down, so its clients are not served; "
                          "bring it up: ip link set d1 up",
                          "warning: upstream_down: interface u0, named for replies, is down; bring it up: "
                          "ip link set u0 up",
                          nothing_served("interface_down tells")));
  facts.interfaces.push_back(downstream("d2", {{10, 102, 0, 1}}));
  EXPECT_EQ(worst(judge(facts)), Severity::warning);
}

TEST(Judgement, NothingServedWhereNoClientsInterfaceIsThere) {
  Facts facts = well();
  facts.interfaces = {upstream("u0")};
  facts.unmatched = {"d1"};
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: interface_missing: interface d1 does not exist, so its clients are not served; "
                          "correct the name (`ip link` lists them) or create it; the relay uses it as soon as it is "
                          "there",
                          nothing_served("interface_missing tells")));
}

TEST(Judgement, NothingServedWhereNoInterfaceIsNamedForClients) {
  Facts facts = well();
  facts.interfaces = {upstream("u0")};
  EXPECT_THAT(lines(facts), ElementsAre("error: nothing_served: no interface serves clients; name one for them that is "
                                        "there and up, with a giaddr and a server"));
}

TEST(Judgement, WhatOnlyAPatternMatchesIsNoError) {
  Facts facts = well();
  InterfaceFacts unused = downstream("tap0");
  unused.is_named = false;
  unused.giaddr.reset();
  unused.addresses.clear();
  facts.interfaces.push_back(unused);
  unused.name = "tap1";
  unused.master_kind = MasterKind::takes_frames;
  unused.master = "br0";
  facts.interfaces.push_back(unused);
  EXPECT_THAT(
      lines(facts),
      ElementsAre("warning: no_address: interface tap0 has no IPv4 address to be giaddr, so its requests are "
                  "dropped; give it one of the clients' subnet: ip address add ADDRESS/PREFIX dev tap0; or name "
                  "one with --giaddr or -U",
                  "warning: port_of_bridge: interface tap1 is a port of br0, which takes what arrives on it; "
                  "name br0 instead, and give it the address"));
  facts.interfaces.erase(facts.interfaces.begin());
  EXPECT_THAT(lines(facts), testing::Contains(nothing_served("no_address, port_of_bridge tell")));
}

TEST(Judgement, AFirewallThatDropsOnWhatOnlyAPatternMatchesIsNoErrorUnlessNothingIsServed) {
  Facts facts = well();
  d1(facts).is_named = false;
  facts.firewall = {input(false, {{{{PacketField::ingress, false, {{"d1", 0, 0}}}}, RuleVerdict::drop, {}, 5}})};
  const std::string warning =
      "warning: firewall_drops_requests: the firewall's rule with handle 5 of chain input in table inet filter drops "
      "requests that arrive on d1; let them in: nft insert rule inet filter input udp dport 67 accept";
  EXPECT_THAT(lines(facts), ElementsAre(nothing_served("firewall_drops_requests tells"), warning));
  facts.interfaces.push_back(downstream("d2", {{10, 102, 0, 1}}));
  EXPECT_THAT(lines(facts), ElementsAre(warning));
}

TEST(Judgement, ALoopbackThatOnlyAPatternMatchesIsNotJudged) {
  Facts facts = well();
  InterfaceFacts loopback = downstream("lo", {{127, 0, 0, 1}});
  loopback.is_named = false;
  loopback.is_loopback = true;
  loopback.giaddr.reset();
  facts.interfaces.push_back(loopback);
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, NoCarrier) {
  Facts facts = well();
  d1(facts).has_carrier = false;
  u0(facts).has_carrier = false;
  EXPECT_THAT(lines(facts), ElementsAre("warning: no_carrier: interfaces d1, u0 have no carrier; look at the cable, "
                                        "the switch port, or what the interface is made of"));
}

TEST(Judgement, NoAddress) {
  Facts facts = well();
  d1(facts).addresses.clear();
  d1(facts).giaddr.reset();
  EXPECT_THAT(lines(facts), ElementsAre("error: no_address: interface d1 has no IPv4 address to be giaddr, so its "
                                        "requests are dropped; give it one of the clients' subnet: ip address add "
                                        "ADDRESS/PREFIX dev d1; or name one with --giaddr or -U"));
}

TEST(Judgement, GiaddrPassive) {
  Facts facts = well();
  d1(facts).giaddr_is_local = false;
  EXPECT_THAT(lines(facts), ElementsAre("warning: giaddr_passive: interface d1 is passive: this host does not hold its "
                                        "giaddr 10.101.0.1; this is as it should be where another router holds the "
                                        "address at the moment (VRRP); else add it, or correct --giaddr"));
}

TEST(Judgement, GiaddrForeign) {
  Facts facts = well();
  const std::vector<std::string> foreign{
      "warning: giaddr_foreign: the giaddr 10.9.0.1 of interface d1 is of another segment, and without option 82 "
      "nothing tells the server the clients' subnet; add -a: sub-option 5 of option 82 then says it; or leave out "
      "--giaddr and -U, and giaddr is the interface's own address"};
  d1(facts).giaddr = Ipv4Address{{10, 9, 0, 1}};
  EXPECT_EQ(lines(facts), foreign);
  d1(facts).addresses.clear();
  EXPECT_EQ(lines(facts), foreign) << "it is of the servers' subnet";
  facts.policy.add_agent_information = true;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, AGiaddrOfNoSubnetThatIsKnownMayBeOfTheClients) {
  Facts facts = well();
  d1(facts).addresses.clear();
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, InterfaceWithoutServer) {
  Facts facts = well();
  d1(facts).has_server = false;
  EXPECT_THAT(lines(facts), ElementsAre("error: interface_without_server: interface d1 has no server, so its requests "
                                        "are dropped; name one: a SERVER for all interfaces, or --server IF=ADDR; the "
                                        "broadcast address of its own subnet is none"));
}

TEST(Judgement, PortOfBridge) {
  Facts facts = well();
  d1(facts).master_kind = MasterKind::takes_frames;
  d1(facts).master = "br0";
  d1(facts).giaddr.reset();
  EXPECT_THAT(lines(facts),
              ElementsAre("error: port_of_bridge: interface d1 is a port of br0, which takes what arrives "
                          "on it; name br0 instead, and give it the address"));
}

TEST(Judgement, PortOfVrf) {
  Facts facts = well();
  d1(facts).master_kind = MasterKind::vrf;
  d1(facts).master = "red";
  EXPECT_THAT(lines(facts), ElementsAre("error: port_of_vrf: interface d1 is in VRF red, from which the relay hears "
                                        "nothing; let its sockets hear VRFs: sysctl -w net.ipv4.udp_l3mdev_accept=1"));
  facts.hears_vrfs = true;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, LoopbackDownstream) {
  Facts facts = well();
  facts.interfaces.push_back(downstream("d2", {{10, 102, 0, 1}}));
  d1(facts).is_loopback = true;
  d1(facts).is_ethernet = false;
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: loopback_downstream: interface d1 is named for clients, and no client "
                          "can be on a loopback; leave it out; the loopback's address as giaddr takes -U "
                          "d1"));
}

TEST(Judgement, NotEthernet) {
  Facts facts = well();
  d1(facts).is_ethernet = false;
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: not_ethernet: interface d1 is no Ethernet: a reply to a client without "
                          "an address cannot be put into a frame, and is routed; see that a client gets "
                          "its lease; where not, --reply-delivery d1=broadcast may help"));
}

TEST(Judgement, BothSides) {
  Facts facts = well();
  d1(facts).is_upstream = true;
  EXPECT_THAT(lines(facts), ElementsAre("warning: both_sides: interface d1 is named for clients and for servers by "
                                        "different flags; if both are meant, say -i d1; else take it out of one of "
                                        "them"));
  d1(facts).is_both_by_one_flag = true;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, SharedGiaddrNeedsOption82) {
  Facts facts = well();
  facts.interfaces.push_back(downstream("d2"));
  facts.interfaces.back().addresses = {{{{10, 102, 0, 1}}, 24}};
  EXPECT_THAT(
      lines(facts),
      ElementsAre("warning: giaddr_foreign: the giaddr 10.101.0.1 of interface d2 is of another segment, and "
                  "without option 82 nothing tells the server the clients' subnet; add -a: sub-option 5 of option "
                  "82 then says it; or leave out --giaddr and -U, and giaddr is the interface's own address",
                  "warning: shared_giaddr: interfaces d1, d2 share the giaddr 10.101.0.1: a reply "
                  "finds its way by the remembered request alone; add -a, so that option 82 tells "
                  "the segments apart"));
  facts.policy.add_agent_information = true;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, SharedSubnet) {
  Facts facts = well();
  facts.interfaces.push_back(downstream("d2", {{10, 101, 0, 2}}));
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: shared_subnet: interfaces d1, d2 share the subnet 10.101.0.0/24: the "
                          "kernel reaches the clients of one of them only; join them in a bridge, or give "
                          "each a subnet of its own"));
}

TEST(Judgement, InterfaceMtu) {
  Facts facts = well();
  d1(facts).mtu = 500;
  EXPECT_THAT(lines(facts), ElementsAre("warning: interface_mtu: interface d1 has an MTU of 500, less than the 576 "
                                        "octets of a DHCP message that every client has to take (RFC 2131 section 2); "
                                        "raise it: ip link set d1 mtu 1500"));
  d1(facts).mtu = 576;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, InterfacesOfWhichTheSameIsTrueAreOneFinding) {
  Facts facts = well();
  facts.interfaces.clear();
  for (std::uint8_t number = 1; number <= 10; ++number) {
    facts.interfaces.push_back(downstream("d" + std::to_string(number), {{10, 101, number, 1}}));
    facts.interfaces.back().is_up = false;
  }
  EXPECT_THAT(
      lines(facts),
      testing::Contains("warning: interface_down: interfaces d1, d2, d3, d4, d5, d6, d7, d8 and 2 more are down, "
                        "so their clients are not served; bring it up: ip link set d1 up; and so for each of them"));
}

// --- servers
// ------------------------------------------------------------------------------------------------------------

TEST(Judgement, ServerUnreachable) {
  Facts facts = well();
  facts.servers = {{.address = server, .route_fault = "Network is unreachable"}};
  EXPECT_THAT(lines(facts), ElementsAre("error: server_unreachable: there is no route to server 10.9.0.2: Network is "
                                        "unreachable; add one, such as: ip route add 10.9.0.2 via ROUTER; or bring up "
                                        "the interface that leads there"));
}

TEST(Judgement, ServerRefused) {
  Facts facts = well();
  facts.servers = {{.address = server, .route_fault = "Invalid argument", .refusing_route = "blackhole"}};
  EXPECT_THAT(
      lines(facts),
      ElementsAre("error: server_refused: the route to server 10.9.0.2 is of type blackhole; take it out, or add a "
                  "better one, such as: ip route add 10.9.0.2/32 via ROUTER; where it is: ip route show table all "
                  "type blackhole, ip rule"));
}

TEST(Judgement, ServerIsLocal) {
  Facts facts = well();
  facts.servers[0].is_local = true;
  EXPECT_THAT(lines(facts), ElementsAre("error: server_is_local: server 10.9.0.2 is an address of this host, where the "
                                        "relay itself has the port; name the server's own address; a server on this "
                                        "very host needs no relay"));
}

TEST(Judgement, ServerIsBroadcast) {
  Facts facts = well();
  facts.servers = {{.address = Ipv4Address{{10, 9, 0, 255}}, .is_broadcast = true, .egress = "u0", .mtu = 1500}};
  EXPECT_THAT(
      lines(facts),
      ElementsAre("error: server_is_broadcast: server 10.9.0.255 is a broadcast address: replies come from other "
                  "addresses, and are dropped as server_unknown; name the servers' own addresses, or add "
                  "--reply-from any; where the log tells of giaddr_own, that is this relay's own broadcast come "
                  "back, and no loop"));
  facts.policy.replies_from_anyone = true;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, ServerDownstream) {
  Facts facts = well();
  facts.servers[0].egress = "d1";
  EXPECT_THAT(lines(facts),
              ElementsAre("error: server_downstream: server 10.9.0.2 is reached through d1, where replies "
                          "are not accepted; name the interface with -i instead of -id if servers are "
                          "there too, or correct the route"));
  d1(facts).is_upstream = true;
  d1(facts).is_both_by_one_flag = true;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, ServerBeyondUpstream) {
  Facts facts = well();
  facts.servers[0].egress = "eth7";
  EXPECT_THAT(lines(facts),
              ElementsAre("error: server_beyond_upstream: server 10.9.0.2 is reached through eth7, and replies are "
                          "accepted on the interfaces of -iu and -i alone; add -iu eth7, or leave out -iu: replies are "
                          "then accepted wherever servers are"));
  facts.policy.upstream_named = false;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, ServerNotAnswering) {
  Facts facts = well();
  facts.servers[0].gateway = Ipv4Address{{10, 9, 0, 254}};
  facts.servers[0].next_hop_has_failed = true;
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: server_not_answering: 10.9.0.254 on u0, the next hop to server "
                          "10.9.0.2, did not answer ARP; look whether it is on and in the same subnet and "
                          "VLAN: ping 10.9.0.254"));
}

TEST(Judgement, NoServerReached) {
  Facts facts = well();
  facts.servers[0].egress_has_carrier = false;
  facts.servers[0].next_hop_has_failed = true;
  u0(facts).has_carrier = false;
  EXPECT_THAT(
      all_lines(facts),
      ElementsAre("warning: no_carrier: interface u0 has no carrier; look at the cable, the switch port, or what "
                  "the interface is made of",
                  HasSubstr("warning: server_not_answering: "),
                  "error: no_server_reached: no server can be reached, for what no_carrier tells, so no client "
                  "is served; follow the advice there for one of the servers at least"));
  facts.servers.push_back({.address = Ipv4Address{{10, 9, 0, 3}}, .egress = "u0", .mtu = 1500});
  EXPECT_EQ(worst(judge(facts)), Severity::warning) << "the other one is reached";
}

TEST(Judgement, ACarrierThatIsMissingOnTheWayToAServerIsToldOfAnInterfaceThatNoFlagNames) {
  Facts facts = well();
  facts.interfaces.pop_back();
  facts.policy.upstream_named = false;
  facts.servers[0].egress_has_carrier = false;
  EXPECT_THAT(all_lines(facts), ElementsAre(HasSubstr("no_carrier: interface u0 "), HasSubstr("no_server_reached: ")));
}

TEST(Judgement, NoInterfaceServesWhereNothingReachesAServer) {
  const std::string serves = "ok: interface_serves: interface d1 is up, with a giaddr and a server";
  Facts facts = well();
  facts.servers[0].route_fault = "Network is unreachable";
  EXPECT_THAT(all_lines(facts), ElementsAre(HasSubstr("error: server_unreachable: ")));
  facts.servers.push_back({.address = Ipv4Address{{10, 9, 0, 3}}, .egress = "u0", .mtu = 1500});
  EXPECT_THAT(all_lines(facts), testing::Contains(serves));
  facts = well();
  facts.policy.source_address = server;
  facts.source_is_local = false;
  EXPECT_THAT(all_lines(facts), ElementsAre(HasSubstr("error: source_missing: ")));
}

TEST(Judgement, NoInterfaceServesWhereTheFirewallDropsItsRequests) {
  Facts facts = well();
  facts.interfaces.push_back(downstream("d2", {{10, 102, 0, 1}}));
  facts.firewall = {input(false, {{{{PacketField::ingress, false, {{"d1", 0, 0}}}}, RuleVerdict::drop, {}, 5}})};
  EXPECT_THAT(all_lines(facts),
              testing::Contains("ok: interface_serves: interface d2 is up, with a giaddr and a server"));
}

TEST(Judgement, SourceMissing) {
  Facts facts = well();
  facts.policy.source_address = Ipv4Address{{192, 0, 2, 1}};
  EXPECT_THAT(lines(facts), IsEmpty());
  facts.source_is_local = false;
  EXPECT_THAT(lines(facts), ElementsAre("error: source_missing: this host does not hold 192.0.2.1 of --source-address, "
                                        "so no request can be sent; add the address, or name one that `ip address` "
                                        "lists"));
  EXPECT_THAT(all_lines(facts), Not(testing::Contains(testing::StartsWith("ok: server_reached"))));
}

TEST(Judgement, RouteMtu) {
  Facts facts = well();
  facts.agent_information_size = 20;
  facts.servers[0].mtu = 595;
  EXPECT_THAT(lines(facts), ElementsAre("warning: route_mtu: the MTU towards server 10.9.0.2 is 595, and a request of "
                                        "576 octets with option 82 may have 596: it would go without option 82, or in "
                                        "fragments; raise the MTU of the route or its interface, or shorten the values "
                                        "of option 82"));
  facts.servers[0].mtu = 596;
  EXPECT_THAT(lines(facts), IsEmpty());
}

// --- settings of the kernel
// ---------------------------------------------------------------------------------------------

TEST(Judgement, RpFilterStrict) {
  Facts facts = well();
  d1(facts).reverse_path_filter = ReversePathFilter::strict;
  u0(facts).reverse_path_filter = ReversePathFilter::strict;
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: rp_filter_strict: rp_filter is strict on d1: requests from 0.0.0.0 and from the "
                          "interface's subnet pass, those from link-local or foreign addresses are lost, such as of a "
                          "client that has moved here and asks for its old lease; if such clients exist: sysctl -w "
                          "net/ipv4/conf/d1/rp_filter=0 net/ipv4/conf/all/rp_filter=0"));
  d1(facts).reverse_path_filter = ReversePathFilter::loose;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, RpFilterOnAnInterfaceWithoutAddress) {
  Facts facts = well();
  d1(facts).addresses.clear();
  d1(facts).reverse_path_filter = ReversePathFilter::loose;
  EXPECT_THAT(
      lines(facts),
      ElementsAre("warning: rp_filter_no_address: rp_filter is on for d1, which has no IPv4 address: requests of "
                  "clients that have one are lost, so no lease is renewed through the relay; turn it off: "
                  "sysctl -w net/ipv4/conf/d1/rp_filter=0 net/ipv4/conf/all/rp_filter=0"));
}

TEST(Judgement, RpFilterWhereNoRouteToAServerLeaves) {
  Facts facts = well();
  facts.interfaces.push_back(upstream("u1"));
  facts.interfaces.back().reverse_path_filter = ReversePathFilter::strict;
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: rp_filter_upstream: rp_filter is strict on u1, and the route to no "
                          "server leaves there: replies that arrive there are lost; make it loose: sysctl "
                          "-w net/ipv4/conf/u1/rp_filter=2"));
}

TEST(Judgement, ForwardingOff) {
  Facts facts = well();
  d1(facts).forwards = false;
  u0(facts).forwards = false;
  facts.forwards_ipv4 = false;
  EXPECT_THAT(lines(facts),
              ElementsAre("warning: forwarding_off: this host does not forward IPv4 from d1: clients renew "
                          "by unicast to the server, which needs a router; if this host is their router: "
                          "sysctl -w net.ipv4.ip_forward=1; else --server-id-override has them renew "
                          "through the relay"));
  facts.forwards_ipv4 = true;
  EXPECT_THAT(lines(facts), ElementsAre(HasSubstr(": sysctl -w net/ipv4/conf/d1/forwarding=1; else")));
  facts.overrides_server_id = true;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, BroadcastForwarding) {
  Facts facts = well();
  d1(facts).forwards_broadcasts = true;
  EXPECT_THAT(lines(facts), ElementsAre("warning: broadcast_forwarding: bc_forwarding is on for d1: broadcasts to the "
                                        "subnet are forwarded and the relay does not get them; turn it off: sysctl -w "
                                        "net/ipv4/conf/d1/bc_forwarding=0"));
}

TEST(Judgement, NeighboursMany) {
  Facts facts = well();
  d1(facts).addresses = {{giaddr, 21}};
  EXPECT_THAT(
      lines(facts),
      ElementsAre("warning: neighbours_many: there is room for 2045 clients, and the kernel knows "
                  "at most 1024 neighbours: beyond that, replies to clients that have an address "
                  "are lost; raise it, on the host itself and not in a network namespace of its own, which does "
                  "not have these settings: sysctl -w net.ipv4.neigh.default.gc_thresh3=2048 "
                  "net.ipv4.neigh.default.gc_thresh2=1024"));
  facts.neighbours.most = 0;
  EXPECT_THAT(lines(facts), IsEmpty());
}

TEST(Judgement, ASubnetHasRoomOnceHoweverManyAddressesThisHostHasThere) {
  Facts facts = well();
  const Ipv4Address second{{10, 101, 0, 254}};
  d1(facts).addresses = {{giaddr, 23}, {second, 23}, {second, 24}, {giaddr, 23}};
  facts.neighbours.most = 509;
  EXPECT_THAT(lines(facts), IsEmpty());
  facts.neighbours.most = 508;
  EXPECT_THAT(lines(facts), ElementsAre(HasSubstr("there is room for 509 clients")));
  std::ranges::reverse(d1(facts).addresses);
  EXPECT_THAT(lines(facts), ElementsAre(HasSubstr("there is room for 509 clients")));
}

TEST(Judgement, NobodyHasThatManyNeighbours) {
  Facts facts = well();
  d1(facts).addresses = {{giaddr, 8}};
  EXPECT_THAT(lines(facts), ElementsAre(HasSubstr("net.ipv4.neigh.default.gc_thresh3=1048576 ")));
  facts.neighbours.most = 1048576;
  EXPECT_THAT(lines(facts), IsEmpty());
  facts.neighbours.entries = 1048576;
  EXPECT_THAT(lines(facts), ElementsAre(HasSubstr("net.ipv4.neigh.default.gc_thresh3=4194304 "))) << "but if it does";
}

TEST(Judgement, NeighboursFull) {
  Facts facts = well();
  facts.neighbours.entries = 922;
  EXPECT_THAT(
      lines(facts),
      ElementsAre("warning: neighbours_full: the kernel has 922 of at most 1024 neighbours: when "
                  "it is full, replies to clients that have an address are lost; raise it, on "
                  "the host itself and not in a network namespace of its own, which does not have these settings: "
                  "sysctl -w net.ipv4.neigh.default.gc_thresh3=4096 net.ipv4.neigh.default.gc_thresh2=2048"));
}

TEST(Judgement, ReceiveBuffer) {
  Facts facts = well();
  facts.receive_buffer = 212'992;
  EXPECT_THAT(lines(facts), ElementsAre("warning: receive_buffer: without CAP_NET_ADMIN the receive buffer has 212992 "
                                        "octets instead of 8388608, so that a burst of requests is lost sooner; raise "
                                        "it: sysctl -w net.core.rmem_max=8388608; or start with CAP_NET_ADMIN"));
}

// --- the firewall
// -------------------------------------------------------------------------------------------------------

TEST(Judgement, FirewallDropsRequests) {
  Facts facts = well();
  facts.firewall = {input(true, {{{{PacketField::connection, false, {{"established", 0, 0}}}}, RuleVerdict::accept}})};
  EXPECT_THAT(lines(facts), ElementsAre("error: firewall_drops_requests: the firewall's policy of chain input in table "
                                        "inet filter drops requests that arrive on d1; let them in: nft insert rule "
                                        "inet filter input udp dport 67 accept"));
}

TEST(Judgement, FirewallDropsRebinding) {
  Facts facts = well();
  facts.firewall = {input(true, {{{{PacketField::source, false, {{{}, 0, 0}}}}, RuleVerdict::accept},
                                 {{{PacketField::ingress, false, {{"u0", 0, 0}}}}, RuleVerdict::accept}})};
  EXPECT_THAT(
      lines(facts),
      ElementsAre("warning: firewall_drops_rebinding: the firewall's policy of chain input in table inet filter "
                  "drops requests from clients that have an address, which arrive on d1: a lease that its server "
                  "does not extend by unicast is lost; let them in: nft insert rule inet filter input udp dport "
                  "67 accept"));
}

TEST(Judgement, AFirewallThatLetsInTheSubnetAloneDropsRequests) {
  Facts facts = well();
  facts.firewall = {input(true, {{{{PacketField::source, false, {{{}, 0x0a650000, 0x0a6500ff}}}}, RuleVerdict::accept},
                                 {{{PacketField::ingress, false, {{"u0", 0, 0}}}}, RuleVerdict::accept}})};
  EXPECT_THAT(lines(facts), ElementsAre(testing::StartsWith("error: firewall_drops_requests: ")));
}

TEST(Judgement, TablesOfIptablesAreKnownByName) {
  Facts facts = well();
  const Rule drop{{}, RuleVerdict::drop, {}, 4};
  const auto command = [&facts] {
    const std::string line = lines(facts).front();
    return line.substr(line.find("let them in: "));
  };
  facts.firewall = {{"ip", "filter", "INPUT", "input", 0, false, {{{}, RuleVerdict::jump, "ufw-user-input"}}},
                    {"ip", "filter", "ufw-user-input", {}, 0, false, {drop}}};
  EXPECT_EQ(command(), "let them in: iptables -t filter -I ufw-user-input -p udp --dport 67 -j ACCEPT");
  facts.firewall = {{"ip", "own", "INPUT", "input", 0, false, {drop}}};
  EXPECT_EQ(command(), "let them in: nft insert rule ip own INPUT udp dport 67 accept");
  facts.firewall = {{"ip", "filter", "input", "input", 0, false, {drop}}};
  EXPECT_EQ(command(), "let them in: nft insert rule ip filter input udp dport 67 accept");
}

TEST(Judgement, FirewallIngress) {
  Facts facts = well();
  facts.early_chains = {"netdev t c", "bridge t b"};
  EXPECT_THAT(
      lines(facts),
      ElementsAre("note: firewall_ingress: there are chains that see frames before IP does, which are not judged "
                  "here: netdev t c, bridge t b; see that none drops UDP to port 67: nft -a list ruleset"));
}

TEST(Judgement, FirewallDropsReplies) {
  Facts facts = well();
  facts.ports.relay = 6767;
  facts.firewall = {
      input(false, {{{{PacketField::destination_port, false, {{{}, 6767, 6767}}}}, RuleVerdict::drop, {}, 12}})};
  EXPECT_THAT(lines(facts), ElementsAre("error: firewall_drops_replies: the firewall's rule with handle 12 of chain "
                                        "input in table inet filter drops replies that arrive on u0; let them in: nft "
                                        "insert rule inet filter input udp dport 6767 accept"));
}

TEST(Judgement, FirewallDropsRelayed) {
  Facts facts = well();
  facts.firewall = {{"ip", "filter", "OUTPUT", "output", 0, true, {}}};
  EXPECT_THAT(lines(facts),
              ElementsAre("error: firewall_drops_relayed: the firewall's policy of chain OUTPUT in table "
                          "ip filter drops what is relayed to servers through u0; let it out: iptables -t "
                          "filter -I OUTPUT -p udp --dport 67 -j ACCEPT"));
  facts.firewall = {{"ip", "mangle", "POSTROUTING", "postrouting", -150, true, {}}};
  EXPECT_THAT(lines(facts),
              ElementsAre("error: firewall_drops_relayed: the firewall's policy of chain POSTROUTING in table "
                          "ip mangle drops what is relayed to servers through u0; let it out: iptables -t "
                          "mangle -I POSTROUTING -p udp --dport 67 -j ACCEPT"));
}

TEST(Judgement, FirewallMayDrop) {
  Facts facts = well();
  facts.firewall = {{"ip",
                     "raw",
                     "PREROUTING",
                     "prerouting",
                     -300,
                     false,
                     {{{{PacketField::ingress, false, {{"d1", 0, 0}}}, {}}, RuleVerdict::drop, {}, 3}}}};
  EXPECT_THAT(lines(facts), ElementsAre("warning: firewall_may_drop: the firewall's rule with handle 3 of chain "
                                        "PREROUTING in table ip raw may drop messages of DHCP on d1: it has conditions "
                                        "that cannot be judged here; look at it: nft -a list table ip raw"));
}

TEST(Judgement, FirewallUnread) {
  Facts facts = well();
  facts.firewall_fault = "there is no nft";
  facts.legacy_tables = {"filter", "mangle"};
  EXPECT_THAT(
      lines(facts),
      ElementsAre("warning: firewall_legacy: legacy iptables has the tables filter, mangle, of which no rule is "
                  "read here; see that none drops UDP to port 67: iptables-legacy-save",
                  "note: firewall_unread: the firewall's rules could not be read: there is no nft; see that none drops "
                  "UDP to port 67, or repeat this as root where nft is installed"));
}

}  // namespace
}  // namespace relay::check
