#include "hub/pull.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <fmt/format.h>
#include <fnmatch.h>
#include <mutex>
#include <thread>

#include "hub/download.h"

namespace slipway::hub {
namespace {

bool is_match(const std::string& path, const char* pattern) { return ::fnmatch(pattern, path.c_str(), 0) == 0; }

}  // namespace

std::vector<RemoteFile> matching(std::vector<RemoteFile> files, const std::vector<std::string>& patterns) {
  if (!patterns.empty()) {
    std::erase_if(files, [&](const RemoteFile& file) {
      return std::none_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) { return is_match(file.path, pattern.c_str()); });
    });
  }
  return files;
}

std::vector<RemoteFile> model_files(std::vector<RemoteFile> files) {
  constexpr std::array<const char*, 8> kNever = {".git*", "*.png", "*.jpg", "*.gif", "*tfevents*", "*.mlmodel", "*.tflite", "*.DS_Store"};
  constexpr std::array<const char*, 10> kOtherWeights = {"*.bin",  "*.pt",     "*.pth",   "*.h5",        "*.msgpack",
                                                         "*.onnx", "*.onnx_data", "*.ckpt*", "openvino/*", "coreml/*"};
  const bool safetensors = std::any_of(files.begin(), files.end(), [](const RemoteFile& file) {
    return file.path.find('/') == std::string::npos && is_match(file.path, "*.safetensors");
  });
  const auto any_of = [](const auto& patterns, const RemoteFile& file) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const char* pattern) { return is_match(file.path, pattern); });
  };
  std::vector<RemoteFile> wanted;
  std::copy_if(files.begin(), files.end(), std::back_inserter(wanted),
               [&](const RemoteFile& file) { return !any_of(kNever, file) && !(safetensors && any_of(kOtherWeights, file)); });
  return wanted.empty() ? files : wanted;
}

uint64_t total_size(const std::vector<RemoteFile>& files) noexcept {
  uint64_t total = 0;
  for (const RemoteFile& file : files) {
    total += file.size;
  }
  return total;
}

void pull(const ClientOptions& options, const Pull& what, base::Progress& progress) {
  std::stop_source stop;
  const std::stop_callback outer(options.stop, [&] { stop.request_stop(); });
  ClientOptions own = options;
  own.stop = stop.get_token();
  std::mutex mutex;  // guards what follows
  int64_t done = 0;
  size_t finished = 0;
  std::exception_ptr failure;
  std::atomic<size_t> next{0};
  progress.start("pull", static_cast<int64_t>(total_size(what.files)), "bytes");
  const auto work = [&] {
    try {
      Client client(own);
      for (size_t i = next++; i < what.files.size() && !own.stop.stop_requested(); i = next++) {
        const RemoteFile& file = what.files[i];
        download(client, {what.address, what.commit, file, what.folder / file.path}, [&](int64_t bytes) {
          const std::lock_guard lock(mutex);
          done += bytes;
          progress.update(done, fmt::format("{} of {} files", finished, what.files.size()));
        });
        const std::lock_guard lock(mutex);
        ++finished;
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) {
        failure = std::current_exception();
      }
      stop.request_stop();
    }
  };
  {
    std::vector<std::jthread> threads;
    const size_t count = std::clamp<size_t>(what.files.size(), 1, static_cast<size_t>(std::max(1, what.parallel)));
    for (size_t i = 1; i < count; ++i) {
      threads.emplace_back(work);
    }
    work();
  }
  if (failure) {
    progress.finish("");
    std::rethrow_exception(failure);
  }
  if (options.stop.stop_requested() && finished < what.files.size()) {
    progress.finish("");
    throw base::Error(base::Code::kInterrupted, "interrupted; the same command goes on from here");
  }
  progress.finish(fmt::format("{} files, {:.1f} MB", what.files.size(), static_cast<double>(total_size(what.files)) / 1e6));
}

}  // namespace slipway::hub
