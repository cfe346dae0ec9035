#include "shim/spec.h"

#include <stdlib.h>
#include <string.h>

namespace drover::shim {
namespace {

const char* take_text(const uint8_t* body, uint32_t length) {
  return length > 0 && memchr(body, 0, length) ? reinterpret_cast<const char*>(body) : nullptr;
}

template <class T>
bool take(const uint8_t* body, uint32_t length, T& out) {
  if (length < sizeof out) return false;
  memcpy(&out, body, sizeof out);
  return true;
}

// Where a text tag goes, or null when the tag is none of those.
const char** text_member(Spec& s, Tag tag) {
  switch (tag) {
    case Tag::kDir: return &s.dir;
    case Tag::kCommand: return &s.command;
    case Tag::kCwd: return &s.cwd;
    case Tag::kLogDir: return &s.log_dir;
    case Tag::kStdoutName: return &s.stdout_name;
    case Tag::kStderrName: return &s.stderr_name;
    case Tag::kNetworkPath: return &s.network_path;
    case Tag::kCgroupPath: return &s.cgroup_path;
    case Tag::kMemoryCgroup: return &s.memory_cgroup;
    default: return nullptr;
  }
}

const char* apply_list(Spec& s, Tag tag, const uint8_t* body, uint32_t length) {
  switch (tag) {
    case Tag::kArg:
    case Tag::kEnv: {
      const char* text = take_text(body, length);
      if (!text) return "text without end";
      return (tag == Tag::kArg ? s.args : s.env).push(text) ? nullptr : "out of memory";
    }
    case Tag::kGroup:
      if (s.group_count == kMaxGroups) return "too many groups";
      return take(body, length, s.groups[s.group_count++]) ? nullptr : "short group";
    case Tag::kLimit:
      if (s.limit_count == kMaxLimits) return "too many limits";
      return take(body, length, s.limits[s.limit_count++]) ? nullptr : "short limit";
    case Tag::kCgroupJoin: {
      const char* text = take_text(body, length);
      if (!text) return "text without end";
      if (s.cgroup_join_count == kMaxJoins) return "too many cgroups";
      s.cgroup_joins[s.cgroup_join_count++] = text;
      return nullptr;
    }
    default: return nullptr;
  }
}

const char* apply_number(Spec& s, Tag tag, const uint8_t* body, uint32_t length) {
  uint32_t n = 0;
  bool good = take(body, length, n);
  switch (tag) {
    case Tag::kUid: s.uid = n, s.has_user = true; break;
    case Tag::kGid: s.gid = n; break;
    case Tag::kLogMaxFiles: s.log_max_files = n > 0 ? n : 1; break;
    case Tag::kLogMaxBytes: good = take(body, length, s.log_max_bytes) && s.log_max_bytes > 0; break;
    case Tag::kCgroupKind: s.cgroup_kind = static_cast<isolate::CgroupKind>(n); break;
    case Tag::kOomScoreAdj: s.oom_score_adj = static_cast<int32_t>(n), s.has_oom_score_adj = true; break;
    case Tag::kTty: s.tty = n != 0; break;
    case Tag::kRows: s.rows = n; break;
    case Tag::kColumns: s.columns = n; break;
    default: return nullptr;  // a list, or a tag of a later release
  }
  return good ? nullptr : "bad number";
}

}  // namespace

bool TextList::push(const char* text) {
  // Grown at powers of two; one slot stays for the final NULL.
  if (size == 0 || (size >= 7 && ((size + 1) & size) == 0)) {
    size_t capacity = size == 0 ? 8 : (size + 1) * 2;
    auto** grown = static_cast<const char**>(realloc(items, capacity * sizeof *items));
    if (!grown) return false;
    items = grown;
  }
  items[size++] = text;
  items[size] = nullptr;
  return true;
}

void TextList::release() {
  free(items);
  items = nullptr;
  size = 0;
}

void Spec::release() {
  args.release();
  env.release();
}

const char* parse_spec(const uint8_t* bytes, size_t size, Spec& out) {
  for (size_t at = 0; at < size;) {
    TagHeader h;
    if (size - at < sizeof h) return "cut tag";
    memcpy(&h, bytes + at, sizeof h);
    at += sizeof h;
    if (h.length > size - at) return "cut value";
    const uint8_t* body = bytes + at;
    Tag tag = static_cast<Tag>(h.tag);
    if (const char** member = text_member(out, tag)) {
      *member = take_text(body, h.length);
      if (!*member) return "text without end";
    } else if (const char* wrong = apply_list(out, tag, body, h.length)) {
      return wrong;
    } else if (const char* bad = apply_number(out, tag, body, h.length)) {
      return bad;
    }
    size_t padded = (static_cast<size_t>(h.length) + 7) & ~size_t{7};
    if (padded > size - at) return "cut padding";
    at += padded;
  }
  return nullptr;
}

}  // namespace drover::shim
