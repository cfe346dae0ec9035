// Whether text is a regular expression of the reference's syntax (RE2), with its words when it is not.
#pragma once

#include <string_view>

#include "base/result.h"

namespace drover {

// "error parsing regexp: missing closing ]: `[a`"
Status check_regexp(std::string_view pattern);

}  // namespace drover
