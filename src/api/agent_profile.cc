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

Result<Reply> answer_profile(Call& call, std::string_view name) {
  if (name.empty()) return not_found("Invalid method");
  if (name == "profile" || name == "trace") return internal(fmt::format("{} is not available: attach perf(1) to the process", name));
  for (auto& p : kProfiles) {
    if (p.name != name) continue;
    auto& h = call.exchange.headers();
    h.set("X-Content-Type-Options", "nosniff");
    Reply r;
    r.content_type = "text/plain; charset=utf-8";
    r.body = p.read();
    return r;
  }
  return not_found(fmt::format("Pprof profile not found profile: {}", name));
}

}  // namespace

Async<Result<Reply>> agent_profile(Call& call) {
  DROVER_CO_CHECK(debug_allowed(call));
  if (call.rest.empty()) co_return not_found("Invalid method");
  auto target = co_await debug_target(call);
  if (!target) co_return Error(std::move(target).error());
  co_return answer_profile(call, call.rest);
}

Async<Result<Reply>> debug_profile(Call& call) {
  if (!call.agent.debug_enabled()) co_return Reply{.status = 404};
  if (!call.rest.empty()) co_return answer_profile(call, call.rest);
  std::string names;
  for (auto& p : kProfiles) names += std::string(p.name) + "\n";
  co_return Reply::text(std::move(names));
}

}  // namespace drover::api
