#include "agent/metric_sinks.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "net/address.h"
#include "net/stream.h"

namespace drover::agent {
namespace {

constexpr Duration kFlush = 100ms;
constexpr Duration kReconnect = 5s;
constexpr Duration kDialTimeout = 5s;
constexpr size_t kPacket = 1400;
constexpr size_t kStreamChunk = 64u << 10;
constexpr size_t kQueued = 4096;  // lines; what comes on top is dropped

constexpr std::string_view kKinds[] = {"g", "c", "ms"};

std::string_view kind_text(MetricKind kind) { return kKinds[static_cast<size_t>(kind)]; }

std::string statsd_name(std::string name) {
  for (auto& c : name)
    if (c == ':' || c == ' ') c = '_';
  return name;
}

Result<net::Address> parse_address(const std::string& text) {
  DROVER_TRY(auto parts, net::split_host_port(text));
  auto port = parse_int(parts.port);
  if (!port || *port < 1 || *port > 65535) return invalid("address " + text + ": invalid port");
  return net::Address::tcp(parts.host.empty() ? "127.0.0.1" : parts.host, static_cast<uint16_t>(*port));
}

}  // namespace

std::string statsd_line(MetricKind kind, const std::string& name, double value, const MetricLabels& labels) {
  auto key = name;
  for (auto& [label, v] : labels) key += "." + v;
  return fmt::format("{}:{:f}|{}\n", statsd_name(std::move(key)), static_cast<float>(value), kind_text(kind));
}

std::string dogstatsd_line(MetricKind kind, const std::string& name, double value, const MetricLabels& labels,
                           const std::vector<std::string>& tags) {
  auto all = tags;
  for (auto& [label, v] : labels) all.push_back(v.empty() ? label : label + ":" + v);
  auto number = kind == MetricKind::kCounter  ? fmt::format("{}", static_cast<int64_t>(value))
                : kind == MetricKind::kSample ? fmt::format("{:.6f}", value)
                                              : fmt::format("{}", static_cast<float>(value));
  return fmt::format("{}:{}|{}{}{}\n", statsd_name(name), number, kind_text(kind), all.empty() ? "" : "|#", join(all, ","));
}

MetricSinks::MetricSinks(World& world, net::Network& network, const TelemetrySettings& settings)
    : world_(world), network_(network), tags_(settings.datadog_tags) {
  add("statsite", settings.statsite_address, Wire::kTcp, false);
  add("statsd", settings.statsd_address, Wire::kUdp, false);
  add("datadog", settings.datadog_address, Wire::kUdp, true);
  if (sinks_.empty()) return;
  set_metric_tap([this](MetricKind kind, const std::string& name, double value, const MetricLabels& labels) {
    for (auto& sink : sinks_) {
      std::lock_guard lock(sink->mutex);
      if (sink->lines.size() >= kQueued) continue;
      sink->lines.push_back(sink->tagged ? dogstatsd_line(kind, name, value, labels, tags_) : statsd_line(kind, name, value, labels));
    }
  });
}

MetricSinks::~MetricSinks() {
  if (!sinks_.empty()) set_metric_tap(nullptr);
}

void MetricSinks::add(std::string name, const std::string& address, Wire wire, bool tagged) {
  if (address.empty()) return;
  auto sink = std::make_unique<Sink>();
  sink->name = std::move(name);
  sink->address = address;
  sink->wire = wire;
  sink->tagged = tagged;
  sinks_.push_back(std::move(sink));
  auto& added = *sinks_.back();
  added.flow = Running(wire == Wire::kTcp ? send_stream(added) : send_datagrams(added));
}

// Whole lines of up to `limit` bytes; a longer one goes alone.
std::string MetricSinks::take(Sink& sink, size_t limit) {
  std::lock_guard lock(sink.mutex);
  std::string out;
  while (!sink.lines.empty() && (out.empty() || out.size() + sink.lines.front().size() <= limit)) {
    out += sink.lines.front();
    sink.lines.pop_front();
  }
  return out;
}

Async<void> MetricSinks::send_datagrams(Sink& sink) {
  auto wanted = parse_address(sink.address);
  if (!wanted) co_return;  // told by make_settings
  std::unique_ptr<net::Datagram> socket;
  std::optional<net::Address> to;
  for (bool told = false;; co_await sleep_for(world_.loop, to ? kFlush : kReconnect)) {
    if (!to) {
      auto found = co_await network_.resolve(*wanted);
      auto local = found ? net::Address::parse(found->front().host.find(':') == std::string::npos ? "0.0.0.0:0" : "[::]:0")
                         : Result<net::Address>(Error(found.error()));
      auto opened = local ? network_.datagram(*local) : Result<std::unique_ptr<net::Datagram>>(Error(local.error()));
      if (!opened) {
        if (!std::exchange(told, true)) log_warn("agent", "cannot send metrics", {{"sink", sink.name}, {"error", opened.error().message}});
        while (!take(sink, kStreamChunk).empty()) {
        }
        continue;
      }
      socket = std::move(*opened);
      to = found->front();
    }
    for (auto packet = take(sink, kPacket); !packet.empty(); packet = take(sink, kPacket)) (void)socket->send(packet, *to);
  }
}

Async<void> MetricSinks::send_stream(Sink& sink) {
  auto to = parse_address(sink.address);
  if (!to) co_return;
  for (bool told = false;;) {
    auto stream = co_await network_.dial(*to, kDialTimeout);
    if (!stream) {
      if (!std::exchange(told, true)) log_warn("agent", "cannot send metrics", {{"sink", sink.name}, {"error", stream.error().message}});
      while (!take(sink, kStreamChunk).empty()) {
      }
      co_await sleep_for(world_.loop, kReconnect);
      continue;
    }
    told = false;
    for (bool alive = true; alive;) {
      for (auto chunk = take(sink, kStreamChunk); alive && !chunk.empty(); chunk = take(sink, kStreamChunk))
        alive = static_cast<bool>(co_await net::write_all(**stream, chunk));
      if (alive) co_await sleep_for(world_.loop, kFlush);
    }
  }
}

}  // namespace drover::agent
