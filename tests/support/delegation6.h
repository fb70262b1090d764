// Options by which DHCPv6 messages speak of delegated prefixes, for tests: RFC 8415 sections 21.2, 21.13, 21.21 and
// 21.22 by themselves; and what becomes of prefixes in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "relay/core/delegations.h"
#include "tests/support/message6.h"

namespace test_support {

[[nodiscard]] inline const char* name(relay::DelegationChange change) {
  using enum relay::DelegationChange;
  switch (change) {
    case delegated:
      return "delegated";
    case renewed:
      return "renewed";
    case moved:
      return "moved";
    case released:
      return "released";
    case expired:
      return "expired";
    case refused:
      return "refused";
  }
  return "?";
}

/// A prefix from its text, `2001:db8:e1::/56`, which must be one.
[[nodiscard]] inline relay::Ipv6Prefix prefix6(const std::string& text) {
  const std::size_t slash = text.find('/');
  return {ip6(text.substr(0, slash)), static_cast<std::uint8_t>(std::stoi(text.substr(slash + 1)))};
}

inline void append_number6(Bytes& octets, std::uint32_t number) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    octets.push_back(static_cast<std::uint8_t>(number >> shift));
  }
}

[[nodiscard]] inline Bytes client_id6(const Bytes& duid) {
  return option6(1, duid);
}

[[nodiscard]] inline Bytes status6(std::uint8_t code) {
  return option6(13, {0, code, 'o', 'k'});
}

template <typename Options>
[[nodiscard]] Bytes ia_pd6_of(std::uint32_t iaid, const Options& options, std::uint32_t t1 = 900,
                              std::uint32_t t2 = 1800) {
  Bytes value;
  append_number6(value, iaid);
  append_number6(value, t1);
  append_number6(value, t2);
  for (const Bytes& option : options) {
    value.insert(value.end(), option.begin(), option.end());
  }
  return option6(25, value);
}

/// IA_PD with options as they are.
[[nodiscard]] inline Bytes ia_pd6(std::uint32_t iaid, std::initializer_list<Bytes> options) {
  return ia_pd6_of(iaid, options);
}

[[nodiscard]] inline Bytes ia_prefix6(const relay::Ipv6Prefix& prefix, std::uint32_t preferred, std::uint32_t valid,
                                      const Bytes& options = {}) {
  Bytes value;
  append_number6(value, preferred);
  append_number6(value, valid);
  value.push_back(prefix.length);
  value.insert(value.end(), prefix.address.octets.begin(), prefix.address.octets.end());
  value.insert(value.end(), options.begin(), options.end());
  return option6(26, value);
}

[[nodiscard]] inline Bytes ia_prefix6(const std::string& prefix, std::uint32_t preferred, std::uint32_t valid,
                                      const Bytes& options = {}) {
  return ia_prefix6(prefix6(prefix), preferred, valid, options);
}

}  // namespace test_support
