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
      "Send these requests only to servers that know RFC 6607, or leave out --vss."}},
    {DropReason::vss_unknown,
     {"vss_unknown", "the server assigned another virtual subnet than the interface's (RFC 6607 section 5.1)",
      "Let the server choose the client's virtual subnet by what --vss says, or correct --vss."}},
    {DropReason::lease_query_reply,
     {"lease_query_reply", "the message answers a DHCPLEASEQUERY and is not for a client (RFC 4388 section 6.4.3)",
      "Let the requester of the query put an address into giaddr that it receives at itself, not this relay agent's."}},
    {DropReason::interface_down,
     {"interface_down", "the interface of the client is down",
      "Bring the interface up; requests that came before it went down are answered in vain."}},
    // DHCPv6, any message
    {DropReason::header_too_short,
     {"header_too_short", "the message is shorter than the header of its type (RFC 8415 sections 8 and 9)",
      "Look for a broken or hostile sender of DHCPv6 messages on this interface."}},
    {DropReason::relay_options_malformed,
     {"relay_options_malformed", "the options of a relay message are broken off (RFC 8415 section 21.1)",
      "Find the server or relay agent that sent it in a capture and repair it."}},
    {DropReason::relay_message_doubled,
     {"relay_message_doubled", "a relay message has more than one Relay Message option (RFC 8415 section 9)",
      "Find the server or relay agent that sent it in a capture: one message is all that it can carry."}},
    // DHCPv6, towards servers
    {DropReason::server_message,
     {"server_message",
      "the message is one that servers send, such as Advertise or Reply (RFC 8415 sections 16.3, 16.10 and 16.11)",
      "Look for a rogue DHCPv6 server behind this interface."}},
    {DropReason::source_invalid,
     {"source_invalid", "the source of the message is an address of this host or of no host (RFC 8415 section 19.1)",
      "Nobody could be answered there: look for a broken or hostile sender, or for a loop."}},
    {DropReason::relay_forward_untrusted,
     {"relay_forward_untrusted", "the Relay-forward came in on an untrusted circuit (RFC 6221 section 6.1.2)",
      "If a relay agent is meant to be behind this interface, trust the interface with --trust IF."}},
    {DropReason::hop_count_reached,
     {"hop_count_reached", "hop-count of the Relay-forward has reached the limit (RFC 8415 section 19.1.2)",
      "Look for a loop between relay agents: this many in a row are hardly ever meant."}},
    {DropReason::relay_supplied_options_refused,
     {"relay_supplied_options_refused", "the Relay-forward carries Relay-Supplied Options (RFC 6422 section 5)",
      "This is what --refuse asks for; find the relay agent that supplies them in a capture."}},
    {DropReason::lease_query_untrusted,
     {"lease_query_untrusted", "the LEASEQUERY came in on an untrusted circuit (RFC 5007 section 5)",
      "Trust the interface with --trust IF if a requester of leases is meant to be there."}},
    {DropReason::reconfigure_request_refused,
     {"reconfigure_request_refused", "the message is a Reconfigure-request, which is refused (RFC 6977 section 6.4)",
      "This is what --refuse asks for; find the relay agent that sends it in a capture."}},
    {DropReason::server_interface_missing,
     {"server_interface_missing", "the servers for messages of this interface are on interfaces that do not exist now",
      "Wait for the interface behind the per cent sign of SERVER if it comes and goes, or correct its name."}},
    {DropReason::wrapped_too_large,
     {"wrapped_too_large", "the message would not fit into a datagram inside a Relay-forward (RFC 8415 section 19.1)",
      "No DHCPv6 message needs to be that large: find its sender in a capture."}},
    // DHCPv6, towards clients
    {DropReason::not_relay_reply,
     {"not_relay_reply", "the message from the servers' side is no Relay-reply (RFC 8415 section 19.2)",
      "Look for a server that answers this relay agent as if it were a client."}},
    {DropReason::relay_message_missing,
     {"relay_message_missing", "the Relay-reply carries no message (RFC 8415 section 9.2)",
      "Find the server that sent it in a capture and repair it."}},
    {DropReason::peer_address_invalid,
     {"peer_address_invalid",
      "peer-address of the Relay-reply is that of this host or of no host (RFC 8415 section 9.2)",
      "Let the server copy peer-address from the Relay-forward that it answers."}},
    {DropReason::interface_id_unknown,
     {"interface_id_unknown", "Interface-Id of the Relay-reply names none of our interfaces (RFC 8415 section 21.18)",
      "Check whether the interface was renamed since the request, or whether another relay agent is meant."}},
    {DropReason::interface_id_ambiguous,
     {"interface_id_ambiguous", "several interfaces have the Interface-Id of the Relay-reply (RFC 8415 section 21.18)",
      "Give each interface an Interface-Id of its own."}},
    {DropReason::link_address_unknown,
     {"link_address_unknown", "link-address of the Relay-reply is on none of our links (RFC 8415 section 19.2)",
      "Check whether the interface lost its address since the request, or send Interface-Id with every message."}},
    {DropReason::link_address_ambiguous,
     {"link_address_ambiguous", "link-address of the Relay-reply is on several of our links (RFC 8415 section 19.2)",
      "Let the server copy Interface-Id from the Relay-forward, as RFC 8415 section 21.18 demands."}},
    {DropReason::link_unnamed,
     {"link_unnamed", "the Relay-reply names no link, and routes may not lead to its peer (RFC 8415 section 19.2)",
      "Let the server copy link-address and Interface-Id from the Relay-forward that it answers; if it answers a relay "
      "agent and SERVER is a multicast address, trust the relay agent's interface with --trust IF."}},
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
