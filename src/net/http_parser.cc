#include "net/http_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

namespace drover::net {

namespace http = boost::beast::http;
using boost::system::error_code;
using View = boost::beast::string_view;

namespace {
std::string str(View v) { return {v.data(), v.size()}; }
}  // namespace

struct HttpParser::Machine {
  virtual ~Machine() = default;
  HttpParser* owner = nullptr;
  std::string* body = nullptr;
  Problem problem = Problem::kNone;
  std::string failed;  // the error that ended it

  virtual size_t put(std::string_view bytes, error_code& ec) = 0;
  virtual void put_eof(error_code& ec) = 0;
  virtual bool header_done() const = 0;
  virtual bool done() const = 0;
  virtual bool started() const = 0;
  virtual bool keep_alive() const = 0;
  virtual bool chunked() const = 0;
  virtual std::optional<uint64_t> content_length() const = 0;
  virtual void no_body() = 0;
};

namespace {

template <bool IsRequest>
class BeastMachine final : public HttpParser::Machine, public http::basic_parser<IsRequest> {
  using Base = http::basic_parser<IsRequest>;

 public:
  explicit BeastMachine(uint32_t max_header) {
    Base::header_limit(max_header);
    Base::body_limit(boost::none);
    Base::eager(true);
  }
  size_t put(std::string_view bytes, error_code& ec) override {
    return Base::put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  }
  void put_eof(error_code& ec) override { Base::put_eof(ec); }
  bool header_done() const override { return Base::is_header_done(); }
  bool done() const override { return Base::is_done(); }
  bool started() const override { return Base::got_some(); }
  bool keep_alive() const override { return Base::keep_alive(); }
  bool chunked() const override { return Base::chunked(); }
  std::optional<uint64_t> content_length() const override {
    auto n = Base::content_length();
    return n ? std::optional<uint64_t>(*n) : std::nullopt;
  }
  void no_body() override { Base::skip(true); }

 protected:
  void on_request_impl(http::verb, View method, View target, int version, error_code&) override {
    owner->method = str(method);
    owner->target = str(target);
    owner->minor_version = version % 10;
  }
  void on_response_impl(int code, View reason, int version, error_code&) override {
    owner->status = code;
    owner->reason = str(reason);
    owner->minor_version = version % 10;
  }
  void on_field_impl(http::field, View name, View value, error_code&) override {
    // Trailers come after the header and are dropped.
    if (!Base::is_header_done() && !header_seen_) owner->headers.add({name.data(), name.size()}, str(value));
  }
  void on_header_impl(error_code& ec) override {
    header_seen_ = true;
    if (!IsRequest || !owner->headers.has("Transfer-Encoding")) return;
    // The body's length would be anybody's guess.
    if (!Base::chunked()) problem = HttpParser::Problem::kUnsupportedEncoding;
    if (owner->headers.has("Content-Length")) problem = HttpParser::Problem::kMalformed;
    if (problem != HttpParser::Problem::kNone) ec = http::error::bad_transfer_encoding;
  }
  void on_body_init_impl(boost::optional<uint64_t> const&, error_code&) override {}
  size_t on_body_impl(View bytes, error_code&) override {
    body->append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(uint64_t, View, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, View bytes, error_code&) override {
    body->append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(error_code&) override {}

 private:
  bool header_seen_ = false;
};

HttpParser::Problem classify(const error_code& ec) {
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow) return HttpParser::Problem::kHeaderTooLarge;
  if (ec == http::error::bad_version) return HttpParser::Problem::kBadVersion;
  return HttpParser::Problem::kMalformed;
}

}  // namespace

HttpParser::HttpParser(Kind kind, uint32_t max_header) {
  if (kind == Kind::kRequest) machine_ = std::make_unique<BeastMachine<true>>(max_header);
  else machine_ = std::make_unique<BeastMachine<false>>(max_header);
  machine_->owner = this;
}
HttpParser::~HttpParser() = default;

Result<size_t> HttpParser::put(std::string_view bytes, std::string& body) {
  // Beast's machine breaks its own assertions when it is used after an error.
  if (!machine_->failed.empty()) return invalid(machine_->failed);
  machine_->body = &body;
  error_code ec;
  size_t used = 0;
  // The machine stops between the parts of a message.
  while (!machine_->done()) {
    error_code step;
    size_t n = machine_->put(bytes.substr(used), step);
    used += n;
    if (step && step != http::error::need_more) ec = step;
    if (step || n == 0) break;
  }
  if (!ec) return used;
  if (machine_->problem == Problem::kNone) machine_->problem = classify(ec);
  machine_->failed = "malformed HTTP message: " + ec.message();
  return invalid(machine_->failed);
}

Status HttpParser::end() {
  if (!machine_->failed.empty()) return invalid(machine_->failed);
  if (machine_->done()) return {};
  error_code ec = http::error::partial_message;
  if (machine_->started()) machine_->put_eof(ec);
  if (ec) return Error(ErrorCode::kIo, "unexpected EOF");
  return {};
}

HttpParser::Problem HttpParser::problem() const { return machine_->problem; }
bool HttpParser::header_done() const { return machine_->header_done(); }
bool HttpParser::done() const { return machine_->done(); }
bool HttpParser::started() const { return machine_->started(); }
bool HttpParser::keep_alive() const { return machine_->keep_alive(); }
bool HttpParser::chunked() const { return machine_->chunked(); }
std::optional<uint64_t> HttpParser::content_length() const { return machine_->content_length(); }
void HttpParser::no_body() { machine_->no_body(); }

}  // namespace drover::net
