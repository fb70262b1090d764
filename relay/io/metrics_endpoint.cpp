#include "relay/io/metrics_endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/http/span_body.hpp>

#include "relay/io/metrics_pages.h"
#include "relay/io/privileges.h"

namespace relay::io {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr int backlog = 16;
constexpr std::size_t most_connections = 16;
constexpr std::size_t most_octets = 16384;  // of a request; Prometheus sends some 500
constexpr std::uint32_t most_header_octets = 8192;
constexpr std::chrono::seconds patience{10};  // for a request, the next one included, and for taking the answer
constexpr std::chrono::milliseconds retry_delay{100};
constexpr int niceness = 10;  // of the thread: whatever is asked of it, relaying goes first

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

[[noreturn]] void fail_to_listen(const std::string& address, std::uint16_t port) {
  const bool is_ipv6 = address.find(':') != std::string::npos;
  const std::string number = std::to_string(port);
  const std::string what = "cannot serve metrics on " + (is_ipv6 ? '[' + address + ']' : address) + ':' + number;
  if (errno == EADDRINUSE) {
    fail(what + ": another program has that port (`ss -ltnp sport = :" + number + "` names it)");
  }
  if (errno == EADDRNOTAVAIL) {
    fail(what + ": this host does not have that address");
  }
  if (errno == EACCES) {
    fail(what + ": " + it_takes("CAP_NET_BIND_SERVICE"));
  }
  fail(what);
}

/// What IPv4 and IPv6 have in common for bind(2).
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

[[nodiscard]] std::optional<SocketAddress> socket_address(const std::string& address, std::uint16_t port) {
  SocketAddress result;
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(result.storage);
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(result.storage);
  if (::inet_pton(AF_INET, address.c_str(), &ipv4.sin_addr) == 1) {
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(port);
    result.size = sizeof(ipv4);
    return result;
  }
  if (::inet_pton(AF_INET6, address.c_str(), &ipv6.sin6_addr) == 1) {
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(port);
    result.size = sizeof(ipv6);
    return result;
  }
  return std::nullopt;
}

[[nodiscard]] int domain_of(const Descriptor& socket) {
  int domain = 0;
  socklen_t size = sizeof(domain);
  if (::getsockopt(socket.number(), SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) {
    fail("cannot serve metrics");
  }
  return domain;
}

using Response = http::response<http::span_body<const char>>;

/// One connection; lives while it waits for something.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, MetricsPages& pages)
      : stream_(std::move(socket)), pause_(stream_.get_executor()), pages_(pages) {}

  void read() {
    parser_.emplace();
    parser_->header_limit(most_header_octets);
    await_peer();
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t /*size*/) {
      if (!error) {
        self->answer();
      }
    });
  }

  /// Since when it has waited for the other side.
  [[nodiscard]] Clock::time_point waits_since() const { return waits_since_; }
  void end() {
    pause_.cancel();
    stream_.close();
  }

 private:
  void await_peer() {
    waits_since_ = Clock::now();
    stream_.expires_after(patience);
  }

  void answer() {
    const auto& request = parser_->get();
    const auto target = request.target();
    const bool is_known = target.substr(0, target.find('?')) == "/metrics";
    if (!is_known) {
      refuse(http::status::not_found, "metrics are at /metrics\n");
    } else if (request.method() != http::verb::get && request.method() != http::verb::head) {
      refuse(http::status::method_not_allowed, "GET or HEAD\n");
    } else {
      asked_at_ = Clock::now();
      answer_with_page();
    }
  }

  void answer_with_page() {
    if (MetricsPages::Page page = pages_.find(asked_at_)) {
      page_ = std::move(page);
      write(http::status::ok, "text/plain; version=0.0.4; charset=utf-8", *page_);
      return;
    }
    pause_.expires_at(pages_.rested_at());
    pause_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) {
        self->answer_with_page();
      }
    });
  }

  /// The end of the connection too, so that what costs no page cannot be asked for without end.
  void refuse(http::status status, std::string_view sentence) { write(status, "text/plain; charset=utf-8", sentence); }

  void write(http::status status, std::string_view type, std::string_view text) {
    const auto& request = parser_->get();
    response_.emplace(status, std::min(request.version(), 11U));
    response_->keep_alive(status == http::status::ok && request.keep_alive());
    response_->set(http::field::content_type, {type.data(), type.size()});
    if (status == http::status::method_not_allowed) {
      response_->set(http::field::allow, "GET, HEAD");
    }
    response_->content_length(text.size());
    if (request.method() != http::verb::head) {
      response_->body() = {text.data(), text.size()};
    }
    await_peer();
    http::async_write(stream_, *response_, [self = shared_from_this()](error_code error, std::size_t /*size*/) {
      if (error) {
        return;
      }
      self->page_.reset();
      if (self->response_->need_eof()) {
        error_code ignored;
        self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        return;
      }
      self->response_.reset();
      self->read();
    });
  }

  beast::tcp_stream stream_;
  asio::steady_timer pause_;
  MetricsPages& pages_;
  beast::flat_buffer buffer_{most_octets};
  std::optional<http::request_parser<http::empty_body>> parser_;
  Clock::time_point asked_at_{};
  Clock::time_point waits_since_{};
  MetricsPages::Page page_;  // what the response shows
  std::optional<Response> response_;
};

}  // namespace

Descriptor open_metrics_socket(const std::string& address, std::uint16_t port) {
  const auto wanted = socket_address(address, port);
  if (!wanted) {
    errno = EINVAL;
    fail_to_listen(address, port);
  }
  Descriptor socket{::socket(wanted->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  constexpr int on = 1;
  // Connections of a relay that was restarted linger; another listener has the port all the same.
  if (!socket.is_open() || ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&wanted->storage), wanted->size) != 0 ||
      ::listen(socket.number(), backlog) != 0) {
    fail_to_listen(address, port);
  }
  return socket;
}

class MetricsEndpoint::Impl {
 public:
  Impl(Descriptor socket, Page page)
      : pages_(std::move(page)),
        acceptor_(loop_, domain_of(socket) == AF_INET6 ? tcp::v6() : tcp::v4(), socket.number()),
        retry_(loop_) {
    static_cast<void>(socket.release());  // the acceptor closes it
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    loop_.stop();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  void begin() {
    thread_ = std::thread{[this] { run(); }};
  }

 private:
  void run() {
    sigset_t all;  // signals are the service's
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    ::setpriority(PRIO_PROCESS, 0, niceness);
    while (!loop_.stopped()) {
      try {
        await_connection();
        loop_.run();
      } catch (const std::exception&) {
        std::this_thread::sleep_for(retry_delay);  // a connection is lost, most likely for want of memory
      }
    }
  }

  void await_connection() {
    if (is_waiting_) {
      return;
    }
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      is_waiting_ = false;
      if (error) {
        await_room();  // of descriptors
        return;
      }
      begin(std::move(socket));
      await_connection();
    });
    is_waiting_ = true;
  }

  void begin(tcp::socket socket) {
    std::erase_if(sessions_, [](const std::weak_ptr<Session>& session) { return session.expired(); });
    if (sessions_.size() >= most_connections) {
      end_one();
    }
    const auto session = std::make_shared<Session>(std::move(socket), pages_);
    sessions_.emplace_back(session);
    session->read();
  }

  /// The one that has waited longest, so that nobody keeps others out by saying nothing.
  void end_one() {
    const auto since = [](const std::weak_ptr<Session>& session) {
      const auto held = session.lock();
      return held ? held->waits_since() : Clock::time_point::min();
    };
    const auto longest = std::min_element(sessions_.begin(), sessions_.end(), [&](const auto& one, const auto& other) {
      return since(one) < since(other);
    });
    if (const auto held = longest->lock()) {
      held->end();
    }
    sessions_.erase(longest);
  }

  void await_room() {
    retry_.expires_after(retry_delay);
    retry_.async_wait([this](error_code error) {
      is_waiting_ = false;
      if (!error) {
        await_connection();
      }
    });
    is_waiting_ = true;
  }

  MetricsPages pages_;
  asio::io_context loop_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  bool is_waiting_ = false;  // for a connection, or to wait for one again
  std::vector<std::weak_ptr<Session>> sessions_;
  std::thread thread_;
};

MetricsEndpoint::MetricsEndpoint(Descriptor socket, Page page)
    : impl_(std::make_unique<Impl>(std::move(socket), std::move(page))) {}

MetricsEndpoint::~MetricsEndpoint() = default;

void MetricsEndpoint::begin() {
  impl_->begin();
}

}  // namespace relay::io
