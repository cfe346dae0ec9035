// Schemas of driver configs: what a plugin says in hclspec, as data, and the decoding of a config against one.
//
// A config arrives as a Value in the shape of the job's JSON: blocks are objects or lists of objects. decode_config()
// checks it, converts the values and gives an object with every key of the schema, nil where unset.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/value.h"

namespace drover::drivers {

// The value types an attribute may have. A list or map names its element type.
struct ConfigType {
  enum class Kind : unsigned char { kString, kNumber, kBool, kAny, kList, kMap };
  Kind kind = Kind::kAny;
  std::shared_ptr<const ConfigType> element;

  static ConfigType string() { return {Kind::kString, nullptr}; }
  static ConfigType number() { return {Kind::kNumber, nullptr}; }
  static ConfigType boolean() { return {Kind::kBool, nullptr}; }
  static ConfigType any() { return {Kind::kAny, nullptr}; }
  static ConfigType list(ConfigType of) { return {Kind::kList, std::make_shared<const ConfigType>(std::move(of))}; }
  static ConfigType map(ConfigType of) { return {Kind::kMap, std::make_shared<const ConfigType>(std::move(of))}; }
};
// "string", "list(string)", "map(number)" as HCL writes it.
std::string to_string(const ConfigType& type);

struct ConfigField;
using ConfigSpec = std::vector<ConfigField>;

struct ConfigField {
  enum class Kind : unsigned char {
    kAttr,       // name = value
    kBlock,      // at most one block; nil when absent
    kBlockList,  // any number of blocks, as a list of objects
  };
  std::string name;
  Kind kind = Kind::kAttr;
  ConfigType type;         // of an attribute
  bool required = false;
  Value fallback;          // instead of nil
  ConfigSpec nested;       // of blocks
};

ConfigField attr(std::string name, ConfigType type, bool required = false);
ConfigField attr_or(std::string name, ConfigType type, Value fallback);
ConfigField block(std::string name, ConfigSpec nested);
ConfigField block_list(std::string name, ConfigSpec nested);

// All diagnostics at once, in the reference's words ("Missing required argument: The argument \"command\" is required,
// but no definition was found."), each "<summary>: <detail>".
struct DecodedConfig {
  Value value;
  std::vector<std::string> diagnostics;
};
DecodedConfig decode_config_diagnosed(const ConfigSpec& spec, const Value& config);

// The same as one Result: the diagnostics become the reference's multi-line "failed to parse config: " error.
Result<Value> decode_config(const ConfigSpec& spec, const Value& config);

// Reading decoded configs: the type is known from the schema, nil gives the zero value.
std::string config_string(const Value& config, std::string_view key);
bool config_bool(const Value& config, std::string_view key);
int64_t config_int(const Value& config, std::string_view key);
std::vector<std::string> config_strings(const Value& config, std::string_view key);

}  // namespace drover::drivers
