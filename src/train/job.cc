#include "train/job.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/suggest.h"
#include "train/dataset.h"

namespace slipway::train {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr int kJobVersion = 1;  // stored

// Settings that do not change the weights a run ends with.
constexpr const char* kCadence[] = {"checkpoint_every", "logging_steps", "eval_batch_size", "threads"};

const std::vector<std::string>& known_keys() {
  static const std::vector<std::string> keys = {"version",          "base_model", "dataset",     "train_split",
                                                "validation_split", "text_field", "label_field", "labels",
                                                "options",          "output",     "checkpoint"};
  return keys;
}

void check(const Job& job, const std::string& source) {
  const auto wrong = [&](const std::string& what) { throw Error(Code::kInvalid, source + ": " + what); };
  if (job.labels.size() < 2) {
    wrong(fmt::format("'labels' has {} entries; classification needs at least 2", job.labels.size()));
  }
  for (size_t i = 0; i < job.labels.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (job.labels[i] == job.labels[j]) {
        wrong(fmt::format("'labels' has '{}' twice", job.labels[i]));
      }
    }
  }
  if (job.base_model.empty() || job.dataset.empty() || job.output.empty() || job.checkpoint.empty()) {
    wrong("'base_model', 'dataset', 'output' and 'checkpoint' must not be empty");
  }
  if (job.train_split.empty() || job.text_field.empty() || job.label_field.empty()) {
    wrong("'train_split', 'text_field' and 'label_field' must not be empty");
  }
  if (job.output == job.checkpoint || job.output == job.base_model) {
    wrong("'output' must be a folder of its own");
  }
}

void digest_file(base::Sha256& sha, const std::filesystem::path& path) {
  const std::string line = path.filename().string() + " " + base::sha256_file(path) + "\n";
  sha.update(line);
}

}  // namespace

Job job_from_json(const Json& json, const std::string& source) {
  if (!json.is_object()) {
    throw Error(Code::kInvalid, source + ": a job is a JSON object");
  }
  for (const auto& [key, value] : json.items()) {
    if (std::find(known_keys().begin(), known_keys().end(), key) == known_keys().end()) {
      throw Error(Code::kInvalid,
                  fmt::format("{}: unknown key '{}'{}", source, key, base::suggestion(key, known_keys())));
    }
  }
  const int version = base::get_or<int>(json, "version", kJobVersion, source);
  if (version != kJobVersion) {
    throw Error(Code::kInvalid,
                fmt::format("{}: 'version' is {}; this program reads {}", source, version, kJobVersion));
  }
  Job job;
  job.base_model = base::get<std::string>(json, "base_model", source);
  job.dataset = base::get<std::string>(json, "dataset", source);
  job.train_split = base::get_or(json, "train_split", job.train_split, source);
  job.validation_split = base::get_or(json, "validation_split", job.validation_split, source);
  job.text_field = base::get_or(json, "text_field", job.text_field, source);
  job.label_field = base::get_or(json, "label_field", job.label_field, source);
  job.labels = base::get<std::vector<std::string>>(json, "labels", source);
  job.output = base::get<std::string>(json, "output", source);
  job.checkpoint = base::get<std::string>(json, "checkpoint", source);
  job.options = options_from_json(base::get_or<Json>(json, "options", Json::object(), source), source + ": options");
  check(job, source);
  return job;
}

Json job_to_json(const Job& job) {
  Json json = Json::object();
  json["version"] = kJobVersion;
  json["base_model"] = job.base_model.string();
  json["dataset"] = job.dataset.string();
  json["train_split"] = job.train_split;
  json["validation_split"] = job.validation_split;
  json["text_field"] = job.text_field;
  json["label_field"] = job.label_field;
  json["labels"] = job.labels;
  json["options"] = options_to_json(job.options);
  json["output"] = job.output.string();
  json["checkpoint"] = job.checkpoint.string();
  return json;
}

std::string job_fingerprint(const Job& job) {
  Json json = job_to_json(job);
  json.erase("output");
  json.erase("checkpoint");
  json.erase("base_model");  // places do not matter, contents do
  json.erase("dataset");
  for (const char* key : kCadence) {
    json["options"].erase(key);
  }
  base::Sha256 sha;
  sha.update(base::canonical_json(json));
  digest_file(sha, job.base_model / "config.json");
  for (const char* name : {"tokenizer.json", "vocab.txt", "model.safetensors"}) {
    const bool weights = std::string_view(name) == "model.safetensors";
    if (std::filesystem::exists(job.base_model / name) && !(weights && job.options.from_scratch)) {
      digest_file(sha, job.base_model / name);
    }
  }
  for (const std::string& split : {job.train_split, job.validation_split}) {
    if (!split.empty()) {
      for (const auto& file : split_files(job.dataset, split)) {
        digest_file(sha, file);
      }
    }
  }
  return sha.hex();
}

}  // namespace slipway::train
