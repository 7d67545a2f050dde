// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>

#include "models/numerics/gemm_tile.h"
#include "models/numerics/parallel.h"
#include "python/arguments.h"

namespace nibble::python {

/// Elements that one thread takes at a time. Sums over blocks are the same for any number of threads.
inline constexpr std::size_t block_elements = std::size_t{1} << 16;

[[nodiscard]] inline std::size_t block_count(std::size_t elements) {
    return (elements + block_elements - 1) / block_elements;
}

/// Calls run(block, begin, end) for each block of so many elements, on the default number of threads. Call it without
/// the GIL.
template <class Run>
void for_each_block(std::size_t elements, Run run) {
    run_tasks(block_count(elements), thread_count(0), [&](std::size_t block) {
        run(block, block * block_elements, std::min(elements, (block + 1) * block_elements));
    });
}

/// out[i] = make(in[i]). Of values and without aliases, so that the loop vectorises.
template <class In, class Out, class Make>
[[gnu::always_inline]] inline void map_run(const In* in, Out* __restrict out, std::size_t count, Make make) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = make(in[i]);
    }
}

#if defined(__x86_64__)
template <class In, class Out, class Make>
[[gnu::target("avx2")]] void map_run_avx2(const In* in, Out* __restrict out, std::size_t count, Make make) {
    map_run(in, out, count, make);
}
#endif

/// The same with what this host has.
template <class In, class Out, class Make>
void map_run_fastest(const In* in, Out* __restrict out, std::size_t count, Make make) {
#if defined(__x86_64__)
    if (vector_units().size() > 1) {
        map_run_avx2(in, out, count, make);
        return;
    }
#endif
    map_run(in, out, count, make);
}

/// An array of x's shape whose elements are made from x's, one by one; `make` holds values, not references.
template <class Out, class In, class Make>
py::array_t<Out> mapped(const py::array_t<In, py::array::c_style | py::array::forcecast>& x, Make make) {
    py::array_t<Out> out(sizes_of(x));
    const std::span<const In> from(x.data(), static_cast<std::size_t>(x.size()));
    Out* to = out.mutable_data();
    {
        const py::gil_scoped_release release;
        for_each_block(from.size(), [&](std::size_t, std::size_t begin, std::size_t end) {
            map_run_fastest(from.data() + begin, to + begin, end - begin, make);
        });
    }
    return out;
}

}  // namespace nibble::python
