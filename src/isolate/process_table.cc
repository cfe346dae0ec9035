#include "isolate/process_table.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "isolate/text.h"

namespace drover::isolate {
namespace {

bool is_number(const char* s) {
  if (!*s) return false;
  for (; *s; s++)
    if (*s < '0' || *s > '9') return false;
  return true;
}

struct Link {
  pid_t pid, parent;
};

struct Table {
  Link* links = nullptr;
  size_t size = 0, capacity = 0;
};

Table read_table() {
  Table table;
  (void)list_dir(
      "/proc",
      [](void* context, const char* name) {
        auto* t = static_cast<Table*>(context);
        ProcessUsage u;
        if (!is_number(name) || !read_process(static_cast<pid_t>(take_number(&name)), u)) return true;
        if (t->size == t->capacity) {
          size_t capacity = t->capacity ? t->capacity * 2 : 256;
          auto* grown = static_cast<Link*>(realloc(t->links, capacity * sizeof(Link)));
          if (!grown) return false;
          t->links = grown;
          t->capacity = capacity;
        }
        t->links[t->size++] = {u.pid, u.parent};
        return true;
      },
      &table);
  return table;
}

struct Found {
  pid_t* out;
  size_t capacity, count;
  void add(pid_t pid) {
    if (count < capacity) out[count] = pid;
    count++;
  }
};

void from_table(pid_t root, Found& found) {
  Table t = read_table();
  pid_t parent = root;
  // Breadth first: the list found so far is the queue.
  for (size_t at = 0;;) {
    for (size_t i = 0; i < t.size; i++)
      if (t.links[i].parent == parent) found.add(t.links[i].pid);
    if (at >= found.count || at >= found.capacity) break;
    parent = found.out[at++];
  }
  free(t.links);
}

// Children of all threads of `pid`.
void children_of(pid_t pid, Found& found) {
  struct Context {
    Path tasks;
    Found* found;
  } context;
  context.tasks.add("/proc/").add(static_cast<int>(pid)).add("/task");
  context.found = &found;
  (void)list_dir(
      context.tasks.c_str(),
      [](void* p, const char* tid) {
        auto* c = static_cast<Context*>(p);
        Path path;
        path.add(c->tasks.c_str()).add("/").add(tid).add("/children");
        char text[4096];
        if (read_file(path.c_str(), text, sizeof text) <= 0) return true;
        for (const char* at = text; uint64_t pid = take_number(&at);) c->found->add(static_cast<pid_t>(pid));
        return true;
      },
      &context);
}

bool kernel_lists_children() {
  Path path;
  path.add("/proc/self/task/").add(static_cast<int>(gettid())).add("/children");
  return access(path.c_str(), R_OK) == 0;
}

}  // namespace

bool read_process(pid_t pid, ProcessUsage& out) {
  Path path;
  path.add("/proc/").add(static_cast<int>(pid)).add("/stat");
  char text[1024];
  if (read_file(path.c_str(), text, sizeof text) <= 0) return false;
  // "pid (name) state ppid ...": the name may hold anything, its end is the last parenthesis.
  const char* at = strrchr(text, ')');
  if (!at || at[1] != ' ' || !at[2]) return false;
  at += 3;  // behind the state
  out.pid = pid;
  out.parent = static_cast<int32_t>(take_number(&at));
  // Fields 5 to 13 are of no use here; some are negative.
  for (int field = 5; field <= 13; field++) {
    while (*at == ' ') at++;
    while (*at && *at != ' ') at++;
  }
  uint64_t tick_ns = 1000000000ull / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  out.user_ns = take_number(&at) * tick_ns;    // 14
  out.system_ns = take_number(&at) * tick_ns;  // 15
  for (int field = 16; field <= 21; field++) {
    while (*at == ' ') at++;
    while (*at && *at != ' ') at++;
  }
  out.start_ticks = take_number(&at);  // 22
  return true;
}

bool read_usage(pid_t pid, ProcessUsage& out) {
  if (!read_process(pid, out)) return false;
  Path path;
  path.add("/proc/").add(static_cast<int>(pid)).add("/status");
  char text[4096];
  if (read_file(path.c_str(), text, sizeof text) <= 0) return false;
  const char* at = after(text, "\nVmRSS:");
  out.rss_bytes = at ? take_number(&at) * 1024 : 0;
  at = after(text, "\nVmSwap:");
  out.swap_bytes = at ? take_number(&at) * 1024 : 0;
  return true;
}

size_t descendants(pid_t root, pid_t* out, size_t capacity) {
  Found found{out, capacity, 0};
  if (!kernel_lists_children()) {
    from_table(root, found);
    return found.count;
  }
  children_of(root, found);
  for (size_t at = 0; at < found.count && at < capacity; at++) children_of(out[at], found);
  return found.count;
}

}  // namespace drover::isolate
