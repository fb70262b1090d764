#include "relay/metrics/exposition.h"

#include <utility>

#include "relay/log/message_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace relay::metrics {

namespace {

constexpr std::size_t most_at_once = 512;

[[nodiscard]] prometheus::MetricType type_of(Type type) {
  switch (type) {
    case Type::counter:
      return prometheus::MetricType::Counter;
    case Type::gauge:
      return prometheus::MetricType::Gauge;
    case Type::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

}  // namespace

class Exposition::Impl {
 public:
  void begin(std::string_view name, Type type, std::string_view help) {
    flush();
    families_.front().name = name;
    families_.front().type = type_of(type);
    families_.front().help = help;
    has_head_ = false;
  }

  [[nodiscard]] prometheus::ClientMetric& add(const Labels& labels) {
    auto& metrics = families_.front().metric;
    if (metrics.size() == most_at_once) {
      flush();
    }
    prometheus::ClientMetric& added = metrics.emplace_back();
    added.label.reserve(labels.size());
    for (const auto& [name, value] : labels) {
      added.label.push_back({std::string{name}, printable_text(value)});
    }
    return added;
  }

  [[nodiscard]] bool is_counter() const { return families_.front().type == prometheus::MetricType::Counter; }

  [[nodiscard]] std::string finish() {
    flush();
    return std::move(text_);
  }

 private:
  /// A family has its head, two lines, once.
  void flush() {
    if (families_.front().metric.empty()) {
      return;
    }
    const std::string part = prometheus::TextSerializer{}.Serialize(families_);
    std::size_t body = 0;
    for (int line = 0; has_head_ && line < 2; ++line) {
      body = part.find('\n', body) + 1;
    }
    text_.append(part, body);
    has_head_ = true;
    families_.front().metric.clear();
  }

  std::vector<prometheus::MetricFamily> families_{1};  // the one that is being written
  bool has_head_ = false;
  std::string text_;
};

Exposition::Exposition() : impl_(std::make_unique<Impl>()) {}
Exposition::~Exposition() = default;

void Exposition::family(std::string_view name, Type type, std::string_view help) {
  impl_->begin(name, type, help);
}

void Exposition::value(const Labels& labels, double value) {
  prometheus::ClientMetric& metric = impl_->add(labels);
  (impl_->is_counter() ? metric.counter.value : metric.gauge.value) = value;
}

void Exposition::histogram(const Labels& labels, const Histogram& histogram) {
  prometheus::ClientMetric::Histogram& written = impl_->add(labels).histogram;
  for (const auto& [bound, count] : histogram.buckets) {
    written.bucket.push_back({count, bound});
    written.sample_count = count;
  }
  written.sample_sum = histogram.sum;
}

std::string Exposition::finish() {
  return impl_->finish();
}

}  // namespace relay::metrics
