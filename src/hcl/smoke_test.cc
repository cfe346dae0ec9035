#include <gtest/gtest.h>

#include "hcl/body.h"
#include "hcl/functions.h"

namespace drover::hcl {
namespace {

TEST(Hcl, EvaluatesAnAttributeInAScope) {
  Diagnostics d;
  File file = parse_file("a.hcl", "x = upper(\"${name}-${node.class}\")\n", d);
  Content c = file.body().content({{{"x"}}, {}}, d);
  Functions functions{FunctionHost{}};
  Scope scope;
  scope.functions = &functions;
  scope.undefined_as_text = true;
  scope.set("name", Value::string("ab"));
  Value v = c.attribute("x")->expr.value(&scope, d);
  ASSERT_TRUE(d.empty()) << d.all_lines();
  EXPECT_EQ(v.as_string(), "AB-${NODE.CLASS}");
}

TEST(Hcl, HasEveryFunctionOfTheReference) { EXPECT_EQ(function_table().size(), 83u); }

}  // namespace
}  // namespace drover::hcl
