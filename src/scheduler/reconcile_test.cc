// The reconciler, from data: testdata/reconcile.txt holds clusters and what has to change (reference scheduler 18.2).
// DROVER_REWRITE=1 writes the present answers into the file.
//
//   == title
//   job [batch] [v=N] [create=N] [stop] [nil]         the job's latest version
//   group NAME count=N [mp=N] [canary=N] [auto] [policy=attempts/interval/delay/function/max | unlimited/...]
//         [mcd=D] [stop_after=D]
//   decide ignore|inplace|destructive                 for allocations of an older version
//   alloc FIRST-LAST|N key...                         makes allocations, or changes those made before
//   deployment status=S [v=N] [create=N]
//   state NAME total=N healthy=N placed=N canaries=N [promoted] ids=LABEL,...
//   eval ID
//   > expected lines
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "base/strings.h"
#include "scheduler/reconcile.h"
#include "scheduler/testing.h"

namespace drover::scheduler {
namespace {

using namespace testing;

struct Words {
  std::vector<std::string> flags;
  std::map<std::string, std::string> values;
  explicit Words(const std::string& line) {
    std::istringstream in(line);
    for (std::string w; in >> w;) {
      auto eq = w.find('=');
      if (eq == std::string::npos) {
        flags.push_back(w);
      } else {
        values[w.substr(0, eq)] = w.substr(eq + 1);
      }
    }
  }
  bool has(const std::string& flag) const { return std::find(flags.begin(), flags.end(), flag) != flags.end(); }
  const std::string* get(const std::string& key) const {
    auto it = values.find(key);
    return it == values.end() ? nullptr : &it->second;
  }
  int64_t number(const std::string& key, int64_t fallback) const {
    auto* v = get(key);
    return v ? parse_int(*v).value() : fallback;
  }
};

Duration duration(const std::string& text) {
  if (text.starts_with('-')) return -duration(text.substr(1));
  return parse_duration(text).value();
}

struct Case {
  Job job = make_job();
  bool nil_job = false;
  UpdateDecision::Kind decide = UpdateDecision::Kind::kIgnore;
  std::map<std::string, Allocation> allocs;  // by label
  std::map<Uuid, std::string> labels;
  std::map<uint64_t, Ref<Job>> versions;
  std::optional<Deployment> deployment;
  TaintedNodes tainted;
  std::map<std::string, Uuid> node_of;
  std::string eval = "E";
  uint64_t made = 0;

  Case() {
    job.ID = "j";
    job.TaskGroups.clear();
    job.Version = 0;
    job.CreateIndex = 10;
    job.JobModifyIndex = job.ModifyIndex = 100;
    job.Update = {};
  }

  Uuid id(const std::string& text) {
    Uuid u;
    std::hash<std::string> h;
    auto n = h(text);
    std::memcpy(u.bytes.data(), &n, 8);
    u.bytes[15] = 1;
    return u;
  }

  void set_job(const Words& w) {
    if (w.has("batch")) job.Type = "batch";
    job.Version = static_cast<uint64_t>(w.number("v", static_cast<int64_t>(job.Version)));
    job.CreateIndex = static_cast<uint64_t>(w.number("create", static_cast<int64_t>(job.CreateIndex)));
    job.Stop = w.has("stop");
    nil_job = w.has("nil");
  }

  void set_group(const Words& w) {
    TaskGroup g;
    g.Name = w.flags[0];
    g.Count = w.number("count", 10);
    g.Tasks.push_back(make_task());
    if (w.get("mp") || w.get("canary"))
      g.Update = UpdateStrategy{.Stagger = 31s, .MaxParallel = w.number("mp", 0), .HealthCheck = "checks",
                                .MinHealthyTime = 10s, .HealthyDeadline = 10min, .AutoPromote = w.has("auto"),
                                .Canary = w.number("canary", 0)};
    if (auto* p = w.get("policy")) {
      auto part = split(*p, '/');
      ReschedulePolicy r;
      r.Unlimited = part[0] == "unlimited";
      if (!r.Unlimited) r.Attempts = parse_int(part[0]).value();
      if (part.size() > 1) r.Interval = duration(part[1]);
      if (part.size() > 2) r.Delay = duration(part[2]);
      r.DelayFunction = part.size() > 3 ? part[3] : "constant";
      if (part.size() > 4) r.MaxDelay = duration(part[4]);
      g.ReschedulePolicy = r;
    }
    if (auto* d = w.get("mcd")) g.MaxClientDisconnect = duration(*d);
    if (auto* d = w.get("stop_after")) g.StopAfterClientDisconnect = duration(*d);
    job.TaskGroups.push_back(g);
  }

  Ref<Job> version(uint64_t v, uint64_t create) {
    auto& slot = versions[v * 1000 + create];
    if (!slot) {
      auto j = job;
      j.Version = v;
      j.CreateIndex = create;
      j.Stop = false;
      slot = std::make_shared<const Job>(j);
    }
    return slot;
  }

  Uuid node(const std::string& status) {
    auto [it, fresh] = node_of.emplace(status, id("node " + status));
    if (!fresh || status == "ready") return it->second;
    if (status == "gone") {
      tainted[it->second] = nullptr;
      return it->second;
    }
    auto n = make_node();
    n.ID = it->second;
    if (status == "down") n.Status = node_status::kDown;
    if (status == "disconnected") n.Status = node_status::kDisconnected;
    if (status == "drain") n.DrainStrategy = DrainStrategy{};
    tainted[it->second] = std::make_shared<const Node>(n);
    return it->second;
  }

  void set_alloc(const Words& w) {
    auto range = split(w.flags[0], '-');
    auto first = parse_int(range[0]).value(), last = range.size() > 1 ? parse_int(range[1]).value() : first;
    for (auto i = first; i <= last; ++i) {
      auto* group = w.get("group");
      std::string g = group ? *group : job.TaskGroups.empty() ? "web" : job.TaskGroups[0].Name;
      auto* as = w.get("as");
      std::string label = as ? (last > first ? *as + std::to_string(i) : *as) : (g == "web" ? "" : g) + std::to_string(i);
      auto [it, fresh] = allocs.try_emplace(label);
      auto& a = it->second;
      if (fresh) {
        a.ID = id(label);
        labels[a.ID] = label;
        a.Namespace = "default";
        a.JobID = "j";
        a.TaskGroup = g;
        a.Name = alloc_name("j", g, static_cast<uint64_t>(i));
        a.NodeID = node("ready");
        a.DesiredStatus = alloc_desired::kRun;
        a.ClientStatus = alloc_client::kRunning;
        a.Job = version(job.Version, job.CreateIndex);
        a.CreateIndex = ++made;
        a.ModifyTime = kNow.unix_nanos;
      }
      change(a, w);
    }
  }

  void change(Allocation& a, const Words& w) {
    if (auto* v = w.get("client")) a.ClientStatus = *v;
    if (auto* v = w.get("desired")) a.DesiredStatus = *v;
    if (auto* v = w.get("node")) a.NodeID = node(*v);
    if (w.get("v") || w.get("create"))
      a.Job = version(static_cast<uint64_t>(w.number("v", static_cast<int64_t>(job.Version))),
                      static_cast<uint64_t>(w.number("create", static_cast<int64_t>(job.CreateIndex))));
    if (w.has("stale")) a.Job = std::make_shared<const Job>(*a.Job);  // an earlier registration of the same version
    if (w.has("untimed")) a.ModifyTime = 0;
    if (w.has("migrate")) a.DesiredTransition.Migrate = true;
    if (w.has("reschedule")) a.DesiredTransition.Reschedule = true;
    if (w.has("force")) a.DesiredTransition.ForceReschedule = true;
    if (auto* v = w.get("name")) a.Name = alloc_name("j", a.TaskGroup, static_cast<uint64_t>(parse_int(*v).value()));
    if (auto* v = w.get("failed")) {
      a.ClientStatus = alloc_client::kFailed;
      a.TaskStates["web"] = TaskState{.State = "dead", .Failed = true, .FinishedAt = kNow + duration(*v)};
    }
    if (w.has("success")) {
      a.ClientStatus = alloc_client::kComplete;
      a.TaskStates["web"] = TaskState{.State = "dead"};
    }
    if (auto* v = w.get("events"))
      for (auto& e : split(*v, ','))
        a.RescheduleTracker.ensure().Events.push_back({.RescheduleTime = (kNow + duration(e)).unix_nanos, .Delay = 5s});
    if (w.has("replaced")) a.NextAllocation = id("someone");
    if (w.has("canary")) a.DeploymentStatus.ensure().Canary = true;
    if (w.has("healthy")) a.DeploymentStatus.ensure().Healthy = true;
    if (w.has("unhealthy")) a.DeploymentStatus.ensure().Healthy = false;
    if (w.has("deployed")) a.DeploymentID = id("D");
    if (auto* v = w.get("states"))
      for (auto& s : split(*v, ',')) {
        auto at = s.find('@');
        a.AllocStates.push_back({kAllocStateClientStatus, s.substr(0, at), kNow + duration(s.substr(at + 1))});
      }
    if (auto* v = w.get("score")) {
      AllocMetric m;
      m.ScoreMetaData.push_back({.NormScore = parse_double(*v).value()});
      a.Metrics = std::make_shared<const AllocMetric>(m);
    }
    if (auto* v = w.get("followup")) a.FollowupEvalID = id("eval " + *v);
  }

  void set_deployment(const Words& w) {
    deployment.emplace();
    deployment->ID = id("D");
    deployment->Namespace = "default";
    deployment->JobID = "j";
    deployment->Status = *w.get("status");
    deployment->JobVersion = static_cast<uint64_t>(w.number("v", static_cast<int64_t>(job.Version)));
    deployment->JobCreateIndex = static_cast<uint64_t>(w.number("create", static_cast<int64_t>(job.CreateIndex)));
  }

  void set_state(const Words& w) {
    auto& s = deployment->TaskGroups[w.flags[0]];
    s.DesiredTotal = w.number("total", 0);
    s.HealthyAllocs = w.number("healthy", 0);
    s.PlacedAllocs = w.number("placed", 0);
    s.DesiredCanaries = w.number("canaries", 0);
    s.Promoted = w.has("promoted");
    if (auto* v = w.get("ids"))
      for (auto& label : split(*v, ',')) s.PlacedCanaries.push_back(id(label));
  }

  void line(const std::string& text) {
    auto space = text.find(' ');
    auto verb = text.substr(0, space);
    Words w(space == std::string::npos ? "" : text.substr(space));
    if (verb == "job") return set_job(w);
    if (verb == "group") return set_group(w);
    if (verb == "alloc") return set_alloc(w);
    if (verb == "deployment") return set_deployment(w);
    if (verb == "state") return set_state(w);
    if (verb == "decide") {
      decide = w.has("inplace")       ? UpdateDecision::Kind::kInPlace
               : w.has("destructive") ? UpdateDecision::Kind::kDestructive
                                      : UpdateDecision::Kind::kIgnore;
      return;
    }
    ADD_FAILURE() << "unknown line: " << text;
  }

  std::string run() {
    ReconcileInput in;
    auto current = version(job.Version, job.CreateIndex);
    auto j = job;
    in.job = nil_job ? nullptr : &j;
    in.ns = "default";
    in.job_id = "j";
    in.batch = job.Type == "batch";
    if (deployment) in.deployment = std::make_shared<const Deployment>(*deployment);
    for (auto& [label, a] : allocs) in.allocs.push_back(std::make_shared<const Allocation>(a));
    in.tainted = tainted;
    in.eval_id = id("eval this");
    in.eval_priority = 50;
    in.now = kNow;
    in.decide = [this, current](const Ref<Allocation>& a, const TaskGroup&) -> UpdateDecision {
      if (a->Job == current) return {};
      return {decide, decide == UpdateDecision::Kind::kInPlace ? a : nullptr};
    };
    SeededRandom random(1);
    return text(reconcile(std::move(in), random));
  }

  std::string index(const std::string& name) { return name.substr(name.find('.') + 1); }

  std::string label(const Uuid& alloc) { return labels.contains(alloc) ? labels[alloc] : "?"; }

  std::string text(const ReconcileResult& r) {
    std::vector<std::string> lines;
    if (r.deployment) {
      std::string s = fmt::format("deployment {} \"{}\"", r.deployment->Status, r.deployment->StatusDescription);
      for (auto& [g, state] : r.deployment->TaskGroups)
        s += fmt::format(" {}: total {} canaries {}", g, state.DesiredTotal, state.DesiredCanaries);
      lines.push_back(s);
    }
    for (auto& u : r.deployment_updates) lines.push_back(fmt::format("deployment {} \"{}\"", u.Status, u.StatusDescription));
    std::vector<std::string> place;
    for (auto& p : r.place) {
      std::string s = "place " + index(p.name);
      if (p.canary) s += " canary";
      if (p.previous) s += " for " + label(p.previous->ID);
      if (p.reschedule) s += " reschedule";
      if (p.lost) s += " lost";
      if (p.downgrade) s += fmt::format(" downgrade>={}", p.min_job_version);
      place.push_back(s);
    }
    append_runs(lines, place);
    std::vector<std::string> some;
    for (auto& d : r.destructive) some.push_back("replace " + label(d.alloc->ID));
    for (auto& a : r.inplace) some.push_back("in-place " + label(a->ID));
    for (auto& s : r.stop)
      some.push_back(fmt::format("stop {}{} \"{}\"{}", label(s.alloc->ID), s.client_status.empty() ? "" : " " + s.client_status,
                                 s.description, s.followup_eval ? " later" : ""));
    for (auto& a : r.attribute_updates) some.push_back("later " + label(a->ID));
    for (auto& a : r.disconnect_updates) some.push_back("disconnect " + label(a->ID));
    for (auto& a : r.reconnect_updates) some.push_back("reconnect " + label(a->ID));
    append_runs(lines, some);
    for (auto& e : r.followups)
      lines.push_back(fmt::format("followup {} at {} \"{}\"", e.TriggeredBy, format_duration(e.WaitUntil - kNow), e.StatusDescription));
    for (auto& [g, d] : r.desired) {
      std::string s = "desired " + g;
      auto add = [&](const char* name, uint64_t n) {
        if (n) s += fmt::format(" {} {}", name, n);
      };
      add("ignore", d.Ignore);
      add("place", d.Place);
      add("migrate", d.Migrate);
      add("stop", d.Stop);
      add("in-place", d.InPlaceUpdate);
      add("destructive", d.DestructiveUpdate);
      add("canary", d.Canary);
      lines.push_back(s);
    }
    return join(lines, "\n") + "\n";
  }

  void append_runs(std::vector<std::string>& lines, const std::vector<std::string>& more) {
    lines.insert(lines.end(), more.begin(), more.end());
  }
};

TEST(Reconcile, Scenarios) {
  std::string path = std::string(TESTDATA) + "/reconcile.txt";
  std::ifstream in(path);
  ASSERT_TRUE(in) << path;
  std::vector<std::vector<std::string>> cases;
  std::vector<std::string> head;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("== ")) cases.emplace_back();
    (cases.empty() ? head : cases.back()).push_back(line);
  }
  bool rewrite = std::getenv("DROVER_REWRITE");
  std::string out;
  for (auto& h : head) out += h + "\n";
  for (auto& lines : cases) {
    Case c;
    std::string expected;
    std::string inputs;
    for (auto& line : lines) {
      if (line.starts_with("> ")) {
        expected += line.substr(2) + "\n";
        continue;
      }
      if (line.empty()) continue;
      inputs += line + "\n";
      if (!line.starts_with("== ") && !line.starts_with("#")) c.line(line);
    }
    auto actual = c.run();
    out += inputs;
    for (auto& l : split(actual, '\n'))
      if (!l.empty()) out += "> " + l + "\n";
    out += "\n";
    if (!rewrite) EXPECT_EQ(actual, expected) << lines[0];
  }
  if (rewrite) std::ofstream(path) << out;
  EXPECT_GT(cases.size(), 80u);
}

}  // namespace
}  // namespace drover::scheduler
