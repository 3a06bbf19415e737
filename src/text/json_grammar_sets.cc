// Arrays of distinct values, and numbers that are multiples of one.
#include <bit>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "text/json_grammar.h"

namespace slipway::text {
namespace {

constexpr int64_t kMaxMultiples = 10'000;  // that are written one by one
constexpr int64_t kEndings = 1000;         // divisors of this show in the last three digits

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

Grammar::Expr JsonGrammar::distinct(const std::vector<base::Json>& values, uint32_t min, uint32_t max) {
  SLIPWAY_CHECK(values.size() <= kMaxDistinct);
  const auto count = static_cast<uint32_t>(values.size());
  std::vector<Expr> elements;
  for (const base::Json& one : values) {
    elements.push_back(value(one));
  }
  // What may follow once the values of a mask were said: from the fullest mask down, so that all it needs is there.
  const uint32_t masks = uint32_t{1} << count;
  std::vector<Expr> after(masks);
  for (uint32_t mask = masks - 1; mask > 0; --mask) {
    const auto said = static_cast<uint32_t>(std::popcount(mask));
    std::vector<Expr> ways;
    if (said >= min) {
      ways.push_back(space());
    }
    for (uint32_t i = 0; i < count && said < max; ++i) {
      if ((mask >> i & 1) == 0) {
        ways.push_back(grammar_.sequence({comma(), elements[i], after[mask | 1U << i]}));
      }
    }
    const Grammar::Rule rule = grammar_.add_rule(fmt::format("distinct {:x}", mask));
    grammar_.define(rule, grammar_.any_of(std::move(ways)));
    after[mask] = grammar_.call(rule);
  }
  std::vector<Expr> first;
  for (uint32_t i = 0; i < count && max > 0; ++i) {
    first.push_back(grammar_.sequence({elements[i], after[1U << i]}));
  }
  const Expr some = grammar_.any_of(std::move(first));
  return enclosed('[', min > 0 ? some : grammar_.optional(some));
}

std::optional<Grammar::Expr> JsonGrammar::multiples(int64_t of, std::optional<int64_t> low,
                                                    std::optional<int64_t> high) {
  SLIPWAY_CHECK(of > 0);
  if (low && high) {
    const int64_t first = -floor_div(-*low, of);
    const int64_t last = floor_div(*high, of);
    if (last - first < kMaxMultiples) {
      std::vector<Expr> all;
      for (int64_t i = first; i <= last; ++i) {
        all.push_back(grammar_.literal(std::to_string(i * of)));
      }
      return grammar_.any_of(std::move(all));
    }
  }
  if (kEndings % of != 0) {
    return std::nullopt;
  }
  int64_t span = 1;  // 10^places: the least that `of` divides
  int places = 0;
  while (span % of != 0) {
    span *= 10;
    ++places;
  }
  if (places == 0) {
    return integer(low, high);
  }
  const Expr bounded = integer(low, high);
  const Expr ending = shared(fmt::format("multiples of {}", of), [&] {
    std::vector<Expr> endings;
    std::vector<Expr> tails;
    for (int64_t i = 0; i < span; i += of) {
      endings.push_back(grammar_.literal(std::to_string(i)));  // the whole number
      tails.push_back(grammar_.literal(fmt::format("{:0{}}", i, places)));
    }
    endings.push_back(grammar_.sequence({digits(1, Grammar::kUnlimited), grammar_.any_of(std::move(tails))}));
    return grammar_.sequence({grammar_.optional(grammar_.literal("-")), grammar_.any_of(std::move(endings))});
  });
  return grammar_.intersect(bounded, ending);
}

Grammar::Expr JsonGrammar::decimals(uint32_t places, std::optional<Bound> low, std::optional<Bound> high) {
  const Expr form = shared(fmt::format("{} decimals", places), [&] {
    const Expr fraction = grammar_.sequence({grammar_.literal("."), digits(1, places)});
    return grammar_.sequence({grammar_.optional(grammar_.literal("-")), digits(1, Grammar::kUnlimited),
                              grammar_.optional(fraction)});
  });
  return grammar_.intersect(number(low, high), form);
}

}  // namespace slipway::text
