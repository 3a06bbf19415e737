#include "engine/perplexity.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::engine {
namespace {

constexpr int kDefaultWindow = 1024;

struct Window {
  int64_t size = 0;    // tokens of the text in one pass
  int64_t stride = 0;  // at most `size`, or at most size - 1 where the first token of a pass has nothing before it
};

Window window_of(const PerplexityOptions& options, int context, bool bos) {
  const int whole = options.window > 0 ? options.window : std::min(kDefaultWindow, context);
  if (whole > context) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("a window of {} tokens does not fit in the context of {}", whole, context));
  }
  const int64_t size = bos ? whole - 1 : whole;
  const int64_t longest = bos ? size : size - 1;
  if (longest < 1) {
    throw base::Error(base::Code::kInvalid, fmt::format("a window of {} tokens leaves none to score", whole));
  }
  const int64_t stride = options.stride > 0 ? options.stride : std::max<int64_t>(1, whole / 2);
  if (stride > longest) {
    throw base::Error(
        base::Code::kInvalid,
        fmt::format("a stride of {} tokens skips some; with this window it is at most {}", stride, longest));
  }
  return {size, stride};
}

}  // namespace

void PerplexityOptions::describe(base::FieldTable& table) {
  table.add("window", window, "tokens of one pass; 0: the model's context, at most 1024", {0, 1 << 24});
  table.add("stride", stride, "tokens that the window moves on; 0: half of it", {0, 1 << 24});
}

double PerplexitySums::perplexity() const { return std::exp(-logprob / static_cast<double>(tokens)); }

PerplexitySums& PerplexitySums::operator+=(const PerplexitySums& other) {
  logprob += other.logprob;
  tokens += other.tokens;
  computed += other.computed;
  return *this;
}

PerplexitySums perplexity(Generator& generator, std::span<const int32_t> ids, const PerplexityOptions& options,
                          const std::function<void(int64_t)>& scored) {
  const int32_t bos = generator.info().bos_id;
  const bool with_bos = bos >= 0 && !ids.empty() && ids.front() == bos;
  const Window window = window_of(options, generator.info().context_length, with_bos);
  const std::span<const int32_t> text = with_bos ? ids.subspan(1) : ids;
  const auto total = static_cast<int64_t>(text.size());
  PerplexitySums sums;
  int64_t done = with_bos ? 0 : 1;  // the first token of all has nothing before it
  for (int64_t begin = 0; done < total; begin += window.stride) {
    const int64_t end = std::min(begin + window.size, total);
    GenerateRequest request;
    if (with_bos) {
      request.ids.push_back(bos);
    }
    request.ids.insert(request.ids.end(), text.begin() + begin, text.begin() + end);
    request.adapter = options.adapter;
    request.max_tokens = 0;
    request.prompt_logprobs_from = static_cast<int>(done - begin) + (with_bos ? 1 : 0);
    sums.computed += static_cast<int64_t>(request.ids.size());
    for (const float logprob : generate(generator, std::move(request)).prompt_logprobs) {
      sums.logprob += static_cast<double>(logprob);
      ++sums.tokens;
    }
    done = end;
    if (scored) {
      scored(done);
    }
  }
  return sums;
}

}  // namespace slipway::engine
