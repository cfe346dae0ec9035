// Configuration: files, merging, flags, checks, and what becomes of it all.
#include "agent/config.h"

#include <gtest/gtest.h>

#include <re2/re2.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "agent/config_decode.h"
#include "agent/config_effect.h"
#include "agent/config_flags.h"
#include "agent/config_keys.h"
#include "agent/config_merge.h"
#include "agent/metric_sinks.h"
#include "agent/read_config.h"
#include "agent/telemetry.h"
#include "agent/units.h"
#include "net/address.h"
#include "net/network.h"
#include "net/real_world.h"
#include "net/stream.h"

namespace drover::agent {
namespace {

Config decoded(std::string_view text) {
  auto c = decode_config(text);
  EXPECT_TRUE(c) << (c ? "" : c.error().error.message);
  return c ? *c : Config{};
}

std::string decode_error(std::string_view text) {
  auto c = decode_config(text);
  return c ? "no error" : c.error().error.message;
}

HostNetworks machine() {
  HostNetworks host;
  host.default_interface = "eth0";
  auto add = [&](const char* name, const char* ip, int prefix, bool loopback) {
    client::HostInterface i{.name = name, .mac = "", .up = true, .loopback = loopback, .addresses = {}};
    i.addresses.push_back({.ip = ip, .prefix = prefix});
    host.interfaces.push_back(i);
  };
  add("lo", "127.0.0.1", 8, true);
  add("eth0", "10.1.2.3", 24, false);
  add("eth1", "8.8.4.4", 24, false);
  add("docker0", "172.17.0.1", 16, false);
  return host;
}

std::string no_environment(const char*) { return ""; }

// Defaults with one file over them, addresses resolved.
Config complete(std::string_view text, bool dev = false) {
  auto c = dev ? dev_config() : default_config();
  merge_config(c, decoded(text));
  auto done = finish_config(c, machine(), no_environment);
  EXPECT_TRUE(done) << (done ? "" : done.error().message);
  return c;
}

struct Checked {
  std::string error;
  std::vector<std::string> notices;
};
Checked check(std::string_view text, CheckOptions options = {}) {
  Checked out;
  auto c = default_config();
  merge_config(c, decoded(text));
  auto ok = check_config(c, options, [&](std::string n) { out.notices.push_back(std::move(n)); });
  if (!ok) out.error = ok.error().message;
  return out;
}

std::string settings_error(std::string_view text) {
  auto s = make_settings(complete(text));
  return s ? "no error" : s.error().message;
}

// ---- files ---------------------------------------------------------------------------------------------------------

TEST(AgentConfigTest, EveryKindOfValueIsRead) {
  auto c = decoded(R"(
    region = "eu"
    log_json = true
    ports { http = 5646 }
    http_api_response_headers { X-A = "b" }
    client {
      enabled = true
      servers = ["a:1", "b"]
      gc_interval = "5m"
      gc_disk_usage_threshold = 12.5
      no_host_uuid = false
      options = { "driver.allowlist" = "exec" }
      meta { rack = "r1" shelf = 2 }
      host_volume "v" { path = "/v" read_only = true }
      host_volume "w" { path = "/w" }
      reserved { cpu = 100 reserved_ports = "22" }
    }
    server { heartbeat_grace = "30s" encrypt = "abc" }
    telemetry { filter_default = false }
  )");
  EXPECT_EQ(c.Region, "eu");
  EXPECT_TRUE(c.LogJson);
  EXPECT_EQ(c.Ports->HTTP, 5646);
  EXPECT_EQ(c.HTTPAPIResponseHeaders.get_or("X-A"), "b");
  auto& client = *c.Client;
  EXPECT_EQ(client.Servers, (List<std::string>{"a:1", "b"}));
  EXPECT_EQ(client.GCInterval, 5min);
  EXPECT_EQ(client.GCDiskUsageThreshold, 12.5);
  EXPECT_EQ(client.NoHostUUID, std::optional(false));
  EXPECT_EQ(client.Options.get_or("driver.allowlist"), "exec");
  EXPECT_EQ(client.Meta.get_or("shelf"), "2");
  ASSERT_EQ(client.HostVolumes.size(), 2u);
  EXPECT_EQ(client.HostVolumes[0].Name, "v");
  EXPECT_TRUE(client.HostVolumes[0].ReadOnly);
  EXPECT_EQ(client.HostVolumes[1].Path, "/w");
  EXPECT_EQ(client.Reserved->CPU, 100);
  EXPECT_EQ(c.Server->HeartbeatGrace, 30s);
  EXPECT_EQ(c.Server->EncryptKey, "abc");
  EXPECT_EQ(c.Telemetry->FilterDefault, std::optional(false));
}

TEST(AgentConfigTest, JsonSaysTheSameAsHcl) {
  auto hcl = decoded(R"(
    data_dir = "/d"
    client { enabled = true  meta { a = "b" }  host_volume "v" { path = "/v" } }
    plugin "raw_exec" { config { enabled = true } }
  )");
  auto json = decoded(R"({
    "data_dir": "/d",
    "client": {"enabled": true, "meta": {"a": "b"}, "host_volume": {"v": {"path": "/v"}}},
    "plugin": {"raw_exec": {"config": {"enabled": true}}}
  })");
  EXPECT_EQ(json, hcl);
  auto list = decoded(R"({"data_dir": "/d", "client": [{"enabled": true, "meta": [{"a": "b"}], "host_volume": [{"v": {"path": "/v"}}]}],
                          "plugin": [{"raw_exec": [{"config": [{"enabled": true}]}]}]})");
  EXPECT_EQ(list, hcl);
}

TEST(AgentConfigTest, KeysMatchWithoutCase) { EXPECT_EQ(decoded("Data_Dir = \"/d\"").DataDir, "/d"); }

TEST(AgentConfigTest, PluginConfigurationKeepsItsShape) {
  auto c = decoded(R"(plugin "docker" { args = ["-x"] config { volumes { enabled = true } extra_labels = ["a"] gc { } } })");
  ASSERT_EQ(c.Plugins.size(), 1u);
  auto& config = c.Plugins[0].Config;
  auto* volumes = config.at("volumes").as_array();
  ASSERT_TRUE(volumes && volumes->size() == 1);
  EXPECT_EQ((*volumes)[0].as_object()->at("enabled"), Value(true));
  EXPECT_EQ(config.at("extra_labels"), Value(Value::Array{"a"}));
}

TEST(AgentConfigTest, UnknownKeysAreRefusedInnermostFirst) {
  EXPECT_EQ(decode_error("b = 1\na = 2\nregion = \"x\""), "unexpected keys a, b");
  EXPECT_EQ(decode_error("client { nope = 1 }"), "client unexpected keys nope");
  EXPECT_EQ(decode_error("server { server_join { x = 1 } }"), "server_join.server unexpected keys x");
  // Blocks that the reference does not check.
  EXPECT_EQ(decode_error("vault { nope = 1 } ui { nope = 1 } limits { nope = 1 }"), "no error");
  EXPECT_EQ(decode_error("client { stats { } }"), "no error");
}

TEST(AgentConfigTest, IllTypedValuesAreRefusedWithTheirPlace) {
  EXPECT_EQ(decode_error("\nclient {\n  enabled = []\n}"), "At 3:13: root.client.enabled: unknown type *ast.ListType");
  EXPECT_EQ(decode_error("ports { http = \"x\" }"), "At 1:16: root.ports.http: strconv.ParseInt: parsing \"x\": invalid syntax");
  EXPECT_EQ(decode_error("region { }"), "At 1:8: root.region: unknown type for string *ast.ObjectType");
  EXPECT_EQ(decode_error("client = 3"), "At 1:10: root.client: not an object type for struct (*ast.LiteralType)");
  EXPECT_EQ(decode_error("server { enabled = \"maybe\" }"), "At 1:20: root.server.enabled: unknown value for boolean: \"maybe\"");
}

TEST(AgentConfigTest, BadDurationsNameTheirKey) {
  EXPECT_EQ(decode_error("server { heartbeat_grace = \"soon\" }"), "server.heartbeat_grace can't parse time duration soon");
  EXPECT_EQ(decode_error("client { gc_interval = 30 }"), "gc_interval can't parse time duration 30");
  EXPECT_EQ(decode_error("acl { role_ttl = \"x\" }"), "acl.policy_ttl can't parse time duration x");
  EXPECT_EQ(decode_error("client { template { max_stale = \"x\" } }"), "client.template.max_stale can't parse time duration x");
}

class AgentConfigFiles : public testing::Test {
 protected:
  AgentConfigFiles() : dir_(std::filesystem::temp_directory_path() / "drover-config-XXXXXX") {
    auto name = dir_.string();
    dir_ = mkdtemp(name.data());
  }
  ~AgentConfigFiles() override { std::filesystem::remove_all(dir_); }
  std::string write(const std::string& name, std::string_view text) {
    std::ofstream(dir_ / name) << text;
    return (dir_ / name).string();
  }
  std::filesystem::path dir_;
};

TEST_F(AgentConfigFiles, ADirectoryIsReadInTheOrderOfNames) {
  write("b.hcl", "region = \"b\"");
  write("a.json", R"({"region": "a", "datacenter": "a"})");
  write("c.hcl~", "region = ");
  write(".#d.hcl", "nope = 1");
  write("notes.txt", "nope");
  std::filesystem::create_directory(dir_ / "sub.hcl");
  auto c = load_config(dir_.string());
  ASSERT_TRUE(c) << c.error().message;
  EXPECT_EQ(c->Region, "b");
  EXPECT_EQ(c->Datacenter, "a");
  EXPECT_EQ(c->Files, (List<std::string>{(dir_ / "a.json").string(), (dir_ / "b.hcl").string()}));
}

TEST_F(AgentConfigFiles, FaultsNameTheFile) {
  EXPECT_EQ(load_config("/none.hcl").error().message, "stat /none.hcl: no such file or directory");
  auto path = write("x.hcl", "client {");
  EXPECT_EQ(load_config(path).error().message,
            "Error loading " + path + ": failed to decode HCL file " + path + ": At 1:10: object expected closing RBRACE got: EOF");
  path = write("y.hcl", "nope = 1");
  EXPECT_EQ(load_config(dir_.string()).error().message.substr(0, 14), "Error loading ");
  EXPECT_EQ(load_config(path).error().message, "Error loading " + path + ": unexpected keys nope");
}

TEST_F(AgentConfigFiles, ValidateTellsAllFaults) {
  std::vector<std::string> out, err;
  auto run = [&](std::vector<std::string> paths) {
    out.clear(), err.clear();
    return validate_config_files(paths, [&](std::string s) { out.push_back(s); }, [&](std::string s) { err.push_back(s); });
  };
  EXPECT_EQ(run({write("good.hcl", "data_dir = \"/d\"\nserver { enabled = true bootstrap_expect = 3 }")}), 0);
  EXPECT_EQ(out, std::vector<std::string>{"Configuration is valid!"});
  EXPECT_EQ(run({"/a.hcl", "/b.hcl"}), 1);
  ASSERT_EQ(err.size(), 1u);
  EXPECT_TRUE(err[0].starts_with("2 errors occurred:\n\t* Error loading configuration from /a.hcl: stat /a.hcl: "));
  EXPECT_EQ(run({write("empty.hcl", "")}), 1);
  EXPECT_EQ(err, (std::vector<std::string>{"Must specify either server, client or dev mode for the agent.", "Configuration is invalid"}));
}

// ---- merging -------------------------------------------------------------------------------------------------------

Config merged(std::string_view first, std::string_view second) {
  auto c = decoded(first);
  merge_config(c, decoded(second));
  return c;
}

TEST(AgentConfigMergeTest, LaterWinsWhereItSaysSomething) {
  auto c = merged("region = \"a\"\ndatacenter = \"x\"", "region = \"b\"");
  EXPECT_EQ(c.Region, "b");
  EXPECT_EQ(c.Datacenter, "x");
  // A plain boolean only turns on; an optional one goes either way.
  EXPECT_TRUE(merged("server { enabled = true }", "server { enabled = false }").Server->Enabled);
  EXPECT_EQ(merged("consul { auto_advertise = true }", "consul { auto_advertise = false }").Consul->AutoAdvertise, std::optional(false));
}

TEST(AgentConfigMergeTest, ListsFollowTheirOwnRules) {
  auto c = merged("client { servers = [\"a\"] server_join { retry_join = [\"x\"] } }",
                  "client { servers = [\"b\"] server_join { retry_join = [\"y\"] } }");
  EXPECT_EQ(c.Client->Servers, (List<std::string>{"a", "b"}));
  EXPECT_EQ(c.Client->ServerJoin->RetryJoin, (List<std::string>{"y"}));
}

TEST(AgentConfigMergeTest, LabelledBlocksMergeByName) {
  auto c = merged(R"(plugin "a" { args = ["1"] config { x = 1 y = 2 } } plugin "b" { } client { host_volume "v" { path = "/1" read_only = true } })",
                  R"(plugin "a" { config { x = 3 } } client { host_volume "v" { path = "/2" } })");
  ASSERT_EQ(c.Plugins.size(), 2u);
  EXPECT_EQ(c.Plugins[0].Args, (List<std::string>{"1"}));
  EXPECT_EQ(c.Plugins[0].Config, (Map<Value>{{"x", 3}}));
  ASSERT_EQ(c.Client->HostVolumes.size(), 1u);
  EXPECT_EQ(c.Client->HostVolumes[0].Path, "/2");
  EXPECT_FALSE(c.Client->HostVolumes[0].ReadOnly);
}

TEST(AgentConfigMergeTest, SomeBlocksAreReplacedWhole) {
  auto c = default_config();
  merge_config(c, decoded("server { search { limit_query = 5 } default_scheduler_config { } } client { template { disable_file_sandbox = true } } ui { }"));
  EXPECT_FALSE(c.Server->Search->FuzzyEnabled);
  EXPECT_EQ(c.Server->Search->LimitResults, 0);
  EXPECT_FALSE(c.Server->DefaultSchedulerConfig->PreemptionConfig.SystemSchedulerEnabled);
  EXPECT_TRUE(c.Client->TemplateConfig->FunctionDenylist.empty());
  EXPECT_FALSE(c.UI->Enabled);
}

// ---- flags ---------------------------------------------------------------------------------------------------------

AgentFlags flags(std::vector<std::string> args) {
  auto f = parse_agent_flags(args);
  EXPECT_TRUE(f) << (f ? "" : f.error().message);
  return f ? *f : AgentFlags{};
}

TEST(AgentFlagsTest, GoSyntax) {
  auto f = flags({"-dev", "--region", "eu", "-dc=x", "-server=true", "-servers=a,b", "-servers", "c", "-config", "1", "-config=2",
                  "-consul-ssl=false", "-bootstrap-expect", "3", "-retry-join", "p", "-retry-join=q", "positional", "-nope"});
  EXPECT_TRUE(f.dev);
  EXPECT_EQ(f.config.Region, "eu");
  EXPECT_EQ(f.config.Datacenter, "x");
  EXPECT_TRUE(f.config.Server->Enabled);
  EXPECT_EQ(f.config.Client->Servers, (List<std::string>{"a", "b", "c"}));
  EXPECT_EQ(f.config_paths, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(f.config.Consul->EnableSSL, std::optional(false));
  EXPECT_TRUE(f.bootstrap_expect);
  EXPECT_EQ(f.config.Server->BootstrapExpect, 3);
  EXPECT_EQ(f.config.Server->ServerJoin->RetryJoin, (List<std::string>{"p", "q"}));
}

TEST(AgentFlagsTest, Faults) {
  auto error = [](std::vector<std::string> args) { return parse_agent_flags(args).error().message; };
  EXPECT_EQ(error({"-nope"}), "flag provided but not defined: -nope");
  EXPECT_EQ(error({"-region"}), "flag needs an argument: -region");
  EXPECT_EQ(error({"-bootstrap-expect=x"}), "invalid value \"x\" for flag -bootstrap-expect: parse error");
  EXPECT_EQ(error({"-dev=perhaps"}), "invalid boolean value \"perhaps\" for -dev: parse error");
  auto f = flags({"-meta", "a"});
  EXPECT_EQ(apply_late_flags(f).error().message, "Error parsing Client.Meta value: a");
  f = flags({"-meta", "a=b=c", "-retry-interval=5s"});
  ASSERT_TRUE(apply_late_flags(f));
  EXPECT_EQ(f.config.Client->Meta.get_or("a"), "b=c");
  EXPECT_EQ(f.config.Server->ServerJoin->RetryInterval, 5s);
}

// ---- addresses -----------------------------------------------------------------------------------------------------

TEST(AgentAddressTest, AdvertiseFollowsBind) {
  auto c = complete("bind_addr = \"10.1.2.3\"\nserver { enabled = true }");
  EXPECT_EQ(c.Addresses->HTTP, "10.1.2.3");
  EXPECT_EQ(c.AdvertiseAddrs->HTTP, "10.1.2.3:4646");
  EXPECT_EQ(c.AdvertiseAddrs->Serf, "10.1.2.3:4648");
  c = complete("ports { rpc = 99 }\nadvertise { rpc = \"a.example\" http = \"h:1\" }");
  EXPECT_EQ(c.AdvertiseAddrs->RPC, "a.example:99");
  EXPECT_EQ(c.AdvertiseAddrs->HTTP, "h:1");
  EXPECT_EQ(c.AdvertiseAddrs->Serf, "");  // of servers only
  // Bound to everything: the first private address of a small network.
  EXPECT_EQ(complete("").AdvertiseAddrs->RPC, "10.1.2.3:4647");
}

TEST(AgentAddressTest, LoopbackIsAdvertisedInDevModeOnly) {
  EXPECT_EQ(complete("", true).AdvertiseAddrs->HTTP, "127.0.0.1:4646");
  auto c = default_config();
  c.BindAddr = "127.0.0.1";
  EXPECT_EQ(finish_config(c, machine(), no_environment).error().message,
            "Failed to parse HTTP advertise address (, 127.0.0.1, 4646, false): Defaulting advertise to localhost is "
            "unsafe, please set advertise manually");
}

TEST(AgentAddressTest, SeveralHttpAddresses) {
  auto c = complete("addresses { http = \"10.1.2.3 127.0.0.1 10.1.2.3\" }");
  EXPECT_EQ(c.Addresses->HTTP, "10.1.2.3 127.0.0.1");
  EXPECT_EQ(make_settings(complete("client { enabled = true }\naddresses { http = \"10.1.2.3 127.0.0.1\" }"))->http_binds,
            (std::vector<std::string>{"10.1.2.3", "127.0.0.1"}));
}

TEST(AgentAddressTest, Templates) {
  const std::pair<const char*, const char*> cases[] = {
      {"plain", "plain"},
      {"{{ GetPrivateIP }}", "10.1.2.3"},
      {"{{ GetPublicIP }}", "8.8.4.4"},
      {"{{ GetPrivateIPs }}", "10.1.2.3 172.17.0.1"},
      {"{{ GetInterfaceIP \"docker0\" }}", "172.17.0.1"},
      {"{{ GetInterfaceIP \"none\" }}", ""},
      {"{{ GetDefaultInterfaces | attr \"address\" }}", "10.1.2.3"},
      {"{{ GetAllInterfaces | include \"network\" \"172.16.0.0/12\" | attr \"name\" }}", "docker0"},
      {"{{ GetAllInterfaces | exclude \"flag\" \"loopback\" | sort \"-name\" | join \"name\" \",\" }}", "eth1,eth0,docker0"},
      {"{{ GetAllInterfaces | exclude \"rfc\" \"6890\" | join \"address\" \" \" }}", "8.8.4.4"},
      {"{{ GetAllInterfaces | sort \"name\" | offset 1 | limit 1 | attr \"name\" }}", "eth0"},
      {"{{ GetPrivateInterfaces | math \"network\" \"+5\" | limit 1 | attr \"address\" }}", "10.1.2.5"},
  };
  for (auto& [text, want] : cases) {
    auto got = eval_address_template(text, machine());
    ASSERT_TRUE(got) << text << ": " << got.error().message;
    EXPECT_EQ(*got, want) << text;
  }
  EXPECT_TRUE(eval_address_template("{{ Nope }}", machine()).error().message.starts_with("unable to parse address template \"{{ Nope }}\": "));
  auto c = default_config();
  c.BindAddr = "{{ GetPrivateIPs }}";
  EXPECT_EQ(finish_config(c, machine(), no_environment).error().message,
            "Bind address resolution failed: multiple addresses found (\"10.1.2.3 172.17.0.1\"), please configure one");
  c = default_config();
  c.Client->NetworkInterface = "nope0";
  EXPECT_EQ(finish_config(c, machine(), no_environment).error().message, "Failed to parse network-interface: invalid interface name \"nope0\"");
}

TEST(AgentConfigTest, EnvironmentFillsWhatFilesLeaveOpen) {
  auto env = [](const char* name) -> std::string { return std::string_view(name) == "VAULT_TOKEN" ? "t" : ""; };
  auto c = default_config();
  c.DataDir = "/d";
  ASSERT_TRUE(finish_config(c, machine(), env));
  EXPECT_EQ(c.Vault->Token, "t");
  EXPECT_EQ(c.PluginDir, "/d/plugins");
  EXPECT_EQ(c.Consul->Addr, "127.0.0.1:8500");
  EXPECT_FALSE(c.NodeName.empty());
}

// ---- checks --------------------------------------------------------------------------------------------------------

constexpr const char* kServer = "data_dir = \"/d\"\nserver { enabled = true bootstrap_expect = 3 }\n";
constexpr const char* kClient = "data_dir = \"/d\"\nclient { enabled = true }\n";

TEST(AgentCheckTest, TheReferencesWords) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "Must specify either server, client or dev mode for the agent."},
      {std::string(kServer) + "datacenter = \"a*\"", "Datacenter contains invalid characters (null or '*')"},
      {"data_dir = \"d\"\nserver { enabled = true }", "data-dir must be given as an absolute path: got d"},
      {std::string(kServer) + "plugin_dir = \"p\"", "plugin-dir must be given as an absolute path: got p"},
      {std::string(kServer) + "server { encrypt = \"YQ==\" }", "Invalid encryption key: key size must be 16, 24 or 32 bytes"},
      {"data_dir = \"/d\"\nclient { enabled = true meta { \"a..b\" = \"x\" } }", "Invalid Client.Meta key: a..b"},
      {"data_dir = \"/d\"\nserver { enabled = true default_scheduler_config { scheduler_algorithm = \"x\" } }", "invalid scheduler algorithm: x"},
      {"data_dir = \"/d\"\nclient { enabled = true min_dynamic_port = 70000 }", "Invalid dynamic port range: min_dynamic_port=70000"},
      {"data_dir = \"/d\"\nclient { enabled = true min_dynamic_port = 9 max_dynamic_port = 8 }",
       "Invalid dynamic port range: min_dynamic_port=9 and max_dynamic_port=8"},
      {"data_dir = \"/d\"\nclient { enabled = true reserved { reserved_ports = \"x\" } }",
       "reserved.reserved_ports \"x\" invalid: strconv.ParseUint: parsing \"x\": invalid syntax"},
      {"data_dir = \"/d\"\nclient { enabled = true artifact { http_read_timeout = \"x\" } }",
       "client.artifact block invalid: http_read_timeout not a valid duration: time: invalid duration \"x\""},
      {"data_dir = \"/d\"\nclient { enabled = true artifact { decompression_file_count_limit = -1 } }",
       "client.artifact block invalid: decompression_file_count_limit must be >= 0 but found -1"},
      {"server { enabled = true }", "Must specify \"data_dir\" config option or \"data-dir\" CLI flag"},
      {"client { enabled = true }", "Must specify the state, alloc dir, and plugin dir if data-dir is omitted."},
  };
  for (auto& [text, want] : cases) EXPECT_EQ(check(text).error, want) << text;
  EXPECT_EQ(check(kClient, {.bootstrap_flag = true}).error, "Bootstrap requires server mode to be enabled");
  EXPECT_EQ(check("server { enabled = true }", {.dev_mode = true}).error, "");
  EXPECT_NE(check("server { enabled = true }\nacl { enabled = true }", {.dev_mode = true}).error.find("does not check tokens"),
            std::string::npos);
}

TEST(AgentCheckTest, Notices) {
  EXPECT_EQ(check("data_dir = \"/d\"\nserver { enabled = true protocol_version = 2 }").notices,
            (std::vector<std::string>{"WARNING: mTLS is not configured - Nomad is not secure without mTLS!",
                                      "WARNING: Number of bootstrap servers should ideally be set to an odd number.",
                                      "Please remove deprecated protocol_version field from config."}));
  EXPECT_EQ(check("data_dir = \"/d\"\nserver { enabled = true bootstrap_expect = 1 }\ntls { http = true rpc = true }").notices,
            std::vector<std::string>{"WARNING: Bootstrap mode enabled! Potentially unsafe operation."});
  EXPECT_EQ(check("data_dir = \"/d\"\nclient { enabled = true }\ntls { rpc = true }").notices,
            std::vector<std::string>{"WARNING: mTLS is not configured for HTTP - Nomad is not secure without mTLS!"});
  EXPECT_EQ(check("data_dir = \"/d\"\nclient { enabled = true }\ntls { http = true }").notices,
            std::vector<std::string>{"WARNING: mTLS is not configured for RPC - Nomad is not secure without mTLS!"});
}

// What is asked for and not done is told, a line each.
TEST(AgentCheckTest, WhatHasNoEffectIsTold) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"consul { address = \"10.0.0.1:8500\" }", "WARNING: consul has no effect: this version does not talk to Consul; set "
                                               "auto_advertise, server_auto_join and client_auto_join to false"},
      {"consul { address = \"10.0.0.1:8500\" auto_advertise = false server_auto_join = false client_auto_join = false }", ""},
      {"vault { enabled = true }", "WARNING: vault.enabled has no effect: this version does not talk to Vault, and refuses jobs that use it"},
      {"vault { enabled = false }", ""},
      {"audit { enabled = true }", "WARNING: audit.enabled has no effect: it is a feature of Nomad Enterprise"},
      {"plugin \"raw_exec\" { }", ""},
      {"plugin \"docker\" { }", "WARNING: plugin \"docker\" has no effect: this version has no such driver"},
      {"telemetry { circonus_api_token = \"x\" }", "WARNING: telemetry.circonus_* has no effect: metrics are not sent to Circonus"},
      {"client { cni_path = \"/cni\" }",
       "WARNING: client.cni_* and client.bridge_* has no effect: this version makes no networks for groups"},
      {"client { artifact { git_timeout = \"1s\" } }",
       "WARNING: client.artifact has no effect: artifacts of tasks are not fetched in this version"},
  };
  for (auto& [text, expected] : cases) {
    auto all = check(std::string("server { enabled = true }\n") + text, {.dev_mode = true});
    EXPECT_EQ(all.error, "") << text;
    std::erase_if(all.notices, [](auto& n) { return n.find("has no effect") == std::string::npos; });
    EXPECT_EQ(all.notices, *expected ? std::vector<std::string>{expected} : std::vector<std::string>{}) << text;
  }
}

std::string contents(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Every key of the tables either reaches the settings, or is listed as one without effect, here and in the documents.
TEST(AgentConfigTest, EveryKeyHasAnEffectOrIsListed) {
  const std::map<std::string_view, std::string_view> blocks = {
      {"agent.Config", ""}, {"agent.Ports", "ports."}, {"agent.Addresses", "addresses."}, {"agent.AdvertiseAddrs", "advertise."},
      {"agent.ClientConfig", "client."}, {"agent.Resources", "client.reserved."}, {"agent.ServerJoin", "server_join."},
      {"config.DrainConfig", "client.drain_on_shutdown."}, {"agent.ServerConfig", "server."}, {"agent.Search", "server.search."},
      {"agent.Telemetry", "telemetry."}, {"config.TLSConfig", "tls."}, {"config.UIConfig", "ui."}, {"config.Limits", "limits."},
      {"agent.PlanRejectionTracker", "server.plan_rejection_tracker."}, {"config.PluginConfig", "plugin."}};
  std::string root = TESTDATA;
  root.resize(root.size() - std::string_view("/src/agent/testdata").size());
  std::string reads;
  for (auto* file : {"config_settings.cc", "config_check.cc", "config_addresses.cc", "config.cc", "agent_command.cc", "config_merge.cc",
                     "config_effect.cc"})
    reads += contents(root + "/src/agent/" + file);
  RE2::GlobalReplace(&reads, R"((\.|->)\w+ = )", "");  // a default is no use
  auto documents = contents(root + "/docs/differences.md");
  ASSERT_FALSE(documents.empty());
  std::set<std::string> known;
  auto listed = [](const std::string& path) {
    return std::any_of(keys_without_effect().begin(), keys_without_effect().end(), [&](std::string_view row) {
      return row == path || (row.ends_with('*') && path.starts_with(row.substr(0, row.size() - 1)));
    });
  };
  for (auto& block : all_blocks()) {
    auto prefix = blocks.find(block.type);
    if (prefix == blocks.end()) continue;  // taken over whole, or below a listed key
    for (auto& key : block.keys) {
      auto path = std::string(prefix->second) + std::string(key.key);
      known.insert(path);
      if (key.field.empty() || listed(path)) continue;
      auto read = [&](std::string_view how) { return reads.find(std::string(how) + std::string(key.field)) != std::string::npos; };
      EXPECT_TRUE(read(".") || read("->")) << path << " is neither read nor listed as without effect";
    }
  }
  for (auto row : keys_without_effect()) {
    std::string path(row);
    EXPECT_NE(documents.find("`" + path + "`"), std::string::npos) << path << " is not in docs/differences.md";
    auto star = path.find('*');
    bool exists = star == std::string::npos ? known.contains(path)
                                            : std::any_of(known.begin(), known.end(), [&](auto& k) {
                                                return k.starts_with(path.substr(0, star)) || k == path.substr(0, star - 1);
                                              });
    EXPECT_TRUE(exists) << path << " is no key";
  }
}

TEST(AgentTelemetryTest, TheLinesOfTheSinks) {
  MetricLabels labels{{"host", "h 1"}, {"job", "a:b"}};
  EXPECT_EQ(statsd_line(MetricKind::kGauge, "nomad.x", 1.5, labels), "nomad.x.h_1.a_b:1.500000|g\n");
  EXPECT_EQ(statsd_line(MetricKind::kCounter, "nomad.x", 1, {}), "nomad.x:1.000000|c\n");
  EXPECT_EQ(statsd_line(MetricKind::kSample, "nomad.x", 0.25, {}), "nomad.x:0.250000|ms\n");
  EXPECT_EQ(dogstatsd_line(MetricKind::kGauge, "nomad.x", 1.5, labels, {"env:dev"}), "nomad.x:1.5|g|#env:dev,host:h 1,job:a:b\n");
  EXPECT_EQ(dogstatsd_line(MetricKind::kCounter, "nomad.x", 2, {}, {}), "nomad.x:2|c\n");
  EXPECT_EQ(dogstatsd_line(MetricKind::kSample, "nomad.x", 2, {}, {}), "nomad.x:2.000000|ms\n");
}

TEST(AgentTelemetryTest, MetricsArriveAtTheirSinks) {
  net::RealWorld world;
  net::RealNetwork network(world.loop, &world.pool);
  auto udp = network.datagram(*net::Address::parse("127.0.0.1:0"));
  auto dog = network.datagram(*net::Address::parse("127.0.0.1:0"));
  auto tcp = network.listen(*net::Address::parse("127.0.0.1:0"));
  ASSERT_TRUE(udp && dog && tcp);
  TelemetrySettings settings;
  settings.statsd_address = (*udp)->address().str();
  settings.datadog_address = (*dog)->address().str();
  settings.statsite_address = (*tcp)->address().str();
  settings.datadog_tags = {"env:dev"};
  enable_metrics(settings);
  auto all = [&]() -> Async<std::vector<std::string>> {
    std::vector<std::string> got;
    MetricSinks sinks(world.world, network, settings);
    metric_gauge("probe", 7, {{"k", "v"}});
    auto a = co_await (*udp)->receive();
    auto b = co_await (*dog)->receive();
    auto stream = co_await (*tcp)->accept();
    auto c = co_await net::read_exactly(**stream, std::string_view("nomad.probe.v:7.000000|g\n").size());
    got = {a ? a->bytes : "", b ? b->bytes : "", c ? *c : ""};
    co_return got;
  };
  EXPECT_EQ(net::block_on(world.loop, all()),
            (std::vector<std::string>{"nomad.probe.v:7.000000|g\n", "nomad.probe:7|g|#env:dev,k:v\n", "nomad.probe.v:7.000000|g\n"}));
}

TEST(AgentSettingsTest, TheReferencesWords) {
  const std::pair<const char*, const char*> cases[] = {
      {"server { raft_protocol = 2 }", "server config setup failed: raft_protocol must be 3 in Nomad v1.4 and later, got 2"},
      {"server { raft_multiplier = 11 }", "server config setup failed: raft_multiplier cannot be 11. Must be between 1 and 10"},
      {"server { enabled_schedulers = [\"x\"] }",
       "server config setup failed: invalid configuration: unknown scheduler \"x\" in enabled schedulers"},
      {"server { job_gc_interval = \"0s\" }", "server config setup failed: job_gc_interval should be greater than 0s"},
      {"server { eval_gc_threshold = \"x\" }", "server config setup failed: time: invalid duration \"x\""},
      {"server { job_max_priority = 99 }", "server config setup failed: job_max_priority cannot be 99. Must be between 100 and 32766"},
      {"server { job_default_priority = 100 }", "server config setup failed: job_default_priority cannot be 100. Must be between 50 and 100"},
      {"server { event_buffer_size = -1 }", "server config setup failed: Invalid Config, event_buffer_size must be non-negative"},
      {"server { retry_join = [\"a\"] server_join { retry_join = [\"b\"] } }",
       "server config setup failed: server_join and retry_join cannot both be defined; prefer setting the server_join block"},
      {"limits { rpc_max_conns_per_client = 25 }", "server config setup failed: rpc_max_conns_per_client must be > 25; found: 25"},
      {"limits { http_max_conns_per_client = -1 }", "http_max_conns_per_client must be >= 0"},
      {"client { enabled = true reserved { cores = \"x\" } }", nullptr},
      {"client { enabled = true max_kill_timeout = \"x\" }",
       "client setup failed: Error parsing max kill timeout: time: invalid duration \"x\""},
      {"client { enabled = true server_join { start_join = [\"a\"] } }", "client setup failed: start_join is not supported for Nomad clients"},
      {"client { enabled = true template { wait { min = \"2s\" max = \"1s\" } } }",
       "client setup failed: wait config min 2000000000 is greater than max 1000000000"},
      {"log_level = \"loud\"", "Invalid log level: LOUD. Valid log levels are: [TRACE DEBUG INFO WARN ERROR OFF]"},
      {"telemetry { prefix_filter = [\"x\"] }",
       "Error initializing telemetry: Filter rule must begin with either '+' or '-': \"x\""},
  };
  for (auto& [text, want] : cases) {
    auto got = settings_error(std::string(kServer) + text);
    if (want) EXPECT_EQ(got, want) << text;
    else EXPECT_TRUE(got.starts_with("client setup failed: failed to parse client > reserved > cores value \"x\": ")) << got;
  }
}

TEST(AgentSettingsTest, DevMode) {
  auto s = make_settings(complete("", true));
  ASSERT_TRUE(s) << s.error().message;
  ASSERT_TRUE(s->server && s->client);
  EXPECT_TRUE(s->server->in_memory);
  EXPECT_EQ(s->server->bootstrap_expect, 1);
  EXPECT_EQ(s->server->rpc_advertise, "127.0.0.1:4647");
  EXPECT_EQ(s->client->network_interface, "lo");
  EXPECT_EQ(s->plugin_configs.at("raw_exec").as_object()->at("enabled"), Value(true));
  EXPECT_TRUE(s->enable_debug);
  EXPECT_TRUE(s->telemetry.prometheus);
}

TEST(AgentSettingsTest, SecretsAreNotShown) {
  auto s = make_settings(complete(std::string(kServer) +
                                  "vault { token = \"s3cret\" }\nacl { replication_token = \"s3cret\" }\nconsul { token = \"s3cret\" }\n"
                                  "server { encrypt = \"s3cret\" }"));
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_EQ(s->config_json.find("s3cret"), std::string::npos);
  EXPECT_NE(s->config_json.find("\"Token\":\"<redacted>\""), std::string::npos);
}

TEST(AgentUnitsTest, ByteSizes) {
  const std::pair<const char*, uint64_t> cases[] = {{"0", 0}, {"1M", 1'000'000}, {"1MiB", 1 << 20}, {"2.5 kb", 2500},
                                                    {"1,000", 1000}, {"100GB", 100'000'000'000}, {"1 Gi", 1 << 30}};
  for (auto& [text, want] : cases) EXPECT_EQ(parse_byte_size(text).value_or(~0ull), want) << text;
  EXPECT_EQ(parse_byte_size("x").error().message, "strconv.ParseFloat: parsing \"\": invalid syntax");
  EXPECT_EQ(parse_byte_size("1 parsec").error().message, "unhandled size name: parsec");
}

}  // namespace
}  // namespace drover::agent
