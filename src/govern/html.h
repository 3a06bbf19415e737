// Small pieces that the report is made of: escaped text, numbers for people, and safe reading of facts. Internal to the
// room. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace slipway::govern::html {

using base::Json;

// Text as HTML text or attribute value: & < > " ' become entities, control characters and invalid UTF-8 U+FFFD.
std::string escape(std::string_view text);
// At most `max_characters` code points, with "…" when cut; not escaped.
std::string shorten(std::string_view text, size_t max_characters);

// Numbers for people; "–" when not finite.
std::string number(double value, int significant = 4);  // 0.8742, 12.5, 3.1e-08
std::string fixed(double value, int decimals);          // 0.874
std::string signed_fixed(double value, int decimals);   // +0.012
std::string count(double value);                        // 12,345
std::string percent(double share, int decimals = 1);    // 87.4%
std::string bytes(double value);                        // 22.6 MB
std::string seconds(double value);                      // 3 min 4 s

// Facts. A missing member is null, NaN or the fallback, never an exception; paths are dotted.
const Json& at(const Json& json, std::string_view path);
bool has(const Json& json, std::string_view path);
double number_at(const Json& json, std::string_view path);
// The text, or a number or boolean as text ("yes", "no").
std::string text_of(const Json& json, std::string_view fallback = "");
std::string text_at(const Json& json, std::string_view path, std::string_view fallback = "");

// Walks a text by code points.
class CodePoints {
 public:
  explicit CodePoints(std::string_view text) : text_(text) {}
  // The text from where the last call ended to code point `until` (or the text's end).
  std::string_view take(double until);

 private:
  std::string_view text_;
  size_t at_ = 0;
  double points_ = 0;
};

struct Estimate {
  double value = 0;
  double low = 0;
  double high = 0;
  double n = 0;  // all NaN when absent
  bool known() const;
  bool has_interval() const;
};
// From {"value", "low", "high", "n"} or a bare number.
Estimate estimate_of(const Json& json);
Estimate estimate_at(const Json& json, std::string_view path);

// "0.861–0.886", or "–".
std::string interval(const Estimate& estimate, int decimals);
std::string percent_interval(const Estimate& estimate, int decimals = 1);

// A table cell row: <tr><td>…; cells are HTML already.
std::string row(const std::vector<std::string>& cells, std::string_view tag = "td");
// A table with a header row; `numeric` says from which column on cells are right-aligned.
std::string table(std::string_view caption, const std::vector<std::string>& head, const std::vector<std::string>& rows,
                  size_t numeric = 1);
// "Not measured." with the reason.
std::string absent(std::string_view what);
// A digest or id in monospace, shortened, with the whole in its title.
std::string code(std::string_view text, size_t max_characters = 80);

}  // namespace slipway::govern::html
