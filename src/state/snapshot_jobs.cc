#include "state/snapshot_jobs.h"

#include "codec/msgpack.h"
#include "model/job.h"
#include "state/msgpack_extent.h"

namespace drover::state {
namespace {

constexpr std::string_view kJobKey = "\xa3Job";
constexpr MsgpackStyle kSmall{.omit_default = true};

void put_map_head(size_t n, std::string& out) {
  if (n < 16) {
    out += static_cast<char>(0x80 | n);
    return;
  }
  out += '\xde';
  out += static_cast<char>(n >> 8);
  out += static_cast<char>(n);
}

}  // namespace

void AllocEncoder::encode(const Allocation& alloc, std::string& out) {
  if (!alloc.Job) return msgpack_encode(type_of<Allocation>(), &alloc, out, kSmall);
  auto& [job, bytes] = jobs_[alloc.Job.get()];
  if (!job) {
    job = alloc.Job;
    auto written = written_(job);
    msgpack_encode(type_of<Job>(), &written, bytes, kSmall);
  }
  Allocation copy = alloc;
  copy.Job = nullptr;
  rest_.clear();
  msgpack_encode(type_of<Allocation>(), &copy, rest_, kSmall);
  size_t head = 0;
  put_map_head(msgpack_map_head(rest_, head) + 1, out);
  out.append(rest_, head);
  out += kJobKey;
  out += bytes;
}

Result<Ref<Job>> AllocDecoder::job_of(std::string_view bytes) {
  if (last_job_ && bytes == last_bytes_) return last_job_;
  auto& same = jobs_[std::hash<std::string_view>()(bytes)];
  for (auto& [known, job] : same) {
    if (known != bytes) continue;
    last_bytes_ = known;
    return last_job_ = job;
  }
  auto job = std::make_shared<Job>();
  auto rest = bytes;
  DROVER_CHECK(msgpack_decode(type_of<Job>(), job.get(), rest));
  same.emplace_back(bytes, known_(std::move(job)));
  last_bytes_ = {};  // what it points to may have moved
  last_job_ = nullptr;
  return same.back().second;
}

Result<Allocation> AllocDecoder::decode(std::string_view bytes) {
  Allocation alloc;
  size_t at = 0, n = msgpack_map_head(bytes, at);
  std::string_view job;
  for (size_t i = 0; i < n && at < bytes.size(); ++i) {
    size_t key = msgpack_extent(bytes.substr(at));
    bool found = bytes.substr(at, key) == kJobKey;
    auto value = bytes.substr(at + key);
    // Most allocations follow one with the same job.
    size_t size = found && last_job_ && value.starts_with(last_bytes_) ? last_bytes_.size() : msgpack_extent(value);
    if (key == 0 || size == 0) break;
    if (found) {
      job = value.substr(0, size);
      rest_.clear();
      put_map_head(n - 1, rest_);
      size_t head = 0;
      static_cast<void>(msgpack_map_head(bytes, head));
      rest_.append(bytes.substr(head, at - head));
      rest_.append(value.substr(size));
      break;
    }
    at += key + size;
  }
  bool apart = !job.empty() && job != "\xc0" && n <= 0xffff;
  std::string_view rest = apart ? std::string_view(rest_) : bytes;
  DROVER_CHECK(msgpack_decode(type_of<Allocation>(), &alloc, rest));
  if (apart) {
    DROVER_TRY(alloc.Job, job_of(job));
  }
  return alloc;
}

}  // namespace drover::state
