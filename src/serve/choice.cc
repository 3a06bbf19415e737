#include "serve/choice.h"

#include <fmt/format.h>

#include "base/json.h"

namespace slipway::serve {

namespace {

// Stops the parser at the first text at "model".
class ModelFinder final : public nlohmann::json_sax<base::Json> {
 public:
  std::optional<std::string> found;

  bool null() override { return next(); }
  bool boolean(bool /*value*/) override { return next(); }
  bool number_integer(number_integer_t /*value*/) override { return next(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return next(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return next(); }
  bool binary(binary_t& /*value*/) override { return next(); }
  bool string(string_t& value) override {
    if (here_ && depth_ == 1) {
      found = std::move(value);
      return false;
    }
    return next();
  }
  bool start_object(size_t /*size*/) override { return open(); }
  bool start_array(size_t /*size*/) override { return depth_ > 0 && open(); }  // a list has no fields
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    here_ = depth_ == 1 && name == "model";
    return true;
  }
  bool parse_error(size_t /*at*/, const std::string& /*token*/, const nlohmann::detail::exception& /*why*/) override {
    return false;
  }

 private:
  bool next() const { return depth_ > 0; }
  bool open() {
    here_ = false;
    ++depth_;
    return true;
  }
  bool close() {
    here_ = false;
    --depth_;
    return true;
  }

  bool here_ = false;  // the value that comes is that of "model"
  int depth_ = 0;
};

std::string_view named(const net::Request& request) {
  for (const char* param : {"model", "name"}) {
    if (const std::string_view name = request.param(param); !name.empty()) {
      return name;
    }
  }
  return request.headers.get("X-Model");
}

Choice refused(int status, std::string message) { return {nullptr, false, status, std::move(message)}; }

Choice loaded(const Models::Entry& entry) {
  switch (entry.state) {
    case Models::State::kReady: return {&entry};
    case Models::State::kLoading: return refused(503, fmt::format("the model '{}' is being loaded", entry.name));
    default: return refused(404, fmt::format("the model '{}' is not loaded", entry.name));
  }
}

}  // namespace

std::optional<std::string> model_field(std::string_view body) {
  ModelFinder finder;
  base::Json::sax_parse(body.begin(), body.end(), &finder);
  return std::move(finder.found);
}

Choice choose(const Models::Table& table, std::string_view method, std::string_view pattern,
              const net::Request& request, const std::optional<std::string>* body_model) {
  const std::string offer = fmt::format("{} {}", method, pattern);
  const Models::Entry* first = nullptr;  // a loaded one before those that are not
  for (const Models::Entry& entry : table) {
    if (entry.offers.contains(offer)) {
      first = first == nullptr || (!first->model && entry.model) ? &entry : first;
    }
  }
  if (first == nullptr) {
    return refused(404, fmt::format("no model of this server answers {}", pattern));
  }
  std::string_view name = named(request);
  if (table.size() == 1 && first->model && !request.headers.has("X-Model")) {
    return loaded(*first);
  }
  if (name.empty() && method == "POST") {
    if (body_model == nullptr) {
      return {nullptr, true};
    }
    name = body_model->has_value() ? std::string_view(**body_model) : name;
  }
  if (name.empty()) {
    return loaded(*first);
  }
  const Models::Entry* entry = Models::find(table, name);
  if (entry == nullptr) {
    return refused(404, fmt::format("the model '{}' does not exist", name.substr(0, 100)));
  }
  if (!entry->offers.contains(offer)) {
    return refused(404, fmt::format("the model '{}' does not answer {}", entry->name, pattern));
  }
  return loaded(*entry);
}

}  // namespace slipway::serve
