// Texts made from the table of commands: --help, the man page, shell completions. Nothing is written twice.
#pragma once

#include <string>

#include "cli/command.h"

namespace slipway::cli {

// All commands, one line each, and the global options.
std::string program_help(bool color);
// One command; `brief` (-h) fits a screen: no details, no global options.
std::string command_help(const Command& command, const Parameters& parameters, bool brief, bool color);
// slipway(1) in man(7) macros: every command with its options.
std::string man_page();
// A completion script for "bash", "zsh" or "fish"; throws Error(kInvalid) for another shell.
std::string completion(const std::string& shell);

}  // namespace slipway::cli
