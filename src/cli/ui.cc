#include "cli/ui.h"

#include <array>
#include <utility>

namespace drover::cli {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 20> kCodes{{
    {"default", "39"}, {"black", "30"}, {"red", "31"}, {"green", "32"}, {"yellow", "33"},
    {"blue", "34"}, {"magenta", "35"}, {"cyan", "36"}, {"light_gray", "37"}, {"dark_gray", "90"},
    {"light_red", "91"}, {"light_green", "92"}, {"light_yellow", "93"}, {"light_blue", "94"},
    {"light_magenta", "95"}, {"light_cyan", "96"}, {"bold", "1"}, {"dim", "2"}, {"underline", "4"}, {"reset", "0"},
}};

std::string_view code_of(std::string_view name) {
  for (auto& [known, code] : kCodes)
    if (known == name) return code;
  return {};
}

}  // namespace

void Ui::line(bool err, std::string_view code, const std::string& prefix, std::string_view text) const {
  std::string all = prefix;
  all += text;
  if (line_color_ && !code.empty()) all = "\x1b[" + std::string(code) + "m" + all + "\x1b[0m";
  all += '\n';
  (err ? io_->err : io_->out)(all);
}

Result<std::string> Ui::ask(std::string_view question) const {
  io_->out(std::string(question) + " ");
  auto answer = io_->read_line();
  if (!answer) return Error(ErrorCode::kIo, "EOF");
  if (answer->ends_with('\r')) answer->pop_back();
  return *answer;
}

Ui Ui::with_prefixes(std::string_view output, std::string_view notice, std::string_view warn) const {
  Ui other = *this;
  other.output_prefix_ = output;
  other.notice_prefix_ = notice;
  other.warn_prefix_ = warn;
  return other;
}

std::string Ui::colorize(std::string_view text) const {
  std::string out;
  bool any = false;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '[') {
      auto end = text.find(']', i);
      auto code = end == text.npos ? std::string_view{} : code_of(text.substr(i + 1, end - i - 1));
      if (!code.empty()) {
        if (color_) {
          out += "\x1b[";
          out += code;
          out += 'm';
          any = true;
        }
        i = end + 1;
        continue;
      }
    }
    out += text[i++];
  }
  if (any) out += "\x1b[0m";
  return out;
}

std::string Ui::bold(std::string_view text) const {
  if (!color_) return std::string(text);
  return "\x1b[1m" + std::string(text) + "\x1b[0m\x1b[0m";
}

}  // namespace drover::cli
