// slipway data dedup | decontaminate: documents that a corpus has twice, nearly twice, or in common with evaluation sets.
#include <chrono>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <ostream>

#include "base/error.h"
#include "cli/app.h"
#include "cli/byte_size.h"
#include "cli/commands/factories.h"
#include "cli/data_inputs.h"
#include "cli/model_argument.h"
#include "cli/progress.h"
#include "cli/shard_argument.h"
#include "data/dedup_corpus.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;

// What both commands have.
struct Common {
  std::vector<std::string> inputs;
  std::string out;
  std::string exclusions;
  std::string format = "jsonl.zst";
  std::string shard_size = "16MiB";
  std::string max_line = "16MiB";
  std::string memory = "1GB";

  void describe(Parameters& parameters, data::DedupOptions& options) {
    parameters.positionals_of("IN", inputs, "files (JSON Lines, Parquet, Arrow, HTML, WARC, zip, …), folders, hf://datasets/… or s3://…");
    auto& flags = parameters.flags;
    flags.add("out", out, "folder for the shards of what is kept");
    flags.add("exclusions", exclusions, "folder for what is dropped, with filter_reason");
    flags.add("text_field", options.text_field, "member that holds the text");
    flags.add("id_field", options.id_field, "member that holds the id");
    flags.add("format", format, "of the shards", {"jsonl.zst", "jsonl"});
    flags.add("shard_size", shard_size, "of input that becomes one shard");
    flags.add("max_line", max_line, "longer lines are quarantined");
    flags.add("memory", memory, "bound for buffers, whatever the size of the corpus");
  }
  void apply(App& app, data::DedupOptions& options) const {
    if (out.empty()) {
      throw Error(Code::kInvalid, "--out is missing: the folder for what is kept");
    }
    const std::vector<std::string> local = local_inputs(app, inputs, &options.names);
    options.inputs.assign(local.begin(), local.end());
    for (const auto& input : options.inputs) {
      if (input == "-") {
        throw Error(Code::kInvalid, "standard input cannot be read twice: give files or folders");
      }
    }
    options.out = out;
    options.exclusions = exclusions;
    options.compress = format == "jsonl.zst";
    options.shard_bytes = parse_byte_size(shard_size, "shard-size");
    options.max_line_bytes = parse_byte_size(max_line, "max-line");
    options.memory_bytes = parse_byte_size(memory, "memory");
  }
};

int report(App& app, const data::DedupOptions& options) {
  base::Context context = app.context();
  const auto begin = std::chrono::steady_clock::now();
  const data::DedupSummary summary = data::dedup_corpus(options, context);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (app.json()) {
    base::Json json = summary.to_json();
    json["resumed_shards"] = summary.corpus.resumed_shards;
    json["seconds"] = seconds;
    app.print_json(json);
    return 0;
  }
  std::ostream& out = app.out();
  if (summary.waiting) {
    fmt::print(out, "shard {} of {} is done; {}\n", options.shard, options.shards,
               options.stage == data::DedupStage::kAll      ? "the last one to finish writes the output"
               : options.stage == data::DedupStage::kFilter ? "the last one to finish writes the summary of all"
                                                            : "the next stage may begin when all are");
    return 0;
  }
  const auto& corpus = summary.corpus;
  const auto share = [&](uint64_t count) {
    return corpus.documents == 0 ? 0.0 : 100.0 * static_cast<double>(count) / static_cast<double>(corpus.documents);
  };
  fmt::print(out, "{} documents, {} of text, {:.1f} s\n", human_count(static_cast<int64_t>(corpus.documents), ""),
             human_count(static_cast<int64_t>(corpus.text_bytes), "bytes"), seconds);
  fmt::print(out, "kept      {:>10}  {:5.1f} %\n", corpus.kept, share(corpus.kept));
  for (const auto& [reason, count] : corpus.dropped) {
    fmt::print(out, "dropped   {:>10}  {:5.1f} %   {}\n", count, share(count), reason);
  }
  if (corpus.rewritten > 0) {
    fmt::print(out, "shortened {:>10}  {:5.1f} %   by {}\n", corpus.rewritten, share(corpus.rewritten),
               human_count(static_cast<int64_t>(summary.removed_bytes), "bytes"));
  }
  if (summary.clusters > 0) {
    fmt::print(out, "clusters  {:>10}\n", summary.clusters);
  }
  for (const auto& [reason, count] : corpus.bad) {
    fmt::print(out, "bad line  {:>10}            {}\n", count, reason);
  }
  return 0;
}

class DataDedupCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {
        "data dedup", "drop documents that are there twice or nearly twice, or cut out repeated parts",
        "Reads JSON Lines (plain, gzip, zstd), a document a line, and writes what stays to OUT as shards.\n"
        "  exact      equal text (NFKC, case and white space folded), or an equal member --field\n"
        "  minhash    near-duplicates as datatrove's MinHash finds them, verified by the Jaccard similarity of their\n"
        "             word 5-grams (--jaccard 0: not verified, clusters equal datatrove's)\n"
        "  sentence   runs of 3 sentences that stood before are cut out (C4)\n"
        "  substring  stretches of 100 bytes and more that stood before are cut out\n"
        "  bloom      documents of whose word 13-grams 80 % were seen before, in one pass\n"
        "  semantic   documents whose embeddings by --model are as near as --threshold to one that stays (SemDeDup): compared\n"
        "             within the groups of a k-means, --groups 0 is one for 16,384 documents; of near ones --keep says which\n"
        "Of a cluster the first document stays, or that with the highest --priority. Buffers keep to --memory at any\n"
        "size of the corpus; the rest is sorted on disk, in OUT. The output does not depend on threads, memory or\n"
        "--shards. A run that was killed goes on when it is started again with the same options. With --shards i/n, n\n"
        "processes share the first pass; the last one to finish writes the output. With --stage each does one stage, for\n"
        "schedulers whose jobs follow each other: signatures (n), buckets (n, minhash only), clusters (1/n), filter (n).\n"
        "docs/guide/scale-out.md",
        "slipway data dedup crawl/ --method minhash --out unique --clusters clusters.jsonl --memory 4GB\n"
        "slipway data dedup unique/ --method semantic --model hf://sentence-transformers/all-MiniLM-L6-v2 --threshold 0.95 --out distinct"};
  }
  void describe(Parameters& parameters) override {
    common_.describe(parameters, options_);
    auto& flags = parameters.flags;
    flags.add("method", method_, "what counts as a duplicate", {"exact", "minhash", "sentence", "substring", "bloom", "semantic"});
    flags.add("clusters", clusters_, "file of the clusters, JSON Lines: a line a document");
    flags.add("shards", shards_, kShardsHelp);
    flags.add("stage", stage_, "what this process does", {"all", "signatures", "buckets", "clusters", "filter"});
    flags.add("field", options_.field, "exact: the member to compare, in place of the text");
    flags.add("priority", options_.priority, "member with a number: the highest of a cluster stays");
    flags.add("jaccard", options_.jaccard, "minhash: pairs from here on are near-duplicates; 0 = do not verify", {0, 1});
    flags.add("bands", options_.bands, "minhash: bands of the signature", {1, 1024});
    flags.add("rows", options_.rows, "minhash: hashes in a band", {1, 1024});
    flags.add("ngram", ngram_, "minhash, bloom: words in a shingle; 0 = 5 for minhash, 13 for bloom", {0, 100});
    flags.add("seed", options_.seed, "minhash: of the hash functions", {0, 4294967295.0});
    flags.add("sentences", options_.sentences, "sentence: sentences in a span", {1, 100});
    flags.add("min_doc_words", options_.min_doc_words, "sentence, substring: a shortened document needs this many", {0, 1e9});
    flags.add("min_doc_sentences", options_.min_doc_sentences, "sentence: a shortened document needs this many", {0, 1e9});
    flags.add("length_threshold", options_.length_threshold, "substring: bytes", {16, 1e6});
    flags.add("bloom_expected", options_.bloom_expected, "bloom: shingles that are expected", {1, 1e13});
    flags.add("bloom_rate", options_.bloom_rate, "bloom: false positives at that number", {1e-12, 0.5});
    flags.add("bloom_threshold", options_.bloom_threshold, "bloom: share of seen shingles that drops a document", {0, 1});
    flags.add("bloom_file", bloom_file_, "bloom: the filter, read when it is there and written at the end");
    flags.add("model", model_, "semantic: a model that embeds: a folder, models:/NAME@ALIAS, hf://NS/NAME, or a file of word vectors");
    flags.add("precision", precision_, "semantic: weights to use", {"auto", "float32", "int8"});
    flags.add("threshold", options_.semantic.threshold, "semantic: cosines from here on are duplicates", {-1, 1});
    flags.add("keep", keep_, "semantic: of near documents, by their place in the group", {"farthest", "closest", "first"});
    flags.add("groups", options_.semantic.groups, "semantic: k of the k-means; 0 = by the number of documents", {0, 1e6});
  }
  int run(App& app) override {
    common_.apply(app, options_);
    options_.method = method_ == "exact"       ? data::DedupMethod::kExact
                      : method_ == "minhash"   ? data::DedupMethod::kMinhash
                      : method_ == "sentence"  ? data::DedupMethod::kSentence
                      : method_ == "substring" ? data::DedupMethod::kSubstring
                      : method_ == "semantic"  ? data::DedupMethod::kSemantic
                                               : data::DedupMethod::kBloom;
    options_.clusters = clusters_;
    options_.bloom_file = bloom_file_;
    options_.ngram = ngram_ != 0 ? ngram_ : options_.method == data::DedupMethod::kBloom ? 13 : 5;
    const WorkShare share = parse_shards(shards_);
    options_.shard = share.shard;
    options_.shards = share.shards;
    options_.stage = stage_ == "signatures" ? data::DedupStage::kSignatures
                     : stage_ == "buckets"  ? data::DedupStage::kBuckets
                     : stage_ == "clusters" ? data::DedupStage::kClusters
                     : stage_ == "filter"   ? data::DedupStage::kFilter
                                            : data::DedupStage::kAll;
    if (options_.method == data::DedupMethod::kBloom && options_.shards > 1) {
      throw Error(Code::kInvalid, "--method bloom reads in order and cannot be shared among shards");
    }
    if (options_.method == data::DedupMethod::kSemantic) {
      open_embedder(app);
    }
    return report(app, options_);
  }

 private:
  void open_embedder(App& app) {
    if (model_.empty()) {
      throw Error(Code::kInvalid, "--method semantic needs --model: what embeds the documents");
    }
    const LocatedModel located = locate_model(app, model_, precision_);
    engine_ = load_engine(app, located, precision_);
    data::SemanticOptions& semantic = options_.semantic;
    semantic.embedder = fmt::format("{} ({})", located.name(), engine_->precision());
    semantic.seed = options_.seed;
    semantic.keep = keep_ == "farthest"  ? data::SemanticKeep::kFarthest
                    : keep_ == "closest" ? data::SemanticKeep::kClosest
                                         : data::SemanticKeep::kFirst;
    semantic.dimension = engine_->embed(std::vector<std::string>{"a"}).cols;
    semantic.embed = [this](std::span<const std::string> texts) { return engine_->embed(texts).values; };
  }

  Common common_;
  std::string method_ = "minhash";
  std::string clusters_;
  std::string shards_ = "1/1";
  std::string stage_ = "all";
  std::string bloom_file_;
  std::string model_;
  std::string precision_ = "auto";
  std::string keep_ = "farthest";
  std::unique_ptr<engine::Engine> engine_;
  int ngram_ = 0;
  data::DedupOptions options_;
};

class DataDecontaminateCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data decontaminate", "drop documents that share word n-grams with evaluation sets",
            "Words and n-grams are datatrove's (simplified text, 12 words). A dropped document tells in --exclusions\n"
            "which n-gram it has in common with which file. Evaluation sets are JSON Lines, too.",
            "slipway data decontaminate corpus/ --against mmlu.jsonl --against gsm8k.jsonl --out clean"};
  }
  void describe(Parameters& parameters) override {
    options_.ngram = 12;
    common_.describe(parameters, options_);
    parameters.flags.add("against", against_, "evaluation sets");
    parameters.flags.add("ngram", options_.ngram, "words in common", {1, 100});
  }
  int run(App& app) override {
    common_.apply(app, options_);
    options_.method = data::DedupMethod::kDecontaminate;
    options_.against.assign(against_.begin(), against_.end());
    return report(app, options_);
  }

 private:
  Common common_;
  std::vector<std::string> against_;
  data::DedupOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_data_dedup() { return std::make_unique<DataDedupCommand>(); }
std::unique_ptr<Command> make_data_decontaminate() { return std::make_unique<DataDecontaminateCommand>(); }

}  // namespace slipway::cli
