// Source text and positions in it. Nodes of a parsed file point into its Source, so a Source outlives everything
// parsed from it (File holds it); diagnostics copy what they need and outlive both.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace drover::hcl {

// One text with the name that diagnostics show. `text` is not changed after construction.
struct Source {
  std::string name;
  std::string text;
};

// Line and column count from 1; a column is a grapheme cluster. `byte` counts from 0 within the source text.
struct Pos {
  uint32_t line = 1;
  uint32_t column = 1;
  uint32_t byte = 0;
};

// A half-open stretch of one source. A range without a source stands for "nowhere" (prints as `:0,0-0`).
struct Range {
  const Source* source = nullptr;
  Pos start{0, 0, 0};
  Pos end{0, 0, 0};

  // The source bytes covered.
  std::string_view text() const {
    return source ? std::string_view(source->text).substr(start.byte, end.byte - start.byte) : std::string_view();
  }
};

// From the start of `a` to the end of `b`.
inline Range range_between(const Range& a, const Range& b) { return {a.source, a.start, b.end}; }
// The empty range at the start of `r`.
inline Range empty_at_start(const Range& r) { return {r.source, r.start, r.start}; }

// The position after `text`, starting from `at`: lines and grapheme clusters are counted.
Pos advance(Pos at, std::string_view text);

}  // namespace drover::hcl
