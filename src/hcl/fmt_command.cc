#include "hcl/fmt_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "hcl/format.h"
#include "hcl/parser.h"

namespace drover::hcl {

namespace fs = std::filesystem;

namespace {

bool has_known_extension(const fs::path& path) { return path.extension() == ".nomad" || path.extension() == ".hcl"; }

class FmtRun {
 public:
  explicit FmtRun(const FmtOptions& options) : options_(options) {
    if (options_.check) options_.write = false;
  }

  FmtResult run(const std::function<std::string()>& read_input) {
    if (options_.paths.empty()) options_.paths.push_back(".");
    if (options_.paths[0] == "-") {
      options_.write = options_.list = false;
      text("<stdin>", read_input(), std::nullopt);
      return std::move(result_);
    }
    for (auto& path : options_.paths) visit(path);
    if (!faults_.empty()) report();
    return std::move(result_);
  }

 private:
  void fault(std::string what) {
    faults_.push_back(std::move(what));
    result_.exit_code = 1;
  }

  void report() {
    result_.err += fmt::format("{} error{} occurred:\n", faults_.size(), faults_.size() == 1 ? "" : "s");
    for (auto& f : faults_) result_.err += "\t* " + f + "\n";
    result_.err += fmt::format("\n\nFor additional help try '{} fmt -help'\n", options_.program);
  }

  void visit(const fs::path& path) {
    std::error_code ec;
    auto status = fs::status(path, ec);
    if (!fs::exists(status)) return fault(fmt::format("No file or directory at {}", path.string()));
    if (fs::is_directory(status)) return folder(path);
    if (!has_known_extension(path)) return fault("Only .nomad and .hcl files can be processed using nomad fmt");
    file(path);
  }

  void folder(const fs::path& path) {
    std::error_code ec;
    std::vector<fs::path> names;
    for (fs::directory_iterator it(path, ec), end; !ec && it != end; it.increment(ec)) names.push_back(it->path().filename());
    if (ec) return fault(fmt::format("There was an error reading directory {}: {}", path.string(), ec.message()));
    std::sort(names.begin(), names.end());
    for (auto& name : names) {
      fs::path inner = (path / name).lexically_normal();
      auto status = fs::symlink_status(path / name, ec);
      if (fs::is_directory(status)) {
        if (options_.recursive) folder(inner);
      } else if (has_known_extension(name)) {
        file(inner);
      }
    }
  }

  void file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (!in && !in.eof()) return fault(fmt::format("Failed to read file {}", path.string()));
    text(path.string(), content, path);
  }

  void text(const std::string& name, const std::string& content, const std::optional<fs::path>& path) {
    Diagnostics diagnostics;
    parse_native(name, content, diagnostics);
    if (!diagnostics.empty()) {
      for (auto& d : diagnostics) result_.err += render_with_snippet(d, content);
      result_.exit_code = 1;
      return;
    }
    std::string formatted = format_source(content);
    if (formatted != content) {
      if (options_.list) result_.out += name + "\n";
      if (options_.check) result_.exit_code = 1;
      if (options_.write && path) write(*path, formatted);
    }
    if (!options_.list && !options_.write) result_.out += formatted + "\n";
  }

  void write(const fs::path& path, const std::string& content) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << content;
    out.close();
    if (!out) fault(fmt::format("Failed to write file {}", path.string()));
  }

  FmtOptions options_;
  FmtResult result_;
  std::vector<std::string> faults_;
};

}  // namespace

FmtResult run_fmt(const FmtOptions& options, const std::function<std::string()>& read_input) {
  return FmtRun(options).run(read_input);
}

}  // namespace drover::hcl
