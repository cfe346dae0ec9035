#include "drivers/signals.h"

#include <csignal>

namespace drover::drivers {

std::optional<int> signal_number(std::string_view name) {
  static constexpr struct {
    std::string_view name;
    int number;
  } kSignals[] = {
      {"SIGNULL", 0},       {"SIGABRT", SIGABRT}, {"SIGALRM", SIGALRM}, {"SIGBUS", SIGBUS},     {"SIGCONT", SIGCONT},
      {"SIGFPE", SIGFPE},   {"SIGHUP", SIGHUP},   {"SIGILL", SIGILL},   {"SIGINT", SIGINT},     {"SIGIO", SIGIO},
      {"SIGIOT", SIGIOT},   {"SIGKILL", SIGKILL}, {"SIGPIPE", SIGPIPE}, {"SIGPROF", SIGPROF},   {"SIGQUIT", SIGQUIT},
      {"SIGSEGV", SIGSEGV}, {"SIGSTOP", SIGSTOP}, {"SIGSYS", SIGSYS},   {"SIGTERM", SIGTERM},   {"SIGTRAP", SIGTRAP},
      {"SIGTSTP", SIGTSTP}, {"SIGTTIN", SIGTTIN}, {"SIGTTOU", SIGTTOU}, {"SIGUSR1", SIGUSR1},   {"SIGUSR2", SIGUSR2},
      {"SIGWINCH", SIGWINCH}, {"SIGXCPU", SIGXCPU}, {"SIGXFSZ", SIGXFSZ},
  };
  for (auto& s : kSignals)
    if (s.name == name) return s.number;
  return std::nullopt;
}

}  // namespace drover::drivers
