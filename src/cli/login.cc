// login: a token for who proves to be somebody (reference cli section 9.9).
#include <fmt/format.h>
#include <sys/random.h>

#include "base/strings.h"
#include "cli/acl_tokens.h"
#include "cli/api.h"
#include "cli/browser.h"
#include "cli/misc_commands.h"
#include "net/address.h"
#include "net/blocking_http.h"
#include "net/http_server.h"
#include "net/url.h"

namespace drover::cli {
namespace {

constexpr Duration kLoginTime = std::chrono::minutes(5);

std::string nonce() {
  unsigned char bytes[16];
  if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return {};
  return hex_encode({reinterpret_cast<char*>(bytes), sizeof bytes});
}

struct Callback {
  std::string code, state;
};

// Waits on the callback address until the browser brings code and state.
Async<Result<Callback>> wait_for_browser(World& world, net::Network& network, net::Address address) {
  auto listener = network.listen(address);
  if (!listener) co_return std::move(listener).error().with_context("Error starting the local OIDC server");
  Promise<Result<Callback>> done;
  net::HttpServer server(world, {}, [done, &world](net::HttpRequest& r, net::HttpExchange& x) -> Async<void> {
    auto question = r.target.find('?');
    if (r.target.substr(0, question) != "/oidc/callback") {
      (void)co_await x.respond(404, "not found");
      co_return;
    }
    auto query = net::Query::parse(question == std::string::npos ? "" : std::string_view(r.target).substr(question + 1));
    x.headers().set("Content-Type", "text/html; charset=utf-8");
    (void)co_await x.respond(200, "<p>Logged in. This page can be closed.</p>");
    Callback got{std::string(query.get("code")), std::string(query.get("state"))};
    // From the loop, since the waiter destroys this server.
    auto answer = query.get("error").empty() ? Result<Callback>(std::move(got)) : internal(std::string(query.get("error")));
    auto to = done;
    to.set_from_any_thread(world.loop, std::move(answer));
  });
  server.add_listener(std::move(*listener));
  auto timer = world.loop.after(kLoginTime, [done]() mutable { done.set(Error(ErrorCode::kTimeout, "nobody logged in in time")); });
  co_return co_await done;
}

int login_oidc(Context& c, Api& api, const std::string& method) {
  auto address = c.args.text("oidc-callback-addr");
  ACLOIDCAuthURLRequest ask;
  ask.AuthMethodName = method;
  ask.RedirectURI = "http://" + address + "/oidc/callback";
  ask.ClientNonce = nonce();
  auto url = api.put_as<ACLOIDCAuthURLResponse>("/v1/acl/oidc/auth-url", ask);
  if (!url) return c.fail("Error performing login: " + url.error().message);
  auto where = net::Address::parse(replace_all(address, "localhost", "127.0.0.1"));
  if (!where) return c.fail("Error performing login: " + where.error().message);
  if (auto opened = open_in_browser(c.io, url->AuthURL); !opened) {
    c.ui.error("Error opening OIDC provider URL: " + opened.error().message);
    c.ui.output("Open this address in a browser to log in:\n\n" + url->AuthURL);
  }
  auto back = api.http().run(wait_for_browser(api.http().world(), api.http().network(), *where));
  if (!back) return c.fail("Error performing login: " + back.error().message);
  ACLOIDCCompleteAuthRequest complete;
  complete.AuthMethodName = method;
  complete.ClientNonce = ask.ClientNonce;
  complete.State = back->state;
  complete.Code = back->code;
  complete.RedirectURI = ask.RedirectURI;
  auto token = api.put_as<AclToken>("/v1/acl/oidc/complete-auth", complete);
  if (!token) return c.fail("Error performing login: " + token.error().message);
  c.ui.output(fmt::format("Successfully logged in via OIDC and {}\n", method));
  return show_token(c, *token);
}

int run_login(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  if (c.args.given("type")) c.ui.warn("warning: '-type' flag has been deprecated for nomad login command and will be ignored.");
  auto* api = c.connect();
  if (!api) return 1;
  auto methods = api->get_as<List<AuthMethodStub>>("/v1/acl/auth-methods");
  if (!methods) return c.fail("Error listing ACL auth methods: " + methods.error().message);
  auto wanted = c.args.text("method");
  const AuthMethodStub* method = nullptr;
  for (auto& m : *methods)
    if (wanted.empty() ? m.Default : m.Name == wanted) method = &m;
  if (!method && wanted.empty()) return c.fail("Must specify an auth method name, no default found");
  if (!method) return c.fail(fmt::format("Error: method {} not found in the state store.", wanted));
  if (method->Type == "OIDC") return login_oidc(c, *api, method->Name);
  auto secret = c.args.text("login-token");
  if (secret.empty()) return c.fail("You need to provide a login token.");
  ACLLoginRequest request;
  request.AuthMethodName = method->Name;
  request.LoginToken = secret;
  auto token = api->put_as<AclToken>("/v1/acl/login", request);
  if (!token) return c.fail("Error performing login: " + token.error().message);
  c.ui.output(fmt::format("Successfully logged in via {} and {}\n", method->Type, method->Name));
  return show_token(c, *token);
}

constexpr Flag kFlags[] = {
    {"method", FlagKind::kText, "=<name>", "The auth method; the default one if not given.", ""},
    {"type", FlagKind::kText, "", "", ""},
    {"login-token", FlagKind::kText, "=<jwt>", "The token of the other system, for methods that want one.", ""},
    {"oidc-callback-addr", FlagKind::kText, "=<addr>", "Where to wait for the browser. Defaults to localhost:4649.",
     "localhost:4649"},
    kJsonFlag, kTemplateFlag,
};

constexpr Command kCommands[] = {
    {.name = "login",
     .synopsis = "Login to Nomad using an auth method",
     .usage = "Usage: nomad login [options]",
     .about = "Logs in by an auth method and shows the token that comes of it.",
     .general = General::kNoNamespace,
     .options = "Login Options",
     .flags = kFlags,
     .run = run_login},
};

}  // namespace

std::span<const Command> login_commands() { return kCommands; }

}  // namespace drover::cli
