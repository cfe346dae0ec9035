// Runs every target over the kept finds (FOLDER/<target>/*) and over the hostile inputs, and measures.
//
//   fuzz_replay FOLDER [TARGET]
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/hostile.h"
#include "fuzz/targets.h"

namespace {

namespace fs = std::filesystem;
using namespace drover::fuzz;

// Longest that one input may take, in any build, on a busy machine; memory in KiB that all may take together.
constexpr double kSecondsMax = 20;
[[maybe_unused]] constexpr long kMemoryMax = 1L << 20;

int failures = 0, runs = 0;
char present[256];  // what runs now, for the last words

void last_words(int signal) {
  [[maybe_unused]] auto written = write(STDERR_FILENO, present, std::strlen(present));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void replay(const Target& target, const std::string& name, std::string_view text) {
  auto begin = std::chrono::steady_clock::now();
  std::snprintf(present, sizeof present, "%.*s: %s\n", int(target.name.size()), target.name.data(), name.c_str());
  target.run(text);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  ++runs;
  if (took.count() > 1) std::fprintf(stderr, "%.1f s: %s", took.count(), present);
  if (took.count() > kSecondsMax) ++failures;
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

long peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: fuzz_replay FOLDER [TARGET]\n");
    return 2;
  }
  for (int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGALRM}) std::signal(signal, last_words);
  auto hostile = hostile_inputs();
  for (auto& target : kTargets) {
    if (argc > 2 && target.name != argv[2]) continue;
    auto folder = fs::path(argv[1]) / target.name;
    std::error_code none;
    for (auto& entry : fs::directory_iterator(folder, none)) replay(target, entry.path().filename(), read(entry.path()));
    for (auto& input : hostile) replay(target, input.name, input.text);
  }
  auto memory = peak_memory();
  std::printf("%d inputs, peak memory %ld MiB\n", runs, memory >> 10);
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  if (memory > kMemoryMax) ++failures;
#endif
  std::printf("%d passed, %d failed\n", runs - failures, failures);
  return failures ? 1 : 0;
}
