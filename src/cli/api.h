// The HTTP API as commands use it (reference cli section 5): blocking calls, described structs in and out.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/json.h"
#include "codec/type_info.h"

namespace drover::net {
class BlockingHttp;
class Headers;
}  // namespace drover::net

namespace drover::cli {

using Params = std::vector<std::pair<std::string, std::string>>;

struct ApiSettings {
  std::string address = "http://127.0.0.1:4646";
  std::string region, space, token;  // space: the namespace
  std::string http_auth;             // "user:password"
  std::string ca_cert, ca_path, client_cert, client_key, tls_server_name;
  bool skip_verify = false;
  std::string http_proxy, https_proxy, no_proxy;
};

struct Reply {
  int status = 0;
  std::string reason;
  std::string body;
  uint64_t index = 0;
  std::string next_token;
  bool known_leader = false;
  std::vector<std::pair<std::string, std::string>> headers;
};

class Api {
 public:
  // Errors: `invalid address 'x': ...`, "Both client cert and client key must be provided", "Error loading CA File: ...".
  static Result<std::unique_ptr<Api>> make(ApiSettings settings);
  ~Api();

  const ApiSettings& settings() const { return settings_; }
  void set_region(std::string region) { settings_.region = std::move(region); }
  void set_namespace(std::string space) { settings_.space = std::move(space); }
  bool all_namespaces() const { return settings_.space == "*"; }

  // Any answer, whatever its status. `path` is escaped and may have a query.
  Result<Reply> ask(std::string_view method, std::string_view path, const Params& params = {}, std::string body = {},
                    const Params& headers = {});
  // The same for a whole URL.
  Result<Reply> ask_url(std::string_view method, std::string url, std::string body, const Params& headers);
  // An answer other than 200 is an error: "Unexpected response code: 404 (not found)", with a code to act on.
  Result<Reply> call(std::string_view method, std::string_view path, const Params& params = {}, std::string body = {});

  template <class T>
  Result<T> get_as(std::string_view path, const Params& params = {}) {
    return typed<T>("GET", path, params, {});
  }
  template <class T, class B>
  Result<T> put_as(std::string_view path, const B& body, const Params& params = {}) {
    return typed<T>("PUT", path, params, to_json(body));
  }
  template <class T>
  Result<T> delete_as(std::string_view path, const Params& params = {}) {
    return typed<T>("DELETE", path, params, {});
  }
  template <class T>
  Result<T> typed(std::string_view method, std::string_view path, const Params& params, std::string body) {
    T value{};
    DROVER_CHECK(into(type_of<T>(), &value, method, path, params, std::move(body)));
    return value;
  }
  template <class B>
  Status put(std::string_view path, const B& body, const Params& params = {}) {
    auto reply = call("PUT", path, params, to_json(body));
    if (!reply) return std::move(reply).error();
    return {};
  }
  Status put_empty(std::string_view path, const Params& params = {});
  Status remove(std::string_view path, const Params& params = {});

  // The body as it comes, until `on_bytes` says false; not-200 is an error as in call().
  Status stream(std::string_view path, const Params& params, const std::function<bool(std::string_view)>& on_bytes);
  // The same for bytes whose digest the answer's head names ("Digest: sha-256=..."), checked at the end ("mismatch checksum");
  // one that has no digest is refused before its first byte ("invalid digest format"). An error of `on_bytes` ends it.
  Status download(std::string_view path, const Params& params, const std::function<Status(std::string_view)>& on_bytes);
  // PUTs a body that comes in pieces, "" at its end. An answer other than 200 is an error as in call().
  Status upload(std::string_view path, std::function<Result<std::string>()> body);
  // Ends the call in progress, from any thread; it fails with kCancelled.
  void interrupt();

  // Index and page of the last answer.
  const Reply& last() const { return last_; }

  // A client for the node's own HTTP address, or this one where that cannot be reached (reference cli section 5).
  // Error: "node down".
  Result<Api*> for_node(std::string_view node_id);
  bool direct() const { return direct_; }

  // The whole URL with the query that every call has.
  std::string url(std::string_view path, const Params& params = {}) const;
  net::BlockingHttp& http();
  // Token and credentials.
  void add_headers(net::Headers& headers) const;

 private:
  explicit Api(ApiSettings settings);
  Status into(const TypeInfo& type, void* object, std::string_view method, std::string_view path, const Params& params,
              std::string body);

  ApiSettings settings_;
  std::string base_;  // scheme and host
  std::string unix_socket_;
  std::unique_ptr<net::BlockingHttp> http_;
  std::unique_ptr<Api> node_api_;
  bool direct_ = false;
  Reply last_;
};

// "Unexpected response code: 500 (why)".
Error unexpected_status(const Reply& reply);
// One segment of a path.
std::string escape(std::string_view segment);

}  // namespace drover::cli
