// From words to a filled command: finds the command by its one or two words, then flags > SLIPWAY_* > defaults.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/command.h"

namespace slipway::cli {

struct Parsed {
  std::unique_ptr<Command> command;  // null when only help or version was asked for
  Parameters parameters;             // borrows the command's variables
  bool help = false;                 // --help or -h (brief)
  bool brief = false;
  bool version = false;
  bool nothing = false;  // no command was named: bad usage, answered with the brief help
};

// Options of all commands may stand before the command too. Throws Error(kInvalid) (exit code 2) for an unknown command
// or flag, with the nearest name, a missing argument or a bad value. `environment` looks up a variable and returns null
// when it is not set (std::getenv in the program).
using Environment = std::function<const char*(const char*)>;
Parsed parse(const std::vector<std::string>& words, GlobalOptions& global, const Environment& environment);

// "max_length" -> "--max-length", "SLIPWAY_MAX_LENGTH".
std::string flag_name(const std::string& field);
std::string variable_name(const std::string& field);

}  // namespace slipway::cli
