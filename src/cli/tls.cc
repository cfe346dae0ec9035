// tls ca create, ca info, cert create, cert info.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/certificates.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/misc_commands.h"

namespace drover::cli {
namespace {

constexpr std::string_view kDefaultDomain = "nomad";
constexpr mode_t kCertMode = 0666, kKeyMode = 0600;

std::string list_text(const std::vector<std::string>& l) { return "[" + join(l, " ") + "]"; }

// What all commands of this file say of a second argument; the first one of "create" is not looked at.
constexpr std::string_view kUpToOne = "This command takes up to one argument";

int run_ca_create(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse(kUpToOne);
  auto domain = c.args.text("domain");
  bool constrained = c.args.on("name-constraint"), own_domain = domain != kDefaultDomain;
  if (own_domain && !constrained) return c.fail("Please provide the -name-constraint flag to use a custom domain constraint");
  if (constrained && !own_domain) return c.fail("Please provide the -domain flag if you want to enable custom domain constraints");
  auto cert_file = domain + "-agent-ca.pem", key_file = domain + "-agent-ca-key.pem";
  if (exists(cert_file)) return c.fail(fmt::format("CA certificate file '{}' already exists", cert_file));
  if (exists(key_file)) return c.fail(fmt::format("CA key file '{}' already exists", key_file));
  AuthorityRequest request;
  request.common_name = c.args.text("common-name");
  request.days = static_cast<int>(c.args.number("days"));
  if (constrained) {
    request.permitted_domains = {domain, "localhost", std::string(kDefaultDomain)};
    for (auto& extra : c.args.list("additional-domain")) request.permitted_domains.push_back(extra);
  }
  auto made = make_authority(request, c.now());
  if (!made) return c.fail(made.error().message);
  if (auto done = write_file(cert_file, made->certificate, kCertMode); !done) return c.fail(done.error().message);
  c.ui.output("==> CA certificate saved to: " + cert_file);
  if (auto done = write_file(key_file, made->key, kKeyMode); !done) return c.fail(done.error().message);
  c.ui.output("==> CA certificate key saved to: " + key_file);
  return 0;
}

int run_ca_info(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse(kUpToOne);
  if (c.args.rest.empty()) return c.misuse("This command takes one argument: <CA file>");
  auto pem = read_file(c.args.rest[0]);
  if (!pem) return c.fail("Error reading CA file: " + pem.error().message);
  auto facts = read_certificate(*pem);
  if (!facts) return c.fail("Error parsing CA file: " + facts.error().message);
  c.ui.output(plain_table({"Serial Number|" + facts->serial, "Issuer CN|" + facts->issuer_cn, "Common Name|" + facts->subject,
                           "Expiry Date|" + go_time(facts->not_after),
                           "Permitted DNS Domains|" + list_text(facts->permitted_domains)}));
  return 0;
}

struct Kind {
  std::string_view flag, title, key_title;
  bool loopback;
};
constexpr Kind kKinds[] = {
    {"server", "Server", "Server", true}, {"client", "Client", "Client", true}, {"cli", "Cli", "CLI", false}};

CertificateRequest request_for(const Context& c, const Kind& kind, const std::string& region, const std::string& domain) {
  CertificateRequest r;
  r.days = static_cast<int>(c.args.number("days"));
  r.common_name = fmt::format("{}.{}.{}", kind.flag, region, domain);
  auto add = [&](const std::string& name) {
    if (std::find(r.dns_names.begin(), r.dns_names.end(), name) == r.dns_names.end()) r.dns_names.push_back(name);
  };
  for (auto& name : c.args.list("additional-dnsname")) add(name);
  add(r.common_name);
  add(fmt::format("{}.{}.nomad", kind.flag, region));
  if (region != "global") add(fmt::format("{}.global.nomad", kind.flag));
  add("localhost");
  r.ips = c.args.list("additional-ipaddress");
  if (kind.loopback) r.ips.emplace_back("127.0.0.1");
  return r;
}

std::string region_of(const Context& c) {
  for (auto flag : {"cluster-region", "region"})
    if (auto text = c.args.text(flag); !text.empty()) return text;
  auto text = c.io.getenv("NOMAD_REGION");
  return text.empty() ? "global" : text;
}

int run_cert_create(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse(kUpToOne);
  const Kind* kind = nullptr;
  int chosen = 0;
  for (auto& k : kKinds)
    if (c.args.on(k.flag)) {
      kind = &k;
      ++chosen;
    }
  if (chosen != 1) return c.fail("Please provide either -server, -client, or -cli");
  auto domain = c.args.text("domain"), region = region_of(c);
  auto stem = fmt::format("{}-{}-{}", region, kind->flag, domain);
  auto cert_file = stem + ".pem", key_file = stem + "-key.pem";
  if (exists(cert_file)) return c.fail(fmt::format("Certificate file '{}' already exists", cert_file));
  if (exists(key_file)) return c.fail(fmt::format("Key file '{}' already exists", key_file));
  for (auto& ip : c.args.list("additional-ipaddress"))
    if (!valid_ip(ip)) return c.fail("Invalid IP address provided: " + ip);
  auto ca_file = replace_all(c.args.text("ca"), "#DOMAIN#", domain), ca_key = replace_all(c.args.text("key"), "#DOMAIN#", domain);
  PemPair authority;
  auto cert = read_file(ca_file);
  if (!cert) return c.fail("Error reading CA: " + cert.error().message);
  auto key = read_file(ca_key);
  if (!key) return c.fail("Error reading CA key: " + key.error().message);
  authority = {std::move(*cert), std::move(*key)};
  auto made = make_certificate(request_for(c, *kind, region, domain), authority, c.now());
  if (!made) return c.fail("Error generating certificate: " + made.error().message);
  if (kind->flag == "server")
    c.ui.warn("==> WARNING: Server Certificates grants authority to become a\n    server and access all state in the cluster "
              "including root keys\n    and all ACL tokens. Do not distribute them to production hosts\n    that are not server "
              "nodes. Store them as securely as CA keys.");
  c.ui.info(fmt::format("==> Using CA file {} and CA key {}", ca_file, ca_key));
  if (auto done = write_file(cert_file, made->certificate, kCertMode); !done) return c.fail(done.error().message);
  c.ui.output(fmt::format("==> {} Certificate saved to {}", kind->title, cert_file));
  if (auto done = write_file(key_file, made->key, kKeyMode); !done) return c.fail(done.error().message);
  c.ui.output(fmt::format("==> {} Certificate key saved to {}", kind->key_title, key_file));
  return 0;
}

int run_cert_info(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse(kUpToOne);
  if (c.args.rest.empty()) return c.misuse("This command takes one argument: <certificate file>");
  auto pem = read_file(c.args.rest[0]);
  if (!pem) return c.fail("Error reading certificate file: " + pem.error().message);
  auto facts = read_certificate(*pem);
  if (!facts) return c.fail("Error parsing certificate file: " + facts.error().message);
  c.ui.output(plain_table({"Serial Number|" + facts->serial, "Issuer CN|" + facts->issuer_cn, "Common Name|" + facts->subject,
                           "Expiry Date|" + go_time(facts->not_after), "DNS Names|" + list_text(facts->dns_names),
                           "IP Addresses|" + list_text(facts->ips)}));
  return 0;
}

constexpr FlagKind kText = FlagKind::kText, kBool = FlagKind::kBool, kList = FlagKind::kList;
constexpr Flag kCaFlags[] = {
    {"additional-domain", kList, "=<domain>", "With -name-constraint: a further domain. May be given several times.", ""},
    {"common-name", kText, "=<name>", "Common name of the authority.", ""},
    {"days", FlagKind::kInt, "=<days>", "How long it is valid. Defaults to 5 years.", "1825"},
    {"domain", kText, "=<domain>", "Domain of the cluster. Defaults to \"nomad\".", "nomad"},
    {"name-constraint", kBool, "", "The authority may sign names of the domains only.", ""},
};
constexpr Flag kCertFlags[] = {
    {"additional-dnsname", kList, "=<name>", "A further name. May be given several times.", ""},
    {"additional-ipaddress", kList, "=<ip>", "A further address. May be given several times.", ""},
    {"ca", kText, "=<file>", "The authority's certificate.", "#DOMAIN#-agent-ca.pem"},
    {"cli", kBool, "", "Make a certificate for the command line.", ""},
    {"client", kBool, "", "Make a certificate for client agents.", ""},
    {"cluster-region", kText, "=<region>", "An older name of -region.", ""},
    {"days", FlagKind::kInt, "=<days>", "How long it is valid. Defaults to 1 year.", "365"},
    {"domain", kText, "=<domain>", "Domain of the cluster. Defaults to \"nomad\".", "nomad"},
    {"key", kText, "=<file>", "The authority's key.", "#DOMAIN#-agent-ca-key.pem"},
    {"region", kText, "=<region>", "Region of the agents. Defaults to \"global\".", ""},
    {"server", kBool, "", "Make a certificate for servers.", ""},
};

constexpr Command kCommands[] = {
    {.name = "tls ca",
     .synopsis = "Helpers for managing CAs",
     .usage = "Usage: nomad tls ca <subcommand> [options]",
     .about = "Commands for the authority that signs a cluster's certificates."},
    {.name = "tls ca create",
     .synopsis = "Create a certificate authority for Nomad",
     .usage = "Usage: nomad tls ca create [options]",
     .about = "Makes an authority: writes its certificate and key here. Keep the key safe.",
     .options = "CA Create Options",
     .flags = kCaFlags,
     .run = run_ca_create},
    {.name = "tls ca info",
     .synopsis = "Show certificate authority information",
     .usage = "Usage: nomad tls ca info <CA file>",
     .about = "Shows an authority's certificate.",
     .run = run_ca_info,
     .self = "tls cert info"},
    {.name = "tls cert",
     .synopsis = "Helpers for managing certificates",
     .usage = "Usage: nomad tls cert <subcommand> [options]",
     .about = "Commands for certificates of agents and of the command line."},
    {.name = "tls cert create",
     .synopsis = "Create a new TLS certificate",
     .usage = "Usage: nomad tls cert create [options]",
     .about = "Makes a certificate that the authority signs: writes it and its key here.",
     .options = "Certificate Create Options",
     .flags = kCertFlags,
     .run = run_cert_create},
    {.name = "tls cert info",
     .synopsis = "Show certificate information",
     .usage = "Usage: nomad tls cert info <certificate file>",
     .about = "Shows a certificate.",
     .run = run_cert_info},
};

}  // namespace

std::span<const Command> tls_commands() { return kCommands; }

}  // namespace drover::cli
