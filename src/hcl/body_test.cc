// Bodies through schemas in both syntaxes, dynamic blocks, decoding.
#include "hcl/body.h"

#include <gtest/gtest.h>

#include "hcl/decode.h"
#include "hcl/function_impl.h"
#include "hcl/functions.h"

namespace drover::hcl {
namespace {

const Schema kJob{{{"name"}, {"count"}, {"tags"}}, {{"group", {"name"}}, {"meta", {}}, {"update", {}}}};
const Schema kGroup{{{"size"}, {"note"}}, {{"task", {"name"}}, {"port", {"label"}}}};

// What a body holds, in one line; errors instead if there are any.
class View {
 public:
  explicit View(std::string text, const Schema& schema = kJob) {
    functions_ = std::make_unique<Functions>(FunctionHost{});
    scope_.functions = functions_.get();
    scope_.undefined_as_text = true;
    scope_.set("var", Value::object({{"n", Value::number(3)}}));
    File file = parse_file("f", std::move(text), diagnostics_);
    if (diagnostics_.empty()) shown_ = show(expand_dynamic(file.body(), &scope_), schema);
  }
  std::string str() const { return diagnostics_.empty() ? shown_ : diagnostics_.all_lines(); }

 private:
  std::string show(const Body& body, const Schema& schema) {
    Content c = body.content(schema, diagnostics_);
    std::string out;
    for (auto& a : c.attributes) {
      auto json = to_json(a.expr.value(&scope_, diagnostics_));
      out += a.name + "=" + (json ? *json : "?") + " ";
    }
    for (auto& b : c.blocks) {
      out += b.type;
      for (auto& l : b.labels) out += ":" + l;
      out += "{" + (b.type == "group" ? show(b.body, kGroup) : attributes(b.body)) + "} ";
    }
    if (!out.empty()) out.pop_back();
    return out;
  }
  std::string attributes(const Body& body) {
    std::string out;
    for (auto& a : body.just_attributes(diagnostics_)) {
      auto json = to_json(a.expr.value(&scope_, diagnostics_));
      out += (out.empty() ? "" : " ") + a.name + "=" + (json ? *json : "?");
    }
    return out;
  }

  std::unique_ptr<Functions> functions_;
  Scope scope_;
  Diagnostics diagnostics_;
  std::string shown_;
};

struct Case {
  const char* text;
  const char* shown;
};

TEST(HclBody, ReadsNativeAndJsonAlike) {
  const Case cases[] = {
      {"name = \"a\"\ngroup \"g\" {\n  size = var.n\n  task \"t\" { x = 1 }\n}\nmeta { k = node.class }\n",
       "name=\"a\" group:g{size=3 task:t{x=1}} meta{k=\"${node.class}\"}"},
      {R"({"name":"a","//":"no","group":{"g":{"size":"${var.n}","task":{"t":{"x":1}}}},"meta":{"k":"${node.class}"}})",
       "name=\"a\" group:g{size=3 task:t{x=1}} meta{k=\"${node.class}\"}"},
      {R"({"group":[{"g":[{"size":1},{"size":2}]},{"h":{}}],"update":null})", "group:g{size=1} group:g{size=2} group:h{}"},
      {R"({"tags":["${upper(\"x\")}-${var.n}",true],"meta":{"${1}":"$${x}"}})", "tags=[\"X-3\",true] meta{${1}=\"${x}\"}"},
  };
  for (auto& c : cases) EXPECT_EQ(View(c.text).str(), c.shown) << c.text;
}

TEST(HclBody, SaysWhatDoesNotBelong) {
  const Case cases[] = {
      {"nam = 1\n", "f:1,1-4: Unsupported argument; An argument named \"nam\" is not expected here. Did you mean \"name\"?"},
      {"colour = 1\n", "f:1,1-7: Unsupported argument; An argument named \"colour\" is not expected here."},
      {"meta = 1\n", "f:1,1-5: Unsupported argument; An argument named \"meta\" is not expected here. Did you mean to define a block of type \"meta\"?"},
      {"grop \"x\" {\n}\n", "f:1,1-5: Unsupported block type; Blocks of type \"grop\" are not expected here. Did you mean \"group\"?"},
      {"name {\n}\n", "f:1,1-5: Unsupported block type; Blocks of type \"name\" are not expected here. Did you mean to define argument \"name\"? "
                      "If so, use the equals sign to assign it a value."},
      {"group {\n}\n", "f:1,7-8: Missing name for group; All group blocks must have 1 labels (name)."},
      {"group a b {\n}\n", "f:1,9-10: Extraneous label for group; Only 1 labels (name) are expected for group blocks."},
      {"meta x {\n}\n", "f:1,6-7: Extraneous label for meta; No labels are expected for meta blocks."},
      {"meta {\n  x {\n  }\n}\n", "f:2,3-4: Unexpected \"x\" block; Blocks are not allowed here."},
      {R"({"nme":1})", "f:1,2-7: Extraneous JSON object property; No argument or block type is named \"nme\". Did you mean \"name\"?"},
      {R"({"group":5})", "f:1,10-11: Incorrect JSON value type; Either a JSON object or JSON array of objects is required here, to specify name labels for this block.\n"
                         "f:1,10-11: Missing block label; At least one object property is required, whose name represents the group block's name."},
      {R"({"group":{}})", "f:1,10-11: Missing block label; At least one object property is required, whose name represents the group block's name."},
      {R"({"name":1,"name":2})", "f:1,11-17: Duplicate argument; The argument \"name\" was already set at f:1,2-10."},
  };
  for (auto& c : cases) EXPECT_EQ(View(c.text).str(), c.shown) << c.text;
}

TEST(HclBody, LeavesTheRestForASecondLook) {
  Diagnostics d;
  File file = parse_file("f", "a = 1\nb = 2\nc {\n}\ne {\n}\n", d);
  Body rest;
  Content first = file.body().partial_content({{{"a"}}, {{"c", {}}}}, rest, d);
  EXPECT_EQ(first.attributes.size(), 1u);
  EXPECT_EQ(first.blocks.size(), 1u);
  Content second = rest.content({{{"b"}}, {{"e", {}}}}, d);
  EXPECT_TRUE(d.empty()) << d.all_lines();
  EXPECT_EQ(second.attributes.size() + second.blocks.size(), 2u);
  rest.content({{{"b", true}, {"z", true}}, {}}, d);
  EXPECT_EQ(d.all_lines(), "f:1,1-1: Missing required argument; The argument \"z\" is required, but no definition was found.\n"
                           "f:5,1-2: Unsupported block type; Blocks of type \"e\" are not expected here.");
}

TEST(HclDynamic, MakesABlockPerElement) {
  const Case cases[] = {
      {"dynamic \"group\" {\n  for_each = { b = 1, a = 2 }\n  labels = [\"g-${group.key}\"]\n  content {\n    size = group.value\n  }\n}\n",
       "group:g-a{size=2} group:g-b{size=1}"},
      {"dynamic \"meta\" {\n  for_each = [\"x\"]\n  iterator = it\n  content {\n    k = \"${it.key}${it.value}\"\n  }\n}\n", "meta{k=\"0x\"}"},
      {"dynamic \"group\" {\n  for_each = [1, 2]\n  labels = [group.value]\n  content {\n    dynamic \"task\" {\n      for_each = [\"t\"]\n"
       "      labels = [task.value]\n      content {\n        v = \"${group.value}-${task.value}-${node.x}\"\n      }\n    }\n  }\n}\n",
       "group:1{task:t{v=\"1-t-${node.x}\"}} group:2{task:t{v=\"2-t-${node.x}\"}}"},
      {"dynamic \"meta\" {\n  for_each = []\n  content {\n  }\n}\n", ""},
      {"dynamic \"meta\" {\n  for_each = convert([\"b\", \"a\"], set(string))\n  content {\n    k = meta.key\n  }\n}\n", "meta{k=\"a\"} meta{k=\"b\"}"},
      {R"({"dynamic":{"group":{"for_each":["a"],"labels":["x-${group.value}"],"content":{"size":"${group.key}"}}}})", "group:x-a{size=0}"},
  };
  for (auto& c : cases) EXPECT_EQ(View(c.text).str(), c.shown) << c.text;
}

TEST(HclDynamic, SaysWhatIsMissingOrWrong) {
  constexpr const char* kBody = "  content {\n  }\n}\n";
  auto group = [&](std::string inner) { return View("dynamic \"group\" {\n" + inner + kBody).str(); };
  EXPECT_EQ(group("  labels = [\"x\"]\n"), "f:1,17-17: Missing required argument; The argument \"for_each\" is required, but no definition was found.");
  EXPECT_EQ(group("  for_each = [1]\n"), "f:1,17-17: Missing required argument; The argument \"labels\" is required, but no definition was found.");
  EXPECT_EQ(group("  for_each = 5\n  labels = [\"x\"]\n"),
            "f:2,14-15: Invalid dynamic for_each value; Cannot use a number value in for_each. An iterable collection is required.");
  EXPECT_EQ(group("  for_each = null\n  labels = [\"x\"]\n"), "f:2,14-18: Invalid dynamic for_each value; Cannot use a null value in for_each.");
  EXPECT_EQ(group("  for_each = node.x\n  labels = [\"x\"]\n"),
            "f:2,14-20: Invalid dynamic for_each value; Cannot use a string value in for_each. An iterable collection is required.");
  EXPECT_EQ(group("  for_each = [1]\n  labels = [null]\n"), "f:3,13-17: Invalid dynamic block label; Cannot use a null value as a dynamic block label.");
  EXPECT_EQ(group("  for_each = [1]\n  labels = [[]]\n"), "f:3,13-15: Invalid dynamic block label; Cannot use this value as a dynamic block label: string required.");
  EXPECT_EQ(group("  for_each = [1]\n  labels = [\"x\"]\n  iterator = \"it\"\n").substr(0, 30), "f:4,14-18: Invalid expression;");
  EXPECT_EQ(View("dynamic \"meta\" {\n  for_each = [1]\n  labels = []\n  content {\n  }\n}\n").str(),
            "f:3,3-9: Unsupported argument; An argument named \"labels\" is not expected here.");
  EXPECT_EQ(View("dynamic \"meta\" {\n  for_each = [1]\n}\n").str(),
            "f:1,16-16: Missing dynamic content block; A dynamic block must have a nested block of type \"content\" to describe the body of "
            "each generated block.");
  EXPECT_EQ(View("dynamic \"nope\" {\n  for_each = [1]\n  content {\n  }\n}\n").str(),
            "f:1,9-15: Unsupported block type; Blocks of type \"nope\" are not expected here.");
}

TEST(HclDecode, ConvertsOrSaysWhyNot) {
  Diagnostics d;
  File file = parse_file("f", "a = \"5\"\nb = 1.5\nc = [1, \"x\"]\nd = null\ne = { k = true }\nf = [null]\ng = 300\nh = \"TRUE\"\ni = upper()\n", d);
  auto attributes = file.body().just_attributes(d);
  ASSERT_TRUE(d.empty());
  DecodeContext context{nullptr, d};
  auto expr = [&](char name) { return attributes[static_cast<size_t>(name - 'a')].expr; };
  EXPECT_EQ(decode_int(expr('a'), context), 5);
  EXPECT_EQ(decode_double(expr('b'), context), 1.5);
  EXPECT_EQ(decode_string(expr('b'), context), "1.5");
  EXPECT_EQ(decode_strings(expr('c'), context), (std::vector<std::string>{"1", "x"}));
  EXPECT_EQ(decode_string_map(expr('e'), context)->at(0).second, "true");
  EXPECT_EQ(decode_string(expr('d'), context, true), std::nullopt);
  ASSERT_TRUE(d.empty()) << d.all_lines();
  auto complaint = [&](auto&& decode) {
    Diagnostics fresh;
    EXPECT_FALSE(decode(DecodeContext{nullptr, fresh}).has_value());
    return fresh.all_lines();
  };
  EXPECT_EQ(complaint([&](auto c) { return decode_int(expr('b'), c); }),
            "f:2,5-8: Unsuitable value type; Unsuitable value: value must be a whole number, between -9223372036854775808 and 9223372036854775807");
  EXPECT_EQ(complaint([&](auto c) { return decode_int(expr('g'), c, false, -128, 127); }),
            "f:7,5-8: Unsuitable value type; Unsuitable value: value must be a whole number, between -128 and 127");
  EXPECT_EQ(complaint([&](auto c) { return decode_uint(expr('g'), c, false, 255); }),
            "f:7,5-8: Unsuitable value type; Unsuitable value: value must be a whole number, between 0 and 255 inclusive");
  EXPECT_EQ(complaint([&](auto c) { return decode_bool(expr('h'), c); }),
            "f:8,6-10: Unsuitable value type; Unsuitable value: a bool is required; to convert from string, use lowercase \"true\"");
  EXPECT_EQ(complaint([&](auto c) { return decode_bool(expr('g'), c); }), "f:7,5-8: Unsuitable value type; Unsuitable value: bool required");
  EXPECT_EQ(complaint([&](auto c) { return decode_string(expr('d'), c); }), "f:4,5-9: Unsuitable value type; Unsuitable value: null value is not allowed");
  EXPECT_EQ(complaint([&](auto c) { return decode_strings(expr('a'), c); }), "f:1,6-7: Unsuitable value type; Unsuitable value: list of string required");
  EXPECT_EQ(complaint([&](auto c) { return decode_strings(expr('f'), c); }), "f:6,5-6: Unsuitable value type; Unsuitable value: null value is not allowed");
  EXPECT_EQ(complaint([&](auto c) { return decode_string(expr('i'), c); }),
            "f:9,5-12: Function calls not allowed; Functions may not be called here.\n"
            "f:9,5-11: Unsuitable value type; Unsuitable value: value must be known");
  EXPECT_EQ(complaint([&](auto c) { return decode_attribute(attributes[7], Type::number(), c); }),
            "f:8,5-11: Incorrect attribute value type; Inappropriate value for attribute \"h\": a number is required.");
}

}  // namespace
}  // namespace drover::hcl
