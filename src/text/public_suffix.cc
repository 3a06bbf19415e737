#include "text/public_suffix.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "text/unicode.h"

namespace slipway::text {
namespace {

// What ends at a suffix: a rule itself, or a wildcard below it; neither: only longer rules go through it.
struct Node {
  bool end = false;
  bool wildcard = false;
  bool exception = false;  // "!": the wildcard does not hold here
};

using Nodes = std::unordered_map<std::string_view, Node>;

Nodes make_nodes() {
  Nodes nodes;
  for (std::string_view rule : public_suffix_rules()) {
    const bool exception = rule.starts_with('!');
    rule.remove_prefix(exception ? 1 : 0);
    const bool wildcard = rule.starts_with("*.");
    rule.remove_prefix(wildcard ? 2 : 0);
    Node& node = nodes[rule];
    (exception ? node.exception : wildcard ? node.wildcard : node.end) = true;
    for (size_t dot = rule.find('.'); dot != std::string_view::npos; dot = rule.find('.', dot + 1)) {
      nodes[rule.substr(dot + 1)];
    }
  }
  return nodes;
}

bool is_scheme_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

// What stands behind "//" or "scheme://", up to the path, without user, port and the root's dots.
std::string_view host_part(std::string_view url) {
  const size_t slashes = url.find("//");
  if (slashes == 0) {
    url.remove_prefix(2);
  } else if (slashes != std::string_view::npos && slashes >= 2 && url[slashes - 1] == ':' &&
             std::all_of(url.begin(), url.begin() + static_cast<std::ptrdiff_t>(slashes) - 1, is_scheme_char)) {
    url.remove_prefix(slashes + 2);
  }
  url = url.substr(0, url.find_first_of("/?#"));
  if (const size_t at = url.rfind('@'); at != std::string_view::npos) {
    url.remove_prefix(at + 1);
  }
  if (url.starts_with('[') && url.find(']') != std::string_view::npos) {
    return {};  // an IPv6 address
  }
  url = url.substr(0, url.find(':'));
  const auto blank = [](std::string_view text, size_t at) { return is_whitespace(decode_at(text, at).code); };
  while (!url.empty() && blank(url, 0)) {
    url.remove_prefix(decode_at(url, 0).size);
  }
  const auto last = [&] {
    size_t at = url.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(url[at]) & 0xC0U) == 0x80) {
      --at;
    }
    return at;
  };
  while (!url.empty() && blank(url, last())) {
    url.remove_suffix(url.size() - last());
  }
  const auto is_dot = [](char32_t c) { return c == '.' || c == 0x3002 || c == 0xFF0E || c == 0xFF61; };
  while (!url.empty() && is_dot(decode_at(url, last()).code)) {
    url.remove_suffix(url.size() - last());
  }
  return url;
}

std::string join(std::span<const std::string> labels) {
  std::string out;
  for (size_t i = 0; i < labels.size(); ++i) {
    out += i == 0 ? "" : ".";
    out += labels[i];
  }
  return out;
}

// The label with which the public suffix of a host begins; labels.size() when there is none.
size_t suffix_begin(const std::vector<std::string>& labels) {
  static const Nodes kNodes = make_nodes();
  std::string suffix;
  size_t begin = labels.size();
  const Node* node = nullptr;
  for (size_t at = labels.size(); at > 0; --at) {
    const std::string label = lowercase(labels[at - 1]);
    std::string longer = suffix.empty() ? label : label + "." + suffix;
    const auto found = kNodes.find(longer);
    // "!www.ck" is no way to "www.ck", so that an exception is seen by the wildcard only.
    if (found != kNodes.end() && (found->second.end || found->second.wildcard || !found->second.exception)) {
      suffix = std::move(longer);
      node = &found->second;
      begin = node->end ? at - 1 : begin;
      continue;
    }
    if (node != nullptr && node->wildcard) {
      return found != kNodes.end() && found->second.exception ? at : at - 1;
    }
    break;
  }
  return begin;
}

}  // namespace

HostName host_of_url(std::string_view url) {
  std::vector<std::string> labels(1);
  const std::string_view host = host_part(url);
  for (size_t at = 0; at < host.size();) {
    const Decoded c = decode_at(host, at);
    if (c.code == '.' || c.code == 0x3002 || c.code == 0xFF0E || c.code == 0xFF61) {
      labels.emplace_back();
    } else {
      labels.back().append(host, at, c.size);
    }
    at += c.size;
  }
  const size_t begin = suffix_begin(labels);
  HostName name;
  if (begin == labels.size() || begin == 0 || labels[begin - 1].empty()) {
    return name;
  }
  const std::span<const std::string> all(labels);
  name.registered = join(all.subspan(begin - 1));
  const std::string before = join(all.first(begin - 1));
  name.full = before.empty() ? name.registered : before + "." + name.registered;
  return name;
}

}  // namespace slipway::text
