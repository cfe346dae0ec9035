// The content type of bytes by their first 512, as the reference's HTTP server guesses it (WHATWG MIME sniffing).
#pragma once

#include <string_view>

namespace drover::net {

// "text/plain; charset=utf-8", "application/octet-stream", ...
std::string_view detect_content_type(std::string_view bytes);

}  // namespace drover::net
