#include "data/annotation_files.h"

#include "base/error.h"

namespace slipway::data {
namespace {

constexpr size_t kBatch = 1000;             // tasks of one transaction
constexpr size_t kBatchBytes = 8 << 20;     // of their texts, at most
constexpr size_t kPieceBytes = 256 << 10;

void sum(record::AddedTasks& all, const record::AddedTasks& more) {
  all.tasks += more.tasks;
  all.known += more.known;
  all.annotations += more.annotations;
  all.suggestions += more.suggestions;
}

}  // namespace

std::vector<AnnotationFormat> annotation_formats() {
  std::vector<AnnotationFormat> all;
  for (int i = 0; i <= static_cast<int>(AnnotationFormat::kFastText); ++i) {
    all.push_back(static_cast<AnnotationFormat>(i));
  }
  return all;
}

std::string_view file_ending(AnnotationFormat format) noexcept {
  switch (format) {
    case AnnotationFormat::kJsonl:
    case AnnotationFormat::kDoccano:
    case AnnotationFormat::kProdigy: return ".jsonl";
    case AnnotationFormat::kCsv: return ".csv";
    case AnnotationFormat::kLabelStudio:
    case AnnotationFormat::kArgilla: return ".json";
    case AnnotationFormat::kBrat: return "";
    case AnnotationFormat::kConll: return ".conll";
    case AnnotationFormat::kConllU: return ".conllu";
    case AnnotationFormat::kFastText: return ".txt";
  }
  return "";
}

record::AddedTasks import_annotations(AnnotationReader& reader, record::AnnotationTasks& tasks, int64_t project, const AnnotationImportOptions& options) {
  record::AddedTasks added;
  std::vector<record::AnnotatedTask> batch;
  size_t bytes = 0;
  const auto flush = [&] {
    sum(added, tasks.add(project, batch, options.who));
    batch.clear();
    bytes = 0;
    if (options.told) {
      options.told(added);
    }
  };
  record::AnnotatedTask task;
  while (reader.next(task)) {
    bytes += task.task.text.size();
    batch.push_back(std::move(task));
    task = {};
    if (batch.size() == kBatch || bytes > kBatchBytes) {
      flush();
    }
  }
  flush();
  return added;
}

void each_annotated_task(record::AnnotationTasks& tasks, int64_t project, std::optional<record::TaskState> state,
                         const std::function<void(record::AnnotatedTask&)>& take) {
  record::TaskReading reading;
  reading.state = state;
  reading.limit = static_cast<int>(kBatch);
  for (;;) {
    std::vector<record::KeptTask> page = tasks.read(project, reading);
    for (record::KeptTask& kept : page) {
      record::AnnotatedTask task;
      task.task = std::move(kept.task);
      task.suggestions = std::move(kept.suggestions);
      for (record::KeptAnnotation& one : kept.annotations) {
        task.annotations.push_back(std::move(one.annotation));
      }
      reading.after = task.task.id;
      take(task);
    }
    if (page.size() < kBatch) {
      return;
    }
  }
}

void each_exported_task(record::AnnotationTasks& tasks, const record::AnnotationProject& project, const AnnotationExportOptions& options,
                        const std::function<void(const record::AnnotatedTask&)>& take) {
  Consensus consensus(project.settings.scheme, options.consensus);
  if (options.consensus == ConsensusKind::kDawidSkene) {
    each_annotated_task(tasks, project.id, std::nullopt, [&](const record::AnnotatedTask& task) { consensus.see(task); });
    consensus.fit();
  }
  each_annotated_task(tasks, project.id, options.state, [&](record::AnnotatedTask& task) {
    consensus.add(task);
    take(task);
  });
}

AnnotationExport export_annotations(record::AnnotationTasks& tasks, const record::AnnotationProject& project, AnnotationFormat format,
                                    const AnnotationExportOptions& options, const std::function<void(std::string_view)>& take) {
  const auto writer = make_annotation_writer(format);
  AnnotationExport done;
  std::string piece;
  each_exported_task(tasks, project, options, [&](const record::AnnotatedTask& task) {
    writer->write(task, piece);
    done.tasks += 1;
    if (piece.size() >= kPieceBytes) {
      take(piece);
      piece.clear();
      if (options.told) {
        options.told(done.tasks);
      }
    }
  });
  writer->finish(piece);
  take(piece);
  done.notes = writer->notes();
  return done;
}

}  // namespace slipway::data
