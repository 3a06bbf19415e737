// slipway data pii: personal data found and replaced, line by line.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <istream>
#include <map>
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "base/json.h"
#include "base/pool.h"
#include "base/utf8.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/data_inputs.h"
#include "data/clean_corpus.h"
#include "data/jsonl_line.h"
#include "data/line_blocks.h"
#include "data/pages.h"
#include "text/pii.h"
#include "text/pii_operators.h"
#include "text/unicode.h"

namespace slipway::cli {
namespace {

constexpr size_t kBatchBytes = size_t{8} << 20;
constexpr size_t kMaxLine = size_t{64} << 20;

struct Line {
  std::string text;  // as read; then as written
  std::string where;
  std::string fault;
  std::vector<text::PiiFinding> findings;
};

class DataPiiCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data pii", "find personal data in texts and replace it",
            "Each line of IN is a text, or with .jsonl (also .jsonl.gz, .jsonl.zst; standard input with --jsonl) an object "
            "whose --field\n"
            "is one; all else stays. Entities are those of Presidio's pattern recognisers (CREDIT_CARD, EMAIL_ADDRESS, "
            "US_SSN, …) and\n"
            "CN_RESIDENT_ID, CN_BANK_CARD, CN_MOBILE_NUMBER, CN_LICENSE_PLATE; groups are generic, us, uk, cn, de, it, …, "
            "default and all.\n"
            "A score tells how sure a finding is: 1 after a checksum. Lines that are broken go to --quarantine with the "
            "reason.",
            "slipway data pii corpus.jsonl.zst --mode mask --out clean.jsonl.zst --report counts.json\n"
            "echo 'mail ann@example.org' | slipway data pii - --out -"};
  }
  void describe(Parameters& parameters) override {
    parameters.positionals_of("IN", inputs_, "files of lines (gzip or zstd by their bytes), Parquet, Arrow, HTML, WARC, zip, folders, hf://datasets/…, s3://…; - is standard input");
    parameters.flags.add("out", out_, "a file (.zst: compressed), - for standard output, or with several IN a folder");
    parameters.flags.add("field", field_, "JSON lines: where the text is");
    parameters.flags.add("jsonl", jsonl_, "standard input is JSON lines");
    parameters.flags.add("entities", scan_.entities, "entities or groups, comma-separated");
    parameters.flags.add("threshold", scan_.threshold, "leave findings of a lower score alone", {0, 1});
    parameters.flags.add("context", scan_.context, "words before a finding raise its score");
    parameters.flags.add("overlapping", scan_.overlapping, "with --mode keep: findings of all types at one place");
    parameters.flags.add("findings", with_findings_, "JSON lines: also write what was found, as \"pii\"");
    parameters.flags.add("report", report_, "write counts of entities to this file");
    parameters.flags.add("quarantine", quarantine_, "write broken lines and reasons to this file");
    operator_.describe(parameters.flags);
  }

  int run(App& app) override {
    if (scan_.overlapping && operator_.mode != "keep") {
      throw base::Error(base::Code::kInvalid, "--overlapping lists findings and goes with --mode keep --findings");
    }
    const text::PiiScanner scanner(scan_);
    const text::PiiOperator replace(operator_);
    if (out_.empty()) {
      throw base::Error(base::Code::kInvalid, "--out is missing: a file, a folder or -");
    }
    inputs_ = files_of(local_inputs(app, inputs_, &names_));
    const bool folder = out_ != "-" && (inputs_.size() > 1 || out_.ends_with('/') || std::filesystem::is_directory(out_));
    if (folder) {
      base::make_dirs(out_);
    }
    for (const std::string& input : inputs_) {
      namespace fs = std::filesystem;
      fs::path target = folder ? fs::path(out_) / (input == "-" ? "stdin" : fs::path(input).filename().string()) : fs::path(out_);
      if (folder && makes_json(input)) {
        target = target.extension() == ".gz" || target.extension() == ".zst" ? target.replace_extension() : target;
        target.replace_extension(".jsonl");
      }
      if (target.extension() == ".gz") {
        throw base::Error(base::Code::kInvalid, "output is written plain or as .zst, not .gz: " + target.string());
      }
      if (out_ != "-" && input != "-" && fs::exists(target) && fs::equivalent(input, target)) {
        throw base::Error(base::Code::kInvalid, fmt::format("'{}' is both input and output", input));
      }
      run_one(app, scanner, replace, input, target);
    }
    return finish(app);
  }

 private:
  // Of a folder the files that hold lines of JSON or tables.
  static std::vector<std::string> files_of(const std::vector<std::string>& inputs) {
    std::vector<std::string> files;
    for (const std::string& input : inputs) {
      if (!std::filesystem::is_directory(input)) {
        files.push_back(input);
        continue;
      }
      for (const std::filesystem::path& file : data::corpus_files({input})) {
        files.push_back(file.string());
      }
    }
    return files;
  }

  // A table or web pages, whose rows become lines of JSON.
  static bool makes_json(const std::string& input) {
    return input != "-" && (data::looks_like_pages(input) || data::open_table(input) != nullptr);
  }

  void run_one(App& app, const text::PiiScanner& scanner, const text::PiiOperator& replace, const std::string& input,
               const std::filesystem::path& target) {
    std::unique_ptr<base::AtomicFile> file;
    if (out_ != "-") {
      file = std::make_unique<base::AtomicFile>(target);
    }
    const bool zst = out_ != "-" && target.extension() == ".zst";
    const bool json = input == "-" ? jsonl_ : input.find(".jsonl") != std::string::npos || makes_json(input);
    std::vector<Line> batch;
    size_t bytes = 0;
    const auto flush = [&] {
      const std::string text = work(app, scanner, replace, batch, json);
      if (out_ == "-") {
        app.out() << text;
      } else {
        file->write(zst ? base::zstd_compress(text) : text);
      }
      batch.clear();
      bytes = 0;
      if (app.stop().stop_requested()) {
        throw base::Error(base::Code::kInterrupted, "interrupted");
      }
    };
    const auto take = [&](std::string_view line, uint64_t number, std::string_view fault = {}) {
      batch.push_back({std::string(line), fmt::format("{}:{}", input, number), std::string(fault), {}});
      bytes += line.size();
      bytes_ += line.size();
      if (bytes >= kBatchBytes) {
        flush();
      }
    };
    if (input == "-") {
      std::string line;
      for (uint64_t number = 1; std::getline(app.in(), line); ++number) {
        take(line, number);
      }
    } else {
      data::LineBlocks reader({input}, kBatchBytes, kMaxLine, &app.pool(), names_);
      data::Block block;
      while (reader.next(block)) {
        for (const data::BlockLine& line : block.lines) {
          take(line.too_long ? std::string_view() : std::string_view(block.bytes).substr(line.begin, line.size), line.line,
               data::fault_of(line));
        }
      }
    }
    if (!batch.empty()) {
      flush();
    }
    if (file) {
      file->commit();
    }
  }

  std::string work(App& app, const text::PiiScanner& scanner, const text::PiiOperator& replace, std::vector<Line>& batch,
                   bool json) {
    constexpr int64_t kGrain = 64;
    app.pool().parallel_chunks(static_cast<int64_t>(batch.size()), kGrain, [&](int64_t begin, int64_t end) {
      text::PiiScanner::Scratch scratch;
      data::JsonlLine reader(field_, field_);
      for (int64_t i = begin; i < end; ++i) {
        work_line(scanner, replace, scratch, reader, batch[static_cast<size_t>(i)], json);
      }
    });
    std::string out;
    for (const Line& line : batch) {
      ++lines_;
      if (!line.fault.empty()) {
        ++faults_[line.fault];
        broken_ += base::Json{{"where", line.where}, {"reason", line.fault}, {"line", text::sanitize_utf8(line.text)}}.dump() + "\n";
        continue;
      }
      changed_ += line.findings.empty() ? 0 : 1;
      for (const text::PiiFinding& finding : line.findings) {
        ++counts_[std::string(finding.type)];
      }
      out += line.text;
      out += '\n';
    }
    return out;
  }

  void work_line(const text::PiiScanner& scanner, const text::PiiOperator& replace, text::PiiScanner::Scratch& scratch,
                 data::JsonlLine& reader, Line& line, bool json) const {
    if (!line.fault.empty()) {
      return;
    }
    if (!text::is_valid_utf8(line.text)) {
      line.fault = "invalid_utf8";
      return;
    }
    if (!json) {
      scanner.find(line.text, scratch, line.findings);
      line.text = line.findings.empty() ? std::move(line.text) : replace.apply_all(line.text, line.findings);
      return;
    }
    // The reader keeps the rest of a line as it is. A key that is there twice could keep what is to be replaced.
    const bool other_pii = with_findings_ && line.text.find("\"pii\"") != std::string::npos;
    if (!reader.read(line.text).empty() || reader.repeats_text() || other_pii) {
      work_tree(scanner, replace, scratch, line);
      return;
    }
    scanner.find(reader.text(), scratch, line.findings);
    if (line.findings.empty() && !with_findings_) {
      return;
    }
    reader.text() = replace.apply_all(reader.text(), line.findings);
    std::string out;
    reader.write(true, with_findings_ ? ",\"pii\":" + base::dump_json(list_of(line.findings)) : std::string(), out);
    out.pop_back();  // the line's end
    line.text = std::move(out);
  }

  // By a tree of the whole line: what is seldom.
  void work_tree(const text::PiiScanner& scanner, const text::PiiOperator& replace, text::PiiScanner::Scratch& scratch,
                 Line& line) const {
    base::Json row = base::Json::parse(line.text, nullptr, false);
    if (!row.is_object()) {
      line.fault = "bad_json";
      return;
    }
    const auto found = row.find(field_);
    if (found == row.end() || !found->is_string()) {
      line.fault = "missing_text";
      return;
    }
    const std::string text = found->get<std::string>();
    scanner.find(text, scratch, line.findings);
    *found = replace.apply_all(text, line.findings);
    if (with_findings_) {
      row["pii"] = list_of(line.findings);
    }
    line.text = row.dump();
  }

  static base::Json list_of(const std::vector<text::PiiFinding>& findings) {
    base::Json list = base::Json::array();
    for (const text::PiiFinding& f : findings) {
      list.push_back({{"type", f.type}, {"start", f.begin}, {"end", f.end}, {"score", std::round(f.score * 100) / 100.0}});
    }
    return list;
  }

  int finish(App& app) {
    int64_t broken = 0;
    for (const auto& [reason, count] : faults_) {
      broken += count;
    }
    const base::Json report = {{"lines", lines_}, {"changed", changed_}, {"bytes", bytes_}, {"entities", counts_}, {"broken", faults_}};
    if (!report_.empty()) {
      base::write_file_atomic(report_, report.dump(2) + "\n");
    }
    if (!quarantine_.empty()) {
      base::write_file_atomic(quarantine_, broken_);
    }
    if (app.json() && out_ != "-") {
      app.print_json(report);
    } else if (!app.options().quiet) {
      app.err() << fmt::format("{} lines, {} changed, {} broken{}\n", lines_, changed_, broken,
                               broken > 0 && quarantine_.empty() ? " and left out; --quarantine FILE keeps them" : "");
    }
    return 0;
  }

  std::vector<std::string> inputs_;
  std::string out_;
  std::string field_ = "text";
  std::string report_;
  std::string quarantine_;
  bool jsonl_ = false;
  bool with_findings_ = false;
  text::PiiOptions scan_;
  text::PiiOperatorOptions operator_;
  int64_t lines_ = 0;
  int64_t changed_ = 0;
  uint64_t bytes_ = 0;
  std::map<std::string, int64_t> counts_;
  std::map<std::string, int64_t> faults_;
  std::string broken_;
  data::SourceNames names_;
};

}  // namespace

std::unique_ptr<Command> make_data_pii() { return std::make_unique<DataPiiCommand>(); }

}  // namespace slipway::cli
