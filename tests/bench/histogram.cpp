#include "histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bench {

void Histogram::add(std::int64_t nanoseconds) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0));
  ++counts_[step_of(value)];
  ++count_;
  most_ = std::max(most_, value);
}

double Histogram::quantile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t passed = 0;
  for (std::size_t step = 0; step < counts_.size(); ++step) {
    passed += counts_[step];
    if (passed >= wanted && passed > 0) {
      return static_cast<double>(std::min(top_of(step), most_)) / 1000;
    }
  }
  return 0;
}

void Histogram::describe(const std::string& name, JsonObject& into) const {
  into.add(name + "_count", count_);
  into.add(name + "_p50_us", quantile(0.5));
  into.add(name + "_p90_us", quantile(0.9));
  into.add(name + "_p99_us", quantile(0.99));
  into.add(name + "_p999_us", quantile(0.999));
  into.add(name + "_max_us", static_cast<double>(most_) / 1000);
}

/// Below `steps` a step is a nanosecond; from there on each power of two has `steps` of them.
std::size_t Histogram::step_of(std::uint64_t value) {
  if (value < steps) {
    return value;
  }
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - step_bits;
  return steps * (shift + 1) + ((value >> shift) - steps);
}

std::uint64_t Histogram::top_of(std::size_t step) {
  if (step < steps) {
    return step;
  }
  const std::size_t shift = step / steps - 1;
  return ((step % steps + steps + 1) << shift) - 1;
}

}  // namespace bench
