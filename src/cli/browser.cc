#include "cli/browser.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strings.h"
#include "cli/files.h"

namespace drover::cli {

Status open_in_browser(const Io& io, const std::string& url) {
  for (auto& dir : split(io.getenv("PATH"), ':')) {
    auto program = (dir.empty() ? "." : dir) + "/xdg-open";
    if (::access(program.c_str(), X_OK) != 0) continue;
    pid_t pid = ::fork();
    if (pid == 0) {
      ::execl(program.c_str(), "xdg-open", url.c_str(), nullptr);
      ::_exit(127);
    }
    int status = 0;
    if (pid < 0 || ::waitpid(pid, &status, 0) < 0) return internal(errno_text(errno));
    if (status == 0) return {};
    return internal(fmt::format("exit status {}", WEXITSTATUS(status)));
  }
  return not_found("exec: \"xdg-open\": executable file not found in $PATH");
}

}  // namespace drover::cli
