// The routes to delegated prefixes (RFC 8987 section 4.2) in the kernel's main table, all with one protocol number that
// nobody else has. A thread of its own asks the kernel, and writes the state file: both may wait, and messages must
// not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/core/address.h"
#include "relay/io/state_file.h"

namespace relay::io {

/// `rtm_protocol` of all routes that are made here, by which others tell them: `ip -6 route show proto 87`.
inline constexpr std::uint8_t route_protocol = 87;  // of RFC 8987

/// Whether this thread may change routes.
[[nodiscard]] bool may_change_routes();

/// Where packets to a prefix go.
struct NextHop {
  Ipv6Address address;
  std::uint32_t interface_index = 0;

  friend bool operator==(const NextHop&, const NextHop&) = default;
};

class DelegatedRoutes {
 public:
  /// All are called on the thread of the routes, and must not wait for it.
  struct Listener {
    /// A route that the kernel does not take, and the errno: EEXIST where somebody else has one to the same prefix.
    /// Not called where its interface is down or has gone.
    std::function<void(const Ipv6Prefix&, const NextHop&, int error)> refused;
    /// What `count_others` has found.
    std::function<void(std::size_t count)> others;
    /// The state could not be written, a sentence, each time; empty: it can be again.
    std::function<void(const std::string&)> state_fault;
  };

  /// Makes what the state file is to hold.
  using State = std::function<std::string()>;

  /// Opens its socket, and nothing after that, and begins; without `file` no state is written. Throws
  /// std::system_error.
  DelegatedRoutes(std::unique_ptr<StateFile> file, Listener listener);
  /// Routes stay (RFC 8987 S-1); those that are not wanted any more go first, and what state is due is written.
  ~DelegatedRoutes();
  DelegatedRoutes(const DelegatedRoutes&) = delete;
  DelegatedRoutes& operator=(const DelegatedRoutes&) = delete;

  /// The route to `prefix` from now on; nothing: none. Also where it was wanted before: the kernel is asked each time,
  /// and what has gone meanwhile, with a link (RFC 8987 S-2) or by somebody's hand, is made anew.
  void want(const Ipv6Prefix& prefix, const std::optional<NextHop>& next_hop);

  /// Counts routes with our protocol number that are not wanted, of a relay that ran before, where they lead to one of
  /// `interfaces`. They stay until they are wanted, or wanted no more.
  void count_others(std::vector<std::uint32_t> interfaces);

  /// The state is another: `state` is called on the thread of the routes, unless a later one takes its place before.
  void write_state(State state);

  /// The state file is not a state: the first one that is written leaves it under another name.
  void put_state_aside();

  /// Waits until all that was asked for so far has been tried.
  void settle();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::io
