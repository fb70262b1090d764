// The findings of `--check` as lines. Printable ASCII, whatever interfaces, processes and files are called.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/check/finding.h"
#include "relay/log/options.h"

namespace relay {

/// Text: `warning: interface_down: interface d1 is down, so its clients are not served; bring it up: ip link set d1
/// up`. JSON: an object with severity, name, meaning and advice. Without its newline.
[[nodiscard]] std::string finding_line(const check::Finding& finding, LogFormat format);

/// `server 10.0.0.1 is an address of this host; name the server's own address`: what was found and what to do.
[[nodiscard]] std::string finding_sentence(const check::Finding& finding);

/// A line for each finding, of one kind 16 at most, and a last one that says what came of it.
void report_findings(const std::vector<check::Finding>& findings, LogFormat format,
                     const std::function<void(std::string_view)>& write_line);

}  // namespace relay
