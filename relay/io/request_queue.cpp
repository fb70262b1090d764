#include "relay/io/request_queue.h"

#include <algorithm>
#include <cassert>

#include "options82/options.h"
#include "relay/core/urgency.h"

namespace relay::io {

namespace {

constexpr std::size_t room_for_option82 = options82::option_head_size + options82::max_option_value_size;

}  // namespace

RequestQueue::RequestQueue()
    : rooms_(std::make_unique_for_overwrite<std::uint8_t[]>(place_count * place_size + large_count * large_size)) {
  free_.reserve(place_count);
  for (std::size_t place = place_count; place > 0; --place) {
    free_.push_back(static_cast<std::uint32_t>(place - 1));
  }
  free_large_.reserve(large_count);
  for (std::size_t large = large_count; large > 0; --large) {
    free_large_.push_back(static_cast<std::uint32_t>(large));
  }
  taken_.reserve(place_count);
}

bool RequestQueue::push(const Ingress& ingress, std::span<const std::uint8_t> message, MessageKind kind,
                        std::uint64_t epoch) noexcept {
  assert(message.size() + room_for_option82 <= large_size);
  const bool is_large = message.size() + room_for_option82 > place_size;
  if (free_.empty() || (is_large && free_large_.empty())) {
    return false;
  }
  const std::uint32_t place = free_.back();
  free_.pop_back();
  Entry& entry = entries_[place];
  entry = {ingress, epoch, static_cast<std::uint32_t>(message.size()), 0, kind};
  if (is_large) {
    entry.large = free_large_.back();
    free_large_.pop_back();
  }
  std::copy(message.begin(), message.end(), room_of(place).begin());  // std::ranges::copy of g++ 12 goes octet by octet
  order_.push(ingress.interface_index, urgency_of(kind), place);
  return true;
}

std::optional<QueuedRequest> RequestQueue::pop() noexcept {
  const auto place = order_.pop();
  if (!place) {
    return std::nullopt;
  }
  return take(*place);
}

std::optional<QueuedRequest> RequestQueue::give_up_for(const Ingress& ingress, Urgency urgency) noexcept {
  if (!is_full()) {
    return std::nullopt;  // it is too large
  }
  const auto place = order_.give_up_for(ingress.interface_index, urgency);
  return place ? std::optional{take(*place)} : std::nullopt;
}

QueuedRequest RequestQueue::take(std::uint32_t place) noexcept {
  taken_.push_back(place);
  const Entry& entry = entries_[place];
  return {entry.ingress, {room_of(place), entry.size}, entry.kind, entry.epoch};
}

void RequestQueue::release() noexcept {
  for (const std::uint32_t place : taken_) {
    if (entries_[place].large != 0) {
      free_large_.push_back(entries_[place].large);
    }
    free_.push_back(place);
  }
  taken_.clear();
}

std::span<std::uint8_t> RequestQueue::room_of(std::uint32_t place) noexcept {
  const std::size_t large = entries_[place].large;
  if (large != 0) {
    return {rooms_.get() + place_count * place_size + (large - 1) * large_size, large_size};
  }
  return {rooms_.get() + place * place_size, place_size};
}

}  // namespace relay::io
