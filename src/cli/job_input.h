// Job files as run, plan and validate take them (reference cli section 9.7).
#pragma once

#include <string>

#include "base/result.h"
#include "cli/command.h"
#include "model/api_job.h"
#include "model/api_requests.h"

namespace drover::cli {

struct JobInput {
  api::Job job;
  api::JobSubmission submission;
};

// Reads and parses the file, after checking the flags. Says what is wrong and gives nullopt.
std::optional<JobInput> read_job(Context& c, const std::string& path);

// Sets the job's Vault and Consul tokens and namespaces from flags and environment.
void add_vault(Context& c, api::Job& job);
void add_consul(Context& c, api::Job& job);
// A region or namespace of the job wins over flags and environment.
void follow_job(Api& api, const api::Job& job);

// "Job Warnings:" and the text, and a blank line.
void show_warnings(const Context& c, std::string_view warnings);

// "2026-11-24T08:00:00Z (1h2m3s from now)" of the next launch; "" when the job is not periodic or has none.
std::string next_launch_text(const api::Job& job, Time now);

inline constexpr Flag kJobJsonFlag{"json", FlagKind::kBool, "", "The file is a job in JSON, as the API has it.", ""};
inline constexpr Flag kHcl1Flag{"hcl1", FlagKind::kBool, "", "Read the file with the older HCL 1 parser.", ""};
inline constexpr Flag kHcl2StrictFlag{
    "hcl2-strict", FlagKind::kBool, "",
    "Whether a value for a variable that the file does not declare is an error. Defaults to true.", "true"};
inline constexpr Flag kVarFlag{"var", FlagKind::kList, " 'key=value'",
                               "Value of an input variable. May be given several times.", ""};
inline constexpr Flag kVarFileFlag{"var-file", FlagKind::kList, "=<path>",
                                   "File with values of input variables. May be given several times.", ""};
inline constexpr Flag kVaultTokenFlag{
    "vault-token", FlagKind::kText, "=<token>",
    "Vault token to store with the job until it is checked. Overrides VAULT_TOKEN and the token of the file.", ""};
inline constexpr Flag kVaultNamespaceFlag{"vault-namespace", FlagKind::kText, "=<namespace>",
                                          "Vault namespace of the job; overrides that of the file.", ""};

}  // namespace drover::cli
