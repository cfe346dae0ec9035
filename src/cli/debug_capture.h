// What `operator debug` gathers, and where each piece goes in the bundle (reference cli section 9.12). Pieces that
// cannot be had are files that say why: {"Error": "..."}.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/api.h"
#include "cli/bundle.h"

namespace drover::cli {

// A node or server that logs, host facts and profiles are taken from.
struct DebugTarget {
  std::string folder;     // "client/<id>", "server/<name>"
  std::string parameter;  // "node_id", "server_id"
  std::string id;
};

struct ExternalAccess {
  std::string name;  // "Consul", "Vault"
  std::string address, auth, token, ca_cert, ca_path, client_cert, client_key;
};

class DebugCapture {
 public:
  DebugCapture(Api& api, Bundle& bundle, bool stale) : api_(api), bundle_(bundle), stale_(stale) {}
  ~DebugCapture() { stop(); }

  // The answer's body as `path`.
  Status json(const std::string& path, std::string_view endpoint, const Params& params = {});
  // The members of an answer that is a list, one a line.
  Status lines(const std::string& path, std::string_view endpoint, const Params& params = {});
  // Bytes; an answer that is none is left out.
  Status bytes(const std::string& path, std::string_view endpoint, const Params& params);

  Status cluster();
  Status interval(int number);
  // `number` 0 takes the profiles that are taken once, too.
  Status profiles(const std::vector<DebugTarget>& targets, int number, Duration length);
  Status hosts(const std::vector<DebugTarget>& targets);
  Status consul(const ExternalAccess& access);
  Status vault(const ExternalAccess& access);

  // Logs and events, on threads of their own until stop().
  Status follow_logs(const std::vector<DebugTarget>& targets, const std::string& level);
  Status follow_events(const std::vector<std::string>& topics, uint64_t index);
  void stop();
  // What could not be had and is no file of the bundle, a line each.
  std::vector<std::string> troubles();

 private:
  void trouble(std::string line);
  Params with_stale(Params params) const;
  Status reply_to(const std::string& path, Result<Reply> reply);
  Status external(const ExternalAccess& access, std::string_view header, const std::string& path, std::string_view endpoint);
  void follow(std::string what, std::string endpoint, Params params, std::function<Status(std::string_view object)> take);

  Api& api_;
  Bundle& bundle_;
  bool stale_;
  struct Follower {
    std::unique_ptr<Api> api;
    std::thread thread;
  };
  std::atomic<bool> stopping_ = false;
  std::vector<Follower> followers_;
  std::mutex mutex_;
  std::vector<std::string> troubles_;
};

}  // namespace drover::cli
