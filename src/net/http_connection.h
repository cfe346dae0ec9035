// One connection of the HTTP server. Private to net.
#pragma once

#include <deque>
#include <list>
#include <unordered_map>

#include "base/cancel.h"
#include "net/compress.h"
#include "net/http_parser.h"
#include "net/http_server.h"

namespace drover::net {

class HttpConnection;

struct HttpServer::Impl {
  World& world;
  HttpServerOptions options;
  HttpHandler handler;
  bool stopping = false;

  struct Acceptor {
    std::unique_ptr<Listener> listener;
    TlsContextRef tls;
    Running flow;
  };
  std::list<Acceptor> acceptors;
  std::unordered_map<HttpConnection*, std::shared_ptr<HttpConnection>> connections;
  std::unordered_map<std::string, int> per_client;
  // Refusals allowed now, and when that was counted.
  double refusals = 100;
  Monotonic refusals_at;
  // Bytes are read here first, so that an idle connection owns no buffer. Never used across a suspension.
  std::unique_ptr<char[]> scratch;
  std::string date;
  int64_t date_second = -1;

  Impl(World& w, HttpServerOptions o, HttpHandler h);
  Async<void> accept(Acceptor& a);
  void admit(std::unique_ptr<Stream> stream, TlsContextRef tls);
  // Whether one more refusal may be answered; more than ten a second are not.
  bool may_answer_refusal();
  const std::string& date_now();
};

constexpr size_t kScratchBytes = 64 * 1024;

// What one request needs while it is served.
struct Turn {
  HttpParser parser;
  HttpRequest request;
  std::string body;  // decoded, not yet taken by the handler
  bool expects_continue = false;
  std::unique_ptr<HttpExchange> exchange;
  CancellableAwait<void>* run = nullptr;
  explicit Turn(uint32_t max_header) : parser(HttpParser::Kind::kRequest, max_header) {}
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(HttpServer::Impl& server, std::unique_ptr<Stream> stream, TlsContextRef tls, bool refuse);
  ~HttpConnection();
  void start();
  void close_if_idle();

  // ---- For the exchange.
  HttpServer::Impl& server() { return server_; }
  Stream& stream() { return *stream_; }
  Async<Status> send(std::string_view bytes);
  // Reads and decodes more of the body. Error at the connection's end.
  Async<Status> feed(Turn& turn);
  // The body has been read: from here on the connection is watched for the peer's going.
  void watch(Turn& turn);
  void stop_watching() { watch_.reset(); }
  bool watching() const { return !watch_.done(); }
  std::string take_unread() { return std::exchange(in_, {}); }

 private:
  struct Refusal {
    int status;
    std::string text;
  };
  Async<void> run();
  Async<bool> greet();
  Async<bool> serve_one();
  Async<bool> fill();
  Async<Result<bool>> read_header(Turn& turn);
  Result<bool> parse_header(Turn& turn);
  // Whether there is something for the handler: bytes, or the end.
  Result<bool> parse_body(Turn& turn);
  static std::optional<Refusal> check(Turn& turn);
  Async<void> refuse(Refusal r);
  Async<void> refuse_connection();
  Async<bool> drain_body(Turn& turn);
  Async<void> linger();
  Async<void> watch_peer();
  void peer_gone();

  HttpServer::Impl& server_;
  std::unique_ptr<Stream> stream_;
  TlsContextRef tls_;
  bool refuse_;
  bool idle_ = false;
  bool tls_on_ = false;
  std::string client_;  // key of per_client; empty when not counted
  std::string in_;      // read, not yet parsed
  std::unique_ptr<Turn> turn_;
  Running watch_;
  Running flow_;  // last: destroyed first
};

std::unique_ptr<HttpExchange> make_exchange(HttpConnection& connection, Turn& turn);
// After the handler: completes the reply. Whether the connection can serve another request.
Async<bool> conclude(HttpExchange& exchange);

}  // namespace drover::net
