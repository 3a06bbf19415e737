// What stays and what goes, by the keys that the first pass wrote.
#include "data/dedup_work.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/deduplicate.h"
#include "data/semantic_pass.h"
#include "data/web_minhash.h"

namespace slipway::data {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

void Deduplication::decide_exact() {
  const auto keys = all_keys<ExactKey>();
  Components components(space("work"));
  SortedStream<ExactKey> stream = keys->finish();
  ExactKey at{};
  ExactKey first{};
  for (bool any = false; stream.next(at); any = true) {
    if (any && at.high == first.high && at.low == first.low) {
      components.add_edge(first.position, at.position);
    } else {
      first = at;
    }
  }
  write_members(components.finish());
}

void Deduplication::decide_minhash() {
  const SpillSpace work = space("work");
  PairVerifier verifier(work, options_.jaccard);
  if (options_.stage == DedupStage::kClusters) {
    for (int shard = 1; shard <= options_.shards; ++shard) {
      if (!base::is_file(pair_file(shard))) {
        throw Error(Code::kUnavailable, fmt::format("the buckets of shard {0} of {1} are not done: run --stage buckets --shards {0}/{1}",
                                                    shard, options_.shards));
      }
      for (RecordCursor<Edge> pairs(pair_file(shard)); pairs.peek() != nullptr; pairs.advance()) {
        verifier.add_pair(pairs.peek()->a, pairs.peek()->b);
      }
    }
  } else {
    add_candidates(all_keys<KeyAt>()->finish(), verifier);
  }
  verifier.close_pairs();
  candidates_ = verifier.candidates();
  if (options_.jaccard > 0 && candidates_ > 0) {
    each_block("verification", [&](const Block& block) {
      std::vector<size_t> wanted;
      for (size_t i = 0; i < block.lines.size(); ++i) {
        if (verifier.wants(position_of(block.lines[i]))) {
          wanted.push_back(i);
        }
      }
      std::vector<Shingles> sets(wanted.size());
      context_.pool.parallel_chunks(static_cast<int64_t>(wanted.size()), 16, [&](int64_t begin, int64_t end) {
        JsonlLine line(options_.text_field, options_.id_field);
        WebShingler shingler;
        for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
          if (read_document(block, block.lines[wanted[i]], line).empty()) {
            shingler.shingles(line.text(), static_cast<size_t>(options_.ngram), sets[i].large);
            std::sort(sets[i].large.begin(), sets[i].large.end());
            sets[i].large.erase(std::unique(sets[i].large.begin(), sets[i].large.end()), sets[i].large.end());
          }
        }
      });
      for (size_t i = 0; i < wanted.size(); ++i) {
        verifier.add_set(position_of(block.lines[wanted[i]]), sets[i]);
      }
    });
  }
  Components components(work);
  verifier.verify([&](uint64_t a, uint64_t b, float) { components.add_edge(a, b); });
  write_members(components.finish());
}

void Deduplication::write_removals(SortedStream<SpanKey> keys, uint64_t width) {
  ExternalSorter<Removal> removals(space("work"), "removals", options_.memory_bytes / 4);
  SpanKey at{};
  SpanKey first{};
  for (bool any = false; keys.next(at); any = true) {
    if (any && at.key == first.key) {
      removals.add({at.position, at.begin, at.begin + width});
    } else {
      first = at;
    }
  }
  RecordFileWriter file(files_.removals(), sizeof(Removal));
  SortedStream<Removal> stream = removals.finish();
  Removal removal{};
  while (stream.next_distinct(removal)) {
    file.write(&removal, 1);
  }
  file.commit();
}

void Deduplication::decide_spans() {
  write_removals(all_keys<SpanKey>()->finish(), static_cast<uint64_t>(options_.sentences));
}

// The chosen windows that occur more than once tell where to look: every stretch of `length` bytes around one is hashed in
// a second pass, and those that are equal are what is repeated.
void Deduplication::decide_substrings() {
  const auto length = static_cast<uint64_t>(options_.length_threshold);
  const uint64_t width = length / 2;
  ExternalSorter<Edge> places(space("work"), "places", options_.memory_bytes / 4);  // {position, begin}
  {
    SortedStream<SpanKey> stream = all_keys<SpanKey>()->finish();
    SpanKey at{};
    SpanKey before{};
    bool told = false;
    for (bool any = false; stream.next(at); any = true) {
      const bool same = any && at.key == before.key;
      if (same && !told) {
        places.add({before.position, before.begin});
      }
      if (same) {
        places.add({at.position, at.begin});
      }
      told = same;
      before = at;
    }
  }
  SortedStream<Edge> looked = places.finish();
  ExternalSorter<SpanKey> stretches(space("work"), "stretches", options_.memory_bytes / 4);
  each_block("repeated text", [&](const Block& block) {
    std::vector<std::vector<uint64_t>> begins(block.lines.size());
    Edge place{};
    for (size_t i = 0; i < block.lines.size(); ++i) {
      while (looked.peek() != nullptr && looked.peek()->a <= position_of(block.lines[i])) {
        looked.next(place);
        begins[i].push_back(place.b);
      }
    }
    std::vector<std::vector<SpanKey>> made(block.lines.size());
    context_.pool.parallel_chunks(static_cast<int64_t>(made.size()), 16, [&](int64_t from, int64_t to) {
      JsonlLine line(options_.text_field, options_.id_field);
      for (auto i = static_cast<size_t>(from); i < static_cast<size_t>(to); ++i) {
        if (begins[i].empty() || !read_document(block, block.lines[i], line).empty()) {
          continue;
        }
        const std::string_view text = line.text();
        uint64_t next = 0;  // stretches of windows that overlap are hashed once
        for (const uint64_t begin : begins[i]) {
          const uint64_t first = begin + width < length ? 0 : begin + width - length;
          for (uint64_t at = std::max(next, first); at <= begin && at + length <= text.size(); ++at) {
            made[i].push_back({base::xxh64(text.substr(at, length)), position_of(block.lines[i]), at});
            next = at + 1;
          }
        }
      }
    });
    for (const std::vector<SpanKey>& records : made) {
      for (const SpanKey& record : records) {
        stretches.add(record);
      }
    }
  });
  write_removals(stretches.finish(), length);
}

// What goes has one edge to what stood before it: the trees' roots stay.
void Deduplication::decide_semantic() {
  std::vector<fs::path> folders;
  for (int shard = 1; shard <= options_.shards; ++shard) {
    folders.push_back(shard_folder(shard));
  }
  const SpillSpace work = space("work");
  Components components(work);
  ExternalSorter<uint64_t> gone(work, "gone", options_.memory_bytes / 8);
  candidates_ = find_semantic_duplicates(options_, folders, work, context_, [&](uint64_t document, uint64_t before) {
    components.add_edge(document, before);
    gone.add(document);
  });
  write_members(components.finish(), gone.finish());
}

// {document, its cluster's first} by document -> members.rec, sizes.rec. Of a cluster stays the first that is not `gone`; or what has
// the highest priority, which is read in one more pass over the documents.
void Deduplication::write_members(SortedStream<Edge> members, SortedStream<uint64_t> gone) {
  struct Ranked {
    uint64_t root;
    uint64_t rank;  // the order of priorities, highest first
    uint64_t position;
    auto operator<=>(const Ranked&) const = default;
  };
  ExternalSorter<Ranked> ranked(space("work"), "ranked", options_.memory_bytes / 4);
  Edge member{};
  if (options_.priority.empty()) {
    while (members.next(member)) {
      const bool goes = gone.peek() != nullptr && *gone.peek() == member.a;
      ranked.add({member.b, static_cast<uint64_t>(goes), member.a});
      if (goes) {
        uint64_t passed = 0;
        gone.next(passed);
      }
    }
  } else {
    each_block("priorities", [&](const Block& block) {
      JsonlLine line(options_.text_field, options_.priority);
      for (const BlockLine& at : block.lines) {
        if (members.peek() == nullptr || members.peek()->a != position_of(at)) {
          continue;
        }
        members.next(member);
        double value = -1e308;  // a document without one comes last
        if (read_document(block, at, line).empty()) {
          std::from_chars(line.id().data(), line.id().data() + line.id().size(), value);
        }
        uint64_t bits = 0;
        std::memcpy(&bits, &value, sizeof(bits));
        bits = (bits >> 63U) != 0 ? ~bits : (bits | (uint64_t{1} << 63U));  // rises with the number
        ranked.add({member.b, ~bits, member.a});
      }
    });
  }
  RecordFileWriter sizes(files_.sizes(), sizeof(uint64_t));
  ExternalSorter<Member> by_position(space("work"), "by-position", options_.memory_bytes / 4);
  SortedStream<Ranked> stream = ranked.finish();
  Ranked at{};
  uint64_t cluster = 0;
  uint64_t size = 0;
  uint64_t root = 0;
  uint64_t kept = 0;
  while (stream.next(at)) {
    if (cluster == 0 || at.root != root) {
      if (cluster > 0) {
        sizes.write(&size, 1);
      }
      ++cluster;
      size = 0;
      root = at.root;
      kept = at.position;
    }
    ++size;
    by_position.add({at.position, kept, cluster});
  }
  if (cluster > 0) {
    sizes.write(&size, 1);
  }
  sizes.commit();
  RecordFileWriter file(files_.members(), sizeof(Member));
  SortedStream<Member> sorted = by_position.finish();
  Member one{};
  while (sorted.next(one)) {
    file.write(&one, 1);
  }
  file.commit();
}

void Deduplication::decide() {
  switch (options_.method) {
    case DedupMethod::kExact: return decide_exact();
    case DedupMethod::kMinhash: return decide_minhash();
    case DedupMethod::kSentence: return decide_spans();
    case DedupMethod::kSubstring: return decide_substrings();
    case DedupMethod::kSemantic: return decide_semantic();
    case DedupMethod::kBloom:
    case DedupMethod::kDecontaminate: return;
  }
}

}  // namespace slipway::data
