#include "data/quality_rules.h"

#include <array>

namespace slipway::data {
namespace {

using S = QualityStage;
using enum Breaks;

// clang-format off
constexpr QualityRule kRules[] = {
    // datatrove GopherRepetitionFilter
    {S::kRepetition, "dup_para_frac", 0.3, Signal::kDupParagraphs, kAbove, "dup_para_frac"},
    {S::kRepetition, "dup_para_char_frac", 0.2, Signal::kDupParagraphChars, kAbove, "dup_para_char_frac"},
    {S::kRepetition, "dup_line_frac", 0.3, Signal::kDupLines, kAbove, "dup_line_frac"},
    {S::kRepetition, "dup_line_char_frac", 0.2, Signal::kDupLineChars, kAbove, "dup_line_char_frac"},
    {S::kRepetition, "top_2_gram", 0.2, Signal::kTop2, kAbove, "top_2_gram"},
    {S::kRepetition, "top_3_gram", 0.18, Signal::kTop3, kAbove, "top_3_gram"},
    {S::kRepetition, "top_4_gram", 0.16, Signal::kTop4, kAbove, "top_4_gram"},
    {S::kRepetition, "dup_5_gram", 0.15, Signal::kDup5, kAbove, "duplicated_5_n_grams"},
    {S::kRepetition, "dup_6_gram", 0.14, Signal::kDup6, kAbove, "duplicated_6_n_grams"},
    {S::kRepetition, "dup_7_gram", 0.13, Signal::kDup7, kAbove, "duplicated_7_n_grams"},
    {S::kRepetition, "dup_8_gram", 0.12, Signal::kDup8, kAbove, "duplicated_8_n_grams"},
    {S::kRepetition, "dup_9_gram", 0.11, Signal::kDup9, kAbove, "duplicated_9_n_grams"},
    {S::kRepetition, "dup_10_gram", 0.10, Signal::kDup10, kAbove, "duplicated_10_n_grams"},
    // datatrove GopherQualityFilter
    {S::kGopher, "min_doc_words", 50, Signal::kGopherWords, kBelow, "gopher_short_doc"},
    {S::kGopher, "max_doc_words", 100000, Signal::kGopherWords, kAbove, "gopher_long_doc"},
    {S::kGopher, "min_avg_word_length", 3, Signal::kGopherMeanWordLength, kBelow, "gopher_below_avg_threshold"},
    {S::kGopher, "max_avg_word_length", 10, Signal::kGopherMeanWordLength, kAbove, "gopher_above_avg_threshold"},
    {S::kGopher, "max_symbol_word_ratio", 0.1, Signal::kGopherHashRatio, kAbove, "gopher_too_many_hashes"},
    {S::kGopher, "max_symbol_word_ratio", 0.1, Signal::kGopherEllipsisRatio, kAbove, "gopher_too_many_ellipsis"},
    {S::kGopher, "max_bullet_lines_ratio", 0.9, Signal::kGopherBulletLines, kAbove, "gopher_too_many_bullets"},
    {S::kGopher, "max_ellipsis_lines_ratio", 0.3, Signal::kGopherEllipsisLines, kAbove, "gopher_too_many_end_ellipsis"},
    {S::kGopher, "max_non_alpha_words_ratio", 0.8, Signal::kGopherAlphaWords, kBelow, "gopher_below_alpha_threshold"},
    {S::kGopher, "min_stop_words", 2, Signal::kGopherStopWords, kBelow, "gopher_enough_stop_words"},
    // datatrove C4QualityFilter; which of the first two comes first in the text is the reason
    {S::kC4, "filter_lorem_ipsum", 1, Signal::kC4LoremIpsumLine, kPositive, "lorem_ipsum"},
    {S::kC4, "filter_curly_bracket", 1, Signal::kC4CurlyBracketLine, kPositive, "curly_bracket"},
    {S::kC4, "min_num_sentences", 5, Signal::kC4Sentences, kBelow, "too_few_sentences"},
    // datatrove C4ParagraphFilter
    {S::kC4Paragraphs, "min_paragraphs", 3, Signal::kC4Paragraphs, kBelow, "< 3 paragraphs"},
    {S::kC4Paragraphs, "min_paragraph_len", 200, Signal::kC4ThirdParagraph, kBelow, "< 3 paragraphs"},
    // datatrove C4BadWordsFilter
    {S::kC4BadWords, "filter_bad_words", 1, Signal::kC4BadWords, kPositive, "document_removed_with_badwords"},
    // datatrove FineWebQualityFilter
    {S::kFineweb, "line_punct_thr", 0.12, Signal::kFinewebLinePunct, kBelow, "line_punct_ratio"},
    {S::kFineweb, "short_line_thr", 0.67, Signal::kFinewebShortLines, kAbove, "short_line_ratio"},
    {S::kFineweb, "char_duplicates_ratio", 0.01, Signal::kFinewebCharDup, kAbove, "char_dup_ratio"},
    {S::kFineweb, "new_line_ratio", 0.3, Signal::kFinewebNewLines, kAbove, "list_ratio"},
    // dolma: gopher_v1 with the thresholds of the mixer of Dolma 1.6 (configs/dolma-v1_6/mixing/cc-head.yaml)
    {S::kDolma, "min_word_count", 50, Signal::kDolmaWords, kBelow, "word_count"},
    {S::kDolma, "max_word_count", 100000, Signal::kDolmaWords, kAbove, "word_count"},
    {S::kDolma, "min_median_word_length", 3, Signal::kDolmaMedianWordLength, kBelow, "median_word_length"},
    {S::kDolma, "max_median_word_length", 10, Signal::kDolmaMedianWordLength, kAbove, "median_word_length"},
    {S::kDolma, "symbol_to_word_ratio", 0.1, Signal::kDolmaSymbolRatio, kAbove, "symbol_to_word_ratio"},
    {S::kDolma, "fraction_of_words_with_alpha_character", 0.8, Signal::kDolmaAlphaWords, kBelow,
     "fraction_of_words_with_alpha_character"},
    {S::kDolma, "required_word_count", 2, Signal::kDolmaRequiredWords, kBelow, "required_word_count"},
    {S::kDolma, "fraction_of_lines_starting_with_bullet_point", 0.9, Signal::kDolmaBulletLines, kAbove,
     "fraction_of_lines_starting_with_bullet_point"},
    {S::kDolma, "fraction_of_lines_ending_with_ellipsis", 0.3, Signal::kDolmaEllipsisLines, kAbove,
     "fraction_of_lines_ending_with_ellipsis"},
    {S::kDolma, "fraction_of_duplicate_lines", 0.3, Signal::kDolmaDupLines, kAbove, "fraction_of_duplicate_lines"},
    {S::kDolma, "fraction_of_characters_in_duplicate_lines", 0.3, Signal::kDolmaDupLineChars, kAbove,
     "fraction_of_characters_in_duplicate_lines"},
    {S::kDolma, "fraction_of_characters_in_most_common_2grams", 0.2, Signal::kDolmaTop2, kAbove,
     "fraction_of_characters_in_most_common_2grams"},
    {S::kDolma, "fraction_of_characters_in_most_common_3grams", 0.18, Signal::kDolmaTop3, kAbove,
     "fraction_of_characters_in_most_common_3grams"},
    {S::kDolma, "fraction_of_characters_in_most_common_4grams", 0.16, Signal::kDolmaTop4, kAbove,
     "fraction_of_characters_in_most_common_4grams"},
    {S::kDolma, "fraction_of_characters_in_duplicate_5grams", 0.15, Signal::kDolmaDup5, kAbove,
     "fraction_of_characters_in_duplicate_5grams"},
    {S::kDolma, "fraction_of_characters_in_duplicate_6grams", 0.14, Signal::kDolmaDup6, kAbove,
     "fraction_of_characters_in_duplicate_6grams"},
    {S::kDolma, "fraction_of_characters_in_duplicate_7grams", 0.13, Signal::kDolmaDup7, kAbove,
     "fraction_of_characters_in_duplicate_7grams"},
    {S::kDolma, "fraction_of_characters_in_duplicate_8grams", 0.12, Signal::kDolmaDup8, kAbove,
     "fraction_of_characters_in_duplicate_8grams"},
    {S::kDolma, "fraction_of_characters_in_duplicate_9grams", 0.11, Signal::kDolmaDup9, kAbove,
     "fraction_of_characters_in_duplicate_9grams"},
    {S::kDolma, "fraction_of_characters_in_duplicate_10grams", 0.10, Signal::kDolmaDup10, kAbove,
     "fraction_of_characters_in_duplicate_10grams"},
    // RedPajama-V2 drops nothing; these are the Gopher rules of its data set card
    {S::kRedpajama, "min_word_count", 50, Signal::kRpsWords, kBelow, "rps_doc_word_count"},
    {S::kRedpajama, "max_word_count", 10000, Signal::kRpsWords, kAbove, "rps_doc_word_count"},
    {S::kRedpajama, "min_mean_word_length", 3, Signal::kRpsMeanWordLength, kBelow, "rps_doc_mean_word_length"},
    {S::kRedpajama, "max_mean_word_length", 10, Signal::kRpsMeanWordLength, kAbove, "rps_doc_mean_word_length"},
    {S::kRedpajama, "symbol_to_word_ratio", 0.1, Signal::kRpsSymbolRatio, kAbove, "rps_doc_symbol_to_word_ratio"},
    {S::kRedpajama, "start_with_bulletpoint", 0.9, Signal::kRpsLineBullet, kAbove, "rps_lines_start_with_bulletpoint"},
    {S::kRedpajama, "frac_chars_top_2gram", 0.2, Signal::kRpsTop2, kAbove, "rps_doc_frac_chars_top_2gram"},
    // NeMo Curator, heuristic_filter_english_pipeline.yaml
    {S::kNemo, "max_non_alpha_numeric_to_text_ratio", 0.25, Signal::kNemoNonAlphanumeric, kAbove, "alpha_numeric"},
    {S::kNemo, "max_symbol_to_word_ratio", 0.1, Signal::kNemoSymbols, kAbove, "symbol_to_word"},
    {S::kNemo, "max_number_to_text_ratio", 0.15, Signal::kNemoNumbers, kAbove, "numbers_ratio"},
    {S::kNemo, "max_url_to_text_ratio", 0.2, Signal::kNemoUrls, kAbove, "urls_ratio"},
    {S::kNemo, "max_white_space_ratio", 0.25, Signal::kNemoWhiteSpace, kAbove, "white_space"},
    {S::kNemo, "max_parentheses_ratio", 0.1, Signal::kNemoParentheses, kAbove, "parentheses_ratio"},
    {S::kNemo, "max_boilerplate_string_ratio", 0.4, Signal::kNemoBoilerplate, kAbove, "boilerplate_string_ratio"},
    {S::kNemo, "max_repeated_line_fraction", 0.7, Signal::kNemoUniqueLines, kBelow, "repeated_lines"},
    {S::kNemo, "max_repeated_paragraphs_ratio", 0.7, Signal::kNemoUniqueParagraphs, kBelow, "repeated_paragraphs"},
    {S::kNemo, "max_repeated_lines_char_ratio", 0.8, Signal::kNemoUniqueLineChars, kBelow, "repeated_lines_char"},
    {S::kNemo, "max_repeated_paragraphs_char_ratio", 0.8, Signal::kNemoUniqueParagraphChars, kBelow, "repeated_paragraphs_char"},
    {S::kNemo, "min_words", 50, Signal::kNemoWords, kBelow, "word_count"},
    {S::kNemo, "max_words", 100000, Signal::kNemoWords, kAbove, "word_count"},
    {S::kNemo, "max_num_sentences_without_endmark_ratio", 0.85, Signal::kNemoNoEndMark, kAbove, "punctuation"},
    {S::kNemo, "min_words_with_alphabets", 0.8, Signal::kNemoAlphaWords, kBelow, "words_without_alphabets"},
    {S::kNemo, "min_num_common_words", 2, Signal::kNemoCommonWords, kBelow, "common_english_words"},
    {S::kNemo, "min_mean_word_length", 3, Signal::kNemoMeanWordLength, kBelow, "mean_word_length"},
    {S::kNemo, "max_mean_word_length", 10, Signal::kNemoMeanWordLength, kAbove, "mean_word_length"},
    {S::kNemo, "max_word_length", 1000, Signal::kNemoLongestWord, kAbove, "max_word_length"},
    {S::kNemo, "max_num_lines_ending_with_ellipsis_ratio", 0.3, Signal::kNemoEllipsis, kAbove, "ellipsis"},
    {S::kNemo, "top_2gram_ratio", 0.2, Signal::kNemoTop2, kAbove, "repeating_top_2grams"},
    {S::kNemo, "top_3gram_ratio", 0.18, Signal::kNemoTop3, kAbove, "repeating_top_3grams"},
    {S::kNemo, "top_4gram_ratio", 0.16, Signal::kNemoTop4, kAbove, "repeating_top_4grams"},
    {S::kNemo, "dup_5gram_ratio", 0.15, Signal::kNemoDup5, kAbove, "repeating_dup_5gram"},
    {S::kNemo, "dup_6gram_ratio", 0.14, Signal::kNemoDup6, kAbove, "repeating_dup_6gram"},
    {S::kNemo, "dup_7gram_ratio", 0.13, Signal::kNemoDup7, kAbove, "repeating_dup_7gram"},
    {S::kNemo, "dup_8gram_ratio", 0.12, Signal::kNemoDup8, kAbove, "repeating_dup_8gram"},
    {S::kNemo, "dup_9gram_ratio", 0.11, Signal::kNemoDup9, kAbove, "repeating_dup_9gram"},
    {S::kNemo, "dup_10gram_ratio", 0.10, Signal::kNemoDup10, kAbove, "repeating_dup_10gram"},
    {S::kNemo, "max_bullet_lines_ratio", 0.9, Signal::kNemoBullets, kAbove, "bullet_ratio"},
};
// clang-format on

}  // namespace

std::span<const QualityRule> quality_rules() noexcept { return kRules; }

}  // namespace slipway::data
