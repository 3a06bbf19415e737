#include "data/signals.h"

#include <algorithm>

#include "text/unicode.h"
#include "text/web_chars.h"

namespace slipway::data {
namespace {

constexpr std::array<std::string_view, kSignals> kNames = {"gopher_words",
                                                           "gopher_mean_word_length",
                                                           "gopher_hash_ratio",
                                                           "gopher_ellipsis_ratio",
                                                           "gopher_bullet_lines_ratio",
                                                           "gopher_ellipsis_lines_ratio",
                                                           "gopher_alpha_words_ratio",
                                                           "gopher_stop_words",
                                                           "dup_para_frac",
                                                           "dup_para_char_frac",
                                                           "dup_line_frac",
                                                           "dup_line_char_frac",
                                                           "top_2_gram",
                                                           "top_3_gram",
                                                           "top_4_gram",
                                                           "dup_5_gram",
                                                           "dup_6_gram",
                                                           "dup_7_gram",
                                                           "dup_8_gram",
                                                           "dup_9_gram",
                                                           "dup_10_gram",
                                                           "c4_lorem_ipsum_line",
                                                           "c4_curly_bracket_line",
                                                           "c4_sentences",
                                                           "c4_lines_kept",
                                                           "c4_lines",
                                                           "c4_paragraphs",
                                                           "c4_third_paragraph",
                                                           "c4_bad_words",
                                                           "fineweb_lines",
                                                           "fineweb_line_punct_ratio",
                                                           "fineweb_short_line_ratio",
                                                           "fineweb_char_dup_ratio",
                                                           "fineweb_list_ratio",
                                                           "dolma_fraction_of_characters_in_most_common_2grams",
                                                           "dolma_fraction_of_characters_in_most_common_3grams",
                                                           "dolma_fraction_of_characters_in_most_common_4grams",
                                                           "dolma_fraction_of_characters_in_duplicate_5grams",
                                                           "dolma_fraction_of_characters_in_duplicate_6grams",
                                                           "dolma_fraction_of_characters_in_duplicate_7grams",
                                                           "dolma_fraction_of_characters_in_duplicate_8grams",
                                                           "dolma_fraction_of_characters_in_duplicate_9grams",
                                                           "dolma_fraction_of_characters_in_duplicate_10grams",
                                                           "dolma_character_count",
                                                           "dolma_word_count",
                                                           "dolma_median_word_length",
                                                           "dolma_symbol_to_word_ratio",
                                                           "dolma_fraction_of_words_with_alpha_character",
                                                           "dolma_required_word_count",
                                                           "dolma_fraction_of_lines_starting_with_bullet_point",
                                                           "dolma_fraction_of_lines_ending_with_ellipsis",
                                                           "dolma_fraction_of_duplicate_lines",
                                                           "dolma_fraction_of_characters_in_duplicate_lines",
                                                           "dolma_v2_fraction_of_lines_starting_with_bullet_point",
                                                           "dolma_v2_fraction_of_lines_ending_with_ellipsis",
                                                           "dolma_v2_fraction_of_duplicate_lines",
                                                           "dolma_v2_fraction_of_characters_in_duplicate_lines",
                                                           "dolma_c4_lines_with_no_ending_punctuation",
                                                           "dolma_c4_lines_with_too_few_words",
                                                           "dolma_c4_has_naughty_word",
                                                           "dolma_c4_has_javascript",
                                                           "dolma_c4_v1_has_javascript",
                                                           "dolma_c4_has_lorem_ipsum",
                                                           "dolma_c4_has_curly_brace",
                                                           "dolma_c4_line_count",
                                                           "rps_doc_word_count",
                                                           "rps_doc_mean_word_length",
                                                           "rps_doc_symbol_to_word_ratio",
                                                           "rps_doc_frac_lines_end_with_ellipsis",
                                                           "rps_doc_frac_no_alph_words",
                                                           "rps_doc_frac_unique_words",
                                                           "rps_doc_unigram_entropy",
                                                           "rps_doc_num_sentences",
                                                           "rps_doc_frac_all_caps_words",
                                                           "rps_doc_curly_bracket",
                                                           "rps_doc_lorem_ipsum",
                                                           "rps_doc_ldnoobw_words",
                                                           "rps_doc_stop_word_fraction",
                                                           "rps_doc_frac_chars_top_2gram",
                                                           "rps_doc_frac_chars_top_3gram",
                                                           "rps_doc_frac_chars_top_4gram",
                                                           "rps_doc_frac_chars_dupe_5grams",
                                                           "rps_doc_frac_chars_dupe_6grams",
                                                           "rps_doc_frac_chars_dupe_7grams",
                                                           "rps_doc_frac_chars_dupe_8grams",
                                                           "rps_doc_frac_chars_dupe_9grams",
                                                           "rps_doc_frac_chars_dupe_10grams",
                                                           "rps_lines",
                                                           "rps_lines_ending_with_terminal_punctution_mark",
                                                           "rps_lines_javascript_counts",
                                                           "rps_lines_num_words",
                                                           "rps_lines_numerical_chars_fraction",
                                                           "rps_lines_start_with_bulletpoint",
                                                           "rps_lines_uppercase_letter_fraction",
                                                           "nemo_alpha_numeric",
                                                           "nemo_symbol_to_word",
                                                           "nemo_numbers_ratio",
                                                           "nemo_urls_ratio",
                                                           "nemo_white_space",
                                                           "nemo_parentheses_ratio",
                                                           "nemo_boilerplate_string_ratio",
                                                           "nemo_repeated_lines",
                                                           "nemo_repeated_paragraphs",
                                                           "nemo_repeated_lines_char",
                                                           "nemo_repeated_paragraphs_char",
                                                           "nemo_word_count",
                                                           "nemo_punctuation",
                                                           "nemo_words_without_alphabets",
                                                           "nemo_common_english_words",
                                                           "nemo_mean_word_length",
                                                           "nemo_max_word_length",
                                                           "nemo_ellipsis",
                                                           "nemo_repeating_top_2grams",
                                                           "nemo_repeating_top_3grams",
                                                           "nemo_repeating_top_4grams",
                                                           "nemo_repeating_dup_5gram",
                                                           "nemo_repeating_dup_6gram",
                                                           "nemo_repeating_dup_7gram",
                                                           "nemo_repeating_dup_8gram",
                                                           "nemo_repeating_dup_9gram",
                                                           "nemo_repeating_dup_10gram",
                                                           "nemo_bullet_ratio"};
static_assert(std::none_of(kNames.begin(), kNames.end(), [](std::string_view name) { return name.empty(); }));

}  // namespace

std::string_view signal_name(Signal signal) noexcept { return kNames[static_cast<size_t>(signal)]; }

BadWords::BadWords(std::span<const std::string> words, bool with_boundaries)
    : words_(words.begin(), words.end()), with_boundaries_(with_boundaries) {
  std::erase_if(words_, [](const std::string& word) { return word.empty(); });
  std::sort(words_.begin(), words_.end());
  words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
  for (size_t byte = 0; byte < 257; ++byte) {
    const auto begin = std::find_if(words_.begin(), words_.end(), [byte](const std::string& word) {
      return static_cast<unsigned char>(word.front()) >= byte;
    });
    first_[byte] = static_cast<uint32_t>(begin - words_.begin());
  }
}

bool BadWords::found_in(std::string_view lower_text) const noexcept {
  const text::WebChars& chars = text::WebChars::get();
  const auto is_word_at = [&](size_t at) {
    const auto byte = static_cast<unsigned char>(lower_text[at]);
    return ((byte < 0x80 ? chars.ascii(byte) : chars(text::decode_at(lower_text, at).code)) & text::kWebWord) != 0;
  };
  bool boundary = true;  // whether what is before `at` is no part of a word
  for (size_t at = 0; at < lower_text.size();) {
    const auto byte = static_cast<unsigned char>(lower_text[at]);
    if (boundary || !with_boundaries_) {
      for (uint32_t i = first_[byte]; i < first_[size_t{byte} + 1]; ++i) {
        const size_t end = at + words_[i].size();
        if (lower_text.substr(at).starts_with(words_[i]) &&
            (!with_boundaries_ || end == lower_text.size() || !is_word_at(end))) {
          return true;
        }
      }
    }
    boundary = !is_word_at(at);
    at += byte < 0x80 ? 1 : text::decode_at(lower_text, at).size;
  }
  return false;
}

}  // namespace slipway::data
