// Annotation projects: what they ask, settings, progress, agreement.
#include <charconv>
#include <fmt/format.h>

#include "api/annotate.h"
#include "data/annotation_files.h"

namespace slipway::api {
namespace {

using record::AnnotationProject;

Json formats() {
  Json names = Json::array();
  for (const data::AnnotationFormat format : data::annotation_formats()) {
    if (format != data::AnnotationFormat::kBrat) {  // folders: `slipway annotate import` and `export`
      names.push_back(data::name_of(format));
    }
  }
  return names;
}

Json page(const AnnotationProject& project, AnnotationDesk& desk) {
  return {{"name", project.name},
          {"settings", record::to_json(project.settings)},
          {"revision", project.revision},
          {"counts", record::to_json(project.counts)},
          {"created_ms", project.created_ms},
          {"updated_ms", project.updated_ms},
          {"learning", desk.learning(project)},
          {"models", desk.asker().names(project)},
          {"suggesters", desk.asker().state(project)},
          {"import_formats", formats()},
          {"export_formats", formats()}};
}

Json list(Backend& backend, const net::Request& request) {
  Json rows = Json::array();
  for (const AnnotationProject& project : backend.store.annotations().projects().list()) {
    if (!may_see(request, project.name)) {
      continue;
    }
    Json questions = Json::array();
    for (const record::Question question : project.settings.scheme.questions) {
      questions.push_back(record::name_of(question));
    }
    rows.push_back({{"name", project.name},
                    {"questions", std::move(questions)},
                    {"counts", record::to_json(project.counts)},
                    {"created_ms", project.created_ms},
                    {"updated_ms", project.updated_ms}});
  }
  return {{"projects", std::move(rows)}};
}

const Json& member(const Json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end()) {
    missing_parameter(name);
  }
  return *found;
}

net::Response create(Backend& backend, AnnotationDesk& desk, const ChangeGuard& guard, const net::Request& request) {
  const Json body = body_object(request);
  const Json& name = member(body, "name");
  if (!name.is_string()) {
    wrong_type("name", name);
  }
  return guard.run(
      request, [&] { return Subjects{{name.get<std::string>()}, {}, {}}; },
      [&] {
        const auto settings = record::annotation_settings_from_json(member(body, "settings"), "the settings");
        desk.asker().check(settings);
        return net::json_response(page(backend.store.annotations().projects().create(name.get<std::string>(), settings), desk));
      });
}

net::Response change(Backend& backend, AnnotationDesk& desk, const net::Request& request) {
  const Json body = body_object(request);
  const Json& revision = member(body, "revision");
  if (!revision.is_number_integer()) {
    wrong_type("revision", revision);
  }
  const auto settings = record::annotation_settings_from_json(member(body, "settings"), "the settings");
  desk.asker().check(settings);
  return net::json_response(
      page(backend.store.annotations().projects().change(std::string(request.param("name")), settings, revision.get<int64_t>()), desk));
}

Json progress(Backend& backend, const AnnotationProject& project) {
  Json people = Json::array();
  for (const record::AnnotatorProgress& one : backend.store.annotations().answers().progress(project.id)) {
    people.push_back(record::to_json(one));
  }
  return {{"counts", record::to_json(project.counts)}, {"annotators", std::move(people)}, {"overlap", project.settings.overlap}};
}

}  // namespace

AnnotationProject annotation_project(Backend& backend, const net::Request& request) {
  const std::string name(request.param("name"));
  auto found = backend.store.annotations().projects().find(name);
  if (!found) {
    throw base::Error(base::Code::kNotFound, fmt::format("there is no annotation project '{}'", name));
  }
  return std::move(*found);
}

int64_t annotation_task(const net::Request& request) {
  const std::string_view text = request.param("task");
  int64_t task = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), task);
  if (error != std::errc() || end != text.data() + text.size() || task <= 0) {
    invalid(fmt::format("a task is a number above 0, not '{}'", text.substr(0, 100)));
  }
  return task;
}

Permission over_annotation(Role role) {
  return {role, false, [](const net::Request& request) { return Subjects{{std::string(request.param("name"))}, {}, {}}; }};
}

void add_annotation_project_routes(Routes& routes, Backend& backend, AnnotationDesk& desk) {
  const auto answer = [](Json json) { return net::json_response(json); };
  routes.add_raw(
      "GET", "/ui/annotation", [&backend, answer](const net::Request& request) { return answer(list(backend, request)); },
      filtered_by_handler());
  routes.add_guarded_raw(
      "POST", "/ui/annotation",
      [&backend, &desk](const ChangeGuard& guard, const net::Request& request) { return create(backend, desk, guard, request); },
      needs(Role::kApprover));
  routes.add_raw(
      "GET", "/ui/annotation/{name}",
      [&backend, &desk, answer](const net::Request& request) { return answer(page(annotation_project(backend, request), desk)); },
      over_annotation(Role::kViewer));
  routes.add_raw(
      "PUT", "/ui/annotation/{name}", [&backend, &desk](const net::Request& request) { return change(backend, desk, request); },
      over_annotation(Role::kApprover));
  routes.add_raw(
      "DELETE", "/ui/annotation/{name}",
      [&backend, answer](const net::Request& request) {
        backend.store.annotations().projects().remove(std::string(request.param("name")));
        return answer(Json::object());
      },
      over_annotation(Role::kAdmin));
  routes.add_raw(
      "GET", "/ui/annotation/{name}/progress",
      [&backend, answer](const net::Request& request) { return answer(progress(backend, annotation_project(backend, request))); },
      over_annotation(Role::kViewer));
  routes.add_raw(
      "GET", "/ui/annotation/{name}/agreement",
      [&backend, &desk](const net::Request& request) {
        return net::Response{200, {{"Content-Type", "application/json"}}, desk.agreement(annotation_project(backend, request))};
      },
      over_annotation(Role::kViewer));
}

}  // namespace slipway::api
