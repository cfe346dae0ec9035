// One peer on the socket: frames in, frames out, never blocking, with bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shim/protocol.h"

namespace drover::shim {

struct Frame {
  Message type{};
  const uint8_t* body = nullptr;  // valid until the next read_frame()
  uint32_t length = 0;

  template <class T>
  bool as(T& out) const {
    if (length < sizeof out) return false;
    __builtin_memcpy(&out, body, sizeof out);
    return true;
  }
};

class Connection {
 public:
  void adopt(int fd) { fd_ = fd; }
  void close();
  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  enum class Read { kAgain, kFrame, kClosed, kTooLong };
  Read read_frame(Frame& out);

  // Queues a frame of two parts and sends what the socket takes. False when the peer is gone.
  bool send(Message type, const void* a = nullptr, size_t a_size = 0, const void* b = nullptr, size_t b_size = 0);
  bool send_error(int err, const char* op);
  bool flush();
  // Something waits to be sent: the owner then reads no more requests, which bounds the queue.
  bool pending() const { return sent_ < queued_; }

  bool waits_for_exit = false;

 private:
  int fd_ = -1;
  FrameHeader header_;
  uint32_t header_have_ = 0;
  uint8_t* body_ = nullptr;
  uint32_t body_have_ = 0;
  uint8_t* queue_ = nullptr;
  size_t queued_ = 0, sent_ = 0;
};

}  // namespace drover::shim
