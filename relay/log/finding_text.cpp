#include "relay/log/finding_text.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "relay/log/line.h"
#include "relay/log/message_text.h"

namespace relay {

namespace {

using check::Finding;
using check::FindingKind;
using check::Severity;

constexpr std::size_t most_subjects = 8;
constexpr std::size_t most_lines = 16;

[[nodiscard]] std::string_view severity_text(Severity severity) noexcept {
  switch (severity) {
    case Severity::ok:
      return "ok";
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return {};
}

[[nodiscard]] LogLevel level_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::ok:
    case Severity::note:
      return LogLevel::info;
    case Severity::warning:
      return LogLevel::warning;
    case Severity::error:
      return LogLevel::error;
  }
  return LogLevel::info;
}

/// `d1, d2 and 7 more`.
[[nodiscard]] std::string list_text(const std::vector<std::string>& subjects) {
  std::string text;
  for (std::size_t i = 0; i < subjects.size() && i < most_subjects; ++i) {
    text += (i == 0 ? "" : ", ") + subjects[i];
  }
  return subjects.size() > most_subjects ? text + " and " + std::to_string(subjects.size() - most_subjects) + " more"
                                         : text;
}

/// What stands for a placeholder. A command that is advised is for one interface, the first.
[[nodiscard]] std::string value_of(std::string_view placeholder, const Finding& finding, bool is_advice) {
  if (const std::size_t bar = placeholder.find('|'); bar != std::string_view::npos) {
    return std::string{finding.subjects.size() > 1 ? placeholder.substr(bar + 1) : placeholder.substr(0, bar)};
  }
  if (placeholder == "subject") {
    return is_advice && !finding.subjects.empty() ? finding.subjects.front() : list_text(finding.subjects);
  }
  if (placeholder == "other") {
    return finding.other;
  }
  if (placeholder == "command") {
    return finding.command;
  }
  if (placeholder == "number" || placeholder == "limit") {
    return std::to_string(placeholder == "number" ? finding.number : finding.limit);
  }
  const std::optional<IpAddress>& address = placeholder == "address"    ? finding.address
                                            : placeholder == "next_hop" ? finding.next_hop
                                                                        : finding.source;
  return address ? address_text(*address, finding.zone) : finding.other;
}

[[nodiscard]] std::string filled_in(std::string_view clause, const Finding& finding, bool is_advice) {
  std::string text;
  while (!clause.empty()) {
    const std::size_t begin = clause.find('{');
    const std::size_t end = clause.find('}', begin);
    text += clause.substr(0, begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) {
      return text;
    }
    text += value_of(clause.substr(begin + 1, end - begin - 1), finding, is_advice);
    clause.remove_prefix(end + 1);
  }
  return text;
}

[[nodiscard]] std::string advice_of(const Finding& finding) {
  const std::string_view advice = check::text(finding.kind).advice;
  const bool is_for_one = finding.subjects.size() > 1 && advice.find("{subject}") != std::string_view::npos;
  return filled_in(advice, finding, true) + (is_for_one ? "; and so for each of them" : "");
}

[[nodiscard]] std::string line_of(Severity severity, std::string_view name, const std::string& meaning,
                                  const std::string& advice, LogFormat format) {
  if (format == LogFormat::json) {
    std::string storage;
    LogLine line{storage, format, std::nullopt, level_of(severity), "finding"};
    line.field("severity", severity_text(severity)).field("name", name).field("meaning", meaning);
    line.field("advice", advice);
    return std::string{line.finish()};
  }
  const std::string text = std::string{severity_text(severity)} + ": " + std::string{name} + ": " + meaning;
  return printable_text(advice.empty() ? text : text + "; " + advice);
}

[[nodiscard]] std::string counted(std::size_t count, const std::string& noun) {
  return count == 0 ? "no " + noun + "s" : std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

[[nodiscard]] std::string last_line(const std::array<std::size_t, 4>& counts, LogFormat format) {
  const std::size_t errors = counts[static_cast<std::size_t>(Severity::error)];
  const std::size_t warnings = counts[static_cast<std::size_t>(Severity::warning)];
  if (format == LogFormat::json) {
    std::string storage;
    LogLine line{storage, format, std::nullopt, errors == 0 ? LogLevel::info : LogLevel::error, "check_total"};
    line.field("errors", errors).field("warnings", warnings);
    return std::string{line.finish()};
  }
  const std::string end =
      errors == 0 && warnings == 0 ? "nothing found" : counted(errors, "error") + ", " + counted(warnings, "warning");
  return (errors == 0 ? "check passed: " : "check failed: ") + end;
}

}  // namespace

std::string finding_line(const Finding& finding, LogFormat format) {
  const check::FindingText& text = check::text(finding.kind);
  return line_of(severity_of(finding), text.name, filled_in(text.meaning, finding, false), advice_of(finding), format);
}

std::string finding_sentence(const Finding& finding) {
  const std::string meaning = filled_in(check::text(finding.kind).meaning, finding, false);
  const std::string advice = advice_of(finding);
  return printable_text(advice.empty() ? meaning : meaning + "; " + advice);
}

void report_findings(const std::vector<Finding>& findings, LogFormat format,
                     const std::function<void(std::string_view)>& write_line) {
  std::map<std::pair<FindingKind, Severity>, std::size_t> lines;
  std::array<std::size_t, 4> counts{};
  for (const Finding& finding : findings) {
    const Severity severity = severity_of(finding);
    ++counts[static_cast<std::size_t>(severity)];
    if (++lines[{finding.kind, severity}] <= most_lines) {
      write_line(finding_line(finding, format));
    }
  }
  for (const auto& [which, count] : lines) {
    if (count > most_lines) {
      const auto& [kind, severity] = which;
      write_line(
          line_of(severity, check::text(kind).name, std::to_string(count - most_lines) + " more of these", {}, format));
    }
  }
  write_line(last_line(counts, format));
}

}  // namespace relay
