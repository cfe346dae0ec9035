// A task's driver config on the node: its texts are HCL templates over the task's environment (reference client,
// section 19.3).
#pragma once

#include "base/result.h"
#include "client/task_env.h"
#include "codec/value.h"
#include "hcl/eval.h"

namespace drover::client {

// Every text within `config` evaluated. A text that is one lone ${...} gives that value, whatever its type. Errors carry
// the language's own words: "2 errors occurred:\n\t* failed to parse config: \n\t* Unknown variable: ...".
Result<Value> evaluate_driver_config(const Map<Value>& config, const RunEnv& env);

// The names of the scope: each variable by its name (dots nest), `env`, `node`, `attr`, `meta`. A name that is both a text
// and the beginning of others is the latter; names with empty parts are only in `env`.
std::vector<std::pair<std::string, hcl::Value>> driver_config_names(const RunEnv& env);

}  // namespace drover::client
