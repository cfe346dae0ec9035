#include <algorithm>

#include "base/log.h"
#include "base/world.h"
#include "client/state_db.h"

namespace drover::client {
namespace {

constexpr Duration kRetry = std::chrono::seconds(1);

class PatientState final : public StateDbFilter {
 public:
  PatientState(std::unique_ptr<StateDb> inner, Loop& loop) : StateDbFilter(std::move(inner)), loop_(loop) {}

 protected:
  Status write(const std::vector<Write>& batch) override {
    if (waiting_.empty()) {
      auto status = StateDbFilter::write(batch);
      if (status || status.error().code != ErrorCode::kIo) return status;
      log_error("client", "the client's state cannot be written; it is tried again", {{"error", status.error().message}});
      for (auto& w : batch) keep(w);
      wait();
      return status;
    }
    for (auto& w : batch) keep(w);
    return catch_up();
  }

 private:
  // Only the newest write of a row counts.
  void keep(const Write& w) {
    bool prefix = w.kind == Write::Kind::kErasePrefix;
    std::erase_if(waiting_, [&](const Write& old) {
      if (old.table != w.table || old.kind == Write::Kind::kErasePrefix) return false;
      return prefix ? old.key.starts_with(w.key) : old.key == w.key;
    });
    waiting_.push_back(w);
  }

  Status catch_up() {
    auto status = StateDbFilter::write(waiting_);
    if (!status) return status;
    waiting_.clear();
    timer_.cancel();
    log_info("client", "the client's state is written again");
    return status;
  }

  void wait() {
    timer_ = loop_.after(kRetry, [this] {
      if (!waiting_.empty() && !catch_up()) wait();
    });
  }

  Loop& loop_;
  std::vector<Write> waiting_;  // all of them or none
  Timer timer_;
};

}  // namespace

std::unique_ptr<StateDb> make_patient_state(std::unique_ptr<StateDb> inner, Loop& loop) {
  return std::make_unique<PatientState>(std::move(inner), loop);
}

}  // namespace drover::client
