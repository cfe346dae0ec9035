// A pool of SerfCores on virtual time, for tests: packets and streams travel through a network that delays, loses and
// parts. The same seed gives the same run.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/sim_loop.h"
#include "gossip/serf_core.h"

namespace drover::gossip {

class PoolSim {
 public:
  explicit PoolSim(uint64_t seed) : random_(seed) {}

  struct Peer {
    std::string name;
    std::unique_ptr<SimRandom> random;
    std::unique_ptr<SerfCore> core;
    std::vector<Event> events;
    bool up = true;
    bool stopped = false;          // StopAll came
    std::string keyring_json;      // what was last written
  };

  // Node i has the address 10.0.0.<i+1>:4648, unless `change` says otherwise.
  Peer& add(const std::string& name, const std::function<void(Config&)>& change = {}) {
    auto peer = std::make_unique<Peer>();
    peer->name = name;
    peer->random = std::make_unique<SimRandom>(random_.next());
    Config c;
    c.node_name = name;
    c.tags = {{"role", "nomad"}};
    c.advertise_addr = "10.0." + std::to_string(peers_.size() / 200) + "." + std::to_string(peers_.size() % 200 + 1);
    c.advertise_port = 4648;
    if (change) change(c);
    auto made = SerfCore::create(c, {.random = *peer->random, .write_keyring = [p = peer.get()](const std::string& json) -> Status {
                                       p->keyring_json = json;
                                       return {};
                                     }});
    DROVER_ASSERT(made, "the configuration of a test is good");
    peer->core = std::move(*made);
    peer->core->start(now_);
    auto& out = *peer;
    by_address_[c.advertise_addr + ":" + std::to_string(c.advertise_port)] = peer.get();
    peers_.push_back(std::move(peer));
    perform(out);
    return out;
  }

  void join(Peer& a, Peer& b, Status* result = nullptr) {
    a.core->join(b.core->memberlist().self().at, now_, [this, &a, result](Status s) {
      if (s) a.core->announce_join(now_);
      if (result) *result = std::move(s);
    });
    perform(a);
  }

  void run(Duration d) {
    for (auto end = now_ + d; step(end);) {}
  }
  // False when `limit` passes first.
  bool run_until(const std::function<bool()>& done, Duration limit) {
    auto end = now_ + limit;
    while (!done())
      if (!step(end)) return done();
    return true;
  }
  void perform(Peer& p) {
    for (auto effects = p.core->take_effects(); !effects.empty(); effects = p.core->take_effects())
      for (auto& e : effects) perform(p, e);
  }

  void kill(Peer& p) { p.up = false; }
  // Nodes of different sides do not reach each other.
  void part(std::set<std::string> side) { side_ = std::move(side); }
  void heal() { side_.clear(); }

  std::string status(Peer& p, const std::string& of) {
    auto m = p.core->member(of);
    return m ? std::string(status_text(m->status)) : "";
  }
  bool all_see(const std::string& of, const std::string& wanted) {
    for (auto& p : peers_)
      if (p->up && p->name != of && status(*p, of) != wanted) return false;
    return true;
  }
  size_t count(Peer& p, const std::string& wanted) {
    size_t n = 0;
    for (auto& m : p.core->members()) n += status_text(m.status) == wanted;
    return n;
  }
  std::vector<std::unique_ptr<Peer>>& peers() { return peers_; }
  Monotonic now() const { return now_; }

  double loss = 0;                     // of packets
  Duration delay_max = 20ms;
  std::function<bool(const std::string& from, const std::string& to)> drop_packet;
  uint64_t packets = 0, bytes = 0;
  size_t largest = 0;

 private:
  bool reaches(const Peer& a, const Peer& b) const { return b.up && a.up && side_.contains(a.name) == side_.contains(b.name); }
  Peer* at(const Endpoint& e) {
    auto it = by_address_.find(endpoint_text(e));
    return it == by_address_.end() ? nullptr : it->second;
  }
  void later(Duration d, std::function<void()> fn) { queue_.emplace(now_ + d, std::move(fn)); }

  bool step(Monotonic end) {
    auto next = queue_.empty() ? end : queue_.begin()->first;
    Peer* ticking = nullptr;
    for (auto& p : peers_) {
      if (!p->up) continue;
      if (auto t = p->core->next_tick(); t && *t < next) next = *t, ticking = p.get();
    }
    if (next >= end) {
      now_ = end;
      return false;
    }
    now_ = std::max(now_, next);
    if (ticking) {
      ticking->core->tick(now_);
      perform(*ticking);
    } else {
      auto item = queue_.extract(queue_.begin());
      item.mapped()();
    }
    return true;
  }

  void perform(Peer& p, Effect& e) {
    if (auto* send = std::get_if<SendPacket>(&e)) {
      ++packets;
      bytes += send->bytes.size();
      largest = std::max(largest, send->bytes.size());
      auto* to = at(send->to);
      if (!to || !reaches(p, *to) || (drop_packet && drop_packet(p.name, to->name))) return;
      if (loss > 0 && static_cast<double>(random_.below(1000)) < loss * 1000) return;
      later(random_.jitter(delay_max), [this, to, from = p.core->memberlist().self().at, b = std::move(send->bytes)] {
        if (!to->up) return;
        to->core->packet(b, from, now_);
        perform(*to);
      });
    } else if (auto* x = std::get_if<Exchange>(&e)) {
      auto* to = at(x->to);
      if (!to || !reaches(p, *to)) {
        later(x->timeout, [this, &p, id = x->id] { answer(p, id, Error(ErrorCode::kTimeout, "i/o timeout")); });
        return;
      }
      later(random_.jitter(delay_max), [this, &p, to, id = x->id, b = std::move(x->bytes)] { talk(p, *to, id, b); });
    } else if (auto* emit = std::get_if<Emit>(&e)) {
      p.events.push_back(std::move(emit->event));
    } else if (auto* complete = std::get_if<Complete>(&e)) {
      complete->run();
    } else {
      p.stopped = true;
      p.up = false;
    }
  }

  static Result<StreamMessage> read(StreamReader& reader, const std::string& bytes) {
    if (reader.feed(bytes) != StreamReader::State::kDone) return invalid(reader.error().empty() ? "EOF" : reader.error());
    return std::move(reader.message());
  }

  void talk(Peer& from, Peer& to, uint64_t id, const std::string& bytes) {
    if (!to.up) return answer(from, id, Error(ErrorCode::kIo, "connection refused"));
    StreamReader in(to.core->envelope(), Direction::kOpening);
    auto message = read(in, bytes);
    std::string reply;
    if (message) reply = to.core->stream_message(std::move(*message), now_);
    else if (in.tell_peer()) reply = to.core->stream_error(message.error().message);
    perform(to);
    later(random_.jitter(delay_max), [this, &from, id, reply] {
      StreamReader out(from.core->envelope(), Direction::kAnswer);
      answer(from, id, read(out, reply));
    });
  }
  void answer(Peer& p, uint64_t id, Result<StreamMessage> r) {
    if (!p.up) return;
    p.core->exchange_done(id, std::move(r), now_);
    perform(p);
  }

  SimRandom random_;
  Monotonic now_{Duration(1'000'000'000)};
  std::vector<std::unique_ptr<Peer>> peers_;
  std::map<std::string, Peer*> by_address_;
  std::multimap<Monotonic, std::function<void()>> queue_;
  std::set<std::string> side_;
};

}  // namespace drover::gossip
