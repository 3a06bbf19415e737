// slipway relations: relations between the entities of sentences.
#include <fmt/format.h>

#include "base/error.h"
#include "base/input.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/text_stream.h"
#include "data/relation_training.h"

namespace slipway::cli {
namespace {

class RelationsCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"relations", "relations between the entities of the sentences on standard input",
            "Lines are JSON objects with \"tokens\" and \"entities\" (begin, end, label: what `slipway tag --task ner --json` writes) or \"text\"\n"
            "and \"entities\" (start_offset, end_offset, label, id: as doccano writes them). They come back with \"relations\": head and tail,\n"
            "indices of entities, and type; of the second kind from_id, to_id and type. --evaluate reads any file that `slipway\n"
            "train relations` reads, and writes the scores alone.",
            "slipway tag --task ner --json people.tagger < sentences.txt | slipway relations people.relations\n"
            "slipway relations people.relations --evaluate < dev.txt"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a model of `slipway train relations`");
    parameters.flags.add("evaluate", evaluate_, "compare with the relations that are there");
  }
  int run(App& app) override {
    const text::RelationTagger tagger(text::SequenceModel::open(model_), model_);
    if (evaluate_) {
      const base::Json scores = data::to_json(data::score_relations(tagger, data::read_relations("/dev/stdin")));
      if (app.json()) {
        app.print_json(scores);
      } else {
        app.out() << base::dump_json_pretty(scores);
      }
      return 0;
    }
    stream_blocks(app, BlockEnd::kLine, [&](std::string_view block, uint64_t first_line, std::string& out) {
      text::RelationTagger::Scratch scratch;
      data::RelationViews views;
      std::vector<text::RelationBetween> found;
      for_each_line(block, first_line, false, [&](std::string_view line, uint64_t number) {
        if (line.find_first_not_of(" \t") == std::string_view::npos) {
          return;
        }
        const std::string where = fmt::format("{}:{}", kStandardInput, number);
        base::Json row = base::parse_json(line, where);
        const data::RelationSentence sentence = data::relation_sentence(row, where);
        views.look_at(sentence);
        tagger.relate(views.tokens, views.entities, scratch, found);
        add(row, found);
        out += base::dump_json(row);
        out += '\n';
      });
    });
    return 0;
  }

 private:
  static void add(base::Json& row, const std::vector<text::RelationBetween>& found) {
    base::Json relations = base::Json::array();
    const bool ids = !row.contains("tokens");
    const base::Json& entities = row["entities"];
    const auto id = [&](uint32_t entity) { return entities[entity].contains("id") ? entities[entity]["id"] : base::Json(entity); };
    for (const text::RelationBetween& one : found) {
      if (ids) {
        relations.push_back({{"id", relations.size()}, {"from_id", id(one.head)}, {"to_id", id(one.tail)}, {"type", one.type}});
      } else {
        relations.push_back({{"head", one.head}, {"tail", one.tail}, {"type", one.type}});
      }
    }
    row["relations"] = std::move(relations);
  }

  std::string model_;
  bool evaluate_ = false;
};

}  // namespace

std::unique_ptr<Command> make_relations() { return std::make_unique<RelationsCommand>(); }

}  // namespace slipway::cli
