// "hf://NS/NAME", "hf://datasets/NS/NAME@REV", "hf://NS/NAME@REV/FILE", as huggingface_hub's HfFileSystem writes them: '/' in
// a revision is %2F, but for refs/pr/N and refs/convert/NAME. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace slipway::hub {

struct Address {
  std::string type = "model";  // or "dataset"
  std::string name;            // "NS/NAME"; a few old models of the Hub have no namespace
  std::string revision = "main";
  std::string file;  // "" is all

  // "hf://datasets/NS/NAME@REV/FILE"
  std::string text() const;
};

bool is_address(std::string_view text) noexcept;  // begins with "hf://"
// Throws Error(kInvalid) saying the form.
Address parse_address(std::string_view text);
bool is_commit(std::string_view revision) noexcept;  // 40 hex digits

}  // namespace slipway::hub
