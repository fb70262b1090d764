// Each finding on a packet in words, exactly.
#include "relay/log/annotation_text.h"

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message6.h"
#include "tests/support/message_builder.h"

namespace relay {
namespace {

using capture::Annotated;
using capture::Cause;
using capture::FailedCopy;
using capture::Finding;
using capture::HostFacts;
using capture::Verdict;
using capture::VerdictKind;
using test_support::Bytes;
using test_support::discover;
using test_support::ip;
using test_support::ip6;

class AnnotationTextTest : public testing::Test {
 protected:
  AnnotationTextTest() {
    point_.name = "d1";
    point_.addresses = {{ip(10, 101, 0, 1), 24}};
    datagram_.source = ip(10, 101, 0, 9);
    datagram_.destination = ip(10, 9, 0, 7);
    datagram_.destination_port = 68;
    datagram_.payload = message_;
    verdict_.kind = VerdictKind::to_servers;
    verdict_.giaddr = ip(10, 101, 0, 1);
    verdict_.told4().servers = {ip(10, 9, 0, 2), ip(10, 9, 0, 3)};
    verdict_.server_count = 2;
  }

  [[nodiscard]] static FailedCopy failed(Ipv4Address destination) {
    return {destination, DropReason::send_failed, ENETUNREACH};
  }
  [[nodiscard]] Annotated annotated(Finding finding, Cause cause = Cause::unknown) const {
    Annotated result{packet_, point_, datagram_, finding, cause};
    if (finding == Finding::verdict || finding == Finding::sent) {
      result.verdict = &verdict_;
      result.failed_copies = failed_;
      result.failed_count = static_cast<std::uint32_t>(failed_.size());
    }
    return result;
  }
  [[nodiscard]] std::string said(const Annotated& what, std::optional<std::uint64_t> source_frame = {},
                                 const HostFacts& facts = {}) const {
    return annotation_text(what, "d1", source_frame, {}, facts);
  }
  [[nodiscard]] std::string said(Cause cause, const HostFacts& facts = {}) const {
    return said(annotated(Finding::not_received, cause), {}, facts);
  }

  const Bytes message_ = discover().xid(0x12345678).octets();
  capture::Packet packet_;
  capture::HostView::Point point_;
  capture::UdpDatagram datagram_;
  Verdict verdict_;
  std::vector<FailedCopy> failed_;
};

TEST_F(AnnotationTextTest, a_request_that_was_relayed) {
  const std::string forwarded = "forwarded to 10.9.0.2 and 10.9.0.3, giaddr 10.101.0.1";
  EXPECT_EQ(said(annotated(Finding::verdict)), forwarded);
  failed_ = {failed(ip(10, 9, 0, 3))};
  EXPECT_EQ(said(annotated(Finding::verdict)), forwarded + "; not sent to 10.9.0.3: Network is unreachable");
}

TEST_F(AnnotationTextTest, a_request_of_which_no_copy_could_be_sent) {
  failed_ = {failed(ip(10, 9, 0, 2)), failed(ip(10, 9, 0, 3))};
  EXPECT_EQ(said(annotated(Finding::verdict)), "dropped: send_failed (to 10.9.0.2: Network is unreachable)");
}

TEST_F(AnnotationTextTest, failures_beyond_those_that_were_kept) {
  verdict_.server_count = 48;
  failed_.assign(capture::told_servers_max, failed(ip(10, 9, 0, 2)));
  Annotated what = annotated(Finding::verdict);
  what.failed_count = 47;
  EXPECT_TRUE(said(what).starts_with("forwarded to 10.9.0.2, "));
  EXPECT_TRUE(said(what).ends_with("; not sent to 10.9.0.2: Network is unreachable; not sent to 39 more"));
  what.failed_count = 48;
  EXPECT_EQ(said(what), "dropped: send_failed (to 10.9.0.2: Network is unreachable)");
}

TEST_F(AnnotationTextTest, a_reply) {
  verdict_.kind = VerdictKind::to_client;
  verdict_.server_count = 0;
  EXPECT_EQ(said(annotated(Finding::verdict)), "reply to 02:00:00:00:00:01 on d1 by broadcast");
  failed_ = {failed(limited_broadcast)};
  EXPECT_EQ(said(annotated(Finding::verdict)), "dropped: send_failed (to 255.255.255.255: Network is unreachable)");
}

TEST_F(AnnotationTextTest, what_was_sent) {
  const Annotated what = annotated(Finding::sent);
  EXPECT_EQ(said(what, 12), "request of frame 12, relayed to 10.9.0.7");
  EXPECT_EQ(said(what), "request of a frame that is not in this file, relayed to 10.9.0.7");
  verdict_.kind = VerdictKind::to_client;
  EXPECT_EQ(said(what, 14), "reply of frame 14, delivered to 02:00:00:00:00:01");
  EXPECT_EQ(said(what), "reply of a frame that is not in this file, delivered to 02:00:00:00:00:01");
}

TEST_F(AnnotationTextTest, why_a_packet_did_not_reach_the_relay) {
  const std::string begin = "not received by the relay: ";
  EXPECT_EQ(said(Cause::wrong_ip_checksum), begin + "bad IP header checksum");
  EXPECT_EQ(said(Cause::wrong_ip_size), begin + "its IP header tells a wrong length");
  EXPECT_EQ(said(Cause::wrong_udp_checksum), begin + "bad UDP checksum");
  EXPECT_EQ(said(Cause::wrong_udp_size), begin + "its UDP header tells a wrong length");
  EXPECT_EQ(said(Cause::incomplete), begin + "a fragment whose rest did not come");
  EXPECT_EQ(said(Cause::source_is_ours), begin + "its source 10.101.0.9 is an address of this host");
  EXPECT_EQ(said(Cause::wrong_port), begin + "to port 68, the relay listens on 67");
  EXPECT_EQ(said(Cause::unknown), begin + "probably a firewall rule (nftables or iptables, hook input)");
}

TEST_F(AnnotationTextTest, what_the_kernel_says_of_a_packet_that_says_nothing_itself) {
  const std::string begin = "not received by the relay: ";
  const std::string firewall = begin + "probably a firewall rule (nftables or iptables, hook input)";
  const std::string full = begin + "a receive buffer of this host was full";
  const HostFacts strict{.has_strict_rp_filter = true};
  EXPECT_EQ(said(Cause::unknown, {.receive_buffer_was_full = true}), full);
  EXPECT_EQ(said(Cause::unknown, {.receive_buffer_was_full = true, .has_strict_rp_filter = true}), full);
  EXPECT_EQ(said(Cause::incomplete, {.receive_buffer_was_full = true}), begin + "a fragment whose rest did not come");
  EXPECT_EQ(said(Cause::unknown, strict), firewall) << "a source of the interface's subnet";
  datagram_.source = {};
  EXPECT_EQ(said(Cause::unknown, strict), firewall) << "which the filter lets pass";
  datagram_.source = ip(10, 66, 0, 9);
  EXPECT_EQ(said(Cause::unknown, strict),
            begin + "rp_filter on d1 is strict and 10.66.0.9 may not be routed there; or a firewall rule");
  EXPECT_EQ(said(Cause::unknown), firewall);
  EXPECT_EQ(said(Cause::unknown, {.master = "br\n0"}),
            begin + R"(d1 is a port of br\x0a0, which receives in its place: name that one)");
}

TEST_F(AnnotationTextTest, ports_are_those_of_the_relay) {
  EXPECT_EQ(
      annotation_text(annotated(Finding::not_received, Cause::wrong_port), {}, {}, {.ipv4 = {.server = 1067}}, {}),
      "not received by the relay: to port 68, the relay listens on 1067");
}

TEST_F(AnnotationTextTest, the_other_findings) {
  EXPECT_EQ(said(annotated(Finding::sent_by_other)), "sent by another program of this host");
  EXPECT_EQ(said(annotated(Finding::for_clients)), "not for the relay: to port 68");
  EXPECT_EQ(said(annotated(Finding::in_transit)), "in transit: to 10.9.0.7, which is not an address of this host");
  Annotated tagged = annotated(Finding::other_vlan);
  tagged.vlan_id = 100;
  EXPECT_EQ(said(tagged), "in VLAN 100, which is another interface");
  EXPECT_EQ(said(annotated(Finding::lost_sight)), "verdict not known: the capture could not keep up");
  EXPECT_EQ(said(annotated(Finding::capture_ended)), "verdict not known: the capture ended");
  EXPECT_EQ(said(annotated(Finding::not_judged)), "DISCOVER xid 0x12345678 chaddr 02:00:00:00:00:01");
}

TEST_F(AnnotationTextTest, of_dhcpv6) {
  const Bytes solicit{1, 0x11, 0x22, 0x33};
  datagram_.payload = solicit;
  datagram_.source = ip6("fe80::1");
  datagram_.destination = ip6("2001:db8:53::10");
  datagram_.destination_port = 546;
  capture::Told6& told = verdict_.told6();
  told.servers[0] = ip6("2001:db8:53::10");
  verdict_.server_count = 1;
  EXPECT_EQ(said(annotated(Finding::verdict)), "forwarded to 2001:db8:53::10, link-address ::");
  EXPECT_EQ(said(annotated(Finding::sent), 12), "request of frame 12, relayed to 2001:db8:53::10");
  verdict_.kind = VerdictKind::to_client;
  EXPECT_EQ(said(annotated(Finding::sent), 14), "reply of frame 14, delivered to 2001:db8:53::10");
  EXPECT_EQ(said(annotated(Finding::not_judged)), "SOLICIT xid 0x112233");
  const std::string begin = "not received by the relay: ";
  EXPECT_EQ(said(Cause::wrong_port), begin + "to port 546, the relay listens on 547");
  EXPECT_EQ(said(Cause::source_is_ours), begin + "its source fe80::1 is an address of this host");
  EXPECT_EQ(said(Cause::unknown, {.has_strict_rp_filter = true}),
            begin + "probably a firewall rule (nftables or iptables, hook input)")
      << "rp_filter is for IPv4";
}

}  // namespace
}  // namespace relay
