#include "relay/io/metrics_endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace relay::io {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr int backlog = 16;
constexpr long most_connections = 16;
constexpr std::size_t most_octets = 16384;  // of a request; Prometheus sends some 500
constexpr std::uint32_t most_header_octets = 8192;
constexpr std::chrono::seconds patience{10};  // for a request, the next one included, and for taking the answer
constexpr std::chrono::milliseconds retry_delay{100};
constexpr int rest = 4;  // times as long as the last page took to make

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
    fail(what + ": it takes root or CAP_NET_BIND_SERVICE");
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

using Response = http::response<http::string_body>;

/// Makes pages, with rests in between.
class PageMaker {
 public:
  explicit PageMaker(MetricsEndpoint::Page page) : page_(std::move(page)) {}

  [[nodiscard]] Clock::time_point may_begin_at() const { return may_begin_at_; }
  [[nodiscard]] std::string make() {
    const auto begun = Clock::now();
    std::string text = page_();
    const auto ended = Clock::now();
    may_begin_at_ = ended + rest * (ended - begun);
    return text;
  }

 private:
  MetricsEndpoint::Page page_;
  Clock::time_point may_begin_at_{};
};

/// One connection; lives while it waits for something.
class Session : public std::enable_shared_from_this<Session> {
 public:
  /// `token` is copied for as long as the connection lasts.
  Session(tcp::socket socket, PageMaker& pages, std::shared_ptr<const int> token)
      : stream_(std::move(socket)), pause_(stream_.get_executor()), pages_(pages), token_(std::move(token)) {}

  void read() {
    parser_.emplace();
    parser_->header_limit(most_header_octets);
    stream_.expires_after(patience);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t /*size*/) {
      if (!error) {
        self->answer();
      }
    });
  }

 private:
  void answer() {
    const auto& request = parser_->get();
    const auto target = request.target();
    const bool is_known = target.substr(0, target.find('?')) == "/metrics";
    if (!is_known) {
      write(http::status::not_found, "metrics are at /metrics\n");
    } else if (request.method() != http::verb::get && request.method() != http::verb::head) {
      write(http::status::method_not_allowed, "GET or HEAD\n");
    } else {
      answer_with_page();
    }
  }

  void answer_with_page() {
    if (Clock::now() >= pages_.may_begin_at()) {
      write(http::status::ok, pages_.make());
      return;
    }
    pause_.expires_at(pages_.may_begin_at());
    pause_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) {
        self->answer_with_page();
      }
    });
  }

  void write(http::status status, std::string text) {
    const auto& request = parser_->get();
    response_.emplace(status, std::min(request.version(), 11U));
    response_->keep_alive(request.keep_alive());
    response_->set(http::field::content_type, status == http::status::ok ? "text/plain; version=0.0.4; charset=utf-8"
                                                                         : "text/plain; charset=utf-8");
    if (status == http::status::method_not_allowed) {
      response_->set(http::field::allow, "GET, HEAD");
    }
    response_->content_length(text.size());
    if (request.method() != http::verb::head) {
      response_->body() = std::move(text);
    }
    stream_.expires_after(patience);
    http::async_write(stream_, *response_, [self = shared_from_this()](error_code error, std::size_t /*size*/) {
      if (error) {
        return;
      }
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
  PageMaker& pages_;
  std::shared_ptr<const int> token_;
  beast::flat_buffer buffer_{most_octets};
  std::optional<http::request_parser<http::empty_body>> parser_;
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
    await_connection();
    thread_ = std::thread{[this] { run(); }};
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    loop_.stop();
    thread_.join();
  }

 private:
  void run() {
    sigset_t all;  // signals are the service's
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (!loop_.stopped()) {
      try {
        loop_.run();
      } catch (const std::exception&) {
        await_connection();  // that one is lost, most likely for want of memory
      }
    }
  }

  void await_connection() {
    if (is_waiting_) {
      return;
    }
    is_waiting_ = true;
    if (token_.use_count() > most_connections) {
      await_room();
      return;
    }
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error) {
        await_room();  // of descriptors
        return;
      }
      is_waiting_ = false;
      std::make_shared<Session>(std::move(socket), pages_, token_)->read();
      await_connection();
    });
  }

  void await_room() {
    retry_.expires_after(retry_delay);
    retry_.async_wait([this](error_code error) {
      is_waiting_ = false;
      if (!error) {
        await_connection();
      }
    });
  }

  PageMaker pages_;
  std::shared_ptr<const int> token_ = std::make_shared<int>();  // of each connection
  asio::io_context loop_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  bool is_waiting_ = false;
  std::thread thread_;
};

MetricsEndpoint::MetricsEndpoint(Descriptor socket, Page page)
    : impl_(std::make_unique<Impl>(std::move(socket), std::move(page))) {}

MetricsEndpoint::~MetricsEndpoint() = default;

}  // namespace relay::io
