// A BERT text classifier whose forward and backward pass run on libtorch. The weights lie in the BertParameters it is
// given; batches are packed, no padding is computed. No torch in this header. One thread at a time.
#pragma once

#include <memory>

#include "base/pool.h"
#include "train/bert_encoder.h"
#include "train/bert_parameters.h"
#include "train/learner.h"

namespace slipway::train {

// Borrows parameters and pool, which must outlive it.
std::unique_ptr<Learner> make_torch_classifier(BertParameters& parameters, const Dropout& dropout, base::Pool& pool);

// Is libtorch set up well? The speed of one f32 matrix product of 256 x 256 x 256 on one thread (GFLOP/s, best of
// several) tells a reference BLAS from a real one. The encoder's products are ours; what stands on it and other
// objectives use BLAS.
struct TorchCheck {
  std::string version;
  double gflops = 0;
};
TorchCheck check_torch();
const char* torch_version() noexcept;
void set_torch_threads(int threads);

}  // namespace slipway::train
