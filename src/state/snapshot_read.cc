#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "codec/msgpack.h"
#include "model/status.h"
#include "state/msgpack_extent.h"
#include "state/snapshot_allocs.h"
#include "state/snapshot_jobs.h"
#include "state/snapshot_io.h"
#include "state/snapshot_records.h"

namespace drover::state {
namespace {

constexpr size_t kReadAtOnce = 256 * 1024;
constexpr size_t kMaxRecord = size_t{1} << 30;

Error corrupt(std::string text) { return {ErrorCode::kCorrupt, std::move(text)}; }

// The stream, cut into objects.
class Stream {
 public:
  explicit Stream(const SnapshotSource& source) : source_(source) {}

  // False: the stream has ended.
  Result<bool> byte(uint8_t& out) {
    if (at_ == buffer_.size()) {
      DROVER_TRY(bool more, read_more());
      if (!more) return false;
    }
    out = static_cast<uint8_t>(buffer_[at_++]);
    return true;
  }
  // The bytes of the next object; valid until the next call.
  Result<std::string_view> object() {
    while (true) {
      auto rest = std::string_view(buffer_).substr(at_);
      if (size_t n = msgpack_extent(rest)) {
        at_ += n;
        return rest.substr(0, n);
      }
      if (rest.size() > kMaxRecord) return corrupt("snapshot record too large");
      DROVER_TRY(bool more, read_more());
      if (!more) return corrupt("snapshot ends within a record");
    }
  }

 private:
  Result<bool> read_more() {
    buffer_.erase(0, at_);
    at_ = 0;
    // A long record is looked at again after each read, so read at least as much as is there.
    size_t old = buffer_.size(), want = std::max(kReadAtOnce, old);
    buffer_.resize(old + want);
    auto got = source_(buffer_.data() + old, want);
    buffer_.resize(old + (got ? *got : 0));
    if (!got) return std::move(got).error();
    return *got > 0;
  }

  const SnapshotSource& source_;
  std::string buffer_;
  size_t at_ = 0;
};

class Reader {
 public:
  Reader(const SnapshotSource& source, Interner& interner)
      : stream_(source), interner_(interner), allocs_([this](Ref<Job> job) { return known(std::move(job)); }) {}

  Result<State> run() {
    DROVER_TRY(auto header, stream_.object());
    (void)header;
    while (true) {
      uint8_t type = 0;
      DROVER_TRY(bool more, stream_.byte(type));
      if (!more) break;
      DROVER_CHECK(record(type));
    }
    DROVER_CHECK(store_allocs(true));
    finish();
    return std::move(state_);
  }

 private:
  Status record(uint8_t type) {
    DROVER_TRY(auto bytes, stream_.object());
    auto status = take(type, bytes);
    if (status || !find_record_row(type)) return status;
    return std::move(status).error().with_context(fmt::format("snapshot record of type {}", type));
  }
  Status take(uint8_t type, std::string_view bytes) {
    switch (static_cast<RecordType>(type)) {
      case RecordType::kMeta: return meta(bytes);
      case RecordType::kTimeTable: return times(bytes);
      case RecordType::kIndex: return index(bytes);
      case RecordType::kAlloc: return alloc(bytes);
      case RecordType::kAllocPart: return part(bytes);
      case RecordType::kAllocOfParts: pipeline_.add(bytes); return store_allocs(false);
      case RecordType::kNodePool: return opaque(type, bytes);
      case RecordType::kEventSink: return {};  // of a beta; the reference stops reading at them
      default: break;
    }
    auto* row = find_record_row(type);
    return row ? row->read(state_, bytes) : corrupt(fmt::format("Unrecognized snapshot type: {}", type));
  }

  Status meta(std::string_view bytes) {
    SnapshotMeta m;
    DROVER_CHECK(msgpack_decode(type_of<SnapshotMeta>(), &m, bytes));
    state_.index = m.Index;
    state_.stamp = m.Stamp;
    native_ = true;
    return {};
  }
  Status times(std::string_view bytes) {
    List<TimeTableEntry> entries;
    DROVER_CHECK(msgpack_decode(type_of<List<TimeTableEntry>>(), &entries, bytes));
    auto table = std::make_shared<TimeTable>();
    table->restore(std::vector<TimeTableEntry>(entries.begin(), entries.end()));
    state_.times = std::move(table);
    return {};
  }
  Status index(std::string_view bytes) {
    IndexEntry e;
    DROVER_CHECK(msgpack_decode(type_of<IndexEntry>(), &e, bytes));
    if (e.Key == kBootstrapIndexKey) state_.acl_bootstrap_index = e.Value;
    else indexes_[e.Key] = e.Value;
    return {};
  }

  Status alloc(std::string_view bytes) {
    DROVER_TRY(auto a, allocs_.decode(bytes));
    interner_.share(a);
    state_.allocs.put(std::make_shared<const Allocation>(std::move(a)));
    return {};
  }
  Status store_allocs(bool all) {
    decoded_.clear();
    auto status = pipeline_.take(decoded_, all);
    if (!status) return std::move(status).error().with_context(fmt::format("snapshot record of type {}", static_cast<int>(RecordType::kAllocOfParts)));
    for (auto& [alloc, parts] : decoded_) {
      bool whole = take_part(part_jobs_, parts[0], alloc->Job) && take_part(part_resources_, parts[1], alloc->AllocatedResources) &&
                   take_part(part_metrics_, parts[2], alloc->Metrics);
      if (!whole) return corrupt("an allocation names a part that is not in the snapshot");
      interner_.share(*alloc);
      if (alloc->Job && parts[0] == 0) alloc->Job = known(alloc->Job);
      state_.allocs.put(std::move(alloc));
    }
    return {};
  }
  template <class T>
  static bool take_part(const std::vector<Ref<T>>& parts, uint64_t number, Ref<T>& into) {
    if (number > parts.size()) return false;
    if (number > 0) into = parts[number - 1];
    return true;
  }

  Status part(std::string_view bytes) {
    if (bytes.size() < 2 || bytes[0] != '\x92') return corrupt("a part of allocations is malformed");
    auto kind = static_cast<AllocPart>(bytes[1]);
    bytes.remove_prefix(2);
    switch (kind) {
      case AllocPart::kJob: return job_part(bytes);
      case AllocPart::kResources: return part_of(part_resources_, bytes);
      case AllocPart::kMetrics: return part_of(part_metrics_, bytes);
      case AllocPart::kCount: break;
    }
    return corrupt("a part of allocations is of an unknown kind");
  }
  template <class T>
  Status part_of(std::vector<Ref<T>>& parts, std::string_view bytes) {
    auto object = std::make_shared<T>();
    DROVER_CHECK(msgpack_decode(type_of<T>(), object.get(), bytes));
    parts.push_back(std::move(object));
    return {};
  }
  // One that the job tables have, which come first, is only named.
  Status job_part(std::string_view bytes) {
    DROVER_CHECK(part_of(part_jobs_, bytes));
    auto& job = part_jobs_.back();
    auto row = shared_job_row(state_, *job);
    if (row && (job->TaskGroups.is_nil() || *row == *job)) job = std::move(row);
    else job = known(job);
    return {};
  }

  Status opaque(uint8_t type, std::string_view bytes) {
    OpaqueRecord r{.Type = type, .Order = state_.opaque_records.size(), .Body = Bytes(std::string(bytes))};
    state_.opaque_records.put(std::make_shared<const OpaqueRecord>(std::move(r)));
    return {};
  }

  // One object per job version while reading, or memory would hold a job per allocation.
  Ref<Job> known(Ref<Job> job) {
    auto& equals = jobs_[{job->Namespace, job->ID, job->Version, job->CreateIndex}];
    for (auto& other : equals)
      if (*other == *job) return other;
    equals.push_back(job);
    return job;
  }

  void finish() {
    resolve_jobs();
    if (!native_) mend();
    for (auto& [name, value] : indexes_) set_table_index(name, value);
    if (state_.index == 0) state_.index = std::max<uint64_t>(1, state_.latest_index());
  }

  // Allocations take the job objects of the job tables: those that only name theirs, and those with an equal one.
  void resolve_jobs() {
    std::map<const Job*, Ref<Job>> replace;
    for (auto& [key, known] : jobs_)
      for (auto& job : known) {
        auto row = shared_job_row(state_, *job);
        bool stub = job->TaskGroups.is_nil();
        if (row && (stub || *row == *job)) replace[job.get()] = row;
      }
    if (replace.empty()) return;
    for (auto& alloc : state_.allocs.each()) {
      auto it = replace.find(alloc->Job.get());
      if (it == replace.end()) continue;
      Allocation copy = *alloc;
      copy.Job = it->second;
      state_.allocs.put(std::make_shared<const Allocation>(std::move(copy)));
    }
  }

  // What the reference repairs in older snapshots.
  void mend() {
    for (auto& node : state_.nodes.each()) {
      if (!node->SchedulingEligibility.empty()) continue;
      Node copy = *node;
      copy.SchedulingEligibility = node->DrainStrategy ? node_eligibility::kIneligible : node_eligibility::kEligible;
      state_.nodes.put(std::make_shared<const Node>(std::move(copy)));
    }
    for (auto& d : state_.deployments.each()) {
      if (!is_active(*d) || state_.jobs.get(d->Namespace, d->JobID)) continue;
      Deployment copy = *d;
      copy.Status = deployment_status::kCancelled;
      copy.StatusDescription = "Cancelled because job is stopped";
      state_.deployments.put(std::make_shared<const Deployment>(std::move(copy)));
    }
  }

  void set_table_index(std::string_view name, uint64_t value) {
    switch (table_by_name(name)) {
#define DROVER_X(member, type, label) \
  case TableId::member: state_.member.set_index(value); break;
      DROVER_STATE_TABLES(DROVER_X)
#undef DROVER_X
      case TableId::kCount: break;  // a table that we do not have
    }
  }

  Stream stream_;
  Interner& interner_;
  AllocDecoder allocs_;
  AllocPipeline pipeline_;
  std::vector<DecodedAlloc> decoded_;
  std::vector<Ref<Job>> part_jobs_;
  std::vector<Ref<AllocatedResources>> part_resources_;
  std::vector<Ref<AllocMetric>> part_metrics_;
  State state_;
  bool native_ = false;
  std::map<std::string, uint64_t> indexes_;
  std::map<std::tuple<std::string, std::string, uint64_t, uint64_t>, std::vector<Ref<Job>>> jobs_;
};

}  // namespace

Result<State> read_snapshot(const SnapshotSource& source, Interner& interner) { return Reader(source, interner).run(); }

Status restore_snapshot(Store& store, const SnapshotSource& source) {
  Interner interner;
  DROVER_TRY(auto state, read_snapshot(source, interner));
  store.replace(std::move(state), std::move(interner));
  return {};
}

}  // namespace drover::state
