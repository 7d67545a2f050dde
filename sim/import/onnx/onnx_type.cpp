// SPDX-License-Identifier: MIT
#include "sim/import/onnx/onnx_model.h"

namespace nibble {

OnnxKind OnnxType::kind() const {
    switch (number) {
        case 1:   // float
        case 10:  // float16
        case 11:  // double
        case 16:  // bfloat16
        case 17:  // float8e4m3fn
        case 18:  // float8e4m3fnuz
        case 19:  // float8e5m2
        case 20:  // float8e5m2fnuz
        case 23:  // float4e2m1
        case 24:  // float8e8m0
            return OnnxKind::floating;
        case 2:   // uint8
        case 3:   // int8
        case 4:   // uint16
        case 5:   // int16
        case 6:   // int32
        case 7:   // int64
        case 12:  // uint32
        case 13:  // uint64
        case 21:  // uint4
        case 22:  // int4
            return OnnxKind::integer;
        case 9:
            return OnnxKind::boolean;
        default:  // text, complex numbers
            return OnnxKind::other;
    }
}

std::uint64_t OnnxType::bits() const {
    switch (number) {
        case 21:
        case 22:
        case 23:
            return 4;
        case 2:
        case 3:
        case 9:
        case 17:
        case 18:
        case 19:
        case 20:
        case 24:
            return 8;
        case 4:
        case 5:
        case 10:
        case 16:
            return 16;
        case 7:
        case 11:
        case 13:
            return 64;
        default:
            return 32;
    }
}

}  // namespace nibble
