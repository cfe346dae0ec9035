#include "net/memory_network.h"

#include <algorithm>
#include <deque>

#include "net/wait_list.h"

namespace drover::net {
namespace {

constexpr size_t kCapacity = 256 * 1024;  // bytes on the way in one direction

}  // namespace

struct MemoryNetwork::Impl : std::enable_shared_from_this<MemoryNetwork::Impl> {
  // One direction of a connection.
  struct Channel {
    std::string from, to;    // hosts
    std::string bytes;       // arrived
    std::string held;        // on the way while a host is cut off
    size_t on_way = 0;
    bool end_held = false, ended = false, reset = false;
    WaitList readers, writers;
  };
  using ChannelRef = std::shared_ptr<Channel>;
  struct Incoming {
    std::deque<std::unique_ptr<Stream>> streams;
    WaitList waiting;
    bool closed = false;
  };
  struct Mailbox {
    std::deque<Datagram::Packet> packets;
    WaitList waiting;
    bool closed = false;
  };

  Loop& loop;
  Duration latency;
  std::set<std::string> cut;
  std::map<std::string, std::unique_ptr<Network>> hosts;
  std::map<Address, std::weak_ptr<Incoming>> listeners;
  std::map<Address, std::weak_ptr<Mailbox>> mailboxes;
  std::vector<std::weak_ptr<Channel>> channels;
  uint16_t next_port = 40000;

  Impl(Loop& l, Duration d) : loop(l), latency(d) {}

  bool blocked(const std::string& a, const std::string& b) const { return cut.contains(a) || cut.contains(b); }

  void later(std::move_only_function<void()> fn) {
    if (latency <= Duration::zero()) return loop.post(std::move(fn));
    // The timer lives in its own callback's holder until it has fired.
    auto timer = std::make_shared<Timer>();
    *timer = loop.after(latency, [timer, fn = std::move(fn)]() mutable {
      auto keep = std::move(*timer);
      fn();
    });
  }
  void wake(const ChannelRef& c, WaitList Channel::* list) {
    if (!((*c).*list).empty()) loop.post([c, list] { ((*c).*list).resume_all(); });
  }
  void deliver(const ChannelRef& c, std::string bytes, bool end) {
    later([self = shared_from_this(), c, bytes = std::move(bytes), end] {
      if (self->blocked(c->from, c->to) || !c->held.empty()) {
        c->held += bytes;
        c->end_held |= end;
        return;
      }
      self->arrive(c, bytes, end);
    });
  }
  void arrive(const ChannelRef& c, std::string_view bytes, bool end) {
    c->bytes += bytes;
    c->on_way -= std::min(c->on_way, bytes.size());
    c->ended |= end;
    wake(c, &Channel::readers);
  }
  void release_held() {
    for (auto& weak : channels) {
      auto c = weak.lock();
      if (!c || blocked(c->from, c->to) || (c->held.empty() && !c->end_held)) continue;
      arrive(c, std::exchange(c->held, {}), std::exchange(c->end_held, false));
    }
  }
  void reset(const std::string& ip) {
    for (auto& weak : channels) {
      auto c = weak.lock();
      if (!c || (c->from != ip && c->to != ip)) continue;
      c->reset = true;
      wake(c, &Channel::readers);
      wake(c, &Channel::writers);
    }
  }
};

namespace {

using Impl = MemoryNetwork::Impl;

Error reset_error() { return {ErrorCode::kIo, "read: connection reset by peer"}; }

class End final : public Stream {
 public:
  End(std::shared_ptr<Impl> net, Impl::ChannelRef in, Impl::ChannelRef out, Address local, Address remote)
      : net_(std::move(net)), in_(std::move(in)), out_(std::move(out)), local_(std::move(local)), remote_(std::move(remote)) {}
  ~End() override { close(); }

  Attempt try_read(char* to, size_t size) override {
    if (closed_) return Attempt::failed({ErrorCode::kIo, "use of closed network connection"});
    if (in_->reset) return Attempt::failed(reset_error());
    if (in_->bytes.empty()) return in_->ended ? Attempt::end() : Attempt::wait(FdEvent::kReadable);
    size_t n = std::min(size, in_->bytes.size());
    std::copy_n(in_->bytes.data(), n, to);
    in_->bytes.erase(0, n);
    net_->wake(in_, &Impl::Channel::writers);
    return Attempt::done(n);
  }
  Attempt try_write(std::string_view bytes) override {
    if (closed_ || ended_) return Attempt::failed({ErrorCode::kIo, "use of closed network connection"});
    if (out_->reset) return Attempt::failed({ErrorCode::kIo, "write: broken pipe"});
    size_t used = out_->bytes.size() + out_->on_way;
    size_t n = std::min(bytes.size(), kCapacity - std::min(kCapacity, used));
    if (n == 0) return Attempt::wait(FdEvent::kWritable);
    out_->on_way += n;
    net_->deliver(out_, std::string(bytes.substr(0, n)), false);
    return Attempt::done(n);
  }
  Async<void> wait(FdEvent event) override {
    return [](Impl::ChannelRef c, bool read) -> Async<void> {
      bool ready = read ? !c->bytes.empty() || c->ended || c->reset : c->bytes.size() + c->on_way < kCapacity || c->reset;
      if (!ready) co_await (read ? c->readers : c->writers).wait();
    }(event == FdEvent::kReadable ? in_ : out_, event == FdEvent::kReadable);
  }
  void shutdown_write() override {
    if (std::exchange(ended_, true)) return;
    net_->deliver(out_, {}, true);
  }
  void close() override {
    if (std::exchange(closed_, true)) return;
    shutdown_write();
    net_->wake(in_, &Impl::Channel::readers);
    net_->wake(out_, &Impl::Channel::writers);
    // What the other end writes from now on goes nowhere.
    net_->later([c = in_, net = net_] {
      c->reset = true;
      net->wake(c, &Impl::Channel::writers);
    });
  }
  const Address& local() const override { return local_; }
  const Address& remote() const override { return remote_; }

 private:
  std::shared_ptr<Impl> net_;
  Impl::ChannelRef in_, out_;
  Address local_, remote_;
  bool closed_ = false, ended_ = false;
};

class MemoryListener final : public Listener {
 public:
  MemoryListener(std::shared_ptr<Impl> net, Address address) : net_(std::move(net)), address_(std::move(address)) {
    net_->listeners[address_] = incoming_;
  }
  ~MemoryListener() override { close(); }
  Async<Result<std::unique_ptr<Stream>>> accept() override {
    return [](std::shared_ptr<Impl::Incoming> in) -> Async<Result<std::unique_ptr<Stream>>> {
      while (in->streams.empty()) {
        if (in->closed) co_return Error(ErrorCode::kCancelled, "use of closed network connection");
        co_await in->waiting.wait();
      }
      auto s = std::move(in->streams.front());
      in->streams.pop_front();
      co_return std::move(s);
    }(incoming_);
  }
  const Address& address() const override { return address_; }
  void close() override {
    incoming_->closed = true;
    incoming_->streams.clear();
    auto it = net_->listeners.find(address_);
    if (it != net_->listeners.end() && it->second.lock() == incoming_) net_->listeners.erase(it);
    net_->loop.post([in = incoming_] { in->waiting.resume_all(); });
  }

 private:
  std::shared_ptr<Impl> net_;
  Address address_;
  std::shared_ptr<Impl::Incoming> incoming_ = std::make_shared<Impl::Incoming>();
};

class MemoryDatagram final : public Datagram {
 public:
  MemoryDatagram(std::shared_ptr<Impl> net, Address address) : net_(std::move(net)), address_(std::move(address)) {
    net_->mailboxes[address_] = box_;
  }
  ~MemoryDatagram() override { close(); }
  Async<Result<Packet>> receive() override {
    return [](std::shared_ptr<Impl::Mailbox> box) -> Async<Result<Packet>> {
      while (box->packets.empty()) {
        if (box->closed) co_return Error(ErrorCode::kCancelled, "use of closed network connection");
        co_await box->waiting.wait();
      }
      auto p = std::move(box->packets.front());
      box->packets.pop_front();
      co_return std::move(p);
    }(box_);
  }
  Status send(std::string_view bytes, const Address& to) override {
    net_->later([net = net_, packet = Packet{std::string(bytes), address_}, to]() mutable {
      if (net->blocked(packet.from.host, to.host)) return;
      auto it = net->mailboxes.find(to);
      auto box = it == net->mailboxes.end() ? nullptr : it->second.lock();
      if (!box || box->closed) return;
      box->packets.push_back(std::move(packet));
      net->loop.post([box] { box->waiting.resume_all(); });
    });
    return {};
  }
  const Address& address() const override { return address_; }
  void close() override {
    box_->closed = true;
    net_->loop.post([box = box_] { box->waiting.resume_all(); });
  }

 private:
  std::shared_ptr<Impl> net_;
  Address address_;
  std::shared_ptr<Impl::Mailbox> box_ = std::make_shared<Impl::Mailbox>();
};

class Host final : public Network {
 public:
  Host(std::weak_ptr<Impl> net, std::string ip) : net_(std::move(net)), ip_(std::move(ip)) {}
  Loop& loop() override { return net_.lock()->loop; }
  Result<std::unique_ptr<Listener>> listen(const Address& address) override {
    auto net = net_.lock();
    auto bound = bind(*net, address);
    if (auto it = net->listeners.find(bound); it != net->listeners.end() && !it->second.expired())
      return Error(ErrorCode::kIo, "listen tcp " + bound.str() + ": bind: address already in use");
    return std::make_unique<MemoryListener>(net, bound);
  }
  Result<std::unique_ptr<Datagram>> datagram(const Address& address) override {
    auto net = net_.lock();
    return std::make_unique<MemoryDatagram>(net, bind(*net, address));
  }
  Async<Result<std::unique_ptr<Stream>>> dial(Address address, Duration timeout) override {
    return connect(net_.lock(), Address::tcp(ip_, 0), std::move(address), timeout);
  }

 private:
  Address bind(Impl& net, Address a) const {
    a.host = ip_;
    if (a.port == 0) a.port = net.next_port++;
    return a;
  }
  static Async<Result<std::unique_ptr<Stream>>> connect(std::shared_ptr<Impl> net, Address local, Address to, Duration timeout) {
    local.port = net->next_port++;
    co_await sleep_for(net->loop, net->latency);
    if (net->blocked(local.host, to.host)) {
      co_await sleep_for(net->loop, timeout > Duration::zero() ? timeout : Duration(30s));
      co_return Error(ErrorCode::kTimeout, "dial tcp " + to.str() + ": i/o timeout");
    }
    auto it = net->listeners.find(to);
    auto in = it == net->listeners.end() ? nullptr : it->second.lock();
    if (!in || in->closed) co_return Error(ErrorCode::kUnavailable, "dial tcp " + to.str() + ": connect: connection refused");
    auto there = std::make_shared<Impl::Channel>(), back = std::make_shared<Impl::Channel>();
    there->from = back->to = local.host;
    there->to = back->from = to.host;
    std::erase_if(net->channels, [](auto& c) { return c.expired(); });
    net->channels.push_back(there);
    net->channels.push_back(back);
    in->streams.push_back(std::make_unique<End>(net, there, back, to, local));
    net->loop.post([in] { in->waiting.resume_all(); });
    co_return std::make_unique<End>(net, back, there, local, to);
  }

  std::weak_ptr<Impl> net_;
  std::string ip_;
};

}  // namespace

MemoryNetwork::MemoryNetwork(Loop& loop, Duration latency) : impl_(std::make_shared<Impl>(loop, latency)) {}
MemoryNetwork::~MemoryNetwork() = default;

Network& MemoryNetwork::host(const std::string& ip) {
  auto& h = impl_->hosts[ip];
  if (!h) h = std::make_unique<Host>(impl_, ip);
  return *h;
}

void MemoryNetwork::cut(const std::string& ip) { impl_->cut.insert(ip); }

void MemoryNetwork::heal(const std::string& ip) {
  impl_->cut.erase(ip);
  impl_->release_held();
}

void MemoryNetwork::kill(const std::string& ip) { impl_->reset(ip); }

}  // namespace drover::net
