// Numbers as they lie in files of weights: little-endian, at any address.
#pragma once

#include <cstring>

namespace slipway::model {

// The machines we build for are little-endian too. The caller has checked that sizeof(T) bytes are there.
template <class T>
T load(const char* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

}  // namespace slipway::model
