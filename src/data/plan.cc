#include "data/plan.h"

#include <algorithm>
#include <unordered_map>

#include "data/frames.h"

namespace slipway::data {
namespace {

// Not when deduplication has left nothing to group.
bool needs_grouping(const DataOptions& options) noexcept {
  const double limit = options.split.group_jaccard;
  return limit > 0 && !(options.deduplicate.exact && options.deduplicate.near && options.deduplicate.jaccard <= limit);
}

struct Keys {
  std::vector<SplitKey> keys;
  std::vector<std::string> found;  // labels in order of appearance; SplitKey::label indexes them
};

Keys read_keys(const std::filesystem::path& folder, const DataOptions& options, base::Context& context) {
  std::unordered_map<std::string, int8_t> pins;
  for (const SourceOptions& source : options.sources) {
    pins[source.id] = source.split.empty() ? int8_t{-1} : static_cast<int8_t>(split_from_name(source.split));
  }
  Keys result;
  std::unordered_map<std::string, uint32_t> index;
  for_each_batch(folder / kDocumentsFile, context, "splitting", [&](std::vector<Document>& documents, uint64_t) {
    for (const Document& document : documents) {
      const auto [label, inserted] = index.try_emplace(document.label, static_cast<uint32_t>(result.found.size()));
      if (inserted) {
        result.found.push_back(document.label);
      }
      const auto pin = pins.find(document.source);
      result.keys.push_back({split_position(document.id, options.split.seed), label->second,
                             pin == pins.end() ? int8_t{-1} : pin->second});
    }
  });
  return result;
}

// Members of a cluster follow its first member; a pinned member pins those that are free.
void group(const Duplicates& duplicates, std::vector<SplitKey>& keys) {
  for (size_t i = 0; i < keys.size(); ++i) {
    const uint32_t first = duplicates.matches[i].representative;
    if (first != Duplicates::kNone && keys[first].pinned < 0) {
      keys[first].pinned = keys[i].pinned;
    }
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    const uint32_t first = duplicates.matches[i].representative;
    if (first == Duplicates::kNone) {
      continue;
    }
    keys[i].position = keys[first].position;
    keys[i].label = keys[first].label;
    if (keys[i].pinned < 0) {
      keys[i].pinned = keys[first].pinned;
    }
  }
}

}  // namespace

TextStream text_stream(const std::filesystem::path& folder, base::Context& context, std::string what) {
  return [folder, &context, what = std::move(what)](const std::function<void(std::string_view)>& take) {
    for_each_batch(folder / kDocumentsFile, context, what, [&](std::vector<Document>& documents, uint64_t) {
      for (const Document& document : documents) {
        take(document.text);
      }
    });
  };
}

int plan_passes(const DataOptions& options) noexcept { return needs_grouping(options) ? 3 : 1; }

std::vector<std::string> dataset_labels(const DataOptions& options, const std::vector<std::string>& found) {
  std::vector<std::string> labels = options.labels;
  std::vector<std::string> others;
  for (const std::string& label : found) {
    if (!label.empty() && std::find(labels.begin(), labels.end(), label) == labels.end()) {
      others.push_back(label);
    }
  }
  std::sort(others.begin(), others.end());
  labels.insert(labels.end(), others.begin(), others.end());
  return labels;
}

SplitPlan plan_splits(const std::filesystem::path& folder, const DataOptions& options, base::Context& context) {
  Keys read = read_keys(folder, options, context);
  SplitPlan plan;
  plan.labels = dataset_labels(options, read.found);
  plan.labels.emplace_back();  // the missing label comes last
  std::vector<uint32_t> order;
  for (const std::string& label : read.found) {
    order.push_back(
        static_cast<uint32_t>(std::find(plan.labels.begin(), plan.labels.end(), label) - plan.labels.begin()));
  }
  for (SplitKey& key : read.keys) {
    key.label = order[key.label];
    plan.label_of.push_back(key.label);
  }
  if (needs_grouping(options)) {
    DeduplicateOptions grouping = options.deduplicate;
    grouping.exact = true;
    grouping.near = true;
    grouping.jaccard = options.split.group_jaccard;
    group(find_duplicates(text_stream(folder, context, "grouping near duplicates"), grouping, context), read.keys);
  }
  plan.splits = assign_splits(read.keys, options.split);
  return plan;
}

}  // namespace slipway::data
