// The exposition format of Prometheus (text, 0.0.4): families of metrics, one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relay::metrics {

enum class Type : std::uint8_t { counter, gauge, histogram };

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

/// Upper bounds in ascending order with how many are at or below each, the last being infinity; and the sum of all.
struct Histogram {
  std::vector<std::pair<double, std::uint64_t>> buckets;
  double sum = 0;
};

/// Text of unbounded size is made with bounded room beside it: thousands of interfaces have some ten thousand values.
class Exposition {
 public:
  Exposition();
  ~Exposition();
  Exposition(const Exposition&) = delete;
  Exposition& operator=(const Exposition&) = delete;

  /// The values that follow are of this family. One without values is left out.
  void family(std::string_view name, Type type, std::string_view help);
  /// Values of labels may be any octets: what is not printable ASCII becomes `\xNN`, since one that is not UTF-8 would
  /// spoil the whole text.
  void value(const Labels& labels, double value);
  void histogram(const Labels& labels, const Histogram& histogram);

  /// All of it, once.
  [[nodiscard]] std::string finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::metrics
