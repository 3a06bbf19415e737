// slipway tokenizer encode | decode: ids and offsets as Hugging Face tokenizers give them, line by line.
#include "text/tokenizer.h"

#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/text_lines.h"
#include "cli/tokenizer_argument.h"
#include "text/windows.h"

namespace slipway::cli {
namespace {

void append_ids(std::string& out, const std::vector<int32_t>& ids) {
  out += "{\"ids\":[";
  for (size_t i = 0; i < ids.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}{}", i > 0 ? "," : "", ids[i]);
  }
  out += ']';
}

void append_offsets(std::string& out, const std::vector<std::pair<uint32_t, uint32_t>>& offsets) {
  out += ",\"offsets\":[";
  for (size_t i = 0; i < offsets.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}[{},{}]", i > 0 ? "," : "", offsets[i].first, offsets[i].second);
  }
  out += ']';
}

// The pad token's id: of the file's padding, of tokenizer_config.json, or the one that is called so.
int32_t pad_id(const text::Tokenizer& tokenizer, const std::string& named, const std::filesystem::path& path) {
  const auto id_of = [&](const std::string& token) {
    const int id = tokenizer.token_to_id(token);
    if (id < 0) {
      throw base::Error(base::Code::kInvalid, fmt::format("the vocabulary has no pad token '{}'", token));
    }
    return static_cast<int32_t>(id);
  };
  if (!named.empty()) {
    return id_of(named);
  }
  if (const auto padding = tokenizer.file_padding()) {
    return padding->id;
  }
  const auto config = (std::filesystem::is_directory(path) ? path : path.parent_path()) / "tokenizer_config.json";
  if (std::filesystem::exists(config)) {
    const base::Json json = base::parse_json(base::read_file(config, size_t{16} << 20), config.string());
    if (const auto token = json.find("pad_token"); json.is_object() && token != json.end() && !token->is_null()) {
      return id_of(token->is_object() ? base::get<std::string>(*token, "content", config.string())
                                      : base::get<std::string>(json, "pad_token", config.string()));
    }
  }
  for (const char* token : {"[PAD]", "<pad>", "<|pad|>", "<|padding|>"}) {
    if (const int id = tokenizer.token_to_id(token); id >= 0) {
      return id;
    }
  }
  throw base::Error(base::Code::kInvalid, "there is no pad token that is known; name it with --pad-token");
}

class EncodeCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {
        "tokenizer encode", "token ids and offsets of JSON lines from standard input",
        "Each line {\"text\": …} gives a line {\"ids\": […], \"offsets\": [[begin, end], …]}. Offsets are in "
        "Unicode code\n"
        "points of the text, as Hugging Face tokenizers give them. With --json a line is what transformers' "
        "tokenizers\n"
        "return: input_ids, token_type_ids, attention_mask, special_tokens_mask, offset_mapping, and of which line\n"
        "(overflow_to_sample_mapping). docs/guide/tokenizers.md",
        "echo '{\"text\": \"Hello, world!\"}' | slipway tokenizer encode tokenizer.json --special\n"
        "slipway tokenizer encode MODEL --special --pair --max-length 384 --truncation only_second --stride 128 \\\n"
        "  --return-overflowing-tokens --padding max_length --json < questions.jsonl"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("TOKENIZER", tokenizer_, kTokenizerHelp);
    base::FieldTable& flags = parameters.flags;
    flags.add("special", special_, "add the special tokens ([CLS], [SEP])");
    flags.add("max_length", max_length_, "cut to this many ids; 0 = no limit", {0, 1e9});
    flags.add("offsets", offsets_, "write offsets; --no-offsets leaves them out");
    flags.add("pair", pair_, "lines have a \"text_pair\" too: two texts as one input");
    flags.add("truncation", truncation_,
              "which text is cut; default: longest_first, none with --padding; file: as the tokenizer's file says",
              {"", "longest_first", "only_first", "only_second", "file"});
    flags.add("truncation_side", truncation_side_, "which end is cut off", {"right", "left"});
    flags.add("stride", stride_, "tokens that a window repeats of the one before", {0, 1e9});
    flags.add("return_overflowing_tokens", overflow_, "what was cut off as further lines, in windows");
    flags.add("padding", padding_, "longest: all lines as long as the longest; max_length; file: as the file says",
              {"", "longest", "max_length", "file"});
    flags.add("padding_side", padding_side_, "which end is padded", {"right", "left"});
    flags.add("pad_to_multiple_of", multiple_, "padded lengths are multiples of this; 0: any", {0, 1e6});
    flags.add("pad_token", pad_token_, "the token to pad with; default: the tokenizer's own");
  }
  int run(App& app) override {
    const auto tokenizer = load_tokenizer_argument(tokenizer_);
    const bool plain = !pair_ && !overflow_ && padding_.empty() && !app.json() &&
                       (truncation_.empty() || truncation_ == "longest_first");
    return plain && truncation_side_ == "right" ? run_plain(app, *tokenizer) : run_windows(app, *tokenizer);
  }

 private:
  int run_plain(App& app, const text::Tokenizer& tokenizer);
  int run_windows(App& app, const text::Tokenizer& tokenizer);
  std::optional<text::FileTruncation> truncation(const text::Tokenizer& tokenizer) const;
  std::optional<text::FilePadding> padding(const text::Tokenizer& tokenizer) const;
  void print(App& app, const text::TokenWindow& window, size_t sample) const;

  std::string tokenizer_;
  bool special_ = false;
  bool offsets_ = true;
  int max_length_ = 0;
  bool pair_ = false;
  std::string truncation_;
  std::string truncation_side_ = "right";
  int stride_ = 0;
  bool overflow_ = false;
  std::string padding_;
  std::string padding_side_ = "right";
  int multiple_ = 0;
  std::string pad_token_;
};

// Ids and offsets alone, as fast as the tokenizer is.
int EncodeCommand::run_plain(App& app, const text::Tokenizer& tokenizer) {
  const text::EncodeOptions options{
      .add_special_tokens = special_, .with_offsets = offsets_, .max_length = max_length_};
  text::Encoding encoding;
  std::string line;
  read_text_lines(app.in(), "standard input", "text", [&](const std::string& text, const base::Json&) {
    tokenizer.encode(text, options, encoding);
    line.clear();
    append_ids(line, encoding.ids);
    if (offsets_) {
      append_offsets(line, encoding.offsets);
    }
    app.out() << line << "}\n";
  });
  return 0;
}

std::optional<text::FileTruncation> EncodeCommand::truncation(const text::Tokenizer& tokenizer) const {
  using text::TruncationStrategy;
  if (truncation_ == "file") {
    return tokenizer.file_truncation();
  }
  // A length alone cuts; beside a padding it says how far to pad, as in transformers.
  if (max_length_ == 0 || (truncation_.empty() && !padding_.empty())) {
    return std::nullopt;
  }
  const TruncationStrategy strategy = truncation_ == "only_first"    ? TruncationStrategy::kOnlyFirst
                                      : truncation_ == "only_second" ? TruncationStrategy::kOnlySecond
                                                                     : TruncationStrategy::kLongestFirst;
  return text::FileTruncation{max_length_, stride_, strategy, truncation_side_ == "left"};
}

std::optional<text::FilePadding> EncodeCommand::padding(const text::Tokenizer& tokenizer) const {
  if (padding_ == "file") {
    return tokenizer.file_padding();
  }
  if (padding_.empty()) {
    return std::nullopt;
  }
  if (padding_ == "max_length" && max_length_ == 0) {
    throw base::Error(base::Code::kInvalid, "--padding max_length needs --max-length");
  }
  if (multiple_ > 0 && !truncation_.empty() && max_length_ % multiple_ != 0) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("--max-length {} is no multiple of --pad-to-multiple-of {}: what "
                                  "is cut to it could not be padded to it",
                                  max_length_, multiple_));
  }
  text::FilePadding out;
  out.length = padding_ == "max_length" ? max_length_ : 0;
  out.multiple = multiple_;
  out.left = padding_side_ == "left";
  out.id = pad_id(tokenizer, pad_token_, tokenizer_);
  return out;
}

int EncodeCommand::run_windows(App& app, const text::Tokenizer& tokenizer) {
  const auto truncation_options = truncation(tokenizer);
  const auto padding_options = padding(tokenizer);
  const bool whole = padding_options && padding_options->length == 0;  // the longest line is known at the end
  std::vector<std::vector<text::TokenWindow>> batch;
  size_t sample = 0;
  const auto flush = [&] {
    if (padding_options) {
      text::pad_windows(batch, *padding_options);
    }
    for (const std::vector<text::TokenWindow>& windows : batch) {
      for (size_t i = 0; i < (overflow_ ? windows.size() : 1); ++i) {
        print(app, windows[i], sample);
      }
      ++sample;
    }
    batch.clear();
  };
  read_json_lines(app.in(), "standard input", "text", [&](const base::Json& row, const std::string& where) {
    const auto text = base::get<std::string>(row, "text", where);
    const auto second = pair_ ? base::get<std::string>(row, "text_pair", where) : std::string();
    const std::string_view view = second;
    batch.push_back(text::encode_windows(tokenizer, text, pair_ ? &view : nullptr, special_, truncation_options));
    if (!whole) {
      flush();
    }
  });
  flush();
  return 0;
}

void EncodeCommand::print(App& app, const text::TokenWindow& window, size_t sample) const {
  if (app.json()) {
    base::Json line = {{"input_ids", window.ids},
                       {"token_type_ids", window.type_ids},
                       {"attention_mask", window.attention_mask},
                       {"special_tokens_mask", window.special_tokens_mask},
                       {"overflow_to_sample_mapping", sample}};
    if (offsets_) {
      line["offset_mapping"] = window.offsets;
    }
    app.print_json(line);
    return;
  }
  std::string line;
  append_ids(line, window.ids);
  if (offsets_) {
    append_offsets(line, window.offsets);
  }
  app.out() << line << "}\n";
}

class DecodeCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"tokenizer decode", "text of JSON lines of ids from standard input",
            "Each line {\"ids\": […]} gives a line {\"text\": …}.",
            "echo '{\"ids\": [101, 7592, 102]}' | slipway tokenizer decode tokenizer.json"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("TOKENIZER", tokenizer_, kTokenizerHelp);
    parameters.flags.add("skip_special", skip_special_, "leave special tokens out; --no-skip-special keeps them");
  }
  int run(App& app) override {
    const auto tokenizer = load_tokenizer_argument(tokenizer_);
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
