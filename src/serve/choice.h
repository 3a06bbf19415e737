// Which of a server's models a request is for. In this order: the name in the path, the header X-Model, "model" in the
// JSON of the body; a request that names none goes to the first loaded model that has its route. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"
#include "serve/models.h"

namespace slipway::serve {

// The text at "model" in the outermost object; nullopt when there is none. Reads no further than to it; what is no JSON
// has none. O(body).
std::optional<std::string> model_field(std::string_view body);

struct Choice {
  const Models::Entry* entry = nullptr;  // of the table; its model is loaded
  bool ask_body = false;                 // it depends on model_field(): none of the rest is set
  int status = 0;                        // refused, when there is no entry
  std::string message = {};
};

// `body_model`: null before the body was asked. A server of one model does not ask: the model itself refuses a name
// that is not its own, in the words of the protocol, and protocols without a name take any.
Choice choose(const Models::Table& table, std::string_view method, std::string_view pattern,
              const net::Request& request, const std::optional<std::string>* body_model);

}  // namespace slipway::serve
