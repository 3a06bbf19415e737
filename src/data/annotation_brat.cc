// brat's standoff: NAME.txt and NAME.ann, positions in code points. T and R become spans and relations, AnnotatorNotes notes; E, A, M, N, * and
// fragments of discontinuous spans have no place in an answer and go out again as they came in while what they name is there.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <set>
#include <unordered_set>

#include "base/error.h"
#include "base/input.h"
#include "data/annotation_source.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;
namespace fs = std::filesystem;

constexpr size_t kMaxDocument = size_t{16} << 20;  // bytes, also of its .ann

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0 ? std::optional(value) : std::nullopt;
}

bool is_id(std::string_view id, char kind) {
  return id.size() > 1 && id.size() < 20 && id[0] == kind && std::all_of(id.begin() + 1, id.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct AnnLines {
  std::vector<std::string_view> lines;
  const std::string& name;
  [[noreturn]] void fail(size_t i, const char* what) const {
    throw Error(Code::kInvalid, fmt::format("{}.ann:{}: {}: '{}'", name, i + 1, what, lines[i].substr(0, 80)));
  }
};

// T1⇥ORG 0 3;7 9⇥text: a span for each fragment, T1, T1.2, …
void read_span(const AnnLines& ann, size_t i, const std::vector<std::string_view>& fields, int64_t length, std::vector<record::Span>& spans, Notes& notes) {
  const size_t blank = fields.size() < 2 ? std::string_view::npos : fields[1].find(' ');
  if (blank == std::string_view::npos || blank == 0) {
    ann.fail(i, "is no span 'T1<TAB>LABEL START END<TAB>TEXT'");
  }
  const std::string label(fields[1].substr(0, blank));
  int64_t part = 0;
  for (const std::string_view fragment : split(fields[1].substr(blank + 1), ';')) {
    const size_t middle = fragment.find(' ');
    const auto start = number(fragment.substr(0, middle));
    const auto end = middle == std::string_view::npos ? std::nullopt : number(fragment.substr(middle + 1));
    if (!start || !end || *start >= *end) {
      ann.fail(i, "has a fragment that is not 'START END'");
    }
    if (*end > length) {
      ann.fail(i, "ends behind the text");
    }
    ++part;
    spans.push_back({part == 1 ? std::string(fields[0]) : fmt::format("{}.{}", fields[0], part), *start, *end, label});
  }
  notes["discontinuous spans (a span for each fragment)"] += part > 1 ? 1 : 0;
}

// The value of "Arg1:T1".
std::string_view argument(std::string_view word) {
  const size_t colon = word.find(':');
  return colon == std::string_view::npos ? std::string_view() : word.substr(colon + 1);
}

// Ids that a line names: of an attribute, a note, an event, an equivalence.
std::vector<std::string_view> named_ids(std::string_view line) {
  const std::vector<std::string_view> fields = split(line, '\t');
  std::vector<std::string_view> ids;
  if (fields.size() > 1) {
    for (const std::string_view word : split(fields[1], ' ')) {
      const std::string_view id = word.find(':') != std::string_view::npos && line[0] != 'N' ? argument(word) : word;
      if (is_id(id, 'T') || is_id(id, 'E') || is_id(id, 'R')) {
        ids.push_back(id);
      }
    }
  }
  return ids;
}

class BratReader final : public AnnotationReader {
 public:
  BratReader(const fs::path& path, const AnnotationReadOptions& options) : options_(options), root_(path) {
    if (fs::is_directory(path)) {
      for (const auto& entry : fs::recursive_directory_iterator(path)) {
        if (entry.path().extension() == ".ann" && entry.is_regular_file()) {
          files_.push_back(entry.path());
        }
      }
      std::sort(files_.begin(), files_.end());
      if (files_.empty()) {
        throw Error(Code::kInvalid, fmt::format("{}: there are no .ann files of brat's in the folder", path.string()));
      }
    } else {
      files_.push_back(path);
      files_[0].replace_extension(".ann");
    }
  }
  AnnotationFormat format() const noexcept override { return AnnotationFormat::kBrat; }

  bool next(record::AnnotatedTask& task) override {
    while (at_ < files_.size()) {
      const fs::path ann = files_[at_++];
      fs::path text = ann;
      text.replace_extension(".txt");
      fs::path name = fs::is_directory(root_) ? ann.lexically_relative(root_) : ann.filename();
      name.replace_extension();
      try {
        task = brat_task(base::read_decompressed(text, kMaxDocument), base::read_decompressed(ann, kMaxDocument), name.string(), notes_);
        for (record::Annotation& annotation : task.annotations) {
          annotation.annotator = options_.annotator;
        }
        return true;
      } catch (const Error& error) {
        if (!options_.on_fault) {
          throw;
        }
        options_.on_fault(error.what());
      }
    }
    return false;
  }

 private:
  AnnotationReadOptions options_;
  fs::path root_;
  std::vector<fs::path> files_;
  size_t at_ = 0;
};

// The .ann of an answer: its spans and relations, with ids of brat's.
struct Lines {
  std::string text;
  std::unordered_set<std::string> ids;  // T, R
};

Lines lines_of(const record::Answer& answer, const Positions& positions) {
  Lines lines;
  int64_t last = 0;
  for (const record::Span& span : answer.spans) {
    last = std::max(last, is_id(span.id, 'T') ? number(std::string_view(span.id).substr(1)).value_or(0) : 0);
  }
  std::map<std::string_view, std::string> renamed;
  for (const record::Span& span : answer.spans) {
    const std::string id = is_id(span.id, 'T') && !lines.ids.contains(span.id) ? span.id : fmt::format("T{}", ++last);
    renamed[span.id] = id;
    lines.ids.insert(id);
    std::string covered(positions.slice(span.start, span.end));
    std::replace_if(covered.begin(), covered.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    lines.text += fmt::format("{}\t{} {} {}\t{}\n", id, span.label, span.start, span.end, covered);
  }
  int64_t count = 0;
  for (const record::Relation& relation : answer.relations) {
    const std::string id = fmt::format("R{}", ++count);
    lines.ids.insert(id);
    lines.text += fmt::format("{}\t{} Arg1:{} Arg2:{}\n", id, relation.label, renamed[relation.from], renamed[relation.to]);
  }
  return lines;
}

void check_names(const record::Answer& answer) {
  const auto check = [](const std::string& label) {
    if (label.find_first_of(" \t\r\n;") != std::string::npos) {
      throw Error(Code::kInvalid, fmt::format("the label '{}' has blanks, which brat's files cannot hold", label.substr(0, 100)));
    }
  };
  for (const record::Span& span : answer.spans) {
    check(span.label);
  }
  for (const record::Relation& relation : answer.relations) {
    check(relation.label);
  }
}

}  // namespace

record::AnnotatedTask brat_task(std::string_view text, std::string_view ann, const std::string& name, Notes& notes) {
  if (!text::is_valid_utf8(text) || !text::is_valid_utf8(ann)) {
    throw Error(Code::kInvalid, fmt::format("{}: the text or its .ann is no UTF-8", name));
  }
  if (text.empty()) {
    throw Error(Code::kInvalid, fmt::format("{}.txt is empty", name));
  }
  record::AnnotatedTask task;
  task.task.text = text;
  task.task.key = name.substr(0, 500);
  const int64_t length = record::length_of(text);
  record::Annotation& annotation = task.annotations.emplace_back();
  AnnLines lines{split(ann, '\n'), name};
  std::vector<record::Relation>& relations = annotation.answer.relations;
  for (size_t i = 0; i < lines.lines.size(); ++i) {
    std::string_view line = lines.lines[i];
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.empty()) {
      continue;
    }
    const std::vector<std::string_view> fields = split(line, '\t');
    const std::vector<std::string_view> words = fields.size() < 2 ? std::vector<std::string_view>() : split(fields[1], ' ');
    switch (line[0]) {
      case 'T':
        read_span(lines, i, fields, length, annotation.answer.spans, notes);
        break;
      case 'R':
        if (words.size() < 3 || argument(words[1]).empty() || argument(words[2]).empty()) {
          lines.fail(i, "is no relation 'R1<TAB>LABEL Arg1:T1 Arg2:T2'");
        }
        relations.push_back({std::string(argument(words[1])), std::string(argument(words[2])), std::string(words[0])});
        break;
      case '#':
        if (fields.size() > 2 && !words.empty() && words[0] == "AnnotatorNotes") {
          annotation.note += fmt::format("{}{}: {}", annotation.note.empty() ? "" : "\n", words.size() > 1 ? words[1] : "", fields[2]);
        }
        break;
      case 'E':
        ++notes["events (E)"];
        break;
      case 'A':
      case 'M':
        ++notes["attributes (A)"];
        break;
      case 'N':
        ++notes["normalizations (N)"];
        break;
      case '*':
        ++notes["equivalences (*)"];
        break;
      default:
        lines.fail(i, "is none of brat's lines T, R, E, A, M, N, *, #");
    }
  }
  std::set<std::string_view> ids;
  for (const record::Span& span : annotation.answer.spans) {
    if (!ids.insert(span.id).second) {
      throw Error(Code::kInvalid, fmt::format("{}.ann: {} is there twice", name, span.id));
    }
  }
  const size_t before = relations.size();
  std::erase_if(relations, [&](const record::Relation& r) { return !ids.contains(r.from) || !ids.contains(r.to); });
  if (relations.size() < before) {
    notes["relations of events"] += static_cast<int64_t>(before - relations.size());
  }
  std::erase_if(notes, [](const auto& note) { return note.second == 0; });
  keep_source(task.task, AnnotationFormat::kBrat, {{"name", name}, {"ann", ann}}, "", {});
  return task;
}

BratDocument brat_document(const record::AnnotatedTask& task, Notes& notes) {
  BratDocument document;
  document.text = task.task.text;
  for (const char c : task.task.key) {
    const bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    document.name += safe ? c : '_';
  }
  const std::optional<Original> original = original_of(task.task, AnnotationFormat::kBrat);
  const std::string* name = original ? text_member(original->record, "name") : nullptr;
  const std::string* ann = original ? text_member(original->record, "ann") : nullptr;
  if (name != nullptr && !name->empty() && name->find("..") == std::string::npos && (*name)[0] != '/') {
    document.name = *name;
  }
  const record::Annotation* chosen = chosen_annotation(task);
  const record::Annotation now = chosen == nullptr ? record::Annotation() : *chosen;
  if (task.annotations.size() > 1) {
    ++notes["answers of other annotators"];
  }
  if (!now.answer.classes.empty() || !now.answer.texts.empty() || now.answer.rating) {
    ++notes["what is no span or relation"];
  }
  check_names(now.answer);
  const Positions positions(task.task.text);
  Lines lines = lines_of(now.answer, positions);
  if (ann != nullptr) {
    Notes ignored;
    const record::AnnotatedTask before = brat_task(task.task.text, *ann, document.name, ignored);
    if (before.annotations[0].answer == now.answer && before.annotations[0].note == now.note) {
      document.ann = *ann;
      return document;
    }
    for (const std::string_view line : split(*ann, '\n')) {
      const bool extra = !line.empty() && line[0] != 'T' && line[0] != 'R';
      const std::vector<std::string_view> ids = extra ? named_ids(line) : std::vector<std::string_view>();
      const auto gone = [&](std::string_view id) { return id[0] != 'E' && !lines.ids.contains(std::string(id)); };
      if (extra && std::none_of(ids.begin(), ids.end(), gone)) {
        lines.text += std::string(line) + "\n";
      } else if (extra) {
        ++notes["lines about spans that are gone"];
      }
    }
  } else if (!now.note.empty() && !now.answer.spans.empty()) {
    lines.text += fmt::format("#1\tAnnotatorNotes {}\t{}\n", lines.text.substr(0, lines.text.find('\t')), now.note.substr(0, now.note.find('\n')));
  }
  document.ann = std::move(lines.text);
  return document;
}

std::unique_ptr<AnnotationReader> make_brat_reader(const fs::path& folder, const AnnotationReadOptions& options) {
  return std::make_unique<BratReader>(folder, options);
}

}  // namespace slipway::data
