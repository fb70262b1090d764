// The command line and the file of flags: words in, a compact account of the configuration or the error out.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/config/configuration.h"

namespace relay {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::vector<std::string> split(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::vector<std::string> result;
  for (std::string word; words >> word;) {
    result.push_back(word);
  }
  return result;
}

std::string text_of(Ipv4Address address) {
  std::string text;
  for (const std::uint8_t octet : address.octets) {
    text += (text.empty() ? "" : ".") + std::to_string(octet);
  }
  return text;
}

std::string text_of(ExistingAgentInformation policy) {
  switch (policy) {
    case ExistingAgentInformation::by_rfc:
      return "by_rfc";
    case ExistingAgentInformation::append:
      return "append";
    case ExistingAgentInformation::replace:
      return "replace";
    case ExistingAgentInformation::forward:
      return "forward";
    case ExistingAgentInformation::discard:
      return "discard";
  }
  return "?";
}

std::string text_of(ReplyDelivery delivery) {
  switch (delivery) {
    case ReplyDelivery::automatic:
      return "auto";
    case ReplyDelivery::broadcast:
      return "broadcast";
    case ReplyDelivery::unicast:
      return "unicast";
  }
  return "?";
}

std::string text_of(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return "trace";
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "?";
}

std::string text_of(bool value) {
  return value ? "yes" : "no";
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

/// Collects `name:value` for everything that differs from a default configuration.
class Account {
 public:
  void add(std::string_view name, const std::string& value) {
    text_ += (text_.empty() ? "" : " ") + std::string(name) + ":" + value;
  }
  template <typename Value>
  void add_if_other(std::string_view name, const Value& value, const Value& usual) {
    if (value != usual) {
      if constexpr (std::is_integral_v<Value> && !std::is_same_v<Value, bool>) {
        add(name, std::to_string(value));
      } else {
        add(name, text_of(value));
      }
    }
  }
  template <typename Value>
  void add_settings(std::string_view name, const std::vector<Setting<Value>>& settings) {
    for (const Setting<Value>& each : settings) {
      add(name, each.pattern + "=" + text_of(each.value));
    }
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void account_for(Account& account, const Policy& policy) {
  const Policy usual;
  account.add_if_other("a", policy.add_agent_information, usual.add_agent_information);
  account.add_if_other("m", policy.existing_agent_information, usual.existing_agent_information);
  account.add_if_other("D", policy.drop_unmatched_replies, usual.drop_unmatched_replies);
  if (policy.max_request_size) {
    account.add("A", std::to_string(*policy.max_request_size));
  }
  account.add_if_other("c", policy.max_hops, usual.max_hops);
  account.add_if_other("secs", policy.min_secs, usual.min_secs);
  account.add_if_other("size", policy.min_size, usual.min_size);
  if (const auto* giaddr = std::get_if<Ipv4Address>(&policy.reply_giaddr)) {
    account.add("g", text_of(*giaddr));
  }
  account.add_if_other("anyone", policy.replies_from_anyone, usual.replies_from_anyone);
  account.add_if_other("named", policy.upstream_named, usual.upstream_named);
  if (policy.source_address) {
    account.add("source", text_of(*policy.source_address));
  }
}

std::string compact(const Configuration& configuration) {
  const Configuration usual;
  const InterfaceSettings& interfaces = configuration.interfaces;
  Account account;
  account.add_settings("role", interfaces.roles);
  account.add_settings("server", configuration.servers);
  account_for(account, configuration.policy);
  account.add_if_other("trust", interfaces.trusted, {});
  account.add_settings("giaddr", interfaces.giaddrs);
  if (!interfaces.giaddr_interface.empty()) {
    account.add("U", interfaces.giaddr_interface);
  }
  account.add_settings("delivery", interfaces.reply_delivery);
  account.add_settings("refuses", interfaces.refuses_relayed);
  account.add_if_other("link", interfaces.agent_information.link_selection, false);
  account.add_if_other("sub19", interfaces.agent_information.source_port, false);
  account.add_if_other("p", configuration.port, usual.port);
  if (configuration.relay_port) {
    account.add("rp", std::to_string(*configuration.relay_port));
  }
  account.add_if_other("d", configuration.foreground, usual.foreground);
  account.add_if_other("q", configuration.quiet, usual.quiet);
  if (configuration.user != usual.user) {
    account.add("user", configuration.user);
  }
  if (configuration.pid_file != (configuration.foreground ? "" : usual.pid_file)) {
    account.add("pid", configuration.pid_file);
  }
  for (const std::string& warning : configuration.warnings) {
    account.add("warning", "'" + warning + "'");
  }
  account.add_if_other("level", configuration.log_level, usual.log_level);
  if (configuration.log_format != usual.log_format) {
    account.add("format", "json");
  }
  return account.text();
}

/// The account of the configuration, or `error: ` and the message.
std::string outcome(const std::vector<std::string>& words) {
  try {
    const auto result = read_configuration(words, "");
    const auto* const configuration = std::get_if<Configuration>(&result);
    return configuration == nullptr ? "printed" : compact(*configuration);
  } catch (const UsageError& error) {
    return "error: " + std::string(error.what());
  }
}

std::string outcome(std::string_view words) {
  return outcome(split(words));
}

/// What a refused value comes to.
std::string refusal(std::string_view flag, std::string_view value, std::string_view sentence) {
  return std::string("error: ").append(flag).append(" '").append(value).append("': ").append(sentence);
}

struct Case {
  std::string_view words;
  std::string_view expected;
};

/// Each case stands behind `-id d1`, in front of `10.9.0.2`; what these two set is left out of `expected`.
void expect_with_minimum(const std::vector<Case>& cases) {
  for (const auto& [words, expected] : cases) {
    const std::string minimum = "role:d1=down server:*=10.9.0.2";
    EXPECT_EQ(outcome("-id d1 " + std::string(words) + " 10.9.0.2"),
              minimum + (expected.empty() ? "" : " ") + std::string(expected))
        << words;
  }
}

/// The same where the outcome is an error.
void expect_errors(const std::vector<Case>& cases) {
  for (const auto& [words, expected] : cases) {
    EXPECT_EQ(outcome("-id d1 " + std::string(words) + " 10.9.0.2"), "error: " + std::string(expected)) << words;
  }
}

TEST(Words, IscSpellings) {
  expect_with_minimum({
      {"", ""},
      {"-4", ""},
      {"-a", "a:yes"},
      {"-a -m append", "a:yes m:append"},
      {"-a -m replace", "a:yes m:replace"},
      {"-m forward", "m:forward"},
      {"-m discard", "m:discard"},
      {"-a -D", "a:yes D:yes"},
      {"-A 576", "A:576"},
      {"-c 10", "c:10"},
      {"-U lo", "a:yes U:lo link:yes"},
      {"-g 10.1.0.9", "g:10.1.0.9"},
      {"-p 6767", "p:6767"},
      {"-rp 6767", "a:yes sub19:yes rp:6767"},
      {"-p 6767 -rp 67", "a:yes sub19:yes p:6767 rp:67"},
      {"-d", "d:yes"},
      {"-q", "q:yes"},
      {"-pf /tmp/x.pid", "pid:/tmp/x.pid"},
      {"--no-pid", "pid:"},
      {"--user dhcp", "user:dhcp"},
      {"--user root", "user:root"},
      {"-d -d -q -q -a -a -D -D -4 -4 --no-pid --no-pid", "a:yes D:yes d:yes q:yes"},
  });
}

TEST(Words, LongSpellings) {
  expect_with_minimum({
      {"--ipv4-only", ""},
      {"--relay-agent-information --policy append", "a:yes m:append"},
      {"--policy=discard", "m:discard"},
      {"--relay-agent-information --drop-unmatched", "a:yes D:yes"},
      {"--max-size 64", "A:64"},
      {"--max-size=65507", "A:65507"},
      {"--max-hops=1", "c:1"},
      {"--max-hops 16", "c:16"},
      {"--link-selection-interface lo", "a:yes U:lo link:yes"},
      {"--reply-giaddr zero", "g:0.0.0.0"},
      {"--reply-giaddr keep", ""},
      {"--reply-giaddr=10.1.0.9", "g:10.1.0.9"},
      {"--port 65534", "p:65534"},
      {"--port=1", "p:1"},
      {"--relay-port=65535", "a:yes sub19:yes rp:65535"},
      {"--foreground --quiet", "d:yes q:yes"},
      {"--pid-file=x.pid", "pid:x.pid"},
      {"--link-selection -a", "a:yes link:yes"},
      {"--trust d1 --trust d?", "trust:d1,d?"},
      {"--giaddr 10.1.0.1", "giaddr:*=10.1.0.1"},
      {"--giaddr d1=10.1.0.1", "giaddr:d1=10.1.0.1"},
      {"--giaddr-policy drop", "refuses:*=yes"},
      {"--giaddr-policy d1=forward --giaddr-policy drop", "refuses:*=yes refuses:d1=no"},
      {"--source-address 10.9.0.1", "source:10.9.0.1"},
      {"--reply-from any", "anyone:yes"},
      {"--reply-from servers", ""},
      {"--reply-delivery broadcast", "delivery:*=broadcast"},
      {"--reply-delivery d1=unicast --reply-delivery=auto", "delivery:*=auto delivery:d1=unicast"},
      {"--min-secs 0", ""},
      {"--min-secs 65535", "secs:65535"},
      {"--strict-size", "size:300"},
      {"--log-level trace", "level:trace"},
      {"--log-level debug", "level:debug"},
      {"--log-level info", ""},
      {"--log-level warning", "level:warning"},
      {"--log-level error", "level:error"},
      {"--log-format text", ""},
      {"--log-format json", "format:json"},
  });
}

// What start scripts and documents of distributions run, the program's name left out, with addresses of our own. They
// are the reason why the words stay as ISC has them.
TEST(Words, InvocationsOfDistributions) {
  const std::vector<Case> cases = {
      // Debian, isc-dhcp-relay 4.4.3-P1: /etc/init.d/isc-dhcp-relay, -q $OPTIONS, -i for each of INTERFACES, $SERVERS.
      {"-q -i eth0 172.16.0.10", "role:eth0=downup server:*=172.16.0.10 named:yes q:yes"},
      {"-q -a -D -i eth0 -i eth1 10.0.0.1 10.0.0.2",
       "role:eth0=downup role:eth1=downup server:*=10.0.0.1,10.0.0.2 a:yes D:yes named:yes q:yes"},
      // VyOS, vyos-1x: src/systemd/isc-dhcp-relay.service with data/templates/dhcp-relay/dhcrelay.conf.j2, its older
      // form
      // with interface and the one with listen-interface and upstream-interface.
      {"-4 -pf /run/dhcp-relay/dhcrelay.pid -c 10 -a -m forward -A 576 -i eth1 -i eth2 10.0.1.4",
       "role:eth1=downup role:eth2=downup server:*=10.0.1.4 a:yes m:forward A:576 c:10 named:yes "
       "pid:/run/dhcp-relay/dhcrelay.pid"},
      {"-4 -pf /run/dhcp-relay/dhcrelay.pid -c 10 -a -m forward -id eth1 -id eth1.20 -iu eth2 10.0.1.4 10.0.1.5",
       "role:eth1=down role:eth1.20=down role:eth2=up server:*=10.0.1.4,10.0.1.5 a:yes m:forward c:10 named:yes "
       "pid:/run/dhcp-relay/dhcrelay.pid"},
      // Its hop-count goes up to 255, which no message survives (RFC 1542 section 4.1.1).
      {"-4 -c 255 -i eth1 10.0.1.4", "error: -c '255': expected a number from 1 to 16, in DHCPv6 alone from 1 to 32"},
      // OpenWrt, packages: net/isc-dhcp/files/dhcrelay4.init.
      {"-4 -q -pf /var/run/dhcrelay4.pid -i br-lan -i eth0.2 -U eth0.2 -m replace 192.0.2.10",
       "role:br-lan=downup role:eth0.2=downup server:*=192.0.2.10 a:yes m:replace named:yes U:eth0.2 link:yes q:yes "
       "pid:/var/run/dhcrelay4.pid"},
      // Fedora and Red Hat: dhcrelay.service, whose ExecStart the documentation has completed so.
      {"-d --no-pid -i enp1s0 192.0.2.1", "role:enp1s0=downup server:*=192.0.2.1 named:yes d:yes"},
      {"-d --no-pid 172.16.2.2",
       "error: no downstream interface: expected the clients' side as -id IF, or as -i IF if servers are there too"},
      // OpenStack, neutron's guide to provisioning, for Fedora: the servers in front.
      {"-d --no-pid 172.20.0.10 172.20.0.1 -iu eth0 -id eth1 -id eth2",
       "role:eth0=up role:eth1=down role:eth2=down server:*=172.20.0.10,172.20.0.1 named:yes d:yes"},
      // runit and OpenRC services that others keep (/etc/sv/dhcrelay): the servers' segment by its broadcast address.
      {"-4 -pf /var/run/dhcrelay.pid -d 192.168.0.255 -i eth0",
       "role:eth0=downup server:*=192.168.0.255 named:yes d:yes pid:/var/run/dhcrelay.pid"},
      // pfSense, as its own page of processes shows it.
      {"-i em1 192.168.56.10", "role:em1=downup server:*=192.168.56.10 named:yes"},
      // Containers: modem7/DHCP-Relay, entrypoint.
      {"-id eno1 -iu br_pihole -4 -d --no-pid 172.33.0.100",
       "role:eno1=down role:br_pihole=up server:*=172.33.0.100 named:yes d:yes"},
      // Interfaces without a flag are taken for servers, by ISC dhcrelay too.
      {"-4 -d 192.234.3.13 eth1 eth2",
       "error: no downstream interface: expected the clients' side as -id IF, or as -i IF if servers are there too"},
      // Patched programs. Cumulus Linux: /usr/sbin/dhcrelay --nl.
      {"--nl -d -q -i vlan1 -i swp51 -i swp52 172.16.1.102", "error: unknown flag '--nl': --help lists the known ones"},
      // SONiC, dockers/docker-dhcp-relay/dhcpv4-relay.agents.j2: templates behind -a, a map of aliases, -pg.
      {"-d -m discard -a %h:%p %P --name-alias-map-file /tmp/map.txt -id Vlan1000 -iu PortChannel1 -pg 192.168.0.1 "
       "192.0.0.1",
       "error: unknown flag '--name-alias-map-file': --help lists the known ones"},
      // The same in our words.
      {"-d -m discard -a --circuit-id %h:%p --remote-id %m -id Vlan1000 --giaddr Vlan1000=192.168.0.1 192.0.0.1",
       "role:Vlan1000=down server:*=192.0.0.1 a:yes m:discard giaddr:Vlan1000=192.168.0.1 d:yes"},
      // DHCPv6.
      {"-6 -l eth1 -u eth0", "role:eth1=lower role:eth0=upper server:*=ff05::1:3%eth0"},
  };
  for (const auto& [words, expected] : cases) {
    EXPECT_EQ(outcome(words), expected) << words;
  }
}

TEST(Words, InterfacesAndServers) {
  const std::vector<Case> cases = {
      {"-i e0 s", "role:e0=downup server:*=s named:yes"},
      {"--interface e0 s", "role:e0=downup server:*=s named:yes"},
      {"-id e0 -iu e1 s", "role:e0=down role:e1=up server:*=s named:yes"},
      {"--downstream=e0 --upstream=e1 s", "role:e0=down role:e1=up server:*=s named:yes"},
      {"-id e0 -iu e0 s", "role:e0=down role:e0=up server:*=s named:yes"},
      {"-id vlan* s", "role:vlan*=down server:*=s"},
      {"s -id e0 t", "role:e0=down server:*=s,t"},
      {"-id e0 s t s", "role:e0=down server:*=s,t"},
      {"-id e0 -- s", "role:e0=down server:*=s"},
      {"-id e0 --server s,t u", "role:e0=down server:*=s,t,u"},
      {"-id e0 --server e0=s,t", "role:e0=down server:e0=s,t"},
      {"-id e0 --server e0=s --server e0=t --server e0=s", "role:e0=down server:e0=s,t"},
      {"-id e0 --server e0=s u", "role:e0=down server:*=u server:e0=s"},
      {"-id e0 --server=e0=s --server=u", "role:e0=down server:*=u server:e0=s"},
      {"-id vlan* --server vlan3=s u", "role:vlan*=down server:*=u server:vlan3=s"},
      {"-id vlan3 --server vlan*=s", "role:vlan3=down server:vlan*=s"},
      {"-id vlan* --server vlan1?=s", "role:vlan*=down server:vlan1?=s"},
      {"-id e0 10.9.0.255 dhcp-1.example.net. 192.0.2.1",
       "role:e0=down server:*=10.9.0.255,dhcp-1.example.net.,192.0.2.1"},
      {"-id e0 3com.example", "role:e0=down server:*=3com.example"},
      {"-id 123456789012345 s", "role:123456789012345=down server:*=s"},
  };
  for (const auto& [words, expected] : cases) {
    EXPECT_EQ(outcome(words), expected) << words;
  }
}

TEST(Words, ValueOfAnIscFlagIsTheNextWordUnlessThatIsAFlag) {
  expect_with_minimum({{"-pf -x", "pid:-x"}, {"-pf --x", "pid:--x"}, {"--pid-file=-q", "pid:-q"}});
  EXPECT_THAT(outcome("-id -d 10.9.0.2"), testing::StartsWith("error: -id"));
  EXPECT_THAT(outcome("-id d1 10.9.0.2 -pf --no-pid"), testing::StartsWith("error: -pf"));
}

TEST(Errors, UnknownFlags) {
  expect_errors({
      {"-7", "unknown flag '-7': --help lists the known ones"},
      {"-x", "unknown flag '-x': --help lists the known ones"},
      {"-R", "unknown flag '-R': --help lists the known ones"},
      {"-QQ", "unknown flag '-QQ': --help lists the known ones"},
      {"-IU x", "unknown flag '-IU': did you mean -iu?"},
      {"--prot 67", "unknown flag '--prot': did you mean --port?"},
      {"--prot=67", "unknown flag '--prot': did you mean --port?"},
      {"--foregroud", "unknown flag '--foregroud': did you mean --foreground?"},
      {"--down", "unknown flag '--down': did you mean --downstream?"},
      {"--id", "unknown flag '--id': did you mean -id?"},
      {"-downstream", "unknown flag '-downstream': did you mean --downstream?"},
      {"-intreface", "unknown flag '-intreface': did you mean --interface?"},
  });
}

TEST(Errors, ValuesGluedToIscFlags) {
  expect_errors({
      {"-id=d1", "'-id=d1': expected the value of -id as the next word, -id 'd1'"},
      {"-idd1", "'-idd1': expected the value of -id as the next word, -id 'd1'"},
      {"-c4", "'-c4': expected the value of -c as the next word, -c '4'"},
      {"-rp6767", "'-rp6767': expected the value of -rp as the next word, -rp '6767'"},
      {"-mappend", "'-mappend': expected the value of -m as the next word, -m 'append'"},
      {"-q=1", "'-q=1': -q takes no value"},
      {"--quiet=yes", "'--quiet=yes': --quiet takes no value"},
      {"--quiet=", "'--quiet=': --quiet takes no value"},
  });
}

TEST(Errors, NamesAreNotGuessed) {
  expect_errors({
      {"--quie", "unknown flag '--quie': did you mean --quiet?"},
      {"--log-l info", "unknown flag '--log-l': did you mean --log-level?"},
      {"--QUIET", "unknown flag '--QUIET': did you mean --quiet?"},
  });
}

TEST(Errors, MissingValues) {
  const std::vector<Case> cases = {
      {"-i", "-i: expected a value, -i IF"},
      {"-id", "-id: expected a value, -id IF"},
      {"-iu", "-iu: expected a value, -iu IF"},
      {"-m", "-m: expected a value, -m append|replace|forward|discard"},
      {"-A", "-A: expected a value, -A N"},
      {"-c", "-c: expected a value, -c N"},
      {"-U", "-U: expected a value, -U IF"},
      {"-g", "-g: expected a value, -g ADDR|zero|keep"},
      {"-p", "-p: expected a value, -p PORT"},
      {"-rp", "-rp: expected a value, -rp PORT"},
      {"-pf", "-pf: expected a value, -pf FILE"},
      {"--config", "--config: expected a value, --config FILE"},
      {"--port", "--port: expected a value, --port PORT"},
      {"--port=", "--port: expected a value, --port PORT"},
      {"--port= 67", "--port: expected a value, --port PORT"},
      {"--port --quiet", "--port: expected a value, --port PORT"},
      {"--port -q", "--port: expected a value, --port PORT"},
  };
  for (const auto& [words, expected] : cases) {
    EXPECT_EQ(outcome("-id d1 10.9.0.2 " + std::string(words)), "error: " + std::string(expected)) << words;
  }
}

TEST(Errors, EmptyValues) {
  const std::vector<std::pair<std::vector<std::string>, std::string_view>> cases = {
      {{"-p", ""}, "-p '': expected a port from 1 to 65534"},
      {{"--max-hops", ""}, "--max-hops '': expected a number from 1 to 16, in DHCPv6 alone from 1 to 32"},
      {{"-m", ""}, "-m '': expected append, replace, forward or discard"},
      {{"-pf", ""}, "-pf '': expected the name of a file without control characters"},
      {{"--config", ""}, "--config '': expected the name of a file without control characters"},
      {{"-iu", ""}, "-iu '': expected an interface's name of 1 to 15 octets without '/', ':' or white space"},
      {{"-g", ""}, "-g '': expected an IPv4 address, zero or keep"},
      {{"--trust", ""}, "--trust '': expected an interface's name of 1 to 15 octets without '/', ':' or white space"},
      {{"--server", ""},
       "--server '': expected an IP address or a host name of letters, digits, hyphens and dots, "
       "at most 253 octets"},
      {{""},
       "SERVER '': expected an IP address or a host name of letters, digits, hyphens and dots, at most 253 "
       "octets"},
  };
  for (const auto& [words, expected] : cases) {
    std::vector<std::string> all = {"-id", "d1", "10.9.0.2"};
    all.insert(all.end(), words.begin(), words.end());
    EXPECT_EQ(outcome(all), "error: " + std::string(expected));
  }
}

TEST(Errors, Numbers) {
  struct Range {
    std::string_view flag;
    std::string_view noun;
    long least;
    long most;
  };
  const std::vector<Range> ranges = {
      {"-p", "a port", 1, 65534},
      {"-rp", "a port", 1, 65535},
      {"-c", "a number from 1 to 16, in DHCPv6 alone", 1, 32},
      {"-A", "a number of octets", 64, 65507},
      {"--min-secs", "a number of seconds", 0, 65535},
  };
  for (const Range& range : ranges) {
    const std::string sentence = "expected " + std::string(range.noun) + " from " + std::to_string(range.least) +
                                 " to " + std::to_string(range.most);
    for (const std::string& value :
         {std::to_string(range.least - 1), std::to_string(range.most + 1), std::string("-5"), std::string("+5"),
          std::string("abc"), std::string("5x"), std::string("0x10"), std::string("4294967301"), std::string("1e1"),
          std::string("99999999999999999999999"), std::string("5.0"), std::string("5,6")}) {
      const std::string flag(range.flag);
      EXPECT_EQ(outcome({"-id", "d1", flag, value, "s"}), refusal(flag, value, sentence));
    }
    EXPECT_EQ(outcome({"-id", "d1", std::string(range.flag), " 5", "s"}), refusal(range.flag, " 5", sentence));
  }
}

TEST(Errors, Choices) {
  expect_errors({
      {"-a -m drop", "-m 'drop': expected append, replace, forward or discard"},
      {"-a -m Append", "-m 'Append': expected append, replace, forward or discard"},
      {"--reply-from all", "--reply-from 'all': expected servers or any"},
      {"--reply-delivery flood", "--reply-delivery 'flood': expected auto, broadcast or unicast"},
      {"--reply-delivery d1=", "--reply-delivery 'd1=': expected auto, broadcast or unicast"},
      {"--giaddr-policy keep", "--giaddr-policy 'keep': expected forward or drop"},
      {"--log-level verbose", "--log-level 'verbose': expected trace, debug, info, warning or error"},
      {"--log-format xml", "--log-format 'xml': expected text or json"},
  });
}

TEST(Errors, HostAddresses) {
  const std::string one_host =
      "expected the IPv4 address of one host, not a multicast, broadcast, loopback or reserved one";
  for (const std::string flag : {"--giaddr", "--source-address", "-g"}) {
    for (const std::string value : {"255.255.255.255", "224.0.0.1", "127.0.0.1", "0.1.2.3", "240.0.0.1"}) {
      EXPECT_EQ(outcome({"-id", "d1", flag, value, "s"}), refusal(flag, value, one_host));
    }
    for (const std::string value : {"10.0.0", "10.0.0.256", "10.0.0.1/24", "1.2.3.4.5", "010.0.0.1", "10.0.0.1 "}) {
      EXPECT_EQ(outcome({"-id", "d1", flag, value, "s"}),
                refusal(flag, value, "expected an IPv4 address such as 192.0.2.1"));
    }
  }
  expect_errors({
      {"--giaddr fe80::1", "--giaddr 'fe80::1': expected an IPv4 address such as 192.0.2.1"},
      {"--giaddr d1=", "--giaddr 'd1=': expected an IPv4 address such as 192.0.2.1"},
      {"--giaddr =10.0.0.1",
       "--giaddr '=10.0.0.1': expected an interface's name of 1 to 15 octets without '/', ':' or "
       "white space"},
      {"--source-address d1=10.0.0.1", "--source-address 'd1=10.0.0.1': expected an IPv4 address such as 192.0.2.1"},
      {"-g none", "-g 'none': expected an IPv4 address, zero or keep"},
      {"-g 0.0.0.0", "-g '0.0.0.0': expected an IPv4 address, zero or keep; 0.0.0.0 is written zero"},
  });
}

TEST(Errors, Servers) {
  const std::string name =
      "expected an IP address or a host name of letters, digits, hyphens and dots, at most 253 "
      "octets";
  const std::string port = "expected a server's address or name alone; its port is set by -p";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"255.255.255.255",
       "no router forwards this broadcast; expected a server's address or its subnet's broadcast address"},
      {"0.0.0.0", "this address is nobody's; expected a server's address"},
      {"127.0.0.1", "the relay itself listens on this address; expected another host's"},
      {"250.1.2.3", "this address is reserved; expected a server's address"},
      {"0.0.0.7", "this address is reserved; expected a server's address"},
      {"10.0.0.1:67", port},
      {"dhcp:67", port},
      {"10.9.0.0/24", "expected a server's address or name, not a subnet"},
      {"10.9.0", "expected an IPv4 address such as 192.0.2.1"},
      {"10.9.0.256", "expected an IPv4 address such as 192.0.2.1"},
      {"12345", name},
      {"-host", name},
      {"host-.net", name},
      {"a..b", name},
      {".", "expected an IPv4 address such as 192.0.2.1"},
      {"a_b", name},
      {"a b", name},
      {std::string(64, 'a'), ""},
  };
  for (const auto& [value, sentence] : cases) {
    if (value.front() != '-') {
      EXPECT_THAT(outcome({"-id", "d1", value}), AllOf(StartsWith("error: SERVER '"), EndsWith(sentence))) << value;
    }
    EXPECT_THAT(outcome({"-id", "d1", "--server", value}), AllOf(StartsWith("error: --server '"), EndsWith(sentence)))
        << value;
    EXPECT_THAT(outcome({"-id", "d1", "--server=d1=10.9.0.2," + value}),
                AllOf(StartsWith("error: --server 'd1=10.9.0.2,"), EndsWith(sentence)))
        << value;
  }
  EXPECT_EQ(outcome("-id d1 d1=s"),
            "error: SERVER 'd1=s': expected a server's address or name; servers of one "
            "interface are given as --server IF=ADDR");
  for (const std::string_view list : {"--server=,", "--server=s,", "--server=,s", "--server=d1="}) {
    EXPECT_THAT(outcome("-id d1 " + std::string(list)), EndsWith(name)) << list;
  }
}

TEST(Errors, LongestHostName) {
  std::string longest;
  while (longest.size() < 253) {
    longest += std::string(longest.size() == 192 ? 61 : 63, 'a') + (longest.size() == 192 ? "" : ".");
  }
  EXPECT_EQ(longest.size(), 253U);
  EXPECT_EQ(outcome({"-id", "d1", longest}), "role:d1=down server:*=" + longest);
  EXPECT_THAT(outcome({"-id", "d1", longest + "a"}), StartsWith("error: SERVER 'aaa"));
}

TEST(Errors, InterfaceNames) {
  const std::string sentence = "expected an interface's name of 1 to 15 octets without '/', ':' or white space";
  const std::string longest_pattern = std::string(63, 'v') + "*";
  for (const std::string flag : {"-i", "-id", "-iu", "-U", "--trust"}) {
    for (const std::string value : {"e/0", "e 0", "e0:1", ".", "..", "e\t0"}) {
      EXPECT_THAT(outcome({"-id", "d1", flag, value, "s"}), AllOf(StartsWith("error: " + flag), EndsWith(sentence)));
    }
    EXPECT_EQ(outcome({"-id", "d1", flag, "1234567890123456", "s"}),
              "error: " + flag + " '1234567890123456': too long: an interface's name has at most 15 octets");
  }
  EXPECT_EQ(outcome({"-id", longest_pattern, "s"}), "role:" + longest_pattern + "=down server:*=s");
  EXPECT_THAT(outcome({"-id", "v" + longest_pattern, "s"}),
              EndsWith("too long: a pattern of interface names has at most 64 octets"));
  EXPECT_EQ(outcome("-id vlan[1 s"), "error: -id 'vlan[1': expected a shell pattern; '[' stands without its ']'");
  EXPECT_EQ(outcome("-id d1 -U vlan* s"), "error: -U 'vlan*': expected one interface's name, not a pattern");
}

TEST(Errors, SettingsOfInterfacesThatAreNotDownstream) {
  const std::string of_dhcpv4 = "expected a downstream interface, one that -id or -i names";
  const std::string sentence = "expected a downstream interface, one that -id, -i or -l names";
  expect_errors({
      {"--server d2=10.9.0.3", "--server 'd2=10.9.0.3': " + sentence},
      {"--server v*=10.9.0.3", "--server 'v*=10.9.0.3': " + sentence},
      {"-iu u1 --server u1=10.9.0.3", "--server 'u1=10.9.0.3': " + sentence},
      {"--giaddr d2=10.1.0.1", "--giaddr 'd2=10.1.0.1': " + of_dhcpv4},
      {"--giaddr-policy d2=drop", "--giaddr-policy 'd2=drop': " + of_dhcpv4},
      {"--reply-delivery d2=auto", "--reply-delivery 'd2=auto': " + of_dhcpv4},
      {"--trust d2", "--trust 'd2': " + sentence},
  });
  EXPECT_EQ(outcome("-id d1 -id d2 --server d1=s"),
            "error: -id 'd2': this interface has no server; expected a SERVER, or --server IF=ADDR for it");
}

TEST(Errors, Incomplete) {
  const std::string no_downstream =
      "error: no downstream interface: expected the clients' side as -id IF, or as -i IF "
      "if servers are there too";
  EXPECT_EQ(outcome(""), no_downstream);
  EXPECT_EQ(outcome("10.9.0.2"), no_downstream);
  EXPECT_EQ(outcome("-iu e1 10.9.0.2"), no_downstream);
  EXPECT_EQ(outcome("-id e1"), "error: no server: expected the address or name of at least one SERVER");
}

TEST(Errors, GivenTwice) {
  for (const std::string_view words :
       {"-m forward -m forward", "-A 576 -A 577", "-c 4 -c 4", "-U lo -U e1", "-g zero --reply-giaddr keep",
        "-p 67 --port 67", "-rp 1 -rp 2", "-pf a -pf b", "--source-address 10.0.0.1 --source-address 10.0.0.2",
        "--reply-from any --reply-from any", "--min-secs 1 --min-secs 2", "--log-level info --log-level info",
        "--log-format text --log-format json", "--config a --config b"}) {
    const std::vector<std::string> parts = split(words);
    EXPECT_EQ(outcome("-id d1 " + std::string(words) + " s"),
              refusal(parts[2], parts[3], "given twice; expected once"));
  }
  expect_errors({
      {"--giaddr 10.1.0.1 --giaddr 10.1.0.2", "--giaddr '10.1.0.2': given twice for all interfaces"},
      {"--giaddr d1=10.1.0.1 --giaddr d1=10.1.0.2", "--giaddr 'd1=10.1.0.2': given twice for interface 'd1'"},
      {"--reply-delivery d1=auto --reply-delivery d1=unicast",
       "--reply-delivery 'd1=unicast': given twice for interface 'd1'"},
      {"--giaddr-policy drop --giaddr-policy forward", "--giaddr-policy 'forward': given twice for all interfaces"},
  });
}

TEST(Errors, Contradictions) {
  expect_errors({
      {"-rp 67", "-rp '67': expected another port than that of -p, 67"},
      {"-p 6767 -rp 6767", "-rp '6767': expected another port than that of -p, 6767"},
      {"-pf a --no-pid", "-pf 'a': contradicts --no-pid; expected one of them"},
      {"--user a:b", "--user 'a:b': expected the name of an account such as nobody"},
      {"-U lo --giaddr 10.1.0.1",
       "-U 'lo': contradicts --giaddr for all interfaces; expected one of them, or --giaddr IF=ADDR"},
      {"--link-selection", "--link-selection needs -a, which adds option 82"},
  });
  expect_with_minimum({
      {"-U lo --giaddr d1=10.1.0.1", "a:yes giaddr:d1=10.1.0.1 U:lo link:yes"},
      {"-U lo -D -m append", "a:yes m:append D:yes U:lo link:yes"},
      {"-rp 1067 -D", "a:yes D:yes sub19:yes rp:1067"},
      {"-a -D -m append -A 600", "a:yes m:append D:yes A:600"},
  });
}

// As in ISC dhcrelay: in the foreground there is no pid file unless it is asked for.
TEST(Words, PidFileInTheForeground) {
  const auto pid_file = [](const std::vector<std::string>& words) {
    return std::get<Configuration>(read_configuration(words, "")).pid_file;
  };
  EXPECT_EQ(pid_file({"-id", "d1", "10.9.0.2"}), "/run/dhcp-relay.pid");
  EXPECT_EQ(pid_file({"-d", "-id", "d1", "10.9.0.2"}), "");
  EXPECT_EQ(pid_file({"-d", "-pf", "x", "-id", "d1", "10.9.0.2"}), "x");
  EXPECT_EQ(pid_file({"--no-pid", "-id", "d1", "10.9.0.2"}), "");
}

// ISC dhcrelay's users change the program's name alone: what ISC ignores is said, not refused.
TEST(Warnings, WhatHasNoEffect) {
  expect_with_minimum({
      {"-m append", "m:append warning:'-m append has no effect without -a, which adds option 82'"},
      {"--policy replace", "m:replace warning:'--policy replace has no effect without -a, which adds option 82'"},
      {"-m forward", "m:forward"},
      {"-D", "D:yes warning:'-D has no effect without -a, which adds option 82'"},
  });
}

// Every flag against values that no administrator means: one line, not too long, printable, whatever comes.
TEST(Errors, AreOneShortPrintableLine) {
  const std::vector<std::string> values = {std::string(100000, 'x'),
                                           std::string(100000, '\x01'),
                                           std::string(100000, '9'),
                                           std::string("d1\0=10.0.0.1", 11),
                                           "\n\r\x1b[31m",
                                           std::string("10.0.0.1\0", 9),
                                           "\xff\xfe=\xc3\xa4",
                                           std::string(100000, '='),
                                           "'\\'",
                                           std::string(50000, '*') + "=",
                                           std::string(70000, '-')};
  std::vector<std::string> flags = all_flag_words();
  flags.insert(flags.end(), {"SERVER", "--", "--x", "-x", "-"});
  for (const std::string& flag : flags) {
    for (const std::string& value : values) {
      for (const std::vector<std::string>& words : {std::vector<std::string>{flag, value},
                                                    {std::string(flag).append("=").append(value)},
                                                    {flag + value},
                                                    {value, flag}}) {
        if (words.front() == "--help" || words.front() == "-h" || words.front() == "--version" ||
            words.back() == "--help" || words.back() == "-h" || words.back() == "--version") {
          continue;
        }
        std::vector<std::string> all = {"-id", "d1", "s"};
        all.insert(all.end(), words.begin(), words.end());
        const std::string message = outcome(all);
        if (message.starts_with("error: ")) {
          EXPECT_LE(message.size(), 307U) << message;
          EXPECT_TRUE(std::all_of(message.begin(), message.end(), [](char c) { return c >= ' ' && c <= '~'; })) << flag;
        }
      }
    }
  }
}

TEST(Errors, ShowWhatCannotBePrinted) {
  EXPECT_EQ(outcome({"-id", "d1", "-p", std::string("6\0\n", 3), "s"}),
            "error: -p '6\\x00\\x0a': expected a port from 1 to 65534");
  EXPECT_EQ(outcome({"-id", "d1", "-p", "'\\\xc3", "s"}), "error: -p '\\'\\\\\\xc3': expected a port from 1 to 65534");
  EXPECT_EQ(outcome({"-id", "d1", "-p", std::string(61, '7'), "s"}),
            "error: -p '" + std::string(60, '7') + "...': expected a port from 1 to 65534");
}

/// A file of flags that lasts as long as the test.
class File : public testing::Test {
 protected:
  void SetUp() override {
    const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::path(testing::TempDir()) / (std::string("config_test_") + test->name());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(directory_);
  }
  void TearDown() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(directory_);
  }

  static void write(std::string_view text) { std::ofstream("relay.conf", std::ios::binary) << text; }

  /// What comes of `words` behind `--config relay.conf` with `text` in it.
  static std::string outcome_of(std::string_view text, std::string_view words = "") {
    write(text);
    return outcome("--config relay.conf " + std::string(words));
  }

 private:
  std::filesystem::path directory_;
  std::filesystem::path before_;
};

TEST_F(File, SetsEveryFlag) {
  EXPECT_EQ(outcome_of("# clients\n"
                       "downstream = d1\r\n"
                       "\n"
                       "  interface=e0   # both sides\n"
                       "upstream = u1\n"
                       "server = 10.9.0.2\n"
                       "server = d1=10.9.0.3,10.9.0.4\n"
                       "ipv4-only\n"
                       "relay-agent-information\n"
                       "policy = replace\n"
                       "drop-unmatched = true\n"
                       "max-size = 1000\n"
                       "max-hops = 7\n"
                       "link-selection = true\n"
                       "reply-giaddr = zero\n"
                       "port = 6767\n"
                       "relay-port = 6868\n"
                       "foreground = true\n"
                       "quiet = true\n"
                       "pid-file = /tmp/a#b.pid\n"
                       "trust = d1\n"
                       "trust = e*\n"
                       "giaddr = 10.1.0.1\n"
                       "giaddr-policy = d1=drop\n"
                       "source-address = 10.9.0.1\n"
                       "reply-from = any\n"
                       "reply-delivery = unicast\n"
                       "min-secs = 3\n"
                       "strict-size = true\n"
                       "log-level = debug\n"
                       "log-format = json"),
            "role:d1=down role:e0=downup role:u1=up server:*=10.9.0.2 server:d1=10.9.0.3,10.9.0.4 "
            "a:yes m:replace D:yes A:1000 c:7 secs:3 size:300 g:0.0.0.0 anyone:yes named:yes source:10.9.0.1 "
            "trust:d1,e* giaddr:*=10.1.0.1 delivery:*=unicast refuses:d1=yes link:yes sub19:yes p:6767 rp:6868 d:yes "
            "q:yes pid:/tmp/a#b.pid level:debug format:json");
  EXPECT_EQ(outcome_of("link-selection-interface = lo\nno-pid = true\n", "-id d1 s"),
            "role:d1=down server:*=s a:yes U:lo link:yes pid:");
}

TEST_F(File, FlagsWithoutValue) {
  const std::string minimum = "role:d1=down server:*=s";
  EXPECT_EQ(outcome_of("quiet", "-id d1 s"), minimum + " q:yes");
  EXPECT_EQ(outcome_of("quiet = true", "-id d1 s"), minimum + " q:yes");
  EXPECT_EQ(outcome_of("quiet = false", "-id d1 s"), minimum);
  EXPECT_EQ(outcome_of("quiet = false", "-id d1 s -q"), minimum + " q:yes");
  EXPECT_EQ(outcome_of("quiet = yes", "-id d1 s"), "error: relay.conf:1: quiet 'yes': expected true or false");
  EXPECT_EQ(outcome_of("quiet =", "-id d1 s"), "error: relay.conf:1: quiet '': expected true or false");
}

TEST_F(File, CommandLineWins) {
  const std::string text =
      "port = 6767\nserver = f1\nserver = f2\nserver = d1=f3\ndownstream = d1\nno-pid\n"
      "giaddr = 10.1.0.1\n";
  const std::vector<Case> cases = {
      {"", "role:d1=down server:*=f1,f2 server:d1=f3 giaddr:*=10.1.0.1 p:6767 pid:"},
      {"-p 1067", "role:d1=down server:*=f1,f2 server:d1=f3 giaddr:*=10.1.0.1 p:1067 pid:"},
      {"c1", "role:d1=down server:*=c1 server:d1=f3 giaddr:*=10.1.0.1 p:6767 pid:"},
      {"--server c1", "role:d1=down server:*=c1 server:d1=f3 giaddr:*=10.1.0.1 p:6767 pid:"},
      {"--server d1=c1", "role:d1=down server:*=f1,f2 server:d1=c1 giaddr:*=10.1.0.1 p:6767 pid:"},
      {"-pf x", "role:d1=down server:*=f1,f2 server:d1=f3 giaddr:*=10.1.0.1 p:6767 pid:x"},
      {"--giaddr d1=10.1.0.2", "role:d1=down server:*=f1,f2 server:d1=f3 giaddr:d1=10.1.0.2 p:6767 pid:"},
      {"-id d2", "error: relay.conf:4: server 'd1=f3': expected a downstream interface, one that -id, -i or -l names"},
      {"-rp 6767", "error: -rp '6767': expected another port than that of -p, 6767"},
      {"-U lo", "error: -U 'lo': contradicts --giaddr for all interfaces; expected one of them, or --giaddr IF=ADDR"},
  };
  for (const auto& [words, expected] : cases) {
    EXPECT_EQ(outcome_of(text, words), expected) << words;
  }
}

TEST_F(File, ErrorsNameFileAndLine) {
  const std::vector<Case> cases = {
      {"port = 70000", "relay.conf:1: port '70000': expected a port from 1 to 65534"},
      {"\n# x\n\nport", "relay.conf:4: port: expected a value, port = PORT"},
      {"port =", "relay.conf:1: port: expected a value, port = PORT"},
      {"port = # 67", "relay.conf:1: port: expected a value, port = PORT"},
      {"port = 67\nport = 67", "relay.conf:2: port '67': given twice; expected once"},
      {"quiet\nquiet = false", "relay.conf:2: quiet 'false': given twice; expected once"},
      {"prot = 67", "relay.conf:1: unknown name 'prot': did you mean port?"},
      {"id = d1", "relay.conf:1: unknown name 'id': did you mean downstream?"},
      {"-id = d1", "relay.conf:1: unknown name '-id': did you mean downstream?"},
      {"--port = 67", "relay.conf:1: unknown name '--port': did you mean port?"},
      {"PORT = 67", "relay.conf:1: unknown name 'PORT': did you mean port?"},
      {"routes = x", "relay.conf:1: routes 'x': expected true or false"},
      {"nonsense = x", "relay.conf:1: unknown name 'nonsense': --help lists the known ones, without their dashes here"},
      {"= 67", "relay.conf:1: unknown name '': --help lists the known ones, without their dashes here"},
      {"config = x", "relay.conf:1: config: expected on the command line only, not in a file"},
      {"help", "relay.conf:1: help: expected on the command line only, not in a file"},
      {"version", "relay.conf:1: version: expected on the command line only, not in a file"},
      {"server = ::1", "relay.conf:1: server '::1': the relay itself listens on this address; expected another host's"},
      {"link-selection", "relay.conf:1: link-selection needs -a, which adds option 82"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(outcome_of(text, "-id d1 s"), "error: " + std::string(expected)) << text;
  }
}

TEST_F(File, AByteOrderMarkIsPassedOver) {
  EXPECT_EQ(outcome_of("\xef\xbb\xbf"
                       "downstream = d2\n",
                       "-id d1 s"),
            outcome_of("downstream = d2\n", "-id d1 s"));
  EXPECT_EQ(outcome_of("\xef\xbb\xbf# none\n", "-id d1 s"), "role:d1=down server:*=s");
  EXPECT_EQ(outcome_of("\n\xef\xbb\xbf", "-id d1 s").substr(0, 33), "error: relay.conf:2: unknown name");
}

TEST_F(File, ThatCannotBeRead) {
  EXPECT_EQ(outcome("-id d1 s --config none.conf"),
            "error: --config 'none.conf': cannot be read: No such file or directory");
  EXPECT_EQ(outcome("-id d1 s --config ."), "error: --config '.': this is a directory; expected a file of flags");
  EXPECT_EQ(outcome("-id d1 s --config /dev/zero"),
            "error: --config '/dev/zero': too large: a file of flags has at most 1 MiB");
  EXPECT_EQ(outcome({"-id", "d1", "s", "--config", std::string(4096, 'x')}),
            "error: --config '" + std::string(60, 'x') + "...': too long: the name of a file has at most 4095 octets");
}

TEST_F(File, Size) {
  const std::string line = "#23456789012345\n";
  std::string text;
  while (text.size() < (1U << 20U)) {
    text += line;
  }
  EXPECT_EQ(outcome_of(text, "-id d1 s"), "role:d1=down server:*=s");
  EXPECT_EQ(outcome_of(text + "#", "-id d1 s"),
            "error: --config 'relay.conf': too large: a file of flags has at most 1 MiB");
  EXPECT_EQ(outcome_of("", "-id d1 s"), "role:d1=down server:*=s");
}

TEST_F(File, OfAnyOctetsIsAnErrorInOneLine) {
  for (const std::string& text : {std::string(5000, '\0'), std::string("port\0 = 67", 10), std::string(5000, '\xff'),
                                  std::string(5000, '='), "port = " + std::string(5000, '\x1b')}) {
    const std::string message = outcome_of(text, "-id d1 s");
    EXPECT_THAT(message, StartsWith("error: relay.conf:1: "));
    EXPECT_LE(message.size(), 307U);
    EXPECT_TRUE(std::all_of(message.begin(), message.end(), [](char c) { return c >= ' ' && c <= '~'; }));
  }
}

std::string printed(std::string_view words) {
  const auto result = read_configuration(split(words), "Boost 1.0\n");
  const auto* const print = std::get_if<PrintAndExit>(&result);
  return print == nullptr ? "" : print->text;
}

TEST(Print, HelpListsEveryFlagWithinTheWidth) {
  const std::string help = printed("--help");
  EXPECT_EQ(printed("-h"), help);
  EXPECT_EQ(printed("--bogus -p 0 --help"), help);
  EXPECT_EQ(printed("-pf --help"), help);
  for (const std::string& word : all_flag_words()) {
    EXPECT_THAT(help, HasSubstr(word)) << word;
  }
  for (const std::string_view group : {"\nInterfaces and servers:\n", "\nRelaying:\n", "\nOption 82:\n", "\nDHCPv6:\n",
                                       "\nReplies:\n", "\nCaptures:\n", "\nProcess and logging:\n"}) {
    EXPECT_THAT(help, HasSubstr(group));
  }
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 100U) << line;
    EXPECT_THAT(line, Not(EndsWith(" ")));
  }
}

TEST(Print, Version) {
  const std::string version = printed("--version");
  EXPECT_THAT(version, AllOf(StartsWith("dhcp-relay "), EndsWith("\nBoost 1.0\n")));
  EXPECT_EQ(printed("--bogus --version --help"), version);
  EXPECT_THAT(outcome("-id d1 -- --version"), StartsWith("error: SERVER '--version'"));
}

TEST(FlagWords, AreUniqueAndHaveALongNameEach) {
  const std::vector<std::string> words = all_flag_words();
  EXPECT_EQ(std::set<std::string>(words.begin(), words.end()).size(), words.size());
  for (const std::string_view word :
       {"-i", "-id", "-iu", "-4", "-a",  "-m", "-D",       "-A",        "-c",       "-U",        "-g",
        "-p", "-rp", "-d",  "-q", "-pf", "-h", "--no-pid", "--version", "--server", "--min-secs"}) {
    EXPECT_THAT(words, testing::Contains(std::string(word)));
  }
}

// 4,000 interfaces, each with a server of its own: what a router with that many VLANs starts with.
TEST(Words, ManyInterfaces) {
  std::vector<std::string> words;
  for (int i = 0; i < 4000; ++i) {
    const std::string name = "vlan" + std::to_string(i);
    words.insert(words.end(), {"-id", name, "--server", name + "=10.9.0.2", "--trust", name});
  }
  EXPECT_THAT(outcome(words), StartsWith("role:vlan0=down"));
}

}  // namespace
}  // namespace relay
