#include "base/version.h"

namespace drover {

#ifdef DROVER_REVISION
const std::string_view kBuildRevision = DROVER_REVISION;
#else
const std::string_view kBuildRevision = "";
#endif

}  // namespace drover
