#include "hcl/hcl1.h"

#include <gtest/gtest.h>

#include <string>

namespace drover::hcl1 {
namespace {

// The tree in one line: keys joined by blanks, `=` or nothing, values.
std::string show(const Node& n) {
  switch (n.kind) {
    case Kind::kNull: return "null";
    case Kind::kString: return "'" + n.text + "'";
    case Kind::kInt: case Kind::kFloat: return n.text;
    case Kind::kBool: return n.boolean ? "true" : "false";
    case Kind::kList: {
      std::string out = "[";
      for (auto& e : n.list) out += (out.size() > 1 ? " " : "") + show(e);
      return out + "]";
    }
    case Kind::kObject: {
      std::string out = "{";
      for (auto& i : n.items) {
        if (out.size() > 1) out += "; ";
        for (auto& k : i.keys) out += k.text + " ";
        out += show(i.value);
      }
      return out + "}";
    }
  }
  return "";
}

std::string parsed(std::string_view text) {
  auto root = parse(text);
  return root ? show(*root) : root.error().message;
}

struct Case {
  const char* text;
  const char* tree;
};

TEST(Hcl1, ReadsEveryForm) {
  const Case cases[] = {
      {"", "{}"},
      {"a = 1\nb = -2.5\nc = 0x1F\nd = true", "{a 1; b -2.5; c 0x1F; d true}"},
      {"a.b-c = \"x\\ty\\u00e9\"", "{a.b-c 'x\ty\xC3\xA9'}"},
      {"job \"x\" {}", "{job x {}}"},
      {"plugin \"a\" {\n  config { enabled = true, n = 2 }\n}", "{plugin a {config {enabled true; n 2}}}"},
      {"check { type = \"tcp\" interval = \"10s\" }", "{check {type 'tcp'; interval '10s'}}"},
      {"l = [1, \"a\", [true], { x = 1 },]", "{l [1 'a' [true] {x 1}]}"},
      {"s = \"a ${file(\"x\")} b\"", "{s 'a ${file(\"x\")} b'}"},
      {"# one\n// two\n/* three\n */ a = 1 # four", "{a 1}"},
      {"t = <<EOT\n one\nEOT\n", "{t ' one\n'}"},
      {"t = <<-EOT\n    one\n      two\n    EOT\nu = 1", "{t 'one\n  two\n'; u 1}"},
      {"\"quoted key\" = 1", "{quoted key 1}"},
      {"meta { a = 1 }\nmeta { b = 2 }", "{meta {a 1}; meta {b 2}}"},
  };
  for (auto& c : cases) EXPECT_EQ(parsed(c.text), c.tree) << c.text;
}

TEST(Hcl1, TellsWhereAFaultIs) {
  const Case cases[] = {
      {"job \"a\" {\n  type = \n}\n", "At 4:1: object expected closing RBRACE got: EOF"},
      {"a = [1 2]", "At 1:8: error parsing list, expected comma or list end, got: NUMBER"},
      {"a b = 1", "At 1:5: nested object expected: LBRACE got: ASSIGN"},
      {"a", "At 1:3: key 'a' expected start of object ('{') or assignment ('=')"},
      {"a = \"x\n", "At 1:7: literal not terminated"},
      {"a = <<X\ny\n", "At 3:1: heredoc not terminated"},
      {"a = @", "At 1:5: illegal char"},
      {"a = \"\\q\" \"", "At 1:11: literal not terminated"},
      {"a = <<A B\n", "At 1:8: invalid characters in heredoc anchor"},
      {"a = 0x", "At 1:7: illegal hexadecimal number"},
      {"true = 1", "At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: BOOL"},
      {"a { b }", "At 1:7: key 'b' expected start of object ('{') or assignment ('=')"},
      {"\xEF\xBB\xBF" "a = 1", "At 1:1: illegal char"},
      {"a {\n b = 1\n", "At 3:2: object expected closing RBRACE got: EOF"},
      {"/* x", "At 1:5: comment not terminated"},
  };
  for (auto& c : cases) EXPECT_EQ(parsed(c.text), c.tree) << c.text;
}

TEST(Hcl1, ReadsJsonAsTheSameTree) {
  const Case cases[] = {
      {R"({"server": {"enabled": true, "bootstrap_expect": 3}})", "{server {enabled true; bootstrap_expect 3}}"},
      {R"({"job": {"x": {"type": "batch"}}})", "{job x {type 'batch'}}"},
      {R"({"group": [{"g": {"count": 2}}, {"h": {"count": 1}}]})", "{group g {count 2}; group h {count 1}}"},
      {R"({"a": {"b": {"c": {"d": 1}}}})", "{a b c {d 1}}"},
      {R"({"l": ["a", 1.5]})", "{l ['a' 1.5]}"},
      // Closing brackets are not looked at, and what has no value is dropped.
      {R"({"a": {"b": 1}])", "{a {b 1}}"},
      {R"({"a": {"b": 1}, "c":)", "{a {b 1}}"},
      {R"({"a": {"b": 1} "c": 2})", "{a {b 1}}"},
      {R"({"l": [,["a"]]})", "{l ['a']}"},
      {R"({"a" "b": {"c": 1}})", "{a b {c 1}}"},
      {R"({"a": "\x41\101"})", "{a 'AA'}"},
      {R"({"l": ["a", null]})", "unexpected token while parsing list: NULL"},
      {R"({"a": tru})", "1:9: illegal char"},
      {R"({"a": 01})", "1:8: numbers cannot start with 0"},
      {R"({"a": "\q"})", "1:9: illegal char escape"},
      {"{\"a\": \"b\n\"}", "2:3: literal not terminated"},
      {R"({"a": {}})", "{a {}}"},
      {R"({"a": })", "{}"},
      {R"({"a" 1})", "expected: STRING got: NUMBER"},
  };
  for (auto& c : cases) EXPECT_EQ(parsed(c.text), c.tree) << c.text;
}

TEST(Hcl1, ReadsValuesLeniently) {
  auto root = parse("a = \"5\"\nb = 7\nc = \"true\"\nd = [\"x\", 2]\ne = 1.5\nA = 9");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("a")->as_int(), 5);
  EXPECT_EQ(root->find("b")->as_string(), "7");
  EXPECT_EQ(root->find("c")->as_bool(), true);
  EXPECT_EQ(root->find("d")->as_strings(), (std::vector<std::string>{"x", "2"}));
  EXPECT_EQ(root->find("e")->as_double(), 1.5);
  EXPECT_EQ(root->find("b")->as_strings(), std::vector<std::string>{"7"});
  EXPECT_EQ(root->find("d")->as_int(), std::nullopt);
  EXPECT_EQ(root->matching("a", true).size(), 2u);
}

TEST(Hcl1, RefusesWhatNestsTooDeep) {
  for (const char* open : {"a {", "{\"a\":"}) {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += open;
    EXPECT_FALSE(parse(text)) << open;
  }
  EXPECT_FALSE(parse("a = " + std::string(100'000, '[')));
}

}  // namespace
}  // namespace drover::hcl1
