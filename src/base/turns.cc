#include "base/turns.h"

#include <chrono>
#include <string>

#include "base/log.h"

namespace drover {
namespace {

constexpr Duration kLong = std::chrono::milliseconds(20), kTooLong = std::chrono::milliseconds(250);

Monotonic now() {
  return Monotonic(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

}  // namespace

TurnMeter& turn_meter() {
  thread_local TurnMeter meter;
  return meter;
}

void note_turn(std::string_view what) {
  if (auto& meter = turn_meter(); meter.active()) meter.note(now(), what);
}

Turn::Turn() { turn_meter().begin(now()); }

Turn::~Turn() {
  auto& meter = turn_meter();
  auto took = meter.end(now());
  if (took < kLong) return;
  log(took < kTooLong ? LogLevel::kDebug : LogLevel::kWarn, "loop", "a turn took long",
      {{"duration", format_duration(took)}, {"busy_with", std::string(meter.busy_with())}});
}

}  // namespace drover
