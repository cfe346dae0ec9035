#include "state/snapshot_allocs.h"

#include <algorithm>

#include "codec/msgpack.h"

namespace drover::state {
namespace {

constexpr size_t kBatchBytes = 128 << 10;
constexpr size_t kAhead = 6;          // batches decoded or being decoded
constexpr unsigned kMaxThreads = 3;   // one thread stores what these decode

}  // namespace

Result<DecodedAlloc> decode_alloc(std::string_view bytes) {
  DecodedAlloc out;
  if (bytes.empty() || static_cast<uint8_t>(bytes[0]) != (0x90 | (kAllocParts + 1)))
    return Error(ErrorCode::kCorrupt, "an allocation of parts is malformed");
  bytes.remove_prefix(1);
  for (auto& n : out.parts) DROVER_CHECK(msgpack_decode(type_of<uint64_t>(), &n, bytes));
  out.alloc = std::make_shared<Allocation>();
  DROVER_CHECK(msgpack_decode(type_of<Allocation>(), out.alloc.get(), bytes));
  return out;
}

AllocPipeline::~AllocPipeline() {
  {
    std::lock_guard lock(mutex_);
    over_ = true;
  }
  work_.notify_all();
  for (auto& t : threads_) t.join();
}

void AllocPipeline::add(std::string_view bytes) {
  if (!filling_) filling_ = std::make_shared<Batch>();
  filling_->bytes += bytes;
  filling_->pieces.push_back(bytes.size());
  if (filling_->bytes.size() >= kBatchBytes) submit();
}

void AllocPipeline::submit() {
  if (threads_.empty()) {
    unsigned n = std::clamp(std::thread::hardware_concurrency(), 2u, kMaxThreads + 1) - 1;
    for (unsigned i = 0; i < n; ++i) threads_.emplace_back([this] { work(); });
  }
  submitted_.push_back(filling_);
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::exchange(filling_, nullptr));
  }
  work_.notify_one();
}

void AllocPipeline::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [&] { return over_ || !queue_.empty(); });
    if (over_) return;
    auto batch = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    decode(*batch);
    lock.lock();
    batch->done = true;
    done_.notify_all();
  }
}

void AllocPipeline::decode(Batch& batch) {
  batch.allocs.reserve(batch.pieces.size());
  std::string_view rest = batch.bytes;
  for (size_t size : batch.pieces) {
    auto alloc = decode_alloc(rest.substr(0, size));
    if (!alloc) {
      batch.status = std::move(alloc).error();
      return;
    }
    batch.allocs.push_back(std::move(*alloc));
    rest.remove_prefix(size);
  }
}

Status AllocPipeline::take(std::vector<DecodedAlloc>& out, bool all) {
  auto give = [&](Batch& batch) -> Status {
    out.insert(out.end(), std::make_move_iterator(batch.allocs.begin()), std::make_move_iterator(batch.allocs.end()));
    return std::move(batch.status);
  };
  while (!submitted_.empty() && (all || submitted_.size() > kAhead)) {
    auto batch = std::move(submitted_.front());
    submitted_.pop_front();
    {
      std::unique_lock lock(mutex_);
      done_.wait(lock, [&] { return batch->done; });
    }
    DROVER_CHECK(give(*batch));
  }
  if (!all || !filling_) return {};
  auto last = std::exchange(filling_, nullptr);
  decode(*last);
  return give(*last);
}

}  // namespace drover::state
