#include "data/deduplicate.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/keys.h"
#include "data/minhash.h"
#include "data/near.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr size_t kBatchTexts = 4096;
constexpr size_t kBatchBytes = size_t{8} << 20;
constexpr int64_t kGrain = 32;

// Copies texts of a stream into batches and hands them on with the index of their first.
void in_batches(const TextStream& texts, base::Context& context,
                const std::function<void(const std::vector<std::string>&, uint32_t)>& body) {
  std::vector<std::string> batch;
  size_t bytes = 0;
  uint64_t first = 0;
  const auto flush = [&] {
    base::check_stop(context, "deduplication");
    body(batch, static_cast<uint32_t>(first));
    first += batch.size();
    batch.clear();
    bytes = 0;
  };
  texts([&](std::string_view text) {
    batch.emplace_back(text);
    bytes += text.size();
    if (batch.size() == kBatchTexts || bytes >= kBatchBytes) {
      if (first + batch.size() >= Duplicates::kNone) {
        throw Error(Code::kInvalid, "more than 4,294,967,294 documents; deduplicate them in parts");
      }
      flush();
    }
  });
  if (!batch.empty()) {
    flush();
  }
}

// Exact hash -> the first document that had it: open addressing, at most 3/4 full, about 20 bytes a document.
class FirstTable {
 public:
  // The document that had `hash` first: `document` itself when it is new.
  uint32_t first(uint64_t hash, uint32_t document) {
    if ((size_ + 1) * 4 > documents_.size() * 3) {
      grow();
    }
    const size_t at = find(hash);
    if (documents_[at] == Duplicates::kNone) {
      hashes_[at] = hash;
      documents_[at] = document;
      ++size_;
    }
    return documents_[at];
  }

 private:
  size_t find(uint64_t hash) const noexcept {
    const size_t mask = documents_.size() - 1;
    size_t at = hash & mask;
    while (documents_[at] != Duplicates::kNone && hashes_[at] != hash) {
      at = (at + 1) & mask;
    }
    return at;
  }

  void grow() {
    std::vector<uint64_t> hashes(documents_.empty() ? 1024 : documents_.size() * 2);
    std::vector<uint32_t> documents(hashes.size(), Duplicates::kNone);
    hashes.swap(hashes_);
    documents.swap(documents_);
    for (size_t i = 0; i < documents.size(); ++i) {
      if (documents[i] != Duplicates::kNone) {
        const size_t at = find(hashes[i]);
        hashes_[at] = hashes[i];
        documents_[at] = documents[i];
      }
    }
  }

  std::vector<uint64_t> hashes_;
  std::vector<uint32_t> documents_;  // kNone: the place is free
  size_t size_ = 0;
};

class Finder {
 public:
  Finder(const DeduplicateOptions& options, const SpillSpace& space, base::Context& context)
      : options_(options), space_(space), context_(context), hasher_(options.hashes, options.seed),
        bands_(bands_for(options.jaccard, options.hashes)), keys_(space, "keys", space.share(2)) {}

  Duplicates find(const TextStream& texts) {
    in_batches(texts, context_, [&](const auto& batch, uint32_t first) { add(batch, first); });
    first_of_ = {};
    if (options_.near) {
      verify(texts);
    }
    return finish();
  }

 private:
  void add(const std::vector<std::string>& batch, uint32_t first) {
    const auto count = static_cast<int64_t>(batch.size());
    std::vector<uint64_t> hashes(batch.size());
    context_.pool.parallel_chunks(count, kGrain, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        hashes[i] = exact_hash(batch[i]);
      }
    });
    result_.matches.resize(first + batch.size());
    parent_.resize(first + batch.size());
    std::vector<size_t> fresh;
    for (size_t i = 0; i < batch.size(); ++i) {
      const uint32_t self = first + static_cast<uint32_t>(i);
      parent_[self] = self;
      if (options_.exact) {
        const uint32_t found = first_of_.first(hashes[i], self);
        if (found != self) {
          parent_[self] = found;
          result_.matches[self] = {found, 1.0F, true};
          continue;
        }
      }
      fresh.push_back(i);
    }
    if (options_.near) {
      sign(batch, first, fresh);
    }
  }

  void sign(const std::vector<std::string>& batch, uint32_t first, const std::vector<size_t>& fresh) {
    const auto bands = static_cast<size_t>(bands_.bands);
    std::vector<std::vector<uint64_t>> keys(fresh.size());  // one or two kinds, [bands] each
    context_.pool.parallel_chunks(static_cast<int64_t>(fresh.size()), kGrain, [&](int64_t begin, int64_t end) {
      Shingles shingles;
      std::vector<uint32_t> signature(static_cast<size_t>(options_.hashes));
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        shingle(batch[fresh[i]], shingles, false);
        uint64_t kind = 0;
        for (const auto* set : {&shingles.small, &shingles.large}) {
          if (!set->empty()) {
            keys[i].resize(keys[i].size() + bands);
            hasher_.sign(*set, signature);
            band_keys(signature, bands_, kind, std::span(keys[i]).last(bands));
          }
          ++kind;
        }
      }
    });
    for (size_t i = 0; i < fresh.size(); ++i) {
      for (const uint64_t key : keys[i]) {
        keys_.add({key, first + fresh[i]});
      }
    }
  }

  // Second pass: the shingles of every candidate, the true similarity of every pair, and the union of those above.
  void verify(const TextStream& texts) {
    PairVerifier verifier(space_, options_.jaccard);
    add_candidates(keys_.finish(), verifier);
    keys_.remove_runs();
    verifier.close_pairs();
    result_.candidates = static_cast<int64_t>(verifier.candidates());
    if (result_.candidates == 0) {
      return;
    }
    in_batches(texts, context_, [&](const std::vector<std::string>& batch, uint32_t first) {
      std::vector<size_t> wanted;
      for (size_t i = 0; i < batch.size(); ++i) {
        if (verifier.wants(first + i)) {
          wanted.push_back(i);
        }
      }
      std::vector<Shingles> sets(wanted.size());
      context_.pool.parallel_for(static_cast<int64_t>(wanted.size()), [&](int64_t i) {
        const auto at = static_cast<size_t>(i);
        shingle(batch[wanted[at]], sets[at]);
      });
      for (size_t i = 0; i < wanted.size(); ++i) {
        verifier.add_set(first + wanted[i], sets[i]);
      }
    });
    verifier.verify([&](uint64_t a, uint64_t b, float similarity) {
      join(static_cast<uint32_t>(a), static_cast<uint32_t>(b), similarity);
    });
  }

  uint32_t root(uint32_t i) noexcept {
    while (parent_[i] != i) {
      parent_[i] = parent_[parent_[i]];
      i = parent_[i];
    }
    return i;
  }

  void join(uint32_t a, uint32_t b, float similarity) {
    for (const uint32_t document : {a, b}) {
      result_.matches[document].jaccard = std::max(result_.matches[document].jaccard, similarity);
    }
    const uint32_t root_a = root(a);
    const uint32_t root_b = root(b);
    parent_[std::max(root_a, root_b)] = std::min(root_a, root_b);
  }

  Duplicates finish() {
    std::vector<bool> has_copies(parent_.size());
    for (uint32_t i = 0; i < parent_.size(); ++i) {
      Duplicates::Match& match = result_.matches[i];
      const uint32_t first = root(i);
      if (first == i) {
        match = {};
        continue;
      }
      match.representative = first;
      (match.exact ? result_.exact : result_.near) += 1;
      result_.clusters += static_cast<int64_t>(!has_copies[first]);
      has_copies[first] = true;
    }
    return std::move(result_);
  }

  const DeduplicateOptions& options_;
  const SpillSpace& space_;
  base::Context& context_;
  MinHasher hasher_;
  Bands bands_;
  KeySorter keys_;
  FirstTable first_of_;
  std::vector<uint32_t> parent_;  // union-find; roots are the smallest of their trees
  Duplicates result_;
};

}  // namespace

void DeduplicateOptions::describe(base::FieldTable& fields) {
  fields.add("jaccard", jaccard, "similarity from which two texts are near duplicates", {0.3, 1});
  fields.add("hashes", hashes, "MinHash functions", {16, 1024});
  fields.add("seed", seed, "seed of the MinHash functions");
}

DeduplicateOptions parse_deduplicate_options(const Json& object, const std::string& where) {
  DeduplicateOptions options;
  if (object.is_boolean()) {
    options.exact = options.near = object.get<bool>();
    return options;
  }
  check_keys(object, {"exact", "near"}, where);
  options.exact = base::get_or<bool>(object, "exact", true, where);
  const auto near = object.find("near");
  if (near != object.end() && near->is_boolean()) {
    options.near = near->get<bool>();
  } else if (near != object.end() && !near->is_null()) {
    base::FieldTable fields;
    options.describe(fields);
    fields.apply(*near, where + ".near");
  }
  return options;
}

Json to_json(const DeduplicateOptions& options) {
  DeduplicateOptions copy = options;
  base::FieldTable fields;
  copy.describe(fields);
  return {{"exact", options.exact}, {"near", options.near ? fields.to_json() : Json(false)}};
}

std::string normalized_text(std::string_view text) {
  const std::string folded = text::casefold(text::normalize(text, text::NormalForm::kNfkc));
  std::string collapsed;
  collapsed.reserve(folded.size());
  for (const char c : folded) {
    if (c != ' ' && (c < '\t' || c > '\r')) {
      collapsed += c;
    } else if (!collapsed.empty() && collapsed.back() != ' ') {
      collapsed += ' ';
    }
  }
  if (collapsed.ends_with(' ')) {
    collapsed.pop_back();
  }
  return collapsed;
}

uint64_t exact_hash(std::string_view text) { return base::xxh64(normalized_text(text)); }

Duplicates find_duplicates(const TextStream& texts, const DeduplicateOptions& options, base::Context& context,
                           const std::filesystem::path& scratch, uint64_t memory_bytes) {
  std::optional<base::TempDir> temporary;
  const std::filesystem::path folder = scratch.empty() ? temporary.emplace().path() / "scratch" : scratch;
  const SpillSpace space{folder, memory_bytes, &context.pool};
  std::filesystem::remove_all(folder);  // what a killed run left
  Duplicates found = Finder(options, space, context).find(texts);
  std::filesystem::remove_all(folder);
  return found;
}

}  // namespace slipway::data
