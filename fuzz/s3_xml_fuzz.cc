// Answers of an S3 server: elements lie inside the text, one behind the other, and a text is never longer than what it is of.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "store/s3.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  const char* behind = xml.data();
  for (const std::string_view element : slipway::store::xml_elements(xml, "Contents")) {
    if (element.data() < behind || element.data() + element.size() > xml.data() + xml.size()) {
      std::abort();
    }
    behind = element.data() + element.size();
    if (slipway::store::xml_text(element, "Key").size() > element.size()) {
      std::abort();
    }
  }
  for (const char* name : {"Code", "UploadId", "NextContinuationToken"}) {
    if (slipway::store::xml_text(xml, name).size() > xml.size()) {
      std::abort();
    }
  }
  return 0;
}
