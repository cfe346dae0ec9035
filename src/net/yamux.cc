#include "net/yamux.h"

#include <map>

#include "base/cancel.h"
#include "net/wait_list.h"

namespace drover::net {

namespace {
constexpr size_t kReadBytes = 64 * 1024;
struct Waits {
  WaitList readers, writers;
};
}  // namespace

// Code of stream owners never runs within the session's own flows: they are woken by posted calls, so that an owner may
// destroy the session whenever it runs.
struct YamuxSession::Impl : std::enable_shared_from_this<YamuxSession::Impl> {
  Loop& loop;
  std::unique_ptr<Stream> connection;
  YamuxOptions options;
  YamuxCore core;
  std::map<uint32_t, std::shared_ptr<Waits>> waits;
  WaitList acceptors, writer, pongs, next_ping;
  uint32_t last_ping = 0, last_pong = 0;
  bool delivery_posted = false;
  Running reading, writing, pinging;

  Impl(Loop& l, std::unique_ptr<Stream> c, bool client, YamuxOptions o)
      : loop(l), connection(std::move(c)), options(o), core(client, o.limits) {}

  void start() {
    writing = Running(write_flow());
    reading = Running(read_flow());
    if (options.keepalive > Duration::zero()) pinging = Running(ping_flow());
  }
  // After any call into the core.
  void settle() {
    if (core.has_output()) writer.resume_all();
    if (!core.has_changes() || std::exchange(delivery_posted, true)) return;
    loop.post([self = shared_from_this()] { self->deliver(); });
  }
  void deliver() {
    delivery_posted = false;
    auto changes = core.take_changes();
    if (changes.pong) {
      last_pong = *changes.pong;
      pongs.resume_all();
    }
    if (changes.acceptable) acceptors.resume_all();
    for (auto id : changes.readable)
      if (auto w = find(id)) w->readers.resume_all();
    for (auto id : changes.writable)
      if (auto w = find(id)) w->writers.resume_all();
  }
  std::shared_ptr<Waits> find(uint32_t id) {
    auto it = waits.find(id);
    return it == waits.end() ? nullptr : it->second;
  }
  void end(Error why) {
    if (core.ended()) return;
    core.end(std::move(why));
    connection->close();
    settle();
  }

  Async<void> read_flow() {
    // Shared by all sessions of the thread; never used across a suspension.
    thread_local std::unique_ptr<char[]> scratch = std::make_unique<char[]>(kReadBytes);
    while (!core.ended()) {
      auto a = connection->try_read(scratch.get(), kReadBytes);
      if (a.state == Attempt::kWait) {
        co_await connection->wait(a.event);
      } else if (a.state == Attempt::kDone) {
        if (auto s = core.receive({scratch.get(), a.size}); !s) end(std::move(s).error());
        settle();
      } else {
        end(a.state == Attempt::kEnd ? Error(ErrorCode::kIo, "session shutdown") : std::move(a.error));
      }
    }
  }
  Async<void> write_flow() {
    while (!core.ended()) {
      if (!core.has_output()) {
        co_await writer.wait();
        continue;
      }
      std::string batch = core.take_output();
      std::string_view rest = batch;
      while (!rest.empty() && !core.ended()) {
        auto step = co_await with_timeout(loop, options.write_timeout, some(*connection, rest),
                                          Error(ErrorCode::kTimeout, "connection write timeout"));
        if (!step) {
          end(std::move(step).error());
          co_return;
        }
        rest.remove_prefix(*step);
      }
      core.wrote_output();
      if (core.has_changes()) settle_later();
    }
  }
  static Async<Result<size_t>> some(Stream& s, std::string_view bytes) {
    for (;;) {
      auto a = s.try_write(bytes);
      if (a.state == Attempt::kFailed) co_return std::move(a.error);
      if (a.state == Attempt::kDone) co_return a.size;
      co_await s.wait(a.event);
    }
  }
  // As settle, from within the writer itself.
  void settle_later() {
    if (std::exchange(delivery_posted, true)) return;
    loop.post([self = shared_from_this()] { self->deliver(); });
  }
  Async<void> ping_flow() {
    while (!core.ended()) {
      {
        Timer due = loop.after(options.keepalive, [this] { next_ping.resume_all(); });
        co_await next_ping.wait();
      }
      if (core.ended()) co_return;
      core.ping(++last_ping);
      settle();
      Timer late = loop.after(options.write_timeout, [this] { pongs.resume_all(); });
      while (last_pong != last_ping && !core.ended()) {
        auto before = last_pong;
        co_await pongs.wait();
        if (last_pong == before) break;
      }
      if (last_pong != last_ping) end(Error(ErrorCode::kTimeout, "keepalive timeout"));
    }
  }
};

namespace {

class YamuxStream : public Stream {
 public:
  YamuxStream(std::shared_ptr<YamuxSession::Impl> session, uint32_t id)
      : session_(std::move(session)), id_(id), waits_(std::make_shared<Waits>()) {
    session_->waits[id_] = waits_;
  }
  ~YamuxStream() override {
    session_->waits.erase(id_);
    session_->core.release(id_);
    session_->settle();
  }
  Attempt try_read(char* to, size_t size) override {
    if (closed_) return closed();
    auto a = session_->core.read(id_, to, size);
    session_->settle();
    return a;
  }
  Attempt try_write(std::string_view bytes) override {
    if (closed_) return closed();
    auto a = session_->core.write(id_, bytes);
    session_->settle();
    return a;
  }
  Async<void> wait(FdEvent event) override {
    return [](std::shared_ptr<Waits> w, FdEvent event) -> Async<void> {
      co_await (event == FdEvent::kReadable ? w->readers : w->writers).wait();
    }(waits_, event);
  }
  void shutdown_write() override {
    session_->core.finish(id_);
    session_->settle();
  }
  void close() override {
    if (std::exchange(closed_, true)) return;
    shutdown_write();
    session_->loop.post([w = waits_] {
      w->readers.resume_all();
      w->writers.resume_all();
    });
  }
  const Address& local() const override { return session_->connection->local(); }
  const Address& remote() const override { return session_->connection->remote(); }
  const PeerCertificate* peer_certificate() const override { return session_->connection->peer_certificate(); }

 private:
  static Attempt closed() { return Attempt::failed({ErrorCode::kIo, "stream closed"}); }
  std::shared_ptr<YamuxSession::Impl> session_;
  uint32_t id_;
  std::shared_ptr<Waits> waits_;
  bool closed_ = false;
};

}  // namespace

YamuxSession::YamuxSession(Loop& loop, std::unique_ptr<Stream> connection, bool client, YamuxOptions options)
    : impl_(std::make_shared<Impl>(loop, std::move(connection), client, options)) {
  impl_->start();
}

YamuxSession::~YamuxSession() { close(); }

void YamuxSession::close() {
  impl_->core.go_away();
  impl_->settle();
  impl_->end(Error(ErrorCode::kCancelled, "session shutdown"));
}

Result<std::unique_ptr<Stream>> YamuxSession::open() {
  DROVER_TRY(auto id, impl_->core.open());
  impl_->settle();
  return std::make_unique<YamuxStream>(impl_, id);
}

Async<Result<std::unique_ptr<Stream>>> YamuxSession::accept() {
  return [](std::shared_ptr<Impl> impl) -> Async<Result<std::unique_ptr<Stream>>> {
    for (;;) {
      if (auto id = impl->core.accept()) {
        impl->settle();
        co_return std::make_unique<YamuxStream>(impl, *id);
      }
      if (impl->core.ended()) co_return impl->core.end_error();
      co_await impl->acceptors.wait();
    }
  }(impl_);
}

void YamuxSession::probe() { impl_->next_ping.resume_all(); }

void YamuxSession::go_away() {
  impl_->core.go_away();
  impl_->settle();
}
bool YamuxSession::ended() const { return impl_->core.ended(); }
Error YamuxSession::end_error() const { return impl_->core.ended() ? impl_->core.end_error() : Error(); }
size_t YamuxSession::streams() const { return impl_->core.streams(); }
const Stream& YamuxSession::connection() const { return *impl_->connection; }

}  // namespace drover::net
