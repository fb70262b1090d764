// What a storm has to know of a family: how its clients speak, and what they hear. The names are those of DHCPv4: in
// DHCPv6 SOLICIT is what begins, ADVERTISE the offer and REPLY the acknowledgement.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "receive_ring.h"
#include "wire.h"

namespace bench {

/// Of a client to get an address.
struct Attempt {
  std::uint32_t client;  // its number, which makes its hardware address and its identifier
  std::uint32_t xid;
};

enum class Meaning : std::uint8_t { offer, acknowledgement, question, nothing };

/// What a frame is to the clients.
struct Reading {
  Meaning meaning = Meaning::nothing;
  std::uint32_t xid = 0;       // of an offer or an acknowledgement
  std::size_t reply_size = 0;  // of the frame that is due to a question of the link itself
};

/// A client's message that was broken.
struct Spoilt {
  std::size_t size = 0;        // of the frame
  bool is_for_kernel = false;  // no socket gets it: the kernel looks at UDP's size and checksum itself
};

/// `write` makes a frame with checksums that are right in the first octets of its room, of `room_size` or more, and
/// gives its size. `read` puts what is due to a question into its room. `request_after` reads an offer, and gives
/// nothing where it lacks something. `spoil` breaks a good first message in the way that the number stands for (each
/// number does), and sees to it that no answer is taken for one to an attempt.
template <typename Family>
concept Clients = requires(const Family family, const Attempt attempt, const typename Family::Request request,
                           wire::ConstOctets frame, wire::Octets room, std::uint32_t number) {
  { request.of } -> std::convertible_to<Attempt>;
  { family.write(attempt, room) } -> std::same_as<std::size_t>;
  { family.write(request, room) } -> std::same_as<std::size_t>;
  { family.read(frame, room) } -> std::same_as<Reading>;
  { family.request_after(frame) } -> std::same_as<std::optional<typename Family::Request>>;
  { Family::spoil(room, number) } -> std::same_as<Spoilt>;
  { Family::hearing() } -> std::same_as<Hearing>;
  { Family::xid_mask } -> std::convertible_to<std::uint32_t>;
  { Family::first_xid(number) } -> std::same_as<std::uint32_t>;
};

}  // namespace bench
