#include "shim/log_writer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "isolate/text.h"

namespace drover::shim {

using isolate::Fault;
using isolate::fault;

namespace {
using FileName = isolate::Text<288>;

FileName file_name(const char* name, uint64_t index) {
  FileName f;
  f.add(name).add(".").add(index);
  return f;
}

// The task may write to the log directory too: an index beyond this is none of ours.
constexpr uint64_t kMaxIndex = 1'000'000'000'000;

// True when `entry` is "<name>.<index>".
bool parse_index(const char* name, const char* entry, uint64_t& index) {
  size_t n = strlen(name);
  if (strncmp(entry, name, n) || entry[n] != '.') return false;
  const char* at = entry + n + 1;
  if (*at < '0' || *at > '9' || strlen(at) > 12) return false;
  index = isolate::take_number(&at);
  return *at == 0 && index < kMaxIndex;
}

struct Scan {
  const char* name;
  uint64_t highest = 0;
};

struct Purge {
  const char* name;
  int dirfd;
  uint64_t first_kept;
};
}  // namespace

Fault LogWriter::open(const char* dir, const char* name, uint32_t max_files, uint64_t max_bytes) {
  name_ = name;
  max_files_ = max_files;
  at_.max = max_bytes;
  dirfd_ = ::open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dirfd_ < 0) return fault("open log directory");
  Scan scan{name};
  Fault f = isolate::list_dir(
      dirfd_,
      [](void* context, const char* entry) {
        auto* s = static_cast<Scan*>(context);
        uint64_t index;
        if (parse_index(s->name, entry, index) && index > s->highest) s->highest = index;
        return true;
      },
      &scan);
  if (f) return f;
  index_ = scan.highest;
  f = open_file();
  if (!f) purge();
  return f;
}

Fault LogWriter::open_file() {
  FileName f = file_name(name_, index_);
  if (f.overflow()) return {ENAMETOOLONG, "open log file"};
  // O_NOFOLLOW: the log directory is writable by the task, the shim may be root.
  fd_ = openat(dirfd_, f.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
  if (fd_ < 0) return fault("open log file");
  struct stat st;
  if (fstat(fd_, &st) != 0 || !S_ISREG(st.st_mode)) {
    ::close(fd_);
    fd_ = -1;
    return {EINVAL, "open log file"};
  }
  (void)fchmod(fd_, 0644);  // whatever the umask
  at_.size = static_cast<uint64_t>(st.st_size);
  at_.at_line_start = true;
  return {};
}

void LogWriter::rotate() {
  int old = fd_;
  uint64_t old_index = index_;
  index_++;
  if (open_file()) {  // a full disk may refuse new files: stay, and count what is lost
    fd_ = old;
    index_ = old_index;
    return;
  }
  if (old >= 0) ::close(old);
  purge();
}

void LogWriter::purge() {
  if (index_ < max_files_) return;
  Purge purge{name_, dirfd_, index_ - max_files_ + 1};
  (void)isolate::list_dir(
      dirfd_,
      [](void* context, const char* entry) {
        auto* p = static_cast<Purge*>(context);
        uint64_t index;
        if (parse_index(p->name, entry, index) && index < p->first_kept) (void)unlinkat(p->dirfd, entry, 0);
        return true;
      },
      &purge);
}

size_t LogWriter::append(const char* data, size_t size) {
  size_t done = 0;
  while (done < size) {
    ssize_t n = ::write(fd_, data + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  if (done > 0) at_.at_line_start = data[done - 1] == '\n';
  at_.size += done;
  return done;
}

void LogWriter::write(const char* data, size_t size) {
  if (dirfd_ < 0) return;
  while (size > 0) {
    if (fd_ < 0 && open_file()) break;
    WritePlan plan = plan_write(at_, data, size);
    if (plan.bytes > 0) {
      size_t done = append(data, plan.bytes);
      data += done;
      size -= done;
      if (done < plan.bytes) break;
    }
    if (plan.rotate && size > 0) {
      uint64_t before = index_;
      rotate();
      if (index_ == before) break;
    }
  }
  lost_ += size;
}

void LogWriter::close() {
  if (fd_ >= 0) ::close(fd_);
  if (dirfd_ >= 0) ::close(dirfd_);
  fd_ = dirfd_ = -1;
}

}  // namespace drover::shim
