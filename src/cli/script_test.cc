// Commands against canned answers: testdata/*.script. A script is a list of steps:
//
//   answer GET /v1/jobs?prefix=web [STATUS] [Header: value]     the body is indented below
//   file NAME                                                    written to the working directory
//   cli [NAME=value ...] ARGS                                    what is below it is standard input
//   calls ARGS                                                   the same, and what was asked is compared too
//   => CODE                                                      output, then "=> stderr", then "=> asked"
//
// An answer serves requests with this method and URL (parameters in any order, decoded); "then" instead of "answer" adds
// one for the request after that, the last one is given from then on. All are forgotten at the line "forget". From the
// line "terminal" on, commands see one on both ends, without colours. The clock stands at 2023-05-20T12:00:00Z and moves by
// sleeping only. DROVER_REWRITE=1 writes what came out into the script.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/command.h"
#include "cli/files.h"
#include "net/http_server.h"
#include "net/network.h"
#include "net/real_world.h"
#include "net/url.h"

namespace drover::cli {
namespace {

struct Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

std::string decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// "GET /v1/jobs?a=b&c=d" with parameters in order of name.
std::string request_key(std::string_view method, std::string_view target) {
  auto question = target.find('?');
  std::vector<std::string> parts;
  if (question != target.npos)
    for (auto& part : split(target.substr(question + 1), '&')) parts.push_back(decoded(part));
  std::sort(parts.begin(), parts.end());
  auto key = std::string(method) + " " + std::string(target.substr(0, question));
  return parts.empty() ? key : key + "?" + join(parts, "&");
}

// A server on loopback, on a thread of its own.
class CannedServer {
 public:
  CannedServer() : thread_([this] { serve(); }) {
    std::unique_lock lock(mutex_);
    started_.wait(lock, [&] { return !address_.empty(); });
  }
  ~CannedServer() {
    loop_->stop();
    thread_.join();
  }
  const std::string& address() const { return address_; }
  void add(const std::string& key, Answer answer, bool first) {
    std::lock_guard lock(mutex_);
    if (first) answers_[key].clear();
    answers_[key].push_back(std::move(answer));
  }
  void forget() {
    std::lock_guard lock(mutex_);
    answers_.clear();
  }
  std::vector<std::string> take_asked() {
    std::lock_guard lock(mutex_);
    return std::exchange(asked_, {});
  }

 private:
  void serve() {
    net::RealWorld real(1);
    net::RealNetwork network(real.loop, &real.pool);
    net::HttpServer server(real.world, {}, [this](net::HttpRequest& r, net::HttpExchange& x) { return respond(r, x); });
    auto listener = network.listen(net::Address::tcp("127.0.0.1", 0));
    if (!listener) abort();
    {
      std::lock_guard lock(mutex_);
      loop_ = &real.loop;
      address_ = (*listener)->address().str();
    }
    server.add_listener(std::move(*listener));
    started_.notify_all();
    real.loop.run();
  }
  Async<void> respond(net::HttpRequest& r, net::HttpExchange& x) {
    auto body = co_await x.read_body(1 << 20);
    auto answer = choose(request_key(r.method, r.target), body ? *body : "");
    for (auto& [name, value] : answer.headers) x.headers().set(name, value);
    (void)co_await x.respond(answer.status, std::move(answer.body));
  }
  Answer choose(const std::string& key, const std::string& body) {
    std::lock_guard lock(mutex_);
    asked_.push_back(key + (body.empty() ? "" : " " + body));
    auto it = answers_.find(key);
    if (it == answers_.end()) return {404, {}, "no answer for " + key};
    auto answer = it->second.front();
    if (it->second.size() > 1) it->second.pop_front();
    return answer;
  }

  std::mutex mutex_;
  std::condition_variable started_;
  std::string address_;
  net::AsioLoop* loop_ = nullptr;
  std::map<std::string, std::deque<Answer>> answers_;
  std::vector<std::string> asked_;
  std::thread thread_;
};

// Words as a shell has them: spaces part them, quotes of both kinds keep them together.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> out;
  std::string word;
  char quote = 0;
  bool any = false;
  for (char c : line) {
    if (quote) {
      if (c == quote) quote = 0;
      else word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      any = true;
    } else if (c == ' ') {
      if (any || !word.empty()) out.push_back(std::exchange(word, {}));
      any = false;
    } else {
      word += c;
    }
  }
  if (any || !word.empty()) out.push_back(word);
  return out;
}

struct Step {
  std::string line;
  std::vector<std::string> block;     // indented lines below, without their indent
  std::vector<std::string> expected;  // from "=>" on, as they stand
};

bool is_blank(const std::string& line) { return trim_space(line).empty(); }

// Comments and blank lines between steps are kept with the step before them.
class Script {
 public:
  explicit Script(const std::string& path) : path_(path) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) lines_.push_back(line);
  }

  template <class Fn>
  void each(Fn fn) {
    std::vector<std::string> out;
    for (size_t i = 0; i < lines_.size();) {
      if (is_blank(lines_[i]) || lines_[i][0] == '#') {
        out.push_back(lines_[i++]);
        continue;
      }
      Step step{lines_[i], {}, {}};
      out.push_back(lines_[i++]);
      while (i < lines_.size() && (lines_[i].starts_with("    ") || (is_blank(lines_[i]) && within_block(i)))) {
        step.block.push_back(is_blank(lines_[i]) ? "" : lines_[i].substr(4));
        out.push_back(lines_[i++]);
      }
      while (i < lines_.size() &&
             (lines_[i].starts_with("=>") || (!step.expected.empty() && (lines_[i].starts_with("    ") || (is_blank(lines_[i]) && within_block(i))))))
        step.expected.push_back(lines_[i++]);
      auto came = fn(step);
      out.insert(out.end(), came.begin(), came.end());
    }
    if (!std::getenv("DROVER_REWRITE")) return;
    std::ofstream file(path_);
    for (auto& line : out) file << line << '\n';
  }

 private:
  // Whether the block goes on behind the blank lines at `i`.
  bool within_block(size_t i) const {
    while (i < lines_.size() && is_blank(lines_[i])) ++i;
    return i < lines_.size() && lines_[i].starts_with("    ");
  }
  std::string path_;
  std::vector<std::string> lines_;
};

class ScriptRun {
 public:
  explicit ScriptRun(const std::string& path) : script_(path) {
    char dir[] = "/tmp/cli-script-XXXXXX";
    dir_ = ::mkdtemp(dir);
    old_dir_ = working_directory();
    if (::chdir(dir_.c_str()) != 0) abort();
  }
  ~ScriptRun() {
    if (::chdir(old_dir_.c_str()) != 0) abort();
    (void)!::system(("rm -rf '" + dir_ + "'").c_str());
  }

  void go() {
    script_.each([&](const Step& step) {
      auto space = step.line.find(' ');
      auto word = step.line.substr(0, space), rest = space == step.line.npos ? "" : step.line.substr(space + 1);
      std::vector<std::string> came;
      if (word == "answer" || word == "then") answer(rest, step.block, word == "answer");
      else if (word == "file") (void)write_file(rest, join(step.block, "\n") + "\n", 0600);
      else if (word == "forget") server_.forget();
      else if (word == "terminal") terminal_ = true;
      else if (word == "cli" || word == "calls") came = command(rest, step.block, word == "calls");
      else ADD_FAILURE() << "unknown step: " << step.line;
      if (!std::getenv("DROVER_REWRITE") && (word == "cli" || word == "calls"))
        EXPECT_EQ(join(step.expected, "\n"), join(came, "\n")) << step.line;
      return came;
    });
  }

 private:
  void answer(const std::string& line, const std::vector<std::string>& block, bool first) {
    auto words = words_of(line);
    ASSERT_GE(words.size(), 2u) << line;
    Answer a;
    size_t i = 2;
    if (i < words.size() && parse_int(words[i])) a.status = static_cast<int>(*parse_int(words[i++]));
    for (; i + 1 < words.size(); i += 2) a.headers.emplace_back(words[i].substr(0, words[i].size() - 1), words[i + 1]);
    a.body = join(block, "\n");
    server_.add(request_key(words[0], words[1]), std::move(a), first);
  }

  std::string settled(std::string text) const {
    text = replace_all(std::move(text), server_.address(), "<addr>");
    return replace_all(std::move(text), dir_, "<dir>");
  }
  void show(std::vector<std::string>& to, std::string text) const {
    text = settled(std::move(text));
    if (text.ends_with('\n')) text.pop_back();
    for (auto& line : split(text, '\n')) to.push_back(line.empty() ? "" : "    " + std::string(line));
    while (!to.empty() && to.back().empty()) to.pop_back();
  }

  std::vector<std::string> command(const std::string& line, const std::vector<std::string>& input, bool with_calls) {
    auto words = words_of(line);
    std::string out, err;
    size_t at = 0;
    Io io;
    io.env = {"NOMAD_ADDR=http://" + server_.address()};
    while (!words.empty() && words[0].find('=') != std::string::npos && !words[0].starts_with('-')) {
      io.env.push_back(words[0]);
      words.erase(words.begin());
    }
    io.out = [&](std::string_view text) { out += text; };
    io.err = [&](std::string_view text) { err += text; };
    io.read_line = [&]() -> std::optional<std::string> {
      return at < input.size() ? std::optional(input[at++]) : std::nullopt;
    };
    io.read_all = [&] { return input.empty() ? std::string() : join(input, "\n") + "\n"; };
    io.now = [&] { return now_; };
    io.sleep = [&](Duration d) { now_ = now_ + d; };
    io.stdin_tty = io.stdout_tty = terminal_;
    io.stdin_piped = !terminal_;
    if (terminal_) io.env.emplace_back("NOMAD_CLI_NO_COLOR=1");
    (void)server_.take_asked();
    int code = run(words, io);
    std::vector<std::string> came{fmt::format("=> {}", code)};
    if (!out.empty()) show(came, out);
    if (!err.empty()) {
      came.emplace_back("=> stderr");
      show(came, err);
    }
    if (with_calls) {
      came.emplace_back("=> asked");
      for (auto& asked : server_.take_asked()) show(came, asked);
    }
    return came;
  }

  bool terminal_ = false;
  Script script_;
  CannedServer server_;
  std::string dir_, old_dir_;
  Time now_ = Time::from_unix_seconds(1684584000);
};

class Scripts : public testing::TestWithParam<std::string> {};

TEST_P(Scripts, AnswersAsWritten) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  ScriptRun(std::string(TESTDATA) + "/" + GetParam() + ".script").go();
}

INSTANTIATE_TEST_SUITE_P(Cli, Scripts,
                         testing::Values("search_status", "acl", "acl_auth", "variables", "scaling", "keyring", "csi", "services", "dispatch", "plan", "job_monitor", "job_status", "eval", "deployments", "node", "operator", "debug", "alloc", "job_restart"),
                         [](auto& info) { return info.param; });

}  // namespace
}  // namespace drover::cli
