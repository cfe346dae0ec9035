#include "raft/types.h"

namespace drover::raft {

std::string_view to_string(Suffrage s) { return s == Suffrage::kVoter ? "Voter" : "Nonvoter"; }

std::string_view to_string(Role r) {
  constexpr std::string_view kNames[] = {"Follower", "Candidate", "Leader", "Shutdown"};
  return kNames[static_cast<size_t>(r)];
}

uint64_t peer_id(std::string_view server_id) {
  uint64_t h = 0xcbf29ce484222325ull;  // FNV-1a, then a finisher: ids that differ in one digit differ everywhere
  for (unsigned char c : server_id) h = (h ^ c) * 0x100000001b3ull;
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ull;
  h = (h ^ (h >> 27)) * 0x94d049bb133111ebull;
  h ^= h >> 31;
  return h ? h : 1;
}

}  // namespace drover::raft
