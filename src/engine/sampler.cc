#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "base/error.h"
#include "kernels/decoder_ops.h"

namespace slipway::engine {
namespace {

bool before(const Candidate& a, const Candidate& b) { return a.logit != b.logit ? a.logit > b.logit : a.id < b.id; }

// The k first by `before`, in that order. One pass over the logits: few of them ever enter the heap.
void take_top(std::span<const float> logits, size_t k, std::vector<Candidate>& out) {
  out.clear();
  k = std::min(k, logits.size());
  if (k == 0) {
    return;  // the log-probability of the chosen token alone
  }
  for (size_t i = 0; i < logits.size(); ++i) {
    const Candidate candidate{logits[i], static_cast<int32_t>(i)};
    if (out.size() < k) {
      out.push_back(candidate);
      std::push_heap(out.begin(), out.end(), before);
    } else if (logits[i] > out.front().logit) {  // an equal one has a higher id, so it comes after
      std::pop_heap(out.begin(), out.end(), before);
      out.back() = candidate;
      std::push_heap(out.begin(), out.end(), before);
    }
  }
  std::sort_heap(out.begin(), out.end(), before);
}

float highest(std::span<const float> logits) {
  float best = -std::numeric_limits<float>::infinity();
  for (const float logit : logits) {
    best = std::max(best, logit);
  }
  return best;
}

// sum over i of exp((logits[i] - max) / temperature).
double mass_of(std::span<const float> logits, float max, float inverse_temperature) {
  double sum = 0;
  for (const float logit : logits) {
    sum += std::exp((logit - max) * inverse_temperature);
  }
  return sum;
}

double weight_of(const Candidate& candidate, float max, float inverse_temperature) {
  return std::exp((candidate.logit - max) * inverse_temperature);
}

// Of candidates in order, the likeliest first.
double mass_of(std::span<const Candidate> candidates, float inverse_temperature) {
  double sum = 0;
  for (const Candidate& candidate : candidates) {
    sum += weight_of(candidate, candidates.front().logit, inverse_temperature);
  }
  return sum;
}

// Keeps the shortest beginning whose mass reaches p of `total`; at least one.
bool cut_at_mass(std::vector<Candidate>& kept, double p, double total, float inverse_temperature) {
  const float max = kept.front().logit;
  double sum = 0;
  for (size_t i = 0; i < kept.size(); ++i) {
    sum += weight_of(kept[i], max, inverse_temperature);
    if (sum >= p * total) {
      kept.resize(i + 1);
      return true;
    }
  }
  return false;
}

// Locally typical sampling (Meister et al. 2023): keeps those whose surprise is nearest to the entropy until their
// probabilities reach p.
void keep_typical(std::vector<Candidate>& kept, double p, float inverse_temperature) {
  const float max = kept.front().logit;
  const double total = mass_of(kept, inverse_temperature);
  double entropy = 0;
  std::vector<std::pair<double, size_t>> order(kept.size());  // surprise, then its distance from the entropy
  for (size_t i = 0; i < kept.size(); ++i) {
    const double surprise =
        std::log(total) - static_cast<double>(kept[i].logit - max) * static_cast<double>(inverse_temperature);
    order[i] = {surprise, i};
    if (std::isfinite(surprise)) {
      entropy += surprise * std::exp(-surprise);
    }
  }
  for (auto& [surprise, i] : order) {
    surprise = std::abs(surprise - entropy);
  }
  std::sort(order.begin(), order.end());
  std::vector<Candidate> typical;
  double sum = 0;
  for (const auto& [distance, i] : order) {
    typical.push_back(kept[i]);
    sum += weight_of(kept[i], max, inverse_temperature);
    if (sum >= p * total) {
      break;
    }
  }
  std::sort(typical.begin(), typical.end(), before);
  kept = std::move(typical);
}

// A model whose numbers have overflowed says nothing; comparisons with NaN would not even order.
void check_finite(std::span<const float> logits) {
  bool bad = false;
  for (const float logit : logits) {
    bad |= !(logit < std::numeric_limits<float>::infinity());
  }
  if (bad) {
    throw base::Error(base::Code::kFailure,
                      "the model's logits are not finite: its weights or their scales are damaged");
  }
}

// -inf for tokens that may not be chosen; those that `allowed` does not reach may not.
void keep_allowed(std::span<float> logits, std::span<const uint64_t> allowed) {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  for (size_t begin = 0; begin < logits.size(); begin += 64) {
    const std::span<float> part = logits.subspan(begin, std::min<size_t>(64, logits.size() - begin));
    const uint64_t word = begin / 64 < allowed.size() ? allowed[begin / 64] : 0;
    if (word == 0) {
      std::fill(part.begin(), part.end(), kNever);
    } else if (word != ~uint64_t{0}) {
      for (size_t i = 0; i < part.size(); ++i) {
        part[i] = ((word >> i) & 1) != 0 ? part[i] : kNever;
      }
    }
  }
}

void check_range(const char* name, double value, double low, double high) {
  if (!(value >= low && value <= high)) {  // NaN is out of range too
    throw base::Error(base::Code::kInvalid, fmt::format("{} is {}; it must be from {} to {}", name, value, low, high));
  }
}

}  // namespace

void check_sampling(const SamplingParams& params, int vocab_size) {
  check_range("temperature", params.temperature, 0, 100);
  check_range("top_k", params.top_k, 0, std::numeric_limits<int>::max());
  check_range("top_p", params.top_p, 0, 1);
  check_range("min_p", params.min_p, 0, 1);
  check_range("typical_p", params.typical_p, 0, 1);
  check_range("repetition_penalty", params.repetition_penalty, 0.01, 100);
  check_range("frequency_penalty", params.frequency_penalty, -100, 100);
  check_range("presence_penalty", params.presence_penalty, -100, 100);
  check_range("min_tokens", params.min_tokens, 0, std::numeric_limits<int>::max());
  check_range("top_logprobs", params.top_logprobs, -1, 20);
  check_range("the number of stop strings", static_cast<double>(params.stop.size()), 0, 16);
  for (const std::string& stop : params.stop) {
    check_range("the length of a stop string in bytes", static_cast<double>(stop.size()), 1, 1024);
  }
  const auto check_id = [&](const char* name, int32_t id) {
    if (id < 0 || id >= vocab_size) {
      throw base::Error(base::Code::kInvalid,
                        fmt::format("{} names token {}; the model has tokens 0 to {}", name, id, vocab_size - 1));
    }
  };
  for (const auto& [id, bias] : params.logit_bias) {
    check_id("logit_bias", id);
    check_range("a logit_bias", bias, -1000, 1000);
  }
  for (const int32_t id : params.stop_token_ids) {
    check_id("stop_token_ids", id);
  }
}

float log_probability(std::span<const float> logits, int32_t id) {
  const float max = highest(logits);
  return static_cast<float>(static_cast<double>(logits[static_cast<size_t>(id)] - max) -
                            std::log(mass_of(logits, max, 1)));
}

Sampler::Sampler(const SamplingParams& params, std::span<const int32_t> prompt, std::span<const int32_t> end_ids,
                 uint64_t seed)
    : params_(params), end_ids_(end_ids.begin(), end_ids.end()), rng_(seed, "sampling") {
  if (params_.repetition_penalty != 1) {
    for (const int32_t id : prompt) {
      said_.try_emplace(id, 0);
    }
  }
}

void Sampler::penalise(std::span<float> logits) const {
  for (const auto& [id, bias] : params_.logit_bias) {
    logits[static_cast<size_t>(id)] += static_cast<float>(bias);
  }
  if (params_.repetition_penalty != 1 || params_.frequency_penalty != 0 || params_.presence_penalty != 0) {
    for (const auto& [id, count] : said_) {  // each id once, so the order of the map does not matter
      float& logit = logits[static_cast<size_t>(id)];
      const auto penalty = static_cast<float>(params_.repetition_penalty);
      logit = logit < 0 ? logit * penalty : logit / penalty;
      if (count > 0) {
        logit -= static_cast<float>(count * params_.frequency_penalty + params_.presence_penalty);
      }
    }
  }
  if (generated_ < params_.min_tokens) {
    for (const int32_t id : end_ids_) {
      logits[static_cast<size_t>(id)] = -std::numeric_limits<float>::infinity();
    }
  }
}

void Sampler::filter(std::span<const float> logits, std::vector<Candidate>& kept) const {
  const auto inverse = static_cast<float>(1 / params_.temperature);
  const bool by_mass = params_.top_p < 1;
  if (params_.top_k > 0) {
    take_top(logits, static_cast<size_t>(params_.top_k), kept);
    if (by_mass) {
      cut_at_mass(kept, params_.top_p, mass_of(kept, inverse), inverse);
    }
  } else if (by_mass) {
    // Few tokens hold most of the mass: sort few, and more only when they do not reach it.
    const double total = mass_of(logits, highest(logits), inverse);
    for (size_t k = 64;; k *= 16) {
      take_top(logits, k, kept);
      if (cut_at_mass(kept, params_.top_p, total, inverse) || k >= logits.size()) {
        break;
      }
    }
  } else if (params_.min_p > 0) {
    const float max = highest(logits);
    kept.clear();
    for (size_t i = 0; i < logits.size(); ++i) {
      if (std::exp((logits[i] - max) * inverse) >= params_.min_p) {
        kept.push_back({logits[i], static_cast<int32_t>(i)});
      }
    }
    std::sort(kept.begin(), kept.end(), before);
  } else {
    take_top(logits, logits.size(), kept);
  }
  if (params_.min_p > 0) {
    const float max = kept.front().logit;
    while (kept.size() > 1 && weight_of(kept.back(), max, inverse) < params_.min_p) {
      kept.pop_back();
    }
  }
  if (params_.typical_p < 1) {
    keep_typical(kept, params_.typical_p, inverse);
  }
}

int32_t Sampler::draw_from_all(std::span<const float> logits) {
  const auto inverse = static_cast<float>(1 / params_.temperature);
  const float max = highest(logits);
  double left = rng_.uniform() * mass_of(logits, max, inverse);
  int32_t last = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    const double weight = std::exp((logits[i] - max) * inverse);
    if (weight > 0) {
      last = static_cast<int32_t>(i);
      left -= weight;
      if (left < 0) {
        break;
      }
    }
  }
  return last;
}

Sampled Sampler::sample(std::span<float> logits, std::vector<Candidate>& scratch, std::span<const uint64_t> allowed) {
  const bool greedy = params_.temperature == 0 && params_.top_logprobs < 0;
  if (!greedy) {
    check_finite(logits);  // greedily only the chosen one need be
  }
  Sampled out;
  double log_total = 0;
  if (params_.top_logprobs >= 0) {
    const float max = highest(logits);
    log_total = static_cast<double>(max) + std::log(mass_of(logits, max, 1));
    take_top(logits, static_cast<size_t>(params_.top_logprobs), scratch);
    for (const Candidate& candidate : scratch) {
      out.likely.emplace_back(candidate.id, static_cast<float>(candidate.logit - log_total));
    }
  }
  std::vector<float> own;  // before penalties
  if (params_.top_logprobs >= 0) {
    own.assign(logits.begin(), logits.end());
  }
  if (!allowed.empty()) {
    keep_allowed(logits, allowed);
  }
  penalise(logits);
  if (params_.temperature == 0) {
    // The same index on every instruction set; NaN is chosen only when there is nothing else.
    static const base::Isa kIsa = base::select_isa();
    out.id = kernels::argmax(kIsa, static_cast<int>(logits.size()), logits.data());
    check_finite(logits.subspan(static_cast<size_t>(out.id), 1));
  } else if (params_.top_k == 0 && params_.top_p >= 1 && params_.min_p == 0 && params_.typical_p >= 1) {
    out.id = draw_from_all(logits);
  } else {
    filter(logits, scratch);
    const auto inverse = static_cast<float>(1 / params_.temperature);
    const float max = scratch.front().logit;
    double left = rng_.uniform() * mass_of(scratch, inverse);
    for (const Candidate& candidate : scratch) {
      const double weight = weight_of(candidate, max, inverse);
      if (weight > 0) {
        out.id = candidate.id;
        left -= weight;
        if (left < 0) {
          break;
        }
      }
    }
  }
  const auto chosen = static_cast<size_t>(out.id);
  if (!allowed.empty() && (chosen / 64 >= allowed.size() || ((allowed[chosen / 64] >> (chosen % 64)) & 1) == 0)) {
    throw base::Error(base::Code::kFailure, "the model gives no probability to any token that the constraint allows");
  }
  if (params_.top_logprobs >= 0) {
    out.logprob = static_cast<float>(own[static_cast<size_t>(out.id)] - log_total);
  }
  if (params_.repetition_penalty != 1 || params_.frequency_penalty != 0 || params_.presence_penalty != 0) {
    ++said_[out.id];
  }
  ++generated_;
  return out;
}

std::vector<std::pair<int32_t, double>> Sampler::distribution(std::span<float> logits,
                                                              std::vector<Candidate>& scratch) const {
  penalise(logits);
  filter(logits, scratch);
  const auto inverse = static_cast<float>(1 / params_.temperature);
  const float max = scratch.front().logit;
  const double total = mass_of(scratch, inverse);
  std::vector<std::pair<int32_t, double>> out;
  for (const Candidate& candidate : scratch) {
    out.emplace_back(candidate.id, weight_of(candidate, max, inverse) / total);
  }
  return out;
}

}  // namespace slipway::engine
