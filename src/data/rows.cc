#include "data/rows.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/suggest.h"
#include "data/pages.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::optional<double> parse_number(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

RowSink::RowSink(const SourceOptions& options, base::Context& context, const std::function<void(Document&&)>& take,
                 SourceCounts& counts, int64_t progress_base)
    : options_(options), context_(context), take_(take), counts_(counts), progress_(progress_base) {}

void RowSink::begin_file(std::string name) {
  file_ = std::move(name);
  rows_before_file_ = counts_.rows;
}

void RowSink::progress(uint64_t consumed) {
  base::check_stop(context_, "collecting '" + options_.id + "'");
  context_.progress.update(progress_ + static_cast<int64_t>(consumed), options_.id);
}

void RowSink::end_file(uint64_t size) {
  progress_ += static_cast<int64_t>(size);
  counts_.files[file_] += counts_.rows - rows_before_file_;
  context_.progress.update(progress_, options_.id);
}

void RowSink::bad(const char* reason, uint64_t line) {
  ++counts_.rows;
  ++counts_.bad[reason];
  first_bad_.try_emplace(reason, fmt::format("'{}' line {}", file_, line));
  constexpr size_t kMaxTold = 10'000;
  if (counts_.bad_rows.size() < kMaxTold) {
    counts_.bad_rows.push_back({fmt::format("{}:{}", file_, line), reason});
  }
}

// False when the row has been counted as dropped or bad.
bool RowSink::label_of(const RawRow& row, std::string& label) {
  if (!options_.label_column.empty()) {
    const std::optional<double> value = parse_number(row.label);
    if (!value) {
      --counts_.rows;  // bad() counts it
      bad("not_a_number", row.line);
      return false;
    }
    for (const LabelBin& bin : options_.label_bins) {
      if (*value >= bin.min && *value <= bin.max) {
        label = bin.label;
        return true;
      }
    }
    ++counts_.dropped["neutral_label"];
    return false;
  }
  label = options_.label_value.empty() ? std::string(trim(row.label)) : options_.label_value;
  if (!options_.label_map.empty() && !label.empty()) {
    const auto found = options_.label_map.find(label);
    if (found == options_.label_map.end() || found->second.empty()) {
      ++counts_.dropped["unmapped_label"];
      return false;
    }
    label = found->second;
  }
  return true;
}

void RowSink::add(RawRow&& row) {
  ++counts_.rows;
  Document document;
  if (!text::is_valid_utf8(row.text) || !text::is_valid_utf8(row.label)) {
    if (options_.invalid_utf8 == "error") {
      throw Error(Code::kInvalid,
                  fmt::format("source '{}': '{}' line {}: invalid UTF-8 (invalid_utf8: replace or drop would "
                              "go on)",
                              options_.id, file_, row.line));
    }
    if (options_.invalid_utf8 == "drop") {
      ++counts_.dropped["invalid_utf8"];
      return;
    }
    ++counts_.repaired;
    document.text = text::sanitize_utf8(row.text);
  } else {
    document.text = row.text;
  }
  if (!label_of(row, document.label)) {
    return;
  }
  document.label = text::sanitize_utf8(document.label);
  document.source = options_.id;
  document.id = document_id(document.source, document.text);
  document.meta = std::move(row.kept);
  document.meta["at"] = fmt::format("{}:{}", file_, row.line);
  ++counts_.documents;
  counts_.bytes += static_cast<int64_t>(document.text.size());
  ++counts_.labels[document.label];
  take_(std::move(document));
}

void RowSink::finish() {
  int64_t total = 0;
  for (const auto& [reason, rows] : counts_.bad) {
    total += rows;
  }
  if (static_cast<double>(total) <= options_.max_bad * static_cast<double>(counts_.rows)) {
    return;
  }
  std::vector<std::string> parts;
  for (const auto& [reason, rows] : counts_.bad) {
    parts.push_back(fmt::format("{} {} (first: {})", rows, reason, first_bad_[reason]));
  }
  throw Error(
      Code::kInvalid,
      fmt::format("source '{}': {} of {} rows cannot be read: {}; correct the source's type, delimiter, quote or "
                  "columns, or raise its max_bad ({})",
                  options_.id, total, counts_.rows, fmt::join(parts, ", "), options_.max_bad));
}

size_t find_column(const std::string& column, const std::vector<std::string>& names, const std::string& file,
                   const char* what) {
  const auto found = std::find(names.begin(), names.end(), column);
  if (found != names.end()) {
    return static_cast<size_t>(found - names.begin());
  }
  size_t number = 0;
  const auto [end, error] = std::from_chars(column.data(), column.data() + column.size(), number);
  if (error == std::errc() && end == column.data() + column.size() && number >= 1 && number <= names.size()) {
    return number - 1;
  }
  const std::string near = base::nearest(column, names);
  throw Error(Code::kNotFound,
              fmt::format("'{}' line 1: no column '{}' for the {}; it has {}: {}{}", file, column, what, names.size(),
                          fmt::join(std::span(names).first(std::min<size_t>(names.size(), 30)), ", "),
                          near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

Json provenance(const SourceOptions& options, std::string_view bytes, const std::string& time) {
  Json kept = {{"digest", base::digest_of(bytes)}, {"time", time}};
  if (!options.licence.empty()) {
    kept["licence"] = options.licence;
  }
  return kept;
}

std::string time_of_file(const std::filesystem::path& file) { return base::iso8601(page_files({file.string()}).front().modified_ms); }

std::string label_from_path(const SourceOptions& options, const std::filesystem::path& file) {
  if (options.label == "folder") {
    return file.parent_path().filename().string();
  }
  if (options.label == "file") {
    const std::string name = file.filename().string();
    return name.substr(0, name.find('.'));
  }
  if (!options.label.empty()) {
    throw Error(Code::kInvalid, fmt::format("source '{}': 'label' is '{}', but '{}' has no columns; say folder or file",
                                            options.id, options.label, file.string()));
  }
  return "";
}

}  // namespace slipway::data
