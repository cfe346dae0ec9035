// Streams, listeners and datagrams: what a protocol is given instead of sockets. Implementations: sockets
// (net/network.h), TLS over any stream (net/tls.h), pipes in memory (net/memory_pipe.h).
//
// The core is non-blocking attempts plus waits for readiness, so a waiting flow holds no buffer and may be dropped at
// any time. All on the loop.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd_watcher.h"
#include "base/result.h"
#include "base/async.h"
#include "net/address.h"

namespace drover::net {

// What one non-blocking read or write came to.
struct Attempt {
  enum State : unsigned char {
    kDone,    // `size` > 0 bytes moved
    kWait,    // nothing now: wait for `event`
    kEnd,     // reads: the peer has sent its last byte
    kFailed,  // `error` tells
  };
  State state = kDone;
  FdEvent event = FdEvent::kReadable;
  size_t size = 0;
  Error error;

  static Attempt done(size_t n) { return {kDone, {}, n, {}}; }
  static Attempt wait(FdEvent e) { return {kWait, e, 0, {}}; }
  static Attempt end() { return {kEnd, {}, 0, {}}; }
  static Attempt failed(Error e) { return {kFailed, {}, 0, std::move(e)}; }
};

// Who the peer proved to be, on TLS.
struct PeerCertificate {
  std::string common_name;
  std::vector<std::string> dns_names;
};

class Stream {
 public:
  virtual ~Stream() = default;  // closes; flows still waiting are never resumed
  virtual Attempt try_read(char* to, size_t size) = 0;
  virtual Attempt try_write(std::string_view bytes) = 0;
  // Resumes when an attempt is worth making again; may resume without cause.
  virtual Async<void> wait(FdEvent event) = 0;
  // The peer reads an end after what was written.
  virtual void shutdown_write() = 0;
  // Attempts fail from now on, and flows that wait are resumed to learn it.
  virtual void close() = 0;
  virtual const Address& local() const = 0;
  virtual const Address& remote() const = 0;
  virtual const PeerCertificate* peer_certificate() const { return nullptr; }
};

// Reads 1 to `size` bytes; 0 at the end. `to` must outlive the task.
Async<Result<size_t>> read_some(Stream& stream, char* to, size_t size);
// Reads exactly `size` bytes; "EOF" when the stream ends before the first, "unexpected EOF" after it.
Async<Result<std::string>> read_exactly(Stream& stream, size_t size);
// `bytes` must outlive the task.
Async<Status> write_all(Stream& stream, std::string_view bytes);

class Listener {
 public:
  virtual ~Listener() = default;
  // The next connection. Out of descriptors and the like is waited out; fails only when closed.
  virtual Async<Result<std::unique_ptr<Stream>>> accept() = 0;
  virtual const Address& address() const = 0;  // with the real port when 0 was asked for
  virtual void close() = 0;                    // accept() in progress fails
};

class Datagram {
 public:
  virtual ~Datagram() = default;
  struct Packet {
    std::string bytes;
    Address from;
  };
  virtual Async<Result<Packet>> receive() = 0;
  // Drops the packet when the kernel has no room, as a network may.
  virtual Status send(std::string_view bytes, const Address& to) = 0;
  virtual const Address& address() const = 0;
  virtual void close() = 0;
};

class Network {
 public:
  virtual ~Network() = default;
  virtual Loop& loop() = 0;
  // Error texts are Go's: `listen tcp 127.0.0.1:4647: bind: address already in use`.
  virtual Result<std::unique_ptr<Listener>> listen(const Address& address) = 0;
  virtual Result<std::unique_ptr<Datagram>> datagram(const Address& address) = 0;
  // `dial tcp 127.0.0.1:4646: connect: connection refused`, `dial tcp: lookup x: no such host`,
  // `dial tcp 10.0.0.1:4646: i/o timeout`. `timeout` 0: the kernel's own.
  virtual Async<Result<std::unique_ptr<Stream>>> dial(Address address, Duration timeout) = 0;
  // Every IP of a name, with the address's port; the address itself where it holds an IP. `lookup x: no such host`.
  virtual Async<Result<std::vector<Address>>> resolve(Address address) { co_return std::vector<Address>{std::move(address)}; }
};

}  // namespace drover::net
