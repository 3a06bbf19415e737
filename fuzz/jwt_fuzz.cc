// ID tokens and the keys they are held to: a line with the token, then the JWKS document. Any bytes are understood or refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "api/jwt.h"
#include "api/oidc.h"
#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t line = text.find('\n');
  const auto token = api::parse_jwt(text.substr(0, line));
  if (token) {
    api::claims_problem(token->claims, {"https://id.example", "record", "n", 1'000'100});
    api::OidcOptions options;
    options.roles = {"ml-team=editor:sentiment"};
    api::grants_of(token->claims, options);
  }
  if (line != std::string::npos) {
    try {
      const api::KeySet keys(base::parse_json(text.substr(line + 1), "keys"));
      if (token && keys.size() == 0 && keys.verify(*token)) {
        std::abort();
      }
      if (token && keys.size() > 0) {
        keys.verify(*token);
      }
    } catch (const base::Error&) {
      // refused
    }
  }
  const auto decoded = api::decode_base64url(text);
  if (decoded && api::decode_base64url(api::encode_base64url(*decoded)) != *decoded) {
    std::abort();
  }
  return 0;
}
