// The table of options of a component: each declared once (name, where it lives, help, range), and flags, environment,
// file and help derive from it. A component writes `void describe(FieldTable& t) { t.add("epochs", epochs, "..."); }`.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace slipway::base {

struct Range {
  double min = -1e300;
  double max = 1e300;
};

struct Field {
  std::string name;
  std::string help;
  std::string type;  // "string", "integer", "number", "boolean", "list"
  std::function<void(const Json&, const std::string& where)> set;
  std::function<Json()> get;
};

// Borrows the variables it is given: they must outlive it. One thread.
class FieldTable {
 public:
  void add(std::string name, std::string& value, std::string help);
  void add(std::string name, std::string& value, std::string help, std::vector<std::string> choices);
  void add(std::string name, int& value, std::string help, Range range = {});
  void add(std::string name, int64_t& value, std::string help, Range range = {});
  void add(std::string name, uint64_t& value, std::string help, Range range = {0, 1e300});
  void add(std::string name, double& value, std::string help, Range range = {});
  void add(std::string name, bool& value, std::string help);
  void add(std::string name, std::vector<std::string>& value, std::string help);
  // Takes the fields out that `other` has too: that table is the one to set them.
  void drop_fields_of(const FieldTable& other);

  // Sets the fields that `object` names. Throws Error(kInvalid) naming `where` for an unknown key (with the nearest known
  // one), a wrong type or a value out of range; nothing is set then.
  void apply(const Json& object, const std::string& where);
  // Sets one field from a flag's or environment variable's text.
  void set_text(std::string_view name, std::string_view text, const std::string& where);
  // Every field and its value: the resolved configuration, stored with the run.
  Json to_json() const;
  const std::vector<Field>& fields() const { return fields_; }

 private:
  Field& find(std::string_view name, const std::string& where);
  std::vector<Field> fields_;
};

}  // namespace slipway::base
