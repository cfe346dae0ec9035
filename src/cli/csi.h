// Storage volumes and plugins: finding and listing them.
#pragma once

#include <optional>
#include <string>

#include "cli/api.h"
#include "cli/command.h"
#include "model/volume.h"

namespace drover::cli {

// The id that the prefix means; an exact one wins. Says why there is none.
std::optional<std::string> find_plugin(Context& c, Api& api, const std::string& prefix);
struct VolumeRef {
  std::string id, space;
};
std::optional<VolumeRef> find_volume(Context& c, Api& api, const std::string& prefix);

std::string plugin_list(const List<CSIPluginListStub>& plugins);
std::string volume_list(const List<CSIVolListStub>& volumes);
std::string segments_text(const CSITopology& topology);

// "key=value" flags. Error: "Secret must be in the format: -secret key=value".
Result<Map<std::string>> read_secrets(const Context& c);
// As the header that plugins' secrets travel in: "k1=v1,k2=v2"; "" without any.
std::string secrets_header(const Map<std::string>& secrets);

}  // namespace drover::cli
