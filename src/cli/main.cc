// The program: parses, runs one command, turns failures into a message and an exit code.
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <iostream>
#include <stop_token>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/help.h"
#include "cli/parse.h"

namespace slipway::cli {
namespace {

int g_signal_pipe = -1;  // NOLINT: a signal handler can reach nothing else

extern "C" void on_signal(int number) {
  const char byte = static_cast<char>(number);
  if (write(g_signal_pipe, &byte, 1) < 0) {
    _exit(128 + number);
  }
}

// Turns SIGINT and SIGTERM into a stop request; a second signal ends the process at once. A pipe and a thread, because
// a handler may not touch a stop_source; children get default handlers through exec.
class SignalWatch {
 public:
  SignalWatch() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      throw base::Error(base::Code::kFailure, "cannot watch signals: " + base::errno_text(errno));
    }
    read_end_ = ends[0];
    g_signal_pipe = ends[1];
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a write beyond the file size limit is then an error with a message
    watcher_ = std::thread([this] {
      char byte = 0;
      for (int seen = 0; read(read_end_, &byte, 1) == 1 && byte != 0; ++seen) {
        if (seen > 0) {
          _exit(128 + byte);
        }
        source_.request_stop();
      }
    });
  }
  ~SignalWatch() {
    const char end = 0;
    if (write(g_signal_pipe, &end, 1) == 1) {
      watcher_.join();
    } else {
      watcher_.detach();
    }
  }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::thread watcher_;
  int read_end_ = -1;
};

void report(const std::string& message, base::Code code, bool json) {
  if (json) {
    std::cout << base::dump_json({{"error", {{"code", base::code_name(code)}, {"message", message}}}}) << std::endl;
  }
  const bool color = isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  std::cerr << (color ? "\033[31mslipway:\033[0m " : "slipway: ") << message << std::endl;
}

int run_program(const std::vector<std::string>& words) {
  GlobalOptions global;
  IoStreams io{std::cin, std::cout, std::cerr, isatty(STDOUT_FILENO) == 1, isatty(STDERR_FILENO) == 1};
  try {
    Parsed parsed = parse(words, global, [](const char* name) { return std::getenv(name); });
    const bool color = io.out_terminal && std::getenv("NO_COLOR") == nullptr;
    if (parsed.version) {
      io.out << "slipway " SLIPWAY_VERSION "\n";
      return 0;
    }
    if (parsed.help) {
      io.out << (parsed.command ? command_help(*parsed.command, parsed.parameters, parsed.brief, color)
                                : program_help(color));
      return parsed.nothing ? 2 : 0;
    }
    SignalWatch signals;
    App app(io, global, signals.token());
    const int code = parsed.command->run(app);
    io.out.flush();
    return code;
  } catch (const base::Error& error) {
    report(error.what(), error.code(), global.json);
    return base::exit_code(error.code());
  } catch (const std::bad_alloc&) {
    report("out of memory", base::Code::kFailure, global.json);
    return 1;
  } catch (const std::exception& error) {
    report(fmt::format("internal error: {} (please report it)", error.what()), base::Code::kFailure, global.json);
    return 1;
  }
}

}  // namespace
}  // namespace slipway::cli

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  return slipway::cli::run_program({argv + 1, argv + argc});
}
