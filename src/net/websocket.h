// A websocket over a stream, either end. One flow may read while others write; messages of several writers never mix.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/async.h"
#include "net/stream.h"
#include "net/wait_list.h"
#include "net/ws_frame.h"

namespace drover::net {

class WebSocket {
 public:
  struct Options {
    bool client = false;              // masks what it sends
    size_t max_message = 1 << 20;     // bytes of one message
  };
  // `stream` outlives this; `unread` are bytes that came behind the handshake.
  WebSocket(World& world, Stream& stream, std::string unread, Options options);
  // The same, owning the stream.
  WebSocket(World& world, std::unique_ptr<Stream> stream, std::string unread, Options options);

  struct Message {
    bool text = true;
    std::string data;
  };
  // The next message; pings are answered on the way. When the peer has closed, or the connection ended, the error is
  // `websocket: close 1000 (normal)` and close_code() tells.
  Async<Result<Message>> read();
  Async<Status> write(std::string_view data, bool text = true);
  // Sends the close frame; writes after it fail. The peer's own close ends read().
  Async<Status> close(uint16_t code, std::string_view reason);
  // The peer's close code: 1005 when it gave none, 1006 when the connection just ended; 0 while open.
  uint16_t close_code() const { return close_code_; }
  const std::string& close_reason() const { return close_reason_; }

 private:
  Async<Status> send(WsOpcode opcode, std::string payload);
  Async<Result<WsFrame>> next_frame();
  Async<Error> peer_closed(WsFrame frame);
  Error ended(uint16_t code, std::string reason);

  World& world_;
  std::unique_ptr<Stream> owned_;
  Stream& stream_;
  Options options_;
  std::string in_;
  bool writing_ = false, broken_ = false, close_sent_ = false;
  std::shared_ptr<WaitList> writers_ = std::make_shared<WaitList>();
  uint16_t close_code_ = 0;
  std::string close_reason_;
};

}  // namespace drover::net
