// Following an evaluation and the deployment that comes of it (reference cli section 6).
#pragma once

#include <string>

#include "cli/api.h"
#include "cli/command.h"

namespace drover::cli {

// Follows the evaluation to its end. 0: all placed; 1: something could not be asked, or the deployment failed; 2: not
// everything could be placed.
int monitor_evaluation(Context& c, Api& api, std::string eval_id, bool verbose);

struct MonitoredDeployment {
  std::string status;
};
// Follows the deployment until it is over. `wait`: how long one question may block. `within`: speaks through that
// (with its prefixes) instead of the context's.
Result<MonitoredDeployment> monitor_deployment(Context& c, Api& api, const std::string& id, uint64_t index, Duration wait,
                                               bool verbose, const Ui* within = nullptr);

}  // namespace drover::cli
