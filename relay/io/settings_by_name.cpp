#include "relay/io/settings_by_name.h"

#include <fnmatch.h>

#include <unordered_set>
#include <utility>

namespace relay::io {

namespace {

std::vector<Setting<bool>> as_settings(const std::vector<std::string>& patterns) {
  std::vector<Setting<bool>> settings;
  settings.reserve(patterns.size());
  for (const std::string& pattern : patterns) {
    settings.push_back({pattern, true});
  }
  return settings;
}

/// Collects plain names, each once, in the order given.
class PlainNames {
 public:
  template <typename Value>
  void add(const std::vector<Setting<Value>>& settings) {
    for (const Setting<Value>& setting : settings) {
      add(setting.pattern);
    }
  }
  void add(const std::string& name) {
    if (!name.empty() && !is_pattern(name) && seen_.insert(name).second) {
      names_.push_back(name);
    }
  }
  [[nodiscard]] std::vector<std::string> names() && { return std::move(names_); }

 private:
  std::unordered_set<std::string> seen_;
  std::vector<std::string> names_;
};

std::vector<std::string> interfaces_of_servers(const InterfaceSettings6& settings) {
  PlainNames names;
  for (const auto& setting : settings.servers) {
    for (const ServerName6& server : setting.value) {
      names.add(server.interface_name);
    }
  }
  return std::move(names).names();
}

std::vector<std::string> plain_names(const InterfaceSettings& settings) {
  PlainNames names;
  names.add(settings.roles);
  names.add(settings.giaddr_interface);
  names.add(settings.giaddrs);
  names.add(settings.servers);
  names.add(as_settings(settings.trusted));
  names.add(settings.reply_delivery);
  names.add(settings.refuses_relayed);
  names.add(settings.rate_limits);
  names.add(settings.circuit_ids);
  names.add(settings.remote_ids);
  names.add(settings.subscriber_ids);
  names.add(settings.v6.servers);
  for (const std::string& name : interfaces_of_servers(settings.v6)) {
    names.add(name);
  }
  names.add(settings.v6.link_addresses);
  names.add(settings.v6.interface_ids);
  names.add(settings.v6.remote_ids);
  names.add(settings.v6.subscriber_ids);
  return std::move(names).names();
}

}  // namespace

bool matches(const std::string& pattern, const std::string& name) {
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

SettingsByName6::SettingsByName6(const InterfaceSettings6& settings)
    : is_relayed(!settings.servers.empty()),
      servers(settings.servers),
      link_addresses(settings.link_addresses),
      interface_ids(settings.interface_ids),
      remote_ids(settings.remote_ids),
      subscriber_ids(settings.subscriber_ids),
      relay_forward(settings.relay_forward),
      server_interfaces(interfaces_of_servers(settings)) {}

SettingsByName::SettingsByName(const InterfaceSettings& settings)
    : roles(settings.roles),
      trusted(as_settings(settings.trusted)),
      giaddrs(settings.giaddrs),
      giaddr_interface(settings.giaddr_interface),
      servers(settings.servers),
      reply_delivery(settings.reply_delivery),
      refuses_relayed(settings.refuses_relayed),
      rate_limits(settings.rate_limits),
      circuit_ids(settings.circuit_ids),
      remote_ids(settings.remote_ids),
      subscriber_ids(settings.subscriber_ids),
      agent_information(settings.agent_information),
      v6(settings.v6),
      names(plain_names(settings)) {}

}  // namespace relay::io
