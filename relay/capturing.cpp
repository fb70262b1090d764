#include "relay/capturing.h"

#include <csignal>
#include <optional>
#include <stdexcept>
#include <utility>

#include "relay/capture/host_view.h"
#include "relay/io/observer.h"
#include "relay/io/syscall_filter.h"
#include "relay/log/annotation_text.h"
#include "relay/opening.h"
#include "relay/wiring.h"

namespace relay {

namespace {

[[nodiscard]] capture::Scope scope_of(const Configuration& configuration, Families families) {
  return {{configuration.port, configuration.relay_port}, configuration.policy6.ports, families};
}

/// Whether replies are accepted on interfaces alone that have a name.
[[nodiscard]] bool names_upstream(const Policy& policy, const Policy6& policy6, Families families) noexcept {
  return (!families.ipv4 || policy.upstream_named) && (!families.ipv6 || policy6.upstream_named);
}

[[nodiscard]] io::Capture::Options options_of(const Configuration& configuration, const capture::Scope& scope,
                                              const std::vector<std::string>& words) {
  io::Capture::Options options;
  options.scope = scope;
  options.filter = configuration.capture.filter;
  options.section = section_of(words);
  options.judges = !configuration.capture.only;
  return options;
}

/// Has the functions of a listener that are of one protocol tell `tap` too.
template <typename Protocol>
void tap_in(capture::VerdictTapOf<Protocol>& tap, std::function<void(const MessageEventOf<Protocol>&)>& dropped,
            std::function<void(const MessageEventOf<Protocol>&)>& message,
            std::function<void(const SendFailureOf<Protocol>&)>& send_failed) {
  dropped = [tell = std::move(dropped), &tap](const MessageEventOf<Protocol>& event) {
    tell(event);
    tap.dropped(event);
  };
  message = [tell = std::move(message), &tap](const MessageEventOf<Protocol>& event) {
    tell(event);
    tap.message(event);
  };
  send_failed = [tell = std::move(send_failed), &tap](const SendFailureOf<Protocol>& failure) {
    tell(failure);
    tap.send_failed(failure);
  };
}

}  // namespace

Capturing::Capturing(const Configuration& configuration, Families families, Log& log,
                     const std::vector<std::string>& words, std::unique_ptr<io::CaptureFile> file,
                     std::function<void(const capture::Annotated&)> seen)
    : configuration_(configuration),
      log_(log),
      scope_(scope_of(configuration, families)),
      capture_(options_of(configuration, scope_, words), std::move(file), surroundings(std::move(seen))) {
  policy_changed(configuration.policy, configuration.policy6);
  capture_.open();
}

io::Capture::Surroundings Capturing::surroundings(std::function<void(const capture::Annotated&)> seen) {
  io::Capture::Surroundings result;
  result.comment = [scope = scope_](const capture::Annotated& annotated, std::string_view egress,
                                    std::optional<std::uint64_t> source_frame, const capture::HostFacts& facts) {
    return annotation_text(annotated, egress, source_frame, scope, facts);
  };
  result.seen = std::move(seen);
  result.cannot_listen = [this](const std::string& interface, const std::string& why) {
    post_([this, sentence = "cannot capture on " + interface + " yet: " + why] {
      log_.note(LogLevel::warning, sentence);
    });
  };
  result.listening = [this] { post_([this] { tell_of_start(); }); };
  result.ended = [this] { post_([this] { settle(); }); };
  return result;
}

void Capturing::start(const InterfaceTable& table, Post post, std::function<void(bool is_fault)> ended) {
  post_ = std::move(post);
  ended_ = std::move(ended);
  begin(table);
  capture_.wait_until_listening();
}

void Capturing::begin(const InterfaceTable& table) {
  table_ = &table;
  why_.clear();
  capture_.start(view_of(table));
}

void Capturing::tell_of_start() {
  if (!configuration_.capture.file.empty()) {
    log_.capture_started(configuration_.capture.file);
  }
  if (configuration_.capture.only) {
    log_.note(LogLevel::info, "listening; nothing is relayed");
  }
}

void Capturing::toggle(const InterfaceTable& table) {
  if (configuration_.capture.file.empty()) {
    log_.note(LogLevel::warning, no_capture_named);
  } else if (capture_.is_running()) {
    begins_again_ = !why_.empty() && !begins_again_;  // it is ending already
    why_ = "SIGUSR2";
    capture_.stop();
  } else {
    begin_again(table);
  }
}

void Capturing::begin_again(const InterfaceTable& table) {
  try {
    capture_.open();
    begin(table);
  } catch (const std::runtime_error& error) {
    log_.note(LogLevel::error, "the capture cannot begin: " + std::string{error.what()});
  }
}

void Capturing::interfaces_changed(const InterfaceTable& table) {
  if (capture_.is_running()) {
    capture_.follow(view_of(table));
  }
}

capture::HostView Capturing::view_of(const InterfaceTable& table) const {
  return capture::host_view(table, upstream_named_, scope_.families);
}

void Capturing::policy_changed(const Policy& policy, const Policy6& policy6) {
  upstream_named_ = names_upstream(policy, policy6, scope_.families);
  capture_.tap().apply(policy);
  capture_.tap6().apply(policy6);
}

void Capturing::end(const std::string& why) {
  if (capture_.is_running()) {
    why_ = why;
    begins_again_ = false;
    capture_.stop();
    settle();
  }
}

void Capturing::settle() {
  if (!capture_.is_running()) {
    return;
  }
  const io::Capture::Ending ending = capture_.join();
  const bool is_fault = !ending.fault.empty();
  if (!configuration_.capture.file.empty()) {
    log_.capture_ended({.file = configuration_.capture.file,
                        .why = is_fault ? ending.fault : why_,
                        .is_fault = is_fault,
                        .packets = ending.packets,
                        .lost_packets = ending.lost_packets,
                        .lost_verdicts = ending.lost_verdicts});
  } else if (is_fault) {
    log_.note(LogLevel::error, ending.fault);
  } else if (ending.lost_packets != 0) {
    log_.note(LogLevel::warning, std::to_string(ending.lost_packets) + " packets were lost and are not in the lines");
  }
  if (std::exchange(begins_again_, false) && !is_fault) {
    begin_again(*table_);
  } else {
    ended_(is_fault);
  }
}

Listener Capturing::listening(Listener listener) {
  tap_in(capture_.tap(), listener.dropped, listener.message, listener.send_failed);
  tap_in(capture_.tap6(), listener.dropped6, listener.message6, listener.send_failed6);
  return listener;
}

int capture_until_signal(const Configuration& configuration, const std::vector<std::string>& words) {
  const auto account = account_of(configuration);
  check_filter(configuration);
  Opened opened = open_for_capturing(configuration, account);
  Log log{Log::Sink::standard_error, configuration.log_format, configuration.log_level};
  Log lines{Log::Sink::standard_output, configuration.log_format, LogLevel::info};
  const bool prints = configuration.capture.file != "-";
  Capturing capturing{configuration,
                      configuration.families,
                      log,
                      words,
                      std::move(opened.capture_file),
                      prints ? [&lines](const capture::Annotated& annotated) { lines.seen(annotated); }
                             : std::function<void(const capture::Annotated&)>{}};
  Listener listener;
  listener.interface_changed = [&log](const InterfaceEvent& event) { log.interface_changed(event); };
  io::Observer observer{
      std::move(opened.sockets.link_reports),
      configuration.interfaces,
      listener,
      {.ends_with_standard_output = prints,
       .toggle_capture = [&](const InterfaceTable& table) { capturing.toggle(table); },
       .interfaces_changed = [&](const InterfaceTable& table) { capturing.interfaces_changed(table); }}};
  io::confine_relay({.captures = true});
  bool has_failed = false;
  const CaptureEnd capture_end{capturing};
  for (const std::string& warning : opened.warnings) {
    log.note(LogLevel::warning, warning);
  }
  note_missing(log, observer.missing_interfaces());
  capturing.start(
      observer.interfaces(), [&observer](std::function<void()> what) { observer.post(std::move(what)); },
      [&](bool is_fault) {
        has_failed = is_fault;
        if (is_fault) {
          observer.end();
        }
      });
  const int signal = observer.run();
  capturing.end(signal == 0 ? "nobody reads standard output" : signal == SIGTERM ? "SIGTERM" : "SIGINT");
  lines.report_suppressed();
  return has_failed ? 1 : 0;
}

}  // namespace relay
