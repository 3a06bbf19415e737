#include "text/sequence_model.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <numeric>

#include "base/error.h"
#include "base/hash.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;

static_assert(std::endian::native == std::endian::little, "the file is little-endian and read in place");

// docs/formats/tagger.md
struct Header {
  char magic[8];
  uint64_t checksum;  // XXH64 of all that follows it
  uint32_t json_bytes;  // a multiple of 16
  uint32_t labels;
  uint32_t used;   // features
  uint32_t slots;
  uint32_t pairs;
  uint32_t zero[3];
};
static_assert(sizeof(Header) == 48);
constexpr size_t kChecked = 16;
constexpr size_t kInline = 4;          // labels that fit into a slot
constexpr uint32_t kMaxPairs = 63;     // of one feature
constexpr uint32_t kMaxRows = 1U << 26;
constexpr std::array<std::string_view, 5> kTasks = {"segment", "pos", "ner", "lemma", "relation"};

[[noreturn]] void damaged(std::string_view source, std::string_view what) {
  throw Error(Code::kIntegrity, fmt::format("{}: {}", source, what));
}

// A slot's first word: 30 bits of the feature and how far its weights are shifted.
constexpr uint32_t kKeyBits = 30;
constexpr uint32_t kKeyMask = (1U << kKeyBits) - 1;
constexpr int kMostShift = 3;
uint32_t key_of(uint64_t feature) noexcept {
  const auto key = static_cast<uint32_t>(feature >> (64 - kKeyBits));
  return key == 0 ? 1 : key;
}
size_t slot_of(uint64_t feature, size_t slots) noexcept { return (feature & 0xFFFFFFFFU) * slots >> 32; }

bool closes(std::string_view label) noexcept { return label[0] == 'O' || label[0] == 'E' || label[0] == 'S'; }
bool opens(std::string_view label) noexcept { return label[0] == 'O' || label[0] == 'B' || label[0] == 'S'; }

SequenceDescription read_description(std::string_view text, std::string_view source) {
  const base::Json json = base::parse_json(text, source, {size_t{1} << 20, 16});
  SequenceDescription out;
  if (base::get<int>(json, "features", source) != kFeatureVersion) {
    damaged(source, "was trained by another version of this program; train it again");
  }
  out.task = parse_task(base::get<std::string>(json, "task", source));
  out.labels = base::get<std::vector<std::string>>(json, "labels", source);
  out.scheme = parse_scheme(base::get<std::string>(json, "scheme", source));
  out.lexicon = std::strtoull(base::get_or<std::string>(json, "lexicon", "0", source).c_str(), nullptr, 16);
  if (const auto it = json.find("training"); it != json.end()) {
    out.training = *it;
  }
  if (out.labels.empty() || out.labels.size() > 255) {
    damaged(source, "has no labels or more than 255");
  }
  for (const std::string& label : out.labels) {
    if (label.empty()) {
      damaged(source, "has an empty label");
    }
  }
  return out;
}

}  // namespace

std::string_view task_name(SequenceTask task) noexcept { return kTasks[static_cast<size_t>(task)]; }

SequenceTask parse_task(std::string_view name) {
  const auto it = std::find(kTasks.begin(), kTasks.end(), name);
  if (it == kTasks.end()) {
    throw Error(Code::kInvalid, fmt::format("'{}' is no task of sequence labelling; there are {}", name, fmt::join(kTasks, ", ")));
  }
  return static_cast<SequenceTask>(it - kTasks.begin());
}

bool has_transitions(SequenceTask task) noexcept { return task != SequenceTask::kLemma && task != SequenceTask::kRelations; }

SequenceRules rules_of(SequenceTask task, std::span<const std::string> labels) {
  const bool spans = task == SequenceTask::kSegment || task == SequenceTask::kEntities;
  SequenceRules rules;
  rules.before.resize(labels.size());
  for (size_t y = 0; y < labels.size(); ++y) {
    rules.first.push_back(!spans || opens(labels[y]) ? 1 : 0);
    rules.last.push_back(!spans || closes(labels[y]) ? 1 : 0);
    for (size_t p = 0; p < labels.size(); ++p) {
      const bool goes_on = !opens(labels[y]);
      const bool fits = !spans || (goes_on ? !closes(labels[p]) && labels[p].substr(1) == labels[y].substr(1) : closes(labels[p]));
      if (fits) {
        rules.before[y].push_back(static_cast<uint8_t>(p));
      }
    }
  }
  return rules;
}

std::shared_ptr<const SequenceModel> SequenceModel::open(const std::filesystem::path& file) {
  if (!base::is_file(file)) {
    throw Error(Code::kNotFound, fmt::format("there is no model '{}'; `slipway train tagger` makes one", file.string()));
  }
  const std::shared_ptr<SequenceModel> out(new SequenceModel);
  out->file_ = base::MappedFile(file);
  out->read(out->file_.bytes(), file.string());
  return out;
}

std::shared_ptr<const SequenceModel> SequenceModel::from_bytes(std::string_view bytes, std::string_view source) {
  const std::shared_ptr<SequenceModel> out(new SequenceModel);
  out->copy_.resize(bytes.size() / 8 + 1);
  std::memcpy(out->copy_.data(), bytes.data(), bytes.size());
  out->read({reinterpret_cast<const char*>(out->copy_.data()), bytes.size()}, source);
  return out;
}

void SequenceModel::read(std::string_view bytes, std::string_view source) {
  Header header;
  if (bytes.size() < sizeof(header)) {
    damaged(source, "is too short for a tagger's model");
  }
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (std::string_view(header.magic, 8) != "SLTAGM01") {
    damaged(source, "is no tagger's model of this version");
  }
  const bool small = header.labels <= kInline;
  const uint64_t size = sizeof(header) + uint64_t{header.json_bytes} + uint64_t{header.labels} * header.labels * 4 +
                        uint64_t{header.slots} * 8 + uint64_t{header.pairs} * 2;
  if (header.labels == 0 || header.labels > 255 || header.json_bytes % 16 != 0 || size != bytes.size() || header.used >= header.slots ||
      header.pairs > kMaxRows || (small && header.pairs != 0)) {
    damaged(source, "has sizes that do not fit together");
  }
  if (base::xxh64(bytes.substr(kChecked)) != header.checksum) {
    damaged(source, "does not hold what was written");
  }
  description_ = read_description(bytes.substr(sizeof(header), header.json_bytes), source);
  if (description_.labels.size() != header.labels) {
    damaged(source, "has another number of labels than it says");
  }
  if (description_.task == SequenceTask::kSegment && description_.labels != std::vector<std::string>{"B", "M", "E", "S"}) {
    damaged(source, "segments with other labels than B, M, E and S");
  }
  rules_ = rules_of(description_.task, description_.labels);
  const char* at = bytes.data() + sizeof(header) + header.json_bytes;
  transitions_ = {reinterpret_cast<const int32_t*>(at), size_t{header.labels} * header.labels};
  at += transitions_.size_bytes();
  // Their sum over a path must stay within 32 bits (decode() bounds the length).
  if (std::any_of(transitions_.begin(), transitions_.end(), [](int32_t t) { return t > 30000 || t < -30000; })) {
    damaged(source, "has a weight that is too large");
  }
  // An odd number of labels leaves the slots at a multiple of 4, which is what they need.
  if (small) {
    slots4_ = {reinterpret_cast<const Slot4*>(at), header.slots};
  } else {
    slots_ = {reinterpret_cast<const SlotRow*>(at), header.slots};
    pairs_ = {reinterpret_cast<const Pair*>(at + slots_.size_bytes()), header.pairs};
  }
  size_t used = 0;
  for (const Slot4& slot : slots4_) {
    used += slot.key != 0 ? 1 : 0;
  }
  for (const SlotRow& slot : slots_) {
    used += slot.key != 0 ? 1 : 0;
    if (slot.key != 0 && size_t{slot.row >> 6} + (slot.row & kMaxPairs) > pairs_.size()) {
      damaged(source, "names weights beyond its end");
    }
  }
  for (const Pair& pair : pairs_) {
    if (pair.label >= header.labels) {
      damaged(source, "names a label that it has not");
    }
  }
  if (used != header.used) {  // with one place free at least, a search ends
    damaged(source, "has another number of features than it says");
  }
  used_ = used;
  size_ = bytes.size();
}

template <class Slot>
const Slot* SequenceModel::find(std::span<const Slot> slots, uint64_t feature) const noexcept {
  const uint32_t key = key_of(feature);
  size_t at = slot_of(feature, slots.size());
  while ((slots[at].key & kKeyMask) != key) {
    if (slots[at].key == 0) {
      return nullptr;
    }
    at = at + 1 == slots.size() ? 0 : at + 1;
  }
  return &slots[at];
}

void SequenceModel::score(Scratch& scratch) const {
  const size_t n = scratch.list.size();
  const size_t labels = description_.labels.size();
  SLIPWAY_CHECK(n <= 4096);  // sums of the largest weights over so many positions fit into 32 bits
  scratch.scores.assign(n * labels, 0);
  for (size_t i = 0; i < n; ++i) {
    int32_t* const row = scratch.scores.data() + i * labels;
    if (!slots4_.empty()) {
      int32_t sum[kInline] = {};
      for (const uint64_t feature : scratch.list.at(i)) {
        if (const Slot4* slot = find(slots4_, feature)) {
          for (size_t y = 0; y < kInline; ++y) {
            sum[y] += slot->weights[y] * (1 << (slot->key >> kKeyBits));
          }
        }
      }
      std::copy_n(sum, labels, row);
      continue;
    }
    for (const uint64_t feature : scratch.list.at(i)) {
      if (const SlotRow* slot = find(slots_, feature)) {
        const Pair* pair = pairs_.data() + (slot->row >> 6);
        const int32_t unit = 1 << (slot->key >> kKeyBits);
        for (uint32_t k = slot->row & kMaxPairs; k > 0; --k, ++pair) {
          row[pair->label] += pair->weight * unit;
        }
      }
    }
  }
}

void SequenceModel::decode(Scratch& scratch, std::vector<uint8_t>& path) const {
  score(scratch);
  const size_t n = scratch.list.size();
  const size_t labels = description_.labels.size();
  if (has_transitions(description_.task)) {
    viterbi<int32_t>(rules_, scratch.scores, transitions_, n, scratch.back, scratch.best, path);
    return;
  }
  path.resize(n);
  for (size_t i = 0; i < n; ++i) {
    const auto begin = scratch.scores.begin() + static_cast<std::ptrdiff_t>(i * labels);
    path[i] = static_cast<uint8_t>(std::max_element(begin, begin + static_cast<std::ptrdiff_t>(labels)) - begin);
  }
}

namespace {

// exp of scores, the largest of the row being 1: what they are divided by cancels in chances.
void potentials(std::span<const int32_t> scores, double scale, std::span<double> row) {
  const int32_t most = *std::max_element(scores.begin(), scores.end());
  for (size_t y = 0; y < row.size(); ++y) {
    row[y] = std::exp(scale * static_cast<double>(scores[y] - most));
  }
}

// To a sum of 1; all alike where rounding or the rules left nothing.
void normalise(std::span<double> row) {
  const double sum = std::accumulate(row.begin(), row.end(), 0.0);
  for (double& value : row) {
    value = sum > 0 ? value / sum : 1.0 / static_cast<double>(row.size());
  }
}

}  // namespace

void chain_marginals(const SequenceRules& rules, std::span<const int32_t> scores, std::span<const int32_t> transitions, size_t n, double scale,
                     std::vector<double>& p) {
  const size_t labels = rules.first.size();
  p.assign(n * labels, 0);
  if (n == 0) {
    return;
  }
  const auto row = [labels](std::vector<double>& all, size_t i) { return std::span<double>(all).subspan(i * labels, labels); };
  std::vector<double> own(n * labels);
  for (size_t i = 0; i < n; ++i) {
    potentials(scores.subspan(i * labels, labels), scale, row(own, i));
  }
  std::vector<double> step(labels * labels);
  potentials(transitions, scale, step);
  for (size_t y = 0; y < labels; ++y) {
    p[y] = rules.first[y] != 0 ? own[y] : 0;
  }
  normalise(row(p, 0));
  for (size_t i = 1; i < n; ++i) {
    for (size_t y = 0; y < labels; ++y) {
      double sum = 0;
      for (const uint8_t from : rules.before[y]) {
        sum += p[(i - 1) * labels + from] * step[from * labels + y];
      }
      p[i * labels + y] = sum * own[i * labels + y];
    }
    normalise(row(p, i));
  }
  std::vector<double> after(labels);
  std::vector<double> before(labels);
  for (size_t y = 0; y < labels; ++y) {
    after[y] = rules.last[y] != 0 ? 1 : 0;
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t y = 0; y < labels; ++y) {
      p[i * labels + y] *= after[y];
    }
    normalise(row(p, i));
    std::fill(before.begin(), before.end(), 0.0);
    for (size_t y = 0; y < labels; ++y) {
      const double value = after[y] * own[i * labels + y];
      for (const uint8_t from : rules.before[y]) {
        before[from] += step[from * labels + y] * value;
      }
    }
    normalise(before);
    after.swap(before);
  }
}

void SequenceModel::marginals(Scratch& scratch, double scale, std::vector<double>& p) const {
  score(scratch);
  const size_t n = scratch.list.size();
  const size_t labels = description_.labels.size();
  if (has_transitions(description_.task)) {
    chain_marginals(rules_, scratch.scores, transitions_, n, scale, p);
    return;
  }
  p.assign(n * labels, 0);
  for (size_t i = 0; i < n; ++i) {
    const std::span<double> row = std::span<double>(p).subspan(i * labels, labels);
    potentials(std::span<const int32_t>(scratch.scores).subspan(i * labels, labels), scale, row);
    normalise(row);
  }
}

std::string write_sequence_model(const SequenceDescription& description, std::span<const uint64_t> features,
                                 std::span<const float> weights, std::span<const float> transitions) {
  const size_t labels = description.labels.size();
  SLIPWAY_CHECK(weights.size() == features.size() * labels && transitions.size() == labels * labels);
  if (labels == 0 || labels > 255) {
    throw Error(Code::kInvalid, fmt::format("a tagger can have 1 to 255 labels, not {}", labels));
  }
  // One unit for all, and for the rows of large weights, which are few but say the most, twice to eight times that: nothing is
  // cut off, and the many small weights keep their differences.
  std::vector<float> sizes;
  for (const float w : weights) {
    if (w != 0) {
      sizes.push_back(std::abs(w));
    }
  }
  float top = 1e-6F;
  if (!sizes.empty()) {
    const float most = *std::max_element(sizes.begin(), sizes.end());
    const auto cut = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() - 1 - sizes.size() / 100);
    std::nth_element(sizes.begin(), cut, sizes.end());
    top = std::max({top, *cut, most / (1 << kMostShift)});
  }
  const float scale = 127 / top;
  const auto quantised = [](float w, float by, float most) { return static_cast<int32_t>(std::lround(std::clamp(w * by, -most, most))); };
  const auto shift_of = [&](const float* row) {
    float most = 0;
    for (size_t y = 0; y < labels; ++y) {
      most = std::max(most, std::abs(row[y]));
    }
    int shift = 0;
    while (shift < kMostShift && most * scale > 127.5F * static_cast<float>(1 << shift)) {
      ++shift;
    }
    return shift;
  };

  std::vector<size_t> kept;
  for (size_t f = 0; f < features.size(); ++f) {
    const float* const row = weights.data() + f * labels;
    if (std::any_of(row, row + labels, [&](float w) { return quantised(w, scale, 127) != 0; })) {
      kept.push_back(f);
    }
  }
  // The order of slots must not depend on how the weights were found.
  std::sort(kept.begin(), kept.end(), [&](size_t a, size_t b) { return features[a] < features[b]; });
  const size_t slots = kept.size() + kept.size() / 2 + 1;
  std::string slot_bytes(slots * 8, '\0');
  std::string pair_bytes;
  size_t used = 0;
  for (const size_t f : kept) {
    size_t at = slot_of(features[f], slots);
    const uint32_t key = key_of(features[f]);
    uint32_t there = 0;
    const auto load = [&] { std::memcpy(&there, slot_bytes.data() + at * 8, 4); };
    for (load(); there != 0 && (there & kKeyMask) != key; load()) {
      at = at + 1 == slots ? 0 : at + 1;
    }
    if (there != 0) {
      continue;  // two features of one key side by side: the first stays
    }
    ++used;
    const float* const row = weights.data() + f * labels;
    const int shift = shift_of(row);
    const float by = scale / static_cast<float>(1 << shift);
    const uint32_t word = key | static_cast<uint32_t>(shift) << kKeyBits;
    std::memcpy(slot_bytes.data() + at * 8, &word, 4);
    if (labels <= kInline) {
      for (size_t y = 0; y < labels; ++y) {
        slot_bytes[at * 8 + 4 + y] = static_cast<char>(quantised(row[y], by, 127));
      }
      continue;
    }
    std::vector<std::pair<int32_t, uint8_t>> pairs;
    for (size_t y = 0; y < labels; ++y) {
      if (const int32_t w = quantised(row[y], by, 127); w != 0) {
        pairs.emplace_back(w, static_cast<uint8_t>(y));
      }
    }
    if (pairs.size() > kMaxPairs) {
      std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return std::abs(a.first) > std::abs(b.first); });
      pairs.resize(kMaxPairs);
    }
    const size_t first = pair_bytes.size() / 2;
    if (first + pairs.size() >= kMaxRows) {
      throw Error(Code::kInvalid, "the model has more than 60 million weights; train with a larger --min-count");
    }
    const uint32_t packed = static_cast<uint32_t>(first << 6 | pairs.size());
    std::memcpy(slot_bytes.data() + at * 8 + 4, &packed, 4);
    for (const auto& [w, y] : pairs) {
      pair_bytes += static_cast<char>(y);
      pair_bytes += static_cast<char>(w);
    }
  }

  base::Json json = {{"features", kFeatureVersion},
                     {"task", task_name(description.task)},
                     {"labels", description.labels},
                     {"scheme", scheme_name(description.scheme)},
                     {"lexicon", fmt::format("{:x}", description.lexicon)},
                     {"training", description.training}};
  std::string text = base::dump_json(json);
  text.resize((text.size() + 15) / 16 * 16, ' ');
  Header header{};
  std::memcpy(header.magic, "SLTAGM01", 8);
  header.json_bytes = static_cast<uint32_t>(text.size());
  header.labels = static_cast<uint32_t>(labels);
  header.used = static_cast<uint32_t>(used);
  header.slots = static_cast<uint32_t>(slots);
  header.pairs = static_cast<uint32_t>(pair_bytes.size() / 2);
  std::string body(reinterpret_cast<const char*>(&header) + kChecked, sizeof(header) - kChecked);
  body += text;
  for (const float t : transitions) {
    const int32_t value = quantised(t, scale, 30000);
    body.append(reinterpret_cast<const char*>(&value), 4);
  }
  body += slot_bytes;
  body += pair_bytes;
  const uint64_t checksum = base::xxh64(body);
  std::string out = "SLTAGM01";
  out.append(reinterpret_cast<const char*>(&checksum), 8);
  return out + body;
}

}  // namespace slipway::text
