#include "client/alloc_fs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "base/strings.h"
#include "client/alloc_fs_internal.h"

namespace drover::client {

namespace fs_detail {

Error go_errno(std::string_view op, const std::string& path, int err) {
  auto text = to_lower(std::strerror(err));
  return {err == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, std::string(op) + " " + path + ": " + text};
}

Error escapes() { return internal("Path escapes the alloc directory"); }

Result<std::string> relative_path(const AllocFiles& files, std::string_view path) {
  // A path that climbs above the directory is refused, not clamped.
  int depth = 0;
  for (auto& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    depth += part == ".." ? -1 : 1;
    if (depth < 0) return escapes();
  }
  auto clean = clean_join("", path);
  return clean.empty() ? std::string(".") : clean;
}

bool is_secret(const AllocFiles& files, std::string_view relative) {
  for (auto& [task, facts] : files.tasks) {
    auto dir = task + "/secrets";
    if (relative == dir || relative.starts_with(dir + "/")) return true;
  }
  return false;
}

namespace {

int open_beneath(int root, const std::string& relative, int flags) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, root, relative.c_str(), &how, sizeof how));
}

}  // namespace

Result<Handle> open_in(const AllocFiles& files, std::string_view path, int flags, std::string_view op) {
  DROVER_TRY(auto relative, relative_path(files, path));
  auto shown = clean_join(files.paths.root, relative);
  Handle root(::open(files.paths.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root.fd() < 0) return go_errno(op, shown, errno);
  int fd = open_beneath(root.fd(), relative, flags);
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {  // an older kernel, or one that forbids the call
    if (!stays_within(files.paths.root, shown)) return escapes();
    fd = ::openat(root.fd(), relative.c_str(), flags | O_CLOEXEC | O_NOFOLLOW);
  }
  if (fd < 0) return errno == EXDEV || errno == ELOOP ? escapes() : go_errno(op, shown, errno);
  return Handle(fd);
}

std::string path_within(const AllocFiles& files, const Handle& handle) {
  char target[PATH_MAX], root[PATH_MAX];
  auto link = "/proc/self/fd/" + std::to_string(handle.fd());
  ssize_t n = ::readlink(link.c_str(), target, sizeof target);
  if (n <= 0 || !::realpath(files.paths.root.c_str(), root)) return "";
  std::string_view real(target, static_cast<size_t>(n)), base(root);
  return real.starts_with(base) && real.size() > base.size() ? std::string(real.substr(base.size() + 1)) : "";
}

Result<Handle> open_for_reading(const AllocFiles& files, const std::string& path) {
  DROVER_TRY(auto relative, relative_path(files, path));
  auto secret = [&] { return invalid("Reading secret file prohibited: " + path); };
  // Whether a secret is there is none: its folder may be listed.
  bool hidden = is_secret(files, relative);
  auto opened = open_in(files, path, hidden ? O_PATH : O_RDONLY | O_NONBLOCK);
  if (hidden && opened) return secret();
  if (!opened) {
    auto code = opened.error().code;  // a file that cannot be looked at is the asker's mistake
    bool theirs = code == ErrorCode::kNotFound || code == ErrorCode::kIo;
    return Error(theirs ? ErrorCode::kInvalid : code, opened.error().message);
  }
  if (is_secret(files, path_within(files, *opened))) return secret();
  struct stat st;
  if (::fstat(opened->fd(), &st) != 0) return go_errno("stat", path, errno);
  if (S_ISDIR(st.st_mode)) return invalid("file " + go_quote(path) + " is a directory");
  if (!S_ISREG(st.st_mode)) return invalid("file " + go_quote(path) + " is not a regular file");
  return opened;
}

}  // namespace fs_detail

using namespace fs_detail;

std::string file_mode_text(unsigned mode) {
  std::string out;
  if (S_ISDIR(mode)) out += 'd';
  if (S_ISLNK(mode)) out += 'L';
  if (S_ISBLK(mode) || S_ISCHR(mode)) out += 'D';
  if (S_ISFIFO(mode)) out += 'p';
  if (S_ISSOCK(mode)) out += 'S';
  if (mode & S_ISUID) out += 'u';
  if (mode & S_ISGID) out += 'g';
  if (S_ISCHR(mode)) out += 'c';
  if (mode & S_ISVTX) out += 't';
  if (out.empty()) out += '-';
  constexpr std::string_view kBits = "rwxrwxrwx";
  for (unsigned i = 0; i < 9; ++i) out += mode & (1u << (8 - i)) ? kBits[i] : '-';
  return out;
}

namespace {

AllocFileInfo info_of(std::string name, const struct stat& st) {
  AllocFileInfo out;
  out.Name = std::move(name);
  out.IsDir = S_ISDIR(st.st_mode);
  out.Size = st.st_size;
  out.FileMode = file_mode_text(st.st_mode);
  out.ModTime = Time::from_unix_nanos(st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec);
  return out;
}

Result<List<AllocFileInfo>> list_now(const AllocFiles& files, const std::string& path) {
  DROVER_TRY(auto dir, open_in(files, path, O_RDONLY | O_DIRECTORY, "open"));
  DROVER_TRY(auto names, dir_names(dir));
  List<AllocFileInfo> out = List<AllocFileInfo>::empty_list();
  for (auto& name : names) {
    struct stat st;
    if (::fstatat(dir.fd(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) out.push_back(info_of(name, st));
  }
  return out;
}

Result<AllocFileInfo> stat_now(const AllocFiles& files, const std::string& path) {
  DROVER_TRY(auto file, open_in(files, path, O_PATH));
  struct stat st;
  if (::fstat(file.fd(), &st) != 0) return go_errno("stat", path, errno);
  DROVER_TRY(auto relative, relative_path(files, path));
  auto name = relative == "." ? files.paths.root.substr(files.paths.root.rfind('/') + 1)
                              : relative.substr(relative.rfind('/') + 1);
  auto out = info_of(name, st);
  // What nobody can read has this type too: folders, empty files, secrets.
  out.ContentType = "application/octet-stream";
  if (out.IsDir || !S_ISREG(st.st_mode)) return out;
  if (name.ends_with(".json")) {
    out.ContentType = "application/json";
  } else if (!is_secret(files, relative) && !is_secret(files, path_within(files, file))) {
    auto reading = open_in(files, path, O_RDONLY | O_NONBLOCK);
    char head[512];
    ssize_t n = reading ? ::pread(reading->fd(), head, sizeof head, 0) : -1;
    if (n > 0) out.ContentType = sniff_content_type(std::string_view(head, static_cast<size_t>(n)));
  }
  return out;
}

}  // namespace

namespace fs_detail {

Result<std::vector<std::string>> dir_names(const Handle& dir) {
  std::vector<std::string> out;
  int copy = ::openat(dir.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* stream = copy < 0 ? nullptr : ::fdopendir(copy);
  if (!stream) {
    int err = errno;
    if (copy >= 0) ::close(copy);
    return go_errno("readdir", "", err);
  }
  while (auto* entry = ::readdir(stream))
    if (std::string_view name = entry->d_name; name != "." && name != "..") out.emplace_back(name);
  ::closedir(stream);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace fs_detail

Async<Result<List<AllocFileInfo>>> list_files(World& world, AllocFiles files, std::string path) {
  co_return co_await on_pool(world, [files = std::move(files), path = std::move(path)] { return list_now(files, path); });
}

Async<Result<AllocFileInfo>> stat_file(World& world, AllocFiles files, std::string path) {
  co_return co_await on_pool(world, [files = std::move(files), path = std::move(path)] { return stat_now(files, path); });
}

Async<Result<std::string>> read_file(World& world, AllocFiles files, std::string path, int64_t offset, int64_t limit) {
  auto reader = stream_file(world, std::move(files), {std::move(path), offset, FileOrigin::kStart, limit, false});
  std::string out;
  for (;;) {
    auto frame = co_await reader->next();
    if (!frame) co_return frame.error();
    if (!*frame) co_return out;
    out += (*frame)->Data.data;
  }
}

Result<FileOrigin> parse_origin(std::string_view text) {
  if (text.empty() || text == "start") return FileOrigin::kStart;
  if (text == "end") return FileOrigin::kEnd;
  return invalid("origin must be start or end");
}

// ---- Content types

namespace {

struct Magic {
  std::string_view bytes;
  std::string_view type;
  size_t at = 0;
};
using namespace std::string_view_literals;
constexpr Magic kMagics[] = {
    {"%PDF-"sv, "application/pdf"},
    {"%!PS-Adobe-"sv, "application/postscript"},
    {"\xFE\xFF"sv, "text/plain; charset=utf-16be"},
    {"\xFF\xFE"sv, "text/plain; charset=utf-16le"},
    {"\xEF\xBB\xBF"sv, "text/plain; charset=utf-8"},
    {"\x00\x00\x01\x00"sv, "image/x-icon"},
    {"BM"sv, "image/bmp"},
    {"GIF87a"sv, "image/gif"},
    {"GIF89a"sv, "image/gif"},
    {"WEBPVP"sv, "image/webp", 8},
    {"\x89PNG\x0D\x0A\x1A\x0A"sv, "image/png"},
    {"\xFF\xD8\xFF"sv, "image/jpeg"},
    {"ID3"sv, "audio/mpeg"},
    {"OggS\x00"sv, "application/ogg"},
    {"\x1A\x45\xDF\xA3"sv, "video/webm"},
    {"PK\x03\x04"sv, "application/zip"},
    {"Rar!\x1A\x07\x00"sv, "application/x-rar-compressed"},
    {"Rar!\x1A\x07\x01\x00"sv, "application/x-rar-compressed"},
    {"\x1F\x8B\x08"sv, "application/x-gzip"},
    {"\x00\x61\x73\x6D"sv, "application/wasm"},
};
constexpr std::string_view kHtmlTags[] = {"<!DOCTYPE HTML", "<HTML", "<HEAD", "<SCRIPT", "<IFRAME", "<H1", "<DIV", "<FONT",
                                          "<TABLE", "<A", "<STYLE", "<TITLE", "<B", "<BODY", "<BR", "<P", "<!--"};

bool is_html(std::string_view text) {
  auto upper = to_upper(text.substr(0, 32));
  for (auto tag : kHtmlTags)
    if (upper.starts_with(tag) && (tag == "<!--" || (text.size() > tag.size() && (text[tag.size()] == ' ' || text[tag.size()] == '>'))))
      return true;
  return false;
}

}  // namespace

std::string sniff_content_type(std::string_view head) {
  head = head.substr(0, 512);
  auto text = head.substr(std::min(head.size(), head.find_first_not_of("\t\n\x0C\r ")));
  if (is_html(text)) return "text/html; charset=utf-8";
  if (text.starts_with("<?xml")) return "text/xml; charset=utf-8";
  for (auto& magic : kMagics)
    if (head.size() >= magic.at && head.substr(magic.at).starts_with(magic.bytes)) return std::string(magic.type);
  auto binary = [](char c) {
    auto b = static_cast<unsigned char>(c);
    return b <= 0x08 || b == 0x0B || (b >= 0x0E && b <= 0x1A) || (b >= 0x1C && b <= 0x1F);
  };
  return std::any_of(head.begin(), head.end(), binary) ? "application/octet-stream" : "text/plain; charset=utf-8";
}

}  // namespace drover::client
