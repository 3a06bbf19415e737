#include "data/table_scan.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <queue>

#include "base/error.h"
#include "base/hash.h"
#include "base/suggest.h"
#include "data/row_table.h"
#include "data/spill.h"
#include "text/language.h"
#include "text/pii.h"
#include "text/unicode.h"
#include "text/words.h"

namespace slipway::data {
namespace {

constexpr size_t kBins = 32;           // at most twice as many are shown
constexpr size_t kFirstNumbers = 1024;  // from which the first bins are made
constexpr size_t kSampleText = 8192;
constexpr size_t kPlaces = 3;
constexpr size_t kExtremes = 5;
constexpr int64_t kPeekRows = 1000;
constexpr size_t kBatchRows = 4096;
constexpr size_t kBatchBytes = size_t{8} << 20;
constexpr int64_t kGrain = 128;  // rows whose n-grams are counted together; fixed, so that threads make no difference

const std::vector<std::string> kTextNames = {"text", "sentence", "content", "document", "body", "review", "prompt", "question"};
const std::vector<std::string> kLabelNames = {"label", "labels", "category", "class", "target", "sentiment", "intent"};

// What one text tells; computed side by side.
struct Facts {
  std::string text;
  size_t chars = 0;
  size_t words = 0;
  size_t tokens = 0;
  std::string language;
  std::vector<std::string> pii;  // its types, each once
};

struct BatchRow {
  bool present = false;
  Facts facts;
  std::string at;
  std::optional<SampleRow> sampled;
};

using Counts = std::map<std::string, uint64_t>;

struct BySmallest {
  bool operator()(const SampleRow& a, const SampleRow& b) const { return a.order != b.order ? a.order < b.order : a.number < b.number; }
};

// Columns of texts and labels, from the first rows.
struct Chosen {
  std::string text;
  std::string label;
};

Chosen choose(const VersionFiles& files, const ScanOptions& options, base::Context& context) {
  Chosen chosen{options.text, options.label};
  RowTable table(files, context, "looking at the first rows");
  std::map<std::string, uint64_t> bytes;  // of texts, by column
  std::map<std::string, uint64_t> texts;
  while (table.rows() < kPeekRows && table.next()) {
    for (const auto& [column, cell] : table.cells()) {
      if (cell.kind == Cell::Kind::kText && !cell.numeric) {
        bytes[table.columns()[column]] += cell.text.size();
        ++texts[table.columns()[column]];
      }
    }
  }
  const std::vector<std::string>& names = table.columns();
  const auto there = [&](const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  if (chosen.label.empty()) {
    const auto known = std::find_if(kLabelNames.begin(), kLabelNames.end(), there);
    chosen.label = known == kLabelNames.end() ? "" : *known;
  }
  if (chosen.text.empty()) {
    const auto known = std::find_if(kTextNames.begin(), kTextNames.end(), [&](const std::string& name) { return texts.contains(name); });
    constexpr double kTextBytes = 20;  // what is shorter on average is a name or a label
    double longest = kTextBytes;
    for (const auto& [name, size] : bytes) {
      const double mean = static_cast<double>(size) / static_cast<double>(texts[name]);
      if (known == kTextNames.end() && mean >= longest && name != chosen.label) {
        longest = mean;
        chosen.text = name;
      }
    }
    chosen.text = known == kTextNames.end() ? chosen.text : *known;
  }
  return chosen;
}

class Scanner {
 public:
  Scanner(const VersionFiles& files, const ScanOptions& options, base::Context& context)
      : options_(options),
        context_(context),
        chosen_(choose(files, options, context)),
        table_(files, context, "reading rows"),
        profiler_(TableProfiler::kAllTop),
        space_{options.work, options.memory_bytes, &context.pool},
        contents_(space_, "contents", options.memory_bytes / 2),
        pii_(text::PiiOptions{}) {}

  TableScan run() {
    context_.progress.start("rows", 0, "rows");
    size_t bytes = 0;
    while (table_.next()) {
      bytes += take();
      if (batch_.size() == kBatchRows || bytes >= kBatchBytes) {
        flush();
        bytes = 0;
        context_.progress.update(static_cast<int64_t>(table_.rows()), "");
      }
    }
    flush();
    context_.progress.finish("");
    finish();
    return std::move(scan_);
  }

 private:
  // The row at hand: what is exact and cheap, and its text for later. Returns the text's bytes.
  size_t take() {
    profiler_.add(table_);
    scan_.columns.resize(table_.columns().size());
    seen_.assign(table_.columns().size(), false);
    BatchRow row;
    std::string at;
    const auto where = [&]() -> const std::string& { return at.empty() ? at = table_.at() : at; };
    const uint64_t order = order_of(table_.number());
    const bool sampled = options_.sample > 0 && (static_cast<int64_t>(sample_.size()) < options_.sample || order < sample_.top().order);
    if (sampled) {
      row.sampled.emplace();
      row.sampled->numbers.assign(table_.columns().size(), std::numeric_limits<double>::quiet_NaN());
    }
    std::string label;
    Hash128 whole{1, 2};
    for (const auto& [column, cell] : table_.cells()) {
      if (cell.is_null()) {
        continue;
      }
      seen_[column] = true;
      ColumnScan& scan = scan_.columns[column];
      note(scan, cell, where);
      const std::string& name = table_.columns()[column];
      if (sampled && cell.numeric) {
        row.sampled->numbers[column] = cell.number;
      }
      if (name == chosen_.text && cell.kind == Cell::Kind::kText) {
        row.present = true;
        row.facts.text = text::sanitize_utf8(cell.text);
      } else if (name == chosen_.label) {
        label = cell.as_text();
      }
      if (chosen_.text.empty()) {  // the order of members makes no difference
        const Hash128 one = hash_bytes(name);
        const Hash128 value = cell.hash();
        whole = {whole.high + one.high * (value.high | 1U), whole.low + one.low * (value.low | 1U)};
      }
    }
    for (size_t column = 0; column < seen_.size(); ++column) {
      if (!seen_[column] && scan_.columns[column].missing.at.size() < kPlaces) {
        scan_.columns[column].missing.add(where());
      }
    }
    const Hash128 content = chosen_.text.empty() ? whole : hash_bytes(row.facts.text);
    if (chosen_.text.empty() || row.present) {
      contents_.add(content);
    }
    row.at = row.present || sampled ? where() : "";
    if (sampled) {
      SampleRow& sample = *row.sampled;
      sample.order = order;
      sample.number = table_.number();
      sample.at = row.at;
      sample.label = label;
      sample.content = content;
    }
    const size_t bytes = row.facts.text.size();
    batch_.push_back(std::move(row));
    return bytes;
  }

  uint64_t order_of(uint64_t number) const {
    return base::xxh64(std::string_view(reinterpret_cast<const char*>(&number), sizeof number), options_.seed);
  }

  template <class Where>
  static void note(ColumnScan& scan, const Cell& cell, const Where& where) {
    const Json value = cell.json();
    const char* type = value.is_string() ? "string" : value.is_boolean() ? "boolean" : value.is_number_float() ? "number" : value.is_number() ? "integer" : value.is_array() ? "list" : "object";
    if (!scan.type_at.contains(type)) {
      scan.type_at[type] = where();
    }
    if (scan.value_at.size() <= TableProfiler::kAllTop) {
      std::string key = ValueSet::key(value);
      if (!scan.value_at.contains(key)) {
        scan.value_at[std::move(key)] = where();
      }
    }
    if (cell.numeric && std::isfinite(cell.number)) {
      scan.numbers.add(cell.number);
      extreme(scan.lowest, cell.number, where, std::less<>());
      extreme(scan.highest, cell.number, where, std::greater<>());
    }
  }

  template <class Where, class Before>
  static void extreme(std::vector<std::pair<double, std::string>>& list, double value, const Where& where, Before before) {
    if (list.size() == kExtremes && !before(value, list.back().first)) {
      return;
    }
    const auto at = std::find_if(list.begin(), list.end(), [&](const auto& one) { return before(value, one.first); });
    list.insert(at, {value, where()});
    if (list.size() > kExtremes) {
      list.pop_back();
    }
  }

  void flush() {
    base::check_stop(context_, "reading rows");
    const auto count = static_cast<int64_t>(batch_.size());
    std::vector<std::array<Counts, 3>> counts(static_cast<size_t>((count + kGrain - 1) / kGrain));
    context_.pool.parallel_chunks(count, kGrain, [&](int64_t begin, int64_t end) {
      text::PiiScanner::Scratch scratch;
      std::vector<text::PiiFinding> findings;
      std::vector<text::Span> spans;
      text::Encoding encoding;
      for (int64_t i = begin; i < end; ++i) {
        if (batch_[static_cast<size_t>(i)].present) {
          // Chunks begin at multiples of the grain.
          look(batch_[static_cast<size_t>(i)].facts, counts[static_cast<size_t>(i / kGrain)], scratch, findings, spans, encoding);
        }
      }
    });
    for (const auto& one : counts) {
      for (size_t n = 0; n < one.size(); ++n) {
        for (const auto& [ngram, times] : one[n]) {
          scan_.texts.ngrams[n].add(ngram, times);
        }
      }
    }
    for (BatchRow& row : batch_) {
      if (row.present) {
        count_text(row);
      }
      if (row.sampled) {
        keep(row);
      }
    }
    batch_.clear();
  }

  void look(Facts& facts, std::array<Counts, 3>& counts, text::PiiScanner::Scratch& scratch, std::vector<text::PiiFinding>& findings,
            std::vector<text::Span>& spans, text::Encoding& encoding) const {
    facts.chars = text::count_code_points(facts.text);
    facts.language = text::detect_language(facts.text).code;
    const std::string lower = text::lowercase(facts.text);
    text::split_words(lower, spans);
    facts.words = spans.size();
    std::string ngram;
    for (size_t i = 0; i < spans.size(); ++i) {
      ngram.clear();
      for (size_t n = 0; n < counts.size() && i + n < spans.size(); ++n) {
        // Words that stand side by side without a space, as Han does, are shown so.
        if (n > 0 && spans[i + n - 1].end != spans[i + n].begin) {
          ngram += ' ';
        }
        ngram += text::slice(lower, spans[i + n]);
        if (ngram.size() > 200) {
          break;
        }
        ++counts[n][ngram];
      }
    }
    if (options_.tokenizer != nullptr) {
      options_.tokenizer->encode(facts.text, {.add_special_tokens = false}, encoding);
      facts.tokens = encoding.ids.size();
    }
    if (options_.pii) {
      pii_.find(facts.text, scratch, findings);
      for (const text::PiiFinding& finding : findings) {
        if (std::find(facts.pii.begin(), facts.pii.end(), finding.type) == facts.pii.end()) {
          facts.pii.emplace_back(finding.type);
        }
      }
    }
  }

  void count_text(const BatchRow& row) {
    TextScan& texts = scan_.texts;
    ++texts.texts;
    texts.empty += row.facts.text.find_first_not_of(" \t\r\n") == std::string::npos ? 1 : 0;
    texts.chars.add(static_cast<double>(row.facts.chars));
    texts.words.add(static_cast<double>(row.facts.words));
    if (options_.tokenizer != nullptr) {
      texts.tokens.add(static_cast<double>(row.facts.tokens));
    }
    ++texts.languages[row.facts.language];
    texts.with_pii += row.facts.pii.empty() ? 0 : 1;
    for (const std::string& type : row.facts.pii) {
      ++texts.pii[type];
      texts.pii_at.emplace(type, row.at);
    }
  }

  void keep(BatchRow& row) {
    SampleRow& sample = *row.sampled;
    if (static_cast<int64_t>(sample_.size()) == options_.sample) {
      if (!BySmallest()(sample, sample_.top())) {
        return;
      }
      sample_.pop();
    }
    std::string_view text = row.facts.text;
    if (text.size() > kSampleText) {
      size_t cut = kSampleText;
      while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80) {
        --cut;
      }
      text = text.substr(0, cut);
    }
    sample.text = text;
    sample.language = row.facts.language;
    sample.chars = static_cast<double>(row.facts.chars);
    sample.words = static_cast<double>(row.facts.words);
    sample_.push(std::move(sample));
  }

  void finish() {
    scan_.profile = profiler_.finish(table_);
    scan_.columns.resize(scan_.profile.columns.size());
    for (ColumnScan& column : scan_.columns) {
      column.numbers.finish();
      if (column.value_at.size() > TableProfiler::kAllTop) {
        column.value_at.clear();
      }
    }
    for (GrowingHistogram* histogram : {&scan_.texts.chars, &scan_.texts.words, &scan_.texts.tokens}) {
      histogram->finish();
    }
    const auto find = [&](const std::string& name, bool asked) -> std::optional<size_t> {
      const auto at = std::find(table_.columns().begin(), table_.columns().end(), name);
      if (at == table_.columns().end()) {
        if (asked) {
          throw base::Error(base::Code::kInvalid, fmt::format("there is no column '{}'{}", name, base::suggestion(name, table_.columns())));
        }
        return std::nullopt;
      }
      return static_cast<size_t>(at - table_.columns().begin());
    };
    scan_.text = find(chosen_.text, !options_.text.empty());
    scan_.label = find(chosen_.label, !options_.label.empty());
    SortedStream<Hash128> contents = contents_.finish();
    Hash128 before;
    bool any = false;
    for (Hash128 one; contents.next(one); before = one, any = true) {
      scan_.copies += any && one == before ? 1 : 0;
    }
    contents_.remove_runs();
    while (!sample_.empty()) {
      scan_.sample.push_back(sample_.top());
      sample_.pop();
    }
    std::reverse(scan_.sample.begin(), scan_.sample.end());
    for (SampleRow& row : scan_.sample) {
      row.numbers.resize(scan_.profile.columns.size(), std::numeric_limits<double>::quiet_NaN());
    }
  }

  const ScanOptions& options_;
  base::Context& context_;
  Chosen chosen_;
  RowTable table_;
  TableProfiler profiler_;
  SpillSpace space_;
  ExternalSorter<Hash128> contents_;
  text::PiiScanner pii_;
  std::vector<bool> seen_;
  std::vector<BatchRow> batch_;
  std::priority_queue<SampleRow, std::vector<SampleRow>, BySmallest> sample_;  // the largest on top
  TableScan scan_;
};

}  // namespace

void Places::add(const std::string& where) {
  if (at.size() < kPlaces) {
    at.push_back(where);
  }
}

void GrowingHistogram::add(double value) {
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  ++count_;
  sum_ += value;
  whole_ = whole_ && value == std::trunc(value);
  quantiles_.add(value);
  if (bins_.empty()) {
    first_.push_back(value);
    if (first_.size() == kFirstNumbers) {
      start();
    }
    return;
  }
  place(value);
}

void GrowingHistogram::start() {
  const auto [low, high] = std::minmax_element(first_.begin(), first_.end());
  const double span = *high - *low;
  low_ = *low;
  width_ = span > 0 ? span / static_cast<double>(kBins) : std::max(1e-9, std::abs(low_) * 1e-9);
  if (whole_) {
    width_ = std::max(1.0, std::ceil((span + 1) / static_cast<double>(kBins)));
  }
  bins_.assign(kBins, 0);
  for (const double value : std::vector<double>(std::move(first_))) {
    place(value);
  }
  first_.clear();
}

// Doubles the width until the value fits, to the left or the right.
void GrowingHistogram::place(double value) {
  constexpr double kLargest = 1e300;  // beyond it the edges would be infinite
  if (!(std::abs(value) <= kLargest)) {
    return;
  }
  const auto bins = static_cast<double>(bins_.size());
  while (value < low_ || value >= low_ + width_ * bins) {
    if (value >= low_ && value == low_ + width_ * bins && value == max_ && !whole_) {
      ++bins_.back();  // the last bin has its upper edge
      return;
    }
    const bool left = value < low_;
    std::vector<uint64_t> wider(bins_.size(), 0);
    const size_t shift = left ? bins_.size() : 0;
    for (size_t i = 0; i < bins_.size(); ++i) {
      wider[(i + shift) / 2] += bins_[i];
    }
    low_ = left ? low_ - width_ * bins : low_;
    width_ *= 2;
    bins_ = std::move(wider);
  }
  ++bins_[std::min(bins_.size() - 1, static_cast<size_t>((value - low_) / width_))];
}

void GrowingHistogram::finish() {
  if (bins_.empty() && count_ > 0) {
    start();
  }
}

Json GrowingHistogram::to_json() const {
  Json json = {{"count", count_}, {"mean", mean()}, {"min", min_}, {"max", max_}};
  for (const int p : {5, 25, 50, 75, 95}) {
    const double value = count_ == 0 ? 0 : std::clamp(quantiles_.quantile(p / 100.0), min_, max_);
    json["p" + std::to_string(p)] = whole_ ? std::round(value) : value;
  }
  Json bins = Json::array();
  size_t first = 0;
  size_t last = bins_.size();
  while (first < last && bins_[first] == 0) {
    ++first;
  }
  while (last > first && bins_[last - 1] == 0) {
    --last;
  }
  for (size_t i = first; i < last; ++i) {
    const double low = low_ + width_ * static_cast<double>(i);
    bins.push_back({{"low", low}, {"high", low + width_}, {"count", bins_[i]}});
  }
  json["bins"] = std::move(bins);
  return json;
}

TableScan scan_table(const VersionFiles& files, const ScanOptions& options, base::Context& context) { return Scanner(files, options, context).run(); }

}  // namespace slipway::data
