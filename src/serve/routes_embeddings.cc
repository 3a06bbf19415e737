// Embeddings of an encoder as OpenAI's and Ollama's clients ask for them: /v1/embeddings, /api/embed.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

#include "serve/body.h"
#include "serve/core.h"
#include "serve/generator_core.h"

namespace slipway::serve {

namespace {

// Little-endian float32, as both official clients ask for by default.
std::string base64(const std::vector<float>& values) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63U];
    }
  }
  return out;
}

// The first `dimensions`, scaled to length 1 again.
std::vector<float> shortened(std::vector<float> vector, size_t dimensions) {
  if (dimensions == 0 || dimensions >= vector.size()) {
    return vector;
  }
  vector.resize(dimensions);
  double squares = 0;
  for (const float x : vector) {
    squares += static_cast<double>(x) * static_cast<double>(x);
  }
  for (float& x : vector) {
    x = squares > 0 ? static_cast<float>(static_cast<double>(x) / std::sqrt(squares)) : 0;
  }
  return vector;
}

Item item_of(const Core& core, const Served& served, const Json& input, const char* field) {
  Item item;
  if (input.is_string()) {
    item = core.tokenize(served, input.get<std::string>());
  } else if (input.is_array()) {
    for (const Json& id : input) {
      if (!id.is_number_unsigned() || id.get<uint64_t>() >= static_cast<uint64_t>(served.info.vocab_size)) {
        reject(field, fmt::format("a token id is a whole number below {}", served.info.vocab_size));
      }
      item.ids.push_back(id.get<int32_t>());
    }
    item.truncated = item.ids.size() > static_cast<size_t>(served.info.max_length);
  } else {
    reject(field, "an input is a text or a list of token ids");
  }
  if (item.ids.empty()) {
    reject(field, "an input is empty");
  }
  return item;
}

// A text, its ids, or a list of either.
std::vector<Item> items_of(const Core& core, const Served& served, const Json* input, const char* field) {
  if (input == nullptr || (!input->is_string() && !input->is_array())) {
    reject(field, fmt::format("'{}' must be a text, token ids, or a list of either", field));
  }
  const bool many = input->is_array() && (input->empty() || !(*input)[0].is_number());
  core.check_count(many ? input->size() : 1);
  std::vector<Item> items;
  if (!many) {
    items.push_back(item_of(core, served, *input, field));
    return items;
  }
  for (const Json& one : *input) {
    items.push_back(item_of(core, served, one, field));
  }
  return items;
}

void check_model(const Core& core, const Body& body) {
  auto name = body.text("model");
  if (name && name->ends_with(":latest")) {
    name->resize(name->size() - std::string_view(":latest").size());
  }
  if (name) {
    try {
      core.check_model_name(*name);
    } catch (const StatusError& error) {
      throw StatusError(404, error.what(), "model", "model_not_found");
    }
  }
}

int64_t tokens_of(const Batch& batch) {
  int64_t tokens = 0;
  for (const Answer& answer : batch.answers) {
    tokens += answer.prediction.tokens;
  }
  return tokens;
}

void openai_embeddings(Core& core, const net::Request& request, const net::Responder& responder) {
  const Json json = parse_body(request);
  const Body body(json);
  check_model(core, body);
  const std::string format = body.text("encoding_format").value_or("float");
  if (format != "float" && format != "base64") {
    reject("encoding_format", "'encoding_format' is float or base64");
  }
  const auto dimensions = static_cast<size_t>(body.whole("dimensions", 1, 1 << 20).value_or(0));
  Core::Inference inference;
  inference.served = core.version_for(request);
  inference.items = items_of(core, *inference.served, body.find("input"), "input");
  for (const Item& item : inference.items) {
    if (item.truncated) {
      reject("input", fmt::format("an input has more than the {} tokens that the model takes",
                                  inference.served->info.max_length));
    }
  }
  inference.is_prediction = false;
  inference.responder = responder;
  inference.render_error = [](int status, const std::string& message) { return openai_error(status, message); };
  inference.render = [format, dimensions, model = core.endpoint](const Batch& batch) {
    Json data = Json::array();
    for (const Answer& answer : batch.answers) {
      const std::vector<float> vector = shortened(answer.embedding, dimensions);
      data.push_back({{"object", "embedding"},
                      {"index", data.size()},
                      {"embedding", format == "base64" ? Json(base64(vector)) : Json(vector)}});
    }
    const int64_t tokens = tokens_of(batch);
    return net::json_response({{"object", "list"},
                               {"data", std::move(data)},
                               {"model", model},
                               {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}});
  };
  core.infer(std::move(inference));
}

void ollama_embed(Core& core, const net::Request& request, const net::Responder& responder) {
  const Json json = parse_body(request);
  const Body body(json);
  check_model(core, body);
  Core::Inference inference;
  inference.served = core.version_for(request);
  inference.items = items_of(core, *inference.served, body.find("input"), "input");
  const bool truncate = body.flag("truncate", true);
  for (Item& item : inference.items) {
    if (item.truncated && !truncate) {
      reject("input", "an input is longer than the model takes");
    }
    item.ids.resize(std::min(item.ids.size(), static_cast<size_t>(inference.served->info.max_length)));
  }
  const auto start = std::chrono::steady_clock::now();
  const auto dimensions = static_cast<size_t>(body.whole("dimensions", 1, 1 << 20).value_or(0));
  inference.is_prediction = false;
  inference.responder = responder;
  inference.render_error = plain_error;
  inference.render = [start, dimensions, model = core.endpoint](const Batch& batch) {
    Json rows = Json::array();
    for (const Answer& answer : batch.answers) {
      rows.push_back(shortened(answer.embedding, dimensions));
    }
    const auto took = std::chrono::steady_clock::now() - start;
    return net::json_response({{"model", model},
                               {"embeddings", std::move(rows)},
                               {"total_duration", std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()},
                               {"load_duration", 0},
                               {"prompt_eval_count", tokens_of(batch)}});
  };
  core.infer(std::move(inference));
}

}  // namespace

void add_embedding_routes(net::Router& router, Core& core) {
  router.add("POST", "/v1/embeddings",
             core.handler(with_openai_errors([&core](const net::Request& request, const net::Responder& responder) {
                            openai_embeddings(core, request, responder);
                          }),
                          [](int status, const std::string& message) { return openai_error(status, message); }));
  router.add("POST", "/api/embed",
             core.handler([&core](const net::Request& request,
                                  const net::Responder& responder) { ollama_embed(core, request, responder); },
                          plain_error));
  router.add("GET", "/", [](const net::Request& request, const net::Responder& responder) {
    responder.send(front_page(request, false));
  });
}

}  // namespace slipway::serve
