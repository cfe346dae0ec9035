#include "gossip/coordinates.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace drover::gossip {
namespace {

constexpr size_t kDimensions = 8, kAdjustmentWindow = 20, kLatencyFilter = 3;
constexpr double kErrorMax = 1.5, kErrorGain = 0.25, kForceGain = 0.25, kHeightMin = 10e-6, kGravityRho = 150, kTiny = 1e-6;
constexpr Duration kRttMax = 10s;

Coordinate fresh() { return {std::vector<double>(kDimensions, 0.0), kErrorMax, 0, kHeightMin}; }

double length(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += x * x;
  return std::sqrt(sum);
}
std::vector<double> between(const std::vector<double>& a, const std::vector<double>& b) {
  auto out = a;
  for (size_t i = 0; i < out.size(); ++i) out[i] -= b[i];
  return out;
}
double raw_distance(const Coordinate& a, const Coordinate& b) { return length(between(a.Vec, b.Vec)) + a.Height + b.Height; }

bool finite(const Coordinate& c) {
  return std::all_of(c.Vec.begin(), c.Vec.end(), [](double x) { return std::isfinite(x); }) && std::isfinite(c.Error) &&
         std::isfinite(c.Adjustment) && std::isfinite(c.Height);
}

}  // namespace

Coordinates::Coordinates(Random& random) : random_(random), own_(fresh()), origin_(fresh()), adjustments_(kAdjustmentWindow, 0.0) {}

double Coordinates::distance(const Coordinate& a, const Coordinate& b) {
  double d = raw_distance(a, b), adjusted = d + a.Adjustment + b.Adjustment;
  return adjusted > 0 ? adjusted : d;
}

// Moves `c` away from `from` by `force` (towards it when negative).
void Coordinates::push(Coordinate& c, double force, const Coordinate& from) {
  auto direction = between(c.Vec, from.Vec);
  double apart = length(direction), scale = apart;
  if (apart <= kTiny) {
    // In one place: any direction will do.
    for (auto& x : direction) x = static_cast<double>(random_.next() >> 11) * 0x1p-53 - 0.5;
    scale = length(direction);
  }
  for (size_t i = 0; i < c.Vec.size(); ++i) c.Vec[i] += direction[i] / scale * force;
  if (apart > kTiny) c.Height = std::max((c.Height + from.Height) * force / apart + c.Height, kHeightMin);
}

Status Coordinates::update(const std::string& node, const Coordinate& other, Duration rtt) {
  if (other.Vec.size() != kDimensions) return invalid("dimensions aren't compatible");
  if (!finite(other)) return invalid("coordinate is invalid");
  if (rtt < Duration::zero() || rtt > kRttMax) return invalid(fmt::format("round trip time {} is not in the valid range", format_duration(rtt)));
  auto& samples = samples_[node];
  samples.push_back(std::chrono::duration<double>(rtt).count());
  if (samples.size() > kLatencyFilter) samples.pop_front();
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  double seconds = std::max(sorted[sorted.size() / 2], kTiny);

  double predicted = distance(own_, other);
  double weight = own_.Error / std::max(own_.Error + other.Error, kTiny);
  double wrong = std::abs(predicted - seconds) / seconds;
  own_.Error = std::min(kErrorGain * weight * wrong + own_.Error * (1 - kErrorGain * weight), kErrorMax);
  push(own_, kForceGain * weight * (seconds - predicted), other);

  adjustments_[adjustment_at_] = seconds - raw_distance(own_, other);
  adjustment_at_ = (adjustment_at_ + 1) % kAdjustmentWindow;
  double sum = 0;
  for (double a : adjustments_) sum += a;
  own_.Adjustment = sum / (2.0 * kAdjustmentWindow);

  push(own_, -std::pow(distance(origin_, own_) / kGravityRho, 2.0), origin_);
  if (!finite(own_)) {
    ++resets_;
    own_ = fresh();
  }
  return {};
}

}  // namespace drover::gossip
