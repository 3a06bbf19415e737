#include "data/dataset_card.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <map>


namespace slipway::data {
namespace {

constexpr size_t kRecordSets = 20;
constexpr size_t kShownColumns = 200;

// docs.mlcommons.org/croissant/docs/croissant-spec.html, version 1.0.
constexpr const char* kContext = R"({"@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
  "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
  "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
  "equivalentProperty": "cr:equivalentProperty", "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field", "fileProperty": "cr:fileProperty",
  "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset",
  "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
  "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace", "samplingRate": "cr:samplingRate", "sc": "https://schema.org/",
  "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform"})";

const char* encoding_of(const std::string& path) {
  switch (row_format(path)) {
    case RowFormat::kJsonl: return "application/jsonlines";
    case RowFormat::kCsv: return "text/csv";
    case RowFormat::kTsv: return "text/tab-separated-values";
    case RowFormat::kText: return "text/plain";
    case RowFormat::kParquet: return "application/vnd.apache.parquet";
    default: return path.ends_with(".json") ? "application/json" : "application/octet-stream";
  }
}

std::string date_of(int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

const char* croissant_type(const std::string& type) {
  return type == "integer" ? "sc:Integer" : type == "number" ? "sc:Float" : type == "boolean" ? "sc:Boolean" : "sc:Text";
}

const char* feature_type(const std::string& type) {
  return type == "integer" ? "int64" : type == "number" ? "float64" : type == "boolean" ? "bool" : "string";
}

TableProfile profile_of(const VersionFiles& files, const record::FolderFile& file, base::Context& context) {
  return profile_table({{file}, files.place}, context);
}

// "train" of "train-00000.jsonl.zst" and of "data/train.jsonl"; what is no split is all "train".
std::string split_of(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  for (const char* split : {"train", "validation", "test"}) {
    const std::string_view rest = std::string_view(name).substr(std::min(name.size(), std::string_view(split).size()));
    if (name.starts_with(split) && (rest.starts_with('-') || rest.starts_with('.'))) {
      return split;
    }
  }
  return "train";
}

}  // namespace

Json croissant(const CardFacts& facts, const VersionFiles& files, base::Context& context) {
  Json distribution = Json::array();
  Json records = Json::array();
  for (const record::FolderFile& file : files.files) {
    distribution.push_back({{"@type", "cr:FileObject"},
                            {"@id", file.path},
                            {"name", file.path},
                            {"contentUrl", file.path},
                            {"contentSize", fmt::format("{} B", file.size)},
                            {"encodingFormat", encoding_of(file.path)},
                            {"sha256", file.digest.substr(file.digest.find(':') + 1)}});
    if (row_format(file.path) == RowFormat::kNone || row_format(file.path) == RowFormat::kText || records.size() == kRecordSets) {
      continue;
    }
    const TableProfile profile = profile_of(files, file, context);
    const std::string id = "rows/" + file.path;
    Json fields = Json::array();
    for (const ColumnProfile& column : profile.columns) {
      fields.push_back({{"@type", "cr:Field"},
                        {"@id", id + "/" + column.name},
                        {"name", column.name},
                        {"dataType", croissant_type(column.type())},
                        {"source", {{"fileObject", {{"@id", file.path}}}, {"extract", {{"column", column.name}}}}}});
    }
    if (!fields.empty()) {
      records.push_back({{"@type", "cr:RecordSet"}, {"@id", id}, {"name", id}, {"description", fmt::format("{} rows", profile.rows)}, {"field", std::move(fields)}});
    }
  }
  Json json = {{"@context", Json::parse(kContext)},
               {"@type", "sc:Dataset"},
               {"name", facts.name},
               {"description", facts.description.empty() ? facts.name : facts.description},
               {"conformsTo", "http://mlcommons.org/croissant/1.0"},
               {"version", facts.version.substr(0, 12)},
               {"datePublished", date_of(facts.created_ms)}};
  if (!facts.licence.empty()) {
    json["license"] = facts.licence;
  }
  if (!facts.author.empty()) {
    json["creator"] = {{"@type", "sc:Person"}, {"name", facts.author}};
  }
  json["distribution"] = std::move(distribution);
  json["recordSet"] = std::move(records);
  return json;
}

std::string dataset_card(const CardFacts& facts, const VersionFiles& files, base::Context& context) {
  struct Part {
    int64_t rows = 0;
    uint64_t bytes = 0;
    std::vector<std::string> paths;
  };
  std::map<std::string, Part> splits;
  std::vector<ColumnProfile> shown;
  uint64_t all_bytes = 0;
  int64_t all_rows = 0;
  for (const record::FolderFile& file : files.files) {
    all_bytes += file.size;
    if (row_format(file.path) == RowFormat::kNone) {
      continue;
    }
    const TableProfile profile = profile_of(files, file, context);
    Part& part = splits[split_of(file.path)];
    part.rows += profile.rows;
    part.bytes += file.size;
    part.paths.push_back(file.path);
    all_rows += profile.rows;
    for (const ColumnProfile& column : profile.columns) {
      const auto known = std::find_if(shown.begin(), shown.end(), [&](const ColumnProfile& one) { return one.name == column.name; });
      if (known == shown.end() && shown.size() < kShownColumns) {
        shown.push_back(column);
      }
    }
  }
  // Texts in quotes are JSON, which YAML reads.
  const auto quoted = [](const std::string& text) { return base::dump_json(Json(text)); };
  const char* size = all_rows < 1000 ? "n<1K" : all_rows < 10'000 ? "1K<n<10K" : all_rows < 100'000 ? "10K<n<100K" : all_rows < 1'000'000 ? "100K<n<1M" : all_rows < 10'000'000 ? "1M<n<10M" : "n>10M";
  std::string card = "---\n";
  if (!facts.licence.empty()) {
    card += "license: " + quoted(facts.licence) + "\n";
  }
  card += "pretty_name: " + quoted(facts.name) + "\nsize_categories:\n  - " + quoted(size) + "\n";
  if (!splits.empty()) {
    card += "configs:\n  - config_name: default\n    data_files:\n";
    for (const auto& [split, part] : splits) {
      card += fmt::format("      - split: {}\n        path:\n", split);
      for (const std::string& path : part.paths) {
        card += "          - " + quoted(path) + "\n";
      }
    }
    card += "dataset_info:\n  features:\n";
    for (const ColumnProfile& column : shown) {
      card += fmt::format("    - name: {}\n      dtype: {}\n", quoted(column.name), feature_type(column.type()));
    }
    card += "  splits:\n";
    for (const auto& [split, part] : splits) {
      card += fmt::format("    - name: {}\n      num_bytes: {}\n      num_examples: {}\n", split, part.bytes, part.rows);
    }
    card += fmt::format("  download_size: {}\n  dataset_size: {}\n", all_bytes, all_bytes);
  }
  card += fmt::format("---\n# {}\n{}\n\nVersion `{}` of {}{}{}.\n\n", facts.name, facts.description, facts.version.substr(0, 12), date_of(facts.created_ms),
                      facts.author.empty() ? "" : " by " + facts.author, facts.message.empty() ? "" : ": " + facts.message);
  card += "## Data\n| split | rows | bytes | files |\n|---|---|---|---|\n";
  for (const auto& [split, part] : splits) {
    card += fmt::format("| {} | {} | {} | {} |\n", split, part.rows, part.bytes, part.paths.size());
  }
  card += "\n## Columns\n| name | type | missing | distinct | range |\n|---|---|---|---|---|\n";
  for (const ColumnProfile& column : shown) {
    const std::string type = column.type();
    std::string name = column.name;
    for (size_t at = name.find('|'); at != std::string::npos; at = name.find('|', at + 2)) {
      name.insert(at, "\\");
    }
    card += fmt::format("| {} | {} | {} | {}{} | {} |\n", name, type, column.missing, column.distinct_exact ? "" : "at least ", column.distinct,
                        type == "integer" || type == "number" ? fmt::format("{:g} to {:g}", column.min, column.max)
                        : type == "string"                    ? fmt::format("{} to {} characters", column.min_length, column.max_length)
                                                              : "");
  }
  return card;
}

}  // namespace slipway::data
