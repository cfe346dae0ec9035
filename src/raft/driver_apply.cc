// Committed entries: user entries in batches, configuration changes and the engine's no-op one by one, in log order.
#include <algorithm>

#include "base/log.h"
#include "base/metrics.h"
#include "raft/bytes.h"
#include "raft/crc32c.h"
#include "raft/disk.h"
#include "raft/driver.h"

namespace drover::raft {
namespace {

constexpr size_t kMaxBatch = 64;
constexpr uint64_t kMaxBatchBytes = 64u << 10;
constexpr Duration kSlice = std::chrono::milliseconds(2);  // of applying in one turn of the loop

// Reads the gathered chunks of a restore back.
class GatheredReader final : public SnapshotReader {
 public:
  GatheredReader(File* file, std::string_view bytes, uint64_t size) : file_(file), bytes_(bytes), size_(size) {}
  Result<size_t> read(char* out, size_t size) override {
    size = std::min<uint64_t>(size, size_ - at_);
    if (size == 0) return size_t{0};
    size_t got = size;
    if (file_) {
      DROVER_TRY(got, file_->read_at(at_, out, size));
      if (got == 0) return Error(ErrorCode::kIo, "the gathered snapshot is cut short");
    } else {
      bytes_.copy(out, size, at_);
    }
    at_ += got;
    return got;
  }

 private:
  File* file_;
  std::string_view bytes_;
  uint64_t size_, at_ = 0;
};

}  // namespace

// True when something was applied, so that the engine may have more. A server with much to catch up with gives the
// loop to others in between.
bool Driver::run_apply() {
  bool any = false;
  const Monotonic begin = now();
  while (!dead_ && !committed_.empty() && !applying_ && !apply_rests_ && installing_ == 0) {
    const Committed& front = committed_.front();
    if (front.kind == DR_ENTRY_NORMAL && !front.data.empty() && front.data[0] == kTagUser) {
      size_t n = 0;
      uint64_t size = 0;
      for (auto& e : committed_) {
        if (e.kind != DR_ENTRY_NORMAL || e.data.empty() || e.data[0] != kTagUser || n == kMaxBatch || size > kMaxBatchBytes) break;
        size += e.data.size();
        n++;
      }
      apply_batch(n);
    } else {
      Committed entry = std::move(committed_.front());
      committed_.pop_front();
      if (entry.kind != DR_ENTRY_NORMAL) {
        apply_conf(entry);
      } else if (entry.data.empty()) {
        apply_noop(entry);
      } else {
        apply_restore_chunk(entry);
      }
    }
    any = true;
    if (now() - begin > kSlice && !committed_.empty()) {
      apply_rests_ = true;
      post(&Driver::resume_apply);
    }
  }
  return any;
}

void Driver::resume_apply() {
  apply_rests_ = false;
  pump();
}

void Driver::apply_batch(size_t n) {
  std::vector<BatchItem> items;
  items.reserve(n);
  auto own = pending_.begin();
  for (size_t i = 0; i < n; i++) {
    auto& e = committed_[i];
    auto& item = items.emplace_back(BatchItem{e.index, e.term, std::move(e.data), {}, {}});
    while (own != pending_.end() && own->index < e.index) ++own;
    if (own != pending_.end() && own->index == e.index && own->term == e.term) item.body = std::move(own->body);
  }
  committed_.erase(committed_.begin(), committed_.begin() + static_cast<ptrdiff_t>(n));
  on_executor(
      [this, items = std::move(items)]() mutable {
        run_batch(items);
        return std::move(items);
      },
      [](Driver& d, std::vector<BatchItem> done) { d.batch_applied(std::move(done)); });
}

// On the executor. Reads nothing of the driver that changes while a batch is out: index_offset_ changes only between.
void Driver::run_batch(std::vector<BatchItem>& items) {
  MetricTimer batch("raft.fsm.applyBatch");
  metric_gauge("raft.fsm.applyBatchNum", static_cast<double>(items.size()));
  for (auto& item : items) {
    MetricTimer timer("raft.fsm.apply");
    auto index = item.index + index_offset_;
    auto entry = std::string_view(item.data).substr(1);
    item.outcome = item.body ? parts_.fsm.apply_own(index, entry, item.body) : parts_.fsm.apply(index, entry);
  }
  parts_.fsm.applied_batch();
}

void Driver::batch_applied(std::vector<BatchItem> items) {
  if (installing_ > 0) return;  // a snapshot replaces what they did
  for (auto& item : items) {
    applied_bytes_ += item.data.size();
    answer(item.index, item.term, std::move(item.outcome), item.index + index_offset_);
  }
  applied_to(items.back().index, items.back().term);
}

void Driver::applied_to(uint64_t index, uint64_t term) {
  DROVER_ASSERT(index > applied_, "entries are applied in order");
  applied_ = index;
  applied_term_ = term;
  engine_.applied(index);
  while (!barriers_.empty() && barriers_.front().index <= applied_) {
    later([w = barriers_.front().waiter]() mutable { w.set(Status()); });
    barriers_.erase(barriers_.begin());
  }
}

// Hands the outcome to whoever proposed this entry here. An entry of another term at the index is another's entry.
void Driver::answer(uint64_t index, uint64_t term, std::any outcome, uint64_t fsm_index) {
  if (pending_.empty() || pending_.front().index > index) return;
  DROVER_ASSERT(pending_.front().index == index, "proposals are answered in order");
  Pending p = std::move(pending_.front());
  pending_.pop_front();
  in_flight_ -= p.size;
  if (p.term != term) {
    later([w = p.waiter]() mutable { w.set(Error(ErrorCode::kTimeout, "leadership lost while committing log")); });
    return;
  }
  later([w = p.waiter, a = Applied{fsm_index, std::move(outcome)}]() mutable { w.set(std::move(a)); });
}

// The first entry of a term. When it is this server's own term, all of earlier terms is applied here: lead.
void Driver::apply_noop(const Committed& entry) {
  abandon_restore();
  applied_to(entry.index, entry.term);
  refresh();
  if (st_.role != DR_LEADER || st_.term != entry.term || announced_) return;
  announced_ = true;
  if (events_.leadership) event([this, term = entry.term] { events_.leadership(true, term); });
  flush_reads();
  run_conf_ops();
}

void Driver::apply_conf(const Committed& entry) {
  dr_entry e{};
  e.index = entry.index;
  e.term = entry.term;
  e.kind = entry.kind;
  e.data = bytes(entry.data);
  dr_conf_state state;
  dr_bytes ctx;
  int32_t rc = dr_apply_conf(engine_.get(), &e, &state, &ctx);
  DROVER_ASSERT(rc == DR_OK || rc == DR_CONF_INVALID, "the engine decodes its own configuration entries");
  if (rc == DR_OK) {
    ByteReader in(view(ctx));
    Configuration next = conf_;
    Server server;
    while (in.left() > 0 && decode_server(in, server)) next.servers[peer_id(server.id)] = server;
    next.assign(state);
    conf_ = std::move(next);
    conf_index_ = entry.index;
    metric_gauge("raft.peers", static_cast<double>(conf_.servers.size()));
    log_info("raft", "applied a configuration", {{"index", std::to_string(entry.index)}, {"servers", std::to_string(conf_.servers.size())}});
    if (events_.configuration) event([this] { events_.configuration(); });
  }
  conf_op_applied(entry.index, rc);
  applied_to(entry.index, entry.term);
  refresh();
  if (started_ && !dead_) arm_tick();
  run_conf_ops();
}

// ---- restore_state: chunks in the log, gathered here, read by the state machine at the last one
//
//   u64 id, u64 offset, u8 last, u64 min index, u32 checksum of the whole (of the last), bytes
//
// A no-op in between (a new leader) ends it everywhere alike.

// One chunk, without its tag. kRefused with `why`: all servers refuse it alike. An error is this server's own.
Result<Driver::Gathered> Driver::gather_chunk(std::string_view chunk, uint64_t& min_index, std::string& why) {
  ByteReader in(chunk);
  uint64_t id = in.get<uint64_t>(), offset = in.get<uint64_t>();
  bool last = in.get<uint8_t>() != 0;
  min_index = in.get<uint64_t>();
  uint32_t crc = in.get<uint32_t>();
  std::string_view data = in.raw(in.left());
  auto refuse = [&](const char* text) {
    why = text;
    abandon_restore();
    return Gathered::kRefused;
  };
  if (!in.ok()) return refuse("a chunk of the snapshot is malformed");
  if (offset == 0) {
    abandon_restore();
    gathering_ = std::make_unique<Gathering>();
    gathering_->id = id;
    if (!options_.memory) {
      DROVER_TRY(gathering_->file, disk_.open(options_.dir + "/restore", OpenMode::kCreate));
    }
  }
  if (!gathering_ || gathering_->id != id || gathering_->size != offset) return refuse("the restore was interrupted");
  if (gathering_->file) {
    DROVER_CHECK(gathering_->file->write_at(offset, {&data, 1}));
  } else {
    gathering_->bytes.append(data);
  }
  gathering_->size += data.size();
  gathering_->crc = crc32c(gathering_->crc, data);
  if (!last) return Gathered::kMore;
  if (gathering_->crc != crc) return refuse("the snapshot does not match its checksum");
  return Gathered::kComplete;
}

Status Driver::restore_gathered() {
  GatheredReader reader(gathering_->file.get(), gathering_->bytes, gathering_->size);
  return parts_.fsm.restore(reader);
}

void Driver::apply_restore_chunk(const Committed& entry) {
  uint64_t min_index = 0;
  std::string why;
  applied_bytes_ += entry.data.size();
  auto gathered = gather_chunk(std::string_view(entry.data).substr(1), min_index, why);
  if (!gathered) return fail(gathered.error());
  if (*gathered == Gathered::kComplete) return finish_restore(entry.index, entry.term, min_index);
  Status outcome;
  if (*gathered == Gathered::kRefused) outcome = internal(why);
  answer(entry.index, entry.term, outcome, entry.index + index_offset_);
  applied_to(entry.index, entry.term);
}

void Driver::finish_restore(uint64_t index, uint64_t term, uint64_t min_index) {
  load_state(
      [this]() -> Result<std::unique_ptr<SnapshotReader>> {
        return std::unique_ptr<SnapshotReader>(
            std::make_unique<GatheredReader>(gathering_->file.get(), gathering_->bytes, gathering_->size));
      },
      [index, term, min_index](Driver& d, Status status) {
        d.abandon_restore();
        if (d.installing_ > 0) return;
        if (!status && status.error().code == ErrorCode::kIo) return d.fail(status.error());
        // Indexes that the state machine sees go on above those in the state it took over.
        if (status && index + d.index_offset_ <= min_index) d.index_offset_ = min_index + 1 - index;
        d.answer(index, term, status, index + d.index_offset_);
        d.applied_to(index, term);
        d.want_snapshot_ = true;
      });
}

void Driver::abandon_restore() {
  if (!gathering_) return;
  bool file = gathering_->file != nullptr;
  gathering_.reset();
  if (file) static_cast<void>(disk_.remove(options_.dir + "/restore"));  // what stays is overwritten by the next one
}

}  // namespace drover::raft
