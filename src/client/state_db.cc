#include "client/state_db.h"

#include <algorithm>

#include "codec/msgpack.h"

namespace drover::client {

namespace {

constexpr std::string_view kMeta = "meta", kAlloc = "alloc", kDeploy = "deploy_status", kNetwork = "network_status",
                           kAcked = "acknowledged_state", kLocal = "local_state", kTaskState = "task_state",
                           kChecks = "check_results", kNodeMeta = "node_meta";

template <class T>
std::string pack(const T& value) {
  return to_msgpack(value, {.omit_default = true});
}

template <class T>
StateDb::Write put(std::string_view table, std::string key, const T& value) {
  return {StateDb::Write::Kind::kPut, table, std::move(key), pack(value)};
}

StateDb::Write erase(std::string_view table, std::string key) {
  return {StateDb::Write::Kind::kErase, table, std::move(key), {}};
}

StateDb::Write erase_prefix(std::string_view table, std::string prefix) {
  return {StateDb::Write::Kind::kErasePrefix, table, std::move(prefix), {}};
}

std::string task_key(const Uuid& id, std::string_view task) { return id.str() + "/" + std::string(task); }

// Hands each row of a table, decoded, to `keep`; notes those that do not decode.
template <class T, class F>
void each_row(const std::vector<StateDb::Row>& rows, std::string_view table, std::vector<std::string>& damaged, F keep) {
  for (auto& row : rows) {
    auto value = from_msgpack<T>(row.value);
    if (value) keep(row.key, std::move(*value));
    else damaged.push_back(std::string(table) + " " + row.key + ": " + value.error().message);
  }
}

}  // namespace

Result<std::vector<StoredAlloc>> StateDb::load_allocs(std::vector<std::string>& damaged) {
  std::map<std::string, StoredAlloc> found;
  auto of = [&](std::string_view key) -> StoredAlloc* {
    auto it = found.find(std::string(key.substr(0, key.find('/'))));
    return it == found.end() ? nullptr : &it->second;
  };
  auto task_of = [](std::string_view key) { return std::string(key.substr(key.find('/') + 1)); };

  DROVER_TRY(auto allocs, read(kAlloc, ""));
  each_row<Allocation>(allocs, kAlloc, damaged, [&](auto& key, Allocation a) { found[key].alloc = std::move(a); });
  DROVER_TRY(auto deploys, read(kDeploy, ""));
  each_row<AllocDeploymentStatus>(deploys, kDeploy, damaged, [&](auto& key, auto v) {
    if (auto* a = of(key)) a->deployment_status = std::move(v);
  });
  DROVER_TRY(auto networks, read(kNetwork, ""));
  each_row<AllocNetworkStatus>(networks, kNetwork, damaged, [&](auto& key, auto v) {
    if (auto* a = of(key)) a->network_status = std::move(v);
  });
  DROVER_TRY(auto acked, read(kAcked, ""));
  each_row<Allocation>(acked, kAcked, damaged, [&](auto& key, auto v) {
    if (auto* a = of(key)) a->acknowledged = std::move(v);
  });
  DROVER_TRY(auto locals, read(kLocal, ""));
  each_row<LocalTaskState>(locals, kLocal, damaged, [&](auto& key, auto v) {
    if (auto* a = of(key)) a->task_local[task_of(key)] = std::move(v);
  });
  DROVER_TRY(auto states, read(kTaskState, ""));
  each_row<TaskState>(states, kTaskState, damaged, [&](auto& key, auto v) {
    if (auto* a = of(key)) a->task_states[task_of(key)] = std::move(v);
  });
  std::vector<StoredAlloc> out;
  for (auto& [id, alloc] : found) out.push_back(std::move(alloc));
  return out;
}

Status StateDb::put_alloc(const Allocation& alloc) { return write({put(kAlloc, alloc.ID.str(), alloc)}); }

Status StateDb::put_deployment_status(const Uuid& id, const Box<AllocDeploymentStatus>& status) {
  return write({status ? put(kDeploy, id.str(), *status) : erase(kDeploy, id.str())});
}

Status StateDb::put_network_status(const Uuid& id, const Box<AllocNetworkStatus>& status) {
  return write({status ? put(kNetwork, id.str(), *status) : erase(kNetwork, id.str())});
}

Status StateDb::put_acknowledged(const Allocation& update) { return write({put(kAcked, update.ID.str(), update)}); }

Status StateDb::put_task(const Uuid& id, std::string_view task, const LocalTaskState& local, const TaskState& state) {
  auto key = task_key(id, task);
  return write({put(kLocal, key, local), put(kTaskState, key, state)});
}

Status StateDb::delete_alloc(const Uuid& id) {
  auto key = id.str();
  return write({erase(kAlloc, key), erase(kDeploy, key), erase(kNetwork, key), erase(kAcked, key),
                erase_prefix(kLocal, key + "/"), erase_prefix(kTaskState, key + "/"), erase_prefix(kChecks, key + "_")});
}

Status StateDb::put_check_result(const Uuid& id, const CheckQueryResult& result) {
  return write({put(kChecks, id.str() + "_" + result.ID, result)});
}

Result<std::vector<CheckQueryResult>> StateDb::check_results(const Uuid& id) {
  DROVER_TRY(auto rows, read(kChecks, id.str() + "_"));
  std::vector<CheckQueryResult> out;
  std::vector<std::string> damaged;
  each_row<CheckQueryResult>(rows, kChecks, damaged, [&](auto&, auto v) { out.push_back(std::move(v)); });
  return out;
}

Status StateDb::delete_check_results(const Uuid& id) { return write({erase_prefix(kChecks, id.str() + "_")}); }

Status StateDb::put_node_meta(const Map<std::optional<std::string>>& meta) {
  return write({put(kNodeMeta, "meta", meta)});
}

Result<Map<std::optional<std::string>>> StateDb::node_meta() {
  DROVER_TRY(auto rows, read(kNodeMeta, "meta"));
  if (rows.empty()) return Map<std::optional<std::string>>();
  return from_msgpack<Map<std::optional<std::string>>>(rows[0].value);
}

Status StateDb::put_value(std::string_view name, std::string_view value) {
  return write({{Write::Kind::kPut, kMeta, std::string(name), std::string(value)}});
}

Result<std::string> StateDb::value(std::string_view name) {
  DROVER_TRY(auto rows, read(kMeta, name));
  for (auto& row : rows)
    if (row.key == name) return row.value;
  return std::string();
}

namespace {

class MemoryState final : public StateDb {
 public:
  explicit MemoryState(std::shared_ptr<MemoryRows> rows) : rows_(rows ? std::move(rows) : std::make_shared<MemoryRows>()) {}

 protected:
  Status write(const std::vector<Write>& batch) override {
    for (auto& w : batch) {
      auto& table = (*rows_)[std::string(w.table)];
      if (w.kind == Write::Kind::kPut) table[w.key] = w.value;
      else if (w.kind == Write::Kind::kErase) table.erase(w.key);
      else std::erase_if(table, [&](auto& row) { return row.first.starts_with(w.key); });
    }
    return {};
  }

  Result<std::vector<Row>> read(std::string_view table, std::string_view prefix) override {
    std::vector<Row> out;
    for (auto& [key, value] : (*rows_)[std::string(table)])
      if (key.starts_with(prefix)) out.push_back({key, value});
    return out;
  }

 private:
  std::shared_ptr<MemoryRows> rows_;
};

}  // namespace

std::unique_ptr<StateDb> make_memory_state(std::shared_ptr<MemoryRows> shared) {
  return std::make_unique<MemoryState>(std::move(shared));
}

}  // namespace drover::client
