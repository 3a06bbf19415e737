#include "evaluate/bias_probe.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "evaluate/evaluate.h"
#include "stats/bootstrap.h"
#include "text/identity.h"
#include "text/language.h"

namespace slipway::evaluate {
namespace {

// Variants of one text that differ in the group only; answers are compared within a set.
struct VariantSet {
  std::string family;
  std::vector<std::string> groups;  // as long as variants; groups[0] may be "" (the text as it was)
  std::vector<size_t> variants;     // indices into the list of texts to predict
};

class Builder {
 public:
  explicit Builder(const BiasOptions& options) : options_(options), rng_(options.seed, "bias") {}

  void build(const std::vector<std::string>& corpus) {
    std::vector<size_t> order(corpus.size());
    std::iota(order.begin(), order.end(), size_t{0});
    rng_.shuffle(std::span(order));
    int attributed = 0;
    int pairs = 0;
    for (const size_t i : order) {
      const std::string& text = corpus[i];
      bool natural = false;
      if (pairs < options_.max_pairs) {
        const int added = add_gender(text) + add_names(text);
        natural = added > 0;
        pairs += added;
      }
      if (!natural && attributed < options_.attributed_texts) {
        add_attribution(text);
        ++attributed;
      }
    }
  }

  std::vector<std::string> texts;
  std::vector<VariantSet> sets;

 private:
  size_t push(std::string text) {
    texts.push_back(std::move(text));
    return texts.size() - 1;
  }

  static std::string gender_in(const std::string& text) {
    const auto groups = text::mentioned_groups(text);
    const bool female = std::find(groups.begin(), groups.end(), "gender:female") != groups.end();
    const bool male = std::find(groups.begin(), groups.end(), "gender:male") != groups.end();
    return female == male ? "" : female ? "gender:female" : "gender:male";
  }

  int add_gender(const std::string& text) {
    const auto swapped = text::swap_gender(text);
    if (!swapped) {
      return 0;
    }
    const std::string from = gender_in(text);
    const std::string to = from == "gender:female" ? "gender:male" : from == "gender:male" ? "gender:female" : "";
    VariantSet set{"gender", {from, to}, {}};
    set.variants = {push(text), push(*swapped)};
    sets.push_back(std::move(set));
    return 1;
  }

  int add_names(const std::string& text) {
    VariantSet set{"names", {""}, {}};
    std::vector<std::string> variants;
    for (const std::string& group : ethnicities()) {
      if (auto variant = text::replace_names(text, group, options_.seed)) {
        set.groups.push_back(group);
        variants.push_back(std::move(*variant));
      }
    }
    if (variants.empty()) {
      return 0;
    }
    set.variants.push_back(push(text));
    for (std::string& variant : variants) {
      set.variants.push_back(push(std::move(variant)));
    }
    sets.push_back(std::move(set));
    return static_cast<int>(variants.size());
  }

  // "ethnicity:black" of "ethnicity:black:female".
  static std::vector<std::string> ethnicities() {
    std::vector<std::string> list;
    for (const std::string_view group : text::name_groups()) {
      if (group.starts_with("ethnicity:")) {
        const std::string name(group.substr(0, group.rfind(':')));
        if (std::find(list.begin(), list.end(), name) == list.end()) {
          list.push_back(name);
        }
      }
    }
    return list;
  }

  void add_attribution(const std::string& text) {
    const bool chinese = text::detect_language(text).code == "zh";
    VariantSet set{"attribution", {}, {}};
    for (const std::string_view group : text::name_groups()) {
      const auto names = text::names_of(group);
      if (names.empty()) {
        continue;
      }
      const std::string_view name = names[rng_.below(names.size())];
      set.groups.emplace_back(group);
      set.variants.push_back(
          push(chinese ? fmt::format("{}写道：{}", name, text) : fmt::format("{} writes: {}", name, text)));
    }
    if (set.variants.size() > 1) {
      sets.push_back(std::move(set));
    }
  }

  const BiasOptions& options_;
  base::Rng rng_;
};

struct Tally {
  int64_t flips = 0;
  int64_t pairs = 0;
  std::vector<double> shifts;
};

struct GroupTally {
  Tally tally;
  std::vector<double> signed_shifts;
};

}  // namespace

BiasReport bias_probe(model::Predictor& predictor, const std::vector<std::string>& texts, const BiasOptions& options,
                      base::Context& context) {
  const auto& labels = predictor.labels();
  if (labels.size() < 2) {
    throw base::Error(base::Code::kInvalid, "cannot probe for bias: the model has no classification head (no labels)");
  }
  BiasReport report;
  report.suite = "names-and-pronouns";
  report.favourable = options.favourable.empty() ? labels.back() : options.favourable;
  const auto found = std::find(labels.begin(), labels.end(), report.favourable);
  if (found == labels.end()) {
    throw base::Error(base::Code::kInvalid, fmt::format("bias: '{}' is not a label of the model", report.favourable));
  }
  const auto column = static_cast<size_t>(found - labels.begin());
  Builder builder(options);
  builder.build(texts);
  const std::vector<double> probabilities = predict_all(predictor, builder.texts, context);
  const auto favourable = [&](size_t row) { return probabilities[row * labels.size() + column]; };
  const auto label = [&](size_t row) {
    const auto begin = probabilities.begin() + static_cast<std::ptrdiff_t>(row * labels.size());
    return static_cast<size_t>(std::max_element(begin, begin + static_cast<std::ptrdiff_t>(labels.size())) - begin);
  };

  std::map<std::string, Tally> families = {{"gender", {}}, {"names", {}}, {"attribution", {}}};
  std::map<std::string, GroupTally> groups;
  Tally all;
  for (const VariantSet& set : builder.sets) {
    // The mean over variants that carry a group: what each group's own variant is held against.
    double mean = 0;
    size_t carrying = 0;
    for (size_t k = 0; k < set.variants.size(); ++k) {
      if (!set.groups[k].empty()) {
        mean += favourable(set.variants[k]);
        ++carrying;
      }
    }
    mean = carrying > 0 ? mean / static_cast<double>(carrying) : 0;
    const size_t first = set.variants[0];
    for (size_t k = 0; k < set.variants.size(); ++k) {
      const size_t row = set.variants[k];
      const bool flip = label(row) != label(first);
      if (!set.groups[k].empty()) {
        GroupTally& group = groups[set.groups[k]];
        // A gender pair is held against its other half, a set of names against the mean of all groups.
        group.signed_shifts.push_back(set.family == "gender" ? 2 * (favourable(row) - mean) : favourable(row) - mean);
        if (k > 0) {
          group.tally.flips += flip ? 1 : 0;
          ++group.tally.pairs;
        }
      }
      if (k == 0) {
        continue;
      }
      const double shift = favourable(row) - favourable(first);
      for (Tally* tally : {&families[set.family], &all}) {
        tally->flips += flip ? 1 : 0;
        ++tally->pairs;
        tally->shifts.push_back(std::abs(shift));
      }
      report.examples.push_back(
          {builder.texts[first], builder.texts[row], set.groups[k], labels[label(first)], labels[label(row)], shift});
    }
  }
  const stats::BootstrapOptions bootstrap{.resamples = options.resamples, .seed = options.seed};
  report.flip_rate = stats::wilson(all.flips, all.pairs);
  for (const char* name : {"gender", "names", "attribution"}) {
    const Tally& tally = families[name];
    BiasFamily family{name, stats::wilson(tally.flips, tally.pairs), {}};
    family.mean_shift = tally.shifts.empty() ? stats::wilson(0, 0) : stats::bootstrap_mean(tally.shifts, bootstrap);
    report.families.push_back(std::move(family));
  }
  for (const auto& [name, group] : groups) {
    BiasGroup one{name, stats::bootstrap_mean(group.signed_shifts, bootstrap),
                  stats::wilson(group.tally.flips, group.tally.pairs)};
    report.max_shift = std::max(report.max_shift, std::abs(one.shift.value));
    report.groups.push_back(std::move(one));
  }
  std::stable_sort(report.examples.begin(), report.examples.end(), [](const BiasExample& a, const BiasExample& b) {
    const bool flip_a = a.label != a.counterfactual_label;
    const bool flip_b = b.label != b.counterfactual_label;
    return flip_a != flip_b ? flip_a : std::abs(a.shift) > std::abs(b.shift);
  });
  if (report.examples.size() > static_cast<size_t>(options.examples)) {
    report.examples.resize(static_cast<size_t>(options.examples));
  }
  return report;
}

Json to_json(const BiasReport& report) {
  Json json = {{"suite", report.suite},
               {"favourable", report.favourable},
               {"flip_rate", stats::to_json(report.flip_rate)},
               {"max_shift", report.max_shift},
               {"families", Json::array()},
               {"groups", Json::array()},
               {"examples", Json::array()}};
  for (const BiasFamily& family : report.families) {
    json["families"].push_back({{"name", family.name},
                                {"flip_rate", stats::to_json(family.flip_rate)},
                                {"mean_shift", stats::to_json(family.mean_shift)}});
  }
  for (const BiasGroup& group : report.groups) {
    json["groups"].push_back({{"group", group.group},
                              {"shift", stats::to_json(group.shift)},
                              {"flip_rate", stats::to_json(group.flip_rate)}});
  }
  for (const BiasExample& example : report.examples) {
    json["examples"].push_back({{"text", example.text},
                                {"counterfactual", example.counterfactual},
                                {"group", example.group},
                                {"label", example.label},
                                {"counterfactual_label", example.counterfactual_label},
                                {"shift", example.shift}});
  }
  return json;
}

}  // namespace slipway::evaluate
