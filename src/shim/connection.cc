#include "shim/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

namespace drover::shim {

void Connection::close() {
  if (fd_ >= 0) ::close(fd_);
  free(body_);
  free(queue_);
  *this = Connection();
}

Connection::Read Connection::read_frame(Frame& out) {
  for (;;) {
    bool in_header = header_have_ < sizeof header_;
    if (!in_header && body_have_ == header_.length) {
      out = {static_cast<Message>(header_.type), body_, header_.length};
      header_have_ = 0;
      return Read::kFrame;
    }
    if (header_have_ == 0 && body_) {  // the frame handed out last is done with
      free(body_);
      body_ = nullptr;
    }
    void* to = in_header ? reinterpret_cast<uint8_t*>(&header_) + header_have_ : body_ + body_have_;
    size_t want = in_header ? sizeof header_ - header_have_ : header_.length - body_have_;
    ssize_t n = recv(fd_, to, want, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return Read::kAgain;
    if (n <= 0) return Read::kClosed;
    if (!in_header) {
      body_have_ += static_cast<uint32_t>(n);
      continue;
    }
    header_have_ += static_cast<uint32_t>(n);
    if (header_have_ < sizeof header_) continue;
    if (header_.length > kMaxFrame) return Read::kTooLong;
    body_have_ = 0;
    // One byte more, so that an empty body is not null.
    body_ = static_cast<uint8_t*>(malloc(header_.length + 1));
    if (!body_) return Read::kClosed;
  }
}

bool Connection::send(Message type, const void* a, size_t a_size, const void* b, size_t b_size) {
  FrameHeader header{static_cast<uint32_t>(a_size + b_size), static_cast<uint32_t>(type)};
  size_t left = queued_ - sent_;
  size_t need = left + sizeof header + a_size + b_size;
  auto* grown = static_cast<uint8_t*>(malloc(need));
  if (!grown) return false;
  uint8_t* at = grown;
  auto put = [&at](const void* data, size_t n) {
    if (n > 0) memcpy(at, data, n);
    at += n;
  };
  put(queue_ + sent_, left);
  put(&header, sizeof header);
  put(a, a_size);
  put(b, b_size);
  free(queue_);
  queue_ = grown;
  queued_ = need;
  sent_ = 0;
  return flush();
}

bool Connection::send_error(int err, const char* op) {
  ErrorReply e{err};
  return send(Message::kError, &e, sizeof e, op, strlen(op));
}

bool Connection::flush() {
  while (pending()) {
    ssize_t n = ::send(fd_, queue_ + sent_, queued_ - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return true;
    if (n <= 0) return false;
    sent_ += static_cast<size_t>(n);
  }
  free(queue_);
  queue_ = nullptr;
  queued_ = sent_ = 0;
  return true;
}

}  // namespace drover::shim
