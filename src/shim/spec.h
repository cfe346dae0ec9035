// StartSpec and exec requests as the shim reads them: pointers into the bytes they came in, which must outlive them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "isolate/cgroup.h"
#include "shim/protocol.h"

namespace drover::shim {

// A NULL-terminated array of texts, as execve takes it. Allocated.
struct TextList {
  const char** items = nullptr;
  size_t size = 0;
  bool push(const char* text);
  void release();
};

inline constexpr size_t kMaxGroups = 256;
inline constexpr size_t kMaxLimits = 16;
inline constexpr size_t kMaxJoins = 8;

struct Spec {
  const char* dir = nullptr;
  const char* command = nullptr;
  TextList args, env;
  const char* cwd = nullptr;
  bool has_user = false;
  uid_t uid = 0;
  gid_t gid = 0;
  gid_t groups[kMaxGroups];
  size_t group_count = 0;
  const char* log_dir = nullptr;
  const char* stdout_name = nullptr;
  const char* stderr_name = nullptr;
  uint32_t log_max_files = 10;
  uint64_t log_max_bytes = 10 << 20;
  LimitEntry limits[kMaxLimits];
  size_t limit_count = 0;
  const char* network_path = nullptr;
  isolate::CgroupKind cgroup_kind = isolate::CgroupKind::kNone;
  const char* cgroup_path = nullptr;
  const char* cgroup_joins[kMaxJoins];
  size_t cgroup_join_count = 0;
  const char* memory_cgroup = nullptr;
  bool has_oom_score_adj = false;
  int32_t oom_score_adj = 0;
  bool tty = false;
  uint32_t rows = 0, columns = 0;

  void release();
};

// Null on success, else what is wrong. The bytes are only read.
const char* parse_spec(const uint8_t* bytes, size_t size, Spec& out);

}  // namespace drover::shim
