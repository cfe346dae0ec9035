#include "bexpr/bexpr.h"

#include <gtest/gtest.h>

namespace drover::bexpr {
struct Inner {
  std::string Name;
  int64_t Count = 0;
};
struct Datum {
  std::string ID;
  Uuid Alloc;
  bool Flag = false;
  int64_t Number = 0;
  uint16_t Port = 0;
  double Ratio = 0;
  List<std::string> Tags;
  Map<std::string> Meta;
  Box<Inner> Maybe;
  List<Inner> Inners;
};
}  // namespace drover::bexpr

namespace drover {
DROVER_TYPE(bexpr::Inner)
DROVER_TYPE(bexpr::Datum)
}  // namespace drover
DROVER_DESCRIBE(drover::bexpr::Inner, "x.Inner", DROVER_FIELD(Name), DROVER_FIELD(Count))
DROVER_DESCRIBE(drover::bexpr::Datum, "x.Datum", DROVER_FIELD(ID), DROVER_FIELD(Alloc), DROVER_FIELD(Flag),
                DROVER_FIELD(Number), DROVER_FIELD(Port), DROVER_FIELD(Ratio), DROVER_FIELD(Tags), DROVER_FIELD(Meta),
                DROVER_FIELD(Maybe), DROVER_FIELD(Inners))

namespace drover::bexpr {
namespace {

Datum sample() {
  Datum d;
  d.ID = "web-1";
  d.Flag = true;
  d.Number = -7;
  d.Port = 80;
  d.Ratio = 1.5;
  d.Tags = {"blue", "green"};
  d.Meta = {{"rack", "r1"}, {"kernel.name", "linux"}, {"blank", ""}};
  d.Inners = {{"first", 1}, {"second", 2}};
  return d;
}

TEST(Filter, Evaluates) {
  struct {
    const char* text;
    bool yes;
  } cases[] = {
      {"ID == web-1", false},  // a bare value ends at the dash, and what is left is an error
      {"ID == \"web-1\"", true},
      {"ID != `web-2`", true},
      {"ID==\"web-1\"", true},
      {"Flag == true", true},
      {"Number == -7", true},
      {"Port == \"0x50\"", true},
      {"Ratio == 1.5", true},
      {"blue in Tags", true},
      {"red not in Tags", true},
      {"Tags contains \"green\"", true},
      {"Tags not contains green", false},
      {"ID contains web", true},
      {"rack in Meta", true},
      {"Meta.rack == r1", true},
      {"Meta[\"kernel.name\"] == linux", true},
      {"\"/Meta/kernel.name\" == linux", true},
      {"Meta.none == r1", false},
      {"Meta.none != r1", true},
      {"Meta.none is empty", true},
      {"Meta.none is not empty", false},
      {"Meta.blank is empty", true},
      {"Inners.1.Name == second", true},
      {"ID matches \"-[0-9]$\"", true},
      {"ID not matches \"^w\"", false},
      {"not Flag == true", false},
      {"not not Flag == true", true},
      {"Flag == false or Port == 80 and Number == -7", true},
      {"(Flag == false or Port == 80) and Number == 0", false},
      {" ( Flag == true ) ", true},
  };
  for (auto& c : cases) {
    auto f = Filter::parse(c.text);
    if (!f) {
      EXPECT_STREQ(c.text, "ID == web-1") << f.error().message;
      continue;
    }
    auto yes = f->matches(sample());
    ASSERT_TRUE(yes) << c.text << ": " << yes.error().message;
    EXPECT_EQ(*yes, c.yes) << c.text;
  }
}

TEST(Filter, SyntaxErrorsNameTheFarthestPlaceAndWhatWasExpected) {
  struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"ID =", "1:4 (3): no match found, expected: \"!=\", \"==\", \"contains\", \"in\", \"is\", \"matches\", \"not\" or [ \\t\\r\\n]"},
      {"JobID", "1:6 (5): no match found, expected: \"!=\", \".\", \"==\", \"[\", [ \\t\\r\\n] or [a-zA-Z0-9_/]"},
  };
  for (auto& c : cases) {
    auto f = Filter::parse(c.text);
    ASSERT_FALSE(f) << c.text;
    EXPECT_EQ(f.error().message, c.message);
  }
}

TEST(Filter, EvaluationErrors) {
  struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"Nope == 1", "error finding value in datum: /Nope at part 0: couldn't find key: struct field with name \"Nope\""},
      {"Nope.x == 1", "error finding value in datum: /Nope/x at part 0: couldn't find key: struct field with name \"Nope\""},
      {"Number == x", "error getting match value in expression: strconv.ParseInt: parsing \"x\": invalid syntax"},
      {"Number == 99999999999999999999", "error getting match value in expression: strconv.ParseInt: parsing \"99999999999999999999\": value out of range"},
      {"Port == \"-1\"", "error getting match value in expression: strconv.ParseUint: parsing \"-1\": invalid syntax"},
      {"Flag == maybe", "error getting match value in expression: strconv.ParseBool: parsing \"maybe\": invalid syntax"},
      {"Maybe.Name == x", "error finding value in datum: /Maybe/Name: at part 1, invalid value kind: invalid"},
      {"Maybe == x", "unable to find suitable primitive comparison function for matching"},
      {"Meta == x", "unable to find suitable primitive comparison function for matching"},
      {"Meta.none.x == 1", "error finding value in datum: /Meta/none/x at part 1: couldn't find key \"none\""},
      {"ID.x == 1", "error finding value in datum: /ID/x: at part 1, invalid value kind: string"},
      {"Tags.x == 1", "error finding value in datum: /Tags/x at part 1: couldn't convert value \"x\" to type int"},
      {"5 in Number", "Cannot perform in/contains operations on type int for selector: \"Number\""},
      {"x in Number", "error getting match value in expression: strconv.ParseInt: parsing \"x\": invalid syntax"},
      {"x in Maybe", "Cannot perform in/contains operations on type invalid for selector: \"Maybe\""},
      {"x in Inners", "unable to find suitable primitive comparison function for \"in\" comparison"},
      {"Tags matches x", "Value of type []string is not convertible to []byte"},
      {"ID matches \"(\"", "Failed to compile regular expression \"(\": error parsing regexp: missing closing ): `(`"},
      {"Flag in ID", ""},
  };
  for (auto& c : cases) {
    auto yes = Filter::parse(c.text)->matches(sample());
    EXPECT_EQ(yes ? "" : yes.error().message, c.message) << c.text;
  }
}

TEST(Filter, DeepNestingIsAnError) {
  EXPECT_FALSE(Filter::parse(std::string(100000, '(') + "Flag == true"));
  std::string nots;
  for (int i = 0; i < 10000; ++i) nots += "not ";
  EXPECT_FALSE(Filter::parse(nots + "Flag == true"));
}

}  // namespace
}  // namespace drover::bexpr
