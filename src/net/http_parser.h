// HTTP/1.1 messages from bytes: a pure machine over Beast's parser, for requests and responses.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/headers.h"

namespace drover::net {

class HttpParser {
 public:
  enum class Kind { kRequest, kResponse };
  explicit HttpParser(Kind kind, uint32_t max_header_bytes = 1 << 20);
  ~HttpParser();

  // What went wrong, for the reply's status.
  enum class Problem : unsigned char { kNone, kMalformed, kHeaderTooLarge, kBadVersion, kUnsupportedEncoding };

  // Takes a prefix of `bytes` and tells its length; body bytes are appended to `body`. The rest must come again, with
  // more behind it. Never reads past the end of the message. After an error the machine is of no use.
  Result<size_t> put(std::string_view bytes, std::string& body);
  // The peer has sent its last byte. An error when the message is cut.
  Status end();
  Problem problem() const;

  bool header_done() const;
  bool done() const;
  // Whether any byte of the message has come.
  bool started() const;

  // Once the header is done:
  std::string method, target;      // requests
  int status = 0;                  // responses
  std::string reason;
  int minor_version = 1;           // HTTP/1.x
  Headers headers;
  bool keep_alive() const;
  bool chunked() const;
  std::optional<uint64_t> content_length() const;

  // The response has no body whatever its header says (it answers HEAD). Before the first put.
  void no_body();

  struct Machine;

 private:
  std::unique_ptr<Machine> machine_;
};

}  // namespace drover::net
