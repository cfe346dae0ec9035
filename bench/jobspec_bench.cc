// How long a job file takes: parse, evaluate, decode, canonicalize, convert, validate, diff, and JSON of the job. Prints
// microseconds per run of a file of about 1,000 lines (20 groups).
//
//   jobspec_bench [RUNS]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>

#include "codec/json.h"
#include "jobspec/jobspec.h"
#include "model/admission.h"
#include "model/canonicalize.h"
#include "model/job_diff.h"

namespace {

using namespace drover;

std::string job_text(int groups = 20) {
  std::string out = "variable \"image\" { default = \"web:1\" }\nlocals { tag = \"v${1 + 2}\" }\njob \"bench\" {\n";
  for (int g = 0; g < groups; ++g) {
    out += fmt::format("  group \"g{}\" {{\n    count = {}\n    network {{\n      mode = \"bridge\"\n", g, g + 1);
    for (int p = 0; p < 3; ++p) out += fmt::format("      port \"p{}\" {{\n        to = {}\n      }}\n", p, 8000 + p);
    out += "    }\n    service {\n      name = \"s-${local.tag}\"\n      port = \"p0\"\n      provider = \"nomad\"\n      tags = [\"a\", \"b\"]\n    }\n";
    out += "    restart {\n      attempts = 3\n      interval = \"10m\"\n      delay = \"5s\"\n    }\n";
    out +=
        "    task \"t\" {\n      driver = \"docker\"\n      kill_timeout = \"20s\"\n      config {\n        image = var.image\n"
        "        args = [\"--port\", \"${NOMAD_PORT_p0}\", format(\"%d\", 5)]\n        labels = {\n          a = \"b\"\n        }\n      }\n"
        "      env {\n        A = \"1\"\n        B = \"${node.class}\"\n      }\n      resources {\n        cpu = 200\n"
        "        memory = 256\n      }\n      template {\n        data = <<EOT\nline one\nline ${local.tag}\nEOT\n"
        "        destination = \"local/x\"\n      }\n    }\n  }\n";
  }
  return out + "}\n";
}

template <class F>
void measure(const char* what, int runs, F&& f) {
  auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < runs; ++i) f();
  auto took = std::chrono::steady_clock::now() - begin;
  fmt::print("{:<28} {:>9.1f} us\n", what, std::chrono::duration<double, std::micro>(took).count() / runs);
}

}  // namespace

int main(int argc, char** argv) {
  int runs = argc > 1 ? std::atoi(argv[1]) : 200;
  jobspec::ParseOptions options;
  options.path = "bench.hcl";
  options.text = job_text();
  auto parsed = jobspec::parse(options);
  if (!parsed) {
    fmt::print("{}\n", parsed.error().message);
    return 1;
  }
  fmt::print("{} lines\n", std::count(options.text.begin(), options.text.end(), '\n'));
  auto server = job_from_api(*parsed);
  canonicalize(server);
  auto changed = server;
  changed.TaskGroups[0].Count = 9;
  measure("parse", runs, [&] { static_cast<void>(jobspec::parse(options)); });
  measure("parse and canonicalize", runs, [&] {
    auto job = jobspec::parse(options);
    canonicalize(*job);
  });
  measure("convert and admit", runs, [&] { static_cast<void>(admit(job_from_api(*parsed), {})); });
  auto json = to_json(server);
  measure("JSON encode", runs, [&] { static_cast<void>(to_json(server)); });
  measure("JSON decode", runs, [&] { static_cast<void>(from_json<Job>(json)); });
  fmt::print("{:<28} {:>9} bytes\n", "JSON of the job", json.size());
  measure("diff", runs, [&] { static_cast<void>(diff_jobs(&server, &changed, true)); });
  // Linear: twice the text takes twice the time.
  for (int groups : {1200, 2400}) {
    auto large = options;
    large.text = job_text(groups);
    auto name = fmt::format("parse {:.1f} MB", static_cast<double>(large.text.size()) / 1e6);
    measure(name.c_str(), std::max(1, runs / 50), [&] { static_cast<void>(jobspec::parse(large)); });
  }
}
