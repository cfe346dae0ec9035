#include "net/memory_pipe.h"

#include <algorithm>

#include "net/wait_list.h"

namespace drover::net {
namespace {

// One direction.
struct Channel {
  std::string bytes;
  bool write_ended = false;
  bool read_closed = false;
  WaitList readers, writers;
};

class PipeEnd : public Stream {
 public:
  PipeEnd(Loop& loop, size_t capacity, std::shared_ptr<Channel> in, std::shared_ptr<Channel> out, std::string name)
      : loop_(loop), capacity_(capacity), in_(std::move(in)), out_(std::move(out)), address_(Address::unix_path(name)) {}
  ~PipeEnd() override { close(); }

  Attempt try_read(char* to, size_t size) override {
    if (closed_) return closed_error("read");
    if (in_->bytes.empty()) return in_->write_ended ? Attempt::end() : Attempt::wait(FdEvent::kReadable);
    size_t n = std::min(size, in_->bytes.size());
    std::copy_n(in_->bytes.data(), n, to);
    in_->bytes.erase(0, n);
    wake(in_, &Channel::writers);
    return Attempt::done(n);
  }
  Attempt try_write(std::string_view bytes) override {
    if (closed_) return closed_error("write");
    if (out_->read_closed || out_->write_ended) return Attempt::failed({ErrorCode::kIo, "write pipe: broken pipe"});
    size_t n = std::min(bytes.size(), capacity_ - out_->bytes.size());
    if (n == 0) return Attempt::wait(FdEvent::kWritable);
    out_->bytes += bytes.substr(0, n);
    wake(out_, &Channel::readers);
    return Attempt::done(n);
  }
  Async<void> wait(FdEvent event) override {
    bool read = event == FdEvent::kReadable;
    return wait_on(read ? in_ : out_, read, capacity_);
  }
  void shutdown_write() override {
    out_->write_ended = true;
    wake(out_, &Channel::readers);
  }
  void close() override {
    if (closed_) return;
    closed_ = true;
    in_->read_closed = true;
    wake(in_, &Channel::writers);
    wake(in_, &Channel::readers);
    wake(out_, &Channel::writers);
    shutdown_write();
  }
  const Address& local() const override { return address_; }
  const Address& remote() const override { return address_; }

 private:
  static Async<void> wait_on(std::shared_ptr<Channel> channel, bool read, size_t capacity) {
    auto& c = *channel;
    bool ready = read ? !c.bytes.empty() || c.write_ended || c.read_closed
                      : c.bytes.size() < capacity || c.read_closed || c.write_ended;
    if (!ready) co_await (read ? c.readers : c.writers).wait();
  }
  // Waiters resume from the loop, never within another flow's call.
  void wake(const std::shared_ptr<Channel>& channel, WaitList Channel::* list) {
    if (((*channel).*list).empty()) return;
    loop_.post([channel, list] { ((*channel).*list).resume_all(); });
  }
  static Attempt closed_error(const char* op) {
    return Attempt::failed({ErrorCode::kIo, std::string(op) + " pipe: use of closed network connection"});
  }

  Loop& loop_;
  size_t capacity_;
  std::shared_ptr<Channel> in_, out_;
  Address address_;
  bool closed_ = false;
};

}  // namespace

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_pipe(Loop& loop, size_t capacity) {
  auto a = std::make_shared<Channel>(), b = std::make_shared<Channel>();
  return {std::make_unique<PipeEnd>(loop, capacity, a, b, "pipe-a"),
          std::make_unique<PipeEnd>(loop, capacity, b, a, "pipe-b")};
}

}  // namespace drover::net
