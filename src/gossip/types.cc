#include "gossip/types.h"

#include <fmt/format.h>

namespace drover::gossip {

std::string_view status_text(MemberStatus status) {
  switch (status) {
    case MemberStatus::kNone: return "none";
    case MemberStatus::kAlive: return "alive";
    case MemberStatus::kLeaving: return "leaving";
    case MemberStatus::kLeft: return "left";
    case MemberStatus::kFailed: return "failed";
  }
  return "none";
}

std::string explain(const KeyResponse& r) {
  auto out = r.error;
  if (out.empty()) return out;
  for (auto& [node, message] : r.messages) {
    if (message.empty()) continue;
    out += ": " + node + ": " + message;
    break;  // the others say the same, or can be asked after this
  }
  if (auto silent = r.num_nodes - r.num_responses; silent > 0) out += fmt::format("; {} did not answer", silent);
  return out;
}

Tuning Tuning::wan() {
  Tuning t;
  t.tcp_timeout = 30s;
  t.suspicion_mult = 6;
  t.push_pull_interval = 60s;
  t.probe_timeout = 3s;
  t.probe_interval = 5s;
  t.gossip_nodes = 4;
  t.gossip_interval = 500ms;
  t.gossip_to_the_dead = 60s;
  return t;
}

Tuning Tuning::local() {
  Tuning t;
  t.tcp_timeout = 1s;
  t.indirect_checks = 1;
  t.retransmit_mult = 2;
  t.suspicion_mult = 3;
  t.push_pull_interval = 15s;
  t.probe_timeout = 200ms;
  t.probe_interval = 1s;
  t.gossip_interval = 100ms;
  t.gossip_to_the_dead = 15s;
  return t;
}

}  // namespace drover::gossip
