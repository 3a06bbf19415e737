// Documents dropped by their addresses, as datatrove's URLFilter decides with lists of one's own: registered domain or host in a list,
// whole address in a list, a banned word among its words, two soft ones, a banned part of a word anywhere. Words are runs of ASCII letters
// and digits, in the case in which they stand; parts are looked for in lower case with all else removed. Lines of lists that
// begin with '#' are comments, empty ones nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/document_filter.h"

namespace slipway::data {

struct UrlFilterOptions {
  // Where a document has its address; the first that is a text counts.
  std::vector<std::string> fields = {"url", "metadata.url"};
  std::vector<std::filesystem::path> domains;  // files, plain or compressed, an entry a line
  std::vector<std::filesystem::path> urls;
  std::vector<std::filesystem::path> banned_words;
  std::vector<std::filesystem::path> soft_banned_words;
  std::vector<std::filesystem::path> banned_subwords;
  int soft_word_threshold = 2;
  bool require = false;  // a document without an address goes, too ("no_url")
  bool empty() const noexcept {
    return domains.empty() && urls.empty() && banned_words.empty() && soft_banned_words.empty() && banned_subwords.empty() && !require;
  }
};

// Strings known by 64-bit hashes: 8 bytes an entry for lists of millions; a stranger is taken for one of 5 million with
// probability 3e-13. Immutable.
class HashedList {
 public:
  // Reads files; `simplified`: entries are reduced to ASCII letters and digits in lower case.
  HashedList(const std::vector<std::filesystem::path>& files, bool simplified);
  bool has(std::string_view text) const noexcept;
  size_t size() const noexcept { return hashes_.size(); }
  uint64_t digest() const noexcept;  // of the set

 private:
  std::vector<uint64_t> hashes_;  // sorted
};

class UrlFilter final : public DocumentFilter {
 public:
  // Throws Error(kNotFound | kInvalid) naming the list.
  explicit UrlFilter(const UrlFilterOptions& options);
  ~UrlFilter() override;
  base::Json description() const override;
  bool first() const override { return true; }
  FilterVerdict judge(std::string_view line, std::string_view text, std::vector<NamedSignal>& signals) const override;
  // Why the address is not wanted, by datatrove's names ("domain", "subdomain", "url", "hard_blacklisted", "soft_blacklisted",
  // "blacklisted_subword"); empty: it may pass.
  std::string_view reason_for(std::string_view url) const;

 private:
  struct Lists;
  UrlFilterOptions options_;
  std::unique_ptr<const Lists> lists_;
};

}  // namespace slipway::data
