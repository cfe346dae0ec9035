// Profiles under the names that the reference's runtime has. This program has no such runtime: the names answer with the
// nearest facts (threads and their states, the allocator's own account), those without one say so.
#include <malloc.h>

#include <cstdio>
#include <cstdlib>

#include <dirent.h>
#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <sstream>

#include "api/agent_debug.h"
#include "base/strings.h"

namespace drover::api {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// One line for each thread: its id, name, state and what the kernel says it waits in.
std::string threads() {
  std::string out;
  int count = 0;
  std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir("/proc/self/task"), &closedir);
  while (auto* e = dir ? readdir(dir.get()) : nullptr) {
    if (e->d_name[0] == '.') continue;
    auto base = fmt::format("/proc/self/task/{}/", e->d_name);
    auto name = read_text(base + "comm");
    while (name.ends_with('\n')) name.pop_back();
    out += fmt::format("thread {} [{}] in {}\n", e->d_name, name, read_text(base + "wchan"));
    ++count;
  }
  return fmt::format("threads: total {}\n{}", count, out);
}

std::string heap() {
  char* text = nullptr;
  size_t size = 0;
  FILE* f = open_memstream(&text, &size);
  if (!f) return "";
  malloc_info(0, f);
  std::fclose(f);
  std::string out(text, size);
  std::free(text);
  return out;
}

std::string command_line() { return read_text("/proc/self/cmdline"); }
std::string nothing() { return "no samples: this program does not take them\n"; }

struct Profile {
  std::string_view name;
  std::string (*read)();
};
constexpr Profile kProfiles[] = {
    {"cmdline", command_line}, {"goroutine", threads}, {"threadcreate", threads}, {"heap", heap},
    {"allocs", heap},          {"block", nothing},     {"mutex", nothing},
};

rpc::AgentPprofRequest request_of(const Call& call, std::string_view name) {
  rpc::AgentPprofRequest r;
  bool own_type = name == "cmdline" || name == "trace";
  r.ReqType = own_type ? name : name == "profile" ? "cpu" : "lookup";
  if (r.ReqType == "lookup") r.Profile = name;
  auto number = [&](std::string_view key) { return parse_int(call.query.get(key)).value_or(0); };
  r.Seconds = number("seconds");
  r.Debug = number("debug");
  r.GC = number("gc");
  return r;
}

Reply reply_of(Call& call, rpc::AgentPprofResponse profile) {
  Reply r;
  for (auto& [name, value] : profile.HTTPHeaders) {
    if (name == "Content-Type") r.content_type = value;
    else call.exchange.headers().set(name, value);
  }
  r.body = std::move(profile.Payload.data);
  return r;
}

}  // namespace

Result<rpc::AgentPprofResponse> take_profile(const rpc::AgentPprofRequest& request) {
  if (request.ReqType == "cpu" || request.ReqType == "trace")
    return internal(fmt::format("{} is not available: attach perf(1) to the process", request.ReqType == "cpu" ? "profile" : "trace"));
  auto& name = request.ReqType == "lookup" ? request.Profile : request.ReqType;
  for (auto& p : kProfiles) {
    if (p.name != name) continue;
    rpc::AgentPprofResponse out;
    out.HTTPHeaders = {{"Content-Type", "text/plain; charset=utf-8"}, {"X-Content-Type-Options", "nosniff"}};
    out.Payload.data = p.read();
    return out;
  }
  if (request.ReqType != "lookup") return not_found("Unknown profile request type");
  return not_found(fmt::format("Pprof profile not found profile: {}", name));
}

Async<Result<Reply>> agent_profile(Call& call) {
  DROVER_CO_CHECK(debug_allowed(call.agent));
  if (call.rest.empty()) co_return not_found("Invalid method");
  DROVER_CO_TRY(auto target, debug_target(call));
  auto request = request_of(call, call.rest);
  if (is_own(call, target)) {
    DROVER_CO_TRY(auto own, take_profile(request));
    co_return reply_of(call, std::move(own));
  }
  DROVER_CO_CHECK(call.parse_options(request));
  request.NodeID = target.node;
  request.ServerID = target.server;
  DROVER_CO_TRY(auto found, co_await call.rpc<rpc::AgentPprofResponse>("Agent.Profile", std::move(request)));
  co_return reply_of(call, std::move(found));
}

Async<Result<Reply>> debug_profile(Call& call) {
  if (!call.agent.debug_enabled()) co_return Reply{.status = 404};
  if (!call.rest.empty()) {
    DROVER_CO_TRY(auto own, take_profile(request_of(call, call.rest)));
    co_return reply_of(call, std::move(own));
  }
  std::string names;
  for (auto& p : kProfiles) names += std::string(p.name) + "\n";
  co_return Reply::text(std::move(names));
}

}  // namespace drover::api
