#include "net/url.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"

namespace drover::net {
namespace {

enum class Part { kPath, kSegment, kHost, kUser, kQuery, kFragment };

bool alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool in(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

// Characters beside letters and digits that stand for themselves in each part.
std::string_view plain_characters(Part part) {
  switch (part) {
    case Part::kPath: return "-_.~$&+,/:;=@";
    case Part::kSegment: return "-_.~$&+:=@";
    case Part::kHost: return "-_.~!$&'()*+,;=:[]<>\"";
    case Part::kUser: return "-_.~$&+,;=";
    case Part::kQuery: return "-_.~";
    case Part::kFragment: return "-_.~$&+,/:;=?@!()*";
  }
  return {};
}
bool plain(char c, Part part) { return alnum(c) || in(plain_characters(part), c); }

std::string escape(std::string_view text, Part part) {
  std::string out;
  for (char c : text) {
    if (plain(c, part)) out += c;
    else if (c == ' ' && part == Part::kQuery) out += '+';
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> unescape(std::string_view s, Part part) {
  std::string out;
  for (size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    if (c == '%') {
      int hi = i + 2 < s.size() ? hex(s[i + 1]) : -1, lo = i + 2 < s.size() ? hex(s[i + 2]) : -1;
      if (hi < 0 || lo < 0) return invalid("invalid URL escape " + go_quote(s.substr(i, 3)));
      char byte = static_cast<char>(hi << 4 | lo);
      // A host may only have bytes beyond ASCII escaped.
      if (part == Part::kHost && hi < 8 && s.substr(i, 3) != "%25")
        return invalid("invalid URL escape " + go_quote(s.substr(i, 3)));
      out += byte;
      i += 2;
    } else if (c == '+' && part == Part::kQuery) {
      out += ' ';
    } else {
      if (part == Part::kHost && static_cast<unsigned char>(c) < 0x80 && !plain(c, part))
        return invalid("invalid character " + go_quote(s.substr(i, 1)) + " in host name");
      out += c;
    }
  }
  return out;
}

// Whether `raw` is one way to write a path.
bool valid_encoded_path(std::string_view raw) {
  return std::all_of(raw.begin(), raw.end(), [](char c) { return in("!$&'()*+,;=:@[]%", c) || plain(c, Part::kPath); });
}

Status set_path(Url& url, std::string_view raw) {
  DROVER_TRY(url.path, unescape(raw, Part::kPath));
  url.raw_path = escape(url.path, Part::kPath) == raw ? "" : std::string(raw);
  return {};
}

bool valid_userinfo(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return alnum(c) || in("-._:~!$&'()*+,;=%@", c); });
}

bool valid_optional_port(std::string_view port) {
  if (port.empty()) return true;
  if (port[0] != ':') return false;
  return std::all_of(port.begin() + 1, port.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<std::string> parse_host(std::string_view host) {
  if (host.starts_with("[")) {
    auto end = host.rfind(']');
    if (end == std::string_view::npos) return invalid("missing ']' in host");
    auto port = host.substr(end + 1);
    if (!valid_optional_port(port)) return invalid("invalid port " + go_quote(port) + " after host");
    auto zone = host.substr(0, end).find("%25");
    if (zone != std::string_view::npos) {
      DROVER_TRY(auto head, unescape(host.substr(0, zone), Part::kHost));
      DROVER_TRY(auto middle, unescape(host.substr(zone, end - zone), Part::kPath));
      DROVER_TRY(auto tail, unescape(host.substr(end), Part::kHost));
      return head + middle + tail;
    }
  } else if (auto colon = host.rfind(':'); colon != std::string_view::npos) {
    auto port = host.substr(colon);
    if (!valid_optional_port(port)) return invalid("invalid port " + go_quote(port) + " after host");
  }
  return unescape(host, Part::kHost);
}

Status parse_authority(Url& url, std::string_view authority) {
  auto at = authority.rfind('@');
  DROVER_TRY(url.host, parse_host(at == std::string_view::npos ? authority : authority.substr(at + 1)));
  if (at == std::string_view::npos) return {};
  auto info = authority.substr(0, at);
  if (!valid_userinfo(info)) return invalid("net/url: invalid userinfo");
  auto colon = info.find(':');
  DROVER_TRY(auto name, unescape(info.substr(0, colon), Part::kUser));
  url.user.emplace(std::move(name), std::nullopt);
  if (colon != std::string_view::npos) {
    DROVER_TRY(url.user->second, unescape(info.substr(colon + 1), Part::kUser));
  }
  return {};
}

Status take_scheme(Url& url, std::string_view& rest) {
  for (size_t i = 0; i < rest.size(); ++i) {
    char c = rest[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) continue;
    if (in("0123456789+-.", c)) {
      if (i == 0) return {};
    } else if (c == ':') {
      if (i == 0) return invalid("missing protocol scheme");
      url.scheme = to_lower(rest.substr(0, i));
      rest.remove_prefix(i + 1);
      return {};
    } else {
      return {};
    }
  }
  return {};
}

Status parse_into(Url& url, std::string_view rest, bool via_request) {
  if (std::any_of(rest.begin(), rest.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return invalid("net/url: invalid control character in URL");
  if (rest.empty() && via_request) return invalid("empty url");
  if (rest == "*") {
    url.path = "*";
    return {};
  }
  DROVER_CHECK(take_scheme(url, rest));
  if (rest.ends_with("?") && std::count(rest.begin(), rest.end(), '?') == 1) {
    url.force_query = true;
    rest.remove_suffix(1);
  } else if (auto q = rest.find('?'); q != std::string_view::npos) {
    url.raw_query = rest.substr(q + 1);
    rest = rest.substr(0, q);
  }
  if (!rest.starts_with("/")) {
    if (!url.scheme.empty()) {
      url.opaque = rest;
      return {};
    }
    if (via_request) return invalid("invalid URI for request");
    auto segment = rest.substr(0, rest.find('/'));
    if (segment.find(':') != std::string_view::npos)
      return invalid("first path segment in URL cannot contain colon");
  }
  if ((!url.scheme.empty() || (!via_request && !rest.starts_with("///"))) && rest.starts_with("//")) {
    auto authority = rest.substr(2);
    auto slash = authority.find('/');
    rest = slash == std::string_view::npos ? std::string_view{} : authority.substr(slash);
    DROVER_CHECK(parse_authority(url, authority.substr(0, slash)));
  }
  return set_path(url, rest);
}

Result<Url> finish(Url url, Status status, std::string_view text) {
  if (!status) return Error(std::move(status).error()).with_context("parse " + go_quote(text));
  return url;
}

}  // namespace

std::string query_escape(std::string_view text) { return escape(text, Part::kQuery); }
std::string path_escape(std::string_view text) { return escape(text, Part::kSegment); }
Result<std::string> query_unescape(std::string_view text) { return unescape(text, Part::kQuery); }
Result<std::string> path_unescape(std::string_view text) { return unescape(text, Part::kSegment); }

Query Query::parse(std::string_view text, std::string* error) {
  Query out;
  auto fail = [&](std::string why) {
    if (error && error->empty()) *error = std::move(why);
  };
  while (!text.empty()) {
    auto amp = text.find('&');
    auto pair = text.substr(0, amp);
    text = amp == std::string_view::npos ? std::string_view{} : text.substr(amp + 1);
    if (pair.find(';') != std::string_view::npos) {
      fail("invalid semicolon separator in query");
      continue;
    }
    if (pair.empty()) continue;
    auto eq = pair.find('=');
    auto key = query_unescape(pair.substr(0, eq));
    auto value = query_unescape(eq == std::string_view::npos ? std::string_view{} : pair.substr(eq + 1));
    if (!key || !value) {
      fail(key ? value.error().message : key.error().message);
      continue;
    }
    out.entries_.emplace_back(std::move(*key), std::move(*value));
  }
  return out;
}

std::string_view Query::get(std::string_view key) const {
  for (auto& [k, v] : entries_)
    if (k == key) return v;
  return {};
}
bool Query::has(std::string_view key) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](auto& e) { return e.first == key; });
}
std::vector<std::string_view> Query::values(std::string_view key) const {
  std::vector<std::string_view> out;
  for (auto& [k, v] : entries_)
    if (k == key) out.push_back(v);
  return out;
}
void Query::set(std::string_view key, std::string value) {
  remove(key);
  add(key, std::move(value));
}
void Query::add(std::string_view key, std::string value) { entries_.emplace_back(std::string(key), std::move(value)); }
void Query::remove(std::string_view key) {
  std::erase_if(entries_, [&](auto& e) { return e.first == key; });
}

std::string Query::encode() const {
  auto sorted = entries_;
  std::stable_sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.first < b.first; });
  std::string out;
  for (auto& [k, v] : sorted) {
    if (!out.empty()) out += '&';
    out += query_escape(k) + '=' + query_escape(v);
  }
  return out;
}

Result<Url> Url::parse(std::string_view text) {
  auto hash = text.find('#');
  Url url;
  auto status = parse_into(url, text.substr(0, hash), false);
  if (status && hash != std::string_view::npos) {
    auto fragment = unescape(text.substr(hash + 1), Part::kFragment);
    if (fragment) url.fragment = std::move(*fragment);
    else status = Error(std::move(fragment).error());
  }
  return finish(std::move(url), std::move(status), text);
}

Result<Url> Url::parse_request_target(std::string_view text) {
  Url url;
  auto status = parse_into(url, text, true);
  return finish(std::move(url), std::move(status), text);
}

std::string Url::hostname() const {
  if (host.starts_with("[")) {
    auto end = host.find(']');
    if (end != std::string::npos) return host.substr(1, end - 1);
  }
  auto colon = host.rfind(':');
  return valid_optional_port(colon == std::string::npos ? "" : host.substr(colon)) ? host.substr(0, colon) : host;
}

std::string Url::port() const {
  auto colon = host.rfind(':');
  if (colon == std::string::npos || host.find(']', colon) != std::string::npos) return {};
  return valid_optional_port(host.substr(colon)) ? host.substr(colon + 1) : "";
}

std::string Url::escaped_path() const {
  if (!raw_path.empty() && valid_encoded_path(raw_path)) {
    auto decoded = unescape(raw_path, Part::kPath);
    if (decoded && *decoded == path) return raw_path;
  }
  return path == "*" ? "*" : escape(path, Part::kPath);
}

std::string Url::request_target() const {
  std::string out = opaque;
  if (out.empty()) {
    out = escaped_path();
    if (out.empty()) out = "/";
  } else if (out.starts_with("//")) {
    out = scheme + ":" + out;
  }
  if (force_query || !raw_query.empty()) out += '?' + raw_query;
  return out;
}

std::string Url::str() const {
  std::string out;
  if (!scheme.empty()) out += scheme + ':';
  if (!opaque.empty()) {
    out += opaque;
  } else {
    if (!scheme.empty() || !host.empty() || user) {
      if (!host.empty() || !path.empty() || user) out += "//";
      if (user) {
        out += escape(user->first, Part::kUser);
        if (user->second) out += ':' + escape(*user->second, Part::kUser);
        out += '@';
      }
      out += escape(host, Part::kHost);
    }
    std::string p = escaped_path();
    if (!p.empty() && p[0] != '/' && !host.empty()) out += '/';
    if (out.empty() && p.substr(0, p.find('/')).find(':') != std::string::npos) out += "./";
    out += p;
  }
  if (force_query || !raw_query.empty()) out += '?' + raw_query;
  if (!fragment.empty()) out += '#' + escape(fragment, Part::kFragment);
  return out;
}

std::string Url::redacted() const {
  if (!user || !user->second) return str();
  Url copy = *this;
  copy.user->second = "xxxxx";
  return copy.str();
}

std::string clean_path(std::string_view path) {
  if (path.empty()) return "/";
  std::vector<std::string_view> kept;
  size_t at = 0;
  while (at <= path.size()) {
    auto slash = std::min(path.find('/', at), path.size());
    auto element = path.substr(at, slash - at);
    if (element == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!element.empty() && element != ".") {
      kept.push_back(element);
    }
    at = slash + 1;
  }
  std::string out;
  for (auto e : kept) out += '/' + std::string(e);
  if (out.empty()) return "/";
  if (path.back() == '/') out += '/';
  return out;
}

}  // namespace drover::net
