// slipway data extract: web pages to the text that was written in them.
#include <chrono>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <ostream>

#include "cli/app.h"
#include "cli/byte_size.h"
#include "cli/commands/factories.h"
#include "cli/data_inputs.h"
#include "cli/progress.h"
#include "data/extract.h"

namespace slipway::cli {
namespace {

class DataExtractCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data extract", "main text, title, date, author and language of web pages",
            "Reads HTML files, folders of them, tar and zip archives, WARC, WET and ARC files, and writes one JSON object a\n"
            "page: url, title, text, date, author, language, source, digest, time. Character encodings, chunks and\n"
            "compression of HTTP are undone. What cannot be read is told in FILE.quarantine.jsonl with its place and why.\n"
            "The output does not depend on the number of threads. A run that was killed goes on when it is started again.",
            "slipway data extract crawl/*.warc.gz --out pages.jsonl.zst"};
  }
  void describe(Parameters& parameters) override {
    parameters.positionals_of("PAGES", options_.inputs, "files, folders, hf://datasets/…, s3://…");
    auto& flags = parameters.flags;
    flags.add("out", out_, "file for the documents; with .zst at its end it is compressed");
    flags.add("main_text", options_.main_text, "only the main text; --no-main-text keeps menus and the rest that is visible");
    flags.add("licence", options_.licence, "written into each document");
    flags.add("memory", memory_, "for pages in work");
  }
  int run(App& app) override {
    options_.inputs = local_inputs(app, options_.inputs, &options_.names);
    options_.out = out_;
    options_.memory = parse_byte_size(memory_, "memory");
    base::Context context = app.context();
    const auto begin = std::chrono::steady_clock::now();
    const data::ExtractSummary summary = data::extract_pages(options_, context);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (app.json()) {
      base::Json json = summary.to_json();
      json["resumed"] = summary.resumed;
      json["seconds"] = seconds;
      app.print_json(json);
      return 0;
    }
    fmt::print(app.out(), "{} pages, {} of text from {}, {:.1f} s\n", human_count(summary.pages, ""),
               human_count(summary.text_bytes, "bytes"), human_count(summary.bytes, "bytes"), seconds);
    for (const auto& [reason, n] : summary.skipped) {
      fmt::print(app.out(), "skipped  {:>8}  {}\n", n, reason);
    }
    if (summary.quarantined > 0) {
      fmt::print(app.out(), "{} could not be read: {}.quarantine.jsonl says which and why\n", summary.quarantined, out_);
    }
    return 0;
  }

 private:
  data::ExtractOptions options_;
  std::string out_;
  std::string memory_ = "512MB";
};

}  // namespace

std::unique_ptr<Command> make_data_extract() { return std::make_unique<DataExtractCommand>(); }

}  // namespace slipway::cli
