#include "cli/bundle.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>

#include "base/strings.h"
#include "base/unique_fd.h"
#include "cli/files.h"
#include "codec/json.h"
#include "net/compress.h"

namespace drover::cli {
namespace {

constexpr size_t kTarBlock = 512;

Status make_dirs(const std::string& path) {
  for (size_t at = 1; at <= path.size(); ++at) {
    if (at < path.size() && path[at] != '/') continue;
    auto part = path.substr(0, at);
    if (::mkdir(part.c_str(), 0755) != 0 && errno != EEXIST) return internal("mkdir " + part + ": " + errno_text(errno));
  }
  return {};
}

std::string parent_of(const std::string& path) {
  auto slash = path.rfind('/');
  return slash == path.npos ? "." : path.substr(0, slash);
}

Status append_to(const std::string& path, std::string_view text) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd) return internal("open " + path + ": " + errno_text(errno));
  while (!text.empty()) {
    auto n = ::write(fd.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return internal("write " + path + ": " + errno_text(errno));
    text.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

// A header of the "ustar" form. Names beyond its 100 + 155 bytes do not fit.
Result<std::string> tar_header(const std::string& name, size_t size, Time now) {
  std::string h(kTarBlock, '\0');
  auto put = [&](size_t at, std::string_view text) { h.replace(at, text.size(), text); };
  std::string_view base = name, prefix;
  if (name.size() > 100) {
    auto cut = name.rfind('/', 155);
    if (cut == name.npos || name.size() - cut - 1 > 100) return internal("the name is too long for an archive: " + name);
    prefix = base.substr(0, cut);
    base = base.substr(cut + 1);
  }
  put(0, base);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", size));
  put(136, fmt::format("{:011o}", now.unix_seconds()));
  put(148, "        ");
  put(156, "0");
  put(257, std::string_view("ustar\0" "00", 8));
  put(345, prefix);
  unsigned sum = 0;
  for (unsigned char c : h) sum += c;
  put(148, fmt::format("{:06o}", sum));
  h[154] = '\0';
  return h;
}

}  // namespace

std::string clean_file_name(std::string_view name) {
  constexpr std::string_view kIllegal = "`~!@#$%^&*()+=[]{}|\\:;\"'<>,?/ \t\r\n";
  std::string out(name);
  for (char& c : out)
    if (kIllegal.find(c) != kIllegal.npos) c = '_';
  return out;
}

Result<std::unique_ptr<Bundle>> Bundle::create(std::string parent, std::string name) {
  auto dir = parent + "/" + name;
  DROVER_CHECK(make_dirs(parent));
  if (::mkdir(dir.c_str(), 0755) != 0)
    return internal(errno == EEXIST ? "output directory already exists: " + dir : "mkdir " + dir + ": " + errno_text(errno));
  return std::unique_ptr<Bundle>(new Bundle(std::move(dir), std::move(name)));
}

Status Bundle::note(const std::string& path) {
  DROVER_CHECK(make_dirs(parent_of(dir_ + "/" + path)));
  if (std::find(files_.begin(), files_.end(), path) == files_.end()) files_.push_back(path);
  return {};
}

Status Bundle::add(const std::string& path, std::string_view content) {
  std::lock_guard lock(mutex_);
  DROVER_CHECK(note(path));
  return write_file(dir_ + "/" + path, content, 0644);
}

Status Bundle::append(const std::string& path, std::string_view content) {
  std::lock_guard lock(mutex_);
  DROVER_CHECK(note(path));
  return append_to(dir_ + "/" + path, content);
}

Status Bundle::write_index() {
  std::string json, html = "<html><body>\n<ul>\n";
  {
    std::lock_guard lock(mutex_);
    auto files = files_;
    std::sort(files.begin(), files.end());
    for (auto& file : files) {
      json += json.empty() ? "[" : ",";
      json_quote(file, json);
      auto shown = replace_all(replace_all(file, "&", "&amp;"), "<", "&lt;");
      html += fmt::format("<li><a href=\"{0}\">{0}</a></li>\n", replace_all(shown, "\"", "&quot;"));
    }
  }
  DROVER_CHECK(add("index.json", json.empty() ? "[]" : json + "]"));
  return add("index.html", html + "</ul>\n</body></html>\n");
}

Status Bundle::write_archive(const std::string& file, Time now) const {
  std::lock_guard lock(mutex_);
  UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd) return internal("open " + file + ": " + errno_text(errno));
  net::Compressor zip(net::Encoding::kGzip);
  auto put = [&](std::string_view bytes) { return append_to(file, zip.write(bytes)); };
  for (auto& path : files_) {
    DROVER_TRY(auto content, read_file(dir_ + "/" + path));
    DROVER_TRY(auto header, tar_header(name_ + "/" + path, content.size(), now));
    content.append((kTarBlock - content.size() % kTarBlock) % kTarBlock, '\0');
    DROVER_CHECK(put(header));
    DROVER_CHECK(put(content));
  }
  DROVER_CHECK(put(std::string(2 * kTarBlock, '\0')));
  return append_to(file, zip.finish());
}

void Bundle::remove() const {
  std::lock_guard lock(mutex_);
  std::set<std::string, std::greater<>> dirs{dir_};  // deepest first
  for (auto& path : files_) {
    auto file = dir_ + "/" + path;
    ::unlink(file.c_str());
    for (auto d = parent_of(file); d.size() > dir_.size(); d = parent_of(d)) dirs.insert(d);
  }
  for (auto& d : dirs) ::rmdir(d.c_str());
}

}  // namespace drover::cli
