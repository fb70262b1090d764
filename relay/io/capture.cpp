#include "relay/io/capture.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "relay/capture/verdict_queue.h"
#include "relay/io/capture_device.h"
#include "relay/io/capture_output.h"
#include "relay/io/descriptor.h"
#include "relay/io/host_facts.h"

namespace relay::io {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;

constexpr nanoseconds never = nanoseconds::max();

constexpr int niceness = 10;

constexpr std::size_t queue_size = 16384;  // verdicts

// The kernel hands packets over when a block of them is full or this old. Each interface has a timer for that, so many
// interfaces have slower ones.
constexpr milliseconds least_patience{50};
constexpr milliseconds most_patience{1000};

// The kernel's buffers of all interfaces together, and the least that libpcap can use for one.
constexpr std::size_t buffers_size = 64U << 20U;
constexpr std::size_t least_buffer_size = 512U << 10U;
constexpr std::size_t most_buffer_size = 4U << 20U;

constexpr milliseconds window{1000};           // how long a packet without a verdict waits for one
constexpr milliseconds busy_interval{20};      // between looks at packets that are held
constexpr milliseconds idle_interval{100};     // and at verdicts, where there are none
constexpr milliseconds flush_interval{200};    // the most that a packet waits in the buffer
constexpr milliseconds loss_interval{1000};    // the kernel is asked for each interface
constexpr milliseconds last_write_limit{500};  // how long a slow reader is waited for at the end
constexpr milliseconds retry_interval{1000};   // between attempts at an interface that cannot be listened on

[[nodiscard]] nanoseconds steady_now() {
  return Clock::now().time_since_epoch();
}

[[nodiscard]] nanoseconds wall_now() {
  return std::chrono::system_clock::now().time_since_epoch();
}

[[nodiscard]] milliseconds patience_for(std::size_t interfaces) {
  return std::clamp(milliseconds{interfaces}, least_patience, most_patience);
}

[[nodiscard]] capture::Annotator::Limits limits_for(std::size_t interfaces) {
  const milliseconds hold = 2 * patience_for(interfaces) + busy_interval;
  return {.hold = hold, .window = std::max(window, 2 * hold)};
}

[[nodiscard]] std::string filter_of(const Ports& ports, const std::string& further) {
  std::string result = "(udp port 67 or udp port 68";
  const auto add = [&result](std::uint16_t port) {
    if (port != 67 && port != 68) {
      result += " or udp port " + std::to_string(port);
    }
  };
  add(ports.server);
  add(ports.client());
  if (ports.relay) {
    add(*ports.relay);
  }
  result += ')';
  return further.empty() ? result : result + " and (" + further + ')';
}

/// Each interface needs a descriptor; the relay alone needs few, which is what the usual limit is for.
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

[[nodiscard]] Descriptor opened(int number, const char* what) {
  if (number < 0) {
    throw std::system_error(errno, std::generic_category(), what);
  }
  return Descriptor{number};
}

}  // namespace

class Capture::Impl {
 public:
  Impl(const Options& options, Surroundings surroundings)
      : options_(options),
        surroundings_(std::move(surroundings)),
        filter_(filter_of(options.ports, options.filter)),
        wake_(opened(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (thread_.joinable()) {
      stop();
      static_cast<void>(join());
    }
  }

  void open(bool keep_previous);
  void start(const capture::HostView& view);
  [[nodiscard]] bool is_running() const noexcept { return thread_.joinable(); }
  void wait_until_listening() { listens_.get_future().wait(); }
  void stop() noexcept;
  [[nodiscard]] Ending join();
  void follow(const capture::HostView& view);
  [[nodiscard]] capture::VerdictTap& tap() noexcept { return tap_; }

 private:
  struct Listening {
    std::unique_ptr<CaptureDevice> device;
    CaptureDevice::Statistics counted;  // at the last look
  };

  void run() noexcept;
  void begin_listening();
  void listen_until_stopped();
  void turn(milliseconds timeout);
  void obey_wake();
  void reconcile();
  void open(const capture::HostView::Point& point);
  void close(std::map<std::uint32_t, Listening>::iterator listening);
  void read(Listening& listening);
  void take_verdicts();
  void count_losses();
  void count_losses(Listening& listening);
  std::uint64_t tell(const capture::Annotated& annotated);
  [[nodiscard]] std::string comment(const capture::Annotated& annotated);
  [[nodiscard]] capture::HostFacts host_facts(const capture::Annotated& annotated);
  void write_if_due();
  void finish();
  [[nodiscard]] nanoseconds hold() const;
  [[nodiscard]] bool is_over(nanoseconds grace) const;
  [[nodiscard]] bool gives_up() const;

  Options options_;
  Surroundings surroundings_;
  std::string filter_;
  Descriptor wake_;
  capture::VerdictQueue queue_{queue_size};
  capture::VerdictTap tap_{queue_};

  std::mutex mutex_;
  capture::HostView next_view_;  // guarded by the mutex
  bool has_next_view_ = false;   // likewise
  std::atomic<nanoseconds> asked_to_stop_at_{never};
  std::promise<void> listens_;  // set once it listens or has ended
  std::thread thread_;

  // Of the thread alone while it runs:
  Descriptor epoll_;
  std::optional<CaptureOutput> output_;
  std::optional<capture::Annotator> annotator_;
  capture::HostView view_;
  std::map<std::uint32_t, Listening> listening_;      // by index
  std::map<std::uint32_t, std::uint64_t> delivered_;  // packets that were written, by index
  std::vector<std::uint32_t> refused_;                // interfaces that were told to be impossible, sorted
  std::string first_refusal_;                         // why
  nanoseconds retry_at_ = never;
  nanoseconds flushed_at_{};
  nanoseconds losses_counted_at_{};
  std::uint64_t packets_before_ = 0;  // in the same stream
  std::uint64_t lost_verdicts_at_start_ = 0;
  std::uint64_t lost_verdicts_seen_ = 0;
  std::uint64_t lost_since_packet_ = 0;  // packets and verdicts
  std::uint64_t full_buffers_seen_ = 0;
  std::optional<nanoseconds> buffers_full_at_;  // when the last of them was noticed
  Ending ending_;
};

void Capture::Impl::open(bool keep_previous) {
  output_.reset();
  if (options_.file) {
    packets_before_ = options_.file->name == "-" ? packets_before_ : 0;
    output_.emplace(*options_.file, keep_previous, options_.section, filter_, packets_before_);
  }
}

void Capture::Impl::start(const capture::HostView& view) {
  allow_many_descriptors();
  epoll_ = opened(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  epoll_event event{.events = EPOLLIN, .data = {.u32 = 0}};
  ::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, wake_.number(), &event);
  annotator_.emplace(options_.ports, limits_for(view.points.size()), options_.judges);
  while (queue_.front() != nullptr) {
    queue_.pop();
  }
  lost_verdicts_at_start_ = lost_verdicts_seen_ = queue_.lost();
  full_buffers_seen_ = full_receive_buffers();
  buffers_full_at_.reset();
  lost_since_packet_ = 0;
  ending_ = {};
  asked_to_stop_at_ = never;
  delivered_.clear();
  refused_.clear();
  first_refusal_.clear();
  retry_at_ = never;
  listens_ = {};
  follow(view);
  tap_.open();
  thread_ = std::thread{[this] { run(); }};
}

void Capture::Impl::stop() noexcept {
  nanoseconds expected = never;
  asked_to_stop_at_.compare_exchange_strong(expected, steady_now());
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.number(), &one, sizeof one));
}

Capture::Ending Capture::Impl::join() {
  thread_.join();
  return std::exchange(ending_, {});
}

void Capture::Impl::follow(const capture::HostView& view) {
  const std::lock_guard lock{mutex_};
  next_view_ = view;
  has_next_view_ = true;
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.number(), &one, sizeof one));
}

void Capture::Impl::run() noexcept {
  // Signals are the service's, and a reader of standard output that is gone is an error of `write`.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  ::setpriority(PRIO_PROCESS, 0, niceness);  // of this thread alone: what it cannot keep up with is lost, and counted
  bool is_listening = false;
  try {
    begin_listening();
    is_listening = true;
    listens_.set_value();
    surroundings_.listening();
    listen_until_stopped();
    finish();
  } catch (const std::exception& error) {
    ending_.fault = error.what();
  }
  tap_.close();
  count_losses();
  if (output_) {
    ending_.packets = output_->packets_written() - packets_before_;
    packets_before_ = output_->packets_written();
  }
  ending_.lost_verdicts = queue_.lost() - lost_verdicts_at_start_;
  listening_.clear();
  output_.reset();
  annotator_.reset();
  if (!is_listening) {
    listens_.set_value();
  }
  surroundings_.ended();
}

/// A file can be read from here on, and what passes is captured.
void Capture::Impl::begin_listening() {
  obey_wake();
  if (!options_.judges && listening_.empty() && !first_refusal_.empty()) {
    throw std::runtime_error(first_refusal_);  // nobody relays, and there is nothing to see
  }
  if (output_) {
    output_->flush([this] { return gives_up(); });
  }
}

/// What passed before the end was asked for is still told: the kernel hands it over in a moment.
void Capture::Impl::listen_until_stopped() {
  while (!is_over(hold())) {
    turn(annotator_->empty() ? idle_interval : busy_interval);
  }
}

nanoseconds Capture::Impl::hold() const {
  return limits_for(view_.points.size()).hold;
}

/// Whether the end was asked for and `grace` has passed since.
bool Capture::Impl::is_over(nanoseconds grace) const {
  const nanoseconds asked = asked_to_stop_at_;
  return asked != never && steady_now() >= asked + grace;
}

/// Whether a reader of standard output that takes nothing is no longer waited for.
bool Capture::Impl::gives_up() const {
  return is_over(hold() + last_write_limit);
}

void Capture::Impl::turn(milliseconds timeout) {
  std::array<epoll_event, 64> events{};
  const int count =
      ::epoll_wait(epoll_.number(), events.data(), static_cast<int>(events.size()), static_cast<int>(timeout.count()));
  for (int number = 0; number < count; ++number) {
    const std::uint32_t index = events[static_cast<std::size_t>(number)].data.u32;
    if (index == 0) {
      obey_wake();
    } else if (const auto listening = listening_.find(index); listening != listening_.end()) {
      read(listening->second);
    }
  }
  if (steady_now() >= retry_at_) {
    reconcile();
  }
  take_verdicts();
  if (steady_now() >= losses_counted_at_ + loss_interval) {
    count_losses();
  }
  annotator_->release(steady_now(), [this](const capture::Annotated& annotated) { return tell(annotated); });
  write_if_due();
}

void Capture::Impl::obey_wake() {
  std::uint64_t count = 0;
  static_cast<void>(::read(wake_.number(), &count, sizeof count));
  {
    const std::lock_guard lock{mutex_};
    if (!std::exchange(has_next_view_, false)) {
      return;
    }
    view_ = std::move(next_view_);
  }
  reconcile();
  if (output_) {
    output_->describe(view_);
  }
}

/// Listens on the interfaces of the view and on no others.
void Capture::Impl::reconcile() {
  retry_at_ = never;
  for (auto place = listening_.begin(); place != listening_.end();) {
    const auto here = place++;
    const auto point = std::ranges::find(view_.points, here->first, &capture::HostView::Point::index);
    if (point == view_.points.end() || point->name != here->second.device->point().name) {
      close(here);
    } else {
      here->second.device->describe(*point);
    }
  }
  for (const capture::HostView::Point& point : view_.points) {
    if (!listening_.contains(point.index)) {
      open(point);
    }
  }
}

void Capture::Impl::open(const capture::HostView::Point& point) {
  const std::size_t buffer_size = std::clamp(buffers_size / view_.points.size(), least_buffer_size, most_buffer_size);
  try {
    Listening listening{std::make_unique<CaptureDevice>(
                            point, CaptureDevice::Options{filter_, patience_for(view_.points.size()), buffer_size}),
                        {}};
    epoll_event event{.events = EPOLLIN, .data = {.u32 = point.index}};
    if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, listening.device->descriptor(), &event) != 0) {
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
    listening_.insert_or_assign(point.index, std::move(listening));
    std::erase(refused_, point.index);
  } catch (const std::runtime_error& error) {
    retry_at_ = steady_now() + retry_interval;
    if (std::ranges::find(refused_, point.index) == refused_.end()) {
      refused_.push_back(point.index);
      if (first_refusal_.empty()) {
        first_refusal_ = "cannot capture on " + point.name + ": " + error.what();
      }
      surroundings_.cannot_listen(point.name, error.what());
    }
  }
}

void Capture::Impl::close(std::map<std::uint32_t, Listening>::iterator listening) {
  count_losses(listening->second);
  listening_.erase(listening);
}

void Capture::Impl::read(Listening& listening) {
  const nanoseconds now = steady_now();
  const capture::HostView::Point point = listening.device->point();
  try {
    listening.device->read([&](const capture::Packet& packet) { annotator_->add(packet, view_, point, now); });
  } catch (const std::runtime_error&) {
    // Gone, or down: the view tells of the first, and another attempt finds the end of the second.
    close(listening_.find(point.index));
    retry_at_ = now + retry_interval;
  }
}

void Capture::Impl::take_verdicts() {
  const nanoseconds now = steady_now();
  while (const capture::Verdict* const verdict = queue_.front()) {
    annotator_->add(*verdict, now);
    queue_.pop();
  }
  const std::uint64_t lost = queue_.lost();
  if (lost != lost_verdicts_seen_) {
    annotator_->verdicts_were_lost(now);
    lost_since_packet_ += lost - lost_verdicts_seen_;
    lost_verdicts_seen_ = lost;
  }
}

void Capture::Impl::count_losses() {
  losses_counted_at_ = steady_now();
  for (auto& [index, listening] : listening_) {
    count_losses(listening);
  }
}

void Capture::Impl::count_losses(Listening& listening) {
  const CaptureDevice::Statistics now = listening.device->statistics();
  const std::uint64_t lost = now.dropped - std::min(now.dropped, listening.counted.dropped);
  ending_.lost_packets += lost;
  lost_since_packet_ += lost;
  listening.counted = now;
}

std::uint64_t Capture::Impl::tell(const capture::Annotated& annotated) {
  if (surroundings_.seen) {
    surroundings_.seen(annotated);
  }
  if (!output_) {
    return 0;
  }
  ++delivered_[annotated.point.index];
  const std::uint64_t lost = std::exchange(lost_since_packet_, 0);
  const auto text = [&] {
    return lost == 0 ? comment(annotated)
                     : comment(annotated) + " [" + std::to_string(lost) + " packets or verdicts were lost before this]";
  };
  return output_->packet(annotated.point, annotated.packet, text, lost, [this] { return gives_up(); });
}

std::string Capture::Impl::comment(const capture::Annotated& annotated) {
  std::string_view egress;
  if (annotated.verdict != nullptr) {
    const auto name = view_.names.find(annotated.verdict->egress_index);
    egress = name != view_.names.end() ? std::string_view{name->second} : std::string_view{"an interface that is gone"};
  }
  const auto source = annotated.source_frame != 0 ? output_->frame_of(annotated.source_frame) : std::nullopt;
  return surroundings_.comment(annotated, egress, source, host_facts(annotated));
}

capture::HostFacts Capture::Impl::host_facts(const capture::Annotated& annotated) {
  if (annotated.finding != capture::Finding::not_received || annotated.cause != capture::Cause::unknown) {
    return {};
  }
  const nanoseconds now = steady_now();
  if (const std::uint64_t count = full_receive_buffers(); std::exchange(full_buffers_seen_, count) != count) {
    buffers_full_at_ = now;
  }
  return {.receive_buffer_was_full = buffers_full_at_ && *buffers_full_at_ + 2 * window > now,
          .has_strict_rp_filter = has_strict_rp_filter(annotated.point.name)};
}

void Capture::Impl::write_if_due() {
  if (!output_ || output_->unwritten() == 0) {
    return;
  }
  const nanoseconds now = steady_now();
  if (now >= flushed_at_ + flush_interval) {
    output_->flush([this] { return gives_up(); });
    flushed_at_ = now;
  }
}

void Capture::Impl::finish() {
  annotator_->release_all([this](const capture::Annotated& annotated) { return tell(annotated); });
  if (!output_) {
    return;
  }
  for (const auto& [index, listening] : listening_) {
    const CaptureDevice::Statistics counted = listening.device->statistics();
    output_->statistics(listening.device->point(), wall_now(),
                        {.received = counted.received, .dropped = counted.dropped, .delivered = delivered_[index]});
  }
  output_->flush([this] { return gives_up(); });
}

Capture::Capture(const Options& options, Surroundings surroundings)
    : impl_(std::make_unique<Impl>(options, std::move(surroundings))) {}
Capture::~Capture() = default;

void Capture::open(bool keep_previous) {
  impl_->open(keep_previous);
}

void Capture::start(const capture::HostView& view) {
  impl_->start(view);
}

bool Capture::is_running() const noexcept {
  return impl_->is_running();
}

void Capture::wait_until_listening() {
  impl_->wait_until_listening();
}

void Capture::stop() noexcept {
  impl_->stop();
}

Capture::Ending Capture::join() {
  return impl_->join();
}

void Capture::follow(const capture::HostView& view) {
  impl_->follow(view);
}

capture::VerdictTap& Capture::tap() noexcept {
  return impl_->tap();
}

}  // namespace relay::io
