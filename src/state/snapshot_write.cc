#include "codec/msgpack.h"
#include "state/snapshot_jobs.h"
#include "state/snapshot_io.h"
#include "state/snapshot_records.h"

namespace drover::state {
namespace {

constexpr size_t kChunk = 64 * 1024;

class Writer {
 public:
  Writer(const Snapshot& snapshot, const SnapshotSink& sink, SnapshotStyle style)
      : snapshot_(snapshot),
        sink_(sink),
        native_(style == SnapshotStyle::kNative),
        allocs_([this](const Ref<Job>& job) { return job_to_write(job); }) {}

  Status run() {
    buffer_ += '\x80';  // the header: an empty struct
    if (native_) {
      SnapshotMeta meta{snapshot_.index(), snapshot_.stamp()};
      DROVER_CHECK(record(RecordType::kMeta, meta));
    }
    List<TimeTableEntry> times(std::vector<TimeTableEntry>(snapshot_.times().entries()));
    DROVER_CHECK(record(RecordType::kTimeTable, times));
    DROVER_CHECK(indexes());
    DROVER_CHECK(opaque());
    for (auto& row : record_rows()) {
      if (row.native_only && !native_) continue;
      DROVER_CHECK(row.write(snapshot_.state(), [&](const TypeInfo& type, const void* object) {
        return &type == &type_of<Allocation>() ? alloc(row.type, *static_cast<const Allocation*>(object))
                                                       : record(row.type, type, object);
      }));
    }
    return flush();
  }

 private:
  Status indexes() {
    for (size_t i = 0; i < kTableCount; ++i) {
      auto table = static_cast<TableId>(i);
      if (!native_ && !table_has_index_row(table)) continue;
      if (uint64_t value = snapshot_.table_index(table))
        DROVER_CHECK(record(RecordType::kIndex, IndexEntry{std::string(table_name(table)), value}));
    }
    if (uint64_t value = snapshot_->acl_bootstrap_index)
      DROVER_CHECK(record(RecordType::kIndex, IndexEntry{std::string(kBootstrapIndexKey), value}));
    return {};
  }

  Status opaque() {
    for (auto& r : snapshot_->opaque_records.each()) {
      buffer_ += static_cast<char>(r->Type);
      buffer_ += r->Body.data;
    }
    return buffer_.size() >= kChunk ? flush() : Status();
  }

  Status alloc(RecordType type, const Allocation& a) {
    buffer_ += static_cast<char>(type);
    allocs_.encode(a, buffer_);
    return buffer_.size() >= kChunk ? flush() : Status();
  }

  // The job of an allocation is named, not repeated, when the snapshot has that very object. The reference has no such thing.
  Job job_to_write(const Ref<Job>& job) {
    if (!native_ || shared_job_row(snapshot_.state(), *job) != job) return *job;
    Job name;
    name.Namespace = job->Namespace;
    name.ID = job->ID;
    name.Version = job->Version;
    name.CreateIndex = job->CreateIndex;
    return name;
  }

  template <class T>
  Status record(RecordType type, const T& object) {
    return record(type, type_of<T>(), &object);
  }
  Status record(RecordType type, const TypeInfo& info, const void* object) {
    buffer_ += static_cast<char>(type);
    msgpack_encode(info, object, buffer_, {.omit_default = true});
    return buffer_.size() >= kChunk ? flush() : Status();
  }
  Status flush() {
    auto status = buffer_.empty() ? Status() : sink_(buffer_);
    buffer_.clear();
    return status;
  }

  const Snapshot& snapshot_;
  const SnapshotSink& sink_;
  bool native_;
  AllocEncoder allocs_;
  std::string buffer_;
};

}  // namespace

Status write_snapshot(const Snapshot& snapshot, const SnapshotSink& sink, SnapshotStyle style) {
  return Writer(snapshot, sink, style).run();
}

}  // namespace drover::state
