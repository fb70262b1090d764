// The operator's settings in a form that is quick to look up by an interface's name: plain names are hashed, and only
// shell patterns are tried one by one.
#pragma once

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "relay/core/interface_settings.h"

namespace relay::io {

/// Whether the shell pattern matches the name (fnmatch(3)).
[[nodiscard]] bool matches(const std::string& pattern, const std::string& name);

/// Values by name.
template <typename Value>
class ByName {
 public:
  explicit ByName(const std::vector<Setting<Value>>& settings) {
    for (const Setting<Value>& setting : settings) {
      named_.insert_or_assign(setting.pattern, setting.value);
      if (is_pattern(setting.pattern)) {
        patterns_.push_back(setting);
      }
    }
    std::reverse(patterns_.begin(), patterns_.end());
    std::stable_partition(patterns_.begin(), patterns_.end(),
                          [](const Setting<Value>& setting) { return setting.pattern != "*"; });
  }

  /// The value for `name`, null if there is none: of the pattern that is the name itself, else of the last pattern
  /// given that matches, else of `*`, which is what is meant by a value for all the others.
  [[nodiscard]] const Value* find(const std::string& name) const {
    if (const auto exact = named_.find(name); exact != named_.end()) {
      return &exact->second;
    }
    const auto match = std::find_if(patterns_.begin(), patterns_.end(),
                                    [&name](const Setting<Value>& setting) { return matches(setting.pattern, name); });
    return match == patterns_.end() ? nullptr : &match->value;
  }

  [[nodiscard]] Value value_or(const std::string& name, Value otherwise) const {
    const Value* const value = find(name);
    return value == nullptr ? otherwise : *value;
  }

 private:
  std::unordered_map<std::string, Value> named_;
  std::vector<Setting<Value>> patterns_;  // the one that wins first
};

/// Roles by name, which add up.
class Roles {
 public:
  explicit Roles(const std::vector<Setting<InterfaceRole>>& settings) {
    for (const Setting<InterfaceRole>& setting : settings) {
      if (is_pattern(setting.pattern)) {
        patterns_.push_back(setting);
      } else {
        add(named_[setting.pattern], setting.value);
      }
    }
  }

  [[nodiscard]] InterfaceRole of(const std::string& name) const {
    InterfaceRole role;
    if (const auto exact = named_.find(name); exact != named_.end()) {
      role = exact->second;
    }
    for (const Setting<InterfaceRole>& setting : patterns_) {
      if (matches(setting.pattern, name)) {
        add(role, setting.value);
      }
    }
    return role;
  }

 private:
  static void add(InterfaceRole& role, const InterfaceRole& more) {
    role.downstream |= more.downstream;
    role.upstream |= more.upstream;
    role.lower |= more.lower;
    role.upper |= more.upper;
  }

  std::unordered_map<std::string, InterfaceRole> named_;
  std::vector<Setting<InterfaceRole>> patterns_;
};

/// Those of DHCPv6 alone.
struct SettingsByName6 {
  explicit SettingsByName6(const InterfaceSettings6& settings);

  bool is_relayed;  ///< there is a server
  ByName<std::vector<ServerName6>> servers;
  ByName<Ipv6Address> link_addresses;
  ByName<options82::Template> interface_ids;
  ByName<options82::Template> remote_ids;
  ByName<options82::Template> subscriber_ids;
  RelayForwardSettings relay_forward;
  std::vector<std::string> server_interfaces;  ///< names of interfaces that servers are given with, each once
};

/// All settings.
struct SettingsByName {
  explicit SettingsByName(const InterfaceSettings& settings);

  Roles roles;
  ByName<bool> trusted;
  ByName<Ipv4Address> giaddrs;
  std::string giaddr_interface;
  ByName<std::vector<Ipv4Address>> servers;
  ByName<ReplyDelivery> reply_delivery;
  ByName<bool> refuses_relayed;
  ByName<RateLimit> rate_limits;
  ByName<options82::Template> circuit_ids;
  ByName<options82::Template> remote_ids;
  ByName<options82::Template> subscriber_ids;
  AgentInformationSettings agent_information;
  SettingsByName6 v6;
  std::vector<std::string> names;  ///< every name given without shell characters, once, in the order given
};

}  // namespace relay::io
