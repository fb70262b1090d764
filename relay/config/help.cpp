// What an administrator reads: `--help`, and the flag that a mistyped word was meant to be.
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/config/flags.h"

namespace relay::flags {

namespace {

std::string_view title(Group group) noexcept {
  switch (group) {
    case Group::interfaces_and_servers:
      return "Interfaces and servers";
    case Group::relaying:
      return "Relaying";
    case Group::option_82:
      return "Option 82";
    case Group::dhcpv6:
      return "DHCPv6";
    case Group::replies:
      return "Replies";
    case Group::captures:
      return "Captures";
    case Group::process_and_logging:
      return "Process and logging";
  }
  return {};
}

constexpr std::size_t help_width = 100;
constexpr std::size_t help_column = 40;

std::string synopsis(const Flag& flag) {
  std::string line = flag.isc.empty() ? "" : std::string(flag.isc) + ",";
  line.insert(0, 2, ' ');
  line.resize(7, ' ');
  line.append("--").append(flag.name);
  if (flag.takes_value()) {
    line.append(" ").append(flag.value);
  }
  return flag.repeatable ? line + " *" : line;
}

// Appends `text` to `line`, whose words start in the help column, breaking it between words.
std::string wrapped(std::string line, std::string_view text) {
  if (line.size() + 2 > help_column) {
    line += '\n';
    line.append(help_column, ' ');
  } else {
    line.resize(help_column, ' ');
  }
  std::size_t column = help_column;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (column > help_column && column + 1 + word.size() > help_width) {
      line += '\n';
      line.append(help_column, ' ');
      column = help_column;
    } else if (column > help_column) {
      line += ' ';
      ++column;
    }
    line += word;
    column += word.size();
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return line + '\n';
}

std::string bare(std::string_view word) {
  word.remove_prefix(std::min(word.find_first_not_of('-'), word.size()));
  std::string result(word);
  std::transform(result.begin(), result.end(), result.begin(), [](char octet) {
    return octet >= 'A' && octet <= 'Z' ? static_cast<char>(octet - 'A' + 'a') : octet;
  });
  return result;
}

// The least number of characters to change, add, leave out or swap with their neighbour (optimal string alignment).
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> before(right.size() + 1);
  std::vector<std::size_t> last(right.size() + 1);
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::swap(before, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t changed = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      row[j] = std::min({changed, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_word(std::string_view word) {
  constexpr std::size_t longest = 40;
  const std::string wanted = bare(word.substr(0, word.find('=')));
  if (wanted.empty() || wanted.size() > longest) {
    return {};
  }
  std::string nearest;
  std::size_t least = wanted.size() < 3 ? 0 : 1 + wanted.size() / 5;
  const auto consider = [&](std::string_view candidate) {
    const std::string known = bare(candidate);
    const bool is_beginning = wanted.size() > 2 && known.starts_with(wanted);
    const std::size_t away =
        is_beginning ? std::min<std::size_t>(1, known.size() - wanted.size()) : distance(wanted, known);
    if (!candidate.empty() && (nearest.empty() ? away <= least : away < least)) {
      nearest = candidate;
      least = away;
    }
  };
  for (const Flag& flag : all()) {
    consider(flag.isc);
    consider(std::string("--").append(flag.name));
  }
  return nearest;
}

std::string help_text() {
  std::string text =
      "Usage: dhcp-relay [options] SERVER...\n\n"
      "Relays BOOTP, DHCP and DHCPv6 messages between clients on downstream interfaces and each SERVER,\n"
      "an IPv4 or IPv6 address or a host name. Options marked * may be given several times; IF is the\n"
      "name of an interface or a shell pattern such as 'vlan*', and a value without IF= is for all\n"
      "interfaces.\n";
  const Flag* last = nullptr;
  for (const Flag& flag : all()) {
    if (last == nullptr || last->group != flag.group) {
      text.append("\n").append(title(flag.group)).append(":\n");
    }
    std::string help(flag.help);
    if (!flag.initial.empty()) {
      help.append(" Default: ").append(flag.initial).append(".");
    }
    text += wrapped(synopsis(flag), help);
    last = &flag;
  }
  return text;
}

}  // namespace relay::flags
