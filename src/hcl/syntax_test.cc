// Files that do not parse, and what is said about them.
#include <gtest/gtest.h>

#include "hcl/body.h"
#include "hcl/parser.h"

namespace drover::hcl {
namespace {

struct Case {
  const char* text;
  std::string said;
};

std::string said(std::string text) {
  Diagnostics d;
  parse_file("f", std::move(text), d);
  return d.all_lines();
}

TEST(HclSyntax, RefusesWithThePlaceAndTheReason) {
  constexpr const char* kItem = "Argument or block definition required; An argument or block definition is required here.";
  const std::string set = std::string(kItem) + " To set an argument, use the equals sign \"=\" to introduce the argument value.";
  EXPECT_EQ(said("a {\n  b = 1\n"), std::string("f:3,1-1: ") + kItem);
  EXPECT_EQ(said("}\n"), std::string("f:1,1-2: ") + kItem);
  EXPECT_EQ(said("a => 1\n"), "f:1,1-2: " + set);
  EXPECT_EQ(said("a: 1\nb: 2\n"), "f:1,1-2: " + set + "\nf:2,1-2: " + set);
  const std::string root = "f:1,1-2: Root value must be object; The root value in a JSON-based configuration must be either a JSON object or a JSON "
                           "array of objects.";
  const Case cases[] = {
      {"a = 1, b = 2\n", "f:1,6-7: Unexpected comma after argument; Argument definitions must be separated by newlines, not commas. An "
                         "argument definition must end with a newline."},
      {"a = 1 b = 2\n", "f:1,7-8: Missing newline after argument; An argument definition must end with a newline."},
      {"\"a\" = 1\n", "f:1,1-2: Invalid argument name; Argument names must not be quoted."},
      {"a = 1\na = 2\n", "f:2,1-2: Attribute redefined; The argument \"a\" was already set at f:1,1-2. Each argument may be set only once."},
      {"a \"x\"\n{\n}\n", "f:1,6-2,1: Invalid block definition; A block definition must have block content delimited by \"{\" and \"}\", "
                          "starting on the same line as the block header."},
      {"a \"x\" = 1\n", "f:1,7-8: Invalid block definition; The equals sign \"=\" indicates an argument definition, and must not be used "
                        "when defining a block."},
      {"a \"x\" 5 {\n}\n", "f:1,7-8: Invalid block definition; Either a quoted string block label or an opening brace (\"{\") is expected here."},
      {"a \"${b}\" {\n}\n", "f:1,4-6: Invalid string literal; Template sequences are not allowed in this string. To include a literal "
                            "\"$\", double it (as \"$$\") to escape it."},
      {"a { b = 1, c = 2 }\n", "f:1,10-11: Invalid single-argument block definition; Single-line block syntax can include only one argument "
                               "definition. To define multiple arguments, use the multi-line block syntax with one argument definition per line."},
      {"a { b {} }\n", "f:1,5-8: Argument definition required; A single-line block definition can contain only a single argument. If you "
                       "meant to define argument \"b\", use an equals sign to assign it a value. To define a nested block, place it on a "
                       "line of its own within its parent block."},
      {"a {} b = 1\n", "f:1,6-7: Missing newline after block definition; A block definition must end with a newline."},
      {"a = \"\xff\"\n", "f:1,6-7: Invalid character encoding; All input files must be UTF-8 encoded. Ensure that UTF-8 encoding is "
                         "selected in your editor."},
      {"a = 'x'\n", "f:1,5-6: Invalid character; Single quotes are not valid. Use double quotes (\") to enclose strings.\n"
                    "f:1,5-6: Invalid expression; Expected the start of an expression, but found an invalid expression token."},
      {"a = [1\nb = 2\n", "f:2,1-2: Missing item separator; Expected a comma to mark the beginning of the next item."},
      {"{\"a\": 1,}", "f:1,8-9: Trailing comma in object; JSON does not permit a trailing comma after the final property in an object.\n" + root},
      {"{\"a\": }", "f:1,7-8: Missing JSON value; A JSON value must start with a brace, a bracket, a number, a string, or a keyword."},
      {"{\"a\" 1}", "f:1,6-7: Missing property value colon; A colon must appear between an object property's name and its value.\n" + root},
      {"{\"a\": nul}", "f:1,7-10: Invalid JSON keyword; \"nul\" is not a valid JSON keyword. Did you mean \"null\"?"},
      {"{\"a\": [1", "f:1,7-8: Unclosed object; No closing bracket was found for this JSON array.\n"
                   "f:1,1-2: Unclosed object; No closing brace was found for this JSON object.\n" + root},
      {"{\"a\"\t: \"\\x\", b", "f:1,12-13: Invalid JSON string; There is a syntax error in the given JSON string.\n"
                           "f:1,15-16: Invalid JSON keyword; \"b\" is not a valid JSON keyword.\n"
                           "f:1,15-16: Invalid object property name; A JSON object property name must be a string\n" + root},
      {"{} x", "f:1,4-5: Extraneous data after value; Extra characters appear after the JSON value."},
  };
  for (auto& c : cases) EXPECT_EQ(said(c.text), c.said) << c.text;
}

TEST(HclSyntax, GoesOnBehindAnErrorWithoutRepeatingItself) {
  // Later errors that may follow from the first are not told, those at the head of an item are.
  EXPECT_EQ(said("a = @\nb = \nc\n"),
            "f:1,5-6: Invalid character; This character is not used within the language.\n"
            "f:1,5-6: Invalid expression; Expected the start of an expression, but found an invalid expression token.\n"
            "f:3,1-2: Argument or block definition required; An argument or block definition is required here. To set an argument, use "
            "the equals sign \"=\" to introduce the argument value.");
}

TEST(HclSyntax, AcceptsWhatIsUnusual) {
  for (const char* text : {"", "\n\n", "# only", "a = 1", "\xEF\xBB\xBF" "a = 1\n", "a = 1\r\nb {\r\n}\r\n", "a {}\n", "a { b = 1 }\n",
                           "a b \"c\" {\n}\n", "größe = 1\n", "a = {\n  b = 1, c = 2\n\n  d : 3 # x\n}\n", "a = max(\n 1,\n 2,\n)\n",
                           "a = /* x */ 1 // y\n", "a = true ? 1 : 2\n", "{}", " {\"a\": [true, {\"b\": null}]}"}) {
    EXPECT_EQ(said(text), "") << text;
  }
}

TEST(HclSyntax, RefusesWhatNestsTooDeepInsteadOfFalling) {
  auto repeat = [](std::string_view part, int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += part;
    return out;
  };
  constexpr int kMany = 50'000;
  for (std::string text : {"a = " + repeat("[", kMany), "a = " + repeat("(", kMany), "a = " + repeat("{a=", kMany), "a = " + repeat("-", kMany) + "1\n",
                           "a = " + repeat("f(", kMany), "a = " + repeat("\"${", kMany), "a = x" + repeat("[*]", kMany) + "\n",
                           "a = x" + repeat("[y", kMany), "a = " + repeat("true ? 1 : ", kMany), "a = 1" + repeat(" + 1", kMany) + "\n",
                           repeat("a {\n", kMany), "a = \"" + repeat("%{ if true }", kMany), "a = " + repeat("[for x in ", kMany),
                           "a = x" + repeat(".*", kMany), "a = f(1)" + repeat("[x]", kMany) + "\n", repeat("{\"a\":", kMany),
                           "{\"a\":" + repeat("[", kMany)}) {
    EXPECT_NE(said(text), "") << text.substr(0, 20);
  }
}

TEST(HclSyntax, EvaluatesWhatIsJustAllowed) {
  std::string sum = "1", brackets = "1", calls = "\"x\"";
  for (int i = 0; i < 500; ++i) sum += " + 1";
  for (int i = 0; i < 250; ++i) brackets = "[" + brackets + "]";
  for (int i = 0; i < 250; ++i) calls = "f(" + calls + ")";
  Diagnostics d;
  File file = parse_file("f", "a = " + sum + "\nb = " + brackets + "\nc = " + calls + "\n", d);
  auto attributes = file.body().just_attributes(d);
  ASSERT_TRUE(d.empty()) << d.all_lines();
  EXPECT_EQ(attributes[0].expr.value(nullptr, d).as_number().str(), "501");
  EXPECT_EQ(attributes[1].expr.value(nullptr, d).type().depth(), 250);
  EXPECT_TRUE(d.empty());
  attributes[2].expr.value(nullptr, d);
  EXPECT_EQ(d.size(), 1u);
}

TEST(HclSyntax, SurvivesEveryPrefixAndManyMutations) {
  const std::string text =
      "variable \"v\" {\n  type = map(list(string))\n}\njob \"x\" {\n  a = \"${upper(\"q\")} %{ if a.b ~} y %{ else } z %{ endif }\"\n"
      "  b = <<-EOT\n    l ${x.y[0].*.z}\n    EOT\n  c = [for k, v in { a = 1 } : \"${k}\" if v > 1 && !false]\n  d { e = -1 % 2 }\n}\n";
  for (size_t n = 0; n <= text.size(); ++n) {
    Diagnostics d;
    parse_file("f", text.substr(0, n), d);
  }
  uint32_t state = 1;
  auto next = [&] { return state = state * 1664525u + 1013904223u, state >> 8; };
  const std::string alphabet = "{}[]()\"$%~<>=-!?:,.\n\\#/*aE0 ";
  for (int round = 0; round < 3000; ++round) {
    std::string mutated = text;
    for (int i = 0; i < 4; ++i) mutated[next() % mutated.size()] = alphabet[next() % alphabet.size()];
    Diagnostics d;
    File file = parse_file("f", mutated, d);
    if (!d.empty()) continue;
    Scope scope;
    scope.undefined_as_text = true;
    Schema schema{{}, {{"variable", {"name"}}, {"job", {"name"}}}};
    for (auto& block : file.body().content(schema, d).blocks) {
      for (auto& a : block.body.just_attributes(d)) a.expr.value(&scope, d);
    }
  }
}

}  // namespace
}  // namespace drover::hcl
