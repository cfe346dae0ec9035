#include "server/rpc.h"

#include <algorithm>

#include "base/assert.h"

namespace drover::server {

const std::vector<RpcRow>& rpc_table() {
  static const std::vector<RpcRow> table = [] {
    std::vector<RpcRow> rows;
    for (auto add : {add_job_rows, add_eval_rows, add_alloc_rows, add_deployment_rows, add_node_rows, add_status_rows,
                     add_operator_rows, add_namespace_rows, add_service_rows, add_node_rpc_rows, add_keyring_rows, add_search_rows, add_scaling_rows,
                     add_dispatch_rows, add_variable_rows, add_csi_rows, add_identity_rows, add_worker_rows, add_agent_rows})
      add(rows);
    std::sort(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.method < b.method; });
    for (auto& row : rows) row.metrics = &rpc_metrics(row.method);
    for (size_t i = 1; i < rows.size(); ++i) DROVER_ASSERT(rows[i - 1].method != rows[i].method, "a method has one row");
    return rows;
  }();
  return table;
}

const RpcRow* find_rpc(std::string_view method) {
  auto& rows = rpc_table();
  auto it = std::lower_bound(rows.begin(), rows.end(), method, [](auto& r, std::string_view m) { return r.method < m; });
  return it != rows.end() && it->method == method ? &*it : nullptr;
}

}  // namespace drover::server
