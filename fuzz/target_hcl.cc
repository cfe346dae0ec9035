// The language: tokens, tree, values, layout.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/strings.h"
#include "fuzz/targets.h"
#include "hcl/eval.h"
#include "hcl/format.h"
#include "hcl/function_impl.h"
#include "hcl/functions.h"
#include "hcl/hcl1.h"
#include "hcl/parser.h"
#include "jobspec/jobspec.h"

namespace drover::fuzz {
namespace {

using hcl::Diagnostics;
using hcl::LexMode;
using hcl::Source;
using hcl::Tok;
using hcl::Token;
using hcl::Value;
using hcl::parse_native;

std::vector<Token> tokens_of(const std::string& text, bool& parses) {
  Diagnostics diagnostics;
  std::vector<Token> tokens;
  parse_native("f.hcl", text, diagnostics, &tokens);
  parses = diagnostics.empty();
  return tokens;
}

void covers_in_order(const Source& source, const std::vector<Token>& tokens) {
  promise(!tokens.empty() && tokens.back().type == Tok::kEof, "the last token is the end");
  uint32_t at = 0;
  for (auto& t : tokens) {
    promise(t.start.byte >= at && t.end.byte >= t.start.byte, "tokens do not overlap");
    promise(t.end.byte <= source.text.size(), "tokens lie in the text");
    for (; at < t.start.byte; ++at)
      promise(source.text[at] == ' ' || source.text[at] == '\t' || source.text[at] == '\r' || at < 3, "only blanks between tokens");
    at = t.end.byte;
  }
}

}  // namespace

void promise(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

void lexer(std::string_view input) {
  if (!valid_utf8(input)) return;  // parse_native refuses it before the lexer sees it
  Source source{"f.hcl", std::string(input)};
  Diagnostics diagnostics;
  for (auto mode : {LexMode::kBody, LexMode::kTemplate}) {
    auto tokens = hcl::lex(source, {}, mode);
    covers_in_order(source, tokens);
    hcl::check_tokens(source, tokens, diagnostics);
  }
}

void parser(std::string_view input) {
  Diagnostics diagnostics;
  auto file = parse_native("f.hcl", std::string(input), diagnostics);
  promise(file != nullptr, "a file comes back");
  Source source{"f.hcl", std::string(input)};
  if (valid_utf8(input)) {
    hcl::parse_expression(source, diagnostics);
    hcl::parse_template(source, {}, diagnostics);
  }
  for (auto& d : diagnostics) {
    if (!d.subject) continue;
    promise(d.subject->start.byte <= input.size() && d.subject->end.byte <= input.size(), "diagnostics lie in the text");
    if (input.size() < 65536) hcl::render_with_snippet(d, input);
  }
}

void evaluator(std::string_view input) {
  Source source{"f.hcl", std::string(input)};
  if (!valid_utf8(input)) return;
  Diagnostics diagnostics;
  auto expression = hcl::parse_expression(source, diagnostics);
  if (!expression || !diagnostics.empty()) return;
  hcl::Functions functions(hcl::FunctionHost{});
  hcl::Scope scope;
  scope.functions = &functions;
  scope.undefined_as_text = true;
  auto list = Value::tuple({Value::string("a"), Value::number(1), Value::boolean(true)});
  scope.set("var", Value::object({{"n", Value::number(7)}, {"s", Value::string("text")}, {"list", list}}));
  scope.set("local", Value::object({{"m", Value::object({{"a", list}, {"b", Value::null()}})}}));
  auto value = hcl::evaluate(*expression, &scope, diagnostics);
  if (diagnostics.empty()) static_cast<void>(hcl::to_json(value));
}

void formatter(std::string_view input) {
  std::string text(input);
  auto laid_out = hcl::format_source(text);
  promise(laid_out.size() <= text.size() * 2048 + 64, "indentation ends somewhere");
  bool parses = false, still = false;
  auto before = tokens_of(text, parses);
  if (!parses) return;
  auto after = tokens_of(laid_out, still);
  promise(still, "text that parses still parses");
  auto types = [](auto& tokens) {
    std::vector<Tok> out;
    for (auto& t : tokens) out.push_back(t.type);
    return out;
  };
  if (types(before) == types(after)) return;
  // `2 .1` becomes `2.1`, as in the reference: a number swallows what follows its dot. Nothing else changes then.
  for (auto* side : {&text, &laid_out}) std::erase_if(*side, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  promise(text == laid_out, "tokens are the same");
}

void hcl_json(std::string_view input) {
  if (trim_space(input).starts_with('{')) return decoder(input);
  // Any other text becomes the JSON string of a job's meta, quotes and all.
  decoder("{\"job\":{\"j\":{\"meta\":{\"k\":" + std::string(input) + "}}}}");
}

void hcl1(std::string_view input) {
  static_cast<void>(drover::hcl1::parse(input));
  static_cast<void>(jobspec::parse_hcl1(input));
}

}  // namespace drover::fuzz
