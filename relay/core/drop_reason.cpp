#include "relay/core/drop_reason.h"

#include <algorithm>

namespace relay {

namespace {

struct Entry {
  DropReason reason;
  DropReasonText text;
};

constexpr std::array<Entry, drop_reason_count> entries{{
    // any message
    {DropReason::too_short,
     {"too_short", "the message is shorter than a BOOTP message may be (RFC 951 section 3, RFC 1542 section 2.1)",
      "Look for a broken or hostile sender on this interface; without --strict-size, 236 octets are enough."}},
    {DropReason::receive_truncated,
     {"receive_truncated", "the message is larger than what the relay can receive, and its end was cut off",
      "No DHCP message needs to be that large: look for a broken or hostile sender on this interface."}},
    {DropReason::bad_op,
     {"bad_op", "op is neither BOOTREQUEST (1) nor BOOTREPLY (2) (RFC 1542 section 2.1)",
      "Something other than DHCP is sent to this port: find the sender in a capture."}},
    {DropReason::hlen_too_long,
     {"hlen_too_long", "hlen exceeds the 16 octets of chaddr (RFC 2131 section 2)",
      "The client's hardware address cannot be meant: look for a broken or hostile sender on this interface."}},
    {DropReason::options_malformed,
     {"options_malformed", "the options are broken off and option 82 has to be edited (RFC 2132 section 2)",
      "Find the sender in a capture and repair it; without -a such messages are relayed as they are."}},
    {DropReason::interface_unknown,
     {"interface_unknown", "the message arrived on an interface that the relay does not know yet",
      "This is normal for a moment after an interface appears; if it lasts, restart the relay and report it."}},
    {DropReason::lost_in_kernel,
     {"lost_in_kernel", "the kernel gave the message up before the relay took it: no room, or a wrong UDP checksum",
      "Compare UdpRcvbufErrors and UdpInCsumErrors of `nstat -az`; against the first, find the interface that floods "
      "(queue_full), or give the relay more processor time."}},
    // requests
    {DropReason::queue_full,
     {"queue_full", "the interface already had its share of the requests that wait for the relay",
      "Find the client that floods, or limit the interface with --rate-limit; other interfaces have their turns."}},
    {DropReason::rate_limited,
     {"rate_limited", "the interface sent more requests than its rate limit allows",
      "This is what --rate-limit asks for; find the client that floods, or raise the limit."}},
    {DropReason::not_downstream,
     {"not_downstream", "the request arrived on an interface where requests are not accepted",
      "Name the interface with -id, or with -i, if clients or other relay agents are behind it."}},
    {DropReason::below_min_secs,
     {"below_min_secs", "secs is below the configured threshold (RFC 1542 section 4.1.1)",
      "This is what --min-secs asks for; lower it if clients wait too long for an address."}},
    {DropReason::hops_exceeded,
     {"hops_exceeded", "hops exceeds the configured limit (RFC 1542 section 4.1.1)",
      "Look for a loop between relay agents, or raise the limit with -c if the chain of relay agents is that long."}},
    {DropReason::giaddr_invalid,
     {"giaddr_invalid", "giaddr is not an address that a host can have (RFC 1122 section 3.2.1.3)",
      "Look for a broken or hostile relay agent or client behind this interface."}},
    {DropReason::giaddr_own,
     {"giaddr_own", "giaddr of the received request is an address of this host (RFC 3046 section 2.1.1)",
      "Look for a loop that brings relayed requests back, or for a client that forges giaddr."}},
    {DropReason::giaddr_refused,
     {"giaddr_refused", "giaddr is set on an interface that accepts no relayed requests (TR-101 R-184)",
      "If a relay agent is meant to be behind this interface, take it out of --giaddr-policy drop."}},
    {DropReason::lease_query_unrelayed,
     {"lease_query_unrelayed", "giaddr of the DHCPLEASEQUERY is zero instead of its requester's (RFC 4388 section 6.3)",
      "Let the requester put its own address into giaddr and send the query to the server itself."}},
    {DropReason::option82_untrusted,
     {"option82_untrusted", "giaddr is zero and option 82 is there on an untrusted circuit (RFC 3046 section 2.1)",
      "If an access switch adds option 82 behind this interface, trust it with --trust IF."}},
    {DropReason::option82_discarded,
     {"option82_discarded", "the request already carries option 82 and the policy is to discard such requests",
      "This is what -m discard asks for; choose another policy if a relay agent or switch is meant to add option 82."}},
    {DropReason::no_address,
     {"no_address", "the interface has no IPv4 address to put into giaddr (RFC 1542 section 4.1.1)",
      "Give the interface an IPv4 address, or name one of this host's with --giaddr IF=ADDR."}},
    {DropReason::interface_passive,
     {"interface_passive", "this host does not hold the giaddr that was configured for the interface",
      "This is normal on a VRRP backup; otherwise add the address to this host or correct --giaddr."}},
    {DropReason::no_server,
     {"no_server", "no server is configured for requests of this interface",
      "Name a server on the command line, or one for this interface with --server IF=ADDR."}},
    // replies
    {DropReason::not_upstream,
     {"not_upstream", "the reply arrived on an interface where replies are not accepted",
      "Look for a rogue DHCP server behind this interface; if servers are there, name the interface with -iu or -i."}},
    {DropReason::server_unknown,
     {"server_unknown", "the reply came from an address that is none of the configured servers'",
      "Add the server to the command line, or, where SERVER is another relay agent, use --reply-from any."}},
    {DropReason::reply_giaddr_zero,
     {"reply_giaddr_zero", "giaddr of the reply is zero and names no interface (RFC 1542 section 4.1.2)",
      "Let the server copy giaddr from the request into the reply, as RFC 2131 section 4.3.1 demands."}},
    {DropReason::reply_giaddr_unknown,
     {"reply_giaddr_unknown",
      "giaddr of the reply belongs to none of our downstream interfaces (RFC 1542 section 4.1.2)",
      "Check whether the interface lost that address since the request, or whether another relay agent is meant."}},
    {DropReason::reply_ambiguous,
     {"reply_ambiguous", "giaddr is shared by several interfaces and nothing in the reply tells which one is meant",
      "Add option 82 with -a and let the server echo it, or give each interface an address of its own."}},
    {DropReason::option82_unmatched,
     {"option82_unmatched", "option 82 of the reply is missing or not ours",
      "Let the server echo option 82 (RFC 3046 section 2.2), or leave out -D."}},
    {DropReason::vss_unsupported,
     {"vss_unsupported", "the server did not act on the virtual subnet that was selected (RFC 6607 section 5)",
      "Send these requests only to servers that know sub-option 151, or leave out --vss."}},
    {DropReason::vss_unknown,
     {"vss_unknown", "the server assigned another virtual subnet than the interface's (RFC 6607 section 5.1)",
      "Let the server choose the client's virtual subnet by what --vss says, or correct --vss."}},
    {DropReason::lease_query_reply,
     {"lease_query_reply", "the message answers a DHCPLEASEQUERY and is not for a client (RFC 4388 section 6.4.3)",
      "Let the requester of the query put an address into giaddr that it receives at itself, not this relay agent's."}},
    {DropReason::interface_down,
     {"interface_down", "the interface of the client is down",
      "Bring the interface up; requests that came before it went down are answered in vain."}},
    // sending
    {DropReason::send_buffer_full,
     {"send_buffer_full", "the kernel had no room to send the message (EAGAIN or ENOBUFS)",
      "Look for a congested interface or a flood of requests; a longer transmit queue (txqueuelen) can help."}},
    {DropReason::send_failed,
     {"send_failed", "the kernel refused to send the message",
      "Check the route, --source-address (this host has to hold it) and the firewall's output rules."}},
}};

constexpr bool in_order() noexcept {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (static_cast<std::size_t>(entries[i].reason) != i) {
      return false;
    }
  }
  return true;
}
static_assert(in_order(), "one entry for each DropReason, in the order of the enumeration");

constexpr std::array<DropReason, drop_reason_count> reasons = [] {
  std::array<DropReason, drop_reason_count> result{};
  std::ranges::transform(entries, result.begin(), &Entry::reason);
  return result;
}();

}  // namespace

const DropReasonText& text(DropReason reason) noexcept {
  return entries[static_cast<std::size_t>(reason)].text;
}

const std::array<DropReason, drop_reason_count>& all_drop_reasons() noexcept {
  return reasons;
}

}  // namespace relay
