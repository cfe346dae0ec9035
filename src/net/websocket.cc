#include "net/websocket.h"

namespace drover::net {

WebSocket::WebSocket(World& world, Stream& stream, std::string unread, Options options)
    : world_(world), stream_(stream), options_(options), in_(std::move(unread)) {}

WebSocket::WebSocket(World& world, std::unique_ptr<Stream> stream, std::string unread, Options options)
    : world_(world), owned_(std::move(stream)), stream_(*owned_), options_(options), in_(std::move(unread)) {}

Error WebSocket::ended(uint16_t code, std::string reason) {
  if (close_code_ == 0) {
    close_code_ = code;
    close_reason_ = std::move(reason);
  }
  return {ErrorCode::kCancelled, ws_close_text(close_code_, close_reason_)};
}

Async<Result<WsFrame>> WebSocket::next_frame() {
  for (;;) {
    auto frame = take_ws_frame(in_, !options_.client, options_.max_message);
    if (!frame) {
      (void)co_await close(frame.error().code == ErrorCode::kTooLarge ? 1009 : 1002, "");
      broken_ = true;
      co_return std::move(frame).error();
    }
    if (*frame) co_return std::move(**frame);
    if (in_.empty()) std::string().swap(in_);
    char buffer[4096];
    auto n = co_await read_some(stream_, buffer, sizeof buffer);
    if (!n) co_return ended(1006, n.error().message);
    if (*n == 0) co_return ended(1006, "unexpected EOF");
    in_.append(buffer, *n);
  }
}

Async<Error> WebSocket::peer_closed(WsFrame frame) {
  uint16_t code = 1005;
  std::string reason;
  if (frame.payload.size() >= 2) {
    code = static_cast<uint16_t>(static_cast<unsigned char>(frame.payload[0]) << 8 |
                                 static_cast<unsigned char>(frame.payload[1]));
    reason = frame.payload.substr(2);
  }
  if (!close_sent_) (void)co_await close(code == 1005 ? 1000 : code, "");
  co_return ended(code, std::move(reason));
}

Async<Result<WebSocket::Message>> WebSocket::read() {
  if (close_code_ != 0) co_return ended(0, "");
  Message message;
  bool begun = false;
  for (;;) {
    DROVER_CO_TRY(auto frame, co_await next_frame());
    switch (frame.opcode) {
      case WsOpcode::kPing: (void)co_await send(WsOpcode::kPong, std::move(frame.payload)); continue;
      case WsOpcode::kPong: continue;
      case WsOpcode::kClose: co_return co_await peer_closed(std::move(frame));
      case WsOpcode::kText:
      case WsOpcode::kBinary:
        if (begun) {
          (void)co_await close(1002, "");
          co_return invalid("websocket: data before the last fragment");
        }
        begun = true;
        message.text = frame.opcode == WsOpcode::kText;
        break;
      case WsOpcode::kContinuation:
        if (!begun) {
          (void)co_await close(1002, "");
          co_return invalid("websocket: continuation after the last fragment");
        }
    }
    if (message.data.size() + frame.payload.size() > options_.max_message) {
      (void)co_await close(1009, "");
      co_return Error(ErrorCode::kTooLarge, "websocket: read limit exceeded");
    }
    message.data += frame.payload;
    if (frame.last) co_return std::move(message);
  }
}

Async<Status> WebSocket::send(WsOpcode opcode, std::string payload) {
  while (writing_) co_await writers_->wait();
  if (broken_ || close_sent_) co_return Error(ErrorCode::kIo, "websocket: close sent");
  // Held until the frame is out. A writer that is dropped in the middle leaves half a frame: the end of the socket.
  struct Turn {
    WebSocket& ws;
    bool whole = false;
    explicit Turn(WebSocket& w) : ws(w) { ws.writing_ = true; }
    ~Turn() {
      ws.writing_ = false;
      if (!whole) ws.broken_ = true;
      // From the loop: this may run while flows are being destroyed.
      if (!ws.writers_->empty()) ws.world_.loop.post([list = ws.writers_] { list->resume_all(); });
    }
  };
  Turn turn(*this);
  std::optional<uint32_t> mask;
  if (options_.client) mask = static_cast<uint32_t>(world_.random.next());
  if (opcode == WsOpcode::kClose) close_sent_ = true;
  std::string frame = write_ws_frame(opcode, payload, mask);
  auto sent = co_await write_all(stream_, frame);
  turn.whole = sent.has_value();
  co_return sent;
}

Async<Status> WebSocket::write(std::string_view data, bool text) {
  return send(text ? WsOpcode::kText : WsOpcode::kBinary, std::string(data));
}

Async<Status> WebSocket::close(uint16_t code, std::string_view reason) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  payload += reason.substr(0, 123);
  return send(WsOpcode::kClose, std::move(payload));
}

}  // namespace drover::net
