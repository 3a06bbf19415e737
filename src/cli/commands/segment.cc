// slipway segment: words of lines of text.
#include <array>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/lexicon_flags.h"
#include "cli/text_stream.h"
#include "text/icu_words.h"
#include "text/words.h"

namespace slipway::cli {
namespace {

using Words = std::vector<std::string_view>;

// Cuts one line; made once a block, so that it keeps its memory between lines.
using Cut = std::function<void(std::string_view line, Words& words)>;

// The first and the last kPart bytes, which overlap unless there are twice as many.
template <size_t kPart>
void copy_ends(const char* from, size_t size, char* to) noexcept {
  std::array<char, kPart> first;
  std::array<char, kPart> last;
  std::memcpy(first.data(), from, kPart);
  std::memcpy(last.data(), from + size - kPart, kPart);
  std::memcpy(to, first.data(), kPart);
  std::memcpy(to + size - kPart, last.data(), kPart);
}

// Copies `size` bytes and returns where they end: words are short, a call each would cost more than they do.
char* copy_short(const char* from, size_t size, char* to) noexcept {
  if (size > 16) {
    std::memcpy(to, from, size);
  } else if (size >= 8) {
    copy_ends<8>(from, size, to);
  } else if (size >= 4) {
    copy_ends<4>(from, size, to);
  } else {
    for (size_t i = 0; i < size; ++i) {
      to[i] = from[i];
    }
  }
  return to + size;
}

void append_joined(const Words& words, std::string_view between, std::string& out) {
  if (words.empty()) {
    return;
  }
  size_t size = (words.size() - 1) * between.size();
  for (const std::string_view word : words) {
    size += word.size();
  }
  const size_t begin = out.size();
  out.resize(begin + size);
  char* to = copy_short(words[0].data(), words[0].size(), out.data() + begin);
  for (size_t i = 1; i < words.size(); ++i) {
    to = copy_short(between.data(), between.size(), to);
    to = copy_short(words[i].data(), words[i].size(), to);
  }
}

class SegmentCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"segment", "words of each line of standard input",
            "--mode jieba: the words of jieba 0.42.1, white space and punctuation among them (Chinese; the default of --lang zh).\n"
            "--mode trained: the words of a model that `slipway train tagger --task segment` made.\n"
            "--mode icu: words as ICU cuts them, by dictionary where there are no blanks (the default of --lang th, km, lo, my).\n"
            "--mode words: runs of letters and digits, each ideograph a word, in any language (the default of others).\n"
            "--mode sentences: sentences, each on a line, in any language.\n"
            "Words are written with blanks between them; --json writes {\"words\": […]} a line. With --field lines are JSON\n"
            "objects, which come back with \"words\" added. docs/guide/text.md",
            "echo '我来到北京清华大学' | slipway segment --lang zh\n"
            "slipway segment --lang zh --mode trained --model weibo.tagger --json < posts.txt"};
  }
  void describe(Parameters& parameters) override {
    base::FieldTable& flags = parameters.flags;
    flags.add("lang", lang_, "language of the text (ISO 639-1)");
    flags.add("mode", mode_, "how words are found", {"", "jieba", "trained", "icu", "words", "sentences"});
    flags.add("model", model_, "the model of --mode trained");
    flags.add("hmm", hmm_, "jieba: find words that the dictionary lacks");
    flags.add("cut_all", cut_all_, "jieba: every dictionary word, overlapping");
    flags.add("cut_for_search", search_, "jieba: the short words in long ones, too");
    lexicon_.describe(flags, true);
    flags.add("delimiter", delimiter_, "what is written between words; default: a blank, between sentences a line's end");
    flags.add("field", field_, "lines are JSON objects; the text is their member of this name");
    flags.add("errors", errors_, "bytes that are no UTF-8: strict stops, replace goes on with U+FFFD", {"strict", "replace"});
  }
  int run(App& app) override;

 private:
  std::function<Cut()> cutter() const;
  const char* name() const { return mode_ == "sentences" ? "sentences" : "words"; }
  void write(std::string_view line, uint64_t number, bool json, const Cut& cut, Words& words, std::string& out) const;

  std::string lang_ = "zh";
  std::string mode_;
  std::string model_;
  bool hmm_ = true;
  bool cut_all_ = false;
  bool search_ = false;
  LexiconFlags lexicon_;
  std::string delimiter_;
  std::string field_;
  std::string errors_ = "strict";
};

std::function<Cut()> SegmentCommand::cutter() const {
  const bool chinese = lang_ == "zh" || lang_.starts_with("zh-");
  const std::string mode = !mode_.empty() ? mode_ : !model_.empty() ? "trained" : chinese ? "jieba" : text::needs_icu(lang_) ? "icu" : "words";
  if ((mode == "trained") == model_.empty()) {
    throw base::Error(base::Code::kInvalid, mode == "trained" ? "--mode trained needs --model" : "--model is of --mode trained only");
  }
  if (mode != "jieba" && (cut_all_ || search_ || !hmm_ || !lexicon_.user_dictionaries.empty())) {
    throw base::Error(base::Code::kInvalid, "--cut-all, --cut-for-search, --no-hmm and --user-dictionary are of --mode jieba only");
  }
  if (mode == "words" || mode == "sentences") {
    const auto split = mode == "words" ? static_cast<void (*)(std::string_view, std::vector<text::Span>&)>(text::split_words) : text::split_sentences;
    return [split] {
      return [split, spans = std::vector<text::Span>()](std::string_view line, Words& words) mutable {
        split(line, spans);
        words.clear();
        for (const text::Span span : spans) {
          words.push_back(text::slice(line, span));
        }
      };
    };
  }
  if (mode == "icu") {
    return [language = lang_] {
      const auto words_of = std::make_shared<text::IcuWords>(language);
      return [words_of](std::string_view line, Words& words) { words_of->cut(line, words); };
    };
  }
  if (mode == "trained") {
    const auto tagger = load_tagger(model_, lexicon_);
    if (tagger->task() != text::SequenceTask::kSegment) {
      throw base::Error(base::Code::kInvalid, fmt::format("{}: is a model for {}, not for segmentation; `slipway tag` runs it", model_,
                                                          text::task_name(tagger->task())));
    }
    return [tagger] {
      return [tagger, scratch = text::Tagger::Scratch()](std::string_view line, Words& words) mutable { tagger->segment(line, scratch, words); };
    };
  }
  if (cut_all_ && search_) {
    throw base::Error(base::Code::kInvalid, "--cut-all and --cut-for-search are two ways to cut; choose one");
  }
  text::CutOptions options;
  options.mode = cut_all_ ? text::CutMode::kFull : search_ ? text::CutMode::kSearch : text::CutMode::kPrecise;
  options.hmm = hmm_;
  const auto segmenter = lexicon_.load(hmm_ && !cut_all_);
  return [segmenter, options] {
    auto scratch = std::make_shared<text::DictionarySegmenter::Scratch>();
    return [segmenter, options, scratch](std::string_view line, Words& words) { segmenter->cut(line, options, *scratch, words); };
  };
}

void SegmentCommand::write(std::string_view line, uint64_t number, bool json, const Cut& cut, Words& words, std::string& out) const {
  if (!field_.empty()) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) {
      return;
    }
    const std::string where = fmt::format("{}:{}", kStandardInput, number);
    base::Json row = base::parse_json(line, where);
    const auto text = base::get<std::string>(row, field_, where);
    cut(text, words);
    row[name()] = words;
    out += base::dump_json(row);
    out += '\n';
    return;
  }
  cut(line, words);
  if (json) {
    out += base::dump_json({{name(), words}});
  } else {
    const std::string_view between = !delimiter_.empty() ? std::string_view(delimiter_) : mode_ == "sentences" ? "\n" : " ";
    append_joined(words, between, out);
  }
  out += '\n';
}

int SegmentCommand::run(App& app) {
  const std::function<Cut()> make = cutter();
  (void)make();  // what is missing is told before anything is read
  const bool json = app.json();
  stream_blocks(app, BlockEnd::kLine, [&](std::string_view block, uint64_t first_line, std::string& out) {
    const Cut cut = make();
    Words words;
    out.reserve(block.size() * 3 / 2);
    for_each_line(block, first_line, errors_ == "replace",
                  [&](std::string_view line, uint64_t number) { write(line, number, json, cut, words, out); });
  });
  return 0;
}

}  // namespace

std::unique_ptr<Command> make_segment() { return std::make_unique<SegmentCommand>(); }

}  // namespace slipway::cli
