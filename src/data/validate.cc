#include "data/validate.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "data/expectations.h"
#include "data/frames.h"
#include "data/keys.h"
#include "data/plan.h"
#include "data/steps.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr size_t kExamples = 10;

Json example(const Document& document) {
  return {{"id", document.id},
          {"at", document.meta.value("at", "")},
          {"text", std::string(text::prefix_code_points(document.text, 120))}};
}

void add_example(Json& list, Json item) {
  if (list.size() < kExamples) {
    list.push_back(std::move(item));
  }
}

// What one pass over the documents finds.
struct Facts {
  int64_t rows = 0;
  int64_t no_text = 0;
  int64_t no_label = 0;
  Json no_text_examples = Json::array();
  Json no_label_examples = Json::array();
  std::map<std::string, int64_t> labels;  // without the missing one
};

Facts read_facts(const std::filesystem::path& folder, base::Context& context) {
  Facts facts;
  for_each_batch(folder / kDocumentsFile, context, "validation", [&](std::vector<Document>& documents, uint64_t) {
    for (const Document& document : documents) {
      ++facts.rows;
      if (document.text.find_first_not_of(" \t\r\n") == std::string::npos) {
        ++facts.no_text;
        add_example(facts.no_text_examples, example(document));
      }
      if (document.label.empty()) {
        ++facts.no_label;
        add_example(facts.no_label_examples, example(document));
      } else {
        ++facts.labels[document.label];
      }
    }
  });
  return facts;
}

double share(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

Check missing(const char* name, int64_t count, const Facts& facts, double limit, const Json& examples) {
  Check check{name, false, share(count, facts.rows), limit, "", {{"missing", count}, {"rows", facts.rows}}};
  check.passed = check.value <= limit;
  check.message = fmt::format("{} of {} documents have no {} ({:.4f}; at most {:.4f} wanted)", count, facts.rows,
                              name + 8, check.value, limit);
  if (count > 0) {
    check.evidence["examples"] = examples;
  }
  return check;
}

Check unknown_labels(const Facts& facts, const std::vector<std::string>& known) {
  Check check{"unknown_labels", true, 0, 0, "", Json::object()};
  for (const auto& [label, count] : facts.labels) {
    if (std::find(known.begin(), known.end(), label) == known.end()) {
      check.value += static_cast<double>(count);
      check.evidence[label] = count;
    }
  }
  check.passed = check.value == 0;
  check.message = check.passed
                      ? fmt::format("every label is one of: {}", fmt::join(known, ", "))
                      : fmt::format("{} documents have labels that the configuration does not name; it names: {}",
                                    check.value, fmt::join(known, ", "));
  return check;
}

Check label_balance(const Facts& facts, const std::vector<std::string>& known, double limit) {
  std::map<std::string, int64_t> counts = facts.labels;
  for (const std::string& label : known) {
    counts.try_emplace(label, 0);
  }
  Check check{"label_balance", true, 1, limit, "", Json(counts)};
  std::string rarest;
  for (const auto& [label, count] : counts) {
    const double part = share(count, facts.rows - facts.no_label);
    if (part < check.value) {
      check.value = part;
      rarest = label;
    }
  }
  check.passed = check.value >= limit;
  check.message =
      fmt::format("the rarest label '{}' has a share of {:.4f} (at least {:.4f} wanted)", rarest, check.value, limit);
  return check;
}

// Every label in every split that is meant to have documents.
Check min_per_label(const SplitPlan& plan, const DataOptions& options) {
  std::vector<std::map<std::string, int64_t>> counts(kSplits);
  for (int s = 0; s < kSplits; ++s) {
    for (size_t l = 0; l + 1 < plan.labels.size(); ++l) {
      counts[static_cast<size_t>(s)][plan.labels[l]] = 0;
    }
  }
  std::vector<int64_t> rows(kSplits);
  for (size_t i = 0; i < plan.splits.size(); ++i) {
    const auto split = static_cast<size_t>(plan.splits[i]);
    ++rows[split];
    if (!plan.labels[plan.label_of[i]].empty()) {
      ++counts[split][plan.labels[plan.label_of[i]]];
    }
  }
  Check check{"min_per_label", true, 0, static_cast<double>(options.validate.min_per_label), "", Json::object()};
  std::string place = "no split has documents";
  bool first = true;
  for (int s = 0; s < kSplits; ++s) {
    const auto split = static_cast<size_t>(s);
    const char* name = split_name(static_cast<Split>(s));
    check.evidence[name] = counts[split];
    if (options.split.fraction(static_cast<Split>(s)) <= 0 && rows[split] == 0) {
      continue;
    }
    for (const auto& [label, count] : counts[split]) {
      if (first || static_cast<double>(count) < check.value) {
        first = false;
        check.value = static_cast<double>(count);
        place = fmt::format("'{}' in {}", label, name);
      }
    }
  }
  check.passed = check.value >= check.limit;
  check.message =
      fmt::format("the fewest documents of a label are {} ({}; at least {} wanted)", check.value, place, check.limit);
  return check;
}

// "train/test" -> the two splits.
std::vector<std::pair<Split, Split>> leak_pairs(const std::string& text) {
  std::vector<std::pair<Split, Split>> pairs;
  for (size_t begin = 0; text != "none" && begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    std::string_view part = std::string_view(text).substr(begin, end - begin);
    while (part.starts_with(' ')) {
      part.remove_prefix(1);
    }
    const size_t slash = part.find('/');
    if (slash == std::string_view::npos) {
      throw Error(Code::kInvalid, fmt::format("'leak' is '{}'; pairs of splits are wanted, e.g. train/test", text));
    }
    pairs.emplace_back(split_from_name(part.substr(0, slash)), split_from_name(part.substr(slash + 1)));
    begin = end + 1;
  }
  return pairs;
}

// The documents of `indices` (rising, distinct), read in one pass.
std::vector<Document> pick(const std::filesystem::path& folder, base::Context& context,
                           const std::vector<uint32_t>& indices) {
  std::vector<Document> picked;
  if (indices.empty()) {
    return picked;
  }
  for_each_batch(folder / kDocumentsFile, context, "validation", [&](std::vector<Document>& documents, uint64_t first) {
    while (picked.size() < indices.size() && indices[picked.size()] < first + documents.size()) {
      picked.push_back(documents[indices[picked.size()] - first]);
    }
  });
  return picked;
}

// Documents of `to` whose cluster has a member in `from`, with that member.
std::vector<std::pair<uint32_t, uint32_t>> leaked(const Duplicates& duplicates, const SplitPlan& plan, Split from,
                                                  Split to) {
  const auto cluster = [&](uint32_t i) {
    const uint32_t first = duplicates.matches[i].representative;
    return first == Duplicates::kNone ? i : first;
  };
  std::vector<uint32_t> source(plan.splits.size(), Duplicates::kNone);  // of each cluster, its first member in `from`
  for (uint32_t i = 0; i < plan.splits.size(); ++i) {
    if (plan.splits[i] == from && source[cluster(i)] == Duplicates::kNone) {
      source[cluster(i)] = i;
    }
  }
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  for (uint32_t i = 0; i < plan.splits.size(); ++i) {
    if (plan.splits[i] == to && source[cluster(i)] != Duplicates::kNone) {
      pairs.emplace_back(source[cluster(i)], i);
    }
  }
  return pairs;
}

void check_leaks(const std::filesystem::path& folder, const DataOptions& options, base::Context& context,
                 const SplitPlan& plan, ValidationReport& report) {
  const auto wanted = leak_pairs(options.validate.leak);
  if (wanted.empty()) {
    return;
  }
  DeduplicateOptions how = options.deduplicate;
  how.exact = how.near = true;
  how.jaccard = options.validate.leak_jaccard;
  const Duplicates duplicates = find_duplicates(text_stream(folder, context, "leak check"), how, context);
  for (const auto& [from, to] : wanted) {
    const auto pairs = leaked(duplicates, plan, from, to);
    const auto total = std::count(plan.splits.begin(), plan.splits.end(), to);
    Check check{fmt::format("leak:{}/{}", split_name(from), split_name(to)),
                false,
                share(static_cast<int64_t>(pairs.size()), total),
                options.validate.max_leak,
                "",
                {{"leaked", pairs.size()}, {"rows", total}, {"jaccard", how.jaccard}}};
    check.passed = check.value <= check.limit;
    check.message = fmt::format("{} of {} documents of {} have a near duplicate (Jaccard >= {}) in {}", pairs.size(),
                                total, split_name(to), how.jaccard, split_name(from));
    std::vector<uint32_t> indices;
    for (size_t i = 0; i < std::min(pairs.size(), kExamples); ++i) {
      indices.push_back(pairs[i].first);
      indices.push_back(pairs[i].second);
    }
    std::sort(indices.begin(), indices.end());
    indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
    const std::vector<Document> documents = pick(folder, context, indices);
    const auto find = [&](uint32_t index) {
      return example(
          documents[static_cast<size_t>(std::lower_bound(indices.begin(), indices.end(), index) - indices.begin())]);
    };
    for (size_t i = 0; i < std::min(pairs.size(), kExamples); ++i) {
      check.evidence["examples"].push_back(
          {{split_name(from), find(pairs[i].first)}, {split_name(to), find(pairs[i].second)}});
    }
    report.checks.push_back(std::move(check));
  }
}

void check_suite(const std::filesystem::path& folder, const std::filesystem::path& work, const Json& suite, base::Context& context,
                 ValidationReport& report) {
  if (suite.is_null()) {
    return;
  }
  ExpectOptions how;
  how.examples = static_cast<int64_t>(kExamples);
  how.work = work / "expectations";
  const VersionFiles files{{{kDocumentsFile, "", 0}}, [&](const record::FolderFile& file) { return folder / file.path; }};
  const Json found = check_expectations(files, parse_expectations(suite, "data.validate.expectations"), how, context);
  for (const Json& one : found.at("results")) {
    const Json& config = one.at("expectation_config");
    const Json& result = one.at("result");
    const Json& kwargs = config.at("kwargs");
    Check check{config.at("type").get<std::string>(), one.at("success").get<bool>(), 0, 0, "", {{"kwargs", kwargs}, {"result", result}}};
    if (const auto percent = result.find("unexpected_percent"); percent != result.end() && percent->is_number()) {
      check.value = percent->get<double>() / 100;
      check.limit = 1 - kwargs.value("mostly", 1.0);
    } else {
      check.value = check.passed ? 0 : 1;
    }
    const Json& fault = one.at("exception_info").at("exception_message");
    check.message = fmt::format("{}{}", base::dump_json(kwargs),
                                !fault.is_null()                      ? ": " + fault.get<std::string>()
                                : result.contains("unexpected_count") ? fmt::format(": {} unexpected values", result.at("unexpected_count").dump())
                                : result.contains("observed_value")   ? ": observed " + base::dump_json(result.at("observed_value")).substr(0, 200)
                                                                      : "");
    report.checks.push_back(std::move(check));
  }
}

}  // namespace

void ValidateOptions::describe(base::FieldTable& fields) {
  fields.add("max_missing", max_missing, "largest share of documents without text or label", {0, 1});
  fields.add("label_balance", label_balance, "smallest share of the rarest label", {0, 1});
  fields.add("min_per_label", min_per_label, "documents of each label in each split", {0, 1e15});
  fields.add("min_rows", min_rows, "documents in all", {0, 1e15});
  fields.add("leak", leak, "pairs of splits that may not share near duplicates, e.g. train/test; none: not checked");
  fields.add("leak_jaccard", leak_jaccard, "similarity that counts as leaked", {0.3, 1});
  fields.add("max_leak", max_leak, "largest share of leaked documents", {0, 1});
}

ValidateOptions parse_validate_options(const Json& object, const std::string& where) {
  ValidateOptions options;
  if (object.is_null()) {
    return options;
  }
  Json simple = object;
  if (simple.is_object() && simple.contains("leak") && simple["leak"].is_boolean()) {
    simple["leak"] = simple["leak"].get<bool>() ? options.leak : "none";
  }
  if (const auto suite = simple.is_object() ? simple.find("expectations") : simple.end(); suite != simple.end()) {
    options.expectations = *suite;
    simple.erase(suite);
    if (!options.expectations.is_string()) {
      parse_expectations(options.expectations, where + ".expectations");
    }
  }
  base::FieldTable fields;
  options.describe(fields);
  fields.apply(simple, where);
  try {
    leak_pairs(options.leak);
  } catch (const Error& error) {
    throw Error(Code::kInvalid, fmt::format("{}: {}", where, error.what()));
  }
  return options;
}

Json to_json(const ValidateOptions& options) {
  ValidateOptions copy = options;
  base::FieldTable fields;
  copy.describe(fields);
  Json json = fields.to_json();
  if (!options.expectations.is_null()) {
    json["expectations"] = options.expectations;
  }
  return json;
}

bool ValidationReport::passed() const noexcept {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.passed; });
}

std::string ValidationReport::summary() const {
  std::vector<std::string> failed;
  for (const Check& check : checks) {
    if (!check.passed) {
      failed.push_back(fmt::format("{}: {}", check.name, check.message));
    }
  }
  return failed.empty()
             ? fmt::format("{} checks passed", checks.size())
             : fmt::format("{} of {} checks failed: {}", failed.size(), checks.size(), fmt::join(failed, "; "));
}

Json to_json(const ValidationReport& report) {
  Json checks = Json::array();
  for (const Check& check : report.checks) {
    checks.push_back({{"name", check.name},
                      {"passed", check.passed},
                      {"value", check.value},
                      {"limit", check.limit},
                      {"message", check.message},
                      {"evidence", check.evidence}});
  }
  return {{"passed", report.passed()}, {"rows", report.rows}, {"checks", std::move(checks)}};
}

ValidationReport validate(const std::filesystem::path& in_folder, const DataOptions& options, base::Context& outer,
                          const std::filesystem::path& out_folder) {
  PassProgress progress(outer.progress, "validate", in_folder / kDocumentsFile,
                        1 + plan_passes(options) + (options.validate.leak == "none" ? 0 : 2));
  base::Context context = progress.within(outer);
  base::make_dirs(out_folder);
  ValidationReport report;
  const Facts facts = read_facts(in_folder, context);
  const ValidateOptions& wanted = options.validate;
  report.rows = facts.rows;
  report.checks.push_back(
      {"min_rows", facts.rows >= wanted.min_rows, static_cast<double>(facts.rows), static_cast<double>(wanted.min_rows),
       fmt::format("{} documents (at least {} wanted)", facts.rows, wanted.min_rows), Json::object()});
  report.checks.push_back(missing("missing_text", facts.no_text, facts, wanted.max_missing, facts.no_text_examples));
  const bool labelled = !options.labels.empty() || !facts.labels.empty();
  if (labelled) {
    report.checks.push_back(
        missing("missing_label", facts.no_label, facts, wanted.max_missing, facts.no_label_examples));
    if (!options.labels.empty()) {
      report.checks.push_back(unknown_labels(facts, options.labels));
    }
    report.checks.push_back(label_balance(facts, options.labels, wanted.label_balance));
  }
  const SplitPlan plan = plan_splits(in_folder, options, context);
  if (labelled) {
    report.checks.push_back(min_per_label(plan, options));
  }
  check_leaks(in_folder, options, context, plan, report);
  check_suite(in_folder, out_folder, wanted.expectations, context, report);
  std::error_code ignored;
  std::filesystem::remove_all(out_folder / "expectations", ignored);
  base::write_file_atomic(out_folder / "validation.json", base::dump_json_pretty(to_json(report)));
  context.progress.finish(report.summary());
  return report;
}

}  // namespace slipway::data
