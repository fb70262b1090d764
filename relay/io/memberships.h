// Membership of All_DHCP_Relay_Agents_and_Servers (RFC 8415 section 7.1) on each interface that has clients of DHCPv6.
// A thread of its own joins and leaves, since that waits for whoever changes links, and messages must not.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "relay/io/descriptor.h"

namespace relay::io {

/// Sockets that hold memberships and receive nothing. What the kernel keeps for one of them is bounded
/// (net.core.optmem_max), at some 360 memberships by default before Linux 6.8: so there are enough for 11,000
/// interfaces. Takes no privilege; throws std::system_error.
[[nodiscard]] std::vector<Descriptor> open_membership_holders();

class Memberships {
 public:
  /// An interface that could not be joined on, and the errno: ENOBUFS where no holder has room. Not called where the
  /// interface has gone meanwhile. On the thread of the memberships.
  using Refused = std::function<void(std::uint32_t interface_index, int error)>;

  /// Opens nothing; throws std::system_error where no thread can be had.
  Memberships(std::vector<Descriptor> holders, Refused refused);
  ~Memberships();
  Memberships(const Memberships&) = delete;
  Memberships& operator=(const Memberships&) = delete;

  /// Whether the interface is to be a member from now on. One that has gone is not; when it has come back under the
  /// same index, it is joined on again. What was refused is tried again with each call that wants it.
  void want(std::uint32_t interface_index, bool is_wanted);

  /// Changes of links were missed: joins anew wherever it is wanted, for the kernel forgets what a link was a member of
  /// when the link goes, and its index may be another link's.
  void renew();

  /// Waits until all that was wanted so far has been tried.
  void settle();

 private:
  /// What is to be done about an interface, in this order.
  struct Due {
    bool leave = false;
    bool join = false;
  };

  void work();
  [[nodiscard]] int carry_out(std::uint32_t interface_index, Due due);
  [[nodiscard]] int join(std::uint32_t interface_index);
  void leave(std::uint32_t interface_index);

  std::vector<Descriptor> holders_;
  Refused refused_;

  // The thread's.
  std::unordered_map<std::uint32_t, std::size_t> holder_of_;  // by interface, where it is a member
  std::size_t first_with_room_ = 0;                           // holders in front of it have none

  std::mutex mutex_;
  std::condition_variable has_work_;
  std::condition_variable has_rest_;
  std::set<std::uint32_t> wanted_;
  std::set<std::uint32_t> in_vain_;  // wanted, and refused
  std::map<std::uint32_t, Due> due_;
  std::optional<std::uint32_t> at_work_on_;  // which may be refused though it would not be any more
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace relay::io
