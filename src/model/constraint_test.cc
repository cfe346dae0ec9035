// Constraint operators, target resolution, versions, computed classes: reference scheduler 18.5, 18.10.
#include <gtest/gtest.h>

#include "model/constraint.h"
#include "model/version.h"

namespace drover {
namespace {

Node node() {
  Node n;
  n.ID = *Uuid::parse("12345678-abcd-efab-cdef-123456789abc");
  n.Name = "n1";
  n.Datacenter = "dc1";
  n.NodeClass = "large";
  n.Attributes = {{"kernel.name", "linux"}, {"unique.x", "1"}};
  n.Meta = {{"rack", "r1"}};
  return n;
}

TEST(Constraints, F16Targets) {
  auto n = node();
  EXPECT_EQ(resolve_target("${node.unique.id}", n), n.ID.str());
  EXPECT_EQ(resolve_target("${node.datacenter}", n), "dc1");
  EXPECT_EQ(resolve_target("${node.unique.name}", n), "n1");
  EXPECT_EQ(resolve_target("${node.class}", n), "large");
  EXPECT_EQ(resolve_target("${attr.kernel.name}", n), "linux");
  EXPECT_EQ(resolve_target("${meta.rack}", n), "r1");
  EXPECT_EQ(resolve_target("literal", n), "literal");
  for (auto* t : {"${node.foo}", "${attr.no}", "${meta.no}", "${env.X}"}) EXPECT_EQ(resolve_target(t, n), std::nullopt) << t;
  EXPECT_EQ(interpolate("a-${meta.rack}-b", n), "a-r1-b");
  EXPECT_EQ(interpolate("${meta.no}", n), std::nullopt);
}

TEST(Constraints, Operators) {
  ConstraintChecker c;
  struct Row {
    const char* op;
    const char* l;  // null: not found
    const char* r;
    bool ok;
  };
  const Row rows[] = {
      {"=", "a", "a", true}, {"=", "a", "b", false}, {"==", nullptr, nullptr, false}, {"is", "a", nullptr, false},
      {"!=", "a", "b", true}, {"not", nullptr, "b", true}, {"!=", nullptr, nullptr, false}, {"!=", "a", "a", false},
      {"<", "1", "10", true}, {"<", "1.5", "10.5", true}, {"<", "bar", "foo", true}, {">", "1", "foo", false},
      {"<=", "2", "2", true}, {">=", "3", "2", true}, {"<", nullptr, "1", false},
      {"is_set", "a", "", true}, {"is_set", nullptr, "", false}, {"is_not_set", nullptr, "", true}, {"is_not_set", "a", "", false},
      {"regexp", "foobar", "bar", true}, {"regexp", "foobar", "^foo", true}, {"regexp", "foobar", "^bar", false},
      {"regexp", "a", "(", false}, {"regexp", nullptr, "a", false},
      {"set_contains", "foo,bar,baz", "foo, bar ", true}, {"set_contains_all", "foo,bar,baz", "foo,bam", false},
      {"set_contains_any", "a,b", "a", true}, {"set_contains_any", " a,b ", "a ", true}, {"set_contains_any", "b", "a", false},
      {"distinct_hosts", "", "", true}, {"distinct_property", "", "", true}, {"nonsense", "a", "a", false},
  };
  auto value = [](const char* s) { return s ? TargetValue(s) : std::nullopt; };
  for (auto& row : rows) EXPECT_EQ(c.check(row.op, value(row.l), value(row.r)), row.ok) << row.op << " " << (row.l ? row.l : "-");
}

TEST(Constraints, F21ToF24Versions) {
  ConstraintChecker c;
  struct Row {
    const char* version;
    const char* constraint;
    bool lenient, semver;
  };
  const Row rows[] = {
      {"1.2.3", "~> 1.0", true, false}, {"1.2.3", ">= 1.0, < 1.4", true, true}, {"1", "~> 1.0", true, false},
      {"1.3.0-beta1+ent", "= 1.3.0-beta1", true, true}, {"2.0.1", "~> 1.0", false, false}, {"1.4", ">= 1.0, < 1.4", false, false},
      {"1.3.0-beta1", ">= 0.6.1", false, true}, {"1.7.0-alpha1", ">= 1.6.0-beta1", false, true},
      {"1.2", "1.2.0", true, true}, {"1.2", "!= 1.3", true, true}, {"1.2.9", "~> 1.2.3", true, false},
      {"1.3.0", "~> 1.2.3", false, false}, {"v1.5.0", "> 1.4", true, true}, {"x", "> 1", false, false}, {"1.0", "> x", false, false},
      {"1.0.0beta", "= 1.0.0-beta", true, false},
  };
  for (auto& row : rows) {
    EXPECT_EQ(c.matches_version(row.version, row.constraint, false), row.lenient) << row.version << " " << row.constraint;
    EXPECT_EQ(c.matches_version(row.version, row.constraint, true), row.semver) << row.version << " " << row.constraint;
  }
}

TEST(Constraints, PrereleasesAreOrdered) {
  const char* ascending[] = {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1"};
  for (size_t i = 0; i + 1 < std::size(ascending); ++i)
    EXPECT_TRUE(compare(*Version::parse(ascending[i]), *Version::parse(ascending[i + 1])) < 0) << ascending[i];
}

TEST(Classes, Y20WhatCounts) {
  auto base = compute_class(node());
  EXPECT_TRUE(base.starts_with("v1:"));
  auto differs = [&](auto&& change) {
    auto n = node();
    change(n);
    return compute_class(n) != base;
  };
  EXPECT_TRUE(differs([](Node& n) { n.Datacenter = "dc2"; }));
  EXPECT_TRUE(differs([](Node& n) { n.NodeClass = "small"; }));
  EXPECT_TRUE(differs([](Node& n) { n.Attributes["a"] = "b"; }));
  EXPECT_TRUE(differs([](Node& n) { n.Meta["rack"] = "r2"; }));
  EXPECT_TRUE(differs([](Node& n) { n.NodeResources.ensure().Devices = {{.Vendor = "v"}}; }));
  EXPECT_FALSE(differs([](Node& n) { n.ID = {}; }));
  EXPECT_FALSE(differs([](Node& n) { n.Name = "other"; }));
  EXPECT_FALSE(differs([](Node& n) { n.Attributes["unique.x"] = "2"; }));
  EXPECT_FALSE(differs([](Node& n) { n.Meta["unique.y"] = "2"; }));
  EXPECT_FALSE(differs([](Node& n) { n.NodeResources.ensure().Cpu.CpuShares = 5; }));
}

TEST(Classes, Y21Escapes) {
  for (auto* t : {"${attr.unique.x}", "${meta.unique.x}", "${node.unique.id}"}) EXPECT_TRUE(escapes_class(t)) << t;
  for (auto* t : {"${attr.x}", "${meta.x}", "${node.datacenter}", "${unique.node.id}", "unique"}) EXPECT_FALSE(escapes_class(t)) << t;
}

}  // namespace
}  // namespace drover
