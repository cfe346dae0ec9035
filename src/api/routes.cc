#include "api/routes.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/turns.h"

namespace drover::api {
namespace {

std::string html_escape(std::string_view s) {
  std::string out;
  for (char c : s) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

// As Go's http.Redirect answers.
Async<void> redirect(Call& call, int status, std::string location) {
  call.exchange.headers().set("Location", location);
  std::string body;
  if (call.is("GET") || call.is("HEAD")) {
    call.exchange.headers().set("Content-Type", "text/html; charset=utf-8");
    if (call.is("GET")) body = fmt::format("<a href=\"{}\">{}</a>.\n\n", html_escape(location), net::status_text(status));
  }
  (void)co_await call.exchange.respond(status, std::move(body));
}

std::string with_query(std::string_view path, std::string_view target) {
  auto question = target.find('?');
  return std::string(path) + (question == std::string_view::npos ? "" : std::string(target.substr(question)));
}

bool cors_allows(unsigned flags, std::string_view method) {
  if (flags & kCorsWrite) return method == "HEAD" || method == "GET" || method == "PUT" || method == "DELETE";
  return (flags & kCorsRead) && (method == "HEAD" || method == "GET");
}

// Answers a preflight request; false when this is none.
Async<bool> preflight(Call& call, unsigned flags) {
  auto method = call.http.headers.get("Access-Control-Request-Method");
  if (!call.is("OPTIONS") || method.empty()) co_return false;
  auto& h = call.exchange.headers();
  h.add("Vary", "Origin");
  h.add("Vary", "Access-Control-Request-Method");
  h.add("Vary", "Access-Control-Request-Headers");
  if (call.http.headers.has("Origin") && cors_allows(flags, method)) {
    h.set("Access-Control-Allow-Origin", "*");
    h.set("Access-Control-Allow-Methods", std::string(method));
    if (auto asked = call.http.headers.get("Access-Control-Request-Headers"); !asked.empty())
      h.set("Access-Control-Allow-Headers", std::string(asked));
    h.set("Access-Control-Allow-Credentials", "true");
  }
  (void)co_await call.exchange.respond(204, "");
  co_return true;
}

void cors_headers(Call& call, unsigned flags) {
  call.exchange.headers().add("Vary", "Origin");
  if (!call.http.headers.has("Origin") || !cors_allows(flags, call.http.method)) return;
  call.exchange.headers().set("Access-Control-Allow-Origin", "*");
  call.exchange.headers().set("Access-Control-Allow-Credentials", "true");
}

constexpr std::string_view kDenied = "Permission denied";
constexpr std::string_view kNoToken = "ACL token not found";

// The status and text of an error, by the reference's first matching rule.
std::pair<int, std::string> describe(const Error& e) {
  int status = status_of(e);
  if (e.message.ends_with(kDenied) && status == 500) return {403, std::string(kDenied)};
  if (e.message.ends_with(kNoToken) && status == 500) return {403, std::string(kNoToken)};
  return {status, e.message};
}

Async<void> answer(Call& call, Result<Reply> result) {
  auto& x = call.exchange;
  if (!result) {
    auto [status, text] = describe(result.error());
    log_error("http", "request failed", {{"method", call.http.method}, {"path", call.http.target}, {"error", text},
                                         {"code", fmt::format("{}", status)}});
    if (!call.preamble.empty()) text = call.preamble + text, status = 400;
    if (call.is("HEAD")) {
      x.headers().set("Content-Type", "text/plain; charset=utf-8");
      text.clear();
    }
    if (!x.started()) (void)co_await x.respond(status, std::move(text));
    co_return;
  }
  auto& reply = *result;
  if (reply.sent || x.started()) co_return;
  // Once a status line went out ahead of the JSON, its type is guessed by the bytes.
  if (!call.preamble.empty()) {
    for (auto name : {"X-Nomad-Index", "X-Nomad-KnownLeader", "X-Nomad-LastContact", "X-Nomad-NextToken"}) x.headers().remove(name);
    (void)co_await x.respond(400, call.preamble + reply.body);
    co_return;
  }
  if (!reply.content_type.empty()) x.headers().set("Content-Type", reply.content_type);
  else if (reply.json) x.headers().set("Content-Type", "application/json");
  (void)co_await x.respond(reply.status, std::move(reply.body));
}

Async<void> serve(Agent& agent, net::HttpRequest& request, net::HttpExchange& exchange) {
  // In full, as some clients ask through a proxy.
  if (!request.target.starts_with('/'))
    if (auto url = net::Url::parse_request_target(request.target); url && !url->host.empty()) request.target = url->request_target();
  if (request.target == "*") {  // about the server, not a path
    (void)co_await exchange.respond(request.method == "OPTIONS" ? 200 : 400, "");
    co_return;
  }
  Call call(agent, request, exchange);
  if (auto clean = net::clean_path(call.path); clean != call.path && !call.is("CONNECT")) {
    co_await redirect(call, 301, with_query(clean, request.target));
    co_return;
  }
  auto* route = find_route(call.path, call.rest);
  if (!route) {
    std::string ignored;
    // A folder asked for without its slash.
    if (auto folder = call.path + "/"; !call.is("CONNECT") && find_route(folder, ignored) && ignored.empty())
      co_await redirect(call, 301, with_query(folder, request.target));
    else if (call.path == "/") co_await redirect(call, 307, with_query("/ui/", request.target));
    else (void)co_await exchange.respond(404, "");
    co_return;
  }
  for (auto& [name, value] : agent.response_headers()) exchange.headers().set(name, value);
  if (route->flags) {
    if (co_await preflight(call, route->flags)) co_return;
    cors_headers(call, route->flags);
  }
  auto begun = agent.world().clock.monotonic();
  note_turn(route->pattern);
  co_await answer(call, co_await route->handle(call));
  if (!log_wants(LogLevel::kDebug)) co_return;
  auto took = agent.world().clock.monotonic() - begun;
  log_debug("http", "request complete", {{"method", request.method}, {"path", request.target}, {"duration", format_duration(took)}});
}

}  // namespace

const std::vector<Route>& routes() {
  static const std::vector<Route> table = [] {
    std::vector<Route> all;
    for (auto add : {add_job_routes, add_node_routes, add_alloc_routes, add_eval_routes, add_deployment_routes,
                     add_operator_routes, add_namespace_routes, add_client_routes, add_agent_routes, add_search_routes,
                     add_scaling_routes, add_variable_routes, add_csi_routes, add_acl_routes, add_event_routes, add_snapshot_routes,
                     add_other_routes})
      add(all);
    std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.pattern < b.pattern; });
    for (size_t i = 1; i < all.size(); ++i) DROVER_ASSERT(all[i - 1].pattern != all[i].pattern, "a pattern has one route");
    return all;
  }();
  return table;
}

const Route* find_route(std::string_view path, std::string& rest) {
  const Route* best = nullptr;
  for (auto& r : routes()) {
    bool matches = r.pattern.ends_with('/') ? path.starts_with(r.pattern) : path == r.pattern;
    if (matches && (!best || r.pattern.size() > best->pattern.size())) best = &r;
  }
  if (best && best->pattern.ends_with('/')) rest = path.substr(best->pattern.size());
  return best;
}

net::HttpHandler http_handler(Agent& agent) {
  return [&agent](net::HttpRequest& request, net::HttpExchange& exchange) { return serve(agent, request, exchange); };
}

}  // namespace drover::api
