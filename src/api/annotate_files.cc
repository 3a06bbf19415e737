// Files of annotation tools into a project and out of it. Bodies lie in a file, exports are written to one: neither is held in memory.
#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <fstream>

#include "api/annotate.h"
#include "api/approvals.h"
#include "api/download.h"
#include "api/spool.h"
#include "data/annotation_files.h"

namespace slipway::api {
namespace {

namespace fs = std::filesystem;
using record::AnnotationProject;

constexpr uint64_t kMaxImport = uint64_t{4} << 30;

net::Response import(Backend& backend, const net::Request& request) {
  const AnnotationProject project = annotation_project(backend, request);
  const base::MappedFile file = Spool::body_of(request);
  data::AnnotationImportOptions options;
  options.who = decider_of(request, std::string(request.query_value("annotator")));
  if (const std::string_view format = request.query_value("format"); !format.empty()) {
    options.reading.format = data::annotation_format_named(format);
  }
  options.reading.annotator = options.who;
  size_t at = 0;
  const std::string_view bytes = file.bytes();
  const auto reader = data::read_annotations(
      [&](char* buffer, size_t capacity) {
        const size_t size = std::min(capacity, bytes.size() - at);
        std::copy_n(bytes.data() + at, size, buffer);
        at += size;
        return size;
      },
      "the body", options.reading);
  const record::AddedTasks added = data::import_annotations(*reader, backend.store.annotations().tasks(), project.id, options);
  return net::json_response({{"format", data::name_of(reader->format())},
                             {"tasks", added.tasks},
                             {"known", added.known},
                             {"annotations", added.annotations},
                             {"suggestions", added.suggestions}});
}

// Where exports lie until the next ones: those that are an hour old were sent.
fs::path export_folder(Backend& backend) {
  constexpr auto kKept = std::chrono::hours(1);
  const fs::path folder = backend.store.steps().work_folder() / "annotation-exports";
  base::make_dirs(folder);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (fs::file_time_type::clock::now() - entry.last_write_time(ignored) > kKept) {
      fs::remove(entry.path(), ignored);
    }
  }
  return folder;
}

net::Response export_to(Backend& backend, const net::Request& request) {
  const AnnotationProject project = annotation_project(backend, request);
  const data::AnnotationFormat format = data::annotation_format_named(request.query_value("format"));
  data::AnnotationExportOptions options;
  if (const std::string_view state = request.query_value("state"); !state.empty()) {
    options.state = record::task_state_named(state);
  }
  if (const std::string_view consensus = request.query_value("consensus"); !consensus.empty()) {
    options.consensus = data::consensus_named(consensus);
  }
  const std::string ending(data::file_ending(format));
  const fs::path path = export_folder(backend) / (request.id + ending);
  std::ofstream file(path, std::ios::binary);
  data::export_annotations(backend.store.annotations().tasks(), project, format, options, [&](std::string_view bytes) {
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  });
  file.close();
  if (file.fail()) {
    throw base::Error(base::Code::kUnavailable, fmt::format("the export does not fit into '{}'; free some space", path.parent_path().string()));
  }
  std::string name = project.name;
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '"' || c == '/' || c == '\\' || static_cast<unsigned char>(c) < 32; }, '-');
  net::Response response{200, {{"Content-Type", "application/octet-stream"}}, {}};
  response.headers.set("Content-Disposition", fmt::format("attachment; filename=\"{}{}\"", name, ending));
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.file = net::FileBody{path, 0, fs::file_size(path)};
  return response;
}

}  // namespace

void add_annotation_file_routes(Routes& routes, Backend& backend) {
  for (const char* prefix : {"/api", "/ajax-api"}) {
    routes.add_upload_at(
        "POST", std::string(prefix) + "/ui/annotation/{name}/import", kMaxImport, Spool::make,
        [&backend](const net::Request& request) { return import(backend, request); }, over_annotation(Role::kApprover));
  }
  routes.add_raw(
      "GET", "/ui/annotation/{name}/export", [&backend](const net::Request& request) { return export_to(backend, request); },
      over_annotation(Role::kViewer));
}

}  // namespace slipway::api
