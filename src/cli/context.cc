#include <fmt/format.h>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/command.h"

namespace drover::cli {
namespace {

ApiSettings settings_of(const Args& args, const Io& io) {
  ApiSettings s;
  // An empty variable counts as unset; a flag wins.
  auto pick = [&](std::string& to, std::string_view flag, std::string_view variable) {
    auto text = args.text(flag);
    if (text.empty()) text = io.getenv(variable);
    if (!text.empty()) to = text;
  };
  pick(s.address, "address", "NOMAD_ADDR");
  pick(s.region, "region", "NOMAD_REGION");
  pick(s.space, "namespace", "NOMAD_NAMESPACE");
  pick(s.token, "token", "NOMAD_TOKEN");
  pick(s.ca_cert, "ca-cert", "NOMAD_CACERT");
  pick(s.ca_path, "ca-path", "NOMAD_CAPATH");
  pick(s.client_cert, "client-cert", "NOMAD_CLIENT_CERT");
  pick(s.client_key, "client-key", "NOMAD_CLIENT_KEY");
  pick(s.tls_server_name, "tls-server-name", "NOMAD_TLS_SERVER_NAME");
  s.skip_verify = args.on("tls-skip-verify") || args.on("insecure") || parse_bool(io.getenv("NOMAD_SKIP_VERIFY")).value_or(false);
  s.http_auth = io.getenv("NOMAD_HTTP_AUTH");
  auto either = [&](std::string_view upper) {
    auto value = io.getenv(upper);
    return value.empty() ? io.getenv(to_lower(upper)) : value;
  };
  s.http_proxy = either("HTTP_PROXY");
  s.https_proxy = either("HTTPS_PROXY");
  s.no_proxy = either("NO_PROXY");
  return s;
}

}  // namespace

Context::Context(const Command& command, Args args, const Io& io, bool color, std::span<const std::string> words)
    : command(command), args(std::move(args)), io(io), ui(io, color), words(words) {}
Context::~Context() = default;

Result<Api*> Context::api() {
  if (!api_) {
    auto made = Api::make(settings_of(args, io));
    if (!made) return std::move(made).error();
    api_ = std::move(*made);
  }
  return api_.get();
}

Api* Context::connect() {
  auto a = api();
  if (a) return *a;
  fail("Error initializing client: " + a.error().message);
  return nullptr;
}

int Context::fail(std::string_view message) const {
  ui.error(message);
  return 1;
}

int Context::misuse(std::string_view message) const {
  ui.error(message);
  ui.error(fmt::format("For additional help try 'nomad {} -help'", command.self.empty() ? command.name : command.self));
  return 1;
}

Time Context::now() const { return io.now(); }

std::optional<int> confirm(const Context& c, std::string_view question, std::string_view cancelled) {
  auto answer = c.ui.ask(question);
  if (!answer) {
    return c.fail("Failed to parse answer: " + answer.error().message);
  }
  auto& text = *answer;
  if (text.empty() || to_lower(text.substr(0, 1)) == "n") {
    c.ui.output(cancelled);
    return 0;
  }
  if (to_lower(text.substr(0, 1)) == "y" && text.size() > 1) {
    c.ui.output("For confirmation, an exact ‘y’ is required.");
    return 0;
  }
  if (text != "y") {
    c.ui.output("No confirmation detected. For confirmation, an exact 'y' is required.");
    return 1;
  }
  return std::nullopt;
}

}  // namespace drover::cli
