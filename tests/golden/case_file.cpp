#include "tests/golden/case_file.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>

#include "tests/support/message_text6.h"

namespace golden {

namespace {

using relay::io::Link;
using test_support::Lines;
using test_support::take_word;
using test_support::TextError;

constexpr std::string_view indentation = "  ";
constexpr std::string_view arrow = "-> ";

/// "4F-01"
[[nodiscard]] bool is_row(std::string_view word) {
  constexpr std::string_view pattern = "4F-01";
  const auto is_like = [](char written, char shown) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return shown == '-' ? written == '-' : shown == 'F' ? written >= 'A' && written <= 'Z' : is_digit(written);
  };
  return std::ranges::equal(word, pattern, is_like);
}

/// "# 4F-01 4F-04", and a colon before anything else
[[nodiscard]] bool names_rows(std::string_view line) {
  if (!line.starts_with("# ")) {
    return false;
  }
  line.remove_prefix(2);
  line = line.substr(0, line.find(':'));
  std::string_view word = take_word(line);
  bool is_good = !word.empty();
  for (; !word.empty(); word = take_word(line)) {
    is_good = is_good && is_row(word);
  }
  return is_good;
}

/// "10.1.0.1/24" or "2001:db8:1::1/64"
void add_address(std::string_view word, Link& link) {
  const std::size_t slash = word.find('/');
  const std::string_view address = word.substr(0, slash);
  const bool is_ipv6 = address.find(':') != std::string_view::npos;
  const auto length = static_cast<std::uint8_t>(test_support::number(word.substr(slash + 1), is_ipv6 ? 128 : 32));
  if (is_ipv6) {
    link.addresses6.push_back({{test_support::address6(address), length}});
  } else {
    link.addresses.push_back({{test_support::address(address), length}});
  }
}

/// Words behind an address say more of it. Returns whether `word` is one.
[[nodiscard]] bool describe_address(std::string_view word, Link& link) {
  if (!link.addresses6.empty() && (word == "deprecated" || word == "temporary")) {
    (word == "deprecated" ? link.addresses6.back().is_deprecated : link.addresses6.back().is_temporary) = true;
    return true;
  }
  auto& addresses = link.addresses;
  if (addresses.empty() || (word != "secondary" && word != "link" && word != "host")) {
    return false;
  }
  if (word == "secondary") {
    addresses.back().is_secondary = true;
  } else {
    addresses.back().scope = word == "link" ? relay::io::address_scope::link : relay::io::address_scope::host;
  }
  return true;
}

[[nodiscard]] relay::MacAddress mac_address(std::string_view word) {
  const auto octets = test_support::colon_octets(word);
  relay::MacAddress mac;
  if (octets.size() != mac.octets.size()) {
    throw TextError("expected six octets such as 02:00:00:00:00:c0");
  }
  std::ranges::copy(octets, mac.octets.begin());
  return mac;
}

/// `2 c0 10.1.0.1/24 mac 02:00:00:00:00:c0`
[[nodiscard]] Link link_of(std::string_view words) {
  Link link;
  link.state.index = test_support::number(take_word(words), 65535);
  link.state.name = take_word(words);
  link.state.is_up = true;
  link.state.has_carrier = true;
  for (auto word = take_word(words); !word.empty(); word = take_word(words)) {
    if (word.find('/') != std::string_view::npos) {
      add_address(word, link);
    } else if (word == "mac") {
      link.state.is_ethernet = true;
      link.state.mac = mac_address(take_word(words));
    } else if (word == "mtu") {
      link.state.mtu = test_support::number(take_word(words), 65536);
    } else if (word == "vlan") {
      link.state.vlan_id = static_cast<std::uint16_t>(test_support::number(take_word(words), 4094));
    } else if (word == "alias") {
      const auto octets = test_support::value_octets(take_word(words));
      link.state.alias.assign(octets.begin(), octets.end());
    } else if (word == "down" || word == "no-carrier") {
      link.state.is_up = link.state.is_up && word != "down";
      link.state.has_carrier = false;
    } else if (!describe_address(word, link)) {
      throw TextError(
          "expected an address with its prefix, secondary, link, host, deprecated, temporary, mac, mtu, vlan, alias, "
          "down or no-carrier, not '" +
          std::string(word) + "'");
    }
  }
  return link;
}

void put(std::vector<Link>& links, Link link) {
  const auto same =
      std::ranges::find_if(links, [&](const Link& other) { return other.state.index == link.state.index; });
  if (same == links.end()) {
    links.push_back(std::move(link));
  } else {
    *same = std::move(link);
  }
}

void expect_word(std::string_view& words, std::string_view expected) {
  if (take_word(words) != expected) {
    throw TextError("expected 'message on INTERFACE from ADDRESS:PORT to ADDRESS'");
  }
}

/// `68` of `0.0.0.0:68`, which is left with what stands in front of the colon
[[nodiscard]] std::uint16_t take_port(std::string_view& endpoint) {
  const std::size_t colon = std::min(endpoint.rfind(':'), endpoint.size());
  const auto port = test_support::number(endpoint.substr(std::min(colon + 1, endpoint.size())), 65535);
  endpoint = endpoint.substr(0, colon);
  return static_cast<std::uint16_t>(port);
}

/// `[fe80::1]:546 to ff02::1:2 frame 02:00:00:00:00:01`
[[nodiscard]] relay::Ingress6 ingress6_of(std::uint32_t interface_index, std::string_view words) {
  std::string_view source = take_word(words);
  relay::Ingress6 ingress;
  ingress.interface_index = interface_index;
  ingress.source_port = take_port(source);
  if (!source.ends_with(']')) {
    throw TextError("expected an address in brackets and its port");
  }
  ingress.source = test_support::address6(source.substr(1, source.size() - 2));
  expect_word(words, "to");
  ingress.destination = test_support::address6(take_word(words));
  if (const auto word = take_word(words); word == "frame") {
    ingress.link_source = mac_address(take_word(words));
  } else if (!word.empty()) {
    throw TextError("expected 'frame MAC' or nothing more, not '" + std::string(word) + "'");
  }
  return ingress;
}

/// `on c0 from 0.0.0.0:68 to 255.255.255.255`
[[nodiscard]] std::variant<relay::Ingress, relay::Ingress6> ingress_of(std::string_view words,
                                                                       const std::vector<Link>& links) {
  expect_word(words, "on");
  const std::string_view name = take_word(words);
  const auto link = std::ranges::find_if(links, [&](const Link& other) { return other.state.name == name; });
  if (link == links.end()) {
    throw TextError("no interface " + std::string(name) + " has been described so far");
  }
  expect_word(words, "from");
  if (words.starts_with(" [")) {
    return ingress6_of(link->state.index, words);
  }
  std::string_view source = take_word(words);
  relay::Ingress ingress;
  ingress.interface_index = link->state.index;
  ingress.source_port = take_port(source);
  ingress.source = test_support::address(source);
  expect_word(words, "to");
  ingress.destination = test_support::address(take_word(words));
  if (const auto word = take_word(words); word == "at") {
    ingress.arrival = std::chrono::milliseconds{test_support::number(take_word(words), 1'000'000)};
  } else if (!word.empty()) {
    throw TextError("expected 'at MILLISECONDS' or nothing more, not '" + std::string(word) + "'");
  }
  return ingress;
}

/// Goes through a case's lines from top to bottom.
class CaseReader {
 public:
  explicit CaseReader(const Lines& lines) : lines_(lines) {}

  [[nodiscard]] Case read() {
    read_title();
    while (line_ < lines_.size()) {
      read_line();
    }
    if (case_.flags.empty() || case_.exchanges.empty()) {
      throw TextError("expected flags and at least one message before the end");
    }
    return std::move(case_);
  }

  /// Where reading stands.
  [[nodiscard]] std::size_t line() const noexcept { return line_; }

 private:
  void read_title() {
    if (lines_.empty() || !lines_[0].ends_with('.')) {
      throw TextError("expected the title, a sentence");
    }
    ++line_;
    if (lines_.size() < 2 || !names_rows(lines_[1])) {
      throw TextError("expected '# ROW...: ', the rows that the case shows");
    }
    ++line_;
  }

  void read_line() {
    std::string_view rest = lines_[line_];
    if (rest.starts_with(' ')) {
      throw TextError("expected a word in the first column: only lines of a message and its outcome are indented");
    }
    const std::string_view word = take_word(rest);
    if (word == "flags" && case_.flags.empty()) {
      case_.flags_line = line_;
      for (auto flag = take_word(rest); !flag.empty(); flag = take_word(rest)) {
        case_.flags.emplace_back(flag);
      }
    } else if (word == "route-mtu") {
      case_.route_mtu = test_support::number(take_word(rest), 65535);
    } else if (word == "interface") {
      put(links_, link_of(rest));
    } else if (word == "message") {
      read_exchange(rest);
      return;
    } else if (!word.empty()) {
      throw TextError("expected flags (once), route-mtu, interface or message, not '" + std::string(word) + "'");
    }
    ++line_;
  }

  void read_exchange(std::string_view header) {
    Exchange exchange{links_, ingress_of(header, links_), {}, {}, 0};
    ++line_;
    exchange.message = message_of(indented_lines(), std::holds_alternative<relay::Ingress6>(exchange.ingress));
    exchange.expected_line = line_;
    if (line_ < lines_.size() && lines_[line_].starts_with(arrow)) {
      exchange.expected.push_back(lines_[line_]);
      ++line_;
      const auto rest = indented_lines();
      exchange.expected.insert(exchange.expected.end(), rest.begin(), rest.end());
    }
    case_.exchanges.push_back(std::move(exchange));
  }

  /// The indented lines from here on.
  [[nodiscard]] std::span<const std::string> indented_lines() {
    const std::size_t first = line_;
    while (line_ < lines_.size() && lines_[line_].starts_with(indentation)) {
      ++line_;
    }
    return std::span{lines_}.subspan(first, line_ - first);
  }

  [[nodiscard]] test_support::Bytes message_of(std::span<const std::string> indented, bool is_dhcpv6) {
    Lines lines;
    std::ranges::transform(indented, std::back_inserter(lines),
                           [](const std::string& line) { return line.substr(indentation.size()); });
    try {
      return is_dhcpv6 ? test_support::message6_octets(lines) : test_support::message_octets(lines);
    } catch (const TextError& error) {
      line_ = line_ - indented.size() + error.line();
      throw;
    }
  }

  const Lines& lines_;
  std::size_t line_ = 0;
  std::vector<Link> links_;
  Case case_;
};

}  // namespace

Lines read_lines(const std::filesystem::path& path) {
  std::ifstream file{path};
  Lines lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(std::move(line));
  }
  if (!file.eof()) {
    throw CaseError(path.string() + ": cannot be read");
  }
  return lines;
}

Case parse_case(const std::string& name, const Lines& lines) {
  CaseReader reader{lines};
  try {
    return reader.read();
  } catch (const TextError& error) {
    throw CaseError(name + ':' + std::to_string(reader.line() + 1) + ": " + error.what());
  }
}

Lines with_expectations(const Lines& lines, const Case& parsed, const std::vector<Lines>& results) {
  Lines updated;
  auto from = lines.begin();
  for (std::size_t number = 0; number < parsed.exchanges.size(); ++number) {
    const Exchange& exchange = parsed.exchanges[number];
    const auto at = lines.begin() + static_cast<std::ptrdiff_t>(exchange.expected_line);
    updated.insert(updated.end(), from, at);
    updated.insert(updated.end(), results[number].begin(), results[number].end());
    from = at + static_cast<std::ptrdiff_t>(exchange.expected.size());
  }
  updated.insert(updated.end(), from, lines.end());
  return updated;
}

void write_lines(const std::filesystem::path& path, const Lines& lines) {
  std::ofstream file{path};
  for (const std::string& line : lines) {
    file << line << '\n';
  }
  file.close();
  if (!file) {
    throw CaseError(path.string() + ": cannot be written");
  }
}

}  // namespace golden
