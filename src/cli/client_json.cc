#include "cli/client_json.h"

#include <algorithm>
#include <initializer_list>
#include <span>
#include <vector>

#include "codec/json.h"
#include "codec/reflect.h"

namespace drover::cli {
namespace {

// How a client's struct differs from the server's, in names of fields.
struct Shape {
  std::string_view type;                                    // the server's struct
  std::initializer_list<std::string_view> lacks;            // the client has no such field
  std::initializer_list<std::pair<std::string_view, std::string_view>> adds;  // key and JSON of fields no server sends
  std::initializer_list<std::string_view> omits_empty;      // left out when empty
  bool every_field = false;                                 // there even where the server leaves out what is empty
};

const Shape kShapes[] = {
    {.type = "cstructs.MemoryStats", .lacks = {"MappedFile"}},
    {.type = "psstructs.Attribute", .omits_empty = {"Float", "Int", "String", "Bool"}},
    {.type = "stats.HostStats", .lacks = {"AllocDirStats", "Timestamp"}},
    {.type = "structs.AllocListStub", .lacks = {"DesiredTransition"}, .omits_empty = {"AllocatedResources"}},
    {.type = "structs.AllocatedCpuResources", .lacks = {"ReservedCores"}},
    {.type = "structs.AllocatedResources", .lacks = {"TaskLifecycles"}},
    {.type = "structs.Allocation",
     .lacks = {"SharedResources", "AllocStates", "NetworkStatus", "SignedIdentities", "SigningKeyID"},
     .adds = {{"Services", "null"}},
     .every_field = true},
    {.type = "structs.CSIInfo", .lacks = {"Provider", "ProviderVersion"}, .omits_empty = {"ControllerInfo", "NodeInfo"}},
    {.type = "structs.CSIPlugin", .lacks = {"ControllerJobs", "NodeJobs"}},
    {.type = "structs.CSIVolume", .adds = {{"Allocations", "null"}}},
    {.type = "structs.ClientHostVolumeConfig", .lacks = {"Name"}},
    {.type = "structs.ConsulExposeConfig", .adds = {{"Path", "null"}}},
    {.type = "structs.ConsulGatewayBindAddress", .adds = {{"Name", "\"\""}}},
    {.type = "structs.ConsulProxy", .adds = {{"ExposeConfig", "null"}}},
    {.type = "structs.Deployment", .lacks = {"EvalPriority"}},
    {.type = "structs.DeploymentState", .lacks = {"AutoPromote"}},
    {.type = "structs.DesiredTransition", .lacks = {"ForceReschedule", "NoShutdownDelay"}},
    {.type = "structs.Evaluation", .lacks = {"LeaderACL"}, .every_field = true},
    {.type = "structs.Job", .adds = {{"Reschedule", "null"}, {"Migrate", "null"}}},
    {.type = "structs.JobListStub", .lacks = {"Multiregion"}, .omits_empty = {"Namespace", "Meta"}},
    {.type = "structs.LogConfig", .adds = {{"Enabled", "null"}}},
    {.type = "structs.Namespace", .lacks = {"Hash"}},
    {.type = "structs.Node",
     .lacks = {"SecretID", "ComputedClass", "LastMissedHeartbeatIndex", "LastAllocUpdateIndex"},
     .adds = {{"Drain", "false"}}},
    {.type = "structs.NodeListStub",
     .lacks = {"HostVolumes"},
     .omits_empty = {"Attributes", "NodeResources", "ReservedResources"}},
    {.type = "structs.NodeReservedCpuResources", .lacks = {"ReservedCpuCores"}},
    {.type = "structs.NodeResources", .lacks = {"NodeNetworks"}},
    {.type = "structs.RescheduleEvent", .lacks = {"Delay"}},
    {.type = "structs.ScalingPolicy", .adds = {{"Namespace", "\"\""}}},
    {.type = "structs.Service", .lacks = {"Namespace"}, .adds = {{"CheckRestart", "null"}}},
    {.type = "structs.ServiceCheck", .adds = {{"Advertise", "\"\""}}},
    {.type = "structs.Task", .omits_empty = {"CSIPluginConfig"}},
    {.type = "structs.TaskEvent", .adds = {{"DiskSize", "0"}}},
};

const Shape* shape_of(const TypeInfo& type) {
  auto it = std::find_if(std::begin(kShapes), std::end(kShapes), [&](auto& s) { return s.type == type.name; });
  return it == std::end(kShapes) ? nullptr : it;
}

bool has(std::initializer_list<std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool empty(const TypeInfo& type, const void* p) {
  if (type.kind == Kind::kList || type.kind == Kind::kMap) return type.count(p) == 0;
  return reflect_default(type, p);
}

class Writer {
 public:
  Writer(std::string& out, int indent) : out_(out), indent_(indent) {}

  void value(const TypeInfo& type, const void* p) {
    switch (type.kind) {
      case Kind::kStruct: object(type, p); break;
      case Kind::kList: list(type, p); break;
      case Kind::kMap: map(type, p); break;
      case Kind::kPointer:
        if (type.is_nil(p)) out_ += "null";
        else value(type.element(), type.at(p, 0));
        break;
      default: leaf(type, p); break;
    }
  }

 private:
  // Values without a struct inside; those of free form may be objects.
  void leaf(const TypeInfo& type, const void* p) {
    std::string text;
    json_encode(type, p, text, {.pretty = true, .indent = indent_, .trailing_newline = false, .sort_keys = true});
    for (char c : text) {
      out_ += c;
      if (c == '\n') out_.append(static_cast<size_t>(depth_ * indent_), ' ');
    }
  }

  void object(const TypeInfo& type, const void* p) {
    auto* shape = shape_of(type);
    struct Entry {
      std::string_view key;
      const FieldInfo* field;
      std::string_view text;
    };
    std::vector<Entry> entries;
    for (auto& f : type.fields)
      if (shown(type, shape, f, p)) entries.push_back({f.json_name, &f, {}});
    if (shape)
      for (auto& [key, text] : shape->adds) entries.push_back({key, nullptr, text});
    std::sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.key < b.key; });
    open('{');
    for (auto& e : entries) {
      key(e.key);
      if (e.field) field(type, *e.field, p);
      else out_ += e.text;
    }
    close('}');
  }

  static bool shown(const TypeInfo& type, const Shape* shape, const FieldInfo& f, const void* p) {
    if (f.flags & (kNotInJson | kInputOnly)) return false;
    if (shape && has(shape->lacks, f.name)) return false;
    bool may_omit = (f.flags & kOmitEmpty) && !(shape && shape->every_field);
    may_omit |= shape && has(shape->omits_empty, f.name);
    return !may_omit || !empty(f.type(), f.in(p));
  }

  // Times and durations whose form is the field's affair, not the type's.
  void field(const TypeInfo& type, const FieldInfo& f, const void* p) {
    if (!(f.flags & (kDurationText | kZeroTimeText))) return value(f.type(), f.in(p));
    if (f.flags & kDurationText) {
      auto d = *static_cast<const Duration*>(f.in(p));
      json_quote(d.count() == 0 && !type.name.starts_with("api.") ? "" : format_duration(d), out_);
    } else if (static_cast<const Time*>(f.in(p))->unset()) {
      out_ += "\"0001-01-01T00:00:00Z\"";
    } else {
      leaf(f.type(), f.in(p));
    }
  }

  void list(const TypeInfo& type, const void* p) {
    if (type.is_nil(p)) {
      out_ += "null";
      return;
    }
    open('[');
    for (size_t i = 0, n = type.count(p); i < n; ++i) {
      separate();
      value(type.element(), type.at(p, i));
    }
    close(']');
  }

  void map(const TypeInfo& type, const void* p) {
    if (type.is_nil(p)) {
      out_ += "null";
      return;
    }
    open('{');
    for (size_t i = 0, n = type.count(p); i < n; ++i) {
      key(type.key_at(p, i));
      value(type.element(), type.at(p, i));
    }
    close('}');
  }

  void open(char c) {
    out_ += c;
    ++depth_;
    any_ = false;
  }
  void close(char c) {
    --depth_;
    if (any_) newline();
    out_ += c;
    any_ = true;
  }
  void separate() {
    if (any_) out_ += ',';
    any_ = true;
    newline();
  }
  void key(std::string_view name) {
    separate();
    json_quote(name, out_);
    out_ += ": ";
  }
  void newline() {
    out_ += '\n';
    out_.append(static_cast<size_t>(depth_ * indent_), ' ');
  }

  std::string& out_;
  int indent_;
  int depth_ = 0;
  bool any_ = false;  // the innermost open object or list has something
};

}  // namespace

std::string client_json(const TypeInfo& type, const void* object, int indent) {
  std::string out;
  Writer(out, indent).value(type, object);
  return out;
}

}  // namespace drover::cli
