#include "client/driver_manager.h"

namespace drover::client {

bool apply_driver_fingerprint(Node& node, const std::string& driver, const drivers::Fingerprint& fingerprint, Time now,
                              std::optional<NodeEvent>& health_event) {
  DriverInfo info;
  info.Attributes = Map<std::string>::empty_map();
  for (auto& [key, value] : fingerprint.attributes) info.Attributes.set(key, value);
  info.Detected = fingerprint.health != drivers::Health::kUndetected;
  info.Healthy = fingerprint.health == drivers::Health::kHealthy;
  info.HealthDescription = fingerprint.description;
  info.UpdateTime = now;

  auto* old = node.Drivers.find(driver);
  if (old) {
    DriverInfo same = info;
    same.UpdateTime = old->UpdateTime;
    if (same == *old) return false;
    if (old->Healthy != info.Healthy) {
      NodeEvent event;
      event.Subsystem = "Driver";
      event.Message = info.HealthDescription;
      event.Details.set("driver", driver);
      event.Timestamp = now;
      health_event = std::move(event);
    }
    for (auto& [key, value] : old->Attributes) node.Attributes.erase(key);
  }
  node.Attributes.erase("driver." + driver);
  for (auto& [key, value] : drivers::node_attributes(driver, fingerprint)) node.Attributes.set(key, value);
  node.Drivers.set(driver, std::move(info));
  return true;
}

DriverManager::DriverManager(World& world, const Config& config, std::vector<std::unique_ptr<drivers::Driver>> all,
                             Changed changed)
    : world_(world), changed_(std::move(changed)), first_(world.loop) {
  auto filter = driver_filter(config);
  for (auto& driver : all)
    if (filter.admits(driver->name())) drivers_.push_back(std::move(driver));
}

void DriverManager::start() {
  waiting_ = drivers_.size();
  if (waiting_ == 0) first_.set();
  for (auto& driver : drivers_) flows_.start(watch(driver.get()));
}

Async<void> DriverManager::watch(drivers::Driver* driver) {
  bool first = true;
  for (;;) {
    auto fingerprint = co_await driver->fingerprint();
    changed_(std::string(driver->name()), fingerprint);
    if (std::exchange(first, false) && --waiting_ == 0) first_.set();
    // A driver without a period answers when it has news; the least wait keeps a faulty one from spinning.
    constexpr Duration kLeast = std::chrono::milliseconds(100);
    co_await sleep_for(world_.loop, std::max(driver->fingerprint_period(), kLeast));
  }
}

Async<void> DriverManager::wait_first(Duration limit) {
  auto timer = world_.loop.after(limit, [this] { first_.set(); });
  co_await first_.wait();
}

drivers::Driver* DriverManager::find(std::string_view name) const {
  for (auto& driver : drivers_)
    if (driver->name() == name) return driver.get();
  return nullptr;
}

}  // namespace drover::client
