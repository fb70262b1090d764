// What a message between client and server says of delegated prefixes (RFC 8415 sections 21.21 and 21.22). Reads alone:
// whatever is wrong with a message, it is nothing but not understood here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "relay/core/address.h"
#include "relay/core/dhcpv6.h"
#include "relay/core/options6.h"

namespace relay::dhcpv6 {

/// Status codes that end a lease or keep it (RFC 8415 section 21.13).
namespace status {
inline constexpr std::uint16_t success = 0;
inline constexpr std::uint16_t no_binding = 3;
}  // namespace status

inline constexpr std::size_t min_duid_size = 3;    // its type, and one octet (RFC 8415 section 11.1)
inline constexpr std::size_t max_duid_size = 130;  // its type, and 128 octets

inline constexpr std::uint32_t infinity = 0xffffffffU;  // of a lifetime (RFC 8415 section 7.7)

/// A message of a client, or for one. The spans borrow from it.
struct ClientMessage {
  std::uint8_t type = 0;
  Octets client_duid;  ///< of a size that a DUID may have
  Octets options;      ///< whole from the first to the last
};

/// Nothing where this is a relay agent's message, or its options are damaged, or it does not name one client.
[[nodiscard]] std::optional<ClientMessage> read_client_message(Octets message) noexcept;

/// An identity association for prefixes.
struct PrefixAssociation {
  std::uint32_t iaid = 0;
  std::uint16_t status = status::success;
  Octets options;  ///< whole from the first to the last
};

/// Walks the IA_PDs of a message in order, and passes over what is damaged or, in a Reply, discarded by clients.
/// Without allocation.
class AssociationReader {
 public:
  explicit AssociationReader(const ClientMessage& message) noexcept
      : options_(message.options), is_for_client_(message.type == message_type::reply) {}

  [[nodiscard]] std::optional<PrefixAssociation> next() noexcept;

 private:
  OptionReader options_;
  bool is_for_client_;
};

/// One prefix of an identity association.
struct PrefixLease {
  Ipv6Prefix prefix;  ///< nothing but zeros behind its length
  std::uint32_t preferred_lifetime = 0;
  std::uint32_t valid_lifetime = 0;  ///< seconds; 0: it is taken back

  friend bool operator==(const PrefixLease&, const PrefixLease&) = default;
};

/// Walks the prefixes of an identity association in order, and passes over what a client has to pass over. Without
/// allocation.
class PrefixReader {
 public:
  explicit PrefixReader(const PrefixAssociation& association) noexcept : options_(association.options) {}

  [[nodiscard]] std::optional<PrefixLease> next() noexcept;

 private:
  OptionReader options_;
};

}  // namespace relay::dhcpv6
