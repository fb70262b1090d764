// The flags of DHCPv6, and what those of both protocols do in it: words in, a compact account or the error out.
#include <arpa/inet.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/config/configuration.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> split(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::vector<std::string> result;
  for (std::string word; words >> word;) {
    result.push_back(word);
  }
  return result;
}

std::string text_of(const Ipv6Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return inet_ntop(AF_INET6, address.octets.data(), text.data(), text.size());
}

std::string hexadecimal(std::string_view octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char octet : octets) {
    const auto value = static_cast<std::uint8_t>(octet);
    text += {digits[value >> 4U], digits[value & 0xfU]};
  }
  return text;
}

/// What the template makes of interface `d1`, octets in hexadecimal digits where they are no text.
std::string text_of(const options82::Template& of) {
  options82::InterfaceFacts facts;
  facts.name = "d1";
  std::string text;
  for (const auto& part : of.expand(facts)) {
    const auto* const known = std::get_if<std::string>(&part);
    text += known == nullptr ? "<blank>" : *known;
  }
  const bool is_text = std::all_of(text.begin(), text.end(), [](char octet) { return octet >= ' ' && octet <= '~'; });
  return is_text ? text : "0x" + hexadecimal(text);
}

std::string text_of(const InterfaceRole& role) {
  return std::string(role.downstream ? "down" : "") + (role.upstream ? "up" : "") + (role.lower ? "lower" : "") +
         (role.upper ? "upper" : "");
}

std::string text_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ",") + name;
  }
  return text;
}

template <typename Value>
std::string text_of(std::string_view name, const std::vector<Setting<Value>>& settings) {
  std::string text;
  for (const Setting<Value>& each : settings) {
    text += " " + std::string(name) + ":" + each.pattern + "=" + text_of(each.value);
  }
  return text;
}

std::string account_of(const Policy6& policy) {
  std::string text;
  const auto add = [&text](bool is_other, const std::string& word) { text += is_other ? " " + word : ""; };
  const Policy6 usual;
  add(policy.ports.server != usual.ports.server, "p:" + std::to_string(policy.ports.server));
  add(policy.ports.relay.has_value(), "rp:" + std::to_string(policy.ports.relay.value_or(0)));
  add(policy.hop_count_limit != usual.hop_count_limit, "c:" + std::to_string(policy.hop_count_limit));
  add(!policy.client_link_layer_address, "79:no");
  add(!policy.relays_reconfigure_requests, "no-reconfigure-request");
  add(!policy.relays_relay_supplied_options, "no-rsoo");
  add(policy.replies_from_anyone, "anyone");
  add(policy.upstream_named, "named");
  add(policy.source_address.has_value(), "source:" + text_of(policy.source_address.value_or(Ipv6Address{})));
  return text;
}

/// The families, and everything of DHCPv6 that differs from the default.
std::string compact(const Configuration& configuration) {
  const InterfaceSettings& interfaces = configuration.interfaces;
  const RelayForwardSettings& settings = interfaces.v6.relay_forward;
  std::string text = std::string(configuration.families.ipv4 ? "4" : "") + (configuration.families.ipv6 ? "6" : "");
  text += text_of("role", interfaces.roles) + text_of("server", configuration.servers) +
          account_of(configuration.policy6) + text_of("link", interfaces.v6.link_addresses) +
          text_of("18", interfaces.v6.interface_ids) + text_of("37", interfaces.v6.remote_ids) +
          text_of("38", interfaces.v6.subscriber_ids);
  const auto add = [&text](bool is_other, const std::string& word) { text += is_other ? " " + word : ""; };
  add(settings.interface_id, "I");
  add(settings.enterprise.has_value(), "enterprise:" + std::to_string(settings.enterprise.value_or(0)));
  add(!settings.relay_id.empty(), "53:" + hexadecimal(settings.relay_id));
  add(!settings.vss.empty(), "68:" + hexadecimal(settings.vss));
  for (const auto& [code, value] : settings.options) {
    add(true, std::to_string(code) + ":" + hexadecimal(value));
  }
  const PrefixSettings& prefixes = configuration.prefixes;
  const PrefixSettings usual;
  add(prefixes.log, "log-prefixes");
  add(prefixes.routes, "routes");
  add(prefixes.state_file != usual.state_file, "state:" + prefixes.state_file);
  add(prefixes.limits.per_client != usual.limits.per_client, "client:" + std::to_string(prefixes.limits.per_client));
  add(prefixes.limits.per_interface != usual.limits.per_interface,
      "interface:" + std::to_string(prefixes.limits.per_interface));
  for (const std::string& warning : configuration.warnings) {
    add(true, "warning:'" + warning + "'");
  }
  return text;
}

/// The account of the configuration, or `error: ` and the message.
std::string outcome(std::string_view words) {
  try {
    const auto result = read_configuration(split(words), "");
    const auto* const configuration = std::get_if<Configuration>(&result);
    return configuration == nullptr ? "printed" : compact(*configuration);
  } catch (const UsageError& error) {
    return "error: " + std::string(error.what());
  }
}

struct Case {
  std::string_view words;
  std::string_view expected;
};

void expect(const std::vector<Case>& cases) {
  for (const auto& [words, expected] : cases) {
    EXPECT_EQ(outcome(words), expected) << words;
  }
}

/// Each case stands behind `-id d1`, in front of `2001:db8::2`; what these two set is left out of `expected`.
void expect_with_minimum(const std::vector<Case>& cases) {
  for (const auto& [words, expected] : cases) {
    EXPECT_EQ(outcome("-id d1 " + std::string(words) + " 2001:db8::2"),
              "6 role:d1=down server:*=2001:db8::2" + std::string(expected.empty() ? "" : " ") + std::string(expected))
        << words;
  }
}

/// The same where the outcome is an error.
void expect_errors(const std::vector<Case>& cases) {
  for (const auto& [words, expected] : cases) {
    EXPECT_EQ(outcome("-id d1 " + std::string(words) + " 2001:db8::2"), "error: " + std::string(expected)) << words;
  }
}

TEST(Dhcpv6Families, AreThoseThatTheServersDemand) {
  expect({
      {"-id d1 10.9.0.2", "4 role:d1=down server:*=10.9.0.2"},
      {"-id d1 2001:db8::2", "6 role:d1=down server:*=2001:db8::2"},
      {"-id d1 10.9.0.2 2001:db8::2", "46 role:d1=down server:*=10.9.0.2,2001:db8::2"},
      {"-id d1 dhcp", "46 role:d1=down server:*=dhcp"},
      {"-4 -id d1 dhcp", "4 role:d1=down server:*=dhcp"},
      {"-6 -id d1 dhcp", "6 role:d1=down server:*=dhcp"},
      {"--ipv6-only -id d1 2001:db8::2", "6 role:d1=down server:*=2001:db8::2"},
      {"-id d1 10.9.0.2 --server d1=2001:db8::3,2001:db8::4",
       "46 role:d1=down server:*=10.9.0.2 server:d1=2001:db8::3,2001:db8::4"},
  });
}

TEST(Dhcpv6Families, ThatAreLeftOutAreNotNamed) {
  expect({
      {"-4 -6 -id d1 dhcp", "error: -4 contradicts -6; expected one of them"},
      {"-4 -id d1 2001:db8::2", "error: SERVER '2001:db8::2': contradicts -4; expected an IPv4 address or a host name"},
      {"-6 -id d1 10.9.0.2", "error: SERVER '10.9.0.2': contradicts -6; expected an IPv6 address or a host name"},
      {"-6 -id d1 dhcp --server d1=dhcp,10.9.0.2",
       "error: --server 'd1=dhcp,10.9.0.2': contradicts -6; expected an IPv6 address or a host name"},
      {"-4 -id d1 -l d2 dhcp", "error: -l 'd2': an interface of DHCPv6 contradicts -4; expected one of them"},
      {"--ipv4-only -id d1 -u u1 dhcp",
       "error: -u 'u1': an interface of DHCPv6 contradicts --ipv4-only; expected one of them"},
  });
}

TEST(Dhcpv6Servers, HaveAnInterfaceWhereTheirScopeNeedsOne) {
  expect({
      {"-id d1 fe80::1%u1", "6 role:d1=down server:*=fe80::1%u1"},
      {"-id d1 ff05::1:3%u1", "6 role:d1=down server:*=ff05::1:3%u1 anyone"},
      {"-id d1 FF02::1:2%u1", "6 role:d1=down server:*=FF02::1:2%u1 anyone"},
      {"-id d1 2001:db8::2%u1", "6 role:d1=down server:*=2001:db8::2%u1"},
      {"-id d1 fd00::2", "6 role:d1=down server:*=fd00::2"},
      {"-id d1 --server d1=ff05::1:3%u1 2001:db8::2",
       "6 role:d1=down server:*=2001:db8::2 server:d1=ff05::1:3%u1 anyone"},
  });
}

TEST(Dhcpv6Servers, ThatNoServerCanHaveAreRefused) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"::", "this address is nobody's; expected a server's address"},
      {"::1", "the relay itself listens on this address; expected another host's"},
      {"::ffff:10.9.0.2", "this address stands for an IPv4 address; expected that one, such as 192.0.2.1"},
      {"fe80::1", "expected the interface of this link-local address behind it, such as fe80::1%eth1"},
      {"ff05::1:3", "expected the interface of this multicast address behind it, such as ff05::1:3%eth1"},
      {"ff01::1%u1", "no host is reached by this multicast address; expected one such as ff05::1:3%eth1"},
      {"ff0f::1%u1", "no host is reached by this multicast address; expected one such as ff05::1:3%eth1"},
      {"fe80::1%", "expected an interface's name of 1 to 15 octets without '/', ':' or white space"},
      {"fe80::1%vlan*", "expected one interface's name, not a pattern"},
      {"[2001:db8::1]",
       "expected an IPv6 address without brackets and port, such as 2001:db8::1; the port is set by -p"},
      {"[2001:db8::1]:547",
       "expected an IPv6 address without brackets and port, such as 2001:db8::1; the port is set by -p"},
      {"2001:db8::1::2", "expected an IPv6 address such as 2001:db8::1 or fe80::1%eth1"},
      {"2001:db8::/32", "expected a server's address or name, not a subnet"},
  };
  for (const auto& [value, sentence] : cases) {
    EXPECT_EQ(outcome("-id d1 " + value), "error: SERVER '" + value + "': " + sentence);
    EXPECT_EQ(outcome("-id d1 --server d1=2001:db8::2," + value),
              "error: --server 'd1=2001:db8::2," + value + "': " + sentence);
  }
}

TEST(Dhcpv6Words, InterfacesOfIsc) {
  expect({
      {"-6 -l d1 -u u1", "6 role:d1=lower role:u1=upper server:*=ff05::1:3%u1 anyone named"},
      {"-l d1 -u u1", "6 role:d1=lower role:u1=upper server:*=ff05::1:3%u1 anyone named"},
      {"--lower=d1 --upper=u1", "6 role:d1=lower role:u1=upper server:*=ff05::1:3%u1 anyone named"},
      {"-l d1 -u 2001:db8::2%u1", "6 role:d1=lower role:u1=upper server:*=2001:db8::2%u1 named"},
      {"-l d1 -u fe80::2%u1 -u fe80::2%u1", "6 role:d1=lower role:u1=upper role:u1=upper server:*=fe80::2%u1 named"},
      {"-l 2001:db8:1::1%d1 2001:db8::2", "6 role:d1=lower server:*=2001:db8::2 link:d1=2001:db8:1::1"},
      {"-l vlan* 2001:db8::2", "6 role:vlan*=lower server:*=2001:db8::2"},
      {"-l d1 dhcp", "6 role:d1=lower server:*=dhcp"},
      {"-l d1 -id d2 10.9.0.2 2001:db8::2", "46 role:d1=lower role:d2=down server:*=10.9.0.2,2001:db8::2"},
      {"-6 -q -d -I -c 10 -p 1547 -s gold -l d1 -u u1",
       "6 role:d1=lower role:u1=upper server:*=ff05::1:3%u1 p:1547 c:10 anyone named 38:*=gold I"},
  });
}

TEST(Dhcpv6Words, IndexOfALowerInterfaceIsItsInterfaceIdInTheOrderOfThisHost) {
  const bool is_little = htonl(1) != 1;
  EXPECT_EQ(outcome("-l 2001:db8:1::1%d1#258 2001:db8::2"),
            std::string("6 role:d1=lower server:*=2001:db8::2 link:d1=2001:db8:1::1 18:d1=0x") +
                (is_little ? "02010000" : "00000102") + " I");
  EXPECT_EQ(outcome("-l d1#0 --circuit-id %i --circuit-id d1=x 2001:db8::2"),
            "6 role:d1=lower server:*=2001:db8::2 18:*=d1 18:d1=x 18:d1=0x00000000 I")
      << "the last one wins";
}

TEST(Dhcpv6Errors, InterfacesOfIsc) {
  const std::string address = "expected a global or unique-local IPv6 address of one host";
  const std::string index = "expected an index behind '#' from 0 to 2147483647";
  const std::string name = "expected an interface's name of 1 to 15 octets without '/', ':' or white space";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"-l fe80::1%d1", address},
      {"-l ff05::1%d1", address},
      {"-l ::1%d1", address},
      {"-l 10.0.0.1%d1", "expected an IPv6 address such as 2001:db8::1"},
      {"-l %d1", "expected an IPv6 address such as 2001:db8::1"},
      {"-l 2001:db8::1%", name},
      {"-l #1", name},
      {"-l 2001:db8::1", name},
      {"-l d1#", index},
      {"-l d1#-1", index},
      {"-l d1#2147483648", index},
      {"-l d1#1#2", index},
      {"-u vlan*", "expected one interface's name, not a pattern"},
      {"-u 10.0.0.1%u1", "expected an IPv6 address in front of '%', such as 2001:db8::1%eth0, or an interface alone"},
      {"-u ::1%u1", "the relay itself listens on this address; expected another host's"},
      {"-u 2001:db8::1", name},
  };
  for (const auto& [words, sentence] : cases) {
    EXPECT_EQ(outcome("-id d1 " + words + " 2001:db8::2"),
              "error: " + words.substr(0, 2) + " '" + words.substr(3) + "': " + sentence);
  }
  expect({
      {"-l d1 10.9.0.2",
       "error: -l 'd1': this interface has no server; expected -u IF, an IPv6 SERVER, or --server IF=ADDR for it"},
      {"-l d1 10.9.0.2 2001:db8::2",
       "error: no downstream interface of DHCPv4, for which there is a server: expected the clients' side as -id IF"},
      {"-6 -l d1", "error: no server: expected the address or name of at least one SERVER"},
      {"-6 -u u1",
       "error: no downstream interface: expected the clients' side as -id IF, or as -i IF if servers are there too"},
      {"-l 2001:db8:1::1%d1 --link-address d1=2001:db8:1::2 2001:db8::2",
       "error: --link-address 'd1=2001:db8:1::2': given twice for interface 'd1'"},
      {"-l d1 --giaddr d1=10.1.0.1 -id d2 10.9.0.2 2001:db8::2",
       "error: --giaddr 'd1=10.1.0.1': expected a downstream interface, one that -id or -i names"},
      {"-l d1 --link-address d2=2001:db8:1::2 2001:db8::2",
       "error: --link-address 'd2=2001:db8:1::2': expected a downstream interface, one that -id, -i or -l names"},
  });
}

TEST(Dhcpv6Words, Options) {
  expect_with_minimum({
      {"", ""},
      {"-I", "I"},
      {"--interface-id", "I"},
      {"--link-address 2001:db8:1::1", "link:*=2001:db8:1::1"},
      {"--link-address d1=fd00::1 --link-address 2001:db8:1::1", "link:*=2001:db8:1::1 link:d1=fd00::1"},
      {"--client-link-layer-address no", "79:no"},
      {"--client-link-layer-address yes", ""},
      {"--refuse reconfigure-request", "no-reconfigure-request"},
      {"--refuse relay-supplied-options", "no-rsoo"},
      {"--refuse relay-supplied-options --refuse reconfigure-request", "no-reconfigure-request no-rsoo"},
      {"--circuit-id d1=port:%i", "18:d1=port:d1"},
      {"--enterprise 4294967295 --remote-id x", "37:*=x enterprise:4294967295"},
      {"-s 12", "38:*=12"},
      {"--relay-id 0x00030001020000000001", "53:00030001020000000001"},
      {"--vss blue", "68:00626c7565"},
      {"--vss global", "68:ff"},
      {"--option6 17=0x0000000901", "17:0000000901"},
      {"--option6 106=cafe --option6 105=0x04", "106:63616665 105:04"},
      {"--source-address 2001:db8::9", "source:2001:db8::9"},
      {"--log-prefixes", "log-prefixes"},
      {"--routes --prefixes-per-client 1 --prefixes-per-interface 262144", "routes client:1 interface:262144"},
      {"--routes --prefixes-per-client 256 --prefixes-per-interface 1", "routes client:256 interface:1"},
      {"--routes --state-file /run/x", "routes state:/run/x"},
      {"--reply-from any", "anyone"},
      {"--trust d1 --rate-limit d1=5", ""},
      {"-p 65534", "p:65534"},
      {"-rp 67", "rp:67"},
      {"-c 32", "c:32"},
  });
  EXPECT_EQ(outcome("-id d1 -iu u1 2001:db8::2"), "6 role:d1=down role:u1=up server:*=2001:db8::2 named");
}

TEST(Dhcpv6Errors, Options) {
  expect_errors({
      {"--link-address fe80::1",
       "--link-address 'fe80::1': expected a global or unique-local IPv6 address of one host"},
      {"--link-address d1=10.0.0.1", "--link-address 'd1=10.0.0.1': expected an IPv6 address such as 2001:db8::1"},
      {"--source-address ff05::1",
       "--source-address 'ff05::1': expected a global or unique-local IPv6 address of one host"},
      {"--source-address 2001:db8::8 --source-address 2001:db8::9",
       "--source-address '2001:db8::9': given twice; expected once"},
      {"--client-link-layer-address maybe", "--client-link-layer-address 'maybe': expected yes or no"},
      {"--refuse all", "--refuse 'all': expected reconfigure-request or relay-supplied-options"},
      {"--enterprise 0", "--enterprise '0': expected a number from 1 to 4294967295"},
      {"--remote-id x", "--remote-id needs --enterprise N, with which Remote-Id of DHCPv6 begins (RFC 4649)"},
      {"--relay-id x",
       "--relay-id 'x': expected a DUID, 0x and the hexadecimal digits of 3 to 130 octets (RFC 8415 section 11.1)"},
      {"--relay-id 0x0003",
       "--relay-id '0x0003': expected a DUID, 0x and the hexadecimal digits of 3 to 130 octets (RFC 8415 section "
       "11.1)"},
      {"--option6 x",
       "--option6 'x': expected CODE=VALUE, a number from 1 to 65535 and text or 0x and hexadecimal digits"},
      {"--option6 0=x",
       "--option6 '0=x': expected CODE=VALUE, a number from 1 to 65535 and text or 0x and hexadecimal digits"},
      {"--option6 65536=x",
       "--option6 '65536=x': expected CODE=VALUE, a number from 1 to 65535 and text or 0x and hexadecimal digits"},
      {"--option6 17=", "--option6 '17=': expected text, or 0x and hexadecimal digits"},
      {"--option6 18=x", "--option6 '18=x': option 18 is written by the relay itself; expected another"},
      {"--option6 106=cafe",
       "--option6 '106=cafe': option 106 needs --option6 105=VALUE, the access technology type (RFC 7839 section 6)"},
      {"--option6 43=0x0012",
       "--option6 '43=0x0012': option 43 asks for an option back without which replies are dropped; expected none of "
       "18, 68 and 135"},
      {"--prefixes-per-client 0", "--prefixes-per-client '0': expected a number of prefixes from 1 to 256"},
      {"--prefixes-per-client 257", "--prefixes-per-client '257': expected a number of prefixes from 1 to 256"},
      {"--prefixes-per-interface 262145",
       "--prefixes-per-interface '262145': expected a number of prefixes from 1 to 262144"},
      {"--state-file=", "--state-file: expected a value, --state-file FILE"},
      {"--routes --capture-only", "--routes contradicts --capture-only, which relays nothing; expected one of them"},
      {"-p 1", "-p '1': expected a port from 2 to 65534, since clients of DHCPv6 are on the one below"},
      {"-rp 547", "-rp '547': expected another port than that of -p, 547"},
      {"-c 33", "-c '33': expected a number from 1 to 16, in DHCPv6 alone from 1 to 32"},
      {"-c 17 10.9.0.2", "-c '17': expected a number from 1 to 16, in DHCPv6 alone from 1 to 32"},
  });
}

TEST(Dhcpv6Errors, OptionsThatAreTooLargeTogether) {
  const std::string value(252, 'x');  // 256 octets with its head
  std::string words = "-id d1 2001:db8::2";
  for (int count = 0; count < 4; ++count) {
    words += " --option6 17=" + value;
  }
  EXPECT_THAT(outcome(words), StartsWith("6 role:d1=down server:*=2001:db8::2 17:7878"));
  EXPECT_EQ(outcome(words + " --option6 17=x"),
            "error: --option6 '17=x': too long: all options of --option6 have at most 1024 octets together");
}

TEST(Dhcpv6Warnings, WhatHasNoEffectInTheOneProtocolThatIsRelayed) {
  expect_with_minimum({
      {"-a", "warning:'-a has no effect where DHCPv4 is not relayed'"},
      {"-m append -D",
       "warning:'-m has no effect where DHCPv4 is not relayed' warning:'-D has no effect where DHCPv4 is not relayed'"},
      {"--source-address 10.9.0.1", "warning:'--source-address has no effect where DHCPv4 is not relayed'"},
      {"--giaddr d1=10.1.0.1", "warning:'--giaddr has no effect where DHCPv4 is not relayed'"},
      {"--reply-delivery unicast --reply-delivery d1=auto",
       "warning:'--reply-delivery has no effect where DHCPv4 is not relayed'"},
  });
  expect({
      {"-id d1 10.9.0.2 -I",
       "4 role:d1=down server:*=10.9.0.2 I warning:'-I has no effect where DHCPv6 is not relayed'"},
      {"-4 -id d1 dhcp --enterprise 9",
       "4 role:d1=down server:*=dhcp enterprise:9 warning:'--enterprise has no effect where DHCPv6 is not relayed'"},
      {"-id d1 dhcp -I --giaddr 10.1.0.1", "46 role:d1=down server:*=dhcp I"},
  });
}

TEST(Dhcpv6Warnings, WhatHasNoEffectInOneOfBoth) {
  expect({
      {"-id d1 10.9.0.2 2001:db8::2 --source-address 10.9.0.1 --source-address 2001:db8::9",
       "46 role:d1=down server:*=10.9.0.2,2001:db8::2 source:2001:db8::9"},
      {"-id d1 10.9.0.2 2001:db8::2 --subscriber-id x",
       "46 role:d1=down server:*=10.9.0.2,2001:db8::2 38:*=x "
       "warning:'--subscriber-id has no effect in DHCPv4 without -a, which adds option 82'"},
      {"-id d1 10.9.0.2 2001:db8::2 -a --remote-id x",
       "46 role:d1=down server:*=10.9.0.2,2001:db8::2 37:*=x "
       "warning:'--remote-id has no effect in DHCPv6 without --enterprise, with which Remote-Id begins'"},
      {"-id d1 10.9.0.2 2001:db8::2 -a --relay-id x",
       "46 role:d1=down server:*=10.9.0.2,2001:db8::2 warning:'--relay-id has no effect in DHCPv6, where it is a DUID, "
       "0x and the hexadecimal digits of 3 to 130 octets'"},
      {"-id d1 ff05::1:3%u1 --reply-from servers",
       "6 role:d1=down server:*=ff05::1:3%u1 anyone warning:'--reply-from servers has no effect in DHCPv6 with a "
       "multicast SERVER, which does not say who answers'"},
      {"-id d1 dhcp -a --remote-id x", "46 role:d1=down server:*=dhcp 37:*=x"},
      {"-id d1 dhcp --remote-id x", "error: --remote-id needs -a, which adds option 82"},
      {"-id d1 10.9.0.2 2001:db8::2 --link-selection", "error: --link-selection needs -a, which adds option 82"},
  });
}

Configuration configuration_of(std::string_view words) {
  return std::get<Configuration>(read_configuration(split(words), ""));
}

TEST(Dhcpv6Warnings, WhatPrefixesNobodyLooksAt) {
  const std::string words = "-id d1 2001:db8::2 ";
  EXPECT_EQ(outcome(words + "--log-prefixes --state-file x"),
            "6 role:d1=down server:*=2001:db8::2 log-prefixes state:x warning:'--state-file has no effect without "
            "--routes'");
  EXPECT_EQ(outcome(words + "--prefixes-per-client 9"),
            "6 role:d1=down server:*=2001:db8::2 client:9 warning:'--prefixes-per-client has no effect without "
            "--routes and --log-prefixes'");
}

TEST(Dhcpv6Environment, TheStateFileIsInTheFolderOfTheService) {
  const std::string words = "-id d1 2001:db8::2 --routes";
  EXPECT_EQ(configuration_of(words).prefixes.state_file, "/var/lib/dhcp-relay/prefixes");
  ::setenv("STATE_DIRECTORY", "/var/lib/dhcp-relay-lan:/var/lib/more", 1);
  EXPECT_EQ(configuration_of(words).prefixes.state_file, "/var/lib/dhcp-relay-lan/prefixes");
  EXPECT_EQ(configuration_of(words + " --state-file /run/x").prefixes.state_file, "/run/x");
  ::unsetenv("STATE_DIRECTORY");
}

TEST(Dhcpv6Reload, PrefixesAreLookedAtFromTheNextStart) {
  const Configuration before = configuration_of("-id d1 2001:db8::2 --prefixes-per-client 9 --log-prefixes");
  const Configuration after = configuration_of("-id d1 2001:db8::2 --routes --state-file x");
  EXPECT_THAT(flags_for_next_start(before, after), ElementsAre("--log-prefixes", "--routes", "--state-file"));
}

TEST(Dhcpv6Reload, FramesAreLookedAtFromTheNextStart) {
  const Configuration yes = configuration_of("-id d1 2001:db8::2");
  const Configuration no = configuration_of("-id d1 2001:db8::2 --client-link-layer-address no");
  EXPECT_THAT(flags_for_next_start(no, yes), ElementsAre("--client-link-layer-address yes"));
  EXPECT_THAT(flags_for_next_start(yes, no), IsEmpty()) << "option 79 is left out at once";
}

TEST(Dhcpv6Reload, AnotherFamilyIsRelayedFromTheNextStart) {
  const Configuration ipv4 = configuration_of("-id d1 10.9.0.2");
  const Configuration both = configuration_of("-id d1 10.9.0.2 2001:db8::2");
  EXPECT_THAT(flags_for_next_start(ipv4, both), ElementsAre("relaying DHCPv6"));
  EXPECT_THAT(flags_for_next_start(both, ipv4), IsEmpty());
  EXPECT_THAT(flags_for_next_start(ipv4, configuration_of("-id d1 dhcp")), IsEmpty()) << "of which nobody knows";
  EXPECT_THAT(flags_for_next_start(configuration_of("-id d1 2001:db8::2"), both), ElementsAre("relaying DHCPv4"));
}

}  // namespace
}  // namespace relay
