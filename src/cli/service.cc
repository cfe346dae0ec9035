// service list, info, delete.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/misc_commands.h"
#include "cli/output.h"
#include "cli/pages.h"
#include "model/services.h"

namespace drover::cli {
namespace {

std::string tags_text(const List<std::string>& tags) {
  std::vector<std::string> sorted(tags.begin(), tags.end());
  std::sort(sorted.begin(), sorted.end());
  return "[" + join(sorted, ",") + "]";
}

int run_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  auto found = api->get_as<List<ServiceRegistrationListStub>>("/v1/services");
  if (!found) return c.fail("Error listing service registrations: " + found.error().message);
  if (found->empty()) {
    c.ui.output("No service registrations found");
    return 0;
  }
  if (auto done = print_formatted(c, *found)) return *done;
  bool with_namespace = c.args.text("namespace") == "*";
  Rows rows;
  for (auto& space : *found)
    for (auto& s : space.Services)
      rows.push_back(with_namespace ? fmt::format("{}|{}|{}", s.ServiceName, space.Namespace, tags_text(s.Tags))
                                    : fmt::format("{}|{}", s.ServiceName, tags_text(s.Tags)));
  std::sort(rows.begin(), rows.end());
  rows.insert(rows.begin(), with_namespace ? "Service Name|Namespace|Tags" : "Service Name|Tags");
  c.ui.output(table(rows));
  return 0;
}

int run_info(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <service_name>");
  auto* api = c.connect();
  if (!api) return 1;
  auto found = api->get_as<List<ServiceRegistration>>("/v1/service/" + escape(c.args.rest[0]), page_params(c));
  if (!found) return c.fail("Error listing service registrations: " + found.error().message);
  auto token = api->last().next_token;
  if (found->empty()) {
    c.ui.output("No service registrations found");
    return 0;
  }
  if (auto done = print_formatted(c, *found)) return *done;
  std::stable_sort(found->begin(), found->end(), [](auto& a, auto& b) { return a.JobID < b.JobID; });
  auto address = [](const ServiceRegistration& r) { return r.Port ? host_port(r.Address, r.Port) : r.Address; };
  if (c.verbose()) {
    for (auto& r : *found) {
      c.ui.output(key_values({"ID|" + r.ID, "Service Name|" + r.ServiceName, "Namespace|" + r.Namespace, "Job ID|" + r.JobID,
                              "Alloc ID|" + r.AllocID.str(), "Node ID|" + r.NodeID.str(), "Datacenter|" + r.Datacenter,
                              "Address|" + address(r), "Tags|" + tags_text(r.Tags)}));
      c.ui.output("");
    }
  } else {
    Rows rows{"Job ID|Address|Tags|Node ID|Alloc ID"};
    for (auto& r : *found)
      rows.push_back(fmt::format("{}|{}|{}|{}|{}", r.JobID, address(r), tags_text(r.Tags), r.NodeID.short_str(), r.AllocID.short_str()));
    c.ui.output(table(rows));
  }
  show_next_page(c, token);
  return 0;
}

int run_delete(Context& c) {
  if (c.args.rest.size() != 2) return c.misuse("This command takes two arguments: <service_name> and <service_id>");
  auto* api = c.connect();
  if (!api) return 1;
  auto done = api->remove("/v1/service/" + escape(c.args.rest[0]) + "/" + escape(c.args.rest[1]));
  if (!done) return c.fail("Error deleting service registration: " + done.error().message);
  c.ui.output("Successfully deleted service registration");
  return 0;
}

constexpr Flag kListFlags[] = {kJsonFlag, kTemplateFlag, {"name", FlagKind::kText, "", "", ""}};
constexpr Flag kInfoFlags[] = {kVerboseFlag, kPerPageFlag, kPageTokenFlag, kFilterFlag, kJsonFlag, kTemplateFlag};

constexpr Command kCommands[] = {
    {.name = "service list",
     .synopsis = "Display all registered Nomad services",
     .usage = "Usage: nomad service list [options]",
     .about = "Lists the services that are registered with the built-in provider.",
     .general = General::kAll,
     .options = "Service List Options",
     .flags = kListFlags,
     .run = run_list},
    {.name = "service info",
     .synopsis = "Display an individual Nomad service registration",
     .usage = "Usage: nomad service info [options] <service_name>",
     .about = "Lists the instances of a service.",
     .general = General::kAll,
     .options = "Service Info Options",
     .flags = kInfoFlags,
     .run = run_info},
    {.name = "service delete",
     .synopsis = "Deregister a registered service",
     .usage = "Usage: nomad service delete [options] <service_name> <service_id>",
     .about = "Removes one registration of a service. For those that were left behind: live ones come back.",
     .general = General::kAll,
     .run = run_delete},
};

}  // namespace

std::span<const Command> service_commands() { return kCommands; }

}  // namespace drover::cli
