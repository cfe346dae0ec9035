// Requests and small facts of HTTP that server and client share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "net/address.h"
#include "net/headers.h"

namespace drover::net {

struct PeerCertificate;

// A request as it came; nothing decoded. Paths and queries: net/url.h.
struct HttpRequest {
  std::string method;   // as sent: "GET"
  std::string target;   // as sent: "/v1/jobs?prefix=a"
  int minor_version = 1;
  std::string host;     // of the target when absolute, else of the Host header
  Headers headers;      // without Host
  std::optional<uint64_t> content_length;
  bool chunked = false;
  Address remote, local;
  bool tls = false;
  const PeerCertificate* peer = nullptr;  // lives as long as the exchange

  bool has_body() const { return chunked || (content_length && *content_length > 0); }
};

std::string_view status_text(int status);  // "Not Found"; "" for unknown ones
std::string http_date(Time t);             // "Tue, 24 Nov 2026 07:31:47 GMT"

}  // namespace drover::net
