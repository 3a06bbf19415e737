// slipway data crawl: pages of the web into web archives, politely.
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <ostream>

#include "cli/app.h"
#include "cli/byte_size.h"
#include "cli/commands/factories.h"
#include "cli/progress.h"
#include "collect/crawl.h"

namespace slipway::cli {
namespace {

class DataCrawlCommand final : public Command {
 public:
  DataCrawlCommand() { options_.user_agent = "slipway/" SLIPWAY_VERSION " (crawler)"; }

  CommandInfo info() const override {
    return {"data crawl", "pages of the web into WARC files, as robots.txt allows",
            "Follows links and sitemaps from the URLs and writes what it gets to DIR/crawl-*.warc.gz, which 'slipway data extract'\n"
            "reads. Obeys robots.txt (RFC 9309), noindex, nofollow and reservations against training; waits between two requests to\n"
            "a host; refuses private addresses; bounds traps. Say who you are: --user-agent 'name/1.0 (+https://your.site)'.\n"
            "A crawl that was stopped, by kill -9 too, goes on when it is started again. --recrawl asks a complete one for what changed.",
            "slipway data crawl https://example.org --out crawl --depth 3\n"
            "slipway data extract crawl --out pages.jsonl.zst"};
  }
  void describe(Parameters& parameters) override {
    parameters.positionals_of("URL", options_.seeds, "where to begin: pages or sitemaps");
    parameters.flags.add("out", out_, "folder for the archives and what is known of the crawl");
    parameters.flags.add("max_page_size", max_page_, "of a page as it is sent; what is longer is cut");
    parameters.flags.add("file_size", file_size_, "of an archive, before the next is begun");
    options_.describe(parameters.flags);
  }
  int run(App& app) override {
    if (out_.empty()) {
      throw base::Error(base::Code::kInvalid, "--out is missing: the folder for the archives");
    }
    options_.out = out_;
    options_.max_page_bytes = parse_byte_size(max_page_, "max-page-size");
    options_.max_file_bytes = parse_byte_size(file_size_, "file-size");
    options_.seed = static_cast<uint64_t>(app.context().clock.unix_ms());
    base::Context context = app.context();
    const collect::CrawlSummary summary = collect::crawl(options_, context);
    if (app.json()) {
      app.print_json(summary.to_json());
      return 0;
    }
    fmt::print(app.out(), "{} pages kept ({} unchanged), {} answers in round {}, {} addresses known\n",
               human_count(static_cast<int64_t>(summary.stored), ""), human_count(static_cast<int64_t>(summary.unchanged), ""),
               human_count(static_cast<int64_t>(summary.fetched), ""), summary.round, human_count(static_cast<int64_t>(summary.known), ""));
    for (const auto& [reason, n] : summary.skipped) {
      fmt::print(app.out(), "not kept   {:>8}  {}\n", n, reason);
    }
    for (const auto& [reason, n] : summary.refused) {
      fmt::print(app.out(), "not taken  {:>8}  {}\n", n, reason);
    }
    if (!summary.complete) {
      fmt::print(app.out(), "{} addresses wait: the same command with a larger --max-pages goes on\n", summary.waiting);
    } else if (summary.stored == 0 && summary.round > 0 && !options_.recrawl) {
      fmt::print(app.out(), "the crawl is complete; --recrawl asks again for what has changed\n");
    }
    return 0;
  }

 private:
  collect::CrawlOptions options_;
  std::string out_;
  std::string max_page_ = "32MiB";
  std::string file_size_ = "1GB";
};

}  // namespace

std::unique_ptr<Command> make_data_crawl() { return std::make_unique<DataCrawlCommand>(); }

}  // namespace slipway::cli
