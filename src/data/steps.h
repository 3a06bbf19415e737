// The data steps of a pipeline: each reads one folder and writes another, streaming, with progress and stop checks, and
// returns a small summary for the final page. Folders hold documents.jsonl.zst, dropped.jsonl.zst (each row with
// "reason"), and sources.json and history.json (the summaries of all steps so far), which every step hands on. Files
// appear complete or not at all; the folder of an interrupted step may simply be used again.
//
//   DataOptions options = parse_data_options(config["data"], "slipway.yaml: data");
//   collect(options, project_root, context, work / "collect");
//   clean(work / "collect", options, context, work / "clean");
//   deduplicate(work / "clean", options, context, work / "dedup");
//   ValidationReport report = validate(work / "dedup", options, context, work / "valid");
//   Json summary = build_dataset(work / "dedup", options, context, work / "dataset");   // summary["digest"]
//   Dataset dataset(work / "dataset");
#pragma once

#include <filesystem>

#include "base/context.h"
#include "data/options.h"
#include "data/validate.h"

namespace slipway::data {

// Reads every source (paths relative to `root`) in the order given. Also writes quarantine.jsonl, when there are bad rows (the first
// 10,000 of each source: source, at, reason), and sources.json: for each source its
// options, counts, licence, and each raw file's path (relative to root when inside it), sha256, size and rows. Summary:
// {rows, documents, bad, dropped, sources: {id: documents}, labels: {label: documents}}.
Json collect(const DataOptions& options, const std::filesystem::path& root, base::Context& context,
             const std::filesystem::path& out_folder);

// Summary: {documents, kept, dropped: {reason: n}, masked}.
Json clean(const std::filesystem::path& in_folder, const DataOptions& options, base::Context& context,
           const std::filesystem::path& out_folder);

// Summary: {documents, kept, exact, near, clusters, label_conflicts}. Dropped rows carry duplicate_of and jaccard.
Json deduplicate(const std::filesystem::path& in_folder, const DataOptions& options, base::Context& context,
                 const std::filesystem::path& out_folder);

// Writes validation.json. Never throws for a failed check: the caller decides (Error(kGate, report.summary())).
ValidationReport validate(const std::filesystem::path& in_folder, const DataOptions& options, base::Context& context,
                          const std::filesystem::path& out_folder);

// Splits and writes the dataset version (dataset.h). Summary: {digest, rows, splits: {train: {rows, labels}, …},
// bytes}. sources.json and history.json of the earlier steps go into the manifest, and `validation` (to_json of the
// report).
Json build_dataset(const std::filesystem::path& in_folder, const DataOptions& options, base::Context& context,
                   const std::filesystem::path& out_folder, const Json& validation = nullptr);

}  // namespace slipway::data
