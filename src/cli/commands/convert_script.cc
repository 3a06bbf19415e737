// slipway convert-script: simplified to traditional Chinese and back.
#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/text_stream.h"
#include "text/script_converter.h"

namespace slipway::cli {
namespace {

class ConvertScriptCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"convert-script", "simplified to traditional Chinese and back, line by line",
            "CONFIGURATION is one of OpenCC's: s2t, t2s, s2tw, s2twp (with Taiwan's words), s2hk, tw2s, tw2sp, hk2s, t2tw, t2hk, t2jp, jp2t,\n"
            "or a .json file of OpenCC. Needs Debian's package libopencc1.1. With --field lines are JSON objects, whose member of\n"
            "that name is converted.",
            "echo '鼠标里面的硅二极管坏了' | slipway convert-script s2twp"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("CONFIGURATION", configuration_, "what to make of what");
    parameters.flags.add("field", field_, "lines are JSON objects; the text is their member of this name");
    parameters.flags.add("errors", errors_, "bytes that are no UTF-8: strict stops, replace goes on with U+FFFD", {"strict", "replace"});
  }
  int run(App& app) override {
    text::ScriptConverter converter(configuration_);
    stream_blocks(app, BlockEnd::kLine, [&](std::string_view block, uint64_t first_line, std::string& out) {
      for_each_line(block, first_line, errors_ == "replace", [&](std::string_view line, uint64_t number) {
        if (field_.empty()) {
          out += convert(converter, line);
        } else if (line.find_first_not_of(" \t") != std::string_view::npos) {
          const std::string where = fmt::format("{}:{}", kStandardInput, number);
          base::Json row = base::parse_json(line, where);
          row[field_] = convert(converter, base::get<std::string>(row, field_, where));
          out += base::dump_json(row);
        }
        out += '\n';
      });
    });
    return 0;
  }

 private:
  // The library takes texts that end at NUL.
  static std::string convert(text::ScriptConverter& converter, std::string_view text) {
    std::string out;
    while (true) {
      const size_t nul = std::min(text.find('\0'), text.size());
      out += converter.convert(text.substr(0, nul));
      if (nul == text.size()) {
        return out;
      }
      out += '\0';
      text.remove_prefix(nul + 1);
    }
  }

  std::string configuration_;
  std::string field_;
  std::string errors_ = "strict";
};

}  // namespace

std::unique_ptr<Command> make_convert_script() { return std::make_unique<ConvertScriptCommand>(); }

}  // namespace slipway::cli
