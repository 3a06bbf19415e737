#include "data/steps.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/frames.h"
#include "data/plan.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;

Json read_json(const fs::path& file, Json fallback) {
  return fs::exists(file) ? base::parse_json(base::read_file(file), file.string()) : std::move(fallback);
}

// Hands the sources and the history, with this step's summary, on to the next folder.
void hand_on(const fs::path& from, const fs::path& to, const char* step, const Json& summary) {
  Json history = from.empty() ? Json::object() : read_json(from / kHistoryFile, Json::object());
  history[step] = summary;
  if (!from.empty()) {
    base::write_file_atomic(to / kSourcesFile, base::dump_json_pretty(read_json(from / kSourcesFile, Json::array())));
  }
  base::write_file_atomic(to / kHistoryFile, base::dump_json_pretty(history));
}

// A path relative to the project when it lies inside, so that the same project elsewhere gives the same bytes.
std::string recorded_path(const fs::path& file, const fs::path& root) {
  const fs::path relative =
      fs::absolute(file).lexically_normal().lexically_relative(fs::absolute(root).lexically_normal());
  return relative.empty() || relative.begin()->string() == ".." ? file.lexically_normal().generic_string()
                                                                : relative.generic_string();
}

// A source of more files is recorded by their Merkle root alone, so that a manifest stays small.
constexpr size_t kListedFiles = 10000;

Json describe_source(const SourceOptions& source, const SourceCounts& counts, const fs::path& root,
                     const std::vector<fs::path>& files, base::Context& context) {
  Json list = Json::array();
  std::vector<std::string> leaves;
  for (const fs::path& file : files) {
    base::check_stop(context, "collecting");
    const std::string path = source.local.empty() ? recorded_path(file, root) : shown_name(source, file, root);
    const std::string sha256 = base::sha256_file(file);
    leaves.push_back(base::sha256_hex(path + "\n" + sha256));
    if (files.size() > kListedFiles) {
      continue;
    }
    const auto by_path = counts.files.find(path);
    const auto rows = by_path != counts.files.end() ? by_path : counts.files.find(file.filename().string());
    list.push_back({{"path", path},
                    {"sha256", sha256},
                    {"size", fs::file_size(file)},
                    {"rows", rows != counts.files.end() ? rows->second : 0}});
  }
  return {{"id", source.id},           {"licence", source.licence},  {"options", to_json(source)},
          {"counts", to_json(counts)}, {"file_count", files.size()}, {"merkle_root", base::merkle_root(leaves)},
          {"files", std::move(list)}};
}

int64_t total(const std::map<std::string, int64_t>& counts) {
  int64_t sum = 0;
  for (const auto& [key, count] : counts) {
    sum += count;
  }
  return sum;
}

// Appends the line of `document` with further members behind its own.
void append_dropped(const Document& document, const Json& why, std::string& out) {
  append_line(document, out);
  out.resize(out.size() - 2);  // "}\n"
  for (const auto& [key, value] : why.items()) {
    out += ',';
    append_json_string(key, out);
    out += ':';
    out += base::dump_json(value);
  }
  out += "}\n";
}

}  // namespace

Json collect(const DataOptions& options, const fs::path& root, base::Context& context, const fs::path& out_folder) {
  base::make_dirs(out_folder);
  std::vector<std::vector<fs::path>> files;
  int64_t bytes = 0;
  for (const SourceOptions& source : options.sources) {
    files.push_back(source_files(source, root));
    for (const fs::path& file : files.back()) {
      bytes += progress_size(file);
    }
  }
  context.progress.start("collect", bytes, "B");
  FrameWriter writer(out_folder / kDocumentsFile, context.pool);
  Json sources = Json::array();
  Json by_source = Json::object();
  std::map<std::string, int64_t> labels;
  int64_t rows = 0;
  int64_t documents = 0;
  int64_t bad = 0;
  int64_t dropped = 0;
  int64_t done = 0;
  std::string line;
  std::string quarantine;
  for (size_t i = 0; i < options.sources.size(); ++i) {
    SourceCounts counts;
    const auto take = [&](Document&& document) {
      line.clear();
      append_line(document, line);
      writer.append(line);
    };
    read_source(options.sources[i], root, context, take, counts, done);
    sources.push_back(describe_source(options.sources[i], counts, root, files[i], context));
    for (const fs::path& file : files[i]) {
      done += progress_size(file);
    }
    rows += counts.rows;
    documents += counts.documents;
    bad += total(counts.bad);
    for (const BadRow& row : counts.bad_rows) {
      quarantine += base::dump_json({{"source", options.sources[i].id}, {"at", row.at}, {"reason", row.reason}}) + "\n";
    }
    dropped += total(counts.dropped);
    by_source[options.sources[i].id] = counts.documents;
    for (const auto& [label, count] : counts.labels) {
      labels[label] += count;
    }
  }
  writer.finish();
  if (!quarantine.empty()) {
    base::write_file_atomic(out_folder / "quarantine.jsonl", quarantine);
  }
  Json summary = {{"rows", rows},       {"documents", documents}, {"bad", bad},
                  {"dropped", dropped}, {"sources", by_source},   {"labels", labels}};
  base::write_file_atomic(out_folder / kSourcesFile, base::dump_json_pretty(sources));
  hand_on({}, out_folder, "collect", summary);
  context.progress.finish(
      fmt::format("{} documents of {} rows from {} sources", documents, rows, options.sources.size()));
  return summary;
}

Json clean(const fs::path& in_folder, const DataOptions& options, base::Context& context, const fs::path& out_folder) {
  base::make_dirs(out_folder);
  context.progress.start("clean", progress_size(in_folder / kDocumentsFile), "B");
  const Cleaner cleaner(options.clean);
  FrameWriter kept(out_folder / kDocumentsFile, context.pool);
  FrameWriter dropped(out_folder / kDroppedFile, context.pool);
  std::map<std::string, int64_t> reasons;
  int64_t documents_seen = 0;
  int64_t masked = 0;
  for_each_batch(in_folder / kDocumentsFile, context, "cleaning", [&](std::vector<Document>& documents, uint64_t) {
    std::vector<std::string> why(documents.size());
    std::vector<std::string> lines(documents.size());
    std::vector<int64_t> masks(documents.size());
    context.pool.parallel_chunks(static_cast<int64_t>(documents.size()), 16, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        why[i] = cleaner.apply(documents[i], masks[i]);
        if (why[i].empty()) {
          append_line(documents[i], lines[i]);
        } else {
          append_dropped(documents[i], {{"reason", why[i]}}, lines[i]);
        }
      }
    });
    for (size_t i = 0; i < documents.size(); ++i) {
      (why[i].empty() ? kept : dropped).append(lines[i]);
      masked += why[i].empty() ? masks[i] : 0;
      if (!why[i].empty()) {
        ++reasons[why[i]];
      }
    }
    documents_seen += static_cast<int64_t>(documents.size());
  });
  kept.finish();
  dropped.finish();
  const int64_t left = documents_seen - total(reasons);
  Json summary = {{"documents", documents_seen}, {"kept", left}, {"dropped", reasons}, {"masked", masked}};
  hand_on(in_folder, out_folder, "clean", summary);
  context.progress.finish(fmt::format("{} of {} documents kept", left, documents_seen));
  return summary;
}

Json deduplicate(const fs::path& in_folder, const DataOptions& options, base::Context& outer,
                 const fs::path& out_folder) {
  base::make_dirs(out_folder);
  PassProgress progress(outer.progress, "deduplicate", in_folder / kDocumentsFile, options.deduplicate.near ? 3 : 2);
  base::Context context = progress.within(outer);
  Duplicates duplicates;
  if (options.deduplicate.exact || options.deduplicate.near) {
    duplicates = find_duplicates(text_stream(in_folder, context, "deduplication"), options.deduplicate, context,
                                 out_folder / "scratch");
  }
  // Names and labels of the representatives, to tell the copies about.
  std::vector<bool> is_representative(duplicates.matches.size());
  for (const Duplicates::Match& match : duplicates.matches) {
    if (match.representative != Duplicates::kNone) {
      is_representative[match.representative] = true;
    }
  }
  std::map<uint32_t, std::pair<std::string, std::string>> representatives;  // index -> id, label
  FrameWriter kept(out_folder / kDocumentsFile, context.pool);
  FrameWriter dropped(out_folder / kDroppedFile, context.pool);
  int64_t documents_seen = 0;
  int64_t conflicts = 0;
  std::string line;
  for_each_batch(
      in_folder / kDocumentsFile, context, "deduplication", [&](std::vector<Document>& documents, uint64_t first) {
        for (size_t i = 0; i < documents.size(); ++i) {
          const auto index = static_cast<uint32_t>(first + i);
          const Document& document = documents[i];
          const Duplicates::Match match = duplicates.matches.empty() ? Duplicates::Match() : duplicates.matches[index];
          line.clear();
          if (match.representative == Duplicates::kNone) {
            if (!is_representative.empty() && is_representative[index]) {
              representatives[index] = {document.id, document.label};
            }
            append_line(document, line);
            kept.append(line);
            continue;
          }
          const auto& [id, label] = representatives.at(match.representative);
          conflicts += static_cast<int64_t>(label != document.label);
          append_dropped(document,
                         {{"reason", match.exact ? "exact_duplicate" : "near_duplicate"},
                          {"duplicate_of", id},
                          {"jaccard", std::round(static_cast<double>(match.jaccard) * 1e4) / 1e4}},
                         line);
          dropped.append(line);
        }
        documents_seen += static_cast<int64_t>(documents.size());
      });
  kept.finish();
  dropped.finish();
  const int64_t left = documents_seen - duplicates.exact - duplicates.near;
  Json summary = {{"documents", documents_seen},     {"kept", left},
                  {"exact", duplicates.exact},       {"near", duplicates.near},
                  {"clusters", duplicates.clusters}, {"label_conflicts", conflicts}};
  hand_on(in_folder, out_folder, "deduplicate", summary);
  context.progress.finish(fmt::format("{} of {} documents kept ({} exact, {} near duplicates)", left, documents_seen,
                                      duplicates.exact, duplicates.near));
  return summary;
}

}  // namespace slipway::data
