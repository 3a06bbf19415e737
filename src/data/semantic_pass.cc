#include "data/semantic_pass.h"

#include <cstring>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "data/dedup_output.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr size_t kBlock = size_t{1} << 20U;  // of lines: a few minutes of embedding at most, which a kill may cost

fs::path vectors_of(const fs::path& folder, uint64_t block) { return folder / fmt::format("vectors-{:08}.rec", block); }

uint32_t record_bytes(const SemanticOptions& options) { return static_cast<uint32_t>(sizeof(uint64_t) + static_cast<size_t>(options.dimension) * sizeof(float)); }

void embed_block(const DedupOptions& options, const Block& block, const fs::path& file, base::Context& context) {
  std::vector<std::string> read(block.lines.size());
  std::vector<char> good(block.lines.size(), 0);
  context.pool.parallel_chunks(static_cast<int64_t>(read.size()), 32, [&](int64_t begin, int64_t end) {
    JsonlLine line(options.text_field, options.id_field);
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      if (read_document(block, block.lines[i], line).empty()) {
        read[i] = line.text();
        good[i] = 1;
      }
    }
  });
  std::vector<std::string> texts;
  std::vector<uint64_t> positions;
  for (size_t i = 0; i < read.size(); ++i) {
    if (good[i] != 0) {
      texts.push_back(std::move(read[i]));
      positions.push_back(position_of(block.lines[i]));
    }
  }
  const auto width = static_cast<size_t>(options.semantic.dimension);
  const std::vector<float> vectors = texts.empty() ? std::vector<float>() : options.semantic.embed(texts);
  if (vectors.size() != texts.size() * width) {
    throw Error(Code::kInvalid, fmt::format("{} gave {} numbers for {} texts; {} each were expected", options.semantic.embedder,
                                            vectors.size(), texts.size(), width));
  }
  RecordFileWriter out(file, record_bytes(options.semantic));
  std::string record(record_bytes(options.semantic), '\0');
  for (size_t i = 0; i < texts.size(); ++i) {
    std::memcpy(record.data(), &positions[i], sizeof(uint64_t));
    std::memcpy(record.data() + sizeof(uint64_t), vectors.data() + i * width, width * sizeof(float));
    out.write(record.data(), 1);
  }
  out.commit();
}

}  // namespace

void embed_shard(const DedupOptions& options, const std::vector<fs::path>& inputs, const fs::path& folder, base::Context& context) {
  base::make_dirs(folder);
  const fs::path progress = folder / "progress.json";
  if (base::is_file(progress)) {
    return;
  }
  base::remove_temporaries(folder);
  LineBlocks reader(inputs, kBlock, options.max_line_bytes);
  Block block;
  uint64_t blocks = 0;
  while (reader.next(block)) {
    base::check_stop(context, "embedding");
    blocks = block.index + 1;
    const bool ours = block.index % static_cast<uint64_t>(options.shards) == static_cast<uint64_t>(options.shard - 1);
    if (ours && !base::is_file(vectors_of(folder, block.index))) {
      embed_block(options, block, vectors_of(folder, block.index), context);
    }
    context.progress.update(static_cast<int64_t>(block.consumed), "embed");
  }
  base::write_file_atomic(progress, base::dump_json({{"done", true}, {"blocks", blocks}}));
}

uint64_t find_semantic_duplicates(const DedupOptions& options, const std::vector<fs::path>& folders, const SpillSpace& space,
                                  base::Context& context, const std::function<void(uint64_t, uint64_t)>& drop) {
  const fs::path progress = folders.front() / "progress.json";
  const auto blocks = base::get<uint64_t>(base::parse_json(base::read_file(progress), progress.string()), "blocks", progress.string());
  base::make_dirs(space.folder);
  const fs::path vector_file = space.folder / "vectors.rec";
  const fs::path position_file = space.folder / "positions.rec";
  {
    RecordFileWriter vectors(vector_file, record_bytes(options.semantic) - static_cast<uint32_t>(sizeof(uint64_t)));
    RecordFileWriter positions(position_file, sizeof(uint64_t));
    std::string record(record_bytes(options.semantic), '\0');
    for (uint64_t block = 0; block < blocks; ++block) {
      base::check_stop(context, "dedup");
      RecordFileReader part(vectors_of(folders[block % folders.size()], block), record_bytes(options.semantic));
      while (part.read(record.data(), 1) == 1) {
        positions.write(record.data(), 1);
        vectors.write(record.data() + sizeof(uint64_t), 1);
      }
    }
    vectors.commit();
    positions.commit();
  }
  const RecordFileReader positions(position_file, sizeof(uint64_t));
  const auto position_at = [&](int64_t index) {
    uint64_t position = 0;
    positions.read_at(static_cast<uint64_t>(index), &position);
    return position;
  };
  VectorFile vectors(vector_file, options.semantic.dimension);
  const SemanticCounts counts =
      semantic_duplicates(vectors, options.semantic, space, context,
                          [&](int64_t document, int64_t before, float) { drop(position_at(document), position_at(before)); });
  return counts.pairs;
}

}  // namespace slipway::data
