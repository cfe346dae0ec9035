// The `fmt` command: files and folders of native-syntax text put into canonical layout.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace drover::hcl {

struct FmtOptions {
  bool check = false;      // change nothing; exit code 1 if something would change
  bool write = true;       // write changed files back
  bool list = true;        // name changed files
  bool recursive = false;  // folders below too
  std::string program = "nomad";   // how the help advice names the program
  std::vector<std::string> paths;  // none: the working directory; first "-": standard input to standard output
};

struct FmtResult {
  std::string out;    // for standard output
  std::string err;    // for standard error
  int exit_code = 0;  // 1 after any error, and when a check finds something
};

// Reads and writes files below the working directory (blocking). `read_input` gives standard input; it is called
// only for "-".
FmtResult run_fmt(const FmtOptions& options, const std::function<std::string()>& read_input);

}  // namespace drover::hcl
