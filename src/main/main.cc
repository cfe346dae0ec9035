// The program: its commands and nothing else.
#include <malloc.h>

#include <cstdio>
#include <string>
#include <vector>

#include "agent/agent_command.h"
#include "agent/config.h"
#include "base/version.h"

namespace {

using drover::agent::run_agent;

// Memory that threads free goes back to few places, and from there to the system: an idle agent stays small.
void tame_allocator() {
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_TRIM_THRESHOLD, 256 << 10);
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
}

int validate(const std::vector<std::string>& paths) {
  auto line = [](FILE* to) { return [to](const std::string& text) { std::fprintf(to, "%s\n", text.c_str()); }; };
  return drover::agent::validate_config_files(paths, line(stdout), line(stderr));
}

}  // namespace

int main(int argc, char** argv) {
  tame_allocator();
  std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == "agent") return run_agent({words.begin() + 1, words.end()});
  if (words.size() > 1 && words[0] == "config" && words[1] == "validate") return validate({words.begin() + 2, words.end()});
  std::printf("Nomad v%s\n", std::string(drover::kVersion).c_str());
  return words.empty() || words[0] == "version" || words[0] == "-version" ? 0 : 127;
}
