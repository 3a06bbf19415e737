#include "hub/address.h"

#include <fmt/format.h>
#include <vector>

#include "base/error.h"
#include "base/path.h"
#include "net/http.h"

namespace slipway::hub {
namespace {

using base::Code;
using base::Error;

constexpr std::string_view kScheme = "hf://";
constexpr size_t kMaxRevision = 250;

[[noreturn]] void refuse(std::string_view text, const char* why) {
  throw Error(Code::kInvalid,
              fmt::format("'{}' {}; an address is hf://NS/NAME, hf://NS/NAME@REVISION, hf://datasets/NS/NAME or one of these "
                          "with /FILE at its end",
                          text.substr(0, 500), why));
}

// Takes the next part, up to '/'.
std::string_view next_part(std::string_view& rest) {
  const size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view part = rest.substr(0, slash);
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  return part;
}

bool is_name(std::string_view part) {
  return !part.empty() && part.size() <= 96 && part.front() != '.' && part.front() != '-' && part.find("..") == std::string_view::npos &&
         part.find("--") == std::string_view::npos &&
         part.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string_view::npos;
}

}  // namespace

std::string Address::text() const {
  std::string out = fmt::format("{}{}{}", kScheme, type == "dataset" ? "datasets/" : "", name);
  if (revision != "main") {
    out += "@" + net::percent_encode(revision);
  }
  return file.empty() ? out : out + "/" + file;
}

bool is_address(std::string_view text) noexcept { return text.starts_with(kScheme); }

bool is_commit(std::string_view revision) noexcept {
  return revision.size() == 40 && revision.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Address parse_address(std::string_view text) {
  if (!is_address(text)) {
    refuse(text, "is no address");
  }
  Address address;
  std::string_view rest = text.substr(kScheme.size());
  if (rest.starts_with("datasets/")) {
    address.type = "dataset";
    rest.remove_prefix(9);
  } else if (rest.starts_with("models/")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("spaces/")) {
    refuse(text, "is a space, neither a model nor a dataset");
  }
  std::string_view part = next_part(rest);
  if (!rest.empty() && part.find('@') == std::string_view::npos) {
    if (!is_name(part)) {
      refuse(text, "has no good namespace");
    }
    address.name = fmt::format("{}/", part);
    part = next_part(rest);
  }
  const size_t at = part.find('@');
  if (!is_name(part.substr(0, at))) {
    refuse(text, "has no good name");
  }
  address.name += part.substr(0, at);
  if (at != std::string_view::npos) {
    std::string revision(part.substr(at + 1));
    if (revision == "refs" && (rest.starts_with("pr/") || rest.starts_with("convert/"))) {
      revision += fmt::format("/{}", next_part(rest));
      revision += fmt::format("/{}", next_part(rest));
    }
    if (!net::percent_decode(revision, false, address.revision) || address.revision.empty() ||
        address.revision.size() > kMaxRevision) {
      refuse(text, "has no good revision");
    }
  }
  address.file = rest;
  if (!address.file.empty()) {
    base::check_entry_path(address.file);
  }
  return address;
}

}  // namespace slipway::hub
