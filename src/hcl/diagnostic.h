// Diagnostics: what is wrong, where, and what to do. They own their text, so they outlive the sources they speak of.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hcl/source.h"

namespace drover::hcl {

// A range that owns its file name.
struct Location {
  std::string file;
  Pos start{0, 0, 0};
  Pos end{0, 0, 0};

  Location() = default;
  explicit Location(const Range& range)
      : file(range.source ? range.source->name : ""), start(range.start), end(range.end) {}
  // `FILE:LINE,COL-ENDCOL` within one line, `FILE:L1,C1-L2,C2` over several.
  std::string str() const;
};

struct Diagnostic {
  std::string summary;
  std::string detail;
  std::optional<Location> subject;  // absent prints as `<nil>`
  std::optional<Location> context;  // the stretch that a snippet shows; the subject if absent
  // `FILE:LINE,COL-ENDCOL: Summary; Detail`.
  std::string str() const;
};

// A list of errors (the language has no warnings). A parse, an evaluation or a decoding appends to it.
class Diagnostics {
 public:
  void add(std::string summary, std::string detail, const Range& subject);
  void add(std::string summary, std::string detail, const Range& subject, const Range& context);
  // Without a position.
  void add(std::string summary, std::string detail);
  void append(Diagnostic diagnostic);
  void append(const Diagnostics& other);

  bool empty() const { return total_ == 0; }
  // How many were added. Only the first kMaxKept of them are kept and seen by iteration.
  size_t size() const { return total_; }
  static constexpr size_t kMaxKept = 1000;
  const Diagnostic& operator[](size_t i) const { return list_[i]; }
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }

  // The first one, and `, and N other diagnostic(s)` when there are more; "" when there is none.
  std::string summary_line() const;
  // One per line.
  std::string all_lines() const;

 private:
  std::vector<Diagnostic> list_;
  size_t total_ = 0;
};

// The long form of `nomad fmt`: headline, numbered source lines, detail folded at `width` columns. `text` is the
// content of the file that the diagnostic is about.
std::string render_with_snippet(const Diagnostic& diagnostic, std::string_view text, size_t width = 80);

// ` Did you mean "x"?` for the first candidate within edit distance 2 of `given`, else "".
std::string did_you_mean(std::string_view given, const std::vector<std::string>& candidates);
// That candidate, or "".
std::string near_name(std::string_view given, const std::vector<std::string>& candidates);

}  // namespace drover::hcl
