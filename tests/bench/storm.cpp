// The clients of a segment, or of several, speaking at once: sends DHCPDISCOVERs, or SOLICITs, at a rate or as fast as
// it can, hears the offers, asks for what was offered where handshakes are wanted, and says what came back and after
// how long.
#include <net/if.h>
#include <poll.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.h"
#include "clients.h"
#include "clients4.h"
#include "clients6.h"
#include "frame_sender.h"
#include "json_object.h"
#include "program.h"
#include "receive_ring.h"
#include "transactions.h"

namespace bench {

namespace {

constexpr std::string_view usage = R"(storm --interface NAME... [--family 4|6] [--mode discover|handshake] [--rate N]
  [--duration S] [--count N] [--clients N] [--lone] [--pause-ms MOST] [--malformed SHARE] [--quiet-ms N] [--first N]
Ends after `duration` seconds or `count` messages, whichever comes first, and when `quiet-ms` have passed without an
answer. Rate 0 is as fast as it can. Lone: the next transaction begins after the last one's end and a random pause.
What is said has the names of DHCPv4 in both families: in DHCPv6 offers are ADVERTISEs, and acks REPLYs.)";

constexpr std::int64_t microsecond = 1000;
constexpr std::int64_t millisecond = 1'000'000;
constexpr std::int64_t second = 1'000'000'000;
constexpr std::size_t at_once = 256;  // answers, before it is time to send

volatile std::sig_atomic_t interrupted = 0;

/// CLOCK_REALTIME, because that is what the kernel stamps received frames with.
[[nodiscard]] std::int64_t time_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * second + now.tv_nsec;
}

struct Settings {
  explicit Settings(const Arguments& arguments)
      : wants_handshakes(arguments.text("mode", "discover") == "handshake"),
        is_lone(arguments.has("lone")),
        rate(arguments.real("rate", 0)),
        duration(static_cast<std::int64_t>(arguments.real("duration", 4) * static_cast<double>(second))),
        count(arguments.number("count", 100'000'000)),
        clients(static_cast<std::uint32_t>(std::max<std::uint64_t>(arguments.number("clients", 20'000), 1))),
        first(static_cast<std::uint32_t>(arguments.number("first", 0))),
        malformed(arguments.real("malformed", 0)),
        quiet(static_cast<std::int64_t>(arguments.number("quiet-ms", 500)) * millisecond),
        pause(static_cast<std::int64_t>(arguments.number("pause-ms", 8)) * millisecond) {
    for (const std::string& name : arguments.texts("interface")) {
      interfaces.push_back(static_cast<int>(::if_nametoindex(name.c_str())));
      if (interfaces.back() == 0) {
        throw std::runtime_error("no interface " + name);
      }
    }
    if (interfaces.empty()) {
      throw std::runtime_error("no interface was given");
    }
  }

  std::vector<int> interfaces;
  bool wants_handshakes;
  bool is_lone;
  double rate;
  std::int64_t duration;
  std::uint64_t count;
  std::uint32_t clients;
  std::uint32_t first;  // of the clients' numbers
  double malformed;
  std::int64_t quiet;
  std::int64_t pause;
};

template <Clients Family>
class Storm {
 public:
  explicit Storm(const Settings& settings)
      : settings_(settings),
        random_(settings.first + 1),
        ring_(settings.interfaces.size() == 1 ? settings.interfaces.front() : 0, Family::hearing()),
        transactions_(Family::first_xid(settings.first), Family::xid_mask, expected(settings)) {}

  void run() {
    start_ = next_ = last_heard_ = last_answer_ = time_now();
    while (interrupted == 0) {
      const std::int64_t now = time_now();
      const std::size_t heard = hear();
      if (is_sending_ && (sent_ >= settings_.count || now - start_ >= settings_.duration)) {
        is_sending_ = false;
        took_ = now - start_;
        last_heard_ = std::max(last_heard_, now);
      }
      const std::size_t due = is_sending_ && heard < at_once ? due_by(now) : 0;  // answers first
      send(due, now);
      if (!is_sending_ && heard == 0 && now - last_heard_ > settings_.quiet) {
        break;
      }
      if (heard == 0 && due == 0) {
        rest(now);
      }
    }
    took_ = is_sending_ ? time_now() - start_ : took_;
  }

  void describe() {
    JsonObject said;
    said.add("seconds", static_cast<double>(took_) / static_cast<double>(second));
    said.add("rate",
             took_ > 0 ? static_cast<double>(sent_) * static_cast<double>(second) / static_cast<double>(took_) : 0.0);
    said.add("wanted_rate", settings_.rate);
    said.add("answered_seconds", static_cast<double>(last_answer_ - start_) / static_cast<double>(second));
    said.add("sent", sent_);
    said.add("malformed", malformed_);
    said.add("for_the_kernel", for_the_kernel_);
    said.add("requests", requests_);
    said.add("refused", frames_.refused());
    said.add("refused_why", frames_.last_error());
    said.add("ring_dropped", ring_.dropped());
    said.add("turns_that_sent", turns_that_sent_);
    said.add("link_answers", link_answers_);
    transactions_.describe(said);
    said.print();
  }

 private:
  using Request = typename Family::Request;

  [[nodiscard]] static std::uint64_t expected(const Settings& settings) {
    const double seconds = static_cast<double>(settings.duration) / static_cast<double>(second);
    const auto most = static_cast<std::uint64_t>(settings.rate * seconds) + 1;
    return settings.rate > 0 ? std::min(settings.count, most) : settings.count;
  }

  std::size_t hear() {
    std::size_t count = 0;
    while (count < at_once) {
      const std::optional<Heard> heard = ring_.next();
      if (!heard) {
        break;
      }
      ++count;
      take(*heard);
    }
    return count;
  }

  void take(const Heard& heard) {
    const Reading reading = clients_.read(heard.frame, frames_.room());
    if (reading.meaning == Meaning::question) {
      answer(reading, heard.interface_index);
      return;
    }
    last_heard_ = last_answer_ = heard.time;
    if (reading.meaning == Meaning::nothing) {
      transactions_.heard_something_else();
    } else if (reading.meaning == Meaning::acknowledgement) {
      rest_after(transactions_.acknowledged(reading.xid, heard.time));
    } else if (!transactions_.offered(reading.xid, heard.time)) {
      return;
    } else if (!settings_.wants_handshakes) {
      rest_after(true);
    } else if (const std::optional<Request> request = clients_.request_after(heard.frame)) {
      wanted_.push_back(*request);
    }
  }

  void answer(const Reading& question, int interface) {
    if (question.reply_size > 0) {
      frames_.add(question.reply_size, interface);
      ++link_answers_;
    }
    if (frames_.is_full()) {
      flush();
    }
  }

  [[nodiscard]] int interface_of(std::uint32_t xid) const {
    return settings_.interfaces[xid % settings_.interfaces.size()];
  }

  [[nodiscard]] std::size_t due_by(std::int64_t now) {
    std::uint64_t due = FrameSender::batch_size;
    if (settings_.is_lone) {
      due = now >= next_ ? 1 : 0;
    } else if (settings_.rate > 0) {
      const double elapsed = static_cast<double>(now - start_) / static_cast<double>(second);
      const auto until_now = static_cast<std::uint64_t>(elapsed * settings_.rate) + 1;
      due = until_now > sent_ ? until_now - sent_ : 0;
      next_ = start_ +
              static_cast<std::int64_t>(static_cast<double>(until_now) / settings_.rate * static_cast<double>(second));
    }
    return static_cast<std::size_t>(std::min({due, std::uint64_t{FrameSender::batch_size}, settings_.count - sent_}));
  }

  /// So many new DISCOVERs, and evenly among them, because clients do not wait for each other, a REQUEST for all that
  /// was offered.
  void send(std::size_t discovers, std::int64_t now) {
    const std::size_t total = discovers + wanted_.size();
    for (std::size_t number = 0; number < total; ++number) {
      const std::size_t requests = (number + 1) * wanted_.size() / total;
      if (requests > number * wanted_.size() / total) {
        add_request(wanted_[requests - 1]);
      } else {
        add_discover(now);
      }
      if (frames_.is_full()) {
        flush();
      }
    }
    if (discovers > 0) {
      ++turns_that_sent_;
      next_ = settings_.is_lone ? now + second : next_;  // where no answer comes
    }
    wanted_.clear();
    flush();
  }

  void add_request(const Request& request) {
    const std::size_t size = clients_.write(request, frames_.room());
    frames_.add(size, interface_of(request.of.xid));
    unsent_requests_.push_back(request.of.xid);
    ++requests_;
  }

  void add_discover(std::int64_t now) {
    const wire::Octets room = frames_.room();
    const auto number = static_cast<std::uint32_t>(sent_++);
    const std::uint32_t client = settings_.first + number % settings_.clients;
    if (settings_.malformed > 0 && chance_(random_) < settings_.malformed) {
      const std::size_t size = clients_.write(Attempt{client, number}, room);
      const Spoilt spoilt = Family::spoil(room.first(size), static_cast<std::uint32_t>(random_()));
      frames_.add(spoilt.size, interface_of(number));
      ++malformed_;
      for_the_kernel_ += spoilt.is_for_kernel ? 1 : 0;
    } else {
      const std::uint32_t xid = transactions_.begin(now);
      const std::size_t size = clients_.write(Attempt{client, xid}, room);
      frames_.add(size, interface_of(xid));
    }
  }

  /// Requests have the time at which they leave.
  void flush() {
    const std::int64_t now = unsent_requests_.empty() ? 0 : time_now();
    for (const std::uint32_t xid : unsent_requests_) {
      transactions_.requested(xid, now);
    }
    unsent_requests_.clear();
    frames_.flush();
  }

  void rest_after(bool is_over) {
    if (settings_.is_lone && is_over) {
      next_ =
          time_now() + millisecond + static_cast<std::int64_t>(chance_(random_) * static_cast<double>(settings_.pause));
    }
  }

  /// Until the next message is due, or an answer comes.
  void rest(std::int64_t now) const {
    const std::int64_t until = is_sending_ ? next_ : last_heard_ + settings_.quiet + millisecond;
    const std::int64_t left = std::clamp<std::int64_t>(until - now, microsecond, second);
    const timespec timeout{left / second, left % second};
    pollfd answers{ring_.descriptor(), POLLIN, 0};
    (void)::ppoll(&answers, 1, &timeout, nullptr);
  }

  const Settings& settings_;
  std::minstd_rand random_;
  ReceiveRing ring_;
  FrameSender frames_;
  Family clients_;
  Transactions transactions_;
  std::vector<Request> wanted_;
  std::vector<std::uint32_t> unsent_requests_;  // in the sender's batch
  std::uniform_real_distribution<double> chance_{0, 1};
  std::int64_t start_ = 0;
  std::int64_t next_ = 0;  // when a message is due
  std::int64_t last_heard_ = 0;
  std::int64_t last_answer_ = 0;
  std::int64_t took_ = 0;
  bool is_sending_ = true;
  std::uint64_t sent_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t for_the_kernel_ = 0;  // of them
  std::uint64_t requests_ = 0;
  std::uint64_t link_answers_ = 0;
  std::uint64_t turns_that_sent_ = 0;
};

template <Clients Family>
void storm(const Settings& settings) {
  Storm<Family> clients(settings);
  clients.run();
  clients.describe();
}

int run(int argc, char** argv) {
  const Arguments arguments(argc, argv, usage,
                            {"interface", "family", "mode", "rate", "duration", "count", "clients", "lone", "pause-ms",
                             "malformed", "quiet-ms", "first"});
  const Settings settings(arguments);
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  std::signal(SIGINT, [](int) { interrupted = 1; });
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  arguments.number("family", 4) == 6 ? storm<Clients6>(settings) : storm<Clients4>(settings);
  return 0;
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  return bench::run_program("storm", bench::run, argc, argv);
}
