#include "data/clean_corpus.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <ostream>

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/input.h"
#include "data/corpus_file.h"
#include "data/document.h"
#include "data/file_lock.h"
#include "data/jsonl_line.h"
#include "data/line_blocks.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr int kFormat = 1;

std::string part_name(uint64_t index) { return fmt::format("part-{:05}", index); }

// What one block became.
struct Part {
  std::string kept;
  std::string excluded;
  std::string quarantine;
  CorpusSummary summary;
};

void append_signals(const Signals& signals, const std::vector<NamedSignal>& others, std::string& out) {
  out += ",\"signals\":{";
  bool first = true;
  for (size_t i = 0; i < kSignals; ++i) {
    const auto signal = static_cast<Signal>(i);
    if (!signals.has(signal)) {
      continue;
    }
    out += first ? "\"" : ",\"";
    out += signal_name(signal);
    out += "\":";
    append_signal_number(signals[signal], out);
    first = false;
  }
  append_named_signals(others, first, out);
  out += '}';
}

// One per thread.
class BlockCleaner {
 public:
  BlockCleaner(const CorpusOptions& options, const std::vector<fs::path>& files)
      : options_(options), files_(files), scanner_(options.quality), line_(options.text_field, options.id_field) {}

  void clean(const Block& block, Part& part) {
    for (const BlockLine& place : block.lines) {
      const std::string_view bytes =
          place.too_long ? std::string_view() : std::string_view(block.bytes).substr(place.begin, place.size);
      const std::string_view unread = fault_of(place);
      const std::string_view fault = unread.empty() ? line_.read(bytes) : unread;
      if (fault == "empty_line") {
        continue;
      }
      if (!fault.empty()) {
        quarantine(place, bytes, fault, part);
        continue;
      }
      judge(bytes, part);
    }
  }

 private:
  void judge(std::string_view bytes, Part& part) {
    CorpusSummary& summary = part.summary;
    std::string& text = line_.text();
    const size_t size = text.size();
    ++summary.documents;
    summary.text_bytes += size;
    members_.clear();
    before_.assign(text);
    others_.clear();
    const bool all = options_.write_signals;
    FilterVerdict filtered = run_filters(options_.filters, true, all, bytes, text, others_);
    Verdict verdict;
    if (filtered.keep() || all) {
      verdict = scanner_.judge(text, signals_);
      if (filtered.keep() && !verdict.keep()) {
        filtered = {verdict.reason, verdict.signal ? signal_name(*verdict.signal) : std::string_view(), verdict.value};
      }
    }
    if (filtered.keep() || all) {
      const FilterVerdict later = run_filters(options_.filters, false, all, bytes, text, others_);
      filtered = filtered.keep() ? later : filtered;
    }
    if (all) {
      append_signals(signals_, others_, members_);
    }
    if (filtered.keep()) {
      ++summary.kept;
      const bool changed = text != before_;
      summary.rewritten += static_cast<uint64_t>(changed);
      summary.kept_bytes += text.size();
      line_.write(changed, members_, part.kept);
      return;
    }
    ++summary.dropped[std::string(filtered.reason)];
    if (options_.exclusions.empty()) {
      return;
    }
    members_ += ",\"filter_reason\":";
    append_json_string(filtered.reason, members_);
    if (!filtered.signal.empty()) {
      members_ += ",\"filter_signal\":";
      append_json_string(filtered.signal, members_);
      if (!std::isnan(filtered.value)) {
        members_ += ",\"filter_value\":";
        append_signal_number(filtered.value, members_);
      }
    }
    line_.write(false, members_, part.excluded);
  }

  void quarantine(const BlockLine& place, std::string_view bytes, std::string_view reason, Part& part) {
    ++part.summary.bad_lines;
    ++part.summary.bad[std::string(reason)];
    std::string& out = part.quarantine;
    out += "{\"file\":";
    append_json_string(files_[place.file].string(), out);
    fmt::format_to(std::back_inserter(out), ",\"line\":{},\"offset\":{},\"size\":{},\"reason\":\"{}\"", place.line,
                   place.offset, place.size, reason);
    if (!place.too_long && text::is_valid_utf8(bytes)) {
      out += ",\"raw\":";
      append_json_string(bytes, out);
    } else if (!place.too_long) {
      out += ",\"raw_base64\":\"";
      out += base::base64_encode(bytes);
      out += '"';
    }
    out += "}\n";
  }

  const CorpusOptions& options_;
  const std::vector<fs::path>& files_;
  QualityScanner scanner_;
  JsonlLine line_;
  Signals signals_;
  std::string members_;
  std::string before_;
  std::vector<NamedSignal> others_;
};

Json counts(const std::map<std::string, uint64_t>& by_reason) {
  Json json = Json::object();
  for (const auto& [reason, count] : by_reason) {
    json[reason] = count;
  }
  return json;
}

std::map<std::string, uint64_t> read_counts(const Json& json, const char* key, const std::string& where) {
  std::map<std::string, uint64_t> result;
  const auto found = json.find(key);
  if (found == json.end() || !found->is_object()) {
    throw Error(Code::kIntegrity,
                fmt::format("{}: '{}' is missing; remove the file to clean that shard again", where, key));
  }
  for (const auto& [reason, count] : found->items()) {
    result[reason] = count.is_number_unsigned() ? count.get<uint64_t>() : 0;
  }
  return result;
}

CorpusSummary summary_from(const Json& json, const std::string& where) {
  CorpusSummary summary;
  summary.documents = base::get_or<uint64_t>(json, "documents", 0, where);
  summary.kept = base::get_or<uint64_t>(json, "kept", 0, where);
  summary.rewritten = base::get_or<uint64_t>(json, "rewritten", 0, where);
  summary.bad_lines = base::get_or<uint64_t>(json, "bad_lines", 0, where);
  summary.text_bytes = base::get_or<uint64_t>(json, "text_bytes", 0, where);
  summary.kept_bytes = base::get_or<uint64_t>(json, "kept_bytes", 0, where);
  summary.shards = base::get_or<uint64_t>(json, "shards", 0, where);
  summary.dropped = read_counts(json, "dropped", where);
  summary.bad = read_counts(json, "bad", where);
  return summary;
}

// The state of a run in out/state: what it is a run of, and a summary for each finished shard.
class State {
 public:
  State(const CorpusOptions& options, const std::vector<fs::path>& files) : folder_(options.out / "state") {
    Json inputs = Json::array();
    for (const fs::path& file : files) {
      std::error_code error;
      const uint64_t size = file == "-" ? 0 : fs::file_size(file, error);
      inputs.push_back({{"path", file.string()}, {"size", size}});
    }
    run_ = {{"format", kFormat},
            {"inputs", inputs},
            {"text_field", options.text_field},
            {"id_field", options.id_field},
            {"signals", options.write_signals},
            {"compress", options.compress},
            {"shard_bytes", options.shard_bytes},
            {"max_line_bytes", options.max_line_bytes},
            {"exclusions", options.exclusions.string()},
            {"quality", to_json(options.quality)},
            {"word_lists", base::sha256_hex(fmt::format("{}\n\n{}", fmt::join(options.quality.bad_words, "\n"),
                                                        fmt::join(options.quality.stop_words, "\n")))}};
    for (const auto& filter : options.filters) {
      run_["filters"].push_back(filter->description());
    }
    const fs::path file = folder_ / "run.json";
    base::make_dirs(folder_);
    const FileLock lock(folder_ / "lock");
    if (base::is_file(file)) {
      if (base::parse_json(base::read_file(file), file.string()) != run_) {
        throw Error(Code::kConflict,
                    fmt::format("'{}' holds the results of other inputs or options; choose another --out or remove it",
                                options.out.string()));
      }
    } else {
      base::write_file_atomic(file, base::dump_json_pretty(run_) + "\n");
    }
  }

  // The summary of shard `index` when an earlier run finished it.
  bool finished(uint64_t index, CorpusSummary& summary) const {
    const fs::path file = path(index);
    if (!base::is_file(file)) {
      return false;
    }
    summary = summary_from(base::parse_json(base::read_file(file), file.string()), file.string());
    return true;
  }
  void finish(uint64_t index, const CorpusSummary& summary) const {
    base::write_file_atomic(path(index), base::dump_json(summary.to_json()) + "\n");
  }

  // Notes that one of `shards` processes is through with all of its blocks, of `blocks`; true when all are. Under lock().
  bool all_through(int shard, int shards, uint64_t blocks) const {
    const fs::path folder = folder_ / "through";
    const auto name = [&](int i) { return folder / fmt::format("{}-of-{}.json", i, shards); };
    base::make_dirs(folder);
    base::write_file_atomic(name(shard), base::dump_json({{"blocks", blocks}}) + "\n");
    bool all = true;
    for (int i = 1; i <= shards; ++i) {
      all = all && base::is_file(name(i));
    }
    for (uint64_t index = 0; all && index < blocks; ++index) {  // those of another number of shards may be missing
      all = base::is_file(path(index));
    }
    return all;
  }
  CorpusSummary sum(uint64_t blocks) const {
    CorpusSummary all;
    for (uint64_t index = 0; index < blocks; ++index) {
      CorpusSummary part;
      finished(index, part);
      all.add(part);
    }
    return all;
  }
  FileLock lock() const { return FileLock(folder_ / "lock"); }

 private:
  fs::path path(uint64_t index) const { return folder_ / (part_name(index) + ".json"); }
  fs::path folder_;
  Json run_;
};

// `state`: null where what is kept goes to a stream, which the caller writes to in order.
void write_part(const CorpusOptions& options, uint64_t index, Part& part, const State* state) {
  const std::string name = part_name(index) + (options.compress ? ".jsonl.zst" : ".jsonl");
  const auto write = [&](const fs::path& folder, const std::string& lines) {
    base::write_file_atomic(folder / name, options.compress ? base::zstd_compress(lines) : lines);
  };
  part.summary.shards = 1;
  if (!options.exclusions.empty()) {
    write(options.exclusions, part.excluded);
  }
  if (state == nullptr) {
    return;
  }
  write(options.out, part.kept);
  if (!part.quarantine.empty()) {
    base::make_dirs(options.out / "quarantine");
    write(options.out / "quarantine", part.quarantine);
  }
  state->finish(index, part.summary);  // last: it says that the shard is whole
}

int64_t total_size(const std::vector<fs::path>& files) {
  int64_t total = 0;
  for (const fs::path& file : files) {
    std::error_code error;
    const auto size = file == "-" ? 0 : fs::file_size(file, error);
    total += error ? 0 : static_cast<int64_t>(size);
  }
  return total;
}

void check(const CorpusOptions& options, const std::vector<fs::path>& files) {
  if (options.shard < 1 || options.shard > options.shards || options.shards > 10000) {
    throw Error(Code::kInvalid, fmt::format("shard {} of {}: write i/n with 1 <= i <= n", options.shard, options.shards));
  }
  if (options.shards > 1 && (options.stream != nullptr || std::find(files.begin(), files.end(), "-") != files.end())) {
    throw Error(Code::kInvalid, "a stream cannot be shared among shards: give files or folders, and a folder for what is kept");
  }
  if (options.stream == nullptr && options.exclusions.lexically_normal() == options.out.lexically_normal()) {
    throw Error(Code::kInvalid,
                fmt::format("what is dropped cannot go where what is kept goes, '{}'", options.out.string()));
  }
}

// Of runs that were killed; only when no other process writes.
void remove_temporaries(const CorpusOptions& options) {
  if (options.stream == nullptr) {
    base::remove_temporaries(options.out);
  }
  if (!options.exclusions.empty()) {
    base::remove_temporaries(options.exclusions);
  }
}

std::string note_of(const CorpusSummary& summary) {
  return fmt::format("{} documents, {} kept", summary.documents, summary.kept);
}

}  // namespace

void CorpusSummary::add(const CorpusSummary& other) {
  documents += other.documents;
  kept += other.kept;
  rewritten += other.rewritten;
  bad_lines += other.bad_lines;
  text_bytes += other.text_bytes;
  kept_bytes += other.kept_bytes;
  shards += other.shards;
  resumed_shards += other.resumed_shards;
  for (const auto& [reason, count] : other.dropped) {
    dropped[reason] += count;
  }
  for (const auto& [reason, count] : other.bad) {
    bad[reason] += count;
  }
}

Json CorpusSummary::to_json() const {
  return {{"documents", documents},   {"kept", kept},
          {"rewritten", rewritten},   {"bad_lines", bad_lines},
          {"text_bytes", text_bytes}, {"kept_bytes", kept_bytes},
          {"shards", shards},         {"dropped", counts(dropped)},
          {"bad", counts(bad)}};
}

std::vector<fs::path> corpus_files(const std::vector<fs::path>& inputs) {
  std::vector<fs::path> files;
  for (const fs::path& input : inputs) {
    if (input == "-" || base::is_file(input)) {
      files.push_back(input);
      continue;
    }
    if (!fs::is_directory(input)) {
      const bool other = fs::exists(input);  // a pipe or a device is read like a file
      if (other) {
        files.push_back(input);
        continue;
      }
      throw Error(Code::kNotFound, fmt::format("there is no '{}'", input.string()));
    }
    std::vector<fs::path> found;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(input)) {
      if (entry.is_regular_file() && is_corpus_file(entry.path())) {
        found.push_back(entry.path());
      }
    }
    if (found.empty()) {
      throw Error(Code::kNotFound,
                  fmt::format("'{}' holds no .jsonl, .ndjson or .json file (or .gz, .zst of one), no table and no web page", input.string()));
    }
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

CorpusSummary clean_corpus(const CorpusOptions& options, base::Context& context) {
  const std::vector<fs::path> files = corpus_files(options.inputs);
  const bool streaming = options.stream != nullptr;
  check(options, files);
  if (!options.exclusions.empty()) {
    base::make_dirs(options.exclusions);
  }
  std::optional<State> state;
  if (!streaming) {
    base::make_dirs(options.out);
    state.emplace(options, files);
  }
  if (options.shards == 1) {
    remove_temporaries(options);
  }
  // A block in work: its bytes, what comes out of them (kept or excluded, rarely more), and that compressed.
  constexpr uint64_t kCopies = 3;
  const uint64_t of_block = kCopies * (options.shard_bytes + options.max_line_bytes);
  const uint64_t fit = options.memory_bytes / of_block;
  if (fit == 0) {
    throw Error(Code::kInvalid,
                fmt::format("--memory {} is too small: shards of {} and lines of {} bytes need {}",
                            options.memory_bytes, options.shard_bytes, options.max_line_bytes, of_block));
  }
  const auto threads = static_cast<uint64_t>(context.pool.size());
  std::vector<Block> blocks(std::min<uint64_t>(fit, threads * 2));
  std::vector<std::unique_ptr<BlockCleaner>> cleaners(blocks.size());
  LineBlocks reader(files, options.shard_bytes, options.max_line_bytes, &context.pool, options.names);
  CorpusSummary summary;
  uint64_t block_count = 0;
  context.progress.start("clean", total_size(files), "bytes");
  for (bool more = true; more;) {
    size_t filled = 0;
    uint64_t consumed = 0;
    while (filled < blocks.size() && more) {
      base::check_stop(context, "clean");
      more = reader.next(blocks[filled]);
      if (!more) {
        break;
      }
      consumed = blocks[filled].consumed;
      block_count = blocks[filled].index + 1;
      if (blocks[filled].index % static_cast<uint64_t>(options.shards) != static_cast<uint64_t>(options.shard - 1)) {
        continue;  // another process cleans it
      }
      CorpusSummary earlier;
      if (state && state->finished(blocks[filled].index, earlier)) {
        earlier.resumed_shards = 1;
        summary.add(earlier);
        continue;  // the block's memory is used again
      }
      ++filled;
    }
    std::vector<CorpusSummary> done(filled);
    std::vector<std::string> kept(streaming ? filled : 0);
    context.pool.parallel_for(static_cast<int64_t>(filled), [&](int64_t i) {
      const auto at = static_cast<size_t>(i);
      if (cleaners[at] == nullptr) {
        cleaners[at] = std::make_unique<BlockCleaner>(options, files);
      }
      Part part;
      cleaners[at]->clean(blocks[at], part);
      write_part(options, blocks[at].index, part, state ? &*state : nullptr);
      done[at] = std::move(part.summary);
      if (streaming) {
        kept[at] = std::move(part.kept);
      }
    });
    for (const std::string& lines : kept) {
      options.stream->write(lines.data(), static_cast<std::streamsize>(lines.size()));
    }
    if (streaming && !options.stream->flush()) {
      throw Error(Code::kFailure, "cannot write what is kept: the other end of the pipe is gone, or the disk is full");
    }
    for (const CorpusSummary& part : done) {
      summary.add(part);
    }
    context.progress.update(static_cast<int64_t>(consumed), note_of(summary));
  }
  if (options.shards > 1) {
    const FileLock lock = state->lock();
    if (!state->all_through(options.shard, options.shards, block_count)) {
      summary.waiting = true;
      context.progress.finish(fmt::format("shard {} of {} is done; others are not", options.shard, options.shards));
      return summary;
    }
    const uint64_t resumed = summary.resumed_shards;
    summary = state->sum(block_count);
    summary.resumed_shards = resumed;
    remove_temporaries(options);
  }
  if (!streaming) {
    base::write_file_atomic(options.out / "summary.json", base::dump_json_pretty(summary.to_json()) + "\n");
  }
  context.progress.finish(note_of(summary));
  return summary;
}

}  // namespace slipway::data
