#include "data/web_minhash.h"

#include <algorithm>
#include <array>
#include <random>

#include "base/cpu.h"
#include "base/error.h"
#include "base/hash.h"
#include "text/python_text.h"
#include "text/unicode.h"
#include "text/web_chars.h"

namespace slipway::data {
namespace {

constexpr uint64_t kPrime = (uint64_t{1} << 61U) - 1;

// datatrove's PUNCTUATION: of the marks that end sentences it has only the common ones.
bool is_removed(char32_t c, uint32_t classes) noexcept {
  if ((classes & text::kWebPunctuation) == 0) {
    return false;
  }
  if ((classes & text::kWebTerminal) == 0) {
    return true;
  }
  constexpr std::u32string_view kCommon = U".?!。？！．";
  return kCommon.find(c) != std::u32string_view::npos;
}

bool is_number_join(char32_t c) noexcept {
  constexpr std::u32string_view kJoins = U".,،٫⎖⎗⎘";
  return kJoins.find(c) != std::u32string_view::npos;
}

// The least of each function over the shingles. The compiler makes vectors of the inner loop where the machine has the
// multiplication (AVX-512DQ); the numbers are the same.
[[gnu::always_inline]] inline void sign_loop(std::span<const uint64_t> shingles, const uint64_t* a, const uint64_t* b,
                                             uint64_t* least, size_t hashes) {
  for (const uint64_t x : shingles) {
    for (size_t i = 0; i < hashes; ++i) {
      const uint64_t v = a[i] * x + b[i];
      uint64_t folded = (v & kPrime) + (v >> 61U);
      folded = folded >= kPrime ? folded - kPrime : folded;
      least[i] = folded < least[i] ? folded : least[i];
    }
  }
}

void sign_plain(std::span<const uint64_t> shingles, const uint64_t* a, const uint64_t* b, uint64_t* least,
                size_t hashes) {
  sign_loop(shingles, a, b, least, hashes);
}
#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,avx512vl"), optimize("O3"))) void sign_avx512(
    std::span<const uint64_t> shingles, const uint64_t* a, const uint64_t* b, uint64_t* least, size_t hashes) {
  sign_loop(shingles, a, b, least, hashes);
}
#endif

}  // namespace

namespace {

// What becomes of an ASCII character: most of a text.
enum class Becomes : uint8_t { kItself, kSpace, kZero };
std::array<Becomes, 128> ascii_table() {
  std::array<Becomes, 128> table{};
  for (unsigned char c = 0; c < table.size(); ++c) {
    const uint32_t classes = text::WebChars::get().ascii(c);
    table[c] = (classes & text::kWebDigit) != 0                              ? Becomes::kZero
               : (classes & text::kWebSpace) != 0 || is_removed(c, classes) ? Becomes::kSpace
                                                                             : Becomes::kItself;
  }
  return table;
}

}  // namespace

void simplify_text(std::string_view text, std::string& out) {
  static const std::array<Becomes, 128> kAscii = ascii_table();
  const text::WebChars& classes = text::WebChars::get();
  const std::string lower = text::python::lower(text);
  std::string spaced;
  spaced.reserve(lower.size());
  bool ascii = true;
  const auto space = [&] {
    if (!spaced.empty() && spaced.back() != ' ') {
      spaced += ' ';
    }
  };
  const auto is_decimal = [&](size_t at, text::Decoded& d) {
    if (at >= lower.size()) {
      return false;
    }
    d = text::decode_at(lower, at);
    return (classes(d.code) & text::kWebDigit) != 0;
  };
  const auto stays = [&](size_t at) {
    return at < lower.size() && static_cast<unsigned char>(lower[at]) < 0x80 &&
           kAscii[static_cast<unsigned char>(lower[at])] == Becomes::kItself;
  };
  for (size_t at = 0; at < lower.size();) {
    if (stays(at)) {
      const size_t begin = at;
      while (stays(++at)) {
      }
      spaced.append(lower, begin, at - begin);
      continue;
    }
    if (const auto byte = static_cast<unsigned char>(lower[at]); byte < 0x80 && kAscii[byte] == Becomes::kSpace) {
      space();
      ++at;
      continue;
    }
    text::Decoded d = text::decode_at(lower, at);
    const uint32_t c = classes(d.code);
    if ((c & text::kWebDigit) != 0) {  // digits, and once more behind one mark
      for (; is_decimal(at, d); at += d.size) {
      }
      if (at < lower.size() && is_number_join(d.code)) {
        size_t behind = at + d.size;
        if (is_decimal(behind, d)) {
          for (; is_decimal(behind, d); behind += d.size) {
          }
          at = behind;
        }
      }
      spaced += '0';
      continue;
    }
    if ((c & text::kWebSpace) != 0 || is_removed(d.code, c)) {
      space();
    } else {
      spaced.append(lower, at, d.size);
      ascii = ascii && d.code < 0x80;
    }
    at += d.size;
  }
  if (spaced.ends_with(' ')) {
    spaced.pop_back();
  }
  if (ascii) {
    out = std::move(spaced);
    return;
  }
  const std::string apart = text::normalize(spaced, text::NormalForm::kNfd);
  out.clear();
  for (size_t at = 0; at < apart.size();) {
    const text::Decoded d = text::decode_at(apart, at);
    if (!text::is_nonspacing_mark(d.code)) {
      out.append(apart, at, d.size);
    }
    at += d.size;
  }
  while (out.ends_with(' ')) {
    out.pop_back();
  }
  out.erase(0, std::min(out.find_first_not_of(' '), out.size()));
}

void WebShingler::shingles(std::string_view text, size_t n, std::vector<uint64_t>& out) {
  simplify_text(text, simple_);
  words_.scan(simple_, tokens_);
  joined_.clear();
  begin_.clear();
  n_ = n;
  for (const text::WebToken& token : tokens_) {
    begin_.push_back(joined_.size());
    joined_.append(simple_, token.begin, token.size);
    joined_ += ' ';
  }
  begin_.push_back(joined_.size());
  out.clear();
  for (size_t i = 0; i + n < begin_.size(); ++i) {
    out.push_back(base::xxh64(run(i)));
  }
}

std::string_view WebShingler::run(size_t i) const noexcept {
  return std::string_view(joined_).substr(begin_[i], begin_[i + n_] - begin_[i] - 1);
}

WebMinHasher::WebMinHasher(int hashes, uint32_t seed) {
  SLIPWAY_CHECK(hashes > 0 && hashes <= 4096);
  std::mt19937 generator(seed);  // the engine is standardised, and NumPy's RandomState(seed) is the same one
  const auto draw = [&](uint64_t low, std::vector<uint64_t>& values) {
    for (int i = 0; i < hashes; ++i) {
      uint64_t value = 0;
      do {
        const uint64_t high = generator();
        value = ((high << 32U) | generator()) & kPrime;
      } while (value > kPrime - 1 - low);
      values.push_back(low + value);
    }
  };
  draw(1, a_);
  draw(0, b_);
}

void WebMinHasher::sign(std::span<const uint64_t> shingles, std::span<uint64_t> signature) const noexcept {
  std::fill(signature.begin(), signature.end(), ~uint64_t{0});
#if defined(__x86_64__)
  if (base::cpu_features().avx512) {
    sign_avx512(shingles, a_.data(), b_.data(), signature.data(), signature.size());
    return;
  }
#endif
  sign_plain(shingles, a_.data(), b_.data(), signature.data(), signature.size());
}

}  // namespace slipway::data
