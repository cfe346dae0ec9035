#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "isolate/cgroup.h"
#include "isolate/credentials.h"
#include "isolate/namespaces.h"
#include "isolate/process_table.h"

namespace drover::isolate {
namespace {

TEST(Text, StopsAtItsSize) {
  Text<8> t;
  t.add("ab").add(-12).add(uint64_t{7});
  EXPECT_STREQ(t.c_str(), "ab-127");
  EXPECT_FALSE(t.overflow());
  t.add("xyz");
  EXPECT_STREQ(t.c_str(), "ab-127x");
  EXPECT_TRUE(t.overflow());
  Text<24> low;
  low.add(INT64_MIN);
  EXPECT_STREQ(low.c_str(), "-9223372036854775808");
}

TEST(ProcessTable, KnowsItself) {
  ProcessUsage u;
  ASSERT_TRUE(read_usage(getpid(), u));
  EXPECT_EQ(u.parent, getppid());
  EXPECT_GT(u.rss_bytes, 100u << 10);
  EXPECT_GT(u.start_ticks, 0u);
  EXPECT_FALSE(read_process(0x3ffffff, u));
}

// A child that waits in a pipe, with a child of its own.
class Family {
 public:
  explicit Family(const char* cgroup = nullptr) {
    int ready[2];
    EXPECT_EQ(pipe(ready), 0);
    child = fork();
    if (child == 0) {
      if (cgroup && join_cgroup(cgroup, 0)) _exit(1);
      setpgid(0, 0);
      pid_t pid = fork();
      if (pid == 0) {
        setsid();
        for (;;) pause();
      }
      (void)!write(ready[1], &pid, sizeof pid);
      for (;;) pause();
    }
    EXPECT_EQ(read(ready[0], &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
    close(ready[0]);
    close(ready[1]);
  }
  ~Family() {
    kill(grandchild, SIGKILL);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  pid_t child = -1, grandchild = -1;
};

TEST(ProcessTable, FindsDescendants) {
  Family f;
  pid_t pids[64];
  size_t n = descendants(getpid(), pids, 64);
  std::vector<pid_t> found(pids, pids + n);
  EXPECT_EQ(found, (std::vector<pid_t>{f.child, f.grandchild}));
  EXPECT_EQ(descendants(f.child, pids, 64), 1u);
  EXPECT_EQ(descendants(getpid(), pids, 1), 2u) << "tells how many there are, whatever fits";
}

struct Hierarchy {
  const char* name;
  CgroupKind kind;
  const char* controller;
};

class Cgroup : public testing::TestWithParam<Hierarchy> {};

TEST_P(Cgroup, ContainsAndKillsAll) {
  Path mount;
  if (geteuid() != 0 || !find_cgroup_mount(GetParam().controller, mount)) GTEST_SKIP() << "no such hierarchy here";
  std::string top = std::string(mount.c_str()) + "/drover-test-" + std::to_string(getpid());
  std::string path = top + "/inner";
  bool created = false;
  if (Fault f = make_cgroup(path.c_str(), &created); f) GTEST_SKIP() << f.op << ": " << strerror(f.err);
  EXPECT_TRUE(created);
  EXPECT_FALSE(make_cgroup(path.c_str(), &created));
  EXPECT_FALSE(created) << "the second time it is there already";
  {
    Family f(path.c_str());
    pid_t pids[8];
    EXPECT_EQ(cgroup_pids(top.c_str(), pids, 8), 2u) << "groups below count";
    EXPECT_TRUE(remove_cgroup(top.c_str())) << "busy";
    EXPECT_FALSE(kill_cgroup(GetParam().kind, path.c_str()));
    int status = 0;
    EXPECT_EQ(waitpid(f.child, &status, 0), f.child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    for (int i = 0; i < 2000 && cgroup_pids(path.c_str(), pids, 8) > 0; i++) usleep(1000);
    EXPECT_EQ(cgroup_pids(path.c_str(), pids, 8), 0u);
    f.child = f.grandchild = 0x3ffffff;
  }
  for (int i = 0; i < 2000 && remove_cgroup(top.c_str()); i++) usleep(1000);
  struct stat st;
  EXPECT_NE(stat(top.c_str(), &st), 0);
}

INSTANTIATE_TEST_SUITE_P(Hierarchies, Cgroup,
                         testing::Values(Hierarchy{"v1", CgroupKind::kV1Freezer, "freezer"}, Hierarchy{"v2", CgroupKind::kV2, nullptr}),
                         [](auto& info) { return info.param.name; });

TEST(Cgroup, ReportsWhatCannotBeMade) {
  bool created;
  Fault f = make_cgroup("/proc/self/none/x", &created);
  EXPECT_TRUE(f);
  EXPECT_STREQ(f.op, "create cgroup");
}

TEST(Namespaces, NameAMissingOne) {
  Fault f = enter_network_namespace("/none");
  EXPECT_EQ(f.err, ENOENT);
  EXPECT_STREQ(f.op, "open network namespace");
}

TEST(Credentials, SwitchForGood) {
  if (geteuid() != 0) GTEST_SKIP() << "changing users needs root";
  pid_t child = fork();
  if (child == 0) {
    gid_t groups[] = {65534};
    if (switch_user(65534, 65534, groups, 1)) _exit(1);
    if (setuid(0) == 0) _exit(2);
    gid_t now[8];
    _exit(getgroups(8, now) == 1 && now[0] == 65534 && getuid() == 65534 && getegid() == 65534 ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace drover::isolate
