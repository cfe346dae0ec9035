#include "api/call.h"

#include <charconv>

#include <fmt/format.h>

#include "base/strings.h"

namespace drover::api {

int status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalid: return 400;
    case ErrorCode::kPermissionDenied: return 403;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kMethodNotAllowed: return 405;
    case ErrorCode::kConflict: return 409;
    case ErrorCode::kTooLarge: return 413;
    case ErrorCode::kNotImplemented: return 501;
    default: return 500;
  }
}

std::string_view number_fault(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  return digits ? "value out of range" : "invalid syntax";
}

Call::Call(Agent& a, net::HttpRequest& request, net::HttpExchange& x) : agent(a), http(request), exchange(x) {
  std::string_view target = http.target;
  auto question = target.find('?');
  auto decoded = net::path_unescape(target.substr(0, question));
  path = decoded ? *decoded : std::string(target.substr(0, question));
  if (question != std::string_view::npos) query = net::Query::parse(target.substr(question + 1));
}

std::string Call::token() const {
  if (auto t = trim_space(http.headers.get("X-Nomad-Token")); !t.empty()) return std::string(t);
  auto authorization = trim_space(http.headers.get("Authorization"));
  if (authorization.size() < 7 || !equal_fold(authorization.substr(0, 7), "bearer ")) return {};
  auto rest = trim_space(authorization.substr(7));
  return std::string(rest.substr(0, rest.find(' ')));
}

Status Call::parse_options(QueryOptions& o) {
  if (auto wait = query.get("wait"); !wait.empty()) {
    auto d = parse_duration(wait);
    if (!d) return invalid("Invalid wait time");
    o.MaxQueryTime = *d;
  }
  if (auto index = query.get("index"); !index.empty()) {
    uint64_t n = 0;
    auto [end, ec] = std::from_chars(index.data(), index.data() + index.size(), n);
    if (ec != std::errc() || end != index.data() + index.size()) return invalid("Invalid index");
    o.MinQueryIndex = n;
  }
  if (query.has("stale")) {
    auto value = query.get("stale");
    auto b = parse_bool(value);
    if (value.empty()) o.AllowStale = true;
    else if (b) o.AllowStale = *b;
    // The reference writes this and goes on with its answer behind it.
    else preamble = fmt::format("Expect `true` or `false` for `stale` query string parameter, got {}", value);
  }
  if (auto region = query.get("region"); !region.empty()) o.Region = region;
  else if (o.Region.empty()) o.Region = agent.region();
  if (auto ns = query.get("namespace"); !ns.empty()) o.Namespace = ns;
  else if (o.Namespace.empty()) o.Namespace = "default";
  if (auto t = token(); !t.empty()) o.AuthToken = t;
  o.Prefix = query.get("prefix");
  o.Filter = query.get("filter");
  o.NextToken = query.get("next_token");
  o.Reverse = query.get("reverse") == "true";
  if (auto n = parse_int(query.get("per_page")); n && *n >= INT32_MIN && *n <= INT32_MAX) o.PerPage = static_cast<int32_t>(*n);
  return {};
}

void Call::parse_write(drover::WriteRequest& w) const {
  if (auto ns = query.get("namespace"); !ns.empty()) w.Namespace = ns;
  else if (w.Namespace.empty()) w.Namespace = "default";
  if (auto region = query.get("region"); !region.empty()) w.Region = region;
  else if (w.Region.empty()) w.Region = agent.region();
  if (auto id = query.get("idempotency_token"); !id.empty()) w.IdempotencyToken = id;
  if (auto t = token(); !t.empty()) w.AuthToken = t;
}

Result<bool> Call::flag(std::string_view name, bool fallback) const {
  auto text = query.get(name);
  if (text.empty()) return fallback;
  auto b = parse_bool(text);
  if (!b)
    return internal(fmt::format("Failed to parse value of {} ({}) as a bool: strconv.ParseBool: parsing {}: invalid syntax",
                                go_quote(name), text, go_quote(text)));
  return *b;
}

Result<std::optional<int64_t>> Call::number(std::string_view name) const {
  auto text = query.get(name);
  if (text.empty()) return std::optional<int64_t>();
  auto n = parse_int(text);
  if (!n)
    return internal(fmt::format("Failed to parse value of {} ({}) as a int: strconv.Atoi: parsing {}: {}",
                                go_quote(name), text, go_quote(text), number_fault(text)));
  return std::optional<int64_t>(*n);
}

Async<Status> Call::body_into(const TypeInfo& type, void* value) {
  if (!has_body()) co_return invalid("Request body is empty");
  auto bytes = co_await exchange.read_body(kBodyMax);
  if (!bytes) {
    auto code = bytes.error().code == ErrorCode::kTooLarge ? ErrorCode::kTooLarge : ErrorCode::kInvalid;
    co_return Error(code, bytes.error().message);
  }
  co_return json_decode(type, value, *bytes);
}

bool Call::pretty() const { return query.has("pretty") && query.get("pretty") != "0"; }

Reply json_reply(const TypeInfo& type, const void* value, const JsonStyle& style) {
  Reply r;
  r.json = true;
  json_encode(type, value, r.body, style);
  return r;
}

JsonStyle Call::json_style() const { return {.pretty = pretty(), .sort_keys = true}; }

Reply Call::json_of(const TypeInfo& type, const void* value) { return json_reply(type, value, json_style()); }

void Call::set_index(uint64_t index) { exchange.headers().set("X-Nomad-Index", fmt::format("{}", index)); }

void Call::set_meta(const QueryMeta& meta) {
  set_index(meta.Index);
  exchange.headers().set("X-Nomad-KnownLeader", meta.KnownLeader ? "true" : "false");
  exchange.headers().set("X-Nomad-LastContact", fmt::format("{}", meta.LastContact.count() / 1'000'000));
  if (!meta.NextToken.empty()) exchange.headers().set("X-Nomad-NextToken", meta.NextToken);
}

}  // namespace drover::api
