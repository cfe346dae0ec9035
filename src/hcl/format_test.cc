#include "hcl/format.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "hcl/fmt_command.h"

namespace drover::hcl {
namespace {

namespace fs = std::filesystem;

struct Case {
  const char* before;
  const char* after;
};

TEST(HclFormat, LaysOutCanonically) {
  const Case cases[] = {
      {"", ""},
      {"a=1", "a = 1"},
      {"a=1\nlong=2\n\nb=3\n", "a    = 1\nlong = 2\n\nb = 3\n"},
      {"x{\na=1\n}\n", "x {\n  a = 1\n}\n"},
      {"x   \"y\"    z{ }\n", "x \"y\" z {}\n"},
      {"a=[1,2 ,[ 3 ]]\n", "a = [1, 2, [3]]\n"},
      {"a={b=1,c:2}\n", "a = { b = 1, c : 2 }\n"},
      {"a = [\n1,\n{\nb=1\n}\n]\nc=2\n", "a = [\n  1,\n  {\n    b = 1\n  }\n]\nc = 2\n"},
      {"a=-1-  2*( 3 )\nb=!  x\nc= x?y:z\n", "a = -1 - 2 * (3)\nb = !x\nc = x ? y : z\n"},
      {"a=f ( 1 ,x ... )\nb=y [ 0 ] . z [ * ] . q\n", "a = f(1, x...)\nb = y[0].z[*].q\n"},
      {"a=[for x in [1]:x if x>0]\nb={for k,v in y:k=>v...}\n", "a = [for x in [1] : x if x > 0]\nb = { for k, v in y : k => v... }\n"},
      {"a = \"${ x }  ${~ y ~}%{ if z }q%{ endif }\"\n", "a = \"${x}  ${~y~}%{if z}q%{endif}\"\n"},
      {"a = 1 # one\nbbb = 2 // two\n# three\nc = 3\n", "a   = 1 # one\nbbb = 2 // two\n# three\nc = 3\n"},
      {"a = <<X\n  kept   as is\nX\nbb=1\n", "a  = <<X\n  kept   as is\nX\nbb = 1\n"},
      {"größe=1\nä=2\n", "größe = 1\nä     = 2\n"},
      {"a=1\r\nbb=2\r\n", "a  = 1\r\nbb = 2\r\n"},
      {"a = 1   \n\t\n", "a = 1\n\n"},
      {"  # c\n", "# c\n"},
  };
  for (auto& c : cases) {
    EXPECT_EQ(format_source(c.before), c.after) << c.before;
    EXPECT_EQ(format_source(c.after), c.after) << "formatting again changes: " << c.after;
  }
}

// A folder of its own, which is the working directory while it lives.
class FmtCommand : public testing::Test {
 protected:
  FmtCommand() : home_(fs::current_path()), dir_(fs::temp_directory_path() / ("drover-fmt-" + std::to_string(getpid()))) {
    fs::remove_all(dir_);
    fs::create_directories(dir_ / "sub");
    fs::current_path(dir_);
    write("a.hcl", "a=1\n");
    write("tidy.nomad", "a = 1\n");
    write("sub/b.hcl", "b=1\n");
    write("notes.txt", "b=1\n");
  }
  ~FmtCommand() override {
    fs::current_path(home_);
    fs::remove_all(dir_);
  }
  static void write(const std::string& name, const std::string& text) { std::ofstream(name) << text; }
  static std::string read(const std::string& name) {
    std::ifstream in(name);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
  }
  static FmtResult run(FmtOptions options, const std::string& input = "") {
    return run_fmt(options, [&] { return input; });
  }
  fs::path home_, dir_;
};

TEST_F(FmtCommand, RewritesAndListsTheFolder) {
  auto r = run({});
  EXPECT_EQ(r.out, "a.hcl\n");
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(read("a.hcl"), "a = 1\n");
  EXPECT_EQ(read("sub/b.hcl"), "b=1\n");
  EXPECT_EQ(read("notes.txt"), "b=1\n");
}

TEST_F(FmtCommand, GoesBelowWhenAsked) {
  FmtOptions options;
  options.recursive = true;
  EXPECT_EQ(run(options).out, "a.hcl\nsub/b.hcl\n");
  EXPECT_EQ(read("sub/b.hcl"), "b = 1\n");
}

TEST_F(FmtCommand, OnlyChecks) {
  FmtOptions options;
  options.check = true;
  auto r = run(options);
  EXPECT_EQ(r.out, "a.hcl\n");
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(read("a.hcl"), "a=1\n");
  options.paths = {"tidy.nomad"};
  EXPECT_EQ(run(options).exit_code, 0);
}

TEST_F(FmtCommand, FormatsStandardInput) {
  FmtOptions options;
  options.paths = {"-"};
  EXPECT_EQ(run(options, "x=1\n").out, "x = 1\n\n");
  EXPECT_EQ(run(options, "x=\n").err, "Error: Invalid expression\n\n  on <stdin> line 1:\n   1: x=\n\nExpected the start of an expression, but "
                                      "found an invalid expression token.\n\n");
}

TEST_F(FmtCommand, NamesWhatItCannotDo) {
  FmtOptions options;
  options.paths = {"notes.txt", "none", "a.hcl"};
  auto r = run(options);
  EXPECT_EQ(r.out, "a.hcl\n");
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.err, "2 errors occurred:\n\t* Only .nomad and .hcl files can be processed using nomad fmt\n\t* No file or directory at none\n\n\n"
                   "For additional help try 'nomad fmt -help'\n");
}

}  // namespace
}  // namespace drover::hcl
