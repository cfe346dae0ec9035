#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "codec/msgpack.h"
#include "model/status.h"
#include "state/snapshot_io.h"
#include "state/snapshot_records.h"

namespace drover::state {
namespace {

constexpr size_t kReadAtOnce = 256 * 1024;
constexpr size_t kMaxRecord = size_t{1} << 30;

uint64_t big_endian(std::string_view s) {
  uint64_t n = 0;
  for (unsigned char c : s) n = n << 8 | c;
  return n;
}

// Bytes that the MessagePack object at the front takes; 0 when they are not all there.
size_t object_extent(std::string_view bytes) {
  size_t at = 0;
  uint64_t open = 1;  // objects still to come
  while (open > 0) {
    if (at >= bytes.size()) return 0;
    auto head = static_cast<uint8_t>(bytes[at++]);
    --open;
    size_t length_bytes = 0, payload = 0, children_each = 0;
    if (head < 0x80 || head >= 0xe0 || head == 0xc0 || head == 0xc2 || head == 0xc3) continue;
    if (head < 0x90) open += 2 * (head & 0x0fu);
    else if (head < 0xa0) open += head & 0x0fu;
    else if (head < 0xc0) payload = head & 0x1fu;
    else if (head >= 0xc4 && head <= 0xc6) length_bytes = size_t{1} << (head - 0xc4);
    else if (head >= 0xd9 && head <= 0xdb) length_bytes = size_t{1} << (head - 0xd9);
    else if (head == 0xca || head == 0xce || head == 0xd2) payload = 4;
    else if (head == 0xcb || head == 0xcf || head == 0xd3) payload = 8;
    else if (head == 0xcc || head == 0xd0) payload = 1;
    else if (head == 0xcd || head == 0xd1) payload = 2;
    else if (head == 0xdc || head == 0xdd) length_bytes = head == 0xdc ? 2 : 4, children_each = 1;
    else if (head == 0xde || head == 0xdf) length_bytes = head == 0xde ? 2 : 4, children_each = 2;
    else if (head >= 0xc7 && head <= 0xc9) length_bytes = size_t{1} << (head - 0xc7), payload = 1;   // ext
    else if (head >= 0xd4 && head <= 0xd8) payload = 1 + (size_t{1} << (head - 0xd4));               // fixext
    if (length_bytes) {
      if (bytes.size() - at < length_bytes) return 0;
      uint64_t n = big_endian(bytes.substr(at, length_bytes));
      at += length_bytes;
      if (children_each) open += n * children_each;
      else payload += n;
    }
    if (bytes.size() - at < payload) return 0;
    at += payload;
  }
  return at;
}

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
      if (size_t n = object_extent(rest)) {
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
  Reader(const SnapshotSource& source, Interner& interner) : stream_(source), interner_(interner) {}

  Result<State> run() {
    DROVER_TRY(auto header, stream_.object());
    (void)header;
    while (true) {
      uint8_t type = 0;
      DROVER_TRY(bool more, stream_.byte(type));
      if (!more || type == static_cast<uint8_t>(RecordType::kEventSink)) break;
      DROVER_CHECK(record(type));
    }
    finish();
    return std::move(state_);
  }

 private:
  Status record(uint8_t type) {
    DROVER_TRY(auto bytes, stream_.object());
    switch (static_cast<RecordType>(type)) {
      case RecordType::kMeta: return meta(bytes);
      case RecordType::kTimeTable: return times(bytes);
      case RecordType::kIndex: return index(bytes);
      case RecordType::kNodePool: return {};  // the reference has no way to use them yet
      default: break;
    }
    auto* row = find_record_row(type);
    if (!row) return corrupt(fmt::format("Unrecognized snapshot type: {}", type));
    auto status = row->read(state_, bytes, [this](Allocation& a) { share(a); });
    if (!status) return std::move(status).error().with_context(fmt::format("snapshot record of type {}", type));
    return {};
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

  // One object per job version while reading, or memory would hold a job per allocation.
  void share(Allocation& a) {
    interner_.share(a);
    if (!a.Job) return;
    auto& known = jobs_[{a.Job->Namespace, a.Job->ID, a.Job->Version, a.Job->CreateIndex}];
    for (auto& job : known) {
      if (!(*job == *a.Job)) continue;
      a.Job = job;
      return;
    }
    known.push_back(a.Job);
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
