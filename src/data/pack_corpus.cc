#include "data/pack_corpus.h"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <optional>
#include <set>
#include <tuple>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/clean_corpus.h"
#include "data/dedup_output.h"
#include "data/document.h"
#include "data/file_lock.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr size_t kReadBlock = size_t{4} << 20U;  // of lines that are tokenized side by side

// Where in the input a shard begins: a line, and how many tokens of its document the shard before has.
struct Place {
  uint64_t block = 0;
  uint64_t line = 0;  // of the block
  uint64_t tokens = 0;
};

// A line that was read: where its tokens begin among those that wait, or why it has none.
struct Read {
  uint64_t block;
  uint64_t line;
  uint64_t begin;  // in the tokens that wait
  bool continued;  // its begin is in the shard before
  std::string bad;  // a line of the quarantine
  std::string reason;
};

struct Made {  // of one line
  std::vector<int32_t> ids;
  std::string_view fault;
  size_t text_bytes = 0;
};

class Packing {
 public:
  Packing(const PackOptions& options, const text::Tokenizer& tokenizer, base::Context& context)
      : options_(options), tokenizer_(tokenizer), context_(context), files_(corpus_files(options.inputs)), state_(options.out / "state"),
        length_(static_cast<uint32_t>(options.length)) {}
  PackSummary run();

 private:
  void open();
  bool finished();
  void tokenize(const Block& block, std::vector<Made>& made);
  void take(const Block& block, std::vector<Made>& made);
  uint64_t target() const { return std::max<uint64_t>(options_.shard_bytes / (uint64_t{width_} * length_), 1) * length_; }
  void write_concatenated(bool last);
  void write_documents();
  void write_shard(const TokenRows& rows, uint64_t taken, const Place& next);
  void finish();

  const PackOptions& options_;
  const text::Tokenizer& tokenizer_;
  base::Context& context_;
  std::vector<fs::path> files_;
  fs::path state_;
  uint32_t length_;
  uint32_t width_ = 4;
  Json run_;
  PackSummary summary_;
  Place next_;  // where the next shard begins
  std::vector<int32_t> waiting_;
  std::deque<Read> reads_;
};

void Packing::open() {
  Json inputs = Json::array();
  for (const fs::path& file : files_) {
    std::error_code error;
    inputs.push_back({{"path", file.string()}, {"size", file == "-" ? 0 : fs::file_size(file, error)}});
  }
  width_ = tokenizer_.vocab_size() <= 65536 ? 2 : 4;
  TokenIndex& index = summary_.index;
  index.length = length_;
  index.width = width_;
  index.vocabulary_size = tokenizer_.vocab_size();
  index.vocabulary_sha256 = vocabulary_digest(tokenizer_);
  index.mode = options_.mode == PackMode::kConcatenate ? "concatenate" : "documents";
  index.end = options_.end;
  index.pad = options_.pad;
  run_ = {{"format", "slipway-pack-1"},   {"inputs", inputs},           {"text_field", options_.text_field},
          {"length", options_.length},    {"mode", index.mode},         {"end", options_.end},
          {"pad", options_.pad},          {"shard_bytes", options_.shard_bytes}, {"max_line_bytes", options_.max_line_bytes},
          {"vocabulary", index.vocabulary_sha256}};
  base::make_dirs(state_);
  const fs::path file = state_ / "run.json";
  if (!base::is_file(file)) {
    base::write_file_atomic(file, base::dump_json_pretty(run_));
  } else if (base::parse_json(base::read_file(file), file.string()) != base::parse_json(base::dump_json(run_), "run")) {
    throw Error(Code::kConflict, fmt::format("'{}' holds the results of other inputs, options or another tokenizer; choose another --out or remove it",
                                             options_.out.string()));
  }
  base::remove_temporaries(options_.out);
  const fs::path progress = state_ / "progress.json";
  if (!base::is_file(progress)) {
    return;
  }
  const std::string where = progress.string();
  const Json json = base::parse_json(base::read_file(progress, size_t{256} << 20U), where, {size_t{256} << 20U, 16});
  next_ = {base::get<uint64_t>(json, "block", where), base::get<uint64_t>(json, "line", where), base::get<uint64_t>(json, "skip", where)};
  index.documents = base::get<uint64_t>(json, "documents", where);
  index.tokens = base::get<uint64_t>(json, "tokens", where);
  summary_.bad = base::get<std::map<std::string, uint64_t>>(json, "bad", where);
  const Json shards = base::get<Json>(json, "shards", where);
  for (const Json& one : shards) {
    index.shards.push_back({base::get<std::string>(one, "file", where), base::get<uint64_t>(one, "sequences", where), base::get<uint64_t>(one, "tokens", where),
                            base::get<uint64_t>(one, "documents", where), base::get<std::string>(one, "sha256", where)});
  }
  summary_.resumed_shards = index.shards.size();
}

// Whether an earlier run was through.
bool Packing::finished() {
  const fs::path file = options_.out / "index.json";
  if (!base::is_file(file)) {
    return false;
  }
  summary_.index = read_token_index(base::read_file(file, size_t{256} << 20U), file.string());
  summary_.resumed_shards = summary_.index.shards.size();
  return true;
}

void Packing::tokenize(const Block& block, std::vector<Made>& made) {
  made.assign(block.lines.size(), {});
  const text::EncodeOptions encode{.add_special_tokens = options_.end < 0};
  context_.pool.parallel_chunks(static_cast<int64_t>(made.size()), 8, [&](int64_t begin, int64_t end) {
    JsonlLine line(options_.text_field, "id");
    text::Encoding encoding;
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      if (block.index == next_.block && i < next_.line) {
        continue;  // of shards that are written
      }
      made[i].fault = read_document(block, block.lines[i], line);
      if (!made[i].fault.empty()) {
        continue;
      }
      tokenizer_.encode(line.text(), encode, encoding);
      made[i].text_bytes = line.text().size();
      made[i].ids = encoding.ids;
      if (options_.end >= 0 && !made[i].ids.empty()) {
        made[i].ids.push_back(options_.end);
      }
    }
  });
}

// What was made of a block's lines waits for a shard.
void Packing::take(const Block& block, std::vector<Made>& made) {
  for (size_t i = 0; i < made.size(); ++i) {
    if (block.index == next_.block && i < next_.line) {
      continue;
    }
    summary_.text_bytes += made[i].text_bytes;
    Read read{block.index, i, waiting_.size(), false, {}, {}};
    if (made[i].fault == "empty_line" || (made[i].fault.empty() && made[i].ids.empty())) {
      continue;
    }
    if (!made[i].fault.empty()) {
      read.reason = made[i].fault;
      read.bad = "{\"file\":";
      append_json_string(files_[block.lines[i].file].string(), read.bad);
      read.bad += fmt::format(",\"line\":{},\"reason\":\"{}\"}}\n", block.lines[i].line, made[i].fault);
    }
    auto from = made[i].ids.begin();
    if (block.index == next_.block && i == next_.line && next_.tokens > 0 && reads_.empty()) {
      from += static_cast<std::ptrdiff_t>(std::min<uint64_t>(next_.tokens, made[i].ids.size()));
      read.continued = true;
    }
    waiting_.insert(waiting_.end(), from, made[i].ids.end());
    reads_.push_back(std::move(read));
    made[i] = {};
    if (options_.mode == PackMode::kDocuments && waiting_.size() >= target()) {
      write_documents();
    }
  }
}

// Shards of full rows out of what waits; of all that is left when it is the last.
void Packing::write_concatenated(bool last) {
  while (waiting_.size() >= target() || (last && waiting_.size() >= length_)) {
    const uint64_t taken = std::min<uint64_t>(target(), waiting_.size() / length_ * length_);
    TokenRows rows;
    rows.tokens.assign(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(taken));
    rows.used.assign(taken / length_, length_);
    rows.first.assign(rows.used.size(), 0);
    Place next{reads_.back().block, reads_.back().line + 1, 0};
    size_t row = 0;
    for (size_t i = 0; i < reads_.size(); ++i) {
      const Read& read = reads_[i];
      const uint64_t end = i + 1 < reads_.size() ? reads_[i + 1].begin : waiting_.size();
      if (end > taken || read.begin >= taken) {  // goes on in the next shard, or is of it
        next = {read.block, read.line, read.begin >= taken ? 0 : taken - read.begin + (read.continued ? next_.tokens : 0)};
        if (read.begin >= taken) {
          break;
        }
      }
      if (end > read.begin && !read.continued) {
        for (; row < read.begin / length_ + 1; ++row) {
          rows.first[row] = static_cast<uint32_t>(rows.begins.size());
        }
        rows.begins.push_back(static_cast<uint32_t>(read.begin % length_));
      }
      if (end > taken) {
        break;
      }
    }
    for (; row < rows.first.size(); ++row) {
      rows.first[row] = static_cast<uint32_t>(rows.begins.size());
    }
    write_shard(rows, taken, next);
  }
}

// A shard of all that waits: pieces of at most a row, the longest first, each into the fullest row that has room (best fit).
void Packing::write_documents() {
  struct Piece {
    uint64_t begin;
    uint32_t size;
  };
  std::vector<Piece> pieces;
  for (size_t i = 0; i < reads_.size(); ++i) {
    const uint64_t end = i + 1 < reads_.size() ? reads_[i + 1].begin : waiting_.size();
    for (uint64_t at = reads_[i].begin; at < end; at += length_) {
      pieces.push_back({at, static_cast<uint32_t>(std::min<uint64_t>(length_, end - at))});
    }
  }
  std::vector<uint32_t> order(pieces.size());
  for (uint32_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return pieces[a].size > pieces[b].size; });
  std::vector<std::vector<uint32_t>> bins;
  std::set<std::pair<uint32_t, uint32_t>> room;  // {tokens that fit, row}
  for (const uint32_t piece : order) {
    const uint32_t size = pieces[piece].size;
    auto found = room.lower_bound({size, 0});
    uint32_t bin = 0;
    uint32_t left = length_;
    if (found == room.end()) {
      bin = static_cast<uint32_t>(bins.size());
      bins.emplace_back();
    } else {
      std::tie(left, bin) = *found;
      room.erase(found);
    }
    bins[bin].push_back(piece);
    if (left > size) {
      room.insert({left - size, bin});
    }
  }
  for (std::vector<uint32_t>& bin : bins) {
    std::sort(bin.begin(), bin.end());
  }
  std::sort(bins.begin(), bins.end(), [](const auto& a, const auto& b) { return a.front() < b.front(); });  // about the input's order
  TokenRows rows;
  rows.tokens.assign(bins.size() * length_, options_.pad);
  for (size_t row = 0; row < bins.size(); ++row) {
    rows.first.push_back(static_cast<uint32_t>(rows.begins.size()));
    uint32_t used = 0;
    for (const uint32_t piece : bins[row]) {
      rows.begins.push_back(used);
      const auto from = waiting_.begin() + static_cast<std::ptrdiff_t>(pieces[piece].begin);
      std::copy(from, from + pieces[piece].size, rows.tokens.begin() + static_cast<std::ptrdiff_t>(row * length_ + used));
      used += pieces[piece].size;
    }
    rows.used.push_back(used);
  }
  write_shard(rows, waiting_.size(), {reads_.back().block, reads_.back().line + 1, 0});
}

// Writes the rows, notes where the next shard begins, and forgets what went in.
void Packing::write_shard(const TokenRows& rows, uint64_t taken, const Place& next) {
  TokenIndex& index = summary_.index;
  TokenIndex::Shard shard;
  shard.file = fmt::format("tokens-{:05}.bin", index.shards.size());
  shard.sequences = rows.used.size();
  std::string bad;
  size_t gone = 0;
  for (; gone < reads_.size(); ++gone) {
    Read& read = reads_[gone];
    if (std::pair(read.block, read.line) >= std::pair(next.block, next.line)) {
      break;
    }
    shard.documents += static_cast<uint64_t>(read.reason.empty() && !read.continued);
    bad += read.bad;
    if (!read.reason.empty()) {
      ++summary_.bad[read.reason];
    }
  }
  if (gone < reads_.size() && next.tokens > 0 && !reads_[gone].continued) {
    ++shard.documents;  // begins here and goes on
  }
  for (const uint32_t used : rows.used) {
    shard.tokens += used;
  }
  if (shard.sequences > 0) {
    const std::string bytes = write_token_shard(rows, length_, width_);
    shard.sha256 = base::sha256_hex(bytes);
    base::write_file_atomic(options_.out / shard.file, bytes);
    index.documents += shard.documents;
    index.tokens += shard.tokens;
    index.shards.push_back(shard);
  }
  if (!bad.empty()) {
    base::make_dirs(options_.out / "quarantine");
    base::write_file_atomic(options_.out / "quarantine" / fmt::format("{:05}.jsonl", index.shards.size()), bad);
  }
  reads_.erase(reads_.begin(), reads_.begin() + static_cast<std::ptrdiff_t>(gone));
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(taken));
  for (Read& read : reads_) {
    read.continued = read.continued || read.begin < taken;
    read.begin = read.begin < taken ? 0 : read.begin - taken;
  }
  next_ = next;
  const Json json = index.to_json();
  base::write_file_atomic(state_ / "progress.json",
                          base::dump_json({{"block", next.block}, {"line", next.line}, {"skip", next.tokens}, {"documents", index.documents},
                                           {"tokens", index.tokens}, {"bad", summary_.bad}, {"shards", json.at("shards")}}));
}

void Packing::finish() {
  if (options_.mode == PackMode::kConcatenate) {
    write_concatenated(true);
    summary_.index.tail_tokens = waiting_.size();
  } else if (!waiting_.empty()) {
    write_documents();
  }
  std::string bad;  // behind the last document
  for (const Read& read : reads_) {
    bad += read.bad;
    if (!read.reason.empty()) {
      ++summary_.bad[read.reason];
    }
  }
  if (!bad.empty()) {
    base::make_dirs(options_.out / "quarantine");
    base::write_file_atomic(options_.out / "quarantine" / "rest.jsonl", bad);
  }
  base::write_file_atomic(options_.out / "index.json", base::dump_json_pretty(summary_.index.to_json()));
}

PackSummary Packing::run() {
  base::make_dirs(state_);
  const FileLock lock(state_ / "lock");
  open();
  int64_t bytes = 0;
  for (const fs::path& file : files_) {
    std::error_code error;
    const auto size = file == "-" ? 0 : fs::file_size(file, error);
    bytes += error ? 0 : static_cast<int64_t>(size);
  }
  context_.progress.start("pack", bytes, "bytes");
  if (!finished()) {
    LineBlocks reader(files_, kReadBlock, options_.max_line_bytes);
    Block block;
    std::vector<Made> made;
    while (reader.next(block)) {
      base::check_stop(context_, "pack");
      if (block.index >= next_.block) {
        tokenize(block, made);
        take(block, made);
        if (options_.mode == PackMode::kConcatenate) {
          write_concatenated(false);
        }
      }
      context_.progress.update(static_cast<int64_t>(block.consumed), fmt::format("{} tokens", summary_.index.tokens + waiting_.size()));
    }
    finish();
  }
  for (const auto& [reason, count] : summary_.bad) {
    summary_.bad_lines += count;
  }
  summary_.digest = summary_.index.to_json()["digest"].get<std::string>();
  context_.progress.finish(fmt::format("{} sequences of {} tokens", summary_.index.sequences(), length_));
  return std::move(summary_);
}

}  // namespace

std::string vocabulary_digest(const text::Tokenizer& tokenizer) {
  base::Sha256 hash;
  for (int id = 0; id < tokenizer.vocab_size(); ++id) {
    hash.update(tokenizer.id_to_token(id));
    hash.update(std::string_view("\0", 1));
  }
  return hash.hex();
}

PackSummary pack_corpus(const PackOptions& options, const text::Tokenizer& tokenizer, base::Context& context) {
  if (options.length < 1 || static_cast<uint32_t>(options.length) > kMaxSequenceLength) {
    throw Error(Code::kInvalid, fmt::format("--length {}: between 1 and {}", options.length, kMaxSequenceLength));
  }
  for (const int id : {std::max(options.end, 0), options.pad}) {
    if (id < 0 || id >= tokenizer.vocab_size()) {
      throw Error(Code::kInvalid, fmt::format("token {} is not in the vocabulary of {}", id, tokenizer.vocab_size()));
    }
  }
  if (options.shard_bytes > uint64_t{1} << 32U) {
    throw Error(Code::kInvalid, fmt::format("--shard-size {}: at most 4 GiB, since shards are made in memory", options.shard_bytes));
  }
  return Packing(options, tokenizer, context).run();
}

}  // namespace slipway::data
