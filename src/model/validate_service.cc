// Services and their checks.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/strings.h"
#include "model/env_text.h"
#include "model/job_defaults.h"
#include "model/validate_parts.h"

namespace drover {

using validation::among;

namespace {

constexpr Duration kCheckIntervalMin = 1s;
constexpr Duration kCheckTimeoutMin = 1s;

bool alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// RFC 1123 label: letters, digits and inner dashes, at most 63.
bool label(std::string_view name) {
  if (name.empty() || name.size() > 63 || !alnum(name.front()) || !alnum(name.back())) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return alnum(c) || c == '-'; });
}

bool requires_port(const ServiceCheck& check) { return among(check.Type, {"grpc", "http", "tcp"}); }

// What is before the first ':' when it is a URL's scheme; "bad" for text that no URL begins with.
enum class Scheme : unsigned char { kNone, kSome, kBad };
Scheme scheme_of(std::string_view url) {
  for (size_t i = 0; i < url.size(); ++i) {
    char c = url[i];
    if (c == ':') return i == 0 ? Scheme::kBad : Scheme::kSome;
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) continue;
    bool inner = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!inner || i == 0) return Scheme::kNone;
  }
  return Scheme::kNone;
}

bool hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Whether text parses as a URL reference at all: no control characters, whole percent escapes before the query.
bool url_text(std::string_view url) {
  if (std::any_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return false;
  if (scheme_of(url) == Scheme::kBad) return false;
  auto fragment = url.find('#');
  if (fragment != std::string_view::npos && !url_text(url.substr(fragment + 1))) return false;
  auto path = url.substr(0, std::min(url.find('?'), fragment));
  for (size_t i = 0; i < path.size(); ++i)
    if (path[i] == '%' && (i + 2 >= path.size() || !hex(path[i + 1]) || !hex(path[i + 2]))) return false;
  // A relative path's first segment holds no colon.
  return !path.empty() && path.front() != '/' && scheme_of(path) == Scheme::kNone
             ? path.substr(0, path.find('/')).find(':') == std::string_view::npos
             : true;
}

std::string http_path_problem(const std::string& path) {
  if (path.empty()) return "http type must have http path";
  if (!url_text(path)) return "http type must have valid http path";
  if (scheme_of(path) == Scheme::kSome) return "http type must have relative http path";
  return "";
}

std::string check_times_problem(const ServiceCheck& check) {
  auto interval_min = format_duration(kCheckIntervalMin), timeout_min = format_duration(kCheckTimeoutMin);
  if (check.Interval == 0s)
    return "missing required value interval. Interval cannot be less than " + interval_min;
  if (check.Interval < kCheckIntervalMin)
    return fmt::format("interval ({}) cannot be lower than {}", format_duration(check.Interval), interval_min);
  if (check.Timeout == 0s) return "missing required value timeout. Timeout cannot be less than " + timeout_min;
  if (check.Timeout < kCheckTimeoutMin)
    return fmt::format("timeout ({}) is lower than required minimum timeout {}", format_duration(check.Timeout), timeout_min);
  return "";
}

std::string check_restart_problem(const ServiceCheck& check) {
  auto* restart = check.CheckRestart.get();
  if (!restart) return "";
  if (check.OnUpdate == "ignore")
    return fmt::format("on_update value {} is not compatible with check_restart", go_quote(check.OnUpdate));
  if (check.OnUpdate == "ignore_warnings" && !restart->IgnoreWarnings)
    return fmt::format("on_update value {} not supported with check_restart ignore_warnings value \"false\"",
                       go_quote(check.OnUpdate));
  MultiError errors;
  if (restart->Limit < 0)
    errors.add(fmt::format("limit must be greater than or equal to 0 but found {}", restart->Limit));
  if (restart->Grace < 0s)
    errors.add(fmt::format("grace period must be greater than or equal to 0 but found {}", restart->Grace.count()));
  return errors.text();
}

// The rules that both providers have; the first problem.
std::string common_check_problem(const ServiceCheck& check, std::initializer_list<std::string_view> types) {
  auto type = to_lower(check.Type);
  if (!among(type, types))
    return fmt::format("invalid check type ({}), must be one of {}", go_quote(type), fmt::join(types, ", "));
  if (type == "http")
    if (auto problem = http_path_problem(check.Path); !problem.empty()) return problem;
  if (type == "script" && check.Command.empty()) return "script type must have a valid script path";
  if (auto problem = check_times_problem(check); !problem.empty()) return problem;
  if (!among(check.InitialStatus, {"", "passing", "warning", "critical"}))
    return fmt::format(
        R"(invalid initial check state ({}), must be one of "passing", "warning", "critical" or empty)",
        check.InitialStatus);
  if (check.AddressMode == "auto") return R"(invalid address_mode "auto" - auto only valid for services)";
  if (!among(check.AddressMode, {"", "host", "driver", "alloc"}))
    return "invalid address_mode " + go_quote(check.AddressMode);
  if (!among(check.OnUpdate, {"", "ignore", "require_healthy", "ignore_warnings"}))
    return R"(on_update must be "require_healthy", "ignore_warnings", or "ignore"; got )" + go_quote(check.OnUpdate);
  return check_restart_problem(check);
}

std::string consul_check_problem(const ServiceCheck& check) {
  if (auto problem = common_check_problem(check, {"grpc", "tcp", "http", "script"}); !problem.empty()) return problem;
  if (check.Expose && !among(to_lower(check.Type), {"http", "grpc"}))
    return "expose may only be set on HTTP or gRPC checks";
  for (auto& [name, value] : {std::pair{"success_before_passing", check.SuccessBeforePassing},
                              std::pair{"failures_before_critical", check.FailuresBeforeCritical}}) {
    if (value < 0) return fmt::format("{} must be non-negative", name);
    if (value > 0 && !among(check.Type, {"tcp", "http", "grpc"}))
      return fmt::format("{} not supported for check of type {}", name, go_quote(check.Type));
  }
  return "";
}

std::string nomad_check_problem(const ServiceCheck& check) {
  if (auto problem = common_check_problem(check, {"tcp", "http"}); !problem.empty()) return problem;
  if (check.Expose) return "expose may only be set for Consul service checks";
  if (check.OnUpdate == "ignore_warnings")
    return "on_update may only be set to ignore_warnings for Consul service checks";
  if (check.CheckRestart && check.CheckRestart->IgnoreWarnings)
    return "ignore_warnings on check_restart only supported for Consul service checks";
  if (check.AddressMode == "driver") return "address_mode = driver may only be set for Consul service checks";
  if (check.Type == "http" && !check.Method.empty() &&
      !among(check.Method, {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"}))
    return fmt::format("method type {} not supported in Nomad http check", go_quote(check.Method));
  if (check.SuccessBeforePassing != 0) return "success_before_passing may only be set for Consul service checks";
  if (check.FailuresBeforeCritical != 0) return "failures_before_critical may only be set for Consul service checks";
  return "";
}

std::string check_port_problem(const Service& service, const ServiceCheck& check) {
  if (!service.PortLabel.empty() || !check.PortLabel.empty() || !requires_port(check)) return "";
  return fmt::format("Check {} invalid: check requires a port but neither check nor service {} have a port", check.Name,
                     go_quote_ascii(service.Name));
}

void consul_service(const Service& service, MultiError& errors) {
  for (auto& check : service.Checks) {
    if (auto problem = check_port_problem(service, check); !problem.empty())
      errors.add(problem);
    else if (check.Type == "tcp" && service.Connect && service.Connect->SidecarService)
      errors.add(fmt::format("Check {} invalid: tcp checks are not valid for Connect enabled services", check.Name));
    else if (problem = consul_check_problem(check); !problem.empty())
      errors.add(fmt::format("Check {} invalid: {}", check.Name, problem));
  }
  if (!service.Connect) return;
  if (auto problem = validation::connect(*service.Connect); !problem.empty()) errors.add(problem);
  if (service.Connect->Native && service.TaskName.empty())
    errors.add(fmt::format("Service {} is Connect Native and requires setting the task", service.Name));
}

void nomad_service(const Service& service, MultiError& errors) {
  for (auto& check : service.Checks) {
    if (auto problem = check_port_problem(service, check); !problem.empty())
      errors.add(problem);
    else if (problem = nomad_check_problem(check); !problem.empty())
      errors.add(problem);
  }
  if (service.Connect) errors.add("Service with provider nomad cannot include Connect blocks");
}

}  // namespace

MultiError validate(const Service& service) {
  MultiError errors;
  if (!label(replace_env_with(service.Name, "ENV-VAR")))
    errors.add(
        "Service name must be valid per RFC 1123 and can contain only alphanumeric characters or dashes and must be no "
        "longer than 63 characters: " + go_quote(service.Name));
  if (!among(service.AddressMode, {"", "auto", "host", "driver", "alloc"}))
    errors.add(R"(Service address_mode must be "auto", "host", or "driver"; not )" + go_quote(service.AddressMode));
  else if (service.AddressMode != "auto" && !service.AddressMode.empty() && !service.Address.empty())
    errors.add(R"(Service address_mode must be "auto" if address is set)");
  if (!among(service.OnUpdate, {"", "ignore", "require_healthy", "ignore_warnings"}))
    errors.add(R"(Service on_update must be "require_healthy", "ignore_warnings", or "ignore"; not )" +
               go_quote(service.OnUpdate));
  if (service.Provider == kProviderConsul)
    consul_service(service, errors);
  else if (service.Provider == kProviderNomad)
    nomad_service(service, errors);
  else
    errors.add(R"(Service provider must be "consul", or "nomad"; not )" + go_quote(service.Provider));
  return errors;
}

namespace validation {
namespace {

// What tells services of a group apart.
using Identity = std::array<std::string, 3>;  // task or "group", name, port

std::string shown(const Identity& id) { return id[0] + "->" + id[1] + (id[2].empty() ? "" : ":" + id[2]); }

struct Seen {
  std::set<Identity> ids, repeated;
  std::set<std::string> providers;
  void note(const Service& service, const std::string& owner) {
    Identity id{owner, service.Name, service.PortLabel};
    if (!ids.insert(id).second) repeated.insert(id);
    providers.insert(service.Provider);
  }
};

void own_task_only(const Task& task, const Service& service, MultiError& errors) {
  if (!service.TaskName.empty() && service.TaskName != task.Name)
    errors.add(fmt::format("Service {} is invalid: may only specify task the service belongs to, got {}", service.Name,
                           go_quote(service.TaskName)));
  for (auto& check : service.Checks)
    if (!check.TaskName.empty() && check.TaskName != task.Name)
      errors.add(fmt::format("Check {} is invalid: may only specify task the check belongs to, got {}", check.Name,
                             go_quote(check.TaskName)));
}

void group_service(const TaskGroup& group, const Service& service, size_t index, MultiError& errors) {
  if (auto problems = validate(service)) {
    errors.add_nested(fmt::format("Service[{}] {} validation failed: ", index, service.Name), problems);
    return;
  }
  if (service.AddressMode == "driver")
    errors.add(fmt::format("service {} cannot use address_mode=\"driver\", only services defined in a \"task\" block can "
                           "use this mode",
                           go_quote(service.Name)));
  for (auto& check : service.Checks) {
    if (check.TaskName.empty()) continue;
    if (check.AddressMode == "driver")
      errors.add(fmt::format("Check {} invalid: cannot use address_mode=\"driver\", only checks defined in a \"task\" "
                             "service block can use this mode",
                             go_quote(check.Name)));
    bool known = std::any_of(group.Tasks.begin(), group.Tasks.end(), [&](auto& t) { return t.Name == check.TaskName; });
    if (!known)
      errors.add(fmt::format("Check {} invalid: refers to non-existent task {}", check.Name, check.TaskName));
  }
}

// Port label -> services that use it.
using PortUses = std::map<std::string, std::set<std::string>>;

void task_check_port(const Service& service, const ServiceCheck& check, PortUses& uses, MultiError& errors) {
  auto& port = check.PortLabel.empty() ? service.PortLabel : check.PortLabel;
  if (port.empty()) {
    errors.add(fmt::format("check {} is missing a port", go_quote(check.Name)));
    return;
  }
  auto number = parse_int(port);
  if (number && check.AddressMode == "driver") {
    if (*number <= 0) errors.add(fmt::format("check {} has invalid numeric port {}", go_quote(check.Name), *number));
  } else if (number) {
    errors.add(fmt::format("check {} cannot use a numeric port {} without setting address_mode=\"driver\"",
                           go_quote(check.Name), *number));
  } else {
    uses[port].insert(service.Name);
  }
}

void task_checks(const Service& service, PortUses& uses, MultiError& errors) {
  std::set<std::string_view> names;
  for (auto& check : service.Checks) {
    if (!names.insert(check.Name).second) errors.add(fmt::format("check {} is duplicate", go_quote(check.Name)));
    if (check.AddressMode == "alloc")
      errors.add(fmt::format("check {} cannot use address_mode=\"alloc\", only checks defined in a \"group\" service "
                             "block can use this mode",
                             go_quote(check.Name)));
    if (requires_port(check)) task_check_port(service, check, uses, errors);
  }
}

void add_labels(const NetworkResource& network, std::set<std::string_view>& labels) {
  for (auto* ports : {&network.ReservedPorts, &network.DynamicPorts})
    for (auto& port : *ports) labels.insert(port.Label);
}

}  // namespace

MultiError group_services(const TaskGroup& group) {
  MultiError errors;
  Seen seen;
  for (auto& task : group.Tasks)
    for (auto& service : task.Services) {
      own_task_only(task, service, errors);
      seen.note(service, task.Name);
    }
  for (size_t i = 0; i < group.Services.size(); ++i) {
    seen.note(group.Services[i], "group");
    group_service(group, group.Services[i], i, errors);
  }
  if (!seen.repeated.empty()) {
    std::vector<std::string> names;
    for (auto& id : seen.repeated) names.push_back(shown(id));
    std::sort(names.begin(), names.end());
    errors.add(fmt::format("Services are not unique: [{}]", join(names, " ")));
  }
  if (seen.providers.size() > 1)
    errors.add("Multiple service providers used: task group services must use the same provider");
  return errors;
}

MultiError group_script_checks(const TaskGroup& group) {
  MultiError errors;
  for (auto& service : group.Services) {
    if (!service.TaskName.empty()) continue;
    for (auto& check : service.Checks)
      if (check.Type == "script" && check.TaskName.empty())
        errors.add(fmt::format("Service [{}]->{} or Check {} must specify task parameter", group.Name, service.Name,
                               check.Name));
  }
  return errors;
}

MultiError task_services(const Task& task, const List<NetworkResource>& group_networks) {
  MultiError errors;
  PortUses uses;
  std::set<std::string> names;
  for (size_t i = 0; i < task.Services.size(); ++i) {
    auto& service = task.Services[i];
    errors.add_nested(fmt::format("service[{}] {} validation failed: ", i, go_quote_ascii(service.Name)), validate(service));
    if (service.AddressMode == "alloc")
      errors.add(fmt::format("service {} cannot use address_mode=\"alloc\", only services defined in a \"group\" block can "
                             "use this mode",
                             go_quote(service.Name)));
    if (!names.insert(service.Name + service.PortLabel).second)
      errors.add(fmt::format("service {} is duplicate", go_quote(service.Name)));
    if (!service.PortLabel.empty() && !(service.AddressMode == "driver" && parse_int(service.PortLabel)))
      uses[service.PortLabel].insert(service.Name);
    if (service.Connect)
      errors.add(fmt::format("service {} cannot have \"connect\" block, only services defined in a \"group\" block can",
                             go_quote(service.Name)));
    task_checks(service, uses, errors);
  }
  std::set<std::string_view> labels;
  if (!group_networks.empty()) add_labels(group_networks.front(), labels);
  if (task.Resources)
    for (auto& network : task.Resources->Networks) add_labels(network, labels);
  for (auto& [port, services] : uses)
    if (!labels.contains(port))
      errors.add(fmt::format("port label {} referenced by services {} does not exist", go_quote(port),
                             fmt::join(services, ", ")));
  return errors;
}

}  // namespace validation
}  // namespace drover
