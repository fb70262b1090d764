// The sockets of the data path. All are opened at start; interfaces that come and go need no further one.
#pragma once

#include "relay/core/ports.h"
#include "relay/io/descriptor.h"

namespace relay::io {

/// Octets that each UDP socket asks for: a burst of some 10,000 messages.
inline constexpr int receive_buffer_size = 8 * 1024 * 1024;

/// Those of one family.
struct Sockets {
  /// UDP on all addresses of the family and the same port, told apart by the kernel: what begins with BOOTREPLY's op,
  /// or with the type Relay-reply, goes to `replies`, everything else, also what is neither, to `requests`.
  Descriptor requests;
  Descriptor replies;
  /// UDP on the relay port: sends to servers what carries sub-option 19 or option 135, receives their replies. Closed
  /// where there is no relay port.
  Descriptor upstream;
  /// AF_PACKET without a protocol: sends frames, receives none. In DHCPv6, where every peer has an address, closed
  /// unless it was opened by itself (`open_frames`).
  Descriptor frames;
};

/// Opens them all, non-blocking. Throws std::system_error with a sentence that says what is in the way: a missing
/// capability, or another process on the port.
[[nodiscard]] Sockets open_sockets(const Ports& ports);
/// The same of DHCPv6. Multicasts are received of the groups that this host is in on the interface where they come,
/// whoever joined (`Memberships`); those that are sent are not received here.
[[nodiscard]] Sockets open_sockets(const Ports6& ports);

/// `Sockets::frames`. Takes CAP_NET_RAW; throws as `open_sockets`.
[[nodiscard]] Descriptor open_frames();

/// Lets the kernel hand over several messages of one sender at once (UDP_GRO of udp(7), Linux 5.0), or not. Returns 0
/// or the errno where it cannot.
int merge_received(const Sockets& sockets, bool on) noexcept;

/// Whether the kernel cuts up what is sent at once (UDP_SEGMENT of udp(7), Linux 4.18): 0 or the errno.
[[nodiscard]] int segmentation_error(const Sockets& sockets) noexcept;

}  // namespace relay::io
