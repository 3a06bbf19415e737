// One command of the program, declared once: from its table come parsing, `--help`, the man page, shell completion and
// the SLIPWAY_* variables. Commands are made by factories listed in commands.cc and live for one invocation.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fields.h"

namespace slipway::cli {

class App;

struct CommandInfo {
  std::string path;     // "models list"
  std::string summary;  // one line, no full stop
  std::string details;  // paragraphs for --help and the man page
  std::string example;  // lines a user can paste
};

struct Positional {
  std::string name;  // "MODEL"
  std::string help;
  std::string* value = nullptr;
  bool required = true;
  std::vector<std::string>* values = nullptr;  // in place of `value`: one or several, and the last positional

  bool empty() const { return values != nullptr ? values->empty() : value->empty(); }
};

// What a command accepts. Borrows the variables it is given.
struct Parameters {
  base::FieldTable flags;  // "max_length" is --max-length and SLIPWAY_MAX_LENGTH
  std::vector<Positional> positionals;

  void positional(std::string name, std::string& value, std::string help, bool required = true) {
    positionals.push_back({std::move(name), std::move(help), &value, required});
  }
  void positionals_of(std::string name, std::vector<std::string>& values, std::string help) {
    positionals.push_back({std::move(name), std::move(help), nullptr, true, &values});
  }
};

class Command {
 public:
  virtual ~Command() = default;
  virtual CommandInfo info() const = 0;
  virtual void describe(Parameters& parameters) = 0;
  // Returns the exit code; failures travel as base::Error.
  virtual int run(App& app) = 0;
};

// What the command accepts besides the options of every command: a component's table may name one of those (threads, store).
Parameters parameters_of(Command& command);

using CommandFactory = std::function<std::unique_ptr<Command>()>;

// Every command, in the order of `slipway --help`. The one list.
const std::vector<CommandFactory>& all_commands();

}  // namespace slipway::cli
