#include "net/http_server.h"

#include <algorithm>

#include "net/http_connection.h"

namespace drover::net {

namespace {
constexpr double kRefusalsPerSecond = 10;
constexpr double kRefusalBurst = 100;
}  // namespace

HttpServer::Impl::Impl(World& w, HttpServerOptions o, HttpHandler h)
    : world(w), options(std::move(o)), handler(std::move(h)), refusals(kRefusalBurst),
      refusals_at(w.clock.monotonic()), scratch(std::make_unique<char[]>(kScratchBytes)) {}

Async<void> HttpServer::Impl::accept(Acceptor& a) {
  for (;;) {
    auto stream = co_await a.listener->accept();
    if (!stream) co_return;
    admit(std::move(*stream), a.tls);
  }
}

bool HttpServer::Impl::may_answer_refusal() {
  auto now = world.clock.monotonic();
  double seconds = std::chrono::duration<double>(now - refusals_at).count();
  refusals = std::min(kRefusalBurst, refusals + seconds * kRefusalsPerSecond);
  refusals_at = now;
  if (refusals < 1) return false;
  refusals -= 1;
  return true;
}

void HttpServer::Impl::admit(std::unique_ptr<Stream> stream, TlsContextRef tls) {
  bool refuse = false;
  auto limit = options.max_conns_per_client;
  if (limit > 0 && !stream->remote().is_unix) {
    auto it = per_client.find(stream->remote().host);
    refuse = it != per_client.end() && it->second >= limit;
  }
  if (refuse) {
    if (options.on_limit_exceeded) options.on_limit_exceeded();
    if (!may_answer_refusal()) return;
  }
  auto c = std::make_shared<HttpConnection>(*this, std::move(stream), std::move(tls), refuse);
  connections.emplace(c.get(), c);
  c->start();
}

const std::string& HttpServer::Impl::date_now() {
  Time now = world.clock.now();
  if (now.unix_seconds() != date_second) {
    date_second = now.unix_seconds();
    date = http_date(now);
  }
  return date;
}

HttpServer::HttpServer(World& world, HttpServerOptions options, HttpHandler handler)
    : impl_(std::make_unique<Impl>(world, std::move(options), std::move(handler))) {}

HttpServer::~HttpServer() {
  impl_->acceptors.clear();
  // Connections look at the server while they go.
  auto connections = std::move(impl_->connections);
  impl_->connections.clear();
  connections.clear();
}

void HttpServer::add_listener(std::unique_ptr<Listener> listener, TlsContextRef tls) {
  auto& a = impl_->acceptors.emplace_back();
  a.listener = std::move(listener);
  a.tls = std::move(tls);
  a.flow = Running(impl_->accept(a));
}

void HttpServer::add_connection(std::unique_ptr<Stream> stream, TlsContextRef tls) {
  impl_->admit(std::move(stream), std::move(tls));
}

void HttpServer::stop() {
  impl_->stopping = true;
  for (auto& a : impl_->acceptors) a.listener->close();
  for (auto& [p, c] : impl_->connections) c->close_if_idle();
}

size_t HttpServer::connections() const { return impl_->connections.size(); }

}  // namespace drover::net
