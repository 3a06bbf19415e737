#include "data/dedup_output.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "data/bloom.h"
#include "data/document.h"
#include "data/file_lock.h"
#include "data/web_minhash.h"
#include "text/words.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

// What becomes of one line.
struct Fate {
  std::string kept;
  std::string dropped;
  std::string cluster;
  std::string bad;
  std::string_view reason;      // of dropping; empty: kept
  std::string_view bad_reason;  // no document
  uint64_t text_bytes = 0;
  uint64_t kept_bytes = 0;
  bool rewritten = false;
};

// A run of an evaluation set: which set.
struct Gram {
  uint64_t hash;
  uint32_t set;
  auto operator<=>(const Gram&) const = default;
};

void add(DedupSummary& all, const DedupSummary& part) {
  all.corpus.add(part.corpus);
  all.duplicates += part.duplicates;
  all.removed_bytes += part.removed_bytes;
}

class Output {
 public:
  Output(const DedupOptions& options, const std::vector<fs::path>& inputs, const DedupFiles& files,
         base::Context& context)
      : options_(options), inputs_(inputs), files_(files), context_(context) {}
  DedupSummary write();

 private:
  bool clusters() const {
    return options_.method == DedupMethod::kExact || options_.method == DedupMethod::kMinhash || options_.method == DedupMethod::kSemantic;
  }
  bool spans() const { return options_.method == DedupMethod::kSentence || options_.method == DedupMethod::kSubstring; }
  fs::path part_state(uint64_t index) const { return files_.state / "parts" / fmt::format("{:05}.json", index); }
  std::string part_name(uint64_t index) const {
    return fmt::format("{:05}.jsonl{}", index, options_.compress ? ".zst" : "");
  }
  void open();
  void read_against();
  void decide(const Block& block);
  void bloom(const Block& block);
  Fate fate_of(const Block& block, size_t i, JsonlLine& line, WebShingler& shingler) const;
  void finish_part(const Block& block, std::vector<Fate>& fates, DedupSummary& part);
  std::string place(uint64_t position) const;
  DedupSummary read_part(uint64_t index) const;
  bool mine(uint64_t index) const {
    const auto shards = static_cast<uint64_t>(options_.stage == DedupStage::kFilter ? options_.shards : 1);
    return shards == 1 || index % shards == static_cast<uint64_t>(options_.shard - 1);
  }
  DedupSummary sum_of_all(uint64_t parts) const;
  void join_clusters(uint64_t parts);

  const DedupOptions& options_;
  const std::vector<fs::path>& inputs_;
  const DedupFiles& files_;
  base::Context& context_;
  std::unique_ptr<RecordCursor<Member>> members_;
  std::unique_ptr<RecordCursor<Removal>> removals_;
  std::unique_ptr<RecordFileReader> sizes_;
  std::unique_ptr<BloomFilter> filter_;
  std::vector<Gram> grams_;
  std::vector<const Member*> member_of_;  // of each line of the block
  std::vector<Member> block_members_;
  std::vector<std::vector<Removal>> removals_of_;
  std::vector<bool> seen_;  // kBloom: documents to drop
};

std::string Output::place(uint64_t position) const {
  return fmt::format("{}:{}", inputs_[position >> kLineBits].string(),
                     (position & ((uint64_t{1} << kLineBits) - 1)) + 1);
}

void Output::read_against() {
  if (options_.against.empty()) {
    throw Error(Code::kInvalid, "--against is missing: the files of the evaluation sets");
  }
  WebShingler shingler;
  std::vector<uint64_t> hashes;
  for (uint32_t set = 0; set < options_.against.size(); ++set) {
    LineBlocks reader({options_.against[set]}, size_t{1} << 20U, options_.max_line_bytes, &context_.pool);
    JsonlLine line(options_.text_field, options_.id_field);
    for (Block block; reader.next(block);) {
      for (const BlockLine& at : block.lines) {
        const std::string_view bad = read_document(block, at, line);
        if (!bad.empty()) {
          throw Error(Code::kInvalid, fmt::format("'{}' line {}: {}: an evaluation set has a document with '{}' a line",
                                                  options_.against[set].string(), at.line, bad, options_.text_field));
        }
        shingler.shingles(line.text(), static_cast<size_t>(options_.ngram), hashes);
        for (const uint64_t hash : hashes) {
          grams_.push_back({hash, set});
        }
      }
    }
  }
  std::sort(grams_.begin(), grams_.end());
  grams_.erase(std::unique(grams_.begin(), grams_.end(),
                           [](const Gram& a, const Gram& b) { return a.hash == b.hash; }),
               grams_.end());
  grams_.shrink_to_fit();
}

void Output::open() {
  base::make_dirs(files_.state / "parts");
  base::make_dirs(files_.state / "clusters");
  if (!options_.exclusions.empty()) {
    base::make_dirs(options_.exclusions);
  }
  if (clusters()) {
    members_ = std::make_unique<RecordCursor<Member>>(files_.members());
    sizes_ = std::make_unique<RecordFileReader>(files_.sizes(), sizeof(uint64_t));
  } else if (spans()) {
    removals_ = std::make_unique<RecordCursor<Removal>>(files_.removals());
  } else if (options_.method == DedupMethod::kDecontaminate) {
    read_against();
  } else {
    const bool there = !options_.bloom_file.empty() && base::is_file(options_.bloom_file);
    filter_ = std::make_unique<BloomFilter>(there ? BloomFilter::load(options_.bloom_file, options_.memory_bytes)
                                                  : BloomFilter(options_.bloom_expected, options_.bloom_rate));
    if (filter_->bytes() > options_.memory_bytes) {
      throw Error(Code::kInvalid, fmt::format("the Bloom filter needs {} bytes, more than --memory {}; expect fewer "
                                              "n-grams or allow a higher rate",
                                              filter_->bytes(), options_.memory_bytes));
    }
  }
}

// Takes from the rows of decisions what belongs to the lines of the block.
void Output::decide(const Block& block) {
  member_of_.assign(block.lines.size(), nullptr);
  block_members_.clear();
  block_members_.reserve(block.lines.size());
  removals_of_.assign(spans() ? block.lines.size() : 0, {});
  for (size_t i = 0; i < block.lines.size(); ++i) {
    const uint64_t position = position_of(block.lines[i]);
    if (members_ != nullptr && members_->peek() != nullptr && members_->peek()->position == position) {
      block_members_.push_back(*members_->peek());
      member_of_[i] = &block_members_.back();
      members_->advance();
    }
    while (removals_ != nullptr && removals_->peek() != nullptr && removals_->peek()->position == position) {
      removals_of_[i].push_back(*removals_->peek());
      removals_->advance();
    }
  }
}

void Output::bloom(const Block& block) {
  std::vector<std::vector<uint64_t>> hashes(block.lines.size());
  context_.pool.parallel_chunks(static_cast<int64_t>(hashes.size()), 16, [&](int64_t begin, int64_t end) {
    JsonlLine line(options_.text_field, options_.id_field);
    WebShingler shingler;
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      if (read_document(block, block.lines[i], line).empty()) {
        shingler.shingles(line.text(), static_cast<size_t>(options_.ngram), hashes[i]);
      }
    }
  });
  seen_.assign(block.lines.size(), false);
  for (size_t i = 0; i < hashes.size(); ++i) {
    // A document is asked before any of it goes in, so that what repeats inside of it does not count.
    uint64_t there = 0;
    for (const uint64_t hash : hashes[i]) {
      there += static_cast<uint64_t>(filter_->has(hash));
    }
    seen_[i] = !hashes[i].empty() &&
               static_cast<double>(there) >= options_.bloom_threshold * static_cast<double>(hashes[i].size());
    for (const uint64_t hash : hashes[i]) {
      filter_->add(hash);
    }
  }
}

Fate Output::fate_of(const Block& block, size_t i, JsonlLine& line, WebShingler& shingler) const {
  Fate fate;
  const BlockLine& at = block.lines[i];
  const std::string& file = inputs_[at.file].string();
  fate.bad_reason = read_document(block, at, line);
  if (!fate.bad_reason.empty()) {
    fate.bad = "{\"file\":";
    append_json_string(file, fate.bad);
    fate.bad += fmt::format(",\"line\":{},\"reason\":\"{}\"}}\n", at.line, fate.bad_reason);
    return fate;
  }
  fate.text_bytes = line.text().size();
  std::string members;
  if (const Member* member = clusters() ? member_of_[i] : nullptr; member != nullptr) {
    const bool stays = member->kept == member->position;
    fate.cluster = fmt::format("{{\"cluster\":{},\"size\":{},\"kept\":{},\"file\":", member->cluster, [&] {
      uint64_t size = 0;
      sizes_->read_at(member->cluster - 1, &size);
      return size;
    }(), stays);
    append_json_string(file, fate.cluster);
    fate.cluster += fmt::format(",\"line\":{},\"id\":{}}}\n", at.line, line.id().empty() ? "null" : line.id());
    if (!stays) {
      fate.reason = options_.method == DedupMethod::kExact      ? "exact_duplicate"
                    : options_.method == DedupMethod::kMinhash ? "near_duplicate"
                                                               : "semantic_duplicate";
      members = fmt::format(",\"cluster\":{},\"duplicate_of\":", member->cluster);
      append_json_string(place(member->kept), members);
    }
  } else if (spans() && !removals_of_[i].empty()) {
    fate.reason = cut_spans(options_, removals_of_[i], line.text());
    fate.rewritten = fate.reason.empty();
  } else if (options_.method == DedupMethod::kBloom && seen_[i]) {
    fate.reason = "seen";
  } else if (options_.method == DedupMethod::kDecontaminate) {
    std::vector<uint64_t> hashes;
    shingler.shingles(line.text(), static_cast<size_t>(options_.ngram), hashes);
    for (size_t j = 0; j < hashes.size(); ++j) {
      const auto found = std::lower_bound(grams_.begin(), grams_.end(), Gram{hashes[j], 0});
      if (found != grams_.end() && found->hash == hashes[j]) {
        fate.reason = "contaminated";
        members = ",\"contaminated_ngram\":";
        append_json_string(shingler.run(j), members);
        members += ",\"contaminated_by\":";
        append_json_string(options_.against[found->set].string(), members);
        break;
      }
    }
  }
  if (fate.reason.empty()) {
    fate.kept_bytes = line.text().size();
    line.write(fate.rewritten, "", fate.kept);
  } else if (!options_.exclusions.empty()) {
    line.write(false, fmt::format(",\"filter_reason\":\"{}\"{}", fate.reason, members), fate.dropped);
  }
  return fate;
}

void Output::finish_part(const Block& block, std::vector<Fate>& fates, DedupSummary& part) {
  std::string kept;
  std::string dropped;
  std::string cluster;
  std::string bad;
  for (size_t i = 0; i < fates.size(); ++i) {
    Fate& fate = fates[i];
    kept += fate.kept;
    dropped += fate.dropped;
    cluster += fate.cluster;
    bad += fate.bad;
    if (!fate.bad_reason.empty()) {
      ++part.corpus.bad_lines;
      ++part.corpus.bad[std::string(fate.bad_reason)];
      continue;
    }
    ++part.corpus.documents;
    part.corpus.text_bytes += fate.text_bytes;
    part.corpus.kept_bytes += fate.kept_bytes;
    part.corpus.rewritten += static_cast<uint64_t>(fate.rewritten);
    part.removed_bytes += fate.rewritten ? fate.text_bytes - fate.kept_bytes : 0;
    if (fate.reason.empty()) {
      ++part.corpus.kept;
    } else {
      ++part.corpus.dropped[std::string(fate.reason)];
      part.duplicates += static_cast<uint64_t>(clusters());
    }
    fate = {};
  }
  part.corpus.shards = 1;
  const auto pack = [&](const std::string& lines) { return options_.compress ? base::zstd_compress(lines) : lines; };
  base::write_file_atomic(options_.out / part_name(block.index), pack(kept));
  if (!options_.exclusions.empty()) {
    base::write_file_atomic(options_.exclusions / part_name(block.index), pack(dropped));
  }
  if (!bad.empty()) {
    base::make_dirs(options_.out / "quarantine");
    base::write_file_atomic(options_.out / "quarantine" / fmt::format("{:05}.jsonl", block.index), bad);
  }
  if (clusters()) {
    base::write_file_atomic(files_.state / "clusters" / fmt::format("{:05}.jsonl", block.index), cluster);
  }
  base::write_file_atomic(part_state(block.index), base::dump_json(part.to_json()));
}

DedupSummary Output::read_part(uint64_t index) const {
  const std::string name = part_state(index).string();
  const Json json = base::parse_json(base::read_file(name), name);
  DedupSummary part;
  const auto number = [&](const char* key) { return base::get<uint64_t>(json, key, name); };
  part.corpus.documents = number("documents");
  part.corpus.kept = number("kept");
  part.corpus.rewritten = number("rewritten");
  part.corpus.bad_lines = number("bad_lines");
  part.corpus.text_bytes = number("text_bytes");
  part.corpus.kept_bytes = number("kept_bytes");
  part.corpus.shards = 1;
  part.corpus.resumed_shards = 1;
  part.corpus.dropped = base::get<std::map<std::string, uint64_t>>(json, "dropped", name);
  part.corpus.bad = base::get<std::map<std::string, uint64_t>>(json, "bad", name);
  part.duplicates = number("duplicates");
  part.removed_bytes = number("removed_bytes");
  return part;
}

void Output::join_clusters(uint64_t parts) {
  if (options_.clusters.empty()) {
    return;
  }
  base::AtomicFile file(options_.clusters);
  for (uint64_t i = 0; clusters() && i < parts; ++i) {
    const fs::path piece = files_.state / "clusters" / fmt::format("{:05}.jsonl", i);
    file.write(base::read_file(piece));
  }
  file.commit();
}

// Of the parts of all processes; waiting when one is missing.
DedupSummary Output::sum_of_all(uint64_t parts) const {
  DedupSummary all;
  for (uint64_t index = 0; index < parts; ++index) {
    if (!base::is_file(part_state(index))) {
      all.waiting = true;
      return all;
    }
    add(all, read_part(index));
  }
  return all;
}

DedupSummary Output::write() {
  open();
  LineBlocks reader(inputs_, options_.shard_bytes, options_.max_line_bytes, &context_.pool, options_.names);
  Block block;
  DedupSummary all;
  uint64_t parts = 0;
  while (reader.next(block)) {
    base::check_stop(context_, "dedup");
    decide(block);
    parts = block.index + 1;
    if (!mine(block.index)) {
      continue;
    }
    if (filter_ != nullptr) {  // for finished parts, too: what they hold is in the filter
      bloom(block);
    }
    DedupSummary part;
    if (base::is_file(part_state(block.index))) {
      part = read_part(block.index);
    } else {
      std::vector<Fate> fates(block.lines.size());
      context_.pool.parallel_chunks(static_cast<int64_t>(fates.size()), 32, [&](int64_t begin, int64_t end) {
        JsonlLine line(options_.text_field, options_.id_field);
        WebShingler shingler;
        for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
          fates[i] = fate_of(block, i, line, shingler);
        }
      });
      finish_part(block, fates, part);
    }
    add(all, part);
    context_.progress.update(static_cast<int64_t>(block.consumed), "write");
  }
  if (members_ != nullptr && members_->peek() != nullptr) {
    throw Error(Code::kIntegrity, "the inputs changed while they were deduplicated; choose another --out and start again");
  }
  if (filter_ != nullptr && !options_.bloom_file.empty()) {
    filter_->save(options_.bloom_file);
  }
  std::optional<FileLock> lock;
  if (options_.stage == DedupStage::kFilter) {
    lock.emplace(files_.state / "lock");
    const uint64_t resumed = all.corpus.resumed_shards;
    all = sum_of_all(parts);
    all.corpus.resumed_shards = resumed;
    if (all.waiting) {
      return all;
    }
  }
  all.clusters = sizes_ == nullptr ? 0 : sizes_->count();
  join_clusters(parts);
  base::write_file_atomic(options_.out / "summary.json", base::dump_json_pretty(all.to_json()));
  return all;
}

}  // namespace

std::string_view cut_spans(const DedupOptions& options, std::span<const Removal> removals, std::string& text) {
  std::string left;
  size_t from = 0;
  const bool by_sentence = options.method == DedupMethod::kSentence;
  uint64_t sentences = 0;
  if (by_sentence) {
    // A sentence goes with the white space before it, so that what is left reads as before.
    std::vector<text::Span> spans;
    text::split_sentences(text, spans);
    size_t next = 0;
    uint64_t until = 0;
    for (size_t i = 0; i < spans.size(); ++i) {
      for (; next < removals.size() && removals[next].begin <= i; ++next) {
        until = std::max(until, removals[next].end);
      }
      if (i >= until) {
        left.append(text, from, spans[i].end - from);
        ++sentences;
      }
      from = spans[i].end;
    }
  } else {
    const auto inside = [&](size_t at) {  // of a character: cuts are between characters
      return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80;
    };
    for (size_t i = 0; i < removals.size();) {
      size_t begin = removals[i].begin;
      size_t end = removals[i].end;
      for (++i; i < removals.size() && removals[i].begin <= end; ++i) {
        end = std::max<size_t>(end, removals[i].end);
      }
      end = std::min(end, text.size());
      for (; inside(begin); ++begin) {
      }
      for (; end > begin && inside(end); --end) {
      }
      left.append(text, from, begin - from);
      from = end;
    }
    left.append(text, from);
  }
  left.erase(0, std::min(left.find_first_not_of(" \t\r\n"), left.size()));
  text = std::move(left);
  if (text::count_words(text) < static_cast<size_t>(options.min_doc_words)) {
    return "too_few_words_left";
  }
  if (by_sentence && sentences < static_cast<uint64_t>(options.min_doc_sentences)) {
    return "too_few_sentences_left";
  }
  return {};
}

DedupSummary write_output(const DedupOptions& options, const std::vector<fs::path>& inputs, const DedupFiles& files,
                          base::Context& context) {
  return Output(options, inputs, files, context).write();
}

}  // namespace slipway::data
