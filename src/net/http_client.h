// HTTP/1.1 client on the loop: kept-alive connections, TLS, gzip, proxies, unix sockets, streamed bodies, websockets.
// Error texts are what Go's client prints: `Get "http://127.0.0.1:4646/v1/jobs": dial tcp 127.0.0.1:4646: connect:
// connection refused`.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/async.h"
#include "net/headers.h"
#include "net/proxy.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/websocket.h"

namespace drover::net {

struct HttpCall {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  // Instead of `body`: gives the next piece, "" at the end; sent chunked. May block (files).
  std::function<Result<std::string>()> body_source;
  Duration timeout{0};              // until the header has come, or for call() the whole; 0: none
  size_t max_body = size_t{1} << 40; // call(): more is kTooLarge
};

struct HttpResponse {
  int status = 0;
  std::string reason;
  Headers headers;
  std::string body;
};

// A response whose body is still to come. Read to its end, the connection is kept for the next call; dropped earlier,
// it is closed.
class HttpReply {
 public:
  virtual ~HttpReply() = default;
  HttpResponse head;  // without body
  // The next piece, unpacked; "" at the end; "unexpected EOF" when it is cut.
  virtual Async<Result<std::string>> read_some() = 0;
};

struct HttpClientOptions {
  TlsContextRef tls;                     // null: the system's authorities, made when needed
  std::string tls_server_name;           // "" : the URL's host
  std::string unix_socket;               // dial this path whatever the URL's host
  ProxyConfig proxy;                     // empty: none
  std::string user_agent = "drover";
  Duration dial_timeout = 30s;
  Duration tls_handshake_timeout = 10s;
  bool gzip = true;                      // ask for gzip and unpack it
  int max_redirects = 10;                // GET and HEAD only; 0: redirects are answers
  size_t idle_per_host = 2;
};

class HttpClient {
 public:
  // All outlive the client and its replies.
  HttpClient(World& world, Network& network, HttpClientOptions options = {});
  ~HttpClient();

  Async<Result<HttpResponse>> call(HttpCall call);
  Async<Result<std::unique_ptr<HttpReply>>> open(HttpCall call);
  // `url` with scheme ws, wss, http or https. A refused upgrade is an error with status and body:
  // `Unexpected response code: 403 (Permission denied)` is left to the caller by `refused`.
  Async<Result<std::unique_ptr<WebSocket>>> websocket(HttpCall call, HttpResponse* refused = nullptr);

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover::net
