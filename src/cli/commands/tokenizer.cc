// slipway tokenizer encode | decode: ids and offsets as Hugging Face tokenizers give them, line by line.
#include "text/tokenizer.h"

#include <fmt/format.h>
#include <ostream>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/text_lines.h"
#include "model/gguf.h"
#include "text/gguf_vocabulary.h"

namespace slipway::cli {
namespace {

constexpr const char* kFileHelp =
    "tokenizer.json, a folder, vocab.json beside merges.txt, a SentencePiece .model, a .tiktoken, a .gguf or a "
    "vocab.txt";

std::unique_ptr<text::Tokenizer> load(const std::string& path) {
  if (!path.ends_with(".gguf")) {
    return text::load_tokenizer(path);
  }
  const auto vocabulary = model::GgufFile(std::filesystem::path(path)).vocabulary();
  if (!vocabulary) {
    throw base::Error(base::Code::kInvalid, path + ": has no tokenizer");
  }
  return text::make_tokenizer(*vocabulary, path);
}

void append_ids(std::string& out, const std::vector<int32_t>& ids) {
  out += "{\"ids\":[";
  for (size_t i = 0; i < ids.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}{}", i > 0 ? "," : "", ids[i]);
  }
  out += ']';
}

class EncodeCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"tokenizer encode", "token ids and offsets of JSON lines from standard input",
            "Each line {\"text\": …} gives a line {\"ids\": […], \"offsets\": [[begin, end], …]}. Offsets are in "
            "Unicode code\n"
            "points of the text, as Hugging Face tokenizers give them.",
            "echo '{\"text\": \"Hello, world!\"}' | slipway tokenizer encode tokenizer.json --special"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("TOKENIZER", tokenizer_, kFileHelp);
    parameters.flags.add("special", special_, "add the special tokens ([CLS], [SEP])");
    parameters.flags.add("max_length", max_length_, "cut to this many ids; 0 = no limit", {0, 1e9});
    parameters.flags.add("offsets", offsets_, "write offsets; --no-offsets leaves them out");
  }
  int run(App& app) override {
    const auto tokenizer = load(tokenizer_);
    const text::EncodeOptions options{
        .add_special_tokens = special_, .with_offsets = offsets_, .max_length = max_length_};
    text::Encoding encoding;
    std::string line;
    read_text_lines(app.in(), "standard input", "text", [&](const std::string& text, const base::Json&) {
      tokenizer->encode(text, options, encoding);
      line.clear();
      append_ids(line, encoding.ids);
      if (offsets_) {
        line += ",\"offsets\":[";
        for (size_t i = 0; i < encoding.offsets.size(); ++i) {
          fmt::format_to(std::back_inserter(line), "{}[{},{}]", i > 0 ? "," : "", encoding.offsets[i].first,
                         encoding.offsets[i].second);
        }
        line += ']';
      }
      app.out() << line << "}\n";
    });
    return 0;
  }

 private:
  std::string tokenizer_;
  bool special_ = false;
  bool offsets_ = true;
  int max_length_ = 0;
};

class DecodeCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"tokenizer decode", "text of JSON lines of ids from standard input",
            "Each line {\"ids\": […]} gives a line {\"text\": …}.",
            "echo '{\"ids\": [101, 7592, 102]}' | slipway tokenizer decode tokenizer.json"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("TOKENIZER", tokenizer_, kFileHelp);
    parameters.flags.add("skip_special", skip_special_, "leave special tokens out; --no-skip-special keeps them");
  }
  int run(App& app) override {
    const auto tokenizer = load(tokenizer_);
    std::string line;
    for (int64_t number = 1; std::getline(app.in(), line); ++number) {
      const std::string where = fmt::format("standard input:{}", number);
      const auto ids = base::get<std::vector<int32_t>>(base::parse_json(line, where), "ids", where);
      app.print_json({{"text", tokenizer->decode(ids, skip_special_)}});
    }
    return 0;
  }

 private:
  std::string tokenizer_;
  bool skip_special_ = true;
};

}  // namespace

std::unique_ptr<Command> make_tokenizer_encode() { return std::make_unique<EncodeCommand>(); }
std::unique_ptr<Command> make_tokenizer_decode() { return std::make_unique<DecodeCommand>(); }

}  // namespace slipway::cli
