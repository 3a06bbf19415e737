#include <zlib.h>

#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "support/support.h"

namespace slipway::base {
namespace {

TEST(AtomicFile, LeavesTheOldFileWhenNotCommitted) {
  TempDir dir;
  const auto path = dir.path() / "x";
  write_file_atomic(path, "old");
  {
    AtomicFile file(path);
    file.write("new");
  }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST(AtomicFile, PassesOverWhatAKilledProcessOfItsIdLeft) {
  TempDir dir;
  const auto path = dir.path() / "x";
  std::string name = AtomicFile(path).temporary_path().filename().string();  // .x.PID.NUMBER.tmp
  const size_t number = name.rfind('.', name.size() - 5) + 1;
  const int next = std::stoi(name.substr(number)) + 1;
  for (int i = next; i < next + 3; ++i) {
    write_file_atomic(dir.path() / "other", "");  // names of its own count, too
  }
  for (int i = next; i < next + 9; ++i) {
    std::ofstream(dir.path() / (name.substr(0, number) + std::to_string(i) + ".tmp")) << "half";
  }
  write_file_atomic(path, "new");
  EXPECT_EQ(read_file(path), "new");
}

TEST(LineReader, ReadsPlainZstdAndGzipAlike) {
  TempDir dir;
  const std::string text = "one\r\ntwo\n\nlast";
  write_file_atomic(dir.path() / "plain", text);
  write_file_atomic(dir.path() / "zstd", zstd_compress(text));
  gzFile gz = gzopen((dir.path() / "gzip").c_str(), "wb");
  gzwrite(gz, text.data(), static_cast<unsigned>(text.size()));
  gzclose(gz);
  for (const char* name : {"plain", "zstd", "gzip"}) {
    LineReader reader(dir.path() / name);
    std::vector<std::string> lines;
    std::string_view line;
    while (reader.next(line)) {
      lines.emplace_back(line);
    }
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "", "last"})) << name;
  }
}

TEST(LineReader, StopsAtALineThatIsTooLong) {
  TempDir dir;
  write_file_atomic(dir.path() / "long", std::string(3 << 20, 'x'));
  LineReader reader(dir.path() / "long", 1 << 20);
  std::string_view line;
  EXPECT_THROW(reader.next(line), Error);
}

TEST(Input, ReportsATruncatedFrame) {
  TempDir dir;
  const std::string packed = zstd_compress(std::string(100000, 'a') + "end");
  write_file_atomic(dir.path() / "cut", packed.substr(0, packed.size() - 4));
  EXPECT_THROW(read_decompressed(dir.path() / "cut"), Error);
  write_file_atomic(dir.path() / "bomb", packed);
  EXPECT_THROW(read_decompressed(dir.path() / "bomb", 1000), Error);
}

TEST(Input, ReadsZstdFramesOneAfterTheOther) {
  TempDir dir;
  const std::string big(700000, 'b');  // larger than the reader's buffer
  write_file_atomic(dir.path() / "two", zstd_compress("first ") + zstd_compress(big) + zstd_compress(""));
  EXPECT_EQ(read_decompressed(dir.path() / "two"), "first " + big);
}

TEST(File, TemporariesOfKilledWritersAreRemovedAndNothingElse) {
  TempDir dir;
  make_dirs(dir.path() / "sub");
  const char* kept[] = {"a.tmp", ".tmp", ".a.tmp", ".a.1.tmp", ".a.x.1.tmp", ".a.1.x.tmp", ".1.2.tmp", "sub/a.1.2.tmp"};
  for (const char* name : kept) {
    write_file_atomic(dir.path() / name, "kept");
  }
  for (const char* name : {".a.12.0.tmp", "sub/.config.json.345.16.tmp"}) {
    write_file_atomic(dir.path() / name, "half");
  }
  {
    AtomicFile file(dir.path() / "sub" / "weights");
    remove_temporaries(dir.path());
    EXPECT_FALSE(std::filesystem::exists(file.temporary_path()));
  }
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir.path())) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, std::size(kept));
  remove_temporaries(dir.path() / "none");
}

TEST(File, MissingFileIsNotFound) {
  try {
    read_file("/nonexistent/file");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
  }
}

}  // namespace
}  // namespace slipway::base
