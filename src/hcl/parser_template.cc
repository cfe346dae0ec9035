// Quoted strings, heredocs and the sequences inside them.
#include <fmt/format.h>

#include <algorithm>

#include "hcl/parser_impl.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace {

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Reads up to `wanted` hex digits of `text` from `at`; returns how many there are.
size_t hex_digits(std::string_view text, size_t at, size_t wanted, uint32_t& code) {
  size_t n = 0;
  code = 0;
  for (; n < wanted && at + n < text.size() && is_hex(text[at + n]); ++n) {
    char c = text[at + n];
    code = code * 16 + static_cast<uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return n;
}

}  // namespace

// The characters that a literal token stands for. Bad escapes are reported and left out.
std::string Parser::literal_text(const Token& t, bool quoted) {
  std::string_view in = text(t);
  std::string out;
  out.reserve(in.size());
  auto complain = [&](size_t at, size_t length, std::string detail) {
    Pos start = advance(t.start, in.substr(0, at));
    diagnostics_->add("Invalid escape sequence", std::move(detail), {&source_, start, advance(start, in.substr(at, length))},
                     range(t));
  };
  for (size_t i = 0; i < in.size();) {
    char c = in[i];
    if (c == '$' || c == '%') {
      size_t run = 1;
      while (i + run < in.size() && in[i + run] == c) ++run;
      bool escape = run > 1 && i + run < in.size() && in[i + run] == '{';
      out.append(escape ? run - 1 : run, c);
      i += run;
      continue;
    }
    if (c != '\\' || !quoted) {
      out += c;
      ++i;
      continue;
    }
    char selector = i + 1 < in.size() ? in[i + 1] : '\0';
    static constexpr std::string_view kSelectors = "nrt\"\\", kMeanings = "\n\r\t\"\\";
    if (auto k = kSelectors.find(selector); selector != '\0' && k != std::string_view::npos) {
      out += kMeanings[k];
      i += 2;
    } else if (selector == 'u' || selector == 'U') {
      size_t wanted = selector == 'u' ? 4 : 8;
      uint32_t code = 0;
      size_t n = hex_digits(in, i + 2, wanted, code);
      if (n < wanted) {
        complain(i, 2 + n, fmt::format("The \\{} escape sequence must be followed by {} hexadecimal digits.", selector,
                                       wanted == 4 ? "four" : "eight"));
      } else if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
        complain(i, 2 + n, fmt::format("Cannot encode character U+{:04x} in UTF-8.", code));
      } else {
        append_utf8(out, code);
      }
      i += 2 + n;
    } else {
      size_t length = i + 1 < in.size() ? next_grapheme(in.substr(i + 1)) : 0;
      complain(i, 1 + length, fmt::format("The symbol \"{}\" is not a valid escape sequence selector.", in.substr(i + 1, length)));
      i += 1 + length;
    }
  }
  return nfc(std::move(out));
}

namespace {

// Leading white space in characters; `bytes` is where it ends.
size_t indentation(std::string_view text, size_t limit, size_t& bytes) {
  size_t count = 0, size = 0;
  for (bytes = 0; bytes < text.size() && count < limit && text[bytes] != '\n'; ++count) {
    if (!is_unicode_space(decode_utf8(text, bytes, size))) break;
    bytes += size;
  }
  return count;
}

}  // namespace

ExprPtr Parser::template_until(Tok end, const Token& open, bool flush) {
  Nested nested(*this);
  if (too_deep(range(open))) return nullptr;
  Closing closing(*this, end);
  std::vector<TemplatePart> parts;
  Range end_range;
  if (!template_parts(end, open, flush, parts, end_range)) return nullptr;
  Range all = range_between(range(open), end_range);
  if (parts.size() == 1 && parts[0].kind == TemplatePart::kValue) {
    auto node = std::make_unique<TemplateWrapExpr>(all);
    node->wrapped = std::move(parts[0].expr);
    auto& n = *node;
    return finish(std::move(node), n.wrapped);
  }
  size_t at = 0;
  auto joined = assemble(parts, at, nullptr, end_range);
  if (failed_) return nullptr;
  if (joined.empty()) {
    joined.push_back(std::make_unique<LiteralExpr>(Range{&source_, end_range.end, end_range.end}, Value::raw_string("")));
  }
  return join_parts(std::move(joined), all);
}

ExprPtr Parser::join_parts(std::vector<ExprPtr> parts, const Range& where) {
  auto node = std::make_unique<TemplateExpr>(where);
  if (parts.empty()) parts.push_back(std::make_unique<LiteralExpr>(empty_at_start(where), Value::raw_string("")));
  for (auto& p : parts) node->depth = std::max(node->depth, p->depth + 1);
  node->parts = std::move(parts);
  auto& n = *node;
  return finish(std::move(node), n.parts[0]);
}

bool Parser::template_parts(Tok end, const Token& open, bool flush, std::vector<TemplatePart>& parts, Range& end_range) {
  bool trim_next = false, line_start = true;
  std::vector<char> trims;  // per part: 1 left, 2 right
  while (!failed_) {
    Token t = next();
    bool cut_left = std::exchange(trim_next, false);
    if (t.type == end) {
      end_range = range(t);
      break;
    }
    TemplatePart part;
    part.range = range(t);
    part.line_start = line_start;
    switch (t.type) {
      case Tok::kQuotedLiteral:
      case Tok::kStringLiteral:
        part.text = literal_text(t, t.type == Tok::kQuotedLiteral);
        line_start = text(t).ends_with('\n');
        parts.push_back(std::move(part));
        trims.push_back(cut_left ? 1 : 0);
        break;
      case Tok::kInterpolation:
      case Tok::kControl: {
        if (text(t).size() == 3 && !parts.empty() && parts.back().kind == TemplatePart::kLiteral) trims.back() |= 2;
        size_t before = parts.size();
        bool ok = t.type == Tok::kControl ? control(t, parts, trim_next) : interpolation(t, parts, trim_next);
        if (!ok) return false;
        for (size_t i = before; i < parts.size(); ++i) parts[i].line_start = line_start;
        trims.resize(parts.size());
        line_start = false;
        break;
      }
      default:
        fail("Unterminated template string", "No closing marker was found for the string.", range(t),
             range_between(range(open), range(t)));
        return false;
    }
  }
  if (flush) {
    size_t least = SIZE_MAX, bytes = 0;
    for (size_t i = 0; i < parts.size(); ++i) {
      auto& p = parts[i];
      if (!p.line_start) continue;
      size_t n = p.kind == TemplatePart::kLiteral ? indentation(p.text, SIZE_MAX, bytes) : 0;
      bool blank = p.kind == TemplatePart::kLiteral && (p.text.substr(bytes) == "\n" || p.text.substr(bytes) == "\r\n");
      if (!blank) least = std::min(least, n);
    }
    for (auto& p : parts) {
      if (!p.line_start || p.kind != TemplatePart::kLiteral || least == SIZE_MAX) continue;
      indentation(p.text, least, bytes);
      p.text.erase(0, bytes);
    }
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    if (trims[i] & 1) parts[i].text = std::string(trim_left_space(parts[i].text));
    if (trims[i] & 2) parts[i].text = std::string(trim_right_space(parts[i].text));
  }
  return !failed_;
}

bool Parser::interpolation(const Token& open, std::vector<TemplatePart>& parts, bool& trim_next) {
  Newlines hidden(*this, false);
  Closing closing(*this, Tok::kTemplateEnd);
  TemplatePart part;
  part.kind = TemplatePart::kValue;
  part.expr = expression();
  if (failed_) return false;
  const Token close = peek();
  if (close.type != Tok::kTemplateEnd) {
    fail("Extra characters after interpolation expression",
         "Expected a closing brace to end the interpolation expression, but found extra characters.", range(close),
         range_between(range(open), range(close)));
    return false;
  }
  next();
  trim_next = text(close).size() == 2;
  part.range = range_between(range(open), range(close));
  parts.push_back(std::move(part));
  return true;
}

bool Parser::control_end(const Token& open, std::string_view what, TemplatePart& part, bool& trim_next) {
  const Token close = peek();
  if (close.type != Tok::kTemplateEnd) {
    fail(fmt::format("Extra characters in {} marker", what),
         "Expected a closing brace to end the sequence, but found extra characters.", range(close),
         range_between(range(open), range(close)));
    return false;
  }
  next();
  trim_next = text(close).size() == 2;
  part.range = range_between(range(open), range(close));
  return true;
}

bool Parser::control(const Token& open, std::vector<TemplatePart>& parts, bool& trim_next) {
  Newlines hidden(*this, false);
  Closing closing(*this, Tok::kTemplateEnd);
  const Token word = peek();
  if (word.type != Tok::kIdent) {
    fail("Invalid template directive", "A template directive keyword (\"if\", \"for\", etc) is expected at the beginning "
         "of a %{ sequence.", range(word), range_between(range(open), range(word)));
    return false;
  }
  next();
  auto name = text(word);
  struct Marker {
    std::string_view name;
    TemplatePart::Kind kind;
  };
  static constexpr Marker kMarkers[] = {
      {"if", TemplatePart::kIf}, {"else", TemplatePart::kElse}, {"endif", TemplatePart::kEndIf},
      {"for", TemplatePart::kFor}, {"endfor", TemplatePart::kEndFor}};
  auto* marker = std::find_if(std::begin(kMarkers), std::end(kMarkers), [&](auto& m) { return m.name == name; });
  if (marker == std::end(kMarkers)) {
    fail("Invalid template control keyword", fmt::format("\"{}\" is not a valid template control keyword.", name),
         range(word), range_between(range(open), range(word)));
    return false;
  }
  TemplatePart part;
  part.kind = marker->kind;
  if (part.kind == TemplatePart::kIf) {
    part.expr = expression();
  } else if (part.kind == TemplatePart::kFor) {
    part.loop = std::make_unique<ForExpr>(range(open));
    if (!for_names(*part.loop)) return false;
  }
  if (failed_ || !control_end(open, name, part, trim_next)) return false;
  parts.push_back(std::move(part));
  return true;
}

// Nests the flat list: parts up to the marker that ends `inside` (which is left for the caller), or to the end.
std::vector<ExprPtr> Parser::assemble(std::vector<TemplatePart>& parts, size_t& at, const TemplatePart* inside,
                                      const Range& end_range) {
  Nested nested(*this);
  std::vector<ExprPtr> out;
  bool after_text = false;
  if (too_deep(end_range)) return out;
  while (at < parts.size() && !failed_) {
    TemplatePart& part = parts[at];
    bool is_text = part.kind == TemplatePart::kLiteral;
    switch (part.kind) {
      case TemplatePart::kLiteral: {
        // The first literal keeps its own range, which is where complaints about the text point.
        if (out.size() >= 2 && after_text) {
          auto& before = static_cast<LiteralExpr&>(*out.back());
          std::string joined = before.value.as_string();
          joined.reserve(joined.size() + part.text.size());
          // Runs of lines join in one go, so that a long text costs linear time.
          for (; at < parts.size() && parts[at].kind == TemplatePart::kLiteral; ++at) {
            joined += parts[at].text;
            before.range.end = parts[at].range.end;
          }
          before.value = Value::raw_string(std::move(joined));
        } else {
          out.push_back(std::make_unique<LiteralExpr>(part.range, Value::raw_string(std::move(part.text))));
          ++at;
        }
        break;
      }
      case TemplatePart::kValue:
        out.push_back(std::move(part.expr));
        ++at;
        break;
      case TemplatePart::kIf: out.push_back(assemble_if(parts, at, end_range)); break;
      case TemplatePart::kFor: out.push_back(assemble_for(parts, at, end_range)); break;
      default: {
        if (inside) return out;
        const char* name = part.kind == TemplatePart::kElse ? "else" : part.kind == TemplatePart::kEndIf ? "endif" : "endfor";
        fail(fmt::format("Unexpected {} directive", name), "The control directives within this template are unbalanced.",
             part.range);
      }
    }
    after_text = is_text;
  }
  if (inside && !failed_) {
    const char* name = inside->kind == TemplatePart::kFor ? "for" : "if";
    fail("Unexpected end of template",
         fmt::format("The {0} directive at {1} is missing its corresponding end{0} directive.", name,
                     Location(inside->range).str()), end_range);
  }
  return out;
}

namespace {

std::string marker_name(int kind, int is_else, int is_endif) { return kind == is_else ? "else" : kind == is_endif ? "endif" : "endfor"; }

}  // namespace

ExprPtr Parser::assemble_if(std::vector<TemplatePart>& parts, size_t& at, const Range& end_range) {
  TemplatePart& open = parts[at++];
  auto wrong = [&](const TemplatePart& found, const char* expected) {
    fail(fmt::format("Unexpected {} directive", marker_name(found.kind, TemplatePart::kElse, TemplatePart::kEndIf)),
         fmt::format("Expecting an {} directive for the if at {}.", expected, Location(open.range).str()), found.range);
    return nullptr;
  };
  auto node = std::make_unique<ConditionalExpr>(open.range);
  auto yes = assemble(parts, at, &open, end_range);
  if (failed_) return nullptr;
  node->if_true = join_parts(std::move(yes), open.range);
  TemplatePart* close = &parts[at];
  std::vector<ExprPtr> no;
  if (close->kind == TemplatePart::kElse) {
    ++at;
    no = assemble(parts, at, &open, end_range);
    if (failed_) return nullptr;
    close = &parts[at];
    if (close->kind != TemplatePart::kEndIf) return wrong(*close, "endif");
  }
  if (close->kind != TemplatePart::kEndIf) return wrong(*close, "else/endif");
  ++at;
  node->if_false = join_parts(std::move(no), close->range);
  node->condition = std::move(open.expr);
  node->range = range_between(open.range, close->range);
  auto& n = *node;
  return finish(std::move(node), n.condition, n.if_true, n.if_false);
}

ExprPtr Parser::assemble_for(std::vector<TemplatePart>& parts, size_t& at, const Range& end_range) {
  TemplatePart& open = parts[at++];
  auto content = assemble(parts, at, &open, end_range);
  if (failed_) return nullptr;
  TemplatePart& close = parts[at];
  if (close.kind != TemplatePart::kEndFor) {
    fail(fmt::format("Unexpected {} directive", marker_name(close.kind, TemplatePart::kElse, TemplatePart::kEndIf)),
         fmt::format("Expecting an endfor directive for the for at {}.", Location(open.range).str()), close.range);
    return nullptr;
  }
  ++at;
  auto loop = std::move(open.loop);
  loop->open = open.range;
  loop->range = range_between(open.range, close.range);
  loop->value = join_parts(std::move(content), loop->range);
  auto& l = *loop;
  auto node = std::make_unique<TemplateLoopExpr>(loop->range);
  node->loop = finish(std::move(loop), l.collection, l.value);
  auto& n = *node;
  return finish(std::move(node), n.loop);
}

}  // namespace drover::hcl
