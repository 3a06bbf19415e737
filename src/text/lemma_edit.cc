#include "text/lemma_edit.h"

#include <charconv>
#include <fmt/format.h>

#include "text/unicode.h"

namespace slipway::text {
namespace {

std::string cased(std::string_view form, char how) {
  if (how == 'k') {
    return std::string(form);
  }
  std::string out = lowercase(form);
  if (how == 'u' && !out.empty()) {
    const Decoded first = decode_at(out, 0);
    std::string upper;
    append_utf8(to_upper(first.code), upper);
    out.replace(0, first.size, upper);
  }
  return out;
}

// Bytes of the longest common begin, in whole characters.
size_t common(std::string_view a, std::string_view b) {
  size_t at = 0;
  while (at < a.size() && at < b.size()) {
    const Decoded x = decode_at(a, at);
    const Decoded y = decode_at(b, at);
    if (x.code != y.code || x.size != y.size) {
      break;
    }
    at += x.size;
  }
  return at;
}

}  // namespace

std::string lemma_edit(std::string_view form, std::string_view lemma) {
  char best_case = 'k';
  size_t best = 0;
  std::string best_form(form);
  for (const char how : {'k', 'l', 'u'}) {
    std::string changed = cased(form, how);
    const size_t same = common(changed, lemma);
    if (how == 'k' || same > best) {
      best = same;
      best_case = how;
      best_form = std::move(changed);
    }
  }
  return fmt::format("{}|{}|{}", best_case, count_code_points(std::string_view(best_form).substr(best)), lemma.substr(best));
}

std::string apply_lemma_edit(std::string_view form, std::string_view edit) {
  if (edit.size() < 4 || edit[1] != '|') {
    return std::string(form);
  }
  size_t cut = 0;
  const auto [stop, error] = std::from_chars(edit.data() + 2, edit.data() + edit.size(), cut);
  if (error != std::errc() || stop == edit.data() + edit.size() || *stop != '|') {
    return std::string(form);
  }
  const std::string changed = cased(form, edit[0]);
  const size_t characters = count_code_points(changed);
  if (cut > characters) {
    return std::string(form);
  }
  std::string out(prefix_code_points(changed, characters - cut));
  out += edit.substr(static_cast<size_t>(stop - edit.data()) + 1);
  return out.empty() ? std::string(form) : out;
}

}  // namespace slipway::text
