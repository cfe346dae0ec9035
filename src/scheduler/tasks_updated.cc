#include "scheduler/tasks_updated.h"

#include <algorithm>
#include <map>

#include "model/status.h"

namespace drover::scheduler {
namespace {

template <class T>
bool same_elements(const List<T>& a, const List<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}
template <class V>
bool same_entries(const Map<V>& a, const Map<V>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

bool is_blank(const Value& v) {
  if (v.is_nil()) return true;
  if (auto* a = v.as_array()) return a->empty();
  auto* o = v.as_object();
  return o && o->empty();
}

// Driver config: nil and empty are one, and so are 1 and 1.0.
bool same_value(const Value& a, const Value& b) {
  if (is_blank(a) || is_blank(b)) return is_blank(a) && is_blank(b);
  if (auto *x = a.as_array(), *y = b.as_array(); x && y)
    return std::equal(x->begin(), x->end(), y->begin(), y->end(), same_value);
  if (auto *x = a.as_object(), *y = b.as_object(); x && y)
    return std::equal(x->begin(), x->end(), y->begin(), y->end(), [](auto& e, auto& f) {
      return e.first == f.first && same_value(e.second, f.second);
    });
  double m, n;
  if (a.number(m) && b.number(n)) return m == n;
  return a == b;
}

bool same_config(const Map<Value>& a, const Map<Value>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](auto& e, auto& f) { return e.first == f.first && same_value(e.second, f.second); });
}

// --- networks ---

// The assigned value of a dynamic port says nothing about what was asked.
std::vector<Port> ports_of(const NetworkResource& n) {
  std::vector<Port> ports(n.ReservedPorts.begin(), n.ReservedPorts.end());
  for (auto p : n.DynamicPorts) {
    p.Value = -1;
    ports.push_back(std::move(p));
  }
  return ports;
}

bool same_dns(const DNSConfig* a, const DNSConfig* b) {
  if (!a || !b) return a == b;
  return same_elements(a->Servers, b->Servers) && same_elements(a->Searches, b->Searches) &&
         same_elements(a->Options, b->Options);
}

bool same_networks(const List<NetworkResource>& a, const List<NetworkResource>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto& x, auto& y) {
    return x.Mode == y.Mode && x.MBits == y.MBits && x.Hostname == y.Hostname && same_dns(x.DNS.get(), y.DNS.get()) &&
           ports_of(x) == ports_of(y);
  });
}

// --- affinities, spreads, meta: of job, group and tasks taken together ---

std::vector<Affinity> affinities_of(const Job& job, const TaskGroup& group) {
  std::vector<Affinity> all(job.Affinities.begin(), job.Affinities.end());
  all.insert(all.end(), group.Affinities.begin(), group.Affinities.end());
  for (auto& t : group.Tasks) all.insert(all.end(), t.Affinities.begin(), t.Affinities.end());
  return all;
}

bool same_affinities(const std::vector<Affinity>& next, const std::vector<Affinity>& previous) {
  return next.size() == previous.size() && std::all_of(next.begin(), next.end(), [&](auto& a) {
           return std::find(previous.begin(), previous.end(), a) != previous.end();
         });
}

bool same_spreads(const Job& a, const TaskGroup& ga, const Job& b, const TaskGroup& gb) {
  auto all = [](const Job& job, const TaskGroup& group) {
    std::vector<const Spread*> spreads;
    for (auto* list : {&job.Spreads, &group.Spreads})
      for (auto& s : *list) spreads.push_back(&s);
    return spreads;
  };
  auto x = all(a, ga), y = all(b, gb);
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](auto* s, auto* t) {
    return s->Attribute == t->Attribute && s->Weight == t->Weight && same_elements(s->SpreadTarget, t->SpreadTarget);
  });
}

std::map<std::string, std::string> meta_of(const Job& job, const TaskGroup& group, const Task& task) {
  std::map<std::string, std::string> meta;
  for (auto* m : {&job.Meta, &group.Meta, &task.Meta})
    for (auto& [key, value] : *m) meta[key] = value;
  return meta;
}

// --- services with a connect block ---

const Service* find_service(const List<Service>& services, const std::string& name) {
  auto it = std::find_if(services.begin(), services.end(), [&](auto& s) { return s.Name == name; });
  return it == services.end() ? nullptr : it;
}

bool same_connect(const List<Service>& next, const List<Service>& previous) {
  for (auto& service : next) {
    auto* c = service.Connect.get();
    if (!c) continue;
    auto* old = find_service(previous, service.Name);
    auto* o = old ? old->Connect.get() : nullptr;
    if (!o) return false;
    if (c->Native != o->Native || c->Gateway != o->Gateway || c->SidecarTask != o->SidecarTask) return false;
    if (static_cast<bool>(c->SidecarService) != static_cast<bool>(o->SidecarService)) return false;
    if (c->SidecarService && c->SidecarService->Port != o->SidecarService->Port) return false;
    if (service.PortLabel != old->PortLabel) return false;
  }
  return true;
}

// --- tasks ---

bool same_disk(const EphemeralDisk* a, const EphemeralDisk* b) {
  auto value = [](const EphemeralDisk* d) { return d ? *d : EphemeralDisk{}; };
  return value(a) == value(b);
}

bool same_vault(const Vault* a, const Vault* b) {
  if (!a || !b) return a == b;
  return same_elements(a->Policies, b->Policies) && a->Namespace == b->Namespace && a->Env == b->Env &&
         a->ChangeMode == b->ChangeMode && a->ChangeSignal == b->ChangeSignal;
}

bool same_template(const Template& a, const Template& b) {
  auto script = [](const Template& t) { return t.ChangeScript ? *t.ChangeScript : ChangeScript{}; };
  auto x = script(a), y = script(b);
  bool same_script = x.Command == y.Command && same_elements(x.Args, y.Args) && x.Timeout == y.Timeout &&
                     x.FailOnError == y.FailOnError &&
                     static_cast<bool>(a.ChangeScript) == static_cast<bool>(b.ChangeScript);
  return same_script && a.SourcePath == b.SourcePath && a.DestPath == b.DestPath && a.EmbeddedTmpl == b.EmbeddedTmpl &&
         a.ChangeMode == b.ChangeMode && a.ChangeSignal == b.ChangeSignal && a.Splay == b.Splay && a.Perms == b.Perms &&
         a.Uid == b.Uid && a.Gid == b.Gid && a.LeftDelim == b.LeftDelim && a.RightDelim == b.RightDelim &&
         a.Envvars == b.Envvars && a.VaultGrace == b.VaultGrace && a.Wait == b.Wait && a.ErrMissingKey == b.ErrMissingKey;
}

bool same_artifact(const TaskArtifact& a, const TaskArtifact& b) {
  return a.GetterSource == b.GetterSource && same_entries(a.GetterOptions, b.GetterOptions) &&
         same_entries(a.GetterHeaders, b.GetterHeaders) && a.GetterMode == b.GetterMode &&
         a.RelativeDest == b.RelativeDest;
}

// A set by name.
bool same_devices(const List<RequestedDevice>& a, const List<RequestedDevice>& b) {
  auto same_set = [](auto& x, auto& y) {
    return x.size() == y.size() && std::all_of(x.begin(), x.end(), [&](auto& e) { return y.contains(e); });
  };
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](auto& d) {
           auto it = std::find_if(b.begin(), b.end(), [&](auto& e) { return e.Name == d.Name; });
           return it != b.end() && it->Count == d.Count && same_set(d.Constraints, it->Constraints) &&
                  same_set(d.Affinities, it->Affinities);
         });
}

bool same_resources(const Resources* a, const Resources* b) {
  static const Resources none;
  auto &x = a ? *a : none, &y = b ? *b : none;
  return x.CPU == y.CPU && x.Cores == y.Cores && x.MemoryMB == y.MemoryMB && x.MemoryMaxMB == y.MemoryMaxMB &&
         same_devices(x.Devices, y.Devices);
}

bool logs_disabled(const Task& t) { return t.LogConfig && t.LogConfig->Disabled; }

using TaskCheck = bool (*)(const Task&, const Task&);
constexpr std::pair<const char*, TaskCheck> kTaskChecks[] = {
    {"task driver", [](const Task& a, const Task& b) { return a.Driver == b.Driver; }},
    {"task user", [](const Task& a, const Task& b) { return a.User == b.User; }},
    {"task config", [](const Task& a, const Task& b) { return same_config(a.Config, b.Config); }},
    {"task env", [](const Task& a, const Task& b) { return same_entries(a.Env, b.Env); }},
    {"task artifacts",
     [](const Task& a, const Task& b) {
       return std::equal(a.Artifacts.begin(), a.Artifacts.end(), b.Artifacts.begin(), b.Artifacts.end(), same_artifact);
     }},
    {"task vault", [](const Task& a, const Task& b) { return same_vault(a.Vault.get(), b.Vault.get()); }},
    {"task templates",
     [](const Task& a, const Task& b) {
       return std::equal(a.Templates.begin(), a.Templates.end(), b.Templates.begin(), b.Templates.end(), same_template);
     }},
    {"task csi config", [](const Task& a, const Task& b) { return a.CSIPluginConfig == b.CSIPluginConfig; }},
    {"task volume mount", [](const Task& a, const Task& b) { return same_elements(a.VolumeMounts, b.VolumeMounts); }},
    {"task networks",
     [](const Task& a, const Task& b) {
       static const List<NetworkResource> none;
       return same_networks(a.Resources ? a.Resources->Networks : none, b.Resources ? b.Resources->Networks : none);
     }},
    {"task resources", [](const Task& a, const Task& b) { return same_resources(a.Resources.get(), b.Resources.get()); }},
    {"task identity", [](const Task& a, const Task& b) { return a.Identity == b.Identity; }},
    {"task log disabled", [](const Task& a, const Task& b) { return logs_disabled(a) == logs_disabled(b); }},
};

bool same_volumes(const Map<VolumeRequest>& a, const Map<VolumeRequest>& b) { return same_entries(a, b); }

}  // namespace

std::optional<std::string> tasks_updated(const Job& next, const Job& previous, const std::string& group) {
  auto *a = find_group(next, group), *b = find_group(previous, group);
  if (!a || !b) return "task group";
  if (a->Tasks.size() != b->Tasks.size()) return "number of tasks";
  if (!same_disk(a->EphemeralDisk.get(), b->EphemeralDisk.get())) return "ephemeral disk";
  if (!same_networks(a->Networks, b->Networks)) return "network";
  if (!same_affinities(affinities_of(next, *a), affinities_of(previous, *b))) return "affinities";
  if (!same_spreads(next, *a, previous, *b)) return "spreads";
  auto consul = [](const TaskGroup& g) { return g.Consul ? g.Consul->Namespace : std::string(); };
  if (consul(*a) != consul(*b)) return "consul namespace";
  if (!same_connect(a->Services, b->Services)) return "connect service";
  if (!same_volumes(a->Volumes, b->Volumes)) return "volume request";
  for (auto& task : a->Tasks) {
    auto* old = find_task(*b, task.Name);
    if (!old) return "task name";
    for (auto& [label, same] : kTaskChecks)
      if (!same(task, *old)) return label;
    if (meta_of(next, *a, task) != meta_of(previous, *b, *old)) return "task meta";
  }
  return std::nullopt;
}

}  // namespace drover::scheduler
