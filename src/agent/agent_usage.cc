#include "agent/agent_command.h"

namespace drover::agent {

std::string_view agent_usage() {
  return R"(Usage: nomad agent [options]

  Starts an agent and runs until it is interrupted. An agent is a server, a
  client, or both. Configuration comes from files, which are merged in the
  order in which they are given, and from the flags below, which win over the
  files. There is a default for almost everything, so that

      nomad agent -dev

  is enough to try things out.

General Options:

  -bind=<addr>
    The address that the agent binds its listeners to; may be an address
    template. The default is 0.0.0.0.

  -config=<path>
    A configuration file (HCL or JSON), or a directory whose .hcl and .json
    files are read in the order of their names. May be given several times;
    later values win.

  -data-dir=<path>
    The directory in which the agent keeps its state.

  -plugin-dir=<path>
    The directory of external plugins. Default: <data-dir>/plugins.

  -dc=<datacenter>
    The datacenter of the agent. Default: dc1.

  -log-level=<level>
    TRACE, DEBUG, INFO, WARN, ERROR or OFF. Default: INFO.

  -log-json
    Write the log as JSON objects, one a line.

  -node=<name>
    The name of the agent. Default: the host's name.

  -region=<region>
    The region of the agent. Default: global.

  -dev
    Development mode: one agent that is server and client, on loopback, and
    keeps no state of its cluster.

  -dev-connect
    Development mode that can also be reached from network namespaces. Needs
    root and Consul.

Server Options:

  -server
    Be a server.

  -bootstrap-expect=<num>
    The number of servers to wait for before the cluster is bootstrapped.

  -encrypt=<key>
    The gossip encryption key, base64.

  -join=<address>
    A server to join at start. May be given several times; failure stops the
    agent.

  -raft-protocol=<num>
    The version of the Raft protocol. It must be 3.

  -rejoin
    Rejoin a cluster that this server has left.

  -retry-join=<address>
    Like -join, but tried again until it works.

  -retry-max=<num>
    How often -retry-join is tried. 0, the default, is without end.

  -retry-interval=<dur>
    The time between attempts. Default: 30s.

Client Options:

  -client
    Be a client.

  -state-dir=<path>
    The directory of the client's state. Default: <data-dir>/client.

  -alloc-dir=<path>
    The directory of allocations. Default: <data-dir>/alloc.

  -servers=<host:port,...>
    Servers to register with.

  -node-class=<class>
    A class that jobs may ask for.

  -meta=<key>=<value>
    A pair of the node's metadata. May be given several times.

  -network-interface=<name>
    The interface whose addresses tasks are given.

  -network-speed=<num>
    The speed of that interface in megabits, where it is not detected.

ACL Options:

  -acl-enabled
    Enforce access control.

  -acl-replication-token=<secret>
    The token with which policies and tokens are fetched from the
    authoritative region.

Consul Options:

  -consul-address=<addr>
    The address of the Consul agent, host:port or unix://path.

  -consul-auth=<auth>
    HTTP authentication for Consul, user or user:password.

  -consul-auto-advertise
    Register this agent in Consul.

  -consul-ca-file=<path>
    The CA certificate of Consul.

  -consul-cert-file=<path>
    The client certificate for Consul.

  -consul-checks-use-advertise
    Let Consul check the advertised address instead of the bound one.

  -consul-client-auto-join
    Find servers through Consul.

  -consul-client-service-name=<name>
    The service name of clients in Consul.

  -consul-client-http-check-name=<name>
    The name of the HTTP check of clients.

  -consul-key-file=<path>
    The key of the client certificate.

  -consul-server-service-name=<name>
    The service name of servers in Consul.

  -consul-server-http-check-name=<name>
    The name of the HTTP check of servers.

  -consul-server-serf-check-name=<name>
    The name of the gossip check of servers.

  -consul-server-rpc-check-name=<name>
    The name of the RPC check of servers.

  -consul-server-auto-join
    Find other servers through Consul.

  -consul-ssl
    Speak HTTPS with Consul.

  -consul-token=<token>
    The token for Consul.

  -consul-verify-ssl
    Verify Consul's certificate.

Vault Options:

  -vault-enabled
    Use Vault.

  -vault-address=<addr>
    The address of Vault.

  -vault-token=<token>
    The token with which servers create tokens for tasks.

  -vault-create-from-role=<role>
    The role that tokens are created from.

  -vault-allow-unauthenticated
    Let jobs use Vault without a token of their own.

  -vault-ca-file=<path>
    The CA certificate of Vault.

  -vault-ca-path=<path>
    A directory of CA certificates.

  -vault-cert-file=<path>
    The client certificate for Vault.

  -vault-key-file=<path>
    The key of the client certificate.

  -vault-tls-skip-verify
    Do not verify Vault's certificate.

  -vault-tls-server-name=<name>
    The name that Vault's certificate must have.
)";
}

}  // namespace drover::agent
