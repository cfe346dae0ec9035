#include "cli/api.h"

#include <fmt/format.h>

#include "archive/sha256.h"
#include "base/strings.h"
#include "model/node.h"
#include "net/blocking_http.h"
#include "net/url.h"

namespace drover::cli {
namespace {

ErrorCode code_of(int status) {
  switch (status) {
    case 400: return ErrorCode::kInvalid;
    case 403: return ErrorCode::kPermissionDenied;
    case 404: return ErrorCode::kNotFound;
    case 405: return ErrorCode::kMethodNotAllowed;
    case 409: return ErrorCode::kConflict;
    default: return ErrorCode::kInternal;
  }
}

}  // namespace

std::string escape(std::string_view segment) { return net::path_escape(segment); }

Error unexpected_status(const Reply& reply) {
  return Error(code_of(reply.status), fmt::format("Unexpected response code: {} ({})", reply.status, trim_space(reply.body)));
}

Api::Api(ApiSettings settings) : settings_(std::move(settings)) {}
Api::~Api() = default;
net::BlockingHttp& Api::http() { return *http_; }

Result<std::unique_ptr<Api>> Api::make(ApiSettings settings) {
  auto parsed = net::Url::parse(settings.address);
  if (!parsed) return invalid(fmt::format("invalid address '{}': {}", settings.address, parsed.error().message));
  std::unique_ptr<Api> api(new Api(std::move(settings)));
  auto& s = api->settings_;
  if (parsed->user && s.http_auth.empty() == false) s.http_auth.clear();
  if (parsed->user) s.http_auth = parsed->user->first + ":" + parsed->user->second.value_or("");
  net::HttpClientOptions options;
  if (parsed->scheme == "unix") {
    options.unix_socket = parsed->path;
    api->base_ = "http://127.0.0.1";
  } else {
    api->base_ = parsed->scheme + "://" + parsed->host;
  }
  if (s.client_cert.empty() != s.client_key.empty()) return invalid("Both client cert and client key must be provided");
  if (parsed->scheme == "https") {
    net::TlsClientOptions tls{.ca_file = s.ca_cert, .ca_path = s.ca_path, .cert_file = s.client_cert,
                              .key_file = s.client_key, .skip_verify = s.skip_verify};
    if (!s.ca_cert.empty()) tls.ca_path.clear();
    auto context = net::make_tls_client(tls);
    if (!context) {
      auto message = context.error().message;
      if (auto at = message.find("open "); !s.ca_cert.empty() && at != message.npos && message.find(s.ca_cert) != message.npos)
        message = "Error loading CA File: " + message.substr(at);
      return invalid(std::move(message));
    }
    options.tls = *context;
    options.tls_server_name = s.tls_server_name;
  }
  options.proxy = {s.http_proxy, s.https_proxy, s.no_proxy};
  api->http_ = std::make_unique<net::BlockingHttp>(std::move(options));
  return api;
}

void Api::add_headers(net::Headers& headers) const {
  if (!settings_.token.empty()) headers.set("X-Nomad-Token", settings_.token);
  if (!settings_.http_auth.empty()) headers.set("Authorization", "Basic " + base64_encode(settings_.http_auth));
}

std::string Api::url(std::string_view path, const Params& params) const {
  auto question = path.find('?');
  net::Query query;
  if (question != path.npos) query = net::Query::parse(path.substr(question + 1));
  if (!settings_.region.empty() && !query.has("region")) query.set("region", settings_.region);
  if (!settings_.space.empty() && !query.has("namespace")) query.set("namespace", settings_.space);
  for (auto& [key, value] : params) query.add(key, value);
  // A namespace or region of the call itself replaces the general one.
  for (auto& [key, value] : params) {
    if (key != "namespace" && key != "region") continue;
    if (value.empty()) query.remove(key);
    else query.set(key, value);
  }
  auto text = query.encode();
  return base_ + std::string(path.substr(0, question)) + (text.empty() ? "" : "?" + text);
}

Result<Reply> Api::ask(std::string_view method, std::string_view path, const Params& params, std::string body,
                       const Params& headers) {
  return ask_url(method, url(path, params), std::move(body), headers);
}

Result<Reply> Api::ask_url(std::string_view method, std::string url, std::string body, const Params& headers) {
  net::HttpCall call;
  call.method = method;
  call.url = std::move(url);
  call.body = std::move(body);
  add_headers(call.headers);
  for (auto& [name, value] : headers) call.headers.set(name, value);
  auto response = http_->call(std::move(call));
  if (!response) return std::move(response).error();
  Reply reply;
  reply.status = response->status;
  reply.reason = response->reason;
  reply.body = std::move(response->body);
  reply.index = parse_uint(response->headers.get("X-Nomad-Index")).value_or(0);
  reply.known_leader = response->headers.get("X-Nomad-KnownLeader") == "true";
  reply.next_token = response->headers.get("X-Nomad-NextToken");
  for (auto& [name, value] : response->headers) reply.headers.emplace_back(name, value);
  return reply;
}

Result<Reply> Api::call(std::string_view method, std::string_view path, const Params& params, std::string body) {
  auto reply = ask(method, path, params, std::move(body));
  if (!reply) return reply;
  last_ = *reply;
  last_.body.clear();
  if (reply->status != 200) return unexpected_status(*reply);
  return reply;
}

Status Api::into(const TypeInfo& type, void* object, std::string_view method, std::string_view path, const Params& params,
                 std::string body) {
  auto reply = call(method, path, params, std::move(body));
  if (!reply) return std::move(reply).error();
  if (reply->body.empty()) return internal("Got 0 byte response with non-nil decode object");
  return json_decode(type, object, reply->body);
}

Status Api::put_empty(std::string_view path, const Params& params) {
  auto reply = call("PUT", path, params);
  if (!reply) return std::move(reply).error();
  return {};
}

Status Api::remove(std::string_view path, const Params& params) {
  auto reply = call("DELETE", path, params);
  if (!reply) return std::move(reply).error();
  return {};
}

Status Api::stream(std::string_view path, const Params& params, const std::function<bool(std::string_view)>& on_bytes) {
  net::HttpCall call;
  call.url = url(path, params);
  add_headers(call.headers);
  Reply refused;
  auto done = http_->stream(
      std::move(call),
      [&](const net::HttpResponse& head) {
        refused.status = head.status;
        return true;
      },
      [&](std::string_view bytes) {
        if (refused.status == 200) return on_bytes(bytes);
        refused.body += bytes;
        return true;
      });
  DROVER_CHECK(std::move(done));
  if (refused.status != 200) return unexpected_status(refused);
  return {};
}

Status Api::download(std::string_view path, const Params& params, const std::function<Status(std::string_view)>& on_bytes) {
  net::HttpCall call;
  call.url = url(path, params);
  add_headers(call.headers);
  Reply refused;
  std::string wanted;
  archive::Sha256 sha;
  Status written;
  auto done = http_->stream(
      std::move(call),
      [&](const net::HttpResponse& head) {
        refused.status = head.status;
        wanted = head.headers.get("Digest");
        return refused.status != 200 || wanted.find('=') != wanted.npos;
      },
      [&](std::string_view bytes) {
        if (refused.status != 200) return refused.body += bytes, true;
        sha.update(bytes);
        written = on_bytes(bytes);
        return static_cast<bool>(written);
      });
  if (done && refused.status != 200) return unexpected_status(refused);
  if (refused.status == 200 && wanted.find('=') == wanted.npos) return internal("invalid digest format");
  DROVER_CHECK(std::move(done));
  DROVER_CHECK(std::move(written));
  if (wanted != "sha-256=" + base64_encode(sha.finish())) return internal("mismatch checksum");
  return {};
}

Status Api::upload(std::string_view path, std::function<Result<std::string>()> body) {
  net::HttpCall call;
  call.method = "PUT";
  call.url = url(path);
  call.body_source = std::move(body);
  add_headers(call.headers);
  auto response = http_->call(std::move(call));
  if (!response) return std::move(response).error();
  Reply reply{.status = response->status, .body = std::move(response->body)};
  if (reply.status != 200) return unexpected_status(reply);
  return {};
}

void Api::interrupt() {
  http_->interrupt();
  if (node_api_) node_api_->interrupt();
}

Result<Api*> Api::for_node(std::string_view node_id) {
  auto node = get_as<Node>("/v1/node/" + escape(node_id));
  if (!node) return std::move(node).error();
  if (node->Status == "down") return internal("node down");
  if (node->HTTPAddr.empty()) return this;
  ApiSettings settings = settings_;
  settings.address = (node->TLSEnabled ? "https://" : "http://") + node->HTTPAddr;
  if (node->TLSEnabled)
    settings.tls_server_name = fmt::format("client.{}.nomad", settings_.region.empty() ? "global" : settings_.region);
  auto direct = make(std::move(settings));
  if (!direct) return this;
  // One cheap call tells whether the node can be reached from here; any answer will do.
  net::HttpCall probe;
  probe.url = (*direct)->base_ + "/v1/agent/health";
  probe.timeout = 1s;
  if (!(*direct)->http_->call(std::move(probe))) return this;
  node_api_ = std::move(*direct);
  node_api_->direct_ = true;
  return node_api_.get();
}

}  // namespace drover::cli
