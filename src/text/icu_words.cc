#include "text/icu_words.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/shared_library.h"
#include "text/unicode.h"

namespace slipway::text {

using base::Code;
using base::Error;

// The C interface of unicode/ubrk.h and utext.h, whose names end in the library's version. Handles are opaque; an error code
// above 0 is a failure.
struct IcuWords::Library {
  static constexpr int kWord = 1;  // UBRK_WORD
  base::SharedLibrary object;
  std::string suffix;
  void* (*open)(int type, const char* locale, const char16_t* text, int32_t length, int* error) = nullptr;
  void (*close)(void* iterator) = nullptr;
  void (*set_text)(void* iterator, void* text, int* error) = nullptr;
  int32_t (*next)(void* iterator) = nullptr;
  void* (*open_text)(void* reused, const char* text, int64_t length, int* error) = nullptr;
  void* (*close_text)(void* text) = nullptr;
  void (*version)(uint8_t numbers[4]) = nullptr;

  Library(const char* file, int number)
      : object({file, "cutting words without blanks", "libicu72", "60"}), suffix(fmt::format("_{}", number)) {
    object.find(("ubrk_open" + suffix).c_str(), open);
    object.find(("ubrk_close" + suffix).c_str(), close);
    object.find(("ubrk_setUText" + suffix).c_str(), set_text);
    object.find(("ubrk_next" + suffix).c_str(), next);
    object.find(("utext_openUTF8" + suffix).c_str(), open_text);
    object.find(("utext_close" + suffix).c_str(), close_text);
    object.find(("u_getVersion" + suffix).c_str(), version);
  }

  // Debian 12's version first, then newer and older ones.
  static std::unique_ptr<const Library> load() {
    constexpr std::array<int, 20> kVersions = {72, 80, 79, 78, 77, 76, 75, 74, 73, 71, 70, 69, 68, 67, 66, 65, 64, 63, 61, 60};
    for (const int number : kVersions) {
      try {
        return std::make_unique<Library>(fmt::format("libicuuc.so.{}", number).c_str(), number);
      } catch (const Error&) {
        continue;
      }
    }
    return std::make_unique<Library>("libicuuc.so.72", kVersions[0]);  // throws, and says what is missing
  }
};

const IcuWords::Library& IcuWords::library() {
  static const std::unique_ptr<const Library> kLibrary = Library::load();
  return *kLibrary;
}

bool needs_icu(std::string_view language) noexcept {
  constexpr std::array<std::string_view, 4> kLanguages = {"km", "lo", "my", "th"};
  return std::find(kLanguages.begin(), kLanguages.end(), language.substr(0, language.find('-'))) != kLanguages.end();
}

IcuWords::IcuWords(const std::string& language) {
  int error = 0;
  iterator_ = library().open(Library::kWord, language.c_str(), nullptr, 0, &error);
  if (error > 0 || iterator_ == nullptr) {
    throw Error(Code::kFailure, fmt::format("ICU has no words of the language '{}' (its error {})", language, error));
  }
}

IcuWords::~IcuWords() {
  if (iterator_ != nullptr) {
    library().close(iterator_);
  }
}

IcuWords::IcuWords(IcuWords&& other) noexcept : iterator_(std::exchange(other.iterator_, nullptr)) {}

void IcuWords::cut(std::string_view text, std::vector<std::string_view>& words) {
  words.clear();
  if (text.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    throw Error(Code::kInvalid, fmt::format("a text of {} bytes is longer than ICU can cut, 2 GB", text.size()));
  }
  int error = 0;
  void* const opened = library().open_text(nullptr, text.data(), static_cast<int64_t>(text.size()), &error);
  library().set_text(iterator_, opened, &error);
  if (error > 0) {
    library().close_text(opened);
    throw Error(Code::kFailure, fmt::format("ICU cannot read the text (its error {})", error));
  }
  // The iterator stands at 0; boundaries are bytes of the text.
  size_t begin = 0;
  for (int32_t at = library().next(iterator_); at >= 0; at = library().next(iterator_)) {
    const auto end = std::min(static_cast<size_t>(at), text.size());
    const std::string_view piece = text.substr(begin, end - begin);
    if (!piece.empty() && !is_whitespace(decode_at(piece, 0).code)) {
      words.push_back(piece);
    }
    begin = end;
  }
  library().close_text(opened);
}

std::string IcuWords::version() {
  uint8_t numbers[4] = {};
  library().version(numbers);
  return fmt::format("{}.{}", numbers[0], numbers[1]);
}

}  // namespace slipway::text
