#include "net/http_client.h"

#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/cancel.h"
#include "base/strings.h"
#include "net/compress.h"
#include "net/http_parser.h"
#include "net/url.h"

namespace drover::net {
namespace {

constexpr Duration kIdleLife = 90s;
constexpr size_t kUnparsedBytes = 2 << 20;  // of a header or a chunk's header

struct Connection {
  std::unique_ptr<Stream> stream;
  std::string in;    // read, not yet parsed
  std::string key;   // of the pool
  bool reused = false;
  Monotonic idle_since;
};

// "Get" for GET, as Go names the operation in its errors.
std::string operation(std::string_view method) {
  std::string op = to_lower(method.empty() ? "GET" : method);
  op[0] = static_cast<char>(op[0] - 'a' + 'A');
  return op;
}

std::string basic(const std::pair<std::string, std::optional<std::string>>& user) {
  return "Basic " + base64_encode(user.first + ":" + user.second.value_or(""));
}

std::string default_port(const Url& url) {
  auto port = url.port();
  return !port.empty() ? port : url.scheme == "https" ? "443" : "80";
}

Address address_of(const Url& url) {
  return Address::tcp(url.hostname(), static_cast<uint16_t>(parse_uint(default_port(url)).value_or(0)));
}

bool is_redirect(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

struct Message {
  std::string bytes;         // request line and header fields
  std::string_view body;
  const std::function<Result<std::string>()>* source = nullptr;
  bool head = false;         // the answer has no body
};

}  // namespace

struct HttpClient::Impl : std::enable_shared_from_this<HttpClient::Impl> {
  World& world;
  Network& network;
  HttpClientOptions options;
  std::map<std::string, std::vector<std::unique_ptr<Connection>>> idle;

  Impl(World& w, Network& n, HttpClientOptions o) : world(w), network(n), options(std::move(o)) {}

  Async<Result<std::unique_ptr<HttpReply>>> open(HttpCall& call);
  Async<Result<std::unique_ptr<HttpReply>>> exchange(HttpCall& call, const Url& url);
  Async<Result<std::unique_ptr<Connection>>> connect(const Url& url, const std::optional<Url>& proxy);
  Async<Result<std::unique_ptr<Stream>>> secure(std::unique_ptr<Stream> stream, std::string host);
  Async<Status> tunnel(Stream& stream, const Url& url, const Url& proxy);
  std::unique_ptr<Connection> take_idle(const std::string& key);
  void keep(std::unique_ptr<Connection> c);
  Message compose(const HttpCall& call, const Url& url, const std::optional<Url>& proxy) const;
};

namespace {

class Reply : public HttpReply {
 public:
  Reply(std::weak_ptr<HttpClient::Impl> client, std::unique_ptr<Connection> c)
      : client_(std::move(client)), connection_(std::move(c)),
        parser_(std::make_unique<HttpParser>(HttpParser::Kind::kResponse)) {}

  // Reads up to the end of the header; informational answers are skipped.
  Async<Status> read_head(bool no_body) {
    std::string first;
    for (;;) {
      if (no_body) parser_->no_body();
      while (!parser_->header_done()) {
        if (connection_->in.empty()) {
          DROVER_CO_TRY(bool more, co_await fill());
          if (!more) co_return Error(ErrorCode::kIo, received_ ? "unexpected EOF" : "EOF");
        }
        received_ = true;
        if (first.size() < 256) first += connection_->in.substr(0, 256);
        auto used = parser_->put(connection_->in, body_);
        if (!used) co_return malformed(first);
        bool stuck = *used == 0 && !parser_->header_done();
        connection_->in.erase(0, *used);
        if (stuck) {
          DROVER_CO_TRY(bool more, co_await fill());
          if (!more && !first.starts_with("HTTP/")) co_return malformed(first);
          if (!more) co_return Error(ErrorCode::kIo, "unexpected EOF");
        }
      }
      if (parser_->status >= 200 || parser_->status == 101) break;
      parser_ = std::make_unique<HttpParser>(HttpParser::Kind::kResponse);
      body_.clear();
    }
    head.status = parser_->status;
    head.reason = parser_->reason;
    head.headers = std::move(parser_->headers);
    co_return Status{};
  }
  void unpack() {
    if (!equal_fold(head.headers.get("Content-Encoding"), "gzip")) return;
    head.headers.remove("Content-Encoding");
    head.headers.remove("Content-Length");
    unpacker_ = std::make_unique<Decompressor>();
  }
  bool received() const { return received_; }
  std::unique_ptr<Connection> take_connection() { return std::move(connection_); }
  std::string& unparsed_body() { return body_; }

  Async<Result<std::string>> read_some() override {
    for (;;) {
      if (!body_.empty()) {
        auto raw = std::exchange(body_, {});
        if (!unpacker_) co_return std::move(raw);
        std::string out;
        DROVER_CO_CHECK(unpacker_->write(raw, out));
        packed_ = true;
        if (!out.empty()) co_return std::move(out);
        continue;
      }
      if (ended_ || parser_->done()) {
        if (packed_ && !unpacker_->complete()) co_return Error(ErrorCode::kIo, "unexpected EOF");
        finish();
        co_return std::string{};
      }
      if (connection_->in.empty()) {
        DROVER_CO_TRY(bool more, co_await fill());
        if (!more) {
          DROVER_CO_CHECK(parser_->end());
          ended_ = true;
          continue;
        }
      }
      auto used = parser_->put(connection_->in, body_);
      if (!used) co_return Error(ErrorCode::kIo, "malformed chunked encoding");
      if (*used == 0 && !parser_->done()) {
        DROVER_CO_TRY(bool more, co_await fill());
        if (!more) co_return Error(ErrorCode::kIo, "unexpected EOF");
        continue;
      }
      connection_->in.erase(0, *used);
    }
  }

 private:
  Async<Result<bool>> fill() {
    char buffer[16384];
    DROVER_CO_TRY(size_t n, co_await net::read_some(*connection_->stream, buffer, sizeof buffer));
    connection_->in.append(buffer, n);
    if (connection_->in.size() > kUnparsedBytes) co_return Error(ErrorCode::kIo, "net/http: server sent too long a header");
    co_return n > 0;
  }
  static Error malformed(const std::string& first) {
    return {ErrorCode::kIo, "net/http: HTTP/1.x transport connection broken: malformed HTTP response " +
                                go_quote(first.substr(0, first.find_first_of("\r\n")))};
  }
  void finish() {
    if (!connection_) return;
    auto client = client_.lock();
    bool keep = client && !ended_ && parser_->keep_alive() && connection_->in.empty();
    auto c = std::move(connection_);
    if (keep) client->keep(std::move(c));
  }

  std::weak_ptr<HttpClient::Impl> client_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<HttpParser> parser_;
  std::unique_ptr<Decompressor> unpacker_;
  std::string body_;  // decoded from chunks, not yet unpacked
  bool received_ = false, ended_ = false, packed_ = false;
};

}  // namespace

// ---- Connections

std::unique_ptr<Connection> HttpClient::Impl::take_idle(const std::string& key) {
  auto& list = idle[key];
  while (!list.empty()) {
    auto c = std::move(list.back());
    list.pop_back();
    if (world.clock.monotonic() - c->idle_since > kIdleLife) continue;
    // A connection that has anything to say now has been closed by the server.
    char byte;
    if (c->stream->try_read(&byte, 1).state != Attempt::kWait) continue;
    c->reused = true;
    return c;
  }
  return nullptr;
}

void HttpClient::Impl::keep(std::unique_ptr<Connection> c) {
  if (options.idle_per_host == 0) return;
  auto& list = idle[c->key];
  if (list.size() >= options.idle_per_host) list.erase(list.begin());
  c->idle_since = world.clock.monotonic();
  list.push_back(std::move(c));
}

Async<Result<std::unique_ptr<Stream>>> HttpClient::Impl::secure(std::unique_ptr<Stream> stream, std::string host) {
  if (!options.tls) {
    DROVER_CO_TRY(options.tls, make_tls_client({}));
  }
  if (!options.tls_server_name.empty()) host = options.tls_server_name;
  auto tls = co_await with_timeout(world.loop, options.tls_handshake_timeout,
                                   tls_connect(options.tls, std::move(stream), host),
                                   Error(ErrorCode::kTimeout, "net/http: TLS handshake timeout"));
  if (!tls && is_plain_http_error(tls.error()))
    co_return Error(ErrorCode::kIo, "http: server gave HTTP response to HTTPS client");
  co_return std::move(tls);
}

Async<Status> HttpClient::Impl::tunnel(Stream& stream, const Url& url, const Url& proxy) {
  std::string target = join_host_port(url.hostname(), default_port(url));
  std::string head = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\nUser-Agent: {1}\r\n", target, options.user_agent);
  if (proxy.user) head += "Proxy-Authorization: " + basic(*proxy.user) + "\r\n";
  head += "\r\n";
  DROVER_CO_CHECK(co_await write_all(stream, head));
  HttpParser parser(HttpParser::Kind::kResponse);
  parser.no_body();
  std::string in, body;
  while (!parser.header_done()) {
    char byte;  // one at a time: what follows the header is the tunnel's
    DROVER_CO_TRY(size_t n, co_await net::read_some(stream, &byte, 1));
    if (n == 0) co_return Error(ErrorCode::kIo, "unexpected EOF");
    in += byte;
    DROVER_CO_TRY(size_t used, parser.put(in, body));
    in.erase(0, used);
  }
  if (parser.status != 200) co_return Error(ErrorCode::kUnavailable, parser.reason);
  co_return Status{};
}

Async<Result<std::unique_ptr<Connection>>> HttpClient::Impl::connect(const Url& url, const std::optional<Url>& proxy) {
  auto c = std::make_unique<Connection>();
  bool tls = url.scheme == "https";
  c->key = url.scheme + "://" + url.host + "|" + (proxy ? proxy->str() : "");
  if (auto kept = take_idle(c->key)) co_return std::move(kept);
  Address at = !options.unix_socket.empty() ? Address::unix_path(options.unix_socket) : address_of(proxy ? *proxy : url);
  auto stream = co_await network.dial(at, options.dial_timeout);
  if (!stream && proxy) co_return Error(std::move(stream).error()).with_context("proxyconnect tcp");
  if (!stream) co_return std::move(stream).error();
  c->stream = std::move(*stream);
  if (proxy && proxy->scheme == "https") {
    DROVER_CO_TRY(c->stream, co_await secure(std::move(c->stream), proxy->hostname()));
  }
  if (proxy && tls) DROVER_CO_CHECK(co_await tunnel(*c->stream, url, *proxy));
  if (tls) {
    DROVER_CO_TRY(c->stream, co_await secure(std::move(c->stream), url.hostname()));
  }
  co_return std::move(c);
}

// ---- Requests

Message HttpClient::Impl::compose(const HttpCall& call, const Url& url, const std::optional<Url>& proxy) const {
  bool through = proxy && url.scheme == "http";
  Message m;
  m.head = call.method == "HEAD";
  m.body = call.body;
  if (call.body_source) m.source = &call.body_source;
  std::string target = url.request_target();
  if (through) target = "http://" + url.host + target;
  std::string host(call.headers.get("Host"));
  m.bytes = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", call.method, target, host.empty() ? url.host : host);
  Headers h = call.headers;
  h.remove("Host");
  if (!h.has("User-Agent")) h.set("User-Agent", options.user_agent);
  if (url.user && !h.has("Authorization")) h.set("Authorization", basic(*url.user));
  if (through && proxy->user) h.set("Proxy-Authorization", basic(*proxy->user));
  if (options.gzip && !h.has("Accept-Encoding") && !h.has("Range") && !h.has("Upgrade") && !m.head)
    h.set("Accept-Encoding", "gzip");
  if (m.source) h.set("Transfer-Encoding", "chunked");
  else if (!call.body.empty() || call.method == "POST" || call.method == "PUT" || call.method == "PATCH")
    h.set("Content-Length", std::to_string(call.body.size()));
  h.write_to(m.bytes);
  m.bytes += "\r\n";
  return m;
}

namespace {
// `spoiled`: the body's source failed. The other side waits for the rest in vain, and has no answer to wait for.
Async<Status> send(Stream& stream, const Message& m, bool& spoiled) {
  if (m.body.size() <= 16384 && !m.source) {
    std::string all = m.bytes + std::string(m.body);
    co_return co_await write_all(stream, all);
  }
  DROVER_CO_CHECK(co_await write_all(stream, m.bytes));
  if (!m.source) co_return co_await write_all(stream, m.body);
  for (;;) {
    auto piece = (*m.source)();
    if (!piece) {
      spoiled = true;
      co_return std::move(piece).error();
    }
    std::string chunk = piece->empty() ? "0\r\n\r\n" : fmt::format("{:x}\r\n{}\r\n", piece->size(), *piece);
    DROVER_CO_CHECK(co_await write_all(stream, chunk));
    if (piece->empty()) co_return Status{};
  }
}
}  // namespace

// One request and the header of its answer.
Async<Result<std::unique_ptr<HttpReply>>> HttpClient::Impl::exchange(HttpCall& call, const Url& url) {
  if (url.scheme != "http" && url.scheme != "https")
    co_return invalid("unsupported protocol scheme " + go_quote(url.scheme));
  if (url.host.empty()) co_return invalid("http: no Host in request URL");
  std::optional<Url> proxy;
  if (options.unix_socket.empty()) {
    DROVER_CO_TRY(proxy, options.proxy.proxy_for(url));
  }
  auto message = compose(call, url, proxy);
  bool asked_gzip = options.gzip && !call.headers.has("Accept-Encoding") && !message.head;
  for (;;) {
    DROVER_CO_TRY(auto c, co_await connect(url, proxy));
    bool reused = c->reused;
    auto& stream = *c->stream;
    auto reply = std::make_unique<Reply>(weak_from_this(), std::move(c));
    bool spoiled = false;
    auto sent = co_await send(stream, message, spoiled);
    if (spoiled) co_return std::move(sent).error();
    // A server may answer and close before it has read all: its answer counts.
    auto status = co_await reply->read_head(message.head);
    if (status) {
      if (asked_gzip) reply->unpack();
      co_return std::move(reply);
    }
    // The server may close a kept connection just when it is used again.
    if (reused && !reply->received() && !message.source) continue;
    if (!sent) co_return std::move(sent).error();
    co_return std::move(status).error();
  }
}

Async<Result<std::unique_ptr<HttpReply>>> HttpClient::Impl::open(HttpCall& call) {
  auto url = Url::parse(call.url);
  if (!url) co_return std::move(url).error();
  for (int hops = 0;; ++hops) {
    auto wrap = [&](Error e) {
      return std::move(e).with_context(operation(call.method) + " " + go_quote(url->redacted()));
    };
    Error late(ErrorCode::kTimeout, "context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
    auto reply = co_await with_timeout(world.loop, call.timeout, exchange(call, *url), std::move(late));
    if (!reply) co_return wrap(std::move(reply).error());
    bool follow = is_redirect((*reply)->head.status) && options.max_redirects > 0 &&
                  (call.method == "GET" || call.method == "HEAD");
    auto location = std::string((*reply)->head.headers.get("Location"));
    if (!follow || location.empty()) co_return std::move(*reply);
    if (hops >= options.max_redirects) co_return wrap(internal(fmt::format("stopped after {} redirects", hops)));
    while (true) {
      auto piece = co_await (*reply)->read_some();
      if (!piece || piece->empty()) break;
    }
    auto next = Url::parse(location);
    if (!next) co_return wrap(internal(fmt::format("failed to parse Location header {}: {}", go_quote(location), next.error().message)));
    if (next->scheme.empty()) next->scheme = url->scheme;
    if (next->host.empty()) {
      next->host = url->host;
      next->user = url->user;
    } else if (next->host != url->host) {
      // Secrets stay with the host they were meant for.
      call.headers.remove("Authorization");
      call.headers.remove("X-Nomad-Token");
    }
    url = std::move(next);
  }
}

HttpClient::HttpClient(World& world, Network& network, HttpClientOptions options)
    : impl_(std::make_shared<Impl>(world, network, std::move(options))) {}
HttpClient::~HttpClient() = default;

Async<Result<std::unique_ptr<HttpReply>>> HttpClient::open(HttpCall call) {
  auto impl = impl_;
  co_return co_await impl->open(call);
}

Async<Result<HttpResponse>> HttpClient::call(HttpCall call) {
  auto impl = impl_;
  Duration limit = std::exchange(call.timeout, Duration{0});
  std::string op = operation(call.method) + " " + go_quote(call.url);
  auto whole = [](std::shared_ptr<Impl> impl, HttpCall& call) -> Async<Result<HttpResponse>> {
    DROVER_CO_TRY(auto reply, co_await impl->open(call));
    auto response = std::move(reply->head);
    for (;;) {
      DROVER_CO_TRY(auto piece, co_await reply->read_some());
      if (piece.empty()) co_return std::move(response);
      if (response.body.size() + piece.size() > call.max_body)
        co_return Error(ErrorCode::kTooLarge, "http: response body too large");
      response.body += piece;
    }
  };
  co_return co_await with_timeout(
      impl->world.loop, limit, whole(impl, call),
      Error(ErrorCode::kTimeout, op + ": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"));
}

Async<Result<std::unique_ptr<WebSocket>>> HttpClient::websocket(HttpCall call, HttpResponse* refused) {
  auto impl = impl_;
  if (call.url.starts_with("ws")) call.url.replace(0, 2, "http");
  std::string key(16, '\0');
  impl->world.random.fill(key.data(), key.size());
  key = base64_encode(key);
  call.headers.set("Upgrade", "websocket");
  call.headers.set("Connection", "Upgrade");
  call.headers.set("Sec-Websocket-Version", "13");
  call.headers.set("Sec-Websocket-Key", key);
  call.headers.set("Accept-Encoding", "identity");
  DROVER_CO_TRY(auto base, co_await impl->open(call));
  auto& reply = static_cast<Reply&>(*base);
  bool good = reply.head.status == 101 && equal_fold(reply.head.headers.get("Upgrade"), "websocket") &&
              reply.head.headers.has_token("Connection", "upgrade") &&
              reply.head.headers.get("Sec-Websocket-Accept") == ws_accept_key(key);
  if (!good) {
    if (refused) {
      *refused = reply.head;
      while (refused->body.size() < 64 * 1024 && reply.head.status != 101) {
        auto piece = co_await reply.read_some();
        if (!piece || piece->empty()) break;
        refused->body += *piece;
      }
    }
    co_return Error(ErrorCode::kUnavailable, "websocket: bad handshake");
  }
  auto c = reply.take_connection();
  WebSocket::Options options;
  options.client = true;
  co_return std::make_unique<WebSocket>(impl->world, std::move(c->stream), reply.unparsed_body() + c->in, options);
}

}  // namespace drover::net
