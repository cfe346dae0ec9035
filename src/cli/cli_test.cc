// Flags, formats, help texts and dispatch, without a server.
#include <gtest/gtest.h>

#include <set>

#include "cli/command.h"
#include "cli/format.h"
#include "cli/frames.h"
#include "cli/job_diff.h"

namespace drover::cli {
namespace {

struct Ran {
  int code;
  std::string out, err;
};

Ran run_words(std::vector<std::string> words, std::vector<std::string> env = {}) {
  Ran ran{};
  Io io;
  io.out = [&](std::string_view text) { ran.out += text; };
  io.err = [&](std::string_view text) { ran.err += text; };
  io.read_line = [] { return std::nullopt; };
  io.read_all = [] { return std::string(); };
  io.env = std::move(env);
  io.now = [] { return Time::from_unix_seconds(1684584000); };
  io.sleep = [](Duration) {};
  ran.code = run(words, io);
  return ran;
}

constexpr Flag kFlags[] = {{"b", FlagKind::kBool, "", "", ""}, {"n", FlagKind::kInt, "", "", "3"},
                           {"l", FlagKind::kList, "", "", ""}, {"bt", FlagKind::kBoolText, "", "", ""}};

Result<Args> parse(std::vector<std::string> words) {
  const std::span<const Flag> known[] = {kFlags};
  return Args::parse(known, words);
}

TEST(Flags, ReadsAsGoDoes) {
  auto a = parse({"-b", "--n=5", "-l", "x", "-l=y", "rest", "-b=false"});
  ASSERT_TRUE(a);
  EXPECT_TRUE(a->on("b"));
  EXPECT_EQ(a->number("n"), 5);
  EXPECT_EQ(a->list("l"), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(a->rest, (std::vector<std::string>{"rest", "-b=false"}));
  EXPECT_EQ(parse({"--", "-b"})->rest, std::vector<std::string>{"-b"});
  EXPECT_EQ(parse({})->number("n"), 3);
}

TEST(Flags, ComplainsInGosWords) {
  EXPECT_EQ(parse({"-x"}).error().message, "flag provided but not defined: -x");
  EXPECT_EQ(parse({"-n"}).error().message, "flag needs an argument: -n");
  EXPECT_EQ(parse({"-n", "a"}).error().message, "invalid value \"a\" for flag -n: parse error");
  EXPECT_EQ(parse({"-b=a"}).error().message, "invalid boolean value \"a\" for -b: parse error");
  EXPECT_EQ(parse({"-bt=a"}).error().message,
            "invalid value \"a\" for flag -bt: strconv.ParseBool: parsing \"a\": invalid syntax");
}

TEST(Format, AlignsColumns) {
  EXPECT_EQ(key_values({"ID|x", "Longer|"}), "ID     = x\nLonger = <none>");
  EXPECT_EQ(table({"A|B", "long| y "}), "A     B\nlong  y");
  EXPECT_EQ(plain_table({"A|B|C", "x||z"}), "A  B  C\nx     z");
}

TEST(Format, AgesKeepTwoUnits) {
  auto at = [](int64_t s) { return Time::from_unix_seconds(s); };
  EXPECT_EQ(age(at(1000), at(1000)), "0s ago");
  EXPECT_EQ(age(at(1000), at(1000 + 3723)), "1h2m ago");
  EXPECT_EQ(age(at(1000), at(1000 + 86401)), "1d1s ago");
  EXPECT_EQ(age(at(1000 + 61), at(1000)), "1m1s from now");
  EXPECT_EQ(age(Time{}, at(1)), "");
}

TEST(Format, OrdinalsAndThousands) {
  EXPECT_EQ(ordinal(1), "1st");
  EXPECT_EQ(ordinal(12), "12th");
  EXPECT_EQ(ordinal(23), "23rd");
  EXPECT_EQ(thousands(1234567.891), "1,234,567.89");
}

TEST(Frames, SplitsWhereverTheBytesAreCut) {
  std::string stream = R"({"Data":"a}{\""}{} {"File":"x"})";
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    FrameSplitter splitter;
    std::vector<std::string> found;
    auto take = [&](std::string_view o) {
      found.emplace_back(o);
      return true;
    };
    splitter.feed(std::string_view(stream).substr(0, cut), take);
    splitter.feed(std::string_view(stream).substr(cut), take);
    EXPECT_EQ(found, (std::vector<std::string>{R"({"Data":"a}{\""})", "{}", R"({"File":"x"})"})) << cut;
  }
}

TEST(Diff, AlignsMarkersOfSiblings) {
  JobDiff diff;
  diff.Type = "Edited";
  diff.ID = "j";
  TaskGroupDiff group;
  group.Type = "Edited";
  group.Name = "g";
  group.Fields = {FieldDiff{"Edited", "Count", "1", "2", {"forces create"}}};
  group.Tasks = {TaskDiff{"None", "t", {}, {}, {}}};
  group.Updates = {{"create", 1}};
  diff.TaskGroups = {group};
  EXPECT_EQ(diff_text(diff, false),
            "[light_yellow]+/-[reset] [bold]Job: \"j\"\n"
            "[light_yellow]+/-[reset] [bold]Task Group: \"g\"[reset] ([reset][green]1 create[reset])\n"
            "  [light_yellow]+/-[reset] Count: \"1\" => \"2\" ([green]forces create[reset])\n"
            "      [bold]Task: \"t\"\n");
}

TEST(Commands, EveryRowIsWhole) {
  std::set<std::string_view> names;
  for (auto& c : builtin_commands()) {
    EXPECT_TRUE(names.insert(c.name).second) << c.name << " is there twice";
    if (!c.alias_of.empty()) continue;
    EXPECT_FALSE(c.synopsis.empty()) << c.name;
    EXPECT_FALSE(c.about.empty()) << c.name;
    bool documented = false;
    for (auto& f : c.flags) documented |= !f.help.empty();
    if (documented) EXPECT_FALSE(c.options.empty()) << c.name;
  }
  for (auto& c : builtin_commands())
    if (!c.alias_of.empty()) EXPECT_TRUE(names.contains(c.alias_of)) << c.name;
}

TEST(Commands, EveryRowHasHelp) {
  for (auto& c : builtin_commands()) {
    std::vector<std::string> words;
    for (size_t at = 0; at <= c.name.size();) {
      auto end = std::min(c.name.find(' ', at), c.name.size());
      words.emplace_back(c.name.substr(at, end - at));
      at = end + 1;
    }
    words.emplace_back("-help");
    auto ran = run_words(words);
    EXPECT_EQ(ran.code, 0) << c.name;
    EXPECT_GT(ran.out.size(), 10u) << c.name;
  }
}

TEST(Dispatch, FollowsTheReference) {
  EXPECT_EQ(run_words({}).code, 127);
  EXPECT_EQ(run_words({"nope"}).code, 127);
  EXPECT_EQ(run_words({"job"}).code, 1);
  EXPECT_EQ(run_words({"job", "nope"}).code, 1);
  EXPECT_EQ(run_words({"-address=x", "status"}).code, 1);
  EXPECT_TRUE(run_words({"-version"}).out.starts_with("Nomad v"));
  EXPECT_EQ(run_words({"job", "plan"}).code, 255);
  EXPECT_EQ(run_words({"job", "run"}).err,
            "This command takes one argument: <path>\nFor additional help try 'nomad job run -help'\n");
}

// Most commands say what is wrong with a flag once, some once more in a way of their own.
TEST(Dispatch, BadFlagsAreToldAsEachCommandDoes) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"job", "status"}, ""},
      {{"agent-info"}, "Error parsing flags: flag provided but not defined: -nope\n"},
      {{"license", "get"}, "Error parsing flags: flag provided but not defined: -nope\n"},
      {{"operator", "api"}, "Error parsing flags: flag provided but not defined: -nope\n"},
      {{"operator", "raft", "list-peers"}, "Failed to parse args: flag provided but not defined: -nope\n"},
      {{"operator", "snapshot", "save"}, "Failed to parse args: flag provided but not defined: -nope\n"},
      {{"volume", "status"}, "Error parsing arguments flag provided but not defined: -nope\n"},
      {{"plugin", "status"}, "Error parsing arguments flag provided but not defined: -nope\n"},
      {{"var", "put"}, "For additional help try 'nomad var put -help'\n"},
  };
  for (auto& [words, more] : cases) {
    auto line = words;
    line.push_back("-nope");
    auto ran = run_words(line);
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(ran.err, "flag provided but not defined: -nope\n" + more);
    EXPECT_NE(ran.out.find("Usage"), std::string::npos);
  }
}

TEST(Dispatch, DeprecatedNamesSaySo) {
  EXPECT_TRUE(run_words({"server-members", "x"}).err.starts_with("WARNING! The \"nomad server-members\" command is deprecated."));
}

TEST(Completion, GivesWordsAndFlags) {
  EXPECT_EQ(run_words({"job"}, {"COMP_LINE=nomad job st"}).out, "status\nstop\n");
  EXPECT_EQ(run_words({"job"}, {"COMP_LINE=nomad job run -ch"}).out, "-check-index\n");
}

}  // namespace
}  // namespace drover::cli
