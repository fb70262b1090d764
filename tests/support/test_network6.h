// The reference topology of DHCPv6 as an interface table, and decisions as one line of text.
//
//   clients --- c0 [relay] s0 --- servers 2001:db8:53::10 and ::11
//   c0: 2001:db8:1::1/64, fe80::c0    c1: 2001:db8:2::1/64, fe80::c1    s0: 2001:db8:5::1/64, fe80::50
//   lo: ::1/128, 2001:db8:ff::1/128
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "relay/core/decision6.h"
#include "relay/core/interface_table.h"
#include "relay/core/policy6.h"
#include "relay/core/relay_forward_content.h"
#include "tests/support/guarded_message.h"
#include "tests/support/message6.h"
#include "tests/support/test_network.h"

namespace test_support {

/// Settings in which nothing but the interface's name is said.
[[nodiscard]] relay::RelayForwardTemplates no_templates();

/// An interface with its addresses chosen and its options encoded.
[[nodiscard]] relay::Interface interface6(std::uint32_t index, const std::string& name,
                                          const std::vector<std::string>& addresses);

/// A message of fe80::1 to ff02::1:2 in a frame from 02:00:00:00:00:01.
[[nodiscard]] relay::Ingress6 from_client(std::uint32_t index = c0);
/// A Relay-forward of `source`, from port 547.
[[nodiscard]] relay::Ingress6 from_relay(const std::string& source, std::uint16_t port = 547);
/// A Relay-reply of 2001:db8:53::10.
[[nodiscard]] relay::Ingress6 from_server(std::uint32_t index = s0);

/// The relay agent's view of the reference topology. c0 and c1 are downstream with their names as Interface-Ids, s0 is
/// upstream; nothing else is set.
struct TestNetwork6 {
  TestNetwork6();

  /// Changes one interface through the table, as the interface view does.
  void change(std::uint32_t index, const std::function<void(relay::Interface&)>& edit);
  /// The same for all that is encoded for c0.
  void encode(const relay::RelayForwardSettings& settings,
              const relay::RelayForwardTemplates& templates = no_templates());

  /// What becomes of a message on the request side, with `headroom` octets in front of it.
  [[nodiscard]] Outcome request(const Bytes& message, const relay::Ingress6& ingress = from_client(),
                                std::size_t headroom = 1000) const;
  /// What becomes of a message on the reply side. `Outcome::message` is what is sent.
  [[nodiscard]] Outcome reply(const Bytes& message, const relay::Ingress6& ingress = from_server()) const;

  relay::InterfaceTable interfaces;
  relay::Policy6 policy;
};

/// "drop hop_count_reached"; "servers 2001:db8:53::10 2001:db8:53::11 from 2001:db8:1::1"; "c0 fe80::1 port 546 from
/// fe80::c0"; "routed 2001:db8:1::99 port 547 from ::".
[[nodiscard]] std::string described(const relay::Decision6& decision);

/// The line of a message that goes to both servers from c0's address.
[[nodiscard]] std::string relayed6();

}  // namespace test_support
