#include "relay/replaying.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "relay/capture/capture_reader.h"
#include "relay/capture/datagram.h"
#include "relay/config/values.h"
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
    same->addresses.push_back(each.address);
    same->mac = each.mac.value_or(same->mac);
  }
  return result;
}

/// What stands for the interface in the written capture: with the addresses that it has here.
[[nodiscard]] CapturedInterface described(CapturedInterface facts, const Interface* interface) {
  if (interface != nullptr) {
    facts.name = interface->name;
    facts.addresses = interface->addresses;
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

/// One replay from the first packet of the file to its end.
class Replaying {
 public:
  Replaying(const Configuration& configuration, const std::vector<std::string>& words)
      : configuration_(configuration),
        words_(words),
        input_(opened(configuration)),
        reader_([this](std::span<std::uint8_t> octets) { return input_.read(octets); }),
        report_(configuration.log_format, [this](std::string_view line) { output_ << line << '\n'; }),
        orders_(orders_of(configuration)),
        replay_({configuration.port, configuration.relay_port}, orders_.policy, orders_.interfaces,
                given_interfaces(configuration), listener()),
        output_(configuration.capture.file == "-" ? std::cerr : std::cout) {
    const CaptureSettings& settings = configuration.capture;
    if (!settings.filter.empty()) {
      filter_ = filter_of(configuration);
    }
    if (settings.file != "-" && !settings.file.empty() && input_.is_file(settings.file)) {
      throw UsageError("--capture " + flags::shown(settings.file) +
                       ": this is the file that is replayed; expected another one");
    }
  }

  void run() {
    auto packet = reader_.next();
    replay_.follow(reader_.interfaces());
    if (packet && !replay_.has_role()) {
      throw UsageError(
          "no interface of this replay has a role: expected --replay-interface NAME=CIDR for one that "
          "-id, -iu or -i names");
    }
    if (!configuration_.capture.file.empty()) {
      open_capture();
    }
    for (; packet; packet = reader_.next()) {
      ++packet_count_;
      replay_.follow(reader_.interfaces());
      if (!capture::is_known(packet->link_type)) {
        unknown_link_type_ = unknown_link_type_.value_or(packet->link_type);
      } else if (is_selected(*packet)) {
        replay_.run(*packet, packet_count_);
      }
    }
    replay_.finish();
    report_.summary(packet_count_);
    output_ << std::flush;
    if (!output_) {
      throw std::runtime_error("standard output cannot be written");
    }
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

  void open_capture() {
    const CaptureSettings& settings = configuration_.capture;
    capture_.emplace(io::CaptureFile::Options{settings.file, settings.max_size, settings.max_count}, section_of(words_),
                     settings.filter);
  }

  [[nodiscard]] io::Replay::Listener listener() {
    io::Replay::Listener listener;
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
        CapturedInterface egress;
        egress.link_type = LinkType::ethernet;
        capture_->write(described(std::move(egress), &sent.egress),
                        {.link_type = LinkType::ethernet,
                         .time = packet.time,
                         .direction = capture::Direction::outbound,
                         .octets = sent.octets,
                         .original_size = sent.octets.size()},
                        sent_text(message, sent, written_frame_));
      };
    }
    return listener;
  }

  std::uint64_t write(const Packet& packet, std::string_view comment) {
    return !capture_
               ? 0
               : capture_->write(described(reader_.interfaces()[packet.interface], replay_.find(packet.interface)),
                                 packet, comment);
  }

  [[nodiscard]] bool is_selected(const Packet& packet) {
    try {
      return !filter_ || filter_->selects(packet);
    } catch (const io::FilterError& error) {
      throw filter_fault(configuration_, error);
    }
  }

  void check_faults() const {
    std::string fault = input_.fault().empty() ? reader_.fault() : input_.fault();
    if (!fault.empty() && packet_count_ > 0) {
      fault += "; what is in front of that was replayed";
    }
    if (unknown_link_type_) {
      fault += (fault.empty() ? "" : "; ") + std::string{"packets of link type "} +
               std::to_string(static_cast<unsigned>(*unknown_link_type_)) + " cannot be read and were left out";
    }
    if (!fault.empty()) {
      throw std::runtime_error(named(configuration_) + fault);
    }
  }

  const Configuration& configuration_;
  const std::vector<std::string>& words_;
  io::CaptureInput input_;
  capture::CaptureReader reader_;
  ReplayReport report_;
  io::Orders orders_;
  io::Replay replay_;
  std::ostream& output_;
  std::unique_ptr<io::PacketFilter> filter_;
  std::optional<io::ReplayCapture> capture_;
  std::uint64_t packet_count_ = 0;
  std::uint64_t written_frame_ = 0;  // of the message whose copies are written now
  std::optional<LinkType> unknown_link_type_;
};

}  // namespace

int replay(const Configuration& configuration, const std::vector<std::string>& words) {
  Replaying replaying{configuration, words};
  replaying.run();
  return 0;
}

}  // namespace relay
