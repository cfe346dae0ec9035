#include "client/checks.h"

#include "base/log.h"
#include "client/state_db.h"

namespace drover::client {

namespace {
constexpr std::string_view kLog = "client.checkstore";
}

void CheckStore::restore(const Uuid& alloc) {
  if (results_.contains(alloc)) return;
  auto stored = state_.check_results(alloc);
  if (!stored) {
    log_error(kLog, "failed to restore check results", {{"alloc_id", alloc.str()}, {"error", stored.error().message}});
    return;
  }
  for (auto& r : *stored) results_[alloc].set(r.ID, r);
}

const Map<CheckQueryResult>& CheckStore::of(const Uuid& alloc) const {
  static const Map<CheckQueryResult> kNone;
  auto it = results_.find(alloc);
  return it == results_.end() ? kNone : it->second;
}

void CheckStore::put(const Uuid& alloc, const CheckQueryResult& result) {
  auto& known = results_[alloc];
  auto* before = known.find(result.ID);
  bool news = !before || before->Status != result.Status;
  known.set(result.ID, result);
  if (!news) return;
  if (auto status = state_.put_check_result(alloc, result); !status)
    log_error(kLog, "failed to persist check result", {{"alloc_id", alloc.str()}, {"error", status.error().message}});
}

void CheckStore::remove(const Uuid& alloc, const std::string& check) {
  auto it = results_.find(alloc);
  if (it == results_.end() || !it->second.erase(check)) return;
  // The database forgets by allocation: what is left is written again.
  auto left = it->second;
  purge(alloc);
  for (auto& [id, result] : left) put(alloc, result);
}

void CheckStore::purge(const Uuid& alloc) {
  if (!results_.erase(alloc)) return;
  if (auto status = state_.delete_check_results(alloc); !status)
    log_error(kLog, "failed to purge check results", {{"alloc_id", alloc.str()}, {"error", status.error().message}});
}

}  // namespace drover::client
