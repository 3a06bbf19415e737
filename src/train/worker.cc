#include "train/worker.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <fmt/format.h>
#include <fstream>
#include <malloc.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/input.h"
#include "base/json.h"
#include "model/folder.h"
#include "text/tokenizer.h"
#include "train/bert_parameters.h"
#include "train/checkpoint.h"
#include "train/dataset.h"
#include "train/torch_classifier.h"
#include "train/trainer.h"

namespace slipway::train {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;
using EventSink = std::function<void(const Json&)>;

// A worker that was told to stop may still be writing its checkpoint when the next one starts.
constexpr double kLockPatienceSeconds = 60;
// OpenBLAS and MKL reach 40 and more on any AVX2 core; the netlib reference BLAS stays at 2.
constexpr double kSlowGflops = 20;

// Seconds since this process was started, from the kernel's books: program loading counts.
double seconds_since_exec() {
  std::ifstream stat("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  const size_t paren = text.rfind(')');
  std::istringstream rest(paren == std::string::npos ? "" : text.substr(paren + 2));
  std::string field;
  for (int i = 0; i < 20 && rest >> field; ++i) {  // starttime is field 22, 20th after the name
  }
  std::ifstream uptime_file("/proc/uptime");
  double uptime = 0;
  if (!(uptime_file >> uptime) || field.empty()) {
    return 0;
  }
  return uptime - std::strtod(field.c_str(), nullptr) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

int64_t peak_rss_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

Json versions() { return {{"torch", torch_version()}, {"slipway", "0.1.0"}}; }

model::ModelSpec spec_for(const Job& job, const model::ModelFolder& folder) {
  model::ModelSpec spec = folder.spec;
  if (spec.architecture != model::Architecture::kBert) {
    throw Error(Code::kInvalid,
                fmt::format("'{}' is no BERT: other encoders are run, quantised and explained, but not yet trained",
                            folder.path.string()));
  }
  spec.labels = job.labels;
  spec.head = model::Head::kSequenceClassification;
  if (job.options.dropout >= 0) {
    spec.dropout = static_cast<float>(job.options.dropout);
    spec.attention_dropout = static_cast<float>(job.options.dropout);
  }
  return spec;
}

struct Data {
  EncodedSplit train;
  std::optional<EncodedSplit> validation;
};

Data load_data(const Job& job, const model::ModelFolder& folder, base::Context& context, const EventSink& event) {
  const auto tokenizer = text::load_tokenizer(*folder.tokenizer);
  SplitFormat format = {job.text_field, job.label_field, job.labels, job.options.max_length};
  if (format.max_length > folder.spec.max_positions) {
    format.max_length = folder.spec.max_positions;
    event({{"event", "warning"},
           {"message", fmt::format("'max_length' is lowered from {} to {}: the model has no more positions",
                                   job.options.max_length, format.max_length)}});
  }
  Data data;
  data.train = load_split(job.dataset, job.train_split, format, *tokenizer, folder.spec.vocab_size, context.pool);
  if (!job.validation_split.empty()) {
    data.validation =
        load_split(job.dataset, job.validation_split, format, *tokenizer, folder.spec.vocab_size, context.pool);
  }
  return data;
}

void warn_when_slow(const EventSink& event) {
  for (const Json& warning : check_setup()["warnings"]) {
    event({{"event", "warning"}, {"message", warning}});
  }
}

}  // namespace

Json check_setup() {
  const TorchCheck check = check_torch();
  Json json = {{"torch", check.version}, {"threads", base::usable_cores()}, {"gflops", check.gflops}};
  json["instruction_set"] = base::isa_name(base::select_isa());
  json["warnings"] = Json::array();
  if (check.gflops < kSlowGflops) {
    json["warnings"].push_back(fmt::format(
        "matrix products run at {:.1f} GFLOP/s only: libtorch probably uses the reference BLAS. Install Debian's "
        "libopenblas0-openmp (and choose it with update-alternatives --config libblas.so.3-x86_64-linux-gnu)",
        check.gflops));
  }
  return json;
}

void run_job(const Job& job, base::Context& context, const EventSink& event) {
  const double begin = base::monotonic_seconds();
  const model::ModelFolder folder = model::open_model_folder(job.base_model, {!job.options.from_scratch, true});
  const CheckpointLock lock(job.checkpoint, kLockPatienceSeconds);
  warn_when_slow(event);
  const model::ModelSpec spec = spec_for(job, folder);
  BertParameters parameters = make_bert_parameters(spec, job.options.freeze_layers);
  if (job.options.from_scratch) {
    draw_weights(parameters, job.options.seed);
  } else {
    for (const std::string& name : load_weights(parameters, folder, job.options.seed)) {
      context.log.info("tensor is new", {{"name", name}});
    }
  }
  const Data data = load_data(job, folder, context, event);
  const auto learner = make_torch_classifier(parameters, {spec.dropout, spec.attention_dropout}, context.pool);
  const ModelFiles files = {[&](const fs::path& path) { write_weights(parameters, path); },
                            [&](const fs::path& path) { read_weights(parameters, path); }};
  double first_step = 0;
  const auto forward = [&](const Json& json) {
    if (first_step == 0 && json["event"] == "step") {
      first_step = seconds_since_exec();
    }
    Json copy = json;
    if (json["event"] == "start") {
      copy["versions"] = versions();
    }
    event(copy);
  };
  const TrainerInputs inputs = {job.options,    data.train,           data.validation ? &*data.validation : nullptr,
                                job.checkpoint, job_fingerprint(job), files,
                                forward};
  Trainer trainer(*learner, inputs, context);
  const Outcome outcome = trainer.run();
  write_model_folder(parameters, job.base_model, job.output);
  remove_checkpoint(job.checkpoint);
  Json done = {{"event", "done"}, {"step", outcome.steps}, {"train_loss", outcome.train_loss}};
  if (outcome.has_validation) {
    done["loss"] = outcome.kept.loss;
    done["accuracy"] = outcome.kept.accuracy;
  }
  done["best_epoch"] = outcome.kept.epoch;
  done["seconds"] = base::monotonic_seconds() - begin;
  done["train_seconds"] = outcome.train_seconds;
  done["samples_per_second"] =
      outcome.train_seconds > 0 ? static_cast<double>(outcome.samples) / outcome.train_seconds : 0.0;
  done["first_step_seconds"] = first_step;
  done["peak_rss_bytes"] = peak_rss_bytes();
  done["output"] = job.output.string();
  event(done);
}

namespace {

constexpr const char* kUsage =
    "usage: slipway-train JOB.json     run a job; events as JSON lines on standard output\n"
    "       slipway-train --logits MODEL_FOLDER ROWS.jsonl   the trained model's raw scores, an array a row\n"
    "       slipway-train --check      how libtorch is set up, as JSON\n"
    "       slipway-train --help\n"
    "`slipway train` and `slipway run` start this program; a job file is described in docs/formats/train-job.md.\n"
    "Example: slipway-train job.json | tee events.jsonl\n";

// Writes a whole line at once; a reader that went away is no reason to lose a run.
void write_line(int fd, std::string line) {
  line += '\n';
  size_t done = 0;
  while (done < line.size()) {
    const ssize_t n = ::write(fd, line.data() + done, line.size() - done);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return;
    }
    done += static_cast<size_t>(n);
  }
}

// SIGINT and SIGTERM, taken by a thread of its own and turned into a request to stop. The first one counts, later ones
// change nothing: a terminal's Ctrl-C reaches the worker directly and again from the launcher.
class StopSignals {
 public:
  // Blocks the signals: call before other threads start.
  StopSignals() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGINT);
    ::sigaddset(&set_, SIGTERM);
    ::sigaddset(&set_, SIGUSR2);  // ours, to end the thread
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    thread_ = std::thread([this] { wait(); });
  }
  ~StopSignals() {
    done_ = true;
    ::pthread_kill(thread_.native_handle(), SIGUSR2);
    thread_.join();
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  std::stop_token token() const { return source_.get_token(); }

 private:
  void wait() {
    while (!done_) {
      int signal = 0;
      ::sigwait(&set_, &signal);
      if (signal == SIGINT || signal == SIGTERM) {
        source_.request_stop();
      }
    }
  }
  sigset_t set_{};
  std::stop_source source_;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

// The launcher names itself: when it dies, this process gets SIGTERM and stops with a checkpoint.
void follow_parent(const char* parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != std::atoi(parent)) {
    ::raise(SIGTERM);  // it died before we asked
  }
}

// glibc gives large blocks back to the kernel and faults them in again each step (11 % of the CPU time of a step in
// ATen with a model of this size).
void keep_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

int run_job_file(const fs::path& path, int out_fd, base::Log& log, std::stop_token stop) {
  const Json json = base::parse_json(base::read_file(path, size_t{1} << 20), path.string());
  const Job job = job_from_json(json, path.string());
  base::Pool pool(job.options.threads);
  // The products are ours and run on `pool`; a second set of threads, OpenMP's, would only stand in their way.
  set_torch_threads(1);
  const base::SystemClock clock;
  base::SilentProgress progress;
  base::Context context = {pool, log, clock, progress, std::move(stop)};
  run_job(job, context, [&](const Json& event) { write_line(out_fd, base::dump_json(event)); });
  return 0;
}

// The scores that the training forward pass gives: what other programs are compared with.
int print_logits(const fs::path& path, const fs::path& rows, int out_fd) {
  base::Pool pool;
  set_torch_threads(1);
  const model::ModelFolder folder = model::open_model_folder(path);
  if (!folder.spec.has_classifier()) {
    throw Error(Code::kInvalid, path.string() + " has no classifier");
  }
  BertParameters parameters = make_bert_parameters(folder.spec, 0);
  load_weights(parameters, folder, 0);
  const auto learner = make_torch_classifier(parameters, {0, 0}, pool);
  const auto tokenizer = text::load_tokenizer(*folder.tokenizer);
  base::LineReader reader(rows);
  std::string_view line;
  while (reader.next(line)) {
    const std::string where = fmt::format("{}:{}", rows.string(), reader.line_number());
    text::Encoding encoding;
    tokenizer->encode(base::get<std::string>(base::parse_json(line, where), "text", where),
                      {true, false, folder.spec.max_positions}, encoding);
    const auto tokens = static_cast<int32_t>(encoding.ids.size());
    std::vector<float> scores(folder.spec.labels.size());
    learner->logits({encoding.ids, {0, tokens}, {0}}, scores);
    write_line(out_fd, base::dump_json(scores));
  }
  return 0;
}

}  // namespace

int worker_main(int argc, char** argv, int out_fd, int error_fd) {
  keep_memory();
  const std::vector<std::string> args(argv + 1, argv + argc);
  const StopSignals signals;
  base::Log log([error_fd](std::string_view line) { write_line(error_fd, std::string(line)); }, base::LogLevel::kInfo,
                base::Log::Format::kText);
  try {
    if (args.size() == 1 && (args[0] == "--help" || args[0] == "-h")) {
      write_line(out_fd, kUsage);
      return 0;
    }
    if (args.size() == 1 && args[0] == "--check") {
      write_line(out_fd, base::dump_json(check_setup()));
      return 0;
    }
    if (args.size() == 3 && args[0] == "--logits") {
      return print_logits(args[1], args[2], out_fd);
    }
    if (args.size() == 3 && args[1] == "--parent") {
      follow_parent(args[2].c_str());
    } else if (args.size() != 1 || args[0].starts_with("-")) {
      write_line(error_fd, kUsage);
      return 2;
    }
    return run_job_file(args[0], out_fd, log, signals.token());
  } catch (const Error& error) {
    write_line(out_fd,
               base::dump_json({{"event", "error"}, {"code", code_name(error.code())}, {"message", error.what()}}));
    log.error(error.what());
    return exit_code(error.code());
  } catch (const std::exception& error) {  // libtorch's own, out of memory
    write_line(out_fd, base::dump_json({{"event", "error"}, {"code", "failure"}, {"message", error.what()}}));
    log.error(error.what());
    return 1;
  }
}

}  // namespace slipway::train
