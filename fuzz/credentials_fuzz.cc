// What strangers show to be let in: any Authorization header and any cookies are understood or refused, and a secret is only
// taken for one that has the form of one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "api/credentials.h"
#include "record/accounts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t line = text.find('\n');
  net::Request request;
  request.headers.add("Authorization", text.substr(0, line));
  if (line != std::string::npos) {
    request.headers.add("Cookie", text.substr(line + 1));
  }
  const auto check = [](const api::Credentials& shown) {
    const bool token = shown.kind == api::Credentials::Kind::kToken || shown.kind == api::Credentials::Kind::kSession;
    if (token != record::is_token(shown.secret)) {
      std::abort();
    }
  };
  check(api::credentials_of(request));
  net::Request page;
  page.headers.add("Cookie", text);
  check(api::credentials_of(page));
  page.query.emplace_back("ticket", text);
  check(api::credentials_of(page));
  api::cookie_value(text, "a");
  return 0;
}
