#include "relay/log/replay_report.h"

#include <chrono>
#include <optional>

#include "relay/log/line.h"
#include "relay/log/message_text.h"
#include "relay/log/verdict_text.h"

namespace relay {

namespace {

using capture::NotRun;
using capture::ReplayedMessage;
using capture::VerdictKind;

[[nodiscard]] std::string not_run_text(NotRun reason, const ReplayedMessage& message) {
  const auto sizes = [&message] {
    return std::to_string(message.octets.size()) + " of its " + std::to_string(message.size) + " octets";
  };
  switch (reason) {
    case NotRun::sent_by_us:
      return "sent by this host";
    case NotRun::other_vlan:
      return "in VLAN " + std::to_string(message.vlan_id) + ", which is another interface";
    case NotRun::fragment:
      return "only a fragment, and the rest of the datagram is not there";
    case NotRun::incomplete:
      return "only " + sizes() + " were captured";
    case NotRun::bad_length:
      return "its UDP header says " + std::to_string(message.size) + " octets of payload, and there are " +
             std::to_string(message.octets.size());
    case NotRun::to_clients:
      return "to port " + std::to_string(message.destination_port) + ", which is the clients'";
    case NotRun::other_port:
      return "to port " + std::to_string(message.destination_port) + ", on which the relay does not listen";
    case NotRun::other_host:
      return "to " + address_text(message.destination) + ", which is not an address of this host";
    case NotRun::bad_ip_checksum:
      return "bad IP header checksum";
    case NotRun::bad_udp_checksum:
      return "bad UDP checksum";
  }
  return {};
}

}  // namespace

std::string_view reason_name(NotRun reason) noexcept {
  switch (reason) {
    case NotRun::sent_by_us:
      return "sent_by_us";
    case NotRun::other_vlan:
      return "other_vlan";
    case NotRun::fragment:
      return "fragment";
    case NotRun::incomplete:
      return "incomplete";
    case NotRun::bad_length:
      return "bad_length";
    case NotRun::to_clients:
      return "to_clients";
    case NotRun::other_port:
      return "other_port";
    case NotRun::other_host:
      return "other_host";
    case NotRun::bad_ip_checksum:
      return "bad_ip_checksum";
    case NotRun::bad_udp_checksum:
      return "bad_udp_checksum";
  }
  return {};
}

std::string replay_verdict_text(const ReplayedMessage& message) {
  return message.not_run ? "not run: " + not_run_text(*message.not_run, message)
                         : verdict_text(*message.verdict, message.octets, message.egress);
}

void ReplayReport::message(const ReplayedMessage& message) {
  write(message);
  ++messages_;
  if (message.not_run) {
    ++not_run_[static_cast<std::size_t>(*message.not_run)];
    return;
  }
  switch (message.verdict->kind) {
    case VerdictKind::to_servers:
      ++relayed_;
      return;
    case VerdictKind::to_client:
      ++delivered_;
      return;
    case VerdictKind::dropped:
    case VerdictKind::send_failed:
      ++dropped_[static_cast<std::size_t>(message.verdict->reason)];
      return;
  }
}

void ReplayReport::unfinished(const ReplayedMessage& message) {
  write(message);
  ++unfinished_;
}

void ReplayReport::summary(std::uint64_t packet_count) {
  write_count("relayed", {}, relayed_);
  write_count("delivered", {}, delivered_);
  for (const DropReason reason : all_drop_reasons()) {
    write_count("dropped", text(reason).name, dropped_[static_cast<std::size_t>(reason)]);
  }
  for (std::size_t number = 0; number < not_run_.size(); ++number) {
    write_count("not_run", reason_name(static_cast<NotRun>(number)), not_run_[number]);
  }
  LogLine line{storage_, format_, std::nullopt, LogLevel::info, "replay_total"};
  line.field("packets", packet_count).field("messages", messages_).field("unfinished", unfinished_);
  write_line_(line.finish());
}

void ReplayReport::write(const ReplayedMessage& message) {
  const LogLine::Time time{std::chrono::duration_cast<LogLine::Time::duration>(message.time)};
  LogLine line{storage_, format_, time, LogLevel::info, "replay"};
  line.field("frame", message.frame);
  const Family family = message.source.family();
  add_identity(line, family, message.octets,
               message.interface.empty() ? std::nullopt : std::optional{message.interface});
  line.field("source", message.source).field("destination", message.destination);
  if (const auto content = family == Family::ipv4 ? agent_information_of(message.octets) : std::nullopt) {
    line.field("agent_information", agent_information_field(*content));
  }
  line.field("verdict", replay_verdict_text(message));
  write_line_(line.finish());
}

void ReplayReport::write_count(std::string_view verdict, std::string_view reason, std::uint64_t count) {
  if (count == 0) {
    return;
  }
  LogLine line{storage_, format_, std::nullopt, LogLevel::info, "replay_count"};
  line.field("verdict", verdict);
  if (!reason.empty()) {
    line.field("reason", reason);
  }
  line.field("count", count);
  write_line_(line.finish());
}

}  // namespace relay
