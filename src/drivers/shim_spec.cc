#include "drivers/shim_spec.h"

#include <string_view>

#include "shim/protocol.h"

namespace drover::drivers {
namespace {

using shim::Tag;

class Tags {
 public:
  void raw(Tag tag, std::string_view body) {
    shim::TagHeader h{static_cast<uint32_t>(tag), static_cast<uint32_t>(body.size())};
    out_.append(reinterpret_cast<const char*>(&h), sizeof h);
    out_.append(body);
    out_.resize((out_.size() + 7) & ~size_t{7});
  }
  void text(Tag tag, const std::string& s) { raw(tag, {s.c_str(), s.size() + 1}); }
  void text_if(Tag tag, const std::string& s) {
    if (!s.empty()) text(tag, s);
  }
  void texts(Tag tag, const std::vector<std::string>& list) {
    for (auto& s : list) text(tag, s);
  }
  template <class T>
  void value(Tag tag, const T& v) {
    raw(tag, {reinterpret_cast<const char*>(&v), sizeof v});
  }
  void number(Tag tag, uint32_t n) { value(tag, n); }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace

std::string encode_spec(const ShimSpec& s) {
  Tags t;
  t.text(Tag::kDir, s.dir);
  t.text(Tag::kCommand, s.command);
  t.texts(Tag::kArg, s.argv);
  t.texts(Tag::kEnv, s.env);
  t.text_if(Tag::kCwd, s.cwd);
  if (s.user) {
    t.number(Tag::kUid, s.user->uid);
    t.number(Tag::kGid, s.user->gid);
    for (uint32_t g : s.user->groups) t.number(Tag::kGroup, g);
  }
  if (s.logs.enabled && !s.logs.dir.empty()) {
    t.text(Tag::kLogDir, s.logs.dir);
    t.text(Tag::kStdoutName, s.logs.stdout_name);
    t.text(Tag::kStderrName, s.logs.stderr_name);
    t.number(Tag::kLogMaxFiles, static_cast<uint32_t>(s.logs.max_files > 0 ? s.logs.max_files : 1));
    t.value(Tag::kLogMaxBytes, static_cast<uint64_t>(s.logs.max_file_bytes > 0 ? s.logs.max_file_bytes : 1));
  }
  for (auto& l : s.limits) t.value(Tag::kLimit, shim::LimitEntry{static_cast<uint32_t>(l.resource), 0, l.soft, l.hard});
  t.text_if(Tag::kNetworkPath, s.network_path);
  if (s.cgroup_kind != isolate::CgroupKind::kNone) {
    t.number(Tag::kCgroupKind, static_cast<uint32_t>(s.cgroup_kind));
    t.text(Tag::kCgroupPath, s.cgroup_path);
  }
  t.texts(Tag::kCgroupJoin, s.cgroup_joins);
  t.text_if(Tag::kMemoryCgroup, s.memory_cgroup);
  if (s.oom_score_adj) t.number(Tag::kOomScoreAdj, static_cast<uint32_t>(*s.oom_score_adj));
  return t.take();
}

std::string encode_exec(const ShimExec& e) {
  Tags t;
  t.texts(Tag::kArg, e.command);
  t.text_if(Tag::kCwd, e.cwd);
  if (e.tty) t.number(Tag::kTty, 1);
  return t.take();
}

std::vector<std::string> env_list(const std::map<std::string, std::string>& env) {
  std::vector<std::string> out;
  out.reserve(env.size());
  for (auto& [k, v] : env) out.push_back(k + "=" + v);
  return out;
}

}  // namespace drover::drivers
