#include "server/raft_transport.h"

#include <algorithm>
#include <deque>

#include "base/cancel.h"
#include "base/log.h"
#include "raft/replica.h"

namespace drover::server {
namespace {

constexpr std::string_view kMagic = "DRVRAFT1";
constexpr size_t kHelloBytes = 16;
constexpr size_t kBatchBytes = 256 << 10;
constexpr size_t kReadBytes = 128 << 10;
constexpr Duration kFirstBackoff = 20ms, kMaxBackoff = 1s;
constexpr Duration kLasting = 1s;  // of a connection that was one
constexpr Duration kHelloTimeout = 10s;
constexpr std::string_view kLog = "nomad.raft";

void put_be(std::string& out, uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}
uint64_t get_be(std::string_view in, int bytes) {
  uint64_t v = 0;
  for (int i = 0; i < bytes; ++i) v = v << 8 | static_cast<unsigned char>(in[static_cast<size_t>(i)]);
  return v;
}

}  // namespace

struct RaftTransport::Peer {
  uint64_t id = 0;
  std::string address;
  std::deque<std::string> queue;
  size_t bytes = 0;
  bool woken = false;
  Promise<bool> news;
  Running flow;
};

RaftTransport::RaftTransport(World& world, net::Network& network, std::string_view server_id, RaftTransportOptions options)
    : world_(world), network_(network), self_(raft::peer_id(server_id)), options_(std::move(options)) {}

RaftTransport::~RaftTransport() = default;

void RaftTransport::send(uint64_t id, const std::string& address, std::string message) {
  auto& peer = peers_[id];
  if (!peer || peer->address != address) {
    // What the old one still held is not for the new connection.
    if (peer) world_.loop.post([old = std::shared_ptr<Peer>(std::move(peer))] {});
    peer = std::make_unique<Peer>();
    peer->id = id;
    peer->address = address;
    world_.loop.post([this, p = peer.get(), id, alive = std::weak_ptr<int>(alive_)] {
      if (alive.expired()) return;
      auto it = peers_.find(id);
      if (it != peers_.end() && it->second.get() == p) p->flow = Running(run(*p));
    });
  }
  if (message.size() > options_.max_message || peer->bytes + message.size() > options_.queue_bytes) return;
  peer->bytes += message.size();
  peer->queue.push_back(std::move(message));
  // Written from the loop, not from within the engine; all of this turn's messages together.
  if (!std::exchange(peer->woken, true)) peer->news.set_from_any_thread(world_.loop, true);
}

void RaftTransport::unreachable(uint64_t peer) {
  if (replica_) replica_->report_unreachable(peer);
}

Async<Result<std::unique_ptr<net::Stream>>> RaftTransport::dial(std::string address) {
  DROVER_CO_TRY(auto to, net::Address::parse(address));
  DROVER_CO_TRY(auto stream, co_await network_.dial(to, options_.dial_timeout));
  if (options_.tls) {
    DROVER_CO_CHECK(co_await net::write_all(*stream, "\x04"));
    auto name = options_.verify_server_name ? "server." + options_.region + ".nomad" : std::string();
    DROVER_CO_TRY(stream, co_await net::tls_connect(options_.tls, std::move(stream), name));
  }
  std::string hello("\x02");
  hello += kMagic;
  put_be(hello, self_, 8);
  DROVER_CO_CHECK(co_await net::write_all(*stream, hello));
  co_return std::move(stream);
}

Async<void> RaftTransport::run(Peer& peer) {
  Duration backoff = kFirstBackoff;
  for (bool as_logged = false;; as_logged = !as_logged) {
    auto address = options_.seen_at && !as_logged ? options_.seen_at(peer.id) : std::string();
    if (address.empty()) address = peer.address;
    auto stream = co_await with_timeout(world_.loop, options_.dial_timeout, dial(address),
                                        Error(ErrorCode::kTimeout, "dial tcp " + address + ": i/o timeout"));
    Status ended;
    if (stream) {
      auto begun = world_.clock.monotonic();
      log_debug(kLog, "connected to peer", {{"peer", address}});
      ended = co_await pump(peer, **stream);
      // One that is ended at once is no better than none: another server may be there.
      if (world_.clock.monotonic() - begun >= kLasting) backoff = kFirstBackoff, as_logged = true;
    } else {
      ended = std::move(stream).error();
    }
    if (backoff == kFirstBackoff) log_warn(kLog, "no connection to peer", {{"peer", address}, {"error", ended.error().message}});
    peer.queue.clear();
    peer.bytes = 0;
    unreachable(peer.id);
    co_await sleep_for(world_.loop, backoff + world_.random.jitter(backoff));
    backoff = std::min(backoff * 2, kMaxBackoff);
    // What gathered while nobody was there is old by now; the engine repeats what matters.
    peer.queue.clear();
    peer.bytes = 0;
  }
}

namespace {

// Ends when the other side has: it never sends anything on this connection.
Async<Status> peer_ended(net::Stream& stream) {
  char byte;
  DROVER_CO_TRY(size_t n, co_await net::read_some(stream, &byte, 1));
  co_return Error(ErrorCode::kIo, n == 0 ? "EOF" : "unexpected bytes from peer");
}

}  // namespace

// Never ends well: the error says why the connection is over.
Async<Status> RaftTransport::pump(Peer& peer, net::Stream& stream) {
  std::optional<Error> over;
  Running watch([](net::Stream& s, Peer& p, Loop& loop, std::optional<Error>& over) -> Async<void> {
    over = (co_await peer_ended(s)).error();
    p.news.set_from_any_thread(loop, true);
  }(stream, peer, world_.loop, over));
  while (!over) {
    if (peer.queue.empty()) {
      peer.woken = false;
      peer.news = Promise<bool>();
      auto news = peer.news;
      co_await news;
      continue;
    }
    std::string batch;
    while (!peer.queue.empty() && batch.size() < kBatchBytes) {
      put_be(batch, peer.queue.front().size(), 4);
      batch += peer.queue.front();
      peer.bytes -= peer.queue.front().size();
      peer.queue.pop_front();
    }
    DROVER_CO_CHECK(co_await with_timeout(world_.loop, options_.write_timeout, net::write_all(stream, batch),
                                          Error(ErrorCode::kTimeout, "i/o timeout")));
  }
  co_return std::move(*over);
}

Async<void> RaftTransport::serve(std::unique_ptr<net::Stream> stream) {
  auto hello = co_await with_timeout(world_.loop, kHelloTimeout, net::read_exactly(*stream, kHelloBytes),
                                     Error(ErrorCode::kTimeout, "i/o timeout"));
  if (!hello || !hello->starts_with(kMagic)) {
    log_error(kLog, "a raft connection of another kind of server was refused", {{"remote_addr", stream->remote().str()}});
    co_return;
  }
  auto from = get_be(std::string_view(*hello).substr(kMagic.size()), 8);
  auto mine = newest_[from] = ++connections_;
  // Shared by all connections of the thread; never used across a suspension.
  thread_local std::unique_ptr<char[]> scratch = std::make_unique<char[]>(kReadBytes);
  std::string in;
  size_t at = 0;  // of `in`, already delivered
  for (;;) {
    auto a = stream->try_read(scratch.get(), kReadBytes);
    if (a.state == net::Attempt::kWait) {
      co_await stream->wait(a.event);
      continue;
    }
    if (a.state != net::Attempt::kDone) co_return;
    in.append(scratch.get(), a.size);
    while (in.size() - at >= 4) {
      auto size = get_be(std::string_view(in).substr(at), 4);
      if (size > options_.max_message) {
        log_error(kLog, "a raft message is too large", {{"remote_addr", stream->remote().str()}, {"bytes", std::to_string(size)}});
        co_return;
      }
      if (in.size() - at - 4 < size) break;
      if (newest_[from] != mine) co_return;
      if (replica_ && !replica_->receive(std::string_view(in).substr(at + 4, size))) {
        log_debug(kLog, "a raft connection for another server was ended", {{"remote_addr", stream->remote().str()}});
        co_return;
      }
      at += 4 + size;
    }
    if (at == in.size()) in.clear(), at = 0;
    else if (at > in.size() / 2) in.erase(0, std::exchange(at, 0));
  }
}

void RaftTransport::set_tls(net::TlsContextRef tls, bool verify) {
  options_.tls = std::move(tls);
  options_.verify_server_name = verify;
  for (auto& [id, peer] : peers_) world_.loop.post([old = std::shared_ptr<Peer>(std::move(peer))] {});
  peers_.clear();
}

}  // namespace drover::server
