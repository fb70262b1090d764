#include "relay/core/shedding.h"

#include <algorithm>

namespace relay {

namespace {

// How much more is kept than was of use: enough to see whether more could be, little enough to cost next to nothing.
constexpr double excess = 1.15;
constexpr double steepest_fall = 0.25;
constexpr double steepest_rise = 1.5;  // where nothing overflows
constexpr std::uint32_t least = Shedding::all / 4096;
// A share that has changed by less than this part of it is as good as before.
constexpr std::uint32_t step = 16;

/// The share of which so many were taken, and of these so many given up, from now on.
[[nodiscard]] std::uint32_t next(std::uint32_t kept, std::uint64_t taken, std::uint64_t given_up) noexcept {
  double factor = steepest_rise;
  if (given_up != 0) {
    const std::uint64_t of_use = taken - std::min(taken, given_up);
    factor = std::max(excess * static_cast<double>(of_use) / static_cast<double>(std::max<std::uint64_t>(taken, 1)),
                      steepest_fall);
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

void Shedding::took(std::uint32_t flow, Urgency urgency) noexcept {
  if (Flow* const found = find(flow)) {
    ++found->kinds[static_cast<std::size_t>(urgency)].taken;
  }
}

void Shedding::gave_up(std::uint32_t flow, Urgency urgency) noexcept {
  Flow* found = find(flow);
  if (found == nullptr) {
    if (flow_count_ == max_flows) {
      return;
    }
    found = &flows_[flow_count_++];
    *found = {};
    found->number = flow;
  }
  ++found->kinds[static_cast<std::size_t>(urgency)].given_up;
}

bool Shedding::adjust() noexcept {
  for (Flow& each : flows()) {
    for (Kind& kind : each.kinds) {
      each.turned_away +=
          static_cast<double>(kind.taken) * (static_cast<double>(all) / static_cast<double>(kind.kept) - 1);
      kind = {0, 0, next(kind.kept, kind.taken, kind.given_up)};
    }
  }
  forget_calm();
  return publish();
}

bool Shedding::lift() noexcept {
  if (flow_count_ == 0) {
    return false;
  }
  const bool has_changed = adjust();
  for (Flow& each : flows()) {
    each.kinds = {};
  }
  forget_calm();
  return publish() || has_changed;
}

Shedding::Flow* Shedding::find(std::uint32_t flow) noexcept {
  const auto found = std::ranges::find(flows(), flow, &Flow::number);
  return found == flows().end() ? nullptr : &*found;
}

/// Makes `shares_` what the flows say, if that differs by enough.
bool Shedding::publish() noexcept {
  std::array<Share, max_flows> made{};
  std::size_t count = 0;
  for (const Flow& each : flows()) {
    const auto& [urgent, common] = each.kinds;
    if (urgent.kept != all || common.kept != all) {
      made[count++] = {each.number, {urgent.kept, common.kept}};
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

/// Flows of which all is kept and nothing has to be told any more.
void Shedding::forget_calm() noexcept {
  const std::span<Flow> seen = flows();
  const auto left = std::remove_if(seen.begin(), seen.end(), [](const Flow& flow) {
    return flow.turned_away <= 0 && flow.kinds[0].kept == all && flow.kinds[1].kept == all &&
           flow.kinds[0].given_up + flow.kinds[1].given_up == 0;
  });
  flow_count_ = static_cast<std::size_t>(left - seen.begin());
}

std::uint64_t Shedding::part_of(std::uint64_t count, double weight) noexcept {
  return std::min(count, static_cast<std::uint64_t>(static_cast<double>(count) * weight));
}

}  // namespace relay
