#include "client/heartbeat.h"

#include <algorithm>

namespace drover::client {

namespace {

Duration part(Duration d, uint64_t random) {
  return d <= Duration::zero() ? Duration::zero() : Duration(static_cast<int64_t>(random % static_cast<uint64_t>(d.count())));
}

}  // namespace

Duration retry_interval(Duration base, bool dev_mode, uint64_t random) {
  return dev_mode ? Duration(std::chrono::seconds(1)) : base + part(base, random);
}

Duration heartbeat_retry(std::optional<Duration> since, Duration ttl, bool no_leader, bool dev_mode, uint64_t random) {
  using namespace std::chrono;
  if (!since || no_leader) return retry_interval(kRegisterRetry, dev_mode, random);
  auto soon = [&] { return seconds(1) + part(seconds(1), random); };
  Duration left = ttl - *since;
  if (left < -seconds(30)) left = -left;
  else if (left < Duration::zero()) return soon();
  auto stagger = part(left, random);
  if (stagger < seconds(1)) return soon();
  if (stagger > seconds(30)) return seconds(25) + part(seconds(5), random);
  return stagger;
}

std::vector<Uuid> DisconnectStop::due(Monotonic now) const {
  std::vector<Uuid> out;
  for (auto& [id, interval] : intervals_)
    if (expired(interval, now)) out.push_back(id);
  return out;
}

std::optional<Duration> DisconnectStop::poll_interval() const {
  if (intervals_.empty()) return std::nullopt;
  Duration shortest = std::chrono::seconds(5);
  for (auto& [id, interval] : intervals_) shortest = std::min(shortest, interval);
  return shortest;
}

}  // namespace drover::client
