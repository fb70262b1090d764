// The relay's metrics: each family by name, from figures that are made up.
#include "relay/metrics/metrics_text.h"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::metrics {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): the literals' own way
using testing::HasSubstr;
using testing::Not;

class MetricsTextTest : public ::testing::Test {
 protected:
  MetricsTextTest() {
    figures_.interfaces = {{"d1", true, true, true, true, clients_},
                           {"u0", true, true, false, false, servers_},
                           {"lo", false, true, false, false, std::make_shared<Counters>()}};
    figures_.unattributed = unattributed_;
    figures_.servers = {{Ipv4Address{{10, 9, 0, 2}}, {}, server_}};
    figures_.queue = {queue_length_, 8192};
    figures_.transactions = transactions_;
  }

  /// DHCPv6 as well, or alone.
  void relay_dhcpv6() {
    InterfaceFigures& d1 = figures_.interfaces[0];
    d1.is_downstream6 = d1.is_active6 = true;
    d1.counters6 = clients6_;
    figures_.interfaces[1].counters6 = std::make_shared<Counters6>();
    figures_.unattributed6 = unattributed6_;
    constexpr Ipv6Address server{{0x20, 0x01, 0x0d, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};
    figures_.servers.push_back({server, {}, server6_});
    figures_.queue6 = {queue6_length_, 4096};
  }
  void relay_no_dhcpv4() {
    figures_.interfaces[0].is_downstream = figures_.interfaces[0].is_active = false;
    figures_.unattributed = nullptr;
    figures_.queue = {};
    figures_.transactions = nullptr;
    std::erase_if(figures_.servers,
                  [](const ServerFigures& server) { return family_of(server.address) == Family::ipv4; });
  }

  [[nodiscard]] std::string text() const {
    return metrics_text(figures_, constants_, {100s, std::chrono::system_clock::time_point{1'000'000s}});
  }

  std::shared_ptr<Counters> clients_ = std::make_shared<Counters>();
  std::shared_ptr<Counters> servers_ = std::make_shared<Counters>();
  std::shared_ptr<Counters> unattributed_ = std::make_shared<Counters>();
  std::shared_ptr<ServerCounters> server_ = std::make_shared<ServerCounters>();
  std::shared_ptr<Gauge> queue_length_ = std::make_shared<Gauge>();
  std::shared_ptr<Expiries> transactions_ = std::make_shared<Expiries>();
  std::shared_ptr<Counters6> clients6_ = std::make_shared<Counters6>();
  std::shared_ptr<Counters6> unattributed6_ = std::make_shared<Counters6>();
  std::shared_ptr<ServerCounters> server6_ = std::make_shared<ServerCounters>();
  std::shared_ptr<Gauge> queue6_length_ = std::make_shared<Gauge>();
  Figures figures_;
  Constants constants_{"1.2.3", std::chrono::system_clock::time_point{999'000'500ms}};
};

TEST_F(MetricsTextTest, of_a_relay_that_has_done_nothing) {
  const std::string expected =
      R"(# HELP dhcp_relay_request_copies_total Copies of requests that were sent, one for each server.
# TYPE dhcp_relay_request_copies_total counter
dhcp_relay_request_copies_total{interface="d1",family="ipv4"} 0
# HELP dhcp_relay_request_copies_failed_total Copies of requests that could not be sent.
# TYPE dhcp_relay_request_copies_failed_total counter
dhcp_relay_request_copies_failed_total{interface="d1",family="ipv4"} 0
# HELP dhcp_relay_option82_omitted_total Requests relayed without option 82, since they would have become too large.
# TYPE dhcp_relay_option82_omitted_total counter
dhcp_relay_option82_omitted_total{interface="d1",family="ipv4"} 0
# HELP dhcp_relay_interface_up Whether an interface that the relay uses is up and has carrier.
# TYPE dhcp_relay_interface_up gauge
dhcp_relay_interface_up{interface="d1"} 1
dhcp_relay_interface_up{interface="u0"} 1
)";
  EXPECT_THAT(text(), testing::StartsWith(expected));
  EXPECT_THAT(text(), testing::EndsWith(R"(# HELP dhcp_relay_build_info 1, and the version of the program.
# TYPE dhcp_relay_build_info gauge
dhcp_relay_build_info{version="1.2.3"} 1
# HELP process_start_time_seconds When the relay was started, since 1970.
# TYPE process_start_time_seconds gauge
process_start_time_seconds 999000.5
)"));
}

TEST_F(MetricsTextTest, lines_of_the_log_that_were_lost) {
  EXPECT_THAT(text(), Not(HasSubstr("dhcp_relay_log_lines_lost_total")));
  const auto lost = std::make_shared<LostLines>();
  constants_.lost_log_lines = lost;
  EXPECT_THAT(text(), HasSubstr("\ndhcp_relay_log_lines_lost_total 0\n"));
  lost->displaced = 40;
  lost->refused = 2;
  EXPECT_THAT(text(), HasSubstr("\ndhcp_relay_log_lines_lost_total 42\n"));
}

TEST_F(MetricsTextTest, messages_by_interface_direction_and_type) {
  clients_->requests.received(MessageKind::discover).add(5);
  clients_->requests.forwarded(MessageKind::discover).add(4);
  clients_->requests.dropped(MessageKind::discover, DropReason::hops_exceeded).add(1);
  clients_->replies.forwarded(MessageKind::ack).add(2);
  servers_->replies.received(MessageKind::ack).add(2);
  unattributed_->requests.received(MessageKind::bootp).add(1);
  const std::string made = text();
  for (const char* const line :
       {R"(dhcp_relay_messages_received_total{interface="d1",family="ipv4",direction="request",type="discover"} 5)",
        R"(dhcp_relay_messages_received_total{interface="u0",family="ipv4",direction="reply",type="ack"} 2)",
        R"(dhcp_relay_messages_received_total{interface="",family="ipv4",direction="request",type="bootp"} 1)",
        R"(dhcp_relay_messages_forwarded_total{interface="d1",family="ipv4",direction="request",type="discover"} 4)",
        R"(dhcp_relay_messages_forwarded_total{interface="d1",family="ipv4",direction="reply",type="ack"} 2)",
        (R"(dhcp_relay_messages_dropped_total{interface="d1",family="ipv4",direction="request",type="discover",)"
         R"(reason="hops_exceeded"} 1)")}) {
    EXPECT_THAT(made, HasSubstr(std::string(line) + '\n'));
  }
  EXPECT_THAT(made, Not(HasSubstr("interface=\"lo\"")));
  EXPECT_THAT(made, Not(HasSubstr("type=\"offer\""))) << "what did not occur";
}

TEST_F(MetricsTextTest, servers) {
  server_->requests.add(7);
  server_->requests_failed.add(1);
  server_->replies.add(2);
  server_->response_times.add(3ms);
  server_->response_times.add(11s);
  server_->last_reply.set(90'000'000'000);
  const std::string made = text();
  for (const char* const line :
       {R"(dhcp_relay_server_requests_total{server="10.9.0.2",family="ipv4"} 7)",
        R"(dhcp_relay_server_requests_failed_total{server="10.9.0.2",family="ipv4"} 1)",
        R"(dhcp_relay_server_replies_total{server="10.9.0.2",family="ipv4"} 2)",
        R"(dhcp_relay_server_response_seconds_count{server="10.9.0.2",family="ipv4"} 2)",
        R"(dhcp_relay_server_response_seconds_sum{server="10.9.0.2",family="ipv4"} 11.003)",
        R"(dhcp_relay_server_response_seconds_bucket{server="10.9.0.2",family="ipv4",le="0.002"} 0)",
        R"(dhcp_relay_server_response_seconds_bucket{server="10.9.0.2",family="ipv4",le="0.005"} 1)",
        R"(dhcp_relay_server_response_seconds_bucket{server="10.9.0.2",family="ipv4",le="10"} 1)",
        R"(dhcp_relay_server_response_seconds_bucket{server="10.9.0.2",family="ipv4",le="+Inf"} 2)",
        R"(dhcp_relay_server_last_reply_timestamp_seconds{server="10.9.0.2",family="ipv4"} 999990)",
        R"(dhcp_relay_server_answering{server="10.9.0.2",family="ipv4"} 1)"}) {
    EXPECT_THAT(made, HasSubstr(std::string(line) + '\n'));
  }
  server_->is_not_answering.set(1);
  EXPECT_THAT(text(), HasSubstr("dhcp_relay_server_answering{server=\"10.9.0.2\",family=\"ipv4\"} 0\n"));
}

TEST_F(MetricsTextTest, a_server_that_never_answered_did_so_at_0) {
  EXPECT_THAT(text(),
              HasSubstr("dhcp_relay_server_last_reply_timestamp_seconds{server=\"10.9.0.2\",family=\"ipv4\"} 0\n"));
}

TEST_F(MetricsTextTest, load) {
  queue_length_->set(12);
  unattributed_->lost_in_kernel.add(3);
  transactions_->add(130s);
  transactions_->add(99s);
  const std::string made = text();
  EXPECT_THAT(made, HasSubstr("dhcp_relay_queue_length{family=\"ipv4\"} 12\n"));
  EXPECT_THAT(made, HasSubstr("dhcp_relay_queue_capacity{family=\"ipv4\"} 8192\n"));
  EXPECT_THAT(made, HasSubstr("dhcp_relay_kernel_drops_total{family=\"ipv4\"} 3\n"));
  EXPECT_THAT(made, HasSubstr("dhcp_relay_transactions{family=\"ipv4\"} 1\n"));
  EXPECT_THAT(made, HasSubstr("dhcp_relay_transactions_capacity{family=\"ipv4\"} 65536\n"));
}

TEST_F(MetricsTextTest, both_families) {
  relay_dhcpv6();
  clients6_->requests.received(MessageKind6::solicit).add(3);
  clients6_->requests.dropped(MessageKind6::renew, DropReason::no_server).add(1);
  clients6_->request_copies.add(2);
  unattributed6_->lost_in_kernel.add(5);
  server6_->replies.add(2);
  server6_->response_times.add(3ms);
  server6_->is_not_answering.set(1);
  queue6_length_->set(7);
  const std::string made = text();
  for (const char* const line :
       {R"(dhcp_relay_messages_received_total{interface="d1",family="ipv6",direction="request",type="solicit"} 3)",
        (R"(dhcp_relay_messages_dropped_total{interface="d1",family="ipv6",direction="request",type="renew",)"
         R"(reason="no_server"} 1)"),
        R"(dhcp_relay_request_copies_total{interface="d1",family="ipv4"} 0)",
        R"(dhcp_relay_request_copies_total{interface="d1",family="ipv6"} 2)",
        R"(dhcp_relay_interface_active{interface="d1",family="ipv4"} 1)",
        R"(dhcp_relay_interface_active{interface="d1",family="ipv6"} 1)",
        R"(dhcp_relay_server_replies_total{server="2001:db8:9::2",family="ipv6"} 2)",
        R"(dhcp_relay_server_response_seconds_bucket{server="2001:db8:9::2",family="ipv6",le="0.005"} 1)",
        R"(dhcp_relay_server_answering{server="10.9.0.2",family="ipv4"} 1)",
        R"(dhcp_relay_server_answering{server="2001:db8:9::2",family="ipv6"} 0)",
        R"(dhcp_relay_queue_length{family="ipv4"} 0)", R"(dhcp_relay_queue_length{family="ipv6"} 7)",
        R"(dhcp_relay_queue_capacity{family="ipv6"} 4096)", R"(dhcp_relay_kernel_drops_total{family="ipv4"} 0)",
        R"(dhcp_relay_kernel_drops_total{family="ipv6"} 5)"}) {
    EXPECT_THAT(made, HasSubstr(std::string(line) + '\n'));
  }
  EXPECT_THAT(made, Not(HasSubstr(R"(dhcp_relay_option82_omitted_total{interface="d1",family="ipv6"})")));
  EXPECT_EQ(made.find("# TYPE dhcp_relay_queue_length"), made.rfind("# TYPE dhcp_relay_queue_length"));
}

TEST_F(MetricsTextTest, dhcpv6_alone) {
  relay_dhcpv6();
  relay_no_dhcpv4();
  const std::string made = text();
  EXPECT_THAT(made, Not(HasSubstr("ipv4")));
  EXPECT_THAT(made, Not(HasSubstr("dhcp_relay_transactions")));
  EXPECT_THAT(made, HasSubstr("dhcp_relay_interface_up{interface=\"d1\"} 1\n"));
}

TEST_F(MetricsTextTest, servers_of_one_link_with_their_interface) {
  constexpr Ipv6Address server{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53}};
  figures_.servers = {{server, "u0", server6_}};
  EXPECT_THAT(text(), HasSubstr("dhcp_relay_server_requests_total{server=\"fe80::53%u0\",family=\"ipv6\"} 0\n"));
}

TEST_F(MetricsTextTest, of_a_group_of_servers_what_is_sent_alone) {
  server6_->requests.add(4);
  figures_.servers = {{all_dhcp_servers, "u0", server6_}};
  const std::string made = text();
  EXPECT_THAT(made, HasSubstr("dhcp_relay_server_requests_total{server=\"ff05::1:3%u0\",family=\"ipv6\"} 4\n"));
  EXPECT_THAT(made, HasSubstr("dhcp_relay_server_requests_failed_total{server=\"ff05::1:3%u0\",family=\"ipv6\"} 0\n"));
  for (const char* const name : {"replies_total", "response_seconds", "last_reply_timestamp_seconds", "answering"}) {
    EXPECT_THAT(made, Not(HasSubstr(std::string("dhcp_relay_server_") + name)));
  }
}

TEST_F(MetricsTextTest, delegated_prefixes_where_somebody_looks_for_them) {
  EXPECT_THAT(text(), Not(HasSubstr("prefix")));
  const auto counters = std::make_shared<DelegationCounters>();
  counters->active.set(3);
  const Delegation delegation{};
  for (const DelegationChange change : {DelegationChange::renewed, DelegationChange::moved}) {
    counters->count({change, {}, "vlan7", delegation});
  }
  counters->refused.add(9);
  counters->routes_refused.add(2);
  figures_.delegations = counters;
  const std::string made = text();
  EXPECT_THAT(made, HasSubstr("dhcp_relay_prefixes 3\n"));
  EXPECT_THAT(made, HasSubstr("dhcp_relay_prefix_changes_total{change=\"delegated\"} 0\n"));
  EXPECT_THAT(made, HasSubstr("dhcp_relay_prefix_changes_total{change=\"renewed\"} 2\n"));
  EXPECT_THAT(made, HasSubstr("dhcp_relay_prefix_changes_total{change=\"refused\"} 9\n"));
  EXPECT_THAT(made, HasSubstr("dhcp_relay_prefix_routes_refused_total 2\n"));
}

TEST_F(MetricsTextTest, the_capture_that_was_named) {
  EXPECT_THAT(text(), Not(HasSubstr("capture")));
  const auto counters = std::make_shared<capture::CaptureCounters>();
  counters->is_running.set(1);
  counters->packets.add(4);
  counters->lost_packets.add(5);
  counters->lost_verdicts.add(6);
  constants_.captured = counters;
  const std::string made = text();
  EXPECT_THAT(made, HasSubstr("\ndhcp_relay_capture_running 1\n"));
  EXPECT_THAT(made, HasSubstr("\ndhcp_relay_capture_packets_total 4\n"));
  EXPECT_THAT(made, HasSubstr("\ndhcp_relay_capture_packets_lost_total 5\n"));
  EXPECT_THAT(made, HasSubstr("\ndhcp_relay_capture_verdicts_lost_total 6\n"));
}

TEST_F(MetricsTextTest, interfaces_that_come_under_any_name) {
  figures_.interfaces.push_back({"evil\"\n\xff", true, false, true, false, std::make_shared<Counters>()});
  EXPECT_THAT(text(), HasSubstr(R"(dhcp_relay_interface_up{interface="evil\"\\x0a\\xff"} 0)"));
}

TEST_F(MetricsTextTest, four_thousand_interfaces) {
  figures_.interfaces.clear();
  for (int number = 0; number < 4000; ++number) {
    const auto counters = std::make_shared<Counters>();
    counters->requests.received(MessageKind::discover).add(1);
    figures_.interfaces.push_back({"vlan" + std::to_string(number), true, true, true, true, counters});
  }
  const std::string made = text();
  EXPECT_THAT(made, HasSubstr("dhcp_relay_messages_received_total{interface=\"vlan3999\",family=\"ipv4\","
                              "direction=\"request\",type=\"discover\"} 1\n"));
  EXPECT_EQ(made.find("# TYPE dhcp_relay_messages_received_total"),
            made.rfind("# TYPE dhcp_relay_messages_received_total"));
}

}  // namespace
}  // namespace relay::metrics
