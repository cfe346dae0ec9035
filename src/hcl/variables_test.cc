#include "hcl/variables.h"

#include <gtest/gtest.h>

#include "hcl/function_impl.h"

namespace drover::hcl {
namespace {

struct Given {
  std::vector<std::string> env, args, files;
  bool strict = true;
};

// `var` and `local` as JSON, or the errors.
std::string outcome(std::string text, const Given& given = {}) {
  Diagnostics d, ignored;
  File file = parse_file("f", std::move(text), d);
  Content c = file.body().content({{}, {{"variable", {"name"}}, {"variables", {}}, {"locals", {}}}}, d);
  if (!d.empty()) return d.all_lines();
  Variables v;
  for (auto& b : c.blocks) {
    if (b.type == "variable") v.declare(b, d);
    if (b.type == "variables") v.declare_shorthand(b, d);
    if (b.type == "locals") v.add_locals(b, d);
  }
  v.set_from_environment(given.env, d);
  std::vector<File> files;
  bool complete = true;
  for (size_t i = 0; i < given.files.size() && complete; ++i) {
    bool faulty = !d.empty();
    files.push_back(parse_file("vars" + std::to_string(i), given.files[i], d));
    complete = v.set_from_file(files.back().body(), faulty, given.strict ? d : ignored, d);
  }
  if (complete) v.set_from_arguments(given.args, given.strict ? d : ignored, d);
  Functions functions{FunctionHost{}};
  v.check(functions, d);
  if (!d.empty()) return d.all_lines();
  Scope scope;
  scope.functions = &functions;
  scope.undefined_as_text = true;
  v.evaluate_locals(scope, d);
  if (!d.empty()) return d.all_lines();
  return *to_json(*scope.find("var")) + " " + *to_json(*scope.find("local"));
}

TEST(HclVariables, TakeTheStrongestSource) {
  std::string five = "variable \"a\" {}\nvariable \"b\" {\n  default = \"d\"\n}\nvariable \"n\" {\n  type = number\n  default = 1\n}\n";
  EXPECT_EQ(outcome(five, {{"NOMAD_VAR_a=env=1"}, {}, {}}), R"({"a":"env=1","b":"d","n":1} {})");
  EXPECT_EQ(outcome(five, {{"NOMAD_VAR_a=e", "NOMAD_VAR_n=2"}, {"n=4", "n=5", "skipped"}, {"a = \"f\"\nn = 3\n", "b = \"g\"\n"}}),
            R"({"a":"f","b":"g","n":5} {})");
  EXPECT_EQ(outcome(five, {{}, {}, {R"({"a": "${kept}", "n": "7"})"}}), R"({"a":"${kept}","b":"d","n":7} {})");
}

TEST(HclVariables, HaveTheTypeGivenOrThatOfTheDefault) {
  EXPECT_EQ(outcome("variable \"o\" {\n  type = object({ a = number, l = list(string) })\n  default = { a = \"1\", l = [1], x = 0 }\n}\n"),
            R"({"o":{"a":1,"l":["1"]}} {})");
  EXPECT_EQ(outcome("variables {\n  l = [\"a\"]\n}\n", {{}, {"l=[\"b\"]"}, {}}), R"({"l":["b"]} {})");
  EXPECT_EQ(outcome("variables {\n  l = [\"a\"]\n}\n", {{}, {"l=[\"b\", \"c\"]"}, {}}),
            "<value for var.l from arguments>:1,1-11: Invalid argument value for -var variable; The received arg value for l is not compatible "
            "with the variable's type constraint: tuple required.");
  const char* json = R"j({"variable":{"v":{"type":"map(number)","default":{"a":"1"}}},"locals":{"x":"${var.v.a + 1}"}})j";
  EXPECT_EQ(outcome(json), R"({"v":{"a":1}} {"x":2})");
}

TEST(HclVariables, SayWhatIsWrong) {
  struct Case {
    const char* text;
    Given given;
    const char* said;
  };
  const Case cases[] = {
      {"variable \"a\" {}\n", {}, "<nil>: Unset variable \"a\"; A used variable must be set or have a default value; see "
                                  "https://www.nomadproject.io/docs/job-specification/hcl2/variables for details."},
      {"variable \"a\" {\n  default = b.c\n}\n", {}, "f:2,13-14: Variables not allowed; Variables may not be used here."},
      {"variable \"a\" {\n  default = upper(\"x\")\n}\n", {}, "f:2,13-23: Function calls not allowed; Functions may not be called here."},
      {"variable \"a\" {\n  type = number\n  default = \"x\"\n}\n", {},
       "f:3,13-16: Invalid default value for variable; This default value is not compatible with the variable's type constraint: a number is required."},
      {"variable \"a-1\" {\n  default = 1\n}\nvariable \"1a\" {\n  default = 1\n}\n", {},
       "f:4,10-14: Invalid variable name; A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes."},
      {"variable \"a\" {\n  default = 1\n}\nvariables {\n  a = 2\n}\n", {}, "f:5,3-4: Duplicate variable; Duplicate a variable definition found."},
      {"variable \"a\" {\n  type = number\n}\n", {{"NOMAD_VAR_a=x"}, {}, {}},
       ":0,0-0: Invalid value for variable; The value for a is not compatible with the variable's type constraint: a number is required."},
      {"", {{}, {"x=1"}, {}}, "<nil>: Undefined -var variable; A \"x\" variable was passed in the command line but was not found in known variables. "
                              "To declare variable \"x\", place this block in your job file"},
      {"", {{}, {}, {"x = 1\n"}}, "<nil>: Undefined variable; A \"x\" variable was set but was not found in known variables. To declare variable "
                                  "\"x\", place this block in your job files"},
      {"", {{}, {"x=1"}, {"y = 1\n"}, false}, "{} {}"},
      {"variable \"a\" {\n  type = list(any)\n  default = []\n}\n", {},
       "f:2,15-18: Invalid type specification; The keyword \"any\" cannot be used in this type specification: an exact type is required."},
  };
  for (auto& c : cases) EXPECT_EQ(outcome(c.text, c.given), c.said) << c.text;
}

TEST(HclVariables, ObeyTheirRules) {
  auto rule = [](std::string inner, std::string fallback = "5") {
    return "variable \"a\" {\n  default = " + fallback + "\n  validation {\n" + inner + "  }\n}\n";
  };
  const std::string good = "    error_message = \"Too big.\"\n";
  EXPECT_EQ(outcome(rule("    condition = var.a < 9\n" + good)), R"({"a":5} {})");
  EXPECT_EQ(outcome(rule("    condition = var.a < 9\n" + good, "10")),
            "f:2,13-15: Invalid value for default variable; Too big.\n\nThis was checked by the validation rule at f:3,3-13.");
  EXPECT_EQ(outcome(rule("    condition = var.a < 9\n" + good), {{}, {"a=11"}, {}}),
            ":0,0-0: Invalid value for cmd variable; Too big.\n\nThis was checked by the validation rule at f:3,3-13.");
  EXPECT_EQ(outcome(rule("    condition = 1 < 2\n" + good)),
            "f:4,17-22: Invalid variable validation condition; The condition for variable \"a\" must refer to var.a in order to test incoming values.");
  EXPECT_EQ(outcome(rule("    condition = can(var.a + var.b)\n" + good)),
            "f:4,29-34: Invalid reference in variable validation; The condition for variable \"a\" can only refer to the variable itself, using "
            "var.a.\nf:2,13-14: Invalid value for default variable; Too big.\n\nThis was checked by the validation rule at f:3,3-13.");
  EXPECT_EQ(outcome(rule("    condition = var.a == 5 ? null : true\n" + good)),
            "f:4,17-41: Invalid variable validation result; Validation condition expression must return either true or false, not null.");
  EXPECT_EQ(outcome(rule("    condition = var.a < 9\n    error_message = \"no\"\n")).substr(0, 50), "f:5,21-25: Invalid validation error message; Valid");
}

TEST(HclVariables, ValuesAreSoughtUntilOneIsFaulty) {
  const std::string list = "variable \"l\" {\n  type = list(string)\n  default = []\n}\n";
  auto undefined = [](const char* what) {
    return std::string("<nil>: Undefined variable; A \"") + what + "\" variable was set but was not found in known variables. To declare variable \"" +
           what + "\", place this block in your job files";
  };
  // A file with a fault ends the search, unless it is the last one: then there are the arguments.
  EXPECT_EQ(outcome(list, {{}, {"l=["}, {"zz = 1", "l = 5"}}), undefined("zz"));
  EXPECT_EQ(outcome(list, {{}, {"zy=1"}, {"zz = 1"}}).find("\"zy\"") != std::string::npos, true);
  EXPECT_EQ(outcome(list, {{}, {"l=[", "l=[]"}, {}}), R"({"l":[]} {})");  // the last one counts
  EXPECT_NE(outcome(list, {{}, {"\"q\"=1"}, {}}).find("A \"\\\"q\\\"\" variable"), std::string::npos);
  EXPECT_EQ(outcome("variable \"a\" {\n  default = 1\n  description = null\n}\n"),
            "f:3,17-21: Unsuitable value type; Unsuitable value: null value is not allowed");
  // What has no value for a fault is not judged.
  EXPECT_EQ(outcome("variable \"a\" {\n  type = number\n  default = []\n  validation {\n    condition = can(var.a + nope())\n"
                    "    error_message = \"Too big.\"\n  }\n}\n"),
            "f:3,13-15: Invalid default value for variable; This default value is not compatible with the variable's type constraint: number required.");
}

TEST(HclLocals, AreEvaluatedAfterWhatTheyNeed) {
  EXPECT_EQ(outcome("variables {\n  x = 2\n}\nlocals {\n  c = local.b + 1\n  b = local.a * var.x\n}\nlocals {\n  a = 5\n  d = \"${node.x}-${local.c}\"\n}\n"),
            R"({"x":2} {"a":5,"b":10,"c":11,"d":"${node.x}-11"})");
  EXPECT_EQ(outcome("locals {\n  a = local.b\n  b = local.a\n}\n"),
            "f:3,12-14: Unsupported attribute; This object does not have an attribute named \"a\".");
  EXPECT_EQ(outcome("locals {\n  e = local.d\n  d = local.c\n  b = local.a\n  a = 1\n}\n"),
            "f:3,12-14: Unsupported attribute; This object does not have an attribute named \"c\".");
  EXPECT_EQ(outcome("locals {\n  a = 1\n}\nlocals {\n  a = 2\n}\n"), R"({} {"a":2})");
  EXPECT_EQ(outcome("locals {\n  a = try(local.z, 0)\n  z = 3\n}\n"), R"({} {"a":3,"z":3})");
  EXPECT_EQ(outcome("locals {\n  a = nope()\n  b = 1\n}\n"), "f:2,7-11: Call to unknown function; There is no function named \"nope\".");
}

TEST(HclLocals, CannotNestValuesWithoutBound) {
  std::string text = "locals {\n  l0 = 0\n";
  for (int i = 1; i < 20'000; ++i) text += "  l" + std::to_string(i) + " = [local.l" + std::to_string(i - 1) + "]\n";
  EXPECT_EQ(outcome(text + "}\n"), "f:1003,11-12: Value nested too deeply; Lists and objects may be nested at most 1000 levels deep.");
}

TEST(HclLocals, CannotAskForAllMemoryOrTime) {
  std::string text = "locals {\n  l0 = \"0123456789abcdef\"\n";
  for (int i = 1; i < 40; ++i) text += "  l" + std::to_string(i) + " = \"${local.l" + std::to_string(i - 1) + "}${local.l" + std::to_string(i - 1) + "}\"\n";
  EXPECT_NE(outcome(text + "}\n").find("Evaluation too expensive"), std::string::npos);
  EXPECT_EQ(outcome("locals {\n  a = [for x in range(1000) : [for y in range(1000) : [for z in range(1000) : z]]]\n}\n").find("f:2,"), 0u);
}

TEST(HclLocals, MayBeManyInAChain) {
  std::string text = "locals {\n";
  for (int i = 0; i < 10'000; ++i) text += "  l" + std::to_string(i) + " = local.l" + std::to_string(i + 1) + " + 1\n";
  text += "  l10000 = 0\n}\n";
  EXPECT_NE(outcome(text).find("\"l0\":10000,"), std::string::npos);
}

}  // namespace
}  // namespace drover::hcl
