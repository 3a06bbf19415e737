#include "data/table_compare.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "data/table_compare_parts.h"
#include "stats/distributions.h"
#include "stats/drift.h"
#include "stats/tests.h"

namespace slipway::data {
namespace {

constexpr double kLeastPsi = 50;   // in a bin of both together: PSI's tail follows chi-square's from there on
constexpr double kLeastChi2 = 20;  // in a category of both together
constexpr size_t kShownRows = 3;

double share(int64_t part, int64_t all) { return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all); }

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) {
    sum += value;
  }
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// Rows in the bin that grew most.
Json rows_that_moved(const std::vector<double>& edges, const std::vector<double>& p, const std::vector<double>& q, const std::vector<double>& values,
                     const std::vector<const SampleRow*>& rows) {
  size_t most = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    most = q[i] - p[i] > q[most] - p[most] ? i : most;
  }
  Json list = Json::array();
  for (size_t i = 0; i < values.size() && list.size() < kShownRows; ++i) {
    const bool in = (most == 0 || values[i] >= edges[most]) && (most + 1 == p.size() || values[i] < edges[most + 1]);
    if (in) {
      list.push_back({{"at", rows[i]->at}, {"value", values[i]}});
    }
  }
  return list;
}

}  // namespace

std::string_view name_of(Severity severity) noexcept { return severity == Severity::kError ? "error" : severity == Severity::kWarning ? "warning" : "info"; }

Severity severity_of(double effect, double warning, double error) noexcept {
  return effect >= error ? Severity::kError : effect >= warning ? Severity::kWarning : Severity::kInfo;
}

double all_on_one_side(int64_t k, int64_t n, int64_t m) {
  double p = 1;
  for (int64_t i = 0; i < k && p > 1e-300; ++i) {
    p *= static_cast<double>(m - i) / static_cast<double>(n + m - i);
  }
  return std::max(p, 0.0);
}

CountPair merged_counts(const std::vector<double>& before, const std::vector<double>& after, double least, bool ordered) {
  CountPair pair;
  double few_before = 0;
  double few_after = 0;
  const auto flush = [&] {
    pair.before.push_back(few_before);
    pair.after.push_back(few_after);
    few_before = few_after = 0;
  };
  for (size_t i = 0; i < before.size(); ++i) {
    if (!ordered && before[i] + after[i] >= least) {
      pair.before.push_back(before[i]);
      pair.after.push_back(after[i]);
      continue;
    }
    few_before += before[i];
    few_after += after[i];
    if (ordered && few_before + few_after >= least) {
      flush();
    }
  }
  if (few_before + few_after >= least || (few_before + few_after > 0 && pair.before.empty())) {
    flush();
  } else if (!pair.before.empty()) {
    pair.before.back() += few_before;
    pair.after.back() += few_after;
  }
  return pair;
}

void number_tests(CompareParts& parts, const std::string& column, const std::string& measure, const std::vector<double>& before, const std::vector<double>& after,
                  const std::vector<const SampleRow*>& after_rows) {
  constexpr size_t kLeastRows = 20;
  if (before.size() < kLeastRows || after.size() < kLeastRows) {
    return;
  }
  const std::vector<double> edges = stats::quantile_edges(before);
  const std::vector<double> counts_before = stats::bin_counts(before, edges);
  const std::vector<double> counts_after = stats::bin_counts(after, edges);
  const CountPair bins = merged_counts(counts_before, counts_after, kLeastPsi, true);
  const double psi = bins.usable() ? stats::psi(stats::shares(bins.before), stats::shares(bins.after)) : 0;
  constexpr size_t kExact = 500;
  const auto method = std::max(before.size(), after.size()) > kExact ? stats::KsMethod::kAsymptotic : stats::KsMethod::kAuto;
  const stats::TestResult ks = stats::ks_two_sample(before, after, method);
  const double n = static_cast<double>(before.size());
  const double m = static_cast<double>(after.size());
  const auto tell = [=] {
    Finding finding;
    // Few rows have no PSI; the bounds of D move as much as PSI's do when a normal variable's mean moves.
    constexpr double kKsWarning = 0.13;
    constexpr double kKsError = 0.2;
    finding.severity = bins.usable() ? severity_of(psi, kPsiWarning, kPsiError) : severity_of(ks.statistic, kKsWarning, kKsError);
    finding.check = "distribution";
    finding.before = mean_of(before);
    finding.after = mean_of(after);
    finding.message = fmt::format("{} of {} moved: mean {:.4g} -> {:.4g}, PSI {:.3f}, KS {:.3f}", measure, column, finding.before, finding.after, psi, ks.statistic);
    finding.rows = rows_that_moved(edges, stats::shares(counts_before), stats::shares(counts_after), after, after_rows);
    return finding;
  };
  parts.tests.push_back({{column, measure, "ks", ks.statistic, 0, ks.p, false},
                         [n, m](double alpha) { return std::sqrt(-std::log(alpha / 2) / 2 * (n + m) / (n * m)); },
                         tell});
  if (bins.usable()) {
    const auto degrees = static_cast<double>(bins.before.size() - 1);
    const double scale = 1 / n + 1 / m;  // Yurdakul & Naranjo 2020
    parts.tests.push_back({{column, measure, "psi", psi, 0, stats::chi2_upper(psi / scale, degrees), false},
                           [=](double alpha) { return stats::psi_null_threshold(static_cast<int64_t>(n), static_cast<int64_t>(m), static_cast<int>(degrees) + 1, alpha); },
                           tell});
  }
}

void category_test(CompareParts& parts, const std::string& check, const std::string& column, const std::string& measure, const std::map<std::string, int64_t>& before,
                   const std::map<std::string, int64_t>& after, const std::function<std::string(const std::string& name)>& where) {
  std::set<std::string> names;
  for (const auto* side : {&before, &after}) {
    for (const auto& [name, count] : *side) {
      names.insert(name);
    }
  }
  std::vector<double> counts[2];
  int64_t totals[2] = {0, 0};
  const std::map<std::string, int64_t>* sides[2] = {&before, &after};
  for (const std::string& name : names) {
    for (size_t side = 0; side < 2; ++side) {
      const auto it = sides[side]->find(name);
      const int64_t count = it == sides[side]->end() ? 0 : it->second;
      counts[side].push_back(static_cast<double>(count));
      totals[side] += count;
    }
  }
  const CountPair bins = merged_counts(counts[0], counts[1], kLeastChi2, false);
  if (!bins.usable() || totals[0] == 0 || totals[1] == 0) {
    return;
  }
  const stats::Chi2Result chi2 = stats::chi2_two_samples(bins.before, bins.after, false);
  const std::vector<double> p = stats::shares(bins.before);
  const std::vector<double> q = stats::shares(bins.after);
  std::string moved;
  double most = 0;
  double share_before = 0;
  double share_after = 0;
  size_t i = 0;
  for (const std::string& name : names) {
    const double a = counts[0][i] / static_cast<double>(totals[0]);
    const double b = counts[1][i++] / static_cast<double>(totals[1]);
    if (std::abs(b - a) > most) {
      most = std::abs(b - a);
      moved = name;
      share_before = a;
      share_after = b;
    }
  }
  parts.tests.push_back({{column, measure, "chi2", chi2.statistic, 0, chi2.p, false},
                         [degrees = chi2.degrees](double alpha) { return stats::chi2_quantile(1 - alpha, degrees); },
                         [=] {
                           const double psi = stats::psi(p, q);
                           Finding finding;
                           finding.severity = severity_of(psi, kPsiWarning, kPsiError);
                           finding.check = check;
                           finding.before = share_before;
                           finding.after = share_after;
                           finding.message = fmt::format("{} of {} moved: {} {:.1f} % -> {:.1f} %, PSI {:.3f}, JS {:.3f}", measure, column, moved, 100 * share_before,
                                                         100 * share_after, psi, stats::js_distance(p, q));
                           if (const std::string at = where(moved); !at.empty()) {
                             finding.rows.push_back({{"at", at}, {"value", moved}});
                           }
                           return finding;
                         }});
}

void share_test(CompareParts& parts, const std::string& check, const std::string& column, const std::string& measure, std::pair<int64_t, int64_t> before,
                std::pair<int64_t, int64_t> after, std::pair<double, double> limits, const std::vector<std::string>& where) {
  if ((before.first == 0 && after.first == 0) || before.second == 0 || after.second == 0) {
    return;
  }
  const std::vector<double> first = {static_cast<double>(before.first), static_cast<double>(before.second - before.first)};
  const std::vector<double> second = {static_cast<double>(after.first), static_cast<double>(after.second - after.first)};
  // Yates: few of many, where chi-square alone is too sure.
  const stats::Chi2Result chi2 = first[1] + second[1] == 0 ? stats::Chi2Result{0, 1, 1} : stats::chi2_two_samples(first, second, true);
  parts.tests.push_back({{column, measure, "chi2", chi2.statistic, 0, chi2.p, false},
                         [](double alpha) { return stats::chi2_quantile(1 - alpha, 1); },
                         [=] {
                           Finding finding;
                           finding.check = check;
                           finding.before = share(before.first, before.second);
                           finding.after = share(after.first, after.second);
                           finding.severity = severity_of(finding.after - finding.before, limits.first, limits.second);
                           finding.message = fmt::format("{} {} {:.2f} % -> {:.2f} %", column, measure, 100 * finding.before, 100 * finding.after);
                           for (const std::string& at : finding.after > finding.before ? where : std::vector<std::string>()) {
                             finding.rows.push_back({{"at", at}});
                           }
                           return finding;
                         }});
}

std::optional<Severity> TableComparison::worst() const {
  return findings.empty() ? std::nullopt : std::optional<Severity>(findings.front().severity);
}

TableComparison compare_tables(const TableScan& before, const TableScan& after, const CompareOptions& options, base::Context& context) {
  CompareParts parts{before, after, options, context, {}, {}};
  compare_schema(parts);
  if (after.profile.rows > 0 && before.profile.rows > 0) {
    compare_columns(parts);
    compare_texts(parts);
  }
  TableComparison comparison;
  comparison.findings = std::move(parts.findings);
  comparison.alpha_each = options.alpha / static_cast<double>(std::max<size_t>(parts.tests.size(), 1));
  std::set<std::string> told;  // what two tests say is one finding
  for (PendingTest& pending : parts.tests) {
    TableTest& test = pending.test;
    test.alarm = test.p < comparison.alpha_each;
    test.threshold = pending.threshold ? pending.threshold(comparison.alpha_each) : 0;
    if (test.alarm) {
      Finding finding = pending.tell();
      finding.column = test.column;
      finding.measure = test.measure;
      if (told.insert(finding.check + "\n" + test.column + "\n" + test.measure).second) {
        finding.test = test.test;
        finding.value = test.value;
        finding.threshold = test.threshold;
        finding.p = test.p;
        comparison.findings.push_back(std::move(finding));
      }
    }
    comparison.tests.push_back(test);
  }
  std::stable_sort(comparison.findings.begin(), comparison.findings.end(), [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return comparison;
}

Json to_json(const TableComparison& comparison) {
  Json findings = Json::array();
  std::map<std::string, int64_t> counts = {{"error", 0}, {"warning", 0}, {"info", 0}};
  for (const Finding& one : comparison.findings) {
    ++counts[std::string(name_of(one.severity))];
    Json json = {{"severity", name_of(one.severity)}, {"check", one.check}, {"column", one.column}, {"measure", one.measure}, {"value", one.value}, {"threshold", one.threshold},
                 {"before", one.before}, {"after", one.after}, {"message", one.message}, {"rows", one.rows}};
    if (!one.test.empty()) {
      json["test"] = one.test;
      json["p"] = one.p;
    }
    findings.push_back(std::move(json));
  }
  Json tests = Json::array();
  for (const TableTest& one : comparison.tests) {
    tests.push_back({{"column", one.column}, {"measure", one.measure}, {"test", one.test}, {"value", one.value}, {"threshold", one.threshold}, {"p", one.p}, {"alarm", one.alarm}});
  }
  return {{"counts", counts}, {"findings", std::move(findings)}, {"tests", std::move(tests)}, {"alpha_each", comparison.alpha_each}};
}

}  // namespace slipway::data
