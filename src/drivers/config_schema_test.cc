#include "drivers/config_schema.h"

#include <gtest/gtest.h>

#include "codec/json.h"

namespace drover::drivers {
namespace {

const ConfigSpec& spec() {
  static const ConfigSpec s = {
      attr("command", ConfigType::string(), true),
      attr("args", ConfigType::list(ConfigType::string())),
      attr_or("enabled", ConfigType::boolean(), Value(true)),
      attr("count", ConfigType::number()),
      attr("labels", ConfigType::map(ConfigType::string())),
      attr("port_map", ConfigType::list(ConfigType::map(ConfigType::number()))),
      block("auth", {attr("user", ConfigType::string(), true)}),
      block_list("mount", {attr("path", ConfigType::string())}),
  };
  return s;
}

std::string decode(std::string_view json) {
  auto in = from_json<Value>(json);
  auto out = decode_config(spec(), *in);
  return out ? to_json(*out, {.trailing_newline = false}) : out.error().message;
}

TEST(ConfigSchema, FillsEveryKey) {
  EXPECT_EQ(decode(R"({"command":"x"})"),
            R"({"args":null,"auth":null,"command":"x","count":null,"enabled":true,"labels":null,"mount":[],"port_map":null})");
}

TEST(ConfigSchema, ConvertsAsHclDoes) {
  auto v = decode_config(spec(), *from_json<Value>(R"({"command":5,"args":["a",1.5,true],"enabled":"false","count":"42","labels":{"k":1}})"));
  ASSERT_TRUE(v);
  EXPECT_EQ(config_string(*v, "command"), "5");
  EXPECT_EQ(config_strings(*v, "args"), (std::vector<std::string>{"a", "1.5", "true"}));
  EXPECT_FALSE(config_bool(*v, "enabled"));
  EXPECT_EQ(config_int(*v, "count"), 42);
  EXPECT_EQ(config_string(*v->as_object()->find("labels"), "k"), "1");
}

TEST(ConfigSchema, TakesBlocksAsObjectsAndLists) {
  std::string both = decode(R"({"command":"x","auth":[{"user":"u"}],"mount":{"path":"/a"},"port_map":{"http":80},"labels":[{"a":"b"}]})");
  EXPECT_NE(both.find(R"("auth":{"user":"u"})"), std::string::npos) << both;
  EXPECT_NE(both.find(R"("mount":[{"path":"/a"}])"), std::string::npos) << both;
  EXPECT_NE(both.find(R"("port_map":[{"http":80)"), std::string::npos) << both;
  EXPECT_NE(both.find(R"("labels":{"a":"b"})"), std::string::npos) << both;
}

TEST(ConfigSchema, SaysWhatIsWrongInTheReferencesWords) {
  EXPECT_EQ(decode("{}"),
            "2 errors occurred:\n\t* failed to parse config: \n\t* Missing required argument: The argument \"command\" is required, "
            "but no definition was found.\n\n");
  EXPECT_EQ(decode(R"({"command":"x","foo":1})"),
            "2 errors occurred:\n\t* failed to parse config: \n\t* Invalid label: No argument or block type is named \"foo\".\n\n");
  struct Case {
    const char* config;
    const char* text;
  } cases[] = {
      {R"({"command":["x"]})", "Incorrect attribute value type: Inappropriate value for attribute \"command\": string required."},
      {R"({"command":"x","args":"a"})", "Inappropriate value for attribute \"args\": list of string required."},
      {R"({"command":"x","args":["a",["b"]]})", "Inappropriate value for attribute \"args\": element 1: string required."},
      {R"({"command":"x","count":"many"})", "Inappropriate value for attribute \"count\": a number is required."},
      {R"({"command":"x","enabled":3})", "Inappropriate value for attribute \"enabled\": a bool is required."},
      {R"({"command":"x","auth":[{"user":"a"},{"user":"b"}]})", "Duplicate auth block: Only one block of type \"auth\" is allowed."},
      {R"({"command":"x","auth":{}})", "The argument \"user\" is required"},
      {R"({"command":"x","auth":5})", "Either a JSON object or a JSON array is required"},
  };
  for (auto& c : cases) EXPECT_NE(decode(c.config).find(c.text), std::string::npos) << decode(c.config);
}

}  // namespace
}  // namespace drover::drivers
