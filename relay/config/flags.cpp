#include "relay/config/flags.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "relay/config/capture_flags.h"
#include "relay/config/dhcpv6_values.h"
#include "relay/config/option82_values.h"

namespace relay::flags {

namespace {

// `-A`: ISC dhcrelay's users have 64 and more; under 300 it means that option 82 is never added. A UDP payload in an
// IPv4 datagram cannot be larger than 65,507 octets.
constexpr std::uint32_t least_max_size = 64;
constexpr std::uint32_t most_max_size = 65507;

// A setting without `IF=` goes in front, so that one with a pattern wins over it whatever their order was.
template <typename Value>
void add_setting(std::vector<Setting<Value>>& settings, const Given& given, std::string pattern, Value value) {
  const auto same = [&pattern](const Setting<Value>& each) { return each.pattern == pattern; };
  if (std::any_of(settings.begin(), settings.end(), same)) {
    reject(given, pattern == "*" ? std::string("given twice for all interfaces")
                                 : "given twice for interface " + shown(pattern));
  }
  const auto where = pattern == "*" ? settings.begin() : settings.end();
  settings.insert(where, {std::move(pattern), std::move(value)});
}

// A server named twice for the same interfaces would get, and answer, every request twice.
void add_server(Configuration& configuration, const std::string& pattern, const std::string& name) {
  auto& settings = configuration.servers;
  auto setting =
      std::find_if(settings.begin(), settings.end(), [&pattern](const auto& each) { return each.pattern == pattern; });
  if (setting == settings.end()) {
    const auto where = pattern == "*" ? settings.begin() : settings.end();
    setting = settings.insert(where, {pattern, {}});
  }
  if (std::find(setting->value.begin(), setting->value.end(), name) == setting->value.end()) {
    setting->value.push_back(name);
  }
}

void add_servers(Configuration& configuration, const Given& given) {
  const std::string pattern = given.positional ? "*" : for_interfaces(given).pattern;
  for (const std::string& name : servers_in(given)) {
    add_server(configuration, pattern, name);
  }
}

void add_role(Configuration& configuration, const Given& given, InterfaceRole role) {
  configuration.interfaces.roles.push_back({interface_pattern(given, given.value), role});
  configuration.policy.upstream_named |= role.upstream;
  configuration.policy6.upstream_named |= role.upstream;
}

void add_lower_interface(Configuration& configuration, const Given& given) {
  LowerInterface lower = lower_interface(given);
  InterfaceSettings6& settings = configuration.interfaces.v6;
  configuration.interfaces.roles.push_back({lower.pattern, {.lower = true}});
  if (lower.link_address) {
    add_setting(settings.link_addresses, given, lower.pattern, *lower.link_address);
  }
  if (lower.interface_id) {
    // An index is given for servers that look at it.
    settings.relay_forward.interface_id = true;
    add_setting(settings.interface_ids, given, lower.pattern, *std::move(lower.interface_id));
  }
}

void add_upper_interface(Configuration& configuration, const Given& given) {
  const UpperInterface upper = upper_interface(given);
  configuration.interfaces.roles.push_back({upper.name, {.upper = true}});
  configuration.policy6.upstream_named = true;
  add_server(configuration, "*", upper.server);
}

void set_port(Configuration& configuration, const Given& given) {
  configuration.port = static_cast<std::uint16_t>(number(given, "a port", 1, 65534));
  configuration.policy6.ports.server = configuration.port;
}

void set_max_hops(Configuration& configuration, const Given& given) {
  const auto most =
      static_cast<std::uint8_t>(number(given, "a number from 1 to 16, in DHCPv6 alone", 1, Policy6::hop_count_ceiling));
  configuration.policy.max_hops = most;
  configuration.policy6.hop_count_limit = most;
}

// One of each family.
void set_source_address(Configuration& configuration, const Given& given) {
  const bool is_ipv6 = given.value.find(':') != std::string::npos;
  auto& policy = configuration.policy;
  auto& policy6 = configuration.policy6;
  if (is_ipv6 ? policy6.source_address.has_value() : policy.source_address.has_value()) {
    reject(given, "given twice; expected once");
  }
  if (is_ipv6) {
    policy6.source_address = routed_address(given, given.value);
  } else {
    policy.source_address = host_address(given, given.value);
  }
}

void set_reply_from(Configuration& configuration, const Given& given) {
  const bool is_any = choice(given, given.value, Choice<bool>{"servers", false}, Choice<bool>{"any", true});
  configuration.policy.replies_from_anyone = is_any;
  configuration.policy6.replies_from_anyone = is_any;
}

void add_link_address(Configuration& configuration, const Given& given) {
  ForInterfaces address = for_interfaces(given);
  add_setting(configuration.interfaces.v6.link_addresses, given, std::move(address.pattern),
              routed_address(given, address.value));
}

void set_relay_id(Configuration& configuration, const Given& given) {
  const std::string id = octets(given, given.value);
  configuration.interfaces.agent_information.relay_id = id;
  if (is_given_in_octets(given.value) && is_duid(id)) {
    configuration.interfaces.v6.relay_forward.relay_id = id;
  }
}

void set_vss(Configuration& configuration, const Given& given) {
  // RFC 6607 section 3.1: one form for both protocols.
  configuration.interfaces.agent_information.vss = virtual_subnet(given);
  configuration.interfaces.v6.relay_forward.vss = configuration.interfaces.agent_information.vss;
}

void refuse(Configuration& configuration, const Given& given) {
  bool Policy6::*const relays =
      choice(given, given.value, Choice<bool Policy6::*>{"reconfigure-request", &Policy6::relays_reconfigure_requests},
             Choice<bool Policy6::*>{"relay-supplied-options", &Policy6::relays_relay_supplied_options});
  configuration.policy6.*relays = false;
}

void add_option6(Configuration& configuration, const Given& given) {
  configuration.interfaces.v6.relay_forward.options.push_back(further_option6(given));
}

void set_link_selection_interface(Configuration& configuration, const Given& given) {
  configuration.interfaces.giaddr_interface = interface_name(given, given.value);
  configuration.interfaces.agent_information.link_selection = true;
  configuration.policy.add_agent_information = true;
}

void set_relay_port(Configuration& configuration, const Given& given) {
  configuration.relay_port = static_cast<std::uint16_t>(number(given, "a port", 1, 65535));
  configuration.policy6.ports.relay = configuration.relay_port;
  // RFC 8357 section 5.1: a source port other than 67 is announced in sub-option 19, which needs option 82.
  configuration.interfaces.agent_information.source_port = true;
  configuration.policy.add_agent_information = true;
}

void set_policy(Configuration& configuration, const Given& given) {
  using enum ExistingAgentInformation;
  configuration.policy.existing_agent_information =
      choice(given, given.value, Choice<ExistingAgentInformation>{"append", append},
             Choice<ExistingAgentInformation>{"replace", replace}, Choice<ExistingAgentInformation>{"forward", forward},
             Choice<ExistingAgentInformation>{"discard", discard});
}

void set_reply_giaddr(Configuration& configuration, const Given& given) {
  ReplyGiaddr& giaddr = configuration.policy.reply_giaddr;
  if (given.value == "keep") {
    giaddr = KeepGiaddr{};
  } else if (given.value == "zero") {
    giaddr = Ipv4Address{};
  } else if (given.value.find('.') == std::string::npos) {
    reject(given, "expected an IPv4 address, zero or keep");
  } else if (given.value == "0.0.0.0") {
    reject(given, "expected an IPv4 address, zero or keep; 0.0.0.0 is written zero");
  } else {
    giaddr = host_address(given, given.value);
  }
}

void add_giaddr(Configuration& configuration, const Given& given) {
  ForInterfaces giaddr = for_interfaces(given);
  add_setting(configuration.interfaces.giaddrs, given, std::move(giaddr.pattern), host_address(given, giaddr.value));
}

void add_giaddr_policy(Configuration& configuration, const Given& given) {
  ForInterfaces policy = for_interfaces(given);
  const bool refuses = choice(given, policy.value, Choice<bool>{"forward", false}, Choice<bool>{"drop", true});
  add_setting(configuration.interfaces.refuses_relayed, given, std::move(policy.pattern), refuses);
}

void add_reply_delivery(Configuration& configuration, const Given& given) {
  ForInterfaces delivery = for_interfaces(given);
  const auto value = choice(given, delivery.value, Choice<ReplyDelivery>{"auto", ReplyDelivery::automatic},
                            Choice<ReplyDelivery>{"broadcast", ReplyDelivery::broadcast},
                            Choice<ReplyDelivery>{"unicast", ReplyDelivery::unicast});
  add_setting(configuration.interfaces.reply_delivery, given, std::move(delivery.pattern), value);
}

void add_circuit_id(Configuration& configuration, const Given& given) {
  ForInterfaces id = for_interfaces(given);
  add_setting(configuration.interfaces.circuit_ids, given, std::move(id.pattern), identifier_template(given, id.value));
}

void add_remote_id(Configuration& configuration, const Given& given) {
  const ForInterfaces id = for_interfaces(given);
  add_setting(configuration.interfaces.remote_ids, given, id.pattern, identifier_template(given, id.value));
  configuration.interfaces.v6.remote_ids = configuration.interfaces.remote_ids;
}

void add_subscriber_id(Configuration& configuration, const Given& given) {
  const ForInterfaces id = for_interfaces(given);
  add_setting(configuration.interfaces.subscriber_ids, given, id.pattern, subscriber_template(given, id.value));
  configuration.interfaces.v6.subscriber_ids = configuration.interfaces.subscriber_ids;
}

void add_sub_option(Configuration& configuration, const Given& given) {
  FurtherSubOption further = further_sub_option(given);
  const auto [place, is_new] =
      configuration.interfaces.agent_information.sub_options.try_emplace(further.code, std::move(further.value));
  if (!is_new) {
    reject(given, "sub-option " + std::to_string(further.code) + " is given twice; expected once");
  }
}

void add_rate_limit(Configuration& configuration, const Given& given) {
  constexpr std::uint32_t most = 1000000;
  const ForInterfaces limit = for_interfaces(given);
  const std::size_t slash = limit.value.find('/');
  const auto part = [&given](std::string_view text) {
    return number(given, text, "N or N/BURST requests per second, each", 1, most);
  };
  const std::uint32_t per_second = part(std::string_view(limit.value).substr(0, slash));
  const std::uint32_t burst =
      slash == std::string::npos ? per_second : part(std::string_view(limit.value).substr(slash + 1));
  add_setting(configuration.interfaces.rate_limits, given, limit.pattern, {per_second, burst});
}

void set_log_level(Configuration& configuration, const Given& given) {
  configuration.log_level =
      choice(given, given.value, Choice<LogLevel>{"trace", LogLevel::trace}, Choice<LogLevel>{"debug", LogLevel::debug},
             Choice<LogLevel>{"info", LogLevel::info}, Choice<LogLevel>{"warning", LogLevel::warning},
             Choice<LogLevel>{"error", LogLevel::error});
}

void set_log_format(Configuration& configuration, const Given& given) {
  configuration.log_format = choice(given, given.value, Choice<LogFormat>{"text", LogFormat::text},
                                    Choice<LogFormat>{"json", LogFormat::json});
}

// Flags that read_configuration itself obeys.
void set_nothing(Configuration& /*configuration*/, const Given& /*given*/) {}

constexpr std::array table = {
    Flag{.isc = "-i",
         .name = "interface",
         .value = "IF",
         .group = Group::interfaces_and_servers,
         .repeatable = true,
         .help = "Downstream and upstream: clients and servers are both reached here.",
         .apply = [](Configuration& c,
                     const Given& given) { add_role(c, given, {.downstream = true, .upstream = true}); }},
    Flag{.isc = "-id",
         .name = "downstream",
         .value = "IF",
         .group = Group::interfaces_and_servers,
         .repeatable = true,
         .help = "Clients' side: requests are accepted here, replies are not.",
         .apply = [](Configuration& c, const Given& given) { add_role(c, given, {.downstream = true}); }},
    Flag{.isc = "-iu",
         .name = "upstream",
         .value = "IF",
         .group = Group::interfaces_and_servers,
         .repeatable = true,
         .initial = "without -i and -iu, every interface that is not downstream",
         .help = "Servers' side: replies are accepted here, requests are not.",
         .apply = [](Configuration& c, const Given& given) { add_role(c, given, {.upstream = true}); }},
    Flag{.isc = "-l",
         .name = "lower",
         .value = "[ADDR%]IF[#N]",
         .group = Group::interfaces_and_servers,
         .scope = Scope::dhcpv6,
         .repeatable = true,
         .help = "As -id, for DHCPv6 alone, with its link-address and the number that is its Interface-Id, always sent "
                 "then.",
         .apply = add_lower_interface},
    Flag{.isc = "-u",
         .name = "upper",
         .value = "[ADDR%]IF",
         .group = Group::interfaces_and_servers,
         .scope = Scope::dhcpv6,
         .repeatable = true,
         .help = "As -iu, for DHCPv6 alone, and as a SERVER that is reached there: ADDR, or all servers, ff05::1:3.",
         .apply = add_upper_interface},
    Flag{.name = "server",
         .value = "[IF=]ADDR[,ADDR...]",
         .group = Group::interfaces_and_servers,
         .repeatable = true,
         .names_downstream = true,
         .help = "Servers of downstream interface IF instead of the general list; without IF= one more SERVER.",
         .apply = add_servers},
    Flag{.isc = "-4",
         .name = "ipv4-only",
         .group = Group::interfaces_and_servers,
         .help = "Relay DHCPv4 alone. Without this and -6, whatever the SERVERs have addresses for is relayed.",
         .apply = set_nothing},
    Flag{.isc = "-6",
         .name = "ipv6-only",
         .group = Group::interfaces_and_servers,
         .help = "Relay DHCPv6 alone.",
         .apply = set_nothing},
    Flag{.isc = "-p",
         .name = "port",
         .value = "PORT",
         .group = Group::interfaces_and_servers,
         .initial = "67, and 547 for DHCPv6",
         .help = "Listen here and send to servers here; clients are one above, in DHCPv6 one below.",
         .apply = set_port},
    Flag{.isc = "-rp",
         .name = "relay-port",
         .value = "PORT",
         .group = Group::interfaces_and_servers,
         .initial = "that of -p",
         .help = "Source port towards servers, announced in sub-option 19 and in option 135 (RFC 8357); implies -a.",
         .apply = set_relay_port},

    Flag{.isc = "-c",
         .name = "max-hops",
         .value = "N",
         .group = Group::relaying,
         .initial = "4, and 8 for DHCPv6",
         .help = "Discard requests whose hops exceeds N, 1 to 16, and Relay-forwards whose hop-count has come to N, 1 "
                 "to 32.",
         .apply = set_max_hops},
    Flag{.name = "min-secs",
         .value = "N",
         .group = Group::relaying,
         .scope = Scope::dhcpv4,
         .initial = "0",
         .help = "Relay no request before its client has tried for N seconds, for a backup relay.",
         .apply =
             [](Configuration& c, const Given& given) {
               c.policy.min_secs = static_cast<std::uint16_t>(number(given, "a number of seconds", 0, 65535));
             }},
    Flag{.name = "strict-size",
         .group = Group::relaying,
         .scope = Scope::dhcpv4,
         .initial = "those under 236",
         .help = "Discard messages of under 300 octets (RFC 1542 section 2.1).",
         .apply = [](Configuration& c, const Given&) { c.policy.min_size = 300; }},
    Flag{.name = "giaddr",
         .value = "[IF=]ADDR",
         .group = Group::relaying,
         .scope = Scope::dhcpv4,
         .repeatable = true,
         .names_downstream = true,
         .initial = "the interface's primary address",
         .help = "giaddr of the requests from downstream interface IF.",
         .apply = add_giaddr},
    Flag{.name = "giaddr-policy",
         .value = "[IF=]forward|drop",
         .group = Group::relaying,
         .scope = Scope::dhcpv4,
         .repeatable = true,
         .names_downstream = true,
         .initial = "forward",
         .help = "Requests that arrive with a giaddr, from another relay or from a client that forged one "
                 "(TR-101 R-184).",
         .apply = add_giaddr_policy},
    Flag{.name = "rate-limit",
         .value = "[IF=]N[/BURST]",
         .group = Group::relaying,
         .repeatable = true,
         .names_downstream = true,
         .initial = "none; BURST is N",
         .help = "Requests per second of downstream interface IF, BURST of them at once; the rest is dropped.",
         .apply = add_rate_limit},
    Flag{.name = "source-address",
         .value = "ADDR",
         .group = Group::relaying,
         .repeatable = true,
         .initial = "giaddr, in DHCPv6 link-address or what the route has",
         .help = "Source address of messages to servers, one of each family.",
         .apply = set_source_address},

    Flag{.isc = "-a",
         .name = "relay-agent-information",
         .group = Group::option_82,
         .scope = Scope::dhcpv4,
         .initial = "off",
         .help = "Add option 82 to requests and take ours out of replies.",
         .apply = [](Configuration& c, const Given&) { c.policy.add_agent_information = true; }},
    Flag{.isc = "-m",
         .name = "policy",
         .value = "append|replace|forward|discard",
         .group = Group::option_82,
         .scope = Scope::dhcpv4,
         .initial = "by RFC 3046: keep it from a trusted circuit, leave relayed requests alone",
         .help = "Requests from a trusted circuit or another relay that already carry option 82; append and replace "
                 "need -a.",
         .apply = set_policy},
    Flag{.isc = "-A",
         .name = "max-size",
         .value = "N",
         .group = Group::option_82,
         .scope = Scope::dhcpv4,
         .initial = "what fits the upstream MTU",
         .help = "Largest request with option 82, 64 to 65507 octets; what would be larger goes without it.",
         .apply =
             [](Configuration& c, const Given& given) {
               c.policy.max_request_size = number(given, "a number of octets", least_max_size, most_max_size);
             }},
    Flag{.name = "trust",
         .value = "IF",
         .group = Group::option_82,
         .repeatable = true,
         .names_downstream = true,
         .initial = "none",
         .help =
             "Trusted circuit: its clients may send option 82 with a giaddr of zero (RFC 3046 section 2.1), and its "
             "relay agents Relay-forward.",
         .apply = [](Configuration& c,
                     const Given& given) { c.interfaces.trusted.push_back(interface_pattern(given, given.value)); }},
    Flag{.name = "circuit-id",
         .value = "[IF=]TEMPLATE",
         .group = Group::option_82,
         .repeatable = true,
         .names_downstream = true,
         .initial = "%i",
         .help = "Sub-option 1: text with %i interface, %I its index, %d its alias, %m its MAC, %v its VLAN, %p bridge "
                 "port and %M hardware address of the client, %g giaddr, %h this host, %% a percent sign; or 0x and "
                 "hexadecimal digits, tr101:NAME, or none. It is the Interface-Id of DHCPv6 too, where %M and %p are "
                 "empty.",
         .apply = add_circuit_id},
    Flag{.name = "remote-id",
         .value = "[IF=]TEMPLATE",
         .group = Group::option_82,
         .repeatable = true,
         .names_downstream = true,
         .initial = "none",
         .help = "Sub-option 2, as --circuit-id, and with --enterprise Remote-Id of DHCPv6.",
         .apply = add_remote_id},
    Flag{.isc = "-s",
         .name = "subscriber-id",
         .value = "[IF=]TEMPLATE",
         .group = Group::option_82,
         .repeatable = true,
         .names_downstream = true,
         .initial = "none",
         .help = "Sub-option 6 (RFC 3993), as --circuit-id, and Subscriber-Id of DHCPv6 (RFC 4580).",
         .apply = add_subscriber_id},
    Flag{.name = "link-selection",
         .group = Group::option_82,
         .scope = Scope::dhcpv4,
         .initial = "only where giaddr is no address of the interface",
         .help = "Sub-option 5 (RFC 3527) in every request whose giaddr we set; needs -a.",
         .apply = [](Configuration& c, const Given&) { c.interfaces.agent_information.link_selection = true; }},
    Flag{.isc = "-U",
         .name = "link-selection-interface",
         .value = "IF",
         .group = Group::option_82,
         .scope = Scope::dhcpv4,
         .help = "giaddr is the primary address of IF, with --link-selection; implies -a.",
         .apply = set_link_selection_interface},
    Flag{.name = "server-id-override",
         .group = Group::option_82,
         .scope = Scope::dhcpv4,
         .initial = "off",
         .help = "Sub-option 11 (RFC 5107), so that clients renew through this relay, with sub-option 10 (RFC 5010).",
         .apply = [](Configuration& c, const Given&) { c.interfaces.agent_information.server_id_override = true; }},
    Flag{.name = "relay-id",
         .value = "VALUE",
         .group = Group::option_82,
         .initial = "none",
         .help =
             "Sub-option 12 (RFC 6925): text, or 0x and hexadecimal digits. A DUID so written is Relay-Id of DHCPv6 "
             "too.",
         .apply = set_relay_id},
    Flag{.name = "vss",
         .value = "VALUE",
         .group = Group::option_82,
         .initial = "none",
         .help = "Sub-options 151 and 152 and option 68 of DHCPv6 (RFC 6607): a VRF's name, 0x and the 14 digits of a "
                 "VPN-ID, or global.",
         .apply = set_vss},
    Flag{.name = "suboption",
         .value = "CODE=VALUE",
         .group = Group::option_82,
         .scope = Scope::dhcpv4,
         .repeatable = true,
         .initial = "none",
         .help = "Any other sub-option: text, or 0x and hexadecimal digits.",
         .apply = add_sub_option},

    Flag{.name = "link-address",
         .value = "[IF=]ADDR",
         .group = Group::dhcpv6,
         .scope = Scope::dhcpv6,
         .repeatable = true,
         .names_downstream = true,
         .initial = "a global address of the interface, else a unique-local one, else none",
         .help = "link-address of the messages from downstream interface IF, by which servers tell the subnet.",
         .apply = add_link_address},
    Flag{.isc = "-I",
         .name = "interface-id",
         .group = Group::dhcpv6,
         .scope = Scope::dhcpv6,
         .initial = "where link-address does not tell the interface",
         .help = "Send Interface-Id always: the interface's name, or what --circuit-id or -l say.",
         .apply = [](Configuration& c, const Given&) { c.interfaces.v6.relay_forward.interface_id = true; }},
    Flag{.name = "client-link-layer-address",
         .value = "yes|no",
         .group = Group::dhcpv6,
         .scope = Scope::dhcpv6,
         .initial = "yes",
         .help = "Tell servers the MAC of each client (RFC 6939), and answer it there.",
         .apply =
             [](Configuration& c, const Given& given) {
               c.policy6.client_link_layer_address =
                   choice(given, given.value, Choice<bool>{"yes", true}, Choice<bool>{"no", false});
             }},
    Flag{.name = "enterprise",
         .value = "N",
         .group = Group::dhcpv6,
         .scope = Scope::dhcpv6,
         .initial = "none",
         .help = "Enterprise number that Remote-Id begins with (RFC 4649).",
         .apply =
             [](Configuration& c, const Given& given) {
               c.interfaces.v6.relay_forward.enterprise = number(given, "a number", 1, 4294967295U);
             }},
    Flag{.name = "option6",
         .value = "CODE=VALUE",
         .group = Group::dhcpv6,
         .scope = Scope::dhcpv6,
         .repeatable = true,
         .initial = "none",
         .help = "Any other option in Relay-forward: text, or 0x and hexadecimal digits.",
         .apply = add_option6},
    Flag{.name = "refuse",
         .value = "reconfigure-request|relay-supplied-options",
         .group = Group::dhcpv6,
         .scope = Scope::dhcpv6,
         .repeatable = true,
         .initial = "nothing",
         .help = "Drop Reconfigure-requests (RFC 6977), or what carries Relay-Supplied Options (RFC 6422).",
         .apply = refuse},
    Flag{.name = "log-prefixes",
         .group = Group::dhcpv6,
         .scope = Scope::dhcpv6,
         .initial = "off",
         .help = "Log each prefix that is delegated to a client, renewed, released or expired.",
         .apply = [](Configuration& c, const Given&) { c.prefixes.log = true; }},
    Flag{.name = "routes",
         .group = Group::dhcpv6,
         .scope = Scope::dhcpv6,
         .initial = "off",
         .help = "Make a route to each prefix that is delegated to a client (RFC 8987); keeps CAP_NET_ADMIN.",
         .apply = [](Configuration& c, const Given&) { c.prefixes.routes = true; }},
    Flag{.name = "state-file",
         .value = "FILE",
         .group = Group::dhcpv6,
         .scope = Scope::dhcpv6,
         .initial = "/var/lib/dhcp-relay/prefixes, or of a service $STATE_DIRECTORY/prefixes",
         .help = "With --routes, file that keeps the delegated prefixes over a restart.",
         .apply = [](Configuration& c, const Given& given) { c.prefixes.state_file = file_name(given); }},
    Flag{.name = "prefixes-per-client",
         .value = "N",
         .group = Group::dhcpv6,
         .scope = Scope::dhcpv6,
         .initial = "8",
         .help = "With --routes or --log-prefixes, look at no more prefixes of one client, 1 to 256.",
         .apply =
             [](Configuration& c, const Given& given) {
               c.prefixes.limits.per_client = number(given, "a number of prefixes", 1, 256);
             }},
    Flag{.name = "prefixes-per-interface",
         .value = "N",
         .group = Group::dhcpv6,
         .scope = Scope::dhcpv6,
         .initial = "1024",
         .help = "The same of all clients of one interface, 1 to 262144.",
         .apply =
             [](Configuration& c, const Given& given) {
               c.prefixes.limits.per_interface = number(given, "a number of prefixes", 1, 262144);
             }},

    Flag{.isc = "-D",
         .name = "drop-unmatched",
         .group = Group::replies,
         .scope = Scope::dhcpv4,
         .initial = "off",
         .help = "Drop replies whose option 82 is missing or not ours; goes with -a.",
         .apply = [](Configuration& c, const Given&) { c.policy.drop_unmatched_replies = true; }},
    Flag{.isc = "-g",
         .name = "reply-giaddr",
         .value = "ADDR|zero|keep",
         .group = Group::replies,
         .scope = Scope::dhcpv4,
         .initial = "keep",
         .help = "giaddr written into replies to clients.",
         .apply = set_reply_giaddr},
    Flag{.name = "reply-from",
         .value = "servers|any",
         .group = Group::replies,
         .initial = "servers; any in DHCPv6 where a SERVER is a multicast address",
         .help = "Whose replies are accepted: the configured servers' or anyone's.",
         .apply = set_reply_from},
    Flag{.name = "reply-delivery",
         .value = "[IF=]auto|broadcast|unicast",
         .group = Group::replies,
         .scope = Scope::dhcpv4,
         .repeatable = true,
         .names_downstream = true,
         .initial = "auto",
         .help = "How replies reach the clients of IF; auto is RFC 1542 section 4.1.2 and RFC 2131 section 4.1.",
         .apply = add_reply_delivery},

    Flag{.name = "capture",
         .value = "FILE",
         .group = Group::captures,
         .initial = "off",
         .help = "Write what the relay sees, and what it decides on it, to FILE, a pcapng; - is standard output and "
                 "needs -d.",
         .apply = [](Configuration& c, const Given& given) { c.capture.file = file_name(given); }},
    Flag{.name = "capture-size",
         .value = "MB",
         .group = Group::captures,
         .initial = "100",
         .help = "Begin another file at this many million octets, 1 to 1000000.",
         .apply = set_capture_size},
    Flag{.name = "capture-files",
         .value = "N",
         .group = Group::captures,
         .initial = "5",
         .help = "Keep FILE and the N-1 before it, FILE.1 and so on, 1 to 1000.",
         .apply = set_capture_files},
    Flag{.name = "capture-filter",
         .value = "EXPR",
         .group = Group::captures,
         .initial = "none",
         .help = "Of what is captured or replayed only the packets that this pcap filter selects too.",
         .apply = set_capture_filter},
    Flag{.name = "capture-only",
         .group = Group::captures,
         .help = "Relay nothing: print what is seen on the interfaces, or write it with --capture. Needs no SERVER.",
         .apply = set_capture_only},
    Flag{.name = "replay",
         .value = "FILE",
         .group = Group::captures,
         .help = "Print what would become of each DHCP message of FILE, a pcap or pcapng; - is standard input. With "
                 "--capture also write it, and what would be sent.",
         .apply = set_replay},
    Flag{.name = "replay-interface",
         .value = "NAME=CIDR[,MAC]",
         .group = Group::captures,
         .repeatable = true,
         .initial = "those that the file describes",
         .help = "An interface during a replay, with an address and its prefix length; again for another address.",
         .apply = add_replay_interface},

    Flag{.isc = "-d",
         .name = "foreground",
         .group = Group::process_and_logging,
         .initial = "become a daemon",
         .help = "Stay in the foreground and log to standard error.",
         .apply = [](Configuration& c, const Given&) { c.foreground = true; }},
    Flag{.isc = "-q",
         .name = "quiet",
         .group = Group::process_and_logging,
         .help = "No banner.",
         .apply = [](Configuration& c, const Given&) { c.quiet = true; }},
    Flag{.isc = "-pf",
         .name = "pid-file",
         .value = "FILE",
         .group = Group::process_and_logging,
         .initial = "/run/dhcp-relay.pid",
         .help = "File that receives the number of the process.",
         .apply = [](Configuration& c, const Given& given) { c.pid_file = file_name(given); }},
    Flag{.name = "no-pid",
         .group = Group::process_and_logging,
         .help = "Write no such file.",
         .apply = [](Configuration& c, const Given&) { c.pid_file.clear(); }},
    Flag{.name = "config",
         .value = "FILE",
         .group = Group::process_and_logging,
         .command_line_only = true,
         .initial = "none",
         .help = "Read the same long names from FILE, one \"name = value\" a line; the command line wins.",
         .apply = [](Configuration& c, const Given& given) { c.config_file = file_name(given); }},
    Flag{.name = "user",
         .value = "NAME",
         .group = Group::process_and_logging,
         .initial = "nobody",
         .help = "Account to run as after start, if started by root; capabilities are given up in any case.",
         .apply = [](Configuration& c, const Given& given) { c.user = account_name(given); }},
    Flag{.name = "check",
         .group = Group::process_and_logging,
         .command_line_only = true,
         .help = "Start nothing: look at this host, print what would keep the relay from serving clients and what to "
                 "do about it, and exit with 0, or with 2 where there is an error.",
         .apply = [](Configuration& c, const Given&) { c.check = true; }},
    Flag{.name = "metrics",
         .value = "ADDR:PORT",
         .group = Group::process_and_logging,
         .initial = "off",
         .help = "Counters and states for Prometheus, by HTTP at /metrics; IPv6 as [ADDR]:PORT.",
         .apply = [](Configuration& c, const Given& given) { c.metrics = listen_address(given); }},
    Flag{.name = "log-level",
         .value = "trace|debug|info|warning|error",
         .group = Group::process_and_logging,
         .initial = "info",
         .help = "debug is one line per message.",
         .apply = set_log_level},
    Flag{.name = "log-format",
         .value = "text|json",
         .group = Group::process_and_logging,
         .initial = "text",
         .help = "Form of the log's lines.",
         .apply = set_log_format},
    Flag{.isc = "-h",
         .name = "help",
         .group = Group::process_and_logging,
         .command_line_only = true,
         .help = "Print this and exit.",
         .apply = set_nothing},
    Flag{.name = "version",
         .group = Group::process_and_logging,
         .command_line_only = true,
         .help = "Print the versions of the program and its libraries and exit.",
         .apply = set_nothing},
};

}  // namespace

std::span<const Flag> all() noexcept {
  return table;
}

const Flag* find_name(std::string_view name) noexcept {
  const auto* const flag =
      std::find_if(table.begin(), table.end(), [name](const Flag& each) { return each.name == name; });
  return flag == table.end() ? nullptr : flag;
}

const Given* find_given(const std::vector<Given>& givens, std::string_view name) noexcept {
  const auto given =
      std::find_if(givens.begin(), givens.end(), [name](const Given& each) { return each.flag->name == name; });
  return given == givens.end() ? nullptr : &*given;
}

const Flag* find_word(std::string_view word) noexcept {
  if (word.starts_with("--")) {
    return find_name(word.substr(2));
  }
  const auto* const flag =
      std::find_if(table.begin(), table.end(), [word](const Flag& each) { return !word.empty() && each.isc == word; });
  return flag == table.end() ? nullptr : flag;
}

}  // namespace relay::flags
