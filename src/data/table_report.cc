#include "data/table_report.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "data/near_groups.h"
#include "data/quality.h"
#include "data/text_map.h"
#include "data/word_sets.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

constexpr size_t kTopNgrams = 25;
constexpr size_t kTopValues = 30;
constexpr size_t kShownText = 280;
constexpr size_t kShownOfCluster = 5;
constexpr size_t kQualityTexts = 1000;

std::string beginning(const std::string& text) { return std::string(text::prefix_code_points(text, kShownText)); }

Json counts_of(const std::map<std::string, int64_t>& counts, const char* name) {
  std::vector<std::pair<std::string, int64_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  Json list = Json::array();
  for (const auto& [key, count] : order) {
    list.push_back({{name, key}, {"rows", count}});
  }
  return list;
}

Json columns_of(const TableScan& scan) {
  Json columns = Json::array();
  for (size_t i = 0; i < scan.profile.columns.size(); ++i) {
    const ColumnProfile& column = scan.profile.columns[i];
    Json json = {{"name", column.name}, {"type", column.type()}, {"present", column.present}, {"missing", column.missing}, {"distinct", column.distinct},
                 {"distinct_exact", column.distinct_exact}};
    if (scan.columns[i].numbers.count() > 0) {
      json["numbers"] = scan.columns[i].numbers.to_json();
    }
    // Values that come again; the columns of texts and of names have none.
    Json top = Json::array();
    for (const auto& [value, count] : column.top) {
      if (top.size() < kTopValues && count > 1 && !(scan.text && *scan.text == i)) {
        top.push_back({{"value", value.is_string() ? Json(beginning(value.get<std::string>())) : value}, {"rows", count}});
      }
    }
    json["top"] = std::move(top);
    json["top_complete"] = column.distinct_exact && static_cast<int64_t>(column.top.size()) == column.distinct;
    columns.push_back(std::move(json));
  }
  return columns;
}

Json texts_of(const TableScan& scan) {
  const TextScan& texts = scan.texts;
  Json json = {{"column", scan.profile.columns[*scan.text].name}, {"rows", texts.texts},         {"empty", texts.empty},
               {"characters", texts.chars.to_json()},             {"words", texts.words.to_json()}, {"languages", counts_of(texts.languages, "language")},
               {"personal_data", {{"rows", texts.with_pii}, {"types", Json::array()}}}};
  if (texts.tokens.count() > 0) {
    json["tokens"] = texts.tokens.to_json();
  }
  for (const auto& [type, rows] : texts.pii) {
    json["personal_data"]["types"].push_back({{"type", type}, {"rows", rows}, {"first", texts.pii_at.at(type)}});
  }
  Json ngrams = Json::array();
  for (const stats::TopCounts& counts : texts.ngrams) {
    Json list = Json::array();
    for (const stats::TopCounts::Entry& entry : counts.top(kTopNgrams)) {
      list.push_back({{"ngram", entry.key}, {"count", entry.count}, {"error", entry.error}});
    }
    ngrams.push_back(std::move(list));
  }
  json["ngrams"] = std::move(ngrams);
  return json;
}

std::vector<std::string_view> sampled_texts(const TableScan& scan, size_t limit) {
  std::vector<std::string_view> texts;
  for (size_t i = 0; i < scan.sample.size() && i < limit; ++i) {
    texts.push_back(scan.sample[i].text);
  }
  return texts;
}

struct Near {
  Json json;
  std::vector<int> group;  // of each row of the sample, -1: none
};

Near near_of(const TableScan& scan, const ReportOptions& options, base::Context& context) {
  const SpillSpace space{options.work / "near-duplicates", options.memory_bytes, &context.pool};
  std::vector<std::vector<size_t>> groups = near_groups(sampled_texts(scan, SIZE_MAX), options.jaccard, space);
  std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  Near near;
  near.group.assign(scan.sample.size(), -1);
  size_t rows = 0;
  Json clusters = Json::array();
  for (size_t g = 0; g < groups.size(); ++g) {
    rows += groups[g].size();
    Json shown = Json::array();
    for (const size_t i : groups[g]) {
      near.group[i] = static_cast<int>(g);
      if (shown.size() < kShownOfCluster) {
        shown.push_back({{"at", scan.sample[i].at}, {"text", beginning(scan.sample[i].text)}});
      }
    }
    if (static_cast<int64_t>(clusters.size()) < options.examples) {
      clusters.push_back({{"rows", groups[g].size()}, {"examples", std::move(shown)}});
    }
  }
  near.json = {{"jaccard", options.jaccard}, {"sample", scan.sample.size()}, {"clusters", groups.size()}, {"rows", rows}, {"largest", std::move(clusters)}};
  return near;
}

// Signals of web text (Gopher's, FineWeb's) and how much the presets would keep.
Json quality_of(const TableScan& scan, base::Context& context) {
  const std::vector<std::string_view> texts = sampled_texts(scan, kQualityTexts);
  Json json = {{"texts", texts.size()}, {"presets", Json::array()}, {"signals", Json::array()}};
  static const std::vector<Signal> kShown = {Signal::kGopherWords,     Signal::kGopherMeanWordLength, Signal::kGopherAlphaWords,  Signal::kGopherStopWords, Signal::kGopherHashRatio,
                                             Signal::kGopherEllipsisRatio, Signal::kDupLines,         Signal::kDupParagraphs,     Signal::kTop2,            Signal::kDup5,
                                             Signal::kFinewebLinePunct, Signal::kFinewebShortLines,   Signal::kFinewebCharDup};
  std::vector<Signals> signals(texts.size());
  for (const std::string preset : {"gopher", "c4", "fineweb"}) {
    QualityOptions options = quality_preset(preset);
    options.all_signals = preset == "fineweb";
    std::vector<char> kept(texts.size(), 0);
    context.pool.parallel_chunks(static_cast<int64_t>(texts.size()), 32, [&](int64_t begin, int64_t end) {
      QualityScanner scanner(options);
      Signals unused;
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        std::string text(texts[i]);
        kept[i] = scanner.judge(text, options.all_signals ? signals[i] : unused).keep() ? 1 : 0;
      }
    });
    const auto count = std::count(kept.begin(), kept.end(), 1);
    json["presets"].push_back({{"preset", preset}, {"kept", count}});
  }
  for (const Signal signal : kShown) {
    std::vector<double> values;
    for (const Signals& one : signals) {
      if (one.has(signal)) {
        values.push_back(one[signal]);
      }
    }
    if (values.empty()) {
      continue;
    }
    std::sort(values.begin(), values.end());
    const auto at = [&](double q) { return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))]; };
    json["signals"].push_back({{"signal", signal_name(signal)}, {"p5", at(0.05)}, {"p50", at(0.5)}, {"p95", at(0.95)}});
  }
  return json;
}

// Three words that a cluster's texts have and the others' have not.
std::vector<std::string> cluster_names(const std::vector<std::string_view>& texts, const std::vector<int>& cluster, base::Pool& pool) {
  const int clusters = cluster.empty() ? 0 : *std::max_element(cluster.begin(), cluster.end()) + 1;
  const WordSets sets = word_sets(texts, pool);
  std::vector<double> all(sets.vocabulary.size(), 0);
  std::vector<std::vector<double>> in(static_cast<size_t>(clusters), all);
  std::vector<double> sizes(static_cast<size_t>(clusters), 0);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto c = static_cast<size_t>(cluster[i]);
    ++sizes[c];
    for (const uint32_t word : sets.rows[i]) {
      ++all[word];
      ++in[c][word];
    }
  }
  std::vector<std::string> names;
  for (size_t c = 0; c < in.size(); ++c) {
    std::vector<std::pair<double, uint32_t>> order;
    for (uint32_t word = 0; word < all.size(); ++word) {
      const double expected = all[word] * sizes[c] / static_cast<double>(texts.size());
      if (in[c][word] > expected && sets.vocabulary[word].size() > 1) {
        order.emplace_back((in[c][word] - expected) / std::sqrt(expected), word);
      }
    }
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::string> words;
    for (size_t i = 0; i < order.size() && i < 3; ++i) {
      words.push_back(sets.vocabulary[order[i].second]);
    }
    names.push_back(words.empty() ? fmt::format("{}", c + 1) : fmt::format("{}", fmt::join(words, ", ")));
  }
  return names;
}

Json map_of(const TableScan& scan, const std::vector<int>& near, const ReportOptions& options, base::Context& context) {
  std::vector<std::string_view> texts;
  std::vector<size_t> rows;
  for (size_t i = 0; i < scan.sample.size() && static_cast<int64_t>(rows.size()) < options.points; ++i) {
    if (!scan.sample[i].text.empty()) {
      texts.push_back(scan.sample[i].text);
      rows.push_back(i);
    }
  }
  constexpr size_t kLeast = 3;
  if (rows.size() < kLeast) {
    return nullptr;
  }
  FeatureRows features;
  if (options.embed) {
    const std::vector<float> values = options.embed(std::vector<std::string>(texts.begin(), texts.end()));
    features = dense_rows(values, values.size() / texts.size());
  } else {
    features = tfidf_rows(texts, context.pool);
  }
  base::check_stop(context, "drawing the map");
  const bool tsne_map = options.map == MapMethod::kTsne;
  const PrincipalComponents pca = principal_components(features, tsne_map ? 20 : 8, options.seed);
  std::vector<double> places(rows.size() * 2, 0);
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t d = 0; d < 2 && d < pca.count; ++d) {
      places[i * 2 + d] = pca.scores[i * pca.count + d];
    }
  }
  if (tsne_map) {
    constexpr double kPerplexity = 30;
    places = tsne(pca.scores, pca.count, kPerplexity, context.pool);
  }
  const std::vector<int> cluster = k_means(pca.scores, pca.count, static_cast<int>(options.clusters), options.seed);
  Json points = Json::array();
  for (size_t i = 0; i < rows.size(); ++i) {
    const SampleRow& row = scan.sample[rows[i]];
    // Four digits are finer than a screen, and do not change with the last bit of a sum.
    const auto rounded = [](double value) { return Json(std::strtod(fmt::format("{:.4g}", value).c_str(), nullptr)); };
    points.push_back({{"x", rounded(places[i * 2])}, {"y", rounded(places[i * 2 + 1])}, {"at", row.at}, {"text", beginning(row.text)}, {"label", beginning(row.label)},
                      {"language", row.language}, {"cluster", cluster[i]}, {"near", near[rows[i]]}});
  }
  return {{"method", tsne_map ? "tsne" : "pca"},
          {"features", options.embed ? options.embedder : "tf-idf"},
          {"explained", pca.explained},
          {"clusters", cluster_names(texts, cluster, context.pool)},
          {"points", std::move(points)}};
}

}  // namespace

Json report_facts(const TableScan& scan, const TableScan* before, const TableComparison* comparison, const ReportOptions& options, base::Context& context) {
  Json facts = {{"rows", scan.profile.rows},
                {"broken_rows", scan.profile.broken},
                {"copies", scan.copies},
                {"sample", scan.sample.size()},
                {"seed", options.seed},
                {"columns", columns_of(scan)},
                {"label", scan.label ? Json(scan.profile.columns[*scan.label].name) : Json()}};
  if (scan.text) {
    facts["texts"] = texts_of(scan);
    base::check_stop(context, "reporting");
    const Near near = near_of(scan, options, context);
    facts["near_duplicates"] = near.json;
    facts["quality"] = quality_of(scan, context);
    if (options.map != MapMethod::kNone) {
      facts["map"] = map_of(scan, near.group, options, context);
    }
  }
  if (comparison != nullptr) {
    facts["comparison"] = to_json(*comparison);
    facts["comparison"]["rows_before"] = before->profile.rows;
  }
  return facts;
}

}  // namespace slipway::data
