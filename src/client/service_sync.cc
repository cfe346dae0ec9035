#include "client/service_sync.h"

#include <algorithm>

#include "base/log.h"

namespace drover::client {

namespace {

constexpr std::string_view kLog = "client.service_registration.nomad";
constexpr Duration kRetryFirst = std::chrono::seconds(1), kRetryMost = std::chrono::seconds(30);
constexpr size_t kBatch = 500;

bool is_gone(const Error& e) { return e.message.find("service registration not found") != std::string::npos; }

}  // namespace

void ServiceSync::start(Identity identity) {
  identity_ = std::move(identity);
  flow_ = Running(flow());
}

void ServiceSync::put(const WorkloadKey& key, List<ServiceRegistration> services) {
  for (auto& [id, e] : entries_) {
    bool kept = std::any_of(services.begin(), services.end(), [&](auto& s) { return s.ID == id; });
    if (e.key != key || kept || e.state == State::kUnwanted) continue;
    e.state = State::kUnwanted;
    e.serial = ++serial_;
  }
  for (auto& s : services) {
    auto& e = entries_[s.ID];
    if (e.serial != 0 && e.state != State::kUnwanted && e.service == s) continue;
    e = {key, s, State::kWanted, ++serial_};
  }
  changed();
}

void ServiceSync::remove(const WorkloadKey& key, std::string_view ns, const std::vector<std::string>& ids) {
  for (auto& id : ids) {
    if (entries_.contains(id)) continue;
    entries_[id].key = key;
    entries_[id].service.Namespace = ns;
  }
  for (auto& [id, e] : entries_) {
    if (e.key != key || (e.state == State::kUnwanted && e.serial)) continue;
    e.state = State::kUnwanted;
    e.serial = ++serial_;
  }
  changed();
}

void ServiceSync::register_again() {
  for (auto& [id, e] : entries_)
    if (e.state == State::kRegistered) {
      e.state = State::kWanted;
      e.serial = ++serial_;
    }
  changed();
}

void ServiceSync::changed() {
  dirty_ = true;
  if (idle_) std::exchange(idle_, std::nullopt)->set_from_any_thread(world_.loop, true);
}

bool ServiceSync::pending(const WorkloadKey& key) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](auto& e) { return e.second.key == key && e.second.state != State::kRegistered; });
}

Async<void> ServiceSync::settled(WorkloadKey key, Duration limit) {
  if (!pending(key)) co_return;
  Promise<bool> promise;
  waiters_.push_back({std::move(key), promise});
  auto timer = world_.loop.after(limit, [promise]() mutable { promise.set(false); });
  co_await promise;
}

void ServiceSync::tell_waiters() {
  std::erase_if(waiters_, [&](auto& w) {
    if (!w.promise.ready() && pending(w.key)) return false;
    w.promise.set_from_any_thread(world_.loop, true);
    return true;
  });
}

Async<void> ServiceSync::flow() {
  Duration retry = kRetryFirst;
  for (;;) {
    if (!dirty_) {
      idle_.emplace();
      auto news = *idle_;
      co_await news;
    }
    dirty_ = false;
    bool removed = co_await remove_all();
    bool registered = co_await register_batch();
    tell_waiters();
    if (removed && registered) {
      retry = kRetryFirst;
      continue;
    }
    dirty_ = true;
    co_await sleep_for(world_.loop, retry + Duration(static_cast<int64_t>(world_.random.next() % 1'000'000'000)));
    retry = std::min(retry * 2, kRetryMost);
  }
}

Async<bool> ServiceSync::register_batch() {
  for (;;) {
    rpc::ServiceRegistrationUpsertRequest request;
    request.Region = identity_.region;
    request.AuthToken = identity_.secret;
    std::vector<std::pair<std::string, uint64_t>> sent;
    for (auto& [id, e] : entries_)
      if (e.state == State::kWanted && sent.size() < kBatch) {
        request.Services.push_back(e.service);
        sent.emplace_back(id, e.serial);
      }
    if (sent.empty()) co_return true;
    auto answer = co_await server_.call(rpc::kServiceRegistrationUpsert, std::move(request));
    if (!answer) {
      log_error(kLog, "failed to register services", {{"error", answer.error().message}});
      co_return false;
    }
    for (auto& [id, serial] : sent)
      if (auto it = entries_.find(id); it != entries_.end() && it->second.serial == serial) it->second.state = State::kRegistered;
  }
}

Async<bool> ServiceSync::remove_all() {
  std::vector<std::pair<std::string, uint64_t>> gone;
  for (auto& [id, e] : entries_)
    if (e.state == State::kUnwanted) gone.emplace_back(id, e.serial);
  bool all = true;
  for (auto& [id, serial] : gone) {
    auto it = entries_.find(id);
    if (it == entries_.end() || it->second.serial != serial) continue;
    rpc::ServiceRegistrationDeleteByIDRequest request;
    request.Region = identity_.region;
    request.Namespace = it->second.service.Namespace;
    request.AuthToken = identity_.secret;
    request.ID = id;
    auto answer = co_await server_.call(rpc::kServiceRegistrationDeleteByID, std::move(request));
    if (!answer && !is_gone(answer.error())) {
      log_error(kLog, "failed to deregister service", {{"service_id", id}, {"error", answer.error().message}});
      all = false;
      continue;
    }
    it = entries_.find(id);
    if (it != entries_.end() && it->second.serial == serial) entries_.erase(it);
  }
  co_return all;
}

}  // namespace drover::client
