// Small helpers for reading sections of configuration whose values FieldTable does not cover. Used inside this room.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/json.h"

namespace slipway::data {

// Throws Error(kInvalid) naming `where` unless `value` is an object (null counts as an empty one) with known keys only;
// an unknown key is named with the nearest known one.
void check_keys(const base::Json& value, std::initializer_list<std::string_view> known, const std::string& where);

// A text, or a number or truth value as the text that stands for it in YAML; throws Error(kInvalid) naming where and
// key.
std::string scalar_text(const base::Json& value, const std::string& where, std::string_view key);

// The members of `options` (an object) whose values differ from those of `defaults`.
base::Json without_defaults(const base::Json& options, const base::Json& defaults);

}  // namespace slipway::data
