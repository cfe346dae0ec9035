#include <array>
#include <unordered_map>
#include <utility>

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
        allocs_([](const Ref<Job>& job) { return *job; }) {}

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
    return full();
  }

  // What many allocations share is written once, as a numbered part.
  Status alloc(RecordType type, const Allocation& a) {
    if (!native_) {
      buffer_ += static_cast<char>(type);
      allocs_.encode(a, buffer_);
      return full();
    }
    uint64_t numbers[kAllocParts] = {};
    Allocation own = a;
    DROVER_CHECK(job_part(own.Job, numbers[0]));
    DROVER_CHECK(part(AllocPart::kResources, own.AllocatedResources, numbers[1]));
    DROVER_CHECK(part(AllocPart::kMetrics, own.Metrics, numbers[2]));
    buffer_ += static_cast<char>(RecordType::kAllocOfParts);
    buffer_ += static_cast<char>(0x90 | (kAllocParts + 1));
    for (auto& n : numbers) msgpack_encode(type_of<uint64_t>(), &n, buffer_);
    msgpack_encode(type_of<Allocation>(), &own, buffer_, {.omit_default = true});
    return full();
  }
  // Moves what `ref` holds out of the allocation, unless nobody else has it.
  template <class T>
  Status part(AllocPart kind, Ref<T>& ref, uint64_t& number) {
    if (!ref || ref.use_count() <= 2) return {};  // the row's and the copy's
    auto taken = std::exchange(ref, nullptr);
    return number_of(kind, taken.get(), number, [&]() -> const T& { return *taken; });
  }
  // A job of the job tables is named, not repeated.
  Status job_part(Ref<Job>& ref, uint64_t& number) {
    if (!ref) return {};
    auto job = std::exchange(ref, nullptr);
    return number_of(AllocPart::kJob, job.get(), number, [&]() -> Job {
      if (shared_job_row(snapshot_.state(), *job) != job) return *job;
      Job stub;
      stub.Namespace = job->Namespace;
      stub.ID = job->ID;
      stub.Version = job->Version;
      stub.CreateIndex = job->CreateIndex;
      return stub;
    });
  }
  template <class Fn>
  Status number_of(AllocPart kind, const void* object, uint64_t& number, Fn content) {
    auto& numbers = parts_[static_cast<size_t>(kind)];
    auto [it, fresh] = numbers.try_emplace(object, numbers.size() + 1);
    number = it->second;
    if (!fresh) return {};
    buffer_ += static_cast<char>(RecordType::kAllocPart);
    buffer_ += '\x92';
    buffer_ += static_cast<char>(kind);
    decltype(auto) body = content();
    msgpack_encode(type_of<std::remove_cvref_t<decltype(body)>>(), &body, buffer_, {.omit_default = true});
    return full();
  }

  template <class T>
  Status record(RecordType type, const T& object) {
    return record(type, type_of<T>(), &object);
  }
  Status record(RecordType type, const TypeInfo& info, const void* object) {
    buffer_ += static_cast<char>(type);
    msgpack_encode(info, object, buffer_, {.omit_default = true});
    return full();
  }
  Status full() { return buffer_.size() >= kChunk ? flush() : Status(); }
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
  std::array<std::unordered_map<const void*, uint64_t>, kAllocParts> parts_;
};

}  // namespace

Status write_snapshot(const Snapshot& snapshot, const SnapshotSink& sink, SnapshotStyle style) {
  return Writer(snapshot, sink, style).run();
}

}  // namespace drover::state
