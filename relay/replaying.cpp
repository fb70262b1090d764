#include "relay/replaying.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "relay/capture/capture_reader.h"
#include "relay/capture/datagram.h"
#include "relay/config/values.h"
#include "relay/core/frame.h"
#include "relay/io/capture_input.h"
#include "relay/io/packet_filter.h"
#include "relay/io/replay.h"
#include "relay/io/replay_capture.h"
#include "relay/log/message_text.h"
#include "relay/log/replay_report.h"
#include "relay/log/verdict_text.h"
#include "relay/wiring.h"

namespace relay {

namespace {

using capture::CapturedInterface;
using capture::LinkType;
using capture::Packet;
using capture::ReplayedMessage;

[[nodiscard]] std::vector<io::Replay::GivenInterface> given_interfaces(const Configuration& configuration) {
  std::vector<io::Replay::GivenInterface> result;
  for (const ReplayInterface& each : configuration.replay.interfaces) {
    auto same = std::ranges::find(result, each.name, &io::Replay::GivenInterface::name);
    if (same == result.end()) {
      same = result.insert(result.end(), {.name = each.name, .addresses = {}});
    }
    if (each.address6) {
      same->addresses6.push_back(*each.address6);
    } else {
      same->addresses.push_back(each.address);
    }
    same->mac = each.mac.value_or(same->mac);
  }
  return result;
}

/// What stands for the interface in the written capture: with the addresses that it has here.
[[nodiscard]] CapturedInterface described(CapturedInterface facts, const Interface* interface) {
  if (interface != nullptr) {
    facts.name = interface->name;
    facts.addresses = interface->addresses;
    facts.addresses6.clear();
    for (const InterfaceAddress6& own : interface->v6.addresses) {
      facts.addresses6.push_back(own.prefix);
    }
    facts.mac = interface->mac == MacAddress{} ? std::nullopt : std::optional{interface->mac};
  }
  return facts;
}

/// `frame`: the number that the message has in the written capture.
[[nodiscard]] std::string sent_text(const ReplayedMessage& message, const capture::SentFrame& sent,
                                    std::uint64_t frame) {
  const bool is_request = message.verdict->kind == capture::VerdictKind::to_servers;
  return "would be sent for frame " + std::to_string(frame) + ": " +
         (is_request ? "request to " + address_text(sent.destination) : replay_verdict_text(message));
}

/// The resolver's answers are others from one day to the next, and need a socket.
void check_servers(const Configuration& configuration) {
  for (const auto& [pattern, servers] : configuration.servers) {
    for (const std::string& server : servers) {
      if (!flags::ipv4_address(server) && server.find(':') == std::string::npos) {
        throw UsageError("SERVER " + flags::shown(server) + ": expected an IP address in a replay");
      }
    }
  }
}

/// One replay from the first packet of the file to its end.
class Replaying {
 public:
  Replaying(const Configuration& configuration, const std::vector<std::string>& words)
      : configuration_(configuration),
        words_(words),
        input_(opened(configuration)),
        reader_([this](std::span<std::uint8_t> octets) { return input_.read(octets); }),
        report_(configuration.log_format, [this](std::string_view line) { print(line); }),
        orders_(orders_of(configuration, io::look_up)),
        replay_({.scope = {{configuration.port, configuration.relay_port}, orders_.policy6.ports, orders_.families},
                 .policy = orders_.policy,
                 .policy6 = orders_.policy6},
                orders_.interfaces, given_interfaces(configuration), listener()),
        is_output_error_(configuration.capture.file == "-"),
        output_(is_output_error_ ? std::cerr : std::cout) {
    const CaptureSettings& settings = configuration.capture;
    if (!settings.filter.empty()) {
      filter_ = filter_of(configuration);
    }
    check_files(settings);
  }

  void run() {
    while (const auto packet = reader_.next()) {
      ++packet_count_;
      follow();
      if (!capture::is_known(packet->link_type)) {
        unknown_link_type_ = unknown_link_type_.value_or(packet->link_type);
      } else if (is_selected(*packet)) {
        replay_.run(*packet, packet_count_);
      }
    }
    follow();
    begin();
    replay_.finish();
    report_.summary(packet_count_);
    output_ << std::flush;
    check_output();
    check_faults();
  }

 private:
  [[nodiscard]] static io::CaptureInput opened(const Configuration& configuration) {
    try {
      return io::CaptureInput{configuration.replay.file};
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(named(configuration) + error.what());
    }
  }

  [[nodiscard]] static std::string named(const Configuration& configuration) {
    return "--replay " + flags::shown(configuration.replay.file) + ": ";
  }

  /// Nothing that is written may get into the input, which would be lost, or never end.
  void check_files(const CaptureSettings& settings) const {
    const auto check = [this](const std::string& name) {
      if (input_.is_file(name)) {
        throw UsageError("--capture " + flags::shown(name) +
                         ": this is the file that is replayed; expected another one");
      }
    };
    if (settings.file != "-" && !settings.file.empty()) {
      check(settings.file);
      for (std::size_t number = 1; number < settings.max_count; ++number) {
        check(settings.file + '.' + std::to_string(number));
      }
    }
    for (const auto& [descriptor, name] : {std::pair{STDOUT_FILENO, "output"}, std::pair{STDERR_FILENO, "error"}}) {
      if (input_.is_written_by(descriptor)) {
        throw UsageError(named(configuration_) + "standard " + name + " is this very file; expected another one");
      }
    }
  }

  void print(std::string_view line) {
    output_ << line << '\n';
    check_output();
  }

  void check_output() const {
    if (!output_) {
      throw std::runtime_error(std::string{"standard "} + (is_output_error_ ? "error" : "output") +
                               " cannot be written");
    }
  }

  /// Takes over the interfaces that the file describes by now.
  void follow() {
    const auto& captured = reader_.interfaces();
    replay_.follow(captured);
    if (!has_begun_) {
      return;
    }
    for (; followed_ < captured.size(); ++followed_) {
      if (const Interface* const interface = replay_.find(followed_)) {
        describe(*interface);
      }
    }
  }

  /// At the first message, before anything is printed, or at the end of the file.
  void begin() {
    if (has_begun_) {
      return;
    }
    if (packet_count_ > 0 && !replay_.has_role()) {
      throw UsageError(
          "no interface of this replay has a role: expected --replay-interface NAME=CIDR for one that "
          "-id, -iu or -i names");
    }
    has_begun_ = true;
    followed_ = reader_.interfaces().size();
    if (!configuration_.capture.file.empty()) {
      open_capture();
      for (const Interface* const interface : replay_.interfaces()) {
        describe(*interface);
      }
    }
  }

  /// The interface as the capture has it, or would have it, at the moment.
  [[nodiscard]] CapturedInterface facts_of(const Interface& interface) const {
    const auto captured = replay_.captured(interface);
    return described(captured ? reader_.interfaces()[*captured] : CapturedInterface{}, &interface);
  }

  void describe(const Interface& interface) {
    write_capture([&] { capture_->describe(facts_of(interface)); });
  }

  /// The lines go on where the capture cannot.
  template <typename Write>
  void write_capture(Write write) {
    try {
      if (capture_) {
        write();
      }
    } catch (const std::runtime_error& error) {
      capture_fault_ = error.what();
      capture_.reset();
    }
  }

  void open_capture() {
    const CaptureSettings& settings = configuration_.capture;
    capture_.emplace(io::CaptureFile::Options{settings.file, settings.max_size, settings.max_count}, section_of(words_),
                     settings.filter);
  }

  [[nodiscard]] io::Replay::Listener listener() {
    io::Replay::Listener listener;
    listener.beginning = [this] { begin(); };
    listener.message = [this](const Packet& packet, const ReplayedMessage& message) {
      report_.message(message);
      written_frame_ = write(packet, replay_verdict_text(message));
    };
    listener.unfinished = [this](const ReplayedMessage& message) { report_.unfinished(message); };
    if (!configuration_.capture.file.empty()) {
      listener.fragment = [this](const Packet& packet) {
        write(packet, "a fragment; the verdict is with the packet that completes the datagram, if there is one");
      };
      listener.sent = [this](const Packet& packet, const ReplayedMessage& message, const capture::SentFrame& sent) {
        CapturedInterface egress = facts_of(sent.egress);
        egress.link_type = sent.egress.is_ethernet ? LinkType::ethernet : LinkType::raw;
        const auto octets = sent.octets.subspan(sent.egress.is_ethernet ? 0 : ethernet_header_size);
        const Packet written{.link_type = egress.link_type,
                             .time = packet.time,
                             .direction = capture::Direction::outbound,
                             .octets = octets,
                             .original_size = octets.size()};
        write_capture([&] { capture_->write(egress, written, sent_text(message, sent, written_frame_)); });
      };
    }
    return listener;
  }

  std::uint64_t write(const Packet& packet, std::string_view comment) {
    std::uint64_t frame = 0;
    write_capture([&] {
      frame = capture_->write(described(reader_.interfaces()[packet.interface], replay_.find(packet.interface)), packet,
                              comment);
    });
    return frame;
  }

  /// No packet is of a link type that the filter does not go with.
  [[nodiscard]] bool is_selected(const Packet& packet) {
    if (filterless_.contains(packet.link_type)) {
      return false;
    }
    try {
      return !filter_ || filter_->selects(packet);
    } catch (const io::FilterError& error) {
      filterless_.insert(packet.link_type);
      filter_fault_ = filter_fault(configuration_, error).what();
      return false;
    }
  }

  void check_faults() const {
    std::string fault = input_.fault().empty() ? reader_.fault() : input_.fault();
    if (!fault.empty() && packet_count_ > 0) {
      fault += "; what is in front of that was replayed";
    }
    const auto add = [&fault](const std::string& more) {
      if (!more.empty()) {
        fault += (fault.empty() ? "" : "; ") + more;
      }
    };
    if (unknown_link_type_) {
      add("packets of link type " + std::to_string(static_cast<unsigned>(*unknown_link_type_)) +
          " cannot be read and were left out");
    }
    if (replay_.has_passed_over_changes()) {
      add("the interface of -U has too many changes of its addresses; the last ones were left out");
    }
    if (!fault.empty()) {
      fault.insert(0, named(configuration_));
    }
    add(filter_fault_.empty() ? "" : filter_fault_ + "; packets that it does not go with were left out");
    add(capture_fault_);
    if (!fault.empty()) {
      throw std::runtime_error(fault);
    }
  }

  const Configuration& configuration_;
  const std::vector<std::string>& words_;
  io::CaptureInput input_;
  capture::CaptureReader reader_;
  ReplayReport report_;
  io::Orders orders_;
  io::Replay replay_;
  bool is_output_error_;
  std::ostream& output_;
  std::unique_ptr<io::PacketFilter> filter_;
  std::optional<io::ReplayCapture> capture_;
  std::string capture_fault_;
  std::uint64_t packet_count_ = 0;
  bool has_begun_ = false;
  std::size_t followed_ = 0;         // interfaces of the file, since that
  std::uint64_t written_frame_ = 0;  // of the message whose copies are written now
  std::optional<LinkType> unknown_link_type_;
  std::set<LinkType> filterless_;
  std::string filter_fault_;
};

}  // namespace

int replay(const Configuration& configuration, const std::vector<std::string>& words) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  check_servers(configuration);
  Replaying replaying{configuration, words};
  replaying.run();
  return 0;
}

}  // namespace relay
