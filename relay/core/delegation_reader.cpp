#include "relay/core/delegation_reader.h"

#include <algorithm>
#include <span>

namespace relay::dhcpv6 {

namespace {

constexpr std::size_t association_head_size = 12;  // IAID, T1, T2
constexpr std::size_t prefix_head_size = 25;       // two lifetimes, a length, a prefix
constexpr std::uint8_t most_prefix_length = 128;

/// What is asked of a list of options before any of them is believed.
struct Survey {
  std::size_t client_id_count = 0;
  Octets client_id;  // the first
  std::optional<std::uint16_t> status;
  bool is_damaged = false;
};

[[nodiscard]] Survey survey(Octets octets) noexcept {
  Survey found;
  OptionReader options{octets};
  while (const auto option = options.next()) {
    if (option->code == code::client_id) {
      found.client_id = found.client_id_count == 0 ? option->value : found.client_id;
      ++found.client_id_count;
    } else if (option->code == code::status_code) {
      found.is_damaged |= option->value.size() < 2;
      if (option->value.size() >= 2 && !found.status) {
        found.status = number(option->value.first<2>());
      }
    }
  }
  // RFC 8415 section 21.1: of options that cannot be read to their end, none can be relied on.
  found.is_damaged |= options.is_damaged();
  return found;
}

/// RFC 8415 section 21.21: a client discards an IA_PD with T1 greater than T2, both of them greater than 0.
[[nodiscard]] bool has_times_in_wrong_order(std::span<const std::uint8_t, association_head_size> head) noexcept {
  const std::uint32_t t1 = long_number(head.subspan<4, 4>());
  const std::uint32_t t2 = long_number(head.subspan<8, 4>());
  return t1 > t2 && t2 > 0;
}

}  // namespace

std::optional<ClientMessage> read_client_message(Octets message) noexcept {
  if (message.size() < message_header_size || msg_type(message) == message_type::relay_forward ||
      msg_type(message) == message_type::relay_reply) {
    return std::nullopt;
  }
  const Octets options = message.subspan(message_header_size);
  const Survey found = survey(options);
  if (found.is_damaged || found.client_id_count != 1 || found.client_id.size() < min_duid_size ||
      found.client_id.size() > max_duid_size) {
    return std::nullopt;
  }
  return ClientMessage{msg_type(message), found.client_id, options};
}

std::optional<PrefixAssociation> AssociationReader::next() noexcept {
  while (const auto option = options_.next()) {
    if (option->code != code::ia_pd || option->value.size() < association_head_size) {
      continue;
    }
    const auto head = option->value.first<association_head_size>();
    const Octets options = option->value.subspan(association_head_size);
    const Survey found = survey(options);
    if (!found.is_damaged && !(is_for_client_ && has_times_in_wrong_order(head))) {
      return PrefixAssociation{long_number(head.first<4>()), found.status.value_or(status::success), options};
    }
  }
  return std::nullopt;
}

std::optional<PrefixLease> PrefixReader::next() noexcept {
  while (const auto option = options_.next()) {
    if (option->code != code::ia_prefix || option->value.size() < prefix_head_size) {
      continue;
    }
    const auto value = option->value.first<prefix_head_size>();
    const Survey found = survey(option->value.subspan(prefix_head_size));
    Ipv6Prefix prefix{{}, value[8]};
    std::ranges::copy(value.subspan<9, 16>(), prefix.address.octets.begin());
    const PrefixLease lease{prefix, long_number(value.first<4>()), long_number(value.subspan<4, 4>())};
    // RFC 8415 section 21.22: no client uses one whose preferred lifetime is the longer one, or whose status is not
    // Success; and there is no length above 128.
    if (found.is_damaged || found.status.value_or(status::success) != status::success ||
        prefix.length > most_prefix_length || lease.preferred_lifetime > lease.valid_lifetime) {
      continue;
    }
    return PrefixLease{prefix.network(), lease.preferred_lifetime, lease.valid_lifetime};
  }
  return std::nullopt;
}

}  // namespace relay::dhcpv6
