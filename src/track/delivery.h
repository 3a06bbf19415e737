// Sends what a spool holds to its target, batch by batch, and remembers how far it came. One thread at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "store/lock.h"
#include "track/spool.h"
#include "track/target.h"

namespace slipway::track {

class Delivery {
 public:
  // Takes the spool's sender.lock; nothing when another process is sending. Segments that were sent are deleted.
  static std::unique_ptr<Delivery> begin(const std::filesystem::path& folder, std::unique_ptr<Target> target);

  // Makes the run when it is not there yet, then sends at most one batch. False: there is nothing to send. `at_end`: nobody
  // writes any more. Throws what Target throws, except for records that are refused, which are counted; nothing is lost then.
  bool step(bool at_end);
  const SentState& state() const noexcept { return state_; }
  const SpoolInfo& info() const noexcept { return info_; }
  // Whether nothing is left to do with this spool once its writer is gone.
  bool complete() const noexcept { return state_.ended || info_.transient; }

 private:
  struct Batch {
    record::RunBatch records;
    size_t bytes = 0;
    size_t size() const { return records.metrics.size() + records.params.size() + records.tags.size(); }
  };
  Delivery(std::filesystem::path folder, std::unique_ptr<Target> target, store::FileLock lock);
  void open();
  bool next(bool at_end);
  static bool add(Batch& batch, const Frame& frame);
  void deliver(record::RunBatch batch, uint64_t& sent, uint64_t& refused);
  void put_file(const std::string& path, std::string_view bytes);
  void put_file(const FileFrame& file);
  void end(const EndFrame& end);
  void refuse(const std::string& why);
  void commit(Position position);

  const std::filesystem::path folder_;
  const SpoolInfo info_;
  const std::unique_ptr<Target> target_;
  const store::FileLock lock_;
  SentState state_;
  SpoolReader reader_;
  std::optional<Frame> pending_;  // read, not sent; its views are the reader's
  uint64_t damaged_before_ = 0;  // of earlier readers
  bool opened_ = false;
  std::string sent_file_;  // a link in the spool that is to go once its sending is remembered
};

}  // namespace slipway::track
