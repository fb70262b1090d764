// The metrics endpoint over the loopback interface: what it answers, and that whoever is hostile gets nothing but an
// end of the connection, while others are answered.
#include "relay/io/metrics_endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::io {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using namespace std::string_literals;

constexpr std::string_view usual = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

[[nodiscard]] std::uint16_t port_of(const Descriptor& socket) {
  sockaddr_in6 address{};  // the port stands where that of IPv4 does
  socklen_t size = sizeof(address);
  EXPECT_EQ(::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin6_port);
}

/// One connection to the endpoint.
class Connection {
 public:
  explicit Connection(std::uint16_t port, bool is_ipv6 = false)
      : socket_(::socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    constexpr timeval patience{30, 0};
    ::setsockopt(socket_.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in ipv4{};
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(port);
    ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(port);
    ipv6.sin6_addr = in6addr_loopback;
    const auto* const address =
        is_ipv6 ? reinterpret_cast<const sockaddr*>(&ipv6) : reinterpret_cast<const sockaddr*>(&ipv4);
    EXPECT_EQ(::connect(socket_.number(), address, is_ipv6 ? sizeof(ipv6) : sizeof(ipv4)), 0);
  }

  void send(std::string_view octets) const {
    while (!octets.empty()) {
      const ssize_t sent = ::send(socket_.number(), octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;  // it was ended meanwhile
      }
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// Nothing more is sent.
  void end() const { ::shutdown(socket_.number(), SHUT_WR); }

  /// Until the other side ends.
  [[nodiscard]] std::string receive_all() const { return receive_until({}); }

  /// Up to these octets.
  [[nodiscard]] std::string receive_until(std::string_view ending) const {
    std::string result;
    std::array<char, 4096> part{};
    while (ending.empty() || !result.ends_with(ending)) {
      const ssize_t size = ::recv(socket_.number(), part.data(), part.size(), 0);
      if (size < 0) {
        EXPECT_EQ(errno, ECONNRESET) << "nothing came";
        return result;
      }
      if (size == 0) {
        return result;
      }
      result.append(part.data(), static_cast<std::size_t>(size));
    }
    return result;
  }

 private:
  Descriptor socket_;
};

class MetricsEndpointTest : public ::testing::Test {
 protected:
  void start(const std::string& address = "127.0.0.1", MetricsEndpoint::Page page = {}) {
    make(address, std::move(page));
    endpoint_->begin();
  }

  void make(const std::string& address, MetricsEndpoint::Page page) {
    Descriptor socket = open_metrics_socket(address, 0);
    port_ = port_of(socket);
    if (!page) {
      page = [this] {
        ++pages_;
        return std::string("x 1\n");
      };
    }
    endpoint_.emplace(std::move(socket), std::move(page));
  }

  [[nodiscard]] std::string answer_to(std::string_view request, bool is_ipv6 = false) const {
    const Connection connection{port_, is_ipv6};
    connection.send(request);
    return connection.receive_all();
  }

  void expect_still_answers() const { EXPECT_THAT(answer_to(usual), EndsWith("\r\n\r\nx 1\n")); }

  std::uint16_t port_ = 0;
  std::atomic<int> pages_ = 0;
  std::optional<MetricsEndpoint> endpoint_;
};

TEST_F(MetricsEndpointTest, answers_with_the_page) {
  start();
  EXPECT_EQ(answer_to(usual),
            "HTTP/1.1 200 OK\r\n"
            "Connection: close\r\n"
            "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            "Content-Length: 4\r\n"
            "\r\n"
            "x 1\n");
  EXPECT_EQ(pages_.load(), 1);
}

TEST_F(MetricsEndpointTest, listens_to_nobody_before_it_begins) {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator{"/proc/self/task"}, std::filesystem::directory_iterator{});
  };
  const auto before = threads();
  make("127.0.0.1", {});
  const Connection connection{port_};
  connection.send(usual);
  EXPECT_LE(threads(), before);
  EXPECT_EQ(pages_.load(), 0);
  endpoint_->begin();
  EXPECT_THAT(connection.receive_all(), EndsWith("\r\n\r\nx 1\n"));
}

TEST_F(MetricsEndpointTest, over_ipv6) {
  try {
    start("::1");
  } catch (const std::system_error&) {
    GTEST_SKIP() << "no IPv6 here";
  }
  EXPECT_THAT(answer_to(usual, true), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(MetricsEndpointTest, a_connection_may_be_kept) {
  start();
  const Connection connection{port_};
  for (int number = 0; number < 3; ++number) {
    connection.send("GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(connection.receive_until("x 1\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  EXPECT_EQ(pages_.load(), 3);
}

TEST_F(MetricsEndpointTest, http_1_0) {
  start();
  EXPECT_THAT(answer_to("GET /metrics HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.0 200 OK\r\n"));
}

TEST_F(MetricsEndpointTest, head_is_the_same_without_the_page) {
  start();
  const std::string answer = answer_to("HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 4\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(MetricsEndpointTest, other_paths_and_methods_are_refused) {
  start();
  for (const std::string path : {"/", "/metrics/", "/metricsx", "/../etc/passwd", "*", "http://x/metrics"}) {
    EXPECT_THAT(answer_to("GET " + path + " HTTP/1.1\r\nConnection: close\r\n\r\n"),
                StartsWith("HTTP/1.1 404 Not Found\r\n"))
        << path;
  }
  for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS", "NONSENSE"}) {
    const std::string answer = answer_to(method + " /metrics HTTP/1.1\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n")) << method;
    EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET, HEAD\r\n")) << method;
  }
  EXPECT_EQ(pages_.load(), 0);
}

TEST_F(MetricsEndpointTest, what_is_no_request_ends_the_connection) {
  start();
  const std::vector<std::string> hostile{
      std::string(100, '\0'),
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s,  // TLS
      "GET /metrics\r\n\r\n",
      "GET /metrics HTTP/2.0.0\r\n\r\n",
      "GET /metrics HTTP/1.1\r\n: x\r\n\r\n",
      "GET /metrics HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n",
      "GET /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
      "GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n",
      "GET /metrics HTTP/1.1\r\nX: " + std::string(1'000'000, 'a') + "\r\n\r\n",
  };
  for (const std::string& octets : hostile) {
    const Connection connection{port_};
    connection.send(octets);
    connection.end();
    EXPECT_THAT(connection.receive_all(), Not(HasSubstr("200 OK"))) << octets.substr(0, 80);
  }
  EXPECT_EQ(pages_.load(), 0);
  expect_still_answers();
}

TEST_F(MetricsEndpointTest, whoever_says_nothing_keeps_nobody_from_the_page) {
  start();
  std::vector<Connection> silent;
  for (int number = 0; number < 40; ++number) {
    silent.emplace_back(port_).send("GET /met");
  }
  expect_still_answers();
}

TEST_F(MetricsEndpointTest, when_there_are_too_many_the_one_that_has_waited_longest_ends) {
  start();
  std::vector<Connection> kept;
  for (int number = 0; number < 17; ++number) {
    kept.emplace_back(port_).send("GET /metrics HTTP/1.1\r\n\r\n");
    EXPECT_THAT(kept.back().receive_until("x 1\n"), HasSubstr("200 OK"));
  }
  EXPECT_EQ(kept.front().receive_all(), "");
  kept[1].send(usual);
  EXPECT_THAT(kept[1].receive_all(), HasSubstr("200 OK"));
}

TEST_F(MetricsEndpointTest, a_refusal_ends_the_connection) {
  start();
  EXPECT_THAT(answer_to("GET / HTTP/1.1\r\n\r\n"), EndsWith("metrics are at /metrics\n"));
  EXPECT_THAT(answer_to("PUT /metrics HTTP/1.1\r\n\r\n"), EndsWith("GET or HEAD\n"));
}

TEST_F(MetricsEndpointTest, requests_in_a_row_are_answered_in_order) {
  start();
  std::string requests;
  for (int number = 0; number < 50; ++number) {
    requests += "GET /metrics HTTP/1.1\r\n\r\n";
  }
  EXPECT_THAT(answer_to(requests + std::string(usual)), EndsWith("\r\n\r\nx 1\n"));
  EXPECT_EQ(pages_.load(), 51);
}

TEST_F(MetricsEndpointTest, a_page_that_cannot_be_made_costs_the_connection) {
  std::atomic<bool> fails = true;
  start("127.0.0.1", [&fails]() -> std::string {
    if (fails) {
      throw std::runtime_error("no memory");
    }
    return "x 1\n";
  });
  EXPECT_EQ(answer_to(usual), "");
  fails = false;
  expect_still_answers();
}

TEST_F(MetricsEndpointTest, ends_while_connections_are_open) {
  start();
  const Connection connection{port_};
  connection.send("GET /metrics HTTP/1.1\r\n\r\n");
  EXPECT_THAT(connection.receive_until("x 1\n"), HasSubstr("200 OK"));
  const Connection silent{port_};
  endpoint_.reset();
  EXPECT_EQ(connection.receive_all(), "");
}

TEST_F(MetricsEndpointTest, says_what_is_in_the_way) {
  start();
  const auto error_of = [](const std::string& address, std::uint16_t port) -> std::string {
    try {
      static_cast<void>(open_metrics_socket(address, port));
      return "none";
    } catch (const std::system_error& error) {
      return error.what();
    }
  };
  const std::string number = std::to_string(port_);
  EXPECT_EQ(error_of("127.0.0.1", port_), "cannot serve metrics on 127.0.0.1:" + number +
                                              ": another program has that port (`ss -ltnp sport = :" + number +
                                              "` names it): Address already in use");
  EXPECT_EQ(error_of("192.0.2.1", 9577),
            "cannot serve metrics on 192.0.2.1:9577: this host does not have that address: Cannot assign requested "
            "address");
  EXPECT_THAT(error_of("2001:db8::1", 9577), StartsWith("cannot serve metrics on [2001:db8::1]:9577: "));
  EXPECT_THAT(error_of("localhost", 9577), EndsWith("Invalid argument"));
}

}  // namespace
}  // namespace relay::io
