// Writing a dataset version (docs/formats/dataset.md).
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/frames.h"
#include "data/plan.h"
#include "data/statistics.h"
#include "data/steps.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kShardBytes = uint64_t{256} << 20;  // of text before compression: about 64 MiB on disk

// The shards of one split, opened as they are needed.
class SplitWriter {
 public:
  SplitWriter(fs::path folder, Split split, base::Pool& pool)
      : folder_(std::move(folder)), split_(split), pool_(pool) {}

  void append(const std::string& line, const std::string& label, size_t text_bytes) {
    if (!writer_) {
      name_ = fmt::format("{}-{:05}.jsonl.zst", split_name(split_), info_.shards.size());
      writer_ = std::make_unique<FrameWriter>(folder_ / name_, pool_);
    }
    writer_->append(line);
    ++rows_in_shard_;
    ++info_.rows;
    ++info_.labels[label];
    text_bytes_ += text_bytes;
    if (writer_->raw_bytes() >= kShardBytes) {
      close();
    }
  }

  void close() {
    if (writer_) {
      const FrameWriter::Result result = writer_->finish();
      info_.shards.push_back({name_, result.sha256, result.size, rows_in_shard_});
      writer_.reset();
      rows_in_shard_ = 0;
    }
  }

  const SplitInfo& info() const noexcept { return info_; }
  uint64_t text_bytes() const noexcept { return text_bytes_; }

 private:
  fs::path folder_;
  Split split_;
  base::Pool& pool_;
  std::string name_;
  std::unique_ptr<FrameWriter> writer_;
  SplitInfo info_;
  int64_t rows_in_shard_ = 0;
  uint64_t text_bytes_ = 0;
};

Json split_json(const SplitInfo& info, uint64_t text_bytes) {
  Json shards = Json::array();
  for (const Shard& shard : info.shards) {
    shards.push_back({{"file", shard.file}, {"sha256", shard.sha256}, {"size", shard.size}, {"rows", shard.rows}});
  }
  return {{"rows", info.rows}, {"text_bytes", text_bytes}, {"labels", info.labels}, {"shards", std::move(shards)}};
}

// Shards of an earlier attempt that this one did not write are no part of the dataset.
void remove_strangers(const fs::path& folder, const std::set<std::string>& wanted) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name.ends_with(".jsonl.zst") && !wanted.contains(name)) {
      fs::remove(entry.path());
    }
  }
}

Json read_optional(const fs::path& file, Json fallback) {
  return fs::exists(file) ? base::parse_json(base::read_file(file), file.string()) : std::move(fallback);
}

std::vector<std::string> licences_of(const Json& sources) {
  std::set<std::string> licences;
  for (const Json& source : sources) {
    const auto licence = base::get_or<std::string>(source, "licence", "", kSourcesFile);
    if (!licence.empty()) {
      licences.insert(licence);
    }
  }
  return {licences.begin(), licences.end()};
}

}  // namespace

Json build_dataset(const fs::path& in_folder, const DataOptions& options, base::Context& outer,
                   const fs::path& out_folder, const Json& validation) {
  base::make_dirs(out_folder);
  fs::remove(out_folder / "manifest.json");  // while shards change there is no dataset
  PassProgress progress(outer.progress, "split", in_folder / kDocumentsFile, plan_passes(options) + 1);
  base::Context context = progress.within(outer);
  const SplitPlan plan = plan_splits(in_folder, options, context);
  std::vector<SplitWriter> writers;
  for (int s = 0; s < kSplits; ++s) {
    writers.emplace_back(out_folder, static_cast<Split>(s), context.pool);
  }
  TextStatistics statistics;
  for_each_batch(
      in_folder / kDocumentsFile, context, "splitting", [&](std::vector<Document>& documents, uint64_t first) {
        if (first + documents.size() > plan.splits.size()) {
          throw base::Error(base::Code::kIntegrity, "the documents changed while they were split");
        }
        std::vector<std::string> lines(documents.size());
        context.pool.parallel_chunks(static_cast<int64_t>(documents.size()), 64, [&](int64_t begin, int64_t end) {
          for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
            append_line(documents[i], lines[i]);
          }
        });
        for (size_t i = 0; i < documents.size(); ++i) {
          writers[static_cast<size_t>(plan.splits[first + i])].append(lines[i], documents[i].label,
                                                                      documents[i].text.size());
        }
        statistics.add(documents, context.pool);
      });

  Json splits = Json::object();
  Json summary_splits = Json::object();
  std::vector<std::string> leaves;
  std::set<std::string> files;
  int64_t rows = 0;
  uint64_t bytes = 0;
  for (int s = 0; s < kSplits; ++s) {
    SplitWriter& writer = writers[static_cast<size_t>(s)];
    writer.close();
    const SplitInfo& info = writer.info();
    for (const Shard& shard : info.shards) {
      leaves.push_back(shard.sha256);
      files.insert(shard.file);
      bytes += shard.size;
    }
    rows += info.rows;
    splits[split_name(static_cast<Split>(s))] = split_json(info, writer.text_bytes());
    summary_splits[split_name(static_cast<Split>(s))] = {{"rows", info.rows}, {"labels", info.labels}};
  }
  remove_strangers(out_folder, files);
  const Json sources = read_optional(in_folder / kSourcesFile, Json::array());
  const std::vector<std::string> labels(plan.labels.begin(), plan.labels.end() - 1);
  Json manifest = {{"format", "slipway-dataset/1"},
                   {"name", options.name},
                   {"rows", rows},
                   {"labels", labels},
                   {"splits", std::move(splits)},
                   {"merkle_root", base::merkle_root(leaves)},
                   {"split", to_json(options.split)},
                   {"statistics", statistics.to_json()},
                   {"licences", licences_of(sources)},
                   {"sources", sources},
                   {"history", read_optional(in_folder / kHistoryFile, Json::object())}};
  if (!validation.is_null()) {
    manifest["validation"] = validation;
  }
  const std::string text = base::dump_json_pretty(manifest);
  base::write_file_atomic(out_folder / "manifest.json", text);
  context.progress.finish(fmt::format("{} documents: {} train, {} validation, {} test", rows, writers[0].info().rows,
                                      writers[1].info().rows, writers[2].info().rows));
  return {{"digest", base::digest_of(text)}, {"rows", rows}, {"splits", std::move(summary_splits)}, {"bytes", bytes}};
}

}  // namespace slipway::data
