// Filters of `data clean` beside the presets' rules: what a document's address, language models, scanners or earlier scores say of it.
// A filter measures named signals and decides by its own thresholds. Immutable: any thread.
#pragma once

#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace slipway::data {

struct NamedSignal {
  std::string_view name;  // static, or the filter's
  double value = std::numeric_limits<double>::quiet_NaN();
  std::string_view word = {};  // in place of a number; static, or the filter's
};

struct FilterVerdict {
  std::string_view reason;  // empty: keep; static, or the filter's
  std::string_view signal;
  double value = 0;  // of the signal; NaN: it is a word
  bool keep() const noexcept { return reason.empty(); }
};

class DocumentFilter {
 public:
  virtual ~DocumentFilter() = default;
  // Everything that decides, for a run goes on only with the same; files by their digests.
  virtual base::Json description() const = 0;
  // Whether it comes before the presets' rules, as FineWeb's address filter does.
  virtual bool first() const { return false; }
  // Adds its signals. `line` is the document's valid JSON, `text` its text.
  virtual FilterVerdict judge(std::string_view line, std::string_view text, std::vector<NamedSignal>& signals) const = 0;
};

using DocumentFilters = std::vector<std::shared_ptr<const DocumentFilter>>;

// Runs those that come first, or the others; stops at the first that drops unless `all`. The verdict is the first one's.
FilterVerdict run_filters(const DocumentFilters& filters, bool first, bool all, std::string_view line, std::string_view text,
                          std::vector<NamedSignal>& signals);
// ,"NAME":VALUE… or without the first comma when `begin`.
void append_named_signals(const std::vector<NamedSignal>& signals, bool begin, std::string& out);
// A number as signals are written: integers without a point, else the shortest form that reads back the same; null for what is not finite.
void append_signal_number(double value, std::string& out);

// A limit for a number that documents already carry, such as a score of `slipway data scan` or of an earlier model: documents that
// have none pass.
struct MemberLimit {
  std::string path;  // "toxicity", "metadata.language_score"
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};
// "PATH<=NUMBER" or "PATH>=NUMBER". Throws Error(kInvalid) naming `where`.
MemberLimit parse_member_limit(const std::string& text, const std::string& where);
std::shared_ptr<const DocumentFilter> make_member_filter(std::vector<MemberLimit> limits);

// The value at a path of members ("metadata.url"; a key may hold the dots itself) in an object that is known to be valid JSON, as its
// bytes; nothing when there is none. Of equal keys the last one counts. O(line).
std::optional<std::string_view> json_member(std::string_view line, std::string_view path);
// Its text, when it is a string; its number, when it is one.
std::optional<std::string> json_text(std::string_view line, std::string_view path);
std::optional<double> json_number(std::string_view line, std::string_view path);

}  // namespace slipway::data
