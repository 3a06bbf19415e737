#include "data/document_filter.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <iterator>

#include "base/error.h"
#include "data/document.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

void skip_space(std::string_view line, size_t& at) noexcept {
  while (at < line.size() && (line[at] == ' ' || line[at] == '\t' || line[at] == '\n' || line[at] == '\r')) {
    ++at;
  }
}

void skip_string(std::string_view line, size_t& at) noexcept {  // at its quote
  for (++at; at < line.size() && line[at] != '"'; ++at) {
    at += static_cast<size_t>(line[at] == '\\');
  }
  ++at;
}

// Any value: brackets are counted outside of strings.
void skip_value(std::string_view line, size_t& at) noexcept {
  size_t depth = 0;
  do {
    const char c = at < line.size() ? line[at] : '\0';
    if (c == '"') {
      skip_string(line, at);
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
    } else if (c == '}' || c == ']') {
      if (depth == 0) {
        return;
      }
      --depth;
      ++at;
    } else if (depth == 0) {
      while (at < line.size() && line.find_first_of(",}] \t\r\n", at) != at) {
        ++at;
      }
    } else {
      ++at;
    }
  } while (depth > 0 && at < line.size());
}

class MemberFilter final : public DocumentFilter {
 public:
  explicit MemberFilter(std::vector<MemberLimit> limits) : limits_(std::move(limits)) {
    for (const MemberLimit& limit : limits_) {
      low_.push_back(limit.path + "_below_limit");
      high_.push_back(limit.path + "_above_limit");
    }
  }
  base::Json description() const override {
    base::Json list = base::Json::array();
    for (const MemberLimit& limit : limits_) {
      list.push_back(fmt::format("{} in {}..{}", limit.path, limit.low, limit.high));
    }
    return {{"members", list}};
  }
  FilterVerdict judge(std::string_view line, std::string_view, std::vector<NamedSignal>&) const override {
    for (size_t i = 0; i < limits_.size(); ++i) {
      const std::optional<double> value = json_number(line, limits_[i].path);
      if (value && (*value < limits_[i].low || *value > limits_[i].high)) {
        return {*value < limits_[i].low ? low_[i] : high_[i], limits_[i].path, *value};
      }
    }
    return {};
  }

 private:
  std::vector<MemberLimit> limits_;
  std::vector<std::string> low_;  // reasons
  std::vector<std::string> high_;
};

}  // namespace

FilterVerdict run_filters(const DocumentFilters& filters, bool first, bool all, std::string_view line, std::string_view text,
                          std::vector<NamedSignal>& signals) {
  FilterVerdict verdict;
  for (const auto& filter : filters) {
    if (filter->first() != first) {
      continue;
    }
    const FilterVerdict one = filter->judge(line, text, signals);
    if (verdict.keep()) {
      verdict = one;
    }
    if (!verdict.keep() && !all) {
      break;
    }
  }
  return verdict;
}

void append_signal_number(double value, std::string& out) {
  if (!std::isfinite(value)) {
    out += "null";
  } else if (value == std::floor(value) && std::abs(value) < 1e15) {
    fmt::format_to(std::back_inserter(out), "{}", static_cast<int64_t>(value));
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

void append_named_signals(const std::vector<NamedSignal>& signals, bool begin, std::string& out) {
  for (const NamedSignal& signal : signals) {
    if (std::isnan(signal.value) && signal.word.empty()) {
      continue;
    }
    out += begin ? "\"" : ",\"";
    begin = false;
    out += signal.name;
    out += "\":";
    if (signal.word.empty()) {
      append_signal_number(signal.value, out);
    } else {
      append_json_string(signal.word, out);
    }
  }
}

MemberLimit parse_member_limit(const std::string& text, const std::string& where) {
  MemberLimit limit;
  const size_t sign = text.find_first_of("<>");
  double number = 0;
  bool good = sign != std::string::npos && sign > 0 && sign + 2 < text.size() && text[sign + 1] == '=';
  if (good) {
    const auto [end, error] = std::from_chars(text.data() + sign + 2, text.data() + text.size(), number);
    good = error == std::errc() && end == text.data() + text.size() && std::isfinite(number);
  }
  if (!good) {
    throw Error(Code::kInvalid, fmt::format("{} '{}': write MEMBER<=NUMBER or MEMBER>=NUMBER, as in toxicity<=0.5", where, text));
  }
  limit.path = text.substr(0, sign);
  (text[sign] == '<' ? limit.high : limit.low) = number;
  return limit;
}

std::shared_ptr<const DocumentFilter> make_member_filter(std::vector<MemberLimit> limits) {
  return std::make_shared<MemberFilter>(std::move(limits));
}

std::optional<std::string_view> json_member(std::string_view line, std::string_view path) {
  size_t at = 0;
  skip_space(line, at);
  if (at >= line.size() || line[at] != '{') {
    return std::nullopt;
  }
  ++at;
  std::optional<std::string_view> found;
  while (at < line.size()) {
    skip_space(line, at);
    if (at >= line.size() || line[at] != '"') {
      break;  // the end of the object
    }
    const size_t quote = at;
    skip_string(line, at);
    if (at >= line.size()) {
      break;  // no JSON after all
    }
    const std::string_view key = line.substr(quote + 1, at - quote - 2);
    skip_space(line, at);
    ++at;  // the colon
    skip_space(line, at);
    const size_t begin = std::min(at, line.size());
    skip_value(line, at);
    const std::string_view value = line.substr(begin, at - begin);
    if (key == path) {
      found = value;
    } else if (path.size() > key.size() && path.starts_with(key) && path[key.size()] == '.') {
      const auto inner = json_member(value, path.substr(key.size() + 1));
      found = inner ? inner : found;
    }
    skip_space(line, at);
    at += static_cast<size_t>(at < line.size() && line[at] == ',');
  }
  return found;
}

std::optional<std::string> json_text(std::string_view line, std::string_view path) {
  const auto value = json_member(line, path);
  if (!value || !value->starts_with('"')) {
    return std::nullopt;
  }
  if (value->find('\\') == std::string_view::npos) {
    return std::string(value->substr(1, value->size() - 2));
  }
  const base::Json json = base::Json::parse(*value, nullptr, false);
  return json.is_string() ? std::optional<std::string>(json.get<std::string>()) : std::nullopt;
}

std::optional<double> json_number(std::string_view line, std::string_view path) {
  const auto value = json_member(line, path);
  double number = 0;
  if (!value) {
    return std::nullopt;
  }
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  return error == std::errc() && end == value->data() + value->size() ? std::optional<double>(number) : std::nullopt;
}

}  // namespace slipway::data
