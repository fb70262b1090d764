// What the kernel sorts and turns away for the data path: programs of its classic BPF (Linux,
// Documentation/networking/filter.rst) on the two sockets that share a port.
#pragma once

#include <cstdint>
#include <span>

#include "relay/core/families.h"
#include "relay/core/shedding.h"
#include "relay/io/descriptor.h"

namespace relay::io {

/// The socket accepts what begins as a server's reply to a relay agent does (op 2, or the type Relay-reply), and
/// nothing else. These functions return an errno, or 0.
[[nodiscard]] int accept_replies(const Descriptor& socket, Family family) noexcept;

/// The socket accepts everything else, an empty payload included; of the interfaces that have a share, numbered as in
/// `Ingress::interface_index`, each datagram with the probability that goes with its kind. Takes the place of what was
/// accepted before, without losing a message; after an error that is still in force.
[[nodiscard]] int accept_requests(const Descriptor& socket, Family family,
                                  std::span<const Shedding::Share> shares) noexcept;

/// The kind that `accept_requests` takes a datagram with `request`, or with several messages and this one first, for: a
/// DHCPDISCOVER if its options begin with the message type, or a Solicit that no relay agent has wrapped.
[[nodiscard]] ShedKind shed_kind_of(std::span<const std::uint8_t> request, Family family) noexcept;

/// Of the sockets that share this one's port, the second to be bound has unicast replies, the first all other unicasts.
[[nodiscard]] int choose_by_op(const Descriptor& socket, Family family) noexcept;

}  // namespace relay::io
