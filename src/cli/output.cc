#include "cli/output.h"

#include "cli/client_shapes.h"
#include "gotemplate/template.h"

namespace drover::cli {

std::string json_text(const TypeInfo& type, const void* object) {
  std::string out;
  json_encode(type, object, out, {.pretty = true, .trailing_newline = false, .shape = client_shape});
  return out;
}

std::string unmarshal_text(const Error& error) {
  bool cut = error.message == "unexpected EOF" || error.message == "EOF";
  return cut ? "unexpected end of JSON input" : error.message;
}

bool formatted(const Context& c) { return c.args.on("json") || !c.args.text("t").empty(); }

Result<std::string> apply_template(const std::string& text, const TypeInfo& type, const void* object, bool sprig) {
  auto parsed = gotemplate::Template::parse("", text, sprig ? gotemplate::sprig_functions() : gotemplate::Functions{});
  if (!parsed) return std::move(parsed).error();
  return parsed->execute(gotemplate::Datum(type, object));
}

std::optional<int> print_formatted(const Context& c, const TypeInfo& type, const void* object) {
  if (!formatted(c)) return std::nullopt;
  bool json = c.args.on("json");
  auto text = c.args.text("t");
  if (json && !text.empty()) return c.fail("Both json and template formatting are not allowed");
  if (json) {
    c.ui.output(json_text(type, object));
    return 0;
  }
  auto made = apply_template(text, type, object);
  if (!made) return c.fail("Error formatting the data: " + made.error().message);
  c.ui.output(*made);
  return 0;
}

}  // namespace drover::cli
