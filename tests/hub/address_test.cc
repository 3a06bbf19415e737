#include "hub/address.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace slipway::hub {
namespace {

std::string read(const std::string& text) {
  const Address address = parse_address(text);
  return address.type + " " + address.name + " " + address.revision + " " + address.file;
}

TEST(HubAddress, ReadsWhatHfFileSystemReads) {
  EXPECT_EQ(read("hf://team/model"), "model team/model main ");
  EXPECT_EQ(read("hf://datasets/team/data"), "dataset team/data main ");
  EXPECT_EQ(read("hf://gpt2"), "model gpt2 main ");
  EXPECT_EQ(read("hf://gpt2@v1"), "model gpt2 v1 ");
  EXPECT_EQ(read("hf://team/model@v1.0"), "model team/model v1.0 ");
  EXPECT_EQ(read("hf://team/model@dev%2Fnew/a/b c.gguf"), "model team/model dev/new a/b c.gguf");
  EXPECT_EQ(read("hf://team/model@refs/pr/7/x"), "model team/model refs/pr/7 x");
  EXPECT_EQ(read("hf://team/model/x.gguf"), "model team/model main x.gguf");
  EXPECT_EQ(read("hf://models/team/model"), "model team/model main ");
  for (const char* text : {"hf://team/model", "hf://datasets/team/data@dev%2Fnew/a/b", "hf://team/model/x.gguf"}) {
    EXPECT_EQ(parse_address(text).text(), text);
  }
}

TEST(HubAddress, RefusesOthers) {
  for (const char* text :
       {"", "hf://", "team/model", "hf:///x", "hf://../x", "hf://a/..", "hf://a/b@", "hf://a/b@%00", "hf://a/b@%2", "hf://a/b/../c",
        "hf://a/b//c", "hf://a b/c", "hf://spaces/a/b", "hf://datasets/", "hf://a--b/c", "hf://-a/c"}) {
    EXPECT_THROW(parse_address(text), base::Error) << text;
  }
}

}  // namespace
}  // namespace slipway::hub
