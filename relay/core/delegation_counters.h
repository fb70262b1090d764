// How many prefixes are delegated, and what became of others; one thread writes, any may read.
#pragma once

#include "relay/core/counters.h"
#include "relay/core/delegations.h"

namespace relay {

struct DelegationCounters {
  Gauge active;
  Counter delegated;
  Counter renewed;  ///< those that moved included
  Counter released;
  Counter expired;
  Counter refused;
  Counter routes_refused;  ///< by the kernel

  void count(const DelegationEvent& event) noexcept {
    switch (event.change) {
      case DelegationChange::delegated:
        delegated.add();
        break;
      case DelegationChange::renewed:
      case DelegationChange::moved:
        renewed.add();
        break;
      case DelegationChange::released:
        released.add();
        break;
      case DelegationChange::expired:
        expired.add();
        break;
      case DelegationChange::refused:
        refused.add(event.count);
        break;
    }
  }
};

}  // namespace relay
