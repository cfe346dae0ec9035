// /v1/vars, /v1/var/... (reference http-api section 19), /v1/operator/keyring/... (24).
#include <fmt/format.h>

#include "api/routes.h"
#include "api/rpc_reply.h"
#include "base/strings.h"
#include "model/feature_requests.h"

namespace drover::api {
namespace {

// A bad option is written to the answer first and then called an error as well.
Status options_of_variable(Call& call, QueryOptions& options) {
  auto parsed = call.parse_options(options);
  if (!parsed) return invalid(parsed.error().message + "failed to parse parameters");
  return {};
}

Async<Result<Reply>> list_variables(Call& call) {
  if (!call.is("GET")) co_return method_error();
  rpc::VariablesListRequest req;
  DROVER_CO_CHECK(options_of_variable(call, req));
  auto resp = co_await call.rpc<rpc::VariablesListResponse>("Variables.List", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  call.set_meta(*resp);
  co_return call.json(resp->Data);
}

Async<Result<Reply>> read_variable(Call& call) {
  rpc::VariablesReadRequest req;
  DROVER_CO_CHECK(options_of_variable(call, req));
  req.Path = call.rest;
  auto resp = co_await call.rpc<rpc::VariablesReadResponse>("Variables.Read", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  call.set_meta(*resp);
  if (!resp->Data) co_return not_found("variable not found");
  co_return call.json(*resp->Data);
}

// The index that ?cas= names, if any.
Result<std::optional<uint64_t>> checked_index(const Call& call) {
  auto text = call.query.get("cas");
  if (text.empty()) return std::optional<uint64_t>();
  auto n = parse_uint(text);
  if (!n) return invalid(fmt::format("can not parse cas: strconv.ParseUint: parsing {}: invalid syntax", go_quote(text)));
  return std::optional<uint64_t>(*n);
}

Async<Result<rpc::VariablesApplyResponse>> apply_variable(Call& call, rpc::VariablesApplyRequest req) {
  call.parse_write(req);
  if (req.Var->Namespace.empty()) req.Var->Namespace = req.Namespace;
  auto resp = co_await call.rpc<rpc::VariablesApplyResponse>("Variables.Apply", std::move(req));
  call.set_index(resp ? resp->Index : 0);
  co_return resp;
}

// The stored variable, with a status that says it was not touched. Its type is guessed by the bytes.
Reply conflict(Call& call, const VariableDecrypted& stored) {
  auto reply = call.json(stored);
  reply.status = 409;
  reply.json = false;
  return reply;
}

Async<Result<Reply>> write_variable(Call& call) {
  rpc::VariablesApplyRequest req;
  req.Op = "set";
  auto& v = req.Var.emplace();
  auto decoded = co_await call.body(v);
  if (!decoded) co_return Error(std::move(decoded).error());
  if (v.Items.empty()) co_return invalid("variable missing required Items object");
  v.Path = call.rest;
  DROVER_CO_TRY(auto cas, checked_index(call));
  if (cas) {
    req.Op = "cas";
    v.ModifyIndex = *cas;
  }
  auto resp = co_await apply_variable(call, std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  if (resp->Conflict) co_return conflict(call, *resp->Conflict);
  co_return call.json(*resp->Output);
}

Async<Result<Reply>> delete_variable(Call& call) {
  rpc::VariablesApplyRequest req;
  req.Op = "delete";
  req.Var.emplace().Path = call.rest;
  DROVER_CO_TRY(auto cas, checked_index(call));
  if (cas) {
    req.Op = "delete-cas";
    req.Var->ModifyIndex = *cas;
  }
  auto resp = co_await apply_variable(call, std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  if (resp->Conflict) co_return conflict(call, *resp->Conflict);
  co_return Reply{.status = 204};
}

Async<Result<Reply>> one_variable(Call& call) {
  if (call.rest.empty()) return at_once(invalid("missing variable path"));
  if (call.is("GET")) return read_variable(call);
  if (call.is_write()) return write_variable(call);
  if (call.is("DELETE")) return delete_variable(call);
  return at_once(invalid("Invalid method"));
}

// ---- root keys -----------------------------------------------------------------------------------------------------

Async<Result<Reply>> keyring(Call& call) {
  std::string_view path = call.rest;
  if (path.starts_with("keys")) {
    if (!call.is("GET")) return at_once(method_error());
    return reply_member<rpc::KeyringListRootKeyMetaResponse>(call, "Keyring.List", rpc::GenericRequest{},
                                                                        &rpc::KeyringListRootKeyMetaResponse::Keys);
  }
  if (path.starts_with("key")) {
    if (!call.is("DELETE")) return at_once(method_error());
    rpc::KeyringDeleteRootKeyRequest req;
    req.KeyID = path.starts_with("key/") ? path.substr(4) : "";
    return reply_write<KeyringDeleteRootKeyResponse>(call, "Keyring.Delete", std::move(req));
  }
  if (!path.starts_with("rotate") || !call.is_write()) return at_once(method_error());
  rpc::KeyringRotateRootKeyRequest req;
  req.Full = call.query.has("full");
  return reply_write<KeyringRotateRootKeyResponse>(call, "Keyring.Rotate", std::move(req));
}

}  // namespace

void add_variable_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/vars", list_variables, kCorsRead});
  routes.push_back({"/v1/var/", one_variable, kCorsWrite});
  routes.push_back({"/v1/operator/keyring/", keyring});
}

}  // namespace drover::api
