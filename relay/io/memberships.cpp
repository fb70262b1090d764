#include "relay/io/memberships.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "relay/core/address.h"
#include "relay/io/socket_address.h"

namespace relay::io {

namespace {

constexpr std::size_t holder_count = 32;

/// 0 or the errno; `order` is IPV6_JOIN_GROUP or IPV6_LEAVE_GROUP.
[[nodiscard]] int change_membership(const Descriptor& holder, int order, std::uint32_t interface_index) noexcept {
  ipv6_mreq membership{};
  membership.ipv6mr_multiaddr = to_in_addr(all_dhcp_relay_agents_and_servers);
  membership.ipv6mr_interface = interface_index;
  return ::setsockopt(holder.number(), IPPROTO_IPV6, order, &membership, sizeof(membership)) == 0 ? 0 : errno;
}

[[nodiscard]] bool means_full(int error) noexcept {
  return error == ENOMEM || error == ENOBUFS;
}

}  // namespace

std::vector<Descriptor> open_membership_holders() {
  std::vector<Descriptor> holders;
  holders.reserve(holder_count);
  for (std::size_t count = 0; count < holder_count; ++count) {
    holders.emplace_back(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!holders.back().is_open()) {
      throw std::system_error(errno, std::generic_category(), "cannot open a UDP socket for multicast groups");
    }
  }
  return holders;
}

Memberships::Memberships(std::vector<Descriptor> holders, Refused refused)
    : holders_(std::move(holders)), refused_(std::move(refused)), thread_([this] { work(); }) {}

Memberships::~Memberships() {
  {
    const std::lock_guard lock{mutex_};
    is_ending_ = true;
  }
  has_work_.notify_one();
  thread_.join();
}

void Memberships::want(std::uint32_t interface_index, bool is_wanted) {
  const std::lock_guard lock{mutex_};
  if (is_wanted) {
    if (!wanted_.insert(interface_index).second && !in_vain_.contains(interface_index) &&
        at_work_on_ != interface_index) {
      return;
    }
    due_[interface_index].join = true;
  } else {
    if (wanted_.erase(interface_index) == 0) {
      return;
    }
    in_vain_.erase(interface_index);
    due_[interface_index] = {true, false};
  }
  has_work_.notify_one();
}

void Memberships::renew() {
  const std::lock_guard lock{mutex_};
  for (const std::uint32_t index : wanted_) {
    due_[index] = {true, true};
  }
  has_work_.notify_one();
}

void Memberships::settle() {
  std::unique_lock lock{mutex_};
  has_rest_.wait(lock, [this] { return due_.empty() && !at_work_on_; });
}

void Memberships::work() {
  std::unique_lock lock{mutex_};
  while (true) {
    has_work_.wait(lock, [this] { return is_ending_ || !due_.empty(); });
    if (is_ending_) {
      return;
    }
    const auto [index, due] = *due_.begin();
    due_.erase(due_.begin());
    at_work_on_ = index;
    lock.unlock();
    const int error = carry_out(index, due);
    if (error != 0 && error != ENODEV && refused_) {
      refused_(index, error);
    }
    lock.lock();
    at_work_on_.reset();
    in_vain_.erase(index);
    if (error != 0 && wanted_.contains(index)) {
      in_vain_.insert(index);
    }
    if (due_.empty()) {
      has_rest_.notify_all();
    }
  }
}

/// The errno of joining, 0 also where there is nothing to join.
int Memberships::carry_out(std::uint32_t interface_index, Due due) {
  if (due.leave) {
    leave(interface_index);
  }
  return due.join && !holder_of_.contains(interface_index) ? join(interface_index) : 0;
}

int Memberships::join(std::uint32_t interface_index) {
  for (; first_with_room_ < holders_.size(); ++first_with_room_) {
    const int error = change_membership(holders_[first_with_room_], IPV6_JOIN_GROUP, interface_index);
    if (error == 0) {
      holder_of_[interface_index] = first_with_room_;
    }
    if (!means_full(error)) {
      return error;
    }
  }
  return ENOBUFS;
}

/// Also of an interface that has gone: the holder has its room back.
void Memberships::leave(std::uint32_t interface_index) {
  const auto held = holder_of_.find(interface_index);
  if (held != holder_of_.end()) {
    static_cast<void>(change_membership(holders_[held->second], IPV6_LEAVE_GROUP, interface_index));
    first_with_room_ = std::min(first_with_room_, held->second);
    holder_of_.erase(held);
  }
}

}  // namespace relay::io
