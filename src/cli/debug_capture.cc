#include "cli/debug_capture.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/frames.h"
#include "codec/json.h"
#include "model/client_stats.h"

namespace drover::cli {
namespace {

std::string error_json(const Error& why) {
  std::string out = "{\"Error\":";
  json_quote(why.message, out);
  return out + "}";
}

// Endpoints whose answers are one file of an interval.
struct Piece {
  std::string_view file, endpoint;
};
constexpr Piece kLists[] = {
    {"jobs.json", "/v1/jobs"},               {"deployments.json", "/v1/deployments"},
    {"evaluations.json", "/v1/evaluations"}, {"allocations.json", "/v1/allocations"},
    {"nodes.json", "/v1/nodes"},             {"csi-plugins.json", "/v1/plugins?type=csi"},
    {"csi-volumes.json", "/v1/volumes?type=csi"},
};
constexpr Piece kFacts[] = {
    {"operator-raft.json", "/v1/operator/raft/configuration"},
    {"operator-scheduler.json", "/v1/operator/scheduler/configuration"},
    {"operator-autopilot-health.json", "/v1/operator/autopilot/health"},
    {"license.json", "/v1/operator/license"},
    {"metrics.json", "/v1/metrics"},
};
constexpr Piece kConsulPieces[] = {
    {"consul-agent-self.json", "/v1/agent/self"},       {"consul-agent-host.json", "/v1/agent/host"},
    {"consul-agent-members.json", "/v1/agent/members"}, {"consul-agent-metrics.json", "/v1/agent/metrics"},
    {"consul-leader.json", "/v1/status/leader"},
};
// Profiles that are taken once.
struct Profile {
  std::string_view file, profile, debug;
};
constexpr Profile kProfiles[] = {
    {"goroutine.prof", "goroutine", "0"},       {"goroutine-debug1.txt", "goroutine", "1"},
    {"goroutine-debug2.txt", "goroutine", "2"}, {"heap.prof", "heap", "0"},
    {"allocs.prof", "allocs", "0"},             {"threadcreate.prof", "threadcreate", "0"},
};

// The ids of the members of a list.
std::vector<std::string> ids_in(std::string_view body) {
  std::vector<std::string> out;
  auto value = from_json<Value>(body);
  auto* list = value ? value->as_array() : nullptr;
  if (!list) return out;
  for (auto& item : *list) {
    auto* object = item.as_object();
    auto* id = object ? object->find("ID") : nullptr;
    if (auto* text = id ? id->as_string() : nullptr) out.push_back(*text);
  }
  return out;
}

}  // namespace

Params DebugCapture::with_stale(Params params) const {
  if (stale_) params.emplace_back("stale", "");
  return params;
}

Status DebugCapture::reply_to(const std::string& path, Result<Reply> reply) {
  return bundle_.add(path, reply ? reply->body : error_json(reply.error()));
}

Status DebugCapture::json(const std::string& path, std::string_view endpoint, const Params& params) {
  return reply_to(path, api_.call("GET", endpoint, with_stale(params)));
}

Status DebugCapture::lines(const std::string& path, std::string_view endpoint, const Params& params) {
  auto reply = api_.call("GET", endpoint, with_stale(params));
  if (!reply) return reply_to(path, std::move(reply));
  auto value = from_json<Value>(reply->body);
  auto* list = value ? value->as_array() : nullptr;
  std::string text;
  if (list)
    for (auto& item : *list) text += to_json(item, {.float_point = false}) + "\n";
  return bundle_.add(path, text);
}

Status DebugCapture::bytes(const std::string& path, std::string_view endpoint, const Params& params) {
  auto reply = api_.call("GET", endpoint, params);
  if (reply) return bundle_.add(path, reply->body);
  trouble(fmt::format("Failed to capture {}: {}", path, reply.error().message));
  return {};
}

void DebugCapture::trouble(std::string line) {
  std::lock_guard lock(mutex_);
  troubles_.push_back(std::move(line));
}

Status DebugCapture::cluster() {
  DROVER_CHECK(json("cluster/agent-self.json", "/v1/agent/self"));
  DROVER_CHECK(json("cluster/namespaces.json", "/v1/namespaces"));
  DROVER_CHECK(json("cluster/regions.json", "/v1/regions"));
  DROVER_CHECK(json("cluster/members.json", "/v1/agent/members"));
  DROVER_CHECK(json("cluster/leader.json", "/v1/status/leader"));
  return json("cluster/nodes.json", "/v1/nodes");
}

Status DebugCapture::interval(int number) {
  auto folder = fmt::format("interval/{:04d}/", number);
  for (auto& piece : kLists) DROVER_CHECK(lines(folder + std::string(piece.file), piece.endpoint, {{"namespace", "*"}}));
  for (auto& [one, list, of] : {std::tuple("csi-plugin-id-", "/v1/plugins?type=csi", "/v1/plugin/csi/"),
                                std::tuple("csi-volume-id-", "/v1/volumes?type=csi", "/v1/volume/csi/")}) {
    auto all = api_.call("GET", list, with_stale({{"namespace", "*"}}));
    if (!all) continue;
    for (auto& id : ids_in(all->body)) DROVER_CHECK(json(folder + one + clean_file_name(id) + ".json", of + escape(id)));
  }
  for (auto& piece : kFacts) DROVER_CHECK(json(folder + std::string(piece.file), piece.endpoint));
  return {};
}

Status DebugCapture::profiles(const std::vector<DebugTarget>& targets, int number, Duration length) {
  auto seconds = std::to_string(std::max<int64_t>(1, length / 1s));
  for (auto& t : targets) {
    if (stopping_) return {};
    Params params{{t.parameter, t.id}, {"seconds", seconds}};
    auto first = fmt::format("{}/profile_{:04d}.prof", t.folder, number);
    auto reply = api_.call("GET", "/v1/agent/pprof/profile", params);
    if (!reply) {
      // The other profiles of this agent would fail like this one.
      if (number == 0) trouble(fmt::format("Failed to capture {}: {}{}", first, reply.error().message,
                                           reply.error().code == ErrorCode::kPermissionDenied
                                               ? ": profiles need a token with agent:write, or enable_debug" : ""));
      continue;
    }
    DROVER_CHECK(bundle_.add(first, reply->body));
    if (number != 0) continue;
    DROVER_CHECK(bytes(t.folder + "/trace.prof", "/v1/agent/pprof/trace", params));
    for (auto& p : kProfiles)
      DROVER_CHECK(bytes(fmt::format("{}/{}", t.folder, p.file), "/v1/agent/pprof/" + std::string(p.profile),
                         {{t.parameter, t.id}, {"debug", std::string(p.debug)}}));
  }
  return {};
}

Status DebugCapture::hosts(const std::vector<DebugTarget>& targets) {
  for (auto& t : targets) DROVER_CHECK(json(t.folder + "/agent-host.json", "/v1/agent/host", {{t.parameter, t.id}}));
  return {};
}

Status DebugCapture::external(const ExternalAccess& access, std::string_view header, const std::string& path,
                              std::string_view endpoint) {
  ApiSettings settings;
  settings.address = access.address.find("://") == std::string::npos ? "http://" + access.address : access.address;
  settings.http_auth = access.auth;
  settings.ca_cert = access.ca_cert;
  settings.ca_path = access.ca_path;
  settings.client_cert = access.client_cert;
  settings.client_key = access.client_key;
  auto client = Api::make(std::move(settings));
  if (!client) return bundle_.add(path, error_json(client.error()));
  Params headers;
  if (!access.token.empty()) headers.emplace_back(header, access.token);
  return reply_to(path, (*client)->ask("GET", endpoint, {}, {}, headers));
}

Status DebugCapture::consul(const ExternalAccess& access) {
  for (auto& piece : kConsulPieces)
    DROVER_CHECK(external(access, "X-Consul-Token", "cluster/" + std::string(piece.file), piece.endpoint));
  return {};
}

Status DebugCapture::vault(const ExternalAccess& access) {
  return external(access, "X-Vault-Token", "cluster/vault-sys-health.json", "/v1/sys/health");
}

// ---- streams

void DebugCapture::follow(std::string what, std::string endpoint, Params params,
                          std::function<Status(std::string_view object)> take) {
  auto made = Api::make(api_.settings());
  if (!made) return;
  auto& follower = followers_.emplace_back();
  follower.api = std::move(*made);
  follower.thread = std::thread([this, api = follower.api.get(), what = std::move(what), endpoint = std::move(endpoint),
                                 params = std::move(params), take = std::move(take)] {
    FrameSplitter frames;
    Status written;
    auto done = api->stream(endpoint, params, [&](std::string_view bytes) {
      return !stopping_ && frames.feed(bytes, [&](std::string_view object) {
        written = take(object);
        return static_cast<bool>(written);
      });
    });
    if (written) written = std::move(done);
    if (written || stopping_) return;
    trouble(fmt::format("{}: {}", what, written.error().message));
  });
}

Status DebugCapture::follow_logs(const std::vector<DebugTarget>& targets, const std::string& level) {
  for (auto& t : targets) {
    auto path = t.folder + "/monitor.log";
    DROVER_CHECK(bundle_.append(path, ""));
    follow("Failed to monitor logs of " + t.id, "/v1/agent/monitor", {{"log_level", level}, {t.parameter, t.id}},
           [this, path](std::string_view object) -> Status {
             auto frame = from_json<StreamFrame>(object);
             return frame ? bundle_.append(path, frame->Data.data) : Status();
           });
  }
  return {};
}

Status DebugCapture::follow_events(const std::vector<std::string>& topics, uint64_t index) {
  const std::string path = "cluster/eventstream.json";
  DROVER_CHECK(bundle_.append(path, ""));
  if (topics.empty()) return {};
  Params params{{"index", std::to_string(index)}, {"namespace", "*"}};
  for (auto& topic : topics) params.emplace_back("topic", topic);
  follow("Failed to follow events", "/v1/event/stream", std::move(params), [this, path](std::string_view object) -> Status {
    auto value = from_json<Value>(object);
    auto* batch = value ? value->as_object() : nullptr;
    auto* events = batch ? batch->find("Events") : nullptr;
    if (!events || !events->as_array()) return {};
    for (auto& event : *events->as_array())
      DROVER_CHECK(bundle_.append(path, to_json(event, {.float_point = false}) + "\n"));
    return {};
  });
  return {};
}

void DebugCapture::stop() {
  stopping_ = true;
  for (auto& f : followers_) f.api->interrupt();
  for (auto& f : followers_)
    if (f.thread.joinable()) f.thread.join();
  followers_.clear();
}

std::vector<std::string> DebugCapture::troubles() {
  std::lock_guard lock(mutex_);
  return std::exchange(troubles_, {});
}

}  // namespace drover::cli
