// A golden case: text in, text out. One file of tests/golden/cases holds one:
//
//   The title: one sentence that says what holds.
//   # 4F-01 4F-04: the rows that it shows, and anything that a reader should know
//
//   flags -a -id c0 198.51.100.10                    the command line, as an operator would write it
//   route-mtu 1400                                   the least MTU on the way to a server; else 1500
//   interface 2 c0 10.1.0.1/24 mac 02:00:00:00:00:c0
//   message on c0 from 0.0.0.0:68 to 255.255.255.255
//     op 1                                           the message as in tests/support/message_text.h
//   -> servers 198.51.100.10:67 from 10.1.0.1:67     what becomes of it
//     + hops 1                                       how it differs: fixed fields that do, and everything behind them
//     + giaddr 10.1.0.1                              if anything there does; the rest is as it was
//
// An interface has an index, a name, and addresses as in ip-address(8), which secondary, link or host may follow, or
// deprecated or temporary one of IPv6; then mac (which makes it Ethernet), mtu N, vlan N, alias "TEXT", down,
// no-carrier. Messages run in order through the same relay agent; an interface between two of them is new, or changed
// by then. "message on ... to ... at 1500" arrives 1500 ms after the start; without it, at the start.
//
// "message on c0 from [fe80::1]:546 to ff02::1:2 frame 02:00:00:00:00:01" is one of DHCPv6 (message_text6.h) with the
// source of its frame. Of what becomes of it the whole message follows that leaves.
#pragma once

#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "relay/core/decision.h"
#include "relay/core/decision6.h"
#include "relay/io/interface_view.h"
#include "tests/support/message_text.h"

namespace golden {

/// A case that cannot be understood, "FILE:LINE: what is wrong".
class CaseError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One message with what is to become of it.
struct Exchange {
  std::vector<relay::io::Link> links;  ///< all that there are when it arrives
  std::variant<relay::Ingress, relay::Ingress6> ingress;
  test_support::Bytes message;
  test_support::Lines expected;   ///< as written, from `->` on; empty where it was not written yet
  std::size_t expected_line = 0;  ///< of the file, counted from 0: where `expected` begins or belongs
};

struct Case {
  std::vector<std::string> flags;
  std::size_t flags_line = 0;
  std::size_t route_mtu = 1500;
  std::vector<Exchange> exchanges;
};

/// Reads the lines of `path`. Throws CaseError.
[[nodiscard]] test_support::Lines read_lines(const std::filesystem::path& path);

/// Understands them; `name` stands in errors. Throws CaseError.
[[nodiscard]] Case parse_case(const std::string& name, const test_support::Lines& lines);

/// The lines of the case with other expectations, one for each exchange.
[[nodiscard]] test_support::Lines with_expectations(const test_support::Lines& lines, const Case& parsed,
                                                    const std::vector<test_support::Lines>& results);

/// Throws CaseError.
void write_lines(const std::filesystem::path& path, const test_support::Lines& lines);

}  // namespace golden
