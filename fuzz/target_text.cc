// The small languages of the API and the command line.
#include <string>

#include "bexpr/bexpr.h"
#include "codec/json.h"
#include "fuzz/targets.h"
#include "gotemplate/template.h"
#include "model/job.h"

namespace drover::fuzz {
namespace {

const Job& sample() {
  static const Job job = *from_json<Job>(
      R"({"ID": "web", "Name": "web", "Type": "service", "Priority": 50, "Datacenters": ["dc1", "dc2"], "Meta": {"a": "1", "b": ""},
          "TaskGroups": [{"Name": "g", "Count": 3, "Tasks": [{"Name": "t", "Driver": "exec", "Env": {"X": "y"},
          "Config": {"command": "/bin/true", "args": ["-x", 1, 2.5, null, {"k": true}]}}]}]})");
  return job;
}

}  // namespace

void bexpr(std::string_view input) {
  auto filter = drover::bexpr::Filter::parse(input);
  if (filter) static_cast<void>(filter->matches(sample()));
}

void gotemplate(std::string_view input) {
  auto& functions = drover::gotemplate::sprig_functions();
  auto parsed = drover::gotemplate::Template::parse("f", input, functions);
  if (!parsed) return;
  static_cast<void>(parsed->execute(drover::gotemplate::Datum(type_of<Job>(), &sample())));
}

}  // namespace drover::fuzz
