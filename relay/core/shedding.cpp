#include "relay/core/shedding.h"

#include <algorithm>

namespace relay {

namespace {

// How much more is kept than was served: enough to see whether more could be, little enough to cost next to nothing.
constexpr double excess = 1.15;
constexpr double steepest_fall = 0.25;
constexpr double steepest_rise = 1.5;
constexpr std::uint32_t least = Shedding::all / 4096;
// A share that has changed by less than this part of it is as good as before.
constexpr std::uint32_t step = 16;

/// The share from now on of what was kept so far. What is given up now may have come before, so that it only says that
/// too much comes, and not how much.
[[nodiscard]] std::uint32_t next(std::uint32_t kept, std::uint64_t taken, std::uint64_t served,
                                 std::uint64_t given_up) noexcept {
  double factor = steepest_rise;
  if (given_up != 0 && taken != 0) {
    factor = std::clamp(excess * static_cast<double>(served) / static_cast<double>(taken), steepest_fall, factor);
  }
  const double wanted = static_cast<double>(kept) * factor;
  return wanted >= static_cast<double>(Shedding::all) ? Shedding::all
                                                      : std::max(static_cast<std::uint32_t>(wanted), least);
}

[[nodiscard]] bool is_near(std::uint32_t one, std::uint32_t other) noexcept {
  return one == other || (one != Shedding::all && other != Shedding::all &&
                          std::max(one, other) - std::min(one, other) <= std::max(one, other) / step);
}

}  // namespace

void Shedding::took(std::uint32_t flow, ShedKind kind) noexcept {
  if (Flow* const found = find(flow)) {
    Kind& seen = found->kinds[static_cast<std::size_t>(kind)];
    ++seen.taken;
    found->turned_away += seen.turned_away_each;
  }
}

void Shedding::served(std::uint32_t flow, ShedKind kind) noexcept {
  if (Flow* const found = find(flow)) {
    ++found->kinds[static_cast<std::size_t>(kind)].served;
  }
}

void Shedding::gave_up(std::uint32_t flow, ShedKind kind) noexcept {
  Flow* found = find(flow);
  if (found == nullptr) {
    found = add(flow);
  }
  if (found != nullptr) {
    ++found->kinds[static_cast<std::size_t>(kind)].given_up;
  }
}

bool Shedding::adjust() noexcept {
  for (Flow& each : flows()) {
    for (Kind& kind : each.kinds) {
      const std::uint32_t kept = next(kind.kept, kind.taken, kind.served, kind.given_up);
      kind = {0, 0, 0, kept, static_cast<double>(all) / static_cast<double>(kept) - 1};
      each.is_to_be_told = each.is_to_be_told || kept != all;
    }
  }
  forget_calm();
  return publish();
}

void Shedding::all_told() noexcept {
  for (Flow& each : flows()) {
    each.turned_away = 0;
    each.is_to_be_told = !has_all(each);
  }
  forget_calm();
}

bool Shedding::lift() noexcept {
  for (Flow& each : flows()) {
    each.kinds = {};
  }
  forget_calm();
  return publish();
}

Shedding::Flow* Shedding::find(std::uint32_t flow) noexcept {
  const auto found = std::ranges::find(flows(), flow, &Flow::number);
  return found == flows().end() ? nullptr : &*found;
}

/// In the room of one that is only remembered, if there is no other.
Shedding::Flow* Shedding::add(std::uint32_t flow) noexcept {
  Flow* place = nullptr;
  if (flow_count_ < max_flows) {
    place = &flows_[flow_count_++];
  } else if (const auto found = std::ranges::find_if(flows(), &has_all); found != flows().end()) {
    place = &*found;
  } else {
    return nullptr;
  }
  *place = {};
  place->number = flow;
  return place;
}

/// How many were turned away, as is known by what came through; where nothing did, one for each flow.
double Shedding::weigh() noexcept {
  const auto sum = [this] {
    double total = 0;
    for (const Flow& each : flows()) {
      total += each.turned_away;
    }
    return total;
  };
  if (const double total = sum(); total > 0) {
    return total;
  }
  for (Flow& each : flows()) {
    each.turned_away = each.is_to_be_told ? 1 : 0;
  }
  return sum();
}

/// Makes `shares_` what the flows say, if that differs by enough.
bool Shedding::publish() noexcept {
  std::array<Share, max_flows> made{};
  std::size_t count = 0;
  for (const Flow& each : flows()) {
    const auto& [other, discover] = each.kinds;
    if (other.kept != all || discover.kept != all) {
      made[count++] = {each.number, {other.kept, discover.kept}};
    }
  }
  const auto is_as_before = [](const Share& one, const Share& other) {
    return one.flow == other.flow && is_near(one.kept[0], other.kept[0]) && is_near(one.kept[1], other.kept[1]);
  };
  if (std::ranges::equal(std::span{made}.first(count), shares(), is_as_before)) {
    return false;
  }
  shares_ = made;
  share_count_ = count;
  return true;
}

/// None of it is turned away, nor is there reason to.
bool Shedding::has_all(const Flow& flow) noexcept {
  return std::ranges::all_of(flow.kinds, [](const Kind& kind) { return kind.kept == all && kind.given_up == 0; });
}

void Shedding::forget_calm() noexcept {
  const std::span<Flow> seen = flows();
  const auto left =
      std::remove_if(seen.begin(), seen.end(), [](const Flow& flow) { return has_all(flow) && !flow.is_to_be_told; });
  flow_count_ = static_cast<std::size_t>(left - seen.begin());
}

std::uint64_t Shedding::part_of(std::uint64_t count, double share) noexcept {
  return std::min(count, static_cast<std::uint64_t>(static_cast<double>(count) * share));
}

}  // namespace relay
