// Lines for the user, with the streams and colours of reference cli section 1.3.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/io.h"

namespace drover::cli {

class Ui {
 public:
  // Marks in texts follow `color`; whole lines are coloured on a terminal only.
  Ui(const Io& io, bool color) : io_(&io), color_(color), line_color_(color && io.stdout_tty) {}

  void output(std::string_view text) const { line(false, "", output_prefix_, text); }
  void info(std::string_view text) const { line(false, "92", notice_prefix_, text); }
  void warn(std::string_view text) const { line(true, "93", warn_prefix_, text); }
  void error(std::string_view text) const { line(true, "91", notice_prefix_, text); }
  // Shows the question and reads one line. Errors: "EOF".
  Result<std::string> ask(std::string_view question) const;

  // Monitors put "==> " before notices and four spaces before plain lines.
  Ui with_prefixes(std::string_view output, std::string_view notice, std::string_view warn = "") const;

  bool color() const { return color_; }
  // "[bold]Summary[reset]": the marks become escape sequences, or nothing without colours.
  std::string colorize(std::string_view text) const;
  std::string bold(std::string_view text) const;

 private:
  void line(bool err, std::string_view code, const std::string& prefix, std::string_view text) const;

  const Io* io_;
  bool color_;
  bool line_color_;
  std::string output_prefix_, notice_prefix_, warn_prefix_;
};

}  // namespace drover::cli
