#include "relay/io/request_queue.h"

#include <algorithm>
#include <cassert>

#include "options82/options.h"
#include "relay/core/urgency.h"

namespace relay::io {

namespace {

/// Behind a message: for option 82. What DHCPv6 adds goes in front.
template <typename Protocol>
constexpr std::size_t tail_room =
    Protocol::family == Family::ipv4 ? options82::option_head_size + options82::max_option_value_size : 0;

}  // namespace

template <typename Protocol>
RequestQueueOf<Protocol>::RequestQueueOf()
    : rooms_(std::make_unique_for_overwrite<std::uint8_t[]>(place_count * place_size + large_count * large_size)) {
  free_.reserve(place_count);
  for (std::size_t place = place_count; place > 0; --place) {
    free_.push_back(static_cast<std::uint32_t>(place - 1));
  }
  large_flows_.resize(large_count, nobody);
  free_large_.reserve(large_count);
  for (std::size_t large = large_count; large > 0; --large) {
    free_large_.push_back(static_cast<std::uint32_t>(large));
  }
  taken_.reserve(place_count);
}

template <typename Protocol>
bool RequestQueueOf<Protocol>::push(const Ingress& ingress, std::span<const std::uint8_t> message, Kind kind,
                                    std::uint64_t epoch, std::size_t headroom) noexcept {
  const std::size_t size = message.size() + tail_room<Protocol>;
  assert(size <= large_size);
  const bool needs_large_room = is_large(message, headroom);
  if (free_.empty() || (needs_large_room && !has_large_room_for(ingress.interface_index))) {
    return false;
  }
  const std::uint32_t place = free_.back();
  free_.pop_back();
  Entry& entry = entries_[place];
  entry = {ingress, epoch, static_cast<std::uint32_t>(message.size()), 0, 0, kind};
  if (needs_large_room) {
    entry.large = free_large_.back();
    free_large_.pop_back();
    large_flows_[entry.large - 1] = ingress.interface_index;
  }
  const std::span<std::uint8_t> room = room_of(place);
  if constexpr (Protocol::family == Family::ipv6) {  // all of it: the interface may ask for more when its turn comes
    entry.headroom = static_cast<std::uint32_t>(room.size() - size);
  }
  std::copy(message.begin(), message.end(),
            room.subspan(entry.headroom).begin());  // std::ranges::copy of g++ 12 goes octet by octet
  order_.push(ingress.interface_index, urgency_of(kind), place);
  return true;
}

template <typename Protocol>
bool RequestQueueOf<Protocol>::is_large(std::span<const std::uint8_t> message, std::size_t headroom) noexcept {
  return headroom + message.size() + tail_room<Protocol> > place_size;
}

/// So that there is some left for another interface, however many flood (dynamic thresholds: Choudhury and Hahne,
/// IEEE/ACM Transactions on Networking 6, 1998).
template <typename Protocol>
bool RequestQueueOf<Protocol>::has_large_room_for(std::uint32_t flow) const noexcept {
  const auto count = std::count(large_flows_.begin(), large_flows_.end(), flow);
  return static_cast<std::size_t>(count) < free_large_.size();
}

template <typename Protocol>
auto RequestQueueOf<Protocol>::pop() noexcept -> std::optional<Queued> {
  const auto place = order_.pop();
  if (!place) {
    return std::nullopt;
  }
  return take(*place);
}

template <typename Protocol>
auto RequestQueueOf<Protocol>::give_up_for(const Ingress& ingress, std::span<const std::uint8_t> message, Kind kind,
                                           std::size_t headroom) noexcept -> std::optional<Queued> {
  const std::uint32_t flow = ingress.interface_index;
  if (!is_full() || (is_large(message, headroom) && !has_large_room_for(flow))) {
    return std::nullopt;  // another's place would not help
  }
  const auto place = order_.give_up_for(flow, urgency_of(kind));
  return place ? std::optional{take(*place)} : std::nullopt;
}

template <typename Protocol>
auto RequestQueueOf<Protocol>::take(std::uint32_t place) noexcept -> Queued {
  taken_.push_back(place);
  const Entry& entry = entries_[place];
  return {entry.ingress, {room_of(place), entry.size, entry.headroom}, entry.kind, entry.epoch};
}

template <typename Protocol>
void RequestQueueOf<Protocol>::release() noexcept {
  for (const std::uint32_t place : taken_) {
    if (const std::uint32_t large = entries_[place].large; large != 0) {
      free_large_.push_back(large);
      large_flows_[large - 1] = nobody;
    }
    free_.push_back(place);
  }
  taken_.clear();
}

template <typename Protocol>
std::span<std::uint8_t> RequestQueueOf<Protocol>::room_of(std::uint32_t place) noexcept {
  const std::size_t large = entries_[place].large;
  if (large != 0) {
    return {rooms_.get() + place_count * place_size + (large - 1) * large_size, large_size};
  }
  return {rooms_.get() + place * place_size, place_size};
}

template class RequestQueueOf<Dhcpv4>;
template class RequestQueueOf<Dhcpv6>;

}  // namespace relay::io
