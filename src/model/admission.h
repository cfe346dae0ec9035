// What a server does with a job before it takes it, plans it or only validates it: mutators, then validators, in the
// reference's order (reference jobspec section 7, server-workflows section 1). Pure: what the judgement needs to know
// of the cluster is in the options.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/world.h"
#include "model/config_records.h"
#include "model/job.h"
#include "model/job_defaults.h"
#include "model/multi_error.h"

namespace drover {

// The outcome of asking Vault about the job's token, which the caller does beforehand when vault_token_needed().
struct VaultTokenLookup {
  std::string lookup_error;      // the call failed
  std::string policies_error;    // it succeeded, its policies could not be read
  std::vector<std::string> policies;
};

struct AdmissionOptions {
  int64_t default_priority = kJobDefaultPriority;
  int64_t max_priority = kJobDefaultMaxPriority;
  bool vault_enabled = false;
  bool vault_allow_unauthenticated = true;
  std::optional<VaultTokenLookup> vault_token;
  bool memory_oversubscription = false;
  // The namespace of that name, null when there is none. Valid during the call.
  std::function<const Namespace*(std::string_view)> find_namespace;
  Random* random = nullptr;      // for the name of an injected task whose own name is taken
};

struct Admission {
  Job job;                             // mutated
  std::optional<Error> mutator_error;  // the request fails: "error in job mutator connect: ..."
  MultiError errors;                   // of the validators; Register and Plan fail with errors.text()
  std::vector<std::string> warnings;   // warnings_text() makes the API's text
};

Admission admit(Job job, const AdmissionOptions& options);

// Whether the server must look the job's Vault token up before admit().
bool vault_token_needed(const Job& job, const AdmissionOptions& options);

}  // namespace drover
