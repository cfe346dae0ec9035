// Data files: testdata/NAME.hcl (or .hcl.json, .hcl1) with NAME.expect, which holds the job's JSON or, after "error:",
// the message. `jobspec_test --rewrite` writes the answers anew.
#include "jobspec/jobspec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "codec/json.h"
#include "jobspec/job_file.h"
#include "jobspec/schema.h"
#include "model/canonicalize.h"

namespace drover::jobspec {
namespace {

namespace fs = std::filesystem;

bool rewrite = false;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string answer(const fs::path& file) {
  JobFileOptions options;
  options.hcl1 = file.extension() == ".hcl1";
  auto job = parse_job_file(file.filename().string(), read(file), options);
  if (!job) return "error: " + job.error().message + "\n";
  return to_json(*job, {.pretty = true, .indent = 2});
}

TEST(Jobspec, GivesTheRecordedAnswers) {
  int seen = 0;
  for (auto& entry : fs::directory_iterator(TESTDATA)) {
    auto path = entry.path();
    if (path.extension() == ".expect") continue;
    ++seen;
    auto expect = fs::path(path).concat(".expect");
    auto got = answer(path);
    if (rewrite) std::ofstream(expect, std::ios::binary) << got;
    EXPECT_EQ(got, read(expect)) << path.filename();
  }
  EXPECT_GE(seen, 8);
}

TEST(Jobspec, RefusesOptionsThatContradict) {
  EXPECT_EQ(check_options({.json = true, .hcl1 = true}).error().message, "cannot parse job file as HCL and JSON.");
  EXPECT_EQ(check_options({.json = true, .args = {"a=b"}}).error().message, "cannot use variables with JSON files.");
  EXPECT_EQ(check_options({.hcl1 = true, .var_files = {"x"}}).error().message, "cannot use variables with HCLv1.");
  EXPECT_TRUE(check_options({.args = {"a=b"}}));
}

TEST(Jobspec, TakesVariablesFromAllSources) {
  ParseOptions options;
  options.path = "x.hcl";

  options.text = "variable \"a\" {}\nvariable \"b\" { default = \"d\" }\njob \"j\" { meta = { a = var.a, b = var.b } }";
  options.env = {"NOMAD_VAR_a=env", "NOMAD_VAR_b=env", "OTHER=x"};
  options.var_content = "b = \"content\"";
  options.args = {"a=arg"};
  auto job = parse(options);
  ASSERT_TRUE(job) << job.error().message;
  EXPECT_EQ(job->Meta.get_or("a"), "arg");
  EXPECT_EQ(job->Meta.get_or("b"), "content");
}

TEST(Jobspec, FilesNeedPermission) {
  ParseOptions options;
  options.path = "x.hcl";
  options.text = "job \"j\" { meta = { a = file(\"/etc/hostname\") } }";
  auto refused = parse(options);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("filesystem function disabled"), std::string::npos);
  options.text = "job \"j\" { meta = { a = fileexists(\"/nonexistent\") } }";
  options.allow_fs = true;
  auto allowed = parse(options);
  ASSERT_TRUE(allowed) << allowed.error().message;
  EXPECT_EQ(allowed->Meta.get_or("a"), "false");
}

TEST(Jobspec, ReadsJsonJobsOfBothForms) {
  for (auto* text : {R"({"Job": {"ID": "x", "Priority": 7}})", R"({"ID": "x", "Priority": 7})"}) {
    auto job = parse_json(text);
    ASSERT_TRUE(job) << text;
    EXPECT_EQ(job->ID, "x");
    EXPECT_EQ(job->Priority, 7);
  }
  EXPECT_FALSE(parse_json("[1]"));
}

TEST(Jobspec, NothingInAFileCrashes) {
  // Every prefix of a file that uses most of the language, and every file with one byte changed.
  auto whole = read(fs::path(TESTDATA) / "everything.hcl");
  ASSERT_FALSE(whole.empty());
  for (size_t n = 0; n < whole.size(); n += 7) {
    static_cast<void>(parse({.path = "x", .text = whole.substr(0, n)}));
    static_cast<void>(parse_hcl1(whole.substr(0, n)));
    auto changed = whole;
    changed[n] = "{}\"$=\n0"[n % 7];
    auto job = parse({.path = "x", .text = changed});
    if (job) canonicalize(*job);
    auto old = parse_hcl1(changed);
    if (old) canonicalize(*old);
  }
}

// Every member of a block of the tables belongs to the struct, and no name occurs twice.
void walk(const Spec& spec, std::vector<const Spec*>& seen) {
  if (std::find(seen.begin(), seen.end(), &spec) != seen.end()) return;
  seen.push_back(&spec);
  for (auto& entry : spec.entries) {
    EXPECT_EQ(spec.find(entry.member.name), &entry) << spec.type.name << " " << entry.member.name;
    if (entry.member.spec) walk(*entry.member.spec(), seen);
  }
}

TEST(Jobspec, TablesAreSound) {
  std::vector<const Spec*> seen;
  walk(*job_spec(), seen);
  walk(*task_scaling_spec(), seen);
  EXPECT_GT(seen.size(), 40u);
}

}  // namespace
}  // namespace drover::jobspec

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i)
    if (std::strcmp(argv[i], "--rewrite") == 0) drover::jobspec::rewrite = true;
  return RUN_ALL_TESTS();
}
