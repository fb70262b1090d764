// What the kernel sorts and turns away for the data path: programs of its classic BPF (Linux,
// Documentation/networking/filter.rst) on the two sockets that share a port.
#pragma once

#include <cstdint>
#include <span>

#include "relay/core/shedding.h"
#include "relay/io/descriptor.h"

namespace relay::io {

/// The socket accepts what begins with op 2, and nothing else. These functions return an errno, or 0.
[[nodiscard]] int accept_replies(const Descriptor& socket) noexcept;

/// The socket accepts everything else, an empty payload included; of the interfaces that have a share, numbered as in
/// `Ingress::interface_index`, each datagram with the probability that goes with its kind. Takes the place of what was
/// accepted before, without losing a message; after an error that is still in force.
[[nodiscard]] int accept_requests(const Descriptor& socket, std::span<const Shedding::Share> shares) noexcept;

/// The kind that `accept_requests` takes a datagram with `request`, or with several messages and this one first, for: a
/// DHCPDISCOVER if its options begin with the message type.
[[nodiscard]] ShedKind shed_kind_of(std::span<const std::uint8_t> request) noexcept;

/// Of the sockets that share this one's port, the second to be bound has unicast replies, the first all other unicasts.
[[nodiscard]] int choose_by_op(const Descriptor& socket) noexcept;

}  // namespace relay::io
