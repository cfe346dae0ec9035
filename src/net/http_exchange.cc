#include <fmt/format.h>

#include "base/strings.h"
#include "net/http_connection.h"
#include "net/sniff.h"
#include "net/websocket.h"

namespace drover::net {
namespace {

constexpr size_t kCompressHere = 32 * 1024;  // larger bodies go to the pool
constexpr size_t kOneWrite = 16 * 1024;      // body sent in one piece with the header

bool has_no_body(int status) { return status == 204 || status == 304 || status < 200; }

class Exchange : public HttpExchange {
 public:
  Exchange(HttpConnection& connection, Turn& turn) : connection_(connection), turn_(turn) {
    auto& r = turn.request;
    head_ = r.method == "HEAD";
    keep_ = turn.parser.keep_alive();
    if (!connection.server().options.compress) return;
    headers_.add("Vary", "Accept-Encoding");
    if (!r.headers.has("Upgrade")) encoding_ = pick_encoding(r.headers.get("Accept-Encoding"));
  }

  // ---- Body

  Async<Result<std::string>> read_body_some() override {
    for (;;) {
      if (!turn_.body.empty()) co_return std::exchange(turn_.body, {});
      if (turn_.parser.done()) {
        connection_.watch(turn_);
        co_return std::string{};
      }
      if (auto s = co_await connection_.feed(turn_); !s) {
        keep_ = false;  // where the next request would begin is lost
        co_return std::move(s).error();
      }
    }
  }

  Async<Result<std::string>> read_body(size_t max) override {
    auto too_large = [this] {
      keep_ = false;  // the rest is not worth reading
      return Error(ErrorCode::kTooLarge, "http: request body too large");
    };
    auto length = turn_.request.content_length;
    if (length && *length > max) co_return too_large();
    std::string all;
    if (length) all.reserve(std::min<size_t>(*length, 1 << 20));
    for (;;) {
      DROVER_CO_TRY(auto piece, co_await read_body_some());
      if (piece.empty()) co_return std::move(all);
      if (all.size() + piece.size() > max) co_return too_large();
      if (all.empty()) all = std::move(piece);
      else all += piece;
    }
  }

  // ---- Reply

  Headers& headers() override { return headers_; }
  bool started() const override { return started_; }

  Async<Status> respond(int status, std::string body) override {
    return respond_shared(status, std::make_shared<const std::string>(std::move(body)));
  }

  Async<Status> respond_shared(int status, std::shared_ptr<const std::string> body) override {
    if (started_) co_return internal("http: the reply has started");
    sniff(*body);
    if (has_no_body(status)) body = std::make_shared<const std::string>();
    auto encoding = use_encoding();
    if (encoding != Encoding::kIdentity && !body->empty()) {
      if (body->size() < kCompressHere) {
        body = std::make_shared<const std::string>(compress(encoding, *body));
      } else {
        body = co_await on_pool(connection_.server().world, [body, encoding] {
          return std::make_shared<const std::string>(compress(encoding, *body));
        });
      }
      if (started_) co_return internal("http: the reply has started");
    }
    started_ = finished_ = true;
    std::string head = compose(status, has_no_body(status) ? std::nullopt : std::optional<uint64_t>(body->size()), false);
    if (head_) co_return co_await deliver(head);
    if (body->size() <= kOneWrite) {
      head += *body;
      co_return co_await deliver(head);
    }
    if (auto s = co_await deliver(head); !s) co_return s;
    co_return co_await deliver(*body);
  }

  Async<Status> start(int status) override {
    if (started_) co_return internal("http: the reply has started");
    started_ = true;
    if (auto e = use_encoding(); e != Encoding::kIdentity) {
      headers_.remove("Content-Length");
      compressor_ = std::make_unique<Compressor>(e);
    }
    no_body_ = head_ || has_no_body(status);
    bool length = headers_.has("Content-Length");
    chunked_ = !no_body_ && !length && turn_.request.minor_version >= 1;
    // Without a length and without chunks only the connection's end tells the body's.
    if (!no_body_ && !length && !chunked_) keep_ = false;
    if (length) promised_ = parse_uint(headers_.get("Content-Length"));
    co_return co_await deliver(compose(status, std::nullopt, chunked_));
  }

  Async<Status> write(std::string_view bytes) override {
    if (!started_ || finished_) co_return internal("http: write outside of a streamed reply");
    if (bytes.empty() || no_body_) co_return Status{};
    std::string packed;
    if (compressor_) {
      packed = compressor_->write(bytes);
      bytes = packed;
    }
    co_return co_await write_raw(bytes);
  }

  Async<Status> finish() override {
    if (!started_ || finished_) co_return Status{};
    if (compressor_ && !no_body_) {
      std::string tail = compressor_->finish();
      if (auto s = co_await write_raw(tail); !s) co_return s;
    }
    finished_ = true;
    if (promised_ && *promised_ != written_ && !no_body_) keep_ = false;
    if (chunked_) co_return co_await deliver("0\r\n\r\n");
    co_return Status{};
  }

  Async<Result<std::unique_ptr<WebSocket>>> upgrade_websocket(std::string refusal) override {
    if (started_) co_return internal("http: the reply has started");
    auto& r = turn_.request;
    auto plan = plan_websocket_upgrade(r.method, r.host, r.headers);
    if (plan.status != 101) {
      headers_.set("Content-Type", "text/plain; charset=utf-8");
      headers_.set("X-Content-Type-Options", "nosniff");
      headers_.set("Sec-Websocket-Version", "13");
      (void)co_await respond(plan.status, std::string(status_text(plan.status)) + "\n" + (refusal.empty() ? "" : refusal + plan.error));
      co_return invalid(std::move(plan.error));
    }
    started_ = finished_ = upgraded_ = true;
    connection_.stop_watching();
    std::string head =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
        plan.accept + "\r\n\r\n";
    DROVER_CO_CHECK(co_await deliver(head));
    WebSocket::Options options;
    co_return std::make_unique<WebSocket>(connection_.server().world, connection_.stream(), connection_.take_unread(),
                                          options);
  }

  Async<bool> conclude_reply() {
    if (!started_) {
      if (!co_await respond(200, "")) co_return false;
    } else if (!finished_) {
      if (!co_await finish()) co_return false;
    }
    co_return keep_ && !broken_ && !upgraded_;
  }

 private:
  // Only of plain bytes, as Go's server does: a compressed reply goes without a type that nobody set.
  void sniff(std::string_view body) {
    bool plain = encoding_ == Encoding::kIdentity && !headers_.has("Content-Encoding");
    if (plain && !body.empty() && !headers_.has("Content-Type"))
      headers_.set("Content-Type", std::string(detect_content_type(body)));
  }
  // The encoding of this reply; a body that the handler encoded itself is left alone.
  Encoding use_encoding() {
    // "identity" is how a handler says that its body is packed already.
    if (headers_.get("Content-Encoding") == "identity") return headers_.remove("Content-Encoding"), Encoding::kIdentity;
    if (encoding_ == Encoding::kIdentity || headers_.has("Content-Encoding")) return Encoding::kIdentity;
    headers_.set("Content-Encoding", std::string(encoding_name(encoding_)));
    return encoding_;
  }

  std::string compose(int status, std::optional<uint64_t> length, bool chunked) {
    if (headers_.has_token("Connection", "close")) keep_ = false;
    if (connection_.server().stopping) keep_ = false;
    // The client still waits to be told to send its body: this connection cannot go on.
    if (turn_.expects_continue && !turn_.parser.done()) keep_ = false;
    headers_.remove("Connection");
    if (length) headers_.remove("Content-Length");
    auto text = status_text(status);
    std::string out = text.empty() ? fmt::format("HTTP/1.1 {0} status code {0}\r\n", status)
                                   : fmt::format("HTTP/1.1 {} {}\r\n", status, text);
    headers_.write_to(out);
    if (!headers_.has("Date")) out += fmt::format("Date: {}\r\n", connection_.server().date_now());
    if (length) out += fmt::format("Content-Length: {}\r\n", *length);
    if (!keep_) out += "Connection: close\r\n";
    else if (turn_.request.minor_version == 0) out += "Connection: keep-alive\r\n";
    if (chunked) out += "Transfer-Encoding: chunked\r\n";
    return out += "\r\n";
  }

  Async<Status> write_raw(std::string_view bytes) {
    if (bytes.empty()) co_return Status{};
    written_ += bytes.size();
    if (promised_ && written_ > *promised_) {
      keep_ = false;
      co_return internal("http: wrote more than the declared Content-Length");
    }
    if (!chunked_) co_return co_await deliver(bytes);
    std::string head = fmt::format("{:x}\r\n", bytes.size());
    if (bytes.size() <= kOneWrite) {
      head += bytes;
      head += "\r\n";
      co_return co_await deliver(head);
    }
    if (auto s = co_await deliver(head); !s) co_return s;
    if (auto s = co_await deliver(bytes); !s) co_return s;
    co_return co_await deliver("\r\n");
  }

  Async<Status> deliver(std::string_view bytes) {
    auto s = co_await connection_.send(bytes);
    if (!s) broken_ = true;
    co_return s;
  }
  Async<Status> deliver(std::string&& bytes) {
    auto keep = std::move(bytes);
    auto s = co_await connection_.send(keep);
    if (!s) broken_ = true;
    co_return s;
  }
  Async<Status> deliver(const char* text) { return deliver(std::string_view(text)); }
  Async<Status> deliver(const std::string& bytes) { return deliver(std::string_view(bytes)); }
  Async<Status> deliver(std::string& bytes) { return deliver(std::string_view(bytes)); }

  HttpConnection& connection_;
  Turn& turn_;
  Headers headers_;
  Encoding encoding_ = Encoding::kIdentity;
  std::unique_ptr<Compressor> compressor_;
  bool head_ = false, keep_ = true, started_ = false, finished_ = false, chunked_ = false, no_body_ = false;
  bool broken_ = false, upgraded_ = false;
  uint64_t written_ = 0;
  std::optional<uint64_t> promised_;
};

}  // namespace

std::unique_ptr<HttpExchange> make_exchange(HttpConnection& connection, Turn& turn) {
  return std::make_unique<Exchange>(connection, turn);
}
Async<bool> conclude(HttpExchange& exchange) { return static_cast<Exchange&>(exchange).conclude_reply(); }

}  // namespace drover::net
