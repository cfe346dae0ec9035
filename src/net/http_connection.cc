#include "net/http_connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "net/url.h"

namespace drover::net {
namespace {
constexpr size_t kPipelineBytes = 64 * 1024;     // read ahead while a handler runs
constexpr size_t kDrainBytes = 256 * 1024;       // of an unread body, to keep the connection
constexpr size_t kUnparsedBytes = 128 * 1024;    // of a chunk's header
constexpr Duration kLinger = 500ms;              // for the peer to read the last reply
constexpr Duration kDrainTime = 5s;
}  // namespace

HttpConnection::HttpConnection(HttpServer::Impl& server, std::unique_ptr<Stream> stream, TlsContextRef tls, bool refuse)
    : server_(server), stream_(std::move(stream)), tls_(std::move(tls)), refuse_(refuse) {
  if (refuse || server.options.max_conns_per_client <= 0 || stream_->remote().is_unix) return;
  client_ = stream_->remote().host;
  ++server_.per_client[client_];
}

HttpConnection::~HttpConnection() {
  flow_.reset();
  if (client_.empty()) return;
  auto it = server_.per_client.find(client_);
  if (it != server_.per_client.end() && --it->second <= 0) server_.per_client.erase(it);
}

void HttpConnection::start() { flow_ = Running(run()); }

void HttpConnection::close_if_idle() {
  if (idle_) stream_->close();
}

Async<void> HttpConnection::run() {
  if (co_await greet()) {
    if (refuse_) {
      co_await refuse_connection();
    } else {
      while (co_await serve_one()) {
      }
    }
  }
  // Removal destroys this flow, so it happens after it.
  server_.world.loop.post([self = shared_from_this()] { self->server_.connections.erase(self.get()); });
}

Async<bool> HttpConnection::greet() {
  if (!tls_) co_return true;
  auto tls = co_await with_timeout(server_.world.loop, server_.options.tls_handshake_timeout,
                                   tls_accept(tls_, stream_), Error(ErrorCode::kTimeout, "i/o timeout"));
  tls_.reset();
  if (tls) {
    stream_ = std::move(*tls);
    tls_on_ = true;
    co_return true;
  }
  auto& e = tls.error();
  if (!stream_) co_return false;  // timed out: the handshake held the stream
  log_debug("http", "TLS handshake error", {{"remote_addr", stream_->remote().str()}, {"error", e.message}});
  if (is_plain_http_error(e)) {
    (void)co_await send("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
    co_await linger();
  }
  co_return false;
}

// Appends what the peer has sent to in_; false at its end.
Async<bool> HttpConnection::fill() {
  for (;;) {
    auto a = stream_->try_read(server_.scratch.get(), kScratchBytes);
    if (a.state == Attempt::kDone) {
      in_.append(server_.scratch.get(), a.size);
      co_return true;
    }
    if (a.state != Attempt::kWait) co_return false;
    co_await stream_->wait(a.event);
  }
}

// True once the header is whole, false when more bytes are needed.
Result<bool> HttpConnection::parse_header(Turn& turn) {
  auto used = turn.parser.put(in_, turn.body);
  if (!used) return std::move(used).error();
  in_.erase(0, *used);
  return turn.parser.header_done();
}

Async<Result<bool>> HttpConnection::read_header(Turn& turn) {
  for (;;) {
    if (!co_await fill()) co_return Error(ErrorCode::kIo, "EOF");
    DROVER_CO_TRY(bool whole, parse_header(turn));
    if (whole) co_return true;
  }
}

// What Go's server asks of a header beyond its form.
namespace {

// What may stand in a Host header: names, addresses, ports.
bool valid_host(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return plain || std::string_view("!$%&()*+,-.:;=@[']_~").find(c) != std::string_view::npos;
  });
}

}  // namespace

std::optional<HttpConnection::Refusal> HttpConnection::check(Turn& turn) {
  auto& r = turn.request;
  auto& p = turn.parser;
  r.method = std::move(p.method);
  r.target = std::move(p.target);
  r.minor_version = p.minor_version;
  r.headers = std::move(p.headers);
  r.content_length = p.content_length();
  r.chunked = p.chunked();
  auto hosts = r.headers.values("Host");
  if (hosts.size() > 1) return Refusal{400, "400 Bad Request: too many Host headers"};
  if (hosts.empty() && r.minor_version == 1 && r.method != "CONNECT")
    return Refusal{400, "400 Bad Request: missing required Host header"};
  r.host = hosts.empty() ? "" : std::string(hosts[0]);
  if (!valid_host(r.host)) return Refusal{400, "400 Bad Request: malformed Host header"};
  r.headers.remove("Host");
  if (r.target != "*" && r.method != "CONNECT") {
    auto url = Url::parse_request_target(r.target);
    if (!url) return Refusal{400, "400 Bad Request"};
    if (!url->host.empty()) r.host = url->host;
  }
  auto expect = r.headers.get("Expect");
  turn.expects_continue = equal_fold(expect, "100-continue") && r.minor_version == 1;
  if (!expect.empty() && !equal_fold(expect, "100-continue")) return Refusal{417, "417 Expectation Failed"};
  return std::nullopt;
}

Async<bool> HttpConnection::serve_one() {
  if (in_.empty()) {
    std::string().swap(in_);
    idle_ = true;
    bool more = co_await fill();
    idle_ = false;
    if (!more) co_return false;
  }
  turn_ = std::make_unique<Turn>(server_.options.max_header_bytes);
  auto& turn = *turn_;
  auto whole = parse_header(turn);
  if (whole && !*whole) {
    whole = co_await with_timeout(server_.world.loop, server_.options.header_timeout, read_header(turn),
                                  Error(ErrorCode::kTimeout, "the header did not come in time"));
  }
  if (!whole) {
    switch (turn.parser.problem()) {
      case HttpParser::Problem::kNone: break;  // the peer left or was too slow
      case HttpParser::Problem::kMalformed: co_await refuse({400, "400 Bad Request"}); break;
      case HttpParser::Problem::kHeaderTooLarge: co_await refuse({431, "431 Request Header Fields Too Large"}); break;
      case HttpParser::Problem::kBadVersion:
        co_await refuse({505, "505 HTTP Version Not Supported: unsupported protocol version"});
        break;
      case HttpParser::Problem::kUnsupportedEncoding:
        co_await refuse({501, "501 Not Implemented: unsupported transfer encoding"});
        break;
    }
    co_return false;
  }
  if (auto refusal = check(turn)) {
    co_await refuse(std::move(*refusal));
    co_return false;
  }
  turn.request.remote = stream_->remote();
  turn.request.local = stream_->local();
  turn.request.tls = tls_on_;
  turn.request.peer = stream_->peer_certificate();
  turn.exchange = make_exchange(*this, turn);

  CancellableAwait<void> run(server_.handler(turn.request, *turn.exchange));
  turn.run = &run;
  if (turn.parser.done()) watch(turn);
  bool finished = co_await run;
  turn.run = nullptr;
  watch_.reset();
  if (!finished) co_return false;
  bool again = co_await conclude(*turn.exchange);
  if (!turn.parser.done()) {
    if (!again || !co_await drain_body(turn)) {
      co_await linger();
      co_return false;
    }
  }
  turn_.reset();
  if (!again) stream_->shutdown_write();
  co_return again && !server_.stopping;
}

// ---- Request bodies

Result<bool> HttpConnection::parse_body(Turn& turn) {
  auto used = turn.parser.put(in_, turn.body);
  if (!used) return std::move(used).error();
  in_.erase(0, *used);
  if (in_.size() > kUnparsedBytes) return invalid("http: chunk header too long");
  return !turn.body.empty() || turn.parser.done();
}

Async<Status> HttpConnection::feed(Turn& turn) {
  if (!in_.empty()) {
    DROVER_CO_TRY(bool progress, parse_body(turn));
    if (progress) co_return Status{};
  }
  if (std::exchange(turn.expects_continue, false)) {
    if (auto s = co_await send("HTTP/1.1 100 Continue\r\n\r\n"); !s) co_return s;
  }
  auto more = [](HttpConnection& c) -> Async<Result<bool>> { co_return co_await c.fill(); };
  auto got = co_await with_timeout(server_.world.loop, server_.options.body_timeout, more(*this),
                                   Error(ErrorCode::kTimeout, "i/o timeout"));
  if (!got) co_return std::move(got).error();
  if (!*got) co_return Error(ErrorCode::kIo, "unexpected EOF");
  DROVER_CO_TRY(bool progress, parse_body(turn));
  (void)progress;
  co_return Status{};
}

// Reads the rest of a body that the handler did not want, within bounds.
Async<bool> HttpConnection::drain_body(Turn& turn) {
  if (turn.expects_continue) co_return false;  // the client waits for a word that will not come
  auto drain = [](HttpConnection& c, Turn& turn) -> Async<Result<bool>> {
    size_t seen = turn.body.size();
    while (!turn.parser.done()) {
      turn.body.clear();
      if (!co_await c.feed(turn)) co_return false;
      seen += turn.body.size();
      if (seen > kDrainBytes) co_return false;
    }
    co_return true;
  };
  auto left = turn.parser.content_length();
  if (left && *left > kDrainBytes) co_return false;
  auto ok = co_await with_timeout(server_.world.loop, kDrainTime, drain(*this, turn), Error());
  co_return ok && *ok;
}

// ---- Watching for the peer's going while a handler runs

void HttpConnection::watch(Turn& turn) {
  if (watch_.done() && turn.run) watch_ = Running(watch_peer());
}

Async<void> HttpConnection::watch_peer() {
  while (in_.size() < kPipelineBytes) {
    auto a = stream_->try_read(server_.scratch.get(), kScratchBytes);
    switch (a.state) {
      case Attempt::kDone: in_.append(server_.scratch.get(), a.size); break;
      case Attempt::kWait: co_await stream_->wait(a.event); break;
      case Attempt::kEnd: co_await sleep_for(server_.world.loop, server_.options.half_close_grace); [[fallthrough]];
      case Attempt::kFailed: peer_gone(); co_return;
    }
  }
}

void HttpConnection::peer_gone() {
  // From the loop, since this flow and the handler's may end each other.
  server_.world.loop.post([weak = weak_from_this(), turn = turn_.get()] {
    auto self = weak.lock();
    if (self && self->turn_.get() == turn && turn->run && self->watch_.done()) turn->run->cancel();
  });
}

// ---- Writing

Async<Status> HttpConnection::send(std::string_view bytes) {
  // Most replies fit the kernel's buffer at once.
  auto a = stream_->try_write(bytes);
  if (a.state == Attempt::kFailed) co_return std::move(a.error);
  if (a.state == Attempt::kDone) bytes.remove_prefix(a.size);
  while (!bytes.empty()) {
    auto step = [](Stream& s, std::string_view bytes) -> Async<Result<size_t>> {
      for (;;) {
        auto a = s.try_write(bytes);
        if (a.state == Attempt::kFailed) co_return std::move(a.error);
        if (a.state == Attempt::kDone) co_return a.size;
        co_await s.wait(a.event);
      }
    };
    auto n = co_await with_timeout(server_.world.loop, server_.options.write_timeout, step(*stream_, bytes),
                                   Error(ErrorCode::kTimeout, "i/o timeout"));
    if (!n) co_return std::move(n).error();
    bytes.remove_prefix(*n);
  }
  co_return Status{};
}

Async<void> HttpConnection::refuse(Refusal r) {
  std::string reply = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{}", r.status,
      status_text(r.status), r.text);
  (void)co_await send(reply);
  co_await linger();
}

Async<void> HttpConnection::refuse_connection() {
  (void)co_await send(
      "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
      "Your IP is issuing too many concurrent connections, please rate limit your calls\n");
  co_await linger();
}

// Lets the peer read the last reply: closing with unread bytes would reset the connection and take it away.
Async<void> HttpConnection::linger() {
  stream_->shutdown_write();
  auto rest = [](HttpConnection& c) -> Async<Result<bool>> {
    size_t seen = 0;
    while (seen < 64 * kDrainBytes && co_await c.fill()) {
      seen += c.in_.size();
      c.in_.clear();
    }
    co_return true;
  };
  (void)co_await with_timeout(server_.world.loop, kLinger, rest(*this), Error());
}

}  // namespace drover::net
