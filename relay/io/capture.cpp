#include "relay/io/capture.h"

#include <poll.h>
#include <pthread.h>
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
#include <vector>

#include "relay/capture/verdict_queue.h"
#include "relay/io/capture_devices.h"
#include "relay/io/capture_output.h"
#include "relay/io/descriptor.h"
#include "relay/io/host_facts.h"
#include "relay/io/kernel_settings.h"

namespace relay::io {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;

constexpr nanoseconds never = nanoseconds::max();

constexpr int niceness = 5;

// Verdicts. A ring that stays in the processor's cache: one of 16,384 cost the data path 10 % by its misses alone.
constexpr std::size_t queue_size = 2048;

constexpr milliseconds window{1000};         // how long a packet without a verdict waits for one
constexpr milliseconds busy_interval{20};    // between looks at packets that are held
constexpr milliseconds idle_interval{100};   // and at verdicts, where there are none
constexpr milliseconds flush_interval{200};  // the most that a packet waits in the buffer
constexpr milliseconds fact_interval{1000};  // between looks at what the kernel says of the host
constexpr milliseconds last_limit{1000};     // for what is left at the end, and for a slow reader of it

[[nodiscard]] nanoseconds steady_now() {
  return Clock::now().time_since_epoch();
}

[[nodiscard]] nanoseconds wall_now() {
  return std::chrono::system_clock::now().time_since_epoch();
}

[[nodiscard]] capture::Annotator::Limits limits_for(std::size_t interfaces) {
  const milliseconds hold = 2 * capture_patience(interfaces) + busy_interval;
  return {.hold = hold, .window = std::max(window, 2 * hold)};
}

/// `begin` with each port, one of which has to be so.
[[nodiscard]] std::string list_of_ports(const std::vector<std::uint16_t>& ports, const std::string& begin) {
  std::string result;
  for (const std::uint16_t port : ports) {
    result += (result.empty() ? "" : " or ") + begin + std::to_string(port);
  }
  return result;
}

/// The usual ports, and those of the relay.
template <typename PortsOf>
[[nodiscard]] std::vector<std::uint16_t> ports_of(std::vector<std::uint16_t> usual, const PortsOf& ports) {
  for (const std::uint16_t port : {ports.server, ports.client(), ports.relay.value_or(ports.server)}) {
    if (std::ranges::find(usual, port) == usual.end()) {
      usual.push_back(port);
    }
  }
  return usual;
}

/// libpcap looks for UDP right behind the IPv6 header alone. Behind one extension header, and in a first fragment,
/// where its header is eight octets long, the ports are at offsets that have to be told.
[[nodiscard]] std::string behind_extensions(const std::vector<std::uint16_t>& ports) {
  const auto ports_at = [&ports](const std::string& header) {
    return "(" + list_of_ports(ports, "ip6[" + header + " : 2] = ") + " or " +
           list_of_ports(ports, "ip6[" + header + " + 2 : 2] = ") + ")";
  };
  return "(ip6[6] = 44 and ip6[40] = 17 and ip6[42 : 2] & 0xfff8 = 0 and " + ports_at("48") +
         ") or ((ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 60) and ip6[40] = 17 and " + ports_at("48 + 8 * ip6[41]") + ")";
}

[[nodiscard]] std::string filter_of(const capture::Scope& scope, const std::string& further) {
  std::vector<std::uint16_t> ports;
  std::string fragments;
  if (scope.families.ipv4) {
    ports = ports_of({67, 68}, scope.ipv4);
  }
  if (scope.families.ipv6) {
    const std::vector<std::uint16_t> ports6 = ports_of({547, 546}, scope.ipv6);
    ports.insert(ports.end(), ports6.begin(), ports6.end());
    fragments = " or " + behind_extensions(ports6);
  }
  const std::string result = "(" + list_of_ports(ports, "udp port ") + fragments + ")";
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
  Impl(const Options& options, std::unique_ptr<CaptureFile> file, Surroundings surroundings)
      : options_(options),
        file_(std::move(file)),
        surroundings_(std::move(surroundings)),
        filter_(filter_of(options.scope, options.filter)),
        wake_(opened(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (thread_.joinable()) {
      stop();
      static_cast<void>(join());
    }
  }

  void open();
  void start(const capture::HostView& view);
  [[nodiscard]] bool is_running() const noexcept { return thread_.joinable(); }
  void wait_until_listening() { listens_.get_future().wait(); }
  void stop() noexcept;
  [[nodiscard]] Ending join();
  void follow(const capture::HostView& view);
  [[nodiscard]] capture::VerdictTap& tap() noexcept { return tap_; }
  [[nodiscard]] capture::VerdictTap6& tap6() noexcept { return tap6_; }
  [[nodiscard]] std::shared_ptr<const capture::CaptureCounters> counters() const noexcept { return counters_; }

 private:
  void wake() noexcept;
  void open_taps() noexcept;
  void close_taps() noexcept;
  void run() noexcept;
  void begin_listening();
  void listen_until_stopped();
  void turn(milliseconds timeout);
  void obey_wake();
  void take_packets();
  void take_verdicts();
  void note_lost_verdicts();
  void note_lost_packets();
  void look_at_host();
  std::uint64_t tell(const capture::Annotated& annotated);
  [[nodiscard]] std::string comment(const capture::Annotated& annotated);
  [[nodiscard]] capture::HostFacts host_facts(const capture::Annotated& annotated);
  void write_if_due();
  void finish();
  [[nodiscard]] nanoseconds hold() const;
  [[nodiscard]] bool is_over(nanoseconds grace) const;
  [[nodiscard]] bool gives_up() const;

  capture::VerdictQueue queue_{queue_size};
  capture::VerdictTap tap_{queue_};
  capture::VerdictTap6 tap6_{queue_};
  std::atomic<nanoseconds> asked_to_stop_at_{never};
  std::promise<void> listens_;  // set once it listens or has ended
  std::thread thread_;
  Options options_;
  std::unique_ptr<CaptureFile> file_;
  Surroundings surroundings_;
  std::string filter_;
  std::mutex mutex_;
  capture::HostView next_view_;  // guarded by the mutex
  bool has_next_view_ = false;   // likewise

  // Of the thread alone while it runs:
  bool has_packets_ = false;  // at the last look
  Descriptor wake_;           // for others to write, too
  std::optional<CaptureOutput> output_;
  std::optional<CaptureDevices> devices_;
  std::optional<capture::Annotator> annotator_;
  capture::HostView view_;
  std::map<std::uint32_t, std::uint64_t> delivered_;  // packets that were written, by index
  nanoseconds flushed_at_{};
  nanoseconds host_looked_at_{};
  CaptureOutput::Count before_;  // in the file already, if it goes on
  std::uint64_t lost_verdicts_at_start_ = 0;
  std::uint64_t lost_verdicts_seen_ = 0;
  std::uint64_t lost_verdicts_since_packet_ = 0;
  std::uint64_t lost_packets_seen_ = 0;
  std::shared_ptr<capture::CaptureCounters> counters_ = std::make_shared<capture::CaptureCounters>();
  std::uint64_t full_buffers_seen_ = 0;
  std::optional<nanoseconds> buffers_full_at_;         // when more of them were noticed
  std::map<std::string, capture::HostFacts> facts_{};  // of interfaces that were asked for, for a while
  Ending ending_;
};

void Capture::Impl::open() {
  output_.reset();
  if (file_) {
    file_->begin_capture(true);
    before_ = file_->goes_on() ? before_ : CaptureOutput::Count{};
    output_.emplace(*file_, options_.section, filter_, before_);
  }
}

void Capture::Impl::start(const capture::HostView& view) {
  allow_many_descriptors();
  devices_.emplace(filter_, surroundings_.cannot_listen);
  annotator_.emplace(options_.scope, limits_for(view.points.size()), options_.judges);
  while (queue_.front() != nullptr) {
    queue_.pop();
  }
  lost_verdicts_at_start_ = lost_verdicts_seen_ = queue_.lost();
  lost_verdicts_since_packet_ = 0;
  lost_packets_seen_ = 0;
  full_buffers_seen_ = full_receive_buffers();
  buffers_full_at_.reset();
  ending_ = {};
  asked_to_stop_at_ = never;
  delivered_.clear();
  listens_ = {};
  follow(view);
  open_taps();
  try {
    thread_ = std::thread{[this] { run(); }};
  } catch (...) {
    close_taps();
    throw;
  }
}

void Capture::Impl::open_taps() noexcept {
  tap_.open();
  tap6_.open();
}

void Capture::Impl::close_taps() noexcept {
  tap_.close();
  tap6_.close();
}

void Capture::Impl::stop() noexcept {
  nanoseconds expected = never;
  asked_to_stop_at_.compare_exchange_strong(expected, steady_now());
  wake();
}

void Capture::Impl::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.number(), &one, sizeof one);
}

Capture::Ending Capture::Impl::join() {
  thread_.join();
  return std::exchange(ending_, {});
}

void Capture::Impl::follow(const capture::HostView& view) {
  const std::lock_guard lock{mutex_};
  next_view_ = view;
  has_next_view_ = true;
  wake();
}

void Capture::Impl::run() noexcept {
  // Signals are the service's, and a reader of standard output that is gone is an error of `write`.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  ::setpriority(PRIO_PROCESS, 0, niceness);  // of this thread alone: what it cannot keep up with is lost, and counted
  counters_->is_running.set(1);
  try {
    begin_listening();
    listen_until_stopped();
    finish();
  } catch (const std::exception& error) {
    ending_.fault = error.what();
  }
  close_taps();
  devices_->count_losses();
  note_lost_packets();
  note_lost_verdicts();
  counters_->is_running.set(0);
  ending_.lost_packets = devices_->lost();
  ending_.lost_verdicts = queue_.lost() - lost_verdicts_at_start_;
  if (output_) {
    ending_.packets = output_->written().packets - before_.packets;
    before_ = output_->written();
    output_.reset();
    file_->end_capture();
  }
  devices_.reset();
  annotator_.reset();
  surroundings_.ended();
}

/// What passes is captured from here on.
void Capture::Impl::begin_listening() {
  obey_wake();
  const bool is_hopeless = !options_.judges && !devices_->hopeless().empty();
  listens_.set_value();
  if (is_hopeless) {
    throw std::runtime_error(devices_->hopeless());  // nobody relays, and there is nothing to see
  }
  if (output_) {
    output_->flush([this] { return gives_up(); });  // so that the file can be read
  }
  surroundings_.listening();
}

/// What passed before the end was asked for is still told: the kernel hands it over in a moment.
void Capture::Impl::listen_until_stopped() {
  while (!is_over(hold()) || (has_packets_ && !gives_up())) {
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

/// Whether what is left, and a reader of standard output that takes nothing, are no longer waited for.
bool Capture::Impl::gives_up() const {
  return is_over(hold() + last_limit);
}

void Capture::Impl::turn(milliseconds timeout) {
  std::array<pollfd, 2> waiting{{{wake_.number(), POLLIN, 0}, {devices_->descriptor(), POLLIN, 0}}};
  ::poll(waiting.data(), waiting.size(), static_cast<int>(timeout.count()));
  if (waiting[0].revents != 0) {
    obey_wake();
  }
  take_packets();
  take_verdicts();
  note_lost_packets();
  look_at_host();
  annotator_->release(steady_now(), [this](const capture::Annotated& annotated) { return tell(annotated); });
  write_if_due();
}

void Capture::Impl::obey_wake() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = ::read(wake_.number(), &count, sizeof count);
  {
    const std::lock_guard lock{mutex_};
    if (!std::exchange(has_next_view_, false)) {
      return;
    }
    view_ = std::move(next_view_);
  }
  devices_->follow(view_);
  if (output_) {
    output_->describe(view_);
  }
}

void Capture::Impl::take_packets() {
  const nanoseconds now = steady_now();
  has_packets_ = false;
  annotator_->clock_offset(wall_now() - now, now);
  devices_->read(now, [&](const capture::HostView::Point& point, const capture::Packet& packet) {
    has_packets_ = true;
    annotator_->add(packet, view_, point, now);
  });
}

void Capture::Impl::take_verdicts() {
  const nanoseconds now = steady_now();
  for (std::size_t count = 0; count < queue_size; ++count) {  // more come while these are taken
    const capture::Verdict* const verdict = queue_.front();
    if (verdict == nullptr) {
      break;
    }
    annotator_->add(*verdict, now);
    queue_.pop();
  }
  if (queue_.lost() != lost_verdicts_seen_) {
    annotator_->verdicts_were_lost(now);
    note_lost_verdicts();
  }
}

void Capture::Impl::note_lost_verdicts() {
  const std::uint64_t more = queue_.lost() - lost_verdicts_seen_;
  lost_verdicts_since_packet_ += more;
  lost_verdicts_seen_ += more;
  counters_->lost_verdicts.add(more);
}

void Capture::Impl::note_lost_packets() {
  const std::uint64_t lost = devices_->lost();
  counters_->lost_packets.add(lost - std::exchange(lost_packets_seen_, lost));
}

/// Full receive buffers are noticed when they fill, so that no later packet is put down to them.
void Capture::Impl::look_at_host() {
  const nanoseconds now = steady_now();
  if (!options_.judges || now < host_looked_at_ + fact_interval) {
    return;
  }
  host_looked_at_ = now;
  facts_.clear();
  if (const std::uint64_t count = full_receive_buffers(); std::exchange(full_buffers_seen_, count) != count) {
    buffers_full_at_ = now;
  }
}

std::uint64_t Capture::Impl::tell(const capture::Annotated& annotated) {
  if (surroundings_.seen) {
    surroundings_.seen(annotated);
  }
  if (!output_) {
    return 0;
  }
  ++delivered_[annotated.point.index];
  counters_->packets.add();
  const std::uint64_t lost_packets = devices_->take_lost(annotated.point.index);
  const std::uint64_t lost_verdicts = std::exchange(lost_verdicts_since_packet_, 0);
  const auto text = [&] {
    return lost_packets + lost_verdicts == 0
               ? comment(annotated)
               : comment(annotated) + " [" + std::to_string(lost_packets) + " packets and " +
                     std::to_string(lost_verdicts) + " verdicts were lost before this one]";
  };
  return output_->packet(annotated.point, annotated.packet, text, lost_packets, [this] { return gives_up(); });
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
  const auto [facts, is_new] = facts_.try_emplace(annotated.point.name);
  if (is_new) {
    facts->second.has_strict_rp_filter =
        reverse_path_filter_of(annotated.point.name) == check::ReversePathFilter::strict;
    facts->second.master = master_of(annotated.point.name);
  }
  // The packet waited for its verdict as long as the window, and the buffers are looked at now and then.
  facts->second.receive_buffer_was_full = buffers_full_at_ && steady_now() < *buffers_full_at_ + 2 * window;
  return facts->second;
}

void Capture::Impl::write_if_due() {
  if (!output_) {
    return;
  }
  if (output_->unwritten() == 0) {
    file_->expect_reader();  // which no write finds out while nothing passes
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
  for (const capture::HostView::Point& point : view_.points) {
    if (const std::uint64_t delivered = delivered_[point.index]; delivered != 0) {
      const CaptureDevice::Statistics counted = devices_->statistics(point.index);
      output_->statistics(point, wall_now(),
                          {.received = counted.received, .dropped = counted.dropped, .delivered = delivered});
    }
  }
  output_->flush([this] { return gives_up(); });
}

Capture::Capture(const Options& options, std::unique_ptr<CaptureFile> file, Surroundings surroundings)
    : impl_(std::make_unique<Impl>(options, std::move(file), std::move(surroundings))) {}
Capture::~Capture() = default;

void Capture::open() {
  impl_->open();
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

std::shared_ptr<const capture::CaptureCounters> Capture::counters() const noexcept {
  return impl_->counters();
}

capture::VerdictTap& Capture::tap() noexcept {
  return impl_->tap();
}

capture::VerdictTap6& Capture::tap6() noexcept {
  return impl_->tap6();
}

}  // namespace relay::io
