// operator api: one request, as it is.
#include <fmt/format.h>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/misc_commands.h"
#include "net/headers.h"
#include "net/url.h"

namespace drover::cli {
namespace {

struct Request {
  std::string method;
  std::string url;
  bool has_body = false;
  Params headers;
};

// The address's URL with the argument's path, and the general parameters where the argument lacks them.
Result<Request> make_request(const Context& c, const Api& api) {
  auto& s = api.settings();
  Request r;
  r.has_body = c.io.stdin_piped;
  r.method = c.args.text("X");
  if (r.method.empty()) r.method = r.has_body ? "POST" : "GET";
  DROVER_TRY(auto base, net::Url::parse(s.address));
  auto text = c.args.rest[0];
  if (!text.starts_with("http://") && !text.starts_with("https://")) {
    bool tls = !s.ca_cert.empty() || !s.ca_path.empty() || !s.client_cert.empty() || !s.client_key.empty() ||
               !s.tls_server_name.empty() || s.skip_verify;
    text = fmt::format("{}://{}", tls ? "https" : base.scheme, text);
  }
  auto parsed = net::Url::parse(text);
  if (!parsed) return invalid("Error turning path into URL: " + parsed.error().message);
  if (parsed->host.empty()) {
    parsed->host = base.host;
    if (!parsed->user) parsed->user = base.user;
  }
  auto query = net::Query::parse(parsed->raw_query);
  if (auto filter = c.args.text("filter"); !filter.empty()) query.set("filter", filter);
  if (!s.region.empty() && !query.has("region")) query.set("region", s.region);
  if (!s.space.empty() && !query.has("namespace")) query.set("namespace", s.space);
  parsed->raw_query = query.encode();
  r.url = parsed->str();
  for (auto& header : c.args.list("H")) {
    auto colon = header.find(':');
    if (colon == header.npos) return invalid(fmt::format("Error parsing header {}", go_quote(header)));
    r.headers.emplace_back(trim_space(std::string_view(header).substr(0, colon)),
                           trim_space(std::string_view(header).substr(colon + 1)));
  }
  return r;
}

// The same request as a curl command. Secrets of the environment stay there.
int dry_run(const Context& c, const Request& r) {
  std::vector<std::string> parts{"curl"};
  if (c.args.on("verbose")) parts.emplace_back("--verbose");
  parts.push_back("-X " + r.method);
  if (r.has_body) parts.emplace_back("--data-binary @-");
  auto file = [&](std::string_view option, std::string_view flag, std::string_view variable) {
    auto value = c.args.text(flag);
    if (!value.empty()) parts.push_back(fmt::format("{} {}", option, go_quote(value)));
    else if (!c.io.getenv(variable).empty()) parts.push_back(fmt::format("{} \"${}\"", option, variable));
  };
  file("--cacert", "ca-cert", "NOMAD_CACERT");
  file("--capath", "ca-path", "NOMAD_CAPATH");
  file("--cert", "client-cert", "NOMAD_CLIENT_CERT");
  file("--key", "client-key", "NOMAD_CLIENT_KEY");
  if (auto name = c.args.text("tls-server-name"); !name.empty()) {
    auto parsed = net::Url::parse(r.url);
    if (parsed) parts.push_back(fmt::format("--connect-to \"{}:{}:{}\"", name, parsed->port(), parsed->host));
  }
  if (c.args.on("tls-skip-verify") || c.args.on("insecure")) parts.emplace_back("--insecure");
  for (auto& [name, value] : r.headers) parts.push_back(fmt::format("-H '{}: {}'", name, value));
  if (auto token = c.args.text("token"); !token.empty()) parts.push_back(fmt::format("-H 'X-Nomad-Token: {}'", token));
  else if (!c.io.getenv("NOMAD_TOKEN").empty()) parts.emplace_back("-H \"X-Nomad-Token: ${NOMAD_TOKEN}\"");
  if (!c.io.getenv("NOMAD_HTTP_AUTH").empty()) parts.emplace_back("-u \"$NOMAD_HTTP_AUTH\"");
  parts.push_back(r.url);
  c.ui.output(join(parts, " \\\n  "));
  return 0;
}

int run_api(Context& c) {
  if (c.args.rest.empty()) return c.misuse("A path or URL is required");
  if (auto n = c.args.rest.size(); n > 1)
    return c.misuse(fmt::format("operator api accepts exactly 1 argument, but {} arguments were found", n));
  auto* api = c.connect();
  if (!api) return 1;
  auto request = make_request(c, *api);
  if (!request) return c.fail(request.error().message);
  if (c.args.on("dryrun")) return dry_run(c, *request);
  bool verbose = c.args.on("verbose");
  auto note = [&](const std::string& text) {
    if (verbose) c.io.err(text + "\n");
  };
  std::string body;
  if (request->has_body) {
    note("* Reading request body from stdin.");
    body = c.io.read_all();
  }
  note(fmt::format("> {} {}", request->method, request->url));
  for (auto& [name, value] : request->headers) note(fmt::format("> {}: {}", name, value));
  note("* Sending request and receiving response...");
  auto reply = api->ask_url(request->method, request->url, std::move(body), request->headers);
  if (!reply) return c.fail("Error performing request: " + reply.error().message);
  note(fmt::format("< HTTP/1.1 {} {}", reply->status, reply->reason));
  for (auto& [name, value] : reply->headers) note(fmt::format("< {}: {}", name, value));
  c.io.out(reply->body);
  return 0;
}

constexpr Flag kFlags[] = {
    {"dryrun", FlagKind::kBool, "", "Print the request as a curl command and send nothing.", ""},
    {"filter", FlagKind::kText, " <expression>", "Filter expression to send along.", ""},
    {"verbose", FlagKind::kBool, "", "Show the request and the answer's header on standard error.", ""},
    {"H", FlagKind::kList, " <header>", "Header field to add, \"Name: value\". May be given several times.", ""},
    {"X", FlagKind::kText, " <method>", "Method. Defaults to GET, or to POST when there is a body on standard input.", ""},
};

constexpr Command kCommands[] = {
    {.name = "operator api",
     .synopsis = "Query Nomad's HTTP API",
     .usage = "Usage: nomad operator api [options] <path>",
     .about = "Sends a request to the API and prints the answer. Address, TLS and token are those of all\n"
              "commands. What stands on standard input is sent as body.",
     .general = General::kAll,
     .options = "API Specific Options",
     .flags = kFlags,
     .run = run_api,
     .bad_flags_note = "Error parsing flags: %s"},
};

}  // namespace

std::span<const Command> operator_api_commands() { return kCommands; }

}  // namespace drover::cli
