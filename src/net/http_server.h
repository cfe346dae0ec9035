// HTTP/1.1 server on the loop: keep-alive and pipelining, chunked bodies both ways, TLS, compression, websockets,
// streaming with back-pressure. One handler coroutine per request; when the peer goes, the handler is destroyed at its
// suspension point, so whatever it waits for is dropped with it.
//
//   HttpServer server(world, options, [](HttpRequest& r, HttpExchange& x) -> Async<void> {
//     x.headers().set("Content-Type", "application/json");
//     (void)co_await x.respond(200, "{}");
//   });
//   server.add_listener(std::move(*network.listen(address)), tls);
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/async.h"
#include "base/world.h"
#include "net/http_types.h"
#include "net/stream.h"
#include "net/tls.h"

namespace drover::net {

class WebSocket;

// One request's reply, and its body. Calls that fail because the peer has gone need no handling: the handler is about
// to be destroyed, or may just return. One call at a time.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;

  // ---- Request body. "100 Continue" is sent on the first read when the client asked for it.
  // The whole body; more than `max` bytes is kTooLarge ("http: request body too large"), a cut one "unexpected EOF".
  virtual Async<Result<std::string>> read_body(size_t max) = 0;
  // The next piece; "" at the end. For uploads that do not fit in memory.
  virtual Async<Result<std::string>> read_body_some() = 0;

  // ---- Reply. Header fields are free to change until it has started. The server adds Date, Content-Length,
  // Connection, Transfer-Encoding, Vary and Content-Encoding, and a sniffed Content-Type where there is none. A Content-Encoding
  // of "identity" keeps a body from being compressed, and is not sent.
  virtual Headers& headers() = 0;
  virtual bool started() const = 0;
  // The whole reply. A second call on one exchange fails.
  virtual Async<Status> respond(int status, std::string body) = 0;
  // The same body for many readers, without copies.
  virtual Async<Status> respond_shared(int status, std::shared_ptr<const std::string> body) = 0;
  // A reply whose body comes in pieces: start, write..., finish (implied when the handler returns). Each write waits
  // until the kernel has taken the bytes.
  virtual Async<Status> start(int status) = 0;
  virtual Async<Status> write(std::string_view bytes) = 0;
  virtual Async<Status> finish() = 0;

  // Makes this connection a websocket that lives no longer than the exchange. When the request is no proper upgrade,
  // the client has been answered (400, 403 or 405) and the error says why.
  virtual Async<Result<std::unique_ptr<WebSocket>>> upgrade_websocket(std::string refusal = {}) = 0;
};

using HttpHandler = std::function<Async<void>(HttpRequest&, HttpExchange&)>;

struct HttpServerOptions {
  uint32_t max_header_bytes = 1 << 20;
  int max_conns_per_client = 0;         // per remote IP; 0: no limit
  Duration tls_handshake_timeout = 5s;  // 0: none
  // The reference has no time limits; these bound what a slow or dead peer can hold.
  Duration header_timeout = 30s;        // from the first byte of a request to the end of its header
  Duration body_timeout = 5min;         // without a byte of a body that a handler waits for
  Duration write_timeout = 10min;       // without progress of a reply
  // A peer that has ended its side may still read: its handler gets this long to finish.
  Duration half_close_grace = 100ms;
  bool compress = true;
  std::function<void()> on_limit_exceeded;  // a connection was refused by max_conns_per_client
};

class HttpServer {
 public:
  // `world` outlives the server. Runs on world.loop; large bodies are compressed on world.pool.
  HttpServer(World& world, HttpServerOptions options, HttpHandler handler);
  // Closes everything and destroys the handlers. Not from within a handler.
  ~HttpServer();

  // Takes connections from now on; `tls` null for plain.
  void add_listener(std::unique_ptr<Listener> listener, TlsContextRef tls = nullptr);
  // Serves one connection that came some other way.
  void add_connection(std::unique_ptr<Stream> stream, TlsContextRef tls = nullptr);
  // Takes no new connections; idle ones are closed, others after their reply.
  void stop();
  size_t connections() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::net
