#include "relay/core/interface_facts.h"

namespace relay {

options82::InterfaceFacts facts_of(const Interface& interface, const std::string& host_name) {
  options82::InterfaceFacts facts;
  facts.name = interface.name;
  facts.index = interface.index;
  facts.alias = interface.alias;
  facts.host = host_name;
  facts.vlan_id = interface.vlan_id;
  if (interface.is_ethernet) {
    facts.mac = interface.mac.octets;
  }
  if (interface.giaddr) {
    facts.giaddr = interface.giaddr->octets;
  }
  return facts;
}

}  // namespace relay
