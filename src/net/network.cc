#include "net/network.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/cancel.h"
#include "net/socket_address.h"

namespace drover::net {
namespace {

// A descriptor and its registration, closed in the right order.
class Socket {
 public:
  Socket() = default;
  Socket(int fd, std::unique_ptr<WatchedFd> watch) : fd_(fd), watch_(std::move(watch)) {}
  Socket(Socket&& o) noexcept : fd_(std::exchange(o.fd_, -1)), watch_(std::move(o.watch_)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    watch_.reset();
    if (fd_ >= 0) ::close(fd_);
  }
  static Result<Socket> adopt(AsioLoop& loop, int fd) {
    auto watch = loop.watch(fd);
    if (!watch) {
      ::close(fd);
      return std::move(watch).error();
    }
    return Socket(fd, std::move(*watch));
  }
  int fd() const { return fd_; }
  bool closed() const { return closed_; }
  Async<void> wait(FdEvent e) { return watch_->wait(e); }
  // Ends the connection now; the descriptor number stays taken until destruction, so nobody waits on a stranger's.
  void close() {
    if (std::exchange(closed_, true)) return;
    ::shutdown(fd_, SHUT_RDWR);
    watch_->wake();
  }

 private:
  int fd_ = -1;
  bool closed_ = false;
  std::unique_ptr<WatchedFd> watch_;
};

bool would_block(int err) { return err == EAGAIN || err == EWOULDBLOCK; }

class SocketStream : public Stream {
 public:
  SocketStream(Socket socket, Address local, Address remote)
      : socket_(std::move(socket)), local_(std::move(local)), remote_(std::move(remote)) {}

  Attempt try_read(char* to, size_t size) override {
    if (socket_.closed()) return failed("read", "use of closed network connection");
    for (;;) {
      ssize_t n = ::recv(socket_.fd(), to, size, 0);
      if (n > 0) return Attempt::done(static_cast<size_t>(n));
      if (n == 0) return Attempt::end();
      if (would_block(errno)) return Attempt::wait(FdEvent::kReadable);
      if (errno != EINTR) return failed_errno("read");
    }
  }
  Attempt try_write(std::string_view bytes) override {
    if (socket_.closed()) return failed("write", "use of closed network connection");
    for (;;) {
      ssize_t n = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n >= 0) return Attempt::done(static_cast<size_t>(n));
      if (would_block(errno)) return Attempt::wait(FdEvent::kWritable);
      if (errno != EINTR) return failed_errno("write");
    }
  }
  Async<void> wait(FdEvent event) override { return socket_.wait(event); }
  void shutdown_write() override { ::shutdown(socket_.fd(), SHUT_WR); }
  void close() override { socket_.close(); }
  const Address& local() const override { return local_; }
  const Address& remote() const override { return remote_; }

 private:
  Attempt failed(const char* op, std::string_view why) {
    return Attempt::failed({ErrorCode::kIo, fmt::format("{} {} {}->{}: {}", op, local_.network(), local_.str(),
                                                        remote_.str(), why)});
  }
  Attempt failed_errno(const char* op) {
    auto e = errno_error(op, errno);
    return failed(op, e.message);
  }
  Socket socket_;
  Address local_, remote_;
};

void set_stream_options(int fd, bool is_unix) {
  if (is_unix) return;
  int on = 1, seconds = 15, count = 9;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

class SocketListener : public Listener {
 public:
  SocketListener(AsioLoop& loop, Socket socket, Address address)
      : loop_(loop), socket_(std::move(socket)), address_(std::move(address)) {}
  ~SocketListener() override {
    if (address_.is_unix) ::unlink(address_.host.c_str());
  }

  Async<Result<std::unique_ptr<Stream>>> accept() override {
    Duration pause = 5ms;
    for (;;) {
      if (socket_.closed()) {
        co_return Error(ErrorCode::kCancelled, fmt::format("accept {} {}: use of closed network connection",
                                                           address_.network(), address_.str()));
      }
      SocketAddress peer;
      int fd = ::accept4(socket_.fd(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        set_stream_options(fd, address_.is_unix);
        auto socket = Socket::adopt(loop_, fd);
        if (!socket) continue;
        Address local = address_.is_unix ? address_ : local_address(fd);
        co_return std::make_unique<SocketStream>(std::move(*socket), std::move(local), peer.address());
      }
      if (would_block(errno)) {
        co_await socket_.wait(FdEvent::kReadable);
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        // The waiting connection stays in the kernel's queue until a descriptor is free.
        co_await sleep_for(loop_, pause);
        pause = std::min<Duration>(pause * 2, 1s);
      }
    }
  }
  const Address& address() const override { return address_; }
  void close() override { socket_.close(); }

 private:
  AsioLoop& loop_;
  Socket socket_;
  Address address_;
};

class SocketDatagram : public Datagram {
 public:
  SocketDatagram(Socket socket, Address address) : socket_(std::move(socket)), address_(std::move(address)) {}

  Async<Result<Packet>> receive() override {
    for (;;) {
      if (socket_.closed()) co_return Error(ErrorCode::kCancelled, "read udp: use of closed network connection");
      if (auto p = try_receive()) co_return std::move(*p);
      if (would_block(errno)) co_await socket_.wait(FdEvent::kReadable);
    }
  }
  Status send(std::string_view bytes, const Address& to) override {
    DROVER_TRY(auto target, to_socket_address(to));
    if (target.family() == AF_INET && family() == AF_INET6) map_to_v6(target);
    ssize_t n;
    do n = ::sendto(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL, target.get(), target.length);
    while (n < 0 && errno == EINTR);
    if (n < 0 && !would_block(errno) && errno != ENOBUFS)
      return errno_error(fmt::format("write udp {}->{}: sendto", address_.str(), to.str()), errno);
    return {};
  }
  const Address& address() const override { return address_; }
  void close() override { socket_.close(); }

 private:
  std::optional<Packet> try_receive() {
    char buffer[65536];
    SocketAddress from;
    ssize_t n = ::recvfrom(socket_.fd(), buffer, sizeof buffer, 0, from.get(), &from.length);
    if (n < 0) return std::nullopt;
    return Packet{std::string(buffer, static_cast<size_t>(n)), from.address()};
  }
  int family() const {
    SocketAddress own;
    ::getsockname(socket_.fd(), own.get(), &own.length);
    return own.family();
  }
  static void map_to_v6(SocketAddress& a) {
    auto v4 = reinterpret_cast<sockaddr_in&>(a.storage);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = v4.sin_port;
    v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xff;
    std::copy_n(reinterpret_cast<uint8_t*>(&v4.sin_addr), 4, v6.sin6_addr.s6_addr + 12);
    reinterpret_cast<sockaddr_in6&>(a.storage) = v6;
    a.length = sizeof v6;
  }
  Socket socket_;
  Address address_;
};

// A socket file that nobody listens on any more would make every later bind fail.
void remove_stale_socket(const SocketAddress& at, const std::string& path) {
  struct stat st{};
  if (::lstat(path.c_str(), &st) != 0 || !S_ISSOCK(st.st_mode)) return;
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  if (::connect(fd, at.get(), at.length) != 0 && errno == ECONNREFUSED) ::unlink(path.c_str());
  ::close(fd);
}

Result<int> bind_socket(const Address& address, int type) {
  const char* network = address.is_unix ? "unix" : type == SOCK_DGRAM ? "udp" : "tcp";
  auto fail = [&](const char* call, int err) {
    return errno_error(fmt::format("listen {} {}: {}", network, address.str(), call), err);
  };
  auto at = to_socket_address(address);
  if (!at) return Error(std::move(at).error()).with_context(fmt::format("listen {}", network));
  if (address.is_unix) remove_stale_socket(*at, address.host);
  int fd = ::socket(at->family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 && errno == EAFNOSUPPORT && address.host.empty()) return bind_socket(Address::tcp("0.0.0.0", address.port), type);
  if (fd < 0) return fail("socket", errno);
  int on = 1, off = 0;
  if (type == SOCK_STREAM) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (at->family() == AF_INET6) {
    bool both = address.host.empty() || address.host == "::";
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, both ? &off : &on, sizeof on);
  }
  if (::bind(fd, at->get(), at->length) == 0 && (type == SOCK_DGRAM || ::listen(fd, SOMAXCONN) == 0)) return fd;
  int err = errno;
  ::close(fd);
  return fail("bind", err);
}

}  // namespace

Result<std::unique_ptr<Listener>> RealNetwork::listen(const Address& address) {
  DROVER_TRY(int fd, bind_socket(address, SOCK_STREAM));
  DROVER_TRY(auto socket, Socket::adopt(loop_, fd));
  return std::make_unique<SocketListener>(loop_, std::move(socket), address.is_unix ? address : local_address(fd));
}

Result<std::unique_ptr<Datagram>> RealNetwork::datagram(const Address& address) {
  DROVER_TRY(int fd, bind_socket(address, SOCK_DGRAM));
  // Bursts wait here while the loop is busy; the kernel grants what its limit allows.
  int room = 2 * 1024 * 1024;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  DROVER_TRY(auto socket, Socket::adopt(loop_, fd));
  return std::make_unique<SocketDatagram>(std::move(socket), local_address(fd));
}

Result<std::unique_ptr<Stream>> adopt_socket(AsioLoop& loop, int fd) {
  DROVER_TRY(auto socket, Socket::adopt(loop, fd));
  return std::make_unique<SocketStream>(std::move(socket), local_address(fd), remote_address(fd));
}

namespace {

Error dial_error(const Address& at, std::string_view call, int err) {
  auto e = errno_error(fmt::format("dial {} {}: {}", at.network(), at.str(), call), err);
  e.code = ErrorCode::kUnavailable;
  return e;
}

Async<Result<std::unique_ptr<Stream>>> connect_to(AsioLoop& loop, SocketAddress to) {
  Address at = to.address();
  int fd = ::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return dial_error(at, "socket", errno);
  set_stream_options(fd, at.is_unix);
  DROVER_CO_TRY(auto socket, Socket::adopt(loop, fd));
  int rc;
  do rc = ::connect(fd, to.get(), to.length);
  while (rc != 0 && errno == EINTR);
  // A unix socket whose queue is full says EAGAIN and cannot be waited for.
  if (rc != 0 && errno != EINPROGRESS) co_return dial_error(at, "connect", errno);
  if (rc != 0) {
    for (;;) {
      co_await socket.wait(FdEvent::kWritable);
      int err = 0;
      socklen_t size = sizeof err;
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
      if (err != 0) co_return dial_error(at, "connect", err);
      SocketAddress peer;
      if (::getpeername(fd, peer.get(), &peer.length) == 0) break;
    }
  }
  co_return std::make_unique<SocketStream>(std::move(socket), local_address(fd), at);
}

Async<Result<std::vector<SocketAddress>>> look_up(AsioLoop& loop, Pool* pool, Address address, Duration timeout) {
  if (!pool || address.is_unix) co_return resolve_blocking(address);
  Promise<Result<std::vector<SocketAddress>>> done;
  pool->run([&loop, done, address]() mutable { done.set_from_any_thread(loop, resolve_blocking(address)); });
  auto await = [](auto done) -> Async<Result<std::vector<SocketAddress>>> { co_return co_await done; };
  co_return co_await with_timeout(loop, timeout, await(done),
                                  Error(ErrorCode::kTimeout, fmt::format("lookup {}: i/o timeout", address.host)));
}

}  // namespace

Async<Result<std::vector<Address>>> RealNetwork::resolve(Address address) {
  DROVER_CO_TRY(auto found, co_await look_up(loop_, pool_, std::move(address), Duration::zero()));
  std::vector<Address> out;
  for (auto& a : found) out.push_back(a.address());
  co_return out;
}

Async<Result<std::unique_ptr<Stream>>> RealNetwork::dial(Address address, Duration timeout) {
  Monotonic end = loop_.clock().monotonic() + timeout;
  auto found = co_await look_up(loop_, pool_, address, timeout);
  if (!found) co_return Error(std::move(found).error()).with_context(fmt::format("dial {}", address.network()));
  Error first;
  for (size_t i = 0; i < found->size(); ++i) {
    auto& to = (*found)[i];
    Duration share{0};
    if (timeout > Duration::zero()) {
      // Each address gets an even share of the time that is left.
      share = std::max<Duration>((end - loop_.clock().monotonic()) / static_cast<int64_t>(found->size() - i), 1ms);
    }
    Error late(ErrorCode::kTimeout, fmt::format("dial {} {}: i/o timeout", address.network(), to.address().str()));
    auto stream = co_await with_timeout(loop_, share, connect_to(loop_, to), std::move(late));
    if (stream) co_return std::move(*stream);
    if (i == 0) first = std::move(stream).error();
  }
  co_return std::move(first);
}

}  // namespace drover::net
