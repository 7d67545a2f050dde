// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace nibble {

/// Kinds of files that other programs describe training steps in.
enum class SourceFormat : std::uint8_t {
    pytorch_et,  ///< PyTorch ExecutionTraceObserver, JSON
    kineto,      ///< torch.profiler's Chrome trace, JSON
    chakra,      ///< MLCommons Chakra, protocol buffers
    onnx,        ///< ONNX model, of the forward pass or of ONNX Runtime training
    scale_sim,   ///< SCALE-Sim topology, CSV
    zigzag,      ///< ZigZag workload, YAML
    timeloop,    ///< Timeloop problem, YAML, or a directory of them
    torch_dump,  ///< scripts/nibblesim_torch.py
};
/// The words of --from, in the order of the enumerators.
inline constexpr std::array<std::string_view, 8> source_format_names{"pytorch-et", "kineto", "chakra",   "onnx",
                                                                     "scale-sim",  "zigzag", "timeloop", "torch-dump"};

[[nodiscard]] constexpr std::string_view name_of(SourceFormat format) {
    return source_format_names[static_cast<std::size_t>(format)];
}

/// Could an archive's member, or a directory's file, of this name be one of them?
[[nodiscard]] bool may_be_source(std::string_view file_name);

/// What a file or directory is, told by its first bytes, decompressed, and where they leave it open by its extension.
/// Nothing if it is none of them; that includes nibblesim's own traces and workloads. Throws InputError if it cannot
/// be read.
[[nodiscard]] std::optional<SourceFormat> recognise_source(const std::filesystem::path& path);

}  // namespace nibble
