// The file of a sketch; docs/formats/sketch.md says the same byte by byte.
#include <bit>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "monitor/reference.h"

namespace slipway::monitor {
namespace {

using base::Json;

static_assert(std::endian::native == std::endian::little, "the file is little-endian; add a swap for this machine");

constexpr std::string_view kMagic = "SLIPSK01";  // stored
constexpr size_t kAlign = 64;                    // stored: embeddings begin at a multiple of this
constexpr size_t kMaxHeader = size_t{64} << 20;
constexpr int64_t kMaxRows = 1'000'000;
constexpr int kMaxDim = 16'384;

[[noreturn]] void bad(std::string_view source, const std::string& what) {
  throw base::Error(base::Code::kIntegrity, fmt::format("{} is not a usable reference sketch: {}", source, what));
}

Json header_of(const ReferenceSketch& sketch) {
  Json groups = Json::object();
  for (const auto& [name, group] : sketch.groups) {
    groups[name] = {{"rows", group.rows}, {"labels", group.labels}};
  }
  Json lengths = Json::array();
  Json scores = Json::array();
  Json labels = Json::array();
  Json totals = Json::array();
  Json words = Json::array();
  for (const ReferenceRow& row : sketch.rows) {
    lengths.push_back(row.length);
    scores.push_back(row.score);
    labels.push_back(row.label);
    totals.push_back(row.words);
    words.push_back(row.vocabulary);
  }
  return {{"model", sketch.model},
          {"labels", sketch.labels},
          {"rows_given", sketch.rows_given},
          {"vocabulary", sketch.vocabulary},
          {"word_counts", sketch.word_counts},
          {"words", sketch.words},
          {"languages", sketch.languages},
          {"groups", std::move(groups)},
          {"rows",
           {{"length", std::move(lengths)},
            {"score", std::move(scores)},
            {"label", std::move(labels)},
            {"words", std::move(totals)},
            {"vocabulary", std::move(words)}}},
          {"embeddings", {{"rows", sketch.embedding_rows()}, {"dim", sketch.dim}}},
          {"meta", sketch.meta}};
}

void read_rows(const Json& json, ReferenceSketch& sketch, std::string_view source) {
  const auto lengths = base::get<std::vector<float>>(json, "length", source);
  const auto scores = base::get<std::vector<float>>(json, "score", source);
  const auto labels = base::get<std::vector<int>>(json, "label", source);
  const auto totals = base::get<std::vector<int>>(json, "words", source);
  auto words = base::get<std::vector<std::vector<int>>>(json, "vocabulary", source);
  const size_t n = lengths.size();
  if (scores.size() != n || labels.size() != n || totals.size() != n || words.size() != n) {
    bad(source, "its columns of rows have different lengths");
  }
  if (n < 2 || static_cast<int64_t>(n) > kMaxRows) {
    bad(source, fmt::format("it has {} rows; 2 to {} are allowed", n, kMaxRows));
  }
  for (size_t i = 0; i < n; ++i) {
    if (labels[i] < -1 || labels[i] >= static_cast<int>(sketch.labels.size())) {
      bad(source, fmt::format("row {} has label {} of {}", i, labels[i], sketch.labels.size()));
    }
    if (totals[i] < static_cast<int>(words[i].size())) {
      bad(source, fmt::format("row {} has fewer words than words of the vocabulary", i));
    }
    for (const int word : words[i]) {
      if (word < 0 || word >= static_cast<int>(sketch.vocabulary.size())) {
        bad(source, fmt::format("row {} names word {} of {}", i, word, sketch.vocabulary.size()));
      }
    }
    sketch.rows.push_back({lengths[i], scores[i], labels[i], totals[i], std::move(words[i])});
  }
}

ReferenceSketch read_header(const Json& json, std::string_view source) {
  ReferenceSketch sketch;
  sketch.model = base::get_or<std::string>(json, "model", {}, source);
  sketch.labels = base::get<std::vector<std::string>>(json, "labels", source);
  sketch.rows_given = base::get<int64_t>(json, "rows_given", source);
  sketch.vocabulary = base::get<std::vector<std::string>>(json, "vocabulary", source);
  sketch.word_counts = base::get<std::vector<int64_t>>(json, "word_counts", source);
  sketch.words = base::get<int64_t>(json, "words", source);
  sketch.languages = base::get<std::map<std::string, int64_t>>(json, "languages", source);
  if (sketch.word_counts.size() != sketch.vocabulary.size()) {
    bad(source, "the vocabulary and its counts have different lengths");
  }
  const Json groups = base::get<Json>(json, "groups", source);
  for (const auto& [name, group] : groups.items()) {
    GroupCount count{base::get<int64_t>(group, "rows", source),
                     base::get<std::vector<int64_t>>(group, "labels", source)};
    if (count.labels.size() != sketch.labels.size()) {
      bad(source, fmt::format("group '{}' counts {} labels of {}", name, count.labels.size(), sketch.labels.size()));
    }
    sketch.groups.emplace(name, std::move(count));
  }
  if (json.contains("meta")) {
    sketch.meta = json["meta"];
  }
  read_rows(base::get<Json>(json, "rows", source), sketch, source);
  return sketch;
}

}  // namespace

std::string serialize_sketch(const ReferenceSketch& sketch) {
  std::string header = base::dump_json(header_of(sketch));
  const size_t start = kMagic.size() + sizeof(uint64_t);
  header.resize((start + header.size() + kAlign - 1) / kAlign * kAlign - start, ' ');
  const uint64_t size = header.size();
  std::string bytes(kMagic);
  bytes.append(reinterpret_cast<const char*>(&size), sizeof(size));
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(sketch.embeddings.data()), sketch.embeddings.size() * sizeof(float));
  return bytes;
}

ReferenceSketch parse_sketch(std::string_view bytes, std::string_view source) {
  const size_t start = kMagic.size() + sizeof(uint64_t);
  if (bytes.size() < start || bytes.substr(0, kMagic.size()) != kMagic) {
    bad(source, fmt::format("it does not begin with {}", kMagic));
  }
  uint64_t size = 0;
  std::memcpy(&size, bytes.data() + kMagic.size(), sizeof(size));
  if (size > kMaxHeader || size > bytes.size() - start) {
    bad(source, fmt::format("its header claims {} bytes; the file has {}", size, bytes.size()));
  }
  try {
    const Json json = base::parse_json(bytes.substr(start, size), source, {.max_bytes = kMaxHeader, .max_depth = 16});
    ReferenceSketch sketch = read_header(json, source);
    const Json embeddings = base::get<Json>(json, "embeddings", source);
    const auto rows = base::get<int64_t>(embeddings, "rows", source);
    sketch.dim = base::get<int>(embeddings, "dim", source);
    if (rows < 0 || rows > static_cast<int64_t>(sketch.rows.size()) || sketch.dim < 0 || sketch.dim > kMaxDim) {
      bad(source, fmt::format("{} embeddings of {} numbers are not possible", rows, sketch.dim));
    }
    const size_t count = static_cast<size_t>(rows) * static_cast<size_t>(sketch.dim);
    if (bytes.size() - start - size != count * sizeof(float)) {
      bad(source,
          fmt::format("{} bytes follow the header instead of {}", bytes.size() - start - size, count * sizeof(float)));
    }
    sketch.embeddings.resize(count);
    if (count > 0) {
      std::memcpy(sketch.embeddings.data(), bytes.data() + start + size, count * sizeof(float));
    }
    return sketch;
  } catch (const base::Error& e) {
    if (e.code() == base::Code::kIntegrity) {
      throw;
    }
    bad(source, e.what());
  }
}

void save_sketch(const ReferenceSketch& sketch, const std::filesystem::path& path) {
  base::write_file_atomic(path, serialize_sketch(sketch));
}

ReferenceSketch load_sketch(const std::filesystem::path& path) {
  const base::MappedFile file(path);
  return parse_sketch(file.bytes(), path.string());
}

}  // namespace slipway::monitor
