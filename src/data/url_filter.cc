#include "data/url_filter.h"

#include <algorithm>
#include <fmt/format.h>
#include <re2/re2.h>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/input.h"
#include "data/web_text.h"
#include "text/public_suffix.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

bool is_word_char(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string simplify(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_word_char(c)) {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return out;
}

// Calls `entry` for each line that is one.
template <class Entry>
void each_entry(const std::vector<fs::path>& files, bool simplified, const Entry& entry) {
  for (const fs::path& file : files) {
    base::LineReader reader(file, size_t{64} << 10U);
    for (std::string_view line; reader.next(line);) {
      if (line.starts_with('#')) {
        continue;
      }
      const std::string text = simplified ? simplify(line) : std::string(strip(line));
      if (!text.empty()) {
        entry(text);
      }
    }
  }
}

}  // namespace

HashedList::HashedList(const std::vector<fs::path>& files, bool simplified) {
  each_entry(files, simplified, [&](const std::string& text) { hashes_.push_back(base::xxh64(text)); });
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
  hashes_.shrink_to_fit();
}

bool HashedList::has(std::string_view text) const noexcept {
  return std::binary_search(hashes_.begin(), hashes_.end(), base::xxh64(text));
}

uint64_t HashedList::digest() const noexcept {
  return base::xxh64({reinterpret_cast<const char*>(hashes_.data()), hashes_.size() * sizeof(uint64_t)});  // NOLINT: bytes to hash
}

struct UrlFilter::Lists {
  HashedList domains;
  HashedList urls;
  HashedList banned;
  HashedList soft;
  HashedList subword_list;
  std::unique_ptr<const re2::RE2> subwords;  // null: there are none

  explicit Lists(const UrlFilterOptions& options)
      : domains(options.domains, false), urls(options.urls, false), banned(options.banned_words, true),
        soft(options.soft_banned_words, true), subword_list(options.banned_subwords, true) {
    std::set<std::string> parts;
    each_entry(options.banned_subwords, true, [&](const std::string& text) { parts.insert(text); });
    if (parts.empty()) {
      return;
    }
    re2::RE2::Options flags(re2::RE2::Latin1);  // only ASCII is left of an address
    flags.set_log_errors(false);
    flags.set_max_mem(int64_t{256} << 20);
    subwords = std::make_unique<const re2::RE2>(fmt::format("{}", fmt::join(parts, "|")), flags);
    if (!subwords->ok()) {
      throw Error(Code::kInvalid, fmt::format("the list of banned parts of words is too long: {} entries", parts.size()));
    }
  }
};

UrlFilter::UrlFilter(const UrlFilterOptions& options) : options_(options), lists_(std::make_unique<const Lists>(options)) {}
UrlFilter::~UrlFilter() = default;

base::Json UrlFilter::description() const {
  base::Json lists = base::Json::array();
  for (const HashedList* list : {&lists_->domains, &lists_->urls, &lists_->banned, &lists_->soft, &lists_->subword_list}) {
    lists.push_back({{"entries", list->size()}, {"digest", fmt::format("{:016x}", list->digest())}});
  }
  return {{"url_fields", options_.fields}, {"lists", lists}, {"soft_word_threshold", options_.soft_word_threshold},
          {"require", options_.require},   {"suffixes", text::public_suffix_version()}};
}

std::string_view UrlFilter::reason_for(std::string_view url) const {
  const Lists& lists = *lists_;
  if (lists.domains.size() > 0) {
    const text::HostName host = text::host_of_url(url);
    if (!host.registered.empty() && lists.domains.has(host.registered)) {
      return "domain";
    }
    if (!host.full.empty() && lists.domains.has(host.full)) {
      return "subdomain";
    }
  }
  if (lists.urls.size() > 0 && lists.urls.has(url)) {
    return "url";
  }
  if (lists.banned.size() > 0 || lists.soft.size() > 0) {
    std::set<uint64_t> soft;  // each word counts once
    for (size_t begin = 0; begin < url.size();) {
      size_t end = begin;
      while (end < url.size() && is_word_char(url[end])) {
        ++end;
      }
      const std::string_view word = url.substr(begin, end - begin);
      if (!word.empty() && lists.banned.has(word)) {
        return "hard_blacklisted";
      }
      if (!word.empty() && lists.soft.has(word)) {
        soft.insert(base::xxh64(word));
      }
      begin = end + 1;
    }
    if (lists.soft.size() > 0 && static_cast<int>(soft.size()) >= options_.soft_word_threshold) {
      return "soft_blacklisted";
    }
  }
  if (lists.subwords != nullptr) {
    const std::string all = simplify(url);
    if (re2::RE2::PartialMatch(all, *lists.subwords)) {
      return "blacklisted_subword";
    }
  }
  return {};
}

FilterVerdict UrlFilter::judge(std::string_view line, std::string_view, std::vector<NamedSignal>& signals) const {
  std::optional<std::string> url;
  for (const std::string& field : options_.fields) {
    url = json_text(line, field);
    if (url && !url->empty()) {
      break;
    }
  }
  const std::string_view reason = url && !url->empty() ? reason_for(*url) : options_.require ? std::string_view("no_url") : std::string_view();
  signals.push_back({"url_reason", std::numeric_limits<double>::quiet_NaN(), reason});
  return {reason, reason.empty() ? std::string_view() : "url_reason", std::numeric_limits<double>::quiet_NaN()};
}

}  // namespace slipway::data
