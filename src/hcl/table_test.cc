// Tables of expressions in testdata/*.table: `> expression` (going on with `| `), then `= value as JSON` or
// `! diagnostic` lines. The expression is the value of `x` in a file t.hcl. DROVER_REWRITE=1 writes what comes out
// back into the tables, to be read before it is kept.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/strings.h"
#include "hcl/body.h"
#include "hcl/function_impl.h"
#include "hcl/functions.h"

namespace drover::hcl {
namespace {

namespace fs = std::filesystem;

struct Row {
  std::string expression;
  std::string answer;  // lines with their marks
  size_t line = 0;
};

std::string answer_of(const std::string& expression) {
  Diagnostics d;
  File file = parse_file("t.hcl", "x = " + expression + "\n", d);
  std::string out;
  if (d.empty()) {
    FunctionHost host;
    host.allow_files = true;
    host.base_dir = TESTDATA;
    host.home = "/home/operator";
    Functions functions(host);
    Scope scope;
    scope.functions = &functions;
    scope.undefined_as_text = true;
    scope.set("var", Value::object({{"n", Value::number(7)}, {"list", Value::tuple({Value::string("a"), Value::number(1)})}}));
    Content c = file.body().content({{{"x", true}}, {}}, d);
    Value v = c.attributes.empty() ? Value() : c.attributes[0].expr.value(&scope, d);
    if (d.empty()) {
      auto json = to_json(v);
      return "= " + (json ? *json : "(" + json.error() + ")") + "\n";
    }
  }
  for (auto& line : split(replace_all(d.all_lines(), TESTDATA, "<DATA>"), '\n')) out += "! " + line + "\n";
  return out;
}

std::vector<Row> read_table(const fs::path& path, std::vector<std::string>& head) {
  std::ifstream in(path);
  std::vector<Row> rows;
  std::string line;
  for (size_t n = 1; std::getline(in, line); ++n) {
    if (line.starts_with("> ")) rows.push_back({line.substr(2), "", n});
    else if (rows.empty()) head.push_back(line);
    else if (line.starts_with("|")) rows.back().expression += "\n" + (line.size() > 2 ? line.substr(2) : "");
    else rows.back().answer += line + "\n";
  }
  return rows;
}

void write_table(const fs::path& path, const std::vector<std::string>& head, const std::vector<Row>& rows) {
  std::ofstream out(path);
  for (auto& line : head) out << line << "\n";
  for (auto& row : rows) {
    auto lines = split(row.expression, '\n');
    out << "> " << lines[0] << "\n";
    for (size_t i = 1; i < lines.size(); ++i) out << (lines[i].empty() ? "|" : "| " + lines[i]) << "\n";
    out << answer_of(row.expression);
  }
}

TEST(HclTables, EveryExpressionGivesItsAnswer) {
  size_t count = 0;
  for (auto& entry : fs::directory_iterator(TESTDATA)) {
    if (entry.path().extension() != ".table") continue;
    std::vector<std::string> head;
    auto rows = read_table(entry.path(), head);
    count += rows.size();
    if (std::getenv("DROVER_REWRITE")) {
      write_table(entry.path(), head, rows);
      continue;
    }
    for (auto& row : rows) {
      EXPECT_EQ(answer_of(row.expression), row.answer) << entry.path().filename().string() << ":" << row.line;
    }
  }
  EXPECT_GT(count, 250u);
}

TEST(Hcl, HasEveryFunctionOfTheReference) { EXPECT_EQ(function_table().size(), 83u); }

}  // namespace
}  // namespace drover::hcl
