// slipway tag: parts of speech, entities or lemmas of tagged-sentence files.
#include <fmt/format.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/lexicon_flags.h"
#include "cli/text_stream.h"
#include "data/tagger_training.h"

namespace slipway::cli {
namespace {

using data::ConllKind;
using text::SequenceTask;

class TagCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"tag", "parts of speech, entities or lemmas of the sentences on standard input",
            "Reads CoNLL-U or columns (the token first), with blank lines between sentences, and writes the same lines with the\n"
            "model's tags: in UPOS, LEMMA or as NER=… in MISC of CoNLL-U, in the last column of other files, or in a second one\n"
            "where there is only the token. --json writes an object a sentence. --evaluate compares with the tags that are there\n"
            "and writes the scores alone. `slipway train tagger` makes models. docs/guide/text.md",
            "slipway tag --task pos pos.tagger < sentences.conllu > tagged.conllu\n"
            "slipway tag --task ner people.tagger --evaluate < eng.testa"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a model of `slipway train tagger`");
    parameters.flags.add("task", task_, "what the model must be for; default: what it is for", {"", "pos", "ner", "lemma"});
    parameters.flags.add("column", column_, "where the tag is, from 1; 0: as said above", {0, 64});
    parameters.flags.add("evaluate", evaluate_, "compare with the tags that are there");
    lexicon_.describe(parameters.flags, false);
  }
  int run(App& app) override;

 private:
  int evaluate(App& app, const text::Tagger& tagger) const;

  std::string model_;
  std::string task_;
  int column_ = 0;
  bool evaluate_ = false;
  LexiconFlags lexicon_;
};

std::string with_tag(std::string_view line, ConllKind kind, SequenceTask task, size_t column, std::string_view tag) {
  if (column > 0) {
    return data::with_conll_column(line, kind, column - 1, tag);
  }
  if (kind == ConllKind::kColumns) {
    return data::with_conll_column(line, kind, data::kLastColumn, tag);
  }
  if (task == SequenceTask::kEntities) {
    return data::with_conll_misc(line, "NER", tag);
  }
  return data::with_conll_column(line, kind, task == SequenceTask::kLemma ? data::kConllLemma : data::kConllUpos, tag);
}

base::Json sentence_json(const data::ConllSentence& sentence, SequenceTask task, const std::vector<std::string>& tags) {
  base::Json out = {{"tokens", sentence.forms}, {task == SequenceTask::kLemma ? "lemmas" : "tags", tags}};
  if (task == SequenceTask::kEntities) {
    const std::vector<std::string_view> views(tags.begin(), tags.end());
    std::vector<text::TagSpan> spans;
    text::spans_of_tags(views, spans);
    base::Json entities = base::Json::array();
    for (const text::TagSpan& span : spans) {
      entities.push_back({{"begin", span.begin}, {"end", span.end}, {"label", span.type}});
    }
    out["entities"] = entities;
  }
  return out;
}

// What one block's sentences go through.
struct TagBlock {
  const text::Tagger& tagger;
  size_t column;
  bool json;
  text::Tagger::Scratch scratch;
  std::vector<std::string_view> parts;
  std::vector<std::string> tags;

  void write(const data::ConllSentence& sentence, ConllKind kind, std::string& out) {
    const SequenceTask task = tagger.task();
    parts.clear();
    if (task == SequenceTask::kLemma) {
      for (const uint32_t token : sentence.tokens) {
        parts.push_back(kind == ConllKind::kConllU ? data::conll_column(sentence.lines[token], kind, data::kConllUpos) : std::string_view("_"));
      }
    }
    tagger.tag(sentence.forms, parts, scratch, tags);
    if (json) {
      out += base::dump_json(sentence_json(sentence, task, tags));
      out += '\n';
      return;
    }
    size_t token = 0;
    for (size_t i = 0; i < sentence.lines.size(); ++i) {
      if (token < sentence.tokens.size() && sentence.tokens[token] == i) {
        out += with_tag(sentence.lines[i], kind, task, column, tags[token++]);
      } else {
        out += sentence.lines[i];
      }
      out += '\n';
    }
    out += '\n';
  }
};

int TagCommand::evaluate(App& app, const text::Tagger& tagger) const {
  const std::filesystem::path input = "/dev/stdin";
  const data::TaggerScores scores = data::score_tagger(tagger, data::read_tagged(input, tagger.task(), static_cast<size_t>(column_)));
  const base::Json json = data::to_json(scores, tagger.task());
  if (app.json()) {
    app.print_json(json);
  } else {
    app.out() << base::dump_json_pretty(json);
  }
  return 0;
}

int TagCommand::run(App& app) {
  const auto tagger = load_tagger(model_, lexicon_);
  const std::string_view task = text::task_name(tagger->task());
  if (tagger->task() == SequenceTask::kSegment) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: is a model for segmentation; `slipway segment --model` runs it", model_));
  }
  if (tagger->task() == SequenceTask::kRelations) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: is a model for relations; `slipway relations` runs it", model_));
  }
  if (!task_.empty() && task_ != task) {
    throw base::Error(base::Code::kInvalid, fmt::format("{}: is a model for '{}', not for '{}'", model_, task, task_));
  }
  if (evaluate_) {
    return evaluate(app, *tagger);
  }
  ConllKind kind = ConllKind::kColumns;
  const auto column = static_cast<size_t>(column_);
  stream_blocks(app, BlockEnd::kBlankLine, [&](std::string_view block, uint64_t first_line, std::string& out) {
    TagBlock work{*tagger, column, app.json(), {}, {}, {}};
    data::ConllReader reader(block, kStandardInput, kind, first_line);
    for (data::ConllSentence sentence; reader.next(sentence);) {
      work.write(sentence, kind, out);
    }
    if (!app.json()) {
      for (const std::string_view line : reader.rest()) {
        out += line;
        out += '\n';
      }
    }
  }, [&kind](std::string_view text) { kind = data::conll_kind(text); });
  return 0;
}

}  // namespace

std::unique_ptr<Command> make_tag() { return std::make_unique<TagCommand>(); }

}  // namespace slipway::cli
