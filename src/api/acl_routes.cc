// The routes of access control (reference http-api section 23). This version checks no tokens, and its agents refuse to
// start when they are told to: so every one of these answers as the reference does with access control switched off.
#include <algorithm>
#include <array>

#include "api/routes.h"

namespace drover::api {
namespace {

enum Methods : unsigned { kGet = 1, kWrite = 2, kDelete = 4 };

struct AclRoute {
  std::string_view pattern;
  unsigned methods;
  std::string_view without_name;  // the error of a path that ends where a name belongs; empty: the path needs none
};

constexpr std::array kRoutes = {
    AclRoute{"/v1/acl/policies", kGet, ""},
    AclRoute{"/v1/acl/policy/", kGet | kWrite | kDelete, "Missing Policy Name"},
    AclRoute{"/v1/acl/bootstrap", kWrite, ""},
    AclRoute{"/v1/acl/tokens", kGet, ""},
    AclRoute{"/v1/acl/token", kWrite, ""},
    AclRoute{"/v1/acl/token/", kGet | kWrite | kDelete, "Missing Token Accessor"},
    AclRoute{"/v1/acl/token/onetime", kWrite, ""},
    AclRoute{"/v1/acl/token/onetime/exchange", kWrite, ""},
    AclRoute{"/v1/acl/roles", kGet, ""},
    AclRoute{"/v1/acl/role", kWrite, ""},
    AclRoute{"/v1/acl/role/", kGet | kWrite | kDelete, "missing ACL role ID"},
    AclRoute{"/v1/acl/auth-methods", kGet, ""},
    AclRoute{"/v1/acl/auth-method", kWrite, ""},
    AclRoute{"/v1/acl/auth-method/", kGet | kWrite | kDelete, "missing ACL auth-method name"},
    AclRoute{"/v1/acl/binding-rules", kGet, ""},
    AclRoute{"/v1/acl/binding-rule", kWrite, ""},
    AclRoute{"/v1/acl/binding-rule/", kGet | kWrite | kDelete, "missing ACL binding rule ID"},
    AclRoute{"/v1/acl/oidc/auth-url", kWrite, ""},
    AclRoute{"/v1/acl/oidc/complete-auth", kWrite, ""},
    AclRoute{"/v1/acl/login", kWrite, ""},
};

bool takes(const AclRoute& route, const Call& call) {
  return ((route.methods & kGet) && call.is("GET")) || ((route.methods & kWrite) && call.is_write()) ||
         ((route.methods & kDelete) && call.is("DELETE"));
}

template <size_t kIndex>
Async<Result<Reply>> answer(Call& call) {
  constexpr AclRoute kRoute = kRoutes[kIndex];
  if (!takes(kRoute, call)) co_return method_error();
  if (!kRoute.without_name.empty() && call.rest.empty()) co_return invalid(std::string(kRoute.without_name));
  QueryOptions options;
  if (call.is("GET")) DROVER_CO_CHECK(call.parse_options(options));
  co_return invalid("ACL support disabled");
}

template <size_t... kIndex>
void add_rows(std::vector<Route>& routes, std::index_sequence<kIndex...>) {
  (routes.push_back({kRoutes[kIndex].pattern, answer<kIndex>}), ...);
}

}  // namespace

void add_acl_routes(std::vector<Route>& routes) { add_rows(routes, std::make_index_sequence<kRoutes.size()>()); }

}  // namespace drover::api
