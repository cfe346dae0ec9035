// Keys of the whole pool: one query tells every node what to do, each answers for itself.
#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "gossip/serf_core.h"

namespace drover::gossip {
namespace {

constexpr std::string_view kLog = "nomad";
constexpr size_t kEncodedKeyMin = 25;

struct OpRow {
  KeyOp op;
  const char* query;
};
constexpr OpRow kOps[] = {
    {KeyOp::kList, "_serf_list-keys"}, {KeyOp::kInstall, "_serf_install-key"}, {KeyOp::kUse, "_serf_use-key"}, {KeyOp::kRemove, "_serf_remove-key"}};

// Where Go's decoder stops in text that is not padded standard base64.
size_t base64_error_at(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t in_group = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\n') continue;
    if (kAlphabet.find(text[i]) != std::string_view::npos) {
      in_group = (in_group + 1) % 4;
      continue;
    }
    if (text[i] != '=' || in_group < 2) return i;
    if (in_group == 3) return i + 1;
    return i + 1 < text.size() && text[i + 1] == '=' ? i + 2 : i + 1;
  }
  return text.size() - in_group;
}

}  // namespace

// ---- as one of the pool ----------------------------------------------------------------------------------------------

void SerfCore::answer_keys(const Query& m, std::string_view what) {
  NodeKeys answer;
  bool list = what == "list-keys";
  auto change = [&]() -> Status {
    if (keyring_.empty())
      return invalid(list ? "Keyring is empty (encryption not enabled)" : "No keyring to modify (encryption not enabled)");
    log_info(kLog, fmt::format("serf: Received {} query", what));
    if (list) return {};
    KeyRequest request;
    if (m.Payload.empty() || !from_pack(std::string_view(m.Payload).substr(1), request)) return invalid("malformed key request");
    if (what == "install-key") DROVER_CHECK(keyring_.add(request.Key));
    if (what == "use-key") DROVER_CHECK(keyring_.use(request.Key));
    if (what == "remove-key") DROVER_CHECK(keyring_.remove(request.Key));
    if (!parts_.write_keyring) return {};
    auto written = parts_.write_keyring(encode_keyring(keyring_.keys()));
    if (!written) return std::move(written).error().with_context("Failed to write keyring file");
    return {};
  };
  auto done = change();
  answer.Result = done.has_value();
  if (!done) {
    answer.Message = done.error().message;
    log_error(kLog, fmt::format("serf: {} failed: {}", what, answer.Message));
  }
  if (!list) return respond(m, to_message(SerfWire::kKeyResponse, answer));
  if (done) {
    for (auto& key : keyring_.keys()) answer.Keys.push_back(base64_encode(key));
    answer.PrimaryKey = base64_encode(keyring_.primary());
  }
  respond(m, list_keys_payload(m, std::move(answer)));
}

// The answer with as many keys as fit into a packet.
std::string SerfCore::list_keys_payload(const Query& m, NodeKeys answer) {
  size_t all = answer.Keys.size();
  size_t most = std::min(tuning_.query_response_size_limit / kEncodedKeyMin, all);
  for (size_t i = most;; --i) {
    auto payload = to_message(SerfWire::kKeyResponse, answer);
    auto raw = to_message(SerfWire::kQueryResponse, QueryResponse{m.LTime, m.ID, name_, 0, payload});
    if (raw.size() <= tuning_.query_response_size_limit || i == 0) return payload;
    answer.Keys.resize(i);
    answer.Message = fmt::format("truncated key list response, showing first {} of {} keys", i, all);
  }
}

// ---- as the one who asks ---------------------------------------------------------------------------------------------

struct SerfCore::KeyRun {
  KeyResponse response;
  std::move_only_function<void(KeyResponse)> done;
};

void SerfCore::keys(KeyOp op, const std::string& base64_key, uint8_t relay_factor, Monotonic now,
                    std::move_only_function<void(KeyResponse)> done) {
  tick(now);
  auto run = std::make_shared<KeyRun>();
  run->done = std::move(done);
  run->response.messages = Map<std::string>::empty_map();
  run->response.keys = run->response.primary_keys = Map<int64_t>::empty_map();
  auto fail = [&](std::string why) {
    run->response.error = std::move(why);
    effects_.push_back(Complete{[run] { run->done(std::move(run->response)); }});
  };
  auto key = base64_decode(base64_key);
  if (!key) return fail(fmt::format("illegal base64 data at input byte {}", base64_error_at(base64_key)));
  const char* name = nullptr;
  for (auto& row : kOps)
    if (row.op == op) name = row.query;
  QueryParams params;
  params.relay_factor = relay_factor;
  run->response.num_nodes = static_cast<int64_t>(list_->live());
  auto started = query(name, to_message(SerfWire::kKeyRequest, KeyRequest{*key}), std::move(params), list_->now(),
                       [this, run](const NodeResponse& r) { key_response(run, r); }, [this, run] { finish_keys(run); });
  if (!started) fail(started.error().message);
}

void SerfCore::key_response(const std::shared_ptr<KeyRun>& run, const NodeResponse& r) {
  if (!run->done) return;
  auto& out = run->response;
  ++out.num_responses;
  NodeKeys answer;
  bool typed = !r.payload.empty() && r.payload[0] == static_cast<char>(SerfWire::kKeyResponse);
  if (!typed || !from_pack(std::string_view(r.payload).substr(1), answer)) {
    out.messages[r.from] = typed ? "Failed to decode key query response" : "Invalid key query response type";
    ++out.num_errors;
  } else {
    if (!answer.Result) ++out.num_errors;
    if (!answer.Result || !answer.Message.empty()) out.messages[r.from] = answer.Message;
    for (auto& key : answer.Keys) ++out.keys[key];
    ++out.primary_keys[answer.PrimaryKey];
  }
  if (out.num_responses == out.num_nodes) finish_keys(run);
}

void SerfCore::finish_keys(const std::shared_ptr<KeyRun>& run) {
  if (!run->done) return;
  auto& out = run->response;
  if (out.num_errors != 0) out.error = fmt::format("{}/{} nodes reported failure", out.num_errors, out.num_nodes);
  else if (out.num_responses != out.num_nodes) out.error = fmt::format("{}/{} nodes reported success", out.num_responses, out.num_nodes);
  effects_.push_back(Complete{[done = std::move(run->done), response = std::move(out)]() mutable { done(std::move(response)); }});
  run->done = nullptr;
}

}  // namespace drover::gossip
