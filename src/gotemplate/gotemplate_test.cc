#include <gtest/gtest.h>

#include "gotemplate/template.h"

namespace drover::gotemplate {
struct Port {
  std::string Label;
  int64_t Value = 0;
};
struct Thing {
  std::string Name;
  Uuid ID;
  int64_t Count = 0;
  bool Flag = false;
  double Ratio = 0;
  Duration Wait{};
  List<Port> Ports;
  Map<std::string> Meta;
  Box<Port> Main;
  Box<Port> None;
  Value Any;
};
}  // namespace drover::gotemplate
namespace drover {
DROVER_TYPE(gotemplate::Port)
DROVER_TYPE(gotemplate::Thing)
}  // namespace drover
DROVER_DESCRIBE(drover::gotemplate::Port, "api.Port", DROVER_FIELD(Label), DROVER_FIELD(Value))
DROVER_DESCRIBE(drover::gotemplate::Thing, "api.Thing", DROVER_FIELD(Name), DROVER_FIELD(ID), DROVER_FIELD(Count),
                DROVER_FIELD(Flag), DROVER_FIELD(Ratio), DROVER_FIELD(Wait), DROVER_FIELD(Ports), DROVER_FIELD(Meta),
                DROVER_FIELD(Main), DROVER_FIELD(None), DROVER_FIELD(Any))

namespace drover::gotemplate {
namespace {

Thing sample() {
  Thing t;
  t.Name = "web";
  t.Count = 3;
  t.Flag = true;
  t.Ratio = 0.5;
  t.Wait = 90s;
  t.Ports = {{"http", 80}, {"https", 443}};
  t.Meta = {{"a", "1"}, {"b", "2"}};
  t.Main = Port{"main", 1};
  t.Any = Value(Value::Object{{"k", Value(Value::Array{Value(1.0), Value("x")})}});
  return t;
}

// The output, or the error.
std::string run(std::string_view text) {
  auto t = Template::parse("format", text, sprig_functions());
  if (!t) return t.error().message;
  auto thing = sample();
  auto out = t->execute(Datum(type_of<Thing>(), &thing));
  return out ? *out : out.error().message;
}

struct Case {
  const char* text;
  const char* output;
};

TEST(Template, Renders) {
  const Case cases[] = {
      {"plain", "plain"},
      {"{{.Name}}", "web"},
      {"{{ .Name }} {{.Count}} {{.Flag}} {{.Ratio}} {{.Wait}}", "web 3 true 0.5 1m30s"},
      {"{{range .Ports}}{{.Label}}={{.Value}};{{end}}", "http=80;https=443;"},
      {"{{range $i, $p := .Ports}}{{$i}}{{$p.Label}} {{end}}", "0http 1https "},
      {"{{range $k, $v := .Meta}}{{$k}}{{$v}}{{end}}", "a1b2"},
      {"{{range .None}}x{{else}}empty{{end}}", "empty"},
      {"{{.Main.Label}} {{(index .Ports 1).Label}}", "main https"},
      {"{{if .Flag}}yes{{else}}no{{end}}{{if not .Flag}}x{{else if eq .Name \"web\"}}y{{end}}", "yesy"},
      {"{{with .Main}}{{.Value}}{{end}}{{with .None}}x{{else}}z{{end}}", "1z"},
      {"a {{- .Name -}} b", "awebb"},
      {"{{/* note */}}x{{- /* trimmed */ -}} y", "xy"},
      {"{{.Meta}} {{.Any}} {{len .Ports}}", "map[a:1 b:2] map[k:[1 x]] 2"},
      {"{{.Main}} {{.None}}", "&{main 1} <nil>"},
      {"{{.Meta.none}}|{{.Any.k}}", "<no value>|[1 x]"},
      {"{{printf \"%-5s|%05d|%q|%v\" .Name 42 .Name .Flag}}", "web  |00042|\"web\"|true"},
      {"{{$x := 1}}{{range .Ports}}{{$x = .Value}}{{end}}{{$x}}", "443"},
      {"{{define \"t\"}}<{{.}}>{{end}}{{template \"t\" .Name}}", "<web>"},
      {"{{range .Ports}}{{if eq .Value 443}}{{break}}{{end}}{{.Value}}{{end}}", "80"},
      {"{{and .Flag .Name}} {{or \"\" 7}} {{and 0 (index .Ports 9)}}", "web 7 0"},
      {"{{.Name | printf \"%s-%s\" \"x\"}}", "x-web"},
      {"{{slice .Name 1 2}} {{index .Meta \"b\"}}", "e 2"},
      {"{{html \"<a>\"}} {{urlquery \"a b&\"}} {{js \"it's\"}}", "&lt;a&gt; a+b%26 it's"},
      {"{{lt 1 2}}{{ge .Count 3}}{{ne .Name \"x\"}}", "truetruetrue"},
      {"{{0x10}} {{1_000}} {{'a'}} {{1.5}} {{`raw`}}", "16 1000 97 1.5 raw"},
      {"{{sprig_upper .Name}} {{sprig_join \",\" (sprig_list 1 2)}} {{.Any | sprig_toJson}}", "WEB 1,2 {\"k\":[1,\"x\"]}"},
      {"{{sprig_default \"d\" \"\"}} {{sprig_add 1 2 3}} {{sprig_ternary \"a\" \"b\" .Flag}}", "d 6 a"},
  };
  for (auto& c : cases) EXPECT_EQ(run(c.text), c.output) << c.text;
}

TEST(Template, ErrorsInTheWordsOfTheLanguage) {
  const Case cases[] = {
      {"{{.Nope}}", "template: format:1:2: executing \"format\" at <.Nope>: can't evaluate field Nope in type api.Thing"},
      {"{{x}}", "template: format:1: function \"x\" not defined"},
      {"{{.Name", "template: format:1: unclosed action"},
      {"{{if .Flag}}", "template: format:1: unexpected EOF"},
      {"{{end}}", "template: format:1: unexpected {{end}}"},
      {"{{$x}}", "template: format:1: undefined variable \"$x\""},
      {"{{\"open}}", "template: format:1: unterminated quoted string"},
      {"{{.None.Label}}", "template: format:1:2: executing \"format\" at <.None.Label>: nil pointer evaluating *api.Port.Label"},
      {"{{}}", "template: format:1: missing value for command"},
  };
  for (auto& c : cases) EXPECT_EQ(run(c.text), c.output) << c.text;
}

TEST(Template, BoundsRecursionAndOutput) {
  EXPECT_NE(run("{{define \"t\"}}{{template \"t\" .}}{{end}}{{template \"t\" .}}").find("exceeded maximum template depth"), std::string::npos);
  std::string parens;
  for (int i = 0; i < 5000; ++i) parens += "(";
  EXPECT_NE(run("{{" + parens).find("template: format"), std::string::npos);
  EXPECT_NE(run("{{sprig_repeat 100000000 \"xxxxxxxxxx\"}}").find("too large"), std::string::npos);
}

}  // namespace
}  // namespace drover::gotemplate
