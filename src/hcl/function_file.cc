// Functions that look at files.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/strings.h"
#include "hcl/function_impl.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace fs = std::filesystem;

namespace {

constexpr const char* kDisabled = "filesystem function disabled";
constexpr size_t kMaxMatches = 100'000;

// Lexically normal, "." for empty, no trailing slash.
std::string clean(const std::string& path) {
  if (path.empty()) return ".";
  auto out = fs::path(path).lexically_normal().string();
  while (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out.empty() ? "." : out;
}

std::expected<std::string, CallError> expand_home(const std::string& path, const FunctionHost& host) {
  if (!path.starts_with('~')) return path;
  if (path.size() > 1 && path[1] != '/') return call_error("cannot expand user-specific home dir");
  if (host.home.empty()) return call_error("failed to determine the home directory");
  return path.size() == 1 ? host.home : clean(host.home + path.substr(1));
}

std::expected<std::string, CallError> resolve(const std::string& path, const FunctionHost& host) {
  auto expanded = expand_home(path, host);
  if (!expanded) return expanded;
  if (expanded->starts_with('/') || host.base_dir.empty() || host.base_dir == ".") return clean(*expanded);
  return clean(host.base_dir + "/" + *expanded);
}

std::expected<std::string, CallError> read_bytes(const std::string& path, const FunctionHost& host) {
  auto full = resolve(path, host);
  if (!full) return full;
  std::error_code ec;
  auto status = fs::status(*full, ec);
  if (!fs::exists(status)) return call_error("no file exists at " + *full);
  // Devices and pipes never end.
  if (!fs::is_regular_file(status)) return call_error("failed to read " + *full);
  if (fs::file_size(*full, ec) > kMaxResult) return call_error(fmt::format("{} is too large", *full));
  std::ifstream in(*full, std::ios::binary);
  std::string out((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.good() && !in.eof()) return call_error("failed to read " + *full);
  return out;
}

CallResult file(Arguments a, const FunctionHost& host) {
  if (!host.allow_files) return call_error(kDisabled);
  auto bytes = read_bytes(a[0].as_string(), host);
  if (!bytes) return std::unexpected(bytes.error());
  if (!valid_utf8(*bytes)) {
    auto path = resolve(a[0].as_string(), host);
    return call_error(fmt::format("contents of {} are not valid UTF-8; use the filebase64 function to obtain the Base64 encoded "
                                  "contents or the other file functions (e.g. filemd5, filesha256) to obtain file hashing results instead",
                                  path ? *path : a[0].as_string()));
  }
  return text_value(std::move(*bytes));
}

CallResult file_base64(Arguments a, const FunctionHost& host) {
  if (!host.allow_files) return call_error(kDisabled);
  auto bytes = read_bytes(a[0].as_string(), host);
  if (!bytes) return std::unexpected(bytes.error());
  return text_value(base64_encode(*bytes));
}

CallResult file_exists(Arguments a, const FunctionHost& host) {
  if (!host.allow_files) return call_error(kDisabled);
  auto full = resolve(a[0].as_string(), host);
  if (!full) return std::unexpected(full.error());
  std::error_code ec;
  auto status = fs::status(*full, ec);
  if (status.type() == fs::file_type::not_found) return Value::boolean(false);
  if (ec) return call_error("failed to stat " + *full);
  if (!fs::is_regular_file(status)) return call_error(*full + " is not a regular file");
  return Value::boolean(true);
}

// `{a,b}` alternatives written out.
bool expand_braces(const std::string& pattern, std::vector<std::string>& out) {
  size_t open = pattern.find('{');
  if (open == std::string::npos) {
    out.push_back(pattern);
    return out.size() <= 1000;
  }
  int depth = 0;
  size_t start = open + 1;
  std::vector<std::string> choices;
  for (size_t i = open; i < pattern.size(); ++i) {
    char c = pattern[i];
    if (c == '{') ++depth;
    if (c == '}') --depth;
    if ((c == ',' && depth == 1) || depth == 0) {
      choices.push_back(pattern.substr(start, i - start));
      start = i + 1;
    }
    if (depth == 0) {
      for (auto& choice : choices) {
        if (!expand_braces(pattern.substr(0, open) + choice + pattern.substr(i + 1), out)) return false;
      }
      return true;
    }
  }
  return false;
}

// Matches one path segment: `*`, `?`, `[a-z]`, `[^a]`, backslash. -1: the pattern is faulty.
int match_segment(std::string_view p, std::string_view t) {
  size_t size = 1;
  while (!p.empty()) {
    if (p[0] == '*') {
      for (size_t i = 0;; i += size) {
        int m = match_segment(p.substr(1), t.substr(i));
        if (m != 0) return m;
        if (i >= t.size()) return 0;
        decode_utf8(t, i, size);
      }
    }
    if (p[0] == '[') {
      size_t i = 1;
      bool negate = i < p.size() && (p[i] == '^' || p[i] == '!');
      if (negate) ++i;
      size_t close = p.find(']', i + 1);
      if (close == std::string_view::npos || close == i) return -1;
      if (t.empty()) return 0;
      int32_t c = decode_utf8(t, 0, size);
      bool in = false;
      for (size_t n = 1; i < close;) {
        int32_t low = decode_utf8(p, i, n);
        i += n;
        int32_t high = low;
        if (i + 1 < close && p[i] == '-') {
          high = decode_utf8(p, i + 1, n);
          i += 1 + n;
        }
        in = in || (c >= low && c <= high);
      }
      if (in == negate) return 0;
      p.remove_prefix(close + 1);
      t.remove_prefix(size);
      continue;
    }
    if (p[0] == '\\' && p.size() > 1) p.remove_prefix(1);
    else if (p[0] == '?') {
      if (t.empty()) return 0;
      decode_utf8(t, 0, size);
      p.remove_prefix(1);
      t.remove_prefix(size);
      continue;
    }
    if (t.empty() || p[0] != t[0]) return 0;
    p.remove_prefix(1);
    t.remove_prefix(1);
  }
  return t.empty();
}

struct Glob {
  std::vector<std::string> found;
  bool too_many = false;

  void walk(const fs::path& dir, const std::string& prefix, const std::vector<std::string>& segments, size_t at, int depth) {
    if (too_many || depth > 64) return;
    if (segments[at] == "**" && at + 1 < segments.size()) walk(dir, prefix, segments, at + 1, depth + 1);
    std::error_code ec;
    for (fs::directory_iterator it(dir, ec), end; !ec && it != end; it.increment(ec)) {
      auto name = it->path().filename().string();
      std::error_code ignored;
      bool folder = it->is_directory(ignored);
      bool last = at + 1 == segments.size();
      if (segments[at] == "**") {
        if (folder && !it->is_symlink(ignored)) walk(it->path(), prefix + name + "/", segments, at, depth + 1);
        else if (last && it->is_regular_file(ignored)) add(prefix + name);
      } else if (match_segment(segments[at], name) == 1) {
        if (!last && folder) walk(it->path(), prefix + name + "/", segments, at + 1, depth + 1);
        else if (last && it->is_regular_file(ignored)) add(prefix + name);
      }
    }
  }
  void add(std::string path) {
    found.push_back(std::move(path));
    too_many = found.size() > kMaxMatches;
  }
};

CallResult file_set(Arguments a, const FunctionHost& host) {
  if (!host.allow_files) return call_error(kDisabled);
  auto dir = resolve(a[0].as_string(), host);
  if (!dir) return std::unexpected(dir.error());
  auto fault = [&](const char* why) {
    return call_error(fmt::format("failed to glob pattern ({}): {}", clean(*dir + "/" + a[1].as_string()), why));
  };
  std::vector<std::string> patterns;
  if (!expand_braces(a[1].as_string(), patterns)) return fault("syntax error in pattern");
  Glob glob;
  for (auto& pattern : patterns) {
    std::vector<std::string> segments;
    for (auto& s : split(pattern, '/')) {
      if (s.empty() || s == ".") continue;
      if (s != "**" && match_segment(s, "\x01") < 0) return fault("syntax error in pattern");
      segments.push_back(s);
    }
    if (!segments.empty()) glob.walk(*dir, "", segments, 0, 0);
  }
  if (glob.too_many) return fault("too many files");
  Value::Elements out;
  for (auto& f : glob.found) out.push_back(text_value(f));
  return Value::set(Type::string(), std::move(out));
}

CallResult absolute_path(Arguments a, const FunctionHost& host) {
  if (!host.allow_files) return call_error(kDisabled);
  std::error_code ec;
  auto full = fs::absolute(clean(a[0].as_string()), ec);
  if (ec) return call_error("failed to determine the working directory");
  return text_value(clean(full.string()));
}

CallResult base_name(Arguments a, const FunctionHost& host) {
  if (!host.allow_files) return call_error(kDisabled);
  std::string_view p = a[0].as_string();
  if (p.empty()) return text_value(".");
  while (p.size() > 1 && p.ends_with('/')) p.remove_suffix(1);
  if (p == "/") return text_value("/");
  return text_value(std::string(p.substr(p.rfind('/') + 1)));
}

CallResult dir_name(Arguments a, const FunctionHost& host) {
  if (!host.allow_files) return call_error(kDisabled);
  std::string_view p = a[0].as_string();
  return text_value(clean(std::string(p.substr(0, p.rfind('/') + 1))));
}

CallResult path_expand(Arguments a, const FunctionHost& host) {
  if (!host.allow_files) return call_error(kDisabled);
  auto out = expand_home(a[0].as_string(), host);
  if (!out) return std::unexpected(out.error());
  return text_value(std::move(*out));
}

}  // namespace

void add_file_functions(FunctionList& out) {
  Parameter path{"path", Type::string()};
  out.push_back({"file", {path}, {}, file});
  out.push_back({"filebase64", {path}, {}, file_base64});
  out.push_back({"fileexists", {path}, {}, file_exists});
  out.push_back({"fileset", {path, {"pattern", Type::string()}}, {}, file_set});
  out.push_back({"abspath", {path}, {}, absolute_path});
  out.push_back({"basename", {path}, {}, base_name});
  out.push_back({"dirname", {path}, {}, dir_name});
  out.push_back({"pathexpand", {path}, {}, path_expand});
}

}  // namespace drover::hcl
