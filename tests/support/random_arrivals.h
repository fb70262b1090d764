// Random routers and messages: mostly what comes by day, with every kind of damage now and then. The same seed gives
// the same ones everywhere.
#pragma once

#include <random>

#include "tests/support/reference_network.h"

namespace reference {

using Random = std::mt19937;

/// Several downstream interfaces, some of which may share a giaddr or a circuit-id, an upstream one, the loopback, and
/// two ports of a bridge.
[[nodiscard]] Network random_network(Random& random);

/// A message that suits `network`, whose transactions it may be put into.
[[nodiscard]] Arrival random_arrival(Random& random, Network& network, Direction direction);

/// The same message as it is, cut, or with a few octets changed.
[[nodiscard]] Bytes damaged(Random& random, Bytes message);

}  // namespace reference
