#include "hcl/parser.h"

#include <fmt/format.h>

#include <unordered_map>

#include "base/strings.h"
#include "hcl/parser_impl.h"

namespace drover::hcl {
namespace {

constexpr const char* kDefinitionRequired = "An argument or block definition is required here.";
constexpr const char* kSetArgument = " To set an argument, use the equals sign \"=\" to introduce the argument value.";

}  // namespace

const Token& Parser::peek() {
  if (comment_newline_) {
    if (newlines_.back()) return synthetic_;
    comment_newline_ = false;
  }
  while (true) {
    const Token& t = tokens_[at_];
    if (t.type == Tok::kComment) {
      ++at_;
      // A line comment swallows its newline, which still counts as one.
      if (newlines_.back() && source_.text[t.end.byte - 1] == '\n') {
        comment_newline_ = true;
        synthetic_ = {Tok::kNewline, t.start, t.end};
        return synthetic_;
      }
      continue;
    }
    if (t.type == Tok::kNewline && !newlines_.back()) {
      ++at_;
      continue;
    }
    return t;
  }
}

const Token& Parser::next() {
  const Token& t = peek();
  last_ = t;
  if (comment_newline_) {
    comment_newline_ = false;
    return synthetic_;
  }
  if (t.type != Tok::kEof) ++at_;
  return t;
}

void Parser::fail(std::string summary, std::string detail, const Range& subject) {
  fail(std::move(summary), std::move(detail), subject, subject);
}
void Parser::fail(std::string summary, std::string detail, const Range& subject, const Range& context) {
  failed_ = true;
  if (!std::exchange(recovering_, true)) diagnostics_->add(std::move(summary), std::move(detail), subject, context);
}
void Parser::fail_anyway(std::string summary, std::string detail, const Range& subject, const Range& context) {
  failed_ = recovering_ = true;
  diagnostics_->add(std::move(summary), std::move(detail), subject, context);
}
void Parser::fault(std::string summary, std::string detail, const Range& subject, const Range& context) {
  if (recovering_) failed_ = true;
  diagnostics_->add(std::move(summary), std::move(detail), subject, context);
}
void Parser::say_once(std::string summary, std::string detail, const Range& subject, const Range& context) {
  if (!recovering_) diagnostics_->add(std::move(summary), std::move(detail), subject, context);
}

bool Parser::too_deep(const Range& where) {
  if (depth_ <= kMaxDepth) return false;
  fail("Nesting too deep", fmt::format("Blocks and expressions may be nested at most {} levels deep.", kMaxDepth), where);
  aborted_ = true;
  return true;
}

namespace {

// The token that opens what `close` closes; kEof if none does.
Tok opener(Tok close) {
  switch (close) {
    case Tok::kCloseBrace: return Tok::kOpenBrace;
    case Tok::kCloseBracket: return Tok::kOpenBracket;
    case Tok::kCloseParen: return Tok::kOpenParen;
    case Tok::kCloseQuote: return Tok::kOpenQuote;
    case Tok::kCloseHeredoc: return Tok::kOpenHeredoc;
    case Tok::kTemplateEnd: return Tok::kInterpolation;
    default: return Tok::kEof;
  }
}

}  // namespace

void Parser::recover(Tok close) {
  recovering_ = true;
  Tok open = opener(close);
  for (int level = 0;;) {
    Tok type = next().type;
    if (type == Tok::kEof) return;
    if (close == Tok::kTemplateEnd && type == Tok::kControl) type = Tok::kInterpolation;
    if (type == open) ++level;
    if (type == close && level-- == 0) return;
  }
}

void Parser::recover_after_item() {
  failed_ = false;
  recovering_ = true;
  std::vector<Tok> open;
  while (true) {
    Tok type = next().type;
    switch (type) {
      case Tok::kEof: return;
      case Tok::kNewline:
        if (open.empty()) return;
        break;
      case Tok::kOpenBrace: case Tok::kOpenBracket: case Tok::kOpenParen: case Tok::kOpenQuote: case Tok::kOpenHeredoc:
      case Tok::kInterpolation:
        open.push_back(type);
        break;
      case Tok::kControl: open.push_back(Tok::kInterpolation); break;
      case Tok::kCloseBrace: case Tok::kCloseBracket: case Tok::kCloseParen: case Tok::kCloseQuote: case Tok::kCloseHeredoc:
      case Tok::kTemplateEnd:
        while (!open.empty() && open.back() != opener(type)) open.pop_back();
        if (!open.empty()) open.pop_back();
        break;
      default: break;
    }
  }
}

// ---- bodies

void Parser::parse_body(BodyNode& body, Tok end) {
  Nested nested(*this);
  body.range = range(peek());
  if (too_deep(body.range)) return;
  std::unordered_map<std::string_view, Range> seen;
  while (!aborted_) {
    const Token t = peek();
    if (t.type == Tok::kNewline) {
      next();
    } else if (t.type == Tok::kIdent) {
      body_item(body, seen);
    } else {
      next();
      body.range.end = t.end;
      if (t.type == end) return;
      if (t.type == Tok::kOpenQuote) say_once("Invalid argument name", "Argument names must not be quoted.", range(t), range(t));
      else say_once("Argument or block definition required", kDefinitionRequired, range(t), range(t));
      return recover(end);
    }
  }
}

void Parser::body_item(BodyNode& body, std::unordered_map<std::string_view, Range>& seen) {
  Token first = next();
  switch (peek().type) {
    case Tok::kEqual: {
      attribute(body, first, false);
      auto [it, fresh] = seen.emplace(text(first), range(first));
      if (fresh || aborted_) return;
      return diagnostics_->add("Attribute redefined",
                               fmt::format("The argument \"{}\" was already set at {}. Each argument may be set only once.",
                                           it->first, Location(it->second).str()), range(first));
    }
    case Tok::kOpenQuote: case Tok::kOpenBrace: case Tok::kIdent: return block(body, first);
    default:
      diagnostics_->add("Argument or block definition required", std::string(kDefinitionRequired) + kSetArgument, range(first));
      recover_after_item();
  }
}

void Parser::attribute(BodyNode& body, const Token& name, bool single_line) {
  next();  // the equals sign
  AttributeNode node;
  node.name = std::string(text(name));
  node.name_range = range(name);
  size_t before = diagnostics_->size();
  node.expr = expression();
  // After the first syntax error even a small fault gives the item up.
  if (failed_ || (recovering_ && diagnostics_->size() != before)) return recover_after_item();
  node.range = {&source_, name.start, node.expr->range.end};
  body.attributes.push_back(std::move(node));
  if (single_line) return;
  const Token after = peek();
  if (after.type == Tok::kNewline || after.type == Tok::kEof) {
    next();
    return;
  }
  bool comma = after.type == Tok::kComma;
  std::string detail = comma ? "Argument definitions must be separated by newlines, not commas. " : "";
  say_once(comma ? "Unexpected comma after argument" : "Missing newline after argument",
           detail + "An argument definition must end with a newline.", range(after), {&source_, name.start, after.end});
  recover_after_item();
}

std::string Parser::label_string(Range& where) {
  Token open = next();
  std::string out;
  while (true) {
    Token t = next();
    Range context{&source_, open.start, t.end};
    where = context;
    switch (t.type) {
      case Tok::kCloseQuote: return out;
      case Tok::kQuotedLiteral: out += literal_text(t, true); break;
      case Tok::kInterpolation:
      case Tok::kControl:
        diagnostics_->add("Invalid string literal",
                          fmt::format("Template sequences are not allowed in this string. To include a literal \"{0}\", "
                                      "double it (as \"{0}{0}\") to escape it.", text(t).substr(0, 1)), range(t), context);
        recover(Tok::kTemplateEnd);
        break;
      case Tok::kEof:
        diagnostics_->add("Unterminated string literal", "Unable to find the closing quote mark before the end of the file.",
                          range(t), context);
        return out;
      default:
        diagnostics_->add("Invalid string literal", "This item is not valid in a string literal.", range(t), context);
        recover(Tok::kCloseQuote);
        return out;
    }
  }
}

// Labels and the opening brace; false after an error.
bool Parser::block_head(BlockNode& node, const Token& type) {
  constexpr const char* kSummary = "Invalid block definition";
  while (true) {
    const Token t = peek();
    Range context{&source_, type.start, t.end};
    switch (t.type) {
      case Tok::kOpenBrace:
        next();
        node.open_brace = range(t);
        return true;
      case Tok::kOpenQuote:
        node.label_ranges.emplace_back();
        node.labels.push_back(label_string(node.label_ranges.back()));
        failed_ = false;  // a bad escape does not end the block
        break;
      case Tok::kIdent:
        next();
        node.labels.emplace_back(text(t));
        node.label_ranges.push_back(range(t));
        break;
      case Tok::kEqual:
        diagnostics_->add(kSummary, "The equals sign \"=\" indicates an argument definition, and must not be used when defining a block.",
                          range(t), context);
        return false;
      case Tok::kNewline:
        diagnostics_->add(kSummary, "A block definition must have block content delimited by \"{\" and \"}\", starting on the same line as "
                                    "the block header.", range(t), context);
        return false;
      default:
        say_once(kSummary, "Either a quoted string block label or an opening brace (\"{\") is expected here.", range(t), context);
        return false;
    }
  }
}

void Parser::block(BodyNode& body, const Token& type) {
  BlockNode node;
  node.type = std::string(text(type));
  node.type_range = range(type);
  if (!block_head(node, type)) return recover_after_item();
  node.body = std::make_unique<BodyNode>();
  Tok first = peek().type;
  if (first == Tok::kNewline || first == Tok::kEof || first == Tok::kCloseBrace) parse_body(*node.body, Tok::kCloseBrace);
  else single_line_body(*node.body);
  if (aborted_) return;
  node.body->range = range_between(node.open_brace, range(last_));
  body.blocks.push_back(std::move(node));
  const Token after = peek();
  if (after.type == Tok::kNewline || after.type == Tok::kEof) {
    next();
    return;
  }
  say_once("Missing newline after block definition", "A block definition must end with a newline.", range(after),
           {&source_, type.start, after.end});
  recover_after_item();
}

// `{ name = value }`. What is wrong with the braces is told before what is wrong inside.
void Parser::single_line_body(BodyNode& body) {
  Diagnostics inside;
  auto* outside = std::exchange(diagnostics_, &inside);
  single_argument(body);
  diagnostics_ = outside;
  if (!aborted_) {
    constexpr const char* kSummary = "Invalid single-argument block definition";
    const Token after = peek();
    switch (after.type) {
      case Tok::kCloseBrace: next(); break;
      case Tok::kComma:
        diagnostics_->add(kSummary, "Single-line block syntax can include only one argument definition. To define multiple arguments, use "
                                    "the multi-line block syntax with one argument definition per line.", range(after));
        break;
      case Tok::kNewline:
        diagnostics_->add(kSummary, "An argument definition on the same line as its containing block creates a single-line block definition, "
                                    "which must also be closed on the same line. Place the block's closing brace immediately after the "
                                    "argument definition.", range(after));
        break;
      default:
        say_once(kSummary, "A single-line block definition must end with a closing brace immediately after its single argument "
                           "definition.", range(after), range(after));
    }
    if (after.type != Tok::kCloseBrace) recover(Tok::kCloseBrace);
  }
  diagnostics_->append(inside);
}

void Parser::single_argument(BodyNode& body) {
  const Token first = next();
  const Token then = first.type == Tok::kIdent ? peek() : first;
  switch (then.type) {
    case Tok::kEqual:
      if (first.type == Tok::kIdent) return attribute(body, first, true);
      break;
    case Tok::kOpenQuote: case Tok::kOpenBrace: case Tok::kIdent:
      if (first.type != Tok::kIdent) break;
      diagnostics_->add("Argument definition required",
                        fmt::format("A single-line block definition can contain only a single argument. If you meant to define "
                                    "argument \"{}\", use an equals sign to assign it a value. To define a nested block, place "
                                    "it on a line of its own within its parent block.", text(first)),
                        range_between(range(first), range(then)));
      return recover_after_item();
    default: break;
  }
  diagnostics_->add("Argument or block definition required",
                    std::string(kDefinitionRequired) + (first.type == Tok::kIdent ? kSetArgument : ""), range(first));
  recover_after_item();
}

namespace {

// The first byte that is no valid UTF-8.
Range first_bad_byte(const Source& source) {
  size_t low = 0, high = source.text.size();
  std::string_view text = source.text;
  while (low < high) {
    size_t middle = (low + high + 1) / 2;
    // A prefix may end inside a character; look at whole characters only.
    if (valid_utf8(text.substr(0, utf8_prefix(text, middle)))) low = middle; else high = middle - 1;
  }
  Pos at = advance({}, text.substr(0, low));
  Pos end = at;
  if (low < text.size()) {
    ++end.byte;
    ++end.column;
  }
  return {&source, at, end};
}

bool acceptable(const Source& source, Diagnostics& diagnostics) {
  if (source.text.size() > kMaxInput) {
    diagnostics.add("File too large", fmt::format("{} is larger than {} bytes.", source.name, kMaxInput));
    return false;
  }
  if (!valid_utf8(source.text)) {
    diagnostics.add("Invalid character encoding",
                    "All input files must be UTF-8 encoded. Ensure that UTF-8 encoding is selected in your editor.",
                    first_bad_byte(source));
    return false;
  }
  return true;
}

// Whether all of the text became tokens.
bool complete(const Source& source, const std::vector<Token>& tokens, Diagnostics& diagnostics) {
  if (tokens.back().end.byte >= source.text.size()) return true;
  diagnostics.add("File too large", fmt::format("{} has more than {} words and marks.", source.name, kMaxTokens));
  return false;
}

}  // namespace

std::shared_ptr<NativeFile> parse_native(std::string name, std::string text, Diagnostics& diagnostics,
                                         std::vector<Token>* tokens) {
  auto file = std::make_shared<NativeFile>();
  file->source = {std::move(name), std::move(text)};
  if (!acceptable(file->source, diagnostics)) return file;
  auto list = lex(file->source);
  if (!complete(file->source, list, diagnostics)) return file;
  if (tokens) *tokens = list;
  check_tokens(file->source, list, diagnostics);
  Parser parser(file->source, std::move(list), diagnostics);
  parser.parse_body(file->body, Tok::kEof);
  return file;
}

ExprPtr parse_expression(const Source& source, Diagnostics& diagnostics, Pos from) {
  if (!acceptable(source, diagnostics)) return nullptr;
  size_t before = diagnostics.size();
  auto list = lex(source, from);
  if (!complete(source, list, diagnostics)) return nullptr;
  check_tokens(source, list, diagnostics);
  Parser parser(source, std::move(list), diagnostics);
  parser.set_newlines(false);
  auto expr = parser.expression();
  if (!parser.failed() && parser.peek().type != Tok::kEof) {
    parser.fail("Extra characters after expression",
                "An expression was successfully parsed, but extra characters were found after it.",
                parser.range(parser.peek()));
  }
  return diagnostics.size() != before ? nullptr : std::move(expr);
}

ExprPtr parse_template(const Source& source, Pos from, Diagnostics& diagnostics) {
  if (!acceptable(source, diagnostics)) return nullptr;
  size_t before = diagnostics.size();
  auto list = lex(source, from, LexMode::kTemplate);
  if (!complete(source, list, diagnostics)) return nullptr;
  check_tokens(source, list, diagnostics);
  Parser parser(source, std::move(list), diagnostics);
  auto expr = parser.template_until(Tok::kEof, {Tok::kEof, from, from}, false);
  return diagnostics.size() != before ? nullptr : std::move(expr);
}

}  // namespace drover::hcl
