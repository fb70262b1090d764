// What the relay gives up once all that takes privilege is open: its account, its capabilities, and the ways to get
// them back.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace relay::io {

struct Account {
  std::string name;
  uid_t user = 0;
  gid_t group = 0;  ///< its primary one
};

/// Nothing where this host knows no such account. Throws std::system_error where that cannot be found out.
[[nodiscard]] std::optional<Account> find_account(const std::string& name);

/// Whether the process may become another account: it was started by root.
[[nodiscard]] bool is_root() noexcept;

/// `it takes root or CAP_NET_RAW`; said to root, the capability alone.
[[nodiscard]] std::string it_takes(const std::string& capability);

/// Bits.
enum class Kept : std::uint8_t {
  nothing = 0,
  packet_sockets = 1,  ///< CAP_NET_RAW, if the process has it: a capture opens a socket for each interface that appears
  routes = 2,          ///< CAP_NET_ADMIN, if the process has it: delegated prefixes come and go
};

[[nodiscard]] constexpr Kept operator|(Kept one, Kept other) noexcept {
  return static_cast<Kept>(static_cast<unsigned>(one) | static_cast<unsigned>(other));
}
[[nodiscard]] constexpr bool has(Kept kept, Kept bit) noexcept {
  return (static_cast<unsigned>(kept) & static_cast<unsigned>(bit)) != 0;
}

/// Becomes `account`, or stays what it is where there is none, without supplementary groups; gives up every capability
/// in every set, but for what is `kept` as permitted and effective; and sets no_new_privs. Call it before any thread is
/// started, since the kernel keeps capabilities by thread. Two things need a capability to be given up, and stay
/// without it: the bounding set, of which no use can be made any more, CAP_SETPCAP; and supplementary groups, where
/// there is no `account`, CAP_SETGID. Where a filter of the service manager forbids capset(2) (systemd:
/// SystemCallFilter=~@privileged), the capabilities stay, of which `confine_relay` leaves no use. Throws
/// std::system_error with a sentence that names the capability that is missing.
void drop_privileges(const std::optional<Account>& account, Kept kept);

}  // namespace relay::io
