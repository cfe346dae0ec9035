// Specifications of storage volumes: HCL 1 or JSON (reference cli section 9.16).
#pragma once

#include <string>

#include "base/result.h"
#include "model/volume.h"

namespace drover::cli {

struct VolumeSpec {
  std::string type;  // "csi" is what there is
  CSIVolume volume;
};
Result<VolumeSpec> parse_volume_spec(const std::string& text);

extern const std::string_view kExampleVolumeHcl;
extern const std::string_view kExampleVolumeJson;

}  // namespace drover::cli
