// slipway perplexity: how well a language model foretells a text.
#include "engine/perplexity.h"

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <numbers>
#include <ostream>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/model_argument.h"
#include "cli/text_lines.h"
#include "text/unicode.h"

namespace slipway::cli {
namespace {

class PerplexityCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"perplexity", "how well a language model foretells a text",
            "exp of the mean negative log-probability of the text's tokens, each given those before it, and bits per "
            "byte of\n"
            "text, which compares models of different tokenizers. FILE is one text; a .jsonl has a document a line "
            "(--field),\n"
            "scored apart; - is standard input, one text. Texts longer than the window are scored by windows that "
            "overlap: each\n"
            "token once, with at least window - stride tokens before it.",
            "slipway perplexity SmolLM2-135M-Instruct.gguf book.txt --window 512"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a model folder, a .gguf file, models:/NAME@ALIAS, models:/NAME/3 or hf://NS/NAME");
    parameters.positional("FILE", file_, "a text, a .jsonl, or - for standard input");
    parameters.flags.add("field", field_, "of a .jsonl: where the text is");
    perplexity_.describe(parameters.flags);
    lora_.describe(parameters.flags);
    options_.describe(parameters.flags);
  }

  int run(App& app) override {
    perplexity_.adapter = lora_.choose(options_);
    options_.prefix_cache = false;  // windows do not begin alike
    const auto generator = open_generator(app, locate_decoder(app, model_), options_);
    const std::vector<std::string> texts = read_texts(app);
    std::vector<text::Encoding> encodings(texts.size());
    int64_t total = 0;
    for (size_t i = 0; i < texts.size(); ++i) {
      generator->tokenizer().encode(texts[i], {.with_offsets = true}, encodings[i]);
      total += static_cast<int64_t>(encodings[i].ids.size());
      bytes_ += scored_bytes(texts[i], encodings[i], generator->info().bos_id);
    }
    const auto begin = std::chrono::steady_clock::now();
    app.progress().start("perplexity", total, "tokens");
    int64_t before = 0;
    for (const text::Encoding& encoding : encodings) {
      sums_ += engine::perplexity(*generator, encoding.ids, perplexity_, [&](int64_t done) {
        app.progress().update(before + done, "");
        if (app.stop().stop_requested()) {
          throw base::Error(base::Code::kInterrupted, "interrupted");
        }
      });
      before += static_cast<int64_t>(encoding.ids.size());
    }
    if (sums_.tokens == 0) {
      throw base::Error(base::Code::kInvalid, fmt::format("'{}' has no text of two tokens or more", file_));
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const double bits = -sums_.logprob / std::numbers::ln2 / static_cast<double>(bytes_);
    const double rate = static_cast<double>(sums_.computed) / seconds;
    app.progress().finish("");
    if (app.json()) {
      app.print_json({{"model", generator->info().name},
                      {"weight_type", generator->info().weight_type},
                      {"perplexity", sums_.perplexity()},
                      {"bits_per_byte", bits},
                      {"mean_logprob", sums_.logprob / static_cast<double>(sums_.tokens)},
                      {"tokens", sums_.tokens},
                      {"bytes", bytes_},
                      {"documents", texts.size()},
                      {"tokens_per_second", rate}});
    } else {
      app.out() << fmt::format(
          "perplexity {:.4f}   {:.4f} bits per byte   ({} tokens, {} documents, {:.0f} tokens/s)\n", sums_.perplexity(),
          bits, sums_.tokens, texts.size(), rate);
    }
    return 0;
  }

 private:
  std::vector<std::string> read_texts(App& app) const {
    std::ifstream opened;
    if (file_ != "-") {
      opened.open(file_, std::ios::binary);
      if (!opened) {
        throw base::Error(base::Code::kNotFound, fmt::format("cannot read '{}'", file_));
      }
    }
    std::istream& in = file_ == "-" ? app.in() : opened;
    std::vector<std::string> texts;
    if (std::filesystem::path(file_).extension() == ".jsonl") {
      read_text_lines(in, file_, field_,
                      [&](std::string text, const base::Json&) { texts.push_back(std::move(text)); });
    } else {
      texts.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return texts;
  }

  // Of the text's bytes those whose tokens count: without a BOS, the first token is not foretold.
  static int64_t scored_bytes(const std::string& text, const text::Encoding& encoding, int32_t bos) {
    if (encoding.ids.size() < 2) {
      return 0;
    }
    const bool with_bos = bos >= 0 && encoding.ids.front() == bos;
    const size_t first = with_bos ? 0 : encoding.offsets.front().second;
    return static_cast<int64_t>(text.size() - text::prefix_code_points(text, first).size());
  }

  std::string model_;
  std::string file_;
  std::string field_ = "text";
  engine::PerplexityOptions perplexity_;
  LoraFlag lora_;
  engine::GeneratorOptions options_;
  engine::PerplexitySums sums_;
  int64_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_perplexity() { return std::make_unique<PerplexityCommand>(); }

}  // namespace slipway::cli
