// The search language of the tracking API: any text is understood or refused with ApiError.
#include <cstddef>
#include <cstdint>
#include <string>

#include "api/errors.h"
#include "api/filter.h"
#include "api/page_token.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto attempt = [](const auto& work) {
    try {
      work();
    } catch (const api::ApiError&) {
      // refused
    }
  };
  for (const api::Grammar* grammar : {&api::run_grammar(), &api::experiment_grammar(), &api::trace_grammar(), &api::logged_model_grammar(),
                                      &api::eval_dataset_grammar()}) {
    attempt([&] { api::parse_filter(text, *grammar); });
    attempt([&] { api::parse_order(std::vector<std::string>{text}, *grammar); });
  }
  attempt([&] { api::page_offset(text); });
  return 0;
}
