#define SLIPWAY_VECTOR_OPS kVectorOpsAvx512
#define SLIPWAY_VECTOR_NAME "avx512"
#include "train/vector_ops_impl.h"
