#include "cli/pages.h"

#include <fmt/format.h>

namespace drover::cli {

void show_next_page(const Context& c, const std::string& token) {
  if (token.empty()) return;
  std::string line = c.io.program;
  for (size_t i = 0; i < c.words.size(); ++i) {
    auto& word = c.words[i];
    if (word == "-page-token" || word == "--page-token") {
      ++i;
      continue;
    }
    if (word.starts_with("-page-token=") || word.starts_with("--page-token=")) continue;
    line += " " + word;
  }
  c.ui.output(fmt::format("\nResults have been paginated. To get the next page run:\n\n{} -page-token {}", line, token));
}

std::vector<std::pair<std::string, std::string>> page_params(const Context& c) {
  std::vector<std::pair<std::string, std::string>> params;
  if (auto n = c.args.number("per-page"); n > 0) params.emplace_back("per_page", std::to_string(n));
  if (auto token = c.args.text("page-token"); !token.empty()) params.emplace_back("next_token", token);
  if (auto filter = c.args.text("filter"); !filter.empty()) params.emplace_back("filter", filter);
  return params;
}

}  // namespace drover::cli
