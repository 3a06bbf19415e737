// The tables of filters, by kind: what jinja_filters.cc looks names up in. Internal to jinja_*.
#pragma once

#include <span>
#include <string>

#include "text/jinja_eval.h"

namespace slipway::text::jinja {

using Filter = Value (*)(Interpreter&, const Value& input, Arguments&);
struct NamedFilter {
  std::string_view name;
  Filter apply;
};

// Those of texts (jinja_filters_text.cc).
std::span<const NamedFilter> text_filters() noexcept;

inline Value text(Interpreter& in, std::string value) { return in.heap().string(std::move(value)); }

}  // namespace slipway::text::jinja
