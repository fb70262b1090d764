// What the kernel sorts and turns away for the data path: programs of its classic BPF (Linux,
// Documentation/networking/filter.rst) on the two sockets that share a port.
#pragma once

#include <span>

#include "relay/core/shedding.h"
#include "relay/io/descriptor.h"

namespace relay::io {

/// The socket accepts what begins with op 2, and nothing else. These functions return an errno, or 0.
[[nodiscard]] int accept_replies(const Descriptor& socket) noexcept;

/// The socket accepts everything else, an empty payload included; of the interfaces that have a share, numbered as in
/// `Ingress::interface_index`, each message with the probability that goes with its urgency. Takes the place of what
/// was accepted before, without losing a message. A DHCPDISCOVER is common here only if it begins with option 53.
[[nodiscard]] int accept_requests(const Descriptor& socket, std::span<const Shedding::Share> shares) noexcept;

/// Of the sockets that share this one's port, the second to be bound has unicast replies, the first all other unicasts.
[[nodiscard]] int choose_by_op(const Descriptor& socket) noexcept;

}  // namespace relay::io
