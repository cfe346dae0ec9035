// What the reference's parsers do to a job after decoding it (reference jobspec, end of section 2.5).
#pragma once

#include "model/api_job.h"

namespace drover::jobspec {

// `tasks` and `vault` are those written directly in the job.
void normalize(api::Job& job, List<api::Task> tasks, Box<api::Vault> vault);

// Ports with a fixed value move to the reserved ones.
void normalize_ports(List<api::NetworkResource>& networks);
void normalize_vault(Box<api::Vault>& vault);

}  // namespace drover::jobspec
