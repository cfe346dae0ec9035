// Groups, tasks, resources, networks, volumes.
#include <fmt/format.h>

#include "base/strings.h"
#include "model/diff_parts.h"

namespace drover::diff {
namespace {

Objects ports(std::string_view name, const List<Port>& before, const List<Port>& after, bool contextual, Names without) {
  return by_key(before, after, [](auto& p) { return p.Label; },
                [&](auto* x, auto* y) { return simple_object(name, x, y, contextual, without); });
}

std::optional<ObjectDiff> dns(const DNSConfig* before, const DNSConfig* after, bool contextual) {
  auto out = begin_object("DNS", before, after);
  if (!out) return out;
  auto flat = [](const DNSConfig* dns) {
    Flat f;
    if (!dns) return f;
    for (auto& [name, list] : {std::pair{"Servers", &dns->Servers}, std::pair{"Searches", &dns->Searches},
                               std::pair{"Options", &dns->Options}})
      if (!list->empty()) f[name] = join({list->begin(), list->end()}, ",");
    return f;
  };
  out->Fields = fields(flat(before), flat(after), contextual);
  return out;
}

std::optional<ObjectDiff> network(const NetworkResource* before, const NetworkResource* after, bool contextual) {
  auto out = plain_object("Network", before, after, contextual, {"Device", "CIDR", "IP"});
  if (!out) return out;
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, ports("Static Port", b.ReservedPorts, a.ReservedPorts, contextual, {}));
  add(objects, ports("Dynamic Port", b.DynamicPorts, a.DynamicPorts, contextual, {"Value"}));
  add(objects, dns(b.DNS.get(), a.DNS.get(), contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

// What makes a network another one: all there is to it.
std::string network_identity(const NetworkResource& n) {
  auto out = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n", n.Mode, n.Device, n.CIDR, n.IP, n.Hostname, n.MBits);
  for (auto* list : {&n.ReservedPorts, &n.DynamicPorts}) {
    for (auto& p : *list) out += fmt::format("{} {} {} {}\n", p.Label, p.Value, p.To, p.HostNetwork);
    out += '|';
  }
  if (n.DNS)
    for (auto* list : {&n.DNS->Servers, &n.DNS->Searches, &n.DNS->Options}) out += fmt::format("{}|", fmt::join(*list, "\n"));
  return out;
}

std::optional<ObjectDiff> volume(const VolumeRequest* before, const VolumeRequest* after, bool contextual) {
  auto out = plain_object("Volume", before, after, contextual);
  if (!out) return out;
  auto *b = or_empty(before).MountOptions.get(), *a = or_empty(after).MountOptions.get();
  auto options = plain_object("MountOptions", b, a, contextual);
  if (options) {
    Objects flags;
    add(flags, string_set("MountFlags", or_empty(b).MountFlags, or_empty(a).MountFlags, contextual));
    options->Objects = as_list(std::move(flags));
    out->Objects = {*options};
  }
  return out;
}

Objects volumes(const Map<VolumeRequest>& before, const Map<VolumeRequest>& after, bool contextual) {
  Objects out;
  for (auto& [name, request] : before) add(out, volume(&request, after.find(name), contextual));
  for (auto& [name, request] : after)
    if (!before.contains(name)) add(out, volume(nullptr, &request, contextual));
  return out;
}

std::optional<ObjectDiff> vault(const Vault* before, const Vault* after, bool contextual) {
  auto out = plain_object("Vault", before, after, contextual);
  if (!out) return out;
  Objects objects;
  add(objects, string_set("Policies", or_empty(before).Policies, or_empty(after).Policies, contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

// The reference names this object like its parent; clients see that name.
std::optional<ObjectDiff> wait(const WaitConfig* before, const WaitConfig* after, bool contextual) {
  auto out = begin_object("Template", before, after);
  if (!out) return out;
  auto flat = [](const WaitConfig* wait) {
    Flat f;
    if (!wait) return f;
    auto text = [](const std::optional<Duration>& d) { return d ? std::to_string(d->count()) : "nil"; };
    f["Min"] = text(wait->Min);
    f["Max"] = text(wait->Max);
    return f;
  };
  out->Fields = fields(flat(before), flat(after), contextual);
  return out;
}

std::optional<ObjectDiff> change_script(const ChangeScript* before, const ChangeScript* after, bool contextual) {
  auto out = plain_object("ChangeScript", before, after, contextual);
  if (!out) return out;
  Objects objects;
  add(objects, string_set("Args", or_empty(before).Args, or_empty(after).Args, contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

std::optional<ObjectDiff> template_diff(const Template* before, const Template* after, bool contextual) {
  auto out = begin_object("Template", before, after);
  if (!out) return out;
  auto flat = [](const Template* tmpl) {
    Flat f = tmpl ? flatten(*tmpl) : Flat{};
    if (tmpl && tmpl->Uid) f["Uid"] = std::to_string(*tmpl->Uid);
    if (tmpl && tmpl->Gid) f["Gid"] = std::to_string(*tmpl->Gid);
    return f;
  };
  out->Fields = fields(flat(before), flat(after), contextual);
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, wait(b.Wait.get(), a.Wait.get(), contextual));
  add(objects, change_script(b.ChangeScript.get(), a.ChangeScript.get(), contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

// One template of each side is a pair whatever its destination; of several, those of one destination are paired in turn.
Objects templates(const List<Template>& before, const List<Template>& after, bool contextual) {
  Objects out;
  if (before.size() == 1 && after.size() == 1) {
    add(out, template_diff(&before[0], &after[0], contextual));
    return out;
  }
  std::vector<bool> taken(after.size());
  for (auto& old : before) {
    const Template* found = nullptr;
    for (size_t i = 0; i < after.size() && !found; ++i) {
      if (taken[i] || after[i].DestPath != old.DestPath) continue;
      taken[i] = true;
      found = &after[i];
    }
    add(out, template_diff(&old, found, contextual));
  }
  for (size_t i = 0; i < after.size(); ++i)
    if (!taken[i]) add(out, template_diff(nullptr, &after[i], contextual));
  sort_objects(out);
  return out;
}

// A pointer's text among plain fields, when both sides exist.
void pointer_field(std::string_view name, const std::optional<Duration>& before, const std::optional<Duration>& after,
                   Flat& flat_before, Flat& flat_after) {
  auto text = [](const std::optional<Duration>& d) { return d ? std::to_string(d->count()) : ""; };
  flat_before[std::string(name)] = text(before);
  flat_after[std::string(name)] = text(after);
}

Objects tasks_objects(const Task& b, const Task& a, bool contextual) {
  Objects out;
  add(out, as_set("Constraint", b.Constraints, a.Constraints, contextual));
  add(out, as_set("Affinity", b.Affinities, a.Affinities, contextual));
  add(out, config(b.Config, a.Config, contextual));
  add(out, resources(b.Resources.get(), a.Resources.get(), contextual));
  add(out, simple_object("LogConfig", b.LogConfig.get(), a.LogConfig.get(), contextual));
  add(out, simple_object("DispatchPayload", b.DispatchPayload.get(), a.DispatchPayload.get(), contextual));
  add(out, by_key(b.Artifacts, a.Artifacts, [](auto& x) { return x.RelativeDest; },
                  [&](auto* x, auto* y) { return simple_object("Artifact", x, y, contextual); }));
  add(out, services(b.Services, a.Services, contextual));
  add(out, vault(b.Vault.get(), a.Vault.get(), contextual));
  add(out, templates(b.Templates, a.Templates, contextual));
  add(out, simple_object("Identity", b.Identity.get(), a.Identity.get(), contextual));
  return out;
}

Objects group_objects(const TaskGroup& b, const TaskGroup& a, bool contextual) {
  Objects out;
  add(out, as_set("Constraint", b.Constraints, a.Constraints, contextual));
  add(out, as_set("Affinity", b.Affinities, a.Affinities, contextual));
  add(out, simple_object("RestartPolicy", b.RestartPolicy.get(), a.RestartPolicy.get(), contextual));
  add(out, simple_object("ReschedulePolicy", b.ReschedulePolicy.get(), a.ReschedulePolicy.get(), contextual));
  add(out, simple_object("EphemeralDisk", b.EphemeralDisk.get(), a.EphemeralDisk.get(), contextual));
  add(out, simple_object("Consul", b.Consul.get(), a.Consul.get(), contextual));
  add(out, simple_object("Update", b.Update.get(), a.Update.get(), contextual, {"Stagger"}));
  add(out, networks(b.Networks, a.Networks, contextual));
  add(out, services(b.Services, a.Services, contextual));
  add(out, volumes(b.Volumes, a.Volumes, contextual));
  return out;
}

template <class T>
std::string_view change(const T* before, const T* after) {
  if (!before) return kAdded;
  if (!after) return kDeleted;
  return *before == *after ? kNone : kEdited;
}

}  // namespace

std::optional<ObjectDiff> resources(const Resources* before, const Resources* after, bool contextual) {
  auto out = plain_object("Resources", before, after, contextual);
  if (!out) return out;
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, networks(b.Networks, a.Networks, contextual));
  add(objects, by_key(b.Devices, a.Devices, [](auto& d) { return d.Name; },
                      [&](auto* x, auto* y) { return plain_object("Device", x, y, contextual); }));
  out->Objects = as_list(std::move(objects));
  return out;
}

Objects networks(const List<NetworkResource>& before, const List<NetworkResource>& after, bool contextual) {
  return by_key(before, after, network_identity, [&](auto* x, auto* y) {
    return x && y ? std::nullopt : network(x, y, contextual);
  });
}

TaskDiff task(const Task* before, const Task* after, bool contextual) {
  TaskDiff out;
  out.Type = change(before, after);
  out.Name = (after ? after : before)->Name;
  Names without = {"Name", "Config"};
  out.Fields = fields(before ? flatten(*before, without) : Flat{}, after ? flatten(*after, without) : Flat{}, false);
  out.Objects = as_list(tasks_objects(or_empty(before), or_empty(after), contextual));
  return out;
}

TaskGroupDiff group(const TaskGroup* before, const TaskGroup* after, bool contextual) {
  TaskGroupDiff out;
  out.Type = change(before, after);
  out.Name = (after ? after : before)->Name;
  Flat flat_before = before ? flatten(*before, {"Name"}) : Flat{};
  Flat flat_after = after ? flatten(*after, {"Name"}) : Flat{};
  if (before && after) {
    pointer_field("ShutdownDelay", before->ShutdownDelay, after->ShutdownDelay, flat_before, flat_after);
    pointer_field("StopAfterClientDisconnect", before->StopAfterClientDisconnect, after->StopAfterClientDisconnect,
                  flat_before, flat_after);
    pointer_field("MaxClientDisconnect", before->MaxClientDisconnect, after->MaxClientDisconnect, flat_before, flat_after);
  }
  out.Fields = fields(flat_before, flat_after, false);
  auto &b = or_empty(before), &a = or_empty(after);
  out.Objects = as_list(group_objects(b, a, contextual));
  std::map<std::string, std::pair<const Task*, const Task*>> pairs;
  for (auto& t : b.Tasks) pairs[t.Name].first = &t;
  for (auto& t : a.Tasks) pairs[t.Name].second = &t;
  for (auto& [name, pair] : pairs) out.Tasks.push_back(task(pair.first, pair.second, contextual));
  return out;
}

}  // namespace drover::diff
