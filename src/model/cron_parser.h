// Parsing of cron fields; used by cron.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/cron.h"

namespace drover {

class CronParser {
 public:
  Result<Cron> parse(std::string_view spec);

 private:
  struct Field;
  enum class DirectiveKind : unsigned char { kOther, kOne, kSpan, kAll };
  struct Directive {
    DirectiveKind kind = DirectiveKind::kOther;
    int first = 0, last = 0, step = 1;
    std::string text, lower;
  };

  Result<std::vector<Directive>> directives(std::string_view text, const Field& field);
  Status directive(const Field& field, Directive& d);
  // A field that only takes what all fields take.
  Result<uint64_t> plain(std::string_view text, const Field& field);
  Status days(std::string_view text);
  Status weekdays(std::string_view text);
  Status years(std::string_view text);

  Cron cron_;
};

}  // namespace drover
