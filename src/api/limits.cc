#include "api/limits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <set>

#include "text/unicode.h"

namespace slipway::api {
namespace {

using record::KeyValue;

constexpr size_t kMaxBatchMetrics = 1000;
constexpr size_t kMaxBatchPairs = 100;
constexpr size_t kMaxBatch = 1000;
constexpr size_t kMaxKey = 250;
constexpr size_t kMaxParamValue = 6000;
constexpr size_t kMaxTagValue = 8000;
constexpr size_t kMaxExperimentName = 500;
constexpr size_t kMaxExperimentTagValue = 20'000;
constexpr size_t kMaxDatasetName = 500;
constexpr size_t kMaxDatasetDigest = 36;
constexpr size_t kMaxDatasetSource = 65'535;
constexpr size_t kMaxDatasetSchema = 1'048'575;
constexpr size_t kMaxDatasetProfile = 16'777'215;
constexpr size_t kMaxInputTagKey = 255;
constexpr size_t kMaxInputTagValue = 500;

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

size_t characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

void cut(std::string& value, size_t limit) {
  if (value.size() <= limit) {
    return;
  }
  size_t count = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    if (begins_character(value[i]) && ++count > limit) {
      value.resize(i);
      return;
    }
  }
}

// Letters of any script, digits and / _ . - space : are what Python's [/\w.\- :] takes; here every byte above ASCII is.
constexpr std::array<bool, 256> kGoodCharacters = [] {
  std::array<bool, 256> good{};
  for (size_t c = 0; c < good.size(); ++c) {
    good[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
  }
  for (const unsigned char c : std::string_view("/_.- :")) {
    good[c] = true;
  }
  return good;
}();

bool good_characters(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return kGoodCharacters[static_cast<unsigned char>(c)]; });
}

// posixpath.normpath.
std::string normal_path(std::string_view path) {
  const size_t slashes = path.starts_with("//") && !path.starts_with("///") ? 2 : path.starts_with("/") ? 1 : 0;
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (part.empty() || part == ".") {
      continue;
    }
    if (part != ".." || (slashes == 0 && (parts.empty() || parts.back() == ".."))) {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string out(slashes, '/');
  for (size_t i = 0; i < parts.size(); ++i) {
    out.append(i == 0 ? "" : "/").append(parts[i]);
  }
  return out.empty() ? "." : out;
}

void check_key(const std::string& key, const Path& path) {
  if (!good_characters(key)) {
    bad_value(
        path.text(), key,
        "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and "
        "slashes (/).");
  }
  if (key.find_first_of("/.") == std::string::npos && !key.empty()) {
    return;  // it is what it resolves to
  }
  const std::string normal = normal_path(key);
  if (normal != key || normal == "." || normal.starts_with("..") || normal.starts_with("/")) {
    bad_value(path.text(), key,
              fmt::format("Names may be treated as files in certain cases, and must not resolve to other names when "
                          "treated as such. This name would resolve to {}",
                          python_repr(normal)));
  }
}

void check_count(std::string_view what, size_t limit, size_t count) {
  if (count > limit) {
    invalid(
        fmt::format("A batch logging request can contain at most {0} {1}. Got {2} {1}. Please split up {1} across "
                    "multiple requests and try again.",
                    limit, what, count));
  }
}

}  // namespace

void check_length(std::string_view what, size_t limit, std::string_view value) {
  if (value.size() > limit && characters(value) > limit) {
    invalid(fmt::format("'{}' exceeds the maximum length of {} characters", what, limit));
  }
}

void check_tag_key(const std::string& key) {
  check_key(key, {nullptr, "key"});
  check_length("key", kMaxKey, key);
}

void check_metric(BatchMetric& point, const Path* where) {
  check_key(point.key, {where, "name"});
  if (point.time_ms < 0) {
    bad_value(Path{where, "timestamp"}.text(), point.time_ms,
              fmt::format("metric '{}' (value={}). Timestamp must be a nonnegative long (64-bit integer) ", point.key,
                          point.value));
  }
  check_length("Metric name", kMaxKey, point.key);
  if (std::isinf(point.value)) {
    point.value = std::copysign(std::numeric_limits<double>::max(), point.value);
  }
}

void check_param(KeyValue& param, const Path* where) {
  check_key(param.key, {where, "key"});
  check_length("Param key", kMaxKey, param.key);
  cut(param.value, kMaxParamValue);
}

void check_run_tag(KeyValue& tag, const Path* where) {
  check_key(tag.key, {where, "key"});
  check_length("key", kMaxKey, tag.key);
  cut(tag.value, kMaxTagValue);
}

void check_experiment_tag(const KeyValue& tag) {
  check_tag_key(tag.key);
  check_length("value", kMaxExperimentTagValue, tag.value);
}

void check_experiment_name(const std::string& name) {
  if (name.find_first_not_of(" \t\r\n\f\v") == std::string::npos) {
    invalid(fmt::format("Invalid experiment name: '{}'", name));
  }
  check_length("name", kMaxExperimentName, name);
}

void check_dataset(const record::DatasetUse& use) {
  check_length("name", kMaxDatasetName, use.dataset.name);
  check_length("digest", kMaxDatasetDigest, use.dataset.digest);
  check_length("source", kMaxDatasetSource, use.dataset.source);
  check_length("schema", kMaxDatasetSchema, use.dataset.schema.value_or(""));
  check_length("profile", kMaxDatasetProfile, use.dataset.profile.value_or(""));
  for (const KeyValue& tag : use.tags) {
    check_length("key", kMaxInputTagKey, tag.key);
    check_length("value", kMaxInputTagValue, tag.value);
  }
}

void check_batch(LogBatch& batch) {
  const auto each = [](auto& items, std::string_view name, const auto& check) {
    const Path list{nullptr, name};
    for (size_t i = 0; i < items.size(); ++i) {
      const Path element{&list, {}, static_cast<int64_t>(i)};
      check(items[i], &element);
    }
  };
  each(batch.metrics, "metrics", check_metric);
  each(batch.params, "params", check_param);
  each(batch.tags, "tags", check_run_tag);
  check_count("metrics", kMaxBatchMetrics, batch.metrics.size());
  check_count("params", kMaxBatchPairs, batch.params.size());
  check_count("tags", kMaxBatchPairs, batch.tags.size());
  check_count("metrics, params, and tags", kMaxBatch, batch.metrics.size() + batch.params.size() + batch.tags.size());
  std::set<std::string_view> keys;
  std::string twice;
  for (const KeyValue& param : batch.params) {
    if (!keys.insert(param.key).second) {
      twice += (twice.empty() ? "" : ", ") + python_repr(param.key);
    }
  }
  if (!twice.empty()) {
    invalid(
        fmt::format("Duplicate parameter keys have been submitted: [{}]. Please ensure the request contains only one "
                    "param value per param key.",
                    twice));
  }
}

void take_metrics(std::vector<BatchMetric> metrics, record::RunBatch& batch) {
  batch.metrics.reserve(batch.metrics.size() + metrics.size());
  for (BatchMetric& metric : metrics) {
    record::MetricPoint point{std::move(metric.key), metric.value, metric.step, metric.time_ms};
    if (!metric.model_id.empty()) {
      batch.model_metrics.push_back(
          {point, std::move(metric.model_id), {}, std::move(metric.dataset_name), std::move(metric.dataset_digest)});
    }
    batch.metrics.push_back(std::move(point));
  }
}

std::string safe_path(std::string_view given) {
  std::string path(given);
  // Escapes inside a path that was decoded once already: undone until none is left, for another server may.
  for (std::string decoded; path.find('%') != std::string::npos; path.swap(decoded)) {
    if (!net::percent_decode(path, false, decoded)) {
      if (path.find(std::string_view("%00", 3)) != std::string::npos) {
        invalid("Invalid path");
      }
      break;  // a lone '%' is a character of the name
    }
    if (decoded == path) {
      break;
    }
  }
  const bool drive = path.size() >= 2 && path[1] == ':' && std::isalpha(static_cast<unsigned char>(path[0])) != 0;
  const bool control =
      std::any_of(path.begin(), path.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (path.starts_with("/") || path.starts_with("file:") || drive || control || !text::is_valid_utf8(path) ||
      path.find_first_of("\\#") != std::string::npos) {
    invalid("Invalid path");
  }
  std::string safe;
  for (std::string_view rest = path; !rest.empty();) {
    const size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    if (part == "..") {
      invalid("Invalid path");
    }
    if (!part.empty() && part != ".") {
      safe.append(safe.empty() ? "" : "/").append(part);
    }
  }
  return safe;
}

}  // namespace slipway::api
