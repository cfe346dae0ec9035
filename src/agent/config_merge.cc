#include "agent/config_merge.h"

#include <algorithm>
#include <string_view>

#include "codec/reflect.h"

namespace drover::agent {
namespace {

enum class Rule {
  kAppend,      // a list: the later elements follow
  kByName,      // a list of labelled blocks: the later block of a name replaces the earlier
  kByNameParts, // the same, but only the parts that the later one has
  kWhole,       // a block: replaced as a whole when present
  kLiteral,     // a boolean: taken as it is, false when absent
  kPositive,    // a number: replaces when above zero
};

struct Exception {
  std::string_view type, field;
  Rule rule;
};

constexpr Exception kExceptions[] = {
    {"agent.ClientConfig", "Servers", Rule::kAppend},
    {"agent.ClientConfig", "HostNetworks", Rule::kAppend},
    {"agent.ClientConfig", "HostVolumes", Rule::kByName},
    {"agent.ClientConfig", "TemplateConfig", Rule::kWhole},
    {"agent.ServerConfig", "BootstrapExpect", Rule::kPositive},
    {"agent.ServerConfig", "EnabledSchedulers", Rule::kAppend},
    {"agent.ServerConfig", "StartJoin", Rule::kAppend},
    {"agent.ServerConfig", "RetryJoin", Rule::kAppend},
    {"agent.ServerConfig", "DefaultSchedulerConfig", Rule::kWhole},
    {"agent.ServerConfig", "RaftBoltConfig", Rule::kWhole},
    {"agent.ServerConfig", "Search", Rule::kWhole},
    {"config.ConsulConfig", "Tags", Rule::kAppend},
    {"config.SentinelConfig", "Imports", Rule::kAppend},
    {"config.AuditConfig", "Sinks", Rule::kByName},
    {"config.AuditConfig", "Filters", Rule::kByName},
    {"config.UIConfig", "Enabled", Rule::kLiteral},
    {"agent.Config", "Plugins", Rule::kByNameParts},
    {"agent.Config", "Files", Rule::kAppend},
};

const Rule* exception_of(const TypeInfo& type, const FieldInfo& field) {
  for (auto& e : kExceptions)
    if (e.type == type.name && e.field == field.name) return &e.rule;
  return nullptr;
}

void merge(const TypeInfo& type, void* into, const void* later);

void append(const TypeInfo& type, void* into, const void* later) {
  auto& element = type.element();
  for (size_t i = 0; i < type.count(later); ++i) element.copy(type.add(into, ""), type.at(later, i));
}

void by_name(const TypeInfo& type, void* into, const void* later, bool parts) {
  auto& element = type.element();
  auto& name = *element.find("Name");
  auto name_of = [&](const void* e) -> const std::string& { return *static_cast<const std::string*>(name.in(e)); };
  for (size_t i = 0; i < type.count(later); ++i) {
    auto* more = type.at(later, i);
    void* have = nullptr;
    for (size_t j = 0; j < type.count(into); ++j) {
      auto* e = const_cast<void*>(type.at(into, j));
      if (name_of(e) == name_of(more)) have = e;
    }
    if (!have) element.copy(type.add(into, ""), more);
    else if (!parts) element.copy(have, more);
    else
      for (auto& f : element.fields)
        if (!reflect_default(f.type(), f.in(more))) f.type().copy(f.in(have), f.in(more));
  }
}

void by_rule(Rule rule, const TypeInfo& type, void* into, const void* later) {
  switch (rule) {
    case Rule::kAppend: return append(type, into, later);
    case Rule::kByName: return by_name(type, into, later, false);
    case Rule::kByNameParts: return by_name(type, into, later, true);
    case Rule::kWhole:
      if (!type.is_nil(later)) type.copy(into, later);
      return;
    case Rule::kLiteral: return type.copy(into, later);
    case Rule::kPositive:
      if (reflect_int(type, later) > 0) type.copy(into, later);
      return;
  }
}

void merge_struct(const TypeInfo& type, void* into, const void* later) {
  for (auto& f : type.fields) {
    if (auto* rule = exception_of(type, f)) by_rule(*rule, f.type(), f.in(into), f.in(later));
    else merge(f.type(), f.in(into), f.in(later));
  }
}

void merge(const TypeInfo& type, void* into, const void* later) {
  switch (type.kind) {
    case Kind::kStruct: return merge_struct(type, into, later);
    case Kind::kPointer: {
      if (type.is_nil(later)) return;
      bool deep = type.element().kind == Kind::kStruct && !type.is_nil(into);
      if (deep) merge(type.element(), const_cast<void*>(type.at(into, 0)), type.at(later, 0));
      else type.copy(into, later);
      return;
    }
    case Kind::kMap:
      for (size_t i = 0; i < type.count(later); ++i)
        type.element().copy(type.add(into, type.key_at(later, i)), type.at(later, i));
      return;
    case Kind::kList:
      if (type.count(later) > 0) type.copy(into, later);
      return;
    default:
      if (!reflect_default(type, later)) type.copy(into, later);
  }
}

}  // namespace

void merge_config(Config& into, const Config& later) { merge(type_of<Config>(), &into, &later); }

}  // namespace drover::agent
