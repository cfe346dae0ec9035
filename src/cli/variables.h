// Variables as the var commands read and show them (reference cli section 9.15).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "codec/type_info.h"

namespace drover::cli {

struct Variable {
  std::string Namespace;
  std::string Path;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;
  int64_t CreateTime = 0;
  int64_t ModifyTime = 0;
  Map<std::string> Items;
};

inline constexpr std::string_view kVariableFormats[] = {"go-template", "hcl", "json", "none", "table"};
inline constexpr std::string_view kWildcardNamespace = "The wildcard namespace (\"*\") is not valid for this command.";

// -out, or `fallback`.
std::string variable_format(const Context& c, std::string_view fallback);
// What is wrong with -out and -template; "" when nothing is.
std::string check_format(const Context& c, std::string_view format, std::span<const std::string_view> known);
int show_variable(Context& c, const Variable& v, std::string_view format);
// The server has another version: says which. 1.
int show_conflict(Context& c, const std::string& body, uint64_t given);
Result<std::optional<uint64_t>> read_check_index(const Context& c);

std::string trim_slashes(std::string_view path);
std::string variable_path(std::string_view path);  // "/v1/var/a/b", each segment escaped

std::span<const Command> var_put_commands();

}  // namespace drover::cli

namespace drover {
DROVER_TYPE(cli::Variable)
}
