#include "data/near.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fmt/format.h>
#include <span>

#include "base/error.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

// Where a document's shingles are in the file of sets, in numbers of 8 bytes.
struct SetAt {
  uint64_t position;
  uint64_t begin;
  uint32_t small;
  uint32_t large;
  auto operator<=>(const SetAt&) const = default;
};
struct HalfPair {  // by b
  uint64_t b;
  uint64_t a;
  SetAt set_a;
  auto operator<=>(const HalfPair&) const = default;
};
struct FullPair {
  uint64_t a;
  uint64_t b;
  SetAt set_a;
  SetAt set_b;
  auto operator<=>(const FullPair&) const = default;
};

// The entry for `position` in a row that is read forwards.
const SetAt& entry_for(RecordCursor<SetAt>& sets, uint64_t position) {
  while (sets.peek() != nullptr && sets.peek()->position < position) {
    sets.advance();
  }
  if (sets.peek() == nullptr || sets.peek()->position != position) {
    throw Error(Code::kIntegrity, "the documents changed while they were deduplicated; start again");
  }
  return *sets.peek();
}

class NumberFile {
 public:
  explicit NumberFile(const std::filesystem::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) {
      throw Error(Code::kFailure, fmt::format("cannot open '{}': {}", path.string(), base::errno_text(errno)));
    }
  }
  ~NumberFile() { ::close(fd_); }
  NumberFile(const NumberFile&) = delete;
  NumberFile& operator=(const NumberFile&) = delete;
  void read(const SetAt& at, Shingles& out) const {
    out.small.resize(at.small);
    out.large.resize(at.large);
    read(at.begin, out.small);
    read(at.begin + at.small, out.large);
  }

 private:
  void read(uint64_t begin, std::span<uint64_t> out) const {
    size_t done = 0;
    while (done < out.size_bytes()) {
      const ssize_t got = ::pread(fd_, reinterpret_cast<char*>(out.data()) + done,  // NOLINT: bytes of numbers
                                  out.size_bytes() - done, static_cast<off_t>(begin * sizeof(uint64_t) + done));
      if (got <= 0 && errno != EINTR) {
        throw Error(Code::kFailure, "cannot read back the shingles that were written");
      }
      done += static_cast<size_t>(std::max<ssize_t>(got, 0));
    }
  }
  int fd_;
};

}  // namespace

struct PairVerifier::Sets {
  explicit Sets(const std::filesystem::path& folder)
      : numbers_path(folder / "sets.numbers"), index_path(folder / "sets.index"), numbers(numbers_path),
        index(index_path, sizeof(SetAt)) {}
  std::filesystem::path numbers_path;
  std::filesystem::path index_path;
  base::AtomicFile numbers;
  RecordFileWriter index;
};

PairVerifier::PairVerifier(const SpillSpace& space, double jaccard)
    : space_(space), jaccard_(jaccard), pairs_(space, "pairs", space.share(4)), pair_file_(space.folder / "pairs.rec") {}

PairVerifier::~PairVerifier() {
  std::error_code ignored;
  wanted_.reset();
  std::filesystem::remove(pair_file_, ignored);
  std::filesystem::remove(space_.folder / "wanted.rec", ignored);
  if (sets_ != nullptr) {
    std::filesystem::remove(sets_->numbers_path, ignored);
    std::filesystem::remove(sets_->index_path, ignored);
  }
}

void PairVerifier::add_pair(uint64_t a, uint64_t b) { pairs_.add(a < b ? Edge{a, b} : Edge{b, a}); }

void PairVerifier::close_pairs() {
  base::make_dirs(space_.folder);
  RecordFileWriter kept(pair_file_, sizeof(Edge));
  ExternalSorter<uint64_t> wanted(space_, "wanted", space_.share(4));
  {
    SortedStream<Edge> stream = pairs_.finish();
    Edge pair{};
    while (stream.next_distinct(pair)) {
      kept.write(&pair, 1);
      if (jaccard_ > 0) {
        wanted.add(pair.a);
        wanted.add(pair.b);
      }
    }
  }
  pairs_.remove_runs();
  candidates_ = kept.count();
  kept.commit();
  RecordFileWriter list(space_.folder / "wanted.rec", sizeof(uint64_t));
  {
    SortedStream<uint64_t> stream = wanted.finish();
    uint64_t position = 0;
    while (stream.next_distinct(position)) {
      list.write(&position, 1);
    }
  }
  wanted.remove_runs();
  list.commit();
  wanted_ = std::make_unique<RecordCursor<uint64_t>>(space_.folder / "wanted.rec");
  sets_ = std::make_unique<Sets>(space_.folder);
}

bool PairVerifier::wants(uint64_t position) {
  const uint64_t* next = wanted_->peek();
  if (next == nullptr || *next != position) {
    return false;
  }
  wanted_->advance();
  return true;
}

void PairVerifier::add_set(uint64_t position, const Shingles& shingles) {
  const SetAt at{position, sets_->numbers.size() / sizeof(uint64_t), static_cast<uint32_t>(shingles.small.size()),
                 static_cast<uint32_t>(shingles.large.size())};
  for (const auto* set : {&shingles.small, &shingles.large}) {
    sets_->numbers.write(
        {reinterpret_cast<const char*>(set->data()), set->size() * sizeof(uint64_t)});  // NOLINT: bytes of numbers
  }
  sets_->index.write(&at, 1);
}

void PairVerifier::verify(const std::function<void(uint64_t, uint64_t, float)>& holds) {
  if (jaccard_ <= 0) {
    for (RecordCursor<Edge> pairs(pair_file_); pairs.peek() != nullptr; pairs.advance()) {
      holds(pairs.peek()->a, pairs.peek()->b, 0);
    }
    return;
  }
  if (wanted_->peek() != nullptr) {
    throw Error(Code::kIntegrity, "the documents changed while they were deduplicated; start again");
  }
  sets_->numbers.commit();
  sets_->index.commit();
  // Two joins tell each pair where its sets are.
  ExternalSorter<HalfPair> by_b(space_, "half", space_.share(4));
  {
    RecordCursor<SetAt> sets(sets_->index_path);
    for (RecordCursor<Edge> pairs(pair_file_); pairs.peek() != nullptr; pairs.advance()) {
      by_b.add({pairs.peek()->b, pairs.peek()->a, entry_for(sets, pairs.peek()->a)});
    }
  }
  ExternalSorter<FullPair> by_a(space_, "full", space_.share(4));
  {
    RecordCursor<SetAt> sets(sets_->index_path);
    SortedStream<HalfPair> halves = by_b.finish();
    HalfPair half{};
    while (halves.next(half)) {
      by_a.add({half.a, half.b, half.set_a, entry_for(sets, half.b)});
    }
  }
  by_b.remove_runs();
  const NumberFile numbers(sets_->numbers_path);
  SortedStream<FullPair> stream = by_a.finish();
  const uint64_t batch_bytes = space_.share(8);
  std::vector<FullPair> batch;
  std::vector<float> similarity;
  FullPair pair{};
  for (bool more = true; more;) {
    batch.clear();
    uint64_t bytes = 0;
    while (bytes < batch_bytes && (more = stream.next(pair))) {
      batch.push_back(pair);
      bytes += sizeof(FullPair) + sizeof(float);
    }
    similarity.assign(batch.size(), 0);
    space_.pool->parallel_chunks(static_cast<int64_t>(batch.size()), 64, [&](int64_t begin, int64_t end) {
      Shingles a;
      Shingles b;
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        if (i == static_cast<size_t>(begin) || batch[i].a != batch[i - 1].a) {
          numbers.read(batch[i].set_a, a);
        }
        numbers.read(batch[i].set_b, b);
        similarity[i] = static_cast<float>(jaccard(a, b));
      }
    });
    for (size_t i = 0; i < batch.size(); ++i) {
      if (static_cast<double>(similarity[i]) >= jaccard_ - 1e-7) {  // what a float loses of the limit itself
        holds(batch[i].a, batch[i].b, similarity[i]);
      }
    }
  }
  by_a.remove_runs();
}

void for_each_candidate(SortedStream<KeyAt> keys, const std::function<void(uint64_t a, uint64_t b)>& pair) {
  KeyAt at{};
  KeyAt first{};
  KeyAt before{};
  bool any = false;
  while (keys.next(at)) {
    if (!any || at.key != first.key) {
      first = at;
    } else if (at.position != before.position) {
      pair(first.position, at.position);
      if (before.position != first.position) {
        pair(before.position, at.position);
      }
    }
    before = at;
    any = true;
  }
}

void add_candidates(SortedStream<KeyAt> keys, PairVerifier& verifier) {
  for_each_candidate(std::move(keys), [&](uint64_t a, uint64_t b) { verifier.add_pair(a, b); });
}

Components::Components(const SpillSpace& space)
    : space_(space), edges_(std::make_unique<ExternalSorter<Edge>>(space, "edges", space.share(8))) {}

void Components::add_edge(uint64_t a, uint64_t b) { edges_->add(a < b ? Edge{a, b} : Edge{b, a}); }

SortedStream<Edge> Components::finish() {
  const uint64_t count = edges_->count();
  const uint64_t bytes = count * (sizeof(Edge) + 3 * sizeof(uint64_t));  // the edge, and at most two nodes of 12 bytes
  SortedStream<Edge> edges = edges_->finish();
  return bytes <= space_.share(2) ? in_memory(std::move(edges), count) : by_stars(std::move(edges));
}

SortedStream<Edge> Components::in_memory(SortedStream<Edge> edges, uint64_t count) {
  std::vector<Edge> list;
  list.reserve(count);
  std::vector<uint64_t> nodes;
  nodes.reserve(2 * count);
  Edge edge{};
  while (edges.next_distinct(edge)) {
    list.push_back(edge);
    nodes.push_back(edge.a);
    nodes.push_back(edge.b);
  }
  edges_->remove_runs();
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  std::vector<uint32_t> parent(nodes.size());
  for (uint32_t i = 0; i < parent.size(); ++i) {
    parent[i] = i;
  }
  const auto root = [&](uint32_t i) {
    while (parent[i] != i) {
      parent[i] = parent[parent[i]];
      i = parent[i];
    }
    return i;
  };
  const auto index = [&](uint64_t node) {
    return static_cast<uint32_t>(std::lower_bound(nodes.begin(), nodes.end(), node) - nodes.begin());
  };
  for (const Edge& one : list) {  // roots are the smallest of their trees
    const uint32_t a = root(index(one.a));
    const uint32_t b = root(index(one.b));
    parent[std::max(a, b)] = std::min(a, b);
  }
  list.clear();
  for (uint32_t i = 0; i < parent.size(); ++i) {
    list.push_back({nodes[i], nodes[root(i)]});
  }
  const auto shared = std::make_shared<std::vector<Edge>>(std::move(list));
  std::vector<RecordCursor<Edge>> one;
  one.emplace_back(shared, 0, shared->size());
  return SortedStream<Edge>(std::move(one));
}

SortedStream<Edge> Components::by_stars(SortedStream<Edge> edges) {
  // Edges as {larger, smaller}. A step reads groups of one node with its neighbours in order, so that the least of them is
  // known before the others come, and a hub of any size needs no memory.
  const auto mix = [](const Edge& edge) {
    return (edge.a * 0x9e3779b97f4a7c15ULL) ^ ((edge.b + 0x632be59bd9b4e019ULL) * 0xff51afd7ed558ccdULL);
  };
  auto current = std::make_unique<ExternalSorter<Edge>>(space_, "star-0", space_.share(4));
  Edge edge{};
  uint64_t sum = 0;
  while (edges.next_distinct(edge)) {
    current->add({edge.b, edge.a});
    sum += mix({edge.b, edge.a});
  }
  edges = {};
  edges_->remove_runs();
  for (int round = 1;; ++round) {
    // Large-star: every larger neighbour of u gets the least of u's neighbourhood.
    ExternalSorter<Edge> both(space_, fmt::format("both-{}", round), space_.share(4));
    SortedStream<Edge> stream = current->finish();
    while (stream.next_distinct(edge)) {
      both.add(edge);
      both.add({edge.b, edge.a});
    }
    stream = {};
    current->remove_runs();
    ExternalSorter<Edge> large(space_, fmt::format("large-{}", round), space_.share(4));
    stream = both.finish();
    uint64_t least = 0;
    bool any = false;
    uint64_t node = 0;
    while (stream.next_distinct(edge)) {
      if (!any || edge.a != node) {
        any = true;
        node = edge.a;
        least = std::min(edge.a, edge.b);
      }
      if (edge.b > edge.a) {
        large.add({edge.b, least});
      }
    }
    stream = {};
    both.remove_runs();
    // Small-star: every smaller neighbour of u, and u, get the least of them.
    current = std::make_unique<ExternalSorter<Edge>>(space_, fmt::format("star-{}", round), space_.share(4));
    stream = large.finish();
    any = false;
    while (stream.next_distinct(edge)) {
      if (!any || edge.a != node) {
        any = true;
        node = edge.a;
        least = edge.b;
        current->add({node, least});
      } else {
        current->add({edge.b, least});
      }
    }
    stream = {};
    large.remove_runs();
    auto next = std::make_unique<ExternalSorter<Edge>>(space_, fmt::format("next-{}", round), space_.share(4));
    uint64_t now = 0;
    stream = current->finish();
    while (stream.next_distinct(edge)) {
      now += mix(edge);
      next->add(edge);
    }
    stream = {};
    current->remove_runs();
    current = std::move(next);
    if (now == sum) {
      break;
    }
    sum = now;
  }
  // All are stars now: each with its root, and the roots with themselves.
  auto result = std::make_unique<ExternalSorter<Edge>>(space_, "members", space_.share(4));
  SortedStream<Edge> stream = current->finish();
  while (stream.next_distinct(edge)) {
    result->add(edge);
    result->add({edge.b, edge.b});
  }
  stream = {};
  current->remove_runs();
  edges_ = std::make_unique<ExternalSorter<Edge>>(space_, "roots", space_.share(4));
  SortedStream<Edge> repeated = result->finish();
  while (repeated.next_distinct(edge)) {
    edges_->add(edge);
  }
  repeated = {};
  result->remove_runs();
  return edges_->finish();
}

}  // namespace slipway::data
