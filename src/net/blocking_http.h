// HTTP for command-line tools: the async client on a loop of its own, one call at a time, from one thread.
#pragma once

#include <functional>

#include "net/http_client.h"
#include "net/network.h"
#include "net/real_world.h"

namespace drover::net {

class BlockingHttp {
 public:
  explicit BlockingHttp(HttpClientOptions options = {});
  ~BlockingHttp();

  Result<HttpResponse> call(HttpCall call);
  // Gives the head, then the body as it comes; stops early, without error, when either callback returns false.
  Status stream(HttpCall call, const std::function<bool(const HttpResponse& head)>& on_head,
                const std::function<bool(std::string_view bytes)>& on_bytes);

  // For flows of the caller's own (exec over a websocket, reading a terminal): they run on this loop.
  AsioLoop& loop();
  World& world();
  HttpClient& client();
  Network& network();
  template <class T>
  T run(Async<T> flow) {
    return block_on(loop(), std::move(flow));
  }

  // Ends the call in progress, which fails with kCancelled ("interrupted"). From a callback on the loop, such as
  // loop().on_signal(SIGINT, ...), or from another thread.
  void interrupt();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::net
