#include "drivers/shim_connection.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace drover::drivers {

using shim::FrameHeader;
using shim::Message;

Result<std::unique_ptr<ShimConnection>> ShimConnection::connect(FdWatcher& fds, const std::string& dir) {
  auto failed = [&](const char* what) {
    Error e = errno_error(std::string(what) + " " + dir, errno);
    return Error(ErrorCode::kUnavailable, std::move(e.message));
  };
  UniqueFd at(::open(dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!at) return failed("open");
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return failed("socket for");
  // By way of the descriptor: the directory's own path may be longer than a socket address holds.
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string path = "/proc/self/fd/" + std::to_string(at.get()) + "/sock";
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return failed("connect to the supervisor in");
  return std::make_unique<ShimConnection>(fds, std::move(fd));
}

Async<Result<ShimFrame>> ShimConnection::read() {
  for (;;) {
    FrameHeader h;
    if (buffer_.size() >= sizeof h) {
      std::memcpy(&h, buffer_.data(), sizeof h);
      if (h.length > shim::kMaxFrame) co_return Error(ErrorCode::kCorrupt, "the supervisor sent a frame that is too long");
      if (buffer_.size() >= sizeof h + h.length) {
        ShimFrame frame{static_cast<Message>(h.type), buffer_.substr(sizeof h, h.length)};
        buffer_.erase(0, sizeof h + h.length);
        co_return frame;
      }
    }
    char chunk[8192];
    ssize_t n = ::read(fd_.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      co_await fd_ready(fds_, fd_.get(), FdEvent::kReadable);
      continue;
    }
    if (n <= 0) co_return Error(ErrorCode::kUnavailable, "the connection is closed");
    buffer_.append(chunk, static_cast<size_t>(n));
  }
}

Async<Status> ShimConnection::write(Message type, std::string body) {
  if (body.size() > shim::kMaxFrame) co_return Error(ErrorCode::kTooLarge, "argument list too long");
  FrameHeader h{static_cast<uint32_t>(body.size()), static_cast<uint32_t>(type)};
  body.insert(0, reinterpret_cast<const char*>(&h), sizeof h);
  size_t done = 0;
  while (done < body.size()) {
    ssize_t n = ::send(fd_.get(), body.data() + done, body.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      co_await fd_ready(fds_, fd_.get(), FdEvent::kWritable);
      continue;
    }
    if (n < 0) co_return Error(ErrorCode::kUnavailable, "the connection is closed");
    done += static_cast<size_t>(n);
  }
  co_return Status{};
}

Async<Result<ShimFrame>> ShimConnection::call(Message type, std::string body) {
  DROVER_CO_CHECK(co_await write(type, std::move(body)));
  auto frame = co_await read();
  if (frame && frame->type == Message::kError) co_return shim_error(*frame);
  co_return frame;
}

void ShimConnection::shut_down() { (void)::shutdown(fd_.get(), SHUT_RDWR); }

Error shim_error(const ShimFrame& frame) {
  shim::ErrorReply reply;
  if (!frame.as(reply)) return internal("the supervisor answered with an error that cannot be read");
  return errno_error(std::string_view(frame.body).substr(sizeof reply), reply.err);
}

}  // namespace drover::drivers
