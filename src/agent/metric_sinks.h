// Where metrics are sent: statsd and dogstatsd over UDP, statsite over TCP (agent-config `telemetry { }`).
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/settings.h"
#include "base/async.h"
#include "base/metric_tap.h"
#include "base/world.h"

namespace drover::net {
class Network;
}

namespace drover::agent {

// One metric in the text of statsd and statsite: the values of the labels are further words of the name.
std::string statsd_line(MetricKind kind, const std::string& name, double value, const MetricLabels& labels);
// In that of dogstatsd: labels are tags behind the common ones.
std::string dogstatsd_line(MetricKind kind, const std::string& name, double value, const MetricLabels& labels,
                           const std::vector<std::string>& tags);

// Sends what is recorded until it is destroyed. A receiver that is not there costs metrics, nothing else. Made and
// destroyed on the loop; references outlive it.
class MetricSinks {
 public:
  MetricSinks(World& world, net::Network& network, const TelemetrySettings& settings);
  ~MetricSinks();
  MetricSinks(const MetricSinks&) = delete;

 private:
  enum class Wire : unsigned char { kUdp, kTcp };
  struct Sink {
    std::string name, address;
    Wire wire;
    bool tagged;
    std::mutex mutex;
    std::deque<std::string> lines;  // under mutex
    Running flow;
  };
  void add(std::string name, const std::string& address, Wire wire, bool tagged);
  Async<void> send_datagrams(Sink& sink);
  Async<void> send_stream(Sink& sink);
  static std::string take(Sink& sink, size_t limit);

  World& world_;
  net::Network& network_;
  std::vector<std::string> tags_;
  std::vector<std::unique_ptr<Sink>> sinks_;
};

}  // namespace drover::agent
