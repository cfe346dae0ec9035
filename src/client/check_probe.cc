#include "client/check_probe.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/cancel.h"
#include "base/strings.h"
#include "base/version.h"
#include "net/http_client.h"
#include "net/network.h"

namespace drover::client {

namespace {

constexpr Duration kLongest = std::chrono::minutes(10);

std::string host_port(const ServiceAddress& a) {
  bool v6 = a.ip.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", a.ip, v6 ? "]" : "", a.port);
}

Async<ProbeResult> tcp(net::Network& network, const CheckPlan& plan, Duration limit) {
  net::Address address{plan.address->ip, static_cast<uint16_t>(plan.address->port)};
  auto stream = co_await network.dial(address, limit);
  if (!stream) co_return ProbeResult{false, 0, stream.error().message};
  co_return ProbeResult{true, 0, "nomad: tcp ok"};
}

net::HttpCall call_of(const ServiceCheck& check, const ServiceAddress& address) {
  net::HttpCall call;
  call.method = check.Method.empty() ? "GET" : check.Method;
  auto path = check.Path.starts_with('/') || check.Path.empty() ? check.Path : "/" + check.Path;
  call.url = fmt::format("{}://{}{}", check.Protocol.empty() ? "http" : check.Protocol, host_port(address), path);
  call.body = check.Body;
  for (auto& [name, values] : check.Header)
    for (auto& value : values) call.headers.add(name, value);
  return call;
}

Async<Result<ProbeResult>> ask(net::HttpClient& client, net::HttpCall call) {
  DROVER_CO_TRY(auto reply, co_await client.open(std::move(call)));
  std::string body;
  while (body.size() < kCheckOutput) {
    auto more = co_await reply->read_some();
    if (!more || more->empty()) break;  // a cut body is no failure of the check
    body += *more;
  }
  body.resize(std::min(body.size(), kCheckOutput));
  co_return judge_answer(reply->head.status, std::move(body));
}

Async<ProbeResult> http(World& world, net::Network& network, const CheckPlan& plan, Duration limit) {
  net::HttpClientOptions options;
  options.user_agent = std::string("Nomad/") + std::string(kVersion);
  options.idle_per_host = 0;
  net::HttpClient client(world, network, std::move(options));
  auto call = call_of(plan.check, *plan.address);
  auto verb = call.method.substr(0, 1) + to_lower(call.method.substr(1));
  Error late(ErrorCode::kTimeout, fmt::format("{} {}: context deadline exceeded", verb, go_quote(call.url)));
  auto result = co_await with_timeout(world.loop, limit, ask(client, std::move(call)), std::move(late));
  if (!result) co_return ProbeResult{false, 0, "nomad: " + result.error().message};
  co_return std::move(*result);
}

}  // namespace

ProbeResult judge_answer(int status, std::string body) {
  if (status == 200) return {true, status, "nomad: http ok"};
  return {status < 400, status, std::move(body)};
}

Async<ProbeResult> run_probe(World& world, net::Network& network, CheckPlan plan) {
  if (!plan.address) co_return ProbeResult{false, 0, plan.address.error().message};
  auto limit = plan.check.Timeout > Duration::zero() ? std::min(plan.check.Timeout, kLongest) : kLongest;
  if (plan.check.Type == "tcp") co_return co_await tcp(network, plan, limit);
  if (plan.check.Type == "http") co_return co_await http(world, network, plan, limit);
  co_return ProbeResult{false, 0, "nomad: unsupported check type " + go_quote(plan.check.Type)};
}

}  // namespace drover::client
