#include "net/memory_network.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "base/assert.h"
#include "base/later.h"
#include "net/wait_list.h"

namespace drover::net {

using namespace std::chrono_literals;

namespace {
constexpr size_t kCapacity = 256 * 1024;            // bytes on the way in one direction
constexpr Duration kGiveUpMin = 15s, kGiveUpMax = 60s;  // a connection over a cut direction breaks after it
constexpr Duration kDialDefault = 30s, kDialAgain = 1s;
}  // namespace

struct MemoryNetwork::Impl : std::enable_shared_from_this<MemoryNetwork::Impl> {
  struct Machine {
    std::string ip;
    Loop* loop = nullptr;
    bool off = false, cut_off = false;
    uint64_t boots = 0;  // connections of an earlier one are dead
    std::unique_ptr<Network> face;
  };
  // One direction of a connection: written by `from`, read by `to`.
  struct Channel {
    Machine *from, *to;
    uint64_t from_boot, to_boot;
    std::string bytes;                // arrived
    std::deque<std::pair<std::string, bool>> waiting;  // held back while the direction is cut; true: the end
    size_t on_way = 0;
    Monotonic last_arrival{};
    bool ended = false, reset = false, give_up_armed = false;
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

  MemoryNetwork& owner;
  Loop& loop;
  Random* random;  // null: nothing is left to chance
  std::map<std::string, Machine> machines;
  std::set<std::pair<std::string, std::string>> cuts;
  std::map<Address, std::weak_ptr<Incoming>> listeners;
  std::map<Address, std::weak_ptr<Mailbox>> mailboxes;
  std::vector<std::pair<std::weak_ptr<Channel>, std::weak_ptr<Channel>>> connections;
  uint16_t next_port = 20000;

  Impl(MemoryNetwork& o, Loop& l, Random* r) : owner(o), loop(l), random(r) {}

  Machine* find(const std::string& ip) {
    auto it = machines.find(ip);
    return it == machines.end() ? nullptr : &it->second;
  }
  bool passes(const Machine& from, const Machine& to) const {
    return !from.off && !to.off && !from.cut_off && !to.cut_off && !cuts.contains({from.ip, to.ip});
  }
  bool alive(const Channel& c) const { return c.from->boots == c.from_boot && c.to->boots == c.to_boot; }
  bool chance(double p) { return random && static_cast<double>(random->next() >> 11) * 0x1p-53 < p; }
  Duration between(Duration lo, Duration hi) { return random ? lo + random->jitter(hi - lo) : lo; }
  Duration delay() { return between(owner.quality.delay_min, owner.quality.delay_max); }
  void wake(const ChannelRef& c, bool readers) {
    auto& list = readers ? c->readers : c->writers;
    if (list.empty()) return;
    auto* machine = readers ? c->to : c->from;
    machine->loop->post([c, readers] { (readers ? c->readers : c->writers).resume_all(); });
  }
  void told(const std::string& from, const std::string& to, size_t bytes) {
    owner.pieces++;
    if (owner.watch) owner.watch(from, to, bytes);
  }

  void send(const ChannelRef& c, std::string bytes, bool end) {
    if (c->from->off || c->from->boots != c->from_boot) return;
    told(c->from->ip, c->to->ip, bytes.size());
    auto& q = owner.quality;
    if (q.reset > 0 && chance(q.reset)) break_connection(c);
    Duration d = delay();
    if (q.stall > 0 && chance(q.stall)) d += between(200ms, 1s);
    c->last_arrival = std::max(c->last_arrival, loop.clock().monotonic() + d);
    later(loop, c->last_arrival - loop.clock().monotonic(), [self = shared_from_this(), c, bytes = std::move(bytes), end]() mutable {
      if (c->waiting.empty() && self->passes(*c->from, *c->to)) return self->arrive(c, bytes, end);
      c->waiting.emplace_back(std::move(bytes), end);
      self->arm_give_up(c);
    });
  }
  void arrive(const ChannelRef& c, std::string_view bytes, bool end) {
    c->on_way -= std::min(c->on_way, bytes.size());
    if (!alive(*c)) {
      // The other end was restarted and does not know the connection.
      if (!c->from->off && !c->to->off) break_connection(c);
      return;
    }
    c->bytes += bytes;
    c->ended |= end;
    wake(c, true);
  }
  void release() {
    for (auto& [a, b] : connections)
      for (auto& weak : {a, b}) {
        auto c = weak.lock();
        if (!c || !passes(*c->from, *c->to)) continue;
        while (!c->waiting.empty()) {
          auto [bytes, end] = std::move(c->waiting.front());
          c->waiting.pop_front();
          arrive(c, bytes, end);
        }
      }
  }
  void arm_give_up(const ChannelRef& c) {
    if (std::exchange(c->give_up_armed, true)) return;
    later(loop, between(kGiveUpMin, kGiveUpMax), [self = shared_from_this(), c] {
      c->give_up_armed = false;
      if (!c->waiting.empty()) self->break_connection(c);
    });
  }
  void break_channel(const ChannelRef& c) {
    c->reset = true;
    c->waiting.clear();
    wake(c, true);
    wake(c, false);
  }
  void break_connection(const ChannelRef& one) {
    for (auto& [a, b] : connections) {
      auto x = a.lock(), y = b.lock();
      if (x != one && y != one) continue;
      if (x) break_channel(x);
      if (y) break_channel(y);
      return;
    }
    break_channel(one);
  }
  void break_all(const std::string& ip) {
    std::erase_if(connections, [](auto& c) { return c.first.expired() && c.second.expired(); });
    for (auto& [a, b] : connections)
      for (auto& weak : {a, b})
        if (auto c = weak.lock(); c && (c->from->ip == ip || c->to->ip == ip)) break_channel(c);
  }
};

namespace {

using Impl = MemoryNetwork::Impl;

class End final : public Stream {
 public:
  End(std::shared_ptr<Impl> net, Impl::ChannelRef in, Impl::ChannelRef out, Address local, Address remote)
      : net_(std::move(net)), in_(std::move(in)), out_(std::move(out)), local_(std::move(local)), remote_(std::move(remote)) {}
  ~End() override { close(); }

  Attempt try_read(char* to, size_t size) override {
    if (closed_) return Attempt::failed({ErrorCode::kIo, "use of closed network connection"});
    if (in_->reset) return Attempt::failed({ErrorCode::kIo, "read: connection reset by peer"});
    if (in_->bytes.empty()) return in_->ended ? Attempt::end() : Attempt::wait(FdEvent::kReadable);
    size_t n = std::min(size, in_->bytes.size());
    std::copy_n(in_->bytes.data(), n, to);
    in_->bytes.erase(0, n);
    net_->wake(in_, false);
    return Attempt::done(n);
  }
  Attempt try_write(std::string_view bytes) override {
    if (closed_ || ended_) return Attempt::failed({ErrorCode::kIo, "use of closed network connection"});
    if (out_->reset) return Attempt::failed({ErrorCode::kIo, "write: broken pipe"});
    size_t used = out_->bytes.size() + out_->on_way;
    size_t n = std::min(bytes.size(), kCapacity - std::min(kCapacity, used));
    if (n == 0) return Attempt::wait(FdEvent::kWritable);
    out_->on_way += n;
    net_->send(out_, std::string(bytes.substr(0, n)), false);
    return Attempt::done(n);
  }
  Async<void> wait(FdEvent event) override {
    return [](Impl::ChannelRef c, bool read) -> Async<void> {
      bool ready = read ? !c->bytes.empty() || c->ended || c->reset : c->bytes.size() + c->on_way < kCapacity || c->reset;
      if (!ready) co_await (read ? c->readers : c->writers).wait();
    }(event == FdEvent::kReadable ? in_ : out_, event == FdEvent::kReadable);
  }
  void shutdown_write() override {
    if (!std::exchange(ended_, true)) net_->send(out_, {}, true);
  }
  void close() override {
    if (std::exchange(closed_, true)) return;
    shutdown_write();
    net_->wake(in_, true);
    net_->wake(out_, false);
    // What the other end writes from now on is answered by a reset.
    if (in_->to->off) return;
    later(net_->loop, net_->delay(), [c = in_, net = net_] {
      c->reset = true;
      net->wake(c, false);
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

class Port final : public Listener {
 public:
  Port(std::shared_ptr<Impl> net, Impl::Machine& machine, Address address)
      : net_(std::move(net)), machine_(machine), address_(std::move(address)) {
    net_->listeners[address_] = incoming_;
  }
  ~Port() override { close(); }
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
    machine_.loop->post([in = incoming_] { in->waiting.resume_all(); });
  }

 private:
  std::shared_ptr<Impl> net_;
  Impl::Machine& machine_;
  Address address_;
  std::shared_ptr<Impl::Incoming> incoming_ = std::make_shared<Impl::Incoming>();
};

class Box final : public Datagram {
 public:
  Box(std::shared_ptr<Impl> net, Impl::Machine& machine, Address address)
      : net_(std::move(net)), machine_(machine), address_(std::move(address)) {
    net_->mailboxes[address_] = box_;
  }
  ~Box() override { close(); }
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
    if (machine_.off) return {};
    net_->told(machine_.ip, to.host, bytes.size());
    auto& q = net_->owner.quality;
    if (net_->chance(q.loss)) return {};
    for (int copies = net_->chance(q.duplicate) ? 2 : 1; copies > 0; copies--) {
      later(net_->loop, net_->delay(), [net = net_, packet = Packet{std::string(bytes), address_}, to]() mutable {
        auto *from = net->find(packet.from.host), *target = net->find(to.host);
        if (!from || !target || !net->passes(*from, *target)) return;
        auto it = net->mailboxes.find(to);
        auto box = it == net->mailboxes.end() ? nullptr : it->second.lock();
        if (!box || box->closed) return;
        box->packets.push_back(std::move(packet));
        target->loop->post([box] { box->waiting.resume_all(); });
      });
    }
    return {};
  }
  const Address& address() const override { return address_; }
  void close() override {
    box_->closed = true;
    machine_.loop->post([box = box_] { box->waiting.resume_all(); });
  }

 private:
  std::shared_ptr<Impl> net_;
  Impl::Machine& machine_;
  Address address_;
  std::shared_ptr<Impl::Mailbox> box_ = std::make_shared<Impl::Mailbox>();
};

class Face final : public Network {
 public:
  Face(std::weak_ptr<Impl> net, Impl::Machine& machine) : net_(std::move(net)), machine_(machine) {}
  Loop& loop() override { return *machine_.loop; }
  Result<std::unique_ptr<Listener>> listen(const Address& address) override {
    auto net = net_.lock();
    auto bound = bind(*net, address);
    if (auto it = net->listeners.find(bound); it != net->listeners.end() && !it->second.expired())
      return Error(ErrorCode::kIo, "listen tcp " + bound.str() + ": bind: address already in use");
    return std::make_unique<Port>(net, machine_, bound);
  }
  Result<std::unique_ptr<Datagram>> datagram(const Address& address) override {
    auto net = net_.lock();
    return std::make_unique<Box>(net, machine_, bind(*net, address));
  }
  Async<Result<std::unique_ptr<Stream>>> dial(Address address, Duration timeout) override {
    return connect(net_.lock(), machine_, std::move(address), timeout);
  }

 private:
  Address bind(Impl& net, Address a) const {
    a.host = machine_.ip;
    if (a.port == 0) a.port = net.next_port++;
    return a;
  }
  static Async<Result<std::unique_ptr<Stream>>> connect(std::shared_ptr<Impl> net, Impl::Machine& from, Address to, Duration timeout) {
    auto local = Address::tcp(from.ip, net->next_port++);
    auto* target = net->find(to.host);
    auto deadline = from.loop->clock().monotonic() + (timeout > Duration::zero() ? timeout : kDialDefault);
    co_await sleep_for(*from.loop, net->delay() + net->delay());
    while (target && (!net->passes(from, *target) || !net->passes(*target, from))) {
      if (from.loop->clock().monotonic() >= deadline) co_return Error(ErrorCode::kTimeout, "dial tcp " + to.str() + ": i/o timeout");
      co_await sleep_for(*from.loop, std::min(kDialAgain, deadline - from.loop->clock().monotonic()));
    }
    auto it = net->listeners.find(to);
    auto in = it == net->listeners.end() ? nullptr : it->second.lock();
    if (!target || !in || in->closed) co_return Error(ErrorCode::kUnavailable, "dial tcp " + to.str() + ": connect: connection refused");
    auto there = std::make_shared<Impl::Channel>(), back = std::make_shared<Impl::Channel>();
    there->from = back->to = &from;
    there->to = back->from = target;
    there->from_boot = back->to_boot = from.boots;
    there->to_boot = back->from_boot = target->boots;
    std::erase_if(net->connections, [](auto& c) { return c.first.expired() && c.second.expired(); });
    net->connections.emplace_back(there, back);
    in->streams.push_back(std::make_unique<End>(net, there, back, to, local));
    target->loop->post([in] { in->waiting.resume_all(); });
    co_return std::make_unique<End>(net, back, there, local, to);
  }

  std::weak_ptr<Impl> net_;
  Impl::Machine& machine_;
};

}  // namespace

MemoryNetwork::MemoryNetwork(Loop& loop, Duration latency) : impl_(std::make_shared<Impl>(*this, loop, nullptr)) {
  quality.delay_min = quality.delay_max = latency;
}
MemoryNetwork::MemoryNetwork(Loop& loop, Random& random) : impl_(std::make_shared<Impl>(*this, loop, &random)) {}
MemoryNetwork::~MemoryNetwork() = default;

Network& MemoryNetwork::host(const std::string& ip) {
  auto* known = impl_->find(ip);
  return known ? *known->face : host(ip, impl_->loop);
}

Network& MemoryNetwork::host(const std::string& ip, Loop& own) {
  auto [it, fresh] = impl_->machines.try_emplace(ip);
  DROVER_ASSERT(fresh, "a machine has one loop");
  auto& m = it->second;
  m.ip = ip;
  m.loop = &own;
  m.face = std::make_unique<Face>(impl_, m);
  return *m.face;
}

void MemoryNetwork::cut(const std::string& from, const std::string& to) { impl_->cuts.insert({from, to}); }

void MemoryNetwork::heal(const std::string& from, const std::string& to) {
  if (impl_->cuts.erase({from, to})) impl_->release();
}

void MemoryNetwork::cut(const std::string& ip) { impl_->find(ip)->cut_off = true; }

void MemoryNetwork::heal(const std::string& ip) {
  impl_->find(ip)->cut_off = false;
  impl_->release();
}

void MemoryNetwork::heal_all() {
  impl_->cuts.clear();
  for (auto& [ip, m] : impl_->machines) m.cut_off = false;
  impl_->release();
}

void MemoryNetwork::power_off(const std::string& ip) { impl_->find(ip)->off = true; }

void MemoryNetwork::power_on(const std::string& ip) {
  auto* m = impl_->find(ip);
  m->off = false;
  m->boots++;
  impl_->release();
}

void MemoryNetwork::reset(const std::string& ip) { impl_->break_all(ip); }

}  // namespace drover::net
